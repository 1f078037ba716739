/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of what happens to processes, and of what is loaded into the kernel. */
#include "model/trace_value.h"

#include <stdio.h>
#include <string.h>

/* ---- exec ---- */

GETTER(exec_path, wire_exec)
{
	value_field(v, r->path, sizeof(r->path));
}

GETTER(exec_args, wire_exec)
{
	v->size = r->args_size < sizeof(r->args) ? r->args_size : sizeof(r->args);
	v->text = r->args;
	v->kind = v->size ? VALUE_LIST : VALUE_NONE;
}

GETTER(exec_cut, wire_exec)
{
	if (r->path_size >= WIRE_PATH)
		value_string(v, r->args_cut ? "path and arguments" : "path");
	else if (r->args_cut)
		value_string(v, "arguments");
}

/* ---- exit ---- */

GETTER(exit_status, wire_exit)
{
	if (!(r->status & 127))
		value_number(v, VALUE_NUMBER, r->status >> 8 & 255);
}

GETTER(exit_signal, wire_exit)
{
	if (r->status & 127)
		value_signal(v, r->status & 127);
}

GETTER(exit_core, wire_exit)
{
	if (r->status & 128)
		value_string(v, "dumped");
}

GETTER(exit_ran, wire_exit)
{
	value_ns(v, r->ran_ns);
}

/* The scheduler accounts at each tick and switch; of a process that has seen neither nothing is known. More threads than
 * were looked at: less than the truth is not a value. */
GETTER(exit_cpu, wire_exit)
{
	if (!r->threads_missed && r->cpu_ns)
		value_ns(v, r->cpu_ns);
}

GETTER(exit_peak, wire_exit)
{
	value_number(v, VALUE_BYTES, (double)r->peak_pages * (double)n->page_bytes);
}

/* ---- oom ---- */

GETTER(oom_by, wire_oom)
{
	value_number(v, VALUE_NUMBER, r->by_pid);
}

GETTER(oom_by_comm, wire_oom)
{
	value_field(v, r->by_comm, sizeof(r->by_comm));
}

GETTER(oom_memcg, wire_oom)
{
	if (n->cgroup)
		value_string(v, n->cgroup(n->ctx, (const uint64_t *)r->e.cgroups, 1));
}

GETTER(oom_score, wire_oom)
{
	value_number(v, VALUE_NUMBER, r->score_adj);
}

/* ---- signal ---- */

GETTER(signal_action, wire_signal)
{
	value_string(v, r->delivered ? "delivered" : "sent");
}

GETTER(signal_number, wire_signal)
{
	value_signal(v, r->number);
}

GETTER(signal_to, wire_signal)
{
	if (!r->delivered)
		value_number(v, VALUE_NUMBER, r->other_pid);
}

GETTER(signal_to_comm, wire_signal)
{
	if (!r->delivered)
		value_field(v, r->other_comm, sizeof(r->other_comm));
}

GETTER(signal_from, wire_signal)
{
	if (r->delivered && r->other_pid)
		value_number(v, VALUE_NUMBER, r->other_pid);
}

/* Positive codes are the kernel's: a fault, a timer, a child that has ended. */
GETTER(signal_origin, wire_signal)
{
	value_string(v, r->code > 0 ? "kernel" : "process");
}

GETTER(signal_result, wire_signal)
{
	static const char *const names[] = { "queued", "ignored", "already pending", "queue full",
					     "information lost" };

	if (!r->delivered && r->result < sizeof(names) / sizeof(*names))
		value_string(v, names[r->result]);
}

GETTER(signal_handler, wire_signal)
{
	static const char *const names[] = { "default", "ignored", "handler" };

	if (r->delivered && r->handler < sizeof(names) / sizeof(*names))
		value_string(v, names[r->handler]);
}

/* ---- runq ---- */

GETTER(runq_wait, wire_runq)
{
	value_ns(v, r->wait_ns);
}

GETTER(runq_ran, wire_runq)
{
	v->ran = r->ran;
	while (v->size < WIRE_RAN && r->ran[v->size].ns)
		v->size++;
	v->kind = v->size ? VALUE_RAN : VALUE_NONE;
}

GETTER(runq_throttled, wire_runq)
{
	if (r->throttled_ns)
		value_ns(v, r->throttled_ns);
}

GETTER(runq_others, wire_runq)
{
	if (r->others_ns)
		value_ns(v, r->others_ns);
}

GETTER(runq_unseen, wire_runq)
{
	if (r->unseen_ns)
		value_ns(v, r->unseen_ns);
}

/* ---- module and BPF program ---- */

GETTER(module_name, wire_module)
{
	value_field(v, r->name, sizeof(r->name));
}

GETTER(bpf_id, trace_bpf)
{
	value_number(v, VALUE_NUMBER, r->id);
}

GETTER(bpf_type, trace_bpf)
{
	value_field(v, r->type, sizeof(r->type));
}

GETTER(bpf_name, trace_bpf)
{
	value_field(v, r->name, sizeof(r->name));
}

/* ---- columns ---- */

/* clang-format off */
const struct trace_column trace_exec_columns[] = {
	{ "path",           "",           exec_path,       "what was asked for, as it was given" },
	{ "args",           "args",       exec_args,       "argument vector, the first 512 bytes" },
	{ "cut",            "cut",        exec_cut,        "what did not fit" },
	{ 0 }
};
const struct trace_column trace_exit_columns[] = {
	{ "status",         "status",     exit_status,     "exit status; absent when a signal ended it" },
	{ "signal",         "by",         exit_signal,     "the signal that ended it" },
	{ "core",           "core",       exit_core,       "whether memory was dumped" },
	{ "ran_seconds",    "ran",        exit_ran,        "since the process began" },
	{ "cpu_seconds",    "CPU",        exit_cpu,        "CPU time of all its threads; the last tick may be missing" },
	{ "peak_rss_bytes", "peak RSS",   exit_peak,       "largest resident size" },
	{ 0 }
};
const struct trace_column trace_oom_columns[] = {
	{ "memcg",          "memory cgroup", oom_memcg,    "the victim's memory control group" },
	{ "by_pid",         "asked by",   oom_by,          "process that was allocating" },
	{ "by_comm",        "",           oom_by_comm,     "its name" },
	{ "score_adj",      "score adjust", oom_score,     "the victim's oom_score_adj" },
	{ 0 }
};
const struct trace_column trace_signal_columns[] = {
	{ "action",         "",           signal_action,   "sent or delivered" },
	{ "signal",         "",           signal_number,   "its name" },
	{ "to_pid",         " to",         signal_to,       "sent: to which process" },
	{ "to_comm",        "",           signal_to_comm,  "sent: its name" },
	{ "from_pid",       " from",      signal_from,     "delivered: who sent it" },
	{ "origin",         " by",        signal_origin,   "process or kernel" },
	{ "result",         "result",     signal_result,   "sent: what became of it" },
	{ "handler",        "action",     signal_handler,  "delivered: default, ignored or handler" },
	{ 0 }
};
const struct trace_column trace_runq_columns[] = {
	{ "seconds",        "waited",     runq_wait,       "for a CPU" },
	{ "ran",            "ran instead", runq_ran,       "processes that ran on that CPU meanwhile" },
	{ "others_seconds", "others",     runq_others,     "of processes that found no place in ran" },
	{ "throttled_seconds", "throttled", runq_throttled, "part of it in which the group's quota was used up" },
	{ "unseen_seconds", "unseen",     runq_unseen,     "part of it on another CPU, or too long ago" },
	{ 0 }
};
const struct trace_column trace_module_columns[] = {
	{ "module",         "",           module_name,     "its name" },
	{ 0 }
};
const struct trace_column trace_bpf_columns[] = {
	{ "id",             "program",    bpf_id,          "its number" },
	{ "type",           "",           bpf_type,        "kprobe, tracing, xdp …" },
	{ "program",        "",           bpf_name,        "its name" },
	{ 0 }
};
/* clang-format on */
