// SPDX-License-Identifier: GPL-2.0-only
/*
 * The service of tests/bench/load.c.
 *
 * One client at a time is served with blocking calls, the cheapest way, so that the network makes
 * up as much as possible of a transaction. Connections whose first byte says that there are more of
 * them are served by an epoll loop until the last one is closed.
 */
#include "load.h"

#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>

#define EVENTS 64

static void answer_echo(int fd, ssize_t size)
{
	while (size > 0 && send_all(fd, size))
		size = recv(fd, buffer, MESSAGE, 0);
}

static void watch(int epoll, int fd, enum task task, int operation)
{
	struct epoll_event event = {
		.events = task == TASK_MANY_WRITE ? EPOLLOUT : EPOLLIN,
		.data.u64 = (__u64)task << 32 | fd,
	};

	if (epoll_ctl(epoll, operation, fd, &event))
		error(1, errno, "epoll_ctl");
}

/* One event of a connection. Return: whether it is still open. */
static bool step(int epoll, int fd, enum task task)
{
	ssize_t size;

	if (task == TASK_MANY_WRITE) {
		size = send(fd, buffer, CHUNK, MSG_NOSIGNAL);
		return size > 0 || (size < 0 && errno == EAGAIN);
	}
	size = recv(fd, buffer, task == TASK_MANY_READ ? CHUNK : MESSAGE, 0);
	if (size <= 0)
		return size < 0 && errno == EAGAIN;
	if (task == TASK_NONE) { /* not known yet, or echo, whose every request has the byte */
		task = buffer[0];
		if (task != TASK_MANY_ECHO)
			watch(epoll, fd, task, EPOLL_CTL_MOD);
	}
	return task != TASK_MANY_ECHO || send_all(fd, size);
}

static void serve_many(int listener, int first, enum task task, ssize_t size)
{
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC), open = 1, count, fd, i;

	if (epoll < 0 || fcntl(first, F_SETFL, O_NONBLOCK))
		error(1, errno, "cannot serve many");
	if (task == TASK_MANY_ECHO)
		send_all(first, size);
	watch(epoll, listener, TASK_NONE, EPOLL_CTL_ADD);
	watch(epoll, first, task == TASK_MANY_ECHO ? TASK_NONE : task, EPOLL_CTL_ADD);
	while (open) {
		count = epoll_wait(epoll, events, EVENTS, -1);
		for (i = 0; i < count; i++) {
			fd = (int)events[i].data.u64;
			if (fd == listener) {
				fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
				if (fd < 0)
					continue;
				watch(epoll, fd, TASK_NONE, EPOLL_CTL_ADD);
				open++;
			} else if (!step(epoll, fd, events[i].data.u64 >> 32)) {
				close(fd);
				open--;
			}
		}
	}
	close(epoll);
}

static void answer(int listener, int fd)
{
	ssize_t size = recv(fd, buffer, MESSAGE, 0);
	bool many = false;

	if (size > 0) {
		switch ((enum task)buffer[0]) {
		case TASK_ECHO:
			answer_echo(fd, size);
			break;
		case TASK_READ:
			while (recv(fd, buffer, CHUNK, 0) > 0)
				;
			break;
		case TASK_WRITE:
			while (send_all(fd, CHUNK))
				;
			break;
		case TASK_MANY_ECHO:
		case TASK_MANY_READ:
		case TASK_MANY_WRITE:
			many = true;
			serve_many(listener, fd, buffer[0], size);
			break;
		case TASK_NONE:
			break;
		}
	}
	if (!many)
		close(fd);
}

static void serve_tcp(const struct endpoint *where)
{
	/* Sockets inherit it: a connection that sends nothing does not stop the service. */
	const struct timeval patience = { .tv_sec = 10 };
	int listener = new_socket(where, SOCK_STREAM), fd;
	const int on = 1;

	set_option(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, &where->any, where->size) || listen(listener, 1024))
		error(1, errno, "cannot listen");
	set_option(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* inherited, too */
	set_option(listener, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	for (;;) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			answer(listener, fd);
		else if (errno != EAGAIN && errno != ECONNABORTED)
			error(1, errno, "accept");
	}
}

static void serve_udp(const struct endpoint *where)
{
	int fd = new_socket(where, SOCK_DGRAM);
	struct endpoint from;
	ssize_t size;

	if (bind(fd, &where->any, where->size))
		error(1, errno, "cannot bind");
	for (;;) {
		from.size = sizeof(from.in6);
		size = recvfrom(fd, buffer, CHUNK, 0, &from.any, &from.size);
		if (size >= 0)
			sendto(fd, buffer, size, 0, &from.any, from.size);
	}
}

void serve(const struct endpoint *where)
{
	pid_t child = fork();

	if (child < 0)
		error(1, errno, "fork");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve_udp(where);
	}
	serve_tcp(where);
}
