/* SPDX-License-Identifier: GPL-2.0-only */
/* The properties. Each function returns NULL where its holds, else what is wrong. */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include "bed.h"

/** check_translation() - unchanged, or exactly the translation that was expected */
const char *check_translation(const struct expected *expected, const struct frame *before,
			      const struct frame *after, int answer);

/** check_sums() - checksums that were right are right, and wrong ones are as wrong as before */
const char *check_sums(const struct frame *before, const struct frame *after);

/** check_guard() - no loopback address crosses the bridge */
const char *check_guard(const struct setting *setting, bool egress, const struct frame *after,
			int answer);

/** check_same() - two frames are the same, but for sums that are 0xffff in one and 0 in the other
 */
const char *check_same(const struct frame *one, const struct frame *other);

/** check_want() - what the frame has to become, its checksums left as they were */
void check_want(const struct expected *expected, const struct frame *before, struct frame *want);

#endif /* FUZZ_CHECK_H */
