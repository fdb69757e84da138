/* SPDX-License-Identifier: GPL-2.0-only */
/* Netlink requests to the kernel and their replies (libmnl). */
#ifndef HBPF_NETLINK_H
#define HBPF_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>

struct netlink_request {
	struct nlmsghdr nlh;
	char room[256 - sizeof(struct nlmsghdr)]; /* the largest of ours needs a fifth */
	bool strict; /* a dump filtered by the kernel (NETLINK_GET_STRICT_CHK) */
};

/**
 * netlink_begin() - start a request
 * @request:	Filled; add attributes with mnl_attr_put*(&request->nlh, ...)
 * @type:	nlmsg_type
 * @flags:	NLM_F_DUMP or NLM_F_ACK; without either the kernel replies to failures only
 * @size:	of the family's own header, as sizeof(struct ifinfomsg)
 *
 * Return: that header, zeroed
 */
void *netlink_begin(struct netlink_request *request, __u16 type, __u16 flags, size_t size);

/**
 * netlink_talk() - send a request and call a function for every reply
 * @protocol:	NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_NETFILTER
 * @request:	Made with netlink_begin(), with NLM_F_DUMP or NLM_F_ACK
 * @on_reply:	Returns MNL_CB_OK, MNL_CB_STOP to skip the rest, or MNL_CB_ERROR with errno
 *		set; NULL for the acknowledgement only
 * @data:	For @on_reply
 * @count:	What @on_reply counts up, or NULL. When the kernel's tables change during a dump,
 *		this is reset to its old value and the dump starts over
 *
 * Return: 0 or -errno: the kernel's own, or -EAGAIN if the tables changed during every attempt
 */
int netlink_talk(int protocol, struct netlink_request *request, mnl_cb_t on_reply, void *data,
		 size_t *count);

/** netlink_nested() - the attribute of a type within a nest. Return: it, or NULL */
const struct nlattr *netlink_nested(const struct nlattr *nest, unsigned int type);

#endif /* HBPF_NETLINK_H */
