// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long hbpf's programs take for one packet, for scripts/bench.
 *
 *	prog_time BRIDGE PIN-DIRECTORY CLIENT GATEWAY CLIENT6 GATEWAY6 PORT OTHER-PORT [RUNS]
 *
 * Run in the host's network namespace, with PORT exported by tcx and OTHER-PORT
 * not. Prints PACKET|NANOSECONDS lines.
 *
 * BPF_PROG_TEST_RUN passes a packet to a program without sending it anywhere.
 * Each run has its own packet, since the programs rewrite them. The result is
 * the median time less that of an empty program, without the cost of a redirect.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <error.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/array.h"

#define RUNS        20000 /* at most, and without RUNS */
#define CLIENT_PORT 40000
#define TC_UNSPEC   (-1)
#define TC_SHOT     2
#define TC_REDIRECT 7
#define MAPS_MOST   16

union transport {
	struct tcphdr tcp;
	struct udphdr udp;
} __attribute__((packed));

struct frame {
	struct ethhdr eth;
	union {
		struct {
			struct iphdr ip;
			union transport l4;
		} __attribute__((packed));
		struct {
			struct ip6_hdr ip6;
			union transport l4_of_6;
		} __attribute__((packed));
	};
} __attribute__((packed));

#define FRAME_SIZE  (sizeof(struct ethhdr) + sizeof(struct iphdr) + sizeof(union transport))
#define FRAME6_SIZE (sizeof(struct ethhdr) + sizeof(struct ip6_hdr) + sizeof(union transport))

/* The addresses of one family. */
struct ends {
	struct in6_addr client, gateway, far, loopback; /* IPv4 addresses are v4-mapped */
};

static int runs = RUNS;

struct bed {
	unsigned int ifindex;
	unsigned char mac[ETH_ALEN];
	struct ends v4, v6;
	in_port_t port;
	in_port_t other_port;
	int ingress;
	int egress;
	int backstop;
	__u32 cookie[2]; /* the ingress program's mark in skb->cb, bpf/cookie.h */
};

/* One line of the output. */
struct timed {
	const char *name;
	int program;
	int expected; /* its return value */
	struct frame frame;
	bool new_flows; /* each run's packet opens one */
	bool cookie;    /* the packet comes from the ingress program */
};

static struct in6_addr address(const char *text)
{
	struct in6_addr addr = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (inet_pton(AF_INET, text, &addr.s6_addr32[3]) != 1 &&
	    inet_pton(AF_INET6, text, &addr) != 1)
		error(2, 0, "%s: not an address", text);
	return addr;
}

static void bridge_mac(const char *bridge, unsigned char *mac)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq ifr = {};

	strncpy(ifr.ifr_name, bridge, sizeof(ifr.ifr_name) - 1);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &ifr))
		error(1, errno, "%s", bridge);
	memcpy(mac, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
	close(fd);
}

/* The program behind a pinned tcx link. */
static int program_of(const char *directory, const char *link)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, link);
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		error(1, errno, "%s", path);
	close(fd);
	fd = bpf_prog_get_fd_by_id(info.prog_id);
	if (fd < 0)
		error(1, errno, "program of %s", path);
	return fd;
}

/* Information about a program. */
struct program {
	struct bpf_prog_info info;
	__u32 maps[MAPS_MOST]; /* their IDs, info.nr_map_ids of them */
};

static void ask(int fd, struct program *program)
{
	__u32 size = sizeof(program->info);

	program->info = (struct bpf_prog_info){
		.nr_map_ids = MAPS_MOST,
		.map_ids = (__u64)(uintptr_t)program->maps,
	};
	if (bpf_obj_get_info_by_fd(fd, &program->info, &size))
		error(1, errno, "cannot ask about a program");
	if (program->info.nr_map_ids > MAPS_MOST)
		program->info.nr_map_ids = MAPS_MOST;
}

static bool share_a_map(const struct program *one, const struct program *other)
{
	for (__u32 i = 0; i < one->info.nr_map_ids; i++) {
		for (__u32 j = 0; j < other->info.nr_map_ids; j++) {
			if (one->maps[i] == other->maps[j])
				return true;
		}
	}
	return false;
}

/* The backstops of other network namespaces have other maps. */
static int backstop_of(int ingress)
{
	struct program guard, other;
	__u32 id = 0;
	int fd;

	ask(ingress, &guard);
	while (!bpf_prog_get_next_id(id, &id)) {
		fd = bpf_prog_get_fd_by_id(id);
		if (fd < 0)
			continue; /* unloaded meanwhile */
		ask(fd, &other);
		if (!strcmp(other.info.name, "hbpf_backstop") && share_a_map(&guard, &other))
			return fd;
		close(fd);
	}
	error(1, 0, "no hbpf_backstop is loaded for the bridge");
	return -1;
}

/* return TC_ACT_UNSPEC; */
static int empty_program(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_UNSPEC },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "empty", "GPL", insns, 2, NULL);

	if (fd < 0)
		error(1, errno, "cannot load a program");
	return fd;
}

static __u16 ip_checksum(struct iphdr ip)
{
	__u16 words[sizeof(ip) / 2];
	__u32 sum = 0;
	size_t i;

	memcpy(words, &ip, sizeof(ip));
	for (i = 0; i < ARRAY_SIZE(words); i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static bool is_ipv6(const struct frame *frame)
{
	return frame->eth.h_proto == htons(ETH_P_IPV6);
}

static union transport *transport_of(struct frame *frame)
{
	return is_ipv6(frame) ? &frame->l4_of_6 : &frame->l4;
}

/*
 * A frame from one address to another, and where its transport header is. Without a transport
 * checksum: the programs update it and never verify it.
 */
static union transport *frame_to(const struct bed *bed, int proto, const struct in6_addr *src,
				 const struct in6_addr *dst, struct frame *frame)
{
	*frame = (struct frame){ .eth = { .h_source = { 2, 0, 0, 0, 0, 1 } } };
	memcpy(frame->eth.h_dest, bed->mac, ETH_ALEN);
	if (!IN6_IS_ADDR_V4MAPPED(src)) {
		frame->eth.h_proto = htons(ETH_P_IPV6);
		frame->ip6.ip6_flow = htonl(6U << 28);
		frame->ip6.ip6_plen = htons(sizeof(union transport));
		frame->ip6.ip6_nxt = proto;
		frame->ip6.ip6_hlim = 64;
		frame->ip6.ip6_src = *src;
		frame->ip6.ip6_dst = *dst;
		return transport_of(frame);
	}
	frame->eth.h_proto = htons(ETH_P_IP);
	frame->ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tot_len = htons(sizeof(struct iphdr) + sizeof(union transport)),
		.ttl = 64,
		.protocol = proto,
		.saddr = src->s6_addr32[3],
		.daddr = dst->s6_addr32[3],
	};
	frame->ip.check = ip_checksum(frame->ip);
	return transport_of(frame);
}

static struct frame tcp(const struct bed *bed, const struct in6_addr *src, in_port_t sport,
			const struct in6_addr *dst, in_port_t dport)
{
	struct frame frame;
	union transport *l4 = frame_to(bed, IPPROTO_TCP, src, dst, &frame);

	l4->tcp.source = sport;
	l4->tcp.dest = dport;
	l4->tcp.doff = 5;
	l4->tcp.ack = 1;
	return frame;
}

static struct frame udp(const struct bed *bed, const struct in6_addr *src, in_port_t sport,
			const struct in6_addr *dst, in_port_t dport)
{
	struct frame frame;
	union transport *l4 = frame_to(bed, IPPROTO_UDP, src, dst, &frame);

	l4->udp.source = sport;
	l4->udp.dest = dport;
	l4->udp.len = htons(sizeof(union transport));
	return frame;
}

/*
 * run() - one packet through a program
 * @cookie:	skb->cb before, and after the program
 *
 * Return: nanoseconds; the program's return value in @answer.
 */
static __u32 run(const struct bed *bed, int program, const struct frame *frame, __u32 cookie[2],
		 int *answer)
{
	struct __sk_buff ctx = { .ifindex = bed->ifindex, .cb = { cookie[0], cookie[1] } };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = is_ipv6(frame) ? FRAME6_SIZE : FRAME_SIZE, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .ctx_out = &ctx, .ctx_size_out = sizeof(ctx),
		    .repeat = 1);

	if (bpf_prog_test_run_opts(program, &opts))
		error(1, errno, "BPF_PROG_TEST_RUN");
	memcpy(cookie, ctx.cb, sizeof(__u32[2]));
	*answer = opts.retval;
	return opts.duration;
}

static int compare(const void *a, const void *b)
{
	__u32 x = *(const __u32 *)a, y = *(const __u32 *)b;

	return (x > y) - (x < y);
}

static __u32 median(const struct bed *bed, const struct timed *timed)
{
	struct frame frame = timed->frame;
	static __u32 times[RUNS];
	int answer, i;

	for (i = 0; i < runs; i++) {
		__u32 cookie[2] = {};

		if (timed->cookie)
			memcpy(cookie, bed->cookie, sizeof(cookie));
		if (timed->new_flows)
			transport_of(&frame)->udp.source = htons(CLIENT_PORT + 1 + i);
		times[i] = run(bed, timed->program, &frame, cookie, &answer);
		/* the time of the wrong path would mislead */
		if (answer != timed->expected)
			error(1, 0, "%s: answered %d, expected %d", timed->name, answer,
			      timed->expected);
	}
	qsort(times, runs, sizeof(*times), compare);
	return times[runs / 2];
}

static long empty_median(const struct bed *bed, int empty, const struct timed *timed)
{
	struct timed same = *timed;

	same.program = empty;
	same.expected = TC_UNSPEC;
	same.new_flows = false;
	return median(bed, &same);
}

static void print(const struct bed *bed, const char *family, const struct timed *timed, int empty)
{
	long base = empty_median(bed, empty, timed);
	long time = median(bed, timed);

	printf("%s%s|%ld\n", timed->name, family, time > base ? time - base : 0);
}

static void measure(const struct bed *bed, const struct ends *ends, const char *family)
{
	const struct in6_addr *client = &ends->client, *gateway = &ends->gateway, *far = &ends->far;
	const struct in6_addr *lo = &ends->loopback;
	const in_port_t from = htons(CLIENT_PORT), https = htons(443);
	struct frame syn = tcp(bed, client, from, gateway, bed->port);
	const struct timed cases[] = {
		{ "in  TCP to the internet", bed->ingress, TC_UNSPEC,
		  tcp(bed, client, from, far, https), false, false },
		{ "in  TCP to the gateway, port not exported", bed->ingress, TC_UNSPEC,
		  tcp(bed, client, from, gateway, bed->other_port), false, false },
		{ "in  TCP segment to an exported port", bed->ingress, TC_REDIRECT,
		  tcp(bed, client, from, gateway, bed->port), false, false },
		{ "in  UDP to an exported port", bed->ingress, TC_REDIRECT,
		  udp(bed, client, from, gateway, bed->port), false, false },
		{ "in  UDP to an exported port, a new flow", bed->ingress, TC_REDIRECT,
		  udp(bed, client, from, gateway, bed->port), true, false },
		{ "in  spoofed loopback source (dropped)", bed->ingress, TC_SHOT,
		  tcp(bed, lo, from, gateway, bed->port), false, false },
		{ "in  TCP to the internet: the backstop behind that program", bed->backstop,
		  TC_UNSPEC, tcp(bed, client, from, far, https), false, true },
		{ "in  TCP to the internet: the backstop alone", bed->backstop, TC_UNSPEC,
		  tcp(bed, client, from, far, https), false, false },
		{ "out TCP of the host or the internet", bed->egress, TC_UNSPEC,
		  tcp(bed, far, https, client, from), false, false },
		{ "out UDP of the host or the internet", bed->egress, TC_UNSPEC,
		  udp(bed, far, https, client, from), false, false },
		{ "out TCP answer of an exported service", bed->egress, TC_UNSPEC,
		  tcp(bed, lo, bed->port, client, from), false, false },
		{ "out UDP answer of an exported service", bed->egress, TC_UNSPEC,
		  udp(bed, lo, bed->port, client, from), false, false },
	};
	int empty = empty_program(), answer;
	__u32 cookie[2] = {};
	size_t i;

	/* opens the flow of the segments and the answers */
	transport_of(&syn)->tcp.ack = 0;
	transport_of(&syn)->tcp.syn = 1;
	run(bed, bed->ingress, &syn, cookie, &answer);

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		print(bed, family, &cases[i], empty);
	close(empty);
}

/* The ingress program's mark in a packet that it passes. */
static void read_cookie(struct bed *bed)
{
	struct frame frame =
		tcp(bed, &bed->v4.client, htons(CLIENT_PORT), &bed->v4.far, htons(443));
	int answer;

	run(bed, bed->ingress, &frame, bed->cookie, &answer);
	if (answer != TC_UNSPEC || !bed->cookie[0])
		error(1, 0, "hbpf_ingress marked no packet");
}

int main(int argc, char **argv)
{
	struct bed bed = {
		.v4 = { .far = address("192.0.2.1"), .loopback = address("127.0.0.1") },
		.v6 = { .far = address("2001:db8::1"), .loopback = address("::1") },
	};

	if (argc == 10)
		runs = atoi(argv[9]);
	if ((argc != 9 && argc != 10) || runs < 1 || runs > RUNS)
		error(2, 0,
		      "usage: prog_time BRIDGE PIN-DIRECTORY CLIENT GATEWAY CLIENT6 GATEWAY6 PORT "
		      "OTHER-PORT [RUNS]");
	bed.ifindex = if_nametoindex(argv[1]);
	bridge_mac(argv[1], bed.mac);
	bed.ingress = program_of(argv[2], "link_ingress");
	bed.egress = program_of(argv[2], "link_egress");
	bed.backstop = backstop_of(bed.ingress);
	bed.v4.client = address(argv[3]);
	bed.v4.gateway = address(argv[4]);
	bed.v6.client = address(argv[5]);
	bed.v6.gateway = address(argv[6]);
	bed.port = htons(atoi(argv[7]));
	bed.other_port = htons(atoi(argv[8]));
	read_cookie(&bed);
	measure(&bed, &bed.v4, "");
	measure(&bed, &bed.v6, ", IPv6");
	return 0;
}
