/* wire/fragments_test.c - datagrams put together, in any order, within limits
 * SPDX-License-Identifier: Apache-2.0 */
#include "wire/fragments.h"

#include "harness/test.h"

struct piece { uint32_t offset, len; bool more; char fill; };

static void fragments_for_test(struct fragments *f, uint32_t count, size_t bytes)
{
    CHECK_EQ(fragments_init(f, count, bytes, 30000000000ll, (struct hash_seed){ 3, 4 }), 0);
}

static struct fragment_datagram *add(struct fragments *f, uint32_t id, int64_t now_ns,
                                     const struct piece *p)
{
    static char room[70000];
    struct wire_packet packet = { .time_ns = now_ns, .src = address_v4("\1\2\3\4", 0),
                                  .dst = address_v4("\5\6\7\10", 0) };
    struct fragment in = { .packet = &packet, .id = id, .protocol = 17, .more = p->more,
                           .offset = p->offset, .len = p->len,
                           .bytes = slice_of(room, p->len) };

    memset(room, p->fill, p->len);
    return fragments_add(f, &in);
}

TEST(a_datagram_is_whole_when_its_last_hole_is_filled_in_any_order)
{
    static const struct piece parts[] = { { 0, 16, true, 'a' }, { 16, 8, true, 'b' },
                                          { 24, 3, false, 'c' } };
    static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
                                          { 2, 0, 1 }, { 2, 1, 0 } };

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct fragments f;

        fragments_for_test(&f, 10, 1 << 20);
        CHECK_ROW(i, !add(&f, 7, 5, &parts[orders[i][0]]));
        CHECK_ROW(i, !add(&f, 7, 6, &parts[orders[i][1]]));
        struct fragment_datagram *d = add(&f, 7, 8, &parts[orders[i][2]]);

        CHECK_ROW(i, d != NULL);
        CHECK_ROW_EQ(i, fragment_datagram_bytes(d), "aaaaaaaaaaaaaaaabbbbbbbbccc");
        CHECK_ROW(i, !fragment_datagram_packet(d).cut);
        CHECK_ROW_EQ(i, fragment_datagram_packet(d).time_ns, 8);
        fragments_drop(&f, d);
        CHECK_ROW_EQ(i, f.bytes, 0);
        fragments_done(&f);
    }
}

TEST(where_fragments_overlap_the_bytes_that_came_first_stay)
{
    struct fragments f;
    struct fragment_datagram *d;

    fragments_for_test(&f, 10, 1 << 20);
    CHECK(!add(&f, 7, 0, &(struct piece){ 8, 16, true, 'a' }));
    CHECK(!add(&f, 7, 0, &(struct piece){ 0, 32, true, 'b' }));
    d = add(&f, 7, 0, &(struct piece){ 16, 20, false, 'c' });
    CHECK_EQ(fragment_datagram_bytes(d), "bbbbbbbbaaaaaaaaaaaaaaaabbbbbbbbcccc");
    fragments_drop(&f, d);
    fragments_done(&f);
}

TEST(fragments_of_other_datagrams_do_not_mix)
{
    struct fragments f;

    fragments_for_test(&f, 10, 1 << 20);
    CHECK(!add(&f, 7, 0, &(struct piece){ 0, 8, true, 'a' }));
    CHECK(!add(&f, 8, 0, &(struct piece){ 8, 8, false, 'b' }));
    CHECK_EQ(f.map.count, 2);
    fragments_done(&f);
    CHECK_EQ(f.bytes, 0);
}

TEST(lengths_that_contradict_each_other_are_refused)
{
    static const struct { struct piece first, then; } rows[] = {
        { { 0, 8, true, 'a' },    { 65528, 16, false, 'b' } },   /* past 65535 */
        { { 0, 8, true, 'a' },    { 8, 5, true, 'b' } },         /* not the last, odd length */
        { { 8, 8, false, 'a' },   { 16, 8, true, 'b' } },        /* past the end */
        { { 16, 8, true, 'a' },   { 0, 8, false, 'b' } },        /* an end before it */
        { { 0, 8, true, 'a' },    { 8, 0, false, 'b' } },        /* nothing */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fragments f;

        fragments_for_test(&f, 10, 1 << 20);
        CHECK_ROW(i, !add(&f, 7, 0, &rows[i].first));
        CHECK_ROW(i, f.refused == 0);
        CHECK_ROW(i, !add(&f, 7, 0, &rows[i].then));
        CHECK_ROW_EQ(i, f.refused, 1);
        fragments_done(&f);
    }
}

TEST(the_largest_datagram_fits)
{
    struct fragments f;

    fragments_for_test(&f, 10, 1 << 20);
    CHECK(!add(&f, 7, 0, &(struct piece){ 32768, 32767, false, 'b' }));
    struct fragment_datagram *d = add(&f, 7, 0, &(struct piece){ 0, 32768, true, 'a' });

    CHECK(d != NULL);
    CHECK_EQ(fragment_datagram_bytes(d).len, 65535);
    fragments_drop(&f, d);
    fragments_done(&f);
}

TEST(what_lacks_a_piece_is_given_up_when_old_and_hands_out_its_beginning)
{
    struct fragments f;
    struct fragment_datagram *d;

    fragments_for_test(&f, 10, 1 << 20);
    CHECK(!add(&f, 7, 1000, &(struct piece){ 0, 16, true, 'a' }));
    CHECK(!add(&f, 7, 2000, &(struct piece){ 24, 8, true, 'b' }));
    CHECK_EQ(fragments_due_ns(&f), 30000001000ll);
    CHECK(!fragments_take_due(&f, 30000000999ll));
    d = fragments_take_due(&f, 30000001000ll);
    CHECK(d != NULL);
    CHECK(fragment_datagram_is_old(&f, d, 30000001000ll));
    CHECK(fragment_datagram_packet(d).cut);
    CHECK_EQ(fragment_datagram_bytes(d), "aaaaaaaaaaaaaaaa");
    fragments_drop(&f, d);
    CHECK_EQ(fragments_due_ns(&f), INT64_MAX);
    fragments_done(&f);
}

TEST(a_fragment_cut_by_the_capture_completes_a_cut_datagram)
{
    struct fragments f;
    struct wire_packet packet = { .src = address_v4("\1\2\3\4", 0) };

    fragments_for_test(&f, 10, 1 << 20);
    struct fragment in = { .packet = &packet, .id = 7, .more = true, .len = 16,
                           .bytes = SLICE("0123456789") };

    CHECK(!fragments_add(&f, &in));
    in = (struct fragment){ .packet = &packet, .id = 7, .offset = 16, .len = 3,
                            .bytes = SLICE("xyz") };
    struct fragment_datagram *d = fragments_add(&f, &in);

    CHECK(d != NULL);
    CHECK_EQ(fragment_datagram_bytes(d), "0123456789");
    CHECK(fragment_datagram_packet(d).cut);
    fragments_drop(&f, d);
    fragments_done(&f);
}

TEST(at_a_limit_the_oldest_goes_first)
{
    struct fragments f;

    fragments_for_test(&f, 2, 1 << 20);
    for (uint32_t id = 1; id <= 3; id++)
        CHECK(!add(&f, id, id, &(struct piece){ 0, 8, true, (char)('a' + id) }));
    struct fragment_datagram *d = fragments_take_due(&f, 4);

    CHECK(d != NULL);
    CHECK_EQ(fragment_datagram_bytes(d), "bbbbbbbb");
    CHECK(!fragment_datagram_is_old(&f, d, 4));
    fragments_drop(&f, d);
    CHECK(!fragments_take_due(&f, 4));
    f.bytes_max = f.bytes - 1;
    d = fragments_take_due(&f, 4);
    CHECK(d != NULL);
    fragments_drop(&f, d);
    CHECK(!fragments_take_due(&f, 4));
    fragments_done(&f);
}

TEST(late_copies_of_the_last_fragment_are_told_from_a_datagram_that_lacks_its_first)
{
    struct fragments f;
    static const struct piece first = { 0, 8, true, 'a' }, last = { 8, 8, false, 'b' };
    struct fragment_datagram *d;

    fragments_for_test(&f, 10, 1 << 20);
    CHECK(!add(&f, 7, 1000, &first));
    fragments_drop(&f, add(&f, 7, 1001, &last));
    CHECK(!add(&f, 7, 1002, &last));                       /* its copy from another interface */
    CHECK(!add(&f, 8, 1002, &last));                       /* this one lacks its first */
    CHECK(!add(&f, 9, 1002, &last));
    d = fragments_take_due(&f, INT64_MAX);
    CHECK(fragment_datagram_is_echo(d));
    fragments_drop(&f, d);
    d = fragments_take_due(&f, INT64_MAX);
    CHECK(!fragment_datagram_is_echo(d));
    fragments_drop(&f, d);
    CHECK(!add(&f, 7, 1002 + FRAGMENT_ECHO_NS, &last));    /* much later: the number again */
    fragments_drop(&f, fragments_take_due(&f, INT64_MAX));
    d = fragments_take_due(&f, INT64_MAX);
    CHECK(!fragment_datagram_is_echo(d));
    fragments_drop(&f, d);
    fragments_done(&f);
}

TORTURE(fragments_survive_a_lack_of_memory)
{
    struct fragments f;

    CHECK_OR_RETURN(fragments_init(&f, 10, 1 << 20, 1000, (struct hash_seed){ 3, 4 }) == 0);
    struct fragment_datagram *d = add(&f, 7, 0, &(struct piece){ 0, 4096, true, 'a' });

    CHECK(!d);
    d = add(&f, 7, 0, &(struct piece){ 4096, 8, false, 'b' });
    CHECK_OR_GOTO(d != NULL, out);
    CHECK_EQ(fragment_datagram_bytes(d).len, 4104);
out:
    fragments_drop(&f, d);
    fragments_done(&f);
}
