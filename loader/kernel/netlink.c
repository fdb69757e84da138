/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/netlink.h"

#include <errno.h>
#include <sys/socket.h>

#include "lib/array.h"

/* The largest message of a dump that netlink_recvmsg() lets the kernel build; less would mean more
 * rounds. */
#define REPLY_SIZE 32768

/* Dumps are interrupted while interfaces or rules change, for milliseconds; meeting that every time
 * is unlikely. */
#define ATTEMPTS 10

/* Each socket has only one exchange, so any number will do. */
#define SEQUENCE 1

void *netlink_begin(struct netlink_request *request, __u16 type, __u16 flags, size_t size)
{
	mnl_nlmsg_put_header(request);
	request->nlh.nlmsg_type = type;
	request->nlh.nlmsg_flags = NLM_F_REQUEST | flags;
	request->nlh.nlmsg_seq = SEQUENCE;
	request->strict = false;
	return mnl_nlmsg_put_extra_header(&request->nlh, size);
}

/*
 * NLMSG_ERROR and NLMSG_DONE both begin with an int, 0 or -errno (struct
 * nlmsgerr; netlink_dump_done()). libmnl's own handler of NLMSG_DONE ignores it,
 * and would take an aborted dump for a complete one.
 */
static int on_end(const struct nlmsghdr *nlh, void *data)
{
	const int *status = mnl_nlmsg_get_payload(nlh);

	(void)data;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*status) || !*status)
		return MNL_CB_STOP;
	errno = -*status;
	return MNL_CB_ERROR;
}

/* Indexed by message type; libmnl skips a type without a handler. */
static mnl_cb_t on_control[] = {
	[NLMSG_ERROR] = on_end,
	[NLMSG_DONE] = on_end,
};

static ssize_t receive(struct mnl_socket *nl, void *buf, size_t size)
{
	ssize_t len;

	do {
		len = mnl_socket_recvfrom(nl, buf, size);
	} while (len < 0 && errno == EINTR);
	return len;
}

/* Return: 0 or -errno; -EINTR stands for NLM_F_DUMP_INTR only (libmnl). */
static int exchange(struct mnl_socket *nl, struct netlink_request *request, mnl_cb_t on_reply,
		    void *data)
{
	char buf[REPLY_SIZE];
	ssize_t len;
	int ret;

	if (request->strict &&
	    mnl_socket_setsockopt(nl, NETLINK_GET_STRICT_CHK, &(int){ 1 }, sizeof(int)))
		return -errno;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_sendto(nl, request, request->nlh.nlmsg_len) < 0)
		return -errno;
	do {
		len = receive(nl, buf, sizeof(buf));
		if (len < 0)
			return -errno;
		ret = mnl_cb_run2(buf, len, SEQUENCE, mnl_socket_get_portid(nl), on_reply, data,
				  on_control, ARRAY_SIZE(on_control));
	} while (ret > MNL_CB_STOP);
	return ret == MNL_CB_STOP ? 0 : -errno;
}

int netlink_talk(int protocol, struct netlink_request *request, mnl_cb_t on_reply, void *data,
		 size_t *count)
{
	size_t start = count ? *count : 0;
	struct mnl_socket *nl;
	int ret;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		/* a new socket each time: the rest of an interrupted dump would still arrive */
		nl = mnl_socket_open2(protocol, SOCK_CLOEXEC);
		if (!nl)
			return -errno;
		ret = exchange(nl, request, on_reply, data);
		mnl_socket_close(nl);
		if (ret != -EINTR)
			return ret;
		if (count)
			*count = start;
	}
	return -EAGAIN;
}

const struct nlattr *netlink_nested(const struct nlattr *nest, unsigned int type)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, nest) {
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}
