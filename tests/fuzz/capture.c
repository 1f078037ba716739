/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz what a capture is made of: the meta file, and tables. A table that was accepted is written and read again, and
 * says the same then. The first byte chooses: 0 meta, then the scopes. */
#include "tests/fuzz/fuzz.h"

#include "engine/capture.h"
#include "model/interval.h"
#include "model/tsv.h"

static void meta(struct text in)
{
	struct capture c = { 0 };
	struct err e = { 0 };

	if (capture_parse_meta(&c, in, "DIR", &e)) {
		require(e.code < 0 && *e.msg);
	} else {
		require(c.nsteps >= 2 && c.nsteps <= CAPTURE_STEPS);
		require(c.host.cpus && c.host.page_size && c.host.ticks_per_second);
		for (size_t i = 1; i < c.nsteps; i++)
			require(c.steps[i].boot_ns > c.steps[i - 1].boot_ns);
	}
	capture_close(&c);
}

static void table(enum scope sc, struct text in)
{
	struct snapshot a, b;
	struct interval iv;
	struct buf once = { 0 }, twice = { 0 };
	struct err e = { 0 };

	snapshot_init(&a, &fuzz_host);
	snapshot_init(&b, &fuzz_host);
	interval_init(&iv, &fuzz_host);
	snapshot_begin(&a, sc, 1000000000);
	snapshot_begin(&b, sc, 2000000000);
	if (tsv_read(&a, sc, in, &e)) {
		require(e.code < 0 && *e.msg);
	} else {
		tsv_write(&once, &a, sc);
		require(!tsv_read(&b, sc, text_n(once.data, once.len), &e));
		tsv_write(&twice, &b, sc);
		require(once.len == twice.len && !memcmp(once.data, twice.data, once.len));
		interval_diff(&iv, &a, &b);
		require(!iv.resets);
	}
	buf_done(&once);
	buf_done(&twice);
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned choice = fuzz_choice(&data, &size) % (SCOPE_MAX + 1);
	struct text in = fuzz_copy(data, size);

	metrics_init();
	if (!choice)
		meta(in);
	else
		table(choice - 1, in);
	free((char *)in.p);
	return 0;
}
