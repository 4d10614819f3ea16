/* report/html_ladder.c - the ladder of a call on a page: a row for each message, its arrow as SVG.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each row is an element of its own that opens to the text of the message, so a ladder breaks
 * between pages of paper, and places across are in percent, so it fills whatever width there is. */
#include "report/html_int.h"
#include "report/verdicts.h"

#define GAP_NS        2000000000LL   /* a silence that is worth a row */
#define LABEL_COLUMNS 40u
#define HOLDS_MAX     4u             /* at once */
#define NO_LANE       0xffu

struct lanes {
    struct address shown[LADDER_LANES_MAX];
    bool    with_port[LADDER_LANES_MAX];     /* one machine talks to itself: its ports stand apart */
    size_t  count;
    uint8_t of[LADDER_LANES_MAX * 4];        /* index of an address of the ladder -> lane */
};
struct hold {
    uint64_t leg;
    int64_t  since_ns;
    uint8_t  low, high;              /* lanes */
};
struct drawing {
    struct html               *h;
    const struct html_session *session;
    struct lanes lanes;
    struct hold  holds[HOLDS_MAX];
    size_t       hold_count;
    int64_t      start_ns;
};

/* ---- lanes --------------------------------------------------------------------------------- */

static uint8_t lane_find(const struct lanes *lanes, const struct address *a)
{
    for (size_t i = 0; i < lanes->count; i++)
        if (lanes->with_port[i] ? address_eq(&lanes->shown[i], a) : address_same_ip(&lanes->shown[i], a))
            return (uint8_t)i;
    return NO_LANE;
}

static uint8_t lane_get(struct lanes *lanes, const struct address *a, bool with_port)
{
    uint8_t lane = lane_find(lanes, a);

    if (lane != NO_LANE || lanes->count == LADDER_LANES_MAX)
        return lane;
    lanes->shown[lanes->count] = *a;
    lanes->with_port[lanes->count] = with_port;
    return (uint8_t)lanes->count++;
}

/* Media of a party whose machine has several lanes belongs to the lane of its signalling. */
static uint8_t media_lane(struct drawing *d, const struct stream *s, bool source)
{
    const struct address *a = source ? &s->src : &s->dst;
    uint8_t lane = lane_find(&d->lanes, a);

    for (size_t i = 0; lane == NO_LANE && s->side && i < d->session->count; i++) {
        const struct call *leg = d->session->legs[i];
        bool of_caller = (s->side == STREAM_FROM_CALLER) == source;
        const struct address *party = of_caller ? &leg->caller_addr : &leg->callee_addr;

        if (leg->index == s->call && address_same_ip(party, a))
            lane = lane_find(&d->lanes, party);
    }
    return lane != NO_LANE ? lane : lane_get(&d->lanes, a, false);
}

static void lanes_find(struct drawing *d)
{
    const struct ladder *l = d->session->ladder;

    for (size_t i = 0; i < l->address_count; i++)
        d->lanes.of[i] = lane_get(&d->lanes, &l->addresses[i], ladder_talks_to_itself(l, &l->addresses[i]));
    for (size_t i = 0; i < d->session->stream_count; i++) {
        media_lane(d, d->session->streams[i], true);
        media_lane(d, d->session->streams[i], false);
    }
}

/* Of ":5060" at the end, where a narrow head may break. */
static size_t port_length(slice address)
{
    size_t n = 0;

    while (n < address.len && address.ptr[address.len - 1 - n] != ':')
        n++;
    return n < address.len ? n + 1 : 0;
}

static void draw_heads(struct drawing *d)
{
    struct html *h = d->h;
    char text[ADDRESS_TEXT_MAX];

    HTML(h, "<div class=heads aria-hidden=true><i></i><p>");
    for (size_t i = 0; i < d->lanes.count; i++) {
        const struct address *a = &d->lanes.shown[i];
        size_t len = d->lanes.with_port[i] ? address_format(a, text) : address_format_ip(a, text);

        size_t ip = d->lanes.with_port[i] ? len - port_length(slice_of(text, len)) : len;

        HTML(h, "<b>");
        html_text(h->out, slice_of(text, ip));
        html_raw(h, ip < len ? SLICE("<wbr>") : SLICE(""));
        html_text(h->out, slice_of(text + ip, len - ip));
        HTML(h, "</b>");
    }
    HTML(h, "</p></div>\n");
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* The middle of what lies between two lanes, or a lane itself: thousandths of a percent, exact. */
static void put_place(struct html *h, size_t twice, size_t lanes)
{
    out_milli(h->out, (int64_t)((twice * 100000 + lanes) / (2 * lanes)));
    HTML(h, "%");
}

static void put_attribute(struct drawing *d, slice name, size_t lane)
{
    html_raw(d->h, name);
    put_place(d->h, 2 * lane + 1, d->lanes.count);
    HTML(d->h, "\"");
}

/* The lines of all lanes, and behind them the holds that last. */
static void draw_lines(struct drawing *d)
{
    struct html *h = d->h;

    for (size_t i = 0; i < d->hold_count; i++) {
        put_attribute(d, SLICE("<rect class=hold height=\"100%\" x=\""), d->holds[i].low);
        HTML(h, " width=\"");
        put_place(h, 2 * (size_t)(d->holds[i].high - d->holds[i].low), d->lanes.count);
        HTML(h, "\"/>");
    }
    HTML(h, "<g class=b>");
    for (size_t i = 0; i < d->lanes.count; i++) {
        put_attribute(d, SLICE("<line y2=\"100%\" x1=\""), i);
        put_attribute(d, SLICE(" x2=\""), i);
        HTML(h, "/>");
    }
    HTML(h, "</g>");
}

static void draw_time(struct drawing *d, int64_t time_ns)
{
    int64_t offset_ms = (time_ns - d->start_ns) / 1000000;
    char room[MOMENT_TEXT_MAX];

    HTML(d->h, "<span class=t><time datetime=\"");
    html_text(d->h->out, moment_rfc3339(time_ns, room));
    HTML(d->h, "\">");
    html_text(d->h->out, moment_clock_ms(time_ns, room));
    HTML(d->h, "</time><small>+");
    html_number(d->h, (uint64_t)(offset_ms < 0 ? 0 : offset_ms) / 1000);
    HTML(d->h, ".");
    out_padded(d->h->out, (uint64_t)(offset_ms < 0 ? 0 : offset_ms) % 1000, 3);
    HTML(d->h, "</small></span>");
}

static slice event_class(const struct ladder_event *e)
{
    static const slice classes[] = {
        SLICE_INIT("rq"), SLICE_INIT("r1"), SLICE_INIT("r2"), SLICE_INIT("r3"),
        SLICE_INIT("r4"), SLICE_INIT("r5"), SLICE_INIT("r6"),
    };

    if (e->status == 401 || e->status == 407)
        return SLICE("rc");                               /* a challenge is no failure */
    return classes[e->status / 100 < ARRAY_LEN(classes) ? e->status / 100 : 0];
}

static void draw_label(struct drawing *d, slice label, size_t twice)
{
    HTML(d->h, "<text y=\"14\" x=\"");
    put_place(d->h, twice, d->lanes.count);
    HTML(d->h, "\">");
    html_cut(d->h->out, label, LABEL_COLUMNS);
    HTML(d->h, "</text>");
}

static void draw_arrow(struct drawing *d, const struct ladder_event *e)
{
    size_t a = d->lanes.of[e->from], b = d->lanes.of[e->to];

    HTML(d->h, "<svg class=a aria-hidden=true>");
    draw_lines(d);
    if (a >= d->lanes.count || b >= d->lanes.count) {     /* beyond the lanes there is room for */
        draw_label(d, e->label, d->lanes.count);
    } else if (a == b) {
        put_attribute(d, SLICE("<svg x=\""), a);
        HTML(d->h, "><path class=self d=\"M0 12h26v12H3\"/><path class=h d=\"M0 24l8-4v8z\"/><text class=s x=32 y=22>");
        html_cut(d->h->out, e->label, LABEL_COLUMNS);
        HTML(d->h, "</text></svg>");
    } else {
        put_attribute(d, SLICE("<line class=l y1=23 y2=23 x1=\""), a);
        put_attribute(d, SLICE(" x2=\""), b);
        put_attribute(d, SLICE("/><svg x=\""), b);
        html_raw(d->h, a < b ? SLICE("><path class=h d=\"M0 23l-9-4.5v9z\"/></svg>")
                             : SLICE("><path class=h d=\"M0 23l9-4.5v9z\"/></svg>"));
        draw_label(d, e->label, a + b + 1);
    }
    HTML(d->h, "</svg>");
}

/* For those who do not see the arrow. */
static void say_arrow(struct drawing *d, const struct ladder_event *e)
{
    const struct ladder *l = d->session->ladder;
    char from[ADDRESS_TEXT_MAX], to[ADDRESS_TEXT_MAX];

    HTML(d->h, "<span class=vh>");
    html_say(d->h, TEXT_HTML_ARROW, WORDS_TEXT("message", e->label),
             WORDS_TEXT("from", slice_of(from, address_format(&l->addresses[e->from], from))),
             WORDS_TEXT("to", slice_of(to, address_format(&l->addresses[e->to], to))));
    HTML(d->h, "</span>");
}

/* ---- what stands beside an arrow ---------------------------------------------------------------- */

static bool rests_on(const struct verdict *v, uint64_t frame)
{
    for (size_t i = 0; i < v->evidence_count; i++)
        if (v->evidence[i].frame == frame)
            return true;
    return false;
}

static void say_mark(struct drawing *d, uint16_t cause, char part, size_t number)
{
    struct html *h = d->h;

    HTML(h, "<a class=\"mark ");
    html_raw(h, html_severity(&(struct verdict){ .cause = cause }));
    HTML(h, "\" href=\"#");
    html_id_part(h, d->session->number, part, number);
    HTML(h, "\">");
    if (part == 'w') {
        HTML(h, "\xe2\x97\x86 ");
        html_words(h, TEXT_HTML_PROOF);
    } else {
        html_own(h, cause_text(h->words, (enum cause_id)cause, CAUSE_PART_HEADLINE));
    }
    HTML(h, "</a>");
}

/* The causes that rest on what this frame began. */
static void say_proofs(struct drawing *d, uint64_t frame)
{
    const struct html_session *s = d->session;
    size_t said = SIZE_MAX;                               /* legs have proofs in common */

    for (size_t i = 0; i < s->count; i++) {
        const struct call_verdicts *v = s->legs[i]->verdicts;

        if (!v || !v->cause.cause || !rests_on(&v->cause, frame) || verdicts_cause_leg(s->legs, i) == said)
            continue;
        said = verdicts_cause_leg(s->legs, i);
        say_mark(d, v->cause.cause, 'w', said);
    }
}

static void say_marks(struct drawing *d, const struct ladder_event *e)
{
    const struct ladder *l = d->session->ladder;

    if (e->marked)
        say_proofs(d, e->frame);
    for (size_t i = 0; i < l->finding_count; i++)
        if (e->findings >> i & 1)
            say_mark(d, l->findings[i].cause, 'v', l->findings[i].number);
}

static void say_marks_of_stream(struct drawing *d, uint64_t frame)
{
    const struct ladder *l = d->session->ladder;

    say_proofs(d, frame);
    for (size_t i = 0; i < l->finding_count; i++)
        if (l->findings[i].stream_frame == frame)
            say_mark(d, l->findings[i].cause, 'v', l->findings[i].number);
}

static struct hold *hold_of(struct drawing *d, uint64_t leg)
{
    for (size_t i = 0; i < d->hold_count; i++)
        if (d->holds[i].leg == leg)
            return &d->holds[i];
    return NULL;
}

/* Before the answer nobody holds: media rests there until the network has a channel for it. */
static bool was_answered(const struct ladder *l, const struct ladder_event *e)
{
    for (const struct ladder_event *before = l->events; before < e; before++)
        if (before->leg == e->leg && before->method == SIP_INVITE && before->status / 100 == 2)
            return true;
    return false;
}

/* A hold is drawn over all lanes that its leg passes. */
static void hold_begin(struct drawing *d, const struct ladder_event *e)
{
    struct hold hold = { .leg = e->leg, .since_ns = e->time_ns, .low = NO_LANE };

    for (size_t i = 0; i < d->session->ladder->count; i++) {
        const struct ladder_event *other = &d->session->ladder->events[i];
        uint8_t a = d->lanes.of[other->from], b = d->lanes.of[other->to];

        if (other->leg != e->leg || a >= d->lanes.count || b >= d->lanes.count)
            continue;
        hold.low = a < hold.low ? a : hold.low;
        hold.low = b < hold.low ? b : hold.low;
        hold.high = a > hold.high ? a : hold.high;
        hold.high = b > hold.high ? b : hold.high;
    }
    if (hold.low < hold.high && d->hold_count < HOLDS_MAX)
        d->holds[d->hold_count++] = hold;
}

static void hold_step(struct drawing *d, const struct ladder_event *e)
{
    struct hold *hold = hold_of(d, e->leg);
    char room[MOMENT_TEXT_MAX];

    if (e->media == LADDER_MEDIA_HELD && !hold && was_answered(d->session->ladder, e)) {
        hold_begin(d, e);
        HTML(d->h, "<span class=pause>");
        html_words(d->h, TEXT_HTML_HOLD_BEGINS);
        HTML(d->h, "</span>");
    } else if (e->media == LADDER_MEDIA_FLOWS && hold) {
        HTML(d->h, "<span class=pause>");
        html_say(d->h, TEXT_HTML_HOLD_ENDS, WORDS_TEXT("duration", moment_duration(e->time_ns - hold->since_ns, room)));
        HTML(d->h, "</span>");
        *hold = d->holds[--d->hold_count];
    }
}

static void say_beside(struct drawing *d, const struct ladder_event *e)
{
    struct html *h = d->h;

    HTML(h, "<span class=d>");
    say_marks(d, e);
    if (e->detail.len) {
        HTML(h, "<bdi dir=ltr class=sdp>");
        html_text(h->out, e->detail);
        HTML(h, "</bdi>");
    }
    hold_step(d, e);
    if (e->repeats) {
        HTML(h, "<span class=warn>");
        html_say(h, TEXT_READ_LADDER_SENT_TIMES, WORDS_NUMBER("count", e->repeats + 1));
        HTML(h, "</span>");
    }
    if (e->copies) {
        HTML(h, "<span>");
        html_say(h, TEXT_READ_LADDER_SEEN_AGAIN, WORDS_NUMBER("count", e->copies));
        HTML(h, "</span>");
    }
    HTML(h, "</span>");
}

static void say_text(struct drawing *d, const struct ladder_event *e)
{
    struct html *h = d->h;

    HTML(h, "<div class=body>");
    if (e->text.len) {
        HTML(h, "<pre dir=ltr tabindex=0>");
        html_lines(h->out, e->text, e->text.len);
        HTML(h, "</pre>");
    } else {
        HTML(h, "<p>");
        html_words(h, TEXT_HTML_TEXT_MISSING);
        HTML(h, "</p>");
    }
    if (e->text.len && e->text.len < e->text_bytes) {
        HTML(h, "<p>");
        html_say(h, TEXT_HTML_TEXT_CUT, WORDS_NUMBER("count", e->text_bytes));
        HTML(h, "</p>");
    }
    HTML(h, "</div>");
}

/* A frame may hold several messages, and two files have frames of one number: the first is meant. */
static bool is_first_of_frame(const struct ladder *l, const struct ladder_event *e)
{
    for (const struct ladder_event *before = l->events; before < e; before++)
        if (before->frame == e->frame)
            return false;
    return true;
}

static void draw_event(struct drawing *d, const struct ladder_event *e)
{
    const struct ladder *l = d->session->ladder;
    struct html *h = d->h;

    HTML(h, "<details class=\"m ");
    html_raw(h, event_class(e));
    html_raw(h, e->marked ? SLICE(" proof\"") : SLICE("\""));
    if (is_first_of_frame(l, e)) {
        HTML(h, " id=");
        html_id_part(h, d->session->number, 'f', e->frame);
    }
    HTML(h, "><summary>");
    draw_time(d, e->time_ns);
    say_arrow(d, e);
    draw_arrow(d, e);
    say_beside(d, e);
    HTML(h, "</summary>");
    say_text(d, e);
    HTML(h, "</details>\n");
}

static void draw_gap(struct drawing *d, int64_t ns)
{
    char room[MOMENT_TEXT_MAX];

    HTML(d->h, "<div class=\"m gap\"><span class=t></span><svg class=a aria-hidden=true>");
    draw_lines(d);
    HTML(d->h, "</svg><span class=d><span>");
    html_say(d->h, TEXT_HTML_GAP, WORDS_TEXT("duration", moment_duration(ns, room)));
    HTML(d->h, "</span></span></div>\n");
}

/* ---- media ------------------------------------------------------------------------------------------ */

static void say_media(struct html *h, const struct stream *s)
{
    struct out text;

    out_init_memory(&text, 1024);
    notes_heard(&text, h->words, s);
    html_text(h->out, out_taken(&text));
    out_done(&text);
}

static void draw_bar(struct drawing *d, const struct stream *s, size_t a, size_t b)
{
    size_t low = a < b ? a : b, high = a < b ? b : a;
    struct html *h = d->h;

    put_attribute(d, SLICE("<rect class=rtp rx=3 y=6 height=18 x=\""), low);
    HTML(h, " width=\"");
    put_place(h, 2 * (high - low), d->lanes.count);
    HTML(h, "\"/>");
    put_attribute(d, SLICE("<svg x=\""), b);
    html_raw(h, a < b ? SLICE("><path class=h d=\"M0 15l-11-9v18z\"/></svg>")
                      : SLICE("><path class=h d=\"M0 15l11-9v18z\"/></svg>"));
    HTML(h, "<text class=c y=\"19\" x=\"");
    put_place(h, a + b + 1, d->lanes.count);
    HTML(h, "\">RTP ");
    html_cut(h->out, slice_of_string(s->codec), 24);
    HTML(h, "</text>");
}

static void draw_media(struct drawing *d, size_t which)
{
    const struct stream *s = d->session->streams[which];
    size_t a = media_lane(d, s, true), b = media_lane(d, s, false);
    struct html *h = d->h;

    HTML(h, "<div class=\"m media ");
    html_raw(h, html_tone(notes_mos_tone(stream_mos_milli(s))));
    HTML(h, "\">");
    draw_time(d, s->first_ns);
    HTML(h, "<svg class=a aria-hidden=true>");
    draw_lines(d);
    if (a < d->lanes.count && b < d->lanes.count && a != b)
        draw_bar(d, s, a, b);
    HTML(h, "</svg><span class=d>");
    say_marks_of_stream(d, s->first_frame);
    HTML(h, "<a href=\"#");
    html_id_part(h, d->session->number, 's', which);
    HTML(h, "\">");
    say_media(h, s);
    HTML(h, "</a></span></div>\n");
}

/* ---- the whole ---------------------------------------------------------------------------------------- */

static void draw_all(struct drawing *d)
{
    const struct html_session *s = d->session;
    int64_t last_ns = d->start_ns;
    size_t media = 0;

    for (size_t i = 0; i < s->ladder->count; i++) {
        const struct ladder_event *e = &s->ladder->events[i];

        for (; media < s->stream_count && s->streams[media]->first_ns < e->time_ns; media++) {
            if (s->streams[media]->first_ns - last_ns >= GAP_NS)
                draw_gap(d, s->streams[media]->first_ns - last_ns);
            draw_media(d, media);
            last_ns = s->streams[media]->first_ns > last_ns ? s->streams[media]->first_ns : last_ns;
        }
        if (e->time_ns - last_ns >= GAP_NS)
            draw_gap(d, e->time_ns - last_ns);
        draw_event(d, e);
        last_ns = e->time_ns;
    }
    for (; media < s->stream_count; media++)
        draw_media(d, media);
}

static void say_beyond(struct drawing *d)
{
    const struct html_session *s = d->session;

    if (s->ladder->beyond) {
        HTML(d->h, "<p class=note>");
        html_say(d->h, TEXT_READ_LADDER_MORE, WORDS_NUMBER("count", s->ladder->beyond),
                 WORDS_NUMBER("limit", LADDER_EVENTS_MAX));
        HTML(d->h, "</p>\n");
    }
    if (s->streams_beyond) {
        HTML(d->h, "<p class=note>");
        html_say(d->h, TEXT_HTML_MEDIA_MORE, WORDS_NUMBER("count", s->streams_beyond));
        HTML(d->h, "</p>\n");
    }
}

void html_ladder(struct html *h, const struct html_session *s)
{
    struct drawing d = { .h = h, .session = s };

    if (!s->ladder || s->ladder->count == 0) {
        HTML(h, "<p class=note>");
        html_words(h, TEXT_HTML_LADDER_EMPTY);
        HTML(h, "</p>\n");
        return;
    }
    d.start_ns = s->ladder->events[0].time_ns;
    lanes_find(&d);
    HTML(h, "<div class=\"ladder n");
    html_number(h, d.lanes.count);
    HTML(h, "\" role=group tabindex=0 aria-label=\"");
    html_say_plain(h, TEXT_HTML_LADDER_LABEL, WORDS_NUMBER("number", s->number));
    HTML(h, "\"><div class=rows dir=ltr>\n");
    draw_heads(&d);
    draw_all(&d);
    HTML(h, "</div></div>\n");
    say_beyond(&d);
}
