/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds NAT rules that could take a packet after the redirect: nat chains in prerouting. */
#ifndef HBPF_NAT_DETECT_H
#define HBPF_NAT_DETECT_H

#include <stddef.h>

/**
 * nat_detect_prerouting() - look for NAT chains in the prerouting hook
 * @why:	What was found, as NAT rules (nf_tables chain "ip nat PREROUTING"), that there are
 *		none, or why that is unknown
 * @size:	of @why
 *
 * Reads the chains of nf_tables (NFT_MSG_GETCHAIN: type nat, hook prerouting), and
 * /proc/net/ip_tables_names and ip6_tables_names for the legacy tables.
 *
 * Return: 1 there are, 0 there are none, -errno unknown
 */
int nat_detect_prerouting(char *why, size_t size);

#endif /* HBPF_NAT_DETECT_H */
