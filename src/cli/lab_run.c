/* cli/lab_run.c - flows one after the other, or several at a time, and what is said of each
 * SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/packets.h"
#include "cli/lab_int.h"
#include "cli/masking.h"
#include "report/flows.h"

#define SECOND_NS INT64_C(1000000000)
enum { TEXT_MAX = 1 << 20 };

struct lab_slot {                    /* one flow of the run, in their order */
    struct lab_world *world;
    struct out        text;          /* where several are played at a time: printed in their turn */
    bool              done, good;
};
struct lab {
    struct cli            *cli;
    const struct lab_wish *wish;
    struct loop           *loop;
    struct lab_record      record;
    struct lab_slot        slots[LAB_FLOWS_MAX];
    size_t                 next, running, printed, good;
    unsigned               jobs;
    int64_t                begun_ns;
};

static volatile sig_atomic_t interrupted;
static struct loop *signal_loop;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
    if (signal_loop)
        loop_wake(signal_loop);
}

/* ---- what is said of a flow ---- */

static struct out *out_of(struct lab *lab, struct lab_slot *slot) { return lab->jobs > 1 ? &slot->text : &lab->cli->out; }

static slice seconds(int64_t ns, char room[32])
{
    snprintf(room, 32, "%lld.%lld", (long long)(ns / SECOND_NS), (long long)(ns / (SECOND_NS / 10) % 10));
    return slice_of_string(room);
}

/* A sentence in the tone of how it went, wrapped to the terminal. */
static void say(struct lab *lab, struct lab_slot *slot, enum style_tone tone, const struct out *text)
{
    struct page page = { .out = out_of(lab, slot), .style = lab->cli->style };
    struct out clean;

    out_init_memory(&clean, TEXT_MAX);
    style_clean(&clean, out_taken(text));
    page_text(&page, 0, tone, out_taken(&clean));
    out_done(&clean);
}

static void say_wrong(struct lab *lab, struct lab_slot *slot, slice name, const struct play_result *r)
{
    struct out text;

    out_init_memory(&text, TEXT_MAX);
    words_say(&text, lab->cli->words, r->came_nothing ? TEXT_LAB_NOTHING : TEXT_LAB_WRONG, WORDS_TEXT("name", name),
              WORDS_TEXT("who", slice_of((const char[]){ (char)(r->who - 'a' + 'A') }, 1)),
              WORDS_TEXT("expected", slice_of_string(r->expected)), WORDS_TEXT("came", slice_of_string(r->came)));
    say(lab, slot, TONE_BAD, &text);
    out_done(&text);
}

static void say_difference(struct lab *lab, struct lab_slot *slot, slice name, const struct script *s, const struct call_flow *f,
                           enum style_tone tone)
{
    const struct words *w = lab->cli->words;
    struct out text, what;

    out_init_memory(&text, TEXT_MAX);
    out_init_memory(&what, TEXT_MAX);
    flows_say_deviation(&what, w, f);
    if (slice_eq(slice_of_string(flow_at(f->flow)->name), slice_of_string(s->flow)))
        words_say(&text, w, TEXT_LAB_DEVIATES, WORDS_TEXT("name", name), WORDS_TEXT("what", out_taken(&what)));
    else
        words_say(&text, w, TEXT_LAB_UNLIKE, WORDS_TEXT("name", name), WORDS_TEXT("flow", slice_of_string(s->flow)));
    say(lab, slot, tone, &text);
    out_done(&what);
    out_done(&text);
}

static void say_good(struct lab *lab, struct lab_slot *slot, slice name, bool followed, const struct lab_outcome *o)
{
    struct out text;
    char room[32];

    out_init_memory(&text, TEXT_MAX);
    words_say(&text, lab->cli->words, followed ? TEXT_LAB_FOLLOWED : TEXT_LAB_HEARD, WORDS_NUMBER("count", o->messages),
                     WORDS_TEXT("name", name), WORDS_TEXT("seconds", seconds(o->took_ns, room)));
    say(lab, slot, TONE_GOOD, &text);
    out_done(&text);
}

static void say_network(struct lab *lab, struct lab_slot *slot, const struct trouble_counts *c)
{
    struct out text;

    out_init_memory(&text, TEXT_MAX);
    words_say(&text, lab->cli->words, TEXT_LAB_LOST, WORDS_NUMBER("count", c->sent), WORDS_NUMBER("lost", c->lost),
                     WORDS_NUMBER("doubled", c->doubled));
    say(lab, slot, TONE_DIM, &text);
    out_done(&text);
}

/* In a bad network repeats and overtaking change the order, and a foreign server may do it its own
 * way: there only what the phones heard decides. */
static bool judge(struct lab *lab, struct lab_slot *slot, const struct script *s, const struct lab_outcome *o)
{
    slice name = slice_of_string(s->name);
    const struct lab_wish *wish = lab->wish;
    bool is_like = s->flow && slice_eq(slice_of_string(flow_at(o->flow->flow)->name), slice_of_string(s->flow));
    bool followed = is_like && o->flow->deviation == CALL_FLOW_FOLLOWED;
    bool strict = s->flow && !lab_is_bad_network(wish) && !wish->server.family;

    if (o->play->failed) {
        say_wrong(lab, slot, name, o->play);
        return false;
    }
    if (followed || !strict)
        say_good(lab, slot, name, followed, o);
    if (!followed && s->flow && (strict || is_like))
        say_difference(lab, slot, name, s, o->flow, strict ? TONE_BAD : TONE_DIM);
    return followed || !strict;
}

/* ---- beginning and ending flows ---- */

static void say_heading(struct lab *lab, struct lab_slot *slot, const struct script *s)
{
    struct page page = { .out = out_of(lab, slot), .style = lab->cli->style };
    struct out text;

    out_init_memory(&text, TEXT_MAX);
    words_say(&text, lab->cli->words, TEXT_FLOW_TITLE, WORDS_TEXT("name", slice_of_string(s->name)),
              WORDS_TEXT("title", script_purpose(s, lab->cli->words)));
    page_text(&page, 0, TONE_STRONG, out_taken(&text));
    out_done(&text);
}

static int begin_flow(struct lab *lab, size_t i)
{
    struct lab_slot *slot = &lab->slots[i];
    struct lab_world_settings settings = { .cli = lab->cli, .wish = lab->wish, .script = lab->wish->scripts[i], .loop = lab->loop,
                                           .record = &lab->record, .seed = lab->wish->network.seed + i,
                                           .out = lab->wish->no_ladder ? NULL : out_of(lab, slot) };
    int code;

    if (!lab->wish->no_ladder) {
        say_heading(lab, slot, settings.script);
        (void)out_flush(&lab->cli->out);
    }
    code = lab_world_open(&settings, &slot->world);
    lab->running += code == CLI_DONE;
    return code;
}

static void end_flow(struct lab *lab, size_t i)
{
    struct lab_slot *slot = &lab->slots[i];
    struct lab_outcome outcome = lab_world_finish(slot->world);

    slot->good = judge(lab, slot, lab->wish->scripts[i], &outcome);
    if (lab_is_bad_network(lab->wish))
        say_network(lab, slot, &outcome.network);
    if (!lab->wish->no_ladder)
        out_char(out_of(lab, slot), '\n');
    slot->world = lab_world_free(slot->world);
    slot->done = true;
    lab->good += slot->good;
    lab->running--;
}

static void print_in_turn(struct lab *lab)
{
    for (; lab->printed < lab->next && lab->slots[lab->printed].done; lab->printed++)
        out_text(&lab->cli->out, out_taken(&lab->slots[lab->printed].text));
    (void)out_flush(&lab->cli->out);
}

static int play_all(struct lab *lab)
{
    int code = CLI_DONE;

    while (code == CLI_DONE && !interrupted && (lab->running || lab->next < lab->wish->count)) {
        while (code == CLI_DONE && lab->running < lab->jobs && lab->next < lab->wish->count)
            code = begin_flow(lab, lab->next++);
        if (code != CLI_DONE)
            break;
        if (loop_round(lab->loop, INT64_MAX) < 0)
            return cli_no_memory(lab->cli);
        for (size_t i = 0; i < lab->next; i++)
            if (lab->slots[i].world && lab_world_is_over(lab->slots[i].world))
                end_flow(lab, i);
        print_in_turn(lab);
    }
    return code;
}

/* ---- the run ---- */

static int lab_begin(struct lab *lab)
{
    struct sigaction action = { .sa_handler = on_signal };
    int error = loop_open(&lab->loop);

    if (error)
        return cli_say_error(lab->cli, CLI_MACHINE, TEXT_LAB_ERROR_LISTEN, WORDS_TEXT("address", SLICE("epoll")),
                             WORDS_TEXT("why", cli_why(lab->cli, -error)));
    if (lab->wish->pcap)
        error = capture_writer_open(lab->wish->pcap, &lab->record.writer);
    if (error)
        return masking_say_write_error(lab->cli, lab->wish->pcap, error);
    signal_loop = lab->loop;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    lab->begun_ns = loop_now_ns(lab->loop);
    return CLI_DONE;
}

static int lab_done(struct lab *lab, int code)
{
    for (size_t i = 0; i < LAB_FLOWS_MAX; i++) {
        lab_world_free(lab->slots[i].world);
        out_done(&lab->slots[i].text);
    }
    signal_loop = NULL;
    loop_free(lab->loop);
    if (lab->record.writer) {
        int error = capture_writer_close(lab->record.writer, false);

        error = lab->record.error ? lab->record.error : error;
        if (error)
            code = masking_say_write_error(lab->cli, lab->wish->pcap, error);
    }
    out_done(&lab->record.room);
    return code;
}

static int lab_report(struct lab *lab)
{
    char room[32];

    if (lab_is_bad_network(lab->wish))
        cli_say_line(lab->cli, &lab->cli->out, TEXT_LAB_SEED, WORDS_NUMBER("seed", lab->wish->network.seed));
    if (lab->wish->count > 1)
        cli_say_line(lab->cli, &lab->cli->out, TEXT_LAB_TOTAL, WORDS_NUMBER("count", lab->wish->count),
                     WORDS_NUMBER("good", lab->good),
                     WORDS_TEXT("seconds", seconds(loop_now_ns(lab->loop) - lab->begun_ns, room)));
    return lab->good == lab->wish->count ? CLI_DONE : CLI_NOT_FOUND;
}

int lab_run(struct cli *cli, const struct lab_wish *wish)
{
    struct lab lab = { .cli = cli, .wish = wish };
    int code;

    lab.jobs = wish->jobs ? wish->jobs : isatty(STDOUT_FILENO) ? 1 : (unsigned)wish->count;
    if (wish->port || wish->server.family)
        lab.jobs = 1;                                     /* one server, and its users have one phone each */
    for (size_t i = 0; i < LAB_FLOWS_MAX; i++)
        out_init_memory(&lab.slots[i].text, TEXT_MAX);
    out_init_memory(&lab.record.room, PACKETS_ROOM);
    code = lab_begin(&lab);
    if (code == CLI_DONE)
        code = play_all(&lab);
    if (code == CLI_DONE)
        code = lab_report(&lab);
    return lab_done(&lab, code);
}
