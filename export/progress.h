/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_EXPORT_PROGRESS_H
#define SIXTY_EXPORT_PROGRESS_H

#include "base/buf.h"
#include "export/exporter.h"
#include "model/view.h"

/* The picture on a terminal while the window is watched: how far, and what the last second looked like. `drawn` is
 * what the call before returned (0 at first): its lines are overwritten. v->nseconds may be 0. Returns lines drawn. */
unsigned progress_draw(struct buf *out, const struct view *v, double elapsed, double total,
		       const struct style *s, unsigned drawn);

/* Take the picture off the screen; the cursor is where it was before the first draw. */
void progress_clear(struct buf *out, unsigned drawn);

#endif
