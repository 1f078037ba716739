#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""page.py DIR: open the pictures of DIR in a browser, use them as a reader would, and compare what they show with what the
inputs say. Screenshots are left in DIR."""
import collections
import json
import os
import re
import sys
import traceback

import browser
import inputs

DIR = sys.argv[1]
COUNT = collections.Counter(s for _, s in inputs.samples())
ALL = sum(COUNT.values())


def percent(part, whole):
    p = 100 * part / whole
    return "100 %" if p >= 99.995 else f"{p:.2f} %"


def number(n):
    return f"{n:,} samples"


def total(name):
    return sum(n for s, n in COUNT.items() if any(f[0] == name for f in inputs.STACKS[s]))


class Page:
    def __init__(self, b):
        self.b = b

    def text(self, what):
        return self.b.js(f"document.querySelector('{what}').textContent")

    def names(self):
        return self.b.js("[...document.querySelectorAll('#graph text')].map(x => x.textContent)")

    def box(self, what):
        return self.b.js(f"(() => {{ const b = {what}.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; }})()")

    def frame(self, name, nth=0):
        """where the frame with this name is drawn"""
        # with its whole name, or cut where there is no room for it
        self.b.js(f"window.all = [...document.querySelectorAll('#graph g')].map(g => [g.querySelector('text').textContent, g.querySelector('rect')]); "
                  f"window.whole = window.all.filter(([t]) => t === {json.dumps(name)}); "
                  f"window.cut = window.all.filter(([t]) => t.endsWith('…') && {json.dumps(name)}.startsWith(t.slice(0, -1))); "
                  f"window.found = (window.whole.length ? window.whole : window.cut)[{nth}][1]; 0")
        self.b.js("window.found.scrollIntoView({block: 'nearest'})")
        return self.box("window.found")

    def click(self, name, shift=False):
        x, y, w, h = self.frame(name)
        self.b.click(x + w / 2, y + h / 2, shift)

    def press(self, what):
        x, y, w, h = self.box(f"document.querySelector('{what}')")
        self.b.click(x + w / 2, y + h / 2)

    def type(self, text):
        self.press("#search")
        self.b.js("document.querySelector('#search').select()")
        if text:
            self.b.call("Input.insertText", text=text)
        else:
            self.b.key("Escape")


def same(got, want):
    if got != want:
        raise AssertionError(f"{got!r} instead of {want!r}")


def has(got, want):
    if want not in got:
        raise AssertionError(f"{got!r} has no {want!r}")


def opens_without_errors_and_without_network(p):
    same(p.text("#title"), "server[4242] on CPU")
    for fact in (f"{ALL} samples", "server[4242]", "cpu-clock", "99 Hz", "20 s", "web1", "2025-01-01 03:00:00 UTC", "sixty profile -p 4242 -d 20"):
        has(p.text("#facts"), fact)
    has(p.text("#losses"), "3 samples: the ring was full")
    bad = [e for e in p.b.events if e["method"] in ("Runtime.exceptionThrown",) or
           (e["method"] == "Network.requestWillBeSent" and not e["params"]["request"]["url"].startswith("file:"))]
    same(bad, [])


def a_click_zooms_and_back_and_reset_return(p):
    before = p.names()
    p.click("read_query")
    n = total("read_query")
    has(p.text("#where"), f"zoomed into read_query: {number(n)}, {percent(n, ALL)} of all")
    full = p.box("document.querySelector('#graph svg')")[2]
    if abs(p.frame("read_query")[2] - full) > 2 or abs(p.frame("main")[2] - full) > 2:
        raise AssertionError("the frame and its callers are not as wide as the graph")
    if "reply" in p.names():
        raise AssertionError("a neighbour is still drawn")
    p.click("execute")
    has(p.text("#where"), "zoomed into execute")
    p.press("#back")
    has(p.text("#where"), "zoomed into read_query")
    p.press("#reset")
    same(p.names(), before)
    same(p.b.js("document.querySelector('#reset').disabled"), True)


def hovering_shows_details(p):
    x, y, w, h = p.frame("execute")
    p.b.mouse("mouseMoved", x + w / 2, y + h / 2)
    tip = p.text("#tip")
    n = total("execute")
    for part in ("execute", "in /usr/bin/server", "server.c:390", f"{number(n)}: {percent(n, ALL)} of all", f"{percent(n, total('read_query'))} of its caller",
                 "0.00 % in itself"):
        has(tip, part)
    same(p.b.js("getComputedStyle(document.querySelector('#tip')).visibility"), "visible")
    p.b.mouse("mouseMoved", 2, 2)
    same(p.b.js("getComputedStyle(document.querySelector('#tip')).visibility"), "hidden")


def search_marks_and_sums_without_counting_twice(p):
    p.type("^(read_query|read|lookup)$")
    same(p.text("#found"), f"matched {percent(total('read_query'), ALL)} of all")
    same(p.b.js("[...document.querySelectorAll('#graph .match + text')].map(x => x.textContent).sort().join()"), "lookup,read,read_query")
    p.click("read_query")
    same(p.text("#found"), "matched 100 % of what is shown")
    p.press("#reset")
    p.type("(")
    same(p.text("#found"), "not a regular expression")
    p.type("libc")
    same(p.text("#found"), f"matched {percent(total('write') + total('read'), ALL)} of all")
    p.type("")
    same(p.text("#found"), "")
    same(p.b.js("document.querySelectorAll('#graph .match').length"), 0)


def shift_click_shows_callers_and_callees(p):
    p.click("lookup", shift=True)
    n = total("lookup")
    has(p.text("#where"), f"callers and callees of lookup: {number(n)}, {percent(n, ALL)} of all")
    names = p.names()
    same(sorted(names), sorted(["dict_find", "lookup", "execute", "read_query", "loop", "main", "_start"]))
    # callees above, callers below, and the function once
    tops = [p.frame(n)[1] for n in ("dict_find", "lookup", "execute", "_start")]
    same(tops, sorted(tops))
    p.press("#reset")


def the_table_leads_to_callers_and_can_be_sorted(p):
    rows = "[...document.querySelectorAll('#table tbody tr')].map(r => [...r.children].map(c => c.textContent))"
    first = p.b.js(rows)[0]
    same(first, [percent(COUNT["find"], ALL), percent(COUNT["find"], ALL), "dict_find"])
    p.press("#table th:nth-child(2) button")
    same(sorted(r[2] for r in p.b.js(rows)[:3]), ["_start", "loop", "main"])
    p.press("#table th:nth-child(1) button")
    p.press("#table tbody tr:nth-child(1)")
    has(p.text("#where"), "callers and callees of dict_find")
    p.press("#reset")
    p.press("#table-button")
    same(p.b.js("document.querySelector('#table').hidden"), True)
    p.press("#table-button")


def an_icicle_is_a_flame_graph_upside_down(p):
    flame = p.frame("_start")[1] - p.frame("loop")[1]
    p.press("#turn")
    same(p.frame("_start")[1] - p.frame("loop")[1], -flame)
    p.press("#turn")


def keys_do_what_the_mouse_does(p):
    p.b.js("document.querySelector('#graph').focus()")
    for key in ("ArrowUp", "ArrowUp", "ArrowUp", "ArrowUp", "ArrowUp"):
        p.b.key(key)
    has(p.text("#tip"), "read_query")
    p.b.key("ArrowRight")
    has(p.text("#tip"), "reply")
    p.b.key("Enter")
    has(p.text("#where"), "zoomed into reply")
    p.b.key("s", "s")
    has(p.text("#where"), "callers and callees of reply")
    p.b.key("Backspace")
    has(p.text("#where"), "zoomed into reply")
    p.b.key("0", "0")
    has(p.text("#where"), "Click a frame")
    p.b.key("/", "/")
    same(p.b.js("document.activeElement.id"), "search")
    p.b.key("Escape")
    p.b.key("?", "?")
    same(p.b.js("document.querySelector('#help').hidden"), False)
    p.b.key("?", "?")


def a_range_of_the_heat_map_has_its_own_graph(p):
    x, y, w, h = p.box("document.querySelector('#heat-map')")
    cell = p.b.js("document.querySelector('#heat-map').querySelector('rect').getBoundingClientRect().width") / 20
    height = p.b.js("document.querySelector('#heat-map').querySelector('rect').getBoundingClientRect().height") / 50
    # second 7, from 0.40 s up to 0.70 s: rows 20 to 34 of 50
    at = x + 7.5 * cell
    p.b.mouse("mouseMoved", at, y + (50 - 20.5) * height)
    p.b.mouse("mousePressed", at, y + (50 - 20.5) * height, button="left", buttons=1, clickCount=1)
    p.b.mouse("mouseMoved", at, y + (50 - 30) * height, button="left", buttons=1)
    p.b.mouse("mouseMoved", at, y + (50 - 34.5) * height, button="left", buttons=1)
    p.b.mouse("mouseReleased", at, y + (50 - 34.5) * height, button="left", clickCount=1)
    within = [s for t, s in inputs.samples() if 7.4 <= int(t * 1e9) / 1e9 < 7.7]
    same(set(within), {"burst"})
    has(p.text("#where"), f"only 7.40 s to 7.70 s: {number(len(within))}, {percent(len(within), ALL)} of all")
    same(sorted(p.names()), sorted(["all"] + [f[0] for f in inputs.STACKS["burst"]]))
    has(p.text("#table tbody tr:nth-child(1)"), "100 %")
    p.click("cron")
    has(p.text("#where"), "zoomed into cron")
    p.press("#reset")
    has(p.text("#where"), "Click a frame")


def it_is_dark_where_the_reader_wants_it(p):
    light = p.b.js("getComputedStyle(document.querySelector('.paper')).fill")
    p.b.open(f"{DIR}/server.svg", scheme="dark")
    dark = p.b.js("getComputedStyle(document.querySelector('.paper')).fill")
    same([light, dark], ["rgb(255, 255, 255)", "rgb(22, 24, 27)"])
    p.b.picture(f"{DIR}/dark.png")


def it_prints_the_whole_graph_on_white(p):
    p.b.call("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    same(p.b.js("getComputedStyle(document.querySelector('#app')).display"), "none")
    same(p.b.js("getComputedStyle(document.querySelector('#static')).display"), "inline")
    same(p.b.js("getComputedStyle(document.querySelector('.paper')).fill"), "rgb(255, 255, 255)")
    pdf = browser.base64.b64decode(p.b.call("Page.printToPDF", printBackground=True, landscape=True)["data"])
    same(len(re.findall(rb"/Type\s*/Page\b", pdf)), 1)
    p.b.open(f"{DIR}/server.svg")


def it_fits_a_narrow_window(p):
    p.b.open(f"{DIR}/server.svg", width=400, height=800)
    wide = p.b.js("Math.max(document.querySelector('#app').scrollWidth, document.documentElement.scrollWidth)")
    if wide > 400:
        raise AssertionError(f"{wide} pixels wide in a window of 400")
    p.b.picture(f"{DIR}/narrow.png")
    p.click("read_query")
    has(p.text("#where"), "zoomed into read_query")
    p.b.open(f"{DIR}/server.svg")


def outer_html(b):
    try:
        return b.call("DOM.getOuterHTML", nodeId=b.call("DOM.getDocument", depth=1)["root"]["nodeId"])["outerHTML"]
    except RuntimeError:  # the page is being replaced
        return ""


def it_can_be_read_without_a_script(p):
    p.b.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        p.b.call("Page.navigate", url="about:blank")
        p.b.call("Page.navigate", url=f"file://{os.path.abspath(DIR)}/server.svg")
        deadline, html = browser.time.monotonic() + 60, ""
        while "</script>" not in html and browser.time.monotonic() < deadline:
            html = outer_html(p.b)
        has(html, ">tcp_sendmsg</text>")
        if 'data-ready="1"' in html or "<foreignObject" in html:
            raise AssertionError("a script ran")
        p.b.picture(f"{DIR}/static.png")
    finally:
        p.b.call("Emulation.setScriptExecutionDisabled", value=False)


def a_difference_tells_before_and_after(p):
    p.b.open(f"{DIR}/diff.svg")
    x, y, w, h = p.frame("parse")
    p.b.mouse("mouseMoved", x + w / 2, y + h / 2)
    for part in ("before 60.00 % (600), after 41.50 % (415) of all", "−18.50 points: more than chance (3σ)"):
        has(p.text("#tip"), part)
    x, y, w, h = p.frame("old path")
    p.b.mouse("mouseMoved", x + w / 2, y + h / 2)
    has(p.text("#tip"), "gone")
    x, y, w, h = p.frame("ast")
    p.b.mouse("mouseMoved", x + w / 2, y + h / 2)
    has(p.text("#tip"), "within the sampling error")
    has(p.text("#table tbody tr:nth-child(1)"), "30.00 %52.00 %+22.00write")
    p.b.picture(f"{DIR}/diff.png")


def names_that_attack_are_shown_and_do_nothing(p):
    p.b.open(f"{DIR}/hostile.svg")
    names = p.b.js("[...document.querySelectorAll('#table tbody td:last-child')].map(x => x.textContent).join('|')")
    for part in ("<script>window.hacked=1</script>", "\"quoted' & ]]> </svg>", "ctl\\x01\\x02\\x1b[31mred", "\" onmouseover=\"window.hacked=1"):
        has(names, part)
    x, y, w, h = p.frame("main")
    p.b.mouse("mouseMoved", x + w / 2, y + 5)
    p.b.mouse("mouseMoved", x + 9, y - 9)
    p.type("<script>")
    same(p.b.js("[window.hacked === undefined, document.querySelectorAll('script').length]"), [True, 2])


def a_hundred_thousand_frames_are_usable(p):
    p.b.open(f"{DIR}/many.svg")
    has(p.text("#where"), "Click a frame")
    p.b.js("document.querySelector('#graph').focus()")
    for _ in range(4):
        p.b.key("ArrowUp")
        p.b.key("Enter")
    has(p.text("#where"), "zoomed into g")
    if len([n for n in p.names() if n.startswith("h")]) != 10:
        raise AssertionError(f"not all ten calls are drawn: {p.names()}")
    p.b.key("0", "0")
    p.type("^leaf7$")
    has(p.text("#found"), "of all")


TESTS = [opens_without_errors_and_without_network, a_click_zooms_and_back_and_reset_return, hovering_shows_details, search_marks_and_sums_without_counting_twice,
         shift_click_shows_callers_and_callees, the_table_leads_to_callers_and_can_be_sorted, an_icicle_is_a_flame_graph_upside_down, keys_do_what_the_mouse_does,
         a_range_of_the_heat_map_has_its_own_graph, it_is_dark_where_the_reader_wants_it, it_prints_the_whole_graph_on_white, it_fits_a_narrow_window,
         it_can_be_read_without_a_script, a_difference_tells_before_and_after, names_that_attack_are_shown_and_do_nothing, a_hundred_thousand_frames_are_usable]


def main():
    program = browser.find()
    if not program:
        for test in TESTS:
            print(f"skip {test.__name__}: no chromium")
        return
    b = browser.Browser(program)
    try:
        for test in TESTS:
            try:
                if test not in TESTS[-4:]:
                    b.open(f"{DIR}/server.svg")
                if test is TESTS[0]:
                    b.picture(f"{DIR}/light.png")
                test(Page(b))
                print(f"ok {test.__name__}", flush=True)
            except browser.Gone as e:
                print(f"not ok {test.__name__}: {e}")
                return
            except Exception as e:
                traceback.print_exc()
                print(f"not ok {test.__name__}: {str(e)[:400]!r}", flush=True)
    finally:
        b.close()


main()
