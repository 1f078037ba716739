/* SPDX-License-Identifier: Apache-2.0 */
/* What lines of the kernel log say, by a table of patterns.
 *
 * A pattern is one or two pieces of text that must both be there ('^' anchors the first at the start of the line), then
 * where the device stands: behind a piece of text and up to one of the end characters; "^" is the start of the line,
 * "<" the word before the first piece. The first row that matches wins, so the particular stand before the general. */
#include "collectors/logline.h"

#include <string.h>

enum who {
	WHO_NOBODY,
	WHO_KILLED, /* "process 1234 (comm)" */
	WHO_TASK,   /* "task comm:1234 blocked" */
	WHO_STUCK,  /* "[comm:1234]" */
	WHO_FAULT,  /* "comm[1234]: segfault", "traps: comm[1234] trap" */
	WHO_COMM,   /* "comm xyz:" */
	WHO_PID,    /* "PID: 1234" */
	WHO_JOURNAL /* nobody, but the device carries the journal's inode: "dm-1-8" */
};

struct pattern {
	const char *a, *b;
	enum event_kind kind;
	const char *device, *ends;
	enum who who;
};

/* clang-format off */
static const struct pattern patterns[] = {
	/* lines that look bad and are not */
	{ "operation not supported error, dev", NULL, EVENT_NONE, NULL, NULL, 0 },
	{ "temperature/speed normal",  NULL,         EVENT_NONE, NULL, NULL, 0 },
	{ "callbacks suppressed",      NULL,         EVENT_SUPPRESSED, NULL, NULL, 0 },
	{ "messages suppressed",       NULL,         EVENT_SUPPRESSED, NULL, NULL, 0 },
	{ "printk messages dropped",   NULL,         EVENT_SUPPRESSED, NULL, NULL, 0 },

	/* memory */
	{ "illed process ",            "total-vm",   EVENT_OOM_KILL, NULL, NULL, WHO_KILLED },
	{ "ut of memory: Kill",        NULL,         EVENT_OOM_KILL, NULL, NULL, WHO_KILLED },
	{ "page allocation failure",   NULL,         EVENT_ALLOC_FAILURE, NULL, NULL, 0 },
	{ "fork rejected by pids",     NULL,         EVENT_FORK_REJECTED, NULL, NULL, 0 },

	/* the scheduler and the kernel itself */
	{ "BUG: soft lockup",          NULL,         EVENT_SOFT_LOCKUP, "CPU#", " ", WHO_STUCK },
	{ "hard LOCKUP",               NULL,         EVENT_HARD_LOCKUP, "on cpu ", " ", 0 },
	{ "BUG: workqueue lockup",     NULL,         EVENT_LOCKUP_WORKQUEUE, NULL, NULL, 0 },
	{ "blocked for more than",     "task ",      EVENT_HUNG_TASK, NULL, NULL, WHO_TASK },
	{ "blocked on a",              "for more than", EVENT_HUNG_TASK, NULL, NULL, WHO_TASK },
	{ "self-detected stall",       NULL,         EVENT_RCU_STALL, NULL, NULL, 0 },
	{ "detected stalls on CPUs",   NULL,         EVENT_RCU_STALL, NULL, NULL, 0 },
	{ "detected expedited stalls", NULL,         EVENT_RCU_STALL, NULL, NULL, 0 },
	{ "kthread starved for",       "rcu",        EVENT_RCU_STALL, NULL, NULL, 0 },
	{ "BUG: ",                     NULL,         EVENT_OOPS, NULL, NULL, 0 },
	{ "kernel BUG at",             NULL,         EVENT_OOPS, NULL, NULL, 0 },
	{ "Oops: ",                    NULL,         EVENT_OOPS, NULL, NULL, 0 },
	{ "Unable to handle kernel",   NULL,         EVENT_OOPS, NULL, NULL, 0 },
	{ "Kernel panic",              NULL,         EVENT_OOPS, NULL, NULL, 0 },
	{ "^general protection fault", NULL,         EVENT_OOPS, NULL, NULL, 0 },
	{ "^WARNING: ",                " at ",       EVENT_WARNING, NULL, NULL, WHO_PID },
	{ "audit: backlog limit exceeded", NULL,     EVENT_AUDIT_BACKLOG, NULL, NULL, 0 },

	/* hardware */
	{ "EDAC ",                     " CE ",       EVENT_EDAC, "EDAC ", ": ", 0 },
	{ "EDAC ",                     " UE ",       EVENT_EDAC, "EDAC ", ": ", 0 },
	{ "EDAC ",                     "error",      EVENT_EDAC, "EDAC ", ": ", 0 },
	{ "[Hardware Error]",          NULL,         EVENT_MCE, NULL, NULL, 0 },
	{ "Machine check",             NULL,         EVENT_MCE, NULL, NULL, 0 },
	{ "temperature above threshold", NULL,       EVENT_THERMAL, "^", ": ", 0 },
	{ "critical temperature reached", NULL,      EVENT_THERMAL, NULL, NULL, 0 },
	{ "AER: ",                     "error",      EVENT_PCIE_ERROR, "pcieport ", ": ", 0 },
	{ "PCIe Bus Error",            NULL,         EVENT_PCIE_ERROR, "^", " ", 0 },

	/* file systems made read-only */
	{ "Remounting filesystem read-only", NULL,   EVENT_FS_READONLY, "(", ")", 0 },
	{ "Filesystem has been set read-only", NULL, EVENT_FS_READONLY, "(", ")", 0 },
	{ "forced readonly",           NULL,         EVENT_FS_READONLY, "(device ", ")", 0 },
	{ "ilesystem has been shut down", NULL,      EVENT_FS_READONLY, "(", ")", 0 },
	{ "Shutting down filesystem",  NULL,         EVENT_FS_READONLY, "(", ")", 0 },
	{ "Aborting journal on device", NULL,        EVENT_FS_READONLY, "device ", " ", WHO_JOURNAL },

	/* disks that lack space, paths, members */
	{ "critical space allocation error, dev", NULL, EVENT_THIN_FULL, "dev ", ", ", 0 },
	{ "device-mapper: thin: ",     "space",      EVENT_THIN_FULL, "thin: ", " ", 0 },
	{ "device-mapper: thin: ",     "low water mark", EVENT_THIN_FULL, "thin: ", " ", 0 },
	{ "device-mapper: thin: ",     "read-only mode", EVENT_THIN_FULL, "thin: ", " ", 0 },
	{ "Invalidating snapshot",     "allocate exception", EVENT_THIN_FULL, NULL, NULL, 0 },
	{ "device-mapper: multipath: ", "Failing path", EVENT_PATH_DOWN, "multipath: ", " ", 0 },
	{ "session recovery timed out", NULL,        EVENT_PATH_DOWN, "^", ": ", 0 },
	{ "detected conn error",       NULL,         EVENT_PATH_DOWN, "^", ": ", 0 },
	{ "blocked FC remote port time out", NULL,   EVENT_PATH_DOWN, "^", ": ", 0 },
	{ "failed nvme_keep_alive",    NULL,         EVENT_PATH_DOWN, "nvme ", ": ", 0 },
	{ "Disk failure on",           NULL,         EVENT_MD_DEGRADED, ":", ": ", 0 },
	{ "md: super_written gets error", NULL,      EVENT_MD_DEGRADED, NULL, NULL, 0 },
	{ "md: kicking non-fresh",     NULL,         EVENT_MD_DEGRADED, NULL, NULL, 0 },

	/* disks that fail */
	{ "error, dev ",               ", sector",   EVENT_IO_ERROR, "dev ", ", ", 0 },
	{ "Buffer I/O error on dev",   NULL,         EVENT_IO_ERROR, "dev ", ", ", 0 },
	{ "Buffer I/O error on device", NULL,        EVENT_IO_ERROR, "device ", ", ", 0 },
	{ "rejecting I/O to",          "device",     EVENT_IO_ERROR, "[", "]", 0 },
	{ "I/O Error (sct",            NULL,         EVENT_IO_ERROR, "^", ": ", 0 },
	{ "lost page write due to I/O error on", NULL, EVENT_IO_ERROR, "error on ", " ", 0 },
	{ "loop: Write error at byte", NULL,         EVENT_IO_ERROR, NULL, NULL, 0 },
	{ "nvme nvme",                 "timeout",    EVENT_NVME_RESET, "nvme ", ": ", 0 },
	{ "nvme nvme",                 "controller is down", EVENT_NVME_RESET, "nvme ", ": ", 0 },
	{ "nvme nvme",                 "Device not ready", EVENT_NVME_RESET, "nvme ", ": ", 0 },
	{ "nvme nvme",                 "Removing after probe failure", EVENT_NVME_RESET, "nvme ", ": ", 0 },
	{ "nvme nvme",                 "resetting controller", EVENT_NVME_RESET, "nvme ", ": ", 0 },
	{ "^ata",                      "exception",  EVENT_ATA_RESET, "^", ".: ", 0 },
	{ "^ata",                      "failed command", EVENT_ATA_RESET, "^", ".: ", 0 },
	{ "^ata",                      "resetting link", EVENT_ATA_RESET, "^", ".: ", 0 },
	{ "^ata",                      "COMRESET failed", EVENT_ATA_RESET, "^", ".: ", 0 },
	{ "^ata",                      "link is slow to respond", EVENT_ATA_RESET, "^", ".: ", 0 },
	{ "^ata",                      "revalidation failed", EVENT_ATA_RESET, "^", ".: ", 0 },
	{ "^ata",                      "limiting ",  EVENT_ATA_RESET, "^", ".: ", 0 },
	{ "^ata",                      "timeout",    EVENT_ATA_RESET, "^", ".: ", 0 },
	{ "^ata",                      "error: {",   EVENT_ATA_RESET, "^", ".: ", 0 },
	{ "FAILED Result: hostbyte=",  NULL,         EVENT_SCSI_RESET, "[", "]", 0 },
	{ "Sense Key : Medium Error",  NULL,         EVENT_IO_ERROR, "[", "]", 0 },
	{ "Sense Key : Hardware Error", NULL,        EVENT_IO_ERROR, "[", "]", 0 },
	{ "Device offlined",           NULL,         EVENT_SCSI_RESET, "^", ": ", 0 },
	{ "attempting task abort",     NULL,         EVENT_SCSI_RESET, "^", ": ", 0 },
	{ "scsi host",                 "reset",      EVENT_SCSI_RESET, "scsi ", ": ", 0 },
	{ "^mmc",                      "Timeout waiting", EVENT_SCSI_RESET, "^", ": ", 0 },

	/* file systems that fail */
	{ "EXT4-fs error (device ",    NULL,         EVENT_FS_ERROR, "(device ", ")", WHO_COMM },
	{ "EXT4-fs warning (device ",  "I/O error",  EVENT_FS_ERROR, "(device ", ")", 0 },
	{ "EXT4-fs (",                 "failed for inode", EVENT_FS_ERROR, "(", ")", 0 },
	{ "EXT4-fs (",                 "I/O error",  EVENT_FS_ERROR, "(", ")", 0 },
	{ "JBD2: ",                    "error",      EVENT_FS_ERROR, " for ", " ", WHO_JOURNAL },
	{ "^XFS (",                    "error",      EVENT_FS_ERROR, "(", ")", 0 },
	{ "^XFS (",                    "orruption",  EVENT_FS_ERROR, "(", ")", 0 },
	{ "BTRFS error (device ",      NULL,         EVENT_FS_ERROR, "(device ", ") ", 0 },
	{ "BTRFS critical (device ",   NULL,         EVENT_FS_ERROR, "(device ", ") ", 0 },
	{ "BTRFS: error (device ",     NULL,         EVENT_FS_ERROR, "(device ", ") ", 0 },
	{ "F2FS-fs (",                 "error",      EVENT_FS_ERROR, "(", ")", 0 },
	{ "FAT-fs (",                  "error",      EVENT_FS_ERROR, "(", ")", 0 },
	{ "SQUASHFS error",            NULL,         EVENT_FS_ERROR, NULL, NULL, 0 },
	{ "nfs: server ",              "not responding", EVENT_NFS_TIMEOUT, "server ", " ", 0 },
	{ "CIFS: ",                    "has not responded", EVENT_NFS_TIMEOUT, NULL, NULL, 0 },

	/* the network */
	{ "NETDEV WATCHDOG: CPU",      NULL,         EVENT_NETDEV_WATCHDOG, "<", NULL, 0 },
	{ "NETDEV WATCHDOG: ",         NULL,         EVENT_NETDEV_WATCHDOG, "WATCHDOG: ", " :", 0 },
	{ "conntrack: ",               "table full", EVENT_CONNTRACK_FULL, NULL, NULL, 0 },
	{ "neighbor table overflow",   NULL,         EVENT_NEIGHBOUR_FULL, NULL, NULL, 0 },
	{ "neighbour table overflow",  NULL,         EVENT_NEIGHBOUR_FULL, NULL, NULL, 0 },
	{ "ossible SYN flooding",      NULL,         EVENT_SYN_FLOOD, "on port ", ". ", 0 },
	{ "TCP: out of memory",        NULL,         EVENT_TCP_MEMORY, NULL, NULL, 0 },
	{ "too many orphaned sockets", NULL,         EVENT_TCP_MEMORY, NULL, NULL, 0 },
	{ "NIC Link is Down",          NULL,         EVENT_LINK_DOWN, "<", NULL, 0 },
	{ "NIC Link is Up",            NULL,         EVENT_LINK_UP, "<", NULL, 0 },
	{ "Link is Down",              NULL,         EVENT_LINK_DOWN, "<", NULL, 0 },
	{ "Link is Up",                NULL,         EVENT_LINK_UP, "<", NULL, 0 },
	{ ": Link down",               NULL,         EVENT_LINK_DOWN, "<", NULL, 0 },
	{ ": Link up",                 NULL,         EVENT_LINK_UP, "<", NULL, 0 },
	{ ": link down",               NULL,         EVENT_LINK_DOWN, "<", NULL, 0 },
	{ "link status definitely down", NULL,       EVENT_LINK_DOWN, "interface ", ", ", 0 },
	{ "link status definitely up", NULL,         EVENT_LINK_UP, "interface ", ", ", 0 },

	/* programs */
	{ "]: segfault at ",           NULL,         EVENT_SEGFAULT, NULL, NULL, WHO_FAULT },
	{ "^traps: ",                  "] ",         EVENT_SEGFAULT, NULL, NULL, WHO_FAULT },
	{ "]: unhandled ",             "at ",        EVENT_SEGFAULT, NULL, NULL, WHO_FAULT },
};
/* clang-format on */

static const char *find(struct text t, const char *needle)
{
	return memmem(t.p, text_len(t), needle, strlen(needle));
}

/* The rest of t behind needle; false if it is not there. */
static bool behind(struct text t, const char *needle, struct text *out)
{
	const char *at = find(t, needle);

	if (!at)
		return false;
	*out = (struct text){ at + strlen(needle), t.end };
	return true;
}

static struct text upto(struct text t, const char *ends)
{
	for (const char *p = t.p; p < t.end; p++)
		if (strchr(ends, *p) && *p)
			return (struct text){ t.p, p };
	return t;
}

/* ---- the device ---- */

static struct text word_before(struct text line, const char *at)
{
	struct text t = text_trim((struct text){ line.p, at });

	while (t.p < t.end && t.end[-1] == ':')
		t.end--;
	for (const char *p = t.end; p > t.p; p--)
		if (p[-1] == ' ')
			return (struct text){ p, t.end };
	return t;
}

static void read_device(struct text line, const struct pattern *p, struct logline *out)
{
	struct text rest, device;

	if (!p->device)
		return;
	if (!strcmp(p->device, "<"))
		device = word_before(line, find(line, p->a));
	else if (!strcmp(p->device, "^"))
		device = upto(line, p->ends);
	else if (behind(line, p->device, &rest))
		device = upto(rest, p->ends);
	else
		return;
	while (text_len(device) && strchr(":.,", device.end[-1]))
		device.end--;
	if (p->who == WHO_JOURNAL && text_last(device, '-'))
		device.end = text_last(device, '-');
	text_copy(out->device, sizeof(out->device), device);
}

/* ---- the process ---- */

/* "comm:1234": comm may hold colons, so the last one counts. */
static void comm_colon_pid(struct text t, struct logline *out)
{
	const char *colon = text_last(t, ':');
	uint64_t pid;

	if (!colon || !text_is_u64((struct text){ colon + 1, t.end }, &pid))
		return;
	out->pid = (int64_t)pid;
	text_copy(out->comm, sizeof(out->comm), (struct text){ t.p, colon });
}

/* "comm[1234]": comm may hold brackets, so the last one before `at` counts. */
static void comm_bracket_pid(struct text t, struct logline *out)
{
	const char *open = text_last(t, '[');
	struct text digits;
	uint64_t pid;

	if (!open)
		return;
	digits = upto((struct text){ open + 1, t.end }, "]");
	if (!text_is_u64(digits, &pid))
		return;
	out->pid = (int64_t)pid;
	text_copy(out->comm, sizeof(out->comm), text_trim((struct text){ t.p, open }));
}

static void read_who(struct text line, const struct pattern *p, struct logline *out)
{
	struct text t, rest;
	const char *at;
	uint64_t pid;

	switch (p->who) {
	case WHO_KILLED:
		if (!behind(line, "process ", &t) || !text_u64(&t, &pid))
			return;
		out->pid = (int64_t)pid;
		if (behind(t, "(", &rest)) {
			/* "process 12 (a) b) total-vm:…": the name ends before what follows it */
			at = find(rest, ") total-vm");
			t = at ? (struct text){ rest.p, at } : upto(rest, ")");
			text_copy(out->comm, sizeof(out->comm), t);
		}
		return;
	case WHO_TASK:
		at = find(line, " blocked ");
		if (behind(line, "task ", &t) && at && at > t.p)
			comm_colon_pid((struct text){ t.p, at }, out);
		return;
	case WHO_STUCK:
		at = text_last(line, '[');
		if (at)
			comm_colon_pid(upto((struct text){ at + 1, line.end }, "]"), out);
		return;
	case WHO_FAULT:
		t = line;
		text_skip(&t, "traps: ");
		at = find(t, *p->a == ']' ? p->a : "] ");
		if (at)
			comm_bracket_pid((struct text){ t.p, at + 1 }, out);
		return;
	case WHO_COMM:
		if (behind(line, " comm ", &t))
			text_copy(out->comm, sizeof(out->comm), upto(t, ":"));
		return;
	case WHO_PID:
		if (behind(line, "PID: ", &t) && text_u64(&t, &pid))
			out->pid = (int64_t)pid;
		return;
	case WHO_JOURNAL:
	case WHO_NOBODY:
		return;
	}
}

static void read_cgroup(struct text line, enum event_kind kind, struct logline *out)
{
	struct text t;

	if (kind == EVENT_FORK_REJECTED && behind(line, "controller in ", &t))
		text_copy(out->cgroup, sizeof(out->cgroup), text_trim(t));
}

/* ---- a line ---- */

#define PAIRS 2048 /* bits, of hashed pairs of neighbouring bytes */

/* Which pairs of bytes a line holds: most patterns are refused by one bit, without a search. */
struct pairs {
	uint64_t bits[PAIRS / 64];
};

static unsigned pair_hash(const char *p)
{
	return ((unsigned char)p[0] * 31u + (unsigned char)p[1] * 7u) % PAIRS;
}

static void note_pairs(struct text line, struct pairs *out)
{
	memset(out, 0, sizeof(*out));
	for (const char *p = line.p; p + 1 < line.end; p++)
		out->bits[pair_hash(p) / 64] |= 1ull << (pair_hash(p) % 64);
}

static bool may_hold(const struct pairs *pairs, const char *needle)
{
	/* the middle of a needle is rarer than its start */
	const char *p = needle + strlen(needle) / 2 - 1;

	return pairs->bits[pair_hash(p) / 64] >> (pair_hash(p) % 64) & 1;
}

static bool matches(struct text line, const struct pairs *pairs, const struct pattern *p)
{
	const char *a = p->a;

	if (!may_hold(pairs, *a == '^' ? a + 1 : a) || (p->b && !may_hold(pairs, p->b)))
		return false;

	if (*a == '^' ? !text_starts(line, a + 1) : !find(line, a))
		return false;
	return !p->b || find(line, p->b);
}

void logline_read(struct text line, unsigned level, struct logline *out)
{
	struct pairs pairs;

	note_pairs(line, &pairs);
	*out = (struct logline){ .kind = level <= 3 ? EVENT_OTHER_ERROR : EVENT_NONE };
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		const struct pattern *p = &patterns[i];

		if (!matches(line, &pairs, p))
			continue;
		out->kind = p->kind;
		read_device(line, p, out);
		read_who(line, p, out);
		read_cgroup(line, p->kind, out);
		return;
	}
}
