/* report/printer_test.c - what reaches a terminal: never wider than it, never a control sequence
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/printer.h"

#include "base/utf8.h"
#include "harness/test.h"
#include "report/ladder.h"
#include "report/moment.h"
#include "report/shelf.h"

/* All that a sender can put into a header: escapes, C1, bidi, NUL, lines, wide, broken. */
#define HOSTILE "\x1b[31mred\x1b]0;title\x07" "\xc2\x9b" "2J" "\0" "\r\n\t" "\xe2\x80\xae" "evil" "\xe2\x81\xa6" \
                "\x7f\x08\x08" "\xe2\x80\xa8" "\xff\xfe" "\xc0\x80" "\xed\xa0\x80" "\xe4\xb8\xad\xe6\x96\x87" "e\xcc\x81"

static bool is_clean(slice text, bool crlf)
{
    slice rest = text;
    uint32_t point;

    if (!utf8_is_valid(text))
        return false;
    while (utf8_take(&rest, &point))
        if (point != '\n' && !(crlf && point == '\r') && !utf8_is_printable(point))
            return false;
    return true;
}

static size_t widest_line(slice text)
{
    slice rest = text, line;
    size_t most = 0;

    while (slice_take_line(&rest, &line))
        most = utf8_columns(line) > most ? utf8_columns(line) : most;
    return most;
}

static struct call hostile_call(slice text)
{
    return (struct call){
        .index = 1, .call_id = text, .from = { text, text, text, text }, .to = { text, text, text, text },
        .request_uri = text, .user_agent = text, .server = text, .reason = text, .reason_text = text,
        .refer_to = text, .replaces = text, .redirect_to = text, .session_id = text, .icid = text,
        .state = CALL_REFUSED, .final = 486, .invite_ns = 1700000000000000000, .open_at_end = true,
        .partial = true, .early_media = true, .forks = 3, .retransmissions = 77, .ended_by = CALL_CALLEE,
    };
}

static void print_all(struct printer *p, slice text)
{
    struct call c = hostile_call(text);
    struct registration r = { .aor = text, .contact = text, .call_id = text, .phrase = text, .user_agent = text,
                              .state = REGISTRATION_FAILED, .final = 499, .challenged = true, .requests = 9 };
    struct transaction t = { .method = text, .from_uri = text, .to_uri = text, .phrase = text, .event = text,
                             .final = 499, .call_id = text };
    struct sip_header header = { .name = text, .value = text };
    struct sip_flaw flaw = { .offset = (uint32_t)text.len, .kind = SIP_FLAW_HEADER_NAME_BAD };
    struct message_row m = { .frame = 1, .method = text, .uri = text, .call_id = text, .text = text,
                             .request = true, .flaws = text, .seen = SLICE("hop"), .reason = text,
                             .flaw_list = &flaw, .flaw_count = 1, .headers = &header, .header_count = 1 };

    printer_call(p, &c);
    printer_call_title(p, &c);
    printer_registration(p, &r);
    printer_transaction(p, &t);
    p->full_messages = true;
    printer_message(p, &m);
    m.request = false;
    m.status = 499;
    printer_message(p, &m);
}

TEST(nothing_from_the_network_acts_on_the_terminal)
{
    for (size_t i = 0; i < words_count(); i++)
        for (enum printer_kind kind = PRINTER_TEXT; kind <= PRINTER_CSV; kind++) {
            struct style style = { .width = 100 };
            struct printer p;
            struct out o;

            out_init_memory(&o, 0);
            printer_begin(&p, kind, &o, words_at(i), &style);
            print_all(&p, SLICE(HOSTILE));
            for (size_t at = 0; at < o.used; at++) {
                unsigned char byte = (unsigned char)o.buffer[at];

                CHECK_ROW(at, byte >= 0x20 || byte == '\n' || (byte == '\r' && kind == PRINTER_CSV));
                CHECK_ROW(at, byte != 0x7f);
                CHECK_ROW(at, byte != 0xc2 || (unsigned char)o.buffer[at + 1] >= 0xa0);      /* C1 */
            }
            CHECK_ROW(kind, utf8_is_valid(out_taken(&o)));
            if (kind != PRINTER_JSON)
                CHECK_ROW(kind, is_clean(out_taken(&o), kind == PRINTER_CSV));
            printer_done(&p);
            out_done(&o);
        }
}

TEST(no_table_is_wider_than_the_terminal)
{
    static const slice texts[] = {
        SLICE_INIT("sip:somebody.with.a.long.name@example.com;transport=tcp"),
        SLICE_INIT("\xe4\xb8\xad\xe6\x96\x87\xe5\x90\x8d\xe5\xad\x97\xe4\xb8\xad\xe6\x96\x87\xe5\x90\x8d\xe5\xad\x97"
                   "\xe4\xb8\xad\xe6\x96\x87\xe5\x90\x8d\xe5\xad\x97\xe4\xb8\xad\xe6\x96\x87\xe5\x90\x8d\xe5\xad\x97"),
        SLICE_INIT("x"), SLICE_INIT(""), SLICE_INIT(HOSTILE),
    };

    for (size_t i = 0; i < words_count(); i++)
        for (size_t j = 0; j < ARRAY_LEN(texts); j++)
            for (unsigned width = 20; width <= 200; width++) {
                struct style style = { .width = width };
                struct printer p;
                struct out o;
                struct call c = hostile_call(texts[j]);
                struct registration r = { .aor = texts[j], .contact = texts[j], .state = REGISTRATION_FAILED };
                struct transaction t = { .method = texts[j], .from_uri = texts[j], .to_uri = texts[j] };

                out_init_memory(&o, 0);
                printer_begin(&p, PRINTER_TEXT, &o, words_at(i), &style);
                printer_call(&p, &c);
                printer_registration(&p, &r);
                printer_transaction(&p, &t);
                CHECK_ROW(width, widest_line(out_taken(&o)) <= width);
                printer_done(&p);
                out_done(&o);
            }
}

TEST(cells_are_cut_with_an_ellipsis_and_padded_to_the_column)
{
    static const struct { const char *text; size_t width; bool right; const char *cell; } rows[] = {
        { "abc", 5, false, "abc  " }, { "abc", 5, true, "  abc" }, { "abcdef", 5, false, "abcd…" },
        { "abcde", 5, false, "abcde" }, { "", 3, false, "   " }, { "abc", 1, false, "…" },
        { "中文名", 6, false, "中文名" }, { "中文名字", 6, false, "中文… " }, { "中文", 3, false, "中…" },
        { "e\xcc\x81" "e\xcc\x81", 2, false, "e\xcc\x81" "e\xcc\x81" },
        { "a\tb", 3, false, "a b" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct out o;

        out_init_memory(&o, 0);
        table_fit(&o, slice_of_string(rows[i].text), rows[i].width, rows[i].right);
        CHECK_ROW_EQ(i, out_taken(&o), rows[i].cell);
        CHECK_ROW_EQ(i, utf8_columns(out_taken(&o)), rows[i].width);
        out_done(&o);
    }
}

TEST(one_endless_phrase_does_not_empty_the_rows_after_it)
{
    static char large[300000];
    struct style style = { .width = 100 };
    struct transaction huge = { .method = SLICE("OPTIONS"), .final = 499, .phrase = slice_of(large, sizeof large) };
    struct transaction t = { .method = SLICE("MESSAGE"), .final = 499, .phrase = SLICE("Odd") };
    struct printer p;
    struct out o;

    memset(large, 'x', sizeof large);
    out_init_memory(&o, 0);
    printer_begin(&p, PRINTER_TEXT, &o, words_at(0), &style);
    printer_transaction(&p, &huge);
    printer_transaction(&p, &t);
    CHECK(slice_find(out_taken(&o), SLICE("499 Odd")) > 0);
    printer_done(&p);
    out_done(&o);
}

/* ---- shelf ---- */

static struct call *new_call(uint64_t index, const char *id)
{
    struct call *c = call_new();

    if (c) {
        c->index = index;
        c->call_id = arena_slice(&c->arena, slice_of_string(id));
        c->state = CALL_REFUSED;
        c->final = 486;
    }
    return c;
}

static size_t lines_of(const struct out *o)
{
    size_t lines = 0;

    for (size_t i = 0; i < o->used; i++)
        lines += o->buffer[i] == '\n';
    return lines;
}

TEST(calls_are_printed_in_the_order_of_their_beginning)
{
    struct style style = {0};
    struct shelf_wish wish = { .calls = true };
    struct printer p;
    struct shelf s;
    struct out o;
    static const uint64_t ends[] = { 3, 2, 1, 5, 4, 6 };
    static const size_t printed[] = { 0, 0, 3, 3, 5, 6 };

    out_init_memory(&o, 0);
    printer_begin(&p, PRINTER_JSON, &o, words_at(0), &style);
    shelf_init(&s, &p, &wish, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        shelf_call(&s, new_call(ends[i], "x"));
        CHECK_ROW_EQ(i, lines_of(&o), printed[i]);
    }
    slice rest = out_taken(&o), line;

    for (unsigned i = 1; slice_take_line(&rest, &line); i++) {
        char wanted[40];

        snprintf(wanted, sizeof wanted, "{\"type\":\"call\",\"index\":%u,", i);
        CHECK_ROW(i, slice_starts(line, slice_of_string(wanted)));
    }
    CHECK_EQ(s.order_lost, false);
    CHECK_EQ(s.printed, 6);
    shelf_finish(&s);
    CHECK_EQ(lines_of(&o), 6);
    shelf_done(&s);
    printer_done(&p);
    out_done(&o);
}

TEST(a_full_shelf_gives_up_the_order_and_says_so_but_loses_nothing)
{
    struct style style = {0};
    struct shelf_wish wish = { .calls = true };
    struct printer p;
    struct shelf s;
    struct out o;

    out_init_memory(&o, 0);
    printer_begin(&p, PRINTER_JSON, &o, words_at(0), &style);
    shelf_init(&s, &p, &wish, 20000);
    for (uint64_t i = 200; i >= 2; i--)                   /* the first never ends in time */
        shelf_call(&s, new_call(i, "x"));
    CHECK_EQ(s.order_lost, true);
    CHECK(s.bytes <= 20000 + 5000);
    shelf_call(&s, new_call(1, "x"));
    shelf_finish(&s);
    CHECK_EQ(s.printed, 200);
    CHECK_EQ(lines_of(&o), 200);
    shelf_done(&s);
    printer_done(&p);
    out_done(&o);
}

TEST(only_what_was_wished_for_and_matches_is_printed)
{
    struct style style = {0};
    struct filter *f = NULL;
    struct filter_error error;

    CHECK_EQ(filter_parse(SLICE("call_id = yes"), &call_fields, &f, &error), 0);
    struct shelf_wish wish = { .calls = true, .call_filter = f };
    struct printer p;
    struct shelf s;
    struct out o;

    out_init_memory(&o, 0);
    printer_begin(&p, PRINTER_JSON, &o, words_at(0), &style);
    shelf_init(&s, &p, &wish, 1 << 20);
    shelf_call(&s, new_call(1, "no"));
    shelf_call(&s, new_call(2, "yes"));
    shelf_registration(&s, registration_new());
    shelf_transaction(&s, transaction_new());
    shelf_finish(&s);
    CHECK_EQ(s.printed, 1);
    CHECK_EQ(lines_of(&o), 1);
    shelf_done(&s);
    printer_done(&p);
    out_done(&o);
    filter_free(f);
}

/* ---- ladder ---- */

static void sight(struct ladder *l, char from, char to, const char *text, enum seen_kind kind, unsigned ms)
{
    struct sip_header room[32];
    struct sip_message m;
    char ip_from[4] = { 10, 0, 0, from }, ip_to[4] = { 10, 0, 0, to };
    struct wire_unit unit = { .time_ns = 1700000000000000000 + ms * 1000000LL,
                              .src = address_v4(ip_from, 5060), .dst = address_v4(ip_to, 5060) };

    CHECK(sip_message_parse(slice_of_string(text), SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0);
    ladder_note(l, &(struct track_sighting){ .unit = &unit, .message = &m, .kind = kind });
}

#define REST "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: x\r\n"

TEST(a_ladder_has_a_lane_for_each_machine_and_folds_repeats)
{
    struct style style = { .width = 80, .ascii = true };
    struct ladder *l = ladder_new(words_at(0));
    struct out o;

    sight(l, 1, 2, "INVITE sip:b@h SIP/2.0\r\n" REST "CSeq: 1 INVITE\r\n\r\n", SEEN_NEW, 0);
    sight(l, 1, 2, "INVITE sip:b@h SIP/2.0\r\n" REST "CSeq: 1 INVITE\r\n\r\n", SEEN_AGAIN, 500);
    sight(l, 2, 1, "SIP/2.0 486 Busy \x1b[31m\r\n" REST "CSeq: 1 INVITE\r\n\r\n", SEEN_NEW, 700);
    sight(l, 1, 2, "ACK sip:b@h SIP/2.0\r\n" REST "CSeq: 1 ACK\r\n\r\n", SEEN_NEW, 710);
    out_init_memory(&o, 0);
    CHECK(moment_zone(SLICE("UTC")));
    ladder_print(l, &o, &style);
    slice text = out_taken(&o);

    CHECK_EQ(lines_of(&o), 4);                            /* names, INVITE, 486, ACK */
    CHECK(is_clean(text, false));
    CHECK(widest_line(text) <= 80);
    CHECK(slice_find(text, SLICE("10.0.0.1")) < slice_find(text, SLICE("10.0.0.2")));
    CHECK(slice_find(text, SLICE("22:13:20.000  +0.000")) > 0);
    CHECK(slice_find(text, SLICE("INVITE")) < slice_find(text, SLICE("486 Busy")));
    CHECK(slice_find(text, SLICE("<")) > slice_find(text, SLICE(">")));
    CHECK(slice_find(text, SLICE("sent 2 times")) > 0);
    out_done(&o);
    ladder_free(l);
}

TORTURE(printing_survives_any_allocation_that_fails)
{
    struct style style = { .width = 80 };
    struct shelf_wish wish = { .calls = true, .registrations = true, .transactions = true };
    struct printer p;
    struct shelf s;
    struct out o;
    struct call *c;
    struct registration *r;

    out_init_memory(&o, 0);
    printer_begin(&p, PRINTER_TEXT, &o, words_at(0), &style);
    shelf_init(&s, &p, &wish, 1 << 20);
    print_all(&p, SLICE(HOSTILE));
    if ((c = new_call(2, "x")))
        shelf_call(&s, c);
    if ((r = registration_new()))
        shelf_registration(&s, r);
    shelf_finish(&s);
    shelf_done(&s);
    printer_done(&p);
    out_done(&o);
}
