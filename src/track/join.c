/* track/join.c - see join.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "track/join.h"

#include <stdlib.h>

#include "sip/uri.h"
#include "track/legs_int.h"
#include "track/session.h"

#define SECOND_NS 1000000000LL
#define NEIGHBOUR_WINDOW_NS (6 * SECOND_NS)      /* INVITE in to INVITE out, look-ups included */
#define AT_ONCE_NS          (2 * SECOND_NS)
#define CALL_ID_LEAST       12u                  /* a shorter one is in others by chance */
#define NUMBER_LEAST        6u                   /* digits; a shorter number must be the same */
#define JOIN_BY_RTP         90u                  /* the same SSRC, numbers and times, sent on */
#define NUMBER_MAX          64u

/* ---- signs ------------------------------------------------------------------------------- */

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool join_is_identity(slice value)
{
    size_t digits = 0, letters = 0;

    if (value.len < 10 || value.len > 128)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)value.ptr[i] <= ' ')
            return false;
        digits += value.ptr[i] >= '0' && value.ptr[i] <= '9';
        letters += is_word(value.ptr[i]);
    }
    return digits >= 4 && letters >= 10;
}

static bool same_session_id(const struct call *a, const struct call *b)
{
    return a->session_id.len && slice_eq_nocase(a->session_id, b->session_id) &&
           !slice_eq(a->session_id, SLICE("00000000000000000000000000000000"));
}

static slice local_part(slice call_id)
{
    return slice_take_until(&call_id, '@');
}

/* "a84b4c76e66710_b2b-1" holds "a84b4c76e66710", with a border between them. */
static bool holds(slice whole, slice part)
{
    if (part.len < CALL_ID_LEAST || whole.len <= part.len)
        return false;
    if (slice_starts(whole, part) && !is_word(whole.ptr[part.len]))
        return true;
    size_t at = whole.len - part.len;

    return slice_eq(slice_skip(whole, at), part) && !is_word(whole.ptr[at - 1]);
}

static bool same_call_id_part(const struct call *a, const struct call *b)
{
    slice x = local_part(a->call_id), y = local_part(b->call_id);

    return holds(a->call_id, b->call_id) || holds(b->call_id, a->call_id) || holds(x, y) || holds(y, x) ||
           (slice_eq(x, y) && join_is_identity(x) && !slice_eq(a->call_id, b->call_id));
}

static bool names_call_id(const struct call *named, const struct call *by)
{
    for (size_t i = 0; by->facts && i < by->facts->header_count; i++)
        if (slice_eq(by->facts->headers[i].value, named->call_id))
            return true;
    return false;
}

static slice header_of(const struct call *c, slice name)
{
    for (size_t i = 0; c->facts && i < c->facts->header_count; i++)
        if (slice_eq_nocase(c->facts->headers[i].name, name))
            return c->facts->headers[i].value;
    return (slice){0};
}

/* What such a header is called when it names the call, and when it names its owner. */
static bool names_a_call(slice name)
{
    static const slice of_call[] = { SLICE_INIT("call"), SLICE_INIT("cid"), SLICE_INIT("uuid"),
                                     SLICE_INIT("guid"), SLICE_INIT("session"), SLICE_INIT("correlat"),
                                     SLICE_INIT("leg"), SLICE_INIT("conversation"), SLICE_INIT("interaction") };
    static const slice of_owner[] = { SLICE_INIT("tenant"), SLICE_INIT("account"), SLICE_INIT("customer"),
                                      SLICE_INIT("trunk"), SLICE_INIT("device"), SLICE_INIT("user"),
                                      SLICE_INIT("domain"), SLICE_INIT("company") };
    bool found = false;

    for (size_t i = 0; i < ARRAY_LEN(of_call); i++)
        found = found || slice_find_nocase(name, of_call[i]) >= 0;
    for (size_t i = 0; i < ARRAY_LEN(of_owner); i++)
        found = found && slice_find_nocase(name, of_owner[i]) < 0;
    return found;
}

/* Points for a header with the same value on both. */
static unsigned header_points(const struct call *a, const struct call *b)
{
    unsigned points = 0;

    for (size_t i = 0; a->facts && i < a->facts->header_count; i++) {
        const struct call_header *h = &a->facts->headers[i];

        if (!join_is_identity(h->value) || !slice_eq(h->value, header_of(b, h->name)))
            continue;
        unsigned worth = h->value.len >= 16 && names_a_call(h->name) ? 65 : 50;

        points = worth > points ? worth : points;
    }
    return points;
}

static bool same_media(const struct call *a, const struct call *b, size_t side)
{
    const struct call_sdp *x = &a->facts->sdp[side], *y = &b->facts->sdp[side];

    return x->media.family && x->media.port && address_eq(&x->media, &y->media) &&
           !address_is_zero(&x->media);
}

static bool same_origin(const struct call *a, const struct call *b, size_t side)
{
    const struct call_sdp *x = &a->facts->sdp[side], *y = &b->facts->sdp[side];

    return x->origin.len >= 6 && slice_eq(x->origin, y->origin);
}

static slice digits_of(slice user, char room[NUMBER_MAX])
{
    slice number = sip_number_of(user, room, NUMBER_MAX);

    while (number.len && (number.ptr[0] == '+' || number.ptr[0] == '0'))
        number = slice_skip(number, 1);
    return number;
}

/* "+49 30 1234567", "0301234567" and "9301234567" are one number: the shorter ends the longer. */
static bool same_number(slice a, slice b)
{
    char room_a[NUMBER_MAX], room_b[NUMBER_MAX];
    slice x = digits_of(a, room_a), y = digits_of(b, room_b);

    if (a.len == 0 || b.len == 0)
        return false;
    if (slice_eq(a, b))
        return true;
    slice shorter = x.len < y.len ? x : y, longer = x.len < y.len ? y : x;

    return shorter.len >= NUMBER_LEAST && slice_eq(slice_skip(longer, longer.len - shorter.len), shorter);
}

static slice dialled(const struct call *c)
{
    slice user = sip_uri_user(c->request_uri);

    return user.len ? user : c->to.user;
}

static bool same_numbers(const struct call *a, const struct call *b)
{
    return same_number(a->from.user, b->from.user) && same_number(dialled(a), dialled(b));
}

/* The newer leg leaves where the older one arrives, soon, and while that one is waiting. */
static bool is_next_hop(const struct call *older, const struct call *newer)
{
    int64_t gap_ns = newer->invite_ns - older->invite_ns;

    return older->invite_ns && newer->invite_ns && gap_ns >= 0 && gap_ns <= NEIGHBOUR_WINDOW_NS &&
           address_same_ip(&older->callee_addr, &newer->caller_addr) &&
           !address_same_ip(&older->caller_addr, &newer->caller_addr) &&
           (!older->ended_ns || older->ended_ns >= newer->invite_ns) &&
           (!older->answered_ns || older->answered_ns >= newer->invite_ns);
}

/* ---- the verdict --------------------------------------------------------------------------- */

/* Both say who they are, and they say different things. */
static bool contradict(const struct call *a, const struct call *b)
{
    return a->session_id.len && b->session_id.len && !same_session_id(a, b);
}

static unsigned media_points(const struct call *older, const struct call *newer)
{
    unsigned points = 0;

    for (size_t side = 0; older->facts && newer->facts && side < 2; side++)
        if (same_media(older, newer, side))
            points += 50 + (same_origin(older, newer, side) ? 15 : 0);
    return points;
}

/* Signs that are no proof alone: they must add up, between neighbours. */
static struct join_verdict judge_weak(const struct call *older, const struct call *newer)
{
    static const struct join_verdict apart;
    unsigned media = media_points(older, newer), points = media;
    unsigned header = header_points(older, newer);
    bool numbers = same_numbers(older, newer), call_id = same_call_id_part(older, newer);
    enum call_join why = media ? CALL_JOIN_SDP : call_id ? CALL_JOIN_CALL_ID
                       : header ? CALL_JOIN_ANY_HEADER : CALL_JOIN_NUMBERS;

    if (!is_next_hop(older, newer) || contradict(older, newer))
        return apart;
    points += 20;                                         /* for being neighbours */
    points += numbers ? 55 : same_number(dialled(older), dialled(newer)) ? 15 : 0;
    points += header;
    points += call_id ? 65 : 0;
    points += newer->invite_ns - older->invite_ns <= AT_ONCE_NS ? 5 : 0;
    return (struct join_verdict){ (uint8_t)(points < 95 ? points : 95), (uint8_t)why };
}

struct join_verdict join_judge(const struct call *older, const struct call *newer, slice header)
{
    slice x = header.len ? header_of(older, header) : header;
    slice y = header.len ? header_of(newer, header) : header;

    if (x.len && y.len)                                   /* as configured: nothing else counts */
        return slice_eq(x, y) ? (struct join_verdict){ 100, CALL_JOIN_HEADER } : (struct join_verdict){0};
    if (same_session_id(older, newer))
        return (struct join_verdict){ 100, CALL_JOIN_SESSION_ID };
    if (older->icid.len && slice_eq(older->icid, newer->icid))
        return (struct join_verdict){ 98, CALL_JOIN_ICID };
    if (names_call_id(older, newer) || names_call_id(newer, older))
        return (struct join_verdict){ 96, CALL_JOIN_ANY_HEADER };
    return judge_weak(older, newer);
}

/* ---- the index ------------------------------------------------------------------------------- */

/* What a leg can be found by. Two legs that a sign connects share a key; the judge decides. */
struct join_key {
    struct map_node node;
    struct leg     *leg;
    bool            weak;            /* counts between neighbours only */
};
#define JOIN_KEYS_MAX 14u
#define CANDIDATES_MAX 32u           /* looked at; with more the sign says nothing */
#define PASSED_MAX     256u          /* passed by on the way to them */
struct join_keys {
    unsigned        count;
    bool            has_media[2];
    struct join_key key[JOIN_KEYS_MAX];
};

enum key_kind { KEY_SESSION_ID, KEY_ICID, KEY_MEDIA, KEY_CALL_ID, KEY_VALUE, KEY_NUMBER };

static uint64_t key_hash(const struct tracker *t, enum key_kind kind, slice text)
{
    struct hash_seed seed = t->settings.seed;

    seed.k1 ^= (uint64_t)kind + 1;
    return hash_slice(&seed, text);
}

static void leg_add_key(struct tracker *t, struct leg *leg, enum key_kind kind, slice text)
{
    struct join_keys *keys = leg->keys;
    uint64_t hash = key_hash(t, kind, text);

    if (text.len == 0 || keys->count == JOIN_KEYS_MAX)
        return;
    for (unsigned i = 0; i < keys->count; i++)
        if (keys->key[i].node.hash == hash)
            return;
    struct join_key *key = &keys->key[keys->count++];

    key->leg = leg;
    key->weak = kind == KEY_MEDIA || kind == KEY_CALL_ID || kind == KEY_NUMBER;
    map_add(&t->joins, &key->node, hash);
}

static void leg_add_number(struct tracker *t, struct leg *leg)
{
    char room[NUMBER_MAX];
    slice user = dialled(leg->call), number = digits_of(user, room);

    if (number.len >= NUMBER_LEAST)
        leg_add_key(t, leg, KEY_NUMBER, slice_skip(number, number.len - NUMBER_LEAST));
    else
        leg_add_key(t, leg, KEY_NUMBER, user);
}

static void leg_add_call_id(struct tracker *t, struct leg *leg)
{
    slice local = local_part(leg->call->call_id);

    leg_add_key(t, leg, KEY_VALUE, leg->call->call_id);
    if (leg->call->call_id.len >= CALL_ID_LEAST)
        leg_add_key(t, leg, KEY_CALL_ID, slice_head(leg->call->call_id, CALL_ID_LEAST));
    if (local.len >= CALL_ID_LEAST)
        leg_add_key(t, leg, KEY_CALL_ID, slice_skip(local, local.len - CALL_ID_LEAST));
}

static void leg_add_media(struct tracker *t, struct leg *leg)
{
    const struct call_facts *f = leg->call->facts;

    for (size_t side = 0; f && side < 2; side++) {
        const struct address *a = &f->sdp[side].media;

        if (leg->keys->has_media[side] || !a->family || !a->port)
            continue;
        leg->keys->has_media[side] = true;
        leg_add_key(t, leg, KEY_MEDIA, slice_of((const char *)a, sizeof *a));
    }
}

static void leg_add_identity(struct tracker *t, struct leg *leg)
{
    const struct call *c = leg->call;

    leg_add_key(t, leg, KEY_SESSION_ID, c->session_id);
    leg_add_key(t, leg, KEY_ICID, c->icid);
    leg_add_call_id(t, leg);
    for (size_t i = 0; c->facts && i < c->facts->header_count; i++)
        leg_add_key(t, leg, KEY_VALUE, c->facts->headers[i].value);
    leg_add_number(t, leg);
}

/* ---- joining --------------------------------------------------------------------------------- */

static uint64_t session_of(const struct leg *leg) { return leg->call->session; }

struct search {
    struct leg         *best;
    struct join_verdict verdict;
    unsigned            second;      /* the best score of another session */
    unsigned            looked_at;
};

static void search_note(struct search *s, struct leg *other, struct join_verdict v)
{
    bool same = s->best && session_of(s->best) == session_of(other);

    if (v.score > s->verdict.score) {
        if (s->best && !same && s->verdict.score > s->second)
            s->second = s->verdict.score;
        s->best = other;
        s->verdict = v;
    } else if (!same && v.score > s->second) {
        s->second = v.score;
    }
}

static void search_key(struct tracker *t, const struct leg *leg, const struct join_key *key, struct search *s)
{
    unsigned passed = 0;

    for (struct map_node *n = map_first(&t->joins, key->node.hash); n; n = map_next(n)) {
        struct leg *other = map_item(n, struct join_key, node)->leg;
        bool is_older = other->call->index < leg->call->index;
        const struct call *older = is_older ? other->call : leg->call, *newer = is_older ? leg->call : other->call;

        if (s->looked_at == CANDIDATES_MAX || ++passed > PASSED_MAX)
            return;
        if (other == leg || session_of(other) == session_of(leg) || (key->weak && !is_next_hop(older, newer)))
            continue;
        s->looked_at++;
        search_note(s, other, join_judge(older, newer, t->settings.join_header));
    }
}

static bool session_begin(struct leg *leg)
{
    if (!leg->session && (leg->session = session_new(leg->call->session)))
        list_append(&leg->session->live, &leg->in_session);
    return leg->session != NULL;
}

/* All of b's legs go over to a's session. */
static void sessions_merge(struct session *a, struct session *b)
{
    while (!list_is_empty(&b->live)) {
        struct leg *leg = list_item(b->live.next, struct leg, in_session);

        list_remove(&leg->in_session);
        list_append(&a->live, &leg->in_session);
        leg->session = a;
        leg->call->session = a->id;
    }
    session_take(a, b);
}

static void legs_join(struct leg *leg, struct leg *other, struct join_verdict v)
{
    bool leg_is_newer = leg->call->index > other->call->index;
    struct leg *older = leg_is_newer ? other : leg, *newer = leg_is_newer ? leg : other;

    if (!session_begin(older) || !session_begin(newer) || !session_may_take(older->session, newer->session))
        return;
    sessions_merge(older->session, newer->session);
    newer->call->join = v.why;
    newer->call->join_score = v.score;
}

/* Strong signs speak for themselves; with weak ones nobody else may come near. */
static bool is_clear(const struct search *s)
{
    if (!s->best || s->verdict.score < JOIN_ENOUGH)
        return false;
    return s->verdict.score >= 96 ||
           (s->second + JOIN_MARGIN <= s->verdict.score && s->looked_at < CANDIDATES_MAX);
}

void track_join(struct tracker *t, struct leg *leg)
{
    struct search s = {0};
    unsigned from = leg->keys ? leg->keys->count : 0;

    if (t->settings.no_join || leg->call->partial)
        return;
    if (!leg->keys) {
        if (!(leg->keys = calloc(1, sizeof *leg->keys)))
            return;
        leg_add_identity(t, leg);
    }
    leg_add_media(t, leg);
    for (unsigned i = from; i < leg->keys->count; i++)
        search_key(t, leg, &leg->keys->key[i], &s);
    if (is_clear(&s))
        legs_join(leg, s.best, s.verdict);
}

static struct leg *leg_of_call(const struct tracker *t, const struct call *c)
{
    for (struct map_node *n = map_first(&t->maps[LIVE_LEG], track_hash(t, c->call_id)); n; n = map_next(n)) {
        struct leg *leg = live_item(map_item(n, struct live, by_call_id), struct leg);

        if (leg->call == c)
            return leg;
    }
    return NULL;
}

static struct leg *leg_named(const struct tracker *t, const struct track_leg_name *name)
{
    for (struct map_node *n = map_first(&t->maps[LIVE_LEG], track_hash(t, name->call_id)); n; n = map_next(n)) {
        struct leg *leg = live_item(map_item(n, struct live, by_call_id), struct leg);

        if (slice_eq(leg->call->call_id, name->call_id) && slice_eq(leg->call->from.tag, name->caller_tag))
            return leg;
    }
    return NULL;
}

bool tracker_join(struct tracker *t, const struct track_leg_name *one, const struct track_leg_name *other)
{
    struct leg *x = leg_named(t, one), *y = leg_named(t, other);

    if (!x || !y || x == y)
        return false;
    if (x->call->session != y->call->session)
        legs_join(x, y, (struct join_verdict){ 100, CALL_JOIN_SERVER });
    return x->call->session == y->call->session;
}

size_t tracker_session(const struct tracker *t, const struct call *c, struct call **ret_legs)
{
    const struct leg *leg = leg_of_call(t, c);
    const struct session *s = leg ? leg->session : NULL;
    size_t count = 0;

    if (leg && !s)
        ret_legs[count++] = leg->call;
    for (size_t i = 0; s && i < s->ended; i++)
        ret_legs[count++] = s->legs[i];
    for (const struct list *l = s ? s->live.next : NULL; s && l != &s->live; l = l->next) {
        struct call *live = list_item(l, struct leg, in_session)->call;
        size_t at = count++;

        for (; at > 0 && ret_legs[at - 1]->index > live->index; at--)
            ret_legs[at] = ret_legs[at - 1];
        ret_legs[at] = live;
    }
    return count;
}

void track_join_relayed(void *ctx, const struct call *a, const struct call *b)
{
    struct tracker *t = ctx;
    struct leg *x = leg_of_call(t, a), *y = leg_of_call(t, b);

    if (!t->settings.no_join && x && y && a->session != b->session && !contradict(a, b))
        legs_join(x, y, (struct join_verdict){ JOIN_BY_RTP, CALL_JOIN_RTP });
}

static void keys_free(struct tracker *t, struct leg *leg)
{
    for (unsigned i = 0; leg->keys && i < leg->keys->count; i++)
        map_remove(&t->joins, &leg->keys->key[i].node);
    free(leg->keys);
    leg->keys = NULL;
}

void track_join_settle(struct tracker *t, struct leg *leg)
{
    if (leg->keys && call_state_is_over((enum call_state)leg->call->state))
        keys_free(t, leg);
}

void track_join_leave(struct tracker *t, struct leg *leg)
{
    keys_free(t, leg);
    if (leg->session)
        list_remove(&leg->in_session);
}

size_t track_join_bytes(const struct leg *leg) { return leg->keys ? sizeof *leg->keys : 0; }
