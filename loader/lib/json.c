/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/json.h"

#include "lib/output.h"

void json_add_string(struct json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, output_string(text));
}

void json_add_bool(struct json_object *to, const char *name, bool value)
{
	json_object_object_add(to, name, json_object_new_boolean(value));
}

void json_add_int(struct json_object *to, const char *name, int value)
{
	json_object_object_add(to, name, json_object_new_int(value));
}

void json_add_u64(struct json_object *to, const char *name, __u64 value)
{
	json_object_object_add(to, name, json_object_new_uint64(value));
}

struct json_object *json_add_object(struct json_object *to, const char *name)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(to, name, object);
	return object;
}

struct json_object *json_add_array(struct json_object *to, const char *name)
{
	struct json_object *array = json_object_new_array();

	json_object_object_add(to, name, array);
	return array;
}

void json_append_string(struct json_object *to, const char *text)
{
	json_object_array_add(to, output_string(text));
}

struct json_object *json_append_object(struct json_object *to)
{
	struct json_object *object = json_object_new_object();

	json_object_array_add(to, object);
	return object;
}
