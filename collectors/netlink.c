/* SPDX-License-Identifier: Apache-2.0 */
/* Netlink: asking, walking datagrams, walking attributes. See netlink.h. */
#include "collectors/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/mem.h"

#define DUMP_TRIES 3

int netlink_open(struct netlink *nl, int protocol, struct err *e)
{
	/* The kernel answers while we ask; a second of silence means that something is broken. */
	struct timeval patience = { .tv_sec = 1 };
	int size = 1 << 20;

	*nl = (struct netlink){ .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol),
				.protocol = protocol };
	if (nl->fd < 0)
		return err_errno(e, -errno, "cannot open a netlink socket (protocol %d)", protocol);
	setsockopt(nl->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	nl->buffer = mem_alloc(NETLINK_BUFFER);
	return 0;
}

void netlink_close(struct netlink *nl)
{
	if (nl->buffer)
		close(nl->fd);
	mem_free(nl->buffer);
	*nl = (struct netlink){ .fd = -1 };
}

/* ---- messages ---- */

static int error_of(const char *payload, size_t n)
{
	int32_t code;

	if (n < sizeof(code))
		return 0;
	memcpy(&code, payload, sizeof(code));
	return code < 0 ? code : 0;
}

int netlink_walk(const void *p, size_t n, uint32_t seq, bool *interrupted, netlink_message_fn *fn,
		 void *ctx)
{
	const char *at = p;

	while (n >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr h;
		size_t step;
		int rc;

		memcpy(&h, at, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > n)
			return -EBADMSG;
		if (h.nlmsg_seq == seq) {
			const char *payload = at + NLMSG_HDRLEN;
			size_t len = h.nlmsg_len - NLMSG_HDRLEN;

			if (h.nlmsg_flags & NLM_F_DUMP_INTR)
				*interrupted = true;
			if (h.nlmsg_type == NLMSG_ERROR || h.nlmsg_type == NLMSG_DONE)
				return error_of(payload, len);
			rc = h.nlmsg_type == NLMSG_NOOP ? 0 : fn(ctx, h.nlmsg_type, payload, len);
			if (rc)
				return rc;
			if (!(h.nlmsg_flags & NLM_F_MULTI))
				return 0; /* the one answer to a question that was no dump */
		}
		step = NLMSG_ALIGN(h.nlmsg_len);
		if (step >= n)
			break;
		at += step;
		n -= step;
	}
	return NETLINK_MORE;
}

/* Only the kernel (port 0) is believed. */
static ssize_t receive(struct netlink *nl)
{
	struct sockaddr_nl from = { 0 };
	struct iovec io = { .iov_base = nl->buffer, .iov_len = NETLINK_BUFFER };
	struct msghdr m = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &io, .msg_iovlen = 1
	};
	ssize_t n;

	do {
		n = recvmsg(nl->fd, &m, 0);
		if (n < 0 && errno != EINTR)
			return -errno;
	} while (n < 0 || from.nl_pid);
	return m.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
}

/* The rest of an answer that nobody wants would stand in the way of the next question. */
static int forget_rest(struct netlink *nl)
{
	int protocol = nl->protocol;

	netlink_close(nl);
	return netlink_open(nl, protocol, NULL);
}

int netlink_ask(struct netlink *nl, struct nlmsghdr *request, size_t n, netlink_message_fn *fn,
		void *ctx)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	bool interrupted = false;
	int rc = NETLINK_MORE;

	request->nlmsg_len = (uint32_t)n;
	request->nlmsg_flags |= NLM_F_REQUEST;
	request->nlmsg_seq = ++nl->seq;
	if (!nl->buffer)
		return -EBADF;
	if (sendto(nl->fd, request, n, 0, (struct sockaddr *)&kernel, sizeof(kernel)) != (ssize_t)n)
		return errno ? -errno : -EIO;
	while (rc == NETLINK_MORE) {
		ssize_t got = receive(nl);

		if (got < 0)
			return (int)got;
		rc = netlink_walk(nl->buffer, (size_t)got, nl->seq, &interrupted, fn, ctx);
	}
	if (rc > 0) {
		int err = forget_rest(nl);

		return err ? err : rc;
	}
	return !rc && interrupted ? -EAGAIN : rc;
}

int netlink_dump(struct netlink *nl, struct nlmsghdr *request, size_t n, netlink_message_fn *fn,
		 void *ctx)
{
	int rc = -EAGAIN;

	request->nlmsg_flags |= NLM_F_DUMP;
	for (int i = 0; i < DUMP_TRIES && rc == -EAGAIN; i++)
		rc = netlink_ask(nl, request, n, fn, ctx);
	return rc == -EAGAIN ? 0 : rc;
}

/* ---- attributes ---- */

bool attr_next(const char **p, const char *end, struct attr *out)
{
	struct nlattr a;
	size_t left = (size_t)(end - *p), step;

	if (left < sizeof(a))
		return false;
	memcpy(&a, *p, sizeof(a));
	if (a.nla_len < sizeof(a) || a.nla_len > left)
		return false;
	*out = (struct attr){ .type = a.nla_type & NLA_TYPE_MASK,
			      .p = *p + NLA_HDRLEN,
			      .n = a.nla_len - NLA_HDRLEN };
	step = NLA_ALIGN(a.nla_len);
	*p += step < left ? step : left;
	return true;
}

bool attr_find(const char *p, size_t n, uint16_t type, struct attr *out)
{
	const char *end = p + n;
	struct attr a;

	while (attr_next(&p, end, &a))
		if (a.type == type) {
			*out = a;
			return true;
		}
	return false;
}

bool attr_get(const struct attr *a, size_t offset, void *out, size_t n)
{
	if (offset > a->n || a->n - offset < n)
		return false;
	memcpy(out, a->p + offset, n);
	return true;
}

uint8_t attr_u8(const struct attr *a)
{
	uint8_t v = 0;

	attr_get(a, 0, &v, sizeof(v));
	return v;
}

uint32_t attr_u32(const struct attr *a)
{
	uint32_t v = 0;

	attr_get(a, 0, &v, sizeof(v));
	return v;
}

uint64_t attr_u64(const struct attr *a)
{
	uint64_t v = 0;

	attr_get(a, 0, &v, sizeof(v));
	return v;
}

char *attr_text(const struct attr *a, char *out, size_t size)
{
	size_t n = strnlen(a->p, a->n);

	if (n >= size)
		n = size - 1;
	memcpy(out, a->p, n);
	out[n] = '\0';
	return out;
}

bool attr_put(struct nlmsghdr *h, size_t size, uint16_t type, const void *p, size_t n)
{
	size_t at = NLMSG_ALIGN(h->nlmsg_len), len = NLA_HDRLEN + n;
	struct nlattr a = { .nla_type = type, .nla_len = (uint16_t)len };

	if (len > UINT16_MAX || at + NLA_ALIGN(len) > size)
		return false;
	memset((char *)h + at, 0, NLA_ALIGN(len));
	memcpy((char *)h + at, &a, sizeof(a));
	memcpy((char *)h + at + NLA_HDRLEN, p, n);
	h->nlmsg_len = (uint32_t)(at + NLA_ALIGN(len));
	return true;
}
