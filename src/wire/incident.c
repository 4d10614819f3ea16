/* wire/incident.c - see incident.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "wire/incident_int.h"

#include "wire/wire_int.h"

slice wire_incident_name(enum wire_incident_kind kind)
{
    static const char *const names[WIRE_INCIDENTS] = {
        "icmp-unreachable", "icmp-port-closed", "icmp-too-big", "icmp-expired",
        "tcp-refused", "tcp-no-answer", "tcp-broken", "tls-alert",
    };

    return slice_of_string(names[kind]);
}

slice wire_tls_alert_name(unsigned description)
{
    static const struct { uint8_t number; const char *name; } alerts[] = {
        { 10, "unexpected_message" },      { 20, "bad_record_mac" },       { 22, "record_overflow" },
        { 40, "handshake_failure" },       { 42, "bad_certificate" },      { 43, "unsupported_certificate" },
        { 44, "certificate_revoked" },     { 45, "certificate_expired" },  { 46, "certificate_unknown" },
        { 47, "illegal_parameter" },       { 48, "unknown_ca" },           { 49, "access_denied" },
        { 50, "decode_error" },            { 51, "decrypt_error" },        { 70, "protocol_version" },
        { 71, "insufficient_security" },   { 80, "internal_error" },       { 86, "inappropriate_fallback" },
        { 90, "user_canceled" },           { 109, "missing_extension" },   { 110, "unsupported_extension" },
        { 112, "unrecognized_name" },      { 113, "bad_certificate_status_response" },
        { 115, "unknown_psk_identity" },   { 116, "certificate_required" },
        { 120, "no_application_protocol" },
    };

    for (size_t i = 0; i < ARRAY_LEN(alerts); i++)
        if (alerts[i].number == description)
            return slice_of_string(alerts[i].name);
    return (slice){0};
}

void wire_on_incident(struct wire *w, wire_incident_fn *fn, void *ctx)
{
    w->incidents = (struct incidents_to){ fn, ctx };
    w->tcp.incidents = w->incidents;
}

/* ---- ICMP (RFC 792, RFC 4443) ---- */

enum { ICMP_NONE = WIRE_INCIDENTS };

static unsigned icmp4_kind(uint8_t type, uint8_t code)
{
    if (type == 3)
        return code == 3 ? WIRE_ICMP_PORT_CLOSED : code == 4 ? WIRE_ICMP_TOO_BIG : WIRE_ICMP_UNREACHABLE;
    if (type == 11)
        return code == 1 ? WIRE_ICMP_TOO_BIG : WIRE_ICMP_EXPIRED;
    return ICMP_NONE;
}

static unsigned icmp6_kind(uint8_t type, uint8_t code)
{
    switch (type) {
    case 1:
        return code == 4 ? WIRE_ICMP_PORT_CLOSED : WIRE_ICMP_UNREACHABLE;
    case 2:
        return WIRE_ICMP_TOO_BIG;
    case 3:
        return code == 1 ? WIRE_ICMP_TOO_BIG : WIRE_ICMP_EXPIRED;
    default:
        return ICMP_NONE;
    }
}

/* The head of the packet that is quoted: addresses, and ports when they are there. */
static bool quote_read(slice quote, struct wire_incident *ret)
{
    uint8_t version = wire_get_u8(quote, 0) >> 4, protocol;
    size_t head;

    if (version == 4 && quote.len >= 20) {
        head = (size_t)(wire_get_u8(quote, 0) & 15) * 4;
        protocol = wire_get_u8(quote, 9);
        ret->src = address_v4(quote.ptr + 12, 0);
        ret->dst = address_v4(quote.ptr + 16, 0);
    } else if (version == 6 && quote.len >= 40) {
        head = 40;
        protocol = wire_get_u8(quote, 6);
        ret->src = address_v6(quote.ptr + 8, 0);
        ret->dst = address_v6(quote.ptr + 24, 0);
    } else {
        return false;
    }
    if (protocol != 6 && protocol != 17 && protocol != 132)
        return false;                                     /* a ping and the like is none of ours */
    ret->transport = protocol == 6 ? WIRE_TCP : protocol == 17 ? WIRE_UDP : WIRE_SCTP;
    if (head >= 20 && quote.len >= head + 4) {
        ret->src.port = wire_get_u16(quote, head);
        ret->dst.port = wire_get_u16(quote, head + 2);
        ret->media = protocol == 17 && wire_get_u8(quote, head + 8) >> 6 == 2;       /* RFC 7983 */
    }
    return true;
}

void incident_icmp(const struct incidents_to *to, const struct wire_packet *p, bool v6, slice s)
{
    uint8_t type = wire_get_u8(s, 0), code = wire_get_u8(s, 1);
    unsigned kind = s.len < 8 ? ICMP_NONE : v6 ? icmp6_kind(type, code) : icmp4_kind(type, code);
    struct wire_incident found = { .code = code, .time_ns = p->time_ns, .frame = p->frame };

    if (!to->fn || kind == ICMP_NONE || !quote_read(slice_skip(s, 8), &found))
        return;
    found.kind = (enum wire_incident_kind)kind;
    to->fn(to->ctx, &found);
}

/* ---- TCP and TLS ---- */

void incident_tcp(const struct incidents_to *to, const struct wire_packet *p,
                  enum wire_incident_kind kind, bool reversed)
{
    struct wire_incident found = {
        .kind = kind, .transport = WIRE_TCP, .time_ns = p->time_ns, .frame = p->frame,
        .src = reversed ? p->dst : p->src, .dst = reversed ? p->src : p->dst,
    };

    if (to->fn)
        to->fn(to->ctx, &found);
}

/* One record with an alert in the clear: 21, version, length 2, level, description (RFC 8446, 5.1).
 * Later ones are encrypted and look like data, or are longer. */
void incident_tls(const struct incidents_to *to, const struct wire_packet *p, slice payload)
{
    struct wire_incident found = {
        .kind = WIRE_TLS_ALERT, .transport = WIRE_TLS, .code = wire_get_u8(payload, 6),
        .time_ns = p->time_ns, .frame = p->frame, .src = p->src, .dst = p->dst,
    };

    if (!to->fn || payload.len < 7 || wire_get_u8(payload, 0) != 21 || wire_get_u8(payload, 1) != 3 ||
        wire_get_u16(payload, 3) != 2 || wire_get_u8(payload, 5) > 2 || found.code == 0)
        return;
    to->fn(to->ctx, &found);
}
