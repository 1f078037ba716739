// SPDX-License-Identifier: Apache-2.0
// The flame graph as a program: draws from the array that the file holds, zooms, searches, turns round, adds up what calls
// and is called by a function, and cuts to a range of time. Texts from outside are only ever set as text.
(function () {
"use strict";
const SVG = "http://www.w3.org/2000/svg", HTML = "http://www.w3.org/1999/xhtml";
const ROW = 18, NAMED = 26, NARROW = 4, TABLE = 200;
const script = document.currentScript;
const root = script && script.ownerSVGElement || document.documentElement;
const still = root.querySelector("#static");
const data = JSON.parse(root.querySelector("#flame-data").textContent);

function el(parent, name, attributes, text) {
	const e = document.createElementNS(HTML, name);
	for (const k in attributes) e.setAttribute(k, attributes[k]);
	if (text !== undefined) e.textContent = text;
	if (parent) parent.appendChild(e);
	return e;
}
function draw_el(parent, name, attributes, text) {
	const e = document.createElementNS(SVG, name);
	for (const k in attributes) e.setAttribute(k, attributes[k]);
	if (text !== undefined) e.textContent = text;
	if (parent) parent.appendChild(e);
	return e;
}

// ---- the array ----

// Numbers of base 32, the lowest digit first; see flamegraph/svg_data.c.
function reader(s) {
	const digit = new Int8Array(128);
	const signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	for (let i = 0; i < 64; i++) digit[signs.charCodeAt(i)] = i;
	let at = 0;
	return {
		more: () => at < s.length,
		next: () => {
			let v = 0, scale = 1;
			for (;;) {
				const d = digit[s.charCodeAt(at++)];
				v += (d & 31) * scale;
				if (d < 32) return v;
				scale *= 32;
			}
		},
	};
}

const frames = [{ name: "all", module: "", file: "", line: 0, kind: 0, cls: 60 }];
(function () {
	const r = reader(data.frames), s = data.strings;
	while (r.more())
		frames.push({ name: s[r.next()], module: s[r.next()], file: s[r.next()], line: r.next(), kind: r.next(), cls: r.next() });
})();

// A tree in the order of a walk: a node, what it calls, its neighbour. next[i] is behind the last node below i.
function new_tree(n) {
	return { n, frame: new Int32Array(n), parent: new Int32Array(n), depth: new Int32Array(n), next: new Int32Array(n),
		total: new Float64Array(n), self: new Float64Array(n), start: new Float64Array(n), origin: null, before: null, after: null, cls: null };
}

// starts and selves, when the rest is there
function lay_out(t, hidden) {
	const fill = new Float64Array(t.n);
	for (let i = t.n - 1; i > 0; i--) fill[t.parent[i]] += t.total[i];
	for (let i = 0; i < t.n; i++) t.self[i] = Math.max(0, t.total[i] - fill[i] - (hidden ? hidden[i] : 0));
	fill.fill(0);
	for (let i = 1; i < t.n; i++) {
		const p = t.parent[i];
		t.start[i] = t.start[p] + fill[p];
		fill[p] += t.total[i];
	}
	return t;
}

const base = (function () {
	const r = reader(data.tree), q = data.quantum, rows = [];
	while (r.more()) rows.push(r.next(), r.next(), r.next() * q, r.next() * q, ...(data.diff ? [r.next(), r.next(), r.next()] : []));
	const step = data.diff ? 7 : 4, n = rows.length / step, t = new_tree(n), hidden = new Float64Array(n), path = [0];
	if (data.diff) { t.before = new Float64Array(n); t.after = new Float64Array(n); t.cls = new Int32Array(n); }
	for (let i = 0; i < n; i++) {
		const depth = i ? t.depth[i - 1] + 1 - rows[i * step] : 0;
		t.depth[i] = depth;
		t.parent[i] = depth ? path[depth - 1] : 0;
		path[depth] = i;
		t.frame[i] = rows[i * step + 1];
		t.total[i] = rows[i * step + 2];
		hidden[i] = rows[i * step + 3];
		if (data.diff) { t.before[i] = rows[i * step + 4]; t.after[i] = rows[i * step + 5]; t.cls[i] = rows[i * step + 6]; }
	}
	set_next(t);
	return lay_out(t, hidden);
})();

function set_next(t) {
	for (let i = t.n - 1; i >= 0; i--) {
		if (!t.next[i]) t.next[i] = i + 1;
		const p = t.parent[i];
		if (i && t.next[i] > t.next[p]) t.next[p] = t.next[i];
	}
}

// ---- other trees ----

// What samples of a range of time add up to, on the nodes of the base tree.
function tree_of_range(from, to) {
	const self = new Float64Array(base.n), r = reader(data.heat.cells), q = data.quantum;
	let at = 0;
	while (r.more()) {
		at += r.next();
		const node = r.next(), w = r.next() * q;
		if (at >= from && at <= to) self[node] += w;
	}
	const total = self.slice();
	for (let i = base.n - 1; i > 0; i--) total[base.parent[i]] += total[i];
	const kept = [], place = new Int32Array(base.n);
	for (let i = 0; i < base.n; i++) if (total[i] > 0 || !i) { place[i] = kept.length; kept.push(i); }
	const t = new_tree(kept.length);
	t.origin = Int32Array.from(kept);
	kept.forEach((old, i) => {
		t.frame[i] = base.frame[old]; t.depth[i] = base.depth[old]; t.total[i] = total[old];
		t.parent[i] = place[base.parent[old]];
	});
	set_next(t);
	return lay_out(t, null);
}

// Nodes that are added in any order become a tree.
function builder() {
	const frame = [0], parent = [0], total = [0], children = [new Map()];
	return {
		add(at, f, w) {
			let child = children[at].get(f);
			if (child === undefined) {
				child = frame.length;
				frame.push(f); parent.push(at); total.push(0); children.push(new Map());
				children[at].set(f, child);
			}
			total[child] += w;
			return child;
		},
		tree() {
			const t = new_tree(frame.length), stack = [[0, 0, 0]];
			let n = 0;
			total[0] = 0;
			for (const c of children[0].values()) total[0] += total[c];
			while (stack.length) {
				const [at, up, depth] = stack.pop(), i = n++;
				t.frame[i] = frame[at]; t.parent[i] = up; t.depth[i] = depth; t.total[i] = total[at];
				const list = [...children[at].values()].sort((a, b) => by_name(frames[frame[b]], frames[frame[a]]));
				for (const c of list) stack.push([c, i, depth + 1]);
			}
			set_next(t);
			return lay_out(t, null);
		},
	};
}
function by_name(a, b) {
	return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
function same_function(a, b) {
	return a === b || (frames[a].name === frames[b].name && frames[a].module === frames[b].module && frames[a].kind === frames[b].kind);
}

// All stacks through a function: what it calls, and, upside down, what it is called by. One that calls itself counts once.
function sandwich(t, f) {
	const calls = builder(), callers = builder();
	for (let i = 1; i < t.n; i++) {
		if (!same_function(t.frame[i], f)) continue;
		const map = new Map([[i, calls.add(0, f, t.total[i])]]);
		for (let k = i + 1; k < t.next[i]; k++) map.set(k, calls.add(map.get(t.parent[k]), t.frame[k], t.total[k]));
		let at = callers.add(0, f, t.total[i]);
		for (let k = t.parent[i]; k; k = t.parent[k]) at = callers.add(at, t.frame[k], t.total[i]);
		i = t.next[i] - 1;
	}
	return { calls: calls.tree(), callers: callers.tree() };
}

// ---- numbers for people ----

function amount(w) {
	const round = (v) => v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toFixed(2);
	if (data.unit === "nanoseconds")
		return w >= 1e9 ? round(w / 1e9) + " s" : w >= 1e6 ? round(w / 1e6) + " ms" : w >= 1e3 ? round(w / 1e3) + " µs" : round(w) + " ns";
	if (data.unit === "bytes") {
		const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
		let u = 0;
		while (w >= 1024 && u < 4) { w /= 1024; u++; }
		return (u ? round(w) : w.toFixed(0)) + " " + units[u];
	}
	const s = w === Math.floor(w) ? w.toFixed(0) : round(w);
	return s.replace(/\B(?=(\d{3})+(?!\d))/g, ",") + (data.diff ? "" : " " + data.value);
}
function percent(part, all) {
	const p = all > 0 ? 100 * part / all : 0;
	return (p >= 99.995 ? "100" : p.toFixed(2)) + " %";
}
function seconds(v) {
	return v.toFixed(Math.abs(v - Math.round(v)) < 1e-9 ? 0 : 2) + " s";
}

// ---- what is shown ----

const state = { zoom: 0, layer: "main", f: 0, range: null, icicle: data.icicle, table: true, search: "", order: data.diff ? "change" : "self" };
const past = [];
let tree = base;            // of the range
let layers = [];            // what is drawn: {name, tree, zoom, up, row}
let levels = [];            // drawn frames by row, from left to right, for the mouse
let here = null;            // the frame that has the keyboard
let matcher = null;
let middle = 0;             // row of the function in a sandwich

function remember() {
	past.push({ zoom: state.zoom, layer: state.layer, f: state.f, range: state.range });
	if (past.length > 200) past.shift();
}
function back() {
	const old = past.pop();
	if (!old) return;
	const range = state.range;
	Object.assign(state, old);
	if (range !== state.range) set_tree();
	here = null;
	show();
}
function reset() {
	if (state.zoom || state.f || state.range) remember();
	state.zoom = 0; state.f = 0; state.layer = "main";
	if (state.range) { state.range = null; set_tree(); }
	here = null;
	show();
}
function set_tree() {
	tree = state.range ? tree_of_range(state.range[0], state.range[1]) : base;
}
function zoom(layer, i) {
	if (state.layer === layer.name && state.zoom === i) return;
	remember();
	state.layer = layer.name; state.zoom = i;
	here = { layer: layer.name, i };
	show();
}
function open_sandwich(f) {
	if (!f) return;
	remember();
	state.f = f; state.zoom = 0; state.layer = "main"; here = { layer: "calls", i: 1 };
	show();
}
function set_range(range) {
	remember();
	// a node has another number in another tree: keep what is zoomed by its frames
	state.range = range; state.zoom = 0; state.layer = "main"; here = null;
	set_tree();
	show();
}

// ---- the page ----

const holder = draw_el(root, "foreignObject", { x: 0, y: 0, width: "100%", height: "100%" });
const app = el(holder, "div", { id: "app" });
const head = el(app, "div", { class: "head" });
el(head, "h1", { id: "title" }, data.title);
el(head, "p", { id: "facts" }, data.facts);
const bar = el(app, "div", { class: "bar" });
function button(id, text, title, run) {
	const b = el(bar, "button", { id, type: "button", title }, text);
	b.addEventListener("click", run);
	return b;
}
const b_back = button("back", "Back", "back to what was shown before (Backspace)", back);
const b_reset = button("reset", "Reset", "all frames, all time (0)", reset);
const b_sandwich = button("sandwich", "Callers & callees", "everything that calls the function and is called by it (s)",
	() => open_sandwich(current_frame()));
const b_turn = button("turn", "Icicle", "turn the graph upside down (i)", turn);
const b_table = button("table-button", "Table", "the functions that took most (t)", () => { state.table = !state.table; show(); });
const search = el(bar, "input", { id: "search", type: "search", placeholder: "search: a regular expression (/)", "aria-label": "search functions by regular expression" });
const found = el(bar, "span", { id: "found", class: "found", "aria-live": "polite" });
const b_help = button("help-button", "?", "keys", () => { help.hidden = !help.hidden; fit(); });
bar.appendChild(b_help);
const help = el(app, "div", { class: "help", id: "help" });
help.hidden = true;
for (const [k, what] of [["click", "zoom"], ["shift-click", "callers and callees"], ["arrows", "move"], ["Enter", "zoom"], ["s", "callers and callees"],
	["Backspace", "back"], ["0", "reset"], ["/", "search"], ["Esc", "end search, or back"], ["i", "upside down"], ["t", "table"], ["?", "keys"]]) {
	const d = el(help, "div");
	el(d, "kbd", {}, k);
	d.appendChild(document.createTextNode(" " + what));
}
const heat_box = el(app, "div", { class: "heat", id: "heat" });
const where = el(app, "div", { class: "where", id: "where", "aria-live": "polite" });
const main = el(app, "div", { class: "main" });
const graph = el(main, "div", { class: "graph", id: "graph", tabindex: "0", role: "application", "aria-label": "flame graph: arrows move, Enter zooms" });
const picture = draw_el(graph, "svg", {});
const table = el(main, "div", { class: "table", id: "table" });
const legend = el(app, "div", { class: "legend", id: "legend" });
const losses = el(app, "p", { id: "losses" }, data.losses);
losses.style.padding = "0 12px 10px";
const tip = el(app, "div", { class: "tip", id: "tip", role: "status" });

function turn() {
	state.icicle = !state.icicle;
	show();
}

// ---- search ----

function set_search(text) {
	state.search = text;
	matcher = null;
	search.classList.remove("bad");
	if (text) {
		try {
			const re = new RegExp(text, /[A-Z]/.test(text) ? "" : "i");
			matcher = new Uint8Array(frames.length);
			for (let f = 1; f < frames.length; f++) matcher[f] = re.test(frames[f].name) || (frames[f].module && re.test(frames[f].module)) ? 1 : 0;
		} catch (e) {
			search.classList.add("bad");
		}
	}
	show();
}

// Weight of the outermost matches below a node, so that nothing counts twice.
function matched(t, top) {
	let sum = 0;
	for (let i = top; i < t.next[top];) {
		if (t.frame[i] && matcher[t.frame[i]]) { sum += t.total[i]; i = t.next[i]; }
		else i++;
	}
	return sum;
}
function tell_found() {
	if (search.classList.contains("bad")) { found.textContent = "not a regular expression"; return; }
	if (!matcher) { found.textContent = ""; return; }
	const l = layers[0], all = l.tree.total[l.zoom];
	const m = matched(l.tree, l.zoom);
	found.textContent = "matched " + percent(m, all) + (l.zoom || state.f || state.range ? " of what is shown" : " of all");
}

// ---- drawing ----

function plan() {
	if (!state.f) {
		const l = { name: "main", tree, zoom: state.layer === "main" ? state.zoom : 0, up: !state.icicle };
		return [l];
	}
	const s = sandwich(tree, state.f);
	return [
		{ name: "calls", tree: s.calls, zoom: state.layer === "calls" ? state.zoom : 0, up: !state.icicle },
		{ name: "callers", tree: s.callers, zoom: state.layer === "callers" ? state.zoom : 0, up: state.icicle },
	];
}

// Deepest level of what is wide enough, below and with the node.
function deepest(l, width) {
	const t = l.tree, z = l.zoom, least = t.total[z] * Math.max(data.minWidth, 0.05) / width;
	let d = t.depth[z];
	for (let i = z; i < t.next[z];) {
		if (t.total[i] < least) { i = t.next[i]; continue; }
		if (t.depth[i] > d) d = t.depth[i];
		i++;
	}
	return d;
}

const probe = draw_el(picture, "text", {}, "mmmmmmmmmm");
let glyph = 0;
function wide(c) {
	return c >= 0x1100 && (c <= 0x115f || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0xff00 && c <= 0xff60) || c >= 0x1f300) ? 2 : 1;
}
function cut(name, width) {
	let room = Math.floor(width / glyph), out = "", columns = 0;
	if (name.length <= room && !/[^\x00-\x7f]/.test(name)) return name;
	for (const c of name) {
		columns += wide(c.codePointAt(0));
		if (columns > room) return room > 2 ? [...out].slice(0, -1).join("") + "…" : "";
		out += c;
	}
	return out;
}

function class_of(l, i) {
	if (!l.tree.frame[i]) return "c60";
	if (l.tree.cls && l.tree === base) return "c" + l.tree.cls[i];
	return "c" + (data.diff ? 64 : frames[l.tree.frame[i]].cls);
}

function draw_frame(l, i, x, y, w, dim, narrow) {
	const t = l.tree, match = matcher && t.frame[i] && matcher[t.frame[i]];
	const level = levels[Math.round(y / ROW)] || (levels[Math.round(y / ROW)] = []);
	level.push({ x, w, y, l, i });
	if (w < NARROW) {
		const k = (match ? "match" : class_of(l, i)) + (dim ? " past" : "");
		narrow.set(k, (narrow.get(k) || "") + "M" + x.toFixed(1) + " " + y + "h" + Math.max(w - 0.3, 0.3).toFixed(1) + "v" + (ROW - 1) + "h-" + Math.max(w - 0.3, 0.3).toFixed(1) + "z");
		return;
	}
	const at = w >= NAMED ? draw_el(picture, "g", dim ? { class: "past" } : {}) : picture;
	draw_el(at, "rect", { class: (match ? "match " : "") + class_of(l, i) + (dim && at === picture ? " past" : ""), x: x.toFixed(1), y, width: Math.max(w - 0.5, 0.5).toFixed(1), height: ROW - 1, "data-l": l.name, "data-i": i });
	if (w >= NAMED) draw_el(at, "text", { x: (x + 3).toFixed(1), y: y + 13 }, cut(frames[t.frame[i]].name, w - 6));
}

function draw_layer(l, width, row_y, skip_root) {
	const t = l.tree, z = l.zoom, narrow = new Map(), scale = t.total[z] > 0 ? width / t.total[z] : 0;
	const line = [];
	for (let i = z; i; i = t.parent[i]) line.unshift(t.parent[i]);
	for (const i of line) if (!(skip_root && t.depth[i] < skip_root)) draw_frame(l, i, 0, row_y(t.depth[i]), width, true, narrow);
	for (let i = z; i < t.next[z];) {
		const w = t.total[i] * scale;
		if (w < data.minWidth) { i = t.next[i]; continue; }
		if (!(skip_root && t.depth[i] < skip_root)) draw_frame(l, i, (t.start[i] - t.start[z]) * scale, row_y(t.depth[i]), w, false, narrow);
		i++;
	}
	for (const [k, d] of narrow) draw_el(picture, "path", { class: k, d });
}

function draw() {
	const width = Math.max(100, graph.clientWidth);
	if (!glyph) glyph = Math.max(probe.getComputedTextLength() / 10, 5);
	layers = plan();
	levels = [];
	picture.textContent = "";
	let rows;
	if (layers.length === 1) {
		rows = deepest(layers[0], width) + 1;
		draw_layer(layers[0], width, (d) => (layers[0].up ? rows - 1 - d : d) * ROW, 0);
	} else {
		// node 0 of both is no frame; depth 1 is the function
		const a = deepest(layers[0], width), b = deepest(layers[1], width);
		rows = a + b - 1;
		middle = state.icicle ? b - 1 : a - 1;
		const sign = state.icicle ? 1 : -1;
		draw_layer(layers[0], width, (d) => (middle + sign * (d - 1)) * ROW, 1);
		draw_layer(layers[1], width, (d) => (middle - sign * (d - 1)) * ROW, 2);
	}
	picture.setAttribute("width", width);
	picture.setAttribute("height", rows * ROW);
	for (const level of levels) if (level) level.sort((p, q) => p.x - q.x);
	mark_here();
}

function mark_here() {
	const old = picture.querySelector(".here");
	if (old) old.remove();
	if (!here) return;
	for (const level of levels)
		for (const p of level || [])
			if (p.l.name === here.layer && p.i === here.i) {
				draw_el(picture, "rect", { class: "here", x: p.x + 1, y: p.y + 1, width: Math.max(1, p.w - 2), height: ROW - 3 });
				return;
			}
}

// ---- details ----

function current_frame() {
	if (here) {
		const l = layers.find((x) => x.name === here.layer);
		if (l) return l.tree.frame[here.i];
	}
	return layers.length ? layers[0].tree.frame[layers[0].zoom] : 0;
}

function details(l, i) {
	const t = l.tree, f = frames[t.frame[i]], all = base.total[0], lines = [];
	const kind = data.kinds[f.kind];
	if (i && kind !== "user") lines.push(kind);
	if (f.module) lines.push("in " + f.module);
	if (f.file) lines.push(f.file + (f.line ? ":" + f.line : ""));
	if (data.diff) {
		const o = t.origin ? t.origin[i] : i;
		if (l.name === "main") {
			const b = base.before[o], a = base.after[o], points = 100 * (a / data.after - b / data.before), c = base.cls[o] >> 3;
			lines.push("before " + percent(b, data.before) + " (" + b.toFixed(0) + "), after " + percent(a, data.after) + " (" + a.toFixed(0) + ") of all");
			lines.push((points >= 0 ? "+" : "−") + Math.abs(points).toFixed(2) + " points" +
				(!i ? "" : !data.counts ? "; weights are no numbers of samples: chance cannot be told" : c === 8 ? ": within the sampling error" : ": more than chance (3σ)") +
				(i && a === 0 ? "; gone" : i && b === 0 ? "; new" : ""));
		}
	} else {
		lines.push(amount(t.total[i]) + ": " + percent(t.total[i], all) + " of all" +
			(i ? ", " + percent(t.total[i], t.total[t.parent[i]]) + (l.name === "callers" ? " of what it calls" : " of its caller") : "") +
			(state.range ? ", " + percent(t.total[i], tree.total[0]) + " of the range" : ""));
		if (l.name !== "callers") lines.push(percent(t.self[i], all) + " in itself");
	}
	return { name: f.name, lines };
}
function show_tip(p, x, y) {
	const d = details(p.l, p.i);
	tip.textContent = "";
	el(tip, "b", {}, d.name);
	for (const line of d.lines) el(tip, "div", {}, line);
	const w = tip.offsetWidth, h = tip.offsetHeight;
	tip.style.left = Math.max(4, Math.min(x + 14, window.innerWidth - w - 8)) + "px";
	tip.style.top = (y + 18 + h > window.innerHeight ? Math.max(4, y - h - 12) : y + 18) + "px";
	tip.style.visibility = "visible";
}
function hide_tip() {
	tip.style.visibility = "hidden";
}

function hit(event) {
	const box = picture.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
	const level = levels[Math.floor(y / ROW)];
	if (!level) return null;
	let low = 0, high = level.length - 1;
	while (low < high) {
		const mid = (low + high + 1) >> 1;
		if (level[mid].x <= x) low = mid; else high = mid - 1;
	}
	const p = level[low];
	return p && x >= p.x && x < p.x + Math.max(p.w, 1) ? p : null;
}
picture.addEventListener("mousemove", (e) => {
	const p = hit(e);
	if (p) show_tip(p, e.clientX, e.clientY); else hide_tip();
});
picture.addEventListener("mouseleave", hide_tip);
picture.addEventListener("click", (e) => {
	const p = hit(e);
	hide_tip();
	if (!p) return;
	if (e.shiftKey) open_sandwich(p.l.tree.frame[p.i]); else zoom(p.l, p.l.name === "main" ? p.i : Math.max(1, p.i));
});

// ---- keys ----

function move(dx, dy) {
	const l = layers.find((x) => here && x.name === here.layer) || layers[0], t = l.tree;
	let i = here ? here.i : l.zoom;
	if (!here) { here = { layer: l.name, i: l.name === "main" ? i : Math.max(1, i) }; i = here.i; }
	else if (dy) {
		const inwards = l.up ? dy > 0 : dy < 0;
		if (!inwards) { if (i && !(l.name !== "main" && i === 1)) i = t.parent[i]; }
		else {
			let best = 0;
			for (let c = i + 1; c < t.next[i]; c = t.next[c]) if (!best || t.total[c] > t.total[best]) best = c;
			if (best) i = best;
		}
	} else if (i) {
		const p = t.parent[i], list = [];
		for (let c = p + 1; c < t.next[p]; c = t.next[c]) list.push(c);
		const k = list.indexOf(i) + dx;
		if (k >= 0 && k < list.length) i = list[k];
	}
	here = { layer: l.name, i };
	mark_here();
	for (const level of levels)
		for (const p of level || [])
			if (p.l.name === here.layer && p.i === i) {
				graph.scrollTop = Math.min(p.y, Math.max(graph.scrollTop, p.y + ROW - graph.clientHeight));
				const box = picture.getBoundingClientRect();
				show_tip(p, box.left + Math.max(0, Math.min(p.x, box.width - 60)), box.top + p.y);
				return;
			}
}
const keys = {
	ArrowUp: () => move(0, 1), ArrowDown: () => move(0, -1), ArrowLeft: () => move(-1, 0), ArrowRight: () => move(1, 0),
	Enter: () => { if (here) { const l = layers.find((x) => x.name === here.layer); if (l) zoom(l, here.i); } },
	s: () => open_sandwich(current_frame()), i: turn, t: () => b_table.click(), "0": reset, r: reset, Backspace: back, b: back,
	"/": () => { search.focus(); search.select(); }, "?": () => b_help.click(),
	Escape: () => { hide_tip(); if (state.search) { search.value = ""; set_search(""); } else back(); },
};
document.addEventListener("keydown", (e) => {
	if (e.ctrlKey || e.metaKey || e.altKey) return;
	if (e.target === search) {
		if (e.key === "Escape") { search.value = ""; set_search(""); graph.focus(); e.preventDefault(); }
		return;
	}
	if (e.key === "Enter" && (e.target.localName === "button" || e.target.localName === "tr")) return;
	const run = keys[e.key];
	if (!run) return;
	e.preventDefault();
	run();
});
search.addEventListener("input", () => set_search(search.value));

// ---- table ----

function functions() {
	const map = new Map(), t = tree, open = new Map();
	const key = (f) => frames[f].name + "\u0000" + frames[f].module + "\u0000" + frames[f].kind;
	const ids = frames.map((x, f) => key(f)), ends = [], own = data.diff ? [base.before.slice(), base.after.slice()] : null;
	for (let i = 1; own && i < t.n; i++) { own[0][t.parent[i]] -= base.before[i]; own[1][t.parent[i]] -= base.after[i]; }
	for (let i = 1; i < t.n; i++) {
		while (ends.length && ends[ends.length - 1].end <= i) { const x = ends.pop(); open.set(x.k, open.get(x.k) - 1); }
		const k = ids[t.frame[i]];
		let row = map.get(k);
		if (!row) map.set(k, row = { f: t.frame[i], self: 0, total: 0, before: 0, after: 0, change: 0 });
		row.self += t.self[i];
		if (own) { row.before += own[0][i]; row.after += own[1][i]; }
		const n = open.get(k) || 0;
		if (!n) row.total += t.total[i];
		open.set(k, n + 1);
		ends.push({ k, end: t.next[i] });
	}
	if (own) for (const row of map.values()) {
		row.points = row.after / data.after - row.before / data.before;
		row.change = Math.abs(row.points);
	}
	return [...map.values()].sort((a, b) => b[state.order] - a[state.order] || b.total - a.total || by_name(frames[a.f], frames[b.f]));
}
let table_of = null, table_order = "";
function show_table() {
	table.hidden = !state.table;
	b_table.setAttribute("aria-pressed", String(state.table));
	if (!state.table || (table_of === tree && table_order === state.order)) return;
	table_of = tree; table_order = state.order;
	table.textContent = "";
	const t = el(table, "table"), top = el(el(t, "thead"), "tr"), body = el(t, "tbody"), all = tree.total[0];
	for (const column of data.diff ? ["before", "after", "change"] : ["self", "total"]) {
		const b = el(el(top, "th", { class: "n" }), "button", { type: "button", "aria-pressed": String(state.order === column), title: "sort by " + column }, column + (state.order === column ? " ▾" : ""));
		b.addEventListener("click", () => { state.order = column; show(); });
	}
	el(top, "th", {}, data.diff ? "function, in itself, % of all" : "function, % of " + (state.range ? "the range" : "all"));
	const list = functions();
	for (const row of list.slice(0, TABLE)) {
		const tr = el(body, "tr", { tabindex: "0", title: frames[row.f].name + (frames[row.f].module ? " in " + frames[row.f].module : "") + ": callers and callees" });
		if (data.diff) {
			el(tr, "td", { class: "n" }, percent(row.before, data.before));
			el(tr, "td", { class: "n" }, percent(row.after, data.after));
			el(tr, "td", { class: "n" }, (row.points < 0 ? "−" : "+") + (100 * row.change).toFixed(2));
		} else {
			el(tr, "td", { class: "n" }, percent(row.self, all));
			el(tr, "td", { class: "n" }, percent(row.total, all));
		}
		el(tr, "td", {}, frames[row.f].name);
		tr.addEventListener("click", () => open_sandwich(row.f));
		tr.addEventListener("keydown", (e) => { if (e.key === "Enter") { e.preventDefault(); open_sandwich(row.f); } });
	}
	if (list.length > TABLE) {
		const tr = el(body, "tr");
		el(tr, "td", {}, ""); el(tr, "td", {}, "");
		if (data.diff) el(tr, "td", {}, "");
		el(tr, "td", {}, (list.length - TABLE) + " more");
	}
}

// ---- heat map ----

let heat_cells = null;
function heat_size() {
	const h = data.heat, most = h.columns < 8 ? 60 : 16;
	const w = Math.max(2, Math.min(most, Math.floor((Math.max(200, app.clientWidth - 40) - 60) / h.columns)));
	return { w, h: Math.max(2, Math.round(100 / h.rows)) };
}
function heat_place(e, box) {
	const s = heat_size(), h = data.heat;
	const c = Math.max(0, Math.min(h.columns - 1, Math.floor((e.clientX - box.left) / s.w)));
	const r = Math.max(0, Math.min(h.rows - 1, h.rows - 1 - Math.floor((e.clientY - box.top) / s.h)));
	return c * h.rows + r;
}
// A range of time is the rest of a column, whole columns, and the beginning of one.
function mark_range(svg, from, to) {
	const s = heat_size(), h = data.heat;
	for (const old of svg.querySelectorAll(".cut")) old.remove();
	for (let c = Math.floor(from / h.rows); c <= Math.floor(to / h.rows); c++) {
		const low = Math.max(from, c * h.rows) - c * h.rows, high = Math.min(to, (c + 1) * h.rows - 1) - c * h.rows;
		draw_el(svg, "rect", { class: "cut", x: c * s.w, y: (h.rows - 1 - high) * s.h, width: s.w, height: (high - low + 1) * s.h });
	}
}
function time_of(cell) {
	return cell / data.heat.rows * data.heat.span;
}
function draw_heat() {
	heat_box.hidden = !data.heat;
	if (!data.heat) return;
	const h = data.heat, s = heat_size();
	if (!heat_cells) {
		const r = reader(h.cells);
		let at = 0;
		heat_cells = new Float64Array(h.columns * h.rows);
		while (r.more()) { at += r.next(); r.next(); heat_cells[at] += r.next(); }
	}
	let most = 0;
	for (const v of heat_cells) most = Math.max(most, v);
	heat_box.textContent = "";
	const width = h.columns * s.w, height = h.rows * s.h;
	const svg = draw_el(heat_box, "svg", { width: width + 60, height: height + 2, id: "heat-map", role: "img", "aria-label": "when samples came: drag over a range of time" });
	draw_el(svg, "rect", { width, height, fill: "none", stroke: "currentColor", "stroke-opacity": 0.25 });
	const paths = new Map();
	heat_cells.forEach((v, i) => {
		if (!(v > 0)) return;
		const k = "h" + Math.max(1, Math.ceil(v / most * 6)), x = Math.floor(i / h.rows) * s.w, y = (h.rows - 1 - i % h.rows) * s.h;
		paths.set(k, (paths.get(k) || "") + "M" + x + " " + y + "h" + (s.w > 3 ? s.w - 1 : s.w) + "v" + s.h + "h-" + (s.w > 3 ? s.w - 1 : s.w) + "z");
	});
	for (const [k, d] of paths) draw_el(svg, "path", { class: k, d });
	draw_el(svg, "text", { class: "axis", x: width + 4, y: 10 }, "+" + h.span + " s");
	draw_el(svg, "text", { class: "axis", x: width + 4, y: height }, "+0 s");
	el(heat_box, "div", { class: "small" }, "Samples over time: a column is " + h.span + " s, from its bottom to its top; " + h.columns * h.span + " s from left to right. Drag over a range for its own graph.");
	if (state.range) mark_range(svg, state.range[0], state.range[1]);
	let begin = -1;
	const both = (e) => { const p = heat_place(e, svg.getBoundingClientRect()); return [Math.min(begin, p), Math.max(begin, p)]; };
	svg.addEventListener("pointerdown", (e) => {
		begin = heat_place(e, svg.getBoundingClientRect());
		svg.setPointerCapture(e.pointerId);
		mark_range(svg, begin, begin);
		e.preventDefault();
	});
	svg.addEventListener("pointermove", (e) => { if (begin >= 0) mark_range(svg, ...both(e)); });
	svg.addEventListener("pointerup", (e) => {
		if (begin < 0) return;
		const range = both(e);
		begin = -1;
		set_range(range);
	});
	svg.addEventListener("pointercancel", () => { begin = -1; show(); });
}

// ---- all of it ----

function tell_where() {
	const l = layers[0], words = [];
	if (state.range) words.push("only " + seconds(time_of(state.range[0])) + " to " + seconds(time_of(state.range[1] + 1)) + ": " + amount(tree.total[0]) + ", " + percent(tree.total[0], base.total[0]) + " of all");
	if (state.f) words.push("callers and callees of " + frames[state.f].name + ": " + amount(layers[0].tree.total[0]) + ", " + percent(layers[0].tree.total[0], tree.total[0]) + (state.range ? " of the range" : " of all"));
	const z = layers.find((x) => x.zoom > (state.f ? 1 : 0));
	if (z) words.push("zoomed into " + frames[z.tree.frame[z.zoom]].name + ": " + amount(z.tree.total[z.zoom]) + ", " + percent(z.tree.total[z.zoom], base.total[0]) + " of all");
	if (!words.length) words.push(data.reverse ? "Reversed: the outermost row is what ran, on it who called it." : "Click a frame to zoom, hover for details.");
	where.textContent = words.join(" · ");
	return l;
}
function show_legend() {
	if (legend.firstChild || !data.kindColors) return;
	const used = new Set(frames.slice(1).map((f) => f.kind));
	data.kinds.forEach((k, i) => {
		if (!used.has(i)) return;
		const s = el(legend, "span"), v = draw_el(s, "svg", { width: 12, height: 12 });
		draw_el(v, "rect", { class: "c" + (i * 8 + 4), width: 12, height: 12 });
		s.appendChild(document.createTextNode(k));
	});
}

let width_drawn = 0;
function show() {
	app.classList.toggle("narrow", window.innerWidth < 900);
	width_drawn = window.innerWidth;
	hide_tip();
	show_table();
	draw_heat();
	draw();
	tell_where();
	tell_found();
	show_legend();
	b_back.disabled = !past.length;
	b_reset.disabled = !state.zoom && !state.f && !state.range;
	b_sandwich.disabled = !current_frame();
	b_turn.textContent = state.icicle ? "Flame" : "Icicle";
	fit();
}
// The graph and the table have what is left of the window, and scroll by themselves; the outermost caller is in sight first.
let was_high = -1;
function fit() {
	const room = Math.max(280, window.innerHeight - graph.offsetTop - 70) + "px", high = picture.clientHeight;
	graph.style.maxHeight = room;
	table.style.maxHeight = app.classList.contains("narrow") ? "60vh" : room;
	if (high !== was_high) graph.scrollTop = state.icicle || state.f ? 0 : graph.scrollHeight;
	if (state.f) graph.scrollTop = Math.max(0, middle * ROW - graph.clientHeight / 2);
	was_high = high;
	root.setAttribute("height", Math.max(app.offsetHeight, window.innerHeight));
}

const printed = { width: root.getAttribute("width"), height: root.getAttribute("height"), viewBox: root.getAttribute("viewBox") };
window.addEventListener("beforeprint", () => {
	root.setAttribute("viewBox", printed.viewBox);
	root.setAttribute("height", printed.height);
});
window.addEventListener("afterprint", () => { root.removeAttribute("viewBox"); show(); });
window.addEventListener("resize", () => { if (window.innerWidth !== width_drawn) show(); else fit(); });

root.removeAttribute("viewBox");
root.setAttribute("width", "100%");
root.style.display = "block";
still.style.display = "none";
show();
root.setAttribute("data-ready", "1");
})();
