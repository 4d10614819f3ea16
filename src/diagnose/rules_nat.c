/* diagnose/rules_nat.c - address translation, firewalls, and what the network itself reported.
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"

/* ---- private addresses ------------------------------------------------------------------------------ */

/* Nothing reached this side, or all of it went to the private address that nobody routes. */
static bool hears_nothing(const struct casefile *k, bool callee)
{
    const struct case_way *to = &k->way[!callee];
    const struct address *named = &k->facts->sdp[callee].media;

    if (to->after_answer == 0)
        return true;
    return to->first == to->last && address_same_ip(&to->first->dst, named);
}

static bool private_sdp(const struct casefile *k, struct candidate *c)
{
    for (unsigned callee = 0; callee < 2; callee++) {
        const struct call_sdp *sdp = &k->facts->sdp[callee];

        if (!(sdp->flags & CALL_SDP_NAT) || (sdp->flags & CALL_SDP_RELAYED) || !hears_nothing(k, callee))
            continue;
        prove_frame(c, sdp->frame, SLICE("SDP"));
        prove_stream(c, k->way[!callee].first);
        prove(c, k->answer);
        say_host(c, "address", &sdp->media);
        say_host(c, "address_other", case_side(k, callee));
        sure_if(c, k->way[!callee].after_answer || k->way[callee].after_answer);
        return true;
    }
    return false;
}

static const struct trace_message *lost_towards(const struct casefile *k, bool callee)
{
    static const enum sip_method methods[] = { SIP_BYE, SIP_INVITE, SIP_UPDATE, SIP_INFO };

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        const struct trace_message *m = k->unanswered[methods[i]].request;

        if (m && !(m->traits & TRACE_FROM_CALLEE) == callee)
            return m;
    }
    return callee && k->call->ack == CALL_ACK_LOST ? k->ack ? k->ack : k->answer
         : callee && k->answer && k->answer->repeats >= 3 ? k->answer : NULL;
}

static bool private_contact(const struct casefile *k, struct candidate *c)
{
    for (unsigned callee = 0; callee < 2; callee++) {
        const struct address *contact = &k->facts->contact[callee], *from = &k->facts->contact_from[callee];
        const struct trace_message *lost;

        if (!contact->family || !address_is_private(contact) || !from->family || address_is_private(from) ||
            !(lost = lost_towards(k, callee)))
            continue;
        prove(c, callee ? k->answer : k->invite);
        prove(c, lost);
        prove(c, k->bye);
        say_host(c, "address", contact);
        say_host(c, "address_other", from);
        sure_if(c, address_same_ip(case_target(k, lost), contact));
        return true;
    }
    return false;
}

/* A router that changes half of what belongs together: seen only where it does harm. */
static bool sip_alg(const struct casefile *k, struct candidate *c)
{
    bool refused = k->call->final == 400;

    for (unsigned callee = 0; callee < 2; callee++) {
        const struct call_sdp *sdp = &k->facts->sdp[callee];
        bool deaf = (k->marks & K_VISIBLE) && (k->marks & K_TALKED) && k->way[!callee].after_answer == 0 &&
                    k->way[callee].after_answer >= 50;

        if (!(sdp->flags & CALL_SDP_ALG) || !(deaf || (refused && !callee)))
            continue;
        prove_frame(c, sdp->frame, SLICE("SDP"));
        prove(c, k->final);
        say_text(c, "header", SLICE("SDP c="));
        say_host(c, "address", callee ? &k->facts->contact[1] : k->facts->via_sent_by.family
                                                                 ? &k->facts->via_sent_by : &sdp->media);
        say_host(c, "address_other", &sdp->media);
        c->certainty = VERDICT_LIKELY;
        return true;
    }
    return false;
}

/* The Via and the Contact disagree: one of them was rewritten on the way, and the message was refused. */
static bool sip_alg_headers(const struct casefile *k, struct candidate *c)
{
    const struct address *via = &k->facts->via_sent_by, *contact = &k->facts->contact[0];

    const struct address *media = &k->facts->sdp[0].media;
    bool of_contact = contact->family && address_same_ip(contact, &k->call->caller_addr);
    bool of_media = media->family && address_same_ip(media, &k->call->caller_addr);

    if (k->call->final != 400 || !via->family || !address_is_private(via) ||
        address_is_private(&k->call->caller_addr) || !(of_contact || of_media))
        return false;
    prove(c, k->invite);
    prove(c, k->final);
    say_text(c, "header", of_contact ? SLICE("Contact") : SLICE("SDP c="));
    say_host(c, "address", via);
    say_host(c, "address_other", of_contact ? contact : media);
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool reply_path(const struct casefile *k, struct candidate *c)
{
    const struct address *via = &k->facts->via_sent_by, *from = &k->call->caller_addr;

    if (!(k->facts->invite_flags & CALL_INVITE_NO_RPORT) || !via->family || address_same_ip(via, from) ||
        !address_is_private(via) || (k->marks & K_ANSWERED) || !k->invite || k->invite->repeats < 2)
        return false;
    prove(c, k->invite);
    say_address(c, "address", from);
    say_address(c, "address_other", via);
    return true;
}

/* Voice goes to the address of the SDP although that side's own voice comes from another one. */
static bool media_not_learned(const struct casefile *k, struct candidate *c)
{
    for (unsigned callee = 0; callee < 2; callee++) {
        const struct stream *own = k->way[callee].last, *to = k->way[!callee].last;

        if (!own || !to || !own->unnamed_source || own->packets < 50 || address_same_ip(&own->src, &to->dst) ||
            !address_same_ip(&to->dst, &k->facts->sdp[callee].media) || !address_is_private(&to->dst) ||
            address_is_private(&own->src))
            continue;
        prove_stream(c, own);
        prove_stream(c, to);
        say_address(c, "address", &to->dst);
        say_address(c, "address_other", &own->src);
        return true;
    }
    return false;
}

/* An announcement before the answer goes where it cannot arrive: refused there, or a private address. */
static bool early_media_blocked(const struct casefile *k, struct candidate *c)
{
    const struct incident *found = &k->incidents[CALL_INCIDENT_MEDIA_TO_CALLER];
    const struct call_sdp *caller = &k->facts->sdp[0];

    for (const struct list *l = k->call->streams.next; l != &k->call->streams; l = l->next) {
        const struct stream *s = list_item(l, struct stream, in_list);
        bool lost = (caller->flags & CALL_SDP_NAT) && !(caller->flags & CALL_SDP_RELAYED) &&
                    address_same_ip(&s->dst, &caller->media);
        bool refused = found->count >= 3 && address_same_ip(&found->dst, &s->dst);

        if (s->side != STREAM_FROM_CALLEE || s->packets < 50 || !(lost || refused))
            continue;
        prove_stream(c, s);
        prove_frame(c, refused ? found->first_frame : caller->frame,
                    refused ? wire_incident_name((enum wire_incident_kind)found->kind) : SLICE("SDP"));
        say_seconds(c, "seconds", s->last_ns - s->first_ns);
        say_address(c, "address", &s->src);
        sure_if(c, refused);
        return true;
    }
    return false;
}

static bool ice_failed(const struct casefile *k, struct candidate *c)
{
    uint32_t both = k->facts->sdp[0].flags & k->facts->sdp[1].flags;

    if (!(both & CALL_SDP_ICE) || k->way[0].packets || k->way[1].packets || k->call->media.other_packets ||
        !k->call->media.described)
        return false;
    prove_frame(c, k->facts->sdp[0].frame, SLICE("SDP"));
    prove_frame(c, k->facts->sdp[1].frame, SLICE("SDP"));
    prove(c, k->bye);
    say_number(c, "count", (int64_t)k->facts->sdp[0].candidates + k->facts->sdp[1].candidates);
    c->certainty = VERDICT_LIKELY;
    return true;
}

/* ---- phones behind a router, by their registration ------------------------------------------------------ */

static const struct history_binding *binding_at(const struct casefile *k)
{
    const struct history_binding *b = diagnose_history_binding(k->context->history, k->call->request_uri);
    struct address callee = k->call->callee_addr;

    if (!b)
        b = diagnose_history_binding(k->context->history, k->call->to.uri);
    callee.port = 0;
    return b && address_same_ip(&b->client, &callee) && b->registered_ns && b->until_ns > k->call->invite_ns ? b : NULL;
}

static bool unreachable_phone(const struct casefile *k, const struct history_binding **ret)
{
    *ret = k->invite && k->invite->repeats >= 2 && !k->from_callee ? binding_at(k) : NULL;
    return *ret != NULL;
}

static bool binding_lost(const struct casefile *k, struct candidate *c)
{
    const struct history_binding *b;

    if (!unreachable_phone(k, &b) || k->call->invite_ns - b->registered_ns < 30 * SECOND_NS)
        return false;
    prove_frame(c, b->frame, SLICE("200 OK (REGISTER)"));
    prove(c, k->invite);
    say_seconds(c, "seconds", k->call->invite_ns - b->registered_ns);
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool blocks_call(const struct casefile *k, struct candidate *c)
{
    const struct history_binding *b;

    if (!unreachable_phone(k, &b) || k->call->invite_ns - b->registered_ns >= 30 * SECOND_NS)
        return false;
    prove_frame(c, b->frame, SLICE("200 OK (REGISTER)"));
    prove(c, k->invite);
    say_number(c, "count", k->invite->repeats + 1);
    c->certainty = VERDICT_LIKELY;
    return true;
}

/* ---- what the network reported ---------------------------------------------------------------------------- */

static const struct incident *incident_of(const struct casefile *k, unsigned kinds)
{
    static const uint8_t abouts[] = { CALL_INCIDENT_TO_CALLEE, CALL_INCIDENT_TO_CALLER,
                                      CALL_INCIDENT_NEXT_HOP };

    for (size_t i = 0; i < ARRAY_LEN(abouts); i++) {
        const struct incident *found = &k->incidents[abouts[i]];

        if (found->count && (kinds & 1u << found->kind))
            return found;
    }
    return NULL;
}

/* A call ends so when the way fails; any other code came from somebody who was reached all the same,
 * and what is reported after the end (a port that its owner closed) did not cause it. */
static bool explains_end(const struct casefile *k, const struct incident *found)
{
    static const uint16_t failures[] = { 0, 408, 477, 478, 480, 487, 500, 502, 503, 504 };      /* 477, 478: Kamailio */
    int64_t end_ns = k->call->cancel_ns ? k->call->cancel_ns : k->call->ended_ns;

    if (k->marks & K_ANSWERED)
        return true;
    if (end_ns && found->first_ns > end_ns)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(failures); i++)
        if (failures[i] == k->call->final)
            return true;
    return false;
}

static bool is_within(const struct casefile *k, int64_t ns)
{
    return ns >= k->call->invite_ns && ns <= k->call->last_ns + SECOND_NS;
}

static bool tell_incident(const struct casefile *k, struct candidate *c, const struct incident *found)
{
    if (!found || (k->marks & K_ANSWERED && !k->unanswered[SIP_BYE].request && found->kind != WIRE_TCP_BROKEN))
        return false;
    /* The record sums up what failed there in all calls, and keeps the frames of the ends only. */
    bool first = is_within(k, found->first_ns), last = is_within(k, found->last_ns), explains = explains_end(k, found);

    if (!first && !last && !explains)
        return false;
    sure_if(c, first || last);
    c->weight = explains ? c->weight : 0;
    prove_frame(c, first ? found->first_frame : found->last_frame,
                wire_incident_name((enum wire_incident_kind)found->kind));
    prove(c, k->invite);
    say_address(c, "address", &found->dst);
    say_seconds(c, "seconds", case_gap_ns(found->first_ns, found->last_ns));
    return true;
}

static bool icmp_unreachable(const struct casefile *k, struct candidate *c)
{
    return tell_incident(k, c, incident_of(k, 1u << WIRE_ICMP_UNREACHABLE | 1u << WIRE_ICMP_EXPIRED));
}
static bool icmp_port_closed(const struct casefile *k, struct candidate *c)
{
    return tell_incident(k, c, incident_of(k, 1u << WIRE_ICMP_PORT_CLOSED));
}
static bool too_big(const struct casefile *k, struct candidate *c)
{
    const struct incident *found = incident_of(k, 1u << WIRE_ICMP_TOO_BIG);

    if (!tell_incident(k, c, found))
        return false;
    say_number(c, "count", k->invite ? (int64_t)k->invite->repeats + 1 : (int64_t)found->count);
    return true;
}
static bool tcp_refused(const struct casefile *k, struct candidate *c)
{
    return tell_incident(k, c, incident_of(k, 1u << WIRE_TCP_REFUSED));
}
static bool tcp_no_connection(const struct casefile *k, struct candidate *c)
{
    return tell_incident(k, c, incident_of(k, 1u << WIRE_TCP_NO_ANSWER));
}
static bool tcp_broken(const struct casefile *k, struct candidate *c)
{
    const struct incident *found = incident_of(k, 1u << WIRE_TCP_BROKEN);

    if (k->call->bye_final || (found && k->call->bye_ns && found->first_ns > k->call->bye_ns))
        return false;
    return tell_incident(k, c, found);
}

static bool is_certificate_alert(unsigned description)        /* RFC 8446, 6.2 */
{
    return (description >= 42 && description <= 46) || description == 48 || description == 113 || description == 116;
}

static bool tls_failed(const struct casefile *k, struct candidate *c, bool certificate)
{
    const struct incident *found = incident_of(k, 1u << WIRE_TLS_ALERT);

    if (!found || is_certificate_alert(found->code) != certificate || !tell_incident(k, c, found))
        return false;
    say_text(c, "value", wire_tls_alert_name(found->code));
    return true;
}
static bool tls_handshake(const struct casefile *k, struct candidate *c) { return tls_failed(k, c, false); }
static bool tls_certificate(const struct casefile *k, struct candidate *c) { return tls_failed(k, c, true); }

/* Voice is sent, and the network says that it does not get through. */
static bool blocks_media(const struct casefile *k, struct candidate *c)
{
    for (unsigned callee = 0; callee < 2; callee++) {
        const struct incident *found = &k->incidents[callee ? CALL_INCIDENT_MEDIA_TO_CALLEE
                                                                   : CALL_INCIDENT_MEDIA_TO_CALLER];

        if (!found->count || found->count < 3 || k->call->answered_ns == 0 ||
            (k->call->ended_ns && found->first_ns > k->call->ended_ns))
            continue;
        prove_frame(c, found->first_frame, wire_incident_name((enum wire_incident_kind)found->kind));
        prove_stream(c, k->way[!callee].first);
        say_address(c, "address", &found->dst);
        sure_if(c, found->kind == WIRE_ICMP_UNREACHABLE);
        return true;
    }
    return false;
}

static const struct rule rules[] = {
    { CAUSE_NAT_PRIVATE_ADDRESS_SDP, 72, K_ANSWERED | K_VISIBLE | K_TALKED | K_STREAMS, private_sdp },
    { CAUSE_NAT_PRIVATE_CONTACT, 86, K_ANSWERED, private_contact },
    { CAUSE_SIP_ALG, 70, K_OFFER, sip_alg },
    { CAUSE_SIP_ALG, 60, K_REFUSED, sip_alg_headers },
    { CAUSE_NAT_REPLY_PATH, 0, K_REPEATED, reply_path },
    { CAUSE_NAT_MEDIA_NOT_LEARNED, 68, K_ANSWERED | K_STREAMS | K_TALKED, media_not_learned },
    { CAUSE_EARLY_MEDIA_BLOCKED, 44, K_RANG | K_STREAMS | K_REFUSED, early_media_blocked },
    { CAUSE_EARLY_MEDIA_BLOCKED, 44, K_RANG | K_STREAMS | K_CANCELLED, early_media_blocked },
    { CAUSE_ICE_FAILED, 74, K_ANSWERED | K_TALKED | K_VISIBLE | K_OFFER | K_ANSWER_SDP, ice_failed },
    { CAUSE_NAT_BINDING_LOST, 64, K_NO_REPLY | K_HISTORY, binding_lost },
    { CAUSE_FIREWALL_BLOCKS_CALL, 62, K_NO_REPLY | K_HISTORY, blocks_call },
    { CAUSE_ICMP_UNREACHABLE, 74, K_INCIDENT, icmp_unreachable },
    { CAUSE_ICMP_PORT_CLOSED, 74, K_INCIDENT, icmp_port_closed },
    { CAUSE_INVITE_FRAGMENT_LOST, 74, K_INCIDENT, too_big },
    { CAUSE_TCP_REFUSED, 74, K_INCIDENT, tcp_refused },
    { CAUSE_TCP_NO_CONNECTION, 72, K_INCIDENT, tcp_no_connection },
    { CAUSE_TCP_BROKEN, 56, K_INCIDENT, tcp_broken },
    { CAUSE_TLS_HANDSHAKE_FAILED, 74, K_INCIDENT, tls_handshake },
    { CAUSE_TLS_CERTIFICATE_REFUSED, 76, K_INCIDENT, tls_certificate },
    { CAUSE_FIREWALL_BLOCKS_MEDIA, 70, K_INCIDENT | K_ANSWERED, blocks_media },
};
const struct rule_table rules_nat = { rules, ARRAY_LEN(rules), 0 };
