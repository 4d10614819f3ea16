/* call/filter.c - recursive descent over tokens into a tree in an arena; see filter.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "call/filter.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>

#define SECOND_NS 1000000000LL
#define PATTERN_TEXT_MAX 8192u       /* of a text that ~ looks at */

enum op { OP_OR, OP_AND, OP_NOT, OP_TRUE, OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_MATCH,
          OP_NO_MATCH, OP_IN };

struct operand {                     /* one value to compare with, already of the field's type */
    struct operand *next;
    slice    text;
    int64_t  number;
    bool     relative;
    regex_t *pattern;
};
struct node {
    enum op             op;
    struct node        *left, *right;
    const struct field *field;
    slice               counted;     /* name inside a COUNTS field: responses.486 */
    struct operand     *operands;
};
struct pattern {
    struct pattern *next;
    regex_t         regex;
};
struct filter {
    struct arena    arena;
    struct node    *root;
    struct pattern *patterns;        /* to be released */
    bool            relative;
};

struct parser {
    struct filter            *filter;
    const struct field_table *table;
    slice                     all, rest;
    struct filter_error       error;
    unsigned                  nodes, depth;
};

/* ---- tokens ---------------------------------------------------------------------------- */

static bool is_word_char(char c)
{
    return c != '(' && c != ')' && c != ',' && c != '=' && c != '!' && c != '<' && c != '>' &&
           c != '~' && c != '"' && !is_blank(c);
}

/* The first thing that is wrong is the one to tell. Always false. */
static bool refuse(struct parser *p, enum filter_wrong wrong, slice at)
{
    if (p->error.wrong == FILTER_FINE) {
        p->error.wrong = wrong;
        p->error.at = at;
        p->error.offset = at.ptr ? (size_t)(at.ptr - p->all.ptr) : p->all.len;
    }
    return false;
}

static void *fail(struct parser *p, enum filter_wrong wrong, slice at)
{
    refuse(p, wrong, at);
    return NULL;
}

static slice peek_word(struct parser *p)
{
    slice ahead;

    slice_take_blanks(&p->rest);
    ahead = p->rest;
    return slice_take_while(&ahead, is_word_char);
}

static bool take_keyword(struct parser *p, slice keyword)
{
    slice word = peek_word(p);

    if (!slice_eq_nocase(word, keyword))
        return false;
    p->rest = slice_skip(p->rest, word.len);
    return true;
}

static bool take_mark(struct parser *p, slice mark)
{
    slice_take_blanks(&p->rest);
    if (!slice_starts(p->rest, mark))
        return false;
    p->rest = slice_skip(p->rest, mark.len);
    return true;
}

/* A quoted text keeps what stands between the quotes; \" and \\ are for what they name. */
static bool take_quoted(struct parser *p, slice *ret)
{
    slice whole = p->rest;
    char *room = arena_alloc(&p->filter->arena, p->rest.len + 1);
    size_t n = 0;

    if (!room)
        return refuse(p, FILTER_NO_MEMORY, whole);
    p->rest = slice_skip(p->rest, 1);
    while (p->rest.len && p->rest.ptr[0] != '"') {
        bool escaped = p->rest.ptr[0] == '\\' && p->rest.len > 1 &&
                       (p->rest.ptr[1] == '"' || p->rest.ptr[1] == '\\');

        room[n++] = p->rest.ptr[escaped];
        p->rest = slice_skip(p->rest, 1u + escaped);
    }
    if (!slice_take_char(&p->rest, '"'))
        return refuse(p, FILTER_UNBALANCED, whole);
    room[n] = '\0';
    *ret = slice_of(room, n);
    return true;
}

static bool take_value(struct parser *p, slice *ret)
{
    slice word = peek_word(p);

    if (p->rest.len && p->rest.ptr[0] == '"')
        return take_quoted(p, ret);
    if (!word.len)
        return refuse(p, FILTER_WANTS_VALUE, p->rest.len ? slice_head(p->rest, 1) : (slice){0});
    p->rest = slice_skip(p->rest, word.len);
    *ret = arena_slice(&p->filter->arena, word);
    return ret->ptr || refuse(p, FILTER_NO_MEMORY, word);
}

/* ---- values -------------------------------------------------------------------------------- */

static bool take_digits(slice *rest, size_t digits, int64_t *ret)
{
    int64_t number = 0;

    if (rest->len < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (!is_digit(rest->ptr[i]))
            return false;
        number = number * 10 + (rest->ptr[i] - '0');
    }
    *rest = slice_skip(*rest, digits);
    *ret = number;
    return true;
}

/* Days since 1970-01-01 of a date in the Gregorian calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year, era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    return days_of(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) -
           days_of(year, month, 1);
}

static bool take_clock(slice *rest, int64_t *ret_ns)
{
    int64_t hour, minute, second = 0, fraction = 0, unit = SECOND_NS;

    if (!take_digits(rest, 2, &hour) || !slice_take_char(rest, ':') || !take_digits(rest, 2, &minute))
        return false;
    if (slice_take_char(rest, ':') && !take_digits(rest, 2, &second))
        return false;
    if (slice_take_char(rest, '.'))
        while (rest->len && is_digit(rest->ptr[0]) && unit > 1) {
            unit /= 10;
            fraction += (rest->ptr[0] - '0') * unit;
            *rest = slice_skip(*rest, 1);
        }
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    *ret_ns = ((hour * 60 + minute) * 60 + second) * SECOND_NS + fraction;
    return true;
}

static bool take_zone(slice *rest, int64_t *ret_ns)
{
    int64_t hour, minute;
    bool west;

    *ret_ns = 0;
    if (rest->len == 0 || slice_take_char(rest, 'Z') || slice_take_char(rest, 'z'))
        return true;
    west = rest->ptr[0] == '-';
    if (!west && rest->ptr[0] != '+')
        return false;
    *rest = slice_skip(*rest, 1);
    if (!take_digits(rest, 2, &hour))
        return false;
    (void)slice_take_char(rest, ':');
    if (!take_digits(rest, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *ret_ns = (hour * 60 + minute) * 60 * SECOND_NS * (west ? -1 : 1);
    return true;
}

bool filter_time(slice text, int64_t *ret_ns)
{
    int64_t year, month, day, clock_ns = 0, zone_ns = 0;

    if (!take_digits(&text, 4, &year) || !slice_take_char(&text, '-') ||
        !take_digits(&text, 2, &month) || !slice_take_char(&text, '-') ||
        !take_digits(&text, 2, &day) || year < 1970 || year > 2200 || month < 1 || month > 12 ||
        day < 1 || day > days_in_month(year, month))
        return false;
    if (slice_take_char(&text, 'T') || slice_take_char(&text, 't') || slice_take_char(&text, ' '))
        if (!take_clock(&text, &clock_ns) || !take_zone(&text, &zone_ns))
            return false;
    if (text.len)
        return false;
    *ret_ns = days_of(year, month, day) * 86400 * SECOND_NS + clock_ns - zone_ns;
    return true;
}

/* A decimal number with up to nine decimals, in units of `unit`. */
static bool take_decimal(slice *rest, int64_t unit, int64_t *ret)
{
    bool minus = slice_take_char(rest, '-');
    uint64_t whole;
    int64_t number, part = unit;

    if (!slice_take_u64(rest, &whole) || whole > (uint64_t)(INT64_MAX / unit) - 1)
        return false;
    number = (int64_t)whole * unit;
    if (unit > 1 && slice_take_char(rest, '.'))
        for (; rest->len && is_digit(rest->ptr[0]); *rest = slice_skip(*rest, 1)) {
            part /= 10;
            number += (rest->ptr[0] - '0') * part;
        }
    *ret = minus ? -number : number;
    return true;
}

/* A bare number is milliseconds, as the fields' names say. */
static bool duration_of(slice text, int64_t *ret_ns)
{
    static const struct { slice suffix; int64_t unit_ns; } units[] = {
        { SLICE("ms"), SECOND_NS / 1000 }, { SLICE("s"), SECOND_NS }, { SLICE("m"), 60 * SECOND_NS },
        { SLICE("h"), 3600 * SECOND_NS }, { SLICE("d"), 86400 * SECOND_NS },
        { SLICE(""), SECOND_NS / 1000 },
    };

    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        slice number = slice_head(text, text.len - units[i].suffix.len);

        if (text.len > units[i].suffix.len && slice_ends(text, units[i].suffix) &&
            take_decimal(&number, units[i].unit_ns, ret_ns) && number.len == 0)
            return true;
    }
    return false;
}

static bool bool_of(slice text, int64_t *ret)
{
    bool yes = slice_eq_nocase(text, SLICE("true")) || slice_eq_nocase(text, SLICE("yes")) ||
               slice_eq(text, SLICE("1"));
    bool no = slice_eq_nocase(text, SLICE("false")) || slice_eq_nocase(text, SLICE("no")) ||
              slice_eq(text, SLICE("0"));

    *ret = yes;
    return yes || no;
}

/* Nested repeats, back-references and endless patterns cost regcomp or regexec memory and time
 * without bound; nobody needs them to pick calls. A \NUL would hide what follows it. */
static bool pattern_is_modest(slice text)
{
    unsigned repeats = 0;

    if (text.len > FILTER_PATTERN_MAX || slice_find_char(text, '\0') >= 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\' && i + 1 < text.len && is_digit(text.ptr[++i]))
            return false;
        repeats += text.ptr[i] == '{';
    }
    return repeats <= 1;
}

static bool operand_pattern(struct parser *p, struct operand *o, slice text, slice where)
{
    struct pattern *pattern = arena_alloc(&p->filter->arena, sizeof *pattern);

    if (!pattern)
        return refuse(p, FILTER_NO_MEMORY, where);
    if (!pattern_is_modest(text) ||
        regcomp(&pattern->regex, text.ptr, REG_EXTENDED | REG_NOSUB) != 0)
        return refuse(p, FILTER_BAD_PATTERN, where);
    pattern->next = p->filter->patterns;
    p->filter->patterns = pattern;
    o->pattern = &pattern->regex;
    return true;
}

static bool is_textual(const struct field *f)
{
    return f->type == FIELD_TEXT || f->type == FIELD_WORD || f->type == FIELD_FLOW || f->type == FIELD_CAUSE;
}

static bool operand_typed(struct parser *p, const struct field *f, struct operand *o, slice text,
                          slice where)
{
    slice number = text;
    bool ago = text.len && (text.ptr[0] == '-' || text.ptr[0] == '+');

    switch ((enum field_type)f->type) {
    case FIELD_TEXT:
    case FIELD_WORD:
    case FIELD_FLOW:
    case FIELD_CAUSE:
    case FIELD_ADDRESS:
        return true;
    case FIELD_COUNTS:
    case FIELD_DEVIATION:
    case FIELD_NUMBER:
        if (!take_decimal(&number, 1, &o->number) || number.len)
            return refuse(p, FILTER_WANTS_NUMBER, where);
        return true;
    case FIELD_MILLI:
        if (!take_decimal(&number, 1000, &o->number) || number.len)
            return refuse(p, FILTER_WANTS_NUMBER, where);
        return true;
    case FIELD_NUMBERS: case FIELD_ROWS:
        return refuse(p, FILTER_WANTS_FIELD, where);
    case FIELD_DURATION:
        return duration_of(text, &o->number) || refuse(p, FILTER_WANTS_DURATION, where);
    case FIELD_BOOL:
        return bool_of(text, &o->number) || refuse(p, FILTER_WANTS_YES_OR_NO, where);
    case FIELD_TIME:
        o->relative = ago && duration_of(slice_skip(text, text.ptr[0] == '+'), &o->number);
        p->filter->relative |= o->relative;
        if (!o->relative && !filter_time(text, &o->number))
            return refuse(p, FILTER_WANTS_TIME, where);
        return true;
    }
    return false;
}

static struct operand *operand_take(struct parser *p, const struct field *f, bool pattern)
{
    struct operand *o = arena_zalloc(&p->filter->arena, sizeof *o);
    bool textual = is_textual(f) || f->type == FIELD_ADDRESS;

    slice_take_blanks(&p->rest);
    slice where = p->rest;

    if (!o)
        return fail(p, FILTER_NO_MEMORY, where);
    if (!take_value(p, &o->text))
        return NULL;
    where.len -= p->rest.len;
    if (pattern && !textual)
        return fail(p, FILTER_WANTS_TEXT, where);
    if (pattern ? !operand_pattern(p, o, o->text, where) : !operand_typed(p, f, o, o->text, where))
        return NULL;
    return o;
}

/* ---- expressions ------------------------------------------------------------------------------ */

static struct node *node_new(struct parser *p, enum op op)
{
    struct node *n = ++p->nodes > FILTER_NODES_MAX ? NULL
                                                   : arena_zalloc(&p->filter->arena, sizeof *n);

    if (!n)
        return fail(p, p->nodes > FILTER_NODES_MAX ? FILTER_TOO_LONG : FILTER_NO_MEMORY, p->rest);
    n->op = op;
    return n;
}

static bool find_field(struct parser *p, struct node *n, slice word)
{
    static const struct { slice shortened, name; } aliases[] = {
        { SLICE("state"), SLICE("state.code") }, { SLICE("list"), SLICE("state.list") },
        { SLICE("from"), SLICE("from.user") },   { SLICE("to"), SLICE("to.user") },
        { SLICE("cause"), SLICE("cause.id") },   { SLICE("flow"), SLICE("flow.name") },
    };
    ptrdiff_t dot = slice_find_char(word, '.');

    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        if (slice_eq(word, aliases[i].shortened) && field_find(p->table, aliases[i].name))
            word = aliases[i].name;
    n->field = field_find(p->table, word);
    if (!n->field && dot > 0) {                           /* responses.486, methods.INVITE */
        n->field = field_find(p->table, slice_head(word, (size_t)dot));
        n->counted = arena_slice(&p->filter->arena, slice_skip(word, (size_t)dot + 1));
        if (n->field && n->field->type != FIELD_COUNTS)
            n->field = NULL;
    }
    if (n->field)
        return true;
    refuse(p, FILTER_NO_FIELD, word);
    p->error.near = field_nearest(p->table, word)->name;
    return false;
}

static bool take_list(struct parser *p, struct node *n)
{
    struct operand **last = &n->operands;

    if (!take_mark(p, SLICE("(")))
        return refuse(p, FILTER_UNBALANCED, p->rest);
    do {
        *last = operand_take(p, n->field, false);
        if (!*last)
            return false;
        last = &(*last)->next;
    } while (take_mark(p, SLICE(",")));
    return take_mark(p, SLICE(")")) || refuse(p, FILTER_UNBALANCED, p->rest);
}

static struct node *take_comparison(struct parser *p)
{
    static const struct { slice mark; enum op op; } marks[] = {
        { SLICE("!="), OP_NE }, { SLICE("!~"), OP_NO_MATCH }, { SLICE("<="), OP_LE },
        { SLICE(">="), OP_GE }, { SLICE("=="), OP_EQ },       { SLICE("="), OP_EQ },
        { SLICE("<"), OP_LT },  { SLICE(">"), OP_GT },        { SLICE("~"), OP_MATCH },
    };
    slice word = peek_word(p);
    struct node *n = node_new(p, OP_TRUE);

    if (!n)
        return NULL;
    if (!word.len)
        return fail(p, FILTER_WANTS_FIELD, p->rest.len ? slice_head(p->rest, 1) : (slice){0});
    p->rest = slice_skip(p->rest, word.len);
    if (!find_field(p, n, word))
        return NULL;
    if (take_keyword(p, SLICE("in"))) {
        n->op = OP_IN;
        return take_list(p, n) ? n : NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (take_mark(p, marks[i].mark)) {
            n->op = marks[i].op;
            n->operands = operand_take(p, n->field, n->op == OP_MATCH || n->op == OP_NO_MATCH);
            return n->operands ? n : NULL;
        }
    return n;
}

static struct node *take_or(struct parser *p);

static struct node *take_term(struct parser *p)
{
    struct node *n;

    if (++p->depth > FILTER_DEPTH_MAX)
        return fail(p, FILTER_TOO_LONG, p->rest);
    if (take_keyword(p, SLICE("not"))) {
        n = node_new(p, OP_NOT);
        if (n && !(n->left = take_term(p)))
            n = NULL;
    } else if (take_mark(p, SLICE("("))) {
        n = take_or(p);
        if (n && !take_mark(p, SLICE(")")))
            n = fail(p, FILTER_UNBALANCED, p->rest);
    } else {
        n = take_comparison(p);
    }
    p->depth--;
    return n;
}

static struct node *take_chain(struct parser *p, slice keyword, enum op op,
                               struct node *(*part)(struct parser *))
{
    struct node *left = part(p);

    while (left && take_keyword(p, keyword)) {
        struct node *both = node_new(p, op);

        if (!both)
            return NULL;
        both->left = left;
        both->right = part(p);
        left = both->right ? both : NULL;
    }
    return left;
}

static struct node *take_and(struct parser *p) { return take_chain(p, SLICE("and"), OP_AND, take_term); }
static struct node *take_or(struct parser *p) { return take_chain(p, SLICE("or"), OP_OR, take_and); }

int filter_parse(slice text, const struct field_table *table, struct filter **ret,
                 struct filter_error *ret_error)
{
    struct parser p = { .filter = calloc(1, sizeof *p.filter), .table = table, .all = text, .rest = text };

    if (!p.filter) {
        *ret_error = (struct filter_error){ .wrong = FILTER_NO_MEMORY };
        return -ENOMEM;
    }
    p.filter->root = take_or(&p);
    slice_take_blanks(&p.rest);
    if (p.filter->root && p.rest.len)
        fail(&p, slice_starts(p.rest, SLICE(")")) ? FILTER_UNBALANCED : FILTER_LEFT_OVER, p.rest);
    if (p.error.wrong == FILTER_FINE && !p.filter->root)
        fail(&p, FILTER_NO_MEMORY, text);
    if (p.error.wrong != FILTER_FINE) {
        *ret_error = p.error;                             /* `at` may be in the arena: say it by offset */
        if (p.error.at.ptr && (p.error.at.ptr < text.ptr || p.error.at.ptr > text.ptr + text.len))
            ret_error->at = (slice){0}, ret_error->offset = 0;
        filter_free(p.filter);
        return p.error.wrong == FILTER_NO_MEMORY ? -ENOMEM : -EINVAL;
    }
    *ret = p.filter;
    return 0;
}

struct filter *filter_free(struct filter *f)
{
    if (f) {
        for (struct pattern *p = f->patterns; p; p = p->next)
            regfree(&p->regex);
        arena_done(&f->arena);
        free(f);
    }
    return NULL;
}

bool filter_is_relative(const struct filter *f) { return f->relative; }

/* ---- judging ---------------------------------------------------------------------------------- */

/* What a node compares, as text or number. */
struct judged {
    bool    known, textual;
    slice   text;
    int64_t number;
    char    room[ADDRESS_TEXT_MAX];
    bool   family;                   /* a cause: `no-answer` stands for all that begin so */
};

static void judge_counts(const struct node *n, const void *record, struct judged *j)
{
    char room[FIELD_ROOM];
    slice name;
    uint64_t count;

    j->known = true;
    for (size_t i = 0; n->field->count_at(record, i, &name, &count, room); i++)
        if (n->counted.len == 0 || slice_eq_nocase(name, n->counted))
            j->number += (int64_t)count;
}

static void judge(const struct node *n, const void *record, struct judged *j)
{
    *j = (struct judged){0};
    if (n->field->type == FIELD_COUNTS) {
        judge_counts(n, record, j);
        return;
    }
    struct field_value v = field_get(n->field, record, j->room);

    j->known = v.known;
    j->number = v.number;
    j->text = v.text;
    j->textual = is_textual(n->field);
    j->family = n->field->type == FIELD_CAUSE;
    if (v.address && v.known) {
        j->textual = true;
        j->text = slice_of(j->room, address_format(v.address, j->room));
    }
}

static bool judge_matches(const struct judged *j, const struct operand *o)
{
    char copy[PATTERN_TEXT_MAX + 1];                      /* regexec may look for a NUL */
    slice text = slice_head(j->text, PATTERN_TEXT_MAX);
    regmatch_t range = { .rm_so = 0, .rm_eo = (regoff_t)text.len };

    if (text.len)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return regexec(o->pattern, copy, 1, &range, REG_STARTEND) == 0;
}

/* no-answer-caller is of the family no-answer. */
static bool is_of_family(slice id, slice family)
{
    return family.len && id.len > family.len && slice_starts_nocase(id, family) && id.ptr[family.len] == '-';
}

static int judge_order(const struct judged *j, const struct operand *o, int64_t now_ns)
{
    if (j->textual && (slice_eq_nocase(j->text, o->text) || (j->family && is_of_family(j->text, o->text))))
        return 0;
    if (j->textual)
        return slice_compare(j->text, o->text);
    int64_t other = o->number;

    if (o->relative && __builtin_add_overflow(now_ns, o->number, &other))
        other = o->number < 0 ? INT64_MIN : INT64_MAX;    /* before or after all times */
    return (j->number > other) - (j->number < other);
}

static bool judge_any(const struct judged *j, const struct operand *o, int64_t now_ns)
{
    for (; o; o = o->next)
        if (judge_order(j, o, now_ns) == 0)
            return true;
    return false;
}

static bool judge_comparison(const struct node *n, const void *record, int64_t now_ns)
{
    struct judged j;

    judge(n, record, &j);
    if (!j.known)
        return false;
    switch (n->op) {
    case OP_EQ:       return judge_order(&j, n->operands, now_ns) == 0;
    case OP_NE:       return judge_order(&j, n->operands, now_ns) != 0;
    case OP_LT:       return judge_order(&j, n->operands, now_ns) < 0;
    case OP_LE:       return judge_order(&j, n->operands, now_ns) <= 0;
    case OP_GT:       return judge_order(&j, n->operands, now_ns) > 0;
    case OP_GE:       return judge_order(&j, n->operands, now_ns) >= 0;
    case OP_MATCH:    return judge_matches(&j, n->operands);
    case OP_NO_MATCH: return !judge_matches(&j, n->operands);
    case OP_IN:       return judge_any(&j, n->operands, now_ns);
    default:          return j.textual ? j.text.len > 0 : j.number != 0;
    }
}

static bool node_match(const struct node *n, const void *record, int64_t now_ns)
{
    switch (n->op) {
    case OP_OR:
        return node_match(n->left, record, now_ns) || node_match(n->right, record, now_ns);
    case OP_AND:
        return node_match(n->left, record, now_ns) && node_match(n->right, record, now_ns);
    case OP_NOT:
        return !node_match(n->left, record, now_ns);
    default:
        return judge_comparison(n, record, now_ns);
    }
}

bool filter_match(const struct filter *f, const void *record, int64_t now_ns)
{
    return node_match(f->root, record, now_ns);
}
