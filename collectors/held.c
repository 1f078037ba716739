/* SPDX-License-Identifier: Apache-2.0 */
/* Files that stay open. */
#include "collectors/held.h"

#include <unistd.h>

int held_read(struct held *h, const struct root *root, struct buf *b, struct text *text)
{
	int err;

	*text = text_n(NULL, 0);
	if (!root->live) {
		err = root_read(root, h->path, b, ROOT_FILE_CAP);
	} else {
		if (!h->fd) {
			int fd = root_openat(root, h->path);

			if (fd < 0)
				return fd;
			h->fd = fd + 1;
		}
		err = root_reread(h->fd - 1, b, ROOT_FILE_CAP);
	}
	if (!err)
		*text = text_n(b->data, b->len);
	return err;
}

void held_close(struct held *h)
{
	if (h->fd)
		close(h->fd - 1);
	h->fd = 0;
}

struct text whole_lines(struct text t)
{
	const char *last = text_last(t, '\n');

	return last ? text_n(t.p, (size_t)(last + 1 - t.p)) : text_n(NULL, 0);
}
