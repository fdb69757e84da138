/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/reasons.h"

#include <assert.h>

#include "lib/array.h"

static const struct reason_text reasons[] = {
#define X(name, verdict, text)                                                                     \
	[HBPF_##name] = { #name, #verdict, HBPF_##verdict == HBPF_DROP, text },
	HBPF_REASONS(X)
#undef X
};
static_assert(ARRAY_SIZE(reasons) == HBPF_REASON_MAX, "every reason has a name");

const struct reason_text *reason_text(enum hbpf_reason reason)
{
	return &reasons[reason];
}
