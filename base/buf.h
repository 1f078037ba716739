/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_BASE_BUF_H
#define SIXTY_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* A growing run of bytes. data[len] is always NUL once anything was written. Zero-initialised is
 * empty. */
struct buf {
	char *data;
	size_t len, cap;
};

void buf_done(struct buf *b);
void buf_clear(struct buf *b); /* keeps the memory */
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_fill(struct buf *b, char c, size_t n);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Write everything to fd, through short writes and EINTR. 0 or -errno (-EPIPE included, SIGPIPE
 * is the caller's). */
int buf_write(const struct buf *b, int fd);

#endif
