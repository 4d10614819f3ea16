/* codes/query.c - see query.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/query.h"

#include "base/utf8.h"

#define TEXT_MAX 160                 /* longer than any phrase of the catalogue */

struct text {
    char   bytes[TEXT_MAX];
    size_t len;
};

static slice text_slice(const struct text *t) { return slice_of(t->bytes, t->len); }

static void add_point(struct text *t, uint32_t point)
{
    if (t->len + UTF8_MAX <= TEXT_MAX)
        t->len += utf8_put(t->bytes + t->len, point);
}

static bool is_word(uint32_t c)
{
    return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Full-width forms (U+FF01 to U+FF5E) and the ideographic blank, as an input method for
 * Chinese or Japanese leaves them. */
static uint32_t half_width(uint32_t c)
{
    return c >= 0xFF01 && c <= 0xFF5E ? c - 0xFEE0 : c == 0x3000 || c == 0xA0 ? ' ' : c;
}

static void normalise(slice in, struct text *t)
{
    uint32_t point;

    t->len = 0;
    while (utf8_take(&in, &point))
        add_point(t, half_width(point));
}

/* Only what the words are made of, so that "Server Time-out", "server timeout" and
 * "server-time-out" are one. Punctuation of other scripts stays: it is never typed. */
static void fold(slice in, struct text *t)
{
    uint32_t point;

    t->len = 0;
    while (utf8_take(&in, &point)) {
        point = half_width(point);
        if (is_word(point))
            add_point(t, point < 0x80 ? (uint32_t)(uint8_t)ascii_lower((char)point) : point);
    }
}

/* ---- families ---- */

static const struct { slice word; enum code_family family; } family_words[] = {
    { SLICE("sip"), CODE_SIP },        { SLICE("monitor"), CODE_MONITOR },
    { SLICE("local"), CODE_LOCAL },    { SLICE("q850"), CODE_Q850 },
    { SLICE("q.850"), CODE_Q850 },     { SLICE("cause"), CODE_Q850 },
    { SLICE("class"), CODE_CLASS },
};

bool code_query_is_family(slice text)
{
    struct text t;

    normalise(slice_trim(text), &t);
    for (size_t i = 0; i < ARRAY_LEN(family_words); i++)
        if (slice_eq_nocase(text_slice(&t), family_words[i].word))
            return true;
    return false;
}

static bool is_joint(char c) { return c == ':' || c == '-' || c == '=' || is_blank(c); }

/* "sip:486", "SIP 486", "SIP486"; the last only before a digit, for "local..." may be a phrase. */
static bool take_family(slice *rest, enum code_family *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(family_words); i++) {
        slice after = slice_skip(*rest, family_words[i].word.len);
        bool joined = after.len && is_digit(after.ptr[0]);

        if (!slice_starts_nocase(*rest, family_words[i].word))
            continue;
        if (!slice_take_while(&after, is_joint).len && !joined)
            continue;
        *rest = after;
        *ret = family_words[i].family;
        return true;
    }
    return false;
}

/* ---- numbers ---- */

static void add_other(struct code_query *q, const struct code *code)
{
    if (!code || code == q->code)
        return;
    q->total++;
    if (q->other_count < QUERY_OTHERS_MAX)
        q->others[q->other_count++] = code;
}

static bool found(struct code_query *q, const struct code *code)
{
    if (!code)
        return false;
    q->result = QUERY_CODE;
    q->code = code;
    return true;
}

static bool found_unregistered(struct code_query *q, unsigned number)
{
    if (!found(q, code_class(number / 100)))
        return false;
    q->result = QUERY_UNREGISTERED;
    return true;
}

static bool number_in(struct code_query *q, enum code_family family, unsigned number)
{
    if (family == CODE_SIP && number >= 100 && number <= 699)
        return found(q, code_find(family, number)) || found_unregistered(q, number);
    if (family == CODE_LOCAL && number >= 900 && number <= 998)
        return found(q, code_find(family, number)) || found_unregistered(q, number);
    if (number == 0 && (family == CODE_SIP || family == CODE_LOCAL))
        return found(q, code_find_id(CODE_LOCAL, SLICE("SIP0")));
    return found(q, code_find(family, number));
}

/* The local results that are named like a number: SIP100, SIP200. */
static const struct code *local_named(slice id)
{
    struct text name = { .bytes = "SIP", .len = 3 };

    for (size_t i = 0; i < id.len && name.len < TEXT_MAX; i++)
        name.bytes[name.len++] = id.ptr[i];
    return code_find_id(CODE_LOCAL, text_slice(&name));
}

static void same_number_elsewhere(struct code_query *q, slice digits)
{
    for (int family = 0; family < CODE_CLASS; family++)
        add_other(q, code_find((enum code_family)family, q->number));
    add_other(q, local_named(digits));
}

static bool ask_number(struct code_query *q, slice text, const enum code_family *only)
{
    static const enum code_family order[] = { CODE_SIP, CODE_LOCAL, CODE_MONITOR, CODE_Q850 };
    uint32_t number;

    if (text.len > 5 || !slice_to_u32(text, &number))
        return false;
    q->number = number;
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        if ((!only || *only == order[i]) && number_in(q, order[i], number)) {
            same_number_elsewhere(q, text);
            return true;
        }
    }
    return false;
}

/* ---- names ---- */

static bool ask_class(struct code_query *q, slice text, const enum code_family *only)
{
    if (only && *only == CODE_SIP && found(q, local_named(text)))
        return true;                     /* SIP9XX; a bare 9xx is the class */
    return text.len == 3 && is_digit(text.ptr[0]) &&
           slice_eq_nocase(slice_skip(text, 1), SLICE("xx")) &&
           found(q, code_class((unsigned)(text.ptr[0] - '0')));
}

static bool ask_id(struct code_query *q, slice text, const enum code_family *only)
{
    if (only && *only != CODE_LOCAL && *only != CODE_SIP)
        return false;
    return found(q, code_find_id(CODE_LOCAL, text)) || found(q, local_named(text));
}

/* ---- phrases ---- */

enum match { MATCH_NONE, MATCH_HEADLINE, MATCH_INSIDE, MATCH_BEGINNING, MATCH_WHOLE };

static enum match compare(slice wanted, slice name)
{
    struct text folded;

    fold(name, &folded);

    ptrdiff_t at = slice_find(text_slice(&folded), wanted);

    return at < 0 ? MATCH_NONE : at > 0 ? MATCH_INSIDE : folded.len == wanted.len ? MATCH_WHOLE
                                                                                  : MATCH_BEGINNING;
}

/* Enough to look for inside a sentence: four letters, or one ideograph. */
static bool is_telling(slice wanted)
{
    return wanted.len >= 4 || (wanted.len == 3 && (uint8_t)wanted.ptr[0] >= 0xE0);
}

static enum match match_of(const struct code *code, slice wanted, const struct words *w)
{
    enum match best = compare(wanted, slice_of_string(code->phrase));
    enum match other = compare(wanted, code_name(w, code));

    if (other > best)
        best = other;
    if (code->title.at && (other = compare(wanted, code_text(w, code->title))) > best)
        best = other;
    if (best == MATCH_NONE && is_telling(wanted) && compare(wanted, code_text(w, code->headline)))
        best = MATCH_HEADLINE;
    return best;
}

/* The best few of a pass over the catalogue; the lower the rank, the better. */
struct ranking {
    const struct code *codes[QUERY_OTHERS_MAX + 1];
    unsigned           ranks[QUERY_OTHERS_MAX + 1];
    size_t             count;
};

static void rank_in(struct ranking *r, const struct code *code, unsigned rank)
{
    size_t at = r->count < ARRAY_LEN(r->codes) ? r->count++ : r->count;

    for (; at > 0 && r->ranks[at - 1] > rank; at--) {
        if (at < ARRAY_LEN(r->codes)) {
            r->codes[at] = r->codes[at - 1];
            r->ranks[at] = r->ranks[at - 1];
        }
    }
    if (at < ARRAY_LEN(r->codes)) {
        r->codes[at] = code;
        r->ranks[at] = rank;
    }
}

static bool ask_phrase(struct code_query *q, slice text, const struct words *w,
                       const enum code_family *only)
{
    struct ranking ranking = {0};
    size_t counts[MATCH_WHOLE + 1] = {0}, total;
    enum match best = MATCH_WHOLE;
    struct text wanted;

    fold(text, &wanted);
    if (wanted.len < 2)
        return false;
    for (size_t i = 0; i < code_count(); i++) {
        const struct code *code = code_at(i);
        enum match match = only && *only != code->family ? MATCH_NONE
                                                         : match_of(code, text_slice(&wanted), w);

        counts[match]++;
        if (match != MATCH_NONE)
            rank_in(&ranking, code, MATCH_WHOLE - match);
    }
    while (best > MATCH_NONE && !counts[best])
        best--;
    if (best == MATCH_NONE)
        return false;

    /* Several of exactly this name: the rest is no help. A headline counts when nothing else. */
    total = best == MATCH_HEADLINE ? counts[MATCH_HEADLINE]
            : best == MATCH_WHOLE && counts[best] > 1
                ? counts[MATCH_WHOLE]
                : counts[MATCH_WHOLE] + counts[MATCH_BEGINNING] + counts[MATCH_INSIDE];
    q->by_phrase = true;
    q->result = counts[best] == 1 ? QUERY_CODE : QUERY_SEVERAL;
    q->code = counts[best] == 1 ? ranking.codes[0] : NULL;
    for (size_t i = 0; i < ranking.count && i < total; i++)
        add_other(q, ranking.codes[i]);
    q->total = total - (q->code != NULL);
    return true;
}

/* ---- nothing found: the nearest ---- */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned smaller = a < b ? a : b;

    return smaller < c ? smaller : c;
}

/* Letters to put in, take out or change to make one of the other (Levenshtein). */
static unsigned distance(slice a, slice b)
{
    unsigned row[TEXT_MAX + 1];

    for (size_t i = 0; i <= b.len; i++)
        row[i] = (unsigned)i;
    for (size_t i = 0; i < a.len; i++) {
        unsigned diagonal = row[0]++;

        for (size_t k = 0; k < b.len; k++) {
            unsigned change = diagonal + (a.ptr[i] != b.ptr[k]);

            diagonal = row[k + 1];
            row[k + 1] = least(row[k] + 1, row[k + 1] + 1, change);
        }
    }
    return row[b.len];
}

static unsigned distance_to(const struct code *code, slice wanted, const struct words *w)
{
    struct text id, phrase, name;

    fold(slice_of_string(code->id), &id);
    fold(slice_of_string(code->phrase), &phrase);
    fold(code_name(w, code), &name);
    return least(distance(wanted, text_slice(&id)), distance(wanted, text_slice(&phrase)),
                 distance(wanted, text_slice(&name)));
}

static void ask_nearest(struct code_query *q, slice text, const struct words *w)
{
    struct text wanted;

    fold(text, &wanted);

    unsigned limit = wanted.len < 3 ? 1 : wanted.len < 6 ? 2 : (unsigned)wanted.len / 3;
    struct ranking ranking = {0};

    for (size_t i = 0; i < code_count(); i++) {
        unsigned far = distance_to(code_at(i), text_slice(&wanted), w);

        if (far <= limit)
            rank_in(&ranking, code_at(i), far);
    }
    for (size_t i = 0; i < QUERY_NEAREST_MAX && i < ranking.count; i++)
        if (ranking.ranks[i] == ranking.ranks[0])
            add_other(q, ranking.codes[i]);       /* what is farther away only distracts */
}

void code_query(slice text, const struct words *w, struct code_query *ret)
{
    struct text t;
    enum code_family family, *only = NULL;

    *ret = (struct code_query){ .result = QUERY_NOTHING };
    if (text.len > TEXT_MAX / 2)
        text.len = 0;                    /* no code is so long */
    normalise(text, &t);

    slice rest = slice_trim(text_slice(&t));

    if (take_family(&rest, &family))
        only = &family;
    rest = slice_trim(rest);
    if (ask_number(ret, rest, only) || ask_class(ret, rest, only) || ask_id(ret, rest, only) ||
        ask_phrase(ret, rest, w, only))
        return;
    *ret = (struct code_query){ .result = QUERY_NOTHING };
    ask_nearest(ret, rest, w);
}

/* ---- causes of calls ---- */

/* A third of the letters may be wrong. */
static enum cause_id nearest_cause(slice wanted)
{
    unsigned best = (unsigned)wanted.len / 3 + 1;
    enum cause_id nearest = CAUSE_NONE;

    for (unsigned i = CAUSE_NONE + 1; i < CAUSES; i++) {
        struct text slug;

        fold(slice_of_string(cause_slug((enum cause_id)i)), &slug);

        unsigned far = distance(wanted, text_slice(&slug));

        if (far < best) {
            best = far;
            nearest = (enum cause_id)i;
        }
    }
    return nearest;
}

/* Where words are looked for: the id and the headline, folded. */
struct cause_names {
    struct text slug, headline;
};

static void names_of(enum cause_id cause, const struct words *w, struct cause_names *ret)
{
    fold(slice_of_string(cause_slug(cause)), &ret->slug);
    fold(cause_text(w, cause, CAUSE_PART_HEADLINE), &ret->headline);
}

static bool has(const struct cause_names *names, slice folded)
{
    return slice_find(text_slice(&names->slug), folded) >= 0 ||
           slice_find(text_slice(&names->headline), folded) >= 0;
}

static bool is_gap(char c) { return is_blank(c) || c == '-'; }

static slice take_word(slice *rest)
{
    (void)slice_take_while(rest, is_gap);

    slice word = *rest;

    while (rest->len && !is_gap(rest->ptr[0]))
        *rest = slice_skip(*rest, 1);
    word.len -= rest->len;
    return word;
}

static bool is_number(slice word)
{
    return slice_take_while(&word, is_digit).len && !word.len;
}

/* Does a word of the name begin so? "ack" is in "ack-lost" and not in "packets". */
static bool has_word(slice name, slice folded)
{
    slice word;

    while ((word = take_word(&name)).len) {
        struct text t;

        fold(word, &t);
        if (slice_starts(text_slice(&t), folded))
            return true;
    }
    return false;
}

/* Each of the words, of which there are two or more. Numbers are codes, not words. */
static bool has_each_word(enum cause_id cause, const struct words *w, slice text)
{
    size_t count = 0;
    slice word;

    while ((word = take_word(&text)).len) {
        struct text folded;

        fold(word, &folded);
        if (folded.len < 2 || is_number(word))
            return false;
        if (!has_word(slice_of_string(cause_slug(cause)), text_slice(&folded)) &&
            !has_word(cause_text(w, cause, CAUSE_PART_HEADLINE), text_slice(&folded)))
            return false;
        count++;
    }
    return count > 1;
}

static void add_cause(struct cause_query *q, enum cause_id cause)
{
    q->total++;
    if (q->found_count < QUERY_CAUSES_MAX)
        q->found[q->found_count++] = cause;
}

static void search_words(slice text, const struct words *w, struct cause_query *ret)
{
    for (unsigned i = CAUSE_NONE + 1; i < CAUSES; i++)
        if (has_each_word((enum cause_id)i, w, text))
            add_cause(ret, (enum cause_id)i);
}

void cause_query(slice text, const struct words *w, struct cause_query *ret)
{
    slice id = slice_trim(text);
    struct cause_names names;
    struct text wanted;

    *ret = (struct cause_query){ .exact = CAUSE_NONE };
    if (text.len > TEXT_MAX / 2)
        return;                          /* no id or headline is so long */
    if (slice_starts(id, SLICE("cause:")))
        id = slice_skip(id, 6);
    ret->exact = cause_find(id);
    fold(id, &wanted);
    if (ret->exact || !is_telling(text_slice(&wanted)))
        return;
    for (unsigned i = CAUSE_NONE + 1; i < CAUSES; i++) {
        names_of((enum cause_id)i, w, &names);
        if (!ret->exact && slice_eq(text_slice(&names.headline), text_slice(&wanted)))
            ret->exact = (enum cause_id)i;
        if (has(&names, text_slice(&wanted)))
            add_cause(ret, (enum cause_id)i);
    }
    if (!ret->total)
        search_words(id, w, ret);
    ret->nearest = ret->total ? CAUSE_NONE : nearest_cause(text_slice(&wanted));
}
