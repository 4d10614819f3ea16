/* mask/sweep.c - finds in any text what must not be read: addresses, numbers, hosts, known words.
 * SPDX-License-Identifier: Apache-2.0 */
#include "mask/letters.h"
#include "mask/text_int.h"

#define DIGITS_LEAST  4u             /* so many digits in a row may be a number */
#define INNER_DIGITS  5u             /* the same between letters, in text that is no identifier */
#define PRODUCT_DIGITS 9u            /* no version has so many */
#define WRITTEN_DIGITS 7u            /* in groups, a number: "030 123-456"; a date has them, too */
#define WRITTEN_LEN   64u            /* a longer row of digits and blanks is several */
#define LETTERS_LEAST 3u             /* so many letters in a row may be a name */

static bool is_host_char(char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_'; }

/* ---- words that were seen -------------------------------------------------------------------- */

static uint64_t word_hash(const struct mask_text *t, slice word)
{
    char lower[64];
    size_t len = word.len < sizeof lower ? word.len : sizeof lower;

    for (size_t i = 0; i < len; i++)
        lower[i] = ascii_lower(word.ptr[i]);
    return hash_bytes(&t->key.seed, lower, len) | 1;       /* 0 is an empty slot */
}

static void remember_one(struct mask_text *t, slice word)
{
    uint64_t h = word_hash(t, word);

    for (size_t i = 0; i < MASK_SEEN_TRIES; i++) {
        uint64_t *slot = &t->seen[(h + i) % MASK_SEEN_SLOTS];

        if (*slot == h)
            return;
        if (*slot == 0) {
            *slot = h;
            return;
        }
    }
    t->seen[(h + (h >> 32) % MASK_SEEN_TRIES) % MASK_SEEN_SLOTS] = h;
}

static bool is_seen(const struct mask_text *t, slice word)
{
    if (word.len < MASK_SEEN_LEAST)
        return false;
    uint64_t h = word_hash(t, word);

    for (size_t i = 0; i < MASK_SEEN_TRIES; i++)
        if (t->seen[(h + i) % MASK_SEEN_SLOTS] == h)
            return true;
    return false;
}

/* Next run of letters and digits; false at the end. */
static bool take_word(slice *rest, slice *ret)
{
    while (rest->len && !is_alnum(rest->ptr[0]) && (uint8_t)rest->ptr[0] < 0x80) {
        *rest = slice_skip(*rest, is_escape(rest->ptr, rest->len) ? 3 : 1);
    }
    size_t len = 0;

    while (len < rest->len && (is_alnum(rest->ptr[len]) || (uint8_t)rest->ptr[len] >= 0x80))
        len++;
    *ret = slice_head(*rest, len);
    *rest = slice_skip(*rest, len);
    return len > 0;
}

void mask_remember(struct mask_text *t, slice words)
{
    slice word;

    while (take_word(&words, &word))
        if (word.len >= MASK_SEEN_LEAST)
            remember_one(t, word);
}

/* Addresses as words of their own: a version of software looks like one. */
void mask_remember_addresses(struct mask_text *t, slice text)
{
    for (size_t i = 0, begin; i < text.len; i++) {
        size_t dots = 0;

        for (begin = i; i < text.len && (is_digit(text.ptr[i]) || text.ptr[i] == '.'); i++)
            dots += text.ptr[i] == '.';
        if (dots == 3 && i - begin >= 7)
            remember_one(t, slice_of(text.ptr + begin, i - begin));
    }
}

/* ---- what stands at a place; each returns the bytes it used, 0: nothing of its kind -------------- */

/* In the name of a program only an address that was seen: a version looks like one. */
static size_t ip4_at(struct mask_text *t, slice s, size_t at, enum mask_sweep how)
{
    size_t len = 0;

    if (at > 0 && (is_digit(s.ptr[at - 1]) ||
                   (s.ptr[at - 1] == '.' && at > 1 && is_digit(s.ptr[at - 2]))))
        return 0;
    while (at + len < s.len && len < 15 && (is_digit(s.ptr[at + len]) || s.ptr[at + len] == '.'))
        len++;
    if (how == MASK_SWEEP_PRODUCT && !is_seen(t, slice_of(s.ptr + at, len)))
        return 0;
    return mask_quad(&t->key, mask_own(s) + at, s.len - at);
}

static bool is_mac(slice s)
{
    if (s.len != 17)
        return false;
    for (size_t i = 0; i < 17; i++)
        if (i % 3 == 2 ? s.ptr[i] != ':' && s.ptr[i] != '-' : !is_hex(s.ptr[i]))
            return false;
    return true;
}

/* IPv6, or a MAC address with colons or dashes. */
static size_t colons_at(struct mask_text *t, slice s, size_t at)
{
    size_t len = 0, colons = 0;
    slice mac = slice_head(slice_skip(s, at), 17);

    if (at > 0 && (is_alnum(s.ptr[at - 1]) || s.ptr[at - 1] == ':' || s.ptr[at - 1] == '.'))
        return 0;
    if (is_mac(mac) && (at + 17 == s.len || !is_alnum(s.ptr[at + 17]))) {
        mask_blob(&t->key, mask_own(mac), 17);
        return 17;
    }
    while (at + len < s.len && len < 64 &&
           (is_hex(s.ptr[at + len]) || s.ptr[at + len] == ':' || s.ptr[at + len] == '.'))
        colons += s.ptr[at + len++] == ':';
    while (len && (s.ptr[at + len - 1] == '.' ||
                   (s.ptr[at + len - 1] == ':' && !(len > 1 && s.ptr[at + len - 2] == ':'))))
        len--;
    if (colons < 2 || (at + len < s.len && is_alnum(s.ptr[at + len])))
        return 0;
    return mask_ip_text(&t->key, mask_own(s) + at, len) ? len : 0;
}

/* A port behind an address or host is no number. */
static size_t port_behind(slice s, size_t at)
{
    size_t len = 1;

    if (at < s.len && s.ptr[at] == ']')
        return 1 + port_behind(s, at + 1);
    if (at >= s.len || s.ptr[at] != ':')
        return 0;
    while (at + len < s.len && is_digit(s.ptr[at + len]))
        len++;
    return len > 1 && len <= 6 ? len : 0;
}

static bool is_uri_end(char c)
{
    return is_blank(c) || c == '"' || c == '<' || c == '>' || c == '\'' || c == ',' || c == '\0' ||
           c == ')' || c == '\\';
}

static size_t uri_at(struct mask_text *t, slice s, size_t at)
{
    static const slice schemes[] = {
        SLICE_INIT("sip:"), SLICE_INIT("sips:"), SLICE_INIT("tel:"), SLICE_INIT("mailto:"),
        SLICE_INIT("im:"), SLICE_INIT("pres:"),
    };
    slice rest = slice_skip(s, at);
    size_t len = 0;

    if (at > 0 && is_alnum(s.ptr[at - 1]))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(schemes) && len == 0; i++)
        if (slice_starts_nocase(rest, schemes[i]))
            len = schemes[i].len;
    if (len == 0)
        return 0;
    while (len < rest.len && !is_uri_end(rest.ptr[len]) && rest.ptr[len] != ';')
        len++;
    mask_uri(t, slice_head(rest, len));
    return len;
}

/* user@host, a host with a dot, or a run of them. `at` begins a word. */
static size_t host_at(struct mask_text *t, slice s, size_t at)
{
    size_t len = 0, host = 0, end;
    bool dots = false, letters;

    if (at > 0 && is_host_char(s.ptr[at - 1]))
        return 0;
    while (at + len < s.len && (is_host_char(s.ptr[at + len]) || s.ptr[at + len] == '+'))
        len++;
    if (at + len < s.len && s.ptr[at + len] == '@') {
        slice user = slice_of(s.ptr + at, len);

        host = ++len;
        while (at + len < s.len && is_host_char(s.ptr[at + len]))
            len++;
        if (len > host) {
            mask_user(t, user);
            mask_host(&t->key, mask_own(s) + at + host, len - host);
            return len + port_behind(s, at + len);
        }
        return 0;
    }
    for (end = len; end && !is_alnum(s.ptr[at + end - 1]); end--)
        ;
    size_t last = end;

    while (last && s.ptr[at + last - 1] != '.')
        last--;
    letters = end - last >= 2;
    for (size_t i = last; i < end; i++)
        letters &= is_letter(s.ptr[at + i]);
    for (size_t i = 0; i < end; i++)
        dots |= s.ptr[at + i] == '.';
    if (!dots || !letters)
        return 0;
    mask_host(&t->key, mask_own(s) + at, end);
    return end + port_behind(s, at + end);
}

/* Runs within a word of an identifier: long ones are masked, each by itself, so that two
 * identifiers of which one is the beginning or end of the other mostly stay so. `all`: short
 * ones, too. */
static void mask_runs(struct mask_text *t, char *own, size_t len, size_t digits_least,
                      size_t letters_least, bool all)
{
    for (size_t i = 0, begin; i < len;) {
        begin = i;
        if (is_digit(own[i])) {
            while (i < len && is_digit(own[i]))
                i++;
            if (i - begin >= digits_least)
                mask_number(&t->key, own + begin, i - begin);
            else if (all)
                mask_short(&t->key, own + begin, i - begin);
        } else {
            while (i < len && !is_digit(own[i]))
                i++;
            if (i - begin >= letters_least)
                mask_word(&t->key, own + begin, i - begin);
            else if (all)
                mask_short(&t->key, own + begin, i - begin);
        }
    }
}

/* A plus before a number says that a country code follows. */
static void mask_digits_at(struct mask_text *t, slice s, size_t at, size_t len)
{
    size_t plus = at >= 1 && s.ptr[at - 1] == '+' ? 1
                : at >= 3 && slice_eq_nocase(slice_of(s.ptr + at - 3, 3), SLICE("%2B")) ? 3 : 0;

    mask_number(&t->key, mask_own(s) + at - plus, len + plus);
}

static bool is_between_digits(char c) { return c != '\0' && strchr(" -./()", c); }

/* A number as people write it, "+49 (0)30 123-456": groups of digits, two signs at the most
 * between them. Its bytes, 0: none. */
static size_t written_number(slice s, size_t at, size_t *ret_digits, bool *ret_blanks_only)
{
    size_t i = at, end = at, digits = 0, groups = 0;
    bool blanks_only = true;

    if (at > 0 && (is_alnum(s.ptr[at - 1]) || (uint8_t)s.ptr[at - 1] >= 0x80))
        return 0;
    while (i < s.len && i - at < 2 && (s.ptr[i] == '+' || s.ptr[i] == '('))
        i++;
    for (size_t gap = 0; gap <= 2 && i - at < WRITTEN_LEN;) {
        size_t begin = i;

        while (i < s.len && is_digit(s.ptr[i]))
            i++;
        if (i == begin || (i < s.len && (is_letter(s.ptr[i]) || (uint8_t)s.ptr[i] >= 0x80)))
            break;
        digits += i - begin;
        groups++;
        for (size_t j = end; end > at && j < begin; j++)
            blanks_only &= s.ptr[j] == ' ';
        end = i;
        for (gap = 0; i < s.len && is_between_digits(s.ptr[i]); gap++)
            i++;
    }
    *ret_digits = digits;
    *ret_blanks_only = blanks_only;
    return groups > 1 ? end - at : 0;
}

/* In a text of people every such number; elsewhere one that is long and looks dialled. */
static size_t number_at(struct mask_text *t, slice s, size_t at, bool of_people)
{
    size_t digits, len;
    bool blanks_only;

    if (!is_digit(s.ptr[at]) && s.ptr[at] != '+' && s.ptr[at] != '(')
        return 0;
    len = written_number(s, at, &digits, &blanks_only);
    if (!len || digits <= MASK_NUMBER_SHORT)
        return 0;
    if (!of_people && (digits < WRITTEN_DIGITS || (blanks_only && is_digit(s.ptr[at]) && s.ptr[at] != '0')))
        return 0;
    mask_number(&t->key, mask_own(s) + at, len);
    return len;
}

/* A run of letters and digits from its first byte on. */
static size_t word_at(struct mask_text *t, slice s, size_t at, enum mask_sweep how)
{
    bool digits = true, hex = true;
    size_t len = 0;

    for (; at + len < s.len && (is_alnum(s.ptr[at + len]) || (uint8_t)s.ptr[at + len] >= 0x80); len++) {
        digits &= is_digit(s.ptr[at + len]);
        hex &= is_hex(s.ptr[at + len]);
    }
    slice word = slice_of(s.ptr + at, len);
    char *own = mask_own(word);

    size_t least = how == MASK_SWEEP_PRODUCT && !is_seen(t, word) ? PRODUCT_DIGITS : DIGITS_LEAST;
    bool id = how == MASK_SWEEP_ID || how == MASK_SWEEP_CALL_ID;

    if (digits && len >= least)
        mask_digits_at(t, s, at, len);
    else if (how == MASK_SWEEP_PRODUCT)
        hex && len == 12 ? mask_blob(&t->key, own, len)
                         : mask_runs(t, own, len, PRODUCT_DIGITS, SIZE_MAX, false);
    else if (id)
        mask_runs(t, own, len, DIGITS_LEAST, LETTERS_LEAST, how == MASK_SWEEP_CALL_ID);
    else if (!digits && is_seen(t, word))
        mask_word(&t->key, own, len);
    else if (hex && len == 12)
        mask_blob(&t->key, own, len);         /* a MAC address without colons */
    else
        mask_runs(t, own, len, INNER_DIGITS, SIZE_MAX, false);
    return len;
}

/* An address right behind the beginning of a word: "z9hG4bK10.0.0.1" is handled by looking at
 * every digit, not only where words begin. */
static size_t address_at(struct mask_text *t, slice s, size_t at, enum mask_sweep how)
{
    size_t used = 0;

    if (is_digit(s.ptr[at]))
        used = ip4_at(t, s, at, how);
    if (!used && (is_hex(s.ptr[at]) || s.ptr[at] == ':'))
        used = colons_at(t, s, at);
    return used ? used + port_behind(s, at + used) : 0;
}

/* Where the next address begins within a word, so that the word ends there. */
static bool word_holds_address(slice s, size_t at, size_t *ret)
{
    for (size_t i = at + 1; i < s.len && is_alnum(s.ptr[i]); i++) {
        size_t dots = 0, j = i;

        if (!is_digit(s.ptr[i]) || is_digit(s.ptr[i - 1]))
            continue;
        while (j < s.len && j - i < 16 && (is_digit(s.ptr[j]) || s.ptr[j] == '.'))
            dots += s.ptr[j++] == '.';
        if (dots >= 3) {
            *ret = i;
            return true;
        }
    }
    return false;
}

size_t mask_word_len(slice s, size_t at)
{
    size_t len = 0, inner;

    while (at + len < s.len && (is_alnum(s.ptr[at + len]) || (uint8_t)s.ptr[at + len] >= 0x80))
        len++;
    return len && word_holds_address(s, at, &inner) && inner < at + len ? inner - at : len;
}

size_t mask_address_or_number_at(struct mask_text *t, slice s, size_t at)
{
    size_t used = address_at(t, s, at, MASK_SWEEP_FREE);

    return used ? used : number_at(t, s, at, true);
}

/* Hosts before addresses: a name may begin with one. */
void mask_sweep(struct mask_text *t, slice s, enum mask_sweep how)
{
    for (size_t at = 0; at < s.len;) {
        size_t used = 0, inner;

        if (how >= MASK_SWEEP_FREE && is_letter(s.ptr[at]))
            used = uri_at(t, s, at);
        if (!used && how >= MASK_SWEEP_FREE && is_alnum(s.ptr[at]))
            used = host_at(t, s, at);
        if (!used)
            used = address_at(t, s, at, how);
        if (!used && how == MASK_SWEEP_FREE)
            used = number_at(t, s, at, false);
        if (!used && is_escape(s.ptr + at, s.len - at))
            used = 3;
        if (!used && (is_alnum(s.ptr[at]) || (uint8_t)s.ptr[at] >= 0x80)) {
            slice upto = word_holds_address(s, at, &inner) ? slice_head(s, inner) : s;

            used = word_at(t, upto, at, how);
        }
        at += used ? used : 1;
    }
}
