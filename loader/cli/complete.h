/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Completion of command lines, for the scripts of the shells in dist/: from the tables of commands
 * and options, and with the bridges, networks and ports of this host.
 */
#ifndef HBPF_COMPLETE_H
#define HBPF_COMPLETE_H

#include "cli/cli.h"

/* Not in the help: `hbpf __complete ARGUMENT...`, where the last one is to be completed. */
#define COMPLETE_COMMAND "__complete"

/* Printed instead of candidates: the shell completes names of files. */
#define COMPLETE_FILES "@files"

/**
 * complete() - print the candidates for the last argument, one a line: "CANDIDATE<tab>DESCRIPTION"
 * @commands:	NULL-terminated
 * @args:	What follows COMPLETE_COMMAND, NULL-terminated
 *
 * Each candidate is a whole argument, such as "--hook=tcx". Nothing is printed on stderr, and what
 * takes more than a second is left out. Return: EXIT_DONE
 */
int complete(const struct command *const *commands, char *const *args);

#endif /* HBPF_COMPLETE_H */
