/* media/stream.c - see stream.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "media/stream.h"

#include <stdlib.h>

#include "media/table_int.h"
#include "rtp/packet.h"
#include "rtp/silence.h"

#define STOOD_STILL_NS (3 * MEDIA_SECOND_NS)      /* longer than a network holds a packet back */
#define MS_NS            1000000LL
#define UNSETTLED        255u
#define FRAME_DEFAULT_MS 20u
#define JUMP_TOLERATED   25u         /* numbers that may be skipped whatever the time says */
#define CLOCK_PROVISIONAL 8000u
#define COPY_WITHIN_NS   (2 * MS_NS) /* without an IP identification to go by */

/* ---- memory ---------------------------------------------------------------------------- */

struct media_extra *media_stream_extra(struct media_stream *s)
{
    if (!s->extra && !(s->extra = calloc(1, sizeof *s->extra)))
        s->full = true;
    return s->extra;
}

struct media_rtcp *media_stream_rtcp(struct media_stream *s)
{
    struct media_extra *x = media_stream_extra(s);

    if (x && !x->rtcp && !(x->rtcp = calloc(1, sizeof *x->rtcp)))
        s->full = true;
    return x ? x->rtcp : NULL;
}

void media_stream_done(struct media_stream *s)
{
    free(s->runs);
    if (s->extra) {
        free(s->extra->rtcp);
        free(s->extra->keys);
    }
    free(s->extra);
    s->runs = NULL;
    s->extra = NULL;
}

size_t media_stream_memory_bytes(const struct media_stream *s)
{
    size_t bytes = sizeof *s + s->run_room * sizeof *s->runs;

    if (s->extra)
        bytes += sizeof *s->extra + (s->extra->rtcp ? sizeof *s->extra->rtcp : 0) +
                 (s->extra->keys ? STREAM_DTMF_MAX : 0);
    return bytes;
}

/* A count that few streams need. */
#define EXTRA_ADD(s, member)                                                                       \
    do {                                                                                           \
        struct media_extra *extra_ = media_stream_extra(s);                                        \
        if (extra_)                                                                                \
            extra_->member++;                                                                      \
    } while (0)

/* ---- bursts ----------------------------------------------------------------------------- */

/* Nothing is kept of bursts until the first packet is bad: then what was before was good. */
static struct media_burst *burst_begin(struct media_stream *s)
{
    struct media_extra *x = media_stream_extra(s);

    if (!x)
        return NULL;
    if (x->burst.packets == 0)
        x->burst.packets = x->burst.good_run = s->judged_packets;
    return &x->burst;
}

static bool all_good(uint64_t good, unsigned count)
{
    uint64_t mask = count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX;

    return (good & mask) == mask;
}

static void burst_feed(struct media_stream *s, uint64_t good, unsigned count)
{
    struct media_burst *b = s->extra && s->extra->burst.packets ? &s->extra->burst : NULL;

    if (!b && all_good(good, count)) {
        s->judged_packets += count;
        return;
    }
    if (b || (b = burst_begin(s)))
        media_burst_feed(b, good, count);
}

static struct media_burst_figures burst_figures(const struct media_stream *s)
{
    struct media_burst none = { .packets = s->judged_packets };

    return media_burst_figures(s->extra && s->extra->burst.packets ? &s->extra->burst : &none);
}

static void judge_to(struct media_stream *s, uint32_t limit)
{
    while (s->judged < limit) {
        uint32_t n = s->judged, count = 64 - (n & 63);
        uint64_t *late = &s->discarded_bits[n >> 6 & 1];
        uint64_t good = (media_sequence_word(&s->sequence, n) & ~*late) >> (n & 63);

        count = count < limit - n ? count : limit - n;
        burst_feed(s, good, count);
        s->judged += count;
        if ((s->judged & 63) == 0)
            *late = 0;
    }
}

/* Whole words, as soon as what is out of order by less than Gmin has had its chance. */
void media_stream_judge(struct media_stream *s)
{
    uint32_t settled = s->sequence.max - MEDIA_GMIN;

    if (s->sequence.max >= s->sequence.first + MEDIA_GMIN)
        judge_to(s, settled & ~UINT32_C(63));
}

static void judge_restart(struct media_stream *s)
{
    s->judged = s->sequence.first;
    s->discarded_bits[0] = s->discarded_bits[1] = 0;
}

/* ---- what a payload type is --------------------------------------------------------------- */

static struct media_type type_of(const struct media_stream *s, unsigned payload_type,
                                 const struct media_about *about)
{
    return about && about->type_of ? about->type_of(about->ctx, s, payload_type)
                                   : media_type_static(payload_type);
}

static void clock_set(struct media_stream *s, uint32_t clock_hz)
{
    if (s->clock_hz == clock_hz)
        return;
    s->clock_hz = clock_hz;
    s->jitter.tick_q12 = media_tick_q12(clock_hz);
    media_jitter_break(&s->jitter);
}

/* Figures under a wrong clock are no figures. */
static void clock_correct(struct media_stream *s, uint32_t clock_hz)
{
    if (s->clock_hz == clock_hz)
        return;
    clock_set(s, clock_hz);
    media_jitter_begin(&s->jitter, clock_hz);
    media_playout_begin(&s->playout);
    s->second_discarded = 0;
    s->frame_ms = 0;
    s->type = UNSETTLED;
    s->discarded_bits[0] = s->discarded_bits[1] = 0;
}

static double kbps_of(const struct media_stream *s)
{
    double ms = (double)s->sequence.received * (s->frame_ms ? s->frame_ms : FRAME_DEFAULT_MS);

    return ms > 0 ? (double)s->bytes * 8 / ms : 0;
}

static void scale_set(struct media_stream *s, const struct media_about *about)
{
    slice name = media_codec_name(about ? about->names : NULL, s->sound.name);

    if (slice_starts_nocase(name, SLICE("AAL2-")))
        name = slice_skip(name, 5);
    s->scale = s->sound.kind == MEDIA_AUDIO ? emodel_codec_find(name, kbps_of(s)) : NULL;
}

static void type_seen(struct media_stream *s, uint8_t payload_type)
{
    for (unsigned i = 0; i < s->type_count; i++)
        if (s->types[i] == payload_type)
            return;
    if (s->type_count < STREAM_TYPES_MAX)
        s->types[s->type_count++] = payload_type;
    else
        s->full = true;
}

static void sound_set(struct media_stream *s, struct media_type t, const struct media_about *about)
{
    s->sound = t;
    s->type = UNSETTLED;
    s->frame_ms = 0;
    s->guess_pending = s->clock_guessed = t.clock_hz == 0;
    clock_set(s, t.clock_hz >= 1000 ? t.clock_hz : CLOCK_PROVISIONAL);
    scale_set(s, about);
}

void media_stream_settle(struct media_stream *s, const struct media_about *about)
{
    struct media_type t = type_of(s, s->sound.payload_type, about);

    if (t.kind == MEDIA_UNKNOWN || s->sequence.received == 0)
        return;
    if (t.clock_hz >= 1000) {
        clock_correct(s, t.clock_hz);
        s->clock_guessed = s->guess_pending = false;
    }
    s->sound = t;
    scale_set(s, about);
}

static void clock_guess(struct media_stream *s, int64_t now_ns)
{
    int64_t took_ns = now_ns - s->first_ns;

    if (s->sequence.received < 30 || took_ns < MEDIA_SECOND_NS)
        return;
    double hz = (double)(uint32_t)(s->jitter.last_timestamp - s->first_timestamp) * 1e9 / (double)took_ns;
    uint32_t clock_hz = media_clock_near(hz);

    s->guess_pending = took_ns < 5 * MEDIA_SECOND_NS && !clock_hz;
    if (clock_hz)
        clock_correct(s, clock_hz);
}

/* ---- seconds ------------------------------------------------------------------------------ */

static double delay_ms(const struct media_stream *s, double buffer_ms)
{
    return buffer_ms + s->frame_ms + (double)s->scale->lookahead_ms;
}

static uint16_t score_milli(const struct media_stream *s, uint32_t expected, uint32_t bad)
{
    struct emodel_path path = { .burst_r = 1, .delay_ms = delay_ms(s, s->playout.target_ms) };

    if (expected == 0)
        return 0;
    path.loss = (double)bad / expected;
    if (bad)
        path.burst_r = burst_figures(s).burst_r;
    return (uint16_t)(emodel_score(s->scale, &path).mos_cq * 1000 + 0.5);
}

static bool run_alike(const struct stream_run *a, const struct stream_run *b)
{
    return a->lost == b->lost && a->discarded == b->discarded && a->flags == b->flags &&
           abs(a->packets - b->packets) <= 2 && abs(a->mos - b->mos) <= 3 &&
           abs(a->jitter_ms - b->jitter_ms) <= 1 + (a->jitter_ms > b->jitter_ms ? a->jitter_ms : b->jitter_ms) / 4;
}

static uint8_t byte_of(uint64_t n) { return n < UINT8_MAX ? (uint8_t)n : UINT8_MAX; }
static uint8_t lower(uint8_t a, uint8_t b) { return a && (a < b || !b) ? a : b; }

static struct stream_run run_merged(struct stream_run a, struct stream_run b)
{
    unsigned seconds = a.seconds + b.seconds;

    return (struct stream_run){
        .seconds = (uint16_t)seconds,
        .packets = byte_of((uint64_t)(a.packets * a.seconds + b.packets * b.seconds) / (seconds ? seconds : 1)),
        .lost = byte_of((uint64_t)(a.lost * a.seconds + b.lost * b.seconds + seconds - 1) / (seconds ? seconds : 1)),
        .discarded = a.discarded > b.discarded ? a.discarded : b.discarded,
        .jitter_ms = a.jitter_ms > b.jitter_ms ? a.jitter_ms : b.jitter_ms,
        .mos = lower(a.mos, b.mos), .flags = a.flags | b.flags,
    };
}

/* A stream that is uneven for hours: neighbours become one. */
static void runs_coarsen(struct media_stream *s)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < s->run_count; i += 2, kept++)
        s->runs[kept] = i + 1 < s->run_count && s->runs[i].seconds + s->runs[i + 1].seconds <= UINT16_MAX
            ? run_merged(s->runs[i], s->runs[i + 1]) : s->runs[i];
    s->run_count = (uint16_t)kept;
    s->run_step_s = (uint16_t)(s->run_step_s < 0x4000 ? s->run_step_s * 2 : s->run_step_s);
}

static bool runs_room(struct media_stream *s)
{
    if (s->run_count < s->run_room)
        return true;
    if (s->run_room >= MEDIA_RUNS_MAX) {
        runs_coarsen(s);
        return s->run_count < s->run_room;
    }
    uint16_t room = (uint16_t)(s->run_room ? s->run_room * 2 : 4);
    struct stream_run *grown = realloc(s->runs, room * sizeof *grown);

    if (!grown) {
        s->full = true;
        return false;
    }
    s->runs = grown;
    s->run_room = room;
    return true;
}

static void run_add(struct media_stream *s, struct stream_run run)
{
    struct stream_run *last = s->run_count ? &s->runs[s->run_count - 1] : NULL;

    if (last && run_alike(last, &run) && last->seconds <= UINT16_MAX - run.seconds) {
        last->seconds = (uint16_t)(last->seconds + run.seconds);
        last->mos = lower(last->mos, run.mos);
    } else if (runs_room(s)) {
        s->runs[s->run_count++] = run;
    }
}

static void runs_silent(struct media_stream *s, uint64_t seconds, uint8_t flags)
{
    while (seconds) {
        uint16_t piece = (uint16_t)(seconds < UINT16_MAX ? seconds : UINT16_MAX);

        run_add(s, (struct stream_run){ .seconds = piece, .flags = flags });
        seconds -= piece;
        if (s->run_room >= MEDIA_RUNS_MAX && s->run_count >= MEDIA_RUNS_MAX)
            return;                                       /* times that cannot be true */
    }
}

/* Before the first bad second all were alike. */
static struct media_extra *window_begin(struct media_stream *s, uint32_t expected)
{
    struct media_extra *x = media_stream_extra(s);

    if (x && x->window_filled == 0) {
        x->window_filled = (uint8_t)(s->seconds < MEDIA_WORST_SECONDS - 1 ? s->seconds : MEDIA_WORST_SECONDS - 1);
        x->window_at = x->window_filled;
        memset(x->window_expected, byte_of(expected), x->window_filled);
        memset(x->window_bad, 0, x->window_filled);
    }
    return x;
}

static void window_add(struct media_stream *s, uint32_t expected, uint32_t bad)
{
    bool begun = s->extra && s->extra->window_filled;
    struct media_extra *x = begun ? s->extra : bad && s->scale ? window_begin(s, expected) : NULL;
    uint32_t all = 0, all_bad = 0;

    if (!x)
        return;
    x->window_expected[x->window_at] = byte_of(expected);
    x->window_bad[x->window_at] = expected > UINT8_MAX ? byte_of((uint64_t)bad * UINT8_MAX / expected) : byte_of(bad);
    x->window_at = (uint8_t)((x->window_at + 1) % MEDIA_WORST_SECONDS);
    x->window_filled = (uint8_t)(x->window_filled + (x->window_filled < MEDIA_WORST_SECONDS));
    for (unsigned i = 0; i < x->window_filled; i++) {
        all += x->window_expected[i];
        all_bad += x->window_bad[i];
    }
    if (!s->scale || all < MEDIA_SCORE_PACKETS || x->window_filled < 2 || all_bad == 0)
        return;
    uint16_t mos = score_milli(s, all, all_bad);

    if (mos && (!x->worst_mos_milli || mos < x->worst_mos_milli)) {
        x->worst_mos_milli = mos;
        x->worst_second = s->seconds + 1 - x->window_filled;
    }
}

/* What was before the answer is early media: counted, and scored apart from the call. */
static void answered_now(struct media_stream *s, int64_t now_ns)
{
    bool early = s->first_ns < s->call->call->answered_ns;
    struct media_extra *x = early ? media_stream_extra(s) : NULL;

    s->answered = true;
    if (!x)
        return;
    judge_to(s, s->sequence.max + 1);
    x->early_packets = s->sequence.received;
    x->early_lost = s->sequence.missing;
    for (unsigned i = 0; i < STREAM_BUFFERS; i++)
        x->early_discarded[i] = s->playout.discarded[i];
    x->early_until_ns = now_ns;
    x->burst = (struct media_burst){0};
    s->judged_packets = 0;
    x->window_filled = x->window_at = 0;
    x->worst_mos_milli = 0;
}

static uint8_t call_flags(const struct media_stream *s)
{
    const struct call *c = s->call ? s->call->call : NULL;
    uint8_t flags = 0;

    if (c && c->on_hold)
        flags |= STREAM_RUN_HOLD;
    if (c && !c->answered_ns && !c->partial)
        flags |= STREAM_RUN_EARLY;
    return flags;
}

void media_stream_second(struct media_stream *s, int64_t now_ns, const struct media_about *about)
{
    uint64_t whole = (uint64_t)(now_ns - s->second_end_ns) / MEDIA_SECOND_NS;
    uint32_t got = s->sequence.received - s->second_received;
    uint32_t lost = s->sequence.missing > s->second_missing ? s->sequence.missing - s->second_missing : 0;
    uint32_t late = s->playout.discarded[STREAM_ADAPTIVE] - s->second_discarded;
    uint8_t flags = s->flags | call_flags(s);

    if (s->guess_pending)
        clock_guess(s, now_ns);
    uint64_t jitter_ms = media_jitter_ns(&s->jitter) / MS_NS;
    struct stream_run run = {
        .seconds = 1, .packets = byte_of(got), .lost = byte_of(lost), .discarded = byte_of(late),
        .jitter_ms = byte_of(jitter_ms), .flags = flags,
    };

    if (s->scale && got + lost && !(flags & STREAM_RUN_HOLD))
        run.mos = byte_of(((uint64_t)score_milli(s, got + lost, lost + late) - 1000) / 16 + 1);
    run_add(s, run);
    runs_silent(s, whole, flags & (STREAM_RUN_HOLD | STREAM_RUN_EARLY));
    if (!(flags & STREAM_RUN_HOLD))
        window_add(s, got + lost, lost + late);
    media_playout_second(&s->playout, s->frame_ms);
    if (s->seconds == 1)
        scale_set(s, about);                              /* now the rate is known */
    s->second_received = s->sequence.received;
    s->second_missing = s->sequence.missing;
    s->second_discarded = s->playout.discarded[STREAM_ADAPTIVE];
    s->seconds = s->seconds + 1 + (uint32_t)whole;
    s->second_end_ns += (int64_t)(whole + 1) * MEDIA_SECOND_NS;
    s->flags = 0;
    if (s->call && !s->answered && s->call->call->answered_ns && now_ns >= s->call->call->answered_ns)
        answered_now(s, now_ns);
}

/* ---- packets ------------------------------------------------------------------------------ */

void media_stream_begin(struct media_stream *s, const struct wire_unit *u, const struct media_head *h,
                        const struct media_about *about)
{
    s->src = u->src;
    s->dst = u->dst;
    s->ssrc = h->ssrc;
    s->ttl = u->ttl;
    s->tunnels = u->tunnels;
    s->first_ns = s->last_ns = u->time_ns;
    s->first_frame = u->frame;
    s->first_timestamp = h->timestamp;
    s->second_end_ns = u->time_ns + MEDIA_SECOND_NS;
    s->run_step_s = 1;
    s->hop = 1;
    media_jitter_begin(&s->jitter, CLOCK_PROVISIONAL);
    media_playout_begin(&s->playout);
    s->sound.payload_type = UNSETTLED;
    s->type = UNSETTLED;
    s->clock_hz = CLOCK_PROVISIONAL;
    (void)about;
}

/* The same packet at another point of the capture, or sent twice? */
static void seen_again(struct media_stream *s, const struct wire_unit *u)
{
    bool id = u->ip_id && u->ip_id == s->last_ip_id;
    bool place = u->ttl != s->ttl || u->tunnels != s->tunnels || u->hep;
    bool soon = !u->ip_id && u->time_ns - s->last_ns < COPY_WITHIN_NS;

    if (id || place || soon)
        EXTRA_ADD(s, copies);
    else
        EXTRA_ADD(s, duplicates);
}

static void key_add(struct media_extra *x, char key)
{
    if (!x->keys && !(x->keys = calloc(1, STREAM_DTMF_MAX)))
        return;
    size_t len = strlen(x->keys);

    if (key && len + 1 < STREAM_DTMF_MAX)
        x->keys[len] = key;
}

static void event_packet(struct media_stream *s, slice payload, const struct media_head *h)
{
    struct media_extra *x = media_stream_extra(s);
    struct rtp_event e;

    s->flags |= STREAM_RUN_DTMF;
    if (!x || !rtp_event_parse(payload, &e))
        return;
    enum rtp_dtmf_step step = rtp_dtmf_note(&x->dtmf, h->timestamp, &e);

    if (step == RTP_DTMF_SAME)
        return;
    x->dtmf_events++;
    x->dtmf_unended += step == RTP_DTMF_NEW_UNENDED;
    key_add(x, rtp_event_key(e.event));
}

/* No SDP speaks for it, but it has the size and the values of an event. */
static bool looks_like_event(const struct media_stream *s, slice payload, unsigned payload_type)
{
    struct rtp_event e;

    return payload.len == 4 && payload_type >= 96 && payload_type != s->sound.payload_type &&
           rtp_event_parse(payload, &e) && e.event <= RTP_EVENT_KEYS && !(rtp_get_u8(payload, 1) & 0x40);
}

/* One packet a second is looked at. */
static void silence_note(struct media_stream *s, slice payload, const struct media_about *about)
{
    slice name = media_codec_name(about ? about->names : NULL, s->sound.name);
    bool a_law = slice_eq(name, SLICE("PCMA"));

    if ((a_law || slice_eq(name, SLICE("PCMU"))) && rtp_is_silence(payload, a_law))
        EXTRA_ADD(s, silent_s);
}

static void sound_change(struct media_stream *s, struct media_type t, const struct media_about *about)
{
    if (s->sound.payload_type != UNSETTLED) {
        EXTRA_ADD(s, codec_changes);
        s->flags |= STREAM_RUN_OTHER_CODEC;
        media_playout_rebase(&s->playout);
    }
    sound_set(s, t, about);
}

/* Where the sender's time line breaks, nothing is said about delay. `step`: numbers since the last. */
static void time_line(struct media_stream *s, const struct media_head *h, const struct wire_unit *u, uint32_t step)
{
    int32_t ticks = (int32_t)(h->timestamp - s->jitter.last_timestamp);
    bool started = media_jitter_is_started(&s->jitter);
    int64_t differs_ns = started ? u->time_ns - s->jitter.last_arrival_ns - media_ticks_ns(s->jitter.tick_q12, ticks) : 0;
    bool jump = ticks < 0 || (uint32_t)ticks >= s->clock_hz;
    bool pause = step == 1 && !s->after_event && s->frame_ms && ticks > 0 && (uint32_t)ticks > s->clock_hz / 1000 * s->frame_ms * 3 / 2;

    if (!started)
        return;
    if (jump && (differs_ns > MEDIA_SECOND_NS || differs_ns < -MEDIA_SECOND_NS))
        EXTRA_ADD(s, timestamp_jumps);
    /* on hold many phones stop both packets and timestamps: that is no delay of the one behind */
    bool stood_still = step == 1 && !jump && differs_ns > STOOD_STILL_NS;

    if (jump || stood_still || (pause && h->type & 0x80)) {
        media_jitter_break(&s->jitter);
        media_playout_rebase(&s->playout);
    }
    if (pause && h->type & 0x80) {
        EXTRA_ADD(s, spurts);
        s->sparse = true;
    } else if (step == 1 && ticks > 0 && !jump) {         /* marked or not, this is what a packet holds */
        uint32_t frame_ms = (uint32_t)((uint64_t)ticks * 1000 / s->clock_hz);

        if (!s->frame_ms && frame_ms && frame_ms <= 240)
            s->frame_ms = (uint16_t)frame_ms;
    }
}

/* How many numbers may be missing after this silence; video sends many packets at once. */
static uint32_t plausible_skip(const struct media_stream *s, int64_t silence_ns)
{
    uint32_t frame_ms = s->frame_ms ? s->frame_ms : 10;

    if (s->sound.kind != MEDIA_AUDIO && s->sound.kind != MEDIA_UNKNOWN)
        return MEDIA_DROPOUT_MAX;
    return silence_ns > 0 ? JUMP_TOLERATED + (uint32_t)(silence_ns / MS_NS < 60000 ? silence_ns / MS_NS : 60000) * 2 / frame_ms
                          : JUMP_TOLERATED;
}

static void sound_packet(struct media_stream *s, const struct wire_unit *u, const struct media_head *h,
                         enum media_seen seen, uint32_t number, uint32_t step)
{
    if (seen != MEDIA_LATE)
        time_line(s, h, u, step);
    int64_t d_ns = media_jitter_feed(&s->jitter, u->time_ns, h->timestamp);

    if (media_playout_feed(&s->playout, d_ns, s->frame_ms) && number >= s->judged &&
        number >> 6 >= (s->sequence.max >> 6) - 1)
        media_stream_mark_late(s, number);
    /* the first ones are looked at closely, by the table, too */
    if (s->type == UNSETTLED && s->sequence.received > 5 && (s->frame_ms || s->sequence.received > 10))
        s->type = s->sound.payload_type;
}

void media_stream_gap(struct media_stream *s, int64_t now_ns)
{
    bool held = s->call && s->call->call->on_hold;
    uint64_t silence = now_ns > s->last_ns ? (uint64_t)(now_ns - s->last_ns) >> 20 : 0;

    if (!held && silence > s->gap_max)
        s->gap_max = (uint32_t)(silence < UINT32_MAX ? silence : UINT32_MAX);
}

bool media_stream_feed(struct media_stream *s, const struct wire_unit *u, const struct media_head *h,
                       const struct media_about *about)
{
    unsigned payload_type = h->type & 0x7f;
    uint32_t before = s->sequence.max, number = 0;
    struct rtp_packet p;
    slice payload = slice_skip(u->payload, 12);

    if (!u->cut && rtp_packet_parse(u->payload, &p))
        payload = p.payload;
    bool second = u->time_ns >= s->second_end_ns;

    if (second)
        media_stream_second(s, u->time_ns, about);
    uint16_t ahead = (uint16_t)(h->sequence - (uint16_t)before);

    if (s->sequence.started && ahead > 32 && ahead < MEDIA_DROPOUT_MAX)
        judge_to(s, before + 1);
    enum media_seen seen = media_sequence_note(&s->sequence, h->sequence,
                                               plausible_skip(s, u->time_ns - s->last_ns), &number);

    if (seen == MEDIA_UNSURE)
        return false;
    if (seen == MEDIA_AGAIN) {
        seen_again(s, u);
        return true;
    }
    if (seen == MEDIA_RESTART || before == 0) {
        judge_restart(s);
        media_jitter_break(&s->jitter);
        media_playout_rebase(&s->playout);
    } else if (s->judged == before + 1 && number > before + 33) {
        struct media_burst *b = burst_begin(s);

        if (b)
            media_burst_lost(b, number - before - 1);
        s->judged = number;
        s->discarded_bits[0] = s->discarded_bits[1] = 0;
    }
    media_stream_gap(s, u->time_ns);
    s->last_ns = u->time_ns > s->last_ns ? u->time_ns : s->last_ns;
    s->last_frame = u->frame;
    s->last_ip_id = (uint16_t)u->ip_id;
    s->bytes += u->payload.len - 12;
    type_seen(s, (uint8_t)payload_type);
    struct media_type t = payload_type == s->sound.payload_type ? s->sound : type_of(s, payload_type, about);

    if (t.kind == MEDIA_UNKNOWN && looks_like_event(s, payload, payload_type))
        t.kind = MEDIA_EVENT;
    bool event = t.kind == MEDIA_EVENT;

    if (event) {
        event_packet(s, payload, h);
    } else if (t.kind == MEDIA_COMFORT_NOISE) {
        EXTRA_ADD(s, comfort_noise);
        s->sparse = true;
        s->flags |= STREAM_RUN_SILENCE;
    } else if (t.kind == MEDIA_REDUNDANT) {
        EXTRA_ADD(s, other_types);
    } else {
        if (payload_type != s->sound.payload_type)
            sound_change(s, t, about);
        sound_packet(s, u, h, seen, number, number - before);
        if (second)
            silence_note(s, payload, about);
    }
    s->after_event = event;
    media_stream_judge(s);
    return true;
}

/* ---- the record --------------------------------------------------------------------------- */

static uint32_t milli(double v) { return v > 0 ? (uint32_t)(v * 1000 + 0.5) : 0; }

struct scored { uint32_t expected, bad[STREAM_BUFFERS]; };

/* Of the call itself, when it was answered; else of all that there was. */
static struct scored scored_of(const struct media_stream *s)
{
    const struct media_extra *x = s->extra;
    uint32_t early = x ? x->early_packets : 0, early_lost = x ? x->early_lost : 0;
    uint32_t lost = s->sequence.missing > early_lost ? s->sequence.missing - early_lost : 0;
    struct scored r = { .expected = s->sequence.received - early + lost };

    for (unsigned i = 0; i < STREAM_BUFFERS; i++) {
        uint32_t late = s->playout.discarded[i] - (x ? x->early_discarded[i] : 0);

        r.bad[i] = lost + late < r.expected ? lost + late : r.expected;
    }
    return r;
}

static void finish_scores(const struct media_stream *s, struct stream *r, const struct media_burst_figures *b)
{
    struct scored scored = scored_of(s);
    int64_t from_ns = s->extra && s->extra->early_until_ns ? s->extra->early_until_ns : s->first_ns;
    double adaptive_ms = s->playout.target_seconds
        ? (double)s->playout.target_sum_ms / s->playout.target_seconds : s->playout.target_ms;
    const double buffer_ms[STREAM_BUFFERS] = { 50, 200, adaptive_ms };

    for (unsigned i = 0; i < STREAM_BUFFERS; i++) {
        r->buffers[i].discarded = s->playout.discarded[i];
        r->buffers[i].delay_ms = (uint32_t)(buffer_ms[i] + 0.5);
    }
    if (!s->scale || scored.expected < MEDIA_SCORE_PACKETS || s->last_ns - from_ns < MEDIA_SCORE_NS)
        return;
    for (unsigned i = 0; i < STREAM_BUFFERS; i++) {
        struct emodel_path path = { .loss = (double)scored.bad[i] / scored.expected, .burst_r = b->burst_r,
                                    .delay_ms = delay_ms(s, buffer_ms[i]) };
        struct emodel_score score = emodel_score(s->scale, &path);

        r->buffers[i].r_milli = milli(score.r_cq);
        r->buffers[i].mos_milli = (uint16_t)milli(score.mos_cq);
        if (i == STREAM_ADAPTIVE) {
            r->r_lq_milli = milli(score.r_lq);
            r->mos_lq_milli = (uint16_t)milli(score.mos_lq);
        }
    }
    r->band = s->scale->band;
    r->estimated = s->scale->estimated || s->clock_guessed;
    uint16_t mos = r->buffers[STREAM_ADAPTIVE].mos_milli, worst = s->extra ? s->extra->worst_mos_milli : 0;

    r->worst_mos_milli = worst && worst < mos ? worst : mos;
    r->worst_ns = s->first_ns + (worst ? (int64_t)s->extra->worst_second * MEDIA_SECOND_NS : 0);
}

static void finish_bursts(const struct media_stream *s, struct stream *r, const struct media_burst_figures *b)
{
    double frame_ms = s->frame_ms ? s->frame_ms : 0;

    r->bursts = b->bursts;
    r->burst_loss_milli = milli(b->burst_loss * 100);
    r->gap_loss_milli = milli(b->gap_loss * 100);
    r->burst_ms = (uint32_t)(b->burst_packets * frame_ms + 0.5);
    r->gap_ms = (uint32_t)(b->gap_packets * frame_ms + 0.5);
    r->burst_r_milli = milli(b->burst_r);
}

static void finish_extra(const struct media_extra *x, struct stream *r)
{
    r->duplicates = x->duplicates;
    r->copies = x->copies;
    r->timestamp_jumps = x->timestamp_jumps;
    r->spurts = x->spurts;
    r->comfort_noise = x->comfort_noise;
    r->silent_s = x->silent_s;
    r->codec_changes = x->codec_changes;
    r->other_type_packets = x->other_types;
    r->early_packets = x->early_packets;
    r->early_lost = x->early_lost;
    r->dtmf_events = x->dtmf_events;
    r->dtmf_unended = x->dtmf_unended + (x->dtmf.open && !x->dtmf.ended);
    if (x->keys)
        memcpy(r->dtmf, x->keys, STREAM_DTMF_MAX);
    if (x->rtcp) {
        r->rtcp = x->rtcp->out;
        r->half_way_us = x->rtcp->half_count
            ? (uint32_t)(x->rtcp->half_sum_ns / x->rtcp->half_count / 1000) + 1 : 0;   /* 0: unknown */
    }
}

static void finish_codec(const struct media_stream *s, struct stream *r, const struct media_about *about)
{
    static const char media[] = { [MEDIA_AUDIO] = 'a', [MEDIA_VIDEO] = 'v', [MEDIA_EVENT] = 'a',
                                  [MEDIA_COMFORT_NOISE] = 'a', [MEDIA_REDUNDANT] = 'o', [MEDIA_OTHER] = 'o' };
    slice name = media_codec_name(about ? about->names : NULL, s->sound.name);

    memcpy(r->codec, name.ptr ? name.ptr : "", name.len < STREAM_CODEC_MAX ? name.len : 0);
    r->media = (uint8_t)media[s->sound.kind];
    r->clock_hz = s->guess_pending ? 0 : s->clock_hz;
    r->clock_guessed = s->clock_guessed && !s->guess_pending;
    r->frame_ms = s->frame_ms;
    r->type_count = s->type_count;
    memcpy(r->types, s->types, sizeof r->types);
}

struct stream *media_stream_finish(struct media_stream *s, const struct media_about *about)
{
    if (s->sequence.received > s->second_received)
        media_stream_second(s, s->second_end_ns, about);
    scale_set(s, about);
    if (s->sequence.started)
        judge_to(s, s->sequence.max + 1);
    struct media_burst_figures bursts = burst_figures(s);
    struct stream *r = stream_new(s->run_count);

    if (!r)
        return NULL;
    r->ssrc = s->ssrc;
    r->side = s->side;
    r->bound = s->bound;
    r->hop = s->hop;
    r->silence_suppressed = s->sparse;
    r->tables_full = s->full;
    r->first_ns = s->first_ns;
    r->last_ns = s->last_ns > s->first_ns ? s->last_ns : s->first_ns;
    r->first_frame = s->first_frame;
    r->last_frame = s->last_frame;
    r->index = s->index;
    r->src = s->src;
    r->dst = s->dst;
    r->bytes = s->bytes;
    r->packets = s->sequence.received;
    r->lost = s->sequence.missing;
    r->reordered = s->sequence.reordered;
    r->restarts = s->sequence.restarts;
    r->jitter_mean_us = (uint32_t)(media_jitter_mean_ns(&s->jitter) / 1000);
    r->jitter_max_us = (uint32_t)(s->jitter.max_ns / 1000);
    if (s->playout.drift_halves >= 6)
        r->drift_ppm = s->playout.drift_sum_us / (int32_t)(s->playout.drift_halves * MEDIA_HALF_S);
    r->gap_max_ms = (uint32_t)(((uint64_t)s->gap_max << 20) / MS_NS);
    finish_codec(s, r, about);
    if (s->extra)
        finish_extra(s->extra, r);
    finish_scores(s, r, &bursts);
    finish_bursts(s, r, &bursts);
    if (s->run_count)
        memcpy(r->runs, s->runs, s->run_count * sizeof *r->runs);
    r->run_count = s->run_count;
    r->run_step_s = s->run_step_s;
    return r;
}

void media_stream_add_delay(struct stream *s, double network_ms)
{
    double kbps = s->packets && s->frame_ms ? (double)s->bytes * 8 / ((double)s->packets * s->frame_ms) : 0;
    slice name = slice_of_string(s->codec);
    const struct emodel_codec *c = emodel_codec_find(slice_starts_nocase(name, SLICE("AAL2-")) ? slice_skip(name, 5) : name,
                                                     kbps);

    for (unsigned i = 0; c && i < STREAM_BUFFERS; i++) {
        double had_ms = s->buffers[i].delay_ms + s->frame_ms + (double)c->lookahead_ms;
        double r = s->buffers[i].r_milli / 1000.0 + emodel_id(had_ms) - emodel_id(had_ms + network_ms);

        if (!s->buffers[i].mos_milli)
            continue;
        s->buffers[i].r_milli = milli(r);
        s->buffers[i].mos_milli = (uint16_t)milli(emodel_mos((enum stream_band)s->band, r));
    }
    if (s->worst_mos_milli > stream_mos_milli(s))
        s->worst_mos_milli = stream_mos_milli(s);
}
