#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same program in virtual machines with the kernels that Debian offers: 6.1, 6.12, and one that offers next to nothing.
# timeout: 1000
# live
set -u

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
python3 tests/kernels/check.py "$PWD/${B:-build}/sixty" "$dir"
