/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_BASE_MEM_H
#define SIXTY_BASE_MEM_H

#include <stddef.h>

/* Memory of our own making: these never return NULL, they abort after the hook has run.
 * Sizes that come from outside (a file, a map, an option) go through mem_try(). */
void *mem_alloc(size_t size);                     /* zeroed */
void *mem_array(size_t n, size_t size);           /* zeroed, overflow-checked */
void *mem_resize(void *p, size_t n, size_t size); /* not zeroed, overflow-checked */
char *mem_dup(const char *s);
char *mem_dup_n(const char *s, size_t n); /* NUL added */
void mem_free(void *p);

/* NULL if size is 0, above cap, or there is no memory. Zeroed. */
void *mem_try(size_t size, size_t cap);
/* The same for what is there already: n * size bytes, not zeroed. NULL: p is as it was, and still the caller's. */
void *mem_try_resize(void *p, size_t n, size_t size, size_t cap);

/* Make room for `need` elements: doubles *cap, keeps the contents, new part zeroed. Returns the
 * array. */
void *mem_grow(void *p, size_t *cap, size_t need, size_t size);

/* Run before the abort of a failed allocation (to restore a terminal). */
void mem_on_abort(void (*hook)(void));

#endif
