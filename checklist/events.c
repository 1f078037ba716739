/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the kernel log as rules ask about them. */
#include "checklist/events.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

size_t event_count(const struct view *v)
{
	return snapshot_rows(v->last, SCOPE_EVENT);
}

static const char *text_or_empty(const struct view *v, enum metric_id id, size_t row)
{
	const char *s = snapshot_text(v->last, id, row);

	return s ? s : "";
}

bool event_at(const struct view *v, size_t row, struct event_row *out)
{
	double start = (double)v->window->start_ns * 1e-9, end = (double)v->window->end_ns * 1e-9;
	double time = snapshot_value(v->last, M_EVENT_TIME, row),
	       kind = snapshot_value(v->last, M_EVENT_KIND, row);
	double pid = snapshot_value(v->last, M_EVENT_PID, row),
	       facility = snapshot_value(v->last, M_EVENT_FACILITY, row);
	bool live = snapshot_value(v->last, M_EVENT_LIVE, row) == 1 ||
		    (time >= start && time <= end);

	if (isnan(time) || isnan(kind) || kind < 0 || kind >= EVENT_MAX)
		return false;
	if (!live && (time < start - EVENT_JUST_BEFORE || time > end))
		return false;
	*out = (struct event_row){
		.row = row,
		.kind = (enum event_kind)kind,
		.live = live,
		.kernel = !(facility > 0),
		.level = (unsigned)whole(snapshot_value(v->last, M_EVENT_LEVEL, row)),
		.age = fmax(0, end - time),
		.device = text_or_empty(v, M_EVENT_DEVICE, row),
		.comm = text_or_empty(v, M_EVENT_COMM, row),
		.text = text_or_empty(v, M_EVENT_TEXT, row),
		.pid = whole(pid),
	};
	return true;
}

bool events_known(const struct view *v, const char **why)
{
	*why = "the kernel log was not read";
	for (size_t i = 0; i < v->nstatus; i++)
		if (!strcmp(v->status[i].name, files[F_KMSG].path)) {
			*why = v->status[i].why;
			return v->status[i].code == 0;
		}
	return v->last->tables[SCOPE_EVENT].time_ns != 0;
}

/* "sda1" of "sda", "nvme0n1p2" of "nvme0n1"; "loop11" is no partition of "loop1". */
static bool is_partition_of(const char *device, const char *disk)
{
	size_t n = strlen(disk);
	const char *rest = device + n;

	if (!n || strncmp(device, disk, n))
		return false;
	if (disk[n - 1] >= '0' && disk[n - 1] <= '9' && *rest++ != 'p')
		return false;
	return *rest && rest[strspn(rest, "0123456789")] == '\0';
}

/* Disk whose name is a prefix of the device's, as partitions have it, or the other way round, as controllers have it. */
void event_disk(const struct view *v, const char *device, char *out, size_t size)
{
	size_t best = 0;

	snprintf(out, size, "%s", device);
	if (!*device || snapshot_find_name(v->last, SCOPE_DISK, device) != SIZE_MAX)
		return;
	for (size_t r = 0; r < snapshot_rows(v->last, SCOPE_DISK); r++) {
		const char *name = snapshot_name(v->last, SCOPE_DISK, r);
		size_t n = strlen(name), m = strlen(device);
		bool partition = is_partition_of(device, name);
		bool controller = m < n && !strncmp(device, name, m) && name[m] == 'n';

		if (!strcmp(name, device)) {
			snprintf(out, size, "%s", name);
			return;
		}
		if ((partition || controller) && n > best) {
			best = n;
			snprintf(out, size, "%s", name);
		}
	}
}
