/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/clock.h"
#include "watch/retry.h"

static void what_never_failed_is_tried_at_once(void **state)
{
	struct retry retry = {};

	(void)state;
	assert_int_equal(retry_wait(&retry, monotonic_ms()), 0);
}

static void each_failure_makes_the_pause_longer_up_to_a_minute(void **state)
{
	struct retry retry = {};
	int pause = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		int left;

		retry_failed(&retry, 5000);
		left = retry_wait(&retry, 5000);
		assert_true(left > pause || left == 60000);
		assert_int_equal(retry_wait(&retry, 5000 + left - 1), 1);
		assert_int_equal(retry_wait(&retry, 5000 + left), 0);
		pause = left;
	}
	assert_int_equal(pause, 60000);
	retry_succeeded(&retry, 5000);
	assert_int_equal(retry_wait(&retry, 5000), 0);
}

static void repairs_far_apart_are_no_flapping(void **state)
{
	struct retry retry = {};

	(void)state;
	for (int i = 1; i < 100; i++)
		assert_false(retry_repaired(&retry, i * 20000LL));
	for (int i = 0; i < 4; i++)
		assert_false(retry_repaired(&retry, 99 * 20000LL + i * 100));
	assert_true(retry_repaired(&retry, 99 * 20000LL + 500));
}

static void flapping_goes_on_over_its_own_pauses(void **state)
{
	struct retry retry = {};
	__s64 now = 1000;
	int pause = 0;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_false(retry_repaired(&retry, now += 100));
	for (int i = 0; i < 10; i++) {
		assert_true(retry_repaired(&retry, now += pause + 100));
		retry_failed(&retry, now);
		pause = retry.pause;
		retry_succeeded(&retry, now + pause);
		assert_int_equal(retry.pause, pause);
	}
	assert_int_equal(pause, 60000);
	assert_false(retry_is_recent(&retry, now + pause + 20000));
}

static void what_was_not_used_is_removed(void **state)
{
	struct retry_list list = {};

	(void)state;
	retry_get(&list, "a")->ifindex = 1;
	retry_get(&list, "b")->ifindex = 2;
	retry_list_prune(&list);
	assert_int_equal(retry_get(&list, "b")->ifindex, 2);
	retry_list_prune(&list);
	assert_int_equal(list.count, 1);
	assert_int_equal(retry_get(&list, "a")->ifindex, 0);
	retry_list_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_never_failed_is_tried_at_once),
		cmocka_unit_test(each_failure_makes_the_pause_longer_up_to_a_minute),
		cmocka_unit_test(repairs_far_apart_are_no_flapping),
		cmocka_unit_test(flapping_goes_on_over_its_own_pauses),
		cmocka_unit_test(what_was_not_used_is_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
