/* SPDX-License-Identifier: GPL-2.0-only */
/* Everything known about one attached bridge, gathered for text and JSON alike. */
#ifndef HBPF_STATUS_H
#define HBPF_STATUS_H

#include "attach/answer_route.h"
#include "attach/attachment.h"
#include "cli/ports_view.h"
#include "dataplane/host_settings.h"

/* Something that keeps clients from being served, or opens the host to them. */
struct status_problem {
	const char *name; /* in JSON */
	bool fails;       /* status exits 1 */
	char text[384];
	char command[192]; /* that repairs it; empty where none does, or `text` says it */
};

#define STATUS_PROBLEMS_MOST 8

struct status {
	const char *bridge;  /* what its state is kept under */
	char name[IFNAMSIZ]; /* what it is called at present */
	bool exists;         /* the interface is there */
	bool alive;          /* our programs are attached to it, on both sides */
	bool has_tcx; /* of a kernel before 6.6 false; true where there is no bridge to ask about */
	bool exposed; /* route_localnet is on, but the guard is gone: all of loopback is open */
	struct hook_state hooks[HOOK_SIDES];
	bool backstop; /* the guard behind the guard is there */
	bool readable; /* the state is of this layout and whole; else only `problem` says more */
	struct error problem;
	struct dataplane dp; /* only its config */
	struct gateways gateways;
	struct ports_view ports;
	struct setting_state settings[SETTING_MAX];
	int nat; /* as of nat_detect_prerouting() */
	char nat_why[128];
	struct hbpf_counter counters[HBPF_REASON_MAX];
	struct answers answers;
	bool unreachable; /* no client can be served by any port, whatever listens there */
	struct status_problem problems[STATUS_PROBLEMS_MOST]; /* the worst first */
	size_t problem_count;
};

/**
 * status_read() - gather it; @problem tells what could not be. Free with status_free()
 *
 * Afterwards the maps of @dp are closed, and nothing of it needs the lock. listeners_name() is
 * still to be called.
 */
void status_read(struct status *status, const struct pins *pins, const struct host *host,
		 const char *bridge);
void status_free(struct status *status);

/** status_is_good() - is the state readable, and nothing wrong that hbpf status exits 1 for? */
bool status_is_good(const struct status *status);

/** status_guard_why() - what the guard does, and why not all of it where it is off */
const char *status_guard_why(const struct hbpf_config *config);

/** status_nat_bypass() - "on", "off" or "unavailable" */
const char *status_nat_bypass(const struct hbpf_config *config);
/** status_nat_bypass_why() - why it is so */
const char *status_nat_bypass_why(const struct status *status);

/* What hbpf could use and this kernel does not have. */
struct kernel_gap {
	const char *name; /* in JSON */
	const char *text;
};

/** status_missing() - the gaps, one by one; @i counts from 0, NULL ends */
const struct kernel_gap *status_missing(const struct status *status, size_t i);

/* Why an address is a gateway. */
struct gateway_reason {
	__u32 bit;        /* HBPF_GATEWAY_* */
	const char *name; /* in JSON */
	const char *text;
};

/** status_gateway_why() - the reasons in a gateway's set, one by one; @i counts from 0, NULL ends
 */
const struct gateway_reason *status_gateway_why(__u32 why, size_t i);

struct reason_text {
	const char *name; /* "IN_GUARD_SRC" */
	const char *verdict;
	const char *text;
};

/** status_reason() - what the reasons of <hbpf/reasons.h> are called */
const struct reason_text *status_reason(enum hbpf_reason reason);

#endif /* HBPF_STATUS_H */
