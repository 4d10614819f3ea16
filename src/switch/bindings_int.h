/* switch/bindings_int.h - what bindings.c and bindings_record.c share
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SWITCH_BINDINGS_INT_H
#define SWITCH_BINDINGS_INT_H

#include "base/list.h"
#include "base/map.h"
#include "base/wheel.h"
#include "switch/bindings.h"

/* Its texts one behind the other, in this order. */
enum binding_text {
    TEXT_URI, TEXT_PATH, TEXT_CALL_ID, TEXT_USER_AGENT, TEXT_INSTANCE, TEXT_PARAMS, TEXTS
};

struct binding {
    struct binding      *next;       /* of the same address-of-record */
    struct bindings_aor *aor;
    struct wheel_timer   timer;      /* expiry or keep-alive, what comes first */
    struct map_node      by_connection;                   /* in the map only with a connection */
    int64_t  expires_ns, ping_ns;    /* ping_ns INT64_MAX: none */
    int64_t  since_ns, refreshed_ns;
    uint64_t id;
    struct hop hop;
    uint32_t cseq, reg_id;
    uint16_t q_thousandth;
    uint16_t len[TEXTS];
    uint8_t  flags, failures;
    char     text[];
};

struct bindings_aor {
    struct map_node by_key;
    struct list     in_all;
    struct binding *first;
    uint16_t        count, key_len;
    char            key[];
};

struct bindings {
    struct bindings_settings settings;
    struct map    by_key, by_connection;
    struct list   all;
    struct wheel  wheel;
    struct bindings_walk *walks;
    struct bindings_observer observers[BINDINGS_OBSERVERS_MAX];
    size_t        observer_count, count, memory_bytes;
    uint64_t      ids;
};

enum { BINDING_FLAGS_ALL = BINDING_BY_HOP | BINDING_OUTBOUND };

/* Is it the form that bindings_key makes? */
bool bindings_key_is_canonical(slice key);
/* The same place: by instance and reg-id, or by URI. */
bool binding_is_same(const struct binding_fields *a, const struct binding_fields *b);
/* Takes the place of what is there, tells the observers; all or nothing. */
int bindings_put_restored(struct bindings *b, slice key, const struct binding_fields *fields, size_t count,
                          int64_t now_ns);

#endif
