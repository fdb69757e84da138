/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The retry state of something that may fail, such as attaching a bridge: when to try again, and
 * what was logged last, so that a message is logged once.
 *
 * After a failure there is a pause of one second, then twice as long each time, up to a minute.
 * Something that others keep reverting is paused in the same way between repairs. All times are in
 * ms, as of monotonic_ms().
 */
#ifndef HBPF_RETRY_H
#define HBPF_RETRY_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

/* All zero: nothing failed, nothing was logged. */
struct retry {
	char *key;            /* in a list */
	char *message;        /* the last one, or NULL */
	unsigned int ifindex; /* of the bridge at the last attempt */
	__s64 until;          /* end of the pause */
	int pause;            /* length of the last one */
	unsigned int repairs; /* in a row, each soon after the one before */
	__s64 repaired;       /* time of the last one */
	bool used;            /* since retry_list_prune() */
};

struct retry_list {
	struct retry *v;
	size_t count;
};

/**
 * retry_get() - the state with this key, created if there is none
 * Return: it, until the next call; NULL without memory
 */
struct retry *retry_get(struct retry_list *list, const char *key);

/** retry_list_prune() - remove those that retry_get() did not return since the last call */
void retry_list_prune(struct retry_list *list);

/** retry_list_free() - remove all */
void retry_list_free(struct retry_list *list);

/** retry_notice() - log_notice(), unless it was the last message. NULL: always */
void retry_notice(struct retry *retry, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** retry_error() - log_error(), unless it was the last message. NULL: always */
void retry_error(struct retry *retry, const struct error *err);

/** retry_failed() - it failed at @now: begin a pause, longer than the last one */
void retry_failed(struct retry *retry, __s64 now);

/** retry_succeeded() - forget the message, and the pauses too unless it was repaired recently */
void retry_succeeded(struct retry *retry, __s64 now);

/** retry_reset() - forget the pauses */
void retry_reset(struct retry *retry);

/** retry_wait() - Return: ms from @now to the end of the pause; 0: try now */
int retry_wait(const struct retry *retry, __s64 now);

/** retry_repaired() - count a repair at @now. Return: is it reverted too often to go on like that?
 */
bool retry_repaired(struct retry *retry, __s64 now);

/** retry_is_recent() - was the last repair, with the pause after it, shortly before @now? */
bool retry_is_recent(const struct retry *retry, __s64 now);

#endif /* HBPF_RETRY_H */
