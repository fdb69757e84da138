/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hbpf as a plugin of a container network (CNI 1.0, https://www.cni.dev/docs/spec/). A
 * runtime starts it without arguments, with CNI_COMMAND in the environment and the
 * configuration on stdin, after the plugin that made the interface:
 *
 *	{ "type": "hbpf", "ports": ["8088", "53/udp"] }
 */
#ifndef HBPF_CNI_H
#define HBPF_CNI_H

#define CNI_COMMAND "CNI_COMMAND"

/**
 * cni() - do what the runtime requests
 * @command:	Value of CNI_COMMAND
 *
 * Prints the result, or an error as the specification has it, to stdout. Return: enum exit_code
 */
int cni(const char *command);

#endif /* HBPF_CNI_H */
