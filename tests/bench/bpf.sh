#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the eBPF programs cost, themselves and others, beside peers. ROUNDS pairs of each (9).
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "$(id -u)" != 0 ]; then
	echo 'needs root'
	exit 0
fi
python3 tests/bench/bpf.py "$PWD/${B:-build}/sixty"
