/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_FLAMEGRAPH_PALETTE_H
#define SIXTY_FLAMEGRAPH_PALETTE_H

#include "base/buf.h"
#include "model/stackset.h"

/* Colours of frames: a row of shades per meaning. The shade is chosen by the name alone, so that a function looks the same
 * in every graph. Rows differ in lightness as well as in hue, by the colours of Okabe and Ito, which people tell apart who
 * do not see all; and names, or the details, say the same in words. */
enum palette {
	PALETTE_KIND,   /* by kind of frame */
	PALETTE_MODULE, /* by module: a hue for each, as far as there are hues */
	PALETTE_GREY,
	PALETTES
};

extern const char *const palette_names[]; /* for an option; NULL-terminated */

#define PALETTE_SHADES  8
#define PALETTE_CLASSES ((FRAME_KINDS + PALETTE_DIFF_ROWS) * PALETTE_SHADES)

/* Of a difference: more, less, neither. The shade is how much. */
#define PALETTE_DIFF_ROWS 3
enum palette_change { CHANGE_NONE, CHANGE_MORE, CHANGE_LESS };

/* The class of a frame; its CSS class is "c" and this number. */
unsigned palette_class(enum palette p, const struct stackset *ss, uint32_t frame);
unsigned palette_change_class(enum palette_change c,
			      double points); /* points: of 100, how much of all it is */

/* Rules for the classes that are used: fill on a light and on a dark background. */
void palette_css(struct buf *out, const bool *used);

/* CSS class of the legend for a kind. */
unsigned palette_kind_class(enum frame_kind k);

#endif
