/* SPDX-License-Identifier: GPL-2.0-only */
/* The bridge a command refers to. */
#ifndef HBPF_TARGET_H
#define HBPF_TARGET_H

#include "attach/attachment.h"

/* Which bridge somebody means. */
struct target {
	const char *name;      /* as the user said, or NULL for the only one */
	char bridge[IFNAMSIZ]; /* that has it as an alternative name, or is of the network of
				* that name; else empty */
	bool altname;          /* the former */
	int ret;               /* 0, or -errno of asking for it */
	struct error problem;  /* and why */
};

/**
 * target_resolve() - find out what a name may stand for: ask the kernel for alternative names,
 * and the container engines for networks
 * @name:	As the user said, or NULL
 * @meant:	Filled; release its problem with error_free()
 *
 * The engines only where neither an interface nor an attached bridge has that name, and any is
 * attached. It may take a while, so it is done before the lock is taken.
 */
void target_resolve(const char *name, struct target *meant);

/**
 * target_choose() - the bridge that is meant
 * @bridges:	What is attached
 * @meant:	As target_resolve() left it
 * @how:	How to name one, for the hint where several are attached: "-b BRIDGE"
 * @err:	Lists what is attached
 *
 * By its present name, else by the one it was attached as, where no interface has that now.
 * Return: what its state is kept under, within @bridges->names, or NULL
 */
const char *target_choose(const struct pins_bridges *bridges, const struct target *meant,
			  const char *how, struct error *err);

#endif /* HBPF_TARGET_H */
