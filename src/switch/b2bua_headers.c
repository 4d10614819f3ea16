/* switch/b2bua_headers.c - which headers cross from one leg to the other
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"
#include "sip/fields.h"
#include "sip/sdp.h"
#include "switch/b2bua_int.h"

/* What belongs to one leg, is written anew, or was meant for us. Everything else, known or not,
 * speaks of the call and passes. */
enum pass { PASS, PASS_NOT, PASS_TRUSTED, PASS_TAGS, PASS_TIMER, PASS_PRIVACY, PASS_NAMED };
static const uint8_t passes[SIP_HEADER_IDS] = {
    [SIP_H_VIA] = PASS_NOT, [SIP_H_FROM] = PASS_NOT, [SIP_H_TO] = PASS_NOT, [SIP_H_CALL_ID] = PASS_NOT,
    [SIP_H_CSEQ] = PASS_NOT, [SIP_H_CONTACT] = PASS_NOT, [SIP_H_MAX_FORWARDS] = PASS_NOT,
    [SIP_H_MAX_BREADTH] = PASS_NOT, [SIP_H_ROUTE] = PASS_NOT, [SIP_H_RECORD_ROUTE] = PASS_NOT,
    [SIP_H_PATH] = PASS_NOT, [SIP_H_SERVICE_ROUTE] = PASS_NOT, [SIP_H_TIMESTAMP] = PASS_NOT,
    [SIP_H_CONTENT_TYPE] = PASS_NOT, [SIP_H_CONTENT_LENGTH] = PASS_NOT,
    [SIP_H_RSEQ] = PASS_NOT, [SIP_H_RACK] = PASS_NOT, [SIP_H_REPLACES] = PASS_NOT,
    [SIP_H_AUTHORIZATION] = PASS_NOT, [SIP_H_PROXY_AUTHORIZATION] = PASS_NOT, [SIP_H_PROXY_REQUIRE] = PASS_NOT,
    [SIP_H_AUTHENTICATION_INFO] = PASS_NOT, [SIP_H_PROXY_AUTHENTICATION_INFO] = PASS_NOT,
    [SIP_H_SECURITY_CLIENT] = PASS_NOT, [SIP_H_SECURITY_SERVER] = PASS_NOT, [SIP_H_SECURITY_VERIFY] = PASS_NOT,
    [SIP_H_SERVER] = PASS_NOT, [SIP_H_USER_AGENT] = PASS_NOT, [SIP_H_FLOW_TIMER] = PASS_NOT,
    [SIP_H_HISTORY_INFO] = PASS_NOT, [SIP_H_DIVERSION] = PASS_NOT, [SIP_H_P_PREFERRED_IDENTITY] = PASS_NOT,
    [SIP_H_P_ASSERTED_IDENTITY] = PASS_TRUSTED, [SIP_H_REMOTE_PARTY_ID] = PASS_TRUSTED,
    [SIP_H_P_ACCESS_NETWORK_INFO] = PASS_TRUSTED, [SIP_H_P_CHARGING_VECTOR] = PASS_TRUSTED,
    [SIP_H_P_CHARGING_FUNCTION_ADDRESSES] = PASS_TRUSTED,
    [SIP_H_PRIVACY] = PASS_PRIVACY,
    [SIP_H_SUBJECT] = PASS_NAMED, [SIP_H_CALL_INFO] = PASS_NAMED, [SIP_H_ORGANIZATION] = PASS_NAMED,      /* RFC 3323, 5.3 */
    [SIP_H_REPLY_TO] = PASS_NAMED, [SIP_H_IN_REPLY_TO] = PASS_NAMED,
    [SIP_H_SUPPORTED] = PASS_TAGS, [SIP_H_REQUIRE] = PASS_TAGS, [SIP_H_UNSUPPORTED] = PASS_TAGS,
    [SIP_H_SESSION_EXPIRES] = PASS_TIMER, [SIP_H_MIN_SE] = PASS_TIMER,
};

/* Extensions that end at this hop: always, or when the legs do not share them. */
static const struct { slice tag; unsigned ends; } own_tags[] = {
    { SLICE_INIT("path"), 0 },     { SLICE_INIT("outbound"), 0 },
    { SLICE_INIT("gruu"), 0 },     { SLICE_INIT("sec-agree"), 0 },
    { SLICE_INIT("timer"), HEADERS_NO_TIMER },
    { SLICE_INIT("100rel"), HEADERS_NO_100REL },
    { SLICE_INIT("precondition"), HEADERS_NO_PRECONDITION },
};
/* What we support ourselves, on this leg. */
static const struct { slice tag; unsigned how; } our_tags[] = {
    { SLICE_INIT("timer"), HEADERS_OUR_TIMER }, { SLICE_INIT("100rel"), HEADERS_OUR_100REL },
};

static bool tag_passes(slice tag, unsigned how)
{
    for (size_t i = 0; i < ARRAY_LEN(own_tags); i++)
        if (slice_eq_nocase(own_tags[i].tag, tag))
            return own_tags[i].ends && !(how & own_tags[i].ends);
    return true;
}

static void put_tag(struct out *o, enum sip_header_id id, slice tag, bool is_first)
{
    if (is_first) {
        out_text(o, sip_header_name(id));
        out_text(o, SLICE(": "));
    } else {
        out_text(o, SLICE(", "));
    }
    sip_build_text(o, tag);
}

/* Those of theirs that pass; with them, in the first Supported, ours. */
static void pass_tags(struct out *o, enum sip_header_id id, slice rest, unsigned how)
{
    slice tag;
    bool any = false;

    for (size_t i = 0; i < ARRAY_LEN(our_tags); i++)
        if (how & our_tags[i].how) {
            put_tag(o, id, our_tags[i].tag, !any);
            any = true;
        }
    while (sip_list_next(&rest, &tag)) {
        if (!tag_passes(tag, how))
            continue;
        put_tag(o, id, tag, !any);
        any = true;
    }
    if (any)
        out_text(o, SLICE("\r\n"));
}

unsigned headers_how(const struct b2bua_call *c, const struct branch *b)
{
    return (c->caller_trusted && b && b->trusted ? HEADERS_TRUSTED : 0) | (c->session_timer ? HEADERS_NO_TIMER : 0) |
           (c->reliable_mode == B2BUA_RELIABLE_OFF || c->reliable_mode == B2BUA_RELIABLE_LEG ? HEADERS_NO_100REL : 0) |
           (c->precondition_mode == B2BUA_PRECONDITIONS_OFF ? HEADERS_NO_PRECONDITION : 0);
}

void headers_pass(struct out *o, const struct sip_message *m, unsigned how)
{
    enum { OURS = HEADERS_OUR_TIMER | HEADERS_OUR_100REL };
    unsigned ours = how & OURS;

    how &= ~(unsigned)OURS;
    for (unsigned i = 0; i < m->header_count; i++) {
        const struct sip_header *h = &m->headers[i];

        switch ((enum pass)passes[h->id]) {
        case PASS_NOT:
            break;
        case PASS_TRUSTED:
            if (how & HEADERS_TRUSTED)
                sip_build_named(o, h->name, h->value);
            break;
        case PASS_TAGS:
            if (h->id == SIP_H_REQUIRE && (how & HEADERS_NO_REQUIRE))
                break;
            pass_tags(o, (enum sip_header_id)h->id, h->value, h->id == SIP_H_SUPPORTED ? how | ours : how);
            ours = h->id == SIP_H_SUPPORTED ? 0 : ours;
            break;
        case PASS_TIMER:
            if (!(how & HEADERS_NO_TIMER))
                sip_build_named(o, h->name, h->value);
            break;
        case PASS_PRIVACY:
            if (!(how & HEADERS_NO_PRIVACY))
                sip_build_named(o, h->name, h->value);
            break;
        case PASS_NAMED:
            if (!(how & HEADERS_ANONYMOUS))
                sip_build_named(o, h->name, h->value);
            break;
        case PASS:
            sip_build_named(o, h->name, h->value);
            break;
        }
    }
    if (ours)
        pass_tags(o, SIP_H_SUPPORTED, (slice){ 0 }, ours);
}

void headers_record_routes(struct out *o, const struct dialog *d)
{
    slice rest = d->routes, line;

    while (slice_take_line(&rest, &line))
        sip_build_header(o, SIP_H_RECORD_ROUTE, slice_skip(line, SLICE("Route: ").len));
}

void headers_ours(struct out *o, const struct b2bua *b, const struct hop *hop, bool is_request)
{
    char text[ADDRESS_TEXT_MAX];

    out_text(o, SLICE("Contact: <sip:"));
    out_text(o, endpoint_local(b->endpoint, hop, text));
    out_text(o, wire_transport_param((enum wire_transport)hop->transport));
    out_text(o, SLICE(">\r\n"));
    if (b->settings.server.len)
        sip_build_header(o, is_request ? SIP_H_USER_AGENT : SIP_H_SERVER, b->settings.server);
}

slice headers_type(const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_CONTENT_TYPE);

    return h ? h->value : (slice){ 0 };
}

bool headers_have_offer(const struct sip_message *m)
{
    slice text;

    return m->body.len && sip_sdp_of(m, &text);
}
