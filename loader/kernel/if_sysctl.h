/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings of one interface, net.ipv4.conf.<interface>.<key>, by its index.
 *
 * The path has the interface's name, but others may rename the interface at any moment, or delete
 * it and give the name to another. So the file is opened under the current name, and then the name
 * is checked again. If it still belongs to the interface, so does the file, and an open file never
 * leads to another interface's setting: when the name or the interface is removed, the kernel
 * unregisters the table behind the file, and access fails with ENOENT (grab_header() in
 * fs/proc/proc_sysctl.c). Then this starts over.
 */
#ifndef HBPF_IF_SYSCTL_H
#define HBPF_IF_SYSCTL_H

/**
 * if_sysctl_read() - read one setting of an interface
 * @key:	As "route_localnet"
 * Return: 0, -ENODEV if there is no such interface, -EAGAIN if it was renamed during every
 * attempt, or -errno
 */
int if_sysctl_read(unsigned int ifindex, const char *key, int *value);

/** if_sysctl_write() - write one setting of an interface. Return: as of if_sysctl_read() */
int if_sysctl_write(unsigned int ifindex, const char *key, int value);

#endif /* HBPF_IF_SYSCTL_H */
