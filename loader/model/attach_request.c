/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/attach_request.h"

#include <stdlib.h>
#include <string.h>

void attach_request_free(struct attach_request *request)
{
	free(request->ports.v);
	free(request->gateways.v);
	free(request->from.sources.v);
	memset(request, 0, sizeof(*request));
}
