/* SPDX-License-Identifier: GPL-2.0-only */
/* The reverse map, which follows from the exports: loopback end to gateway port, for answers. */
#ifndef HBPF_REVERSE_H
#define HBPF_REVERSE_H

#include <hbpf/maps.h>

#include "dataplane/kv_array.h"
#include "model/exports.h"

struct reverse {
	struct hbpf_reverse_key key;
	struct hbpf_reverse value;
};
KV_ARRAY_ENTRY(struct reverse, key, value);

#define REVERSE_ARRAY KV_ARRAY(struct reverse, key, value)

/**
 * reverse_derive() - what the reverse map must hold for a set of exports
 * @table:	An empty REVERSE_ARRAY, filled and sorted; free it with kv_array_free()
 *
 * Return: 0 or -ENOMEM
 */
int reverse_derive(const struct exports *exports, struct kv_array *table);

#endif /* HBPF_REVERSE_H */
