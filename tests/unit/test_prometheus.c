/* SPDX-License-Identifier: GPL-2.0-only */
/* Prometheus' text format, and how its file is replaced; rates between two readings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <glob.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "metrics/prometheus.h"
#include "lib/array.h"

static struct export exports_v[] = {
	{ .key = { .proto = IPPROTO_TCP } },
	{ .key = { .proto = IPPROTO_UDP } },
};
static struct hbpf_port_stats ports_v[] = {
	{ .in_packets = 1, .in_bytes = 2, .out_packets = 3, .out_bytes = 4 },
	{ .in_packets = 5, .in_bytes = 6, .out_packets = 7, .out_bytes = 8 },
};

static struct bridge_traffic bridge_named(const char *name, unsigned int ifindex)
{
	struct bridge_traffic bridge = {
		.ifindex = ifindex,
		.live = true,
		.exports = { .v = exports_v, .count = ARRAY_SIZE(exports_v) },
		.ports = ports_v,
	};

	exports_v[0].key.port = htons(8088);
	exports_v[1].key.port = htons(53);
	snprintf(bridge.name, sizeof(bridge.name), "%s", name);
	bridge.counters[HBPF_IN_GUARD_SRC] = (struct hbpf_counter){ 9, UINT64_MAX };
	return bridge;
}

static char *written(struct bridge_traffic *bridges, size_t count)
{
	const struct traffic traffic = { .v = bridges, .count = count };
	char *text;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	prometheus_write(to, &traffic);
	fclose(to);
	return text;
}

static void has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no %s in:\n%s", line, text);
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)); text++)
		count++;
	return count;
}

static void every_port_and_reason_is_there_with_exact_values(void **state)
{
	struct bridge_traffic bridge = bridge_named("br-test", 3);
	char *text = written(&bridge, 1);

	(void)state;
	has(text, "\nhbpf_bridge_live{bridge=\"br-test\"} 1\n");
	has(text,
	    "\nhbpf_packets_total{bridge=\"br-test\",reason=\"IN_GUARD_SRC\",verdict=\"DROP\"}"
	    " 9\n");
	has(text, "\nhbpf_bytes_total{bridge=\"br-test\",reason=\"IN_GUARD_SRC\",verdict=\"DROP\"}"
		  " 18446744073709551615\n");
	has(text, "\nhbpf_port_packets_total{bridge=\"br-test\",port=\"8088\",protocol=\"tcp\","
		  "direction=\"in\"} 1\n");
	has(text, "\nhbpf_port_packets_total{bridge=\"br-test\",port=\"8088\",protocol=\"tcp\","
		  "direction=\"out\"} 3\n");
	has(text, "\nhbpf_port_bytes_total{bridge=\"br-test\",port=\"53\",protocol=\"udp\","
		  "direction=\"in\"} 6\n");
	has(text, "\nhbpf_port_bytes_total{bridge=\"br-test\",port=\"53\",protocol=\"udp\","
		  "direction=\"out\"} 8\n");
	/* zero, too: a rate needs a first value */
	assert_int_equal(count_of(text, "\nhbpf_packets_total{"), HBPF_REASON_MAX);
	assert_int_equal(count_of(text, "\nhbpf_bytes_total{"), HBPF_REASON_MAX);
	free(text);
}

/* Each metric has HELP and TYPE once, before its samples, which follow each other; counters, and
 * they alone, end in _total. */
static void metrics_are_declared_before_their_samples(void **state)
{
	struct bridge_traffic bridges[] = { bridge_named("br-a", 3), bridge_named("br-b", 4) };
	char *text = written(bridges, ARRAY_SIZE(bridges)), *rest = text, *line;
	char metric[64] = "", type[16], name[64], expected[160];

	(void)state;
	while ((line = strsep(&rest, "\n")) && *line) {
		if (sscanf(line, "# HELP %63s", name) == 1) {
			assert_string_not_equal(name, metric);
			strcpy(metric, name);
			line = strsep(&rest, "\n");
			snprintf(expected, sizeof(expected), "# TYPE %s %%15s", metric);
			assert_int_equal(sscanf(line, expected, type), 1);
			assert_int_equal(!strcmp(type, "counter"),
					 strstr(metric, "_total") != NULL);
		} else {
			assert_int_equal(sscanf(line, "%63[a-z_]", name), 1);
			assert_string_equal(name, metric);
		}
	}
	assert_null(rest);
	free(text);
}

static void names_are_escaped_and_stay_different(void **state)
{
	static const struct {
		const char *name;
		const char *label;
	} cases[] = {
		{ "br-\xc3\xa4", "br-\xc3\xa4" },
		{ "a\"b", "a\\\"b" },
		{ "a\\b", "a\\\\b" },
		{ "\x1b[7m", "\\\\x1b[7m" },
		{ "\xff\xfe", "\\\\xff\\\\xfe" },
		{ "\xe2\x80\xae", "\\\\xe2\\\\x80\\\\xae" },
		{ "\x01\x02\x03\x04\x05\x06\x07\x01\x01\x01\x01\x01\x01\x01\x01",
		  "\\\\x01\\\\x02\\\\x03\\\\x04\\\\x05\\\\x06\\\\x07\\\\x01\\\\x01\\\\x01\\\\x01"
		  "\\\\x01\\\\x01\\\\x01\\\\x01" },
	};
	char line[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bridge_traffic bridge = bridge_named(cases[i].name, 3);
		char *text = written(&bridge, 1);

		snprintf(line, sizeof(line), "\nhbpf_bridge_live{bridge=\"%s\"} 1\n",
			 cases[i].label);
		has(text, line);
		snprintf(line, sizeof(line), "\nhbpf_port_bytes_total{bridge=\"%s\",port=\"53\"",
			 cases[i].label);
		has(text, line);
		free(text);
	}
}

static void an_unreadable_bridge_is_not_live_and_has_no_counters(void **state)
{
	struct bridge_traffic bridges[] = { bridge_named("br-bad", 3), bridge_named("br-good", 4) };
	char *text;

	(void)state;
	error_set(&bridges[0].problem, EPROTO, "state of another layout");
	text = written(bridges, ARRAY_SIZE(bridges));
	has(text, "\nhbpf_bridge_live{bridge=\"br-bad\"} 0\n");
	assert_int_equal(count_of(text, "br-bad"), 1);
	has(text, "\nhbpf_bridge_live{bridge=\"br-good\"} 1\n");
	assert_true(count_of(text, "br-good") > 1);
	free(text);
}

static void of_two_bridges_with_one_name_the_live_one_counts(void **state)
{
	struct bridge_traffic bridges[] = { bridge_named("br0", 3), bridge_named("br0", 4) };
	char *text;

	(void)state;
	bridges[0].live = false;
	bridges[0].counters[HBPF_IN_ARP].packets = 77;
	text = written(bridges, ARRAY_SIZE(bridges));
	assert_int_equal(count_of(text, "\nhbpf_bridge_live{"), 1);
	has(text, "\nhbpf_bridge_live{bridge=\"br0\"} 1\n");
	assert_int_equal(count_of(text, "} 77\n"), 0);
	bridges[1].live = false; /* then the first */
	free(text);
	text = written(bridges, ARRAY_SIZE(bridges));
	assert_int_equal(count_of(text, "\nhbpf_bridge_live{"), 1);
	assert_int_equal(count_of(text, "} 77\n"), 1);
	free(text);
}

/* ---- the file ---- */

static char dir[] = "/tmp/hbpf-prometheus-XXXXXX";
static char path[64];
static const struct traffic none;

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/hbpf.prom", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir); /* fails if a temporary file is left */
}

static size_t files_in_dir(void)
{
	char pattern[sizeof(dir) + 2];
	glob_t found = {};
	size_t count;

	snprintf(pattern, sizeof(pattern), "%s/*", dir);
	count = glob(pattern, 0, NULL, &found) ? 0 : found.gl_pathc;
	globfree(&found);
	return count;
}

static void a_file_is_replaced_not_changed(void **state)
{
	struct error err = {};
	struct stat old, now;
	char text[4] = "";
	int fd;

	(void)state;
	fd = open(path, O_CREAT | O_RDWR, 0600);
	assert_int_equal(write(fd, "old", 3), 3);
	assert_int_equal(fstat(fd, &old), 0);
	assert_int_equal(prometheus_write_file(path, &none, &err), 0);
	assert_int_equal(stat(path, &now), 0);
	assert_int_not_equal(old.st_ino, now.st_ino);
	assert_int_equal(now.st_mode & 07777, 0644);
	assert_true(now.st_size > 3);
	/* who has the old one open still reads it whole */
	assert_int_equal(pread(fd, text, 3, 0), 3);
	assert_string_equal(text, "old");
	close(fd);
	assert_int_equal(files_in_dir(), 1);
}

static void what_is_no_regular_file_is_refused_and_stays(void **state)
{
	struct error err = {};
	struct stat st;

	(void)state;
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(prometheus_write_file(path, &none, &err), -EINVAL);
	has(err.what, path);
	error_free(&err);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(prometheus_write_file(dir, &none, &err), -EINVAL);
	has(err.what, dir);
	error_free(&err);
	assert_int_equal(files_in_dir(), 1);
	unlink(path);
	assert_int_equal(prometheus_write_file(path, &none, &err), 0);
}

static void a_failure_names_the_file(void **state)
{
	struct error err = {};

	(void)state;
	assert_int_equal(prometheus_write_file("/nowhere/hbpf.prom", &none, &err), -ENOENT);
	assert_string_equal(err.what, "cannot write /nowhere/hbpf.prom: No such file or directory");
	error_free(&err);
}

/* ---- rates ---- */

static void growth_is_that_of_the_same_bridge_and_port(void **state)
{
	struct bridge_traffic then[] = { bridge_named("other", 3), bridge_named("old-name", 4) };
	const struct traffic before = { .v = then, .count = ARRAY_SIZE(then) };
	struct bridge_traffic now = bridge_named("br-test", 4);
	struct hbpf_port_stats port;
	/* 8088 was not exported then */
	struct hbpf_port_stats udp = { .in_packets = 2, .in_bytes = 2 };

	(void)state;
	then[1].exports = (struct exports){ .v = &exports_v[1], .count = 1 };
	then[1].ports = &udp;
	then[1].counters[HBPF_IN_GUARD_SRC].packets = 4;
	assert_ptr_equal(traffic_before(&before, &now), &then[1]);
	assert_int_equal(traffic_counted(&now, &then[1], HBPF_IN_GUARD_SRC).packets, 5);
	port = traffic_port_counted(&now, &then[1], 1);
	assert_int_equal(port.in_packets, 3);
	assert_int_equal(port.in_bytes, 4);
	assert_int_equal(port.out_packets, 7);
	port = traffic_port_counted(&now, &then[1], 0);
	assert_int_equal(port.in_packets, 1);
}

static void counters_that_began_again_grew_from_zero(void **state)
{
	struct bridge_traffic then = bridge_named("br-test", 4), now = then;

	(void)state;
	now.counters[HBPF_IN_GUARD_SRC].packets = 3;
	assert_int_equal(traffic_counted(&now, &then, HBPF_IN_GUARD_SRC).packets, 3);
}

static void a_bridge_that_was_not_readable_has_no_rate(void **state)
{
	struct bridge_traffic then = bridge_named("br-test", 4), now = then;
	const struct traffic before = { .v = &then, .count = 1 };

	(void)state;
	assert_ptr_equal(traffic_before(&before, &now), &then); /* control */
	now.ifindex = 5;
	assert_null(traffic_before(&before, &now));
	now.ifindex = 4;
	error_set(&then.problem, EPROTO, "state of another layout");
	assert_null(traffic_before(&before, &now));
	/* deleted bridges have no index to recognise them by */
	then = bridge_named("br-test", 0);
	now.ifindex = 0;
	assert_null(traffic_before(&before, &now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_port_and_reason_is_there_with_exact_values),
		cmocka_unit_test(metrics_are_declared_before_their_samples),
		cmocka_unit_test(names_are_escaped_and_stay_different),
		cmocka_unit_test(an_unreadable_bridge_is_not_live_and_has_no_counters),
		cmocka_unit_test(of_two_bridges_with_one_name_the_live_one_counts),
		cmocka_unit_test(a_file_is_replaced_not_changed),
		cmocka_unit_test(what_is_no_regular_file_is_refused_and_stays),
		cmocka_unit_test(a_failure_names_the_file),
		cmocka_unit_test(growth_is_that_of_the_same_bridge_and_port),
		cmocka_unit_test(counters_that_began_again_grew_from_zero),
		cmocka_unit_test(a_bridge_that_was_not_readable_has_no_rate),
	};

	return cmocka_run_group_tests_name("prometheus", tests, make_dir, remove_dir);
}
