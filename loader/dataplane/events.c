/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/events.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane/map_io.h"
#include "dataplane/stats.h"
#include "lib/clock.h"

#define RING_SIZE (1U << 18) /* more than all kinds of a bridge in a second, from one CPU */

/* The clock of bpf_ktime_get_ns(). */
static __u64 now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static int map_monitors(struct events *events, struct error *err)
{
	void *at = mmap(NULL, sizeof(*events->all), PROT_READ | PROT_WRITE, MAP_SHARED,
			events->shared->maps[MAP_MONITORS], 0);

	if (at == MAP_FAILED)
		return map_error(err, -errno, MAP_MONITORS, "map");
	events->all = at;
	return 0;
}

/* Set the end of our lease, if nobody else has changed it. */
static bool extend(struct events *events, struct hbpf_monitor *place, __u64 seen)
{
	__u64 until = now_ns() + EVENTS_LEASE_MS * NSEC_PER_MSEC;

	if (!__atomic_compare_exchange_n(&place->until_ns, &seen, until, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return false;
	events->until_ns = until;
	return true;
}

static int all_taken(const struct events *events, struct error *err)
{
	char pids[HBPF_MONITORS * 16] = "";
	size_t len = 0;

	for (int i = 0; i < HBPF_MONITORS; i++)
		len += (size_t)snprintf(pids + len, sizeof(pids) - len, "%s%u", i ? ", " : "",
					events->all->place[i].pid);
	error_set(err, EBUSY, "%d monitors run already, with the process IDs %s", HBPF_MONITORS,
		  pids);
	error_hint(err, "end one of them");
	return -EBUSY;
}

/* Take a place that is free, or whose monitor was killed: it did not renew its lease. */
static int take_place(struct events *events, struct error *err)
{
	for (int i = 0; i < HBPF_MONITORS; i++) {
		struct hbpf_monitor *place = &events->all->place[i];
		__u64 seen = __atomic_load_n(&place->until_ns, __ATOMIC_SEQ_CST);

		if (seen > now_ns() || !extend(events, place, seen))
			continue;
		place->kinds = 0;
		place->pid = (__u32)getpid();
		events->place = place;
		events->lost = place->lost;
		return 0;
	}
	return all_taken(events, err);
}

static int pass_on(void *context, void *data, size_t size)
{
	const struct events *events = context;

	if (size >= sizeof(struct hbpf_event))
		events->on_event(data, events->context);
	return 0;
}

static __u32 place_index(const struct events *events)
{
	return (__u32)(events->place - events->all->place);
}

static int make_ring(struct events *events, struct error *err)
{
	__u32 place = place_index(events);
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "hbpf_ring", 0, 0, RING_SIZE, NULL);
	int ret = fd < 0 ? fd : 0;

	if (!ret)
		events->ring = ring_buffer__new(fd, pass_on, events, NULL);
	if (!ret && !events->ring)
		ret = -errno;
	if (!ret)
		ret = bpf_map_update_elem(events->shared->maps[MAP_EVENTS], &place, &fd, BPF_ANY);
	if (fd >= 0)
		close(fd);
	return ret ? error_errno(err, ret, "cannot make a ring buffer for events") : 0;
}

int events_open(struct events *events, const struct shared *shared, __u32 kinds,
		void (*on_event)(const struct hbpf_event *event, void *context), void *context,
		struct error *err)
{
	int ret;

	*events = (struct events){
		.shared = shared, .kinds = kinds, .on_event = on_event, .context = context
	};
	ret = map_monitors(events, err);
	if (!ret)
		ret = take_place(events, err);
	if (!ret)
		ret = make_ring(events, err);
	if (!ret)
		__atomic_store_n(&events->place->kinds, kinds, __ATOMIC_SEQ_CST);
	return ret;
}

void events_close(struct events *events)
{
	__u64 ours = events->until_ns;
	__u32 place;

	if (events->place && events->place->until_ns == ours) {
		place = place_index(events);
		__atomic_store_n(&events->place->kinds, 0, __ATOMIC_SEQ_CST);
		bpf_map_delete_elem(events->shared->maps[MAP_EVENTS], &place);
		__atomic_compare_exchange_n(&events->place->until_ns, &ours, 0, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	}
	if (events->ring)
		ring_buffer__free(events->ring);
	if (events->all)
		munmap(events->all, sizeof(*events->all));
	*events = (struct events){};
}

int events_fd(const struct events *events)
{
	return ring_buffer__epoll_fd(events->ring);
}

int events_read(struct events *events)
{
	int ret = ring_buffer__consume(events->ring);

	return ret < 0 ? ret : 0;
}

int events_renew(struct events *events, struct events_gap *gap, struct error *err)
{
	__u64 now = now_ns(), lost = events->place->lost, until = events->until_ns;

	*gap = (struct events_gap){
		.lost = lost - events->lost,
		.ms = now > until ? (now - until) / NSEC_PER_MSEC : 0,
	};
	events->lost = lost;
	if (!extend(events, events->place, until)) {
		error_set(err, EBUSY, "this monitor was stopped, and another one took its place");
		error_hint(err, "start it again");
		return -EBUSY;
	}
	/* the programs cleared it if the lease had ended */
	__atomic_store_n(&events->place->kinds, events->kinds, __ATOMIC_SEQ_CST);
	return 0;
}

int events_suppressed(const struct events *events, unsigned int ifindex, __u64 sums[HBPF_EVENT_MAX])
{
	struct hbpf_counters *values;
	struct hbpf_config config;
	int cpus, ret;

	memset(sums, 0, HBPF_EVENT_MAX * sizeof(*sums));
	ret = bpf_map_lookup_elem(events->shared->maps[MAP_BRIDGES], &ifindex, &config);
	if (ret)
		return ret;
	cpus = counters_read(events->shared, &config, &values);
	for (int cpu = 0; cpu < cpus; cpu++) {
		for (int kind = 0; kind < HBPF_EVENT_MAX; kind++)
			sums[kind] += values[cpu].limit[kind].suppressed;
	}
	free(values);
	return cpus < 0 ? cpus : 0;
}
