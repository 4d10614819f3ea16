/* report/html_rows.c - rows of the lists on a page: calls, registrations, what the network refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/html_int.h"

static void cell_name(struct html *h, slice class, slice text)
{
    HTML(h, "<td class=\"");
    html_raw(h, class);
    HTML(h, "\">");
    html_name(h, text, 36);
}

static void cell_duration(struct html *h, slice class, int64_t ns)
{
    char room[MOMENT_TEXT_MAX];

    HTML(h, "<td class=\"r ");
    html_raw(h, class);
    HTML(h, "\">");
    if (ns >= 0)
        html_token(h, moment_duration(ns, room));
}

static void cell_code(struct html *h, slice class, enum style_tone tone, slice family, unsigned code, slice name)
{
    struct out text;

    out_init_memory(&text, 4096);
    notes_code(&text, h->words, slice_eq(family, SLICE("sip")) ? CODE_SIP : CODE_MONITOR, code, name);
    HTML(h, "<td class=\"");
    html_raw(h, class);
    HTML(h, "\"><bdi class=\"result ");
    html_raw(h, html_tone(tone));
    HTML(h, "\">");
    html_cut(h->out, out_taken(&text), 60);
    HTML(h, "</bdi>");
    out_done(&text);
}

static void cell_cause(struct html *h, const struct call_verdicts *v)
{
    HTML(h, "<td class=why>");
    if (!v || !v->cause.cause)
        return;
    HTML(h, "<span class=\"dot ");
    html_raw(h, html_severity(&v->cause));
    HTML(h, "\"></span>");
    html_own(h, cause_text(h->words, (enum cause_id)v->cause.cause, CAUSE_PART_HEADLINE));
}

static void cell_mos(struct html *h, uint16_t mos_milli)
{
    HTML(h, "<td class=\"r mosc\">");
    if (mos_milli)
        html_mos(h, mos_milli);
}

void html_call_cells(struct html *h, const struct call *c)
{
    struct call_status status = call_status(c);
    char room[MOMENT_TEXT_MAX];

    HTML(h, "<td class=when>");
    html_token(h, moment_clock(c->invite_ns ? c->invite_ns : c->last_ns, room));
    cell_name(h, SLICE("from"), notes_who(&c->from));
    cell_name(h, SLICE("to"), notes_who(&c->to));
    cell_code(h, SLICE("res"), notes_call_tone(c), status.family, status.code, status.name);
    cell_cause(h, c->verdicts);
    cell_mos(h, c->media.mos_milli);
    cell_duration(h, SLICE("talk"), call_talk_ns(c));
    HTML(h, "</tr>\n");
}

void html_registration_row(struct html *h, const struct registration *r)
{
    struct registration_status status = registration_status(r);
    struct out notes;

    out_init_memory(&notes, 1 << 14);
    notes_registration(&notes, h->words, r);
    HTML(h, "<tr><td>");
    HTML(h, "<bdi dir=ltr>");
    html_cut(h->out, r->aor, 60);
    HTML(h, "</bdi><td><bdi dir=ltr>");
    html_cut(h->out, r->contact, 60);
    HTML(h, "</bdi>");
    if (status.code)
        cell_code(h, SLICE(""), notes_registration_tone(r), status.family, status.code, status.name);
    else {
        HTML(h, "<td><span class=\"result bad\">");
        html_words(h, TEXT_READ_NO_ANSWER_YET);
        HTML(h, "</span>");
    }
    cell_duration(h, SLICE(""), r->expires_s ? (int64_t)r->expires_s * 1000000000 : -1);
    HTML(h, "<td>");
    html_address(h, &r->registrar);
    HTML(h, "<td class=r>");
    html_number(h, r->requests);
    HTML(h, "<td>");
    html_own(h, out_taken(&notes));
    HTML(h, "</tr>\n");
    if (r->verdicts && r->verdicts->cause.cause) {
        HTML(h, "<tr class=because><td colspan=7>");
        html_verdict_alone(h, &r->verdicts->cause);
        HTML(h, "</tr>\n");
    }
    out_done(&notes);
}

void html_incident_row(struct html *h, const struct incident *i)
{
    struct out what;

    out_init_memory(&what, 4096);
    notes_incident(&what, h->words, i);
    HTML(h, "<tr><td>");
    html_own(h, out_taken(&what));
    HTML(h, "<td>");
    html_address(h, &i->src);
    HTML(h, "<td>");
    html_address(h, &i->dst);
    HTML(h, "<td class=r>");
    html_number(h, i->count);
    HTML(h, "<td class=r>");
    html_number(h, i->first_frame);
    HTML(h, "</tr>\n");
    out_done(&what);
}

void html_suspect(struct html *h, const struct suspect *s)
{
    char text[ADDRESS_TEXT_MAX];

    HTML(h, "<h3 class=who>");
    html_say(h, TEXT_READ_WHY_SUSPECT, WORDS_TEXT("address", slice_of(text, address_format_ip(&s->address, text))));
    HTML(h, "</h3>\n");
    html_verdict_alone(h, &s->verdicts->cause);
}
