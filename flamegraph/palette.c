/* SPDX-License-Identifier: Apache-2.0 */
/* Colours. Text on them is nearly black on light ones and nearly white on dark ones: every pair has a contrast of 4.5 or more,
 * which a test computes. */
#include "flamegraph/palette.h"

#include <stdint.h>
#include <string.h>

const char *const palette_names[] = { "kind", "module", "grey", NULL };

struct shades {
	uint32_t light_from, light_to; /* 0xrrggbb */
	uint32_t dark_from, dark_to;
};

/* clang-format off */
static const struct shades rows[FRAME_KINDS + PALETTE_DIFF_ROWS] = {
	[FRAME_USER]        = { 0xfcdca0, 0xf0ad4a, 0x7a5110, 0x94641a }, /* orange */
	[FRAME_KERNEL]      = { 0xbfe0f6, 0x7fbfe8, 0x1c4f74, 0x276490 }, /* sky blue */
	[FRAME_INLINED]     = { 0xfaf3b8, 0xeee06c, 0x5c540f, 0x6e6516 }, /* yellow */
	[FRAME_JIT]         = { 0xa9e2cd, 0x5fc4a2, 0x12513f, 0x1a6852 }, /* bluish green */
	[FRAME_INTERPRETED] = { 0xf1cfe2, 0xdda2c6, 0x6c3357, 0x84436b }, /* reddish purple */
	[FRAME_BLOCKED]     = { 0xa7b8d8, 0x8096c2, 0x313f63, 0x3f5079 }, /* slate */
	[FRAME_WAKER]       = { 0xf3b296, 0xe68c63, 0x7c3719, 0x934423 }, /* vermilion */
	[FRAME_LOST]        = { 0xdedede, 0xc4c4c4, 0x444444, 0x555555 },
	[FRAME_KINDS + CHANGE_NONE] = { 0xeeeeee, 0xdddddd, 0x3c3c3c, 0x4a4a4a },
	[FRAME_KINDS + CHANGE_MORE] = { 0xfce0cf, 0xe8855a, 0x5a3322, 0x96401a }, /* vermilion */
	[FRAME_KINDS + CHANGE_LESS] = { 0xd3e6f5, 0x67a9d8, 0x24384a, 0x1f5f92 }, /* blue */
};
/* clang-format on */

/* FNV-1a: stable for ever, since people compare pictures of last year. */
static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h ^ h >> 15;
}

unsigned palette_class(enum palette p, const struct stackset *ss, uint32_t frame)
{
	const struct stack_frame *f = &ss->frame[frame];
	unsigned row = f->kind, shade = hash(stackset_text(ss, f->name)) % PALETTE_SHADES;

	if (p == PALETTE_GREY)
		row = FRAME_LOST;
	else if (p == PALETTE_MODULE)
		row = f->module ? hash(stackset_text(ss, f->module)) % FRAME_LOST : FRAME_LOST;
	return row * PALETTE_SHADES + shade;
}

unsigned palette_change_class(enum palette_change c, double points)
{
	/* in points of a hundred: where the next darker shade begins */
	static const double steps[PALETTE_SHADES - 1] = { 0.1, 0.3, 1, 2, 4, 8, 16 };
	unsigned shade = 0;

	while (shade < PALETTE_SHADES - 1 && points >= steps[shade])
		shade++;
	return (FRAME_KINDS + c) * PALETTE_SHADES + (c == CHANGE_NONE ? 0 : shade);
}

unsigned palette_kind_class(enum frame_kind k)
{
	return k * PALETTE_SHADES + PALETTE_SHADES / 2;
}

static uint32_t between(uint32_t from, uint32_t to, unsigned shade)
{
	uint32_t out = 0;

	for (unsigned shift = 0; shift < 24; shift += 8) {
		int a = from >> shift & 0xff, b = to >> shift & 0xff;

		out |= (uint32_t)(a + (b - a) * (int)shade / (PALETTE_SHADES - 1)) << shift;
	}
	return out;
}

static void put_rules(struct buf *out, const bool *used, bool dark)
{
	for (unsigned c = 0; c < PALETTE_CLASSES; c++) {
		const struct shades *s = &rows[c / PALETTE_SHADES];

		if (used[c])
			buf_printf(out, ".c%u{fill:#%06x}", c,
				   between(dark ? s->dark_from : s->light_from,
					   dark ? s->dark_to : s->light_to, c % PALETTE_SHADES));
	}
}

void palette_css(struct buf *out, const bool *used)
{
	put_rules(out, used, false);
	buf_str(out, "\n@media screen and (prefers-color-scheme:dark){");
	put_rules(out, used, true);
	buf_str(out, "}\n");
}
