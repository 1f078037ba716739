/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz the text cursor: whatever the bytes are, every slice stays inside them, the cursor only
 * moves forward, and what is made safe for a terminal is printable UTF-8. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

static void require_inside(struct text part, struct text whole)
{
	require(part.p >= whole.p && part.end <= whole.end && part.p <= part.end);
}

static void numbers(struct text whole)
{
	struct text t = whole;
	uint64_t u, again;
	int64_t s;

	if (text_u64(&t, &u)) {
		require(t.p > whole.p);
		require_inside(t, whole);
	} else {
		require(t.p == whole.p);
	}
	t = whole;
	if (!text_s64(&t, &s))
		require(t.p == whole.p);
	t = whole;
	if (!text_hex(&t, &u))
		require(t.p == whole.p);
	for (unsigned digits = 0; digits < 21; digits++) {
		t = whole;
		if (!text_fixed(&t, digits, &u))
			require(t.p == whole.p);
	}
	if (text_is_u64(whole, &u)) {
		t = text_trim(whole);
		require(text_fixed(&t, 0, &again) && again == u);
	}
}

static void slices(struct text whole)
{
	struct text t = whole, line, word;
	size_t seen = 0;

	while (text_line(&t, &line)) {
		require_inside(line, whole);
		seen += text_len(line);
		numbers(line);
		while (text_word(&line, &word)) {
			require_inside(word, whole);
			require(text_len(word) > 0);
		}
		require_inside(text_trim(line), whole);
	}
	require(t.p == t.end && seen <= text_len(whole));
	t = whole;
	while (text_until(&t, ',', &word))
		require(!text_last(word, ','));
}

static void cpulist(struct text whole)
{
	uint64_t mask[3] = { 0 };

	text_cpulist(whole, mask, 2);
	require(!mask[2]);
}

/* Safe text is already safe: making it safe again changes nothing. */
static void safety(struct text whole)
{
	struct buf once = { 0 }, twice = { 0 };
	char cut[24];

	text_printable(&once, whole.p, text_len(whole));
	for (size_t i = 0; i < once.len; i++)
		require((unsigned char)once.data[i] >= 0x20 && once.data[i] != 0x7f);
	text_printable(&twice, once.data, once.len);
	require(once.len == twice.len && !memcmp(once.data, twice.data, once.len));
	require(text_width(once.data, once.len) <= once.len);
	text_printable_into(cut, sizeof(cut), whole.p, text_len(whole));
	require(strlen(cut) < sizeof(cut) && !memcmp(cut, once.data, strlen(cut)));
	buf_done(&once);
	buf_done(&twice);
}

static void json(struct text whole)
{
	struct buf out = { 0 };
	struct json j;
	uint32_t cp;

	json_begin(&j, &out);
	json_string_n(&j, NULL, whole.p, text_len(whole));
	for (size_t at = 0; at < out.len;) {
		size_t took = text_utf8(out.data + at, out.len - at, &cp);

		require(took && cp >= 0x20);
		at += took;
	}
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy without a NUL behind it, so that the sanitizer sees a read past the end. */
	char *copy = size ? malloc(size) : NULL;
	struct text whole = text_n(copy, size);

	if (size) {
		memcpy(copy, data, size);
		whole = text_n(copy, size);
	}
	slices(whole);
	numbers(whole);
	cpulist(whole);
	safety(whole);
	json(whole);
	free(copy);
	return 0;
}
