/* SPDX-License-Identifier: GPL-2.0-only */
/* The loader's table of map schemas against the maps that libbpf finds in the object files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <bpf/libbpf.h>
#include "hbpf.skel.h"
#include "hbpf_nat_bypass.skel.h"
#include "dataplane/map_schema.h"

static void same_schema(const struct map_schema *schema, const struct bpf_map *in_object)
{
	assert_int_equal(schema->type, bpf_map__type(in_object));
	assert_int_equal(schema->key_size, bpf_map__key_size(in_object));
	assert_int_equal(schema->value_size, bpf_map__value_size(in_object));
	assert_int_equal(schema->max_entries, bpf_map__max_entries(in_object));
	assert_int_equal(schema->flags, bpf_map__map_flags(in_object));
}

static void same_maps(const void *elf, size_t size)
{
	struct bpf_object *object = bpf_object__open_mem(elf, size, NULL);
	const struct bpf_map *in_object;
	int count = 0;

	assert_non_null(object);
	bpf_object__for_each_map(in_object, object)
	{
		if (!bpf_map__is_internal(in_object)) /* .rodata and the like */
			count++;
	}
	assert_int_equal(count, MAP_COUNT);
	for (int map = 0; map < MAP_COUNT; map++) {
		const struct map_schema *schema = map_schema(map);

		in_object = bpf_object__find_map_by_name(object, schema->name);
		assert_non_null(in_object);
		if (schema->grows) {
			same_schema(map_schema_array(), in_object);
			in_object = bpf_map__inner_map((struct bpf_map *)in_object);
			assert_non_null(in_object);
		}
		same_schema(schema, in_object);
	}
	bpf_object__close(object);
}

static void the_table_has_the_maps_of_the_programs(void **state)
{
	size_t size;
	const void *elf = hbpf_bpf__elf_bytes(&size);

	(void)state;
	same_maps(elf, size);
}

static void the_build_with_nat_bypass_has_the_same_maps(void **state)
{
	size_t size;
	const void *elf = hbpf_nat_bypass_bpf__elf_bytes(&size);

	(void)state;
	same_maps(elf, size);
}

static void an_fd_of_no_map_is_an_error(void **state)
{
	struct error err = {};

	(void)state;
	assert_int_not_equal(map_schema_check(-1, map_schema(MAP_EXPORTS), "/pin/exports", &err),
			     0);
	assert_non_null(strstr(err.what, "/pin/exports"));
	error_free(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_has_the_maps_of_the_programs),
		cmocka_unit_test(the_build_with_nat_bypass_has_the_same_maps),
		cmocka_unit_test(an_fd_of_no_map_is_an_error),
	};

	return cmocka_run_group_tests_name("map_schema", tests, NULL, NULL);
}
