/* SPDX-License-Identifier: GPL-2.0-only */
/* The interfaces and addresses of the host, read once for each command. */
#ifndef HBPF_HOST_H
#define HBPF_HOST_H

#include "kernel/rtnetlink.h"

struct host {
	struct links links;
	struct link_addrs addrs;
};

/** host_read() - read both from the kernel. Return: 0 or -errno. Free with host_free() */
int host_read(struct host *host, struct error *err);
/** host_free() - release them; all zero is allowed */
void host_free(struct host *host);

/** host_has() - is it an address of this host? */
bool host_has(const struct host *host, const struct hbpf_addr *addr);

#endif /* HBPF_HOST_H */
