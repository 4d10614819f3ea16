/* sip/names_test.c - a name is taken for another in no case.
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "sip/lines.h"
#include "sip/names_int.h"
#include "sip/sip_int.h"

static const struct { slice name; enum sip_header_id id; char compact; } all[] = {
#define X(number, text, letter) { SLICE(text), SIP_H_##number, letter },
#include "sip/headers.def"
#undef X
};

/* The id that a message gives to a line with that name, by whatever path it is found there;
 * `behind` bytes follow the line, for names near the end are read another way. */
static enum sip_header_id id_in_message(slice name, size_t behind)
{
    struct sip_header room[4];
    struct sip_message m;
    char text[256];
    size_t n = (size_t)snprintf(text, sizeof(text), "BYE sip:a SIP/2.0\r\n");

    memcpy(text + n, name.ptr, name.len);
    n += name.len;
    memcpy(text + n, ":x\r\n", 4);
    n += 4;
    if (behind) {
        memset(text + n, 'y', behind);
        text[n + 1] = ':';
        n += behind;
    }
    if (sip_message_parse(slice_of(text, n), SIP_DATAGRAM, room, ARRAY_LEN(room), &m) <= 0)
        FAIL("not read");
    CHECK(m.header_count > 0 && slice_eq(m.headers[0].value, SLICE("x")));
    return m.headers[0].id;
}

static void check_id(size_t row, slice name, enum sip_header_id id)
{
    CHECK_ROW_EQ(row, sip_header_id_find(name), id);
    CHECK_ROW_EQ(row, id_in_message(name, 0), id);
    CHECK_ROW_EQ(row, id_in_message(name, 64), id);
}

TEST(each_header_is_found_by_its_name_in_any_case_and_by_its_letter)
{
    char text[SIP_NAME_ROOM];

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        check_id(i, all[i].name, all[i].id);
        CHECK_ROW_EQ(i, sip_header_name(all[i].id), all[i].name);
        for (size_t at = 0; at < all[i].name.len; at++)
            text[at] = ascii_lower(all[i].name.ptr[at]);
        check_id(i, slice_of(text, all[i].name.len), all[i].id);
        for (size_t at = 0; at < all[i].name.len; at++)
            if (text[at] >= 'a' && text[at] <= 'z')
                text[at] = (char)(text[at] - 'a' + 'A');
        check_id(i, slice_of(text, all[i].name.len), all[i].id);
        if (all[i].compact) {
            text[0] = all[i].compact;
            check_id(i, slice_of(text, 1), all[i].id);
            text[0] = (char)(all[i].compact - 'a' + 'A');
            check_id(i, slice_of(text, 1), all[i].id);
        }
    }
}

/* Any header but with one byte changed, added or taken away is another header: all 255 other
 * bytes at every place, so whatever the lookup hashes or masks is hit. */
TEST(a_name_with_one_other_byte_is_another_header)
{
    char text[SIP_NAME_ROOM + 1];

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        size_t len = all[i].name.len;

        for (size_t at = 0; at < len; at++)
            for (int c = 0; c < 256; c++) {
                memcpy(text, all[i].name.ptr, len);
                text[at] = (char)c;
                slice name = slice_of(text, len);
                enum sip_header_id id = sip_header_id_find(name);

                CHECK_ROW(i, slice_eq_nocase(name, sip_header_name(id)) ||
                             (id == SIP_H_OTHER && !slice_eq_nocase(name, all[i].name)));
                if (c != ':' && c != '\n' && c > ' ')
                    CHECK_ROW_EQ(i, id_in_message(name, 40), id);
            }
        memcpy(text, all[i].name.ptr, len);
        text[len] = 'x';
        CHECK_ROW(i, sip_header_id_find(slice_of(text, len + 1)) != all[i].id);
        CHECK_ROW(i, len == 2 || sip_header_id_find(slice_of(text, len - 1)) != all[i].id);
    }
}

/* Names that a 32-bit sum or multiplicative hash, or the first and last letters, would mix up
 * with a known one: found by search, asked by name. */
TEST(names_that_hash_alike_are_told_apart)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz-";
    unsigned collisions = 0;
    char text[SIP_NAME_ROOM];

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        size_t len = all[i].name.len;

        if (len < 4)
            continue;
        for (size_t a = 1; a + 2 < len; a++)
            for (size_t x = 0; x + 1 < sizeof(letters); x++) {
                /* Same length, ends and sum of letters: one up, its neighbour down. */
                memcpy(text, all[i].name.ptr, len);
                int up = letters[x] - ascii_lower(text[a]);

                text[a] = letters[x];
                text[a + 1] = (char)(ascii_lower(text[a + 1]) - up);
                if (up == 0 || !sip_is_token_char(text[a + 1]))
                    continue;
                slice name = slice_of(text, len);

                collisions++;
                CHECK_ROW(i, sip_header_id_find(name) != all[i].id);
                CHECK_ROW_EQ(i, id_in_message(name, 40), sip_header_id_find(name));
            }
    }
    CHECK(collisions > 1000);
}

TEST(names_that_resemble_a_known_one_are_unknown)
{
    static const slice rows[] = {
        SLICE("Call\rID"), SLICE("Call_ID"), SLICE("CallID"), SLICE("Call-ID-"), SLICE("Call-I"),
        SLICE("Vis"), SLICE("Vi"), SLICE("Viaa"), SLICE("Fron"), SLICE("CSeq2"), SLICE("T0"),
        SLICE("Content-Lenght"), SLICE("Content-Length1"), SLICE("ContentXLength"),
        SLICE("Max-Forwardz"), SLICE("P-Charging-Function-Addressez"),
        SLICE("P-Charging-Function-Addresses-and-more-than-that"), SLICE("g"), SLICE("h"),
        SLICE("p"), SLICE("q"), SLICE("w"), SLICE("z"), SLICE("@"), SLICE("X-Via"),
        SLICE("\xd6ia"), SLICE("\x76\xe9\x61"),
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_ROW_EQ(i, sip_header_id_find(rows[i]), SIP_H_OTHER);
        CHECK_ROW_EQ(i, id_in_message(rows[i], 64), SIP_H_OTHER);
    }
    CHECK_EQ(sip_header_id_find(SLICE("")), SIP_H_OTHER);
    CHECK_EQ(sip_header_id_find(SLICE("\0")), SIP_H_OTHER);
}

TEST(headers_def_is_sorted_by_length_and_names_nothing_twice)
{
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        CHECK_ROW(i, all[i].name.len < SIP_NAME_ROOM && all[i].name.len > 1);
        CHECK_ROW(i, i == 0 || all[i - 1].name.len <= all[i].name.len);
        for (size_t k = 0; k < i; k++) {
            CHECK_ROW(i, !slice_eq_nocase(all[i].name, all[k].name));
            CHECK_ROW(i, !all[i].compact || all[i].compact != all[k].compact);
        }
    }
}

TEST(methods_are_compared_whole_and_with_their_case)
{
    static const slice others[] = {
        SLICE(""), SLICE("invite"), SLICE("INVIT"), SLICE("INVITEE"), SLICE("INVITA"),
        SLICE("INFO "), SLICE("INFA"), SLICE("PRACT"), SLICE("PUBLISS"), SLICE("REGISTEP"),
        SLICE("RE%47IST%45R"), SLICE("XCK"), SLICE("A"),
    };

    for (enum sip_method m = SIP_UNKNOWN + 1; m < SIP_METHODS; m++) {
        CHECK_ROW(m, sip_method_name(m).len >= 3);
        CHECK_ROW_EQ(m, sip_method_find(sip_method_name(m)), m);
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        CHECK_ROW_EQ(i, sip_method_find(others[i]), SIP_UNKNOWN);
}

TEST(every_flaw_has_a_slug_of_its_own_made_of_lower_case_words)
{
    for (enum sip_flaw_kind a = 0; a < SIP_FLAW_KINDS; a++) {
        slice slug = sip_flaw_slug(a);
        int code = sip_flaw_code(a);

        CHECK_ROW(a, slug.len > 3);
        CHECK_ROW(a, code == 0 || code == 400 || code == 505);
        for (size_t i = 0; i < slug.len; i++)
            CHECK_ROW(a, slug.ptr[i] == '-' || is_digit(slug.ptr[i]) ||
                         (slug.ptr[i] >= 'a' && slug.ptr[i] <= 'z'));
        for (enum sip_flaw_kind b = 0; b < a; b++)
            CHECK_ROW(a, !slice_eq(slug, sip_flaw_slug(b)));
    }
}

TEST(line_ends_are_found_alike_with_and_without_wide_instructions)
{
    static const char near[] = "\n\x0b\x09\x8a\xff\x01\0\n";
    char block[64];
    uint32_t seed = 1;

    for (int round = 0; round < 20000; round++) {
        uint64_t wanted = 0;

        for (int i = 0; i < 64; i++) {
            seed = seed * 1664525u + 1013904223u;
            block[i] = round % 2 ? (char)(seed >> 24) : near[seed >> 29];
            wanted |= (uint64_t)(block[i] == '\n') << i;
        }
        CHECK_ROW(round, sip_lf_mask(block) == wanted);
        CHECK_ROW(round, sip_lf_mask_plain(block) == wanted);
    }
}

TEST(lines_of_every_length_are_found_to_the_last_byte)
{
    char text[300];
    struct sip_lines lines;

    for (size_t len = 0; len < 140; len++)
        for (size_t total = len + 1; total < 280; total += 37) {
            memset(text, 'x', sizeof(text));         /* an LF behind the end must not be seen */
            text[total] = '\n';
            text[len] = '\n';
            sip_lines_init(&lines, text, text + total);
            CHECK_ROW(len, sip_lines_next(&lines) == text + len);
            CHECK_ROW(len, sip_lines_next(&lines) == NULL);
        }
}
