#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a triage costs on a machine with 300 processes, beside the tools whose numbers it replaces, in one run.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/bench/lib.sh

# 300 in all, whatever runs here already.
running=$(find /proc -maxdepth 1 -name '[0-9]*' | wc -l)
start_crowd $((running < 300 ? 300 - running : 1))
seconds=10
processes=$(find /proc -maxdepth 1 -name '[0-9]*' | wc -l)
echo "processes: $processes"

rounds=${ROUNDS:-3}
for _ in $(seq "$rounds"); do
	cpu_of "$SIXTY" triage -d $seconds --json >>"$workdir/sixty"
	cpu_of top -b -d 1 -n $((seconds + 1)) >>"$workdir/top"
	if command -v pidstat >/dev/null; then
		cpu_of pidstat -urd 1 $seconds >>"$workdir/pidstat"
	fi
done
sixty=$(median <"$workdir/sixty")
awk -v c="$sixty" -v s=$seconds 'BEGIN { printf "sixty -d %d: %.3f s CPU = %.2f %% of one CPU (aim 0.5 %%)\n", s, c, 100 * c / s }'
for peer in top pidstat; do
	[ -s "$workdir/$peer" ] || { echo "$peer: not here"; continue; }
	awk -v c="$sixty" -v p="$(median <"$workdir/$peer")" -v n=$peer \
		'BEGIN { printf "%s over the same time: %.3f s CPU; sixty / %s = %.2f\n", n, p, n, (p > 0 ? c / p : 0) }'
done
peak_kib "$SIXTY" triage -d 2 --json | awk '{ printf "peak RSS: %.1f MiB (aim 16)\n", $1 / 1024 }'

python3 - "$SIXTY" <<'PY'
import subprocess, sys, time
t = time.monotonic()
p = subprocess.Popen([sys.argv[1], 'triage', '-d', '2'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
p.stdout.read(1)
print(f"first byte after the end of a 2 s window: {1000 * (time.monotonic() - t - 2):.0f} ms, start-up included (aims 100 + 50)")
p.stdout.read(); p.wait()
PY
