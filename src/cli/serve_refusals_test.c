/* cli/serve_refusals_test.c - a refusal is told once, its repeats are counted, and nothing grows
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/serve_refusals.h"

#include <stdio.h>

#include "harness/test.h"

#define SECOND_NS INT64_C(1000000000)
#define START_NS (1795251000 * SECOND_NS)

static struct registration refused(const char *aor, uint16_t final, uint8_t host, uint16_t port)
{
    uint8_t ip[4] = { 10, 0, 0, host };

    return (struct registration){ .aor = slice_of_string(aor), .final = final, .client = address_v4(ip, port) };
}

TEST(the_same_refusal_is_news_once_and_counted_after_a_minute)
{
    struct serve_refusals *s = serve_refusals_new();
    struct registration a = refused("sip:a@x", 403, 1, 5060), same = refused("sip:a@x", 403, 1, 6000),
                        other_code = refused("sip:a@x", 401, 1, 5060), other_host = refused("sip:a@x", 403, 2, 5060);
    struct serve_refused got;

    CHECK(serve_refusals_is_news(s, &a, START_NS));
    CHECK(!serve_refusals_is_news(s, &same, START_NS + 1));       /* a port is no other phone */
    CHECK(!serve_refusals_is_news(s, &a, START_NS + 2));
    CHECK(serve_refusals_is_news(s, &other_code, START_NS + 3));
    CHECK(serve_refusals_is_news(s, &other_host, START_NS + 4));
    CHECK(!serve_refusals_take(s, START_NS + 59 * SECOND_NS, false, &got));
    CHECK(serve_refusals_take(s, START_NS + 60 * SECOND_NS, false, &got));
    CHECK_EQ(got.times, 2);
    CHECK_EQ(slice_of(got.aor, got.aor_len), SLICE("sip:a@x"));
    CHECK(!serve_refusals_take(s, START_NS + 60 * SECOND_NS, false, &got));
    CHECK(!serve_refusals_is_news(s, &a, START_NS + 61 * SECOND_NS));
    CHECK(serve_refusals_take(s, START_NS + 61 * SECOND_NS, true, &got));
    CHECK_EQ(got.times, 1);
    serve_refusals_free(s);
}

TEST(who_guesses_names_gets_a_line_for_some_and_one_count_for_the_rest)
{
    struct serve_refusals *s = serve_refusals_new();
    struct serve_refused got;
    unsigned news = 0;
    char aor[32];

    for (unsigned i = 0; i < 5000; i++) {
        (void)snprintf(aor, sizeof aor, "sip:%u@x", i);
        struct registration r = refused(aor, 403, 1, 5060);

        news += serve_refusals_is_news(s, &r, START_NS + i);
    }
    CHECK_EQ(news, SERVE_REFUSALS_NEWS);
    CHECK(serve_refusals_take(s, START_NS + 61 * SECOND_NS, false, &got));
    CHECK_EQ(got.times, 5000 - SERVE_REFUSALS_NEWS);
    CHECK_EQ(got.aor_len, 0);
    CHECK(!serve_refusals_take(s, START_NS + 61 * SECOND_NS, true, &got));
    serve_refusals_free(s);
}

TEST(after_ten_minutes_it_is_news_again_when_the_place_was_needed)
{
    struct serve_refusals *s = serve_refusals_new();
    unsigned news = 0;
    char aor[32];

    for (unsigned i = 0; i < 3000; i++) {                 /* 25 a minute, two hours: more than are remembered */
        (void)snprintf(aor, sizeof aor, "sip:%u@x", i);
        struct registration r = refused(aor, 403, 1, 5060);

        news += serve_refusals_is_news(s, &r, START_NS + i * 60 * SECOND_NS / 25);
    }
    CHECK_EQ(news, 3000);
    serve_refusals_free(s);
}
