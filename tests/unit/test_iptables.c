/* SPDX-License-Identifier: GPL-2.0-only */
/* What rules of iptables do with one packet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/iptables.h"
#include "lib/array.h"

/* A request from 172.30.0.2 that arrives on lo for 127.0.0.1:8088. */
static struct filter_packet request(void)
{
	struct filter_packet packet = {
		.iif = "lo", .oif = "", .proto = IPPROTO_TCP, .dport = 8088, .ctstate = "NEW"
	};

	assert_int_equal(addr_parse("172.30.0.2", &packet.src), 0);
	assert_int_equal(addr_parse("127.0.0.1", &packet.dst), 0);
	return packet;
}

/* Judges the request by the rules of INPUT in the table filter. */
static enum filter_verdict judge(const char *const *lines, size_t count, size_t *unjudged)
{
	const struct filter_packet packet = request();
	const struct iptables_rule *rule;
	struct iptables iptables = {};
	enum filter_verdict verdict;
	char *table = NULL;

	for (size_t i = 0; i < count; i++)
		assert_int_equal(iptables_parse(&iptables, lines[i], &table), 0);
	*unjudged = 0;
	verdict = iptables_judge(&iptables, "filter", "INPUT", &packet, &rule, unjudged);
	free(table);
	iptables_free(&iptables);
	return verdict;
}

static void single_rules(void **state)
{
	static const struct {
		const char *rule;
		enum filter_verdict verdict;
		size_t unjudged;
	} cases[] = {
		{ "-A INPUT -j DROP", FILTER_DROP, 0 },
		{ "-A INPUT -j REJECT --reject-with icmp-port-unreachable", FILTER_DROP, 0 },
		{ "-A INPUT -j ACCEPT", FILTER_ACCEPT, 0 },
		{ "-A INPUT -j LOG --log-prefix \"-j DROP\"", FILTER_ACCEPT, 0 },
		{ "-A OTHER -j DROP", FILTER_ACCEPT, 0 },
		{ "-A INPUT -i lo -j DROP", FILTER_DROP, 0 },
		{ "-A INPUT ! -i lo -j DROP", FILTER_ACCEPT, 0 },
		{ "-A INPUT -i l+ -j DROP", FILTER_DROP, 0 },
		{ "-A INPUT -i eth+ -j DROP", FILTER_ACCEPT, 0 },
		{ "-A INPUT -s 172.30.0.0/24 -j DROP", FILTER_DROP, 0 },
		{ "-A INPUT -s 172.30.0.3/32 -j DROP", FILTER_ACCEPT, 0 },
		{ "-A INPUT ! -s 127.0.0.0/8 -d 127.0.0.0/8 -j DROP", FILTER_DROP, 0 },
		{ "-A INPUT -p udp -j DROP", FILTER_ACCEPT, 0 },
		{ "-A INPUT -p tcp -m tcp --dport 8088 -j DROP", FILTER_DROP, 0 },
		{ "-A INPUT -p tcp -m tcp ! --dport 8088 -j DROP", FILTER_ACCEPT, 0 },
		{ "-A INPUT -p tcp -m multiport --dports 22,8000:8100 -j DROP", FILTER_DROP, 0 },
		{ "-A INPUT -p tcp -m multiport --dports 22,80 -j DROP", FILTER_ACCEPT, 0 },
		{ "-A INPUT -m conntrack --ctstate INVALID,NEW -j DROP", FILTER_DROP, 0 },
		{ "-A INPUT -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP", FILTER_DROP, 0 },
		{ "-A INPUT -m comment --comment \"a -j ACCEPT\" -j DROP", FILTER_DROP, 0 },
		{ "-A INPUT -m mark --mark 0x1 -j DROP", FILTER_ACCEPT, 1 },
		{ "-A INPUT -i eth0 -m mark --mark 0x1 -j DROP", FILTER_ACCEPT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *const lines[] = { "*filter\n", ":INPUT ACCEPT [0:0]\n", cases[i].rule };
		size_t unjudged;

		if (judge(lines, ARRAY_SIZE(lines), &unjudged) != cases[i].verdict ||
		    unjudged != cases[i].unjudged)
			fail_msg("%s", cases[i].rule);
	}
}

static void jumps_and_returns(void **state)
{
	static const char *const dropped[] = {
		"*filter",          ":INPUT ACCEPT [0:0]",      ":USER - [0:0]",
		"-A INPUT -j USER", "-A USER -p udp -j ACCEPT", "-A USER -j DROP"
	};
	static const char *const returned[] = { "*filter",           ":INPUT ACCEPT [0:0]",
						":USER - [0:0]",     "-A INPUT -j USER",
						"-A USER -j RETURN", "-A USER -j DROP" };
	size_t unjudged;

	(void)state;
	assert_int_equal(judge(dropped, ARRAY_SIZE(dropped), &unjudged), FILTER_DROP);
	assert_int_equal(judge(returned, ARRAY_SIZE(returned), &unjudged), FILTER_ACCEPT);
}

static void a_policy_decides_last(void **state)
{
	static const char *const drop[] = { "*filter", ":INPUT DROP [0:0]",
					    "-A INPUT -i eth0 -j ACCEPT" };
	static const char *const accepted[] = { "*filter", ":INPUT DROP [0:0]",
						"-A INPUT -i lo -j ACCEPT" };
	/* This one may accept it. */
	static const char *const perhaps[] = { "*filter", ":INPUT DROP [0:0]",
					       "-A INPUT -m mark --mark 1 -j ACCEPT" };
	size_t unjudged;

	(void)state;
	assert_int_equal(judge(drop, ARRAY_SIZE(drop), &unjudged), FILTER_DROP);
	assert_int_equal(judge(accepted, ARRAY_SIZE(accepted), &unjudged), FILTER_ACCEPT);
	assert_int_equal(judge(perhaps, ARRAY_SIZE(perhaps), &unjudged), FILTER_ACCEPT);
	assert_int_equal(unjudged, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_rules),
		cmocka_unit_test(jumps_and_returns),
		cmocka_unit_test(a_policy_decides_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
