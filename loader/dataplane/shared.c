/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/shared.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/hook.h"
#include "dataplane/map_schema.h"

void shared_init(struct shared *shared)
{
	*shared = (struct shared)SHARED_INIT;
}

static void close_fds(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

void shared_close(struct shared *shared)
{
	close_fds(shared->arrays, MAP_GROWING);
	close_fds(shared->maps, MAP_COUNT);
	close_fds(shared->programs, PROGRAM_COUNT);
	for (int map = 0; map < MAP_COUNT; map++)
		kv_array_free(&shared->copies[map].entries);
	shared_init(shared);
}

/* The map that is in use. Return: fd, -ENOENT if there is none, or other -errno */
static int map_in(int array)
{
	__u32 zero = 0, id;
	int ret = bpf_map_lookup_elem(array, &zero, &id);

	return ret ? ret : bpf_map_get_fd_by_id(id);
}

static int check(int fd, const struct map_schema *schema, const char *path, struct error *err)
{
	int ret = map_schema_check(fd, schema, path, err);

	if (ret == -EPROTO)
		error_hint(err, "run `hbpf detach --all`, then attach again");
	return ret;
}

static int open_growing(struct shared *shared, enum dataplane_map map, const char *path,
			struct error *err)
{
	int ret = check(shared->arrays[map], map_schema_array(), path, err);

	if (ret)
		return ret;
	ret = map_in(shared->arrays[map]);
	if (ret < 0)
		return ret == -ENOENT ? 0
				      : error_errno(err, ret, "cannot open the map in %s", path);
	shared->maps[map] = ret;
	return check(ret, map_schema(map), path, err);
}

/* @path: of the map, for @err */
static int take_map(struct shared *shared, enum dataplane_map map, int fd, const char *path,
		    struct error *err)
{
	const struct map_schema *schema = map_schema(map);

	if (schema->grows) {
		shared->arrays[map] = fd;
		return open_growing(shared, map, path, err);
	}
	shared->maps[map] = fd;
	return check(fd, schema, path, err);
}

static int open_map(struct shared *shared, enum dataplane_map map, const struct pins *pins,
		    struct error *err)
{
	const struct map_schema *schema = map_schema(map);
	char path[PATH_MAX];
	int ret = pins_get(pins, PINS_SHARED, schema->name, path, err);

	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	return take_map(shared, map, ret, path, err);
}

int shared_put_map(struct shared *shared, enum dataplane_map map, int fd)
{
	__u32 zero = 0;
	int ret = bpf_map_update_elem(shared->arrays[map], &zero, &fd, BPF_ANY);

	if (ret)
		return ret;
	if (shared->maps[map] >= 0)
		close(shared->maps[map]);
	shared->maps[map] = fd;
	return 0;
}

int shared_create_map(enum dataplane_map map, __u32 entries)
{
	const struct map_schema *schema = map_schema(map);
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = schema->flags);

	return bpf_map_create(schema->type, schema->name, schema->key_size, schema->value_size,
			      entries, &opts);
}

int shared_fill_arrays(struct shared *shared)
{
	int fd, ret = 0;

	for (int map = 0; !ret && map < MAP_GROWING; map++) {
		if (shared->maps[map] >= 0)
			continue;
		fd = shared_create_map(map, map_schema(map)->max_entries);
		ret = fd < 0 ? fd : shared_put_map(shared, map, fd);
		if (ret && fd >= 0)
			close(fd);
	}
	return ret;
}

static const char *const program_names[PROGRAM_COUNT] = {
	[PROGRAM_INGRESS] = "ingress",
	[PROGRAM_EGRESS] = "egress",
	[PROGRAM_BACKSTOP] = "backstop",
};

/* Anything may be pinned under the name. */
static bool is_program(int fd)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &size) && info.type == BPF_PROG_TYPE_SCHED_CLS &&
	       !strncmp(info.name, "hbpf_", strlen("hbpf_"));
}

static int open_program(const struct pins *pins, enum dataplane_program program)
{
	char path[PATH_MAX];
	int fd = pins_get(pins, PINS_SHARED, program_names[program], path, NULL);

	if (fd < 0 || is_program(fd))
		return fd;
	close(fd);
	return -1;
}

static bool is_map_named(int fd, const void *name)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &size) && !strcmp(info.name, name);
}

/* A map whose pin was removed lives on with the programs; shared_pin_maps() pins it again. */
static int recover_maps(struct shared *shared, const struct pins *pins, struct error *err)
{
	int program = -1, fd, ret = 0;

	for (int map = 0; !ret && map < MAP_COUNT; map++) {
		const char *name = map_schema(map)->name;

		if (shared->maps[map] >= 0 || (map < MAP_GROWING && shared->arrays[map] >= 0))
			continue;
		if (program < 0)
			program = open_program(pins, PROGRAM_INGRESS);
		fd = program < 0 ? -1 : hook_program_map(program, is_map_named, name);
		if (fd >= 0)
			ret = take_map(shared, map, fd, name, err);
	}
	if (program >= 0)
		close(program);
	return ret;
}

int shared_open(struct shared *shared, const struct pins *pins, struct error *err)
{
	int ret;

	if (shared->opened)
		return 0;
	ret = pins_check(pins, PINS_SHARED, err);
	for (int map = 0; !ret && map < MAP_COUNT; map++)
		ret = open_map(shared, map, pins, err);
	if (!ret)
		ret = recover_maps(shared, pins, err);
	if (ret && ret != -ENOENT) {
		shared_close(shared);
		return ret;
	}
	shared->opened = true;
	return 0;
}

#define BUILD_MARK "build" /* which build the pinned programs are, written last */

int shared_pin_maps(const struct shared *shared, const struct pins *pins, struct error *err)
{
	char path[PATH_MAX];
	int ret = pins_mkdir(pins, PINS_SHARED, err);

	for (int map = 0; !ret && map < MAP_COUNT; map++) {
		const char *name = map_schema(map)->name;

		ret = pins_path(pins, PINS_SHARED, name, path, err);
		if (!ret && access(path, F_OK))
			ret = pins_pin(pins, PINS_SHARED, name,
				       map < MAP_GROWING ? shared->arrays[map] : shared->maps[map],
				       err);
	}
	return ret;
}

int shared_pin_programs(const struct shared *shared, const struct pins *pins, const char *build,
			struct error *err)
{
	int ret = pins_unlink(pins, PINS_SHARED, BUILD_MARK, err);

	for (int program = 0; !ret && program < PROGRAM_COUNT; program++) {
		ret = pins_unlink(pins, PINS_SHARED, program_names[program], err);
		if (!ret && shared->programs[program] >= 0)
			ret = pins_pin(pins, PINS_SHARED, program_names[program],
				       shared->programs[program], err);
	}
	return ret ? ret : pins_write_text(pins, PINS_SHARED, BUILD_MARK, build, err);
}

int shared_open_programs(struct shared *shared, const struct pins *pins, const char *build)
{
	int count = 0;

	if (!pins_has_text(pins, PINS_SHARED, BUILD_MARK, build))
		return 0;
	for (int program = 0; program < PROGRAM_COUNT; program++) {
		shared->programs[program] = open_program(pins, program);
		count += shared->programs[program] >= 0;
	}
	return count;
}
