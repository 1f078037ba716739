/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of /proc/PID/mountinfo:
 *
 *   36 35 98:0 /mnt1 /mnt/parent rw,noatime master:1 - ext3 /dev/root rw,errors=continue
 *   id parent device root point   options  optional… -  type source    super options
 *
 * Fields are divided by single blanks and may be empty (a source may be ""), so blanks are not skipped. */
#include "collectors/mountinfo.h"

bool mountinfo_line(struct text line, struct mount *m)
{
	struct text f, major;
	uint64_t high, low;

	if (!text_until(&line, ' ', &f) || !text_is_u64(f, &m->id))
		return false;
	if (!text_until(&line, ' ', &f) || !text_is_u64(f, &m->parent))
		return false;
	if (!text_until(&line, ' ', &f) || !text_until(&f, ':', &major))
		return false;
	if (!text_is_u64(major, &high) || !text_is_u64(f, &low))
		return false;
	m->devno = high << 20 | (low & 0xfffff);
	if (!text_until(&line, ' ', &m->root) || !text_until(&line, ' ', &m->point) ||
	    !text_until(&line, ' ', &m->options))
		return false;
	do
		if (!text_until(&line, ' ', &f))
			return false;
	while (!text_eq(f, "-"));
	if (!text_until(&line, ' ', &m->type) || !text_until(&line, ' ', &m->source))
		return false;
	m->super = line;
	return text_len(m->point) > 0 && text_len(m->type) > 0;
}

static bool octal(char c)
{
	return c >= '0' && c <= '7';
}

size_t mountinfo_unescape(char *out, size_t size, struct text t)
{
	size_t n = 0;

	while (t.p < t.end && n + 1 < size) {
		unsigned v;

		if (*t.p != '\\' || text_len(t) < 4 || !octal(t.p[1]) || !octal(t.p[2]) ||
		    !octal(t.p[3])) {
			out[n++] = *t.p++;
			continue;
		}
		v = (unsigned)(t.p[1] - '0') << 6 | (unsigned)(t.p[2] - '0') << 3 |
		    (unsigned)(t.p[3] - '0');
		if (!v || v > 255) /* the kernel writes neither */
			v = '?';
		out[n++] = (char)v;
		t.p += 4;
	}
	out[n] = '\0';
	return n;
}

bool mountinfo_has(struct text options, const char *word)
{
	struct text one;

	while (text_until(&options, ',', &one))
		if (text_eq(one, word))
			return true;
	return false;
}

/* clang-format off */
static const struct fs_kind kinds[] = {
	{ .type = "proc",        .pseudo = true }, { .type = "sysfs",      .pseudo = true }, { .type = "cgroup",     .pseudo = true },
	{ .type = "cgroup2",     .pseudo = true }, { .type = "devpts",     .pseudo = true }, { .type = "debugfs",    .pseudo = true },
	{ .type = "tracefs",     .pseudo = true }, { .type = "securityfs", .pseudo = true }, { .type = "pstore",     .pseudo = true },
	{ .type = "bpf",         .pseudo = true }, { .type = "mqueue",     .pseudo = true }, { .type = "configfs",   .pseudo = true },
	{ .type = "fusectl",     .pseudo = true }, { .type = "hugetlbfs",  .pseudo = true }, { .type = "binfmt_misc", .pseudo = true },
	{ .type = "rpc_pipefs",  .pseudo = true }, { .type = "nsfs",       .pseudo = true }, { .type = "selinuxfs",  .pseudo = true },
	{ .type = "efivarfs",    .pseudo = true }, { .type = "nfsd",       .pseudo = true }, { .type = "resctrl",    .pseudo = true },
	{ .type = "smackfs",     .pseudo = true }, { .type = "functionfs", .pseudo = true }, { .type = "binder",     .pseudo = true },
	{ .type = "fuse.lxcfs",  .pseudo = true }, { .type = "fuse.portal", .pseudo = true }, { .type = "fuse.gvfsd-fuse", .pseudo = true },
	{ .type = "devtmpfs",    .pseudo = true },
	{ .type = "autofs",      .pseudo = true, .untouchable = true },
	{ .type = "nfs",         .remote = true }, { .type = "nfs4",       .remote = true }, { .type = "cifs",       .remote = true },
	{ .type = "smb3",        .remote = true }, { .type = "ceph",       .remote = true }, { .type = "9p",         .remote = true },
	{ .type = "virtiofs",    .remote = true }, { .type = "lustre",     .remote = true }, { .type = "gpfs",       .remote = true },
	{ .type = "afs",         .remote = true }, { .type = "ocfs2",      .remote = true }, { .type = "gfs2",       .remote = true },
	{ .type = "orangefs",    .remote = true }, { .type = "beegfs",     .remote = true }, { .type = "fuse",       .remote = true },
	{ .type = "fuseblk",     .remote = true }, { .type = "vboxsf",     .remote = true }, { .type = "prl_fs",     .remote = true },
	{ .type = "squashfs",    .image = true },  { .type = "iso9660",    .image = true },  { .type = "erofs",      .image = true },
	{ .type = "cramfs",      .image = true },  { .type = "romfs",      .image = true },
	{ .type = "overlay",     .layer = true },  { .type = "aufs",       .layer = true },  { .type = "ecryptfs",   .layer = true },
	{ .type = "shiftfs",     .layer = true },
};
/* clang-format on */

struct fs_kind fs_kind(struct text type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (text_eq(type, kinds[i].type))
			return kinds[i];
	if (text_starts(type, "fuse."))
		return (struct fs_kind){ .type = "fuse.*", .remote = true };
	return (struct fs_kind){ .type = "" };
}
