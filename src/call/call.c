/* call/call.c - see call.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "call/call.h"

#include <stdlib.h>

#include "codes/code.h"

/* The record and the text that most calls have, in one piece: neighbours in memory. */
#define CALL_TEXT_BYTES 600u
#define FACTS_TEXT_BYTES 880u        /* two session descriptions without their heads, and hops */

struct call *call_new(void)
{
    struct arena arena = {0};
    struct call *c = arena_begin(&arena, sizeof *c + CALL_TEXT_BYTES) ? arena_zalloc(&arena, sizeof *c)
                                                                      : NULL;

    if (c) {
        c->arena = arena;
        list_init(&c->in_list);
        list_init(&c->streams);
    }
    return c;
}

size_t call_memory_bytes(const struct call *c)
{
    size_t bytes = c->arena.total_bytes + trace_memory_bytes(&c->trace) +
                   (c->facts ? sizeof *c->facts + c->facts->arena.total_bytes : 0);

    for (const struct list *l = c->streams.next; l != &c->streams; l = l->next)
        bytes += stream_memory_bytes(list_item(l, struct stream, in_list));
    return bytes;
}

struct call_facts *call_facts(struct call *c)
{
    if (c->facts || !(c->facts = calloc(1, sizeof *c->facts)))
        return c->facts;
    c->facts->max_forwards = UINT16_MAX;
    (void)arena_begin(&c->facts->arena, FACTS_TEXT_BYTES);
    return c->facts;
}

void call_forget(struct call *c)
{
    trace_done(&c->trace);
    if (c->facts)
        arena_done(&c->facts->arena);
    free(c->facts);
    c->facts = NULL;
}

struct call *call_free(struct call *c)
{
    if (c) {
        struct arena arena = c->arena;                    /* the call stands in it */

        call_forget(c);
        while (!list_is_empty(&c->streams)) {
            struct stream *s = list_item(c->streams.next, struct stream, in_list);

            list_remove(&s->in_list);
            stream_free(s);
        }
        arena_done(&arena);
    }
    return NULL;
}

slice call_join_name(enum call_join join)
{
    static const char *const names[CALL_JOINS] = {
        "", "configured-header", "session-id", "icid", "media-address", "call-id", "header", "rtp", "numbers",
        "server",
    };

    return slice_of_string(names[join]);
}

void call_add_stream(struct call *c, struct stream *s)
{
    struct list *after = c->streams.prev;

    while (after != &c->streams && list_item(after, struct stream, in_list)->index > s->index)
        after = after->prev;
    list_insert_after(after, &s->in_list);
    s->call = c->index;
    s->call_id = c->call_id;
}

bool call_step(struct call *c, enum call_event event)
{
    enum call_state next = call_state_next((enum call_state)c->state, event);

    if (next == CALL_NEW) {
        c->surprises++;                                   /* shown to the user, not dropped */
        return false;
    }
    c->state = (uint8_t)next;
    return true;
}

static bool call_make_code_room(struct call *c)
{
    if (c->code_count < c->code_room)
        return true;
    uint16_t room = c->code_room ? (uint16_t)(c->code_room * 2) : 4;
    struct call_code_count *codes = room > CALL_CODES_MAX
        ? NULL : arena_alloc(&c->arena, room * sizeof *codes);

    if (!codes)
        return false;
    if (c->code_count)
        memcpy(codes, c->codes, c->code_count * sizeof *codes);
    c->codes = codes;
    c->code_room = room;
    return true;
}

void call_count_response(struct call *c, uint16_t code)
{
    for (size_t i = 0; i < c->code_count; i++)
        if (c->codes[i].code == code) {
            if (c->codes[i].count < UINT16_MAX)
                c->codes[i].count++;
            return;
        }
    if (!call_make_code_room(c)) {
        c->codes_beyond++;
        c->tables_full = true;
        return;
    }
    c->codes[c->code_count++] = (struct call_code_count){ code, 1 };
}

static const struct { uint16_t code; const char *name; uint8_t list; } state_words[CALL_STATES] = {
    [CALL_NEW]          = { 2002, "Invite",    CALL_LIST_ACTIVE },
    [CALL_TRYING]       = { 2002, "Invite",    CALL_LIST_ACTIVE },
    [CALL_PROGRESS]     = { 0,    NULL,        CALL_LIST_ACTIVE },
    [CALL_CANCELLING]   = { 2004, "Cancel",    CALL_LIST_ACTIVE },
    [CALL_CANCELLED]    = { 0,    NULL,        CALL_LIST_COMPLETED },
    [CALL_REFUSED]      = { 0,    NULL,        CALL_LIST_COMPLETED },
    [CALL_ACTIVE]       = { 999,  "Active",    CALL_LIST_ACTIVE },
    [CALL_COMPLETED]    = { 1000, "Completed", CALL_LIST_COMPLETED },
    [CALL_SILENT]       = { 8003, "Unmonitored due to no media transmission", CALL_LIST_UNMONITORED },
    [CALL_MEDIA_STOPPED] = { 8100, "Media Transmission Stopped", CALL_LIST_COMPLETED },
    [CALL_NOT_FOLLOWED] = { 8004, "Unmonitored due to licensing", CALL_LIST_UNMONITORED },
};

/* The SIP code that stands for a state without a number of its own. */
static uint16_t call_shown_code(const struct call *c)
{
    return c->state == CALL_PROGRESS ? c->last_progress : c->final;
}

slice call_code_name(uint16_t code)
{
    static const char *const classes[] = { "", "Provisional", "Success", "Redirection", "Client Error",
                                           "Server Error", "Global Failure" };   /* RFC 3261, 7.2 */
    slice phrase = code_phrase(code);

    return phrase.len || code >= 700 ? phrase : slice_of_string(classes[code / 100]);
}

struct call_status call_status(const struct call *c)
{
    struct call_status s = { SLICE("monitor"), state_words[c->state].code,
                             slice_of_string(state_words[c->state].name),
                             (enum call_list)state_words[c->state].list };

    if (s.code == 0 && call_shown_code(c)) {
        s.family = SLICE("sip");
        s.code = call_shown_code(c);
        s.name = call_code_name(s.code);
    } else if (s.code == 0) {                             /* cancelled, and the 487 never came */
        s.code = 2004;
        s.name = SLICE("Cancel");
    }
    return s;
}

slice call_list_name(enum call_list list)
{
    static const char *const names[CALL_LISTS] = { "active", "completed", "unmonitored" };

    return slice_of_string(names[list]);
}

slice call_side_name(enum call_side side)
{
    static const char *const names[CALL_SIDES] = { "", "caller", "callee", "server", "network" };

    return slice_of_string(names[side]);
}

slice call_ack_name(enum call_ack ack)
{
    static const char *const names[] = { "", "seen", "late", "lost", "waiting" };

    return slice_of_string(names[ack]);
}

static slice call_number_text(uint16_t number, char room[8])
{
    size_t at = 8;

    do
        room[--at] = (char)('0' + number % 10);
    while ((number /= 10));
    return slice_of(room + at, 8 - at);
}

slice call_last_response(const struct call *c, char room[8])
{
    bool given_up = c->final == 0 || (c->final == 487 && c->cancel_ns);

    if (c->answered && c->final == 0)
        return SLICE("200");
    if (!given_up)
        return call_number_text(c->final, room);
    if (c->last_progress)
        return SLICE("18X");
    return c->last_trying ? SLICE("100") : SLICE("0");
}

static int64_t between(int64_t from_ns, int64_t to_ns)
{
    return from_ns && to_ns >= from_ns ? to_ns - from_ns : -1;
}

int64_t call_pdd_ns(const struct call *c)
{
    return between(c->invite_ns, c->progress_ns ? c->progress_ns : c->answered_ns);
}

int64_t call_ring_ns(const struct call *c)
{
    return between(c->progress_ns, c->answered_ns ? c->answered_ns : c->ended_ns);
}

int64_t call_talk_ns(const struct call *c) { return between(c->answered_ns, c->bye_ns); }

int64_t call_duration_ns(const struct call *c)
{
    return between(c->invite_ns, c->ended_ns ? c->ended_ns : c->last_ns);
}
