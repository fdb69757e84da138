/* SPDX-License-Identifier: GPL-2.0-only */
/* At which ports of a bridge it saw MAC addresses: its forwarding database (rtnetlink). */
#ifndef HBPF_FDB_H
#define HBPF_FDB_H

#include <net/ethernet.h>
#include <stddef.h>

struct fdb_entry {
	unsigned int port; /* ifindex of the bridge's port */
	unsigned char mac[ETH_ALEN];
};

struct fdb {
	struct fdb_entry *v;
	size_t count;
};

/**
 * fdb_read() - read the addresses of a bridge's hosts, of all VLANs
 * @bridge:	ifindex
 * @fdb:	Filled; free with fdb_free()
 *
 * Return: 0 or -errno
 */
int fdb_read(unsigned int bridge, struct fdb *fdb);
void fdb_free(struct fdb *fdb);

/** fdb_port() - Return: ifindex of the port where the bridge last saw the address, or 0 */
unsigned int fdb_port(const struct fdb *fdb, const unsigned char mac[ETH_ALEN]);

#endif /* HBPF_FDB_H */
