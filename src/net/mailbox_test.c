/* net/mailbox_test.c - letters between threads
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <sched.h>

#include "harness/test.h"
#include "net/mailbox.h"

enum { SENDERS = 3, LETTERS = 2000 };

struct sender {
    struct mailbox *to;
    uint8_t         number;
    pthread_t       thread;
};

static void *post_all(void *ctx)
{
    struct sender *s = ctx;

    for (int i = 0; i < LETTERS; i++)
        while (!mailbox_post(s->to, &(struct letter){ .from = s->number, .number = i }, SLICE("text"), false))
            (void)sched_yield();
    return NULL;
}

struct reader {
    struct loop    *loop;
    struct mailbox *mailbox;
    int             next[SENDERS], wrong, came;
};

static int64_t read_all(void *ctx, int64_t now_ns)
{
    struct reader *r = ctx;

    (void)now_ns;
    for (struct letter *l = mailbox_take(r->mailbox); l; l = letter_free(l), r->came++)
        r->wrong += l->number != r->next[l->from]++ || !slice_eq(letter_bytes(l), SLICE("text"));
    if (r->came == SENDERS * LETTERS)
        loop_stop(r->loop);
    return INT64_MAX;
}

TEST(letters_of_several_threads_all_come_and_in_the_order_of_each)
{
    struct sender senders[SENDERS];
    struct reader r = { 0 };
    struct loop_turn turn = { .turn = read_all, .ctx = &r };

    CHECK_EQ(loop_open(&r.loop), 0);
    r.mailbox = mailbox_new(r.loop, 64 * 1024);           /* it is full often */
    loop_add_turn(r.loop, &turn, LOOP_WORK);
    for (uint8_t i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){ .to = r.mailbox, .number = i };
        CHECK_EQ(pthread_create(&senders[i].thread, NULL, post_all, &senders[i]), 0);
    }
    CHECK_EQ(loop_run(r.loop), 0);                        /* nothing but letters wakes it */
    for (int i = 0; i < SENDERS; i++)
        CHECK_EQ(pthread_join(senders[i].thread, NULL), 0);
    CHECK_EQ(r.wrong, 0);
    CHECK_EQ(mailbox_counts(r.mailbox).posted, SENDERS * LETTERS);
    loop_remove_turn(&turn);
    mailbox_free(r.mailbox);
    loop_free(r.loop);
}

TEST(what_must_come_finds_room_when_the_rest_is_refused)
{
    static const char room[1000];
    struct loop *loop;
    struct mailbox *m;
    unsigned many = 0, musts = 0, came = 0;

    CHECK_EQ(loop_open(&loop), 0);
    m = mailbox_new(loop, 40 * 1024);
    CHECK(!mailbox_has(m) && mailbox_take(m) == NULL);
    while (mailbox_post(m, &(struct letter){ 0 }, slice_of(room, sizeof room), false))
        CHECK_EQ(mailbox_is_half_full(m), ++many * (sizeof(struct letter) + sizeof room) > 20 * 1024);
    while (mailbox_post(m, &(struct letter){ .kind = 1 }, slice_of(room, sizeof room), true))
        musts++;
    CHECK(many >= 25 && many <= 30);
    CHECK(musts >= 7 && musts <= 11);
    CHECK_EQ(mailbox_counts(m).refused, 2);
    CHECK_EQ(mailbox_counts(m).refused_musts, 1);
    for (struct letter *l = mailbox_take(m); l; l = letter_free(l))
        CHECK_EQ(l->kind, came++ >= many);
    CHECK_EQ(came, many + musts);
    CHECK(mailbox_post(m, &(struct letter){ 0 }, (slice){ 0 }, false));    /* empty again */
    mailbox_free(m);                                      /* with a letter in it */
    loop_free(loop);
}

TORTURE(a_letter_without_memory_is_refused_and_counted)
{
    struct loop *loop = NULL;
    struct mailbox *m = NULL;

    CHECK_OR_GOTO(loop_open(&loop) == 0, out);
    CHECK_OR_GOTO((m = mailbox_new(loop, 0)) != NULL, out);
    if (mailbox_post(m, &(struct letter){ 0 }, SLICE("x"), true))
        CHECK_EQ(mailbox_counts(m).posted, 1);
    else
        CHECK_EQ(mailbox_counts(m).refused_musts, 1);
out:
    mailbox_free(m);
    loop_free(loop);
}
