/* SPDX-License-Identifier: GPL-2.0-only */
/* The state of ports and who may use them, as text and as JSON, for every command that shows it. */
#ifndef HBPF_PORTS_VIEW_H
#define HBPF_PORTS_VIEW_H

#include "attach/listeners.h"
#include "dataplane/access_lists.h"

struct json_object;

/* The ports of one bridge with their services and counters. */
struct ports_view {
	struct exports exports;
	struct listeners listeners;
	struct hbpf_port_stats *stats; /* in the order of the exports */
	struct source_lists sources;   /* the lists that the policies refer to */
	bool has_v4;                   /* there are gateways of that family */
	bool has_v6;
};

/**
 * ports_view_read() - fill @ports; the caller then calls listeners_name() on its listeners
 * @listening:	As for listeners_find(); must outlive @ports
 *
 * Return: 0 or -errno; on an error nothing needs to be freed
 */
int ports_view_read(struct dataplane *dp, struct listening *listening, struct ports_view *ports,
		    struct error *err);
void ports_view_free(struct ports_view *ports);

/** ports_view_families() - those that are shown, as for listeners_next_range() */
unsigned int ports_view_families(const struct ports_view *ports);
/** ports_view_print() - print a line for each run of ports, with its counters and service */
void ports_view_print(const struct ports_view *ports, unsigned int indent);
/** ports_view_json() - append an object for each port to @array */
void ports_view_json(struct json_object *array, const struct ports_view *ports);
/** port_stats_json() - add the members with the counters of one port */
void port_stats_json(struct json_object *to, const struct hbpf_port_stats *stats);

/**
 * report_reachable() - print the endpoints that clients can dial, and where each leads
 * @gateways:	Each is printed with every run of @exports
 * @listeners:	Of @exports
 */
void report_reachable(const struct gateways *gateways, const struct exports *exports,
		      const struct listeners *listeners);

/**
 * report_name() - print "test-net is br-test" if the two differ
 * @name:	As given by the user, or NULL
 * @bridge:	The bridge that was found for it
 */
void report_name(const char *name, const char *bridge);

/** report_problem_json() - add the members "problem" and "hint": why a bridge is unreadable */
void report_problem_json(struct json_object *to, const struct error *problem);

#define POLICY_STRLEN 512
/**
 * policy_format() - "10.0.0.0/8, onlink (172.30.0.0/24)"
 * @spelt:	List the networks of "onlink"
 * Return: @buf
 */
const char *policy_format(const struct source_lists *lists, const struct hbpf_policy *policy,
			  bool spelt, char buf[POLICY_STRLEN]);
/** policy_json() - append the prefixes, and "onlink" if it is allowed, to @array */
void policy_json(struct json_object *array, const struct source_lists *lists,
		 const struct hbpf_policy *policy);

#endif /* HBPF_PORTS_VIEW_H */
