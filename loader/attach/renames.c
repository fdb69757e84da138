/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names may have been swapped, so state moves through a temporary name that contains its index and
 * that no interface can have (dev_valid_name() refuses the colon). All state leaves its old name
 * before the first takes its new one.
 */
#include "attach/renames.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach/attachment.h"
#include "lib/log.h"

/* The current name of the interface that the state is about. Return: does it exist? */
static bool current_name(const struct pins *pins, const char *state, char name[IFNAMSIZ])
{
	unsigned int ifindex = attachment_ifindex(pins, state);

	return ifindex && if_indextoname(ifindex, name);
}

static void temporary_name(const struct pins *pins, const char *state, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, ":%u", attachment_ifindex(pins, state));
}

/*
 * Must this state move? Not if the state under the other name is about the same bridge: before
 * version 0.2 a renamed bridge could be attached twice, and each has to be detached by itself.
 */
static bool is_misplaced(const struct pins *pins, const char *state)
{
	char name[IFNAMSIZ], temporary[IFNAMSIZ];
	unsigned int ifindex = attachment_ifindex(pins, state);

	if (!current_name(pins, state, name) || !strcmp(name, state))
		return false;
	temporary_name(pins, state, temporary);
	return attachment_ifindex(pins, name) != ifindex &&
	       (!strcmp(state, temporary) || attachment_ifindex(pins, temporary) != ifindex);
}

static int move_aside(const struct pins *pins, const char *state, struct error *err)
{
	char temporary[IFNAMSIZ];

	temporary_name(pins, state, temporary);
	return state[0] == ':' ? 0 : pins_rename(pins, state, temporary, err);
}

static int move_into_place(const struct pins *pins, const char *temporary, struct error *err)
{
	char name[IFNAMSIZ], other[IFNAMSIZ], path[PATH_MAX];
	int ret;

	/* renamed again meanwhile: left to the next command */
	if (!current_name(pins, temporary, name))
		return 0;
	ret = pins_path(pins, name, NULL, path, err);
	if (!ret && !access(path, F_OK)) {
		if (current_name(pins, name, other))
			return 0; /* its state stays */
		log_info("%s: removing the state of a deleted bridge with that name", name);
		ret = attachment_forget(pins, name, attachment_ifindex(pins, name), err);
		if (ret >= 0)
			ret = pins_remove(pins, name, err);
	}
	if (!ret)
		ret = pins_rename(pins, temporary, name, err);
	if (!ret)
		log_info("%s was renamed since it was attached", name);
	return ret;
}

static int move(const struct pins *pins, bool into_place, struct error *err)
{
	struct pins_bridges bridges;
	int ret = pins_bridges(pins, &bridges, err);

	if (ret)
		return ret;
	for (size_t i = 0; !ret && i < bridges.count; i++) {
		if (is_misplaced(pins, bridges.names[i]))
			ret = into_place ? move_into_place(pins, bridges.names[i], err)
					 : move_aside(pins, bridges.names[i], err);
	}
	pins_bridges_free(&bridges);
	return ret;
}

int renames_follow(const struct pins *pins, struct error *err)
{
	return move(pins, false, err) ?: move(pins, true, err);
}
