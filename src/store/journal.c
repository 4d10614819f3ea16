/* store/journal.c - which files there are, what goes into them and when; see journal.h
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/journal_int.h"

#define RETRY_NS (INT64_C(5) * 1000000000)
enum { NAME_LEN_MAX = 200, PENDING_FIRST = 64 << 10, PENDING_LEAST = 4 * JOURNAL_RECORD_MAX, SNAPSHOT_ROOM = 256 << 10 };

enum stage { FEEDING, SYNCING, NAMING };    /* records come; the file goes to the disk; then its name */

struct snapshot {
    int              fd;             /* -1: none is being written */
    enum stage       stage;
    struct journal_sync sync;
    struct hash_seed seed;
    uint8_t         *room;           /* SNAPSHOT_ROOM, of which `used` wait to be written */
    size_t           used;
    uint64_t         offset;         /* in the file, of room[0] */
    uint64_t         count;
    bool             had_gap;        /* what begin found; a snapshot that fails gives it back */
};
struct journal {
    struct journal_settings settings;
    struct journal_counts   counts;
    char             name[NAME_LEN_MAX + 1];
    int              dir_fd, lock_fd;

    int              log_fd;
    uint64_t         generation;     /* of the log that grows */
    struct hash_seed seed;
    uint64_t         log_end;        /* behind its last whole record */
    uint64_t         older_bytes;    /* of logs before it that a restart would read, too */
    bool             unsynced, dir_unsynced;
    int              old_fd;         /* the log before, while it has not been synced; or -1 */
    int64_t          last_sync_ns;
    struct journal_sync sync;

    uint8_t         *pending;        /* records for log_end and on; the first `sealed` bytes have their checks */
    size_t           used, sealed, room;

    bool             gap;            /* the files lack something that only a snapshot brings back */
    uint64_t         snapshot_size;
    int64_t          retry_ns;       /* no snapshot before */
    struct snapshot  snapshot;
};

/* ---- names ---- */

enum { FILE_NAME_ROOM = NAME_LEN_MAX + 48 };
struct file_name { char text[FILE_NAME_ROOM]; };

static struct file_name name_of(const struct journal *j, enum journal_kind kind, uint64_t generation)
{
    struct file_name n;

    (void)snprintf(n.text, sizeof n.text, "%s.%" PRIu64 ".%s", j->name, generation,
                   kind == JOURNAL_LOG ? "log" : "snapshot");
    return n;
}

static struct file_name name_with(const char *first, const char *second)
{
    struct file_name n;

    (void)snprintf(n.text, sizeof n.text, "%.*s%s", FILE_NAME_ROOM - 16, first, second);
    return n;
}

static bool name_read(const struct journal *j, slice file, enum journal_kind *ret_kind, uint64_t *ret_generation)
{
    slice name = slice_of_string(j->name);

    if (!slice_starts(file, name))
        return false;
    file = slice_skip(file, name.len);
    if (!slice_take_char(&file, '.') || !slice_take_u64(&file, ret_generation) || *ret_generation > INT64_MAX)
        return false;
    *ret_kind = slice_eq(file, SLICE(".log")) ? JOURNAL_LOG : JOURNAL_SNAPSHOT;
    return *ret_kind == JOURNAL_LOG || slice_eq(file, SLICE(".snapshot"));
}

/* ---- bytes to the disk ---- */

/* 0 or -errno; *ret_written says how far it came. */
static int write_at(int fd, const uint8_t *bytes, size_t len, uint64_t offset, size_t *ret_written)
{
    *ret_written = 0;
    while (*ret_written < len) {
        ssize_t n = pwrite(fd, bytes + *ret_written, len - *ret_written, (off_t)(offset + *ret_written));

        if (n > 0)
            *ret_written += (size_t)n;
        else if (n == 0)
            return -ENOSPC;
        else if (errno != EINTR)
            return -errno;
    }
    return 0;
}

static int new_seed(struct hash_seed *ret)
{
    return getrandom(ret, sizeof *ret, 0) == (ssize_t)sizeof *ret ? 0 : -EAGAIN;
}

static int file_create(const struct journal *j, const char *name, const struct journal_head *head, int *ret_fd)
{
    uint8_t bytes[JOURNAL_FIRST];
    size_t written;
    int fd = openat(j->dir_fd, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    int error;

    if (fd < 0)
        return -errno;
    journal_head_write(head, bytes);
    error = write_at(fd, bytes, sizeof bytes, 0, &written);
    if (error) {
        (void)close(fd);
        (void)unlinkat(j->dir_fd, name, 0);
        return error;
    }
    *ret_fd = fd;
    return 0;
}

static bool syncs(const struct journal *j) { return j->settings.sync_ns >= 0; }

/* The kernel has dropped those pages and would say yes the next time: only a snapshot helps. */
static int sync_result(struct journal *j, int error)
{
    if (error < 0) {
        j->counts.sync_errors++;
        j->gap = true;
    }
    return error;
}

static int log_sync(struct journal *j, int64_t now_ns)
{
    const int fds[] = { j->old_fd, j->log_fd, j->dir_unsynced ? j->dir_fd : -1 };

    j->last_sync_ns = now_ns;
    if (!j->unsynced && !j->dir_unsynced && j->old_fd < 0)
        return 0;
    journal_sync_start(&j->sync, fds, ARRAY_LEN(fds));
    if (j->old_fd >= 0)
        (void)close(j->old_fd);
    j->old_fd = -1;
    j->unsynced = j->dir_unsynced = false;
    return j->settings.sync_ns > 0 ? 0 : sync_result(j, journal_sync_wait(&j->sync));
}

/* The log that grew so far stays open until it has been synced, too. */
static void log_retire(struct journal *j)
{
    if (j->log_fd < 0)
        return;
    if (j->old_fd >= 0) {                                 /* two within one interval */
        (void)sync_result(j, fsync(j->old_fd) < 0 ? -errno : 0);
        (void)close(j->old_fd);
    }
    j->old_fd = syncs(j) && j->unsynced ? j->log_fd : -1;
    if (j->old_fd < 0)
        (void)close(j->log_fd);
}

static int log_create(struct journal *j, uint64_t generation)
{
    struct journal_head head = { .kind = JOURNAL_LOG, .generation = generation };
    int fd = -1, error = new_seed(&head.seed);

    error = error ? error : file_create(j, name_of(j, JOURNAL_LOG, generation).text, &head, &fd);
    if (error)
        return error;
    log_retire(j);
    j->older_bytes += j->log_end;
    j->log_fd = fd;
    j->generation = generation;
    j->seed = head.seed;
    j->log_end = JOURNAL_FIRST;
    j->unsynced = j->dir_unsynced = true;
    j->sealed = 0;                                        /* what waits goes into this file now */
    return 0;
}

/* ---- open: what is there ---- */

struct file {
    uint64_t          generation;
    enum journal_kind kind;
};
struct files {
    struct file *all;
    size_t       count, room;
};

static int files_add(struct files *f, struct file file)
{
    if (f->count == f->room) {
        size_t room = f->room ? f->room * 2 : 16;
        struct file *all = reallocarray(f->all, room, sizeof *all);

        if (!all)
            return -ENOMEM;
        f->all = all, f->room = room;
    }
    f->all[f->count++] = file;
    return 0;
}

static int by_generation(const void *a, const void *b)
{
    const struct file *x = a, *y = b;

    return x->generation < y->generation ? -1 : x->generation > y->generation;
}

static int files_find(const struct journal *j, struct files *ret)
{
    int fd = openat(j->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = 0;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir) {
        error = -errno;
        if (fd >= 0)
            (void)close(fd);
        return error;
    }
    for (const struct dirent *e; !error && (e = readdir(dir));) {
        struct file f;

        if (name_read(j, slice_of_string(e->d_name), &f.kind, &f.generation)
            && strcmp(e->d_name, name_of(j, f.kind, f.generation).text) == 0)    /* 007 is not ours */
            error = files_add(ret, f);
    }
    (void)closedir(dir);
    if (ret->count)
        qsort(ret->all, ret->count, sizeof *ret->all, by_generation);
    return error;
}

/* Out of the way, but not gone: somebody may want to look. */
static void set_aside(struct journal *j, const char *name)
{
    (void)renameat(j->dir_fd, name, j->dir_fd, name_with(name, ".bad").text);
    j->counts.set_aside++;
    j->gap = true;
}

/* 1: it was read, as far as it could be; 0: nothing of it could; -errno. */
static int file_read(struct journal *j, const struct file *f, struct journal_found *ret)
{
    struct file_name name = name_of(j, f->kind, f->generation);
    int fd = openat(j->dir_fd, name.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), error;

    if (fd < 0)
        return -errno;
    error = journal_file_read(fd, j->settings.replay, j->settings.ctx, ret);
    (void)close(fd);
    if (error == -ENOMEM)
        return error;
    j->counts.replayed += ret->records;
    j->counts.refused += ret->refused;
    j->counts.damaged += ret->damaged + ret->unread;
    j->gap |= ret->damaged || ret->unread;
    if (!ret->has_head && ret->size < JOURNAL_FIRST && !ret->unread) {
        j->counts.torn_bytes += ret->size;                /* stopped while it was made */
        (void)unlinkat(j->dir_fd, name.text, 0);
        return 0;
    }
    if (!ret->has_head || ret->head.kind != f->kind || ret->head.generation != f->generation) {
        set_aside(j, name.text);
        return 0;
    }
    return 1;
}

/* The newest snapshot that can be read; *ret_base is its generation, or 0. */
static int read_snapshot(struct journal *j, const struct files *files, uint64_t *ret_base)
{
    struct journal_found found;
    int got;

    *ret_base = 0;
    for (size_t i = files->count; i > 0; i--) {
        if (files->all[i - 1].kind != JOURNAL_SNAPSHOT)
            continue;
        got = file_read(j, &files->all[i - 1], &found);
        if (got < 0)
            return got;
        if (got == 0)
            continue;
        *ret_base = found.head.generation;
        j->snapshot_size = found.size;
        if (found.head.count > found.records) {
            j->counts.missing += found.head.count - found.records;
            j->gap = true;
        }
        return 0;
    }
    return 0;
}

/* Goes on with the last log when that is sound. */
static bool log_continue(struct journal *j, const struct journal_found *found)
{
    int fd;

    if (found->unread)                                    /* what could not be read is not cut off */
        return false;
    fd = openat(j->dir_fd, name_of(j, JOURNAL_LOG, found->head.generation).text, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    if (found->size > found->end && ftruncate(fd, (off_t)found->end) < 0) {
        (void)close(fd);
        return false;
    }
    j->log_fd = fd;
    j->generation = found->head.generation;
    j->seed = found->head.seed;
    j->log_end = found->end;
    j->unsynced = true;
    return true;
}

static int read_logs(struct journal *j, const struct files *files, uint64_t base)
{
    uint64_t last = files->count ? files->all[files->count - 1].generation : 0;
    struct journal_found found;
    int got;

    for (size_t i = 0; i < files->count; i++) {
        const struct file *f = &files->all[i];

        if (f->generation < base)
            (void)unlinkat(j->dir_fd, name_of(j, f->kind, f->generation).text, 0);
        if (f->generation < base || f->kind != JOURNAL_LOG)
            continue;
        got = file_read(j, f, &found);
        if (got < 0)
            return got;
        if (got == 0)
            continue;
        if (!found.unread)
            j->counts.torn_bytes += found.size - found.end;
        if (f->generation == last && log_continue(j, &found))
            return 0;
        j->older_bytes += found.end;
    }
    return log_create(j, last + 1);
}

static int lock(struct journal *j)
{
    j->lock_fd = openat(j->dir_fd, name_with(j->name, ".lock").text, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (j->lock_fd < 0)
        return -errno;
    if (flock(j->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

static int open_folder(struct journal *j)
{
    const char *path = j->settings.path, *slash = strrchr(path, '/');
    slice name = slice_of_string(slash ? slash + 1 : path);
    char *folder;

    if (name.len == 0 || name.len > NAME_LEN_MAX)
        return name.len ? -ENAMETOOLONG : -EINVAL;
    memcpy(j->name, name.ptr, name.len);
    folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    if (!folder)
        return -ENOMEM;
    j->dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = j->dir_fd < 0 ? -errno : 0;

    free(folder);
    return error;
}

static struct journal *journal_free(struct journal *j)
{
    const int fds[] = { j->snapshot.fd, j->old_fd, j->log_fd, j->lock_fd, j->dir_fd };

    (void)journal_sync_wait(&j->sync);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    free(j->snapshot.room);
    free(j->pending);
    free(j);
    return NULL;
}

int journal_open(const struct journal_settings *settings, struct journal **ret)
{
    struct journal *j = calloc(1, sizeof *j);
    struct files files = { 0 };
    uint64_t base;
    int error;

    if (!j)
        return -ENOMEM;
    j->settings = *settings;
    j->dir_fd = j->lock_fd = j->log_fd = j->old_fd = j->snapshot.fd = -1;
    j->retry_ns = INT64_MIN;
    j->last_sync_ns = INT64_MIN;
    j->settings.pending_max = settings->pending_max ? settings->pending_max : 16u << 20;
    if (j->settings.pending_max < PENDING_LEAST)
        j->settings.pending_max = PENDING_LEAST;
    j->settings.snapshot_least = settings->snapshot_least ? settings->snapshot_least : 4u << 20;
    j->settings.snapshot_factor = settings->snapshot_factor ? settings->snapshot_factor : 2;
    error = open_folder(j);
    error = error ? error : lock(j);
    error = error ? error : files_find(j, &files);
    if (!error) {
        (void)unlinkat(j->dir_fd, name_with(j->name, ".snapshot.tmp").text, 0);
        error = read_snapshot(j, &files, &base);
    }
    error = error ? error : read_logs(j, &files, base);
    free(files.all);
    if (error)
        j = journal_free(j);
    else
        *ret = j;
    return error;
}

/* ---- the log ---- */

static bool pending_room(struct journal *j, size_t need)
{
    size_t room = j->room ? j->room : PENDING_FIRST;
    uint8_t *pending;

    if (j->settings.pending_max - j->used < need)
        return false;
    while (room - j->used < need)
        room *= 2;
    if (room == j->room)
        return true;
    pending = realloc(j->pending, room);
    if (!pending)
        return false;
    j->pending = pending, j->room = room;
    return true;
}

int journal_append(struct journal *j, slice record)
{
    size_t size = journal_record_size(record.len);

    if (record.len > JOURNAL_RECORD_MAX)
        return -EMSGSIZE;
    j->counts.appended++;
    if (!pending_room(j, size)) {
        j->counts.lost++;
        j->gap = true;
        return -ENOBUFS;
    }
    uint8_t *at = j->pending + j->used;

    memcpy(at, &(uint32_t){ htole32((uint32_t)record.len) }, 4);
    if (record.len)
        memcpy(at + JOURNAL_RECORD_HEAD, record.ptr, record.len);
    j->used += size;
    return 0;
}

static size_t payload_len_at(const uint8_t *record)
{
    uint32_t len;

    memcpy(&len, record, 4);
    return le32toh(len);
}

static void seal_all(struct journal *j)
{
    while (j->sealed < j->used) {
        uint8_t *record = j->pending + j->sealed;
        size_t len = payload_len_at(record);

        journal_record_seal(record, len, &j->seed, j->log_end + j->sealed);
        j->sealed += journal_record_size(len);
    }
}

/* The whole records among the first `written` bytes are done with. */
static void drop_written(struct journal *j, size_t written)
{
    size_t whole = 0;

    while (whole < written) {
        size_t size = journal_record_size(payload_len_at(j->pending + whole));

        if (size > written - whole)
            break;
        whole += size;
        j->counts.written++;
    }
    if (whole == 0)
        return;
    memmove(j->pending, j->pending + whole, j->used - whole);
    j->used -= whole;
    j->sealed -= whole;
    j->log_end += whole;
    j->unsynced = true;
}

int journal_flush(struct journal *j, int64_t now_ns)
{
    size_t written;
    int error;

    seal_all(j);
    error = write_at(j->log_fd, j->pending, j->used, j->log_end, &written);
    drop_written(j, written);
    if (error) {
        j->counts.write_errors++;
        return error;
    }
    if (!syncs(j))
        return 0;
    error = journal_sync_poll(&j->sync);
    if (error)
        return error == 1 ? 0 : sync_result(j, error);
    if (j->last_sync_ns != INT64_MIN && now_ns - j->last_sync_ns < j->settings.sync_ns)
        return 0;
    return log_sync(j, now_ns);
}

size_t journal_pending(const struct journal *j) { return j->used; }
const struct journal_counts *journal_counts(const struct journal *j) { return &j->counts; }

/* ---- snapshots ---- */

bool journal_snapshot_is_open(const struct journal *j) { return j->snapshot.fd >= 0; }

bool journal_wants_snapshot(const struct journal *j, int64_t now_ns)
{
    uint64_t log = j->older_bytes + j->log_end;

    if (journal_snapshot_is_open(j) || now_ns < j->retry_ns)
        return false;
    return j->gap || (log >= j->settings.snapshot_least && log / j->settings.snapshot_factor >= j->snapshot_size);
}

static void snapshot_drop(struct journal *j)
{
    struct snapshot *s = &j->snapshot;

    (void)journal_sync_wait(&s->sync);
    (void)close(s->fd);
    (void)unlinkat(j->dir_fd, name_with(j->name, ".snapshot.tmp").text, 0);    /* not there when it has its name */
    free(s->room);
    j->gap |= s->had_gap;
    *s = (struct snapshot){ .fd = -1 };
}

static int snapshot_failed(struct journal *j, int64_t now_ns, int error)
{
    j->counts.snapshot_errors++;
    j->retry_ns = now_ns + RETRY_NS;
    return error;
}

int journal_snapshot_begin(struct journal *j, int64_t now_ns)
{
    struct snapshot *s = &j->snapshot;
    struct journal_head head = { .kind = JOURNAL_SNAPSHOT };     /* nobody reads it before the end writes it */
    int error;

    assert(!journal_snapshot_is_open(j));
    (void)journal_flush(j, now_ns);                       /* what does not fit goes into the new log */
    *s = (struct snapshot){ .fd = -1, .offset = JOURNAL_FIRST, .room = malloc(SNAPSHOT_ROOM) };
    error = s->room ? new_seed(&s->seed) : -ENOMEM;
    error = error ? error : file_create(j, name_with(j->name, ".snapshot.tmp").text, &head, &s->fd);
    error = error ? error : log_create(j, j->generation + 1);
    if (!error) {
        s->had_gap = j->gap;
        j->gap = false;
        return 0;
    }
    if (s->fd >= 0) {
        snapshot_drop(j);
    } else {
        free(s->room);
        s->room = NULL;
    }
    return snapshot_failed(j, now_ns, error);
}

/* The kernel begins to write at once, so that the fsync at the end finds little left to do. */
static int snapshot_write(struct snapshot *s)
{
    size_t written;
    int error = write_at(s->fd, s->room, s->used, s->offset, &written);

    (void)sync_file_range(s->fd, (off_t)s->offset, (off_t)written, SYNC_FILE_RANGE_WRITE);
    s->offset += written;
    s->used = 0;
    return error;
}

static void remove_older(struct journal *j)
{
    struct files files = { 0 };

    if (files_find(j, &files) == 0)                       /* else the next open does it */
        for (size_t i = 0; i < files.count && files.all[i].generation < j->generation; i++)
            (void)unlinkat(j->dir_fd, name_of(j, files.all[i].kind, files.all[i].generation).text, 0);
    free(files.all);
}

/* All records are there: the head, which has their count, and then the disk's turn. */
static int snapshot_complete(struct journal *j)
{
    struct snapshot *s = &j->snapshot;
    struct journal_head head = { .kind = JOURNAL_SNAPSHOT, .generation = j->generation, .count = s->count,
                                 .seed = s->seed };
    uint8_t bytes[JOURNAL_FIRST];
    size_t written;
    int error = snapshot_write(s);

    journal_head_write(&head, bytes);
    error = error ? error : write_at(s->fd, bytes, sizeof bytes, 0, &written);
    if (error)
        return error;
    journal_sync_start(&s->sync, &s->fd, 1);
    s->stage = SYNCING;
    return 1;
}

static int snapshot_name(struct journal *j)
{
    struct snapshot *s = &j->snapshot;
    struct file_name tmp = name_with(j->name, ".snapshot.tmp"), name = name_of(j, JOURNAL_SNAPSHOT, j->generation);

    if (renameat(j->dir_fd, tmp.text, j->dir_fd, name.text) < 0)
        return -errno;
    journal_sync_start(&s->sync, &j->dir_fd, 1);
    s->stage = NAMING;
    return 1;
}

static int snapshot_end(struct journal *j, bool name_is_safe)
{
    struct snapshot *s = &j->snapshot;

    (void)close(s->fd);
    free(s->room);
    j->snapshot_size = s->offset;
    *s = (struct snapshot){ .fd = -1 };
    j->counts.snapshots++;
    if (!name_is_safe)                                    /* a power cut may show the older ones again */
        return 0;
    remove_older(j);
    j->older_bytes = 0;
    return 0;
}

static int snapshot_feed(struct journal *j, slice (*feed)(void *ctx), void *ctx, size_t max_bytes)
{
    struct snapshot *s = &j->snapshot;
    int error = 0;

    for (size_t done = 0; !error && done < max_bytes;) {
        slice record = feed(ctx);
        size_t size = journal_record_size(record.len);

        if (!record.ptr)
            return snapshot_complete(j);
        assert(record.len <= JOURNAL_RECORD_MAX);
        if (SNAPSHOT_ROOM - s->used < size)
            error = snapshot_write(s);
        memcpy(s->room + s->used + JOURNAL_RECORD_HEAD, record.ptr, record.len);
        journal_record_seal(s->room + s->used, record.len, &s->seed, s->offset + s->used);
        s->used += size;
        s->count++;
        done += size;
    }
    error = error ? error : snapshot_write(s);
    return error ? error : 1;
}

int journal_snapshot_some(struct journal *j, int64_t now_ns, slice (*feed)(void *ctx), void *ctx, size_t max_bytes)
{
    struct snapshot *s = &j->snapshot;
    int got;

    assert(journal_snapshot_is_open(j));
    if (s->stage == FEEDING) {
        got = snapshot_feed(j, feed, ctx, max_bytes);
    } else {
        got = journal_sync_poll(&s->sync);
        if (got != 1 && s->stage == NAMING)
            return snapshot_end(j, got == 0);
        got = got ? got : snapshot_name(j);
    }
    if (got >= 0)
        return got;
    snapshot_drop(j);
    return snapshot_failed(j, now_ns, got);
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    if (journal_snapshot_is_open(j))
        snapshot_drop(j);
    (void)journal_flush(j, j->last_sync_ns);
    (void)journal_sync_wait(&j->sync);
    if (syncs(j))
        (void)log_sync(j, j->last_sync_ns);
    (void)journal_free(j);
}
