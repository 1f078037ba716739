#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check.py SCHEMA [FILE]: is the JSON of FILE (standard input) what the schema says? Prints every deviation."""
import json
import sys

import jsonschema


def refuse_twice(pairs):
    """A key that comes twice is valid JSON and lost data."""
    keys = [k for k, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError("a key comes twice: " + ", ".join(sorted({k for k in keys if keys.count(k) > 1})))
    return dict(pairs)


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        schema = json.load(f)
    raw = open(sys.argv[2], "rb").read() if len(sys.argv) > 2 else sys.stdin.buffer.read()
    text = raw.decode("utf-8")
    if text.count("\n") != 1 or not text.endswith("\n"):
        sys.exit("not one line")
    document = json.loads(text, object_pairs_hook=refuse_twice, parse_constant=lambda c: sys.exit(f"{c} is not JSON"))
    errors = sorted(jsonschema.Draft7Validator(schema).iter_errors(document), key=lambda e: list(map(str, e.path)))
    for e in errors[:10]:
        print("/".join(map(str, e.absolute_path)) + ": " + e.message[:200])
    sys.exit(bool(errors))


main()
