#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sixty trace: what a load of known size did is there, each event once and with the right values, and nothing else of it.
# timeout: 600
# live
# shellcheck disable=SC2016 # programs of jq have dollars of their own
set -u
export LC_ALL=C.UTF-8

sixty=${B:-build}/sixty
flood=${B:-build}/tests/workloads/flood
here=$(dirname "$0")/..
dir=$(mktemp -d) || exit 1
tracer='' loop='' group=''

finish() {
	[ -z "$tracer" ] || kill -9 "$tracer" 2>/dev/null
	mountpoint -q "$dir/m" && umount "$dir/m"
	[ -z "$loop" ] || losetup -d "$loop"
	[ -z "$group" ] || rmdir "$group" 2>/dev/null
	rm -rf "$dir"
}
trap finish EXIT

# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

if [ "$(id -u)" != 0 ] || ! "$sixty" trace exec -d 0.1 >/dev/null 2>"$dir/err"; then
	echo "skip trace: needs root and eBPF: $(head -n 1 "$dir/err" 2>/dev/null)"
	exit 0
fi
python=$(command -v /usr/bin/python3 || command -v python3) || {
	echo 'skip trace: no python3'
	exit 0
}
cp /bin/true "$dir/trc_true"

load() {
	"$python" "$here/trace/loads.py" "$@"
}

marked() {
	"$dir/trc_true" "mark-$1"
	grep -q "mark-$1" "$dir/out"
}

# begin EVENT… OPTION…: a trace that has seen an exec of ours. Always with exec, whose marks tell where we are.
begin() {
	: >"$dir/out"
	"$sixty" trace exec "$@" --json >"$dir/out" 2>"$dir/err" &
	tracer=$!
	until_true 30 marked begin
}

# All that happened before this call is in the output, and the trace has ended with its last object.
end() {
	until_true 30 marked "end$RANDOM"
	kill -INT "$tracer"
	wait "$tracer"
	status=$?
	tracer=
	grep -v mark- "$dir/out" >"$dir/events"
}

# sees NAME FILTER: the filter holds for the array of events, with $w as what the load has printed
sees() {
	local why
	if jq -se --argjson w "$w" "$2" "$dir/events" >"$dir/answer" 2>&1; then
		echo "ok $1"
	else
		why=$(jq -sc --argjson w "$w" "${3:-length}" "$dir/events" 2>&1 | head -c 600)
		echo "not ok $1: load $(head -c 200 <<<"$w"), seen $why $(head -n 2 "$dir/err")"
	fi
}

# --- processes -----------------------------------------------------------------------------------

begin exit
w=$(load execs "$dir/trc_true" 50)
e=$(load exits)
end
check ctrl_c_is_a_normal_end $status "exit status $status"
sees every_exec_is_told_once '[.[] | select(.event == "exec" and (.path // "" | endswith("/trc_true")) and .ppid == $w.pid) | .pid] == $w.pids'
sees arguments_are_told '[.[] | select(.event == "exec" and .ppid == $w.pid) | .args[1]] | unique == ["one two"]'
sees every_exit_is_told_once '[.[] | select(.event == "exit" and .comm == "trc_true" and .ppid == $w.pid and .status == 0) | .pid] == $w.pids'
sees executables_outlive_their_processes '[.[] | select(.event == "exit" and .ppid == $w.pid) | .exe | endswith("/trc_true")] | all' \
	'[.[] | select(.event == "exit") | .exe] | unique'
sees events_are_in_order_of_time '[.[] | select(.time) | .time] | . == sort'
sees the_last_object_counts_the_lines '(last.events.exec + last.events.exit >= 100) and last.schema == "sixty.trace/1" and last.ledger.loss.events.exec == 0'
sees programs_have_their_price '[last.ledger.cost.programs[] | select(.events >= 50)] | length == 2' 'last.ledger.cost'
w=$e
sees a_status_is_told '[.[] | select(.event == "exit" and .pid == $w.three.pid)] | length == 1 and .[0].status == 3 and .[0].signal == null'
sees a_deadly_signal_is_told '[.[] | select(.event == "exit" and .pid == $w.killed.pid)] | length == 1 and .[0].signal == "SIGKILL" and .[0].status == null'
sees cpu_time_is_that_of_wait4 '[.[] | select(.event == "exit" and .pid == $w.burned.pid)][0] | .cpu_seconds as $c | ($c - $w.burned.cpu) | . < 0.02 and . > -0.02' \
	'[.[] | select(.event == "exit" and .pid == $w.burned.pid)]'
sees run_time_holds_the_cpu_time '[.[] | select(.event == "exit" and .pid == $w.burned.pid)][0] | .ran_seconds >= .cpu_seconds'
sees peak_rss_is_that_of_wait4 '[.[] | select(.event == "exit" and .pid == $w.grown.pid)][0].peak_rss_bytes / $w.grown.rss | . > 0.95 and . < 1.05' \
	'[.[] | select(.event == "exit" and .pid == $w.grown.pid)]'

begin exit
w=$(load hostile "$dir/trc_true")
end
[ "$(LC_ALL=C tr -d '[:print:]\n' <"$dir/events" | LC_ALL=C tr -d '\200-\377' | wc -c)" = 0 ]
check json_holds_no_control_bytes $? "$(cat -v "$dir/events" | head -c 300)"
sees hostile_arguments_are_escaped '[.[] | select(.event == "exec" and .ppid == $w.pid)][0].args[1:4] == ["a\\x0ab\\x1b[2J", "\\xff\\xfe", "\\xe2\\x80\\xae"]' \
	'[.[] | select(.event == "exec" and .ppid == $w.pid) | .args[0:6]]'
sees a_hostile_name_is_escaped '[.[] | select(.event == "exit" and .ppid == $w.pid) | .comm] | index("a\\x0a\\x1b[2J\\xff,\"=") != null' \
	'[.[] | select(.event == "exit" and .ppid == $w.pid) | .comm]'
sees what_is_cut_is_told '[.[] | select(.event == "exec" and .ppid == $w.pid)][1].cut == "arguments"'

for format in text csv; do
	"$sixty" trace exec exit --format $format >"$dir/out" 2>"$dir/err" &
	tracer=$!
	until_true 30 marked begin
	load hostile "$dir/trc_true" >"$dir/load"
	until_true 30 marked end
	kill -INT $tracer
	wait $tracer
	tracer=
	! LC_ALL=C grep -q $'[\001-\010\013\014\016-\037\177]' "$dir/out" && grep -q 'x1b\[2J' "$dir/out"
	check "hostile_names_are_harmless_in_$format" $? "$(cat -v "$dir/out" | head -n 3)"
	grep -q 'lost none' "$dir/err"
	check "the_ledger_follows_$format" $? "$(cat "$dir/err")"
done
"$python" -c 'import csv, sys; rows = list(csv.reader(open(sys.argv[1], newline=""))); sys.exit(len({len(r) for r in rows}) != 1 or len(rows) < 5)' "$dir/out"
check csv_is_a_table $? "$(head -n 2 "$dir/out")"

# --- files ---------------------------------------------------------------------------------------

: >"$dir/file"
begin open
w=$(load opens "$dir" 40)
end
sees failed_opens_are_told_once_each '[.[] | select(.event == "open" and .pid == $w.pid and (.path | contains("/missing")))] | length == 40 and all(.error == "ENOENT")' \
	'[.[] | select(.event == "open" and .pid == $w.pid)] | length'
sees each_with_its_error '[.[] | select(.event == "open" and .pid == $w.pid and (.path | contains("/below")))] | length == 40 and all(.error == "ENOTDIR")'
sees a_path_that_is_too_long_is_cut '[.[] | select(.event == "open" and .pid == $w.pid and .cut == "path")] | length == 1 and (.[0].path | length == 511)' \
	'[.[] | select(.event == "open" and .cut != null)]'
[ "$(grep -c 'open slows every syscall' "$dir/err")" = 1 ]
check the_price_of_open_is_told_once $? "$(cat "$dir/err")"

dd if=/dev/zero of="$dir/image" bs=1M count=32 status=none
loop=$(losetup -f --show "$dir/image" 2>/dev/null) || loop=
if [ -n "$loop" ]; then
	begin bio --min 1ns
	w=$(jq -n --arg d "${loop##*/}" '{disk: $d}')
	dd if="$loop" of=/dev/null bs=4k count=16 iflag=direct status=none
	end
	sees requests_of_a_disk_are_told_with_their_maker '[.[] | select(.event == "bio" and .disk == $w.disk and .comm == "dd" and .operation == "read" and .bytes == 4096)] | length == 16 and all(.seconds > 0 and .device_seconds <= .seconds)' \
		'[.[] | select(.event == "bio" and .disk == $w.disk)]'
	sees sectors_are_told '[.[] | select(.event == "bio" and .disk == $w.disk and .comm == "dd") | .sector] | sort == [range(0; 128; 8)]'
else
	echo 'skip requests_of_a_disk_are_told_with_their_maker: no loop device'
fi
mkdir "$dir/m"
if [ -n "$loop" ] && mkfs.ext4 -q "$loop" 2>/dev/null && mount "$loop" "$dir/m" 2>/dev/null; then
	mkdir "$dir/m/sub dir"
	begin fsync --min 1ns
	w=$(load fsyncs "$dir/m/sub dir/synced" 12)
	end
	sees every_fsync_is_told_once '[.[] | select(.event == "fsync" and .pid == $w.pid)] | length == 12 and all(.path == "/sub dir/synced" and .inode == $w.inode and .call == "fsync" and .seconds > 0)' \
		'[.[] | select(.event == "fsync" and .pid == $w.pid)]'
	umount "$dir/m"
else
	echo 'skip every_fsync_is_told_once: no ext4 on a loop device'
fi

seen() {
	grep -q "$1" "$dir/out"
}
begin mount bpf
w='{}'
if mount -t tmpfs trc "$dir/m" 2>/dev/null; then
	until_true 10 seen '"action":"mount","point":"[^"]*/m"'
	umount "$dir/m"
	until_true 10 seen '"action":"umount","point":"[^"]*/m"'
	mounted=1
fi
"$sixty" trace oom >/dev/null 2>&1 &
other=$!
until_true 20 seen '"program":"trace_oom"'
kill $other
wait $other 2>/dev/null
end
if [ -n "${mounted:-}" ]; then
	sees a_mount_and_its_end_are_told '[.[] | select(.event == "mount" and (.point | endswith("/m"))) | .action, .source, .type] == ["mount", "trc", "tmpfs", "umount", "trc", "tmpfs"]' \
		'[.[] | select(.event == "mount")]'
else
	echo 'skip a_mount_and_its_end_are_told: may not mount'
fi
sees programs_of_others_are_told_and_its_own_are_not '[.[] | select(.event == "bpf") | .program] | index("trace_oom") != null and index("trace_exec") == null' \
	'[.[] | select(.event == "bpf") | .program]'

# --- network -------------------------------------------------------------------------------------

begin tcp
w=$(load tcp 15)
r=$(load refused)
end
sees every_connection_is_told_with_who_made_it '[.[] | select(.event == "tcp" and .action == "connect" and .pid == $w.pid)] | length == 15' \
	'[.[] | select(.event == "tcp") | .action] | group_by(.) | map([.[0], length])'
sees every_accepted_one_too '[$w.connections[].port] as $p | [.[] | select(.event == "tcp" and .action == "accept" and (.remote | sub(".*:"; "") | tonumber | IN($p[])))] | length == 15'
sees both_ends_count_the_same_bytes '
	[$w.connections[] | [.port, .up, .down]] as $want
	| [.[] | select(.event == "tcp" and .action == "close")] as $closed
	| [$w.connections[].port as $p | $closed[] | select(.local | endswith(":\($p)")) | [$p, .sent_bytes, .received_bytes]] == $want
	and ([$w.connections[].port as $p | $closed[] | select(.remote | endswith(":\($p)")) | [$p, .received_bytes, .sent_bytes]] == $want)' \
	'[.[] | select(.event == "tcp" and .action == "close") | [.local, .remote, .sent_bytes, .received_bytes]]'
sees a_connection_lasts_longer_than_its_making '[.[] | select(.event == "tcp" and .pid == $w.pid and .action == "close" and .seconds != null)] | length >= 15 and all(.seconds > 0)'
w=$r
sees a_refused_connection_is_told '[.[] | select(.event == "tcp" and .action == "failed" and .pid == $w.pid)] | length == 1 and .[0].error == "ECONNREFUSED" and (.[0].remote | endswith(":\($w.port)"))' \
	'[.[] | select(.event == "tcp" and .action == "failed")]'

begin drop reset retransmit
w=$(load datagrams 10)
r=$(load refused)
q=$(load full_queue 4)
end
sees datagrams_for_nobody_are_dropped_for_that_reason '[.[] | select(.event == "drop" and .protocol == "udp" and (.to // "" | endswith(":\($w.port)")))] | length == 10 and all(.reason == "NO_SOCKET")' \
	'[.[] | select(.event == "drop") | [.reason, .to]]'
w=$r
sees a_reset_is_told_where_it_comes '[.[] | select(.event == "reset" and .direction == "received" and (.remote // "" | endswith(":\($w.port)")))] | length == 1 and .[0].state == "SYN_SENT"' \
	'[.[] | select(.event == "reset")]'
sees and_where_it_goes '[.[] | select(.event == "reset" and .direction == "sent" and (.local // "" | endswith(":\($w.port)")))] | length == 1 and .[0].state == null' \
	'[.[] | select(.event == "reset")]'
w=$q
sees a_syn_that_is_sent_again_is_told '[.[] | select(.event == "retransmit" and .state == "SYN_SENT" and (.remote // "" | endswith(":\($w.port)")))] | length >= 1' \
	'[.[] | select(.event == "retransmit")]'

# --- signals, memory, CPUs -----------------------------------------------------------------------

begin signal
w=$(load signals 7)
end
sees signals_are_told_where_they_are_sent '[.[] | select(.event == "signal" and .action == "sent" and .signal == "SIGUSR1" and .pid == $w.from and .to_pid == $w.to)] | length == 7 and all(.result == "queued" and .origin == "process")'
sees and_where_they_are_delivered '[.[] | select(.event == "signal" and .action == "delivered" and .signal == "SIGUSR1" and .pid == $w.to)] | length == 7 and all(.from_pid == $w.from and .handler == "handler")' \
	'[.[] | select(.event == "signal" and .signal == "SIGUSR1")]'
sees the_child_that_ends_is_the_kernels_signal '[.[] | select(.event == "signal" and .signal == "SIGCHLD" and .to_pid == $w.from and .pid == $w.to)] | length == 1 and .[0].origin == "kernel"'

# A group with a limit, on v1 or v2.
for at in /sys/fs/cgroup/memory /sys/fs/cgroup; do
	if mkdir "$at/trc$$" 2>/dev/null; then
		if { echo 33554432 >"$at/trc$$/memory.limit_in_bytes" || echo 33554432 >"$at/trc$$/memory.max"; } 2>/dev/null; then
			{ echo 0 >"$at/trc$$/memory.swap.max"; } 2>/dev/null
			group=$at/trc$$
			break
		fi
		rmdir "$at/trc$$"
	fi
done
if [ -n "$group" ]; then
	begin oom exit
	w=$(load eat "$group")
	end
	sees the_victim_of_a_memory_limit_is_told_with_its_group '[.[] | select(.event == "oom" and .pid == $w.pid)] | length == 1 and (.[0].memcg | endswith("/trc'$$'")) and .[0].by_pid == $w.pid' \
		'[.[] | select(.event == "oom")]'
	sees and_that_it_was_killed '[.[] | select(.event == "exit" and .pid == $w.pid)] | length == 1 and .[0].signal == "SIGKILL"'
	"$sixty" trace exec -C "memory:/${group##*/}" --json >"$dir/out" 2>"$dir/err" &
	tracer=$!
	inside() {
		"$dir/trc_true" outside
		(echo "$BASHPID" >"$group/cgroup.procs" && exec "$dir/trc_true" inside)
		seen '"inside"'
	}
	until_true 30 inside
	kill -INT "$tracer"
	wait "$tracer"
	tracer=
	cp "$dir/out" "$dir/events"
	w='{}'
	sees only_what_is_in_the_group_is_told '[.[] | select(.event)] | length >= 1 and all(.[]; .cgroup == "/'"${group##*/}"'" and .args[1] == "inside")'
else
	echo 'skip the_victim_of_a_memory_limit_is_told_with_its_group: no memory group may be made'
fi

begin runq --min 1ms
mkfifo "$dir/hold"
rm -f "$dir/load"
load queue <"$dir/hold" >"$dir/load" &
queue=$!
exec 9>"$dir/hold"
until_true 10 test -s "$dir/load"
w=$(cat "$dir/load")
until_true 30 seen '"runq".*"comm":"trc_wait"'
until_true 30 seen '"runq".*"comm":"trc_spin"'
exec 9>&-
wait $queue
end
sees who_waits_for_a_cpu_learns_who_had_it '[.[] | select(.event == "runq" and .pid == $w.waiter) | .ran // [] | .[].pid] | unique | (. - (. - $w.spinners)) | length >= 1' \
	'[.[] | select(.event == "runq" and .pid == $w.waiter)][0:3]'
sees shares_add_up_to_the_wait '[.[] | select(.event == "runq") | (([.ran // [] | .[].seconds] | add // 0) + (.others_seconds // 0) + (.throttled_seconds // 0) + (.unseen_seconds // 0)) / .seconds | . > 0.99 and . < 1.01] | length >= 1 and all' \
	'[.[] | select(.event == "runq")][0:3]'

# --- options and ends ----------------------------------------------------------------------------

w='{}'
rm -f "$dir/load"
"$flood" 1000000 >"$dir/load" &
victim=$!
until_true 10 grep -q ready "$dir/load"
"$sixty" trace signal -p $victim --json >"$dir/out" 2>"$dir/err" &
tracer=$!
until_true 20 sh -c "kill -WINCH $victim && grep -q SIGWINCH '$dir/out'"
kill -USR1 $victim
wait $victim
kill -INT $tracer
wait $tracer
tracer=
tail -n 1 "$dir/out" >"$dir/events"
# SIGUSR1 that let it begin, SIGCHLD at its end, and those that we knocked with
winch=$(grep -c SIGWINCH "$dir/out")
sees a_flood_is_told_or_counted_to_the_last_event '.[0] | .ledger.loss.events.signal + .events.signal == 1000002 + '"$winch" \
	'[.[0].events, .[0].ledger.loss, '"$winch"']'
sees a_flood_does_not_make_it_grow '.[0].ledger.cost.rss_bytes < 33554432' '.[0].ledger.cost'

"$sixty" trace exec -n 5 --format csv >"$dir/out" 2>"$dir/err" &
tracer=$!
until_true 30 sh -c "'$dir/trc_true'; ! kill -0 $tracer"
wait $tracer && [ "$(wc -l <"$dir/out")" = 6 ]
check count_ends_it_at_the_very_event $? "$(cat "$dir/err"; wc -l <"$dir/out")"
tracer=

"$sixty" trace exec --timestamps boot --format csv >"$dir/out" 2>"$dir/err" &
tracer=$!
until_true 30 marked begin
boot=$(cut -d ' ' -f 1 /proc/uptime)
kill -TERM $tracer
wait $tracer
[ $? = 1 ] && [ ! -s "$dir/err" ]
check sigterm_leaves_no_last_line $? "$(cat "$dir/err")"
tracer=
awk -F, -v b="$boot" 'NR == 2 { exit !($1 > b - 60 && $1 <= b + 1) }' "$dir/out"
check boot_time_is_that_of_proc_uptime $? "$boot, $(sed -n 2p "$dir/out")"

("$sixty" trace exec 2>"$dir/err"; echo "status $?" >"$dir/status") | head -n 1 >"$dir/out" &
reader=$!
until_true 30 sh -c "'$dir/trc_true'; test -s '$dir/status'"
wait $reader
grep -q 'status 0' "$dir/status" && [ ! -s "$dir/err" ]
check a_reader_that_goes_makes_no_noise $? "$(cat "$dir/status" "$dir/err")"

"$sixty" trace exec exit --json -o "$dir/whole" >"$dir/out" 2>"$dir/err" &
tracer=$!
sleep 1
"$dir/trc_true"
sleep 0.3
[ ! -e "$dir/whole" ]
check a_file_is_not_there_before_it_is_whole $? "$(ls -la "$dir")"
kill -INT $tracer
wait $tracer && [ ! -s "$dir/out" ] && jq -se 'last.schema == "sixty.trace/1" and .[0].event != null' "$dir/whole" >/dev/null
check and_then_it_holds_all_of_it $? "$(cat "$dir/err"; tail -n 1 "$dir/whole" | head -c 300)"
chmod 600 "$dir/whole"
"$sixty" trace exec exit -d 0.3 --format csv -o "$dir/whole" 2>"$dir/err" && [ "$(stat -c %a "$dir/whole")" = 600 ] && head -n 1 "$dir/whole" | grep -q '^time,'
check a_file_that_is_replaced_keeps_its_mode $? "$(cat "$dir/err"; ls -la "$dir/whole"; head -n 1 "$dir/whole")"
for signal in TERM KILL; do
	"$sixty" trace exec -o "$dir/torn" >"$dir/out" 2>"$dir/err" &
	tracer=$!
	sleep 1
	kill -$signal $tracer
	wait $tracer 2>/dev/null
	! compgen -G "$dir/torn*" >/dev/null && ! compgen -G "$dir/.torn*" >/dev/null
	check "sig${signal,,}_leaves_no_file" $? "$(ls -la "$dir")"
done
tracer=
"$sixty" trace exec -d 0.3 -o /dev/full >"$dir/out" 2>"$dir/err"
[ $? = 1 ] && grep -q 'cannot write /dev/full: No space' "$dir/err"
check a_full_disk_is_told $? "$(cat "$dir/err")"

refuses() {
	local name=$1 words=$2
	shift 2
	"$sixty" trace "$@" >"$dir/out" 2>"$dir/err"
	[ $? = 2 ] && grep -q -e "$words" "$dir/err"
	check "$name" $? "$(cat "$dir/err")"
}
refuses no_event_is_wrong_usage 'at least one event'
refuses an_unknown_event_is_wrong_usage "no event 'exce'" exce
refuses a_duration_is_checked 'takes a duration' bio --min soon
refuses a_group_is_checked 'no control group' exec -C nonsense

if [ -e /proc/modules ]; then
	echo 'skip an_event_that_cannot_be_had_is_told: this kernel has modules'
else
	"$sixty" trace module >"$dir/out" 2>"$dir/err"
	[ $? = 1 ] && grep -q 'cannot trace module' "$dir/err" && grep -q doctor "$dir/err"
	check an_event_that_cannot_be_had_is_told $? "$(cat "$dir/err")"
fi
if command -v setpriv >/dev/null; then
	cp "$sixty" "$dir/sixty"
	chmod 755 "$dir" "$dir/sixty"
	setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all "$dir/sixty" trace exec >"$dir/out" 2>"$dir/err"
	[ $? = 1 ] && grep -q 'none of these events can be had' "$dir/err"
	check without_rights_it_says_so $? "$(cat "$dir/err")"
else
	echo 'skip without_rights_it_says_so: no setpriv'
fi
