/* cli/serve_pcap.c - serve --pcap: messages into a file that is readable while it grows
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/packets.h"
#include "cli/serve_int.h"

#define FLUSH_NS INT64_C(1000000000)

struct serve_pcap {
    struct cli            *cli;
    const char            *path;
    char                  *older;    /* where the file goes that was there before */
    uint64_t               bytes_max;
    struct capture_writer *writer;   /* NULL after an error */
    struct out             packet;
    uint64_t               messages;
    int64_t                flush_ns;
    bool                   failed;
};

static int say_cannot(const struct cli *cli, const char *path, int error)
{
    return cli_say_error(cli, CLI_MACHINE, TEXT_SERVE_ERROR_FILE, WORDS_TEXT("file", slice_of_string(path)),
                         WORDS_TEXT("what", cli_why_not_made(cli, error)));
}

/* pcap has one link type for the whole file. */
static bool holds_all(const char *path, const struct config *config)
{
    slice name = slice_of_string(path);

    if (!slice_ends(name, SLICE(".pcap")) && !slice_ends(name, SLICE(".cap")))
        return true;
    for (size_t i = 0; i < config->listen_count; i++)
        if (config->listens[i].transport != CONFIG_UDP)
            return false;
    return true;
}

/* What an earlier run wrote is what somebody wants to read after a crash: it is not overwritten. */
static int begin_file(struct serve_pcap *p)
{
    struct stat st;

    if (stat(p->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && rename(p->path, p->older) < 0)
        return -errno;
    return capture_writer_open_growing(p->path, &p->writer);
}

int serve_pcap_open(struct cli *cli, const struct serve_wish *wish, const struct config *config, struct serve_pcap **ret)
{
    struct serve_pcap *p;
    int error;

    *ret = NULL;
    if (!wish->pcap)
        return -1;
    if (!holds_all(wish->pcap, config))
        return cli_say_error(cli, CLI_USAGE, TEXT_SERVE_ERROR_PCAP_FORMAT, WORDS_TEXT("file", slice_of_string(wish->pcap)));
    p = calloc(1, sizeof *p);
    if (!p || asprintf(&p->older, "%s.1", wish->pcap) < 0) {
        free(p);
        return cli_no_memory(cli);
    }
    p->cli = cli;
    p->path = wish->pcap;
    p->bytes_max = wish->pcap_bytes_max;
    out_init_memory(&p->packet, PACKETS_ROOM);
    error = begin_file(p);
    if (!error) {
        *ret = p;
        return -1;
    }
    (void)serve_pcap_close(p, CLI_DONE);
    return say_cannot(cli, wish->pcap, -error);
}

/* Told once; calls go on. What was written stays and can be read. */
static void fail(struct serve_pcap *p, int error)
{
    (void)cli_say_error(p->cli, CLI_MACHINE, TEXT_SERVE_ERROR_PCAP, WORDS_TEXT("file", slice_of_string(p->path)),
                        WORDS_TEXT("why", cli_why(p->cli, -error)));
    p->failed = true;
    if (p->writer)
        (void)capture_writer_close(p->writer, false);
    p->writer = NULL;
}

static int begin_anew(struct serve_pcap *p)
{
    int error = capture_writer_close(p->writer, false);

    p->writer = NULL;
    return error ? error : begin_file(p);
}

void serve_pcap_message(struct serve_pcap *p, const struct hop *hop, bool sent, slice bytes, int64_t now_ns)
{
    struct wire_unit unit = hop_unit(hop, sent, bytes, now_ns, ++p->messages);
    int error = 0;

    if (p->failed)
        return;
    if (p->bytes_max && capture_writer_bytes(p->writer) >= p->bytes_max)
        error = begin_anew(p);
    if (!error)
        error = packets_write(p->writer, &p->packet, &unit);
    if (error && error != -EMSGSIZE)
        fail(p, error);
}

void serve_pcap_time(struct serve_pcap *p, int64_t now_ns)
{
    int error;

    if (p->failed || now_ns < p->flush_ns)
        return;
    p->flush_ns = now_ns + FLUSH_NS;
    error = capture_writer_flush(p->writer);
    if (error)
        fail(p, error);
}

int serve_pcap_close(struct serve_pcap *p, int code)
{
    int error = 0;

    if (!p)
        return code;
    if (p->writer && (error = capture_writer_close(p->writer, false)) != 0)
        code = say_cannot(p->cli, p->path, -error);
    if (p->failed && code == CLI_DONE)
        code = CLI_MACHINE;
    out_done(&p->packet);
    free(p->older);
    free(p);
    return code;
}
