/* switch/b2bua_test.c - what hostile peers and short memory do to a call
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/switch_rig.h"
#include "harness/test.h"

static struct rig r;
static const struct rig_how plain, with_sdp = { .sdp = true };

/* As far as the talk: 183 with PRACK, 200, ACK. */
static void call(void)
{
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 0, 183, &(struct rig_how){ .sdp = true, .rseq = 7 });
    rig_request(&r, RIG_A, "PRACK", &plain);
    rig_answer(&r, RIG_B, 0, 200, &plain);
    rig_answer(&r, RIG_B, 1, 200, &plain);
    rig_request(&r, RIG_A, "ACK", &plain);
}

static void whole_call(void)
{
    call();
    rig_request(&r, RIG_A, "INVITE", &plain);             /* without an offer: the answer is in the ACK */
    rig_answer(&r, RIG_B, 0, 200, &with_sdp);
    rig_request(&r, RIG_A, "ACK", &(struct rig_how){ .sdp = true, .cseq = r.cseq[RIG_A] });
    rig_request(&r, RIG_B, "UPDATE", &with_sdp);
    rig_answer(&r, RIG_A, 0, 200, &with_sdp);
    rig_request(&r, RIG_A, "INFO", &plain);
    rig_answer(&r, RIG_B, 0, 200, &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
    rig_answer(&r, RIG_B, 0, 200, &plain);
}

TEST(a_call_of_raw_messages_goes_through)
{
    CHECK(rig_begin(&r, 0));
    whole_call();
    CHECK_EQ(b2bua_counts(r.b2bua)->answered, 1);
    CHECK_EQ(r.last_status[RIG_A], 200);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(whoever_listens_hears_of_each_leg_which_call_it_belongs_to)
{
    CHECK(rig_begin(&r, 0));
    r.forks = 1;
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    CHECK_EQ(r.joined, 2);
    CHECK_EQ(r.joined_well, 2);
    rig_end(&r);
    CHECK(rig_begin(&r, 0));
    r.forwards = true;
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    CHECK_EQ(r.joined, 1);
    rig_answer(&r, RIG_B, 0, 486, &plain);
    CHECK(r.joined > 1);                                  /* the forward, too */
    CHECK_EQ(r.joined_well, r.joined);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TORTURE(a_call_without_memory_ends_and_leaves_nothing)
{
    CHECK_OR_GOTO(rig_begin(&r, 0), out);
    whole_call();
out:
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TORTURE(a_forwarded_call_without_memory_ends_and_leaves_nothing)
{
    CHECK_OR_GOTO(rig_begin(&r, 0), out);
    r.forwards = true;
    r.forks = 1;
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 0, 180, &plain);
    rig_answer(&r, RIG_B, 0, 486, &plain);
    rig_answer(&r, RIG_B, 2, 404, &plain);                /* behind the ACK */
    rig_answer(&r, RIG_B, 0, 302, &plain);
    rig_wait(&r, 30 * 1000000000ll);
    rig_request(&r, RIG_A, "CANCEL", &plain);
out:
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(thousands_of_to_tags_make_a_bounded_number_of_dialogs)
{
    CHECK(rig_begin(&r, 0));
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    for (unsigned i = 0; i < 5000; i++)
        rig_answer(&r, RIG_B, 0, 180, &(struct rig_how){ .tag = i });
    CHECK(b2bua_memory_bytes(r.b2bua) < 40000);
    for (unsigned i = 0; i < 5000; i++)
        rig_answer(&r, RIG_B, 0, 200, &(struct rig_how){ .tag = i });
    CHECK(b2bua_memory_bytes(r.b2bua) < 40000);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(reliable_answers_that_a_cannot_acknowledge_make_a_bounded_number_of_pracks)
{
    CHECK(rig_begin(&r, 0));
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    for (unsigned i = 0; i < 1000; i++)
        rig_answer(&r, RIG_B, r.asked_count[RIG_B] - 1, 183, &(struct rig_how){ .rseq = 1 + i });
    CHECK(b2bua_memory_bytes(r.b2bua) < 40000);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(a_call_does_not_grow_with_its_reinvites)
{
    static const char *const contacts[] = { "<sip:alice@10.0.0.1>", "<sip:alice@10.0.0.1;a=a-longer-one>" };
    size_t before = 0;

    CHECK(rig_begin(&r, 0));
    call();
    for (unsigned i = 0; i < 2000; i++) {
        rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .contact = contacts[i % 2] });
        rig_answer(&r, RIG_B, 0, 200, &with_sdp);
        rig_request(&r, RIG_A, "ACK", &(struct rig_how){ .sdp = true, .cseq = r.cseq[RIG_A] });
        rig_wait(&r, 33 * 1000000000ll / 2000);
        if (i == 100)
            before = b2bua_memory_bytes(r.b2bua);
    }
    rig_wait(&r, 40 * 1000000000ll);
    CHECK(b2bua_memory_bytes(r.b2bua) <= before);
    rig_request(&r, RIG_A, "BYE", &plain);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(requests_that_nobody_answers_are_bounded)
{
    CHECK(rig_begin(&r, 0));
    call();
    for (unsigned i = 0; i < 1000; i++)
        rig_request(&r, RIG_A, "INFO", &plain);
    CHECK_EQ(r.last_status[RIG_A], 503);
    CHECK(b2bua_memory_bytes(r.b2bua) < 40000);
    rig_request(&r, RIG_A, "BYE", &plain);
    CHECK(memcmp(r.asked[RIG_B][0].text, "BYE ", 4) == 0);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(guessed_tags_end_nothing)
{
    CHECK(rig_begin(&r, 0));
    call();
    rig_request(&r, RIG_A, "BYE", &(struct rig_how){ .wrong_tag = true });
    CHECK_EQ(r.last_status[RIG_A], 481);
    rig_request(&r, RIG_B, "BYE", &(struct rig_how){ .tag = 9 });
    CHECK_EQ(r.last_status[RIG_B], 481);
    CHECK_EQ(b2bua_counts(r.b2bua)->live, 1);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(a_cancel_with_a_guessed_branch_cancels_nothing)
{
    static const slice text = SLICE_INIT("CANCEL sip:bob@h SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bKa1\r\n"
                                         "From: <sip:alice@h>;tag=guessed\r\nTo: <sip:bob@h>\r\nCall-ID: a-call\r\nCSeq: 1 CANCEL\r\n"
                                         "Content-Length: 0\r\n\r\n");

    CHECK(rig_begin(&r, 0));
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 0, 180, &plain);
    rig_receive(&r, RIG_A, text);
    CHECK_EQ(r.last_status[RIG_A], 481);
    CHECK_EQ(b2bua_counts(r.b2bua)->cancelled, 0);
    rig_wait(&r, 64 * 1000000000ll);                      /* that 481 is forgotten, it has the same branch */
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(a_2xx_that_waits_for_an_ack_which_never_comes_is_acknowledged_when_b_gives_up)
{
    CHECK(rig_begin(&r, 0));
    rig_request(&r, RIG_A, "INVITE", &plain);             /* no offer: the answer would be in A's ACK */
    rig_answer(&r, RIG_B, 0, 200, &with_sdp);
    rig_wait(&r, 31 * 1000000000ll);
    rig_request(&r, RIG_B, "BYE", &plain);
    CHECK(memcmp(r.asked[RIG_B][0].text, "ACK ", 4) == 0);
    CHECK_EQ(r.last_status[RIG_B], 200);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

/* 15.1.1: what B says by BYE before A's ACK is there A hears with the ACK, or when none comes. */
TEST(a_bye_that_waits_for_the_ack_says_why_all_the_same)
{
    static const struct { bool acks; const char *why; } rows[] = {
        { true, "Reason: Q.850;cause=16\r\nReason: SIP;cause=200;text=\"Seen elsewhere\"\r\n" }, { false, "Reason: Q.850;cause=31\r\n" },
        { true, "" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(rig_begin(&r, 0));
        rig_request(&r, RIG_A, "INVITE", &with_sdp);
        rig_answer(&r, RIG_B, 0, 200, &with_sdp);
        rig_request(&r, RIG_B, "BYE", &(struct rig_how){ .extra = rows[i].why });
        CHECK_ROW_EQ(i, r.last_status[RIG_B], 200);
        CHECK_ROW(i, !rig_asked(&r, RIG_A, "BYE", NULL));
        if (rows[i].acks)
            rig_request(&r, RIG_A, "ACK", &plain);
        else
            rig_wait(&r, 33 * 1000000000ll);
        CHECK_ROW(i, rig_has(rig_asked(&r, RIG_A, "BYE", NULL), rows[i].why));
        CHECK_ROW_EQ(i, rig_has(rig_asked(&r, RIG_A, "BYE", NULL), "Reason: "), *rows[i].why != '\0');
        rig_end(&r);
        CHECK_EQ(r.left, 0);
    }
    CHECK(rig_begin(&r, 0));
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 0, 200, &with_sdp);
    b2bua_hang_up_all(r.b2bua, SLICE("SIP;cause=503;text=\"Server is being stopped\""));
    rig_request(&r, RIG_A, "ACK", &plain);
    CHECK(rig_has(rig_asked(&r, RIG_A, "BYE", NULL), "\r\nReason: SIP;cause=503;text=\"Server is being stopped\"\r\n"));
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(another_phone_that_answers_after_the_end_is_released)
{
    CHECK(rig_begin(&r, 0));
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 0, 180, &(struct rig_how){ .tag = 1 });
    rig_answer(&r, RIG_B, 0, 180, &(struct rig_how){ .tag = 2 });
    rig_answer(&r, RIG_B, 0, 200, &(struct rig_how){ .tag = 2, .sdp = true });
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
    rig_answer(&r, RIG_B, 0, 200, &plain);
    rig_answer(&r, RIG_B, 2, 200, &(struct rig_how){ .tag = 1, .sdp = true });      /* behind BYE and ACK */
    CHECK(memcmp(r.asked[RIG_B][0].text, "BYE ", 4) == 0 && strstr(r.asked[RIG_B][0].text, "tag=b1") != NULL);
    CHECK(memcmp(r.asked[RIG_B][1].text, "ACK ", 4) == 0 && strstr(r.asked[RIG_B][1].text, "tag=b1") != NULL);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(a_fork_that_lost_cannot_end_the_call)
{
    CHECK(rig_begin(&r, 0));
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 0, 180, &(struct rig_how){ .tag = 1 });
    rig_answer(&r, RIG_B, 0, 200, &(struct rig_how){ .tag = 2, .sdp = true });
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_B, "BYE", &(struct rig_how){ .tag = 1 });
    CHECK_EQ(r.last_status[RIG_B], 481);
    CHECK_EQ(b2bua_counts(r.b2bua)->live, 1);
    rig_request(&r, RIG_B, "BYE", &(struct rig_how){ .tag = 2 });
    CHECK_EQ(r.last_status[RIG_B], 200);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(max_forwards_0_is_483)
{
    static const slice text = SLICE_INIT("INVITE sip:bob@h SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nMax-Forwards: 0\r\n"
                                         "From: <sip:a@h>;tag=a\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
                                         "Contact: <sip:a@10.0.0.1>\r\nContent-Length: 0\r\n\r\n");

    CHECK(rig_begin(&r, 0));
    rig_receive(&r, RIG_A, text);
    CHECK_EQ(r.last_status[RIG_A], 483);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

static bool same_via(const char *one, const char *other)
{
    const char *a = one ? strstr(one, "\r\nVia: ") : NULL, *b = other ? strstr(other, "\r\nVia: ") : NULL;
    size_t len = a ? strcspn(a + 2, "\r") : 0;

    return a && b && strncmp(a, b, len + 4) == 0;
}

/* 9.1 and 17.1.1.3: whoever compares it finds the INVITE by it. */
TEST(cancel_and_ack_have_the_via_of_their_invite_whatever_we_are_called_meanwhile)
{
    static const struct endpoint_advertised other = { .local = { .ip = { 10, 0, 0, 9 }, .port = 5060, .family = 4 }, .text = SLICE_INIT("new.example") };

    CHECK(rig_begin(&r, 0));
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true });
    rig_answer_to(&r, RIG_B, "INVITE", 180, &(struct rig_how){ 0 });
    endpoint_advertise(r.endpoint, &other, 1);
    rig_request(&r, RIG_A, "CANCEL", &(struct rig_how){ 0 });
    CHECK(same_via(rig_asked(&r, RIG_B, "INVITE", NULL), rig_asked(&r, RIG_B, "CANCEL", NULL)));
    rig_answer_to(&r, RIG_B, "INVITE", 487, &(struct rig_how){ 0 });
    CHECK(same_via(rig_asked(&r, RIG_B, "INVITE", NULL), rig_asked(&r, RIG_B, "ACK", NULL)));
    rig_answer_to(&r, RIG_B, "INVITE", 487, &(struct rig_how){ 0 });       /* once more: of what is kept */
    CHECK(same_via(rig_asked(&r, RIG_B, "INVITE", NULL), rig_asked(&r, RIG_B, "ACK", NULL)));
    CHECK_EQ(r.asked_count[RIG_B], 4);
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}
