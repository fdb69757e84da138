/* SPDX-License-Identifier: GPL-2.0-only */
/* VLANs of bridges and their ports, as `bridge vlan show` has them. */
#ifndef HBPF_BRIDGE_VLANS_H
#define HBPF_BRIDGE_VLANS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* One VLAN of a port, or of the bridge's own interface. */
struct bridge_vlan {
	unsigned int ifindex;
	__u16 vid;
	bool pvid;     /* of untagged frames that come in */
	bool untagged; /* frames go out without a tag */
};

struct bridge_vlans {
	struct bridge_vlan *v;
	size_t count;
};

/**
 * bridge_vlans_read() - the VLANs of all bridges (RTM_GETLINK, RTEXT_FILTER_BRVLAN)
 * @vlans:	Filled; free with bridge_vlans_free(), also on failure
 *
 * They count only where a bridge filters (link.vlan_filtering). Return: 0 or -errno
 */
int bridge_vlans_read(struct bridge_vlans *vlans);
void bridge_vlans_free(struct bridge_vlans *vlans);

/** bridge_vlans_pvid() - the VLAN of an interface's untagged frames, both ways. Return: 0 if there
 * is none */
__u16 bridge_vlans_pvid(const struct bridge_vlans *vlans, unsigned int ifindex);

#endif /* HBPF_BRIDGE_VLANS_H */
