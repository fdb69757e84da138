/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tcx (Linux 6.6): programs of an interface's hook in an ordered list. Ours is
 * held by a link, and the link by a pin, so neither `tc qdisc del` nor the end
 * of this command takes it away.
 *
 * Where a new link has to take over from an old one (dead with its bridge, or no
 * longer first), it is attached in front of everything, pinned under a name of
 * its own, renamed over the old pin, and the old link detached. Killed before
 * the first pin: the new link goes with the process and nothing has changed.
 * Killed later: both are attached, and the next attach or detach finishes it.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "dataplane/hook_kinds.h"

/*
 * Names of include/uapi/linux/bpf.h since Linux 6.6. Debian 12 builds with the headers of 6.1 and
 * a libbpf as old, which pass the numbers on as they are. As enumerators the originals cannot be
 * tested for with #ifdef, hence names of our own.
 */
#define ATTACH_TCX_INGRESS ((enum bpf_attach_type)46) /* BPF_TCX_INGRESS */
#define ATTACH_TCX_EGRESS  ((enum bpf_attach_type)47) /* BPF_TCX_EGRESS */
#define LINK_TYPE_TCX      11                         /* BPF_LINK_TYPE_TCX */
#ifndef BPF_F_BEFORE
#define BPF_F_BEFORE (1U << 3)
#endif
#ifndef BPF_F_AFTER
#define BPF_F_AFTER (1U << 4)
#endif
#ifndef BPF_F_ID
#define BPF_F_ID (1U << 5)
#endif

static const struct tcx_side {
	enum bpf_attach_type attach_type;
	const char *pin;
	const char *new_pin; /* a link about to take the place of the one at `pin` */
	const char *name;
} sides[HOOK_SIDES] = {
	[HOOK_INGRESS] = { ATTACH_TCX_INGRESS, "link_ingress", "link_ingress_new", "ingress" },
	[HOOK_EGRESS] = { ATTACH_TCX_EGRESS, "link_egress", "link_egress_new", "egress" },
};

/* A pinned link. */
struct tcx_link {
	int fd;    /* -1: nothing is pinned */
	bool live; /* attached to this interface */
	__u32 prog_id;
};

/* ---- pinned links ---- */

static int link_path(const struct hook_target *target, const char *pin, char path[PATH_MAX],
		     struct error *err)
{
	return pins_path(target->pins, target->bridge, pin, path, err);
}

static int link_open(const struct hook_target *target, const char *pin, struct tcx_link *link,
		     struct error *err)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	char path[PATH_MAX];
	int ret;

	*link = (struct tcx_link){ .fd = pins_get(target->pins, target->bridge, pin, path, err) };
	if (link->fd < 0)
		return link->fd == -ENOENT ? 0 : link->fd;
	ret = bpf_obj_get_info_by_fd(link->fd, &info, &len);
	if (ret) {
		close(link->fd);
		return error_errno(err, ret, "cannot inspect %s", path);
	}
	/* The union's `tcx` member is missing in old headers; it is {ifindex, attach_type}, and
	 * `xdp` begins in the same way. ifindex is 0 once the interface is deleted. */
	link->live = info.type == LINK_TYPE_TCX && target->ifindex &&
		     info.xdp.ifindex == target->ifindex;
	link->prog_id = info.prog_id;
	return 0;
}

static void link_close(struct tcx_link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
}

/*
 * Detach at once: dropping the last reference would do it too, but for a pin the kernel leaves
 * that to a work queue (bpf_link_put()), and "detached" would be said too early.
 */
static void link_drop(struct tcx_link *link)
{
	if (link->fd >= 0)
		bpf_link_detach(link->fd);
	link_close(link);
}

/* Put the new pin, which is there, in the place of the old one, which need not be. */
static int take_over(const struct hook_target *target, const struct tcx_side *side,
		     struct error *err)
{
	char path[PATH_MAX], new_path[PATH_MAX];
	struct tcx_link old;
	int ret;

	ret = link_path(target, side->pin, path, err);
	if (!ret)
		ret = link_path(target, side->new_pin, new_path, err);
	if (!ret)
		ret = link_open(target, side->pin, &old, err);
	if (ret)
		return ret;
	if (rename(new_path, path)) {
		ret = error_errno(err, errno, "cannot rename %s to %s", new_path, path);
		link_close(&old);
		return ret;
	}
	link_drop(&old);
	return 0;
}

/* A command was killed while one link took over from another: finish that. */
static int finish_take_over(const struct hook_target *target, const struct tcx_side *side,
			    struct error *err)
{
	struct tcx_link fresh;
	int ret;

	ret = link_open(target, side->new_pin, &fresh, err);
	if (ret || fresh.fd < 0)
		return ret;
	if (fresh.live)
		ret = take_over(target, side, err);
	else
		ret = pins_unlink(target->pins, target->bridge, side->new_pin, err);
	link_close(&fresh);
	return ret;
}

/* ---- the programs attached ---- */

/* NOLINTNEXTLINE(readability-non-const-parameter): the kernel writes to it */
int tcx_list(unsigned int ifindex, enum hook_side side, __u32 ids[TCX_PROGRAMS_MAX])
{
	LIBBPF_OPTS(bpf_prog_query_opts, opts, .prog_ids = ids, .prog_cnt = TCX_PROGRAMS_MAX);
	int ret = bpf_prog_query_opts(ifindex, sides[side].attach_type, &opts);

	if (!ret)
		return (int)opts.prog_cnt;
	/* A kernel without tcx; ENOENT is 6.6's word for an empty list. */
	return ret == -EINVAL || ret == -EOPNOTSUPP || ret == -ENOENT ? 0 : ret;
}

int tcx_first(const struct hook_target *target, enum hook_side side, __u32 *prog_id,
	      struct error *err)
{
	__u32 ids[TCX_PROGRAMS_MAX] = {};
	int count = tcx_list(target->ifindex, side, ids);

	*prog_id = 0;
	if (count < 0) {
		error_errno(err, count, "cannot list the tcx %s programs of %s", sides[side].name,
			    target->bridge);
		error_hint_privileges(err, count);
		return count;
	}
	/* The backstop is ours, too, and lets nothing by. */
	for (int i = 0; i < count; i++) {
		*prog_id = ids[i];
		if (hook_is_backstop(ids[i]) != 1)
			return 1;
	}
	return 0;
}

/* union bpf_attr of BPF_PROG_ATTACH since Linux 6.6, which libbpf 1.1 does not know. */
int tcx_attach_ingress(unsigned int ifindex, int prog_fd, __u32 after)
{
	struct {
		__u32 ifindex;
		__u32 prog_fd;
		__u32 type;
		__u32 flags;
		__u32 replace_fd;
		__u32 relative_id;
		__u64 revision;
	} attr = {
		.ifindex = ifindex,
		.prog_fd = (__u32)prog_fd,
		.type = sides[HOOK_INGRESS].attach_type,
		.flags = after ? BPF_F_AFTER | BPF_F_ID : BPF_F_BEFORE,
		.relative_id = after,
	};

	return syscall(__NR_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)) ? -errno : 0;
}

int tcx_detach_ingress(unsigned int ifindex, __u32 prog_id)
{
	int fd = bpf_prog_get_fd_by_id(prog_id);
	int ret;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	ret = bpf_prog_detach2(fd, (int)ifindex, sides[HOOK_INGRESS].attach_type);
	close(fd);
	return ret == -ENOENT || ret == -ENODEV ? 0 : ret;
}

/*
 * BPF_LINK_CREATE fails with EINVAL for many reasons, one of them an unknown attach type. In a
 * query for the attached programs nothing else can be invalid.
 */
bool hook_has_tcx(unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_prog_query_opts, opts);
	int ret = bpf_prog_query_opts(ifindex, sides[HOOK_INGRESS].attach_type, &opts);

	return ret != -EINVAL && ret != -EOPNOTSUPP;
}

/* ---- attaching ---- */

static int explain(const struct hook_target *target, const struct tcx_side *side, int ret,
		   struct error *err)
{
	struct utsname kernel = {};

	if ((ret == -EINVAL || ret == -EOPNOTSUPP) && !hook_has_tcx(target->ifindex)) {
		uname(&kernel);
		ret = error_set(err, EOPNOTSUPP,
				"%s: this kernel (%s) has no tcx, which came with Linux 6.6",
				target->bridge, kernel.release);
		error_hint(err, "use --hook clsact, or auto");
		return ret;
	}
	if (ret == -EOPNOTSUPP) /* kept for the meaning above */
		ret = -EINVAL;
	error_errno(err, ret, "cannot attach to tcx %s of %s", side->name, target->bridge);
	error_hint_privileges(err, ret);
	if (ret == -ENODEV)
		error_hint(err, "the interface was deleted; `hbpf interfaces` lists the others");
	if (ret == -ERANGE)
		error_hint(err,
			   "%d programs are attached there, which is the maximum; "
			   "`bpftool net show` lists them",
			   TCX_PROGRAMS_MAX);
	return ret;
}

/* Attach a new link in front of everything and let it take over. */
static int attach_new(const struct hook_target *target, const struct tcx_side *side, int prog_fd,
		      struct error *err)
{
	/* Behind another program, its TCX_PASS would skip ours and with it the guard. */
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = BPF_F_BEFORE);
	struct tcx_link fresh = {};
	char path[PATH_MAX];
	int ret;

	ret = link_path(target, side->new_pin, path, err);
	if (ret)
		return ret;
	fresh.fd = bpf_link_create(prog_fd, target->ifindex, side->attach_type, &opts);
	if (fresh.fd < 0)
		return explain(target, side, fresh.fd, err);
	ret = bpf_obj_pin(fresh.fd, path);
	if (ret) {
		error_errno(err, ret, "cannot pin %s", path);
		goto drop;
	}
	ret = take_over(target, side, err);
	if (ret)
		goto unpin;
	link_close(&fresh);
	return 0;

unpin:
	pins_unlink(target->pins, target->bridge, side->new_pin, NULL);
drop:
	link_drop(&fresh);
	return ret;
}

static int prog_id_of(int prog_fd, __u32 *id, struct error *err)
{
	int ret = hook_program_id(prog_fd, id);

	return ret ? error_errno(err, ret, "cannot inspect the program to attach") : 0;
}

int tcx_attach(const struct hook_target *target, enum hook_side which, int prog_fd,
	       struct error *err)
{
	const struct tcx_side *side = &sides[which];
	struct tcx_link link = { .fd = -1 };
	__u32 first, ours = 0;
	int ret;

	ret = prog_id_of(prog_fd, &ours, err);
	if (!ret)
		ret = finish_take_over(target, side, err);
	if (!ret)
		ret = link_open(target, side->pin, &link, err);
	if (ret)
		return ret;
	if (!link.live) {
		ret = attach_new(target, side, prog_fd, err);
		goto out;
	}

	ret = tcx_first(target, which, &first, err);
	if (ret < 0)
		goto out;
	/* The very same program cannot be in one list twice (bpf_mprog_exists()), so it cannot be
	 * moved to the front without a moment of absence: then it stays where it is. */
	if (first != link.prog_id && ours != link.prog_id) {
		ret = attach_new(target, side, prog_fd, err);
		goto out;
	}
	ret = bpf_link_update(link.fd, prog_fd, NULL);
	if (ret)
		ret = explain(target, side, ret, err);
out:
	link_close(&link);
	return ret;
}

static int detach_pin(const struct hook_target *target, const char *pin, struct error *err)
{
	struct tcx_link link;
	int ret = link_open(target, pin, &link, err);

	if (ret || link.fd < 0)
		return ret;
	link_drop(&link);
	return pins_unlink(target->pins, target->bridge, pin, err);
}

int tcx_detach(const struct hook_target *target, enum hook_side side, struct error *err)
{
	int ret = detach_pin(target, sides[side].new_pin, err);

	return ret ? ret : detach_pin(target, sides[side].pin, err);
}

int tcx_query(const struct hook_target *target, enum hook_side side, struct hook_state *state,
	      struct error *err)
{
	struct tcx_link link;
	__u32 first;
	int ret;

	ret = link_open(target, sides[side].pin, &link, err);
	if (ret || link.fd < 0)
		return ret;
	link_close(&link);
	state->kind = HBPF_HOOK_TCX;
	if (!link.live)
		return 0;
	ret = tcx_first(target, side, &first, err);
	if (ret < 0)
		return ret;
	state->live = true;
	state->prog_id = link.prog_id;
	state->first = first == link.prog_id;
	if (!state->first)
		hook_program_name(first, state->before, sizeof(state->before));
	return 0;
}
