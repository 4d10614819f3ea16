/* mask/datagram.c - what UDP, SCTP and ICMP carry: SIP, HEP, RTP, RTCP, STUN.
 * SPDX-License-Identifier: Apache-2.0 */
#include "mask/mask_int.h"
#include "mask/text_int.h"
#include "rtp/packet.h"
#include "rtp/silence.h"
#include "wire/bytes.h"
#include "wire/hep.h"

#define DNS_PORT  53
#define MDNS_PORT 5353

bool mask_sip(struct mask *m, uint8_t *at, size_t len, bool cut)
{
    if (m->settings.select && m->settings.select(m->ctx, slice_of(at, len)))
        m->picked = true;
    if (!mask_message(m->text, (char *)at, len, cut ? SIP_CUT : SIP_DATAGRAM))
        return false;
    m->counts.messages++;
    return true;
}

/* ---- HEP ------------------------------------------------------------------------------------- */

static void mask_hep_payload(struct mask *m, uint8_t *at, size_t len, bool sip)
{
    if (!sip || !mask_sip(m, at, len, false))
        mask_blank(slice_of(at, len));
}

enum hep_chunk {
    HEP_IP4_SRC = 3, HEP_IP4_DST, HEP_IP6_SRC, HEP_IP6_DST, HEP_KEY = 14, HEP_PAYLOAD, HEP_PACKED,
    HEP_CORRELATION, HEP_AGENT = 0x13, HEP_MAC_SRC, HEP_MAC_DST, HEP_LOCATION = 0x22,
    HEP_TRANSACTION = 0x24, HEP_TAGS, HEP_TAG_VALUES, HEP_GROUP = 0x29,
};

/* False: it cannot be masked. */
static bool mask_hep_chunk(struct mask *m, const struct hep_packet *p, uint16_t type, uint8_t *at,
                           size_t len)
{
    const struct mask_key *k = &m->settings.key;

    switch (type) {
    case HEP_IP4_SRC: case HEP_IP4_DST:
        if (len == 4)
            mask_ip(k, at, 4);
        return len == 4;
    case HEP_IP6_SRC: case HEP_IP6_DST:
        if (len == 16)
            mask_ip(k, at, 6);
        return len == 16;
    case HEP_PAYLOAD:
        mask_hep_payload(m, at, len, p->payload_type == HEP_PAYLOAD_SIP);
        return true;
    case HEP_PACKED:
        return false;
    case HEP_CORRELATION:
        mask_call_id(m->text, (char *)at, len);
        return true;
    case HEP_KEY: case HEP_AGENT: case HEP_LOCATION: case HEP_TRANSACTION: case HEP_TAGS:
    case HEP_TAG_VALUES: case HEP_GROUP:
        mask_blob(k, (char *)at, len);
        return true;
    case HEP_MAC_SRC: case HEP_MAC_DST:
        if (len == 6)
            mask_mac(k, at);
        else
            memset(at, 0, len);
        return true;
    default:
        if (len > 8)                      /* numbers stay: ports, times, counts */
            memset(at, 0, len);
        return true;
    }
}

static bool mask_hep3(struct mask *m, const struct hep_packet *p, uint8_t *at, size_t len)
{
    for (size_t i = 6; i + 6 <= len;) {
        slice head = slice_of(at + i, 6);
        size_t size = wire_get_u16(head, 4);

        if (size < 6 || size > len - i)
            return false;
        if (wire_get_u16(head, 0) != 0)
            memset(at + i + 6, 0, size - 6);
        else if (!mask_hep_chunk(m, p, wire_get_u16(head, 2), at + i + 6, size - 6))
            return false;
        i += size;
    }
    return true;
}

bool mask_hep(struct mask *m, uint8_t *at, size_t len)
{
    struct hep_packet p;

    if (!hep_parse(slice_of(at, len), m->now_ns, &p) || p.bad || p.cut)
        return false;
    if (p.version == 3)
        return mask_hep3(m, &p, at, len);
    size_t ip = p.src.family == 4 ? 4 : 16;

    if (len < 8 + 2 * ip || !p.payload.ptr)
        return false;
    mask_ip(&m->settings.key, at + 8, p.src.family);
    mask_ip(&m->settings.key, at + 8 + ip, p.src.family);
    mask_hep_payload(m, (uint8_t *)mask_own(p.payload), p.payload.len, true);
    return true;
}

/* ---- RTP (RFC 3550 5.1) ------------------------------------------------------------------------ */

/* What was silent stays silent; in place of a voice comes what nobody hears and what is yet no
 * silence: else everybody in a masked capture would seem to be mute. */
static void silence(uint8_t *at, size_t len, uint8_t payload_type)
{
    static const uint8_t gsm[33] = {
        0xd8, 0x20, 0xa2, 0xe1, 0x5a, 0x50, 0x00, 0x49, 0x24, 0x92, 0x49, 0x24, 0x50, 0x00, 0x49,
        0x24, 0x92, 0x49, 0x24, 0x50, 0x00, 0x49, 0x24, 0x92, 0x49, 0x24, 0x50, 0x00, 0x49, 0x24,
        0x92, 0x49, 0x24,
    };

    if (payload_type == 3 && len % sizeof gsm == 0) {
        for (size_t i = 0; i < len; i += sizeof gsm)
            memcpy(at + i, gsm, sizeof gsm);
        return;
    }
    bool a_law = payload_type == 8, hushed = !rtp_is_silence(slice_of(at, len), a_law);

    if (a_law)
        memset(at, hushed ? RTP_HUSH_ALAW : RTP_SILENCE_ALAW, len);
    else
        memset(at, payload_type ? 0 : hushed ? RTP_HUSH_ULAW : RTP_SILENCE_ULAW, len);
}

/* A telephone event (RFC 4733) keeps its end bit, volume and duration: only the key is hidden. */
static void mask_rtp(struct mask *m, uint8_t *at, size_t len)
{
    struct rtp_packet p;

    if (!rtp_packet_parse(slice_of(at, len), &p))
        return;
    size_t head = (size_t)((const uint8_t *)p.payload.ptr - at), fixed = 12 + 4u * (at[0] & 15);

    if (at[0] & 0x10)
        memset(at + fixed + 4, 0, head - fixed - 4);
    if (at[0] & 0x20)
        memset(at + head + p.payload.len, 0, len - head - p.payload.len - 1);
    if (p.payload_type >= 96 && p.payload.len == 4 && at[head] <= 15)
        at[head] = 0;
    else
        silence(at + head, p.payload.len, p.payload_type);
    m->counts.media++;
}

/* ---- RTCP (RFC 3550 6) ------------------------------------------------------------------------- */

static void mask_sdes(struct mask *m, uint8_t *at, size_t len)
{
    for (size_t i = 4; i + 4 <= len;) {
        for (i += 4; i + 2 <= len && at[i] != 0; i += 2 + (size_t)at[i + 1])
            if (i + 2 + at[i + 1] <= len)
                mask_all_words(m->text, slice_of(at + i + 2, at[i + 1]));
            else
                memset(at + i + 2, 'x', len - i - 2);
        i = (i / 4 + 1) * 4;              /* zeros up to the next word */
    }
}

static void mask_rtcp(struct mask *m, uint8_t *at, size_t len)
{
    while (len >= 4) {
        size_t size = 4 + 4u * wire_get_u16(slice_of(at, len), 2);

        if (at[0] >> 6 != 2 || size > len) {
            memset(at, 0, len);           /* SRTCP's tail */
            return;
        }
        switch (at[1]) {
        case 200: case 201: case 205: case 206: case 207:
            break;
        case 202:
            mask_sdes(m, at, size);
            break;
        case 203: {
            size_t reason = 4 + 4u * (at[0] & 31);

            if (reason + 1 < size)
                mask_all_words(m->text, slice_of(at + reason + 1, size - reason - 1));
            break;
        }
        default:
            if (size > 8)
                memset(at + 8, 0, size - 8);
        }
        at += size;
        len -= size;
    }
}

/* ---- STUN (RFC 8489 5, 14) --------------------------------------------------------------------- */

static void mask_stun_address(struct mask *m, uint8_t *at, size_t len, const uint8_t *mixed)
{
    uint8_t family = len == 8 && at[1] == 1 ? 4 : len == 20 && at[1] == 2 ? 6 : 0;

    if (!family) {
        memset(at, 0, len);
        return;
    }
    for (size_t i = 4; mixed && i < len; i++)
        at[i] ^= mixed[i - 4];
    mask_ip(&m->settings.key, at + 4, family);
    for (size_t i = 4; mixed && i < len; i++)
        at[i] ^= mixed[i - 4];
}

static void mask_stun_attribute(struct mask *m, uint16_t type, uint8_t *at, size_t len,
                                const uint8_t *cookie)
{
    switch (type) {
    case 0x0001: case 0x0002: case 0x0004: case 0x0005: case 0x8023: case 0x802b: case 0x802c:
        mask_stun_address(m, at, len, NULL);
        break;
    case 0x0012: case 0x0016: case 0x0020: case 0x8020:
        mask_stun_address(m, at, len, cookie);
        break;
    case 0x0006: case 0x0014: case 0x0015: case 0x8022:
        mask_blob(&m->settings.key, (char *)at, len);
        break;
    case 0x0003: case 0x0008: case 0x0009: case 0x000c: case 0x000d: case 0x0019: case 0x001c:
    case 0x0024: case 0x0025: case 0x8028: case 0x8029: case 0x802a:
        break;                            /* numbers and digests: none of them a person's */
    default:
        memset(at, 0, len);
    }
}

static void mask_stun(struct mask *m, uint8_t *at, size_t len)
{
    for (size_t i = 20; i + 4 <= len;) {
        slice head = slice_of(at + i, 4);
        size_t size = wire_get_u16(head, 2);

        if (size > len - i - 4) {
            memset(at + i + 4, 0, len - i - 4);
            return;
        }
        mask_stun_attribute(m, wire_get_u16(head, 0), at + i + 4, size, at + 4);
        i += 4 + (size + 3) / 4 * 4;
    }
}

/* ---- which is it? as track/intake.c decides ------------------------------------------------------ */

bool mask_datagram(struct mask *m, uint8_t *at, size_t len, const struct wire_packet *p,
                   enum mask_why *ret_why)
{
    slice s = slice_of(at, len);

    *ret_why = MASK_UNKNOWN;
    if (len == 0)
        return true;
    if (hep_is(s))
        return mask_hep(m, at, len);
    if (sip_looks_like(s))
        return mask_sip(m, at, len, p->cut);
    if (sip_is_keepalive(s))
        return true;
    if (p->src.port == DNS_PORT || p->dst.port == DNS_PORT || p->dst.port == MDNS_PORT)
        return false;
    if ((rtcp_looks_like(s) || rtp_looks_like(s)) && m->settings.select_media &&
        m->settings.select_media(m->ctx, &p->src, &p->dst))
        m->picked = true;
    if (rtcp_looks_like(s)) {
        mask_rtcp(m, at, len);
        return true;
    }
    if (rtp_looks_like(s)) {
        mask_rtp(m, at, len);
        return true;
    }
    if (len >= 20 && at[0] < 4 && memcmp(at + 4, "\x21\x12\xa4\x42", 4) == 0) {
        mask_stun(m, at, len);
        return true;
    }
    if (len >= 13 && at[0] >= 20 && at[0] <= 63 && at[1] == 0xfe)
        *ret_why = MASK_ENCRYPTED;
    return false;
}

/* ---- ICMP: what it quotes is the beginning of a packet (RFC 792, RFC 4443) ------------------------- */

static void follow_sum(uint8_t *check, const uint8_t *was, const uint8_t *now, size_t len)
{
    uint32_t sum = (uint16_t)~(check[0] << 8 | check[1]);

    for (size_t i = 0; i < len; i++) {
        sum += i % 2 ? now[i] : (uint32_t)now[i] << 8;
        sum += (uint16_t)~(i % 2 ? was[i] : was[i] << 8);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum = (sum & 0xffff) + (sum >> 16);
    check[0] = (uint8_t)(~sum >> 8);
    check[1] = (uint8_t)~sum;
}

/* Contents that were cut wherever it fitted: SIP by its lines, anything else is blanked. */
static void mask_quoted(struct mask *m, uint8_t *at, size_t len)
{
    if (sip_looks_like(slice_of(at, len)) && mask_sip(m, at, len, true))
        return;
    memset(at, 0, len);
}

static void mask_quote(struct mask *m, uint8_t *at, size_t len)
{
    uint8_t was[32], protocol = 0;
    size_t head = 0;

    if (len >= 20 && at[0] >> 4 == 4) {
        head = (size_t)(at[0] & 15) * 4;
        protocol = at[9];
        memcpy(was, at + 12, 8);
        mask_ip(&m->settings.key, at + 12, 4);
        mask_ip(&m->settings.key, at + 16, 4);
        follow_sum(at + 10, was, at + 12, 8);
        if (head > 20 && head <= len)
            memset(at + 20, 1, head - 20);
    } else if (len >= 40 && at[0] >> 4 == 6) {
        head = 40;
        protocol = at[6];
        mask_ip(&m->settings.key, at + 8, 6);
        mask_ip(&m->settings.key, at + 24, 6);
    }
    if (head < 20 || head > len) {
        memset(at, 0, len);
        return;
    }
    at += head;
    len -= head;
    if (protocol == 17 && len >= 8) {
        size_t promised = wire_get_u16(slice_of(at, len), 4);
        size_t size = promised >= 8 && promised < len ? promised - 8 : len - 8;

        at[6] = at[7] = 0;                /* of a datagram that is not all here: none */
        mask_quoted(m, at + 8, size);
        memset(at + 8 + size, 0, len - 8 - size);
    } else if (protocol == 6 && len >= 8) {
        memset(at + 8, 0, len - 8);
    } else {
        memset(at, 0, len);
    }
}

void mask_icmp(struct mask *m, uint8_t *at, size_t len, bool v6, enum mask_why *ret_why, bool *ret_ok)
{
    uint8_t type = len ? at[0] : 0;

    *ret_ok = true;
    *ret_why = MASK_UNKNOWN;
    if (len < 8)
        memset(at, 0, len);
    else if (v6 ? type >= 1 && type <= 4 : type == 3 || type == 4 || type == 11 || type == 12)
        mask_quote(m, at + 8, len - 8);
    else if (!v6 && type == 5)
        mask_ip(&m->settings.key, at + 4, 4), mask_quote(m, at + 8, len - 8);
    else if (v6 ? type == 128 || type == 129 : type == 0 || type == 8)
        memset(at + 8, 0, len - 8);
    else
        *ret_ok = false;
}

/* ---- SCTP (RFC 9260 3.3): chunks but for the SIP in them ------------------------------------------- */

static void mask_sctp_params(struct mask *m, uint8_t *at, size_t len)
{
    for (size_t i = 0; i + 4 <= len;) {
        slice head = slice_of(at + i, 4);
        size_t size = wire_get_u16(head, 2);
        uint16_t type = wire_get_u16(head, 0);

        if (size < 4 || size > len - i) {
            memset(at + i, 0, len - i);
            return;
        }
        if (type == 5 && size == 8)
            mask_ip(&m->settings.key, at + i + 4, 4);
        else if (type == 6 && size == 20)
            mask_ip(&m->settings.key, at + i + 4, 6);
        else if (type == 7 || type == 11)     /* cookie, host name */
            memset(at + i + 4, 0, size - 4);
        i += (size + 3) / 4 * 4;
    }
}

bool mask_sctp(struct mask *m, uint8_t *at, size_t len)
{
    for (size_t i = 12; i + 4 <= len;) {
        slice head = slice_of(at + i, 4);
        size_t size = wire_get_u16(head, 2);

        if (size < 4)
            return false;
        size_t here = size < len - i ? size : len - i;

        switch (at[i]) {
        case 0: {                         /* DATA: a whole SIP message, or it is not understood */
            slice data = slice_skip(slice_of(at + i, here), 16);

            if ((at[i + 1] & 3) != 3 || !sip_looks_like(data))
                return false;
            if (!mask_sip(m, (uint8_t *)mask_own(data), data.len, size > here))
                return false;
            break;
        }
        case 1: case 2:                   /* INIT, INIT ACK */
            if (here > 20)
                mask_sctp_params(m, at + i + 20, here - 20);
            break;
        case 3: case 7: case 8: case 11: case 12: case 14:     /* SACK, SHUTDOWN, ECNE ... */
            break;
        default:                          /* heartbeats, cookies, errors: only their being there */
            memset(at + i + 4, 0, here - 4);
        }
        i += (size + 3) / 4 * 4;
    }
    return true;
}
