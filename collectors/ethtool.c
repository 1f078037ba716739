/* SPDX-License-Identifier: Apache-2.0 */
/* What only the driver of a network card knows: its speed, and its own counters of lost packets.
 *
 * The counters have names of the driver's choice. Those that speak of drops, misses, errors or missing buffers are added
 * up: the sum says whether packets are lost below the kernel's own counters, and `ethtool -S` says which. */
#include "collectors/rtnl.h"

#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define STATS_CAP  16384 /* counters of one device: cards with hundreds of queues have thousands */
#define MASK_WORDS 127   /* what the kernel's field can say */

static int call(int fd, const char *name, void *data)
{
	struct ifreq r = { .ifr_data = data };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	return ioctl(fd, SIOCETHTOOL, &r);
}

static bool has(const char *name, size_t n, const char *part)
{
	size_t len = strlen(part);

	for (size_t i = 0; i + len <= n; i++)
		if (!strncasecmp(name + i, part, len))
			return true;
	return false;
}

bool ethtool_is_allowance(const char *name, size_t n)
{
	return has(name, n, "allowance_exceeded");
}

bool ethtool_is_drop(const char *name, size_t n)
{
	static const char *const parts[] = { "drop", "miss", "err", "no_buf", "nobuf", "discard" };

	/* an XDP program drops on purpose; page cache misses of the receive path are no lost packets */
	if (has(name, n, "xdp") || has(name, n, "cache") || ethtool_is_allowance(name, n))
		return false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (has(name, n, parts[i]))
			return true;
	return false;
}

static void put_stats(int fd, const struct link *link, struct snapshot *out, size_t row)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_gstrings *names = NULL;
	struct ethtool_stats *values = NULL;
	uint64_t drops = 0, allowance = 0;
	bool any_allowance = false, any = false;
	size_t n;

	if (call(fd, link->name, &info) || !info.n_stats || info.n_stats > STATS_CAP)
		return;
	n = info.n_stats;
	names = mem_try(sizeof(*names) + n * ETH_GSTRING_LEN,
			sizeof(*names) + STATS_CAP * ETH_GSTRING_LEN);
	values = mem_try(sizeof(*values) + n * sizeof(uint64_t),
			 sizeof(*values) + STATS_CAP * sizeof(uint64_t));
	if (!names || !values)
		goto out;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_STATS;
	names->len = (uint32_t)n;
	values->cmd = ETHTOOL_GSTATS;
	values->n_stats = (uint32_t)n;
	if (call(fd, link->name, names) || names->len > n || call(fd, link->name, values))
		goto out;
	for (size_t i = 0; i < names->len && i < values->n_stats && i < n; i++) {
		const char *name = (const char *)names->data + i * ETH_GSTRING_LEN;
		size_t len = strnlen(name, ETH_GSTRING_LEN);

		if (ethtool_is_allowance(name, len)) {
			allowance += values->data[i];
			any_allowance = true;
		} else if (ethtool_is_drop(name, len)) {
			drops += values->data[i];
			any = true;
		}
	}
	if (any)
		snapshot_set(out, M_NETIF_DRIVER_DROPS, row, drops,
			     metric_source(M_NETIF_DRIVER_DROPS, F_ETHTOOL));
	if (any_allowance)
		snapshot_set(out, M_NETIF_ALLOWANCE, row, allowance,
			     metric_source(M_NETIF_ALLOWANCE, F_ETHTOOL));
out:
	mem_free(names);
	mem_free(values);
}

/* Speed in Mbit/s of ranges of link mode bits (enum ethtool_link_mode_bit_indices). */
static const struct {
	uint8_t first, last;
	uint32_t mbit;
} modes[] = {
	{ 0, 1, 10 },       { 2, 3, 100 },      { 4, 5, 1000 },     { 12, 12, 10000 },
	{ 15, 15, 2500 },   { 17, 17, 1000 },   { 18, 20, 10000 },  { 21, 22, 20000 },
	{ 23, 26, 40000 },  { 27, 30, 56000 },  { 31, 33, 25000 },  { 34, 35, 50000 },
	{ 36, 39, 100000 }, { 40, 40, 50000 },  { 41, 41, 1000 },   { 42, 46, 10000 },
	{ 47, 47, 2500 },   { 48, 48, 5000 },   { 52, 56, 50000 },  { 57, 61, 100000 },
	{ 62, 66, 200000 }, { 67, 68, 100 },    { 69, 73, 400000 }, { 75, 79, 100000 },
	{ 80, 84, 200000 }, { 85, 89, 400000 },
};

static uint32_t fastest(const uint32_t *mask, unsigned words)
{
	uint32_t most = 0;

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		for (unsigned bit = modes[i].first; bit <= modes[i].last && bit / 32 < words; bit++)
			if (mask[bit / 32] >> bit % 32 & 1 && modes[i].mbit > most)
				most = modes[i].mbit;
	return most;
}

static void put_settings(int fd, const struct link *link, struct snapshot *out, size_t row)
{
	/* the masks stand behind the settings */
	union {
		struct ethtool_link_settings s;
		uint32_t room[sizeof(struct ethtool_link_settings) / 4 + 3 * MASK_WORDS];
	} q = { .s = { .cmd = ETHTOOL_GLINKSETTINGS } };
	uint32_t most;

	/* the first call says, as a negative number, how many words the masks have */
	if (call(fd, link->name, &q) || q.s.link_mode_masks_nwords >= 0)
		return;
	q.s = (struct ethtool_link_settings){
		.cmd = ETHTOOL_GLINKSETTINGS,
		.link_mode_masks_nwords = (int8_t)-q.s.link_mode_masks_nwords,
	};
	if (q.s.link_mode_masks_nwords <= 0 || call(fd, link->name, &q) ||
	    q.s.link_mode_masks_nwords <= 0)
		return;
	if (q.s.speed && q.s.speed != (uint32_t)SPEED_UNKNOWN)
		snapshot_set(out, M_NETIF_SPEED, row, q.s.speed,
			     metric_source(M_NETIF_SPEED, F_ETHTOOL));
	if (q.s.duplex == DUPLEX_HALF || q.s.duplex == DUPLEX_FULL)
		snapshot_set(out, M_NETIF_HALF_DUPLEX, row, q.s.duplex == DUPLEX_HALF,
			     metric_source(M_NETIF_HALF_DUPLEX, F_ETHTOOL));
	most = fastest(q.s.link_mode_masks, (unsigned)q.s.link_mode_masks_nwords);
	if (most)
		snapshot_set(out, M_NETIF_SPEED_MAX, row, most,
			     metric_source(M_NETIF_SPEED_MAX, F_ETHTOOL));
}

void ethtool_links(const struct links *l, struct snapshot *out, const char *prefix)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[128];

	if (fd < 0)
		return;
	for (size_t i = 0; i < l->n; i++) {
		size_t row;

		if (!l->list[i].hardware)
			continue;
		snprintf(name, sizeof(name), "%s%s", prefix, l->list[i].name);
		row = snapshot_named_row(out, SCOPE_NETIF, name, strlen(name));
		put_settings(fd, &l->list[i], out, row);
		put_stats(fd, &l->list[i], out, row);
	}
	close(fd);
}
