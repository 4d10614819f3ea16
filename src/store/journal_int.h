/* store/journal_int.h - the files of a journal: how they look, and reading one.
 * SPDX-License-Identifier: Apache-2.0
 *
 *     head        twice, so that a damaged byte in one does not cost the file
 *     record      length, check of this head, check of the payload, payload, zeros up to 8 bytes
 *     record ...
 *
 * Numbers are little-endian. Checks are SipHash with a seed of the file's own: text that somebody
 * sent us cannot look like a record, nor can a block that the disk held before. The head's check
 * covers its place in the file, too. When a head is damaged the reader goes on at the next place
 * where a record could begin and its two checks hold. */
#ifndef STORE_JOURNAL_INT_H
#define STORE_JOURNAL_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/hash.h"
#include "store/journal.h"

enum journal_kind { JOURNAL_LOG = 1, JOURNAL_SNAPSHOT = 2 };
enum { JOURNAL_HEAD_LEN = 64, JOURNAL_FIRST = 2 * JOURNAL_HEAD_LEN, JOURNAL_RECORD_HEAD = 16, JOURNAL_ALIGN = 8 };

struct journal_head {
    enum journal_kind kind;
    uint64_t          generation;
    uint64_t          count;         /* of a snapshot: its records */
    struct hash_seed  seed;
};
void journal_head_write(const struct journal_head *head, uint8_t ret[static JOURNAL_FIRST]);
bool journal_head_read(const uint8_t bytes[static JOURNAL_FIRST], struct journal_head *ret);

static inline size_t journal_record_size(size_t payload_len)
{
    return (JOURNAL_RECORD_HEAD + payload_len + JOURNAL_ALIGN - 1) & ~(size_t)(JOURNAL_ALIGN - 1);
}
/* The payload stands behind the room for the head already. */
void journal_record_seal(uint8_t *record, size_t payload_len, const struct hash_seed *seed, uint64_t offset);

struct journal_found {
    struct journal_head head;
    bool     has_head;               /* without one nothing can be read */
    bool     unread;                 /* the disk gave no more of it */
    uint64_t records, refused, damaged;
    uint64_t end;                    /* behind the last good record */
    uint64_t size;
};
/* 0, or -errno: it could not be read to its end; *ret tells how far. */
int journal_file_read(int fd, bool (*replay)(void *ctx, slice record), void *ctx, struct journal_found *ret);

/* ---- onto the disk, while the loop goes on ---- */

enum { JOURNAL_SYNC_MAX = 3 };
struct journal_sync {                /* zero is ready to use; wait for it before it goes */
    pthread_t   thread;
    bool        busy, has_thread;
    atomic_bool done;
    int         fds[JOURNAL_SYNC_MAX];
    size_t      count;
    int         error;
};
/* fsync of these, in order; negative ones are passed over. The one before must be over. */
void journal_sync_start(struct journal_sync *s, const int *fds, size_t count);
int  journal_sync_poll(struct journal_sync *s);           /* 1: not yet; 0 or -errno, the latter once */
int  journal_sync_wait(struct journal_sync *s);

#endif
