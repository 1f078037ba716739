/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_EVENT_H
#define SIXTY_MODEL_EVENT_H

#include <stdbool.h>

/* What a line of the kernel log tells: the value of event.kind. The numbers stand in captures, so new ones go last. */
enum event_kind {
	EVENT_NONE,        /* nothing that anybody needs to know */
	EVENT_OTHER_ERROR, /* level error or worse, no known pattern */
	EVENT_OOM_KILL,
	EVENT_IO_ERROR,
	EVENT_FS_ERROR,
	EVENT_FS_READONLY,
	EVENT_HUNG_TASK,
	EVENT_SOFT_LOCKUP,
	EVENT_HARD_LOCKUP,
	EVENT_RCU_STALL,
	EVENT_MCE,
	EVENT_EDAC,
	EVENT_ATA_RESET,
	EVENT_SCSI_RESET,
	EVENT_NVME_RESET,
	EVENT_LINK_DOWN,
	EVENT_LINK_UP,
	EVENT_SEGFAULT,
	EVENT_CONNTRACK_FULL,
	EVENT_NEIGHBOUR_FULL,
	EVENT_SYN_FLOOD,
	EVENT_THERMAL,
	EVENT_OOPS,    /* BUG, oops, general protection fault */
	EVENT_WARNING, /* WARN with a call trace */
	EVENT_NETDEV_WATCHDOG,
	EVENT_MD_DEGRADED,
	EVENT_THIN_FULL,
	EVENT_PATH_DOWN,
	EVENT_PCIE_ERROR,
	EVENT_ALLOC_FAILURE, /* page allocation failure */
	EVENT_NFS_TIMEOUT,
	EVENT_TCP_MEMORY,
	EVENT_FORK_REJECTED,
	EVENT_LOCKUP_WORKQUEUE,
	EVENT_AUDIT_BACKLOG,
	EVENT_SUPPRESSED, /* "N callbacks suppressed", "printk messages dropped" */
	EVENT_MAX
};

const char *event_kind_name(enum event_kind k); /* "oom_kill" */
/* For a sentence: "I/O error", "hung task". */
const char *event_kind_title(enum event_kind k);
/* Is it about hardware or a driver that fails (and not about a load or a limit)? */
bool event_is_hardware(enum event_kind k);

#endif
