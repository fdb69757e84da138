/* SPDX-License-Identifier: GPL-2.0-only */
/* The options --port and --client of commands that show flows: which of them to show. */
#ifndef HBPF_FLOW_FILTER_H
#define HBPF_FLOW_FILTER_H

#include <hbpf/addr.h>

#include "cli/cli.h"
#include "lib/addr.h"
#include "model/request.h"

/* All zero lets everything pass. */
struct flow_filter {
	struct port_specs ports; /* to show any of these only; all if empty */
	struct prefix *clients;  /* the same */
	size_t client_count;
};

/**
 * flow_filter_parse() - parse the values of the options
 * @ports:	SPECs of gateway ports
 * @clients:	Addresses or prefixes
 * @filter:	All zero; filled. Free with flow_filter_free(), also after an error
 *
 * Return: 0, -EINVAL or -ENOMEM
 */
int flow_filter_parse(const struct arg_list *ports, const struct arg_list *clients,
		      struct flow_filter *filter, struct error *err);
void flow_filter_free(struct flow_filter *filter);

/**
 * flow_filter_passes() - is a flow to be shown?
 * @client:	Its address
 * @gateway_port: Dialled port, network byte order
 * @local_port:	Loopback port, network byte order; 0 if it is not known, and then no SPEC with one
 *		fits
 */
bool flow_filter_passes(const struct flow_filter *filter, __u8 proto,
			const struct hbpf_addr *client, __be16 gateway_port, __be16 local_port);

#endif /* HBPF_FLOW_FILTER_H */
