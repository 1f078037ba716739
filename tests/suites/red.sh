#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sixty red: requests and errors that are known are counted to the last one, durations are no longer than their clients saw, and
# nothing of what is said gets out.
# timeout: 300
# live
set -u
export LC_ALL=C.UTF-8

sixty=${B:-build}/sixty
here=$(dirname "$0")/..
dir=$(mktemp -d -p "${B:-build}") || exit 1
server='' watcher=''

finish() {
	[ -z "$watcher" ] || kill -9 "$watcher" 2>/dev/null
	[ -z "$server" ] || kill -9 "$server" 2>/dev/null
	rm -rf "$dir"
}
trap finish EXIT

# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

if [ "$(id -u)" != 0 ] || ! "$sixty" red -d 0.1 >/dev/null 2>"$dir/err"; then
	echo "skip red: needs root, eBPF and a kernel of 6.3 or later: $(head -n 1 "$dir/err" 2>/dev/null)"
	exit 0
fi
for need in jq python3; do
	command -v $need >/dev/null || {
		echo "skip red: no $need"
		exit 0
	}
done

timeout 200 python3 "$here/red/talk.py" "$sixty" 2>"$dir/err"
check every_conversation_was_held $? "$(tail -n 5 "$dir/err")"

# --- against the clients of others ---------------------------------------------------------------

# merged FILTER: of all intervals, the row of the port
merged() {
	jq -s --argjson port "$port" "[.[].red[] | select(.port == \$port and .role == \"server\")] | $1" "$dir/out"
}

begin() {
	"$sixty" red --port "$port" -i 0.5 --budget 0 --json >"$dir/out" 2>"$dir/err" &
	watcher=$!
	until_true 30 test -s "$dir/out"
}

end() {
	sleep 0.5
	kill -INT $watcher
	wait $watcher
	watcher=
}

if command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null; then
	port=17371
	redis-server --port $port --bind 127.0.0.1 --save '' --appendonly no --dir "$dir" >/dev/null 2>&1 &
	server=$!
	until_true 10 redis-cli -p $port ping
	begin
	redis-benchmark -p $port -c 20 -n 20000 -t get -q >/dev/null
	redis-benchmark -p $port -c 20 -n 40000 -P 16 -t set -q >/dev/null
	end
	n=$(merged 'map(.requests) | add')
	awk "BEGIN { exit !($n >= 60000 && $n <= 60060) }"
	check a_benchmark_of_redis_is_counted_within_a_thousandth $? "$n of 60000"
	n=$(merged '[.[].operations[] | select(.name == "SET") | .count] | add')
	awk "BEGIN { exit !($n >= 40000 && $n <= 40040) }"
	check batches_of_16_are_taken_apart $? "$n SETs of 40000, unparted $(merged 'map(.unparted) | add')"
	kill $server
	wait $server 2>/dev/null
	server=
else
	echo 'skip a_benchmark_of_redis_is_counted_within_a_thousandth: no redis'
	echo 'skip batches_of_16_are_taken_apart: no redis'
fi

# --- formats -------------------------------------------------------------------------------------

for format in text json openmetrics csv; do
	"$sixty" red -d 0.3 --format $format >"$dir/$format" 2>"$dir/err"
	check "it_runs_as_$format" $? "$(cat "$dir/err")"
done
python3 "$here/schema/check.py" "$here/schema/red.schema.json" "$dir/json" >"$dir/why" 2>&1
check json_is_what_the_schema_says $? "$(cat "$dir/why")"
tail -n 1 "$dir/openmetrics" | grep -qx '# EOF'
check openmetrics_ends_as_it_must $? "$(tail -n 2 "$dir/openmetrics")"
python3 -c 'import csv, sys; rows = list(csv.reader(open(sys.argv[1], newline=""))); sys.exit(len({len(r) for r in rows}) != 1)' "$dir/csv"
check csv_is_a_table $? "$(head -n 2 "$dir/csv")"
grep -q 'Requests of services' "$dir/text" && grep -q 'What looking cost' "$dir/text"
check text_has_its_cost $? "$(cat "$dir/text")"

# --- what is wrong -------------------------------------------------------------------------------

refuses() {
	local name=$1 status=$2 words=$3
	shift 3
	"$sixty" red "$@" >"$dir/out" 2>"$dir/err"
	[ $? = "$status" ] && grep -q -e "$words" "$dir/err" && [ ! -s "$dir/out" ]
	check "$name" $? "$(cat "$dir/err")"
}
refuses an_operand_is_wrong_usage 2 'takes no operand' redis
refuses a_port_is_a_number 2 'port' --port http
refuses a_port_has_a_limit 2 'port' --port 65536
refuses intervals_have_a_limit 2 '0.1 seconds' -i 0.01
refuses a_count_is_of_intervals 2 'needs -i' -n 3
refuses a_process_that_is_not_there_is_told 1 'no process' -p 4194304
refuses a_group_that_is_not_there_is_told 1 'no control group' -C /nothing/here

programs() {
	cat /proc/[0-9]*/fdinfo/* 2>/dev/null | grep -c '^prog_id:'
}
before=$(programs)
"$sixty" red -d 60 >/dev/null 2>&1 &
watcher=$!
more() { [ "$(programs)" -gt "$before" ]; }
until_true 10 more
kill -9 $watcher
wait $watcher 2>/dev/null
watcher=
[ "$(programs)" = "$before" ] && [ -z "$(find /sys/fs/bpf -mindepth 1 2>/dev/null)" ]
check nothing_is_left_after_sigkill $? "$before, $(programs)"

("$sixty" red -i 0.1 2>"$dir/err"; echo "status $?" >"$dir/status") | head -n 1 >"$dir/out" &
until_true 20 test -s "$dir/status"
grep -q 'status 0' "$dir/status" && [ ! -s "$dir/err" ]
check a_reader_that_goes_makes_no_noise $? "$(cat "$dir/status" "$dir/err")"
