/* lab/anchor_prack_test.c - SDP of a PRACK that ends at us, and offers whose codecs are filtered: by the
 * media relay, as all others
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/lab_relay.h"
#include "harness/switch_rig.h"
#include "harness/test.h"

#define SECOND_NS 1000000000ll
#define MS 1000000ll
#define SDP(ip, types) "v=0\r\no=- 1 1 IN IP4 " ip "\r\ns=-\r\nc=IN IP4 " ip "\r\nt=0 0\r\nm=audio 4000 RTP/AVP " types "\r\n"

static struct rig r;
static struct fake_relay relay;
static struct media_relay *media;
static const struct rig_how plain;

static bool begin(enum b2bua_reliable reliable, const struct sdp_codecs *codecs)
{
    struct b2bua_settings bs = { .reliable = (uint8_t)reliable, .codecs = *codecs, .duration_max_ns = 600 * SECOND_NS };
    struct media_relay_settings ms = { .seed = { 5, 7 }, .ping_ns = -1 };
    struct media_sender sender = fake_relay_sender(&relay);

    memset(&relay, 0, sizeof relay);
    relay.now_ns = &r.now_ns;
    media = media_relay_new(&ms, &sender, RIG_START_NS);
    bs.media = media;
    return media && rig_begin_with(&r, 0, &bs);
}

/* The relay says what it has to say, or does not. */
static void relay_works(void)
{
    struct fake_letter letter;

    for (int i = 0; i < 40; i++) {
        rig_wait(&r, 50 * MS);
        while (fake_relay_take(&relay, r.now_ns, &letter))
            media_relay_receive(media, slice_of(letter.bytes, letter.len), r.now_ns);
        media_relay_time(media, r.now_ns);
    }
}

static void end(void)
{
    rig_end(&r);
    CHECK_EQ(r.left, 0);
    media = media_relay_free(media);
}

TEST(an_offer_in_a_prack_that_ends_here_goes_by_the_relay_to_b)
{
    CHECK(begin(B2BUA_RELIABLE_LEG, &(struct sdp_codecs){ 0 }));
    rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .body = SDP("10.0.0.1", "0") });
    relay_works();
    rig_answer_to(&r, RIG_B, "INVITE", 183, &(struct rig_how){ .body = SDP("10.0.0.2", "0"), .rseq = 7, .extra = "Allow: UPDATE, PRACK\r\n" });
    relay_works();
    rig_answer_to(&r, RIG_B, "PRACK", 200, &plain);
    rig_request(&r, RIG_A, "PRACK", &(struct rig_how){ .body = SDP("10.0.0.1", "8") });
    relay_works();
    const char *update = rig_asked(&r, RIG_B, "UPDATE", NULL);

    CHECK(rig_has(update, "RTP/AVP 8") && rig_has(update, "c=IN IP4 9.9.9.1") && !rig_has(update, "IP4 10.0.0.1"));
    CHECK_EQ(relay.offers, 2);
    rig_answer_to(&r, RIG_B, "UPDATE", 200, &(struct rig_how){ .body = SDP("10.0.0.2", "8") });
    relay_works();
    CHECK(rig_has(r.said[RIG_A], "PRACK\r\n") && rig_has(r.said[RIG_A], "c=IN IP4 9.9.9.2"));
    CHECK_EQ(r.last_status[RIG_A], 200);
    rig_request(&r, RIG_A, "CANCEL", &plain);
    end();
}

TEST(codecs_are_filtered_though_the_relay_is_away)
{
    static const slice names[] = { SLICE_INIT("PCMA") };

    for (int i = 0; i < 2; i++) {
        CHECK(begin(B2BUA_RELIABLE_THROUGH, &(struct sdp_codecs){ names, 1 }));
        relay.mood = i ? FAKE_SILENT : FAKE_WORKS;
        rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .body = SDP("10.0.0.1", "0 8") });
        relay_works();
        CHECK_ROW(i, rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), i ? "c=IN IP4 10.0.0.1" : "c=IN IP4 9.9.9.1"));
        CHECK_ROW(i, rig_has(rig_asked(&r, RIG_B, "INVITE", NULL), "m=audio 4000 RTP/AVP 8\r\n"));
        rig_request(&r, RIG_A, "CANCEL", &plain);
        end();
    }
}
