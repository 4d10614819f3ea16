/* report/ladder_text.c - a ladder drawn on a terminal.
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/ladder_int.h"

#include "report/lanes.h"
#include "report/moment.h"
#include "report/table.h"

#define TIME_WIDTH   24u             /* "01:02:03.123    +12.345" and a gap */
#define DETAIL_WIDTH 30u
#define SPACING_LEAST 12u
#define SPACING_FAIR  18u            /* room for "180 Ringing" and the like */
#define SPACING_MOST  36u
#define LINE_MAX     512u            /* cells of one drawn line */

/* ---- lanes ------------------------------------------------------------------------------------ */

struct lanes {
    uint8_t of[LADDER_LANES_MAX * 4];        /* address index -> lane, LADDER_LANES_MAX: none */
    uint8_t shown[LADDER_LANES_MAX];         /* lane -> the address that names it */
    bool    with_port[LADDER_LANES_MAX];
    size_t  named, count;            /* the first ones have a name of their own */
    size_t  spacing, left;
};

static void lanes_find(const struct ladder *l, struct lanes *lanes)
{
    *lanes = (struct lanes){ .named = l->name_count, .count = l->name_count };
    for (size_t i = 0; i < l->name_count; i++)
        lanes->of[i] = lanes->shown[i] = (uint8_t)i;
    for (size_t i = l->name_count; i < l->address_count; i++) {
        bool split = ladder_talks_to_itself(l, &l->addresses[i]);
        size_t lane = 0;

        for (; lane < lanes->count; lane++) {
            const struct address *named = &l->addresses[lanes->shown[lane]];

            if (split ? address_eq(named, &l->addresses[i])
                      : address_same_ip(named, &l->addresses[i]))
                break;
        }
        if (lane == lanes->count && lane < LADDER_LANES_MAX) {
            lanes->shown[lane] = (uint8_t)i;
            lanes->with_port[lane] = split;
            lanes->count++;
        }
        lanes->of[i] = (uint8_t)lane;     /* LADDER_LANES_MAX: there is no room for one more */
    }
}

static void lanes_space(struct lanes *lanes, const struct style *style)
{
    size_t gaps = lanes->count > 1 ? lanes->count - 1 : 1;
    size_t room = style->width ? style->width : 120;

    lanes->left = TIME_WIDTH;
    room = room > TIME_WIDTH + DETAIL_WIDTH + 8 ? room - TIME_WIDTH - DETAIL_WIDTH - 8 : gaps;
    lanes->spacing = room / gaps;
    if (lanes->spacing < SPACING_FAIR && style->width > TIME_WIDTH + SPACING_FAIR * gaps)
        lanes->spacing = SPACING_FAIR;                    /* arrows that can be read, before details */
    if (lanes->spacing < SPACING_LEAST)
        lanes->spacing = SPACING_LEAST;
    if (lanes->spacing > SPACING_MOST)
        lanes->spacing = SPACING_MOST;
    while (lanes->spacing * gaps + 20 > LINE_MAX)
        lanes->spacing--;
}

/* ---- drawing ------------------------------------------------------------------------------------ */

static void draw_names(const struct ladder *l, const struct lanes *lanes, struct out *o,
                       const struct style *style)
{
    char text[ADDRESS_TEXT_MAX];

    out_repeat(o, SLICE(" "), lanes->left > lanes->spacing / 2 ? lanes->left - 4 : 0);
    for (size_t i = 0; i < lanes->count; i++) {
        const struct address *a = &l->addresses[lanes->shown[i]];
        size_t len = lanes->with_port[i] ? address_format(a, text) : address_format_ip(a, text);
        slice name = i < lanes->named ? l->names[i] : slice_of(text, len);

        style_begin(o, style, TONE_STRONG);
        if (name.len < lanes->spacing || i + 1 == lanes->count) {
            out_text(o, name);
            out_repeat(o, SLICE(" "), i + 1 < lanes->count ? lanes->spacing - name.len : 0);
        } else {                                          /* its end says more than its beginning */
            out_text(o, SLICE("…"));
            out_text(o, slice_skip(name, name.len - (lanes->spacing - 2)));
            out_char(o, ' ');
        }
        style_end(o, style, TONE_STRONG);
    }
    out_char(o, '\n');
}

static void draw_time(const struct ladder *l, const struct ladder_event *e, struct out *o)
{
    char room[MOMENT_TEXT_MAX];
    struct out text;
    int64_t offset_ns = e->time_ns - l->events[0].time_ns;

    out_init_memory(&text, 128);
    out_text(&text, moment_clock_ms(e->time_ns, room));
    out_text(&text, SLICE("  +"));
    out_u64(&text, (uint64_t)(offset_ns < 0 ? 0 : offset_ns) / 1000000000);
    out_char(&text, '.');
    out_padded(&text, (uint64_t)(offset_ns < 0 ? 0 : offset_ns) / 1000000 % 1000, 3);
    out_text(o, out_taken(&text));
    out_repeat(o, SLICE(" "), text.used < TIME_WIDTH ? TIME_WIDTH - text.used : 1);
    out_done(&text);
}

static enum style_tone event_tone(const struct ladder_event *e)
{
    if (e->status == 0)
        return (enum style_tone)e->tone;
    return e->status < 200 ? TONE_WARN : e->status < 300 ? TONE_GOOD : TONE_BAD;
}

static void draw_detail(const struct ladder_event *e, struct out *o, const struct words *w, size_t at,
                        const struct style *style)
{
    struct out text;

    out_init_memory(&text, 2048);
    if (e->marked)
        words_say(&text, w, TEXT_READ_LADDER_PROOF, WORDS_TEXT("mark", slice_of_string(lanes_marks(style)->proof)),
                  WORDS_NUMBER("frame", e->frame));
    out_text(&text, e->marked && e->detail.len ? SLICE("  ") : SLICE(""));
    out_text(&text, e->detail);
    if (e->repeats) {
        out_text(&text, text.used ? SLICE("  ") : SLICE(""));
        words_say_plural(&text, w, TEXT_READ_LADDER_SENT_TIMES, WORDS_NUMBER("count", e->repeats + 1));
    }
    if (e->copies) {
        out_text(&text, text.used ? SLICE("  ") : SLICE(""));
        words_say_plural(&text, w, TEXT_READ_LADDER_SEEN_AGAIN, WORDS_NUMBER("count", e->copies));
    }
    size_t room = style->width == 0 ? 200 : style->width > at + 3 ? style->width - at - 3 : 0;

    if (text.used && room > 1) {
        out_text(o, SLICE("  "));
        table_cut(o, out_taken(&text), room);
    }
    out_done(&text);
}

/* An end of it has no lane: who they are stands behind the others. */
static void draw_without_lane(const struct ladder *l, const struct lanes *lanes, const struct ladder_event *e,
                              struct out *o, const struct style *style)
{
    char from[ADDRESS_TEXT_MAX], to[ADDRESS_TEXT_MAX];
    struct out text;

    out_init_memory(&text, 1024);
    lanes_bars(o, style, lanes->count - 1, lanes->spacing);
    lanes_bar(o, style);
    out_text(&text, e->label);
    out_text(&text, SLICE("  "));
    out_text(&text, slice_of(from, address_format(&l->addresses[e->from], from)));
    out_char(&text, ' ');
    out_text(&text, slice_of_string(lanes_marks(style)->right));
    out_char(&text, ' ');
    out_text(&text, slice_of(to, address_format(&l->addresses[e->to], to)));
    out_text(o, SLICE("  "));
    style_clean(o, out_taken(&text));
    out_char(o, '\n');
    out_done(&text);
}

static void draw_event(const struct ladder *l, const struct lanes *lanes, const struct ladder_event *e,
                       struct out *o, const struct words *w, const struct style *style)
{
    size_t a = lanes->of[e->from], b = lanes->of[e->to], last = lanes->count - 1;
    size_t low = a < b ? a : b, high = a < b ? b : a;
    slice self = slice_of_string(lanes_marks(style)->self);

    draw_time(l, e, o);
    if (high >= lanes->count) {
        draw_without_lane(l, lanes, e, o, style);
        return;
    }
    lanes_bars(o, style, low, lanes->spacing);
    if (low < high) {
        (e->is_stream ? lanes_stream : lanes_arrow)(o, style, event_tone(e), e->label, (high - low) * lanes->spacing, a < b);
    } else if (low < last) {                              /* to itself: beside its bar */
        lanes_bar(o, style);
        out_text(o, self);
        table_fit(o, e->label, lanes->spacing - 2, false);
        high = low + 1;
    }
    lanes_bars(o, style, last - high, lanes->spacing);
    lanes_bar(o, style);
    if (low == high) {
        out_text(o, self);
        table_fit(o, e->label, SPACING_LEAST * 2, false);
    }
    draw_detail(e, o, w, lanes->left + last * lanes->spacing + 1, style);
    out_char(o, '\n');
}

void ladder_print(const struct ladder *l, struct out *o, const struct style *style)
{
    const struct words *w = l->words;
    struct lanes lanes;

    if (l->count == 0)
        return;
    lanes_find(l, &lanes);
    lanes_space(&lanes, style);
    draw_names(l, &lanes, o, style);
    for (size_t i = 0; i < l->count; i++)
        draw_event(l, &lanes, &l->events[i], o, w, style);
    if (l->beyond) {
        words_say_plural(o, w, TEXT_READ_LADDER_MORE, WORDS_NUMBER("count", l->beyond),
                         WORDS_NUMBER("limit", LADDER_EVENTS_MAX));
        out_char(o, '\n');
    }
}

void ladder_print_lanes(const struct ladder *l, struct out *o, const struct style *style)
{
    struct lanes lanes;

    lanes_find(l, &lanes);
    lanes_space(&lanes, style);
    draw_names(l, &lanes, o, style);
}

void ladder_print_last(const struct ladder *l, struct out *o, const struct style *style)
{
    struct lanes lanes;
    struct ladder_event e;

    if (l->last >= l->count)
        return;
    lanes_find(l, &lanes);
    lanes_space(&lanes, style);
    e = l->events[l->last];
    e.time_ns = l->last_ns;
    draw_event(l, &lanes, &e, o, l->words, style);
}
