/* SPDX-License-Identifier: GPL-2.0-only */
/* tests/unit/engine/ holds what Docker 20.10.24 and Podman 4.3.1 answered. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "engine/networks.h"
#include "lib/array.h"

static size_t recorded(const char *path, char *buf, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t len;

	assert_non_null(file);
	len = fread(buf, 1, size, file);
	fclose(file);
	assert_true(len > 0 && len < size);
	return len;
}

static const struct network *find(const struct networks *networks, const char *name)
{
	for (size_t i = 0; i < networks->count; i++) {
		if (!strcmp(networks->v[i].name, name))
			return &networks->v[i];
	}
	fail_msg("no network %s", name);
	return NULL;
}

static void each_network_of_docker_has_its_bridge(void **state)
{
	struct networks networks = {};
	char body[8192];
	size_t len = recorded("tests/unit/engine/docker-networks.json", body, sizeof(body));

	(void)state;
	assert_int_equal(networks_parse(ENGINE_DOCKER, body, len, &networks, NULL), 0);
	assert_int_equal(networks.count, 5);
	assert_string_equal(find(&networks, "bridge")->bridge, "docker0");
	assert_string_equal(find(&networks, "test-net")->bridge, "br-test");
	assert_string_equal(find(&networks, "test-net")->ports, "8088,53/udp");
	assert_string_equal(find(&networks, "test-net")->from, "172.30.0.0/24");
	assert_string_equal(find(&networks, "inside")->bridge, "br-85e2890f589f");
	assert_null(find(&networks, "inside")->ports);
	assert_true(find(&networks, "inside")->no_default_route);
	assert_false(find(&networks, "test-net")->no_default_route);
	assert_string_equal(find(&networks, "none")->bridge, "");
	assert_string_equal(find(&networks, "host")->driver, "host");
	networks_free(&networks);
}

static void each_network_of_podman_has_its_interface(void **state)
{
	struct networks networks = {};
	char body[8192];
	size_t len = recorded("tests/unit/engine/podman-networks.json", body, sizeof(body));

	(void)state;
	assert_int_equal(networks_parse(ENGINE_PODMAN, body, len, &networks, NULL), 0);
	assert_int_equal(networks.count, 3);
	assert_string_equal(find(&networks, "podman")->bridge, "podman0");
	assert_string_equal(find(&networks, "ptest")->bridge, "podman2");
	assert_string_equal(find(&networks, "ptest")->ports, "8088");
	assert_null(find(&networks, "br-x")->ports);
	networks_free(&networks);
}

static void an_answer_cut_short_anywhere_is_refused_whole(void **state)
{
	struct networks networks = {};
	char body[8192];
	size_t len = recorded("tests/unit/engine/docker-networks.json", body, sizeof(body));

	(void)state;
	while (body[len - 1] != ']')
		len--;
	assert_int_equal(networks_parse(ENGINE_DOCKER, body, len, &networks, NULL), 0);
	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(networks_parse(ENGINE_DOCKER, body, cut, &networks, NULL),
				 -EPROTO);
		assert_int_equal(networks.count, 5);
	}
	networks_free(&networks);
}

static void what_is_no_list_of_networks_is_refused(void **state)
{
	static const char *const bodies[] = {
		"",       "Not Found\n",
		"{}",     "null",
		"7",      "[7]",
		"[null]", "[[]]",
		"[{}]",   "[{\"Name\":7,\"Id\":\"a\",\"Driver\":\"bridge\"}]",
	};
	const char *good = "[{\"Name\":\"a\",\"Id\":\"a\",\"Driver\":\"bridge\",\"Labels\":7,"
			   "\"Options\":[]}]";
	struct networks networks = {};
	struct error err = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		assert_int_equal(networks_parse(ENGINE_DOCKER, bodies[i], strlen(bodies[i]),
						&networks, &err),
				 -EPROTO);
		assert_int_equal(networks.count, 0);
		assert_non_null(strstr(err.what, "not a list of networks"));
	}
	assert_int_equal(networks_parse(ENGINE_DOCKER, good, strlen(good), &networks, &err), 0);
	assert_string_equal(networks.v[0].bridge, "br-a");
	networks_free(&networks);
}

static void names_make_no_lines_of_their_own_and_hide_no_other_network(void **state)
{
	static const char docker[] =
		"[{\"Name\":\"a\\nb\\u001b[2J\\u0000c\",\"Id\":\"1\\r2\",\"Driver\":\"bri\\tdge\"},"
		"{\"Name\":\"\\u00e9 ~\",\"Id\":\"3\",\"Driver\":\"bridge\\u0000\"},"
		"{\"Name\":\"c\",\"Id\":\"4\",\"Driver\":\"bridge\",\"Options\":"
		"{\"com.docker.network.bridge.name\":\"br-\\n\"}},"
		"{\"Name\":\"d\",\"Id\":\"5\\n\",\"Driver\":\"bridge\"},"
		"{\"Name\":\"e\",\"Id\":\"6\",\"Driver\":\"bridge\",\"Options\":"
		"{\"com.docker.network.bridge.name\":\"sixteen-letters-\"}},"
		"{\"Name\":\"f\",\"Id\":\"7\",\"Driver\":\"bridge\",\"Options\":"
		"{\"com.docker.network.bridge.name\":\"fifteen-letters\"}}]";
	static const char podman[] = "[{\"name\":\"p\\u007f\",\"id\":\"1\",\"driver\":\"bridge\","
				     "\"network_interface\":\"br\\u001b\"}]";
	struct networks networks = {};

	(void)state;
	assert_int_equal(networks_parse(ENGINE_DOCKER, docker, strlen(docker), &networks, NULL), 0);
	assert_int_equal(networks_parse(ENGINE_PODMAN, podman, strlen(podman), &networks, NULL), 0);
	assert_int_equal(networks.count, 7);
	assert_string_equal(networks.v[0].name, "a?b?[2J?c");
	assert_string_equal(networks.v[0].id, "1?2");
	assert_string_equal(networks.v[0].driver, "bri?dge");
	assert_string_equal(networks.v[1].name, "\u00e9 ~"); /* what is none stays as it is */
	assert_string_equal(networks.v[1].bridge, "");
	assert_string_equal(networks.v[2].bridge, "");
	assert_string_equal(networks.v[3].bridge, "br-5?"); /* made of an ID that is shown so */
	assert_string_equal(networks.v[4].bridge, "");
	assert_string_equal(networks.v[5].bridge, "fifteen-letters");
	assert_string_equal(networks.v[6].name, "p?");
	assert_string_equal(networks.v[6].bridge, "");
	networks_free(&networks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_network_of_docker_has_its_bridge),
		cmocka_unit_test(each_network_of_podman_has_its_interface),
		cmocka_unit_test(an_answer_cut_short_anywhere_is_refused_whole),
		cmocka_unit_test(what_is_no_list_of_networks_is_refused),
		cmocka_unit_test(names_make_no_lines_of_their_own_and_hide_no_other_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
