#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Samples of CPUs: programs whose time is known by construction are found in the functions where they spent it, and the kernel
# in the work that it did.
# timeout: 120
# live
set -u
export LC_ALL=C.UTF-8

sixty=${B:-build}/sixty
hot=${B:-build}/tests/workloads/hot
dir=$(mktemp -d) || exit 1
loads=()

finish() {
	[ ${#loads[@]} = 0 ] || kill -9 "${loads[@]}" 2>/dev/null
	rm -rf "$dir"
}
trap finish EXIT

tests='functions_are_named_and_weighed callers_stand_behind kernel_work_is_told_by_kind stacks_are_in_the_text'
tests="$tests a_hostile_name_of_a_function_stays_text a_deleted_program_is_named_still"
if ! "$sixty" doctor --json | jq -e '.programs[] | select(.name == "samples_tick" and .status == "ok")' >/dev/null; then
	why=$("$sixty" doctor --json | jq -r '[.checks[] | select(.id == "bpf") | .found][0] // "no eBPF"')
	for t in $tests; do
		echo "skip $t: CPUs cannot be sampled here: $why"
	done
	exit 0
fi

# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

# Two of them, so that each takes CPU time from the other.
cpus=$(nproc)
"$hot" 60 $((cpus > 64 ? 64 : cpus)) &
loads=($!)
"$hot" 60 $((cpus > 64 ? 64 : cpus)) &
loads+=($!)
sleep 0.3
"$sixty" capture -d 5 "$dir/capture" >/dev/null 2>"$dir/err"
"$sixty" -d 2 --verbose >"$dir/hot.txt" 2>>"$dir/err"
kill "${loads[@]}"; wait "${loads[@]}" 2>/dev/null
pid=${loads[0]}

# "pid samples of frames" of every stack
columns() {
	awk -F'\t' '
		/^#/ { next }
		!at["stack.pid"] { for (i = 1; i <= NF; i++) at[$i] = i; next }
		{ print $at["stack.pid"], $at["stack.samples"], $at["stack.of"], substr($at["stack.frames"], 2) }' "$dir"/capture/*/ends/stack.tsv
}
columns >"$dir/stacks" 2>>"$dir/err"

# Of n samples a share of 0.75 is seen as 0.75 give or take three standard deviations.
awk -v pid="$pid" '
	$1 == pid { of = $3; if ($4 ~ /^hot_three;/) three += $2; if ($4 ~ /^hot_one;/) one += $2 }
	END {
		n = three + one; share = n ? three / n : 0; d = share - 0.75; if (d < 0) d = -d
		exit !(n > 0.8 * of && of > 50 && d < 3 * sqrt(0.75 * 0.25 / n) + 0.01)
	}' "$dir/stacks"
check functions_are_named_and_weighed $? "$(cat "$dir/stacks" "$dir/err")"
[ "$(grep -c "^$pid .* hot_[a-z]*;hot_work" "$dir/stacks")" -ge 2 ]
check callers_stand_behind $? "$(cat "$dir/stacks")"
grep -Eq '^  stack +\[('"${loads[0]}|${loads[1]}"')\] [0-9.]+ % hot_three < hot_work' "$dir/hot.txt"
check stacks_are_in_the_text $? "$(grep -A3 '^  stack' "$dir/hot.txt")"

# The kernel clears the pages that it hands out as /dev/zero.
dd if=/dev/zero of=/dev/null bs=1M 2>/dev/null &
loads=($!)
sleep 0.3
"$sixty" -d 2 --json >"$dir/zero.json" 2>"$dir/err"
kill "${loads[@]}"; wait "${loads[@]}" 2>/dev/null
jq -e --argjson pid "${loads[0]}" '.mechanisms[0] | .name == "zeroing" and .pid == $pid and .cpu_seconds_per_second > 0.5 and .pid_share > 0.9' "$dir/zero.json" >/dev/null
check kernel_work_is_told_by_kind $? "$(jq -c .mechanisms "$dir/zero.json") $(cat "$dir/err")"

# A function called "evil ESC [31m ; \" <b>" by whoever made the program, which is deleted while it runs.
cat >"$dir/evil.c" <<'C'
#include <time.h>
__attribute__((noinline)) void evil_AAAAAAAAA(void) { for (volatile long i = 0; i < 100000000; i++) ; }
int main(void) { for (;;) evil_AAAAAAAAA(); }
C
patch_name() {
	python3 - "$1" <<'PY'
import sys
with open(sys.argv[1], "rb") as f:
    program = f.read()
name, evil = b"evil_AAAAAAAAA", b'evil\033[31m;"<b>'
assert name in program and len(name) == len(evil)
with open(sys.argv[1], "wb") as f:
    f.write(program.replace(name, evil))
PY
}
if ${CC:-cc} -O1 -fno-omit-frame-pointer -o "$dir/evil" "$dir/evil.c" 2>"$dir/err" && patch_name "$dir/evil" 2>>"$dir/err"; then
	loads=()
	for ((i = 0; i < 2 * cpus; i++)); do
		"$dir/evil" &
		loads+=($!)
	done
	sleep 0.3
	rm "$dir/evil"
	"$sixty" -d 2 --verbose >"$dir/evil.txt" 2>"$dir/err"
	"$sixty" -d 2 --json >"$dir/evil.json" 2>>"$dir/err"
	kill "${loads[@]}"; wait "${loads[@]}" 2>/dev/null
	! grep -q $'\033' "$dir/evil.txt" && grep -q '^  stack.*evil' "$dir/evil.txt" && jq -e . "$dir/evil.json" >/dev/null
	check a_hostile_name_of_a_function_stays_text $? "$(grep -A2 '^  stack' "$dir/evil.txt" | cat -v) $(cat "$dir/err")"
	jq -e '[.stacks[].frames[0] | startswith("evil")] | any' "$dir/evil.json" >/dev/null
	check a_deleted_program_is_named_still $? "$(jq -c .stacks "$dir/evil.json")"
else
	check a_hostile_name_of_a_function_stays_text 1 "does not build: $(cat "$dir/err")"
	check a_deleted_program_is_named_still 1 "does not build"
fi
