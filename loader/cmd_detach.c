/* SPDX-License-Identifier: GPL-2.0-only */
/* hbpf detach: find the bridge that is meant, or all, and take hbpf off it (detach.c tells how). */
#include "advice.h"
#include "commands.h"
#include "detach.h"
#include "log.h"
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct detach_options {
	bool all;
};

static void tell(const char *bridge, const struct detached *detached)
{
	printf("%s is detached\n", bridge);
	if (detached->ended)
		log_info("%s: %d connections ended", bridge, detached->ended);
	for (int id = 0; id < SETTING_MAX; id++) {
		const struct setting_state *state = &detached->settings[id];

		if (!state->kept.saved || state->now < 0)
			continue;
		if (!detached->last && id != SETTING_BRIDGE_ROUTE_LOCALNET)
			log_info("%s stays %d for the other bridges", state->name, state->now);
		else if (state->now != state->kept.set)
			printf("  %s stays %d: it was changed since hbpf set it to %d\n",
			       state->name, state->now, state->kept.set);
		else if (state->guessed)
			printf("  %s is %d now, as for a new interface\n", state->name,
			       state->kept.old);
		else if (state->kept.old != state->kept.set)
			printf("  %s is %d again\n", state->name, state->kept.old);
		else
			printf("  %s stays %d, as it was before\n", state->name, state->kept.old);
	}
}

static int detach_one(const struct pins *pins, const struct host *host, const char *bridge,
		      struct error *err)
{
	struct detached detached;
	int rc = detach_run(pins, host, bridge, &detached, err);

	if (!rc) {
		tell(bridge, &detached);
		advice_kept(bridge, detached.owner);
	}
	return rc;
}

static int detach_all(const struct pins *pins, const struct host *host,
		      const struct pins_bridges *bridges, struct error *err)
{
	struct error this = { 0 };
	int rc, failed = 0;

	if (!bridges->count)
		puts("no bridge is attached");
	for (size_t i = 0; i < bridges->count; i++) {
		rc = detach_one(pins, host, bridges->names[i], &this);
		if (!rc)
			continue;
		/* One that cannot be taken off must not keep the others. The caller prints the
		 * last error, so the one before it is printed here. */
		if (failed)
			log_error(err);
		error_free(err);
		*err = this;
		memset(&this, 0, sizeof(this));
		failed = rc;
	}
	return failed;
}

static int run(const struct cli_call *call)
{
	const struct detach_options *options = call->options;
	struct pins pins = { .lock = -1 };
	struct pins_bridges bridges = { 0 };
	struct host host = { 0 };
	struct error err = { 0 };
	struct meant meant;
	const char *bridge;
	int rc;

	if (options->all && call->word_count)
		return cli_usage(call->command, "either a bridge or --all, not both");
	attachment_ask(options->all ? NULL : call->words[0], &meant);
	rc = attachment_bridges(PINS_WRITE, &pins, &bridges, &err);
	if (!rc)
		rc = host_read(&host, &err);
	/* An attach killed in its first steps left empty directories and no bridge's name. */
	if (!rc && !bridges.count && pins.lock >= 0)
		rc = pins_remove(&pins, NULL, &err);
	if (rc)
		goto out;
	if (options->all) {
		rc = detach_all(&pins, &host, &bridges, &err);
		goto out;
	}
	bridge = attachment_choose(&bridges, &meant, "`hbpf detach BRIDGE`, or --all", &err);
	if (bridge)
		report_name(call->words[0], bridge);
	rc = bridge ? detach_one(&pins, &host, bridge, &err) : -ENOENT;
out:
	if (!rc)
		rc = pins_remove_top(&pins, &err);
	if (rc)
		log_error(&err);
	error_free(&err);
	error_free(&meant.problem);
	host_free(&host);
	pins_bridges_free(&bridges);
	pins_close(&pins);
	return rc ? EXIT_FAILED : EXIT_DONE;
}

static const struct cli_option options[] = {
	{ "all", 'a', NULL, "every attached bridge; fine when there is none", CLI_FLAG,
	  offsetof(struct detach_options, all), 0, NULL },
	{ 0 },
};

const struct command command_detach = {
	.name = "detach",
	.synopsis = "[BRIDGE | --all] [options]",
	.summary = "Detach from a bridge and restore the host's settings",
	.text = "BRIDGE, which may be its network's name or ID, may be left out where exactly one is\n"
		"attached. Connections through its ports end at once, on both sides. Also clears\n"
		"away what a killed command, or a bridge that was deleted, left behind.",
	.options = options,
	.options_size = sizeof(struct detach_options),
	.max_words = 1,
	.root_for = "removes BPF programs and writes net.ipv4 settings",
	.run = run,
};
