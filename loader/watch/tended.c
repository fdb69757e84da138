/* SPDX-License-Identifier: GPL-2.0-only */
#include "watch/tended.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#define SOON_MS   10000
#define HEALS_MAX 5

struct tended *tended_get(struct tended_list *list, const char *key)
{
	struct tended *v;

	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->v[i].key, key))
			continue;
		list->v[i].current = true;
		return &list->v[i];
	}
	v = reallocarray(list->v, list->count + 1, sizeof(*v));
	if (!v)
		return NULL;
	list->v = v;
	v += list->count;
	*v = (struct tended){ .key = strdup(key), .current = true };
	if (!v->key)
		return NULL;
	list->count++;
	return v;
}

static void release(struct tended *tended)
{
	free(tended->key);
	free(tended->said);
}

void tended_forget(struct tended_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (list->v[i].current) {
			list->v[i].current = false;
			list->v[kept++] = list->v[i];
		} else {
			release(&list->v[i]);
		}
	}
	list->count = kept;
}

void tended_free(struct tended_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		release(&list->v[i]);
	free(list->v);
	memset(list, 0, sizeof(*list));
}

/* Return: is it news? */
static bool is_news(struct tended *tended, const char *text)
{
	if (tended->said && !strcmp(tended->said, text))
		return false;
	free(tended->said);
	tended->said = strdup(text); /* without memory it is said again */
	return true;
}

void tended_say(struct tended *tended, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (is_news(tended, text))
		log_notice("%s", text);
}

void tended_fail(struct tended *tended, const struct error *err)
{
	if (is_news(tended, err->what))
		log_error(err);
}

bool tended_is_hot(const struct tended *tended, __s64 now)
{
	/* the pause after it does not count, or the longest would end the row */
	return tended->heals && now - tended->healed < SOON_MS + tended->backoff.delay;
}

bool tended_heal(struct tended *tended, __s64 now)
{
	tended->heals = tended_is_hot(tended, now) ? tended->heals + 1 : 1;
	tended->healed = now;
	return tended->heals > HEALS_MAX;
}
