/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_FLAMEGRAPH_SVG_H
#define SIXTY_FLAMEGRAPH_SVG_H

#include "base/buf.h"
#include "base/err.h"
#include "flamegraph/palette.h"
#include "model/stackset.h"

/* A flame graph as one SVG file that needs no network and, to be read, no script: frames of half a pixel and more are drawn,
 * wide ones with their names. With a script (flamegraph/flame.js, which is inside) it is drawn anew from all frames, which are
 * inside as one array, and can be zoomed, searched, turned round and cut to a range of time. */
#define SVG_WIDTH       1200
#define SVG_WIDTH_LEAST 320
#define SVG_WIDTH_MOST  20000
#define SVG_MIN_WIDTH   0.5 /* pixels: what is narrower is not drawn before it is zoomed into */
#define SVG_NODES \
	100000 /* frames in the array; smaller ones are left out, and their number is told */

struct svg_args {
	const char *title; /* NULL: that of the set */
	unsigned width;    /* 0: SVG_WIDTH */
	double min_width;  /* pixels; below 0: SVG_MIN_WIDTH */
	enum palette palette;
	bool reverse;                  /* what was called last comes first */
	bool icicle;                   /* the outermost caller at the top */
	const struct stackset *before; /* draw the difference to this one */
};

/* Append the file. 0, -EINVAL (there are no samples) or -ENOMEM. */
int svg_write(struct buf *out, const struct stackset *ss, const struct svg_args *a, struct err *e);

#endif
