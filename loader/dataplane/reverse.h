/* SPDX-License-Identifier: GPL-2.0-only */
/* The services map as it follows from the exports. */
#ifndef HBPF_REVERSE_H
#define HBPF_REVERSE_H

#include <hbpf/maps.h>

#include "dataplane/kv_array.h"
#include "model/exports.h"

struct service {
	struct hbpf_service_key key;
	struct hbpf_service value;
};
TABLE_ENTRY(struct service, key, value);

#define SERVICES_TABLE TABLE(struct service, key, value)

/**
 * services_derive() - what the services map has to hold for a set of exports
 * @services:	An empty SERVICES_TABLE, filled and sorted; free it with kv_array_free()
 *
 * Return: 0 or -ENOMEM
 */
int services_derive(const struct exports *exports, struct kv_array *services);

#endif /* HBPF_REVERSE_H */
