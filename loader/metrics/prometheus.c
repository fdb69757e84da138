/* SPDX-License-Identifier: GPL-2.0-only */
#include "metrics/prometheus.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <hbpf/version.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/array.h"
#include "lib/printable.h"
#include "model/reasons.h"

/* Longest: each byte of the name as \\xNN. */
#define LABEL_STRLEN (5 * IFNAMSIZ)

/*
 * The name of an interface may be any bytes but blanks and '/'. What is not printable becomes \xNN,
 * not '?': two bridges must not get the same labels.
 */
static const char *label(const char *name, char buf[LABEL_STRLEN])
{
	size_t length, len = 0;

	for (; *name; name += length) {
		length = printable_length(name);
		if (!length) {
			len += (size_t)sprintf(buf + len, "\\\\x%02x", (unsigned char)*name);
			length = 1;
			continue;
		}
		if (*name == '\\' || *name == '"')
			buf[len++] = '\\';
		memcpy(buf + len, name, length);
		len += length;
	}
	buf[len] = '\0';
	return buf;
}

static void write_head(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* The state of a deleted bridge remains until detach, and a renamed bridge may have its name now.
 */
static bool is_hidden(const struct traffic *traffic, const struct bridge_traffic *bridge)
{
	for (size_t i = 0; i < traffic->count; i++) {
		const struct bridge_traffic *other = &traffic->v[i];

		if (other != bridge && !strcmp(other->name, bridge->name) &&
		    (other->live > bridge->live || (other->live == bridge->live && other < bridge)))
			return true;
	}
	return false;
}

static bool is_written(const struct traffic *traffic, const struct bridge_traffic *bridge)
{
	return !bridge->problem.what[0] && !is_hidden(traffic, bridge);
}

static void write_bridges(FILE *to, const struct traffic *traffic)
{
	char name[LABEL_STRLEN];

	write_head(to, "hbpf_bridge_live", "gauge",
		   "Whether hbpf's programs are attached to the bridge and its state can be read.");
	for (size_t i = 0; i < traffic->count; i++) {
		const struct bridge_traffic *bridge = &traffic->v[i];

		if (!is_hidden(traffic, bridge))
			fprintf(to, "hbpf_bridge_live{bridge=\"%s\"} %d\n",
				label(bridge->name, name),
				bridge->live && !bridge->problem.what[0]);
	}
}

/* A metric of counters: what is counted, and its place in the structs. */
struct metric {
	const char *name;
	const char *help;
	size_t offset;     /* of the value; of packets to the service */
	size_t out_offset; /* of packets to the client */
	/* writes the samples of one bridge, whose label is @name */
	void (*write)(FILE *to, const struct metric *metric, const char *name,
		      const struct bridge_traffic *bridge);
};

static __u64 value_at(const void *counters, size_t offset)
{
	return *(const __u64 *)((const char *)counters + offset);
}

static void write_reasons(FILE *to, const struct metric *metric, const char *name,
			  const struct bridge_traffic *bridge)
{
	for (int reason = 0; reason < HBPF_REASON_MAX; reason++)
		fprintf(to, "%s{bridge=\"%s\",reason=\"%s\",verdict=\"%s\"} %llu\n", metric->name,
			name, reason_text(reason)->name, reason_text(reason)->verdict,
			value_at(&bridge->counters[reason], metric->offset));
}

static void write_port(FILE *to, const struct metric *metric, const char *name,
		       const struct hbpf_export_key *key, const struct hbpf_port_stats *stats)
{
	for (int out = 0; out < 2; out++)
		fprintf(to, "%s{bridge=\"%s\",port=\"%u\",protocol=\"%s\",direction=\"%s\"} %llu\n",
			metric->name, name, ntohs(key->port), proto_name(key->proto),
			out ? "out" : "in",
			value_at(stats, out ? metric->out_offset : metric->offset));
}

static void write_ports(FILE *to, const struct metric *metric, const char *name,
			const struct bridge_traffic *bridge)
{
	for (size_t port = 0; port < bridge->exports.count; port++)
		write_port(to, metric, name, &bridge->exports.v[port].key, &bridge->ports[port]);
}

static const struct metric metrics[] = {
	{ .name = "hbpf_packets_total",
	  .help = "Packets on the bridge, by the reason for what hbpf did with them.",
	  .offset = offsetof(struct hbpf_counter, packets),
	  .write = write_reasons },
	{ .name = "hbpf_bytes_total",
	  .help = "Bytes of the packets on the bridge, as whole frames, by reason.",
	  .offset = offsetof(struct hbpf_counter, bytes),
	  .write = write_reasons },
	{ .name = "hbpf_port_packets_total",
	  .help = "Translated packets of an exported port, in to the service and out to the client.",
	  .offset = offsetof(struct hbpf_port_stats, in_packets),
	  .out_offset = offsetof(struct hbpf_port_stats, out_packets),
	  .write = write_ports },
	{ .name = "hbpf_port_bytes_total",
	  .help = "Bytes of the translated packets of an exported port, as whole frames.",
	  .offset = offsetof(struct hbpf_port_stats, in_bytes),
	  .out_offset = offsetof(struct hbpf_port_stats, out_bytes),
	  .write = write_ports },
};

static void write_metric(FILE *to, const struct traffic *traffic, const struct metric *metric)
{
	char name[LABEL_STRLEN];

	write_head(to, metric->name, "counter", metric->help);
	for (size_t i = 0; i < traffic->count; i++) {
		if (is_written(traffic, &traffic->v[i]))
			metric->write(to, metric, label(traffic->v[i].name, name), &traffic->v[i]);
	}
}

void prometheus_write(FILE *to, const struct traffic *traffic)
{
	write_head(to, "hbpf_build_info", "gauge", "Always 1; the label has the version.");
	fprintf(to, "hbpf_build_info{version=\"%s\"} 1\n", HBPF_VERSION);
	write_bridges(to, traffic);
	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++)
		write_metric(to, traffic, &metrics[i]);
}

/* As root, a rename onto a device or a link would replace it: /dev/stdout. */
static int check_target(const char *path, struct error *err)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : error_errno(err, errno, "cannot write %s", path);
	if (S_ISREG(st.st_mode))
		return 0;
	error_set(err, EINVAL, "cannot write %s: it is not a regular file", path);
	error_hint(err, "the file is replaced, not written to; without --output it goes to "
			"standard output");
	return -EINVAL;
}

/* Return: 0 or -errno */
static int write_all(int fd, const struct traffic *traffic)
{
	FILE *file = fdopen(fd, "w");
	int ret = 0;

	if (!file) {
		ret = -errno;
		close(fd);
		return ret;
	}
	prometheus_write(file, traffic);
	if (fflush(file) || ferror(file) || fchmod(fd, 0644))
		ret = -errno;
	if (fclose(file) && !ret)
		ret = -errno;
	return ret;
}

int prometheus_write_file(const char *path, const struct traffic *traffic, struct error *err)
{
	char *temporary;
	int ret = check_target(path, err);
	int fd;

	if (ret)
		return ret;
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return error_nomem(err);
	fd = mkostemp(temporary, O_CLOEXEC);
	ret = fd < 0 ? -errno : write_all(fd, traffic);
	if (!ret && rename(temporary, path))
		ret = -errno;
	if (ret && fd >= 0)
		unlink(temporary);
	free(temporary);
	if (!ret)
		return 0;
	error_errno(err, ret, "cannot write %s", path);
	if (ret == -ENOENT)
		error_hint(err, "create its directory first");
	return ret;
}
