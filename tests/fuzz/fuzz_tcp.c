/* tests/fuzz/fuzz_tcp.c - segments in any order, of any content
 * SPDX-License-Identifier: Apache-2.0
 *
 * First byte even: a list of segments, each with any flags, numbers, time and payload; nothing
 * is expected but good behaviour. Odd: a stream of SIP messages is made from the input and sent
 * in segments that the input orders, repeats and overlaps; each message must come once, whole,
 * in order. */
#include <stdio.h>

#include "fuzz/units.h"
#include "wire/tcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct wire_limits limits = FUZZ_LIMITS;

static uint8_t take(slice *rest)
{
    uint8_t b = rest->len ? (uint8_t)rest->ptr[0] : 0;

    *rest = slice_skip(*rest, 1);
    return b;
}

/* From a heap block of its own size. */
static void send_segment(struct tcp *t, struct tcp_segment_in *in, slice payload)
{
    char *exact = malloc(payload.len ? payload.len : 1);

    MUST(exact);
    if (payload.len)
        memcpy(exact, payload.ptr, payload.len);
    in->payload = slice_of(exact, payload.len);
    tcp_segment(t, in);
    free(exact);
}

/* ---- anything ---- */

static void anything(slice rest)
{
    unsigned sum = 0;
    struct wire_counts counts = { 0 };
    struct tcp t;
    uint32_t next[4] = { 0xfffffff0u, 100, 0, 0x7fffffffu };
    struct wire_packet p = { .time_ns = 0 };

    MUST(tcp_init(&t, &limits, (struct hash_seed){ 1, 2 }, &counts, fuzz_unit, &sum) == 0);
    while (rest.len >= 6) {
        uint8_t ways = take(&rest), when = take(&rest);
        int16_t shift = (int16_t)(take(&rest) << 8 | take(&rest));
        uint8_t flags = take(&rest);
        size_t len = (size_t)take(&rest) * (ways & 0x40 ? 16 : 1);
        slice payload = slice_head(rest, len);
        struct tcp_segment_in in = { .packet = &p, .flags = flags,
                                     .lacking = ways & 0x80 ? 40 : 0 };
        int from = ways & 3;

        rest = slice_skip(rest, len);
        p.src = address_v4("\1\0\0\0", (uint16_t)(5060 + from));
        p.dst = address_v4("\1\0\0\0", (uint16_t)(5060 + (from ^ 1)));
        p.time_ns = fuzz_time_ns(p.time_ns, when);
        p.frame++;
        in.seq = next[from] + (ways & 0x20 ? (uint32_t)shift * 100000u
                                 : ways & 0x10 ? (uint32_t)shift : 0);
        in.ack = next[from ^ 1];
        if (!(ways & 0x30))
            next[from] += (uint32_t)payload.len + in.lacking + !!(flags & (TCP_SYN | TCP_FIN));
        if (p.time_ns >= tcp_due_ns(&t))
            tcp_give_up(&t, p.time_ns);
        send_segment(&t, &in, payload);
        MUST(tcp_memory_bytes(&t) < FUZZ_MEMORY_MAX);
    }
    tcp_finish(&t);
    MUST(list_is_empty(&t.holes) && list_is_empty(&t.acked));
    tcp_done(&t);
}

/* ---- a stream that is known ---- */

struct known {
    char   stream[8192];
    size_t len;
    size_t ends[64];                 /* of the messages */
    size_t count, seen;
    unsigned sum;
};

static void known_unit(void *ctx, const struct wire_unit *u)
{
    struct known *k = ctx;

    MUST(k->seen < k->count);
    size_t from = k->seen ? k->ends[k->seen - 1] : 0;
    slice message = slice_of(k->stream + from, k->ends[k->seen] - from);

    while (message.len && message.ptr[0] == '\r')         /* keep-alives before it */
        message = slice_skip(message, 2);
    MUST(!u->cut);
    MUST(slice_eq(u->payload, message));
    k->seen++;
    fuzz_unit(&k->sum, u);
}

static void known_make(struct known *k, slice *rest)
{
    static const char *const starts[] = { "INVITE sip:a SIP/2.0", "SIP/2.0 200 OK", "BYE tel:1 SIP/2.0" };

    k->count = 1 + take(rest) % 20;
    for (size_t i = 0; i < k->count; i++) {
        uint8_t shape = take(rest);
        size_t body = shape & 0x7f;
        size_t room = sizeof k->stream - k->len;

        k->len += (size_t)snprintf(k->stream + k->len, room, "%s%s\r\nCall-ID: %zu\r\n%s%zu\r\n\r\n",
                                   shape & 0x80 ? "\r\n\r\n" : "", starts[shape % 3], i,
                                   shape & 1 ? "l: " : "Content-Length:", body);
        for (size_t b = 0; b < body; b++)
            k->stream[k->len++] = (char)(b % 7 ? 'A' + (char)(b % 50) : '\n');
        k->ends[i] = k->len;
    }
}

static void known_stream(slice rest)
{
    struct known k = { .len = 0 };
    struct wire_counts counts = { 0 };
    struct tcp t;
    struct wire_packet p = { .src = address_v4("\1\0\0\0", 1), .dst = address_v4("\2\0\0\0", 2) };
    struct wire_limits roomy = { .streams_max = 4, .stream_bytes_max = 1 << 20,
                                 .stream_one_max = 1 << 20, .stream_age_ns = INT64_MAX };
    struct tcp_segment_in in = { .packet = &p, .flags = TCP_SYN };

    MUST(tcp_init(&t, &roomy, (struct hash_seed){ 1, 2 }, &counts, known_unit, &k) == 0);
    uint32_t isn = (uint32_t)take(&rest) << 24 | 0xfffff0;

    known_make(&k, &rest);
    in.seq = isn;
    send_segment(&t, &in, (slice){ 0 });
    in.flags = TCP_ACK;
    for (int i = 0; rest.len >= 3 && i < 200; i++) {
        size_t from = ((size_t)take(&rest) << 8 | take(&rest)) % k.len, len = take(&rest);

        in.seq = isn + 1 + (uint32_t)from;
        send_segment(&t, &in, slice_head(slice_of(k.stream + from, k.len - from), len));
    }
    for (size_t from = 0; from < k.len; from += 1000) {    /* whatever still lacks */
        in.seq = isn + 1 + (uint32_t)from;
        send_segment(&t, &in, slice_head(slice_of(k.stream + from, k.len - from), 1000));
    }
    MUST(k.seen == k.count);
    MUST(counts.tcp_gaps == 0);
    tcp_finish(&t);
    MUST(t.bytes == 0);
    tcp_done(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice rest = slice_of(data, size);

    if (take(&rest) & 1)
        known_stream(rest);
    else
        anything(rest);
    return 0;
}
