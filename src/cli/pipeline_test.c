/* cli/pipeline_test.c - messages of our own switch become calls as captured ones do
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/pipeline.h"

#include "harness/test.h"

#define FIRST_NS 1700000000000000000
#define REST "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@x.example>;tag=1\r\nCall-ID: c\r\nCSeq: 1 "

struct outcome { unsigned opened, messages, sessions, closed, registrations; uint16_t final; bool diagnosed; };

static void on_opened(void *ctx, const struct call *c)
{
    (void)c;
    ((struct outcome *)ctx)->opened++;
}

static void on_message(void *ctx, const struct track_sighting *s)
{
    ((struct outcome *)ctx)->messages += s->kind == SEEN_NEW;
}

static void on_session(void *ctx, struct call *const *legs, size_t count)
{
    struct outcome *seen = ctx;

    seen->sessions++;
    seen->diagnosed = count == 1 && legs[0]->verdicts && legs[0]->verdicts->cause.cause;
}

static bool on_closed(void *ctx, struct call *c)
{
    struct outcome *seen = ctx;

    seen->closed++;
    seen->final = c->final;
    return false;
}

static bool on_registration(void *ctx, struct registration *r)
{
    ((struct outcome *)ctx)->registrations += r->verdicts != NULL;
    return false;
}

static void put(struct pipeline *p, const char *text, bool back, unsigned ms)
{
    const struct address caller = address_v4("\x0a\0\0\1", 5060), server = address_v4("\x0a\0\0\2", 5060);
    struct wire_unit unit = { .kind = WIRE_MESSAGE, .time_ns = FIRST_NS + ms * 1000000LL, .payload = slice_of_string(text),
                              .src = back ? server : caller, .dst = back ? caller : server };
    struct sip_header room[32];
    struct sip_message m;

    CHECK(sip_message_parse(unit.payload, SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0);
    pipeline_message(p, &unit, &m);
}

TEST(a_message_that_was_never_a_frame_is_followed_as_any_other)
{
    struct outcome seen = {0};
    struct pipeline_observer observer = { .ctx = &seen, .opened = on_opened, .message = on_message,
                                          .session = on_session, .closed = on_closed };
    struct pipeline p;

    CHECK(pipeline_begin(&p, &(struct pipeline_settings){ .memory_bytes = 64u << 20 }, &observer));
    put(&p, "INVITE sip:b@x.example SIP/2.0\r\n" REST "INVITE\r\nTo: <sip:b@x.example>\r\n\r\n", false, 0);
    put(&p, "SIP/2.0 486 Busy Here\r\n" REST "INVITE\r\nTo: <sip:b@x.example>;tag=2\r\n\r\n", true, 200);
    put(&p, "ACK sip:b@x.example SIP/2.0\r\n" REST "ACK\r\nTo: <sip:b@x.example>;tag=2\r\n\r\n", false, 210);
    CHECK_EQ(p.first_ns, FIRST_NS);
    CHECK_EQ(p.last_ns, FIRST_NS + 210000000);
    pipeline_finish(&p);
    pipeline_done(&p);
    CHECK_EQ(seen.opened, 1);
    CHECK_EQ(seen.messages, 3);
    CHECK_EQ(seen.sessions, 1);
    CHECK_EQ(seen.closed, 1);
    CHECK_EQ(seen.final, 486);
    CHECK(seen.diagnosed);
}

TEST(a_registration_comes_out_diagnosed)
{
    struct outcome seen = {0};
    struct pipeline p;

    CHECK(pipeline_begin(&p, NULL, &(struct pipeline_observer){ .ctx = &seen, .registration = on_registration }));
    put(&p, "REGISTER sip:x.example SIP/2.0\r\n" REST "REGISTER\r\nTo: <sip:a@x.example>\r\n"
            "Contact: <sip:a@10.0.0.1>\r\n\r\n", false, 0);
    put(&p, "SIP/2.0 403 Forbidden\r\n" REST "REGISTER\r\nTo: <sip:a@x.example>;tag=2\r\n\r\n", true, 9);
    pipeline_finish(&p);
    pipeline_done(&p);
    CHECK_EQ(seen.registrations, 1);
}

TORTURE(a_pipeline_that_finds_no_memory_leaves_none_behind)
{
    struct pipeline p;

    (void)pipeline_begin(&p, NULL, &(struct pipeline_observer){0});
    pipeline_done(&p);
}
