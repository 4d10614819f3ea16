/* report/differ_print.c - differences for people and for programs; see differ.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/utf8.h"
#include "report/differ_int.h"
#include "report/moment.h"
#include "report/notes.h"
#include "report/page.h"

struct printing {
    const struct differ *d;
    struct out          *out;
    const struct words  *words;
    struct page          page;
    size_t               width;      /* of the labels */
};

static const enum text_id kind_texts[DIFFER_KINDS] = {
    [DIFFER_RESULT] = TEXT_DIFF_KIND_RESULT, [DIFFER_CAUSE] = TEXT_DIFF_KIND_CAUSE,
    [DIFFER_ENDED_BY] = TEXT_DIFF_KIND_ENDED_BY, [DIFFER_MESSAGE] = TEXT_DIFF_KIND_MESSAGE,
    [DIFFER_REPEATS] = TEXT_DIFF_KIND_REPEATS, [DIFFER_CODECS] = TEXT_DIFF_KIND_CODECS,
    [DIFFER_MEDIA] = TEXT_DIFF_KIND_MEDIA, [DIFFER_DIRECTION] = TEXT_DIFF_KIND_DIRECTION,
    [DIFFER_MEDIA_ADDRESS] = TEXT_DIFF_KIND_MEDIA_ADDRESS,
    [DIFFER_TRANSPORT] = TEXT_DIFF_KIND_TRANSPORT, [DIFFER_OPTIONS] = TEXT_DIFF_KIND_OPTIONS,
    [DIFFER_HEADER] = TEXT_DIFF_KIND_HEADER, [DIFFER_AGENT] = TEXT_DIFF_KIND_AGENT,
    [DIFFER_TIME] = TEXT_DIFF_KIND_TIME, [DIFFER_LINE] = TEXT_DIFF_KIND_LINE,
};

/* Of the whole call, or so telling that it stands at the top. */
static bool is_weighty(const struct difference *x) { return x->kind <= DIFFER_OPTIONS || x->kind == DIFFER_TIME; }

static size_t label_width(const struct words *w)
{
    size_t width = 0;

    for (size_t i = 0; i < DIFFER_KINDS; i++) {
        size_t columns = utf8_columns(words_text(w, kind_texts[i]));

        width = columns > width ? columns : width;
    }
    return width + 2;
}

/* ---- the two values ---- */

static enum text_id ended_by_text(slice name)
{
    static const struct { enum call_side side; enum text_id text; } texts[] = {
        { CALL_CALLER, TEXT_READ_BY_CALLER }, { CALL_CALLEE, TEXT_READ_BY_CALLEE },
        { CALL_SERVER, TEXT_READ_BY_SERVER }, { CALL_NETWORK, TEXT_READ_BY_NETWORK },
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (slice_eq(name, call_side_name(texts[i].side)))
            return texts[i].text;
    return TEXT_DIFF_NOTHING;
}

/* "486 Busy Here", the name in the reader's language. */
static void say_result(const struct printing *p, int side, struct out *o)
{
    struct call_status status = call_status(p->d->sides[side].call);

    notes_code(o, p->words, slice_eq(status.family, SLICE("sip")) ? CODE_SIP : CODE_MONITOR, status.code, status.name);
}

static slice value_text(const struct printing *p, const struct difference *x, int side, char room[MOMENT_TEXT_MAX])
{
    if (x->kind == DIFFER_TIME)
        return moment_duration(x->ns[side], room);
    if (x->kind == DIFFER_ENDED_BY)
        return words_text(p->words, ended_by_text(x->values[side]));
    if (x->kind == DIFFER_CAUSE && !x->values[side].len)
        return words_text(p->words, TEXT_DIFF_NO_CAUSE);
    return x->values[side].len ? x->values[side] : words_text(p->words, TEXT_DIFF_NOTHING);
}

/* "- text" in the tone of its call; one line, cleaned of what a terminal could act on. */
static void put_side(const struct printing *p, size_t indent, int side, slice text)
{
    static const char *const marks[DIFFER_SIDES] = { "1  ", "2  " };

    out_repeat(p->out, SLICE(" "), indent);
    style_begin(p->out, &p->page.style, side ? TONE_GOOD : TONE_BAD);
    out_text(p->out, slice_of_string(marks[side]));
    while (text.len) {
        slice line = text;

        line = slice_take_until(&line, '\r');
        line = slice_take_until(&line, '\n');
        style_clean(p->out, line);
        text = slice_skip(text, line.len);
        if (text.len)
            text = slice_trim(text), out_char(p->out, ' ');
    }
    style_end(p->out, &p->page.style, side ? TONE_GOOD : TONE_BAD);
    out_char(p->out, '\n');
}

/* The first begins where the line stands when `first` is 0. */
static void put_both(const struct printing *p, size_t first, size_t indent, const struct difference *x)
{
    char room[MOMENT_TEXT_MAX];
    struct out result;

    out_init_memory(&result, 4096);
    for (int side = 0; side < DIFFER_SIDES; side++) {
        slice text = value_text(p, x, side, room);

        if (x->kind == DIFFER_RESULT) {
            out_clear(&result);
            say_result(p, side, &result);
            text = out_taken(&result);
        }
        put_side(p, side ? indent : first, side, text);
    }
    out_done(&result);
}

/* ---- headings ---- */

static slice direction_text(const struct printing *p, const struct difference *x)
{
    return words_text(p->words, x->from_callee ? TEXT_DIFF_BY_CALLEE : TEXT_DIFF_BY_CALLER);
}

/* A sentence with what a message said, cleaned of what a terminal could act on. */
static void put_sentence(const struct printing *p, enum text_id id, const struct words_value *values, size_t count)
{
    struct out text;

    out_init_memory(&text, 8192);
    words_format(&text, p->words, id, values, count);
    style_clean(p->out, out_taken(&text));
    out_done(&text);
}

static void put_frames(const struct printing *p, const struct difference *x)
{
    out_text(p->out, SLICE(" ("));
    if (x->frames[0] && x->frames[1])
        words_say(p->out, p->words, TEXT_DIFF_FRAMES, WORDS_NUMBER("first", x->frames[0]),
                  WORDS_NUMBER("second", x->frames[1]));
    else
        words_say(p->out, p->words, TEXT_DIFF_FRAME,
                  WORDS_NUMBER("number", x->frames[0] ? x->frames[0] : x->frames[1]));
    out_char(p->out, ')');
}

static void put_message(const struct printing *p, const struct difference *x)
{
    style_begin(p->out, &p->page.style, TONE_STRONG);
    style_clean(p->out, x->message);
    style_end(p->out, &p->page.style, TONE_STRONG);
    out_char(p->out, ' ');
    out_text(p->out, direction_text(p, x));
    put_frames(p, x);
    out_char(p->out, '\n');
}

static void put_label(const struct printing *p, const struct difference *x)
{
    slice label = words_text(p->words, kind_texts[x->kind]);

    out_text(p->out, SLICE("  "));
    style_begin(p->out, &p->page.style, TONE_STRONG);
    out_text(p->out, label);
    style_end(p->out, &p->page.style, TONE_STRONG);
    out_repeat(p->out, SLICE(" "), p->width - utf8_columns(label));
}

/* ---- what matters ---- */

static void put_weighty(const struct printing *p, const struct difference *x)
{
    put_label(p, x);
    if (x->kind == DIFFER_MESSAGE) {
        int side = x->values[1].ptr != NULL;
        const struct words_value values[] = { WORDS_NUMBER("side", (uint64_t)side + 1),
                                              WORDS_TEXT("message", x->message),
                                              WORDS_TEXT("direction", direction_text(p, x)) };

        style_begin(p->out, &p->page.style, side ? TONE_GOOD : TONE_BAD);
        put_sentence(p, TEXT_DIFF_MESSAGE_ONLY, values, ARRAY_LEN(values));
        style_end(p->out, &p->page.style, side ? TONE_GOOD : TONE_BAD);
        put_frames(p, x);
        out_char(p->out, '\n');
        return;
    }
    if (x->message.len) {
        if (x->name.len) {
            style_clean(p->out, x->name);
            out_text(p->out, SLICE(", "));
        }
        put_message(p, x);
    }
    put_both(p, x->message.len ? p->width + 2 : 0, p->width + 2, x);
}

/* ---- message by message ---- */

static void put_line(const struct printing *p, const struct difference *x)
{
    out_text(p->out, SLICE("    "));
    style_begin(p->out, &p->page.style, TONE_DIM);
    style_clean(p->out, x->name.len ? x->name : x->message);
    style_end(p->out, &p->page.style, TONE_DIM);
    out_char(p->out, '\n');
    put_both(p, 6, 6, x);
}

/* The messages that have lines, in the order of the first call. */
static void put_lines(const struct printing *p)
{
    const struct differ *d = p->d;
    bool headed = false;

    for (size_t i = 0; i < d->sides[0].count; i++) {
        bool named = false;

        for (size_t k = 0; k < d->count; k++) {
            const struct difference *x = &d->all[k];

            if (is_weighty(x) || x->frames[0] != d->sides[0].messages[i].frame ||
                !slice_eq(x->message, d->sides[0].messages[i].label))
                continue;
            if (!headed)
                page_heading(&p->page, words_text(p->words, TEXT_DIFF_HEADING_LINES));
            headed = true;
            if (!named) {
                out_text(p->out, SLICE("  "));
                put_message(p, x);
            }
            named = true;
            put_line(p, x);
        }
    }
}

static void put_title(const struct printing *p, int side, slice name)
{
    const struct call *c = p->d->sides[side].call;
    struct out result;

    out_init_memory(&result, 4096);
    say_result(p, side, &result);
    style_begin(p->out, &p->page.style, side ? TONE_GOOD : TONE_BAD);
    out_text(p->out, side ? SLICE("2  ") : SLICE("1  "));
    style_end(p->out, &p->page.style, side ? TONE_GOOD : TONE_BAD);
    const struct words_value values[] = { WORDS_TEXT("name", name), WORDS_TEXT("from", c->from.uri),
                                          WORDS_TEXT("to", c->to.uri),
                                          WORDS_TEXT("result", out_taken(&result)) };

    put_sentence(p, TEXT_DIFF_TITLE, values, ARRAY_LEN(values));
    out_char(p->out, '\n');
    out_done(&result);
}

/* What was passed over, because there was too much of it. */
static void put_limits(struct printing *p)
{
    uint64_t left_out = differ_left_out(p->d);
    struct out text;

    out_init_memory(&text, 1024);
    if (p->d->beyond) {
        words_say_plural(&text, p->words, TEXT_DIFF_BEYOND, WORDS_NUMBER("count", p->d->beyond));
        page_text(&p->page, 0, TONE_PLAIN, out_taken(&text));
        out_clear(&text);
    }
    if (left_out) {
        words_say_plural(&text, p->words, TEXT_DIFF_LEFT_OUT, WORDS_NUMBER("count", left_out),
                         WORDS_NUMBER("limit", DIFFER_MESSAGES_MAX), WORDS_NUMBER("size", DIFFER_TEXT_MAX >> 20));
        page_text(&p->page, 0, TONE_WARN, out_taken(&text));
    }
    out_done(&text);
}

void differ_print(const struct differ *d, const slice names[DIFFER_SIDES], struct out *o,
                  const struct words *words, const struct style *style)
{
    struct printing p = { .d = d, .out = o, .words = words, .page = { .out = o, .style = *style },
                          .width = label_width(words) };
    bool headed = false;

    put_title(&p, 0, names[0]);
    put_title(&p, 1, names[1]);
    if (d->count == 0) {
        out_char(o, '\n');
        page_text(&p.page, 0, TONE_PLAIN, words_text(words, TEXT_DIFF_SAME));
    }
    for (size_t i = 0; i < d->count; i++) {
        if (!is_weighty(&d->all[i]))
            continue;
        if (!headed)
            page_heading(&p.page, words_text(words, TEXT_DIFF_HEADING_MATTERS));
        headed = true;
        put_weighty(&p, &d->all[i]);
    }
    put_lines(&p);
    put_limits(&p);
}

/* ---- JSON ---- */

static void json_sides(struct json *j, const struct difference *x)
{
    static const char *const names[DIFFER_SIDES] = { "first", "second" };

    for (int i = 0; i < DIFFER_SIDES; i++) {
        json_open_in(j, names[i], '{');
        if (x->frames[i])
            json_u64(j, "frame", x->frames[i]);
        if (x->kind == DIFFER_TIME)
            json_milli(j, "ms", x->ns[i] / 1000);
        else if (x->values[i].ptr)
            json_text(j, "value", x->values[i]);
        else
            json_null(j, "value");
        json_close(j, '}');
    }
}

static void json_call(struct json *j, const char *key, slice name, const struct call *c)
{
    struct call_status status = call_status(c);

    json_open_in(j, key, '{');
    json_text(j, "name", name);
    json_text(j, "call_id", c->call_id);
    json_open_in(j, "state", '{');
    json_text(j, "family", status.family);
    json_u64(j, "code", status.code);
    json_text(j, "name", status.name);
    json_close(j, '}');
    json_u64(j, "final", c->final);
    json_u64(j, "messages", c->messages);
    json_close(j, '}');
}

void differ_json(const struct differ *d, const slice names[DIFFER_SIDES], struct out *o)
{
    struct json j = { .out = o };

    for (size_t i = 0; i < d->count; i++) {
        const struct difference *x = &d->all[i];

        j.comma = false;
        json_open(&j, '{');
        json_text(&j, "type", SLICE("difference"));
        json_text(&j, "kind", differ_kind_name(x->kind));
        if (x->message.len) {
            json_text(&j, "message", x->message);
            json_text(&j, "from", x->from_callee ? SLICE("callee") : SLICE("caller"));
        }
        if (x->name.len)
            json_text(&j, "name", x->name);
        json_sides(&j, x);
        json_close(&j, '}');
        out_char(o, '\n');
    }
    j.comma = false;
    json_open(&j, '{');
    json_text(&j, "type", SLICE("diff"));
    json_call(&j, "first", names[0], d->sides[0].call);
    json_call(&j, "second", names[1], d->sides[1].call);
    json_u64(&j, "differences", d->count + d->beyond);
    json_bool(&j, "same", d->count == 0);
    if (differ_left_out(d))
        json_u64(&j, "messages_left_out", differ_left_out(d));
    json_close(&j, '}');
    out_char(o, '\n');
}
