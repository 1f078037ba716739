/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_EXPORT_FIELDS_H
#define SIXTY_EXPORT_FIELDS_H

#include <stddef.h>

struct buf;
struct json;

/* Text that comes from outside (names, paths, arguments), as formats for programs have it: control characters are shown, not
 * sent (text_printable()). */

void json_printable(struct json *j, const char *key, const char *raw);
void json_printable_n(struct json *j, const char *key, const char *raw, size_t n);
/* "" is nothing known: null. */
void json_known(struct json *j, const char *key, const char *raw);

/* A spreadsheet takes a field that begins with = + - @ for a formula, and names come from anybody: such a name gets an
 * apostrophe in front. */
void csv_field(struct buf *out, const char *raw);            /* in quotes when it needs them */
void csv_quoted(struct buf *out, const char *raw, size_t n); /* always */

#endif
