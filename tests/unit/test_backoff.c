/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "watch/backoff.h"
#include "lib/clock.h"
#include "watch/tended.h"

static void what_never_failed_is_tried_at_once(void **state)
{
	struct backoff backoff = {};

	(void)state;
	assert_int_equal(backoff_left(&backoff, monotonic_ms()), 0);
}

static void each_failure_makes_the_wait_longer_up_to_a_minute(void **state)
{
	struct backoff backoff = {};
	int wait = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		int left;

		backoff_fail(&backoff, 5000);
		left = backoff_left(&backoff, 5000);
		assert_true(left > wait || left == 60000);
		assert_int_equal(backoff_left(&backoff, 5000 + left - 1), 1);
		assert_int_equal(backoff_left(&backoff, 5000 + left), 0);
		wait = left;
	}
	assert_int_equal(wait, 60000);
}

static void heals_apart_from_each_other_are_no_fight(void **state)
{
	struct tended tended = {};

	(void)state;
	for (int i = 1; i < 100; i++)
		assert_false(tended_heal(&tended, i * 20000LL));
	for (int i = 0; i < 4; i++)
		assert_false(tended_heal(&tended, 99 * 20000LL + i * 100));
	assert_true(tended_heal(&tended, 99 * 20000LL + 500));
}

static void a_fight_goes_on_over_its_own_pauses(void **state)
{
	struct tended tended = {};
	__s64 now = 1000;
	int pause = 0;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_false(tended_heal(&tended, now += 100));
	for (int i = 0; i < 10; i++) {
		assert_true(tended_heal(&tended, now += pause + 100));
		backoff_fail(&tended.backoff, now);
		pause = tended.backoff.delay;
	}
	assert_int_equal(pause, 60000);
	assert_false(tended_is_hot(&tended, now + pause + 20000));
}

static void what_nobody_asked_for_is_forgotten(void **state)
{
	struct tended_list list = {};

	(void)state;
	tended_get(&list, "a")->ifindex = 1;
	tended_get(&list, "b")->ifindex = 2;
	tended_forget(&list);
	assert_int_equal(tended_get(&list, "b")->ifindex, 2);
	tended_forget(&list);
	assert_int_equal(list.count, 1);
	assert_int_equal(tended_get(&list, "a")->ifindex, 0);
	tended_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_never_failed_is_tried_at_once),
		cmocka_unit_test(each_failure_makes_the_wait_longer_up_to_a_minute),
		cmocka_unit_test(heals_apart_from_each_other_are_no_fight),
		cmocka_unit_test(a_fight_goes_on_over_its_own_pauses),
		cmocka_unit_test(what_nobody_asked_for_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
