/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files of the configuration. They open ports, so each is read only if nobody but root could
 * have written or replaced it: every directory in its path is owned by root, and writable by others
 * only with the sticky bit; a symbolic link in the path is followed if root owns it, too.
 */
#ifndef HBPF_CONFIG_FILES_H
#define HBPF_CONFIG_FILES_H

#include "watch/config_parse.h"

#define CONFIG_FILE "/etc/hbpf.conf"
#define CONFIG_DIR  "/etc/hbpf.conf.d"

/**
 * watch_config_read() - read the configuration, to its end even if it has problems
 * @conf:	Filled; release with watch_config_free(), also on failure
 * @path:	Only this file; NULL: CONFIG_FILE, then each *.conf of CONFIG_DIR in the order of
 *		their names
 *
 * Return: 0, or -EINVAL or -ENOMEM with conf->problems
 */
int watch_config_read(struct watch_config *conf, const char *path);

#endif /* HBPF_CONFIG_FILES_H */
