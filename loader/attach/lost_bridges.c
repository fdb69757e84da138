/* SPDX-License-Identifier: GPL-2.0-only */
#include "attach/lost_bridges.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/interface.h"
#include "dataplane/host_settings.h"
#include "kernel/if_sysctl.h"
#include "lib/array.h"

static bool is_known(const struct pins_bridges *bridges, unsigned int ifindex)
{
	for (size_t i = 0; i < bridges->count; i++) {
		unsigned int known = bridges->ifindexes[i];

		/* the name is all that is left of state without an index */
		if (!known)
			known = if_nametoindex(bridges->names[i]);
		if (known == ifindex)
			return true;
	}
	return false;
}

/* Return: was the state of this bridge lost? Then @lost describes it */
static bool probe(const struct link *link, struct lost_bridge *lost)
{
	enum hbpf_hook_kind guard = hook_guard_query(link->ifindex);
	bool backstop = hook_backstop_query(link->ifindex, &(__u32){ 0 }) == 1;
	int value = 0;

	*lost = (struct lost_bridge){
		.ifindex = link->ifindex,
		.guarded = backstop || guard != HBPF_HOOK_AUTO,
		.live = guard == HBPF_HOOK_TCX,
	};
	memcpy(lost->name, link->name, sizeof(lost->name));
	if_sysctl_read(link->ifindex, "route_localnet", &value);
	return lost->guarded || value == SETTINGS_LOCALNET;
}

int lost_bridges_find(const struct pins_bridges *bridges, const struct host *host,
		      struct lost_bridges *list, struct error *err)
{
	struct lost_bridge lost;

	*list = (struct lost_bridges){};
	for (size_t i = 0; i < host->links.count; i++) {
		const struct link *link = &host->links.v[i];

		if (interface_check(host, link, NULL) || is_known(bridges, link->ifindex) ||
		    !probe(link, &lost))
			continue;
		if (ARRAY_ADD(list, lost)) {
			lost_bridges_free(list);
			return error_nomem(err);
		}
	}
	return 0;
}

void lost_bridges_free(struct lost_bridges *list)
{
	free(list->v);
	*list = (struct lost_bridges){};
}

const struct lost_bridge *lost_bridges_get(const struct lost_bridges *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!strcmp(list->v[i].name, name))
			return &list->v[i];
	}
	return NULL;
}

int lost_bridge_detach(const struct lost_bridge *lost, bool last, struct error *err)
{
	const struct hook_target target = { .bridge = lost->name, .ifindex = lost->ifindex };

	return settings_restore_lost(lost->name, lost->ifindex, last, err)
		       ?: hook_detach_unpinned(&target, err);
}

const char *lost_bridge_describe(const struct lost_bridge *lost)
{
	if (lost->live)
		return "attached, but its state is in another bpffs; set HBPF_BPFFS to that one";
	if (lost->guarded)
		return "guard only: the state in the bpffs was lost, so no port works, and "
		       "route_localnet is still on";
	return "EXPOSED: the state in the bpffs was lost and the guard was removed, but "
	       "route_localnet is still on, so its clients can reach any port of 127.0.0.0/8";
}
