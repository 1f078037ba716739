/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: what we ask for ourselves is always there, what the outside asks for may be refused.
 *
 * A failed allocation of our own making is not something a diagnosis can continue after, so it
 * ends in abort(), after a hook that may restore a terminal and say why. */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void (*abort_hook)(void);

static void mem_fail(void) __attribute__((noreturn));

static void mem_fail(void)
{
	void (*hook)(void) = abort_hook;

	abort_hook = NULL; /* a hook that allocates must not come back here for ever */
	if (hook)
		hook();
	abort();
}

/* n * size, never 0: malloc(0) may be NULL, which is not a failure. */
static size_t mem_product(size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total) || total > PTRDIFF_MAX)
		mem_fail();
	return total ? total : 1;
}

void *mem_alloc(size_t size)
{
	return mem_array(1, size);
}

void *mem_array(size_t n, size_t size)
{
	void *p = calloc(1, mem_product(n, size));

	if (!p)
		mem_fail();
	return p;
}

void *mem_resize(void *p, size_t n, size_t size)
{
	void *q = realloc(p, mem_product(n, size));

	if (!q)
		mem_fail();
	return q;
}

char *mem_dup(const char *s)
{
	return mem_dup_n(s, strlen(s));
}

char *mem_dup_n(const char *s, size_t n)
{
	char *d;

	if (n == SIZE_MAX)
		mem_fail();
	d = mem_alloc(n + 1);
	if (n)
		memcpy(d, s, n);
	return d;
}

void mem_free(void *p)
{
	free(p);
}

void *mem_try(size_t size, size_t cap)
{
	if (!size || size > cap || size > PTRDIFF_MAX)
		return NULL;
	return calloc(1, size);
}

void *mem_try_resize(void *p, size_t n, size_t size, size_t cap)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total) || !total || total > cap || total > PTRDIFF_MAX)
		return NULL;
	return realloc(p, total);
}

void *mem_grow(void *p, size_t *cap, size_t need, size_t size)
{
	size_t old = *cap, now = old ? old : 8;

	if (need <= old)
		return p;
	while (now < need)
		now = now > SIZE_MAX / 2 ? need : now * 2;
	p = mem_resize(p, now, size);
	memset((char *)p + old * size, 0, (now - old) * size);
	*cap = now;
	return p;
}

void mem_on_abort(void (*hook)(void))
{
	abort_hook = hook;
}
