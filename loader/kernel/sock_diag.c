/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/sock_diag.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/netlink.h"
#include "lib/array.h"
#include "lib/addr.h"

#define LOOPBACK_IFINDEX 1 /* in every namespace (the kernel's net/flow.h) */

#define STATE(state) (1U << (state))
#define ALL_STATES   (STATE(TCP_CLOSING + 1) - STATE(TCP_ESTABLISHED))
#define LIVE_STATES  (ALL_STATES & ~(STATE(TCP_LISTEN) | STATE(TCP_TIME_WAIT) | STATE(TCP_CLOSE)))

/* ---- dump ---- */

static struct hbpf_endpoint get_endpoint(__u8 family, const __be32 *addr, __be16 port)
{
	return (struct hbpf_endpoint){
		.addr = family == AF_INET ? addr_from_v4(*addr) : addr_from_v6(addr),
		.port = port,
	};
}

/* The request named one map, so the first storage is of that. */
static void get_dialled(struct socket *socket, const struct nlattr *storages)
{
	const struct nlattr *storage, *attr;
	struct hbpf_connection connection;

	mnl_attr_for_each_nested (storage, storages) {
		if (mnl_attr_get_type(storage) != SK_DIAG_BPF_STORAGE)
			continue;
		mnl_attr_for_each_nested (attr, storage) {
			if (mnl_attr_get_type(attr) != SK_DIAG_BPF_STORAGE_MAP_VALUE ||
			    mnl_attr_get_payload_len(attr) < sizeof(connection))
				continue;
			memcpy(&connection, mnl_attr_get_payload(attr), sizeof(connection));
			socket->dialled = connection.dialled;
			socket->slot = connection.slot;
			socket->has_dialled = true;
			return;
		}
	}
}

struct dump {
	struct sockets *sockets;
	__u8 proto;
};

static int on_socket(const struct nlmsghdr *nlh, void *data)
{
	const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(nlh);
	const struct dump *dump = data;
	struct sockets *sockets = dump->sockets;
	const struct inet_diag_sockid *id = &msg->id;
	const struct nlattr *attr;
	struct socket socket = {
		.proto = dump->proto,
		.state = msg->idiag_state,
		.family = msg->idiag_family,
		.local = get_endpoint(msg->idiag_family, id->idiag_src, id->idiag_sport),
		.remote = get_endpoint(msg->idiag_family, id->idiag_dst, id->idiag_dport),
		.inode = msg->idiag_inode,
		.uid = msg->idiag_uid,
		.id = *id,
	};

	mnl_attr_for_each (attr, nlh, sizeof(*msg)) {
		switch (mnl_attr_get_type(attr)) {
		case INET_DIAG_SKV6ONLY:
			socket.v6only = mnl_attr_get_u8(attr);
			break;
		case INET_DIAG_MARK:
			socket.mark = mnl_attr_get_u32(attr);
			break;
		case INET_DIAG_INFO:
			socket.traffic = tcp_info_traffic(mnl_attr_get_payload(attr),
							  mnl_attr_get_payload_len(attr));
			break;
		case INET_DIAG_SK_BPF_STORAGES:
			get_dialled(&socket, attr);
			break;
		}
	}

	return ARRAY_ADD(sockets, socket) ? MNL_CB_ERROR : MNL_CB_OK;
}

/* What to list of one protocol. */
struct listing {
	__u8 proto;
	__u32 states;
	bool traffic;
	int storage_fd; /* or -1 */
};

static int list_family(struct sockets *sockets, __u8 family, const struct listing *what)
{
	struct dump dump = { .sockets = sockets, .proto = what->proto };
	struct inet_diag_req_v2 *msg;
	struct netlink_request request;
	struct nlattr *nest;

	msg = netlink_begin(&request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(*msg));
	msg->sdiag_family = family;
	msg->sdiag_protocol = what->proto;
	msg->idiag_states = what->states;
	if (what->traffic)
		msg->idiag_ext = 1U << (INET_DIAG_INFO - 1);
	if (what->storage_fd >= 0) {
		nest = mnl_attr_nest_start(&request.nlh, INET_DIAG_REQ_SK_BPF_STORAGES);
		mnl_attr_put_u32(&request.nlh, SK_DIAG_BPF_STORAGE_REQ_MAP_FD, what->storage_fd);
		mnl_attr_nest_end(&request.nlh, nest);
	}
	return netlink_talk(NETLINK_SOCK_DIAG, &request, on_socket, &dump, &sockets->count);
}

static int list_proto(struct sockets *sockets, const struct listing *what, struct error *err)
{
	const char *name = proto_name(what->proto);
	int ret;

	if (!what->states)
		return 0;
	ret = list_family(sockets, AF_INET, what);
	if (!ret)
		ret = list_family(sockets, AF_INET6, what);
	if (!ret)
		return 0;
	error_errno(err, ret, "cannot list the %s sockets", name);
	/* no handler, and none to load: sock_diag_bind() and inet_diag's of the protocol */
	if (ret == -ENOENT)
		error_hint(err, "load the kernel module %s_diag, or install the package with it",
			   name);
	return ret;
}

/* ---- searching ---- */

bool sockets_is_on_lo(const struct socket *socket)
{
	return socket->id.idiag_if == LOOPBACK_IFINDEX;
}

/* Whose packets a socket receives. */
enum role {
	ROLE_SERVES, /* anyone's, through lo */
	ROLE_DEVICE, /* anyone's, through another device (SO_BINDTODEVICE) */
	ROLE_PEER,   /* its peer's only */
};

static enum role role_of(const struct socket *socket)
{
	if (socket->state != (socket->proto == IPPROTO_TCP ? TCP_LISTEN : TCP_CLOSE))
		return ROLE_PEER;
	if (socket->id.idiag_if && !sockets_is_on_lo(socket))
		return ROLE_DEVICE;
	return ROLE_SERVES;
}

/* What the sockets are sorted and searched by. */
struct key {
	__u8 proto;
	__be16 port;
	enum role role;
	struct hbpf_addr addr;
	bool v6only; /* matters for the wildcard alone */
};

static int compare_keys(const struct key *a, const struct key *b)
{
	if (a->proto != b->proto)
		return a->proto - b->proto;
	if (a->port != b->port)
		return a->port - b->port;
	if (a->role != b->role)
		return (int)a->role - (int)b->role;
	return memcmp(&a->addr, &b->addr, sizeof(a->addr)) ?: a->v6only - b->v6only;
}

static struct key key_of(const struct socket *socket)
{
	return (struct key){
		.proto = socket->proto,
		.port = socket->local.port,
		.role = role_of(socket),
		.addr = socket->local.addr,
		.v6only = socket->v6only && addr_is_unspecified(&socket->local.addr),
	};
}

static int compare_sockets(const void *a, const void *b)
{
	const struct key key_a = key_of(a), key_b = key_of(b);

	return compare_keys(&key_a, &key_b);
}

static int compare_key_socket(const void *key, const void *socket)
{
	const struct key key_b = key_of(socket);

	return compare_keys(key, &key_b);
}

static const struct socket *find(const struct sockets *sockets, const struct key *key)
{
	if (!sockets->count)
		return NULL;
	return bsearch(key, sockets->v, sockets->count, sizeof(*sockets->v), compare_key_socket);
}

int sockets_list(unsigned int what, int storage_fd, struct sockets *sockets, struct error *err)
{
	struct listing tcp = {
		.proto = IPPROTO_TCP,
		.traffic = what & SOCKETS_TCP_TRAFFIC,
		.storage_fd = storage_fd,
	};
	struct listing udp = { .proto = IPPROTO_UDP, .storage_fd = -1 };
	int ret;

	if (what & SOCKETS_TCP_LISTEN)
		tcp.states |= STATE(TCP_LISTEN);
	if (what & SOCKETS_TCP_LIVE)
		tcp.states |= LIVE_STATES;
	if (what & SOCKETS_UDP)
		udp.states = ALL_STATES;

	*sockets = (struct sockets){};
	ret = list_proto(sockets, &tcp, err);
	if (!ret)
		ret = list_proto(sockets, &udp, err);
	if (ret) {
		sockets_free(sockets);
		return ret;
	}
	if (sockets->count)
		qsort(sockets->v, sockets->count, sizeof(*sockets->v), compare_sockets);
	return 0;
}

void sockets_free(struct sockets *sockets)
{
	free(sockets->v);
	*sockets = (struct sockets){};
}

const struct socket *sockets_serving(const struct sockets *sockets, __u8 proto,
				     const struct hbpf_addr *addr, __be16 port)
{
	struct key key = { .proto = proto, .port = port, .role = ROLE_SERVES, .addr = *addr };
	const struct socket *found;

	found = find(sockets, &key);
	if (!found && addr_is_v4(addr)) {
		key.addr = addr_from_v4(INADDR_ANY);
		found = find(sockets, &key);
	}
	if (!found) {
		key.addr = addr_from_v6(&in6addr_any);
		found = find(sockets, &key);
	}
	if (!found && !addr_is_v4(addr)) {
		key.v6only = true;
		found = find(sockets, &key);
	}
	return found;
}

/* ---- closing ---- */

int sockets_destroy(const struct socket *socket)
{
	struct inet_diag_req_v2 *msg;
	struct netlink_request request;

	msg = netlink_begin(&request, SOCK_DESTROY, NLM_F_ACK, sizeof(*msg));
	msg->sdiag_family = socket->family;
	msg->sdiag_protocol = socket->proto;
	msg->idiag_states = STATE(socket->state);
	msg->id = socket->id; /* the cookie in it keeps a successor with the same ports safe */
	return netlink_talk(NETLINK_SOCK_DIAG, &request, NULL, NULL, NULL);
}
