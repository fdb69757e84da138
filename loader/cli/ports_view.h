/* SPDX-License-Identifier: GPL-2.0-only */
/* The state of ports and who may use them, as text and as JSON, for every command that shows it. */
#ifndef HBPF_PORTS_VIEW_H
#define HBPF_PORTS_VIEW_H

#include "attach/listeners.h"
#include "dataplane/dataplane.h"

struct json_object;

/* Everything known about the ports of one bridge. */
struct ports_view {
	struct exports exports;
	struct listeners listeners;
	struct hbpf_port_stats *stats; /* in the order of the exports */
	struct source_lists sources;   /* that the ports' policies speak of, and the bridge's */
	bool has_v4;                   /* there are gateways of that family */
	bool has_v6;
};

/**
 * ports_view_read() - gather it; listeners_name() is still to be called
 * Return: 0 or -errno
 */
int ports_view_read(struct dataplane *dp, struct ports_view *ports, struct error *err);
void ports_view_free(struct ports_view *ports);

/** ports_view_print() - one line for each run of ports, with counts and who listens */
void ports_view_print(const struct ports_view *ports, unsigned int indent);
/** ports_view_json() - an array, every port by itself */
struct json_object *ports_view_json(const struct ports_view *ports);

/**
 * report_reachable() - print what clients can dial now and where it leads
 * @gateways:	Every one is shown with every run of
 * @exports:	these
 * @listeners:	of @exports
 */
void report_reachable(const struct gateways *gateways, const struct exports *exports,
		      const struct listeners *listeners);

/**
 * report_name() - where a network was named, print which bridge it is: "test-net is br-test"
 * @name:	As the user said, or NULL
 * @bridge:	What it was found to be
 */
void report_name(const char *name, const char *bridge);

#define POLICY_STRLEN 512
/**
 * policy_format() - "10.0.0.0/8, onlink (172.30.0.0/24)"
 * @spelt:	Say which networks "onlink" is
 * Returns @buf
 */
const char *policy_format(const struct source_lists *lists, const struct hbpf_policy *policy,
			  bool spelt, char buf[POLICY_STRLEN]);
/** policy_json() - an array of prefixes and the word "onlink" */
struct json_object *policy_json(const struct source_lists *lists, const struct hbpf_policy *policy);

#endif /* HBPF_PORTS_VIEW_H */
