/* tests/fuzz/fuzz_upgrade.c - the head of HTTP before WebSocket: judged the same whatever comes
 * behind it, never judged good before its end, and an answer always fits.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/inside.h"
#include "net/upgrade.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Once a verdict is there, more bytes do not change it; a good one comes with the last byte. */
static void check_pieces(slice bytes, enum upgrade whole, size_t head_len)
{
    struct upgrade_request r;

    for (size_t len = 0; len < bytes.len && len < 2 * UPGRADE_HEAD_MAX; len += 1 + len / 8) {
        enum upgrade part = upgrade_read_request(slice_head(bytes, len), &r);

        MUST(part == UPGRADE_MORE || part == whole);
        MUST(part != UPGRADE_OK || len >= head_len);
    }
}

static void check_request(slice bytes)
{
    struct upgrade_request r = { .head_len = 0 };
    enum upgrade got = upgrade_read_request(bytes, &r);
    char text[UPGRADE_TEXT_MAX];

    check_pieces(bytes, got, r.head_len);
    if (got != UPGRADE_OK)
        return;
    MUST(r.head_len <= bytes.len && r.head_len <= UPGRADE_HEAD_MAX);
    MUST(r.key.len == UPGRADE_KEY_LEN && r.target.len);
    MUST_BE_INSIDE(r.key, bytes);
    MUST_BE_INSIDE(r.target, bytes);
    MUST_BE_INSIDE(r.origin, bytes);
    size_t len = upgrade_write_answer(text, UPGRADE_OK, r.key), used;
    const char *why;

    MUST(len && upgrade_read_answer(slice_of(text, len), r.key, &used, &why) == UPGRADE_OK && used == len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice bytes = slice_of(data, size);
    const char *why = NULL;
    size_t used = 0;

    check_request(bytes);
    if (upgrade_read_answer(bytes, SLICE("dGhlIHNhbXBsZSBub25jZQ=="), &used, &why) == UPGRADE_OK)
        MUST(used && used <= size);
    MUST(why);
    return 0;
}
