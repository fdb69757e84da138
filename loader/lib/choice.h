/* SPDX-License-Identifier: GPL-2.0-only */
/* Values of options: one of several choices, or a list. */
#ifndef HBPF_CHOICE_H
#define HBPF_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

struct choice {
	bool given;
	int value;
};

struct arg_list {
	const char **v; /* in argv */
	size_t count;
};

#define CHOICES_STRLEN 128

/**
 * choice_find() - find a value among its choices
 * @choices:	NULL-terminated
 * @known:	Lists them where the value is not one of them
 *
 * Return: its index, or -1
 */
int choice_find(const char *word, const char *const *choices, char known[CHOICES_STRLEN]);

/**
 * choice_nearest() - find the name most similar to a mistyped one
 * @next:	Returns candidate number @i, from 0, of @list; NULL after the last
 * Return: the name, or NULL if nothing is near
 */
const char *choice_nearest(const char *word, const char *(*next)(const void *list, size_t i),
			   const void *list);

#endif /* HBPF_CHOICE_H */
