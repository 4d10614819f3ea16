/* tests/simulator/judge.c - one record per call, its legs and their transactions
 * SPDX-License-Identifier: Apache-2.0 */
#include "simulator/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "simulator/relay.h"
#include "simulator/seen.h"

#define SECOND_NS 1000000000ll

enum { LEGS_MAX = 64, EARLIES_MAX = 16, FAULTS_MAX = 5, PHONE = 0, SWITCH = 1 };
enum method { INVITE, ACK, BYE, CANCEL, PRACK, UPDATE, OTHER };
static const int64_t quiet_ns = 110 * SECOND_NS;

/* A request of a leg, with what became of it. `by`: the side that sent it. */
struct tx {
    uint64_t branch, bytes, phrase;
    int64_t  sent_ns, arrived_ns, final_sent_ns, final_arrived_ns;
    int64_t  ack_ns;                 /* when it came; 0: it did not */
    uint32_t cseq;
    uint32_t finals_arrived, acks;
    uint16_t final, final_arrived;
    uint8_t  method, by;
    bool     arrived, got_1xx, cancelled, cancel_arrived, ack_arrived;
};

/* A dialog of a leg, by the tag of who is called: towards A each phone may have its own. */
struct early {
    uint64_t tag;
    uint64_t phones;                 /* legs whose SDP its 1xx and 2xx may be, as bits */
    int64_t  rseq_sent_ns;
    uint32_t last_cseq[2];
    uint32_t rseq_first, rseq_sent, rseq_arrived, prack_sent, prack_arrived;   /* reliable 1xx; 0: none */
    uint16_t rseq_status;
    bool     rseq_has_sdp;
};

/* What was said, and by whom. */
struct body {
    uint64_t hash, legs;             /* legs: as bits */
    uint64_t tag;                    /* of the early dialog in which A said it */
};

struct leg {
    uint64_t   call_id, uac_tag, chosen;                  /* chosen: of the dialog that the 2xx made */
    struct early earlies[EARLIES_MAX];
    unsigned   early_count;
    int        phone, breadth;       /* breadth: the part of Max-Breadth that its phone got; -1: all of it */
    struct tx *all;
    uint16_t   count, room;
    uint8_t    uac;
    bool       silent, over[2], bye_sent[2];              /* over: that side knows that the dialog is */
    int64_t    end_ns;               /* when the switch knew; 0: it does not */
};

struct row {
    int64_t  at_ns;
    uint32_t cseq, rseq;
    uint16_t status;
    uint8_t  from, to, leg, method;
    bool     lost, arrived;
};

struct call {
    struct judge_facts facts;
    uint32_t     number;
    int64_t      last_ns;
    struct leg  *legs;
    uint16_t     leg_count;
    bool         any_silent, bad, transfers;              /* transfers: a REFER or Replaces came: legs change their partner */
    struct body *bodies;
    uint32_t     body_count, body_room;
    struct row  *rows;
    uint32_t     row_count, row_room;
    int          silent_places[8];
    unsigned     silent_count;
};

struct judge {
    struct judge_settings settings;
    struct judge_sums     sums;
    struct call         **calls;
    uint32_t             *live;
    uint32_t              live_count;
    struct hash_seed      seed;
};

/* ---- life ---- */

static void *must(void *p)
{
    if (!p)
        abort();                                          /* a test without memory says nothing */
    return p;
}

struct judge *judge_new(const struct judge_settings *settings)
{
    struct judge *j = must(calloc(1, sizeof *j));

    j->settings = *settings;
    j->seed = (struct hash_seed){ 1, 2 };
    j->calls = must(calloc(settings->calls_max + 1, sizeof *j->calls));
    j->live = must(calloc(settings->calls_max + 1, sizeof *j->live));
    return j;
}

static void call_free(struct call *c)
{
    for (unsigned i = 0; i < c->leg_count; i++)
        free(c->legs[i].all);
    free(c->legs);
    free(c->bodies);
    free(c->rows);
    free(c);
}

struct judge *judge_free(struct judge *j)
{
    if (!j)
        return NULL;
    for (uint32_t i = 0; i <= j->settings.calls_max; i++)
        if (j->calls[i])
            call_free(j->calls[i]);
    free(j->calls);
    free(j->live);
    free(j);
    return NULL;
}

const struct judge_sums *judge_sums(const struct judge *j) { return &j->sums; }

void judge_call(struct judge *j, uint32_t number, const struct judge_facts *facts)
{
    struct call *c = must(calloc(1, sizeof *c));

    c->facts = *facts;
    c->number = number;
    c->last_ns = INT64_MAX;
    j->calls[number] = c;
    j->live[j->live_count++] = number;
    j->sums.calls++;
}

void judge_silent(struct judge *j, uint32_t number, int place)
{
    struct call *c = number <= j->settings.calls_max ? j->calls[number] : NULL;

    if (!c)
        return;
    c->any_silent = true;
    if (c->silent_count < ARRAY_LEN(c->silent_places))
        c->silent_places[c->silent_count++] = place;
    for (unsigned i = 0; i < c->leg_count; i++)
        c->legs[i].silent |= c->legs[i].phone == place;
}

/* ---- telling ---- */

static const char *const methods[] = { "INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "other" };

static void name_of(const struct judge *j, int place, char name[16])
{
    if (place == j->settings.switch_place)
        snprintf(name, 16, "S");
    else
        snprintf(name, 16, "p%d", place);
}

static void print_row(const struct judge *j, const struct row *r)
{
    char from[16], to[16];
    int64_t ms = (r->at_ns - j->settings.start_ns) / 1000000;

    name_of(j, r->from, from);
    name_of(j, r->to, to);
    printf("  %6lld.%03lld leg %c %4s %s %-4s ", (long long)(ms / 1000), (long long)(ms % 1000), r->leg ? 'a' + r->leg : 'a', from,
           r->arrived ? "->|" : r->lost ? "-x " : "-> ", to);
    if (r->status)
        printf("%u ", r->status);
    printf("%s %u", methods[r->method], r->cseq);
    if (r->rseq)
        printf(" rseq %u", r->rseq);
    printf("\n");
}

__attribute__((format(printf, 3, 4))) static void fault(struct judge *j, struct call *c, const char *why, ...)
{
    va_list args;

    if (c->bad)
        return;
    c->bad = true;
    if (++j->sums.faults > FAULTS_MAX)
        return;
    printf("call %u: ", c->number);
    va_start(args, why);
    vprintf(why, args);
    va_end(args);
    printf("\n");
    for (uint32_t i = 0; i < c->row_count; i++)
        print_row(j, &c->rows[i]);
    printf("  to see it again: %s --show %u\n", j->settings.repeat_command, c->number);
    fflush(stdout);
}

static void note(struct call *c, const struct row *r)
{
    if (c->row_count == c->row_room) {
        c->row_room = c->row_room ? c->row_room * 2 : 32;
        c->rows = must(realloc(c->rows, c->row_room * sizeof *c->rows));
    }
    c->rows[c->row_count++] = *r;
}

/* ---- finding ---- */

static uint64_t hash(const struct judge *j, slice text) { return text.len ? hash_slice(&j->seed, text) | 1 : 0; }

static enum method method_of(slice name)
{
    for (unsigned i = 0; i < OTHER; i++)
        if (slice_eq(name, slice_of_string(methods[i])))
            return (enum method)i;
    return OTHER;
}

static struct leg *leg_find(struct call *c, uint64_t call_id)
{
    for (unsigned i = 0; i < c->leg_count; i++)
        if (c->legs[i].call_id == call_id)
            return &c->legs[i];
    return NULL;
}

static struct leg *leg_new(struct judge *j, struct call *c, uint64_t call_id, int phone, uint8_t uac)
{
    if (c->leg_count == LEGS_MAX)
        return NULL;
    c->legs = must(realloc(c->legs, (c->leg_count + 1u) * sizeof *c->legs));
    struct leg *l = &c->legs[c->leg_count++];

    *l = (struct leg){ .call_id = call_id, .phone = phone, .uac = uac };
    for (unsigned i = 0; i < c->silent_count; i++)
        l->silent |= c->silent_places[i] == phone;
    j->sums.legs++;
    return l;
}

/* NULL: too many. A new one begins behind the INVITE. */
static struct early *early_of(struct leg *l, uint64_t tag)
{
    for (unsigned i = 0; i < l->early_count; i++)
        if (l->earlies[i].tag == tag)
            return &l->earlies[i];
    if (l->early_count == EARLIES_MAX)
        return NULL;
    struct early *e = &l->earlies[l->early_count++];

    *e = (struct early){ .tag = tag, .phones = UINT64_MAX };
    if (l->count)
        e->last_cseq[l->uac] = l->all[0].cseq;
    return e;
}

/* By branch; CANCEL and the ACK of a refusal have that of their INVITE, which is asked for. */
static struct tx *tx_find(struct leg *l, uint64_t branch, enum method method, uint8_t by)
{
    for (unsigned i = 0; i < l->count; i++)
        if (l->all[i].branch == branch && l->all[i].method == method && l->all[i].by == by)
            return &l->all[i];
    return NULL;
}

static struct tx *invite_of(struct leg *l, uint32_t cseq, uint8_t by)
{
    for (unsigned i = 0; i < l->count; i++)
        if (l->all[i].method == INVITE && l->all[i].cseq == cseq && l->all[i].by == by)
            return &l->all[i];
    return NULL;
}

static struct tx *tx_new(struct judge *j, struct leg *l)
{
    if (l->count == l->room) {
        l->room = l->room ? l->room * 2 : 4;
        l->all = must(realloc(l->all, l->room * sizeof *l->all));
    }
    j->sums.requests++;
    l->all[l->count] = (struct tx){ 0 };
    return &l->all[l->count++];
}

/* ---- a request is sent ---- */

/* The early dialog of the message; NULL: of none, or something is wrong with it. */
static struct early *check_tags(struct judge *j, struct call *c, struct leg *l, const struct seen *m, uint8_t by)
{
    uint8_t asks = m->is_request ? by : !by;
    uint64_t from = hash(j, m->from_tag), to = hash(j, m->to_tag), of_uac = asks == l->uac ? from : to, of_uas = asks == l->uac ? to : from;
    struct early *e;

    if (!m->is_request && slice_eq(m->method, SLICE("CANCEL")))
        of_uas = 0;
    if (!l->uac_tag)
        l->uac_tag = of_uac;
    if (l->uac_tag != of_uac)
        fault(j, c, "the caller's tag is not that of its leg");
    if (!of_uas)
        return NULL;
    if (by == l->uac && l->early_count) {
        for (e = l->earlies; e < l->earlies + l->early_count && e->tag != of_uas; e++)
            ;
        if (e == l->earlies + l->early_count)
            fault(j, c, "a request to a tag that nobody gave");
    }
    e = early_of(l, of_uas);
    /* only towards who called us do several phones answer one INVITE */
    if (!e || (l->uac == SWITCH && l->early_count > 1))
        fault(j, c, "the tag of who is called is not that of its leg");
    else if (m->is_request && by == SWITCH && l->chosen && l->chosen != of_uas)
        fault(j, c, "a request in an early dialog that is over");
    return e;
}

static void check_branch(struct judge *j, struct call *c, const struct leg *mine, uint64_t branch)
{
    for (unsigned i = 0; i < c->leg_count; i++)
        for (unsigned k = 0; &c->legs[i] != mine && k < c->legs[i].count; k++)
            if (c->legs[i].all[k].branch == branch)
                fault(j, c, "a branch of another leg");
}

static void sent_ack(struct judge *j, struct call *c, struct leg *l, const struct seen *m, uint8_t by)
{
    struct tx *t = tx_find(l, hash(j, m->branch), INVITE, by);

    if (t) {
        if (t->final < 300 || !t->finals_arrived)
            fault(j, c, "ACK of a refusal that did not come");
        return;
    }
    t = invite_of(l, m->cseq, by);
    if (!t || !t->finals_arrived || t->final >= 300)
        fault(j, c, "ACK of a 2xx that did not come");
    else if (++t->acks > t->finals_arrived)
        fault(j, c, "more ACKs (%u) than 2xx (%u)", t->acks, t->finals_arrived);
}

static void sent_cancel(struct judge *j, struct call *c, struct leg *l, const struct seen *m, uint8_t by)
{
    struct tx *t = tx_find(l, hash(j, m->branch), INVITE, by);

    if (!t || t->cseq != m->cseq)
        fault(j, c, "CANCEL of nothing");
    else if (!t->got_1xx)
        fault(j, c, "CANCEL before any answer");
    else if (!t->cancelled && t->finals_arrived)
        fault(j, c, "CANCEL after the final answer");
    if (t)
        t->cancelled = true;
}

static void sent_prack(struct judge *j, struct call *c, struct leg *l, struct early *e, const struct seen *m, uint8_t by)
{
    struct tx *t = invite_of(l, m->rack_cseq, by);

    if (!t || !e || !e->rseq_arrived || m->rack_rseq > e->rseq_arrived || m->rack_rseq < e->rseq_first)
        fault(j, c, "PRACK %u %u of nothing", m->rack_rseq, m->rack_cseq);
    else if (m->rack_rseq <= e->prack_sent)
        fault(j, c, "a second PRACK of %u", m->rack_rseq);
    else
        e->prack_sent = m->rack_rseq;
}

static void sent_bye(struct judge *j, struct call *c, struct leg *l, uint8_t by, int64_t now_ns)
{
    if (l->bye_sent[by])
        fault(j, c, "a second BYE");
    const struct tx *t = &l->all[0];

    if (l->count && t->by != by && t->final / 100 == 2 && !t->ack_arrived && now_ns < t->final_sent_ns + 31 * SECOND_NS)
        fault(j, c, "BYE before the ACK");
    l->bye_sent[by] = l->over[by] = true;
    if (by == SWITCH && !l->end_ns)
        l->end_ns = now_ns;
}

static void sent_invite(struct judge *j, struct call *c, struct leg *l, uint8_t by)
{
    for (unsigned i = 0; i < l->count; i++) {
        const struct tx *t = &l->all[i];

        if (t->method == INVITE && t->by == by && !t->finals_arrived)
            fault(j, c, "an INVITE while its last one is open");
        if (t->method == INVITE && t->by != by && t->arrived && !t->final)
            fault(j, c, "an INVITE while the other side's is open");
    }
}

/* Whom nothing has come from cannot be cancelled (RFC 3261, 9.1): given up with the others that ring no more. */
static bool is_open(const struct tx *t, bool others_cancelled, int64_t now_ns)
{
    return !t->finals_arrived && !t->cancelled && now_ns < t->sent_ns + 31 * SECOND_NS && (t->got_1xx || !others_cancelled);
}

/* May one more be called? */
static void check_room(struct judge *j, struct call *c, struct leg *l, const struct seen *m, int64_t now_ns)
{
    unsigned open = 0;
    int breadth = 0;
    bool refused = false, cancelled = false;

    l->breadth = m->breadth;
    if (c->transfers)                                     /* it may be of a new call, which has rules of its own */
        return;
    if (c->facts.breadth >= 0 && m->breadth < 1)
        fault(j, c, "an INVITE without its part of Max-Breadth");
    for (struct leg *k = c->legs + 1; k < l; k++) {
        refused |= k->all[0].finals_arrived;
        cancelled |= k->all[0].cancelled;
    }
    for (struct leg *k = c->legs + 1; k < l; k++) {
        if (!is_open(&k->all[0], cancelled, now_ns))
            continue;
        open++;
        breadth += k->breadth;
    }
    if (!c->facts.at_once)
        return;
    j->sums.waited += refused;
    if (open >= j->settings.forks_max)
        fault(j, c, "more phones ring than %u", j->settings.forks_max);
    if (c->facts.breadth >= 0 && breadth + m->breadth > c->facts.breadth)
        fault(j, c, "Max-Breadth of %d where %d of %d is used", m->breadth, breadth, c->facts.breadth);
}

static struct body *body_find(struct call *c, uint64_t body)
{
    for (uint32_t i = c->body_count; i-- > 0;)
        if (c->bodies[i].hash == body)
            return &c->bodies[i];
    return NULL;
}

/* What the switch passes on, as it was before the relay had it. */
static uint64_t said(const struct judge *j, const struct seen *m)
{
    char room[4096];
    slice own = m->body;

    if (j->settings.media != JUDGE_MEDIA_DIRECT)
        (void)voice_relay_unmark(m->body, room, sizeof room, &own);
    return hash(j, own);
}

/* What A says in the early dialog of one phone goes to no other. */
static void check_way(struct judge *j, struct call *c, const struct leg *l, const struct seen *m, uint8_t by)
{
    const struct body *body = by == SWITCH && l != c->legs ? body_find(c, said(j, m)) : NULL;
    const struct early *e = body && body->tag ? early_of(c->legs, body->tag) : NULL;

    if (e && !c->transfers && !(e->phones >> (l - c->legs) & 1))
        fault(j, c, "what A said to another phone");
}

static void sent_request(struct judge *j, struct call *c, struct leg *l, struct early *e, const struct seen *m, slice bytes, uint8_t by,
                         int64_t now_ns)
{
    enum method method = method_of(m->method);
    uint64_t branch = hash(j, m->branch);
    struct tx *t;

    if (method == ACK) {
        sent_ack(j, c, l, m, by);
        return;
    }
    t = tx_find(l, branch, method, by);
    if (t) {
        if (t->bytes != hash(j, bytes))
            fault(j, c, "a repeated %s is not the same", methods[method]);
        return;
    }
    if (method == CANCEL) {
        sent_cancel(j, c, l, m, by);
    } else {
        check_branch(j, c, l, branch);
        if (e && e->last_cseq[by] && m->cseq <= e->last_cseq[by])
            fault(j, c, "CSeq %u behind %u", m->cseq, e->last_cseq[by]);
        if (e)
            e->last_cseq[by] = m->cseq;
        check_way(j, c, l, m, by);
        if (l->over[by])
            fault(j, c, "%s after the end of the dialog", methods[method]);
    }
    if (method == PRACK)
        sent_prack(j, c, l, e, m, by);
    else if (method == BYE)
        sent_bye(j, c, l, by, now_ns);
    else if (method == INVITE)
        sent_invite(j, c, l, by);
    if (method == INVITE && by == SWITCH && !l->count)
        check_room(j, c, l, m, now_ns);
    t = tx_new(j, l);
    t->branch = branch;
    t->bytes = hash(j, bytes);
    t->cseq = m->cseq;
    t->method = (uint8_t)method;
    t->by = by;
    t->sent_ns = now_ns;
}

/* ---- an answer is sent ---- */

/* Did every phone that was called say so? */
static bool all_said(const struct call *c, unsigned status)
{
    for (unsigned i = 1; i < c->leg_count; i++)
        if (!c->legs[i].all[0].finals_arrived || c->legs[i].all[0].final != status)
            return false;
    return c->leg_count > 1;
}

/* True: its Expires has passed. The relay may be asked for long about an answer that came in time. */
static bool has_expired(struct judge *j, struct call *c, const struct tx *t, int64_t now_ns)
{
    int64_t end_ns = t->arrived_ns + c->facts.expires_s * SECOND_NS;
    int64_t slack_ns = j->settings.media == JUDGE_MEDIA_DIRECT ? SECOND_NS : 30 * SECOND_NS;

    if (!c->facts.expires_s)
        return false;
    if (now_ns > end_ns + slack_ns)
        fault(j, c, "A hears %u %lld ms after its Expires", t->final, (long long)((now_ns - end_ns) / 1000000));
    return now_ns >= end_ns;
}

static void check_global(struct judge *j, struct call *c, unsigned status, unsigned said)
{
    j->sums.global++;
    if (!j->settings.global_codes || !(c->facts.refuses || all_said(c, said)))
        fault(j, c, "A hears %u, which nobody said", status);
}

/* The code that A gets, and why it may be that one. */
static void check_code(struct judge *j, struct call *c, struct leg *a, const struct tx *t, int64_t now_ns)
{
    bool cancelled = t->cancel_arrived || a->over[SWITCH], same = false, any_6xx = false, open = false, challenged = false;
    unsigned finals = 0;
    bool prack_missing = false, any_reliable = false, expired;

    for (const struct early *e = a->earlies; e < a->earlies + a->early_count; e++) {
        any_reliable |= e->rseq_sent != 0;
        prack_missing |= e->rseq_sent && e->prack_arrived != e->rseq_sent && now_ns >= e->rseq_sent_ns + 31 * SECOND_NS;
    }
    for (unsigned i = 1; i < c->leg_count; i++) {
        const struct tx *b = &c->legs[i].all[0];

        if (!b->finals_arrived) {
            open = true;
            continue;
        }
        finals++;
        same |= b->final == t->final && b->phrase == t->phrase;
        any_6xx |= b->final >= 600;
        challenged |= b->final == 401 || b->final == 407;
    }
    if (t->final / 100 == 2) {
        j->sums.answered++;
        (void)has_expired(j, c, t, now_ns);
        if (!same)
            fault(j, c, "A hears %u, which nobody said", t->final);
        return;
    }
    j->sums.refused++;
    expired = has_expired(j, c, t, now_ns);
    if (cancelled) {
        if (t->final != 487)
            fault(j, c, "A hears %u after its CANCEL", t->final);
        return;
    }
    if (any_6xx && t->final < 600 && !c->facts.refuses && !c->facts.impatient)      /* of whom it was sent on from, nothing counts */
        fault(j, c, "A hears %u though somebody said 6xx", t->final);
    if (same && j->settings.global_codes && c->facts.at_once && (t->final == 486 || t->final == 488) && all_said(c, t->final))
        fault(j, c, "A hears %u, which every phone said", t->final);
    if (same)
        return;
    switch (t->final) {
    case 440:
        j->sums.unspread++;
        if (c->facts.breadth != 0)
            fault(j, c, "A hears 440 though it left room");
        return;
    case 487:
        j->sums.expired++;
        if (!expired)
            fault(j, c, "A hears 487 without its CANCEL");
        return;
    case 600:
        check_global(j, c, 600, 486);
        return;
    case 606:
        check_global(j, c, 606, 488);
        return;
    case 404:
        if (!c->facts.unknown)
            fault(j, c, "A hears 404, which nobody said");
        return;
    case 403:
        if (!c->facts.gateway || !challenged)
            fault(j, c, "A hears 403, which nobody said");
        return;
    case 504:
        if (!prack_missing)
            fault(j, c, "A hears 504, which nobody said");
        return;
    case 486: case 433:
        if (!c->facts.refuses)
            fault(j, c, "A hears %u, which nobody said", t->final);
        return;
    case 408: case 480:
        if ((!open && finals && c->facts.plain) || (c->facts.breadth == 0 && c->facts.plain))
            fault(j, c, "A hears %u, which B did not say", t->final);
        return;
    case 580:
        if (!j->settings.acts_on_preconditions || !any_reliable)
            fault(j, c, "A hears 580, which nobody said");
        return;
    case 500:
        if (c->facts.plain)
            fault(j, c, "A hears 500, which B did not say");
        return;
    default:
        fault(j, c, "A hears %u, which nobody said", t->final);
    }
}

static void sent_reliable(struct judge *j, struct call *c, struct early *e, const struct seen *m, int64_t now_ns)
{
    if (e->rseq_sent == m->rseq) {
        if (e->rseq_status != m->status)
            fault(j, c, "RSeq %u twice", m->rseq);
        return;
    }
    if (e->rseq_sent && m->rseq != e->rseq_sent + 1)
        fault(j, c, "RSeq %u after %u", m->rseq, e->rseq_sent);
    if (e->rseq_sent && e->prack_arrived != e->rseq_sent)
        fault(j, c, "RSeq %u before the PRACK of %u", m->rseq, e->rseq_sent);
    if (!e->rseq_first)
        e->rseq_first = m->rseq;
    e->rseq_sent = m->rseq;
    e->rseq_sent_ns = now_ns;
    e->rseq_status = (uint16_t)m->status;
    e->rseq_has_sdp = m->body.len != 0;
}

/* The SDP of one phone in each dialog of A: what another says is not its answer. */
static void check_phone(struct judge *j, struct call *c, struct early *e, const struct seen *m)
{
    const struct body *body = body_find(c, said(j, m));

    if (!body || !m->body.len)
        return;
    e->phones &= body->legs;
    if (!e->phones)
        fault(j, c, "SDP of two phones under one tag");
}

/* 199: the phone whose SDP this early dialog has does not ring any more. */
static void check_ended(struct judge *j, struct call *c, const struct early *e)
{
    for (unsigned i = 1; i < c->leg_count && e->phones != UINT64_MAX; i++) {
        const struct tx *b = &c->legs[i].all[0];

        if (e->phones >> i & 1 && !b->finals_arrived && !b->cancelled)
            fault(j, c, "199 of a phone that still rings");
    }
}

static void sent_answer(struct judge *j, struct call *c, struct leg *l, struct early *e, const struct seen *m, uint8_t by, int64_t now_ns)
{
    enum method method = method_of(m->method);
    struct tx *t = tx_find(l, hash(j, m->branch), method, !by);

    if (!t || !t->arrived || t->cseq != m->cseq) {
        fault(j, c, "an answer to no request");
        return;
    }
    if (l == c->legs && t == &l->all[0] && m->status < 300 && e)
        check_phone(j, c, e, m);
    if (m->status == 199) {
        j->sums.early_ended++;
        if (!e)
            fault(j, c, "a 199 without a tag");
        else
            check_ended(j, c, e);
    }
    if (m->status < 200) {
        if (t->final)
            fault(j, c, "%u after the final answer", m->status);
        if (m->is_reliable && !e)
            fault(j, c, "a reliable %u without a tag", m->status);
        else if (m->is_reliable)
            sent_reliable(j, c, e, m, now_ns);
        return;
    }
    if (t->final) {
        /* After 64*T1 the transaction is forgotten (RFC 6026): a late copy is a new request. */
        if (t->final != m->status && now_ns < t->final_sent_ns + 32 * SECOND_NS)
            fault(j, c, "%s has two final answers, %u and %u", methods[method], t->final, m->status);
        return;
    }
    t->final = (uint16_t)m->status;
    t->phrase = hash(j, m->phrase);
    t->final_sent_ns = now_ns;
    if (method != INVITE)
        return;
    if (t != &l->all[0])
        return;
    if (t->final < 300 && e && e->rseq_has_sdp && e->prack_arrived != e->rseq_sent)
        fault(j, c, "2xx before the PRACK of a 1xx with SDP");
    if (t->final < 300 && e)
        l->chosen = e->tag;
    if (l == &c->legs[0])
        check_code(j, c, l, t, now_ns);
    else if (by == SWITCH)                                /* of a second call, or of one that took a place */
        *(t->final / 100 == 2 ? &j->sums.answered : &j->sums.refused) += 1;
    if (t->final >= 300)
        l->over[by] = true;
    if (t->final >= 300 && by == SWITCH && !l->end_ns)
        l->end_ns = now_ns;
}

/* ---- both ---- */

/* The status line in a NOTIFY: what the call with the new party was answered, or why we gave up. */
static void check_fragment(struct judge *j, struct call *c, slice line)
{
    static const uint16_t own[] = { 100, 200, 403, 404, 408, 433, 440, 480, 481, 486, 487, 488, 491, 500, 503, 504, 600, 603, 604, 606 };
    uint32_t status = 0;

    line = slice_skip(line, SLICE("SIP/2.0 ").len);
    (void)slice_take_u32(&line, &status);
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (own[i] == status)
            return;
    for (unsigned i = 0; i < c->leg_count; i++)
        for (unsigned k = 0; k < c->legs[i].count; k++)
            if (c->legs[i].all[k].method == INVITE && c->legs[i].all[k].by == SWITCH &&
                (c->legs[i].all[k].final == status || (status < 200 && c->legs[i].all[k].got_1xx)))
                return;
    fault(j, c, "a NOTIFY of %u, which nobody said", (unsigned)status);
}

static void check_body(struct judge *j, struct call *c, const struct seen *m, uint8_t by)
{
    char room[4096];
    slice own;

    if (by != SWITCH || !m->body.len)
        return;
    if (m->is_request && slice_eq(m->method, SLICE("NOTIFY")) && slice_starts(m->body, SLICE("SIP/2.0 "))) {
        check_fragment(j, c, m->body);
        return;
    }
    if (j->settings.media == JUDGE_MEDIA_RELAYED && !voice_relay_unmark(m->body, room, sizeof room, &own))
        fault(j, c, "SDP that did not go by the relay");
    if (!body_find(c, said(j, m)))
        fault(j, c, "a body that nobody sent");
}

static void keep_body(struct judge *j, struct call *c, const struct leg *l, const struct seen *m)
{
    uint64_t body = hash(j, m->body);
    struct body *known = body ? body_find(c, body) : NULL;

    if (!body)
        return;
    if (!known && c->body_count == c->body_room) {
        c->body_room = c->body_room ? c->body_room * 2 : 8;
        c->bodies = must(realloc(c->bodies, c->body_room * sizeof *c->bodies));
    }
    if (!known) {
        known = &c->bodies[c->body_count++];
        *known = (struct body){ .hash = body, .tag = l == c->legs && m->is_request ? hash(j, m->to_tag) : 0 };
    }
    known->legs |= 1ull << (l - c->legs);
}

static struct call *call_of(struct judge *j, const struct seen *m)
{
    static struct call lost;

    if (m->call && m->call <= j->settings.calls_max && j->calls[m->call])
        return j->calls[m->call];
    lost = (struct call){ .number = m->call };
    fault(j, &lost, "a message of a call that is over, or never was: %s %u " SLICE_FMT, m->is_request ? "request" : "answer",
          m->status, SLICE_ARG(m->method));
    return NULL;
}

static void show(const struct judge *j, const struct call *c, const struct row *r, slice bytes)
{
    if (c->number != j->settings.show)
        return;
    print_row(j, r);
    if (!r->arrived)
        printf(SLICE_FMT "\n", SLICE_ARG(bytes));
}

void judge_sent(struct judge *j, int from, int to, slice bytes, int64_t now_ns, bool lost)
{
    uint8_t by = from == j->settings.switch_place ? SWITCH : PHONE;
    struct seen m;
    struct call *c;
    struct leg *l;

    j->sums.messages++;
    if (!seen_read(bytes, &m)) {
        struct call nobody = { 0 };

        fault(j, &nobody, "unreadable: " SLICE_FMT, SLICE_ARG(bytes));
        return;
    }
    if (!(c = call_of(j, &m)))
        return;
    uint64_t call_id = hash(j, m.call_id);

    l = leg_find(c, call_id);
    c->transfers |= m.is_request && by == PHONE && (slice_eq(m.method, SLICE("REFER")) || (!l && c->leg_count));
    if (!l && m.is_request && !m.to_tag.len && slice_eq(m.method, SLICE("INVITE")) && (by == PHONE || c->leg_count > 0))
        l = leg_new(j, c, call_id, by == SWITCH ? to : from, by);
    struct row r = { .at_ns = now_ns, .cseq = m.cseq, .rseq = m.rseq ? m.rseq : m.rack_rseq, .status = (uint16_t)m.status,
                     .from = (uint8_t)from, .to = (uint8_t)to, .leg = (uint8_t)(l ? l - c->legs : 0),
                     .method = (uint8_t)method_of(m.method), .lost = lost };

    c->last_ns = now_ns;
    note(c, &r);
    show(j, c, &r, bytes);
    if (!l) {
        fault(j, c, "a message of no leg");
        return;
    }
    if ((by == SWITCH ? to : from) != l->phone)
        fault(j, c, "a message of a leg on another hop");
    struct early *e = check_tags(j, c, l, &m, by);

    check_body(j, c, &m, by);
    if (m.is_request)
        sent_request(j, c, l, e, &m, bytes, by, now_ns);
    else
        sent_answer(j, c, l, e, &m, by, now_ns);
}

/* ---- arrivals ---- */

static void request_arrived(struct judge *j, struct leg *l, const struct seen *m, uint8_t at, int64_t now_ns)
{
    enum method method = method_of(m->method);
    struct tx *t = method == ACK ? NULL : tx_find(l, hash(j, m->branch), method, !at);
    struct tx *invite = method == ACK ? invite_of(l, m->cseq, !at)
                        : method == CANCEL ? tx_find(l, hash(j, m->branch), INVITE, !at)
                        : method == PRACK ? invite_of(l, m->rack_cseq, !at) : NULL;

    if (t && !t->arrived)
        t->arrived_ns = now_ns;
    if (t)
        t->arrived = true;
    if (method == ACK && invite) {
        invite->ack_arrived = true;
        invite->ack_ns = invite->ack_ns ? invite->ack_ns : now_ns;
    }
    if (method == INVITE && l->all[0].by != at && l->all[0].final / 100 == 2 && t != &l->all[0])
        l->all[0].ack_arrived = true;                     /* it must have the 2xx */
    if (method == CANCEL && invite)
        invite->cancel_arrived = true;
    struct early *e = method == PRACK && invite ? early_of(l, hash(j, m->to_tag)) : NULL;

    if (e && m->rack_rseq > e->prack_arrived)
        e->prack_arrived = m->rack_rseq;
    if (method == BYE) {
        l->over[at] = true;
        if (at == SWITCH && !l->end_ns)
            l->end_ns = now_ns;
    }
}

static void answer_arrived(struct judge *j, struct leg *l, const struct seen *m, uint8_t at, int64_t now_ns)
{
    struct tx *t = tx_find(l, hash(j, m->branch), method_of(m->method), at);

    if (!t)
        return;
    if (m->status < 200) {
        struct early *e = m->is_reliable ? early_of(l, hash(j, m->to_tag)) : NULL;

        t->got_1xx = true;
        if (e && m->rseq > e->rseq_arrived)
            e->rseq_arrived = m->rseq;
        return;
    }
    if (!t->finals_arrived++) {
        t->final_arrived_ns = now_ns;
        t->final_arrived = (uint16_t)m->status;
    }
    bool knows = l->all[0].by == SWITCH || l->all[0].ack_ns;   /* our 2xx; before, 481 means nothing */

    if (t != &l->all[0] && m->status == 481 && t->method != PRACK && at == SWITCH && knows && t->finals_arrived == 1 &&
        !l->end_ns)
        l->end_ns = now_ns;                               /* a BYE may follow, but need not */
    if (t == &l->all[0] && m->status >= 300) {
        l->over[at] = true;
        if (at == SWITCH && !l->end_ns)
            l->end_ns = now_ns;
    }
}

void judge_arrived(struct judge *j, int from, int to, slice bytes, int64_t now_ns)
{
    uint8_t at = to == j->settings.switch_place ? SWITCH : PHONE;
    struct seen m;

    if (!seen_read(bytes, &m) || !m.call || m.call > j->settings.calls_max || !j->calls[m.call])
        return;
    struct call *c = j->calls[m.call];
    struct leg *l = leg_find(c, hash(j, m.call_id));

    if (!l)
        return;
    if (c->number == j->settings.show) {
        struct row r = { .at_ns = now_ns, .cseq = m.cseq, .rseq = m.rseq ? m.rseq : m.rack_rseq, .status = (uint16_t)m.status,
                         .from = (uint8_t)from, .to = (uint8_t)to, .leg = (uint8_t)(l - c->legs),
                         .method = (uint8_t)method_of(m.method), .arrived = true };

        show(j, c, &r, bytes);
    }
    if (at == SWITCH)
        keep_body(j, c, l, &m);
    if (m.is_request)
        request_arrived(j, l, &m, at, now_ns);
    else
        answer_arrived(j, l, &m, at, now_ns);
}

/* ---- the end ---- */

static bool side_is_silent(const struct leg *l, uint8_t side) { return side == PHONE && l->silent; }

static void close_tx(struct judge *j, struct call *c, const struct leg *l, const struct tx *t)
{
    bool mute = side_is_silent(l, !t->by);

    /* A request whose other side is silent gets no answer (RFC 4320), but an INVITE does. */
    if (t->arrived && !t->final && !mute && (t->method == INVITE || t->by == SWITCH || !c->any_silent))
        fault(j, c, "%s %u of leg %c has no final answer", methods[t->method], t->cseq, 'a' + (int)(l - c->legs));
    if (t->method != INVITE || side_is_silent(l, t->by))
        return;
    if (t->final_arrived / 100 == 2 && !t->acks)
        fault(j, c, "the 2xx of leg %c has no ACK", 'a' + (int)(l - c->legs));
    for (const struct early *e = l->earlies; t == &l->all[0] && e < l->earlies + l->early_count; e++)
        if (t->by == SWITCH && t->final && t->final < 300 && t->finals_arrived && !t->cancelled && e->rseq_has_sdp &&
            e->rseq_arrived > e->prack_sent)
            fault(j, c, "RSeq %u of leg %c has no PRACK", e->rseq_arrived, 'a' + (int)(l - c->legs));
}

static void close_leg(struct judge *j, struct call *c, const struct leg *l)
{
    const struct tx *first = &l->all[0];
    bool up = first->final && first->final < 300 && (first->finals_arrived || !side_is_silent(l, !first->by));

    for (unsigned i = 0; i < l->count; i++)
        close_tx(j, c, l, &l->all[i]);
    if (up && !l->end_ns)
        fault(j, c, "the switch never ended leg %c", 'a' + (int)(l - c->legs));
}

/* When the switch had to end the leg at the latest: at once, or with the ACK that it waited for. */
static int64_t latest_end_ns(const struct leg *l, int64_t other_ns)
{
    int64_t end_ns = other_ns;

    for (unsigned i = 0; i < l->count; i++) {
        const struct tx *t = &l->all[i];
        int64_t ack_ns = t->ack_ns ? t->ack_ns : t->final_sent_ns + 33 * SECOND_NS;

        if (t->method == INVITE && t->by == PHONE && t->final / 100 == 2 && ack_ns > end_ns)
            end_ns = ack_ns;
    }
    return end_ns + SECOND_NS;
}

/* Who was transferred to whom is not followed; but whoever talks last does not talk alone. A referrer
 * has a while to leave by itself, and may leave while the new party rings, or says nothing for all of timer C. */
static void close_partners(struct judge *j, struct call *c)
{
    const struct leg *last = NULL, *before = NULL;

    for (unsigned i = 0; i < c->leg_count; i++) {
        const struct leg *l = &c->legs[i];

        if (l->all[0].final / 100 != 2 || !l->end_ns)
            continue;
        if (!last || l->end_ns > last->end_ns)
            before = last, last = l;
        else if (!before || l->end_ns > before->end_ns)
            before = l;
    }
    if (before && last->end_ns > latest_end_ns(last, before->end_ns) + 240 * SECOND_NS)
        fault(j, c, "leg %c outlived all others by %lld ms", 'a' + (int)(last - c->legs), (long long)((last->end_ns - before->end_ns) / 1000000));
}

static void close_call(struct judge *j, struct call *c)
{
    const struct leg *b = NULL;

    for (unsigned i = 0; i < c->leg_count; i++)
        close_leg(j, c, &c->legs[i]);
    for (unsigned i = 1; i < c->leg_count; i++) {
        const struct leg *l = &c->legs[i];

        if (l->all[0].final / 100 == 2 && l->all[0].finals_arrived && l->all[0].final_arrived_ns == c->legs[0].all[0].final_sent_ns)
            b = l;                                        /* the answer that was passed on at once */
    }
    if (c->transfers)
        close_partners(j, c);
    if (c->transfers || !b || c->legs[0].all[0].final / 100 != 2)
        return;
    const struct leg *a = &c->legs[0], *first = a->end_ns < b->end_ns ? a : b, *last = first == a ? b : a;

    if (last->end_ns > latest_end_ns(last, first->end_ns))
        fault(j, c, "leg %c outlived the other by %lld ms", 'a' + (int)(last - c->legs), (long long)((last->end_ns - first->end_ns) / 1000000));
}

static bool is_over(const struct call *c)
{
    for (unsigned i = 0; i < c->leg_count; i++) {
        const struct leg *l = &c->legs[i];

        if (!l->end_ns && l->all[0].arrived)
            return false;
    }
    return c->leg_count > 0;
}

void judge_sweep(struct judge *j, int64_t now_ns, bool all)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < j->live_count; i++) {
        struct call *c = j->calls[j->live[i]];

        if (!all && (!is_over(c) || c->last_ns + quiet_ns > now_ns)) {
            j->live[left++] = j->live[i];
            continue;
        }
        close_call(j, c);
        call_free(c);
        j->calls[j->live[i]] = NULL;
    }
    j->live_count = left;
}
