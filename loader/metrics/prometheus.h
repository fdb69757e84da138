/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters in Prometheus' text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */
#ifndef HBPF_PROMETHEUS_H
#define HBPF_PROMETHEUS_H

#include <stdio.h>

#include "metrics/traffic.h"

#define PROMETHEUS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/**
 * prometheus_write() - write all metrics
 *
 * Every port and every reason is written, also those that counted nothing, as rates need a first
 * value. Of a bridge whose state cannot be read there is only hbpf_bridge_live, 0. The caller
 * checks @to for errors.
 */
void prometheus_write(FILE *to, const struct traffic *traffic);

/**
 * prometheus_write_file() - write all metrics to a file, in place of its old content at once
 * @path:	Its directory gets a temporary file, whose name does not end in .prom. The new file
 *		has mode 0644: node_exporter runs as another user
 * @err:	Names the file
 *
 * Return: 0 or -errno, and then the old content is untouched
 */
int prometheus_write_file(const char *path, const struct traffic *traffic, struct error *err);

#endif /* HBPF_PROMETHEUS_H */
