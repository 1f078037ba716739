/* SPDX-License-Identifier: Apache-2.0 */
/* Zones, nodes, pools, memory controllers, slab and swap on trees made by hand. */
#include <math.h>

#include "collectors/table.h"
#include "tests/unit/rig.h"
#include "tests/unit/unit.h"

TEST(zones_have_watermarks_and_free_blocks)
{
	struct rig r;

	unit_file(
		"proc/buddyinfo",
		"Node 0, zone      DMA      0      0      0      0      0      0      0      0      1      1      3 \n"
		"Node 1, zone   Normal   2490   1239    627    302    161    234    165     97     50     25    198 2 1\n");
	unit_file(
		"proc/zoneinfo",
		"Node 1, zone   Normal\n  per-node stats\n      nr_inactive_anon 5\n  pages free     1048003\n"
		"        boost    0\n        min      4225\n        low      10368\n        high     16511\n        spanned  6291456\n"
		"        managed  6160000\n        protection: (0, 0, 0, 0)\n  pagesets\n    cpu: 0\n              count: 33\n"
		"              high:  777\n              batch: 63\n");
	rig_open(&r, &collector_zones);
	CHECK_INT(rig_read(&r), 0);
	CHECK_NEAR(rig_value(&r, M_BUDDY_0, "node1/Normal"), 2490, 0);
	CHECK_NEAR(rig_value(&r, M_BUDDY_9, "node1/Normal"), 25, 0);
	/* orders 11 and 12 count as blocks of order 10 */
	CHECK_NEAR(rig_value(&r, M_BUDDY_10, "node1/Normal"), 198 + 2 * 2 + 4, 0);
	CHECK_NEAR(rig_value(&r, M_BUDDY_8, "node0/DMA"), 1, 0);
	CHECK_NEAR(rig_value(&r, M_ZONE_FREE, "node1/Normal"), 1048003.0 * 4096, 0);
	CHECK_NEAR(rig_value(&r, M_ZONE_MIN, "node1/Normal"), 4225.0 * 4096, 0);
	CHECK_NEAR(rig_value(&r, M_ZONE_LOW, "node1/Normal"), 10368.0 * 4096, 0);
	CHECK_NEAR(rig_value(&r, M_ZONE_HIGH, "node1/Normal"), 16511.0 * 4096, 0);
	CHECK_NEAR(rig_value(&r, M_ZONE_MANAGED, "node1/Normal"), 6160000.0 * 4096, 0);
	CHECK(isnan(rig_value(&r, M_ZONE_FREE, "node0/DMA")));
	rig_close(&r);
}

TEST(nonsense_in_zones_is_left_out)
{
	struct rig r;

	unit_file("proc/buddyinfo",
		  "Node x, zone Normal 1 2\nNode 0, zone\nNode 0, zone A -1 2\n\xff\n");
	unit_file("proc/zoneinfo",
		  "        min 5\nNode 0, zone   A\n  pages free\n        low  abc\n");
	rig_open(&r, &collector_zones);
	CHECK_INT(rig_read(&r), 0);
	CHECK_INT((int)snapshot_rows(&r.snap[1], SCOPE_NUMA), 1);
	CHECK(isnan(rig_value(&r, M_BUDDY_0, "node0/A")));
	CHECK(isnan(rig_value(&r, M_ZONE_LOW, "node0/A")));
	rig_close(&r);
}

TEST(nodes_pools_and_controllers_are_read)
{
	struct rig r;

	unit_file("sys/devices/system/node/node0/meminfo",
		  "Node 0 MemTotal:       1000 kB\nNode 0 MemFree:         400 kB\n"
		  "Node 0 Inactive(file):    7 kB\nNode 0 AnonPages:        50 kB\n");
	unit_file("sys/devices/system/node/node0/numastat",
		  "numa_hit 100\nnuma_miss 2\nnuma_foreign 3\ninterleave_hit 9\n"
		  "local_node 98\nother_node 4\n");
	unit_file("sys/devices/system/node/node0/distance", "10 21\n");
	unit_file("sys/devices/system/node/node0/cpulist", "0-3\n");
	unit_file("sys/devices/system/node/nodes/meminfo", "Node 0 MemTotal: 1 kB\n");
	unit_file("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "512\n");
	unit_file("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "500\n");
	unit_file("sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages", "20\n");
	unit_file("sys/kernel/mm/hugepages/hugepages-x/nr_hugepages", "1\n");
	unit_file("sys/devices/system/edac/mc/mc0/ce_count", "5\n");
	unit_file("sys/devices/system/edac/mc/mc0/ue_count", "1\n");
	unit_file("sys/devices/system/edac/mc/mc0/dimm3/dimm_ce_count", "5\n");
	unit_file("sys/devices/system/edac/mc/mc0/dimm3/dimm_label", "CPU_SrcID#0_DIMM#1\n");
	unit_file("sys/devices/system/edac/mc/mc1/ce_count", "2\n");
	rig_open(&r, &collector_nodes);
	CHECK_INT(rig_read(&r), 0);
	CHECK_NEAR(rig_value(&r, M_NODE_TOTAL, "node0"), 1000 * 1024, 0);
	CHECK_NEAR(rig_value(&r, M_NODE_FREE, "node0"), 400 * 1024, 0);
	CHECK_NEAR(rig_value(&r, M_NODE_INACTIVE_FILE, "node0"), 7 * 1024, 0);
	CHECK_NEAR(rig_value(&r, M_NODE_FOREIGN, "node0"), 3 * 4096, 0);
	CHECK_NEAR(rig_value(&r, M_NODE_OTHER, "node0"), 4 * 4096, 0);
	CHECK_STR(rig_text(&r, M_NODE_DISTANCE, "node0"), "10 21");
	CHECK_STR(rig_text(&r, M_NODE_CPUS, "node0"), "0-3");
	CHECK_NEAR(rig_value(&r, M_POOL_TOTAL, "pool 2048kB"), 512, 0);
	CHECK_NEAR(rig_value(&r, M_POOL_PAGE, "pool 2048kB"), 2048 * 1024, 0);
	CHECK(isnan(rig_value(&r, M_POOL_SURPLUS, "pool 2048kB")));
	CHECK_NEAR(rig_value(&r, M_ECC_CORRECTED, ""), 7, 0);
	CHECK_NEAR(rig_value(&r, M_ECC_UNCORRECTED, ""), 1, 0);
	CHECK_NEAR(rig_value(&r, M_MC_CORRECTED, "mc0/dimm3"), 5, 0);
	CHECK_STR(rig_text(&r, M_MC_LABEL, "mc0/dimm3"), "CPU_SrcID#0_DIMM#1");
	CHECK(rig_row(&r, SCOPE_NUMA, "nodes") == SIZE_MAX);
	rig_close(&r);
}

TEST(a_machine_without_controllers_says_so)
{
	struct rig r;

	unit_file("sys/devices/system/node/node0/meminfo", "Node 0 MemTotal: 1 kB\n");
	rig_open(&r, &collector_nodes);
	CHECK_INT(rig_read(&r), 0);
	CHECK_HAS(rig_status(&r, "sys/devices/system/edac/mc"), "no memory controller");
	CHECK(isnan(rig_value(&r, M_ECC_CORRECTED, "")));
	rig_close(&r);
}

TEST(slab_caches_are_summed_over_groups)
{
	struct rig r;

	unit_file(
		"proc/slabinfo",
		"slabinfo - version: 2.1\n"
		"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> : slabdata\n"
		"dentry            1000 1050 192 21 1 : tunables 0 0 0 : slabdata 50 50 0\n"
		"dentry(812:svc)    100  105 192 21 1 : tunables 0 0 0 : slabdata 5 5 0\n"
		"empty                0    0  64 64 1 : tunables 0 0 0 : slabdata 0 0 0\n"
		"big                  8    8 4096 8 8 : tunables 0 0 0 : slabdata 1 1 0\n"
		"torn                 8    8 4096 8\n"
		"wide 1 1 1 1 18446744073709551615 : tunables 0 0 0 : slabdata 9 9 0\n");
	rig_open(&r, &collector_slab);
	CHECK_INT(rig_read(&r), 0);
	CHECK_NEAR(rig_value(&r, M_SLAB_BYTES, "dentry"), 55 * 4096, 0);
	CHECK_NEAR(rig_value(&r, M_SLAB_OBJECTS, "dentry"), 1100, 0);
	CHECK_NEAR(rig_value(&r, M_SLAB_OBJECT_SIZE, "dentry"), 192, 0);
	CHECK_NEAR(rig_value(&r, M_SLAB_BYTES, "big"), 8 * 4096, 0);
	CHECK(rig_row(&r, SCOPE_SLAB, "empty") == SIZE_MAX);
	CHECK(rig_row(&r, SCOPE_SLAB, "torn") == SIZE_MAX);
	CHECK(rig_row(&r, SCOPE_SLAB, "wide") == SIZE_MAX);
	rig_close(&r);
}

TEST(swap_devices_have_the_kernels_names)
{
	struct rig r;

	unit_file("proc/swaps",
		  "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
		  "/dev/zram0                              partition\t1535996\t\t1000\t\t100\n"
		  "/dev/mapper/vg-swap                     partition\t2000\t\t5\t\t-2\n"
		  "/swap\\040file                            file\t\t4000\t\t0\t\t-3\n");
	rig_link("dev/mapper/vg-swap", "../dm-3");
	unit_file(
		"sys/block/zram0/mm_stat",
		"  8192     4096    12288        0    20480        1        0        2        3\n");
	unit_file("sys/block/zramdisk/mm_stat", "1 1 1 1\n");
	unit_file("sys/block/sda/size", "1\n");
	rig_open(&r, &collector_swap);
	CHECK_INT(rig_read(&r), 0);
	CHECK_NEAR(rig_value(&r, M_DISK_SWAP_SIZE, "zram0"), 1535996.0 * 1024, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_SWAP_USED, "zram0"), 1000 * 1024, 0);
	CHECK_NEAR(rig_value(&r, M_DISK_SWAP_USED, "dm-3"), 5 * 1024, 0);
	CHECK_NEAR(rig_value(&r, M_ZRAM_STORED, "zram0"), 8192, 0);
	CHECK_NEAR(rig_value(&r, M_ZRAM_MEMORY, "zram0"), 12288, 0);
	CHECK_HAS(rig_text(&r, M_SWAP_DEVICES, ""), "/dev/zram0, /dev/mapper/vg-swap, /swap");
	CHECK(rig_row(&r, SCOPE_DISK, "zramdisk") == SIZE_MAX);
	CHECK(rig_row(&r, SCOPE_DISK, "sda") == SIZE_MAX);
	rig_close(&r);
}

TEST(without_swap_the_list_is_empty_not_unknown)
{
	struct rig r;

	unit_file("proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	rig_open(&r, &collector_swap);
	CHECK_INT(rig_read(&r), 0);
	CHECK_STR(rig_text(&r, M_SWAP_DEVICES, ""), "");
	CHECK_INT((int)snapshot_rows(&r.snap[1], SCOPE_DISK), 0);
	rig_close(&r);
}
