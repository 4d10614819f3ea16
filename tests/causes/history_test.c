/* tests/causes/history_test.c - what calls tell each other is bounded, and forgets the oldest
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/vendor.h"
#include "harness/causes_run.h"

static const struct hash_seed seed = { 7, 9 };

static void hear(struct diagnose_history *h, const char *text, uint32_t from, int64_t at_ns)
{
    struct sip_header room[32];
    struct sip_message m;
    uint8_t ip[4] = { 192, (uint8_t)(from >> 16), (uint8_t)(from >> 8), (uint8_t)from }, server[4] = { 10, 0, 0, 1 };
    struct wire_unit unit = { .time_ns = at_ns, .frame = 1, .src = address_v4(ip, 5060), .dst = address_v4(server, 5060) };

    if (sip_message_parse(slice_of_string(text), SIP_DATAGRAM, room, ARRAY_LEN(room), &m) <= 0)
        FAIL("this is not SIP");
    if (!m.is_request) {
        struct address a = unit.src;

        unit.src = unit.dst;
        unit.dst = a;
    }
    diagnose_history_message(h, &unit, &m);
}

#define HEADS "Via: SIP/2.0/UDP x;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\nCall-ID: 1\r\n"
#define OPTIONS "OPTIONS sip:b@x SIP/2.0\r\n" HEADS "To: <sip:b@x>\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
#define GRANTED(user, seconds) "SIP/2.0 200 OK\r\n" HEADS "To: <sip:" user "@x>;tag=2\r\nCSeq: 1 REGISTER\r\nContact: <sip:h>;expires=" seconds "\r\nContent-Length: 0\r\n\r\n"

TEST(a_history_takes_no_more_memory_than_it_was_given)
{
    struct diagnose_history *h = diagnose_history_new(&seed, 1 << 16);
    size_t before = diagnose_history_memory_bytes(h);

    CHECK(before <= (1 << 16) + 4096);
    for (uint32_t i = 1; i < 20000; i++)
        hear(h, OPTIONS, i, 1000000 * (int64_t)i);
    CHECK_EQ(diagnose_history_memory_bytes(h), before);
    diagnose_history_free(h);
}

TEST(the_newest_hosts_are_remembered_and_the_oldest_forgotten)
{
    struct diagnose_history *h = diagnose_history_new(&seed, 1 << 16);
    uint8_t first[4] = { 192, 0, 0, 1 }, last[4] = { 192, 0, 0x4e, 0x1f };
    struct address a = address_v4(first, 0), b = address_v4(last, 9999);

    for (uint32_t i = 1; i < 20000; i++)
        hear(h, OPTIONS, i, 1000000 * (int64_t)i);
    CHECK(diagnose_history_host(h, &a) == NULL);
    CHECK(diagnose_history_host(h, &b) != NULL);
    CHECK_EQ(diagnose_history_host(h, &b)->requests[SIP_OPTIONS], 1);
    diagnose_history_free(h);
}

TEST(a_binding_is_found_by_its_user_and_rather_under_its_own_domain)
{
    struct diagnose_history *h = diagnose_history_new(&seed, 1 << 16);

    hear(h, GRANTED("bob", "60"), 5, 1000);
    CHECK(diagnose_history_binding(h, SLICE("sip:bob@x")) != NULL);
    CHECK(diagnose_history_binding(h, SLICE("sip:bob@10.0.0.5;transport=udp")) != NULL);
    CHECK(diagnose_history_binding(h, SLICE("sip:bobby@x")) == NULL);
    CHECK(diagnose_history_binding(h, SLICE("sip:x")) == NULL);
    CHECK_EQ(diagnose_history_binding(h, SLICE("sip:bob@x"))->until_ns, 60 * 1000000000LL + 1000);
    hear(h, GRANTED("bob", "0"), 5, 2000);
    CHECK_EQ(diagnose_history_binding(h, SLICE("sip:bob@x"))->removed_ns, 2000);
    diagnose_history_free(h);
}

TORTURE(a_history_is_made_whole_or_not_at_all)
{
    struct diagnose_history *h = diagnose_history_new(&seed, 1 << 14);

    CHECK_OR_RETURN(h != NULL);
    diagnose_history_free(h);
}

TEST(products_are_known_by_the_start_of_their_name)
{
    CHECK(vendor_find(SLICE("FreeSWITCH-mod_sofia/1.10.9"))->traits & VENDOR_603_IS_21);
    CHECK(vendor_find(SLICE("freeswitch"))->traits & VENDOR_SWITCH);
    CHECK(vendor_find(SLICE("Yealink SIP-T46S 66.85"))->traits & VENDOR_PHONE);
    CHECK_EQ(vendor_find(SLICE("my FreeSWITCH"))->traits, 0);
    CHECK_EQ(vendor_find(SLICE(""))->traits, 0);
}
