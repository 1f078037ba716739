#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the dashboard costs beside htop, top, btop and atop: one refresh a second on a pty, in one run, with 300 processes
# and with COUNT (10000; 0 leaves that out). Aims: 0.5 % of one CPU and a third of htop's; half of htop's bytes.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/bench/lib.sh

seconds=${SECONDS_EACH:-15}

peers() {
	printf '%s\n' "sixty=$SIXTY top --screen processes"
	! command -v htop >/dev/null || echo 'htop=htop -d 10'
	! command -v top >/dev/null || echo 'top=top -d 1'
	! command -v btop >/dev/null || echo 'btop=btop'
	! command -v atop >/dev/null || echo 'atop=atop 1'
}

compare() {
	local -a list
	mapfile -t list < <(peers)
	echo "processes: $(find /proc -maxdepth 1 -name '[0-9]*' | wc -l)"
	python3 tests/bench/top.py "$seconds" "${list[@]}"
}

running=$(find /proc -maxdepth 1 -name '[0-9]*' | wc -l)
start_crowd $((running < 300 ? 300 - running : 1))
compare
count=${COUNT:-10000}
if [ "$count" -gt 0 ]; then
	exec 9>&-
	wait "$crowd" || true
	rm -f "$workdir/hold" "$workdir/ready"
	start_crowd "$count"
	compare
fi
