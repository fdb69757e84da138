/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers that look random and come again with the same seed (SplitMix64). */
#ifndef FUZZ_RANDOM_H
#define FUZZ_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/array.h"

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* The generator of one part of a run: independent of how many numbers the others took. */
static inline struct rng rng_part(uint64_t seed, uint64_t part)
{
	struct rng rng = { seed };

	rng.state = rng_next(&rng) ^ part * 0xd1342543de82ef95;
	return rng;
}

/* below - 0 to n - 1 */
static inline unsigned int below(struct rng *rng, unsigned int n)
{
	return (rng_next(rng) >> 32) * n >> 32;
}

static inline bool one_in(struct rng *rng, unsigned int n)
{
	return !below(rng, n);
}

#define pick(rng, array) ((array)[below((rng), ARRAY_SIZE(array))])

#endif /* FUZZ_RANDOM_H */
