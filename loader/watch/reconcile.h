/* SPDX-License-Identifier: GPL-2.0-only */
/* Making the host match the configuration. */
#ifndef HBPF_RECONCILE_H
#define HBPF_RECONCILE_H

#include "kernel/file_monitor.h"
#include "watch/config_parse.h"
#include "watch/engine_cache.h"
#include "watch/retry.h"

/* What lives from one reconciliation to the next. */
struct watch_state {
	struct watch_config conf;   /* of the files */
	struct watch_config labels; /* a section of `conf` for the same bridge takes precedence */
	struct engine_cache engines;
	bool needs_engines;         /* last time: some section or label depends on them */
	unsigned int newest_bridge; /* highest index of a bridge last time */
	struct file_monitor files;  /* reports what others remove or change */
	struct retry_list retries;  /* by section, and by bridge to be detached */
	struct retry_list labels_logged;
	size_t attached; /* declared bridges that are attached as declared */
};

/**
 * watch_reconcile() - attach the declared bridges that exist, detach what is no longer declared
 *
 * Bridges that are as declared are left alone, and so are those attached manually, unless a section
 * of a file declares them. Errors are logged, and do not affect other bridges.
 * Return: ms until the next call is due without an event; -1: none
 */
int watch_reconcile(struct watch_state *state);

/**
 * watch_detach_all() - detach what this watcher, or an earlier one, attached
 * Return: true if all of it is detached; what is not was logged
 */
bool watch_detach_all(struct watch_state *state);

/** watch_state_free() - release all of it */
void watch_state_free(struct watch_state *state);

#endif /* HBPF_RECONCILE_H */
