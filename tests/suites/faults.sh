#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Break one thing at a time, and ask sixty what is wrong; and healthy look-alikes, of which it must say nothing.
# timeout: 1500
# live
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 tests/faults/inject.py "${B:-build}/sixty" "${FAULTS:-.}"
