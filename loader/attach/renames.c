/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names may have been swapped, so each state that has to move goes by way of a
 * name that no interface can have (dev_valid_name() refuses the colon), with the
 * index in it. All leave their old places before the first takes its new one.
 */
#include "attach/renames.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach/attachment.h"
#include "lib/log.h"

/* The present name of what the state is about. Return: is it alive? */
static bool present_name(const struct pins *pins, const char *kept, char name[IFNAMSIZ])
{
	unsigned int ifindex = attachment_ifindex(pins, kept);

	return ifindex && if_indextoname(ifindex, name);
}

static void between(const struct pins *pins, const char *kept, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, ":%u", attachment_ifindex(pins, kept));
}

/*
 * Does this state have to move? Not where what is kept at the other place is about the same bridge:
 * an hbpf before 0.2 attached a renamed bridge twice, and each has to be detached by itself.
 */
static bool is_misplaced(const struct pins *pins, const char *kept)
{
	char name[IFNAMSIZ], by_way[IFNAMSIZ];
	unsigned int ifindex = attachment_ifindex(pins, kept);

	if (!present_name(pins, kept, name) || !strcmp(name, kept))
		return false;
	between(pins, kept, by_way);
	return attachment_ifindex(pins, name) != ifindex &&
	       (!strcmp(kept, by_way) || attachment_ifindex(pins, by_way) != ifindex);
}

static int leave(const struct pins *pins, const char *kept, struct error *err)
{
	char by_way[IFNAMSIZ];

	between(pins, kept, by_way);
	return kept[0] == ':' ? 0 : pins_rename(pins, kept, by_way, err);
}

static int arrive(const struct pins *pins, const char *by_way, struct error *err)
{
	char name[IFNAMSIZ], other[IFNAMSIZ], path[PATH_MAX];
	int ret;

	/* renamed again this very moment: the next command finds it */
	if (!present_name(pins, by_way, name))
		return 0;
	ret = pins_path(pins, name, NULL, path);
	if (!ret && !access(path, F_OK)) {
		if (present_name(pins, name, other))
			return 0; /* the same */
		log_info("%s: removing the state of a bridge of that name that was deleted", name);
		ret = pins_remove(pins, name, err);
	}
	if (!ret)
		ret = pins_rename(pins, by_way, name, err);
	if (!ret)
		log_info("%s: it was renamed since it was attached", name);
	return ret;
}

static int move(const struct pins *pins, bool arriving, struct error *err)
{
	struct pins_bridges kept;
	int ret = pins_bridges(pins, &kept, err);

	if (ret)
		return ret;
	for (size_t i = 0; !ret && i < kept.count; i++) {
		if (is_misplaced(pins, kept.names[i]))
			ret = arriving ? arrive(pins, kept.names[i], err)
				       : leave(pins, kept.names[i], err);
	}
	pins_bridges_free(&kept);
	return ret;
}

int renames_follow(const struct pins *pins, struct error *err)
{
	int ret = move(pins, false, err);

	return ret ? ret : move(pins, true, err);
}
