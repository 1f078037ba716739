/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TUI_DEEDS_H
#define SIXTY_TUI_DEEDS_H

#include "tui/ui.h"

/* What can be done to processes: a question at the bottom, the answer, and a second question before it is done. */

/* What is asked now, in `out`; NULL: the prompt is about something else. */
const char *deed_question(const struct ui *ui, char *out, size_t size);
/* Take ui->line as the answer. False: the prompt is about something else. When it makes no sense that is said, and nothing
 * is asked any more. */
bool deed_answer(struct ui *ui);
/* What to want when the second question is answered by y. */
enum ui_want deed_want(enum prompt p);

#endif
