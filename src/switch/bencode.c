/* switch/bencode.c - see bencode.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/bencode.h"

/* ---- reading ---- */

/* Without leading zeros, so that there is one way to write each. */
static bool take_digits(slice *rest, uint64_t *ret)
{
    slice at = *rest;

    if (at.len > 1 && at.ptr[0] == '0' && is_digit(at.ptr[1]))
        return false;
    if (!slice_take_u64(&at, ret))
        return false;
    *rest = at;
    return true;
}

/* i-42e */
static bool take_number(slice *rest, int64_t *ret)
{
    slice at = slice_skip(*rest, 1);
    bool minus = slice_take_char(&at, '-');
    uint64_t digits;

    if (!take_digits(&at, &digits) || !slice_take_char(&at, 'e'))
        return false;
    if (digits > (uint64_t)INT64_MAX || (minus && digits == 0))
        return false;                                     /* the very lowest number, too: nobody needs it */
    *ret = minus ? -(int64_t)digits : (int64_t)digits;
    *rest = at;
    return true;
}

/* 4:ping */
static bool take_string(slice *rest, slice *ret)
{
    slice at = *rest;
    uint64_t len;

    if (!take_digits(&at, &len) || !slice_take_char(&at, ':') || len > at.len)
        return false;
    *ret = slice_head(at, (size_t)len);
    *rest = slice_skip(at, (size_t)len);
    return true;
}

/* What is expected within each of the open lists and dictionaries. */
enum place { IN_LIST, AT_KEY, AT_VALUE };

/* Passes a list or dictionary whole, without calling itself. */
static bool pass_nested(slice *rest)
{
    uint8_t places[BENCODE_DEPTH_MAX];
    unsigned depth = 0;
    int64_t number;
    slice text;

    do {
        char c = rest->len ? rest->ptr[0] : '\0';
        enum place place = depth ? (enum place)places[depth - 1] : IN_LIST;

        if (c == 'e') {
            if (place == AT_VALUE)
                return false;
            *rest = slice_skip(*rest, 1);
            depth--;
            continue;
        }
        if (place == AT_KEY && !is_digit(c))
            return false;
        if (depth && place != IN_LIST)
            places[depth - 1] = place == AT_KEY ? AT_VALUE : AT_KEY;
        if (c == 'l' || c == 'd') {
            if (depth == BENCODE_DEPTH_MAX)
                return false;
            places[depth++] = c == 'l' ? IN_LIST : AT_KEY;
            *rest = slice_skip(*rest, 1);
        } else if (!(c == 'i' ? take_number(rest, &number) : take_string(rest, &text))) {
            return false;
        }
    } while (depth);
    return true;
}

bool bencode_take(slice *rest, struct bencode *ret)
{
    struct bencode v = { .kind = BENCODE_STRING };
    slice at = *rest;

    if (!at.len)
        return false;
    if (at.ptr[0] == 'i') {
        v.kind = BENCODE_NUMBER;
        if (!take_number(&at, &v.number))
            return false;
    } else if (at.ptr[0] == 'l' || at.ptr[0] == 'd') {
        v.kind = at.ptr[0] == 'l' ? BENCODE_LIST : BENCODE_DICTIONARY;
        if (!pass_nested(&at))
            return false;
        v.text = slice_of(rest->ptr + 1, rest->len - at.len - 2);
    } else if (!take_string(&at, &v.text)) {
        return false;
    }
    *ret = v;
    *rest = at;
    return true;
}

bool bencode_next_pair(slice *rest, slice *ret_key, struct bencode *ret)
{
    struct bencode key, value;
    slice at = *rest;

    if (!bencode_take(&at, &key) || key.kind != BENCODE_STRING || !bencode_take(&at, &value))
        return false;
    *ret_key = key.text;
    *ret = value;
    *rest = at;
    return true;
}

bool bencode_find(const struct bencode *dictionary, slice key, struct bencode *ret)
{
    slice rest = dictionary->text, name;
    struct bencode value;

    if (dictionary->kind != BENCODE_DICTIONARY)
        return false;
    while (bencode_next_pair(&rest, &name, &value))
        if (slice_eq(name, key)) {
            *ret = value;
            return true;
        }
    return false;
}

slice bencode_find_text(const struct bencode *dictionary, slice key)
{
    struct bencode v;

    return bencode_find(dictionary, key, &v) && v.kind == BENCODE_STRING ? v.text : (slice){ 0 };
}

/* ---- writing ---- */

void bencode_put_text(struct out *o, slice text)
{
    out_u64(o, text.len);
    out_char(o, ':');
    out_text(o, text);
}

void bencode_put_number(struct out *o, int64_t number)
{
    out_char(o, 'i');
    out_i64(o, number);
    out_char(o, 'e');
}

void bencode_put_open(struct out *o, enum bencode_kind kind) { out_char(o, kind == BENCODE_LIST ? 'l' : 'd'); }
void bencode_put_close(struct out *o) { out_char(o, 'e'); }

void bencode_put_pair(struct out *o, slice key, slice text)
{
    bencode_put_text(o, key);
    bencode_put_text(o, text);
}
