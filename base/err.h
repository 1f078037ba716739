/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_BASE_ERR_H
#define SIXTY_BASE_ERR_H

#define ERR_MAX 320

/* An error: a negative errno for the program, a sentence for the person.
 *
 * Lives on the caller's stack; every function takes NULL for "I do not want the sentence".
 * The sentence names the thing, the reason and, if there is one, the way out. */
struct err {
	int code; /* 0 or a negative errno */
	char msg[ERR_MAX];
};

/* Set the sentence. Returns code, so that `return err_set(e, -EINVAL, …)` reads well. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same, with ": " and the text of errno -code behind it. */
int err_errno(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Put "what: " in front of the sentence that is already there. Returns code. */
int err_wrap(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
