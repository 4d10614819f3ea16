/* codes/plural.c - see plural.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/plural.h"

struct reader {
    slice    rest;
    uint64_t n;
    unsigned depth;
    bool     failed;
};

/* Binary operators, weakest first. Longer ones stand before their own beginnings. */
enum op { OP_OR, OP_AND, OP_EQ, OP_NE, OP_LE, OP_GE, OP_LT, OP_GT, OP_ADD, OP_SUB, OP_MUL, OP_DIV,
          OP_MOD };

static const struct { char text[3]; uint8_t level; } operators[] = {
    [OP_OR] = { "||", 0 }, [OP_AND] = { "&&", 1 }, [OP_EQ] = { "==", 2 }, [OP_NE] = { "!=", 2 },
    [OP_LE] = { "<=", 3 }, [OP_GE] = { ">=", 3 }, [OP_LT] = { "<", 3 }, [OP_GT] = { ">", 3 },
    [OP_ADD] = { "+", 4 }, [OP_SUB] = { "-", 4 }, [OP_MUL] = { "*", 5 }, [OP_DIV] = { "/", 5 },
    [OP_MOD] = { "%", 5 },
};
#define LEVELS 6

static uint64_t read_choice(struct reader *r);

static uint64_t apply(enum op op, uint64_t a, uint64_t b)
{
    switch (op) {
    case OP_OR:  return a || b;
    case OP_AND: return a && b;
    case OP_EQ:  return a == b;
    case OP_NE:  return a != b;
    case OP_LE:  return a <= b;
    case OP_GE:  return a >= b;
    case OP_LT:  return a < b;
    case OP_GT:  return a > b;
    case OP_ADD: return a + b;
    case OP_SUB: return a - b;
    case OP_MUL: return a * b;
    case OP_DIV: return b ? a / b : 0;
    case OP_MOD: return b ? a % b : 0;
    }
    return 0;
}

static void skip_blanks(struct reader *r)
{
    while (r->rest.len && is_blank(r->rest.ptr[0]))
        r->rest = slice_skip(r->rest, 1);
}

static bool take_char(struct reader *r, char c)
{
    skip_blanks(r);
    return slice_take_char(&r->rest, c);
}

static uint64_t fail(struct reader *r)
{
    r->failed = true;
    r->rest.len = 0;
    return 0;
}

static uint64_t read_one(struct reader *r)
{
    uint64_t value;

    if (take_char(r, 'n'))
        return r->n;
    if (take_char(r, '(')) {
        value = read_choice(r);
        return take_char(r, ')') ? value : fail(r);
    }
    return slice_take_u64(&r->rest, &value) ? value : fail(r);
}

static uint64_t read_not(struct reader *r)
{
    bool turned = false, is_truth = false;

    skip_blanks(r);
    while (r->rest.len && r->rest.ptr[0] == '!' && !slice_starts(r->rest, SLICE("!="))) {
        (void)take_char(r, '!');
        skip_blanks(r);
        turned = !turned;
        is_truth = true;
    }

    uint64_t value = read_one(r);

    return is_truth ? (value != 0) != turned : value;
}

static bool take_operator(struct reader *r, unsigned level, enum op *ret)
{
    skip_blanks(r);
    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (operators[i].level == level && slice_starts(r->rest, slice_of_string(operators[i].text))) {
            r->rest = slice_skip(r->rest, strlen(operators[i].text));
            *ret = (enum op)i;
            return true;
        }
    }
    return false;
}

static uint64_t read_level(struct reader *r, unsigned level)
{
    if (level == LEVELS)
        return read_not(r);

    uint64_t value = read_level(r, level + 1);
    enum op op;

    while (take_operator(r, level, &op))
        value = apply(op, value, read_level(r, level + 1));
    return value;
}

static uint64_t read_choice(struct reader *r)
{
    if (++r->depth > PLURAL_DEPTH_MAX)
        return fail(r);

    uint64_t value = read_level(r, 0);

    if (take_char(r, '?')) {
        uint64_t yes = read_choice(r);
        uint64_t no = take_char(r, ':') ? read_choice(r) : fail(r);

        value = value ? yes : no;
    }
    r->depth--;
    return value;
}

static bool evaluate(slice expression, uint64_t n, uint64_t *ret)
{
    struct reader r = { .rest = expression, .n = n };
    uint64_t value = read_choice(&r);

    skip_blanks(&r);
    if (r.failed || r.rest.len)
        return false;
    *ret = value;
    return true;
}

static bool take_name(slice *rest, slice name)
{
    *rest = slice_trim(*rest);
    if (!slice_starts(*rest, name))
        return false;
    *rest = slice_trim(slice_skip(*rest, name.len));
    if (!slice_take_char(rest, '='))
        return false;
    *rest = slice_trim(*rest);
    return true;
}

bool plural_parse(slice header, struct plural *ret)
{
    uint32_t forms;
    uint64_t unused;

    if (!take_name(&header, SLICE("nplurals")) || !slice_take_u32(&header, &forms))
        return false;
    header = slice_trim(header);
    if (!slice_take_char(&header, ';') || !take_name(&header, SLICE("plural")))
        return false;

    slice expression = slice_trim(slice_take_until(&header, ';'));

    if (forms < 1 || forms > PLURAL_FORMS_MAX || expression.len > 1000 ||
        !evaluate(expression, 1, &unused))
        return false;
    *ret = (struct plural){ .forms = forms, .expression = expression };
    return true;
}

unsigned plural_form(const struct plural *rule, uint64_t n)
{
    uint64_t form;

    if (!evaluate(rule->expression, n, &form) || form >= rule->forms)
        return 0;
    return (unsigned)form;
}
