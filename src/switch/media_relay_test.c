/* switch/media_relay_test.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/media_relay.h"

#include "harness/test.h"

#define MS 1000000ll
#define START_NS (1795251000000ll * MS)

static struct {
    char     sent[8][2048];
    size_t   sent_count;
    unsigned told;
    enum media_outcome outcome;
    char     sdp[256], reason[64];
} w;

static void on_send(void *ctx, slice bytes)
{
    (void)ctx;
    snprintf(w.sent[w.sent_count++ % 8], sizeof w.sent[0], SLICE_FMT, SLICE_ARG(bytes));
}

static void on_reply(void *ctx, const struct media_reply *reply)
{
    (void)ctx;
    w.told++;
    w.outcome = reply->outcome;
    snprintf(w.sdp, sizeof w.sdp, SLICE_FMT, SLICE_ARG(reply->sdp));
    snprintf(w.reason, sizeof w.reason, SLICE_FMT, SLICE_ARG(reply->reason));
}

static struct media_relay *begin(enum media_ice ice)
{
    struct media_relay_settings s = { .seed = { 1, 2 }, .ice = ice, .ping_ns = -1, .requests_max = 4 };
    struct media_sender sender = { NULL, on_send };

    memset(&w, 0, sizeof w);
    return media_relay_new(&s, &sender, START_NS);
}

static const struct media_wish offer = { .command = MEDIA_OFFER, .call_id = SLICE_INIT("c"), .from_tag = SLICE_INIT("a"),
                                         .via_branch = SLICE_INIT("z"), .sdp = SLICE_INIT("v=0") };

/* What came for the n-th datagram: its cookie, then `text`. */
static void answer(struct media_relay *m, size_t n, const char *text, int64_t now_ns)
{
    char bytes[512];
    int len = snprintf(bytes, sizeof bytes, "%.16s %s", w.sent[n], text);

    media_relay_receive(m, slice_of(bytes, (size_t)len), now_ns);
}

TEST(each_question_says_what_the_protocol_wants)
{
    static const struct { struct media_wish wish; enum media_ice ice; const char *text; } rows[] = {
        { { .command = MEDIA_PING }, MEDIA_ICE_FORCE, "d7:command4:pinge" },
        { { .command = MEDIA_DELETE, .call_id = SLICE_INIT("c") }, MEDIA_ICE_FORCE, "d7:call-id1:c7:command6:deletee" },
        { { .command = MEDIA_QUERY, .call_id = SLICE_INIT("c") }, MEDIA_ICE_KEEP, "d7:call-id1:c7:command5:querye" },
        { { .command = MEDIA_OFFER, .call_id = SLICE_INIT("c"), .from_tag = SLICE_INIT("a"), .via_branch = SLICE_INIT("z"), .sdp = SLICE_INIT("v=0") },
          MEDIA_ICE_KEEP,
          "d7:call-id1:c7:command5:offer8:from-tag1:a7:replacel6:origine3:sdp3:v=010:via-branch1:ze" },
        { { .command = MEDIA_ANSWER, .call_id = SLICE_INIT("c"), .from_tag = SLICE_INIT("a"), .to_tag = SLICE_INIT("b"), .sdp = SLICE_INIT("v=0") },
          MEDIA_ICE_REMOVE,
          "d3:ICE6:remove7:call-id1:c7:command6:answer8:from-tag1:a7:replacel6:origine3:sdp3:v=06:to-tag1:be" },
        { { .command = MEDIA_ANSWER, .call_id = SLICE_INIT("c"), .from_tag = SLICE_INIT("a"), .to_tag = SLICE_INIT("b"), .sdp = SLICE_INIT("v=0") },
          MEDIA_ICE_FORCE,
          "d3:ICE5:force7:call-id1:c7:command6:answer8:from-tag1:a7:replacel6:origine3:sdp3:v=06:to-tag1:be" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct media_relay *m = begin(rows[i].ice);

        CHECK(media_relay_ask(m, &rows[i].wish, START_NS, on_reply, NULL) != NULL);
        CHECK_ROW_EQ(i, w.sent_count, 1);
        CHECK_ROW_EQ(i, w.sent[0][16], ' ');
        CHECK_STR_EQ(w.sent[0] + 17, rows[i].text);
        media_relay_free(m);
    }
}

TEST(each_answer_is_told_as_what_it_is)
{
    static const struct { const char *text; enum media_outcome outcome; const char *sdp, *reason; } rows[] = {
        { "d3:sdp4:v=0\n6:result2:oke", MEDIA_DONE, "v=0\n", "" },
        { "d12:error-reason15:Unknown call-id6:result5:errore", MEDIA_REFUSED, "", "Unknown call-id" },
        { "d6:result5:errore", MEDIA_REFUSED, "", "" },
        { "d6:result2:oke", MEDIA_BAD_REPLY, "", "" },    /* without the SDP that was asked for */
        { "d3:sdp0:6:result2:oke", MEDIA_BAD_REPLY, "", "" },
        { "d6:result4:ponge", MEDIA_BAD_REPLY, "", "" },
        { "d3:sdp4:v=0\n6:resulti1ee", MEDIA_BAD_REPLY, "", "" },
        { "d3:sdp400:v=0\n6:result2:oke", MEDIA_BAD_REPLY, "", "" },
        { "l2:oke", MEDIA_BAD_REPLY, "", "" },
        { "", MEDIA_BAD_REPLY, "", "" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct media_relay *m = begin(MEDIA_ICE_KEEP);

        CHECK(media_relay_ask(m, &offer, START_NS, on_reply, NULL) != NULL);
        answer(m, 0, rows[i].text, START_NS);
        CHECK_ROW_EQ(i, w.told, 1);
        CHECK_ROW_EQ(i, w.outcome, rows[i].outcome);
        CHECK_STR_EQ(w.sdp, rows[i].sdp);
        CHECK_STR_EQ(w.reason, rows[i].reason);
        answer(m, 0, rows[i].text, START_NS);             /* once more: nobody waits for it */
        CHECK_ROW_EQ(i, w.told, 1);
        CHECK_ROW_EQ(i, media_relay_counts(m)->late, 1);
        CHECK_ROW_EQ(i, media_relay_open(m), 0);
        media_relay_free(m);
    }
}

TEST(a_question_is_sent_three_times_and_then_the_relay_is_down)
{
    struct media_relay *m = begin(MEDIA_ICE_KEEP);
    int64_t now_ns = START_NS;

    CHECK(media_relay_ask(m, &offer, now_ns, on_reply, NULL) != NULL);
    while (!w.told && now_ns < START_NS + 3000 * MS)
        media_relay_time(m, now_ns += 10 * MS);
    CHECK(now_ns >= START_NS + 1500 * MS && now_ns <= START_NS + 1550 * MS);
    CHECK_EQ(w.sent_count, 3);
    CHECK_STR_EQ(w.sent[0], w.sent[1]);
    CHECK_STR_EQ(w.sent[0], w.sent[2]);
    CHECK_EQ(w.outcome, MEDIA_UNREACHABLE);
    CHECK(media_relay_is_down(m));
    CHECK(media_relay_ask(m, &offer, now_ns, on_reply, NULL) == NULL);
    CHECK_EQ(w.told, 1);
    CHECK_EQ(media_relay_next_ns(m), INT64_MAX);
    media_relay_free(m);
}

TEST(a_relay_that_was_down_is_asked_again_once_it_answers_a_ping)
{
    struct media_relay_settings s = { .seed = { 1, 2 } };
    struct media_sender sender = { NULL, on_send };
    struct media_relay *m;
    int64_t now_ns = START_NS;

    memset(&w, 0, sizeof w);
    m = media_relay_new(&s, &sender, now_ns);
    media_relay_time(m, now_ns);
    CHECK_EQ(w.sent_count, 1);                            /* a ping, to know from the start */
    answer(m, 0, "d6:result4:ponge", now_ns);
    media_relay_lost(m, now_ns);
    CHECK(media_relay_is_down(m));
    CHECK(media_relay_next_ns(m) <= now_ns + 500 * MS);
    media_relay_time(m, now_ns += 500 * MS);
    CHECK_EQ(w.sent_count, 2);
    answer(m, 1, "d6:result4:ponge", now_ns);
    CHECK(!media_relay_is_down(m));
    CHECK(media_relay_next_ns(m) > now_ns + 4000 * MS);
    CHECK_EQ(media_relay_counts(m)->went_down, 1);
    media_relay_free(m);
}

TEST(what_answers_no_question_is_dropped)
{
    static const slice rows[] = { SLICE_INIT(""), SLICE_INIT(" "), SLICE_INIT("d6:result2:oke"), SLICE_INIT("0123456789abcdef d6:result2:oke"),
                                  SLICE_INIT("0123456789abcdefg d6:result2:oke") };
    struct media_relay *m = begin(MEDIA_ICE_KEEP);

    CHECK(media_relay_ask(m, &offer, START_NS, on_reply, NULL) != NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        media_relay_receive(m, rows[i], START_NS);
    CHECK_EQ(w.told, 0);
    CHECK_EQ(media_relay_counts(m)->late, ARRAY_LEN(rows));
    CHECK_EQ(media_relay_open(m), 1);
    media_relay_free(m);
}

TORTURE(several_are_open_at_once_each_gets_its_own_answer_and_a_forgotten_one_gets_none)
{
    struct media_relay *m = begin(MEDIA_ICE_KEEP);
    struct media_request *r[5] = { 0 };

    CHECK_OR_RETURN(m != NULL);
    for (int i = 0; i < 4; i++) {
        r[i] = media_relay_ask(m, &offer, START_NS, on_reply, NULL);
        CHECK_OR_GOTO(r[i] != NULL, out);
    }
    CHECK(media_relay_ask(m, &offer, START_NS, on_reply, NULL) == NULL);       /* no room */
    CHECK(strncmp(w.sent[0], w.sent[1], 16) != 0);
    media_request_forget(r[1]);
    answer(m, 1, "d3:sdp3:one6:result2:oke", START_NS);
    CHECK_EQ(w.told, 0);
    answer(m, 2, "d3:sdp3:two6:result2:oke", START_NS);
    CHECK_STR_EQ(w.sdp, "two");
    answer(m, 0, "d3:sdp4:zero6:result2:oke", START_NS);
    CHECK_STR_EQ(w.sdp, "zero");
    CHECK_EQ(media_relay_open(m), 1);
out:
    media_relay_free(m);
}
