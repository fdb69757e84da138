/* SPDX-License-Identifier: GPL-2.0-only */
/* Labels of container networks, as sections of a configuration. */
#ifndef HBPF_LABELS_H
#define HBPF_LABELS_H

#include "engine/networks.h"
#include "watch/config_parse.h"
#include "watch/retry.h"

/* More bridges than a host has. Users of an engine can create as many networks as it accepts. */
#define LABELS_MAX 1024

/**
 * labels_add() - parse the labels of a network into a section
 * @conf:	Gets the section, or else the first problem, prefixed with the network and the
 * label. Only the first: the users of the engine determine how many there are
 * @network:	One with a bridge and the label hbpf.ports. The section has its name, perhaps as
 *		another one; `where` is unique for each bridge
 *
 * Return: 0, -EINVAL or -ENOMEM, and then there is no section
 */
int labels_add(struct watch_config *conf, const struct network *network);

/**
 * labels_collect() - the sections of all networks with labels, up to LABELS_MAX
 * @conf:	Filled; release with watch_config_free(). Malformed labels are left out
 * @logged:	Each problem is logged once. By the networks' IDs
 */
void labels_collect(const struct networks *networks, struct watch_config *conf,
		    struct retry_list *logged);

#endif /* HBPF_LABELS_H */
