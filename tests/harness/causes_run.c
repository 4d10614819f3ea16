/* tests/harness/causes_run.c - see causes_run.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/causes_run.h"

struct run {
    struct diagnose_history *history;
};

static void on_message(struct play *p, const struct track_sighting *s)
{
    struct run *r = p->ctx;

    if (r->history && s->kind == SEEN_NEW)
        diagnose_history_message(r->history, s->unit, s->message);
}

static void on_session(struct play *p, struct call *const *legs, size_t count)
{
    struct run *r = p->ctx;
    struct diagnose_context context = { .history = r->history, .now_ns = p->now_ns };

    diagnose_session(legs, count, &context);
    for (size_t i = 0; i < count; i++)
        call_forget(legs[i]);
}

void diagnosed(struct play *p, const char *script)
{
    static const struct hash_seed seed = { 1, 2 };
    struct run *r;

    if (!play_start(p, NULL)) {
        if (!test_memory_failed())
            FAIL("no tracker");
        return;
    }
    if (!(p->ctx = r = calloc(1, sizeof *r)))
        return;
    r->history = diagnose_history_new(&seed, 1 << 18);
    p->on_message = on_message;
    p->on_session = on_session;
    play(p, script);
    play_end(p);
    for (size_t i = 0; i < p->registration_count && i < PLAY_KEPT_MAX; i++)
        diagnose_registration(p->registrations[i], &(struct diagnose_context){ .history = r->history, .now_ns = p->now_ns });
}

void diagnosed_done(struct play *p)
{
    struct run *r = p->ctx;

    play_done(p);
    if (r)
        diagnose_history_free(r->history);
    free(r);
}

const char *main_cause(const struct call *c)
{
    return c && c->verdicts ? cause_slug((enum cause_id)c->verdicts->cause.cause) : "";
}

static const struct verdict *find(const struct call_verdicts *v, enum cause_id id)
{
    if (v && v->cause.cause == id)
        return &v->cause;
    for (size_t i = 0; v && i < v->finding_count; i++)
        if (v->findings[i].cause == id)
            return &v->findings[i];
    return NULL;
}

/* Calls first, then registrations; NULL beyond the last. */
static bool next_verdicts(const struct play *p, size_t at, const struct call_verdicts **ret)
{
    size_t calls = p->call_count < PLAY_KEPT_MAX ? p->call_count : PLAY_KEPT_MAX;
    size_t registrations = p->registration_count < PLAY_KEPT_MAX ? p->registration_count : PLAY_KEPT_MAX;

    if (at < calls)
        *ret = p->calls[at]->verdicts;
    else if (at < calls + registrations)
        *ret = p->registrations[at - calls]->verdicts;
    return at < calls + registrations;
}

static const struct verdict *find_any(const struct play *p, const char *slug, bool *ret_main)
{
    enum cause_id id = cause_find(slice_of_string(slug));
    const struct verdict *found = NULL;
    const struct call_verdicts *v;

    *ret_main = false;
    for (size_t i = 0; next_verdicts(p, i, &v); i++) {
        const struct verdict *here = find(v, id);

        if (here)
            found = found && *ret_main ? found : here;
        *ret_main |= v && v->cause.cause == id;
    }
    return found;
}

bool has_cause(const struct play *p, const char *slug)
{
    bool main;

    return find_any(p, slug, &main) != NULL;
}

slice param_of(const struct verdict *v, const char *name)
{
    for (size_t i = 0; i < v->param_count; i++)
        if (!strcmp(v->params[i].name, name))
            return v->params[i].value;
    return (slice){0};
}

/* All that came out, for the message of a failing row. */
static const char *told(const struct play *p, char *text, size_t size)
{
    const struct call_verdicts *v;
    size_t at = 0;

    text[0] = 0;
    for (size_t i = 0; next_verdicts(p, i, &v); i++) {
        at += (size_t)snprintf(text + at, size - at, " [%s", v ? cause_slug((enum cause_id)v->cause.cause) : "?");
        for (size_t j = 0; v && j < v->finding_count && at < size; j++)
            at += (size_t)snprintf(text + at, size - at, " +%s", cause_slug((enum cause_id)v->findings[j].cause));
        if (at < size)
            at += (size_t)snprintf(text + at, size - at, "]");
        if (at >= size)
            break;
    }
    return text;
}

/* All rows that fail are told before the test fails. */
#define WRONG(...) (fprintf(stdout, "# " __VA_ARGS__), fputc('\n', stdout), 1u)

static unsigned check_complete(const struct cause_row *row, const struct verdict *v)
{
    unsigned wrong = 0;

    const char *const *wanted = cause_params((enum cause_id)v->cause);

    if (v->evidence_count == 0 || v->evidence[0].frame == 0)
        wrong += WRONG("%s has no evidence", row->cause);
    for (size_t i = 0; wanted[i]; i++)
        if (!param_of(v, wanted[i]).len)
            wrong += WRONG("%s does not say {%s}", row->cause, wanted[i]);
    return wrong;
}

static unsigned check_once(const struct cause_row *row, const struct play *p)
{
    const struct call_verdicts *v;
    unsigned wrong = 0;

    for (size_t i = 0; next_verdicts(p, i, &v); i++)
        for (size_t j = 0; v && j < v->finding_count; j++) {
            bool again = v->findings[j].cause == v->cause.cause;

            for (size_t k = 0; k < j; k++)
                again |= v->findings[k].cause == v->findings[j].cause;
            if (again)
                wrong += WRONG("%s: %s is told twice", row->cause, cause_slug((enum cause_id)v->findings[j].cause));
        }
    return wrong;
}

static unsigned check_fires(const struct cause_row *row)
{
    enum cause_id id = cause_find(slice_of_string(row->cause));
    char text[1024];
    struct play p;
    bool is_main, other = false;
    unsigned wrong = 0;

    if (id == CAUSE_NONE)
        FAIL("%s is not in the catalogue", row->cause);
    diagnosed(&p, row->fires);
    const struct verdict *v = find_any(&p, row->cause, &is_main);

    if (!v)
        wrong += WRONG("%s does not fire, but%s", row->cause, told(&p, text, sizeof text));
    else if (cause_may_be_main(id) && !row->main && !is_main)
        wrong += WRONG("%s is not the main cause:%s", row->cause, told(&p, text, sizeof text));
    if (row->main && row->main[0] != '-')
        (void)find_any(&p, row->main, &other);
    if (row->main && row->main[0] != '-' && !other)
        wrong += WRONG("%s: the main cause is not %s:%s", row->cause, row->main, told(&p, text, sizeof text));
    if (v)
        wrong += check_complete(row, v);
    wrong += check_once(row, &p);
    diagnosed_done(&p);
    return wrong;
}

static unsigned check_silent(const struct cause_row *row)
{
    char text[1024];
    struct play p;

    unsigned wrong = 0;

    if (!row->silent)
        return 0;
    diagnosed(&p, row->silent);
    if (has_cause(&p, row->cause))
        wrong = WRONG("%s fires where it must not:%s", row->cause, told(&p, text, sizeof text));
    diagnosed_done(&p);
    return wrong;
}

void check_causes(const struct cause_rows *rows)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < rows->count; i++)
        wrong += check_fires(&rows->rows[i]) + check_silent(&rows->rows[i]);
    CHECK_EQ(wrong, 0);
}
