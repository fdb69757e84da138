/* SPDX-License-Identifier: GPL-2.0-only */
/* One question to the kernel over netlink, and all its answers (libmnl). */
#ifndef HBPF_NETLINK_H
#define HBPF_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>

struct netlink_request {
	struct nlmsghdr nlh;
	char room[256 - sizeof(struct nlmsghdr)]; /* ours need a fifth of it */
	bool strict; /* of a dump: the kernel picks what the header and attributes say */
};

/**
 * netlink_begin() - start a request
 * @request:	Filled; add attributes with mnl_attr_put*(&request->nlh, ...)
 * @type:	nlmsg_type
 * @flags:	NLM_F_DUMP or NLM_F_ACK; without either the kernel answers failures only
 * @size:	of the family's own header, as sizeof(struct ifinfomsg)
 *
 * Return: that header, zeroed
 */
void *netlink_begin(struct netlink_request *request, __u16 type, __u16 flags, size_t size);

/**
 * netlink_talk() - send a request and run a callback over every answer
 * @protocol:	NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_NETFILTER
 * @request:	Made with netlink_begin(), with NLM_F_DUMP or NLM_F_ACK
 * @answer:	Returns MNL_CB_OK, MNL_CB_STOP when it has seen enough, or MNL_CB_ERROR with errno
 *		set; NULL where only the acknowledgement matters
 * @data:	For @answer
 * @count:	What @answer counts up, or NULL. When the kernel says that its tables changed during
 *		the dump, this is set back to what it was and the dump begins anew
 *
 * Return: 0 or -errno: the kernel's own, or -EAGAIN when the tables changed during every attempt
 */
int netlink_talk(int protocol, struct netlink_request *request, mnl_cb_t answer, void *data,
		 size_t *count);

/** netlink_nested() - the attribute of a type within a nest. Return: it, or NULL */
const struct nlattr *netlink_nested(const struct nlattr *nest, unsigned int type);

#endif /* HBPF_NETLINK_H */
