/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_LOOP_H
#define SIXTY_ENGINE_LOOP_H

#include <signal.h>
#include <stdint.h>

#include "base/err.h"

/* What every loop waits for: a timer, and the signals that end it, read from a descriptor instead of handled. */
struct loop {
	int signals, timer;    /* to be polled; -1: not open */
	sigset_t before, ours; /* signals that were blocked before; that end the loop */
};

#define LOOP_CLOSED ((struct loop){ .signals = -1, .timer = -1 })

/* 0 or -errno. SIGINT, SIGTERM and SIGHUP are blocked until loop_close(). */
int loop_open(struct loop *l, struct err *e);
int loop_start(struct loop *l, uint64_t tick_ns, struct err *e); /* the timer: 0 or -errno */
void loop_close(struct loop *l);                                 /* accepts a closed one */

/* -EINTR for SIGINT, -ECANCELED for SIGTERM and SIGHUP, 0 when none is pending. */
int loop_signal(int signals);

/* Sleep until a time of CLOCK_MONOTONIC. 0: it has come; -EPIPE: the reader of what is written has gone; else as
 * loop_signal(), or -errno. */
int loop_sleep(const struct loop *l, uint64_t until_ns);

#endif
