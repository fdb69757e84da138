/* SPDX-License-Identifier: GPL-2.0-only */
/* Values of options: one of several words, or a list of values. */
#ifndef HBPF_CHOICE_H
#define HBPF_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

struct choice {
	bool given;
	int value;
};

struct arg_list {
	const char **v; /* words of argv */
	size_t count;
};

#define CHOICES_STRLEN 128

/**
 * choice_find() - find a word among those that may stand there
 * @choices:	NULL-terminated
 * @known:	Lists them where it is none
 *
 * Return: its place, or -1
 */
int choice_find(const char *word, const char *const *choices, char known[CHOICES_STRLEN]);

/**
 * choice_nearest() - the name most like a mistyped one
 * @next:	Gives the candidates one by one and NULL after the last; @i counts from 0
 * Return: the name, or NULL when nothing is near
 */
const char *choice_nearest(const char *word, const char *(*next)(const void *list, size_t i),
			   const void *list);

#endif /* HBPF_CHOICE_H */
