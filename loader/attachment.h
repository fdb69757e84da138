/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What commands share about attached bridges: the host they stand on, which one
 * is meant, whether it is alive, and how one is taken away for good.
 */
#ifndef HBPF_ATTACHMENT_H
#define HBPF_ATTACHMENT_H

#include <stdbool.h>
#include <stddef.h>
#include "dataplane.h"
#include "error.h"
#include "hook.h"
#include "rtnetlink.h"
#include "pins.h"

/* Interfaces and addresses, read once for a command. */
struct host {
	struct links links;
	struct ifaddrs_list addrs;
};

/** host_read() - ask the kernel for them. Return: 0 or -errno. Free with host_free() */
int host_read(struct host *host, struct error *err);
/** host_free() - release what host_read() got; a struct that is all zero is fine, too */
void host_free(struct host *host);

/** host_has() - is it an address of this host? */
bool host_has(const struct host *host, const struct hbpf_addr *addr);

/**
 * attachment_bridges() - the bridges with state in this namespace, without making anything
 * @mode:	How the lock is taken; also with PINS_WRITE a missing bpffs is not mounted
 * @pins:	Opened when there is a bpffs; pins_close() is right in any case
 * @bridges:	Empty where there is no bpffs
 *
 * Return: 0 or -errno
 */
int attachment_bridges(enum pins_mode mode, struct pins *pins, struct pins_bridges *bridges,
		       struct error *err);

/* Which bridge somebody means. */
struct meant {
	const char *name;      /* as the user said, or NULL for the only one */
	char bridge[IFNAMSIZ]; /* that has it as an alternative name, or is of the network of
				* that name; else empty */
	bool altname;          /* the former */
	int rc;                /* 0, or -errno of asking for it */
	struct error problem;  /* and why */
};

/**
 * attachment_ask() - find out what a name may stand for: ask the kernel for alternative names,
 * and the container engines for networks
 * @name:	As the user said, or NULL
 * @meant:	Filled; release its problem with error_free()
 *
 * The engines only where neither an interface nor an attached bridge has that name, and any is
 * attached. It may take a while, so it is done before the lock is taken.
 */
void attachment_ask(const char *name, struct meant *meant);

/**
 * attachment_choose() - the bridge that is meant
 * @bridges:	What is attached
 * @meant:	As attachment_ask() left it
 * @how:	How to name one, for the hint where several are attached: "-b BRIDGE"
 * @err:	Lists what is attached
 *
 * Return: its name within @bridges, or NULL
 */
const char *attachment_choose(const struct pins_bridges *bridges, const struct meant *meant,
			      const char *how, struct error *err);

/** attachment_list() - "br0, br1" into @buf, cut with "..." where it is too long. Returns @buf */
const char *attachment_list(const struct pins_bridges *bridges, char *buf, size_t size);

/** attachment_target() - as the hook wants it; ifindex 0 where the bridge does not exist */
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
