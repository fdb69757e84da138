/* SPDX-License-Identifier: GPL-2.0-only */
/* The object files: which one the kernel takes, and why it refuses one. */
#ifndef HBPF_LOAD_H
#define HBPF_LOAD_H

#include "dataplane/dataplane.h"
#include "lib/error.h"

/**
 * dataplane_load() - load the programs into the kernel, without attaching or pinning anything
 * @dp:		Its open maps are used, and new ones are made for the others
 * @nat_bypass:	HBPF_OFF loads the build without NAT bypass. Otherwise the one with it is tried
 *		first; if the kernel refuses it (no BTF, no nf_nat, before 6.1), the plain one is
 *		loaded, and dp->nat_bypass_unavailable says why. dp->config.nat_bypass_built is set
 *		accordingly
 * @err:	The verifier's log is its detail. If the kernel is older than 5.10, it names that
 *		version
 *
 * Return: 0 or -errno
 */
int dataplane_load(struct dataplane *dp, enum hbpf_choice nat_bypass, struct error *err);

#endif /* HBPF_LOAD_H */
