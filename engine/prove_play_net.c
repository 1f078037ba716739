/* SPDX-License-Identifier: Apache-2.0 */
/* Connections, packets and what becomes of them, on the loopback of a network namespace that nobody else is in: its
 * counters (/proc/net/snmp) are about us alone.
 *
 * What gets lost is lost on purpose: a socket with a filter that lets nothing pass (SO_ATTACH_FILTER) never hears of what
 * is sent to it, so that the other end sends it again. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/root.h"
#include "base/text.h"
#include "engine/prove_stage.h"

#define RESEND_NS 1250000000u /* a SYN is sent again after a second */

static uint32_t own_address;

static struct sockaddr_in address(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = port };

	a.sin_addr.s_addr = htonl(own_address);
	return a;
}

static int make_socket(int type)
{
	return socket(AF_INET, type | SOCK_CLOEXEC, 0);
}

/* Bound to a free port, which is left in *port (network order). fd or -1. */
static int bound(int type, uint16_t *port)
{
	struct sockaddr_in a = address(0);
	socklen_t n = sizeof(a);
	int fd = make_socket(type);

	if (fd >= 0 && (bind(fd, (void *)&a, sizeof(a)) || getsockname(fd, (void *)&a, &n))) {
		close(fd);
		fd = -1;
	}
	*port = a.sin_port;
	return fd;
}

static int connected(uint16_t port)
{
	struct sockaddr_in a = address(port);
	int fd = make_socket(SOCK_STREAM);

	if (fd >= 0 && connect(fd, (void *)&a, sizeof(a))) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool deafen(int fd)
{
	struct sock_filter nothing = { .code = BPF_RET | BPF_K, .k = 0 };
	struct sock_fprog p = { .len = 1, .filter = &nothing };

	return !setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p));
}

/* When it is closed, also by our being killed, there is a reset and nothing is sent again: a socket that had to be heard
 * would keep its network namespace for minutes. */
static void make_volatile(int fd)
{
	struct linger l = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

static void shut(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* Connections that carry a byte, and are closed by who made them. */
static void connect_often(struct prove_facts *f, int listener, uint16_t port)
{
	for (int i = 0; i < PROVE_CONNECTS; i++) {
		int fd = connected(port),
		    other = fd >= 0 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
		char byte = 0;

		if (other >= 0 && write(fd, &byte, 1) == 1 && read(other, &byte, 1) == 1)
			f->connects++;
		if (fd >= 0)
			close(fd);
		if (other >= 0) {
			(void)!read(other, &byte, 1); /* the end */
			close(other);
		}
	}
}

static void be_refused(struct prove_facts *f)
{
	uint16_t port;
	int fd = bound(SOCK_STREAM, &port);

	if (fd >= 0)
		close(fd); /* nobody listens there */
	for (int i = 0; i < PROVE_REFUSED && fd >= 0; i++)
		f->refused += connected(port) < 0 && errno == ECONNREFUSED;
}

static void send_to(int fd, uint16_t port, unsigned times, uint32_t *sent)
{
	struct sockaddr_in a = address(port);

	for (unsigned i = 0; i < times; i++)
		*sent += sendto(fd, "sixty", 5, MSG_DONTWAIT, (void *)&a, sizeof(a)) == 5;
}

static void send_datagrams(struct prove_facts *f)
{
	uint16_t nobody, port;
	int gone = bound(SOCK_DGRAM, &nobody), reader = bound(SOCK_DGRAM, &port);
	int fd = make_socket(SOCK_DGRAM);
	char bytes[16];

	if (gone >= 0)
		close(gone);
	send_to(fd, nobody, PROVE_DATAGRAMS, &f->datagrams);
	for (int i = 0; i < PROVE_PACKETS && reader >= 0; i++) {
		uint32_t before = f->packets;

		send_to(fd, port, 1, &f->packets);
		if (f->packets > before)
			(void)!recv(reader, bytes, sizeof(bytes), 0);
	}
	if (reader >= 0)
		close(reader);
	if (fd >= 0)
		close(fd);
}

/* Numbers of the namespace: the lines of /proc/net/snmp come in pairs, of names and of values. */
static uint64_t snmp(const struct buf *b, const char *protocol, const char *name)
{
	struct text all = text_n(b->data ? b->data : "", b->len), names, values, n, v;
	uint64_t number = 0;

	while (text_line(&all, &names) && text_line(&all, &values)) {
		if (!text_word(&names, &n) || !text_word(&values, &v) || !text_eq(n, protocol))
			continue;
		while (text_word(&names, &n) && text_word(&values, &v))
			if (text_eq(n, name))
				text_is_u64(v, &number);
	}
	return number;
}

static void read_counters(struct prove_facts *f)
{
	struct buf b = { 0 };
	struct root root;

	if (root_open(&root, "/", NULL))
		return;
	if (!root_read(&root, "proc/thread-self/net/snmp", &b, 65536)) {
		f->retransmits = snmp(&b, "Tcp:", "RetransSegs");
		f->resets = snmp(&b, "Tcp:", "OutRsts");
		f->no_ports = snmp(&b, "Udp:", "NoPorts");
	} else {
		snprintf(f->why_net, sizeof(f->why_net), "/proc/net/snmp cannot be read");
	}
	buf_done(&b);
	root_close(&root);
}

void prove_play_net(struct prove_facts *f)
{
	struct timespec pause = { .tv_sec = RESEND_NS / 1000000000u,
				  .tv_nsec = RESEND_NS % 1000000000u };
	uint16_t port;
	int listener, lost, deaf, asking;
	struct sockaddr_in a;

	own_address = f->address;
	listener = bound(SOCK_STREAM, &port);
	if (listener < 0 || listen(listener, 16)) {
		snprintf(f->why_net, sizeof(f->why_net),
			 "cannot listen on the loopback of our own network namespace: %s",
			 strerror(errno));
		goto out;
	}
	/* one whose SYN is answered, but who does not hear it: both ends send again */
	a = address(port);
	asking = make_socket(SOCK_STREAM | SOCK_NONBLOCK);
	make_volatile(asking);
	if (asking >= 0 && deafen(asking))
		(void)!connect(asking, (void *)&a, sizeof(a));
	/* one whose byte is not heard */
	lost = connected(port);
	make_volatile(lost);
	deaf = lost >= 0 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
	make_volatile(deaf);
	if (deaf >= 0 && deafen(deaf))
		(void)!write(lost, "", 1);
	connect_often(f, listener, port);
	be_refused(f);
	send_datagrams(f);
	nanosleep(&pause, NULL);
	shut(deaf);
	shut(lost);
	shut(asking);
out:
	if (listener >= 0)
		close(listener);
	read_counters(f);
}
