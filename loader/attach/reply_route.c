/* SPDX-License-Identifier: GPL-2.0-only */
#include "attach/reply_route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/access_lists.h"
#include "kernel/fib.h"

#define CHECKED_MAX 256 /* networks, and kinds of sockets, of one family */

/* ---- which networks ---- */

static int add_list(const struct dataplane *dp, __u16 list, bool *added, struct sources *all,
		    struct error *err)
{
	struct sources some = {};
	int ret;

	if (added[list])
		return 0;
	added[list] = true;
	ret = dataplane_sources(dp, list, &some, err);
	for (size_t i = 0; !ret && i < some.count; i++) {
		if (sources_add(all, &some.v[i]))
			ret = error_nomem(err);
	}
	sources_free(&some);
	return ret;
}

static int add_policy(const struct dataplane *dp, const struct hbpf_policy *policy, bool *added,
		      struct sources *all, struct error *err)
{
	int ret = add_list(dp, policy->list, added, all, err);

	return ret || !policy->onlink ? ret : add_list(dp, HBPF_LIST_ONLINK, added, all, err);
}

int reply_clients(const struct dataplane *dp, const struct exports *exports, struct sources *all,
		  struct error *err)
{
	bool *added = calloc(1 << 16, sizeof(*added)); /* one for each struct hbpf_policy.list */
	const struct hbpf_policy *bridge = &dp->config.from;
	int ret = 0;

	if (!added)
		return error_nomem(err);
	memset(all, 0, sizeof(*all));
	if (!exports->count)
		ret = add_policy(dp, bridge, added, all, err);
	for (size_t i = 0; !ret && i < exports->count; i++) {
		const struct hbpf_policy *own = &exports->v[i].to.from;

		ret = add_policy(dp, own->inherit ? bridge : own, added, all, err);
	}
	free(added);
	return ret;
}

/* Return: false if they have nothing in common */
static bool intersect(const struct prefix *a, const struct prefix *b, struct prefix *both)
{
	*both = a->len > b->len ? *a : *b;
	return prefix_has(a->len > b->len ? b : a, &both->addr);
}

static bool is_family(const struct hbpf_addr *addr, int family)
{
	return addr_is_v4(addr) == (family == AF_INET);
}

/* ---- which sockets ---- */

/* What the rules of a family select by. */
struct selectors {
	bool uid, mark, proto, sport;
};

static struct selectors rules_selectors(const struct fib_rules *rules)
{
	struct selectors used = {};

	for (size_t i = 0; i < rules->count; i++) {
		used.uid |= rules->v[i].uid.given;
		used.mark |= rules->v[i].mask != 0;
		used.proto |= rules->v[i].proto != 0;
		used.sport |= rules->v[i].sport.given;
	}
	return used;
}

/* The check of one family. */
struct family {
	const struct reply_query *query;
	struct reply_problems *problems;
	int family;
	struct fib_rules rules;
	struct fib_routes routes; /* through the bridge; read when a problem is found */
	bool has_routes;
	bool onlink; /* the network checked was on the bridge's link when it was attached */
	struct fib_flow flows[CHECKED_MAX]; /* of sockets; without dst */
	size_t flow_count;
	struct prefix checked[CHECKED_MAX];
	size_t checked_count;
};

static bool same_flow(const struct fib_flow *a, const struct fib_flow *b)
{
	return addr_equal(&a->src, &b->src) && a->uid == b->uid && a->mark == b->mark &&
	       a->proto == b->proto && a->sport == b->sport;
}

static void add_flow(struct family *f, const struct fib_flow *flow)
{
	for (size_t i = 0; i < f->flow_count; i++) {
		if (same_flow(&f->flows[i], flow))
			return;
	}
	if (f->flow_count < CHECKED_MAX)
		f->flows[f->flow_count++] = *flow;
}

/* Rules may select by a reply's source as well as by its socket. */
static void add_flows(struct family *f)
{
	const struct reply_query *query = f->query;
	const struct selectors used = rules_selectors(&f->rules);
	int side = f->family == AF_INET ? LISTENER_V4 : LISTENER_V6;

	for (size_t i = 0; i < query->exports->count; i++) {
		const struct export *export = &query->exports->v[i];
		struct hbpf_addr local = export_local(export, side);
		const struct socket *socket = sockets_serving(
			query->listeners->sockets, export->key.proto, &local, export->to.port);
		struct fib_flow flow = { .src = local };

		if (side == LISTENER_V6 && !export->to.ipv6)
			continue;
		flow.uid = used.uid && socket ? socket->uid : 0;
		flow.mark = used.mark && socket ? socket->mark : 0;
		flow.proto = used.proto || used.sport ? export->key.proto : 0;
		flow.sport = used.sport ? ntohs(export->to.port) : 0;
		add_flow(f, &flow);
	}
	if (!query->exports->count) {
		f->flow_count = 1;
		f->flows[0] = (struct fib_flow){
			.src = f->family == AF_INET ? addr_from_v4(htonl(INADDR_LOOPBACK))
						    : addr_from_v6(&in6addr_loopback),
		};
	}
}

/* ---- what is wrong ---- */

static int read_bridge_routes(struct family *f, struct error *err)
{
	int ret = 0;

	if (!f->has_routes)
		ret = fib_routes_by_device(f->family, f->query->bridge->ifindex, &f->routes, err);
	f->has_routes = !ret;
	return ret;
}

/* The route through the bridge that replies should take: main's, else one of another table. */
static const struct fib_route *bridge_route(const struct family *f, const struct hbpf_addr *client)
{
	const struct fib_route *best = NULL;

	for (size_t i = 0; i < f->routes.count; i++) {
		const struct fib_route *route = &f->routes.v[i];
		bool is_main = route->table == RT_TABLE_MAIN;

		if (!prefix_has(&route->dst, client))
			continue;
		if (!best || (is_main && best->table != RT_TABLE_MAIN) ||
		    (route->table == best->table && route->dst.len > best->dst.len))
			best = route;
	}
	return best;
}

static void device_format(const struct family *f, const struct fib_route *route,
			  char buf[IFNAMSIZ + 16])
{
	const struct link *link = links_by_index(&f->query->host->links, route->ifindex);

	if (link)
		snprintf(buf, IFNAMSIZ + 16, "%s", link->name);
	else
		snprintf(buf, IFNAMSIZ + 16, "interface %u", route->ifindex);
}

/* "rule 5270 (lookup 52)" */
static void rule_format(const struct fib_rule *rule, char *buf, size_t size)
{
	char table[FIB_TABLE_STRLEN];

	if (fib_rule_refuses(rule))
		snprintf(buf, size, "routing rule %u, which refuses them", rule->pref);
	else
		snprintf(buf, size, "routing rule %u, lookup %s", rule->pref,
			 fib_table_format(rule->table, table));
}

/* One network that gets no replies. */
struct misroute {
	const char *clients;              /* "172.30.0.0/24" */
	const struct fib_route *route;    /* taken, with dst; NULL: there is none */
	const struct fib_route *expected; /* to be taken; NULL: there is none */
	const struct fib_rule *rule;      /* that chose `route`; may be NULL */
};

static void explain_no_route(struct family *f, const struct misroute *wrong,
			     struct reply_problem *problem)
{
	const char *bridge = f->query->bridge->name;

	snprintf(
		problem->text, sizeof(problem->text),
		"no route to %s leads to %s, so answers are lost; add one with `ip route add %s via "
		"ROUTER dev %s`, without `via ROUTER` for clients on its link",
		wrong->clients, bridge, wrong->clients, bridge);
}

static void explain_specific_route(struct family *f, const struct misroute *wrong,
				   struct reply_problem *problem)
{
	char dst[PREFIX_STRLEN], device[IFNAMSIZ + 16], table[FIB_TABLE_STRLEN];

	device_format(f, wrong->route, device);
	snprintf(problem->text, sizeof(problem->text),
		 "answers to %s leave by %s, not %s: table %s has a route to %s there; delete it, "
		 "or give %s another network",
		 wrong->clients, device, f->query->bridge->name,
		 fib_table_format(wrong->route->table, table),
		 prefix_format(&wrong->route->dst, dst), f->query->bridge->name);
}

static void explain_rule(struct family *f, const struct misroute *wrong,
			 struct reply_problem *problem)
{
	char rule[64], device[IFNAMSIZ + 16], table[FIB_TABLE_STRLEN];
	const char *bridge = f->query->bridge->name;

	rule_format(wrong->rule, rule, sizeof(rule));
	if (wrong->route) {
		device_format(f, wrong->route, device);
		snprintf(problem->text, sizeof(problem->text),
			 "answers to %s leave by %s, not %s (%s)", wrong->clients, device, bridge,
			 rule);
	} else {
		snprintf(problem->text, sizeof(problem->text),
			 "answers to %s have no route to %s (%s)", wrong->clients, bridge, rule);
	}
	/* `ip rule add` puts a rule after others of its preference, so use a smaller one. */
	if (wrong->rule->pref)
		snprintf(problem->command, sizeof(problem->command),
			 "ip %srule add pref %u to %s lookup %s", f->family == AF_INET ? "" : "-6 ",
			 wrong->rule->pref - 1, wrong->clients,
			 fib_table_format(wrong->expected->table, table));
	else
		strncat(problem->text, "; move that rule after one whose table has a route to them",
			sizeof(problem->text) - strlen(problem->text) - 1);
}

/* Is there a more specific route in the table of the bridge's? */
static bool is_shadowed(const struct misroute *wrong)
{
	return wrong->route && wrong->route->table == wrong->expected->table &&
	       wrong->route->dst.len >= wrong->expected->dst.len;
}

static bool is_diverted(const struct misroute *wrong)
{
	return wrong->rule &&
	       (fib_rule_refuses(wrong->rule) || wrong->rule->table != wrong->expected->table);
}

static void explain(struct family *f, const struct misroute *wrong)
{
	struct reply_problems *problems = f->problems;
	struct reply_problem *problem = &problems->v[problems->count];

	if (problems->count == REPLY_PROBLEMS_MAX)
		return;
	if (!wrong->expected)
		explain_no_route(f, wrong, problem);
	else if (is_shadowed(wrong))
		explain_specific_route(f, wrong, problem);
	else if (is_diverted(wrong))
		explain_rule(f, wrong, problem);
	else if (f->query->bridge->carrier)
		snprintf(problem->text, sizeof(problem->text), "answers to %s have no route to %s",
			 wrong->clients, f->query->bridge->name);
	/* Without a carrier the route may be ignored (ignore_routes_with_linkdown), and there is no
	 * client. */
	else
		return;
	problems->count++;
}

/* ---- checking ---- */

/*
 * Where a flow goes. When the kernel refuses a source in 127.0.0.0/8 it does not report the device,
 * so ask without the source. If that is the bridge, a rule about such sources was the cause.
 */
static int find_route(const struct family *f, const struct fib_flow *flow, struct fib_route *route)
{
	struct fib_flow any = *flow;
	int ret = fib_lookup(flow, route);

	if (ret != -EINVAL || f->family != AF_INET)
		return ret;
	any.src = addr_from_v4(htonl(INADDR_ANY));
	ret = fib_lookup(&any, route);
	if (!ret && route->ifindex == f->query->bridge->ifindex)
		return -EINVAL;
	return ret ? ret : fib_lookup_route(&any, route);
}

static bool bridge_has_address(const struct family *f, const struct prefix *clients)
{
	const struct link_addrs *addrs = &f->query->host->addrs;

	for (size_t i = 0; i < addrs->count; i++) {
		if (addrs->v[i].ifindex == f->query->bridge->ifindex &&
		    prefix_has(clients, &addrs->v[i].addr))
			return true;
	}
	return false;
}

static int diagnose(struct family *f, const struct fib_flow *flow, const struct prefix *clients,
		    int found, struct fib_route *route, struct error *err)
{
	char text[PREFIX_STRLEN];
	struct fib_route whole;
	struct misroute wrong = {
		.clients = prefix_format(clients, text),
		.route = found ? NULL : route,
	};
	int ret = read_bridge_routes(f, err);

	if (ret)
		return ret;
	if (wrong.route && !fib_lookup_route(flow, &whole))
		*route = whole;
	wrong.expected = bridge_route(f, &flow->dst);
	/* The bridge has lost its address in this network since it was attached. */
	if (!wrong.expected && f->onlink && !bridge_has_address(f, clients))
		return 0;
	if (wrong.route)
		wrong.rule = fib_rule_of_route(&f->rules, flow, wrong.route);
	else if (wrong.expected)
		wrong.rule = fib_rule_suspect(&f->rules, flow, wrong.expected->table);
	explain(f, &wrong);
	return 0;
}

/* Return: an address of the network that the host does not have */
static struct hbpf_addr pick_client(const struct family *f, const struct prefix *clients)
{
	struct hbpf_addr client = clients->addr;

	/* The first address of a larger network is the network's own. */
	while (clients->len < 127 && client.byte[15] < 255) {
		client.byte[15]++;
		if (!host_has(f->query->host, &client) && prefix_has(clients, &client))
			break;
	}
	return client;
}

static int check_network(struct family *f, const struct prefix *clients, struct error *err)
{
	size_t already = f->problems->count;
	int ret = 0;

	for (size_t i = 0; i < f->checked_count; i++) {
		if (f->checked[i].len == clients->len &&
		    addr_equal(&f->checked[i].addr, &clients->addr))
			return 0;
	}
	if (f->checked_count == CHECKED_MAX)
		return 0;
	f->checked[f->checked_count++] = *clients;
	/* One problem for each network is enough. */
	for (size_t i = 0; !ret && i < f->flow_count && f->problems->count == already; i++) {
		struct fib_flow flow = f->flows[i];
		struct fib_route route;
		int found;

		flow.dst = pick_client(f, clients);
		found = find_route(f, &flow, &route);
		if (found || route.ifindex != f->query->bridge->ifindex)
			ret = diagnose(f, &flow, clients, found, &route, err);
	}
	return ret;
}

/* Return: 1 if a part of @allowed is on this bridge, 0 or -errno */
static int check_allowed(struct family *f, const struct prefix *allowed,
			 const struct sources *onlink, struct error *err)
{
	struct prefix part;
	int found = 0, ret = 0;

	f->onlink = true;
	for (size_t i = 0; !ret && i < onlink->count; i++) {
		if (intersect(allowed, &onlink->v[i].prefix, &part)) {
			found = 1;
			ret = check_network(f, &part, err);
		}
	}
	f->onlink = false;
	if (ret || found)
		return ret ? ret : found;
	ret = read_bridge_routes(f, err);
	for (size_t i = 0; !ret && i < f->routes.count; i++) {
		if (intersect(allowed, &f->routes.v[i].dst, &part)) {
			found = 1;
			ret = check_network(f, &part, err);
		}
	}
	return ret ? ret : found;
}

/*
 * Only the parts of the allowed networks that are on this bridge are checked: with --from 0.0.0.0/0
 * not everyone need be reached through it. Where no part is, that is the problem.
 */
static int check_networks(struct family *f, const struct sources *all, const struct sources *onlink,
			  struct error *err)
{
	const struct prefix *first = NULL;
	int ret = fib_rules(f->family, &f->rules, err);
	bool found = false;

	if (ret)
		return ret;
	add_flows(f);
	for (size_t i = 0; ret >= 0 && i < all->count; i++) {
		const struct prefix *allowed = &all->v[i].prefix;

		if (!is_family(&allowed->addr, f->family))
			continue;
		first = first ? first : allowed;
		ret = check_allowed(f, allowed, onlink, err);
		found |= ret > 0;
	}
	if (ret >= 0 && first && !found)
		ret = check_network(f, first, err);
	return ret < 0 ? ret : 0;
}

static int check_family(const struct reply_query *query, int family, const struct sources *all,
			const struct sources *onlink, struct reply_problems *problems,
			struct error *err)
{
	struct family f = { .query = query, .problems = problems, .family = family };
	bool has_gateway = false;
	int ret;

	for (size_t i = 0; i < query->gateways->count; i++)
		has_gateway |= is_family(&query->gateways->v[i].addr, family);
	if (!has_gateway)
		return 0;
	ret = check_networks(&f, all, onlink, err);
	fib_rules_free(&f.rules);
	fib_routes_free(&f.routes);
	return ret;
}

int reply_routes_check(const struct reply_query *query, struct reply_problems *problems,
		       struct error *err)
{
	struct sources all = {}, onlink = {};
	int ret;

	memset(problems, 0, sizeof(*problems));
	ret = reply_clients(query->dp, query->exports, &all, err);
	problems->no_clients = !ret && !all.count;
	/* An interface that is down has no routes. */
	if (!ret && query->bridge->up)
		ret = dataplane_sources(query->dp, HBPF_LIST_ONLINK, &onlink, err) ?:
		      check_family(query, AF_INET, &all, &onlink, problems, err) ?:
		      check_family(query, AF_INET6, &all, &onlink, problems, err);
	sources_free(&all);
	sources_free(&onlink);
	return ret;
}
