/* tests/fuzz/fuzz_filter.c - the filter language: parsed for every kind of record, then judged
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "call/filter.h"
#include "fuzz/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct call_code_count codes[] = { { 100, 1 }, { 486, 2 } };
static const struct call some_call = {
    .index = 7, .call_id = SLICE_INIT("a@b"), .state = CALL_REFUSED, .final = 486, .last_progress = 180,
    .from = { .uri = SLICE_INIT("sip:+49@a"), .user = SLICE_INIT("+49") }, .reason = SLICE_INIT("a\0b"),
    .invite_ns = 1700000000000000000, .progress_ns = 1700000001000000000, .ended_ns = 1700000009000000000,
    .caller_addr = { .ip = { 10, 0, 0, 1 }, .port = 5060, .family = 4 }, .codes = codes, .code_count = 2,
};
static const struct call no_call;
static const struct registration some_registration = { .aor = SLICE_INIT("sip:b@h"), .final = 200, .expires_s = 60 };
static const struct transaction some_transaction = { .method = SLICE_INIT("OPTIONS"), .final = 200 };
static const struct message_row some_message = { .method = SLICE_INIT("INVITE"), .cseq = 1, .request = true };

static void judge(slice text, const struct field_table *table, const void *record)
{
    struct filter *f = NULL;
    struct filter_error error = {0};
    int result = filter_parse(text, table, &f, &error);

    if (result != 0) {
        MUST(result == -EINVAL || result == -ENOMEM);
        MUST(error.wrong > FILTER_FINE && error.wrong < FILTER_WRONGS);
        MUST(error.offset <= text.len);
        MUST_BE_INSIDE(error.at, text);
        MUST((error.near != NULL) == (error.wrong == FILTER_NO_FIELD));
        return;
    }
    bool first = filter_match(f, record, 1700000100000000000);

    MUST(first == filter_match(f, record, 1700000100000000000));
    if (!filter_is_relative(f))
        MUST(first == filter_match(f, record, 0));
    filter_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice text = slice_of(data, size);
    int64_t ns = 5;

    judge(text, &call_fields, &some_call);
    judge(text, &call_fields, &no_call);
    judge(text, &registration_fields, &some_registration);
    judge(text, &transaction_fields, &some_transaction);
    judge(text, &message_fields, &some_message);
    if (!filter_time(text, &ns))
        MUST(ns == 5);
    return 0;
}
