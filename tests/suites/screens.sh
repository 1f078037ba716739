#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every screen of the dashboard for every fixture, at three sizes: tests/screens/FIXTURE.SIZE.txt. A missing file is a
# failure. BLESS=1 writes them; git shows what changed.
set -u

. tests/suites/lib.sh

sixty=${B:-build}/sixty
golden=tests/screens
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
all='overview processes findings cost cpus disks network memory cgroups latency locks events'

# Nothing of the caller's surroundings may be seen.
frame() {
	env -i PATH="$PATH" LC_ALL=C.UTF-8 TZ=America/New_York COLUMNS=133 TERM=xterm-256color "$sixty" top -b "$@"
}

mkdir -p "$golden"
for meta in tests/fixtures/*/meta; do
	capture=${meta%/meta}
	name=${capture##*/}
	for size in 60x15 80x24 200x50; do
		for screen in $all; do
			echo "--- $screen"
			frame --replay "$capture" --columns "${size%x*}" --rows "${size#*x}" --screen "$screen" || echo "exit status $?"
		done >"$dir/out" 2>&1
		file=$golden/$name.$size.txt
		[ -z "${BLESS:-}" ] || cp "$dir/out" "$file"
		cmp -s "$file" "$dir/out"
		check "screens_${name}_$size" $? "$(diff "$file" "$dir/out" 2>&1 | head -n 20)"
		longest=$(LC_ALL=C.UTF-8 wc -L <"$dir/out")
		[ "$longest" -le "${size%x*}" ]
		check "screens_${name}_${size}_fit" $? "a line has $longest columns"
		! grep -nE '(^|[^a-z])-?(nan|inf)([^a-z]|$)|18446744073709' "$dir/out" >"$dir/bad"
		check "screens_${name}_${size}_have_possible_numbers" $? "$(head -n 3 "$dir/bad")"
	done
	for screen in $all; do
		frame --replay "$capture" --ascii --screen "$screen" 2>&1
	done >"$dir/out"
	! LC_ALL=C grep -q $'[\x80-\xff]' "$dir/out"
	check "screens_${name}_in_ascii" $? "$(LC_ALL=C grep -m1 $'[\x80-\xff]' "$dir/out")"
done

# Captures that say anything: every screen of each, and no escape sequence of theirs comes through.
python3 tests/fixtures/damage.py tests/fixtures/idle "$dir/damaged" || echo 'not ok damage: cannot be made'
for meta in "$dir"/damaged/*/meta; do
	capture=${meta%/meta}
	bad=''
	for screen in $all; do
		frame --replay "$capture" --screen "$screen" --columns 120 >"$dir/out" 2>&1
		[ $? -le 1 ] || bad="$bad $screen: exit status"
		! LC_ALL=C grep -q $'[\x01-\x09\x0b-\x1f\x7f]' "$dir/out" || bad="$bad $screen: control bytes"
	done
	[ -z "$bad" ]
	check "screens_of_damaged_${capture##*/}" $? "$bad"
done

for file in "$golden"/*; do
	name=${file##*/}
	[ -e "tests/fixtures/${name%%.*}/meta" ] || echo "not ok screen_without_fixture: $file"
done
