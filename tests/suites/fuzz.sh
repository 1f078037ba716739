#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A short, bounded run of every fuzz target: FUZZ_SECONDS (default 5) for each tests/fuzz/NAME.c.
# What made it crash is left in build/fuzz/NAME.crash-*. Targets begin with what tests/fuzz/seeds.py makes of this machine.
# timeout: 900
set -u

out=${B:-build}/fuzz
sixty=${B:-build}/sixty
seconds=${FUZZ_SECONDS:-3}
clang=${FUZZ_CC:-clang}
targets=$(cd tests/fuzz && echo *.c)

mkdir -p "$out"
if ! echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' |
	"$clang" -fsanitize=fuzzer,address,undefined -x c - -o "$out/.probe" 2>/dev/null; then
	for target in $targets; do
		echo "skip fuzz_${target%.c}: clang cannot link libFuzzer with sanitizers here"
	done
	exit 0
fi
rm -rf "$out/seeds"
if ! python3 tests/fuzz/seeds.py "$sixty" "$out/seeds"; then
	echo 'not ok fuzz_seeds: tests/fuzz/seeds.py failed'
fi

for target in $targets; do
	name=${target%.c}
	if ! why=$("${MAKE:-make}" -s -j"$(nproc)" FUZZ=1 CC="$clang" B="$out" "$out/$name" 2>&1); then
		printf '%s\n' "$why"
		echo "not ok fuzz_$name: does not build"
		continue
	fi
	mkdir -p "$out/$name.corpus"
	args=("$out/$name.corpus")
	[ ! -d "$out/seeds/$name" ] || args+=("$out/seeds/$name")
	[ ! -f "$out/seeds/$name.dict" ] || args+=(-dict="$out/seeds/$name.dict")
	if "$out/$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=200000 -print_final_stats=1 \
		-artifact_prefix="$out/$name." "${args[@]}" >"$out/$name.log" 2>&1; then
		echo "ok fuzz_$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$name.log") inputs"
	else
		tail -n 40 "$out/$name.log"
		echo "not ok fuzz_$name: see $out/$name.log"
	fi
done
