#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Where sixty says that the time of threads went, and who took it, against loads that know it by construction and by the scheduler's own account.
# timeout: 600
# live
set -u

sixty=$PWD/${B:-build}/sixty
# not below /tmp: reads around the page cache need a file system on a disk
dir=$(mktemp -d "${B:-build}/bpf.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
if [ "$(id -u)" != 0 ] || ! "$sixty" time -d 1 >/dev/null 2>"$dir/err"; then
	echo "skip bpf: needs root and eBPF: $(head -n 1 "$dir/err" 2>/dev/null)"
	exit 0
fi
python3 tests/bpf/prove.py "$sixty" "$PWD/${B:-build}/tests/workloads" "$PWD/$dir"
