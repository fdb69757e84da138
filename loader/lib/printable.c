/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/printable.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>

#include "lib/array.h"

/* Invalid are truncated and overlong forms, surrogates, and code points above U+10FFFF. */
size_t utf8_length(const char *text)
{
	static const struct {
		unsigned char first, last;       /* of the first byte */
		unsigned char second, to_second; /* of the second byte */
		size_t length;
	} forms[] = {
		{ 0x01, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	const unsigned char *byte = (const unsigned char *)text;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t length = forms[i].length;

		if (byte[0] < forms[i].first || byte[0] > forms[i].last)
			continue;
		if (length > 1 && (byte[1] < forms[i].second || byte[1] > forms[i].to_second))
			return 0;
		for (size_t n = 2; n < length; n++) {
			if (byte[n] < 0x80 || byte[n] > 0xbf)
				return 0;
		}
		return length;
	}
	return 0;
}

unsigned int utf8_code(const char *text, size_t length)
{
	static const unsigned char first[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	unsigned int code = (unsigned char)text[0] & first[length];

	for (size_t i = 1; i < length; i++)
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	return code;
}

/* Return: the columns of the first character, whose length is @length */
static size_t char_columns(const char *text, size_t length)
{
	static bool ready;
	int columns;

	if (length == 1)
		return 1;
	/* wcwidth() depends on the locale. hbpf's output is UTF-8 in any. */
	if (!ready)
		setlocale(LC_CTYPE, "C.UTF-8");
	ready = true;
	columns = wcwidth((wchar_t)utf8_code(text, length));
	return columns < 0 ? 1 : (size_t)columns;
}

size_t utf8_fit(const char *text, size_t columns)
{
	const char *at = text;

	while (*at) {
		size_t length = utf8_length(at), wide;

		if (!length) /* not UTF-8 after all */
			length = 1;
		wide = char_columns(at, length);
		if (wide > columns)
			break;
		columns -= wide;
		at += length;
	}
	return (size_t)(at - text);
}

size_t utf8_columns(const char *text)
{
	size_t columns = 0, length;

	for (; *text; text += length) {
		length = utf8_length(text);
		if (!length)
			length = 1;
		columns += char_columns(text, length);
	}
	return columns;
}

static bool is_hidden(unsigned int code)
{
	static const struct {
		unsigned int first, last;
	} ranges[] = {
		{ 0x00, 0x1f },     { 0x7f, 0x9f },     { 0x61c, 0x61c },
		{ 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	}
	return false;
}

size_t printable_length(const char *text)
{
	size_t length = utf8_length(text);

	return length && !is_hidden(utf8_code(text, length)) ? length : 0;
}

bool is_printable(const char *text)
{
	size_t length;

	for (; *text; text += length) {
		length = printable_length(text);
		if (!length)
			return false;
	}
	return true;
}

static char *replace(char *text, bool lines)
{
	char *to = text;

	for (const char *from = text; *from;) {
		size_t length = utf8_length(from);
		bool stays = (lines && *from == '\n') || printable_length(from);

		if (!length)
			length = 1;
		if (stays) {
			memmove(to, from, length);
			to += length;
		} else {
			*to++ = '?';
		}
		from += length;
	}
	*to = '\0';
	return text;
}

char *printable(char *text)
{
	return replace(text, false);
}

char *printable_lines(char *text)
{
	return replace(text, true);
}
