/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_COMMAND_H
#define SIXTY_ENGINE_COMMAND_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* A command that begins only when somebody is ready to watch it. */
struct started {
	pid_t pid; /* 0: none */
	int go;    /* the command waits for this pipe to close */
	int why;   /* and says through this one why it could not begin */
	bool ended;
	int status;         /* as wait() has it, once it has ended */
	double cpu_seconds; /* that it and its children took */
};

/* Fork, with the signal mask that the command shall have. 0 or -errno. */
int command_hold(struct started *c, char *const *argv, const sigset_t *mask, struct err *e);
/* Let it begin. 0, or -errno with the sentence why it could not. */
int command_begin(struct started *c, const char *name, struct err *e);
/* Has it ended? Does not wait. */
bool command_ended(struct started *c);
/* A command that never began is told to go; one that runs is left alone. Accepts a zeroed one. */
void command_done(struct started *c);

#endif
