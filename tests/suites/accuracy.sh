#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sixty's numbers against others': replays against the captured files, live windows against /proc read by hand, and the
# sheets of the checklist against vmstat, mpstat, iostat, sar, pidstat and free, at idle and under load.
# timeout: 300
# live
set -u

sixty=$PWD/${B:-build}/sixty
dir=$(mktemp -d) || exit 1
seconds=8
loads=()
stop_loads() {
	local pid
	for pid in "${loads[@]}"; do
		kill "$pid" 2>/dev/null
	done
	for pid in "${loads[@]}"; do
		wait "$pid" 2>/dev/null
	done
	loads=()
}
trap 'stop_loads; rm -rf "$dir"' EXIT

# start_disturb: a little of everything, until stop_disturb
start_disturb() {
	mkfifo "$dir/hold"
	python3 tests/accuracy/disturb.py "$dir" <"$dir/hold" >"$dir/ready" &
	exec 9>"$dir/hold"
	until grep -q ready "$dir/ready"; do
		sleep 0.1
	done
}

stop_disturb() {
	exec 9>&-
	wait $!
	rm -f "$dir/hold"
}

# children_of PID: its children, when there are at least $2 of them
children_of() {
	local deadline=$((SECONDS + 20)) found=
	while [ "$SECONDS" -lt "$deadline" ]; do
		found=$(cat "/proc/$1/task/$1/children" 2>/dev/null)
		[ "$(wc -w <<<"$found")" -lt "$2" ] || break
		sleep 0.1
	done
	echo "$found"
}

tools() {
	# shellcheck disable=SC2086 # a list of PIDs
	python3 tests/accuracy/tools.py "$sixty" "$1" "$seconds" ${2-}
}

# ---- replays and live windows against /proc ----

start_disturb
if why=$("$sixty" capture -d 3 -n 4 "$dir/capture" 2>&1); then
	python3 tests/accuracy/exact.py "$sixty" "$dir/capture"
else
	echo "not ok capture: $why"
fi
python3 tests/accuracy/bracket.py "$sixty"
stop_disturb

# ---- the sheets against their tools ----

tools at_idle

if command -v stress-ng >/dev/null; then
	(cd "$dir" && exec stress-ng --quiet --cpu 1 --cpu-load 60 --vm 1 --vm-bytes 64m --switch 1 --timeout $((4 * seconds))) &
	loads+=($!)
	tools under_stress "$(children_of $! 3)"
	stop_loads
else
	echo 'skip tools_under_stress: stress-ng is not here'
fi

if command -v fio >/dev/null; then
	fio --name=accuracy --directory="$dir" --size=32m --rw=randrw --bs=16k --rate=4m,4m --fsync=64 --time_based \
		--runtime=$((4 * seconds)) --ioengine=psync --fallocate=none --output="$dir/fio.log" &
	loads+=($!)
	until grep -q . "$dir"/accuracy.* 2>/dev/null; do
		kill -0 $! 2>/dev/null || break
		sleep 0.1
	done
	tools under_fio "$(children_of $! 1)"
	stop_loads
else
	echo 'skip tools_under_fio: fio is not here'
fi
