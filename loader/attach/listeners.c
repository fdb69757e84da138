/* SPDX-License-Identifier: GPL-2.0-only */
#include "attach/listeners.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"

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
	return sockets_serving(listeners->sockets, export->key.proto, &addr, export->to.port);
}

static void find_one(struct listeners *listeners, const struct export *export, size_t i, int family)
{
	struct listener *listener = &listeners->v[i][family];
	const struct socket *socket = serving(listeners, export, family);

	if (!socket)
		return;
	listener->found = true;
	listener->wildcard = addr_is_unspecified(&socket->local.addr);
	listener->on_lo = sockets_is_on_lo(socket);
	listener->inode = socket->inode;
}

static int listening_read(struct listening *listening, struct error *err)
{
	int ret;

	if (listening->read)
		return 0;
	ret = sockets_list(SOCKETS_TCP_LISTEN | SOCKETS_UDP, -1, &listening->sockets, err);
	listening->read = !ret;
	return ret;
}

void listening_free(struct listening *listening)
{
	sockets_free(&listening->sockets);
	listening->read = false;
}

int listeners_find(const struct exports *set, struct listening *listening,
		   struct listeners *listeners, struct error *err)
{
	int ret = listening_read(listening, err);

	memset(listeners, 0, sizeof(*listeners));
	if (ret)
		return ret;
	listeners->sockets = &listening->sockets;
	listeners->v = calloc(set->count + 1, sizeof(*listeners->v));
	if (!listeners->v)
		return error_nomem(err);
	listeners->count = set->count;
	for (size_t i = 0; i < set->count; i++) {
		find_one(listeners, &set->v[i], i, LISTENER_V4);
		find_one(listeners, &set->v[i], i, LISTENER_V6);
	}
	return 0;
}

/* The listeners of all sets that were found, as one list. */
struct found {
	struct listener **v;
	__u32 *inodes;
	struct proc_owner *owners;
	size_t count;
};

static void add_found(struct found *found, const struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count * LISTENER_FAMILIES; i++) {
		struct listener *listener =
			&listeners->v[i / LISTENER_FAMILIES][i % LISTENER_FAMILIES];

		if (!listener->found)
			continue;
		found->v[found->count] = listener;
		found->inodes[found->count++] = listener->inode;
	}
}

static struct listeners *listeners_at(struct listeners *first, size_t i, size_t stride)
{
	return (struct listeners *)((char *)first + i * stride);
}

int listeners_name(struct listeners *first, size_t count, size_t stride)
{
	struct found found = {};
	size_t most = 1;
	int ret = -ENOMEM;

	for (size_t i = 0; i < count; i++)
		most += listeners_at(first, i, stride)->count * LISTENER_FAMILIES;
	found.v = calloc(most, sizeof(struct listener *));
	found.inodes = calloc(most, sizeof(*found.inodes));
	found.owners = calloc(most, sizeof(*found.owners));
	if (!found.v || !found.inodes || !found.owners)
		goto out;
	for (size_t i = 0; i < count; i++)
		add_found(&found, listeners_at(first, i, stride));
	ret = found.count ? proc_owners_find(found.inodes, found.owners, found.count) : 0;
	for (size_t i = 0; !ret && i < found.count; i++)
		found.v[i]->owner = found.owners[i];
out:
	free(found.v);
	free(found.inodes);
	free(found.owners);
	return ret;
}

void listeners_free(struct listeners *listeners)
{
	free(listeners->v);
	memset(listeners, 0, sizeof(*listeners));
}

static bool same_listener(const struct listener *a, const struct listener *b)
{
	return a->found == b->found && a->owner.pid == b->owner.pid &&
	       a->owner.skipped == b->owner.skipped && !strcmp(a->owner.name, b->owner.name);
}

static bool same_listeners(const struct listener *a, const struct listener *b,
			   unsigned int families)
{
	for (int family = 0; family < LISTENER_FAMILIES; family++) {
		if (families & 1U << family && !same_listener(&a[family], &b[family]))
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
	while (count < range->count && same_listeners(v[0], v[count], families))
		count++;
	range->count = count;
	return true;
}

const char *listeners_format(const struct listener *listener, char buf[LISTENERS_STRLEN])
{
	const struct proc_owner *owner = &listener->owner;
	char who[PROC_OWNER_STRLEN];

	if (!listener->found)
		return "nothing listens there yet";
	snprintf(buf, LISTENERS_STRLEN, "%s%s", proc_owner_format(owner, who),
		 proc_owner_is_engine(owner) ? ", which does not answer for containers" : "");
	return buf;
}
