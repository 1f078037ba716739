/* SPDX-License-Identifier: Apache-2.0 */
/* Names of what the kernel log tells. */
#include "model/event.h"

#include <stddef.h>

static const struct {
	const char *name, *title;
	bool hardware;
} kinds[EVENT_MAX] = {
	[EVENT_NONE] = { "none", "message", false },
	[EVENT_OTHER_ERROR] = { "other_error", "error", false },
	[EVENT_OOM_KILL] = { "oom_kill", "out-of-memory kill", false },
	[EVENT_IO_ERROR] = { "io_error", "I/O error", true },
	[EVENT_FS_ERROR] = { "fs_error", "file system error", false },
	[EVENT_FS_READONLY] = { "fs_readonly", "file system made read-only", false },
	[EVENT_HUNG_TASK] = { "hung_task", "hung task", false },
	[EVENT_SOFT_LOCKUP] = { "soft_lockup", "soft lockup", false },
	[EVENT_HARD_LOCKUP] = { "hard_lockup", "hard lockup", false },
	[EVENT_RCU_STALL] = { "rcu_stall", "RCU stall", false },
	[EVENT_MCE] = { "mce", "machine check", true },
	[EVENT_EDAC] = { "edac", "memory hardware error", true },
	[EVENT_ATA_RESET] = { "ata_reset", "ATA error or reset", true },
	[EVENT_SCSI_RESET] = { "scsi_reset", "SCSI error or reset", true },
	[EVENT_NVME_RESET] = { "nvme_reset", "NVMe timeout or reset", true },
	[EVENT_LINK_DOWN] = { "link_down", "link down", true },
	[EVENT_LINK_UP] = { "link_up", "link up", false },
	[EVENT_SEGFAULT] = { "segfault", "crash of a program", false },
	[EVENT_CONNTRACK_FULL] = { "conntrack_full", "connection table full", false },
	[EVENT_NEIGHBOUR_FULL] = { "neighbour_full", "neighbour table full", false },
	[EVENT_SYN_FLOOD] = { "syn_flood", "possible SYN flood", false },
	[EVENT_THERMAL] = { "thermal", "thermal throttling", true },
	[EVENT_OOPS] = { "oops", "kernel bug", false },
	[EVENT_WARNING] = { "warning", "kernel warning", false },
	[EVENT_NETDEV_WATCHDOG] = { "netdev_watchdog", "transmit timeout", true },
	[EVENT_MD_DEGRADED] = { "md_degraded", "array degraded", true },
	[EVENT_THIN_FULL] = { "thin_full", "thin pool out of space", false },
	[EVENT_PATH_DOWN] = { "path_down", "storage path down", true },
	[EVENT_PCIE_ERROR] = { "pcie_error", "PCIe error", true },
	[EVENT_ALLOC_FAILURE] = { "alloc_failure", "page allocation failure", false },
	[EVENT_NFS_TIMEOUT] = { "nfs_timeout", "server not responding", false },
	[EVENT_TCP_MEMORY] = { "tcp_memory", "out of TCP memory", false },
	[EVENT_FORK_REJECTED] = { "fork_rejected", "fork rejected", false },
	[EVENT_LOCKUP_WORKQUEUE] = { "workqueue_lockup", "workqueue lockup", false },
	[EVENT_AUDIT_BACKLOG] = { "audit_backlog", "audit backlog full", false },
	[EVENT_SUPPRESSED] = { "suppressed", "suppressed messages", false },
};

const char *event_kind_name(enum event_kind k)
{
	return kinds[(unsigned)k < EVENT_MAX ? k : EVENT_NONE].name;
}

const char *event_kind_title(enum event_kind k)
{
	return kinds[(unsigned)k < EVENT_MAX ? k : EVENT_NONE].title;
}

bool event_is_hardware(enum event_kind k)
{
	return (unsigned)k < EVENT_MAX && kinds[k].hardware;
}
