/* SPDX-License-Identifier: GPL-2.0-only */
/* Notifications to the service manager, as sd_notify(3): one datagram to $NOTIFY_SOCKET. */
#ifndef HBPF_SD_NOTIFY_H
#define HBPF_SD_NOTIFY_H

/**
 * notify() - send one, as "READY=1\nSTATUS=..."
 *
 * Does nothing without a manager. Errors are ignored.
 */
void notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* HBPF_SD_NOTIFY_H */
