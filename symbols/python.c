/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets are those of the headers of each version on 64-bit machines; within a minor version they do not change. */
#include "symbols/python.h"

#include <string.h>

#include "base/text.h"

/* clang-format off */
static const struct {
	unsigned minor;
	uint16_t interpreter, threads, next, id, frame, indirect, code, previous, entry, name, file, line, ascii, wide;
	enum wire_python_how how;
	bool by_pthread;
} layouts[] = {
	/*    interp threads next  id frame indirect            code prev entry name file line ascii wide */
	{  8,     32,      8,   8, 176,  24, WIRE_PYTHON_DIRECT,  32,  24,   0, 112, 104,  40,   48,  72, PYTHON_EACH,  true },
	{  9,     32,      8,   8, 176,  24, WIRE_PYTHON_DIRECT,  32,  24,   0, 112, 104,  40,   48,  72, PYTHON_EACH,  true },
	{ 10,     32,      8,   8, 176,  24, WIRE_PYTHON_DIRECT,  32,  24,   0, 112, 104,  40,   48,  72, PYTHON_EACH,  true },
	{ 11,     40,     16,   8, 160,  56,                  8,  32,  48,  68, 128, 112,  72,   48,  72, PYTHON_FIRST, false },
	{ 12,     40,     72,   8, 144,  56,                  0,   0,   8,  70, 128, 112,  68,   40,  56, PYTHON_SHIM,  false },
	{ 13,    632,   7344,   8, 160,  72, WIRE_PYTHON_DIRECT,   0,   8,  70, 128, 112,  68,   40,  56, PYTHON_SHIM,  false },
};
/* clang-format on */

#define LAYOUTS (sizeof(layouts) / sizeof(*layouts))

unsigned python_version(const char *name)
{
	struct text t = text_of(name);
	uint64_t minor;

	if (!text_skip(&t, "libpython3.") && !text_skip(&t, "python3."))
		return 0;
	if (!text_u64(&t, &minor))
		return 0;
	/* "python3.11", "libpython3.8.so.1.0"; 3.13t has other structures, and debug builds ("d") too */
	if (text_len(t) && !text_starts(t, ".so") && !text_eq(t, " (deleted)"))
		return 0;
	for (size_t i = 0; i < LAYOUTS; i++)
		if (layouts[i].minor == minor)
			return (unsigned)minor;
	return 0;
}

void python_layout(unsigned minor, uint64_t runtime, struct wire_python *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < LAYOUTS; i++) {
		if (layouts[i].minor != minor)
			continue;
		*out = (struct wire_python){
			.runtime = runtime,
			.interpreter = layouts[i].interpreter,
			.threads = layouts[i].threads,
			.next = layouts[i].next,
			.id = layouts[i].id,
			.frame = layouts[i].frame,
			.indirect = layouts[i].indirect,
			.code = layouts[i].code,
			.previous = layouts[i].previous,
			.entry = layouts[i].entry,
			.how = (uint8_t)layouts[i].how,
			.by_pthread = layouts[i].by_pthread,
			.name = layouts[i].name,
			.file = layouts[i].file,
			.line = layouts[i].line,
			.ascii = layouts[i].ascii,
			.wide = layouts[i].wide,
		};
	}
}

bool python_runs(const char *symbol)
{
	static const char name[] = "_PyEval_EvalFrameDefault";
	size_t n = sizeof(name) - 1;

	return !strncmp(symbol, name, n) && (!symbol[n] || symbol[n] == '.');
}

/* ---- strings ---- */

static size_t put_utf8(char *out, uint32_t c)
{
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || !c)
		c = 0xfffd;
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

char *python_text(char *out, size_t size, const char *bytes, size_t n, unsigned wide)
{
	size_t step = wide == 2 || wide == 4 ? wide : 1, at = 0;

	for (size_t i = 0; i + step <= n && at + 5 <= size; i += step) {
		uint32_t c = 0;

		for (size_t k = 0; k < step; k++)
			c |= (uint32_t)(unsigned char)bytes[i + k] << 8 * k;
		at += put_utf8(out + at, c);
	}
	if (size)
		out[at] = '\0';
	return out;
}
