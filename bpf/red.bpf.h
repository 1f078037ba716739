/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Requests of services: what is kept of a connection, of a service, of an operation, and how they are counted.
 *
 *   struct sock ──▶ red_socks (with the socket) ──▶ slot ──▶ red_services[slot] of this CPU
 *
 * Nothing is looked up by key while requests go by: a connection learns its slot when it is first met. */
#ifndef SIXTY_BPF_RED_H
#define SIXTY_BPF_RED_H

#include "bpf/hist.bpf.h"

/* Elements and bytes of a Redis message that are still to come. */
struct red_rest {
	__u32 elements, skip;
};

enum { RED_OF_COMMAND = 1, RED_OF_LOGIN };

/* Whoever serves or asks, one thing at a time: no two threads read one connection at once and make sense of it. */
struct red_sock {
	__u64 since;   /* when the oldest request without an answer came, or was sent */
	__u64 arrived; /* when data came that was not read yet; 0: there is none, or nobody looked */
	__u64 wait;    /* how long it waited until it was read, + 1; 0: not known */
	__u64 shape;   /* of the last request: its first bytes, mixed */
	__u32 slot;    /* 0: is not followed */
	__u32 sweep;   /* that has seen it last */
	__u32 pending; /* requests without an answer */
	__u32 cell;    /* operation of the last */
	__u32 length;  /* of the last request, if it came alone; 0: it did not */
	__u8 role, protocol;
	__u8 batch;     /* pending requests came together */
	__u8 torn;      /* where requests or answers begin is not known until all is answered */
	__u8 by_design; /* the last request waits for something to happen */
	__u8 placed;    /* slot and role are known */
	__u8 headed;    /* the head of a packet was read by itself: of which kind */
	__u8 spare;
	struct red_rest ask, answer;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct red_sock);
} red_socks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct wire_red_key);
	__type(value, __u32);
} red_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_red_service);
} red_known SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_red);
} red_services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WIRE_RED_NAMES);
	__type(key, __u32);
	__type(value, struct wire_red_operation);
} red_operations SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WIRE_RED_NAMES);
	__type(key, __u32);
	__type(value, struct wire_red_name);
} red_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_red_index);
} red_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_red_state);
} red_states SEC(".maps");

hidden struct wire_red_state *red_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&red_states, &zero);
}

hidden void red_put(struct wire_hist *h, __u64 value, __u64 times)
{
	__u32 slot = hist_slot(value);

	h->sum += value * times;
	if (value > h->max)
		h->max = value;
	barrier_var(slot);
	h->slots[slot & (HIST_SLOTS - 1)] += times;
}

/* ---- names ---- */

/* Zero behind its end. */
union red_name {
	__u64 words[8]; /* 6 are kept */
	char text[64];
};

_Static_assert(WIRE_RED_NAME == 48, "six words");

hidden void red_christen(__u32 cell, __u32 slot, __u32 kind, const union red_name *name)
{
	struct wire_red_name *n = bpf_map_lookup_elem(&red_names, &cell);

	if (!n)
		return;
	__builtin_memcpy(n->name, name->text, WIRE_RED_NAME);
	n->kind = kind;
	n->slot = slot;
}

/* The cell of a name of a service; 0 when there is none left. Two names whose 47 bits are the same are one. */
__noinline __u32 red_cell(__u32 slot, __u32 kind, const union red_name *name)
{
	__u32 zero = 0, at;
	struct wire_red_index *x = bpf_map_lookup_elem(&red_index, &zero);
	__u64 key, word, mine;

	if (!x || !name)
		return 0;
	key = mix(slot + 1, kind);
	for (int i = 0; i < WIRE_RED_NAME / 8; i++)
		key = mix(key, name->words[i]);
	key = key >> 17 | 1;
	at = key * 0x9e3779b97f4a7c15ull >> 40;
	for (int i = 0; i < WIRE_HIST_PROBES; i++, at++) {
		barrier_var(at);
		word = x->words[at & (WIRE_RED_INDEX - 1)];
		if (word >> 16 == key)
			return word & 0xffff;
		if (word)
			continue;
		if (x->next >= WIRE_RED_NAMES - 1)
			break;
		mine = __sync_fetch_and_add(&x->next, 1) + 1;
		if (mine >= WIRE_RED_NAMES)
			break;
		word = __sync_val_compare_and_swap(&x->words[at & (WIRE_RED_INDEX - 1)], 0,
						   key << 16 | mine);
		if (!word) {
			red_christen(mine, slot, kind, name);
			return mine;
		}
		if (word >> 16 == key)
			return word & 0xffff;
	}
	hist_lose(LOSS_RED_NAMES);
	return 0;
}

hidden struct wire_red_operation *red_operation(__u32 cell)
{
	return bpf_map_lookup_elem(&red_operations, &cell);
}

hidden void red_count_error(const struct red_sock *s, const union red_name *name, __u64 times)
{
	struct wire_red_operation *o = red_operation(red_cell(s->slot, RED_ERROR, name));

	if (o)
		o->count += times;
	o = s->pending == 1 ? red_operation(s->cell) : 0;
	if (o)
		o->errors += times;
}

/* ---- services ---- */

hidden void red_own(struct wire_red_service *k, struct task_struct *t)
{
	k->tgid = or_outside(tgid_of(t));
	k->start = t->group_leader->start_boottime;
	__builtin_memcpy(k->comm, t->group_leader->comm, WIRE_COMM);
}

/* The slot of a service, which gets one if it has none; 0: there is none left. */
static __attribute__((noinline)) __u32 red_slot_of(const struct wire_red_key *key,
						   struct task_struct *t)
{
	struct wire_red_state *st = red_state();
	__u32 *have, slot;
	struct wire_red_service *k;

	if (!st || !key)
		return 0;
	have = bpf_map_lookup_elem(&red_slots, key);
	if (have)
		return *have;
	if (st->services + 1 >= config.red.services) {
		hist_lose(LOSS_RED_SERVICES);
		return 0;
	}
	slot = __sync_fetch_and_add(&st->services, 1) + 1;
	k = bpf_map_lookup_elem(&red_known, &slot);
	if (!k) {
		hist_lose(LOSS_RED_SERVICES);
		return 0;
	}
	__builtin_memcpy(&k->key, key, sizeof(*key));
	red_own(k, t);
	if (!bpf_map_update_elem(&red_slots, key, &slot, BPF_NOEXIST))
		return slot;
	/* another CPU was first: ours stays empty */
	k->key.role = RED_NOBODY;
	have = bpf_map_lookup_elem(&red_slots, key);
	return have ? *have : 0;
}

/* ---- connections ---- */

#define RED_TCP     6
#define RED_LISTENS 10
#define RED_CLOSED  7

hidden bool red_is_ours(__u32 slot, struct task_struct *t)
{
	struct wire_red_service *k;

	if (config.hist.group && !hist_in_group(t))
		return false;
	if (!config.red.pid)
		return true;
	k = bpf_map_lookup_elem(&red_known, &slot);
	return (k && k->tgid == config.red.pid) || tgid_of(t) == config.red.pid;
}

hidden void red_addresses(struct sock *sk, struct wire_red_key *key)
{
	key->family = sk->__sk_common.skc_family;
	if (key->family == 2)
		BPF_CORE_READ_INTO((__u32 *)key->addr, sk, __sk_common.skc_daddr);
	else
		BPF_CORE_READ_INTO((struct in6_addr *)key->addr, sk, __sk_common.skc_v6_daddr);
}

/* Both ends have the same address: loopback, or a service of the same host. */
hidden bool red_stays_here(struct sock *sk)
{
	struct in6_addr l, r;

	if (sk->__sk_common.skc_family == 2)
		return sk->__sk_common.skc_daddr == sk->__sk_common.skc_rcv_saddr ||
		       (sk->__sk_common.skc_daddr & 0xff) == 127;
	BPF_CORE_READ_INTO(&l, sk, __sk_common.skc_v6_rcv_saddr);
	BPF_CORE_READ_INTO(&r, sk, __sk_common.skc_v6_daddr);
	return ((__u64 *)&l)[0] == ((__u64 *)&r)[0] && ((__u64 *)&l)[1] == ((__u64 *)&r)[1];
}

/* What end of what a connection is. A client of a service of this host is not followed: the service is. */
hidden __u32 red_place(struct sock *sk, struct task_struct *t, __u8 *role)
{
	struct wire_red_key key = { .port = sk->__sk_common.skc_num, .role = RED_SERVER };
	__u32 *have, slot;

	key.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	have = bpf_map_lookup_elem(&red_slots, &key);
	if (have) {
		*role = RED_SERVER;
		return (!config.red.port || key.port == config.red.port) && red_is_ours(*have, t)
			       ? *have
			       : 0;
	}
	if (!config.red.clients || key.port < config.red.ephemeral)
		return 0;
	key.port = __builtin_bswap16(sk->__sk_common.skc_dport);
	if (!key.port || (config.red.port && key.port != config.red.port) ||
	    (red_stays_here(sk) && bpf_map_lookup_elem(&red_slots, &key)))
		return 0;
	key.role = *role = RED_CLIENT;
	key.tgid = or_outside(tgid_of(t));
	if ((config.red.pid && key.tgid != config.red.pid) ||
	    (config.hist.group && !hist_in_group(t)))
		return 0;
	red_addresses(sk, &key);
	slot = red_slot_of(&key, t);
	return slot;
}

hidden struct red_sock *red_sock_new(struct sock *sk, struct wire_red_state *st)
{
	struct red_sock *s = 0;

	if (st->sockets < config.red.sockets)
		s = bpf_sk_storage_get(&red_socks, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!s)
		hist_lose(LOSS_RED_SOCKETS);
	return s;
}

/* What is kept of a connection; NULL: there is no room, or nothing can be said yet. t: who reads or writes it. */
hidden struct red_sock *red_sock_of(struct sock *sk, struct task_struct *t)
{
	struct red_sock *s = bpf_sk_storage_get(&red_socks, sk, 0, 0);
	struct wire_red_state *st;
	__u8 role = RED_NOBODY;

	if (s && s->placed)
		return s;
	st = red_state();
	if (!st || !st->sweep)
		return 0;
	if (!s)
		s = red_sock_new(sk, st);
	if (!s)
		return 0;
	s->slot = red_place(sk, t, &role);
	s->role = role;
	s->placed = 1;
	if (s->slot)
		__sync_fetch_and_add(&st->sockets, 1);
	return s;
}

#endif
