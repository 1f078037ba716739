/* SPDX-License-Identifier: Apache-2.0 */
/* A head, then the two strings with their NULs; one step behind the other. The parent believes nothing: a hostile file may have
 * taken over the child. */
#include "symbols/image_lines.h"

#include <errno.h>
#include <string.h>

#include "base/child.h"
#include "base/clock.h"

#define NAME_MOST 160u
#define FILE_MOST 512u

struct head {
	uint32_t place, line;
	uint16_t name, file; /* bytes, with the NUL */
	uint32_t inlined;
};

static size_t length_of(const char *s, size_t most)
{
	size_t n = strnlen(s, most);

	return n < most ? n : most - 1;
}

static void put_string(struct buf *out, const char *s, size_t n)
{
	buf_add(out, s, n);
	buf_char(out, '\0');
}

static void put(void *ctx, const struct dwarf_step *s)
{
	struct buf *out = ctx;
	size_t name = length_of(s->name, NAME_MOST), file = length_of(s->file, FILE_MOST);
	struct head h = { .place = (uint32_t)s->place,
			  .line = s->line,
			  .name = (uint16_t)(name + 1),
			  .file = (uint16_t)(file + 1),
			  .inlined = s->inlined };

	if (out->len + sizeof(h) + NAME_MOST + FILE_MOST >= CHILD_ANSWER_CAP)
		return;
	buf_add(out, &h, sizeof(h));
	put_string(out, s->name, name);
	put_string(out, s->file, file);
}

int image_lines_answer(int fd, const uint64_t *places, size_t n, bool lines, unsigned budget_ms,
		       struct buf *out)
{
	struct dwarf_question q = { .fd = fd,
				    .places = places,
				    .n = n,
				    .lines = lines,
				    .until_ns = clock_ns(CLOCK_MONOTONIC) +
						(uint64_t)budget_ms * 1000000u };
	int err = dwarf_find(&q, put, out);

	return err == -ETIMEDOUT && out->len ? 0 : err; /* what there is is worth having */
}

static bool ends(const char *s, size_t n)
{
	return n && !s[n - 1] && strlen(s) == n - 1;
}

int image_lines_take(const struct buf *answer, size_t n, size_t from,
		     void (*each)(void *ctx, const struct dwarf_step *s), void *ctx)
{
	for (size_t at = 0; at < answer->len;) {
		const char *text = answer->data + at + sizeof(struct head);
		struct head h;

		if (answer->len - at < sizeof(h))
			return -EPROTO;
		memcpy(&h, answer->data + at, sizeof(h));
		at += sizeof(h) + h.name + h.file;
		if (at > answer->len || h.place >= n || h.name > NAME_MOST || h.file > FILE_MOST ||
		    !ends(text, h.name) || !ends(text + h.name, h.file))
			return -EPROTO;
		each(ctx, &(struct dwarf_step){ .place = from + h.place,
						.name = text,
						.file = text + h.name,
						.line = h.line,
						.inlined = h.inlined != 0 });
	}
	return 0;
}
