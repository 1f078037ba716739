/* SPDX-License-Identifier: Apache-2.0 */
/* refuse CMD… -- COMMAND…: run a command for which bpf(CMD) fails with EPERM, as where a policy forbids a part of it. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST 16

/* if (nr != bpf) allow; if (cmd == one of these) EPERM; allow. On little-endian machines the low half of an argument
 * comes first. */
static size_t make_filter(struct sock_filter *f, char **cmds, size_t n)
{
	size_t at = 0;

	f[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					       offsetof(struct seccomp_data, nr));
	f[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0,
					       (unsigned char)(n + 1));
	f[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					       offsetof(struct seccomp_data, args));
	for (size_t i = 0; i < n; i++)
		f[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						       (unsigned)atoi(cmds[i]),
						       (unsigned char)(n - i), 0);
	f[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	f[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	return at;
}

int main(int argc, char **argv)
{
	struct sock_filter f[MOST + 5];
	struct sock_fprog p = { .filter = f };
	size_t n = 0;

	while (n + 1 < (size_t)argc && strcmp(argv[n + 1], "--") != 0)
		n++;
	if (!n || n > MOST || n + 2 >= (size_t)argc) {
		fprintf(stderr, "usage: refuse CMD… -- COMMAND…\n");
		return 2;
	}
	p.len = (unsigned short)make_filter(f, argv + 1, n);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p)) {
		perror("refuse: seccomp");
		return 1;
	}
	execvp(argv[n + 2], argv + n + 2);
	perror("refuse: exec");
	return 1;
}
