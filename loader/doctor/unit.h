/* SPDX-License-Identifier: GPL-2.0-only */
/* systemd units that restrict the addresses of their services: IPAddressDeny and IPAddressAllow of
 * systemd.resource-control(5). */
#ifndef HBPF_UNIT_H
#define HBPF_UNIT_H

#include "model/sources.h"

#define UNIT_NAME_SIZE 256

/* Networks that a unit denies, except for those that it allows. */
struct unit_access {
	struct sources allow, deny;
};

/**
 * unit_of_cgroup() - the unit of the system's manager that a process belongs to
 * @line:	Of /proc/PID/cgroup: "0::/system.slice/nginx.service"
 *
 * Return: false if it is none, or its name may not be pasted into a shell
 */
bool unit_of_cgroup(const char *line, char name[UNIT_NAME_SIZE]);

/** unit_of_process() - the same of a process */
bool unit_of_process(int pid, char name[UNIT_NAME_SIZE]);

/** unit_access_parse() - parse a line of `systemctl show -p IPAddressAllow -p IPAddressDeny`.
 * @access: all zero, or from an earlier line; free with unit_access_free() */
void unit_access_parse(struct unit_access *access, const char *line);

/** unit_access_read() - run systemctl; where there is none, nothing is denied */
void unit_access_read(const char *unit, struct unit_access *access);
void unit_access_free(struct unit_access *access);

/** unit_denies() - does it drop packets of an address? */
bool unit_denies(const struct unit_access *access, const struct hbpf_addr *addr);

#endif /* HBPF_UNIT_H */
