/* SPDX-License-Identifier: GPL-2.0-only */
#include "model.h"

#include <stdlib.h>

void model_reset(struct model *model)
{
	model->flow_count = 0;
	model->fragment_count = 0;
}

/* Flows */

static struct flow *flow_find(struct model *model, bool v6, int proto, const struct end *client,
			      const struct end *local)
{
	for (unsigned int i = 0; i < model->flow_count; i++) {
		struct flow *flow = &model->flows[i];

		if (flow->v6 == v6 && flow->proto == proto && same_end(&flow->client, client) &&
		    same_end(&flow->local, local))
			return flow;
	}
	return NULL;
}

static void flow_record(struct model *model, bool v6, int proto, const struct end *client,
			const struct end *local, const struct end *dialled)
{
	struct flow *flow = flow_find(model, v6, proto, client, local);

	if (!flow) {
		if (model->flow_count == MODEL_FLOWS)
			abort();
		flow = &model->flows[model->flow_count++];
		*flow = (struct flow){
			.v6 = v6, .proto = proto, .client = *client, .local = *local
		};
	}
	flow->dialled = *dialled;
}

/* What the client of an answer dialled: as recorded, else the only thing that fits.
 * Return: false where nobody can tell. */
static bool dialled_by(struct model *model, bool v6, int proto, const struct end *client,
		       const struct end *local, struct end *dialled)
{
	const struct flow *flow = flow_find(model, v6, proto, client, local);
	const struct world_export *only;

	if (flow) {
		*dialled = flow->dialled;
		return true;
	}
	world_service(proto, local, v6, &only);
	if (!only || world_gateway_count(&model->world, v6) != 1)
		return false;
	dialled->ip = wire_ip(world_gateways[v6][0]);
	dialled->port = only->port;
	return true;
}

/* Fragments */

static struct fragment *fragment_of(struct model *model, const struct view *view, bool egress)
{
	int proto = view->v6 ? -1 : view->proto; /* RFC 8200, 4.5: not part of what names it */

	for (unsigned int i = 0; i < model->fragment_count; i++) {
		struct fragment *fragment = &model->fragments[i];

		if (fragment->v6 == view->v6 && fragment->egress == egress &&
		    fragment->proto == proto && fragment->id == view->id &&
		    same_ip(&fragment->src, &view->src.ip) &&
		    same_ip(&fragment->dst, &view->dst.ip))
			return fragment;
	}
	return NULL;
}

static void fragment_record(struct model *model, const struct view *view, bool egress,
			    const struct expected *expected)
{
	struct fragment *fragment = fragment_of(model, view, egress);

	if (!fragment) {
		if (model->fragment_count == MODEL_FLOWS)
			abort();
		fragment = &model->fragments[model->fragment_count++];
		*fragment = (struct fragment){
			.v6 = view->v6,
			.egress = egress,
			.proto = view->v6 ? -1 : view->proto,
			.id = view->id,
			.src = view->src.ip,
			.dst = view->dst.ip,
		};
	}
	fragment->pass = expected->verdict != LOCAL && expected->verdict != CLIENT;
	fragment->to = expected->to.ip;
}

/* ARP */

struct arp {
	struct ip sender;
	struct ip target;
};

/* About IPv4 on Ethernet (RFC 826)? */
static bool arp_read(const struct frame *frame, struct arp *arp)
{
	const uint8_t *p = frame->b + ETHER;

	if (frame->len < ETHER + 28 || get16(p + 2) != TYPE_IPV4 || p[4] != 6 || p[5] != 4)
		return false;
	arp->sender = arp->target = wire_ip("0.0.0.0");
	memcpy(arp->sender.b + 12, p + 14, 4);
	memcpy(arp->target.b + 12, p + 24, 4);
	return true;
}

/* The way in */

static bool tagged(const struct frame *frame, bool *priority)
{
	uint16_t type = wire_type(frame);

	if (type != TYPE_8021Q && type != TYPE_8021AD)
		return false;
	*priority = frame->len >= 16 && !(get16(frame->b + 14) & 0xfff);
	return true;
}

static void error_in(struct model *model, const struct frame *frame, struct expected *expected)
{
	const struct view *view = &expected->view;
	struct view *quote = &expected->quoted;
	const struct world_export *export;
	const struct flow *flow;
	struct end local;

	if (view->first_fragment || !wire_is_icmp_error(view) || !wire_quote(frame, view, quote) ||
	    !same_ip(&quote->src.ip, &view->dst.ip))
		return;
	export = world_export_of(quote->proto, quote->src.port, view->v6);
	if (!export)
		return;
	local = world_local(export, view->v6);
	flow = flow_find(model, view->v6, quote->proto, &quote->dst, &local);
	if (!flow || !same_end(&flow->dialled, &quote->src))
		return;
	expected->verdict = LOCAL;
	expected->to = local;
	expected->quote = true;
}

static bool is_syn(const struct view *view)
{
	return (view->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

/* To a gateway, with its ports. There are no sockets here, so a TCP segment that opens nothing
 * belongs to a recorded flow or to nobody. */
static void question(struct model *model, struct expected *expected)
{
	const struct view *view = &expected->view;
	const struct world_export *export = world_export_of(view->proto, view->dst.port, view->v6);
	bool syn = view->proto == PROTO_TCP && is_syn(view);
	bool known, may_open;
	const struct flow *flow;
	struct end local;

	if (!export)
		return;
	local = world_local(export, view->v6);
	flow = flow_find(model, view->v6, view->proto, &view->src, &local);
	known = flow && same_end(&flow->dialled, &view->dst);
	may_open =
		(syn || view->proto == PROTO_UDP) && world_allows(export, &view->src.ip, view->v6);
	if (!(known && !syn) && !may_open)
		return;
	flow_record(model, view->v6, view->proto, &view->src, &local, &view->dst);
	expected->verdict = LOCAL;
	expected->to = local;
	expected->ports = true;
}

static void gateway(struct model *model, const struct frame *frame, struct expected *expected)
{
	const struct view *view = &expected->view;

	if (view->transport && view->icmp_type >= 0)
		error_in(model, frame, expected);
	else if (view->transport)
		question(model, expected);
	if (view->first_fragment)
		fragment_record(model, view, false, expected);
}

void model_ingress(struct model *model, const struct frame *frame, struct expected *expected)
{
	struct view *view = &expected->view;
	const struct fragment *fragment;
	bool priority;
	struct arp arp;

	memset(expected, 0, sizeof(*expected));
	if (tagged(frame, &priority)) {
		expected->verdict = priority ? DROP : PASS;
		return;
	}
	if (wire_type(frame) == TYPE_ARP) {
		if (arp_read(frame, &arp) &&
		    (wire_is_loopback(&arp.sender) || wire_is_loopback(&arp.target)))
			expected->verdict = DROP;
		return;
	}
	if (!wire_frame_view(frame, view) || !view->addressed)
		return;
	if (wire_is_loopback(&view->src.ip) ||
	    (wire_is_loopback(&view->dst.ip) && model->world.setting->guard_dst) ||
	    view->route == ROUTED_LOOPBACK) {
		expected->verdict = DROP;
		return;
	}
	expected->or_dropped = view->route == ROUTED_BADLY;
	if (!view->sound || view->route != ROUTED_NOT || memcmp(frame->b, bridge_mac, 6) ||
	    !world_is_gateway(&model->world, &view->dst.ip, view->v6))
		return;
	if (!view->later_fragment) {
		gateway(model, frame, expected);
		return;
	}
	fragment = fragment_of(model, view, false);
	if (fragment && !fragment->pass) {
		expected->verdict = LOCAL;
		expected->to.ip = fragment->to;
	}
}

/* The way back */

static void arp_out(const struct model *model, const struct frame *frame, struct expected *expected)
{
	const char *own;
	struct arp arp;

	if (!arp_read(frame, &arp) ||
	    (!wire_is_loopback(&arp.sender) && !wire_is_loopback(&arp.target)))
		return;
	own = wire_is_loopback(&arp.target) ? NULL : world_arp_sender(&model->world, &arp.target);
	expected->verdict = own ? CLIENT : DROP;
	expected->arp = true;
	if (own)
		expected->to.ip = wire_ip(own);
}

static void error_out(struct model *model, const struct frame *frame, struct expected *expected)
{
	const struct view *view = &expected->view;
	struct view *quote = &expected->quoted;
	const struct world_export *only;

	expected->verdict = DROP;
	if (view->first_fragment || !wire_is_icmp_error(view) || !wire_quote(frame, view, quote) ||
	    !world_service(quote->proto, &quote->dst, view->v6, &only) ||
	    !dialled_by(model, view->v6, quote->proto, &quote->src, &quote->dst, &expected->to))
		return;
	expected->verdict = CLIENT;
	expected->quote = true;
}

static void answer(struct model *model, struct expected *expected)
{
	const struct view *view = &expected->view;
	const struct world_export *only;

	expected->verdict = DROP;
	if (!world_service(view->proto, &view->src, view->v6, &only) ||
	    !dialled_by(model, view->v6, view->proto, &view->dst, &view->src, &expected->to))
		return;
	expected->verdict = CLIENT;
	expected->ports = true;
}

/* UDP from a gateway: of a service bound to the wildcard, it is an answer if there is a flow. */
static void wildcard_answer(struct model *model, struct expected *expected)
{
	const struct view *view = &expected->view;
	static const char *const addresses[] = { "127.0.0.1", "127.0.0.53" };
	const struct world_export *only;
	const struct flow *flow;
	struct end local = { wire_ip("::1"), view->src.port };

	if (!model->world.wildcard[view->v6] ||
	    !world_is_gateway(&model->world, &view->src.ip, view->v6))
		return;
	for (int i = 0; !view->v6 && i < 2; i++) {
		local.ip = wire_ip(addresses[i]);
		if (world_service(PROTO_UDP, &local, false, &only))
			break;
	}
	flow = flow_find(model, view->v6, PROTO_UDP, &view->dst, &local);
	if (!flow)
		return;
	expected->verdict = CLIENT;
	expected->to = flow->dialled;
	expected->ports = true;
}

static void from_host(struct model *model, const struct frame *frame, bool loopback,
		      struct expected *expected)
{
	const struct view *view = &expected->view;

	if (!view->transport)
		expected->verdict = loopback ? DROP : PASS;
	else if (loopback && view->icmp_type >= 0)
		error_out(model, frame, expected);
	else if (loopback)
		answer(model, expected);
	else
		wildcard_answer(model, expected);
	if (view->first_fragment &&
	    (loopback || world_is_gateway(&model->world, &view->src.ip, view->v6)))
		fragment_record(model, view, true, expected);
}

void model_egress(struct model *model, const struct frame *frame, struct expected *expected)
{
	struct view *view = &expected->view;
	const struct fragment *fragment;
	bool loopback;

	memset(expected, 0, sizeof(*expected));
	expected->source_address = true;
	if (wire_type(frame) == TYPE_ARP) {
		arp_out(model, frame, expected);
		return;
	}
	if (!wire_frame_view(frame, view) || !view->addressed)
		return;
	loopback = wire_is_loopback(&view->src.ip);
	if (wire_is_loopback(&view->dst.ip) || (loopback && !view->sound)) {
		expected->verdict = DROP;
		return;
	}
	if (!view->sound || (!loopback && view->proto != PROTO_UDP))
		return;
	if (!view->later_fragment) {
		from_host(model, frame, loopback, expected);
		return;
	}
	fragment = fragment_of(model, view, true);
	if (fragment && !fragment->pass) {
		expected->verdict = CLIENT;
		expected->to.ip = fragment->to;
	} else if (loopback) {
		expected->verdict = DROP;
	}
}
