/* tests/fuzz/fuzz_uri.c - URIs: parts, escapes, and that comparing is fair.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/inside.h"
#include "sip/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Same from both sides; whatever can be read is the same as itself, unless it has more parts
 * than are compared or one of them twice with two values. */
static void check_same(slice a, slice b)
{
    MUST(sip_uri_same(a, b) == sip_uri_same(b, a));
    (void)sip_uri_same(a, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice bytes = slice_of(data, size), rest = bytes, first, name, value;
    struct sip_uri uri = { 0 };
    char text[64];
    bool parsed = sip_uri_parse(bytes, &uri);

    MUST(slice_eq(sip_uri_user(bytes), uri.user));        /* cut by itself, and the same */
    if (parsed) {
        MUST_BE_INSIDE(uri.scheme_text, bytes);
        MUST_BE_INSIDE(uri.rest, bytes);
        MUST_BE_INSIDE(uri.user, bytes);
        MUST_BE_INSIDE(uri.password, bytes);
        MUST_BE_INSIDE(uri.host, bytes);
        MUST_BE_INSIDE(uri.params, bytes);
        MUST_BE_INSIDE(uri.headers, bytes);
        while (sip_uri_header_next(&uri.headers, &name, &value))
            MUST(is_inside(name, bytes) && is_inside(value, bytes));
        MUST(sip_number_of(uri.user, text, sizeof(text)).len <= sizeof(text));
    }
    MUST(sip_unescape(bytes, text, sizeof(text)).len <= sizeof(text));
    if (slice_take_line(&rest, &first))
        check_same(first, rest);
    return 0;
}
