/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event loop: wait for an event, read all events there are, reconcile (watch/reconcile.c) at
 * once, and then again PAUSE_MS later at the earliest, however many events arrive. Nothing is
 * polled: without an event only what failed is tried again, with growing pauses.
 */
#include "watch/watch.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "kernel/netlink_monitor.h"
#include "lib/array.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/sd_notify.h"
#include "lib/signals.h"
#include "watch/config_files.h"
#include "watch/lock.h"
#include "watch/reconcile.h"

#define PAUSE_MS 100
#define NEVER    INT64_MAX

/* Indexes for poll(). */
enum {
	FD_SIGNALS,
	FD_FILES,
	FD_NETLINK,
	FD_ENGINES = FD_NETLINK + NETLINK_EVENTS_MAX,
	FD_METRICS = FD_ENGINES + ENGINES_MAX,
	FD_MAX = FD_METRICS + METRICS_FDS,
};

struct watch {
	const struct watch_options *options;
	struct watch_state state;
	struct mnl_socket *netlink[NETLINK_EVENTS_MAX]; /* NULL: not in this kernel */
	struct metrics_server metrics;
	int signals;
	int lock;
	bool stop;
	__s64 last; /* end of the last reconciliation, as of monotonic_ms() */
	__s64 next; /* when the next one is due */
};

void watch_log_problems(const struct watch_config *conf)
{
	for (size_t i = 0; i < conf->problems.count; i++)
		log_error(&conf->problems.v[i]);
}

static void schedule(struct watch *w)
{
	__s64 due = w->last + PAUSE_MS;

	if (due < w->next)
		w->next = due;
}

static void reconcile(struct watch *w)
{
	int wait = watch_reconcile(&w->state);

	w->last = monotonic_ms();
	w->next = wait < 0 ? NEVER : w->last + (wait > PAUSE_MS ? wait : PAUSE_MS);
	notify("STATUS=%zu of %zu declared bridges attached", w->state.attached,
	       w->state.conf.count + w->state.labels.count);
}

static void reload(struct watch *w)
{
	struct watch_config conf;

	notify("RELOADING=1");
	if (watch_config_read(&conf, w->options->config_file)) {
		watch_log_problems(&conf);
		log_warn(
			"configuration not reloaded, as it has %zu error%s; the previous one stays in effect",
			conf.problems.count, conf.problems.count == 1 ? "" : "s");
		watch_config_free(&conf);
	} else {
		watch_config_free(&w->state.conf);
		w->state.conf = conf;
		w->state.engines.current = false;
		retry_list_free(&w->state.retries); /* what failed may work now */
		reconcile(w);
		log_notice("configuration reloaded: %zu section%s", w->state.conf.count,
			   w->state.conf.count == 1 ? "" : "s");
	}
	notify("READY=1");
}

static void read_signals(struct watch *w)
{
	struct signalfd_siginfo info;
	bool hup = false;

	while (read(w->signals, &info, sizeof(info)) == sizeof(info)) {
		hup |= info.ssi_signo == SIGHUP;
		w->stop |= info.ssi_signo != SIGHUP;
	}
	if (hup && !w->stop)
		reload(w);
}

static int open_signals(struct watch *w, struct error *err)
{
	static const int signals[] = { SIGHUP, SIGTERM, SIGINT };

	signal(SIGPIPE, SIG_IGN); /* the reader of the log may have closed it */
	w->signals = signals_open(signals, ARRAY_SIZE(signals), err);
	return w->signals < 0 ? w->signals : 0;
}

static int open_all(struct watch *w, struct error *err)
{
	int ret;

	w->lock = watch_lock(err);
	if (w->lock < 0)
		return w->lock;
	ret = open_signals(w, err);
	if (!ret && w->options->metrics)
		ret = metrics_server_open(&w->metrics, w->options->metrics, err);
	if (!ret)
		ret = file_monitor_open(&w->state.files, err);
	if (ret)
		return ret;
	for (int source = 0; source < NETLINK_EVENTS_MAX; source++) {
		w->netlink[source] = netlink_monitor_open(source, err);
		if (w->netlink[source])
			continue;
		if (source == NETLINK_EVENTS_ROUTE)
			return -EIO;
		log_info("%s", err->what); /* a kernel without nf_tables */
		error_free(err);
	}
	return 0;
}

static void close_all(struct watch *w)
{
	for (int source = 0; source < NETLINK_EVENTS_MAX; source++) {
		if (w->netlink[source])
			mnl_socket_close(w->netlink[source]);
	}
	metrics_server_close(&w->metrics);
	watch_state_free(&w->state);
	if (w->signals >= 0)
		close(w->signals);
	if (w->lock >= 0)
		close(w->lock);
}

/* For poll(): until the next reconciliation is due, or a connection's time is over. */
static int time_left(const struct watch *w)
{
	__s64 end = metrics_server_end(&w->metrics);
	__s64 due = w->next < end ? w->next : end;
	__s64 left = due - monotonic_ms();

	if (due == NEVER)
		return -1;
	if (left < 0)
		return 0;
	return (int)(left < INT_MAX ? left : INT_MAX);
}

/* Until something happens, or the next reconciliation is due. */
static void wait_for_events(struct watch *w)
{
	struct pollfd fds[FD_MAX] = {
		[FD_SIGNALS] = { .fd = w->signals, .events = POLLIN },
		[FD_FILES] = { .fd = w->state.files.fd, .events = POLLIN },
	};
	struct engine_cache *engines = &w->state.engines;

	for (size_t i = 0; i < ENGINES_MAX; i++)
		fds[FD_ENGINES + i] = (struct pollfd){
			.fd = i < engines->count ? engine_events_fd(engines->v[i].events) : -1,
			.events = POLLIN,
		};
	for (int source = 0; source < NETLINK_EVENTS_MAX; source++)
		fds[FD_NETLINK + source] = (struct pollfd){
			.fd = w->netlink[source] ? mnl_socket_get_fd(w->netlink[source]) : -1,
			.events = POLLIN,
		};
	metrics_server_poll(&w->metrics, &fds[FD_METRICS]);
	if (poll(fds, FD_MAX, time_left(w)) < 0)
		return;
	metrics_server_serve(&w->metrics, &fds[FD_METRICS]);
	if (fds[FD_FILES].revents && file_monitor_drain(&w->state.files)) {
		engine_cache_check_sockets(engines);
		schedule(w);
	}
	for (size_t i = 0; i < engines->count; i++) {
		if (!fds[FD_ENGINES + i].revents)
			continue;
		engine_cache_read_events(engines, i);
		schedule(w);
	}
	for (int source = 0; source < NETLINK_EVENTS_MAX; source++) {
		if (fds[FD_NETLINK + source].revents &&
		    netlink_monitor_drain(source, w->netlink[source]))
			schedule(w);
	}
	if (fds[FD_SIGNALS].revents)
		read_signals(w);
}

/* Return: 0, or -EIO if something is still attached */
static int detach_all(struct watch *w, struct error *err)
{
	if (watch_detach_all(&w->state)) {
		log_notice("stopped; its bridges are detached");
		return 0;
	}
	error_set(err, EIO, "stopped, but not all of its bridges could be detached");
	error_hint(err, "`hbpf status` shows what is left, `hbpf detach --all` tries again");
	return -EIO;
}

static int loop(struct watch *w, struct error *err)
{
	log_notice("watching; %zu section%s, labels %s", w->state.conf.count,
		   w->state.conf.count == 1 ? "" : "s", w->state.conf.labels ? "on" : "off");
	reconcile(w);
	notify("READY=1");
	while (!w->stop) {
		wait_for_events(w);
		if (!w->stop && monotonic_ms() >= w->next)
			reconcile(w);
	}
	notify("STOPPING=1");
	if (w->options->detach_on_exit)
		return detach_all(w, err);
	log_notice("stopped; attachments are kept");
	return 0;
}

int watch_run(const struct watch_options *options, struct watch_config *conf, struct error *err)
{
	struct watch w = {
		.options = options,
		.state = { .conf = *conf, .files = { .fd = -1 } },
		.signals = -1,
		.lock = -1,
	};
	int ret;

	*conf = (struct watch_config){};
	metrics_server_init(&w.metrics);
	ret = open_all(&w, err);
	if (!ret)
		ret = loop(&w, err);
	close_all(&w);
	return ret;
}
