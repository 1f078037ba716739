/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of what happens in the network. */
#include "model/trace_value.h"

#include <stdio.h>
#include <string.h>

/* ---- network ---- */

static void set_address(struct trace_value *v, const struct wire_flow *f, const uint8_t *address,
			unsigned port)
{
	trace_address(v->scratch, sizeof(v->scratch), f->family, address, port);
	if (v->scratch[0])
		value_string(v, v->scratch);
}

GETTER(tcp_what, wire_tcp)
{
	static const char *const names[] = { "connect", "accept", "close", "failed" };

	if (r->what < sizeof(names) / sizeof(*names))
		value_string(v, names[r->what]);
}

GETTER(tcp_local, wire_tcp)
{
	set_address(v, &r->flow, r->flow.laddr, r->flow.lport);
}

GETTER(tcp_remote, wire_tcp)
{
	set_address(v, &r->flow, r->flow.raddr, r->flow.rport);
}

GETTER(tcp_ns, wire_tcp)
{
	if (r->ns)
		value_ns(v, r->ns);
}

GETTER(tcp_sent, wire_tcp)
{
	if (r->what == TCP_CLOSE)
		value_number(v, VALUE_BYTES, (double)r->sent);
}

GETTER(tcp_received, wire_tcp)
{
	if (r->what == TCP_CLOSE)
		value_number(v, VALUE_BYTES, (double)r->received);
}

GETTER(tcp_retransmits, wire_tcp)
{
	if (r->what != TCP_ACCEPT)
		value_number(v, VALUE_NUMBER, r->retransmits);
}

GETTER(tcp_rtt, wire_tcp)
{
	if (r->rtt_us)
		value_ns(v, r->rtt_us * 1000ull);
}

GETTER(tcp_error, wire_tcp)
{
	if (r->error)
		value_errno(v, r->error);
}

static void set_state(struct trace_value *v, unsigned state)
{
	static const char *const names[] = { NULL,           "ESTABLISHED",   "SYN_SENT",
					     "SYN_RECV",     "FIN_WAIT1",     "FIN_WAIT2",
					     "TIME_WAIT",    "CLOSE",         "CLOSE_WAIT",
					     "LAST_ACK",     "LISTEN",        "CLOSING",
					     "NEW_SYN_RECV", "BOUND_INACTIVE" };

	if (state < sizeof(names) / sizeof(*names))
		value_string(v, names[state]);
}

GETTER(retransmit_local, wire_retransmit)
{
	set_address(v, &r->flow, r->flow.laddr, r->flow.lport);
}

GETTER(retransmit_remote, wire_retransmit)
{
	set_address(v, &r->flow, r->flow.raddr, r->flow.rport);
}

GETTER(retransmit_state, wire_retransmit)
{
	set_state(v, r->state);
}

GETTER(retransmit_total, wire_retransmit)
{
	if (!r->synack)
		value_number(v, VALUE_NUMBER, r->total);
}

GETTER(retransmit_rtt, wire_retransmit)
{
	if (r->rtt_us)
		value_ns(v, r->rtt_us * 1000ull);
}

GETTER(reset_direction, wire_reset)
{
	value_string(v, r->sent ? "sent" : "received");
}

GETTER(reset_local, wire_reset)
{
	set_address(v, &r->flow, r->flow.laddr, r->flow.lport);
}

GETTER(reset_remote, wire_reset)
{
	set_address(v, &r->flow, r->flow.raddr, r->flow.rport);
}

GETTER(reset_state, wire_reset)
{
	set_state(v, r->state);
}

GETTER(reset_reason, wire_reset)
{
	if (r->sent && r->reason)
		value_reason(v, n->reset_reason ? n->reset_reason(n->ctx, r->reason) : NULL,
			     r->reason);
}

GETTER(drop_reason, wire_drop)
{
	value_reason(v, n->drop_reason ? n->drop_reason(n->ctx, r->reason) : NULL, r->reason);
}

GETTER(drop_protocol, wire_drop)
{
	if (!r->flow.family)
		snprintf(v->scratch, sizeof(v->scratch), "ethertype 0x%04x", r->ethertype);
	else if (r->flow.protocol == 6 || r->flow.protocol == 17)
		snprintf(v->scratch, sizeof(v->scratch), "%s",
			 r->flow.protocol == 6 ? "tcp" : "udp");
	else
		snprintf(v->scratch, sizeof(v->scratch), "protocol %u", r->flow.protocol);
	value_string(v, v->scratch);
}

GETTER(drop_from, wire_drop)
{
	set_address(v, &r->flow, r->flow.laddr, r->flow.lport);
}

GETTER(drop_to, wire_drop)
{
	set_address(v, &r->flow, r->flow.raddr, r->flow.rport);
}

GETTER(drop_bytes, wire_drop)
{
	value_number(v, VALUE_BYTES, r->bytes);
}

GETTER(drop_device, wire_drop)
{
	value_field(v, r->device, sizeof(r->device));
}

GETTER(drop_where, wire_drop)
{
	if (n->function)
		value_string(v, n->function(n->ctx, r->where));
}

/* ---- columns ---- */

/* clang-format off */
const struct trace_column trace_tcp_columns[] = {
	{ "action",         "",           tcp_what,        "connect, accept, close, failed" },
	{ "local",          "",           tcp_local,       "this end" },
	{ "remote",         " to",         tcp_remote,      "the other end" },
	{ "error",          "error",      tcp_error,       "of the socket" },
	{ "seconds",        "took",       tcp_ns,          "connect, failed: until then; close: since its beginning, when that was seen" },
	{ "sent_bytes",     "sent",       tcp_sent,        "close: payload, what was sent again not counted twice" },
	{ "received_bytes", "received",   tcp_received,    "close: payload" },
	{ "retransmits",    "retransmits", tcp_retransmits, "segments that were sent again" },
	{ "rtt_seconds",    "RTT",        tcp_rtt,         "smoothed" },
	{ 0 }
};
const struct trace_column trace_retransmit_columns[] = {
	{ "state",          "",           retransmit_state, "of the connection" },
	{ "local",          "",           retransmit_local, "this end" },
	{ "remote",         " to",         retransmit_remote, "the other end" },
	{ "retransmits",    "total",      retransmit_total, "of this connection so far" },
	{ "rtt_seconds",    "RTT",        retransmit_rtt,  "smoothed" },
	{ 0 }
};
const struct trace_column trace_reset_columns[] = {
	{ "direction",      "",           reset_direction, "sent or received" },
	{ "state",          "",           reset_state,     "of the socket; absent when there is none" },
	{ "local",          "",           reset_local,     "this end" },
	{ "remote",         " to",         reset_remote,    "the other end" },
	{ "reason",         "reason",     reset_reason,    "the kernel's, from 6.10 on" },
	{ 0 }
};
const struct trace_column trace_drop_columns[] = {
	{ "reason",         "",           drop_reason,     "the kernel's" },
	{ "protocol",       "",           drop_protocol,   "of the packet" },
	{ "from",           "",           drop_from,       "its source" },
	{ "to",             " to",         drop_to,         "its destination" },
	{ "bytes",          "",           drop_bytes,      "its length at that point" },
	{ "device",         "dev",        drop_device,     "interface" },
	{ "where",          "in",         drop_where,      "function of the kernel" },
	{ 0 }
};
/* clang-format on */
