/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TUI_SCREENS_H
#define SIXTY_TUI_SCREENS_H

#include "tui/ui.h"

/* One file each; tui/screens.c lists them. */
void overview_draw(struct ui *ui, struct canvas *c, struct area a);
void procs_draw(struct ui *ui, struct canvas *c, struct area a);
bool procs_key(struct ui *ui, const struct key *k, enum ui_want *want);
void findings_draw(struct ui *ui, struct canvas *c, struct area a);
void cost_draw(struct ui *ui, struct canvas *c, struct area a);
void cpus_draw(struct ui *ui, struct canvas *c, struct area a);
void disks_draw(struct ui *ui, struct canvas *c, struct area a);
bool disks_key(struct ui *ui, const struct key *k, enum ui_want *want);
void network_draw(struct ui *ui, struct canvas *c, struct area a);
bool network_key(struct ui *ui, const struct key *k, enum ui_want *want);
void memory_draw(struct ui *ui, struct canvas *c, struct area a);
void cgroups_draw(struct ui *ui, struct canvas *c, struct area a);
bool cgroups_key(struct ui *ui, const struct key *k, enum ui_want *want);
void latency_draw(struct ui *ui, struct canvas *c, struct area a);
bool latency_key(struct ui *ui, const struct key *k, enum ui_want *want);
void locks_draw(struct ui *ui, struct canvas *c, struct area a);
void events_draw(struct ui *ui, struct canvas *c, struct area a);
/* Text that is longer than the screen: up and down. */
bool scroll_key(struct ui *ui, const struct key *k, enum ui_want *want);

#endif
