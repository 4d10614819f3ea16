/* sip/names.c - names of methods, headers and flaws; classes of characters.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/names_int.h"
#include "sip/sip_int.h"

const uint8_t sip_char_class[256] = {
    ['0' ... '9'] = SIP_C_TOKEN | SIP_C_HEX | SIP_C_HOST,
    ['a' ... 'f'] = SIP_C_TOKEN | SIP_C_HEX | SIP_C_HOST,
    ['A' ... 'F'] = SIP_C_TOKEN | SIP_C_HEX | SIP_C_HOST,
    ['g' ... 'z'] = SIP_C_TOKEN | SIP_C_HOST,
    ['G' ... 'Z'] = SIP_C_TOKEN | SIP_C_HOST,
    ['-'] = SIP_C_TOKEN | SIP_C_HOST, ['.'] = SIP_C_TOKEN | SIP_C_HOST,
    ['_'] = SIP_C_TOKEN | SIP_C_HOST,          /* no host name, but seen in many */
    ['!'] = SIP_C_TOKEN, ['%'] = SIP_C_TOKEN, ['*'] = SIP_C_TOKEN, ['+'] = SIP_C_TOKEN,
    ['`'] = SIP_C_TOKEN, ['\''] = SIP_C_TOKEN, ['~'] = SIP_C_TOKEN,
    [' '] = SIP_C_BLANK, ['\t'] = SIP_C_BLANK, ['\r'] = SIP_C_BLANK, ['\n'] = SIP_C_BLANK,
};

bool sip_is_token_char(char c) { return sip_char_is(c, SIP_C_TOKEN); }

/* ---- methods ---- */

static const slice method_names[SIP_METHODS] = {
    [SIP_INVITE] = SLICE("INVITE"), [SIP_ACK] = SLICE("ACK"), [SIP_BYE] = SLICE("BYE"),
    [SIP_CANCEL] = SLICE("CANCEL"), [SIP_OPTIONS] = SLICE("OPTIONS"),
    [SIP_REGISTER] = SLICE("REGISTER"), [SIP_PRACK] = SLICE("PRACK"),
    [SIP_SUBSCRIBE] = SLICE("SUBSCRIBE"), [SIP_NOTIFY] = SLICE("NOTIFY"),
    [SIP_PUBLISH] = SLICE("PUBLISH"), [SIP_INFO] = SLICE("INFO"), [SIP_REFER] = SLICE("REFER"),
    [SIP_MESSAGE] = SLICE("MESSAGE"), [SIP_UPDATE] = SLICE("UPDATE"),
};

/* Only one method has a given length and first letter, but for PRACK/PUBLISH (lengths
 * differ) and the like; the whole text decides. */
static enum sip_method method_candidate(slice text)
{
    switch (text.ptr[0]) {
    case 'I': return text.len == 6 ? SIP_INVITE : SIP_INFO;
    case 'A': return SIP_ACK;
    case 'B': return SIP_BYE;
    case 'C': return SIP_CANCEL;
    case 'O': return SIP_OPTIONS;
    case 'R': return text.len == 8 ? SIP_REGISTER : SIP_REFER;
    case 'P': return text.len == 5 ? SIP_PRACK : SIP_PUBLISH;
    case 'S': return SIP_SUBSCRIBE;
    case 'N': return SIP_NOTIFY;
    case 'M': return SIP_MESSAGE;
    case 'U': return SIP_UPDATE;
    default:  return SIP_UNKNOWN;
    }
}

enum sip_method sip_method_find(slice text)
{
    if (text.len < 3 || text.len > 9)
        return SIP_UNKNOWN;
    enum sip_method method = method_candidate(text);

    return slice_eq(text, method_names[method]) ? method : SIP_UNKNOWN;
}

slice sip_method_name(enum sip_method method)
{
    return method < SIP_METHODS ? method_names[method] : (slice){ 0 };
}

/* ---- headers ---- */

const char sip_header_names[SIP_HEADER_IDS][SIP_NAME_ROOM] __attribute__((aligned(8))) = {
#define X(id, name, compact) [SIP_H_##id] = name,
#include "sip/headers.def"
#undef X
};
const uint8_t sip_header_lengths[SIP_HEADER_IDS] = {
#define X(id, name, compact) [SIP_H_##id] = sizeof(name) - 1,
#include "sip/headers.def"
#undef X
};

/* The next two tables want the last of several values for one place: that is how the last
 * header of each length is found without counting. */
#pragma GCC diagnostic push
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
const uint8_t sip_header_last[SIP_NAME_ROOM] = {
#define X(id, name, compact) [sizeof(name) - 1] = SIP_H_##id,
#include "sip/headers.def"
#undef X
};
const uint8_t sip_header_compact[SIP_NO_COMPACT + 1] = {
#define X(id, name, compact) [(compact) ? (compact) : SIP_NO_COMPACT] = SIP_H_##id,
#include "sip/headers.def"
#undef X
};
#pragma GCC diagnostic pop

enum sip_header_id sip_header_id_find(slice name)
{
    char padded[8] = { 0 };

    if (name.len == 0 || name.len >= SIP_NAME_ROOM)
        return SIP_H_OTHER;
    if (name.len == 1)
        return sip_header_compact[ascii_lower(name.ptr[0]) & 0xff];
    if (name.len > 8)
        return sip_find_long(name.ptr, sip_word(name.ptr), name.len);
    memcpy(padded, name.ptr, name.len);
    return sip_find_short(sip_word(padded), name.len);
}

slice sip_header_name(enum sip_header_id id)
{
    if (id >= SIP_HEADER_IDS)
        return (slice){ 0 };
    return slice_of(sip_header_names[id], sip_header_lengths[id]);
}

/* ---- flaws ---- */

static const struct {
    slice slug;
    int   code;
} flaw_rows[SIP_FLAW_KINDS] = {
#define X(id, text, status) [SIP_FLAW_##id] = { .slug = SLICE(text), .code = status },
#include "sip/flaws.def"
#undef X
};

slice sip_flaw_slug(enum sip_flaw_kind kind)
{
    return kind < SIP_FLAW_KINDS ? flaw_rows[kind].slug : (slice){ 0 };
}

int sip_flaw_code(enum sip_flaw_kind kind)
{
    return kind < SIP_FLAW_KINDS ? flaw_rows[kind].code : 0;
}
