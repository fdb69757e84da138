/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attaching the two programs to a bridge: tcx links (Linux 6.6), pinned, in
 * front of every other program; else a clsact qdisc with a fixed handle at the
 * highest priority. Only our own are ever removed.
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
 * hook_attach() - put one program on one side of the bridge, or exchange the one there
 * @kind:	HBPF_HOOK_AUTO tries tcx and falls back to clsact only where the kernel does not
 *		know tcx (-EINVAL, -EOPNOTSUPP), never on -EPERM or -ENODEV. A kind other than the
 *		one in use moves the program: attached at the new place first, then removed
 *		from the old one
 * @side:	Ingress carries the guard and is attached first
 * @prog_fd:	Program
 * @used:	The kind it came to
 *
 * Where it takes making the clsact qdisc, that is written down (old_settings_keep_qdisc()) before.
 * A pinned link that is dead (its bridge was deleted) is replaced. A live one gets the program
 * exchanged in place, so that no packet goes by unguarded. Where others came to stand before ours
 * it moves to the front again, with tcx only if @prog_fd is another program than the one there.
 * Return: 0 or -errno
 */
int hook_attach(const struct hook_target *target, enum hbpf_hook_kind kind, enum hook_side side,
		int prog_fd, enum hbpf_hook_kind *used, struct error *err);

/**
 * hook_detach() - remove our program from one side, whichever kind it is, and the clsact
 * qdisc as hook_remove_qdisc() does
 * Return: 0 (also when nothing is there) or -errno
 */
int hook_detach(const struct hook_target *target, enum hook_side side, struct error *err);

/**
 * hook_remove_qdisc() - remove the clsact qdisc if hbpf created it and it has no filters
 * Return: 0 (also when it has to stay) or -errno
 */
int hook_remove_qdisc(const struct hook_target *target, struct error *err);

struct hook_state {
	bool live; /* our program is attached to this very interface */
	enum hbpf_hook_kind kind;
	__u32 prog_id;
	bool first;      /* nothing else runs before ours */
	char before[64]; /* name of what does */
};

/** hook_query() - what is attached now, according to the kernel. Return: 0 or -errno */
int hook_query(const struct hook_target *target, enum hook_side side, struct hook_state *state,
	       struct error *err);

/*
 * The backstop: the guard alone, on tcx ingress right after the program with the guard, attached
 * without a link, so that it stays until a program detaches it explicitly, or the bridge is
 * deleted. Without tcx in the kernel these functions do and find nothing.
 */

/** hook_backstop_attach() - attach it, in place of one that is there. Return: 0 or -errno */
int hook_backstop_attach(const struct hook_target *target, int prog_fd, struct error *err);
/** hook_backstop_detach() - Return: 0 (also when nothing is there) or -errno */
int hook_backstop_detach(const struct hook_target *target, struct error *err);
/** hook_backstop_query() - Return: 1 with the program's ID, 0: there is none, -errno */
int hook_backstop_query(unsigned int ifindex, __u32 *prog_id);
/**
 * hook_backstop_map() - a map that the backstop of any bridge refers to
 * @match:	Is it the map of this fd?
 *
 * Return: fd, -ENOENT or other -errno
 */
int hook_backstop_map(bool (*match)(int fd));
/**
 * hook_guard_query() - where the program with the guard is on a bridge, whatever may hold it there
 * Return: HBPF_HOOK_AUTO: nowhere that could be seen
 */
enum hbpf_hook_kind hook_guard_query(unsigned int ifindex);
/**
 * hook_detach_unpinned() - detach what needs no pin: clsact filters, and the backstop last
 * @target:	Its pins are not used
 * Return: 0 or -errno
 */
int hook_detach_unpinned(const struct hook_target *target, struct error *err);

/** hook_has_tcx() - whether this kernel has tcx; @ifindex: of any existing interface */
bool hook_has_tcx(unsigned int ifindex);

#endif /* HBPF_HOOK_H */
