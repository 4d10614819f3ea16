/* track/extract.c - see extract.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "track/extract.h"

#include "sip/fields.h"
#include "sip/sdp.h"
#include "sip/uri.h"
#include "track/track_int.h"

static slice header_value(const struct sip_message *m, enum sip_header_id id)
{
    const struct sip_header *h = sip_header_find(m, id);

    return h ? h->value : (slice){0};
}

void track_party(struct arena *a, struct call_party *party, const struct sip_name_addr *from)
{
    party->tag = from->tag.len ? arena_slice(a, from->tag) : (slice){0};   /* identity: always */
    party->uri = track_keep(a, from->uri);
    party->display = track_keep(a, from->display);
    slice user = sip_uri_user(from->uri);
    size_t at = user.len ? (size_t)(user.ptr - from->uri.ptr) : 0;

    if (party->uri.ptr && user.len)                       /* a part of what was just kept */
        party->user = slice_of(party->uri.ptr + at, user.len);
}

static uint16_t count_values(const struct sip_message *m, enum sip_header_id id)
{
    uint16_t count = 0;
    slice value;

    for (const struct sip_header *h = sip_header_find(m, id); h; h = sip_header_next(m, h))
        for (slice rest = h->value; sip_list_next(&rest, &value);)
            count++;
    return count;
}

static void track_session_timer(struct call *c, const struct sip_message *m)
{
    slice value = header_value(m, SIP_H_SESSION_EXPIRES);
    uint32_t seconds;

    if (slice_take_u32(&value, &seconds))
        c->session_expires_s = seconds;
}

/* Replaces = callid *(SEMI param)   (RFC 3891, 6.1) */
static void track_replaces(struct call *c, const struct sip_message *m)
{
    slice value = header_value(m, SIP_H_REPLACES);

    if (value.len)
        track_keep_newer(&c->arena, &c->replaces, slice_trim(slice_take_until(&value, ';')));
}

static void track_icid(struct call *c, const struct sip_message *m)
{
    slice value = header_value(m, SIP_H_P_CHARGING_VECTOR), icid;

    if (value.len && sip_param_find(value, SLICE("icid-value"), &icid))
        track_keep_newer(&c->arena, &c->icid, icid);
}

void track_invite(struct call *c, const struct sip_message *m)
{
    slice session_id = header_value(m, SIP_H_SESSION_ID);

    if (!c->user_agent.ptr)
        c->user_agent = track_keep(&c->arena, header_value(m, SIP_H_USER_AGENT));
    if (!c->session_id.ptr)
        c->session_id = track_keep(&c->arena, slice_take_until(&session_id, ';'));
    c->diversions = count_values(m, SIP_H_DIVERSION);
    if (c->diversions > c->forwarded)
        c->forwarded = c->diversions;
    c->emergency = slice_starts_nocase(m->uri, SLICE("urn:service:sos"));
    if (sip_header_find(m, SIP_H_P_ACCESS_NETWORK_INFO))
        c->slow_timers = true;                            /* UE to P-CSCF: TS 24.229, table 7.7.1 */
    track_replaces(c, m);
    track_icid(c, m);
}

static void track_server(struct call *c, const struct sip_message *m)
{
    slice name = header_value(m, SIP_H_SERVER);

    if (!name.len)
        name = header_value(m, SIP_H_USER_AGENT);
    if (name.len)
        track_keep_newer(&c->arena, &c->server, name);
}

void track_answer(struct call *c, const struct sip_message *m)
{
    track_server(c, m);
    track_session_timer(c, m);
}

void track_refusal(struct call *c, const struct sip_message *m)
{
    struct sip_name_addr contact;

    track_server(c, m);
    if (m->status < 400 && sip_name_addr_parse(header_value(m, SIP_H_CONTACT), &contact))
        track_keep_newer(&c->arena, &c->redirect_to, contact.uri);
    if (m->status == 380)
        c->emergency |= slice_find_nocase(m->body, SLICE("emergency")) >= 0;
}

/* Reason = protocol *(SEMI param), several by comma   (RFC 3326, 2) */
void track_reason(struct call *c, const struct sip_message *m)
{
    slice value, text;
    uint32_t cause;

    for (const struct sip_header *h = sip_header_find(m, SIP_H_REASON); h; h = sip_header_next(m, h))
        for (slice rest = h->value; sip_list_next(&rest, &value);) {
            slice params = value, protocol = slice_trim(slice_take_until(&params, ';'));

            if (!sip_param_u32(params, SLICE("cause"), &cause) || cause > 699)
                continue;
            if (slice_eq_nocase(protocol, SLICE("Q.850")) && cause < 128)
                c->q850 = (uint16_t)cause;
            else if (slice_eq_nocase(protocol, SLICE("SIP")))
                c->reason_sip = (uint16_t)cause;
            if (sip_param_find(params, SLICE("text"), &text))
                track_keep_newer(&c->arena, &c->reason_text, text);
        }
}

void track_refer(struct call *c, const struct sip_message *m)
{
    struct sip_name_addr target;

    if (sip_name_addr_parse(header_value(m, SIP_H_REFER_TO), &target))
        track_keep_newer(&c->arena, &c->refer_to, target.uri);
}

void track_sipfrag(struct call *c, const struct sip_message *m)
{
    slice body = m->body;
    uint32_t status;

    if (!slice_starts_nocase(m->content_type, SLICE("message/sipfrag")) ||
        !slice_starts(body, SLICE("SIP/2.0 ")))
        return;
    body = slice_skip(body, 8);
    if (slice_take_u32(&body, &status) && status >= 100 && status < 700)
        c->transfer_status = (uint16_t)status;
}

enum track_media_wish track_media_wish(const struct sdp *sdp)
{
    unsigned held = 0, live = 0;

    for (unsigned i = 0; sdp && i < sdp->media_count; i++) {
        held += sdp_is_hold(sdp, i);
        live += sdp->media[i].port != 0;
    }
    if (live == 0)
        return TRACK_WISH_NONE;
    return held == live ? TRACK_WISH_HOLD : TRACK_WISH_TALK;
}
