/* SPDX-License-Identifier: GPL-2.0-only */
/* The reasons of <hbpf/reasons.h> as text, for every output that counts by them. */
#ifndef HBPF_MODEL_REASONS_H
#define HBPF_MODEL_REASONS_H

#include <hbpf/reasons.h>
#include <stdbool.h>

struct reason_text {
	const char *name;    /* "IN_GUARD_SRC" */
	const char *verdict; /* "DROP" */
	bool drops;          /* that is the verdict */
	const char *text;
};

/** reason_text() - name, verdict and description of a reason */
const struct reason_text *reason_text(enum hbpf_reason reason);

#endif /* HBPF_MODEL_REASONS_H */
