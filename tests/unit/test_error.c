/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/error.h"

static void the_code_comes_back_negative_whichever_sign_it_had(void **state)
{
	struct error err = {};

	(void)state;
	assert_int_equal(error_set(&err, ENODEV, "br0: no such interface"), -ENODEV);
	assert_int_equal(error_set(&err, -ENODEV, "br0: no such interface"), -ENODEV);
	assert_string_equal(err.what, "br0: no such interface");
}

static void a_failed_call_is_described_by_its_errno(void **state)
{
	struct error err = {};

	(void)state;
	assert_int_equal(error_errno(&err, ENOENT, "cannot open %s", "a"), -ENOENT);
	assert_string_equal(err.what, "cannot open a: No such file or directory");
	assert_int_equal(error_errno(&err, -EPERM, "%s, b", err.what), -EPERM);
	assert_string_equal(err.what,
			    "cannot open a: No such file or directory, b: Operation not permitted");
	assert_int_equal(error_errno(NULL, ENOENT, "cannot open %s", "a"), -ENOENT);
}

static void the_error_may_be_null(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, EPERM, "%s", "ignored"), -EPERM);
	error_hint(NULL, "%s", "ignored");
	error_free(NULL);
}

static void an_error_can_be_wrapped_in_a_wider_one(void **state)
{
	struct error err = {};

	(void)state;
	error_set(&err, EPERM, "not permitted");
	error_set(&err, EPERM, "%s: %s", "br0", err.what);
	assert_string_equal(err.what, "br0: not permitted");
}

static void a_new_error_drops_the_hint_but_not_the_detail_of_the_old(void **state)
{
	struct error err = {};

	(void)state;
	err.detail = strdup("verifier log");
	assert_non_null(err.detail);
	error_set(&err, EPERM, "not permitted");
	error_hint(&err, "run it as %s", "root");
	assert_string_equal(err.hint, "run it as root");
	error_set(&err, EACCES, "refused");
	assert_string_equal(err.hint, "");
	assert_string_equal(err.detail, "verifier log");
	error_free(&err);
	assert_null(err.detail);
	assert_string_equal(err.what, "");
}

static void an_overlong_text_is_cut_and_ended(void **state)
{
	struct error err = {};
	char text[2 * sizeof(err.what)];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_errno(&err, EINVAL, "%s", text);
	error_hint(&err, "%s", text);
	assert_int_equal(strlen(err.what), sizeof(err.what) - 1);
	assert_int_equal(strlen(err.hint), sizeof(err.hint) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_code_comes_back_negative_whichever_sign_it_had),
		cmocka_unit_test(a_failed_call_is_described_by_its_errno),
		cmocka_unit_test(the_error_may_be_null),
		cmocka_unit_test(an_error_can_be_wrapped_in_a_wider_one),
		cmocka_unit_test(a_new_error_drops_the_hint_but_not_the_detail_of_the_old),
		cmocka_unit_test(an_overlong_text_is_cut_and_ended),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
