/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TUI_KEY_H
#define SIXTY_TUI_KEY_H

#include <stdint.h>

/* What a person does: a character, a key that has a name, or the mouse. */
enum press {
	PRESS_NONE,
	PRESS_CHAR,
	PRESS_UP,
	PRESS_DOWN,
	PRESS_LEFT,
	PRESS_RIGHT,
	PRESS_PAGE_UP,
	PRESS_PAGE_DOWN,
	PRESS_HOME,
	PRESS_END,
	PRESS_ENTER,
	PRESS_ESCAPE,
	PRESS_TAB,
	PRESS_BACK_TAB,
	PRESS_BACKSPACE,
	PRESS_DELETE,
	PRESS_FUNCTION, /* F1 … F12: ch is the number */
	PRESS_CLICK,
	PRESS_WHEEL_UP,
	PRESS_WHEEL_DOWN
};

struct key {
	enum press press;
	uint32_t ch;
	int x, y; /* of the mouse */
};

#define KEY_CTRL(c) ((uint32_t)(c)&0x1f)

#endif
