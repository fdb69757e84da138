/* SPDX-License-Identifier: GPL-2.0-only */
#include "listeners.h"
#include "addr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hbpf_addr export_local(const struct export *export, int family)
{
	return family == LISTENER_V4 ? addr_from_v4(export->to.addr4)
				     : addr_from_v6(&in6addr_loopback);
}

static const struct socket *serving(const struct listeners *listeners, const struct export *export,
				    int family)
{
	struct hbpf_addr addr = export_local(export, family);

	if (family == LISTENER_V6 && !export->to.ipv6)
		return NULL;
	return sockets_serving(&listeners->sockets, export->key.proto, &addr, export->to.port);
}

/* One walk over /proc finds the processes of all sockets: it is what costs time. */
static int find_owners(const struct exports *set, struct listeners *listeners)
{
	size_t most = set->count * LISTENER_FAMILIES;
	struct listener **found = calloc(most + 1, sizeof(struct listener *));
	struct owner *owners = calloc(most + 1, sizeof(*owners));
	__u32 *inodes = calloc(most + 1, sizeof(*inodes));
	size_t count = 0;
	int rc = -ENOMEM;

	if (!found || !owners || !inodes)
		goto out;
	for (size_t i = 0; i < most; i++) {
		int family = i % LISTENER_FAMILIES;
		struct listener *listener = &listeners->v[i / LISTENER_FAMILIES][family];
		const struct socket *socket =
			serving(listeners, &set->v[i / LISTENER_FAMILIES], family);

		if (!socket)
			continue;
		listener->there = true;
		listener->wildcard = addr_is_unspecified(&socket->local.addr);
		listener->on_lo = sockets_is_on_lo(socket);
		found[count] = listener;
		inodes[count++] = socket->inode;
	}
	rc = count ? sockets_owners(inodes, owners, count) : 0;
	for (size_t i = 0; !rc && i < count; i++)
		found[i]->owner = owners[i];
out:
	free(found);
	free(owners);
	free(inodes);
	return rc;
}

int listeners_find(const struct exports *set, struct listeners *listeners, struct error *err)
{
	int rc;

	memset(listeners, 0, sizeof(*listeners));
	rc = sockets_list(SOCKETS_TCP_LISTEN | SOCKETS_UDP, -1, &listeners->sockets, err);
	if (rc)
		return rc;
	listeners->v = calloc(set->count + 1, sizeof(*listeners->v));
	rc = listeners->v ? find_owners(set, listeners) : -ENOMEM;
	if (rc) {
		listeners_free(listeners);
		return error_set(err, rc, "cannot tell whose sockets serve the ports: %s",
				 strerror(-rc));
	}
	return 0;
}

void listeners_free(struct listeners *listeners)
{
	sockets_free(&listeners->sockets);
	free(listeners->v);
	memset(listeners, 0, sizeof(*listeners));
}

const char *owner_format(const struct owner *owner, char buf[OWNER_STRLEN])
{
	if (owner->pid)
		snprintf(buf, OWNER_STRLEN, "%s (pid %d)", owner->name, owner->pid);
	else
		snprintf(buf, OWNER_STRLEN, "a process not visible from here");
	return buf;
}

static bool is_same(const struct listener *a, const struct listener *b)
{
	return a->there == b->there && a->owner.pid == b->owner.pid &&
	       !strcmp(a->owner.name, b->owner.name);
}

static bool are_same(const struct listener *a, const struct listener *b, unsigned int families)
{
	for (int family = 0; family < LISTENER_FAMILIES; family++) {
		if (families & 1U << family && !is_same(&a[family], &b[family]))
			return false;
	}
	return true;
}

bool listeners_next_range(const struct exports *set, const struct listeners *listeners,
			  unsigned int families, struct export_range *range)
{
	const struct listener(*v)[LISTENER_FAMILIES];
	size_t count = 1;

	if (!exports_next_range(set, range))
		return false;
	v = &listeners->v[range->first - set->v];
	while (count < range->count && are_same(v[0], v[count], families))
		count++;
	range->count = count;
	return true;
}

const char *listeners_format(const struct listener *listener, char buf[LISTENERS_STRLEN])
{
	const struct owner *owner = &listener->owner;
	char who[OWNER_STRLEN];

	if (!listener->there)
		return "nothing listens there yet";
	snprintf(buf, LISTENERS_STRLEN, "%s%s", owner_format(owner, who),
		 owner_is_engine(owner) ? ", which does not answer for containers" : "");
	return buf;
}
