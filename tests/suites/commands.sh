#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# list, explain, doctor, help: every row of every table prints, within its columns, and what is not there is told.
set -u
export LC_ALL=C.UTF-8

sixty=${B:-build}/sixty
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# check NAME STATUS WHY
check() {
	if [ "$2" = 0 ]; then
		echo "ok $1"
	else
		echo "not ok $1: $(tr '\n' '~' <<<"$3" | head -c 400)"
	fi
}

fits() {
	[ "$(wc -L <"$2")" -le "$1" ]
}

for table in metrics rules collectors files events; do
	for columns in 60 80 200; do
		"$sixty" list $table --columns $columns >"$dir/out"
		fits $columns "$dir/out"
		check "list_${table}_fits_${columns}_columns" $? "a line has $(wc -L <"$dir/out") columns"
	done
done

"$sixty" list rules --json | jq -r '.rules[].id' >"$dir/rules"
"$sixty" list metrics --json | jq -r '.metrics[].name' >"$dir/metrics"
[ "$(wc -l <"$dir/rules")" -ge 40 ] && [ "$(wc -l <"$dir/metrics")" -ge 100 ]
check tables_have_their_rows $? "$(wc -l "$dir/rules" "$dir/metrics")"
[ -z "$(sort "$dir/rules" | uniq -d)$(sort "$dir/metrics" | uniq -d)" ]
check names_are_unique $? "$(sort "$dir/rules" | uniq -d) $(sort "$dir/metrics" | uniq -d)"

# Whatever a rule claims about itself is there: no row without its words.
"$sixty" list rules --json | jq -r '.rules[] | . as $r | ["question", "needs", "meaning", "action"][]
	| select(($r[.] // "") == "") | "\($r.id) has no \(.)"' >"$dir/lacking"
"$sixty" list rules --json | jq -r '.rules[] | select(.judged) | . as $r | ["fires", "lookalikes"][]
	| select(($r[.] // "") == "") | "\($r.id) has no \(.)"' >>"$dir/lacking"
[ ! -s "$dir/lacking" ]
check every_rule_explains_itself $? "$(cat "$dir/lacking")"
"$sixty" list rules --json | jq -r '[.rules[].id] as $ids | .rules[] | .id as $id | .symptoms[]
	| ltrimstr("own:") | select(IN($ids[]) | not) | "\($id) names \(.)"' >"$dir/lacking"
[ ! -s "$dir/lacking" ]
check symptoms_are_rules $? "$(cat "$dir/lacking")"
"$sixty" list metrics --json | jq -r '.metrics[] | select(.help == "" or (.kind != "derived" and .sources == [])) | .name' >"$dir/lacking"
[ ! -s "$dir/lacking" ]
check every_metric_has_help_and_a_source $? "$(cat "$dir/lacking")"

bad=
while read -r id; do
	"$sixty" explain "$id" --columns 60 >"$dir/out" 2>&1 && fits 60 "$dir/out" && grep -q '^  means ' "$dir/out" || bad+=" $id"
done <"$dir/rules"
[ -z "$bad" ]
check every_rule_can_be_explained $? "$bad"
bad=
while read -r id; do
	"$sixty" explain "$id" --columns 60 >"$dir/out" 2>&1 && fits 60 "$dir/out" || bad+=" $id"
done < <(awk 'NR % 10 == 1' "$dir/metrics")
[ -z "$bad" ]
check metrics_can_be_explained $? "$bad"

"$sixty" explain cpu.saturatd 2>"$dir/err"
[ $? = 2 ] && grep -q 'did you mean cpu.saturated?' "$dir/err"
check a_slip_of_the_fingers_is_recognised $? "$(cat "$dir/err")"
"$sixty" explain "$(printf 'x\033[2J')" 2>"$dir/err"
[ $? = 2 ] && ! grep -q $'\033' "$dir/err"
check what_was_typed_is_escaped $? "$(cat -v "$dir/err")"
"$sixty" list everything 2>"$dir/err"
[ $? = 2 ] && grep -q "no table 'everything'" "$dir/err"
check an_unknown_table_is_told $? "$(cat "$dir/err")"

"$sixty" doctor --columns 60 >"$dir/out"
check doctor_runs $? "$(tail -n 3 "$dir/out")"
fits 60 "$dir/out"
check doctor_fits_60_columns $? "a line has $(wc -L <"$dir/out") columns"
"$sixty" doctor --json | jq -e '.checks | length >= 15 and all(.[]; .found != null and (.status | IN("ok", "limited", "missing")))' >"$dir/out"
check doctor_answers_every_check $? "$("$sixty" doctor --json | jq -c '.checks[] | select(.found == null)')"
"$sixty" doctor --json | jq -r '.checks[] | select(.status != "ok" and .lost == null) | .id' >"$dir/lacking"
[ ! -s "$dir/lacking" ]
check doctor_says_what_is_lost $? "$(cat "$dir/lacking")"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	cp "$sixty" "$dir/sixty"
	chmod 755 "$dir" "$dir/sixty"
	setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all "$dir/sixty" doctor --json >"$dir/out"
	jq -e '.checks[] | select(.id == "rights") | .status == "limited" and (.remedy | contains("root"))' "$dir/out" >/dev/null
	check doctor_tells_nobody_to_become_root $? "$(jq -c '.checks[] | select(.id == "rights")' "$dir/out")"
else
	echo 'skip doctor_tells_nobody_to_become_root: needs root and setpriv'
fi

for command in '' triage trace capture explain list doctor; do
	# shellcheck disable=SC2086 # no command is no word
	"$sixty" $command --help >"$dir/out"
	check "help_${command:-general}_is_0" $? "$(head -n 1 "$dir/out")"
	fits 80 "$dir/out"
	check "help_${command:-general}_fits_80_columns" $? "$(awk 'length > 80' "$dir/out")"
done
! "$sixty" --help | grep -q generate
check what_only_the_build_needs_is_not_in_help $? generate
