/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What each thread sends and receives by TCP, UDP and the like: payload, as its calls return it. 6e6eda44b939 (6.3) added the
 * trace points; before, no single place sees all of it. */
#include "bpf/task.bpf.h"

#define MSG_PEEK 2

/* NULL: not a thread that is known, not a socket of the network, or nothing came of it. */
hidden struct task_time *mover(struct sock *sk, int bytes)
{
	__u16 family = sk->__sk_common.skc_family;

	if (bytes <= 0 || (family != 2 && family != 10)) /* AF_INET, AF_INET6 */
		return 0;
	return bpf_task_storage_get(&sched_tasks, bpf_get_current_task_btf(), 0, 0);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(bytes_sent, struct sock *sk, int bytes)
{
	struct task_time *tt = mover(sk, bytes);

	count_event(PROG_SENT);
	if (tt)
		tt->sent += bytes;
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(bytes_received, struct sock *sk, int bytes, int flags)
{
	struct task_time *tt = mover(sk, bytes);

	count_event(PROG_RECEIVED);
	if (tt && !(flags & MSG_PEEK))
		tt->received += bytes;
	return 0;
}
