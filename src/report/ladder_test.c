/* report/ladder_test.c - no message is drawn between machines that did not exchange it
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/ladder.h"

#include "harness/test.h"
#include "report/style.h"

#define INVITE_TEXT "INVITE sip:b@x.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1\r\nFrom: <sip:a@x.example>;tag=1\r\n" \
                "To: <sip:b@x.example>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n"

static void note(struct ladder *l, uint8_t to)
{
    static struct sip_header room[16];
    struct sip_message m;
    struct wire_unit u = { .frame = to, .time_ns = 1000000000 + to, .src = address_v4("\x0a\0\0\1", 5060),
                           .dst = address_v4((uint8_t[4]){ 10, 0, 1, to }, 5060) };
    struct track_sighting s = { .unit = &u, .message = &m, .kind = SEEN_NEW };

    CHECK(sip_message_parse(SLICE(INVITE_TEXT), SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0);
    ladder_note(l, &s);
}

TEST(a_machine_for_which_there_is_no_lane_is_named_at_its_message)
{
    struct ladder *l = ladder_new(words_english());
    struct out o;
    unsigned named = 0, arrows = 0;
    slice rest, line;

    CHECK(l != NULL);
    out_init_memory(&o, 1 << 16);
    for (uint8_t to = 1; to <= LADDER_LANES_MAX + 4; to++)
        note(l, to);
    ladder_print(l, &o, &(struct style){ .width = 300, .ascii = true });
    rest = out_taken(&o);
    (void)slice_take_line(&rest, &line);                  /* the names of the lanes */
    while (slice_take_line(&rest, &line)) {
        bool by_name = slice_find(line, SLICE("INVITE  10.0.0.1:5060 > 10.0.1.")) > 0;

        named += by_name;
        arrows += !by_name && slice_find(line, SLICE("-INVITE-")) > 0;
    }
    CHECK_EQ(arrows, LADDER_LANES_MAX - 1);
    CHECK_EQ(named, 5);
    CHECK(slice_find(out_taken(&o), SLICE("> 10.0.1.16:5060\n")) > 0);
    out_done(&o);
    ladder_free(l);
}
