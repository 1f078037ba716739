/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TCP: how long it takes to get a connection, and the round trips of those that are in use. */
#include "bpf/hist.bpf.h"

enum { CONN_ESTABLISHED = 1, CONN_SYN_SENT = 2, CONN_CLOSE = 7 };

#define IN_USE_US \
	1000000 /* since the last segment: a reading a second finds each that is used once */

struct hist_conn {
	__u64 since; /* 0: connect() was not seen */
	__u64 block;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct hist_conn);
} hist_conns SEC(".maps");

/* connect() itself begins it; it ends in a soft interrupt, under whoever happens to run. */
hidden void begin_connect(struct sock *sk)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct hist_conn *c;

	count_event(PROG_HIST_CONN);
	if (!hist_wants(t))
		return;
	c = bpf_sk_storage_get(&hist_conns, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!c) {
		hist_lose(LOSS_HIST_STARTS);
		return;
	}
	c->block = hist_block_of(HIST_TCPCONN, t);
	c->since = bpf_ktime_get_ns();
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(hist_conn, struct sock *sk, int old, int new)
{
	struct hist_conn *c;

	if (sk->sk_protocol != 6) /* IPPROTO_TCP */
		return 0;
	if (new == CONN_SYN_SENT) {
		begin_connect(sk);
		return 0;
	}
	if (old != CONN_SYN_SENT)
		return 0;
	c = bpf_sk_storage_get(&hist_conns, sk, 0, 0);
	if (!c || !c->since)
		return 0;
	hist_put(c->block + (new == CONN_ESTABLISHED ? TCP_CONNECTED : TCP_REFUSED),
		 bpf_ktime_get_ns() - c->since);
	c->since = 0;
	return 0;
}

/* Over the sockets of our own network namespace. */
SEC("iter/tcp")
int hist_rtt(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	__u64 now_us = bpf_ktime_get_ns() / 1000;
	struct tcp_sock *tp;

	if (!common || common->skc_state != CONN_ESTABLISHED)
		return 0;
	tp = bpf_skc_to_tcp_sock(common);
	if (!tp || !tp->srtt_us || now_us - tp->tcp_mstamp > IN_USE_US)
		return 0;
	count_event(PROG_HIST_RTT);
	hist_put(config.hist.first[HIST_TCPRTT], (__u64)(tp->srtt_us >> 3) * 1000);
	return 0;
}
