/* SPDX-License-Identifier: GPL-2.0-only */
/* "a, b, c" for people, in a buffer that may be too small for all of it. */
#ifndef HBPF_STR_LIST_H
#define HBPF_STR_LIST_H

#include <stddef.h>

/**
 * str_list_add() - one more for a list
 * @buf:	The list as text, empty at first
 * @size:	Of @buf, 16 or more
 *
 * What does not fit is told by ", ...", once, and so is all that comes after it.
 */
void str_list_add(char *buf, size_t size, const char *item);

#endif /* HBPF_STR_LIST_H */
