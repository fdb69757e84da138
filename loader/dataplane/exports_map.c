/* SPDX-License-Identifier: GPL-2.0-only */
/* The exports, and the services that follow from them. */
#include <errno.h>

#include "dataplane/map_io.h"
#include "dataplane/reverse.h"

TABLE_ENTRY(struct export, key, to);
#define EXPORTS_TABLE TABLE(struct export, key, to)

int dataplane_exports(const struct dataplane *dp, struct exports *set, struct error *err)
{
	struct kv_array table = EXPORTS_TABLE;
	int ret;

	ret = map_read(dp, MAP_EXPORTS, &table, err);
	if (ret)
		return ret;
	if (exports_put_all(set, table.v, table.count))
		ret = map_error(err, -ENOMEM, MAP_EXPORTS, "read");
	kv_array_free(&table);
	return ret;
}

/* A table is sorted by the bytes of its keys, a set by what they mean. */
static int exports_table(const struct exports *set, struct kv_array *table)
{
	int ret;

	ret = kv_array_add_entries(table, set->v, set->count);
	return ret ? ret : kv_array_sort(table, NULL);
}

static int replace_exports(struct dataplane *dp, const struct exports *have,
			   const struct exports *want, struct error *err)
{
	struct kv_array old = EXPORTS_TABLE, new = EXPORTS_TABLE;
	int ret;

	ret = exports_table(have, &old);
	if (!ret)
		ret = exports_table(want, &new);
	if (ret)
		map_error(err, ret, MAP_EXPORTS, "write to");
	else
		ret = map_replace(dp, MAP_EXPORTS, &old, &new, err);
	kv_array_free(&old);
	kv_array_free(&new);
	return ret;
}

int dataplane_set_exports(struct dataplane *dp, const struct exports *have,
			  const struct exports *want, struct error *err)
{
	struct kv_array old = SERVICES_TABLE, new = SERVICES_TABLE;
	int ret;

	/* not derived from @have: a killed command may have left others */
	ret = map_read(dp, MAP_SERVICES, &old, err);
	if (ret)
		return ret;
	ret = services_derive(want, &new);
	if (ret) {
		map_error(err, ret, MAP_SERVICES, "write to");
		goto out;
	}

	/* the way back first: an export must not bring in what could not be answered */
	ret = map_extend(dp, MAP_SERVICES, &old, &new, err);
	if (ret)
		goto out;
	ret = replace_exports(dp, have, want, err);
	if (ret)
		map_replace(dp, MAP_SERVICES, &new, &old, NULL);
out:
	kv_array_free(&old);
	kv_array_free(&new);
	return ret;
}
