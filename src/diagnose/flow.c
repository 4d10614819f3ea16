/* diagnose/flow.c - see flow.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/flow.h"

#include "codes/flow.h"

#define MESSAGES_MAX 64u             /* of a call that are compared */
#define FLOW_ROWS_MAX 60u            /* STEPS_MAX of tools/flows.py */
#define VIEWS_MAX     8u             /* of one flow; VIEWS_MAX of tools/flows.py */
#define COST_ONE     128u            /* below it stand messages that no step took: of two ways that
                                      * cost the same, the one that explains more is better */
#define COST_MISSING (2 * COST_ONE)
#define COST_EXTRA   (2 * COST_ONE)
#define COST_FLAW    COST_ONE        /* it came, but not as it should */
#define COST_BROKEN_OFF (5 * COST_ONE - 1)   /* the call failed on the way */
#define COST_NEVER   UINT16_MAX

/* One step as it is seen at one place of a capture. */
struct row {
    uint32_t methods;                /* bits; of a response those of its request */
    uint16_t status[4];              /* [0] == 0: a request */
    uint16_t flags;                  /* FLOW_STEP_... */
    uint8_t  of, step;               /* whose step: enum flow_id, from 1 */
    uint8_t  skip;                   /* so many rows from here come all or not at all */
    bool     from_callee;
};
struct view {
    const struct row *rows;
    uint8_t  count;
    uint8_t  begin, end;             /* the flow's own rows, between what is before and behind */
    bool     loose;                  /* some of them in any order */
    bool     third;                  /* a third leg: looks like any call when it stands alone */
    uint32_t methods[2];             /* of its rows outside a dialog, and inside */
};
struct candidate {
    uint8_t  flow;
    uint8_t  first, count;           /* into views */
    bool     repeats;
    uint16_t needs, never;           /* FLOW_IS_... */
};
#include "generated/codes/flow_rows.inc"

struct seen {                        /* a message of the call */
    const struct trace_message *m;
    uint32_t method;                 /* one bit */
    uint16_t status;
    bool     from_callee;
    bool     re;                     /* INVITE, UPDATE, ACK and responses within a dialog */
    bool     again;                  /* for another branch, or a second BYE: makes no difference */
    bool     asked;                  /* for a password: 401 or 407, its ACK, the INVITE with credentials */
};
struct story {                       /* a call, made ready to be compared */
    const struct call *call;
    struct seen seen[MESSAGES_MAX];
    unsigned    count;
    uint16_t    marks;
    bool        met;                 /* resources were reserved from the start */
    bool        open;                /* more may have followed that was not captured */
    int         unconfirmed;         /* index of a reliable 1xx without PRACK, or -1 */
};

#define BIT(method) (1u << (method))
static const uint32_t in_dialog_methods = BIT(SIP_INVITE) | BIT(SIP_ACK) | BIT(SIP_UPDATE);

/* ---- marks ------------------------------------------------------------------------------- */

/* The request that this response or ACK belongs to, among those before it. */
static const struct seen *request_of(const struct story *s, const struct trace_message *m)
{
    uint32_t method = BIT(m->method == SIP_ACK ? SIP_INVITE : m->method);
    bool from_callee = !!(m->traits & TRACE_FROM_CALLEE) == (m->status == 0);

    for (unsigned i = s->count; i-- > 0;) {
        const struct seen *r = &s->seen[i];

        if (r->status == 0 && r->method == method && r->m->cseq == m->cseq &&
            r->from_callee == from_callee)
            return r;
    }
    return NULL;
}

static bool is_inside(const struct story *s, const struct trace_message *m, bool answered)
{
    if (m->status == 0 && m->method == SIP_INVITE)
        return m->traits & TRACE_IN_DIALOG;
    if (m->status == 0 && m->method == SIP_UPDATE)
        return answered;
    const struct seen *request = request_of(s, m);

    return request && request->re;
}

static uint16_t marks_of_offer(const struct trace_message *m, bool inside)
{
    if (!inside)
        return m->method == SIP_INVITE
            ? FLOW_IS_OPENED | (m->traits & TRACE_PRECONDITION ? FLOW_IS_PRECONDITIONS : 0) : 0;
    if (m->traits & TRACE_HOLD)
        return FLOW_IS_HOLD;
    return (m->traits & (TRACE_SDP | TRACE_SESSION_TIMER)) == TRACE_SDP ? FLOW_IS_CHANGED : 0;
}

static uint16_t marks_of_request(const struct seen *r)
{
    uint16_t marks = r->m->traits & TRACE_CALL_WAITING ? FLOW_IS_WAITING : 0;

    switch (r->m->method) {
    case SIP_INVITE:
    case SIP_UPDATE: return marks | marks_of_offer(r->m, r->re);
    case SIP_BYE:    return marks | FLOW_IS_ENDED;
    case SIP_REFER:  return marks | FLOW_IS_TRANSFERRED;
    default:         return marks;
    }
}

struct branches {                    /* what came before the answer */
    bool rang, busy, given_up, forwarded;
};

static uint16_t marks_of_response(struct branches *b, const struct seen *r, bool answered)
{
    uint16_t marks = r->m->traits & TRACE_CALL_WAITING ? FLOW_IS_WAITING : 0;

    if (r->method != BIT(SIP_INVITE) || r->re)
        return marks;
    if (answered)                                         /* other branches, which were let go */
        return marks;
    b->busy |= r->status == 486 || r->status == 600;
    b->given_up |= r->status == 487 || (r->status == 181 && b->rang);
    b->forwarded |= r->status == 181;
    b->rang |= r->status == 180;
    if (r->status >= 300 && r->status < 400)
        marks |= FLOW_IS_REDIRECTED;
    return r->status >= 200 && r->status < 300 ? marks | FLOW_IS_ANSWERED : marks;
}

static uint16_t marks_of_end(const struct story *s, const struct branches *b, bool cancelled)
{
    uint16_t final = s->call->final, marks = 0;
    bool answered = s->marks & FLOW_IS_ANSWERED, elsewhere = answered || b->forwarded;

    if (b->busy && elsewhere)
        marks |= FLOW_IS_BRANCH_BUSY;
    else if (b->given_up && elsewhere)
        marks |= FLOW_IS_BRANCH_UNANSWERED;
    if (answered)
        return marks;
    if (final == 486 || final == 600)
        marks |= FLOW_IS_BUSY;
    if (final == 408 || (final == 480 && b->rang))
        marks |= FLOW_IS_UNANSWERED;
    if (cancelled && (final == 487 || final == 0))
        marks |= FLOW_IS_CANCELLED;
    return marks;
}

static int find_unconfirmed(const struct story *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        const struct seen *one = &s->seen[i];
        bool found = one->status <= 100 || one->status >= 200 || one->m->rseq == 0;

        for (unsigned k = i + 1; k < s->count && !found; k++)
            found = s->seen[k].method == BIT(SIP_PRACK) && s->seen[k].status == 0 &&
                    s->seen[k].m->rseq == one->m->rseq;
        if (!found)
            return (int)i;
    }
    return -1;
}

/* The password is asked for again because the nonce was too old: that, its ACK, the INVITE again. */
static bool is_stale_round(const struct story *s, const struct seen *one)
{
    const struct seen *last = s->count ? &s->seen[s->count - 1] : NULL;

    if (!last || one->method & BIT(SIP_CANCEL))
        return false;
    if (one->status == 401 || one->status == 407)
        return one->m->traits & TRACE_STALE && s->count > 2;
    if (one->status)
        return false;
    if (one->method == BIT(SIP_ACK))
        return last->again && (last->status == 401 || last->status == 407);
    return last->again && last->method == BIT(SIP_ACK) && one->m->traits & TRACE_CREDENTIALS;
}

/* The first round of it: a caller who is not trusted has one before any flow. */
static bool is_password_round(const struct story *s, const struct seen *one)
{
    const struct seen *last = s->count ? &s->seen[s->count - 1] : NULL;

    if (!last || one->re || !(one->method & (BIT(SIP_INVITE) | BIT(SIP_ACK))))
        return false;
    if (one->status)
        return one->status == 401 || one->status == 407;
    if (one->method == BIT(SIP_ACK))
        return last->asked && last->status;
    return last->asked && last->method == BIT(SIP_ACK) && one->m->traits & TRACE_CREDENTIALS;
}

/* The same to or from another branch of a fork, or a second BYE that crossed the first. */
static bool is_again(const struct story *s, const struct seen *one)
{
    static const uint32_t branching = BIT(SIP_INVITE) | BIT(SIP_CANCEL) | BIT(SIP_ACK);
    bool answered = s->marks & FLOW_IS_ANSWERED, ended = s->marks & FLOW_IS_ENDED;

    if (one->method == BIT(SIP_BYE))
        return ended && (one->status == 0 || s->seen[s->count - 1].again);
    if (one->re || !(one->method & branching) || (one->status && one->status < 200))
        return false;
    if (!answered && is_stale_round(s, one))
        return true;
    if (answered && !s->call->crossed && (one->method == BIT(SIP_CANCEL) || one->status >= 300))
        return true;
    for (unsigned i = s->count; i-- > 0;)
        if (s->seen[i].method == one->method && s->seen[i].status == one->status &&
            s->seen[i].m->cseq == one->m->cseq && s->seen[i].from_callee == one->from_callee)
            return true;
    return false;
}

static void story_add(struct story *s, const struct trace_message *m, struct branches *b)
{
    struct seen *one = &s->seen[s->count];
    uint32_t method = BIT(m->method);
    bool answered = s->call->partial || s->marks & FLOW_IS_ANSWERED;

    *one = (struct seen){ .m = m, .method = method, .status = m->status,
                          .from_callee = m->traits & TRACE_FROM_CALLEE };
    if (method & in_dialog_methods)
        one->re = is_inside(s, m, answered);
    one->again = is_again(s, one);
    one->asked = !answered && is_password_round(s, one);
    s->marks |=
        m->status ? marks_of_response(b, one, s->marks & FLOW_IS_ANSWERED) : marks_of_request(one);
    s->count++;
}

/* The last message wants an answer or an ACK and was not even repeated: the capture ended there.
 * Over TCP nothing is repeated, so there it stays open whether it was. */
static bool ends_at_once(const struct trace *t)
{
    const struct trace_message *last = t->count ? &t->messages[t->count - 1] : NULL;

    if (!last || last->repeats)
        return false;
    return last->status ? last->method == SIP_INVITE && last->status >= 200
                        : last->method == SIP_BYE || last->method == SIP_CANCEL;
}

/* By time: a message of which a fragment is missing comes to the tracker late. */
static unsigned in_order(const struct trace *t, const struct trace_message *order[MESSAGES_MAX])
{
    unsigned count = 0;

    for (unsigned i = 0; i < t->count && i < MESSAGES_MAX; i++) {
        const struct trace_message *m = &t->messages[i];
        unsigned at = count++;

        for (; at > 0 && order[at - 1]->frame > m->frame && order[at - 1]->at_ns >= m->at_ns; at--)
            order[at] = order[at - 1];
        order[at] = m;
    }
    return count;
}

static void story_begin(struct story *s, const struct call *c)
{
    const struct trace *t = &c->trace;
    const struct trace_message *order[MESSAGES_MAX];
    struct branches branches = {0};
    bool reliable = false, cancelled = false;

    s->call = c;
    s->count = 0;
    s->marks = 0;
    s->met = false;
    unsigned count = in_order(t, order);

    for (unsigned i = 0; i < count; i++) {
        const struct trace_message *m = order[i];

        story_add(s, m, &branches);
        reliable |= m->status && m->rseq;
        cancelled |= m->method == SIP_CANCEL;
        if (m->traits & TRACE_QOS_MET && trace_is_request(m, SIP_INVITE))
            s->met = true;
    }
    s->marks |= marks_of_end(s, &branches, cancelled);
    s->open = c->open_at_end || ends_at_once(t) || t->beyond || t->count > MESSAGES_MAX;
    s->unconfirmed = reliable && s->marks & FLOW_IS_ANSWERED && !c->partial && !s->open
        ? find_unconfirmed(s) : -1;
}

/* ---- one row and one message ------------------------------------------------------------- */

static bool row_fits(const struct row *r, const struct seen *m)
{
    if (!(r->methods & m->method))
        return false;
    if (r->status[0] != m->status &&
        (m->status == 0 || (r->status[1] != m->status && r->status[2] != m->status &&
                            r->status[3] != m->status)))
        return false;
    if (!(r->flags & FLOW_STEP_EITHER) && r->from_callee != m->from_callee)
        return false;
    if (m->method & in_dialog_methods && !(r->flags & FLOW_STEP_RE) != !m->re)
        return false;
    if (r->flags & FLOW_STEP_HOLD && !(m->m->traits & TRACE_HOLD))
        return false;
    if (r->flags & FLOW_STEP_RESUME && m->m->traits & TRACE_HOLD)
        return false;
    return !(r->flags & FLOW_STEP_CREDENTIALS) || m->m->traits & TRACE_CREDENTIALS;
}

static bool row_is_free(const struct story *s, const struct row *r)
{
    return r->flags & (FLOW_STEP_OPTIONAL | FLOW_STEP_LOOSE) ||
           (r->flags & FLOW_STEP_UNMET && s->met);
}

static unsigned row_flaw(const struct row *r, const struct seen *m)
{
    return r->flags & FLOW_STEP_RELIABLE && m->m->rseq == 0 ? COST_FLAW : 0;
}

/* A flow that does not speak of passwords leaves it open whether one is asked for. */
static bool speaks_of_passwords(const struct view *v)
{
    for (unsigned i = 0; i < v->count; i++)
        if (v->rows[i].flags & FLOW_STEP_CREDENTIALS)
            return true;
    return false;
}

/* A message that may come between any two steps. */
static bool is_neutral(const struct story *s, const struct view *v, const struct seen *m)
{
    static const uint32_t ever = BIT(SIP_INVITE) | BIT(SIP_ACK) | BIT(SIP_CANCEL) | BIT(SIP_BYE);

    if (m->method & (BIT(SIP_PRACK) | BIT(SIP_NOTIFY)) || m->again)
        return true;
    if (m->asked && !speaks_of_passwords(v))
        return true;
    if (m->method == BIT(SIP_INVITE) && m->status >= 100 && m->status < 200 && m->status != 180 &&
        m->status != 183)
        return true;
    for (unsigned i = 0; v->loose && i < v->count; i++)
        if (v->rows[i].flags & FLOW_STEP_LOOSE && row_fits(&v->rows[i], m))
            return true;
    if (v->methods[m->re] & m->method)
        return false;
    if (s->call->partial && m->method & in_dialog_methods)
        return true;                                      /* the end of what was not captured */
    return m->re || !(m->method & ever);
}

/* ---- exactly a flow ---------------------------------------------------------------------- */

/* Where the rows end that this call has to have: nobody releases what was not answered. */
static unsigned rows_due(const struct story *s, const struct view *v)
{
    return s->marks & FLOW_IS_ANSWERED || !(s->marks & FLOW_IS_OPENED) ? v->count : v->end;
}

/* May it end at `at`, with the rows up to `due` left out? */
static bool rows_may_end(const struct story *s, const struct view *v, unsigned at, unsigned due)
{
    while (at < due && (v->rows[at].skip || row_is_free(s, &v->rows[at])))
        at += v->rows[at].skip ? v->rows[at].skip : 1u;
    return at >= due;
}

/* The next row from `at` on that takes the message without leaving out one that is due. */
static bool next_row(const struct story *s, const struct view *v, const struct seen *m,
                     unsigned *at)
{
    unsigned i = *at;

    while (i < v->count) {
        const struct row *r = &v->rows[i];

        if (row_fits(r, m) && row_flaw(r, m) == 0) {
            *at = i + 1;
            return true;
        }
        if (r->skip)
            i += r->skip;
        else if (row_is_free(s, r))
            i++;
        else
            return false;
    }
    return false;
}

/* How many messages come one by one as the flow has them; one more when the call follows it to
 * the end. */
static unsigned followed(const struct story *s, const struct candidate *c, const struct view *v)
{
    unsigned at = 0;

    for (unsigned i = 0; i < s->count; i++) {
        const struct seen *m = &s->seen[i];

        if (m->status == 100)                             /* in front of a challenge as of an answer */
            continue;
        if (at > 0 && v->rows[at - 1].flags & FLOW_STEP_REPEATS && row_fits(&v->rows[at - 1], m))
            continue;
        if (next_row(s, v, m, &at))
            continue;
        unsigned again = v->begin;

        if (c->repeats && at > v->begin && rows_may_end(s, v, at, v->end) &&
            next_row(s, v, m, &again)) {
            at = again;
            continue;
        }
        if (!is_neutral(s, v, m))
            return i;
    }
    return s->count + (at > 0 && (s->open || rows_may_end(s, v, at, rows_due(s, v))));
}

/* ---- alignment --------------------------------------------------------------------------- */

enum step_kind {
    STEP_NONE,
    STEP_MATCH,
    STEP_REPEAT,
    STEP_MISSING,
    STEP_BLOCK,
    STEP_EXTRA,
    STEP_LOOP
};

struct cell {
    uint16_t cost;
    uint8_t  how;                    /* enum step_kind: the step that led here */
    uint8_t  from;                   /* row index that it came from */
};
struct grid {                        /* [messages that are behind us][rows that are] */
    unsigned    limit;               /* what costs more is not near, or not the nearest */
    struct cell cell[MESSAGES_MAX + 1][FLOW_ROWS_MAX + 1];
};

static void reach(struct cell *to, unsigned cost, enum step_kind how, unsigned from)
{
    if (cost < to->cost)
        *to = (struct cell){ (uint16_t)cost, (uint8_t)how, (uint8_t)from };
}

/* What comes before the flow, in a call whose beginning was not captured. */
static bool is_before(const struct story *s, const struct view *v, unsigned message, unsigned row)
{
    return s->call->partial && message == 0 && row < v->begin;
}

static void grid_rows(struct grid *g, const struct story *s, const struct view *v, unsigned i,
                      unsigned from)
{
    for (unsigned j = from; j < v->count; j++) {
        const struct row *r = &v->rows[j];
        unsigned cost = g->cell[i][j].cost;
        if (cost > g->limit)
            continue;
        bool free = row_is_free(s, r) || is_before(s, v, i, j);

        reach(&g->cell[i][j + 1], cost + (free ? 0 : COST_MISSING), STEP_MISSING, j);
        if (r->skip)
            reach(&g->cell[i][j + r->skip], cost, STEP_BLOCK, j);
    }
}

static void grid_message(struct grid *g, const struct story *s, const struct view *v, unsigned i)
{
    const struct seen *m = &s->seen[i];
    unsigned extra = 1 + (is_neutral(s, v, m) ? 0 : COST_EXTRA);

    for (unsigned j = 0; j <= v->count; j++) {
        unsigned cost = g->cell[i][j].cost;

        if (cost > g->limit)
            continue;
        if (j < v->count && row_fits(&v->rows[j], m))
            reach(&g->cell[i + 1][j + 1], cost + row_flaw(&v->rows[j], m), STEP_MATCH, j);
        if (j > 0 && v->rows[j - 1].flags & FLOW_STEP_REPEATS && row_fits(&v->rows[j - 1], m))
            reach(&g->cell[i + 1][j], cost, STEP_REPEAT, j);
        reach(&g->cell[i + 1][j], cost + extra, STEP_EXTRA, j);
    }
}

static void grid_fill(struct grid *g, const struct story *s, const struct candidate *c,
                      const struct view *v)
{
    for (unsigned i = 0; i <= s->count; i++)
        for (unsigned j = 0; j <= v->count; j++)
            g->cell[i][j].cost = COST_NEVER;
    g->cell[0][0] = (struct cell){0};
    for (unsigned i = 0; i <= s->count; i++) {
        grid_rows(g, s, v, i, 0);
        if (c->repeats && g->cell[i][v->end].cost < g->cell[i][v->begin].cost) {
            reach(&g->cell[i][v->begin], g->cell[i][v->end].cost, STEP_LOOP, v->end);
            grid_rows(g, s, v, i, v->begin);
        }
        if (i < s->count)
            grid_message(g, s, v, i);
    }
}

struct ending {
    unsigned cost, message, row;
};

/* A call that fails where the flow goes on: what would have followed does not count. */
static bool breaks_off(const struct seen *m)
{
    static const uint32_t opening = BIT(SIP_INVITE) | BIT(SIP_UPDATE) | BIT(SIP_PRACK);

    return !m->re && ((m->method & opening && m->status >= 300) ||
                      (m->method == BIT(SIP_CANCEL) && m->status == 0));
}

/* Of equal ends the one that goes furthest. */
static struct ending grid_end(const struct grid *g, const struct story *s, const struct view *v)
{
    unsigned due = rows_due(s, v);
    struct ending best = { COST_NEVER, s->count, due };

    for (unsigned i = 1; i < s->count; i++) {
        if (!breaks_off(&s->seen[i]))
            continue;
        for (unsigned j = 0; j <= v->count; j++)
            if (g->cell[i][j].cost + COST_BROKEN_OFF <= best.cost)
                best = (struct ending){ g->cell[i][j].cost + COST_BROKEN_OFF, i, j };
    }
    for (unsigned j = s->open ? 0 : due; j <= v->count; j++)
        if (g->cell[s->count][j].cost <= best.cost)
            best = (struct ending){ g->cell[s->count][j].cost, s->count, j };
    return best;
}

struct op {                          /* one step of the alignment, in order of the call */
    uint8_t how, row, message;
};
struct path {
    struct op op[MESSAGES_MAX + 4 * (FLOW_ROWS_MAX + 1)];
    unsigned  count, matched;
};

static void path_trace(struct path *p, const struct grid *g, struct ending end)
{
    unsigned i = end.message, j = end.row, at = ARRAY_LEN(p->op);

    p->matched = 0;
    while ((i || j) && at > 0) {
        const struct cell *cell = &g->cell[i][j];
        bool takes = cell->how == STEP_MATCH || cell->how == STEP_REPEAT || cell->how == STEP_EXTRA;

        if (cell->how == STEP_NONE)
            break;
        i -= takes;
        j = cell->from;
        p->op[--at] = (struct op){ cell->how, (uint8_t)j, (uint8_t)i };
        p->matched += cell->how == STEP_MATCH || cell->how == STEP_REPEAT;
    }
    p->count = (unsigned)ARRAY_LEN(p->op) - at;
    memmove(p->op, p->op + at, p->count * sizeof *p->op);
}

/* ---- the first deviation ----------------------------------------------------------------- */

struct compared {                    /* one call with one view */
    const struct view *view;
    unsigned cost;
    unsigned matched;
    struct call_flow flow;
};

static void deviate(struct call_flow *f, enum call_deviation kind, const struct row *r,
                    const struct seen *m)
{
    f->deviation = (uint8_t)kind;
    if (r) {
        f->part = r->of;
        f->step = r->step;
    }
    if (m) {
        f->frame = m->m->frame;
        f->method = m->m->method;
        f->status = m->m->status;
        f->cseq = m->m->cseq;
        f->rseq = m->m->rseq;
    }
}

static bool op_costs(const struct story *s, const struct view *v, const struct op *op)
{
    switch ((enum step_kind)op->how) {
    case STEP_MISSING:
        return !row_is_free(s, &v->rows[op->row]) && !is_before(s, v, op->message, op->row);
    case STEP_EXTRA:   return !is_neutral(s, v, &s->seen[op->message]);
    case STEP_MATCH:   return row_flaw(&v->rows[op->row], &s->seen[op->message]) > 0;
    default:           return false;
    }
}

/* A later op of this kind that has to do with the row or the message. */
static const struct op *later(const struct story *s, const struct view *v, const struct path *p,
                              unsigned after, enum step_kind how, const struct row *r,
                              const struct seen *m)
{
    for (unsigned i = after + 1; i < p->count; i++) {
        const struct op *op = &p->op[i];

        if (op->how == how && op_costs(s, v, op) &&
            row_fits(r ? r : &v->rows[op->row], m ? m : &s->seen[op->message]))
            return op;
    }
    return NULL;
}

/* The costly op of this kind that stands beside: between the same two matches. */
static const struct op *beside(const struct story *s, const struct view *v, const struct path *p,
                               unsigned after, enum step_kind how)
{
    for (unsigned i = after + 1; i < p->count && p->op[i].how != STEP_MATCH; i++)
        if (p->op[i].how == how && op_costs(s, v, &p->op[i]))
            return &p->op[i];
    return NULL;
}

static void deviate_missing(struct call_flow *f, const struct story *s, const struct view *v,
                            const struct path *p, unsigned at)
{
    const struct row *r = &v->rows[p->op[at].row];
    unsigned before = 0;
    const struct op *other = later(s, v, p, at, STEP_EXTRA, r, NULL);

    for (unsigned i = 0; i < at; i++)
        if (p->op[i].how == STEP_MATCH || p->op[i].how == STEP_REPEAT)
            before = p->op[i].message;
    if (other) {
        deviate(f, CALL_FLOW_LATE, r, &s->seen[other->message]);
    } else if (r->methods == BIT(SIP_PRACK) && r->status[0] == 0 && s->unconfirmed >= 0) {
        deviate(f, CALL_FLOW_NO_PRACK, r, &s->seen[s->unconfirmed]);
    } else if ((other = beside(s, v, p, at, STEP_EXTRA))) {
        deviate(f, CALL_FLOW_INSTEAD, r, &s->seen[other->message]);
    } else {
        deviate(f, CALL_FLOW_MISSING, r, &s->seen[before]);
    }
}

/* The next row that had to come. */
static const struct row *expected_row(const struct story *s, const struct view *v, unsigned from)
{
    while (from < v->count && (row_is_free(s, &v->rows[from]) || v->rows[from].skip))
        from += v->rows[from].skip ? v->rows[from].skip : 1u;
    return from < v->count ? &v->rows[from] : v->count ? &v->rows[v->count - 1] : NULL;
}

static void deviate_extra(struct call_flow *f, const struct story *s, const struct view *v,
                          const struct path *p, unsigned at)
{
    const struct seen *m = &s->seen[p->op[at].message];
    const struct op *other = later(s, v, p, at, STEP_MISSING, NULL, m);

    if (other)
        deviate(f, CALL_FLOW_EARLY, &v->rows[other->row], m);
    else if ((other = beside(s, v, p, at, STEP_MISSING)))
        deviate(f, CALL_FLOW_INSTEAD, &v->rows[other->row], m);
    else
        deviate(f, CALL_FLOW_EXTRA, expected_row(s, v, p->op[at].row), m);
}

/* Where the reliable 1xx that nobody confirmed stands in the flow. */
static const struct op *op_of_message(const struct path *p, unsigned message)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->op[i].message == message &&
            (p->op[i].how == STEP_MATCH || p->op[i].how == STEP_REPEAT ||
             p->op[i].how == STEP_EXTRA))
            return &p->op[i];
    return NULL;
}

/* At its own step, or at that of the PRACK where the flow has one right behind. */
static void deviate_unconfirmed(struct call_flow *f, const struct story *s, const struct view *v,
                                const struct op *op)
{
    unsigned row = op->how == STEP_REPEAT && op->row > 0 ? op->row - 1u : op->row;

    row = row < v->count ? row : v->count - 1u;
    if (op->how == STEP_MATCH && row + 1 < v->count && v->rows[row + 1].methods == BIT(SIP_PRACK))
        row++;
    deviate(f, CALL_FLOW_NO_PRACK, &v->rows[row], &s->seen[op->message]);
}

static void deviate_by(struct call_flow *f, const struct story *s, const struct view *v,
                       const struct path *p, unsigned at)
{
    const struct op *op = &p->op[at];

    if (op->how == STEP_MISSING)
        deviate_missing(f, s, v, p, at);
    else if (op->how == STEP_EXTRA)
        deviate_extra(f, s, v, p, at);
    else
        deviate(f, CALL_FLOW_UNRELIABLE, &v->rows[op->row], &s->seen[op->message]);
}

static void deviate_first(struct call_flow *f, const struct story *s, const struct view *v,
                          const struct path *p, struct ending end)
{
    const struct op *unconfirmed =
        s->unconfirmed >= 0 ? op_of_message(p, (unsigned)s->unconfirmed) : NULL;

    for (unsigned i = 0; i < p->count; i++) {
        if (unconfirmed && p->op[i].message > s->unconfirmed)
            break;
        if (op_costs(s, v, &p->op[i])) {
            deviate_by(f, s, v, p, i);
            return;
        }
    }
    if (unconfirmed)
        deviate_unconfirmed(f, s, v, unconfirmed);
    else if (end.message < s->count)
        deviate(f, CALL_FLOW_INSTEAD, expected_row(s, v, end.row), &s->seen[end.message]);
}

static void compare_in_full(const struct story *s, const struct candidate *c, const struct view *v,
                            struct compared *best)
{
    struct grid grid;
    struct path path;

    grid.limit = s->count * COST_ONE > COST_BROKEN_OFF ? (s->count + 1) * COST_ONE : COST_BROKEN_OFF;
    grid.limit = best->cost < grid.limit ? best->cost : grid.limit;
    grid_fill(&grid, s, c, v);
    struct ending end = grid_end(&grid, s, v);

    if (end.cost == COST_NEVER || end.cost > best->cost)
        return;
    path_trace(&path, &grid, end);
    if (end.cost == best->cost && path.matched <= best->matched)
        return;
    *best = (struct compared){ .view = v, .cost = end.cost, .matched = path.matched,
                               .flow = { .flow = c->flow } };
    deviate_first(&best->flow, s, v, &path, end);
}

/* The view of this flow that is nearest to the call. Aligned are only those that the call
 * follows longest. */
static struct compared compare(const struct story *s, const struct candidate *c, bool alone)
{
    struct compared best = { .cost = COST_NEVER };
    const struct view *v = &views[c->first];
    unsigned steps[VIEWS_MAX], most = 0;

    for (unsigned i = 0; i < c->count; i++) {
        steps[i] = v[i].third && alone ? 0 : followed(s, c, &v[i]) + 1;
        if (steps[i] > s->count + 1 && s->unconfirmed < 0 && !s->call->partial)
            return (struct compared){ .view = &v[i], .matched = s->count,
                                      .flow = { .flow = c->flow } };
        most = steps[i] > most ? steps[i] : most;
    }
    for (unsigned i = 0; i < c->count; i++)
        if (steps[i] == most)
            compare_in_full(s, c, &v[i], &best);
    return best;
}

/* ---- which flow -------------------------------------------------------------------------- */

static bool may_be(const struct candidate *c, uint16_t marks)
{
    return (marks & c->needs) == c->needs && !(marks & c->never);
}

/* Two of three steps as they should be; of a flow of two steps, one. */
static bool is_near(const struct compared *one)
{
    if (one->view && one->view->count <= 2)
        return one->matched > 0;
    return one->matched >= 2 && one->cost / COST_ONE <= one->matched;
}

static void diagnose_alone(struct call *c)
{
    struct story story;
    struct compared best = { .cost = COST_NEVER };

    story_begin(&story, c);
    for (size_t i = 0; i < ARRAY_LEN(candidates) && best.cost > 0; i++) {
        if (!may_be(&candidates[i], story.marks))
            continue;
        struct compared one = compare(&story, &candidates[i], true);

        if (one.cost < best.cost || (one.cost == best.cost && one.matched > best.matched))
            best = one;
    }
    if (is_near(&best))
        c->flow = best.flow;
}

/* ---- several legs ------------------------------------------------------------------------ */

#define LEGS_MAX 4u                  /* more are no flow of ours: they are looked at alone */

/* One that failed, and somebody else was called after that: forwarded, not rung beside it. */
static bool was_replaced(struct call *const *legs, size_t count, size_t failed)
{
    const struct call *c = legs[failed];
    int64_t end_ns = c->cancel_ns ? c->cancel_ns : c->ended_ns;

    for (size_t i = 1; i < count; i++)
        if (i != failed && end_ns && legs[i]->invite_ns >= end_ns)
            return true;
    return false;
}

/* How it ended is told by the first leg; what happened meanwhile by any. */
static uint16_t marks_of_session(struct call *const *legs, const struct story *stories,
                                 size_t count)
{
    static const uint16_t of_first =
        FLOW_IS_ANSWERED | FLOW_IS_BUSY | FLOW_IS_UNANSWERED | FLOW_IS_CANCELLED;
    uint16_t marks = stories[0].marks;

    for (size_t i = 1; i < count; i++) {
        marks |= stories[i].marks & (uint16_t)~of_first;
        if (!was_replaced(legs, count, i))
            continue;
        if (stories[i].marks & FLOW_IS_BUSY)
            marks |= FLOW_IS_BRANCH_BUSY;
        else if (stories[i].marks & (FLOW_IS_CANCELLED | FLOW_IS_UNANSWERED))
            marks |= FLOW_IS_BRANCH_UNANSWERED;
    }
    return marks;
}

static bool compare_legs(const struct story *stories, size_t count, const struct candidate *c,
                         struct compared ret[LEGS_MAX], struct compared *ret_sum)
{
    struct compared sum = { .flow = { .flow = c->flow } };

    for (size_t i = 0; i < count; i++) {
        ret[i] = compare(&stories[i], c, false);
        sum.cost += ret[i].cost;
        sum.matched += ret[i].matched;
        for (size_t k = 1; k < i; k++)                    /* two legs cannot be the same one */
            if (ret[k].view == ret[i].view && c->count > 2)
                sum.cost += COST_MISSING;
    }
    *ret_sum = sum;
    return is_near(&sum);
}

static bool diagnose_together(struct call *const *legs, size_t count)
{
    struct story stories[LEGS_MAX] = {0};
    struct compared best[LEGS_MAX], one[LEGS_MAX], sum;
    unsigned least = COST_NEVER;

    for (size_t i = 0; i < count; i++)
        story_begin(&stories[i], legs[i]);
    uint16_t marks = marks_of_session(legs, stories, count);

    for (size_t i = 0; i < ARRAY_LEN(candidates) && least > 0; i++)
        if (may_be(&candidates[i], marks) &&
            compare_legs(stories, count, &candidates[i], one, &sum) && sum.cost < least) {
            least = sum.cost;
            memcpy(best, one, sizeof best);
        }
    for (size_t i = 0; i < count && least < COST_NEVER; i++)
        legs[i]->flow = best[i].flow;
    return least < COST_NEVER;
}

void diagnose_flow(struct call *const *legs, size_t count)
{
    bool all = count > 1 && count <= LEGS_MAX;

    for (size_t i = 0; i < count; i++)
        all &= legs[i]->trace.count > 0;
    if (all && diagnose_together(legs, count))
        return;
    for (size_t i = 0; i < count; i++)
        if (legs[i]->trace.count)
            diagnose_alone(legs[i]);
}

/* ---- registrations ----------------------------------------------------------------------- */

static void registration_deviates(struct registration *r, enum call_deviation kind, uint8_t step)
{
    r->flow.deviation = (uint8_t)kind;
    r->flow.step = step;
    r->flow.method = SIP_REGISTER;
    r->flow.status = r->final;
    r->flow.frame = r->last_frame;
}

/* Both flows have the same steps: asked, challenged, asked with the password, granted. */
void diagnose_flow_registration(struct registration *r)
{
    bool leaves = r->state == REGISTRATION_UNREGISTERING || r->all_contacts ||
                  (r->state == REGISTRATION_UNREGISTERED && r->reason == REGISTRATION_ASKED);
    bool unanswered = (r->final == 401 || r->final == 407) && r->requests == 1;

    if (r->requests == 0)
        return;
    r->flow = (struct call_flow){ .flow = leaves ? FLOW_DEREGISTER : FLOW_REGISTER };
    r->flow.part = r->flow.flow;
    if (r->final >= 300 && !r->open_at_end)
        registration_deviates(r, unanswered ? CALL_FLOW_MISSING : CALL_FLOW_INSTEAD,
                              unanswered ? 3 : 4);
    else if (r->final == 0 && !r->open_at_end)
        registration_deviates(r, CALL_FLOW_MISSING, 4);
}
