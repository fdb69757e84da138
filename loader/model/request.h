/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of --port, --gateway and --from, read into what they stand for. */
#ifndef HBPF_REQUEST_H
#define HBPF_REQUEST_H

#include <hbpf/maps.h>

#include "lib/choice.h"
#include "model/exports.h"
#include "model/port_spec.h"
#include "model/gateways.h"
#include "model/sources.h"

/* Words of --hook and --pin, by enum hbpf_hook_kind and enum hbpf_choice; NULL-terminated. */
extern const char *const hook_kind_names[];
extern const char *const when_names[];

struct port_specs {
	struct port_spec *v;
	size_t count;
};

/**
 * args_ports() - read every SPEC
 * @specs:	Free v with free()
 * @err:	Also where two of them name the same gateway port
 *
 * Return: 0, -EINVAL, -EEXIST or -ENOMEM
 */
int args_ports(const char *const *words, size_t count, struct port_specs *specs, struct error *err);

/**
 * args_gateways() - read every --gateway
 * @err:	Also for an address that no client could dial as a gateway
 * Return: 0, -EINVAL or -ENOMEM
 */
int args_gateways(const struct arg_list *words, struct gateways *set, struct error *err);

/* Who may use exports, as --from says. */
struct from {
	bool given;
	bool onlink;            /* the word "onlink" was among the values, or nothing was */
	struct sources sources; /* the prefixes; free v with free() */
};

/** args_from() - read every --from. Return: 0, -EINVAL or -ENOMEM */
int args_from(const struct arg_list *words, struct from *from, struct error *err);

/** from_policy() - the policy that says so when @list holds the prefixes */
struct hbpf_policy from_policy(const struct from *from, __u16 list);

/* What is wanted. What is not given stays as an earlier attach left it. */
struct attach_request {
	const char *bridge;
	struct port_specs ports;  /* added to those that are open */
	bool only_ports;          /* in their place instead: all others are closed */
	struct gateways gateways; /* beside the bridge's and docker0's addresses */
	bool gateways_given;      /* `gateways` replaces what was said before, also by nothing */
	struct from from;
	struct choice hook;       /* enum hbpf_hook_kind */
	struct choice nat_bypass; /* enum hbpf_choice */
	struct choice guard;      /* enum hbpf_choice */
	enum hbpf_owner owner;    /* of a fresh attachment; but for HBPF_BY_HAND, of any */
	bool yields;              /* leave a bridge alone that is attached by hand: -EEXIST */
	bool force;               /* take ports over from services bound to a gateway's address */
};

/** attach_request_free() - release what the args_*() functions put into a request */
void attach_request_free(struct attach_request *request);

#endif /* HBPF_REQUEST_H */
