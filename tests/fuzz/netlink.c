/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz answers over netlink, and what a helper process sends: lengths inside messages may say anything. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include "base/buf.h"
#include "collectors/pack.h"
#include "collectors/rtnl.h"
#include "collectors/sockdiag.h"

struct seen {
	struct links links;
	struct snapshot s;
	const char *begin, *end;
};

static int message(void *ctx, uint16_t type, const void *payload, size_t n)
{
	struct seen *seen = ctx;
	const char *p = payload;
	struct sock sock;

	require(n == 0 || (p >= seen->begin && p + n <= seen->end));
	rtnl_link_message(&seen->links, &seen->s, "netns:1/", "netns:1", payload, n);
	rtnl_tc_message(&seen->links, &seen->s, "netns:1/", type & 1, payload, n);
	if (sock_of_inet(&sock, type & 3, payload, n)) {
		char text[128];

		sock_addr_text(&sock.local, text, sizeof(text));
		sock_addr_text(&sock.remote, text, sizeof(text));
	}
	sock_of_unix(&sock, payload, n);
	return 0;
}

static void attributes(struct text in)
{
	const char *p = in.p;
	struct attr a;
	char text[16];

	while (attr_next(&p, in.end, &a)) {
		require(a.n == 0 || (a.p >= in.p && a.p + a.n <= in.end));
		require(p > in.p && p <= in.end + 3);
		attr_u8(&a);
		attr_u32(&a);
		attr_u64(&a);
		require(strlen(attr_text(&a, text, sizeof(text))) < sizeof(text));
	}
}

static void packed(struct text in)
{
	struct snapshot a, b;
	struct buf once = { 0 };

	snapshot_init(&a, &fuzz_host);
	snapshot_init(&b, &fuzz_host);
	if (unpack_snapshot(&a, in.p, text_len(in))) {
		pack_snapshot(&once, &a);
		require(unpack_snapshot(&b, once.data, once.len));
	}
	buf_done(&once);
	snapshot_done(&a);
	snapshot_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned choice = fuzz_choice(&data, &size) % 3;
	struct text in = fuzz_copy(data, size);
	struct seen seen = { .begin = in.p, .end = in.end };
	bool interrupted = false;

	metrics_init();
	if (choice == 0) {
		snapshot_init(&seen.s, &fuzz_host);
		netlink_walk(in.p, size, 0, &interrupted, message, &seen);
		message(&seen, (uint16_t)size, in.p, size);
		links_done(&seen.links);
		snapshot_done(&seen.s);
	} else if (choice == 1) {
		attributes(in);
	} else {
		packed(in);
	}
	free((char *)in.p);
	return 0;
}
