/* SPDX-License-Identifier: Apache-2.0 */
/* flame.css and flame.js, which are part of every SVG, as parts of the program. */
#include "flamegraph/drawing.h"

__asm__(".pushsection .rodata, \"a\", %progbits\n"
	".globl flame_css\n"
	".hidden flame_css\n"
	"flame_css:\n"
	".incbin \"flamegraph/flame.css\"\n"
	".byte 0\n"
	".globl flame_js\n"
	".hidden flame_js\n"
	"flame_js:\n"
	".incbin \"flamegraph/flame.js\"\n"
	".byte 0\n"
	".popsection\n");
