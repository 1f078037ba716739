/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences that share their beginnings: call stacks, from the outermost caller inwards.
 *
 * Most nodes have one node below them, which was made right after them: it is found without the hash, where there is nothing to
 * wait for. Only second and later ones are in the hash. */
#include "model/prefix.h"

#include <errno.h>

#include "base/mem.h"

#define SLOTS_FIRST 1024
#define NODES_FIRST 512

static size_t hash(uint32_t parent, uint32_t key)
{
	uint64_t x = ((uint64_t)parent << 32 | key) * 0x9e3779b97f4a7c15ull;

	return (size_t)(x ^ x >> 29);
}

/* Room for `cap` nodes; what is there stays. */
static int grow_nodes(struct prefix *p, size_t cap)
{
	void *q = mem_try_resize(p->node, cap, sizeof(*p->node), SIZE_MAX);

	if (!q)
		return -ENOMEM;
	p->node = q;
	q = mem_try_resize(p->depth, cap, sizeof(*p->depth), SIZE_MAX);
	if (!q)
		return -ENOMEM;
	p->depth = q;
	p->cap = cap;
	return 0;
}

static int grow_slots(struct prefix *p, size_t slots)
{
	uint32_t *slot = mem_try(slots * sizeof(*slot), SIZE_MAX);

	if (!slot)
		return -ENOMEM;
	for (size_t i = 1; i < p->n; i++) {
		size_t at = hash(p->node[i].parent, p->node[i].key) & (slots - 1);

		if (p->node[p->node[i].parent].first == i)
			continue;
		while (slot[at])
			at = (at + 1) & (slots - 1);
		slot[at] = (uint32_t)i;
	}
	mem_free(p->slot);
	p->slot = slot;
	p->slots = slots;
	return 0;
}

int prefix_init(struct prefix *p)
{
	int err;

	*p = (struct prefix){ 0 };
	err = grow_nodes(p, NODES_FIRST);
	if (!err)
		err = grow_slots(p, SLOTS_FIRST);
	if (err) {
		prefix_done(p);
		return err;
	}
	p->node[0] = (struct prefix_node){ 0 };
	p->depth[0] = 0;
	p->n = 1;
	return 0;
}

void prefix_done(struct prefix *p)
{
	if (!p)
		return;
	mem_free(p->node);
	mem_free(p->depth);
	mem_free(p->slot);
	*p = (struct prefix){ 0 };
}

/* Where the node is in the hash, or where it belongs. */
static size_t find(const struct prefix *p, uint32_t parent, uint32_t key)
{
	size_t at = hash(parent, key) & (p->slots - 1);

	for (; p->slot[at]; at = (at + 1) & (p->slots - 1)) {
		const struct prefix_node *x = &p->node[p->slot[at]];

		if (x->parent == parent && x->key == key)
			break;
	}
	return at;
}

int prefix_child(struct prefix *p, uint32_t parent, uint32_t key, uint32_t *node)
{
	uint32_t first = p->node[parent].first;
	size_t at = 0;
	int err = 0;

	if (first && p->node[first].key == key) {
		*node = first;
		return 0;
	}
	if (first) {
		at = find(p, parent, key);
		if (p->slot[at]) {
			*node = p->slot[at];
			return 0;
		}
	}
	if (p->n >= PREFIX_NODES_MAX || p->depth[parent] >= PREFIX_DEPTH_MAX)
		return -E2BIG;
	if (p->n == p->cap)
		err = grow_nodes(p, p->cap + p->cap / 2);
	if (!err && first && p->hashed * 2 > p->slots) {
		err = grow_slots(p, p->slots * 2);
		at = find(p, parent, key);
	}
	if (err)
		return err;
	*node = (uint32_t)p->n;
	p->node[p->n] = (struct prefix_node){ .parent = parent, .key = key };
	p->depth[p->n] = (uint16_t)(p->depth[parent] + 1);
	p->n++;
	if (first) {
		p->slot[at] = *node;
		p->hashed++;
	} else {
		p->node[parent].first = *node;
	}
	return 0;
}
