/* SPDX-License-Identifier: GPL-2.0-only */
/* Arrays: their size, and lists that grow, struct { T *v; size_t count; }. All zero is empty. */
#ifndef HBPF_ARRAY_H
#define HBPF_ARRAY_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/**
 * array_grow() - make room for one more element at the end of an array
 * @array:	NULL, or what this function returned before
 * @count:	Elements in it
 * @size:	of an element, in bytes
 *
 * Return: the array, which may have moved; or NULL with errno ENOMEM, and then @array is as it was
 */
static inline void *array_grow(void *array, size_t count, size_t size)
{
	/* Doubled at every power of two, so that a list needs no member for its capacity. */
	if (count & (count - 1))
		return array;
	return reallocarray(array, count ? 2 * count : 1, size);
}

/**
 * ARRAY_ADD() - append an element to a list
 * @list:	Pointer to a struct with the members v and count, which nothing else resizes
 * @element:	Its value
 *
 * Return: 0 or -ENOMEM, and then the list is as it was
 */
#define ARRAY_ADD(list, element)                                                                   \
	({                                                                                         \
		typeof(list) list_ = (list);                                                       \
		typeof(list_->v) v_ = array_grow(list_->v, list_->count, sizeof(*v_));             \
                                                                                                   \
		if (v_) {                                                                          \
			list_->v = v_;                                                             \
			list_->v[list_->count++] = (element);                                      \
		}                                                                                  \
		v_ ? 0 : -ENOMEM;                                                                  \
	})

#endif /* HBPF_ARRAY_H */
