/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CHECKLIST_CLAIMS_H
#define SIXTY_CHECKLIST_CLAIMS_H

#include "model/report.h"
#include "model/view.h"

/* Put each finding that another one explains under it, as a symptom. Expects the findings ranked. */
void claims_fold_symptoms(struct findings *fs);

/* Let the findings, first to last, claim the lost seconds of their victims. What an earlier one has claimed is gone:
 * a later finding keeps the rest, and goes under the earlier one when little is left. Fills lost_total and explained. */
void claims_settle(const struct view *v, struct report *out);

/* Waiting of a niced or batch process for a CPU is what it was niced for. */
bool claims_is_background(const struct view *v, struct row_id process);

#endif
