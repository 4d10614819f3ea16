/* cli/read_run.c - one reading, from sources to printer; see cmd_read.c
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "call/filter.h"
#include "cli/inputs.h"
#include "cli/pipeline.h"
#include "cli/read_int.h"
#include "diagnose/flow.h"
#include "report/ladder.h"
#include "report/shelf.h"
#include "report/sketches.h"
#include "track/session.h"
#include "wire/incident.h"

#define PROGRESS_AFTER_S 2           /* shorter work needs no bar */
#define INCIDENTS_SHOWN_MAX 200u
#define PAGE_TEXT_BYTES (256u << 10)         /* of the messages of a leg, on a page */
#define PROGRESS_FRAMES  65536u      /* a look at the clock now and then */
#define BATCH_FRAMES     256u        /* between looks at the output; divides PROGRESS_FRAMES */

enum { KINDS = 5 };                  /* of records that can be filtered */

struct reading {
    struct cli             *cli;
    const struct read_wish *wish;
    struct inputs           inputs;
    struct pipeline         pipeline;
    struct printer          printer;
    struct shelf            shelf;
    struct sketches         sketches;        /* ladders of the calls that are live */
    struct ladder          *ladder;          /* of the chosen call with all its legs */
    struct html_book       *book;            /* the page that is being made, or NULL */
    struct filter          *filters[KINDS];  /* calls, registrations, transactions, messages, streams */
    uint64_t                ladder_index, ladder_others;     /* of the chosen call, 0: none yet */
    struct call            *legs[SESSION_LEGS_MAX];          /* of it, itself first; kept for what is said of them */
    size_t                  leg_count;
    struct incident         incidents[INCIDENTS_SHOWN_MAX];  /* come at the end of the tracker's life */
    size_t                  incident_count;
    struct summary          summary;
    uint64_t                matches;         /* messages shown */
    time_t                  began_s;
    bool                    progress_shown;
};

/* ---- what the tracker tells ------------------------------------------------------------------ */

static void on_opened(void *ctx, const struct call *c)
{
    struct reading *r = ctx;

    if (!r->wish->ladder.len || !pipeline_names(r->wish->ladder, c))
        return;
    if (r->ladder_index)
        r->ladder_others++;
    else
        r->ladder_index = c->index;
}

/* The ladder of a session, all legs in one; NULL: none was kept. */
static struct ladder *session_ladder(struct reading *r, struct call *const *legs, size_t count)
{
    struct ladder *ladder = NULL;

    for (size_t i = 0; i < count; i++) {
        struct ladder *of_leg = sketches_take(&r->sketches, legs[i]->index);

        if (of_leg && ladder)
            ladder_take(ladder, of_leg);
        else if (of_leg)
            ladder = of_leg;
    }
    return ladder;
}

static bool has_chosen(const struct reading *r, struct call *const *legs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (legs[i]->index == r->ladder_index)
            return true;
    return false;
}

/* The chosen call with all legs that it was joined with, itself first. */
static void keep_ladder(struct reading *r, struct call *const *legs, size_t count)
{
    struct ladder *ladder = session_ladder(r, legs, count);

    if (r->ladder || !has_chosen(r, legs, count)) {
        ladder_free(ladder);
        return;
    }
    r->ladder = ladder;
    for (size_t i = 0; i < count && i < SESSION_LEGS_MAX; i++) {
        for (const struct list *s = legs[i]->streams.next; ladder && s != &legs[i]->streams; s = s->next)
            ladder_stream(ladder, list_item(s, struct stream, in_list));
        r->legs[r->leg_count++] = legs[i];
        if (legs[i]->index == r->ladder_index) {
            r->legs[r->leg_count - 1] = r->legs[0];
            r->legs[0] = legs[i];
        }
    }
    if (ladder)
        ladder_verdicts(ladder, r->legs, r->leg_count);
}

static bool is_kept(const struct reading *r, const struct call *c)
{
    for (size_t i = 0; i < r->leg_count; i++)
        if (r->legs[i] == c)
            return true;
    return false;
}

/* What the filter has no use for takes no place on the page; one that looks back from the end
 * of the capture is asked when that is known. */
static bool may_be_listed(const struct reading *r, struct call *const *legs, size_t count)
{
    if (!r->filters[0] || r->shelf.wait)
        return r->shelf.wish.calls;
    for (size_t i = 0; i < count; i++)
        if (filter_match(r->filters[0], legs[i], r->shelf.now_ns))
            return true;
    return false;
}

static void keep_page(struct reading *r, struct call *const *legs, size_t count)
{
    struct ladder *ladder = session_ladder(r, legs, count);

    if (ladder)
        ladder_verdicts(ladder, legs, count);
    if (may_be_listed(r, legs, count))
        html_book_session(r->book, legs, count, ladder);
    ladder_free(ladder);
}

static void on_session(void *ctx, struct call *const *legs, size_t count)
{
    struct reading *r = ctx;

    summary_session(&r->summary);
    diagnose_flow(legs, count);
    if (r->wish->ladder.len)
        keep_ladder(r, legs, count);
    if (r->book)
        keep_page(r, legs, count);
}

static void on_incident(void *ctx, const struct incident *incident)
{
    struct reading *r = ctx;

    if (r->incident_count < ARRAY_LEN(r->incidents))
        r->incidents[r->incident_count++] = *incident;
}

static void on_suspect(void *ctx, const struct suspect *s)
{
    struct reading *r = ctx;

    summary_verdict(&r->summary, s->verdicts);
    if (!r->wish->picked)
        printer_suspect(&r->printer, s);
}

static bool on_call(void *ctx, struct call *c)
{
    struct reading *r = ctx;

    summary_call(&r->summary, c);
    for (const struct list *l = c->streams.next; l != &c->streams; l = l->next)
        summary_stream(&r->summary, list_item(l, struct stream, in_list));
    if (r->wish->ladder.len)
        return is_kept(r, c);
    shelf_call(&r->shelf, c);
    return true;
}

static bool on_registration(void *ctx, struct registration *b)
{
    struct reading *r = ctx;

    summary_registration(&r->summary, b);
    diagnose_flow_registration(b);
    if (!r->shelf.wish.registrations)
        return false;
    shelf_registration(&r->shelf, b);
    return true;
}

static bool on_transaction(void *ctx, struct transaction *t)
{
    struct reading *r = ctx;

    r->summary.transactions++;
    if (!r->shelf.wish.transactions)
        return false;
    shelf_transaction(&r->shelf, t);
    return true;
}

static bool on_stream(void *ctx, struct stream *s)
{
    struct reading *r = ctx;

    summary_stream(&r->summary, s);
    if (!r->shelf.wish.streams)
        return false;
    shelf_stream(&r->shelf, s);
    return true;
}

static slice flaws_of(const struct sip_message *m, struct out *text)
{
    size_t count = m->flaw_count < SIP_FLAWS_MAX ? m->flaw_count : SIP_FLAWS_MAX;

    for (size_t i = 0; i < count; i++) {
        out_text(text, i ? SLICE(" ") : SLICE(""));
        out_text(text, sip_flaw_slug((enum sip_flaw_kind)m->flaws[i].kind));
    }
    return out_taken(text);
}

static void print_message(struct reading *r, const struct track_sighting *s)
{
    static const char *const kinds[] = { "new", "hop", "copy", "retransmission" };
    const struct sip_message *m = s->message;
    const struct sip_header *agent = sip_header_find(m, SIP_H_USER_AGENT);
    struct out flaws;

    out_init_memory(&flaws, 4096);
    struct message_row row = {
        .frame = s->unit->frame, .at_ns = s->unit->time_ns, .src = s->unit->src,
        .dst = s->unit->dst, .transport = (uint8_t)s->unit->transport, .method = m->method_text,
        .status = m->status, .reason = m->reason, .uri = m->uri, .call_id = m->call_id,
        .from_uri = m->from.uri, .from_tag = m->from.tag, .to_uri = m->to.uri, .to_tag = m->to.tag,
        .branch = m->via.branch, .user_agent = agent ? agent->value : (slice){0},
        .content_type = m->content_type, .cseq = m->cseq.number,
        .call = s->call ? s->call->index : 0, .seen = slice_of_string(kinds[s->kind]),
        .flaws = flaws_of(m, &flaws), .bytes = (uint32_t)m->all.len, .request = m->is_request,
        .hep = s->unit->hep, .cut = s->unit->cut, .text = m->all,
        .flaw_list = m->flaws, .headers = m->headers, .flaw_count = m->flaw_count,
        .header_count = m->header_count,
    };

    if (!r->filters[3] || filter_match(r->filters[3], &row, s->unit->time_ns)) {
        printer_message(&r->printer, &row);
        r->matches++;
    }
    out_done(&flaws);
}

static void on_message(void *ctx, const struct track_sighting *s)
{
    struct reading *r = ctx;

    if ((r->wish->ladder.len || r->book) && s->call)
        sketches_note(&r->sketches, s);
    if (r->wish->messages && !r->book)
        print_message(r, s);
}

/* ---- filters ----------------------------------------------------------------------------------- */

static const struct field_table *const filter_tables[KINDS] = { &call_fields, &registration_fields,
                                                            &transaction_fields, &message_fields,
                                                            &stream_fields };

static void say_filter_error(const struct reading *r, const struct filter_error *e)
{
    static const enum text_id sentences[FILTER_WRONGS] = {
        [FILTER_FINE] = TEXT_READ_FILTER_LEFT_OVER,
        [FILTER_NO_FIELD] = TEXT_READ_FILTER_NO_FIELD,
        [FILTER_WANTS_NUMBER] = TEXT_READ_FILTER_WANTS_NUMBER,
        [FILTER_WANTS_DURATION] = TEXT_READ_FILTER_WANTS_DURATION,
        [FILTER_WANTS_TIME] = TEXT_READ_FILTER_WANTS_TIME,
        [FILTER_WANTS_YES_OR_NO] = TEXT_READ_FILTER_WANTS_YES_OR_NO,
        [FILTER_WANTS_TEXT] = TEXT_READ_FILTER_WANTS_TEXT,
        [FILTER_WANTS_VALUE] = TEXT_READ_FILTER_WANTS_VALUE,
        [FILTER_WANTS_FIELD] = TEXT_READ_FILTER_WANTS_FIELD,
        [FILTER_UNBALANCED] = TEXT_READ_FILTER_UNBALANCED,
        [FILTER_LEFT_OVER] = TEXT_READ_FILTER_LEFT_OVER,
        [FILTER_BAD_PATTERN] = TEXT_READ_FILTER_BAD_PATTERN,
        [FILTER_TOO_LONG] = TEXT_READ_FILTER_TOO_LONG,
        [FILTER_NO_MEMORY] = TEXT_READ_ERROR_NO_MEMORY,
    };
    struct out what;

    out_init_memory(&what, 4096);
    words_say(&what, r->cli->words, sentences[e->wrong], WORDS_TEXT("name", e->at),
              WORDS_TEXT("near", slice_of_string(e->near)));
    cli_say_error(r->cli, CLI_USAGE, TEXT_READ_ERROR_FILTER, WORDS_NUMBER("column", e->offset + 1),
                  WORDS_TEXT("what", out_taken(&what)));
    out_done(&what);
}

/* Kinds of records that the filter makes no sense for are not shown. With no kind left, the
 * error of the first wished kind is told. */
static int reading_filter(struct reading *r, bool wished[KINDS])
{
    struct filter_error first = {0}, error;
    bool any = false;

    for (size_t i = 0; r->wish->filter.len && i < KINDS; i++) {
        if (!wished[i])
            continue;
        if (filter_parse(r->wish->filter, filter_tables[i], &r->filters[i], &error) == 0) {
            r->shelf.wait |= filter_is_relative(r->filters[i]);
            any = true;
            continue;
        }
        wished[i] = false;
        if (first.wrong == FILTER_FINE || error.wrong != FILTER_NO_FIELD)
            first = error;
    }
    if (!r->wish->filter.len || any)
        return CLI_DONE;
    say_filter_error(r, &first);
    return CLI_USAGE;
}

/* ---- progress ---------------------------------------------------------------------------------- */

static void progress_clear(struct reading *r)
{
    if (r->progress_shown && write(STDERR_FILENO, "\r\033[K", 4) < 0)
        r->progress_shown = false;
}

static void progress_show(struct reading *r)
{
    uint64_t done = 0, total = 0;
    struct out bar;

    if (!r->cli->terminal || time(NULL) - r->began_s < PROGRESS_AFTER_S)
        return;
    inputs_progress(&r->inputs, &done, &total);
    if (total == 0)
        return;
    unsigned tenths = (unsigned)(done * 20 / total);

    tenths = tenths > 20 ? 20 : tenths;
    out_init_fd(&bar, STDERR_FILENO);
    out_text(&bar, SLICE("\r["));
    out_repeat(&bar, SLICE("#"), tenths);
    out_repeat(&bar, SLICE("."), 20 - tenths);
    out_text(&bar, SLICE("] "));
    words_say(&bar, r->cli->words, TEXT_READ_PROGRESS, WORDS_NUMBER("percent", done * 100 / total),
              WORDS_TEXT("files", slice_of_string(r->wish->files[0])));
    (void)out_flush(&bar);
    out_done(&bar);
    r->progress_shown = true;
}

/* ---- the reading ------------------------------------------------------------------------------- */

static bool reading_prepare(struct reading *r)
{
    struct pipeline_settings settings = { .memory_bytes = r->wish->memory_bytes, .no_join = r->wish->no_join,
                                          .join_header = r->wish->join_header };
    struct pipeline_observer observer = {
        .ctx = r, .opened = r->wish->ladder.len ? on_opened : NULL, .message = on_message, .session = on_session,
        .incident = on_incident, .closed = on_call, .registration = on_registration,
        .transaction = on_transaction, .stream = on_stream,
    };

    if (!pipeline_begin(&r->pipeline, &settings, &observer) ||
        !sketches_init(&r->sketches, r->cli->words, r->wish->memory_bytes / 8))
        return false;
    r->sketches.text_bytes_max = r->book ? PAGE_TEXT_BYTES : 0;
    return true;
}

/* Every so often somebody may want to see how far it is, or that nobody reads any more. */
static bool pause_is_fine(struct reading *r)
{
    r->summary.packets = wire_counts(r->pipeline.wire)->frames;
    r->shelf.now_ns = r->pipeline.last_ns;
    if (r->summary.packets % PROGRESS_FRAMES == 0)
        progress_show(r);
    return !r->cli->out.error;
}

/* One file: nothing is compared with another one. */
static void reading_one(struct reading *r, struct input *in)
{
    while (in->waiting && pause_is_fine(r))
        for (unsigned i = 0; i < BATCH_FRAMES && in->waiting; i++) {
            pipeline_frame(&r->pipeline, &in->frame);
            in->waiting = capture_next(in->source, &in->frame) > 0;
        }
}

static void reading_merged(struct reading *r)
{
    const struct wire_frame *frame;

    for (unsigned i = 0; (frame = inputs_next(&r->inputs)); i++) {
        if (i % BATCH_FRAMES == 0 && !pause_is_fine(r))
            return;
        pipeline_frame(&r->pipeline, frame);
    }
}

static void reading_frames(struct reading *r)
{
    struct summary *s = &r->summary;

    if (r->inputs.count == 1)
        reading_one(r, &r->inputs.all[0]);
    else
        reading_merged(r);
    s->packets = wire_counts(r->pipeline.wire)->frames;
    s->bytes_read = wire_counts(r->pipeline.wire)->bytes;
    s->first_ns = r->pipeline.first_ns;
    r->shelf.now_ns = s->last_ns = r->pipeline.last_ns;
    pipeline_finish(&r->pipeline);
    progress_clear(r);
}

static int reading_ladder(struct reading *r)
{
    if (!r->leg_count || !r->ladder)
        return cli_say_error(r->cli, CLI_NOT_FOUND, TEXT_READ_ERROR_NO_CALL,
                             WORDS_TEXT("call", r->wish->ladder));
    printer_call_title(&r->printer, r->legs[0]);
    ladder_print(r->ladder, &r->cli->out, &r->cli->style);
    printer_session_verdicts(&r->printer, r->legs, r->leg_count, r->ladder);
    if (r->ladder_others) {
        out_char(&r->cli->out, '\n');
        cli_say_line(r->cli, &r->cli->out, TEXT_READ_LADDER_OTHERS, WORDS_NUMBER("count", r->ladder_others));
    }
    return CLI_DONE;
}

static int reading_page(struct reading *r)
{
    int error;

    html_book_undrawn(r->book, r->sketches.beyond);
    error = html_book_finish(r->book, &r->summary);
    if (error)
        return cli_say_error(r->cli, CLI_MACHINE, TEXT_HTML_ERROR_WRITE,
                             WORDS_TEXT("file", slice_of_string(r->wish->html)),
                             WORDS_TEXT("why", cli_why_not_made(r->cli, -error)));
    if (strcmp(r->wish->html, "-") == 0)
        return CLI_DONE;
    cli_say_line(r->cli, &r->cli->out, TEXT_HTML_WRITTEN, WORDS_NUMBER("count", r->summary.calls),
                 WORDS_TEXT("file", slice_of_string(r->wish->html)));
    return CLI_DONE;
}

static int reading_report(struct reading *r)
{
    struct summary *s = &r->summary;
    int code = CLI_DONE;

    diagnose_suspects(r->pipeline.history, on_suspect, r);
    shelf_finish(&r->shelf);
    s->files = r->wish->files;
    s->file_count = r->wish->file_count;
    s->format = r->inputs.count == 1 && r->inputs.all[0].source ? capture_format(r->inputs.all[0].source) : NULL;
    s->intake = r->pipeline.intake;
    s->wire = wire_counts(r->pipeline.wire);
    s->track = tracker_counts(r->pipeline.tracker);
    s->media = media_table_counts(r->pipeline.media);
    s->order_lost = r->shelf.order_lost;
    if (r->wish->ladder.len)
        return reading_ladder(r);
    for (size_t i = 0; !r->wish->picked && i < r->incident_count; i++)
        if (r->printer.kind == PRINTER_JSON || r->printer.kind == PRINTER_CSV || !r->incidents[i].media)
            printer_incident(&r->printer, &r->incidents[i]);      /* late RTP to a closed port is usual */
    printer_summary(&r->printer, s);
    if (r->book)
        code = reading_page(r);
    if (code == CLI_DONE && r->wish->filter.len && r->shelf.printed + r->matches == 0)
        return cli_say_error(r->cli, CLI_NOT_FOUND, TEXT_READ_ERROR_NO_MATCH, WORDS_NUMBER("count", 0));
    return code;
}

static void reading_done(struct reading *r)
{
    pipeline_done(&r->pipeline);
    shelf_done(&r->shelf);
    printer_done(&r->printer);
    ladder_free(r->ladder);
    sketches_done(&r->sketches);
    html_book_free(r->book);
    for (size_t i = 0; i < r->leg_count; i++)
        call_free(r->legs[i]);
    for (size_t i = 0; i < ARRAY_LEN(r->filters); i++)
        filter_free(r->filters[i]);
    inputs_close(&r->inputs);
}

static int reading_begin_page(struct reading *r)
{
    struct html_book_settings settings = {
        .path = r->wish->html, .words = r->cli->words, .zone = r->wish->zone, .filter = r->wish->filter,
        .version = SLICE(SB_VERSION), .newest = r->shelf.wait,
    };
    int error = html_book_open(&r->book, &settings);

    if (error)
        return cli_say_error(r->cli, CLI_MACHINE, TEXT_HTML_ERROR_WRITE,
                             WORDS_TEXT("file", slice_of_string(r->wish->html)),
                             WORDS_TEXT("why", cli_why_not_made(r->cli, -error)));
    r->printer.book = r->book;
    return CLI_DONE;
}

int read_run(struct cli *cli, const struct read_wish *wish)
{
    struct reading r = { .cli = cli, .wish = wish,
                         .began_s = time(NULL) };
    bool all = !wish->picked, listed = !wish->ladder.len;
    bool wished[KINDS] = { (all || wish->calls) && listed, (all || wish->registrations) && listed,
                       (all || wish->transactions) && listed, wish->messages && !wish->html,
                           ((all && (wish->json || wish->html)) || wish->streams) && listed };
    enum printer_kind kind = wish->json ? PRINTER_JSON : wish->csv ? PRINTER_CSV
                           : wish->html ? PRINTER_HTML : PRINTER_TEXT;
    int code, warned;

    printer_begin(&r.printer, kind, &cli->out, cli->words, &cli->style);
    r.printer.full_messages = r.printer.explain_all = cli->verbose > 0;
    shelf_init(&r.shelf, &r.printer, &(struct shelf_wish){0}, wish->memory_bytes / 5);
    code = reading_filter(&r, wished);
    r.shelf.wish = (struct shelf_wish){ wished[0], wished[1], wished[2], wished[4], r.filters[0],
                                        r.filters[1], r.filters[2], r.filters[4] };
    if (code == CLI_DONE && wish->html)
        code = reading_begin_page(&r);
    if (code != CLI_DONE || !reading_prepare(&r)) {
        if (code == CLI_DONE)
            code = cli_no_memory(cli);
        reading_done(&r);
        return code;
    }
    code = inputs_open(&r.inputs, cli, wish->files, wish->file_count);
    if (r.inputs.open_count) {
        reading_frames(&r);
        int found = reading_report(&r);

        out_flush(&cli->out);
        warned = inputs_end(&r.inputs);
        code = code > warned ? code : warned;
        code = code ? code : found;
    }
    reading_done(&r);
    return code;
}
