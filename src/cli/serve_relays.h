/* cli/serve_relays.h - the ways to media relays: by address, or by a name with all its addresses.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A relay is named by the configuration; calls may use it as long as the program runs. Of several
 * addresses one is used until nothing comes back from it for a second, or nobody is there; then the
 * next. When all were tried in vain, and with each reload, the name is looked up again. Nothing here
 * waits: a relay that is not found yet is one that does not answer.
 *
 *     struct serve_relays *r = serve_relays_new(loop, &user);
 *     settings.media = serve_relays_sender(r, config);             // of the worker
 *     serve_relays_found(r, index, &targets);                      // when `locate` asked for it, later */
#ifndef CLI_SERVE_RELAYS_H
#define CLI_SERVE_RELAYS_H

#include "net/loop.h"
#include "switch/config.h"
#include "switch/targets.h"
#include "switch/worker.h"

struct serve_relays_user {
    void *ctx;
    /* `relay` is the ctx of its media_sender. */
    void (*datagram)(void *ctx, const void *relay, slice bytes, int64_t now_ns);
    void (*lost)(void *ctx, const void *relay, int64_t now_ns);
    /* Where is that? Never answered from within. */
    void *locate_ctx;
    void (*locate)(void *ctx, slice uri, uint16_t index);
};

struct serve_relays;
struct serve_relays *serve_relays_new(struct loop *loop, const struct serve_relays_user *user);    /* NULL: no memory */
struct serve_relays *serve_relays_free(struct serve_relays *rs);
/* The way to the relay of that configuration, an old one or a new one. send NULL: it wants none, or
 * there are WORKER_RELAYS_MAX others. What cannot be reached is a relay that is away. */
struct media_sender serve_relays_sender(struct serve_relays *rs, const struct config *config);
/* Not from within a handler or `locate`. */
void serve_relays_found(struct serve_relays *rs, uint16_t index, const struct targets *found);

#endif
