/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TESTS_UNIT_H
#define SIXTY_TESTS_UNIT_H

#include <stddef.h>

/* The unit test harness.
 *
 *	TEST(interval_is_unknown_after_counter_reset)
 *	{
 *		CHECK_INT(interval_reason(&iv), REASON_RESET);
 *	}
 *
 * The name is a sentence about behaviour. Every test runs in a child of its own, so a crash is
 * one failure, and ends at its first failed check. Allocations need not be freed, except under
 * SAN=1, where what a finished test has lost is a failure of that test. */
struct unit_test {
	const char *name;
	void (*run)(void);
	struct unit_test *next;
};

void unit_register(struct unit_test *t);

void unit_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
void unit_skip(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void unit_check_int(const char *file, int line, const char *what, long long a, long long b);
void unit_check_uint(const char *file, int line, const char *what, unsigned long long a,
		     unsigned long long b);
void unit_check_str(const char *file, int line, const char *what, const char *a, const char *b);
void unit_check_has(const char *file, int line, const char *what, const char *a, const char *part);
void unit_check_near(const char *file, int line, const char *what, double a, double b, double eps);
void unit_check_aborts(const char *file, int line, const char *what, void (*fn)(void));

/* A directory that is removed when the test ends. */
const char *unit_tmpdir(void);
/* Write a file below it, with the directories it needs. */
void unit_file(const char *path, const char *contents);

#define TEST(test_name)                                                      \
	static void test_name(void);                                         \
	static __attribute__((constructor)) void test_name##_register(void)  \
	{                                                                    \
		static struct unit_test t = { #test_name, test_name, NULL }; \
		unit_register(&t);                                           \
	}                                                                    \
	static void test_name(void)

#define CHECK(cond)                                                 \
	do {                                                        \
		if (!(cond))                                        \
			unit_fail(__FILE__, __LINE__, "%s", #cond); \
	} while (0)

/* What was got first, what was expected second. */
#define CHECK_INT(a, b)       unit_check_int(__FILE__, __LINE__, #a, (a), (b))
#define CHECK_UINT(a, b)      unit_check_uint(__FILE__, __LINE__, #a, (a), (b))
#define CHECK_STR(a, b)       unit_check_str(__FILE__, __LINE__, #a, (a), (b))
#define CHECK_HAS(a, part)    unit_check_has(__FILE__, __LINE__, #a, (a), (part))
#define CHECK_NEAR(a, b, eps) unit_check_near(__FILE__, __LINE__, #a, (a), (b), (eps))
/* fn(void) must end in abort(). */
#define CHECK_ABORTS(fn) unit_check_aborts(__FILE__, __LINE__, #fn, (fn))
#define SKIP(...)        unit_skip(__VA_ARGS__)

#endif
