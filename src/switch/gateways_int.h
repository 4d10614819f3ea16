/* switch/gateways_int.h - a gateway and what it is asked. Private.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SWITCH_GATEWAYS_INT_H
#define SWITCH_GATEWAYS_INT_H

#include "base/wheel.h"
#include "switch/gateways.h"

#define SECOND_NS INT64_C(1000000000)

enum gateway_task { TASK_LOCATE, TASK_REGISTER, TASK_PING, TASKS };

struct clock {
    struct wheel_timer timer;
    struct gateway    *gateway;
    uint8_t            task;
};

/* Owner of a transaction of ours: its address lies among the gateways, as nothing else does. */
struct gateway_ask {
    struct gateway            *gateway;
    struct client_transaction *client;                    /* NULL: none is under way */
    struct hop                 hop;
    uint8_t                    task;
};

struct gateway {
    struct config_gateway *config;   /* own, with its texts */
    struct clock       clocks[TASKS];
    struct gateway_ask asks[TASKS];  /* of REGISTER and PING */
    struct targets     found;        /* count 0: not located yet */
    char    *password;               /* NULL: not known */
    size_t   password_len;
    uint32_t calls;
    struct tally_one *counted;       /* while there are calls */
    uint16_t index, last_status;
    uint8_t  pings_failed;
    bool     answered_ping, dead;
    bool     gone;                   /* from the configuration */
    uint32_t gone_set;               /* by which gateways_set, and when */
    int64_t  gone_ns;

    /* registration */
    char     call_id[ENDPOINT_TOKEN_LEN + 1], tag[ENDPOINT_TOKEN_LEN + 1];
    uint32_t cseq, wanted_s;         /* what is asked for: 423 raises it */
    uint16_t status;                 /* of the last answer */
    uint8_t  challenges, failures;   /* of this attempt; in a row */
    bool     raised;                 /* by a 423, in this attempt */
    bool     leaving, leave_sent;    /* no registration any more; the REGISTER sent last says so */
    int64_t  until_ns;               /* 0: not registered */
};

struct gateways {
    struct gateways_counts   counts;
    struct endpoint *endpoint;
    struct digest   *digest;
    struct deadlist *deadlist;
    struct tally    *calls, *own_calls;                   /* own NULL: shared */
    struct wheel     wheel;
    struct out       scratch;
    uint64_t         random;
    struct gateways_settings settings;                    /* without the configuration */
    slice            server;         /* User-Agent; own */
    uint32_t         sets;           /* gateways_set so far */
    uint16_t         numbers[CONFIG_GATEWAYS_MAX];        /* by place */
    size_t           count;
    struct gateway   list[GATEWAYS_MAX];                  /* most of it is never touched */
};

/* ---- gateways.c ---- */
int64_t gateways_now(const struct gateways *g);
uint64_t gateways_random(struct gateways *g);
void gateway_set_clock(struct gateways *g, struct gateway *w, enum gateway_task task, int64_t after_ns);
bool gateway_hop(const struct gateways *g, const struct gateway *w, struct hop *ret);    /* the one to use */
/* A hop came to nothing: true when another one may be tried at once. */
bool gateway_hop_failed(struct gateways *g, struct gateway *w, const struct hop *hop, int64_t retry_after_ns);
int64_t gateway_retry_after_ns(const struct sip_message *m);           /* 0: says nothing */
void gateway_put_account(struct out *o, const struct config_gateway *c);      /* of ours there */
bool gateway_send(struct gateways *g, struct gateway *w, enum gateway_task task, struct out *o);

/* ---- gateways_set.c ---- */
int  gateway_configure(struct gateway *w, const struct config_gateway *config);      /* a copy; 0 or -ENOMEM */
int  gateways_take_server(struct gateways *g, const struct config *config);

/* ---- gateways.c again ---- */
void gateway_begin(struct gateways *g, uint16_t index);   /* it has its configuration */
void gateway_forget_password(struct gateway *w);
void gateway_ping_from_now(struct gateways *g, struct gateway *w);

/* ---- gateways_register.c ---- */
void gateway_leave(struct gateways *g, struct gateway *w);
void gateway_register(struct gateways *g, struct gateway *w);
void gateway_registered(struct gateways *g, struct gateway *w, struct client_transaction *c, const struct sip_message *m);

#endif
