/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Requests of services: rate, errors, duration, from the two places that all bytes of a connection go through.
 *
 *   server      ·······▶ recv ──────────────▶ send              wait: until it was read, if red_ready looks;
 *                 wait        service                           total: both
 *   client      send ───────────────────────▶ recv
 *
 * 6e6eda44b939 (6.3) added the trace points. The end of a request is the first byte of its answer. */
#include "bpf/red_redis.bpf.h"

#define RED_PEEK 2 /* MSG_PEEK */

/* ---- a request ---- */

hidden void red_begin(struct red_sock *s, __u64 now)
{
	s->since = now;
	s->wait = 0;
	s->torn = 0;
	s->batch = 0;
	if (s->role != RED_SERVER || !s->arrived || s->arrived > now)
		return;
	s->wait = now - s->arrived + 1;
	s->since = s->arrived;
}

hidden void red_count(__u32 cell)
{
	struct wire_red_operation *o = red_operation(cell);

	if (o)
		o->count++;
}

__noinline int red_ask_redis(struct red_sock *s, const struct red_bytes *b, const union red_head *h,
			     __u32 bytes)
{
	struct red_walk *w;
	bool fresh;
	__u64 shape;

	if (!s || !b || !h)
		return 0;
	fresh = !s->pending && !s->ask.elements && !s->ask.skip;
	shape = mix(h->words[0], h->words[1]);
	s->length = 0;
	if (s->torn)
		return 0;
	if (fresh && h->text[0] != '*') { /* a command as people type it */
		s->pending = 1;
		s->cell = red_name_word(s->slot, RED_OPERATION, RED_OTHER);
		s->by_design = 0;
		red_count(s->cell);
		return 0;
	}
	if (s->ask.skip >= bytes) {
		s->ask.skip -= bytes;
		return 0;
	}
	w = red_walk_begin();
	if (!w)
		return 0;
	w->bytes = *b;
	w->at = s->ask.skip;
	w->slot = s->slot;
	w->rest.elements = s->ask.elements;
	w->torn = b->n < bytes;
	bpf_loop(RED_STEPS, red_ask_step, &w, 0);
	__builtin_memset(&w->head, 0, sizeof(w->head));
	if (w->at < w->bytes.n)
		w->torn = 1;
	s->ask = w->rest;
	if (w->cell) {
		s->cell = w->cell;
		s->by_design = w->by_design;
	}
	if (w->torn) {
		s->torn = 1;
		s->ask.elements = s->ask.skip = 0;
		if (!w->count && !s->pending)
			w->count = 1;
	}
	s->pending += w->count;
	if (fresh && w->count == 1 && !w->torn && !w->rest.elements && !w->rest.skip) {
		s->length = bytes;
		s->shape = shape;
	}
	s->batch = s->pending > 1;
	return 0;
}

/* False: this is no request that will be answered. */
hidden bool red_name(struct red_sock *s, const union red_head *h)
{
	__u64 shape = 0;

	switch (s->protocol) {
	case RED_HTTP:
		if (!red_is_method(h->halves[0]))
			return false; /* the rest of a body whose answer came early */
		for (int i = 0; i < 8; i++)
			shape = mix(shape, h->words[i]);
		if (shape != s->shape || !s->cell) {
			s->cell = red_name_route(s->slot, h);
			s->shape = shape;
		}
		break;
	case RED_POSTGRES:
		if (!red_pg_asks(h->text[0]) || !h->bytes[0])
			return false;
		s->cell = red_pg_name(s->slot, h);
		break;
	case RED_MYSQL:
		if (h->bytes[3] || !red_my_asks(h->bytes[4])) /* a number above 0: of the login */
			return false;
		s->cell = red_my_name(s->slot, h, 4);
		break;
	case RED_MEMCACHED:
		if (!red_is_memcached(h))
			return false;
		s->cell = red_name_word(s->slot, RED_OPERATION, red_verb(h, 0));
		break;
	default:
		s->cell = 0;
		return true;
	}
	red_count(s->cell);
	return true;
}

/* The head was read before: this is the rest of the packet. */
hidden int red_ask_headed(struct red_sock *s, const union red_head *h)
{
	bool login = s->headed == RED_OF_LOGIN;

	s->headed = 0;
	if (login ||
	    (s->protocol != RED_MYSQL && (h->bytes[0] != 3 || !red_is_sql(red_verb(h, 1)))))
		return 0;
	s->protocol = RED_MYSQL;
	s->pending = red_my_asks(h->bytes[0]);
	if (!s->pending)
		return 0;
	s->cell = red_my_name(s->slot, h, 0);
	red_count(s->cell);
	return 0;
}

/* The same request once more, as clients like to send it: sixteen bytes tell. */
hidden bool red_ask_again(struct red_sock *s, const struct red_bytes *b, __u32 bytes)
{
	__u64 words[2];

	if (s->protocol != RED_REDIS || s->length != bytes || s->pending || s->ask.elements ||
	    s->ask.skip || b->n < 16 || bpf_probe_read_user(words, sizeof(words), b->at) ||
	    mix(words[0], words[1]) != s->shape)
		return false;
	s->pending = 1;
	red_count(s->cell);
	return true;
}

__noinline int red_look_at_request(struct red_sock *s, struct wire_red *r, __u32 bytes)
{
	union red_head h;
	struct red_bytes b;

	if (!s || !r)
		return 0;
	red_find(bytes, &b);
	if (red_ask_again(s, &b, bytes))
		return 0;
	if (!red_read(&b, 0, &h)) {
		r->unread += config.red.content;
		if (s->protocol == RED_UNKNOWN)
			s->protocol = RED_PLAIN;
		s->cell = 0;
		s->ask.elements = s->ask.skip = s->length = 0;
		s->torn = 1;
		s->pending += !s->pending;
		return 0;
	}
	if (s->headed)
		return red_ask_headed(s, &h);
	if (s->protocol <= RED_PLAIN)
		s->protocol = red_recognise(&h, bytes);
	if (s->protocol == RED_REDIS)
		return red_ask_redis(s, &b, &h, bytes);
	if (bytes == 4 && red_my_length(&h) &&
	    (s->protocol == RED_MYSQL || (s->protocol == RED_PLAIN && !h.bytes[3]))) {
		s->headed = h.bytes[3] ? RED_OF_LOGIN : RED_OF_COMMAND;
		s->pending = s->protocol == RED_PLAIN;
		return 0;
	}
	s->pending = red_name(s, &h);
	return 0;
}

hidden void red_asked(struct red_sock *s, struct wire_red *r, __u32 bytes)
{
	if (!s->pending && !s->ask.elements && !s->ask.skip)
		red_begin(s, bpf_ktime_get_ns());
	s->arrived = 0;
	if (s->pending && s->protocol != RED_REDIS && !s->headed)
		return; /* more of the same request */
	red_look_at_request(s, r, bytes);
}

/* ---- its answer ---- */

hidden void red_end(struct red_sock *s, struct wire_red *r, __u32 n)
{
	__u64 now = bpf_ktime_get_ns(), ns = now - s->since;
	struct wire_red_operation *o;

	if (!n || n > s->pending)
		n = s->pending;
	r->requests += n;
	r->protocols[s->protocol & 15] += n;
	if (s->batch)
		r->batched += n;
	s->pending -= n;
	if (s->by_design && s->protocol == RED_REDIS) {
		r->waiting += n;
		return;
	}
	if ((__s64)ns < 0)
		ns = 0;
	red_put(&r->total, ns, n);
	if (s->wait)
		red_put(&r->wait, s->wait - 1, n);
	o = s->cell && !s->batch ? red_operation(s->cell) : 0;
	if (!o)
		return;
	o->timed++;
	o->ns += ns;
	if (ns > o->max)
		o->max = ns;
}

__noinline int red_fail(struct red_sock *s, struct wire_red *r, __u64 word, __u32 times)
{
	struct wire_red_operation *o;

	if (!s || !r)
		return 0;
	o = red_operation(red_name_word(s->slot, RED_ERROR,
					word ? word : RED_EIGHT('?', 0, 0, 0, 0, 0, 0, 0)));
	if (o)
		o->count += times;
	o = s->pending == 1 && s->cell ? red_operation(s->cell) : 0;
	if (o)
		o->errors += times;
	return 0;
}

/* Replies that are whole in what was sent; 0: all that are due. */
__noinline __u32 red_answer_redis(struct red_sock *s, struct wire_red *r, const struct red_bytes *b,
				  __u32 bytes)
{
	struct red_walk *w;

	if (!s || !r || !b)
		return 0;
	if (s->answer.skip != RED_LINE && s->answer.skip >= bytes) {
		s->answer.skip -= bytes;
		return 0xffffffff;
	}
	w = red_walk_begin();
	if (!w)
		return 0;
	w->bytes = *b;
	w->at = s->answer.skip == RED_LINE ? 0 : s->answer.skip;
	w->slot = s->slot;
	w->rest = s->answer;
	if (w->rest.skip != RED_LINE)
		w->rest.skip = 0;
	w->torn = b->n < bytes;
	bpf_loop(RED_STEPS, red_answer_step, &w, 0);
	__builtin_memset(&w->head, 0, sizeof(w->head));
	if (w->at < w->bytes.n)
		w->torn = 1;
	s->answer = w->rest;
	r->errors += w->errors;
	r->refusals += w->moved;
	if (w->errors)
		red_fail(s, r, w->error, w->errors);
	if (!w->torn)
		return w->count ? w->count : 0xffffffff;
	s->torn = 1;
	r->unparted++;
	return 0;
}

/* "HTTP/1.1 503": a number of three digits, or 0. */
hidden __u32 red_status(const union red_head *h)
{
	if (h->halves[0] != RED_FOUR('H', 'T', 'T', 'P') || (__u8)(h->text[9] - '0') > 9 ||
	    (__u8)(h->text[10] - '0') > 9 || (__u8)(h->text[11] - '0') > 9)
		return 0;
	return h->bytes[9] | (__u32)h->bytes[10] << 8 | (__u32)h->bytes[11] << 16;
}

/* False: more is to come before it is answered. */
hidden bool red_judge_http(struct red_sock *s, struct wire_red *r, const union red_head *h)
{
	__u32 status = red_status(h);
	char class = status & 0xff;

	if (class == '1')
		return (status >> 16 & 0xff) == '1'; /* 101: goes on as another protocol */
	if (class == '5')
		r->errors++;
	else if (class == '4')
		r->refusals++;
	else
		return true;
	red_fail(s, r, status, 1);
	return true;
}

hidden void red_judge(struct red_sock *s, struct wire_red *r, const union red_head *h,
		      const struct red_bytes *b)
{
	__u64 error = 0;

	if (s->protocol == RED_POSTGRES)
		error = red_pg_error(b);
	else if (s->protocol == RED_MYSQL)
		error = red_my_error(h);
	else if (s->protocol == RED_MEMCACHED)
		error = red_memcached_error(h);
	if (!error)
		return;
	r->errors++;
	red_fail(s, r, error, 1);
}

/* One command, and the beginning of its reply. */
hidden void red_judge_reply(struct red_sock *s, struct wire_red *r, const union red_head *h)
{
	__u64 word = red_verb(h, 1);

	s->answer.elements = s->answer.skip = 0;
	if (h->text[0] != '-')
		return;
	if (red_moved(word)) {
		r->refusals++;
		return;
	}
	r->errors++;
	red_fail(s, r, word, 1);
}

/* The reply to one command: a sign tells whether it is an error. */
hidden bool red_answer_once(struct red_sock *s, const struct red_bytes *b)
{
	char sign;

	if (s->protocol != RED_REDIS || s->pending != 1 || s->batch || s->answer.elements ||
	    s->answer.skip || !b->at || bpf_probe_read_user(&sign, sizeof(sign), b->at))
		return false;
	return sign != '-';
}

__noinline int red_look_at_answer(struct red_sock *s, struct wire_red *r, __u32 bytes)
{
	union red_head h;
	struct red_bytes b;
	__u32 n = 0;

	if (!s || !r)
		return 0;
	red_find(bytes, &b);
	if (red_answer_once(s, &b) || !red_read(&b, 0, &h)) {
		red_end(s, r, 0);
		return 0;
	}
	if (s->protocol == RED_HTTP) {
		if (!red_judge_http(s, r, &h))
			return 0;
	} else if (s->protocol != RED_REDIS) {
		red_judge(s, r, &h, &b);
	} else if (s->pending == 1 && !s->batch && !s->answer.elements && !s->answer.skip) {
		red_judge_reply(s, r, &h);
	} else if (!s->torn) {
		n = red_answer_redis(s, r, &b, bytes);
		if (n == 0xffffffff)
			return 0;
	}
	red_end(s, r, n);
	return 0;
}

/* Nothing was asked, as far as is known: a server that greets, or the answer to a request that came behind another. */
__noinline int red_look_at_unasked(struct red_sock *s, struct wire_red *r, __u32 bytes)
{
	union red_head h;
	struct red_bytes b;

	if (!s || !r)
		return 0;
	red_find(bytes, &b);
	if (!red_read(&b, 0, &h))
		return 0;
	if (s->protocol == RED_UNKNOWN && red_greets(&h, bytes))
		s->protocol = RED_MYSQL;
	if (s->protocol != RED_HTTP || !red_status(&h) || !s->cell)
		return 0;
	if (!red_judge_http(s, r, &h))
		return 0;
	r->requests++;
	r->protocols[RED_HTTP]++;
	r->batched++;
	return 0;
}

hidden void red_answered(struct red_sock *s, struct wire_red *r, __u32 bytes)
{
	if (s->pending && s->protocol > RED_PLAIN && s->protocol != RED_TLS &&
	    s->protocol != RED_HTTP2)
		red_look_at_answer(s, r, bytes);
	else if (s->pending)
		red_end(s, r, 0);
	else if (s->protocol == RED_HTTP || s->protocol == RED_UNKNOWN)
		red_look_at_unasked(s, r, bytes);
}

/* ---- where the bytes go ---- */

/* The service of a connection whose bytes are followed, and its state in *s; NULL: they are not. */
hidden struct wire_red *red_service_of(struct sock *sk, int bytes, struct red_sock **s)
{
	__u32 slot;

	if (bytes <= 0 || sk->sk_protocol != RED_TCP)
		return 0;
	*s = red_sock_of(sk, bpf_get_current_task_btf());
	if (!*s || !(*s)->slot)
		return 0;
	slot = (*s)->slot;
	return bpf_map_lookup_elem(&red_services, &slot);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(red_received, struct sock *sk, int bytes, int flags)
{
	struct wire_red *r;
	struct red_sock *s;

	count_event(PROG_RED_RECEIVED);
	if (flags & RED_PEEK)
		return 0;
	r = red_service_of(sk, bytes, &s);
	if (!r)
		return 0;
	r->bytes_in += bytes;
	if (s->role == RED_SERVER)
		red_asked(s, r, bytes);
	else
		red_answered(s, r, bytes);
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(red_sent, struct sock *sk, int bytes)
{
	struct wire_red *r;
	struct red_sock *s;

	count_event(PROG_RED_SENT);
	r = red_service_of(sk, bytes, &s);
	if (!r)
		return 0;
	r->bytes_out += bytes;
	if (s->role == RED_SERVER)
		red_answered(s, r, bytes);
	else
		red_asked(s, r, bytes);
	return 0;
}

/* Data has come. Of a connection that nobody has accepted yet as well. */
SEC("tp_btf/sk_data_ready")
int BPF_PROG(red_ready, struct sock *sk)
{
	struct wire_red_key key = { .role = RED_SERVER };
	struct wire_red_state *st;
	struct red_sock *s;

	count_event(PROG_RED_READY);
	if (sk->sk_protocol != RED_TCP || sk->__sk_common.skc_state == RED_LISTENS)
		return 0;
	s = bpf_sk_storage_get(&red_socks, sk, 0, 0);
	if (!s) {
		st = red_state();
		key.port = sk->__sk_common.skc_num;
		key.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
		if (!st || !st->sweep || (config.red.port && key.port != config.red.port) ||
		    !bpf_map_lookup_elem(&red_slots, &key))
			return 0;
		s = red_sock_new(sk, st);
	}
	if (s && s->role != RED_CLIENT && !s->arrived)
		s->arrived = bpf_ktime_get_ns();
	return 0;
}

/* ---- services and connections that come and go ---- */

hidden void red_listens(struct sock *sk, struct task_struct *t, bool new)
{
	struct wire_red_key key = { .port = sk->__sk_common.skc_num, .role = RED_SERVER };
	struct wire_red_state *st = red_state();
	struct wire_red_service *k;
	__u32 slot;

	key.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	if (!key.port || !st)
		return;
	slot = red_slot_of(&key, t);
	k = slot ? bpf_map_lookup_elem(&red_known, &slot) : 0;
	if (!k)
		return;
	if (new ||
	    k->sweep != st->sweep) { /* of those that forked, the first that is met: the oldest */
		red_own(k, t);
		k->sweep = st->sweep;
		k->open = k->inflight = k->backlog = k->backlog_most = 0;
		k->oldest = 0;
	}
	if (sk->sk_ack_backlog >= k->backlog) {
		k->backlog = sk->sk_ack_backlog;
		k->backlog_most = sk->sk_max_ack_backlog;
	}
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(red_state_changes, struct sock *sk, int old, int new)
{
	struct wire_red_state *st = red_state();
	struct wire_red *r;
	struct red_sock *s;
	__u32 slot;

	count_event(PROG_RED_STATE);
	if (!st || sk->sk_protocol != RED_TCP)
		return 0;
	if (new == RED_LISTENS) {
		red_listens(sk, bpf_get_current_task_btf(), true);
		return 0;
	}
	if (new != RED_CLOSED || old == RED_LISTENS)
		return 0;
	s = bpf_sk_storage_get(&red_socks, sk, 0, 0);
	if (!s || !s->slot)
		return 0;
	slot = s->slot;
	r = bpf_map_lookup_elem(&red_services, &slot);
	if (r && s->pending && s->protocol > RED_PLAIN)
		r->silent += s->pending;
	s->slot = 0; /* placed, and not followed any more */
	__sync_fetch_and_add(&st->sockets, -1);
	return 0;
}

/* Over all open files. The first time for services only: a connection is placed by the service that it belongs to. */
SEC("iter/task_file")
int red_sweep(struct bpf_iter__task_file *ctx)
{
	struct wire_red_state *st = red_state();
	struct task_struct *t = ctx->task;
	struct file *file = ctx->file;
	struct wire_red_service *k;
	struct red_sock *s;
	struct socket *sock;
	struct sock *sk;
	__u32 slot;

	if (!st)
		return 0;
	if (!ctx->meta->seq_num)
		st->sweep++;
	if (!t || !file)
		return 0;
	sock = bpf_sock_from_file(file);
	if (!sock)
		return 0;
	sk = sock->sk;
	if (!sk || sk->sk_protocol != RED_TCP)
		return 0;
	if (sk->__sk_common.skc_state == RED_LISTENS) {
		red_listens(sk, t, false);
		return 0;
	}
	if (st->sweep < 2)
		return 0;
	s = red_sock_of(sk, t);
	if (!s || !s->slot || s->sweep == st->sweep)
		return 0;
	s->sweep = st->sweep;
	slot = s->slot;
	k = bpf_map_lookup_elem(&red_known, &slot);
	if (!k)
		return 0;
	if (k->sweep != st->sweep) {
		k->sweep = st->sweep;
		k->open = k->inflight = k->backlog = k->backlog_most = 0;
		k->oldest = 0;
	}
	k->open++;
	k->inflight += s->pending;
	if (s->pending && (!k->oldest || s->since < k->oldest))
		k->oldest = s->since;
	return 0;
}
