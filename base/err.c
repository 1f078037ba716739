/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as a code for the program and a sentence for the person.
 *
 * A sentence that does not fit is cut, never wrapped and never dropped; the first words are the
 * ones that name the thing. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void err_format(struct err *e, int code, const char *fmt, va_list ap, const char *tail)
	__attribute__((format(printf, 3, 0)));

/* Formats aside first: the arguments may point into e->msg. */
static void err_format(struct err *e, int code, const char *fmt, va_list ap, const char *tail)
{
	char text[ERR_MAX];

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	if (tail)
		snprintf(e->msg, sizeof(e->msg), "%s: %s", text, tail);
	else
		snprintf(e->msg, sizeof(e->msg), "%s", text);
	e->code = code;
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	err_format(e, code, fmt, ap, NULL);
	va_end(ap);
	return code;
}

int err_errno(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	err_format(e, code, fmt, ap, strerror(code < 0 ? -code : code));
	va_end(ap);
	return code;
}

int err_wrap(struct err *e, int code, const char *fmt, ...)
{
	char inner[ERR_MAX];
	va_list ap;

	if (!e)
		return code;
	memcpy(inner, e->msg, sizeof(inner));
	inner[sizeof(inner) - 1] = '\0';
	va_start(ap, fmt);
	err_format(e, code, fmt, ap, inner[0] ? inner : NULL);
	va_end(ap);
	return code;
}
