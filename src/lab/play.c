/* lab/play.c - see play.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "lab/play.h"

#include <stdio.h>
#include <stdlib.h>

enum { EVENTS_MAX = 32, EXPIRES_S = 3600 };
#define MS 1000000ll
#define RETRY_NS (20 * MS)           /* an offer that is not possible yet */
#define LOST_1XX_NS (2000 * MS)      /* in a bad network nobody waits longer for a 1xx */
#define END_NS (5000 * MS)           /* for the calls of a script that failed */

struct event { uint8_t what; uint16_t number; bool outgoing; };
struct queue { struct event at[EVENTS_MAX]; unsigned first, count; };

struct player {
    struct phone      *phone;
    slice              uri;
    struct phone_call *calls[SCRIPT_LINES];
    struct queue       heard[SCRIPT_LINES], registered;
    bool               outgoing[SCRIPT_LINES];
    unsigned           begun;        /* calls so far */
};

enum stage { PLAY_BEGINS, PLAY_REGISTERS, PLAY_PLAYS, PLAY_LEAVES, PLAY_SETTLES, PLAY_OVER };

struct play {
    const struct script *script;
    struct play_settings settings;
    struct player        players[SCRIPT_PHONES];
    enum stage           stage;
    unsigned             row, waits_for;                  /* waits_for: bits of players */
    bool                 row_begun, heard_something;
    int64_t              begun_ns, next_ns, now_ns, heard_ns;
    struct play_result   result;
};

/* ---- what phones tell ---- */

static struct player *player_of(struct play *p, const struct phone *phone)
{
    for (unsigned i = 0; i < SCRIPT_PHONES; i++)
        if (p->players[i].phone == phone)
            return &p->players[i];
    return NULL;
}

static void put(struct play *p, struct queue *q, struct event e)
{
    p->heard_something = true;
    if (q->count < EVENTS_MAX)
        q->at[(q->first + q->count++) % EVENTS_MAX] = e;
}

static void tell(struct play *p, const struct phone_call *c, enum script_what what, unsigned number)
{
    struct player *player = player_of(p, phone_of_call(c));

    for (unsigned line = 0; player && line < SCRIPT_LINES; line++)
        if (player->calls[line] == c)
            put(p, &player->heard[line], (struct event){ (uint8_t)what, (uint16_t)number, player->outgoing[line] });
}

static bool begin_call(struct player *player, struct phone_call *c, bool outgoing)
{
    if (!c || player->begun == SCRIPT_LINES)
        return false;
    player->outgoing[player->begun] = outgoing;
    player->calls[player->begun++] = c;
    return true;
}

static void on_registered(void *ctx, struct phone *phone, unsigned status, uint32_t expires_s)
{
    struct player *player = player_of(ctx, phone);

    (void)expires_s;
    if (player)
        put(ctx, &player->registered, (struct event){ SCRIPT_REGISTERED, (uint16_t)status, true });
}

static void on_incoming(void *ctx, struct phone_call *c, const struct sip_message *invite)
{
    struct player *player = player_of(ctx, phone_of_call(c));

    (void)invite;
    if (player && begin_call(player, c, false))
        tell(ctx, c, SCRIPT_CALLED, 0);
    else
        (void)phone_answer(c, 486, (slice){ 0 }, false, false);
}

static void on_progress(void *ctx, struct phone_call *c, unsigned status, const struct sip_message *m)
{
    (void)m;
    tell(ctx, c, SCRIPT_HEARS, status);
}
static void on_pracked(void *ctx, struct phone_call *c) { tell(ctx, c, SCRIPT_PRACKED, 0); }
static void on_prack_done(void *ctx, struct phone_call *c) { tell(ctx, c, SCRIPT_CONFIRMED, 0); }
static void on_updated(void *ctx, struct phone_call *c, const struct sip_message *m) { tell(ctx, c, SCRIPT_OFFERED, m->method); }
static void on_changed(void *ctx, struct phone_call *c, unsigned status) { tell(ctx, c, SCRIPT_CHANGED, status); }
static void on_answered(void *ctx, struct phone_call *c) { tell(ctx, c, SCRIPT_UP, 0); }
static void on_refer_answered(void *ctx, struct phone_call *c, unsigned status) { tell(ctx, c, SCRIPT_ACCEPTED, status); }
static void on_transferred(void *ctx, struct phone_call *c, unsigned status) { tell(ctx, c, SCRIPT_TOLD, status); }

static void on_ended(void *ctx, struct phone_call *c, unsigned status, bool by_us)
{
    struct player *player = player_of(ctx, phone_of_call(c));

    (void)by_us;
    tell(ctx, c, SCRIPT_ENDED, status);
    for (unsigned line = 0; player && line < SCRIPT_LINES; line++)
        if (player->calls[line] == c)
            player->calls[line] = NULL;
}

/* A server that leaves transfers to the phones: the new call is one more of that phone. */
static void on_referred(void *ctx, struct phone_call *c, struct phone_call *made)
{
    struct player *player = player_of(ctx, phone_of_call(c));

    if (player && !begin_call(player, made, true))
        phone_hang_up(made);
}

static void on_replaced(void *ctx, struct phone_call *c, struct phone_call *by)
{
    struct player *player = player_of(ctx, phone_of_call(c));

    if (player)
        (void)begin_call(player, by, false);
}

struct phone_owner play_owner(struct play *p)
{
    return (struct phone_owner){ p, on_registered, on_incoming, on_progress, on_pracked, on_prack_done, on_updated, on_changed,
                                 on_answered, on_ended, on_refer_answered, on_transferred, on_referred, on_replaced };
}

/* ---- life ---- */

struct play *play_new(const struct script *script, const struct play_settings *settings, int64_t now_ns)
{
    struct play *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->script = script;
    p->settings = *settings;
    if (!p->settings.patience_ns)
        p->settings.patience_ns = 8000 * MS;
    if (!p->settings.settle_ns)
        p->settings.settle_ns = 250 * MS;
    p->begun_ns = p->now_ns = p->next_ns = p->heard_ns = now_ns;
    return p;
}

struct play *play_free(struct play *p)
{
    free(p);
    return NULL;
}

void play_set_phone(struct play *p, unsigned i, struct phone *phone, slice uri)
{
    p->players[i].phone = phone;
    p->players[i].uri = uri;
}

/* ---- how it goes on ---- */

static void enter(struct play *p, enum stage stage)
{
    p->stage = stage;
    p->begun_ns = p->now_ns;
    p->row_begun = false;
}

static void fail(struct play *p, char who, const struct event *wanted, const struct event *came)
{
    struct play_result *r = &p->result;

    r->failed = true;
    r->step = p->stage == PLAY_PLAYS ? p->row + 1 : 0;
    r->who = who;
    r->came_nothing = !came;
    (void)script_label((enum script_what)wanted->what, wanted->number, wanted->outgoing, r->expected);
    if (came)
        (void)script_label((enum script_what)came->what, came->number, came->outgoing, r->came);
    for (unsigned i = 0; i < SCRIPT_PHONES; i++)          /* nobody is left hanging */
        for (unsigned line = 0; line < SCRIPT_LINES; line++)
            if (p->players[i].calls[line])
                phone_hang_up(p->players[i].calls[line]);
    enter(p, PLAY_SETTLES);
}

enum outcome { PLAY_WAITS, PLAY_GOES_ON, PLAY_FAILED };

/* A 1xx, a PRACK or an offer that the script does not ask for. */
static bool may_be_passed_over(const struct event *e)
{
    return e->what == SCRIPT_HEARS || (e->what == SCRIPT_TOLD && e->number < 200) || e->what == SCRIPT_PRACKED || e->what == SCRIPT_CONFIRMED || e->what == SCRIPT_OFFERED;
}

static bool is_wanted(const struct play *p, const struct event *e, const struct event *wanted)
{
    if (e->what != wanted->what)
        return false;
    if (e->number == wanted->number)
        return true;
    return p->settings.bad_network && wanted->what == SCRIPT_CHANGED && wanted->number == 491 && e->number == 200;
}

static enum outcome wait_for(struct play *p, char who, struct queue *q, const struct event *wanted)
{
    bool may_miss = p->settings.bad_network && (wanted->what == SCRIPT_HEARS || (wanted->what == SCRIPT_TOLD && wanted->number < 200));

    for (; q->count; q->first = (q->first + 1) % EVENTS_MAX, q->count--) {
        const struct event *e = &q->at[q->first];

        if (is_wanted(p, e, wanted)) {
            q->first = (q->first + 1) % EVENTS_MAX;
            q->count--;
            return PLAY_GOES_ON;
        }
        if (may_be_passed_over(e))
            continue;
        if (may_miss)
            return PLAY_GOES_ON;
        fail(p, who, wanted, e->what == SCRIPT_REGISTERED && e->number == 0 ? NULL : e);     /* 0: no answer */
        return PLAY_FAILED;
    }
    int64_t until_ns = p->begun_ns + (may_miss ? LOST_1XX_NS : p->settings.patience_ns);

    if (p->now_ns < until_ns) {
        p->next_ns = until_ns;
        return PLAY_WAITS;
    }
    if (may_miss)
        return PLAY_GOES_ON;
    fail(p, who, wanted, NULL);
    return PLAY_FAILED;
}

/* ---- registering, at the beginning and at the end ---- */

static void register_all(struct play *p, uint32_t expires_s)
{
    p->waits_for = 0;
    for (unsigned i = 0; i < SCRIPT_PHONES; i++)
        if (p->players[i].phone && phone_register(p->players[i].phone, expires_s))
            p->waits_for |= 1u << i;
}

static enum outcome all_registered(struct play *p)
{
    const struct event wanted = { SCRIPT_REGISTERED, 200, true };
    int64_t next_ns = INT64_MAX;

    for (unsigned i = 0; i < SCRIPT_PHONES; i++) {
        enum outcome got = p->waits_for & 1u << i ? wait_for(p, (char)('a' + i), &p->players[i].registered, &wanted) : PLAY_WAITS;

        if (got == PLAY_FAILED)
            return got;
        if (got == PLAY_GOES_ON)
            p->waits_for &= ~(1u << i);
        else if (p->waits_for & 1u << i)
            next_ns = p->next_ns < next_ns ? p->next_ns : next_ns;
    }
    p->next_ns = p->waits_for ? next_ns : p->now_ns;
    return p->waits_for ? PLAY_WAITS : PLAY_GOES_ON;
}

/* ---- rows ---- */

static bool ask_call(struct play *p, const struct script_step *s, struct player *player)
{
    struct phone_call *c = player->calls[s->line];
    const struct phone_call *replaced = s->what == SCRIPT_REFER && s->how ? player->calls[s->how - 1] : NULL;

    if (!c || (s->what == SCRIPT_REFER && s->how && !replaced))
        return false;
    switch (s->what) {
    case SCRIPT_ANSWER:  return phone_answer(c, s->number, (slice){ 0 }, s->how & SCRIPT_RELIABLY, s->how & SCRIPT_WITH_SDP);
    case SCRIPT_HANG_UP: phone_hang_up(c); return true;
    case SCRIPT_OFFER:   return phone_offer(c, (enum sip_method)s->number, (enum phone_media)s->how);
    case SCRIPT_READY:   return phone_resources_ready(c);
    case SCRIPT_REDIRECT: return phone_redirect(c, p->players[s->number - 'a'].uri);
    case SCRIPT_REFER:   return phone_refer(c, p->players[s->number - 'a'].uri, replaced, (slice){ 0 });
    default:             return false;
    }
}

/* Of what is not possible: the next thing that happened says why. */
static enum outcome try_again(struct play *p, const struct script_step *s, struct player *player)
{
    const struct event wanted = { s->what, s->number, true };
    enum outcome got;

    while (player->heard[s->line].count && may_be_passed_over(&player->heard[s->line].at[player->heard[s->line].first]))
        player->heard[s->line].first = (player->heard[s->line].first + 1) % EVENTS_MAX, player->heard[s->line].count--;
    got = wait_for(p, s->who, &player->heard[s->line], &wanted);
    if (got == PLAY_WAITS)
        p->next_ns = p->now_ns + RETRY_NS;
    return got;
}

static enum outcome ask(struct play *p, const struct script_step *s, struct player *player)
{
    const struct event wanted = { s->what, s->number, true };
    bool done;

    if (s->what != SCRIPT_REGISTER && s->what != SCRIPT_DIAL)
        return ask_call(p, s, player) ? PLAY_GOES_ON : try_again(p, s, player);
    if (s->what == SCRIPT_REGISTER)
        done = phone_register(player->phone, s->number);
    else
        done = begin_call(player, phone_dial(player->phone, p->players[s->number - 'a'].uri, s->how | PHONE_SESSION_ID), true);
    if (done)
        return PLAY_GOES_ON;
    fail(p, s->who, &wanted, NULL);                       /* no memory */
    return PLAY_FAILED;
}

static enum outcome do_row(struct play *p, const struct script_step *s)
{
    struct player *player = s->who ? &p->players[s->who - 'a'] : NULL;
    const struct event wanted = { s->what, s->number, player ? player->outgoing[s->line] : false };

    if (s->what == SCRIPT_PAUSE) {
        p->next_ns = p->begun_ns + s->number * MS;
        return p->now_ns >= p->next_ns ? PLAY_GOES_ON : PLAY_WAITS;
    }
    if (s->what < SCRIPT_REGISTERED)
        return ask(p, s, player);
    return wait_for(p, s->who, s->what == SCRIPT_REGISTERED ? &player->registered : &player->heard[s->line], &wanted);
}

static void play_rows(struct play *p)
{
    while (p->stage == PLAY_PLAYS && p->script->steps[p->row].what != SCRIPT_END) {
        if (do_row(p, &p->script->steps[p->row]) != PLAY_GOES_ON)
            return;
        p->row++;
        p->begun_ns = p->now_ns;
    }
    if (p->stage != PLAY_PLAYS)
        return;
    enter(p, p->settings.leaves ? PLAY_LEAVES : PLAY_SETTLES);
    if (p->stage == PLAY_LEAVES)
        register_all(p, 0);
}

static void settle(struct play *p)
{
    int64_t quiet_ns = (p->heard_ns > p->begun_ns ? p->heard_ns : p->begun_ns) + p->settings.settle_ns;
    size_t calls = 0;

    for (unsigned i = 0; i < SCRIPT_PHONES; i++)
        calls += p->players[i].phone ? phone_calls(p->players[i].phone) : 0;
    if (p->now_ns >= p->begun_ns + END_NS || (p->now_ns >= quiet_ns && !calls)) {
        p->stage = PLAY_OVER;
        p->next_ns = INT64_MAX;
        return;
    }
    p->next_ns = quiet_ns > p->now_ns ? quiet_ns : p->begun_ns + END_NS;
}

void play_heard(struct play *p, int64_t now_ns) { p->heard_ns = now_ns; }

void play_time(struct play *p, int64_t now_ns)
{
    p->now_ns = now_ns;
    p->next_ns = INT64_MAX;
    p->heard_something = false;
    if (p->stage == PLAY_BEGINS) {
        enter(p, p->script->is_registration ? PLAY_PLAYS : PLAY_REGISTERS);
        if (p->stage == PLAY_REGISTERS)
            register_all(p, EXPIRES_S);
    }
    if (p->stage == PLAY_REGISTERS && all_registered(p) == PLAY_GOES_ON)
        enter(p, PLAY_PLAYS);
    if (p->stage == PLAY_PLAYS)
        play_rows(p);
    if (p->stage == PLAY_LEAVES && all_registered(p) == PLAY_GOES_ON)
        enter(p, PLAY_SETTLES);
    if (p->stage == PLAY_SETTLES)
        settle(p);
}

int64_t play_next_ns(const struct play *p) { return p->heard_something && p->stage != PLAY_OVER ? p->now_ns : p->next_ns; }
bool play_is_over(const struct play *p) { return p->stage == PLAY_OVER; }
bool play_is_prepared(const struct play *p) { return p->script->is_registration || p->stage >= PLAY_PLAYS; }
const struct play_result *play_result(const struct play *p) { return &p->result; }
