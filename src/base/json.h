/* base/json.h - JSON written as it goes (RFC 8259), commas and escapes taken care of.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Text from the network may hold anything: bytes that are not UTF-8 become U+FFFD, control
 * characters (C0, DEL, C1) are escaped. Keys are ours and written as they are.
 *
 *     struct json j = { .out = &o };
 *     json_open(&j, '{');  json_text(&j, "call_id", id);  json_u64(&j, "final", 486);
 *     json_close(&j, '}');                                                              */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/out.h"

struct json {
    struct out *out;
    bool        comma;               /* something stands before on this level */
};

/* `key` NULL: an element of an array, or the outermost value. */
void json_open(struct json *j, char bracket);
void json_open_in(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);
void json_text(struct json *j, const char *key, slice text);
void json_u64(struct json *j, const char *key, uint64_t number);
void json_i64(struct json *j, const char *key, int64_t number);
void json_milli(struct json *j, const char *key, int64_t thousandths);
void json_fixed(struct json *j, const char *key, double number, int decimals);
                                                          /* null: not a number, infinite */
void json_bool(struct json *j, const char *key, bool yes);
void json_null(struct json *j, const char *key);
void json_key(struct json *j, slice key);                 /* for keys that come from outside */
void json_bare(struct json *j, const char *key, slice written);    /* already JSON */

/* Only the inside of a string: escapes and U+FFFD. */
void json_escape(struct out *o, slice text);

#endif
