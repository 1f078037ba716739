/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_FLAMEGRAPH_DRAWING_H
#define SIXTY_FLAMEGRAPH_DRAWING_H

#include "flamegraph/svg.h"
#include "model/calltree.h"

/* What the parts of an SVG share. */
struct heat {
	unsigned columns, rows; /* 0: no sample has a time */
	double span;            /* seconds of a column */
	struct heat_cell *cell; /* by place, then node */
	size_t n;
};

struct heat_cell {
	uint32_t at; /* column * rows + row */
	uint32_t node;
	double weight;
};

struct drawing {
	const struct stackset *ss; /* of a difference: both in one, values before and after */
	const struct svg_args *args;
	struct calltree tree;
	struct heat heat;
	bool diff, counts; /* counts: weights are numbers of samples, so that chance can be told */
	double before, after; /* totals of a difference */
	unsigned width;       /* of the picture; frames have DRAWING_MARGIN to the left and right */
	double min_width;
	bool used[PALETTE_CLASSES];
};

#define DRAWING_MARGIN 10
#define DRAWING_ROW    18 /* height of a frame with the line below it */

/* The class of a node of the tree. */
unsigned drawing_class(const struct drawing *d, const struct calltree_node *x);

/* Heat map: times of samples by second and part of a second. 0 or -ENOMEM. */
int heat_make(struct heat *h, const struct stackset *ss, const struct calltree *t, struct err *e);

/* Bytes from outside as text of XML, of at most `most` columns (0: no limit, except that what is longer than 2,000 bytes is
 * cut). */
void xml_text(struct buf *out, const char *s, size_t most);

/* The pictures that need no script. Returns their height in pixels. */
unsigned drawing_static(struct buf *out, struct drawing *d);

/* Everything as JSON that may stand inside a script element. */
void drawing_data(struct buf *out, const struct drawing *d);

/* A string of the title's lines, as raw text. */
void drawing_title(struct buf *out, const struct drawing *d);
void drawing_facts(struct buf *out, const struct drawing *d);
void drawing_losses(struct buf *out, const struct drawing *d);

/* The files that are part of the program, each with a NUL behind it. */
extern const char flame_css[], flame_js[];

#endif
