/* SPDX-License-Identifier: GPL-2.0-only */
#include "watch/config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/lookup.h"
#include "lib/array.h"
#include "lib/printable.h"
#include "watch/config_files.h"

#define NAME_MAX_SHOWN 80

/* Where the reader is. */
struct reader {
	struct conf *conf;
	const char *file;
	unsigned int line;
	bool in_section;      /* false also within one whose header is bad: its keys say nothing */
	bool at_top;          /* before the first header */
	unsigned int header;  /* line of this section's */
	struct exports ports; /* of this section, to find what is said twice */
	unsigned int seen;    /* keys of this section, a set of 1 << row */
	bool only_first;      /* problem is told */
	bool told;            /* one was */
	bool nomem;
};

/* ---- problems ---- */

static void add_problem(struct reader *r, const struct error *problem)
{
	struct conf_problems *list = &r->conf->problems;
	struct error *v;

	if (r->only_first && r->told)
		return;
	r->told = true;
	v = reallocarray(list->v, list->count + 1, sizeof(*v));
	if (!v) {
		r->nomem = true;
		return;
	}
	list->v = v;
	list->v[list->count++] = *problem;
}

static void complain(struct reader *r, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void complain(struct reader *r, const char *hint, const char *fmt, ...)
{
	struct error problem = {};
	char what[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (r->line)
		error_set(&problem, EINVAL, "%s:%u: %s", r->file, r->line, what);
	else
		error_set(&problem, EINVAL, "%s%s%s", r->file ? r->file : "", r->file ? ": " : "",
			  what);
	if (hint && *hint)
		error_hint(&problem, "%s", hint);
	add_problem(r, &problem);
}

/* What the parsers of the command line say; keys are called as the options are, without dashes. */
static void complain_as_option(struct reader *r, struct error *err)
{
	complain(r, err->hint, "%s", err->what + (strncmp(err->what, "--", 2) ? 0 : 2));
	error_free(err);
}

/* Where this line is, or which label it is. Return: 0 or -ENOMEM */
static int where(const struct reader *r, char **text)
{
	int len =
		r->line ? asprintf(text, "%s:%u", r->file, r->line) : asprintf(text, "%s", r->file);

	if (len < 0)
		*text = NULL;
	return len < 0 ? -ENOMEM : 0;
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

/* ---- keys ---- */

struct key {
	const char *name;
	bool several; /* takes more than one value, and may be repeated */
	void (*take)(struct reader *r, struct attach_request *request, const char *word);
};

static void take_port(struct reader *r, struct attach_request *request, const char *word)
{
	struct port_spec spec;
	struct error err = {};

	if (port_spec_parse(word, &spec, &err) || exports_add(&r->ports, &spec, NULL, true, &err))
		complain_as_option(r, &err);
	else if (ARRAY_ADD(&request->ports, spec))
		r->nomem = true;
}

static void take_gateway(struct reader *r, struct attach_request *request, const char *word)
{
	struct error err = {};

	if (gateways_parse(&request->gateways, word, &err))
		complain_as_option(r, &err);
}

static void take_from(struct reader *r, struct attach_request *request, const char *word)
{
	struct error err = {};

	if (from_parse(&request->from, word, &err))
		complain_as_option(r, &err);
}

/* Return: the place of a word, or -1 after complaining */
static int choose(struct reader *r, const char *key, const char *word, const char *const *choices)
{
	char known[CHOICES_STRLEN];
	int value = choice_find(word, choices, known);

	if (value < 0)
		complain(r, NULL, "%s must be one of %s, not '%s'", key, known, word);
	return value;
}

static void take_choice(struct reader *r, struct choice *choice, const char *key, const char *word,
			const char *const *choices)
{
	int value = choose(r, key, word, choices);

	if (value >= 0)
		choice->value = value;
}

static const char *const yes_no[] = { "no", "yes", NULL };

static void take_hook(struct reader *r, struct attach_request *request, const char *word)
{
	take_choice(r, &request->hook, "hook", word, hook_kind_names);
}

static void take_nat_bypass(struct reader *r, struct attach_request *request, const char *word)
{
	take_choice(r, &request->nat_bypass, "pin", word, auto_on_off_names);
}

static void take_guard(struct reader *r, struct attach_request *request, const char *word)
{
	take_choice(r, &request->guard, "guard", word, auto_on_off_names);
}

static void take_force(struct reader *r, struct attach_request *request, const char *word)
{
	request->force = choose(r, "force", word, yes_no) == 1;
}

static const struct key keys[] = {
	{ "ports", true, take_port },      { "gateway", true, take_gateway },
	{ "from", true, take_from },       { "hook", false, take_hook },
	{ "pin", false, take_nat_bypass }, { "guard", false, take_guard },
	{ "force", false, take_force },
};
#define KEY_COUNT (sizeof(keys) / sizeof(*keys))
#define KEY_PORTS 0

static const char *key_name(const void *list, size_t i)
{
	(void)list;
	return i < KEY_COUNT ? keys[i].name : NULL;
}

/* The one key that belongs to no section. */
#define LABELS "labels"

static void unknown_key(struct reader *r, const char *name)
{
	const char *nearest = choice_nearest(name, key_name, NULL);
	char hint[80] = "the keys are ports, gateway, from, hook, pin, guard and force";

	if (!strcmp(name, LABELS))
		snprintf(hint, sizeof(hint), "labels belongs before the first section");
	else if (nearest)
		snprintf(hint, sizeof(hint), "did you mean %s?", nearest);
	complain(r, hint, "unknown key '%.*s'", NAME_MAX_SHOWN, name);
}

/* All files are read as one, so as a section it may be there once in all of them. */
static void read_labels(struct reader *r, const char *value)
{
	struct conf *conf = r->conf;
	int choice = choose(r, LABELS, value, yes_no);

	if (conf->labels_where)
		complain(r, NULL, LABELS " is already set at %s", conf->labels_where);
	else if (where(r, &conf->labels_where))
		r->nomem = true;
	if (choice >= 0)
		conf->labels = choice;
}

static void read_key(struct reader *r, const char *name, char *value)
{
	static const char between[] = ", \t";
	struct attach_request *request;
	size_t row = 0;
	char *rest, *word;

	if (r->at_top && !strcmp(name, LABELS)) {
		read_labels(r, trim(value));
		return;
	}
	while (row < KEY_COUNT && strcmp(keys[row].name, name))
		row++;
	if (row == KEY_COUNT) {
		unknown_key(r, name);
		return;
	}
	if (!r->in_section) {
		if (r->at_top)
			complain(r, "start a section first, with a line such as [br-test]",
				 "'%s' is set before any section", name);
		return;
	}
	request = &r->conf->v[r->conf->count - 1].request;
	if (!keys[row].several && (r->seen & 1U << row))
		complain(r, NULL, "%s is set twice", name);
	if (keys[row].take == take_from && !(r->seen & 1U << row))
		request->from.onlink = false; /* what is said replaces it */
	r->seen |= 1U << row;
	word = strtok_r(value, between, &rest);
	if (!word)
		complain(r, NULL, "%s has no value", name);
	for (size_t count = 0; word; word = strtok_r(NULL, between, &rest)) {
		if (r->only_first && r->told)
			return;
		if (count++ && !keys[row].several) {
			complain(r, NULL, "%s takes only one value", name);
			return;
		}
		keys[row].take(r, request, word);
	}
}

/* ---- sections ---- */

static const struct conf_section *find_section(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->count; i++) {
		if (!strcmp(conf->v[i].name, name))
			return &conf->v[i];
	}
	return NULL;
}

static void end_section(struct reader *r)
{
	unsigned int line = r->line;

	r->line = r->header;
	if (r->in_section && !(r->seen & 1U << KEY_PORTS))
		complain(r, "add a line such as ports = 8088 to it", "section [%.*s] has no ports",
			 NAME_MAX_SHOWN, r->conf->v[r->conf->count - 1].name);
	exports_free(&r->ports);
	r->line = line;
	r->in_section = false;
	r->seen = 0;
}

/* The whole state is declared: what the section leaves out is as attach without options has it. */
static struct attach_request new_request(void)
{
	return (struct attach_request){
		.only_ports = true,
		.gateways_given = true,
		.from = { .given = true, .onlink = true },
		.hook = { true, HBPF_HOOK_AUTO },
		.nat_bypass = { true, HBPF_AUTO },
		.guard = { true, HBPF_AUTO },
		.owner = HBPF_BY_FILE,
	};
}

static void free_section(struct conf_section *section)
{
	attach_request_free(&section->request);
	free(section->name);
	free(section->where);
	free(section->bridge);
}

static void add_section(struct reader *r, const char *name)
{
	struct conf *conf = r->conf;
	struct conf_section *v = reallocarray(conf->v, conf->count + 1, sizeof(*v));
	struct conf_section section = {};

	if (v)
		conf->v = v;
	section.name = strdup(name);
	if (!v || !section.name || where(r, &section.where)) {
		free(section.name);
		r->nomem = true;
		return;
	}
	section.request = new_request();
	conf->v[conf->count++] = section;
	r->header = r->line;
	r->in_section = true;
}

static void read_header(struct reader *r, char *text)
{
	char *end = strrchr(text, ']');
	const struct conf_section *other;
	char *name;

	end_section(r);
	r->at_top = false;
	if (!end || end[1]) {
		complain(r, "write it as [br-test]", "'%.*s' is not a section header",
			 NAME_MAX_SHOWN, text);
		return;
	}
	*end = '\0';
	name = trim(text + 1);
	other = find_section(r->conf, name);
	if (!*name || strpbrk(name, " \t[]/"))
		complain(r, "use the name of a bridge or of a container network, as in [br-test]",
			 "[%.*s] is not a valid name", NAME_MAX_SHOWN, name);
	else if (other)
		complain(r, NULL, "section [%.*s] is already declared at %s", NAME_MAX_SHOWN, name,
			 other->where);
	else
		add_section(r, name);
}

/* ---- lines and files ---- */

/* A comment begins with # or ; at the start of a line or behind a blank. */
static void cut_comment(char *text)
{
	for (char *at = text; *at; at++) {
		if ((*at == '#' || *at == ';') && (at == text || isspace((unsigned char)at[-1]))) {
			*at = '\0';
			return;
		}
	}
}

static void read_line(struct reader *r, char *line)
{
	char *text, *equals;

	cut_comment(line);
	text = trim(line);
	if (!*text)
		return;
	if (*text == '[') {
		read_header(r, text);
		return;
	}
	equals = strchr(text, '=');
	if (!equals) {
		complain(r, "write it as ports = 8088", "'%.*s' is neither a section nor a key",
			 NAME_MAX_SHOWN, text);
		return;
	}
	*equals = '\0';
	read_key(r, trim(text), equals + 1);
}

static void read_stream(struct conf *conf, const char *file, FILE *stream, bool *nomem)
{
	struct reader r = { .conf = conf, .file = file, .at_top = true };
	size_t room = 0;
	char *line = NULL;
	ssize_t len;

	while ((len = getline(&line, &room, stream)) >= 0) {
		r.line++;
		if (strlen(line) != (size_t)len)
			complain(&r, NULL, "this line contains a NUL byte");
		else
			read_line(&r, line);
	}
	if (ferror(stream)) {
		r.line = 0;
		complain(&r, NULL, "cannot be read: %s", strerror(errno));
	}
	end_section(&r);
	free(line);
	*nomem |= r.nomem;
}

/* Return: whether it is there */
static bool read_file(struct conf *conf, const char *path, bool must, bool *nomem)
{
	struct reader r = { .conf = conf, .file = path };
	struct error err = {};
	int fd = conf_open_file(path, &err);
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd == -ENOENT && !must)
		return false;
	if (fd == -ENOENT)
		error_hint(&err, "check the name; hbpf.conf(5) describes the file");
	if (fd < 0)
		complain(&r, err.hint, "%s", err.what);
	else if (stream)
		read_stream(conf, path, stream, nomem);
	if (stream)
		fclose(stream);
	else if (fd >= 0)
		close(fd);
	*nomem |= r.nomem || (fd >= 0 && !stream);
	return true;
}

static int is_conf(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot && !strcmp(dot, ".conf");
}

/* Return: whether any file is there, as far as can be told */
static bool read_dir(struct conf *conf, bool *nomem)
{
	struct reader r = { .conf = conf, .file = CONF_DIR };
	bool any = false;
	char path[PATH_MAX];
	struct error err = {};
	struct dirent **names;
	int fd = conf_open_dir(CONF_DIR, &err);
	int count = fd < 0 ? fd : scandirat(fd, ".", &names, is_conf, alphasort);

	if (fd == -ENOENT)
		return false;
	if (fd >= 0 && count < 0)
		error_errno(&err, errno, "cannot be read");
	if (fd >= 0)
		close(fd);
	if (count < 0) {
		/* Taken for empty, a reload would detach what is declared there. */
		complain(&r,
			 err.hint[0] ? err.hint
				     : "it must be a directory of *.conf files, or not exist",
			 "%s", err.what);
		*nomem |= r.nomem;
		return true;
	}
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", CONF_DIR, names[i]->d_name);
		any |= read_file(conf, path, true, nomem);
		free(names[i]);
	}
	free(names);
	return any;
}

static void read_default(struct conf *conf, bool *nomem)
{
	struct reader r = { .conf = conf, .file = CONF_FILE };
	bool any = read_file(conf, CONF_FILE, false, nomem);

	any |= read_dir(conf, nomem);
	if (!any)
		complain(&r, "create it; an empty file is valid, and attaches nothing",
			 "no such file, and no *.conf in " CONF_DIR);
	*nomem |= r.nomem;
}

static int finish(struct conf *conf, bool nomem)
{
	struct reader r = { .conf = conf };

	if (nomem) {
		complain(&r, NULL, "no memory for the configuration");
		return -ENOMEM;
	}
	return conf->problems.count ? -EINVAL : 0;
}

int conf_read(struct conf *conf, const char *path)
{
	bool nomem = false;

	memset(conf, 0, sizeof(*conf));
	if (path)
		read_file(conf, path, true, &nomem);
	else
		read_default(conf, &nomem);
	return finish(conf, nomem);
}

int conf_read_text(struct conf *conf, const char *file, const char *text)
{
	size_t size = strlen(text);
	bool nomem = false;
	FILE *stream;

	memset(conf, 0, sizeof(*conf));
	if (!size)
		return 0;
	stream = fmemopen((void *)text, size, "r");
	if (!stream)
		return -ENOMEM;
	read_stream(conf, file, stream, &nomem);
	fclose(stream);
	return finish(conf, nomem);
}

static void read_label(struct reader *r, const char *file, const char *key, const char *value)
{
	char *copy = strdup(value);

	r->file = file;
	if (!copy)
		r->nomem = true;
	else if (!is_printable(copy)) /* or it could make lines of its own in a log */
		complain(r, NULL, "it contains a control character");
	else
		read_key(r, key, copy);
	free(copy);
}

/* The watcher remembers by this what it did and said, and two networks may have one name. */
static void label_where(char text[200], const struct network *network, const char *name,
			const char *label)
{
	snprintf(text, 200, "%s's network %s on %s, label %s", engine_name(network->engine), name,
		 network->bridge, label);
}

int conf_add_labels(struct conf *conf, const struct network *network)
{
	size_t count = conf->count;
	char of_ports[200], of_from[200], name[101];
	struct reader r = { .conf = conf, .only_first = true };
	struct conf_section *section;

	snprintf(name, sizeof(name), "%s", network->name);
	label_where(of_ports, network, name, "hbpf.ports");
	label_where(of_from, network, name, "hbpf.from");
	r.file = of_ports;
	add_section(&r, name);
	if (!r.in_section)
		return -ENOMEM;
	section = &conf->v[count];
	section->request.owner = HBPF_BY_ENGINE;
	section->request.yields = true;
	section->bridge = strdup(network->bridge);
	section->request.bridge = section->bridge;
	if (section->bridge)
		read_label(&r, of_ports, "ports", network->ports);
	if (section->bridge && network->from && !r.told)
		read_label(&r, of_from, "from", network->from);
	exports_free(&r.ports);
	if (section->bridge && !r.nomem && !r.told)
		return 0;
	if (!section->bridge)
		r.nomem = true;
	free_section(section);
	conf->count = count;
	return r.nomem ? -ENOMEM : -EINVAL;
}

void conf_free(struct conf *conf)
{
	for (size_t i = 0; i < conf->count; i++)
		free_section(&conf->v[i]);
	for (size_t i = 0; i < conf->problems.count; i++)
		error_free(&conf->problems.v[i]);
	free(conf->v);
	free(conf->problems.v);
	free(conf->labels_where);
	memset(conf, 0, sizeof(*conf));
}
