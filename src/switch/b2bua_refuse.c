/* switch/b2bua_refuse.c - A is refused: by us, or by the best of what the branches said (RFC 3261, 16.7)
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"
#include "switch/b2bua_setup_int.h"

enum { CHALLENGES_MAX = 8192 };

const slice setup_cancelled = SLICE_INIT("SIP;cause=487;text=\"Cancelled by the caller\"");
const slice setup_no_media = SLICE_INIT("SIP;cause=488;text=\"The media relay does not carry it\"");

/* ---- the final answer to A ---- */

/* One that answered before A's PRACK was here; NULL: none. */
struct leg *waiting_leg(struct b2bua_call *c)
{
    for (struct list *l = c->branches.next; l != &c->branches; l = l->next) {
        struct branch *branch = list_item(l, struct branch, in_call);

        for (struct list *k = branch->legs.next; k != &branch->legs; k = k->next) {
            struct leg *leg = list_item(k, struct leg, in_branch);

            if (leg->answer_waits && !leg->answered)
                return leg;
        }
    }
    return NULL;
}

/* Their answers are answers to nothing now. */
void release_waiting(struct b2bua_call *c, slice reason)
{
    struct leg *leg;

    while ((leg = waiting_leg(c))) {
        leg->answered = true;
        leg_ack(leg, NULL);
        leg_bye(leg, reason, NULL);
    }
}

/* The final answer to A: the code and what is put with it. `ours`: we say so, not B. */
static void refuse_as(struct b2bua_call *c, unsigned status, slice phrase, slice headers, slice type, slice body, bool ours)
{
    struct server_transaction *s = c->invite;

    c->phase = CALL_ENDING;
    forks_stop(c);
    ring_stop(c);
    queue_leave(c);
    c->a.ended = true;
    release_waiting(c, status == 487 ? setup_cancelled : (slice){ 0 });
    if (c->serves)
        transfer_refused(c, status, phrase);
    if (!s || server_status(s) >= 200)
        return;
    struct out *o = forks_reply(&c->a, status, phrase);

    out_text(o, headers);
    if (ours && !c->b2bua->settings.no_reason)
        reason_put(o, status, c->setup ? c->setup->cause : 0);
    if (c->b2bua->settings.server.len)
        sip_build_header(o, SIP_H_SERVER, c->b2bua->settings.server);
    if (!server_reply_send(s, type, body))                /* too large, or no memory: the code alone */
        (void)server_reply_plain(s, status);
    c->b2bua->counts.refused++;
}

void refuse_call(struct b2bua_call *c, unsigned status, slice phrase, slice headers, slice type, slice body)
{
    refuse_as(c, status, phrase, headers, type, body, true);
}

static bool have_reason(slice headers)
{
    return slice_starts_nocase(headers, SLICE("Reason:")) || slice_find_nocase(headers, SLICE("\nReason:")) >= 0;
}

/* With what the best of the branches said, or what we say of it. */
void refuse_with_best(struct b2bua_call *c, unsigned status)
{
    const struct call_setup *setup = c->setup;
    bool by_codecs = setup->best_status == 488 && setup->best_is_ours;
    bool ours = setup->best_is_ours || (status != setup->best_status && !have_reason(setup->best_headers));

    refuse_as(c, status, setup->best_phrase, by_codecs ? codecs_warning() : setup->best_headers, setup->best_type,
              setup->best_body, ours);
}

void cancel_branches(struct b2bua_call *c, slice reason, const struct branch *but)
{
    for (struct list *l = c->branches.next; l != &c->branches; l = l->next) {
        struct branch *branch = list_item(l, struct branch, in_call);

        if (branch != but && branch->invite && !branch->over)
            client_cancel(branch->invite, reason);
    }
}

/* Whatever they still say changes nothing any more. */
void branches_over(struct b2bua_call *c)
{
    for (struct list *l = c->branches.next; l != &c->branches; l = l->next)
        list_item(l, struct branch, in_call)->over = true;
}

void setup_give_up_with(struct b2bua_call *c, unsigned status, slice reason, slice headers)
{
    if (c->phase != CALL_SETUP)
        return;
    c->cancelled = true;
    cancel_branches(c, reason, NULL);
    refuse_call(c, status, (slice){ 0 }, headers, (slice){ 0 }, (slice){ 0 });
}

void setup_give_up(struct b2bua_call *c, unsigned status, slice reason) { setup_give_up_with(c, status, reason, (slice){ 0 }); }

/* The media relay does not have it, and no other branch would fare better. */
void setup_unanchorable(struct b2bua_call *c)
{
    if (c->phase != CALL_SETUP)
        return;
    c->unanchorable = true;
    cancel_branches(c, setup_no_media, NULL);
    out_clear(&c->b2bua->scratch);
    anchor_headers(c, &c->b2bua->scratch);
    refuse_call(c, anchor_status(c), (slice){ 0 }, out_taken(&c->b2bua->scratch), (slice){ 0 }, (slice){ 0 });
}

/* ---- the best of several refusals (16.7, step 6) ---- */

static int rank(unsigned status)
{
    static const uint16_t first[] = { 401, 407, 415, 420, 484 };

    if (status >= 600)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(first); i++)
        if (status == first[i])
            return 40;
    switch (status / 100) {
    case 3: return 30;
    case 4: return status == 487 ? 59 : status == 408 ? 58 : 41;
    default: return status == 503 ? 61 : 60;
    }
}

static bool is_challenge(unsigned status) { return status == 401 || status == 407; }

/* Whoever is asked for a password by two phones can answer both only when it hears of both (16.7, step 7). */
static void add_challenges(struct b2bua_call *c, const struct sip_message *m)
{
    struct out *o = &c->b2bua->scratch;

    out_clear(o);
    out_text(o, c->setup->best_headers);
    sip_build_copy(o, m, SIP_H_WWW_AUTHENTICATE);
    sip_build_copy(o, m, SIP_H_PROXY_AUTHENTICATE);
    if (o->error || o->used > CHALLENGES_MAX)
        return;
    slice all = arena_slice(&c->setup->arena, out_taken(o));

    c->setup->best_headers = all.ptr ? all : c->setup->best_headers;
}

/* m NULL: ours, from nobody. */
void setup_keep_best(struct b2bua_call *c, unsigned status, const struct branch *from, const struct sip_message *m)
{
    struct out *o = &c->b2bua->scratch;
    struct call_setup *setup = c->setup;

    if (m && is_challenge(status) && is_challenge(setup->best_status))
        add_challenges(c, m);
    if (setup->best_status && rank(setup->best_status) <= rank(status))
        return;
    setup->best_status = (uint16_t)status;
    setup->best_phrase = setup->best_headers = setup->best_type = setup->best_body = (slice){ 0 };
    setup->best_is_ours = m == NULL;
    if (!m)
        return;
    out_clear(o);
    headers_pass(o, m, c->caller_trusted && from->trusted ? HEADERS_TRUSTED : 0);
    if (status / 100 == 3 || status == 485)
        sip_build_copy(o, m, SIP_H_CONTACT);
    setup->best_phrase = arena_slice(&setup->arena, m->reason);
    if (!o->error)
        setup->best_headers = arena_slice(&setup->arena, out_taken(o));
    setup->best_type = arena_slice(&setup->arena, headers_type(m));
    setup->best_body = arena_slice(&setup->arena, m->body);
}

static bool all_over(const struct b2bua_call *c)
{
    for (struct list *l = c->branches.next; l != &c->branches; l = l->next)
        if (!list_item(l, struct branch, in_call)->over)
            return false;
    return true;
}

static bool forwards_after(struct b2bua_call *c, unsigned status)
{
    switch (status) {
    case 486: case 600: return setup_forward(c, USER_FORWARD_BUSY);
    case 408: case 503: case 430: return setup_forward(c, USER_FORWARD_UNREACHABLE);
    default: return false;
    }
}

/* What is true of every phone of a user is true of the user. */
unsigned setup_global_code(const struct b2bua_call *c, unsigned status)
{
    static const uint16_t globals[][2] = { { 486, 600 }, { 488, 606 } };

    for (size_t i = 0; i < ARRAY_LEN(globals) && c->b2bua->settings.global_codes && c->setup->called.len; i++)
        if (status == globals[i][0] && c->setup->said == status)
            return globals[i][1];
    return status;
}

/* Nobody is called any more and nobody answered. */
static void conclude(struct b2bua_call *c, struct branch *last)
{
    struct call_setup *setup = c->setup;
    unsigned status = setup->best_status ? setup->best_status : 480;

    if (c->phase != CALL_SETUP)
        return;
    if (setup->target_count && (last->gateway ? trunk_goes_on(last) : status < 600)) {
        c->b2bua->counts.failed_over++;
        if (setup_call_next(c))
            return;
    }
    if (status < 600 && !c->cancelled && (forwards_after(c, status) || redirect_next(c)))
        return;
    if (status == 503 && last->local == 503)              /* for us only (16.9) */
        status = 500;
    if (setup_global_code(c, status) != status) {
        status = setup_global_code(c, status);
        setup->best_phrase = (slice){ 0 };
    }
    refuse_with_best(c, status);
}

/* One branch has come to its end with that. */
void branch_over(struct branch *branch, unsigned status, const struct sip_message *m)
{
    struct b2bua_call *c = branch->call;
    struct call_setup *setup = c->setup;
    bool was_over = branch->over && !(branch->left && status >= 600 && m);
    unsigned told = trunk_status(branch, status);

    branch->over = true;
    branch->status = (uint16_t)status;
    trunk_heard(branch, m);
    trunk_leave(branch);
    if (was_over)
        forks_over(branch, status);
    if (was_over || c->phase != CALL_SETUP)
        return;
    switch (redirect_follow(branch, m)) {
    case REDIRECT_GOES: forks_over(branch, status); return;
    case REDIRECT_LOOP: status = told = 482, m = NULL; break;
    case REDIRECT_TOO_MANY: status = told = 480, m = NULL; break;
    case REDIRECT_PASS: break;
    }
    setup->said = branch->gateway || (setup->said && setup->said != status) ? 1 : (uint16_t)status;
    setup_keep_best(c, told, branch, told == status ? m : NULL);
    if (told != status && setup->best_status == told && !setup->best_phrase.len)
        setup->best_phrase = trunk_phrase;
    if (status >= 600) {                                  /* 16.7, step 5: for all of them, and at once */
        setup->target_count = 0;
        cancel_branches(c, SLICE("SIP;cause=600;text=\"Declined by another\""), branch);
        branches_over(c);
    }
    if (all_over(c))
        conclude(c, branch);
    else
        setup_call_more(c);
    forks_over(branch, status);
}

void setup_drop(struct branch *branch, unsigned status, slice reason)
{
    if (branch->over)
        return;
    if (branch->invite)
        client_cancel(branch->invite, reason);
    branch_over(branch, status, NULL);
    branch->given_up = true;
}
