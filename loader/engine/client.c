/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * connect(2) is tried before libcurl does it: that gives the exact error, and where no engine runs
 * the library need not be loaded.
 */
#include "engine/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/libcurl.h"
#include "lib/clock.h"

#define ANSWER_MAX (4UL << 20) /* a network takes less than 2 KiB */

/* {"type":["network"],"event":["create","destroy"]}: without the events of containers */
#define EVENTS_PATH                                                                                \
	"/events?filters=%7B%22type%22%3A%5B%22network%22%5D%2C%22event%22%3A%5B%22create"         \
	"%22%2C%22destroy%22%5D%7D"

struct request {
	const struct curl_api *curl;
	CURL *easy;
	const char *socket;
	int fd;     /* libcurl's; -1 before it connects */
	bool begun; /* the headers are complete */
	bool keep;  /* the body; else it is only counted */
	bool too_long;
	size_t size; /* of answer.body, bytes */
	__s64 sent;  /* as of monotonic_ms() */
	struct engine_answer answer;
};

struct engine_events {
	struct request request;
	CURLM *multi;
};

static int try_connect(const char *path, struct error *err)
{
	const struct timeval timeout = { .tv_sec = ENGINE_TIMEOUT_MS / 1000 };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd, ret;

	if (len >= sizeof(addr.sun_path))
		return error_set(err, ENAMETOOLONG,
				 "the path of a Unix socket has at most %zu bytes: %s",
				 sizeof(addr.sun_path) - 1, path);
	memcpy(addr.sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(err, errno, "cannot create a Unix socket");
	/* unix_stream_connect() waits that long while the listener's queue is full. */
	ret = setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (!ret)
		ret = connect(fd, (const struct sockaddr *)&addr, sizeof(addr));
	if (ret)
		ret = errno == EAGAIN ? ETIMEDOUT : errno;
	close(fd);
	return ret ? error_errno(err, ret, "cannot connect to %s", path) : 0;
}

static int on_socket(void *data, curl_socket_t fd, curlsocktype purpose)
{
	struct request *request = data;

	(void)purpose;
	request->fd = fd;
	fcntl(fd, F_SETFD, FD_CLOEXEC); /* or modprobe would inherit it */
	return CURL_SOCKOPT_OK;
}

/* Return: what follows @name in a line of @len bytes; NULL if it is another header's */
static const char *header_value(const char *line, size_t len, const char *name)
{
	size_t name_len = strlen(name);

	return len >= name_len && !strncasecmp(line, name, name_len) ? line + name_len : NULL;
}

static unsigned int parse_api_minor(const char *value, size_t len)
{
	char text[sizeof(" 1.999")];
	unsigned int minor;

	snprintf(text, sizeof(text), "%.*s", (int)len, value);
	return sscanf(text, " 1.%3u", &minor) == 1 ? minor : 0;
}

static size_t on_header(char *line, size_t size, size_t count, void *data)
{
	struct request *request = data;
	size_t len = size * count;
	const char *version = header_value(line, len, "Api-Version:");

	if (version)
		request->answer.api_minor = parse_api_minor(version, line + len - version);
	if (header_value(line, len, "Libpod-Api-Version:"))
		request->answer.podman = true;
	request->begun = len == 2; /* the empty line that ends them (RFC 9112, 2.1) */
	return len;
}

/* Doubled each time: growing piece by piece would copy a long answer over and over. */
static bool grow_body(struct request *request, size_t len)
{
	size_t size = request->size ? request->size : 4096;
	char *body;

	request->too_long = len > ANSWER_MAX;
	while (size < len)
		size *= 2;
	if (request->too_long || size == request->size)
		return !request->too_long;
	body = realloc(request->answer.body, size);
	if (!body)
		return false;
	request->answer.body = body;
	request->size = size;
	return true;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
	struct request *request = data;
	struct engine_answer *answer = &request->answer;
	size_t len = size * count;

	if (request->keep) {
		if (!grow_body(request, answer->len + len))
			return 0; /* libcurl gives up with CURLE_WRITE_ERROR */
		memcpy(answer->body + answer->len, bytes, len);
	}
	answer->len += len;
	return len;
}

static int set_up(struct request *request, const char *path)
{
	const struct curl_api *curl = request->curl;
	CURL *easy = request->easy;
	char *url;
	bool bad;

	if (asprintf(&url, "http://localhost%s", path) < 0)
		return -ENOMEM;
	bad = curl->easy_setopt(easy, CURLOPT_URL, url) ||
	      curl->easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->socket) ||
	      curl->easy_setopt(easy, CURLOPT_PROXY, "") ||
	      curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) ||
	      curl->easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket) ||
	      curl->easy_setopt(easy, CURLOPT_SOCKOPTDATA, request) ||
	      curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) ||
	      curl->easy_setopt(easy, CURLOPT_HEADERDATA, request) ||
	      curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) ||
	      curl->easy_setopt(easy, CURLOPT_WRITEDATA, request);
	free(url);
	return bad ? -ENOMEM : 0;
}

static void request_free(struct request *request)
{
	if (request->easy)
		request->curl->easy_cleanup(request->easy);
	engine_answer_free(&request->answer);
}

static int begin(struct request *request, const char *socket, const char *path, struct error *err)
{
	int ret;

	memset(request, 0, sizeof(*request));
	request->socket = socket;
	request->fd = -1;
	request->sent = monotonic_ms();
	ret = try_connect(socket, err);
	if (ret)
		return ret;
	request->curl = curl_load(err);
	if (!request->curl)
		return -ELIBACC;
	request->easy = request->curl->easy_init();
	if (!request->easy || set_up(request, path))
		return error_nomem(err);
	return 0;
}

static int failed(const struct request *request, CURLcode code, struct error *err)
{
	const char *socket = request->socket;

	if (request->too_long)
		return error_set(err, EMSGSIZE, "the answer on %s is longer than %lu MiB", socket,
				 ANSWER_MAX >> 20);
	if (code == CURLE_OPERATION_TIMEDOUT && request->begun)
		return error_set(err, ETIMEDOUT,
				 "the answer on %s is incomplete after %lld seconds", socket,
				 (long long)(monotonic_ms() - request->sent) / 1000);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return error_set(err, ETIMEDOUT, "no answer on %s within %d seconds", socket,
				 ENGINE_TIMEOUT_MS / 1000);
	if (code == CURLE_OUT_OF_MEMORY || code == CURLE_WRITE_ERROR)
		return error_nomem(err);
	return error_set(err, EPROTO, "no HTTP answer on %s: %s", socket,
			 request->curl->easy_strerror(code));
}

static int check_status(const struct request *request, struct error *err)
{
	long status = 0;

	request->curl->easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		return 0;
	return error_set(err, EPROTO, "the answer on %s is HTTP status %ld", request->socket,
			 status);
}

void engine_answer_free(struct engine_answer *answer)
{
	free(answer->body);
	memset(answer, 0, sizeof(*answer));
}

int engine_http_get(const char *socket, const char *path, int max_ms, struct engine_answer *answer,
		    struct error *err)
{
	struct request request;
	CURLcode code;
	int ret;

	memset(answer, 0, sizeof(*answer));
	ret = begin(&request, socket, path, err);
	if (!ret) {
		request.keep = true;
		/* A long answer of a busy machine may be slow, but not silent. */
		request.curl->easy_setopt(request.easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
		request.curl->easy_setopt(request.easy, CURLOPT_LOW_SPEED_TIME,
					  (long)ENGINE_TIMEOUT_MS / 1000);
		/* A byte per second is not silent, but would take hours. */
		request.curl->easy_setopt(request.easy, CURLOPT_TIMEOUT_MS, (long)max_ms);
		code = request.curl->easy_perform(request.easy);
		ret = code ? failed(&request, code, err) : check_status(&request, err);
	}
	if (!ret) {
		*answer = request.answer;
		memset(&request.answer, 0, sizeof(request.answer));
	}
	request_free(&request);
	return ret;
}

/* Return: did the answer end? Then @code is libcurl's result */
static bool has_ended(const struct engine_events *events, CURLcode *code)
{
	CURLMsg *message;
	int left;

	while ((message = events->request.curl->multi_info_read(events->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		*code = message->data.result;
		return true;
	}
	return false;
}

static int wait_for_headers(struct engine_events *events, struct error *err)
{
	struct request *request = &events->request;
	const struct curl_api *curl = request->curl;
	__s64 end = monotonic_ms() + ENGINE_TIMEOUT_MS;
	CURLcode code;
	int running, ret;

	for (;;) {
		if (curl->multi_perform(events->multi, &running))
			return failed(request, CURLE_OUT_OF_MEMORY, err);
		ret = request->begun ? check_status(request, err) : 0;
		if (ret)
			return ret;
		/* Also of one that has begun: its descriptor would never report the end again. */
		if (has_ended(events, &code))
			return code ? failed(request, code, err)
				    : error_set(err, EPROTO, "the event stream on %s ended at once",
						request->socket);
		if (request->begun)
			return 0;
		if (monotonic_ms() >= end)
			return failed(request, CURLE_OPERATION_TIMEDOUT, err);
		curl->multi_poll(events->multi, NULL, 0, (int)(end - monotonic_ms()), NULL);
	}
}

int engine_events_open(const char *socket, struct engine_events **events, struct error *err)
{
	struct engine_events *new = calloc(1, sizeof(*new));
	struct request *request;
	int ret;

	if (!new)
		return error_nomem(err);
	request = &new->request;
	ret = begin(request, socket, EVENTS_PATH, err);
	if (!ret) {
		new->multi = request->curl->multi_init();
		if (!new->multi || request->curl->multi_add_handle(new->multi, request->easy))
			ret = failed(request, CURLE_OUT_OF_MEMORY, err);
	}
	if (!ret)
		ret = wait_for_headers(new, err);
	if (ret)
		engine_events_close(new);
	else
		*events = new;
	return ret;
}

int engine_events_fd(const struct engine_events *events)
{
	return events ? events->request.fd : -1;
}

int engine_events_read(struct engine_events *events)
{
	struct request *request = &events->request;
	CURLcode code;
	int running;
	bool any;

	if (request->curl->multi_perform(events->multi, &running) || has_ended(events, &code))
		return -EPIPE;
	/* The events are not parsed: the networks are queried again. */
	any = request->answer.len;
	request->answer.len = 0;
	return any;
}

void engine_events_close(struct engine_events *events)
{
	if (!events)
		return;
	if (events->multi) {
		events->request.curl->multi_remove_handle(events->multi, events->request.easy);
		events->request.curl->multi_cleanup(events->multi);
	}
	request_free(&events->request);
	free(events);
}
