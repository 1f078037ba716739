/* SPDX-License-Identifier: Apache-2.0 */
/* The unit test runner: one child per test, one line per result.
 *
 *	build/tests/unit [PART OF A NAME]
 *
 * A child that ends with 0 has passed. One that ends with FAILED or SKIPPED has printed its own line.
 * Everything else, a signal or an exit in the middle, is a failure that the parent reports. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <ftw.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAILED  77
#define SKIPPED 78
#define SECONDS 60

static struct unit_test *tests;
static struct unit_test **last = &tests;
static const struct unit_test *current;
static char tmpdir[64];

void unit_register(struct unit_test *t)
{
	*last = t;
	last = &t->next;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_tmpdir(void)
{
	if (tmpdir[0])
		nftw(tmpdir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	tmpdir[0] = '\0';
}

/* The line is printed; nothing else of this child matters, leaks included. */
static void leave(int status) __attribute__((noreturn));

static void leave(int status)
{
	fflush(stdout);
	remove_tmpdir();
	_exit(status);
}

void unit_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("not ok %s: %s:%d: ", current->name, file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	leave(FAILED);
}

void unit_skip(const char *fmt, ...)
{
	va_list ap;

	printf("skip %s: ", current->name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	leave(SKIPPED);
}

void unit_check_int(const char *file, int line, const char *what, long long a, long long b)
{
	if (a != b)
		unit_fail(file, line, "%s is %lld, expected %lld", what, a, b);
}

void unit_check_uint(const char *file, int line, const char *what, unsigned long long a,
		     unsigned long long b)
{
	if (a != b)
		unit_fail(file, line, "%s is %llu, expected %llu", what, a, b);
}

void unit_check_str(const char *file, int line, const char *what, const char *a, const char *b)
{
	if (!a || !b ? a != b : strcmp(a, b) != 0)
		unit_fail(file, line, "%s is \"%s\", expected \"%s\"", what, a ? a : "(null)",
			  b ? b : "(null)");
}

void unit_check_has(const char *file, int line, const char *what, const char *a, const char *part)
{
	if (!a || !strstr(a, part))
		unit_fail(file, line, "%s is \"%s\", without \"%s\"", what, a ? a : "(null)", part);
}

void unit_check_near(const char *file, int line, const char *what, double a, double b, double eps)
{
	if (!(fabs(a - b) <= eps))
		unit_fail(file, line, "%s is %.9g, expected %.9g within %g", what, a, b, eps);
}

void unit_check_aborts(const char *file, int line, const char *what, void (*fn)(void))
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		unit_fail(file, line, "fork: %s", strerror(errno));
	if (!pid) {
		signal(SIGABRT, SIG_DFL);
		prctl(PR_SET_DUMPABLE, 0);
		fn();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
		unit_fail(file, line, "%s did not abort", what);
}

/* By the id of the child, so that its parent can clean up after a crash. */
static void name_tmpdir(pid_t pid)
{
	const char *base = getenv("TMPDIR");

	if (!base || strlen(base) > 32)
		base = "/tmp";
	snprintf(tmpdir, sizeof(tmpdir), "%s/sixty-unit-%d", base, (int)pid);
}

const char *unit_tmpdir(void)
{
	if (tmpdir[0])
		return tmpdir;
	name_tmpdir(getpid());
	if (mkdir(tmpdir, 0700)) {
		tmpdir[0] = '\0';
		unit_fail(__FILE__, __LINE__, "no directory for files: %s", strerror(errno));
	}
	return tmpdir;
}

void unit_file(const char *path, const char *contents)
{
	char full[512];
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", unit_tmpdir(), path);
	for (char *slash = full + strlen(unit_tmpdir()) + 1; (slash = strchr(slash, '/'));
	     slash++) {
		*slash = '\0';
		if (mkdir(full, 0755) && errno != EEXIST)
			unit_fail(__FILE__, __LINE__, "%s: %s", full, strerror(errno));
		*slash = '/';
	}
	f = fopen(full, "w");
	if (!f || fputs(contents, f) == EOF || fclose(f))
		unit_fail(__FILE__, __LINE__, "%s: %s", full, strerror(errno));
}

static void child(const struct unit_test *t) __attribute__((noreturn));

static void child(const struct unit_test *t)
{
	current = t;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(SECONDS);
	t->run();
	remove_tmpdir();
	exit(0); /* not _exit: coverage is written and leaks are looked for on the way out */
}

static void report_death(const struct unit_test *t, int status)
{
	if (WIFSIGNALED(status))
		printf("not ok %s: killed by signal %d (%s)\n", t->name, WTERMSIG(status),
		       strsignal(WTERMSIG(status)));
	else
		printf("not ok %s: exited with %d in the middle\n", t->name, WEXITSTATUS(status));
}

/* True if the test passed or was skipped. */
static bool run(const struct unit_test *t)
{
	int status = 0, code;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		printf("not ok %s: fork: %s\n", t->name, strerror(errno));
		return false;
	}
	if (!pid)
		child(t);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (code == 0)
		printf("ok %s\n", t->name);
	if (code == 0 || code == SKIPPED)
		return true;
	if (code != FAILED)
		report_death(t, status);
	name_tmpdir(pid);
	remove_tmpdir();
	return false;
}

int main(int argc, char **argv)
{
	const char *part = argc > 1 ? argv[1] : "";
	size_t ran = 0, failed = 0;

	for (const struct unit_test *t = tests; t; t = t->next) {
		if (!strstr(t->name, part))
			continue;
		ran++;
		failed += !run(t);
	}
	if (!ran) {
		fprintf(stderr, "no test has \"%s\" in its name\n", part);
		return 2;
	}
	return failed ? 1 : 0;
}
