#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sixty stat: what a bounded command does is counted as perf stat counts it, and to the last one where it is known.
# timeout: 300
# live
set -u
export LC_ALL=C.UTF-8

sixty=${B:-build}/sixty
hot=${B:-build}/tests/workloads/hot
here=$(dirname "$0")/..
dir=$(mktemp -d) || exit 1
worker=''

finish() {
	[ -z "$worker" ] || kill -9 "$worker" 2>/dev/null
	rm -rf "$dir"
}
trap finish EXIT

# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

for need in jq python3 dd; do
	command -v $need >/dev/null || {
		echo "skip stat: no $need"
		exit 0
	}
done
if [ "$(id -u)" != 0 ]; then
	echo 'skip stat: needs root'
	exit 0
fi

# count EVENT: of $dir/json; nothing when it was not counted
count() {
	jq -r --arg e "$1" '.counts[] | select(.event == $e) | .count // empty' "$dir/json"
}

# near A B PERCENT
near() {
	awk -v a="$1" -v b="$2" -v p="$3" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(a != "" && b != "" && d <= p / 100 * (b > 1 ? b : 1)) }'
}

# ---- against perf ----

# Reads are 20,000 and what it needs to begin; children are five.
reads=(dd if=/dev/zero of=/dev/null bs=1 count=20000 status=none)
family=(sh -c 'for i in 1 2 3 4 5; do /bin/true; done; exit 0')
events=page-faults,syscalls:sys_enter_read,sched:sched_process_fork,task-clock,msr/tsc/

"$sixty" stat -e $events --json -- "${reads[@]}" >"$dir/json" 2>"$dir/err"
status=$?
python3 "$here/schema/check.py" "$here/schema/stat.schema.json" "$dir/json" >"$dir/why" 2>&1 && [ $status = 0 ]
check json_is_as_its_schema_says $? "$status $(cat "$dir/why" "$dir/err")"
n=$(count syscalls:sys_enter_read)
[ "${n:-0}" -ge 20000 ] && [ "$n" -le 20050 ]
check reads_are_counted_to_the_last $? "$n instead of 20,000 and a few: $(cat "$dir/err")"

# perf WHAT: what perf says of the event in $dir/perf
perf_says() {
	awk -F, -v e="$1" '$3 == e { print $1 }' "$dir/perf"
}

if command -v perf >/dev/null && perf stat -x, -e page-faults true 2>/dev/null; then
	perf stat -x, -o "$dir/perf" -e $events "${reads[@]}" 2>"$dir/err"
	for e in syscalls:sys_enter_read sched:sched_process_fork; do
		[ "$(count $e)" = "$(perf_says $e)" ]
		check "${e//:/_}_is_what_perf_counts" $? "$(count $e), and perf $(perf_says $e)"
	done
	near "$(count page-faults)" "$(perf_says page-faults)" 10
	check page_faults_are_what_perf_counts $? "$(count page-faults), and perf $(perf_says page-faults)"
	# milliseconds there; a work of some milliseconds is not the same twice
	near "$(count task-clock | awk '{ print $1 * 1000 }')" "$(perf_says task-clock)" 60
	check cpu_time_is_what_perf_counts $? "$(count task-clock) s, and perf $(perf_says task-clock) ms"
	"$sixty" stat -e $events --json -- "${family[@]}" >"$dir/json" 2>"$dir/err"
	perf stat -x, -o "$dir/perf" -e $events "${family[@]}" 2>"$dir/err"
	[ "$(count sched:sched_process_fork)" = 5 ] && [ "$(perf_says sched:sched_process_fork)" = 5 ]
	check children_are_counted_with_their_parent $? "$(count sched:sched_process_fork), and perf $(perf_says sched:sched_process_fork)"
	near "$(count page-faults)" "$(perf_says page-faults)" 10
	check and_all_that_they_do $? "$(count page-faults) faults, and perf $(perf_says page-faults)"
else
	echo 'skip counts_are_what_perf_counts: no perf that runs here'
fi

# ---- where and when ----

# A thread that computes all the time, attached to while it runs.
"$hot" 30 1 1 &
worker=$!
sleep 0.3
"$sixty" stat -p $worker -e task-clock,page-faults -d 1 --json >"$dir/json" 2>"$dir/err"
near "$(count task-clock)" "$(jq .window.seconds "$dir/json")" 60
check a_process_is_counted_from_now_on $? "$(count task-clock) of $(jq .window.seconds "$dir/json") s: $(cat "$dir/err")"
jq -e '.ratios[] | select(.name == "CPUs used") | .value > 0.3 and .base > 0.9' "$dir/json" >/dev/null
check cpus_that_it_uses_are_a_ratio $? "$(jq -c .ratios "$dir/json")"
"$sixty" stat -p $worker -e task-clock -i 0.2 -n 4 --json >"$dir/json" 2>"$dir/err"
[ "$(wc -l <"$dir/json")" = 4 ] && jq -se 'map(.counts[0].count > 0 and .counts[0].count < 0.5 and .window.seconds < 0.5) | all' "$dir/json" >/dev/null
check intervals_are_one_object_each $? "$(jq -c '[.window.seconds, .counts[0].count]' "$dir/json") $(cat "$dir/err")"
(sleep 0.5; kill $worker) &
begin=$SECONDS
"$sixty" stat -p $worker -d 60 >"$dir/out" 2>"$dir/err"
status=$?
[ $status = 0 ] && [ $((SECONDS - begin)) -lt 30 ] && grep -q 'task-clock' "$dir/out"
check a_process_that_ends_ends_the_count $? "exit status $status: $(cat "$dir/err")"
wait $worker 2>/dev/null
worker=''

"$sixty" stat -d 0.3 --json >"$dir/json" 2>"$dir/err"
jq -e '.target == "all CPUs" and (.counts[] | select(.event == "context-switches") | .count > 0)' "$dir/json" >/dev/null
check the_machine_is_counted_without_a_target $? "$(head -c 600 "$dir/json") $(cat "$dir/err")"
if jq -e '.counts[] | select(.event == "cycles") | .count == null' "$dir/json" >/dev/null; then
	jq -e '.counts[] | select(.event == "cycles") | .reason | contains("no PMU")' "$dir/json" >/dev/null
	check a_machine_without_a_pmu_says_so $? "$(jq -c .counts "$dir/json")"
	"$sixty" stat -e cycles -d 1 >"$dir/out" 2>"$dir/err"
	[ $? = 1 ] && grep -q 'cannot count cycles: no PMU here' "$dir/err"
	check and_nothing_else_to_count_is_an_error $? "$(cat "$dir/out" "$dir/err")"
else
	"$sixty" stat -e cycles,instructions --json -- "${reads[@]}" >"$dir/json" 2>"$dir/err"
	jq -e '.ratios[] | select(.name == "instructions per cycle") | .value > 0 and .value < 10' "$dir/json" >/dev/null
	check instructions_per_cycle_are_a_ratio $? "$(head -c 600 "$dir/json")"
fi

# Tracepoints where nobody has mounted their file system; nothing is mounted afterwards.
if unshare -m sh -c 'umount /sys/kernel/tracing 2>/dev/null; umount /sys/kernel/debug 2>/dev/null; "$@" && ! grep -q tracefs /proc/mounts' - \
	"$sixty" stat -e sched:sched_switch --json -- true >"$dir/json" 2>"$dir/err"; then
	[ -n "$(count sched:sched_switch)" ]
	check tracepoints_need_no_mount $? "$(head -c 600 "$dir/json")"
else
	check tracepoints_need_no_mount 1 "$(cat "$dir/err")"
fi

# ---- what is wrong ----

wrong=
refuse() {
	local status=$1 what=$2
	shift 2
	"$sixty" stat "$@" >"$dir/out" 2>"$dir/err"
	[ $? = "$status" ] && grep -q -- "$what" "$dir/err" || wrong="$wrong $*: $(cat "$dir/err")"
}
refuse 2 "there is no event 'nosuch'" -e nosuch
refuse 2 "there is no event 'sched:nosuch'" -e sched:nosuch
refuse 2 "there is no PMU 'nosuch'" -e nosuch/x/
refuse 2 'separated by commas' -e cs,
refuse 2 'takes one of' -p 1 -a
refuse 2 'needs -i' -n 3
refuse 1 'no process' -p 4194304
refuse 1 'cannot run /no/such/program' -- /no/such/program
check what_is_wrong_is_told "${#wrong}" "$wrong"
"$sixty" stat -e cs -- sh -c 'exit 3' >"$dir/out" 2>"$dir/err" && grep -q 'exit status 3' "$dir/err"
check the_exit_status_of_a_command_is_told $? "$(cat "$dir/err")"

if command -v setpriv >/dev/null; then
	cp "$sixty" "$dir/sixty"
	chmod 755 "$dir" "$dir/sixty"
	setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all "$dir/sixty" stat -e page-faults --json -- true >"$dir/json" 2>"$dir/err"
	status=$?
	if [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -le 2 ]; then
		[ $status = 0 ] && jq -e '.counts[0] | .count > 0' "$dir/json" >/dev/null
	else
		[ $status = 1 ] && grep -q perf_event_paranoid "$dir/err"
	fi
	check nobody_counts_what_is_his $? "exit status $status: $(head -c 400 "$dir/json") $(cat "$dir/err")"
fi
