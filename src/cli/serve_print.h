/* cli/serve_print.h - lines for a reader who may be slow: nobody waits for it, and what it misses is counted.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A server must not stand still because somebody holds a pager. Records are taken whole or not at
 * all into a buffer of bounded size, and leave it as fast as the reader takes them.
 *
 *     struct serve_print *p = serve_print_new(STDOUT_FILENO, 1 << 20);
 *     serve_print_put(p, record);                  // whole lines
 *     serve_print_flush(p);                        // what goes now; never waits
 *     serve_print_free(p, wait_ms);                // the rest, for so long */
#ifndef CLI_SERVE_PRINT_H
#define CLI_SERVE_PRINT_H

#include "base/slice.h"

struct serve_print;

/* `fd` stays the caller's, and its flags as they are: others have the same terminal. NULL: no memory. */
struct serve_print *serve_print_new(int fd, size_t room_bytes);
struct serve_print *serve_print_free(struct serve_print *p, int wait_ms);
void     serve_print_put(struct serve_print *p, slice record);
void     serve_print_flush(struct serve_print *p);
/* Lines that found no room since this was asked last; 0 as long as there is still none to say so. */
uint64_t serve_print_take_lost(struct serve_print *p);
bool     serve_print_waits(const struct serve_print *p);  /* something is still to be printed */

#endif
