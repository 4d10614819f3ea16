/* bench/journal_bench.c - how long until a million bindings are back
 *
 *     journal_bench DIRECTORY [RECORDS [BYTES]]
 *
 * Appends RECORDS (1,000,000) records of BYTES (200) in batches of 1,000, is killed with SIGKILL
 * without closing anything, and opens the journal again as a server would at start: once from the
 * log alone, once from a snapshot with a log of a tenth behind it. Prints wall time and CPU time of
 * each. Exit 1 when a record is missing or different, or an opening takes longer than 5 s.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "store/journal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GOAL_S 5.0
enum { BATCH = 1000, SIZE_MAX_ = 4096 };

struct bench {
    uint32_t *seen;                  /* per record, how often it came */
    uint32_t  records, fed;
    size_t    bytes;
    uint64_t  wrong;
    char      room[SIZE_MAX_];
};

static double seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static slice record(struct bench *b, uint32_t number)
{
    memset(b->room, (int)(number % 251), b->bytes);
    memcpy(b->room, &number, sizeof number);
    return slice_of(b->room, b->bytes);
}

static bool on_record(void *ctx, slice r)
{
    struct bench *b = ctx;
    uint32_t number;

    memcpy(&number, r.ptr, sizeof number);
    if (r.len != b->bytes || number >= b->records || r.ptr[r.len - 1] != (char)(number % 251)) {
        b->wrong++;
        return false;
    }
    b->seen[number]++;
    return true;
}

static slice feed(void *ctx)
{
    struct bench *b = ctx;

    return b->fed < b->records ? record(b, b->fed++) : (slice){ 0 };
}

static void stop(const char *what)
{
    fprintf(stderr, "journal_bench: %s\n", what);
    exit(4);
}

static struct journal *open_it(struct bench *b, const char *path)
{
    struct journal_settings settings = { .path = path, .ctx = b, .replay = on_record, .sync_ns = -1 };
    struct journal *j;

    if (journal_open(&settings, &j) != 0)
        stop("the journal cannot be opened");
    return j;
}

/* In a child that ends with SIGKILL. */
static void write_and_die(struct bench *b, const char *path, bool with_snapshot)
{
    struct journal *j = open_it(b, path);
    uint32_t count = with_snapshot ? b->records / 10 : b->records;

    if (with_snapshot) {
        if (journal_snapshot_begin(j, 0) != 0)
            stop("no snapshot can be begun");
        while (journal_snapshot_some(j, 0, feed, b, 1 << 20) == 1)
            ;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (journal_append(j, record(b, i)) != 0)
            stop("a record was lost");
        if (i % BATCH == BATCH - 1 && journal_flush(j, 0) != 0)
            stop("nothing can be written");
    }
    if (journal_flush(j, 0) != 0)
        stop("nothing can be written");
    (void)raise(SIGKILL);
}

static bool measure(struct bench *b, const char *path, bool with_snapshot)
{
    double written = -seconds(CLOCK_MONOTONIC), wall, cpu;
    uint32_t missing = 0;
    pid_t child = fork();

    if (child == 0)
        write_and_die(b, path, with_snapshot);
    if (child < 0 || waitpid(child, NULL, 0) != child)
        stop("no child");
    written += seconds(CLOCK_MONOTONIC);
    memset(b->seen, 0, b->records * sizeof *b->seen);
    wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);

    struct journal *j = open_it(b, path);

    wall = seconds(CLOCK_MONOTONIC) - wall, cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    for (uint32_t i = 0; i < b->records; i++)
        missing += b->seen[i] == 0;
    printf("%s: %llu records of %zu bytes written in %.2f s, back after SIGKILL in %.3f s (%.3f s of CPU), "
           "%u missing, %llu wrong\n", with_snapshot ? "snapshot and log" : "log alone",
           (unsigned long long)journal_counts(j)->replayed, b->bytes, written, wall, cpu, missing,
           (unsigned long long)b->wrong);
    journal_close(j);
    return missing == 0 && b->wrong == 0 && wall <= GOAL_S;
}

static uint32_t number_of(const char *text, uint32_t least, uint32_t most)
{
    uint32_t number;

    if (!slice_to_u32(slice_of_string(text), &number) || number < least || number > most)
        stop("usage: journal_bench DIRECTORY [RECORDS [BYTES]]");
    return number;
}

int main(int argc, char **argv)
{
    struct bench b = { .records = argc > 2 ? number_of(argv[2], 10, 100000000) : 1000000,
                       .bytes = argc > 3 ? number_of(argv[3], 8, SIZE_MAX_) : 200 };
    char path[4096];

    if (argc < 2 || (size_t)snprintf(path, sizeof path, "%s/bench", argv[1]) >= sizeof path)
        stop("usage: journal_bench DIRECTORY [RECORDS [BYTES]]");
    b.seen = calloc(b.records, sizeof *b.seen);
    if (!b.seen)
        stop("no memory");
    bool fine = measure(&b, path, false);

    fine = measure(&b, path, true) && fine;
    free(b.seen);
    return fine ? 0 : 1;
}
