/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_EXPORT_HISTS_H
#define SIXTY_EXPORT_HISTS_H

#include "base/json.h"
#include "export/exporter.h"
#include "model/hist.h"

/* Distributions in every format. */

/* Title, summary and bars of each; a table where there are many. */
void text_hists(struct buf *out, const struct report *r, const struct style *s);
/* The member "histograms", and with failures the member "failures". */
void json_hists(struct json *j, const struct report *r);
void openmetrics_hists(struct buf *out, const struct report *r);
/* Append a label's value: printable, quotes and backslashes escaped. */
void openmetrics_escape(struct buf *out, const char *raw);
void csv_hists(struct buf *out, const struct report *r);

/* What a row is about: "vda", "cpu3", "postgres[42]", "36 virtio1-req.0", "others", "all". Raw. */
char *hist_row_name(const struct hist_row *row, char *out, size_t size);

/* ---- time × value ---- */

/* A heat map: one column per interval, the newest on the right; what is older than fits is gone. */
struct heat;

struct heat *heat_new(void);
void heat_free(struct heat *h); /* accepts NULL */
void heat_add(struct heat *h, const struct report *r);
/* Returns the number of lines. */
unsigned heat_draw(struct buf *out, const struct heat *h, const struct style *s);

#endif
