/* net/frames_test.c - frames both ways, and what a hostile peer may try.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"

#include <errno.h>

#include "net/frames.h"

/* One end: what it was told and what it wrote. */
struct end {
    struct buffer_budget budget;
    struct frames       *frames;
    char                 out[100000];
    size_t               out_len, out_max;
    char                 got[1000];
    size_t               got_len, messages;
};

static bool on_message(void *ctx, slice message)
{
    struct end *e = ctx;

    e->messages++;
    e->got_len = message.len < sizeof e->got ? message.len : sizeof e->got;
    memcpy(e->got, message.ptr, e->got_len);
    return !slice_eq(message, SLICE("stop"));
}

static bool on_write(void *ctx, slice bytes)
{
    struct end *e = ctx;

    if (bytes.len > e->out_max - e->out_len)
        return false;
    memcpy(e->out + e->out_len, bytes.ptr, bytes.len);
    e->out_len += bytes.len;
    return true;
}

static bool end_open(struct end *e, enum frames_side side)
{
    memset(e, 0, sizeof *e);
    e->budget.max_bytes = 1 << 20;
    e->out_max = sizeof e->out;
    e->frames = frames_new(side, &e->budget, 500, &(struct frames_handlers){ e, on_message, on_write });
    return e->frames;
}

static void end_close(struct end *e)
{
    e->frames = frames_free(e->frames);
    CHECK_EQ(e->budget.used_bytes, 0);
}

/* What `from` wrote goes to `to`, in pieces. */
static int carry(struct end *from, struct end *to, size_t piece)
{
    int error = 0;

    for (size_t at = 0; at < from->out_len && !error; at += piece) {
        slice rest = slice_of(from->out + at, from->out_len - at);

        error = frames_read(to->frames, slice_head(rest, piece));
    }
    from->out_len = 0;
    return error;
}

static struct end client, server;    /* too large for the stack */

TORTURE(messages_arrive_whole_both_ways_whatever_the_pieces)
{
    static const size_t pieces[] = { 1, 2, 7, 100000 };
    static const slice said[] = { SLICE_INIT("OPTIONS sip:a SIP/2.0\r\n\r\n"), SLICE_INIT("\xff\xfe not UTF-8"),
                                  SLICE_INIT("\r\n\r\n") };

    CHECK_OR_RETURN(end_open(&client, FRAMES_CLIENT));
    CHECK_OR_GOTO(end_open(&server, FRAMES_SERVER), out);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        for (size_t j = 0; j < ARRAY_LEN(said); j++) {
            CHECK_EQ(frames_write(client.frames, said[j]), 0);
            int error = carry(&client, &server, pieces[i]);
            CHECK_OR_GOTO(error == 0, out);
            CHECK_ROW(i, slice_eq(slice_of(server.got, server.got_len), said[j]));
            CHECK_EQ(frames_write(server.frames, said[j]), 0);
            error = carry(&server, &client, pieces[i]);
            CHECK_OR_GOTO(error == 0, out);
            CHECK_ROW(i, slice_eq(slice_of(client.got, client.got_len), said[j]));
        }
    CHECK_EQ(server.messages, ARRAY_LEN(pieces) * ARRAY_LEN(said));
    CHECK(!frames_midway(server.frames));
out:
    end_close(&client);
    if (server.frames)
        end_close(&server);
}

#define M "\0\0\0\0"                 /* a mask that changes nothing */

TEST(what_a_client_sends_is_answered_by_the_rules)
{
    static const struct { slice in; int error; slice out; size_t messages; } rows[] = {
        { SLICE_INIT("\x89\x82" M "hi"), 0, SLICE_INIT("\x8a\x02hi"), 0 },                 /* ping */
        { SLICE_INIT("\x8a\x80" M), 0, SLICE_INIT(""), 0 },                                 /* pong */
        { SLICE_INIT("\x01\x82" M "ab" "\x89\x80" M "\x80\x81" M "c"), 0, SLICE_INIT("\x8a\0"), 1 },
        { SLICE_INIT("\x81\x80" M), 0, SLICE_INIT(""), 0 },                                 /* nothing in it */
        { SLICE_INIT("\x88\x82" M "\x03\xe8"), -ESHUTDOWN, SLICE_INIT("\x88\x02\x03\xe8"), 0 },
        { SLICE_INIT("\x81\x02hi"), -EPROTO, SLICE_INIT("\x88\x02\x03\xea"), 0 },           /* no mask */
        { SLICE_INIT("\x80\x81" M "a"), -EPROTO, SLICE_INIT("\x88\x02\x03\xea"), 0 },       /* continues nothing */
        { SLICE_INIT("\xc1\x81" M "a"), -EPROTO, SLICE_INIT("\x88\x02\x03\xea"), 0 },       /* compressed */
        { SLICE_INIT("\x81\x81" M "\xff"), -EPROTO, SLICE_INIT("\x88\x02\x03\xef"), 0 },    /* not UTF-8 */
        { SLICE_INIT("\x82\x81" M "\xff"), 0, SLICE_INIT(""), 1 },
        { SLICE_INIT("\x82\xff\0\0\0\0\0\1\0\0" M "a"), -EMSGSIZE, SLICE_INIT("\x88\x02\x03\xf1"), 0 },
        { SLICE_INIT("\x81\x84" M "stop" "\x81\x81" M "a"), -ECANCELED, SLICE_INIT(""), 1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(end_open(&server, FRAMES_SERVER));
        CHECK_ROW_EQ(i, frames_read(server.frames, rows[i].in), rows[i].error);
        CHECK_ROW_EQ(i, slice_of(server.out, server.out_len), rows[i].out);
        CHECK_ROW_EQ(i, server.messages, rows[i].messages);
        CHECK_ROW_EQ(i, frames_read(server.frames, (slice){ 0 }), rows[i].error);
        end_close(&server);
    }
}

TEST(fragments_without_end_are_too_much)
{
    int error = 0;
    size_t n = 0;

    CHECK(end_open(&server, FRAMES_SERVER));
    for (; n < 10000 && !error; n++)
        error = frames_read(server.frames, n ? SLICE("\0\x81" M "a") : SLICE("\x01\x81" M "a"));
    CHECK_EQ(error, -EMSGSIZE);
    CHECK_EQ(n, 501);
    CHECK_EQ(server.messages, 0);
    end_close(&server);
}

TEST(pings_to_who_does_not_read_the_answers_end_it)
{
    int error = 0;

    CHECK(end_open(&server, FRAMES_SERVER));
    server.out_max = 100;
    for (size_t n = 0; n < 1000 && !error; n++)
        error = frames_read(server.frames, SLICE("\x89\x82" M "hi"));
    CHECK_EQ(error, -ENOBUFS);
    end_close(&server);
}

TEST(a_good_bye_is_said_and_answered)
{
    CHECK(end_open(&client, FRAMES_CLIENT) && end_open(&server, FRAMES_SERVER));
    CHECK_EQ(frames_close(server.frames), 0);
    CHECK_EQ(frames_write(server.frames, SLICE("late")), -ESHUTDOWN);
    CHECK_EQ(carry(&server, &client, 100), -ESHUTDOWN);
    CHECK_EQ(carry(&client, &server, 100), -ESHUTDOWN);
    end_close(&client);
    end_close(&server);
}
