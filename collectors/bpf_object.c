/* SPDX-License-Identifier: Apache-2.0 */
/* The BPF object inside the program. It is made from bpf/ by clang and taken in as it is: what is loaded later is the very
 * file that was built. */
#include "collectors/bpf_object.h"

#include <stdint.h>

__asm__(".pushsection .rodata, \"a\", %progbits\n"
	".balign 8\n"
	".globl sixty_bpf_object\n"
	"sixty_bpf_object:\n"
	".incbin \"" SIXTY_BPF_OBJECT "\"\n"
	"1:\n"
	".balign 8\n"
	".globl sixty_bpf_object_size\n"
	"sixty_bpf_object_size:\n"
	".quad 1b - sixty_bpf_object\n"
	".popsection\n");

extern const char sixty_bpf_object[] __attribute__((visibility("hidden")));
extern const uint64_t sixty_bpf_object_size __attribute__((visibility("hidden")));

const void *bpf_object_bytes(size_t *size)
{
	*size = sixty_bpf_object_size;
	return sixty_bpf_object;
}
