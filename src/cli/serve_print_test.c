/* cli/serve_print_test.c - nobody waits for a slow reader, who gets whole lines, a count, and what is owed
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/serve_print.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "harness/test.h"

static char got[1 << 20];

/* All that is in there now. */
static size_t drain(int fd, size_t at)
{
    ssize_t n;

    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    while (at < sizeof got && (n = read(fd, got + at, sizeof got - at)) > 0)
        at += (size_t)n;
    return at;
}

static void slow_reader(int reader, int writer)
{
    struct serve_print *p = serve_print_new(writer, &(struct serve_print_limits){ .bytes = 8192 });
    unsigned lines = 20000, taken = 0;
    size_t len = 0;
    char line[64];

    for (unsigned i = 0; i < lines; i++) {
        int n = snprintf(line, sizeof line, "line %06u of what nobody reads\n", i);

        (void)serve_print_put(p, slice_of(line, (size_t)n), false);
        serve_print_flush(p);
    }
    CHECK(serve_print_waits(p));
    CHECK_EQ(serve_print_take_lost(p), 0);                /* no room to say so yet */
    len = drain(reader, 0);
    serve_print_flush(p);
    len = drain(reader, len);

    uint64_t lost = serve_print_take_lost(p);

    CHECK(lost > 0);
    CHECK_EQ(serve_print_take_lost(p), 0);
    serve_print_free(p);
    len = drain(reader, len);
    for (slice rest = slice_of(got, len), text; slice_take_line(&rest, &text); taken++) {
        (void)snprintf(line, sizeof line, "line %06u of what nobody reads", taken);
        CHECK_ROW_EQ(taken, text, slice_of_string(line));
    }
    CHECK_EQ(taken + lost, lines);
    CHECK((fcntl(writer, F_GETFL) & O_NONBLOCK) == 0);    /* its flags are the shell's, too */
    (void)close(reader);
    (void)close(writer);
}

TEST(a_pipe_that_is_full_is_not_waited_for)
{
    int ends[2];

    CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
    slow_reader(ends[0], ends[1]);
}

TEST(a_socket_that_is_full_is_not_waited_for)
{
    int ends[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    slow_reader(ends[0], ends[1]);
}

TEST(a_reader_who_left_is_forgotten)
{
    int ends[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    struct serve_print *p = serve_print_new(ends[1], &(struct serve_print_limits){ .bytes = 64 });

    (void)close(ends[0]);
    (void)serve_print_put(p, SLICE("one\n"), false);
    serve_print_flush(p);
    CHECK(!serve_print_waits(p));
    for (int i = 0; i < 100; i++)
        (void)serve_print_put(p, SLICE("nobody\n"), false);
    CHECK(!serve_print_waits(p));
    CHECK_EQ(serve_print_take_lost(p), 0);
    serve_print_ends(p, 1000, 1000);
    serve_print_free(p);
    (void)close(ends[1]);
}

static unsigned put_lines(struct serve_print *p, const char *what, unsigned count, bool owed)
{
    unsigned taken = 0;
    char line[64];

    for (unsigned i = 0; i < count; i++) {
        int n = snprintf(line, sizeof line, "%s %06u of what is read late\n", what, i);

        taken += serve_print_put(p, slice_of(line, (size_t)n), owed);
    }
    return taken;
}

TEST(what_is_owed_finds_room_where_news_find_none_and_keeps_the_order)
{
    struct serve_print_limits limits = { .bytes = 64 << 10, .owed_bytes = 256 << 10 };
    unsigned news, owed, later, taken = 0;
    char want[64];
    int ends[2];

    CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
    struct serve_print *p = serve_print_new(ends[1], &limits);

    news = put_lines(p, "news", 20000, false);
    CHECK(news < 20000);
    owed = put_lines(p, "owed", 2000, true);
    CHECK_EQ(owed, 2000);
    CHECK_EQ(put_lines(p, "more", 100, false), 0);
    later = put_lines(p, "owed", 20000, true);
    CHECK(later > 0 && later < 20000);                    /* that has a limit, too */
    for (size_t len = 0, before = 1; len != before;) {
        before = len;
        len = drain(ends[0], len);
        serve_print_flush(p);
        got[len] = '\0';
    }
    CHECK_EQ(serve_print_take_lost(p), 20000 - news + 100 + 20000 - later);
    for (slice rest = slice_of_string(got), text; slice_take_line(&rest, &text); taken++) {
        unsigned nth = taken < news ? taken : taken < news + owed ? taken - news : taken - news - owed;

        (void)snprintf(want, sizeof want, "%s %06u of what is read late", taken < news ? "news" : "owed", nth);
        CHECK_ROW_EQ(taken, text, slice_of_string(want));
    }
    CHECK_EQ(taken, news + owed + later);
    serve_print_free(p);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* Reads all of it, but takes its time. Returns the lines. */
static void *read_slowly(void *fd)
{
    struct timespec pause = { .tv_nsec = 1000000 };
    static unsigned lines;
    static char some[16 << 10];
    ssize_t n;

    for (lines = 0; (n = read(*(int *)fd, some, sizeof some)) > 0; (void)nanosleep(&pause, NULL))
        for (ssize_t i = 0; i < n; i++)
            lines += some[i] == '\n';
    return &lines;
}

TEST(at_the_end_whoever_still_reads_gets_every_line)
{
    pthread_t reader;
    void *lines;
    int ends[2];

    CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
    struct serve_print *p = serve_print_new(ends[1], &(struct serve_print_limits){ .bytes = 8192 });

    CHECK_EQ(pthread_create(&reader, NULL, read_slowly, &ends[0]), 0);
    serve_print_ends(p, 5000, 20000);
    CHECK_EQ(put_lines(p, "last", 20000, false), 20000);
    serve_print_free(p);
    (void)close(ends[1]);
    CHECK_EQ(pthread_join(reader, &lines), 0);
    CHECK_EQ(*(unsigned *)lines, 20000);
    (void)close(ends[0]);
}

TEST(at_the_end_nobody_waits_twice_for_who_does_not_read)
{
    struct timespec began, over;
    int ends[2];

    CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
    struct serve_print *p = serve_print_new(ends[1], &(struct serve_print_limits){ .bytes = 8192 });

    serve_print_ends(p, 50, 5000);
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    CHECK(put_lines(p, "last", 20000, false) < 20000);
    CHECK(serve_print_take_lost(p) > 0);                  /* said now or never */
    serve_print_free(p);
    (void)clock_gettime(CLOCK_MONOTONIC, &over);
    CHECK(over.tv_sec - began.tv_sec < 4);
    (void)close(ends[0]);
    (void)close(ends[1]);
}
