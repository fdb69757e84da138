/* SPDX-License-Identifier: GPL-2.0-only */
/* Detaching as an operation, for the command and for whoever keeps bridges attached. */
#ifndef HBPF_DETACH_H
#define HBPF_DETACH_H

#include "attach/attachment.h"
#include "dataplane/host_settings.h"

/* What a detach did. */
struct detached {
	bool last; /* lo's settings were given back, too */
	struct setting_state
		settings[SETTING_MAX]; /* as they were before; zero: could not be read */
	int ended;                     /* connections */
	int owner;                     /* enum hbpf_owner; by hand where it could not be read */
};

/**
 * detach_run() - end what runs over a bridge's ports, and take hbpf off it
 * @pins:	Opened with PINS_WRITE
 * @bridge:	One of pins_bridges()
 *
 * Return: 0 or -errno; then the ports are open as before
 */
int detach_run(const struct pins *pins, const struct host *host, const char *bridge,
	       struct detached *detached, struct error *err);

#endif /* HBPF_DETACH_H */
