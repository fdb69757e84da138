/* SPDX-License-Identifier: GPL-2.0-only */
/* Attaching as an operation, for the command and for whoever keeps a bridge attached. */
#ifndef HBPF_ATTACH_H
#define HBPF_ATTACH_H

#include "attach/attachment.h"
#include "attach/bridge_state.h"
#include "attach/conflicts.h"
#include "attach/listeners.h"
#include "model/request.h"

/* An attach under way, and what came of it. */
struct attach {
	const struct attach_request *request;
	const char *bridge;

	/* found */
	struct host host;
	const struct link *link;
	struct pins pins;
	struct dataplane dp;
	bool fresh;  /* not attached before */
	bool remade; /* attached, but to a bridge that was deleted since */
	struct bridge_state before;

	/* wanted */
	struct gateways asked; /* --gateway, now or at an earlier attach */
	struct bridge_state after;
	struct exports put;         /* of after.exports, what before lacks */
	struct exports gone;        /* of before.exports, what after lacks */
	struct listeners listeners; /* of after.exports, without the processes */
	struct conflicts bound;     /* what is in the way of them, where that is the error */

	/* done so far, for undo() */
	bool filled;
	bool hooked[HOOK_SIDES];
	bool stopped; /* a backstop was attached where there was none */
};

/**
 * attach_run() - attach a bridge, or refresh and heal one that is attached
 * @attach:	Filled: what there was and what there is now; valid also where this failed. Release
 *		with attach_free(), which gives back the lock on the state, too
 * @request:	Has to outlive @attach
 * @err:	Names what failed and the next step
 *
 * Return: 0 or -errno; then the host is as it was
 */
int attach_run(struct attach *attach, const struct attach_request *request, struct error *err);

/**
 * attach_is_due() - would attach_run() change anything?
 * @attach:	Filled as far as it takes to tell; release with attach_free()
 * @request:	One that declares the whole state: only_ports, and everything else given
 *
 * before.config is zero where nothing is attached, or cannot be read.
 * Reads only, and loads nothing. Return: 1 yes, also where the state is not whole; 0 no; -errno as
 * attach_run() would, where the bridge cannot be served
 */
int attach_is_due(struct attach *attach, const struct attach_request *request, struct error *err);

/** attach_free() - release what attach_run() holds, also where it failed */
void attach_free(struct attach *attach);

#endif /* HBPF_ATTACH_H */
