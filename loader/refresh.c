/* SPDX-License-Identifier: GPL-2.0-only */
#include "refresh.h"
#include "nat.h"
#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DOCKER0 "docker0"

static int add_addresses(const struct host *host, const struct link *link, __u32 why,
			 struct gateways *set)
{
	for (size_t i = 0; link && i < host->addrs.count; i++) {
		const typeof(*host->addrs.v) *own = &host->addrs.v[i];

		if (own->ifindex != link->ifindex || addr_is_link_local6(&own->addr) ||
		    addr_is_loopback(&own->addr))
			continue;
		if (gateways_add(set, &own->addr, why))
			return -ENOMEM;
	}
	return 0;
}

int refresh_gateways(const struct host *host, const struct link *bridge,
		     const struct gateways *asked, struct gateways *set)
{
	const struct link *docker0 = links_by_name(&host->links, DOCKER0);
	int rc;

	memset(set, 0, sizeof(*set));
	rc = add_addresses(host, bridge, HBPF_GATEWAY_BRIDGE, set);
	if (!rc)
		rc = add_addresses(host, docker0, HBPF_GATEWAY_DOCKER0, set);
	for (size_t i = 0; !rc && i < asked->count; i++)
		rc = gateways_add(set, &asked->v[i].addr, HBPF_GATEWAY_OPTION);
	if (rc) {
		free(set->v);
		memset(set, 0, sizeof(*set));
	}
	return rc;
}

/* One entry for each address at most, so room for all is made at once. */
static int sources_room(const struct host *host, struct sources *set)
{
	set->count = 0;
	set->v = calloc(host->addrs.count + 1, sizeof(*set->v));
	return set->v ? 0 : -ENOMEM;
}

static __be32 local_v4(const struct hbpf_addr *addr)
{
	return addr_is_v4(addr) ? addr->word[3] : 0;
}

void refresh_arp_sender(const struct host *host, const struct link *bridge,
			const struct gateways *gateways, struct hbpf_config *config)
{
	config->arp_sender4 = 0;
	for (size_t i = 0; !config->arp_sender4 && i < host->addrs.count; i++) {
		if (host->addrs.v[i].ifindex == bridge->ifindex)
			config->arp_sender4 = local_v4(&host->addrs.v[i].addr);
	}
	for (size_t i = 0; !config->arp_sender4 && i < gateways->count; i++) {
		if (host_has(host, &gateways->v[i].addr))
			config->arp_sender4 = local_v4(&gateways->v[i].addr);
	}
}

int refresh_onlink(const struct host *host, const struct link *bridge, struct sources *set)
{
	if (sources_room(host, set))
		return -ENOMEM;
	for (size_t i = 0; i < host->addrs.count; i++) {
		const typeof(*host->addrs.v) *own = &host->addrs.v[i];

		/* A prefix as long as the address is the host alone: nobody else is in it,
		 * unless it is a point-to-point peer's. */
		if (own->ifindex != bridge->ifindex || addr_is_link_local6(&own->addr) ||
		    (own->onlink.len == 128 && addr_equal(&own->onlink.addr, &own->addr)) ||
		    sources_have(set, &own->onlink))
			continue;
		set->v[set->count++] = (struct source){ own->onlink, local_v4(&own->addr) };
	}
	return 0;
}

int refresh_own(const struct host *host, struct sources *set)
{
	if (sources_room(host, set))
		return -ENOMEM;
	for (size_t i = 0; i < host->addrs.count; i++) {
		struct prefix own = { host->addrs.v[i].addr, 128 };

		/* The programs refuse link-local and loopback sources without a list. */
		if (!addr_is_link_local6(&own.addr) && !addr_is_loopback(&own.addr) &&
		    !sources_have(set, &own))
			set->v[set->count++] = (struct source){ .prefix = own };
	}
	return 0;
}

int refresh_guard(const struct pins *pins, const char *bridge, struct hbpf_config *config,
		  struct error *err)
{
	int shared = settings_foreign_localnet(pins, bridge, config->ifindex, err);

	if (shared < 0)
		return shared;
	config->guard_shared = shared;
	config->guard_dst =
		config->guard_option == HBPF_ON || (config->guard_option == HBPF_AUTO && !shared);
	return 0;
}

void refresh_pin(struct hbpf_config *config)
{
	char why[128];

	config->pin = config->pin_built &&
		      (config->pin_option == HBPF_ON ||
		       (config->pin_option == HBPF_AUTO && nat_prerouting(why, sizeof(why)) == 1));
}
