/* track/registrations.c - REGISTER transactions -> bindings (RFC 3261, 10)
 * SPDX-License-Identifier: Apache-2.0
 *
 * One registrant is one Call-ID with one AoR: what a phone uses for all its REGISTERs. It
 * holds one record per contact that it asked for. 401, 407, 423, 494 and the like are
 * answered with a new REGISTER and are not the result. */
#include <stdlib.h>

#include "sip/auth.h"
#include "sip/uri.h"
#include "track/contacts.h"
#include "track/track_int.h"

#define CONTACTS_MAX 32u
#define SECOND_NS 1000000000LL

struct registrant {
    struct live live;
    struct registration *bindings[CONTACTS_MAX];
    uint16_t    count;
    struct seen seen;
    uint32_t    cseq;                /* of the newest REGISTER */
    uint16_t    final;               /* to the newest one, 0: none yet */
    struct { uint8_t state; uint32_t refused; } told[CONTACTS_MAX];    /* what the observer knows of each */
    bool        asked_all;           /* Contact: * */
    bool        credentials;         /* with the newest REGISTER */
};

static struct registrant *registrant_find(const struct tracker *t, const struct sip_message *m,
                                          uint64_t hash)
{
    for (struct map_node *n = map_first(&t->maps[LIVE_REGISTRATION], hash); n; n = map_next(n)) {
        struct live *l = map_item(n, struct live, by_call_id);
        struct registrant *r = live_item(l, struct registrant);

        if (slice_eq(l->call_id, m->call_id) && slice_eq(r->bindings[0]->aor, m->to.uri))
            return r;
    }
    return NULL;
}

static struct registration *binding_new(struct tracker *t, const struct wire_unit *u,
                                        const struct sip_message *m, slice contact)
{
    struct registration *b = registration_new();
    const struct sip_header *agent = sip_header_find(m, SIP_H_USER_AGENT);

    if (!b)
        return NULL;
    b->call_id = arena_slice(&b->arena, m->call_id);      /* identity: whole, however long */
    b->aor = arena_slice(&b->arena, m->to.uri);
    b->from_tag = track_keep(&b->arena, m->from.tag);
    b->contact = track_keep(&b->arena, contact);
    b->user_agent = agent && m->is_request ? track_keep(&b->arena, agent->value) : (slice){0};
    b->client = m->is_request ? u->src : u->dst;
    b->registrar = m->is_request ? u->dst : u->src;
    b->transport = (uint8_t)u->transport;
    b->first_ns = b->last_ns = u->time_ns;
    b->first_frame = b->last_frame = u->frame;
    b->index = ++t->next_registration;
    t->counts.registrations++;
    if (!b->call_id.ptr || !b->aor.ptr)
        return registration_free(b);
    return b;
}

static struct registrant *registrant_free(struct registrant *r)
{
    if (r) {
        for (size_t i = 0; i < r->count; i++)
            registration_free(r->bindings[i]);
        seen_done(&r->seen);
        free(r);
    }
    return NULL;
}

static struct registrant *registrant_open(struct tracker *t, const struct wire_unit *u,
                                          const struct sip_message *m, uint64_t hash)
{
    if (!track_may_grow(t))
        return NULL;
    struct registrant *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->bindings[0] = binding_new(t, u, m, (slice){0});
    r->count = r->bindings[0] != NULL;
    if (!r->count ||
        track_enter(t, &r->live, LIVE_REGISTRATION, r->bindings[0]->call_id, hash, u->time_ns) < 0)
        return registrant_free(r);
    return r;
}

/* The record of a contact; the first record starts without one and takes the first contact. */
static struct registration *binding_of(struct tracker *t, struct registrant *r,
                                       const struct wire_unit *u, const struct sip_message *m,
                                       slice contact)
{
    for (size_t i = 0; i < r->count; i++)
        if (sip_uri_same(r->bindings[i]->contact, contact))
            return r->bindings[i];
    if (r->count == 1 && r->bindings[0]->contact.len == 0 && !r->bindings[0]->all_contacts) {
        r->bindings[0]->contact = track_keep(&r->bindings[0]->arena, contact);
        return r->bindings[0];
    }
    struct registration *b = r->count < CONTACTS_MAX ? binding_new(t, u, m, contact) : NULL;

    if (!b) {
        r->bindings[0]->tables_full = true;
        return NULL;
    }
    r->bindings[r->count++] = b;
    return b;
}

static void binding_step(struct registration *b, enum registration_event event)
{
    registration_step(b, event);
}

/* ---- the request: what is asked for ------------------------------------------------------ */

static bool binding_is_bound(const struct registration *b)
{
    return b->state == REGISTRATION_REGISTERED || b->state == REGISTRATION_REFRESHING;
}

/* Its newest request has no answer yet that decides. */
static bool binding_waits(const struct registration *b)
{
    return b->state == REGISTRATION_REGISTERING || b->state == REGISTRATION_REFRESHING ||
           b->state == REGISTRATION_UNREGISTERING;
}

static void binding_expire(struct registration *b, int64_t now_ns)
{
    if (!binding_is_bound(b) || b->expires_ns > now_ns)
        return;
    b->reason = REGISTRATION_EXPIRED;
    b->removed_ns = b->expires_ns;
    binding_step(b, REGISTRATION_EV_EXPIRED);
}

static void binding_ask(struct registration *b, const struct wire_unit *u, bool remove)
{
    binding_expire(b, u->time_ns);                        /* a phone that comes back too late */
    b->asked_ns = u->time_ns;
    binding_step(b, remove ? REGISTRATION_EV_REMOVE : REGISTRATION_EV_ASK);
}

static bool read_auth(const struct sip_message *m, enum sip_header_id first, enum sip_header_id second,
                      struct sip_auth *ret)
{
    const struct sip_header *h = sip_header_find(m, first);
    slice rest;

    if (!h && !(h = sip_header_find(m, second)))
        return false;
    rest = h->value;
    return sip_auth_next(&rest, ret);
}

/* Who asks, from where: one phone that moves, or one that knows its password. */
static void registrant_note_asker(struct registrant *r, const struct wire_unit *u, const struct sip_message *m)
{
    struct sip_auth auth;

    r->credentials = read_auth(m, SIP_H_AUTHORIZATION, SIP_H_PROXY_AUTHORIZATION, &auth);
    for (size_t i = 0; i < r->count; i++) {
        struct registration *b = r->bindings[i];

        if (r->credentials)
            track_keep_newer(&b->arena, &b->user, auth.username);
        if (b->client_last.family && !address_eq(&b->client_last, &u->src)) {
            b->client_before = b->client_last;
            b->moves++;
        }
        b->client_last = u->src;
    }
}

static void registrant_ask(struct tracker *t, struct registrant *r, const struct wire_unit *u,
                           const struct sip_message *m)
{
    struct contacts contacts = contacts_of(m);
    struct contact contact;
    uint32_t named = 0;

    r->cseq = m->cseq.number;
    r->final = 0;
    r->asked_all = false;
    while (contacts_next(&contacts, &contact)) {
        named++;
        if (slice_eq(contact.uri, SLICE("*"))) {
            r->asked_all = true;
            continue;
        }
        struct registration *b = binding_of(t, r, u, m, contact.uri);

        if (b) {
            b->asked_s = contact.expires_s;
            binding_ask(b, u, contact.expires_s == 0);
        }
    }
    if (r->asked_all && r->count == 1 && r->bindings[0]->contact.len == 0)
        r->bindings[0]->contact = track_keep(&r->bindings[0]->arena, SLICE("*"));
    for (size_t i = 0; r->asked_all && i < r->count; i++) {
        r->bindings[i]->all_contacts = true;
        binding_ask(r->bindings[i], u, true);
    }
    if (named == 0 && !binding_is_bound(r->bindings[0]))  /* only asks what is bound (10.2.3) */
        binding_ask(r->bindings[0], u, false);
}

/* ---- the response: what was granted ------------------------------------------------------ */

static void binding_bound(struct registration *b, const struct wire_unit *u, uint32_t expires_s)
{
    if (b->state == REGISTRATION_REFRESHING)
        b->refreshes++;
    else if (b->state != REGISTRATION_REGISTERED)         /* else only listed beside another */
        b->registered_ns = u->time_ns;
    b->expires_s = expires_s;
    b->expires_ns = u->time_ns + (int64_t)expires_s * SECOND_NS;
    b->removed_ns = 0;
    b->reason = REGISTRATION_NO_REASON;
    binding_step(b, REGISTRATION_EV_BOUND);
}

static void binding_unbound(struct registration *b, const struct wire_unit *u)
{
    bool asked = b->state == REGISTRATION_UNREGISTERING;

    if (b->state == REGISTRATION_UNREGISTERED)
        return;
    b->removed_ns = u->time_ns;
    if (b->contact.len)                                   /* a query loses nothing */
        b->reason = asked ? REGISTRATION_ASKED : REGISTRATION_DISPLACED;
    binding_step(b, REGISTRATION_EV_UNBOUND);
}

static bool granted(const struct sip_message *m, slice contact, uint32_t *ret_expires_s)
{
    struct contacts contacts = contacts_of(m);
    struct contact c;

    while (contacts_next(&contacts, &c))
        if (sip_uri_same(c.uri, contact)) {
            *ret_expires_s = c.expires_s;
            return true;
        }
    return false;
}

static void registrant_granted(struct registrant *r, const struct wire_unit *u,
                               const struct sip_message *m)
{
    bool lists_any = sip_header_find(m, SIP_H_CONTACT) != NULL;

    for (size_t i = 0; i < r->count; i++) {
        struct registration *b = r->bindings[i];
        bool removing = b->state == REGISTRATION_UNREGISTERING;
        uint32_t expires_s = 0;

        if (granted(m, b->contact, &expires_s) && expires_s > 0)
            binding_bound(b, u, expires_s);
        else if (lists_any || removing || b->contact.len == 0 || b->state == REGISTRATION_NEW)
            binding_unbound(b, u);
        else if (b->state != REGISTRATION_REGISTERED)     /* a 2xx without the list it must have */
            binding_bound(b, u, contacts_expires_s(m));
    }
}

/* Codes that ask for the same REGISTER again with something added. */
static bool is_challenge(uint16_t status)
{
    return status == 401 || status == 407 || status == 423 || status == 494;
}

/* A challenge to what carried credentials: wrong, or too old. */
static void binding_challenged(struct registration *b, const struct registrant *r, const struct wire_unit *u,
                               const struct sip_message *m)
{
    struct sip_auth auth;

    b->challenged = true;
    if (!read_auth(m, SIP_H_WWW_AUTHENTICATE, SIP_H_PROXY_AUTHENTICATE, &auth))
        return;
    track_keep_newer(&b->arena, &b->realm, auth.realm);
    if (!r->credentials)
        return;
    b->challenges++;
    b->stale = (uint16_t)(b->stale + auth.stale);
    b->challenge_frame = u->frame;
}

static void registrant_refused(struct registrant *r, const struct wire_unit *u, const struct sip_message *m)
{
    for (size_t i = 0; i < r->count; i++) {
        struct registration *b = r->bindings[i];

        if (!binding_waits(b))
            continue;                                     /* was not asked about */
        if (m->status == 423) {
            b->min_expires_s = contacts_min_expires_s(m);
            b->too_brief++;
        }
        if (m->status == 401 || m->status == 407)
            binding_challenged(b, r, u, m);
        if (!is_challenge(m->status)) {
            b->failures++;
            binding_step(b, REGISTRATION_EV_REFUSED);
        }
    }
}

static void registrant_answered(struct registrant *r, const struct wire_unit *u,
                                const struct sip_message *m)
{
    r->final = m->status;
    for (size_t i = 0; i < r->count; i++) {
        r->bindings[i]->final = m->status;
        r->bindings[i]->final_frame = u->frame;
        track_keep_newer(&r->bindings[i]->arena, &r->bindings[i]->phrase, m->reason);
    }
    if (m->status < 300)
        registrant_granted(r, u, m);
    else
        registrant_refused(r, u, m);
}

/* ---- every message ------------------------------------------------------------------------- */

static int64_t registrant_deadline(const struct tracker *t, const struct registrant *r)
{
    int64_t until_ns = 0;

    for (size_t i = 0; i < r->count; i++) {
        const struct registration *b = r->bindings[i];

        if (binding_is_bound(b))
            until_ns = track_max(until_ns, b->expires_ns);
        until_ns = track_max(until_ns, b->last_ns + 260 * t->settings.t1_ns);   /* 128 s, as in VoLTE */
    }
    return until_ns;
}

static size_t registrant_bytes(const struct registrant *r)
{
    size_t bytes = sizeof *r + seen_memory_bytes(&r->seen);

    for (size_t i = 0; i < r->count; i++)
        bytes += registration_memory_bytes(r->bindings[i]);
    return bytes;
}

static void registrant_note(struct registrant *r, const struct wire_unit *u,
                            const struct sip_message *m, enum seen_kind kind)
{
    for (size_t i = 0; i < r->count; i++) {
        struct registration *b = r->bindings[i];

        b->last_ns = track_max(b->last_ns, u->time_ns);
        b->last_frame = u->frame;
        b->requests += kind == SEEN_NEW && m->is_request;
        b->retransmissions += kind == SEEN_AGAIN;
        b->copies += kind == SEEN_COPY || kind == SEEN_HOP_COPY;
        b->flaws = (uint16_t)(b->flaws + m->flaw_count);
        b->tables_full |= r->seen.full || track_text_full(&b->arena);
    }
}

static void registrant_tell(const struct tracker *t, struct registrant *r)
{
    for (size_t i = 0; t->observer.registration_changed && i < r->count; i++) {
        struct registration *b = r->bindings[i];
        uint32_t refused = registration_refusals(b);

        if (r->told[i].state == b->state && r->told[i].refused == refused)
            continue;
        r->told[i].state = b->state;
        r->told[i].refused = refused;
        t->observer.registration_changed(t->observer.ctx, b);
    }
}

bool track_registration_message(struct tracker *t, const struct wire_unit *u,
                                const struct sip_message *m)
{
    if (m->method != SIP_REGISTER)
        return false;
    uint64_t hash = track_hash(t, m->call_id);
    struct registrant *r = registrant_find(t, m, hash);

    if (!r && !(r = registrant_open(t, u, m, hash)))
        return false;
    struct seen_about about = { .callee_tag = m->is_request ? (slice){0} : m->to.tag };
    struct seen_verdict verdict = seen_note(&r->seen, &r->bindings[0]->arena, u, m, &about);

    if (m->is_request && verdict.kind == SEEN_NEW && m->cseq.number >= r->cseq)
        registrant_ask(t, r, u, m);
    if (m->is_request && verdict.kind == SEEN_NEW)
        registrant_note_asker(r, u, m);
    registrant_note(r, u, m, verdict.kind);
    if (!m->is_request && m->status >= 200 && verdict.kind == SEEN_NEW &&
        (m->cseq.number == r->cseq || r->cseq == 0))
        registrant_answered(r, u, m);
    track_until(t, &r->live, registrant_deadline(t, r));
    track_recount(t, &r->live, registrant_bytes(r));
    track_tell(t, &(struct track_sighting){ .unit = u, .message = m, .registration = r->bindings[0],
                                            .kind = verdict.kind });
    registrant_tell(t, r);
    return true;
}

/* ---- closing ------------------------------------------------------------------------------- */

static void binding_settle(const struct tracker *t, struct registration *b, uint16_t final)
{
    binding_expire(b, t->now_ns);
    if (b->state == REGISTRATION_REGISTERING && is_challenge(final)) {
        b->failures++;                                    /* the challenge was never answered */
        binding_step(b, REGISTRATION_EV_REFUSED);
    }
}

void track_registration_due(struct tracker *t, struct live *l)
{
    struct registrant *r = live_item(l, struct registrant);

    for (size_t i = 0; i < r->count; i++)
        if (r->final == 0 && binding_waits(r->bindings[i])) {
            registration_step(r->bindings[i], REGISTRATION_EV_SILENCE);
            if (r->bindings[i]->state == REGISTRATION_FAILED)
                r->bindings[i]->reason = REGISTRATION_NETWORK;
        }
    track_registration_close(t, l, false);
}

void track_registration_close(struct tracker *t, struct live *l, bool at_end)
{
    struct registrant *r = live_item(l, struct registrant);

    track_leave(t, l);
    for (size_t i = 0; i < r->count; i++) {
        struct registration *b = r->bindings[i];

        binding_settle(t, b, r->final);
        b->open_at_end = at_end && b->state != REGISTRATION_UNREGISTERED && b->state != REGISTRATION_FAILED;
        if (t->observer.registration_closed && t->observer.registration_closed(t->observer.ctx, b))
            r->bindings[i] = NULL;
    }
    registrant_free(r);
}
