/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_EXPORT_EXPORTER_H
#define SIXTY_EXPORT_EXPORTER_H

#include <stdbool.h>

#include "base/buf.h"
#include "model/report.h"

/* How a report is to look. */
struct style {
	unsigned columns; /* 60 to 250 */
	unsigned rows;    /* of the terminal; 0: nobody scrolls (a pipe, a file) */
	bool color;       /* ANSI colour, readable on light and dark */
	bool ascii;       /* no UTF-8 bars and dots */
	bool verbose;     /* every row, per-second rows, full evidence */
};

struct exporter {
	const char *name, *help;
	void (*write)(struct buf *out, const struct report *r, const struct style *s);
};

extern const struct exporter *const exporters[]; /* NULL-terminated: text json openmetrics csv */
const struct exporter *exporter_by_name(const char *name);

#endif
