#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The dashboard on a terminal: a private tmux server, screens polled for what must appear, no sleeps.
# live
set -u

. tests/suites/lib.sh

sixty=$PWD/${B:-build}/sixty
fixtures=$PWD/tests/fixtures
suites=$PWD/tests/suites
schema=$PWD/tests/schema
dir=$(mktemp -d) || exit 1
mkdir -p "$dir/home"
screens=0
children=()

if ! command -v tmux >/dev/null; then
	echo 'skip top: no tmux'
	exit 0
fi

tmx() {
	TMUX='' tmux -L "sixty-top-$$-$screens" -f /dev/null "$@" 2>/dev/null
}

tidy() {
	tmx kill-server
	for pid in "${children[@]}"; do
		kill -9 "$pid" 2>/dev/null
	done
	rm -rf "$dir"
}
trap tidy EXIT

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

on_screen() {
	tmx capture-pane -p | grep -qE -- "$1"
}

off_screen() {
	! on_screen "$1"
}

# A shell on a screen of COLUMNS x ROWS, in a UTF-8 locale, with nothing on it.
screen() {
	tmx kill-server
	screens=$((screens + 1))
	tmx new-session -d -x "$1" -y "$2" "env -i PATH='$PATH' HOME='$dir/home' TERM='${3:-screen-256color}' LC_ALL=C.UTF-8 HISTFILE= bash --norc --noprofile"
	tmx send-keys "cd '$dir'; PS1='$ '; clear" Enter
	poll 10 on_screen '^\$$' || check shell_starts 1 'no prompt'
}

# start ARGUMENTS: the dashboard; its end is a line DONE STATUS
start() {
	tmx send-keys "'$sixty' top $1; echo DONE \$?" Enter
	poll 20 on_screen 'help q?' && poll 20 off_screen 'Looking'
}

keys() {
	tmx send-keys "$@"
}

# sees NAME PATTERN: it comes up
sees() {
	poll "${3:-15}" on_screen "$2"
	check "$1" $? "$(tmx capture-pane -p)"
}

dead() {
	! kill -0 "$1" 2>/dev/null || grep -q "^State:.Z" "/proc/$1/status" 2>/dev/null
}

# The process that draws: the child of the one that waits.
drawer() {
	local waits
	waits=$(pgrep -P "$(tmx display-message -p '#{pane_pid}')" -f "^$sixty top" | head -n 1)
	pgrep -P "${waits:-0}" -f "^$sixty top" | head -n 1
}

# --- what a person does first ---

screen 100 30
keys "stty -g >before" Enter
start ''
sees verdict_is_judged ' (HEALTHY|ACTIONABLE|INCONCLUSIVE) '
sees meters_are_drawn '^cpu .* %'
keys 2
sees processes_are_listed 'PID .*COMMAND'

bash -c 'exec -a $'\''evil\033[31m\rname 日本 \xe2\x80\xaex'\'' sleep 98765' &
victim=$!
children+=("$victim")
disown "$victim"
keys F4 ; keys -l 'sleep 98765 re:evil' ; keys Enter
poll 15 on_screen "^ *$victim .*evil"
check filter_finds_a_process $? "$(tmx capture-pane -p)"
on_screen 'evil\\x1b\[31m'
check hostile_names_are_harmless $? "$(tmx capture-pane -p)"
on_screen '^1 of [0-9]+ .*filter'
check filter_leaves_out_the_others $? "$(tmx capture-pane -p)"

keys k ; keys -l 15 ; keys Enter
sees kill_asks_first 'send signal 15 to 1 process .* y/n'
keys n
sees kill_can_be_refused 'nothing was done'
kill -0 "$victim"
check a_refused_kill_kills_nobody $? 'it is gone'
keys a ; keys -l 99999 ; keys Enter
sees cpus_that_are_not_there_are_refused "'99999' is not one of a list"
keys a ; keys -l 0 ; keys Enter
sees cpus_are_asked_for_twice 'allow CPUs 0 for 1 process .* y/n'
keys y
sees cpus_are_set 'allowed CPUs 0: 1 process'
[ "$(taskset -pc "$victim" | sed 's/.*: //')" = 0 ]
check the_process_has_these_cpus $? "$(taskset -pc "$victim")"
keys I ; keys -l b9 ; keys Enter
sees io_priorities_that_are_none_are_refused "'b9' is not one of"
keys I ; keys -l b6 ; keys Enter
sees io_priority_is_asked_for_twice 'set I/O priority best effort 6 for 1 process .* y/n'
keys y
sees io_priority_is_set 'I/O priority best effort 6: 1 process'
ionice -p "$victim" | grep -q 'best-effort: prio 6'
check the_process_has_this_io_priority $? "$(ionice -p "$victim")"
keys Enter
sees one_process_is_explained 'Time of all its threads'
keys k ; keys -l 9 ; keys Enter ; keys y
poll 10 dead "$victim"
check kill_kills $? "$(tmx capture-pane -p)"
sees a_process_that_vanishes_is_told 'has ended|signal 9: 1 process'
keys Escape ; keys Escape
poll 10 off_screen 'filter: '
check escape_clears_the_filter $? "$(tmx capture-pane -p)"

keys t
sees tree_is_drawn '└─'
keys t ; keys / ; keys -l bash ; keys Enter
on_screen 'PID'
check search_keeps_the_screen $? "$(tmx capture-pane -p)"
keys c
sees columns_can_be_chosen '\[x\] +PID'
keys Escape

# --- where the time of a busy process goes adds up to all of it ---

mkfifo "$dir/hold"
"$PWD/${B:-build}/tests/workloads/spin" 2 busybody <"$dir/hold" >/dev/null 2>&1 &
busy=$!
exec 9>"$dir/hold"
children+=("$busy")
disown "$busy"
keys F4 ; keys -l busybody ; keys Enter
poll 10 on_screen "^ *$busy"
keys Enter
poll 20 on_screen '(running|awaits|waits|not accounted).* %'
tmx capture-pane -p >"$dir/detail"
sum=$(sed -n '/Time of all/,/What it uses/p' "$dir/detail" | grep -oE '[0-9]+\.[0-9] %' | awk '{ s += $1 } END { print s }')
awk -v s="$sum" 'BEGIN { exit !(s > 99 && s < 101) }'
check the_parts_of_time_are_the_whole $? "sum $sum: $(cat "$dir/detail")"
exec 9>&-
keys Escape ; keys Escape

# --- help, pause, sizes ---

keys '?'
sees help_explains_the_screen 'P M T N w D'
keys Escape ; keys Space
sees space_pauses 'PAUSED'
keys Space
poll 5 off_screen 'PAUSED'
check space_goes_on $? "$(tmx capture-pane -p)"
for screen in 1 3 4 5 6 7 8 9 0 L E; do
	keys "$screen"
	poll 5 on_screen 'help q'
	check "screen_${screen}_is_drawn" $? "$(tmx capture-pane -p)"
done
keys 2
tmx resize-window -x 20 -y 5
poll 5 on_screen '^ sixty'
check a_tiny_terminal_is_enough $? "$(tmx capture-pane -p)"
tmx resize-window -x 100 -y 30
sees it_grows_again 'PID .*COMMAND'

# --- suspend, quit, a dead child ---

keys C-z
sees it_can_be_suspended 'Stopped'
keys fg Enter
sees it_comes_back 'PID .*COMMAND'
keys q
poll 5 on_screen '^\$ *$'
check it_ends_after_it_was_suspended $? "$(tmx capture-pane -p)"
keys clear Enter
start ''
keys q
sees quit_is_quick '^DONE 0' 5
keys "stty -g >after; cmp before after && echo SAME" Enter
sees quit_restores_the_terminal '^SAME'
off_screen 'COMMAND'
check quit_leaves_the_screen_as_it_was $? "$(tmx capture-pane -p)"

start '--readonly'
keys 2 ; keys k
sees readonly_sends_nothing 'cannot send a signal: --readonly'
keys a
sees readonly_keeps_cpus 'cannot change the allowed CPUs: --readonly'
keys I
sees readonly_keeps_io_priorities 'cannot change the I/O priority: --readonly'
kill -9 "$(drawer)"
sees a_killed_child_is_told 'ended by signal 9'
keys "stty -g >after; cmp before after && echo SAME" Enter
sees the_parent_restores_the_terminal '^SAME'

# --- settings ---

start '--theme safe'
keys 2 ; keys t ; keys W
sees settings_are_saved 'saved to .*/.config/sixty/top'
keys q
sees quit_after_saving '^DONE 0'
grep -qx 'theme = safe' "$dir/home/.config/sixty/top" && grep -qx 'tree = yes' "$dir/home/.config/sixty/top"
check settings_are_lines $? "$(cat "$dir/home/.config/sixty/top")"
echo 'later = 7' >>"$dir/home/.config/sixty/top"
screen 100 30
start ''
keys W
sees settings_are_saved_again 'saved to'
grep -qx 'later = 7' "$dir/home/.config/sixty/top"
check unknown_settings_are_kept $? "$(cat "$dir/home/.config/sixty/top")"
keys q
echo 'interval = soon' >>"$dir/home/.config/sixty/top"
screen 100 30
start ''
sees broken_settings_are_told 'line [0-9]+.*interval'
keys q
rm -r "$dir/home/.config"

# --- colours ---

screen 100 30
keys 'export NO_COLOR=1' Enter
start ''
keys 2
poll 10 on_screen 'PID'
! tmx capture-pane -p -e | grep -qE $'\033\\[[0-9;]*(3[0-7]|38;5|4[0-7]|48;5)'
check no_color_is_respected $? "$(tmx capture-pane -p -e | head -n 3 | cat -v)"
keys q
screen 100 30 vt100
start '--ascii'
sees a_vt100_will_do '^cpu .* %'
keys q

# --- a capture ---

screen 100 30
start "--replay '$fixtures/cpu_throttled'"
sees a_capture_is_shown 'ACTIONABLE.*for' 
keys '['
sees a_step_back 'step 2 of'
keys ']'
sees a_step_on 'step 3 of'
keys g ; keys -l -- '-2' ; keys Enter
sees a_time_is_gone_to 'step [12] of'
keys 2 ; keys k
sees a_capture_gets_no_signals 'this is a capture'
keys q
sees a_capture_ends '^DONE 0'

# --- without a terminal, and one that does not read ---

"$sixty" top </dev/null >"$dir/out" 2>"$dir/err"
[ $? = 1 ] && grep -q 'needs a terminal' "$dir/err"
check without_a_terminal_it_says_so $? "$(cat "$dir/err")"
"$sixty" top -b -n 2 -i 0.5 --screen processes >"$dir/out" 2>"$dir/err"
status=$?
[ "$status" = 0 ] && [ "$(grep -c 'PID .*COMMAND' "$dir/out")" = 2 ]
check batch_prints_frames $? "$(cat "$dir/err")"
! LC_ALL=C grep -q $'[\x01-\x09\x0b-\x1f]' "$dir/out"
check batch_is_plain $? "$(LC_ALL=C grep -m1 $'[\x01-\x09\x0b-\x1f]' "$dir/out" | cat -v)"
"$sixty" top --json -n 2 -i 1 >"$dir/out" 2>"$dir/err"
status=$?
[ "$status" = 0 ] && [ "$(jq -s 'length' "$dir/out")" = 2 ]
check json_is_one_object_per_interval $? "$(head -c 300 "$dir/out" "$dir/err")"
if python3 -c 'import jsonschema' 2>/dev/null; then
	head -n 1 "$dir/out" >"$dir/one"
	python3 "$schema/check.py" "$schema/triage.schema.json" "$dir/one" >"$dir/why" 2>&1
	check json_has_the_schema_of_triage $? "$(tail -n 3 "$dir/why")"
fi
python3 "$suites/stuck_terminal.py" "$sixty" >"$dir/out" 2>&1
check a_terminal_that_does_not_read_stops_nothing $? "$(cat "$dir/out")"
