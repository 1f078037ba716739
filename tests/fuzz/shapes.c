/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz the readers of generic files: whatever the text is, cells are filled or stay absent. The first byte chooses the file. */
#include "tests/fuzz/fuzz.h"

#include "collectors/shapes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wants wants[F_MAX];
	static bool ready;
	enum file_id id = fuzz_choice(&data, &size) % F_MAX;
	struct text in = fuzz_copy(data, size);
	struct snapshot s;

	metrics_init();
	for (enum file_id f = 1; !ready && f < F_MAX; f++)
		wants_find(&wants[f], f);
	ready = true;
	snapshot_init(&s, &fuzz_host);
	snapshot_begin(&s, files[id].scope, 1);
	if (files[id].shape == SHAPE_DEVICES)
		shape_read(files[id].shape, &wants[id], in, &s, files[id].scope, 0);
	else if (files[id].shape != SHAPE_OWN)
		shape_read(files[id].shape, &wants[id], in, &s, SCOPE_SYSTEM,
			   snapshot_system_row(&s));
	require(snapshot_rows(&s, files[id].scope) <= size + 1);
	snapshot_done(&s);
	free((char *)in.p);
	return 0;
}
