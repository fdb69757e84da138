/* SPDX-License-Identifier: GPL-2.0-only */
/* What the libFuzzer harnesses share. Each is a file word_NAME.c with word_test(). */
#ifndef FUZZ_WORD_H
#define FUZZ_WORD_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** word_test() - one input, as a string of its own, so that a read behind its end is seen */
static void word_test(char *text);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	word_test(text);
	free(text);
	return 0;
}

/** must() - a property; the fuzzer reports where it does not hold */
#define must(property)                                                                             \
	do {                                                                                       \
		if (!(property))                                                                   \
			abort();                                                                   \
	} while (0)

#endif /* FUZZ_WORD_H */
