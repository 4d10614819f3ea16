/* switch/authenticate.c - credentials against HA1, nonces against their age and their counts
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/authenticate.h"

#include <stdlib.h>

#include "base/map.h"
#include "sip/auth.h"
#include "sip/build.h"
#include "sip/uri.h"

enum { NONCE_LIFE_S = 300, WINDOWS_MAX = 65536, CREDENTIALS_MAX = 8, NAME_MAX_LEN = 256, WINDOW_BITS = 64,
       WORKER_SHIFT = 27, AHEAD_S = 5 };

slice authenticate_why_name(enum authenticate_why why)
{
    static const slice names[AUTHENTICATE_WHYS] = {
        [AUTHENTICATE_FINE] = SLICE_INIT("fine"),
        [AUTHENTICATE_NO_CREDENTIALS] = SLICE_INIT("no-credentials"),
        [AUTHENTICATE_INCOMPLETE] = SLICE_INIT("incomplete"),
        [AUTHENTICATE_NOT_OUR_NONCE] = SLICE_INIT("not-our-nonce"),
        [AUTHENTICATE_STALE] = SLICE_INIT("stale"),
        [AUTHENTICATE_REPLAYED] = SLICE_INIT("replayed"),
        [AUTHENTICATE_OTHER_URI] = SLICE_INIT("other-uri"),
        [AUTHENTICATE_UNKNOWN_USER] = SLICE_INIT("unknown-user"),
        [AUTHENTICATE_WRONG_PASSWORD] = SLICE_INIT("wrong-password"),
        [AUTHENTICATE_DISABLED] = SLICE_INIT("disabled"),
        [AUTHENTICATE_STORE_AWAY] = SLICE_INIT("store-away"),
        [AUTHENTICATE_GUESSED_TOO_OFTEN] = SLICE_INIT("guessed-too-often"),
    };

    return names[why];
}

/* The counts of one nonce: the highest, and which of the 63 below it were there. */
struct window {
    struct map_node     by_nonce;
    struct digest_nonce nonce;
    uint32_t            top;
    bool                used;        /* in the map */
    uint64_t            seen;        /* bit n: top - n was there */
};

struct authenticator {
    struct authenticate_settings settings;
    struct users   users;
    struct guard  *guard;
    struct digest *digest;
    int64_t        started_s;
    uint32_t       seq;
    struct window *windows;          /* a ring: the next one is the oldest */
    size_t         next;
    struct map     by_nonce;
    struct digest_nonce forgotten;   /* the youngest whose window was given to another */
    bool           has_forgotten;
    uint64_t       counts[AUTHENTICATE_WHYS];
};

static void take_settings(struct authenticator *a, const struct authenticate_settings *settings)
{
    a->settings = *settings;
    if (!a->settings.nonce_life_s)
        a->settings.nonce_life_s = NONCE_LIFE_S;
    if (!a->settings.windows_max)
        a->settings.windows_max = WINDOWS_MAX;
    if (a->settings.offered_count == 0 || a->settings.offered_count > DIGEST_ALGORITHMS) {
        for (int i = 0; i < DIGEST_ALGORITHMS; i++)
            a->settings.offered[i] = (enum digest_algorithm)i;
        a->settings.offered_count = DIGEST_ALGORITHMS;
    }
}

void authenticator_set(struct authenticator *a, const struct authenticate_settings *settings)
{
    struct authenticate_settings s = *settings;

    s.key = a->settings.key;
    s.worker = a->settings.worker;
    s.windows_max = a->settings.windows_max;
    take_settings(a, &s);
}

struct authenticator *authenticator_new(const struct authenticate_settings *settings, const struct users *users,
                                        struct guard *guard, int64_t now_ns)
{
    struct authenticator *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    take_settings(a, settings);
    a->users = *users;
    a->guard = guard;
    a->started_s = now_ns / 1000000000;
    a->digest = digest_new();
    a->windows = calloc(a->settings.windows_max, sizeof *a->windows);
    if (!a->digest || !a->windows || map_init(&a->by_nonce, 0) != 0)
        return authenticator_free(a);
    return a;
}

struct authenticator *authenticator_free(struct authenticator *a)
{
    if (!a)
        return NULL;
    map_done(&a->by_nonce);
    free(a->windows);
    digest_free(a->digest);
    free(a);
    return NULL;
}

uint64_t authenticate_count(const struct authenticator *a, enum authenticate_why why) { return a->counts[why]; }

/* ---- nonces ---- */

/* Nobody chooses a nonce that gets here: it was ours, and used with the right password. */
static uint64_t nonce_hash(const struct digest_nonce *n)
{
    return ((uint64_t)n->made_s * 0x9e3779b97f4a7c15u) ^ ((uint64_t)n->seq * 0xd6e8feb86659fd93u);
}

static struct window *window_find(const struct authenticator *a, const struct digest_nonce *nonce)
{
    for (struct map_node *n = map_first(&a->by_nonce, nonce_hash(nonce)); n; n = map_next(n)) {
        struct window *w = map_item(n, struct window, by_nonce);

        if (w->nonce.made_s == nonce->made_s && w->nonce.seq == nonce->seq)
            return w;
    }
    return NULL;
}

static bool is_not_after(const struct digest_nonce *x, const struct digest_nonce *y)
{
    return x->made_s < y->made_s || (x->made_s == y->made_s && x->seq <= y->seq);
}

/* In the place of the oldest. What it knew is lost, so all nonces up to it are stale now. */
static void window_open(struct authenticator *a, const struct digest_nonce *nonce, uint32_t nc)
{
    struct window *w = &a->windows[a->next];

    a->next = (a->next + 1) % a->settings.windows_max;
    if (w->used) {
        map_remove(&a->by_nonce, &w->by_nonce);
        if (!a->has_forgotten || is_not_after(&a->forgotten, &w->nonce))
            a->forgotten = w->nonce;
        a->has_forgotten = true;
    }
    *w = (struct window){ .nonce = *nonce, .top = nc, .used = true, .seen = 1 };
    map_add(&a->by_nonce, &w->by_nonce, nonce_hash(nonce));
}

/* Was this count there before? One that lies too far back counts as if. */
static bool window_take(struct window *w, uint32_t nc)
{
    uint64_t bit;

    if (nc > w->top) {
        uint32_t ahead = nc - w->top;

        w->seen = ahead < WINDOW_BITS ? w->seen << ahead | 1 : 1;
        w->top = nc;
        return true;
    }
    if (w->top - nc >= WINDOW_BITS)
        return false;
    bit = (uint64_t)1 << (w->top - nc);
    if (w->seen & bit)
        return false;
    w->seen |= bit;
    return true;
}

static bool is_stale(const struct authenticator *a, const struct digest_nonce *nonce, int64_t now_s)
{
    if (nonce->made_s + a->settings.nonce_life_s < now_s || nonce->made_s > now_s + AHEAD_S)
        return true;
    if (nonce->made_s < a->started_s || nonce->seq >> WORKER_SHIFT != a->settings.worker % 32u)
        return true;                                      /* its counts were not kept here */
    return a->has_forgotten && is_not_after(nonce, &a->forgotten) && !window_find(a, nonce);
}

static bool take_count(struct authenticator *a, const struct digest_nonce *nonce, uint32_t nc)
{
    struct window *w = window_find(a, nonce);

    if (w)
        return window_take(w, nc);
    window_open(a, nonce, nc);
    return true;
}

void authenticate_challenge(struct authenticator *a, struct out *o, enum sip_header_id header, slice realm,
                            const struct authenticated *who, int64_t now_ns)
{
    uint32_t worker = a->settings.worker % 32u;
    struct digest_nonce nonce = { .made_s = now_ns / 1000000000,
                                  .seq = worker << WORKER_SHIFT | (a->seq++ & ((1u << WORKER_SHIFT) - 1)) };
    char text[DIGEST_NONCE_LEN + 1];

    digest_nonce_write(a->digest, &a->settings.key, &nonce, text);
    for (unsigned i = 0; i < a->settings.offered_count; i++) {
        out_text(o, sip_header_name(header));
        out_text(o, SLICE(": Digest realm=\""));
        out_text(o, realm);
        out_text(o, SLICE("\", nonce=\""));
        out_text(o, slice_of(text, DIGEST_NONCE_LEN));
        out_text(o, who->stale ? SLICE("\", stale=true, algorithm=") : SLICE("\", algorithm="));
        out_text(o, digest_algorithm_name(a->settings.offered[i]));
        out_text(o, SLICE(", qop=\"auth\"\r\n"));
    }
}

/* ---- credentials ---- */

static bool is_offered(const struct authenticator *a, slice name, enum digest_algorithm *ret)
{
    if (!digest_algorithm_find(name, ret))
        return false;
    for (unsigned i = 0; i < a->settings.offered_count; i++)
        if (a->settings.offered[i] == *ret)
            return true;
    return false;
}

/* The first for our realm by an algorithm that is offered. */
static bool find_credentials(const struct authenticator *a, const struct sip_message *m, enum sip_header_id header,
                             slice realm, struct sip_auth *ret, enum digest_algorithm *ret_algorithm)
{
    int left = CREDENTIALS_MAX;

    for (const struct sip_header *h = sip_header_find(m, header); h; h = sip_header_next(m, h)) {
        slice rest = h->value;

        while (left-- > 0 && sip_auth_next(&rest, ret))
            if (slice_eq_nocase(ret->scheme, SLICE("Digest")) && slice_eq(ret->realm, realm) &&
                is_offered(a, ret->algorithm, ret_algorithm))
                return true;
    }
    return false;
}

static bool is_complete(const struct authenticator *a, const struct sip_auth *auth)
{
    if (!auth->username.len || !auth->nonce.len || !auth->uri.len || !auth->response.len)
        return false;
    if (!auth->qop.ptr)
        return a->settings.allow_without_qop;
    return slice_eq_nocase(auth->qop, SLICE("auth")) && auth->has_nc && auth->nc > 0 && auth->cnonce.len;
}

/* Proxies change ports and parameters, and phones write what they like there; user and host
 * must agree (RFC 7616, 3.4.6). */
static bool is_same_target(slice digest_uri, slice request_uri)
{
    struct sip_uri a, b;
    char x[NAME_MAX_LEN], y[NAME_MAX_LEN];

    if (slice_eq(digest_uri, request_uri) || sip_uri_same(digest_uri, request_uri))
        return true;
    if (!sip_uri_parse(digest_uri, &a) || !sip_uri_parse(request_uri, &b))
        return false;
    if ((a.scheme != SIP_SCHEME_SIP && a.scheme != SIP_SCHEME_SIPS) ||
        (b.scheme != SIP_SCHEME_SIP && b.scheme != SIP_SCHEME_SIPS) || a.user.len >= sizeof x || b.user.len >= sizeof y)
        return false;
    return slice_eq_nocase(a.host, b.host) && slice_eq(sip_unescape(a.user, x, sizeof x), sip_unescape(b.user, y, sizeof y));
}

/* By the whole name; then, for "alice@realm", by what stands before it, which helps only those
 * whose HA1 was made for it. */
static enum users_result find_user(const struct authenticator *a, slice username, slice realm, struct user *ret)
{
    char buffer[NAME_MAX_LEN];
    slice name = sip_unquote(username, buffer, sizeof buffer), before;
    enum users_result found;

    if (username.len >= sizeof buffer)
        return USERS_NONE;
    found = a->users.by_auth(a->users.ctx, name, realm, ret);
    if (found != USERS_NONE || name.len < realm.len + 2)
        return found;
    before = slice_head(name, name.len - realm.len - 1);
    if (name.ptr[before.len] != '@' || !slice_eq_nocase(slice_skip(name, before.len + 1), realm))
        return USERS_NONE;
    return a->users.by_auth(a->users.ctx, before, realm, ret);
}

/* An HA1 that nobody has takes as long to refuse. */
static bool password_is_right(const struct authenticator *a, const struct user *user, enum digest_algorithm algorithm,
                              const struct sip_auth *auth, const struct sip_message *m)
{
    struct digest_asked asked = {
        .method = m->method_text, .uri = auth->uri, .nonce = auth->nonce, .cnonce = auth->cnonce, .qop = auth->qop,
        .nc = auth->nc,
    };
    struct digest_text none = { .len = digest_algorithm_len(algorithm) };
    bool known = user && user->has_ha1[algorithm];

    memset(none.text, '0', none.len);
    return digest_response_is(a->digest, algorithm, known ? &user->ha1[algorithm] : &none, &asked, auth->response) && known;
}

/* ---- judgement ---- */

static enum authenticate_why judge(struct authenticator *a, const struct sip_message *m, const struct address *source,
                                   enum sip_header_id header, slice realm, int64_t now_ns, struct authenticated *ret)
{
    enum digest_algorithm algorithm;
    struct digest_nonce nonce;
    enum users_result found;
    struct sip_auth auth;

    if (!find_credentials(a, m, header, realm, &auth, &algorithm))
        return AUTHENTICATE_NO_CREDENTIALS;
    ret->username = auth.username;
    if (!is_complete(a, &auth))
        return AUTHENTICATE_INCOMPLETE;
    if (!a->settings.any_uri && !is_same_target(auth.uri, m->uri))
        return AUTHENTICATE_OTHER_URI;
    if (!digest_nonce_read(a->digest, &a->settings.key, auth.nonce, &nonce))
        return AUTHENTICATE_NOT_OUR_NONCE;
    if (a->guard && !guard_may_try(a->guard, source, auth.username, now_ns))
        return AUTHENTICATE_GUESSED_TOO_OFTEN;
    found = find_user(a, auth.username, realm, &ret->user);
    if (found == USERS_FAILED)
        return AUTHENTICATE_STORE_AWAY;
    if (!password_is_right(a, found == USERS_FOUND ? &ret->user : NULL, algorithm, &auth, m))
        return found == USERS_FOUND ? AUTHENTICATE_WRONG_PASSWORD : AUTHENTICATE_UNKNOWN_USER;
    if (is_stale(a, &nonce, now_ns / 1000000000))
        return AUTHENTICATE_STALE;
    if (auth.qop.ptr && !take_count(a, &nonce, auth.nc))
        return AUTHENTICATE_REPLAYED;
    return ret->user.flags & USER_DISABLED ? AUTHENTICATE_DISABLED : AUTHENTICATE_FINE;
}

enum authenticate_result authenticate(struct authenticator *a, const struct sip_message *m, const struct address *source,
                                      enum sip_header_id header, slice realm, int64_t now_ns, struct authenticated *ret)
{
    enum { NOTHING = GUARD_EVENTS };
    static const struct { uint8_t result, event; uint16_t status; bool stale; } rows[AUTHENTICATE_WHYS] = {
        [AUTHENTICATE_FINE] = { AUTHENTICATE_OK, GUARD_AUTHENTICATED, 0, false },
        [AUTHENTICATE_NO_CREDENTIALS] = { AUTHENTICATE_CHALLENGE, NOTHING, 0, false },
        [AUTHENTICATE_INCOMPLETE] = { AUTHENTICATE_CHALLENGE, GUARD_BAD_NONCE, 0, false },
        [AUTHENTICATE_NOT_OUR_NONCE] = { AUTHENTICATE_CHALLENGE, GUARD_BAD_NONCE, 0, false },
        [AUTHENTICATE_STALE] = { AUTHENTICATE_CHALLENGE, NOTHING, 0, true },
        [AUTHENTICATE_REPLAYED] = { AUTHENTICATE_CHALLENGE, GUARD_BAD_NONCE, 0, true },
        [AUTHENTICATE_OTHER_URI] = { AUTHENTICATE_REFUSE, GUARD_MALFORMED, 400, false },
        /* The same weight for both: from the time of a ban nobody learns which. */
        [AUTHENTICATE_UNKNOWN_USER] = { AUTHENTICATE_CHALLENGE, GUARD_BAD_PASSWORD, 0, false },
        [AUTHENTICATE_WRONG_PASSWORD] = { AUTHENTICATE_CHALLENGE, GUARD_BAD_PASSWORD, 0, false },
        [AUTHENTICATE_DISABLED] = { AUTHENTICATE_REFUSE, NOTHING, 403, false },
        [AUTHENTICATE_STORE_AWAY] = { AUTHENTICATE_WAIT, NOTHING, 504, false },
        [AUTHENTICATE_GUESSED_TOO_OFTEN] = { AUTHENTICATE_DROP, GUARD_BAD_NONCE, 0, false },
    };

    *ret = (struct authenticated){ 0 };
    enum authenticate_why why = judge(a, m, source, header, realm, now_ns, ret);

    ret->why = why;
    ret->stale = rows[why].stale;
    ret->status = rows[why].status;
    a->counts[why]++;
    if (a->guard && rows[why].event != NOTHING)
        guard_note(a->guard, source, ret->username, (enum guard_event)rows[why].event, now_ns);
    if (why != AUTHENTICATE_FINE)
        ret->user = (struct user){ 0 };
    return (enum authenticate_result)rows[why].result;
}
