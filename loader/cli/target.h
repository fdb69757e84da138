/* SPDX-License-Identifier: GPL-2.0-only */
/* The bridge a command refers to. */
#ifndef HBPF_TARGET_H
#define HBPF_TARGET_H

#include "attach/attachment.h"

/* The bridge that a command line names. */
struct target {
	const char *name;      /* as given by the user, or NULL for the only attached bridge */
	char bridge[IFNAMSIZ]; /* if @name is an alternative name or a network: its bridge */
	bool altname;          /* @name is an alternative name */
	int ret;               /* of the engines' answer: 0 or -errno */
	struct error problem;  /* if ret is not 0 */
};

/**
 * target_resolve() - look up alternative names of interfaces and networks of container engines
 * @name:	As given by the user, or NULL
 * @target:	Filled; release with target_free()
 *
 * The engines are queried only if some bridge is attached, and neither an interface nor an attached
 * bridge has that name. They may be slow, so call this before taking the lock.
 */
void target_resolve(const char *name, struct target *target);

/**
 * target_choose() - choose among the attached bridges
 * @bridges:	The attached bridges
 * @target:	From target_resolve()
 * @how:	How to choose one, for the hint if several are attached: "-b BRIDGE"
 * @err:	Lists the attached bridges
 *
 * The present name takes precedence over the name a bridge was attached as.
 * Return: name of its state directory, one of @bridges->names, or NULL
 */
const char *target_choose(const struct pins_bridges *bridges, const struct target *target,
			  const char *how, struct error *err);

#endif /* HBPF_TARGET_H */
