/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is wrong with a host or a bridge, as `hbpf doctor` reports it. Functions that look for
 * faults append to a list; attach and ports print the same texts as warnings (cli/warnings.c).
 */
#ifndef HBPF_FINDING_H
#define HBPF_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/terminal.h"

/* Steps of the way from a client to a service, in the order of the report. The first ones are about
 * the host, the others about one bridge. */
#define DOCTOR_STEPS(X)                                                                            \
	X(PRIVILEGES, "privileges")                                                                \
	X(KERNEL, "kernel")                                                                        \
	X(STATE, "state")                                                                          \
	X(HOOKS, "hooks")                                                                          \
	X(BRIDGE, "bridge")                                                                        \
	X(GATEWAYS, "gateways")                                                                    \
	X(CLIENTS, "clients")                                                                      \
	X(SETTINGS, "settings")                                                                    \
	X(GUARD, "guard")                                                                          \
	X(PORTS, "ports")                                                                          \
	X(SERVICES, "services")                                                                    \
	X(ROUTES, "routes")                                                                        \
	X(NETFILTER, "netfilter")                                                                  \
	X(PROBE, "probe")

enum doctor_step {
#define X(id, name) STEP_##id,
	DOCTOR_STEPS(X)
#undef X
		STEP_MAX,
	STEP_FIRST_OF_BRIDGE = STEP_STATE,
};

/*
 * Every finding: X(ID, level, step, "name"). BROKEN: clients are not served, or the host is open to
 * them. WARNING: clients are served, but something is at risk, or not needed. The names are in the
 * output, in hbpf-doctor(8) and in tests/e2e/doctor*.bats; tests/manuals compares them. Those that
 * `hbpf status` reports as well have the same name there.
 */
#define FINDINGS(X)                                                                                \
	X(CAPABILITIES, BROKEN, PRIVILEGES, "capabilities")                                        \
	X(NOT_ATTACHED, BROKEN, STATE, "not-attached")                                             \
	X(LOST, BROKEN, STATE, "lost")                                                             \
	X(UNREADABLE, BROKEN, STATE, "unreadable")                                                 \
	X(DELETED, WARNING, STATE, "deleted")                                                      \
	X(EXPOSED, BROKEN, HOOKS, "exposed")                                                       \
	X(DEAD, BROKEN, HOOKS, "dead")                                                             \
	X(BACKSTOP, WARNING, HOOKS, "backstop")                                                    \
	X(ORDER, WARNING, HOOKS, "order")                                                          \
	X(DOWN, BROKEN, BRIDGE, "down")                                                            \
	X(PORT_STATE, WARNING, BRIDGE, "port-state")                                               \
	X(VLAN, WARNING, BRIDGE, "vlan")                                                           \
	X(LAN, WARNING, BRIDGE, "lan")                                                             \
	X(GATEWAY, BROKEN, GATEWAYS, "gateway")                                                    \
	X(ADDRESSES, WARNING, GATEWAYS, "addresses")                                               \
	X(ADVERTISED, WARNING, GATEWAYS, "advertised")                                             \
	X(FOREIGN_GATEWAY, WARNING, GATEWAYS, "foreign-gateway")                                   \
	X(INTERNAL, WARNING, GATEWAYS, "internal")                                                 \
	X(NO_CLIENTS, BROKEN, CLIENTS, "clients")                                                  \
	X(FAMILY, WARNING, CLIENTS, "family")                                                      \
	X(UNCOVERED, WARNING, CLIENTS, "uncovered")                                                \
	X(SETTING, BROKEN, SETTINGS, "setting")                                                    \
	X(GUARD_OFF, WARNING, GUARD, "guard-off")                                                  \
	X(NO_PORTS, BROKEN, PORTS, "no-ports")                                                     \
	X(NOT_EXPORTED, BROKEN, PORTS, "not-exported")                                             \
	X(CONFLICT, WARNING, PORTS, "conflict")                                                    \
	X(LOCAL_RANGE, WARNING, PORTS, "local-range")                                              \
	X(NOT_LISTENING, BROKEN, SERVICES, "not-listening")                                        \
	X(PARTLY_LISTENING, WARNING, SERVICES, "partly-listening")                                 \
	X(OTHER_FAMILY, BROKEN, SERVICES, "other-family")                                          \
	X(OTHER_LOOPBACK, BROKEN, SERVICES, "other-loopback")                                      \
	X(OTHER_ADDRESS, BROKEN, SERVICES, "other-address")                                        \
	X(OTHER_PROTOCOL, BROKEN, SERVICES, "other-protocol")                                      \
	X(ON_LO, BROKEN, SERVICES, "on-lo")                                                        \
	X(NO_PROXY, BROKEN, SERVICES, "no-proxy")                                                  \
	X(ADDRESS_DENY, BROKEN, SERVICES, "address-deny")                                          \
	X(WILDCARD, WARNING, SERVICES, "wildcard")                                                 \
	X(ROUTE, BROKEN, ROUTES, "route")                                                          \
	X(UNKNOWN, WARNING, ROUTES, "unknown")                                                     \
	X(STRICT_CONNTRACK, WARNING, NETFILTER, "strict-conntrack")                                \
	X(NAT, WARNING, NETFILTER, "nat")                                                          \
	X(FILTER_INPUT, BROKEN, NETFILTER, "filter-input")                                         \
	X(FILTER_OUTPUT, BROKEN, NETFILTER, "filter-output")                                       \
	X(NOTRACK, BROKEN, NETFILTER, "notrack")                                                   \
	X(FILTER_BRIDGE, BROKEN, NETFILTER, "filter-bridge")                                       \
	X(BRIDGE_NAT, BROKEN, NETFILTER, "bridge-nat")                                             \
	X(BRIDGE_INVALID, WARNING, NETFILTER, "bridge-invalid")                                    \
	X(PROBE_UNSEEN, BROKEN, PROBE, "probe-unseen")                                             \
	X(PROBE_PASSED, BROKEN, PROBE, "probe-passed")                                             \
	X(PROBE_INPUT, BROKEN, PROBE, "probe-input")                                               \
	X(PROBE_OUTPUT, BROKEN, PROBE, "probe-output")                                             \
	X(PROBE_RETURN, BROKEN, PROBE, "probe-return")

enum finding_id {
#define X(id, level, step, name) FINDING_##id,
	FINDINGS(X)
#undef X
		FINDING_MAX,
};

struct finding {
	enum finding_id id;
	char text[512];    /* what is wrong, and the next step if there is no command */
	char command[256]; /* that fixes it; or empty */
};

/* All zero is an empty list. */
struct findings {
	struct finding *v;
	size_t count;
	bool failed; /* out of memory: findings are missing */
};

/** finding_add() - append a finding, without a command */
void finding_add(struct findings *findings, enum finding_id id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** finding_command() - set the command of the last finding: complete, to be pasted into a shell */
void finding_command(struct findings *findings, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** findings_free() - release the list; it is empty after, and may be used again */
void findings_free(struct findings *findings);

/** finding_name() - "not-listening" */
const char *finding_name(enum finding_id id);
enum level finding_level(enum finding_id id);
enum doctor_step finding_step(enum finding_id id);
/** step_name() - "services" */
const char *step_name(enum doctor_step step);
/** level_name() - "ok", "warning" or "broken" */
const char *level_name(enum level level);

#endif /* HBPF_FINDING_H */
