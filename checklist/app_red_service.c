/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules of requests share: a service, who it is, whether it is slow, whether requests queue in front of it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/app_red.h"

bool red_followed(const struct view *v)
{
	return v->reds && !v->reds->why[0] && v->reds->seconds > 0;
}

bool red_serves(const struct red_row *row)
{
	return row->key.role == RED_SERVER;
}

struct red_service red_service_of(const struct view *v, const struct red_row *row)
{
	double seconds = v->reds->seconds;
	struct red_service s = { .row = row, .rate = (double)row->requests / seconds };
	char who[96], peer[80];

	s.busy = (double)row->total.sum * 1e-9 / seconds;
	s.unread = hist_count(&row->wait) ? (double)row->wait.sum * 1e-9 / seconds : NAN;
	s.mean = hist_mean(&row->total) * 1e-9;
	process_label(who, sizeof(who), row->comm, row->pid);
	if (red_serves(row))
		snprintf(s.label, sizeof(s.label), "%s at port %u", who, row->key.port);
	else
		snprintf(s.label, sizeof(s.label), "%s at %s", who,
			 red_peer(row, peer, sizeof(peer)));
	return s;
}

/* The endpoint of the sockets that is this service; SIZE_MAX: it has none. */
static size_t endpoint_of(const struct view *v, const struct red_row *row)
{
	for (size_t e = 0; e < endpoints_of(v); e++)
		if (ep_port(v, e) == row->key.port && ep_is(v, e, "tcp") &&
		    last_value(v, M_EP_LOCAL, e) == 1 &&
		    (!ep_server(v, e).pid || !strcmp(ep_server(v, e).comm, row->comm)))
			return e;
	return SIZE_MAX;
}

struct end red_client_of(const struct view *v, const struct red_row *row)
{
	size_t e = endpoint_of(v, row);

	return e == SIZE_MAX ? (struct end){ .comm = "" } : ep_client(v, e);
}

struct end red_owner_of(const struct red_row *row)
{
	return (struct end){ .pid = row->pid, .comm = row->comm };
}

struct finding *red_start(const struct rule *r, const struct view *v, struct findings *fs,
			  const struct red_service *s)
{
	struct finding *f = rule_fire(r, fs);
	char port[32], peer[80];

	snprintf(port, sizeof(port), "port %u", s->row->key.port);
	snprintf(f->instance, sizeof(f->instance), "%s",
		 red_serves(s->row) ? port : red_peer(s->row, peer, sizeof(peer)));
	if (red_serves(s->row)) {
		end_offends(f, v, red_owner_of(s->row), s->row->key.port, 1);
		end_suffers(f, v, red_client_of(v, s->row), s->row->key.port);
	} else {
		end_suffers(f, v, red_owner_of(s->row), 0);
	}
	finding_offender(f, PARTY_PORT, red_serves(s->row) ? port : f->instance, 0, NAN)->port =
		s->row->key.port;
	return f;
}

void red_tell_durations(struct finding *f, const struct red_service *s)
{
	finding_evidence(f, "red.rate", s->rate, "1/s", NAN, REQUESTS);
	finding_evidence(f, "red.p50", red_percentile(&s->row->total, 0.5), "s", NAN, REQUESTS);
	finding_evidence(f, "red.p90", red_percentile(&s->row->total, 0.9), "s", NAN, REQUESTS);
}

void red_tell_next(struct finding *f, const struct red_service *s)
{
	finding_next(f, "sixty red --port %u -i 1", s->row->key.port);
}

/* Processes of the server's name: workers share its socket. */
double red_of_its_kind(const struct view *v, const char *comm,
		       double (*amount)(const struct view *v, const struct lost_row *l))
{
	double sum = 0;

	for (size_t i = 0; i < v->nlost; i++)
		if (!strcmp(v->lost[i].name, comm))
			sum += amount(v, &v->lost[i]);
	return sum / interval_seconds(v->window);
}

double red_running(const struct view *v, const struct lost_row *l)
{
	(void)v;
	return l->time[CAUSE_USER] + l->time[CAUSE_SYSTEM];
}

/* ---- is it slow, or is there a queue? ---- */

#define QUEUE_SHARE 0.5 /* of the duration that requests lie unread */
#define ANSWERS     3   /* least, to say anything of how long they take */

/* Requests lie unread most of their time, one or more at any time. */
bool red_queues(const struct red_service *s)
{
	return red_serves(s->row) && s->row->requests >= ANSWERS && s->unread >= 1 &&
	       s->unread >= QUEUE_SHARE * s->busy;
}

#define LONG_POLL 10 /* seconds: longer answers wait for something to happen, or are batch jobs */

/* Somebody waits at any time, and answers take long: for the fast half of the service itself, or for what interactive services
 * are built for (r->floor). Which of the two stands in *tail. */
bool red_is_slow(const struct rule *r, const struct red_service *s, bool *tail)
{
	double p50 = hist_percentile(&s->row->total, 0.5) * 1e-9,
	       p90 = hist_percentile(&s->row->total, 0.9) * 1e-9;

	*tail = hist_count(&s->row->total) >= 20 && p90 >= RED_TAIL * p50 && p90 >= r->floor / 4;
	return s->row->requests >= ANSWERS && s->busy >= 1 && s->mean <= LONG_POLL &&
	       (*tail || p50 >= r->floor);
}

void red_slow_words(const struct red_service *s, bool tail, char *out, size_t size)
{
	char p50[32], p90[32];

	unit_duration(p50, sizeof(p50), hist_percentile(&s->row->total, 0.5) * 1e-9);
	unit_duration(p90, sizeof(p90), hist_percentile(&s->row->total, 0.9) * 1e-9);
	if (tail)
		snprintf(out, size,
			 "a tenth of its requests takes %s or more, half of them %s or less", p90,
			 p50);
	else
		snprintf(out, size, "half of its requests take %s or more", p50);
}
