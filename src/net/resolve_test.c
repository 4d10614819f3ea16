/* net/resolve_test.c - targets asked of a DNS server of the test's own, on 127.0.0.1.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "harness/net_dns.h"
#include "harness/test.h"
#include "net/resolve.h"

#define SECOND INT64_C(1000000000)
enum { WATCHED_MAX = 16, DONE_MAX = 8 };

static const struct targets_settings usual = {
    .transports = { WIRE_UDP, WIRE_TCP, WIRE_TLS }, .transport_count = 3, .family = TARGETS_V4_FIRST,
};

#define ZONE \
    "example.com 300 NAPTR 10 1 s SIP+D2U _sip._udp.example.com\n" \
    "_sip._udp.example.com 200 SRV 1 1 5070 b.example.com\n" \
    "_sip._udp.example.com 200 SRV 0 1 5060 a.example.com\n" \
    "a.example.com 100 CNAME c.example.com\n" \
    "c.example.com 100 A 192.0.2.1\n" \
    "b.example.com 100 A 192.0.2.2\n" \
    "b.example.com 100 AAAA 2001:db8::2\n" \
    "v6.example 100 AAAA 2001:db8::6\n" \
    "soon.example 0 A 192.0.2.3\n" \
    "silent.example 0 SILENT\n" \
    "broken.example 0 SERVFAIL\n" \
    "closed.example 0 REFUSED\n" \
    "ring.example 9 CNAME ring2.example\n" \
    "ring2.example 9 CNAME ring.example\n" \
    "big.example 9 BIG\n" \
    "big.example 9 A 192.0.2.9\n"

/* A loop, the server and the resolver, all in this thread. Time is ours but for the time-outs
 * of c-ares. */
struct world {
    struct dns_server server;
    struct resolve *r;
    int64_t now_ns;
    struct pollfd watched[WATCHED_MAX];
    size_t watched_count;
    struct targets done[DONE_MAX];
    size_t done_count;
    struct resolve_ask *victim;      /* to cancel when the first is done */
    slice next;                      /* to start then */
    bool failed;                     /* a callback had no memory */
};

static void watch(void *ctx, int fd, bool want_read, bool want_write)
{
    struct world *w = ctx;
    size_t i = 0;

    while (i < w->watched_count && w->watched[i].fd != fd)
        i++;
    CHECK(i < WATCHED_MAX);
    if (!want_read && !want_write) {
        CHECK(i < w->watched_count);
        w->watched[i] = w->watched[--w->watched_count];
        return;
    }
    w->watched[i] = (struct pollfd){ .fd = fd };
    w->watched[i].events = (short)((want_read ? POLLIN : 0) | (want_write ? POLLOUT : 0));
    w->watched_count += i == w->watched_count;
}

static int start(struct world *w, slice uri, struct resolve_ask **ret_ask);

static void on_done(void *ctx, const struct targets *found)
{
    struct world *w = ctx;

    CHECK(w->done_count < DONE_MAX);
    w->done[w->done_count++] = *found;
    if (w->victim)
        resolve_cancel(w->r, w->victim);
    w->victim = NULL;
    if (w->next.len) {
        struct resolve_ask *ask;
        slice uri = w->next;

        w->next = (slice){ 0 };
        w->failed = start(w, uri, &ask) < 0;
    }
}

/* What comes at once goes where the rest goes. */
static int start(struct world *w, slice uri, struct resolve_ask **ret_ask)
{
    struct resolve_wish wish = { .uri = uri, .targets = &usual, .random = 5, .ctx = w, .done = on_done };
    int result = resolve_start(w->r, &wish, w->now_ns, &w->done[w->done_count], ret_ask);

    w->done_count += result == 1;
    return result;
}

static bool begin_with(struct world *w, slice zone, struct resolve_settings settings)
{
    char servers[32];
    int error = 0;

    *w = (struct world){ .now_ns = 1795251000 * SECOND };
    dns_server_start(&w->server, zone);
    snprintf(servers, sizeof servers, "127.0.0.1:%u", w->server.port);
    settings.servers = servers;
    settings.ctx = w;
    settings.watch = watch;
    settings.timeout_ms = settings.timeout_ms ? settings.timeout_ms : 2000;
    w->r = resolve_new(&settings, &error);
    if (!w->r)
        CHECK_EQ(error, -ENOMEM);
    return w->r != NULL;
}

static void begin(struct world *w)
{
    CHECK(begin_with(w, SLICE(ZONE), (struct resolve_settings){0}));
}

static void end(struct world *w)
{
    w->r = resolve_free(w->r);
    CHECK_EQ(w->watched_count, 0);
    dns_server_stop(&w->server);
}

/* Until so many are done, or nothing is left to wait for. */
static void run(struct world *w, size_t done)
{
    while (w->done_count < done) {
        struct pollfd fds[WATCHED_MAX + 2 + DNS_CONNECTIONS_MAX];
        int64_t due_ns = resolve_due_ns(w->r, w->now_ns);
        size_t count = w->watched_count;

        if (due_ns == INT64_MAX && !count)
            return;
        memcpy(fds, w->watched, count * sizeof *fds);
        size_t all = count + dns_server_poll(&w->server, fds + count);
        int ready = poll(fds, all, due_ns == INT64_MAX ? 10000 : (int)((due_ns - w->now_ns + 999999) / 1000000));

        CHECK(ready >= 0 && (ready > 0 || due_ns != INT64_MAX));
        if (!ready)
            resolve_due(w->r, w->now_ns);
        dns_server_serve(&w->server);
        for (size_t i = 0; i < count; i++)
            if (fds[i].revents)
                resolve_ready(w->r, fds[i].fd, fds[i].revents & (POLLIN | POLLERR | POLLHUP), fds[i].revents & POLLOUT,
                              w->now_ns);
    }
}

static void print(const struct targets *found, char *text, size_t size)
{
    size_t n = (size_t)snprintf(text, size, "%s", targets_outcome_name(found->outcome).ptr);

    for (uint8_t i = 0; i < found->count && n < size; i++) {
        char address[ADDRESS_TEXT_MAX];

        address_format(&found->list[i].address, address);
        n += (size_t)snprintf(text + n, size - n, " %s/%s", address,
                              wire_transport_name((enum wire_transport)found->list[i].transport).ptr);
    }
}

static const char *solve(struct world *w, slice uri)
{
    static char text[512];
    struct resolve_ask *ask;
    size_t before = w->done_count = 0;

    CHECK(start(w, uri, &ask) >= 0);
    run(w, before + 1);
    CHECK_EQ(w->done_count, 1);
    print(&w->done[0], text, sizeof text);
    return text;
}

TEST(a_domain_becomes_its_servers)
{
    static const struct { slice uri; const char *found; } rows[] = {
        { SLICE_INIT("sip:alice@example.com"),
          "found 192.0.2.1:5060/udp 192.0.2.2:5070/udp [2001:db8::2]:5070/udp" },
        { SLICE_INIT("sip:v6.EXAMPLE:5066;transport=tcp"), "found [2001:db8::6]:5066/tcp" },
        { SLICE_INIT("sip:big.example:5060"), "found 192.0.2.9:5060/udp" },
        { SLICE_INIT("sip:nowhere.example"), "none" },
        { SLICE_INIT("sip:broken.example"), "failed" },
        { SLICE_INIT("sip:closed.example:5060"), "failed" },
        { SLICE_INIT("sip:ring.example:5060"), "failed" },
        { SLICE_INIT("sip:198.51.100.1"), "found 198.51.100.1:5060/udp" },
        { SLICE_INIT("tel:+49"), "bad-uri" },
    };
    struct world w;

    begin(&w);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_ROW_EQ(i, solve(&w, rows[i].uri), rows[i].found);
    CHECK_EQ(w.server.by_tcp, 2);                         /* the big one, A and AAAA */
    CHECK_EQ(resolve_counts(w.r).timeouts, 0);
    end(&w);
}

TEST(a_silent_server_costs_one_time_out_and_not_one_each_call)
{
    struct world w;
    unsigned asked;

    CHECK(begin_with(&w, SLICE(ZONE), (struct resolve_settings){ .timeout_ms = 30, .tries = 2 }));
    CHECK_STR_EQ(solve(&w, SLICE("sip:silent.example:5060")), "timed-out");
    asked = w.server.asked;
    CHECK_EQ(asked, 4);                                   /* A and AAAA, two tries */
    CHECK_EQ(resolve_counts(w.r).timeouts, 2);
    CHECK_STR_EQ(solve(&w, SLICE("sip:silent.example:5060")), "timed-out");
    CHECK_EQ(w.server.asked, asked);
    CHECK_EQ(resolve_counts(w.r).at_once, 1);
    w.now_ns += 6 * SECOND;
    CHECK_STR_EQ(solve(&w, SLICE("sip:silent.example:5060")), "timed-out");
    CHECK_EQ(w.server.asked, 2 * asked);
    end(&w);
}

TEST(no_dns_server_at_all_is_a_failure)
{
    struct world w;

    CHECK(begin_with(&w, SLICE(ZONE), (struct resolve_settings){ .timeout_ms = 30, .tries = 2 }));
    dns_server_stop(&w.server);
    CHECK_STR_EQ(solve(&w, SLICE("sip:example.com")), "failed");
    end(&w);
}

TEST(answers_are_kept_as_long_as_their_ttl)
{
    struct world w;
    unsigned asked;

    begin(&w);
    solve(&w, SLICE("sip:example.com"));
    asked = w.server.asked;
    CHECK_EQ(asked, 6);                                   /* NAPTR, SRV, two hosts by two families */
    w.now_ns += 19 * SECOND;
    solve(&w, SLICE("sip:EXAMPLE.com"));
    CHECK_EQ(w.server.asked, asked);
    CHECK_EQ(resolve_counts(w.r).at_once, 1);
    w.now_ns += 2 * SECOND;                               /* "a.example.com has no AAAA" held 20 s */
    solve(&w, SLICE("sip:example.com"));
    CHECK_EQ(w.server.asked, asked + 1);
    w.now_ns += 100 * SECOND;                             /* addresses, of which the other AAAA is there */
    solve(&w, SLICE("sip:example.com"));
    CHECK_EQ(w.server.asked, asked + 5);
    w.now_ns += 100 * SECOND;                             /* and the SRV */
    solve(&w, SLICE("sip:example.com"));
    CHECK_EQ(w.server.asked, asked + 10);
    end(&w);
}

TEST(a_ttl_of_0_is_not_kept_and_a_long_one_is_cut)
{
    struct world w;

    CHECK(begin_with(&w, SLICE("soon 0 A 192.0.2.3\nsoon 0 AAAA ::3\nlong 999999 A 192.0.2.3\nlong 999999 AAAA ::3\n"),
                     (struct resolve_settings){ .ttl_max_ns = 60 * SECOND }));
    solve(&w, SLICE("sip:soon:5060"));
    solve(&w, SLICE("sip:soon:5060"));
    CHECK_EQ(w.server.asked, 4);
    solve(&w, SLICE("sip:long:5060"));
    w.now_ns += 59 * SECOND;
    solve(&w, SLICE("sip:long:5060"));
    CHECK_EQ(w.server.asked, 6);
    w.now_ns += 1 * SECOND;
    solve(&w, SLICE("sip:long:5060"));
    CHECK_EQ(w.server.asked, 8);
    end(&w);
}

TEST(many_who_ask_for_one_name_share_one_query)
{
    struct resolve_ask *ask;
    struct world w;

    begin(&w);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(start(&w, SLICE("sip:example.com"), &ask), 0);
    run(&w, 5);
    CHECK_EQ(w.done_count, 5);
    CHECK_EQ(w.server.asked, 6);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(w.done[i].count, 3);
    CHECK_EQ(resolve_counts(w.r).asks_now, 0);
    end(&w);
}

TEST(who_cancels_is_not_told)
{
    struct resolve_ask *first, *second;
    struct world w;

    begin(&w);
    CHECK_EQ(start(&w, SLICE("sip:b.example.com:1"), &first), 0);
    CHECK_EQ(start(&w, SLICE("sip:b.example.com:2"), &second), 0);
    resolve_cancel(w.r, first);
    run(&w, 1);
    CHECK_EQ(w.done_count, 1);
    CHECK_EQ(w.done[0].list[0].address.port, 2);
    CHECK_EQ(start(&w, SLICE("sip:b.example.com:3"), &first), 1);     /* the answer was kept all the same */
    end(&w);
}

TEST(who_is_told_may_cancel_and_start_others)
{
    struct resolve_ask *ask;
    struct world w;

    begin(&w);
    CHECK_EQ(start(&w, SLICE("sip:b.example.com:1"), &ask), 0);
    CHECK_EQ(start(&w, SLICE("sip:b.example.com:2"), &w.victim), 0);
    w.next = SLICE("sip:v6.example:3");
    run(&w, 2);
    CHECK_EQ(w.done_count, 2);
    CHECK_EQ(w.done[0].list[0].address.port, 1);
    CHECK_EQ(w.done[1].list[0].address.port, 3);
    end(&w);
}

TEST(asks_under_way_are_bounded_and_may_be_left)
{
    struct resolve_ask *ask;
    struct world w;

    CHECK(begin_with(&w, SLICE(ZONE), (struct resolve_settings){ .asks_max = 2 }));
    CHECK_EQ(start(&w, SLICE("sip:example.com"), &ask), 0);
    CHECK_EQ(start(&w, SLICE("sip:silent.example"), &ask), 0);
    CHECK_EQ(start(&w, SLICE("sip:v6.example:5060"), &ask), -EBUSY);
    CHECK_EQ(start(&w, SLICE("sip:192.0.2.1"), &ask), 1);
    CHECK_EQ(resolve_counts(w.r).refused, 1);
    end(&w);
}

TEST(the_cache_is_bounded_and_forgets_what_was_not_used_for_longest)
{
    struct resolve_ask *ask;
    struct world w;
    unsigned asked;

    CHECK(begin_with(&w, SLICE(ZONE), (struct resolve_settings){ .names_max = 6 }));
    solve(&w, SLICE("sip:b.example.com:1"));
    for (int i = 0; i < 40; i++) {
        char uri[64];

        snprintf(uri, sizeof uri, "sip:x%d.example:1", i);
        CHECK_ROW_EQ(i, solve(&w, slice_of_string(uri)), "none");
        asked = w.server.asked;
        solve(&w, SLICE("sip:b.example.com:1"));          /* used, so it stays */
        CHECK_ROW_EQ(i, w.server.asked, asked);
        CHECK_ROW(i, resolve_counts(w.r).names <= 6);
    }
    w.done_count = 0;
    for (int i = 0; i < 3; i++) {                         /* all of it under way: */
        char uri[64];

        snprintf(uri, sizeof uri, "sip:y%d.example:1", i);
        CHECK_EQ(start(&w, slice_of_string(uri), &ask), 0);
    }
    CHECK_STR_EQ(solve(&w, SLICE("sip:y4.example:1")), "failed");
    end(&w);
}

TEST(etc_hosts_comes_before_the_dns)
{
    struct world w;
    size_t length;
    char *hosts = test_read_file("/etc/hosts", &length);
    bool known = slice_find(slice_of(hosts, length), SLICE("localhost")) >= 0;

    free(hosts);
    if (!known)
        SKIP("/etc/hosts does not know localhost");
    CHECK(begin_with(&w, SLICE("localhost 9 A 192.0.2.66\nlocalhost 9 AAAA 2001:db8::66\n"),
                     (struct resolve_settings){0}));
    CHECK_STR_EQ(strndupa(solve(&w, SLICE("sip:localhost:5060")), 21), "found 127.0.0.1:5060/");
    CHECK_EQ(w.server.asked, 0);
    CHECK(resolve_counts(w.r).hosts > 0);
    end(&w);
}

TEST(a_list_of_servers_that_cannot_be_read_is_refused)
{
    int error = 0;

    CHECK(!resolve_new(&(struct resolve_settings){ .servers = "not an address", .watch = watch }, &error));
    CHECK_EQ(error, -EINVAL);
}

TEST(it_says_what_it_knows)
{
    struct resolve_ask *ask;
    struct world w;
    struct out o;

    begin(&w);
    out_init_memory(&o, 0);
    solve(&w, SLICE("sip:a.example.com:5060"));
    start(&w, SLICE("sip:example.com"), &ask);
    resolve_debug(&o, w.r, w.now_ns + 15 * SECOND);
    CHECK(slice_find(out_taken(&o), SLICE("NAPTR example.com, asked\n")) >= 0);
    CHECK(slice_find(out_taken(&o), SLICE("A a.example.com, 1 record, 85 s\n")) >= 0);
    CHECK(slice_find(out_taken(&o), SLICE("AAAA a.example.com, none, 5 s\n")) >= 0);
    out_done(&o);
    end(&w);
}

TORTURE(without_memory_an_ask_fails_and_nothing_is_left)
{
    struct resolve_ask *ask;
    struct world w;

    CHECK_OR_GOTO(begin_with(&w, SLICE(ZONE), (struct resolve_settings){0}), out);
    int result = start(&w, SLICE("sip:example.com"), &ask);

    CHECK_OR_GOTO(result >= 0, out);
    run(&w, 1);
    CHECK_EQ(w.done_count, 1);
    CHECK_OR_GOTO(w.done[0].count == 3, out);
out:
    end(&w);
}
