#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sixty hist: what a work of known size did is counted, to the last one, and lies where a second method says.
# timeout: 600
# live
# shellcheck disable=SC2016 # programs of jq have dollars of their own
set -u
export LC_ALL=C.UTF-8

sixty=${B:-build}/sixty
tally=${B:-build}/tests/workloads/tally
here=$(dirname "$0")/..
dir=$(mktemp -d -p "${B:-build}") || exit 1 # on a disk: /tmp may be none
watcher='' worker='' busy='' loop='' group='' squeeze=''

finish() {
	[ -z "$watcher" ] || kill -9 "$watcher" 2>/dev/null
	[ -z "$worker" ] || kill -9 "$worker" 2>/dev/null
	[ -z "$busy" ] || kill -9 "$busy" 2>/dev/null
	mountpoint -q "$dir/m" && umount "$dir/m"
	[ -z "$loop" ] || losetup -d "$loop"
	[ -z "$group" ] || rmdir "$group" 2>/dev/null
	[ -z "$squeeze" ] || rmdir "$squeeze" 2>/dev/null
	rm -rf "$dir"
}
trap finish EXIT

# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

if [ "$(id -u)" != 0 ] || ! "$sixty" hist cpudist -d 0.1 >/dev/null 2>"$dir/err"; then
	echo "skip hist: needs root and eBPF: $(head -n 1 "$dir/err" 2>/dev/null)"
	exit 0
fi
for need in jq python3; do
	command -v $need >/dev/null || {
		echo "skip hist: no $need"
		exit 0
	}
done

lines() {
	[ "$(wc -l <"$dir/out")" -ge "$1" ]
}

# begin NAME OPTION…: counts by now
begin() {
	: >"$dir/out"
	"$sixty" hist "$@" -i 0.25 --budget 0 --json >"$dir/out" 2>"$dir/err" &
	watcher=$!
	until_true 30 lines 1
}

# All that has happened is counted, and merged.
end() {
	kill -INT "$watcher"
	wait "$watcher"
	status=$?
	watcher=
	jq -s -f "$here/hist/merge.jq" "$dir/out" >"$dir/merged" 2>>"$dir/err"
}

# employ WHAT N [FILE]: a worker that is ready, and asleep
employ() {
	: >"$dir/load"
	"$tally" "$@" >"$dir/load" &
	worker=$!
	until_true 10 grep -q ready "$dir/load"
	until_true 10 asleep
}

asleep() {
	grep -q '^State:.S' "/proc/$worker/status"
}

work() {
	kill -USR1 "$worker"
	until_true 60 grep -q 'done' "$dir/load"
	until_true 10 asleep
}

dismiss() {
	kill -USR1 "$worker"
	wait "$worker"
	worker=
}

# sees NAME FILTER [WHAT TO SHOW]: of what was merged; $w is what is known
sees() {
	local why
	if jq -e --argjson w "${w:-null}" "$2" "$dir/merged" >"$dir/answer" 2>&1; then
		echo "ok $1"
	else
		why=$(jq -c --argjson w "${w:-null}" "${3:-[.rows[] | del(.buckets)]}" "$dir/merged" 2>&1 | head -c 500)
		echo "not ok $1: known ${w:-nothing}, seen $why $(head -n 2 "$dir/err")"
	fi
}

# measure FUNCTION FILTER: what FUNCTION does and counts, until FILTER holds. An interrupt that hits a process which this
# machine hides from programs is hidden as well (docs/method.md): then there is an event less, and it is tried again.
measure() {
	for _ in 1 2 3 4 5; do
		"$1"
		jq -e --argjson w "${w:-null}" "$2" "$dir/merged" >/dev/null 2>&1 && return
	done
}

# --- the scheduler -------------------------------------------------------------------------------

# of all threads, living or not: /proc/PID/status has the leader's only
switched() {
	awk '/ctxt_switches/ { n += $2 } END { print n }' /proc/"$worker"/task/*/status
}

# The thread that answers is gone in the end; its partner was switched to as often as it left.
sleeper_waits() {
	local before
	employ sleeps 100
	begin runqlat -p $worker
	before=$(switched)
	work
	w=$(($(switched) - before))
	end
	dismiss
}
one_wait_per_switch='[.rows[] | select(.key.measure == "wait").count] | add == $w'
measure sleeper_waits "$one_wait_per_switch"
check ctrl_c_is_a_normal_end "$status" "exit status $status"
sees every_switch_to_a_thread_ends_a_wait "$one_wait_per_switch"
sees nothing_of_it_is_lost '.ledger.loss | .before_attach == 0 and .maps.hist_index == 0' .ledger.loss
sees programs_have_their_price '[.ledger.cost.programs[] | select(.name == "sched_switch" and .events > 0 and .ns_per_event > 0)] | length == 1' .ledger.cost

employ waits 600
begin runqlat -p $worker
before=$(awk '{ n += $2 } END { print n }' /proc/$worker/task/*/schedstat)
kill -USR1 $worker
two_run() { [ "$(find "/proc/$worker/task" -mindepth 1 -maxdepth 1 | wc -l)" = 2 ]; }
until_true 10 two_run
# the second thread dies with its account: look at it as long as it lives
while two_run; do
	second=$(cat /proc/$worker/task/*/schedstat 2>/dev/null | sed -n 2p)
	[ -z "$second" ] || kept=$second
done
until_true 10 grep -q 'done' "$dir/load"
until_true 10 asleep
after=$(awk '{ print $2 }' /proc/$worker/task/$worker/schedstat)
end
w=$(jq -n "($after + ${kept#* } - $before) / 1e9" 2>/dev/null || jq -n "($after + $(cut -d ' ' -f 2 <<<"$kept") - $before) / 1e9")
sees waits_add_up_to_the_schedulers_own_account '[.rows[] | select(.key.measure == "wait").sum] | add | . / $w > 0.97 and . / $w < 1.03'
dismiss

sleeper_sleeps() {
	employ sleeps 50
	begin offcpu -p $worker
	work
	end
	dismiss
}
w=51 # and the wait for the signal that let it begin
measure sleeper_sleeps '[.rows[] | select(.key.cause == "timer").count] == [$w]'
sees sleeps_are_counted_by_cause '[.rows[] | select(.key.cause == "timer").count] == [$w]'
sees and_last_as_long_as_they_did '.rows[] | select(.key.cause == "timer") | .p50 > 0.0188 and .p50 < 0.0225'

# what the scheduler itself has noted of a thread: nanoseconds that it ran and waited, and how often it came
account() {
	cut -d ' ' -f "$1" "/proc/$worker/schedstat"
}
spinner_spins() {
	local before came
	employ spins 100
	begin cpudist -p $worker
	before=$(account 1) came=$(account 3)
	work
	w=$(jq -nc "{ran: (($(account 1) - $before) / 1e9), came: ($(account 3) - $came)}")
	end
	dismiss
}
measure spinner_spins '[.rows[].count] == [$w.came]'
sees slices_are_as_many_as_the_scheduler_has_noted '[.rows[].count] == [$w.came]'
sees slices_add_up_to_the_schedulers_own_account '.rows[0].sum / $w.ran | . > 0.96 and . < 1.05'
sees slices_last_as_long_as_they_did '.rows[0] | .sum > 0.29 and .max > 0.0029'

employ sleeps 50
begin wakeup
work
end
w=$worker
sees wakeups_are_told_by_process '[.rows[] | select(.key.pid == $w)] | length == 1 and .[0].count >= 50 and .[0].count <= 60 and .[0].key.process == "tally"'
dismiss

employ switches 20000
begin runqlat --per cpu -p $worker
before=$(switched)
work
after=$(switched)
end
w=$((after - before))
sees a_pinned_process_waits_on_its_cpu_only '(.rows | map(select(.key.cpu == "cpu0").count) | add) > 39000 and (.rows | map(select(.key.cpu == "cpu1").count) | add // 0) <= 20'
dismiss

# One of the idle class waits for whoever shares its CPU, for seconds. The scheduler adds a wait to its account when it ends.
taskset -c 0 sh -c 'while :; do :; done' &
busy=$!
taskset -c 0 chrt -i 0 sh -c 'while :; do :; done' &
worker=$!
waited() { cut -d ' ' -f 2 "/proc/$worker/schedstat"; }
still() { [ "$(waited)" = "$before" ]; }
sleep 0.5
before=$(waited)
until_true 10 eval '! still'
before=$(waited)
sleep 0.5
begin runqlat -p $worker
until_true 20 eval '! still'
after=$(waited)
end
kill $busy $worker
wait $busy $worker 2>/dev/null
worker=
w=$(jq -n "($after - $before) / 1e9")
sees a_wait_that_had_begun_is_counted_whole '.rows[0].max / $w | . > 0.97 and . < 1.03' '[.rows[0].max, .rows[0].count]'

# three that never sleep, and whoever else is there
for _ in 1 2 3; do
	taskset -c 0 timeout 4 sh -c 'while :; do :; done' &
done
sleep 0.5
begin runqlen --per cpu
sleep 2
end
w=3
sees run_queues_are_as_long_as_they_are '[.rows[] | select(.key.cpu == "cpu0")] | length == 1 and .[0].p50 >= $w and .[0].p50 <= $w + 2 and .[0].count >= 30'
wait

# --- timers and work of the kernel ---------------------------------------------------------------

employ sleeps 100
begin timer
work
end
w=100
sees timers_are_told_by_function '[.rows[] | select(.key.function == "hrtimer_wakeup")] | length == 1 and .[0].count >= $w and .[0].p50 < 0.005'
dismiss

# one work on every CPU for each
if [ -w /proc/sys/vm/stat_refresh ]; then
	begin workqueue
	for _ in $(seq 20); do
		echo 1 >/proc/sys/vm/stat_refresh
	done
	end
	w=$((20 * $(nproc)))
	sees work_is_counted_to_the_last_one '[.rows[] | select(.key.function == "refresh_vm_stats") | [.key.measure, .count]] | sort == [["delay", $w], ["run", $w]]'
else
	echo 'skip work_is_counted_to_the_last_one: no vm.stat_refresh'
fi

# --- locks ---------------------------------------------------------------------------------------

lock_is_held() {
	employ mutex 50
	begin lock -p $worker
	work
	end
	dismiss
}
w=50
once_each='[.rows[] | select(.key.measure == "futex") | .buckets[] | select(.[0] > 0.016 and .[1] < 0.026) | .[2]] | add == $w'
measure lock_is_held "$once_each"
sees a_lock_that_is_held_is_waited_for_once "$once_each"
sees as_long_as_it_is_held '[.rows[] | select(.key.measure == "futex").sum] | add | . > 0.9 and . < 1.2'

# Two append to one file past the page cache: each holds its lock for as long as the disk takes.
begin lock --per process
python3 -c '
import mmap, os, sys, threading
buffer = mmap.mmap(-1, 1 << 20)
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_DIRECT)
def write():
    for _ in range(20):
        os.write(fd, buffer)
threads = [threading.Thread(target=write) for _ in range(2)]
[t.start() for t in threads]
[t.join() for t in threads]
print(os.getpid())' "$dir/both" >"$dir/pid"
end
w=$(cat "$dir/pid")
sees locks_of_the_kernel_are_told_by_process '[.rows[] | select(.key.pid == $w and .key.measure == "kernel")] | length == 1 and .[0].count >= 10 and .[0].count <= 60 and .[0].max > 0.0001'

# --- disks ---------------------------------------------------------------------------------------

disk=$(basename "$(readlink -f "/sys/dev/block/$(stat -c '%Hd:%Ld' "$dir")")")
[ ! -e "/sys/class/block/$disk/partition" ] || disk=$(basename "$(dirname "$(readlink -f "/sys/class/block/$disk")")")
dd if=/dev/urandom of="$dir/file" bs=1M count=32 status=none
sync "$dir/file"

if command -v fio >/dev/null && [ -e "/sys/block/$disk/mq" ]; then
	# run_fio NAME OPTION…: fio under a histogram; it begins when that counts, and writes besides to tell what it did.
	mkfifo "$dir/go"
	run_fio() {
		local name=$1
		shift
		sh -c 'read -r _ <"$1"; shift; exec fio "$@"' - "$dir/go" --name=known --filename="$dir/file" --direct=1 \
			--ioengine=psync --output-format=json --thread --rw=randread --size=32m "$@" >"$dir/fio" 2>&1 &
		worker=$!
		begin "$name" -p $worker --disk "$disk" --per operation
		echo go >"$dir/go"
		wait $worker
		worker=
		end
	}
	reads='.key.operation == "read" and .key.measure'
	timed() {
		run_fio biolat --bs=64k --number_ios=400
		w=$(jq -c '.jobs[0].read | {n: .total_ios, clat: .clat_ns.percentile, mean: .clat_ns.mean}' "$dir/fio")
	}
	measure timed "[.rows[] | select($reads == \"total\").count] == [400]"
	sees every_read_is_counted_once "[.rows[] | select($reads == \"total\").count] == [\$w.n] and \$w.n == 400"
	sees in_the_device_too "[.rows[] | select($reads == \"device\").count] == [\$w.n]"
	sees percentiles_are_those_of_fio ".rows[] | select($reads == \"total\")
		| (.p50 / \$w.clat[\"50.000000\"] * 1e9) as \$a | (.p90 / \$w.clat[\"90.000000\"] * 1e9) as \$b | [\$a, \$b] | all(. > 0.75 and . < 1.07)"
	sized() {
		run_fio bitesize --bs=16k --number_ios=300
	}
	sizes='[.rows[] | select(.key.operation == "read") | .buckets[] | select(.[0] <= 16384 and .[1] > 16384) | .[2]] | add'
	measure sized "$sizes == 300"
	sees sizes_are_counted "$sizes == 300"
	begin biolat --disk "$disk" --per process
	dd if="$dir/file" of=/dev/null bs=64k count=40 iflag=direct status=none
	end
	sees disks_are_told_by_process '[.rows[] | select(.key.process == "dd" and .key.measure == "total").count] | length == 1 and .[0] >= 36 and .[0] <= 60'
	begin bitesize --disk "$disk" --per operation
	dd if=/dev/zero of="$dir/file2" bs=128k count=8 oflag=direct status=none
	end
	sees operations_are_told_apart '[.rows[] | select(.key.operation == "write")] | length == 1 and .[0].sum >= 1048576 * 0.9'
else
	echo "skip every_read_is_counted_once: no fio, or no disk with requests below $dir"
fi

dd if=/dev/zero of="$dir/image" bs=1M count=32 status=none
loop=$(losetup -f --show "$dir/image" 2>/dev/null) || loop=
if [ -n "$loop" ]; then
	read_loop() {
		begin biolat --disk "${loop##*/}"
		dd if="$loop" of=/dev/null bs=4k count=64 iflag=direct status=none
		end
	}
	measure read_loop '[.rows[].count] | add == 128'
	sees requests_of_one_disk_are_counted '[.rows[] | select(.key.measure == "total")] | length == 1 and .[0].count == 64 and (.[0].key.disk | startswith("loop"))'
	if echo 0 >"/sys/block/${loop##*/}/queue/iostats" 2>/dev/null; then
		measure read_loop '[.rows[].count] | add == 128'
		sees a_queue_that_keeps_no_times_is_timed_by_us '[.rows[] | select(.key.measure == "total" or .key.measure == "device").count] == [64, 64] and .ledger.loss.untimed_requests == 0' \
			'[.rows[] | del(.buckets)], .ledger.loss'
		echo 1 >"/sys/block/${loop##*/}/queue/iostats"
	else
		echo 'skip a_queue_that_keeps_no_times_is_timed_by_us: iostats cannot be switched off'
	fi
else
	echo 'skip requests_of_one_disk_are_counted: no loop device'
fi

employ faults 300 "$dir/file"
begin majfault -p $worker
before=$(awk '{ print $12 }' /proc/$worker/stat)
work
after=$(awk '{ print $12 }' /proc/$worker/stat)
end
w=$((after - before))
sees major_faults_sleep_once_each '$w >= 300 and ([.rows[] | select(.key.measure == "disk").count] | add | . >= $w * 0.9 and . <= $w * 1.1)'
dismiss

# A file system of our own: its journal tells itself how many commits it has made.
mkdir "$dir/m"
truncate -s 64M "$dir/ext4"
if mkfs.ext4 -q "$dir/ext4" 2>"$dir/err" && mount -o loop "$dir/ext4" "$dir/m" 2>>"$dir/err"; then
	journal=$(findmnt -n -o SOURCE "$dir/m")
	commits() {
		awk '/transactions/ { print $1 }' /proc/fs/jbd2/"${journal##*/}"-*/info
	}
	employ syncs 30 "$dir/m/synced"
	outer=$(commits)
	begin fsync --per process
	inner=$(commits)
	work
	inner=$(($(commits) - inner))
	end
	outer=$(($(commits) - outer))
	w="[$worker, 30, $inner, $outer, \"jbd2/${journal##*/}\"]"
	sees syncs_are_counted_to_the_last_one '[.rows[] | select(.key.pid == $w[0]).count] == [$w[1]]'
	sees commits_are_those_of_the_journal '[.rows[] | select(.key.measure == "journal" and (.key.process | startswith($w[4]))).count] | add | . >= $w[2] - 1 and . <= $w[3] and . >= 1'
	dismiss
	umount "$dir/m"
else
	echo "skip syncs_are_counted_to_the_last_one: no ext4 of our own: $(head -n 1 "$dir/err")"
fi

# --- memory --------------------------------------------------------------------------------------

# A file of 32 MiB is read in a group that may have 8: what is over the limit is told by the group itself.
limit='' told=''
if mkdir "/sys/fs/cgroup/memory/hst$$" 2>/dev/null; then
	squeeze=/sys/fs/cgroup/memory/hst$$ limit=memory.limit_in_bytes told=memory.failcnt
elif grep -qw memory /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null && mkdir "/sys/fs/cgroup/hst$$"; then
	squeeze=/sys/fs/cgroup/hst$$ limit=memory.max told=memory.events
fi
if [ -n "$squeeze" ]; then
	echo 8388608 >"$squeeze/$limit"
	begin reclaim --per process
	sync "$dir/file"
	dd if="$dir/file" iflag=nocache count=0 status=none # from the cache, where it is somebody else's
	sh -c 'echo $$ >"$1/cgroup.procs"; echo $$ >"$2/pid"; exec cat "$2/file" >/dev/null' - "$squeeze" "$dir"
	end
	case $told in
	memory.events) over=$(awk '$1 == "max" { print $2 }' "$squeeze/$told") ;;
	*) over=$(cat "$squeeze/$told") ;;
	esac
	w="[$(cat "$dir/pid"), $over]"
	sees who_has_to_make_room_is_told '[.rows[] | select(.key.pid == $w[0] and .key.measure == "group")] | length == 1 and .[0].count <= $w[1] and .[0].count >= 20'
	rmdir "$squeeze"
else
	echo 'skip who_has_to_make_room_is_told: no memory controller'
fi

# --- network -------------------------------------------------------------------------------------

employ connects 40
begin tcpconn -p $worker
work
end
w=40
sees connections_are_counted_to_the_last_one '[.rows[] | select(.key.measure == "connected").count] == [$w] and .rows[0].p50 < 0.005'
dismiss
begin tcpconn --per process
python3 -c '
import os, socket
for _ in range(15):
    try:
        socket.create_connection(("127.0.0.1", 1))
    except ConnectionRefusedError:
        pass
print(os.getpid())' >"$dir/pid"
end
w="[$(cat "$dir/pid"), 15]"
sees refused_ones_are_told_apart '[.rows[] | select(.key.pid == $w[0]) | [.key.measure, .count]] == [["failed", $w[1]]]'

# one connection, whose both ends say themselves what their round trips are
begin tcprtt
python3 -c '
import json, socket, struct, time
listener = socket.create_server(("127.0.0.1", 0))
a = socket.create_connection(listener.getsockname())
b, _ = listener.accept()
known = []
end = time.monotonic() + 3.5
while time.monotonic() < end:
    for x, y in (a, b), (b, a):
        x.send(b"x")
        y.recv(1)
        known.append(struct.unpack_from("I", x.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 68)[0] * 1e-6)
    time.sleep(0.005)
print(json.dumps([min(known), max(known)]))' >"$dir/known"
end
w=$(cat "$dir/known")
sees round_trips_are_those_of_the_connections '.rows[0] | .count >= 6 and .p50 >= $w[0] * 0.9 and .p50 <= $w[1] * 1.1'

# --- syscalls ------------------------------------------------------------------------------------

employ calls 1000
begin syscall -p $worker
work
end
w=1000
sees calls_are_counted_to_the_last_one '[.rows[] | select(.key.call == "getpgid").count] == [2 * $w] and ([.rows[] | select(.key.call == "close").count] == [$w])'
sees failures_are_counted_by_error '[.failures[] | select(.call == "getpgid" or .call == "close") | [.call, .error, .count]] == [["close", "EBADF", $w], ["getpgid", "ESRCH", $w]]' .failures
[ "$(grep -c 'slows every syscall' "$dir/err")" = 1 ]
check the_price_of_syscalls_is_told_once $? "$(cat "$dir/err")"
dismiss

# --- interrupts ----------------------------------------------------------------------------------

# Counts of two outer and two inner readings enclose ours; a few may be hidden, see above.
soft() {
	awk -v v="$1:" '$1 == v { for (i = 2; i <= NF; i++) n += $i } END { print n }' /proc/softirqs
}
hard() {
	awk 'NR > 1 && $1 ~ /^[0-9]+:$/ { for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) n += $i } END { print n }' /proc/interrupts
}
outer=$(soft SCHED)
begin softirq
inner=$(soft SCHED)
sleep 1
inner=$(($(soft SCHED) - inner))
end
outer=$(($(soft SCHED) - outer))
w="[$inner, $outer]"
sees soft_interrupts_are_those_of_proc '[.rows[] | select(.key.vector == "SCHED").count] | add | . >= $w[0] * 0.95 - 5 and . <= $w[1]'

outer=$(hard)
begin hardirq --per all
inner=$(hard)
for _ in $(seq 50); do
	dd if="$dir/file" of=/dev/null bs=64k count=4 iflag=direct status=none
done
inner=$(($(hard) - inner))
end
outer=$(($(hard) - outer))
w="[$inner, $outer]"
sees device_interrupts_are_those_of_proc '[.rows[].count] | add | . >= $w[0] * 0.95 - 5 and . <= $w[1] and $w[0] >= 50'

# --- groups --------------------------------------------------------------------------------------

for at in /sys/fs/cgroup/cpu /sys/fs/cgroup/cpu,cpuacct /sys/fs/cgroup; do
	if mkdir "$at/hst$$" 2>/dev/null; then
		group=$at/hst$$
		break
	fi
done
if [ -n "$group" ]; then
	mkdir "$group/below"
	employ sleeps 40
	echo $worker >"$group/below/cgroup.procs"
	begin offcpu -C "/hst$$" --per process
	work
	end
	w=$worker
	sees only_what_is_in_the_group_is_counted '.rows | length == 1 and .[0].key.pid == $w and .[0].count >= 40 and .[0].count <= 50'
	dismiss
	rmdir "$group/below"
else
	echo 'skip only_what_is_in_the_group_is_counted: no control group may be made'
fi

# --- forms ---------------------------------------------------------------------------------------

for format in text openmetrics csv json; do
	"$sixty" hist runqlat --per process -d 0.3 --format $format >"$dir/$format" 2>"$dir/err"
	check "it_speaks_$format" $? "$(cat "$dir/err")"
done
python3 "$here/schema/check.py" "$here/schema/hist.schema.json" "$dir/json" >"$dir/why" 2>&1
check json_is_what_the_schema_says $? "$(cat "$dir/why")"
tail -n 1 "$dir/openmetrics" | grep -qx '# EOF' && grep -q '^# TYPE sixty_hist_runqlat_seconds histogram$' "$dir/openmetrics" && grep -q 'le="+Inf"' "$dir/openmetrics"
check openmetrics_is_a_histogram $? "$(head -n 5 "$dir/openmetrics")"
python3 -c 'import csv, sys; rows = list(csv.reader(open(sys.argv[1], newline=""))); sys.exit(len({len(r) for r in rows}) != 1 or len(rows) < 3)' "$dir/csv"
check csv_is_a_table $? "$(head -n 2 "$dir/csv")"
"$sixty" hist runqlat -d 1 >"$dir/text" 2>&1
grep -q 'off by 6.25 % at most' "$dir/text" && grep -q 'What looking cost' "$dir/text" && grep -Eq '^ +[0-9.]+ [nu]?s \.\. +[0-9.]+ [num]?s +[0-9]+ +[0-9.]+ %' "$dir/text"
check text_says_its_error_and_its_cost $? "$(cat "$dir/text")"
"$sixty" hist runqlat --heat -i 0.2 -n 5 --ascii >"$dir/heat" 2>&1
grep -q '5 intervals' "$dir/heat" && [ "$(grep -c '|.....|$' "$dir/heat")" -ge 1 ] && ! LC_ALL=C grep -q '[^ -~]' "$dir/heat"
check a_heat_map_has_a_column_per_interval $? "$(cat "$dir/heat")"
"$sixty" hist runqlat -i 0.2 -n 3 -o "$dir/file.json" --json 2>"$dir/err" && [ "$(wc -l <"$dir/file.json")" = 3 ] && jq -se 'all(.schema == "sixty.hist/1")' "$dir/file.json" >/dev/null
check intervals_go_to_a_file_as_one $? "$(cat "$dir/err")"
"$sixty" triage -d 1 --json >"$dir/triage" 2>"$dir/err"
jq -e '[.histograms[] | select(.name == "runqlat" and .key.measure == "wait") | .count > 0 and .p50 != null and .open.count >= 0] == [true] and ([.unknown[].id] | index("histograms") == null)' "$dir/triage" >/dev/null
check triage_has_waits_and_disks $? "$(jq -c '.histograms' "$dir/triage" | head -c 300)"

# --- what is wrong -------------------------------------------------------------------------------

refuses() {
	local name=$1 status=$2 words=$3
	shift 3
	"$sixty" hist "$@" >"$dir/out" 2>"$dir/err"
	[ $? = "$status" ] && grep -q -e "$words" "$dir/err" && [ ! -s "$dir/out" ]
	check "$name" $? "$(cat "$dir/err")"
}
# a byte handed to and fro costs more than a thousandth of a CPU
employ switches 100000000
kill -USR1 $worker
"$sixty" hist runqlat -d 20 --budget 0.1 --json >"$dir/json" 2>"$dir/err"
jq -e '.window.seconds < 8 and ([.ledger.cost.programs[] | select(.name == "sched_switch") | .stopped_after > 0.9] == [true]) and ([.histograms[].count] | add > 1000)' "$dir/json" >/dev/null &&
	grep -q 'sched_switch cost .* of a CPU (--budget)' "$dir/err"
check what_costs_too_much_is_ended $? "$(cat "$dir/err") $(jq -c '[.window.seconds, .ledger.cost.programs]' "$dir/json")"
kill -9 $worker
wait $worker 2>/dev/null
worker=

refuses no_name_is_wrong_usage 2 'needs a distribution'
refuses an_unknown_name_is_wrong_usage 2 "no distribution 'runqlet'" runqlet
refuses two_names_are_wrong_usage 2 'takes one distribution' runqlat biolat
refuses an_unknown_key_is_wrong_usage 2 '--per takes all, cpu, process' runqlat --per disk
refuses a_filter_that_means_nothing_is_refused 2 "nobody's" softirq -p 1
refuses a_disk_is_for_disks_only 2 'goes with biolat' runqlat --disk vda
refuses an_unknown_disk_is_told 1 'no disk' biolat --disk ../vda
refuses a_process_that_is_not_there_is_told 1 'no process' runqlat -p 4194304
refuses a_group_that_is_not_there_is_told 1 'no control group' runqlat -C /nothing/here
refuses nonsense_for_a_group_is_told 1 'is no control group' runqlat -C nonsense
refuses a_heat_map_is_text 2 'is text' runqlat --heat --json

employ sleeps 5
"$sixty" hist runqlat -p $worker -d 30 >"$dir/out" 2>"$dir/err" &
watcher=$!
sleep 0.5
work
dismiss
until_true 10 sh -c "! kill -0 $watcher"
wait $watcher && grep -q 'has ended' "$dir/err" && grep -q 'waits for a CPU' "$dir/out"
check the_end_of_a_process_ends_it $? "$(cat "$dir/err")"
watcher=

programs() {
	cat /proc/[0-9]*/fdinfo/* 2>/dev/null | grep -c '^prog_id:'
}
before=$(programs)
"$sixty" hist syscall -d 60 >/dev/null 2>&1 &
watcher=$!
more() { [ "$(programs)" -gt "$before" ]; }
until_true 10 more
kill -9 $watcher
wait $watcher 2>/dev/null
watcher=
[ "$(programs)" = "$before" ] && [ -z "$(find /sys/fs/bpf -mindepth 1 2>/dev/null)" ]
check nothing_is_left_after_sigkill $? "$before, $(programs)"

("$sixty" hist runqlat -i 0.1 2>"$dir/err"; echo "status $?" >"$dir/status") | head -n 1 >"$dir/out" &
until_true 20 test -s "$dir/status"
grep -q 'status 0' "$dir/status" && [ ! -s "$dir/err" ]
check a_reader_that_goes_makes_no_noise $? "$(cat "$dir/status" "$dir/err")"
