/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/pins_bridges.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_shared(const char *name)
{
	return !strncmp(name, PINS_SHARED_PREFIX, strlen(PINS_SHARED_PREFIX));
}

static int append_name(struct pins_bridges *bridges, const char *name)
{
	char(*names)[IFNAMSIZ] =
		reallocarray(bridges->names, bridges->count + 1, sizeof(*bridges->names));

	if (!names)
		return -ENOMEM;
	bridges->names = names;
	memcpy(names[bridges->count++], name, IFNAMSIZ);
	return 0;
}

static int copy_names(struct pins_bridges *bridges)
{
	const size_t size = bridges->count * IFNAMSIZ;

	bridges->current = malloc(size);
	bridges->attached_as = malloc(size);
	bridges->ifindexes = calloc(bridges->count, sizeof(*bridges->ifindexes));
	if (!bridges->current || !bridges->attached_as || !bridges->ifindexes)
		return -ENOMEM;
	memcpy(bridges->current, bridges->names, size);
	memcpy(bridges->attached_as, bridges->names, size);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Look at each name of the directory of the namespace, until @visit returns other than 0. */
static int visit_names(const struct pins *pins,
		       int (*visit)(const struct pins *pins, const char *name, void *context,
				    struct error *err),
		       void *context, struct error *err)
{
	struct dirent *entry;
	char name[IFNAMSIZ];
	int ret = 0;
	DIR *dir;

	dir = opendir(pins->base);
	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return error_errno(err, errno, "cannot read directory %s", pins->base);
	while (!ret && (entry = readdir(dir))) {
		if (pins_entry_name(entry->d_name, name))
			ret = visit(pins, name, context, err);
	}
	closedir(dir);
	return ret;
}

static int add_bridge(const struct pins *pins, const char *name, void *bridges, struct error *err)
{
	int ret = is_shared(name) ? 0 : append_name(bridges, name);

	return ret ? error_errno(err, ret, "cannot list the bridges") : pins_check(pins, name, err);
}

int pins_bridges(const struct pins *pins, struct pins_bridges *bridges, struct error *err)
{
	int ret;

	*bridges = (struct pins_bridges){};
	ret = visit_names(pins, add_bridge, bridges, err);
	if (bridges->count)
		qsort(bridges->names, bridges->count, sizeof(*bridges->names), compare_names);
	if (!ret && bridges->count && copy_names(bridges))
		ret = error_nomem(err);
	if (ret)
		pins_bridges_free(bridges);
	return ret;
}

/* @bridge: a name, or NULL */
static int is_other(const struct pins *pins, const char *name, void *bridge, struct error *err)
{
	(void)pins;
	(void)err;
	return !is_shared(name) && (!bridge || strcmp(name, bridge) != 0);
}

static int remove_if_shared(const struct pins *pins, const char *name, void *context,
			    struct error *err)
{
	(void)context;
	return is_shared(name) ? pins_remove(pins, name, err) : 0;
}

int pins_remove_shared(const struct pins *pins, const char *bridge, struct error *err)
{
	int ret = visit_names(pins, is_other, (void *)bridge, err);

	return ret ? ret : visit_names(pins, remove_if_shared, NULL, err);
}

void pins_bridges_free(struct pins_bridges *bridges)
{
	free(bridges->names);
	free(bridges->current);
	free(bridges->attached_as);
	free(bridges->ifindexes);
	*bridges = (struct pins_bridges){};
}
