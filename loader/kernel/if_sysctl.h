/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings of one interface, net.ipv4.conf.<interface>.<key>, by its index.
 *
 * Others may rename the interface, or delete it and give its name to another, at
 * any moment, and a path tells names only. So the file is opened by the present
 * name and then asked whose name it is: if it is still this interface's, the file
 * is, too. From there on an open file never leads to another's setting: with the
 * name or the interface the kernel takes the table behind the file away, and
 * reading and writing it fails with ENOENT (grab_header() in
 * fs/proc/proc_sysctl.c). Then all begins again.
 */
#ifndef HBPF_IF_SYSCTL_H
#define HBPF_IF_SYSCTL_H

/**
 * if_sysctl_read() - read one setting of an interface
 * @key:	As "route_localnet"
 * Return: 0, -ENODEV where there is no such interface, -EAGAIN where it was renamed all the time,
 * or -errno
 */
int if_sysctl_read(unsigned int ifindex, const char *key, int *value);

/** if_sysctl_write() - write one setting of an interface. Return: as of if_sysctl_read() */
int if_sysctl_write(unsigned int ifindex, const char *key, int value);

#endif /* HBPF_IF_SYSCTL_H */
