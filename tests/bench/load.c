// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load for scripts/bench: a service, and a client that measures its speed.
 *
 *	load serve ADDRESS PORT
 *	load WORKLOAD ADDRESS PORT SECONDS	prints the rate: one number
 *
 * Workloads, with the names of netperf's tests:
 *	rr	requests and responses of 64 bytes on one connection; per second
 *	crr	connect, one request, one response, close; connections per second
 *	stream	the client sends as fast as possible; MB per second
 *	maerts	the same from the service to the client
 *
 * The service accepts one connection after the other. Client and service run on
 * one CPU, so several at a time would measure the scheduler.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <error.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "lib/array.h"

#define MESSAGE 64
#define CHUNK   (128 * 1024)

/* The first byte of a connection tells the service what to do. */
enum task {
	TASK_ECHO = 'e',
	TASK_READ = 'r',
	TASK_WRITE = 'w',
};

static char buffer[CHUNK];

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static struct sockaddr_in endpoint(const char *addr, const char *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };

	if (inet_pton(AF_INET, addr, &in.sin_addr) != 1 || !in.sin_port)
		error(2, 0, "%s:%s: not an IPv4 address and port", addr, port);
	return in;
}

static int tcp_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		error(1, errno, "socket");
	return fd;
}

static void set_option(int fd, int level, int option)
{
	const int on = 1;

	if (setsockopt(fd, level, option, &on, sizeof(on)))
		error(1, errno, "setsockopt");
}

/* An error ends the connection. */
static bool send_all(int fd, size_t size)
{
	ssize_t done;

	for (; size; size -= done) {
		done = send(fd, buffer, size, MSG_NOSIGNAL);
		if (done <= 0)
			return false;
	}
	return true;
}

static void answer(int fd)
{
	ssize_t size = recv(fd, buffer, MESSAGE, 0);

	if (size <= 0)
		return;
	switch (buffer[0]) {
	case TASK_ECHO:
		while (size > 0 && send_all(fd, size))
			size = recv(fd, buffer, MESSAGE, 0);
		return;
	case TASK_READ:
		while (recv(fd, buffer, CHUNK, 0) > 0)
			;
		return;
	case TASK_WRITE:
		while (send_all(fd, CHUNK))
			;
		return;
	}
}

static void serve(const struct sockaddr_in *where)
{
	int listener = tcp_socket(), fd;

	set_option(listener, SOL_SOCKET, SO_REUSEADDR);
	if (bind(listener, (const struct sockaddr *)where, sizeof(*where)) || listen(listener, 16))
		error(1, errno, "cannot listen");
	set_option(listener, IPPROTO_TCP, TCP_NODELAY); /* accepted sockets have it, too */
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		answer(fd);
		close(fd);
	}
	error(1, errno, "accept");
}

static int dial(const struct sockaddr_in *where)
{
	const struct timeval patience = { .tv_sec = 10 };
	int fd = tcp_socket();

	set_option(fd, IPPROTO_TCP, TCP_NODELAY);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)))
		error(1, errno, "setsockopt");
	if (connect(fd, (const struct sockaddr *)where, sizeof(*where)))
		error(1, errno, "connect");
	return fd;
}

static void request(int fd)
{
	buffer[0] = TASK_ECHO;
	if (!send_all(fd, MESSAGE))
		error(1, errno, "send");
	if (recv(fd, buffer, MESSAGE, MSG_WAITALL) != MESSAGE)
		error(1, errno, "no answer");
}

static double rr(const struct sockaddr_in *where, double seconds)
{
	int fd = dial(where);
	double start, end;
	long count = 0;

	request(fd); /* the connection is established on both sides now */
	for (start = now(); (end = now()) < start + seconds; count++)
		request(fd);
	close(fd);
	return count / (end - start);
}

static double crr(const struct sockaddr_in *where, double seconds)
{
	double start, end;
	long count = 0;
	int fd;

	for (start = now(); (end = now()) < start + seconds; count++) {
		fd = dial(where);
		request(fd);
		close(fd);
	}
	return count / (end - start);
}

static double stream(const struct sockaddr_in *where, double seconds)
{
	int fd = dial(where);
	double start = now();
	double bytes = 0;

	buffer[0] = TASK_READ;
	for (; now() < start + seconds; bytes += CHUNK)
		if (!send_all(fd, CHUNK))
			error(1, errno, "send");
	/* Data in flight counts, and so does its time. */
	shutdown(fd, SHUT_WR);
	if (recv(fd, buffer, 1, 0) != 0)
		error(1, errno, "the service did not close");
	close(fd);
	return bytes / (now() - start) / 1e6;
}

static double maerts(const struct sockaddr_in *where, double seconds)
{
	int fd = dial(where);
	double bytes = 0;
	double start, end;
	ssize_t size;

	buffer[0] = TASK_WRITE;
	if (!send_all(fd, 1))
		error(1, errno, "send");
	for (start = now(); (end = now()) < start + seconds; bytes += size) {
		size = recv(fd, buffer, CHUNK, 0);
		if (size <= 0)
			error(1, errno, "the service stopped");
	}
	close(fd);
	return bytes / (end - start) / 1e6;
}

static const struct workload {
	const char *name;
	double (*run)(const struct sockaddr_in *where, double seconds);
} workloads[] = {
	{ "rr", rr },
	{ "crr", crr },
	{ "stream", stream },
	{ "maerts", maerts },
};

int main(int argc, char **argv)
{
	struct sockaddr_in where;
	size_t i;

	if (argc == 4 && !strcmp(argv[1], "serve")) {
		where = endpoint(argv[2], argv[3]);
		serve(&where);
	}
	for (i = 0; argc == 5 && i < ARRAY_SIZE(workloads); i++) {
		if (strcmp(argv[1], workloads[i].name))
			continue;
		where = endpoint(argv[2], argv[3]);
		printf("%.0f\n", workloads[i].run(&where, atof(argv[4])));
		return 0;
	}
	error(2, 0,
	      "usage: load serve ADDRESS PORT\n"
	      "       load rr|crr|stream|maerts ADDRESS PORT SECONDS");
}
