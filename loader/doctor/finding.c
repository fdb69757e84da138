/* SPDX-License-Identifier: GPL-2.0-only */
#include "doctor/finding.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"

static const struct {
	const char *name;
	enum level level;
	enum doctor_step step;
} kinds[] = {
#define X(id, level, step, name) [FINDING_##id] = { name, LEVEL_##level, STEP_##step },
	FINDINGS(X)
#undef X
};
static_assert(ARRAY_SIZE(kinds) == FINDING_MAX, "every finding has a name");

static const char *const steps[] = {
#define X(id, name) [STEP_##id] = (name),
	DOCTOR_STEPS(X)
#undef X
};
static_assert(ARRAY_SIZE(steps) == STEP_MAX, "every step has a name");

void finding_add(struct findings *findings, enum finding_id id, const char *fmt, ...)
{
	struct finding finding = { .id = id };
	va_list args;

	va_start(args, fmt);
	vsnprintf(finding.text, sizeof(finding.text), fmt, args);
	va_end(args);
	findings->failed |= ARRAY_ADD(findings, finding) != 0;
}

void finding_command(struct findings *findings, const char *fmt, ...)
{
	struct finding *last;
	va_list args;
	int len;

	/* The last one may be another one's. */
	if (findings->failed)
		return;
	last = &findings->v[findings->count - 1];
	va_start(args, fmt);
	len = vsnprintf(last->command, sizeof(last->command), fmt, args);
	va_end(args);
	/* Half a command might do something else. */
	if (len < 0 || (size_t)len >= sizeof(last->command))
		last->command[0] = '\0';
}

void findings_free(struct findings *findings)
{
	free(findings->v);
	memset(findings, 0, sizeof(*findings));
}

const char *finding_name(enum finding_id id)
{
	return kinds[id].name;
}

enum level finding_level(enum finding_id id)
{
	return kinds[id].level;
}

enum doctor_step finding_step(enum finding_id id)
{
	return kinds[id].step;
}

const char *step_name(enum doctor_step step)
{
	return steps[step];
}

const char *level_name(enum level level)
{
	return level == LEVEL_BROKEN ? "broken" : level == LEVEL_WARNING ? "warning" : "ok";
}
