/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random packets through both programs, by BPF_PROG_TEST_RUN.
 *
 *	packets [--seed N] [--count N] [--first N] [--captured FILE] OBJECT
 *	packets --replay FILE OBJECT
 *
 * Needs root; makes a network namespace of its own. Prints TAP, one test for
 * each property (check.h). Packets come in histories: each starts with no flow
 * and no fragment known and depends on nothing but the seed and its number, so
 * that one that failed can be run again alone (--first N). A failed one is first
 * made as short as it goes, then printed as lines that --replay takes, of the
 * form that captured frames (make.h) have, too:
 *
 *	setting 0
 *	ingress 020000003001...
 *
 * In every history the answer to each question that was translated, the host's
 * error about it, and the client's error about the answer go through, too.
 */
#include <ctype.h>
#include <errno.h>
#include <error.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include "check.h"
#include "make.h"
#include "lib/array.h"

#define HISTORY 256

enum property {
	TRANSLATION,
	SUMS,
	GUARD,
	ROUND_TRIP,
	FLOWS,
	PROPERTIES,
};

static const char *const properties[] = {
	[TRANSLATION] = "a packet is unchanged or exactly the translation that is due",
	[SUMS] = "checksums that were valid are valid",
	[GUARD] = "no loopback address crosses the bridge",
	[ROUND_TRIP] = "what comes back has the addresses that were dialled",
	[FLOWS] = "only allowed sources open flows, and every flow is recorded",
};

struct step {
	bool egress;
	bool errors; /* send errors about it, too */
	struct frame frame;
};

struct failure {
	enum property property;
	const char *what;
	char why[128];
	const char *stage; /* of the round trip, or of the step itself */
	bool egress;
	int answer;
	struct expected expected;
	struct frame before;
	struct frame after;
	struct frame want;
};

struct fuzz {
	struct bed bed;
	struct model model;
	struct captured captured[2]; /* ingress, egress */
	unsigned long long packets;
	unsigned long long refused; /* by the kernel's test run */
	unsigned long long translated;
	struct failure failure;
};

static bool fail(struct fuzz *fuzz, enum property property, const char *what)
{
	fuzz->failure.property = property;
	fuzz->failure.what = what;
	return false;
}

/* One frame through one program, and all that is to be said of it alone. Return: false on failure;
 * @after has a length of 0 where the kernel did not run it. */
static bool run(struct fuzz *fuzz, const char *stage, bool egress, const struct frame *before,
		struct frame *after, struct expected *expected)
{
	struct failure *failure = &fuzz->failure;
	const struct setting *setting = fuzz->model.world.setting;
	const char *wrong;
	int answer = 0;
	int err = bed_run(&fuzz->bed, egress, before, after, &answer);

	if (err == -EINVAL) {
		fuzz->refused++;
		after->len = 0;
		return true;
	}
	fuzz->packets++;
	(egress ? model_egress : model_ingress)(&fuzz->model, before, expected);
	fuzz->translated += expected->verdict == LOCAL || expected->verdict == CLIENT;

	failure->stage = stage;
	failure->egress = egress;
	failure->answer = answer;
	failure->expected = *expected;
	failure->before = *before;
	failure->after = *after;
	check_want(expected, before, &failure->want);
	if (err == -EBADMSG)
		return fail(fuzz, SUMS, "skb->csum (CHECKSUM_COMPLETE) does not match the frame");
	if (err)
		return fail(fuzz, TRANSLATION, strerror(-err));
	wrong = check_guard(setting, egress, after, answer);
	if (wrong)
		return fail(fuzz, GUARD, wrong);
	wrong = check_translation(expected, before, after, answer);
	if (wrong)
		return fail(fuzz, TRANSLATION, wrong);
	wrong = check_sums(before, after);
	return wrong ? fail(fuzz, SUMS, wrong) : true;
}

static bool must_be(struct fuzz *fuzz, const struct frame *want, const struct frame *got)
{
	const char *wrong;

	if (!got->len)
		return true;
	wrong = check_same(want, got);
	if (wrong)
		fuzz->failure.want = *want;
	return wrong ? fail(fuzz, ROUND_TRIP, wrong) : true;
}

static void swap(uint8_t *a, uint8_t *b, unsigned int len)
{
	uint8_t kept[16];

	memcpy(kept, a, len);
	memcpy(a, b, len);
	memcpy(b, kept, len);
}

/* The same packet the other way, as the host sends it. No checksum minds. */
static void turn(const struct view *view, const struct frame *frame, struct frame *turned)
{
	uint8_t *ip = turned->b + view->l3;
	uint8_t *ports = turned->b + view->l4;

	*turned = *frame;
	memcpy(turned->b, client_mac, 6);
	memcpy(turned->b + 6, bridge_mac, 6);
	swap(ip + (view->v6 ? 8 : 12), ip + (view->v6 ? 24 : 16), view->v6 ? 16 : 4);
	swap(ports, ports + 2, 2);
}

static bool error_trip(struct fuzz *fuzz, const char *stage, bool egress, const struct view *view,
		       const struct frame *sent, const struct frame *arrives, const struct ip *from,
		       const struct ip *to, const struct ip *becomes_from,
		       const struct ip *becomes_to)
{
	static const uint8_t zero_mac[6];
	const uint8_t *to_mac = egress ? client_mac : bridge_mac;
	const uint8_t *from_mac = egress ? bridge_mac : client_mac;
	struct frame error, want, quoted = *arrives, after;
	struct view outer, quote;
	struct expected expected;
	int at = wire_check_at(view);

	memcpy(quoted.b + at, sent->b + at, 2); /* a quote keeps its transport checksum */
	make_error(&error, sent, view, from, to, to_mac, from_mac);
	make_error(&want, &quoted, view, becomes_from, becomes_to, egress ? to_mac : zero_mac,
		   from_mac);
	if (!wire_frame_view(&error, &outer) || !wire_quote(&error, &outer, &quote))
		return true; /* cut behind too many extension headers */
	return run(fuzz, stage, egress, &error, &after, &expected) && must_be(fuzz, &want, &after);
}

/* What the host and the client send after a question that was translated. */
static bool round_trip(struct fuzz *fuzz, const struct step *step, const struct expected *question,
		       const struct frame *delivered)
{
	const struct view *view = &question->view;
	const struct ip *client = &view->src.ip, *gateway = &view->dst.ip;
	const struct ip *local = &question->to.ip;
	struct frame answer, want, received;
	struct expected expected;

	turn(view, delivered, &answer);
	turn(view, &step->frame, &want);
	if (!run(fuzz, "the answer to it", true, &answer, &received, &expected) ||
	    !must_be(fuzz, &want, &received))
		return false;
	if (!step->errors || view->first_fragment || !received.len)
		return true;
	return error_trip(fuzz, "the host's error about it", true, view, delivered, &step->frame,
			  local, client, gateway, client) &&
	       error_trip(fuzz, "the client's error about the answer", false, view, &received,
			  &answer, client, gateway, client, local);
}

static bool run_step(struct fuzz *fuzz, const struct step *step)
{
	struct expected expected;
	struct frame after;

	if (!run(fuzz, "this packet", step->egress, &step->frame, &after, &expected))
		return false;
	if (!after.len || expected.verdict != LOCAL || !expected.ports)
		return true;
	return round_trip(fuzz, step, &expected, &after);
}

static bool run_history(struct fuzz *fuzz, const struct step *steps, unsigned int count)
{
	bool good = true;

	model_reset(&fuzz->model);
	for (unsigned int i = 0; good && i < count; i++)
		good = run_step(fuzz, &steps[i]);
	if (good && !bed_flows_match(&fuzz->bed, &fuzz->model, fuzz->failure.why,
				     sizeof(fuzz->failure.why))) {
		fuzz->failure.stage = "the history";
		good = fail(fuzz, FLOWS, fuzz->failure.why);
	}
	bed_clear(&fuzz->bed);
	return good;
}

static void make_history(const struct fuzz *fuzz, uint64_t seed, uint64_t number,
			 struct step *steps, unsigned int count)
{
	struct rng rng = rng_part(seed, number);
	struct talk last[2] = {};

	for (unsigned int i = 0; i < count; i++) {
		steps[i].egress = one_in(&rng, 3);
		steps[i].errors = one_in(&rng, 4);
		make_frame(&rng, steps[i].egress, &last[steps[i].egress],
			   &fuzz->captured[steps[i].egress], &steps[i].frame);
	}
}

static const struct setting *setting_of(uint64_t number)
{
	return &world_settings[number % world_setting_count];
}

static void use(struct fuzz *fuzz, const struct setting *setting)
{
	if (fuzz->model.world.setting == setting)
		return;
	fuzz->model.world.setting = setting;
	bed_configure(&fuzz->bed, setting);
}

/* Failures */

static void print_frame(const char *label, const struct frame *frame)
{
	printf("%s ", label);
	for (unsigned int i = 0; i < frame->len; i++)
		printf("%02x", frame->b[i]);
	putchar('\n');
}

/* Takes steps away as long as the same property fails without them: halves, quarters... */
static unsigned int shorten(struct fuzz *fuzz, struct step *steps, unsigned int count)
{
	enum property property = fuzz->failure.property;
	struct step *less = calloc(count, sizeof(*less));

	if (!less)
		return count;
	for (unsigned int size = count / 2 + 1; size; size /= 2) {
		for (unsigned int at = 0; at < count;) {
			unsigned int gone = at + size < count ? size : count - at;

			memcpy(less, steps, at * sizeof(*less));
			memcpy(less + at, steps + at + gone, (count - at - gone) * sizeof(*less));
			if (!run_history(fuzz, less, count - gone) &&
			    fuzz->failure.property == property) {
				count -= gone;
				memcpy(steps, less, count * sizeof(*less));
			} else {
				at += gone;
			}
		}
	}
	free(less);
	run_history(fuzz, steps, count);
	return count;
}

static void print_failure(const struct fuzz *fuzz, const struct step *steps, unsigned int count)
{
	static const char *const verdicts[] = { "passed as it is", "dropped",
						"translated to loopback",
						"translated to the client" };
	const struct failure *failure = &fuzz->failure;

	printf("# %s: %s (%s)\n", failure->stage, failure->what,
	       failure->egress ? "egress" : "ingress");
	printf("# the program returned %d; the packet has to be %s\n", failure->answer,
	       verdicts[failure->expected.verdict]);
	print_frame("# before", &failure->before);
	print_frame("# after ", &failure->after);
	print_frame("# wanted", &failure->want);
	printf("# the shortest history that shows it, for --replay:\n");
	printf("# setting %ld\n", (long)(fuzz->model.world.setting - world_settings));
	for (unsigned int i = 0; i < count; i++)
		print_frame(steps[i].egress   ? "# egress"
			    : steps[i].errors ? "# ingress+errors"
					      : "# ingress",
			    &steps[i].frame);
}

static void print_results(bool good, enum property failed)
{
	for (enum property i = 0; i < PROPERTIES; i++) {
		if (good || i == failed)
			printf("%s %d - %s\n", good ? "ok" : "not ok", i + 1, properties[i]);
		else
			printf("ok %d - %s # SKIP stopped at the first failure\n", i + 1,
			       properties[i]);
	}
}

/* Replay */

static bool read_hex(const char *text, struct frame *frame)
{
	unsigned int byte;

	memset(frame, 0, sizeof(*frame));
	for (; isxdigit(text[0]) && isxdigit(text[1]) && frame->len < MAX_FRAME; text += 2) {
		sscanf(text, "%2x", &byte);
		frame->b[frame->len++] = byte;
	}
	return frame->len >= ETHER;
}

static unsigned int read_history(const char *path, struct step *steps, unsigned int room,
				 unsigned int *setting)
{
	FILE *file = fopen(path, "r");
	static char line[3 * MAX_FRAME];
	unsigned int count = 0;

	if (!file)
		error(1, errno, "%s", path);
	while (count < room && fgets(line, sizeof(line), file)) {
		char *at = line + strspn(line, "# "), *hex = strpbrk(at, " ");

		if (sscanf(at, "setting %u", setting) == 1 || !hex)
			continue;
		steps[count].egress = !strncmp(at, "egress ", 7);
		steps[count].errors = !strncmp(at, "ingress+errors ", 15);
		if ((steps[count].egress || !strncmp(at, "ingress", 7)) &&
		    read_hex(hex + 1, &steps[count].frame))
			count++;
	}
	fclose(file);
	return count;
}

static void read_captured(const char *path, struct captured captured[2])
{
	static struct step steps[4096];
	unsigned int setting;
	unsigned int count = read_history(path, steps, ARRAY_SIZE(steps), &setting);

	for (int side = 0; side < 2; side++) {
		captured[side].v = calloc(count + 1, sizeof(*captured[side].v));
		if (!captured[side].v)
			error(1, errno, "%s", path);
	}
	for (unsigned int i = 0; i < count; i++) {
		struct captured *of = &captured[steps[i].egress];

		of->v[of->count++] = steps[i].frame;
	}
	if (!captured[0].count || !captured[1].count)
		error(1, 0, "%s holds no frames of one side", path);
}

static bool replay(struct fuzz *fuzz, const char *path)
{
	static struct step steps[HISTORY];
	unsigned int setting = 0;
	unsigned int count = read_history(path, steps, HISTORY, &setting);
	bool good;

	if (!count || setting >= world_setting_count)
		error(1, 0, "%s holds no history", path);
	use(fuzz, &world_settings[setting]);
	good = run_history(fuzz, steps, count);
	if (!good)
		print_failure(fuzz, steps, count);
	return good;
}

static bool explore(struct fuzz *fuzz, uint64_t seed, unsigned long long count, uint64_t number)
{
	static struct step steps[HISTORY];

	for (; fuzz->packets < count; number++) {
		use(fuzz, setting_of(number));
		make_history(fuzz, seed, number, steps, HISTORY);
		if (run_history(fuzz, steps, HISTORY))
			continue;
		printf("# history %llu of seed %llu (%s), after %llu packets\n",
		       (unsigned long long)number, (unsigned long long)seed,
		       fuzz->model.world.setting->name, fuzz->packets);
		print_failure(fuzz, steps, shorten(fuzz, steps, HISTORY));
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "count", required_argument, NULL, 'c' },
		{ "first", required_argument, NULL, 'f' },
		{ "replay", required_argument, NULL, 'r' },
		{ "captured", required_argument, NULL, 'C' },
		{},
	};
	static struct fuzz fuzz;
	unsigned long long seed = 1, count = 50000, first = 0;
	const char *file = NULL;
	bool good;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			count = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			first = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			file = optarg;
			break;
		case 'C':
			read_captured(optarg, fuzz.captured);
			break;
		default:
			return 2;
		}
	}
	if (optind != argc - 1)
		error(2, 0,
		      "usage: packets [--seed N] [--count N] [--first N] [--captured FILE] "
		      "[--replay FILE] OBJECT");
	setvbuf(stdout, NULL, _IOLBF, 0);
	bed_open(&fuzz.bed, argv[optind]);
	bed_probe(&fuzz.bed, &fuzz.model.world);

	printf("1..%d\n", PROPERTIES);
	printf("# %s, seed %llu%s\n", argv[optind], seed,
	       fuzz.bed.flags ? "" : ", without CHECKSUM_COMPLETE, which this kernel cannot test");
	good = file ? replay(&fuzz, file) : explore(&fuzz, seed, count, first);
	printf("# %llu packets run, %llu of them to be translated, %llu refused by the kernel\n",
	       fuzz.packets, fuzz.translated, fuzz.refused);
	if (good)
		bed_counters(&fuzz.bed);
	print_results(good, fuzz.failure.property);
	bed_close(&fuzz.bed);
	return !good;
}
