/* report/html_call.c - one call on a page: what happened and why, its messages, its media.
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/flow.h"
#include "report/flows.h"
#include "report/html_int.h"
#include "report/verdicts.h"

/* ---- small things that the parts share --------------------------------------------------------- */

void html_id(struct html *h, uint64_t number)
{
    HTML(h, "c");
    html_number(h, number);
}

void html_id_part(struct html *h, uint64_t number, char part, uint64_t which)
{
    html_id(h, number);
    HTML(h, "-");
    out_char(h->out, part);
    html_number(h, which);
}

slice html_tone(enum style_tone tone)
{
    switch (tone) {
    case TONE_GOOD: return SLICE("good");
    case TONE_WARN: return SLICE("warn");
    case TONE_BAD:  return SLICE("bad");
    default:        return SLICE("plain");
    }
}

slice html_severity(const struct verdict *v)
{
    return slice_of_string(cause_severity_name(cause_severity((enum cause_id)v->cause)));
}

static bool begins_earlier(const struct stream *a, const struct stream *b)
{
    return a->first_ns != b->first_ns ? a->first_ns < b->first_ns : a->index < b->index;
}

struct html_session html_session_of(struct call *const *legs, size_t count, const struct ladder *ladder)
{
    struct html_session s = { .legs = legs, .count = count, .ladder = ladder, .number = legs[0]->index };

    for (size_t i = 0; i < count; i++)
        for (const struct list *l = legs[i]->streams.next; l && l != &legs[i]->streams; l = l->next) {
            const struct stream *stream = list_item(l, struct stream, in_list);
            size_t at = s.stream_count;

            if (at == HTML_STREAMS_MAX) {
                s.streams_beyond++;
                continue;
            }
            for (; at > 0 && begins_earlier(stream, s.streams[at - 1]); at--)
                s.streams[at] = s.streams[at - 1];
            s.streams[at] = stream;
            s.stream_count++;
        }
    return s;
}

/* ---- head ---------------------------------------------------------------------------------------- */

void html_figure_begin(struct html *h, enum text_id label)
{
    HTML(h, "<div><dt>");
    html_words(h, label);
    HTML(h, "</dt><dd>");
}

void html_figure_end(struct html *h) { HTML(h, "</dd></div>"); }

void html_mos(struct html *h, uint16_t mos_milli)
{
    HTML(h, "<span class=\"mos ");
    html_raw(h, html_tone(notes_mos_tone(mos_milli)));
    HTML(h, "\">");
    if (mos_milli)
        notes_milli(h->out, mos_milli, 2);
    else
        HTML(h, "\xe2\x80\x93");
    HTML(h, "</span>");
}

static void fact_duration(struct html *h, enum text_id label, int64_t ns)
{
    char room[MOMENT_TEXT_MAX];

    if (ns < 0)
        return;
    html_figure_begin(h, label);
    html_token(h, moment_duration(ns, room));
    html_figure_end(h);
}

static void fact_token(struct html *h, enum text_id label, slice text)
{
    if (!text.len)
        return;
    html_figure_begin(h, label);
    HTML(h, "<bdi dir=ltr class=token>");
    html_cut(h->out, text, 160);
    HTML(h, "</bdi>");
    html_figure_end(h);
}

static void fact_address(struct html *h, enum text_id label, const struct address *a)
{
    char text[ADDRESS_TEXT_MAX];

    if (a->family)
        fact_token(h, label, slice_of(text, address_format(a, text)));
}

static void fact_text(struct html *h, enum text_id label, slice text)
{
    if (!text.len)
        return;
    html_figure_begin(h, label);
    html_text(h->out, text);
    html_figure_end(h);
}

static void fact_mos(struct html *h, const struct call *c)
{
    if (!c->media.mos_milli)
        return;
    html_figure_begin(h, TEXT_HTML_LABEL_MOS);
    html_mos(h, c->media.mos_milli);
    html_figure_end(h);
}

static void fact_join(struct html *h, const struct call *c)
{
    if (!c->join)
        return;
    html_figure_begin(h, TEXT_HTML_LABEL_JOINED);
    html_say(h, TEXT_HTML_JOINED, WORDS_TEXT("sign", call_join_name((enum call_join)c->join)),
             WORDS_NUMBER("score", c->join_score));
    html_figure_end(h);
}

static void say_facts(struct html *h, const struct call *c)
{
    char room[MOMENT_TEXT_MAX];
    struct out notes;

    out_init_memory(&notes, 1 << 14);
    notes_call(&notes, h->words, c);
    HTML(h, "<dl class=figures>");
    fact_token(h, TEXT_READ_COLUMN_BEGAN, moment_date_time(c->invite_ns ? c->invite_ns : c->last_ns, room));
    fact_duration(h, TEXT_READ_COLUMN_SETUP, call_pdd_ns(c));
    fact_duration(h, TEXT_READ_COLUMN_RANG, call_ring_ns(c));
    fact_duration(h, TEXT_READ_COLUMN_TALKED, call_talk_ns(c));
    fact_text(h, TEXT_READ_COLUMN_ENDED_BY, notes_ended_by(h->words, c));
    fact_mos(h, c);
    fact_address(h, TEXT_HTML_LABEL_CALLER, &c->caller_addr);
    fact_address(h, TEXT_HTML_LABEL_CALLEE, &c->callee_addr);
    fact_token(h, TEXT_HTML_LABEL_TRANSPORT, wire_transport_name((enum wire_transport)c->transport));
    fact_token(h, TEXT_HTML_LABEL_AGENT, c->user_agent);
    fact_token(h, TEXT_HTML_LABEL_SERVER, c->server);
    fact_token(h, TEXT_HTML_LABEL_URI, c->request_uri);
    fact_token(h, TEXT_HTML_LABEL_CALL_ID, c->call_id);
    fact_join(h, c);
    fact_text(h, TEXT_READ_COLUMN_NOTES, out_taken(&notes));
    HTML(h, "</dl>\n");
    out_done(&notes);
}

static void say_result(struct html *h, const struct call *c)
{
    struct call_status status = call_status(c);
    enum code_family family = slice_eq(status.family, SLICE("sip")) ? CODE_SIP : CODE_MONITOR;
    struct out text;

    out_init_memory(&text, 4096);
    notes_code(&text, h->words, family, status.code, status.name);
    HTML(h, "<bdi class=\"result ");
    html_raw(h, html_tone(notes_call_tone(c)));
    HTML(h, "\">");
    html_text(h->out, out_taken(&text));
    HTML(h, "</bdi>");
    out_done(&text);
}

static void say_title(struct html *h, const struct call *c)
{
    html_say(h, TEXT_READ_WHY_CALL, WORDS_NUMBER("number", c->index),
             WORDS_TEXT("from", slice_head(notes_who(&c->from), HTML_NAME_MAX)),
             WORDS_TEXT("to", slice_head(notes_who(&c->to), HTML_NAME_MAX)));
}

static void say_head(struct html *h, const struct html_session *s)
{
    const struct call *c = s->legs[0];

    HTML(h, "<header><h3 id=");
    html_id_part(h, s->number, 'h', 0);
    HTML(h, ">");
    say_title(h, c);
    HTML(h, "</h3><p class=outcome>");
    say_result(h, c);
    if (s->count > 1) {
        HTML(h, " <span>");
        html_say(h, TEXT_HTML_LEGS, WORDS_NUMBER("count", s->count));
        HTML(h, "</span>");
    }
    HTML(h, "</p></header>\n");
}

/* ---- verdicts ------------------------------------------------------------------------------------ */

static bool has_frame(const struct ladder *l, uint64_t frame)
{
    for (size_t i = 0; l && i < l->count; i++)
        if (l->events[i].frame == frame)
            return true;
    return false;
}

static void say_evidence(struct html *h, const struct html_session *s, const struct verdict *v)
{
    HTML(h, "<ul class=proofs>");
    for (size_t i = 0; i < v->evidence_count; i++) {
        const struct verdict_evidence *e = &v->evidence[i];
        bool linked = s && has_frame(s->ladder, e->frame);

        HTML(h, "<li>");
        if (linked) {
            HTML(h, "<a href=\"#");
            html_id_part(h, s->number, 'f', e->frame);
            HTML(h, "\">");
        }
        html_say(h, TEXT_READ_EVIDENCE_FRAME, WORDS_NUMBER("number", e->frame), WORDS_TEXT("what", e->what));
        html_raw(h, linked ? SLICE("</a>") : SLICE(""));
        HTML(h, "</li>");
    }
    HTML(h, "</ul>");
}

static void say_labelled(struct html *h, enum text_id label, slice text)
{
    if (!text.len)
        return;
    HTML(h, "<dt>");
    html_words(h, label);
    HTML(h, "</dt><dd>");
    html_own(h, text);
    HTML(h, "</dd>");
}

static const enum text_id certainty_texts[] = {
    [VERDICT_POSSIBLE] = TEXT_HTML_CERTAIN_POSSIBLE,
    [VERDICT_LIKELY] = TEXT_HTML_CERTAIN_LIKELY,
    [VERDICT_SURE] = TEXT_HTML_CERTAIN_SURE,
};
static const enum text_id role_texts[CODE_ROLES] = {
    [CODE_CALLER] = TEXT_READ_FIX_CALLER, [CODE_CALLEE] = TEXT_READ_FIX_CALLEE,
    [CODE_PROVIDER] = TEXT_READ_FIX_PROVIDER, [CODE_ADMIN] = TEXT_READ_FIX_ADMIN,
};

static void say_reasons(struct html *h, const struct html_session *s, const struct verdict *v)
{
    enum cause_id id = (enum cause_id)v->cause;

    HTML(h, "<dl class=reasons><dt>");
    html_words(h, TEXT_HTML_LABEL_CERTAINTY);
    HTML(h, "</dt><dd>");
    html_words(h, certainty_texts[v->certainty < ARRAY_LEN(certainty_texts) ? v->certainty : 0]);
    HTML(h, "</dd><dt>");
    html_words(h, TEXT_READ_LABEL_PROOF);
    HTML(h, "</dt><dd>");
    say_evidence(h, s, v);
    HTML(h, "</dd>");
    if (v->certainty != VERDICT_SURE)
        say_labelled(h, TEXT_READ_LABEL_REFUTE, cause_text(h->words, id, CAUSE_PART_REFUTE));
    for (unsigned role = 0; role < CODE_ROLES; role++)
        say_labelled(h, role_texts[role], cause_text(h->words, id, (enum cause_part)(CAUSE_PART_FIX + role)));
    HTML(h, "</dl>\n");
}

static void say_cause(struct html *h, const struct html_session *s, size_t leg)
{
    const struct verdict *v = &s->legs[leg]->verdicts->cause;

    HTML(h, "<div class=\"cause ");
    html_raw(h, html_severity(v));
    HTML(h, "\" id=");
    html_id_part(h, s->number, 'w', leg);
    HTML(h, "><h4>");
    html_own(h, cause_text(h->words, (enum cause_id)v->cause, CAUSE_PART_HEADLINE));
    HTML(h, "</h4>\n<p>");
    html_verdict(h, v);
    HTML(h, "</p>\n");
    say_reasons(h, s, v);
    HTML(h, "</div>\n");
}

bool html_has_warning(struct call *const *legs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct call_verdicts *v = legs[i]->verdicts;

        for (size_t k = 0; v && k < v->finding_count; k++)
            if (cause_severity((enum cause_id)v->findings[k].cause) >= CAUSE_SEVERITY_WARNING)
                return true;
    }
    return false;
}

static void say_causes(struct html *h, const struct html_session *s)
{
    size_t said = 0;

    for (size_t i = 0; i < s->count; i++) {
        const struct call_verdicts *v = s->legs[i]->verdicts;

        if (!v || !v->cause.cause || verdicts_cause_leg(s->legs, i) != i)
            continue;
        say_cause(h, s, i);
        said++;
    }
    if (said)
        return;
    HTML(h, "<p class=well>");
    html_words(h, !s->legs[0]->verdicts ? TEXT_HTML_UNDIAGNOSED
                  : html_has_warning(s->legs, s->count) ? TEXT_HTML_WELL_BUT : TEXT_HTML_ALL_WELL);
    HTML(h, "</p>\n");
}

static void say_finding(struct html *h, const struct html_session *s, const struct verdict *v, uint64_t number)
{
    HTML(h, "<details class=\"finding ");
    html_raw(h, html_severity(v));
    HTML(h, "\"");
    if (s) {
        HTML(h, " id=");
        html_id_part(h, s->number, 'v', number);
    }
    HTML(h, "><summary>");
    html_own(h, cause_text(h->words, (enum cause_id)v->cause, CAUSE_PART_HEADLINE));
    HTML(h, "</summary><div class=body><p>");
    html_verdict(h, v);
    HTML(h, "</p>\n");
    say_reasons(h, s, v);
    HTML(h, "</div></details>\n");
}

void html_verdict_alone(struct html *h, const struct verdict *v) { say_finding(h, NULL, v, 0); }

static void say_findings(struct html *h, const struct html_session *s)
{
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++) {
        const struct call_verdicts *v = s->legs[i]->verdicts;

        for (size_t k = 0; v && k < v->finding_count; k++) {
            size_t number = verdicts_finding_number(s->legs, i, k);

            if (number != i * VERDICT_FINDINGS_MAX + k)
                continue;
            if (count++ == 0) {
                HTML(h, "<h4>");
                html_words(h, TEXT_HTML_HEADING_FINDINGS);
                HTML(h, "</h4>\n");
            }
            say_finding(h, s, &v->findings[k], number);
        }
    }
}

/* ---- the flow ---------------------------------------------------------------------------------------- */

static void say_deviation(struct html *h, const struct html_session *s, const struct call_flow *f)
{
    bool linked = has_frame(s->ladder, f->frame);
    struct out text;

    out_init_memory(&text, 1 << 14);
    flows_say_deviation(&text, h->words, f);
    HTML(h, " ");
    if (linked) {
        HTML(h, "<a href=\"#");
        html_id_part(h, s->number, 'f', f->frame);
        HTML(h, "\">");
    }
    html_own(h, out_taken(&text));
    html_raw(h, linked ? SLICE("</a>") : SLICE(""));
    out_done(&text);
}

/* The flow that is nearest, and where the call left it first; of each leg that has another. */
static void say_flows(struct html *h, const struct html_session *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct call_flow *f = &s->legs[i]->flow;
        const struct flow *flow = flow_at(f->flow);

        if (!f->flow || (i && f->flow == s->legs[i - 1]->flow.flow && f->frame == s->legs[i - 1]->flow.frame))
            continue;
        HTML(h, "<p class=flow>");
        html_say(h, f->deviation ? TEXT_HTML_FLOW_LEFT : TEXT_HTML_FLOW_FOLLOWED,
                 WORDS_TEXT("flow", slice_of_string(flow->name)), WORDS_TEXT("title", flow_text(h->words, flow->title)));
        if (f->deviation)
            say_deviation(h, s, f);
        HTML(h, "</p>\n");
    }
}

/* ---- the whole ------------------------------------------------------------------------------------- */

static void say_all_facts(struct html *h, const struct html_session *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (i) {
            HTML(h, "<p class=leg>");
            say_title(h, s->legs[i]);
            HTML(h, "</p>");
        }
        say_facts(h, s->legs[i]);
    }
}

void html_call_section(struct html *h, const struct html_session *s)
{
    HTML(h, "<section class=call id=");
    html_id(h, s->number);
    HTML(h, " aria-labelledby=");
    html_id_part(h, s->number, 'h', 0);
    HTML(h, ">\n");
    say_head(h, s);
    say_causes(h, s);
    say_findings(h, s);
    say_flows(h, s);
    say_all_facts(h, s);
    HTML(h, "<h4>");
    html_words(h, TEXT_HTML_HEADING_LADDER);
    HTML(h, "</h4>\n");
    html_ladder(h, s);
    html_streams(h, s);
    HTML(h, "<p class=back><a href=\"#calls\">");
    html_words(h, TEXT_HTML_BACK);
    HTML(h, "</a></p>\n</section>\n");
}
