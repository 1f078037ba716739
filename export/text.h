/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_EXPORT_TEXT_H
#define SIXTY_EXPORT_TEXT_H

#include "export/exporter.h"

/* The parts of the text report; text.c puts them in order. */
void text_findings(struct buf *out, const struct report *r, const struct style *s);
void text_use(struct buf *out, const struct report *r, const struct style *s);
void text_kernel(struct buf *out, const struct report *r, const struct style *s);
void text_time(struct buf *out, const struct report *r, const struct style *s);
void text_red(struct buf *out, const struct report *r, const struct style *s);
void text_sheets(struct buf *out, const struct report *r, const struct style *s);
void text_cleared(struct buf *out, const struct report *r, const struct style *s);
void text_unknown(struct buf *out, const struct report *r, const struct style *s);
void text_ledger(struct buf *out, const struct report *r, const struct style *s);

/* An empty line and an underlined title. */
void text_title(struct buf *out, const struct style *s, const char *title);

#endif
