#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Reading 10,000 processes once: through the iterator, from files that stay open, from files opened each time, and what one
# refresh costs `top -b`, top and htop on a terminal over the same processes. All in one run, CPU time.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/bench/lib.sh

rounds=${ROUNDS:-3}
processes=${PROCESSES:-10000}
export LC_ALL=C

# A few sweeps each way, rows included; nothing where that way does not exist.
sweep() {
	"$B/tests/tools/table" bench "$1" 3 >"$workdir/out" || return 0
	cat "$workdir/out" >>"$workdir/$1"
}

median_of() {
	[ ! -s "$workdir/$1" ] || median <"$workdir/$1"
}

# What each of the later refreshes costs: the first run pays for the start.
top_batch() {
	local one five
	one=$(cpu_of top -b -d 0.2 -n 1)
	five=$(cpu_of top -b -d 0.2 -n 6)
	awk -v a="$one" -v b="$five" 'BEGIN { print 1000 * (b - a) / 5 }'
}

on_terminal() {
	command -v "$1" >/dev/null || return 0
	python3 tests/bench/refresh.py 3 "$@"
}

# A whole triage against top, start and report included: both look twice.
whole() {
	for _ in $(seq "$rounds"); do
		cpu_of "$SIXTY" triage -d 1 --json >>"$workdir/triage.$1"
		cpu_of top -b -d 1 -n 2 >>"$workdir/twice.$1"
	done
}

whole few
start_crowd "$processes"
whole many
for _ in $(seq "$rounds"); do
	for way in iterator kept files; do
		sweep $way
	done
	top_batch >>"$workdir/top_batch"
done
iterator=$(median_of iterator)
{
	echo "iterator $iterator"
	echo "kept-open $(median_of kept)"
	echo "/proc $(median_of files)"
	echo "top -b $(median_of top_batch)"
	echo "top $(on_terminal top -d 1)"
	echo "htop $(on_terminal htop -d 10)"
} | awk -v n="$processes" -v best="${iterator:-0}" '
	BEGIN { printf "%d idle processes, ms of CPU time per look (aims of the iterator: 20, and a tenth of top -b and htop)\n", n }
	$NF !~ /^[0-9.]+$/ { printf "  %-10s not here\n", $1; next }
	{ ms = $NF; sub(/ [^ ]*$/, ""); printf "  %-10s %8.1f", $0, ms }
	best > 0 { printf "   %5.1f x the iterator", ms / best }
	{ print "" }'
few=$(median_of triage.few) many=$(median_of triage.many)
awk -v n="$processes" -v a="$few" -v b="$many" -v c="$(median_of twice.few)" -v d="$(median_of twice.many)" 'BEGIN {
	printf "sixty triage -d 1: %.3f s CPU time with few processes, %.3f s with %d more\n", a, b, n
	printf "what they cost it, for each of its two looks, against a refresh of top -b: %.2f (aim below 1)\n", (d > c ? (b - a) / (d - c) : 0)
}'
