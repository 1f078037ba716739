# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What suites in shell share. Not executable: it is no suite.

# check NAME STATUS DETAIL: the line of a test, which has passed when STATUS is 0; of the detail, what fits.
check() {
	if [ "$2" = 0 ]; then
		echo "ok $1"
	else
		echo "not ok $1: $(tr '\n' '~' <<<"$3" | head -c 600)"
	fi
}

# until_true SECONDS COMMAND…: false when it has not come true by then
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@" 2>/dev/null; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.02
	done
}
