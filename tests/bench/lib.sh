# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the benchmarks share: CPU time of a command, ratios of medians over interleaved pairs, a crowd of sleeping processes.

B=${B:-build}
export SIXTY=$B/sixty
workdir=$(mktemp -d)
crowd=
cleanup() {
	[ -z "$crowd" ] || { kill "$crowd" 2>/dev/null; wait "$crowd" 2>/dev/null; }
	rm -rf "$workdir"
}
trap cleanup EXIT

# cpu_of COMMAND...: user + system seconds of the command and its children, its output thrown away.
cpu_of() {
	local t
	t=$( { TIMEFORMAT='%U %S'; time "$@" >/dev/null 2>&1; } 2>&1 )
	awk '{ print $1 + $2 }' <<<"$t"
}

# peak_kib COMMAND...: largest resident set of the command.
peak_kib() {
	python3 - "$@" <<'PY'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
PY
}

# median of lines on standard input
median() {
	sort -g | awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# start_crowd N: N sleeping processes until the end.
start_crowd() {
	mkfifo "$workdir/hold"
	"$B/tests/workloads/forker" "$1" <"$workdir/hold" >"$workdir/ready" &
	crowd=$!
	exec 9>"$workdir/hold"
	while ! grep -q ready "$workdir/ready" 2>/dev/null; do
		kill -0 "$crowd" 2>/dev/null || { echo "cannot start $1 processes" >&2; exit 1; }
		sleep 0.1
	done
}
