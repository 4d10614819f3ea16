/* switch/b2bua_forks_test.c - several phones of one call: their early dialogs, how many ring, how long,
 * and where they send it
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/switch_rig.h"
#include "harness/test.h"

#define SECOND_NS 1000000000ll

static struct rig r;
static const struct rig_how plain, with_sdp = { .sdp = true };

/* The n-th newest request of the switch to that side has it. */
static bool asked_has(enum rig_side side, unsigned nth, const char *text)
{
    r.asked[side][nth].text[r.asked[side][nth].len] = '\0';
    return nth < r.asked_count[side] && strstr(r.asked[side][nth].text, text) != NULL;
}

static void set(const struct b2bua_settings *s)
{
    struct b2bua_settings all = *s;

    all.seed = (struct hash_seed){ 3, 4 };
    all.calls_max = 4;
    b2bua_set(r.b2bua, &all);
}

static void end(void)
{
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

/* ---- early dialogs ---- */

static char first_tag[64];
static uint32_t first_rseq;

/* Both phones have sent SDP in a reliable 183: A has two dialogs. */
static void two_early(const char *extra)
{
    CHECK(rig_begin(&r, 0));
    r.forks = 1;
    r.no_answer_ns = 100 * SECOND_NS;
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .extra = extra });
    rig_answer(&r, RIG_B, 1, 183, &(struct rig_how){ .sdp = true, .rseq = 7, .tag = 1 });
    snprintf(first_tag, sizeof first_tag, "%s", r.a_to_tag);
    first_rseq = r.a_rseq;
    rig_answer(&r, RIG_B, 0, 183, &(struct rig_how){ .sdp = true, .rseq = 40, .tag = 2 });
}

TEST(phones_that_send_sdp_are_a_dialog_each_and_those_that_just_ring_are_one)
{
    char tag[64];

    CHECK(rig_begin(&r, 0));
    r.forks = 2;
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 2, 180, &(struct rig_how){ .tag = 1 });
    snprintf(tag, sizeof tag, "%s", r.a_to_tag);
    rig_answer(&r, RIG_B, 1, 180, &(struct rig_how){ .tag = 2 });
    CHECK(strcmp(tag, r.a_to_tag) == 0);
    rig_answer(&r, RIG_B, 1, 183, &(struct rig_how){ .tag = 2, .sdp = true });
    CHECK(strcmp(tag, r.a_to_tag) == 0);                  /* the first takes it */
    rig_answer(&r, RIG_B, 0, 180, &(struct rig_how){ .tag = 3 });
    CHECK(strcmp(tag, r.a_to_tag) != 0);
    rig_answer(&r, RIG_B, 1, 180, &(struct rig_how){ .tag = 2 });
    CHECK(strcmp(tag, r.a_to_tag) == 0);                  /* and keeps it */
    rig_request(&r, RIG_A, "CANCEL", &plain);
    end();
}

TEST(a_prack_goes_to_the_phone_whose_tag_it_has)
{
    two_early("");
    CHECK(strcmp(first_tag, r.a_to_tag) != 0);
    rig_request(&r, RIG_A, "PRACK", &plain);              /* the second's */
    CHECK(asked_has(RIG_B, 0, "PRACK ") && asked_has(RIG_B, 0, "RAck: 40 1 ") && asked_has(RIG_B, 0, "tag=b2"));
    rig_answer(&r, RIG_B, 0, 200, &plain);
    CHECK_EQ(r.last_status[RIG_A], 200);
    rig_request(&r, RIG_A, "PRACK", &plain);              /* once is enough */
    CHECK_EQ(r.last_status[RIG_A], 481);
    snprintf(r.a_to_tag, sizeof r.a_to_tag, "%s", first_tag);
    rig_request(&r, RIG_A, "PRACK", &(struct rig_how){ .rseq = first_rseq });
    CHECK(asked_has(RIG_B, 0, "PRACK ") && asked_has(RIG_B, 0, "RAck: 7 1 ") && asked_has(RIG_B, 0, "tag=b1"));
    rig_answer(&r, RIG_B, 0, 200, &plain);
    rig_request(&r, RIG_A, "UPDATE", &with_sdp);
    CHECK(asked_has(RIG_B, 0, "UPDATE ") && asked_has(RIG_B, 0, "tag=b1"));
    rig_answer(&r, RIG_B, 0, 200, &with_sdp);
    CHECK_EQ(r.last_status[RIG_A], 200);
    rig_request(&r, RIG_A, "CANCEL", &plain);
    end();
}

TEST(each_reliable_answer_is_repeated_until_its_own_prack)
{
    unsigned before;

    two_early("");
    rig_request(&r, RIG_A, "PRACK", &plain);
    rig_answer(&r, RIG_B, 0, 200, &plain);
    before = r.sent;
    r.a_to_tag[0] = '\0';
    rig_wait(&r, 600000000);                              /* T1: the first one's, and INVITE or PRACK are answered */
    CHECK_EQ(r.sent, before + 1);
    CHECK(strcmp(first_tag, r.a_to_tag) == 0);
    rig_request(&r, RIG_A, "PRACK", &(struct rig_how){ .rseq = first_rseq });
    rig_answer(&r, RIG_B, 0, 200, &plain);
    before = r.sent;
    rig_wait(&r, 5 * SECOND_NS);
    CHECK_EQ(r.sent, before);
    rig_request(&r, RIG_A, "CANCEL", &plain);
    end();
}

TEST(the_answer_has_the_tag_of_its_phone_and_the_call_goes_on_under_it)
{
    static const struct { unsigned phone; } rows[] = { { 1 }, { 2 } };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char second[64], *mine = rows[i].phone == 1 ? first_tag : second;
        char tag[16];

        two_early("");
        snprintf(second, sizeof second, "%s", r.a_to_tag);
        rig_answer(&r, RIG_B, rows[i].phone == 1, 200, &(struct rig_how){ .tag = rows[i].phone, .sdp = true });
        CHECK_ROW(i, strcmp(r.a_to_tag, mine) == 0);
        CHECK_ROW_EQ(i, r.last_status[RIG_A], 200);
        rig_request(&r, RIG_A, "ACK", &plain);
        rig_request(&r, RIG_A, "INFO", &plain);
        snprintf(tag, sizeof tag, "tag=b%u", rows[i].phone);
        CHECK_ROW(i, asked_has(RIG_B, 0, "INFO ") && asked_has(RIG_B, 0, tag));
        rig_answer(&r, RIG_B, 0, 200, &plain);
        snprintf(r.a_to_tag, sizeof r.a_to_tag, "%s", rows[i].phone == 1 ? second : first_tag);
        rig_request(&r, RIG_A, "UPDATE", &with_sdp);      /* in the dialog that was not answered */
        CHECK_ROW_EQ(i, r.last_status[RIG_A], 481);
        rig_request(&r, RIG_A, "BYE", &plain);
        CHECK_ROW_EQ(i, b2bua_counts(r.b2bua)->live, 1);
        snprintf(r.a_to_tag, sizeof r.a_to_tag, "%s", mine);
        rig_request(&r, RIG_A, "BYE", &plain);
        CHECK_ROW(i, asked_has(RIG_B, 0, "BYE ") && asked_has(RIG_B, 0, tag));
        end();
    }
}

TEST(phones_that_only_rang_leave_their_tag_to_the_one_that_answers)
{
    char tag[64];

    CHECK(rig_begin(&r, 0));
    r.forks = 1;
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 1, 180, &(struct rig_how){ .tag = 1 });
    snprintf(tag, sizeof tag, "%s", r.a_to_tag);
    rig_answer(&r, RIG_B, 0, 200, &(struct rig_how){ .tag = 2, .sdp = true });
    CHECK(strcmp(tag, r.a_to_tag) == 0);
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
    end();
}

TEST(a_phone_that_answers_without_having_rung_is_no_other_phones_dialog)
{
    CHECK(rig_begin(&r, 0));
    r.forks = 1;
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 1, 183, &(struct rig_how){ .tag = 1, .sdp = true });
    snprintf(first_tag, sizeof first_tag, "%s", r.a_to_tag);
    rig_answer(&r, RIG_B, 0, 200, &(struct rig_how){ .tag = 2, .sdp = true });
    CHECK(strcmp(first_tag, r.a_to_tag) != 0);
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
    CHECK(asked_has(RIG_B, 0, "BYE ") && asked_has(RIG_B, 0, "tag=b2"));
    end();
}

TEST(a_bye_in_one_of_two_early_dialogs_leaves_the_other)
{
    two_early("");
    rig_request(&r, RIG_A, "BYE", &plain);
    CHECK_EQ(r.last_status[RIG_A], 200);
    CHECK(asked_has(RIG_B, 0, "CANCEL "));
    rig_answer(&r, RIG_B, 2, 200, &(struct rig_how){ .tag = 1, .sdp = true });
    CHECK_EQ(b2bua_counts(r.b2bua)->answered, 1);
    CHECK(strcmp(first_tag, r.a_to_tag) == 0);
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
    end();
}

TEST(a_second_dialog_that_nobody_acknowledges_costs_its_phone_and_not_the_call)
{
    two_early("");
    snprintf(r.a_to_tag, sizeof r.a_to_tag, "%s", first_tag);
    rig_request(&r, RIG_A, "PRACK", &(struct rig_how){ .rseq = first_rseq });
    rig_answer(&r, RIG_B, 0, 200, &plain);
    CHECK(!asked_has(RIG_B, 0, "CANCEL "));
    rig_wait(&r, 32 * SECOND_NS + 200000000);             /* 64 * T1; the CANCEL is not repeated yet */
    CHECK_EQ(b2bua_counts(r.b2bua)->unpracked, 1);
    CHECK(asked_has(RIG_B, 0, "CANCEL ") && asked_has(RIG_B, 0, "No PRACK"));
    rig_answer(&r, RIG_B, 3, 200, &(struct rig_how){ .tag = 1, .sdp = true });      /* behind CANCEL, PRACK and the other's INVITE */
    CHECK_EQ(r.last_status[RIG_A], 200);
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
    end();
}

TEST(what_a_caller_hides_it_hides_in_each_of_its_early_dialogs)
{
    char second[64];

    two_early("Privacy: user\r\n");
    snprintf(second, sizeof second, "%s", r.a_to_tag);
    for (unsigned i = 0; i < 2; i++) {
        snprintf(r.a_to_tag, sizeof r.a_to_tag, "%s", i ? second : first_tag);
        rig_request(&r, RIG_A, "INFO", &(struct rig_how){ .extra = "Subject: from Alice\r\n" });
        CHECK_ROW(i, asked_has(RIG_B, 0, "INFO ") && !asked_has(RIG_B, 0, "Subject"));
        rig_answer(&r, RIG_B, 0, 200, &plain);
    }
    rig_request(&r, RIG_A, "CANCEL", &plain);
    end();
}

/* ---- 199 ---- */

TEST(who_knows_199_hears_of_each_early_dialog_that_ends)
{
    static const struct { const char *extra; bool heard, reliable; } rows[] = {
        { "Supported: 199\r\n", true, false }, { "", false, false }, { "Supported: 199\r\nRequire: 100rel\r\n", true, true },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char second[64];

        two_early(rows[i].extra);
        snprintf(second, sizeof second, "%s", r.a_to_tag);
        rig_request(&r, RIG_A, "PRACK", &plain);
        rig_answer(&r, RIG_B, 0, 200, &plain);
        r.a_rseq = 0;
        rig_answer(&r, RIG_B, 1, 486, &(struct rig_how){ .tag = 2 });
        CHECK_ROW_EQ(i, r.last_status[RIG_A], rows[i].heard ? 199 : 200);
        CHECK_ROW(i, !rows[i].heard || strcmp(second, r.a_to_tag) == 0);
        CHECK_ROW(i, (r.a_rseq != 0) == rows[i].reliable);
        if (rows[i].reliable) {
            rig_request(&r, RIG_A, "PRACK", &plain);
            CHECK_ROW_EQ(i, r.last_status[RIG_A], 200);
            CHECK_ROW(i, !asked_has(RIG_B, 0, "PRACK "));
        }
        snprintf(r.a_to_tag, sizeof r.a_to_tag, "%s", second);
        rig_request(&r, RIG_A, "UPDATE", &with_sdp);      /* it is over, whether A knows or not */
        CHECK_ROW_EQ(i, r.last_status[RIG_A], 481);
        rig_request(&r, RIG_A, "CANCEL", &plain);
        end();
    }
}

/* ---- how many ring ---- */

TEST(max_breadth_is_divided_and_what_it_does_not_reach_waits)
{
    static const struct { const char *breadth; unsigned asked; const char *first, *second; } rows[] = {
        { "Max-Breadth: 5\r\n", 3, "Max-Breadth: 2\r\n", "Max-Breadth: 2\r\n" },
        { "Max-Breadth: 2\r\n", 2, "Max-Breadth: 1\r\n", "Max-Breadth: 1\r\n" },
        { "Max-Breadth: 1\r\n", 1, "Max-Breadth: 1\r\n", NULL },
        { "Max-Breadth: x\r\n", 3, "Max-Breadth: 20\r\n", "Max-Breadth: 20\r\n" },
        { "", 3, "Max-Breadth: 20\r\n", "Max-Breadth: 20\r\n" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(rig_begin(&r, 0));
        r.forks = 2;
        rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .extra = rows[i].breadth });
        CHECK_ROW_EQ(i, r.asked_count[RIG_B], rows[i].asked);
        CHECK_ROW(i, asked_has(RIG_B, rows[i].asked - 1, rows[i].first));
        CHECK_ROW(i, !rows[i].second || asked_has(RIG_B, rows[i].asked - 2, rows[i].second));
        rig_answer(&r, RIG_B, 0, 486, &plain);
        CHECK_ROW_EQ(i, r.asked_count[RIG_B], rows[i].asked == 3 ? 4 : rows[i].asked + 2);   /* ACK; and the next one */
        rig_request(&r, RIG_A, "CANCEL", &plain);
        end();
    }
}

TEST(without_any_breadth_a_call_that_needs_a_branch_is_440)
{
    CHECK(rig_begin(&r, 0));
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .extra = "Max-Breadth: 0\r\n" });
    CHECK_EQ(r.last_status[RIG_A], 440);
    CHECK_EQ(r.asked_count[RIG_B], 0);
    end();
}

TEST(a_lone_branch_says_nothing_of_a_breadth_that_nobody_gave)
{
    CHECK(rig_begin(&r, 0));
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    CHECK(!asked_has(RIG_B, 0, "Max-Breadth"));
    rig_request(&r, RIG_A, "CANCEL", &plain);
    end();
}

TEST(more_phones_than_may_ring_take_turns)
{
    CHECK(rig_begin(&r, 0));
    set(&(struct b2bua_settings){ .forks_max = 2 });
    r.forks = 3;
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    CHECK_EQ(r.asked_count[RIG_B], 2);
    rig_answer(&r, RIG_B, 0, 486, &plain);                /* its ACK, and the third */
    CHECK_EQ(r.asked_count[RIG_B], 4);
    CHECK(asked_has(RIG_B, 0, "INVITE "));
    rig_answer(&r, RIG_B, 0, 486, &plain);
    CHECK_EQ(r.asked_count[RIG_B], 6);
    rig_answer(&r, RIG_B, 0, 200, &with_sdp);
    CHECK_EQ(r.last_status[RIG_A], 200);
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
    end();
}

/* ---- how long ---- */

TEST(an_expires_of_the_caller_ends_its_call_with_487)
{
    CHECK(rig_begin(&r, 0));
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .extra = "Expires: 3\r\n" });
    rig_answer(&r, RIG_B, 0, 180, &plain);
    rig_wait(&r, 2900000000);
    CHECK_EQ(r.last_status[RIG_A], 180);
    rig_wait(&r, 200000000);
    CHECK_EQ(r.last_status[RIG_A], 487);
    CHECK(asked_has(RIG_B, 0, "CANCEL "));
    end();
    CHECK(rig_begin(&r, 0));
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .extra = "Expires: 3\r\n" });
    rig_answer(&r, RIG_B, 0, 200, &with_sdp);             /* in time: it says nothing of the call (20.19) */
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_wait(&r, 20 * SECOND_NS);
    CHECK_EQ(b2bua_counts(r.b2bua)->live, 1);
    rig_request(&r, RIG_A, "BYE", &plain);
    end();
}

/* rig_route gives each 20 s to answer. */
TEST(ringing_counts_from_the_first_ringing_and_all_of_it_has_an_end)
{
    CHECK(rig_begin(&r, 0));
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 0, 100, &plain);
    rig_wait(&r, 15 * SECOND_NS);
    rig_answer(&r, RIG_B, 0, 180, &plain);
    rig_wait(&r, 19 * SECOND_NS);
    CHECK_EQ(r.last_status[RIG_A], 180);
    rig_wait(&r, 2 * SECOND_NS);
    CHECK_EQ(r.last_status[RIG_A], 480);
    end();
    CHECK(rig_begin(&r, 0));
    set(&(struct b2bua_settings){ .ring_ns = 30 * SECOND_NS });
    r.forwards = true;                                    /* from one to the next, and each rings 20 s */
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 0, 180, &plain);
    rig_wait(&r, 21 * SECOND_NS);
    CHECK(asked_has(RIG_B, 0, "INVITE "));
    rig_answer(&r, RIG_B, 0, 180, &plain);
    rig_wait(&r, 8 * SECOND_NS);
    CHECK_EQ(r.last_status[RIG_A], 180);
    rig_wait(&r, 2 * SECOND_NS);
    CHECK_EQ(r.last_status[RIG_A], 480);
    CHECK_EQ(b2bua_counts(r.b2bua)->forwarded, 1);
    end();
}

TEST(phones_of_a_lower_q_ring_when_the_first_do_not_answer)
{
    CHECK(rig_begin(&r, 0));
    r.forks = 1;
    r.in_order = true;
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 0, 180, &plain);
    rig_wait(&r, 21 * SECOND_NS);
    CHECK(asked_has(RIG_B, 0, "INVITE ") && asked_has(RIG_B, 1, "CANCEL "));
    rig_answer(&r, RIG_B, 0, 180, &(struct rig_how){ .tag = 1 });
    rig_wait(&r, 21 * SECOND_NS);
    CHECK_EQ(r.last_status[RIG_A], 480);
    end();
}

TEST(busy_everywhere_is_not_said_of_a_phone_that_did_not_answer)
{
    CHECK(rig_begin(&r, 0));
    set(&(struct b2bua_settings){ .global_codes = true });
    r.forks = 1;
    r.in_order = true;
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 0, 180, &plain);
    rig_wait(&r, 21 * SECOND_NS);
    rig_answer(&r, RIG_B, 0, 486, &(struct rig_how){ .tag = 1 });
    CHECK_EQ(r.last_status[RIG_A], 486);
    end();
}

TEST(a_6xx_that_crosses_the_end_of_its_ringing_is_heard_all_the_same)
{
    CHECK(rig_begin(&r, 0));
    r.forks = 1;
    r.in_order = true;
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 0, 180, &plain);
    rig_wait(&r, 20 * SECOND_NS + 100000000);
    rig_answer(&r, RIG_B, 2, 603, &plain);                /* behind the other's INVITE and the CANCEL */
    CHECK_EQ(r.last_status[RIG_A], 603);
    end();
}

TEST(a_gateway_that_says_nothing_is_left_when_patience_ends_and_one_that_trickles_at_timer_c)
{
    CHECK(rig_begin(&r, 0));
    r.forks = 1;
    r.in_order = r.gateways = true;
    r.patience_ns = 8 * SECOND_NS;
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_wait(&r, 9 * SECOND_NS);
    CHECK(asked_has(RIG_B, 0, "INVITE "));
    CHECK_EQ(b2bua_counts(r.b2bua)->failed_over, 1);
    rig_answer(&r, RIG_B, 0, 200, &with_sdp);
    CHECK_EQ(r.last_status[RIG_A], 200);
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
    end();
    CHECK(rig_begin(&r, 0));
    set(&(struct b2bua_settings){ .proceeding_ns = 60 * SECOND_NS });
    r.in_order = r.gateways = true;
    r.patience_ns = 8 * SECOND_NS;                        /* the only one: it has its time */
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_wait(&r, 9 * SECOND_NS);
    rig_answer(&r, RIG_B, 0, 100, &plain);
    rig_wait(&r, 59 * SECOND_NS);
    CHECK_EQ(r.last_status[RIG_A], 100);
    rig_wait(&r, 2 * SECOND_NS);
    CHECK_EQ(r.last_status[RIG_A], 408);
    CHECK(asked_has(RIG_B, 0, "CANCEL "));
    end();
}

/* ---- what all of them say ---- */

TEST(what_every_phone_says_is_global_where_that_is_wanted)
{
    static const struct { unsigned one, two, heard; bool wanted; } rows[] = {
        { 486, 486, 600, true }, { 488, 488, 606, true }, { 486, 488, 486, true }, { 486, 486, 486, false }, { 404, 404, 404, true },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(rig_begin(&r, 0));
        set(&(struct b2bua_settings){ .global_codes = rows[i].wanted });
        r.forks = 1;
        rig_request(&r, RIG_A, "INVITE", &with_sdp);
        rig_answer(&r, RIG_B, 1, rows[i].one, &plain);
        rig_answer(&r, RIG_B, 1, rows[i].two, &plain);    /* behind the ACK */
        CHECK_ROW_EQ(i, r.last_status[RIG_A], rows[i].heard);
        end();
    }
}

/* How often that is in the last answer to A. */
static unsigned said_times(const char *text)
{
    unsigned times = 0;

    for (const char *at = strstr(r.said[RIG_A], text); at; at = strstr(at + 1, text))
        times++;
    return times;
}

TEST(a_global_code_says_why_once_in_the_words_of_the_phone_if_it_had_any)
{
    static const struct { const char *extra, *reason; } rows[] = {
        { "Reason: Q.850;cause=17;text=\"On the phone\"\r\n", "\r\nReason: Q.850;cause=17;text=\"On the phone\"\r\n" },
        { "", "\r\nReason: Q.850;cause=17" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(rig_begin(&r, 0));
        set(&(struct b2bua_settings){ .global_codes = true });
        rig_request(&r, RIG_A, "INVITE", &with_sdp);
        rig_answer(&r, RIG_B, 0, 486, &(struct rig_how){ .extra = rows[i].extra });
        CHECK_ROW_EQ(i, r.last_status[RIG_A], 600);
        CHECK_ROW_EQ(i, said_times("\r\nReason:"), 1);
        CHECK_ROW_EQ(i, said_times(rows[i].reason), 1);
        end();
    }
}

TEST(a_6xx_of_one_phone_cancels_the_others_and_is_heard_at_once)
{
    CHECK(rig_begin(&r, 0));
    r.forks = 1;
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 1, 180, &(struct rig_how){ .tag = 1 });
    rig_answer(&r, RIG_B, 0, 603, &(struct rig_how){ .tag = 2 });
    CHECK_EQ(r.last_status[RIG_A], 603);
    CHECK(asked_has(RIG_B, 0, "CANCEL ") || asked_has(RIG_B, 1, "CANCEL "));
    end();
}

TEST(the_others_hear_that_the_call_was_completed_elsewhere_and_a_late_answer_is_released)
{
    CHECK(rig_begin(&r, 0));
    r.forks = 1;
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 1, 180, &(struct rig_how){ .tag = 1 });
    rig_answer(&r, RIG_B, 0, 200, &(struct rig_how){ .tag = 2, .sdp = true });
    CHECK(asked_has(RIG_B, 1, "CANCEL ") && asked_has(RIG_B, 1, "Reason: SIP;cause=200;text=\"Call completed elsewhere\""));
    rig_answer(&r, RIG_B, 3, 200, &(struct rig_how){ .tag = 1, .sdp = true });      /* it crosses the CANCEL */
    CHECK(asked_has(RIG_B, 0, "BYE ") && asked_has(RIG_B, 0, "tag=b1") && asked_has(RIG_B, 1, "ACK "));
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
    end();
}

/* ---- redirections ---- */

TEST(a_3xx_is_followed_by_q_with_the_rights_of_its_user_and_only_where_that_is_wanted)
{
    static const struct { bool follow; unsigned status; const char *contact; const char *called; unsigned heard; } rows[] = {
        { true, 302, "<sip:dave@x>;q=0.2, <sip:carol@x>;q=0.7", "sip:carol@x", 0 },
        { true, 301, "<sip:dave@elsewhere>, <sip:carol@x>;q=0.1", "sip:carol@x", 0 },      /* not to hosts of others */
        { true, 302, "<sip:dave@elsewhere>", "sip:dave@elsewhere", 302 },
        { true, 302, "<sip:bob@x>", "sip:bob@x", 482 },
        { true, 305, "<sip:carol@x>", "sip:bob@h", 305 },
        { false, 302, "<sip:carol@x>", "sip:bob@h", 302 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(rig_begin(&r, 0));
        set(&(struct b2bua_settings){ .follow_redirects = rows[i].follow });
        rig_request(&r, RIG_A, "INVITE", &with_sdp);
        rig_answer(&r, RIG_B, 0, rows[i].status, &(struct rig_how){ .contact = rows[i].contact });
        CHECK_ROW(i, strcmp(r.routed, rows[i].called) == 0);
        CHECK_ROW_EQ(i, r.last_status[RIG_A], rows[i].heard ? rows[i].heard : 181);
        CHECK_ROW_EQ(i, r.routed_flags, rows[i].follow && rows[i].status != 305 ? USER_TELL_FORWARDED : 0);
        if (!rows[i].heard)
            rig_request(&r, RIG_A, "CANCEL", &plain);
        end();
    }
}

TEST(who_is_called_instead_hears_whether_the_phone_had_rung)
{
    static const struct { bool rings; const char *cause; } rows[] = { { false, ";cause=480" }, { true, ";cause=487" } };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK(rig_begin(&r, 0));
        set(&(struct b2bua_settings){ .follow_redirects = true });
        rig_request(&r, RIG_A, "INVITE", &with_sdp);
        if (rows[i].rings)
            rig_answer(&r, RIG_B, 0, 180, &plain);
        rig_answer(&r, RIG_B, 0, 302, &(struct rig_how){ .contact = "<sip:carol@x>" });
        CHECK_ROW(i, asked_has(RIG_B, 0, "History-Info: <sip:carol@x") && asked_has(RIG_B, 0, rows[i].cause));
        end();
    }
}

TEST(the_next_contact_is_called_when_the_first_refuses_and_forwards_are_counted)
{
    CHECK(rig_begin(&r, 0));
    set(&(struct b2bua_settings){ .follow_redirects = true, .diversions_max = 2 });
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 0, 302, &(struct rig_how){ .contact = "<sip:dave@x>;q=0.2, <sip:carol@x>;q=0.7, <sip:carol@y>;q=0.1" });
    rig_answer(&r, RIG_B, 0, 404, &plain);
    CHECK(strcmp(r.routed, "sip:dave@x") == 0);
    CHECK_EQ(b2bua_counts(r.b2bua)->forwarded, 2);
    rig_answer(&r, RIG_B, 0, 404, &plain);
    CHECK(strcmp(r.routed, "sip:dave@x") == 0);
    CHECK_EQ(r.last_status[RIG_A], 404);
    end();
    CHECK(rig_begin(&r, 0));
    set(&(struct b2bua_settings){ .follow_redirects = true });
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 0, 302, &(struct rig_how){ .contact = "<sip:carol@x>" });
    rig_answer(&r, RIG_B, 0, 302, &(struct rig_how){ .contact = "<sip:bob@x>" });   /* and back */
    CHECK_EQ(r.last_status[RIG_A], 482);
    end();
}

/* ---- memory ---- */

TORTURE(early_dialogs_without_memory_end_and_leave_nothing)
{
    CHECK_OR_GOTO(rig_begin(&r, 0), out);
    r.forks = 1;
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .extra = "Supported: 199\r\n" });
    rig_answer(&r, RIG_B, 1, 183, &(struct rig_how){ .sdp = true, .rseq = 7, .tag = 1 });
    rig_answer(&r, RIG_B, 0, 183, &(struct rig_how){ .sdp = true, .rseq = 40, .tag = 2 });
    rig_request(&r, RIG_A, "PRACK", &plain);
    rig_answer(&r, RIG_B, 0, 200, &plain);
    rig_answer(&r, RIG_B, 1, 200, &(struct rig_how){ .tag = 2, .sdp = true });
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
out:
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TORTURE(a_followed_redirection_without_memory_ends_and_leaves_nothing)
{
    CHECK_OR_GOTO(rig_begin(&r, 0), out);
    set(&(struct b2bua_settings){ .follow_redirects = true });
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    rig_answer(&r, RIG_B, 0, 302, &(struct rig_how){ .contact = "<sip:dave@x>;q=0.2, <sip:carol@x>" });
    rig_answer(&r, RIG_B, 0, 401, &plain);
    rig_request(&r, RIG_A, "CANCEL", &plain);
out:
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

TEST(thousands_of_to_tags_with_sdp_make_a_bounded_number_of_early_dialogs)
{
    CHECK(rig_begin(&r, 0));
    rig_request(&r, RIG_A, "INVITE", &with_sdp);
    for (unsigned i = 0; i < 5000; i++)
        rig_answer(&r, RIG_B, 0, 183, &(struct rig_how){ .tag = i, .sdp = true, .rseq = 1 });
    CHECK(b2bua_memory_bytes(r.b2bua) < 100000);
    rig_request(&r, RIG_A, "CANCEL", &plain);
    end();
}
