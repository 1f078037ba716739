#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Nothing quadratic: replay of synthetic machines of growing size. Twice the processes may cost twice the time, not four times.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/bench/lib.sh

for n in 12500 25000 50000 100000; do
	python3 tests/bench/synthetic.py "$workdir/$n" $n 512
	for _ in 1 2 3; do
		cpu_of "$SIXTY" triage --replay "$workdir/$n" --json >>"$workdir/time.$n"
	done
	printf '%6d processes, 512 CPUs: %s s CPU, %s KiB\n' "$n" "$(median <"$workdir/time.$n")" \
		"$(peak_kib "$SIXTY" triage --replay "$workdir/$n" --json)"
	rm -rf "${workdir:?}/$n"
done
awk -v a="$(median <"$workdir/time.25000")" -v b="$(median <"$workdir/time.100000")" \
	'BEGIN { printf "four times the processes: %.1f times the CPU time (quadratic would be 16)\n", (a > 0 ? b / a : 0) }'
