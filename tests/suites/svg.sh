#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# SVG flame graphs: well-formed, as they were (tests/svg/golden; BLESS=1 writes them), and used in a real browser without a
# display. What the browser showed is left as pictures in build/svg.
# timeout: 600
set -u

# shellcheck source=tests/suites/lib.sh
. tests/suites/lib.sh
sixty=${B:-build}/sixty
dir=${B:-build}/svg
golden=tests/svg/golden

rm -rf "$dir"
mkdir -p "$dir" "$golden"
python3 tests/svg/inputs.py "$dir" || echo 'not ok inputs: cannot be made'
cp tests/svg/perf.txt "$dir/"

# draw NAME ARGUMENTS…
draw() {
	local name=$1 why status
	shift
	why=$("$sixty" flame "$@" -o "$dir/$name.svg" 2>&1)
	status=$?
	check "draws_$name" "$status" "$why"
}

draw server "$dir/server.json"
draw icicle "$dir/server.json" --icicle --width 600 --colors module
draw reversed "$dir/server.json" --reverse --colors grey --title 'by what runs & "who" calls <it>'
draw diff --diff "$dir/before.folded" "$dir/after.folded"
draw hostile "$dir/hostile.folded"
draw perf "$dir/perf.txt"
draw many "$dir/many.folded"

why=$(python3 tests/svg/wellformed.py "$dir"/*.svg 2>&1)
check every_file_is_xml_in_which_callees_lie_on_their_callers $? "$why"

# compare NAME FILE: with the golden of that name
compare() {
	local name=$1
	[ -z "${BLESS:-}" ] || cp "$2" "$golden/$name"
	why=$(diff "$golden/$name" "$2" 2>&1 | head -n 10)
	[ -e "$golden/$name" ] && [ -z "$why" ]
	check "golden_${name//./_}" $? "$why"
}

# The script and the style are in the repository already.
for name in server icicle reversed diff hostile perf; do
	python3 tests/svg/bare.py "$dir/$name.svg" >"$dir/$name.bare"
	compare "$name.svg" "$dir/$name.bare"
done
for suffix in folded speedscope.json json; do
	"$sixty" flame "$dir/perf.txt" -o "$dir/perf.$suffix" 2>/dev/null
	sed -i 's/"exporter":"sixty [0-9.]*"/"exporter":"sixty"/' "$dir/perf.$suffix"
	compare "perf.$suffix" "$dir/perf.$suffix"
done
for form in --ascii --reverse --icicle --verbose; do
	LC_ALL=C.UTF-8 "$sixty" flame "$dir/server.json" --columns 80 $form >"$dir/report" 2>&1
	compare "report$form.txt" "$dir/report"
done

why=$(tr -d '\n' <"$dir/perf.json" | sed 's/$/\n/' | python3 tests/schema/check.py tests/schema/profile.schema.json 2>&1)
check our_own_format_has_its_schema $? "$why"

# A file comes whole or not at all.
"$sixty" flame "$dir/server.json" -o "$dir/kept.folded" 2>/dev/null
before=$(cksum <"$dir/kept.folded")
echo nonsense | "$sixty" flame -o "$dir/kept.folded" 2>"$dir/why"
[ $? = 1 ] && [ "$before" = "$(cksum <"$dir/kept.folded")" ]
check what_cannot_be_read_replaces_nothing $? "$(cat "$dir/why")"
"$sixty" flame "$dir/server.json" -o "$dir/nowhere/x.svg" 2>"$dir/why"
[ $? = 1 ]
check a_file_that_cannot_be_written_is_an_error $? "$(cat "$dir/why")"

# usage NAME SENTENCE ARGUMENTS…: exit status 2, and the sentence
usage() {
	local name=$1 sentence=$2 why status
	shift 2
	why=$("$sixty" flame "$@" 2>&1)
	status=$?
	[ $status = 2 ] && grep -qF -- "$sentence" <<<"$why"
	check "$name" $? "exit status $status: $why"
}

usage an_unknown_suffix_is_a_usage_error 'it has to end in .svg' "$dir/server.json" -o "$dir/x.png"
usage a_difference_needs_two_files 'BEFORE and AFTER' --diff "$dir/before.folded" -o "$dir/x.svg"
usage a_difference_is_a_picture '-o FILE.svg' --diff "$dir/before.folded" "$dir/after.folded" -o "$dir/x.folded"
usage text_is_not_turned_round '--reverse and --icicle' "$dir/server.json" --reverse -o "$dir/x.folded"

# Formats lead into each other without changing what is in them.
"$sixty" flame "$dir/server.json" -o "$dir/a.folded" 2>/dev/null
for suffix in pb.gz speedscope.json json; do
	"$sixty" flame "$dir/server.json" -o "$dir/a.$suffix" 2>/dev/null &&
		"$sixty" flame "$dir/a.$suffix" -o "$dir/b.folded" 2>/dev/null
	why=$(diff "$dir/a.folded" "$dir/b.folded" 2>&1)
	check "${suffix//./_}_and_back_is_the_same" $? "$why"
done
gzip -c "$dir/a.folded" | "$sixty" flame -o "$dir/b.folded"
why=$(diff "$dir/a.folded" "$dir/b.folded" 2>&1)
check packed_text_is_read_from_standard_input $? "$why"

python3 tests/svg/page.py "$dir"
