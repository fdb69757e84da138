/* SPDX-License-Identifier: GPL-2.0-only */
/* The object files: which one the kernel takes, and why it refuses one. */
#ifndef HBPF_LOAD_H
#define HBPF_LOAD_H

#include "dataplane/dataplane.h"
#include "dataplane/pins.h"
#include "lib/error.h"

/**
 * shared_load() - have the programs and maps, without attaching or pinning anything
 * @shared:	Opens those that are pinned. If these are of another build, or there are none, loads
 *		the programs into the kernel and sets ->loaded
 * @nat_bypass:	HBPF_OFF loads the build without NAT bypass. Otherwise the one with it is tried
 *		first; if the kernel refuses it (no BTF, no nf_nat, before 6.1), the plain one is
 *		loaded, and ->nat_bypass_unavailable says why. Pinned programs without NAT bypass
 *		are used as long as no NAT rules are found. ->nat_bypass_built is set
 *		accordingly
 * @err:	The verifier's log is its detail. If the kernel is older than 5.10, it names that
 *		version
 *
 * Return: 0 or -errno
 */
int shared_load(struct shared *shared, const struct pins *pins, enum hbpf_choice nat_bypass,
		struct error *err);

/**
 * shared_load_copy() - load programs of the same build once more, if they were not just loaded
 *
 * A hook's list cannot have the same program twice, so another one has to take its place where it
 * is to be moved. Return: 0 or -errno
 */
int shared_load_copy(struct shared *shared, struct error *err);

/** shared_pin_loaded() - pin the programs that shared_load() loaded. Return: 0 or -errno */
int shared_pin_loaded(const struct shared *shared, const struct pins *pins, struct error *err);

#endif /* HBPF_LOAD_H */
