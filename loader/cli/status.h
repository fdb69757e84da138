/* SPDX-License-Identifier: GPL-2.0-only */
/* Everything known about one attached bridge, gathered for text and JSON alike. */
#ifndef HBPF_STATUS_H
#define HBPF_STATUS_H

#include "attach/reply_route.h"
#include "attach/attachment.h"
#include "cli/ports_view.h"
#include "cli/target.h"
#include "dataplane/host_settings.h"
#include "doctor/finding.h"
#include "lib/terminal.h"

/* Something that keeps clients from being served, or opens the host to them. */
struct status_problem {
	enum finding_id id; /* doctor finds the same */
	char text[1024];
	char command[192]; /* that repairs it; empty if none does or `text` has it */
};

#define STATUS_PROBLEMS_MAX 8

/* What all bridges have in common. */
struct status_host {
	const struct pins *pins;
	const struct host *host;
	struct shared *shared;
	struct listening listening;
	int nat; /* as of nat_detect_prerouting() */
	char nat_why[128];
	const struct setting_state *settings; /* of a bridge read before: lo's are the same */
};

struct status {
	const char *bridge;  /* name of its state directory */
	char name[IFNAMSIZ]; /* present name of the interface */
	bool exists;         /* the interface exists */
	bool live;           /* our programs are attached to it, on both sides */
	bool has_tcx;        /* the kernel has it (6.6); also true without a bridge to test it on */
	bool exposed;        /* route_localnet is on without the guard: all of loopback is open */
	struct hook_state hooks[HOOK_SIDES];
	bool backstop; /* the backstop is attached */
	bool readable; /* the state could be read; else `problem` has the reason */
	struct error problem;
	struct dataplane dp; /* only its config */
	struct gateways gateways;
	struct ports_view ports;
	struct setting_state settings[SETTING_MAX];
	const struct status_host *on;
	struct hbpf_counter counters[HBPF_REASON_MAX];
	struct reply_problems replies;
	bool unreachable; /* no client can be served by any port, even if a service listens */
	struct status_problem problems[STATUS_PROBLEMS_MAX]; /* the broken ones first */
	size_t problem_count;
};

/**
 * status_host_read() - look at what is the same for all bridges
 * @on:		Filled; free with status_host_free()
 * @at:		Must outlive @on. Its shared maps are read once from now on (shared.reads_once)
 */
void status_host_read(struct status_host *on, struct attached *at);
void status_host_free(struct status_host *on);

/**
 * status_read() - gather the state of one bridge; status->problem has what could not be read
 * @status:	Filled; free with status_free()
 * @on:		From status_host_read(); must outlive @status
 * @bridge:	Name of its state directory; must outlive @status
 *
 * The caller holds the lock and calls listeners_name() after releasing it.
 */
void status_read(struct status *status, struct status_host *on, const char *bridge);
void status_free(struct status *status);

/** status_find_services() - add the problems of services; call it after listeners_name() */
void status_find_services(struct status *status);

/**
 * status_problem_level() - LEVEL_BROKEN, with which `hbpf status` exits 1, or LEVEL_WARNING
 *
 * As doctor has it, but services are not hbpf's own: without one a bridge is not broken.
 */
enum level status_problem_level(const struct status_problem *problem);

/** status_level() - LEVEL_OK, LEVEL_WARNING, or LEVEL_BROKEN, with which `hbpf status` exits 1 */
enum level status_level(const struct status *status);

/** status_json() - add the members of one bridge to an object */
void status_json(struct json_object *to, const struct status *status);

struct owner_text {
	const char *name; /* in JSON */
	const char *text; /* NULL if there is nothing to say */
};

/** status_owner() - who manages a bridge, by its enum hbpf_owner */
const struct owner_text *status_owner(__u8 owner);

/** status_nat_bypass() - "on", "off" or "unavailable" */
const char *status_nat_bypass(const struct hbpf_config *config);
/** status_nat_bypass_why() - the reason for status_nat_bypass() */
const char *status_nat_bypass_why(const struct status *status);

/* A feature that hbpf would use and this kernel lacks. */
struct kernel_gap {
	const char *name;       /* in JSON */
	const char *deprecated; /* its name in 0.1, listed beside it until 0.3, or NULL */
	const char *text;
};

/** status_missing() - iterate over the gaps: @i counts from 0; NULL after the last */
const struct kernel_gap *status_missing(const struct status *status, size_t i);

/* Why an address is a gateway. */
struct gateway_reason {
	__u32 bit;        /* HBPF_GATEWAY_* */
	const char *name; /* in JSON */
	const char *text;
};

/** status_gateway_why() - iterate over the reasons in @why: @i counts from 0; NULL at the end */
const struct gateway_reason *status_gateway_why(__u32 why, size_t i);

#endif /* HBPF_STATUS_H */
