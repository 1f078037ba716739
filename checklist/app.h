/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CHECKLIST_APP_H
#define SIXTY_CHECKLIST_APP_H

#include "checklist/parties.h"
#include "checklist/rule.h"

/* What the rules of applications share. */

/* Who waits for a process, as its sockets tell: connection-seconds per second. */
struct demand {
	double queued;   /* connections waiting to be accepted */
	double unread;   /* connections with data that it does not read */
	double awaiting; /* local clients that have asked and got no answer */
	bool server;     /* it listens */
	int port;        /* 0: none */
	int64_t client;  /* a local process that waits; 0: none known */
	char client_name[16];
};

void demand_add(const struct view *v, int64_t pid, struct demand *d);
double demand_total(const struct demand *d);

/* Did the process do anything in the window? */
bool process_ran(const struct view *v, struct row_id id);

void check_emfile(const struct rule *r, const struct view *v, struct findings *fs);
void check_fd_near_limit(const struct rule *r, const struct view *v, struct findings *fs);
void check_close_wait(const struct rule *r, const struct view *v, struct findings *fs);
void check_pids_limit(const struct rule *r, const struct view *v, struct findings *fs);
void check_inotify(const struct rule *r, const struct view *v, struct findings *fs);
void check_zombies(const struct rule *r, const struct view *v, struct findings *fs);
void check_crash_loop(const struct rule *r, const struct view *v, struct findings *fs);
void check_stopped(const struct rule *r, const struct view *v, struct findings *fs);
void check_frozen(const struct rule *r, const struct view *v, struct findings *fs);
void check_log_spam(const struct rule *r, const struct view *v, struct findings *fs);
void check_server_lock(const struct rule *r, const struct view *v, struct findings *fs);

#endif
