/* report/flows.c - see flows.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/flows.h"

#include "base/utf8.h"
#include "report/lanes.h"
#include "sip/message.h"

#define NUMBER_WIDTH 5u              /* "  12 " in front of the lanes */
#define STATE_WIDTH  7u              /* "  2002 " behind them */
#define MARKS_WIDTH  26u
#define SPACING_LEAST 14u
#define SPACING_MOST  28u

/* ---- deviations -------------------------------------------------------------------------- */

/* "INVITE", "200 (BYE)": as the labels of steps are. */
static void say_message(struct out *o, const struct call_flow *f)
{
    slice method = sip_method_name((enum sip_method)f->method);

    if (f->status == 0) {
        out_text(o, method);
        return;
    }
    out_u64(o, f->status);
    if (f->method != SIP_INVITE) {
        out_text(o, SLICE(" ("));
        out_text(o, method);
        out_char(o, ')');
    }
}

/* What the flow itself says of this deviation, if anything. */
static slice own_sentence(const struct words *w, const struct flow_step *step,
                          enum call_deviation kind)
{
    if (kind == CALL_FLOW_MISSING)
        return flow_text(w, step->missing);
    return kind == CALL_FLOW_EARLY ? flow_text(w, step->early) : (slice){0};
}

void flows_say_deviation(struct out *o, const struct words *w, const struct call_flow *f)
{
    static const enum text_id sentences[CALL_DEVIATIONS] = {
        [CALL_FLOW_MISSING] = TEXT_FLOW_MISSING, [CALL_FLOW_INSTEAD] = TEXT_FLOW_INSTEAD,
        [CALL_FLOW_EARLY] = TEXT_FLOW_EARLY,     [CALL_FLOW_LATE] = TEXT_FLOW_LATE,
        [CALL_FLOW_EXTRA] = TEXT_FLOW_EXTRA,
        [CALL_FLOW_UNRELIABLE] = TEXT_FLOW_UNRELIABLE,
        [CALL_FLOW_NO_PRACK] = TEXT_FLOW_NO_PRACK,
    };
    const struct flow_step *step = flow_step(f->part, f->step);
    struct out came;

    if (!step || f->deviation == CALL_FLOW_FOLLOWED || f->deviation >= CALL_DEVIATIONS)
        return;
    out_init_memory(&came, 256);
    say_message(&came, f);
    const struct words_value values[] = {
        WORDS_TEXT("expected", slice_of_string(step->label)),
        WORDS_NUMBER("step", f->step),
        WORDS_TEXT("flow", slice_of_string(flow_at(f->part)->name)),
        WORDS_NUMBER("frame", f->frame),
        WORDS_TEXT("came", out_taken(&came)),
        WORDS_NUMBER("rseq", f->rseq),
        WORDS_NUMBER("cseq", f->cseq),
    };
    slice own = own_sentence(w, step, (enum call_deviation)f->deviation);

    if (own.len)
        words_fill(o, own, values, ARRAY_LEN(values));
    else
        words_format(o, w, sentences[f->deviation], values, ARRAY_LEN(values));
    if (came.error && !o->error)
        o->error = came.error;
    out_done(&came);
}

void flows_json_of(struct json *j, const struct words *w, const struct call_flow *f)
{
    struct out said;

    if (f->flow == FLOW_NONE) {
        json_null(j, "flow");
        return;
    }
    json_open_in(j, "flow", '{');
    json_text(j, "name", slice_of_string(flow_at(f->flow)->name));
    if (f->deviation == CALL_FLOW_FOLLOWED) {
        json_null(j, "deviates_at");
        json_close(j, '}');
        return;
    }
    out_init_memory(&said, 4096);
    flows_say_deviation(&said, w, f);
    json_open_in(j, "deviates_at", '{');
    json_u64(j, "step", f->step);
    if (f->part != f->flow)
        json_text(j, "of", slice_of_string(flow_at(f->part)->name));
    json_text(j, "text", out_taken(&said));
    json_u64(j, "frame", f->frame);
    json_close(j, '}');
    json_close(j, '}');
    if (said.error && !j->out->error)
        j->out->error = said.error;
    out_done(&said);
}

/* ---- the ladder -------------------------------------------------------------------------- */

static slice state_number(const struct flow_step *s)
{
    slice state = slice_of_string(s->state);

    return slice_skip(state, (size_t)(slice_find_char(state, ':') + 1));
}

/* Optional in brackets, + for several: "[180/183]+". */
static slice step_label(const struct flow *flow, const struct flow_step *s, struct out *room)
{
    bool optional = s->flags & FLOW_STEP_OPTIONAL || (s->block[0] && !flow->repeats);

    out_clear(room);
    out_text(room, optional ? SLICE("[") : SLICE(""));
    out_text(room, slice_of_string(s->label));
    out_text(room, optional ? SLICE("]") : SLICE(""));
    out_text(room, s->flags & FLOW_STEP_REPEATS ? SLICE("+") : SLICE(""));
    return out_taken(room);
}

static void mark(struct out *o, slice text)
{
    out_text(o, o->used ? SLICE(", ") : SLICE(""));
    out_text(o, text);
}

/* "SDP [sendonly], from either side": what a column can hold; the rest is in the notes. */
static slice step_marks(const struct words *w, const struct flow_step *s, struct out *room)
{
    static const struct { const char *qos; enum text_id id; } channels[] = {
        { "none", TEXT_FLOW_QOS_NONE }, { "wanted", TEXT_FLOW_QOS_WANTED },
        { "local", TEXT_FLOW_QOS_LOCAL }, { "both", TEXT_FLOW_QOS_BOTH },
    };

    out_clear(room);
    if (s->flags & FLOW_STEP_SDP)
        mark(room, words_text(w, TEXT_FLOW_WITH_SDP));
    if (s->flags & FLOW_STEP_HOLD)
        out_text(room, SLICE(" [sendonly]"));
    if (s->flags & FLOW_STEP_RESUME)
        out_text(room, SLICE(" [sendrecv]"));
    if (s->flags & FLOW_STEP_RELIABLE)
        mark(room, words_text(w, TEXT_FLOW_RELIABLE));
    if (s->flags & FLOW_STEP_OTHER)
        mark(room, words_text(w, TEXT_FLOW_OTHER));
    if (s->flags & FLOW_STEP_INSTEAD)
        mark(room, words_text(w, TEXT_FLOW_ALTERNATIVE));
    for (size_t i = 0; i < ARRAY_LEN(channels); i++)
        if (strcmp(s->qos, channels[i].qos) == 0)
            mark(room, words_text(w, channels[i].id));
    return out_taken(room);
}

struct columns {
    size_t parties, spacing;
    bool   marks;                    /* is there room for them? */
};

static struct columns columns_of(const struct page *p, const struct flow *flow)
{
    struct columns c = { .parties = strlen(flow->parties), .marks = true };
    size_t gaps = c.parties > 1 ? c.parties - 1 : 1, width = page_width(p);
    size_t taken = NUMBER_WIDTH + 1 + STATE_WIDTH;

    c.marks = width >= taken + MARKS_WIDTH + gaps * SPACING_LEAST;
    taken += c.marks ? MARKS_WIDTH : 0;
    c.spacing = width > taken ? (width - taken) / gaps : SPACING_LEAST;
    if (c.spacing < SPACING_LEAST)
        c.spacing = SPACING_LEAST;
    if (c.spacing > SPACING_MOST)
        c.spacing = SPACING_MOST;
    return c;
}

static size_t lane_of(const struct flow *flow, char party)
{
    const char *at = strchr(flow->parties, party);

    return at ? (size_t)(at - flow->parties) : 0;
}

static slice party_name(const struct words *w, char party)
{
    static const struct { char party; enum text_id id; } names[] = {
        { 'A', TEXT_FLOW_PARTY_A }, { 'S', TEXT_FLOW_PARTY_S }, { 'B', TEXT_FLOW_PARTY_B },
        { 'C', TEXT_FLOW_PARTY_C },
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].party == party)
            return words_text(w, names[i].id);
    return SLICE("?");
}

static void draw_parties(const struct page *p, const struct words *w, const struct flow *flow,
                         const struct columns *c)
{
    out_repeat(p->out, SLICE(" "), NUMBER_WIDTH);
    style_begin(p->out, &p->style, TONE_STRONG);
    for (size_t i = 0; i < c->parties; i++) {
        slice name = party_name(w, flow->parties[i]);

        if (utf8_columns(name) >= c->spacing)
            name = slice_of(flow->parties + i, 1);
        out_text(p->out, name);
        if (i + 1 < c->parties)
            out_repeat(p->out, SLICE(" "), c->spacing - utf8_columns(name));
    }
    style_end(p->out, &p->style, TONE_STRONG);
    out_char(p->out, '\n');
}

static enum style_tone step_tone(const struct flow_step *s)
{
    static const enum style_tone tones[] = { TONE_WARN, TONE_GOOD, TONE_BAD,
                                             TONE_BAD,  TONE_BAD,  TONE_BAD };
    unsigned class = (unsigned)(s->label[0] - '0');

    return class >= 1 && class <= ARRAY_LEN(tones) ? tones[class - 1] : TONE_PLAIN;
}

static void draw_step(const struct page *p, const struct words *w, const struct flow *flow,
                      const struct columns *c, unsigned number)
{
    const struct flow_step *s = &flow->steps[number - 1];
    size_t a = lane_of(flow, s->from), b = lane_of(flow, s->to);
    size_t low = a < b ? a : b, high = a < b ? b : a;
    struct out text;

    out_init_memory(&text, 1024);
    out_text(p->out, number < 10 ? SLICE("  ") : SLICE(" "));
    out_u64(p->out, number);
    out_repeat(p->out, SLICE(" "), NUMBER_WIDTH - 3);
    lanes_bars(p->out, &p->style, low, c->spacing);
    lanes_arrow(p->out, &p->style, step_tone(s), step_label(flow, s, &text),
                (high - low) * c->spacing, a < b);
    lanes_bars(p->out, &p->style, c->parties - 1 - high, c->spacing);
    lanes_bar(p->out, &p->style);

    slice state = state_number(s), marks = step_marks(w, s, &text);

    if (!c->marks)
        marks = (slice){0};
    if (state.len || marks.len) {
        out_text(p->out, SLICE("  "));
        out_text(p->out, state);
    }
    if (marks.len) {
        out_repeat(p->out, SLICE(" "),
                   state.len < STATE_WIDTH - 1 ? STATE_WIDTH - 1 - state.len : 1);
        out_text(p->out, marks);
    }
    out_char(p->out, '\n');
    out_done(&text);
}

/* ---- notes ------------------------------------------------------------------------------- */

static void add_headers(struct out *o, const struct words *w, enum text_id id,
                        const char *const *names)
{
    struct out list;

    if (!*names)
        return;
    out_init_memory(&list, 1024);
    for (; *names; names++)
        mark(&list, slice_of_string(*names));
    out_text(o, o->used ? SLICE(" ") : SLICE(""));
    words_say(o, w, id, WORDS_TEXT("headers", out_taken(&list)));
    out_done(&list);
}

static void page_note(const struct page *p, const struct words *w, const struct flow_step *s,
                      unsigned number)
{
    struct out label, text;

    out_init_memory(&label, 128);
    out_init_memory(&text, 4096);
    out_text(&text, flow_text(w, s->note));
    add_headers(&text, w, TEXT_FLOW_MUST, s->must);
    add_headers(&text, w, TEXT_FLOW_SHOULD, s->should);
    out_text(&label, number < 10 ? SLICE(" ") : SLICE(""));
    out_u64(&label, number);
    out_text(&label, SLICE("  "));
    out_text(&label, slice_of_string(s->label));
    if (text.used)
        page_labelled(p, 2, 26, (struct page_cell){ out_taken(&label), TONE_STRONG },
                      (struct page_cell){ out_taken(&text), TONE_PLAIN });
    if (text.error && !p->out->error)
        p->out->error = text.error;
    out_done(&text);
    out_done(&label);
}

static void page_neighbour(const struct page *p, const struct words *w, enum text_id id,
                           unsigned flow)
{
    struct out text;

    if (flow == FLOW_NONE)
        return;
    out_init_memory(&text, 1024);
    words_say(&text, w, id, WORDS_TEXT("flow", slice_of_string(flow_at(flow)->name)));
    page_text(p, 2, TONE_DIM, out_taken(&text));
    out_done(&text);
}

static void page_references(const struct page *p, const struct words *w, const struct flow *flow)
{
    struct out text;

    out_init_memory(&text, 1024);
    for (const char *const *rfc = flow->rfc; *rfc; rfc++)
        mark(&text, slice_of_string(*rfc));
    page_heading(p, words_text(w, TEXT_FLOW_HEADING_REFERENCES));
    page_text(p, 2, TONE_PLAIN, out_taken(&text));
    out_done(&text);
}

void flows_page(const struct page *p, const struct words *w, const struct flow *flow)
{
    struct columns c = columns_of(p, flow);
    struct out title;

    out_init_memory(&title, 1024);
    words_say(&title, w, TEXT_FLOW_TITLE, WORDS_TEXT("name", slice_of_string(flow->name)),
              WORDS_TEXT("title", flow_text(w, flow->title)));
    page_text(p, 0, TONE_STRONG, out_taken(&title));
    out_done(&title);
    page_text(p, 2, TONE_PLAIN, flow_text(w, flow->purpose));
    page_blank(p);
    page_neighbour(p, w, TEXT_FLOW_BEFORE, flow->after);
    draw_parties(p, w, flow, &c);
    for (unsigned i = 1; i <= flow->step_count; i++)
        draw_step(p, w, flow, &c, i);
    page_neighbour(p, w, TEXT_FLOW_BEHIND, flow->then);
    if (flow->repeats)
        page_text(p, 2, TONE_DIM, words_text(w, TEXT_FLOW_REPEATS));
    page_text(p, 2, TONE_DIM, words_text(w, TEXT_FLOW_LEGEND));
    page_heading(p, words_text(w, TEXT_FLOW_HEADING_NOTES));
    for (unsigned i = 0; i < flow->step_count; i++)
        page_note(p, w, &flow->steps[i], i + 1);
    page_references(p, w, flow);
}

void flows_list(const struct page *p, const struct words *w)
{
    page_text(p, 0, TONE_STRONG, words_text(w, TEXT_FLOW_LIST_HEADING));
    for (unsigned i = FLOW_NONE + 1; i < FLOWS; i++)
        page_labelled(p, 2, 20,
                      (struct page_cell){ slice_of_string(flow_at(i)->name), TONE_STRONG },
                      (struct page_cell){ flow_text(w, flow_at(i)->purpose), TONE_PLAIN });
    page_blank(p);
    page_text(p, 0, TONE_DIM, words_text(w, TEXT_FLOW_LIST_HINT));
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void json_strings(struct json *j, const char *key, const char *const *values)
{
    if (!*values)
        return;
    json_open_in(j, key, '[');
    for (; *values; values++)
        json_text(j, NULL, slice_of_string(*values));
    json_close(j, ']');
}

static void json_word(struct json *j, const char *key, slice value)
{
    if (value.len)
        json_text(j, key, value);
}

static void json_step(struct json *j, const struct words *w, const struct flow_step *s,
                      unsigned number)
{
    static const struct { uint16_t flag; const char *key; } flags[] = {
        { FLOW_STEP_SDP, "sdp" },             { FLOW_STEP_OPTIONAL, "optional" },
        { FLOW_STEP_REPEATS, "repeats" },     { FLOW_STEP_RE, "in_dialog" },
        { FLOW_STEP_EITHER, "either_side" },  { FLOW_STEP_COPY, "relayed" },
        { FLOW_STEP_OTHER, "other_call" },    { FLOW_STEP_INSTEAD, "alternative" },
        { FLOW_STEP_HOLD, "hold" },           { FLOW_STEP_RESUME, "resume" },
        { FLOW_STEP_CREDENTIALS, "credentials" }, { FLOW_STEP_RELIABLE, "reliable" },
    };
    slice state = slice_of_string(s->state), family = slice_take_until(&state, ':');
    uint32_t code;

    json_open(j, '{');
    json_u64(j, "step", number);
    json_text(j, "from", slice_of(&s->from, 1));
    json_text(j, "to", slice_of(&s->to, 1));
    json_text(j, "message", slice_of_string(s->label));
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (s->flags & flags[i].flag)
            json_bool(j, flags[i].key, true);
    json_word(j, "block", slice_of_string(s->block));
    json_word(j, "qos", slice_of_string(s->qos));
    if (family.len) {
        json_open_in(j, "state", '{');
        json_text(j, "family", family);
        if (slice_to_u32(state_number(s), &code))
            json_u64(j, "code", code);
        else
            json_text(j, "code", state_number(s));
        json_close(j, '}');
    }
    json_strings(j, "must_headers", s->must);
    json_strings(j, "should_headers", s->should);
    json_word(j, "note", flow_text(w, s->note));
    json_close(j, '}');
}

void flows_json(struct out *o, const struct words *w, const struct flow *flow)
{
    struct json j = { .out = o };

    json_open(&j, '{');
    json_text(&j, "type", SLICE("flow"));
    json_text(&j, "name", slice_of_string(flow->name));
    json_text(&j, "kind", flow->kind == FLOW_KIND_CALL ? SLICE("call") : SLICE("registration"));
    json_text(&j, "title", flow_text(w, flow->title));
    json_text(&j, "lang", w->tag);
    json_text(&j, "purpose", flow_text(w, flow->purpose));
    json_strings(&j, "rfc", flow->rfc);
    json_word(&j, "after", slice_of_string(flow_at(flow->after)->name));
    json_word(&j, "then", slice_of_string(flow_at(flow->then)->name));
    if (flow->repeats)
        json_bool(&j, "repeats", true);
    json_open_in(&j, "parties", '[');
    for (const char *party = flow->parties; *party; party++)
        json_text(&j, NULL, slice_of(party, 1));
    json_close(&j, ']');
    json_open_in(&j, "steps", '[');
    for (unsigned i = 0; i < flow->step_count; i++)
        json_step(&j, w, &flow->steps[i], i + 1);
    json_close(&j, ']');
    json_close(&j, '}');
    out_char(o, '\n');
}

void flows_json_all(struct out *o, const struct words *w)
{
    for (unsigned i = FLOW_NONE + 1; i < FLOWS; i++)
        flows_json(o, w, flow_at(i));
}

void flows_say(struct out *o, const struct words *w, const struct call_flow *f)
{
    const struct flow *flow = f->flow ? flow_at(f->flow) : NULL;

    if (!flow)
        return;
    words_say(o, w, f->deviation ? TEXT_HTML_FLOW_LEFT
                  : flow->kind == FLOW_KIND_CALL ? TEXT_HTML_FLOW_FOLLOWED : TEXT_HTML_FLOW_FOLLOWED_REGISTRATION,
              WORDS_TEXT("flow", slice_of_string(flow->name)), WORDS_TEXT("title", flow_text(w, flow->title)));
    if (!f->deviation)
        return;
    out_char(o, ' ');
    flows_say_deviation(o, w, f);
}
