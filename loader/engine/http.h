/* SPDX-License-Identifier: GPL-2.0-only */
/* HTTP with a container engine over its Unix socket: an answer, or a stream of them (libcurl). */
#ifndef HBPF_HTTP_H
#define HBPF_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

#define ENGINE_TIMEOUT_MS 10000 /* silence: dockerd, started by its socket, takes seconds */
#define ENGINE_ANSWER_MS  30000 /* for a whole answer */

struct engine_answer {
	bool podman; /* has the header Libpod-Api-Version, as all of Podman's */
	char *body;  /* NULL where it is empty */
	size_t len;
};

/**
 * engine_http_get() - ask for a path
 * @socket:	Path of the Unix socket
 * @path:	What is asked for, from the slash on
 * @most_ms:	How long the whole answer may take: ENGINE_ANSWER_MS
 * @answer:	Filled; release with engine_answer_free()
 * @err:	Names the socket
 *
 * Where nobody listens libcurl is not even loaded. Return: 0; -ENOENT, -ECONNREFUSED, -EACCES or
 * another of connect(2); -ETIMEDOUT after ENGINE_TIMEOUT_MS of silence, or after @most_ms;
 * -EMSGSIZE for an answer that is too long; -EPROTO for what is not HTTP or another status than
 * 200; -ELIBACC without libcurl; -ENOMEM
 */
int engine_http_get(const char *socket, const char *path, int most_ms, struct engine_answer *answer,
		    struct error *err);

/** engine_answer_free() - release an answer; one that is all zero is fine, too */
void engine_answer_free(struct engine_answer *answer);

struct engine_stream;

/**
 * engine_http_stream() - ask for a path whose answer does not end, and wait until it has begun
 * @stream:	Set; release with engine_stream_close()
 *
 * One that is over as soon as it has begun is -EPROTO. The rest is as for engine_http_get(), but
 * for @most_ms
 */
int engine_http_stream(const char *socket, const char *path, struct engine_stream **stream,
		       struct error *err);

/** engine_stream_fd() - what to wait on, for POLLIN */
int engine_stream_fd(const struct engine_stream *stream);

/**
 * engine_stream_read() - take what has come, without waiting
 * @bytes:	Set to how many there were, also where the stream is over now. They are not kept
 *
 * Return: 0, or -EPIPE where the stream is over: the engine ended it, or something failed
 */
int engine_stream_read(struct engine_stream *stream, size_t *bytes);

/** engine_stream_close() - end it; NULL is fine */
void engine_stream_close(struct engine_stream *stream);

#endif /* HBPF_HTTP_H */
