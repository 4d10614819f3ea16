/* switch/b2bua_refer.c - a REFER that comes in, the call that it asks for, what its sender hears (RFC 3515, 7647)
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/code.h"
#include "sip/build.h"
#include "sip/fields.h"
#include "sip/route.h"
#include "sip/uri.h"
#include "sip/values.h"
#include "switch/b2bua_transfer_int.h"
#include "switch/checks.h"

enum { NOTES_MAX = 12, REPLACES_MAX = 512, URI_MAX = 2048, SUBSCRIPTION_S = 180 };

/* ---- what the referrer hears ---- */

static void put_event(struct out *o, const struct transfer *t)
{
    out_text(o, SLICE("Event: refer"));
    if (t->names_cseq) {
        out_text(o, SLICE(";id="));
        out_u64(o, t->cseq);
    }
    out_text(o, SLICE("\r\n"));
}

/* For whole seconds, and none at the end of it. */
static uint64_t listens_s(const struct transfer *t)
{
    int64_t left_ns = t->listens_ns - b2bua_now(t->b2bua);

    return left_ns > 0 ? (uint64_t)((left_ns + SECOND_NS - 1) / SECOND_NS) : 0;
}

/* The status line as it was, in a NOTIFY. A peer that rings in ever new ways is not quoted for ever. */
void transfer_notify(struct transfer *t, unsigned status, slice phrase, bool final)
{
    bool expired = !listens_s(t);
    struct b2bua *b = t->b2bua;
    struct relay *r;
    struct out *o;

    if (t->quiet || t->taken || !t->x || t->referrer->ended ||
        (!final && !expired && (status == t->told || t->notes >= NOTES_MAX)))
        return;
    t->notes++;
    t->told = (uint16_t)status;
    t->quiet = final || expired;
    out_clear(&b->scratch);
    sip_build_status(&b->scratch, status, phrase.len ? phrase : code_phrase(status));
    r = relay_start(t->x, NULL, t->referrer, NULL, NULL);
    o = r ? dialog_request(b->endpoint, &t->referrer->dialog, SIP_NOTIFY, (slice){ 0 }) : NULL;
    if (o) {
        r->method = SIP_NOTIFY;
        headers_ours(o, b, client_request_hop(b->endpoint), true);
        put_event(o, t);
        out_text(o, SLICE("Subscription-State: "));
        if (t->quiet) {
            out_text(o, final ? SLICE("terminated;reason=noresource\r\n") : SLICE("terminated;reason=timeout\r\n"));
        } else {
            out_text(o, SLICE("active;expires="));
            out_u64(o, listens_s(t));
            out_text(o, SLICE("\r\n"));
        }
        r->client = client_request_send(b->endpoint, SLICE("message/sipfrag;version=2.0"), out_taken(&b->scratch), r);
    }
    if (r && !r->client)
        relay_free(r);
}

/* RFC 6665, 4.2.2: who does not take it has no subscription any more. */
void transfer_unheard(const struct relay *r)
{
    const struct b2bua_call *c = r->call;

    if (r->method == SIP_NOTIFY && !r->from && c->transfer && !c->serves && r->to == c->transfer->referrer)
        c->transfer->quiet = true;
}

/* ---- the call that is made ---- */

/* Strangers are counted, too, by what is no name (router.h). */
static slice user_of(struct leg *leg)
{
    const struct tally_one *line = *leg_line(leg);
    uint16_t trunk;
    slice name = line && !trunk_of(leg, &trunk) ? tally_name(line) : (slice){ 0 };

    return name.len && (unsigned char)name.ptr[0] >= ' ' ? name : (slice){ 0 };
}

/* P-Asserted-Identity of a user of ours. */
static slice identity_of(struct leg *leg, struct b2bua_call *c)
{
    struct out *o = &c->b2bua->scratch;

    if (!user_of(leg).len)
        return (slice){ 0 };
    out_clear(o);
    out_text(o, SLICE("<sip:"));
    sip_build_text(o, user_of(leg));
    out_char(o, '>');
    return arena_slice(&c->setup->arena, out_taken(o));
}

/* Whose rights decide where it may go. */
bool transfer_rights(const struct b2bua_call *c, struct route_referrer *ret)
{
    const struct transfer *t = c->serves ? c->transfer : NULL;

    if (!t || t->taken)
        return false;
    *ret = (struct route_referrer){ 0 };                  /* who is gone has none */
    if (!t->x)
        return true;
    ret->user = user_of(t->referrer);
    ret->party = user_of(t->party);
    ret->gateway = trunk_of(t->referrer, &ret->trunk);
    return true;
}

static bool hides(const struct leg *leg)
{
    const struct b2bua_call *c = leg->call;

    return leg == &c->a && (c->caller_hides || c->privacy & (PRIVACY_ID | PRIVACY_USER | PRIVACY_HEADER));
}

static void write_invite(struct out *o, const struct transfer *t, const struct sip_message *refer, slice uri)
{
    const struct b2bua_call *x = t->x;

    out_clear(o);
    sip_build_request(o, SLICE("INVITE"), uri);
    out_text(o, SLICE("From: "));
    sip_build_text(o, t->party->dialog.remote);
    out_text(o, SLICE(";tag="));
    out_text(o, t->party->dialog.local_tag);
    out_text(o, SLICE("\r\nTo: <"));
    sip_build_text(o, uri);
    out_text(o, SLICE(">\r\n"));
    sip_build_header(o, SIP_H_CALL_ID, t->party->dialog.call_id);
    sip_build_cseq(o, 1, SLICE("INVITE"));
    sip_build_header(o, SIP_H_ALLOW, checks_allow());
    if (t->party == &x->a)
        privacy_ask(o, x->privacy);
    if (!hides(t->referrer) && !sip_build_copy(o, refer, SIP_H_REFERRED_BY))
        sip_build_header(o, SIP_H_REFERRED_BY, t->referrer->dialog.remote);
    sip_build_body(o, (slice){ 0 }, (slice){ 0 });
}

/* Its leg a is the party's seat: closed until it is taken. */
static bool begin_call(struct transfer *t, const struct sip_message *refer, slice uri)
{
    struct b2bua *b = t->b2bua;
    struct b2bua_call *x = t->x, *c;
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;

    write_invite(&b->scratch, t, refer, uri);
    if (b->scratch.error || sip_message_parse(out_taken(&b->scratch), SIP_DATAGRAM, room, SIP_HEADERS_MAX, &m) <= 0 ||
        !(c = setup_call(b, NULL, &m)))
        return false;
    t->t = c;
    c->transfer = t;
    c->serves = true;
    c->a.ended = true;
    c->session_timer = x->session_timer;
    c->reliable_mode = x->reliable_mode;
    c->precondition_mode = x->precondition_mode;
    if (t->party == &x->a) {
        c->caller_trusted = x->caller_trusted;
        c->caller_hides = x->caller_hides;
        c->privacy = x->privacy;
    }
    c->by_gateway = trunk_of(t->party, &c->caller_trunk);
    c->setup->asserted = identity_of(t->party, c);
    c->anchor_number = (uint32_t)b2bua_random(b) | 1;
    ring_all(c);                                          /* the party hears nothing of it, and cannot give up */
    if (!leg_copy_dialog(&c->arena, &t->party->dialog, &c->a.dialog))
        return false;
    out_clear(&b->scratch);
    out_char(&b->scratch, '<');
    sip_build_text(&b->scratch, uri);
    out_char(&b->scratch, '>');
    c->a.dialog.local = arena_slice(&c->arena, out_taken(&b->scratch));
    return c->a.dialog.local.ptr != NULL;
}

/* ---- REFER ---- */

static void refuse(struct server_transaction *s, unsigned status, slice phrase)
{
    server_reply(s, status, phrase);
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
}

/* The call that is to be joined with this one. */
static void find_consultation(struct transfer *t, const struct sip_replaces *name)
{
    struct leg *leg = transfer_leg_named(t->b2bua, name);
    unsigned status = leg && leg->call == t->x ? 603 : transfer_cannot_replace(leg, name);

    if (status) {
        transfer_note_end(t, status, (slice){ 0 });
        return;
    }
    t->y = leg->call;
    t->y->transfer = t;
    t->consult = leg;
    t->target = leg_other(leg);
    t->seat = seat_new(t->t, t->target);
    if (!t->seat) {
        transfer_note_end(t, 500, (slice){ 0 });
        return;
    }
    t->stage = JOINING;
    t->end_ns = b2bua_now(t->b2bua) + JOIN_MAX_NS;
    transfer_wake(t, 0);
}

/* 200 for who knows of RFC 4488 or later; who does not may wait for a 202 (RFC 7647, 2.2). */
static void accept_refer(struct transfer *t, struct server_transaction *s, const struct sip_message *m)
{
    const struct sip_header *sub = sip_header_find(m, SIP_H_REFER_SUB);
    bool modern = sub || sip_values_have(m, SIP_H_SUPPORTED, SLICE("norefersub")) ||
                  sip_values_have(m, SIP_H_SUPPORTED, SLICE("nosub"));
    struct out *o = server_reply(s, modern ? 200 : 202, (slice){ 0 });

    t->quiet = sub && slice_starts_nocase(slice_trim(sub->value), SLICE("false"));
    headers_ours(o, t->b2bua, server_hop(s), false);
    if (t->quiet)
        sip_build_header(o, SIP_H_REFER_SUB, SLICE("false"));
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
    t->told = 0;
}

/* The URI that is to be called: without headers, which are for the new request, and which it must
 * not choose. False: that is no call. */
static bool target_of(const struct sip_name_addr *addr, char *text, size_t room, slice *ret)
{
    struct sip_uri uri;
    slice method = SLICE("INVITE");
    size_t len = addr->uri.len;

    if (!sip_uri_parse(addr->uri, &uri) || (sip_param_find(uri.params, SLICE("method"), &method) &&
                                            !slice_eq_nocase(method, SLICE("INVITE"))))
        return false;
    if (uri.headers.len)
        len = (size_t)(uri.headers.ptr - addr->uri.ptr) - 1;
    if (len > room)
        return false;
    memcpy(text, addr->uri.ptr, len);
    *ret = slice_of(text, len);
    return true;
}

static unsigned read_refer_to(const struct sip_message *m, struct sip_name_addr *ret, slice *ret_phrase)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_REFER_TO);
    struct sip_uri uri;

    *ret_phrase = (slice){ 0 };
    if (transfer_count_of(m, SIP_H_REFER_TO) != 1 || !sip_name_addr_parse(h->value, ret) ||
        !sip_uri_parse(ret->uri, &uri)) {
        *ret_phrase = SLICE("Missing, Repeated or Unreadable Refer-To");
        return 400;
    }
    return uri.scheme == SIP_SCHEME_SIP || uri.scheme == SIP_SCHEME_SIPS || uri.scheme == SIP_SCHEME_TEL ? 0 : 416;
}

static void refer(struct leg *from, struct leg *party, struct server_transaction *s, const struct sip_message *m)
{
    struct b2bua_call *c = from->call;
    char text[URI_MAX], room[REPLACES_MAX];
    struct sip_replaces name;
    struct sip_name_addr addr;
    struct sip_uri parts;
    struct transfer *t;
    slice uri, phrase, replaces;
    unsigned status = read_refer_to(m, &addr, &phrase);

    if (c->b2bua->settings.transfer == B2BUA_TRANSFER_OFF) {
        refuse(s, 403, SLICE("Transfers Are Switched Off"));
    } else if (status) {
        refuse(s, status, phrase);
    } else if (c->phase != CALL_ANSWERED || !target_of(&addr, text, sizeof text, &uri)) {
        refuse(s, 603, (slice){ 0 });
    } else if (c->transfer) {
        refuse(s, 491, (slice){ 0 });
    } else if (sip_uri_parse(addr.uri, &parts) && sip_uri_header_find(parts.headers, SLICE("Replaces"), &replaces) &&
               !sip_refer_replaces(sip_header_find(m, SIP_H_REFER_TO)->value, room, sizeof room, &name)) {
        refuse(s, 400, SLICE("Unreadable Replaces in Refer-To"));
    } else if (!(t = transfer_new(c, from, party))) {
        refuse(s, 500, (slice){ 0 });
    } else {
        bool attended = sip_refer_replaces(sip_header_find(m, SIP_H_REFER_TO)->value, room, sizeof room, &name);

        t->cseq = m->cseq.number;
        t->listens_ns = b2bua_now(t->b2bua) + SUBSCRIPTION_S * SECOND_NS;
        t->names_cseq = c->refers != 0;
        c->refers = 1;
        accept_refer(t, s, m);
        transfer_notify(t, 100, (slice){ 0 }, false);
        transfer_wake(t, SUBSCRIPTION_S * SECOND_NS);
        if (!begin_call(t, m, uri))
            transfer_note_end(t, 503, (slice){ 0 });
        else if (attended)
            find_consultation(t, &name);
        else
            (void)setup_route(t->t, uri, (slice){ 0 });
    }
}

/* To the subscription that a REFER made (RFC 3515, 2.4.4): it can be kept or ended, there is nothing else to it. */
static void subscribe(struct leg *from, struct server_transaction *s, const struct sip_message *m)
{
    struct transfer *t = from->call->transfer;
    const struct sip_header *h = sip_header_find(m, SIP_H_EXPIRES);
    uint32_t expires_s = SUBSCRIPTION_S;

    if (!t || t->taken || from != t->referrer || t->quiet) {
        server_reply_plain(s, 481);
        return;
    }
    if (h && slice_to_u32(slice_trim(h->value), &expires_s) && expires_s > SUBSCRIPTION_S)
        expires_s = SUBSCRIPTION_S;
    struct out *o = server_reply(s, 200, (slice){ 0 });

    headers_ours(o, t->b2bua, server_hop(s), false);
    sip_build_header_u32(o, SIP_H_EXPIRES, expires_s);
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
    unsigned told = t->told;

    t->told = 0;
    t->listens_ns = b2bua_now(t->b2bua) + expires_s * SECOND_NS;
    if (t->stage == CALLING && !t->status)
        transfer_wake(t, expires_s * SECOND_NS);
    transfer_notify(t, told ? told : 100, (slice){ 0 }, false);
}

static bool is_of_refer(const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_EVENT);
    struct sip_event event;

    return h && sip_event_parse(h->value, &event) && slice_eq_nocase(event.package, SLICE("refer"));
}

/* The call that it names lives in another worker, and calls never move: the party is told, and takes the place
 * there itself, by an INVITE with Replaces, which is steered by the tag that is named. */
static bool consults_elsewhere(const struct b2bua *b, const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_REFER_TO);
    char room[REPLACES_MAX];
    struct sip_replaces name;
    unsigned worker;

    return !b->own_lines && h && sip_refer_replaces(h->value, room, sizeof room, &name) &&
           endpoint_token_worker(name.to_tag, &worker) && worker != endpoint_worker(b->endpoint);
}

bool transfer_request(struct leg *from, struct leg *to, struct server_transaction *s, const struct sip_message *m)
{
    struct b2bua_call *c = from->call;
    const struct transfer *t = c->transfer;

    if (c->serves && s == c->invite) {                    /* the INVITE itself: the media relay has seen its offer */
        server_set_owner(s, c);
        transfer_take_offer(c->transfer, m);
        return true;
    }
    if (c->serves || (t && to && to->ended && t->stage != JOINED && (to == t->referrer || to == t->consult))) {
        sip_build_header_u32(server_reply(s, 500, (slice){ 0 }), SIP_H_RETRY_AFTER, 1 + (uint32_t)(b2bua_random(c->b2bua) % 5));
        server_reply_send(s, (slice){ 0 }, (slice){ 0 });
        return true;
    }
    if (c->b2bua->settings.transfer == B2BUA_TRANSFER_THROUGH || !to || to->ended)
        return false;
    if (m->method == SIP_REFER && c->b2bua->settings.transfer != B2BUA_TRANSFER_OFF && consults_elsewhere(c->b2bua, m))
        return false;
    if (m->method == SIP_REFER)
        refer(from, to, s, m);
    else if (m->method == SIP_SUBSCRIBE && is_of_refer(m))
        subscribe(from, s, m);
    else
        return false;
    return true;
}
