/* switch/b2bua_anchor.c - a message with SDP waits until the media relay has rewritten it
 * SPDX-License-Identifier: Apache-2.0
 *
 * It is kept as it came and, when the relay has spoken, handled from the beginning with another
 * body; so whoever asks anchor_message does it before anything else has an effect, and is written
 * as if nothing ever waited. What comes for the same call meanwhile waits behind it, so that
 * the order in which messages came is kept. BYE and CANCEL do not wait: they end the call, and
 * then all that waits is handled as it is. */
#include "sip/build.h"
#include "sip/sdp.h"
#include "switch/b2bua_int.h"

#include <stdlib.h>

enum { WAITING_MAX = 64 };           /* of a call; beyond, it is as without memory */

struct waiting {
    uint8_t              kind;       /* as the owner of a server transaction */
    bool                 taken;      /* its CSeq is */
    bool                 told, ends; /* the relay has spoken; no message: the transaction of `relay` is gone */
    bool                 offers, fails;
    bool                 is_final, refuses;               /* an answer to our INVITE; not 2xx */
    bool                 is_offer;   /* INVITE, or UPDATE with SDP */
    struct list          in_call;
    struct b2bua_call   *call;
    struct media_request *asked;
    struct anchor_place  place;
    struct branch       *branch;     /* that of the SDP */
    struct route_target *target;     /* of an INVITE that is still to be sent */
    struct hop           hop;
    char                *body;       /* the new one */
    size_t               body_len, len;
    char                 bytes[];    /* the message as it came */
};

/* ---- one that waits ---- */

static struct waiting *waiting_new(struct b2bua_call *c, const struct anchor_place *place, slice bytes, const struct hop *hop)
{
    struct waiting *w = c->inbox_count < WAITING_MAX ? malloc(sizeof *w + bytes.len) : NULL;

    if (!w)
        return NULL;
    *w = (struct waiting){ .kind = B2BUA_WAITING, .call = c, .place = *place, .len = bytes.len };
    if (hop)
        w->hop = *hop;
    if (bytes.len)
        memcpy(w->bytes, bytes.ptr, bytes.len);
    list_init(&w->in_call);
    c->inbox_count++;
    c->b2bua->memory_bytes += sizeof *w + w->len;
    if (place->server)
        server_set_owner(place->server, w);
    return w;
}

static void note_what(struct waiting *w, const struct sip_message *m)
{
    w->is_final = w->place.branch && m->status >= 200;
    w->refuses = w->is_final && m->status >= 300;
    w->is_offer = m->is_request && relay_is_offer(m);
}

static void waiting_free(struct waiting *w)
{
    if (w->place.server && server_owner(w->place.server) == w)
        server_set_owner(w->place.server, NULL);
    media_request_forget(w->asked);
    list_remove(&w->in_call);
    w->call->inbox_count--;
    w->call->b2bua->memory_bytes -= sizeof *w + w->len + w->body_len;
    free(w->target);
    free(w->body);
    free(w);
}

static bool is_waiting(const struct b2bua_call *c) { return !list_is_empty(&c->inbox) || c->draining; }

/* ---- what fails ---- */

unsigned anchor_status(const struct b2bua_call *c) { return c->relay_refused ? 488 : 503; }

void anchor_headers(const struct b2bua_call *c, struct out *o)
{
    if (anchor_status(c) == 503)
        sip_build_header_u32(o, SIP_H_RETRY_AFTER, 1 + (uint32_t)(b2bua_random(c->b2bua) % 10));
    else
        sip_build_header(o, SIP_H_WARNING, SLICE("399 relay \"The media relay refuses the session description\""));
}

void anchor_refuse(struct b2bua_call *c, struct server_transaction *s)
{
    anchor_headers(c, server_reply(s, anchor_status(c), (slice){ 0 }));
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
}

/* Neither rewritten nor refused: prefer or require? */
static enum anchor without_relay(struct b2bua_call *c, struct branch *branch, bool offers)
{
    struct b2bua *b = c->b2bua;

    if (offers)
        branch->anchored = false;                         /* its answer passes as it is, too */
    if (!b->settings.media_required) {
        b->counts.unanchored++;
        return ANCHOR_GO;
    }
    b->counts.unanchorable++;
    c->relay_refused = false;
    return ANCHOR_FAIL;
}

/* ---- what the relay says ---- */

/* The body with the new SDP in the place of the old: it may be a part of several. */
static bool splice(struct waiting *w, slice body, slice old, slice new)
{
    size_t before = (size_t)(old.ptr - body.ptr), after = body.len - before - old.len;

    w->body = malloc(before + new.len + after);
    if (!w->body)
        return false;
    w->body_len = before + new.len + after;
    w->call->b2bua->memory_bytes += w->body_len;
    memcpy(w->body, body.ptr, before);
    memcpy(w->body + before, new.ptr, new.len);
    memcpy(w->body + before + new.len, old.ptr + old.len, after);
    return true;
}

static slice original(const struct waiting *w)
{
    return w->target ? w->call->setup->request : slice_of(w->bytes, w->len);
}

static void take_reply(struct waiting *w, const struct media_reply *reply)
{
    struct b2bua_call *c = w->call;
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    slice old;

    if (reply->outcome == MEDIA_REFUSED) {
        c->b2bua->counts.unanchorable++;
        c->relay_refused = w->fails = true;
    } else if (reply->outcome == MEDIA_DONE &&
               sip_message_parse(original(w), SIP_DATAGRAM, room, SIP_HEADERS_MAX, &m) > 0 && sip_sdp_of(&m, &old) &&
               splice(w, m.body, old, reply->sdp)) {
        c->b2bua->counts.anchored++;
        w->branch->anchored = true;
    } else {
        w->fails = without_relay(c, w->branch, w->offers) == ANCHOR_FAIL;
    }
}

static void drain(struct b2bua_call *c);

static void on_reply(void *ctx, const struct media_reply *reply)
{
    struct waiting *w = ctx;
    struct b2bua_call *c = w->call;

    (void)b2bua_now(c->b2bua);
    w->asked = NULL;
    w->told = true;
    if (w->target) {
        struct branch *branch = w->branch;

        branch->waiting = NULL;
        if (c->phase == CALL_SETUP && !branch->over) {
            take_reply(w, reply);
            c->draining = true;
            setup_invite(branch, w->target, slice_of(w->body, w->body_len), w->fails);
            c->draining = false;
        }
        waiting_free(w);
    } else {
        take_reply(w, reply);
        drain(c);
    }
    call_release(c);
}

/* ---- asking ---- */

/* The relay knows a call by A's Call-ID, with our tag behind it: a call that comes to us twice
 * on one way is two. One that a transfer made has a number, too: the A that it will have is still
 * that of another call. */
static void put_call_id(struct out *o, const struct b2bua_call *c)
{
    out_clear(o);
    out_text(o, c->a.dialog.call_id);
    out_char(o, '/');
    out_text(o, forks_first_tag(c));
    if (c->anchor_number) {
        out_char(o, '/');
        out_u64(o, c->anchor_number);
    }
}

/* The tag of B is ours and theirs, so that none can pass for A's. */
static bool ask(struct waiting *w, const struct anchor_sdp *at, slice sdp)
{
    struct b2bua_call *c = w->call;
    struct b2bua *b = c->b2bua;
    slice own = at->branch->asked.local_tag, call_id, b_tag;
    struct out *o = &b->scratch;
    size_t len;

    put_call_id(o, c);
    len = o->used;
    out_text(o, own);
    out_char(o, '.');
    out_text(o, at->tag);
    if (o->error)
        return false;
    call_id = slice_head(out_taken(o), len);
    b_tag = at->tag.len ? slice_skip(out_taken(o), len) : (slice){ 0 };
    bool a_offers = at->by_b == at->answers;
    struct media_wish wish = { .command = at->answers ? MEDIA_ANSWER : MEDIA_OFFER, .call_id = call_id,
                               .from_tag = a_offers ? c->a.dialog.remote_tag : b_tag,
                               .to_tag = a_offers ? b_tag : c->a.dialog.remote_tag,
                               .via_branch = a_offers ? own : (slice){ 0 }, .sdp = sdp };

    w->branch = at->branch;
    w->offers = !at->answers;
    w->asked = media_relay_ask(c->media, &wish, b2bua_now(b), on_reply, w);
    c->anchored |= w->asked != NULL;
    return w->asked != NULL;
}

enum anchor anchor_message(struct b2bua_call *c, const struct anchor_sdp *at, const struct anchor_place *place,
                           const struct sip_message *m, const struct hop *from)
{
    slice sdp;
    struct waiting *w = c->current;

    if (w && w->told)                                     /* this is it, with its new body */
        return w->fails ? ANCHOR_FAIL : ANCHOR_GO;
    if (!c->media || c->phase == CALL_ENDING || !sip_sdp_of(m, &sdp) ||
        (at->answers && !at->branch->anchored))
        return ANCHOR_GO;
    w = waiting_new(c, place, m->all, from);
    if (!w || !ask(w, at, sdp)) {
        if (w)
            waiting_free(w);
        return without_relay(c, at->branch, !at->answers);
    }
    w->taken = true;
    note_what(w, m);
    list_insert_after(c->current ? &c->inbox : c->inbox.prev, &w->in_call);
    return ANCHOR_WAIT;
}

enum anchor anchor_invite(struct branch *branch, const struct route_target *target, const struct sip_message *request)
{
    struct b2bua_call *c = branch->call;
    struct anchor_sdp at = { .branch = branch };
    struct waiting *w;
    slice sdp;

    if (!c->media || !sip_sdp_of(request, &sdp))
        return ANCHOR_GO;
    w = waiting_new(c, &(struct anchor_place){ 0 }, (slice){ 0 }, NULL);
    if (w && (w->target = malloc(sizeof *w->target)))
        *w->target = *target;                             /* its texts are the call's */
    if (!w || !w->target || !ask(w, &at, sdp)) {
        if (w)
            waiting_free(w);
        return without_relay(c, branch, true);
    }
    branch->waiting = w;
    return ANCHOR_WAIT;
}

/* ---- what waits behind ---- */

bool anchor_queue(struct b2bua_call *c, const struct anchor_place *place, const struct sip_message *m, const struct hop *from)
{
    struct waiting *w;

    if (!is_waiting(c) || (!m->is_request && m->status == 100))
        return false;
    w = waiting_new(c, place, m->all, from);
    if (w) {
        list_append(&c->inbox, &w->in_call);
        note_what(w, m);
    }
    return w || (!m->is_request && m->status < 200);
}

bool anchor_branch_is_refused(const struct branch *branch)
{
    const struct b2bua_call *c = branch->call;

    for (const struct list *l = c->inbox.next; l != &c->inbox; l = l->next) {
        const struct waiting *w = list_item(l, const struct waiting, in_call);

        if (w->refuses && w->place.branch == branch)
            return true;
    }
    return false;
}

bool anchor_has_final(const struct b2bua_call *c)
{
    for (const struct list *l = c->inbox.next; l != &c->inbox; l = l->next)
        if (list_item(l, const struct waiting, in_call)->is_final)
            return true;
    return false;
}

const struct leg *anchor_offering_leg(const struct b2bua_call *c)
{
    for (const struct list *l = c->inbox.next; l != &c->inbox; l = l->next) {
        const struct waiting *w = list_item(l, const struct waiting, in_call);

        if (w->is_offer && w->place.server)
            return w->place.leg;
    }
    return NULL;
}

bool anchor_queue_end(struct relay *r)
{
    struct b2bua_call *c = r->call;
    bool waits = false;
    struct waiting *w;

    for (struct list *l = c->inbox.next; l != &c->inbox && !waits; l = l->next)
        waits = list_item(l, struct waiting, in_call)->place.relay == r;
    w = waits ? waiting_new(c, &(struct anchor_place){ .relay = r }, (slice){ 0 }, NULL) : NULL;
    if (!w)
        return false;
    w->ends = true;
    list_append(&c->inbox, &w->in_call);
    return true;
}

static void handle(struct waiting *w)
{
    const struct anchor_place *at = &w->place;
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;

    if (w->ends) {
        relay_free(at->relay);
        return;
    }
    if (sip_message_parse(slice_of(w->bytes, w->len), SIP_DATAGRAM, room, SIP_HEADERS_MAX, &m) <= 0)
        return;
    if (w->body)
        m.body = slice_of(w->body, w->body_len);
    if (at->server)
        server_set_owner(at->server, NULL);
    if (at->branch)
        setup_response(at->branch, &m, &w->hop);
    else if (at->relay)
        relay_response(at->relay, &m, &w->hop);
    else if (!at->server)
        answer_ack(at->leg, &m, &w->hop);
    else if (!w->taken)
        in_dialog(at->leg, at->server, &m, &w->hop);
    else if (m.method == SIP_PRACK)
        answer_prack(at->leg, at->server, &m, &w->hop);
    else if (!leg_is_open(at->leg))
        server_reply_plain(at->server, 481);
    else
        relay_request(at->leg, at->server, &m, &w->hop);
}

/* Everything up to the next one that the relay is asked about. */
static void drain(struct b2bua_call *c)
{
    struct waiting *w;

    c->draining = true;
    while (!list_is_empty(&c->inbox)) {
        w = list_item(c->inbox.next, struct waiting, in_call);
        if (w->asked)
            break;
        list_remove(&w->in_call);
        c->current = w;
        handle(w);
        c->current = NULL;
        waiting_free(w);
    }
    c->draining = false;
}

/* ---- what does not wait any more ---- */

void anchor_drop(struct waiting *w, unsigned status)
{
    struct b2bua_call *c = w->call;
    struct server_transaction *s = w->place.server;

    w->place.server = NULL;
    if (s)
        server_set_owner(s, NULL);
    if (w == c->current)
        return;
    waiting_free(w);
    if (s && s == c->invite) {                            /* the one that began it, with Replaces */
        if (status)
            server_set_owner(s, c);
        setup_give_up(c, status ? status : 500, (slice){ 0 });
        c->invite = status ? s : NULL;
    } else if (s && status) {
        server_reply_plain(s, status);
    }
    if (!c->draining)
        drain(c);
    call_release(c);
}

static struct waiting *first_of(const struct relay *r)
{
    for (struct list *l = r->call->inbox.next; l != &r->call->inbox; l = l->next)
        if (list_item(l, struct waiting, in_call)->place.relay == r)
            return list_item(l, struct waiting, in_call);
    return NULL;
}

static bool has_relay(const struct b2bua_call *c, const struct relay *r)
{
    for (const struct list *l = c->relays.next; l != &c->relays; l = l->next)
        if (list_item(l, struct relay, in_call) == r)
            return true;
    return false;
}

bool anchor_hurry_relay(struct relay *r)
{
    struct b2bua_call *c = r->call;
    struct waiting *w;

    while (has_relay(c, r)) {
        w = first_of(r);
        if (!w)
            return true;
        list_remove(&w->in_call);
        handle(w);
        waiting_free(w);
    }
    return false;
}

void anchor_change_places(struct b2bua_call *c, struct leg *one, struct leg *other)
{
    for (struct list *l = c->inbox.next; l != &c->inbox; l = l->next) {
        struct anchor_place *at = &list_item(l, struct waiting, in_call)->place;

        at->leg = at->leg == one ? other : at->leg == other ? one : at->leg;
    }
}

void anchor_forget_relay(struct relay *r)
{
    struct b2bua_call *c = r->call;
    struct list *next;

    for (struct list *l = c->inbox.next; l != &c->inbox; l = next) {
        struct waiting *w = list_item(l, struct waiting, in_call);

        next = l->next;
        if (w->place.relay == r)
            waiting_free(w);
    }
}

void anchor_go_on(struct b2bua_call *c)
{
    if (!list_is_empty(&c->inbox) && !c->draining && !c->current)
        drain(c);
}

void anchor_forget_branch(struct branch *branch)
{
    if (branch->waiting)
        waiting_free(branch->waiting);
    branch->waiting = NULL;
}

void anchor_end(struct b2bua_call *c)
{
    for (struct list *l = c->branches.next; l != &c->branches; l = l->next)
        anchor_forget_branch(list_item(l, struct branch, in_call));
    for (struct list *l = c->inbox.next; l != &c->inbox; l = l->next) {
        struct waiting *w = list_item(l, struct waiting, in_call);

        media_request_forget(w->asked);
        w->asked = NULL;
    }
    if (!list_is_empty(&c->inbox))
        drain(c);
    if (!c->anchored)
        return;
    struct out *o = &c->b2bua->scratch;

    c->anchored = false;
    put_call_id(o, c);
    if (!o->error)
        (void)media_relay_ask(c->media, &(struct media_wish){ .command = MEDIA_DELETE, .call_id = out_taken(o) },
                              b2bua_now(c->b2bua), NULL, NULL);
}

void anchor_free(struct b2bua_call *c)
{
    while (!list_is_empty(&c->inbox))
        waiting_free(list_item(c->inbox.next, struct waiting, in_call));
}
