/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_SHAPES_H
#define SIXTY_COLLECTORS_SHAPES_H

#include "base/text.h"
#include "model/snapshot.h"

/* Text of a generic shape turned into cells, for whoever has the text: files of files.def, or the same files of
 * another namespace. What is missing stays absent: a short line or an unknown key is normal, kernels differ. */
struct want { /* one source of one metric */
	const char *key;
	size_t key_len;
	int col;
	enum metric_id id;
	unsigned source;
	enum scale scale;
};

struct wants { /* all that a file is read for, sorted by key or by column */
	struct want *list;
	size_t n;
};

void wants_find(struct wants *w, enum file_id file);
void wants_done(struct wants *w);

/* row is the one to fill; SHAPE_DEVICES makes rows of `scope` itself. */
void shape_read(enum file_shape shape, const struct wants *w, struct text in, struct snapshot *out,
		enum scope scope, size_t row);

#endif
