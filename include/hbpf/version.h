/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HBPF_VERSION_H
#define HBPF_VERSION_H

#define HBPF_VERSION "0.2.0"

#endif /* HBPF_VERSION_H */
