/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_ENGINE_LEDGER_H
#define SIXTY_ENGINE_LEDGER_H

#include "bpf/wire.h"
#include "model/report.h"

struct bpf_engine;

/* CPU time and memory of this process and its children. */
void ledger_self(struct ledger *l);

/* What the programs of the engine have cost and lost. before: counts at the beginning of what is reported, or NULL for all since
 * they were loaded; events are counted since then. */
void ledger_bpf(struct ledger *l, struct bpf_engine *b, const struct wire_counts *before);

#endif
