/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters of bridges as text and as JSON, with rates if they were read before. */
#ifndef HBPF_STATS_VIEW_H
#define HBPF_STATS_VIEW_H

#include <stdio.h>

#include "lib/terminal.h"
#include "metrics/traffic.h"

struct json_object;

/**
 * stats_view_write() - write the ports and reasons that counted anything
 * @to:		In the form for @terminal
 * @before:	Read before @traffic, for rates; NULL for the counters themselves
 */
void stats_view_write(FILE *to, const struct terminal *terminal, const struct traffic *traffic,
		      const struct traffic *before);

/** stats_view_json() - add all counters, as the member "bridges" of @doc; @before as above */
void stats_view_json(struct json_object *doc, const struct traffic *traffic,
		     const struct traffic *before);

/** counter_json() - add the members of one counter: reason, verdict, packets, bytes */
void counter_json(struct json_object *to, enum hbpf_reason reason,
		  const struct hbpf_counter *counter);

#endif /* HBPF_STATS_VIEW_H */
