/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A real connection from a client that exists for a moment (kernel/throwaway_ns.h). The counters of
 * the programs, and the sockets of the host, show how far it came:
 *
 *	bridge ingress      IN_* counters; a port's own where the packet is translated
 *	lo, INPUT, socket   a socket of the host with the client's address
 *	OUTPUT, egress      the port's counter of answers
 *	client              connect()
 *
 * Counters include what other clients do at the same time. Only if the connection fails, they are
 * looked at.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attach/interface.h"
#include "attach/reply_route.h"
#include "dataplane/stats.h"
#include "doctor/checks.h"
#include "kernel/throwaway_ns.h"
#include "lib/clock.h"
#include "lib/str_list.h"
#include "model/reasons.h"

#define CONNECT_MS 2500 /* two repetitions of the SYN */
#define CLOSE_MS   200
#define ANSWER_MS  1000 /* of UDP */
#define ADDRESSES  8    /* that are tried, before the prefix counts as full */
/* The counters that a probe changes. */
struct counted {
	struct hbpf_counter reasons[HBPF_REASON_MAX];
	struct hbpf_port_stats port;
};

/* A connection of one family. */
struct probe {
	const struct doctor_bridge *bridge;
	struct throwaway_ns client;
	struct hbpf_addr gateway;
	struct prefix prefix; /* that the gateway is in */
	struct hbpf_addr own; /* the client's address */
	const struct export *export;
	struct sources allowed; /* may use the export */
	struct counted before, after;
	bool has_socket; /* the host has a socket for the connection */
	int ret;         /* of connect(): 0 or -errno */
	__s64 ms;        /* that it took */
	char where[ENDPOINT_STRLEN];
};

/* ---- what to dial ---- */

/* The export as a set that must not be changed. */
static struct exports one_export(const struct probe *probe)
{
	return (struct exports){ (struct export *)probe->export, 1, 1 };
}

/* A UDP port only if there is no TCP port: few services answer any datagram. Return: false if no
 * port serves this family */
static bool choose_export(struct probe *probe, int family)
{
	const struct doctor_bridge *bridge = probe->bridge;

	for (size_t i = 0; i < bridge->exports.count; i++) {
		const struct export *export = &bridge->exports.v[i];

		if (!bridge->listeners.v[i][family].found)
			continue;
		if (!probe->export || export->key.proto == IPPROTO_TCP)
			probe->export = export;
		if (export->key.proto == IPPROTO_TCP)
			break;
	}
	return probe->export;
}

/* Return: false if the bridge has no address of this family with a prefix for clients */
static bool choose_gateway(struct probe *probe, int family)
{
	const struct link_addrs *addrs = &probe->bridge->host->addrs;

	for (size_t i = 0; i < addrs->count; i++) {
		const struct link_addr *own = &addrs->v[i];

		if (own->ifindex != probe->bridge->link->ifindex || own->onlink.len > 126 ||
		    addr_is_v4(&own->addr) != (family == LISTENER_V4) ||
		    !gateways_has(probe->bridge->gateways, &own->addr))
			continue;
		probe->gateway = own->addr;
		probe->prefix = own->onlink;
		return true;
	}
	return false;
}

static bool is_allowed(const struct probe *probe, const struct hbpf_addr *addr)
{
	return sources_cover(&probe->allowed, addr) && !host_has(probe->bridge->host, addr);
}

/* The address number @i from the end of the prefix, where engines assign last; of IPv6, whose
 * networks are large, a random one. */
static struct hbpf_addr candidate(const struct prefix *prefix, unsigned int i)
{
	struct hbpf_addr addr = prefix->addr;
	__u8 fill[16];

	if (addr_is_v4(&addr)) {
		__u32 hosts = ~0U >> (prefix->len - V4_MAPPED_BITS);

		addr.word[3] |= htonl(hosts - 1 - i % hosts);
		return addr;
	}
	if (getrandom(fill, sizeof(fill), GRND_NONBLOCK) < 0)
		memset(fill, 0x5a + (int)i, sizeof(fill));
	for (unsigned int bit = prefix->len; bit < 128; bit++)
		addr.byte[bit / 8] |= fill[bit / 8] & (0x80 >> bit % 8);
	return addr;
}

/* Return: 0, -EADDRNOTAVAIL if no address is both allowed and free, or other -errno */
static int choose_address(struct probe *probe)
{
	int taken = 0;

	for (unsigned int i = 0; i < ADDRESSES && taken >= 0; i++) {
		probe->own = candidate(&probe->prefix, i);
		if (!is_allowed(probe, &probe->own))
			continue;
		if (!addr_is_v4(&probe->own))
			return 0;
		taken = throwaway_ns_is_taken(&probe->client, &probe->own);
		if (!taken)
			return 0;
	}
	return taken < 0 ? taken : -EADDRNOTAVAIL;
}

/* ---- dialling ---- */

static void count(const struct probe *probe, struct counted *counted)
{
	const struct exports one = one_export(probe);

	/* What cannot be read stays zero, and is not reported. */
	dataplane_counters(probe->bridge->dp, counted->reasons, NULL);
	dataplane_port_stats(probe->bridge->dp, &one, &counted->port, NULL);
}

static int wait_connected(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error;

	if (poll(&pollfd, 1, CONNECT_MS) <= 0)
		return -ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) ? -errno : -error;
}

/* Has the host a socket for a connection from the probe, half-open or open? */
static bool find_socket(const struct probe *probe)
{
	struct sockets sockets;
	bool found = false;

	if (sockets_list(SOCKETS_TCP_LIVE, -1, &sockets, NULL))
		return false;
	for (size_t i = 0; i < sockets.count; i++)
		found |= addr_equal(&sockets.v[i].remote.addr, &probe->own);
	sockets_free(&sockets);
	return found;
}

/* The service gets the end of the connection while its client still exists: first a FIN, then, if
 * it does not answer that, a RST. */
static void hang_up(int fd)
{
	const struct linger at_once = { .l_onoff = 1 };
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	char rest[512];

	shutdown(fd, SHUT_WR);
	while (poll(&pollfd, 1, CLOSE_MS) > 0 && recv(fd, rest, sizeof(rest), 0) > 0)
		;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* Return: 0 if the service answers, or -errno */
static int ask(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	char answer[1];

	if (send(fd, "\n", 1, 0) < 0)
		return -errno;
	if (poll(&pollfd, 1, ANSWER_MS) <= 0)
		return -ETIMEDOUT;
	return recv(fd, answer, sizeof(answer), 0) < 0 ? -errno : 0;
}

static int dial(struct probe *probe)
{
	bool v4 = addr_is_v4(&probe->gateway), udp = probe->export->key.proto == IPPROTO_UDP;
	struct sockaddr_storage to;
	socklen_t len = endpoint_sockaddr(&probe->gateway, probe->export->key.port, &to);
	__s64 start = monotonic_ms();
	int fd = throwaway_ns_socket(&probe->client, v4 ? AF_INET : AF_INET6,
				     (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return fd;
	count(probe, &probe->before);
	probe->ret = connect(fd, (struct sockaddr *)&to, len) ? -errno : 0;
	if (probe->ret == -EINPROGRESS)
		probe->ret = wait_connected(fd);
	if (!probe->ret && udp)
		probe->ret = ask(fd);
	probe->ms = monotonic_ms() - start;
	if (probe->ret && !udp)
		probe->has_socket = find_socket(probe);
	count(probe, &probe->after);
	if (!probe->ret && !udp)
		hang_up(fd);
	close(fd);
	return 0;
}

/* ---- how far it came ---- */

/* Return: the reason of bridge ingress that counted, but IN_TRANSLATED and those of all traffic; or
 * HBPF_REASON_MAX */
static enum hbpf_reason refused_by(const struct probe *probe)
{
	for (int reason = 0; reason < HBPF_IN_TRANSLATED; reason++) {
		if (reason == HBPF_IN_ARP || reason == HBPF_IN_OTHER_HOST ||
		    reason == HBPF_IN_ICMP_OTHER)
			continue;
		if (probe->after.reasons[reason].packets > probe->before.reasons[reason].packets)
			return reason;
	}
	return HBPF_REASON_MAX;
}

static void add_not_translated(const struct probe *probe, struct findings *findings)
{
	enum hbpf_reason reason = refused_by(probe);

	if (reason == HBPF_REASON_MAX)
		finding_add(findings, FINDING_PROBE_UNSEEN,
			    "a connection to %s from %s did not reach hbpf's program on the "
			    "bridge: a filter of the bridge (nft table bridge, ebtables), or "
			    "iptables with br_netfilter, dropped it%s",
			    probe->where, probe->bridge->name,
			    addr_is_v4(&probe->own) ? ""
						    : "; or INPUT drops ICMPv6 neighbour "
						      "solicitations");
	else
		finding_add(findings, FINDING_PROBE_PASSED,
			    "a connection to %s from %s was not translated (%s: %s)", probe->where,
			    probe->bridge->name, reason_text(reason)->name,
			    reason_text(reason)->text);
}

static void add_failed(const struct probe *probe, struct findings *findings)
{
	const struct hbpf_port_stats *before = &probe->before.port, *after = &probe->after.port;

	if (after->in_packets == before->in_packets)
		add_not_translated(probe, findings);
	else if (!probe->has_socket)
		finding_add(findings, FINDING_PROBE_INPUT,
			    "a connection to %s was translated, but the packets did not get from "
			    "lo to the service: a firewall drops or redirects them; see %s, "
			    "\"Firewalls that distrust lo\"",
			    probe->where, SERVICES_MD);
	else if (after->out_packets == before->out_packets)
		finding_add(findings, FINDING_PROBE_OUTPUT,
			    "the service answered a connection to %s, but its answers did not get "
			    "to %s: a rule in OUTPUT or the routing takes them; see %s, "
			    "\"Firewalls that distrust lo\"",
			    probe->where, probe->bridge->name, SERVICES_MD);
	else
		finding_add(findings, FINDING_PROBE_RETURN,
			    "answers of a connection to %s left by %s, but did not reach the "
			    "client: a filter of the bridge (nft table bridge, ebtables) dropped "
			    "them",
			    probe->where, probe->bridge->name);
}

/* A UDP service need not answer, so silence is a fault only if the program did not translate the
 * datagram. */
static bool is_silent(const struct probe *probe)
{
	return probe->export->key.proto == IPPROTO_UDP && probe->ret == -ETIMEDOUT &&
	       probe->after.port.in_packets > probe->before.port.in_packets;
}

static void add_result(const struct probe *probe, struct findings *findings, char *note,
		       size_t size)
{
	char text[ENDPOINT_STRLEN + ADDR_STRLEN + 64], own[ADDR_STRLEN];

	if (probe->ret == -ECONNREFUSED || probe->ret == -ECONNRESET)
		snprintf(text, sizeof(text), "%s refuses connections", probe->where);
	else if (is_silent(probe))
		snprintf(text, sizeof(text), "%s/udp was sent a datagram, and did not answer",
			 probe->where);
	else if (probe->ret)
		add_failed(probe, findings);
	else
		snprintf(text, sizeof(text), "%s answers %s in %lld ms", probe->where,
			 addr_format(&probe->own, own), (long long)probe->ms);
	if (!probe->ret || probe->ret == -ECONNREFUSED || probe->ret == -ECONNRESET ||
	    is_silent(probe))
		str_list_add(note, size, text);
}

/* Return: 0, or -errno and then @err has why nothing was tried */
static int probe_family(struct probe *probe, struct error *err)
{
	char addr[ADDR_STRLEN];
	const struct exports one = one_export(probe);
	int ret = reply_clients(probe->bridge->dp, &one, &probe->allowed, err);

	if (!ret)
		ret = throwaway_ns_open(&probe->client, probe->bridge->link, err);
	if (ret)
		return ret;
	ret = choose_address(probe);
	if (ret == -EADDRNOTAVAIL)
		return error_set(err, ret, "no free address of a client is on the link of %s",
				 probe->bridge->name);
	if (!ret)
		ret = throwaway_ns_address(&probe->client, &probe->own,
					   probe->prefix.len -
						   (addr_is_v4(&probe->own) ? V4_MAPPED_BITS : 0));
	if (!ret)
		ret = dial(probe);
	throwaway_ns_forget(probe->bridge->link, &probe->own);
	return ret ? error_errno(err, ret, "cannot connect from %s", addr_format(&probe->own, addr))
		   : 0;
}

/* Return: why the bridge is not probed, or NULL */
static const char *why_not(const struct doctor_bridge *bridge, const struct doctor_report *report)
{
	size_t ports = 0;

	for (size_t i = 0; i < bridge->host->links.count; i++)
		ports += bridge->host->links.v[i].master == bridge->link->ifindex;
	if (!bridge->probes)
		return "--no-probe was given";
	/* It could only show the same fault. */
	if (doctor_level(report, STEP_MAX) == LEVEL_BROKEN)
		return "a step before is broken";
	if (!interface_is_bridge(bridge->link))
		return "only a bridge can be joined by a client for a moment";
	if (bridge->link->stp)
		return "STP is on, so a new port would not forward for a while";
	/* Its MAC address would become the probe's, and then zero. */
	return ports ? NULL : "no interface is connected, so there is no client";
}

void check_probe(const struct doctor_bridge *bridge, struct doctor_report *report)
{
	const char *reason = why_not(bridge, report);
	size_t before = report->findings.count;
	char note[200] = "";

	for (int family = 0; !reason && family < LISTENER_FAMILIES; family++) {
		struct probe probe = { .bridge = bridge, .client = THROWAWAY_NS_INIT };
		struct error err = {};

		if (!choose_gateway(&probe, family) || !choose_export(&probe, family))
			continue;
		endpoint_format(&probe.gateway, probe.export->key.port, probe.where);
		if (!probe_family(&probe, &err))
			add_result(&probe, &report->findings, note, sizeof(note));
		else
			str_list_add(note, sizeof(note), err.what);
		throwaway_ns_close(&probe.client);
		sources_free(&probe.allowed);
		error_free(&err);
	}
	if (!note[0] && report->findings.count == before)
		snprintf(note, sizeof(note), "not tried: %s",
			 reason ? reason : "no service listens on a port of a gateway");
	doctor_note(report, STEP_PROBE, "%s", note);
}
