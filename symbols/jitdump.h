/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_SYMBOLS_JITDUMP_H
#define SIXTY_SYMBOLS_JITDUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "symbols/perfmap.h"

/* Code that a process made while it ran, from jit-PID.dump: what makers of code write who have more to say than /tmp/perf-PID.map
 * holds. They map the file as code, which is how it is found. Any bytes may stand there. */

/* Is that what such a file is called? */
bool jitdump_is(const char *name);

/* The same as perfmap_parse(), from an open file. names: where out's texts lie; buf_done() it after mem_free(out->list). 0, or -EINVAL
 * for a file that is none, or of another machine; what is cut off or beyond bounds is left out. */
int jitdump_read(int fd, struct perfmap *out, struct buf *names);

#endif
