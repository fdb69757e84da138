/* SPDX-License-Identifier: GPL-2.0-only */
/* The operation behind `hbpf detach`, which `hbpf watch` uses too. */
#ifndef HBPF_DETACH_H
#define HBPF_DETACH_H

#include "attach/attachment.h"
#include "dataplane/host_settings.h"

/* What a detach did. */
struct detached {
	bool last;                                  /* lo's settings were restored, too */
	struct setting_state settings[SETTING_MAX]; /* as before; zero: could not be read */
	int ended;                                  /* connections */
	int owner; /* enum hbpf_owner; HBPF_OWNER_MANUAL if it could not be read */
};

/**
 * detach_run() - end the connections over a bridge's ports, and detach it
 * @pins:	Opened with PINS_WRITE
 * @bridge:	One of pins_bridges()
 *
 * Return: 0 or -errno, and then the ports are open as before
 */
int detach_run(const struct pins *pins, const struct host *host, const char *bridge,
	       struct detached *detached, struct error *err);

#endif /* HBPF_DETACH_H */
