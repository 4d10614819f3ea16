/* base/json.c - see json.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <math.h>

#include "base/utf8.h"

static void json_begin(struct json *j, const char *key)
{
    size_t len = key ? strlen(key) : 0;
    char *at = out_space(j->out, len + 4), *start = at;

    if (!at)
        return;
    if (j->comma)
        *at++ = ',';
    j->comma = true;
    if (key) {
        *at++ = '"';
        memcpy(at, key, len);
        at += len;
        *at++ = '"';
        *at++ = ':';
    }
    j->out->used += (size_t)(at - start);
}

void json_key(struct json *j, slice key)
{
    if (j->comma)
        out_char(j->out, ',');
    out_char(j->out, '"');
    json_escape(j->out, key);
    out_text(j->out, SLICE("\":"));
    j->comma = false;                                     /* the value follows at once */
}

void json_open_in(struct json *j, const char *key, char bracket)
{
    json_begin(j, key);
    out_char(j->out, bracket);
    j->comma = false;
}

void json_open(struct json *j, char bracket) { json_open_in(j, NULL, bracket); }

void json_close(struct json *j, char bracket)
{
    out_char(j->out, bracket);
    j->comma = true;
}

/* What stands in a string as it is: printable ASCII but the quote and the backslash. */
static inline bool json_is_plain(char c)
{
    return (unsigned char)(c - 0x20) < 0x5f && c != '"' && c != '\\';
}

/* Are all eight plain? Bytes below 0x20, at or above 0x7f, quotes and backslashes show in
 * the top bit of their place (the usual carry tricks; a false alarm only costs a look). */
static inline bool json_all_plain(const char *eight)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    uint64_t w, quote, slash;

    memcpy(&w, eight, sizeof w);
    quote = w ^ ones * '"';
    slash = w ^ ones * '\\';
    return (((w - ones * 0x20) | (quote - ones) | (slash - ones) | (w + ones) | w) & tops) == 0;
}

static slice json_take_plain(slice *text)
{
    size_t n = 0;

    while (n + 8 <= text->len && json_all_plain(text->ptr + n))
        n += 8;
    while (n < text->len && json_is_plain(text->ptr[n]))
        n++;
    slice plain = slice_head(*text, n);

    *text = slice_skip(*text, n);
    return plain;
}

static void json_escape_control(struct out *o, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
    static const char pairs[] = "\bb\tt\nn\ff\rr\"\"\\\\";

    for (size_t i = 0; i + 1 < sizeof pairs; i += 2)
        if ((unsigned char)pairs[i] == c) {
            out_char(o, '\\');
            out_char(o, pairs[i + 1]);
            return;
        }
    out_text(o, slice_of(text, sizeof text));
}

void json_escape(struct out *o, slice text)
{
    while (text.len) {
        slice plain = json_take_plain(&text), whole = text;
        uint32_t point;

        out_text(o, plain);
        if (!utf8_take(&text, &point))
            break;
        if (point < 0xa0)                                 /* C1 too: a terminal may act on them */
            json_escape_control(o, (unsigned char)point);
        else if (point == UTF8_REPLACEMENT)
            out_text(o, SLICE("\xef\xbf\xbd"));
        else
            out_text(o, slice_head(whole, whole.len - text.len));
    }
}

void json_text(struct json *j, const char *key, slice text)
{
    json_begin(j, key);
    out_char(j->out, '"');
    json_escape(j->out, text);
    out_char(j->out, '"');
}

void json_bare(struct json *j, const char *key, slice written)
{
    json_begin(j, key);
    out_text(j->out, written);
}

void json_u64(struct json *j, const char *key, uint64_t number)
{
    json_begin(j, key);
    out_u64(j->out, number);
}

void json_i64(struct json *j, const char *key, int64_t number)
{
    json_begin(j, key);
    out_i64(j->out, number);
}

void json_milli(struct json *j, const char *key, int64_t thousandths)
{
    json_begin(j, key);
    out_milli(j->out, thousandths);
}

void json_fixed(struct json *j, const char *key, double number, int decimals)
{
    if (!isfinite(number)) {                          /* RFC 8259, 6: there are no such numbers */
        json_null(j, key);
        return;
    }
    json_begin(j, key);
    out_fixed(j->out, number, decimals);
}

void json_bool(struct json *j, const char *key, bool yes)
{
    json_bare(j, key, yes ? SLICE("true") : SLICE("false"));
}

void json_null(struct json *j, const char *key) { json_bare(j, key, SLICE("null")); }
