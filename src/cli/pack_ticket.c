/* cli/pack_ticket.c - the text of a ticket; see cmd_pack.c
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/utf8.h"
#include "cli/pack_int.h"
#include "codes/cause.h"
#include "report/moment.h"
#include "report/verdicts.h"

#define TICKET_WIDTH 100u            /* a mail shows no more */

struct ticket {
    struct pack        *pack;
    struct page         page;
    struct out         *out;
    const struct words *words;
    struct call        *legs[PACK_LEGS_MAX];     /* that were met in the masked capture */
    size_t              leg_count;
    struct call        *main;        /* the leg whose cause is told; else the first */
    size_t              labels;      /* columns of the widest */
    struct out          scratch;
};

static slice said(struct ticket *t, enum text_id id) { return words_text(t->words, id); }

/* ---- values ---- */

/* "2026-11-21 01:02:03.123456" */
static slice utc_of(int64_t at_ns, char room[MOMENT_TEXT_MAX])
{
    slice s = moment_rfc3339(at_ns, room);

    if (s.len > 11)
        room[10] = ' ';
    return slice_head(s, s.len ? s.len - 1 : 0);
}

static slice time_of(struct ticket *t, int64_t at_ns)
{
    char utc[MOMENT_TEXT_MAX], local[MOMENT_TEXT_MAX], zone[MOMENT_TEXT_MAX];
    slice name = moment_offset_name(at_ns, zone);

    out_clear(&t->scratch);
    if (slice_eq(name, SLICE("UTC")))
        words_say(&t->scratch, t->words, TEXT_PACK_TIME_UTC, WORDS_TEXT("utc", utc_of(at_ns, utc)));
    else
        words_say(&t->scratch, t->words, TEXT_PACK_TIME_BOTH, WORDS_TEXT("utc", utc_of(at_ns, utc)),
                  WORDS_TEXT("local", moment_date_time(at_ns, local)), WORDS_TEXT("zone", name));
    return out_taken(&t->scratch);
}

static slice address_of(const struct address *a, char room[ADDRESS_TEXT_MAX])
{
    return slice_of(room, a->family ? address_format(a, room) : 0);
}

/* What the network sent, made harmless. */
static slice clean(struct ticket *t, slice text)
{
    char piece[512];

    out_clear(&t->scratch);
    while (text.len) {
        size_t n = utf8_clean(&text, piece, sizeof piece);

        out_text(&t->scratch, slice_of(piece, n));
    }
    return out_taken(&t->scratch);
}

static void line(struct ticket *t, enum text_id label, slice text)
{
    if (text.len)
        page_labelled(&t->page, 2, t->labels, (struct page_cell){ said(t, label), TONE_PLAIN },
                      (struct page_cell){ text, TONE_PLAIN });
}

static void heading(struct ticket *t, enum text_id id)
{
    slice text = said(t, id);

    page_blank(&t->page);
    page_text(&t->page, 0, TONE_PLAIN, text);
    page_rule(&t->page, utf8_columns(text));
}

/* ---- what happened ---- */

static struct call *leg_with_cause(const struct pack *p)
{
    struct call *first = NULL;

    for (size_t i = 0; i < p->leg_count; i++) {
        struct call *c = p->legs[i].call;

        if (!c)
            continue;
        first = first ? first : c;
        if (p->legs[i].index == p->index && c->verdicts && c->verdicts->cause.cause)
            return c;
    }
    for (size_t i = 0; i < p->leg_count; i++) {
        struct call *c = p->legs[i].call;

        if (c && c->verdicts && c->verdicts->cause.cause)
            return c;
    }
    return first;
}

static const struct verdict *main_cause(const struct ticket *t)
{
    const struct call_verdicts *v = t->main ? t->main->verdicts : NULL;

    return v && v->cause.cause ? &v->cause : NULL;
}

static void say_title(struct ticket *t)
{
    const struct verdict *v = main_cause(t);

    out_clear(&t->scratch);
    if (v)
        words_say(&t->scratch, t->words, TEXT_PACK_TITLE,
                  WORDS_TEXT("headline", cause_text(t->words, (enum cause_id)v->cause, CAUSE_PART_HEADLINE)));
    else
        out_text(&t->scratch, said(t, TEXT_PACK_TITLE_FINE));
    page_text(&t->page, 0, TONE_PLAIN, out_taken(&t->scratch));
    page_rule(&t->page, TICKET_WIDTH);
}

static void say_what(struct ticket *t)
{
    const struct verdict *v = main_cause(t);

    heading(t, TEXT_PACK_HEADING_WHAT);
    if (v)
        verdict_print(&t->page, t->words, 2, v);
    else
        page_text(&t->page, 2, TONE_PLAIN, said(t, TEXT_PACK_FINE));
}

static void say_findings(struct ticket *t)
{
    char room[LADDER_MARK_MAX];
    bool headed = false;

    for (size_t i = 0; i < t->leg_count; i++) {
        const struct call_verdicts *v = t->legs[i]->verdicts;

        for (size_t k = 0; v && k < v->finding_count; k++) {
            if (verdicts_finding_number(t->legs, i, k) != i * VERDICT_FINDINGS_MAX + k)
                continue;
            if (!headed)
                heading(t, TEXT_PACK_HEADING_OTHER);
            else
                page_blank(&t->page);
            headed = true;
            verdict_print_marked(&t->page, t->words, 2,
                                 ladder_finding_mark(t->pack->ladder, v->findings[k].cause, &t->page.style, room),
                                 &v->findings[k]);
        }
    }
}

/* ---- the call ---- */

static slice ended_by(struct ticket *t, const struct call *c)
{
    switch (c->ended_by) {
    case CALL_CALLER:
        return said(t, TEXT_READ_BY_CALLER);
    case CALL_CALLEE:
        return said(t, TEXT_READ_BY_CALLEE);
    case CALL_SERVER:
        return said(t, TEXT_PACK_BY_SERVER);
    case CALL_NETWORK:
        return said(t, TEXT_READ_BY_NETWORK);
    default:
        return (slice){0};
    }
}

static void say_times(struct ticket *t, const struct call *c)
{
    const struct { enum text_id label; int64_t at_ns; } times[] = {
        { TEXT_PACK_LABEL_BEGAN, c->invite_ns }, { TEXT_PACK_LABEL_ANSWERED, c->answered_ns },
        { TEXT_PACK_LABEL_ENDED, c->ended_ns },
    };

    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        if (times[i].at_ns)
            line(t, times[i].label, time_of(t, times[i].at_ns));
}

static void say_result(struct ticket *t, const struct call *c)
{
    char code[8];
    struct out o;

    out_init_memory(&o, 1024);
    if (c->final) {
        (void)snprintf(code, sizeof code, "%u", c->final);
        words_say(&o, t->words, TEXT_PACK_RESULT, WORDS_TEXT("code", slice_of_string(code)),
                  WORDS_TEXT("phrase", clean(t, c->reason.len ? c->reason : call_code_name(c->final))));
    } else {
        out_text(&o, said(t, TEXT_PACK_RESULT_NONE));
    }
    line(t, TEXT_PACK_LABEL_RESULT, out_taken(&o));
    out_done(&o);
}

static void say_way(struct ticket *t, const struct call *c)
{
    char source[ADDRESS_TEXT_MAX], destination[ADDRESS_TEXT_MAX];

    out_clear(&t->scratch);
    words_say(&t->scratch, t->words, TEXT_PACK_WAY,
              WORDS_TEXT("source", address_of(&c->caller_addr, source)),
              WORDS_TEXT("destination", address_of(&c->callee_addr, destination)),
              WORDS_TEXT("transport", wire_transport_name((enum wire_transport)c->transport)));
    line(t, TEXT_PACK_LABEL_WAY, out_taken(&t->scratch));
}

static void say_leg(struct ticket *t, const struct call *c)
{
    say_times(t, c);
    line(t, TEXT_PACK_LABEL_FROM, clean(t, c->from.uri));
    line(t, TEXT_PACK_LABEL_TO, clean(t, c->to.uri));
    line(t, TEXT_PACK_LABEL_CALL_ID, clean(t, c->call_id));
    say_way(t, c);
    say_result(t, c);
    line(t, TEXT_PACK_LABEL_REASON, clean(t, c->reason_text));
    line(t, TEXT_PACK_LABEL_ENDED_BY, ended_by(t, c));
}

static void say_call(struct ticket *t)
{
    size_t number = 0;

    heading(t, TEXT_PACK_HEADING_CALL);
    for (size_t i = 0; i < t->pack->leg_count; i++) {
        if (!t->pack->legs[i].call)
            continue;
        if (t->pack->leg_count > 1) {
            if (number)
                page_blank(&t->page);
            out_clear(&t->scratch);
            words_say(&t->scratch, t->words, TEXT_PACK_LEG, WORDS_NUMBER("number", ++number));
            page_text(&t->page, 0, TONE_PLAIN, out_taken(&t->scratch));
        }
        say_leg(t, t->pack->legs[i].call);
    }
}

static bool call_ids_are_true(const struct pack *p)
{
    return p->settings.plain || p->settings.keep_call_ids;
}

static void say_do(struct ticket *t)
{
    const struct verdict *v = main_cause(t);
    slice fix = v ? cause_text(t->words, (enum cause_id)v->cause, (enum cause_part)(CAUSE_PART_FIX + CODE_PROVIDER))
                  : said(t, TEXT_PACK_DO_NOTHING);

    heading(t, TEXT_PACK_HEADING_DO);
    if (fix.len)
        page_text(&t->page, 2, TONE_PLAIN, fix);
    if (v)
        page_text(&t->page, 2, TONE_PLAIN,
                  said(t, call_ids_are_true(t->pack) ? TEXT_PACK_DO_LOOK : TEXT_PACK_DO_LOOK_BY_TIME));
}

/* ---- proof ---- */

static void say_message(struct ticket *t, const struct pack_message *m)
{
    char utc[MOMENT_TEXT_MAX], src[ADDRESS_TEXT_MAX], dst[ADDRESS_TEXT_MAX];
    slice rest = slice_trim(m->text), text;

    out_clear(&t->scratch);
    words_say(&t->scratch, t->words, TEXT_PACK_PROOF_FRAME,
              WORDS_NUMBER("frame", m->frame),
              WORDS_TEXT("time", utc_of(m->at_ns, utc)), WORDS_TEXT("source", address_of(&m->src, src)),
              WORDS_TEXT("destination", address_of(&m->dst, dst)));
    page_text(&t->page, 2, TONE_PLAIN, out_taken(&t->scratch));
    page_blank(&t->page);
    while (slice_take_line(&rest, &text)) {
        out_text(t->out, SLICE("    "));
        out_text(t->out, clean(t, text));
        out_char(t->out, '\n');
    }
    page_blank(&t->page);
}

bool pack_messages_left_out(const struct pack *p, struct out *o)
{
    out_clear(o);
    if (p->messages_left_out)
        words_say_plural(o, p->cli->words, TEXT_PACK_LEFT_OUT_MESSAGES, WORDS_NUMBER("count", p->messages_left_out),
                         WORDS_NUMBER("limit", PACK_MESSAGES_MAX));
    return p->messages_left_out != 0;
}

static void say_proof(struct ticket *t)
{
    bool any = false;

    heading(t, TEXT_PACK_HEADING_PROOF);
    for (size_t i = 0; i < t->pack->message_count; i++) {
        const struct pack_message *m = t->pack->messages[i];
        bool proves = false;

        for (size_t k = 0; k < t->pack->leg_count; k++) {
            const struct call *c = t->pack->legs[k].call;
            const struct verdict *v = c && c->verdicts ? &c->verdicts->cause : NULL;

            for (size_t e = 0; v && v->cause && e < v->evidence_count; e++)
                proves |= v->evidence[e].frame == m->frame;
        }
        if (proves)
            say_message(t, m);
        any |= proves;
    }
    if (!any)
        page_text(&t->page, 2, TONE_PLAIN, said(t, TEXT_PACK_PROOF_NONE));
    if (pack_messages_left_out(t->pack, &t->scratch))
        page_text(&t->page, 2, TONE_PLAIN, out_taken(&t->scratch));
}

/* ---- what was not seen ---- */

struct blind {                       /* what the messages of the call tell about the capture */
    const struct pack_message *first;
    bool  back, other_pair;          /* some went the other way; some between other machines */
    bool  beginning, end, answered, from_caller, from_callee;
};

static struct blind look(const struct pack *p)
{
    struct blind b = {0};

    for (size_t i = 0; i < p->message_count; i++) {
        const struct pack_message *m = p->messages[i];

        b.first = b.first ? b.first : m;
        bool same = address_same_ip(&m->src, &b.first->src) && address_same_ip(&m->dst, &b.first->dst);
        bool back = address_same_ip(&m->src, &b.first->dst) && address_same_ip(&m->dst, &b.first->src);

        b.back |= back;
        b.other_pair |= !same && !back;
    }
    for (size_t i = 0; i < p->leg_count; i++) {
        const struct call *c = p->legs[i].call;

        if (!c)
            continue;
        b.beginning |= c->partial;
        b.end |= c->open_at_end;
        b.answered |= c->answered;
        for (const struct list *l = c->streams.next; l != &c->streams; l = l->next) {
            const struct stream *s = list_item(l, struct stream, in_list);

            b.from_caller |= s->side == STREAM_FROM_CALLER;
            b.from_callee |= s->side == STREAM_FROM_CALLEE;
        }
    }
    return b;
}

static void say_blind_pair(struct ticket *t, enum text_id id, const struct pack_message *m)
{
    char source[ADDRESS_TEXT_MAX], destination[ADDRESS_TEXT_MAX];

    out_clear(&t->scratch);
    words_say(&t->scratch, t->words, id,
              WORDS_TEXT("source", slice_of(source, address_format_ip(&m->src, source))),
              WORDS_TEXT("destination", slice_of(destination, address_format_ip(&m->dst, destination))));
    page_text(&t->page, 2, TONE_PLAIN, out_taken(&t->scratch));
}

static size_t say_blind_counts(struct ticket *t)
{
    const struct mask_counts *masked = mask_counts(t->pack->mask);
    const struct wire_counts *wire = wire_counts(t->pack->pipeline.wire);
    const struct { enum text_id id; uint64_t count; } lines[] = {
        { TEXT_PACK_BLIND_CUT, t->pack->cut }, { TEXT_PACK_BLIND_FRAGMENTS, wire->fragments_incomplete },
        { TEXT_PACK_BLIND_HOLES, wire->tcp_gaps },
        { TEXT_PACK_BLIND_ENCRYPTED, masked->dropped[MASK_ENCRYPTED] },
    };
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        if (!lines[i].count)
            continue;
        out_clear(&t->scratch);
        words_say_plural(&t->scratch, t->words, lines[i].id, WORDS_NUMBER("count", lines[i].count));
        page_text(&t->page, 2, TONE_PLAIN, out_taken(&t->scratch));
        count++;
    }
    return count;
}

static void say_blind(struct ticket *t)
{
    struct blind b = look(t->pack);
    const struct { bool holds; enum text_id id; } lines[] = {
        { b.beginning, TEXT_PACK_BLIND_BEGINNING }, { b.end, TEXT_PACK_BLIND_END },
        { b.answered && !b.from_caller && !b.from_callee, TEXT_PACK_BLIND_MEDIA },
        { b.answered && b.from_caller != b.from_callee, TEXT_PACK_BLIND_MEDIA_ONE_WAY },
    };
    size_t count = 0;

    heading(t, TEXT_PACK_HEADING_BLIND);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (lines[i].holds) {
            page_text(&t->page, 2, TONE_PLAIN, said(t, lines[i].id));
            count++;
        }
    if (b.first && !b.other_pair) {
        say_blind_pair(t, b.back ? TEXT_PACK_BLIND_ONE_HOP : TEXT_PACK_BLIND_ONE_WAY, b.first);
        count++;
    }
    count += say_blind_counts(t);
    if (!count)
        page_text(&t->page, 2, TONE_PLAIN, said(t, TEXT_PACK_BLIND_NOTHING));
}

bool pack_streams_left_out(const struct pack *p, struct out *o)
{
    bool reached = p->with_rtp && p->streams_left_out;

    out_clear(o);
    if (reached)
        words_say_plural(o, p->cli->words, TEXT_PACK_LEFT_OUT_STREAMS, WORDS_NUMBER("count", p->streams_left_out),
                         WORDS_NUMBER("limit", PACK_STREAMS_MAX));
    return reached;
}

static void say_files(struct ticket *t)
{
    heading(t, TEXT_PACK_HEADING_FILES);
    out_clear(&t->scratch);
    words_say_plural(&t->scratch, t->words,
                     t->pack->with_rtp ? TEXT_PACK_FILES_CAPTURE_RTP : TEXT_PACK_FILES_CAPTURE,
                     WORDS_NUMBER("count", t->pack->frame_count));
    page_text(&t->page, 2, TONE_PLAIN, out_taken(&t->scratch));
    if (pack_streams_left_out(t->pack, &t->scratch))
        page_text(&t->page, 2, TONE_PLAIN, out_taken(&t->scratch));
    page_text(&t->page, 2, TONE_PLAIN,
              said(t, t->pack->settings.plain ? TEXT_PACK_FILES_PLAIN : TEXT_PACK_FILES_MASKED));
    if (!t->pack->settings.plain)
        page_text(&t->page, 2, TONE_PLAIN, said(t, t->pack->settings.keep_call_ids
            ? TEXT_PACK_FILES_CALL_ID_KEPT : TEXT_PACK_FILES_CALL_ID_MASKED));
    page_text(&t->page, 2, TONE_PLAIN, said(t, TEXT_PACK_FILES_CLOCK));
}

static size_t widest_label(const struct ticket *t)
{
    static const enum text_id labels[] = {
        TEXT_PACK_LABEL_BEGAN, TEXT_PACK_LABEL_ANSWERED, TEXT_PACK_LABEL_ENDED, TEXT_PACK_LABEL_FROM,
        TEXT_PACK_LABEL_TO, TEXT_PACK_LABEL_CALL_ID, TEXT_PACK_LABEL_WAY, TEXT_PACK_LABEL_RESULT,
        TEXT_PACK_LABEL_REASON, TEXT_PACK_LABEL_ENDED_BY,
    };
    size_t width = 0;

    for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
        size_t columns = utf8_columns(words_text(t->words, labels[i]));

        width = columns > width ? columns : width;
    }
    return width + 2;
}

void pack_ticket(struct pack *p, struct out *o)
{
    struct ticket t = { .pack = p, .out = o, .words = p->cli->words, .main = leg_with_cause(p),
                        .page = { .out = o, .style = { .width = TICKET_WIDTH } } };

    out_init_memory(&t.scratch, 65536);
    for (size_t i = 0; i < p->leg_count; i++)
        if (p->legs[i].call)
            t.legs[t.leg_count++] = p->legs[i].call;
    ladder_verdicts(p->ladder, t.legs, t.leg_count);
    t.labels = widest_label(&t);
    say_title(&t);
    say_what(&t);
    say_call(&t);
    say_do(&t);
    say_findings(&t);
    heading(&t, TEXT_PACK_HEADING_COURSE);
    page_blank(&t.page);
    (void)moment_zone(SLICE("UTC"));      /* from here on, as the heading says */
    ladder_print(p->ladder, o, &t.page.style);
    say_proof(&t);
    say_blind(&t);
    say_files(&t);
    out_done(&t.scratch);
}
