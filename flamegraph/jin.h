/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_FLAMEGRAPH_JIN_H
#define SIXTY_FLAMEGRAPH_JIN_H

#include "base/buf.h"
#include "base/text.h"

/* JSON as slices of the text it stands in: nothing is built, a value is looked at when it is asked for. What nobody asks for
 * is checked as far as it takes to find its end.
 *
 * A value is the text from its first to its last sign. */

/* The one value of a document. */
bool jin_document(struct text t, struct text *v);

bool jin_is_object(struct text v);
bool jin_is_array(struct text v);
bool jin_is_null(struct text v);

/* A cursor over the elements of an array, or the members of an object; empty for other values. jin_next cuts the next one off
 * and is false at the end, or where it is no JSON any more (then *broken is set; it may be NULL). key: of a member, as it
 * stands, with quotes; NULL in an array. */
struct text jin_inside(struct text v);
bool jin_next(struct text *cursor, struct text *key, struct text *v, bool *broken);

/* The first member with this key, which needs no escapes. */
bool jin_member(struct text object, const char *key, struct text *v);

/* Replace what out holds with a string's bytes: UTF-8, U+FFFD for half of a surrogate pair. False if it is no string. */
bool jin_string(struct text v, struct buf *out);
bool jin_number(struct text v, double *n);
bool jin_u64(struct text v, uint64_t *n);

#endif
