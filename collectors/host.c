/* SPDX-License-Identifier: Apache-2.0 */
/* The machine itself: names, sizes, what kind of guest it is. */
#include "collectors/host.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

static bool file_has(const struct root *root, const char *path, const char *needle)
{
	struct buf b = { 0 };
	bool has = !root_read(root, path, &b, ROOT_FILE_CAP) &&
		   text_has(text_n(b.data, b.len), needle);

	buf_done(&b);
	return has;
}

static bool exists(const struct root *root, const char *path)
{
	int fd = root_openat(root, path);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* The hypervisor's own word first, then the firmware's vendor strings, then the CPU's hypervisor bit. */
static const char *virtualization(const struct root *root)
{
	static const struct {
		const char *needle, *name;
	} vendors[] = {
		{ "QEMU", "kvm" },      { "Google", "kvm" },         { "Amazon EC2", "kvm" },
		{ "VMware", "vmware" }, { "innotek", "virtualbox" }, { "Microsoft", "hyperv" },
		{ "Xen", "xen" },       { "DigitalOcean", "kvm" },   { "OpenStack", "kvm" },
		{ "Alibaba", "kvm" },   { "Hetzner", "kvm" },
	};

	if (file_has(root, "sys/hypervisor/type", "xen"))
		return "xen";
	if (!file_has(root, "proc/cpuinfo", " hypervisor"))
		return exists(root, "proc/cpuinfo") ? "none" : "";
	for (size_t i = 0; i < sizeof(vendors) / sizeof(*vendors); i++)
		if (file_has(root, "sys/class/dmi/id/sys_vendor", vendors[i].needle) ||
		    file_has(root, "sys/class/dmi/id/product_name", vendors[i].needle))
			return vendors[i].name;
	return file_has(root, "proc/cpuinfo", "KVM") ? "kvm" : "vm";
}

static bool in_container(const struct root *root)
{
	return exists(root, ".dockerenv") || exists(root, "run/.containerenv") ||
	       file_has(root, "proc/1/environ", "container=");
}

void host_read(struct host *h, const struct root *root)
{
	struct timespec boot, wall;
	struct utsname u;
	long n;

	memset(h, 0, sizeof(*h));
	if (!uname(&u)) {
		snprintf(h->hostname, sizeof(h->hostname), "%s", u.nodename);
		snprintf(h->kernel, sizeof(h->kernel), "%s", u.release);
		snprintf(h->arch, sizeof(h->arch), "%s", u.machine);
	}
	snprintf(h->virtualization, sizeof(h->virtualization), "%s", virtualization(root));
	h->container = in_container(root);
	n = sysconf(_SC_NPROCESSORS_ONLN);
	h->cpus = n > 0 ? (unsigned)n : 1;
	n = sysconf(_SC_NPROCESSORS_CONF);
	h->possible_cpus = n > 0 ? (unsigned)n : h->cpus;
	h->page_size = (unsigned)sysconf(_SC_PAGESIZE);
	h->memory_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * h->page_size;
	h->ticks_per_second = (unsigned)sysconf(_SC_CLK_TCK);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &wall);
	h->boot_wall_ns =
		((int64_t)wall.tv_sec - boot.tv_sec) * 1000000000 + wall.tv_nsec - boot.tv_nsec;
	h->root = geteuid() == 0;
}
