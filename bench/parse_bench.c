/* bench/parse_bench.c - what parsing one message costs
 *
 *     parse_bench CAPTURE ROUNDS
 *
 * CAPTURE is one that bench/gen_capture made (sig). All its messages are loaded first and then
 * parsed ROUNDS times with sip_message_parse alone; bench/run counts instructions for two numbers
 * of rounds and takes the difference, so loading costs nothing. Prints messages, their mean size
 * and nanoseconds of CPU a message. Exit 1 when a message is refused or has a flaw: the generator
 * makes neither.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/slice.h"
#include "sip/message.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FILE_HEAD = 24, RECORD_HEAD = 16, LINK_HEAD = 14 + 20 + 8 };

struct corpus {
    char *bytes;
    slice *messages;
    size_t count, sum;
};

static uint32_t le32(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;

    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static char *read_whole(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    long size = -1;
    char *bytes = NULL;

    if (file && fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    if (size >= FILE_HEAD && fseek(file, 0, SEEK_SET) == 0)
        bytes = malloc((size_t)size);
    if (!bytes || fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        fprintf(stderr, "parse_bench: %s cannot be read as a capture of gen_capture\n", path);
        exit(3);
    }
    fclose(file);
    *ret_size = (size_t)size;
    return bytes;
}

static struct corpus load(const char *path)
{
    size_t size;
    struct corpus corpus = { .bytes = read_whole(path, &size) };

    corpus.messages = calloc(size / (RECORD_HEAD + LINK_HEAD) + 1, sizeof *corpus.messages);
    if (!corpus.messages)
        exit(4);
    for (size_t at = FILE_HEAD; at + RECORD_HEAD + LINK_HEAD <= size;) {
        size_t length = le32(corpus.bytes + at + 8);

        at += RECORD_HEAD;
        if (length < LINK_HEAD || length > size - at)
            break;
        corpus.messages[corpus.count++] =
            (slice){ corpus.bytes + at + LINK_HEAD, length - LINK_HEAD };
        corpus.sum += length - LINK_HEAD;
        at += length;
    }
    return corpus;
}

static size_t parse_all(const struct corpus *corpus)
{
    static struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message message;
    size_t good = 0;

    for (size_t i = 0; i < corpus->count; i++) {
        ptrdiff_t used =
            sip_message_parse(corpus->messages[i], SIP_DATAGRAM, room, SIP_HEADERS_MAX, &message);

        good += used > 0 && message.flaw_count == 0 && message.call_id.len > 0;
    }
    return good;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: parse_bench CAPTURE ROUNDS\n", stderr);
        return 2;
    }
    struct corpus corpus = load(argv[1]);
    unsigned long rounds = strtoul(argv[2], NULL, 10);
    size_t good = 0;
    struct timespec before, after;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (unsigned long i = 0; i < rounds; i++)
        good += parse_all(&corpus);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);

    double ns =
        (double)(after.tv_sec - before.tv_sec) * 1e9 + (double)(after.tv_nsec - before.tv_nsec);
    size_t parsed = corpus.count * rounds;
    printf("%zu %.1f %.1f\n", corpus.count,
           corpus.count ? (double)corpus.sum / (double)corpus.count : 0.0,
           parsed ? ns / (double)parsed : 0.0);
    free(corpus.messages);
    free(corpus.bytes);
    if (good != parsed)
        fprintf(stderr, "parse_bench: %zu of %zu messages were refused or flawed\n", parsed - good,
                parsed);
    return good == parsed ? 0 : 1;
}
