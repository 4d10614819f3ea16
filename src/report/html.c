/* report/html.c - see html.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/html.h"

#include "base/utf8.h"

/* Stand for <bdi> and </bdi> in a sentence until it is written; text from outside is cleaned of
 * control characters before it meets them. */
#define APART_BEGIN '\1'
#define APART_END   '\2'

/* ---- escaping ---------------------------------------------------------------------------- */

static slice reference_of(char c)
{
    switch (c) {
    case '&':  return SLICE("&amp;");
    case '<':  return SLICE("&lt;");
    case '>':  return SLICE("&gt;");
    case '"':  return SLICE("&quot;");
    case '\'': return SLICE("&#39;");
    default:   return (slice){0};
    }
}

/* Clean text: only what HTML would take for its own is left to be replaced. */
static void escape(struct out *o, slice text)
{
    size_t from = 0;

    for (size_t i = 0; i < text.len; i++) {
        slice reference = reference_of(text.ptr[i]);

        if (!reference.len)
            continue;
        out_text(o, slice_of(text.ptr + from, i - from));
        out_text(o, reference);
        from = i + 1;
    }
    out_text(o, slice_skip(text, from));
}

void html_text(struct out *o, slice text)
{
    char piece[512];

    while (text.len) {
        size_t n = utf8_clean(&text, piece, sizeof piece);

        escape(o, slice_of(piece, n));
    }
}

void html_lines(struct out *o, slice text, size_t limit)
{
    bool first = true;

    text = slice_head(text, limit);
    while (text.len) {
        size_t end = 0;

        while (end < text.len && text.ptr[end] != '\n' && text.ptr[end] != '\r')
            end++;
        if (!first)
            out_char(o, '\n');
        first = false;
        html_text(o, slice_head(text, end));
        text = slice_skip(text, end);
        if (text.len > 1 && text.ptr[0] == '\r' && text.ptr[1] == '\n')
            text = slice_skip(text, 1);
        text = slice_skip(text, 1);
    }
}

void html_cut(struct out *o, slice text, size_t columns)
{
    char clean[1024];
    slice rest = slice_head(text, sizeof clean / 4);
    bool cut = rest.len < text.len;
    slice shown = slice_of(clean, utf8_clean(&rest, clean, sizeof clean));

    if (utf8_columns(shown) > columns) {
        shown = utf8_head(shown, columns ? columns - 1 : 0);
        cut = true;
    }
    escape(o, shown);
    out_text(o, cut ? SLICE("…") : SLICE(""));
}

bool html_is_rtl(slice tag)
{
    static const slice tags[] = {
        SLICE_INIT("ar"), SLICE_INIT("arc"), SLICE_INIT("ckb"), SLICE_INIT("dv"), SLICE_INIT("fa"),
        SLICE_INIT("he"), SLICE_INIT("nqo"), SLICE_INIT("ps"), SLICE_INIT("sd"), SLICE_INIT("syr"),
        SLICE_INIT("ug"), SLICE_INIT("ur"), SLICE_INIT("yi"),
    };
    slice language = slice_take_until(&tag, '-');

    for (size_t i = 0; i < ARRAY_LEN(tags); i++)
        if (slice_eq_nocase(language, tags[i]))
            return true;
    return false;
}

/* ---- writing ------------------------------------------------------------------------------- */

void html_init(struct html *h, struct out *out, const struct words *w)
{
    *h = (struct html){ .out = out, .words = w, .rtl = html_is_rtl(w->tag) };
    out_init_memory(&h->values, HTML_VALUES_MAX * (HTML_VALUE_MAX * 3 + 8));
    out_init_memory(&h->said, 1 << 20);
}

void html_done(struct html *h)
{
    out_done(&h->values);
    out_done(&h->said);
}

void html_raw(struct html *h, slice markup) { out_text(h->out, markup); }
void html_number(struct html *h, uint64_t number) { out_u64(h->out, number); }
static bool is_latin(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* Bytes from a digit on that are ASCII and hold a Latin letter, without the punctuation behind
 * them; 0: none such. */
static size_t english_run(slice text)
{
    size_t end = 0, last = 0;
    bool letter = false;

    if (!text.len || !is_digit(text.ptr[0]))
        return 0;
    for (; end < text.len && text.ptr[end] >= ' ' && text.ptr[end] < 0x7f; end++) {
        letter |= is_latin(text.ptr[end]);
        if (is_latin(text.ptr[end]) || is_digit(text.ptr[end]) || (text.ptr[end] == ')' && letter))
            last = end + 1;
    }
    return letter ? last : 0;
}

/* Clean text of ours; `elements`: what reads the other way may be set apart. */
static void own_write(struct html *h, slice text, bool elements)
{
    size_t from = 0, run;

    for (size_t i = 0; elements && h->rtl && i < text.len; i++) {
        bool begins = i == 0 || text.ptr[i - 1] == ' ' || text.ptr[i - 1] == '(';

        if (!begins || !(run = english_run(slice_skip(text, i))))
            continue;
        escape(h->out, slice_of(text.ptr + from, i - from));
        HTML(h, "<bdi dir=ltr>");
        escape(h->out, slice_of(text.ptr + i, run));
        HTML(h, "</bdi>");
        from = i + run;
        i = from - 1;
    }
    escape(h->out, slice_skip(text, from));
}

void html_own(struct html *h, slice text)
{
    char piece[512];

    out_clear(&h->said);
    while (text.len) {
        size_t n = utf8_clean(&text, piece, sizeof piece);

        out_text(&h->said, slice_of(piece, n));
    }
    own_write(h, out_taken(&h->said), true);
}

void html_words(struct html *h, enum text_id id) { html_own(h, words_text(h->words, id)); }

void html_name(struct html *h, slice text, size_t columns)
{
    HTML(h, "<bdi>");
    if (columns)
        html_cut(h->out, text, columns);
    else
        html_text(h->out, text);
    HTML(h, "</bdi>");
}

void html_token(struct html *h, slice text)
{
    HTML(h, "<bdi dir=ltr>");
    html_text(h->out, text);
    HTML(h, "</bdi>");
}

void html_address(struct html *h, const struct address *a)
{
    char text[ADDRESS_TEXT_MAX];

    html_token(h, slice_of(text, a->port ? address_format(a, text) : address_format_ip(a, text)));
}

/* ---- sentences ------------------------------------------------------------------------------- */

static bool is_ascii(slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    return true;
}

/* Copies of the texts, clean, bounded and between marks; numbers stay as they are. An empty text
 * stays empty, because a sentence with it has a plain form. */
static size_t values_prepare(struct html *h, const struct words_value *values, size_t count,
                             struct words_value ready[HTML_VALUES_MAX])
{
    size_t at[HTML_VALUES_MAX];
    char piece[512];

    out_clear(&h->values);
    count = count < HTML_VALUES_MAX ? count : HTML_VALUES_MAX;
    for (size_t i = 0; i < count; i++) {
        slice text = slice_head(values[i].text, HTML_VALUE_MAX);
        bool apart = text.len && (h->rtl || !is_ascii(text));

        at[i] = h->values.used;
        out_text(&h->values, apart ? slice_of((char[]){ APART_BEGIN }, 1) : SLICE(""));
        while (text.len) {
            size_t n = utf8_clean(&text, piece, sizeof piece);

            out_text(&h->values, slice_of(piece, n));
        }
        out_text(&h->values, apart ? slice_of((char[]){ APART_END }, 1) : SLICE(""));
    }
    for (size_t i = 0; i < count; i++) {
        size_t end = i + 1 < count ? at[i + 1] : h->values.used;

        ready[i] = values[i];
        if (values[i].text.ptr)                           /* else it is a number */
            ready[i].text = h->values.buffer ? slice_of(h->values.buffer + at[i], end - at[i])
                                             : SLICE("");
    }
    return count;
}

/* A finished sentence; the marks around its values become elements, or nothing. */
static void sentence_write(struct html *h, bool elements)
{
    slice rest = out_taken(&h->said);
    bool apart = false;

    while (rest.len) {
        size_t n = 0;

        while (n < rest.len && rest.ptr[n] != APART_BEGIN && rest.ptr[n] != APART_END)
            n++;
        own_write(h, slice_head(rest, n), elements && !apart);
        rest = slice_skip(rest, n);
        if (!rest.len)
            break;
        if (elements && apart != (rest.ptr[0] == APART_BEGIN)) {
            apart = !apart;
            out_text(h->out, apart ? SLICE("<bdi>") : SLICE("</bdi>"));
        }
        rest = slice_skip(rest, 1);
    }
    out_text(h->out, apart ? SLICE("</bdi>") : SLICE(""));
}

static void format(struct html *h, enum text_id id, const struct words_value *values, size_t count,
                   bool elements)
{
    struct words_value ready[HTML_VALUES_MAX];

    count = values_prepare(h, values, count, ready);
    out_clear(&h->said);
    words_format_plural(&h->said, h->words, id, ready, count);
    sentence_write(h, elements);
}

void html_format(struct html *h, enum text_id id, const struct words_value *values, size_t count)
{
    format(h, id, values, count, true);
}

void html_format_plain(struct html *h, enum text_id id, const struct words_value *values, size_t count)
{
    format(h, id, values, count, false);
}

void html_verdict(struct html *h, const struct verdict *v)
{
    struct words_value values[HTML_VALUES_MAX], ready[HTML_VALUES_MAX];
    size_t count = 0;

    for (; count < v->param_count && count < HTML_VALUES_MAX; count++)
        values[count] = WORDS_TEXT(v->params[count].name, v->params[count].value);
    count = values_prepare(h, values, count, ready);
    out_clear(&h->said);
    cause_say(&h->said, h->words, (enum cause_id)v->cause, CAUSE_PART_TEXT, ready, count);
    sentence_write(h, true);
}
