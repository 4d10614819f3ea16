/* diagnose/case.c - see case.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/case.h"

#define LOOK_AHEAD 64u               /* messages in which a response is looked for */
#define PLAIN_INVITE_REPEATS 2u

int64_t case_gap_ns(int64_t from_ns, int64_t to_ns)
{
    return from_ns && to_ns > from_ns ? to_ns - from_ns : 0;
}

uint32_t case_seconds(int64_t ns)
{
    int64_t s = ns <= 0 ? 0 : (ns + SECOND_NS / 2) / SECOND_NS;

    return s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
}

static bool from_callee(const struct trace_message *m) { return m->traits & TRACE_FROM_CALLEE; }

/* ---- requests inside the dialog and what became of them ------------------------------------ */

static const struct trace_message *response_to(const struct trace *t, size_t at)
{
    const struct trace_message *request = &t->messages[at];
    size_t end = at + 1 + LOOK_AHEAD < t->count ? at + 1 + LOOK_AHEAD : t->count;

    for (size_t i = at + 1; i < end; i++) {
        const struct trace_message *m = &t->messages[i];

        if (m->status >= 200 && m->method == request->method && m->cseq == request->cseq &&
            from_callee(m) != from_callee(request))
            return m;
    }
    return NULL;
}

/* Highest CSeq that the same side used before. */
static uint32_t highest_before(const struct trace *t, const struct trace_message *request)
{
    uint32_t highest = 0;

    for (const struct trace_message *m = t->messages; m < request; m++)
        if (m->status == 0 && from_callee(m) == from_callee(request) && m->method != SIP_ACK &&
            m->method != SIP_CANCEL && m->cseq > highest)
            highest = m->cseq;
    return highest;
}

static void note_refused(struct casefile *k, const struct trace_message *request,
                         const struct trace_message *response)
{
    static const uint16_t goes_on[] = { 401, 407, 422 };
    struct case_pair pair = { request, response };

    for (size_t i = 0; i < ARRAY_LEN(goes_on); i++)
        if (response->status == goes_on[i])
            return;
    if (response->status == 491) {
        k->glares++;
        k->glare = response;
        return;
    }
    if (response->status == 500 && request->cseq <= highest_before(&k->call->trace, request))
        k->backwards = pair;
    k->refused[request->method] = pair;
    if ((response->status == 481 || response->status == 408) && request->method != SIP_BYE)
        k->lost = pair;
}

static void note_in_dialog(struct casefile *k, size_t at)
{
    const struct trace *t = &k->call->trace;
    const struct trace_message *request = &t->messages[at], *response = response_to(t, at);

    if (request->method != SIP_BYE)
        k->marks |= K_IN_DIALOG;
    if (response && response->status >= 300)
        note_refused(k, request, response);
    else if (response && k->answer && (request->method == SIP_INVITE || request->method == SIP_UPDATE))
        k->refreshed_ns = response->at_ns;
    if (response || t->beyond)
        return;
    bool watched = k->now_ns - request->at_ns >= 64 * k->t1_ns;

    if (request->repeats >= 5 || (watched && request->repeats >= PLAIN_INVITE_REPEATS))
        k->unanswered[request->method] = (struct case_pair){ request, NULL };
}

/* ---- reliable provisional responses ---------------------------------------------------------- */

static bool has_prack(const struct trace *t, size_t at)
{
    size_t end = at + 1 + LOOK_AHEAD < t->count ? at + 1 + LOOK_AHEAD : t->count;

    for (size_t i = at + 1; i < end; i++)
        if (trace_is_request(&t->messages[i], SIP_PRACK) && t->messages[i].rseq == t->messages[at].rseq)
            return true;
    return false;
}

static void note_reliable(struct casefile *k, size_t at)
{
    const struct trace *t = &k->call->trace;

    k->marks |= K_RELIABLE;
    if (!k->unpracked && !t->beyond && !has_prack(t, at))
        k->unpracked = &t->messages[at];
}

/* ---- one message ------------------------------------------------------------------------------- */

static void see_invite(struct casefile *k, const struct trace_message *m)
{
    if (!k->first_invite)
        k->first_invite = m;
    k->invite = m;
    if ((m->traits & TRACE_PRECONDITION) && !(m->traits & TRACE_QOS_MET))
        k->marks |= K_QOS;
}

static void see_request(struct casefile *k, size_t at)
{
    const struct trace_message *m = &k->call->trace.messages[at];

    switch (m->method) {
    case SIP_INVITE:
        if (!(m->traits & TRACE_IN_DIALOG) && !from_callee(m)) {
            see_invite(k, m);
            return;
        }
        if (m->traits & TRACE_T38)
            k->t38 = m;
        break;
    case SIP_ACK:
        if (k->answer && m->cseq == k->answer->cseq && !from_callee(m) && !k->ack)
            k->ack = m;
        return;
    case SIP_CANCEL:
        if (k->call->cancel_ns)
            k->cancel = k->cancel ? k->cancel : m;
        else
            k->down_cancel = m;
        return;
    case SIP_BYE:
        if (!k->bye)
            k->bye = m;
        break;
    default:
        break;
    }
    if ((m->traits & TRACE_IN_DIALOG) || m->method == SIP_BYE)
        note_in_dialog(k, at);
}

static void see_provisional(struct casefile *k, size_t at)
{
    const struct trace_message *m = &k->call->trace.messages[at];

    if (m->status == 100) {
        if (!k->trying)
            k->trying = m;
        return;
    }
    if (m->rseq && from_callee(m))
        note_reliable(k, at);
    if (k->call->answered && k->call->answered_ns < m->at_ns)
        return;                                           /* of a re-INVITE */
    if (!k->progress)
        k->progress = m;
    if (m->status == 180 && !k->ringing)
        k->ringing = m;
    if ((m->traits & TRACE_SDP) && !k->early_sdp)
        k->early_sdp = m;
    k->last_progress = m;
}

/* A 2xx on the same way with another To-tag is that of another phone; on another hop it may be the
 * same one, under the tag of a server in between. */
static void see_final(struct casefile *k, const struct trace_message *m)
{
    bool initial = !k->invite || m->cseq <= k->invite->cseq;

    if (m->status < 300) {
        if (!k->answer)
            k->answer = m;
        else if (initial && m->cseq == k->answer->cseq && (m->traits & TRACE_FORKED) && m->hop == k->answer->hop)
            k->forks++, k->other_answer = m;
        return;
    }
    if (m->status == 401 || m->status == 407)
        k->challenge = m;
    if (m->status == 422)
        k->too_small = m;
    if (m->status < 400)
        k->redirect = m;
    if (!k->answer && m->status == k->call->final)
        k->final = m;
    else if (!k->answer && m->hop && m->status != 401 && m->status != 407)
        k->down_final = m;
}

static void see_message(struct casefile *k, size_t at)
{
    const struct trace_message *m = &k->call->trace.messages[at];

    if (from_callee(m))
        k->from_callee++;
    else
        k->from_caller++;
    if (m->status < 101 || m->status > 199 || m->rseq)    /* an unreliable 1xx is said again at will, not by a timer */
        k->repeats += m->repeats;
    k->bytes_max = m->bytes > k->bytes_max ? m->bytes : k->bytes_max;
    if (m->traits & TRACE_CUT)
        k->marks |= K_CUT;
    if ((m->traits & TRACE_QOS_MET) && !k->met && m->method != SIP_INVITE)
        k->met = m;
    if ((m->traits & TRACE_HOLD) && m->status == 0 && (m->traits & TRACE_IN_DIALOG) && !k->hold)
        k->hold = m;
    if (m->status == 0)
        see_request(k, at);
    else if (m->method == SIP_INVITE && m->status < 200)
        see_provisional(k, at);
    else if (m->method == SIP_INVITE && from_callee(m))
        see_final(k, m);
    k->last = m;
}

/* How long the dialog was held: from an offer that holds to the next that does not. */
static int64_t held_ns(const struct casefile *k)
{
    const struct trace *t = &k->call->trace;
    int64_t sum_ns = 0, since_ns = 0;
    int64_t end_ns = k->call->ended_ns ? k->call->ended_ns : k->call->last_ns;

    for (size_t i = 0; i < t->count; i++) {
        const struct trace_message *m = &t->messages[i];

        if (m->status || !(m->traits & TRACE_SDP) || !(m->traits & TRACE_IN_DIALOG))
            continue;
        if (m->traits & TRACE_HOLD) {
            since_ns = since_ns ? since_ns : m->at_ns;
        } else if (since_ns) {
            sum_ns += m->at_ns - since_ns;
            since_ns = 0;
        }
    }
    return sum_ns + case_gap_ns(since_ns, end_ns);
}

/* ---- voice -------------------------------------------------------------------------------------- */

static void see_stream(struct casefile *k, const struct stream *s)
{
    if (s->hop > 1 || s->media == 'v' || s->media == 'o' || s->side == STREAM_SIDE_UNKNOWN)
        return;
    struct case_way *w = &k->way[s->side == STREAM_FROM_CALLEE];

    w->streams++;
    w->packets += s->packets;
    w->after_answer += s->packets - (s->early_packets < s->packets ? s->early_packets : s->packets);
    w->first = w->first ? w->first : s;
    if (s->last_ns >= w->last_ns) {
        w->last_ns = s->last_ns;
        w->last = s;
    }
    if (stream_mos_milli(s) && (!w->worst || stream_mos_milli(s) < stream_mos_milli(w->worst)))
        w->worst = s;
}

static void see_streams(struct casefile *k)
{
    const struct call *c = k->call;

    for (const struct list *l = c->streams.next; l != &c->streams; l = l->next)
        see_stream(k, list_item(l, struct stream, in_list));
    if (!list_is_empty(&c->streams))
        k->marks |= K_STREAMS;
    if (c->media.visible)
        k->marks |= K_VISIBLE;
}

/* ---- marks ---------------------------------------------------------------------------------------- */

static uint32_t marks_of_record(const struct call *c)
{
    uint32_t marks = 0;

    marks |= c->partial ? 0 : K_WHOLE;
    marks |= c->open_at_end ? 0 : K_OVER;
    marks |= c->answered ? K_ANSWERED : 0;
    marks |= !c->answered && c->final >= 300 ? K_REFUSED : 0;
    marks |= !c->answered && c->final < 300 ? K_UNDECIDED : 0;
    marks |= c->cancel_ns ? K_CANCELLED : 0;
    marks |= c->last_progress ? K_RANG : 0;
    marks |= !c->first_response_ns && c->code_count == 0 ? K_NO_REPLY : 0;
    marks |= c->bye_ns ? K_HUNG_UP : 0;
    marks |= c->retransmissions ? K_REPEATED : 0;
    marks |= c->q850 || c->reason_sip || c->reason_text.len ? K_REASON : 0;
    marks |= c->slow_timers ? K_VOLTE : 0;
    marks |= c->held ? K_HELD : 0;
    marks |= c->transfers || c->replaces.len ? K_TRANSFER : 0;
    marks |= c->forwarded || c->diversions ? K_DIVERTED : 0;
    marks |= c->flaws ? K_FLAWED : 0;
    return marks;
}

static void case_marks(struct casefile *k)
{
    const struct call_facts *f = k->facts;

    if (k->from_caller && k->from_callee)
        k->marks |= K_BOTH_WAYS;
    if (f->sdp[0].at_ns)
        k->marks |= K_OFFER;
    if (f->sdp[1].at_ns)
        k->marks |= K_ANSWER_SDP;
    if (k->challenge)
        k->marks |= K_CHALLENGED;
    if (k->leg_count > 1)
        k->marks |= K_LEGS;
    if (k->context->history)
        k->marks |= K_HISTORY;
    if (f->hop_count > 2 || k->call->copies)
        k->marks |= K_HOPS;
    if (k->talk_ns >= 2 * SECOND_NS)
        k->marks |= K_TALKED;
    if (k->redirect)
        k->marks |= K_REDIRECTED;
    if (k->vendor->traits)
        k->marks |= K_VENDOR;
    for (size_t i = 0; i < CALL_INCIDENT_ABOUTS; i++)
        if (k->incidents[i].count)
            k->marks |= K_INCIDENT;
}

void case_open(struct casefile *k, struct call *const *legs, size_t count, size_t index,
               const struct diagnose_context *context)
{
    static const struct call_facts none;
    static const struct incident no_incidents[CALL_INCIDENT_ABOUTS];
    const struct call *c = legs[index];

    *k = (struct casefile){
        .call = c, .facts = c->facts ? c->facts : &none,
        .incidents = c->facts && c->facts->incidents ? c->facts->incidents : no_incidents, .legs = legs, .leg_count = count,
        .context = context, .vendor = vendor_find(c->answered ? (slice){0} : c->server),
        .now_ns = context->now_ns > c->last_ns ? context->now_ns : c->last_ns,
        .t1_ns = c->slow_timers ? 2 * SECOND_NS : SECOND_NS / 2,
        .marks = marks_of_record(c),
    };
    for (size_t i = 0; i < c->trace.count; i++)
        see_message(k, i);
    k->ring_ns = case_gap_ns(c->progress_ns, c->answered ? c->answered_ns : c->ended_ns);
    k->talk_ns = case_gap_ns(c->answered_ns, c->bye_ns ? c->bye_ns : c->last_ns);
    if (c->answered && c->media.to_callee.last_ns + c->media.to_caller.last_ns && !c->bye_ns) {
        int64_t last_ns = c->media.to_callee.last_ns > c->media.to_caller.last_ns
                              ? c->media.to_callee.last_ns : c->media.to_caller.last_ns;

        if (case_gap_ns(c->answered_ns, last_ns) > k->talk_ns)
            k->talk_ns = case_gap_ns(c->answered_ns, last_ns);
    }
    if (k->hold)
        k->held_ns = held_ns(k);
    see_streams(k);
    if (context->history)
        k->asker = diagnose_history_host(context->history, &c->caller_addr);
    case_marks(k);
}

/* ---- asked by rules ---------------------------------------------------------------------------------- */

const struct address *case_server(const struct casefile *k) { return &k->call->callee_addr; }

const struct address *case_side(const struct casefile *k, bool callee)
{
    return callee ? &k->call->callee_addr : &k->call->caller_addr;
}

slice case_codecs(const struct casefile *k, bool callee)
{
    return k->call->facts ? call_facts_codecs(k->call->facts, callee) : (slice){0};
}

const struct address *case_source(const struct casefile *k, const struct trace_message *m)
{
    return m->hop < k->facts->hop_count ? &k->facts->hops[m->hop].src : case_side(k, from_callee(m));
}

const struct address *case_target(const struct casefile *k, const struct trace_message *m)
{
    return m->hop < k->facts->hop_count ? &k->facts->hops[m->hop].dst : case_side(k, !from_callee(m));
}

/* The pairs of machines stand in the order in which they were first seen. */
bool case_asked_after(const struct casefile *k, const struct trace_message *failed,
                      const struct trace_message *response)
{
    const struct address *host = case_source(k, response);

    for (unsigned i = 0; i < k->facts->hop_count; i++)
        if (k->facts->hops[i].invite && address_same_ip(&k->facts->hops[i].dst, host))
            return i > failed->hop;
    return false;
}

static const struct trace_message *message_at(const struct casefile *k, uint64_t frame)
{
    for (size_t i = 0; i < k->call->trace.count; i++)
        if (k->call->trace.messages[i].frame == frame)
            return &k->call->trace.messages[i];
    return NULL;
}

bool case_sdp_pair(const struct casefile *k)
{
    const struct call_sdp *a = &k->facts->sdp[0], *b = &k->facts->sdp[1];
    bool offers = a->flags & CALL_SDP_OFFER, answers = b->flags & CALL_SDP_OFFER;

    if (offers == answers || (offers ? b->at_ns < a->at_ns : a->at_ns < b->at_ns))
        return false;
    if (k->facts->hop_count <= 2)
        return true;                                      /* there and back: one place */
    const struct trace_message *one = message_at(k, a->frame), *other = message_at(k, b->frame);

    return one && other && address_same_ip(case_source(k, one), case_target(k, other)) &&
           address_same_ip(case_target(k, one), case_source(k, other));
}

/* Which letters there are, as bits; capitals are as small ones. */
static uint32_t letters_of(slice text)
{
    uint32_t letters = 0;

    for (size_t i = 0; i < text.len; i++)
        letters |= 1u << (text.ptr[i] & 31);
    return letters;
}

static bool has_letters_of(uint32_t letters, const char *word)
{
    while (*word && letters >> (*word & 31) & 1)
        word++;
    return !*word;
}

bool text_has(slice text, const char *const *words)
{
    uint32_t letters = letters_of(text);                  /* nearly every word wants one that is not there */

    for (size_t i = 0; text.len && words[i]; i++)
        if (has_letters_of(letters, words[i]) && slice_find_nocase(text, slice_of_string(words[i])) >= 0)
            return true;
    return false;
}

bool case_says(const struct casefile *k, const char *const *words)
{
    return text_has(k->call->reason, words) || text_has(k->call->reason_text, words) ||
           text_has(k->facts->warning, words);
}
