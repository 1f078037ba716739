/* SPDX-License-Identifier: Apache-2.0 */
/* unwind FILE: the rules that sixty makes of a binary's call frames, a line each: address, how, CFA, frame pointer, return address. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "symbols/unwind.h"

static const char *const hows[] = {
	[UNWIND_GAP] = "gap", [UNWIND_SP] = "sp",       [UNWIND_FP] = "fp",
	[UNWIND_PLT] = "plt", [UNWIND_FP_LOAD] = "*fp", [UNWIND_SIGNAL] = "signal",
	[UNWIND_END] = "end", [UNWIND_HARD] = "hard",
};

int main(int argc, char **argv)
{
	struct unwind_file f;
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1, err;

	if (fd < 0) {
		fprintf(stderr, "usage: unwind FILE\n");
		return 2;
	}
	err = unwind_read(fd, &f);
	close(fd);
	if (err) {
		fprintf(stderr, "unwind: %s: %s\n", argv[1], strerror(-err));
		return 1;
	}
	printf("# %zu rows, %zu functions, %zu refused\n", f.rows.n, f.rows.functions,
	       f.rows.refused);
	for (size_t i = 0; i < f.rows.n; i++) {
		const struct unwind_row *r = &f.rows.list[i];

		printf("%" PRIx64 " %s %d %d %d\n", r->pc, hows[r->rule.how], r->rule.cfa,
		       r->rule.fp, r->rule.ra);
	}
	unwind_file_done(&f);
	return 0;
}
