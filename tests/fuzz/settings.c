/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz the settings of the dashboard: what is accepted is within its limits, and reads back as it was written. */
#include "tests/fuzz/fuzz.h"

#include "base/buf.h"
#include "tui/paint.h"
#include "tui/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text in = fuzz_copy(data, size);
	struct settings s, again;
	struct buf once = { 0 }, twice = { 0 };
	struct err e = { 0 };
	int err = settings_parse(&s, in, &e);

	require(s.seconds >= SETTINGS_SECONDS_LEAST && s.seconds <= SETTINGS_SECONDS_MOST);
	require(theme_by_name(s.theme) != NULL);
	if (!err) {
		settings_format(&s, &once);
		require(!settings_parse(&again, text_n(once.data, once.len), &e));
		settings_format(&again, &twice);
		require(once.len == twice.len && !memcmp(once.data, twice.data, once.len));
		settings_done(&again);
	}
	settings_done(&s);
	buf_done(&once);
	buf_done(&twice);
	free((char *)in.p);
	return 0;
}
