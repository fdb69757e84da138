/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Detaching, in the reverse order of attach:
 *
 *	exports      no new connections
 *	connections  closed while the programs can still translate the final FIN or RST
 *	settings     restored; from here on the guard is not needed
 *	programs, pinned state
 */
#include "attach/detach.h"

#include <errno.h>
#include <string.h>

#include "dataplane/exports_map.h"
#include "dataplane/flow_teardown.h"
#include "dataplane/shared.h"
#include "lib/log.h"

/* The ports of a bridge and their connections, as far as the state can be read. */
struct ports {
	struct shared shared;
	struct dataplane dp;
	struct exports exports;
	bool closed;
	int ended; /* connections */
};

static void ports_close(struct ports *ports, const struct pins *pins, const struct host *host,
			const char *bridge)
{
	struct hook_target target = attachment_target(pins, host, bridge);
	const struct exports none = {};
	int ret;

	shared_init(&ports->shared);
	dataplane_init(&ports->dp, &ports->shared);
	ret = dataplane_open(&ports->dp, pins, bridge, target.ifindex, NULL);
	if ((ret && ret != -ENODEV) || dataplane_exports(&ports->dp, &ports->exports, NULL))
		return;
	if (dataplane_set_exports(&ports->dp, &ports->exports, &none, NULL))
		return;
	ports->closed = true;
	ret = dataplane_end_flows(&ports->dp, &ports->exports, NULL);
	ports->ended = ret > 0 ? ret : 0;
}

static void ports_reopen(struct ports *ports)
{
	const struct exports none = {};

	if (ports->closed)
		dataplane_set_exports(&ports->dp, &none, &ports->exports, NULL);
}

static void read_settings(const struct pins *pins, const char *bridge, unsigned int ifindex,
			  struct setting_state *states)
{
	struct error why = {};
	int ret = settings_read(pins, bridge, ifindex, NULL, states, &why);

	if (ret == -EPROTO)
		log_warn("the old settings of %s are lost: %s", bridge, why.what);
	else if (ret)
		memset(states, 0, SETTING_MAX * sizeof(*states));
	error_free(&why);
}

int detach_run(const struct pins *pins, const struct host *host, const char *bridge,
	       struct detached *detached, struct error *err)
{
	struct ports ports = {};
	int last = attachment_is_last(pins, host, bridge, err);
	int ret;

	memset(detached, 0, sizeof(*detached));
	if (last < 0)
		return last;
	detached->last = last;
	read_settings(pins, bridge, attachment_target(pins, host, bridge).ifindex,
		      detached->settings);
	ports_close(&ports, pins, host, bridge);
	detached->ended = ports.ended;
	detached->owner = ports.closed ? ports.dp.config.owner : HBPF_OWNER_MANUAL;
	ret = attachment_remove(pins, host, bridge, last, err);
	if (ret)
		ports_reopen(&ports);
	dataplane_close(&ports.dp);
	shared_close(&ports.shared);
	exports_free(&ports.exports);
	return ret;
}
