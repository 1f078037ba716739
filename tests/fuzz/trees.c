/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz every collector through the tree that it reads: the input is written to files of a small /proc and /sys, and
 * all collectors read it twice. Input: parts, each behind a line "@0 path" or "@1 path" for the two readings. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "collectors/collector.h"
#include "model/interval.h"

static char top[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level ? remove(path) : 0;
}

static void clear_tree(void)
{
	nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void remove_tree(void)
{
	clear_tree();
	rmdir(top);
}

/* One tree for the life of the fuzzer, in memory where that is possible. */
static void make_top(void)
{
	if (*top)
		return;
	snprintf(top, sizeof(top), "%s/sixty-fuzz-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	require(mkdtemp(top) != NULL);
	atexit(remove_tree);
}

/* Plain relative paths only: the fuzzer writes below its own directory and nowhere else. */
static bool harmless(struct text path)
{
	return text_len(path) > 0 && text_len(path) < 200 && *path.p != '/' &&
	       !text_has(path, "..") && !memchr(path.p, '\0', text_len(path));
}

static void put_file(struct text path, struct text contents)
{
	char full[320];
	int fd;

	snprintf(full, sizeof(full), "%s/%.*s", top, (int)text_len(path), path.p);
	for (char *p = full + strlen(top) + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			mkdir(full, 0755);
			*p = '/';
		}
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		return;
	require(write(fd, contents.p, text_len(contents)) >= 0);
	close(fd);
}

static void write_tree(struct text in, const char *which)
{
	struct text line, step, path;

	clear_tree();
	while (text_line(&in, &line)) {
		struct text rest = in, contents = { in.p, in.p };

		if (!text_skip(&line, "@") || !text_word(&line, &step) || !text_word(&line, &path))
			continue;
		while (rest.p < rest.end && *rest.p != '@' && text_line(&rest, &line))
			contents.end = rest.p;
		in = rest;
		/* what the second reading does not say is as before */
		if ((text_eq(step, "0") || text_eq(step, which)) && harmless(path))
			put_file(path, contents);
	}
}

struct session {
	struct root root;
	struct status *status;
	size_t nstatus, cap;
	struct collector_env env;
};

static void read_all(struct session *s, const struct collector *c, struct text in)
{
	void *state = mem_alloc(c->state_size ? c->state_size : 1);
	struct snapshot a, b;
	struct interval iv;
	struct err e = { 0 };

	snapshot_init(&a, &fuzz_host);
	snapshot_init(&b, &fuzz_host);
	interval_init(&iv, &fuzz_host);
	write_tree(in, "0");
	if (!c->open || !c->open(state, &s->env, &e)) {
		c->read(state, &a, &e);
		if (c->tick)
			c->tick(state, 1100000000);
		write_tree(in, "1");
		s->env.closing = true;
		c->read(state, &b, &e);
		s->env.closing = false;
		interval_diff(&iv, &a, &b);
	}
	if (c->close)
		c->close(state);
	mem_free(state);
	interval_done(&iv);
	snapshot_done(&a);
	snapshot_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned choice = fuzz_choice(&data, &size);
	struct text in = fuzz_copy(data, size);
	struct session s = { 0 };
	size_t n = 0;

	metrics_init();
	make_top();
	while (collectors[n])
		n++;
	require(!root_open(&s.root, top, NULL));
	require(!s.root.live);
	s.env = (struct collector_env){
		.root = &s.root,
		.host = &fuzz_host,
		.status = &s.status,
		.nstatus = &s.nstatus,
		.status_cap = &s.cap,
	};
	read_all(&s, collectors[choice % n], in);
	mem_free(s.status);
	root_close(&s.root);
	free((char *)in.p);
	return 0;
}
