/* SPDX-License-Identifier: Apache-2.0 */
/* flood N: send itself N signals that it ignores, as fast as it can, once SIGUSR1 has come. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	sigset_t set;
	int got;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGUSR2, SIG_IGN);
	printf("ready\n");
	fflush(stdout);
	sigwait(&set, &got);
	for (long i = 0; i < n; i++)
		kill(getpid(), SIGUSR2);
	return 0;
}
