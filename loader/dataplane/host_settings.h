/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host settings that hbpf changes and restores (docs/DESIGN.md, "Host settings"):
 *
 *	net.ipv4.conf.<bridge>.route_localnet = 2   the answer, with a 127/8 source, is routed out
 *	net.ipv4.conf.lo.route_localnet = 1         the redirected packet is routed in on lo
 *	net.ipv4.conf.lo.rp_filter = 2              lo would drop it as spoofed with 1
 *
 * Any route_localnet but 0 is on (IN_DEV_ROUTE_LOCALNET()), and other programs write
 * 1. hbpf writes 2 to the bridge's, so that a 1 found later must be from another program
 * that needs it: it becomes the old value, and detach does not change it.
 *
 * Interfaces are identified by index, since names can change or move to another
 * interface at any time. Old values are stored with the index, and a setting is never read
 * or written by a name that no longer belongs to it (kernel/if_sysctl.h).
 *
 * Old values are saved (old_settings.h) before the setting is changed. A value is only
 * restored if the present value is still the one that hbpf set.
 */
#ifndef HBPF_HOST_SETTINGS_H
#define HBPF_HOST_SETTINGS_H

#include "dataplane/old_settings.h"

/* What hbpf sets a bridge's route_localnet to; other programs use 1. */
#define SETTINGS_LOCALNET 2

/* The state of one setting, for status. */
struct setting_state {
	char name[128]; /* as "net.ipv4.conf.lo.rp_filter" */
	struct setting record;
	bool assumed; /* the old value is unknown: `record` has the default of a new interface */
	int now;      /* present value, or -errno */
	int effect;   /* of `now` and conf.all, which the kernel takes the larger of; or -errno */
	bool works;   /* the effect is one that hbpf works with, or cannot be read */
};

/**
 * settings_apply() - write the settings, saving the old values first
 *
 * Idempotent: a setting already saved keeps its first old value; one that another program changed
 * since is saved again. On failure all changes of this call are undone.
 * Return: 0, -ENODEV if there is no interface @ifindex any more, or -errno; names the setting in
 * @err
 */
int settings_apply(const struct pins *pins, const char *bridge, unsigned int ifindex,
		   struct error *err);

/**
 * settings_restore() - restore the bridge's setting and, if @last, lo's
 * @ifindex:	Of the bridge that the state is about, 0 if it was deleted
 * @last:	No other live bridge is attached in this namespace
 *
 * Works under whatever name the bridge has now. A setting whose file is missing (bridge deleted)
 * is not an error.
 * If the pinned map has another schema, settings that still have hbpf's value are reset to
 * net.ipv4.conf.default: what is pinned there must not keep a bridge open. If the bridge's map is
 * missing, a route_localnet of SETTINGS_LOCALNET is reset to 0; if lo's is missing, the one that a
 * backstop refers to is used (hook_backstop_map()). What was restored is marked so, and the maps
 * stay until pins_remove().
 * Return: 0 or -errno
 */
int settings_restore(const struct pins *pins, const char *bridge, unsigned int ifindex, bool last,
		     struct error *err);

/**
 * settings_restore_lost() - the same for a bridge whose pinned state is lost
 *
 * A route_localnet of SETTINGS_LOCALNET is reset to 0: hbpf writes 2 only if it was 0. lo's
 * settings get the values that a backstop's map has (hook_backstop_map()), else the defaults.
 * Return: 0 or -errno
 */
int settings_restore_lost(const char *bridge, unsigned int ifindex, bool last, struct error *err);

/**
 * settings_read() - what is recorded and what is there now, for status
 * @ifindex:	Of the bridge, 0 if there is none
 * @other:	What was read for another bridge, to take lo's settings from; or NULL
 * @states:	SETTING_MAX of them; names and present values are filled in in any case
 * Return: 0, -EPROTO if an old value was assumed, as by settings_restore(), or -errno
 */
int settings_read(const struct pins *pins, const char *bridge, unsigned int ifindex,
		  const struct setting_state *other, struct setting_state *states,
		  struct error *err);

/**
 * settings_calls_iptables() - does br_netfilter hand the bridge's packets to iptables?
 * @ifindex:	Any interface
 *
 * Return: 1, 0 (also if it is not a bridge) or -errno
 */
int settings_calls_iptables(unsigned int ifindex, struct error *err);

/**
 * settings_foreign_localnet() - did another program set route_localnet for the bridge?
 *
 * True where max(conf.all, conf.<bridge>).route_localnet was on before hbpf, or was set by another
 * since (judged by the saved value, not by what hbpf set), and br_netfilter hands bridged packets
 * to iptables (the bridge's own or the global nf_call_iptables). Then replies may legally come back
 * with a 127/8 destination.
 *
 * Return: 1, 0 or -errno
 */
int settings_foreign_localnet(const struct pins *pins, const char *bridge, unsigned int ifindex,
			      struct error *err);

#endif /* HBPF_HOST_SETTINGS_H */
