/* cli/serve_relays_test.c - which address of a media relay is used
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/serve_relays.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/test.h"
#include "net/socket.h"

#define MS INT64_C(1000000)

/* Three sockets of the loopback that a name may stand for. */
static struct {
    struct loop         *loop;
    struct serve_relays *relays;
    struct config       *config;
    struct address       at[3];
    int                  fd[3];
    unsigned             located, heard, lost;
    uint16_t             index;
    char                 uri[320];
} t;

static void on_datagram(void *ctx, const void *relay, slice bytes, int64_t now_ns)
{
    (void)ctx, (void)bytes, (void)now_ns;
    CHECK(relay != NULL);
    t.heard++;
}

static void on_lost(void *ctx, const void *relay, int64_t now_ns)
{
    (void)ctx, (void)relay, (void)now_ns;
    t.lost++;
}

static void on_locate(void *ctx, slice uri, uint16_t index)
{
    (void)ctx;
    t.located++;
    t.index = index;
    snprintf(t.uri, sizeof t.uri, SLICE_FMT, SLICE_ARG(uri));
}

static bool configure(const char *relay)
{
    struct config_report report = { 0 };
    char text[256];

    t.config = config_free(t.config);
    snprintf(text, sizeof text, "[media]\nmode = anchor\nrtpengine = %s\n", relay);
    CHECK_EQ(config_read(slice_of_string(text), &t.config, &report), 0);
    config_report_done(&report);
    return t.config != NULL;
}

static bool begin(void)
{
    memset(&t, 0, sizeof t);
    CHECK_EQ(loop_open(&t.loop), 0);
    t.relays = serve_relays_new(t.loop, &(struct serve_relays_user){ NULL, on_datagram, on_lost, NULL, on_locate });
    for (int i = 0; i < 3; i++) {
        struct socket_wish wish = { .type = SOCK_DGRAM };
        enum net_fault_what what;

        CHECK(address_parse_ip(SLICE("127.0.0.1"), &wish.local));
        t.fd[i] = socket_bound(&wish, &what);
        CHECK(t.fd[i] >= 0 && socket_local(t.fd[i], &t.at[i]) == 0);
    }
    return t.relays != NULL;
}

static void end(void)
{
    for (int i = 0; i < 3; i++)
        if (t.fd[i] >= 0)
            (void)close(t.fd[i]);
    config_free(t.config);
    serve_relays_free(t.relays);
    loop_free(t.loop);
}

static void found(unsigned first, unsigned count)
{
    struct targets targets = { .outcome = count ? TARGETS_FOUND : TARGETS_TIMED_OUT, .count = (uint8_t)count };

    for (unsigned i = 0; i < count; i++)
        targets.list[i] = (struct target){ .address = t.at[first + i], .transport = WIRE_UDP };
    serve_relays_found(t.relays, t.index, &targets);
}

static void wait_ms(int64_t ms)
{
    int64_t until_ns = loop_now_ns(t.loop) + ms * MS;

    do {
        CHECK_EQ(loop_round(t.loop, until_ns), 0);
    } while (loop_now_ns(t.loop) < until_ns);
}

/* Which of them got something; -1: none. It answers when it is to. */
static int receiver(bool answers)
{
    int got = -1;

    wait_ms(10);
    for (int i = 0; i < 3; i++) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        char byte;

        if (t.fd[i] < 0 || recvfrom(t.fd[i], &byte, 1, MSG_DONTWAIT, (struct sockaddr *)&from, &len) != 1)
            continue;
        CHECK_EQ(got, -1);
        got = i;
        if (answers)
            CHECK_EQ(sendto(t.fd[i], "y", 1, 0, (struct sockaddr *)&from, len), 1);
    }
    wait_ms(10);
    return got;
}

static int say(struct media_sender to, bool answers)
{
    to.send(to.ctx, SLICE("x"));
    return receiver(answers);
}

TEST(a_numeric_relay_is_asked_at_once_and_the_same_address_is_the_same_relay)
{
    char text[ADDRESS_TEXT_MAX];
    struct media_sender first, again;

    CHECK_OR_RETURN(begin());
    address_format(&t.at[1], text);
    CHECK(configure(text));
    first = serve_relays_sender(t.relays, t.config);
    CHECK_EQ(say(first, true), 1);
    CHECK_EQ(t.heard, 1);
    CHECK(configure(text));
    again = serve_relays_sender(t.relays, t.config);
    CHECK(again.ctx == first.ctx);
    CHECK_EQ(say(again, true), 1);
    CHECK_EQ(t.located, 0);
    end();
}

TEST(a_name_is_looked_up_at_the_start_and_with_each_reload)
{
    struct media_sender to, again;

    CHECK_OR_RETURN(begin());
    CHECK(configure("relay.example"));
    to = serve_relays_sender(t.relays, t.config);
    CHECK_EQ(t.located, 1);
    CHECK_EQ(slice_of_string(t.uri), SLICE("sip:relay.example:2223;transport=udp"));
    CHECK_EQ(say(to, true), -1);                          /* nothing is known yet: it is away */
    found(0, 1);
    CHECK_EQ(say(to, true), 0);
    CHECK(configure("relay.example"));
    again = serve_relays_sender(t.relays, t.config);
    CHECK(again.ctx == to.ctx);
    CHECK_EQ(t.located, 2);
    found(0, 0);                                          /* the DNS is silent: what was known holds */
    CHECK_EQ(say(to, true), 0);
    found(0, 2);                                          /* one more: it stays with the one that answers */
    CHECK_EQ(say(to, true), 0);
    found(1, 2);
    CHECK_EQ(say(to, true), 1);
    CHECK(configure("other.example"));
    CHECK(serve_relays_sender(t.relays, t.config).ctx != to.ctx);
    end();
}

TEST(an_address_that_nobody_has_or_that_is_silent_is_left_for_the_next)
{
    struct media_sender to;

    CHECK_OR_RETURN(begin());
    CHECK(configure("relay.example:2000"));
    to = serve_relays_sender(t.relays, t.config);
    (void)close(t.fd[0]);
    t.fd[0] = -1;
    found(0, 3);
    CHECK_EQ(say(to, true), -1);                          /* refused, which is told */
    CHECK_EQ(t.lost, 1);
    CHECK_EQ(say(to, false), 1);
    CHECK_EQ(say(to, false), 1);                          /* it may be slow */
    wait_ms(1000);
    CHECK_EQ(say(to, true), 2);
    CHECK_EQ(say(to, true), 2);
    wait_ms(1100);
    CHECK_EQ(say(to, false), 2);                          /* all was answered: silence was ours */
    CHECK_EQ(t.located, 1);
    wait_ms(1000);
    CHECK_EQ(say(to, false), -1);                         /* the first again, and the name is asked for */
    CHECK_EQ(t.located, 2);
    end();
}

TEST(there_are_so_many_relays_in_one_life_and_no_more)
{
    CHECK_OR_RETURN(begin());
    for (int i = 0; i <= WORKER_RELAYS_MAX; i++) {
        char text[64];

        snprintf(text, sizeof text, "relay%d.example", i);
        CHECK(configure(text));
        CHECK_EQ(serve_relays_sender(t.relays, t.config).send != NULL, i < WORKER_RELAYS_MAX);
    }
    end();
}
