/* net/resolve_answer_test.c - answers of DNS servers, good and hostile.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/net_dns.h"
#include "harness/test.h"
#include "net/resolve_answer.h"

enum { A = 1, SRV = 33, NAPTR = 35, AAAA = 28 };

static struct dns_message message;

static void make(slice name, uint16_t type, slice lines)
{
    slice line;

    dns_begin(&message, name, type);
    while (slice_take_line(&lines, &line))
        dns_add(&message, line);
}

TEST(the_records_that_were_asked_are_read)
{
    struct arena memory = { 0 };
    struct resolve_answer got;

    make(SLICE("d"), NAPTR,
         SLICE("d 300 NAPTR 50 60 s SIPS+D2T _sips._tcp.d\nd 200 NAPTR 90 61 S SIP+D2T _sip._tcp.d\n"));
    CHECK_EQ(resolve_answer_read(dns_bytes(&message), SLICE("D"), TARGETS_NAPTR, &memory, &got), 0);
    CHECK_EQ(got.ttl_s, 200);
    CHECK_EQ(got.records.count, 2);
    CHECK_EQ(got.records.records[0].priority, 50);
    CHECK_EQ(got.records.records[0].weight, 60);
    CHECK_EQ(got.records.records[1].flags, SLICE("S"));
    CHECK_EQ(got.records.records[1].service, SLICE("SIP+D2T"));
    CHECK_EQ(got.records.records[1].name, SLICE("_sip._tcp.d"));
    make(SLICE("d"), SRV, SLICE("d 9 SRV 1 2 3 h.example\nd 9 SRV 0 0 0 \nother 1 SRV 1 2 3 x\nd 1 A 192.0.2.1\n"));
    CHECK_EQ(resolve_answer_read(dns_bytes(&message), SLICE("d"), TARGETS_SRV, &memory, &got), 0);
    CHECK_EQ(got.ttl_s, 9);
    CHECK_EQ(got.records.count, 2);
    CHECK_EQ(got.records.records[0].port, 3);
    CHECK_EQ(got.records.records[0].name, SLICE("h.example"));
    CHECK_EQ(got.records.records[1].name, SLICE(""));
    arena_done(&memory);
}

TEST(aliases_are_followed_in_any_order_but_not_in_a_ring)
{
    static const struct { slice lines; enum targets_got got; size_t count; uint32_t ttl_s; } rows[] = {
        { SLICE_INIT("d 60 CNAME e\ne 50 A 192.0.2.1\n"), TARGETS_GOT_RECORDS, 1, 50 },
        { SLICE_INIT("f 70 A 192.0.2.1\ne 30 CNAME F\nd 60 CNAME e\n"), TARGETS_GOT_RECORDS, 1, 30 },
        { SLICE_INIT("d 60 CNAME e\nd 50 A 192.0.2.1\n"), TARGETS_GOT_NONE, 0, UINT32_MAX },
        { SLICE_INIT("d 60 CNAME d\n"), TARGETS_GOT_FAILURE, 0, UINT32_MAX },
        { SLICE_INIT("d 60 CNAME e\ne 60 CNAME d\n"), TARGETS_GOT_FAILURE, 0, UINT32_MAX },
        { SLICE_INIT("d 9 CNAME a1\na1 9 CNAME a2\na2 9 CNAME a3\na3 9 CNAME a4\na4 9 CNAME a5\na5 9 CNAME a6\n"
                     "a6 9 CNAME a7\na7 9 CNAME a8\na8 9 A 192.0.2.1\n"), TARGETS_GOT_RECORDS, 1, 9 },
        { SLICE_INIT("d 9 CNAME a1\na1 9 CNAME a2\na2 9 CNAME a3\na3 9 CNAME a4\na4 9 CNAME a5\na5 9 CNAME a6\n"
                     "a6 9 CNAME a7\na7 9 CNAME a8\na8 9 CNAME a9\na9 9 A 192.0.2.1\n"), TARGETS_GOT_FAILURE, 0,
          UINT32_MAX },
        { SLICE_INIT("d 4000000000 A 192.0.2.1\n"), TARGETS_GOT_RECORDS, 1, 0 },      /* RFC 2181, 8 */
        { SLICE_INIT("d 60 CNAME \\00e\n"), TARGETS_GOT_FAILURE, 0, UINT32_MAX },
        { SLICE_INIT("x 60 A 192.0.2.1\n"), TARGETS_GOT_NONE, 0, UINT32_MAX },        /* nobody asked */
        { SLICE_INIT(""), TARGETS_GOT_NONE, 0, UINT32_MAX },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena memory = { 0 };
        struct resolve_answer got;

        make(SLICE("d"), A, rows[i].lines);
        CHECK_ROW_EQ(i, resolve_answer_read(dns_bytes(&message), SLICE("d"), TARGETS_A, &memory, &got), 0);
        CHECK_ROW_EQ(i, got.records.got, rows[i].got);
        CHECK_ROW_EQ(i, got.records.count, rows[i].count);
        CHECK_ROW_EQ(i, got.ttl_s, rows[i].ttl_s);
        arena_done(&memory);
    }
}

TEST(names_of_odd_bytes_leave_their_record_out)
{
    static const slice odd[] = {
        SLICE_INIT("a\\2eb"), SLICE_INIT("a\\00b"), SLICE_INIT("a\\20b"), SLICE_INIT("\\ff"), SLICE_INIT("a\\5cb"),
    };

    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        struct arena memory = { 0 };
        struct resolve_answer got;
        char line[64];

        snprintf(line, sizeof line, "d 9 SRV 0 0 5060 " SLICE_FMT, SLICE_ARG(odd[i]));
        make(SLICE("d"), SRV, SLICE("d 9 SRV 0 0 5060 good\n"));
        dns_add(&message, slice_of_string(line));
        CHECK_ROW_EQ(i, resolve_answer_read(dns_bytes(&message), SLICE("d"), TARGETS_SRV, &memory, &got), 0);
        CHECK_ROW_EQ(i, got.records.count, 1);
        CHECK_ROW_EQ(i, got.records.records[0].name, SLICE("good"));
        arena_done(&memory);
    }
}

TEST(an_answer_of_thousands_is_read_up_to_the_limit)
{
    struct arena memory = { 0 };
    struct resolve_answer got;

    make(SLICE("d"), SRV, SLICE(""));
    for (int i = 0; i < 2500; i++)
        dns_add(&message, SLICE("d 9 SRV 0 0 5060 h"));
    CHECK_EQ(resolve_answer_read(dns_bytes(&message), SLICE("d"), TARGETS_SRV, &memory, &got), 0);
    CHECK_EQ(got.records.count, RESOLVE_RECORDS_MAX);
    arena_done(&memory);
}

TEST(pointers_that_do_not_lead_backwards_are_refused)
{
    static const struct { uint8_t name[4]; size_t length; } rows[] = {
        { { 0xc0, 19 }, 2 },                              /* itself: the first record stands at 19 */
        { { 0xc0, 20 }, 2 },
        { { 1, 'a', 0xc0, 19 }, 4 },                      /* and round again */
        { { 0xff, 0xff }, 2 },
        { { 0x40, 'a' }, 2 },                             /* no such label (RFC 6891, 5) */
        { { 63, 'a' }, 2 },
        { { 0xc0 }, 1 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena memory = { 0 };
        struct resolve_answer got;

        make(SLICE("d"), A, SLICE(""));
        CHECK_ROW_EQ(i, message.length, 19);
        message.bytes[7] = 1;
        memcpy(message.bytes + message.length, rows[i].name, rows[i].length);
        message.length += rows[i].length;
        CHECK_ROW_EQ(i, resolve_answer_read(dns_bytes(&message), SLICE("d"), TARGETS_A, &memory, &got), 0);
        CHECK_ROW_EQ(i, got.records.got, TARGETS_GOT_FAILURE);
        arena_done(&memory);
    }
}

/* Cut at each byte, and with each byte wrong: whatever comes out, nothing is read past the end. */
TEST(a_cut_or_broken_answer_is_a_failure_at_worst)
{
    static const enum targets_type types[] = { TARGETS_NAPTR, TARGETS_SRV, TARGETS_A, TARGETS_AAAA };

    make(SLICE("d.example"), NAPTR, SLICE("d.example 9 CNAME e.example\ne.example 9 NAPTR 1 2 s SIP+D2U _sip._udp.d\n"
         "e.example 9 SRV 1 2 3 h.example\ne.example 9 A 192.0.2.1\ne.example 9 AAAA 2001:db8::1\n"));
    for (size_t i = 0; i < 2 * message.length; i++) {
        size_t length = i < message.length ? i : message.length;
        char *bytes = malloc(length + 1);                 /* its own, so that a wrong read is seen */

        CHECK(bytes != NULL);
        memcpy(bytes, message.bytes, length);
        if (i >= message.length)
            bytes[i - message.length] = (char)~bytes[i - message.length];
        for (size_t j = 0; j < ARRAY_LEN(types); j++) {
            struct arena memory = { 0 };
            struct resolve_answer got;

            CHECK_EQ(resolve_answer_read(slice_of(bytes, length), SLICE("d.example"), types[j], &memory, &got), 0);
            CHECK(i >= message.length || got.records.got == TARGETS_GOT_FAILURE);
            CHECK(got.records.count <= 2);
            arena_done(&memory);
        }
        free(bytes);
    }
}

TORTURE(an_answer_needs_memory_and_says_so)
{
    struct arena memory = { 0 };
    struct resolve_answer got = { .ttl_s = 77 };

    make(SLICE("d"), SRV, SLICE("d 9 SRV 0 0 5060 h\n"));
    if (resolve_answer_read(dns_bytes(&message), SLICE("d"), TARGETS_SRV, &memory, &got) < 0)
        CHECK_EQ(got.ttl_s, 77);
    else
        CHECK_EQ(got.records.count, 1);
    arena_done(&memory);
}
