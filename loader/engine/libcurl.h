/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libcurl, loaded only to query a container engine: linked, it would add some 26 ms to the start of
 * every command (docs/PERFORMANCE.md).
 */
#ifndef HBPF_LIBCURL_H
#define HBPF_LIBCURL_H

#include <curl/curl.h>

#include "lib/error.h"

/* Its functions, with the types of its header. */
struct curl_api {
	typeof(curl_global_init) *global_init;
	typeof(curl_easy_init) *easy_init;
	typeof(curl_easy_setopt) *easy_setopt;
	typeof(curl_easy_getinfo) *easy_getinfo;
	typeof(curl_easy_perform) *easy_perform;
	typeof(curl_easy_cleanup) *easy_cleanup;
	typeof(curl_easy_strerror) *easy_strerror;
	typeof(curl_multi_init) *multi_init;
	typeof(curl_multi_add_handle) *multi_add_handle;
	typeof(curl_multi_remove_handle) *multi_remove_handle;
	typeof(curl_multi_perform) *multi_perform;
	typeof(curl_multi_poll) *multi_poll;
	typeof(curl_multi_info_read) *multi_info_read;
	typeof(curl_multi_cleanup) *multi_cleanup;
};

/**
 * curl_load() - load the library on the first call, permanently
 * @err:	Names the package to install
 *
 * Not thread-safe. Return: its functions, or NULL
 */
const struct curl_api *curl_load(struct error *err);

#endif /* HBPF_LIBCURL_H */
