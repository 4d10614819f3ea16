/* cli/serve_print_test.c - nobody waits for a slow reader, who gets whole lines and a count
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/serve_print.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
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
    struct serve_print *p = serve_print_new(writer, 8192);
    unsigned lines = 20000, taken = 0;
    size_t len = 0;
    char line[64];

    for (unsigned i = 0; i < lines; i++) {
        int n = snprintf(line, sizeof line, "line %06u of what nobody reads\n", i);

        serve_print_put(p, slice_of(line, (size_t)n));
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
    serve_print_free(p, 0);
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
    struct serve_print *p = serve_print_new(ends[1], 64);

    (void)close(ends[0]);
    serve_print_put(p, SLICE("one\n"));
    serve_print_flush(p);
    CHECK(!serve_print_waits(p));
    for (int i = 0; i < 100; i++)
        serve_print_put(p, SLICE("nobody\n"));
    CHECK(!serve_print_waits(p));
    CHECK_EQ(serve_print_take_lost(p), 0);
    serve_print_free(p, 1000);
    (void)close(ends[1]);
}
