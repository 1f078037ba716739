#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The report of every fixture and of every damaged copy of one, byte for byte: tests/golden/NAME.FORM.
# A missing golden is a failure. BLESS=1 writes them; git shows what changed.
set -u

sixty=${B:-build}/sixty
golden=tests/golden
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# Nothing of the caller's surroundings may be seen: a time zone, a terminal, a width.
report() {
	env -i PATH="$PATH" LC_ALL=C.UTF-8 TZ=America/New_York COLUMNS=133 TERM=xterm-256color "$sixty" triage --replay "$@"
}

# compare NAME FORM: $dir/out against the golden
compare() {
	local file=$golden/$1.$2
	if [ -n "${BLESS:-}" ]; then
		cp "$dir/out" "$file"
	fi
	if [ ! -e "$file" ]; then
		echo "not ok golden_$1_$2: there is no $file; BLESS=1 writes it"
	elif cmp -s "$file" "$dir/out"; then
		echo "ok golden_$1_$2"
	else
		diff "$file" "$dir/out" | head -n 20
		echo "not ok golden_$1_$2: differs from $file"
	fi
}

# No reading of a damaged file makes a number that cannot be. A limit that is not there is inf in tables of raw values.
plausible() {
	local never='(^|[^a-z])-?(nan|inf)([^a-z]|$)|[0-9]e\+(1[6-9]|[2-9][0-9])|18446744073709'
	case $2 in
	format*) never='(^|[ ,])-?nan([^a-z]|$)' ;;
	esac
	if grep -nE "$never" "$dir/out" >"$dir/bad"; then
		echo "not ok plausible_$1_$2: $(head -n 1 "$dir/bad" | head -c 200)"
	else
		echo "ok plausible_$1_$2"
	fi
}

# golden NAME CAPTURE FORM…
golden() {
	local name=$1 capture=$2 form
	shift 2
	for form; do
		case $form in
		80.txt) set -- --columns 80 ;;
		120.txt) set -- --columns 120 ;;
		ascii.txt) set -- --columns 80 --ascii ;;
		verbose.txt) set -- --columns 120 --verbose ;;
		color.txt) set -- --columns 80 --color always ;;
		json) set -- --json ;;
		om) set -- --format openmetrics --verbose ;;
		csv) set -- --format csv ;;
		esac
		report "$capture" "$@" >"$dir/out" 2>&1 </dev/null
		status=$?
		# a capture that is refused: with its sentence, and nothing else
		[ $status = 0 ] || echo "exit status $status" >>"$dir/out"
		sed -i "s|$dir/damaged|DIR|" "$dir/out"
		if [ $status -gt 1 ]; then
			echo "not ok golden_${name}_$form: exit status $status"
			continue
		fi
		compare "$name" "$form"
		plausible "$name" "$form"
	done
}

mkdir -p "$golden"
for meta in tests/fixtures/*/meta; do
	capture=${meta%/meta}
	golden "${capture##*/}" "$capture" 80.txt 120.txt ascii.txt verbose.txt color.txt json
done

python3 tests/fixtures/damage.py tests/fixtures/idle "$dir/damaged" || echo 'not ok damage: cannot be made'
for meta in "$dir"/damaged/*/meta; do
	capture=${meta%/meta}
	golden "idle+${capture##*/}" "$capture" 80.txt
	for form in --verbose --json '--format openmetrics --verbose' '--format csv'; do
		# shellcheck disable=SC2086 # words
		report "$capture" $form >"$dir/out" 2>&1 </dev/null
		[ $? -le 1 ] || echo "not ok damaged_${capture##*/}: exit status above 1 with $form"
		plausible "idle+${capture##*/}" "${form//[ -]/}"
	done
done

# What is left over belongs to no fixture.
for file in "$golden"/*; do
	name=${file##*/}
	name=${name%%.*}
	if [ ! -e "tests/fixtures/$name/meta" ] && [ ! -e "$dir/damaged/${name#idle+}/meta" ]; then
		echo "not ok golden_without_fixture: $file"
	fi
done
