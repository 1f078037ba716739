# SPDX-License-Identifier: Apache-2.0
"""What is inlined where, against addr2line: inlines.py TOOL FILE... ; every so many bytes of code, names and lines."""
import re
import subprocess
import sys

COUNT = 1500


def code(path):
    """Address ranges of .text."""
    out = subprocess.run(["readelf", "-WS", path], capture_output=True, text=True, check=True).stdout
    m = re.search(r"\] \.text +PROGBITS +([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+)", out)
    return int(m[1], 16), int(m[2], 16)


def addresses(path):
    start, size = code(path)
    step = max(1, size // COUNT) | 1  # odd: not always the same place in a line of code
    return list(range(start, start + size, step))


def plain(name):
    """Its last part, without parameters and what is behind them."""
    if len(name) >= 159:
        return None    # it was cut
    if "operator" in name:
        return "operator"
    name = name.replace("(anonymous namespace)", "anonymous")
    depth, out = 0, ""
    for c in re.sub(r" \[clone[^]]*\]", "", name):
        depth += c in "(<"
        if not depth:
            out += c
        depth -= c in ")>"
    words = re.findall(r"[~\w$]+", re.sub(r"( const| volatile| ?&)+$", "", out.split(".")[0]))
    return words[-1] if words else ""


def same(one, other):
    return len(one) == len(other) and all(x is None or y is None or x == y for (x, _), (y, _) in zip(one, other))


def ours(tool, path, wanted):
    out = subprocess.run([tool, path], input="".join(f"{a:x}\n" for a in wanted), capture_output=True, text=True, check=True).stdout
    found, now = {}, None
    for line in out.splitlines():
        if re.fullmatch(r"0x[0-9a-f]{16}", line):
            now = found.setdefault(int(line, 16), [])
        else:
            name, place = line.rsplit(" ", 1)
            now.append((plain(name), int(place.rsplit(":", 1)[1])))
    return found


def theirs(path, wanted):
    out = subprocess.run(["addr2line", "-aifC", "-e", path], input="".join(f"{a:x}\n" for a in wanted), capture_output=True, text=True, check=True).stdout
    found, now, lines = {}, None, iter(out.splitlines())
    for line in lines:
        if re.fullmatch(r"0x[0-9a-f]{16}", line):
            now = found.setdefault(int(line, 16), [])
            continue
        place = re.sub(r" \(discriminator \d+\)", "", next(lines))
        number = place.rsplit(":", 1)[1]
        now.append((plain(line), int(number) if number.isdigit() else 0))
    return found


def main():
    failed = False
    for path in sys.argv[2:]:
        wanted = addresses(path)
        a, b = ours(sys.argv[1], path, wanted), theirs(path, wanted)
        known = [w for w in wanted if b.get(w, [("??", 0)])[0][1]]
        both = [w for w in known if w in a]    # addr2line also names what lies between functions
        names = [w for w in both if not same(a[w], b[w])]
        lines = [w for w in both if w not in names and [n for _, n in a[w]] != [n for _, n in b[w]]]
        deep = sum(len(b[w]) > 1 for w in known)
        bad = len(names) > len(both) // 50 or len(lines) > len(both) // 50 or len(both) < len(known) * 4 // 5 or len(both) < 200 or deep < 50
        failed |= bad
        print(f"{path}: {len(both)} of {len(known)} places, {deep} with something inlined, {len(names)} other names, {len(lines)} other lines")
        if bad:
            for w in (names + lines)[:4]:
                print(f"  {w:#x}: {a.get(w)} instead of {b[w]}")
    sys.exit(failed)


main()
