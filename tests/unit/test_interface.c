/* SPDX-License-Identifier: GPL-2.0-only */
/* Kinds that the tests' kernel may lack, too: bond, VLAN, WireGuard, physical interfaces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <net/if_arp.h>
#include "attach/interface.h"
#include "lib/array.h"

/* bond0, br0 and the VRF red, of which others are ports; by index */
enum { BOND = 1, BRIDGE, VRF };
static struct link masters[] = {
	{ .ifindex = BOND, .name = "bond0", .kind = "bond", .type = ARPHRD_ETHER },
	{ .ifindex = BRIDGE, .name = "br0", .kind = "bridge", .type = ARPHRD_ETHER },
	{ .ifindex = VRF, .name = "red", .kind = "vrf", .type = ARPHRD_ETHER },
};
static const struct host host = { .links = { masters, ARRAY_SIZE(masters) } };

static const struct {
	const char *kind; /* as the kernel has it */
	unsigned short type;
	unsigned int master;
	const char *shown;
	bool own_clients;
	const char *refused; /* part of the error or its hint, or NULL */
} cases[] = {
	{ "bridge", ARPHRD_ETHER, 0, "bridge", true, NULL },
	{ "veth", ARPHRD_ETHER, 0, "veth", true, NULL },
	{ "tun", ARPHRD_ETHER, 0, "tap", true, NULL },
	/* behind these is a LAN */
	{ "", ARPHRD_ETHER, 0, "physical", false, NULL },
	{ "bond", ARPHRD_ETHER, 0, "bond", false, NULL },
	{ "vlan", ARPHRD_ETHER, 0, "vlan", false, NULL },
	{ "macvlan", ARPHRD_ETHER, 0, "macvlan", false, NULL },
	{ "vxlan", ARPHRD_ETHER, 0, "vxlan", false, NULL },
	/* ports */
	{ "", ARPHRD_ETHER, BOND, "physical", false, "attach bond0" },
	{ "veth", ARPHRD_ETHER, BRIDGE, "veth", false, "attach br0" },
	{ "tun", ARPHRD_ETHER, BRIDGE, "tap", false, "attach br0" },
	{ "bridge", ARPHRD_ETHER, VRF, "bridge", true, "nomaster" },
	/* no Ethernet */
	{ "tun", ARPHRD_NONE, 0, "tun", false, "no Ethernet header" },
	{ "wireguard", ARPHRD_NONE, 0, "wireguard", false, "no Ethernet header" },
	{ "gre", ARPHRD_IPGRE, 0, "gre", false, "no Ethernet header" },
	{ "", ARPHRD_PPP, 0, "physical", false, "no Ethernet header" },
	/* whose packets cannot be served or guarded */
	{ "", ARPHRD_LOOPBACK, 0, "loopback", false, "no client is behind it" },
	{ "vrf", ARPHRD_ETHER, 0, "vrf", false, "cannot reach the host's lo" },
	{ "macvtap", ARPHRD_ETHER, 0, "macvtap", false, "does not reach this host" },
	{ "ipvlan", ARPHRD_ETHER, 0, "ipvlan", false, "bypass tc" },
};

static void every_kind_is_served_or_refused_with_the_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct link link = { .ifindex = 9,
				     .name = "if9",
				     .type = cases[i].type,
				     .master = cases[i].master };
		struct error err = {};
		int ret;

		strcpy(link.kind, cases[i].kind);
		ret = interface_check(&host, &link, &err);
		assert_string_equal(interface_kind(&link), cases[i].shown);
		assert_int_equal(interface_has_own_clients(&link), cases[i].own_clients);
		assert_int_equal(ret != 0, cases[i].refused != NULL);
		if (cases[i].refused && !strstr(err.what, cases[i].refused) &&
		    !strstr(err.hint, cases[i].refused))
			fail_msg("%s: '%s' is not in: %s; %s", cases[i].shown, cases[i].refused,
				 err.what, err.hint);
		error_free(&err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_served_or_refused_with_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
