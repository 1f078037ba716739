/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_TESTS_SAMPLE_H
#define SIXTY_TESTS_SAMPLE_H

#include "export/exporter.h"

/* A report made by hand, with some of everything, for tests of exporters. */
void sample_sick(struct report *r);
void sample_healthy(struct report *r);
/* The sick one, with names that want to harm whoever prints them. */
void sample_hostile(struct report *r);

/* What an exporter writes; the text is good until the next call. */
const char *sample_print(const struct report *r, const char *format, const struct style *s);

#endif
