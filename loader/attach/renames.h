/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bridges that were renamed. State is kept under a bridge's name, and is about an
 * index, which stays: where the two disagree the name is set right.
 */
#ifndef HBPF_RENAMES_H
#define HBPF_RENAMES_H

#include "dataplane/pins.h"

/**
 * renames_follow() - keep the state of every living bridge under its present name
 * @pins:	Opened with PINS_WRITE
 *
 * What is kept under that name of a bridge that is gone is removed; nothing else changes. A killed
 * renames_follow() is finished by the next. Return: 0 or -errno
 */
int renames_follow(const struct pins *pins, struct error *err);

#endif /* HBPF_RENAMES_H */
