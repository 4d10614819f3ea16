/* store/journal_test.c - a journal of numbered things, and all that can happen to its files.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/journal_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/test.h"

/* ---- a folder of its own ---- */

static char folder[64], path[80];

static void folder_remove(void)
{
    DIR *dir = opendir(folder);

    for (const struct dirent *e; dir && (e = readdir(dir));)
        (void)unlinkat(dirfd(dir), e->d_name, 0);
    if (dir)
        (void)closedir(dir);
    (void)rmdir(folder);
}

static void folder_make(void)
{
    snprintf(folder, sizeof folder, "%s/journal-test-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/things", folder);
}

static const char *file_of(const char *end)
{
    static char name[120];

    snprintf(name, sizeof name, "%s%s", path, end);
    return name;
}

static bool is_there(const char *end) { return access(file_of(end), F_OK) == 0; }

static void file_write(const char *end, const void *bytes, size_t len)
{
    int fd = open(file_of(end), O_CREAT | O_TRUNC | O_WRONLY, 0600);

    CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    (void)close(fd);
}

/* ---- things: each has a number and a value; a record is both, and filling that tells of damage ---- */

enum { THINGS = 4096, RECORD_LEN_MAX = 8 + 60 };

struct things {
    uint32_t value[THINGS];          /* 0: not there */
    uint32_t asked;                  /* feed: the next */
    uint64_t wrong;                  /* records that nobody can have written */
    uint32_t last;                   /* the number of the last record that came */
    bool     refuse;
    char     room[RECORD_LEN_MAX];
};

static slice record_of(char room[static RECORD_LEN_MAX], uint32_t number, uint32_t value)
{
    size_t filling = (number * 7 + value) % 60;

    memcpy(room, &number, 4);
    memcpy(room + 4, &value, 4);
    for (size_t i = 0; i < filling; i++)
        room[8 + i] = (char)(number + value * 3 + i);
    return slice_of(room, 8 + filling);
}

static bool on_record(void *ctx, slice record)
{
    struct things *t = ctx;
    char room[RECORD_LEN_MAX];
    uint32_t number = THINGS, value = 0;

    if (record.len >= 8) {
        memcpy(&number, record.ptr, 4);
        memcpy(&value, record.ptr + 4, 4);
    }
    if (number >= THINGS || !slice_eq(record, record_of(room, number, value))) {
        t->wrong++;
        return false;
    }
    t->value[number] = value;
    t->last = number;
    return !t->refuse;
}

static slice on_feed(void *ctx)
{
    struct things *t = ctx;

    while (t->asked < THINGS && !t->value[t->asked])
        t->asked++;
    if (t->asked == THINGS)
        return (slice){ 0 };
    t->asked++;
    return record_of(t->room, t->asked - 1, t->value[t->asked - 1]);
}

static int things_open(struct things *t, struct journal **ret)
{
    struct journal_settings settings = { .path = path, .ctx = t, .replay = on_record, .sync_ns = -1 };

    memset(t, 0, sizeof *t);
    return journal_open(&settings, ret);
}

static int put(struct journal *j, struct things *t, uint32_t number, uint32_t value)
{
    char room[RECORD_LEN_MAX];

    t->value[number] = value;
    return journal_append(j, record_of(room, number, value));
}

static int snapshot_whole(struct journal *j, struct things *t, size_t slice_bytes)
{
    int more = journal_snapshot_begin(j, 0);

    t->asked = 0;
    for (more = more ? more : 1; more == 1;)
        more = journal_snapshot_some(j, 0, on_feed, t, slice_bytes);
    return more;
}

/* ---- tests ---- */

TEST(what_was_appended_comes_back_with_the_last_word)
{
    struct things t, again;
    struct journal *j;

    folder_make();
    CHECK_EQ(things_open(&t, &j), 0);
    for (uint32_t i = 0; i < 5000; i++)
        CHECK_EQ(put(j, &t, i % 1000, i + 1), 0);
    CHECK(journal_pending(j) > 0);
    CHECK_EQ(journal_flush(j, 0), 0);
    CHECK_EQ(journal_pending(j), 0);
    journal_close(j);
    CHECK_EQ(things_open(&again, &j), 0);
    CHECK_EQ(journal_counts(j)->replayed, 5000);
    CHECK_EQ(journal_counts(j)->damaged + journal_counts(j)->torn_bytes + again.wrong, 0);
    CHECK_MEM_EQ(t.value, again.value, sizeof t.value);
    journal_close(j);
    folder_remove();
}

TEST(files_are_for_their_owner_only)
{
    struct things t;
    struct journal *j;
    struct stat st;

    folder_make();
    (void)umask(0);
    CHECK_EQ(things_open(&t, &j), 0);
    CHECK_EQ(snapshot_whole(j, &t, 100), 0);
    journal_close(j);
    for (const char *const *end = (const char *const[]){ ".2.log", ".2.snapshot", ".lock", NULL }; *end; end++) {
        CHECK_EQ(stat(file_of(*end), &st), 0);
        CHECK_EQ(st.st_mode & 0777, 0600);
    }
    (void)umask(022);
    folder_remove();
}

TEST(a_snapshot_takes_the_place_of_the_log)
{
    struct things t, again;
    struct journal *j;

    folder_make();
    CHECK_EQ(things_open(&t, &j), 0);
    for (uint32_t i = 0; i < 3000; i++)
        CHECK_EQ(put(j, &t, i % 300, i + 1), 0);
    CHECK_EQ(journal_snapshot_begin(j, 0), 0);
    CHECK(journal_snapshot_is_open(j) && !journal_wants_snapshot(j, 0));
    int steps = 0;

    while (journal_snapshot_some(j, 0, on_feed, &t, 1000) == 1) {    /* changes go on meanwhile */
        CHECK_EQ(put(j, &t, (uint32_t)(steps * 37) % 300, 90000u + (uint32_t)steps), 0);
        CHECK_EQ(journal_flush(j, 0), 0);
        steps++;
    }
    CHECK(steps > 5);
    CHECK(!is_there(".1.log") && is_there(".2.log") && is_there(".2.snapshot") && !is_there(".snapshot.tmp"));
    journal_close(j);
    CHECK_EQ(things_open(&again, &j), 0);
    CHECK_EQ(journal_counts(j)->replayed, 300 + steps);
    CHECK_EQ(journal_counts(j)->missing, 0);
    CHECK_MEM_EQ(t.value, again.value, sizeof t.value);
    journal_close(j);
    folder_remove();
}

TEST(a_log_cut_at_any_byte_gives_all_records_before_the_cut)
{
    enum { RECORDS = 40 };
    struct things t;
    struct journal *j;
    size_t ends[RECORDS + 1] = { JOURNAL_FIRST }, len;
    char room[RECORD_LEN_MAX];

    folder_make();
    CHECK_EQ(things_open(&t, &j), 0);
    for (uint32_t i = 0; i < RECORDS; i++) {
        CHECK_EQ(put(j, &t, i, i + 1), 0);
        ends[i + 1] = ends[i] + journal_record_size(record_of(room, i, i + 1).len);
    }
    journal_close(j);
    char *whole = test_read_file(file_of(".1.log"), &len);

    CHECK_EQ(len, ends[RECORDS]);
    for (size_t cut = 0; cut < len; cut++) {
        size_t before = 0;

        while (before < RECORDS && ends[before + 1] <= cut)
            before++;
        file_write(".1.log", whole, cut);
        CHECK_EQ(things_open(&t, &j), 0);
        CHECK_ROW_EQ(cut, journal_counts(j)->replayed, before);
        CHECK_ROW_EQ(cut, journal_counts(j)->torn_bytes, cut - (cut < JOURNAL_FIRST ? 0 : ends[before]));
        CHECK_ROW_EQ(cut, t.wrong + journal_counts(j)->damaged, 0);
        CHECK_EQ(put(j, &t, 100, 5), 0);                  /* and it goes on behind them */
        journal_close(j);
        CHECK_EQ(things_open(&t, &j), 0);
        CHECK_ROW_EQ(cut, journal_counts(j)->replayed, before + 1);
        CHECK_ROW_EQ(cut, journal_counts(j)->torn_bytes, 0);
        journal_close(j);
        folder_remove();
        CHECK_EQ(mkdir(folder, 0700), 0);
    }
    free(whole);
    folder_remove();
}

TEST(a_flipped_bit_costs_one_record_and_is_counted)
{
    enum { RECORDS = 20 };
    struct things t;
    struct journal *j;
    size_t len;

    folder_make();
    CHECK_EQ(things_open(&t, &j), 0);
    for (uint32_t i = 0; i < RECORDS; i++)
        CHECK_EQ(put(j, &t, i, i + 1), 0);
    CHECK_EQ(snapshot_whole(j, &t, 1 << 20), 0);
    for (uint32_t i = 0; i < RECORDS; i++)
        CHECK_EQ(put(j, &t, i + RECORDS, i + 1), 0);
    journal_close(j);
    for (const char *const *end = (const char *const[]){ ".2.snapshot", ".2.log", NULL }; *end; end++) {
        char *whole = test_read_file(file_of(*end), &len);

        for (size_t bit = 0; bit < len * 8; bit += 3) {
            whole[bit / 8] ^= (char)(1 << bit % 8);
            file_write(*end, whole, len);
            CHECK_EQ(things_open(&t, &j), 0);
            const struct journal_counts *c = journal_counts(j);

            CHECK_ROW_EQ(bit, t.wrong, 0);
            CHECK_ROW(bit, c->replayed >= 2 * RECORDS - 1);
            CHECK_ROW(bit, c->replayed == 2 * RECORDS || c->damaged == 1 || c->torn_bytes > 0 || c->missing == 1);
            CHECK_ROW_EQ(bit, c->set_aside, 0);
            CHECK_ROW(bit, journal_wants_snapshot(j, 0) == (c->damaged || c->missing));
            journal_close(j);
            whole[bit / 8] ^= (char)(1 << bit % 8);
            file_write(*end, whole, len);
        }
        free(whole);
    }
    folder_remove();
}

TEST(text_that_looks_like_a_record_is_none)
{
    struct things t;
    struct journal *j;
    size_t len;
    uint8_t forged[200] = { 0 };
    const struct hash_seed guess = { 1, 2 };

    folder_make();
    CHECK_EQ(things_open(&t, &j), 0);
    memcpy(forged + JOURNAL_RECORD_HEAD, record_of((char[RECORD_LEN_MAX]){ 0 }, 7, 7).ptr, 8);
    journal_record_seal(forged, 8, &guess, JOURNAL_FIRST + JOURNAL_RECORD_HEAD);
    CHECK_EQ(journal_append(j, slice_of(forged, 32)), 0);
    CHECK_EQ(put(j, &t, 1, 2), 0);
    journal_close(j);
    char *whole = test_read_file(file_of(".1.log"), &len);

    whole[JOURNAL_FIRST] ^= 1;                            /* the length of what is around it */
    file_write(".1.log", whole, len);
    free(whole);
    CHECK_EQ(things_open(&t, &j), 0);
    CHECK_EQ(t.value[7], 0);
    CHECK_EQ(t.value[1], 2);
    CHECK_EQ(journal_counts(j)->damaged, 1);
    journal_close(j);
    folder_remove();
}

TEST(a_file_that_nothing_can_be_read_of_is_set_aside)
{
    struct things t;
    struct journal *j;
    char noise[4096];

    folder_make();
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 31 + i / 7);
    file_write(".3.snapshot", noise, sizeof noise);
    file_write(".3.log", noise, sizeof noise);
    file_write(".x.log", "mine", 4);
    file_write("2.log", "mine", 4);
    CHECK_EQ(things_open(&t, &j), 0);
    CHECK_EQ(journal_counts(j)->set_aside, 2);
    CHECK(is_there(".3.log.bad") && is_there(".3.snapshot.bad") && is_there(".x.log") && is_there("2.log"));
    CHECK(is_there(".4.log"));
    CHECK(journal_wants_snapshot(j, 0));
    CHECK_EQ(put(j, &t, 1, 1), 0);
    CHECK_EQ(snapshot_whole(j, &t, 1 << 20), 0);
    CHECK(!journal_wants_snapshot(j, 0));
    journal_close(j);
    CHECK_EQ(things_open(&t, &j), 0);
    CHECK_EQ(t.value[1], 1);
    CHECK_EQ(journal_counts(j)->set_aside, 0);
    journal_close(j);
    folder_remove();
}

TEST(a_second_process_is_kept_out)
{
    struct things t, other;
    struct journal *j, *second = NULL;

    folder_make();
    CHECK_EQ(things_open(&t, &j), 0);
    CHECK_EQ(things_open(&other, &second), -EBUSY);
    CHECK(second == NULL);
    journal_close(j);
    CHECK_EQ(things_open(&other, &second), 0);
    journal_close(second);
    folder_remove();
}

TEST(wrong_paths_and_sizes_are_refused)
{
    struct journal_settings settings = { .path = "/nowhere/at/all", .replay = on_record };
    char name[300], large[JOURNAL_RECORD_MAX + 1] = { 0 };
    struct journal *j;
    struct things t;

    CHECK_EQ(journal_open(&settings, &j), -ENOENT);
    settings.path = "/tmp/";
    CHECK_EQ(journal_open(&settings, &j), -EINVAL);
    memset(name, 'x', sizeof name);
    name[0] = '/', name[299] = '\0';
    settings.path = name;
    CHECK_EQ(journal_open(&settings, &j), -ENAMETOOLONG);
    folder_make();
    CHECK_EQ(things_open(&t, &j), 0);
    CHECK_EQ(journal_append(j, slice_of(large, sizeof large)), -EMSGSIZE);
    CHECK_EQ(journal_append(j, slice_of(large, sizeof large - 1)), 0);
    CHECK_EQ(journal_append(j, slice_of(large, 0)), 0);
    journal_close(j);
    CHECK_EQ(things_open(&t, &j), 0);
    CHECK_EQ(journal_counts(j)->replayed, 2);
    CHECK_EQ(journal_counts(j)->refused, 2);
    journal_close(j);
    folder_remove();
}

TEST(a_long_log_wants_a_snapshot)
{
    struct things t;
    struct journal *j;
    struct journal_settings settings = { .path = path, .ctx = &t, .replay = on_record, .sync_ns = -1,
                                         .snapshot_least = 10000, .snapshot_factor = 3 };
    int rounds[2] = { 0 };

    folder_make();
    memset(&t, 0, sizeof t);
    CHECK_EQ(journal_open(&settings, &j), 0);
    for (int i = 0; i < 2; i++) {
        for (; !journal_wants_snapshot(j, 0); rounds[i]++) {
            CHECK_EQ(put(j, &t, (uint32_t)rounds[i] % 500, 1), 0);
            CHECK_EQ(journal_flush(j, 0), 0);
        }
        CHECK_EQ(snapshot_whole(j, &t, 1 << 20), 0);
    }
    CHECK(rounds[0] > 100 && rounds[0] < 10000 / 24 + 1); /* the least */
    CHECK(rounds[1] > 2 * rounds[0]);                     /* three times a snapshot of nearly as many */
    journal_close(j);
    folder_remove();
}

TEST(syncs_run_beside_and_tell_of_nothing_wrong)
{
    for (int64_t every = 0; every <= 1; every++) {
        struct things t, again;
        struct journal *j;
        struct journal_settings settings = { .path = path, .ctx = &t, .replay = on_record, .sync_ns = every };

        folder_make();
        memset(&t, 0, sizeof t);
        CHECK_EQ(journal_open(&settings, &j), 0);
        for (uint32_t i = 0; i < 300; i++) {
            CHECK_EQ(put(j, &t, i % 50, i + 1), 0);
            CHECK_EQ(journal_flush(j, i), 0);
            if (i % 100 == 50)
                CHECK_EQ(snapshot_whole(j, &t, 500), 0);
        }
        CHECK_EQ(journal_counts(j)->sync_errors, 0);
        CHECK_EQ(journal_counts(j)->snapshots, 3);
        CHECK_EQ(journal_snapshot_begin(j, 0), 0);        /* and is left in the middle */
        t.asked = 0;
        while (t.asked < THINGS && journal_snapshot_some(j, 0, on_feed, &t, 1 << 20) == 1)
            ;
        journal_close(j);
        CHECK_EQ(things_open(&again, &j), 0);
        CHECK_MEM_EQ(t.value, again.value, sizeof t.value);
        journal_close(j);
        folder_remove();
    }
}

/* ---- stopped at any moment ---- */

/* The child does `steps` steps of work with snapshots in between and is gone without a word. */
static void work_and_vanish(int steps)
{
    struct things t;
    struct journal *j;
    int more = 0;

    if (things_open(&t, &j) != 0)
        _exit(9);
    for (int i = 0; i < steps; i++) {
        (void)put(j, &t, (uint32_t)i * 7 % 50, (uint32_t)i + 1);
        if (journal_flush(j, 0) != 0)
            _exit(8);
        if (i % 20 == 5 && !journal_snapshot_is_open(j)) {
            t.asked = 0;
            more = journal_snapshot_begin(j, 0) == 0;
        }
        while (more && (more = journal_snapshot_some(j, 0, on_feed, &t, 200)) == 1 && t.asked == THINGS && i % 2)
            ;                                             /* every other time the disk is waited for */
    }
    _exit(0);
}

TEST(a_stop_at_any_step_of_a_snapshot_loses_nothing)
{
    for (int steps = 0; steps < 70; steps++) {
        struct things t, wanted = { 0 };
        struct journal *j;
        int status;

        folder_make();
        pid_t child = fork();

        CHECK(child >= 0);
        if (child == 0)
            work_and_vanish(steps);
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
        for (int i = 0; i < steps; i++)
            wanted.value[i * 7 % 50] = (uint32_t)i + 1;
        CHECK_EQ(things_open(&t, &j), 0);
        CHECK_ROW(steps, memcmp(t.value, wanted.value, sizeof t.value) == 0);
        CHECK_ROW_EQ(steps, t.wrong + journal_counts(j)->damaged + journal_counts(j)->missing, 0);
        journal_close(j);
        folder_remove();
    }
}

struct shared { _Atomic uint32_t flushed, begun; };

/* Thing 0 counts upwards for ever; each value is told to the parent when it is flushed. */
static void count_for_ever(struct shared *shared)
{
    struct things t;
    struct journal *j;

    if (things_open(&t, &j) != 0)
        _exit(9);
    for (uint32_t i = t.value[0] + 1;; i++) {
        shared->begun = i;
        (void)put(j, &t, i % (THINGS - 1) + 1, i);
        (void)put(j, &t, 0, i);
        if (i % 3 == 0 && journal_flush(j, 0) == 0)
            shared->flushed = i;
        if (i % 500 == 0 && !journal_snapshot_is_open(j)) {
            t.asked = 0;
            (void)journal_snapshot_begin(j, 0);
        }
        if (journal_snapshot_is_open(j))
            (void)journal_snapshot_some(j, 0, on_feed, &t, 3000);
    }
}

TEST(kill_9_at_a_random_moment_loses_nothing_that_was_flushed)
{
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint32_t chance = 12345, last = 0;

    CHECK(shared != MAP_FAILED);
    folder_make();
    for (int round = 0; round < 60; round++) {
        struct things t;
        struct journal *j;

        shared->flushed = shared->begun = 0;
        pid_t child = fork();

        CHECK(child >= 0);
        if (child == 0)
            count_for_ever(shared);
        while (!shared->flushed && kill(child, 0) == 0 && waitpid(child, NULL, WNOHANG) == 0)
            (void)usleep(100);
        chance = chance * 1103515245 + 12345;
        (void)usleep(chance >> 16 & 0x3fff);
        CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
        CHECK_EQ(things_open(&t, &j), 0);
        CHECK_ROW(round, t.value[0] >= shared->flushed && t.value[0] <= shared->begun && shared->flushed > last);
        CHECK_ROW_EQ(round, t.wrong + journal_counts(j)->damaged + journal_counts(j)->missing, 0);
        for (uint32_t i = 1; i < THINGS; i++) {           /* each other one as its last turn left it */
            uint32_t turn = t.value[0] - (t.value[0] % (THINGS - 1) + (THINGS - 1) + 1 - i) % (THINGS - 1);

            /* or a later one, out of a log that was cut or of a snapshot that was ahead of it */
            CHECK_ROW(i, t.value[i] == turn || (t.value[i] > t.value[0] && t.value[i] <= shared->begun) ||
                             t.value[0] < THINGS);
        }
        last = t.value[0];
        journal_close(j);
    }
    (void)munmap(shared, sizeof *shared);
    folder_remove();
}

/* ---- a full disk ---- */

static void files_end_at(rlim_t bytes)
{
    struct rlimit limit;

    CHECK_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

TEST(a_full_disk_at_any_byte_loses_nothing_while_there_is_memory)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    for (rlim_t limit = 200; limit < 700; limit += 7) {
        struct things t, again;
        struct journal *j;

        folder_make();
        CHECK_EQ(things_open(&t, &j), 0);
        files_end_at(limit);
        for (uint32_t i = 0; i < 40; i++) {
            CHECK_EQ(put(j, &t, i, i + 1), 0);
            (void)journal_flush(j, 0);
        }
        CHECK_EQ(journal_flush(j, 0), -EFBIG);
        CHECK(journal_pending(j) > 0);
        CHECK_EQ(snapshot_whole(j, &t, 100), limit < JOURNAL_FIRST + 1000 ? -EFBIG : 0);
        CHECK(!journal_snapshot_is_open(j) && !is_there(".snapshot.tmp"));
        files_end_at(RLIM_INFINITY);
        CHECK_EQ(journal_flush(j, 0), 0);
        CHECK_EQ(journal_counts(j)->lost, 0);
        CHECK_EQ(journal_counts(j)->snapshot_errors, 1);
        journal_close(j);
        CHECK_EQ(things_open(&again, &j), 0);
        CHECK_ROW(limit, memcmp(t.value, again.value, sizeof t.value) == 0);
        CHECK_ROW_EQ(limit, journal_counts(j)->damaged + again.wrong, 0);
        journal_close(j);
        folder_remove();
    }
    (void)signal(SIGXFSZ, SIG_DFL);
}

TEST(what_a_full_disk_made_us_drop_comes_back_with_a_snapshot)
{
    struct things t, again;
    struct journal *j;
    struct journal_settings settings = { .path = path, .ctx = &t, .replay = on_record, .sync_ns = -1, .pending_max = 1 };
    const int64_t later = INT64_C(60) * 1000000000;
    uint32_t i = 0;

    (void)signal(SIGXFSZ, SIG_IGN);
    folder_make();
    memset(&t, 0, sizeof t);
    CHECK_EQ(journal_open(&settings, &j), 0);
    files_end_at(200);
    while (put(j, &t, i % THINGS, i + 1) == 0 && i < 1000000)
        i++;
    CHECK(i > 1000 && i < 1000000);
    CHECK_EQ(journal_counts(j)->lost, 1);
    CHECK_EQ(journal_flush(j, 0), -EFBIG);
    CHECK(journal_wants_snapshot(j, 0));
    CHECK_EQ(snapshot_whole(j, &t, 1 << 20), -EFBIG);
    CHECK(!journal_wants_snapshot(j, 0) && journal_wants_snapshot(j, later));
    files_end_at(RLIM_INFINITY);
    CHECK_EQ(snapshot_whole(j, &t, 1 << 20), 0);
    CHECK(!journal_wants_snapshot(j, later));
    journal_close(j);
    CHECK_EQ(things_open(&again, &j), 0);
    CHECK_MEM_EQ(t.value, again.value, sizeof t.value);
    journal_close(j);
    folder_remove();
    (void)signal(SIGXFSZ, SIG_DFL);
}

TORTURE(a_journal_survives_without_memory)
{
    static struct things t;
    struct journal *j = NULL;

    folder_make();
    CHECK_OR_GOTO(things_open(&t, &j) == 0, out);
    CHECK_OR_GOTO(put(j, &t, 1, 1) == 0, out);
    CHECK_OR_GOTO(snapshot_whole(j, &t, 1 << 20) == 0, out);
    CHECK_OR_GOTO(put(j, &t, 2, 2) == 0, out);
    CHECK_EQ(journal_flush(j, 0), 0);
out:
    journal_close(j);
    folder_remove();
}
