#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# --budget: a program that costs too much is stopped, what it has measured stands, and the report says so.
# timeout: 120
# live
set -u
export LC_ALL=C.UTF-8

sixty=${B:-build}/sixty
dir=$(mktemp -d) || exit 1
storm=()
finish() {
	[ ${#storm[@]} = 0 ] || { kill -9 "${storm[@]}"; wait "${storm[@]}"; } 2>/dev/null
	rm -rf "$dir"
}
trap finish EXIT

# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

if ! "$sixty" doctor --json | jq -e '.programs[] | select(.name == "sched_switch" and .status == "ok")' >/dev/null; then
	for t in dear_programs_are_stopped what_was_measured_stands the_report_says_so without_a_budget_nothing_stops; do
		echo "skip $t: the time of threads cannot be measured here (sixty doctor says why)"
	done
	exit 0
fi

# Two processes that hand a byte to and fro, on one CPU: a hundred thousand switches a second or so.
taskset -c 0 python3 -c '
import os
a, b = os.pipe(), os.pipe()
if os.fork():
    for _ in iter(int, 1):
        os.write(a[1], b"x"); os.read(b[0], 1)
else:
    for _ in iter(int, 1):
        os.read(a[0], 1); os.write(b[1], b"x")' &
storm=($!)
sleep 0.3
storm+=("$(pgrep -P "${storm[0]}")")
"$sixty" -d 4 --budget 0.1 --json >"$dir/out.json" 2>"$dir/err"
"$sixty" -d 3 --budget 0.1 >"$dir/out.txt" 2>>"$dir/err"
"$sixty" -d 3 --budget 0 --json >"$dir/free.json" 2>>"$dir/err"

program='[.ledger.cost.programs[] | select(.name == "sched_switch")][0]'
jq -e "$program | .stopped_after > 0.9 and .stopped_after < 2.6" "$dir/out.json" >/dev/null
check dear_programs_are_stopped $? "$(jq -c "$program" "$dir/out.json") $(cat "$dir/err")"
jq -e --argjson a "${storm[0]}" '[.time[] | select(.pid == $a)][0] | (.threads - 1 | fabs) < 0.06 and .running_user + .running_system > 0.2' \
	"$dir/out.json" >/dev/null
check what_was_measured_stands $? "$(jq -c --argjson a "${storm[0]}" '[.time[] | select(.pid == $a)]' "$dir/out.json")"
tr -s '\n ' ' ' <"$dir/out.txt" | grep -Eq 'sched_switch \(stopped after [0-9.]+ s, with what belongs to it: it cost [0-9.]+ % of a CPU'
check the_report_says_so $? "$(tail -n 4 "$dir/out.txt")"
jq -e "[.ledger.cost.programs[].stopped_after] | all(. == null)" "$dir/free.json" >/dev/null
check without_a_budget_nothing_stops $? "$(jq -c '.ledger.cost.programs' "$dir/free.json")"
