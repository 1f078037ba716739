/* SPDX-License-Identifier: Apache-2.0 */
/* Netlink probes: ask the smallest question and see whether the kernel answers. */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/taskstats.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "cmd/doctor.h"

#define ANSWER_MAX 16384

/* Send one request and look at the first answer. 0 or -errno; the answer's type is not ours to judge. */
static int ask(int protocol, const void *request, size_t size)
{
	struct timeval patience = { .tv_usec = 200000 };
	union {
		char bytes[ANSWER_MAX];
		struct nlmsghdr head;
	} answer;
	const struct nlmsghdr *h = &answer.head;
	const struct nlmsgerr *e;
	ssize_t n;
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, protocol), err = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send(fd, request, size, 0) < 0)
		err = -errno;
	n = err ? 0 : recv(fd, &answer, sizeof(answer), 0);
	if (!err && n < (ssize_t)sizeof(*h))
		err = n < 0 ? -errno : -EPROTO;
	if (!err && h->nlmsg_type == NLMSG_ERROR && n >= (ssize_t)NLMSG_LENGTH(sizeof(*e))) {
		e = NLMSG_DATA(h);
		err = e->error;
	}
	close(fd);
	return err;
}

void probe_sock_diag(const struct root *root, struct diagnosis *d)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} request = {
		.head = { .nlmsg_len = sizeof(request),
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = AF_INET,
			  .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = 1u << 10 }, /* TCP_LISTEN */
	};
	int err = ask(NETLINK_SOCK_DIAG, &request, sizeof(request));

	(void)root;
	if (!err) {
		diagnosis_set(d, HEALTH_OK, "netlink tells TCP sockets with their queues");
		return;
	}
	diagnosis_set(d, HEALTH_MISSING, "NETLINK_SOCK_DIAG: %s", strerror(-err));
	snprintf(d->lost, sizeof(d->lost), "which socket drops, retransmits or has a full queue");
	snprintf(d->remedy, sizeof(d->remedy), "modprobe tcp_diag");
}

void probe_taskstats(const struct root *root, struct diagnosis *d)
{
	struct {
		struct nlmsghdr head;
		struct genlmsghdr generic;
		struct nlattr attr;
		char name[sizeof(TASKSTATS_GENL_NAME) + NLA_ALIGNTO];
	} request = {
		.head = { .nlmsg_type = GENL_ID_CTRL, .nlmsg_flags = NLM_F_REQUEST },
		.generic = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
		.attr = { .nla_len = NLA_HDRLEN + sizeof(TASKSTATS_GENL_NAME),
			  .nla_type = CTRL_ATTR_FAMILY_NAME },
		.name = TASKSTATS_GENL_NAME,
	};
	int err;

	(void)root;
	request.head.nlmsg_len =
		(uint32_t)(NLMSG_HDRLEN + GENL_HDRLEN + NLA_ALIGN(request.attr.nla_len));
	err = ask(NETLINK_GENERIC, &request, request.head.nlmsg_len);
	if (!err) {
		diagnosis_set(d, HEALTH_OK, "the kernel reports tasks that exit");
		return;
	}
	diagnosis_set(d, HEALTH_MISSING,
		      err == -ENOENT ? "this kernel was built without it (CONFIG_TASKSTATS)"
				     : "netlink: %s",
		      strerror(-err));
	snprintf(d->lost, sizeof(d->lost), "what short-lived processes used");
}
