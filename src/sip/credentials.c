/* sip/credentials.c - see credentials.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/credentials.h"

#include "sip/auth.h"
#include "sip/build.h"

static const struct { enum sip_header_id asks; slice answers; } kinds[] = {
    { SIP_H_WWW_AUTHENTICATE, SLICE_INIT("Authorization: Digest ") },
    { SIP_H_PROXY_AUTHENTICATE, SLICE_INIT("Proxy-Authorization: Digest ") },
};

/* One that we can answer, and how. */
struct challenge {
    struct sip_auth       auth;
    enum digest_algorithm algorithm;
    slice                 qop;       /* empty: none, as in RFC 2069 */
};

static bool take_challenge(slice *rest, struct challenge *ret)
{
    struct sip_auth *auth = &ret->auth;

    while (sip_auth_next(rest, auth)) {
        ret->qop = sip_auth_offers(auth, SLICE("auth")) ? SLICE("auth")
                   : sip_auth_offers(auth, SLICE("auth-int")) ? SLICE("auth-int") : (slice){ 0 };
        if (slice_eq_nocase(auth->scheme, SLICE("Digest")) && digest_algorithm_find(auth->algorithm, &ret->algorithm) &&
            (ret->qop.len || !auth->qop.len) && auth->nonce.len && auth->realm.len <= SIP_CREDENTIALS_TEXT_MAX &&
            auth->nonce.len <= SIP_CREDENTIALS_TEXT_MAX && auth->opaque.len <= SIP_CREDENTIALS_TEXT_MAX)
            return true;
    }
    return false;
}

/* A quoted text that came with a challenge goes back as it came, its escapes alone. */
static void put_echo(struct out *o, slice name, slice value)
{
    out_text(o, name);
    out_text(o, SLICE("=\""));
    sip_build_text(o, value);
    out_char(o, '"');
}

static void put_quoted(struct out *o, slice name, slice value)
{
    out_text(o, name);
    out_char(o, '=');
    sip_build_quoted(o, value, false);
}

static void put_answer(struct out *o, struct digest *d, const struct challenge *c, const struct sip_credentials *who)
{
    struct digest_text ha1, response;
    struct digest_asked asked = { .method = who->method, .uri = who->uri, .nonce = c->auth.nonce, .cnonce = who->cnonce,
                                  .qop = c->qop, .nc = 1, .body = who->body };

    digest_ha1(d, c->algorithm, who->user, c->auth.realm, who->password, &ha1);
    digest_response(d, c->algorithm, &ha1, &asked, &response);
    put_quoted(o, SLICE("username"), who->user);
    put_echo(o, SLICE(", realm"), c->auth.realm);
    put_echo(o, SLICE(", nonce"), c->auth.nonce);
    put_echo(o, SLICE(", uri"), who->uri);
    put_echo(o, SLICE(", response"), slice_of(response.text, response.len));
    if (c->auth.algorithm.ptr) {                          /* servers of RFC 2069 do not know the word */
        out_text(o, SLICE(", algorithm="));
        out_text(o, digest_algorithm_name(c->algorithm));
    }
    if (c->qop.len) {
        out_text(o, SLICE(", qop="));
        out_text(o, c->qop);
        out_text(o, SLICE(", nc=00000001"));
        put_echo(o, SLICE(", cnonce"), who->cnonce);
    }
    if (c->auth.opaque.ptr)
        put_echo(o, SLICE(", opaque"), c->auth.opaque);
    out_text(o, SLICE("\r\n"));
}

static bool is_among(const slice *realms, unsigned count, slice realm)
{
    for (unsigned i = 0; i < count; i++)
        if (slice_eq(realms[i], realm))
            return true;
    return false;
}

static unsigned answer_kind(struct out *o, struct digest *d, const struct sip_message *m, size_t kind,
                            const struct sip_credentials *who)
{
    slice realms[SIP_CREDENTIALS_REALMS_MAX];
    unsigned count = 0;

    for (const struct sip_header *h = sip_header_find(m, kinds[kind].asks); h; h = sip_header_next(m, h)) {
        slice rest = h->value;
        struct challenge c;

        while (count < SIP_CREDENTIALS_REALMS_MAX && take_challenge(&rest, &c)) {
            if (is_among(realms, count, c.auth.realm))
                continue;                                 /* another algorithm, liked less */
            realms[count++] = c.auth.realm;
            out_text(o, kinds[kind].answers);
            put_answer(o, d, &c, who);
        }
    }
    return count;
}

unsigned sip_credentials_write(struct out *o, struct digest *d, const struct sip_message *m,
                               const struct sip_credentials *who)
{
    unsigned count = 0;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        count += answer_kind(o, d, m, i, who);
    return count;
}

bool sip_challenge_is_stale(const struct sip_message *m)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        for (const struct sip_header *h = sip_header_find(m, kinds[i].asks); h; h = sip_header_next(m, h)) {
            slice rest = h->value;
            struct sip_auth auth;

            while (sip_auth_next(&rest, &auth))
                if (auth.stale)
                    return true;
        }
    return false;
}
