/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/json.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/printable.h"

/*
 * json-c escapes C0 only. Other control characters (printable.h) occur within strings only, where
 * an escape means the same; all are below U+10000.
 */
static void print_escaped(const char *text)
{
	const char *plain = text; /* start of what is printed as it is */

	while (*text) {
		size_t length = (*text >= ' ' && *text <= '~') || *text == '\n'
					? 1
					: printable_length(text);

		if (length) {
			text += length;
			continue;
		}
		fwrite(plain, 1, (size_t)(text - plain), stdout);
		length = utf8_length(text);
		printf("\\u%04x", utf8_code(text, length));
		text += length;
		plain = text;
	}
	puts(plain);
}

void json_print(struct json_object *doc)
{
	print_escaped(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY |
								  JSON_C_TO_STRING_SPACED |
								  JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
}

void json_print_line(struct json_object *doc)
{
	print_escaped(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
	fflush(stdout);
}

struct json_object *json_parse(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *doc = NULL;

	if (!tokener)
		return NULL;
	if (len <= INT_MAX)
		doc = json_tokener_parse_ex(tokener, text, (int)len);
	json_tokener_free(tokener);
	return doc;
}

static void add(struct json_object *to, const char *name, struct json_object *value)
{
	json_object_object_add_ex(to, name, value,
				  JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY);
}

static struct json_object *make_string(const char *text)
{
	char *clean = strdup(text);
	struct json_object *string;
	size_t at = 0, length;

	while (clean && clean[at]) {
		length = utf8_length(clean + at);
		if (!length)
			clean[at++] = '?';
		at += length;
	}
	string = json_object_new_string(clean ? clean : "");
	free(clean);
	return string;
}

void json_add_string(struct json_object *to, const char *name, const char *text)
{
	add(to, name, make_string(text));
}

void json_add_bool(struct json_object *to, const char *name, bool value)
{
	add(to, name, json_object_new_boolean(value));
}

void json_add_int(struct json_object *to, const char *name, int value)
{
	add(to, name, json_object_new_int(value));
}

void json_add_u64(struct json_object *to, const char *name, __u64 value)
{
	add(to, name, json_object_new_uint64(value));
}

void json_add_decimal(struct json_object *to, const char *name, double value)
{
	struct json_object *number = json_object_new_double(value);

	json_object_set_serializer(number, json_object_double_to_json_string, "%.3f", NULL);
	add(to, name, number);
}

struct json_object *json_add_object(struct json_object *to, const char *name)
{
	struct json_object *object = json_object_new_object();

	add(to, name, object);
	return object;
}

struct json_object *json_add_array(struct json_object *to, const char *name)
{
	struct json_object *array = json_object_new_array();

	add(to, name, array);
	return array;
}

void json_append_string(struct json_object *to, const char *text)
{
	json_object_array_add(to, make_string(text));
}

struct json_object *json_append_object(struct json_object *to)
{
	struct json_object *object = json_object_new_object();

	json_object_array_add(to, object);
	return object;
}

struct json_object *json_member_string(struct json_object *object, const char *name)
{
	struct json_object *member;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, name, &member) ||
	    !json_object_is_type(member, json_type_string))
		return NULL;
	return member;
}

const char *json_member_text(struct json_object *object, const char *name)
{
	struct json_object *member = json_member_string(object, name);
	const char *text = member ? json_object_get_string(member) : NULL;

	return text && strlen(text) == (size_t)json_object_get_string_len(member) ? text : NULL;
}
