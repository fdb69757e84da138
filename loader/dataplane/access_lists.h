/* SPDX-License-Identifier: GPL-2.0-only */
/* The gateways and sources maps: which addresses clients can dial, and who may. */
#ifndef HBPF_ACCESS_LISTS_H
#define HBPF_ACCESS_LISTS_H

#include "dataplane/dataplane.h"
#include "lib/addr.h"
#include "lib/error.h"
#include "model/exports.h"
#include "model/gateways.h"
#include "model/sources.h"

/** dataplane_gateways() - read them all; free them with gateways_free(). Return: 0 or -errno */
int dataplane_gateways(const struct dataplane *dp, struct gateways *set, struct error *err);

/**
 * dataplane_set_gateways() - make the gateways map hold exactly @want, new ones first, and set
 * only_gateway4/6 in dp->config, which the caller writes back
 *
 * Return: 0, -E2BIG if there are more than HBPF_GATEWAYS_OF_BRIDGE, or other -errno; on failure the
 * map is unchanged
 */
int dataplane_set_gateways(struct dataplane *dp, const struct gateways *want, struct error *err);

/** sources_of() - for the functions of map_io.h: a copy of @dp, not to be closed, with the slot
 * that a list is in: all bridges share HBPF_LIST_HOST */
struct dataplane sources_of(const struct dataplane *dp, __u32 list);

/** source_key() - the key of a prefix in a list (HBPF_LIST_*) of the sources map */
struct hbpf_source_key source_key(__u32 list, const struct prefix *prefix);

/** dataplane_sources() - read one list (HBPF_LIST_*), sorted; free it with
 * sources_free(). Return: 0 or -errno */
int dataplane_sources(const struct dataplane *dp, __u32 list, struct sources *set,
		      struct error *err);

/** dataplane_set_sources() - make one list hold exactly @want, new prefixes first; unchanged on
 * failure. Return: 0 or -errno */
int dataplane_set_sources(struct dataplane *dp, __u32 list, const struct sources *want,
			  struct error *err);

/* All lists of a bridge, read at once. All zero is none. */
struct source_lists {
	struct source *v;
	__u32 *of; /* the list of each; sorted by it */
	size_t count;
};

/** dataplane_source_lists() - read all lists but HBPF_LIST_HOST; free them with
 * source_lists_free(). Return: 0 or -errno */
int dataplane_source_lists(const struct dataplane *dp, struct source_lists *lists,
			   struct error *err);
void source_lists_free(struct source_lists *lists);
/** source_lists_get() - one list. It points into @lists and must not be freed */
struct sources source_lists_get(const struct source_lists *lists, __u32 list);

/**
 * dataplane_port_list() - find or fill a list for --from of ports
 *
 * It is an existing one with exactly these prefixes, else a free one, which is filled. For no
 * prefixes it is one that always stays empty. Return: the list (>= HBPF_LIST_PORTS) or -errno
 */
int dataplane_port_list(struct dataplane *dp, const struct sources *want, struct error *err);

/** dataplane_sweep_lists() - empty the lists >= HBPF_LIST_PORTS that no export of @set uses */
int dataplane_sweep_lists(struct dataplane *dp, const struct exports *set, struct error *err);

#endif /* HBPF_ACCESS_LISTS_H */
