/* SPDX-License-Identifier: GPL-2.0-only */
/* The operation behind `hbpf attach`, which `hbpf watch` uses too. */
#ifndef HBPF_ATTACH_H
#define HBPF_ATTACH_H

#include "attach/attachment.h"
#include "attach/bridge_state.h"
#include "attach/conflicts.h"
#include "attach/listeners.h"
#include "model/request.h"

/* An attach in progress, and its result. */
struct attach {
	const struct attach_request *request;
	const char *bridge;

	/* before */
	struct host host;
	const struct link *link;
	struct pins pins;
	struct shared shared;
	struct dataplane dp;
	bool fresh;     /* not attached before */
	bool recreated; /* attached, but to a bridge that was deleted and re-created since */
	struct bridge_state before;

	/* desired */
	struct gateways requested; /* --gateway, now or at an earlier attach */
	struct bridge_state after;
	struct exports added;   /* of after.exports, what before lacks */
	struct exports removed; /* of before.exports, what after lacks */
	struct listening listening;
	struct listeners listeners; /* of after.exports, without the processes */
	struct conflicts conflicts; /* of added ports, where they are the error */

	/* done so far, for roll_back() */
	bool maps_written;
	bool hooked[HOOK_SIDES];
	bool backstop_added; /* if there was none */
};

/**
 * attach_run() - attach a bridge, or refresh and repair one that is attached
 * @attach:	Filled: the state before and after; valid on failure, too. Release with
 *		attach_free(), which also releases the lock on the state
 * @request:	Must outlive @attach
 * @err:	Names what failed and the next step
 *
 * Return: 0 or -errno, and then the host is as before
 */
int attach_run(struct attach *attach, const struct attach_request *request, struct error *err);

/**
 * attach_is_due() - would attach_run() change anything?
 * @attach:	Filled in part; release with attach_free()
 * @request:	One that declares the whole state: only_ports, and everything else given
 *
 * before.config is zero if nothing is attached, or the state cannot be read. Changes nothing.
 *
 * Return: 1 yes, also if the state is incomplete; 0 no; -errno of attach_run() if the bridge
 * cannot be served
 */
int attach_is_due(struct attach *attach, const struct attach_request *request, struct error *err);

/** attach_free() - release what attach_run() or attach_is_due() holds, after a failure too */
void attach_free(struct attach *attach);

#endif /* HBPF_ATTACH_H */
