/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/str_list.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SEPARATOR ", "
#define DOTS      "..."

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && !strcmp(text + len - end_len, end);
}

void str_list_add(char *buf, size_t size, const char *item)
{
	size_t len = strlen(buf);

	if (!strcmp(buf, DOTS) || ends_with(buf, SEPARATOR DOTS))
		return;
	/* with room for the dots after it */
	if (len + strlen(SEPARATOR) + strlen(item) + sizeof(SEPARATOR DOTS) > size)
		item = DOTS;
	snprintf(buf + len, size - len, "%s%s", len ? SEPARATOR : "", item);
}
