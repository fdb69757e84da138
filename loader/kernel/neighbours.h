/* SPDX-License-Identifier: GPL-2.0-only */
/* The neighbour table (ARP and NDP). */
#ifndef HBPF_NEIGHBOURS_H
#define HBPF_NEIGHBOURS_H

#include <stddef.h>

#include "lib/addr.h"

struct neighbours {
	struct hbpf_addr *v;
	size_t count;
};

/**
 * neighbours_read() - the addresses seen on an interface's link (RTM_GETNEIGH)
 * @neighbours:	Filled; free with neighbours_free(), also on failure
 *
 * Those that answered or asked once; not failed or unfinished lookups. Return: 0 or -errno
 */
int neighbours_read(unsigned int ifindex, struct neighbours *neighbours);
void neighbours_free(struct neighbours *neighbours);

#endif /* HBPF_NEIGHBOURS_H */
