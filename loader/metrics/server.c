/* SPDX-License-Identifier: GPL-2.0-only */
#include "metrics/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "docdir.h"
#include "lib/addr.h"
#include "lib/clock.h"
#include "metrics/prometheus.h"

#define UNIX_SCHEME "unix:"

/* ---- addresses ---- */

static int bad_address(const char *text, struct error *err)
{
	error_set(err, EINVAL, "metrics cannot be served on '%s'", text);
	error_hint(err, "give unix:PATH, 127.0.0.1:PORT or [::1]:PORT; only loopback is allowed");
	return -EINVAL;
}

static int parse_path(const char *path, struct metrics_address *address, struct error *err)
{
	size_t len = strlen(path) + 1;

	if (path[0] != '/' || len > sizeof(address->un.sun_path))
		return bad_address(address->text, err);
	address->un.sun_family = AF_UNIX;
	memcpy(address->un.sun_path, path, len);
	address->len = sizeof(address->un);
	return 0;
}

int metrics_address_parse(const char *text, struct metrics_address *address, struct error *err)
{
	const char *colon = strrchr(text, ':');
	char host[ADDR_STRLEN + 2], *end;
	struct hbpf_addr addr;
	unsigned long port;

	*address = (struct metrics_address){ .text = text };
	if (!strncmp(text, UNIX_SCHEME, strlen(UNIX_SCHEME)))
		return parse_path(text + strlen(UNIX_SCHEME), address, err);
	if (!colon || (size_t)(colon - text) >= sizeof(host) || colon[1] < '0' || colon[1] > '9')
		return bad_address(text, err);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	port = strtoul(colon + 1, &end, 10);
	/* without brackets, ::1:80 would be ambiguous */
	if (*end || !port || port > UINT16_MAX || (strchr(host, ':') && host[0] != '[') ||
	    addr_parse(host, &addr) || !addr_is_loopback(&addr))
		return bad_address(text, err);
	address->len = endpoint_sockaddr(&addr, htons((__u16)port), &address->storage);
	return 0;
}

/* ---- listening ---- */

void metrics_server_init(struct metrics_server *server)
{
	*server = (struct metrics_server){ .fd = -1 };
	for (size_t i = 0; i < METRICS_CONNECTIONS; i++)
		server->connections[i].fd = -1;
}

/* Does nobody listen on the socket of this file? Then it was left by a killed process. */
static bool is_stale(const struct metrics_address *address)
{
	struct stat st;
	bool stale;
	int fd;

	if (lstat(address->un.sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	stale = connect(fd, &address->sa, address->len) && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

int metrics_server_open(struct metrics_server *server, const struct metrics_address *address,
			struct error *err)
{
	bool is_unix = address->sa.sa_family == AF_UNIX;
	int ret = 0;

	server->address = address;
	server->fd = socket(address->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->fd >= 0 && is_unix && is_stale(address))
		unlink(address->un.sun_path);
	/* a restart must not wait for TIME_WAIT */
	if (server->fd < 0 ||
	    setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) ||
	    bind(server->fd, &address->sa, address->len))
		ret = -errno;
	if (!ret) {
		server->has_path = is_unix;
		if (listen(server->fd, METRICS_CONNECTIONS))
			ret = -errno;
	}
	if (!ret)
		return 0;
	error_errno(err, ret, "cannot serve metrics on %s", address->text);
	if (ret == -EAFNOSUPPORT)
		error_hint(err, "hbpf.service allows no TCP; two lines that do are in " HBPF_DOCDIR
				"/docs/METRICS.md");
	return ret;
}

static void drop(struct metrics_connection *connection)
{
	if (connection->fd >= 0)
		close(connection->fd);
	free(connection->text);
	memset(connection, 0, sizeof(*connection));
	connection->fd = -1;
}

void metrics_server_close(struct metrics_server *server)
{
	for (size_t i = 0; i < METRICS_CONNECTIONS; i++)
		drop(&server->connections[i]);
	if (server->has_path)
		unlink(server->address->un.sun_path);
	if (server->fd >= 0)
		close(server->fd);
	free(server->cached);
	metrics_server_init(server);
}

/* ---- answers ---- */

static void answer(struct metrics_connection *connection, const char *status, const char *type,
		   const char *body, size_t size, bool head_only)
{
	FILE *to = open_memstream(&connection->text, &connection->size);

	if (!to)
		return; /* the connection ends when its time is over */
	fprintf(to,
		"HTTP/1.0 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		status, type, size);
	if (!head_only)
		fwrite(body, 1, size, to);
	fclose(to);
}

static void refuse(struct metrics_connection *connection, const char *status, const char *why)
{
	answer(connection, status, "text/plain", why, strlen(why), false);
}

/* Return: 0 or -errno */
static int refresh(struct metrics_server *server, struct error *err)
{
	struct traffic traffic;
	__s64 now = monotonic_ms();
	FILE *to;
	int ret;

	if (server->cached && now - server->cached_at < METRICS_CACHE_MS)
		return 0;
	free(server->cached);
	server->cached = NULL;
	ret = traffic_read_all(&traffic, err);
	if (ret)
		return ret;
	to = open_memstream(&server->cached, &server->cached_size);
	if (to) {
		prometheus_write(to, &traffic);
		fclose(to);
	}
	traffic_free(&traffic);
	server->cached_at = now;
	return server->cached ? 0 : error_nomem(err);
}

static void answer_metrics(struct metrics_server *server, struct metrics_connection *connection,
			   bool head_only)
{
	struct error err = {};

	if (refresh(server, &err))
		refuse(connection, "500 Internal Server Error", err.what);
	else
		answer(connection, "200 OK", PROMETHEUS_CONTENT_TYPE, server->cached,
		       server->cached_size, head_only);
	error_free(&err);
}

/* "GET /metrics HTTP/1.1"; a query after the path means nothing here */
static void answer_request(struct metrics_server *server, struct metrics_connection *connection)
{
	char method[8], path[16];

	if (sscanf(connection->request, "%7[A-Z] %15[^ ?\r\n]", method, path) != 2) {
		refuse(connection, "400 Bad Request", "this is no HTTP request\n");
	} else if (strcmp(method, "GET") && strcmp(method, "HEAD")) {
		refuse(connection, "405 Method Not Allowed", "only GET and HEAD\n");
	} else if (strcmp(path, "/metrics")) {
		refuse(connection, "404 Not Found", "the metrics are at /metrics\n");
	} else {
		answer_metrics(server, connection, !strcmp(method, "HEAD"));
	}
}

/* ---- connections ---- */

static bool is_final(ssize_t ret)
{
	return ret == 0 || (ret < 0 && errno != EAGAIN && errno != EINTR);
}

static void receive(struct metrics_server *server, struct metrics_connection *connection)
{
	size_t room = sizeof(connection->request) - 1 - connection->got;
	ssize_t len = recv(connection->fd, connection->request + connection->got, room, 0);

	if (is_final(len))
		drop(connection);
	if (len <= 0)
		return;
	connection->got += (size_t)len;
	connection->request[connection->got] = '\0';
	if (strstr(connection->request, "\r\n\r\n") || strstr(connection->request, "\n\n"))
		answer_request(server, connection);
	else if (connection->got == sizeof(connection->request) - 1)
		refuse(connection, "431 Request Header Fields Too Large",
		       "the request is too long\n");
}

static void transmit(struct metrics_connection *connection)
{
	ssize_t len = send(connection->fd, connection->text + connection->sent,
			   connection->size - connection->sent, MSG_NOSIGNAL);

	if (len > 0)
		connection->sent += (size_t)len;
	if (is_final(len) || connection->sent == connection->size)
		drop(connection);
}

static void accept_one(struct metrics_server *server)
{
	int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	for (size_t i = 0; fd >= 0 && i < METRICS_CONNECTIONS; i++) {
		struct metrics_connection *connection = &server->connections[i];

		if (connection->fd >= 0)
			continue;
		connection->fd = fd;
		connection->end = monotonic_ms() + METRICS_MS;
		return;
	}
	if (fd >= 0)
		close(fd);
}

void metrics_server_poll(const struct metrics_server *server, struct pollfd fds[METRICS_FDS])
{
	bool full = true;

	for (size_t i = 0; i < METRICS_CONNECTIONS; i++) {
		const struct metrics_connection *connection = &server->connections[i];

		full = full && connection->fd >= 0;
		fds[1 + i] = (struct pollfd){
			.fd = connection->fd,
			.events = connection->text ? POLLOUT : POLLIN,
		};
	}
	fds[0] = (struct pollfd){ .fd = full ? -1 : server->fd, .events = POLLIN };
}

__s64 metrics_server_end(const struct metrics_server *server)
{
	__s64 end = INT64_MAX;

	for (size_t i = 0; i < METRICS_CONNECTIONS; i++) {
		if (server->connections[i].fd >= 0 && server->connections[i].end < end)
			end = server->connections[i].end;
	}
	return end;
}

void metrics_server_serve(struct metrics_server *server, const struct pollfd fds[METRICS_FDS])
{
	__s64 now = monotonic_ms();

	for (size_t i = 0; i < METRICS_CONNECTIONS; i++) {
		struct metrics_connection *connection = &server->connections[i];

		if (connection->fd < 0)
			continue;
		if (now >= connection->end)
			drop(connection);
		else if (fds[1 + i].revents && connection->text)
			transmit(connection);
		else if (fds[1 + i].revents)
			receive(server, connection);
	}
	if (fds[0].revents)
		accept_one(server);
}
