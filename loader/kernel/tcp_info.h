/* SPDX-License-Identifier: GPL-2.0-only */
/* struct tcp_info of <linux/tcp.h>, which cannot be included beside <netinet/tcp.h>. */
#ifndef HBPF_TCP_INFO_H
#define HBPF_TCP_INFO_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* What a TCP socket received and sent. */
struct tcp_traffic {
	bool known;
	__u64 in_packets; /* segments, also without data */
	__u64 in_bytes;   /* of data */
	__u64 out_packets;
	__u64 out_bytes; /* acknowledged by the peer */
	__u32 idle_ms;   /* since data was last received or sent; at first since it was opened */
};

/** tcp_info_traffic() - @info of @len bytes, as the kernel reported it; kernels append members */
struct tcp_traffic tcp_info_traffic(const void *info, size_t len);

#endif /* HBPF_TCP_INFO_H */
