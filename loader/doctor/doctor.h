/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checks of `hbpf doctor`. Each reads facts of the host or of one bridge, and appends findings;
 * what it found in order is a note. checks.h lists them.
 */
#ifndef HBPF_DOCTOR_H
#define HBPF_DOCTOR_H

#include "attach/listeners.h"
#include "dataplane/hook.h"
#include "dataplane/host_settings.h"
#include "doctor/finding.h"
#include "engine/networks.h"
#include "kernel/host.h"
#include "model/gateways.h"
#include "model/request.h"
#include "model/sources.h"

/* The facts about one bridge. */
struct doctor_bridge {
	const char *name; /* present name of the interface */
	const struct host *host;
	const struct link *link;       /* NULL: there is no such interface */
	const struct network *network; /* an engine's, or NULL */
	struct ruleset *ruleset;       /* the host's, for all bridges; read when first needed */
	bool attached; /* its state could be read; else only the members above are set */
	bool live;     /* the programs are attached */
	bool probes;   /* connect through the bridge */
	const struct dataplane *dp;
	struct hbpf_config config;
	const struct hook_state *hooks; /* HOOK_SIDES of them */
	const struct gateways *gateways;
	const struct setting_state *settings; /* SETTING_MAX of them */
	const struct port_specs *chosen;      /* of --port; empty: all ports */
	const struct exports *all;            /* all exports */
	struct exports exports;               /* those of them that are looked at */
	struct listeners listeners;           /* of `exports`, with their processes */
	struct sources onlink;                /* networks on its link, as the maps have them */
	struct sources own;                   /* those of --from of attach */
	struct sources clients;               /* networks that may use at least one of `exports` */
};

/* The result of all steps. All zero is an empty one. */
struct doctor_report {
	struct findings findings;
	char notes[STEP_MAX][256]; /* of a step without findings: what was found; or empty */
};

/** doctor_note() - set the note of a step */
void doctor_note(struct doctor_report *report, enum doctor_step step, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** doctor_host() - the steps about the host */
void doctor_host(struct doctor_report *report);

/**
 * doctor_bridge() - the steps about one bridge
 * @report:	May have findings already, as those of `hbpf status`
 */
void doctor_bridge(const struct doctor_bridge *bridge, struct doctor_report *report);

/** doctor_level() - the worst level among the findings of a step, or of all steps for STEP_MAX */
enum level doctor_level(const struct doctor_report *report, enum doctor_step step);

/** doctor_choose() - copy the exports that SPECs of --port name. Return: 0 or -ENOMEM */
int doctor_choose(const struct exports *all, const struct port_specs *chosen,
		  struct exports *exports);

#endif /* HBPF_DOCTOR_H */
