/* SPDX-License-Identifier: Apache-2.0 */
/* What a sleeper waits for, by the syscall it sleeps in. Numbers differ between architectures, and old calls are missing
 * on new ones. */
#include "collectors/bpf_syscalls.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "bpf/wire.h"

static const struct {
	int nr;
	enum wire_call call;
} rows[] = {
	{ SYS_read, CALL_READ },
	{ SYS_write, CALL_WRITE },
	{ SYS_readv, CALL_READ },
	{ SYS_writev, CALL_WRITE },
	{ SYS_pread64, CALL_READ },
	{ SYS_pwrite64, CALL_WRITE },
	{ SYS_sendfile, CALL_WRITE },
	{ SYS_splice, CALL_READ },
	{ SYS_futex, CALL_FUTEX },
	{ SYS_flock, CALL_FLOCK },
	{ SYS_fcntl, CALL_FLOCK },
	{ SYS_accept, CALL_RECEIVE },
	{ SYS_accept4, CALL_RECEIVE },
	{ SYS_connect, CALL_RECEIVE },
	{ SYS_recvfrom, CALL_RECEIVE },
	{ SYS_recvmsg, CALL_RECEIVE },
	{ SYS_recvmmsg, CALL_RECEIVE },
	{ SYS_sendto, CALL_SEND },
	{ SYS_sendmsg, CALL_SEND },
	{ SYS_sendmmsg, CALL_SEND },
	{ SYS_ppoll, CALL_POLL },
	{ SYS_pselect6, CALL_SELECT },
	{ SYS_epoll_pwait, CALL_SELECT },
#ifdef SYS_epoll_pwait2
	{ SYS_epoll_pwait2, CALL_SELECT },
#endif
#ifdef SYS_poll
	{ SYS_poll, CALL_POLL },
#endif
#ifdef SYS_select
	{ SYS_select, CALL_SELECT },
#endif
#ifdef SYS_epoll_wait
	{ SYS_epoll_wait, CALL_SELECT },
#endif
	{ SYS_io_getevents, CALL_SELECT },
	{ SYS_io_uring_enter, CALL_SELECT },
	{ SYS_nanosleep, CALL_TIMER },
	{ SYS_clock_nanosleep, CALL_TIMER },
#ifdef SYS_pause
	{ SYS_pause, CALL_TIMER },
#endif
	{ SYS_rt_sigtimedwait, CALL_TIMER },
	{ SYS_rt_sigsuspend, CALL_TIMER },
	{ SYS_wait4, CALL_CHILD },
	{ SYS_waitid, CALL_CHILD },
#ifdef SYS_open
	{ SYS_open, CALL_OPEN },
	{ SYS_creat, CALL_OPEN },
#endif
	{ SYS_openat, CALL_OPENAT },
#ifdef SYS_openat2
	{ SYS_openat2, CALL_OPENAT },
#endif
};

void bpf_syscalls_fill(uint8_t *calls)
{
	memset(calls, CALL_OTHER, WIRE_SYSCALLS);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].nr >= 0 && rows[i].nr < WIRE_SYSCALLS)
			calls[rows[i].nr] = (uint8_t)rows[i].call;
}

/* Made from the C library's own list: one SYSCALL(name) each. */
#define SYSCALL(name) { SYS_##name, #name },
static const struct {
	int nr;
	const char *name;
} names[] = {
#include "syscalls.h"
};

char *bpf_syscall_name(char *out, size_t size, unsigned number)
{
	if (number == WIRE_SYSCALLS) {
		snprintf(out, size, "32-bit");
		return out;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].nr == (int)number) {
			snprintf(out, size, "%s", names[i].name);
			return out;
		}
	snprintf(out, size, "syscall %u", number);
	return out;
}
