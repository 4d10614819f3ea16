/* tests/fuzz/fuzz_journal.c - a journal's file with anything in it: read to its end, records within
 * their limit, and never more than its bytes can hold. The second half of the work is a sound file
 * that the input damages: what comes out of it was put in.
 * SPDX-License-Identifier: Apache-2.0 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/inside.h"
#include "store/journal_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS = 16, PAYLOAD_MAX = 64, FILE_MAX = JOURNAL_FIRST + RECORDS * (JOURNAL_RECORD_HEAD + PAYLOAD_MAX) };

static size_t payload_of(size_t number, uint8_t ret[static PAYLOAD_MAX])
{
    size_t len = number * 11 % PAYLOAD_MAX + 1;

    memset(ret, (int)(number + 1), len);
    return len;
}

static bool on_any(void *ctx, slice record)
{
    uint64_t *bytes = ctx;

    MUST(record.len <= JOURNAL_RECORD_MAX);
    *bytes += journal_record_size(record.len);
    return record.len % 2;
}

static bool on_ours(void *ctx, slice record)
{
    size_t *next = ctx;
    uint8_t wanted[PAYLOAD_MAX];

    MUST(record.len > 0 && record.ptr[0] > 0 && record.ptr[0] <= RECORDS);
    size_t number = (size_t)record.ptr[0] - 1;

    MUST(number >= *next);                                /* in their order, none twice */
    *next = number + 1;
    MUST(slice_eq(record, slice_of(wanted, payload_of(number, wanted))));
    return true;
}

static void read_file(const uint8_t *bytes, size_t size, bool (*replay)(void *ctx, slice record), void *ctx,
                      struct journal_found *ret)
{
    int fd = memfd_create("journal", MFD_CLOEXEC);

    MUST(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    MUST(journal_file_read(fd, replay, ctx, ret) == 0);
    MUST(ret->size == size && ret->end <= size && ret->refused <= ret->records);
    (void)close(fd);
}

static size_t sound_file(uint8_t ret[static FILE_MAX])
{
    const struct journal_head head = { .kind = JOURNAL_LOG, .generation = 1, .seed = { 3, 4 } };
    size_t at = JOURNAL_FIRST;

    journal_head_write(&head, ret);
    for (size_t i = 0; i < RECORDS; i++) {
        size_t len = payload_of(i, ret + at + JOURNAL_RECORD_HEAD);

        journal_record_seal(ret + at, len, &head.seed, at);
        at += journal_record_size(len);
    }
    return at;
}

/* Three bytes of input: where, and what to change there. */
static void check_damaged(const uint8_t *data, size_t size)
{
    uint8_t file[FILE_MAX + PAYLOAD_MAX];
    size_t len = sound_file(file), next = 0;
    struct journal_found found;

    for (; size >= 3; data += 3, size -= 3)
        file[(data[0] | (size_t)data[1] << 8) % len] ^= data[2];
    read_file(file, size ? len - data[0] : len, on_ours, &next, &found);
    MUST(found.records <= RECORDS && found.refused == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct journal_found found;
    uint64_t bytes = 0;

    read_file(data, size, on_any, &bytes, &found);
    MUST(bytes <= size);
    check_damaged(data, size);
    return 0;
}
