/* switch/config_values.c - the values of settings: times, sizes, lists and so on.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/uri.h"
#include "switch/config_int.h"

/* ---- numbers with a unit ---- */

struct unit { const char *name; int64_t times; };
static const struct unit time_units[] = {
    { "d", 86400000000000ll }, { "h", 3600000000000ll }, { "min", 60000000000ll }, { "s", 1000000000ll }, { "ms", 1000000ll },
};
static const struct unit size_units[] = { { "GiB", 1ll << 30 }, { "MiB", 1ll << 20 }, { "KiB", 1ll << 10 }, { "B", 1 } };
static const struct unit rate_units[] = {
    { "h", 3600000000000ll }, { "min", 60000000000ll }, { "s", 1000000000ll },
};

static bool find_unit(slice name, const struct unit *units, size_t count, int64_t *ret)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq_nocase(name, slice_of_string(units[i].name))) {
            *ret = units[i].times;
            return true;
        }
    return false;
}

static bool read_with_unit(slice value, const struct unit *units, size_t count, int64_t *ret)
{
    uint64_t number;
    int64_t times, whole;

    if (!slice_take_u64(&value, &number) || number > INT64_MAX)
        return false;
    if (!find_unit(slice_trim(value), units, count, &times))
        return false;
    if (__builtin_mul_overflow((int64_t)number, times, &whole))
        whole = INT64_MAX;                                /* out of every range */
    *ret = whole;
    return true;
}

static size_t put_text(char text[CONFIG_VALUE_MAX], size_t at, const char *more)
{
    size_t len = strlen(more);

    memcpy(text + at, more, len + 1);
    return at + len;
}

static size_t put_number(char text[CONFIG_VALUE_MAX], size_t at, uint64_t number)
{
    char digits[20];
    size_t n = 0;

    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10));
    while (n)
        text[at++] = digits[--n];
    text[at] = '\0';
    return at;
}

/* In the largest unit that leaves no fraction; 90 s, which is no whole number of minutes. */
static size_t put_with_unit(char text[CONFIG_VALUE_MAX], int64_t number, const struct unit *units, size_t count)
{
    size_t i = number == 0 ? 3 : 0;                       /* 0 s, 0 B */

    while (i + 1 < count && number && number % units[i].times != 0)
        i++;
    return put_text(text, put_text(text, put_number(text, 0, (uint64_t)(number / units[i].times)), " "), units[i].name);
}

size_t config_format(enum setting_type type, int64_t number, char text[CONFIG_VALUE_MAX])
{
    if (type == SETTING_TIME)
        return put_with_unit(text, number, time_units, ARRAY_LEN(time_units));
    if (type == SETTING_BYTES)
        return put_with_unit(text, number, size_units, ARRAY_LEN(size_units));
    return put_number(text, 0, (uint64_t)number);
}

/* ---- refusing ---- */

static bool refuse(struct value_place *p, enum text_id wrong, slice item, slice near)
{
    p->wrong = wrong, p->item = item, p->near = near;
    return false;
}

static bool no_memory(struct value_place *p)
{
    p->no_memory = true;
    return false;
}

static bool keep(struct value_place *p, slice text, slice *ret)
{
    slice kept = arena_slice(p->arena, text);

    if (!kept.ptr)
        return no_memory(p);
    *ret = kept;
    return true;
}

static bool keep_lower(struct value_place *p, slice text, slice *ret)
{
    char *at = arena_alloc(p->arena, text.len + 1);

    if (!at)
        return no_memory(p);
    for (size_t i = 0; i < text.len; i++)
        at[i] = ascii_lower(text.ptr[i]);
    at[text.len] = '\0';
    *ret = slice_of(at, text.len);
    return true;
}

static slice example_of(const struct setting *s)
{
    return slice_of_string(s->example ? s->example : s->standard);
}

static bool in_range(struct value_place *p, slice value, int64_t number)
{
    if (number < p->setting->min || number > p->setting->max)
        return refuse(p, TEXT_CONFIG_WRONG_RANGE, value, (slice){ 0 });
    return true;
}

/* ---- single values ---- */

static bool parse_bool(struct value_place *p, slice value)
{
    static const struct { slice word; bool yes; } words[] = {
        { SLICE_INIT("yes"), true }, { SLICE_INIT("no"), false }, { SLICE_INIT("on"), true }, { SLICE_INIT("off"), false },
        { SLICE_INIT("true"), true }, { SLICE_INIT("false"), false },
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (slice_eq_nocase(value, words[i].word)) {
            *(bool *)p->field = words[i].yes;
            return true;
        }
    return refuse(p, TEXT_CONFIG_WRONG_BOOL, value, (slice){ 0 });
}

static bool parse_count(struct value_place *p, slice value)
{
    slice rest = value;
    uint64_t number;

    if (!slice_all(value, is_digit))
        return refuse(p, TEXT_CONFIG_WRONG_COUNT, value, (slice){ 0 });
    if (!slice_take_u64(&rest, &number) || number > INT64_MAX)
        number = INT64_MAX;
    if (!in_range(p, value, (int64_t)number))
        return false;
    *(uint32_t *)p->field = (uint32_t)number;
    return true;
}

static bool parse_time(struct value_place *p, slice value)
{
    int64_t ns;

    if (!read_with_unit(value, time_units, ARRAY_LEN(time_units), &ns))
        return refuse(p, TEXT_CONFIG_WRONG_TIME, value, example_of(p->setting));
    if (!in_range(p, value, ns))
        return false;
    *(int64_t *)p->field = ns;
    return true;
}

static bool parse_bytes(struct value_place *p, slice value)
{
    int64_t bytes;

    if (!read_with_unit(value, size_units, ARRAY_LEN(size_units), &bytes))
        return refuse(p, TEXT_CONFIG_WRONG_BYTES, value, example_of(p->setting));
    if (!in_range(p, value, bytes))
        return false;
    *(uint64_t *)p->field = (uint64_t)bytes;
    return true;
}

static bool parse_rate(struct value_place *p, slice value)
{
    slice rest = value;
    uint64_t number;
    int64_t per_ns;

    if (!slice_take_u64(&rest, &number))
        return refuse(p, TEXT_CONFIG_WRONG_RATE, value, example_of(p->setting));
    rest = slice_trim(rest);
    if (!slice_take_char(&rest, '/') || !find_unit(slice_trim(rest), rate_units, ARRAY_LEN(rate_units), &per_ns))
        return refuse(p, TEXT_CONFIG_WRONG_RATE, value, example_of(p->setting));
    if (!in_range(p, value, number > INT64_MAX ? INT64_MAX : (int64_t)number))
        return false;
    *(struct config_rate *)p->field = (struct config_rate){ (uint32_t)number, per_ns };
    return true;
}

static bool parse_text(struct value_place *p, slice value)
{
    bool may_be_empty = p->setting->standard != NULL && p->setting->type == SETTING_TEXT;

    if (value.len > CONFIG_TEXT_VALUE_MAX || (!value.len && !may_be_empty))
        return refuse(p, TEXT_CONFIG_WRONG_TEXT, value, (slice){ 0 });
    return keep(p, value, p->field);
}

static bool parse_digits(struct value_place *p, slice value)
{
    if ((int64_t)value.len < p->setting->min || (int64_t)value.len > p->setting->max ||
        (value.len && !slice_all(value, is_digit)))
        return refuse(p, TEXT_CONFIG_WRONG_DIGITS, value, (slice){ 0 });
    return keep(p, value, p->field);
}

static bool is_host_char(char c)
{
    return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '-' || c == '.' || c == '_';
}

/* A name that DNS could know: labels of 1 to 63, no dash at their ends, not a number alone. */
static bool is_domain(slice name)
{
    struct address a;
    slice rest = name, label = { 0 };

    if (address_parse_ip(name, &a))
        return true;
    if (name.len == 0 || name.len > 253 || !slice_all(name, is_host_char))
        return false;
    do {
        label = slice_take_until(&rest, '.');
        if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
            return false;
    } while (slice_take_char(&rest, '.'));
    return !slice_all(label, is_digit);                   /* 192.0.2.300 */
}

static bool parse_domain(struct value_place *p, slice value)
{
    if (!is_domain(value))
        return refuse(p, TEXT_CONFIG_WRONG_DOMAIN, value, (slice){ 0 });
    return keep_lower(p, value, p->field);
}

static bool parse_address(struct value_place *p, slice value)
{
    struct address a;

    if (!address_parse_ip(value, &a))
        return refuse(p, TEXT_CONFIG_WRONG_ADDRESS, value, (slice){ 0 });
    *(struct address *)p->field = a;
    return true;
}

/* host, host:port, 2001:db8::1, [2001:db8::1]:5060 */
static bool parse_host(struct value_place *p, slice value)
{
    struct config_host host = { 0 };
    slice name = value;
    uint32_t port = 0;
    ptrdiff_t colon = slice_find_char(value, ':');
    bool is_bare_v6 = address_parse_ip(value, &host.address);

    if (!is_bare_v6 && value.len && value.ptr[0] == '[')
        colon = slice_find(value, SLICE("]:")) < 0 ? -1 : slice_find(value, SLICE("]:")) + 1;
    if (!is_bare_v6 && colon >= 0) {
        name = slice_head(value, (size_t)colon);
        if (!slice_to_u32(slice_skip(value, (size_t)colon + 1), &port) || port == 0 || port > 65535)
            return refuse(p, TEXT_CONFIG_WRONG_HOST, value, example_of(p->setting));
        (void)address_parse_ip(name, &host.address);
    }
    if (!is_domain(name))
        return refuse(p, TEXT_CONFIG_WRONG_HOST, value, example_of(p->setting));
    if (name.ptr[0] == '[')
        name = slice_of(name.ptr + 1, name.len - 2);
    host.port = host.address.port = (uint16_t)port;
    if (!keep_lower(p, name, &host.host))
        return false;
    *(struct config_host *)p->field = host;
    return true;
}

static bool find_choice(const struct setting *s, slice value, uint8_t *ret)
{
    for (uint8_t i = 0; s->choices[i]; i++)
        if (slice_eq_nocase(value, slice_of_string(s->choices[i]))) {
            *ret = i;
            return true;
        }
    return false;
}

static bool wrong_choice(struct value_place *p, slice value)
{
    size_t len = 0;

    for (size_t i = 0; p->setting->choices[i]; i++)
        len += strlen(p->setting->choices[i]) + 2;
    char *list = arena_alloc(p->arena, len + 1);

    if (!list)
        return no_memory(p);
    len = 0;
    for (size_t i = 0; p->setting->choices[i]; i++) {
        slice choice = slice_of_string(p->setting->choices[i]);

        if (i)
            list[len++] = ',', list[len++] = ' ';
        memcpy(list + len, choice.ptr, choice.len);
        len += choice.len;
    }
    return refuse(p, TEXT_CONFIG_WRONG_CHOICE, value, slice_of(list, len));
}

static bool parse_choice(struct value_place *p, slice value)
{
    return find_choice(p->setting, value, p->field) || wrong_choice(p, value);
}

/* ---- items of lists ---- */

/* Every list is a pointer and a count: one more item at its end. */
struct list { void *at; size_t count; };
static void *one_more(struct value_place *p, size_t size)
{
    struct list list;

    memcpy(&list, p->field, sizeof list);
    if (list.count == CONFIG_LIST_MAX) {
        refuse(p, TEXT_CONFIG_WRONG_LIST, (slice){ 0 }, (slice){ 0 });
        return NULL;
    }
    if ((list.count & (list.count - 1)) == 0) {           /* room is a power of two */
        void *more = arena_zalloc(p->arena, (list.count ? 2 * list.count : 1) * size);

        if (!more) {
            no_memory(p);
            return NULL;
        }
        if (list.count)
            memcpy(more, list.at, list.count * size);
        list.at = more;
    }
    list.count++;
    memcpy(p->field, &list, sizeof list);
    return (char *)list.at + (list.count - 1) * size;
}

static bool add_word(struct value_place *p, slice word, bool lower)
{
    slice kept, *at;

    if (!(lower ? keep_lower(p, word, &kept) : keep(p, word, &kept)))
        return false;
    if (!(at = one_more(p, sizeof *at)))
        return false;
    *at = kept;
    return true;
}

static bool item_domain(struct value_place *p, slice item)
{
    if (!is_domain(item))
        return refuse(p, TEXT_CONFIG_WRONG_DOMAIN, item, (slice){ 0 });
    return add_word(p, item, true);
}

static bool item_word(struct value_place *p, slice item) { return add_word(p, item, false); }

/* Digits, * and #, with + before them: as sip_number_of gives it. */
static bool number_of(slice text, char buffer[CONFIG_NUMBER_MAX + 1], slice *ret)
{
    slice number = sip_number_of(text, buffer, CONFIG_NUMBER_MAX + 1);

    *ret = number;
    return number.len > 0 && number.len <= CONFIG_NUMBER_MAX && slice_find_char(text, ';') < 0;
}

static bool item_number(struct value_place *p, slice item)
{
    char buffer[CONFIG_NUMBER_MAX + 1];
    slice number;

    if (!number_of(item, buffer, &number) || slice_eq(number, SLICE("+")))
        return refuse(p, TEXT_CONFIG_WRONG_NUMBER, item, (slice){ 0 });
    return add_word(p, number, false);
}

static bool item_prefix(struct value_place *p, slice item)
{
    char buffer[CONFIG_NUMBER_MAX + 1];
    slice number = { 0 };

    if (!slice_eq_nocase(item, SLICE("any")) && !number_of(item, buffer, &number))
        return refuse(p, TEXT_CONFIG_WRONG_PREFIX, item, (slice){ 0 });
    return add_word(p, number, false);
}

/* The address with the bits behind `bits` cleared; true when there were some. */
static bool clear_behind(struct address *a, unsigned bits)
{
    bool any = false;

    for (unsigned i = bits; i < (a->family == 4 ? 32u : 128u); i++) {
        uint8_t bit = (uint8_t)(0x80 >> (i % 8));

        any = any || (a->ip[i / 8] & bit);
        a->ip[i / 8] &= (uint8_t)~bit;
    }
    return any;
}

static bool meant_network(struct value_place *p, slice item, const struct address *a, uint32_t bits)
{
    char text[ADDRESS_TEXT_MAX + CONFIG_VALUE_MAX];
    size_t len = address_format_ip(a, text);
    slice near;

    text[len++] = '/';
    len += put_number(text + len, 0, bits);
    if (!keep(p, slice_of(text, len), &near))
        return false;
    return refuse(p, TEXT_CONFIG_WRONG_NETWORK_BITS, item, near);
}

static bool item_network(struct value_place *p, slice item)
{
    slice rest = item, ip = slice_take_until(&rest, '/');
    struct config_network network = { 0 }, *at;
    uint32_t bits;

    if (!address_parse_ip(ip, &network.ip))
        return refuse(p, TEXT_CONFIG_WRONG_NETWORK, item, (slice){ 0 });
    bits = network.ip.family == 4 ? 32 : 128;
    if (slice_take_char(&rest, '/')) {
        uint32_t given;

        if (!slice_to_u32(rest, &given) || given > bits)
            return refuse(p, TEXT_CONFIG_WRONG_NETWORK, item, (slice){ 0 });
        bits = given;
    }
    network.bits = (uint8_t)bits;
    if (clear_behind(&network.ip, bits))
        return meant_network(p, item, &network.ip, bits);
    if (!(at = one_more(p, sizeof *at)))
        return false;
    *at = network;
    return true;
}

/* What the called side has decided: busy, declined and the like (RFC 3261, 21.6; RFC 8197, 8688). */
static bool is_final(uint32_t code)
{
    return code == 486 || code == 487 || code >= 600;
}

static bool item_code(struct value_place *p, slice item)
{
    struct config_codes *codes = p->field;
    uint32_t code;

    if (slice_eq_nocase(item, SLICE("none")))             /* an empty list, said aloud */
        return true;
    if (slice_eq_nocase(item, SLICE("408-local"))) {
        codes->unanswered = true;
    } else if (slice_eq_nocase(item, SLICE("503-local"))) {
        codes->unreachable = true;
    } else {
        if (!slice_to_u32(item, &code) || code < 300 || code > 699)
            return refuse(p, TEXT_CONFIG_WRONG_CODE, item, (slice){ 0 });
        if (is_final(code))
            return refuse(p, TEXT_CONFIG_WRONG_CODE_FINAL, item, (slice){ 0 });
        codes->bits[code / 64] |= UINT64_C(1) << (code % 64);
    }
    return true;
}

static bool is_pattern_char(char c) { return is_digit(c) || c == '*' || c == '#' || c == '+' || c == 'x'; }

static size_t count_of(slice s, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += s.ptr[i] == c;
    return n;
}

/* A side of a rule: + only in front. */
static bool is_side(slice s)
{
    return s.len <= CONFIG_NUMBER_MAX && (s.len == 0 || slice_all(s, is_pattern_char)) &&
           slice_find_char(slice_skip(s, 1), '+') < 0;
}

static bool item_rule(struct value_place *p, slice item)
{
    ptrdiff_t arrow = slice_find(item, SLICE("->"));
    struct config_rule rule, *at;

    if (arrow < 0)
        return refuse(p, TEXT_CONFIG_WRONG_RULE, item, example_of(p->setting));
    rule.pattern = slice_trim(slice_head(item, (size_t)arrow));
    rule.instead = slice_trim(slice_skip(item, (size_t)arrow + 2));
    if (slice_eq_nocase(rule.pattern, SLICE("any")))
        rule.pattern.len = 0;
    else if (!rule.pattern.len)
        return refuse(p, TEXT_CONFIG_WRONG_RULE, item, example_of(p->setting));
    if (!is_side(rule.pattern) || !is_side(rule.instead))
        return refuse(p, TEXT_CONFIG_WRONG_RULE, item, example_of(p->setting));
    if (count_of(rule.instead, 'x') > count_of(rule.pattern, 'x'))
        return refuse(p, TEXT_CONFIG_WRONG_RULE_DIGITS, item, (slice){ 0 });
    if (!keep(p, rule.pattern, &rule.pattern) || !keep(p, rule.instead, &rule.instead) || !(at = one_more(p, sizeof *at)))
        return false;
    *at = rule;
    return true;
}

static bool item_uri(struct value_place *p, slice item)
{
    const struct config_words *words = p->field;
    struct sip_uri uri;

    if (!sip_uri_parse(item, &uri) || uri.flaw != SIP_FLAW_NONE || slice_find_char(item, ' ') >= 0 ||
        slice_find_char(item, '<') >= 0 || slice_find_char(item, '>') >= 0 || slice_find_char(item, '"') >= 0 ||
        (uri.scheme != SIP_SCHEME_SIP && uri.scheme != SIP_SCHEME_SIPS && uri.scheme != SIP_SCHEME_TEL))
        return refuse(p, TEXT_CONFIG_WRONG_URI, item, example_of(p->setting));
    if ((int64_t)words->count >= p->setting->max)
        return refuse(p, p->setting->max == 1 ? TEXT_CONFIG_WRONG_URI_COUNT : TEXT_CONFIG_WRONG_LIST, item, (slice){ 0 });
    return add_word(p, item, false);
}

static bool item_order(struct value_place *p, slice item)
{
    struct config_order *order = p->field;
    uint8_t choice;

    if (!find_choice(p->setting, item, &choice))
        return wrong_choice(p, item);
    for (size_t i = 0; i < order->count; i++)
        if (order->at[i] == choice)
            return refuse(p, TEXT_CONFIG_WRONG_TWICE, item, (slice){ 0 });
    order->at[order->count++] = choice;
    return true;
}

/* ---- which is which ---- */

static const struct type {
    bool (*parse)(struct value_place *p, slice value);
    bool is_list, splits_at_blanks;
} types[SETTING_TYPES] = {
    [SETTING_BOOL] = { parse_bool, false, false },
    [SETTING_COUNT] = { parse_count, false, false },
    [SETTING_TIME] = { parse_time, false, false },
    [SETTING_BYTES] = { parse_bytes, false, false },
    [SETTING_RATE] = { parse_rate, false, false },
    [SETTING_TEXT] = { parse_text, false, false },
    [SETTING_PATH] = { parse_text, false, false },
    [SETTING_DIGITS] = { parse_digits, false, false },
    [SETTING_DOMAIN] = { parse_domain, false, false },
    [SETTING_CHOICE] = { parse_choice, false, false },
    [SETTING_ADDRESS] = { parse_address, false, false },
    [SETTING_HOST] = { parse_host, false, false },
    [SETTING_ORDER] = { item_order, true, true },
    [SETTING_DOMAINS] = { item_domain, true, true },
    [SETTING_WORDS] = { item_word, true, false },
    [SETTING_NUMBERS] = { item_number, true, false },     /* "030 123 45" is one */
    [SETTING_PREFIXES] = { item_prefix, true, false },
    [SETTING_NETWORKS] = { item_network, true, true },
    [SETTING_CODES] = { item_code, true, true },
    [SETTING_RULES] = { item_rule, true, false },
    [SETTING_URIS] = { item_uri, true, false },
};

bool setting_is_list(enum setting_type type) { return types[type].is_list; }

static bool is_blank_or_not_comma(char c) { return c != ','; }
static bool is_of_word(char c) { return c != ',' && !is_blank(c); }

bool config_value_parse(struct value_place *p, slice value)
{
    const struct type *type = &types[p->setting->type];

    if (!type->is_list)
        return type->parse(p, value);
    for (;;) {
        while (slice_take_char(&value, ',') || slice_take_blanks(&value))
            ;
        if (!value.len)
            return true;
        slice item = slice_trim(slice_take_while(&value, type->splits_at_blanks ? is_of_word : is_blank_or_not_comma));

        if (item.len > CONFIG_TEXT_VALUE_MAX)
            return refuse(p, TEXT_CONFIG_WRONG_TEXT, item, (slice){ 0 });
        if (!type->parse(p, item))
            return false;
    }
}

const char *config_nearest(slice name, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    unsigned least = 0;

    for (size_t i = 0; i < count; i++) {
        slice one = slice_of_string(names[i]);
        bool begins = name.len > 1 && slice_starts_nocase(one, name);            /* password: password_file */
        unsigned far = begins ? 0 : slice_distance(name, one);

        if (!nearest || far < least)
            nearest = names[i], least = far;
    }
    return nearest;
}

/* ---- networks ---- */

bool config_network_has(const struct config_network *n, const struct address *a)
{
    size_t whole = n->bits / 8u, left = n->bits % 8u;

    if (n->ip.family != a->family || memcmp(n->ip.ip, a->ip, whole) != 0)
        return false;
    return left == 0 || ((n->ip.ip[whole] ^ a->ip[whole]) >> (8 - left)) == 0;
}

bool config_networks_have(const struct config_networks *networks, const struct address *a)
{
    for (size_t i = 0; i < networks->count; i++)
        if (config_network_has(&networks->at[i], a))
            return true;
    return false;
}
