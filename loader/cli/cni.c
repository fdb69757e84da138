/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/cni.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/attach.h"
#include "attach/detach.h"
#include "cli/cli.h"
#include "lib/array.h"
#include "lib/json.h"
#include "watch/config_parse.h"

/* Those whose results have interfaces, which is how the bridge is found. */
static const char *const versions[] = { "0.3.0", "0.3.1", "0.4.0", "1.0.0", NULL };
#define NEWEST "1.0.0"

#define WHO_WRITES_IT "a container runtime passes the network's configuration there"

/* Far more than any configuration. */
#define INPUT_MAX (1024 * 1024)

/* Codes of the specification; those from 100 are the plugin's own. */
enum cni_code {
	CNI_INCOMPATIBLE_VERSION = 1,
	CNI_INVALID_ENVIRONMENT = 4,
	CNI_IO_FAILURE = 5,
	CNI_DECODING_FAILURE = 6,
	CNI_INVALID_CONFIG = 7,
	CNI_HBPF_FAILED = 100,
};

/* One invocation. */
struct cni {
	struct json_object *config;
	const char *version; /* of the configuration and the answer */
	struct host host;
	const struct link *link; /* of the containers; NULL if the previous result names none */
	struct watch_config declared;
	enum cni_code code; /* of the error */
	struct error err;
};

static int cni_error(struct cni *cni, enum cni_code code, const char *what, const char *hint)
{
	cni->code = code;
	error_set(&cni->err, EINVAL, "%s", what);
	if (hint)
		error_hint(&cni->err, "%s", hint);
	return -EINVAL;
}

static int cni_print_error(const struct cni *cni)
{
	struct json_object *doc = json_object_new_object();

	json_add_string(doc, "cniVersion", cni->version);
	json_add_int(doc, "code", (int)cni->code);
	json_add_string(doc, "msg", cni->err.what);
	json_add_string(doc, "details", cni->err.hint);
	json_print(doc);
	return EXIT_FAILED;
}

/* ---- the configuration ---- */

static int cni_read(struct cni *cni)
{
	char *text = malloc(INPUT_MAX);
	size_t len = text ? fread(text, 1, INPUT_MAX, stdin) : 0;
	int ret = 0;

	if (!text)
		ret = error_nomem(&cni->err);
	else if (ferror(stdin))
		ret = cni_error(cni, CNI_IO_FAILURE, "cannot read standard input", WHO_WRITES_IT);
	else
		cni->config = json_parse(text, len);
	free(text);
	if (!ret && !json_object_is_type(cni->config, json_type_object))
		ret = cni_error(cni, CNI_DECODING_FAILURE,
				"the configuration on standard input is not a JSON object",
				WHO_WRITES_IT);
	return ret;
}

static int cni_check_version(struct cni *cni)
{
	const char *given = json_member_text(cni->config, "cniVersion");

	for (size_t i = 0; given && versions[i]; i++) {
		if (!strcmp(versions[i], given)) {
			cni->version = versions[i];
			return 0;
		}
	}
	return cni_error(cni, CNI_INCOMPATIBLE_VERSION, "cniVersion is not one of 0.3.0 to 1.0.0",
			 "set \"cniVersion\": \"" NEWEST "\" in the network's configuration");
}

/* Members that runtimes add or understand; all others are keys as in hbpf.conf. */
static bool cni_is_runtimes(const char *name)
{
	static const char *const names[] = {
		"cniVersion",   "name", "type", "prevResult", "capabilities", "runtimeConfig",
		"disableCheck", "args", "dns",  "ipam",       "ipMasq",       NULL,
	};
	size_t i = 0;

	while (names[i] && strcmp(names[i], name))
		i++;
	return names[i];
}

static void cni_set_key(struct config_parser *p, const char *key, struct json_object *value)
{
	const char *text = json_object_get_string(value);

	if (json_object_is_type(value, json_type_boolean))
		text = json_object_get_boolean(value) ? "yes" : "no";
	watch_config_set_foreign_key(p, key, text ?: "");
}

/* The members of the plugin are the keys of a section of hbpf.conf(5); a list repeats the key. */
static int cni_declare(struct cni *cni)
{
	const char *network = json_member_text(cni->config, "name");
	char where[100];
	struct config_parser p = { .conf = &cni->declared, .file = where, .max_problems = 1 };
	struct config_section *section = watch_config_begin_section(&p, network ?: "");

	snprintf(where, sizeof(where), "plugin hbpf of network %.60s", network ?: "(no name)");
	if (!section)
		return error_nomem(&cni->err);
	section->request.owner = HBPF_OWNER_CNI;
	section->request.skip_manual = true;
	section->request.bridge = cni->link->name;
	if (!json_object_object_get(cni->config, "ports"))
		watch_config_add_problem(&cni->declared, where, "it has no ports",
					 "add a member such as \"ports\": [\"8088\"]");
	json_object_object_foreach(cni->config, key, value)
	{
		if (cni_is_runtimes(key))
			continue;
		if (!json_object_is_type(value, json_type_array))
			cni_set_key(&p, key, value);
		for (size_t i = 0; json_object_is_type(value, json_type_array) &&
				   i < json_object_array_length(value);
		     i++)
			cni_set_key(&p, key, json_object_array_get_idx(value, i));
	}
	watch_config_end_section(&p);
	if (!watch_config_result(&cni->declared))
		return 0;
	return cni_error(cni, CNI_INVALID_CONFIG, cni->declared.problems.v[0].what,
			 cni->declared.problems.v[0].hint);
}

/* ---- the interface ---- */

static struct json_object *cni_interfaces(const struct cni *cni)
{
	struct json_object *result = json_object_object_get(cni->config, "prevResult");

	return json_object_is_type(result, json_type_object)
		       ? json_object_object_get(result, "interfaces")
		       : NULL;
}

/* Return: the host's interface that is number @i of the previous result; NULL if it is in the
 * container, or does not exist */
static const struct link *cni_host_link(const struct cni *cni, struct json_object *interfaces,
					size_t i)
{
	struct json_object *interface = json_object_array_get_idx(interfaces, i);
	const char *name = json_member_text(interface, "name");
	const char *sandbox = json_member_text(interface, "sandbox");

	return name && !(sandbox && *sandbox) ? links_by_name(&cni->host.links, name) : NULL;
}

/* The bridge, or, of a plugin that uses none, the host's end of the pair. */
static int cni_find_link(struct cni *cni)
{
	struct json_object *interfaces = cni_interfaces(cni);
	int ret = host_read(&cni->host, &cni->err);

	for (size_t i = 0; !ret && interfaces && i < json_object_array_length(interfaces); i++) {
		const struct link *link = cni_host_link(cni, interfaces, i);

		if (link && (!cni->link || !strcmp(link->kind, "bridge")))
			cni->link = link;
	}
	return ret;
}

/* ---- ADD, CHECK, DEL ---- */

/* Which interface, and what it should have. */
static int cni_prepare(struct cni *cni)
{
	int ret = cni_find_link(cni);

	if (!ret && !cni->link)
		ret = cni_error(cni, CNI_INVALID_CONFIG,
				"the previous result names no interface of this host",
				"list hbpf after the plugin that makes it, such as bridge");
	return ret ?: cni_declare(cni);
}

/* A plugin that makes no interface of its own passes the result on. */
static void cni_pass_result(const struct cni *cni)
{
	struct json_object *result = json_object_object_get(cni->config, "prevResult");

	if (!json_object_object_get(result, "cniVersion"))
		json_add_string(result, "cniVersion", cni->version);
	json_print(json_object_get(result));
}

static int cni_add(struct cni *cni)
{
	struct attach a;
	int ret = cni_prepare(cni);

	if (ret)
		return ret;
	ret = attach_run(&a, &cni->declared.v[0].request, &cni->err);
	pins_close(&a.pins);
	attach_free(&a);
	if (!ret)
		cni_pass_result(cni);
	return ret;
}

static int cni_check(struct cni *cni)
{
	struct attach a;
	int ret = cni_prepare(cni);

	if (ret)
		return ret;
	ret = attach_is_due(&a, &cni->declared.v[0].request, &cni->err);
	attach_free(&a);
	if (ret != 1)
		return ret;
	error_set(&cni->err, EIO, "%s is not attached as the network declares it", cni->link->name);
	error_hint(&cni->err, "see `hbpf doctor %s`", cni->link->name);
	return -EIO;
}

/* Is an interface of another container connected? The bridge plugin leaves the bridge in place. */
static bool cni_has_others(const struct cni *cni, const struct host *host)
{
	struct json_object *interfaces = cni_interfaces(cni);

	for (size_t i = 0; i < host->links.count; i++) {
		const struct link *port = &host->links.v[i];
		bool ours = false;

		if (port->master != cni->link->ifindex)
			continue;
		for (size_t j = 0; !ours && j < json_object_array_length(interfaces); j++)
			ours = cni_host_link(cni, interfaces, j) == port;
		if (!ours)
			return true;
	}
	return false;
}

static int cni_detach(struct cni *cni, const struct pins *pins, const struct pins_bridges *bridges)
{
	int at = attachment_find(bridges, cni->link->name);
	struct detached detached;

	if (at < 0 || attachment_owner(pins, bridges->names[at]) != HBPF_OWNER_CNI ||
	    cni_has_others(cni, &cni->host))
		return 0;
	return detach_run(pins, &cni->host, bridges->names[at], &detached, &cni->err)
		       ?: pins_remove_top(pins, &cni->err);
}

/* With the last container. Runtimes repeat DEL, and call it after a failed ADD. */
static int cni_del(struct cni *cni)
{
	struct pins pins = PINS_INIT;
	struct pins_bridges bridges = {};
	/* The interfaces are read under the lock, or a container could be added meanwhile. */
	int ret = attachment_bridges(PINS_WRITE, &pins, &bridges, &cni->err) ?: cni_find_link(cni);

	if (!ret && cni->link)
		ret = cni_detach(cni, &pins, &bridges);
	pins_bridges_free(&bridges);
	pins_close(&pins);
	return ret;
}

/* ---- the invocation ---- */

static int cni_version(struct cni *cni)
{
	struct json_object *doc = json_object_new_object(), *list;

	json_add_string(doc, "cniVersion", cni->version);
	list = json_add_array(doc, "supportedVersions");
	for (size_t i = 0; versions[i]; i++)
		json_append_string(list, versions[i]);
	json_print(doc);
	return 0;
}

static int cni_run(struct cni *cni, const char *command)
{
	static const struct {
		const char *name;
		int (*run)(struct cni *cni);
	} commands[] = { { "ADD", cni_add }, { "CHECK", cni_check }, { "DEL", cni_del } };

	if (!strcmp(command, "VERSION"))
		return cni_version(cni);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i].name, command))
			return cni_read(cni) ?: cni_check_version(cni) ?: commands[i].run(cni);
	}
	return cni_error(cni, CNI_INVALID_ENVIRONMENT,
			 CNI_COMMAND " is not ADD, CHECK, DEL or VERSION",
			 "hbpf is started by a runtime here; see `hbpf --help` for its commands");
}

int cni(const char *command)
{
	struct cni cni = { .version = NEWEST, .code = CNI_HBPF_FAILED };
	int exit_code = cni_run(&cni, command) ? cni_print_error(&cni) : EXIT_DONE;

	watch_config_free(&cni.declared);
	host_free(&cni.host);
	error_free(&cni.err);
	json_object_put(cni.config);
	return exit_code;
}
