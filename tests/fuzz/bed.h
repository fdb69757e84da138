/* SPDX-License-Identifier: GPL-2.0-only */
/* A network namespace with the bridge, and one build of the programs with its maps filled. */
#ifndef FUZZ_BED_H
#define FUZZ_BED_H

#include "model.h"

enum answer { /* TC_ACT_* of linux/pkt_cls.h */
	      ANSWER_UNSPEC = -1,
	      ANSWER_SHOT = 2,
	      ANSWER_REDIRECT = 7,
};

struct bpf_object;

#define BED_GROWING 3 /* maps that grow (HBPF_GROWING_MAPS) */

struct bed {
	struct bpf_object *object;
	int programs[2]; /* ingress, egress */
	int flows;
	int recent[2]; /* TCP, UDP */
	int fragments;
	unsigned int ifindex;
	int growing[BED_GROWING];
	unsigned int flags; /* of test runs */
};

/** bed_open() - in a network namespace of its own; ends the program where that cannot be */
void bed_open(struct bed *bed, const char *object);
void bed_close(struct bed *bed);

/** bed_configure() - fill the maps; flows and fragments are forgotten */
void bed_configure(struct bed *bed, const struct setting *setting);
/** bed_clear() - forget flows and fragments */
void bed_clear(struct bed *bed);
/** bed_probe() - find out what this kernel's test runs are like */
void bed_probe(struct bed *bed, struct world *world);

/**
 * bed_run() - one frame through a program
 * @after:	What it became
 * @answer:	What the program returned
 *
 * Return: 0, -EINVAL where the kernel refuses to run over such a frame, -EBADMSG where the sum a
 * NIC took of it (CHECKSUM_COMPLETE) no longer matches, other -errno
 */
int bed_run(const struct bed *bed, bool egress, const struct frame *before, struct frame *after,
	    int *answer);

/**
 * bed_flows_match() - does the table of all flows hold the model's and no other, and those of each
 * client's latest no other either?
 */
bool bed_flows_match(const struct bed *bed, const struct model *model, char *why,
		     unsigned int size);

/** bed_counters() - print how often each reason was given. Return: how many never were */
void bed_counters(const struct bed *bed);

#endif /* FUZZ_BED_H */
