/* cli/serve_print.h - lines for a reader who may be slow: nobody waits for it, and what it misses is counted.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A server must not stand still because somebody holds a pager. Records are taken whole or not at
 * all into a queue of bounded size, and leave it as fast as the reader takes them. What ends
 * something that the reader knows of is owed: it finds room where there is none for news, so nothing
 * stays on the reader's screen as if it went on.
 *
 *     struct serve_print_limits limits = { .bytes = 1 << 20, .owed_bytes = 8 << 20 };
 *     struct serve_print *p = serve_print_new(STDOUT_FILENO, &limits);
 *     serve_print_put(p, record, false);           // whole lines
 *     serve_print_flush(p);                        // what goes now; never waits
 *     serve_print_ends(p, 1000, 5000);             // from now on it may wait
 *     serve_print_free(p); */
#ifndef CLI_SERVE_PRINT_H
#define CLI_SERVE_PRINT_H

#include "base/slice.h"

struct serve_print_limits {
    size_t bytes;                    /* of the queue */
    size_t owed_bytes;               /* further ones, for what is owed */
};

struct serve_print;
/* `fd` stays the caller's, and its flags as they are: others have the same terminal. NULL: no memory. */
struct serve_print *serve_print_new(int fd, const struct serve_print_limits *limits);
struct serve_print *serve_print_free(struct serve_print *p);       /* after what still can go */
/* False: there was no room, its lines are counted as lost. */
bool     serve_print_put(struct serve_print *p, slice record, bool owed);
void     serve_print_flush(struct serve_print *p);
/* The program ends: whoever reads is waited for where there is no room, and by serve_print_free, until
 * it took nothing for `idle_ms` or `most_ms` are over. Then nobody waits for it again. */
void     serve_print_ends(struct serve_print *p, int idle_ms, int most_ms);
/* Lines that found no room since this was asked last; 0 as long as there is still none to say so. */
uint64_t serve_print_take_lost(struct serve_print *p);
bool     serve_print_waits(const struct serve_print *p);  /* something is still to be printed */

#endif
