/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_EXPORT_COUNTS_H
#define SIXTY_EXPORT_COUNTS_H

#include "base/json.h"
#include "export/exporter.h"

/* Counts of events in every format. r->counts is there. */

/* A line for each event, and below it the ratios with what they are of. */
void text_counts(struct buf *out, const struct report *r, const struct style *s);
/* The members "target", "counts" and "ratios". */
void json_counts(struct json *j, const struct report *r);
void openmetrics_counts(struct buf *out, const struct report *r);
void csv_counts(struct buf *out, const struct report *r);

#endif
