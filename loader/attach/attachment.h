/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What commands share about attached bridges: the host they stand on, which one
 * is meant, whether it is alive, and how one is taken away for good.
 */
#ifndef HBPF_ATTACHMENT_H
#define HBPF_ATTACHMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "dataplane/dataplane.h"
#include "dataplane/hook.h"
#include "dataplane/pins.h"
#include "kernel/host.h"
#include "lib/error.h"

/**
 * attachment_bridges() - the bridges with state in this namespace, without making anything
 * @mode:	How the lock is taken; also with PINS_WRITE a missing bpffs is not mounted, but
 *		renames_follow() comes first
 * @pins:	Opened when there is a bpffs; pins_close() is right in any case
 * @bridges:	Empty where there is no bpffs; with their present names and those they were
 *		attached as
 *
 * Return: 0 or -errno
 */
int attachment_bridges(enum pins_mode mode, struct pins *pins, struct pins_bridges *bridges,
		       struct error *err);

/** attachment_find() - as target_choose() does, of any name. Return: index in @bridges, or -1
 */
int attachment_find(const struct pins_bridges *bridges, const char *name);

/** attachment_now() - the present name of one of @bridges->names */
const char *attachment_now(const struct pins_bridges *bridges, const char *kept);

/**
 * attachment_renamed() - what a bridge that was attached under a name is called now
 * Return: is there one, under another name?
 */
bool attachment_renamed(const char *name, char now[IFNAMSIZ]);

/** attachment_list() - "br0, br1" into @buf, cut with "..." where it is too long. Returns @buf */
const char *attachment_list(const struct pins_bridges *bridges, char *buf, size_t size);

/**
 * attachment_ifindex() - which interface the state kept under a name is about
 * Return: its index, living or not; 0 where that cannot be told
 */
unsigned int attachment_ifindex(const struct pins *pins, const char *bridge);

/**
 * attachment_target() - as the hook wants it
 * @bridge:	What the state is kept under
 *
 * The interface that the state is about, whatever it is called now; where that is gone, the one
 * that has the name. ifindex 0 where there is neither.
 */
struct hook_target attachment_target(const struct pins *pins, const struct host *host,
				     const char *bridge);

/** attachment_is_alive() - are our programs attached to the bridge, on both sides? */
bool attachment_is_alive(const struct pins *pins, const struct host *host, const char *bridge);

/** attachment_owner() - whose it is. Return: enum hbpf_owner, or -errno where nobody can tell */
int attachment_owner(const struct pins *pins, const struct host *host, const char *bridge);

/**
 * attachment_is_last() - is no other living bridge attached? Then lo's settings are given back
 * Return: 1, 0 or -errno
 */
int attachment_is_last(const struct pins *pins, const struct host *host, const char *bridge,
		       struct error *err);

/**
 * attachment_remove() - give back the settings, then take away programs and state
 * @last:	As of attachment_is_last()
 *
 * Works on whatever is there, whole or not. The programs, and the guard with them, stay where the
 * settings could not be given back. Return: 0 or -errno
 */
int attachment_remove(const struct pins *pins, const struct host *host, const char *bridge,
		      bool last, struct error *err);

#endif /* HBPF_ATTACHMENT_H */
