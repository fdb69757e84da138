/* SPDX-License-Identifier: GPL-2.0-only */
/* The host itself: what this process may do, and what the kernel can. */
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "dataplane/hook.h"
#include "doctor/checks.h"
#include "lib/array.h"
#include "lib/str_list.h"

#define LO_IFINDEX 1

/* Return: the effective capabilities of this process; all if they cannot be read */
static unsigned long long capabilities(void)
{
	unsigned long long set = ~0ULL;
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];

	if (!file)
		return set;
	while (fgets(line, sizeof(line), file) && sscanf(line, "CapEff: %llx", &set) != 1)
		;
	fclose(file);
	return set;
}

static bool has_bit(unsigned long long set, int capability)
{
	return set & 1ULL << capability;
}

void check_privileges(struct doctor_report *report)
{
	unsigned long long set = capabilities();
	char missing[64] = "";

	if (!has_bit(set, CAP_NET_ADMIN))
		str_list_add(missing, sizeof(missing), "CAP_NET_ADMIN");
	if (!has_bit(set, CAP_BPF) && !has_bit(set, CAP_SYS_ADMIN))
		str_list_add(missing, sizeof(missing), "CAP_BPF");
	if (missing[0])
		finding_add(&report->findings, FINDING_CAPABILITIES,
			    "this process lacks %s, as in a container; run hbpf on the host itself",
			    missing);
	else if (!has_bit(set, CAP_SYS_PTRACE))
		doctor_note(report, STEP_PRIVILEGES,
			    "without CAP_SYS_PTRACE, so the processes of services stay unknown");
	else
		doctor_note(report, STEP_PRIVILEGES, "root");
}

void check_kernel(struct doctor_report *report)
{
	struct utsname name;

	if (!uname(&name))
		doctor_note(report, STEP_KERNEL, "Linux %s, %s", name.release,
			    hook_has_tcx(LO_IFINDEX) ? "with tcx" : "without tcx (Linux 6.6)");
}
