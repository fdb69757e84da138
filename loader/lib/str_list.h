/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists such as "a, b, c" in a buffer that may be too small. */
#ifndef HBPF_STR_LIST_H
#define HBPF_STR_LIST_H

#include <stddef.h>

/**
 * str_list_add() - append an item
 * @buf:	The list as text, initially empty
 * @size:	Of @buf, 16 or more
 *
 * The first item that does not fit is replaced by "...", and all after it are dropped.
 */
void str_list_add(char *buf, size_t size, const char *item);

#endif /* HBPF_STR_LIST_H */
