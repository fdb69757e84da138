/* SPDX-License-Identifier: GPL-2.0-only */
/* Attached bridges: listing and finding them, whether they work, and removing one. */
#ifndef HBPF_ATTACHMENT_H
#define HBPF_ATTACHMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "dataplane/hook.h"
#include "dataplane/open.h"
#include "dataplane/pins.h"
#include "dataplane/pins_bridges.h"
#include "kernel/host.h"
#include "lib/error.h"

/**
 * attachment_bridges() - list the bridges with state in this network namespace
 * @mode:	How the lock is taken. PINS_WRITE runs renames_follow() first, but does not mount a
 *		missing bpffs
 * @pins:	Opened if there is a bpffs; pins_close() is allowed in any case
 * @bridges:	With their current names and those they were attached as; empty without a bpffs
 *
 * Return: 0 or -errno
 */
int attachment_bridges(enum pins_mode mode, struct pins *pins, struct pins_bridges *bridges,
		       struct error *err);

/**
 * attachment_find() - find a bridge by its current name, else by the name it was attached as
 * Return: index in @bridges, or -1
 */
int attachment_find(const struct pins_bridges *bridges, const char *name);

/** attachment_current_name() - Return: that of one of @bridges->names */
const char *attachment_current_name(const struct pins_bridges *bridges, const char *state_name);

/**
 * attachment_renamed() - find a bridge that was attached as @name and has another name now
 * @now:	Its current name
 *
 * Return: was one found?
 */
bool attachment_renamed(const char *name, char now[IFNAMSIZ]);

/** attachment_list() - "br0, br1" into @buf, cut with "..." where it is too long. Returns @buf */
const char *attachment_list(const struct pins_bridges *bridges, char *buf, size_t size);

/**
 * attachment_ifindex() - the interface that the state of @bridge is about
 * Return: its index, even if it was deleted; 0 if the state does not have it
 */
unsigned int attachment_ifindex(const struct pins *pins, const char *bridge);

/**
 * attachment_target() - the interface of @bridge for the functions in hook.h
 * @bridge:	Name of its state
 *
 * That is the interface the state is about, even after a rename; if it was deleted, the one with
 * that name. ifindex is 0 if there is neither.
 */
struct hook_target attachment_target(const struct pins *pins, const struct host *host,
				     const char *bridge);

/** attachment_is_live() - are our programs attached to the bridge, on both sides? */
bool attachment_is_live(const struct pins *pins, const struct host *host, const char *bridge);

/**
 * attachment_forget() - remove what the bridge has in the shared maps, or them, if no other bridge
 * has state
 * @ifindex:	To find it by, if the bridge's own state is missing
 *
 * Return: 1 if another bridge has state; 0 if none has; or -errno
 */
int attachment_forget(const struct pins *pins, const char *bridge, unsigned int ifindex,
		      struct error *err);

/** attachment_owner() - Return: enum hbpf_owner, or -errno if the state cannot be read */
int attachment_owner(const struct pins *pins, const char *bridge);

/**
 * attachment_is_last() - is @bridge the only live one? Then lo's settings are restored with it
 * Return: 1, 0 or -errno
 */
int attachment_is_last(const struct pins *pins, const struct host *host, const char *bridge,
		       struct error *err);

/**
 * attachment_remove() - restore the settings, then remove programs and state
 * @last:	As of attachment_is_last()
 *
 * Works on incomplete attachments, too. Where the settings cannot be restored the programs, and the
 * guard with them, stay. Return: 0 or -errno
 */
int attachment_remove(const struct pins *pins, const struct host *host, const char *bridge,
		      bool last, struct error *err);

#endif /* HBPF_ATTACHMENT_H */
