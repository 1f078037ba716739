/* SPDX-License-Identifier: Apache-2.0 */
/* What only the owner of a machine can tell or do: command lines, names of users, settings; top_deeds.c has the rest.
 *
 * Reading /proc/PID/cmdline may hang with the memory of the process that it is about: a child does it, with a deadline. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/child.h"
#include "base/mem.h"
#include "base/root.h"
#include "base/text.h"
#include "cmd/top.h"
#include "tui/procs.h"

#define COMMANDS     8192 /* that are kept; then all are forgotten */
#define COMMAND_MOST 1024 /* bytes of one */
#define WISHES       256
#define ASK_MS       60
#define USERS_MOST   4096

struct wish {
	int64_t pid;
	uint64_t birth;
};

struct command_line {
	struct wish who;
	char *text; /* "": it has none, or it could not be read */
};

struct user {
	int64_t uid;
	char name[33];
};

struct owner {
	struct ui_owner ui;
	struct child child;
	bool asks;
	struct command_line *lines; /* by hash of the number; COMMANDS * 2 places */
	size_t nlines;
	struct wish wishes[WISHES];
	size_t nwishes;
	struct user *users;
	size_t nusers, users_cap;
};

/* ---- in the child ---- */

/* Behind the last parenthesis, the 20th word. */
uint64_t owner_birth_of(int64_t pid)
{
	char path[40], text[1024];
	struct text rest, word;
	uint64_t birth = 0;
	const char *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text));
	close(fd);
	rest = text_n(text, n > 0 ? (size_t)n : 0);
	end = text_last(rest, ')');
	if (!end)
		return 0;
	rest.p = end + 1;
	for (int i = 0; i < 20; i++)
		if (!text_word(&rest, &word))
			return 0;
	return text_is_u64(word, &birth) ? birth : 0;
}

static void add_command(struct buf *answer, const struct wish *w)
{
	char path[40], text[COMMAND_MOST];
	uint32_t n = 0;
	ssize_t got = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%lld/cmdline", (long long)w->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		got = read(fd, text, sizeof(text));
		close(fd);
	}
	if (got > 0 && owner_birth_of(w->pid) == w->birth)
		n = (uint32_t)got;
	while (n && !text[n - 1])
		n--;
	for (uint32_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
	buf_add(answer, &n, sizeof(n));
	buf_add(answer, text, n);
}

static int answer_commands(void *ctx, const void *request, size_t n, struct buf *answer, int *fd)
{
	const struct wish *list = request;

	(void)ctx;
	(void)fd;
	for (size_t i = 0; i < n / sizeof(*list); i++) {
		struct wish w;

		memcpy(&w, list + i, sizeof(w));
		add_command(answer, &w);
	}
	return 0;
}

/* ---- what is known ---- */

static struct command_line *place_of(const struct owner *o, int64_t pid)
{
	size_t i = (uint64_t)pid * 0x9e3779b97f4a7c15u >> 50; /* 14 bits: COMMANDS * 2 */

	while (o->lines[i].text && o->lines[i].who.pid != pid)
		i = (i + 1) & (COMMANDS * 2 - 1);
	return &o->lines[i];
}

static const char *command_of(void *ctx, int64_t pid, uint64_t birth)
{
	struct owner *o = ctx;
	const struct command_line *l = place_of(o, pid);

	if (l->text && l->who.birth == birth)
		return l->text;
	if (o->asks && o->nwishes < WISHES)
		o->wishes[o->nwishes++] = (struct wish){ pid, birth };
	return NULL;
}

static void forget_commands(struct owner *o)
{
	for (size_t i = 0; i < COMMANDS * 2; i++)
		mem_free(o->lines[i].text);
	memset(o->lines, 0, COMMANDS * 2 * sizeof(*o->lines));
	o->nlines = 0;
}

static void keep_command(struct owner *o, const struct wish *w, const char *text, size_t n)
{
	struct command_line *l;

	if (o->nlines >= COMMANDS)
		forget_commands(o);
	l = place_of(o, w->pid);
	o->nlines += !l->text;
	mem_free(l->text);
	l->text = mem_dup_n(text, n);
	l->who = *w;
}

bool owner_fetch(struct owner *o)
{
	struct buf answer = { 0 };
	size_t at = 0, n = o->nwishes;
	struct err e = { 0 };
	uint32_t len;
	int err;

	o->nwishes = 0;
	if (!n)
		return false;
	err = child_ask(&o->child, o->wishes, n * sizeof(*o->wishes), ASK_MS, &answer, NULL, &e);
	if (err == -EAGAIN)
		o->asks = false; /* too many hang already */
	for (size_t i = 0; i < n; i++) {
		if (err || at + sizeof(len) > answer.len) {
			keep_command(o, &o->wishes[i], "",
				     0); /* one of them hangs: names will do */
			continue;
		}
		memcpy(&len, answer.data + at, sizeof(len));
		at += sizeof(len);
		if (len > answer.len - at)
			len = (uint32_t)(answer.len - at);
		keep_command(o, &o->wishes[i], answer.data + at, len);
		at += len;
	}
	buf_done(&answer);
	return true;
}

/* ---- users ---- */

/* /etc/passwd itself: what the C library would ask besides may be far away, and slow today. */
static void read_users(struct owner *o)
{
	struct root root;
	struct err e = { 0 };
	struct buf b = { 0 };
	struct text all, line, name, word;
	uint64_t uid;

	if (root_open(&root, "/", &e))
		return;
	if (!root_read(&root, "etc/passwd", &b, 4u << 20)) {
		all = text_n(b.data, b.len);
		while (o->nusers < USERS_MOST && text_line(&all, &line)) {
			if (!text_until(&line, ':', &name) || !text_until(&line, ':', &word) ||
			    !text_until(&line, ':', &word) || !text_is_u64(word, &uid))
				continue;
			o->users =
				mem_grow(o->users, &o->users_cap, o->nusers + 1, sizeof(*o->users));
			o->users[o->nusers].uid = (int64_t)uid;
			text_copy(o->users[o->nusers].name, sizeof(o->users->name), name);
			o->nusers++;
		}
	}
	buf_done(&b);
	root_close(&root);
}

static const char *user_of(void *ctx, int64_t uid)
{
	const struct owner *o = ctx;

	for (size_t i = 0; i < o->nusers; i++)
		if (o->users[i].uid == uid)
			return o->users[i].name;
	return NULL;
}

struct owner *owner_new(void)
{
	struct owner *o = mem_alloc(sizeof(*o));
	struct err e = { 0 };

	o->asks = !child_open(&o->child, "sixty-commands", answer_commands, NULL, &e);
	o->lines = mem_array(COMMANDS * 2, sizeof(*o->lines));
	read_users(o);
	o->ui = (struct ui_owner){
		.ctx = o, .command = command_of, .user = user_of, .self = getpid()
	};
	return o;
}

void owner_free(struct owner *o)
{
	if (!o)
		return;
	child_close(&o->child);
	forget_commands(o);
	mem_free(o->lines);
	mem_free(o->users);
	mem_free(o);
}

const struct ui_owner *owner_ui(struct owner *o)
{
	return &o->ui;
}

/* ---- settings ---- */

static bool settings_path(char *out, size_t size)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n;

	if (xdg && *xdg == '/')
		n = snprintf(out, size, "%s/sixty/top", xdg);
	else if (home && *home == '/')
		n = snprintf(out, size, "%s/.config/sixty/top", home);
	else
		return false;
	return n > 0 && (size_t)n < size;
}

int owner_load(struct settings *s, struct err *e)
{
	char path[512];
	struct root root;
	struct buf b = { 0 };
	int err;

	settings_init(s);
	if (!settings_path(path, sizeof(path)))
		return 0;
	err = root_open(&root, "/", e);
	if (err)
		return err;
	err = root_read(&root, path + 1, &b, 64u << 10);
	root_close(&root);
	if (err == -ENOENT || err == -ENOTDIR)
		return 0;
	if (err) {
		err_errno(e, err, "cannot read the settings %s", path);
	} else {
		err = settings_parse(s, text_n(b.data, b.len), e);
		if (err)
			err_wrap(e, err, "the settings %s are not used", path);
	}
	buf_done(&b);
	return err;
}

int owner_save(const struct settings *s, char *path, size_t size, struct err *e)
{
	struct buf b = { 0 };
	int err;

	if (!settings_path(path, size))
		return err_set(e, -ENOENT,
			       "cannot save the settings: neither XDG_CONFIG_HOME nor HOME is set");
	for (char *p = path + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			mkdir(path, 0700); /* a failure shows when the file is written */
			*p = '/';
		}
	settings_format(s, &b);
	err = output_text(path, &b, e);
	buf_done(&b);
	return err;
}
