/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Before libcurl connects, connect(2) is tried without it: that tells exactly why
 * nobody can be asked, and it takes no library to find out.
 */
#include "engine/http.h"

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

#define ANSWER_MOST (4UL << 20) /* a network takes less than 2 KiB */

struct request {
	const struct curl_api *curl;
	CURL *easy;
	const char *socket;
	int fd;        /* libcurl's; -1 where it has none yet */
	bool begun;    /* the headers are there */
	bool keep;     /* the body; else it is only counted */
	bool too_long; /* it is */
	size_t room;   /* bytes of answer.body */
	__s64 asked;   /* when, as of monotonic_ms() */
	struct engine_answer answer;
};

struct engine_stream {
	struct request request;
	CURLM *multi;
};

static int try_connect(const char *path, struct error *err)
{
	const struct timeval most = { .tv_sec = ENGINE_TIMEOUT_MS / 1000 };
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
	/* unix_stream_connect() waits as long for a place in the listener's queue. */
	ret = setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
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
	fcntl(fd, F_SETFD, FD_CLOEXEC); /* modprobe need not inherit it */
	return CURL_SOCKOPT_OK;
}

static size_t on_header(char *line, size_t size, size_t count, void *data)
{
	static const char name[] = "Libpod-Api-Version:";
	struct request *request = data;
	size_t len = size * count;

	if (len >= sizeof(name) - 1 && !strncasecmp(line, name, sizeof(name) - 1))
		request->answer.podman = true;
	request->begun = len == 2; /* the empty line that ends them (RFC 9112, 2.1) */
	return len;
}

/* Doubled each time: growing piece by piece would copy a long answer over and over. */
static bool make_room(struct request *request, size_t len)
{
	size_t room = request->room ? request->room : 4096;
	char *body;

	request->too_long = len > ANSWER_MOST;
	while (room < len)
		room *= 2;
	if (request->too_long || room == request->room)
		return !request->too_long;
	body = realloc(request->answer.body, room);
	if (!body)
		return false;
	request->answer.body = body;
	request->room = room;
	return true;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
	struct request *request = data;
	struct engine_answer *answer = &request->answer;
	size_t len = size * count;

	if (request->keep) {
		if (!make_room(request, answer->len + len))
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
	request->asked = monotonic_ms();
	ret = try_connect(socket, err);
	if (ret)
		return ret;
	request->curl = curl_load(err);
	if (!request->curl)
		return -ELIBACC;
	request->easy = request->curl->easy_init();
	if (!request->easy || set_up(request, path))
		return error_set(err, ENOMEM, "no memory to query the engine on %s", socket);
	return 0;
}

static int failed(const struct request *request, CURLcode code, struct error *err)
{
	const char *socket = request->socket;

	if (request->too_long)
		return error_set(err, EMSGSIZE, "the answer on %s is longer than %lu MiB", socket,
				 ANSWER_MOST >> 20);
	if (code == CURLE_OPERATION_TIMEDOUT && request->begun)
		return error_set(err, ETIMEDOUT,
				 "the answer on %s is incomplete after %lld seconds", socket,
				 (long long)(monotonic_ms() - request->asked) / 1000);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return error_set(err, ETIMEDOUT, "no answer on %s within %d seconds", socket,
				 ENGINE_TIMEOUT_MS / 1000);
	if (code == CURLE_OUT_OF_MEMORY || code == CURLE_WRITE_ERROR)
		return error_set(err, ENOMEM, "no memory for the answer on %s", socket);
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

int engine_http_get(const char *socket, const char *path, int most_ms, struct engine_answer *answer,
		    struct error *err)
{
	struct request request;
	CURLcode code;
	int ret;

	memset(answer, 0, sizeof(*answer));
	ret = begin(&request, socket, path, err);
	if (!ret) {
		request.keep = true;
		/* Slow is not silent: a busy machine may take long over a long answer. */
		request.curl->easy_setopt(request.easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
		request.curl->easy_setopt(request.easy, CURLOPT_LOW_SPEED_TIME,
					  (long)ENGINE_TIMEOUT_MS / 1000);
		/* But one byte a second, and nothing else is done for hours. */
		request.curl->easy_setopt(request.easy, CURLOPT_TIMEOUT_MS, (long)most_ms);
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

/* Return: whether the answer is over, with libcurl's word for how */
static bool is_over(const struct engine_stream *stream, CURLcode *code)
{
	CURLMsg *message;
	int left;

	while ((message = stream->request.curl->multi_info_read(stream->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		*code = message->data.result;
		return true;
	}
	return false;
}

static int ended_at_once(const struct request *request, struct error *err)
{
	return error_set(err, EPROTO, "the event stream on %s ended at once", request->socket);
}

static int wait_for_headers(struct engine_stream *stream, struct error *err)
{
	struct request *request = &stream->request;
	const struct curl_api *curl = request->curl;
	__s64 end = monotonic_ms() + ENGINE_TIMEOUT_MS;
	CURLcode code;
	int running, ret;

	for (;;) {
		if (curl->multi_perform(stream->multi, &running))
			return failed(request, CURLE_OUT_OF_MEMORY, err);
		ret = request->begun ? check_status(request, err) : 0;
		if (ret)
			return ret;
		/* Also of one that has begun: no event would ever tell that it is over. */
		if (is_over(stream, &code))
			return code ? failed(request, code, err) : ended_at_once(request, err);
		if (request->begun)
			return 0;
		if (monotonic_ms() >= end)
			return failed(request, CURLE_OPERATION_TIMEDOUT, err);
		curl->multi_poll(stream->multi, NULL, 0, (int)(end - monotonic_ms()), NULL);
	}
}

int engine_http_stream(const char *socket, const char *path, struct engine_stream **stream,
		       struct error *err)
{
	struct engine_stream *new = calloc(1, sizeof(*new));
	struct request *request;
	int ret;

	if (!new)
		return error_set(err, ENOMEM, "no memory to query the engine on %s", socket);
	request = &new->request;
	ret = begin(request, socket, path, err);
	if (!ret) {
		new->multi = request->curl->multi_init();
		if (!new->multi || request->curl->multi_add_handle(new->multi, request->easy))
			ret = failed(request, CURLE_OUT_OF_MEMORY, err);
	}
	if (!ret)
		ret = wait_for_headers(new, err);
	if (ret)
		engine_stream_close(new);
	else
		*stream = new;
	return ret;
}

int engine_stream_fd(const struct engine_stream *stream)
{
	return stream->request.fd;
}

int engine_stream_read(struct engine_stream *stream, size_t *bytes)
{
	struct request *request = &stream->request;
	CURLcode code;
	int running;
	bool over;

	over = request->curl->multi_perform(stream->multi, &running) || is_over(stream, &code);
	*bytes = request->answer.len;
	request->answer.len = 0;
	return over ? -EPIPE : 0;
}

void engine_stream_close(struct engine_stream *stream)
{
	if (!stream)
		return;
	if (stream->multi) {
		stream->request.curl->multi_remove_handle(stream->multi, stream->request.easy);
		stream->request.curl->multi_cleanup(stream->multi);
	}
	request_free(&stream->request);
	free(stream);
}
