/* net/stream_int.h - what the files of streams share: stream.c (who is there) and
 * connection.c (what one of them does).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_STREAM_INT_H
#define NET_STREAM_INT_H

#include "base/hash.h"
#include "base/map.h"
#include "base/timers.h"
#include "net/buffer.h"
#include "net/frames.h"
#include "net/stream.h"
#include "net/upgrade.h"

#define SCRATCH_BYTES 65536u

enum connection_state {
    CONNECTION_CONNECTING,
    CONNECTION_HANDSHAKE,            /* of TLS */
    CONNECTION_UPGRADE,              /* to WebSocket */
    CONNECTION_OPEN,
    CONNECTION_CLOSING,              /* the last bytes go out, then theirs are awaited */
    CONNECTION_GONE,                 /* to be told and freed at the end of the round */
    CONNECTION_STATES
};

struct stream_listener {
    struct streams   *all;
    struct loop_watch watch;
    struct address    local;
    struct tls       *tls;           /* NULL: in the clear */
    int64_t           rest_until_ns; /* no descriptors: accept again then; 0: listening */
    uint16_t          index;
    uint8_t           transport;
    bool              wildcard;
};

struct connection {
    struct streams         *all;
    struct stream_listener *listener;
    struct loop_watch       watch;
    struct list             in_all, in_work;
    struct timer            timer;
    struct map_node         by_number, by_remote, by_alias;
    struct hop              hop;
    struct address          alias;   /* family 0: none */
    struct tally_one       *source;  /* NULL: we made it */
    SSL                    *ssl;
    struct frames          *frames;
    char                   *domain;  /* that was to be proved, or NULL */
    struct buffer           in, out;
    size_t                  may_go;  /* of `out` before the upgrade was answered */
    size_t                  need;    /* bytes in `in` before another look makes sense */
    int64_t                 since_ns;            /* in this state */
    int64_t                 active_ns;           /* bytes moved */
    int64_t                 midway_ns;           /* an unfinished message began; 0: there is none */
    int64_t                 stuck_ns;            /* the peer took nothing since; 0: it does */
    int                     error;               /* GONE and CLOSING */
    const char             *why;
    uint8_t                 state;               /* enum connection_state */
    uint8_t                 crlf;                /* how much of CR LF CR LF has come */
    bool                    known;               /* the caller has seen its number */
    bool                    listed;              /* can be found */
    bool                    more;                /* bytes may wait inside OpenSSL */
    bool                    shut;                /* our end of the closing is done */
    char                    key[UPGRADE_KEY_LEN + 1];
};

struct streams {
    struct loop             *loop;
    struct stream_limits     limits;
    struct stream_handlers   handlers;
    struct stream_counts     counts;
    struct buffer_budget     budget;
    struct hash_seed         seed;
    struct stream_listener **listeners;          /* by index; NULL: of another transport */
    size_t                   listener_count;
    struct tls              *client;
    struct map               by_number, by_remote, by_alias;
    struct tally            *own_sources;        /* NULL: the caller gave one */
    struct list              all, work;
    struct timers            timers;
    size_t                   open_count;
    uint64_t                 next_number;
    char                    *scratch;
};

/* stream.c */
void connection_unlist(struct connection *c);        /* no send finds it from now on */
void connection_work(struct connection *c);          /* look at it at the end of the round */

/* connection.c */
static inline bool is_websocket(uint8_t transport) { return transport == WIRE_WS || transport == WIRE_WSS; }
int     connection_begin(struct connection *c, enum connection_state state);
int     connection_put(struct connection *c, slice message);
void    connection_end(struct connection *c, int error, const char *why);
void    connection_look(struct connection *c);       /* what the end of the round has to do */
void    connection_write(struct connection *c);      /* what the peer takes of what waits */
int64_t connection_due_ns(const struct connection *c);
void    connection_expire(struct connection *c);
void    connection_ready(void *connection, uint32_t events);

#endif
