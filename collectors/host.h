/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_HOST_H
#define SIXTY_COLLECTORS_HOST_H

#include "base/root.h"
#include "model/host.h"

/* Read what does not change from the live machine. Never fails: what cannot be read stays empty or 1. */
void host_read(struct host *h, const struct root *root);

#endif
