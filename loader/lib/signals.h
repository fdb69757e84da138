/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals as input of an event loop. */
#ifndef HBPF_SIGNALS_H
#define HBPF_SIGNALS_H

#include <stddef.h>

#include "lib/error.h"

/**
 * signals_open() - block signals, and receive them by a file descriptor instead
 * @signals:	@count of them
 *
 * Return: a signalfd that does not block, to be closed; or -errno
 */
int signals_open(const int *signals, size_t count, struct error *err);

#endif /* HBPF_SIGNALS_H */
