/* tests/fuzz/fuzz_mask_text.c - a masked message is parsed as it was before: as many headers of
 * the same kinds, the same method, code, CSeq and body length.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/inside.h"
#include "mask/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sip_header before[MASK_HEADERS_MAX], after[MASK_HEADERS_MAX];

static void check_alike(const struct sip_message *a, const struct sip_message *b)
{
    MUST(a->is_request == b->is_request && a->method == b->method && a->status == b->status);
    MUST(a->header_count == b->header_count && a->body.len == b->body.len);
    MUST(a->cseq.number == b->cseq.number);
    MUST(a->call_id.len == b->call_id.len);
    for (size_t i = 0; i < a->header_count; i++) {
        MUST(a->headers[i].id == b->headers[i].id);
        MUST(a->headers[i].value.len == b->headers[i].value.len);
    }
}

static void check(slice bytes, enum sip_framing framing)
{
    struct mask_key key = mask_key_of_text(SLICE("k"));
    struct mask_text *t = mask_text_new(&key);
    char *copy = malloc(bytes.len + 1);        /* of its own, so that a sanitizer sees its end */
    char *again = malloc(bytes.len + 1);
    struct sip_message a, b;

    MUST(t && copy && again);
    memcpy(copy, bytes.ptr, bytes.len);
    memcpy(again, bytes.ptr, bytes.len);
    ptrdiff_t used = sip_message_parse(bytes, framing, before, MASK_HEADERS_MAX, &a);
    bool masked = mask_message(t, copy, bytes.len, framing);

    MUST(masked == (used > 0 && a.header_count < MASK_HEADERS_MAX));
    if (masked) {
        MUST(sip_message_parse(slice_of(copy, bytes.len), framing, after, MASK_HEADERS_MAX, &b) == used);
        check_alike(&a, &b);
    } else {
        MUST(memcmp(copy, bytes.ptr, bytes.len) == 0);
    }
    mask_free_text(t, again, bytes.len);
    mask_call_id(t, again, bytes.len);
    free(copy);
    free(again);
    mask_text_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    check(slice_of(data, size), SIP_DATAGRAM);
    check(slice_of(data, size), SIP_CUT);
    return 0;
}
