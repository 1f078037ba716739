#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a triage costs on a machine with 300 processes, beside the tools whose numbers it replaces, in one run: once without
# eBPF (those rights are dropped), once with it.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/bench/lib.sh

seconds=10
rounds=${ROUNDS:-3}

# 300 in all, whatever runs here already.
running=$(find /proc -maxdepth 1 -name '[0-9]*' | wc -l)
start_crowd $((running < 300 ? 300 - running : 1))

# One triage: share of one CPU in percent, MiB, ms from its start to the window's, ms from the window's end to the first byte.
one() {
	python3 - "$SIXTY" $seconds <<'PY'
import datetime, json, resource, subprocess, sys, time
began = time.time()
with subprocess.Popen([sys.argv[1], 'triage', '-d', sys.argv[2], '--json'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as p:
    first = p.stdout.read(1)
    came = time.time()
    r = json.loads(first + p.stdout.read())
use = resource.getrusage(resource.RUSAGE_CHILDREN)
cost, window = r['ledger']['cost'], r['window']
opened = datetime.datetime.fromisoformat(window['start'].replace('Z', '+00:00')).timestamp()
load = cost['load_cpu_seconds'] or 0
print(100 * (use.ru_utime + use.ru_stime - load) / float(sys.argv[2]), cost['rss_bytes'] / (1 << 20),
      1000 * (opened - began), 1000 * (came - opened - float(sys.argv[2])), 1000 * load)
PY
}

column() {
	awk -v k="$1" '{ print $k }' "$2" | median
}

row() {
	local share
	share=$(column 1 "$workdir/$1")
	awk -v s="$share" -v n="$3" -v r="$(column 2 "$workdir/$1")" -v o="$(column 3 "$workdir/$1")" \
		-v f="$(column 4 "$workdir/$1")" -v l="$(column 5 "$workdir/$1")" -v m="$2" 'BEGIN {
		printf "%s: %.2f %% of one CPU (aim 0.5)", n, s
		if (l > 0) printf ", and %.0f ms of CPU to load and attach", l
		printf "; RSS %.1f MiB (aim %s)\n  from start to the window %.0f ms, from its end to the first byte %.0f ms (aim 100)\n", r, m, o, f
	}'
}

if [ -z "${PLAIN:-}" ]; then
	for _ in $(seq "$rounds"); do
		one >>"$workdir/whole"
	done
	echo "processes: $(find /proc -maxdepth 1 -name '[0-9]*' | wc -l); sixty triage -d $seconds, medians of $rounds"
	row whole 24 'as it is'
	if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
		kill "$crowd"
		wait "$crowd" 2>/dev/null || true
		crowd=
		PLAIN=1 setpriv --bounding-set=-sys_admin,-bpf,-perfmon "$0"
	fi
	exit 0
fi

# Not sar: who reads the counters for it is not waited for, and so not measured.
declare -A peers=(
	[top]="top -b -d 1 -n $((seconds + 1))"
	[pidstat]="pidstat -urd 1 $seconds"
	[vmstat]="vmstat 1 $((seconds + 1))"
	[mpstat]="mpstat -P ALL 1 $seconds"
	[iostat]="iostat -xz 1 $((seconds + 1))"
)
for _ in $(seq "$rounds"); do
	one >>"$workdir/plain"
	for peer in "${!peers[@]}"; do
		command -v "$peer" >/dev/null || continue
		# shellcheck disable=SC2086 # a command and its arguments
		cpu_of ${peers[$peer]} >>"$workdir/$peer"
	done
done
row plain 16 'without eBPF'
compare() {
	awk -v c="$(column 1 "$workdir/plain")" -v s=$seconds -v p="$2" -v n="$1" \
		'BEGIN { c *= s / 100; printf "  %s: %.3f s of CPU; sixty / it = %.2f\n", n, p, (p > 0 ? c / p : 0) }'
}

sum=0
for peer in top pidstat vmstat mpstat iostat; do
	[ -s "$workdir/$peer" ] || { echo "  $peer: not here"; continue; }
	took=$(median <"$workdir/$peer")
	sum=$(awk "BEGIN { print $sum + $took }")
	compare "${peers[$peer]}" "$took"
done
compare 'all of these' "$sum"
