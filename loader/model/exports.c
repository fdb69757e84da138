/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A set is one sorted array: lookups are binary searches, two sets are compared in one pass, and a
 * range of ports, which is contiguous, is inserted or removed with one memmove().
 */
#include "model/exports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"

/* The ports of a SPEC for one protocol: consecutive elements of the array. */
struct run {
	const struct port_spec *spec;
	__u8 proto;
	size_t count;
};

/* Orders keys as memcmp() does, so that what a map holds in that order is sorted here, too. */
static __u32 key_rank(const struct hbpf_export_key *key)
{
	return (__u32)key->proto << 24 | (__u32)key->pad << 16 | ntohs(key->port);
}

static int compare_keys(const void *a, const void *b)
{
	__u32 rank_a = key_rank(&((const struct export *)a)->key);
	__u32 rank_b = key_rank(&((const struct export *)b)->key);

	return (rank_a > rank_b) - (rank_a < rank_b);
}

/* Index of the first export that does not rank before @rank. */
static size_t lower_bound(const struct exports *set, __u32 rank)
{
	size_t low = 0, high = set->count;

	/* Sets mostly grow at their end. */
	if (high && key_rank(&set->v[high - 1].key) < rank)
		return high;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (key_rank(&set->v[mid].key) < rank)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int reserve(struct exports *set, size_t more)
{
	size_t room = set->room ? set->room : 16;
	struct export *v;

	while (room < set->count + more)
		room *= 2;
	if (room == set->room)
		return 0;
	v = reallocarray(set->v, room, sizeof(*v));
	if (!v)
		return -ENOMEM;
	set->v = v;
	set->room = room;
	return 0;
}

/* Append an export that ranks after all others. */
static int append(struct exports *set, const struct export *export)
{
	int ret = reserve(set, 1);

	if (!ret)
		set->v[set->count++] = *export;
	return ret;
}

void exports_free(struct exports *set)
{
	free(set->v);
	memset(set, 0, sizeof(*set));
}

int exports_copy(struct exports *to, const struct exports *from)
{
	int ret = reserve(to, from->count);

	if (ret)
		return ret;
	if (from->count)
		memcpy(to->v, from->v, from->count * sizeof(*to->v));
	to->count = from->count;
	return 0;
}

const struct export *exports_find(const struct exports *set, __u8 proto, __be16 port)
{
	const struct hbpf_export_key key = { .port = port, .proto = proto };
	size_t at = lower_bound(set, key_rank(&key));

	if (at == set->count || key_rank(&set->v[at].key) != key_rank(&key))
		return NULL;
	return &set->v[at];
}

bool export_leads_to(const struct export *export, const struct hbpf_addr *addr, __be16 port)
{
	struct hbpf_addr addr4 = addr_from_v4(export->to.addr4);
	struct hbpf_addr addr6 = addr_from_v6(&in6addr_loopback);

	return export->to.port == port &&
	       (addr_equal(addr, &addr4) || (export->to.ipv6 && addr_equal(addr, &addr6)));
}

/* The number of keys that two sorted arrays have in common. */
static size_t count_common(const struct export *a, size_t a_count, const struct export *b,
			   size_t b_count)
{
	size_t i = 0, j = 0, common = 0;

	while (i < a_count && j < b_count) {
		int order = compare_keys(&a[i], &b[j]);

		common += !order;
		i += order <= 0;
		j += order >= 0;
	}
	return common;
}

/*
 * Merge @count > 0 exports, sorted and with unique keys, into a set that has room for them. Moves
 * only what ranks between the first and the last of them, from the end, so that nothing is
 * overwritten before it is read.
 */
static void merge(struct exports *set, const struct export *v, size_t count)
{
	size_t low = lower_bound(set, key_rank(&v[0].key));
	size_t high = lower_bound(set, key_rank(&v[count - 1].key) + 1);
	size_t more = count - count_common(set->v + low, high - low, v, count);
	size_t to = high + more;

	memmove(set->v + to, set->v + high, (set->count - high) * sizeof(*v));
	set->count += more;
	while (count) {
		int order = high > low ? compare_keys(&set->v[high - 1], &v[count - 1]) : -1;

		set->v[--to] = order > 0 ? set->v[high - 1] : v[count - 1];
		high -= order >= 0;
		count -= order <= 0;
	}
}

static bool same_policy(const struct hbpf_policy *a, const struct hbpf_policy *b)
{
	return a->list == b->list && a->onlink == b->onlink && a->inherit == b->inherit;
}

/* Do both lead to the same destination? Who may use them does not matter. */
static bool same_destination(const struct hbpf_export *a, const struct hbpf_export *b)
{
	return a->addr4 == b->addr4 && a->port == b->port && a->ipv6 == b->ipv6;
}

/* Room for "127.0.0.1:8080 and [::1]:8080" */
#define DESTINATION_STRLEN (2 * ENDPOINT_STRLEN + 5)

static const char *format_destination(const struct hbpf_export *to, bool with_v6, char *buf)
{
	static const struct hbpf_addr loopback6 = { .byte = { [15] = 1 } };
	const struct hbpf_addr addr = addr_from_v4(to->addr4);
	char v4[ENDPOINT_STRLEN], v6[ENDPOINT_STRLEN];

	endpoint_format(&addr, to->port, v4);
	endpoint_format(&loopback6, to->port, v6);
	if (with_v6 && to->ipv6)
		snprintf(buf, DESTINATION_STRLEN, "%s and %s", v4, v6);
	else
		snprintf(buf, DESTINATION_STRLEN, "%s", v4);
	return buf;
}

/* One run for each protocol of a SPEC, in the order of the array. Return: their number */
static size_t spec_runs(const struct port_spec *spec, struct run runs[2])
{
	size_t count = spec->last - spec->first + 1, n = 0;

	if (spec->protos & PORT_SPEC_TCP)
		runs[n++] = (struct run){ spec, IPPROTO_TCP, count };
	if (spec->protos & PORT_SPEC_UDP)
		runs[n++] = (struct run){ spec, IPPROTO_UDP, count };
	return n;
}

/* The @i-th export of a run. */
static struct export run_export(const struct run *run, size_t i, const struct hbpf_policy *from)
{
	const struct port_spec *spec = run->spec;

	return (struct export){
		.key = { .port = htons(spec->first + i), .proto = run->proto },
		.to = {
			.addr4 = spec->addr4,
			.port = htons(spec->local_first + i),
			.ipv6 = !spec->addr_given,
			.from = from ? *from : (struct hbpf_policy){ .inherit = 1 },
		},
	};
}

static int refuse_add(const struct export *old, const struct export *export, bool fresh,
		      struct error *err)
{
	bool same_v4 = old->to.addr4 == export->to.addr4 && old->to.port == export->to.port;
	char old_to[DESTINATION_STRLEN], new_to[DESTINATION_STRLEN];
	const char *proto = proto_name(old->key.proto);
	unsigned int port = ntohs(old->key.port);
	int ret;

	if (same_destination(&old->to, &export->to)) {
		ret = error_set(err, EEXIST, "%u/%s is given twice", port, proto);
		error_hint(err, "leave one of them out");
		return ret;
	}

	/* The IPv6 destination is shown only if it is the difference. */
	format_destination(&old->to, same_v4, old_to);
	format_destination(&export->to, same_v4, new_to);
	if (fresh) {
		ret = error_set(err, EEXIST, "%u/%s is given twice, leading to %s and to %s", port,
				proto, old_to, new_to);
		error_hint(err, "a port has one destination; leave one of them out");
		return ret;
	}
	ret = error_set(err, EEXIST, "%u/%s already leads to %s, not %s", port, proto, old_to,
			new_to);
	error_hint(err, "remove it first: `hbpf ports del %u/%s`", port, proto);
	return ret;
}

/* Make the exports of a run, and check them against the set. */
static int make_run(const struct exports *set, const struct run *run,
		    const struct hbpf_policy *from, bool fresh, struct export *v, struct error *err)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct export *old;

		v[i] = run_export(run, i, from);
		old = exports_find(set, v[i].key.proto, v[i].key.port);
		if (!old)
			continue;
		if (fresh || !same_destination(&old->to, &v[i].to))
			return refuse_add(old, &v[i], fresh, err);
		if (!from)
			v[i].to.from = old->to.from;
	}
	return 0;
}

int exports_add(struct exports *set, const struct port_spec *spec, const struct hbpf_policy *from,
		bool fresh, struct error *err)
{
	struct run runs[2] = {};
	size_t n = spec_runs(spec, runs), count = spec->last - spec->first + 1;
	struct export *v = calloc(2 * count, sizeof(*v)); /* for both protocols at most */
	int ret = 0;

	if (!v || reserve(set, n * count)) {
		ret = error_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < n; i++) {
		ret = make_run(set, &runs[i], from, fresh, v + i * count, err);
		if (ret)
			goto out;
	}
	for (size_t i = 0; i < n; i++)
		merge(set, v + i * count, count);
out:
	free(v);
	return ret;
}

static int refuse_absent(const struct exports *set, const struct export *wanted,
			 const struct port_spec *spec, struct error *err)
{
	const char *proto = proto_name(wanted->key.proto);
	unsigned int port = ntohs(wanted->key.port);
	int ret = error_set(err, ENOENT, "%u/%s is not exported", port, proto);

	if (!spec->proto_given && exports_find(set, IPPROTO_UDP, wanted->key.port))
		error_hint(err, "%u/udp is exported; specify the protocol", port);
	else
		error_hint(err, "`hbpf ports list` shows the exported ports");
	return ret;
}

/* Does @old match a SPEC to be removed? */
static bool matches(const struct export *old, const struct export *wanted,
		    const struct port_spec *spec)
{
	if (spec->addr_given && old->to.addr4 != wanted->to.addr4)
		return false;
	return !spec->local_given || old->to.port == wanted->to.port;
}

static int check_run(const struct exports *set, const struct run *run, struct error *err)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct export wanted = run_export(run, i, NULL);
		const struct export *old = exports_find(set, wanted.key.proto, wanted.key.port);
		char old_to[DESTINATION_STRLEN], wanted_to[DESTINATION_STRLEN];
		int ret;

		if (!old)
			return refuse_absent(set, &wanted, run->spec, err);
		if (matches(old, &wanted, run->spec))
			continue;
		ret = error_set(err, ENOENT, "%u/%s leads to %s, not %s", ntohs(old->key.port),
				proto_name(old->key.proto),
				format_destination(&old->to, false, old_to),
				format_destination(&wanted.to, false, wanted_to));
		error_hint(err, "close it with `hbpf ports del %u/%s`", ntohs(old->key.port),
			   proto_name(old->key.proto));
		return ret;
	}
	return 0;
}

/* Remove a run of which all exports are in the set: consecutive elements. */
static void cut_run(struct exports *set, const struct run *run)
{
	const struct export first = run_export(run, 0, NULL);
	struct export *start = set->v + lower_bound(set, key_rank(&first.key));
	struct export *rest = start + run->count;

	memmove(start, rest, (set->v + set->count - rest) * sizeof(*rest));
	set->count -= run->count;
}

int exports_del(struct exports *set, const struct port_spec *spec, struct error *err)
{
	struct run runs[2];
	size_t n = spec_runs(spec, runs);
	int ret;

	for (size_t i = 0; i < n; i++) {
		ret = check_run(set, &runs[i], err);
		if (ret)
			return ret;
	}
	for (size_t i = 0; i < n; i++)
		cut_run(set, &runs[i]);
	return 0;
}

/* Do connections over @have end when it becomes @want? */
static bool ends_connections(const struct hbpf_export *have, const struct hbpf_export *want)
{
	return have->addr4 != want->addr4 || have->port != want->port || have->ipv6 > want->ipv6;
}

int exports_diff(const struct exports *have, const struct exports *want, struct exports *changed,
		 struct exports *closed)
{
	size_t i = 0, j = 0;
	int ret = 0;

	while (!ret && i < have->count && j < want->count) {
		const struct export *old = &have->v[i], *new = &want->v[j];
		int order = compare_keys(old, new);

		if (order < 0 || (!order && ends_connections(&old->to, &new->to)))
			ret = append(closed, old);
		if (!ret && (order > 0 || (!order && (!same_destination(&old->to, &new->to) ||
						      !same_policy(&old->to.from, &new->to.from)))))
			ret = append(changed, new);
		i += order <= 0;
		j += order >= 0;
	}
	for (; !ret && i < have->count; i++)
		ret = append(closed, &have->v[i]);
	for (; !ret && j < want->count; j++)
		ret = append(changed, &want->v[j]);
	return ret;
}

/* Does @b continue the range that ends with @a? */
static bool continues(const struct export *a, const struct export *b)
{
	return key_rank(&b->key) == key_rank(&a->key) + 1 &&
	       ntohs(b->to.port) == ntohs(a->to.port) + 1 && a->to.addr4 == b->to.addr4 &&
	       a->to.ipv6 == b->to.ipv6 && same_policy(&a->to.from, &b->to.from);
}

bool exports_next_range(const struct exports *set, struct export_range *range)
{
	size_t first = range->first ? range->first - set->v + range->count : 0;
	size_t end = first + 1;

	if (first >= set->count)
		return false;
	while (end < set->count && continues(&set->v[end - 1], &set->v[end]))
		end++;
	*range = (struct export_range){ .first = &set->v[first], .count = end - first };
	return true;
}

/* "8000-8010", or "8000" for one. Return: as snprintf() */
static int format_ports(char *buf, size_t size, __be16 port, size_t count)
{
	unsigned int first = ntohs(port);

	if (count == 1)
		return snprintf(buf, size, "%u", first);
	return snprintf(buf, size, "%u-%zu", first, first + count - 1);
}

const char *export_range_format(const struct export_range *range, char *buf)
{
	const struct export *first = range->first;
	const struct hbpf_addr addr = addr_from_v4(first->to.addr4);
	char *p = buf, *end = buf + EXPORT_RANGE_STRLEN, text[ADDR_STRLEN];

	p += format_ports(p, end - p, first->key.port, range->count);
	/* A SPEC with an address is for IPv4 only, so leave it out where IPv6 is served. */
	if (!first->to.ipv6)
		p += snprintf(p, end - p, ":%s", addr_format(&addr, text));
	if (!first->to.ipv6 || first->to.port != first->key.port) {
		*p++ = ':';
		p += format_ports(p, end - p, first->to.port, range->count);
	}
	snprintf(p, end - p, "/%s", proto_name(first->key.proto));
	return buf;
}
