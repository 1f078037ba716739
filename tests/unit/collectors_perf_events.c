/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/perf_events.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>

#include "collectors/perf_pmu.h"
#include "tests/unit/unit.h"

#define DEVICES "sys/bus/event_source/devices/"

static struct root root;
static struct perf_event ev;
static struct err e;

static void open_tree(void)
{
	unit_file(DEVICES "cpu/type", "4\n");
	unit_file(DEVICES "cpu/format/event", "config:0-7,32-35\n");
	unit_file(DEVICES "cpu/format/umask", "config:8-15\n");
	unit_file(DEVICES "cpu/format/ldlat", "config1:0-15\n");
	unit_file(DEVICES "cpu/events/slots", "event=0x00,umask=0x4\n");
	unit_file(DEVICES "cpu/events/loop", "loop\n");
	unit_file(DEVICES "power/type", "23\n");
	unit_file(DEVICES "power/cpumask", "0,4\n");
	unit_file(DEVICES "power/format/event", "config:0-7\n");
	unit_file(DEVICES "power/events/energy-pkg", "event=0x02\n");
	unit_file(DEVICES "power/events/energy-pkg.scale", "2.3283064365386962890625e-10\n");
	unit_file(DEVICES "power/events/energy-pkg.unit", "Joules\n");
	unit_file("sys/kernel/tracing/available_events", "");
	unit_file("sys/kernel/tracing/events/sched/sched_switch/id", "314\n");
	CHECK_INT(root_open(&root, unit_tmpdir(), &e), 0);
}

static int find(const char *name)
{
	if (root.fd <= 0)
		open_tree();
	return perf_event_find(&root, name, &ev, &e);
}

TEST(generic_events_are_known_by_their_names_without_a_question)
{
	CHECK_INT(find("cycles"), 0);
	CHECK_UINT(ev.type, PERF_TYPE_HARDWARE);
	CHECK_UINT(ev.config, PERF_COUNT_HW_CPU_CYCLES);
	CHECK_INT(ev.role, COUNT_CYCLES);
	CHECK_INT(find("page-faults"), 0);
	CHECK_UINT(ev.type, PERF_TYPE_SOFTWARE);
	CHECK(ev.user && ev.kernel);
}

TEST(a_clock_is_counted_in_seconds)
{
	CHECK_INT(find("task-clock"), 0);
	CHECK_STR(ev.unit, "s");
	CHECK_NEAR(ev.scale, 1e-9, 1e-15);
}

TEST(an_event_is_counted_where_its_modifier_says)
{
	CHECK_INT(find("cycles:u"), 0);
	CHECK(ev.user && !ev.kernel);
	CHECK_INT(find("cycles:k"), 0);
	CHECK(!ev.user && ev.kernel);
	CHECK_INT(find("sched:sched_switch:k"), 0);
	CHECK_UINT(ev.config, 314);
	CHECK(!ev.user && ev.kernel);
}

TEST(a_raw_event_is_the_number_in_the_manual)
{
	CHECK_INT(find("r1a2"), 0);
	CHECK_UINT(ev.type, PERF_TYPE_RAW);
	CHECK_UINT(ev.config, 0x1a2);
}

TEST(an_event_of_a_pmu_is_put_together_from_its_terms)
{
	CHECK_INT(find("cpu/slots/"), 0);
	CHECK_UINT(ev.type, 4);
	CHECK_UINT(ev.config, 0x400);
	CHECK_INT(ev.role, COUNT_SLOTS);
	CHECK_INT(find("cpu/event=0x1cd,umask=1,ldlat=3/"), 0);
	CHECK_UINT(ev.config, 0x1000001cd);
	CHECK_UINT(ev.config1, 3);
	CHECK_INT(find("cpu/config=0x1234/u"), -EINVAL);
	CHECK_INT(find("cpu/config=0x1234/:u"), 0);
	CHECK_UINT(ev.config, 0x1234);
}

TEST(an_event_of_a_pmu_brings_its_unit)
{
	uint64_t mask[2] = { 0 };

	CHECK_INT(find("power/energy-pkg/"), 0);
	CHECK_STR(ev.unit, "Joules");
	CHECK_NEAR(ev.scale, 2.3283064365386962890625e-10, 1e-20);
	CHECK(perf_pmu_cpus(&root, ev.pmu, mask, 2));
	CHECK_UINT(mask[0], 0x11);
	CHECK(!perf_pmu_cpus(&root, "cpu", mask, 2));
}

TEST(what_a_pmu_has_not_is_told_with_the_place_to_look)
{
	CHECK_INT(find("cpu/nothing/"), -ENOENT);
	CHECK_HAS(e.msg, "cpu/events");
	CHECK_INT(find("gpu/slots/"), -ENOENT);
	CHECK_HAS(e.msg, "there is no PMU 'gpu'");
	CHECK_INT(find("cpu/event=0x10000/"), -ENOENT);
	CHECK_HAS(e.msg, "too large");
	CHECK_INT(find("cpu/loop/"), -ENOENT);
	CHECK_INT(find("cpu/../x/"), -EINVAL);
	CHECK_INT(find("../cpu/slots/"), -EINVAL);
	CHECK_INT(find("cpu/event=zero/"), -EINVAL);
	CHECK_INT(find("/"), -EINVAL);
}

TEST(a_tracepoint_is_found_by_its_number)
{
	CHECK_INT(find("sched:sched_switch"), 0);
	CHECK_UINT(ev.type, PERF_TYPE_TRACEPOINT);
	CHECK_UINT(ev.config, 314);
}

TEST(an_event_that_nobody_knows_is_told_with_what_names_are)
{
	char longer[COUNT_NAME + 2];

	CHECK_INT(find("no_such_event"), -ENOENT);
	CHECK_HAS(e.msg, "no_such_event");
	CHECK_HAS(e.msg, "sched:sched_switch");
	CHECK_INT(find("sched:no_such"), -ENOENT);
	CHECK_INT(find("sched:../../../type"), -EINVAL);
	CHECK_INT(find(""), -EINVAL);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CHECK_INT(find(longer), -EINVAL);
}
