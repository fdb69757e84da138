/* SPDX-License-Identifier: GPL-2.0-only */
/* A configuration; or, after a first byte '@', labels: network, ports and from separated by '@'. */
#include "watch/config_parse.h"
#include "watch/labels.h"
#include "word.h"

#include <ctype.h>

static void check(const struct watch_config *conf, int rc)
{
	must(!rc == !conf->problems.count);
	for (size_t i = 0; i < conf->problems.count; i++)
		must(conf->problems.v[i].what[0]);
	for (size_t i = 0; !rc && i < conf->count; i++) {
		const struct config_section *section = &conf->v[i];

		must(section->name[0] && section->where[0]);
		must(section->request.ports.count && section->request.only_ports);
		must(section->request.from.onlink || section->request.from.sources.count);
		must(section->request.owner != HBPF_OWNER_MANUAL);
	}
}

static void labels(struct watch_config *conf, char *text)
{
	char *rest;
	struct network network = { .name = strtok_r(text, "@", &rest), .bridge = "br-test" };

	/* as networks_parse() leaves it */
	for (char *at = network.name; at && *at; at++) {
		if (iscntrl((unsigned char)*at))
			*at = '?';
	}
	network.ports = network.name ? strtok_r(NULL, "@", &rest) : NULL;
	network.from = network.ports ? strtok_r(NULL, "@", &rest) : NULL;
	if (network.ports) {
		check(conf, labels_add(conf, &network));
		must(conf->problems.count <= 1);
	}
	for (size_t i = 0; i < conf->problems.count; i++)
		must(!strpbrk(conf->problems.v[i].what, "\r\033"));
}

static void word_test(char *text)
{
	struct watch_config conf = {};

	if (*text == '@')
		labels(&conf, text);
	else
		check(&conf, watch_config_parse_text(&conf, "conf", text));
	watch_config_free(&conf);
}
