/* SPDX-License-Identifier: GPL-2.0-only */
/* Which interfaces can be attached, and who is behind them. */
#ifndef HBPF_INTERFACE_H
#define HBPF_INTERFACE_H

#include <stdbool.h>

#include "kernel/host.h"
#include "lib/error.h"

#define KIND_BRIDGE "bridge"

/** interface_is_bridge() - is it a Linux bridge, with clients behind its ports? */
bool interface_is_bridge(const struct link *link);

/**
 * interface_kind() - what it is, in one word: "bridge", "veth", "tap", "tun", "physical", and for
 * others what the kernel calls them ("bond", "vlan", "wireguard")
 */
const char *interface_kind(const struct link *link);

/**
 * interface_has_own_clients() - is it made for containers or virtual machines of this host?
 *
 * Bridges, and veths and taps that are no ports: their on-link networks are those of the guests. Of
 * all others, such as physical interfaces, the on-link network may be a LAN.
 */
bool interface_has_own_clients(const struct link *link);

/**
 * interface_check() - can packets from this interface be served?
 * @err:	Set to the reason and, where there is one, the interface to attach instead
 *
 * Return: 0 or -EINVAL
 */
int interface_check(const struct host *host, const struct link *link, struct error *err);

#endif /* HBPF_INTERFACE_H */
