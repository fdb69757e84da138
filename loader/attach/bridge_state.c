/* SPDX-License-Identifier: GPL-2.0-only */
#include "attach/bridge_state.h"

#include <stdlib.h>
#include <string.h>

#include "model/gateways.h"
#include "model/sources.h"

int bridge_state_take(const struct dataplane *dp, struct bridge_state *snapshot, struct error *err)
{
	int ret;

	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->config = dp->config;
	ret = dataplane_exports(dp, &snapshot->exports, err);
	if (!ret)
		ret = dataplane_gateways(dp, &snapshot->gateways, err);
	for (__u32 list = 0; !ret && list < SNAPSHOT_LISTS; list++)
		ret = dataplane_sources(dp, list, &snapshot->lists[list], err);
	return ret;
}

void bridge_state_free(struct bridge_state *snapshot)
{
	exports_free(&snapshot->exports);
	gateways_free(&snapshot->gateways);
	for (__u32 list = 0; list < SNAPSHOT_LISTS; list++)
		sources_free(&snapshot->lists[list]);
	memset(snapshot, 0, sizeof(*snapshot));
}

bool bridge_state_same_sources(const struct bridge_state *a, const struct bridge_state *b)
{
	if (memcmp(&a->config.from, &b->config.from, sizeof(a->config.from)))
		return false;
	for (__u32 list = 0; list < SNAPSHOT_LISTS; list++) {
		if (!sources_same(&a->lists[list], &b->lists[list]))
			return false;
	}
	return true;
}

bool bridge_state_same_addresses(const struct bridge_state *a, const struct bridge_state *b)
{
	return gateways_same(&a->gateways, &b->gateways) && bridge_state_same_sources(a, b);
}

int bridge_state_write(struct dataplane *dp, const struct exports *have,
		       const struct bridge_state *snapshot, struct error *err)
{
	int ret = 0;

	/* Who is refused first, then what they could reach. */
	for (__u32 list = 0; !ret && list < SNAPSHOT_LISTS; list++)
		ret = dataplane_set_sources(dp, list, &snapshot->lists[list], err);
	if (!ret)
		ret = dataplane_set_gateways(dp, &snapshot->gateways, err);
	if (!ret)
		ret = dataplane_set_exports(dp, have, &snapshot->exports, err);
	if (ret)
		return ret;
	/* The only_gateways follow from the gateways just set. */
	struct hbpf_addr only4 = dp->config.only_gateway4, only6 = dp->config.only_gateway6;

	dp->config = snapshot->config;
	dp->config.only_gateway4 = only4;
	dp->config.only_gateway6 = only6;
	return dataplane_write_config(dp, err);
}
