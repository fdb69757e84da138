/* SPDX-License-Identifier: GPL-2.0-only */
/* Constants of the kernel's ABI. They are macros in the kernel, so vmlinux.h does not have them. */
#ifndef HBPF_BPF_ABI_H
#define HBPF_BPF_ABI_H

/* linux/pkt_cls.h */
#define TC_ACT_UNSPEC (-1) /* = TCX_NEXT: the next program on the hook decides */
#define TC_ACT_SHOT   2

/* Every network namespace's first device is lo (net/core/dev.c: loopback_net_init). */
#define LOOPBACK_IFINDEX 1

/* linux/if_ether.h, linux/if_packet.h, linux/if_arp.h */
#define ETH_ALEN      6
#define ETH_HLEN      14
#define ETH_P_IP      0x0800
#define ETH_P_ARP     0x0806
#define ETH_P_8021Q   0x8100
#define ETH_P_IPV6    0x86dd
#define ETH_P_8021AD  0x88a8
#define PACKET_HOST   0
#define VLAN_VID_MASK 0x0fff

/* RFC 791 */
#define IPV4_SRC    12 /* offsets of the addresses in the header */
#define IPV4_DST    16
#define IPV4_MF     0x2000
#define IPV4_OFFSET 0x1fff
#define IPOPT_END   0
#define IPOPT_NOOP  1
#define IPOPT_LSRR  131
#define IPOPT_SSRR  137

/* RFC 8200, RFC 4302 */
#define IPV6_HEADER      40 /* bytes, without extensions */
#define IPV6_SRC         8
#define IPV6_DST         24
#define NEXTHDR_HOP      0
#define NEXTHDR_ROUTING  43
#define NEXTHDR_FRAGMENT 44
#define NEXTHDR_AUTH     51
#define NEXTHDR_ICMP     58
#define NEXTHDR_DEST     60
#define IPV6_MF          0x0001

/* RFC 768, RFC 9293 */
#define UDP_HEADER   8 /* bytes, without options */
#define TCP_HEADER   20
#define TCP_SEQ      4 /* offset of the sequence number in it */
#define TCP_FLAG_FIN 0x01
#define TCP_FLAG_SYN 0x02
#define TCP_FLAG_RST 0x04
#define TCP_FLAG_ACK 0x10

/* RFC 792: the errors, which quote a header */
#define ICMP_DEST_UNREACH   3
#define ICMP_PORT           3 /* its code: port unreachable */
#define ICMP_TIME_EXCEEDED  11
#define ICMP_PARAMETERPROB  12
/* RFC 4443: the same */
#define ICMPV6_DEST_UNREACH 1
#define ICMPV6_PORT         4
#define ICMPV6_PARAMPROB    4

#endif /* HBPF_BPF_ABI_H */
