/* SPDX-License-Identifier: GPL-2.0-only */
#include "engine/libcurl.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/array.h"

#ifdef HBPF_STATIC

/* dlopen() of a static program needs the very glibc that it was built with. */
const struct curl_api *curl_load(struct error *err)
{
	error_set(err, ELIBACC,
		  "this hbpf is linked statically and cannot load libcurl, needed to query "
		  "container engines");
	error_hint(err, "the bridge's own name works: `ip link show type bridge` lists them");
	return NULL;
}

#else

/* Built with OpenSSL or with GnuTLS; a Unix socket needs neither. */
static const char *const files[] = { "libcurl.so.4", "libcurl-gnutls.so.4" };

#define FUNCTION(name)                                                                             \
	{                                                                                          \
		"curl_" #name, offsetof(struct curl_api, name)                                     \
	}

static const struct {
	const char *name;
	size_t offset;
} functions[] = {
	FUNCTION(global_init),   FUNCTION(easy_init),           FUNCTION(easy_setopt),
	FUNCTION(easy_getinfo),  FUNCTION(easy_perform),        FUNCTION(easy_cleanup),
	FUNCTION(easy_strerror), FUNCTION(multi_init),          FUNCTION(multi_add_handle),
	FUNCTION(multi_perform), FUNCTION(multi_remove_handle), FUNCTION(multi_poll),
	FUNCTION(multi_cleanup), FUNCTION(multi_info_read),
};
static_assert(ARRAY_SIZE(functions) * sizeof(void *) == sizeof(struct curl_api),
	      "every function is loaded");

static int unusable(const char *why, struct error *err)
{
	error_set(err, ELIBACC, "cannot load libcurl, needed to query container engines: %s", why);
	error_hint(
		err,
		"`apt-get install libcurl4` installs it; the bridge's own name works without it");
	return -ELIBACC;
}

static int find_functions(void *library, struct curl_api *api, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		void *function = dlsym(library, functions[i].name);

		if (!function)
			return unusable(dlerror(), err);
		memcpy((char *)api + functions[i].offset, &function, sizeof(function));
	}
	if (api->global_init(CURL_GLOBAL_DEFAULT))
		return unusable("curl_global_init() failed", err);
	return 0;
}

const struct curl_api *curl_load(struct error *err)
{
	static struct curl_api loaded;
	struct curl_api api = {};
	void *library = NULL;

	if (loaded.global_init)
		return &loaded;
	for (size_t i = 0; !library && i < ARRAY_SIZE(files); i++) {
		library = dlopen(files[i], RTLD_NOW | RTLD_LOCAL);
		if (!library && !i)
			unusable(dlerror(), err); /* recommend the first */
	}
	if (!library || find_functions(library, &api, err)) {
		if (library)
			dlclose(library);
		return NULL;
	}
	loaded = api;
	return &loaded;
}

#endif /* HBPF_STATIC */
