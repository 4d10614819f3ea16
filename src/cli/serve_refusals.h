/* cli/serve_refusals.h - registrations that are refused again and again: told once, then counted.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The same is: the same user from the same machine, refused with the same code. The first is news; the
 * next ones are counted and told once a minute. Who guesses names brings a new one each time, so no
 * more than so many a minute are news; the others are counted together. */
#ifndef CLI_SERVE_REFUSALS_H
#define CLI_SERVE_REFUSALS_H

#include "call/registration.h"
#include "cli/cli.h"
#include "report/printer.h"

enum { SERVE_REFUSALS_MAX = 1024, SERVE_REFUSALS_NEWS = 30, SERVE_REFUSED_AOR = 128 };

struct serve_refusals;
struct serve_refused {
    char           aor[SERVE_REFUSED_AOR];                /* cut when it is longer; empty: others, together */
    size_t         aor_len;
    struct address client;           /* without port */
    uint16_t       final;
    uint64_t       times;            /* since it was told last */
};

struct serve_refusals *serve_refusals_new(void);          /* NULL: no memory */
struct serve_refusals *serve_refusals_free(struct serve_refusals *s);
/* It was refused now. False: counted. */
bool serve_refusals_is_news(struct serve_refusals *s, const struct registration *r, int64_t now_ns);
/* The next count that is due; `all`: now, whenever it is due. */
bool serve_refusals_take(struct serve_refusals *s, int64_t now_ns, bool all, struct serve_refused *ret);
/* A sentence, or {"type":"refused",...}. */
void serve_refused_print(const struct serve_refused *refused, struct printer *p, const struct cli *cli);

#endif
