/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands main.c chooses from, each defined by its cmd_NAME.c. */
#ifndef HBPF_COMMANDS_H
#define HBPF_COMMANDS_H

#include "cli/cli.h"

extern const struct command command_attach;
extern const struct command command_detach;
extern const struct command command_ports;
extern const struct command command_status;
extern const struct command command_stats;
extern const struct command command_doctor;
extern const struct command command_flows;
extern const struct command command_monitor;
extern const struct command command_interfaces;
extern const struct command command_watch;

#endif /* HBPF_COMMANDS_H */
