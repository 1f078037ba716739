/* SPDX-License-Identifier: Apache-2.0 */
/* The table of events, and how a value of a record is told. */
#include "model/trace.h"

#include <string.h>

#include "model/trace_value.h"

/* clang-format off */
#define EVENT(record, event) .size = sizeof(struct record), .columns = trace_##event##_columns

const struct trace_event trace_events[TRACE_MAX] = {
	[TRACE_EXEC] = { .name = "exec", .what = "a process runs a program: path and arguments",
		.needs = "", .price = "", EVENT(wire_exec, exec) },
	[TRACE_EXIT] = { .name = "exit", .what = "a process ends: status or signal, run time, CPU time, peak RSS",
		.needs = "", .price = "", EVENT(wire_exit, exit) },
	[TRACE_OPEN] = { .name = "open", .what = "a file could not be opened: why, and its path",
		.needs = "64-bit programs: it does not see others",
		.price = "slows every syscall of every process by 100 to 150 ns while it runs",
		EVENT(wire_open, open) },
	[TRACE_OOM] = { .name = "oom", .what = "the OOM killer has chosen a victim: its memory cgroup, and who was allocating",
		.needs = "", .price = "", EVENT(wire_oom, oom) },
	[TRACE_SIGNAL] = { .name = "signal", .what = "a signal is sent or delivered: from whom to whom, and what became of it",
		.needs = "", .price = "", EVENT(wire_signal, signal) },
	[TRACE_BIO] = { .name = "bio", .what = "a request to a disk took --min or longer: who, what, in all and in the device",
		.needs = "who made it: Linux 6.5", .price = "about 1 us per request", .slow = true,
		EVENT(wire_bio, bio) },
	[TRACE_FSYNC] = { .name = "fsync", .what = "an fsync took --min or longer: which file",
		.needs = "ext4: other file systems do not tell when one has ended", .price = "", .slow = true,
		EVENT(wire_fsync, fsync) },
	[TRACE_RUNQ] = { .name = "runq", .what = "a thread waited --min or longer for a CPU: who ran instead",
		.needs = "", .price = "0.2 to 1 us per context switch", .slow = true,
		EVENT(wire_runq, runq) },
	[TRACE_TCP] = { .name = "tcp", .what = "a TCP connection is made, accepted, refused, closed: bytes each way and duration",
		.needs = "nothing; connections that are accepted are nobody's until their process closes them", .price = "",
		EVENT(wire_tcp, tcp) },
	[TRACE_RETRANSMIT] = { .name = "retransmit", .what = "a TCP segment is sent again: state of its connection",
		.needs = "", .price = "", .anonymous = true, EVENT(wire_retransmit, retransmit) },
	[TRACE_RESET] = { .name = "reset", .what = "a TCP reset is sent or received: state and reason",
		.needs = "", .price = "", .anonymous = true, EVENT(wire_reset, reset) },
	[TRACE_DROP] = { .name = "drop", .what = "a packet is dropped: the kernel's reason, and where in the kernel",
		.needs = "Linux 5.17", .price = "", .anonymous = true, EVENT(wire_drop, drop) },
	[TRACE_MODULE] = { .name = "module", .what = "a kernel module is loaded",
		.needs = "a kernel with modules", .price = "", EVENT(wire_module, module) },
	[TRACE_MOUNT] = { .name = "mount", .what = "something is mounted, unmounted or remounted in this mount namespace",
		.needs = "nothing; who did it is not known, and what comes and goes at once is not seen", .price = "",
		.anonymous = true, EVENT(trace_mount, mount) },
	[TRACE_BPF] = { .name = "bpf", .what = "a BPF program is loaded",
		.needs = "nothing; it looks once a second: who did it is not known, and what is gone by then is not seen",
		.price = "", .anonymous = true, EVENT(trace_bpf, bpf) },
};
/* clang-format on */

_Static_assert(sizeof(struct trace_mount) <= TRACE_RECORD_MOST, "records are kept in one size");
_Static_assert(sizeof(struct wire_exec) <= TRACE_RECORD_MOST, "records are kept in one size");

enum wire_trace trace_event_by_name(const char *name)
{
	unsigned i = 0;

	while (i < TRACE_MAX && strcmp(trace_events[i].name, name) != 0)
		i++;
	return (enum wire_trace)i;
}

bool trace_record_ok(const void *record, size_t size)
{
	const struct wire_event *e = record;

	return size >= sizeof(*e) && e->tag < TRACE_MAX && size == trace_events[e->tag].size;
}

void trace_get(const struct trace_column *c, const void *record, const struct trace_names *n,
	       struct trace_value *out)
{
	out->kind = VALUE_NONE;
	out->number = 0;
	out->text = NULL;
	out->size = 0;
	out->ran = NULL;
	c->get(record, n, out);
}
