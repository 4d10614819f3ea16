/* mask/key.c - see key.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "mask/key.h"

#include "mask/letters.h"

#define NUMBER_DIGITS_MAX 40u        /* a longer run of digits is no number: each digit by itself */

enum domain { OF_KEY = 1, OF_DIGIT, OF_WORD, OF_BLOB, OF_OCTET, OF_GROUP, OF_MAC, OF_SHORT };

/* Values of different kinds never meet: each kind has a seed of its own. */
static uint64_t prf(const struct mask_key *k, enum domain domain, const void *bytes, size_t len)
{
    struct hash_seed seed = { k->seed.k0 ^ (uint64_t)domain * 0x9e3779b97f4a7c15u, k->seed.k1 };

    return hash_bytes(&seed, bytes, len);
}

static uint64_t prf_more(const struct mask_key *k, uint64_t h, uint64_t n)
{
    uint64_t both[2] = { h, n };

    return hash_bytes(&k->seed, both, sizeof both);
}

struct mask_key mask_key_of_text(slice text)
{
    struct mask_key none = { .seed = { 0, 0 } }, other = { .seed = { 1, 1 } };

    return (struct mask_key){ .seed = { prf(&none, OF_KEY, text.ptr ? text.ptr : "", text.len),
                                        prf(&other, OF_KEY, text.ptr ? text.ptr : "", text.len) } };
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* How many digits the country code has (ITU-T E.164.D). */
static size_t country_len(const char *digits, size_t count)
{
    static const char two[] = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 "
                              "55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 ";

    if (count < 3)
        return 0;
    if (digits[0] == '1' || digits[0] == '7')
        return 1;
    for (const char *at = two; *at; at += 3)
        if (at[0] == digits[0] && at[1] == digits[1])
            return 2;
    return 3;
}

static char digit_moved(char digit, unsigned by) { return (char)('0' + (digit - '0' + by) % 10); }

/* Each digit moves by what is behind it, so equal endings stay equal. The first is never made
 * a 0, which would say something else. */
static void number_move(const struct mask_key *k, char *digits, size_t count, size_t kept)
{
    char behind[NUMBER_DIGITS_MAX];

    memcpy(behind, digits, count);
    for (size_t i = kept; i < count; i++) {
        unsigned by = 1 + (unsigned)(prf(k, OF_DIGIT, behind + i + 1, count - i - 1) % 9);

        digits[i] = digit_moved(behind[i], by);
        if (i == kept && behind[i] != '0' && digits[i] == '0')
            digits[i] = digit_moved(digits[i], by);
    }
}

static size_t number_kept(bool plus, const char *digits, size_t count)
{
    size_t kept = 0;

    if (plus)
        kept = country_len(digits, count);
    else if (count > 6 && digits[0] == '0' && digits[1] == '0')
        kept = 2 + country_len(digits + 2, count - 2);
    else if (digits[0] == '0')
        kept = 1;
    return count - kept > MASK_NUMBER_SHORT ? kept : 0;
}

void mask_number(const struct mask_key *k, char *at, size_t len)
{
    char digits[NUMBER_DIGITS_MAX];
    size_t count = 0, used = 0;
    bool plus = false;

    for (size_t i = 0; i < len; i++) {
        if (is_escape(at + i, len - i)) {
            plus |= count == 0 && at[i + 1] == '2' && ascii_lower(at[i + 2]) == 'b';
            i += 2;
        } else if (is_digit(at[i])) {
            if (count == NUMBER_DIGITS_MAX) {
                mask_blob(k, at, len);
                return;
            }
            digits[count++] = at[i];
        } else {
            plus |= at[i] == '+' && count == 0;
        }
    }
    if (count <= MASK_NUMBER_SHORT)
        return;
    number_move(k, digits, count, number_kept(plus, digits, count));
    for (size_t i = 0; i < len; i++) {
        if (is_escape(at + i, len - i))
            i += 2;
        else if (is_digit(at[i]))
            at[i] = digits[used++];
    }
}

/* ---- words ----------------------------------------------------------------------------------- */

static char letter_moved(char c, uint64_t r)
{
    static const char vowels[] = "aeiou", others[] = "bcdfghjklmnpqrstvwxyz";
    char lower = ascii_lower(c);
    const char *v = memchr(vowels, lower, 5);
    const char *o = v ? NULL : memchr(others, lower, 21);
    char moved = v ? vowels[((size_t)(v - vowels) + 1 + r % 4) % 5]
                   : others[((size_t)(o - others) + 1 + r % 20) % 21];

    return lower == c ? moved : (char)(moved & ~0x20);
}

/* Characters beyond ASCII stay in their block as far as their last byte goes. */
static size_t beyond_moved(char *at, size_t len, uint64_t r)
{
    uint8_t first = (uint8_t)at[0];
    size_t n = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;

    for (size_t i = 1; i < n; i++)
        if (i >= len || ((uint8_t)at[i] & 0xc0) != 0x80)
            n = 1;
    if (n == 1 || first >= 0xf5) {
        at[0] = '?';
        return 1;
    }
    at[n - 1] = (char)(0x80 | (((uint8_t)at[n - 1] + 1 + r % 63) & 0x3f));
    if (n > 2 && first != 0xe0 && first != 0xed && first != 0xf0 && first != 0xf4)
        at[n - 2] = (char)(0x80 | (((uint8_t)at[n - 2] + (r >> 8) % 16) & 0x3f));
    return n;
}

static uint64_t word_hash(const struct mask_key *k, enum domain domain, const char *at, size_t len)
{
    uint64_t h = prf(k, domain, &len, sizeof len);
    char lower[64];

    for (size_t i = 0; i < len; i += sizeof lower) {
        size_t n = len - i < sizeof lower ? len - i : sizeof lower;

        for (size_t j = 0; j < n; j++)
            lower[j] = ascii_lower(at[i + j]);
        h = prf_more(k, h, prf(k, domain, lower, n));
    }
    return h;
}

void mask_word(const struct mask_key *k, char *at, size_t len)
{
    uint64_t h = word_hash(k, OF_WORD, at, len), r = 0;

    for (size_t i = 0; i < len; i++) {
        r = i % 4 == 0 ? prf_more(k, h, i) : r >> 16;
        if (is_letter(at[i]))
            at[i] = letter_moved(at[i], r & 0xffff);
        else if (is_digit(at[i]))
            at[i] = digit_moved(at[i], 1 + (r & 0xffff) % 9);
        else if ((uint8_t)at[i] >= 0x80)
            i += beyond_moved(at + i, len - i, r & 0xffff) - 1;
    }
}

/* Each moves by what is behind it, so two texts never become one. */
void mask_short(const struct mask_key *k, char at[MASK_NUMBER_SHORT], size_t len)
{
    char was[MASK_NUMBER_SHORT];

    memcpy(was, at, len);
    for (size_t i = 0; i < len; i++) {
        uint64_t r = prf(k, OF_SHORT, was + i + 1, len - i - 1);

        if (is_letter(was[i]))
            at[i] = letter_moved(was[i], r);
        else if (is_digit(was[i]))
            at[i] = digit_moved(was[i], 1 + (unsigned)(r % 9));
    }
}

void mask_words(const struct mask_key *k, char *at, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t begin = i;
        bool digits = true;

        if (is_escape(at + i, len - i)) {
            i += 3;
            continue;
        }
        for (; i < len && (is_alnum(at[i]) || (uint8_t)at[i] >= 0x80); i++)
            digits &= is_digit(at[i]);
        if (i == begin)
            i++;
        else if (!digits)
            mask_word(k, at + begin, i - begin);
        else
            mask_number(k, at + begin, i - begin);
    }
}

/* ---- blobs ----------------------------------------------------------------------------------- */

static char hex_moved(char c, unsigned by)
{
    static const char digits[] = "0123456789abcdef";
    char lower = ascii_lower(c);
    unsigned value = is_digit(c) ? (unsigned)(c - '0') : (unsigned)(lower - 'a') + 10;
    char moved = digits[(value + by) % 16];

    return c >= 'A' && c <= 'F' && moved >= 'a' ? (char)(moved & ~0x20) : moved;
}

void mask_blob(const struct mask_key *k, char *at, size_t len)
{
    uint64_t h = word_hash(k, OF_BLOB, at, len), r = 0;
    bool hex = true;

    for (size_t i = 0; i < len; i++)
        hex &= !is_alnum(at[i]) || is_hex(at[i]);
    for (size_t i = 0; i < len; i++) {
        r = i % 4 == 0 ? prf_more(k, h, i) : r >> 16;
        unsigned by = (unsigned)(r & 0xffff);

        if (!is_alnum(at[i]) && (uint8_t)at[i] < 0x80)
            continue;
        if (hex && is_hex(at[i]))
            at[i] = hex_moved(at[i], 1 + by % 15);
        else if (is_digit(at[i]))
            at[i] = digit_moved(at[i], 1 + by % 9);
        else if (is_letter(at[i]))
            at[i] = (char)((at[i] & 0x20) | ('A' + ((at[i] & ~0x20) - 'A' + 1 + by % 25) % 26));
        else
            at[i] = '?';
    }
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* Which other of `count` values stands for value number `index`: one cycle through them all
 * (Sattolo), so none stands for itself. */
static unsigned cycled(const struct mask_key *k, uint64_t context, unsigned index, unsigned count)
{
    uint8_t order[256];
    uint64_t r = 0;

    if (count < 2)
        return index;
    for (unsigned i = 0; i < count; i++)
        order[i] = (uint8_t)i;
    for (unsigned i = count - 1, n = 0; i > 0; i--, n++) {
        r = n % 4 == 0 ? prf_more(k, context, n) : r >> 16;
        unsigned j = (unsigned)(r & 0xffff) % i;
        uint8_t kept = order[i];

        order[i] = order[j];
        order[j] = kept;
    }
    return order[index];
}

/* The values that may stand for each other: as many digits, and on the same side of what is
 * special. Ranges stand in order; a value in none of them stays as it is. */
struct range { uint8_t first, last; };

static uint8_t within(const struct mask_key *k, uint64_t context, uint8_t value,
                      const struct range *ranges, size_t count)
{
    unsigned sum = 0, index = 0, digits = value < 10 ? 1 : value < 100 ? 2 : 3;
    bool found = false;

    for (size_t i = 0; i < count; i++) {
        unsigned has = ranges[i].first < 10 ? 1 : ranges[i].first < 100 ? 2 : 3;

        if (has != digits)
            continue;
        if (value >= ranges[i].first && value <= ranges[i].last) {
            index = sum + value - ranges[i].first;
            found = true;
        }
        sum += (unsigned)ranges[i].last - ranges[i].first + 1;
    }
    if (!found)
        return value;
    index = cycled(k, context + digits, index, sum);
    for (size_t i = 0; i < count; i++) {
        unsigned has = ranges[i].first < 10 ? 1 : ranges[i].first < 100 ? 2 : 3;
        unsigned size = (unsigned)ranges[i].last - ranges[i].first + 1;

        if (has != digits)
            continue;
        if (index < size)
            return (uint8_t)(ranges[i].first + index);
        index -= size;
    }
    return value;
}

static const struct range any_octet[] = { { 0, 9 }, { 10, 99 }, { 100, 255 } };
/* Public networks none of whose parts is special. */
static const struct range first_octets[] = {
    { 1, 9 }, { 11, 99 }, { 101, 126 }, { 128, 168 }, { 170, 171 }, { 173, 191 }, { 193, 197 },
    { 199, 202 }, { 204, 223 },
};
/* The second octet where part of the first is special: 100.64/10 is shared, 169.254/16 local,
 * 172.16/12 and 192.168/16 private. */
static const struct range shared[] = { { 64, 99 }, { 100, 127 } };
static const struct range private_172[] = { { 16, 31 } };
static const struct range beside_100[] = { { 0, 9 }, { 10, 63 }, { 128, 255 } };
static const struct range beside_169[] = { { 0, 9 }, { 10, 99 }, { 100, 253 }, { 255, 255 } };
static const struct range beside_172[] = { { 0, 9 }, { 10, 15 }, { 32, 99 }, { 100, 255 } };
static const struct range beside_192[] = { { 0, 9 }, { 10, 99 }, { 100, 167 }, { 169, 255 } };

#define WITHIN(k, context, value, ranges) within(k, context, value, ranges, ARRAY_LEN(ranges))

static uint8_t second_octet(const struct mask_key *k, uint64_t context, uint8_t first, uint8_t v)
{
    switch (first) {
    case 100:
        return v >= 64 && v <= 127 ? WITHIN(k, context, v, shared)
                                   : WITHIN(k, context, v, beside_100);
    case 169:
        return v == 254 ? v : WITHIN(k, context, v, beside_169);
    case 172:
        return v >= 16 && v <= 31 ? WITHIN(k, context, v, private_172)
                                  : WITHIN(k, context, v, beside_172);
    case 192:
        return v == 168 ? v : WITHIN(k, context, v, beside_192);
    default:
        return WITHIN(k, context, v, any_octet);
    }
}

/* 0.0.0.0/8 says "none" (on hold), 127/8 "myself", 224/3 who all is meant. */
static void mask_ip4(const struct mask_key *k, uint8_t ip[4])
{
    uint8_t out[4];

    if (ip[0] == 0 || ip[0] == 127 || ip[0] >= 224)
        return;
    for (size_t i = 0; i < 4; i++) {
        uint64_t context = prf(k, OF_OCTET, ip, i);

        out[i] = i == 0 ? WITHIN(k, context, ip[0], first_octets)
               : i == 1 ? second_octet(k, context, ip[0], ip[1])
                        : WITHIN(k, context, ip[i], any_octet);
    }
    memcpy(ip, out, 4);
}

/* A byte of a group that keeps its hexadecimal digits: the high one with `high` true. */
static uint8_t group_byte(const struct mask_key *k, uint64_t context, uint8_t v, bool leading)
{
    if (!leading)
        return (uint8_t)cycled(k, context, v, 256);
    if (v == 0)
        return 0;
    return v < 16 ? (uint8_t)(1 + cycled(k, context + 1, v - 1u, 15))
                  : (uint8_t)(16 + cycled(k, context + 2, v - 16u, 240));
}

static void mask_ip6(const struct mask_key *k, uint8_t ip[16])
{
    static const uint8_t zeros[16], around_ip4[][12] = {
        { [10] = 0xff, 0xff }, { 0x00, 0x64, 0xff, 0x9b }, { 0 },    /* mapped, NAT64, old */
    };
    uint8_t out[16];

    if (memcmp(ip, zeros, 15) == 0)       /* :: and ::1 */
        return;
    for (size_t i = 0; i < ARRAY_LEN(around_ip4); i++)
        if (memcmp(ip, around_ip4[i], 12) == 0) {
            mask_ip4(k, ip + 12);
            return;
        }
    bool local = (ip[0] == 0xfe && (ip[1] & 0x80)) || ip[0] == 0xff;

    for (size_t i = 0; i < 16; i++) {
        uint64_t context = prf(k, OF_GROUP, ip, i);
        bool high = i % 2 == 0;

        if (i < 2 && local)
            out[i] = ip[i];
        else if (i == 0 && (ip[0] & 0xe0) == 0x20)
            out[i] = (uint8_t)(0x20 + cycled(k, context, ip[0] - 0x20u, 32));
        else if (i == 0 && (ip[0] & 0xfe) == 0xfc)
            out[i] = ip[i];
        else if (high)
            out[i] = group_byte(k, context, ip[i], true);
        else
            out[i] = group_byte(k, context, ip[i], ip[i - 1] == 0);
    }
    memcpy(ip, out, 16);
}

static void mask_ip_anew(const struct mask_key *k, uint8_t *ip, uint8_t family)
{
    if (family == 4)
        mask_ip4(k, ip);
    else if (family == 6)
        mask_ip6(k, ip);
}

/* A capture has few addresses and each of them very often. */
void mask_ip(const struct mask_key *k, uint8_t *ip, uint8_t family)
{
    size_t len = family == 4 ? 4 : 16;
    uint32_t mixed = family;

    if (!k->cache || (family != 4 && family != 6)) {
        mask_ip_anew(k, ip, family);
        return;
    }
    for (size_t i = 0; i < len; i++)
        mixed = (mixed ^ ip[i]) * 0x01000193u;
    uint8_t *in = k->cache->slots[(mixed ^ mixed >> 15) % MASK_CACHE_SLOTS].in;
    uint8_t *out = k->cache->slots[(mixed ^ mixed >> 15) % MASK_CACHE_SLOTS].out;
    uint8_t *known = &k->cache->slots[(mixed ^ mixed >> 15) % MASK_CACHE_SLOTS].family;

    if (*known != family || memcmp(in, ip, len) != 0) {
        memcpy(in, ip, len);
        memcpy(out, ip, len);
        mask_ip_anew(k, out, family);
        *known = family;
    }
    memcpy(ip, out, len);
}

struct address mask_address(const struct mask_key *k, const struct address *a)
{
    struct address masked = *a;

    mask_ip(k, masked.ip, a->family);
    return masked;
}

static void put_decimal(char *at, size_t len, unsigned v)
{
    for (; len > 0; v /= 10)
        at[--len] = (char)('0' + v % 10);
}

static void put_hex(char *at, size_t len, unsigned v)
{
    static const char lower[] = "0123456789abcdef";
    bool upper = false;

    for (size_t i = 0; i < len; i++)
        upper |= at[i] >= 'A' && at[i] <= 'F';
    for (; len > 0; v >>= 4) {
        char c = lower[v & 15];

        at[--len] = upper && c >= 'a' ? (char)(c & ~0x20) : c;
    }
}

/* Octets keep their digits, so each is written over itself. */
static void ip4_write(char *at, size_t len, const uint8_t ip[4])
{
    for (size_t i = 0, n = 0; i < len && n < 4; n++) {
        size_t begin = i;

        while (i < len && is_digit(at[i]))
            i++;
        put_decimal(at + begin, i - begin, ip[n]);
        i++;
    }
}

/* With dashes only what could be the address of somebody: 0-30-12-34 is rather a number. */
size_t mask_quad(const struct mask_key *k, char *at, size_t len)
{
    uint8_t ip[4];
    char dot = 0;
    size_t i = 0;

    for (size_t n = 0; n < 4; n++) {
        unsigned value = 0;
        size_t begin = i;

        for (; i < len && is_digit(at[i]) && i - begin < 3; i++)
            value = value * 10 + (unsigned)(at[i] - '0');
        if (i == begin || value > 255 || (i - begin > 1 && at[begin] == '0'))
            return 0;
        ip[n] = (uint8_t)value;
        if (n == 3)
            break;
        if (i == len || (at[i] != '.' && at[i] != '-') || (dot && at[i] != dot))
            return 0;
        dot = at[i++];
    }
    if (i < len && (is_digit(at[i]) || (at[i] == dot && i + 1 < len && is_digit(at[i + 1]))))
        return 0;
    if (dot == '-' && (ip[0] == 0 || ip[0] == 127 || ip[0] >= 224))
        return 0;
    mask_ip(k, ip, 4);
    ip4_write(at, i, ip);
    return i;
}

/* Groups likewise; those that :: stands for are 0 and stay so. */
static void ip6_write(char *at, size_t len, const uint8_t ip[16])
{
    size_t before = 0, total = 0, group = 0;
    bool gap = false, dotted = memchr(at, '.', len) != NULL;

    for (size_t i = 0; i < len; i++) {
        total += is_hex(at[i]) && (i == 0 || at[i - 1] == ':');
        if (at[i] == ':' && i + 1 < len && at[i + 1] == ':' && !gap) {
            gap = true;
            before = total;
        }
    }
    total += dotted;
    for (size_t i = 0, n = 0; i < len;) {
        size_t begin = i;

        if (!is_hex(at[i])) {
            i++;
            continue;
        }
        while (i < len && is_hex(at[i]))
            i++;
        group = gap && n >= before ? 8 - total + n : n;
        if (i < len && at[i] == '.') {
            ip4_write(at + begin, len - begin, ip + 12);
            return;
        }
        if (group < 8)
            put_hex(at + begin, i - begin, (unsigned)ip[2 * group] << 8 | ip[2 * group + 1]);
        n++;
    }
}

bool mask_ip_text(const struct mask_key *k, char *at, size_t len)
{
    struct address a;

    if (len == 0 || !address_parse_ip(slice_of(at, len), &a))
        return false;
    mask_ip(k, a.ip, a.family);
    if (at[0] == '[')
        at++, len -= 2;
    if (a.family == 4)
        ip4_write(at, len, a.ip);
    else
        ip6_write(at, len, a.ip);
    return true;
}

void mask_mac(const struct mask_key *k, uint8_t mac[6])
{
    static const uint8_t zeros[6], ones[6] = { 255, 255, 255, 255, 255, 255 };
    uint64_t r = prf(k, OF_MAC, mac, 6);

    if (memcmp(mac, zeros, 6) == 0 || memcmp(mac, ones, 6) == 0)
        return;
    mac[0] = (uint8_t)((mac[0] & 3) | (r & 0xfc));
    for (size_t i = 1; i < 6; i++)
        mac[i] = (uint8_t)(r >> (8 * i));
}

/* ---- hosts ----------------------------------------------------------------------------------- */

static bool label_stays(slice label)
{
    static const slice staying[] = {
        SLICE_INIT("localhost"), SLICE_INIT("invalid"), SLICE_INIT("anonymous"),
        SLICE_INIT("local"), SLICE_INIT("3gppnetwork"), SLICE_INIT("ims"), SLICE_INIT("epc"),
    };

    for (size_t i = 0; i < ARRAY_LEN(staying); i++)
        if (slice_eq_nocase(label, staying[i]))
            return true;
    return false;
}

/* The end of a name that everybody's has: a country, or what stands for no owner. */
static bool top_stays(slice label)
{
    static const slice staying[] = {
        SLICE_INIT("com"), SLICE_INIT("net"), SLICE_INIT("org"), SLICE_INIT("edu"), SLICE_INIT("gov"),
        SLICE_INIT("mil"), SLICE_INIT("int"), SLICE_INIT("info"), SLICE_INIT("biz"), SLICE_INIT("arpa"),
        SLICE_INIT("name"), SLICE_INIT("test"), SLICE_INIT("example"), SLICE_INIT("lan"),
        SLICE_INIT("home"), SLICE_INIT("corp"), SLICE_INIT("internal"), SLICE_INIT("intranet"),
        SLICE_INIT("localdomain"),
    };

    for (size_t i = 0; i < ARRAY_LEN(staying); i++)
        if (slice_eq_nocase(label, staying[i]))
            return true;
    return label.len == 2 && is_letter(label.ptr[0]) && is_letter(label.ptr[1]);
}

/* "mnc001": the letters say what the digits mean. */
static void mask_label(const struct mask_key *k, char *at, size_t len)
{
    slice label = slice_of(at, len);

    if (len == 6 && (slice_starts_nocase(label, SLICE("mnc")) || slice_starts_nocase(label, SLICE("mcc")))) {
        mask_word(k, at + 3, 3);
        return;
    }
    mask_words(k, at, len);
}

void mask_host(const struct mask_key *k, char *at, size_t len)
{
    bool several;

    while (len && at[len - 1] == '.')
        len--;
    if (len == 0 || mask_ip_text(k, at, len))
        return;
    several = memchr(at, '.', len) != NULL;
    for (size_t i = 0; i < len;) {
        size_t begin = i, quad = 0;

        while (i < len && at[i] != '.' && !quad) {
            if (is_digit(at[i]) && (i == begin || !is_digit(at[i - 1])))
                quad = mask_quad(k, at + i, len - i);
            i += !quad;
        }
        slice label = slice_of(at + begin, i - begin);

        if (!label_stays(label) && !(several && i == len && top_stays(label)))
            mask_label(k, at + begin, label.len);
        i += quad ? quad : 1;
    }
}
