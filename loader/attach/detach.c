/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Back to how the host was, in the reverse order of attach.
 *
 *	exports      nobody new comes in
 *	connections  closed while the programs still translate their last words
 *	settings     given back; from here on nothing needs the guard
 *	programs, pinned state
 */
#include "attach/detach.h"

#include <errno.h>
#include <string.h>

#include "lib/log.h"

/* What runs over the exports, as far as the state can be read: that of another layout cannot. */
struct runs {
	struct dataplane dp;
	struct exports exports;
	bool closed;
	int ended; /* connections */
};

static void runs_close(struct runs *runs, const struct pins *pins, const struct host *host,
		       const char *bridge)
{
	struct hook_target target = attachment_target(pins, host, bridge);
	const struct exports none = {};
	int ret;

	dataplane_init(&runs->dp);
	ret = dataplane_open(&runs->dp, pins, bridge, target.ifindex, NULL);
	if ((ret && ret != -ENODEV) || dataplane_exports(&runs->dp, &runs->exports, NULL))
		return;
	if (dataplane_set_exports(&runs->dp, &runs->exports, &none, NULL))
		return;
	runs->closed = true;
	ret = dataplane_end_flows(&runs->dp, &runs->exports, NULL);
	runs->ended = ret > 0 ? ret : 0;
}

static void runs_reopen(struct runs *runs)
{
	const struct exports none = {};

	if (runs->closed)
		dataplane_set_exports(&runs->dp, &none, &runs->exports, NULL);
}

static void read_settings(const struct pins *pins, const char *bridge, unsigned int ifindex,
			  struct setting_state *states)
{
	struct error why = {};
	int ret = settings_read(pins, bridge, ifindex, states, &why);

	if (ret == -EPROTO)
		log_warn("the old settings of %s are lost: %s", bridge, why.what);
	else if (ret)
		memset(states, 0, SETTING_MAX * sizeof(*states));
	error_free(&why);
}

int detach_run(const struct pins *pins, const struct host *host, const char *bridge,
	       struct detached *detached, struct error *err)
{
	struct runs runs = {};
	int last = attachment_is_last(pins, host, bridge, err);
	int ret;

	memset(detached, 0, sizeof(*detached));
	if (last < 0)
		return last;
	detached->last = last;
	read_settings(pins, bridge, attachment_target(pins, host, bridge).ifindex,
		      detached->settings);
	runs_close(&runs, pins, host, bridge);
	detached->ended = runs.ended;
	detached->owner = runs.closed ? runs.dp.config.owner : HBPF_BY_HAND;
	ret = attachment_remove(pins, host, bridge, last, err);
	if (ret)
		runs_reopen(&runs);
	dataplane_close(&runs.dp);
	exports_free(&runs.exports);
	return ret;
}
