/* cli/serve_bans.c - the list of banned addresses, a file beside the state that others read
 * SPDX-License-Identifier: Apache-2.0
 *
 * It is written anew, and takes its name when it is whole, at most each five seconds and only when
 * something has changed. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "cli/serve_int.h"
#include "report/bans.h"

#define EVERY_NS INT64_C(5000000000)
enum { LINE_MAX_LEN = 128, MODE = 0644 };

struct serve_bans {
    char      path[PATH_MAX], fresh[PATH_MAX];
    struct guard_ban *bans;          /* SERVE_BANS_MAX */
    struct out text;
    uint64_t   written;              /* hash of what the file holds */
    int64_t    next_ns;
    bool       is_written, failed;
};

struct serve_bans *serve_bans_new(const char *folder)
{
    struct serve_bans *b = calloc(1, sizeof *b);
    int len, fresh_len;

    if (!b)
        return NULL;
    out_init_memory(&b->text, (size_t)SERVE_BANS_MAX * LINE_MAX_LEN);
    len = snprintf(b->path, sizeof b->path, "%s/bans.tsv", folder);
    fresh_len = snprintf(b->fresh, sizeof b->fresh, "%s/bans.tsv.new", folder);
    b->failed = len < 0 || (size_t)len >= sizeof b->path || fresh_len < 0 || (size_t)fresh_len >= sizeof b->fresh;
    b->bans = calloc(SERVE_BANS_MAX, sizeof *b->bans);
    return b->bans ? b : serve_bans_free(b);
}

struct serve_bans *serve_bans_free(struct serve_bans *b)
{
    if (!b)
        return NULL;
    out_done(&b->text);
    free(b->bans);
    free(b);
    return NULL;
}

static int write_file(const char *path, slice text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, MODE), error;
    struct out o;

    if (fd < 0)
        return -errno;
    out_init_fd(&o, fd);
    out_text(&o, text);
    error = out_flush(&o);
    out_done(&o);
    if (close(fd) < 0 && !error)
        error = -errno;
    return error;
}

int serve_bans_tick(struct serve_bans *b, const struct guard *guard, int64_t now_ns)
{
    static const struct hash_seed seed = { 0x6c697374206f6620ull, 0x62616e7320617265ull };     /* it is compared with itself only */
    uint64_t hash;
    size_t count;
    int error;

    if (b->failed || now_ns < b->next_ns)
        return 0;
    b->next_ns = now_ns + EVERY_NS;
    count = guard_bans(guard, b->bans, SERVE_BANS_MAX, now_ns);
    out_clear(&b->text);
    bans_write(&b->text, b->bans, count < SERVE_BANS_MAX ? count : SERVE_BANS_MAX);
    hash = hash_slice(&seed, out_taken(&b->text));
    if (b->is_written && hash == b->written)
        return 0;
    error = write_file(b->fresh, out_taken(&b->text));
    if (!error && rename(b->fresh, b->path) < 0)
        error = -errno;
    b->failed = error != 0;
    b->is_written = !error;
    b->written = hash;
    return error;
}

const char *serve_bans_path(const struct serve_bans *b) { return b->path; }
