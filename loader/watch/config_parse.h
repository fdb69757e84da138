/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration of `hbpf watch`:
 *
 *	# comment
 *	labels = yes                   use the labels of container networks; default no
 *	[br-test]                      a bridge, or a network of a container engine
 *	ports = 8088, 80:8080, 53/udp
 *
 * One section per bridge. Its keys are the options of `hbpf attach`; only ports is required. ports,
 * gateway and from take several values, separated by commas or blanks, and may be repeated.
 */
#ifndef HBPF_CONFIG_PARSE_H
#define HBPF_CONFIG_PARSE_H

#include <stdio.h>

#include "lib/error.h"
#include "model/request.h"

struct config_section {
	char *name;
	char *where;  /* "FILE:LINE", or the label */
	char *bridge; /* its name, in a section made from labels; NULL: look it up by `name` */
	struct attach_request request; /* without a bridge where `bridge` is NULL */
};

/* In the order of the text; each `what` begins with "FILE:LINE: ". */
struct config_problems {
	struct error *v;
	size_t count;
};

/* The configuration of the watcher; the one of the BPF programs is struct hbpf_config. All zero is
 * an empty one. */
struct watch_config {
	struct config_section *v; /* in the order of the text */
	size_t count;
	bool labels;
	char *labels_where; /* "FILE:LINE" of the key labels, or NULL */
	struct config_problems problems;
	bool out_of_memory;
};

/* A file being parsed, or the labels of one network. */
struct config_parser {
	struct watch_config *conf;
	const char *file;            /* or the label */
	unsigned int line;           /* 0: there are no lines */
	size_t max_problems;         /* stop at so many in conf->problems; 0: no limit */
	bool at_top;                 /* before the first section */
	bool in_section;             /* false also after a malformed header: its keys are ignored */
	unsigned int header;         /* line of this section's header */
	unsigned int keys_seen;      /* in this section: a set of 1 << enum key_id */
	struct exports ports_so_far; /* of this section, to find duplicates */
};

/** watch_config_free() - release a configuration; it is empty then */
void watch_config_free(struct watch_config *conf);

/**
 * watch_config_parse_stream() - parse a file to its end, and add its sections and problems
 * @file:	Its name in problems
 */
void watch_config_parse_stream(struct watch_config *conf, const char *file, FILE *stream);

/**
 * watch_config_parse_text() - parse a text in memory
 * @conf:	Filled; release with watch_config_free(), also on failure
 *
 * Return: as watch_config_result()
 */
int watch_config_parse_text(struct watch_config *conf, const char *file, const char *text);

/**
 * watch_config_result() - the result, after everything was parsed
 * Return: 0, or -EINVAL or -ENOMEM, and then there is a problem to print
 */
int watch_config_result(struct watch_config *conf);

/**
 * watch_config_add_problem() - add a problem
 * @where:	The file, line or label
 * @hint:	The next step, or NULL
 */
void watch_config_add_problem(struct watch_config *conf, const char *where, const char *what,
			      const char *hint);

/**
 * watch_config_begin_section() - add a section with the defaults of `hbpf attach`
 * Return: it, until another one is added; NULL without memory
 */
struct config_section *watch_config_begin_section(struct config_parser *p, const char *name);

/**
 * watch_config_set_key() - parse the value of a key, for the current section
 * @value:	Modified
 */
void watch_config_set_key(struct config_parser *p, const char *name, char *value);

/**
 * watch_config_set_foreign_key() - the same for a value from outside the configuration files
 * @value:	Not modified; a control character, which could forge lines in a log, is a problem
 */
void watch_config_set_foreign_key(struct config_parser *p, const char *name, const char *value);

/** watch_config_end_section() - check that the section is complete; none begun is fine */
void watch_config_end_section(struct config_parser *p);

/** watch_config_drop_sections() - remove all but the first @count sections */
void watch_config_drop_sections(struct watch_config *conf, size_t count);

#endif /* HBPF_CONFIG_PARSE_H */
