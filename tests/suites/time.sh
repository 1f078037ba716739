#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sixty time: its JSON, and whom it is about: a process, a control group by its path or a container's id.
# timeout: 300
# live
set -u
export LC_ALL=C.UTF-8

sixty=${B:-build}/sixty
here=$(dirname "$0")/..
dir=$(mktemp -d) || exit 1
group='' group2='' workers=()

finish() {
	[ ${#workers[@]} = 0 ] || kill -9 "${workers[@]}" 2>/dev/null
	wait 2>/dev/null
	for g in "$group2" "$group"; do
		[ -z "$g" ] || rmdir "$g" 2>/dev/null
	done
	rm -rf "$dir"
}
trap finish EXIT

# shellcheck source=tests/suites/lib.sh
. "$here/suites/lib.sh"

for python in python3 /usr/bin/python3 ''; do
	[ -z "$python" ] || "$python" -c 'import jsonschema' 2>/dev/null && break
done
for need in jq taskset; do
	command -v $need >/dev/null || {
		echo "skip time: no $need"
		exit 0
	}
done
[ -n "$python" ] || {
	echo 'skip time: no jsonschema for Python'
	exit 0
}

# refuses NAME STATUS WORDS OPTION…
refuses() {
	local name=$1 status=$2 words=$3
	shift 3
	"$sixty" time -d 1 "$@" >"$dir/out" 2>"$dir/err"
	[ $? = "$status" ] && grep -q -e "$words" "$dir/err" && [ ! -s "$dir/out" ]
	check "$name" $? "$(cat "$dir/err")"
}

refuses a_group_and_a_process_are_one_too_many 2 'give one' -p 1 -C /x
refuses what_is_no_group_is_wrong_usage 2 'no control group' -C nonsense
refuses a_capture_has_no_groups 2 'does not go with --replay' -C /x --replay "$here/fixtures/healthy"

if [ "$(id -u)" != 0 ] || ! "$sixty" time -d 1 --json >"$dir/all" 2>"$dir/err"; then
	echo "skip time_json: needs root and eBPF: $(head -n 1 "$dir/err" 2>/dev/null)"
	exit 0
fi

schema() {
	"$python" "$here/schema/check.py" "$here/schema/time.schema.json" "$1" >"$dir/why" 2>&1
}

# The schema itself must be able to say no.
denies() {
	jq -c "$2" "$dir/all" >"$dir/bad"
	! schema "$dir/bad"
	check "schema_refuses_$1" $? 'it was accepted'
}

schema "$dir/all"
check json_of_all_is_what_the_schema_says $? "$(cat "$dir/why")"
denies more_keys '.extra = 1'
denies a_missing_ledger 'del(.ledger)'
denies a_row_without_a_part 'del(.time[0].runnable)'
denies another_schema '.schema = "sixty.time/2"'

refuses a_process_that_is_gone_is_told 1 'no process' -p 4194303
refuses a_group_that_is_not_there_is_told 1 'there is no control group' -C /sixty-is-not-there

"$sixty" time -d 1 -p $$ --json >"$dir/json" 2>"$dir/err" && schema "$dir/json" && jq -e --argjson p $$ '[.time[].pid] | all(. == $p)' "$dir/json" >/dev/null
check json_of_a_process_is_what_the_schema_says $? "$(cat "$dir/why" "$dir/err")"

# --- a control group -----------------------------------------------------------------------------

if grep -qv '4026531835' <<<"$(readlink /proc/self/ns/cgroup)"; then
	echo 'skip a_groups_time: this is a namespace of control groups'
	exit 0
fi
id=$(printf '%08x%024d' $$ 7)
for at in /sys/fs/cgroup/cpu /sys/fs/cgroup; do
	if mkdir "$at/sixty-$id" 2>/dev/null; then
		if [ -e "$at/sixty-$id/cgroup.procs" ]; then
			group=$at/sixty-$id
			break
		fi
		rmdir "$at/sixty-$id"
	fi
done
if [ -z "$group" ]; then
	echo 'skip a_groups_time: no control group may be made'
	exit 0
fi
group2=$group/below
mkdir "$group2"
path=/sixty-$id

# one that computes, one that sleeps below, one outside; and children that come and go
(echo $BASHPID >"$group/cgroup.procs" && exec taskset -c 0 sh -c 'while :; do :; done') &
workers+=($!)
(echo $BASHPID >"$group2/cgroup.procs" && exec sleep 1000) &
workers+=($!)
sleep 1000 &
workers+=($!)
(echo $BASHPID >"$group2/cgroup.procs" && exec sh -c 'while :; do sleep 0.05; done') &
workers+=($!)

for name in "$path" "cpu:$path" "${id:0:12}"; do
	"$sixty" time -d 2 -C "$name" --json >"$dir/json" 2>"$dir/err" && schema "$dir/json"
	check "json_of_a_group_is_what_the_schema_says_${name:0:4}" $? "$(cat "$dir/why" "$dir/err")"
	jq -e --argjson in "[${workers[0]}, ${workers[1]}, ${workers[3]}]" --argjson out "[${workers[2]}, $$]" '
		[.time[] | select(.tid == null) | .pid] as $p | ($in - $p == []) and ($out - $p == $out)' "$dir/json" >"$dir/why" 2>&1
	check "who_is_in_it_is_accounted_and_nobody_else_${name:0:4}" $? "$(jq -c '[.time[] | [.pid, .tid, .comm]]' "$dir/json") of ${workers[*]}"
done
jq -e --argjson p "${workers[0]}" '.time[] | select(.pid == $p and .tid == $p)
	| (.running_user + .running_system + .stolen + .runnable) as $s | $s > 0.97 and $s < 1.03 and .threads > 0.99 and .threads < 1.01' "$dir/json" >/dev/null
check a_thread_that_computes_runs_or_waits_all_the_time $? "$(jq -c --argjson p "${workers[0]}" '[.time[] | select(.pid == $p)]' "$dir/json")"
jq -e --argjson p "${workers[3]}" '.time[] | select(.short_lived > 0) | .comm == "sleep" and .pid == $p and .short_lived >= 10' "$dir/json" >/dev/null
check children_that_lived_shortly_in_it_are_there $? "$(jq -c '[.time[] | select(.short_lived > 0)]' "$dir/json")"

"$sixty" time -d 1 -C "$path" --columns 100 >"$dir/out" 2>"$dir/err" && grep -q "Where the time of cgroup $path went: .* threads" "$dir/out" &&
	grep -q 'Its processes' "$dir/out" && grep -q "sleep\[${workers[1]}\]" "$dir/out" && ! grep -q "\[${workers[2]}\]" "$dir/out"
check text_tells_of_the_group_as_a_whole $? "$(cat "$dir/out" "$dir/err")"
kill -9 "${workers[@]}"
wait "${workers[@]}" 2>/dev/null
workers=()
for _ in $(seq 100); do # the last child has a moment to live
	[ -n "$(cat "$group2/cgroup.procs")" ] || break
	sleep 0.05
done
refuses an_empty_group_is_told 1 'no thread was in control group' -C "$path"

# --- a process by the number that a container gives it -------------------------------------------

if ! command -v unshare >/dev/null || ! unshare -pf true 2>/dev/null; then
	echo 'skip a_number_of_a_container: no PID namespace may be made'
	exit 0
fi
# In it: 1 is the shell, which starts others; one of them is once more in a namespace of its own.
cat >"$dir/inside" <<'END'
sleep 1000 &
echo "sleeper $!" >&3
unshare -pf sh -c 'exec sleep 1001' &
while :; do sleep 0.2; done
END
exec 3>"$dir/told"
(echo $BASHPID >"$group/cgroup.procs" && exec unshare -pf --kill-child=KILL sh "$dir/inside") &
workers+=($!)
exec 3>&-
for _ in $(seq 100); do
	init=$(pgrep -P "${workers[0]}" 2>/dev/null) && [ -s "$dir/told" ] && deep=$(pgrep -f '^sleep 1001') && break
	sleep 0.05
done
inner=$(awk '/^sleeper/ { print $2 }' "$dir/told")
outer=$(grep -s '^NSpid:' /proc/[0-9]*/status | awk -v n="$inner" '$NF == n { split($1, p, "/"); print p[3] }' | while read -r p; do
	[ "$(readlink "/proc/$p/ns/pid")" = "$(readlink "/proc/$init/ns/pid")" ] && echo "$p"
done)

for where in "$init" "$path" "${id:0:12}"; do
	"$sixty" time -d 1 -p "$inner" --ns "$where" --json >"$dir/json" 2>"$dir/err" && jq -e --argjson p "$outer" '[.time[].pid] | length >= 1 and all(. == $p)' "$dir/json" >/dev/null
	check "a_number_of_a_container_is_found_by_${where:0:4}" $? "$inner is $outer: $(cat "$dir/err"; jq -c '[.time[].pid]' "$dir/json")"
done
number=$(awk '/^NSpid:/ { print $(NF - 1) }' "/proc/$deep/status")
"$sixty" time -d 1 -p "$number" --ns "$init" --json >"$dir/json" 2>"$dir/err" && jq -e --argjson p "$deep" '[.time[].pid] | length >= 1 and all(. == $p)' "$dir/json" >/dev/null
check and_that_of_a_namespace_within $? "$number is $deep: $(cat "$dir/err"; jq -c '[.time[].pid]' "$dir/json")"
"$sixty" hist runqlat -d 0.3 -p "$inner" --ns "$init" --json >"$dir/json" 2>"$dir/err"
check hist_takes_it_too $? "$(cat "$dir/err")"
"$sixty" trace exec -d 0.3 -p "$inner" --ns "$init" --json >"$dir/json" 2>"$dir/err"
check and_trace $? "$(cat "$dir/err")"
refuses a_number_that_nobody_has_there_is_told 1 "no process 4000000 in the PID namespace of $init" -p 4000000 --ns "$init"
refuses a_namespace_of_nobody_is_told 1 'there is no process 4194303' -p 1 --ns 4194303
refuses a_container_of_nobody_is_told 1 'no process in a control group or container' -p 1 --ns 0123456789abcdef
refuses what_is_no_place_is_wrong_usage 2 'ns takes a process' -p 1 --ns nonsense
refuses ns_alone_is_wrong_usage 2 'needs -p PID' --ns 1
refuses a_thread_is_no_process 1 'is a thread of process' -p "$(python3 - <<'END'
import glob
for s in glob.glob("/proc/[0-9]*/task/*/status"):
    p = s.split("/")
    if p[2] != p[4]:
        print(p[4])
        break
else:
    print(0)
END
)"
kill -9 "${workers[@]}" "$init" 2>/dev/null
wait "${workers[@]}" 2>/dev/null
workers=()
for _ in $(seq 100); do
	[ -n "$(cat "$group/cgroup.procs" "$group2/cgroup.procs")" ] || break
	sleep 0.05
done

# --- sixty itself in a PID namespace -------------------------------------------------------------

cat >"$dir/nested" <<'END'
(while :; do :; done) &
busy=$!
"$1" time -d 1 -p $busy --json >"$2/of" 2>"$2/err"
"$1" time -d 1 --json >"$2/nested" 2>>"$2/err"
"$1" hist runqlat -d 0.3 -p $busy --json >"$2/hist" 2>>"$2/err"
"$1" trace exit --json >"$2/trace" 2>>"$2/err" &
tracer=$!
sleep 1.5
sh -c 'exit 9' &
child=$!
wait $child
sleep 0.3
kill -INT $tracer
wait $tracer
echo "{\"busy\": $busy, \"child\": $child, \"self\": $$}" >"$2/numbers"
kill -9 $busy
END
unshare -pf --mount-proc --kill-child=KILL sh "$dir/nested" "$PWD/$sixty" "$dir" 2>>"$dir/err"
w=$(cat "$dir/numbers")
jq -e --argjson w "$w" '[.time[] | select(.pid == $w.busy and .tid == null)] | length == 1 and (.[0] | .running_user + .running_system + .runnable + .stolen | . > 0.97 and . < 1.03)' "$dir/of" >/dev/null
check in_a_namespace_its_own_numbers_are_taken $? "$w $(jq -c '[.time[] | [.pid, .comm]]' "$dir/of") $(cat "$dir/err")"
jq -e --argjson w "$w" '[.time[] | select(.tid == null and .pid == $w.busy and .running_user + .running_system + .runnable > 0.9)] | length == 1' "$dir/nested" >/dev/null && schema "$dir/nested"
check and_shown $? "$w $(jq -c '[.time[] | [.pid, .comm]]' "$dir/nested" | head -c 400) $(cat "$dir/why")"
jq -e --argjson w "$w" '[.time[] | select(.pid > 0 and .pid > $w.child + 50)] == []' "$dir/nested" >/dev/null
check and_nobody_elses $? "$w $(jq -c '[.time[] | [.pid, .comm]]' "$dir/nested" | head -c 400)"
jq -e '.histograms[0].count >= 1 or .histograms[0].open.count >= 0' "$dir/hist" >/dev/null
check and_so_does_hist $? "$(head -c 300 "$dir/hist")"
jq -se --argjson w "$w" '[.[] | select(.event == "exit" and .pid == $w.child)] | length == 1 and .[0].status == 9 and .[0].ppid == $w.self' "$dir/trace" >/dev/null
check and_trace_tells_them $? "$w $(head -c 400 "$dir/trace")"
