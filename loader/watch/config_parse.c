/* SPDX-License-Identifier: GPL-2.0-only */
#include "watch/config_parse.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/printable.h"
#include "lib/str_list.h"

#define NAME_MAX_SHOWN 80

/* ---- problems ---- */

void watch_config_add_problem(struct watch_config *conf, const char *where, const char *what,
			      const char *hint)
{
	struct config_problems *list = &conf->problems;
	struct error problem = {};

	error_set(&problem, EINVAL, "%s: %s", where, what);
	if (hint && *hint)
		error_hint(&problem, "%s", hint);
	if (ARRAY_ADD(list, problem))
		conf->out_of_memory = true;
}

static bool is_full(const struct config_parser *p)
{
	return p->max_problems && p->conf->problems.count >= p->max_problems;
}

/* Return: "FILE:LINE", or the label; malloc'd. NULL without memory */
static char *position(const struct config_parser *p)
{
	char *text;
	int len = p->line ? asprintf(&text, "%s:%u", p->file, p->line)
			  : asprintf(&text, "%s", p->file);

	if (len >= 0)
		return text;
	p->conf->out_of_memory = true;
	return NULL;
}

static void complain(struct config_parser *p, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void complain(struct config_parser *p, const char *hint, const char *fmt, ...)
{
	char what[400], *where;
	va_list args;

	if (is_full(p))
		return;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	where = position(p);
	if (where)
		watch_config_add_problem(p->conf, where, what, hint);
	free(where);
}

/* The parsers of the command line name the option. The key has its name, without the dashes. */
static void complain_about_value(struct config_parser *p, struct error *err)
{
	complain(p, err->hint, "%s", err->what + (strncmp(err->what, "--", 2) ? 0 : 2));
	error_free(err);
}

int watch_config_result(struct watch_config *conf)
{
	if (!conf->out_of_memory)
		return conf->problems.count ? -EINVAL : 0;
	watch_config_add_problem(conf, "configuration", "out of memory", NULL);
	return -ENOMEM;
}

/* ---- keys ---- */

enum key_id {
	KEY_PORTS,
	KEY_GATEWAY,
	KEY_FROM,
	KEY_HOOK,
	KEY_NAT_BYPASS,
	KEY_GUARD,
	KEY_FORCE,
	KEYS_LISTED,
	/* the name of nat-bypass before 0.2 */
	KEY_PIN = KEYS_LISTED,
	KEY_MAX,
};

struct key {
	const char *name;
	bool several; /* takes more than one value, and may be repeated */
	void (*set)(struct config_parser *p, const struct key *key, const char *value);
	size_t choice; /* for set_choice(): offset of the struct choice in the request */
	const char *const *choices;
};

static struct attach_request *current_request(const struct config_parser *p)
{
	return &p->conf->v[p->conf->count - 1].request;
}

static void add_port(struct config_parser *p, const struct key *key, const char *value)
{
	struct port_spec spec;
	struct error err = {};

	(void)key;
	if (port_spec_parse(value, &spec, &err) ||
	    exports_add(&p->ports_so_far, &spec, NULL, true, &err))
		complain_about_value(p, &err);
	else if (ARRAY_ADD(&current_request(p)->ports, spec))
		p->conf->out_of_memory = true;
}

static void add_gateway(struct config_parser *p, const struct key *key, const char *value)
{
	struct error err = {};

	(void)key;
	if (gateways_parse(&current_request(p)->gateways, value, &err))
		complain_about_value(p, &err);
}

static void add_from(struct config_parser *p, const struct key *key, const char *value)
{
	struct error err = {};

	(void)key;
	if (from_parse(&current_request(p)->from, value, &err))
		complain_about_value(p, &err);
}

/* Return: the index of a word among @choices, or -1 after complaining */
static int choose(struct config_parser *p, const char *key, const char *word,
		  const char *const *choices)
{
	char known[CHOICES_STRLEN], hint[64];
	int value = choice_find(word, choices, known);

	if (value < 0) {
		snprintf(hint, sizeof(hint), "write it as %s = %s", key, choices[0]);
		complain(p, hint, "%s must be one of %s, not '%s'", key, known, word);
	}
	return value;
}

static void set_choice(struct config_parser *p, const struct key *key, const char *value)
{
	int chosen = choose(p, key->name, value, key->choices);
	struct choice *choice = (void *)((char *)current_request(p) + key->choice);

	if (chosen >= 0)
		choice->value = chosen;
}

static const char *const no_yes[] = { "no", "yes", NULL };

static void set_force(struct config_parser *p, const struct key *key, const char *value)
{
	current_request(p)->force = choose(p, key->name, value, no_yes) == 1;
}

static const struct key keys[] = {
	[KEY_PORTS] = { .name = "ports", .several = true, .set = add_port },
	[KEY_GATEWAY] = { .name = "gateway", .several = true, .set = add_gateway },
	[KEY_FROM] = { .name = "from", .several = true, .set = add_from },
	[KEY_HOOK] = { .name = "hook",
		       .set = set_choice,
		       .choice = offsetof(struct attach_request, hook),
		       .choices = hook_kind_names },
	[KEY_NAT_BYPASS] = { .name = "nat-bypass",
			     .set = set_choice,
			     .choice = offsetof(struct attach_request, nat_bypass),
			     .choices = auto_on_off_names },
	[KEY_GUARD] = { .name = "guard",
			.set = set_choice,
			.choice = offsetof(struct attach_request, guard),
			.choices = auto_on_off_names },
	[KEY_FORCE] = { .name = "force", .set = set_force },
	[KEY_PIN] = { .name = "pin",
		      .set = set_choice,
		      .choice = offsetof(struct attach_request, nat_bypass),
		      .choices = auto_on_off_names },
};
static_assert(ARRAY_SIZE(keys) == KEY_MAX, "every key is in the table");

/* The only key outside of sections. */
#define LABELS "labels"

static const char *listed_key(const void *list, size_t i)
{
	(void)list;
	return i < KEYS_LISTED ? keys[i].name : NULL;
}

static void complain_unknown_key(struct config_parser *p, const char *name)
{
	const char *nearest = choice_nearest(name, listed_key, NULL);
	char list[100] = "", hint[sizeof(list) + 20];

	for (size_t i = 0; i < KEYS_LISTED; i++)
		str_list_add(list, sizeof(list), keys[i].name);
	if (!strcmp(name, LABELS))
		snprintf(hint, sizeof(hint), LABELS " belongs before the first section");
	else if (nearest)
		snprintf(hint, sizeof(hint), "did you mean %s?", nearest);
	else
		snprintf(hint, sizeof(hint), "the keys are %s", list);
	complain(p, hint, "unknown key '%.*s'", NAME_MAX_SHOWN, name);
}

static void set_labels(struct config_parser *p, const char *value)
{
	struct watch_config *conf = p->conf;
	int choice = choose(p, LABELS, value, no_yes);

	if (conf->labels_where)
		complain(p, "remove one of the two lines", LABELS " is already set at %s",
			 conf->labels_where);
	else
		conf->labels_where = position(p);
	if (choice >= 0)
		conf->labels = choice;
}

static void check_repeated(struct config_parser *p, enum key_id id)
{
	unsigned int pin_or_nat_bypass = 1U << KEY_PIN | 1U << KEY_NAT_BYPASS;

	if (!keys[id].several && (p->keys_seen & 1U << id))
		complain(p, "remove one of the two lines", "%s is set twice", keys[id].name);
	p->keys_seen |= 1U << id;
	if ((pin_or_nat_bypass & 1U << id) && !(pin_or_nat_bypass & ~p->keys_seen))
		complain(p, "remove pin, the old name", "nat-bypass and pin are the same key");
}

static void set_values(struct config_parser *p, const struct key *key, char *values)
{
	static const char between[] = ", \t";
	char *rest, *value = strtok_r(values, between, &rest);

	if (!value)
		complain(p, "give it one, or remove the line", "%s has no value", key->name);
	for (size_t count = 0; value && !is_full(p); value = strtok_r(NULL, between, &rest)) {
		if (count++ && !key->several) {
			complain(p, "remove the others", "%s takes only one value", key->name);
			return;
		}
		key->set(p, key, value);
	}
}

static char *trim(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

void watch_config_set_key(struct config_parser *p, const char *name, char *value)
{
	enum key_id id = 0;

	if (p->at_top && !strcmp(name, LABELS)) {
		set_labels(p, trim(value));
		return;
	}
	while (id < KEY_MAX && strcmp(keys[id].name, name))
		id++;
	if (id == KEY_MAX) {
		complain_unknown_key(p, name);
	} else if (p->in_section) {
		if (id == KEY_FROM && !(p->keys_seen & 1U << KEY_FROM))
			current_request(p)->from.onlink = false; /* the default */
		check_repeated(p, id);
		set_values(p, &keys[id], value);
	} else if (p->at_top) {
		complain(p, "start a section first, with a line such as [br-test]",
			 "'%s' is set before any section", name);
	}
}

void watch_config_set_foreign_key(struct config_parser *p, const char *name, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		p->conf->out_of_memory = true;
	else if (!is_printable(copy))
		watch_config_add_problem(p->conf, p->file, "it contains a control character",
					 "remove the character");
	else
		watch_config_set_key(p, name, copy);
	free(copy);
}

/* ---- sections ---- */

static const struct config_section *find_section(const struct watch_config *conf, const char *name)
{
	for (size_t i = 0; i < conf->count; i++) {
		if (!strcmp(conf->v[i].name, name))
			return &conf->v[i];
	}
	return NULL;
}

static void section_free(struct config_section *section)
{
	attach_request_free(&section->request);
	free(section->name);
	free(section->where);
	free(section->bridge);
}

struct config_section *watch_config_begin_section(struct config_parser *p, const char *name)
{
	struct watch_config *conf = p->conf;
	struct config_section section = {
		.name = strdup(name),
		.where = position(p),
		/* Everything is given: nothing stays as an earlier attach left it. */
		.request = {
			.only_ports = true,
			.gateways_given = true,
			.from = { .given = true, .onlink = true },
			.hook = { .given = true, .value = HBPF_HOOK_AUTO },
			.nat_bypass = { .given = true, .value = HBPF_AUTO },
			.guard = { .given = true, .value = HBPF_AUTO },
			.owner = HBPF_OWNER_CONFIG,
		},
	};

	if (!section.name || !section.where || ARRAY_ADD(conf, section)) {
		section_free(&section);
		conf->out_of_memory = true;
		return NULL;
	}
	p->header = p->line;
	p->in_section = true;
	return &conf->v[conf->count - 1];
}

void watch_config_end_section(struct config_parser *p)
{
	unsigned int line = p->line;

	p->line = p->header;
	if (p->in_section && !(p->keys_seen & 1U << KEY_PORTS))
		complain(p, "add a line such as ports = 8088 to it", "section [%.*s] has no ports",
			 NAME_MAX_SHOWN, p->conf->v[p->conf->count - 1].name);
	exports_free(&p->ports_so_far);
	p->line = line;
	p->in_section = false;
	p->keys_seen = 0;
}

void watch_config_drop_sections(struct watch_config *conf, size_t count)
{
	while (conf->count > count)
		section_free(&conf->v[--conf->count]);
}

void watch_config_free(struct watch_config *conf)
{
	watch_config_drop_sections(conf, 0);
	for (size_t i = 0; i < conf->problems.count; i++)
		error_free(&conf->problems.v[i]);
	free(conf->v);
	free(conf->problems.v);
	free(conf->labels_where);
	*conf = (struct watch_config){};
}

/* ---- lines ---- */

static void parse_header(struct config_parser *p, char *text)
{
	char *end = strrchr(text, ']');
	const struct config_section *other;
	char *name;

	watch_config_end_section(p);
	p->at_top = false;
	if (!end || end[1]) {
		complain(p, "write it as [br-test]", "'%.*s' is not a section header",
			 NAME_MAX_SHOWN, text);
		return;
	}
	*end = '\0';
	name = trim(text + 1);
	other = find_section(p->conf, name);
	if (!*name || strpbrk(name, " \t[]/"))
		complain(p, "use the name of a bridge or of a container network, as in [br-test]",
			 "[%.*s] is not a valid name", NAME_MAX_SHOWN, name);
	else if (other)
		complain(p, "make one section of the two",
			 "section [%.*s] is already declared at %s", NAME_MAX_SHOWN, name,
			 other->where);
	else
		watch_config_begin_section(p, name);
}

/* A comment begins with # or ; at the start of a line or after a blank. */
static void cut_comment(char *text)
{
	for (char *at = text; *at; at++) {
		if ((*at == '#' || *at == ';') && (at == text || isspace((unsigned char)at[-1]))) {
			*at = '\0';
			return;
		}
	}
}

static void parse_line(struct config_parser *p, char *line)
{
	char *text, *equals;

	cut_comment(line);
	text = trim(line);
	if (!*text)
		return;
	if (*text == '[') {
		parse_header(p, text);
		return;
	}
	equals = strchr(text, '=');
	if (!equals) {
		complain(p, "write it as ports = 8088", "'%.*s' is neither a section nor a key",
			 NAME_MAX_SHOWN, text);
		return;
	}
	*equals = '\0';
	watch_config_set_key(p, trim(text), equals + 1);
}

void watch_config_parse_stream(struct watch_config *conf, const char *file, FILE *stream)
{
	struct config_parser p = { .conf = conf, .file = file, .at_top = true };
	size_t size = 0;
	char *line = NULL;
	ssize_t len;

	while ((len = getline(&line, &size, stream)) >= 0) {
		p.line++;
		if (strlen(line) != (size_t)len)
			complain(&p, "save the file as text", "this line contains a NUL byte");
		else
			parse_line(&p, line);
	}
	if (ferror(stream)) {
		p.line = 0;
		complain(&p, "check that it is a file that can be read", "cannot be read: %s",
			 strerror(errno));
	}
	watch_config_end_section(&p);
	free(line);
}

int watch_config_parse_text(struct watch_config *conf, const char *file, const char *text)
{
	size_t size = strlen(text);
	FILE *stream;

	*conf = (struct watch_config){};
	if (!size)
		return 0;
	stream = fmemopen((void *)text, size, "r");
	if (!stream)
		return -ENOMEM;
	watch_config_parse_stream(conf, file, stream);
	fclose(stream);
	return watch_config_result(conf);
}
