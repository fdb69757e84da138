/* SPDX-License-Identifier: GPL-2.0-only */
#include "engine/events.h"

#include "engine/http.h"

/* {"type":["network"],"event":["create","destroy"]}: without containers that come and go */
#define QUERY                                                                                      \
	"/events?filters=%7B%22type%22%3A%5B%22network%22%5D%2C%22event%22%3A%5B%22create"         \
	"%22%2C%22destroy%22%5D%7D"

int engine_events_open(const struct engine *engine, struct engine_events *events, struct error *err)
{
	events->stream = NULL;
	return engine_http_stream(engine->socket, QUERY, &events->stream, err);
}

int engine_events_fd(const struct engine_events *events)
{
	return events->stream ? engine_stream_fd(events->stream) : -1;
}

unsigned int engine_events_dispatch(struct engine_events *events)
{
	unsigned int bits = 0;
	size_t bytes;

	if (!events->stream)
		return ENGINE_EVENTS_ENDED;
	/* What an event says is not read: which networks there are is asked anew. */
	if (engine_stream_read(events->stream, &bytes))
		bits |= ENGINE_EVENTS_ENDED;
	if (bytes)
		bits |= ENGINE_EVENTS_CHANGED;
	return bits;
}

void engine_events_close(struct engine_events *events)
{
	engine_stream_close(events->stream);
	events->stream = NULL;
}
