/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_EXPORT_RED_H
#define SIXTY_EXPORT_RED_H

#include "base/json.h"
#include "export/exporter.h"

/* Requests of services for programs; for people see text_red(). */

void json_red(struct json *j, const struct report *r); /* the member "red" */
void openmetrics_red(struct buf *out, const struct report *r);
void csv_red(struct buf *out, const struct report *r);

#endif
