#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is inlined, and lines of the source: against addr2line, then in profiles of a program whose functions are known, with its debug
# information inside, beside it, and on a server.
# timeout: 240
# live
set -u
export LC_ALL=C.UTF-8

sixty=${B:-build}/sixty
inlines=${B:-build}/tests/tools/inlines
cc=${CC:-cc}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

if ! command -v addr2line >/dev/null; then
	echo 'skip inlined_functions_are_those_of_addr2line: no addr2line'
else
	files=("$sixty")
	for options in '-gdwarf-4' '-gdwarf-5'; do
		if ${CXX:-c++} -O2 $options -o "$dir/queue$options" tests/profile/queue.cc 2>"$dir/err"; then
			files+=("$dir/queue$options")
		else
			echo "skip inlined_functions_of_cplusplus$options: $(head -n 1 "$dir/err")"
		fi
	done
	python3 tests/profile/inlines.py "$inlines" "${files[@]}" >"$dir/out" 2>&1
	check inlined_functions_are_those_of_addr2line $? "$(cat "$dir/out")"
fi

tests='inlined_functions_are_frames without_them_their_time_goes_to_the_caller lines_are_those_of_the_source the_picture_draws_them'
tests="$tests debug_information_beside_the_binary_is_found what_is_on_a_server_is_fetched_only_if_asked"
if ! "$sixty" doctor --json | jq -e '.programs[] | select(.name == "profile_tick" and .status == "ok")' >/dev/null; then
	for t in $tests; do
		echo "skip $t: CPUs cannot be sampled here"
	done
	exit 0
fi

# samples PATTERN FILE: with a stack like that
samples() {
	awk -v p="$1" '{ n = $NF; sub(/ [0-9.]+$/, ""); if ($0 ~ p) sum += n } END { print sum + 0 }' "$2"
}

# is_whole FILE: nearly all of it is in the innermost function, inside of its two callers
is_whole() {
	local all
	all=$(samples outer "$1")
	[ "$all" -gt 50 ] && [ $((100 * $(samples 'main;outer;middle_.i.;innermost_.i.(;|$)' "$1"))) -ge $((95 * all)) ]
}

# Code made at run time, told of in a dump; and one that somebody else owns.
if [ "$(uname -m)" = x86_64 ] && "$cc" -O2 -o "$dir/maker" tests/profile/maker.c 2>"$dir/err"; then
	"$sixty" profile -F 499 -o "$dir/made.folded" -- "$dir/maker" 2 "$dir" >"$dir/out" 2>"$dir/err"
	all=$(samples '^maker;' "$dir/made.folded") hot=$(samples 'main;hot_.j.(;|$)' "$dir/made.folded") warm=$(samples 'main;warm_.j.(;|$)' "$dir/made.folded")
	[ "$all" -gt 100 ] && [ $((100 * (hot + warm))) -ge $((90 * all)) ] && [ $((10 * hot)) -ge $((22 * warm)) ] && [ $((10 * hot)) -le $((40 * warm)) ]
	check code_is_named_by_a_dump $? "$hot and $warm of $all: $(head -c 300 "$dir/made.folded") $(cat "$dir/err" "$dir/out")"
	if command -v setpriv >/dev/null && [ "$(id -u)" = 0 ]; then
		chmod 777 "$dir"
		setpriv --reuid 65534 --regid 65534 --clear-groups "$dir/maker" 20 "$dir" &
		maker=$!
		sleep 0.5
		chown 12345 "$dir/jit-$maker.dump"
		"$sixty" profile -F 499 -d 1 -p $maker -o "$dir/foreign.folded" >"$dir/out" 2>"$dir/err"
		kill $maker
		wait $maker 2>/dev/null
		[ "$(samples '^maker;' "$dir/foreign.folded")" -gt 20 ] && ! grep -q 'hot_' "$dir/foreign.folded"
		check a_dump_of_somebody_else_is_not_believed $? "$(head -c 400 "$dir/foreign.folded") $(cat "$dir/err")"
	fi
else
	echo 'skip code_is_named_by_a_dump: it is written for x86-64'
fi

if ! "$cc" -O2 -g -o "$dir/nested" tests/profile/nested.c 2>"$dir/err"; then
	check inlined_functions_are_frames 1 "$(cat "$dir/err")"
	exit 0
fi
"$sixty" profile -F 499 -o "$dir/in.folded" -- "$dir/nested" 2 >"$dir/out" 2>"$dir/err"
is_whole "$dir/in.folded"
check inlined_functions_are_frames $? "$(head -c 600 "$dir/in.folded") $(cat "$dir/err")"
"$sixty" profile -F 499 --no-inline -o "$dir/no.folded" -- "$dir/nested" 1 >"$dir/out" 2>"$dir/err"
[ "$(samples 'main;outer(;|$)' "$dir/no.folded")" -gt 50 ] && ! grep -q 'innermost' "$dir/no.folded"
check without_them_their_time_goes_to_the_caller $? "$(head -c 600 "$dir/no.folded") $(cat "$dir/err")"

"$sixty" profile -F 499 --lines -o "$dir/lines.json" -- "$dir/nested" 1 >"$dir/out" 2>"$dir/err"
line_of() {
	grep -n "$1" tests/profile/nested.c | head -n 1 | cut -d: -f1
}
jq -r '.strings as $s | .frames[] | [$s[.[0]], $s[.[2]], .[3], .[4]] | @tsv' "$dir/lines.json" >"$dir/frames"
grep -qP "^outer\t[^\t]*nested.c\t$(line_of 'middle(200000)')\t0$" "$dir/frames" &&
	grep -qP "^middle\t[^\t]*nested.c\t$(line_of 'innermost(n);')\t2$" "$dir/frames" &&
	grep -qP "^innermost\t[^\t]*nested.c\t$(line_of 'sink += ')\t2$" "$dir/frames"
check lines_are_those_of_the_source $? "$(grep nested.c "$dir/frames") $(cat "$dir/err")"
"$sixty" profile -F 499 --lines -o "$dir/x.svg" -- "$dir/nested" 1 >"$dir/out" 2>"$dir/err"
grep -q 'innermost' "$dir/x.svg" && grep -q 'nested.c' "$dir/x.svg"
check the_picture_draws_them $? "$(cat "$dir/out" "$dir/err")"

# Beside the binary, by its build-id.
mkdir -p "$dir/far/.debug"
objcopy --only-keep-debug "$dir/nested" "$dir/far/.debug/nested.debug" && strip -o "$dir/far/nested" "$dir/nested" &&
	(cd "$dir/far/.debug" && objcopy --add-gnu-debuglink=nested.debug ../nested)
"$sixty" profile -F 499 -o "$dir/far.folded" -- "$dir/far/nested" 1 >"$dir/out" 2>"$dir/err"
is_whole "$dir/far.folded"
check debug_information_beside_the_binary_is_found $? "$(head -c 600 "$dir/far.folded") $(cat "$dir/err")"

# From a server, which is a directory here.
id=$(readelf -n "$dir/nested" 2>/dev/null | awk '/Build ID/ { print $3 }')
if [ -z "$id" ] || ! ldconfig -p | grep -q libdebuginfod.so.1; then
	echo 'skip what_is_on_a_server_is_fetched_only_if_asked: no libdebuginfod'
	exit 0
fi
mkdir -p "$dir/server/buildid/$id" "$dir/home"
mv "$dir/far/.debug/nested.debug" "$dir/server/buildid/$id/debuginfo"
export DEBUGINFOD_URLS=file://$dir/server HOME=$dir/home XDG_CACHE_HOME=$dir/home
"$sixty" profile -F 499 -o "$dir/unasked.folded" -- "$dir/far/nested" 1 >"$dir/out" 2>"$dir/err"
"$sixty" profile -F 499 --debuginfod -o "$dir/asked.folded" -- "$dir/far/nested" 1 >"$dir/out" 2>>"$dir/err"
is_whole "$dir/asked.folded" && ! grep -q innermost "$dir/unasked.folded"
check what_is_on_a_server_is_fetched_only_if_asked $? "$(head -c 600 "$dir/asked.folded") $(head -c 300 "$dir/unasked.folded") $(cat "$dir/err")"
