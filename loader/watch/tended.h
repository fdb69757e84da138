/* SPDX-License-Identifier: GPL-2.0-only */
/* What the watcher remembers of each thing it tends, so that it neither repeats itself nor hurries.
 */
#ifndef HBPF_TENDED_H
#define HBPF_TENDED_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"
#include "watch/backoff.h"

struct tended {
	char *key;
	char *said;           /* the last thing said about it, or NULL */
	unsigned int ifindex; /* of the bridge when it was last tended */
	struct backoff backoff;
	unsigned int heals; /* in a row, each soon after the one before */
	__s64 healed;       /* when, as of monotonic_ms() */
	bool current;       /* asked for since tended_forget() */
};

struct tended_list {
	struct tended *v;
	size_t count;
};

/** tended_get() - the one of this key, made where there is none. Return: NULL without memory */
struct tended *tended_get(struct tended_list *list, const char *key);

/** tended_forget() - free those that nobody asked for since this was called last */
void tended_forget(struct tended_list *list);

/** tended_free() - free all */
void tended_free(struct tended_list *list);

/** tended_say() - log_notice(), unless it is what was said last */
void tended_say(struct tended *tended, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** tended_fail() - log_error(), unless it is what was said last */
void tended_fail(struct tended *tended, const struct error *err);

/** tended_heal() - one more heal at @now. Return: are they too many to go on at this pace? */
bool tended_heal(struct tended *tended, __s64 now);

/** tended_is_hot() - was it healed, or might be healed again, shortly before @now? */
bool tended_is_hot(const struct tended *tended, __s64 now);

#endif /* HBPF_TENDED_H */
