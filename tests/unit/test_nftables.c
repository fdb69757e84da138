/* SPDX-License-Identifier: GPL-2.0-only */
/* What rules of nft do with one packet. The JSON is that of nft 1.0.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "doctor/nftables.h"
#include "lib/array.h"

#define TABLE      "\"family\":\"inet\",\"table\":\"f\""
#define SET(s)     "{\"set\":{" TABLE ",\"name\":" s "}},"
#define CHAIN(s)   "{\"chain\":{" TABLE "," s "}},"
#define RULE(c, e) "{\"rule\":{" TABLE ",\"chain\":\"" c "\",\"handle\":9,\"expr\":[" e "]}},"

#define INPUT(policy)                                                                              \
	CHAIN("\"name\":\"input\",\"type\":\"filter\",\"hook\":\"input\",\"prio\":0,\"policy\":"   \
	      "\"" policy "\"")
#define IS(left, right)     "{\"match\":{\"op\":\"==\",\"left\":" left ",\"right\":" right "}},"
#define NOT(left, right)    "{\"match\":{\"op\":\"!=\",\"left\":" left ",\"right\":" right "}},"
#define META(key)           "{\"meta\":{\"key\":\"" key "\"}}"
#define CT                  "{\"ct\":{\"key\":\"state\"}}"
#define FIELD(proto, field) "{\"payload\":{\"protocol\":\"" proto "\",\"field\":\"" field "\"}}"
#define PREFIX(addr, len)   "{\"prefix\":{\"addr\":\"" addr "\",\"len\":" len "}}"
#define DROP                "{\"drop\":null}"
#define ACCEPT              "{\"accept\":null}"
#define LIMIT               "{\"limit\":{\"rate\":5,\"burst\":5,\"per\":\"second\"}},"

/* A request from 172.30.0.2 that arrives on lo for 127.0.0.1:8088. */
static struct filter_packet request(void)
{
	struct filter_packet packet = {
		.iif = "lo",
		.oif = "",
		.to_host = true,
		.proto = IPPROTO_TCP,
		.dport = 8088,
		.ctstate = "NEW",
	};

	assert_int_equal(addr_parse("172.30.0.2", &packet.src), 0);
	assert_int_equal(addr_parse("127.0.0.1", &packet.dst), 0);
	return packet;
}

/* Does the request get that verdict at that hook? @items: of the ruleset, each ends with a comma */
static bool judge(const char *items, enum filter_hook hook, enum filter_verdict wanted,
		  size_t *unjudged)
{
	static const struct iptables none;
	static const struct iptables *const taken[2] = { &none, &none };
	const struct filter_packet packet = request();
	struct nftables nft = {};
	struct nft_hit hit;
	char json[4096];
	bool found;

	snprintf(json, sizeof(json), "{\"nftables\":[%s{\"metainfo\":{}}]}", items);
	assert_int_equal(nftables_parse(&nft, json), 0);
	*unjudged = 0;
	found = nftables_judge(&nft, taken, hook, &packet, wanted, &hit, unjudged);
	nftables_free(&nft);
	return found;
}

static void a_rule_that_drops(void **state)
{
	static const struct {
		const char *matches;
		bool drops;
		size_t unjudged;
	} cases[] = {
		{ "", true, 0 },
		{ "{\"counter\":{\"packets\":1,\"bytes\":2}},{\"log\":null},", true, 0 },
		{ IS(META("iif"), "\"lo\""), true, 0 },
		{ IS(META("iifname"), "\"eth0\""), false, 0 },
		{ IS(META("iifname"), "\"l*\""), true, 0 },
		{ NOT(META("iifname"), "\"lo\""), false, 0 },
		{ IS(META("iifname"), "{\"set\":[\"eth0\",\"lo\"]}"), true, 0 },
		{ IS(META("oifname"), "\"lo\""), false, 0 },
		{ NOT(FIELD("ip", "saddr"), PREFIX("127.0.0.0", "8")), true, 0 },
		{ IS(FIELD("ip", "saddr"), "\"172.30.0.2\""), true, 0 },
		{ IS(FIELD("ip", "saddr"), "{\"range\":[\"172.30.0.1\",\"172.30.0.9\"]}"), true,
		  0 },
		{ IS(FIELD("ip", "saddr"), "{\"range\":[\"172.30.0.3\",\"172.30.0.9\"]}"), false,
		  0 },
		{ IS(FIELD("ip", "daddr"), "{\"set\":[" PREFIX("10.0.0.0", "8") ",\"127.0.0.1\"]}"),
		  true, 0 },
		{ IS(FIELD("ip6", "saddr"), PREFIX("fd00::", "8")), false, 0 },
		{ NOT(FIELD("ip6", "saddr"), PREFIX("fd00::", "8")), false, 0 },
		{ IS(META("nfproto"), "\"ipv6\""), false, 0 },
		{ IS(META("l4proto"), "{\"set\":[\"tcp\",\"udp\"]}"), true, 0 },
		{ IS(FIELD("ip", "protocol"), "\"udp\""), false, 0 },
		{ IS(FIELD("tcp", "dport"), "8088"), true, 0 },
		{ IS(FIELD("th", "dport"), "{\"range\":[8000,8100]}"), true, 0 },
		{ IS(FIELD("tcp", "dport"), "{\"set\":[22,{\"range\":[8000,8087]}]}"), false, 0 },
		{ NOT(FIELD("tcp", "dport"), "22"), true, 0 },
		{ IS(FIELD("udp", "dport"), "8088"), false, 0 },
		{ NOT(FIELD("udp", "dport"), "22"), false, 0 },
		{ IS(FIELD("icmp", "type"), "\"echo-request\""), false, 0 },
		{ IS(CT, "{\"set\":[\"established\",\"new\"]}"), true, 0 },
		{ "{\"match\":{\"op\":\"in\",\"left\":" CT
		  ",\"right\":[\"established\",\"new\"]}},",
		  true, 0 },
		{ "{\"match\":{\"op\":\"in\",\"left\":" CT ",\"right\":\"invalid\"}},", false, 0 },
		{ IS("{\"concat\":[" META("iifname") "," FIELD("ip", "saddr") "]}",
		     "{\"set\":[{\"concat\":[\"lo\",\"127.0.0.1\"]},"
		     "{\"concat\":[\"lo\",\"172.30.0.2\"]}]}"),
		  true, 0 },
		{ IS("{\"fib\":{\"result\":\"type\",\"flags\":[\"daddr\"]}}", "\"local\""), true,
		  0 },
		/* a named set, with an element that has a timeout; one that is missing */
		{ IS(FIELD("tcp", "dport"), "\"@ports\""), true, 0 },
		{ IS(FIELD("tcp", "sport"), "\"@ports\""), false, 0 },
		{ IS(FIELD("tcp", "dport"), "\"@none\""), false, 1 },
		/* what cannot be judged counts as no match, unless another match fails */
		{ IS(META("mark"), "1"), false, 1 },
		{ IS(META("mark"), "1") IS(FIELD("udp", "dport"), "8088"), false, 0 },
		{ LIMIT, false, 1 },
		{ "{\"xt\":{\"type\":\"match\",\"name\":\"conntrack\"}},", false, 1 },
		{ IS("{\"fib\":{\"result\":\"oif\",\"flags\":[\"saddr\",\"iif\"]}}", "false"),
		  false, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char items[2048];
		size_t unjudged;
		bool drops;

		snprintf(items, sizeof(items),
			 SET("\"ports\",\"elem\":[22,{\"elem\":{\"val\":8088,\"timeout\":60}}]")
				 INPUT("accept") "{\"rule\":{" TABLE
						 ",\"chain\":\"input\",\"expr\":[%s" DROP "]}},",
			 cases[i].matches);
		drops = judge(items, FILTER_INPUT, FILTER_DROP, &unjudged);
		if (drops != cases[i].drops || unjudged != cases[i].unjudged)
			fail_msg("%s", cases[i].matches);
	}
}

static void chains_and_policies(void **state)
{
	static const struct {
		const char *what, *items;
		bool drops;
	} cases[] = {
		{ "a policy decides last", INPUT("drop"), true },
		{ "an accept before the policy",
		  INPUT("drop") RULE("input", IS(META("iif"), "\"lo\"") ACCEPT), false },
		{ "one that may accept it before the policy",
		  INPUT("drop") RULE("input", LIMIT ACCEPT), false },
		{ "one that only counts before the policy",
		  INPUT("drop") RULE("input", LIMIT "{\"log\":null}"), true },
		{ "a jump",
		  INPUT("accept") CHAIN("\"name\":\"user\"")
			  RULE("input", "{\"jump\":{\"target\":\"user\"}}") RULE("user", DROP),
		  true },
		{ "a jump that returns",
		  INPUT("accept") CHAIN("\"name\":\"user\"")
			  RULE("input", "{\"jump\":{\"target\":\"user\"}}")
				  RULE("user", "{\"return\":null}") RULE("user", DROP),
		  false },
		{ "what follows a jump that returns",
		  INPUT("accept") CHAIN("\"name\":\"user\"")
			  RULE("input", "{\"jump\":{\"target\":\"user\"}}") RULE("input", DROP),
		  true },
		{ "nothing follows a goto but the policy",
		  INPUT("accept") CHAIN("\"name\":\"user\"")
			  RULE("input", "{\"goto\":{\"target\":\"user\"}}") RULE("input", DROP),
		  false },
		{ "a loop",
		  INPUT("drop") CHAIN("\"name\":\"user\"")
			  RULE("input", "{\"jump\":{\"target\":\"user\"}}")
				  RULE("user", "{\"jump\":{\"target\":\"user\"}}"),
		  true },
		{ "a map of verdicts",
		  INPUT("accept")
			  RULE("input", "{\"vmap\":{\"key\":" CT ",\"data\":{\"set\":[[\"invalid\","
					"{\"accept\":null}],[\"new\",{\"drop\":null}]]}}}"),
		  true },
		{ "a map without the value",
		  INPUT("accept")
			  RULE("input", "{\"vmap\":{\"key\":" CT
					",\"data\":{\"set\":[[\"invalid\",{\"drop\":null}]]}}}"),
		  false },
		{ "a map that jumps",
		  INPUT("accept") CHAIN("\"name\":\"user\"")
			  RULE("input", "{\"vmap\":{\"key\":" META(
						"iifname") ",\"data\":{\"set\":[[\"lo\",{\"jump\":{"
							   "\"target\":\"user\"}}]]}}}")
				  RULE("user", DROP),
		  true },
		{ "an accept does not speak for the next chain of the hook",
		  INPUT("accept") RULE("input", ACCEPT)
			  CHAIN("\"name\":\"late\",\"type\":\"filter\",\"hook\":\"input\","
				"\"prio\":9,\"policy\":\"drop\""),
		  true },
		{ "a chain of another hook",
		  CHAIN("\"name\":\"output\",\"type\":\"filter\",\"hook\":\"output\",\"prio\":0,"
			"\"policy\":\"drop\""),
		  false },
		{ "a table of the bridge",
		  "{\"chain\":{\"family\":\"bridge\",\"table\":\"f\",\"name\":\"i\",\"type\":"
		  "\"filter\",\"hook\":\"input\",\"prio\":0,\"policy\":\"drop\"}},",
		  false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t unjudged;

		if (judge(cases[i].items, FILTER_INPUT, FILTER_DROP, &unjudged) != cases[i].drops)
			fail_msg("%s", cases[i].what);
	}
}

static void verdicts_of_prerouting(void **state)
{
#define PREROUTING(name, type)                                                                     \
	CHAIN("\"name\":\"" name "\",\"type\":\"" type                                             \
	      "\",\"hook\":\"prerouting\",\"prio\":0,\"policy\":\"accept\"")
	static const char raw[] = PREROUTING("raw", "filter")
		RULE("raw", IS(META("iif"), "\"lo\"") "{\"notrack\":null}");
	static const char nat[] = PREROUTING("nat", "nat")
		RULE("nat", IS(FIELD("tcp", "dport"), "8088") "{\"dnat\":{\"addr\":\"10.0.0.1\"}}");
	static const char exempt[] =
		PREROUTING("nat", "nat") RULE("nat", IS(META("iif"), "\"lo\"") ACCEPT)
			RULE("nat", IS(FIELD("tcp", "dport"), "8088") "{\"redirect\":null}");
	size_t unjudged;

	(void)state;
	assert_true(judge(raw, FILTER_PREROUTING, FILTER_NOTRACK, &unjudged));
	assert_false(judge(raw, FILTER_PREROUTING, FILTER_DROP, &unjudged));
	assert_true(judge(nat, FILTER_PREROUTING, FILTER_NAT, &unjudged));
	assert_false(judge(nat, FILTER_INPUT, FILTER_NAT, &unjudged));
	assert_false(judge(exempt, FILTER_PREROUTING, FILTER_NAT, &unjudged));
}

static void tables_of_iptables_are_left_out(void **state)
{
	static const char json[] =
		"{\"nftables\":[{\"chain\":{\"family\":\"ip\",\"table\":\"filter\",\"name\":"
		"\"INPUT\",\"type\":\"filter\",\"hook\":\"input\",\"prio\":0,\"policy\":\"drop\"}}]"
		"}";
	const struct filter_packet packet = request();
	static const struct iptables none;
	struct iptables own = {};
	const struct iptables *const taken[2] = { &own, &none };
	const struct iptables *const free_[2] = { &none, &own };
	struct nftables nft = {};
	char *table = NULL;
	struct nft_hit hit;
	size_t unjudged = 0;

	(void)state;
	assert_int_equal(iptables_parse(&own, "*filter\n", &table), 0);
	assert_int_equal(iptables_parse(&own, ":INPUT DROP [0:0]\n", &table), 0);
	assert_int_equal(nftables_parse(&nft, json), 0);
	assert_false(
		nftables_judge(&nft, taken, FILTER_INPUT, &packet, FILTER_DROP, &hit, &unjudged));
	assert_true(
		nftables_judge(&nft, free_, FILTER_INPUT, &packet, FILTER_DROP, &hit, &unjudged));
	assert_null(hit.rule);
	free(table);
	iptables_free(&own);
	nftables_free(&nft);
}

/* nft lists a table's chains and rules before those of the next one. */
static void rules_of_many_tables(void **state)
{
	char json[4096] = "{\"nftables\":[";
	struct nftables nft = {};

	(void)state;
	for (int i = 0; i < 5; i++) {
		size_t len = strlen(json);

		snprintf(json + len, sizeof(json) - len,
			 "%s{\"chain\":{\"family\":\"ip\",\"table\":\"t%d\",\"name\":\"c\"}},"
			 "{\"rule\":{\"family\":\"ip\",\"table\":\"t%d\",\"chain\":\"c\","
			 "\"handle\":9,\"expr\":[]}}",
			 i ? "," : "", i, i);
	}
	strcat(json, "]}");
	assert_int_equal(nftables_parse(&nft, json), 0);
	assert_int_equal(nft.chains.count, 5);
	for (size_t i = 0; i < nft.chains.count; i++)
		assert_int_equal(nft.chains.v[i].rules.count, 1);
	nftables_free(&nft);
}

static void what_is_not_a_ruleset(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[]",
		"{\"nftables\":{}}",
		"{\"nftables\":[{\"chain\":{}}]}",
		"{\"nftables\":[{\"chain\":[]}]}",
		"{\"nftables\":[{\"rule\":{\"family\":\"ip\",\"table\":\"f\",\"chain\":\"c\","
		"\"expr\":[]}}]}",
		"{\"nftables\":[" INPUT("drop") "{\"rule\":{" TABLE ",\"chain\":\"input\"}}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct nftables nft = {};

		if (nftables_parse(&nft, texts[i]) != -EPROTO)
			fail_msg("%s", texts[i]);
		nftables_free(&nft);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_that_drops),
		cmocka_unit_test(chains_and_policies),
		cmocka_unit_test(verdicts_of_prerouting),
		cmocka_unit_test(tables_of_iptables_are_left_out),
		cmocka_unit_test(rules_of_many_tables),
		cmocka_unit_test(what_is_not_a_ruleset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
