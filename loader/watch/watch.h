/* SPDX-License-Identifier: GPL-2.0-only */
/* The event loop of `hbpf watch`. */
#ifndef HBPF_WATCH_H
#define HBPF_WATCH_H

#include <stdbool.h>

#include "metrics/server.h"
#include "watch/config_parse.h"

struct watch_options {
	const char *config_file; /* read only this file; NULL: the default ones */
	bool detach_on_exit;
	const struct metrics_address *metrics; /* serve metrics there; NULL: nowhere */
};

/**
 * watch_run() - run until SIGTERM or SIGINT, as the only watcher of this network namespace
 * @conf:	Without problems; it is taken over, and freed
 *
 * SIGHUP reloads the configuration. What is done is logged.
 * Return: 0 after a signal; -errno if it could not start, or not detach everything at the end
 */
int watch_run(const struct watch_options *options, struct watch_config *conf, struct error *err);

/** watch_log_problems() - log all problems of a configuration */
void watch_log_problems(const struct watch_config *conf);

#endif /* HBPF_WATCH_H */
