/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/choice.h"

#include <string.h>

#include "lib/array.h"
#include "lib/str_list.h"

int choice_find(const char *word, const char *const *choices, char known[CHOICES_STRLEN])
{
	known[0] = '\0';
	for (int i = 0; choices[i]; i++) {
		if (!strcmp(choices[i], word))
			return i;
		str_list_add(known, CHOICES_STRLEN, choices[i]);
	}
	return -1;
}

/* The Levenshtein distance, with one row of the table at a time. */
static size_t distance(const char *a, const char *b)
{
	size_t row[64];
	size_t len = strlen(b);

	if (len >= ARRAY_SIZE(row))
		return len;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[len];
}

const char *choice_nearest(const char *word, const char *(*next)(const void *list, size_t i),
			   const void *list)
{
	size_t nearest = strlen(word) < 4 ? 2 : 3; /* exclusive */
	const char *found = NULL;
	const char *name;

	for (size_t i = 0; (name = next(list, i)); i++) {
		size_t far = distance(word, name);

		if (far < nearest) {
			nearest = far;
			found = name;
		}
	}
	return found;
}
