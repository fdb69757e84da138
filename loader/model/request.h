/* SPDX-License-Identifier: GPL-2.0-only */
/* The values of --port, --gateway and --from parsed, and the request to attach made of them. */
#ifndef HBPF_REQUEST_H
#define HBPF_REQUEST_H

#include <hbpf/maps.h>

#include "lib/choice.h"
#include "model/exports.h"
#include "model/port_spec.h"
#include "model/gateways.h"
#include "model/sources.h"

/* Values of --hook by enum hbpf_hook_kind, of --nat-bypass and --guard by enum hbpf_choice;
 * NULL-terminated. */
extern const char *const hook_kind_names[];
extern const char *const auto_on_off_names[];

struct port_specs {
	struct port_spec *v;
	size_t count;
};

/**
 * port_specs_parse() - parse every SPEC of a command line
 * @specs:	Empty; filled in the order of their gateway ports. Free with port_specs_free(), also
 *		on failure
 * @err:	Also set where two of them name the same gateway port
 *
 * Return: 0, -EINVAL, -EEXIST or -ENOMEM
 */
int port_specs_parse(const char *const *texts, size_t count, struct port_specs *specs,
		     struct error *err);
void port_specs_free(struct port_specs *specs);

/**
 * gateways_parse() - parse one value of --gateway and add it
 * @err:	Also set for an address that no client could use as a gateway
 *
 * Return: 0, -EINVAL or -ENOMEM
 */
int gateways_parse(struct gateways *set, const char *text, struct error *err);

/* Who may use exports: the values of --from. All zero: the option was not given. */
struct from {
	bool given;
	bool explicit;          /* by a value, not by a default */
	bool onlink;            /* "onlink" was among the values */
	struct sources sources; /* the prefixes among them */
};

/** from_parse() - parse one value of --from and add it. Return: 0, -EINVAL or -ENOMEM */
int from_parse(struct from *from, const char *text, struct error *err);

/** from_policy() - the policy for the maps, with the prefixes in the list number @list there */
struct hbpf_policy from_policy(const struct from *from, __u16 list);

/* What to attach. Options that are not given stay as an earlier attach left them. */
struct attach_request {
	const char *bridge;
	struct port_specs ports;  /* added to those that are open */
	bool only_ports;          /* close all others */
	struct gateways gateways; /* beside the bridge's and docker0's addresses */
	bool gateways_given;      /* `gateways` replaces those given before, even if it is empty */
	struct from from;
	struct choice hook;       /* enum hbpf_hook_kind */
	struct choice nat_bypass; /* enum hbpf_choice */
	struct choice guard;      /* enum hbpf_choice */
	enum hbpf_owner owner;    /* of a fresh attachment; but for HBPF_OWNER_MANUAL, of any */
	bool skip_manual;         /* leave a bridge alone that is attached manually: -EEXIST */
	bool force;               /* take ports over from services bound to a gateway's address */
};

/** attach_request_free() - release the lists of a request */
void attach_request_free(struct attach_request *request);

#endif /* HBPF_REQUEST_H */
