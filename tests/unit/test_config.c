/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "watch/config_parse.h"
#include "watch/labels.h"
#include "lib/array.h"

static void a_section_with_ports_is_a_whole_configuration(void **state)
{
	struct watch_config conf;
	const struct attach_request *request;

	(void)state;
	assert_int_equal(
		watch_config_parse_text(&conf, "f", "[br-test]\nports = 8088, 80:8080, 53/udp\n"),
		0);
	assert_int_equal(conf.count, 1);
	assert_string_equal(conf.v[0].name, "br-test");
	assert_string_equal(conf.v[0].where, "f:1");
	assert_false(conf.labels);
	request = &conf.v[0].request;
	assert_int_equal(request->ports.count, 3);
	assert_int_equal(request->ports.v[1].first, 80);
	assert_int_equal(request->owner, HBPF_OWNER_CONFIG);
	watch_config_free(&conf);
}

/* What a section leaves out is as if it had been said: nothing of an earlier attach stays. */
static void a_section_declares_the_whole_state(void **state)
{
	struct watch_config conf;
	const struct attach_request *request;

	(void)state;
	assert_int_equal(watch_config_parse_text(&conf, "f", "[a]\nports = 1\n"), 0);
	request = &conf.v[0].request;
	assert_true(request->only_ports && request->gateways_given && request->from.given);
	assert_true(request->hook.given && request->nat_bypass.given && request->guard.given);
	assert_true(request->from.onlink);
	assert_int_equal(request->from.sources.count, 0);
	watch_config_free(&conf);
}

static void every_key_and_form_is_read(void **state)
{
	static const char text[] = "; a comment\n"
				   "  labels=yes # another\n"
				   "\n"
				   "[ net-1 ] ; with blanks\n"
				   "ports = 8088 80:8080\r\n"
				   "ports=53/udp\n"
				   "gateway = 10.0.0.1, fd00::1\n"
				   "from = onlink, 10.1.0.0/16 10.1.0.0/16\n"
				   "hook = clsact\nnat-bypass = off\nguard = on\nforce = yes\n"
				   "[b]\nports = 1\nfrom = 10.0.0.0/8";
	struct watch_config conf;
	const struct attach_request *request;

	(void)state;
	assert_int_equal(watch_config_parse_text(&conf, "f", text), 0);
	assert_true(conf.labels);
	assert_int_equal(conf.count, 2);
	assert_string_equal(conf.v[0].name, "net-1");
	assert_string_equal(conf.v[0].where, "f:4");
	request = &conf.v[0].request;
	assert_int_equal(request->ports.count, 3);
	assert_int_equal(request->gateways.count, 2);
	assert_true(request->from.onlink);
	assert_int_equal(request->from.sources.count, 1);
	assert_int_equal(request->hook.value, HBPF_HOOK_CLSACT);
	assert_int_equal(request->nat_bypass.value, HBPF_OFF);
	assert_int_equal(request->guard.value, HBPF_ON);
	assert_true(request->force);
	assert_false(conf.v[1].request.from.onlink);
	assert_false(conf.v[1].request.force);
	watch_config_free(&conf);
}

static void pin_is_the_old_name_of_nat_bypass(void **state)
{
	static const char text[] = "[a]\nports = 1\npin = on\n[b]\nports = 1\nnat-bypass = on\n";
	struct watch_config conf;

	(void)state;
	assert_int_equal(watch_config_parse_text(&conf, "f", text), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(conf.v[i].request.nat_bypass.value, HBPF_ON);
	watch_config_free(&conf);
}

static void an_empty_text_declares_nothing(void **state)
{
	static const char *const texts[] = { "", "\n", "# nothing\n", "labels = no\n" };
	struct watch_config conf;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(watch_config_parse_text(&conf, "f", texts[i]), 0);
		assert_int_equal(conf.count, 0);
		assert_false(conf.labels);
		watch_config_free(&conf);
	}
}

static const struct {
	const char *text;
	const char *what; /* the first problem begins so */
	const char *hint; /* and has this in its hint */
} bad[] = {
	{ "ports = 1\n", "f:1: 'ports' is set before any section", "[br-test]" },
	{ "[a]\n", "f:1: section [a] has no ports", "ports =" },
	{ "[a]\n\n\nfrom = 10.0.0.0/8\n[b]\nports = 1\n", "f:1: section [a] has no ports", "" },
	{ "[a]\nports = \n", "f:2: ports has no value", "" },
	{ "[a]\nports = 1 # ,\nports\n", "f:3: 'ports' is neither a section nor a key", "ports =" },
	{ "[a]\nprots = 1\n", "f:2: unknown key 'prots'", "did you mean ports" },
	{ "[a]\nports = 1\nlabels = yes\n", "f:3: unknown key 'labels'", "before the first" },
	{ "labels = maybe\n", "f:1: labels must be one of no, yes, not 'maybe'", "" },
	{ "labels = yes\nlabels = no\n", "f:2: labels is already set at f:1", "" },
	{ "[a]\nports = 1\n[a]\nports = 2\n", "f:3: section [a] is already declared at f:1", "" },
	{ "[a", "f:1: '[a' is not a section header", "[br-test]" },
	{ "[a] b\n", "f:1: '[a] b' is not a section header", "" },
	{ "[]\n", "f:1: [] is not a valid name", "" },
	{ "[a b]\n", "f:1: [a b] is not a valid name", "" },
	{ "[a/b]\n", "f:1: [a/b] is not a valid name", "" },
	{ "[a]\nports = 0\n", "f:2: port 0 is out of range", "" },
	{ "[a]\nports = 80, 80\n", "f:2: ", "" },
	{ "[a]\nports = 80\nports = 80:81\n", "f:3: ", "" },
	{ "[a]\nports = 1\ngateway = host\n", "f:3: gateway host: not an IPv4", "172.17.0.1" },
	{ "[a]\nports = 1\nfrom = 10.0.0.1/8\n", "f:3: from 10.0.0.1/8: host bits are set",
	  "10.0.0.0/8" },
	{ "[a]\nports = 1\nhook = xdp\n", "f:3: hook must be one of auto, tcx, clsact, not", "" },
	{ "[a]\nports = 1\nnat-bypass = no\n", "f:3: nat-bypass must be one of auto, on, off", "" },
	{ "[a]\nports = 1\nguard = on off\n", "f:3: guard takes only one value", "" },
	{ "[a]\nports = 1\nguard = on\nguard = on\n", "f:4: guard is set twice", "" },
	{ "[a]\nports = 1\npin = on\npin = on\n", "f:4: pin is set twice", "" },
	{ "[a]\nports = 1\npin = on\nnat-bypass = on\n", "f:4: nat-bypass and pin are the same key",
	  "remove pin" },
	{ "[a]\nports = 1\nnat-bypass = on\npin = on\n", "f:4: nat-bypass and pin are the same key",
	  "remove pin" },
	{ "[a]\nports = 1\npim = on\n", "f:3: unknown key 'pim'",
	  "the keys are ports, gateway, from, hook, nat-bypass, guard, force" },
};

static void a_mistake_is_reported_with_file_and_line(void **state)
{
	struct watch_config conf;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(watch_config_parse_text(&conf, "f", bad[i].text), -EINVAL);
		assert_true(conf.problems.count > 0);
		if (strncmp(conf.problems.v[0].what, bad[i].what, strlen(bad[i].what)) ||
		    !strstr(conf.problems.v[0].hint, bad[i].hint))
			fail_msg("%s: said '%s', hint '%s'", bad[i].text, conf.problems.v[0].what,
				 conf.problems.v[0].hint);
		assert_true(conf.problems.v[0].hint[0]);
		watch_config_free(&conf);
	}
}

static void all_mistakes_are_reported_and_not_only_the_first(void **state)
{
	struct watch_config conf;

	(void)state;
	assert_int_equal(
		watch_config_parse_text(&conf, "f", "x = 1\n[a]\nports = 0, 8088/x\nfrom = y\n"),
		-EINVAL);
	assert_int_equal(conf.problems.count, 4);
	watch_config_free(&conf);
}

/* A file that is cut anywhere is refused, or says no more than its whole lines and a beginning. */
static void a_text_that_is_cut_anywhere_opens_no_other_section(void **state)
{
	static const char text[] = "labels = yes\n[br-one]\nports = 8088\n[br-two]\nports = 99\n";
	char cut[sizeof(text)];
	struct watch_config conf;

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		snprintf(cut, len + 1, "%s", text);
		if (!watch_config_parse_text(&conf, "f", cut)) {
			assert_true(conf.count <= 2);
			assert_true(conf.count < 1 || !strcmp(conf.v[0].name, "br-one"));
			assert_true(conf.count < 2 || !strcmp(conf.v[1].name, "br-two"));
		}
		watch_config_free(&conf);
	}
}

/* What labels_add() says to a network of Docker with these labels */
static int add_labels(struct watch_config *conf, const char *name, const char *bridge,
		      const char *ports, const char *from)
{
	struct network network = {
		.name = (char *)name,
		.ports = (char *)ports,
		.from = (char *)from,
	};

	snprintf(network.bridge, sizeof(network.bridge), "%s", bridge);
	return labels_add(conf, &network);
}

static void labels_make_a_section_that_leaves_manually_attached_bridges_alone(void **state)
{
	struct watch_config conf = {};
	const struct attach_request *request;

	(void)state;
	assert_int_equal(add_labels(&conf, "net", "br-1", "8088,5432,53/udp", NULL), 0);
	assert_int_equal(add_labels(&conf, "net", "br-2", "80:8080", "10.0.0.0/8 onlink"), 0);
	assert_int_equal(conf.count, 2);
	request = &conf.v[0].request;
	assert_string_equal(request->bridge, "br-1");
	assert_int_equal(request->ports.count, 3);
	assert_int_equal(request->owner, HBPF_OWNER_ENGINE);
	assert_true(request->skip_manual && request->only_ports && request->from.onlink);
	request = &conf.v[1].request;
	assert_int_equal(request->from.sources.count, 1);
	assert_true(request->from.onlink);
	watch_config_free(&conf);
}

static void a_malformed_label_makes_no_section_and_harms_no_other(void **state)
{
	static const char of[] = "Docker's network net on br-2, label hbpf.";
	static const struct {
		const char *ports;
		const char *from;
		const char *what;
	} labels[] = {
		{ "", NULL, "ports: ports has no value" },
		{ "http", NULL, "ports: port must be" },
		{ "80,80", NULL, "ports: " },
		{ "80\n[br-x]", NULL, "ports: it contains a control character" },
		{ "80", "me", "from: from me: not an address or prefix" },
		{ "80", "", "from: from has no value" },
	};
	struct watch_config conf = {};

	(void)state;
	assert_int_equal(add_labels(&conf, "good", "br-1", "8088", NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		assert_int_equal(add_labels(&conf, "net", "br-2", labels[i].ports, labels[i].from),
				 -EINVAL);
		assert_int_equal(conf.count, 1);
		assert_int_equal(conf.problems.count, i + 1);
		assert_memory_equal(conf.problems.v[i].what, of, strlen(of));
		assert_memory_equal(conf.problems.v[i].what + strlen(of), labels[i].what,
				    strlen(labels[i].what));
	}
	assert_int_equal(add_labels(&conf, "also", "br-3", "8088", NULL), 0);
	assert_int_equal(conf.count, 2);
	watch_config_free(&conf);
}

static void of_malformed_labels_only_the_first_problem_is_reported(void **state)
{
	static const struct {
		const char *ports;
		const char *from;
		const char *what; /* in it */
	} labels[] = {
		{ "foo,bar", NULL, "foo" },
		{ "foo", "me", "hbpf.ports: " },
		{ "80", "me,you", "from me" },
	};
	static char many[128 << 10];
	struct watch_config conf = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		assert_int_equal(add_labels(&conf, "net", "br-1", labels[i].ports, labels[i].from),
				 -EINVAL);
		assert_int_equal(conf.problems.count, i + 1);
		assert_non_null(strstr(conf.problems.v[i].what, labels[i].what));
	}
	for (size_t i = 0; i < sizeof(many) - 1; i++)
		many[i] = i % 2 ? ',' : 'x';
	assert_int_equal(add_labels(&conf, "net", "br-1", many, NULL), -EINVAL);
	assert_int_equal(conf.problems.count, ARRAY_SIZE(labels) + 1);
	/* and it does not spoil those that come after it */
	assert_int_equal(add_labels(&conf, "net", "br-1", "8088", NULL), 0);
	assert_int_equal(conf.count, 1);
	watch_config_free(&conf);
}

static void networks_of_one_name_are_distinguished_by_where_they_are_declared(void **state)
{
	struct network networks[] = {
		{ .engine = ENGINE_DOCKER,
		  .name = "net",
		  .id = "1",
		  .bridge = "br-1",
		  .ports = "8088" },
		{ .engine = ENGINE_DOCKER,
		  .name = "net",
		  .id = "2",
		  .bridge = "br-2",
		  .ports = "8088" },
		{ .engine = ENGINE_PODMAN,
		  .name = "net",
		  .id = "3",
		  .bridge = "br-1",
		  .ports = "8088" },
	};
	struct watch_config conf = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(networks); i++)
		assert_int_equal(labels_add(&conf, &networks[i]), 0);
	assert_string_equal(conf.v[0].where, "Docker's network net on br-1, label hbpf.ports");
	assert_string_equal(conf.v[1].where, "Docker's network net on br-2, label hbpf.ports");
	assert_string_equal(conf.v[2].where, "Podman's network net on br-1, label hbpf.ports");
	watch_config_free(&conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_section_with_ports_is_a_whole_configuration),
		cmocka_unit_test(a_section_declares_the_whole_state),
		cmocka_unit_test(every_key_and_form_is_read),
		cmocka_unit_test(pin_is_the_old_name_of_nat_bypass),
		cmocka_unit_test(an_empty_text_declares_nothing),
		cmocka_unit_test(a_mistake_is_reported_with_file_and_line),
		cmocka_unit_test(all_mistakes_are_reported_and_not_only_the_first),
		cmocka_unit_test(a_text_that_is_cut_anywhere_opens_no_other_section),
		cmocka_unit_test(labels_make_a_section_that_leaves_manually_attached_bridges_alone),
		cmocka_unit_test(a_malformed_label_makes_no_section_and_harms_no_other),
		cmocka_unit_test(of_malformed_labels_only_the_first_problem_is_reported),
		cmocka_unit_test(networks_of_one_name_are_distinguished_by_where_they_are_declared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
