#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# JSON against its schema, OpenMetrics and CSV against readers that were written by others.
set -u

sixty=${B:-build}/sixty
schema=tests/schema/triage.schema.json
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# The first python3 that has the module, or nothing.
python_with() {
	local p
	for p in python3 /usr/bin/python3; do
		if "$p" -c "import $1" 2>/dev/null; then
			echo "$p"
			return
		fi
	done
}

schema_python=$(python_with jsonschema)
if [ -z "$schema_python" ]; then
	echo 'skip json: no jsonschema for Python'
	exit 0
fi
prometheus_python=$(python_with prometheus_client)

# check NAME COMMAND...: its output is a triage object
check() {
	local name=$1
	shift
	if ! "$@" >"$dir/out" 2>"$dir/err"; then
		echo "not ok $name: exit status $?: $(head -c 300 "$dir/err")"
	elif why=$("$schema_python" tests/schema/check.py "$schema" "$dir/out" 2>&1); then
		echo "ok $name"
	else
		echo "not ok $name: $(tr '\n' ';' <<<"$why" | head -c 600)"
	fi
}

# The schema itself must be able to say no.
refuses() {
	local name=$1 edit=$2
	jq -c "$edit" "$dir/good" >"$dir/bad"
	if "$schema_python" tests/schema/check.py "$schema" "$dir/bad" >/dev/null 2>&1; then
		echo "not ok schema_refuses_$name"
	else
		echo "ok schema_refuses_$name"
	fi
}

check live_root "$sixty" triage -d 1 --json
cp "$dir/out" "$dir/good"
refuses more_keys '.extra = 1'
refuses a_missing_section 'del(.unknown)'
refuses another_status '.verdict.status = "fine"'
refuses an_unknown_cell_without_reason '.use += [{"resource":"cpu","instance":"x","utilization":null,"saturation":0,"saturation_unit":null,"errors":0,"worst_second":0,"reasons":{}}]'
refuses a_negative_loss '.ledger.loss.clock = -1'

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	check live_nobody setpriv --reuid 65534 --regid 65534 --clear-groups "$sixty" triage -d 1 --json
else
	echo 'skip live_nobody: needs root and setpriv'
fi

for fixture in tests/fixtures/*/meta; do
	[ -e "$fixture" ] || continue
	fixture=${fixture%/meta}
	check "replay_${fixture##*/}" "$sixty" triage --replay "$fixture" --json
done

# Every command's --json is one object that names its schema.
for args in 'list metrics' 'list rules' 'list collectors' 'list files' 'explain sys.load1' doctor; do
	name=${args// /_}
	# shellcheck disable=SC2086 # words
	if "$sixty" $args --json | jq -e '.schema | test("^sixty\\.(list|explain|doctor)/1$")' >/dev/null; then
		echo "ok json_of_$name"
	else
		echo "not ok json_of_$name"
	fi
done

"$sixty" triage -d 1 --format openmetrics --verbose >"$dir/metrics" || echo 'not ok openmetrics_runs'
if [ -n "$prometheus_python" ]; then
	if why=$("$prometheus_python" - "$dir/metrics" 2>&1 <<'END'
import sys
from prometheus_client.openmetrics.parser import text_fd_to_metric_families
names = [s.name for f in text_fd_to_metric_families(open(sys.argv[1])) for s in f.samples]
assert len(names) > 50, len(names)
assert "sixty_verdict" in names
END
	); then
		echo 'ok openmetrics_is_read_by_prometheus_client'
	else
		echo "not ok openmetrics_is_read_by_prometheus_client: ${why##*$'\n'}"
	fi
else
	echo 'skip openmetrics_is_read_by_prometheus_client: no prometheus_client for Python'
fi

"$sixty" triage -d 1 --format csv >"$dir/csv" || echo 'not ok csv_runs'
if why=$(python3 - "$dir/csv" 2>&1 <<'END'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline=""), strict=True))
assert len(rows) > 50, len(rows)
for r in rows:
    assert None not in r and None not in r.values(), r
    float(r["value"])
    assert r["kind"] in ("counter", "gauge", "derived"), r
END
); then
	echo 'ok csv_is_read_by_python'
else
	echo "not ok csv_is_read_by_python: ${why##*$'\n'}"
fi
