/* track/log.c - see log.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "track/log.h"

#include "sip/auth.h"
#include "sip/route.h"
#include "sip/uri.h"
#include "sip/values.h"
#include "track/track_int.h"

/* ---- traits ----------------------------------------------------------------------------- */

/* A header whose presence alone is a trait. */
static const struct { uint16_t header; uint32_t trait; } present[] = {
    { SIP_H_AUTHORIZATION, TRACE_CREDENTIALS },
    { SIP_H_PROXY_AUTHORIZATION, TRACE_CREDENTIALS },
    { SIP_H_RETRY_AFTER, TRACE_RETRY_AFTER },
    { SIP_H_SESSION_EXPIRES, TRACE_SESSION_TIMER },
    { SIP_H_REASON, TRACE_REASON },
    { SIP_H_WARNING, TRACE_WARNING },
    { SIP_H_REPLACES, TRACE_REPLACES },
    { SIP_H_DIVERSION, TRACE_DIVERTED },
};

/* An option tag or method in a list; none is a part of another's name. */
static const struct { uint16_t header; slice word; uint32_t trait; } listed[] = {
    { SIP_H_REQUIRE, SLICE("100rel"), TRACE_NEEDS_100REL },
    { SIP_H_SUPPORTED, SLICE("100rel"), TRACE_KNOWS_100REL },
    { SIP_H_REQUIRE, SLICE("precondition"), TRACE_KNOWS_PRECOND },
    { SIP_H_SUPPORTED, SLICE("precondition"), TRACE_KNOWS_PRECOND },
    { SIP_H_ALLOW, SLICE("UPDATE"), TRACE_ALLOWS_UPDATE },
};

static bool lists(const struct sip_message *m, enum sip_header_id id, slice word)
{
    for (const struct sip_header *h = sip_header_find(m, id); h; h = sip_header_next(m, h))
        if (slice_find(h->value, word) >= 0)
            return true;
    return false;
}

static slice value_of(const struct sip_message *m, enum sip_header_id id)
{
    const struct sip_header *h = sip_header_find(m, id);

    return h ? h->value : (slice){0};
}

static uint32_t header_traits(const struct sip_message *m)
{
    uint32_t traits = 0;

    for (size_t i = 0; i < ARRAY_LEN(present); i++)
        if (m->first[present[i].header])
            traits |= present[i].trait;
    for (size_t i = 0; i < ARRAY_LEN(listed); i++)
        if (m->first[listed[i].header] && lists(m, (enum sip_header_id)listed[i].header, listed[i].word))
            traits |= listed[i].trait;
    if (m->first[SIP_H_P_EARLY_MEDIA] &&
        (sip_early_media_read(value_of(m, SIP_H_P_EARLY_MEDIA)) & (SIP_EARLY_SENDRECV | SIP_EARLY_SENDONLY)))
        traits |= TRACE_EARLY_MEDIA;
    if (m->first[SIP_H_ALERT_INFO] &&
        slice_find_nocase(value_of(m, SIP_H_ALERT_INFO), SLICE("call-waiting")) >= 0)
        traits |= TRACE_CALL_WAITING;
    if (m->method == SIP_INFO && slice_starts_nocase(m->content_type, SLICE("application/dtmf")))
        traits |= TRACE_DTMF;
    return traits;
}

/* Mandatory QoS, and is it there on this side? (RFC 3312, 5) */
static uint32_t precondition_traits(const struct sdp_media *media)
{
    slice lines = media->lines, name, value;
    struct sdp_precondition p;
    bool wanted = false, met = false;

    while (sdp_attr_next(&lines, &name, &value)) {
        if (!sdp_precondition_parse(name, value, &p))
            continue;
        if (p.kind == SDP_DESIRED && slice_eq_nocase(p.strength, SLICE("mandatory")))
            wanted = true;
        if (p.kind == SDP_CURRENT && !slice_eq_nocase(p.status, SLICE("remote")))
            met = slice_eq_nocase(p.direction, SLICE("sendrecv"));
    }
    return wanted ? TRACE_PRECONDITION | (met ? TRACE_QOS_MET : 0) : 0;
}

static uint32_t sdp_traits(const struct sdp *sdp)
{
    uint32_t traits = TRACE_SDP;
    unsigned held = 0, live = 0, receiving = 0;

    for (unsigned i = 0; i < sdp->media_count; i++) {
        const struct sdp_media *media = &sdp->media[i];

        held += sdp_is_hold(sdp, i);
        live += media->port != 0;
        receiving += media->port != 0 && sdp_media_direction(sdp, i) == SDP_RECVONLY;
        if (slice_eq(media->type, SLICE("image")))
            traits |= TRACE_T38;
        if (slice_eq(media->type, SLICE("video")) && media->port)
            traits |= TRACE_VIDEO;
        if (media->precondition_count)
            traits |= precondition_traits(media);
    }
    if (live && held == live)
        traits |= TRACE_HOLD;
    if (live && receiving == live)
        traits |= TRACE_RECVONLY;
    return traits;
}

static bool is_from_callee(const struct track_logged *about)
{
    return about->request_from_callee == about->message->is_request;
}

/* The nonce was too old, not the password wrong (RFC 7616, 3.3). */
static bool is_stale(const struct sip_message *m)
{
    slice rest = value_of(m, m->status == 407 ? SIP_H_PROXY_AUTHENTICATE : SIP_H_WWW_AUTHENTICATE);
    struct sip_auth auth;

    return slice_find_nocase(rest, SLICE("stale")) >= 0 && sip_auth_next(&rest, &auth) && auth.stale;
}

static uint32_t traits_of(const struct call *c, const struct track_logged *about)
{
    const struct sip_message *m = about->message;
    uint32_t traits = header_traits(m);

    if (is_from_callee(about))
        traits |= TRACE_FROM_CALLEE;
    if (m->is_request && m->to.tag.len)
        traits |= TRACE_IN_DIALOG;
    if (about->sdp)
        traits |= sdp_traits(about->sdp);
    if ((m->status == 401 || m->status == 407) && is_stale(m))
        traits |= TRACE_STALE;
    if (about->unit->cut)
        traits |= TRACE_CUT;
    if (about->unit->hep)
        traits |= TRACE_HEP;
    if (!m->is_request && m->status > 100 && c->to.tag.len && m->to.tag.len &&
        !about->request_from_callee && !slice_eq(c->to.tag, m->to.tag))
        traits |= TRACE_FORKED;
    return traits;
}

/* ---- the trace ---------------------------------------------------------------------------- */

static uint32_t rseq_of(const struct track_logged *about)
{
    struct sip_rack rack;

    if (about->message->is_request && about->message->method == SIP_PRACK &&
        sip_rack_parse(value_of(about->message, SIP_H_RACK), &rack))
        return rack.rseq;
    return about->rseq;
}

static uint16_t q850_of(const struct sip_message *m)
{
    slice rest = value_of(m, SIP_H_REASON);
    struct sip_reason reason;

    while (rest.len && sip_reason_next(&rest, &reason))
        if (slice_eq_nocase(reason.protocol, SLICE("Q.850")) && reason.has_cause && reason.cause < 128)
            return (uint16_t)reason.cause;
    return 0;
}

static uint16_t one_more(uint16_t count) { return (uint16_t)(count + (count < UINT16_MAX)); }

static void note_again(struct trace *trace, const struct trace_message *like, enum seen_kind kind)
{
    struct trace_message *m = trace_find(trace, like);

    if (!m)
        return;
    if (kind == SEEN_AGAIN && like->hop != m->hop) {
        m->far_repeats = one_more(m->far_repeats);
    } else if (kind == SEEN_AGAIN) {
        m->repeats = one_more(m->repeats);
        if (like->at_ns > m->at_ns)
            m->last_after_ms = (uint32_t)((like->at_ns - m->at_ns) / 1000000);
    } else {
        m->copies = one_more(m->copies);
    }
}

static void note_message(struct call *c, const struct track_logged *about)
{
    const struct sip_message *m = about->message;
    struct trace_message entry = {
        .at_ns = about->unit->time_ns, .frame = about->unit->frame, .cseq = m->cseq.number,
        .rseq = rseq_of(about), .bytes = (uint16_t)(m->all.len < UINT16_MAX ? m->all.len : UINT16_MAX), .status = m->is_request ? 0 : m->status,
        .method = (uint8_t)m->method, .hop = about->seen.hop,
        .vias = (uint8_t)(m->via_count < UINT8_MAX ? m->via_count : UINT8_MAX),
        .transport = (uint8_t)about->unit->transport,
        .traits = is_from_callee(about) ? TRACE_FROM_CALLEE : 0,
    };

    if (about->seen.kind != SEEN_NEW) {
        note_again(&c->trace, &entry, about->seen.kind);
        return;
    }
    entry.traits = traits_of(c, about);
    entry.q850 = entry.traits & TRACE_REASON ? q850_of(m) : 0;
    trace_add(&c->trace, &entry);
}

/* ---- facts: session descriptions ------------------------------------------------------------ */

static const struct sdp_media *first_audio(const struct sdp *sdp, unsigned *ret_index)
{
    for (unsigned i = 0; i < sdp->media_count; i++)
        if (slice_eq(sdp->media[i].type, SLICE("audio"))) {
            *ret_index = i;
            return &sdp->media[i];
        }
    return NULL;
}

#define MEDIA_LINES_MAX 1024u           /* more of an SDP says nothing about codecs */

static uint32_t address_flags(const struct sdp *sdp, const struct address *media,
                              const struct address *source)
{
    struct address origin;
    uint32_t flags = media->family == 6 ? CALL_SDP_IPV6 : 0;

    if (media->family && address_is_zero(media))
        return flags | CALL_SDP_ZERO;
    if (media->family && address_is_private(media)) {
        flags |= CALL_SDP_PRIVATE;
        if (!address_is_private(source))
            flags |= CALL_SDP_NAT;
    } else if (media->family && address_same_ip(media, source) &&
               address_parse_ip(sdp->origin.address.address, &origin) && address_is_private(&origin)) {
        flags |= CALL_SDP_ALG;                            /* c= is the sender's, o= was forgotten */
    }
    return flags;
}

/* AMR with octet-align=1 and without are two formats that do not understand each other (RFC 4867, 8.1). */
static uint32_t amr_flags(const struct sdp_media *media)
{
    slice formats = media->formats, fmtp;
    struct sdp_codec codec;
    unsigned payload_type;
    uint32_t flags = 0;

    while (sdp_format_next(&formats, &payload_type)) {
        if (payload_type < 96 || !sdp_codec_of(media, payload_type, &codec) ||
            !slice_starts_nocase(codec.name, SLICE("AMR")))
            continue;
        bool aligned = sdp_fmtp_of(media, payload_type, &fmtp) && slice_find_nocase(fmtp, SLICE("octet-align=1")) >= 0;

        flags |= CALL_SDP_AMR | (aligned ? CALL_SDP_AMR_ALIGNED : CALL_SDP_AMR_PACKED);
    }
    return flags;
}

static uint32_t candidate_flags(const struct sdp_media *media)
{
    slice lines = media->lines, name, value;
    struct sdp_candidate candidate;

    while (sdp_attr_next(&lines, &name, &value))
        if (slice_eq(name, SLICE("candidate")) && sdp_candidate_parse(value, &candidate) &&
            !slice_eq_nocase(candidate.type, SLICE("host")))
            return CALL_SDP_ICE | CALL_SDP_RELAYED;
    return CALL_SDP_ICE;
}

static uint32_t media_flags(const struct sdp *sdp, const struct sdp_media *media)
{
    uint32_t flags = 0;

    if (slice_find_nocase(media->proto, SLICE("SAVP")) >= 0)
        flags |= CALL_SDP_SRTP;
    if (media->crypto_count)
        flags |= CALL_SDP_CRYPTO;
    if (media->fingerprint.len || sdp->fingerprint.len)
        flags |= CALL_SDP_DTLS;
    if (media->candidate_count)
        flags |= candidate_flags(media);
    if (media->port == 0)
        flags |= CALL_SDP_REFUSED;
    return flags;
}

static uint32_t kinds_flags(const struct sdp *sdp)
{
    uint32_t flags = sdp->flaw_count ? CALL_SDP_FLAWED : 0;

    for (unsigned i = 0; i < sdp->media_count; i++) {
        if (slice_eq(sdp->media[i].type, SLICE("image")))
            flags |= CALL_SDP_T38;
        if (slice_eq(sdp->media[i].type, SLICE("video")) && sdp->media[i].port)
            flags |= CALL_SDP_VIDEO;
    }
    return flags;
}

/* An SDP in a request is an offer, and so is that in a response to an INVITE without one; what
 * the ACK or the PRACK bring then is the answer (RFC 3264, RFC 6337). */
static bool is_offer(const struct call *c, const struct sip_message *m)
{
    if (m->is_request)
        return m->method != SIP_ACK && !(m->method == SIP_PRACK && c->facts->late_offer);
    return m->method == SIP_INVITE && c->facts->late_offer && !c->answered;
}

/* Two answers of one dialog that want the media at two places: only a new offer may change that
 * (RFC 3261, 13.2.1). */
static void note_answer_change(struct call *c, const struct track_logged *about, const struct address *at)
{
    const struct call_sdp *before = &c->facts->sdp[1];
    const struct sip_message *m = about->message;

    if (m->is_request || m->method != SIP_INVITE || about->request_from_callee || c->answered ||
        !before->at_ns || (before->flags & CALL_SDP_OFFER) || !before->media.family ||
        before->at_ns < c->facts->sdp[0].at_ns || !slice_eq(c->to.tag, m->to.tag) ||
        address_eq(&before->media, at) || address_is_zero(at) || at->port == 0)
        return;
    c->facts->answer_before = before->media;
    c->facts->answer_before_frame = before->frame;
}

/* "session-id version" of the o= line, as one piece of the text. */
static slice origin_of(const struct sdp *sdp)
{
    const struct sdp_origin *o = &sdp->origin;

    if (!o->session_id.len || o->version.ptr < o->session_id.ptr)
        return o->session_id;
    return slice_of(o->session_id.ptr, (size_t)(o->version.ptr + o->version.len - o->session_id.ptr));
}

/* The same version of the same session with the same formats: a 183 and its 200. */
static bool is_unchanged(const struct call_sdp *side, const struct sdp *sdp, const struct sdp_media *media)
{
    return side->origin.len && side->media.port == media->port && slice_eq(side->formats, media->formats) &&
           slice_eq(side->origin, origin_of(sdp));
}

static void note_sdp(struct call *c, const struct track_logged *about)
{
    const struct sdp *sdp = about->sdp;
    struct call_sdp *side = &c->facts->sdp[is_from_callee(about)];
    unsigned index = 0;
    const struct sdp_media *media = first_audio(sdp, &index);
    struct address at = {0};
    slice lines;

    if (media) {
        (void)address_parse_ip(sdp_media_connection(sdp, index).address, &at);
        at.port = media->port;
        note_answer_change(c, about, &at);
    }
    side->at_ns = about->unit->time_ns;
    side->frame = about->unit->frame;
    if (media && is_unchanged(side, sdp, media))
        return;
    side->flags = kinds_flags(sdp);
    if (is_offer(c, about->message))
        side->flags |= CALL_SDP_OFFER;
    if (!media) {
        side->flags |= CALL_SDP_NO_AUDIO;
        return;
    }
    side->media = at;
    side->direction = (uint8_t)sdp_media_direction(sdp, index);
    side->ptime_ms = media->ptime_ms;
    side->candidates = media->candidate_count;
    side->flags |= media_flags(sdp, media) | address_flags(sdp, &at, &about->unit->src);
    lines = slice_head(media->lines, MEDIA_LINES_MAX);
    side->codecs = (slice){0};
    track_keep_newer(&c->facts->arena, &side->lines, lines);
    track_keep_newer(&c->facts->arena, &side->formats, media->formats);
    track_keep_newer(&c->facts->arena, &side->origin, origin_of(sdp));
    if (slice_find(lines, SLICE("telephone-event")) >= 0)
        side->flags |= CALL_SDP_DTMF;
    if (slice_find(lines, SLICE("AMR")) >= 0)
        side->flags |= amr_flags(media);
}

/* ---- facts: headers --------------------------------------------------------------------------- */

static void note_contact(struct call_facts *f, const struct track_logged *about)
{
    size_t side = is_from_callee(about);
    slice rest = value_of(about->message, SIP_H_CONTACT);
    struct sip_name_addr contact;
    struct sip_uri uri;

    if (f->contact_from[side].family || !rest.len || !sip_name_addr_next(&rest, &contact) ||
        !sip_uri_parse(contact.uri, &uri))
        return;
    f->contact_from[side] = about->unit->src;
    if (address_parse_ip(uri.host, &f->contact[side]))
        f->contact[side].port = uri.port;
}

static void note_via(struct call_facts *f, const struct track_logged *about)
{
    const struct sip_via *via = &about->message->via;

    if (about->request_from_callee || about->message->method != SIP_INVITE)
        return;
    if (about->message->is_request && !f->via_sent_by.family && address_parse_ip(via->host, &f->via_sent_by))
        f->via_sent_by.port = via->port;
    if (!about->message->is_request && via->received.len && !f->via_received.family)
        (void)address_parse_ip(via->received, &f->via_received);
}

/* Of the first INVITE: what a refusal may be about. */
static const struct { uint16_t header, flag; } invite_headers[] = {
    { SIP_H_IDENTITY, CALL_INVITE_IDENTITY },
    { SIP_H_REFERRED_BY, CALL_INVITE_REFERRED },
    { SIP_H_GEOLOCATION, CALL_INVITE_LOCATION },
};

static void note_invite_flaws(struct call_facts *f, const struct sip_message *m)
{
    size_t count = m->flaw_count < SIP_FLAWS_MAX ? m->flaw_count : SIP_FLAWS_MAX;

    for (size_t i = 0; i < count; i++) {
        uint16_t header = m->flaws[i].header;

        if (!sip_flaw_code((enum sip_flaw_kind)m->flaws[i].kind))
            continue;
        f->invite_flags |= CALL_INVITE_FLAWED;
        if (header < m->header_count && !f->bad_header.len)
            f->bad_header = track_keep(&f->arena, m->headers[header].name);
    }
}

static void note_invite_traits(struct call_facts *f, const struct track_logged *about)
{
    const struct sip_message *m = about->message;

    for (size_t i = 0; i < ARRAY_LEN(invite_headers); i++)
        if (m->first[invite_headers[i].header])
            f->invite_flags |= invite_headers[i].flag;
    if (slice_find_nocase(m->from.uri, SLICE("anonymous")) >= 0 ||
        slice_find_nocase(value_of(m, SIP_H_PRIVACY), SLICE("id")) >= 0)
        f->invite_flags |= CALL_INVITE_ANONYMOUS;
    if (!m->via.rport.ptr)
        f->invite_flags |= CALL_INVITE_NO_RPORT;
    if (about->unit->cut)
        f->invite_flags |= CALL_INVITE_CUT;
    if (m->flaw_count && !about->unit->cut)
        note_invite_flaws(f, m);
    track_keep_newer(&f->arena, &f->content_type, m->content_type);
    track_keep_newer(&f->arena, &f->priority, value_of(m, SIP_H_RESOURCE_PRIORITY));
    (void)sip_seconds_parse(value_of(m, SIP_H_SESSION_EXPIRES), &f->asked_session_s);
}

static void note_invite(struct call *c, const struct sip_message *m, bool has_sdp)
{
    struct call_facts *f = c->facts;
    uint32_t hops;

    if (f->max_forwards == UINT16_MAX && slice_to_u32(value_of(m, SIP_H_MAX_FORWARDS), &hops) && hops < 256)
        f->max_forwards = (uint16_t)hops;
    if (m->all.len > f->invite_bytes)
        f->invite_bytes = (uint32_t)m->all.len;
    f->late_offer = !has_sdp && m->body.len == 0;
}

/* Values by which another leg of the same call may be known; see track/join.h. */
static void note_identities(struct call *c, const struct track_logged *about)
{
    struct call_facts *f = c->facts;
    const struct sip_message *m = about->message;

    for (size_t i = 0; i < m->header_count && f->header_count < CALL_HEADERS_MAX; i++) {
        const struct sip_header *h = &m->headers[i];
        bool wished = about->join_header.len && slice_eq_nocase(h->name, about->join_header);

        if (!wished && (h->id != SIP_H_OTHER || h->value.len < 6 || h->value.len > 128 ||
                        slice_find(h->value, SLICE(" ")) >= 0))
            continue;
        struct call_header kept = { track_keep(&f->arena, h->name), track_keep(&f->arena, h->value) };

        if (kept.name.len && kept.value.len)
            f->headers[f->header_count++] = kept;
    }
}

static slice credentials(const struct sip_message *m)
{
    slice value = value_of(m, SIP_H_PROXY_AUTHORIZATION);

    return value.len ? value : value_of(m, SIP_H_AUTHORIZATION);
}

static enum sip_header_id challenge_header(const struct sip_message *m)
{
    return value_of(m, SIP_H_PROXY_AUTHENTICATE).len ? SIP_H_PROXY_AUTHENTICATE : SIP_H_WWW_AUTHENTICATE;
}

/* What may be used to answer: one of several challenges, in one header or in several (RFC 8760, 2.4).
 * "MD5" when that is among them, as all know it; else each once: "SHA-512-256, SHA-256". */
static slice offered_algorithms(const struct sip_message *m, char *room, size_t size)
{
    size_t used = 0;

    for (const struct sip_header *h = sip_header_find(m, challenge_header(m)); h; h = sip_header_next(m, h)) {
        slice rest = h->value;
        struct sip_auth auth;

        while (sip_auth_next(&rest, &auth)) {
            size_t comma = used ? 2 : 0;

            if (!auth.algorithm.len || slice_eq_nocase(auth.algorithm, SLICE("MD5")))
                return SLICE("MD5");
            if (slice_find_nocase(slice_of(room, used), auth.algorithm) >= 0 || used + comma + auth.algorithm.len > size)
                continue;
            memcpy(room + used, ", ", comma);
            memcpy(room + used + comma, auth.algorithm.ptr, auth.algorithm.len);
            used += comma + auth.algorithm.len;
        }
    }
    return slice_of(room, used);
}

static void note_credentials(struct call *c, const struct sip_message *m)
{
    slice rest = credentials(m);
    struct sip_auth auth;

    if (!rest.len || !sip_auth_next(&rest, &auth))
        return;
    track_keep_newer(&c->facts->arena, &c->facts->auth_user, auth.username);
    track_keep_newer(&c->facts->arena, &c->facts->auth_realm, auth.realm);
    c->facts->other_nonce = c->facts->nonce.len && !slice_eq(c->facts->nonce, auth.nonce);
}

static void note_challenge(struct call *c, const struct sip_message *m, int64_t at_ns)
{
    struct call_facts *f = c->facts;
    slice rest = value_of(m, challenge_header(m));
    struct sip_auth auth;
    char room[128];

    if (f->auth_user.len)
        f->challenges = one_more(f->challenges);
    if (!rest.len || !sip_auth_next(&rest, &auth))
        return;
    if (auth.stale && f->challenge_ns && at_ns > f->challenge_ns)
        f->challenge_age_s = (uint32_t)((at_ns - f->challenge_ns) / 1000000000);
    f->challenge_ns = at_ns;
    f->stale = (uint16_t)(f->stale + auth.stale);
    f->same_nonce = (uint16_t)(f->same_nonce + (f->auth_user.len && slice_eq(f->nonce, auth.nonce)));
    track_keep_newer(&f->arena, &f->realm, auth.realm);
    track_keep_newer(&f->arena, &f->algorithm, offered_algorithms(m, room, sizeof room));
    track_keep_newer(&f->arena, &f->nonce, auth.nonce);
}

/* Where a refusal says what it is about. */
static const struct { uint16_t status, header; } details[] = {
    { 300, SIP_H_CONTACT },         { 301, SIP_H_CONTACT },     { 302, SIP_H_CONTACT },
    { 305, SIP_H_CONTACT },         { 380, SIP_H_CONTACT },     { 405, SIP_H_ALLOW },
    { 406, SIP_H_ACCEPT },          { 415, SIP_H_ACCEPT },      { 420, SIP_H_UNSUPPORTED },
    { 421, SIP_H_REQUIRE },         { 422, SIP_H_MIN_SE },      { 423, SIP_H_MIN_EXPIRES },
    { 424, SIP_H_GEOLOCATION_ERROR }, { 469, SIP_H_RECV_INFO }, { 480, SIP_H_RETRY_AFTER },
    { 486, SIP_H_RETRY_AFTER },     { 488, SIP_H_WARNING },     { 489, SIP_H_ALLOW_EVENTS },
    { 494, SIP_H_SECURITY_SERVER }, { 500, SIP_H_RETRY_AFTER }, { 503, SIP_H_RETRY_AFTER },
    { 513, SIP_H_WARNING },         { 580, SIP_H_WARNING },     { 606, SIP_H_WARNING },
    { 608, SIP_H_CALL_INFO },
};

static void note_refusal(struct call *c, const struct sip_message *m, int64_t at_ns)
{
    struct call_facts *f = c->facts;

    f->detail = (slice){0};
    f->detail_header = 0;
    for (size_t i = 0; i < ARRAY_LEN(details); i++)
        if (details[i].status == m->status && m->first[details[i].header]) {
            f->detail_header = details[i].header;
            track_keep_newer(&f->arena, &f->detail, value_of(m, (enum sip_header_id)details[i].header));
        }
    if (m->first[SIP_H_RETRY_AFTER])
        (void)sip_seconds_parse(value_of(m, SIP_H_RETRY_AFTER), &f->retry_after_s);
    if (m->status == 401 || m->status == 407)
        note_challenge(c, m, at_ns);
    if (m->status == 422)
        (void)sip_seconds_parse(value_of(m, SIP_H_MIN_SE), &f->min_se_s);
}

static void note_answer(struct call_facts *f, const struct sip_message *m)
{
    struct sip_session_expires timer;

    if (m->first[SIP_H_SESSION_EXPIRES] &&
        sip_session_expires_parse(value_of(m, SIP_H_SESSION_EXPIRES), &timer))
        f->refresher_is_callee = timer.refresher == SIP_REFRESHER_UAS;
}

/* Reason beyond what the record keeps: whose word it is, and the causes of mobiles. */
static void note_reason(struct call_facts *f, slice rest)
{
    slice value, location;
    uint32_t cause;

    while (sip_list_next(&rest, &value)) {
        slice params = value, protocol = slice_trim(slice_take_until(&params, ';'));

        if (slice_eq_nocase(protocol, SLICE("RELEASE_CAUSE")) && sip_param_u32(params, SLICE("cause"), &cause) &&
            cause < 256)
            f->release_cause = (uint8_t)cause;
        if (slice_eq_nocase(protocol, SLICE("Q.850")) && sip_param_find(params, SLICE("location"), &location))
            f->location = slice_eq_nocase(location, SLICE("U")) || slice_eq_nocase(location, SLICE("user"))
                              ? CALL_LOCATION_USER : CALL_LOCATION_NETWORK;
    }
}

static void note_diverted(struct call_facts *f, const struct sip_message *m)
{
    struct sip_values all = sip_values_of(m, m->first[SIP_H_HISTORY_INFO] ? SIP_H_HISTORY_INFO : SIP_H_DIVERSION);
    struct sip_name_addr target;
    slice value, last = {0};

    while (sip_values_next(&all, &value))
        last = value;
    if (last.len && sip_name_addr_parse(last, &target))
        track_keep_newer(&f->arena, &f->diverted_to, target.uri);
}

/* "Sat, 13 Nov 2010 23:29:00 GMT" (RFC 3261, 20.17) -> seconds since 1970, or -1. */
static int64_t date_seconds(slice value)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    ptrdiff_t comma = slice_find_char(value, ',');
    uint32_t day, year, hour, minute, second;

    value = slice_trim(slice_skip(value, (size_t)(comma + 1)));
    if (!slice_take_u32(&value, &day) || !slice_take_blanks(&value) || value.len < 3)
        return -1;
    ptrdiff_t month = slice_find(slice_of_string(months), slice_head(value, 3));
    value = slice_skip(value, 3);
    if (month < 0 || month % 3 || !slice_take_blanks(&value) || !slice_take_u32(&value, &year) ||
        !slice_take_blanks(&value) || !slice_take_u32(&value, &hour) || !slice_take_char(&value, ':') ||
        !slice_take_u32(&value, &minute) || !slice_take_char(&value, ':') || !slice_take_u32(&value, &second) ||
        year < 1970 || year > 9999 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return -1;
    int64_t m = month / 3 + 1, y = (int64_t)year - (m <= 2), era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;

    return days * 86400 + hour * 3600 + minute * 60 + second;
}

static void note_date(struct call_facts *f, const struct track_logged *about)
{
    int64_t said_s = date_seconds(value_of(about->message, SIP_H_DATE));
    int64_t skew_s = said_s - about->unit->time_ns / 1000000000;

    if (said_s < 0 || skew_s > INT32_MAX || skew_s < INT32_MIN)
        return;
    f->clock_skew_s = (int32_t)skew_s;
    f->clock_skew_frame = about->unit->frame;
    f->clock_skew_of_callee = is_from_callee(about);
}

static void note_headers(struct call *c, const struct track_logged *about)
{
    const struct sip_message *m = about->message;
    bool of_invite = m->method == SIP_INVITE && !about->request_from_callee;

    note_contact(c->facts, about);
    note_via(c->facts, about);
    if (m->first[SIP_H_WARNING])
        track_keep_newer(&c->facts->arena, &c->facts->warning, value_of(m, SIP_H_WARNING));
    if (of_invite && m->is_request && m->to.tag.len == 0)
        note_invite(c, m, about->sdp != NULL);
    if (of_invite && m->is_request && m->to.tag.len == 0 && !c->facts->invite_flags)
        note_invite_traits(c->facts, about);
    if (m->first[SIP_H_DATE] && !c->facts->clock_skew_frame)
        note_date(c->facts, about);
    if (m->first[SIP_H_REASON])
        note_reason(c->facts, value_of(m, SIP_H_REASON));
    if (m->first[SIP_H_HISTORY_INFO] || m->first[SIP_H_DIVERSION])
        note_diverted(c->facts, m);
    if (of_invite && m->is_request && m->to.tag.len == 0 && !c->facts->header_count)
        note_identities(c, about);
    if (of_invite && m->is_request)
        note_credentials(c, m);
    if (of_invite && m->status >= 300 && !c->answered)
        note_refusal(c, m, about->unit->time_ns);
    if (of_invite && m->status >= 200 && m->status < 300)
        note_answer(c->facts, m);
    if (m->is_request && m->method == SIP_ACK && !about->request_from_callee && c->answered &&
        c->facts->late_offer && c->ack == CALL_ACK_WAITING)
        c->facts->answer_without_sdp = about->sdp == NULL;
}

#define HOPS_FIRST 4u
static bool hops_have_room(struct call_facts *f, uint8_t hop)
{
    bool first = f->hop_count == 0, all = hop == HOPS_FIRST;
    struct call_hop *grown;

    if (hop >= CALL_HOPS_MAX || (!first && hop != f->hop_count))
        return false;
    if (!first && !all)
        return true;
    grown = arena_zalloc(&f->arena, (first && hop < HOPS_FIRST ? HOPS_FIRST : CALL_HOPS_MAX) * sizeof *grown);
    if (grown && f->hop_count)
        memcpy(grown, f->hops, f->hop_count * sizeof *grown);
    if (grown)
        f->hops = grown;
    return grown != NULL;
}

static void note_hop(struct call_facts *f, const struct track_logged *about)
{
    const struct sip_message *m = about->message;
    uint8_t hop = about->seen.hop;

    if (m->is_request && m->method == SIP_INVITE && m->via_count > f->vias_max)
        f->vias_max = (uint8_t)(m->via_count < UINT8_MAX ? m->via_count : UINT8_MAX);
    if (hop < f->hop_count || !hops_have_room(f, hop))
        return;
    f->hops[hop] = (struct call_hop){ about->unit->src, about->unit->dst,
                                      m->is_request && m->method == SIP_INVITE };
    f->hop_count = (uint8_t)(hop + 1);
}

void track_log(struct call *c, const struct track_logged *about)
{
    note_message(c, about);
    if (about->seen.kind == SEEN_COPY && c->facts)
        c->facts->capture_copies++;
    if ((about->seen.kind != SEEN_NEW && about->seen.kind != SEEN_HOP_COPY) || !call_facts(c))
        return;
    note_hop(c->facts, about);
    if (about->seen.kind == SEEN_NEW)
        note_headers(c, about);
    if (about->sdp && (about->seen.kind == SEEN_NEW || !c->facts->sdp[is_from_callee(about)].at_ns))
        note_sdp(c, about);
}
