/* switch/config.h - the configuration of the server: one INI file, read whole or not at all.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Text comes in, no file is opened: paths in it are for the caller. What comes out never
 * changes; to reload is to read another one and to put it in the place of the old. All that
 * is wrong in a file is told at once, as data (config_text.h makes sentences of it). What may
 * stand in a file is one table, config_table.c, from which the sample and the manual are
 * written, too.
 *
 *     struct config_report report = { 0 };
 *     struct config *c = NULL;
 *     if (config_read(text, &c, &report) != 0)
 *         for (size_t i = 0; i < report.count; i++)
 *             config_say(&out, words, &report.at[i]);
 *     config_report_done(&report);
 *     c = config_free(c);                                                                  */
#ifndef SWITCH_CONFIG_H
#define SWITCH_CONFIG_H

#include "base/address.h"
#include "base/arena.h"
#include "codes/words.h"
#include "sip/digest.h"
#include "switch/transaction.h"
#include "wire/wire.h"

enum {
    CONFIG_TEXT_MAX = 4 << 20,       /* bytes of a file */
    CONFIG_LISTENS_MAX = 64,
    CONFIG_GATEWAYS_MAX = 250,
    CONFIG_ENTRIES_MAX = 20000,      /* of [moved] and [redirect] */
    CONFIG_LIST_MAX = 2000,          /* items of one list */
    CONFIG_NUMBER_MAX = 32,          /* characters of a prefix, a pattern or what takes its place */
    CONFIG_PROBLEMS_MAX = 100        /* kept; more are counted */
};

/* ---- kinds of values ---- */

struct config_words { const slice *at; size_t count; };
struct config_network {
    struct address ip;               /* port 0; no bits behind the prefix */
    uint8_t        bits;
};
struct config_networks { const struct config_network *at; size_t count; };
bool config_network_has(const struct config_network *network, const struct address *a);
bool config_networks_have(const struct config_networks *networks, const struct address *a);
struct config_host {                 /* a name, or an address */
    slice          host;             /* lower case, without brackets; empty: not given */
    struct address address;          /* family 0: a name */
    uint16_t       port;             /* 0: that of the transport */
};
struct config_rate { uint32_t count; int64_t per_ns; };   /* count 0: no limit */
struct config_order { uint8_t at[8], count; };            /* of choices */
struct config_codes {                /* SIP codes; the two local ones are no answer from anybody */
    bool     unanswered, unreachable;                     /* "408-local", "503-local" */
    uint64_t bits[11];
};
static inline bool config_codes_has(const struct config_codes *c, unsigned code)
{
    return code < 700 && (c->bits[code / 64] >> (code % 64) & 1);
}
struct config_rule { slice pattern, instead; };           /* "00xx -> +xx": x is any digit */
struct config_rules { const struct config_rule *at; size_t count; };
struct config_entry { slice number; struct config_words uris; unsigned line; };
struct config_entries { const struct config_entry *at; size_t count; };

/* ---- sections ---- */

enum config_transport { CONFIG_UDP, CONFIG_TCP, CONFIG_TLS, CONFIG_WS, CONFIG_WSS, CONFIG_TRANSPORTS };
enum wire_transport config_wire(enum config_transport transport);
enum config_session_timer { CONFIG_TIMER_OFF, CONFIG_TIMER_ANSWER, CONFIG_TIMER_ASK, CONFIG_TIMER_DEMAND };
enum config_reliable { CONFIG_100REL_OFF, CONFIG_100REL_LEG, CONFIG_100REL_THROUGH, CONFIG_100REL_DEMAND };
enum config_preconditions { CONFIG_PRECONDITION_OFF, CONFIG_PRECONDITION_THROUGH, CONFIG_PRECONDITION_ACT };
enum config_emergency { CONFIG_EMERGENCY_ROUTE, CONFIG_EMERGENCY_REDIRECT };     /* REDIRECT: 380 */
enum config_alias { CONFIG_ALIAS_RING, CONFIG_ALIAS_REFUSE, CONFIG_ALIAS_HIDE }; /* all of them, 485, 404 */
enum config_strangers { CONFIG_STRANGERS_USERS, CONFIG_STRANGERS_NOBODY };
enum config_transfer { CONFIG_TRANSFER_SERVER, CONFIG_TRANSFER_THROUGH, CONFIG_TRANSFER_OFF };
enum config_redirects { CONFIG_REDIRECTS_PASS, CONFIG_REDIRECTS_FOLLOW };
enum config_disturb { CONFIG_DISTURB_480, CONFIG_DISTURB_486, CONFIG_DISTURB_603 };
enum config_rejected { CONFIG_REJECTED_603, CONFIG_REJECTED_403 };
enum config_media_mode { CONFIG_MEDIA_PASS, CONFIG_MEDIA_ANCHOR };
enum config_relay { CONFIG_RELAY_PREFER, CONFIG_RELAY_REQUIRE };
enum config_diverted { CONFIG_DIVERTED_HISTORY, CONFIG_DIVERTED_DIVERSION, CONFIG_DIVERTED_BOTH, CONFIG_DIVERTED_NONE };

struct config_server {
    struct config_words domains;     /* lower case; none: the listeners' addresses only */
    slice    name;
    uint32_t workers;                /* 0: one for each core */
    slice    users, state;           /* paths */
};
struct config_listen {
    slice    name;
    uint8_t  transport;              /* enum config_transport */
    struct address address;          /* with its port, always */
    uint32_t port;
    struct config_host advertise;    /* host empty: the address itself */
    slice    certificate, key, client_ca;                 /* paths */
};
struct config_timers {
    uint8_t  profile;
    int64_t  t1_ns, t2_ns, t4_ns, trying_ns, ring_ns, no_answer_ns, proceeding_ns;
    struct transaction_times times;  /* made of them */
};
struct config_registrar {
    int64_t  expires_min_ns, expires_ns, expires_max_ns, nonce_life_ns, ping_ns, flow_timer_ns;
    uint32_t contacts_max, ping_failures;
    struct config_order algorithms;  /* enum digest_algorithm, the most wanted first */
    bool     path, outbound, nat;
};
struct config_calls {
    uint32_t user_calls_max, calls_max, diversions_max, forks_max, forwards_max;
    struct config_rate rate;
    int64_t  queue_ns, duration_max_ns, session_expires_ns, session_expires_min_ns;
    uint8_t  session_timer, reliable, preconditions, redirects, transfer, alias_of_many, unknown_callers, do_not_disturb,
             rejected, emergency;
    bool     tell_forwarded, history_info, diversion, privacy, reason, global_codes;
    struct config_networks trusted;
    struct config_words emergency_numbers;
    struct config_codes fail_over;
};
struct config_numbers {
    slice    country, international, national;            /* digits; country empty: no E.164 is made */
    uint32_t digits_min;
    struct config_words deny;        /* prefixes that no gateway is asked for; empty text: all */
};
struct config_media {
    uint8_t  mode, relay;
    struct config_host rtpengine;
    struct config_words codecs;      /* of audio; none: all */
};
struct config_gateway {
    slice    name;
    struct config_host host;
    uint8_t  transport, forwarding, reliable;
    bool     registers, transit, emergency, trusted;
    slice    user, password_file, from_domain;
    int64_t  expires_ns, ping_ns, patience_ns;
    struct config_words allow, deny; /* prefixes; empty text: all */
    struct config_words codecs;      /* that it is offered; none: all */
    struct config_rules rewrite_called, rewrite_calling;
    uint32_t cost, priority, weight, calls_max;
    struct config_codes fail_over;
    struct config_networks allow_from;
};
struct config_security {
    struct config_rate failures, requests;                /* of one address */
    int64_t  ban_ns;                 /* 0: no bans */
    uint32_t bans_max, connections_max, calls_per_source;
    struct config_networks allow;    /* neither banned nor limited */
    uint64_t uri_bytes_max, message_bytes_max, body_bytes_max;
    struct config_words user_agents; /* beginnings that are not answered */
};
struct config_overload {
    uint32_t transactions_max;
    uint64_t memory_bytes_max;
    int64_t  delay_max_ns, retry_after_min_ns, retry_after_max_ns;
};

struct config {
    struct config_server    server;
    struct config_timers    timers;
    struct config_registrar registrar;
    struct config_calls     calls;
    struct config_numbers   numbers;
    struct config_media     media;
    struct config_security  security;
    struct config_overload  overload;
    struct config_words     gone;                         /* numbers: 410 */
    struct config_entries   moved, redirect;              /* 301; 302, with several URIs 300 */
    const struct config_listen  *listens;                 /* at least one */
    const struct config_gateway *gateways;
    size_t   listen_count, gateway_count;
    struct arena arena;
};

/* ---- what is wrong ---- */

struct config_problem {
    unsigned line;                   /* 0: of the whole file */
    enum text_id what;               /* TEXT_CONFIG_...; its placeholders are the names below */
    slice    section, key, value;    /* {section} {key} {value}: as written, or empty */
    slice    near;                   /* {near}: the nearest name, or what would be right */
    slice    min, max;               /* {min} {max} */
    unsigned other_line;             /* {line}: where it stands already */
};
struct config_report {
    struct config_problem *at;
    size_t   count, total;           /* kept, found; in the order of lines */
    struct arena arena;
};

/* 0, -EINVAL: something is wrong, told in *report; -ENOMEM. *ret only with 0. */
int  config_read(slice text, struct config **ret, struct config_report *report);
struct config *config_free(struct config *c);
void config_report_done(struct config_report *report);

/* What a reload cannot bring about: the settings that differ and want a new start of the program, up
 * to `room` of them; how many. Listeners and gateways come and go with a reload. */
enum { CONFIG_RESTARTS_MAX = 8 };
size_t config_needs_restart(const struct config *old, const struct config *new, slice *ret, size_t room);

#endif
