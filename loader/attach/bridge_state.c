/* SPDX-License-Identifier: GPL-2.0-only */
#include "attach/bridge_state.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/access_lists.h"
#include "dataplane/exports_map.h"

int bridge_state_read(const struct dataplane *dp, struct bridge_state *state, struct error *err)
{
	int ret;

	memset(state, 0, sizeof(*state));
	state->config = dp->config;
	ret = dataplane_exports(dp, &state->exports, err)
		      ?: dataplane_gateways(dp, &state->gateways, err);
	for (__u32 list = 0; !ret && list < BRIDGE_STATE_LISTS; list++)
		ret = dataplane_sources(dp, list, &state->lists[list], err);
	return ret;
}

void bridge_state_free(struct bridge_state *state)
{
	exports_free(&state->exports);
	gateways_free(&state->gateways);
	for (__u32 list = 0; list < BRIDGE_STATE_LISTS; list++)
		sources_free(&state->lists[list]);
	memset(state, 0, sizeof(*state));
}

bool bridge_state_same_sources(const struct bridge_state *a, const struct bridge_state *b)
{
	if (memcmp(&a->config.from, &b->config.from, sizeof(a->config.from)))
		return false;
	for (__u32 list = 0; list < BRIDGE_STATE_LISTS; list++) {
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
		       const struct bridge_state *state, struct error *err)
{
	int ret = 0;

	/* Sources before ports, so that no port is open to a source that may not use it. */
	for (__u32 list = 0; !ret && list < BRIDGE_STATE_LISTS; list++)
		ret = dataplane_set_sources(dp, list, &state->lists[list], err);
	ret = ret ?:
	      dataplane_set_gateways(dp, &state->gateways, err) ?:
	      dataplane_set_exports(dp, have, &state->exports, err);
	if (ret)
		return ret;
	/* dataplane_set_gateways() has just computed the only_gateways. */
	struct hbpf_addr only4 = dp->config.only_gateway4, only6 = dp->config.only_gateway6;

	dp->config = state->config;
	dp->config.only_gateway4 = only4;
	dp->config.only_gateway6 = only6;
	return dataplane_write_config(dp, err);
}
