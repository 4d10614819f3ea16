/* tests/fuzz/fuzz_dns.c - a whole search for targets, fed by a DNS server that says anything.
 * SPDX-License-Identifier: Apache-2.0
 *
 * One byte chooses the URI, then the answers follow, each behind its length in two bytes. */
#include "fuzz/inside.h"
#include "net/resolve_answer.h"
#include "wire/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static slice take_message(slice *rest)
{
    slice message = slice_head(slice_skip(*rest, 2), wire_get_u16(*rest, 0));

    *rest = slice_skip(*rest, 2 + message.len);
    return message;
}

static void check_found(const struct targets_search *s)
{
    MUST(targets_search_is_done(s));
    MUST((s->found.count > 0) == (s->found.outcome == TARGETS_FOUND));
    for (uint8_t i = 0; i < s->found.count; i++)
        MUST(s->found.list[i].address.port && !address_is_zero(&s->found.list[i].address));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const slice uris[] = {
        SLICE_INIT("sip:d"), SLICE_INIT("sips:d"), SLICE_INIT("sip:d;transport=tcp"), SLICE_INIT("sip:d:5080"),
    };
    static const struct targets_settings settings = {
        .transports = { WIRE_UDP, WIRE_TCP, WIRE_TLS, WIRE_WS, WIRE_WSS }, .transport_count = 5,
    };
    slice rest = slice_skip(slice_of(data, size), 1);
    struct targets_question q;
    struct targets_search s;
    size_t asked = 0;

    targets_search_begin(&s, &settings, uris[size ? data[0] % ARRAY_LEN(uris) : 0], size & 1, size);
    while (targets_search_ask(&s, &q)) {
        struct resolve_answer answer;
        struct arena memory = { 0 };

        MUST(++asked <= 1 + TARGETS_SERVICES_MAX + TARGETS_QUESTIONS_MAX);
        MUST(targets_name_is_good(q.name) && q.name.ptr[q.name.len] == '\0');
        if (resolve_answer_read(take_message(&rest), q.name, (enum targets_type)q.type, &memory, &answer) == 0)
            targets_search_answer(&s, q.id, &answer.records);
        arena_done(&memory);
    }
    check_found(&s);
    return 0;
}
