/* SPDX-License-Identifier: GPL-2.0-only */
/* Headers of frames, whole and cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include "frames.h"
#include "lib/addr.h"
#include "lib/array.h"
#include "lib/frame.h"

/* "PROTO SOURCE DESTINATION" */
static const char *path_text(const struct frame_path *path, char *buf, size_t size)
{
	char src[ENDPOINT_STRLEN], dst[ENDPOINT_STRLEN];

	snprintf(buf, size, "%d %s %s", path->proto,
		 endpoint_format(&path->src.addr, path->src.port, src),
		 endpoint_format(&path->dst.addr, path->dst.port, dst));
	return buf;
}

static void addresses_protocol_and_ports_are_read(void **state)
{
	static const struct {
		const char *hex;
		const char *path;
		const char *quote; /* NULL: none */
	} frames[] = {
		{ FRAME_TCP, "6 172.30.0.2:40000 172.30.0.1:80", NULL },
		{ FRAME_OPTIONS, "17 172.30.0.2:40000 172.30.0.1:53", NULL },
		{ FRAME_LATER_FRAGMENT, "6 172.30.0.2:0 172.30.0.1:0", NULL },
		{ FRAME_TCP6, "6 [fd00:30::2]:40000 [fd00:30::1]:80", NULL },
		{ FRAME_LATER_FRAGMENT6, "17 [fd00:30::2]:0 [fd00:30::1]:0", NULL },
		{ FRAME_ARP, "0 127.0.0.1:0 172.30.0.1:0", NULL },
		{ FRAME_TAGS, "17 127.0.0.1:4444 172.30.0.1:80", NULL },
		{ FRAME_UNREACHABLE, "1 172.30.0.1:0 172.30.0.2:0",
		  "17 172.30.0.2:40000 172.30.0.1:53" },
		{ FRAME_UNREACHABLE6, "58 [fd00:30::1]:0 [fd00:30::2]:0",
		  "17 [fd00:30::2]:40000 [fd00:30::1]:53" },
		{ FRAME_ECHO, "1 172.30.0.2:0 127.0.0.1:0", NULL },
		{ FRAME_GRE, "47 127.0.0.1:0 172.30.0.1:0", NULL },
	};
	char buf[2 * ENDPOINT_STRLEN + 8], mac[MAC_STRLEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		__u8 bytes[256];
		struct frame frame = frame_parse(bytes, frame_bytes(frames[i].hex, bytes));

		assert_true(frame.has_path);
		assert_string_equal(mac_format(frame.src_mac, mac), "02:00:00:00:00:02");
		assert_string_equal(path_text(&frame.path, buf, sizeof(buf)), frames[i].path);
		assert_int_equal(frame.has_quote, frames[i].quote != NULL);
		if (frames[i].quote)
			assert_string_equal(path_text(&frame.quote, buf, sizeof(buf)),
					    frames[i].quote);
	}
}

/* Each length is a buffer of its own, so that valgrind and ASan see a byte too many. */
static void a_frame_may_be_cut_anywhere(void **state)
{
	static const char *const frames[] = { FRAME_TCP,         FRAME_OPTIONS, FRAME_TCP6,
					      FRAME_ARP,         FRAME_TAGS,    FRAME_UNREACHABLE,
					      FRAME_UNREACHABLE6 };
	__u8 bytes[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		size_t whole = frame_bytes(frames[i], bytes);

		for (size_t len = 0; len < whole; len++) {
			__u8 *cut = malloc(len + 1);
			struct frame frame;

			assert_non_null(cut);
			memcpy(cut, bytes, len);
			frame = frame_parse(cut, len);
			assert_true(len < 14 ? !frame.ethertype : frame.ethertype);
			assert_true(len >= 34 || !frame.has_path);
			free(cut);
		}
	}
}

static void mac_addresses_are_read_as_they_are_written(void **state)
{
	char buf[MAC_STRLEN];
	__u8 mac[ETH_ALEN];

	(void)state;
	assert_int_equal(mac_parse("02:42:AC:1e:00:0f", mac), 0);
	assert_string_equal(mac_format(mac, buf), "02:42:ac:1e:00:0f");
	assert_int_equal(mac_parse("", mac), -EINVAL);
	assert_string_equal(mac_format(mac, buf), "00:00:00:00:00:00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_protocol_and_ports_are_read),
		cmocka_unit_test(a_frame_may_be_cut_anywhere),
		cmocka_unit_test(mac_addresses_are_read_as_they_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
