/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether NAT rules could catch a packet after the redirect: prerouting nat chains. */
#ifndef HBPF_NAT_DETECT_H
#define HBPF_NAT_DETECT_H

#include <stddef.h>

/**
 * nat_detect_prerouting() - look for NAT chains in the prerouting hook
 * @why:	Says what was found, as NAT rules (nf_tables chain "ip nat PREROUTING"), or that
 *		there are none, or why it could not be told
 * @size:	of @why
 *
 * Asks nf_tables over netlink (NFT_MSG_GETCHAIN: type nat, hook prerouting) and reads
 * /proc/net/ip_tables_names and ip6_tables_names for the legacy tables.
 *
 * Return: 1 there are, 0 there are none, -errno could not be told
 */
int nat_detect_prerouting(char *why, size_t size);

#endif /* HBPF_NAT_DETECT_H */
