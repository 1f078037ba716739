#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 300,000 different stacks, 123 MB of folded text, as an SVG: time, memory, size; the same without an order. With FLAMEGRAPH=DIR,
# a checkout of FlameGraph, also what flamegraph.pl makes of them, and where its folds of its own test inputs differ from ours.
# With INFERNO=DIR, where inferno-flamegraph lies, that too.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/bench/lib.sh

count=${STACKS:-300000}
tests/bench/stacks.py "$count" "$workdir/sorted.folded"
shuf --random-source=<(yes) "$workdir/sorted.folded" >"$workdir/shuffled.folded"
awk -v n="$count" -v b="$(stat -c %s "$workdir/sorted.folded")" 'BEGIN { printf "%d stacks, %.1f MB\n", n, b / 1e6 }'

# measure NAME OUT COMMAND…: the median of three runs
measure() {
	local name=$1 out=$2
	shift 2
	python3 - "$name" "$out" "$@" <<'PY'
import os, subprocess, sys, time
name, out, *command = sys.argv[1:]
seconds, peak = [], 0
for _ in range(int(os.environ.get("ROUNDS", "3"))):
    begin = time.monotonic()
    with open(out + ".stdout", "wb") as f:
        p = subprocess.Popen(command, stdout=f, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(p.pid, 0)
    p.returncode = status
    if status:
        sys.exit(f"{name}: exit status {status}")
    seconds.append(time.monotonic() - begin)
    peak = max(peak, usage.ru_maxrss)
size = os.path.getsize(out if os.path.exists(out) else out + ".stdout")
print(f"{name}: {sorted(seconds)[len(seconds) // 2]:.2f} s, {peak / 1024:.0f} MiB, {size / 1e6:.2f} MB written")
PY
}

echo 'aims: 1.5 s, 400 MiB, 3 MB'
for order in sorted shuffled; do
	measure "sixty flame, $order" "$workdir/$order.svg" "$SIXTY" flame "$workdir/$order.folded" -o "$workdir/$order.svg"
done
measure 'sixty flame to pprof' "$workdir/a.pb.gz" "$SIXTY" flame "$workdir/sorted.folded" -o "$workdir/a.pb.gz"
measure 'sixty flame to folded' "$workdir/b.folded" "$SIXTY" flame "$workdir/shuffled.folded" -o "$workdir/b.folded"

if [ -n "${INFERNO:-}" ]; then
	measure inferno-flamegraph "$workdir/inferno.svg" "$INFERNO/inferno-flamegraph" "$workdir/sorted.folded"
fi
[ -n "${FLAMEGRAPH:-}" ] || { echo 'FLAMEGRAPH is not set: nothing to compare with'; exit 0; }
ROUNDS=1 measure flamegraph.pl "$workdir/perl.svg" perl "$FLAMEGRAPH/flamegraph.pl" "$workdir/sorted.folded"

# Differences that are meant:
#   a last sample without an empty line behind it, which stackcollapse-perf.pl drops, counts;
#   a symbol without a name is [its module], not a blank;
#   a function that perf calls (inlined) has the suffix _[i].
echo 'folds of the test inputs, lines of stackcollapse-perf.pl --all against ours:'
for input in "$FLAMEGRAPH"/test/perf-*.txt; do
	{ cat "$input"; echo; } >"$workdir/input"
	perl "$FLAMEGRAPH/stackcollapse-perf.pl" --all "$workdir/input" 2>/dev/null | LC_ALL=C sort >"$workdir/theirs"
	"$SIXTY" flame "$input" -o "$workdir/ours.folded" 2>/dev/null
	LC_ALL=C sort "$workdir/ours.folded" >"$workdir/ours"
	if diff "$workdir/theirs" "$workdir/ours" >"$workdir/diff"; then
		echo "  ${input##*/}: $(wc -l <"$workdir/ours") the same"
	else
		echo "  ${input##*/}: $(grep -c '^[<>]' "$workdir/diff") of $(wc -l <"$workdir/ours") lines differ"
		grep '^[<>]' "$workdir/diff" | sed 's/^\([<>]\) .*;\([^;]*;[^;]*\)$/    \1 …;\2/'
	fi
done
