/* SPDX-License-Identifier: Apache-2.0 */
/* gzip in memory. A few bytes may unpack to any number: there is a limit, and it is the caller's. */
#include "base/gzip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define CHUNK     (64u << 10)
#define WITH_GZIP (15 + 16) /* window bits, and a gzip header instead of zlib's */

bool gzip_is(struct text t)
{
	return text_len(t) > 2 && (unsigned char)t.p[0] == 0x1f && (unsigned char)t.p[1] == 0x8b;
}

/* One member. z->next_in moves behind it. */
static int unpack_member(z_stream *z, struct buf *out, size_t most, struct err *e)
{
	int state = Z_OK;

	while (state != Z_STREAM_END) {
		uInt was;

		buf_reserve(out, CHUNK);
		was = z->avail_out = CHUNK;
		z->next_out = (Bytef *)out->data + out->len;
		state = inflate(z, Z_NO_FLUSH);
		out->len += was - z->avail_out;
		out->data[out->len] = '\0';
		if (state != Z_OK && state != Z_STREAM_END)
			return err_set(e, -EINVAL, "gzip: %s",
				       state == Z_BUF_ERROR ? "it ends in the middle"
							    : "it is damaged");
		if (out->len > most)
			return err_set(e, -EFBIG, "gzip: unpacked it is larger than %zu MiB",
				       most >> 20);
	}
	return 0;
}

int gzip_unpack(struct text t, struct buf *out, size_t cap, struct err *e)
{
	size_t most = out->len + cap;
	int err = 0;

	if (text_len(t) > UINT32_MAX)
		return err_set(e, -EFBIG, "gzip: larger than 4 GiB");
	do {
		z_stream z = { .next_in = (Bytef *)t.p, .avail_in = (uInt)text_len(t) };

		if (inflateInit2(&z, WITH_GZIP) != Z_OK)
			return err_set(e, -ENOMEM, "gzip: no memory");
		err = unpack_member(&z, out, most, e);
		t.p = (const char *)z.next_in;
		inflateEnd(&z);
	} while (!err && gzip_is(t));
	return err;
}

void gzip_pack(struct text t, struct buf *out)
{
	z_stream z = { .next_in = (Bytef *)t.p };
	size_t left = text_len(t);
	int state = Z_OK;

	if (deflateInit2(&z, 6, Z_DEFLATED, WITH_GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort(); /* a few hundred KiB of our own: like mem_alloc() */
	while (state != Z_STREAM_END) {
		if (!z.avail_in && left) {
			z.avail_in = left > 1u << 30 ? 1u << 30 : (uInt)left;
			left -= z.avail_in;
		}
		buf_reserve(out, CHUNK);
		z.avail_out = CHUNK;
		z.next_out = (Bytef *)out->data + out->len;
		state = deflate(&z, left ? Z_NO_FLUSH : Z_FINISH);
		out->len += CHUNK - z.avail_out;
		out->data[out->len] = '\0';
	}
	deflateEnd(&z);
}
