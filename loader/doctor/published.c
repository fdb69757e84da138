/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports that a container publishes without a socket on the host, as Podman 6 does: a NAT rule in
 * OUTPUT redirects the host's own connections, and a client that comes through hbpf is refused.
 */
#include <arpa/inet.h>

#include "doctor/checks.h"
#include "doctor/ruleset.h"
#include "kernel/nat_detect.h"

#define JUDGED_MAX 64 /* ports that nothing listens on */
#define SHOWN_MAX  5  /* findings */

/* Running the tools takes time: only where there is NAT at all. */
static bool can_judge(struct published *published)
{
	char why[128];

	if (!published->asked)
		published->nat = nat_detect_prerouting(why, sizeof(why)) == 1;
	published->asked = true;
	if (published->nat)
		ruleset_read(published->rules);
	return published->nat;
}

bool published_find(struct published *published, const struct export *export, int family,
		    struct findings *findings)
{
	struct hbpf_addr local = export_local(export, family);
	struct filter_packet own = {
		.iif = "",
		.oif = "lo",
		.src = local,
		.dst = local,
		.to_host = true,
		.proto = export->key.proto,
		.dport = ntohs(export->to.port),
		.ctstate = "NEW",
	};
	char where[ENDPOINT_STRLEN];
	struct ruleset_hit hit;

	if (published->judged == JUDGED_MAX || !can_judge(published))
		return false;
	published->judged++;
	if (!ruleset_judge(published->rules, FILTER_OUTPUT, &own, FILTER_NAT, &hit))
		return false;
	finding_add(findings, FINDING_NO_PROXY,
		    "%u/%s: nothing listens on %s: %s redirects this host's own connections, as "
		    "for a port that a container publishes, and clients are refused; "
		    "see " SERVICES_MD,
		    ntohs(export->key.port), proto_name(export->key.proto),
		    endpoint_format(&local, export->to.port, where), hit.what);
	return true;
}

void find_published(const struct exports *exports, const struct listeners *listeners,
		    struct findings *findings)
{
	struct ruleset rules = {};
	struct published published = { .rules = &rules };
	size_t shown = 0;

	for (size_t i = 0; i < exports->count && shown < SHOWN_MAX; i++) {
		const struct export *export = &exports->v[i];
		const struct listener *both = listeners->v[i];

		/* One that serves the other family only is an ordinary service. */
		if (!both[LISTENER_V4].found && !both[LISTENER_V6].found)
			shown += published_find(&published, export, LISTENER_V4, findings) ||
				 (export->to.ipv6 &&
				  published_find(&published, export, LISTENER_V6, findings));
	}
	ruleset_free(&rules);
}
