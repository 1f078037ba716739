#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Profiles: unwind rules against readelf, then a program whose stacks and shares of CPU time are known by construction, in two
# libraries, without frame pointers, stripped, deleted, watched from its beginning or later.
# timeout: 300
# live
set -u
export LC_ALL=C.UTF-8

sixty=${B:-build}/sixty
unwind=${B:-build}/tests/tools/unwind
dir=$(mktemp -d) || exit 1
loads=()

finish() {
	[ ${#loads[@]} = 0 ] || kill -9 "${loads[@]}" 2>/dev/null
	rm -rf "$dir"
}
trap finish EXIT

# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

# Every row of the call frames of these.
libraries=()
python=/usr/bin/python3 # the first of the path may be a script
[ -x $python ] || python=python3
for f in $python "$(command -v redis-server)" "$(command -v bash)" "$(command -v nginx || echo /usr/sbin/nginx)" \
	$(ldd "$sixty" | awk '$3 ~ /^\// { print $3 } $1 ~ /^\/.*ld/ { print $1 }') "$sixty"; do
	[ "$(head -c 4 "$f" 2>/dev/null | tr -d '\177')" != ELF ] || libraries+=("$(readlink -f "$f")")
done
if [ "$(uname -m)" = x86_64 ]; then
	python3 tests/profile/frames.py "$unwind" "${libraries[@]}" >"$dir/out" 2>&1
	check unwind_rules_are_those_that_readelf_prints $? "$(cat "$dir/out")"
else
	echo "skip unwind_rules_are_those_that_readelf_prints: the rules of $(uname -m) are not compared"
fi

# What is wrong is said before anything is watched.
refused() { # NAME STATUS SENTENCE ARGUMENTS...
	local name=$1 want=$2 sentence=$3 status
	shift 3
	"$sixty" profile "$@" >"$dir/out" 2>&1
	status=$?
	[ "$status" = "$want" ] && grep -qF -- "$sentence" "$dir/out"
	check "$name" $? "exit status $status: $(cat "$dir/out")"
}
refused an_unknown_suffix_is_refused 2 'it has to end in .svg' -d 1 -o "$dir/x.foo"
refused what_is_no_process_id_is_refused 2 'not '"'12,x'" -p 12,x
refused one_way_to_choose_is_enough 2 'takes one of' -p 1 -a
refused one_mode_is_enough 2 'takes one of --cpu and --off-cpu' --cpu --off-cpu -p 1
refused lengths_are_of_waits 2 'are of waits' --shortest 1 -p 1
refused a_period_needs_an_event 2 'needs -e EVENT' -c 10 -d 1

tests='shares_are_those_of_the_construction_at_999_hz shares_are_those_of_the_construction_at_99_hz stacks_are_whole'
tests="$tests every_call_of_a_recursion_is_there threads_and_children_are_seen a_process_is_watched_with_the_children_that_it_has"
tests="$tests a_deleted_and_stripped_program_has_whole_stacks symbols_are_found_by_build_id symbols_are_found_in_debug_data"
tests="$tests an_early_end_keeps_the_result a_process_that_ends_ends_the_profile a_process_that_is_gone_is_said_to_be"
tests="$tests a_command_that_cannot_run_is_said_so without_the_kernel_there_is_none_of_it python_and_redis_have_whole_stacks"
tests="$tests a_number_in_another_namespace_is_that_process every_hit_of_a_tracepoint_is_a_sample a_sample_weighs_the_events_that_it_stands_for faults_are_sampled_where_they_happen"
tests="$tests an_event_that_nobody_knows_is_said_to_be an_event_that_cannot_be_sampled_says_why"
tests="$tests wall_time_of_a_thread_is_as_long_as_it_was_there who_wakes_stands_on_top_of_the_wait stacks_add_up_to_what_was_measured"
tests="$tests waits_have_their_lengths_and_causes waits_that_do_not_end_count short_waits_can_be_left_out waits_are_in_every_format"
tests="$tests every_format_is_written the_report_tells_functions_and_cost"
if ! "$sixty" doctor --json | jq -e '.programs[] | select(.name == "profile_tick" and .status == "ok")' >/dev/null; then
	why=$("$sixty" doctor --json | jq -r '[.checks[] | select(.id == "bpf") | .found][0] // "no eBPF"')
	for t in $tests; do
		echo "skip $t: CPUs cannot be sampled here: $why"
	done
	exit 0
fi
refused a_process_that_is_gone_is_said_to_be 1 'there is no process 4194303' -p 4194303 -d 1
refused a_command_that_cannot_run_is_said_so 1 'cannot run /no/such: No such file' -- /no/such

# Events whose number is known: five children; 20,000 reads and what dd needs to begin.
"$sixty" profile -e sched:sched_process_fork -o "$dir/fork.folded" -- sh -c 'for i in 1 2 3 4 5; do /bin/true; done; exit 0' >"$dir/out" 2>"$dir/err"
[ "$(awk '{ n += $NF } END { print n }' "$dir/fork.folded")" = 5 ] && grep -q 'kernel_clone_\[k\] 5$' "$dir/fork.folded"
check every_hit_of_a_tracepoint_is_a_sample $? "$(cat "$dir/fork.folded" "$dir/err")"
"$sixty" profile -e syscalls:sys_enter_read -c 100 -o "$dir/read.json" -- dd if=/dev/zero of=/dev/null bs=1 count=20000 status=none >"$dir/out" 2>"$dir/err"
jq -e '.values[0] == {"name": "syscalls:sys_enter_read", "unit": "count"} and .event == "syscalls:sys_enter_read" and (.hertz // 0) == 0 and
	([.samples[][4]] | add >= 19800 and add <= 20200) and ([.samples[][5]] | add >= 198 and add <= 202)' "$dir/read.json" >/dev/null
check a_sample_weighs_the_events_that_it_stands_for $? "$(jq -c '[.values, .event, .hertz, ([.samples[][4]] | add)]' "$dir/read.json") $(cat "$dir/err")"
# 64 MiB that are touched page by page: 16,384 faults, or fewer and larger ones.
"$sixty" profile -e page-faults -c 200 -o "$dir/fault.folded" -- dd if=/dev/zero of=/dev/null bs=64M count=1 status=none >"$dir/out" 2>"$dir/err"
faults=$(awk '{ n += $NF } END { print n }' "$dir/fault.folded")
counted=$("$sixty" stat -e page-faults --json -- dd if=/dev/zero of=/dev/null bs=64M count=1 status=none | jq '.counts[0].count')
[ $((10 * faults)) -ge $((9 * counted)) ] && [ $((10 * faults)) -le $((11 * counted + 2000)) ]
check faults_are_sampled_where_they_happen $? "$faults sampled, $counted counted: $(cat "$dir/err")"
refused an_event_that_nobody_knows_is_said_to_be 2 "there is no event 'nosuch'" -e nosuch -d 1
if "$sixty" stat -e cycles -d 0.1 >/dev/null 2>&1; then
	echo 'skip an_event_that_cannot_be_sampled_says_why: this machine has a PMU'
else
	refused an_event_that_cannot_be_sampled_says_why 1 'cannot sample cycles: no PMU here' -e cycles -d 1
fi
refused a_tracepoint_has_no_modes 2 'leave :u and :k out' -e sched:sched_switch:u -d 1

build() { # DIRECTORY OPTIONS...
	local to=$1 cc=${CC:-cc}
	shift
	mkdir -p "$to"
	set -- "$@" -O2 -fomit-frame-pointer -fno-ipa-icf -fno-inline -I tests/profile
	"$cc" "$@" -shared -fPIC -o "$to/libburn.so" tests/profile/burn.c &&
		"$cc" "$@" -shared -fPIC -o "$to/libclimb.so" tests/profile/climb.c &&
		"$cc" "$@" -pthread -o "$to/tall" tests/profile/tall.c -L"$to" -lclimb -lburn -Wl,-rpath,"$to"
}
if ! build "$dir/plain" 2>"$dir/err"; then
	for t in $tests; do
		check "$t" 1 "does not build: $(cat "$dir/err")"
	done
	exit 0
fi
tall=$dir/plain/tall

# samples PATTERN FILE: with a stack like that
samples() {
	awk -v p="$1" '{ n = $NF; sub(/ [0-9.]+$/, ""); if ($0 ~ p) sum += n } END { print sum + 0 }' "$2"
}

for hz in 999 99; do
	"$sixty" profile -F $hz -o "$dir/$hz.folded" -- "$tall" $((hz > 99 ? 2 : 4)) 1 >"$dir/out" 2>"$dir/err"
	read -r seven two one < <(grep -E '^[0-9.]+ [0-9.]+ [0-9.]+$' "$dir/out")
	why=$(python3 tests/profile/shares.py "$dir/$hz.folded" "${seven:-0}" "${two:-0}" "${one:-1}" 60 2>&1)
	check shares_are_those_of_the_construction_at_${hz}_hz $? "$why $(cat "$dir/err")"
done

# Of what burns, from the first frame to the last. While a program maps its libraries not every stack is whole: it is watched
# when it runs.
"$tall" 6 1 >/dev/null &
burns=$!
sleep 1
"$sixty" profile -F 999 -d 2 -p $burns -o "$dir/whole.folded" >"$dir/out" 2>"$dir/err"
kill $burns 2>/dev/null
wait $burns 2>/dev/null
all=$(samples '^tall;' "$dir/whole.folded")
whole=$(samples '^tall;[^;]*;[^;]*;tall_work;climb;' "$dir/whole.folded")
lost=$(samples 'lost' "$dir/whole.folded")
[ "$all" -gt 100 ] && [ $((100 * whole)) -ge $((90 * all)) ] && [ $((100 * lost)) -le "$all" ]
check stacks_are_whole $? "$whole of $all samples from the thread's start, $lost lost something: $(sort -t' ' -k2 "$dir/whole.folded" | head -3)"
twenty_one=$(samples 'tall_work(;climb)(;climb)(;climb)(;climb)(;climb)(;climb)(;climb)(;climb)(;climb)(;climb)(;climb)(;climb)(;climb)(;climb)(;climb)(;climb)(;climb)(;climb)(;climb)(;climb)(;climb);[^;]*q?sort' "$dir/whole.folded")
[ $((100 * twenty_one)) -ge $((90 * all)) ]
check every_call_of_a_recursion_is_there $? "$twenty_one of $all: $(head -c 400 "$dir/whole.folded")"

# Two children with two threads each, born after the profile began.
"$sixty" profile -F 499 --per-thread -o "$dir/family.folded" -- "$tall" 2 2 2 >"$dir/out" 2>"$dir/err"
threads=$(grep burn_ "$dir/family.folded" | cut -d';' -f2 | sort -u | wc -l)
[ "$threads" = 6 ]
check threads_and_children_are_seen $? "$threads threads: $(cut -d';' -f1,2 "$dir/family.folded" | sort | uniq -c) $(cat "$dir/err")"

# Time off the CPU, function by function, as the program itself has measured it.
waits=$dir/waits
${CC:-cc} -O2 -fomit-frame-pointer -fno-inline -fno-optimize-sibling-calls -pthread -o "$waits" tests/profile/waits.c 2>"$dir/err"
"$sixty" profile --off-cpu --per-thread -o "$dir/waits.folded" -- "$waits" 4 "$dir/waits.file" >"$dir/waits.out" 2>>"$dir/err"
grep -E '^(wait|sleep)_' "$dir/waits.out" >"$dir/waits.truth"
why=$(python3 tests/profile/waits.py "$dir/waits.folded" "$dir/waits.truth" 2>&1)
check waits_have_their_lengths_and_causes $? "$why $(cat "$dir/err") $(tail -n 16 "$dir/waits.out")"
sed -n 's/^  \([0-9.]*\) s off the CPU were measured, \([0-9.]*\) s are in stacks.*/\1 \2/p' "$dir/waits.out" >"$dir/sums"
awk '{ n++; if ($2 < 0.97 * $1 || $2 > 1.03 * $1) exit 1 } END { exit n != 1 }' "$dir/sums"
check stacks_add_up_to_what_was_measured $? "$(cat "$dir/waits.out")"

# On CPUs and off them, a thread is there all the time.
"$sixty" profile --wall --per-thread -o "$dir/wall.folded" -- "$waits" 3 "$dir/waits.file" >"$dir/wall.out" 2>"$dir/err"
timer=$(sed -n 's/^wait_timer \([0-9]*\) .*/\1/p' "$dir/wall.out")
awk -v thread=";waits/$timer;" 'index($0, thread) { sum += $NF } END { exit !(sum > 2.94e9 && sum < 3.06e9) }' "$dir/wall.folded"
check wall_time_of_a_thread_is_as_long_as_it_was_there $? "$(grep ";waits/$timer;" "$dir/wall.folded" | head -c 300) $(tail -n 14 "$dir/wall.out") $(cat "$dir/err")"
"$sixty" profile --wakeup -o "$dir/wakeup.folded" -- "$waits" 2 "$dir/waits.file" >"$dir/out" 2>"$dir/err"
awk '/;wait_pipe;/ { all += $NF } /;wait_pipe;.*\[awaiting_work: pipe\]_\[b\];\[woken by waits\]_\[w\];.*feed_\[w\]/ { fed += $NF } END { exit !(all > 0 && fed > 0.8 * all) }' "$dir/wakeup.folded"
check who_wakes_stands_on_top_of_the_wait $? "$(grep ';wait_pipe;' "$dir/wakeup.folded" | head -c 400) $(cat "$dir/err")"

# A thread that slept before and sleeps on: the whole window, with the stack that was read in its sleep.
"$waits" 60 "$dir/waits.file" >/dev/null &
loads=($!)
sleep 1
"$sixty" profile --off-cpu -d 2 -p "${loads[0]}" -o "$dir/open.folded" >"$dir/out" 2>"$dir/err"
awk '/;sleep_whole;/ { n = $NF; if ($0 ~ /lost/) exit 1; sum += n } END { exit !(sum > 1.96e9 && sum < 2.04e9) }' "$dir/open.folded"
check waits_that_do_not_end_count $? "$(grep sleep_whole "$dir/open.folded") $(cat "$dir/out" "$dir/err")"
"$sixty" profile --off-cpu -d 1 --shortest 500 -p "${loads[0]}" -o "$dir/long.folded" >"$dir/out" 2>"$dir/err"
grep -q sleep_whole "$dir/long.folded" && ! grep -q wait_timer "$dir/long.folded" && grep -q 'shorter or longer than is asked for' "$dir/out"
check short_waits_can_be_left_out $? "$(cat "$dir/long.folded" "$dir/out" "$dir/err")"
wrong=
for suffix in svg pb.gz speedscope.json json; do
	"$sixty" profile --off-cpu -d 0.5 -p "${loads[0]}" -o "$dir/y.$suffix" >/dev/null 2>"$dir/err" && [ -s "$dir/y.$suffix" ] || wrong="$wrong $suffix: $(cat "$dir/err")"
done
"$sixty" profile --off-cpu -d 1 -p "${loads[0]}" >"$dir/report.txt" 2>"$dir/err"
kill "${loads[@]}"
wait "${loads[@]}" 2>/dev/null
loads=()
grep -q 'awaiting_work: timer' "$dir/y.svg" && jq -e '.mode == "off-cpu" or .about.mode == "off-cpu"' "$dir/y.json" >/dev/null && zcat "$dir/y.pb.gz" | grep -aq wait_timer &&
	grep -q wait_timer "$dir/y.speedscope.json" && grep -q 'awaiting_work: timer. .blocked' "$dir/report.txt" || wrong="$wrong contents"
check waits_are_in_every_format "${#wrong}" "$wrong $(head -c 300 "$dir/y.json")"

# Attached while it runs.
"$tall" 60 1 1 &
loads=($!)
sleep 0.5
"$sixty" profile -F 499 -d 2 --per-thread -p "${loads[0]}" -o "$dir/pid.folded" >"$dir/out" 2>"$dir/err"
threads=$(grep burn_ "$dir/pid.folded" | cut -d';' -f2 | sort -u | wc -l)
[ "$threads" = 2 ]
check a_process_is_watched_with_the_children_that_it_has $? "$threads threads: $(cat "$dir/out" "$dir/err")"
# The same by its number in a PID namespace of its own, where it is the first.
unshare -p -f --kill-child "$tall" 60 1 1 &
loads+=($!)
inner=
for _ in $(seq 100); do
	inner=$(cat "/proc/${loads[1]}/task/${loads[1]}/children" 2>/dev/null)
	[ -n "$inner" ] && grep -q tall "/proc/${inner% }/comm" 2>/dev/null && break
	sleep 0.1
done
"$sixty" profile -F 499 -d 1 -p 1 --ns "${inner% }" -o "$dir/ns.folded" >"$dir/out" 2>"$dir/err"
[ "$(samples '^tall;.*burn_' "$dir/ns.folded")" -gt 10 ]
check a_number_in_another_namespace_is_that_process $? "$(head -c 300 "$dir/ns.folded") $(cat "$dir/out" "$dir/err")"
kill "${loads[1]}" 2>/dev/null
unset 'loads[1]'
"$sixty" profile -F 499 -d 1 --no-kernel -p "${loads[0]}" -o "$dir/user.folded" >"$dir/out" 2>"$dir/err"
[ "$(samples burn_ "$dir/user.folded")" -gt 10 ] && ! grep -q '_\[k\]' "$dir/user.folded"
check without_the_kernel_there_is_none_of_it $? "$(head -c 500 "$dir/user.folded") $(cat "$dir/err")"

wrong=
for suffix in svg folded pb.gz speedscope.json json; do
	"$sixty" profile -F 199 -d 0.5 -p "${loads[0]}" -o "$dir/x.$suffix" >/dev/null 2>"$dir/err" && [ -s "$dir/x.$suffix" ] || wrong="$wrong $suffix: $(cat "$dir/err")"
done
grep -q burn_seven "$dir/x.svg" && jq -e .schema "$dir/x.json" >/dev/null && zcat "$dir/x.pb.gz" | grep -aq burn_seven &&
	jq -e '.shared.frames | length > 5' "$dir/x.speedscope.json" >/dev/null || wrong="$wrong contents"
check every_format_is_written "${#wrong}" "$wrong"

"$sixty" profile -F 499 -d 1 -p "${loads[0]}" >"$dir/report.txt" 2>"$dir/err"
grep -Eq '^ *[567][0-9]\.[0-9] % .*burn_seven' "$dir/report.txt" && grep -q 'user stacks are whole' "$dir/report.txt" &&
	grep -q '^  eBPF .* CPU seconds' "$dir/report.txt"
check the_report_tells_functions_and_cost $? "$(grep burn "$dir/report.txt") $(tail -n 12 "$dir/report.txt")"

# Ctrl-C: what was seen until then.
"$sixty" profile -F 499 -d 60 -p "${loads[0]}" -o "$dir/early.folded" >"$dir/out" 2>"$dir/err" &
profiler=$!
for _ in $(seq 100); do
	readlink "/proc/$profiler/fd/"* 2>/dev/null | grep -q perf_event && break
	sleep 0.1
done
sleep 1
kill -INT $profiler
wait $profiler
status=$?
[ $status = 0 ] && [ "$(samples burn_ "$dir/early.folded")" -gt 10 ]
check an_early_end_keeps_the_result $? "exit status $status: $(cat "$dir/out" "$dir/err")"

(sleep 2; kill "${loads[@]}") &
killer=$!
begin=$SECONDS
"$sixty" profile -F 499 -d 60 -p "${loads[0]}" -o "$dir/ended.folded" >"$dir/out" 2>"$dir/err"
status=$?
wait $killer
wait "${loads[@]}" 2>/dev/null
loads=()
[ $status = 0 ] && [ $((SECONDS - begin)) -lt 40 ] && grep -q 'has ended' "$dir/err" && [ "$(samples burn_ "$dir/ended.folded")" -gt 10 ]
check a_process_that_ends_ends_the_profile $? "exit status $status after $((SECONDS - begin)) s: $(cat "$dir/out" "$dir/err")"

# Without names, without a file: functions are told apart by where they begin.
build "$dir/bare" -s 2>"$dir/err"
(cd "$dir/bare" && exec ./tall 20 1) >/dev/null &
loads=($!)
sleep 0.5
rm "$dir/bare/tall" "$dir/bare/libburn.so" "$dir/bare/libclimb.so"
"$sixty" profile -F 499 -d 2 -p "${loads[0]}" -o "$dir/bare.folded" >"$dir/out" 2>>"$dir/err"
kill "${loads[@]}"
wait "${loads[@]}" 2>/dev/null
loads=()
all=$(samples '^tall;' "$dir/bare.folded")
deep=$(samples '\[tall\+0x[0-9a-f]+\](;climb)+;.*\[libclimb.so\+0x[0-9a-f]+\];burn_all' "$dir/bare.folded")
kinds=$(grep -o '\[libclimb.so+0x[0-9a-f]*\]' "$dir/bare.folded" | sort -u | wc -l)
lost=$(samples 'lost' "$dir/bare.folded")
[ "$all" -gt 50 ] && [ $((100 * deep)) -ge $((85 * all)) ] && [ "$kinds" = 1 ] && [ $((100 * lost)) -le "$all" ]
check a_deleted_and_stripped_program_has_whole_stacks $? "$deep of $all in $kinds functions without a name, $lost lost something: $(head -c 700 "$dir/bare.folded") $(cat "$dir/err")"

# Static functions are in no table of a stripped library; its debug file has them.
hidden_name() { # DIRECTORY FILE: a short profile of it
	"$sixty" profile -F 499 -o "$2" -- "$1/tall" 1 1 >"$dir/out" 2>"$dir/err"
	samples 'climb_compare' "$2"
}
build "$dir/split" -g -Wl,--build-id 2>"$dir/err" && (cd "$dir/split" && mkdir .debug && objcopy --only-keep-debug libclimb.so .debug/libclimb.debug &&
	strip libclimb.so && objcopy --add-gnu-debuglink=.debug/libclimb.debug libclimb.so)
n=$(hidden_name "$dir/split" "$dir/split.folded")
[ "$n" -gt 50 ] && ! nm "$dir/split/libclimb.so" 2>/dev/null | grep -q climb_compare
check symbols_are_found_by_build_id $? "$n samples: $(head -c 700 "$dir/split.folded") $(cat "$dir/err")"
build "$dir/mini" 2>"$dir/err" && (cd "$dir/mini" && objcopy --only-keep-debug libclimb.so mini && xz -k mini && strip libclimb.so &&
	objcopy --add-section .gnu_debugdata=mini.xz libclimb.so)
n=$(hidden_name "$dir/mini" "$dir/mini.folded")
[ "$n" -gt 50 ]
check symbols_are_found_in_debug_data $? "$n samples: $(head -c 700 "$dir/mini.folded") $(cat "$dir/err")"

# Programs of the distribution, built without frame pointers.
$python -c '
import json, re
def f(n): return f(n - 1) + 1 if n else len(json.dumps({"a": [1, 2, 3] * 20}))
while True: f(20); re.sub("a+", "b", "aaabaa" * 50)' &
loads=($!)
sleep 1
"$sixty" profile -F 499 -d 2 -p "${loads[0]}" -o "$dir/python.folded" >"$dir/python.out" 2>"$dir/err"
kill "${loads[@]}"
wait "${loads[@]}" 2>/dev/null
port=$((20000 + $$ % 20000))
redis-server --port $port --save '' >/dev/null 2>&1 &
loads=($!)
for _ in $(seq 50); do
	redis-cli -p $port ping >/dev/null 2>&1 && break
	sleep 0.1
done
redis-benchmark -p $port -q -n 10000000 -t get,set >/dev/null 2>&1 &
loads+=($!)
"$sixty" profile -F 499 -d 2 -p "${loads[0]}" -o "$dir/redis.folded" >"$dir/redis.out" 2>>"$dir/err"
kill "${loads[@]}"
wait "${loads[@]}" 2>/dev/null
loads=()
wrong=
for p in python redis; do
	sed -n 's/^ *\([0-9.]*\) % of \([0-9]*\) user stacks are whole.*/\1 \2/p' "$dir/$p.out" | awk '{ exit !($1 >= 99 && $2 > 50) }' ||
		wrong="$wrong $p: $(grep -A4 'are whole' "$dir/$p.out")"
done
check python_and_redis_have_whole_stacks "${#wrong}" "$wrong $(cat "$dir/err")"
