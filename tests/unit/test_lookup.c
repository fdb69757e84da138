/* SPDX-License-Identifier: GPL-2.0-only */
/* Networks as recorded from Docker 20.10.24 and Podman 4.3.1 (test_networks.c). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "engine/lookup.h"
#include "lib/array.h"

static void add(struct networks *networks, enum engine_kind kind, const char *path)
{
	char body[8192];
	FILE *file = fopen(path, "r");
	size_t len;

	assert_non_null(file);
	len = fread(body, 1, sizeof(body), file);
	fclose(file);
	assert_int_equal(networks_parse(kind, body, len, networks, NULL), 0);
}

static int recorded(void **state)
{
	static struct networks networks;

	add(&networks, ENGINE_DOCKER, "tests/unit/engine/docker-networks.json");
	add(&networks, ENGINE_PODMAN, "tests/unit/engine/podman-networks.json");
	*state = &networks;
	return 0;
}

static int release(void **state)
{
	networks_free(*state);
	return 0;
}

static void a_network_is_found_by_name_by_id_and_by_the_beginning_of_its_id(void **state)
{
	static const struct {
		const char *word, *bridge;
	} rows[] = {
		{ "bridge", "docker0" },
		{ "test-net", "br-test" },
		{ "1b8bf7c72ab72b7cffc4484784da060ec55c166b9ed3537847f4e81d33c6dbfe", "br-test" },
		{ "1b8b", "br-test" },
		{ "inside", "br-85e2890f589f" },
		{ "8", "br-85e2890f589f" },
		{ "ptest", "podman2" },
		{ "1744b939", "podman2" },
	};
	const struct network *network;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(networks_find(*state, rows[i].word, &network, NULL), 0);
		assert_string_equal(network_bridge(network, NULL), rows[i].bridge);
	}
}

static void what_is_neither_finds_nothing(void **state)
{
	static const char *const words[] = { "",         "test",    "test-net2",
					     "TEST-NET", "1b8bf7d", "br-test" };
	const struct network *network;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		assert_int_equal(networks_find(*state, words[i], &network, NULL), -ENOENT);
}

static void a_beginning_of_several_ids_names_them(void **state)
{
	const struct network *network;
	struct error err = {};

	/* 1b8b... is Docker's test-net, 1744... Podman's ptest */
	assert_int_equal(networks_find(*state, "1", &network, &err), -ENOTUNIQ);
	assert_non_null(strstr(err.what, "Docker's test-net (1b8bf7c72ab7)"));
	assert_non_null(strstr(err.what, "Podman's ptest (1744b93939e7)"));
	assert_null(strstr(err.what, "inside"));
	assert_non_null(strstr(err.hint, "hbpf interfaces"));
}

static void a_name_goes_before_an_id_and_is_refused_where_two_have_it(void **state)
{
	static const char body[] = "[{\"Name\":\"aa\",\"Id\":\"b1\",\"Driver\":\"bridge\"},"
				   "{\"Name\":\"b1\",\"Id\":\"aa\",\"Driver\":\"bridge\"},"
				   "{\"Name\":\"twice\",\"Id\":\"c1\",\"Driver\":\"bridge\"},"
				   "{\"Name\":\"twice\",\"Id\":\"c2\",\"Driver\":\"bridge\"}]";
	struct networks networks = {};
	const struct network *network;
	struct error err = {};

	(void)state;
	assert_int_equal(networks_parse(ENGINE_DOCKER, body, strlen(body), &networks, NULL), 0);
	assert_int_equal(networks_find(&networks, "aa", &network, NULL), 0);
	assert_string_equal(network->id, "b1");
	assert_int_equal(networks_find(&networks, "twice", &network, &err), -ENOTUNIQ);
	assert_non_null(strstr(err.what, "twice (c1), Docker's twice (c2)"));
	assert_int_equal(networks_find(&networks, "c2", &network, NULL), 0);
	networks_free(&networks);
}

static void many_candidates_are_cut_short(void **state)
{
	const char *item =
		",{\"Name\":\"a-network-with-a-long-name\",\"Id\":\"abc\",\"Driver\":\"x\"}";
	char body[8192] = "[";
	struct networks networks = {};
	const struct network *network;
	struct error err = {};

	(void)state;
	for (int i = 0; i < 50; i++)
		strcat(body, item + !i);
	strcat(body, "]");
	assert_int_equal(networks_parse(ENGINE_DOCKER, body, strlen(body), &networks, NULL), 0);
	assert_int_equal(networks_find(&networks, "a", &network, &err), -ENOTUNIQ);
	assert_string_equal(err.what + strlen(err.what) - 3, "...");
	networks_free(&networks);
}

static void a_network_without_a_bridge_says_its_driver(void **state)
{
	const struct network *network;
	struct error err = {};

	assert_int_equal(networks_find(*state, "host", &network, NULL), 0);
	assert_null(network_bridge(network, &err));
	assert_non_null(strstr(err.what, "Docker's network host"));
	assert_non_null(strstr(err.what, "driver is host"));
	assert_int_equal(networks_find(*state, "none", &network, NULL), 0);
	assert_null(network_bridge(network, &err));
	assert_non_null(strstr(err.what, "driver is null"));
}

static void an_overlay_network_says_which_bridge_its_containers_have_all_the_same(void **state)
{
	struct network network = { .engine = ENGINE_DOCKER,
				   .name = (char[]){ "swarm-net" },
				   .driver = (char[]){ "macvlan" } };
	struct error err = {};

	(void)state;
	assert_null(network_bridge(&network, &err));
	assert_null(strstr(err.hint, "docker_gwbridge"));
	network.driver = (char[]){ "overlay" };
	assert_null(network_bridge(&network, &err));
	assert_non_null(strstr(err.what, "swarm-net has no bridge"));
	assert_non_null(strstr(err.hint, "`hbpf attach docker_gwbridge`"));
}

static void a_bridge_leads_back_to_its_network(void **state)
{
	assert_string_equal(networks_find_bridge(*state, "br-85e2890f589f")->name, "inside");
	assert_string_equal(networks_find_bridge(*state, "podman1")->name, "br-x");
	assert_null(networks_find_bridge(*state, "br-other"));
	assert_null(networks_find_bridge(*state, "test-net"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_is_found_by_name_by_id_and_by_the_beginning_of_its_id),
		cmocka_unit_test(what_is_neither_finds_nothing),
		cmocka_unit_test(a_beginning_of_several_ids_names_them),
		cmocka_unit_test(a_name_goes_before_an_id_and_is_refused_where_two_have_it),
		cmocka_unit_test(many_candidates_are_cut_short),
		cmocka_unit_test(a_network_without_a_bridge_says_its_driver),
		cmocka_unit_test(
			an_overlay_network_says_which_bridge_its_containers_have_all_the_same),
		cmocka_unit_test(a_bridge_leads_back_to_its_network),
	};

	return cmocka_run_group_tests(tests, recorded, release);
}
