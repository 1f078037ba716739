/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_CGROUP_TREE_H
#define SIXTY_COLLECTORS_CGROUP_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/root.h"

/* Where control groups are mounted, and a bounded walk over them. */
#define CGROUP_MOUNTS 16
#define CGROUP_DEPTH  48 /* directories below a mount; the kernel's own default has no bound */
#define CGROUP_PATH   1024

struct cgroup_mount {
	char at[256]; /* below the root, without the leading '/' */
	char above[256]; /* what /proc/PID/cgroup has in front of paths below this mount; "" for all of the hierarchy */
	char controllers[128]; /* v1: "cpu,cpuacct", in the kernel's order; v2: "" */
	bool v2;
};

/* Fill out with the hierarchies that carry resource controllers (not name=systemd and its like), each once.
 * Returns how many; text is scratch memory. */
size_t cgroup_mounts(const struct root *root, struct cgroup_mount *out, size_t max,
		     struct buf *text);

/* "v1", "v2", "hybrid" or "" if there are none. */
const char *cgroup_mode(const struct cgroup_mount *m, size_t n);

/* Does a comma-separated list hold this controller? */
bool cgroup_carries(const struct cgroup_mount *m, const char *controller);

/* Called for every group, parents before children, siblings by name. path is "" for the mount itself, else "/a/b", and
 * may hold any byte but NUL; dirfd is closed when it returns. */
typedef void (*cgroup_visit)(void *ctx, const struct cgroup_mount *m, const char *path, int dirfd);

/* Visit at most *budget groups and subtract what was visited. Returns how many more were seen but not entered (what lies
 * below those is not counted), or -errno if the mount cannot be opened. */
long cgroup_walk(const struct root *root, const struct cgroup_mount *m, size_t *budget,
		 cgroup_visit visit, void *ctx);

/* Order of visits. */
int cgroup_path_order(const char *a, const char *b);

#endif
