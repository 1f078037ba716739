/* SPDX-License-Identifier: Apache-2.0 */
/* How things look. Numbers of colours are those of the 256-colour palette; the second pair is for terminals with 8. */
#include <string.h>

#include "tui/paint.h"

#define OWN COLOR_OWN

/* What is the same in all themes with colours, and does not depend on the background: a line that brings its own along. */
#define COMMON                                                             \
	[PAINT_PLAIN] = { OWN, OWN, OWN, OWN, 0 },                         \
	[PAINT_STRONG] = { OWN, OWN, OWN, OWN, LOOK_BOLD },                \
	[PAINT_HEAD] = { OWN, OWN, OWN, OWN, LOOK_UNDERLINE },             \
	[PAINT_SORT] = { OWN, OWN, OWN, OWN, LOOK_UNDERLINE | LOOK_BOLD }, \
	[PAINT_KEY] = { OWN, OWN, OWN, OWN, LOOK_BOLD },                   \
	[PAINT_KEY_TEXT] = { OWN, OWN, OWN, OWN, 0 },                      \
	[PAINT_KEY_ON] = { OWN, OWN, OWN, OWN, LOOK_REVERSE | LOOK_BOLD }

/* clang-format off */
const struct theme themes[] = {
	{ "default", "colours that read on dark and on light backgrounds", true, {
		COMMON,
		[PAINT_DIM]      = { 245, OWN, OWN, OWN, 0 },
		[PAINT_TITLE]    = { 255,  24,   7,   4, LOOK_BOLD },
		[PAINT_GOOD]     = {  34, OWN,   2, OWN, 0 },
		[PAINT_WARN]     = { 172, OWN,   3, OWN, LOOK_BOLD },
		[PAINT_CRIT]     = { 255, 160,   7,   1, LOOK_BOLD },
		[PAINT_INFO]     = {  33, OWN,   6, OWN, 0 },
		[PAINT_SELECT]   = { 255,  25,   7,   4, 0 },
		[PAINT_TAG]      = { 172, OWN,   3, OWN, LOOK_BOLD },
		[PAINT_USER]     = {  34, OWN,   2, OWN, 0 },
		[PAINT_SYSTEM]   = { 160, OWN,   1, OWN, 0 },
		[PAINT_STOLEN]   = { 133, OWN,   5, OWN, 0 },
		[PAINT_RUNNABLE] = { 172, OWN,   3, OWN, 0 },
		[PAINT_DISK]     = {  33, OWN,   4, OWN, 0 },
		[PAINT_MEMORY]   = {  37, OWN,   6, OWN, 0 },
		[PAINT_LOCK]     = { 133, OWN,   5, OWN, 0 },
		[PAINT_STOPPED]  = { 245, OWN, OWN, OWN, 0 },
		[PAINT_IDLE]     = { 245, OWN, OWN, OWN, 0 },
		[PAINT_NET]      = {  37, OWN,   6, OWN, 0 },
		[PAINT_HEAT0]    = {  17, OWN,   4, OWN, 0 }, [PAINT_HEAT1] = {  24, OWN, 4, OWN, 0 },
		[PAINT_HEAT2]    = {  31, OWN,   6, OWN, 0 }, [PAINT_HEAT3] = {  37, OWN, 6, OWN, 0 },
		[PAINT_HEAT4]    = { 142, OWN,   3, OWN, 0 }, [PAINT_HEAT5] = { 172, OWN, 3, OWN, 0 },
		[PAINT_HEAT6]    = { 166, OWN,   1, OWN, 0 }, [PAINT_HEAT7] = { 160, OWN, 1, OWN, LOOK_BOLD },
	} },
	/* blue against orange: told apart by all common kinds of colour blindness; the ramp is one of lightness as well */
	{ "safe", "for the colour-blind: blue against orange", true, {
		COMMON,
		[PAINT_DIM]      = { 245, OWN, OWN, OWN, 0 },
		[PAINT_TITLE]    = { 255,  24,   7,   4, LOOK_BOLD },
		[PAINT_GOOD]     = {  33, OWN,   4, OWN, 0 },
		[PAINT_WARN]     = { 208, OWN,   3, OWN, LOOK_BOLD },
		[PAINT_CRIT]     = {  16, 208,   0,   3, LOOK_BOLD },
		[PAINT_INFO]     = {  33, OWN,   4, OWN, 0 },
		[PAINT_SELECT]   = { 255,  25,   7,   4, 0 },
		[PAINT_TAG]      = { 208, OWN,   3, OWN, LOOK_BOLD },
		[PAINT_USER]     = {  33, OWN,   4, OWN, 0 },
		[PAINT_SYSTEM]   = { 208, OWN,   3, OWN, 0 },
		[PAINT_STOLEN]   = { 220, OWN,   3, OWN, LOOK_BOLD },
		[PAINT_RUNNABLE] = { 220, OWN,   3, OWN, 0 },
		[PAINT_DISK]     = {  75, OWN,   6, OWN, 0 },
		[PAINT_MEMORY]   = { 110, OWN,   6, OWN, 0 },
		[PAINT_LOCK]     = { 180, OWN,   7, OWN, 0 },
		[PAINT_STOPPED]  = { 245, OWN, OWN, OWN, 0 },
		[PAINT_IDLE]     = { 245, OWN, OWN, OWN, 0 },
		[PAINT_NET]      = { 110, OWN,   6, OWN, 0 },
		[PAINT_HEAT0]    = {  18, OWN,   4, OWN, 0 }, [PAINT_HEAT1] = {  25, OWN, 4, OWN, 0 },
		[PAINT_HEAT2]    = {  32, OWN,   6, OWN, 0 }, [PAINT_HEAT3] = {  74, OWN, 6, OWN, 0 },
		[PAINT_HEAT4]    = { 144, OWN,   7, OWN, 0 }, [PAINT_HEAT5] = { 179, OWN, 3, OWN, 0 },
		[PAINT_HEAT6]    = { 208, OWN,   3, OWN, 0 }, [PAINT_HEAT7] = { 220, OWN, 3, OWN, LOOK_BOLD },
	} },
	{ "mono", "no colours: bold, underlined, reversed", false, {
		COMMON,
		[PAINT_DIM]      = { OWN, OWN, OWN, OWN, 0 },
		[PAINT_TITLE]    = { OWN, OWN, OWN, OWN, LOOK_REVERSE },
		[PAINT_GOOD]     = { OWN, OWN, OWN, OWN, 0 },
		[PAINT_WARN]     = { OWN, OWN, OWN, OWN, LOOK_BOLD },
		[PAINT_CRIT]     = { OWN, OWN, OWN, OWN, LOOK_REVERSE | LOOK_BOLD },
		[PAINT_INFO]     = { OWN, OWN, OWN, OWN, 0 },
		[PAINT_SELECT]   = { OWN, OWN, OWN, OWN, LOOK_REVERSE },
		[PAINT_TAG]      = { OWN, OWN, OWN, OWN, LOOK_BOLD },
		[PAINT_USER]     = { OWN, OWN, OWN, OWN, 0 },
		[PAINT_SYSTEM]   = { OWN, OWN, OWN, OWN, LOOK_BOLD },
		[PAINT_STOLEN]   = { OWN, OWN, OWN, OWN, LOOK_BOLD },
		[PAINT_RUNNABLE] = { OWN, OWN, OWN, OWN, LOOK_BOLD },
		[PAINT_DISK]     = { OWN, OWN, OWN, OWN, 0 },
		[PAINT_MEMORY]   = { OWN, OWN, OWN, OWN, 0 },
		[PAINT_LOCK]     = { OWN, OWN, OWN, OWN, 0 },
		[PAINT_STOPPED]  = { OWN, OWN, OWN, OWN, 0 },
		[PAINT_IDLE]     = { OWN, OWN, OWN, OWN, 0 },
		[PAINT_NET]      = { OWN, OWN, OWN, OWN, 0 },
		[PAINT_HEAT0]    = { OWN, OWN, OWN, OWN, 0 }, [PAINT_HEAT1] = { OWN, OWN, OWN, OWN, 0 },
		[PAINT_HEAT2]    = { OWN, OWN, OWN, OWN, 0 }, [PAINT_HEAT3] = { OWN, OWN, OWN, OWN, 0 },
		[PAINT_HEAT4]    = { OWN, OWN, OWN, OWN, 0 }, [PAINT_HEAT5] = { OWN, OWN, OWN, OWN, LOOK_BOLD },
		[PAINT_HEAT6]    = { OWN, OWN, OWN, OWN, LOOK_BOLD }, [PAINT_HEAT7] = { OWN, OWN, OWN, OWN, LOOK_BOLD },
	} },
	{ .name = NULL }
};
/* clang-format on */

const struct theme *theme_by_name(const char *name)
{
	for (const struct theme *t = themes; t->name; t++)
		if (!strcmp(t->name, name))
			return t;
	return NULL;
}
