/* report/ladder_text.c - a ladder drawn on a terminal.
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/ladder_int.h"

#include "base/utf8.h"
#include "codes/cause.h"
#include "report/lanes.h"
#include "report/moment.h"
#include "report/table.h"
#include "report/verdicts.h"

#define TIME_WIDTH   24u             /* "01:02:03.123    +12.345" and a gap */
#define DETAIL_WIDTH 30u
#define SPACING_LEAST 12u
#define SPACING_FAIR  18u            /* room for "180 Ringing" and the like */
#define SPACING_MOST  36u
#define LINE_MAX     512u            /* cells of one drawn line */
#define NAME_LEAST   12u             /* columns of a name that is worth being begun */
#define PIECE_LEAST  10u             /* the same of anything else, with the gap before it */

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

/* `marks`: columns that the line with the most marks needs at the least. */
static void lanes_space(struct lanes *lanes, const struct style *style, size_t marks)
{
    size_t gaps = lanes->count > 1 ? lanes->count - 1 : 1, fair;
    size_t room = style->width ? style->width : 120, beside = DETAIL_WIDTH + 8 + marks;

    lanes->left = TIME_WIDTH;
    fair = room > TIME_WIDTH + 1 + marks ? (room - TIME_WIDTH - 1 - marks) / gaps : 0;
    room = room > TIME_WIDTH + beside ? room - TIME_WIDTH - beside : gaps;
    lanes->spacing = room / gaps;
    if (lanes->spacing < SPACING_FAIR)                    /* arrows that can be read, before details */
        lanes->spacing = fair < SPACING_FAIR ? fair : SPACING_FAIR;
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

        if (i < lanes->named && style->width && lanes->left - 4 + i * lanes->spacing + name.len > style->width)
            name = slice_take_until(&(slice){ name.ptr, name.len }, ' ');     /* its first word fits */
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

/* ---- what stands beside an arrow ---------------------------------------------------------------- */

struct beside {                      /* the right of one line, filled from the left */
    const struct ladder       *ladder;
    const struct ladder_event *event;
    struct out                *o;
    const struct style        *style;
    size_t                     room;     /* columns */
};
enum fullness { MARKS_ALONE, MARKS_WITH_FRAME, MARKS_WITH_NAMES };

static slice finding_name(const struct ladder *l, size_t finding)
{
    return cause_text(l->words, (enum cause_id)l->findings[finding].cause, CAUSE_PART_HEADLINE);
}

/* Text that is cut where there is no room for it, and left out where little of it would be seen. */
static void say_piece(struct beside *b, slice text)
{
    if (!text.len || (b->room < PIECE_LEAST && 2 + utf8_columns(text) > b->room))
        return;
    out_text(b->o, SLICE("  "));
    b->room -= 2 + table_cut(b->o, text, b->room - 2);
}

/* One that is never cut, as `o` sees it; NULL: only measured. */
static size_t put_mark(const struct beside *b, struct out *o, size_t gap, enum style_tone tone, slice text)
{
    if (o) {
        out_repeat(o, SLICE(" "), gap);
        style_begin(o, b->style, tone);
        out_text(o, text);
        style_end(o, b->style, tone);
    }
    return gap + utf8_columns(text);
}

static size_t put_proof(const struct beside *b, struct out *o, enum fullness fullness)
{
    slice mark = slice_of_string(lanes_marks(b->style)->proof);
    struct out text;
    size_t columns;

    if (!b->event->marked)
        return 0;
    out_init_memory(&text, 256);
    if (fullness == MARKS_ALONE)
        out_text(&text, mark);
    else
        words_say(&text, b->ladder->words, TEXT_READ_LADDER_PROOF, WORDS_TEXT("mark", mark),
                  WORDS_NUMBER("frame", b->event->frame));
    columns = put_mark(b, o, 2, (enum style_tone)b->event->mark_tone, out_taken(&text));
    out_done(&text);
    return columns;
}

/* The marks of an arrow, so full; returns their columns. */
static size_t put_marks(const struct beside *b, struct out *o, enum fullness fullness)
{
    const struct ladder *l = b->ladder;
    size_t columns = put_proof(b, o, fullness), gap = columns && fullness == MARKS_ALONE ? 1 : 2;
    char room[LADDER_MARK_MAX];

    for (size_t i = 0; i < l->finding_count; i++) {
        enum style_tone tone = verdict_tone(&(struct verdict){ .cause = l->findings[i].cause });
        slice mark = ladder_finding_mark(l, l->findings[i].cause, b->style, room);

        if (!(b->event->findings >> i & 1))
            continue;
        columns += put_mark(b, o, gap, tone, mark);
        if (fullness == MARKS_WITH_NAMES)
            columns += put_mark(b, o, 1, tone, finding_name(l, i));
        else
            gap = 1;
    }
    return columns;
}

/* The number of a finding is always seen, its name where there is room. How a stream sounded says
 * more than either. */
static void say_marks(struct beside *b)
{
    size_t kept = b->event->is_stream ? 2 + utf8_columns(b->event->detail) : 0, columns;
    uint64_t findings = b->event->findings;
    enum fullness fullness = MARKS_WITH_NAMES;

    while (fullness > MARKS_ALONE && put_marks(b, NULL, fullness) + kept > b->room)
        fullness--;
    columns = put_marks(b, b->o, fullness);
    b->room -= columns < b->room ? columns : b->room;
    if (fullness < MARKS_WITH_NAMES && findings && !(findings & (findings - 1)) && b->room > NAME_LEAST + kept) {
        unsigned only = (unsigned)__builtin_ctzll(findings);
        enum style_tone tone = verdict_tone(&(struct verdict){ .cause = b->ladder->findings[only].cause });

        out_char(b->o, ' ');
        style_begin(b->o, b->style, tone);
        b->room -= 1 + table_cut(b->o, finding_name(b->ladder, only), b->room - kept - 1);
        style_end(b->o, b->style, tone);
    }
}

static void say_counted(struct beside *b, enum text_id id, uint64_t count)
{
    struct out text;

    out_init_memory(&text, 1024);
    words_say_plural(&text, b->ladder->words, id, WORDS_NUMBER("count", count));
    say_piece(b, out_taken(&text));
    out_done(&text);
}

/* What is short and rare comes first, for the rest is cut; `at`: columns of the line so far. */
static void draw_beside(const struct ladder *l, const struct ladder_event *e, struct out *o, size_t at,
                        const struct style *style)
{
    size_t width = style->width ? style->width : at + 203;
    struct beside b = { .ladder = l, .event = e, .o = o, .style = style, .room = width > at + 1 ? width - at - 1 : 0 };

    say_marks(&b);
    if (e->repeats)
        say_counted(&b, TEXT_READ_LADDER_SENT_TIMES, e->repeats + 1);
    if (e->copies)
        say_counted(&b, TEXT_READ_LADDER_SEEN_AGAIN, e->copies);
    say_piece(&b, e->detail);
}

/* Columns of the marks of an arrow that has the most of them. */
static size_t marks_width(const struct ladder *l, const struct style *style)
{
    struct beside b = { .ladder = l, .style = style };
    size_t most = 0;

    for (size_t i = 0; i < l->count; i++) {
        b.event = &l->events[i];
        size_t columns = put_marks(&b, NULL, MARKS_ALONE);

        most = columns > most ? columns : most;
    }
    return most;
}

/* ---- arrows --------------------------------------------------------------------------------------- */

/* An end of it has no lane: who they are stands behind the others. */
static void draw_without_lane(const struct ladder *l, const struct lanes *lanes, const struct ladder_event *e,
                              struct out *o, const struct style *style)
{
    char from[ADDRESS_TEXT_MAX], to[ADDRESS_TEXT_MAX];
    struct out text;

    out_init_memory(&text, 1024);
    lanes_bars(o, style, lanes->count - 1, lanes->spacing);
    lanes_bar(o, style);
    put_marks(&(struct beside){ .ladder = l, .event = e, .style = style }, o, MARKS_ALONE);
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
                       struct out *o, const struct style *style)
{
    size_t a = lanes->of[e->from], b = lanes->of[e->to], last = lanes->count - 1;
    size_t low = a < b ? a : b, high = a < b ? b : a;
    slice self = slice_of_string(lanes_marks(style)->self);
    size_t own = 0;                                       /* columns behind the last bar */

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
        own = SPACING_LEAST * 2 + 1;
    }
    draw_beside(l, e, o, lanes->left + last * lanes->spacing + 1 + own, style);
    out_char(o, '\n');
}

void ladder_print(const struct ladder *l, struct out *o, const struct style *style)
{
    const struct words *w = l->words;
    struct lanes lanes;

    if (l->count == 0)
        return;
    lanes_find(l, &lanes);
    lanes_space(&lanes, style, marks_width(l, style));
    draw_names(l, &lanes, o, style);
    for (size_t i = 0; i < l->count; i++)
        draw_event(l, &lanes, &l->events[i], o, style);
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
    lanes_space(&lanes, style, marks_width(l, style));
    draw_names(l, &lanes, o, style);
}

void ladder_print_last(const struct ladder *l, struct out *o, const struct style *style)
{
    struct lanes lanes;
    struct ladder_event e;

    if (l->last >= l->count)
        return;
    lanes_find(l, &lanes);
    lanes_space(&lanes, style, marks_width(l, style));
    e = l->events[l->last];
    e.time_ns = l->last_ns;
    draw_event(l, &lanes, &e, o, style);
}
