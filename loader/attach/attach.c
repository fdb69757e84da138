/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attaching a bridge, or refreshing one that is attached:
 *
 *	check_interface      can this interface be served?
 *	open_state           read what is there: nothing, the remains of a killed command, or an
 *	                     attachment to refresh
 *	plan                 compute the desired state: config, exports, sources, gateways
 *	load_programs        into the kernel
 *	write_maps
 *	attach_hooks         programs, guard included; host settings last
 *	close_removed_ports  end the connections over ports that are no longer exported
 *
 * When a step fails, roll_back() reverts what this call did. attach_is_due() reads the state, plans
 * and compares; it writes nothing.
 */
#include "attach/attach.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/desired.h"
#include "attach/interface.h"
#include "attach/renames.h"
#include "dataplane/access_lists.h"
#include "dataplane/flow_teardown.h"
#include "dataplane/host_settings.h"
#include "dataplane/load.h"
#include "dataplane/shared.h"
#include "dataplane/slot.h"
#include "lib/log.h"

static int check_interface(struct attach *a, struct error *err)
{
	const struct link *lo;
	int ret;

	host_free(&a->host);
	ret = host_read(&a->host, err);
	if (ret)
		return ret;
	a->link = links_by_name(&a->host.links, a->bridge);
	if (!a->link) {
		error_set(err, ENODEV, "%s: no such interface", a->bridge);
		error_hint(err, "`hbpf interfaces` lists those to attach");
		return -ENODEV;
	}
	ret = interface_check(&a->host, a->link, err);
	if (ret)
		return ret;
	lo = links_by_name(&a->host.links, "lo");
	if (!lo || !lo->up) {
		error_set(err, ENETDOWN, "lo is down, so no packet can be redirected to it");
		error_hint(err, "`ip link set lo up` brings it up");
		return -ENETDOWN;
	}
	return 0;
}

/* By index, since it may have been renamed; 0: there was no interface of that name. */
static struct hook_target own_target(const struct attach *a)
{
	return (struct hook_target){ .pins = &a->pins,
				     .bridge = a->bridge,
				     .ifindex = a->link ? a->link->ifindex : 0 };
}

static int remove_remains(const struct attach *a, struct error *err)
{
	int last = attachment_is_last(&a->pins, &a->host, a->bridge, err);

	return last < 0 ? last : attachment_remove(&a->pins, &a->host, a->bridge, last, err);
}

static int open_state(struct attach *a, struct error *err)
{
	int ret = dataplane_open(&a->dp, &a->pins, a->bridge, a->link->ifindex, err);

	switch (ret) {
	case -ESTALE:
		log_info("%s: cleaning up after an interrupted command", a->bridge);
		dataplane_close(&a->dp);
		error_free(err);
		ret = remove_remains(a, err);
		shared_close(&a->shared); /* may be removed, too */
		if (ret)
			return ret;
		break;
	case 0:
	case -ENOENT:
		break;
	case -ENODEV:
		log_info("%s was re-created since it was attached", a->bridge);
		a->recreated = true;
		break;
	default:
		return ret;
	}
	error_free(err);
	a->fresh = a->dp.record < 0;
	return a->fresh ? 0 : bridge_state_read(&a->dp, &a->before, err);
}

/*
 * The on-link network of most interfaces is a LAN or another host's, and a default that lets all of
 * it in would surprise.
 */
static int check_clients(const struct attach *a, struct error *err)
{
	const struct from *from = &a->request->from;
	/* What was re-created under the name may be of another kind. */
	bool kept = !a->fresh && !(a->recreated && a->before.config.from.onlink);

	if (interface_has_own_clients(a->link) || (from->given ? from->explicit : kept))
		return 0;
	error_set(err, EINVAL,
		  "%s is a %s interface, so hosts of its network would be clients: name those "
		  "that may use the ports",
		  a->bridge, interface_kind(a->link));
	error_hint(err, "give --from CIDR, or --from onlink for all of its network; in a "
			"configuration the key is `from`");
	return -EINVAL;
}

static int plan_exports(struct attach *a, struct error *err)
{
	const struct attach_request *request = a->request;
	int ret = 0;

	if (!request->only_ports)
		ret = exports_copy(&a->after.exports, &a->before.exports);
	if (ret)
		return error_nomem(err);
	for (size_t i = 0; !ret && i < request->ports.count; i++)
		ret = exports_add(&a->after.exports, &request->ports.v[i], NULL, false, err);
	if (!ret && exports_diff(&a->before.exports, &a->after.exports, &a->added, &a->removed))
		ret = error_nomem(err);
	return ret;
}

static int plan_gateways(struct attach *a, struct error *err)
{
	const struct attach_request *request = a->request;
	const struct gateways *from =
		request->gateways_given ? &request->gateways : &a->before.gateways;
	struct families clients;
	int ret = desired_families(a->fresh ? NULL : &a->dp, &a->after, &clients, err);

	if (ret)
		return ret;
	for (size_t i = 0; !ret && i < from->count; i++) {
		if (from->v[i].why & HBPF_GATEWAY_OPTION)
			ret = gateways_add(&a->requested, &from->v[i].addr, HBPF_GATEWAY_OPTION);
	}
	if (ret || desired_gateways(&a->host, a->link, &a->requested, &clients, &a->after.gateways))
		return error_nomem(err);
	desired_arp_sender(&a->host, a->link, &a->after.gateways, &a->after.config);
	return 0;
}

static int plan_sources(struct attach *a, struct error *err)
{
	const struct from *from = &a->request->from;
	struct sources *lists = a->after.lists;
	int ret;

	ret = desired_host_addrs(&a->host, &lists[HBPF_LIST_HOST], err)
		      ?: desired_onlink(&a->host, a->link, &lists[HBPF_LIST_ONLINK], err);
	if (ret)
		return ret;
	if (!from->given && !a->fresh)
		return dataplane_sources(&a->dp, HBPF_LIST_BRIDGE, &lists[HBPF_LIST_BRIDGE], err);
	a->after.config.from = from_policy(from, HBPF_LIST_BRIDGE);
	if (sources_copy(&lists[HBPF_LIST_BRIDGE], &from->sources))
		return error_nomem(err);
	sources_sort(&lists[HBPF_LIST_BRIDGE]);
	return 0;
}

static void plan_config(struct attach *a)
{
	const struct attach_request *request = a->request;
	struct hbpf_config *config = &a->after.config;

	*config = a->before.config;
	config->layout = HBPF_LAYOUT;
	config->ifindex = a->link->ifindex;
	config->netns = a->pins.netns;
	memset(config->attached_as, 0, sizeof(config->attached_as));
	memcpy(config->attached_as, a->link->name, strnlen(a->link->name, IFNAMSIZ - 1));
	if (request->hook.given)
		config->hook_option = request->hook.value;
	if (request->nat_bypass.given)
		config->nat_bypass_option = request->nat_bypass.value;
	if (request->guard.given)
		config->guard_option = request->guard.value;
	if (request->owner != HBPF_OWNER_MANUAL)
		config->owner = request->owner;
}

/* New ports on every gateway, and every port on new gateways. The others were checked, or forced,
 * by an earlier attach. */
static int check_conflicts(struct attach *a, struct error *err)
{
	const struct sockets *sockets = a->listeners.sockets;
	struct gateways fresh = {};
	int ret = conflicts_find(&a->after.gateways, &a->added, sockets, &a->conflicts);

	for (size_t i = 0; !ret && i < a->after.gateways.count; i++) {
		const struct gateway *gateway = &a->after.gateways.v[i];

		if (!gateways_has(&a->before.gateways, &gateway->addr) &&
		    gateways_add(&fresh, &gateway->addr, gateway->why))
			ret = error_nomem(err);
	}
	if (!ret)
		ret = conflicts_find(&fresh, &a->after.exports, sockets, &a->conflicts);
	gateways_free(&fresh);
	return ret;
}

static int refuse_manual(const struct attach *a, struct error *err)
{
	error_set(err, EEXIST, "%s is attached manually", a->bridge);
	error_hint(err, "`hbpf detach %s` hands it over", a->bridge);
	return -EEXIST;
}

static int plan_state(struct attach *a, struct error *err)
{
	const struct hbpf_config *before = &a->before.config;

	if (a->request->skip_manual && before->layout && before->owner == HBPF_OWNER_MANUAL)
		return refuse_manual(a, err);
	plan_config(a);
	return check_clients(a, err) ?: plan_exports(a, err) ?: plan_sources(a, err) ?:
	       plan_gateways(a, err);
}

static int plan(struct attach *a, struct error *err)
{
	int ret = plan_state(a, err)
			  ?: listeners_find(&a->after.exports, &a->listening, &a->listeners, err);

	return ret || a->request->force ? ret : check_conflicts(a, err);
}

/* The programs with NAT bypass call kfuncs of nf_nat, which may be a module. */
static void load_nf_nat(void)
{
	char *const argv[] = { "modprobe", "-q", "nf_nat", NULL };
	pid_t pid;

	if (access("/proc/modules", F_OK) || !access("/sys/module/nf_nat", F_OK))
		return;
	if (!posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ))
		waitpid(pid, NULL, 0);
}

static int load_programs(struct attach *a, struct error *err)
{
	struct hbpf_config *config = &a->after.config;
	int ret;

	if (config->nat_bypass_option != HBPF_OFF)
		load_nf_nat();
	ret = shared_load(&a->shared, &a->pins, config->nat_bypass_option, err);
	if (ret)
		return ret;
	config->nat_bypass_built = a->shared.nat_bypass_built;
	if (config->nat_bypass_option == HBPF_ON && !config->nat_bypass_built) {
		error_set(err, EOPNOTSUPP, "--nat-bypass on: this kernel does not support it: %s",
			  a->shared.nat_bypass_unavailable);
		error_hint(err, "use --nat-bypass auto to attach without it");
		return -EOPNOTSUPP;
	}
	desired_nat_bypass(config);
	return 0;
}

static int claim_slot(struct attach *a, struct error *err)
{
	int ret;

	a->dp.config.ifindex = a->link->ifindex;
	ret = slot_claim(&a->dp, err);
	a->after.config.slot = a->dp.config.slot;
	a->after.config.number = a->dp.config.number;
	return ret;
}

static int write_maps(struct attach *a, struct error *err)
{
	int ret = desired_guard(&a->pins, a->bridge, &a->after.config, err);

	if (!ret && a->fresh)
		ret = claim_slot(a, err);
	if (ret)
		return ret;
	a->maps_written = true;
	/* The settings come last, but their old values need a place before anything is attached: a
	 * kill in between must leave state that detach can restore from. */
	return bridge_state_write(&a->dp, &a->before.exports, &a->after, err) ?:
	       old_settings_prepare(&a->pins, a->bridge, a->link->ifindex, err) ?:
	       shared_pin_maps(&a->shared, &a->pins, err) ?:
	       a->fresh ? dataplane_pin_record(&a->dp, &a->pins, a->bridge, err) : 0;
}

static int attach_backstop(struct attach *a, const struct hook_target *target, struct error *err)
{
	int fd = a->shared.programs[PROGRAM_BACKSTOP], ret;
	__u32 id;

	if (fd < 0)
		return 0;
	ret = old_settings_bind(&a->pins, fd, err);
	if (ret)
		return ret;
	a->backstop_added = hook_backstop_query(target->ifindex, &id) == 0;
	return hook_backstop_attach(target, fd, err);
}

/* Are the programs where a packet meets them first? */
static bool is_in_front(const struct hook_target *target)
{
	struct hook_state state;

	for (int side = 0; side < HOOK_SIDES; side++) {
		if (hook_query(target, side, &state, NULL))
			return false;
		if (state.live && state.kind == HBPF_HOOK_TCX && !state.first)
			return false;
	}
	return hook_backstop_is_next(target->ifindex);
}

/* What is not live or incomplete is left to its own attach. */
static int update_other(struct attach *a, const char *bridge, struct error *err)
{
	struct hook_target target = attachment_target(&a->pins, &a->host, bridge);
	const int *programs = a->shared.programs;
	struct hook_state state;
	struct dataplane dp;
	enum hbpf_hook_kind used;
	int ret = 0;

	dataplane_init(&dp, &a->shared);
	if (!attachment_is_live(&a->pins, &a->host, bridge) ||
	    hook_query(&target, HOOK_INGRESS, &state, NULL) ||
	    dataplane_open(&dp, &a->pins, bridge, target.ifindex, NULL))
		goto out;
	for (int side = 0; !ret && side < HOOK_SIDES; side++)
		ret = hook_attach(&target, state.kind, side, programs[side], &used, err);
	if (!ret && programs[PROGRAM_BACKSTOP] >= 0)
		ret = hook_backstop_attach(&target, programs[PROGRAM_BACKSTOP], err);
	if (ret)
		goto out;
	dp.config.nat_bypass_built = a->shared.nat_bypass_built;
	desired_nat_bypass(&dp.config);
	ret = dataplane_write_config(&dp, err);
out:
	dataplane_close(&dp);
	return ret;
}

/*
 * New programs take the place of the old ones on all bridges, and are pinned after that: an attach
 * that was killed before does the same again. A bridge that cannot get them keeps the old ones,
 * which work with the same maps, until it is attached again.
 */
static int replace_programs(struct attach *a, struct error *err)
{
	struct pins_bridges bridges;
	struct error problem = {};
	int ret = pins_bridges(&a->pins, &bridges, err);

	for (size_t i = 0; !ret && i < bridges.count; i++) {
		if (strcmp(bridges.names[i], a->bridge) != 0 &&
		    update_other(a, bridges.names[i], &problem))
			log_warn("%s keeps the programs of an earlier attach: %s", bridges.names[i],
				 problem.what);
		error_free(&problem);
	}
	pins_bridges_free(&bridges);
	return ret ? ret : shared_pin_loaded(&a->shared, &a->pins, err);
}

static int attach_hooks(struct attach *a, struct error *err)
{
	struct hook_target target = own_target(a);
	enum hbpf_hook_kind kind = a->after.config.hook_option;
	int ret = 0;

	if (!is_in_front(&target))
		ret = shared_load_copy(&a->shared, err);
	for (int side = 0; !ret && side < HOOK_SIDES; side++) {
		a->hooked[side] = true;
		ret = hook_attach(&target, kind, side, a->shared.programs[side], &kind, err);
	}
	if (!ret)
		ret = attach_backstop(a, &target, err);
	if (!ret && a->shared.loaded)
		ret = replace_programs(a, err);
	if (ret)
		return ret;
	a->dp.config.hook = kind;
	if (kind == HBPF_HOOK_TCX)
		ret = hook_remove_qdisc(&target, err);
	if (!ret)
		ret = dataplane_write_config(&a->dp, err);
	/* Nothing may fail after it: roll_back() would remove the guard of a re-created bridge. */
	return ret ? ret : settings_apply(&a->pins, a->bridge, a->link->ifindex, err);
}

/* Errors in here are not reported: the one that led here is. */
static void roll_back(struct attach *a)
{
	struct hook_target target = own_target(a);
	enum hbpf_hook_kind used;
	int last;

	if (!a->maps_written)
		return;
	if (a->fresh) {
		slot_release(&a->dp, NULL);
		last = attachment_is_last(&a->pins, &a->host, a->bridge, NULL);
		attachment_remove(&a->pins, &a->host, a->bridge, last == 1, NULL);
		return;
	}
	bridge_state_write(&a->dp, &a->after.exports, &a->before, NULL);
	for (int side = HOOK_SIDES - 1; side >= 0; side--) {
		/* The new programs do as well as the old ones: only their place may have changed.
		 * A re-created bridge had none. */
		if (a->hooked[side] && a->recreated)
			hook_detach(&target, side, NULL);
		else if (a->hooked[side])
			hook_attach(&target, a->before.config.hook, side, a->shared.programs[side],
				    &used, NULL);
	}
	if (a->backstop_added)
		hook_backstop_detach(&target, NULL);
	if (a->before.config.hook == HBPF_HOOK_TCX)
		hook_remove_qdisc(&target, NULL);
}

/* roll_back() could not restore a flow, so this comes after all that can fail. */
static void end_denied_flows(struct attach *a)
{
	struct error err = {};

	if (a->fresh || bridge_state_same_sources(&a->before, &a->after))
		return;
	if (dataplane_delete_denied_flows(&a->dp, &a->after.exports, &err))
		log_warn("%s: UDP flows of clients that are no longer allowed go on: %s", a->bridge,
			 err.what);
	error_free(&err);
}

/* As `ports set` does: their connections end at once, on both sides. */
static void close_removed_ports(struct attach *a)
{
	struct error err = {};

	if (!a->removed.count)
		return;
	/* The new ports are in effect; a failed clean-up only leaks map entries. */
	if (dataplane_end_flows(&a->dp, &a->removed, &err) < 0 ||
	    dataplane_sweep(&a->dp, &a->after.exports, &err) ||
	    dataplane_sweep_lists(&a->dp, &a->after.exports, &err))
		log_warn("%s: %s", a->bridge, err.what);
	error_free(&err);
}

void attach_free(struct attach *a)
{
	gateways_free(&a->requested);
	host_free(&a->host);
	dataplane_close(&a->dp);
	shared_close(&a->shared);
	pins_close(&a->pins);
	bridge_state_free(&a->before);
	bridge_state_free(&a->after);
	exports_free(&a->added);
	exports_free(&a->removed);
	listeners_free(&a->listeners);
	listening_free(&a->listening);
	a->request = NULL;
}

static void init(struct attach *a, const struct attach_request *request)
{
	memset(a, 0, sizeof(*a));
	a->request = request;
	a->bridge = request->bridge;
	a->pins = PINS_INIT;
	shared_init(&a->shared);
	dataplane_init(&a->dp, &a->shared);
}

int attach_run(struct attach *a, const struct attach_request *request, struct error *err)
{
	int ret;

	init(a, request);
	/* The bridge is checked again with the lock: the host may have changed meanwhile. */
	ret = check_interface(a, err) ?:
	      pins_open(&a->pins, PINS_WRITE, err) ?:
	      renames_follow(&a->pins, err) ?:
	      check_interface(a, err) ?:
	      open_state(a, err) ?:
	      plan(a, err) ?:
	      load_programs(a, err) ?:
	      write_maps(a, err) ?:
	      attach_hooks(a, err);
	if (ret) {
		roll_back(a);
	} else {
		end_denied_flows(a);
		close_removed_ports(a);
	}
	if (a->conflicts.count) {
		pins_close(&a->pins);
		conflicts_error(&a->conflicts, err);
	}
	return ret;
}

/* Are the programs attached, and first? With clsact a tcx program may come first permanently, so
 * being first counts for tcx only. */
static bool hooks_in_place(const struct attach *a)
{
	struct hook_target target = own_target(a);
	const struct hbpf_config *config = &a->before.config;
	struct hook_state state;
	__u32 id;

	if (hook_has_tcx(target.ifindex) && hook_backstop_query(target.ifindex, &id) != 1)
		return false;
	if (config->hook_option != HBPF_HOOK_AUTO && config->hook_option != config->hook)
		return false;
	for (int side = 0; side < HOOK_SIDES; side++) {
		if (hook_query(&target, side, &state, NULL) || !state.live ||
		    state.kind != config->hook || (state.kind == HBPF_HOOK_TCX && !state.first))
			return false;
	}
	return true;
}

static bool settings_in_place(const struct attach *a)
{
	struct setting_state settings[SETTING_MAX];

	if (settings_read(&a->pins, a->bridge, a->link->ifindex, NULL, settings, NULL))
		return false;
	for (int id = 0; id < SETTING_MAX; id++) {
		if (!settings[id].record.saved || settings[id].now != settings[id].record.set)
			return false;
	}
	return true;
}

static bool is_current(const struct attach *a)
{
	return !a->added.count && !a->removed.count &&
	       !memcmp(&a->before.config, &a->after.config, sizeof(a->after.config)) &&
	       bridge_state_same_addresses(&a->before, &a->after) && hooks_in_place(a) &&
	       settings_in_place(a);
}

int attach_is_due(struct attach *a, const struct attach_request *request, struct error *err)
{
	int ret;

	init(a, request);
	ret = check_interface(a, err);
	if (ret)
		return ret;
	a->shared.reads_once = true; /* it writes nothing */
	/* attach_run() creates what is missing, or reports why it cannot. */
	if (pins_open(&a->pins, PINS_READ, NULL))
		return 1;
	ret = dataplane_open(&a->dp, &a->pins, a->bridge, a->link->ifindex, NULL);
	a->recreated = ret == -ENODEV;
	if ((ret && !a->recreated) || bridge_state_read(&a->dp, &a->before, NULL))
		return 1;
	ret = plan_state(a, err);
	if (!ret && a->recreated)
		return 1;
	if (!ret)
		ret = desired_guard(&a->pins, a->bridge, &a->after.config, err);
	if (ret)
		return ret;
	desired_nat_bypass(&a->after.config);
	return !is_current(a);
}
