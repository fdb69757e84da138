/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opening what opens ports: a file is read only where nobody but root could have written it or
 * put another in its place. So each directory on the way to it is root's, and writable for others
 * only with the sticky bit; a symbolic link among them is followed where it is root's, too.
 */
#ifndef HBPF_CONFIG_FILES_H
#define HBPF_CONFIG_FILES_H

#include "lib/error.h"

/**
 * conf_open_file() - open a regular file, no symbolic link, for reading
 * @err:	What is wrong with it, without its name, and the next step
 *
 * Return: fd, -ENOENT where it is not there, -EPERM where others than root may write it or a
 * directory on the way, -ELOOP where it is a symbolic link, or other -errno
 */
int conf_open_file(const char *path, struct error *err);

/**
 * conf_open_dir() - open a directory, in which others may not even make files
 * @err:	As of conf_open_file()
 *
 * Return: fd, to be read; -ENOENT where it is not there; other -errno
 */
int conf_open_dir(const char *path, struct error *err);

#endif /* HBPF_CONFIG_FILES_H */
