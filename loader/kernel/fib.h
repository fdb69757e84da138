/* SPDX-License-Identifier: GPL-2.0-only */
/* Routes and policy routing rules of this network namespace (rtnetlink). */
#ifndef HBPF_FIB_H
#define HBPF_FIB_H

#include "kernel/fib_rule.h"
#include "lib/error.h"

struct fib_routes {
	struct fib_route *v;
	size_t count;
};

/**
 * fib_lookup() - look up the route of a flow of this host (RTM_GETROUTE)
 * @flow:	An unspecified src lets the kernel choose one
 * @route:	Filled but for dst
 *
 * The kernel refuses a source in 127.0.0.0/8 with -EINVAL if the device found has no
 * route_localnet (__mkroute_output()). Return: 0 or the kernel's -errno, as -ENETUNREACH
 */
int fib_lookup(const struct fib_flow *flow, struct fib_route *route);

/** fib_lookup_route() - as fib_lookup(), and fill dst from the entry in the routing table */
int fib_lookup_route(const struct fib_flow *flow, struct fib_route *route);

/**
 * fib_rules() - list all rules of one family (RTM_GETRULE)
 * @family:	AF_INET or AF_INET6
 *
 * Return: 0 or -errno; without policy routing in the kernel the list is empty. Free with
 * fib_rules_free()
 */
int fib_rules(int family, struct fib_rules *rules, struct error *err);
void fib_rules_free(struct fib_rules *rules);

/**
 * fib_routes_by_device() - list the unicast routes of all tables through one interface
 * @family:	AF_INET or AF_INET6
 *
 * Return: 0 or -errno. Free with fib_routes_free()
 */
int fib_routes_by_device(int family, unsigned int ifindex, struct fib_routes *routes,
			 struct error *err);

/**
 * fib_routes_by_type() - append the routes of one type of all tables
 * @family:	AF_INET or AF_INET6
 * @type:	RTN_LOCAL, RTN_ANYCAST...
 * @routes:	May hold others already; free with fib_routes_free(), also on failure
 *
 * Return: 0 or -errno
 */
int fib_routes_by_type(int family, unsigned char type, struct fib_routes *routes,
		       struct error *err);
void fib_routes_free(struct fib_routes *routes);

#endif /* HBPF_FIB_H */
