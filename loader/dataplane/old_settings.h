/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The old values of host settings, in pinned maps: one of each bridge, one of lo.
 * The schema of these maps is the same in every version, so detach can always read
 * them. They also record whether hbpf created the bridge's clsact qdisc.
 */
#ifndef HBPF_OLD_SETTINGS_H
#define HBPF_OLD_SETTINGS_H

#include <linux/types.h>
#include <net/if.h>
#include <stdbool.h>

#include "dataplane/pins.h"
#include "lib/error.h"

enum setting_id {
	SETTING_BRIDGE_ROUTE_LOCALNET,
	SETTING_LO_ROUTE_LOCALNET,
	SETTING_LO_RP_FILTER,
	SETTING_MAX,
};

/* Rows of a map: the settings, the clsact qdisc, and spare ones, which are zero. */
#define SETTINGS_ROWS 8

/* Value of the maps, which are ARRAYs indexed by enum setting_id. Neither may change. */
struct setting {
	__u32 saved; /* 1: `old` holds what was there before */
	__s32 old;
	__s32 set;     /* what hbpf wrote */
	__u32 ifindex; /* of the interface: a re-created one has other values */
};
_Static_assert(sizeof(struct setting) == 16, "must never change");

static inline bool setting_is_of_lo(enum setting_id id)
{
	return id != SETTING_BRIDGE_ROUTE_LOCALNET;
}

/* The two maps of one bridge: fds, -ENOENT if there is no such map, -EPROTO if a map with
 * another schema has its name. */
struct old_settings {
	const char *bridge;
	unsigned int ifindex; /* of the bridge, 0: unknown or deleted */
	int bridge_fd;
	int lo_fd;
};

/** old_settings_open() - open both maps. One that is missing (nothing was saved) or has another
 * schema is no error. Return: 0 or -errno */
int old_settings_open(struct old_settings *old, const struct pins *pins, const char *bridge,
		      unsigned int ifindex, struct error *err);
/** old_settings_open_ours() - the same, but a map with another schema is an error. Return: 0,
 * -EPROTO or other -errno */
int old_settings_open_ours(struct old_settings *old, const struct pins *pins, const char *bridge,
			   unsigned int ifindex, struct error *err);
void old_settings_close(struct old_settings *old);

/** old_settings_read() - the old value of a setting. All zero if none is saved, or one of another
 * interface: a re-created bridge does not get the values of the deleted one. Return: 0 or -errno */
int old_settings_read(const struct old_settings *old, enum setting_id id, struct setting *record,
		      struct error *err);
/** old_settings_write() - save it; does nothing without a map. Return: 0 or -errno */
int old_settings_write(const struct old_settings *old, enum setting_id id,
		       const struct setting *record, struct error *err);

/** old_settings_fd() - the map that has this setting: fd, -ENOENT or -EPROTO */
int old_settings_fd(const struct old_settings *old, enum setting_id id);
/** old_settings_ifindex_of() - the interface of this setting */
unsigned int old_settings_ifindex_of(const struct old_settings *old, enum setting_id id);
/** old_settings_ifname_of() - its present name, for messages. Return: @name */
const char *old_settings_ifname_of(const struct old_settings *old, enum setting_id id,
				   char name[IFNAMSIZ]);

/** old_settings_is_map() - does a map have the schema and name of those with old values? For
 * hook_backstop_map(); @context is unused */
bool old_settings_is_map(int fd, const void *context);

/**
 * old_settings_prepare() - create and pin the maps, if they do not exist
 * @bridge:	Name of the state, see pins_path()
 * @ifindex:	Of the bridge; recorded, for old_settings_ifindex()
 *
 * Nothing is changed on the host. Return: 0 or -errno
 */
int old_settings_prepare(const struct pins *pins, const char *bridge, unsigned int ifindex,
			 struct error *err);

/**
 * old_settings_bind() - keep the map of lo's old values alive as long as a program
 *
 * It then outlives its pin, and the next old_settings_prepare() finds it if the program is attached
 * as a bridge's backstop. Needs old_settings_prepare() first. Return: 0 or -errno
 */
int old_settings_bind(const struct pins *pins, int prog_fd, struct error *err);

/** old_settings_ifindex() - which interface the state of this name is about. Return: its index,
 * even if it was deleted; 0 if that is not recorded */
unsigned int old_settings_ifindex(const struct pins *pins, const char *bridge);

/**
 * old_settings_record_qdisc() - record whether hbpf creates the bridge's clsact qdisc
 *
 * Call it before the qdisc is created, so that a command killed in between leaves a record. Needs
 * old_settings_prepare() first. Return: 0 or -errno
 */
int old_settings_record_qdisc(const struct pins *pins, const char *bridge, unsigned int ifindex,
			      bool created, struct error *err);

/** old_settings_created_qdisc() - is it recorded that hbpf created the clsact qdisc of this
 * interface? Return: 1, 0 or -errno */
int old_settings_created_qdisc(const struct pins *pins, const char *bridge, unsigned int ifindex,
			       struct error *err);

#endif /* HBPF_OLD_SETTINGS_H */
