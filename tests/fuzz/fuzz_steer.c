/* tests/fuzz/fuzz_steer.c - whose message: some worker that is there, the same for the same bytes,
 * and where the parser reads the same headers, by the same rules.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/inside.h"
#include "sip/message.h"
#include "switch/bindings.h"
#include "switch/endpoint.h"
#include "switch/steer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What came whole and without a flaw is steered by what the parser says is in it. */
static void check_as_parsed(const struct steer *s, slice bytes, const struct steered *got)
{
    struct sip_header room[SIP_HEADERS_MAX];
    char key_room[BINDINGS_KEY_MAX];
    struct sip_message m;
    unsigned worker;
    slice key;

    if (sip_message_parse(bytes, SIP_DATAGRAM, room, SIP_HEADERS_MAX, &m) <= 0 || m.flaw_count || !m.is_request || !m.to.uri.len)
        return;
    MUST(got->is_register == (m.method == SIP_REGISTER));
    if (m.method == SIP_REGISTER && bindings_key(m.to.uri, key_room, &key))
        MUST(got->worker == steer_aor(s, key));
    else if (m.method != SIP_REGISTER && endpoint_token_worker(m.to.tag, &worker) && worker < s->count)
        MUST(got->worker == worker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice bytes = slice_of(data, size);
    unsigned here = size ? data[0] % STEER_WORKERS_MAX : 0;
    struct steer s = { { 1, 2 }, size ? data[size - 1] % STEER_WORKERS_MAX + 1u : 1 };
    struct steered a, b;

    here %= s.count;
    a = steer_message(&s, bytes, here);
    b = steer_message(&s, bytes, here);
    MUST(a.worker < s.count && a.worker == b.worker && a.is_register == b.is_register);
    if (s.count == 1)
        MUST(a.worker == 0);
    else
        check_as_parsed(&s, bytes, &a);
    return 0;
}
