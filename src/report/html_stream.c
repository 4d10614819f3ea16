/* report/html_stream.c - streams of media on a page: figures, and quality second by second.
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/html_int.h"

#define COLUMNS_MAX 240u             /* of a graph; more seconds share one, the worst is shown */
#define MOS_HEIGHT  64u
#define STRIP_HEIGHT 30u
#define LOSS_SCALE_MILLI 5000u       /* a strip is at least that high: 5 % */
#define JITTER_SCALE_MS  20u

struct second {                      /* one column of a graph: the worst of what falls into it */
    uint32_t packets, lost, discarded;
    uint8_t  jitter_ms;
    uint16_t mos_milli;              /* 0: unknown */
    bool     calm;                   /* hold, silence: no media is expected */
};
struct graph {
    struct second columns[COLUMNS_MAX];
    size_t   count;
    uint64_t seconds, per_column;
    uint32_t loss_most_milli;        /* thousandths of a percent */
    uint8_t  jitter_most;
};

/* ---- figures --------------------------------------------------------------------------------- */

/* "3.8 ms": in a page from right to left the unit would stand in front. */
static void figure_begin(struct html *h) { html_raw(h, h->rtl ? SLICE("<bdi dir=ltr>") : SLICE("")); }
static void figure_end(struct html *h) { html_raw(h, h->rtl ? SLICE("</bdi>") : SLICE("")); }

static void put_milli(struct html *h, uint64_t thousandths, int decimals, slice behind)
{
    figure_begin(h);
    notes_milli(h->out, thousandths, decimals);
    html_raw(h, behind);
    figure_end(h);
}

static void say_buffers(struct html *h, const struct stream *s)
{
    struct out texts[STREAM_BUFFERS];

    for (unsigned i = 0; i < STREAM_BUFFERS; i++) {
        out_init_memory(&texts[i], 64);
        notes_milli(&texts[i], s->buffers[i].mos_milli, 2);
    }
    html_figure_begin(h, TEXT_HTML_LABEL_BUFFERS);
    html_say(h, TEXT_HTML_BUFFERS, WORDS_TEXT("short", out_taken(&texts[STREAM_FIXED_50])),
             WORDS_TEXT("long", out_taken(&texts[STREAM_FIXED_200])),
             WORDS_TEXT("adaptive", out_taken(&texts[STREAM_ADAPTIVE])));
    html_figure_end(h);
    for (unsigned i = 0; i < STREAM_BUFFERS; i++)
        out_done(&texts[i]);
}

static void say_worst(struct html *h, const struct stream *s)
{
    char room[MOMENT_TEXT_MAX];
    struct out mos;

    out_init_memory(&mos, 64);
    notes_milli(&mos, s->worst_mos_milli, 2);
    html_figure_begin(h, TEXT_HTML_LABEL_WORST);
    html_say(h, TEXT_HTML_WORST, WORDS_TEXT("mos", out_taken(&mos)),
             WORDS_TEXT("time", moment_clock(s->worst_ns, room)));
    html_figure_end(h);
    out_done(&mos);
}

static void say_bursts(struct html *h, const struct stream *s)
{
    char room[MOMENT_TEXT_MAX];
    struct out loss;

    out_init_memory(&loss, 64);
    notes_milli(&loss, s->burst_loss_milli, 1);
    html_figure_begin(h, TEXT_HTML_LABEL_BURST);
    html_say(h, TEXT_HTML_BURSTS, WORDS_NUMBER("count", s->bursts),
             WORDS_TEXT("length", moment_duration((int64_t)s->burst_ms * 1000000, room)),
             WORDS_TEXT("loss", out_taken(&loss)));
    html_figure_end(h);
    out_done(&loss);
}

static void say_notes(struct html *h, const struct stream *s)
{
    struct out notes;

    out_init_memory(&notes, 1 << 14);
    notes_stream(&notes, h->words, s);
    if (notes.used) {
        html_figure_begin(h, TEXT_HTML_LABEL_NOTES);
        html_own(h, out_taken(&notes));
        html_figure_end(h);
    }
    out_done(&notes);
}

static void say_figures(struct html *h, const struct stream *s)
{
    slice unscored = notes_unscored(h->words, s);

    HTML(h, "<dl class=figures>");
    html_figure_begin(h, TEXT_HTML_LABEL_MOS);
    html_mos(h, stream_mos_milli(s));
    if (unscored.len) {
        HTML(h, " <small>");
        html_own(h, unscored);
        HTML(h, "</small>");
    }
    html_figure_end(h);
    html_figure_begin(h, TEXT_HTML_LABEL_LOST);
    put_milli(h, stream_loss_milli(s), 1, SLICE("&nbsp;%"));
    html_figure_end(h);
    html_figure_begin(h, TEXT_HTML_LABEL_JITTER);
    put_milli(h, s->jitter_max_us, 1, SLICE("&nbsp;ms"));
    html_figure_end(h);
    html_figure_begin(h, TEXT_HTML_LABEL_PACKETS);
    html_number(h, s->packets);
    html_figure_end(h);
    if (s->codec[0]) {
        html_figure_begin(h, TEXT_HTML_LABEL_CODEC);
        html_token(h, slice_of_string(s->codec));
        html_figure_end(h);
    }
    if (s->two_way_ms) {
        html_figure_begin(h, TEXT_HTML_LABEL_DELAY);
        figure_begin(h);
        html_number(h, s->two_way_ms);
        HTML(h, "&nbsp;ms");
        figure_end(h);
        html_figure_end(h);
    }
    if (s->worst_mos_milli)
        say_worst(h, s);
    if (s->bursts)
        say_bursts(h, s);
    if (stream_mos_milli(s))
        say_buffers(h, s);
    if (s->dtmf[0]) {
        html_figure_begin(h, TEXT_HTML_LABEL_KEYS);
        HTML(h, "<kbd dir=ltr>");
        html_text(h->out, slice_of_string(s->dtmf));
        HTML(h, "</kbd>");
        html_figure_end(h);
    }
    say_notes(h, s);
    HTML(h, "</dl>\n");
}

/* ---- the graph -------------------------------------------------------------------------------- */

static void second_worsen(struct second *c, const struct stream_run *r, uint64_t seconds)
{
    uint16_t mos = stream_run_mos_milli(r);

    c->packets += r->packets * (uint32_t)seconds;
    c->lost += r->lost * (uint32_t)seconds;
    c->discarded += r->discarded * (uint32_t)seconds;
    c->jitter_ms = r->jitter_ms > c->jitter_ms ? r->jitter_ms : c->jitter_ms;
    c->mos_milli = mos && (!c->mos_milli || mos < c->mos_milli) ? mos : c->mos_milli;
    c->calm |= (r->flags & (STREAM_RUN_HOLD | STREAM_RUN_SILENCE)) != 0;
}

static uint32_t second_loss_milli(const struct second *c)
{
    uint64_t all = (uint64_t)c->packets + c->lost;

    return all ? (uint32_t)(((uint64_t)c->lost + c->discarded) * 100000 / all) : 0;
}

static void graph_fill(struct graph *g, const struct stream *s)
{
    uint64_t at = 0;

    *g = (struct graph){0};
    for (uint32_t i = 0; i < s->run_count; i++)
        g->seconds += s->runs[i].seconds;
    g->per_column = (g->seconds + COLUMNS_MAX - 1) / COLUMNS_MAX;
    if (!g->per_column)
        return;
    g->count = (size_t)((g->seconds + g->per_column - 1) / g->per_column);
    for (uint32_t i = 0; i < s->run_count; i++)
        for (uint64_t left = s->runs[i].seconds; left;) {
            uint64_t room = g->per_column - at % g->per_column, some = left < room ? left : room;

            second_worsen(&g->columns[at / g->per_column], &s->runs[i], some);
            at += some;
            left -= some;
        }
    for (size_t i = 0; i < g->count; i++) {
        uint32_t loss = second_loss_milli(&g->columns[i]);

        g->loss_most_milli = loss > g->loss_most_milli ? loss : g->loss_most_milli;
        g->jitter_most = g->columns[i].jitter_ms > g->jitter_most ? g->columns[i].jitter_ms : g->jitter_most;
    }
}

/* x and width of columns `from` to before `to`. */
static void put_span(struct html *h, const struct graph *g, size_t from, size_t to)
{
    HTML(h, " x=\"");
    out_milli(h->out, (int64_t)(from * 100000 / g->count));
    HTML(h, "%\" width=\"");
    out_milli(h->out, (int64_t)(to * 100000 / g->count - from * 100000 / g->count));
    HTML(h, "%\"");
}

static void put_column(struct html *h, const struct graph *g, size_t from, size_t to, slice class, unsigned height,
                       unsigned of)
{
    HTML(h, "<rect class=");
    html_raw(h, class);
    put_span(h, g, from, to);
    HTML(h, " y=\"");
    html_number(h, of - height);
    HTML(h, "\" height=\"");
    html_number(h, height);
    HTML(h, "\"/>");
}

/* A score is a line with a lighter fill below. */
static void put_score(struct html *h, const struct graph *g, size_t from, size_t to, unsigned height)
{
    slice tone = html_tone(notes_mos_tone(g->columns[from].mos_milli));

    put_column(h, g, from, to, tone, height, MOS_HEIGHT);
    HTML(h, "<rect class=\"cap ");
    html_raw(h, tone);
    HTML(h, "\"");
    put_span(h, g, from, to);
    HTML(h, " y=\"");
    html_number(h, MOS_HEIGHT - height);
    HTML(h, "\" height=\"2\"/>");
}

/* Equal neighbours are one rectangle, so a clean hour is short. */
static void draw_mos(struct html *h, const struct graph *g)
{
    for (size_t i = 0, next; i < g->count; i = next) {
        const struct second *c = &g->columns[i];
        unsigned mos = c->mos_milli > 1000 ? c->mos_milli : 1000;
        unsigned height = (mos - 1000) * MOS_HEIGHT / 3500;

        for (next = i + 1; next < g->count && g->columns[next].mos_milli == c->mos_milli &&
                           g->columns[next].calm == c->calm; next++)
            ;
        if (c->calm)
            put_column(h, g, i, next, SLICE("calm"), MOS_HEIGHT, MOS_HEIGHT);
        else if (c->mos_milli && notes_mos_tone(c->mos_milli) == TONE_BAD)
            put_column(h, g, i, next, SLICE("alarm"), MOS_HEIGHT, MOS_HEIGHT);
        if (c->mos_milli)
            put_score(h, g, i, next, height < 3 ? 3 : height > MOS_HEIGHT ? MOS_HEIGHT : height);
    }
}

static void draw_loss(struct html *h, const struct graph *g)
{
    uint32_t most = g->loss_most_milli > LOSS_SCALE_MILLI ? g->loss_most_milli : LOSS_SCALE_MILLI;

    for (size_t i = 0, next; i < g->count; i = next) {
        uint32_t loss = second_loss_milli(&g->columns[i]);

        for (next = i + 1; next < g->count && second_loss_milli(&g->columns[next]) == loss; next++)
            ;
        if (loss)
            put_column(h, g, i, next, SLICE("lost"),
                       2 + (unsigned)((uint64_t)loss * (STRIP_HEIGHT - 2) / most), STRIP_HEIGHT);
    }
}

static void draw_jitter(struct html *h, const struct graph *g)
{
    unsigned most = g->jitter_most > JITTER_SCALE_MS ? g->jitter_most : JITTER_SCALE_MS;

    for (size_t i = 0, next; i < g->count; i = next) {
        unsigned jitter = g->columns[i].jitter_ms;

        for (next = i + 1; next < g->count && g->columns[next].jitter_ms == jitter; next++)
            ;
        if (jitter)
            put_column(h, g, i, next, SLICE("jit"), 2 + jitter * (STRIP_HEIGHT - 2) / most, STRIP_HEIGHT);
    }
}

static void strip_begin(struct html *h, enum text_id label)
{
    HTML(h, "<div class=strip><span>");
    html_words(h, label);
    HTML(h, "<small>");
}

static void say_most_loss(struct html *h, const struct graph *g)
{
    struct out loss;

    out_init_memory(&loss, 64);
    notes_milli(&loss, g->loss_most_milli, 1);
    html_say(h, TEXT_HTML_GRAPH_MOST_LOSS, WORDS_TEXT("loss", out_taken(&loss)));
    out_done(&loss);
}

static void draw_axis(struct html *h, const struct stream *s, const struct graph *g)
{
    char from[MOMENT_TEXT_MAX], to[MOMENT_TEXT_MAX];
    int64_t end_ns = s->first_ns + (int64_t)g->seconds * 1000000000;

    HTML(h, "<div class=\"strip axis\"><span></span><p><time>");
    html_text(h->out, moment_clock(s->first_ns, from));
    HTML(h, "</time><time>");
    html_text(h->out, moment_clock(s->last_ns > end_ns ? s->last_ns : end_ns, to));
    HTML(h, "</time></p></div>");
}

static void draw_mos_strip(struct html *h, const struct graph *g)
{
    strip_begin(h, TEXT_HTML_GRAPH_MOS);
    HTML(h, "1 \xe2\x80\x93 4.5</small></span><svg height=64>");
    draw_mos(h, g);
    HTML(h, "<line class=rule x2=\"100%\" y1=\"16.5\" y2=\"16.5\"/></svg></div>");
}

static void draw_graph(struct html *h, const struct stream *s)
{
    char from[MOMENT_TEXT_MAX], to[MOMENT_TEXT_MAX];
    bool scored = stream_mos_milli(s) != 0;               /* else its seconds have no score either */
    struct graph g;

    graph_fill(&g, s);
    if (g.count < 2)
        return;
    HTML(h, "<div class=graph dir=ltr role=img aria-label=\"");
    html_say_plain(h, scored ? TEXT_HTML_GRAPH : TEXT_HTML_GRAPH_UNSCORED, WORDS_TEXT("from", moment_clock(s->first_ns, from)),
                   WORDS_TEXT("to", moment_clock(s->last_ns, to)));
    HTML(h, "\">");
    if (scored)
        draw_mos_strip(h, &g);
    strip_begin(h, TEXT_HTML_GRAPH_LOSS);
    if (g.loss_most_milli)
        say_most_loss(h, &g);
    else
        html_words(h, TEXT_HTML_GRAPH_NONE);
    HTML(h, "</small></span><svg height=30>");
    draw_loss(h, &g);
    HTML(h, "</svg></div>");
    strip_begin(h, TEXT_HTML_GRAPH_JITTER);
    html_say(h, TEXT_HTML_GRAPH_MOST_JITTER, WORDS_NUMBER("jitter", g.jitter_most));
    HTML(h, "</small></span><svg height=30>");
    draw_jitter(h, &g);
    HTML(h, "</svg></div>");
    draw_axis(h, s, &g);
    HTML(h, "</div>\n");
}

/* ---- streams of a call ------------------------------------------------------------------------- */

static void say_way(struct html *h, const struct stream *s)
{
    static const enum text_id ids[STREAM_SIDES] = {
        [STREAM_SIDE_UNKNOWN] = TEXT_HTML_STREAM, [STREAM_FROM_CALLER] = TEXT_HTML_STREAM_CALLER,
        [STREAM_FROM_CALLEE] = TEXT_HTML_STREAM_CALLEE,
    };
    char src[ADDRESS_TEXT_MAX], dst[ADDRESS_TEXT_MAX];

    html_say(h, ids[s->side < STREAM_SIDES ? s->side : 0],
             WORDS_TEXT("source", slice_of(src, address_format(&s->src, src))),
             WORDS_TEXT("destination", slice_of(dst, address_format(&s->dst, dst))));
}

void html_streams(struct html *h, const struct html_session *session)
{
    for (size_t i = 0; i < session->stream_count; i++) {
        const struct stream *s = session->streams[i];

        HTML(h, "<section class=stream id=");
        html_id_part(h, session->number, 's', i);
        HTML(h, "><h4>");
        say_way(h, s);
        HTML(h, "</h4>\n");
        say_figures(h, s);
        draw_graph(h, s);
        HTML(h, "</section>\n");
    }
}

void html_stream_row(struct html *h, const struct stream *s)
{
    struct out notes;

    out_init_memory(&notes, 1 << 14);
    HTML(h, "<tr><td>");
    html_address(h, &s->src);
    HTML(h, "<td>");
    html_address(h, &s->dst);
    HTML(h, "<td>");
    html_token(h, slice_of_string(s->codec));
    HTML(h, "<td class=r>");
    html_number(h, s->packets);
    HTML(h, "<td class=r>");
    put_milli(h, stream_loss_milli(s), 1, SLICE("&nbsp;%"));
    HTML(h, "<td class=r>");
    put_milli(h, s->jitter_max_us, 1, SLICE("&nbsp;ms"));
    HTML(h, "<td class=r>");
    html_mos(h, stream_mos_milli(s));
    HTML(h, "<td>");
    notes_stream(&notes, h->words, s);
    html_own(h, out_taken(&notes));
    HTML(h, "</tr>\n");
    out_done(&notes);
}
