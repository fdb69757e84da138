/* SPDX-License-Identifier: GPL-2.0-only */
#include "attach/desired.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/access_lists.h"
#include "dataplane/host_settings.h"
#include "kernel/fib.h"
#include "kernel/nat_detect.h"

#define DOCKER0 "docker0"

bool address_is_gateway(const struct link_addr *own, const struct link *link)
{
	return own->ifindex == link->ifindex && !own->advertised &&
	       !addr_is_link_local6(&own->addr) && !addr_is_loopback(&own->addr);
}

int desired_families(const struct dataplane *dp, const struct bridge_state *after,
		     struct families *clients, struct error *err)
{
	struct source_lists lists = {};
	int ret = dp ? dataplane_source_lists(dp, &lists, err) : 0;

	*clients = (struct families){};
	for (size_t i = 0; !ret && i < after->exports.count; i++) {
		const struct hbpf_policy *own = &after->exports.v[i].to.from;
		const struct sources list = source_lists_get(&lists, own->list);

		if (!own->inherit)
			sources_families(&list, clients);
	}
	source_lists_free(&lists);
	sources_families(&after->lists[HBPF_LIST_ONLINK], clients);
	sources_families(&after->lists[HBPF_LIST_BRIDGE], clients);
	return ret;
}

static int add_addresses(const struct host *host, const struct link *link,
			 const struct families *families, __u32 why, struct gateways *set)
{
	for (size_t i = 0; link && i < host->addrs.count; i++) {
		const typeof(*host->addrs.v) *own = &host->addrs.v[i];

		if (!address_is_gateway(own, link) || !families_has(families, &own->addr))
			continue;
		if (gateways_add(set, &own->addr, why))
			return -ENOMEM;
	}
	return 0;
}

int desired_gateways(const struct host *host, const struct link *bridge,
		     const struct gateways *requested, const struct families *clients,
		     struct gateways *set)
{
	const struct families both = { true, true };
	const struct link *docker0 = links_by_name(&host->links, DOCKER0);
	int ret;

	memset(set, 0, sizeof(*set));
	ret = add_addresses(host, bridge, &both, HBPF_GATEWAY_BRIDGE, set)
		      ?: add_addresses(host, docker0, clients, HBPF_GATEWAY_DOCKER0, set);
	for (size_t i = 0; !ret && i < requested->count; i++)
		ret = gateways_add(set, &requested->v[i].addr, HBPF_GATEWAY_OPTION);
	if (ret)
		gateways_free(set);
	return ret;
}

static __be32 local_v4(const struct hbpf_addr *addr)
{
	return addr_is_v4(addr) ? addr->word[3] : 0;
}

void desired_arp_sender(const struct host *host, const struct link *bridge,
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

/* Shorter prefixes are default routes or halves of one, not networks on the link: such a route
 * through the bridge would make the whole world a client. */
#define SHORTEST_ONLINK4 (V4_MAPPED_BITS + 8)
#define SHORTEST_ONLINK6 16

/* Is the destination of this route on the link? The kernel's own routes come from addresses and
 * router advertisements; add_onlink_addresses() handles those. */
static bool is_onlink(const struct fib_route *route)
{
	const struct prefix *dst = &route->dst;

	return route->direct && route->protocol != RTPROT_KERNEL && route->protocol != RTPROT_RA &&
	       route->protocol != RTPROT_REDIRECT &&
	       dst->len >= (addr_is_v4(&dst->addr) ? SHORTEST_ONLINK4 : SHORTEST_ONLINK6) &&
	       !addr_is_link_local6(&dst->addr) && !addr_is_multicast(&dst->addr) &&
	       !addr_is_loopback(&dst->addr);
}

static int add_onlink_routes(unsigned int ifindex, int family, struct sources *set,
			     struct error *err)
{
	struct fib_routes routes;
	int ret = fib_routes_by_device(family, ifindex, &routes, err);

	if (ret)
		return ret;
	for (size_t i = 0; !ret && i < routes.count; i++) {
		struct source source = { routes.v[i].dst, routes.v[i].src4 };

		if (is_onlink(&routes.v[i]))
			ret = sources_add(set, &source);
	}
	fib_routes_free(&routes);
	return ret ? error_nomem(err) : 0;
}

static int add_onlink_addresses(const struct host *host, const struct link *bridge,
				struct sources *set)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < host->addrs.count; i++) {
		const typeof(*host->addrs.v) *own = &host->addrs.v[i];
		struct source source = { own->onlink, local_v4(&own->addr) };

		/* A prefix of full length contains the host alone, unless it is that of a
		 * point-to-point peer. */
		if (own->ifindex != bridge->ifindex || own->advertised ||
		    addr_is_link_local6(&own->addr) ||
		    (own->onlink.len == 128 && addr_equal(&own->onlink.addr, &own->addr)))
			continue;
		ret = sources_add(set, &source);
	}
	return ret;
}

int desired_onlink(const struct host *host, const struct link *bridge, struct sources *set,
		   struct error *err)
{
	int ret = add_onlink_addresses(host, bridge, set);

	if (ret)
		return error_nomem(err);
	ret = add_onlink_routes(bridge->ifindex, AF_INET, set, err)
		      ?: add_onlink_routes(bridge->ifindex, AF_INET6, set, err);
	sources_sort(set);
	return ret;
}

/* The programs refuse link-local, multicast and loopback sources anyway. A local default route is
 * not a set of own addresses but how a transparent proxy receives marked packets; counted, it would
 * leave no clients. */
static bool is_own(const struct prefix *prefix)
{
	return prefix->len > (addr_is_v4(&prefix->addr) ? V4_MAPPED_BITS : 0) &&
	       !addr_is_link_local6(&prefix->addr) && !addr_is_loopback(&prefix->addr);
}

static int add_own(struct sources *set, const struct prefix *prefix)
{
	return is_own(prefix) ? sources_add(set, &(struct source){ .prefix = *prefix }) : 0;
}

/*
 * Addresses in routes of table local, and prefixes that are routed to the host as a whole (AnyIP).
 * For IPv6 also anycast, such as the subnet-router address that forwarding adds; for IPv4 the
 * kernel itself refuses a source of type anycast or broadcast (__fib_validate_source()).
 */
static int add_own_routes(struct sources *set, struct error *err)
{
	struct fib_routes routes = {};
	int ret = fib_routes_by_type(AF_INET, RTN_LOCAL, &routes, err) ?:
		  fib_routes_by_type(AF_INET6, RTN_LOCAL, &routes, err) ?:
		  fib_routes_by_type(AF_INET6, RTN_ANYCAST, &routes, err);

	for (size_t i = 0; !ret && i < routes.count; i++) {
		if (add_own(set, &routes.v[i].dst))
			ret = error_nomem(err);
	}
	fib_routes_free(&routes);
	return ret;
}

int desired_host_addrs(const struct host *host, struct sources *set, struct error *err)
{
	int ret = 0;

	/* Addresses of interfaces that are down have no routes yet. */
	for (size_t i = 0; !ret && i < host->addrs.count; i++)
		ret = add_own(set, &(struct prefix){ host->addrs.v[i].addr, 128 });
	ret = ret ? error_nomem(err) : add_own_routes(set, err);
	sources_merge(set);
	return ret;
}

int desired_guard(const struct pins *pins, const char *bridge, struct hbpf_config *config,
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

void desired_nat_bypass(struct hbpf_config *config)
{
	char why[128];

	config->nat_bypass =
		config->nat_bypass_built && (config->nat_bypass_option == HBPF_ON ||
					     (config->nat_bypass_option == HBPF_AUTO &&
					      nat_detect_prerouting(why, sizeof(why)) == 1));
}
