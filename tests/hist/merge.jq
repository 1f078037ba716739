# SPDX-License-Identifier: Apache-2.0
# Objects of `sixty hist -i SECONDS --json` (jq -s): one row per name and key over all intervals.
def at($q):
  .count as $n
  | (($n * $q) | ceil) as $rank
  | reduce .buckets[] as $b ({seen: 0, value: null};
      if .value == null and .seen + $b[2] >= $rank then .value = ($b[0] + $b[1]) / 2 else . end | .seen += $b[2])
  | .value;

{
  rows: ([.[].histograms[] | select(.count > 0)] | group_by([.name, .key]) | map({
    name: .[0].name,
    key: .[0].key,
    count: (map(.count) | add),
    sum: (map(.sum) | add),
    max: (map(.max // 0) | max),
    buckets: (map(.buckets) | add | group_by(.[0]) | map([.[0][0], .[0][1], (map(.[2]) | add)]))
  } | . + {p50: at(0.5), p90: at(0.9)})),
  failures: ([.[].failures // [] | .[]] | group_by([.call, .code]) | map(.[0] + {count: (map(.count) | add)})),
  open: (last.histograms[0].open),
  ledger: (last.ledger)
}
