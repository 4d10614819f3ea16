/* mask/key_test.c - pseudonyms keep lengths and kinds, and differ from what they stand for
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/test.h"
#include "mask/key.h"

static struct mask_key a_key(void) { return mask_key_of_text(SLICE("a key")); }

static const char *masked_by(void (*mask)(const struct mask_key *, char *, size_t), const char *text)
{
    static char room[8][128];
    static unsigned at;
    struct mask_key k = a_key();
    char *copy = room[at++ % 8];

    CHECK(strlen(text) < sizeof room[0]);
    memcpy(copy, text, strlen(text) + 1);
    mask(&k, copy, strlen(text));
    CHECK_EQ(strlen(copy), strlen(text));
    return copy;
}

static const char *host(const char *text) { return masked_by(mask_host, text); }
static const char *number(const char *text) { return masked_by(mask_number, text); }
static const char *words(const char *text) { return masked_by(mask_words, text); }

TEST(every_digit_of_a_number_changes_and_nothing_else)
{
    static const char *const rows[] = { "4930123456", "1001", "030 123-456", "97239287044" };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *got = number(rows[i]);

        for (size_t j = 0; rows[i][j]; j++)
            if (!is_digit(rows[i][j]))
                CHECK_ROW_EQ(i, got[j], rows[i][j]);
            else if (j > 0)               /* the first may be moved twice, so that it is no 0 */
                CHECK_ROW(i, is_digit(got[j]) && got[j] != rows[i][j]);
    }
}

TEST(a_country_code_and_the_zero_of_a_trunk_stay)
{
    CHECK(strncmp(number("+4930123456"), "+49", 3) == 0);
    CHECK(strncmp(number("+12015550123"), "+1", 2) == 0);
    CHECK(strncmp(number("+390612345678"), "+39", 3) == 0);
    CHECK(strncmp(number("+380441234567"), "+380", 4) == 0);
    CHECK(strncmp(number("004930123456"), "0049", 4) == 0);
    CHECK(number("030123456")[0] == '0' && number("030123456")[1] != '0');
    CHECK(strncmp(number("%2B4930123456"), "%2B49", 5) == 0);
}

TEST(numbers_that_end_alike_end_alike_afterwards)
{
    const char *whole = number("+4930123456"), *there = number("004930123456");
    const char *near = number("030123456"), *local = number("123456");

    CHECK_STR_EQ(whole + 3, there + 4);
    CHECK_STR_EQ(whole + 3, near + 1);
    CHECK_STR_EQ(whole + 6, local + 1);   /* its first digit is never a 0 and so apart */
}

TEST(emergency_numbers_and_short_extensions_stay)
{
    CHECK_STR_EQ(number("112"), "112");
    CHECK_STR_EQ(number("911"), "911");
    CHECK_STR_EQ(number("*43#"), "*43#");
    CHECK(strcmp(number("1001"), "1001") != 0);
}

TEST(words_keep_case_and_length_and_no_letter_stays)
{
    const char *got = words("Alice B. Smith-42x");

    for (size_t i = 0; i < strlen(got); i++)
        if ("Alice B. Smith-42x"[i] != ' ' && "Alice B. Smith-42x"[i] != '.' &&
            "Alice B. Smith-42x"[i] != '-')
            CHECK_ROW(i, got[i] != "Alice B. Smith-42x"[i]);
    CHECK(got[0] >= 'A' && got[0] <= 'Z' && got[1] >= 'a');
    CHECK_STR_EQ(words("alice"), words("alice"));
    CHECK(strcmp(words("alice"), words("alicf")) != 0);
}

TEST(text_that_is_no_ascii_stays_utf_8)
{
    const char *got = words("M\xc3\xbcller \xe6\x9d\x8e \xff");

    CHECK((uint8_t)got[1] == 0xc3 && ((uint8_t)got[2] & 0xc0) == 0x80);
    CHECK(got[12] == '?' || got[strlen(got) - 1] == '?');
    CHECK(strcmp(got, "M\xc3\xbcller \xe6\x9d\x8e \xff") != 0);
}

/* Which kind of address it is must not change, and the text keeps its length. */
static int kind_of(const char *text)
{
    unsigned a = 0, b = 0;

    (void)sscanf(text, "%u.%u", &a, &b);
    return a == 10 ? 1 : a == 172 && b >= 16 && b <= 31 ? 2 : a == 192 && b == 168 ? 3
         : a == 169 && b == 254 ? 4 : a == 100 && b >= 64 && b <= 127 ? 5 : a == 127 ? 6
         : a == 0 ? 7 : a >= 224 ? 8 : 9;
}

TEST(addresses_stay_private_or_public_and_as_long)
{
    struct mask_key k = a_key();

    for (unsigned n = 0; n < 20000; n++) {
        uint32_t bits = n * 2654435761u;
        struct address a = address_v4((uint8_t[4]){ (uint8_t)(bits >> 24), (uint8_t)(bits >> 16),
                                                    (uint8_t)(bits >> 8), (uint8_t)bits }, 0), b;
        char before[ADDRESS_TEXT_MAX], after[ADDRESS_TEXT_MAX];

        b = mask_address(&k, &a);
        address_format_ip(&a, before);
        address_format_ip(&b, after);
        CHECK_ROW_EQ(n, kind_of(before), kind_of(after));
        CHECK_ROW_EQ(n, strlen(before), strlen(after));
        if (kind_of(before) != 6 && kind_of(before) != 7 && kind_of(before) != 8)
            CHECK_ROW(n, strcmp(before, after) != 0);
        CHECK_STR_EQ(host(before), after);    /* text and bytes say the same */
    }
}

TEST(two_addresses_never_become_one)
{
    struct mask_key k = a_key();
    static bool taken[65536];

    memset(taken, 0, sizeof taken);
    for (unsigned n = 0; n < 65536; n++) {
        struct address a = address_v4((uint8_t[4]){ 203, 0, (uint8_t)(n >> 8), (uint8_t)n }, 0);
        struct address b = mask_address(&k, &a);
        unsigned there = (unsigned)b.ip[2] << 8 | b.ip[3];

        CHECK_ROW(n, !taken[there]);
        taken[there] = true;
    }
}

TEST(a_cache_of_addresses_changes_nothing)
{
    struct mask_cache *cache = calloc(1, sizeof *cache);
    struct mask_key k = a_key(), quick = a_key();

    CHECK(cache != NULL);
    quick.cache = cache;
    for (unsigned n = 0; n < 6000; n++) {
        unsigned i = n % 3000;
        uint8_t ip[16] = { 0x20, 1, (uint8_t)(i >> 8), (uint8_t)i, [15] = 7 };
        uint8_t family = i % 2 ? 4 : 6;
        struct address a = family == 4 ? address_v4(ip, 0) : address_v6(ip, 0);
        struct address slow = mask_address(&k, &a), fast = mask_address(&quick, &a);

        CHECK_ROW(n, address_eq(&slow, &fast));
    }
    free(cache);
}

TEST(neighbours_stay_in_one_subnet)
{
    const char *a = host("203.0.113.20"), *b = host("203.0.113.77");

    CHECK(strncmp(a, b, 9) == 0 || strrchr(a, '.') - a == strrchr(b, '.') - b);
    CHECK_EQ(strrchr(a, '.') - a, strrchr(b, '.') - b);
    CHECK_MEM_EQ(a, b, (size_t)(strrchr(a, '.') - a));
    CHECK(strcmp(a, b) != 0);
}

TEST(ipv6_text_keeps_its_form)
{
    static const char *const rows[] = {
        "2001:db8::1", "[2001:db8::1]", "fe80::1ff:fe23:4567:890a", "2001:DB8:0:0:8:800:200C:417A",
        "fd17:625c:f037:2:a00:27ff:feb9:4222", "::ffff:192.0.2.33", "64:ff9b::192.0.2.33",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *got = host(rows[i]);
        struct address before, after, expected;
        struct mask_key k = a_key();

        CHECK_ROW(i, address_parse_ip(slice_of_string(rows[i]), &before));
        CHECK_ROW(i, address_parse_ip(slice_of_string(got), &after));
        expected = mask_address(&k, &before);
        CHECK_ROW(i, address_eq(&after, &expected));
        CHECK_ROW(i, strcmp(got, rows[i]) != 0);
        for (size_t j = 0; rows[i][j]; j++)
            CHECK_ROW(i, (rows[i][j] == ':') == (got[j] == ':'));
    }
    CHECK_STR_EQ(host("::1"), "::1");
    CHECK(strncmp(host("fe80::1"), "fe80::", 6) == 0);
}

TEST(an_address_within_a_name_is_the_address_elsewhere)
{
    const char *address = host("203.0.113.20"), *dashes = host("ip-203-0-113-20.secret.org");
    const char *dots = host("203.0.113.20.secret.org");

    CHECK(strncmp(dots, address, strlen(address)) == 0 && dots[strlen(address)] == '.');
    for (size_t i = 0; address[i]; i++)
        CHECK_ROW_EQ(i, dashes[3 + i], address[i] == '.' ? '-' : address[i]);
    CHECK(!strstr(dashes, "secret") && !strstr(dots, "secret"));
    CHECK(strstr(dashes, ".org") && strstr(dots, ".org"));
}

TEST(the_end_of_a_name_stays_only_when_it_tells_of_no_owner)
{
    static const struct { const char *name; bool stays; } rows[] = {
        { "pbx.acme.com", true }, { "pbx.acme.de", true }, { "PBX.ACME.ORG", true }, { "pbx.acmebank", false },
        { "acme", false }, { "com", false }, { "pbx.corp", true }, { "pbx.x9", false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *dot = strrchr(rows[i].name, '.'), *end = dot ? dot : rows[i].name;
        const char *got = host(rows[i].name);

        CHECK_ROW(i, (strcmp(got + (end - rows[i].name), end) == 0) == rows[i].stays);
    }
}

TEST(hosts_keep_their_labels_and_what_says_how_a_network_is_built)
{
    const char *got = host("pbx.example.com");

    CHECK(got[3] == '.' && strcmp(got + 11, ".com") == 0 && strncmp(got, "pbx", 3) != 0);
    CHECK_STR_EQ(host("anonymous.invalid"), "anonymous.invalid");
    CHECK_STR_EQ(host("localhost"), "localhost");
    got = host("ims.mnc001.mcc262.3gppnetwork.org");
    CHECK(strncmp(got, "ims.mnc", 7) == 0 && strstr(got, ".3gppnetwork.org"));
    CHECK(!strstr(got, "mnc001") && !strstr(got, "mcc262"));
}

TEST(digests_stay_hexadecimal)
{
    const char *got = masked_by(mask_blob, "0123456789abcdef0123456789ABCDEF");

    CHECK_EQ(strspn(got, "0123456789abcdefABCDEF"), 32);
    for (size_t i = 0; i < 32; i++)
        CHECK_ROW(i, ascii_lower(got[i]) != ascii_lower("0123456789abcdef0123456789ABCDEF"[i]));
}

TEST(another_key_gives_other_pseudonyms)
{
    struct mask_key one = mask_key_of_text(SLICE("one")), other = mask_key_of_text(SLICE("other"));
    char a[] = "+4930123456789", b[] = "+4930123456789";

    mask_number(&one, a, strlen(a));
    mask_number(&other, b, strlen(b));
    CHECK(strcmp(a, b) != 0);
}

TEST(a_mac_address_keeps_its_group_bit)
{
    struct mask_key k = a_key();
    uint8_t one[6] = { 0x00, 0x15, 0x65, 1, 2, 3 }, all[6] = { 255, 255, 255, 255, 255, 255 };
    uint8_t group[6] = { 0x01, 0x00, 0x5e, 1, 2, 3 };

    mask_mac(&k, one);
    mask_mac(&k, all);
    mask_mac(&k, group);
    CHECK(memcmp(one, "\x00\x15\x65\x01\x02\x03", 6) != 0 && (one[0] & 1) == 0);
    CHECK(all[0] == 255 && all[5] == 255);
    CHECK((group[0] & 1) == 1);
}
