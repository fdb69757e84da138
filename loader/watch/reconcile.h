/* SPDX-License-Identifier: GPL-2.0-only */
/* One pass of the watcher: the host is made to have what is declared. */
#ifndef HBPF_RENAMES_H
#define HBPF_RENAMES_H

#include "kernel/file_monitor.h"
#include "watch/config.h"
#include "watch/engine_cache.h"
#include "watch/tended.h"

struct watch_state {
	/* declared */
	struct conf conf;   /* by the file */
	struct conf labels; /* by labels; a section of `conf` for the same bridge wins */

	/* found */
	struct engine_cache engines;
	unsigned int newest_bridge; /* the highest index of any at the last pass */
	bool asks;                  /* at the last pass: what is declared depends on engines */
	struct file_monitor files;  /* follows what others could take away */
	struct tended_list tended;
	size_t attached; /* declared bridges that are there and well after the last pass */
};

/**
 * watch_reconcile() - attach what is declared and there, detach what is not
 *
 * What is as declared is left alone, and so is what was attached by hand, unless a section of the
 * file is about it. Errors are logged and do not keep the other bridges.
 * Return: ms until the next try of what failed; -1: nothing did
 */
int watch_reconcile(struct watch_state *state);

/**
 * watch_detach_all() - detach what this watcher, or one before, attached
 * Return: is all of it detached? What is not was logged.
 */
bool watch_detach_all(struct watch_state *state);

#endif /* HBPF_RENAMES_H */
