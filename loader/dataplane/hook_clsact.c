/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clsact: a qdisc without queues whose filters see every packet. Ours is one
 * cls_bpf filter per side, known by its handle at priority 1, the first to run.
 *
 * Filters of one priority run in the order of cls_bpf's list, and a new one goes
 * to its head (cls_bpf_change() in net/sched/cls_bpf.c; a replaced one keeps its
 * place). So another program's filter at priority 1 may be in front of ours. Ours moves
 * to the front by being added again, while a second filter of ours keeps guard.
 */
#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/hook_kinds.h"
#include "dataplane/host_settings.h"
#include "kernel/netlink.h"
#include "kernel/rtnetlink.h"

#define FILTER_PRIORITY 1
#define FILTER_HANDLE   0x68627066 /* "hbpf" */
/* Keeps guard while ours moves to the front; seen at any other time it is the trace of a command
 * that was killed just then. */
#define STANDIN_HANDLE  0x68627067

static const struct clsact_side {
	enum bpf_tc_attach_point point;
	__u32 parent;
	const char *name;
} sides[HOOK_SIDES] = {
	[HOOK_INGRESS] = { BPF_TC_INGRESS, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), "ingress" },
	[HOOK_EGRESS] = { BPF_TC_EGRESS, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS), "egress" },
};

/* One of the two filters of ours. */
struct own_filter {
	bool there;
	bool behind; /* another program's filter runs before it */
	__u32 prog_id;
};

/* The filters of our priority. */
struct filters {
	struct own_filter ours;
	struct own_filter standin;
	char first_other[64]; /* the first filter of another program */
	char taken[64];       /* what makes our priority unusable, as "flower (protocol 0x0800)" */
};

/* ---- reading ---- */

/* One message of a dump: a filter, or, with handle 0, the head of those of one priority. */
struct filter {
	const char *kind;
	__u32 chain;
	__u32 handle;
	__u16 protocol;
	__u32 prog_id; /* 0: not BPF, or classic BPF */
};

static void filter_parse(const struct nlmsghdr *nlh, struct filter *filter)
{
	const struct tcmsg *msg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *options = NULL, *id = NULL;

	*filter = (struct filter){
		.kind = "",
		.handle = msg->tcm_handle,
		.protocol = ntohs(TC_H_MIN(msg->tcm_info)),
	};
	mnl_attr_for_each (attr, nlh, sizeof(*msg)) {
		switch (mnl_attr_get_type(attr)) {
		case TCA_KIND:
			filter->kind = mnl_attr_get_str(attr);
			break;
		case TCA_CHAIN:
			filter->chain = mnl_attr_get_u32(attr);
			break;
		case TCA_OPTIONS:
			options = attr;
			break;
		}
	}
	if (options && !strcmp(filter->kind, "bpf"))
		id = netlink_nested(options, TCA_BPF_ID);
	if (id)
		filter->prog_id = mnl_attr_get_u32(id);
}

static void filter_name(const struct filter *filter, char *name, size_t size)
{
	if (filter->prog_id)
		hook_program_name(filter->prog_id, name, size);
	else
		snprintf(name, size, "filter 0x%x", filter->handle);
}

/* Filters are dumped in the order in which they run (cls_bpf_walk()). */
static struct own_filter own_filter(const struct filter *filter, const struct filters *so_far)
{
	return (struct own_filter){
		.there = true,
		.behind = so_far->first_other[0],
		.prog_id = filter->prog_id,
	};
}

static int on_filter(const struct nlmsghdr *nlh, void *data)
{
	const struct tcmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct filters *found = data;
	struct filter filter;

	if (TC_H_MAJ(msg->tcm_info) >> 16 != FILTER_PRIORITY)
		return MNL_CB_OK;
	filter_parse(nlh, &filter);
	if (filter.chain) /* runs only if a filter of chain 0 goes there */
		return MNL_CB_OK;
	if (strcmp(filter.kind, "bpf") != 0 || filter.protocol != ETH_P_ALL) {
		snprintf(found->taken, sizeof(found->taken), "%s (protocol 0x%04x)", filter.kind,
			 filter.protocol);
		return MNL_CB_OK;
	}
	if (filter.handle == FILTER_HANDLE)
		found->ours = own_filter(&filter, found);
	else if (filter.handle == STANDIN_HANDLE)
		found->standin = own_filter(&filter, found);
	else if (filter.handle && !found->first_other[0])
		filter_name(&filter, found->first_other, sizeof(found->first_other));
	return MNL_CB_OK;
}

static int filters_read(const struct hook_target *target, const struct clsact_side *side,
			struct filters *found, struct error *err)
{
	struct netlink_request request;
	struct tcmsg *msg;
	int ret;

	*found = (struct filters){};
	msg = netlink_begin(&request, RTM_GETTFILTER, NLM_F_DUMP, sizeof(*msg));
	msg->tcm_ifindex = target->ifindex;
	msg->tcm_parent = side->parent;
	ret = netlink_talk(NETLINK_ROUTE, &request, on_filter, found, NULL);
	if (ret == -EINVAL || ret == -EOPNOTSUPP) /* no such qdisc, or no traffic control at all */
		return 0;
	if (ret)
		return error_errno(err, ret, "cannot list the tc %s filters of %s", side->name,
				   target->bridge);
	return 0;
}

/* ---- the qdisc ---- */

struct qdisc {
	int ifindex;
	char kind[IFNAMSIZ]; /* of what sits in clsact's place; empty: nothing */
};

static int on_qdisc(const struct nlmsghdr *nlh, void *data)
{
	const struct tcmsg *msg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct qdisc *qdisc = data;

	if (msg->tcm_ifindex != qdisc->ifindex || msg->tcm_parent != TC_H_CLSACT)
		return MNL_CB_OK;
	mnl_attr_for_each (attr, nlh, sizeof(*msg)) {
		if (mnl_attr_get_type(attr) == TCA_KIND)
			snprintf(qdisc->kind, sizeof(qdisc->kind), "%s", mnl_attr_get_str(attr));
	}
	return MNL_CB_OK;
}

/* The kernel dumps the qdiscs of all interfaces; a request for a single one it answers only as a
 * notice to everybody (qdisc_notify()), which looks as if the qdisc were new. */
static int qdisc_read(const struct hook_target *target, struct qdisc *qdisc, struct error *err)
{
	struct netlink_request request;
	int ret;

	*qdisc = (struct qdisc){ .ifindex = target->ifindex };
	netlink_begin(&request, RTM_GETQDISC, NLM_F_DUMP, sizeof(struct tcmsg));
	ret = netlink_talk(NETLINK_ROUTE, &request, on_qdisc, qdisc, NULL);
	if (ret == -EOPNOTSUPP) /* a kernel without traffic control */
		return 0;
	if (ret)
		return error_errno(err, ret, "cannot look for the clsact qdisc of %s",
				   target->bridge);
	return 0;
}

static bool is_clsact(const struct qdisc *qdisc)
{
	return !strcmp(qdisc->kind, "clsact");
}

/*
 * The older qdisc "ingress" sits at the same place, and it takes filters for egress too and runs
 * them on ingress (ingress_tcf_block() ignores the side): not a place for ours.
 */
static int qdisc_refuse_other(const struct hook_target *target, const char *kind, struct error *err)
{
	int ret = error_set(err, EBUSY, "%s has a qdisc \"%s\" which excludes clsact",
			    target->bridge, kind);

	error_hint(err,
		   "`tc qdisc del dev %s %s` removes it, or use --hook tcx (Linux 6.6 or "
		   "newer)",
		   target->bridge, kind);
	return ret;
}

/*
 * Any qdisc added to an interface without a transmit queue gives it one of 1000
 * packets permanently (qdisc_create() in net/sched/sch_api.c), and Docker creates its
 * bridges without one. It is reset at once, so that detach need not. A failure is
 * harmless: clsact queues nothing.
 */
static int qdisc_create(const struct hook_target *target, struct bpf_tc_hook *hook)
{
	__u32 before;
	int ret = rtnetlink_txqlen(target->ifindex, &before);

	if (!ret)
		ret = bpf_tc_hook_create(hook);
	if (!ret && !before)
		rtnetlink_set_txqlen(target->ifindex, before);
	return ret;
}

static int qdisc_ensure(const struct hook_target *target, struct error *err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = target->ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct qdisc qdisc;
	int ret;

	ret = qdisc_read(target, &qdisc, err);
	if (ret)
		return ret;
	if (is_clsact(&qdisc))
		return 0;
	if (qdisc.kind[0])
		return qdisc_refuse_other(target, qdisc.kind, err);
	ret = old_settings_record_qdisc(target->pins, target->bridge, target->ifindex, true, err);
	if (ret)
		return ret;
	ret = qdisc_create(target, &hook);
	if (!ret)
		return 0;
	old_settings_record_qdisc(target->pins, target->bridge, target->ifindex, false, NULL);
	if (ret == -EEXIST) /* another program was faster */
		return 0;
	error_errno(err, ret, "cannot add a clsact qdisc to %s", target->bridge);
	error_hint_privileges(err, ret);
	if (ret == -ENODEV)
		error_hint(err, "the interface was deleted; `hbpf interfaces` lists the others");
	else if (ret == -ENOENT || ret == -EOPNOTSUPP)
		error_hint(err, "the kernel needs CONFIG_NET_SCH_INGRESS; try `modprobe "
				"sch_ingress`");
	return ret;
}

int clsact_remove_qdisc(const struct hook_target *target, struct error *err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = target->ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct qdisc qdisc;
	unsigned int left;
	int ret;

	ret = old_settings_created_qdisc(target->pins, target->bridge, target->ifindex, err);
	if (ret <= 0)
		return ret;
	ret = qdisc_read(target, &qdisc, err);
	if (ret)
		return ret;
	if (!is_clsact(&qdisc)) /* already deleted, or replaced by another program */
		return old_settings_record_qdisc(target->pins, target->bridge, target->ifindex,
						 false, err);
	/* Deleting the qdisc deletes all filters in it. The kernel has no "delete if empty", so a
	 * filter added at this moment is lost. */
	ret = rtnetlink_filters(target->ifindex, &left, err);
	if (ret || left)
		return ret;
	ret = bpf_tc_hook_destroy(&hook);
	if (ret && ret != -ENOENT && ret != -EINVAL)
		return error_errno(err, ret, "cannot remove the clsact qdisc of %s",
				   target->bridge);
	return old_settings_record_qdisc(target->pins, target->bridge, target->ifindex, false, err);
}

/* ---- the filter ---- */

/* Add the filter with this handle, or exchange its program. */
static int filter_put(const struct hook_target *target, const struct clsact_side *side,
		      __u32 handle, int prog_fd, struct error *err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = target->ifindex, .attach_point = side->point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = handle, .priority = FILTER_PRIORITY,
		    .prog_fd = prog_fd, .flags = BPF_TC_F_REPLACE);
	int ret = bpf_tc_attach(&hook, &opts);

	if (!ret)
		return 0;
	error_errno(err, ret, "cannot add a filter to clsact %s of %s", side->name, target->bridge);
	error_hint_privileges(err, ret);
	if (ret == -ENOENT || ret == -EOPNOTSUPP)
		error_hint(err, "the kernel needs CONFIG_NET_CLS_BPF; try `modprobe cls_bpf`");
	return ret;
}

static int filter_delete(const struct hook_target *target, const struct clsact_side *side,
			 __u32 handle, struct error *err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = target->ifindex, .attach_point = side->point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = handle, .priority = FILTER_PRIORITY);
	int ret = bpf_tc_detach(&hook, &opts);

	if (!ret || ret == -ENOENT)
		return 0;
	error_errno(err, ret, "cannot remove hbpf's filter from clsact %s of %s", side->name,
		    target->bridge);
	error_hint_privileges(err, ret);
	return ret;
}

int clsact_attach(const struct hook_target *target, enum hook_side which, int prog_fd,
		  struct error *err)
{
	const struct clsact_side *side = &sides[which];
	struct filters found;
	int ret;

	ret = qdisc_ensure(target, err);
	if (!ret)
		ret = filters_read(target, side, &found, err);
	if (ret)
		return ret;
	if (found.taken[0]) {
		ret = error_set(err, EBUSY, "priority %d of clsact %s of %s is taken by %s",
				FILTER_PRIORITY, side->name, target->bridge, found.taken);
		error_hint(err,
			   "move that filter to another priority (`tc filter show dev %s %s` "
			   "lists it), or use --hook tcx (Linux 6.6 or newer)",
			   target->bridge, side->name);
		return ret;
	}

	if (found.ours.behind) {
		ret = filter_put(target, side, STANDIN_HANDLE, prog_fd, err);
		if (!ret)
			ret = filter_delete(target, side, FILTER_HANDLE, err);
		found.standin.there = true;
	}
	if (!ret)
		ret = filter_put(target, side, FILTER_HANDLE, prog_fd, err);
	if (!ret && found.standin.there)
		ret = filter_delete(target, side, STANDIN_HANDLE, err);
	return ret;
}

/* Nothing is found if there is no clsact: on a qdisc "ingress" in its place both sides show the
 * same filters, and none of them is ours. */
static int own_filters_read(const struct hook_target *target, const struct clsact_side *side,
			    struct filters *found, struct error *err)
{
	struct qdisc qdisc;
	int ret = qdisc_read(target, &qdisc, err);

	*found = (struct filters){};
	if (ret || !is_clsact(&qdisc))
		return ret;
	return filters_read(target, side, found, err);
}

int clsact_detach(const struct hook_target *target, enum hook_side which, struct error *err)
{
	const struct clsact_side *side = &sides[which];
	struct filters found;
	int ret = own_filters_read(target, side, &found, err);

	if (!ret && found.ours.there)
		ret = filter_delete(target, side, FILTER_HANDLE, err);
	if (!ret && found.standin.there)
		ret = filter_delete(target, side, STANDIN_HANDLE, err);
	return ret;
}

int clsact_query(const struct hook_target *target, enum hook_side which, struct hook_state *state,
		 struct error *err)
{
	const struct own_filter *own;
	struct filters found;
	int ret = own_filters_read(target, &sides[which], &found, err);

	if (ret)
		return ret;
	own = found.ours.there ? &found.ours : &found.standin;
	if (!own->there)
		return 0;
	state->live = true;
	state->kind = HBPF_HOOK_CLSACT;
	state->prog_id = own->prog_id;
	state->first = !own->behind;
	if (own->behind)
		memcpy(state->before, found.first_other, sizeof(state->before));
	return 0;
}
