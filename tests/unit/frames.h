/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames made with Scapy, in hexadecimal: from 02:00:00:00:00:02 to 02:00:00:00:00:01. */
#ifndef FRAMES_H
#define FRAMES_H

#include <linux/types.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define ETHER  "020000000001020000000002"
#define CLIENT "ac1e0002" /* 172.30.0.2 */
#define BRIDGE "ac1e0001" /* 172.30.0.1 */

/* fd00:30::2, fd00:30::1 */
#define CLIENT6 "fd000030000000000000000000000002"
#define BRIDGE6 "fd000030000000000000000000000001"

/* 40000 -> 80, SYN */
#define FRAME_TCP                                                                                  \
	ETHER "0800450000280001000040062290" CLIENT BRIDGE "9c400050000000000000000050022000"      \
	      "9b120000"
/* 40000 -> 53, with four bytes of options */
#define FRAME_OPTIONS        ETHER "0800460000200001000040111f8b" CLIENT BRIDGE "010101019c40003500080b29"
#define FRAME_LATER_FRAGMENT ETHER "08004500001c0001000a40062298" CLIENT BRIDGE "7878787878787878"
/* destination options, a fragment header of the first fragment, 40000 -> 80 */
#define FRAME_TCP6                                                                                 \
	ETHER "86dd6000000000243c40" CLIENT6 BRIDGE6 "2c000104000000000600000100000000"            \
	      "9c400050000000000000000050022000f8ed0000"
#define FRAME_LATER_FRAGMENT6                                                                      \
	ETHER "86dd6000000000102c40" CLIENT6 BRIDGE6 "11000050000000007878787878787878"
/* who-has 172.30.0.1 tell 127.0.0.1 */
#define FRAME_ARP ETHER "080600010800060400010200000000027f000001000000000000" BRIDGE
/* two priority tags, 127.0.0.1:4444 -> 172.30.0.1:80 */
#define FRAME_TAGS                                                                                 \
	ETHER "810000008100000008004500001c0001000040114fb07f000001" BRIDGE "115c00500008c311"
/* port unreachable from the bridge, about 40000 -> 53 */
#define FRAME_UNREACHABLE                                                                          \
	ETHER "0800450000380001000040012285" BRIDGE CLIENT "0303555600000000"                      \
	      "4500001c0001000040112291" CLIENT BRIDGE "9c40003500080b29"
#define FRAME_UNREACHABLE6                                                                         \
	ETHER "86dd6000000000383a40" BRIDGE6 CLIENT6 "010492f500000000"                            \
	      "6000000000081140" CLIENT6 BRIDGE6 "9c40003500086904"
/* echo request to 127.0.0.1 */
#define FRAME_ECHO ETHER "08004500001c0001000040014fbf" CLIENT "7f0000010800f7ff00000000"
/* 81 -> 40001, RST and ACK */
#define FRAME_RST                                                                                  \
	ETHER "0800450000280001000040062290" BRIDGE CLIENT                                         \
	      "00519c410000000000000000501420009afe0000"
/* 127.0.0.1 -> 172.30.0.1 */
#define FRAME_GRE ETHER "08004500001c00010000402f4f927f000001" BRIDGE "0000000000000000"

/* Return: the number of bytes written to @to */
static inline size_t frame_bytes(const char *hex, __u8 *to)
{
	size_t len = strlen(hex) / 2;

	for (size_t i = 0; i < len; i++) {
		const char digits[] = { hex[2 * i], hex[2 * i + 1], '\0' };

		to[i] = (__u8)strtoul(digits, NULL, 16);
	}
	return len;
}

#endif /* FRAMES_H */
