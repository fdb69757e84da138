/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/host.h"

#include <string.h>

int host_read(struct host *host, struct error *err)
{
	int ret;

	memset(host, 0, sizeof(*host));
	ret = rtnetlink_links(&host->links, err);
	if (!ret)
		ret = rtnetlink_addrs(&host->addrs, err);
	if (ret)
		host_free(host);
	return ret;
}

void host_free(struct host *host)
{
	links_free(&host->links);
	link_addrs_free(&host->addrs);
	memset(host, 0, sizeof(*host));
}

bool host_has(const struct host *host, const struct hbpf_addr *addr)
{
	for (size_t i = 0; i < host->addrs.count; i++) {
		if (addr_equal(&host->addrs.v[i].addr, addr))
			return true;
	}
	return false;
}
