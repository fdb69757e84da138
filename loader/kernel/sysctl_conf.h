/* SPDX-License-Identifier: GPL-2.0-only */
/* The files that set kernel settings at boot: sysctl.d(5) and sysctl.conf(5). */
#ifndef HBPF_SYSCTL_CONF_H
#define HBPF_SYSCTL_CONF_H

#include <stdbool.h>
#include <stddef.h>

#define SYSCTL_CONF_STRLEN 256

/**
 * sysctl_conf_find() - find the line that sets a setting
 * @key:	As of sysctl(8): "net.ipv4.conf.br0/5.rp_filter" for the interface br0.5
 * @value:	Only lines that set it to this value are considered
 * @where:	Set to "/etc/sysctl.d/99-local.conf:3": of several lines the one read last
 *
 * Files are read in the order of systemd-sysctl(8): by their names, of those with the same name
 * only the one in the first directory; then /etc/sysctl.conf. A line may have a pattern.
 * Return: was one found?
 */
bool sysctl_conf_find(const char *key, int value, char where[SYSCTL_CONF_STRLEN]);

#endif /* HBPF_SYSCTL_CONF_H */
