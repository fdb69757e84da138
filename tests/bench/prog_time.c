// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long hbpf's programs take for one packet, for scripts/bench.
 *
 *	prog_time BRIDGE PIN-DIRECTORY CLIENT GATEWAY PORT OTHER-PORT [RUNS]
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

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	union {
		struct tcphdr tcp;
		struct udphdr udp;
	};
} __attribute__((packed));

static int runs = RUNS;

struct bed {
	unsigned int ifindex;
	unsigned char mac[ETH_ALEN];
	in_addr_t client;
	in_addr_t gateway;
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

static in_addr_t address(const char *text)
{
	struct in_addr addr;

	if (inet_pton(AF_INET, text, &addr) != 1)
		error(2, 0, "%s: not an IPv4 address", text);
	return addr.s_addr;
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

/* The backstop is not pinned; those of other bridges have other maps. */
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

static __u16 ip_checksum(const struct iphdr *ip)
{
	const __u16 *words = (const __u16 *)ip;
	__u32 sum = 0;
	size_t i;

	for (i = 0; i < sizeof(*ip) / 2; i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Without a transport checksum: the programs update it and never verify it. */
static struct frame frame_to(const struct bed *bed, int proto, in_addr_t src, in_addr_t dst)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons(sizeof(struct frame) - sizeof(struct ethhdr)),
		.ttl = 64,
		.protocol = proto,
		.saddr = src,
		.daddr = dst,
	};
	struct frame frame = {
		.eth = { .h_source = { 2, 0, 0, 0, 0, 1 }, .h_proto = htons(ETH_P_IP) },
	};

	ip.check = ip_checksum(&ip);
	frame.ip = ip;
	memcpy(frame.eth.h_dest, bed->mac, ETH_ALEN);
	return frame;
}

static struct frame tcp(const struct bed *bed, in_addr_t src, in_port_t sport, in_addr_t dst,
			in_port_t dport)
{
	struct frame frame = frame_to(bed, IPPROTO_TCP, src, dst);

	frame.tcp.source = sport;
	frame.tcp.dest = dport;
	frame.tcp.doff = 5;
	frame.tcp.ack = 1;
	return frame;
}

static struct frame udp(const struct bed *bed, in_addr_t src, in_port_t sport, in_addr_t dst,
			in_port_t dport)
{
	struct frame frame = frame_to(bed, IPPROTO_UDP, src, dst);

	frame.udp.source = sport;
	frame.udp.dest = dport;
	frame.udp.len = htons(sizeof(frame) - sizeof(frame.eth) - sizeof(frame.ip));
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
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(*frame),
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .ctx_out = &ctx,
		    .ctx_size_out = sizeof(ctx), .repeat = 1);

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
			frame.udp.source = htons(CLIENT_PORT + 1 + i);
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

static void measure(const struct bed *bed)
{
	const in_addr_t far = address("192.0.2.1"), lo = htonl(INADDR_LOOPBACK);
	const in_port_t from = htons(CLIENT_PORT);
	struct frame syn = tcp(bed, bed->client, from, bed->gateway, bed->port);
	const struct timed cases[] = {
		{ "in  TCP to the internet", bed->ingress, TC_UNSPEC,
		  tcp(bed, bed->client, from, far, htons(443)), false, false },
		{ "in  TCP to the gateway, port not exported", bed->ingress, TC_UNSPEC,
		  tcp(bed, bed->client, from, bed->gateway, bed->other_port), false, false },
		{ "in  TCP segment to an exported port", bed->ingress, TC_REDIRECT,
		  tcp(bed, bed->client, from, bed->gateway, bed->port), false, false },
		{ "in  UDP to an exported port", bed->ingress, TC_REDIRECT,
		  udp(bed, bed->client, from, bed->gateway, bed->port), false, false },
		{ "in  UDP to an exported port, a new flow", bed->ingress, TC_REDIRECT,
		  udp(bed, bed->client, from, bed->gateway, bed->port), true, false },
		{ "in  spoofed source 127.0.0.1 (dropped)", bed->ingress, TC_SHOT,
		  tcp(bed, lo, from, bed->gateway, bed->port), false, false },
		{ "in  TCP to the internet: the backstop behind that program", bed->backstop,
		  TC_UNSPEC, tcp(bed, bed->client, from, far, htons(443)), false, true },
		{ "in  TCP to the internet: the backstop alone", bed->backstop, TC_UNSPEC,
		  tcp(bed, bed->client, from, far, htons(443)), false, false },
		{ "out TCP of the host or the internet", bed->egress, TC_UNSPEC,
		  tcp(bed, far, htons(443), bed->client, from), false, false },
		{ "out UDP of the host or the internet", bed->egress, TC_UNSPEC,
		  udp(bed, far, htons(443), bed->client, from), false, false },
		{ "out TCP answer of an exported service", bed->egress, TC_UNSPEC,
		  tcp(bed, lo, bed->port, bed->client, from), false, false },
		{ "out UDP answer of an exported service", bed->egress, TC_UNSPEC,
		  udp(bed, lo, bed->port, bed->client, from), false, false },
	};
	int empty = empty_program(), answer;
	__u32 cookie[2] = {};
	size_t i;

	/* opens the flow of the segments and the answers */
	syn.tcp.ack = 0;
	syn.tcp.syn = 1;
	run(bed, bed->ingress, &syn, cookie, &answer);

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		long base = empty_median(bed, empty, &cases[i]);
		long time = median(bed, &cases[i]);

		printf("%s|%ld\n", cases[i].name, time > base ? time - base : 0);
	}
}

/* The ingress program's mark in a packet that it passes. */
static void read_cookie(struct bed *bed)
{
	struct frame frame =
		tcp(bed, bed->client, htons(CLIENT_PORT), address("192.0.2.1"), htons(443));
	int answer;

	run(bed, bed->ingress, &frame, bed->cookie, &answer);
	if (answer != TC_UNSPEC || !bed->cookie[0])
		error(1, 0, "hbpf_ingress marked no packet");
}

int main(int argc, char **argv)
{
	struct bed bed = {};

	if (argc == 8)
		runs = atoi(argv[7]);
	if ((argc != 7 && argc != 8) || runs < 1 || runs > RUNS)
		error(2, 0,
		      "usage: prog_time BRIDGE PIN-DIRECTORY CLIENT GATEWAY PORT OTHER-PORT [RUNS]");
	bed.ifindex = if_nametoindex(argv[1]);
	bridge_mac(argv[1], bed.mac);
	bed.ingress = program_of(argv[2], "link_ingress");
	bed.egress = program_of(argv[2], "link_egress");
	bed.backstop = backstop_of(bed.ingress);
	bed.client = address(argv[3]);
	bed.gateway = address(argv[4]);
	bed.port = htons(atoi(argv[5]));
	bed.other_port = htons(atoi(argv[6]));
	read_cookie(&bed);
	measure(&bed);
	return 0;
}
