/* SPDX-License-Identifier: GPL-2.0-only */
#include "watch/retry.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/log.h"

#define FIRST_PAUSE_MS 1000
#define LAST_PAUSE_MS  60000
#define RECENT_MS      10000
#define REPAIRS_MAX    5

struct retry *retry_get(struct retry_list *list, const char *key)
{
	struct retry new = { .used = true };

	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->v[i].key, key))
			continue;
		list->v[i].used = true;
		return &list->v[i];
	}
	new.key = strdup(key);
	if (new.key && !ARRAY_ADD(list, new))
		return &list->v[list->count - 1];
	free(new.key);
	return NULL;
}

static void retry_free(struct retry *retry)
{
	free(retry->key);
	free(retry->message);
}

void retry_list_prune(struct retry_list *list)
{
	size_t all = list->count;

	list->count = 0;
	for (size_t i = 0; i < all; i++) {
		if (list->v[i].used) {
			list->v[i].used = false;
			list->v[list->count++] = list->v[i];
		} else {
			retry_free(&list->v[i]);
		}
	}
}

void retry_list_free(struct retry_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		retry_free(&list->v[i]);
	free(list->v);
	*list = (struct retry_list){};
}

static bool is_new(struct retry *retry, const char *message)
{
	if (!retry)
		return true;
	if (retry->message && !strcmp(retry->message, message))
		return false;
	free(retry->message);
	retry->message = strdup(message); /* without memory it is logged again */
	return true;
}

void retry_notice(struct retry *retry, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (is_new(retry, text))
		log_notice("%s", text);
}

void retry_error(struct retry *retry, const struct error *err)
{
	if (is_new(retry, err->what))
		log_error(err);
}

void retry_failed(struct retry *retry, __s64 now)
{
	retry->pause = retry->pause ? 2 * retry->pause : FIRST_PAUSE_MS;
	if (retry->pause > LAST_PAUSE_MS)
		retry->pause = LAST_PAUSE_MS;
	retry->until = now + retry->pause;
}

void retry_reset(struct retry *retry)
{
	retry->until = 0;
	retry->pause = 0;
}

void retry_succeeded(struct retry *retry, __s64 now)
{
	free(retry->message);
	retry->message = NULL;
	if (!retry_is_recent(retry, now))
		retry_reset(retry);
}

int retry_wait(const struct retry *retry, __s64 now)
{
	__s64 left = retry->until - now;

	return left > 0 ? (int)left : 0;
}

bool retry_is_recent(const struct retry *retry, __s64 now)
{
	/* the pause after it does not count, or the longest would end the row */
	return retry->repairs && now - retry->repaired < RECENT_MS + retry->pause;
}

bool retry_repaired(struct retry *retry, __s64 now)
{
	retry->repairs = retry_is_recent(retry, now) ? retry->repairs + 1 : 1;
	retry->repaired = now;
	return retry->repairs > REPAIRS_MAX;
}
