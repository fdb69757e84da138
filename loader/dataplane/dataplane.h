/* SPDX-License-Identifier: GPL-2.0-only */
/* One bridge's programs and maps. open.h and load.h make it, the other headers read and write. */
#ifndef HBPF_DATAPLANE_H
#define HBPF_DATAPLANE_H

#include <hbpf/map_list.h>
#include <net/if.h>

enum dataplane_map {
#define X(id, name, type, key, value, entries, flags) MAP_##id,
	HBPF_MAPS(X)
#undef X
		MAP_COUNT,
};

struct bpf_object;

struct dataplane {
	char bridge[IFNAMSIZ];     /* the name given to dataplane_open() */
	int maps[MAP_COUNT];       /* fds, -1 if not open */
	struct hbpf_config config; /* as read; write it back with dataplane_write_config() */
	/* only after dataplane_load(): */
	struct bpf_object *object;
	int ingress_fd; /* program fds, owned by @object */
	int egress_fd;
	int backstop_fd;                  /* negative if the kernel has no tcx */
	char nat_bypass_unavailable[256]; /* why the build with NAT bypass did not load; or empty */
};

#endif /* HBPF_DATAPLANE_H */
