/* SPDX-License-Identifier: Apache-2.0 */
/* Files of /proc/net/stat. See hexstat.h. */
#include "collectors/hexstat.h"

static bool column_of(struct text *in, const char *name, unsigned *column)
{
	struct text line, word;

	if (!text_line(in, &line))
		return false;
	for (*column = 0; *column < HEXSTAT_COLUMNS && text_word(&line, &word); ++*column)
		if (text_eq(word, name))
			return true;
	return false;
}

static bool number_at(struct text line, unsigned column, uint64_t *v)
{
	struct text word = { 0 };

	for (unsigned i = 0; i <= column; i++)
		if (!text_word(&line, &word))
			return false;
	return text_hex(&word, v);
}

bool hexstat_sum(struct text in, const char *name, uint64_t *sum)
{
	struct text line;
	unsigned column;
	bool any = false;
	uint64_t v;

	*sum = 0;
	if (!column_of(&in, name, &column))
		return false;
	while (text_line(&in, &line))
		if (number_at(line, column, &v)) {
			*sum += v;
			any = true;
		}
	return any;
}

bool hexstat_first(struct text in, const char *name, uint64_t *value)
{
	struct text line;
	unsigned column;

	return column_of(&in, name, &column) && text_line(&in, &line) &&
	       number_at(line, column, value);
}
