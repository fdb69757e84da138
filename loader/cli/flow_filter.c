/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/flow_filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

static int parse_client(const char *text, struct prefix *prefix, struct error *err)
{
	/* -ERANGE: bits of the host are set, which mean nothing here */
	if (prefix_parse(text, prefix) != -EINVAL)
		return 0;
	error_set(err, EINVAL, "'%s' is not an address or prefix", text);
	error_hint(err, "--client takes 172.18.0.2, 172.18.0.0/16 or fd00::2");
	return -EINVAL;
}

int flow_filter_parse(const struct arg_list *ports, const struct arg_list *clients,
		      struct flow_filter *filter, struct error *err)
{
	int ret = port_specs_parse(ports->v, ports->count, &filter->ports, err);

	if (ret || !clients->count)
		return ret;
	filter->clients = calloc(clients->count, sizeof(*filter->clients));
	if (!filter->clients)
		return error_nomem(err);
	for (size_t i = 0; !ret && i < clients->count; i++)
		ret = parse_client(clients->v[i], &filter->clients[i], err);
	filter->client_count = clients->count;
	return ret;
}

void flow_filter_free(struct flow_filter *filter)
{
	port_specs_free(&filter->ports);
	free(filter->clients);
	*filter = (struct flow_filter){};
}

static bool spec_has(const struct port_spec *spec, __u8 proto, __be16 gateway_port,
		     __be16 local_port)
{
	__u16 port = ntohs(gateway_port);

	return port_spec_has(spec, proto, port) &&
	       (!spec->local_given ||
		ntohs(local_port) == spec->local_first + (port - spec->first));
}

bool flow_filter_passes(const struct flow_filter *filter, __u8 proto,
			const struct hbpf_addr *client, __be16 gateway_port, __be16 local_port)
{
	bool port = !filter->ports.count, from = !filter->client_count;

	for (size_t i = 0; !port && i < filter->ports.count; i++)
		port = spec_has(&filter->ports.v[i], proto, gateway_port, local_port);
	for (size_t i = 0; !from && i < filter->client_count; i++)
		from = prefix_has(&filter->clients[i], client);
	return port && from;
}
