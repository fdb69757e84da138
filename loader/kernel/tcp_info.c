/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/tcp_info.h"

#include <linux/tcp.h>
#include <string.h>

struct tcp_traffic tcp_info_traffic(const void *info, size_t len)
{
	const size_t needed = offsetof(struct tcp_info, tcpi_segs_in) +
			      sizeof(((struct tcp_info *)0)->tcpi_segs_in);
	struct tcp_info copy = {};
	__u32 received, sent;

	if (len < needed)
		return (struct tcp_traffic){};
	/* netlink aligns to 4 bytes only */
	memcpy(&copy, info, len < sizeof(copy) ? len : sizeof(copy));
	received = copy.tcpi_last_data_recv;
	sent = copy.tcpi_last_data_sent;
	return (struct tcp_traffic){
		.known = true,
		.in_packets = copy.tcpi_segs_in,
		.in_bytes = copy.tcpi_bytes_received,
		.out_packets = copy.tcpi_segs_out,
		.out_bytes = copy.tcpi_bytes_acked,
		.idle_ms = received < sent ? received : sent,
	};
}
