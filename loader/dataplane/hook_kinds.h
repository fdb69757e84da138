/* SPDX-License-Identifier: GPL-2.0-only */
/* The two kinds of hooks, tcx and clsact. Only hook*.c use these; hook.c chooses the kind. */
#ifndef HBPF_HOOK_KINDS_H
#define HBPF_HOOK_KINDS_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

#include "dataplane/hook.h"

/** hook_program_info() - Return: 0, -ENOENT if there is no such program, other -errno */
int hook_program_info(__u32 id, struct bpf_prog_info *info);

/** hook_program_name() - "hbpf_ingress", or "program 42" for one without a name */
void hook_program_name(__u32 id, char *name, size_t size);

/** hook_program_id() - Return: 0 or -errno */
int hook_program_id(int prog_fd, __u32 *id);

/** hook_is_backstop() - is the program a backstop? Return: 1, 0 or -errno */
int hook_is_backstop(__u32 prog_id);

/**
 * tcx_attach() - attach a program, or replace the attached one
 * Return: 0, -EOPNOTSUPP if and only if the kernel has no tcx, other -errno
 */
int tcx_attach(const struct hook_target *target, enum hook_side side, int prog_fd,
	       struct error *err);
/** tcx_detach() - Return: 0 (also if nothing is attached) or -errno */
int tcx_detach(const struct hook_target *target, enum hook_side side, struct error *err);
/**
 * tcx_query() - query the pinned link
 * @state:	Unchanged if no link is pinned; for a dead link only kind is set
 */
int tcx_query(const struct hook_target *target, enum hook_side side, struct hook_state *state,
	      struct error *err);
/** tcx_first() - Return: 1 with the ID of the first program, 0 if there is none, or -errno */
int tcx_first(const struct hook_target *target, enum hook_side side, __u32 *prog_id,
	      struct error *err);

/* The most programs that can be attached to one hook: BPF_MPROG_MAX of linux/bpf_mprog.h. */
#define TCX_PROGRAMS_MAX 64
/**
 * tcx_list() - list the programs of one side in the order in which they run
 * Return: their number, 0 also if the kernel has no tcx, or -errno
 */
int tcx_list(unsigned int ifindex, enum hook_side side, __u32 ids[TCX_PROGRAMS_MAX]);
/**
 * tcx_attach_ingress() - attach without a link, after another program
 * @after:	Its ID; 0: before all others
 * Return: 0 or -errno
 */
int tcx_attach_ingress(unsigned int ifindex, int prog_fd, __u32 after);
/** tcx_detach_ingress() - detach what tcx_attach_ingress() attached. Return: 0 or -errno */
int tcx_detach_ingress(unsigned int ifindex, __u32 prog_id);

/** clsact_attach() - attach a filter, or replace the attached one; adds the qdisc if needed */
int clsact_attach(const struct hook_target *target, enum hook_side side, int prog_fd,
		  struct error *err);
/** clsact_detach() - Return: 0 (also if nothing is attached) or -errno */
int clsact_detach(const struct hook_target *target, enum hook_side side, struct error *err);
/** clsact_remove_qdisc() - if hbpf added it and no filters are left. Return: 0 or -errno */
int clsact_remove_qdisc(const struct hook_target *target, struct error *err);
/** clsact_query() - look for hbpf's filter; if there is none, @state is unchanged */
int clsact_query(const struct hook_target *target, enum hook_side side, struct hook_state *state,
		 struct error *err);

#endif /* HBPF_HOOK_KINDS_H */
