/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The loader's door to the BPF side: the object files, the maps and what is in
 * them. No other file knows a map's name.
 */
#ifndef HBPF_DATAPLANE_H
#define HBPF_DATAPLANE_H

#include <hbpf/maps.h>
#include <hbpf/reasons.h>
#include <stdbool.h>
#include <stddef.h>

#include "dataplane/pins.h"
#include "kernel/sock_diag.h"
#include "lib/addr.h"
#include "lib/error.h"
#include "model/exports.h"
#include "model/gateways.h"
#include "model/sources.h"

enum dataplane_map {
	MAP_CONFIG,
	MAP_EXPORTS,
	MAP_SERVICES,
	MAP_GATEWAYS,
	MAP_SOURCES,
	MAP_FLOWS,
	MAP_RECENT_TCP,
	MAP_RECENT_UDP,
	MAP_CONNECTIONS,
	MAP_FRAGMENTS,
	MAP_COUNTERS,
	MAP_PORT_STATS,
	MAP_COUNT,
};

struct bpf_object;

struct dataplane {
	char bridge[IFNAMSIZ];     /* as dataplane_open() was told */
	int maps[MAP_COUNT];       /* fds, -1 where not open */
	struct hbpf_config config; /* as read; write back with dataplane_write_config() */
	/* only after dataplane_load(): */
	struct bpf_object *object;
	int ingress_fd; /* program fds, owned by @object */
	int egress_fd;
	int backstop_fd;                  /* negative where the kernel has no tcx */
	char nat_bypass_unavailable[256]; /* why the pinning build could not be loaded; empty: it
					     was */
};

/**
 * dataplane_init() - make it empty, so that dataplane_close() may always be called; of the config
 * only the layout is filled in
 */
void dataplane_init(struct dataplane *dp);
/** dataplane_close() - close its maps and unload the programs that nothing else holds; then it is
 * empty again */
void dataplane_close(struct dataplane *dp);

/**
 * dataplane_open() - open what is pinned for a bridge
 * @err:	Tells apart not attached (-ENOENT), state of another layout (-EPROTO, names both
 *		versions and the next step), a map that is not ours (-EPROTO, names it and what is
 *		different) or a config with values out of range (-EPROTO), incomplete debris of a
 *		killed command (-ESTALE), and state of another namespace or interface index
 *		(-ENODEV: the bridge was re-created; the maps are open and usable even so)
 * @ifindex:	of the living bridge, 0 if there is none
 *
 * Return: 0 or -errno
 */
int dataplane_open(struct dataplane *dp, const struct pins *pins, const char *bridge,
		   unsigned int ifindex, struct error *err);

/**
 * dataplane_peek() - read only the config of what is pinned for a bridge
 * Return: 0, or -errno as of dataplane_open()
 */
int dataplane_peek(const struct pins *pins, const char *bridge, struct hbpf_config *config);

/**
 * dataplane_load() - load the programs into the kernel
 * @dp:		Where its maps are already open they are used, else new ones are made
 * @nat_bypass:	HBPF_OFF loads the build without conntrack pinning; else the one with it is tried
 *		first, and the plain one where the kernel cannot (no BTF, no nf_nat, before 6.1),
 *		with the reason in dp->nat_bypass_unavailable. dp->config.nat_bypass_built tells
 *which it was
 * @err:	Names the kernel needed where this one is too old (5.10), and carries the
 *		verifier's log in detail where it refused
 *
 * Nothing is pinned or attached yet. Return: 0 or -errno
 */
int dataplane_load(struct dataplane *dp, enum hbpf_choice nat_bypass, struct error *err);

/** dataplane_pin() - pin the maps, config last: state counts as whole once config is there */
int dataplane_pin(const struct dataplane *dp, const struct pins *pins, const char *bridge,
		  struct error *err);

/** dataplane_write_config() - put dp->config into its map. Return: 0 or -errno */
int dataplane_write_config(struct dataplane *dp, struct error *err);

/**
 * dataplane_exports() - read the exports map (in batches where the kernel can)
 * Return: 0 or -errno
 */
int dataplane_exports(const struct dataplane *dp, struct exports *set, struct error *err);

/**
 * dataplane_set_exports() - make the exports (and services) map hold @want
 * @have:	What it holds now
 *
 * What stays is never absent for a moment: new and changed entries are put first, then the others
 * deleted. Entries of what goes are deleted from `exports` (ingress) here, but `services`, which
 * the RST of a closed connection still needs on its way out, only by dataplane_sweep(). On failure
 * the maps hold @have again. Return: 0 or -errno (-E2BIG, -ENOSPC map full)
 */
int dataplane_set_exports(struct dataplane *dp, const struct exports *have,
			  const struct exports *want, struct error *err);

/**
 * dataplane_end_flows() - end what runs over exports that are gone, on both sides
 * @gone:	As of exports_diff()
 *
 * Closes the service's sockets that were dialled through them (SOCK_DESTROY; the peer's RST still
 * finds its way), and connected UDP sockets of such flows. Where the kernel has no SOCK_DESTROY,
 * nothing is closed and that is no error. Return: number of sockets closed, or -errno
 */
int dataplane_end_flows(struct dataplane *dp, const struct exports *gone, struct error *err);

/**
 * dataplane_sweep() - delete from services, flows and port_stats what @want no longer has
 */
int dataplane_sweep(struct dataplane *dp, const struct exports *want, struct error *err);

/**
 * dataplane_forget_refused() - forget the UDP flows of clients that may not use their port any more
 * @exports:	What the maps hold
 *
 * The programs ask about the source of new flows only, and a UDP flow has no end of its own. The
 * others stay: answers may be pending on them. Return: 0 or -errno
 */
int dataplane_forget_refused(struct dataplane *dp, const struct exports *exports,
			     struct error *err);

/** dataplane_gateways() - read them; free with gateways_free() */
int dataplane_gateways(const struct dataplane *dp, struct gateways *set, struct error *err);

/**
 * dataplane_set_gateways() - make the gateways map hold exactly @want, new ones first, and set
 * config.only_gateway4/6 (in dp->config; the caller writes it back)
 * Return: 0, or -E2BIG when more than HBPF_MAX_GATEWAYS, or -errno; on failure as it was
 */
int dataplane_set_gateways(struct dataplane *dp, const struct gateways *want, struct error *err);

/** dataplane_sources() - read one list (HBPF_LIST_*) of the sources map, sorted; free with
 * sources_free()
 */
int dataplane_sources(const struct dataplane *dp, __u32 list, struct sources *set,
		      struct error *err);
/* All lists of a bridge, read at one moment. All zero is none. */
struct source_lists {
	struct source *v;
	__u32 *of; /* which list each is in; sorted by it */
	size_t count;
};

/** dataplane_source_lists() - read them all; free with source_lists_free(). Return: 0 or -errno */
int dataplane_source_lists(const struct dataplane *dp, struct source_lists *lists,
			   struct error *err);
void source_lists_free(struct source_lists *lists);
/** source_lists_get() - one of them, within @lists: not to be freed */
struct sources source_lists_get(const struct source_lists *lists, __u32 list);

/** source_key() - the key of a prefix in a list (HBPF_LIST_*) of the sources map */
struct hbpf_source_key source_key(__u32 list, const struct prefix *prefix);

/** dataplane_set_sources() - make one list hold exactly @want, new ones first; as it was on failure
 */
int dataplane_set_sources(struct dataplane *dp, __u32 list, const struct sources *want,
			  struct error *err);
/**
 * dataplane_port_list() - the number of a list for --from of ports: an existing one with the same
 * prefixes, else a free one, which is filled. For no prefixes at all it is one that stays empty
 * Return: the list (>= HBPF_LIST_PORTS) or -errno
 */
int dataplane_port_list(struct dataplane *dp, const struct sources *want, struct error *err);
/** dataplane_sweep_lists() - empty the lists >= HBPF_LIST_PORTS that no export of @set uses */
int dataplane_sweep_lists(struct dataplane *dp, const struct exports *set, struct error *err);

/** dataplane_counters() - sum over all CPUs; @counters has HBPF_REASON_MAX entries */
int dataplane_counters(const struct dataplane *dp, struct hbpf_counter *counters,
		       struct error *err);
/**
 * dataplane_port_stats() - sum over all CPUs of every export of @set, in its order
 * @stats:	set->count entries
 */
int dataplane_port_stats(const struct dataplane *dp, const struct exports *set,
			 struct hbpf_port_stats *stats, struct error *err);

#endif /* HBPF_DATAPLANE_H */
