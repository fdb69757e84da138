/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses and prefixes: what is read and written again is read as the same. */
#include "lib/addr.h"
#include "word.h"

#include <errno.h>

static void word_test(char *text)
{
	char written[PREFIX_STRLEN];
	struct prefix prefix, again;
	struct hbpf_addr addr, same;
	int rc;

	if (!addr_parse(text, &addr)) {
		must(!addr_parse(addr_format(&addr, written), &same));
		must(addr_equal(&addr, &same) && !addr_compare(&addr, &same));
	}
	rc = prefix_parse(text, &prefix);
	must(!rc || rc == -EINVAL || rc == -ERANGE);
	/* ::ffff:0:0/90 is longer than IPv4, and has no IPv4 form */
	if (rc == -EINVAL || (addr_is_v4(&prefix.addr) && prefix.len < 96))
		return;
	must(!prefix_parse(prefix_format(&prefix, written), &again));
	must(prefix.len == again.len && addr_equal(&prefix.addr, &again.addr));
}
