/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Events of the network: TCP connections, retransmits, resets, dropped packets. */
#include "bpf/trace.bpf.h"

#define AF_INET     2
#define AF_INET6    10
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define ETH_P_IP    0x0800
#define ETH_P_IPV6  0x86dd

/* include/net/tcp_states.h */
enum tcp_state {
	STATE_ESTABLISHED = 1,
	STATE_SYN_SENT,
	STATE_SYN_RECV,
	STATE_FIN_WAIT1,
	STATE_FIN_WAIT2,
	STATE_TIME_WAIT,
	STATE_CLOSE,
	STATE_CLOSE_WAIT,
	STATE_LAST_ACK,
	STATE_LISTEN,
};

/* ---- addresses ---- */

/* Requests and waiting rests of sockets have this part only. */
hidden void flow_of_common(struct sock_common *sk, struct wire_flow *f)
{
	f->family = BPF_CORE_READ(sk, skc_family);
	f->protocol = IPPROTO_TCP;
	f->lport = BPF_CORE_READ(sk, skc_num);
	f->rport = __builtin_bswap16(BPF_CORE_READ(sk, skc_dport));
	if (f->family == AF_INET) {
		BPF_CORE_READ_INTO((__u32 *)f->laddr, sk, skc_rcv_saddr);
		BPF_CORE_READ_INTO((__u32 *)f->raddr, sk, skc_daddr);
	} else if (f->family == AF_INET6) {
		BPF_CORE_READ_INTO((struct in6_addr *)f->laddr, sk, skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr *)f->raddr, sk, skc_v6_daddr);
	}
}

hidden void flow_of_sock(struct sock *sk, struct wire_flow *f)
{
	flow_of_common(&sk->__sk_common, f);
	if (!f->lport) /* given back before the state becomes CLOSE */
		f->lport = __builtin_bswap16(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
}

struct headers {
	__u64 network, transport;
	__u16 protocol;
};

hidden bool read_v4(struct headers *h, __u8 *source, __u8 *destination)
{
	__u8 ip[20];

	if (bpf_probe_read_kernel(ip, sizeof(ip), (void *)h->network) || ip[0] >> 4 != 4)
		return false;
	__builtin_memcpy(source, ip + 12, 4);
	__builtin_memcpy(destination, ip + 16, 4);
	h->protocol = ip[9];
	h->transport = h->network + (ip[0] & 15) * 4;
	return true;
}

hidden bool read_v6(struct headers *h, __u8 *source, __u8 *destination)
{
	__u8 ip[40];

	if (bpf_probe_read_kernel(ip, sizeof(ip), (void *)h->network) || ip[0] >> 4 != 6)
		return false;
	__builtin_memcpy(source, ip + 8, 16);
	__builtin_memcpy(destination, ip + 24, 16);
	h->protocol = ip[6]; /* extension headers are not followed: then there are no ports */
	h->transport = h->network + 40;
	return true;
}

/* Source and destination of a packet; with `mirror` the other way round. */
hidden void flow_of_packet(struct sk_buff *skb, struct wire_flow *f, bool mirror)
{
	__u16 ethertype = __builtin_bswap16(BPF_CORE_READ(skb, protocol)), ports[2] = {};
	__u8 *source = mirror ? f->raddr : f->laddr, *destination = mirror ? f->laddr : f->raddr;
	struct headers h = {};

	h.network = (__u64)BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header);
	if (ethertype == ETH_P_IP && read_v4(&h, source, destination))
		f->family = AF_INET;
	else if (ethertype == ETH_P_IPV6 && read_v6(&h, source, destination))
		f->family = AF_INET6;
	else
		return;
	f->protocol = h.protocol;
	if (h.protocol != IPPROTO_TCP && h.protocol != IPPROTO_UDP)
		return;
	if (bpf_probe_read_kernel(ports, sizeof(ports), (void *)h.transport))
		return;
	f->lport = __builtin_bswap16(ports[mirror ? 1 : 0]);
	f->rport = __builtin_bswap16(ports[mirror ? 0 : 1]);
}

/* ---- connections ---- */

struct conn {
	__u64 since;             /* 0: not seen */
	struct wire_event owner; /* pid 0: not known */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct conn);
} trace_conns SEC(".maps");

hidden bool wants_conn(const struct conn *c)
{
	return !config.trace_pid || (c && c->owner.pid == config.trace_pid);
}

hidden void give_owner(struct wire_event *e, const struct conn *c)
{
	__u64 time = e->time;
	__u32 cpu = e->cpu, tag = e->tag;

	if (!c || !c->owner.pid)
		return;
	*e = c->owner;
	e->time = time;
	e->cpu = cpu;
	e->tag = tag;
}

hidden void copy_totals(struct wire_tcp *r, struct sock *sk)
{
	struct tcp_sock *tp = (void *)sk;
	bool fin = BPF_CORE_READ(sk, __sk_common.skc_flags) >> SOCK_DONE & 1;
	__u64 got = BPF_CORE_READ(tp, bytes_received);

	r->sent = BPF_CORE_READ(tp, bytes_sent) - BPF_CORE_READ(tp, bytes_retrans);
	r->received = got && fin ? got - 1 : got; /* a FIN counts as a byte */
	r->retransmits = BPF_CORE_READ(tp, total_retrans);
	r->rtt_us = BPF_CORE_READ(tp, srtt_us) >> 3;
}

hidden void tell_conn(struct sock *sk, const struct conn *c, enum wire_tcp_what what)
{
	struct wire_tcp *r;

	if (!wants_conn(c) || !TRACE_NEW(r, TRACE_TCP, 0))
		return;
	give_owner(&r->e, c);
	flow_of_sock(sk, &r->flow);
	r->what = what;
	r->error = what == TCP_CLOSE || what == TCP_FAILED ? sk->sk_err : 0;
	if (c && c->since && what != TCP_ACCEPT)
		r->ns = bpf_ktime_get_ns() - c->since;
	copy_totals(r, sk);
	TRACE_PUT(r);
}

/* These are entered by a call of the owner: connect(), close(), shutdown(). */
hidden bool is_own_doing(int state)
{
	return state == STATE_SYN_SENT || state == STATE_FIN_WAIT1 || state == STATE_LAST_ACK;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(trace_tcp, struct sock *sk, int old, int new)
{
	bool begins = new == STATE_SYN_SENT || (old == STATE_SYN_RECV && new == STATE_ESTABLISHED);
	bool own = is_own_doing(new);
	struct conn *c;

	trace_count(TRACE_TCP);
	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	c = bpf_sk_storage_get(&trace_conns, sk, 0,
			       begins || own ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	if (c && begins)
		c->since = bpf_ktime_get_ns();
	if (c && own && !c->owner.pid)
		trace_who(&c->owner, bpf_get_current_task_btf());
	if (old == STATE_SYN_SENT && new == STATE_ESTABLISHED)
		tell_conn(sk, c, TCP_CONNECT);
	else if (old == STATE_SYN_RECV && new == STATE_ESTABLISHED)
		tell_conn(sk, c, TCP_ACCEPT);
	else if (old == STATE_SYN_SENT && new == STATE_CLOSE)
		tell_conn(sk, c, TCP_FAILED);
	else if (new == STATE_CLOSE &&
		 old != STATE_LISTEN &&old != STATE_CLOSE &&old != STATE_SYN_RECV)
		tell_conn(sk, c, TCP_CLOSE);
	return 0;
}

/* ---- retransmits and resets ---- */

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(trace_retransmit, struct sock *sk)
{
	struct tcp_sock *tp = (void *)sk;
	struct wire_retransmit *r;

	trace_count(TRACE_RETRANSMIT);
	if (config.trace_pid || !TRACE_NEW(r, TRACE_RETRANSMIT, 0))
		return 0;
	flow_of_sock(sk, &r->flow);
	r->state = sk->__sk_common.skc_state;
	r->total = BPF_CORE_READ(tp, total_retrans);
	r->rtt_us = BPF_CORE_READ(tp, srtt_us) >> 3;
	TRACE_PUT(r);
	return 0;
}

SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(trace_retransmit_synack, struct sock *sk, struct request_sock *req)
{
	struct wire_retransmit *r;

	trace_count(TRACE_RETRANSMIT);
	if (config.trace_pid || !TRACE_NEW(r, TRACE_RETRANSMIT, 0))
		return 0;
	flow_of_common(&req->__req_common, &r->flow);
	r->state = STATE_SYN_RECV;
	r->synack = 1;
	TRACE_PUT(r);
	return 0;
}

hidden void tell_reset(struct sock *sk, struct sk_buff *skb, bool sent, __u32 reason)
{
	struct wire_reset *r;

	if (config.trace_pid || !TRACE_NEW(r, TRACE_RESET, 0))
		return;
	r->sent = sent;
	r->reason = reason;
	r->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (BPF_CORE_READ(sk, __sk_common.skc_dport))
		flow_of_common(&sk->__sk_common, &r->flow);
	else if (skb) /* no socket, or one that listens: the answer to a packet */
		flow_of_packet(skb, &r->flow, true);
	TRACE_PUT(r);
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(trace_reset, struct sock *sk)
{
	trace_count(TRACE_RESET);
	tell_reset(sk, 0, false, 0);
	return 0;
}

/* Both pointers may be NULL. */
SEC("tp_btf/tcp_send_reset")
int trace_reset_sent(__u64 *ctx)
{
	struct sock *sk = (void *)trace_argument(ctx, 0);
	struct sk_buff *skb = (void *)trace_argument(ctx, 1);
	__u32 reason = 0;

	trace_count(TRACE_RESET);
	if (config.trace_reset_reason)
		reason = (__u32)trace_argument(ctx, 2);
	tell_reset(sk, skb, true, reason);
	return 0;
}

/* ---- drops ---- */

SEC("tp_btf/kfree_skb")
int trace_drop(__u64 *ctx)
{
	struct sk_buff *skb = (void *)ctx[0];
	struct wire_drop *r;

	trace_count(TRACE_DROP);
	if (config.trace_pid || !TRACE_NEW(r, TRACE_DROP, 0))
		return 0;
	r->where = ctx[1];
	r->reason = (__u32)ctx[2]; /* c504e5c2f964 (5.17) */
	r->bytes = BPF_CORE_READ(skb, len);
	r->ethertype = __builtin_bswap16(BPF_CORE_READ(skb, protocol));
	bpf_probe_read_kernel_str(r->device, sizeof(r->device), &BPF_CORE_READ(skb, dev)->name);
	flow_of_packet(skb, &r->flow, false);
	TRACE_PUT(r);
	return 0;
}
