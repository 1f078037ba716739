/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel has logged, the newest first. */
#include <stdio.h>

#include "base/mem.h"
#include "tui/grid.h"
#include "tui/parts.h"
#include "tui/screens.h"

void events_draw(struct ui *ui, struct canvas *c, struct area a)
{
	struct list *l = &ui->lists[ui->screen];
	struct event_line *list;
	size_t n = events_latest(ui, &list, SIZE_MAX);
	char title[80];

	snprintf(title, sizeof(title), "%zu lines that tell of something", n);
	heading(c, (struct area){ a.x, a.y, a.columns, 1 }, "Kernel log", title);
	l->rows = n;
	l->page = a.rows - 1;
	if (l->at >= n)
		l->at = n ? n - 1 : 0;
	for (size_t i = l->at; i < n && (int)(i - l->at) < a.rows - 1; i++)
		draw_event(ui, c, (struct area){ a.x, a.y + 1 + (int)(i - l->at), a.columns, 1 },
			   &list[i]);
	if (!n && a.rows > 1)
		canvas_text(c, a.x + 1, a.y + 1, a.columns - 1, PAINT_DIM,
			    "Nothing that matters, or it may not be read: `sixty doctor` says.");
	mem_free(list);
}
