/* SPDX-License-Identifier: GPL-2.0-only */
/* The bridge a command refers to. */
#ifndef HBPF_TARGET_H
#define HBPF_TARGET_H

#include "attach/attachment.h"
#include "attach/lost_bridges.h"
#include "dataplane/shared.h"

/* What a command finds: the host, the attached bridges, and the lock on their state. */
struct attached {
	struct pins pins;
	struct pins_bridges bridges;
	struct host host;
	struct shared shared;     /* for dataplane_init() */
	struct lost_bridges lost; /* only after attached_open_all() */
	int unread;               /* the same: -errno if the bpffs could not be read, else 0 */
};

#define ATTACHED_INIT                                                                              \
	{                                                                                          \
		.pins = PINS_INIT, .shared = SHARED_INIT                                           \
	}

/**
 * attached_open() - take the lock, then read the attached bridges and the host
 * @attached:	ATTACHED_INIT; filled. pins_close(&attached->pins) releases the lock; free the rest
 *		with attached_free(), also after an error
 *
 * Return: 0 or -errno
 */
int attached_open(struct attached *attached, enum pins_mode mode, struct error *err);

/**
 * attached_open_all() - as attached_open(), but also finds bridges whose state was lost
 * @err:	If the state cannot be read, this has the reason, @attached->unread is its -errno,
 *		and the lost bridges are found nevertheless
 *
 * Return: 0, or -errno if nothing can be found
 */
int attached_open_all(struct attached *attached, enum pins_mode mode, struct error *err);
void attached_free(struct attached *attached);

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
void target_free(struct target *target);

/** target_none_attached() - the error of a command that needs an attached interface. Return:
 * -ENOENT */
int target_none_attached(struct error *err);

/**
 * target_choose() - choose among the attached bridges
 * @bridges:	The attached bridges
 * @target:	From target_resolve()
 * @how:	How to choose one, for the hint if several are attached: "-b INTERFACE". Not used if
 *		@target has a name
 * @err:	Lists the attached bridges
 *
 * The present name takes precedence over the name a bridge was attached as.
 * Return: name of its state directory, one of @bridges->names, or NULL
 */
const char *target_choose(const struct pins_bridges *bridges, const struct target *target,
			  const char *how, struct error *err);

/**
 * attached_open_for() - attached_open() to read, and choose the bridge that the command line names
 * @target:	From target_resolve(); without a name it stands for all bridges
 * @only:	Set to one of @attached->bridges.names, or NULL for all
 *
 * Return: 0 or -errno
 */
int attached_open_for(struct attached *attached, const struct target *target, const char **only,
		      struct error *err);

#endif /* HBPF_TARGET_H */
