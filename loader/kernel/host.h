/* SPDX-License-Identifier: GPL-2.0-only */
/* The host that a command finds: its interfaces and addresses. */
#ifndef HBPF_HOST_H
#define HBPF_HOST_H

#include "kernel/rtnetlink.h"

/* Interfaces and addresses, read once for a command. */
struct host {
	struct links links;
	struct ifaddrs_list addrs;
};

/** host_read() - ask the kernel for them. Return: 0 or -errno. Free with host_free() */
int host_read(struct host *host, struct error *err);
/** host_free() - release what host_read() got; a struct that is all zero is fine, too */
void host_free(struct host *host);

/** host_has() - is it an address of this host? */
bool host_has(const struct host *host, const struct hbpf_addr *addr);

#endif /* HBPF_HOST_H */
