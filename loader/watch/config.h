/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration of `hbpf watch`:
 *
 *	# comment
 *	labels = yes                   obey the labels of the engines' networks; no if left out
 *	[br-test]                      a bridge, or a network of a container engine
 *	ports = 8088, 80:8080, 53/udp
 *
 * A section for each bridge. Its keys are the options of `hbpf attach`, and every
 * one of them but ports may be left out. ports, gateway and from take several
 * values, separated by commas or blanks, and may be repeated.
 *
 * The file opens ports, so one that somebody else than root could write is refused.
 */
#ifndef HBPF_CONFIG_H
#define HBPF_CONFIG_H

#include "engine/networks.h"
#include "model/request.h"

#define CONF_FILE "/etc/hbpf.conf"
#define CONF_DIR  "/etc/hbpf.conf.d"

struct conf_section {
	char *name;
	char *where;  /* "FILE:LINE", or which label */
	char *bridge; /* of a section made of labels; one of a file has to be looked up: NULL */
	struct attach_request request; /* the bridge is to be filled in where that is NULL */
};

/* Problems found, in the order of the text; each `what` begins with "FILE:LINE: ". */
struct conf_problems {
	struct error *v;
	size_t count;
};

struct conf {
	struct conf_section *v; /* in the order of the text */
	size_t count;
	bool labels;
	char *labels_where;            /* "FILE:LINE" where that is said, or NULL */
	struct conf_problems problems; /* none: the configuration is good */
};

/**
 * conf_read() - read the configuration, to its end even where it has problems
 * @conf:	Filled; release with conf_free(), also on failure
 * @path:	Only this file; NULL: CONF_FILE, then each *.conf of CONF_DIR in the order of their
 * names
 *
 * Return: 0, or -EINVAL with conf->problems, or -ENOMEM
 */
int conf_read(struct conf *conf, const char *path);
void conf_free(struct conf *conf);

/**
 * conf_read_text() - the same for a text in memory
 * @file:	What to call it in problems
 */
int conf_read_text(struct conf *conf, const char *file, const char *text);

/**
 * conf_add_labels() - read the labels of an engine's network as a section
 * @conf:	Gets the section, or else the first problem, which begins with the network and the
 *		label. Not more: whoever makes networks decides how many there are
 * @network:	One with a bridge and the label hbpf.ports. The section is called after it; the name
 *		may be there already, but its `where` is not another bridge's
 *
 * Return: 0, -EINVAL or -ENOMEM, and then there is no section
 */
int conf_add_labels(struct conf *conf, const struct network *network);

#endif /* HBPF_CONFIG_H */
