/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON documents. Names of interfaces and processes may be any bytes, and JSON is UTF-8, so in
 * strings each byte that is not UTF-8 is replaced by '?'.
 */
#ifndef HBPF_JSON_H
#define HBPF_JSON_H

#include <json-c/json.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/** json_parse() - parse a document. Return: it, or NULL if it is malformed or there is no memory */
struct json_object *json_parse(const char *text, size_t len);

/* Add a member to the object @to, which has none of that @name: a constant, it is not copied. */
void json_add_string(struct json_object *to, const char *name, const char *text);
void json_add_bool(struct json_object *to, const char *name, bool value);
void json_add_int(struct json_object *to, const char *name, int value);
void json_add_u64(struct json_object *to, const char *name, __u64 value);
void json_add_decimal(struct json_object *to, const char *name, double value); /* three places */

/* Add an empty object or array as the member @name of @to. Return: it, for adding to */
struct json_object *json_add_object(struct json_object *to, const char *name);
struct json_object *json_add_array(struct json_object *to, const char *name);

/* Append to the array @to. */
void json_append_string(struct json_object *to, const char *text);
/* Return: the empty object that was appended */
struct json_object *json_append_object(struct json_object *to);

/** json_member_string() - Return: a string member of what may be an object, or NULL */
struct json_object *json_member_string(struct json_object *object, const char *name);
/** json_member_text() - Return: its text, or NULL if it is missing, not a string, or contains a NUL
 */
const char *json_member_text(struct json_object *object, const char *name);

/**
 * json_print() - print a document to stdout and release it
 *
 * What is not printable (printable.h) is escaped, so that a terminal is safe and nothing is lost.
 */
void json_print(struct json_object *doc);

/** json_print_line() - as json_print(), in one line, and flush: for a reader that follows */
void json_print_line(struct json_object *doc);

#endif /* HBPF_JSON_H */
