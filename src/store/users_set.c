/* store/users_set.c - one user: what may be in it, its settings by name, its HA1; see users.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "sip/uri.h"
#include "store/users_int.h"
#include "switch/rejects.h"

/* ---- what may be in it ---- */

static bool is_text(slice s)
{
    uint32_t point;

    if (s.len > USERS_NAME_MAX || !utf8_is_valid(s))
        return false;
    while (utf8_take(&s, &point))
        if (!utf8_is_printable(point))
            return false;
    return true;
}

static bool is_host_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c != '\0' && strchr("-._[]:", c));
}

/* In credentials these would come escaped, or end the name (RFC 7616, 3.4). */
static bool is_auth_name(slice s)
{
    return s.len > 0 && is_text(s) && slice_find_char(s, ':') < 0 && slice_find_char(s, '"') < 0
           && slice_find_char(s, '\\') < 0;
}

static bool is_forward(slice uri)
{
    struct sip_uri parsed;

    if (uri.len == 0)
        return true;
    if (uri.len > USERS_URI_MAX || slice_find_char(uri, ' ') >= 0 || !utf8_is_valid(uri)
        || !sip_uri_parse(uri, &parsed) || parsed.flaw != SIP_FLAW_NONE)
        return false;
    for (size_t i = 0; i < uri.len; i++)
        if ((unsigned char)uri.ptr[i] <= ' ' || uri.ptr[i] == 0x7f || strchr("<>\"", uri.ptr[i]))
            return false;
    return parsed.scheme == SIP_SCHEME_TEL ? parsed.user.len > 0
           : (parsed.scheme == SIP_SCHEME_SIP || parsed.scheme == SIP_SCHEME_SIPS) && parsed.host.len > 0;
}

static bool is_rejects(slice list)
{
    slice rest = list;
    uint32_t point;

    if (list.len > REJECTS_MAX || !utf8_is_valid(list))
        return false;
    while (utf8_take(&rest, &point))
        if (!utf8_is_printable(point))
            return false;
    return true;
}

enum users_flaw users_flaw(const struct user *u)
{
    if (u->name.len == 0 || !is_text(u->name) || slice_find_char(u->name, ' ') >= 0)
        return USERS_BAD_NAME;
    if (u->domain.len > USERS_NAME_MAX || !slice_all(u->domain, is_host_char))
        return USERS_BAD_DOMAIN;
    if (!is_auth_name(u->auth_name))
        return USERS_BAD_AUTH_NAME;
    if (!is_text(u->display))
        return USERS_BAD_DISPLAY;
    for (size_t i = 0; i < USER_FORWARDS; i++)
        if (!is_forward(u->forward[i]))
            return USERS_BAD_FORWARD;
    if (!is_rejects(u->rejects))
        return USERS_BAD_REJECTS;
    return USERS_SOUND;
}

struct user users_new(slice name, slice domain)
{
    return (struct user){ .name = name, .domain = domain, .auth_name = name,
                          .flags = USER_CALL_WAITING | USER_TELL_FORWARDED };
}

slice users_domain(slice domain, char room[static USERS_NAME_MAX])
{
    if (domain.len > USERS_NAME_MAX)
        return SLICE("");
    for (size_t i = 0; i < domain.len; i++)
        room[i] = ascii_lower(domain.ptr[i]);
    return slice_of(room, domain.len);
}

/* ---- HA1 ---- */

void users_hash_password(struct digest *d, struct user *u, slice password)
{
    for (enum digest_algorithm a = 0; a < DIGEST_ALGORITHMS; a++) {
        digest_ha1(d, a, u->auth_name, u->domain, password, &u->ha1[a]);
        u->has_ha1[a] = u->ha1[a].len == digest_algorithm_len(a);
    }
}

bool users_set_ha1(struct user *u, enum digest_algorithm algorithm, slice hex)
{
    struct digest_text ha1 = { .len = hex.len };

    if (hex.len != digest_algorithm_len(algorithm))
        return false;
    for (size_t i = 0; i < hex.len; i++) {
        char c = ascii_lower(hex.ptr[i]);

        if (!is_digit(c) && (c < 'a' || c > 'f'))
            return false;
        ha1.text[i] = c;
    }
    u->ha1[algorithm] = ha1;
    u->has_ha1[algorithm] = true;
    return true;
}

/* ---- settings by name ---- */

enum sort { FLAG, FORWARD, NUMBER, TEXT, REJECTS, HA1 };
static const struct setting {
    slice     name;
    enum sort sort;
    unsigned  which;                 /* the flag, forward or algorithm; else where in struct user */
} settings[] = {
    { SLICE_INIT("disabled"), FLAG, USER_DISABLED },
    { SLICE_INIT("do_not_disturb"), FLAG, USER_DO_NOT_DISTURB },
    { SLICE_INIT("reject_anonymous"), FLAG, USER_REJECT_ANONYMOUS },
    { SLICE_INIT("call_waiting"), FLAG, USER_CALL_WAITING },
    { SLICE_INIT("tell_forwarded"), FLAG, USER_TELL_FORWARDED },
    { SLICE_INIT("redirect"), FLAG, USER_REDIRECT },
    { SLICE_INIT("no_gateway"), FLAG, USER_NO_GATEWAY },
    { SLICE_INIT("hide_number"), FLAG, USER_HIDE_NUMBER },
    { SLICE_INIT("no_credit"), FLAG, USER_NO_CREDIT },
    { SLICE_INIT("forward_always"), FORWARD, USER_FORWARD_ALWAYS },
    { SLICE_INIT("forward_busy"), FORWARD, USER_FORWARD_BUSY },
    { SLICE_INIT("forward_no_answer"), FORWARD, USER_FORWARD_NO_ANSWER },
    { SLICE_INIT("forward_unreachable"), FORWARD, USER_FORWARD_UNREACHABLE },
    { SLICE_INIT("no_answer_s"), NUMBER, offsetof(struct user, no_answer_s) },
    { SLICE_INIT("calls_max"), NUMBER, offsetof(struct user, calls_max) },
    { SLICE_INIT("contacts_max"), NUMBER, offsetof(struct user, contacts_max) },
    { SLICE_INIT("auth_name"), TEXT, offsetof(struct user, auth_name) },
    { SLICE_INIT("display"), TEXT, offsetof(struct user, display) },
    { SLICE_INIT("rejects"), REJECTS, 0 },
    { SLICE_INIT("ha1_md5"), HA1, DIGEST_MD5 },
    { SLICE_INIT("ha1_sha_256"), HA1, DIGEST_SHA_256 },
    { SLICE_INIT("ha1_sha_512_256"), HA1, DIGEST_SHA_512_256 },
};

static bool is_name(slice written, slice name)
{
    if (written.len != name.len)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (ascii_lower(written.ptr[i] == '-' ? '_' : written.ptr[i]) != name.ptr[i])
            return false;
    return true;
}

static bool set_flag(struct user *u, unsigned flag, slice value)
{
    static const slice yes[] = { SLICE_INIT("yes"), SLICE_INIT("true"), SLICE_INIT("on"), SLICE_INIT("1") };
    static const slice no[] = { SLICE_INIT("no"), SLICE_INIT("false"), SLICE_INIT("off"), SLICE_INIT("0") };

    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (slice_eq_nocase(value, yes[i]))
            u->flags |= flag;
        else if (slice_eq_nocase(value, no[i]))
            u->flags &= ~flag;
        else
            continue;
        return true;
    }
    return false;
}

static bool set_number(struct user *u, size_t where, slice value)
{
    uint32_t number;

    if (!slice_to_u32(value, &number) || number > UINT16_MAX)
        return false;
    memcpy((char *)u + where, &(uint16_t){ (uint16_t)number }, sizeof(uint16_t));
    return true;
}

static bool set(struct user *u, const struct setting *s, slice value)
{
    switch (s->sort) {
    case FLAG:   return set_flag(u, s->which, value);
    case NUMBER: return set_number(u, s->which, value);
    case HA1:    return users_set_ha1(u, (enum digest_algorithm)s->which, value);
    case FORWARD:
        if (!is_forward(value))
            return false;
        u->forward[s->which] = value;
        return true;
    case REJECTS:
        if (!is_rejects(value))
            return false;
        u->rejects = value;
        return true;
    case TEXT:
        if (!is_text(value))
            return false;
        memcpy((char *)u + s->which, &value, sizeof value);
        return true;
    }
    return false;
}

enum users_set users_set(struct user *u, slice setting, slice value)
{
    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        if (is_name(setting, settings[i].name))
            return set(u, &settings[i], value) ? USERS_SET : USERS_NO_VALUE;
    return USERS_NO_SETTING;
}

static slice name_of(enum sort sort, unsigned which)
{
    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        if (settings[i].sort == sort && settings[i].which == which)
            return settings[i].name;
    return SLICE("");
}

slice users_flag_name(unsigned flag) { return name_of(FLAG, flag); }
slice users_forward_name(enum user_forward forward) { return name_of(FORWARD, forward); }
