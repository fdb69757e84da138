/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/exports_map.h"

#include <errno.h>

#include "dataplane/map_io.h"
#include "dataplane/reverse.h"

/* Both are sorted by (proto, port): see struct hbpf_export_key. */
KV_ARRAY_ENTRY(struct export, key, to);
#define EXPORTS_ARRAY KV_ARRAY(struct export, key, to)

/* A set as a table; it stays the owner of the memory. */
static struct kv_array exports_table(const struct exports *set)
{
	struct kv_array table = EXPORTS_ARRAY;

	table.v = set->v;
	table.count = set->count;
	return table;
}

int dataplane_exports(const struct dataplane *dp, struct exports *set, struct error *err)
{
	struct kv_array table = EXPORTS_ARRAY;
	int ret;

	ret = map_read(dp, MAP_EXPORTS, &table, err);
	if (!ret)
		*set = (struct exports){ .v = table.v, .count = table.count, .room = table.room };
	return ret;
}

int dataplane_set_exports(struct dataplane *dp, const struct exports *have,
			  const struct exports *want, struct error *err)
{
	const struct kv_array old_exports = exports_table(have), new_exports = exports_table(want);
	struct kv_array old = REVERSE_ARRAY, new = REVERSE_ARRAY;
	int ret;

	/* not derived from @have: a killed command may have left others */
	ret = map_read(dp, MAP_REVERSE, &old, err);
	if (ret)
		return ret;
	ret = reverse_derive(want, &new);
	if (ret) {
		map_error(err, ret, MAP_REVERSE, "write to");
		goto out;
	}

	/* answers first: an export must not let in what could not be answered */
	ret = map_extend(dp, MAP_REVERSE, &old, &new, err);
	if (ret)
		goto out;
	ret = map_replace(dp, MAP_EXPORTS, &old_exports, &new_exports, err);
	if (ret)
		map_replace(dp, MAP_REVERSE, &new, &old, NULL);
out:
	kv_array_free(&old);
	kv_array_free(&new);
	return ret;
}
