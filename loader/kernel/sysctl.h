/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel settings: files in /proc/sys or /sys that contain one integer. */
#ifndef HBPF_SYSCTL_H
#define HBPF_SYSCTL_H

/** sysctl_read() - Return: 0 or -errno; -EINVAL if the file has no integer */
int sysctl_read(const char *path, int *value);
/** sysctl_read_fd() - the same for an open file */
int sysctl_read_fd(int fd, int *value);
/** sysctl_write_fd() - Return: 0 or -errno */
int sysctl_write_fd(int fd, int value);

#endif /* HBPF_SYSCTL_H */
