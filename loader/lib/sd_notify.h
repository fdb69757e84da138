/* SPDX-License-Identifier: GPL-2.0-only */
/* What a service tells its manager: the protocol of sd_notify(3), one datagram to $NOTIFY_SOCKET.
 */
#ifndef HBPF_SD_NOTIFY_H
#define HBPF_SD_NOTIFY_H

/**
 * notify() - tell it, as "READY=1\nSTATUS=..."
 *
 * Without a manager nothing happens, and nothing depends on whether it listens.
 */
void notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* HBPF_SD_NOTIFY_H */
