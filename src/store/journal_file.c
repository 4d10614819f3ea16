/* store/journal_file.c - the format of a journal's files; see journal_int.h
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/journal_int.h"

static const char magic[8] = { 'S', 'B', 'j', 'r', 'n', 'l', '1', '\n' };
static const struct hash_seed head_seed = { 0x7369676e616c626fu, 0x786a6f75726e616cu };

static void put32(uint8_t *at, uint32_t v) { memcpy(at, &(uint32_t){ htole32(v) }, 4); }
static void put64(uint8_t *at, uint64_t v) { memcpy(at, &(uint64_t){ htole64(v) }, 8); }
static uint32_t get32(const uint8_t *at)
{
    uint32_t v;

    memcpy(&v, at, 4);
    return le32toh(v);
}
static uint64_t get64(const uint8_t *at)
{
    uint64_t v;

    memcpy(&v, at, 8);
    return le64toh(v);
}

/* ---- heads ---- */

void journal_head_write(const struct journal_head *head, uint8_t ret[static JOURNAL_FIRST])
{
    memset(ret, 0, JOURNAL_FIRST);
    memcpy(ret, magic, sizeof magic);
    put32(ret + 8, head->kind);
    put64(ret + 16, head->generation);
    put64(ret + 24, head->count);
    put64(ret + 32, head->seed.k0);
    put64(ret + 40, head->seed.k1);
    put64(ret + 56, hash_bytes(&head_seed, ret, 56));
    memcpy(ret + JOURNAL_HEAD_LEN, ret, JOURNAL_HEAD_LEN);
}

bool journal_head_read(const uint8_t bytes[static JOURNAL_FIRST], struct journal_head *ret)
{
    for (size_t copy = 0; copy < 2; copy++) {
        const uint8_t *at = bytes + copy * JOURNAL_HEAD_LEN;
        uint32_t kind = get32(at + 8);

        if (memcmp(at, magic, sizeof magic) != 0 || get64(at + 56) != hash_bytes(&head_seed, at, 56))
            continue;
        if (kind != JOURNAL_LOG && kind != JOURNAL_SNAPSHOT)
            continue;
        *ret = (struct journal_head){ .kind = (enum journal_kind)kind, .generation = get64(at + 16),
                                      .count = get64(at + 24), .seed = { get64(at + 32), get64(at + 40) } };
        return true;
    }
    return false;
}

/* ---- records ---- */

static uint32_t head_check(const uint8_t *record, const struct hash_seed *seed, uint64_t offset)
{
    uint8_t covered[20];

    memcpy(covered, record, 4);                           /* length */
    memcpy(covered + 4, record + 8, 8);                   /* check of the payload */
    put64(covered + 12, offset);
    return (uint32_t)hash_bytes(seed, covered, sizeof covered);
}

void journal_record_seal(uint8_t *record, size_t payload_len, const struct hash_seed *seed, uint64_t offset)
{
    uint8_t *payload = record + JOURNAL_RECORD_HEAD;
    size_t size = journal_record_size(payload_len);

    memset(payload + payload_len, 0, size - JOURNAL_RECORD_HEAD - payload_len);
    put32(record, (uint32_t)payload_len);
    put64(record + 8, hash_bytes(seed, payload, payload_len));
    put32(record + 4, head_check(record, seed, offset));
}

/* ---- reading: a window that moves over the file ---- */

enum { WINDOW = 1 << 20 };
static_assert(WINDOW >= 2 * (JOURNAL_RECORD_MAX + JOURNAL_RECORD_HEAD), "a record fits into the window");

struct reader {
    int      fd;
    uint8_t *window;
    uint64_t from;                   /* offset in the file of window[0] */
    size_t   filled;
    bool     ended;                  /* the file has no more than the window */
    int      error;
};

/* So many bytes at this offset, which never goes back; NULL: the file ends before, or an error. */
static const uint8_t *reader_at(struct reader *r, uint64_t offset, size_t need)
{
    size_t skip = (size_t)(offset - r->from);

    if (r->filled >= skip && r->filled - skip >= need)
        return r->window + skip;
    if (r->filled > skip)
        memmove(r->window, r->window + skip, r->filled - skip);
    r->filled = r->filled > skip ? r->filled - skip : 0;
    r->from = offset;
    while (r->filled < need && !r->ended && !r->error) {
        ssize_t got = pread(r->fd, r->window + r->filled, WINDOW - r->filled, (off_t)(r->from + r->filled));

        if (got > 0)
            r->filled += (size_t)got;
        else if (got == 0)
            r->ended = true;
        else if (errno != EINTR)
            r->error = -errno;
    }
    return r->filled >= need ? r->window : NULL;
}

enum sort { GOOD, BAD_PAYLOAD, NO_RECORD, NO_BYTES };

static enum sort judge(struct reader *r, uint64_t offset, const struct hash_seed *seed, slice *ret_payload)
{
    const uint8_t *record = reader_at(r, offset, JOURNAL_RECORD_HEAD);
    size_t len;

    if (!record)
        return NO_BYTES;
    len = get32(record);
    if (len > JOURNAL_RECORD_MAX || get32(record + 4) != head_check(record, seed, offset))
        return NO_RECORD;
    record = reader_at(r, offset, journal_record_size(len));
    if (!record)
        return NO_RECORD;                                 /* cut */
    *ret_payload = slice_of(record + JOURNAL_RECORD_HEAD, len);
    return get64(record + 8) == hash_bytes(seed, ret_payload->ptr, len) ? GOOD : BAD_PAYLOAD;
}

static void read_records(struct reader *r, bool (*replay)(void *ctx, slice record), void *ctx,
                         struct journal_found *found)
{
    uint64_t at = JOURNAL_FIRST;
    uint64_t bad = 0;                                     /* runs since the last good record */
    bool in_run = false;
    slice payload;

    for (;;) {
        enum sort sort = judge(r, at, &found->head.seed, &payload);

        if (sort == NO_BYTES)
            break;
        if (sort == NO_RECORD) {
            bad += !in_run;
            in_run = true;
            at += JOURNAL_ALIGN;
            continue;
        }
        in_run = false;
        at += journal_record_size(payload.len);
        if (sort == BAD_PAYLOAD) {
            bad++;
            continue;
        }
        found->damaged += bad;                            /* what stands behind the last good one is the tail */
        bad = 0;
        found->end = at;
        found->records++;
        found->refused += !replay(ctx, payload);
    }
}

int journal_file_read(int fd, bool (*replay)(void *ctx, slice record), void *ctx, struct journal_found *ret)
{
    struct reader r = { .fd = fd, .window = malloc(WINDOW) };
    const uint8_t *head;
    struct stat st;

    *ret = (struct journal_found){ 0 };
    if (!r.window)
        return -ENOMEM;
    if (fstat(fd, &st) < 0)
        r.error = -errno;
    else
        ret->size = (uint64_t)st.st_size;
    head = reader_at(&r, 0, JOURNAL_FIRST);
    ret->has_head = head && journal_head_read(head, &ret->head);
    if (ret->has_head) {
        ret->end = JOURNAL_FIRST;
        read_records(&r, replay, ctx, ret);
    }
    free(r.window);
    ret->unread = r.error != 0;
    return r.error;
}
