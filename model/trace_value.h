/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_TRACE_VALUE_H
#define SIXTY_MODEL_TRACE_VALUE_H

#include "model/trace.h"

/* What the files of columns (trace_tasks.c, trace_files.c, trace_net.c) are made of. */

extern const struct trace_column trace_exec_columns[], trace_exit_columns[], trace_oom_columns[],
	trace_signal_columns[], trace_runq_columns[], trace_module_columns[], trace_bpf_columns[],
	trace_open_columns[], trace_bio_columns[], trace_fsync_columns[], trace_mount_columns[],
	trace_tcp_columns[], trace_retransmit_columns[], trace_reset_columns[],
	trace_drop_columns[];

void value_text(struct trace_value *v, const char *s, size_t n);
void value_string(struct trace_value *v, const char *s);             /* NULL stays absent */
void value_field(struct trace_value *v, const char *s, size_t size); /* its end may be missing */
void value_number(struct trace_value *v, enum trace_value_kind kind, double number);
void value_ns(struct trace_value *v, uint64_t ns);
void value_errno(struct trace_value *v, int code); /* positive */
void value_signal(struct trace_value *v, int number);
void value_disk(struct trace_value *v, const struct trace_names *n, unsigned major, unsigned minor);
void value_reason(struct trace_value *v, const char *name,
		  unsigned number); /* a number by its name */

/* GETTER(exit_ran, wire_exit) { … }: fills v (absent until then) from the record r; n has names. */
#define GETTER(function, type)                                                         \
	static void function##_of(const struct type *r,                                \
				  const struct trace_names *n __attribute__((unused)), \
				  struct trace_value *v);                              \
	static void function(const void *record,                                       \
			     const struct trace_names *n __attribute__((unused)),      \
			     struct trace_value *v)                                    \
	{                                                                              \
		function##_of(record, n, v);                                           \
	}                                                                              \
	static void function##_of(const struct type *r,                                \
				  const struct trace_names *n __attribute__((unused)), \
				  struct trace_value *v)

#endif
