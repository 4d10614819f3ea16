/* sip/auth.c - see auth.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/auth.h"

#include "sip/sip_int.h"

struct pair {
    slice name, value;
};

static void skip_separators(slice *rest)
{
    while (rest->len && (is_blank(rest->ptr[0]) || rest->ptr[0] == ','))
        rest->ptr++, rest->len--;
}

static slice take_token(slice *rest)
{
    size_t len = (size_t)(sip_span(rest->ptr, rest->ptr + rest->len, SIP_C_TOKEN) - rest->ptr);
    slice token = slice_head(*rest, len);

    *rest = slice_skip(*rest, len);
    return token;
}

/* Next name=value of a comma list. False, and *rest where it was: the end, or a word without
 * '=': the scheme of the next challenge. What is neither is passed over. */
static bool take_pair(slice *rest, struct pair *ret)
{
    slice at = *rest, tail;

    skip_separators(&at);
    while (at.len) {
        slice name = take_token(&at);

        slice_take_blanks(&at);
        if (name.len && !slice_take_char(&at, '='))
            return false;
        slice_take_blanks(&at);

        size_t quoted = at.len && at.ptr[0] == '"' ? sip_quoted_len(at) : 0;
        slice value = quoted ? slice_of(at.ptr + 1, quoted - 2) : sip_cut_at(at, ',', &tail);

        at = quoted ? slice_skip(at, quoted) : tail;
        if (quoted)
            sip_cut_at(at, ',', &at);
        *rest = at;
        if (name.len) {
            *ret = (struct pair){ name, quoted ? value : sip_trim(value) };
            return true;
        }
        skip_separators(&at);
    }
    return false;
}

static void set(struct sip_auth *auth, const struct pair *pair)
{
    static const struct { slice name; size_t offset; } rows[] = {
#define ROW(member) { SLICE(#member), offsetof(struct sip_auth, member) }
        ROW(realm), ROW(nonce), ROW(opaque), ROW(domain), ROW(algorithm), ROW(qop),
        ROW(username), ROW(uri), ROW(response), ROW(cnonce), ROW(auts), ROW(rspauth),
        ROW(nextnonce),
#undef ROW
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (slice_eq_nocase(pair->name, rows[i].name)) {
            slice *member = (slice *)((char *)auth + rows[i].offset);

            if (!member->ptr)                    /* the first counts */
                *member = pair->value;
            return;
        }
    if (SIP_IS(pair->name, "stale"))
        auth->stale = SIP_IS(pair->value, "true");
}

static void set_nc(struct sip_auth *auth, const struct pair *pair)
{
    uint32_t number = 0;

    if (!SIP_IS(pair->name, "nc") || pair->value.len != 8 || !sip_all_are(pair->value, SIP_C_HEX))
        return;
    for (size_t i = 0; i < 8; i++) {
        char c = pair->value.ptr[i];

        number = number << 4 | (unsigned)(is_digit(c) ? c - '0' : ascii_lower(c) - 'a' + 10);
    }
    auth->nc = number;
    auth->has_nc = true;
}

static void take_pairs(slice *rest, struct sip_auth *ret)
{
    slice start = *rest;
    struct pair pair;

    while (take_pair(rest, &pair)) {
        set(ret, &pair);
        set_nc(ret, &pair);
    }
    ret->params = slice_head(start, (size_t)(rest->ptr - start.ptr));
}

bool sip_auth_next(slice *rest, struct sip_auth *ret)
{
    struct sip_auth got = { 0 };

    skip_separators(rest);
    while (rest->len) {
        got.scheme = take_token(rest);
        if (got.scheme.len) {
            slice_take_blanks(rest);
            take_pairs(rest, &got);
            *ret = got;
            return true;
        }
        *rest = slice_skip(*rest, 1);            /* no token: foreign bytes */
        skip_separators(rest);
    }
    return false;
}

bool sip_auth_info_parse(slice value, struct sip_auth *ret)
{
    struct sip_auth got = { 0 };

    take_pairs(&value, &got);
    if (!got.params.len)
        return false;
    *ret = got;
    return true;
}

bool sip_auth_param_find(slice params, slice name, slice *ret)
{
    struct pair pair;

    while (take_pair(&params, &pair))
        if (slice_eq_nocase(pair.name, name)) {
            *ret = pair.value;
            return true;
        }
    return false;
}

bool sip_auth_offers(const struct sip_auth *auth, slice qop)
{
    slice rest = auth->qop, one;

    while (sip_list_next(&rest, &one))
        if (slice_eq_nocase(one, qop))
            return true;
    return false;
}
