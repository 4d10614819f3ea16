/* tests/harness/lab_relay.c - see lab_relay.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/lab_relay.h"

#include <stdio.h>

#include "harness/test.h"

static void put_sdp(struct out *o, slice sdp)
{
    char text[4096];
    slice rest = sdp;
    size_t len = 0;
    ptrdiff_t at;

    CHECK(sdp.len < sizeof text);
    while ((at = slice_find(rest, SLICE("10.0.0."))) >= 0) {
        memcpy(text + len, rest.ptr, (size_t)at);
        memcpy(text + len + at, "9.9.9.", 6);
        len += (size_t)at + 6;
        rest = slice_skip(rest, (size_t)at + 7);
    }
    memcpy(text + len, rest.ptr, rest.len);
    bencode_put_pair(o, SLICE("sdp"), slice_of(text, len + rest.len));
}

static void note(struct fake_relay *f, slice command, const struct bencode *all)
{
    slice call_id = bencode_find_text(all, SLICE("call-id"));
    slice from = bencode_find_text(all, SLICE("from-tag")), to = bencode_find_text(all, SLICE("to-tag"));
    size_t used = strlen(f->log);

    if (slice_eq(command, SLICE("offer"))) {
        f->offers++;
        f->calls += !f->calls;
        snprintf(f->call_id, sizeof f->call_id, SLICE_FMT, SLICE_ARG(call_id));
    } else if (slice_eq(command, SLICE("answer"))) {
        f->answers++;
        CHECK(from.len && to.len && !slice_eq(from, to));
    } else if (slice_eq(command, SLICE("delete"))) {
        f->deletes++;
        f->calls = 0;
    } else {
        f->pings++;
        return;
    }
    CHECK_EQ(call_id, slice_of_string(f->call_id));
    snprintf(f->log + used, sizeof f->log - used, SLICE_FMT "%s\n", SLICE_ARG(command), to.len ? " to" : "");
}

static void on_datagram(void *ctx, slice bytes)
{
    struct fake_relay *f = ctx;
    slice rest = bytes, cookie = slice_take_until(&rest, ' '), command, sdp;
    struct bencode all;
    struct out o;

    if (f->lose && --f->lose == 0)
        return;
    if (f->mood == FAKE_SILENT)
        return;
    rest = slice_skip(rest, 1);
    CHECK(bencode_take(&rest, &all) && rest.len == 0);
    command = bencode_find_text(&all, SLICE("command"));
    sdp = bencode_find_text(&all, SLICE("sdp"));
    note(f, command, &all);
    out_init_memory(&o, 0);
    out_text(&o, cookie);
    if (f->mood == FAKE_BABBLES) {
        out_text(&o, SLICE(" d6:result"));
    } else if (sdp.ptr && (f->mood == FAKE_REFUSES || (f->mood == FAKE_REFUSES_ANSWERS && slice_eq(command, SLICE("answer"))))) {
        out_text(&o, SLICE(" d12:error-reason3:bad6:result5:errore"));
    } else {
        out_text(&o, SLICE(" d"));
        bencode_put_pair(&o, SLICE("result"), slice_eq(command, SLICE("ping")) ? SLICE("pong") : SLICE("ok"));
        if (sdp.ptr)
            put_sdp(&o, sdp);
        out_char(&o, 'e');
    }
    CHECK(!o.error && o.used <= sizeof f->letters[0].bytes && f->letter_count < ARRAY_LEN(f->letters));
    struct fake_letter *letter = &f->letters[f->letter_count++];

    letter->at_ns = *f->now_ns + f->delay_ns;
    letter->len = o.used;
    memcpy(letter->bytes, o.buffer, o.used);
    out_done(&o);
}

struct media_sender fake_relay_sender(struct fake_relay *f) { return (struct media_sender){ f, on_datagram }; }

bool fake_relay_take(struct fake_relay *f, int64_t now_ns, struct fake_letter *ret)
{
    for (size_t i = 0; i < f->letter_count; i++) {
        if (f->letters[i].at_ns > now_ns)
            continue;
        *ret = f->letters[i];
        memmove(&f->letters[i], &f->letters[i + 1], (--f->letter_count - i) * sizeof f->letters[0]);
        return true;
    }
    return false;
}

int64_t fake_relay_next_ns(const struct fake_relay *f)
{
    int64_t next_ns = INT64_MAX;

    for (size_t i = 0; i < f->letter_count; i++)
        next_ns = f->letters[i].at_ns < next_ns ? f->letters[i].at_ns : next_ns;
    return next_ns;
}
