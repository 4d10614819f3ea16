/* cli/serve_names.h - where the gateways and media relays that are given by name are: the DNS in the server's loop.
 * SPDX-License-Identifier: Apache-2.0
 *
 *     struct serve_names *n = serve_names_new(loop, config);
 *     settings.gateways_ctx = n, settings.gateways_locate = serve_names_locate;     // of the worker
 *     int64_t next_ns = serve_names_turn(n, worker_gateways(w), relays, now_ns);    // in each round */
#ifndef CLI_SERVE_NAMES_H
#define CLI_SERVE_NAMES_H

#include "cli/serve_relays.h"
#include "net/loop.h"
#include "switch/gateways.h"

struct serve_names;
struct serve_names *serve_names_new(struct loop *loop, const struct config *config);   /* NULL: no memory */
struct serve_names *serve_names_free(struct serve_names *n);
/* Other listeners; gateways are asked for by number. */
void serve_names_set(struct serve_names *n, const struct config *config);
void serve_names_locate(void *ctx, slice uri, uint16_t index);
void serve_names_locate_relay(void *ctx, slice uri, uint16_t index);
/* Passes on what was found; when to be called again at the latest. */
int64_t serve_names_turn(struct serve_names *n, struct gateways *gateways, struct serve_relays *relays, int64_t now_ns);

#endif
