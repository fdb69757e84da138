/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle: what has to become of a frame, by the rules of docs and nothing
 * of bpf/. It keeps its own tables of flows and fragments.
 */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

#include "world.h"

enum verdict {
	PASS,
	DROP,
	LOCAL,  /* translated, redirected to lo */
	CLIENT, /* translated, on its way out */
};

/* What has to become of one frame. */
struct expected {
	enum verdict verdict;
	bool or_dropped;     /* the kernel refuses such a packet: dropped is as good as passed */
	bool source_address; /* in the outer header the source changes, not the destination */
	bool ports;          /* and the port, too */
	bool quote;          /* it is an ICMP error: the other end of its quote as well */
	bool arp;            /* the sender of an ARP packet, and nothing else */
	struct end to;       /* to this */
	struct view view;
	struct view quoted;
};

#define MODEL_FLOWS 4096

struct flow {
	bool v6;
	int proto;
	struct end client;
	struct end local;
	struct end dialled;
};

struct fragment {
	bool v6;
	bool egress;
	int proto;
	uint32_t id;
	struct ip src;
	struct ip dst;
	bool pass;
	struct ip to;
};

struct model {
	struct world world;
	struct flow flows[MODEL_FLOWS];
	unsigned int flow_count;
	struct fragment fragments[MODEL_FLOWS];
	unsigned int fragment_count;
};

/** model_reset() - forget all flows and fragments */
void model_reset(struct model *model);
/** model_ingress() - a frame comes in from the bridge */
void model_ingress(struct model *model, const struct frame *frame, struct expected *expected);
/** model_egress() - a frame is about to leave by the bridge */
void model_egress(struct model *model, const struct frame *frame, struct expected *expected);

#endif /* FUZZ_MODEL_H */
