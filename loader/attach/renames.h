/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Following bridges that were renamed. The directory of a bridge's state has the bridge's name; the
 * state itself has its index, which does not change.
 */
#ifndef HBPF_RENAMES_H
#define HBPF_RENAMES_H

#include "dataplane/pins.h"

/**
 * renames_follow() - rename the state of every live bridge to the bridge's current name
 * @pins:	Opened with PINS_WRITE
 *
 * State that a deleted bridge left under that name is removed. If this is killed the next call
 * completes it. Return: 0 or -errno
 */
int renames_follow(const struct pins *pins, struct error *err);

#endif /* HBPF_RENAMES_H */
