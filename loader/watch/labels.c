/* SPDX-License-Identifier: GPL-2.0-only */
#include "watch/labels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/lookup.h"

#define LABEL_STRLEN 200

static void label_format(char text[LABEL_STRLEN], const struct network *network, const char *label)
{
	snprintf(text, LABEL_STRLEN, "%s's network %.100s on %s, label %s",
		 engine_name(network->engine), network->name, network->bridge, label);
}

static void parse_label(struct config_parser *p, const char *where, const char *key,
			const char *value)
{
	p->file = where;
	watch_config_set_foreign_key(p, key, value);
}

int labels_add(struct watch_config *conf, const struct network *network)
{
	size_t count = conf->count, problems = conf->problems.count;
	char of_ports[LABEL_STRLEN], of_from[LABEL_STRLEN], name[101];
	struct config_parser p = { .conf = conf, .file = of_ports, .max_problems = problems + 1 };
	struct config_section *section;

	conf->out_of_memory = false;
	snprintf(name, sizeof(name), "%s", network->name);
	label_format(of_ports, network, "hbpf.ports");
	label_format(of_from, network, "hbpf.from");
	section = watch_config_begin_section(&p, name);
	if (!section)
		return -ENOMEM;
	section->request.owner = HBPF_OWNER_ENGINE;
	section->request.skip_manual = true;
	section->bridge = strdup(network->bridge);
	section->request.bridge = section->bridge;
	conf->out_of_memory = !section->bridge;
	parse_label(&p, of_ports, "ports", network->ports);
	if (network->from && conf->problems.count == problems)
		parse_label(&p, of_from, "from", network->from);
	watch_config_end_section(&p);
	if (!conf->out_of_memory && conf->problems.count == problems)
		return 0;
	watch_config_drop_sections(conf, count);
	return conf->out_of_memory ? -ENOMEM : -EINVAL;
}

static void add_or_log(const struct network *network, struct watch_config *conf,
		       struct retry_list *logged)
{
	struct retry *retry = retry_get(logged, network->id);
	size_t problems = conf->problems.count;
	struct error err = {};

	if (network_bridge(network, &err))
		labels_add(conf, network);
	else
		retry_error(retry, &err);
	if (conf->problems.count > problems)
		retry_error(retry, &conf->problems.v[problems]);
	error_free(&err);
}

/* Those with an existing bridge first, the oldest of them before the others. */
static int compare_networks(const void *a, const void *b)
{
	const struct network *x = *(const struct network *const *)a;
	const struct network *y = *(const struct network *const *)b;

	if (x->ifindex != y->ifindex)
		return x->ifindex - 1 < y->ifindex - 1 ? -1 : 1; /* 0, no bridge, is the highest */
	return strcmp(x->id, y->id);
}

void labels_collect(const struct networks *networks, struct watch_config *conf,
		    struct retry_list *logged)
{
	const struct network **found = calloc(networks->count + 1, sizeof(const struct network *));
	size_t count = 0;

	*conf = (struct watch_config){};
	for (size_t i = 0; found && i < networks->count; i++) {
		if (networks->v[i].ports)
			found[count++] = &networks->v[i];
	}
	if (count > LABELS_MAX) {
		retry_notice(retry_get(logged, "too many"),
			     "%zu networks have the label hbpf.ports; only %d are served, those "
			     "with an existing bridge first",
			     count, LABELS_MAX);
		qsort(found, count, sizeof(const struct network *), compare_networks);
		count = LABELS_MAX;
	}
	for (size_t i = 0; i < count; i++)
		add_or_log(found[i], conf, logged);
	free(found);
	retry_list_prune(logged);
}
