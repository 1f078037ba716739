/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "collectors/table.h"
#include "model/interval.h"
#include "tests/unit/rig.h"
#include "tests/unit/unit.h"

static double cpu_value(struct rig *r, enum metric_id id, const char *cpu)
{
	return snapshot_value(&r->snap[1], id, snapshot_find_name(&r->snap[1], SCOPE_CPU, cpu));
}

static double system_level(struct rig *r, enum metric_id id)
{
	return snapshot_value(&r->snap[1], id, 0);
}

static const char stat_two[] = "cpu  300 30 60 4000 50 4 6 8 10 2\n"
			       "cpu0 100 10 20 2000 20 1 2 3 4 1\n"
			       "cpu1 200 20 40 2000 30 3 4 5 6 1\n"
			       "intr 170412 0 0 9 0 0\n"
			       "ctxt 345027\n"
			       "btime 1795392488\n"
			       "processes 9352\n"
			       "procs_running 3\n"
			       "procs_blocked 1\n"
			       "softirq 146 1 2 3 4 5 6 7 8 9 101\n";

TEST(proc_stat_gives_every_column_of_every_cpu_and_of_all)
{
	struct rig r;

	unit_file("proc/stat", stat_two);
	rig_open(&r, &collector_cpu);
	CHECK_INT(rig_read(&r), 0);
	CHECK_INT((int)snapshot_rows(&r.snap[1], SCOPE_CPU), 2);
	CHECK_NEAR(cpu_value(&r, M_CPU_USER, "cpu0"), 1.0, 1e-9);
	CHECK_NEAR(cpu_value(&r, M_CPU_NICE, "cpu1"), 0.2, 1e-9);
	CHECK_NEAR(cpu_value(&r, M_CPU_SYSTEM, "cpu1"), 0.4, 1e-9);
	CHECK_NEAR(cpu_value(&r, M_CPU_IDLE, "cpu0"), 20, 1e-9);
	CHECK_NEAR(cpu_value(&r, M_CPU_IOWAIT, "cpu1"), 0.3, 1e-9);
	CHECK_NEAR(cpu_value(&r, M_CPU_IRQ, "cpu1"), 0.03, 1e-9);
	CHECK_NEAR(cpu_value(&r, M_CPU_SOFTIRQ, "cpu1"), 0.04, 1e-9);
	CHECK_NEAR(cpu_value(&r, M_CPU_STEAL, "cpu0"), 0.03, 1e-9);
	CHECK_NEAR(cpu_value(&r, M_CPU_GUEST, "cpu1"), 0.06, 1e-9);
	CHECK_NEAR(cpu_value(&r, M_CPU_GUEST_NICE, "cpu1"), 0.01, 1e-9);
	CHECK_NEAR(system_level(&r, M_SYS_USER), 3.0, 1e-9);
	CHECK_NEAR(system_level(&r, M_SYS_GUEST_NICE), 0.02, 1e-9);
	CHECK_NEAR(system_level(&r, M_SYS_CPUS), 2, 0);
	CHECK_NEAR(system_level(&r, M_INTR), 170412, 0);
	CHECK_NEAR(system_level(&r, M_CTXT), 345027, 0);
	CHECK_NEAR(system_level(&r, M_FORKS), 9352, 0);
	CHECK_NEAR(system_level(&r, M_PROCS_RUNNING), 3, 0);
	CHECK_NEAR(system_level(&r, M_PROCS_BLOCKED), 1, 0);
	CHECK_NEAR(system_level(&r, M_SOFTIRQS), 146, 0);
	CHECK_NEAR(system_level(&r, M_SOFTIRQ_HI), 1, 0);
	CHECK_NEAR(system_level(&r, M_SOFTIRQ_NET_RX), 4, 0);
	CHECK_NEAR(system_level(&r, M_SOFTIRQ_RCU), 101, 0);
	rig_close(&r);
}

TEST(a_cpu_that_goes_offline_and_numbers_that_are_missing_are_no_zeros)
{
	struct interval iv;
	struct rig r;

	/* CPU 22 is missing from the start, CPU 1 is unplugged in between, CPU 3 comes */
	unit_file(
		"proc/stat",
		"cpu  3 0 0 3000 0 0 0 0 0 0\ncpu0 1 0 0 1000 0 0 0 0 0 0\ncpu1 1 0 0 1000 0 0 0 0 0 0\n"
		"cpu23 1 0 0 1000 0 0 0 0 0 0\n");
	rig_open(&r, &collector_cpu);
	CHECK_INT(rig_read(&r), 0);
	unit_file(
		"proc/stat",
		"cpu  93 0 0 3200 0 0 0 0 0 0\ncpu0 31 0 0 1070 0 0 0 0 0 0\ncpu3 1 0 0 5 0 0 0 0 0 0\n"
		"cpu23 61 0 0 1040 0 0 0 0 0 0\n");
	CHECK_INT(rig_read(&r), 0);
	interval_init(&iv, &r.host);
	interval_diff(&iv, &r.snap[0], &r.snap[1]);
	CHECK_NEAR(interval_rate(&iv, M_CPU_USER, interval_find_name(&iv, SCOPE_CPU, "cpu0")), 0.30,
		   1e-9);
	CHECK_NEAR(interval_value(&iv, M_CPU_BUSY, interval_find_name(&iv, SCOPE_CPU, "cpu0")),
		   0.30, 1e-9);
	CHECK_NEAR(interval_value(&iv, M_CPU_BUSY, interval_find_name(&iv, SCOPE_CPU, "cpu23")),
		   0.60, 1e-9);
	CHECK(interval_find_name(&iv, SCOPE_CPU, "cpu22") == SIZE_MAX);
	CHECK(isnan(interval_value(&iv, M_CPU_BUSY, interval_find_name(&iv, SCOPE_CPU, "cpu1"))));
	CHECK(isnan(interval_rate(&iv, M_CPU_USER, interval_find_name(&iv, SCOPE_CPU, "cpu3"))));
	CHECK(interval_row(&iv, SCOPE_CPU, interval_find_name(&iv, SCOPE_CPU, "cpu1"))->gone);
	CHECK_INT((int)iv.resets, 0);
	interval_done(&iv);
	rig_close(&r);
}

TEST(iowait_that_goes_down_is_unknown_and_nothing_else_is)
{
	struct interval iv;
	size_t row;
	struct rig r;

	unit_file("proc/stat", "cpu0 100 0 100 2000 500 0 0 0 0 0\n");
	rig_open(&r, &collector_cpu);
	CHECK_INT(rig_read(&r), 0);
	unit_file("proc/stat", "cpu0 130 0 110 2060 470 0 0 0 0 0\n");
	CHECK_INT(rig_read(&r), 0);
	interval_init(&iv, &r.host);
	interval_diff(&iv, &r.snap[0], &r.snap[1]);
	row = interval_find_name(&iv, SCOPE_CPU, "cpu0");
	CHECK(isnan(interval_rate(&iv, M_CPU_IOWAIT, row)));
	CHECK_INT(interval_why(&iv, M_CPU_IOWAIT, row), WHY_RESET);
	CHECK_NEAR(interval_rate(&iv, M_CPU_USER, row), 0.3, 1e-9);
	CHECK_NEAR(interval_value(&iv, M_CPU_BUSY, row), 0.4, 1e-9);
	CHECK_INT((int)iv.resets, 1);
	interval_done(&iv);
	rig_close(&r);
}

TEST(three_hundred_cpus_are_three_hundred_rows)
{
	struct buf b = { 0 };
	struct rig r;
	char name[16];

	buf_str(&b, "cpu  1 2 3 4 5 6 7 8 9 10\n");
	for (int i = 0; i < 300; i++)
		buf_printf(&b, "cpu%d %d 2 3 4 5 6 7 8 9 10\n", i, 100 * i);
	buf_str(&b, "intr 77");
	for (int i = 0; i < 5000; i++)
		buf_str(&b, " 0");
	buf_str(&b, "\nctxt 5\n");
	unit_file("proc/stat", b.data);
	rig_open(&r, &collector_cpu);
	CHECK_INT(rig_read(&r), 0);
	CHECK_INT((int)snapshot_rows(&r.snap[1], SCOPE_CPU), 300);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "cpu%d", i);
		CHECK_NEAR(cpu_value(&r, M_CPU_USER, name), i, 1e-9);
	}
	CHECK_NEAR(system_level(&r, M_INTR), 77, 0);
	CHECK_NEAR(system_level(&r, M_CTXT), 5, 0);
	buf_done(&b);
	rig_close(&r);
}

TEST(a_proc_stat_that_is_cut_short_does_not_give_half_a_number)
{
	struct rig r;

	unit_file("proc/stat", "cpu0 100 10 20 2000 20\ncpu1 100 1");
	rig_open(&r, &collector_cpu);
	CHECK_INT(rig_read(&r), 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_IOWAIT, "cpu0"), 0.2, 1e-9);
	CHECK(isnan(cpu_value(&r, M_CPU_STEAL, "cpu0")));
	CHECK(snapshot_find_name(&r.snap[1], SCOPE_CPU, "cpu1") == SIZE_MAX);
	rig_close(&r);
}

TEST(garbage_in_proc_stat_makes_no_rows_and_no_values)
{
	static const char *const garbage[] = {
		"",
		"\n\n\n",
		"cpu\ncpux 1 2\ncpu-1 5\ncpu99999999999 1\ncpu1a 5 5 5\n",
		"intr\nsoftirq -1 x\nctxt \x01\xff\n",
		"cpu 99999999999999999999999999 1 2\n",
		"procs_running 1e9x\nctxt -4\n",
		"\xff\xfe\xfd",
	};
	struct rig r;

	rig_open(&r, &collector_cpu);
	for (size_t i = 0; i < sizeof(garbage) / sizeof(*garbage); i++) {
		unit_file("proc/stat", garbage[i]);
		CHECK_INT(rig_read(&r), 0);
		CHECK_INT((int)snapshot_rows(&r.snap[1], SCOPE_CPU), 0);
		CHECK(isnan(system_level(&r, M_SYS_USER)));
		CHECK(isnan(system_level(&r, M_SYS_CPUS)));
		CHECK(isnan(system_level(&r, M_CTXT)));
		CHECK(isnan(system_level(&r, M_SOFTIRQ_HI)));
	}
	rig_close(&r);
}

TEST(a_word_in_a_cpu_line_ends_what_is_known_of_it)
{
	struct rig r;

	unit_file("proc/stat", "cpu0 100 10 oops 2000 20 1 2 3 4 1\n");
	rig_open(&r, &collector_cpu);
	CHECK_INT(rig_read(&r), 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_NICE, "cpu0"), 0.1, 1e-9);
	CHECK(isnan(cpu_value(&r, M_CPU_SYSTEM, "cpu0")));
	CHECK(isnan(cpu_value(&r, M_CPU_IDLE, "cpu0")));
	rig_close(&r);
}

TEST(no_proc_stat_is_an_error_that_is_told_once)
{
	struct rig r;

	rig_open(&r, &collector_cpu);
	CHECK(rig_read(&r) < 0);
	CHECK(rig_read(&r) < 0);
	CHECK_INT((int)r.nstatus, 1);
	CHECK_STR(r.status[0].name, "proc/stat");
	unit_file("proc/stat", stat_two);
	CHECK_INT(rig_read(&r), 0);
	CHECK_INT((int)r.nstatus, 1);
	CHECK_INT(r.status[0].code, 0);
	rig_close(&r);
}

/* ---- softirqs ---- */

TEST(softirqs_of_cpus_that_are_not_plugged_in_make_no_rows)
{
	struct rig r;

	unit_file("proc/softirqs", "                    CPU0       CPU1       CPU2       CPU3\n"
				   "          HI:          0          0          0          0\n"
				   "       TIMER:      13340      11480          0          0\n"
				   "      NET_TX:          4          0          0          0\n"
				   "      NET_RX:        511        680          0          0\n"
				   "     NEWKIND:          1          1          1          1\n"
				   "         RCU:         77         78          0          0\n");
	rig_open(&r, &collector_softirqs);
	CHECK_INT(rig_read(&r), 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_SI_HI, "cpu0"), 0, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_SI_TIMER, "cpu1"), 11480, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_SI_NET_RX, "cpu1"), 680, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_SI_NET_TX, "cpu1"), 0, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_SI_RCU, "cpu0"), 77, 0);
	CHECK(isnan(cpu_value(&r, M_CPU_SI_BLOCK, "cpu0")));
	rig_close(&r);
}

TEST(an_idle_column_of_softirqs_is_no_cpu)
{
	struct rig r;

	unit_file("proc/softirqs", "   CPU0  CPU1\nHI:  0  0\nTIMER: 5 0\n");
	rig_open(&r, &collector_softirqs);
	CHECK_INT(rig_read(&r), 0);
	CHECK_INT((int)snapshot_rows(&r.snap[1], SCOPE_CPU), 1);
	rig_close(&r);
}

TEST(garbage_in_softirqs_is_survived)
{
	static const char *const garbage[] = {
		"", "CPU0", "CPU0 CPUx CPU1\nTIMER: 1 2 3 4 5 6\n", "\n\n:\n::::\n",
		"CPU0 CPU1\nTIMER: x 2\nHI\nNET_RX: 18446744073709551616 1\n"
	};
	struct rig r;

	rig_open(&r, &collector_softirqs);
	for (size_t i = 0; i < sizeof(garbage) / sizeof(*garbage); i++) {
		unit_file("proc/softirqs", garbage[i]);
		CHECK_INT(rig_read(&r), 0);
		CHECK(snapshot_rows(&r.snap[1], SCOPE_CPU) <= 1);
	}
	rig_close(&r);
}

/* ---- interrupts ---- */

TEST(interrupts_are_told_by_line_and_by_cpu)
{
	struct rig r;
	size_t row;

	unit_file("proc/interrupts",
		  "           CPU0       CPU2       \n"
		  "  4:          5         10   IO-APIC   4-edge      ttyS0\n"
		  " 36:          0      46832   PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0\n"
		  "LOC:      29468      25713   Local timer interrupts\n"
		  "RES:       5283       4058   Rescheduling interrupts\n"
		  "CAL:      29776      22594   Function call interrupts\n"
		  "TLB:       2577       1864   TLB shootdowns\n"
		  "MCE:          0          2   Machine check exceptions\n"
		  "ERR:          7\n");
	rig_open(&r, &collector_interrupts);
	CHECK_INT(rig_read(&r), 0);
	row = snapshot_find_name(&r.snap[1], SCOPE_IRQ, "36");
	CHECK_NEAR(snapshot_value(&r.snap[1], M_IRQ_COUNT, row), 46832, 0);
	CHECK_STR(snapshot_text(&r.snap[1], M_IRQ_WHAT, row),
		  "PCI-MSIX-0000:00:02.0 1-edge virtio1-req.0");
	row = snapshot_find_name(&r.snap[1], SCOPE_IRQ, "LOC");
	CHECK_NEAR(snapshot_value(&r.snap[1], M_IRQ_COUNT, row), 55181, 0);
	row = snapshot_find_name(&r.snap[1], SCOPE_IRQ, "ERR");
	CHECK_NEAR(snapshot_value(&r.snap[1], M_IRQ_COUNT, row), 7, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_IRQ_LOC, "cpu2"), 25713, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_IRQ_TLB, "cpu0"), 2577, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_IRQ_MCE, "cpu2"), 2, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_IRQ_DEVICE, "cpu0"), 5, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_IRQ_DEVICE, "cpu2"), 46842, 0);
	CHECK(snapshot_find_name(&r.snap[1], SCOPE_CPU, "cpu1") == SIZE_MAX);
	rig_close(&r);
}

TEST(interrupts_of_arm_are_told_by_their_text)
{
	struct rig r;

	unit_file("proc/interrupts",
		  "           CPU0       CPU1\n"
		  " 11:     111111     222222     GICv3  27 Level     arch_timer\n"
		  " 14:       1234          0     GICv3  79 Edge      virtio0\n"
		  "IPI0:      5283       4058       Rescheduling interrupts\n"
		  "IPI1:     29776      22594       Function call interrupts\n"
		  "Err:          0\n");
	rig_open(&r, &collector_interrupts);
	CHECK_INT(rig_read(&r), 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_IRQ_LOC, "cpu1"), 222222, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_IRQ_RES, "cpu0"), 5283, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_IRQ_CAL, "cpu1"), 22594, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_IRQ_DEVICE, "cpu0"), 1234, 0);
	CHECK(isnan(cpu_value(&r, M_CPU_IRQ_TLB, "cpu0")));
	rig_close(&r);
}

TEST(garbage_in_interrupts_is_survived)
{
	static const char *const garbage[] = {
		"",
		"\n",
		"CPU0\n",
		"no head\n 1: 5\n",
		"CPU0\n:\n : 5\n1 5 5\n",
		"CPU0 CPU1\n1: 5\n2: 99999999999999999999999 3 x\n3:\n"
	};
	struct rig r;

	rig_open(&r, &collector_interrupts);
	for (size_t i = 0; i < sizeof(garbage) / sizeof(*garbage); i++) {
		unit_file("proc/interrupts", garbage[i]);
		CHECK_INT(rig_read(&r), 0);
	}
	CHECK_NEAR(cpu_value(&r, M_CPU_IRQ_DEVICE, "cpu0"), 5, 0);
	rig_close(&r);
}

/* ---- schedstat ---- */

TEST(schedstat_gives_run_and_wait_in_nanoseconds)
{
	struct rig r;

	unit_file("proc/schedstat", "version 16\ntimestamp 4294937296\n"
				    "cpu0 0 0 0 0 0 0 2000000000 3500000000 1234\n"
				    "domain0 MC 00000000,00000003 1 2 3 4 5 6 7 8 9 10\n"
				    "cpu1 7 0 900 5 6 7 1000000000 500000000 99\n");
	rig_open(&r, &collector_schedstat);
	CHECK_INT(rig_read(&r), 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_RUN, "cpu0"), 2.0, 1e-9);
	CHECK_NEAR(cpu_value(&r, M_CPU_RUNNABLE, "cpu0"), 3.5, 1e-9);
	CHECK_NEAR(cpu_value(&r, M_CPU_SLICES, "cpu0"), 1234, 0);
	CHECK(isnan(cpu_value(&r, M_CPU_YIELDS, "cpu0")));
	CHECK_NEAR(cpu_value(&r, M_CPU_YIELDS, "cpu1"), 7, 0);
	CHECK_INT(r.status[0].code, 0);
	rig_close(&r);
}

TEST(a_schedstat_of_another_version_is_unknown)
{
	struct rig r;

	unit_file("proc/schedstat", "version 99\ntimestamp 1\ncpu0 1 2 3 4 5 6 7 8 9\n");
	rig_open(&r, &collector_schedstat);
	CHECK_INT(rig_read(&r), 0);
	CHECK_INT((int)snapshot_rows(&r.snap[1], SCOPE_CPU), 0);
	CHECK(r.status[0].code < 0);
	CHECK_HAS(r.status[0].why, "99");
	unit_file("proc/schedstat", "version 15\ntimestamp 1\ncpu0 1 2 3 4 5 6 7 8\ncpu1 1 2 3\n");
	CHECK_INT(rig_read(&r), 0);
	CHECK_INT((int)snapshot_rows(&r.snap[1], SCOPE_CPU), 0);
	rig_close(&r);
}

TEST(a_kernel_without_schedstat_says_so)
{
	struct rig r;

	rig_open(&r, &collector_schedstat);
	CHECK_INT(rig_read(&r), 0);
	CHECK_HAS(r.status[0].why, "CONFIG_SCHEDSTATS");
	rig_close(&r);
}

/* ---- sysfs ---- */

static void cpu_file(unsigned cpu, const char *what, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%u/%s", cpu, what);
	unit_file(path, text);
}

TEST(topology_counts_packages_and_cores)
{
	struct rig r;

	for (unsigned i = 0; i < 8; i++) {
		char core[16];

		snprintf(core, sizeof(core), "%u,%u\n", i % 4, i % 4 + 4);
		cpu_file(i, "topology/core_cpus_list", core);
		cpu_file(i, "topology/package_cpus_list", i % 4 < 2 ? "0-1,4-5\n" : "2-3,6-7\n");
		cpu_file(i, "topology/physical_package_id", i % 4 < 2 ? "0\n" : "1\n");
	}
	unit_file("sys/devices/system/cpu/isolated", "3,7\n");
	unit_file("sys/devices/system/cpu/nohz_full", "  (null)\n");
	unit_file("sys/devices/system/cpu/cpufreq/boost", "1\n");
	unit_file(
		"proc/cpuinfo",
		"processor\t: 0\nvendor_id\t: GenuineIntel\nmodel\t\t: 85\nmodel name\t: Xeon(R)\x1b[2J @ 3GHz\n");
	rig_open(&r, &collector_cpus);
	CHECK_INT(rig_read(&r), 0);
	CHECK_NEAR(system_level(&r, M_CPU_CORES), 4, 0);
	CHECK_NEAR(system_level(&r, M_CPU_PACKAGES), 2, 0);
	CHECK_STR(snapshot_text(&r.snap[1], M_CPU_MODEL, 0), "Xeon(R)\x1b[2J @ 3GHz");
	CHECK_NEAR(cpu_value(&r, M_CPU_CORE, "cpu6"), 2, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_PACKAGE, "cpu7"), 1, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_ISOLATED, "cpu3"), 1, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_ISOLATED, "cpu4"), 0, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_NOHZ_FULL, "cpu3"), 0, 0);
	CHECK(isnan(cpu_value(&r, M_CPU_FREQ, "cpu0")));
	CHECK(isnan(cpu_value(&r, M_CPU_CORE_THROTTLES, "cpu0")));
	rig_close(&r);
}

TEST(frequencies_and_throttling_are_read_per_cpu)
{
	struct rig r;

	for (unsigned i = 0; i < 2; i++) {
		cpu_file(i, "cpufreq/cpuinfo_max_freq", "3500000\n");
		cpu_file(i, "cpufreq/scaling_max_freq", "3500000\n");
		cpu_file(i, "cpufreq/scaling_cur_freq", i ? "1200000\n" : "3400000\n");
		cpu_file(i, "cpufreq/scaling_governor", "powersave\n");
		cpu_file(i, "thermal_throttle/core_throttle_count", "12\n");
		cpu_file(i, "thermal_throttle/core_throttle_total_time_ms", "4500\n");
	}
	cpu_file(1, "cpufreq/bios_limit", "2000000\n");
	rig_open(&r, &collector_cpus);
	CHECK_INT(rig_read(&r), 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_FREQ, "cpu1"), 1.2e9, 1);
	CHECK_NEAR(cpu_value(&r, M_CPU_FREQ_MAX, "cpu1"), 3.5e9, 1);
	CHECK_NEAR(cpu_value(&r, M_CPU_FREQ_LIMIT, "cpu0"), 3.5e9, 1);
	CHECK_NEAR(cpu_value(&r, M_CPU_FREQ_LIMIT, "cpu1"), 2.0e9, 1);
	CHECK_NEAR(cpu_value(&r, M_CPU_CORE_THROTTLES, "cpu0"), 12, 0);
	CHECK_NEAR(cpu_value(&r, M_CPU_CORE_THROTTLED, "cpu0"), 4.5, 1e-9);
	CHECK(isnan(cpu_value(&r, M_CPU_PACKAGE_THROTTLES, "cpu0")));
	rig_close(&r);
}
