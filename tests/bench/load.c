// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load for scripts/bench: a service, and a client that measures its speed.
 *
 *	load serve ADDRESS PORT
 *	load WORKLOAD ADDRESS PORT SECONDS [CLIENTS]
 *	load flows ADDRESS PORT COUNT	one UDP request from each of so many ports
 *
 * Workloads, with the names of netperf's tests:
 *	rr	requests and responses of 64 bytes on one connection; per second
 *	crr	connect, one request, one response, close; connections per second
 *	stream	the client sends as fast as possible; MB per second
 *	maerts	the same from the service to the client
 *	udp	requests and responses of 64 bytes by UDP; per second
 *
 * Prints NAME VALUE lines: rate; p50, p90, p99 and p999, the latency in microseconds; count, of
 * transactions or bytes; busy, the seconds that the CPUs worked; lost, UDP requests that were sent
 * again. CLIENTS connections at a time belong to one process: several would measure the scheduler.
 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <error.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "lib/array.h"

#define CLIENTS_MOST 1024
#define LATENCIES    (4 * 1024 * 1024)
#define PATIENCE     10  /* seconds until a connection has failed */
#define UDP_PATIENCE 200 /* milliseconds until a request is sent again */

char buffer[CHUNK];

/* One of the CLIENTS connections at a time. */
struct client {
	int fd;
	double since; /* of its transaction */
	bool connecting;
};

static struct client clients[CLIENTS_MOST];
static int clients_count = 1;
static float latencies[LATENCIES];
static double count, lost;
static double seconds;      /* to measure */
static double begun, until; /* the time when the measurement began, and when it is over */
static double busy_before;
static int warming; /* clients that have had no answer yet */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/*
 * The seconds that the CPUs worked for anything since boot: of this process's CPU, if it has one
 * only, or of all.
 */
static double busy(void)
{
	const double tick = 1.0 / sysconf(_SC_CLK_TCK);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	FILE *stat = fopen("/proc/stat", "r");
	double idle = 0, iowait = 0;
	char name[16] = "cpu", line[256];
	cpu_set_t set;

	if (!stat)
		error(1, errno, "/proc/stat");
	if (!sched_getaffinity(0, sizeof(set), &set) && CPU_COUNT(&set) == 1) {
		snprintf(name, sizeof(name), "cpu%d", sched_getcpu());
		cpus = 1;
	}
	while (fgets(line, sizeof(line), stat)) {
		size_t size = strlen(name);

		if (!strncmp(line, name, size) && line[size] == ' ')
			sscanf(line + size, "%*f %*f %*f %lf %lf", &idle, &iowait);
	}
	fclose(stat);
	/* Idle time is kept in microseconds; the others are samples, or lack what a hypervisor
	 * took. */
	return now() * cpus - (idle + iowait) * tick;
}

/* Begins to measure; connections that are not part of it are open. */
static double begin(void)
{
	busy_before = busy();
	begun = now();
	until = begun + seconds;
	return begun;
}

/* Counts a transaction that took from start to now, which it returns. */
static double transaction(double start)
{
	double end = now();

	if (count < LATENCIES)
		latencies[(size_t)count] = (end - start) * 1e6;
	count++;
	return end;
}

static struct endpoint endpoint(const char *addr, const char *port)
{
	in_port_t number = htons(atoi(port));
	struct endpoint where = {};

	if (inet_pton(AF_INET, addr, &where.in.sin_addr) == 1) {
		where.in.sin_family = AF_INET;
		where.in.sin_port = number;
		where.size = sizeof(where.in);
	} else if (inet_pton(AF_INET6, addr, &where.in6.sin6_addr) == 1) {
		where.in6.sin6_family = AF_INET6;
		where.in6.sin6_port = number;
		where.size = sizeof(where.in6);
	}
	if (!where.size || !number)
		error(2, 0, "%s:%s: not an address and a port", addr, port);
	return where;
}

int new_socket(const struct endpoint *where, int type)
{
	int fd = socket(where->any.sa_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		error(1, errno, "socket");
	return fd;
}

void set_option(int fd, int level, int option, const void *value, socklen_t size)
{
	if (setsockopt(fd, level, option, value, size))
		error(1, errno, "setsockopt");
}

bool send_all(int fd, size_t size)
{
	ssize_t done;

	for (; size; size -= done) {
		done = send(fd, buffer, size, MSG_NOSIGNAL);
		if (done <= 0)
			return false;
	}
	return true;
}

/* --- one client, blocking ------------------------------------------------------------------ */

static int dial(const struct endpoint *where, int type)
{
	const struct timeval patience = { .tv_sec = PATIENCE };
	int fd = new_socket(where, type);
	const int on = 1;

	if (type == SOCK_STREAM)
		set_option(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	set_option(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	set_option(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, &where->any, where->size))
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

static double rr(const struct endpoint *where)
{
	int fd = dial(where, SOCK_STREAM);
	double time;

	request(fd); /* the connection is established on both sides now */
	for (time = begin(); time < until;) {
		request(fd);
		time = transaction(time);
	}
	close(fd);
	return time;
}

static double crr(const struct endpoint *where)
{
	double time;
	int fd;

	for (time = begin(); time < until;) {
		fd = dial(where, SOCK_STREAM);
		request(fd);
		close(fd);
		time = transaction(time);
	}
	return time;
}

/* What was sent counts until the service has read it and closes, and so does its time. */
static double finish_stream(int fd)
{
	shutdown(fd, SHUT_WR);
	if (recv(fd, buffer, 1, 0) != 0)
		error(1, errno, "the service did not close");
	close(fd);
	return now();
}

static double stream(const struct endpoint *where)
{
	int fd = dial(where, SOCK_STREAM);

	buffer[0] = TASK_READ;
	for (begin(); now() < until; count += CHUNK)
		if (!send_all(fd, CHUNK))
			error(1, errno, "send");
	return finish_stream(fd);
}

static double maerts(const struct endpoint *where)
{
	int fd = dial(where, SOCK_STREAM);
	double end = 0;
	ssize_t size;

	buffer[0] = TASK_WRITE;
	if (!send_all(fd, 1))
		error(1, errno, "send");
	for (begin(); (end = now()) < until; count += size) {
		size = recv(fd, buffer, CHUNK, 0);
		if (size <= 0)
			error(1, errno, "the service stopped");
	}
	close(fd);
	return end;
}

static void udp_request(int fd)
{
	const double end = now() + PATIENCE;

	while (now() < end) {
		if (send(fd, buffer, MESSAGE, 0) == MESSAGE &&
		    recv(fd, buffer, MESSAGE, 0) == MESSAGE)
			return;
		lost++;
	}
	error(1, 0, "no answer");
}

static double udp(const struct endpoint *where)
{
	const struct timeval patience = { .tv_usec = UDP_PATIENCE * 1000 };
	int fd = dial(where, SOCK_DGRAM);
	double time;

	set_option(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	udp_request(fd);
	lost = 0;
	for (time = begin(); time < until;) {
		udp_request(fd);
		time = transaction(time);
	}
	close(fd);
	return time;
}

/* --- many clients, by epoll ---------------------------------------------------------------- */

static void watch(int epoll, struct client *client, unsigned int events, int operation)
{
	struct epoll_event event = { .events = events, .data.ptr = client };

	if (epoll_ctl(epoll, operation, client->fd, &event))
		error(1, errno, "epoll_ctl");
}

/* Calls ready() for the clients with events until the time is over. */
static double until_over(int epoll, void (*ready)(int epoll, struct client *client),
			 void (*idle)(void))
{
	struct epoll_event events[CLIENTS_MOST];
	int patience = idle ? UDP_PATIENCE : PATIENCE * 1000;
	int ready_count, i;
	double time;

	while ((time = now()) < until || warming || count == 0) {
		ready_count = epoll_wait(epoll, events, CLIENTS_MOST, patience);
		if (ready_count == 0 && !idle)
			error(1, 0, "no answer");
		if (ready_count == 0)
			idle();
		for (i = 0; i < ready_count; i++)
			ready(epoll, events[i].data.ptr);
	}
	return time;
}

/* Return: an epoll instance that watches all clients, which are connected. */
static int dial_many(const struct endpoint *where, int type, unsigned int events, enum task task)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), i;

	for (i = 0; i < clients_count; i++) {
		clients[i].fd = dial(where, type);
		watch(epoll, &clients[i], events, EPOLL_CTL_ADD);
	}
	buffer[0] = task;
	begin();
	for (i = 0; i < clients_count; i++) {
		clients[i].since = begun;
		if (send(clients[i].fd, buffer, MESSAGE, MSG_NOSIGNAL) != MESSAGE)
			error(1, errno, "send");
	}
	return epoll;
}

static void close_many(void)
{
	for (int i = 0; i < clients_count; i++)
		close(clients[i].fd);
}

/* Measures once each client has had an answer, so that the first packets of flows do not count. */
static double answered(double since)
{
	double end = now();

	if (!warming)
		return transaction(since);
	if (--warming == 0)
		end = begin();
	return end;
}

static void rr_ready(int epoll, struct client *client)
{
	(void)epoll;
	if (recv(client->fd, buffer, MESSAGE, 0) != MESSAGE)
		error(1, errno, "no answer");
	client->since = answered(client->since);
	if (send(client->fd, buffer, MESSAGE, MSG_NOSIGNAL) != MESSAGE)
		error(1, errno, "send");
}

/* @idle: called if nothing is answered for a while; or NULL */
static double echo_many(const struct endpoint *where, int type, enum task task, void (*idle)(void))
{
	int epoll = dial_many(where, type, EPOLLIN, task);
	double end;

	warming = clients_count;
	end = until_over(epoll, rr_ready, idle);
	close_many();
	return end;
}

static double rr_many(const struct endpoint *where)
{
	return echo_many(where, SOCK_STREAM, TASK_MANY_ECHO, NULL);
}

static const struct endpoint *crr_where;

static void crr_dial(int epoll, struct client *client)
{
	const int on = 1;

	client->since = now();
	client->connecting = true;
	client->fd = new_socket(crr_where, SOCK_STREAM | SOCK_NONBLOCK);
	set_option(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(client->fd, &crr_where->any, crr_where->size) && errno != EINPROGRESS)
		error(1, errno, "connect");
	watch(epoll, client, EPOLLOUT, EPOLL_CTL_ADD);
}

static void crr_ready(int epoll, struct client *client)
{
	if (client->connecting) {
		client->connecting = false;
		buffer[0] = TASK_MANY_ECHO;
		if (send(client->fd, buffer, MESSAGE, MSG_NOSIGNAL) != MESSAGE)
			error(1, errno, "connect");
		watch(epoll, client, EPOLLIN, EPOLL_CTL_MOD);
		return;
	}
	if (recv(client->fd, buffer, MESSAGE, 0) != MESSAGE)
		error(1, errno, "no answer");
	answered(client->since);
	close(client->fd);
	crr_dial(epoll, client);
}

static double crr_many(const struct endpoint *where)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), i;
	double end;

	crr_where = where;
	warming = clients_count;
	for (i = 0; i < clients_count; i++)
		crr_dial(epoll, &clients[i]);
	end = until_over(epoll, crr_ready, NULL);
	close_many();
	return end;
}

static void stream_ready(int epoll, struct client *client)
{
	ssize_t size;

	(void)epoll;
	buffer[0] = TASK_MANY_READ;
	size = send(client->fd, buffer, CHUNK, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (size <= 0)
		error(1, errno, "send");
	count += size;
}

static double stream_many(const struct endpoint *where)
{
	int epoll = dial_many(where, SOCK_STREAM, EPOLLOUT, TASK_MANY_READ), i;
	double end = 0;

	until_over(epoll, stream_ready, NULL);
	for (i = 0; i < clients_count; i++)
		shutdown(clients[i].fd, SHUT_WR);
	for (i = 0; i < clients_count; i++)
		end = finish_stream(clients[i].fd);
	return end;
}

static void maerts_ready(int epoll, struct client *client)
{
	ssize_t size = recv(client->fd, buffer, CHUNK, 0);

	(void)epoll;
	if (size <= 0)
		error(1, errno, "the service stopped");
	count += size;
}

static double maerts_many(const struct endpoint *where)
{
	int epoll = dial_many(where, SOCK_STREAM, EPOLLIN, TASK_MANY_WRITE);
	double end = until_over(epoll, maerts_ready, NULL);

	close_many();
	return end;
}

/* Nothing was answered for a while: every request is lost. */
static void udp_idle(void)
{
	for (int i = 0; i < clients_count; i++, lost++)
		send(clients[i].fd, buffer, MESSAGE, 0);
	if (lost > PATIENCE * 1000 / UDP_PATIENCE * clients_count)
		error(1, 0, "no answer");
}

static double udp_many(const struct endpoint *where)
{
	return echo_many(where, SOCK_DGRAM, TASK_ECHO, udp_idle);
}

/* --- the rest ------------------------------------------------------------------------------ */

/* Each of the ports is bound for a moment; the answers are not read. */
static void flows(const struct endpoint *where, int wanted)
{
	struct endpoint from = { .size = where->size };
	int port, fd;

	from.any.sa_family = where->any.sa_family;
	for (port = 65535; port > 1024 && wanted > 0; port--) {
		fd = new_socket(where, SOCK_DGRAM);
		from.in.sin_port = htons(port); /* sin6_port is at the same place */
		if (!bind(fd, &from.any, from.size) && !connect(fd, &where->any, where->size) &&
		    send(fd, buffer, MESSAGE, 0) == MESSAGE)
			wanted--;
		close(fd);
	}
	if (wanted)
		error(1, 0, "%d flows are missing", wanted);
}

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void print_latencies(void)
{
	static const struct {
		const char *name;
		double part;
	} points[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p999", 0.999 } };
	size_t n = count < LATENCIES ? count : LATENCIES, i;

	qsort(latencies, n, sizeof(*latencies), compare);
	for (i = 0; i < ARRAY_SIZE(points); i++)
		printf("%s %.2f\n", points[i].name, latencies[(size_t)(points[i].part * (n - 1))]);
}

static const struct workload {
	const char *name;
	double (*one)(const struct endpoint *where); /* until it is over; returns the end */
	double (*many)(const struct endpoint *where);
	bool bytes; /* they are counted */
} workloads[] = {
	{ .name = "rr", .one = rr, .many = rr_many },
	{ .name = "crr", .one = crr, .many = crr_many },
	{ .name = "stream", .one = stream, .many = stream_many, .bytes = true },
	{ .name = "maerts", .one = maerts, .many = maerts_many, .bytes = true },
	{ .name = "udp", .one = udp, .many = udp_many },
};

static void measure(const struct workload *workload, const struct endpoint *where)
{
	double end = (clients_count == 1 ? workload->one : workload->many)(where);

	if (count == 0)
		error(1, 0, "nothing was answered in time");
	printf("busy %.6f\n", busy() - busy_before);
	printf("rate %.3f\n", count / (end - begun) / (workload->bytes ? 1e6 : 1));
	printf("count %.0f\n", count);
	printf("lost %.0f\n", lost);
	if (!workload->bytes)
		print_latencies();
}

int main(int argc, char **argv)
{
	struct endpoint where;
	size_t i;

	if (argc < 4)
		goto usage;
	where = endpoint(argv[2], argv[3]);
	if (argc == 4 && !strcmp(argv[1], "serve"))
		serve(&where);
	if (argc == 5 && !strcmp(argv[1], "flows")) {
		flows(&where, atoi(argv[4]));
		return 0;
	}
	if (argc == 6)
		clients_count = atoi(argv[5]);
	if (clients_count < 1 || clients_count > CLIENTS_MOST)
		error(2, 0, "CLIENTS must be a number from 1 to %d", CLIENTS_MOST);
	for (i = 0; argc >= 5 && i < ARRAY_SIZE(workloads); i++) {
		if (strcmp(argv[1], workloads[i].name))
			continue;
		seconds = atof(argv[4]);
		measure(&workloads[i], &where);
		return 0;
	}
usage:
	error(2, 0,
	      "usage: load serve ADDRESS PORT\n"
	      "       load flows ADDRESS PORT COUNT\n"
	      "       load rr|crr|stream|maerts|udp ADDRESS PORT SECONDS [CLIENTS]");
}
