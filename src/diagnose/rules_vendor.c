/* diagnose/rules_vendor.c - products that use codes in their own way, and codes that contradict themselves.
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"

/* What RFC 3398 (7.2.4.1) makes of a cause, and the codes that are as good. 0 ends. */
static const struct { uint8_t q850; uint16_t codes[5]; } standard[] = {
    { 1, { 404, 604, 410 } },           { 2, { 404, 500 } },             { 3, { 404, 500, 503 } },
    { 17, { 486, 600 } },               { 18, { 408, 480 } },            { 19, { 480, 408, 487 } },
    { 20, { 480, 404 } },               { 21, { 403, 603, 607, 608 } },  { 22, { 410, 301, 404 } },
    { 23, { 410, 302, 301 } },          { 24, { 433, 403 } },            { 25, { 500, 482, 483 } },
    { 26, { 404, 487, 500 } },          { 27, { 502, 480, 503 } },       { 28, { 484, 404 } },
    { 29, { 501, 403 } },               { 34, { 503, 480, 486 } },       { 38, { 503, 502, 500 } },
    { 41, { 503, 500, 480 } },          { 42, { 503, 500, 480 } },       { 47, { 503, 500, 480 } },
    { 55, { 403 } },                    { 57, { 403, 488 } },            { 58, { 503 } },
    { 65, { 488, 606, 415 } },          { 70, { 488 } },                 { 79, { 501 } },
    { 87, { 403 } },                    { 88, { 503, 488 } },            { 102, { 504, 408, 480 } },
};

/* 0: nothing is known of the cause; 1: fits; -1: does not. */
static int fits_standard(uint16_t q850, uint16_t status)
{
    for (size_t i = 0; i < ARRAY_LEN(standard); i++) {
        if (standard[i].q850 != q850)
            continue;
        for (size_t j = 0; j < ARRAY_LEN(standard[i].codes) && standard[i].codes[j]; j++)
            if (standard[i].codes[j] == status)
                return 1;
        return -1;
    }
    return 0;
}

static bool tell(const struct casefile *k, struct candidate *c)
{
    prove(c, k->final);
    if (k->call->q850)
        say_number(c, "value", k->call->q850);
    return true;
}

static bool is_network_cause(uint16_t q850)
{
    return (q850 >= 34 && q850 <= 47) || q850 == 27 || q850 == 102;
}

static bool is_number_cause(uint16_t q850)
{
    return q850 == 1 || q850 == 22 || q850 == 28 || (q850 >= 17 && q850 <= 21);
}

static bool not_a_person(const struct casefile *k, struct candidate *c)
{
    return k->call->final == 603 && (k->vendor->traits & VENDOR_603_IS_21) && k->call->q850 == 21 &&
           k->facts->location != CALL_LOCATION_USER && tell(k, c);
}
static bool not_a_loop(const struct casefile *k, struct candidate *c)
{
    return k->call->final == 483 && (k->vendor->traits & VENDOR_483_IS_25) && k->call->q850 == 25 && tell(k, c);
}
static bool not_a_codec(const struct casefile *k, struct candidate *c)
{
    return k->call->final == 488 && (k->vendor->traits & VENDOR_488_IS_88) && k->call->q850 == 88 && tell(k, c);
}
static bool bad_identity(const struct casefile *k, struct candidate *c)
{
    return k->call->final == 429 && (k->vendor->traits & VENDOR_429_IS_436) &&
           !(k->facts->invite_flags & CALL_INVITE_REFERRED) && tell(k, c);
}
static bool number_misused(const struct casefile *k, struct candidate *c)
{
    return k->call->final == 404 && is_network_cause(k->call->q850) && tell(k, c);
}
static bool server_for_number(const struct casefile *k, struct candidate *c)
{
    return k->call->final == 503 && is_number_cause(k->call->q850) && tell(k, c);
}

static bool own_mapping(const struct casefile *k, struct candidate *c)
{
    return (k->vendor->traits & VENDOR_OWN_MAP) && fits_standard(k->call->q850, k->call->final) < 0 && tell(k, c);
}

static bool contradicts(const struct casefile *k, struct candidate *c)
{
    return !(k->vendor->traits & VENDOR_OWN_MAP) && fits_standard(k->call->q850, k->call->final) < 0 &&
           !number_misused(k, c) && !server_for_number(k, c) && tell(k, c);
}

static bool unregistered_code(const struct casefile *k, struct candidate *c)
{
    const struct code *code = code_find(CODE_SIP, k->call->final);

    return (!code || !code->registered) && tell(k, c);
}

static const struct rule rules[] = {
    { CAUSE_VENDOR_603_NOT_A_PERSON, 0, K_VENDOR | K_REASON, not_a_person },
    { CAUSE_VENDOR_483_NOT_A_LOOP, 0, K_VENDOR | K_REASON, not_a_loop },
    { CAUSE_VENDOR_488_NOT_A_CODEC, 0, K_VENDOR | K_REASON, not_a_codec },
    { CAUSE_VENDOR_429_IDENTITY, 0, K_VENDOR, bad_identity },
    { CAUSE_IDENTITY_INVALID, 40, K_VENDOR, bad_identity },
    { CAUSE_VENDOR_404_MISUSED, 0, K_REASON, number_misused },
    { CAUSE_VENDOR_503_FOR_NUMBER, 0, K_REASON, server_for_number },
    { CAUSE_VENDOR_CODE_MAPPING, 0, K_VENDOR | K_REASON, own_mapping },
    { CAUSE_REASON_CONTRADICTS_CODE, 0, K_REASON, contradicts },
    { CAUSE_CODE_UNREGISTERED, 0, K_REFUSED, unregistered_code },
};
const struct rule_table rules_vendor = { rules, ARRAY_LEN(rules), K_REFUSED };
