/* SPDX-License-Identifier: GPL-2.0-only */
/* SPECs, as words between blanks, put into a set of exports and taken out again. */
#include "model/exports.h"
#include "word.h"

static void check_ranges(const struct exports *set)
{
	struct export_range range = {};
	char text[EXPORT_RANGE_STRLEN];
	struct exports one = {};
	struct port_spec spec;

	while (exports_next_range(set, &range)) {
		must(!port_spec_parse(export_range_format(&range, text), &spec, NULL));
		must(!exports_add(&one, &spec, NULL, true, NULL));
		must(one.count == range.count);
		must(!memcmp(&one.v[0].key, &range.first->key, sizeof(one.v[0].key)));
		must(one.v[0].to.addr4 == range.first->to.addr4);
		must(one.v[0].to.port == range.first->to.port);
		exports_free(&one);
	}
}

/* The difference is what makes one into the other. */
static void check_diff(const struct exports *have, const struct exports *want)
{
	struct exports changed = {}, closed = {};

	must(!exports_diff(have, want, &changed, &closed));
	must(changed.count <= want->count && closed.count <= have->count);
	must(have->count + changed.count >= want->count);
	exports_free(&changed);
	exports_free(&closed);
}

static void word_test(char *text)
{
	struct exports set = {}, before = {};
	struct error err = {};
	struct port_spec spec;
	int words = 0;

	for (char *word = strtok(text, " "); word && words < 4; word = strtok(NULL, " "), words++) {
		bool del = *word == '!';

		if (port_spec_parse(word + del, &spec, &err)) {
			must(err.what[0]);
			continue;
		}
		must(spec.first && spec.first <= spec.last);
		must(!exports_copy(&before, &set));
		if (del ? exports_del(&set, &spec, &err)
			: exports_add(&set, &spec, NULL, false, &err))
			must(before.count == set.count);
		check_diff(&before, &set);
		exports_free(&before);
	}
	check_ranges(&set);
	exports_free(&set);
	error_free(&err);
}
