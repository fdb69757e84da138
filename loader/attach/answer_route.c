/* SPDX-License-Identifier: GPL-2.0-only */
#include "attach/answer_route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/fib.h"
#include "model/sources.h"

#define ASKED_MOST 256 /* networks, and kinds of sockets, of one family */

/* ---- which networks ---- */

/* Joins the prefixes that one policy allows to @all. @lists: those that are there already. */
static int add_policy(const struct dataplane *dp, const struct hbpf_policy *policy, bool *lists,
		      struct sources *all, struct error *err)
{
	const __u16 wanted[] = { policy->list, HBPF_LIST_ONLINK };
	struct sources some;
	int ret = 0;

	for (size_t i = 0; !ret && i < (policy->onlink ? 2 : 1); i++) {
		struct source *v = NULL;

		if (lists[wanted[i]])
			continue;
		lists[wanted[i]] = true;
		ret = dataplane_sources(dp, wanted[i], &some, err);
		if (ret)
			break;
		if (some.count)
			v = reallocarray(all->v, all->count + some.count, sizeof(*v));
		if (v) {
			memcpy(v + all->count, some.v, some.count * sizeof(*v));
			all->v = v;
			all->count += some.count;
		} else if (some.count) {
			ret = error_set(err, ENOMEM, "no memory for the sources");
		}
		sources_free(&some);
	}
	return ret;
}

int answers_clients(const struct dataplane *dp, const struct exports *exports, struct sources *all,
		    struct error *err)
{
	bool *lists = calloc(1 << 16, sizeof(*lists)); /* one for each struct hbpf_policy.list */
	const struct hbpf_policy *bridge = &dp->config.from;
	int ret = 0;

	if (!lists)
		return error_set(err, ENOMEM, "no memory for the sources");
	memset(all, 0, sizeof(*all));
	if (!exports->count)
		ret = add_policy(dp, bridge, lists, all, err);
	for (size_t i = 0; !ret && i < exports->count; i++) {
		const struct hbpf_policy *own = &exports->v[i].to.from;

		ret = add_policy(dp, own->inherit ? bridge : own, lists, all, err);
	}
	free(lists);
	return ret;
}

/* The part that both have in common. Return: false where there is none */
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

/* What the rules of a family look at. */
struct looks {
	bool uid, mark, proto, sport;
};

static struct looks rules_look(const struct fib_rules *rules)
{
	struct looks looks = {};

	for (size_t i = 0; i < rules->count; i++) {
		looks.uid |= rules->v[i].uid.given;
		looks.mark |= rules->v[i].mask != 0;
		looks.proto |= rules->v[i].proto != 0;
		looks.sport |= rules->v[i].sport.given;
	}
	return looks;
}

/* Everything that concerns one family. */
struct family {
	const struct answers_query *query;
	struct answers *answers;
	int family;
	struct fib_rules rules;
	struct fib_routes routes; /* by the bridge; read when something is wrong */
	bool has_routes;
	bool onlink; /* what is asked about was on the bridge's link when it was attached */
	struct fib_flow flows[ASKED_MOST]; /* of sockets; without dst */
	size_t flow_count;
	struct prefix asked[ASKED_MOST];
	size_t asked_count;
};

static bool is_same(const struct fib_flow *a, const struct fib_flow *b)
{
	return addr_equal(&a->src, &b->src) && a->uid == b->uid && a->mark == b->mark &&
	       a->proto == b->proto && a->sport == b->sport;
}

static void add_flow(struct family *f, const struct fib_flow *flow)
{
	for (size_t i = 0; i < f->flow_count; i++) {
		if (is_same(&f->flows[i], flow))
			return;
	}
	if (f->flow_count < ASKED_MOST)
		f->flows[f->flow_count++] = *flow;
}

/* The source of a port's answers matters as much as its socket, so both are of the flow. */
static void add_flows(struct family *f)
{
	const struct answers_query *query = f->query;
	const struct looks looks = rules_look(&f->rules);
	int side = f->family == AF_INET ? LISTENER_V4 : LISTENER_V6;

	for (size_t i = 0; i < query->exports->count; i++) {
		const struct export *export = &query->exports->v[i];
		struct hbpf_addr local = export_local(export, side);
		const struct socket *socket = sockets_serving(
			&query->listeners->sockets, export->key.proto, &local, export->to.port);
		struct fib_flow flow = { .src = local };

		if (side == LISTENER_V6 && !export->to.ipv6)
			continue;
		flow.uid = looks.uid && socket ? socket->uid : 0;
		flow.mark = looks.mark && socket ? socket->mark : 0;
		flow.proto = looks.proto || looks.sport ? export->key.proto : 0;
		flow.sport = looks.sport ? ntohs(export->to.port) : 0;
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

static int read_routes(struct family *f, struct error *err)
{
	int ret = 0;

	if (!f->has_routes)
		ret = fib_routes_by(f->family, f->query->bridge->ifindex, &f->routes, err);
	f->has_routes = !ret;
	return ret;
}

/* The route by the bridge that answers ought to take: main's, or else one of another table. */
static const struct fib_route *home_route(const struct family *f, const struct hbpf_addr *client)
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

/* One network that gets no answers. */
struct loss {
	const char *clients;           /* "172.30.0.0/24" */
	const struct fib_route *route; /* that they take, with dst; NULL: the host has none */
	const struct fib_route *home;  /* that they should; NULL: the host has none */
	const struct fib_rule *rule;   /* that leads them there; may be NULL */
};

static void tell_no_home(struct family *f, const struct loss *loss, struct answers_lost *lost)
{
	const char *bridge = f->query->bridge->name;

	snprintf(lost->text, sizeof(lost->text),
		 "no route to %s leads to %s, so answers do not; `ip route add %s via ROUTER dev "
		 "%s` makes one, without `via ROUTER` where they are on its link",
		 loss->clients, bridge, loss->clients, bridge);
}

static void tell_specific(struct family *f, const struct loss *loss, struct answers_lost *lost)
{
	char dst[PREFIX_STRLEN], device[IFNAMSIZ + 16], table[FIB_TABLE_STRLEN];

	device_format(f, loss->route, device);
	snprintf(lost->text, sizeof(lost->text),
		 "answers to %s leave by %s, not %s: table %s has a route to %s there; delete it, "
		 "or give %s another network",
		 loss->clients, device, f->query->bridge->name,
		 fib_table_format(loss->route->table, table), prefix_format(&loss->route->dst, dst),
		 f->query->bridge->name);
}

static void tell_rule(struct family *f, const struct loss *loss, struct answers_lost *lost)
{
	char rule[64], device[IFNAMSIZ + 16], table[FIB_TABLE_STRLEN];
	const char *bridge = f->query->bridge->name;

	rule_format(loss->rule, rule, sizeof(rule));
	if (loss->route) {
		device_format(f, loss->route, device);
		snprintf(lost->text, sizeof(lost->text), "answers to %s leave by %s, not %s (%s)",
			 loss->clients, device, bridge, rule);
	} else {
		snprintf(lost->text, sizeof(lost->text), "answers to %s have no route to %s (%s)",
			 loss->clients, bridge, rule);
	}
	/* A rule goes behind those of its own preference, so it has to be a smaller one. */
	if (loss->rule->pref)
		snprintf(lost->command, sizeof(lost->command),
			 "ip %srule add pref %u to %s lookup %s", f->family == AF_INET ? "" : "-6 ",
			 loss->rule->pref - 1, loss->clients,
			 fib_table_format(loss->home->table, table));
	else
		strncat(lost->text, "; put that rule behind one to them",
			sizeof(lost->text) - strlen(lost->text) - 1);
}

/* Does a route of the bridge's own table take them before the bridge's does? */
static bool is_outdone(const struct loss *loss)
{
	return loss->route && loss->route->table == loss->home->table &&
	       loss->route->dst.len >= loss->home->dst.len;
}

static bool is_misled(const struct loss *loss)
{
	return loss->rule &&
	       (fib_rule_refuses(loss->rule) || loss->rule->table != loss->home->table);
}

static void tell(struct family *f, const struct loss *loss)
{
	struct answers *answers = f->answers;
	struct answers_lost *lost = &answers->lost[answers->count];

	if (answers->count == ANSWERS_LOST_MOST)
		return;
	if (!loss->home)
		tell_no_home(f, loss, lost);
	else if (is_outdone(loss))
		tell_specific(f, loss, lost);
	else if (is_misled(loss))
		tell_rule(f, loss, lost);
	else if (f->query->bridge->carrier)
		snprintf(lost->text, sizeof(lost->text), "answers to %s have no route to %s",
			 loss->clients, f->query->bridge->name);
	/* Without it a route may be left out (ignore_routes_with_linkdown), and no client waits. */
	else
		return;
	answers->count++;
}

/* ---- asking ---- */

/*
 * Where a flow goes. The kernel does not say by which device it would not let a source in
 * 127.0.0.0/8 leave; without that source it does. Where this is the bridge, though, it was a rule
 * about such sources that led them elsewhere.
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

/* Has the bridge an address in it? */
static bool has_address(const struct family *f, const struct prefix *clients)
{
	const struct ifaddrs_list *addrs = &f->query->host->addrs;

	for (size_t i = 0; i < addrs->count; i++) {
		if (addrs->v[i].ifindex == f->query->bridge->ifindex &&
		    prefix_has(clients, &addrs->v[i].addr))
			return true;
	}
	return false;
}

static int explain(struct family *f, const struct fib_flow *flow, const struct prefix *clients,
		   int found, struct fib_route *route, struct error *err)
{
	char text[PREFIX_STRLEN];
	struct fib_route whole;
	struct loss loss = {
		.clients = prefix_format(clients, text),
		.route = found ? NULL : route,
	};
	int ret = read_routes(f, err);

	if (ret)
		return ret;
	if (loss.route && !fib_lookup_route(flow, &whole))
		*route = whole;
	loss.home = home_route(f, &flow->dst);
	/* A network whose address was taken from the bridge since is nobody's. */
	if (!loss.home && f->onlink && !has_address(f, clients))
		return 0;
	if (loss.route)
		loss.rule = fib_rules_found(&f->rules, flow, loss.route);
	else if (loss.home)
		loss.rule = fib_rules_suspect(&f->rules, flow, loss.home->table);
	tell(f, &loss);
	return 0;
}

/* Any address of it that no interface of the host has. */
static struct hbpf_addr pick_client(const struct family *f, const struct prefix *clients)
{
	struct hbpf_addr client = clients->addr;

	/* The first is the network's own, where there is room for others. */
	while (clients->len < 127 && client.byte[15] < 255) {
		client.byte[15]++;
		if (!host_has(f->query->host, &client) && prefix_has(clients, &client))
			break;
	}
	return client;
}

static int ask(struct family *f, const struct prefix *clients, struct error *err)
{
	size_t already = f->answers->count;
	int ret = 0;

	for (size_t i = 0; i < f->asked_count; i++) {
		if (f->asked[i].len == clients->len &&
		    addr_equal(&f->asked[i].addr, &clients->addr))
			return 0;
	}
	if (f->asked_count == ASKED_MOST)
		return 0;
	f->asked[f->asked_count++] = *clients;
	/* One word about a network is enough. */
	for (size_t i = 0; !ret && i < f->flow_count && f->answers->count == already; i++) {
		struct fib_flow flow = f->flows[i];
		struct fib_route route;
		int found;

		flow.dst = pick_client(f, clients);
		found = find_route(f, &flow, &route);
		if (found || route.ifindex != f->query->bridge->ifindex)
			ret = explain(f, &flow, clients, found, &route, err);
	}
	return ret;
}

/* Return: 1 where some of what is allowed is on this bridge, 0 or -errno */
static int ask_allowed(struct family *f, const struct prefix *allowed, const struct sources *onlink,
		       struct error *err)
{
	struct prefix part;
	int found = 0, ret = 0;

	f->onlink = true;
	for (size_t i = 0; !ret && i < onlink->count; i++) {
		if (intersect(allowed, &onlink->v[i].prefix, &part)) {
			found = 1;
			ret = ask(f, &part, err);
		}
	}
	f->onlink = false;
	if (ret || found)
		return ret ? ret : found;
	ret = read_routes(f, err);
	for (size_t i = 0; !ret && i < f->routes.count; i++) {
		if (intersect(allowed, &f->routes.v[i].dst, &part)) {
			found = 1;
			ret = ask(f, &part, err);
		}
	}
	return ret ? ret : found;
}

/*
 * Of what is allowed only that part counts which is on this bridge: --from 0.0.0.0/0 is no promise
 * to answer the whole world by it. Where no part of anything is, that is what is wrong.
 */
static int ask_all(struct family *f, const struct sources *all, const struct sources *onlink,
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
		ret = ask_allowed(f, allowed, onlink, err);
		found |= ret > 0;
	}
	if (ret >= 0 && first && !found)
		ret = ask(f, first, err);
	return ret < 0 ? ret : 0;
}

static int check_family(const struct answers_query *query, int family, const struct sources *all,
			const struct sources *onlink, struct answers *answers, struct error *err)
{
	bool has_gateway = false;
	struct family *f;
	int ret;

	for (size_t i = 0; i < query->gateways->count; i++)
		has_gateway |= is_family(&query->gateways->v[i].addr, family);
	if (!has_gateway)
		return 0;
	f = calloc(1, sizeof(*f));
	if (!f)
		return error_set(err, ENOMEM, "no memory for the routes");
	f->query = query;
	f->answers = answers;
	f->family = family;
	ret = ask_all(f, all, onlink, err);
	fib_rules_free(&f->rules);
	fib_routes_free(&f->routes);
	free(f);
	return ret;
}

int answers_check(const struct answers_query *query, struct answers *answers, struct error *err)
{
	struct sources all = {}, onlink = {};
	int ret;

	memset(answers, 0, sizeof(*answers));
	ret = answers_clients(query->dp, query->exports, &all, err);
	answers->no_clients = !ret && !all.count;
	/* An interface that is down has no routes. */
	if (!ret && query->bridge->up)
		ret = dataplane_sources(query->dp, HBPF_LIST_ONLINK, &onlink, err);
	if (!ret && query->bridge->up)
		ret = check_family(query, AF_INET, &all, &onlink, answers, err);
	if (!ret && query->bridge->up)
		ret = check_family(query, AF_INET6, &all, &onlink, answers, err);
	sources_free(&all);
	sources_free(&onlink);
	return ret;
}
