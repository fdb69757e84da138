/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A change of the ports of one attached bridge, in steps, so that it can be made on several
 * bridges or on none:
 *
 *	plan       compute the new set of ports
 *	commit     write it to the maps
 *	roll back  undo that
 *	finish     end connections over removed ports, then clean up
 */
#ifndef HBPF_PORT_CHANGE_H
#define HBPF_PORT_CHANGE_H

#include "attach/conflicts.h"
#include "dataplane/open.h"
#include "model/request.h"

enum port_action {
	PORT_ADD,
	PORT_DEL,
	PORT_SET,
};

/* What is requested, of every bridge alike. */
struct port_request {
	enum port_action action;
	struct port_specs specs;
	struct from from;
	bool force; /* take ports over from services bound to a gateway's address */
};

struct port_change {
	struct dataplane *dp; /* open, with its maps */
	struct exports have;  /* the ports before; filled by the caller */
	struct exports want;
	struct exports added;   /* or leading elsewhere than before */
	struct exports removed; /* the same */
	struct conflicts bound; /* services in the way of `added` */
	bool committed;
	int ended; /* connections, by port_change_finish() */
};

/**
 * port_change_plan() - compute want, added and removed
 * @err:	-EADDRINUSE: use conflicts_error() on change->bound once the lock is released
 *
 * Writes nothing but the list of a new --from. Return: 0 or -errno
 */
int port_change_plan(struct port_change *change, const struct port_request *request,
		     struct error *err);

/** port_change_commit() - put the new ports in effect. Return: 0, or -errno with the old ones */
int port_change_commit(struct port_change *change, struct error *err);

/** port_change_roll_back() - put the old ports in effect again, if they were replaced */
void port_change_roll_back(struct port_change *change);

/**
 * port_change_finish() - end connections over removed ports, and remove what no port needs
 * @new_from:	--from was given: also forget flows of clients that may no longer use the ports
 *
 * Also after port_change_roll_back(). Return: 0 or -errno; a failure only leaks map entries
 */
int port_change_finish(struct port_change *change, bool new_from, struct error *err);

/** port_change_free() - free what the change owns, which does not include dp */
void port_change_free(struct port_change *change);

#endif /* HBPF_PORT_CHANGE_H */
