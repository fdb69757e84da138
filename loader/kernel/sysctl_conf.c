/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/sysctl_conf.h"

#include <ctype.h>
#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"

/* The first one takes precedence for files of the same name. */
static const char *const patterns[] = {
	"/etc/sysctl.d/*.conf",     "/run/sysctl.d/*.conf", "/usr/local/lib/sysctl.d/*.conf",
	"/usr/lib/sysctl.d/*.conf", "/lib/sysctl.d/*.conf",
};

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(base_name(*(char *const *)a), base_name(*(char *const *)b));
}

static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* "net.ipv4.conf.eth0/5.rp_filter" is "net/ipv4/conf/eth0.5/rp_filter": if the first separator is a
 * dot, dots and slashes are swapped. */
static void with_slashes(char *key)
{
	size_t first = strcspn(key, "./");

	if (key[first] != '.')
		return;
	for (; *key; key++) {
		if (*key == '.')
			*key = '/';
		else if (*key == '/')
			*key = '.';
	}
}

static bool line_sets(char *line, const char *key, int value)
{
	char *equals = strchr(line, '='), *name = trim(line), *end;
	long number;

	if (!equals || *name == '#' || *name == ';')
		return false;
	*equals = '\0';
	name = trim(name);
	name += *name == '-'; /* "-key = value": failing is no error */
	with_slashes(name);
	number = strtol(equals + 1, &end, 0);
	return end != equals + 1 && number == value && !fnmatch(name, key, FNM_PATHNAME);
}

static bool search_file(const char *path, const char *key, int value,
			char where[SYSCTL_CONF_STRLEN])
{
	FILE *file = fopen(path, "re");
	unsigned int number = 0;
	bool found = false;
	char *line = NULL;
	size_t room = 0;

	if (!file)
		return false;
	while (getline(&line, &room, file) >= 0) {
		number++;
		if (!line_sets(line, key, value))
			continue;
		found = true;
		snprintf(where, SYSCTL_CONF_STRLEN, "%s:%u", path, number);
	}
	free(line);
	fclose(file);
	return found;
}

static bool is_hidden(char *const *paths, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (!strcmp(base_name(paths[i]), base_name(paths[at])))
			return true;
	}
	return false;
}

bool sysctl_conf_find(const char *key, int value, char where[SYSCTL_CONF_STRLEN])
{
	char *wanted = strdup(key);
	bool found = false;
	size_t kept = 0;
	glob_t list = {};

	if (!wanted)
		return false;
	with_slashes(wanted);

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		glob(patterns[i], i ? GLOB_APPEND : 0, NULL, &list);
	for (size_t i = 0; i < list.gl_pathc; i++) {
		if (!is_hidden(list.gl_pathv, i)) {
			char *path = list.gl_pathv[i];

			/* The hidden ones stay behind the others, for globfree(). */
			list.gl_pathv[i] = list.gl_pathv[kept];
			list.gl_pathv[kept++] = path;
		}
	}
	qsort(list.gl_pathv, kept, sizeof(*list.gl_pathv), compare_names);
	for (size_t i = 0; i < kept; i++)
		found |= search_file(list.gl_pathv[i], wanted, value, where);
	globfree(&list);
	found |= search_file("/etc/sysctl.conf", wanted, value, where);
	free(wanted);
	return found;
}
