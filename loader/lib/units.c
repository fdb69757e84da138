/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/units.h"

#include <stdio.h>

#include "lib/array.h"

const char *size_format(__u64 bytes, char buf[SIZE_STRLEN])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(buf, SIZE_STRLEN, "%u B", (unsigned int)bytes);
		return buf;
	}
	/* 1023.95 would be rounded to 1024.0 */
	while (value >= 1023.95 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(buf, SIZE_STRLEN, "%.1f %s", value, units[unit]);
	return buf;
}

const char *age_format(__u64 seconds, char buf[AGE_STRLEN])
{
	__u64 minutes = seconds / 60, hours = minutes / 60;

	if (!minutes)
		snprintf(buf, AGE_STRLEN, "%llus", seconds);
	else if (!hours)
		snprintf(buf, AGE_STRLEN, "%llum%02llus", minutes, seconds % 60);
	else if (hours < 24)
		snprintf(buf, AGE_STRLEN, "%lluh%02llum", hours, minutes % 60);
	else
		snprintf(buf, AGE_STRLEN, "%llud%02lluh", hours / 24, hours % 24);
	return buf;
}
