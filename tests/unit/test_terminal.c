/* SPDX-License-Identifier: GPL-2.0-only */
/* Width and colours come from a terminal, and from nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <cmocka.h>
#include "lib/array.h"
#include "lib/terminal.h"

static FILE *open_terminal(unsigned short width)
{
	const struct winsize size = { .ws_row = 24, .ws_col = width };
	int main = posix_openpt(O_RDWR | O_NOCTTY), fd;

	assert_true(main >= 0 && !grantpt(main) && !unlockpt(main));
	fd = open(ptsname(main), O_RDWR | O_NOCTTY);
	assert_true(fd >= 0 && !ioctl(fd, TIOCSWINSZ, &size));
	return fdopen(fd, "w"); /* the other end is closed with the test */
}

static void a_terminal_has_its_width_and_colours(void **state)
{
	FILE *stream = open_terminal(57);
	struct terminal terminal;

	(void)state;
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	terminal = terminal_query(stream);
	assert_int_equal(terminal.width, 57);
	assert_true(terminal.color);
	fclose(stream);
}

static void a_pipe_and_a_file_have_neither(void **state)
{
	const char *const paths[] = { "/dev/null", "/proc/self/comm" };

	(void)state;
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		FILE *stream = fopen(paths[i], "r");
		struct terminal terminal = terminal_query(stream);

		assert_int_equal(terminal.width, 0);
		assert_false(terminal.color);
		fclose(stream);
	}
}

static bool has_color(const char *term, const char *no_color)
{
	FILE *stream = open_terminal(80);
	struct terminal terminal;

	if (term)
		setenv("TERM", term, 1);
	else
		unsetenv("TERM");
	if (no_color)
		setenv("NO_COLOR", no_color, 1);
	else
		unsetenv("NO_COLOR");
	terminal = terminal_query(stream);
	assert_int_equal(terminal.width, 80);
	fclose(stream);
	return terminal.color;
}

static void no_color_and_dumb_terminals_have_no_colours(void **state)
{
	(void)state;
	assert_true(has_color("xterm", NULL));
	assert_true(has_color("xterm", ""));
	assert_false(has_color("xterm", "1"));
	assert_false(has_color("xterm", "0"));
	assert_false(has_color("dumb", NULL));
	assert_false(has_color("", NULL));
	assert_false(has_color(NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_terminal_has_its_width_and_colours),
		cmocka_unit_test(a_pipe_and_a_file_have_neither),
		cmocka_unit_test(no_color_and_dumb_terminals_have_no_colours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
