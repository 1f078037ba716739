#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tools that guard the tree must notice what they are there to notice: each case plants one
# fault in a small copy and looks for the sentence.
set -u

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

fresh_copy() {
	rm -rf "$dir/tree"
	mkdir -p "$dir/tree"/{tools,base,model,export,tui,collectors,symbols,bpf,cmd}
	cp tools/include-matrix "$dir/tree/tools/"
	git -C "$dir/tree" init -q
	printf '// SPDX-License-Identifier: Apache-2.0\n' | tee "$dir/tree"/{base/err,model/hist}.h >/dev/null
}

# plant FILE LINE...: a source with its licence and these lines
plant() {
	local file=$1
	shift
	printf '%s\n' '// SPDX-License-Identifier: Apache-2.0' "$@" >"$dir/tree/$file"
}

# expect NAME STATUS SENTENCE
expect() {
	local out status
	out=$("$dir/tree/tools/include-matrix" 2>&1)
	status=$?
	if [ "$status" != "$2" ]; then
		echo "not ok $1: exit status $status instead of $2"
	elif [ -n "$3" ] && ! grep -qF -- "$3" <<<"$out"; then
		echo "not ok $1: no \"$3\" in the output"
	else
		echo "ok $1"
	fi
}

fresh_copy
plant model/a.c '#include "base/err.h"'
plant cmd/b.c '#include "model/hist.h"' '#include "tui/screen.h"'
plant tui/term.c '#include <curses.h>'
plant collectors/bpf_x.c '#include <bpf/libbpf.h>' '#include "bpf/wire.h"'
plant symbols/elf.c '#include <gelf.h>' '#include <elfutils/libdw.h>'
expect a_tree_in_order_is_accepted 0 ''

plant base/up.c '#include "model/hist.h"'
expect base_may_not_look_up 1 'base/up.c:2: base/ must not include model/hist.h'

fresh_copy
plant tui/a.c '	#  include	"export/text.h"'
expect neighbours_may_not_look_at_each_other 1 'tui/ must not include export/text.h'

fresh_copy
plant collectors/a.c '#include "bpf/kernel.h"'
expect only_the_wire_leaves_bpf 1 'only bpf/wire.h may be included from bpf/'

fresh_copy
plant collectors/disk.c '#include <bpf/libbpf.h>'
plant tui/canvas.c '#include <ncursesw/ncurses.h>'
plant export/pprof.c '#include <libelf.h>'
plant collectors/a.c '#include <perfmon/pfmlib.h>'
expect libbpf_has_its_files 1 'libbpf only in collectors/bpf_*.c: collectors/disk.c'
expect ncurses_has_one_file 1 'ncurses only in tui/term.c: tui/canvas.c'
expect libelf_has_its_folder 1 'libelf and libdw only in symbols/: export/pprof.c'
expect libpfm_has_one_file 1 'libpfm4 only in collectors/perf_events.c: collectors/a.c'

fresh_copy
echo 'int x;' >"$dir/tree/base/bare.c"
expect a_source_without_a_licence_is_named 1 'base/bare.c: no SPDX-License-Identifier'

fresh_copy
plant base/a.c '#include "nowhere/a.h"'
expect a_folder_that_is_not_ours_is_named 1 'nowhere/a.h is in no folder of the program'

# The runner: what a suite says is counted, and what it fails to say is a failure.

runner_copy() {
	rm -rf "$dir/run"
	mkdir -p "$dir/run/tests/suites"
	cp tests/run "$dir/run/tests/"
}

# suite NAME LINE...: an executable suite with this body
suite() {
	local file=$dir/run/tests/suites/$1.sh
	shift
	printf '%s\n' '#!/bin/sh' "$@" >"$file"
	chmod +x "$file"
}

# runs NAME STATUS LAST-LINE SENTENCE SUITE...
runs() {
	local name=$1 status=$2 last=$3 sentence=$4 out got
	shift 4
	out=$(B=build V='' TEST_TIMEOUT=60 "$dir/run/tests/run" "$@" 2>&1)
	got=$?
	if [ "$got" != "$status" ]; then
		echo "not ok $name: exit status $got instead of $status"
	elif [ "$(tail -n 1 <<<"$out")" != "$last" ]; then
		echo "not ok $name: ends with \"$(tail -n 1 <<<"$out")\""
	elif ! grep -qF -- "$sentence" <<<"$out"; then
		echo "not ok $name: no \"$sentence\" in the output"
	else
		echo "ok $name"
	fi
}

runner_copy
suite good 'echo "ok a"' 'echo "ok b"' 'echo "skip c: no \033 disk"'
suite bad 'echo "ok d"' 'echo "not ok e: it is 1, not 2"' 'exit 1'
suite silent 'echo hello'
suite crash 'echo "ok f"' 'kill -SEGV $$'
suite slow '# timeout: 1' 'echo "ok g"' 'sleep 30'
suite strict 'echo "ok h"' 'exit 3'
runs passing_suites_pass 0 '2 passed, 0 failed, 1 skipped' 'good: c: no' good
runs a_failed_test_fails_the_run 1 '3 passed, 1 failed, 1 skipped' 'bad: e: it is 1, not 2' good bad
runs a_silent_suite_is_a_failure 1 '0 passed, 1 failed, 0 skipped' 'printed no result' silent
runs a_crashed_suite_is_a_failure 1 '1 passed, 1 failed, 0 skipped' 'exit status 139' crash
runs a_suite_out_of_time_is_a_failure 1 '1 passed, 1 failed, 0 skipped' 'not finished after 1 s' slow
runs a_suite_that_exits_badly_is_a_failure 1 '1 passed, 1 failed, 0 skipped' 'exit status 3' strict
# shellcheck disable=SC2016 # $0 is that of the planted suite
later='mkdir "${0%.sh}.ran" 2>/dev/null'
suite shaky '# live' "if $later; then echo 'not ok i: too late'; else echo 'ok i'; fi"
suite lost '# live' 'echo "not ok j: gone"'
suite firm "if $later; then echo 'not ok k: too late'; else echo 'ok k'; fi"
runs a_live_suite_has_a_second_run 0 '1 passed, 0 failed, 0 skipped' 'shaky: i: too late' shaky
runs a_second_run_that_fails_is_a_failure 1 '0 passed, 1 failed, 0 skipped' 'lost: j: gone' lost
runs other_suites_have_one_run 1 '0 passed, 1 failed, 0 skipped' 'firm: k: too late' firm
runs a_suite_that_does_not_exist_is_a_failure 1 '0 passed, 1 failed, 0 skipped' 'exit status 127' none

# The unit harness: every way to end a test is told apart.

cat >"$dir/unit.c" <<'END'
#include <stdlib.h>
#include "tests/unit/unit.h"
TEST(passes) { CHECK_INT(1, 1); }
TEST(fails) { CHECK_INT(1 + 1, 3); }
TEST(is_skipped) { SKIP("no %s", "disk"); }
TEST(crashes) { unit_tmpdir(); abort(); }
TEST(exits) { exit(5); }
TEST(is_near) { CHECK_NEAR(1.0, __builtin_nan(""), 5); }
TEST(does_not_abort) { CHECK_ABORTS(passes); }
END
if ${CC:-cc} -D_GNU_SOURCE -I. -o "$dir/unit" "$dir/unit.c" tests/unit/main.c -lm 2>"$dir/cc.log"; then
	TMPDIR=$dir "$dir/unit" >"$dir/got" && echo "not ok harness_status: 0 in spite of failures"
	sed -i "s,$dir/,," "$dir/got"
	cat >"$dir/want" <<'END'
ok passes
not ok fails: unit.c:4: 1 + 1 is 2, expected 3
skip is_skipped: no disk
not ok crashes: killed by signal 6 (Aborted)
not ok exits: exited with 5 in the middle
not ok is_near: unit.c:8: 1.0 is 1, expected nan within 5
not ok does_not_abort: unit.c:9: passes did not abort
END
	if why=$(diff "$dir/want" "$dir/got"); then
		echo 'ok the_harness_tells_every_end_of_a_test_apart'
	else
		printf '# %s\n' "$why"
		echo 'not ok the_harness_tells_every_end_of_a_test_apart: see the lines above'
	fi
	if [ -z "$(find "$dir" -maxdepth 1 -name 'sixty-unit-*')" ]; then
		echo 'ok the_harness_cleans_up_after_a_crash'
	else
		echo 'not ok the_harness_cleans_up_after_a_crash: a directory was left'
	fi
	if "$dir/unit" no_such_test >/dev/null 2>&1; then
		echo 'not ok a_filter_that_finds_nothing_fails: exit status 0'
	else
		echo 'ok a_filter_that_finds_nothing_fails'
	fi
else
	echo "not ok the_harness_builds: $(head -n 1 "$dir/cc.log")"
fi

# what no machine here runs is compiled at least
if why=$("${MAKE:-make}" -s BPF_ARCH=arm64 OUT="$dir/arm64" "$dir/arm64/bpf/sixty.bpf.o" 2>&1); then
	echo 'ok bpf_programs_compile_for_arm64'
else
	printf '# %s\n' "$why"
	echo 'not ok bpf_programs_compile_for_arm64: see the lines above'
fi
