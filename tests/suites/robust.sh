#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Bad input and bad places, as a user meets them: broken captures, full disks, closed pipes, signals, missing files, few
# rights. The program that users get is tried with everything, and one with sanitizers with what goes through its parsers.
# timeout: 600
# live
set -u

sixty=$PWD/${B:-build}/sixty
dir=$(mktemp -d) || exit 1
trap 'chmod -R u+rwx "$dir"; rm -rf "$dir"' EXIT
chmod 755 "$dir"        # an ordinary user looks into it, too
mkdir "$dir/process" "$dir/captures"
chmod 777 "$dir/process"
cp "$sixty" "$dir/sixty" || exit 1
status=0

python3 tests/robust/process.py "$dir/sixty" "$dir/process" || status=1

if ! why=$("$sixty" capture -d 1 -n 3 "$dir/base" 2>&1); then
	echo "not ok a_capture_to_break: $why"
	exit 1
fi
python3 tests/robust/captures.py "$sixty" "$dir/base" "$dir/captures" || status=1

# Each mode of make has its own directory; this one shares nothing with the program above.
if [ -n "${SAN:-}" ] || [[ ${B:-} == */san* ]]; then
	echo 'skip sanitized_replay: this build has sanitizers already'
elif ! echo 'int main(void) { return 0; }' | "${CC:-cc}" -fsanitize=address,undefined -x c - -o "$dir/probe" 2>/dev/null; then
	echo "skip sanitized_replay: ${CC:-cc} cannot link sanitizers here"
elif ! why=$("${MAKE:-make}" -s -j"$(nproc)" SAN=1 B=build/san build/san/sixty 2>&1); then
	printf '%s\n' "$why" | tail -n 20
	echo 'not ok sanitized_replay: it does not build'
else
	python3 tests/robust/captures.py "$PWD/build/san/sixty" "$dir/base" "$dir/captures" sanitized_ || status=1
fi
exit $status
