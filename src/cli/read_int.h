/* cli/read_int.h - what the files of the read command share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_READ_INT_H
#define CLI_READ_INT_H

#include "cli/cli.h"

#define READ_FILES_MAX      256
#define READ_MEMORY_DEFAULT ((size_t)512 << 20)
#define READ_MEMORY_LEAST   ((size_t)64 << 20)

struct read_wish {                   /* the command line, understood */
    const char *const *files;
    size_t file_count;
    bool   calls, registrations, transactions, streams, messages;
    bool   picked;                   /* some kinds were named; else calls, registrations, requests, in JSON streams */
    bool   json, csv, no_join;
    slice  ladder, filter, join_header;      /* empty: none */
    slice  zone;                     /* as written; empty: the machine's */
    const char *html;                /* a page goes there; NULL: none */
    size_t memory_bytes;
};

int read_run(struct cli *cli, const struct read_wish *wish);

#endif
