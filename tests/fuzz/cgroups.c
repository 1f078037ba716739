/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz the files of control groups. The first byte chooses the file, the rest is its text and part of the group's name. */
#include "tests/fuzz/fuzz.h"

#include "collectors/cgroup_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct root nowhere = { .fd = -1 };
	const struct cgroup_file *f = &cgroup_files[fuzz_choice(&data, &size) % cgroup_nfiles];
	struct text in = fuzz_copy(data, size);
	static struct cgroup_devices devices;
	struct cgroup_mount m = { .v2 = !*f->controller };
	struct cgroup_row row = { .root = &nowhere, .devices = &devices };
	struct snapshot s;
	char path[300];
	uint64_t v;

	metrics_init();
	memset(&devices, 0, sizeof(devices));
	snapshot_init(&s, &fuzz_host);
	snapshot_begin(&s, SCOPE_CGROUP, 1);
	cgroup_row_open(&row, &s, &m, text_copy(path, sizeof(path), in));
	cgroup_file_parse(f, in, &row);
	cgroup_file_limits(f, in);
	cgroup_number(in, &v);
	snapshot_done(&s);
	free((char *)in.p);
	return 0;
}
