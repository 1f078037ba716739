#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Frames of CPython among those of C, for each version that is here: of a program whose stacks are known.
# timeout: 300
# live
set -u
export LC_ALL=C.UTF-8

sixty=${B:-build}/sixty
dir=$(mktemp -d) || exit 1
load=''

finish() {
	[ -z "$load" ] || kill -9 "$load" 2>/dev/null
	rm -rf "$dir"
}
trap finish EXIT

# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

if ! "$sixty" doctor --json | jq -e '.programs[] | select(.name == "profile_tick" and .status == "ok")' >/dev/null; then
	echo 'skip python: CPUs cannot be sampled here'
	exit 0
fi

# samples PATTERN FILE: with a stack like that
samples() {
	awk -v p="$1" '{ n = $NF; sub(/ [0-9.]+$/, ""); if ($0 ~ p) sum += n } END { print sum + 0 }' "$2"
}

# Attached to while it runs: what happens while a program begins is another test.
look() {
	"$1" tests/profile/snake.py 20 &
	load=$!
	for _ in $(seq 100); do
		[ "$(find "/proc/$load/task" -maxdepth 1 2>/dev/null | wc -l)" -ge 3 ] && break
		sleep 0.1
	done
	"$sixty" profile -F 299 -d 2 --no-kernel -p $load -o "$dir/$2" >"$dir/out" 2>"$dir/err"
	kill $load
	wait $load 2>/dev/null
	load=''
}

seen=
for minor in 8 9 10 11 12 13; do
	python=''
	for p in "/usr/bin/python3.$minor" "$HOME/.pyenv/versions/3.$minor."*"/bin/python3.$minor" "$(command -v "python3.$minor")"; do
		# one that runs, and is what it is called
		[ -z "$python" ] && [ "$("$p" -c 'import sys; print(sys.version_info[1], sys.implementation.name)' 2>/dev/null)" = "$minor cpython" ] && python=$p
	done
	if [ -z "$python" ]; then
		echo "skip frames_of_python_3.$minor: there is none here"
		continue
	fi
	seen=$python
	look "$python" snake.folded
	all=$(samples 'deeper' "$dir/snake.folded")
	five='deeper_.p.;([^;]*;)*deeper_.p.;([^;]*;)*deeper_.p.;([^;]*;)*deeper_.p.;([^;]*;)*deeper_.p.;([^;]*;)*([^;]*[.])?work_.p.;'
	thread=$(samples "start_thread;.*_PyEval_EvalFrameDefault;([^;]*;)*[^;]*_bootstrap_.p.;.*run_.p.;([^;]*;)*loop_.p.;([^;]*;)*$five" "$dir/snake.folded")
	main=$(samples "Py_(Bytes|Run)Main;.*_PyEval_EvalFrameDefault;<module>_.p.;([^;]*;)*蛇_.p.;.*_PyEval_EvalFrameDefault;([^;]*;)?[^;]*<lambda>_.p.;([^;]*;)*loop_.p.;([^;]*;)*$five" "$dir/snake.folded")
	[ "$all" -gt 100 ] && [ "$thread" -gt 20 ] && [ "$main" -gt 20 ] && [ $((100 * (thread + main))) -ge $((97 * all)) ]
	check frames_of_python_3.$minor $? "$all samples, $thread of the thread and $main of the program whole: $(cat "$dir/err") $(awk '{ print $NF, $0 }' "$dir/snake.folded" | sort -rn | head -n 2 | cut -c1-500)"
done

if [ -z "$seen" ]; then
	exit 0
fi
look "$seen" snake.json
jq -r '.strings as $s | .frames[] | select(.[4] == 4) | [$s[.[0]], $s[.[1]], $s[.[2]], .[3]] | @tsv' "$dir/snake.json" >"$dir/frames"
grep -qP "^deeper\tsnake.py\t[^\t]*tests/profile/snake.py\t$(grep -n 'def deeper' tests/profile/snake.py | cut -d: -f1)$" "$dir/frames" && grep -q 'Égal.work\|^work' "$dir/frames"
check functions_of_python_have_their_file_and_line $? "$(cat "$dir/frames" "$dir/err")"
