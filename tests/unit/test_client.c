/* SPDX-License-Identifier: GPL-2.0-only */
/* Against a server that says what a test gives it, over a Unix socket of its own. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "engine/client.h"
#include "lib/array.h"

#define OK "HTTP/1.1 200 OK\r\n"

static char dir[] = "/tmp/hbpf-unit.XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/socket", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static int listen_at(const char *where)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(addr.sun_path, where, strlen(where));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

/* The request's first line, or nothing where the client went without one. */
static size_t hear(int client, char *line, size_t size)
{
	ssize_t len = read(client, line, size - 1);

	line[len > 0 ? len : 0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	return strlen(line);
}

#define FOREVER (-1)

/* Return: did a client read all of it? */
static bool say(int client, const char *text, size_t len)
{
	while (len) {
		ssize_t some = send(client, text, len, MSG_NOSIGNAL);

		if (some <= 0)
			return false;
		text += some;
		len -= some;
	}
	return true;
}

/*
 * A server that answers everyone with @head and @times the @rest, and closes. FOREVER: never silent
 * for long, and never done.
 */
static pid_t serve(const char *head, const char *rest, int times)
{
	size_t len = strlen(rest);
	int fd = listen_at(path);
	pid_t pid = fork();
	char line[512];

	if (pid) {
		close(fd);
		return pid;
	}
	for (;;) {
		int client = accept(fd, NULL, NULL);

		if (hear(client, line, sizeof(line))) {
			say(client, head, strlen(head));
			for (int i = 0; i != times && say(client, rest, len); i++)
				usleep(times == FOREVER ? 50000 : 0);
		}
		close(client);
	}
}

static void stop_server(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unlink(path);
}

/* Return: what engine_http_get() said to such a server */
static int get(const char *head, const char *rest, int times, struct engine_answer *answer,
	       struct error *err)
{
	pid_t pid = serve(head, rest, times);
	int rc = engine_http_get(path, "/networks", ENGINE_ANSWER_MS, answer, err);

	stop_server(pid);
	return rc;
}

static void the_version_of_the_api_is_read_from_the_headers(void **state)
{
	static const struct {
		const char *headers;
		unsigned int minor;
		bool podman;
	} cases[] = {
		{ "", 0, false },
		{ "Api-Version: 1.44\r\n", 44, false },
		{ "api-version:1.41\r\nServer: Docker/20.10.24 (linux)\r\n", 41, false },
		{ "Api-Version: 1.41\r\nLibpod-Api-Version: 4.3.1\r\n", 41, true },
		{ "Api-Version: 2.0\r\n", 0, false },
		{ "Api-Version: 1.\r\n", 0, false },
		{ "Api-Version: 1.99999999999\r\n", 999, false },
		{ "Api-Version: \r\n", 0, false },
		{ "Api-Versions: 1.44\r\n", 0, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct engine_answer answer;
		char head[256];

		snprintf(head, sizeof(head), OK "%s\r\n", cases[i].headers);
		assert_int_equal(get(head, "", 0, &answer, NULL), 0);
		assert_int_equal(answer.api_minor, cases[i].minor);
		assert_int_equal(answer.podman, cases[i].podman);
		engine_answer_free(&answer);
	}
}

static void an_answer_is_read_whole_and_without_what_is_around_it(void **state)
{
	struct engine_answer answer;

	(void)state;
	assert_int_equal(get(OK "Content-Length: 5\r\n\r\n", "[1,2]more", 1, &answer, NULL), 0);
	assert_int_equal(answer.len, 5);
	assert_memory_equal(answer.body, "[1,2]", 5);
	assert_false(answer.podman);
	engine_answer_free(&answer);

	assert_int_equal(get(OK "Transfer-Encoding: chunked\r\n"
				"libpod-api-version: 4.3.1\r\n\r\n"
				"2\r\n[1\r\n3\r\n,2]\r\n0\r\n\r\n",
			     "", 0, &answer, NULL),
			 0);
	assert_int_equal(answer.len, 5);
	assert_memory_equal(answer.body, "[1,2]", 5);
	assert_true(answer.podman);
	engine_answer_free(&answer);

	assert_int_equal(get(OK "Content-Length: 0\r\n\r\n", "", 0, &answer, NULL), 0);
	assert_int_equal(answer.len, 0);
	engine_answer_free(&answer);
}

static void nobody_to_ask_is_told_by_its_errno(void **state)
{
	char longest[sizeof(((struct sockaddr_un *)0)->sun_path) + 1] = "/";
	struct engine_answer answer;
	struct error err = {};
	int fd;

	(void)state;
	assert_int_equal(engine_http_get(path, "/", ENGINE_ANSWER_MS, &answer, &err), -ENOENT);
	assert_non_null(strstr(err.what, path));

	fd = listen_at(path); /* as a daemon leaves it that was killed */
	close(fd);
	assert_int_equal(engine_http_get(path, "/", ENGINE_ANSWER_MS, &answer, &err),
			 -ECONNREFUSED);
	assert_non_null(strstr(err.what, path));
	unlink(path);

	memset(longest + 1, 'a', sizeof(longest) - 2);
	assert_int_equal(engine_http_get(longest, "/", ENGINE_ANSWER_MS, &answer, &err),
			 -ENAMETOOLONG);
	assert_non_null(strstr(err.what, "aaaa"));
}

static void what_is_no_good_answer_is_refused(void **state)
{
	static const struct {
		const char *head, *rest;
		const char *said;
	} rows[] = {
		{ "", "", "no HTTP answer" },
		{ "SSH-2.0-OpenSSH_9.2\r\n", "", "no HTTP answer" },
		{ OK "Content-Length: 5\r\n\r\n", "[1", "no HTTP answer" },
		{ OK "Transfer-Encoding: chunked\r\n\r\n5\r\n", "[1", "no HTTP answer" },
		{ "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n", "[]", "HTTP status 404" },
		{ "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1/\r\n\r\n", "",
		  "HTTP status 301" },
	};
	struct engine_answer answer;
	struct error err = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(get(rows[i].head, rows[i].rest, 1, &answer, &err), -EPROTO);
		assert_non_null(strstr(err.what, rows[i].said));
		assert_non_null(strstr(err.what, path));
		assert_null(answer.body);
	}
}

static void an_answer_without_end_is_given_up(void **state)
{
	static char megabyte[(1 << 20) + 1];
	struct engine_answer answer;
	struct error err = {};

	(void)state;
	memset(megabyte, ' ', sizeof(megabyte) - 1);
	assert_int_equal(get(OK "\r\n", megabyte, 2, &answer, &err), 0);
	engine_answer_free(&answer);
	assert_int_equal(get(OK "\r\n", megabyte, 1000, &answer, &err), -EMSGSIZE);
	assert_non_null(strstr(err.what, "4 MiB"));
	assert_null(answer.body);
}

static void an_answer_that_comes_in_drops_is_given_up(void **state)
{
	static const struct {
		const char *head, *said;
	} rows[] = {
		{ OK "\r\n", "is incomplete after 1 seconds" },
		{ OK "X-Endless: ", "no answer" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		pid_t pid = serve(rows[i].head, " ", FOREVER);
		struct engine_answer answer;
		struct error err = {};

		alarm(20); /* libcurl would wait on */
		assert_int_equal(engine_http_get(path, "/", 1500, &answer, &err), -ETIMEDOUT);
		alarm(0);
		assert_non_null(strstr(err.what, rows[i].said));
		assert_non_null(strstr(err.what, path));
		assert_null(answer.body);
		stop_server(pid);
	}
}

/* An engine whose events come when the test writes to @tell, and whose end is its end. */
static pid_t serve_events(int *tell)
{
	int fd = listen_at(path), pipes[2];
	char line[512];
	int client;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid) {
		close(fd);
		close(pipes[0]);
		*tell = pipes[1];
		return pid;
	}
	close(pipes[1]);
	do {
		client = accept(fd, NULL, NULL);
	} while (!hear(client, line, sizeof(line)));
	if (!strstr(line, "GET /events?filters=%7B%22type%22%3A%5B%22network%22%5D"))
		_exit(1);
	say(client, OK "Transfer-Encoding: chunked\r\n\r\n",
	    strlen(OK "Transfer-Encoding: chunked\r\n\r\n"));
	while (read(pipes[0], line, 1) == 1)
		say(client, "3\r\n{}\n\r\n", 8);
	_exit(0);
}

static int wait_and_read(struct engine_events *events)
{
	struct pollfd wait = { .fd = engine_events_fd(events), .events = POLLIN };

	assert_int_equal(poll(&wait, 1, 10000), 1);
	return engine_events_read(events);
}

static void events_are_told_as_they_come_and_so_is_their_end(void **state)
{
	struct engine_events *events = NULL;
	struct error err = {};
	int tell;
	pid_t pid = serve_events(&tell);

	(void)state;
	assert_int_equal(engine_events_open(path, &events, &err), 0);
	assert_int_equal(engine_events_read(events), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(write(tell, "!", 1), 1);
		assert_int_equal(wait_and_read(events), 1);
		assert_int_equal(engine_events_read(events), 0);
	}
	close(tell);
	assert_int_equal(wait_and_read(events), -EPIPE);
	engine_events_close(events);
	stop_server(pid);
}

static void events_of_what_is_no_engine_are_refused(void **state)
{
	struct engine_events *events = NULL;
	struct error err = {};
	pid_t pid;

	(void)state;
	assert_int_equal(engine_events_open(path, &events, &err), -ENOENT);
	assert_int_equal(engine_events_fd(events), -1);

	pid = serve("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n", "{}", 1);
	assert_int_equal(engine_events_open(path, &events, &err), -EPROTO);
	assert_non_null(strstr(err.what, "404"));
	stop_server(pid);

	pid = serve("hello\r\n", "", 0);
	assert_int_equal(engine_events_open(path, &events, &err), -EPROTO);
	assert_int_equal(engine_events_fd(events), -1);
	stop_server(pid);
}

static void events_that_end_with_their_headers_are_no_subscription(void **state)
{
	static const char *const heads[] = {
		OK "Content-Length: 0\r\n\r\n",
		OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		struct engine_events *events = NULL;
		struct error err = {};
		pid_t pid = serve(heads[i], "", 0);

		assert_int_equal(engine_events_open(path, &events, &err), -EPROTO);
		assert_non_null(strstr(err.what, "ended at once"));
		assert_non_null(strstr(err.what, path));
		assert_int_equal(engine_events_fd(events), -1);
		stop_server(pid);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_version_of_the_api_is_read_from_the_headers),
		cmocka_unit_test(an_answer_is_read_whole_and_without_what_is_around_it),
		cmocka_unit_test(nobody_to_ask_is_told_by_its_errno),
		cmocka_unit_test(what_is_no_good_answer_is_refused),
		cmocka_unit_test(an_answer_without_end_is_given_up),
		cmocka_unit_test(an_answer_that_comes_in_drops_is_given_up),
		cmocka_unit_test(events_are_told_as_they_come_and_so_is_their_end),
		cmocka_unit_test(events_of_what_is_no_engine_are_refused),
		cmocka_unit_test(events_that_end_with_their_headers_are_no_subscription),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
