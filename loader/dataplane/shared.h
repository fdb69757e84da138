/* SPDX-License-Identifier: GPL-2.0-only */
/* The pinned maps and programs that all bridges of a network namespace share. */
#ifndef HBPF_SHARED_H
#define HBPF_SHARED_H

#include "dataplane/dataplane.h"
#include "dataplane/pins.h"
#include "lib/error.h"

/* Empty. [first ... last] is GNU C. */
/* clang-format off */
#define SHARED_INIT {                                                                              \
		.arrays = { [0 ... MAP_GROWING - 1] = -1 },                                        \
		.maps = { [0 ... MAP_COUNT - 1] = -1 },                                            \
		.programs = { [0 ... PROGRAM_COUNT - 1] = -1 },                                    \
	}
/* clang-format on */

/** shared_init() - make it empty, so that shared_close() may be called */
void shared_init(struct shared *shared);
/** shared_close() - close the maps, and unload the programs that are not attached or pinned; it is
 * empty afterwards */
void shared_close(struct shared *shared);

/**
 * shared_open() - open the maps that are pinned, unless that was done
 *
 * Those that are missing stay -1. Return: 0, -EPROTO if one is not as it should be, or another
 * -errno
 */
int shared_open(struct shared *shared, const struct pins *pins, struct error *err);

/**
 * shared_open_programs() - open the pinned programs, if they are of this build
 * @build:	Text that identifies it
 *
 * Return: how many were opened
 */
int shared_open_programs(struct shared *shared, const struct pins *pins, const char *build);

/** shared_pin_maps() - pin those that are not pinned yet. Return: 0 or -errno; some may be pinned
 * then, which does no harm */
int shared_pin_maps(const struct shared *shared, const struct pins *pins, struct error *err);

/**
 * shared_put_map() - let the programs use another map in place of one that grows
 * @fd:		The map; it becomes shared->maps[map]
 *
 * Return: 0 or -errno
 */
int shared_put_map(struct shared *shared, enum dataplane_map map, int fd);

/** shared_create_map() - create a map that grows, of this size. Return: fd or -errno */
int shared_create_map(enum dataplane_map map, __u32 entries);

/** shared_fill_arrays() - give the arrays of maps that have none a map of the first size. Return: 0
 * or -errno */
int shared_fill_arrays(struct shared *shared);

/**
 * shared_pin_programs() - pin the programs in place of others
 * @build:	As for shared_open_programs()
 *
 * Return: 0 or -errno; shared_open_programs() finds none then
 */
int shared_pin_programs(const struct shared *shared, const struct pins *pins, const char *build,
			struct error *err);

#endif /* HBPF_SHARED_H */
