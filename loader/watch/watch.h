/* SPDX-License-Identifier: GPL-2.0-only */
/* Keeping the declared bridges attached until told to stop. */
#ifndef HBPF_WATCH_H
#define HBPF_WATCH_H

#include <stdbool.h>

#include "watch/config.h"

struct watch_options {
	const char *conf; /* only this file; NULL: the default ones */
	bool detach_on_exit;
};

/**
 * watch_run() - be the watcher of this network namespace
 * @conf:	Read without problems; taken over, and freed
 * @err:	Why it could not begin, or what it could not take back
 *
 * SIGHUP reads the configuration again, SIGTERM and SIGINT end it. What it does goes to standard
 * error. Return: 0 when it was ended, or -errno where it could not begin, or not detach all at the
 * end
 */
int watch_run(const struct watch_options *options, struct conf *conf, struct error *err);

/** watch_log_problems() - print what is wrong with a configuration, all of it */
void watch_log_problems(const struct conf *conf);

#endif /* HBPF_WATCH_H */
