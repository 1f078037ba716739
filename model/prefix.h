/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_PREFIX_H
#define SIXTY_MODEL_PREFIX_H

#include <stddef.h>
#include <stdint.h>

/* A tree of sequences of numbers, which share what they begin with: one node per prefix, and a sequence is the number of
 * its last node. Node 0 is the empty sequence and its own parent; a parent's number is below those of its children, so that
 * one pass from the last node to the first adds everything up. Zero-initialised is not usable: prefix_init() first. */
struct prefix_node {
	uint32_t parent, key;
	uint32_t first; /* the first node that was made below it, 0: there is none */
};

struct prefix {
	struct prefix_node *node;
	uint16_t *depth; /* 0 for node 0 */
	size_t n, cap;
	uint32_t *slot; /* of the hash: a node's number, 0 is free */
	size_t slots;   /* a power of two */
	size_t hashed;  /* nodes in it: those that are not the first below their parent */
};

#define PREFIX_NODES_MAX (1u << 26)
#define PREFIX_DEPTH_MAX 4096

/* 0 or -ENOMEM. */
int prefix_init(struct prefix *p);
void prefix_done(struct prefix *p);

/* The node below `parent` with this key, made if it is not there. 0, -E2BIG (too many nodes, or too deep) or -ENOMEM. */
int prefix_child(struct prefix *p, uint32_t parent, uint32_t key, uint32_t *node);

#endif
