/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Serves the metrics over HTTP, in the event loop of `hbpf watch`: GET and HEAD of /metrics, one
 * request a connection (HTTP/1.0, RFC 1945). Any local user may connect to a TCP port of loopback,
 * so connections, their time, the size of a request and the work for it are limited.
 */
#ifndef HBPF_METRICS_SERVER_H
#define HBPF_METRICS_SERVER_H

#include <linux/types.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/error.h"

#define METRICS_CONNECTIONS  8     /* at a time; others wait in the backlog */
#define METRICS_MS           10000 /* for a whole exchange */
#define METRICS_REQUEST_SIZE 4096
#define METRICS_CACHE_MS     200 /* the counters are not read again within this time */

/* For poll(). */
#define METRICS_FDS (1 + METRICS_CONNECTIONS)

/* Where to listen. */
struct metrics_address {
	union {
		struct sockaddr sa;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	};
	socklen_t len;
	const char *text; /* as given */
};

/**
 * metrics_address_parse() - "unix:PATH", "127.0.0.1:PORT" or "[::1]:PORT"
 * @address:	Filled; refers to @text
 *
 * Return: 0, or -EINVAL, also for an address that is not in loopback
 */
int metrics_address_parse(const char *text, struct metrics_address *address, struct error *err);

struct metrics_connection {
	int fd;     /* -1: none */
	__s64 end;  /* as of monotonic_ms() */
	char *text; /* of the answer; NULL: the request is not complete */
	size_t size, sent;
	size_t got;
	char request[METRICS_REQUEST_SIZE];
};

struct metrics_server {
	const struct metrics_address *address;
	int fd;
	bool has_path; /* the socket's file is ours */
	struct metrics_connection connections[METRICS_CONNECTIONS];
	char *cached; /* the last metrics */
	size_t cached_size;
	__s64 cached_at; /* as of monotonic_ms() */
};

/** metrics_server_init() - make it closed */
void metrics_server_init(struct metrics_server *server);

/**
 * metrics_server_open() - listen
 * @address:	Must outlive @server. The file of a Unix socket nobody listens on is replaced
 *
 * Return: 0 or -errno; @err names the address
 */
int metrics_server_open(struct metrics_server *server, const struct metrics_address *address,
			struct error *err);
/** metrics_server_close() - also removes the file of a Unix socket */
void metrics_server_close(struct metrics_server *server);

/** metrics_server_poll() - fill what to poll() for */
void metrics_server_poll(const struct metrics_server *server, struct pollfd fds[METRICS_FDS]);

/** metrics_server_end() - Return: when metrics_server_serve() has to be called at the latest, as of
 * monotonic_ms(); INT64_MAX: no time */
__s64 metrics_server_end(const struct metrics_server *server);

/** metrics_server_serve() - do what poll() reported, and end connections whose time is over */
void metrics_server_serve(struct metrics_server *server, const struct pollfd fds[METRICS_FDS]);

#endif /* HBPF_METRICS_SERVER_H */
