/* SPDX-License-Identifier: Apache-2.0 */
/* forker N: N sleeping children, until standard input ends. Says "ready" when all are there.
 *
 * Each child is killed by the kernel when the parent goes, whatever the way. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void sleeper(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	pid_t parent = getpid();
	char c;

	if (n < 1 || n > 200000) {
		fprintf(stderr, "usage: forker N\n");
		return 2;
	}
	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			fprintf(stderr, "forker: child %ld of %ld: %s\n", i + 1, n,
				strerror(errno));
			return 1;
		}
		if (!pid)
			sleeper(parent);
	}
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}
