/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_BASE_TEXT_H
#define SIXTY_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* A run of bytes that somebody else owns: both a slice and a cursor (p moves towards end).
 * Nothing here reads past end, nothing needs a NUL, every function accepts an empty text. */
struct text {
	const char *p, *end;
};

struct text text_of(const char *s); /* NUL-terminated */
struct text text_n(const char *s, size_t n);
static inline size_t text_len(struct text t)
{
	return (size_t)(t.end - t.p);
}

/* Cut the next line / word / part up to `sep` off `t` into `out` (separator skipped, not included).
 * False when nothing is left: "a,b," has two parts. A word is a run without blanks and newlines;
 * both are skipped in front of it. */
bool text_line(struct text *t, struct text *out);
bool text_word(struct text *t, struct text *out);
bool text_until(struct text *t, char sep, struct text *out);
void text_skip_blanks(struct text *t);              /* ' ' and '\t' */
bool text_skip(struct text *t, const char *prefix); /* true and skipped if t starts with prefix */
struct text text_trim(struct text t);

bool text_eq(struct text t, const char *s);
bool text_starts(struct text t, const char *prefix);
bool text_has(struct text t, const char *needle);
/* Last position of c, or NULL. For comm in /proc/PID/stat, which may hold ')' and blanks. */
const char *text_last(struct text t, char c);

/* Numbers. Leading blanks are skipped; t moves behind the number; false (t unmoved) if there is
 * none or it does not fit. text_u64 refuses a sign; text_s64 takes '-'. text_fixed reads "12.34"
 * with `digits` decimals as an integer (12.34 with digits 2 = 1234; missing decimals are zeros,
 * more are cut). */
bool text_u64(struct text *t, uint64_t *v);
bool text_s64(struct text *t, int64_t *v);
bool text_hex(struct text *t, uint64_t *v); /* with or without 0x */
bool text_fixed(struct text *t, unsigned digits, uint64_t *v);
/* The whole of t (trimmed) is one number. */
bool text_is_u64(struct text t, uint64_t *v);

/* Copy into out[size], always NUL-terminated, cut at size - 1. Returns out. */
char *text_copy(char *out, size_t size, struct text t);

/* Append s made safe for a terminal: valid UTF-8 that is printable stays, everything else (control
 * bytes, broken UTF-8, bidirectional overrides U+202A-202E and U+2066-2069, line separators,
 * invisible characters) becomes \xNN. */
void text_printable(struct buf *out, const char *s, size_t n);
char *text_printable_into(char *out, size_t size, const char *s, size_t n);

/* Decode one UTF-8 character into cp. Bytes taken; 0 if s is empty or starts with a broken one. */
size_t text_utf8(const char *s, size_t n, uint32_t *cp);

/* Columns that a printable UTF-8 string takes on a terminal (East Asian wide = 2, combining =
 * 0). */
size_t text_width(const char *s, size_t n);

/* CPU lists as in sysfs: "0-3,8,10-11", and nothing at all. Sets bits in mask[words] and clears
 * none; false on nonsense or beyond the mask. */
bool text_cpulist(struct text t, uint64_t *mask, size_t words);

#endif
