/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attaching the two programs to a bridge: with tcx (Linux 6.6) as pinned links in front of every
 * other program, else as filters of a clsact qdisc, with the highest priority and a fixed handle.
 * Programs and filters of others are never removed.
 */
#ifndef HBPF_HOOK_H
#define HBPF_HOOK_H

#include <hbpf/maps.h>
#include <stdbool.h>

#include "dataplane/pins.h"
#include "lib/error.h"

enum hook_side {
	HOOK_INGRESS,
	HOOK_EGRESS,
	HOOK_SIDES,
};

struct hook_target {
	const struct pins *pins;
	const char *bridge;
	unsigned int ifindex;
};

/**
 * hook_attach() - attach a program to one side of the bridge, or replace the attached one
 * @kind:	HBPF_HOOK_AUTO tries tcx and falls back to clsact only if the kernel has no tcx
 *		(-EINVAL, -EOPNOTSUPP), never on -EPERM or -ENODEV. If another kind is in use, the
 *		program is attached to the new hook first, then detached from the old one
 * @side:	Ingress carries the guard and is attached first
 * @prog_fd:	Program
 * @used:	The kind that was used
 *
 * If a clsact qdisc has to be added, that is recorded first (old_settings_record_qdisc()). A pinned
 * link that is dead (its bridge was deleted) is replaced. In a live one the program is replaced in
 * place, so that no packet passes unguarded. If other programs run before hbpf's, it moves to the
 * front again, with tcx only if @prog_fd is not the attached program.
 * Return: 0 or -errno
 */
int hook_attach(const struct hook_target *target, enum hbpf_hook_kind kind, enum hook_side side,
		int prog_fd, enum hbpf_hook_kind *used, struct error *err);

/**
 * hook_detach() - detach hbpf's program of either kind from one side, then hook_remove_qdisc()
 * Return: 0 (also if nothing is attached) or -errno
 */
int hook_detach(const struct hook_target *target, enum hook_side side, struct error *err);

/**
 * hook_remove_qdisc() - remove the clsact qdisc if hbpf created it and it has no filters
 * Return: 0 (also if it has to stay) or -errno
 */
int hook_remove_qdisc(const struct hook_target *target, struct error *err);

struct hook_state {
	bool live; /* hbpf's program is attached to this interface */
	enum hbpf_hook_kind kind;
	__u32 prog_id;
	bool first;      /* no other program runs before it */
	char before[64]; /* the name of the one that does */
};

/** hook_query() - query the kernel for what is attached. Return: 0 or -errno */
int hook_query(const struct hook_target *target, enum hook_side side, struct hook_state *state,
	       struct error *err);

/*
 * The backstop: a program with the guard alone, on tcx ingress right after the main program. It is
 * attached without a link, so that it stays until it is detached explicitly or the bridge is
 * deleted. If the kernel has no tcx, these functions do nothing and find nothing.
 */

/** hook_backstop_attach() - attach it, replacing an existing one; this very program stays where it
 * is. Return: 0 or -errno */
int hook_backstop_attach(const struct hook_target *target, int prog_fd, struct error *err);
/** hook_backstop_is_next() - is it right after the main program, or not attached at all? */
bool hook_backstop_is_next(unsigned int ifindex);
/** hook_backstop_detach() - Return: 0 (also if there is none) or -errno */
int hook_backstop_detach(const struct hook_target *target, struct error *err);
/** hook_backstop_query() - Return: 1 with the program's ID, 0 if there is none, -errno */
int hook_backstop_query(unsigned int ifindex, __u32 *prog_id);
/**
 * hook_backstop_map() - find a map that the backstop of any bridge uses
 * @match:	As for hook_program_map(), without a context
 *
 * Return: fd, -ENOENT or other -errno
 */
int hook_backstop_map(bool (*match)(int fd, const void *context));
/**
 * hook_guard_query() - find the program with the guard on a bridge, with or without a pinned link
 * Return: its hook; HBPF_HOOK_AUTO if it was not found
 */
enum hbpf_hook_kind hook_guard_query(unsigned int ifindex);
/**
 * hook_detach_unpinned() - detach what stays without pins: clsact filters, and the backstop last
 * @target:	Its pins are not used
 * Return: 0 or -errno
 */
int hook_detach_unpinned(const struct hook_target *target, struct error *err);

/**
 * hook_program_map() - find a map among those that a program refers to
 * @match:	Is it the map of this fd? Gets @context, too
 *
 * Return: fd, -ENOENT or other -errno
 */
int hook_program_map(int prog_fd, bool (*match)(int fd, const void *context), const void *context);

/** hook_has_tcx() - does this kernel have tcx? @ifindex: any existing interface */
bool hook_has_tcx(unsigned int ifindex);

#endif /* HBPF_HOOK_H */
