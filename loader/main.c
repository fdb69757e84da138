/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hbpf: lets containers on a Linux bridge reach chosen services of the host's
 * loopback. This file has the table of commands and dispatches to one of them.
 * Each command is in a file of its own, cli/cmd_NAME.c.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <hbpf/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cni.h"
#include "cli/commands.h"
#include "cli/complete.h"
#include "lib/log.h"

static const struct command *const commands[] = {
	&command_attach,     &command_detach, &command_ports, &command_status,
	&command_stats,      &command_doctor, &command_flows, &command_monitor,
	&command_interfaces, &command_watch,  NULL,
};

static const char *command_name(const void *list, size_t i)
{
	(void)list;
	return commands[i] ? commands[i]->name : NULL;
}

static int unknown_command(const char *name)
{
	const char *nearest = choice_nearest(name, command_name, NULL);

	if (nearest)
		return cli_usage(NULL, "unknown command '%s'; did you mean '%s'?", name, nearest);
	return cli_usage(NULL, "unknown command '%s'", name);
}

static void print_help(void)
{
	puts("Usage: hbpf COMMAND [options]\n\n"
	     "Let containers on a bridge reach chosen services that listen on this host's\n"
	     "loopback (127.0.0.1, ::1), and nothing else on it.\n\n"
	     "Commands:");
	for (const struct command *const *command = commands; *command; command++)
		printf("  %-10s %s\n", (*command)->name, (*command)->summary);
	printf("  %-10s %s\n", "help", "Show help for a command");
	puts("\nSee `hbpf COMMAND --help` for the options of a command.");
	cli_help_common();
	puts("\nExit status: 0 success, 1 failure, 2 usage error.\n\n"
	     "Environment:\n"
	     "  HBPF_BPFFS    bpffs mount to use instead of /sys/fs/bpf\n"
	     "  DOCKER_HOST   Unix socket of a container engine, queried before the default\n"
	     "                sockets of Docker and Podman");
}

static int help(const char *name)
{
	const struct command *command = name ? cli_find_command(commands, name) : NULL;

	if (!name)
		print_help();
	else if (command)
		cli_help(command);
	else
		return unknown_command(name);
	return EXIT_DONE;
}

static int need_root(const struct command *command)
{
	struct error err = {};

	error_set(&err, EPERM, "hbpf %s needs root: it %s", command->name, command->root_for);
	error_hint(&err, "run it with sudo");
	log_error(&err);
	return EXIT_FAILED;
}

static int run(const struct command *command, char *const *argv, struct cli_common *common)
{
	struct cli_call call = { .command = command };
	int exit_code = EXIT_USAGE;

	if (cli_parse(&call, argv, common))
		goto out;
	log_setup(common->verbose, call.json);
	if (common->help)
		exit_code = help(command->name);
	else if (geteuid() != 0)
		exit_code = need_root(command);
	else
		exit_code = call.command->run(&call);
out:
	cli_free(&call);
	return exit_code;
}

/* Output that was lost (full disk, closed pipe) must not end in exit code 0. */
static int flush(int exit_code)
{
	struct error err = {};

	if (!fflush(stdout) && !ferror(stdout))
		return exit_code;
	error_errno(&err, errno, "cannot write to standard output");
	log_setup(false, false); /* stdout is broken, so JSON cannot report it */
	log_error(&err);
	return EXIT_FAILED;
}

static int dispatch(char **argv)
{
	struct cli_common common = {};
	const struct command *command;
	int at;

	if (*argv && !strcmp(*argv, COMPLETE_COMMAND))
		return complete(commands, argv + 1);
	at = cli_common_parse(argv, &common);
	if (at < 0)
		return EXIT_USAGE;
	argv += at;
	if (common.version) {
		printf("hbpf %s (libbpf %s)\n", HBPF_VERSION, libbpf_version_string() + 1);
		return EXIT_DONE;
	}
	if (!*argv && getenv(CNI_COMMAND))
		return cni(getenv(CNI_COMMAND));
	if (!*argv)
		return common.help ? help(NULL) : cli_usage(NULL, "no command given");
	if (!strcmp(*argv, "help"))
		return help(argv[1]);
	command = cli_find_command(commands, *argv);
	if (!command)
		return unknown_command(*argv);
	return run(command, argv + 1, &common);
}

int main(int argc, char **argv)
{
	return argc < 1 ? EXIT_USAGE : flush(dispatch(argv + 1));
}
