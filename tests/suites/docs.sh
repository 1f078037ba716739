#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Generated pages are what the program says today; completions and the manual are accepted by those who read them;
# no relative link in a page of docs/ leads nowhere.
set -u

sixty=${B:-build}/sixty
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

same() {
	local file=$1
	if cmp -s "$file" "$dir/page"; then
		echo "ok ${file//\//_}_is_up_to_date"
	else
		diff "$file" "$dir/page" | head -n 10
		echo "not ok ${file//\//_}_is_up_to_date: run make docs"
	fi
}

"$sixty" list metrics --markdown >"$dir/page" && same docs/metrics.md
"$sixty" list rules --markdown >"$dir/page" && same docs/rules.md
"$sixty" generate man >"$dir/page" && same docs/man/sixty.1

if command -v mandoc >/dev/null; then
	# what it says of other manuals depends on which are installed
	if why=$(mandoc -Tlint docs/man/sixty.1 2>&1 | grep -v 'mandoc.db\|referenced manual not found'); then
		echo "not ok the_manual_is_correct_mdoc: ${why//$'\n'/; }"
	else
		echo 'ok the_manual_is_correct_mdoc'
	fi
else
	echo 'skip the_manual_is_correct_mdoc: no mandoc'
fi

for shell in bash zsh fish; do
	"$sixty" generate $shell >"$dir/completion"
	if ! command -v $shell >/dev/null; then
		echo "skip completion_for_$shell: no $shell"
	elif why=$($shell -n "$dir/completion" 2>&1); then
		echo "ok completion_for_$shell"
	else
		echo "not ok completion_for_$shell: ${why//$'\n'/; }"
	fi
done

# complete WORDS… : what bash would offer for the last one
complete_bash() {
	"$sixty" generate bash >"$dir/completion"
	bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sixty; echo "${COMPREPLY[*]}"' - "$dir/completion" "$@"
}

offers() {
	local name=$1 want=$2 got
	shift 2
	got=$(complete_bash "$@")
	if [ "$got" = "$want" ]; then
		echo "ok bash_completes_$name"
	else
		echo "not ok bash_completes_$name: '$got' instead of '$want'"
	fi
}

offers commands doctor sixty doc
offers choices 'auto always never' sixty --color ''
offers formats openmetrics sixty triage --format o
offers tables 'metrics rules collectors files events' sixty list ''
offers events 'exec exit' sixty trace ex
offers options_after_a_value --check sixty -d 5 --ch
offers options_of_the_command --json sixty doctor --j

# What README shows is what the program prints.
LC_ALL=C.UTF-8 "$sixty" --replay tests/fixtures/cpu_throttled --columns 80 | head -n 24 >"$dir/sample"
awk -v fence="$(printf '\140\140\140')" '$0 == fence "text" { on = 1; next } $0 == fence { on = 0 } on' README.md >"$dir/shown"
if cmp -s "$dir/sample" "$dir/shown"; then
	echo 'ok README_shows_what_sixty_prints'
else
	diff "$dir/sample" "$dir/shown" | head -n 10
	echo 'not ok README_shows_what_sixty_prints: it is the first 24 lines of sixty --replay tests/fixtures/cpu_throttled --columns 80'
fi

broken=
for page in README.md docs/*.md docs/adr/*.md CONTRIBUTING.md; do
	[ -e "$page" ] || continue
	while read -r link; do
		[ -e "$(dirname "$page")/$link" ] || broken+=" $page:$link"
	done < <(grep -oE '\]\([^)#:]+\)' "$page" | sed 's/^](//; s/)$//')
done
if [ -z "$broken" ]; then
	echo 'ok links_between_pages_lead_somewhere'
else
	echo "not ok links_between_pages_lead_somewhere:$broken"
fi
