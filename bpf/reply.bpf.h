/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Does a thread that sleeps on a socket wait for the answer to what it sent, or for somebody to want something of it?
 *
 *   client   send ────────▶            lsndtime (the last data sent)
 *            sleeps in recv            is not before lrcvtime (the last received): it waits for the reply
 *   server              ◀──────── recv
 *
 * Of the two ends the client is the one whose port is an ephemeral one, which the kernel takes from above the ports of
 * services. A reply that comes in parts, and what is pushed without being asked for, is received after it was sent: that is
 * waiting for work. UNIX sockets keep no such times: sleeps on those are not told apart. */
#ifndef SIXTY_BPF_REPLY_H
#define SIXTY_BPF_REPLY_H

#include "bpf/common.bpf.h"

#define SYN_SENT 2 /* include/net/tcp_states.h */
#define LISTENS  10
#define TCP_TYPE 6 /* IPPROTO_TCP */

hidden bool tcp_owes_reply(struct sock *sk)
{
	__u32 sent = BPF_CORE_READ((struct tcp_sock *)sk, lsndtime),
	      got = BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_ack.lrcvtime);

	/* in ticks of the kernel's timer: a request within the tick of the last answer counts as sent after it */
	return sent && (__s32)(sent - got) >= 0;
}

/* file is a socket's, and its thread sleeps until something comes. */
hidden bool awaits_reply(struct file *file)
{
	struct socket *sock = BPF_CORE_READ(file, private_data);
	struct sock *sk = BPF_CORE_READ(sock, sk);
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family), own, peer;
	__u8 state;

	if (family != 2 && family != 10) /* AF_INET, AF_INET6 */
		return false;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (state == SYN_SENT)
		return true;
	own = BPF_CORE_READ(sk, __sk_common.skc_num);
	peer = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (state == LISTENS || !peer || own <= peer)
		return false;
	/* what is connected by UDP has a peer, and nobody connects to one in order to wait */
	return BPF_CORE_READ(sk, sk_protocol) != TCP_TYPE || tcp_owes_reply(sk);
}

#endif
