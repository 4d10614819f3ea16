/* cli/cmd_pack.c - signalbox pack CALL FILE...: one call as a ticket for a provider.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two readings. The first finds the call, its legs and its streams among all calls. The second
 * masks every frame and reads what comes of it as if it had been captured so: the frames of the
 * call go into call.pcapng, its record and messages into ticket.txt. So nothing in the ticket was
 * ever unmasked, and it says what the small capture says. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/writer.h"
#include "cli/pack_int.h"
#include "mask/text.h"
#include "report/moment.h"

static const struct cli_option pack_help[] = {
    { "--out DIR", TEXT_PACK_OPTION_OUT },
    { "--rtp", TEXT_PACK_OPTION_RTP },
    { "--no-mask", TEXT_PACK_OPTION_NO_MASK },
    { "--keep-call-id", TEXT_PACK_OPTION_KEEP_CALL_ID },
    { "--key TEXT", TEXT_SCRUB_OPTION_KEY },
    { "--lang LANG", TEXT_CLI_OPTION_LANG },
    { "--tz ZONE", TEXT_CLI_OPTION_TZ },
    { "--no-colour", TEXT_CLI_OPTION_NO_COLOUR },
    { "-v, --verbose", TEXT_CLI_OPTION_VERBOSE },
    { "-h, --help", TEXT_CLI_OPTION_HELP },
    { "--version", TEXT_CLI_OPTION_VERSION },
};
static const char *const pack_examples[] = {
    "signalbox pack 2 capture.pcap",
    "signalbox pack a84b4c76e66710 --out ticket-4711 --lang fr monday.pcap.gz",
    "signalbox pack 2 --rtp --no-mask both-sides-a.pcap both-sides-b.pcap",
    NULL,
};

enum { OPT_OUT = 256, OPT_RTP, OPT_NO_MASK, OPT_KEEP_CALL_ID, OPT_KEY, OPT_LANG, OPT_TZ };
static const struct option pack_options[] = {
    { "out", required_argument, NULL, OPT_OUT },
    { "rtp", no_argument, NULL, OPT_RTP },
    { "no-mask", no_argument, NULL, OPT_NO_MASK },
    { "keep-call-id", no_argument, NULL, OPT_KEEP_CALL_ID },
    { "key", required_argument, NULL, OPT_KEY },
    { "lang", required_argument, NULL, OPT_LANG },
    { "tz", required_argument, NULL, OPT_TZ },
    CLI_COMMON_OPTIONS,
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

/* ---- the first reading: which legs, which streams ---- */

static void on_opened(void *ctx, const struct call *c)
{
    struct pack *p = ctx;

    if (!pipeline_names(p->wish, c))
        return;
    if (p->index)
        p->others++;
    else
        p->index = c->index;
}

static void note_streams(struct pack *p, const struct call *c)
{
    for (const struct list *l = c->streams.next; l != &c->streams; l = l->next) {
        const struct stream *s = list_item(l, struct stream, in_list);

        if (p->stream_count == PACK_STREAMS_MAX) {
            p->streams_left_out++;
            continue;
        }
        p->streams[p->stream_count++] = (struct pack_stream){ s->src, s->dst };
    }
}

static void on_first_session(void *ctx, struct call *const *legs, size_t count)
{
    struct pack *p = ctx;
    bool wanted = false;

    for (size_t i = 0; i < count; i++)
        wanted |= legs[i]->index == p->index;
    for (size_t i = 0; wanted && i < count && p->leg_count < PACK_LEGS_MAX; i++) {
        p->legs[p->leg_count++] = (struct pack_leg){
            .index = legs[i]->index, .call_id = arena_slice(&p->arena, legs[i]->call_id),
        };
        note_streams(p, legs[i]);
    }
}

static int first_reading(struct pack *p)
{
    struct pipeline_observer observer = { .ctx = p, .opened = on_opened, .session = on_first_session };
    struct pipeline pipeline;
    struct inputs in;
    const struct wire_frame *frame;
    int code = inputs_open(&in, p->cli, p->files, p->file_count);

    if (!in.open_count || !pipeline_begin(&pipeline, NULL, &observer)) {
        code = in.open_count ? cli_no_memory(p->cli) : code;
        if (in.open_count)
            pipeline_done(&pipeline);
        inputs_close(&in);
        return code;
    }
    while ((frame = inputs_next(&in)))
        pipeline_frame(&pipeline, frame);
    pipeline_finish(&pipeline);
    pipeline_done(&pipeline);
    int warned = inputs_end(&in);

    inputs_close(&in);
    code = code > warned ? code : warned;
    if (code == CLI_DONE && !p->leg_count)
        code = cli_say_error(p->cli, CLI_NOT_FOUND, TEXT_READ_ERROR_NO_CALL, WORDS_TEXT("call", p->wish));
    return code;
}

/* ---- the second: masked ---- */

static bool is_of_call(void *ctx, slice message)
{
    struct pack *p = ctx;
    struct sip_message m;

    if (sip_message_parse(message, SIP_CUT, p->room, ARRAY_LEN(p->room), &m) <= 0)
        return false;
    for (size_t i = 0; i < p->leg_count; i++)
        if (slice_eq(m.call_id, p->legs[i].call_id))
            return true;
    return false;
}

static bool is_media_of_call(void *ctx, const struct address *src, const struct address *dst)
{
    const struct pack *p = ctx;

    for (size_t i = 0; p->with_rtp && i < p->stream_count; i++) {
        const struct pack_stream *s = &p->streams[i];

        for (uint16_t rtcp = 0; rtcp < 2; rtcp++)      /* RTCP on the next port, both ways */
            if (address_same_ip(&s->src, src) && address_same_ip(&s->dst, dst) &&
                s->src.port + rtcp == src->port && s->dst.port + rtcp == dst->port)
                return true;
    }
    return false;
}

/* Numbers are those of the small capture, so that proofs are found in it. */
static void on_frame(void *ctx, const struct wire_frame *masked)
{
    struct pack *p = ctx;
    struct wire_frame frame = *masked;

    if (p->error)
        return;
    frame.number = mask_selected(p->mask) ? ++p->frame_count : PACK_ELSEWHERE + masked->number;
    pipeline_frame(&p->pipeline, &frame);
    if (!mask_selected(p->mask))
        return;
    p->cut += frame.bytes.len < frame.wire_len;
    p->error = capture_write(p->writer, &frame);
}

/* The Call-IDs by which the legs are known again; false: no memory. */
static bool mask_ids(struct pack *p)
{
    struct mask_text *t = mask_text_new(&p->settings.key);
    bool enough = t != NULL;

    if (t && p->settings.keep_call_ids)
        mask_text_keep_call_ids(t);
    for (size_t i = 0; t && i < p->leg_count; i++) {
        struct pack_leg *leg = &p->legs[i];
        char *id = arena_zalloc(&p->arena, leg->call_id.len + 1);

        enough &= id != NULL;
        if (!id)
            continue;
        memcpy(id, leg->call_id.ptr, leg->call_id.len);
        if (!p->settings.plain)
            mask_call_id(t, id, leg->call_id.len);
        leg->masked_id = slice_of(id, leg->call_id.len);
    }
    mask_text_free(t);
    return enough;
}

/* A frame that cannot be masked was read the first time and is not now, and the numbers of all
 * calls behind it may be smaller. */
static bool numbers_may_differ(const struct pack *p)
{
    const struct mask_counts *counts = mask_counts(p->mask);

    return counts->dropped[MASK_UNKNOWN] || counts->dropped[MASK_ENCRYPTED] || counts->dropped[MASK_INCOMPLETE];
}

static void on_opened_masked(void *ctx, const struct call *c)
{
    struct pack *p = ctx;

    for (size_t i = 0; i < p->leg_count; i++) {
        struct pack_leg *leg = &p->legs[i];

        if (slice_eq(leg->masked_id, c->call_id) &&
            (leg->index == c->index || (!leg->masked_index && numbers_may_differ(p))))
            leg->masked_index = c->index;
    }
}

static bool is_leg(const struct pack *p, const struct call *c)
{
    for (size_t i = 0; c && i < p->leg_count; i++)
        if (p->legs[i].masked_index == c->index)
            return true;
    return false;
}

static void on_message(void *ctx, const struct track_sighting *s)
{
    struct pack *p = ctx;

    if (!is_leg(p, s->call))
        return;
    ladder_note(p->ladder, s);
    if (p->message_count == PACK_MESSAGES_MAX) {
        p->messages_left_out++;
        return;
    }
    struct pack_message *m = arena_zalloc(&p->arena, sizeof *m);
    slice text = m ? arena_slice(&p->arena, s->message->all) : (slice){0};

    if (!text.ptr)
        return;
    *m = (struct pack_message){ .frame = s->unit->frame, .at_ns = s->unit->time_ns, .src = s->unit->src,
                                .dst = s->unit->dst, .text = text };
    p->messages[p->message_count++] = m;
}

/* Without the proofs that are not in the small capture: messages of other calls. */
static void drop_elsewhere(struct verdict *v)
{
    size_t kept = 0;

    for (size_t i = 0; i < v->evidence_count; i++)
        if (v->evidence[i].frame < PACK_ELSEWHERE)
            v->evidence[kept++] = v->evidence[i];
    v->evidence_count = (uint8_t)kept;
}

static void on_second_session(void *ctx, struct call *const *legs, size_t count)
{
    struct pack *p = ctx;

    for (size_t i = 0; i < count; i++) {
        struct call_verdicts *v = is_leg(p, legs[i]) ? legs[i]->verdicts : NULL;

        if (!v)
            continue;
        drop_elsewhere(&v->cause);
        for (size_t k = 0; k < v->finding_count; k++)
            drop_elsewhere(&v->findings[k]);
    }
}

static bool on_closed(void *ctx, struct call *c)
{
    struct pack *p = ctx;

    for (size_t i = 0; i < p->leg_count; i++)
        if (p->legs[i].masked_index == c->index && !p->legs[i].call) {
            p->legs[i].call = c;
            return true;
        }
    return false;
}

static int read_masked(struct pack *p, struct inputs *in)
{
    const struct wire_frame *frame;
    bool enough = true;

    while (enough && !p->error && (frame = inputs_next(in)))
        enough = mask_frame(p->mask, frame);
    mask_finish(p->mask);
    pipeline_finish(&p->pipeline);
    return enough ? CLI_DONE : cli_no_memory(p->cli);
}

static int second_reading(struct pack *p)
{
    struct pipeline_observer observer = { .ctx = p, .opened = on_opened_masked, .message = on_message,
                                          .session = on_second_session, .closed = on_closed };
    struct inputs in;
    int code = inputs_open(&in, p->cli, p->files, p->file_count);

    p->settings.select = is_of_call;
    p->settings.select_media = is_media_of_call;
    p->mask = mask_new(&p->settings, on_frame, p);
    p->ladder = ladder_new(p->cli->words);
    p->messages = calloc(PACK_MESSAGES_MAX, sizeof(struct pack_message *));
    if (code == CLI_DONE) {
        bool ready = pipeline_begin(&p->pipeline, NULL, &observer) && p->mask && p->ladder && p->messages &&
                     mask_ids(p);

        code = ready ? read_masked(p, &in) : cli_no_memory(p->cli);
    }
    inputs_close(&in);
    return code;
}

/* ---- the directory ---- */

static bool is_empty_folder(const char *path)
{
    DIR *d = opendir(path);
    size_t entries = 0;

    if (!d)
        return false;
    while (readdir(d) && entries <= 2)
        entries++;
    closedir(d);
    return entries <= 2;
}

static int make_folder(struct pack *p)
{
    if (!p->out)
        p->out = p->out_room;
    if (mkdir(p->out, 0700) == 0) {
        p->made = true;
        return CLI_DONE;
    }
    if (errno == EEXIST)
        return is_empty_folder(p->out) ? CLI_DONE
            : cli_say_error(p->cli, CLI_USAGE, TEXT_PACK_ERROR_FOLDER,
                            WORDS_TEXT("file", slice_of_string(p->out)));
    return cli_say_error(p->cli, CLI_MACHINE, TEXT_PACK_ERROR_MAKE,
                         WORDS_TEXT("file", slice_of_string(p->out)), WORDS_TEXT("why", cli_why_not_made(p->cli, errno)));
}

static const char *in_folder(struct pack *p, const char *name)
{
    (void)snprintf(p->path, sizeof p->path, "%s/%s", p->out, name);
    return p->path;
}

static int write_ticket(struct pack *p)
{
    int fd = open(in_folder(p, "ticket.txt"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct out o;
    int error;

    if (fd < 0)
        return masking_say_write_error(p->cli, p->path, -errno);
    out_init_fd(&o, fd);
    pack_ticket(p, &o);
    error = out_flush(&o);
    out_done(&o);
    if (close(fd) < 0 && !error)
        error = -errno;
    return error ? masking_say_write_error(p->cli, p->path, error) : CLI_DONE;
}

static void say_left_out(struct pack *p)
{
    bool (*const limits[])(const struct pack *, struct out *) = { pack_streams_left_out, pack_messages_left_out };
    struct out text;

    out_init_memory(&text, 1024);
    for (size_t i = 0; i < ARRAY_LEN(limits); i++)
        if (limits[i](p, &text))
            cli_wrap(p->cli, out_taken(&text));
    out_done(&text);
}

static void say_done(struct pack *p)
{
    struct out *o = &p->cli->out;

    cli_say_line(p->cli, o, TEXT_PACK_DONE, WORDS_NUMBER("count", p->frame_count),
                 WORDS_TEXT("file", slice_of_string(p->out)));
    cli_say_wrapped(p->cli, p->settings.plain ? TEXT_PACK_DONE_PLAIN : TEXT_PACK_DONE_MASKED);
    if (p->others)
        cli_say_line(p->cli, o, TEXT_PACK_DONE_OTHERS, WORDS_NUMBER("count", p->others),
                     WORDS_TEXT("call", p->wish));
    say_left_out(p);
}

static int write_capture(struct pack *p)
{
    int closed = capture_writer_open(in_folder(p, "call.pcapng"), &p->writer), code;

    if (closed < 0)
        return masking_say_write_error(p->cli, p->path, closed);
    code = second_reading(p);
    if (code == CLI_DONE && !p->error && !p->frame_count)
        code = cli_say_error(p->cli, CLI_NOT_FOUND, TEXT_PACK_ERROR_UNMASKED, WORDS_TEXT("call", p->wish));
    closed = capture_writer_close(p->writer, code != CLI_DONE || p->error);
    closed = p->error ? p->error : closed;
    if (code == CLI_DONE && closed < 0)
        code = masking_say_write_error(p->cli, in_folder(p, "call.pcapng"), closed);
    return code;
}

static int pack_run(struct pack *p)
{
    int code = first_reading(p);

    if (code != CLI_DONE)
        return code;
    (void)snprintf(p->out_room, sizeof p->out_room, "signalbox-ticket-%llu", (unsigned long long)p->index);
    code = make_folder(p);
    if (code == CLI_DONE)
        code = write_capture(p);
    if (code == CLI_DONE)
        code = write_ticket(p);
    if (code == CLI_DONE)
        say_done(p);
    else if (p->made)
        (void)rmdir(p->out);                  /* only if nothing came into it */
    return code;
}

static void pack_done(struct pack *p)
{
    pipeline_done(&p->pipeline);
    mask_free(p->mask);
    ladder_free(p->ladder);
    for (size_t i = 0; i < p->leg_count; i++)
        call_free(p->legs[i].call);
    free(p->messages);
    arena_done(&p->arena);
    free(p);
}

/* ---- the command line ---- */

/* -1: go on; else the exit code. */
static int take_option(struct pack *p, int option)
{
    enum cli_common common = cli_common_option(p->cli, option);

    if (common != CLI_COMMON_NO)
        return common == CLI_COMMON_ALL_DONE ? CLI_DONE : -1;
    switch (option) {
    case OPT_OUT:     p->out = optarg; return -1;
    case OPT_RTP:     p->with_rtp = true; return -1;
    case OPT_NO_MASK: p->settings.plain = true; return -1;
    case OPT_KEEP_CALL_ID: p->settings.keep_call_ids = true; return -1;
    case OPT_KEY:
        p->settings.key = mask_key_of_text(slice_of_string(optarg));
        return -1;
    case OPT_LANG:
        return cli_set_language(p->cli, optarg) ? -1 : CLI_USAGE;
    case OPT_TZ:
        return moment_zone(slice_of_string(optarg)) ? -1
            : cli_say_error(p->cli, CLI_USAGE, TEXT_READ_ERROR_ZONE,
                            WORDS_TEXT("zone", slice_of_string(optarg)));
    case 'h':
        cli_help(p->cli, "signalbox pack [OPTIONS] CALL FILE...", TEXT_PACK_COMMAND, pack_help,
                 ARRAY_LEN(pack_help), pack_examples);
        return CLI_DONE;
    default:
        return CLI_USAGE;
    }
}

static int pack_arguments(struct pack *p, int argc, char **argv)
{
    if (argc - optind < 2)
        return cli_say_error(p->cli, CLI_USAGE, TEXT_PACK_ERROR_NO_CALL, WORDS_NUMBER("count", 0));
    p->wish = slice_of_string(argv[optind]);
    p->files = (const char *const *)argv + optind + 1;
    p->file_count = (size_t)(argc - optind - 1);
    for (size_t i = 0; i < p->file_count; i++)
        if (slice_eq(slice_of_string(p->files[i]), SLICE("-")))
            return cli_say_error(p->cli, CLI_USAGE, TEXT_PACK_ERROR_STDIN, WORDS_NUMBER("count", 0));
    return pack_run(p);
}

int cmd_pack(struct cli *cli, int argc, char **argv)
{
    struct pack *p = calloc(1, sizeof *p);
    int option, code = -1;

    if (!p)
        return cli_no_memory(cli);
    p->cli = cli;
    p->settings.key = masking_random_key();
    opterr = 0;
    optind = 0;
    while (code < 0 && (option = getopt_long(argc, argv, ":vh", pack_options, NULL)) != -1)
        code = option == '?' || option == ':' ? cli_bad_option(cli, "pack", option, argv)
                                              : take_option(p, option);
    if (code < 0)
        code = pack_arguments(p, argc, argv);
    pack_done(p);
    return code;
}
