// SPDX-License-Identifier: GPL-2.0-only
/* What the service and the client of tests/bench/load.c share. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define MESSAGE (64)         /* bytes of a request and of a response */
#define CHUNK   (128 * 1024) /* bytes of a write or read of a stream */

/*
 * The first byte of a connection is its task. With a capital letter, other connections are open at
 * the same time.
 */
enum task {
	TASK_NONE = 0,
	TASK_ECHO = 'e',
	TASK_READ = 'r',
	TASK_WRITE = 'w',
	TASK_MANY_ECHO = 'E',
	TASK_MANY_READ = 'R',
	TASK_MANY_WRITE = 'W',
};

struct endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t size;
};

extern char buffer[CHUNK];

int new_socket(const struct endpoint *where, int type);
void set_option(int fd, int level, int option, const void *value, socklen_t size);

/* Sends size bytes of the buffer; an error ends the connection. */
bool send_all(int fd, size_t size);

/* serve.c: answers at that address and port by TCP and UDP; does not return */
void serve(const struct endpoint *where);
