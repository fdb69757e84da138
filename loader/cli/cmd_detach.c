/* SPDX-License-Identifier: GPL-2.0-only */
/* hbpf detach: choose the bridge, or all of them, and detach (attach/detach.c). */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "attach/detach.h"
#include "attach/lost_bridges.h"
#include "cli/ports_view.h"
#include "cli/target.h"
#include "cli/warnings.h"
#include "lib/log.h"
#include "lib/output.h"

struct detach_options {
	bool all;
};

static void detach_print(const char *bridge, const struct detached *detached)
{
	output_text("%s is detached\n", bridge);
	if (detached->ended)
		log_info("%s: %d connections ended", bridge, detached->ended);
	for (int id = 0; id < SETTING_MAX; id++) {
		const struct setting_state *state = &detached->settings[id];

		if (!state->record.saved || state->now < 0)
			continue;
		if (!detached->last && id != SETTING_BRIDGE_ROUTE_LOCALNET)
			log_info("%s stays %d for the other attached bridges", state->name,
				 state->now);
		else if (state->now != state->record.set)
			output_text("  %s stays %d: it was changed after hbpf set it to %d\n",
				    state->name, state->now, state->record.set);
		else if (state->assumed)
			output_text("  %s is now %d, the default of a new interface\n", state->name,
				    state->record.old);
		else if (state->record.old != state->record.set)
			output_text("  %s is restored to %d\n", state->name, state->record.old);
		else
			output_text("  %s stays %d, as before attach\n", state->name,
				    state->record.old);
	}
}

/* The outcome for one bridge. */
struct detach_result {
	const char *bridge;
	bool lost; /* its pinned state was missing; `detached` is empty */
	struct detached detached;
	int ret;
	struct error problem;
};

struct detach {
	struct attached at;
	struct detach_result *results;
	size_t count;
};

static void detach_one(struct detach *d, const char *bridge)
{
	struct detach_result *result = &d->results[d->count++];

	result->bridge = bridge;
	result->ret =
		detach_run(&d->at.pins, &d->at.host, bridge, &result->detached, &result->problem);
}

/* lo's settings stay where another live bridge is attached. */
static void detach_close_lost(struct detach *d, const struct lost_bridge *lost)
{
	struct detach_result *result = &d->results[d->count++];
	int last = d->at.pins.lock < 0 ? 1 : attachment_is_last(&d->at.pins, &d->at.host, "", NULL);

	result->bridge = lost->name;
	result->lost = true;
	result->ret = lost_bridge_detach(lost, last == 1, &result->problem);
	if (!result->ret && d->at.pins.lock >= 0 &&
	    attachment_forget(&d->at.pins, lost->name, lost->ifindex, &result->problem) < 0)
		result->ret = -EIO;
}

/* The named bridge, or the only one that can be detached. */
static const struct lost_bridge *detach_choose_lost(const struct detach *d, const char *name)
{
	const struct lost_bridge *one = NULL;

	if (name)
		one = lost_bridges_get(&d->at.lost, name);
	else if (!d->at.bridges.count && d->at.lost.count == 1)
		one = d->at.lost.v;
	/* A bridge attached with another bpffs is left alone. */
	return one && !one->live ? one : NULL;
}

static bool detach_has_lost(const struct detach *d)
{
	for (size_t i = 0; i < d->at.lost.count; i++) {
		if (!d->at.lost.v[i].live)
			return true;
	}
	return false;
}

static const char *detach_choose(const struct detach *d, const struct target *target,
				 struct error *err)
{
	const struct lost_bridge *lost =
		target->name ? lost_bridges_get(&d->at.lost, target->name) : NULL;

	if (!lost)
		return target_choose(&d->at.bridges, target, "`hbpf detach INTERFACE`, or --all",
				     err);
	error_set(err, ENOENT, "%s is attached, but its state is in another bpffs", lost->name);
	error_hint(err, "set HBPF_BPFFS to the bpffs it was attached with");
	return NULL;
}

/* A failure for one bridge does not stop the others. */
static void detach_all(struct detach *d)
{
	for (size_t i = 0; i < d->at.bridges.count; i++)
		detach_one(d, d->at.bridges.names[i]);
	for (size_t i = 0; i < d->at.lost.count; i++) {
		if (!d->at.lost.v[i].live)
			detach_close_lost(d, &d->at.lost.v[i]);
	}
}

/* Return: 0, with a result for each bridge, or -errno if nothing was tried */
static int detach_targets(struct detach *d, const struct target *target, bool all,
			  struct error *err)
{
	const char *bridge;
	int ret = attached_open_all(&d->at, PINS_WRITE, err);
	int unread = d->at.unread;

	/* A bridge without state can still be closed. */
	if (unread && !(all ? detach_has_lost(d) : !!detach_choose_lost(d, target->name)))
		ret = unread;
	if (!ret && unread)
		log_warn("%s", err->what);
	/* An attach killed early leaves empty directories that belong to no bridge. */
	if (!ret && !d->at.bridges.count && d->at.pins.lock >= 0)
		ret = pins_remove(&d->at.pins, NULL, err);
	if (ret)
		return ret;
	d->results = calloc(d->at.bridges.count + d->at.lost.count + 1, sizeof(*d->results));
	if (!d->results)
		return error_nomem(err);
	if (all) {
		detach_all(d);
	} else if (detach_choose_lost(d, target->name)) {
		detach_close_lost(d, detach_choose_lost(d, target->name));
	} else {
		bridge = detach_choose(d, target, err);
		if (!bridge)
			return -ENOENT;
		detach_one(d, bridge);
	}
	return unread ? 0 : pins_remove_top(&d->at.pins, err);
}

/* Return: exit code */
static int detach_print_all(const struct cli_call *call, const struct detach *d, bool all)
{
	int exit_code = EXIT_DONE;

	if (!d->count && all)
		puts("no interface is attached");
	for (size_t i = 0; i < d->count; i++) {
		const struct detach_result *result = &d->results[i];

		report_name(call->args[0], result->bridge);
		if (result->ret) {
			log_error(&result->problem);
			exit_code = EXIT_FAILED;
		} else if (result->lost) {
			output_text(
				"%s is detached; its state was lost, but the settings were restored\n",
				result->bridge);
		} else {
			detach_print(result->bridge, &result->detached);
			warn_managed(result->bridge, result->detached.owner);
		}
	}
	return exit_code;
}

static void detach_free(struct detach *d)
{
	for (size_t i = 0; i < d->count; i++)
		error_free(&d->results[i].problem);
	free(d->results);
	attached_free(&d->at);
}

static int cmd_detach(const struct cli_call *call)
{
	const struct detach_options *options = call->options;
	struct detach d = { .at = ATTACHED_INIT };
	struct error err = {};
	struct target target;
	int exit_code, ret;

	if (options->all && call->arg_count)
		return cli_usage(call->command, "give either a bridge or --all, not both");
	target_resolve(options->all ? NULL : call->args[0], &target);
	ret = detach_targets(&d, &target, options->all, &err);
	pins_close(&d.at.pins);
	exit_code = detach_print_all(call, &d, options->all && !ret);
	if (ret) {
		log_error(&err);
		exit_code = EXIT_FAILED;
	}
	error_free(&err);
	target_free(&target);
	detach_free(&d);
	return exit_code;
}

#define STORE(kind, field) .store = CLI_##kind, .offset = offsetof(struct detach_options, field)

static const struct cli_option detach_option_rows[] = {
	{ .name = "all",
	  .letter = 'a',
	  .help = "every attached bridge; succeeds if there is none",
	  STORE(FLAG, all) },
	{},
};

const struct command command_detach = {
	.name = "detach",
	.synopsis = "[INTERFACE | --all] [options]",
	.summary = "Detach from a bridge and restore the host's settings",
	.text = "INTERFACE may be a network's name or ID. It may be omitted if exactly one is\n"
		"attached. Connections through its ports end at once, on both sides. Also cleans up\n"
		"after a killed command or a deleted bridge.",
	.options = detach_option_rows,
	.options_size = sizeof(struct detach_options),
	.max_args = 1,
	.arg = "INTERFACE",
	.root_for = "removes BPF programs and writes net.ipv4 settings",
	.run = cmd_detach,
};
