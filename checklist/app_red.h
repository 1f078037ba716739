/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CHECKLIST_APP_RED_H
#define SIXTY_CHECKLIST_APP_RED_H

#include "checklist/net.h"
#include "checklist/parties.h"
#include "checklist/rule.h"

/* What requests say to rules that sockets answer otherwise (app_net.c). False: requests were not followed; ask the sockets. */
bool red_single_thread(const struct rule *r, const struct view *v, struct findings *fs);
bool red_workers(const struct rule *r, const struct view *v, struct findings *fs);
bool red_slow_server(const struct rule *r, const struct view *v, struct findings *fs);
bool red_slow_dependency(const struct rule *r, const struct view *v, struct findings *fs);

/* ---- what these rules share ---- */

#define REQUESTS "requests, by eBPF on their sockets"

/* Requests were followed in this window. */
bool red_followed(const struct view *v);

struct red_service {
	const struct red_row *row;
	double rate;     /* requests per second */
	double busy;     /* requests that are under way at any time, unread ones included */
	double unread;   /* of them; NaN: nobody looked */
	double mean;     /* seconds */
	char label[200]; /* "nginx[812] at port 80" */
};

bool red_serves(const struct red_row *row); /* or it asks */
struct red_service red_service_of(const struct view *v, const struct red_row *row);
struct end red_owner_of(const struct red_row *row);
struct end red_client_of(const struct view *v,
			 const struct red_row *row); /* a local one; pid 0: none is known */

/* A finding about a service, with its process and port; of a dependency the port, and who asks as victim. */
struct finding *red_start(const struct rule *r, const struct view *v, struct findings *fs,
			  const struct red_service *s);
void red_tell_durations(struct finding *f, const struct red_service *s);
void red_tell_next(struct finding *f, const struct red_service *s);

/* Thread-seconds per second, over the processes of that name: workers share a socket. */
double red_of_its_kind(const struct view *v, const char *comm,
		       double (*amount)(const struct view *v, const struct lost_row *l));
double red_running(const struct view *v, const struct lost_row *l);

/* Requests lie unread most of their time, one or more at any time. */
bool red_queues(const struct red_service *s);
/* Somebody waits at any time, and answers take long: for the fast half of the service itself (*tail), or for what interactive
 * services are built for (r->floor). */
#define RED_TAIL 8 /* times the median */
bool red_is_slow(const struct rule *r, const struct red_service *s, bool *tail);
void red_slow_words(const struct red_service *s, bool tail, char *out, size_t size);

#endif
