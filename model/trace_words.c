/* SPDX-License-Identifier: Apache-2.0 */
/* Values of records: names of signals, addresses as people write them, numbers with their kind. */
#include "model/trace_value.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const char *const signals[] = {
	[SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",       [SIGQUIT] = "SIGQUIT",
	[SIGILL] = "SIGILL",   [SIGTRAP] = "SIGTRAP",     [SIGABRT] = "SIGABRT",
	[SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE",       [SIGKILL] = "SIGKILL",
	[SIGUSR1] = "SIGUSR1", [SIGSEGV] = "SIGSEGV",     [SIGUSR2] = "SIGUSR2",
	[SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM",     [SIGTERM] = "SIGTERM",
	[SIGCHLD] = "SIGCHLD", [SIGCONT] = "SIGCONT",     [SIGSTOP] = "SIGSTOP",
	[SIGTSTP] = "SIGTSTP", [SIGTTIN] = "SIGTTIN",     [SIGTTOU] = "SIGTTOU",
	[SIGURG] = "SIGURG",   [SIGXCPU] = "SIGXCPU",     [SIGXFSZ] = "SIGXFSZ",
	[SIGPROF] = "SIGPROF", [SIGVTALRM] = "SIGVTALRM", [SIGWINCH] = "SIGWINCH",
	[SIGIO] = "SIGIO",     [SIGPWR] = "SIGPWR",       [SIGSYS] = "SIGSYS",
};

/* The kernel's numbers: a C library keeps the first real-time ones for itself. */
#define REALTIME_FIRST 32
#define REALTIME_LAST  64

const char *trace_signal_name(int number, char *out, size_t size)
{
	if (number >= 0 && number < (int)(sizeof(signals) / sizeof(*signals)) && signals[number])
		return signals[number];
	if (number < 1 || number > REALTIME_LAST)
		return NULL;
	if (number < REALTIME_FIRST)
		snprintf(out, size, "SIG%d", number);
	else
		snprintf(out, size, "RT+%d", number - REALTIME_FIRST);
	return out;
}

char *trace_address(char *out, size_t size, unsigned family, const uint8_t *address, unsigned port)
{
	char text[INET6_ADDRSTRLEN];

	out[0] = '\0';
	if ((family != AF_INET && family != AF_INET6) ||
	    !inet_ntop((int)family, address, text, sizeof(text)))
		return out;
	if (!port)
		snprintf(out, size, "%s", text);
	else
		snprintf(out, size, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
	return out;
}

/* ---- values ---- */

void value_text(struct trace_value *v, const char *s, size_t n)
{
	v->kind = n ? VALUE_TEXT : VALUE_NONE;
	v->text = s;
	v->size = n;
}

/* NULL stays absent. */
void value_string(struct trace_value *v, const char *s)
{
	if (s)
		value_text(v, s, strlen(s));
}

/* A field of fixed size: its end may be missing. */
void value_field(struct trace_value *v, const char *s, size_t size)
{
	value_text(v, s, strnlen(s, size));
}

void value_number(struct trace_value *v, enum trace_value_kind kind, double number)
{
	v->kind = kind;
	v->number = number;
}

void value_ns(struct trace_value *v, uint64_t ns)
{
	value_number(v, VALUE_SECONDS, (double)ns * 1e-9);
}

void value_errno(struct trace_value *v, int code)
{
	const char *name = strerrorname_np(code);

	if (name) {
		value_string(v, name);
		return;
	}
	snprintf(v->scratch, sizeof(v->scratch), "errno %d", code);
	value_string(v, v->scratch);
}

void value_signal(struct trace_value *v, int number)
{
	value_string(v, trace_signal_name(number, v->scratch, sizeof(v->scratch)));
}

void value_disk(struct trace_value *v, const struct trace_names *n, unsigned major, unsigned minor)
{
	const char *name = n->disk ? n->disk(n->ctx, major, minor) : NULL;

	if (!name) {
		snprintf(v->scratch, sizeof(v->scratch), "%u:%u", major, minor);
		name = v->scratch;
	}
	value_string(v, name);
}

/* A number by its name, or as it is. */
void value_reason(struct trace_value *v, const char *name, unsigned number)
{
	if (!name) {
		snprintf(v->scratch, sizeof(v->scratch), "%u", number);
		name = v->scratch;
	}
	value_string(v, name);
}
