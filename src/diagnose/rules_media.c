/* diagnose/rules_media.c - what people heard, from the streams of the call.
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"

#include "sip/sdp.h"

#define SILENT_MIN_S    5u           /* a pause for thought is shorter */
#define HEARD_MIN       50u          /* packets: a second of voice */
#define SCORED_MIN      100u
#define STOP_NS         (5 * SECOND_NS)

static int64_t end_ns(const struct casefile *k)
{
    return k->call->ended_ns ? k->call->ended_ns : k->call->last_ns;
}

/* Not held for all of the conversation, and both sides wanted to hear and be heard. */
static bool should_be_heard(const struct casefile *k, bool from_callee)
{
    const struct call_sdp *from = &k->facts->sdp[from_callee], *to = &k->facts->sdp[!from_callee];

    return k->talk_ns - k->held_ns >= 2 * SECOND_NS && !k->call->on_hold &&
           from->direction != SDP_RECVONLY && from->direction != SDP_INACTIVE &&
           to->direction != SDP_SENDONLY && to->direction != SDP_INACTIVE &&
           !((from->flags | to->flags) & (CALL_SDP_REFUSED | CALL_SDP_NO_AUDIO | CALL_SDP_T38));
}

static void say_side(const struct casefile *k, struct candidate *c, bool callee)
{
    const struct address *media = &k->facts->sdp[callee].media;

    if (media->family)
        say_address(c, "address", media);
    else
        say_host(c, "address", case_side(k, callee));
}

/* Something came back all the same, whosever voice it was thought to be. */
static bool comes_back(const struct casefile *k, const struct stream *s)
{
    for (const struct list *l = k->call->streams.next; l != &k->call->streams; l = l->next) {
        const struct stream *other = list_item(l, struct stream, in_list);

        if (other->packets >= HEARD_MIN && address_same_ip(&other->src, &s->dst) && address_same_ip(&other->dst, &s->src))
            return true;
    }
    return false;
}

static bool one_way(const struct casefile *k, struct candidate *c, bool from_callee)
{
    const struct case_way *silent = &k->way[from_callee], *loud = &k->way[!from_callee];

    if (!k->call->media.described || silent->after_answer || loud->after_answer < HEARD_MIN ||
        k->call->media.other_packets || !should_be_heard(k, from_callee) || comes_back(k, loud->first))
        return false;
    prove(c, k->answer);
    prove_stream(c, loud->first);
    say_side(k, c, from_callee);
    say_number(c, "count", (int64_t)loud->after_answer);
    return true;
}
static bool caller_deaf(const struct casefile *k, struct candidate *c) { return one_way(k, c, true); }
static bool callee_deaf(const struct casefile *k, struct candidate *c) { return one_way(k, c, false); }

/* Any packets of the conversation, be they voice or not. */
static bool has_stream_of_talk(const struct casefile *k)
{
    for (const struct list *l = k->call->streams.next; l != &k->call->streams; l = l->next)
        if (list_item(l, struct stream, in_list)->last_ns > k->call->answered_ns + SECOND_NS)
            return true;
    return false;
}

static bool no_audio(const struct casefile *k, struct candidate *c)
{
    if (!k->call->media.described || k->way[0].after_answer || k->way[1].after_answer ||
        k->call->media.other_packets || has_stream_of_talk(k) || !should_be_heard(k, true) || !should_be_heard(k, false))
        return false;
    prove(c, k->answer);
    prove(c, k->bye);
    say_seconds(c, "seconds", k->talk_ns);
    return true;
}

/* ---- the voice that ends before the call --------------------------------------------------------- */

static int64_t stopped_ns(const struct casefile *k, bool from_callee)
{
    const struct case_way *w = &k->way[from_callee];
    int64_t until_ns = k->call->bye_ns ? k->call->bye_ns : k->now_ns;

    if (w->after_answer < HEARD_MIN || k->call->on_hold || k->call->transfers || w->last->silence_suppressed ||
        w->last->comfort_noise || w->last->open_at_end || !should_be_heard(k, from_callee))
        return 0;
    int64_t gap_ns = case_gap_ns(w->last_ns, until_ns);

    return gap_ns >= STOP_NS ? gap_ns : 0;
}

static bool stopped(const struct casefile *k, struct candidate *c, bool from_callee)
{
    int64_t mine = stopped_ns(k, from_callee), other = stopped_ns(k, !from_callee);

    if (!mine || (other && other > mine / 2))
        return false;
    prove_stream(c, k->way[from_callee].last);
    prove(c, k->bye);
    say_seconds(c, "seconds", mine);
    c->certainty = VERDICT_LIKELY;                        /* a recorder sends nothing while it listens */
    return true;
}
static bool stopped_caller(const struct casefile *k, struct candidate *c) { return stopped(k, c, false); }
static bool stopped_callee(const struct casefile *k, struct candidate *c) { return stopped(k, c, true); }

static int64_t both_stopped_ns(const struct casefile *k)
{
    int64_t a = stopped_ns(k, false), b = stopped_ns(k, true), least = a < b ? a : b;

    return least && (a > b ? a : b) - least <= 3 * SECOND_NS ? least : 0;
}

static bool stopped_both(const struct casefile *k, struct candidate *c)
{
    int64_t gap_ns = both_stopped_ns(k);

    if (!gap_ns)
        return false;
    prove_stream(c, k->way[0].last);
    prove_stream(c, k->way[1].last);
    prove(c, k->bye);
    say_seconds(c, "seconds", gap_ns);
    return true;
}

static bool media_timeout(const struct casefile *k, struct candidate *c)
{
    static const char *const words[] = { "rtp", "no media", "media time", "media inactiv", "no audio", "inactivity", NULL };
    bool said = text_has(k->call->reason_text, words) || k->facts->release_cause == 2;

    if (!said || !k->bye)
        return false;
    prove_stream(c, k->way[0].last);
    prove_stream(c, k->way[1].last);
    prove(c, k->bye);
    say_seconds(c, "seconds", k->talk_ns);
    say_text(c, "value", k->call->reason_text.len ? k->call->reason_text : SLICE("RELEASE_CAUSE 2"));
    return true;
}

static bool media_late(const struct casefile *k, struct candidate *c)
{
    for (unsigned way = 0; way < 2; way++) {
        const struct stream *s = k->way[way].first;

        if (!s || s->early_packets || s->silence_suppressed || !should_be_heard(k, way))
            continue;
        int64_t late_ns = case_gap_ns(k->call->answered_ns, s->first_ns);

        if (late_ns < SECOND_NS || k->way[way].after_answer < HEARD_MIN)
            continue;
        prove(c, k->answer);
        prove_stream(c, s);
        say_address(c, "address", &s->src);
        say_number(c, "milliseconds", late_ns / MS_NS);
        sure_if(c, late_ns >= 3 * SECOND_NS);
        return true;
    }
    return false;
}

static bool ringback_missing(const struct casefile *k, struct candidate *c)
{
    int64_t until_ns = k->call->answered_ns ? k->call->answered_ns : end_ns(k);
    int64_t waited_ns = case_gap_ns(k->early_sdp ? k->early_sdp->at_ns : 0, until_ns);

    if (k->ringing || waited_ns < 4 * SECOND_NS)
        return false;
    for (const struct list *l = k->call->streams.next; l != &k->call->streams; l = l->next) {
        const struct stream *s = list_item(l, struct stream, in_list);

        if (s->side != STREAM_FROM_CALLER && (s->early_packets || (!k->call->answered && s->packets)))
            return false;
    }
    prove(c, k->early_sdp);
    say_seconds(c, "seconds", waited_ns);
    sure_if(c, k->way[1].after_answer >= HEARD_MIN);
    return true;
}

/* ---- codecs ------------------------------------------------------------------------------------------ */

static bool codec_asymmetry(const struct casefile *k, struct candidate *c)
{
    const struct stream *a = k->way[0].last, *b = k->way[1].last;

    if (!a || !b || !a->codec[0] || !b->codec[0] || a->packets < HEARD_MIN || b->packets < HEARD_MIN ||
        slice_eq_nocase(slice_of_string(a->codec), slice_of_string(b->codec)))
        return false;
    prove_stream(c, a);
    prove_stream(c, b);
    say_text(c, "codec", slice_of_string(a->codec));
    say_text(c, "codec_other", slice_of_string(b->codec));
    return true;
}

static bool names_type(slice formats, unsigned type)
{
    uint32_t one;

    while (slice_take_u32(&formats, &one)) {
        if (one == type)
            return true;
        if (!slice_take_blanks(&formats))
            break;
    }
    return false;
}

/* Most of its packets have a type that the receiver's description does not name. */
static bool not_negotiated(const struct casefile *k, struct candidate *c)
{
    for (unsigned way = 0; way < 2; way++) {
        const struct stream *s = k->way[way].last;

        if (!s || !s->wrong_type || s->packets < HEARD_MIN || s->secure || s->codec_changes ||
            (s->type_count && names_type(k->facts->sdp[!way].formats, s->types[0])))
            continue;
        prove_stream(c, s);
        prove_frame(c, k->facts->sdp[!way].frame, SLICE("SDP"));
        say_address(c, "address", &s->src);
        say_text(c, "codec", slice_of_string(s->codec));
        return true;
    }
    return false;
}

static bool codec_changed(const struct casefile *k, struct candidate *c)
{
    for (unsigned way = 0; way < 2; way++) {
        const struct stream *a = k->way[way].first, *b = k->way[way].last;

        if (!a || !(b != a || a->codec_changes) || !a->codec[0])
            continue;
        if (b != a && (!b->codec[0] || slice_eq(slice_of_string(a->codec), slice_of_string(b->codec))))
            continue;
        prove_stream(c, a);
        if (b != a) {
            prove_stream(c, b);
            say_text(c, "codec", slice_of_string(a->codec));
            say_text(c, "codec_other", slice_of_string(b->codec));
        }
        return true;
    }
    return false;
}

/* ---- quality ------------------------------------------------------------------------------------------ */

/* The streams of the caller's hop that are long enough to judge, one after the other. */
static const struct stream *next_judged(const struct casefile *k, const struct list **at)
{
    while (*at != &k->call->streams) {
        const struct stream *s = list_item(*at, struct stream, in_list);

        *at = (*at)->next;
        if (s->hop <= 1 && s->media != 'v' && s->media != 'o' && s->packets + s->lost >= SCORED_MIN)
            return s;
    }
    return NULL;
}

typedef uint64_t measure_fn(const struct stream *s);

/* The stream with the highest measure, when that reaches the limit. */
static const struct stream *worst_by(const struct casefile *k, measure_fn *measure, uint64_t limit, uint64_t *ret)
{
    const struct list *at = k->call->streams.next;
    const struct stream *s, *worst = NULL;

    *ret = limit ? limit - 1 : 0;
    while ((s = next_judged(k, &at)))
        if (measure(s) > *ret) {
            *ret = measure(s);
            worst = s;
        }
    return worst;
}

static uint64_t share(uint64_t part, uint64_t all) { return all ? (part * 2000 + all) / (all * 2) : 0; }   /* thousandths */
static uint64_t loss_of(const struct stream *s) { return share(s->lost, (uint64_t)s->packets + s->lost); }
static uint64_t late_of(const struct stream *s) { return share(s->buffers[STREAM_ADAPTIVE].discarded, s->packets); }
static uint64_t jitter_of(const struct stream *s) { return s->jitter_mean_us / 1000; }
static uint64_t delay_of(const struct stream *s) { return s->two_way_ms / 2; }
static uint64_t reordered_of(const struct stream *s) { return share(s->reordered, s->packets); }
static uint64_t duplicates_of(const struct stream *s) { return share(s->duplicates, s->packets); }
static uint64_t restarts_of(const struct stream *s) { return s->restarts; }
static uint64_t drift_of(const struct stream *s) { return (uint64_t)(s->drift_ppm < 0 ? -(int64_t)s->drift_ppm : s->drift_ppm); }
static uint64_t unended_of(const struct stream *s) { return s->dtmf_unended; }
static uint64_t badness_of(const struct stream *s) { return stream_mos_milli(s) ? 5000 - stream_mos_milli(s) : 0; }
static uint64_t worst_second_of(const struct stream *s) { return s->worst_mos_milli ? 5000 - s->worst_mos_milli : 0; }
static uint64_t bursts_of(const struct stream *s) { return s->bursts && s->burst_r_milli >= 2000 ? loss_of(s) : 0; }
static uint64_t beyond_of(const struct stream *s)
{
    return s->rtcp.reported_expected >= 200 && loss_of(s) < 10
               ? share(s->rtcp.reported_lost, s->rtcp.reported_expected) : 0;
}

static bool tell_percent(const struct stream *s, uint64_t thousandths, struct candidate *c)
{
    if (!s)
        return false;
    prove_stream(c, s);
    say_address(c, "address", &s->src);
    say_tenths(c, "percent", (int64_t)thousandths);
    return true;
}

/* The stream that is worst by this share, when that reaches the limit (thousandths). */
static bool tell_share(const struct casefile *k, struct candidate *c, measure_fn *measure, uint64_t limit)
{
    uint64_t part;
    const struct stream *s = worst_by(k, measure, limit, &part);

    return tell_percent(s, part, c);
}
static bool loss_high(const struct casefile *k, struct candidate *c) { return tell_share(k, c, loss_of, 30); }
static bool late_discard(const struct casefile *k, struct candidate *c) { return tell_share(k, c, late_of, 30); }
static bool reordering_high(const struct casefile *k, struct candidate *c) { return tell_share(k, c, reordered_of, 10); }
static bool duplicates_high(const struct casefile *k, struct candidate *c) { return tell_share(k, c, duplicates_of, 20); }
static bool loss_beyond(const struct casefile *k, struct candidate *c) { return tell_share(k, c, beyond_of, 30); }

static bool loss_bursty(const struct casefile *k, struct candidate *c)
{
    uint64_t loss;
    const struct stream *s = worst_by(k, bursts_of, 20, &loss);

    if (!tell_percent(s, loss, c))
        return false;
    say_number(c, "milliseconds", s->burst_ms);
    return true;
}

static bool jitter_high(const struct casefile *k, struct candidate *c)
{
    uint64_t jitter;
    const struct stream *s = worst_by(k, jitter_of, 40, &jitter);

    if (!s)
        return false;
    prove_stream(c, s);
    say_address(c, "address", &s->src);
    say_number(c, "milliseconds", (int64_t)jitter);
    return true;
}

static bool delay_high(const struct casefile *k, struct candidate *c)
{
    uint64_t delay;
    const struct stream *s = worst_by(k, delay_of, 300, &delay);

    if (!s)
        return false;
    prove_stream(c, s);
    say_number(c, "milliseconds", (int64_t)delay);
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool tell_mos(const struct stream *s, unsigned mos_milli, struct candidate *c)
{
    prove_stream(c, s);
    say_tenths(c, "mos", (mos_milli + 50) / 100);
    return true;
}

static bool quality_poor(const struct casefile *k, struct candidate *c)
{
    uint64_t badness;
    const struct stream *s = worst_by(k, badness_of, 5000 - 3100, &badness);

    if (!s || s->estimated)
        return false;
    say_address(c, "address", &s->src);
    return tell_mos(s, stream_mos_milli(s), c);
}

static bool quality_dip(const struct casefile *k, struct candidate *c)
{
    uint64_t badness;
    const struct stream *s = worst_by(k, worst_second_of, 5000 - 2600, &badness);

    if (!s || s->estimated)
        return false;
    say_number(c, "seconds", 10);
    sure_if(c, s->worst_mos_milli < 2000);
    return tell_mos(s, s->worst_mos_milli, c);
}

static bool clock_drift(const struct casefile *k, struct candidate *c)
{
    uint64_t drift;
    const struct stream *s = worst_by(k, drift_of, 300, &drift);

    if (!s || s->clock_guessed)
        return false;
    prove_stream(c, s);
    say_address(c, "address", &s->src);
    say_number(c, "value", (int64_t)drift);
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool sequence_jump(const struct casefile *k, struct candidate *c)
{
    uint64_t jumps;
    const struct stream *s = worst_by(k, restarts_of, 1, &jumps);

    if (!s)
        return false;
    prove_stream(c, s);
    say_address(c, "address", &s->src);
    say_number(c, "count", (int64_t)jumps);
    return true;
}

/* ---- senders and addresses ---------------------------------------------------------------------------------- */

static int64_t overlap_ns(const struct stream *a, const struct stream *b)
{
    int64_t from_ns = a->first_ns > b->first_ns ? a->first_ns : b->first_ns;
    int64_t to_ns = a->last_ns < b->last_ns ? a->last_ns : b->last_ns;

    return to_ns - from_ns;
}

/* Two streams at the same time to the same place: of the call's own hosts, or of a stranger. */
static bool two_senders(const struct casefile *k, bool foreign, const struct stream **ret_a, const struct stream **ret_b)
{
    const struct list *i = k->call->streams.next;
    const struct stream *a, *b;
    unsigned pairs = 0;

    while ((a = next_judged(k, &i)))
        for (const struct list *j = i; (b = next_judged(k, &j)) && pairs < 256; pairs++) {
            bool strange = !address_same_ip(&a->src, &b->src) && (a->unnamed_source || b->unnamed_source);

            if (address_eq(&a->dst, &b->dst) && overlap_ns(a, b) >= 2 * SECOND_NS && strange == foreign &&
                a->last_ns > k->call->answered_ns + 2 * SECOND_NS) {
                *ret_a = a;
                *ret_b = b;
                return true;
            }
        }
    return false;
}

static bool senders_mixed(const struct casefile *k, struct candidate *c)
{
    const struct stream *a, *b;

    if (!two_senders(k, false, &a, &b))
        return false;
    prove_stream(c, a);
    prove_stream(c, b);
    say_address(c, "address", &a->dst);
    say_number(c, "count", 2);
    return true;
}

static bool media_injection(const struct casefile *k, struct candidate *c)
{
    const struct stream *a, *b;

    if (!two_senders(k, true, &a, &b))
        return false;
    const struct stream *stranger = a->unnamed_source ? a : b;

    prove_stream(c, stranger);
    prove_stream(c, stranger == a ? b : a);
    say_address(c, "address", &stranger->src);
    say_number(c, "count", stranger->packets);
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool unexpected_source(const struct casefile *k, struct candidate *c)
{
    for (unsigned way = 0; way < 2; way++) {
        const struct stream *s = k->way[way].last;
        const struct address *named = &k->facts->sdp[way].media;

        if (!s || !s->unnamed_source || !named->family || address_same_ip(&s->src, named))
            continue;
        prove_stream(c, s);
        prove_frame(c, k->facts->sdp[way].frame, SLICE("SDP"));
        say_address(c, "address", &s->src);
        say_address(c, "address_other", named);
        return true;
    }
    return false;
}

static bool old_address(const struct casefile *k, struct candidate *c)
{
    for (unsigned way = 0; way < 2; way++) {
        const struct stream *s = k->way[way].last;
        const struct call_sdp *to = &k->facts->sdp[!way];

        if (!s || !to->media.family || address_eq(&s->dst, &to->media) || !k->refreshed_ns ||
            s->first_ns >= to->at_ns || s->last_ns < to->at_ns + 2 * SECOND_NS || to->at_ns < k->call->answered_ns + SECOND_NS)
            continue;
        prove_stream(c, s);
        prove_frame(c, to->frame, SLICE("SDP"));
        say_address(c, "address", &s->dst);
        say_address(c, "address_other", &to->media);
        c->certainty = VERDICT_LIKELY;
        return true;
    }
    return false;
}

static bool after_end(const struct casefile *k, struct candidate *c)
{
    for (unsigned way = 0; way < 2; way++) {
        const struct stream *s = k->way[way].last;
        int64_t late_ns = s ? case_gap_ns(k->call->ended_ns, s->last_ns) : 0;

        if (late_ns < 2 * SECOND_NS)
            continue;
        prove(c, k->bye);
        prove_stream(c, s);
        say_address(c, "address", &s->src);
        say_seconds(c, "seconds", late_ns);
        return true;
    }
    return false;
}

/* ---- keys --------------------------------------------------------------------------------------------------- */

static const struct trace_message *key_info(const struct casefile *k)
{
    for (size_t i = 0; k->call->methods[SIP_INFO] && i < k->call->trace.count; i++)
        if ((k->call->trace.messages[i].traits & TRACE_DTMF) && k->call->trace.messages[i].status == 0)
            return &k->call->trace.messages[i];
    return NULL;
}

static bool dtmf_events_unwanted(const struct casefile *k, struct candidate *c)
{
    for (unsigned way = 0; way < 2; way++) {
        const struct stream *s = k->way[way].last;

        if (!s || !s->dtmf_events || !k->facts->sdp[!way].at_ns || (k->facts->sdp[!way].flags & CALL_SDP_DTMF))
            continue;
        prove_stream(c, s);
        prove_frame(c, k->facts->sdp[!way].frame, SLICE("SDP"));
        say_address(c, "address", &s->src);
        say_text(c, "value", SLICE("RTP"));
        return true;
    }
    return false;
}

static bool dtmf_mismatch(const struct casefile *k, struct candidate *c)
{
    const struct case_pair *p = &k->refused[SIP_INFO];

    if (!p->request || !(p->request->traits & TRACE_DTMF) || p->response->status == 481)
        return dtmf_events_unwanted(k, c);
    prove(c, p->request);
    prove(c, p->response);
    c->code = p->response->status;
    say_host(c, "address", case_side(k, p->request->traits & TRACE_FROM_CALLEE));
    say_text(c, "value", SLICE("INFO"));
    return true;
}

static bool dtmf_not_agreed(const struct casefile *k, struct candidate *c)
{
    const struct call_sdp *sdp = k->facts->sdp;
    const struct trace_message *info = key_info(k);
    bool caller = sdp[0].flags & CALL_SDP_DTMF, callee = sdp[1].flags & CALL_SDP_DTMF;

    if (caller == callee || !info || !case_sdp_pair(k))
        return false;
    prove_frame(c, sdp[caller].frame, SLICE("SDP"));
    prove(c, info);
    say_host(c, "address", case_side(k, caller));
    c->weight = k->refused[SIP_INFO].request ? c->weight : 0;
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool dtmf_doubled(const struct casefile *k, struct candidate *c)
{
    const struct trace_message *info = key_info(k);

    for (unsigned way = 0; info && way < 2; way++) {
        const struct stream *s = k->way[way].last;

        if (!s || !s->dtmf_events || way != !!(info->traits & TRACE_FROM_CALLEE))
            continue;
        prove(c, info);
        prove_stream(c, s);
        say_address(c, "address", &s->src);
        say_text(c, "value", SLICE("RTP, INFO"));
        return true;
    }
    return false;
}

static bool dtmf_cut(const struct casefile *k, struct candidate *c)
{
    uint64_t unended;
    const struct stream *s = worst_by(k, unended_of, 1, &unended);

    if (!s)
        return false;
    prove_stream(c, s);
    say_address(c, "address", &s->src);
    say_text(c, "value", slice_of_string(s->dtmf));
    return true;
}

static bool media_missing(const struct casefile *k, struct candidate *c)
{
    if (!k->call->media.described || k->call->media.visible || !list_is_empty(&k->call->streams))
        return false;
    prove(c, k->answer);
    return true;
}

/* Nearly every second that one side sent, and several of them, held nothing but silence. */
static bool silence_sent(const struct casefile *k, struct candidate *c)
{
    for (unsigned callee = 0; callee < 2; callee++) {
        const struct stream *s = k->way[callee].last;
        int64_t sent_s = s ? (s->last_ns - s->first_ns) / SECOND_NS : 0;

        if (!s || s->silent_s < SILENT_MIN_S || (int64_t)s->silent_s * 10 < sent_s * 8)
            continue;
        prove_stream(c, s);
        say_address(c, "address", &s->src);
        say_number(c, "seconds", s->silent_s);
        c->certainty = VERDICT_LIKELY;                    /* who was muted on purpose sends the same */
        return true;
    }
    return false;
}

#define TALK (K_ANSWERED | K_WHOLE | K_VISIBLE | K_TALKED)
static const struct rule rules[] = {
    { CAUSE_ONE_WAY_AUDIO_CALLER_DEAF, 64, TALK | K_STREAMS, caller_deaf },
    { CAUSE_ONE_WAY_AUDIO_CALLEE_DEAF, 64, TALK | K_STREAMS, callee_deaf },
    { CAUSE_NO_AUDIO, 58, TALK, no_audio },
    { CAUSE_MEDIA_STOPPED_CALLER, 44, TALK | K_STREAMS, stopped_caller },
    { CAUSE_MEDIA_STOPPED_CALLEE, 44, TALK | K_STREAMS, stopped_callee },
    { CAUSE_MEDIA_STOPPED_BOTH, 46, TALK | K_STREAMS, stopped_both },
    { CAUSE_MEDIA_TIMEOUT, 66, K_ANSWERED | K_HUNG_UP | K_REASON, media_timeout },
    { CAUSE_MEDIA_LATE, 0, TALK | K_STREAMS, media_late },
    { CAUSE_RINGBACK_MISSING, 0, K_RANG | K_VISIBLE | K_WHOLE, ringback_missing },
    { CAUSE_CODEC_ASYMMETRY, 36, K_ANSWERED | K_STREAMS, codec_asymmetry },
    { CAUSE_CODEC_NOT_NEGOTIATED, 52, K_ANSWERED | K_STREAMS | K_OFFER | K_ANSWER_SDP, not_negotiated },
    { CAUSE_CODEC_CHANGED, 0, K_STREAMS, codec_changed },
    { CAUSE_LOSS_HIGH, 40, K_STREAMS, loss_high },
    { CAUSE_LOSS_BURSTY, 42, K_STREAMS, loss_bursty },
    { CAUSE_LATE_DISCARD, 38, K_STREAMS, late_discard },
    { CAUSE_JITTER_HIGH, 36, K_STREAMS, jitter_high },
    { CAUSE_DELAY_HIGH, 34, K_STREAMS, delay_high },
    { CAUSE_QUALITY_POOR, 30, K_STREAMS, quality_poor },
    { CAUSE_QUALITY_DIP, 0, K_STREAMS, quality_dip },
    { CAUSE_REORDERING_HIGH, 0, K_STREAMS, reordering_high },
    { CAUSE_DUPLICATES_HIGH, 0, K_STREAMS, duplicates_high },
    { CAUSE_LOSS_BEYOND_CAPTURE, 0, K_STREAMS, loss_beyond },
    { CAUSE_CLOCK_DRIFT, 0, K_STREAMS, clock_drift },
    { CAUSE_SILENCE_SENT, 28, TALK | K_STREAMS, silence_sent },
    { CAUSE_SENDERS_MIXED, 38, K_ANSWERED | K_STREAMS, senders_mixed },
    { CAUSE_MEDIA_INJECTION, 0, K_ANSWERED | K_STREAMS, media_injection },
    { CAUSE_SEQUENCE_JUMP, 0, K_STREAMS, sequence_jump },
    { CAUSE_MEDIA_UNEXPECTED_SOURCE, 0, K_STREAMS, unexpected_source },
    { CAUSE_MEDIA_OLD_ADDRESS, 0, K_STREAMS | K_IN_DIALOG, old_address },
    { CAUSE_MEDIA_AFTER_END, 0, K_STREAMS | K_HUNG_UP, after_end },
    { CAUSE_DTMF_MISMATCH, 48, K_ANSWERED, dtmf_mismatch },
    { CAUSE_DTMF_NOT_AGREED, 30, K_ANSWERED | K_IN_DIALOG | K_OFFER | K_ANSWER_SDP, dtmf_not_agreed },
    { CAUSE_DTMF_DOUBLED, 0, K_STREAMS | K_IN_DIALOG, dtmf_doubled },
    { CAUSE_DTMF_CUT, 0, K_STREAMS, dtmf_cut },
    { CAUSE_CAPTURE_MEDIA_MISSING, 0, K_ANSWERED | K_TALKED, media_missing },
};
const struct rule_table rules_media = { rules, ARRAY_LEN(rules), K_ANSWERED | K_STREAMS | K_RANG };
