/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CMD_CATALOGUE_H
#define SIXTY_CMD_CATALOGUE_H

#include "base/buf.h"
#include "base/json.h"
#include "checklist/rule.h"
#include "model/metric.h"

/* The tables of metrics, rules, collectors and files in words: what list, explain and docs/ are made of. */

/* "proc/vmstat, pswpin", "proc/diskstats, word 13", "proc/PID/stat". Returns out. */
const char *catalogue_source(const struct metric *m, unsigned source, char *out, size_t size);
/* "bytes/s", "ratio", "text"; "number" for what has no unit. */
const char *catalogue_unit(const struct metric *m);
const char *catalogue_pace(enum file_pace pace);

void catalogue_rule_json(struct json *j, const char *key, const struct rule *r);
void catalogue_metric_json(struct json *j, const char *key, enum metric_id id);

/* Pages of docs/, with the note that they are generated. */
void catalogue_metrics_page(struct buf *out);
void catalogue_rules_page(struct buf *out);

#endif
