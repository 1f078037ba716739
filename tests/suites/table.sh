#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The process table: what the iterator says of everybody against /proc read by hand, of processes of known shape against
# how they were made, in namespaces, and where the iterator is refused.
# timeout: 300
# live
set -u
export LC_ALL=C.UTF-8

B=${B:-build}
sixty=$PWD/$B/sixty
table=$PWD/$B/tests/tools/table
refuse=$PWD/$B/tests/workloads/refuse
python=$(command -v /usr/bin/python3 || command -v python3) || {
	echo 'skip table: no python3'
	exit 0
}
dir=$(mktemp -d) || exit 1
finish() {
	exec 8>&- 9>&-
	wait
	rm -rf "$dir"
}
trap finish EXIT

# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

# start NAME FD COMMAND…: runs until FD is closed; waits for its "ready"
start() {
	local name=$1 fd=$2
	shift 2
	mkfifo "$dir/$name.hold"
	"$@" <"$dir/$name.hold" >"$dir/$name" 8>&- 9>&- &
	eval "exec $fd>\"\$dir/\$name.hold\""
	until grep -q '^ready$' "$dir/$name"; do
		kill -0 $! 2>/dev/null || return 1
		sleep 0.05
	done
}

pid_of() {
	sed -n "s/^$1 //p" "$dir/rest"
}

# Which way the collector went, as the doctor has it.
way() {
	"$@" "$sixty" doctor --json | "$python" -c 'import json, sys
print(next(s["why"] for s in json.load(sys.stdin)["sources"] if s["name"] == "process table"))'
}

start rest 8 "$B/tests/workloads/rest" || { echo 'not ok table: the processes at rest did not start'; exit 0; }

# ---- what was made is what is read, either way ----

# shellcheck disable=SC2046 # numbers
"$table" show kept $(awk '$2 { print $2 }' "$dir/rest") >"$dir/kept"
out=$("$python" tests/accuracy/rest.py "$dir/rest" "$dir/kept" files)
check processes_of_known_shape_read_from_files $? "$out"

"$table" compare >"$dir/compare"
code=$?
if [ $code = 3 ]; then
	echo "skip the_iterator_says_what_proc_says: no iterator here: $(head -n 1 "$dir/compare")"
	echo "skip processes_of_known_shape_read_through_the_iterator: no iterator here"
	exit 0
fi
check the_iterator_says_what_proc_says $code "$(cat "$dir/compare")"
# a kernel that adds the parts up itself has the same number in statm
out=$(tail -n 1 "$dir/compare")
echo "# $out"

# shellcheck disable=SC2046
"$table" show iterator $(awk '$2 { print $2 }' "$dir/rest") >"$dir/iterator"
out=$("$python" tests/accuracy/rest.py "$dir/rest" "$dir/iterator" iterator)
check processes_of_known_shape_read_through_the_iterator $? "$out"

# ---- which way is chosen ----

out=$(way env)
if [ "$(find /proc -maxdepth 1 -name '[0-9]*' | wc -l)" -lt 900 ]; then
	grep -q 'kept open: .* from 1000 on eBPF is cheaper' <<<"$out"
	check few_processes_are_read_from_files $? "$out"
else
	echo "skip few_processes_are_read_from_files: many run here"
fi
start crowd 9 "$B/tests/workloads/forker" 1200 || { echo 'not ok table: 1200 processes did not start'; exit 0; }
out=$(way env)
grep -q 'eBPF iterator' <<<"$out"
check many_processes_are_read_through_the_iterator $? "$out"

# ---- a capture of it ----

"$sixty" capture -d 2 -n 2 "$dir/capture" 2>"$dir/err"
out=$("$python" tests/accuracy/rest.py "$dir/rest" "$dir/capture" capture)
check a_capture_has_the_rows_of_the_iterator $? "$out$(cat "$dir/err")"
"$sixty" --replay "$dir/capture" --format csv >"$dir/a" 2>&1
"$sixty" --replay "$dir/capture" --format csv >"$dir/b" 2>&1
cmp -s "$dir/a" "$dir/b" && grep -q '^sys.processes_hidden,' "$dir/a" && grep -q '^proc.rss,' "$dir/a"
check its_replay_says_the_same_twice $? "$(head -c 300 "$dir/a")"

# ---- who is hidden ----

# what /proc has and the iterator has not, by hand: those that stood there before and after
before=$(find /proc -maxdepth 1 -name '[0-9]*' -printf '%f\n' | sort)
# shellcheck disable=SC2086 # numbers
"$table" show iterator $before | sed -n 's/ found 1$//p' | sort >"$dir/hidden.tool"
after=$(find /proc -maxdepth 1 -name '[0-9]*' -printf '%f\n' | sort)
hidden=$(comm -12 <(echo "$before") <(echo "$after") | comm -12 - "$dir/hidden.tool" | wc -l)
"$sixty" triage -d 1 --json >"$dir/report"
out=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["ledger"]["loss"]["hidden_processes"])' "$dir/report")
[ "$out" = "$hidden" ]
check the_ledger_counts_who_is_hidden_from_ebpf $? "ledger $out, by hand $hidden"

# ---- refused ----

# BPF_LINK_CREATE, BPF_ITER_CREATE
out=$(way "$refuse" 28 --)
grep -q 'kept open: .*Operation not permitted' <<<"$out"
check where_it_cannot_be_attached_files_are_read_and_it_is_said $? "$out"
out=$(way "$refuse" 33 --)
grep -q 'kept open: .*Operation not permitted' <<<"$out"
check where_it_cannot_be_started_files_are_read_and_it_is_said $? "$out"
"$refuse" 28 33 -- "$sixty" capture -d 1 -n 2 "$dir/refused" 2>"$dir/err"
out=$("$python" tests/accuracy/rest.py "$dir/rest" "$dir/refused" refused)
check what_is_read_then_is_the_same $? "$out$(cat "$dir/err")"

# ---- another PID namespace ----

if unshare --pid --fork --mount-proc true 2>/dev/null; then
	out=$(unshare --pid --fork --mount-proc "$python" tests/accuracy/rest.py "$table" "$B/tests/workloads/rest" namespace)
	check in_a_namespace_numbers_are_those_of_the_namespace $? "$out"
	# its /proc is that of the machine
	out=$(unshare --pid --fork "$sixty" doctor --json | "$python" -c 'import json, sys
print(next(s["why"] for s in json.load(sys.stdin)["sources"] if s["name"] == "process table"))')
	grep -q 'another PID namespace' <<<"$out"
	check with_a_foreign_proc_files_are_read $? "$out"
else
	echo 'skip in_a_namespace_numbers_are_those_of_the_namespace: unshare is refused'
	echo 'skip with_a_foreign_proc_files_are_read: unshare is refused'
fi

# ---- threads that come and go: sums neither fall nor lose anything ----

out=$("$python" tests/accuracy/rest.py "$table" churn 3)
check sums_over_threads_hold_while_threads_come_and_go $? "$out"
