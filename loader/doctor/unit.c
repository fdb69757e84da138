/* SPDX-License-Identifier: GPL-2.0-only */
#include "doctor/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_suffix(const char *name, const char *suffix)
{
	size_t len = strlen(name), tail = strlen(suffix);

	return len > tail && !strcmp(name + len - tail, suffix);
}

bool unit_of_cgroup(const char *line, char name[UNIT_NAME_SIZE])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789:-_.@\\";
	/* of cgroup v2, and of systemd's own hierarchy beside v1 */
	const char *path = !strncmp(line, "0::", 3) ? line + 3 : strstr(line, ":name=systemd:");
	char *end;

	/* Services below user.slice and machine.slice have a manager of their own. */
	path = path ? strstr(path, "/system.slice/") : NULL;
	if (!path)
		return false;
	snprintf(name, UNIT_NAME_SIZE, "%s", path + strlen("/system.slice/"));
	name[strcspn(name, "\n")] = '\0';
	/* A slice within has no part in it; a service may have cgroups of its own below. */
	while ((end = strchr(name, '/'))) {
		*end = '\0';
		if (!has_suffix(name, ".slice"))
			break;
		memmove(name, end + 1, strlen(end + 1) + 1);
	}
	return !name[strspn(name, allowed)] &&
	       (has_suffix(name, ".service") || has_suffix(name, ".scope"));
}

bool unit_of_process(int pid, char name[UNIT_NAME_SIZE])
{
	char path[32], *line = NULL;
	bool found = false;
	size_t room = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && getline(&line, &room, file) >= 0)
		found = unit_of_cgroup(line, name);
	free(line);
	fclose(file);
	return found;
}

void unit_access_parse(struct unit_access *access, const char *line)
{
	const char *value = strchr(line, '=');
	struct sources *list = !strncmp(line, "IPAddressAllow=", 15)  ? &access->allow
			       : !strncmp(line, "IPAddressDeny=", 14) ? &access->deny
								      : NULL;
	char *copy = value && list ? strdup(value + 1) : NULL, *rest = copy, *word;
	struct source source = {};

	while ((word = strsep(&rest, " \n"))) {
		/* -ERANGE: systemd ignores the bits of the host, too */
		if (*word && prefix_parse(word, &source.prefix) != -EINVAL)
			sources_add(list, &source);
	}
	free(copy);
}

void unit_access_read(const char *unit, struct unit_access *access)
{
	char command[UNIT_NAME_SIZE + 96], *line = NULL;
	size_t room = 0;
	FILE *pipe;

	snprintf(command, sizeof(command),
		 "systemctl show -p IPAddressAllow -p IPAddressDeny -- '%s' 2>/dev/null", unit);
	pipe = popen(command, "re");
	if (!pipe)
		return;
	while (getline(&line, &room, pipe) >= 0)
		unit_access_parse(access, line);
	free(line);
	pclose(pipe);
}

void unit_access_free(struct unit_access *access)
{
	sources_free(&access->allow);
	sources_free(&access->deny);
}

bool unit_denies(const struct unit_access *access, const struct hbpf_addr *addr)
{
	/* systemd's lists have a prefix for each family */
	return sources_cover(&access->deny, addr) && !sources_cover(&access->allow, addr);
}
