#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# On a terminal: a private tmux server, screens polled for what must appear, no sleeps. And off it: pipes that close,
# disks that are full, signals.
# live
set -u

sixty=$PWD/${B:-build}/sixty
dir=$(mktemp -d) || exit 1
screens=0

# One server per screen: a new one is never there before the old one is gone.
tmx() {
	TMUX='' tmux -L "sixty-test-$$-$screens" -f /dev/null "$@" 2>/dev/null
}

tidy() {
	tmx kill-server
	rm -rf "$dir"
}
trap tidy EXIT

# check NAME STATUS WHY
check() {
	if [ "$2" = 0 ]; then
		echo "ok $1"
	else
		echo "not ok $1: $(tr '\n' '~' <<<"$3" | head -c 400)"
	fi
}

# poll SECONDS COMMAND...: until it succeeds
poll() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		read -r -t 0.05 <> <(:)
	done
	return 0
}

# A shell on a screen of COLUMNS x ROWS, in a UTF-8 locale, with nothing on it.
screen() {
	tmx kill-server
	screens=$((screens + 1))
	tmx new-session -d -x "$1" -y "$2" "env -i PATH='$PATH' HOME='$dir' TERM='${3:-screen-256color}' LC_ALL=C.UTF-8 HISTFILE= bash --norc --noprofile"
	tmx set -g history-limit 20000
	tmx send-keys "cd '$dir'; PS1='$ '; clear" Enter
	poll 10 on_screen '^\$$' || check shell_starts 1 'no prompt'
}

on_screen() {
	tmx capture-pane -p | grep -q -- "$1"
}

in_history() {
	tmx capture-pane -p -S - | grep -q -- "$1"
}

# Type a command; its end is a line DONE STATUS.
typed() {
	tmx send-keys "$1; echo DONE \$?" Enter
}

finished() {
	poll "${1:-30}" on_screen '^DONE [0-9]'
}

if ! command -v tmux >/dev/null; then
	echo 'skip terminal: no tmux'
else
	# --- the live picture and the report on 80 x 24 ---
	screen 80 24
	typed "'$sixty' -d 3"
	poll 10 on_screen 'watching .* of 3 s'
	check picture_is_shown_while_watching $? "$(tmx capture-pane -p)"
	poll 10 on_screen 'cpu .* %'
	check picture_shows_the_last_second $? "$(tmx capture-pane -p)"
	finished
	check report_follows $? "$(tmx capture-pane -p)"
	tmx capture-pane -p -S - >"$dir/all"
	! grep -q 'watching' "$dir/all"
	check picture_is_taken_away $? "$(grep -n watching "$dir/all")"
	grep -qE '^ (ACTIONABLE|HEALTHY|INCONCLUSIVE) ' "$dir/all"
	check verdict_is_the_first_line $? "$(head -n 3 "$dir/all")"
	tmx capture-pane -p | tail -n 8 | grep -qE '^ (ACTIONABLE|HEALTHY|INCONCLUSIVE) '
	check verdict_stands_at_the_end_of_a_long_report_too $? "$(tmx capture-pane -p | tail -n 8)"
	tmx capture-pane -p -e -S - | grep -q $'\033\[1m'
	check colour_is_used_on_a_terminal $? 'no escape sequence'

	# --- widths ---
	for columns in 60 80 200; do
		screen $columns 50
		typed "'$sixty' -d 1 --verbose"
		finished
		# -J joins the lines that the terminal had to wrap
		longest=$(tmx capture-pane -p -J -S - | grep -v "sixty' -d" | sed 's/ *$//' | LC_ALL=C.UTF-8 wc -L)
		[ "$longest" -le $columns ]
		check "nothing_wraps_at_${columns}_columns" $? "a line has $longest columns"
	done

	# --- colour off ---
	screen 80 50
	typed "NO_COLOR=1 '$sixty' -d 1 >/dev/tty"
	finished
	! tmx capture-pane -p -e -S - | grep -q $'\033\['
	check no_color_is_respected $? "$(tmx capture-pane -p -e | grep -m1 $'\033\[')"
	screen 80 50
	typed "'$sixty' -d 1 --color never"
	finished
	! tmx capture-pane -p -e -S - | grep -q $'\033\['
	check color_never $? "$(tmx capture-pane -p -e | grep -m1 $'\033\[')"
	screen 80 50 dumb
	typed "'$sixty' -d 2 2>picture"
	finished
	! tmx capture-pane -p -e -S - | grep -q $'\033\['
	check a_dumb_terminal_gets_no_colour $? "$(tmx capture-pane -p -e | grep -m1 $'\033\[')"
	screen 80 50 dumb
	typed "'$sixty' -d 2 >report"
	finished
	! in_history watching
	check a_dumb_terminal_gets_no_picture $? "$(tmx capture-pane -p)"

	# --- interrupts ---
	screen 80 50
	typed "'$sixty' -d 30 --color never"
	poll 10 on_screen '[2-9] of 30 s'
	tmx send-keys C-c
	finished 10
	check interrupt_ends_the_window $? "$(tmx capture-pane -p)"
	in_history 'interrupted after [0-9.]* s'
	check interrupt_prints_what_was_seen $? "$(tmx capture-pane -p)"
	! in_history 'watching'
	check interrupt_takes_the_picture_away $? "$(tmx capture-pane -p -S - | grep -B1 -A2 watching)"
	on_screen '^DONE 0'
	check interrupt_is_no_failure $? "$(tmx capture-pane -p)"
fi

# --- pipes, files, signals: no terminal ---

"$sixty" -d 1 >"$dir/out" 2>"$dir/err"
check piped_run_succeeds $? "$(cat "$dir/err")"
! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' "$dir/out"
check piped_text_has_no_control_codes $? "$(LC_ALL=C grep -m1 $'[\x01-\x08\x0b-\x1f\x7f]' "$dir/out" | cat -v)"
[ ! -s "$dir/err" ]
check piped_run_draws_no_picture $? "$(cat -v "$dir/err")"

LC_ALL=C "$sixty" -d 1 --verbose >"$dir/out"
! LC_ALL=C grep -q $'[\x80-\xff]' "$dir/out"
check another_locale_gets_ascii $? "$(LC_ALL=C grep -m1 $'[\x80-\xff]' "$dir/out")"
LC_ALL=C.UTF-8 "$sixty" -d 1 --ascii --verbose >"$dir/out"
! LC_ALL=C grep -q $'[\x80-\xff]' "$dir/out"
check ascii_is_ascii $? "$(LC_ALL=C grep -m1 $'[\x80-\xff]' "$dir/out")"

"$sixty" -d 1 --verbose 2>"$dir/err" | head -n 1 >"$dir/out"
[ ! -s "$dir/err" ]
check a_closed_pipe_makes_no_noise $? "$(cat "$dir/err")"
[ "$(wc -l <"$dir/out")" = 1 ]
check a_closed_pipe_got_its_line $? "$(cat "$dir/out")"

"$sixty" -d 1 >/dev/full 2>"$dir/err"
[ $? = 1 ] && grep -q 'No space left on device' "$dir/err"
check a_full_disk_is_told $? "$(cat "$dir/err")"
"$sixty" -d 1 -o /dev/full 2>"$dir/err"
[ $? = 1 ] && grep -q '/dev/full.*No space left on device' "$dir/err"
check a_full_output_file_is_told $? "$(cat "$dir/err")"
"$sixty" -d 1 -o "$dir/no/such/folder" 2>"$dir/err"
[ $? = 1 ] && grep -q 'No such file or directory' "$dir/err"
check a_missing_folder_is_told $? "$(cat "$dir/err")"
"$sixty" -d 1 --json -o "$dir/report.json" && jq -e .schema "$dir/report.json" >/dev/null
check output_goes_to_a_file $? 'no JSON in it'
[ "$(find "$dir" -name '.*sixty*' | wc -l)" = 0 ]
check no_part_of_a_file_is_left $? "$(ls -A "$dir")"

# ended SIGNAL: start a long look in the background, wait until it looks, send the signal; its status is $status
ended() {
	"$sixty" -d 30 >"$dir/out" 2>"$dir/err" &
	pid=$!
	# the session blocks its signals before it reads them from a descriptor
	poll 10 grep -q '^SigBlk:.*[1-9a-f]' "/proc/$pid/status"
	poll 10 grep -q timerfd "/proc/$pid/fdinfo/"* 2>/dev/null || poll 10 sh -c "ls -l /proc/$pid/fd | grep -q timerfd"
	kill "-$1" "$pid"
	wait "$pid"
	status=$?
}

ended TERM
[ $status != 0 ] && [ ! -s "$dir/out" ] && [ ! -s "$dir/err" ]
check a_terminated_run_says_nothing $? "status $status: $(head -n 2 "$dir/out" "$dir/err")"
ended INT
[ $status = 0 ] && grep -q 'interrupted after' "$dir/out"
check an_interrupted_run_reports $? "status $status: $(head -n 2 "$dir/out" "$dir/err")"

# --- exit status of --check, and usage ---

code() {
	local name=$1 want=$2 got
	shift 2
	"$sixty" "$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ "$got" = "$want" ]
	check "$name" $? "$got instead of $want: $(head -n 2 "$dir/err")"
}

code usage_error_is_2 2 --no-such-option
code out_of_range_is_2 2 -d 0
code unknown_command_is_2 2 frobnicate
code unknown_rule_is_2 2 explain no.such_rule
code missing_capture_is_1 1 --replay "$dir/nothing"
code missing_capture_with_check_is_3 3 --check --replay "$dir/nothing"
code version_is_0 0 --version
for fixture in tests/fixtures/*/meta; do
	[ -e "$fixture" ] || continue
	fixture=${fixture%/meta}
	want=$("$sixty" --replay "$fixture" --json | jq -r 'if .verdict.status == "inconclusive" then 3
		elif any(.findings[]; .severity == "crit") then 2 elif any(.findings[]; .severity == "warn") then 1 else 0 end')
	code "check_of_${fixture##*/}" "$want" --check --replay "$fixture"
done
