/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_BASE_JSON_H
#define SIXTY_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* A JSON writer: commas and nesting are its business, values are yours. Output is one line,
 * valid UTF-8: broken bytes become U+FFFD, control characters \u00XX. NaN and infinity are null.
 * In an object `key` is the member's name; in an array it is NULL. */
struct json {
	struct buf *out;
	size_t start; /* of this document in out */
};

void json_begin(struct json *j, struct buf *out);
void json_object(struct json *j, const char *key);
void json_end_object(struct json *j);
void json_array(struct json *j, const char *key);
void json_end_array(struct json *j);
void json_string(struct json *j, const char *key, const char *s); /* NULL is null */
void json_string_n(struct json *j, const char *key, const char *s, size_t n);
/* Whole numbers up to 2^53 in full, others in the shortest form that reads back as v, with at most
 * 9 significant digits. */
void json_number(struct json *j, const char *key, double v);
void json_u64(struct json *j, const char *key, uint64_t v);
void json_s64(struct json *j, const char *key, int64_t v);
void json_bool(struct json *j, const char *key, bool v);
void json_null(struct json *j, const char *key);

#endif
