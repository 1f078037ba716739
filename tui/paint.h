/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TUI_PAINT_H
#define SIXTY_TUI_PAINT_H

#include <stdbool.h>
#include <stdint.h>

/* What a cell means; the theme says how that looks. A meaning is never carried by colour alone. */
enum paint {
	PAINT_PLAIN,
	PAINT_DIM,
	PAINT_STRONG,
	PAINT_TITLE, /* the line at the top */
	PAINT_HEAD,  /* titles of columns */
	PAINT_SORT,  /* the one that sorts */
	PAINT_GOOD,
	PAINT_WARN,
	PAINT_CRIT,
	PAINT_INFO,
	PAINT_SELECT, /* the row of the cursor */
	PAINT_TAG,
	PAINT_KEY, /* the line at the bottom: a key, what it does, the screen that is shown */
	PAINT_KEY_TEXT,
	PAINT_KEY_ON,
	PAINT_USER, /* time by what it was spent with */
	PAINT_SYSTEM,
	PAINT_STOLEN,
	PAINT_RUNNABLE,
	PAINT_DISK,
	PAINT_MEMORY,
	PAINT_LOCK,
	PAINT_STOPPED,
	PAINT_IDLE,
	PAINT_NET,
	PAINT_HEAT0, /* little … much */
	PAINT_HEAT1,
	PAINT_HEAT2,
	PAINT_HEAT3,
	PAINT_HEAT4,
	PAINT_HEAT5,
	PAINT_HEAT6,
	PAINT_HEAT7,
	PAINT_MAX
};

#define PAINT_HEATS 8

/* Colours by their number in the 256-colour palette; with 8 colours the nearest of those. */
enum { COLOR_OWN = -1 }; /* the terminal's */
enum look_attr { LOOK_BOLD = 1, LOOK_DIM = 2, LOOK_REVERSE = 4, LOOK_UNDERLINE = 8 };

struct look {
	int16_t fore, back;    /* of 256 */
	int8_t fore_8, back_8; /* of 8 */
	uint8_t attr;
};

struct theme {
	const char *name, *what;
	bool colors;
	struct look looks[PAINT_MAX];
};

extern const struct theme themes[]; /* ended by name == NULL; the first is the default */
const struct theme *theme_by_name(const char *name); /* NULL: there is none */

#endif
