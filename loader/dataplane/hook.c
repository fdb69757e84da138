/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/hook.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "dataplane/hook_kinds.h"

int hook_attach(const struct hook_target *target, enum hbpf_hook_kind kind, enum hook_side side,
		int prog_fd, enum hbpf_hook_kind *used, struct error *err)
{
	int ret;

	if (kind != HBPF_HOOK_CLSACT) {
		ret = tcx_attach(target, side, prog_fd, err);
		if (!ret) {
			*used = HBPF_HOOK_TCX;
			return clsact_detach(target, side, err);
		}
		if (ret != -EOPNOTSUPP || kind == HBPF_HOOK_TCX)
			return ret;
		error_free(err);
	}
	ret = clsact_attach(target, side, prog_fd, err);
	if (ret)
		return ret;
	*used = HBPF_HOOK_CLSACT;
	return tcx_detach(target, side, err);
}

/*
 * Both kinds, whatever is said to be in use: a command killed while it moved the program from one
 * to the other leaves it at both.
 */
int hook_detach(const struct hook_target *target, enum hook_side side, struct error *err)
{
	int ret = tcx_detach(target, side, err);

	if (ret || !target->ifindex) /* the filters of a deleted bridge went with it */
		return ret;
	ret = clsact_detach(target, side, err);
	return ret ? ret : clsact_remove_qdisc(target, err);
}

int hook_remove_qdisc(const struct hook_target *target, struct error *err)
{
	return clsact_remove_qdisc(target, err);
}

int hook_query(const struct hook_target *target, enum hook_side side, struct hook_state *state,
	       struct error *err)
{
	__u32 id;
	int ret;

	*state = (struct hook_state){};
	ret = tcx_query(target, side, state, err);
	if (ret || state->live || !target->ifindex)
		return ret;
	ret = clsact_query(target, side, state, err);
	if (ret || !state->live)
		return ret;

	/* tcx programs run before the filters of the qdisc (sch_handle_ingress() in
	 * net/core/dev.c), so the first of all is one of those, if there are any. */
	ret = tcx_first(target, side, &id, err);
	if (ret > 0) {
		state->first = false;
		hook_program_name(id, state->before, sizeof(state->before));
	}
	return ret < 0 ? ret : 0;
}

int hook_program_id(int prog_fd, __u32 *id)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int ret = bpf_obj_get_info_by_fd(prog_fd, &info, &len);

	*id = info.id;
	return ret;
}

int hook_program_info(__u32 id, struct bpf_prog_info *info)
{
	__u32 len = sizeof(*info);
	int fd = bpf_prog_get_fd_by_id(id);
	int ret;

	*info = (struct bpf_prog_info){};
	if (fd < 0)
		return fd;
	ret = bpf_obj_get_info_by_fd(fd, info, &len);
	close(fd);
	return ret;
}

void hook_program_name(__u32 id, char *name, size_t size)
{
	struct bpf_prog_info info;

	if (!hook_program_info(id, &info) && info.name[0])
		snprintf(name, size, "%s", info.name);
	else
		snprintf(name, size, "program %u", id);
}

#define MAPS_MAX 32 /* of a program: a dozen */

int hook_program_map(int prog_fd, bool (*match)(int fd, const void *context), const void *context)
{
	__u32 ids[MAPS_MAX], len = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = { .nr_map_ids = MAPS_MAX, .map_ids = (__u64)(uintptr_t)ids };
	int ret = bpf_obj_get_info_by_fd(prog_fd, &info, &len);

	for (__u32 i = 0; !ret && i < info.nr_map_ids && i < MAPS_MAX; i++) {
		int fd = bpf_map_get_fd_by_id(ids[i]);

		if (fd >= 0 && match(fd, context))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return ret ? ret : -ENOENT;
}
