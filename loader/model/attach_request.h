/* SPDX-License-Identifier: GPL-2.0-only */
/* What is asked of an attach, on the command line or in a configuration. */
#ifndef HBPF_ATTACH_REQUEST_H
#define HBPF_ATTACH_REQUEST_H

#include "cli/cli.h"
#include "model/args.h"

/* What is wanted. What is not given stays as an earlier attach left it. */
struct attach_request {
	const char *bridge;
	struct port_specs ports;  /* added to those that are open */
	bool only_ports;          /* in their place instead: all others are closed */
	struct gateways gateways; /* beside the bridge's and docker0's addresses */
	bool gateways_given;      /* `gateways` replaces what was said before, also by nothing */
	struct from from;
	struct cli_choice hook;  /* enum hbpf_hook_kind */
	struct cli_choice pin;   /* enum hbpf_choice */
	struct cli_choice guard; /* enum hbpf_choice */
	enum hbpf_owner owner;   /* of a fresh attachment; but for HBPF_BY_HAND, of any */
	bool yields;             /* leave a bridge alone that is attached by hand: -EEXIST */
	bool force;              /* take ports over from services bound to a gateway's address */
};

/** attach_request_free() - release what the args_*() functions put into a request */
void attach_request_free(struct attach_request *request);

#endif /* HBPF_ATTACH_REQUEST_H */
