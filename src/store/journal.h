/* store/journal.h - records that outlive kill -9: a log that grows, and snapshots that shorten it.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The records are the caller's: any bytes. Each must say the whole new state of one thing ("this
 * binding is now so", "that one is gone"), since at open they all come again in their order, and
 * some twice: the last word counts. Opening never fails for damage: what is torn or damaged is passed
 * over and counted. A full disk stops nobody: records wait in memory up to a limit; what has to be
 * dropped beyond it is counted as lost, and the next snapshot makes it good.
 *
 *     journal_open(&settings, &j);                    // settings.replay gets every record
 *     journal_append(j, record);                      // for each change, into memory
 *     journal_flush(j, now_ns);                       // once in a while: one write for all of them
 *     if (journal_wants_snapshot(j, now_ns) && journal_snapshot_begin(j, now_ns) == 0)
 *         while (journal_snapshot_some(j, now_ns, feed, ctx, 1 << 20) == 1)
 *             serve_for_a_while();                    // changes are appended as always
 *     journal_close(j);
 *
 * On disk: NAME.G.snapshot holds all that was before NAME.G.log; a higher G is newer. A snapshot
 * begins with a new log, is written as NAME.snapshot.tmp and takes its place when it is whole and
 * on the disk; only then the older files go. NAME.lock keeps a second process out. The format is
 * in store/journal_int.h. One thread at a time. */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "base/slice.h"

#define JOURNAL_RECORD_MAX 65536u

struct journal_settings {
    const char *path;                /* /var/lib/signalbox/bindings: directory and NAME; 0600 files */
    void      *ctx;
    bool     (*replay)(void *ctx, slice record);          /* false: not understood, counted as refused */
    size_t     pending_max;          /* bytes waiting for the disk; 0: 16 MiB */
    int64_t    sync_ns;              /* a flush begins an fsync, in a thread, when the last was so long
                                      * ago; 0: each flush waits for it; below 0: never (safe from
                                      * kill -9, not from power cuts) */
    uint64_t   snapshot_least;       /* no snapshot for less log than this; 0: 4 MiB */
    unsigned   snapshot_factor;      /* ... nor than this many times the last snapshot; 0: 2 */
};

struct journal_counts {
    uint64_t replayed, refused;      /* at open: given to replay; of them, answered with false */
    uint64_t damaged;                /* at open: records passed over, a run of unreadable bytes as one */
    uint64_t torn_bytes;             /* at open: cut off at the end of logs */
    uint64_t missing;                /* at open: records that a snapshot says it had and has not */
    uint64_t set_aside;              /* at open: files that nothing could be read of, now NAME...bad */
    uint64_t appended, written;
    uint64_t lost;                   /* appended, and dropped since the disk took nothing for long */
    uint64_t write_errors, sync_errors;
    uint64_t snapshots, snapshot_errors;
};

struct journal;
/* 0 or -errno: -EBUSY another process has it, -ENAMETOOLONG, -ENOMEM, and what the system says. */
int journal_open(const struct journal_settings *settings, struct journal **ret);
/* Flushes and syncs. NULL is fine. A snapshot that is not finished is dropped: the log has it all. */
void journal_close(struct journal *j);

/* Copies. 0; -EMSGSIZE: more than JOURNAL_RECORD_MAX; -ENOBUFS: the disk takes nothing and
 * pending_max is reached, so it is lost (counted); the caller goes on. */
int journal_append(struct journal *j, slice record);
/* Writes all that waits. 0 or -errno: what could not be written stays and is tried again next time. */
int journal_flush(struct journal *j, int64_t now_ns);
size_t journal_pending(const struct journal *j);          /* bytes that a flush would write */

/* The log has grown long beside the snapshot, or files have gaps that only a snapshot fills. Says
 * no while one is being written and for some seconds after one failed. */
bool journal_wants_snapshot(const struct journal *j, int64_t now_ns);
/* What is appended from now on is after the snapshot. 0 or -errno: then nothing has changed. */
int journal_snapshot_begin(struct journal *j, int64_t now_ns);
/* Asks `feed` for records until max_bytes are written. All that exists from begin to end must be
 * fed once; what changes meanwhile may be fed as it was or as it is. feed: the next record, or one
 * with a NULL ptr when there are no more; then it is not asked again, and the rest is waiting for the
 * disk, which a thread does. 1: go on later; 0: done and in place; -errno: given up. */
int journal_snapshot_some(struct journal *j, int64_t now_ns, slice (*feed)(void *ctx), void *ctx, size_t max_bytes);
bool journal_snapshot_is_open(const struct journal *j);

const struct journal_counts *journal_counts(const struct journal *j);

#endif
