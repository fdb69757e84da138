/* SPDX-License-Identifier: GPL-2.0-only */
#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/hook.h"
#include "dataplane/hook_kinds.h"

#define GUARD    "hbpf_ingress"
#define BACKSTOP "hbpf_backstop"

/* Is that the program's name? Return: 1, 0 (also if it is no longer loaded) or -errno */
static int is_named(__u32 prog_id, const char *wanted)
{
	struct bpf_prog_info info;
	int ret = hook_program_info(prog_id, &info);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return !strcmp(info.name, wanted);
}

int hook_is_backstop(__u32 prog_id)
{
	return is_named(prog_id, BACKSTOP);
}

/* Find the first program with that name. Return: 1 with its ID, 0 or -errno */
static int find(unsigned int ifindex, const char *name, __u32 *prog_id)
{
	__u32 ids[TCX_PROGRAMS_MAX] = {};
	int count = tcx_list(ifindex, HOOK_INGRESS, ids);
	int ret = count < 0 ? count : 0;

	for (int i = 0; !ret && i < count; i++) {
		*prog_id = ids[i];
		ret = is_named(ids[i], name);
	}
	return ret;
}

int hook_backstop_query(unsigned int ifindex, __u32 *prog_id)
{
	return find(ifindex, BACKSTOP, prog_id);
}

enum hbpf_hook_kind hook_guard_query(unsigned int ifindex)
{
	const struct hook_target target = { .bridge = "", .ifindex = ifindex };
	struct hook_state state = {};
	__u32 id;

	if (find(ifindex, GUARD, &id) == 1)
		return HBPF_HOOK_TCX;
	clsact_query(&target, HOOK_INGRESS, &state, NULL);
	return state.live ? HBPF_HOOK_CLSACT : HBPF_HOOK_AUTO;
}

int hook_detach_unpinned(const struct hook_target *target, struct error *err)
{
	int ret = clsact_detach(target, HOOK_EGRESS, err);

	if (!ret)
		ret = clsact_detach(target, HOOK_INGRESS, err);
	return ret ? ret : hook_backstop_detach(target, err);
}

/* Detach all backstops except @keep: a killed command may have left more than one. */
static int detach_but(const struct hook_target *target, __u32 keep, struct error *err)
{
	__u32 ids[TCX_PROGRAMS_MAX] = {};
	int count = tcx_list(target->ifindex, HOOK_INGRESS, ids);
	int ret = count < 0 && count != -ENODEV ? count : 0;

	for (int i = 0; !ret && i < count; i++) {
		ret = ids[i] == keep ? 0 : hook_is_backstop(ids[i]);
		if (ret > 0)
			ret = tcx_detach_ingress(target->ifindex, ids[i]);
	}
	if (!ret)
		return 0;
	error_errno(err, ret, "cannot detach the backstop from %s", target->bridge);
	error_hint_privileges(err, ret);
	return ret;
}

/* Backstops are found by name. libbpf loads programs without a name if its probe for the kernel's
 * support of names failed. */
static int check_name(__u32 prog_id, struct error *err)
{
	int ret = hook_is_backstop(prog_id);

	if (ret > 0)
		return 0;
	if (!ret)
		return error_set(
			err, ENODATA,
			"the backstop has no program name, so it could not be found again");
	return error_errno(err, ret, "cannot inspect the backstop");
}

bool hook_backstop_is_next(unsigned int ifindex)
{
	__u32 ids[TCX_PROGRAMS_MAX] = {};
	int count = tcx_list(ifindex, HOOK_INGRESS, ids);
	int guard = -1;

	for (int i = 0; i < count; i++) {
		if (is_named(ids[i], GUARD) == 1)
			guard = i;
		else if (hook_is_backstop(ids[i]) == 1 && i != guard + 1)
			return false; /* also if it is a second one, of a killed command */
	}
	return true;
}

/* The new one is attached before the old one is detached, so that there always is one. It goes
 * right behind the guard: other programs between the two could let packets pass. */
int hook_backstop_attach(const struct hook_target *target, int prog_fd, struct error *err)
{
	__u32 guard = 0, ours = 0;
	bool was_attached = false;
	int ret;

	if (!hook_has_tcx(target->ifindex))
		return 0;
	ret = find(target->ifindex, GUARD, &guard);
	if (ret == 0)
		guard = 0;
	if (ret >= 0)
		ret = hook_program_id(prog_fd, &ours);
	if (!ret) {
		ret = check_name(ours, err);
		if (ret)
			return ret;
		ret = tcx_attach_ingress(target->ifindex, prog_fd, guard);
		was_attached = ret == -EEXIST; /* this very program: bpf_mprog_exists() */
	}
	if (!ret || was_attached) {
		ret = detach_but(target, ours, err);
		if (ret && !was_attached) /* the old one is still attached */
			tcx_detach_ingress(target->ifindex, ours);
		return ret;
	}
	error_errno(err, ret, "cannot attach the backstop to %s", target->bridge);
	error_hint_privileges(err, ret);
	return ret;
}

int hook_backstop_detach(const struct hook_target *target, struct error *err)
{
	return target->ifindex ? detach_but(target, 0, err) : 0;
}

int hook_backstop_map(bool (*match)(int fd, const void *context))
{
	struct if_nameindex *all = if_nameindex();
	int fd = -ENOENT, program;
	__u32 id;

	for (struct if_nameindex *one = all; one && one->if_index && fd < 0; one++) {
		if (hook_backstop_query(one->if_index, &id) != 1)
			continue;
		program = bpf_prog_get_fd_by_id(id);
		fd = program < 0 ? program : hook_program_map(program, match, NULL);
		if (program >= 0)
			close(program);
	}
	if (all)
		if_freenameindex(all);
	return fd;
}
