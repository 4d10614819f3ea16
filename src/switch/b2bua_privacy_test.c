/* switch/b2bua_privacy_test.c - who is told who calls: asserted identities and what is asked to hide
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/switch_rig.h"
#include "harness/test.h"

#define SECOND_NS 1000000000ll
#define ALLOWS "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE\r\n"
#define IDENTITY "P-Asserted-Identity: <sip:secret@h>\r\n"

static struct rig r;
static const struct rig_how plain, identity = { .extra = IDENTITY };

static bool begin(bool a_trusted, bool b_trusted)
{
    bool ok = rig_begin_with(&r, 0, &(struct b2bua_settings){ .duration_max_ns = 600 * SECOND_NS });

    r.a_trusted = a_trusted;
    r.b_trusted = b_trusted;
    return ok;
}

static void end(void)
{
    rig_end(&r);
    CHECK_EQ(r.left, 0);
}

/* RFC 3325, 6 to 9: in every message, not in the INVITE alone. */
TEST(an_asserted_identity_passes_only_where_both_sides_are_trusted)
{
    static const struct { bool a, b; } rows[] = { { false, false }, { true, false }, { false, true }, { true, true } };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool passes = rows[i].a && rows[i].b;

        CHECK(begin(rows[i].a, rows[i].b));
        rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .extra = IDENTITY });
        CHECK_ROW_EQ(i, rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), "secret"), passes);
        rig_answer_to(&r, RIG_B, "INVITE", 180, &(struct rig_how){ .extra = IDENTITY });
        CHECK_ROW_EQ(i, rig_has(r.said[RIG_A], "secret"), passes);
        rig_answer_to(&r, RIG_B, "INVITE", 183, &(struct rig_how){ .sdp = true, .rseq = 1, .extra = IDENTITY });
        rig_request(&r, RIG_A, "PRACK", &identity);
        CHECK_ROW_EQ(i, rig_has(rig_asked(&r, RIG_B, "PRACK", NULL), "secret"), passes);
        rig_answer_to(&r, RIG_B, "PRACK", 200, &identity);
        CHECK_ROW_EQ(i, rig_has(r.said[RIG_A], "secret"), passes);
        rig_answer_to(&r, RIG_B, "INVITE", 200, &(struct rig_how){ .sdp = true, .extra = ALLOWS IDENTITY });
        CHECK_ROW_EQ(i, rig_has(r.said[RIG_A], "secret"), passes);
        rig_request(&r, RIG_A, "ACK", &plain);
        rig_request(&r, RIG_A, "UPDATE", &identity);
        CHECK_ROW_EQ(i, rig_has(rig_asked(&r, RIG_B, "UPDATE", NULL), "secret"), passes);
        rig_answer_to(&r, RIG_B, "UPDATE", 200, &identity);
        CHECK_ROW_EQ(i, rig_has(r.said[RIG_A], "secret"), passes);
        rig_request(&r, RIG_B, "UPDATE", &identity);
        CHECK_ROW_EQ(i, rig_has(rig_asked(&r, RIG_A, "UPDATE", NULL), "secret"), passes);
        rig_answer_to(&r, RIG_A, "UPDATE", 200, &plain);
        rig_request(&r, RIG_A, "BYE", &plain);
        rig_answer_to(&r, RIG_B, "BYE", 200, &plain);
        end();

        CHECK(begin(rows[i].a, rows[i].b));
        rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true });
        rig_answer_to(&r, RIG_B, "INVITE", 486, &identity);
        CHECK_ROW_EQ(i, r.last_status[RIG_A], 486);
        CHECK_ROW_EQ(i, rig_has(r.said[RIG_A], "secret"), passes);
        end();
    }
}

/* Who is given an identity has to be told whom it must not show it to (RFC 3325, 7). */
TEST(a_wish_to_hide_passes_with_the_identity_that_it_is_about)
{
    CHECK(begin(true, true));
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true });
    rig_answer_to(&r, RIG_B, "INVITE", 200, &(struct rig_how){ .sdp = true, .extra = ALLOWS });
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "UPDATE", &(struct rig_how){ .extra = "Privacy: id\r\n" IDENTITY });
    CHECK(rig_has(rig_asked(&r, RIG_B, "UPDATE", NULL), "secret"));
    CHECK(rig_has(rig_asked(&r, RIG_B, "UPDATE", NULL), "\r\nPrivacy: id\r\n"));
    rig_answer_to(&r, RIG_B, "UPDATE", 200, &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
    rig_answer_to(&r, RIG_B, "BYE", 200, &plain);
    end();
}

/* A user who hides its number hides by our doing: its phone does not know of it. */
TEST(what_else_tells_of_a_caller_that_hides_stays_here)
{
    static const char tells[] = "Subject: secret\r\nCall-Info: <http://h/secret.png>;purpose=icon\r\nOrganization: secret\r\n"
                                "Reply-To: <sip:secret@h>\r\n";

    CHECK(begin(false, false));
    r.a_hides = true;
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true, .extra = tells });
    CHECK(rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), "\r\nFrom: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag="));
    CHECK(!rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), "secret"));
    rig_answer_to(&r, RIG_B, "INVITE", 200, &(struct rig_how){ .sdp = true, .extra = ALLOWS });
    rig_request(&r, RIG_A, "ACK", &plain);
    rig_request(&r, RIG_A, "UPDATE", &(struct rig_how){ .sdp = true, .extra = tells });
    CHECK(rig_asked(&r, RIG_B, "UPDATE", NULL) && !rig_has(rig_asked(&r, RIG_B, "UPDATE", NULL), "secret"));
    rig_answer_to(&r, RIG_B, "UPDATE", 200, &plain);
    rig_request(&r, RIG_A, "BYE", &plain);
    rig_answer_to(&r, RIG_B, "BYE", 200, &plain);
    end();
}
