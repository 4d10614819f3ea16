/* switch/deadlist_test.c - who is blocked, and until when.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "switch/deadlist.h"
#include "wire/wire.h"

#define SECOND INT64_C(1000000000)
#define START_NS (1795251000 * SECOND)

static struct address server(uint16_t port) { return address_v4("\x0a\0\0\x01", port); }

static int64_t left_s(const struct deadlist *d, uint16_t port, int64_t now_s)
{
    struct address a = server(port);
    int64_t until_ns = deadlist_until_ns(d, &a, WIRE_UDP, START_NS + now_s * SECOND);

    return until_ns ? (until_ns - START_NS) / SECOND - now_s : 0;
}

static void fail(struct deadlist *d, uint16_t port, int64_t retry_after_s, int64_t now_s)
{
    struct address a = server(port);

    deadlist_failed(d, &a, WIRE_UDP, retry_after_s * SECOND, START_NS + now_s * SECOND);
}

TEST(blocks_double_from_30_s_to_5_min_until_it_answers)
{
    static const struct { int64_t now_s, retry_after_s, left_s; } rows[] = {
        { 0, 0, 30 },
        { 10, 0, 20 },                                    /* another call of the same outage */
        { 30, 0, 60 },
        { 91, 0, 120 },
        { 300, 0, 240 },
        { 600, 0, 300 },
        { 900, 0, 300 },                                  /* no longer than that */
        { 1600, 0, 30 },                                  /* it was well for 5 min */
        { 1601, 90, 90 },                                 /* what it asks for itself, at once */
        { 1602, 20, 20 },
        { 1603, 999999999, 3600 },
        { 5300, 0, 60 },
    };
    struct deadlist *d = deadlist_new(&(struct deadlist_settings){0});
    struct address a = server(5060);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fail(d, 5060, rows[i].retry_after_s, rows[i].now_s);
        CHECK_ROW_EQ(i, left_s(d, 5060, rows[i].now_s), rows[i].left_s);
        CHECK_ROW_EQ(i, left_s(d, 5060, rows[i].now_s + rows[i].left_s), 0);
    }
    deadlist_succeeded(d, &a, WIRE_UDP);
    CHECK_EQ(left_s(d, 5060, 5301), 0);
    fail(d, 5060, 0, 5302);
    CHECK_EQ(left_s(d, 5060, 5302), 30);
    deadlist_free(d);
}

TEST(another_port_or_transport_is_another_server)
{
    struct deadlist *d = deadlist_new(&(struct deadlist_settings){0});
    struct address a = server(5060);

    fail(d, 5060, 0, 0);
    CHECK(deadlist_until_ns(d, &a, WIRE_UDP, START_NS) != 0);
    CHECK_EQ(deadlist_until_ns(d, &a, WIRE_TCP, START_NS), 0);
    CHECK_EQ(left_s(d, 5061, 0), 0);
    deadlist_succeeded(d, &a, WIRE_TCP);                  /* says nothing about UDP */
    CHECK(deadlist_until_ns(d, &a, WIRE_UDP, START_NS) != 0);
    deadlist_free(d);
}

TEST(a_full_table_forgets_who_failed_longest_ago)
{
    struct deadlist *d = deadlist_new(&(struct deadlist_settings){ .servers_max = 3 });
    struct address b = server(2);

    for (uint16_t port = 1; port <= 3; port++)
        fail(d, port, 0, port);
    fail(d, 1, 60, 4);                                    /* 2 is the oldest now */
    fail(d, 4, 0, 5);
    CHECK_EQ(left_s(d, 1, 5), 59);
    CHECK_EQ(left_s(d, 2, 5), 0);
    CHECK_EQ(left_s(d, 3, 5), 28);
    CHECK_EQ(deadlist_counts(d).forgotten, 1);
    deadlist_succeeded(d, &b, WIRE_UDP);                  /* long forgotten */
    for (uint16_t port = 1; port <= 50000; port++)
        fail(d, port, 0, 6);
    CHECK_EQ(left_s(d, 50000, 6), 30);
    CHECK_EQ(left_s(d, 49997, 6), 0);
    deadlist_free(d);
}

TEST(what_a_success_frees_is_taken_first)
{
    struct deadlist *d = deadlist_new(&(struct deadlist_settings){ .servers_max = 2 });
    struct address b = server(2);

    fail(d, 1, 0, 0);
    fail(d, 2, 0, 0);
    deadlist_succeeded(d, &b, WIRE_UDP);
    fail(d, 3, 0, 0);
    CHECK_EQ(left_s(d, 1, 0), 30);
    CHECK_EQ(left_s(d, 3, 0), 30);
    CHECK_EQ(deadlist_counts(d).forgotten, 0);
    deadlist_free(d);
}

TORTURE(it_says_who_is_blocked)
{
    struct deadlist *d = deadlist_new(&(struct deadlist_settings){0});
    struct out o;

    CHECK_OR_RETURN(d != NULL);
    out_init_memory(&o, 0);
    fail(d, 5060, 0, 0);
    fail(d, 5070, 0, 20);
    deadlist_debug(&o, d, START_NS + 31 * SECOND);
    CHECK_OR_GOTO(!o.error, out);
    CHECK_EQ(out_taken(&o), SLICE("10.0.0.1:5070 udp, 19 s\n"));
out:
    out_done(&o);
    deadlist_free(d);
}
