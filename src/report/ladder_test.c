/* report/ladder_test.c - no message is drawn between machines that did not exchange it, and no mark at another one
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/ladder.h"

#include "base/utf8.h"
#include "codes/cause.h"
#include "harness/test.h"
#include "report/style.h"

#define REST "Via: SIP/2.0/UDP 10.0.0.1\r\nFrom: <sip:a@x.example>;tag=1\r\nTo: <sip:b@x.example>\r\nCall-ID: c\r\n"
#define INVITE_TEXT "INVITE sip:b@x.example SIP/2.0\r\n" REST "CSeq: 1 INVITE\r\n\r\n"

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

/* ---- marks of what was found ---- */

/* INVITE and 200 in frames 1 and 2; a BYE and the 200 of it share frame 3, as in TCP. */
static struct ladder *small_call(uint8_t callees)
{
    static const struct { uint64_t frame; const char *text; bool back; } rows[] = {
        { 1, INVITE_TEXT, false },
        { 2, "SIP/2.0 200 OK\r\n" REST "CSeq: 1 INVITE\r\n\r\n", true },
        { 3, "BYE sip:b@x.example SIP/2.0\r\n" REST "CSeq: 2 BYE\r\n\r\n", false },
        { 3, "SIP/2.0 200 OK\r\n" REST "CSeq: 2 BYE\r\n\r\n", true },
    };
    struct ladder *l = ladder_new(words_english());

    CHECK(l != NULL);
    for (uint8_t k = 1; k <= callees; k++)
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            struct address a = address_v4("\x0a\0\0\1", 5060), b = address_v4((uint8_t[4]){ 10, 0, 1, k }, 5060);
            struct wire_unit u = { .frame = rows[i].frame + 100u * (k - 1), .time_ns = 1000000000 + (int64_t)i,
                                   .src = rows[i].back ? b : a, .dst = rows[i].back ? a : b };
            struct sip_header room[16];
            struct sip_message m;
            struct track_sighting s = { .unit = &u, .message = &m, .kind = SEEN_NEW };

            CHECK(sip_message_parse(slice_of_string(rows[i].text), SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0);
            ladder_note(l, &s);
        }
    return l;
}

static enum cause_id cause_named(const char *slug)
{
    enum cause_id id = cause_find(slice_of_string(slug));

    CHECK(id != CAUSE_NONE);
    return id;
}

static slice line_with(slice text, const char *what)
{
    slice line;

    while (slice_take_line(&text, &line))
        if (slice_find(line, slice_of_string(what)) >= 0)
            return line;
    return (slice){0};
}

static bool holds(slice text, const char *what) { return slice_find(text, slice_of_string(what)) >= 0; }

struct found { struct verdict_evidence proofs[4]; struct verdict findings[4]; struct call_verdicts verdicts; };

/* A finding at the 200 of the BYE, one at a frame that is not drawn and then at the INVITE, one nowhere. */
static void find(struct found *f, struct call *c)
{
    *f = (struct found){
        .proofs = { { 3, SLICE("200 OK") }, { 77, SLICE("ICMP") }, { 1, SLICE("INVITE") }, { 2, SLICE("200 OK") } },
        .findings = {
            { .cause = cause_named("held"), .evidence = &f->proofs[0], .evidence_count = 1 },
            { .cause = cause_named("capture-ended-early"), .evidence = &f->proofs[1], .evidence_count = 1 },
            { .cause = cause_named("short-call"), .evidence = &f->proofs[1], .evidence_count = 2 },
        },
        .verdicts = { .cause = { .cause = cause_named("ack-lost"), .evidence = &f->proofs[3], .evidence_count = 1 },
                      .findings = f->findings, .finding_count = 3 },
    };
    c->verdicts = &f->verdicts;
}

TEST(a_finding_is_marked_once_at_the_first_of_its_proofs_that_is_drawn)
{
    struct ladder *l = small_call(1);
    struct call *c = call_new(), *legs[] = { c, c };       /* a second leg finds the same */
    const struct style style = { .width = 100, .ascii = true };
    char room[LADDER_MARK_MAX];
    struct found f;
    struct out o;

    CHECK(c != NULL);
    find(&f, c);
    ladder_verdicts(l, legs, 2);
    out_init_memory(&o, 1 << 16);
    ladder_print(l, &o, &style);
    slice text = out_taken(&o);

    CHECK(holds(line_with(text, "200 OK (BYE)"), "#1 The call was on hold"));
    CHECK(!holds(line_with(text, "-BYE-"), "#1"));
    CHECK(holds(line_with(text, "INVITE-"), "#2 The call ended right"));
    CHECK(holds(line_with(text, "200 OK-"), "* frame 2"));
    CHECK(!holds(text, "#3"));
    CHECK(slice_eq(ladder_finding_mark(l, cause_named("short-call"), &style, room), SLICE("#2")));
    CHECK_EQ(ladder_finding_mark(l, cause_named("capture-ended-early"), &style, room).len, 0);
    CHECK(!holds(text, "\033"));
    out_done(&o);
    call_free(c);
    ladder_free(l);
}

TEST(the_number_of_a_finding_is_seen_however_little_room_there_is)
{
    for (uint8_t callees = 1; callees <= 4; callees++)
        for (unsigned width = 80; width <= 140; width += 20) {
            struct ladder *l = small_call(callees);
            struct call *c = call_new();
            struct found f;
            struct out o;
            slice rest, line;

            CHECK(c != NULL);
            find(&f, c);
            f.findings[2].evidence = &f.proofs[0];        /* two at one message */
            ladder_verdicts(l, &c, 1);
            out_init_memory(&o, 1 << 16);
            ladder_print(l, &o, &(struct style){ .width = width, .ascii = true });
            rest = line_with(out_taken(&o), "#1");
            CHECK(holds(rest, "#2"));
            rest = out_taken(&o);
            while (slice_take_line(&rest, &line))
                CHECK(utf8_columns(line) <= width);
            out_done(&o);
            call_free(c);
            ladder_free(l);
        }
}

TEST(marks_are_coloured_where_colours_are_wanted)
{
    struct ladder *l = small_call(1);
    struct call *c = call_new();
    struct found f;
    struct out o;

    CHECK(c != NULL);
    find(&f, c);
    f.findings[0].cause = cause_named("signalling-loss");
    ladder_verdicts(l, &c, 1);
    out_init_memory(&o, 1 << 16);
    ladder_print(l, &o, &(struct style){ .width = 100, .ascii = true, .colour = true });
    CHECK(holds(out_taken(&o), "\033[33m#1\033[0m \033[33mSignalling packets were lost\033[0m"));
    CHECK(holds(out_taken(&o), "\033[31m* frame 2\033[0m"));
    out_done(&o);
    call_free(c);
    ladder_free(l);
}
