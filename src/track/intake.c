/* track/intake.c - see intake.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "track/intake.h"

#include "rtp/packet.h"

#define DNS_PORT 53
#define MDNS_PORT 5353
#define TICK_NS 1000000000LL

void intake_init(struct intake *in, struct tracker *tracker, struct media_table *media)
{
    memset(in, 0, offsetof(struct intake, room));
    in->tracker = tracker;
    in->media = media;
}

void intake_done(struct intake *in) { arena_done(&in->arena); }

uint64_t intake_units(const struct intake *in)
{
    uint64_t units = 0;

    for (size_t i = 0; i < INTAKE_KINDS; i++)
        units += in->kinds[i];
    return units;
}

slice intake_kind_name(enum intake_kind kind)
{
    static const char *const names[INTAKE_KINDS] = {
        "sip", "keepalive", "rtp", "rtcp", "stun", "dtls", "dns", "sigcomp", "malformed", "other",
    };

    return slice_of_string(names[kind]);
}

static void count_other_method(struct intake *in, slice name)
{
    for (unsigned i = 0; i < in->other_count; i++)
        if (slice_eq(in->others[i].name, name)) {
            in->others[i].count++;
            return;
        }
    slice kept = in->other_count < INTAKE_OTHER_METHODS_MAX && name.len <= 64
        ? arena_slice(&in->arena, name) : (slice){0};

    if (kept.ptr)
        in->others[in->other_count++] = (struct intake_method){ kept, 1 };
    else
        in->requests[SIP_UNKNOWN]++;
}

static void count_message(struct intake *in, const struct sip_message *m)
{
    in->sip_messages++;
    if (!m->is_request)
        in->responses[m->status < INTAKE_STATUS_MAX ? m->status : 0]++;
    else if (m->method == SIP_UNKNOWN)
        count_other_method(in, m->method_text);
    else
        in->requests[m->method]++;
    in->flawed += m->flaw_count > 0;
    in->refusable += m->refusable;
}

static bool take_sip(struct intake *in, const struct wire_unit *unit)
{
    enum sip_framing framing = unit->cut ? SIP_CUT : SIP_DATAGRAM;
    struct sip_message m;

    if (sip_message_parse(unit->payload, framing, in->room, ARRAY_LEN(in->room), &m) <= 0)
        return false;
    count_message(in, &m);
    tracker_message(in->tracker, unit, &m);
    return true;
}

/* First bytes of what shares a port with RTP: RFC 7983. */
static enum intake_kind sort_by_first_byte(const struct wire_unit *unit)
{
    uint8_t first = unit->payload.len ? (uint8_t)unit->payload.ptr[0] : 0;

    if (unit->dst.port == DNS_PORT || unit->src.port == DNS_PORT || unit->dst.port == MDNS_PORT)
        return INTAKE_DNS;
    if (rtcp_looks_like(unit->payload))
        return INTAKE_RTCP;
    if (rtp_looks_like(unit->payload))
        return INTAKE_RTP;
    if (unit->payload.len >= 20 && first < 4 &&
        memcmp(unit->payload.ptr + 4, "\x21\x12\xa4\x42", 4) == 0)
        return INTAKE_STUN;
    if (unit->payload.len >= 13 && first >= 20 && first <= 63 && unit->payload.ptr[1] == '\xfe')
        return INTAKE_DTLS;
    return first >= 0xf8 && unit->dst.port == 5060 ? INTAKE_SIGCOMP : INTAKE_OTHER;
}

/* Media goes on while signalling is quiet: calls have to grow older. */
static void note_tick(struct intake *in, int64_t time_ns)
{
    in->tick_ns = time_ns + TICK_NS;
    tracker_time(in->tracker, time_ns);
}

static void take_other(struct intake *in, const struct wire_unit *unit)
{
    enum intake_kind kind = unit->kind == WIRE_MESSAGE ? INTAKE_MALFORMED : sort_by_first_byte(unit);

    in->kinds[kind]++;
    if (in->media && (kind == INTAKE_RTP || kind == INTAKE_RTCP))
        (void)media_table_packet(in->media, unit);
    if (unit->time_ns >= in->tick_ns)
        note_tick(in, unit->time_ns);
}

static __attribute__((noinline)) void take_any(struct intake *in, const struct wire_unit *unit)
{
    in->skipped_bytes += unit->stream_before.len;
    if (take_sip(in, unit))
        in->kinds[INTAKE_SIP]++;
    else if (sip_is_keepalive(unit->payload))
        in->kinds[INTAKE_KEEPALIVE]++;
    else
        take_other(in, unit);
}

void intake_incident(void *ctx, const struct wire_incident *incident)
{
    struct intake *in = ctx;

    tracker_incident(in->tracker, incident);
}

void intake_unit(void *ctx, const struct wire_unit *unit)
{
    struct intake *in = ctx;

    in->hep += unit->hep;
    /* nearly every packet of a busy capture: the next one of a stream that is known */
    if (unit->payload.len < 12 || ((uint8_t)unit->payload.ptr[0] & 0xc0) != 0x80 || !in->media ||
        unit->kind != WIRE_DATAGRAM || !media_table_known(in->media, unit)) {
        take_any(in, unit);
        return;
    }
    in->kinds[INTAKE_RTP]++;
    if (__builtin_expect(unit->time_ns >= in->tick_ns, 0))
        note_tick(in, unit->time_ns);
}

bool intake_plain(void *ctx, const uint8_t *ip, size_t total, const struct wire_frame *frame)
{
    struct intake *in = ctx;

    if (!media_table_plain(in->media, ip, total, frame->time_ns, frame->number))
        return false;
    in->kinds[INTAKE_RTP]++;
    if (__builtin_expect(frame->time_ns >= in->tick_ns, 0))
        note_tick(in, frame->time_ns);
    return true;
}
