/* net/resolve.c - see resolve.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/resolve.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "net/resolve_answer.h"

#define SECOND_NS INT64_C(1000000000)
#define PACKET_BYTES 1232            /* what passes without fragments: DNS flag day 2020 */

/* A question of all who ask it, and then its answer. */
struct name {
    struct map_node by_key;
    struct list     in_list;         /* of queries; of answers, the one not used for longest first */
    struct list     waits;
    struct resolve *owner;
    struct arena    memory;          /* of the records */
    struct targets_answer answer;
    int64_t until_ns;
    bool    answered;
    uint8_t type;                    /* enum targets_type */
    uint8_t length;
    char    text[];                  /* in small letters, with a NUL */
};

struct wait {                        /* name NULL: none */
    struct list in_name;
    struct name *name;
    struct resolve_ask *ask;
};
struct resolve_ask {
    struct list in_all, in_ready;
    void *ctx;
    void (*done)(void *ctx, const struct targets *found);
    struct wait waits[TARGETS_QUESTIONS_MAX];             /* by the id of the question */
    struct targets_search search;
};

struct resolve {
    struct resolve_settings settings;
    struct resolve_counts counts;
    ares_channel channel;
    struct map   names;
    struct list  queries, answers;   /* names */
    struct list  asks, ready;        /* ready: an answer came for it, or an error */
    int64_t      now_ns;             /* of the call from outside that we are in */
    bool         closing;
};

/* ---- names ---- */

static uint64_t hash_of(const struct resolve *r, uint8_t type, slice small)
{
    return hash_slice(&r->settings.seed, small) + type;
}

static struct name *find_name(const struct resolve *r, uint8_t type, slice small)
{
    for (struct map_node *n = map_first(&r->names, hash_of(r, type, small)); n; n = map_next(n)) {
        struct name *name = map_item(n, struct name, by_key);

        if (name->type == type && slice_eq(slice_of(name->text, name->length), small))
            return name;
    }
    return NULL;
}

static void forget_name(struct resolve *r, struct name *name)
{
    assert(list_is_empty(&name->waits));
    map_remove(&r->names, &name->by_key);
    list_remove(&name->in_list);
    arena_done(&name->memory);
    free(name);
}

static bool make_room(struct resolve *r)
{
    if (r->names.count < r->settings.names_max)
        return true;
    for (struct list *l = r->answers.next; l != &r->answers; l = l->next) {
        struct name *name = list_item(l, struct name, in_list);

        if (!list_is_empty(&name->waits))
            continue;
        forget_name(r, name);
        return true;
    }
    return false;
}

static struct name *add_name(struct resolve *r, uint8_t type, slice small)
{
    struct name *name = make_room(r) ? calloc(1, sizeof *name + small.len + 1) : NULL;

    if (!name)
        return NULL;
    name->owner = r;
    name->type = type;
    name->length = (uint8_t)small.len;
    memcpy(name->text, small.ptr, small.len);
    list_init(&name->waits);
    list_init(&name->in_list);
    list_append(&r->queries, &name->in_list);
    map_add(&r->names, &name->by_key, hash_of(r, type, small));
    return name;
}

/* ---- answers ---- */

static int64_t until_ns(const struct resolve *r, const struct resolve_answer *answer)
{
    int64_t ttl_ns = answer->ttl_s * SECOND_NS, most_ns = r->settings.ttl_max_ns;

    if (answer->records.got == TARGETS_GOT_NONE)
        most_ns = r->settings.negative_max_ns;
    if (answer->records.got > TARGETS_GOT_NONE || answer->ttl_s == UINT32_MAX)
        most_ns = r->settings.failure_ns;
    return r->now_ns + (ttl_ns < most_ns ? ttl_ns : most_ns);
}

/* Those who wait take it later: c-ares is in the middle of something when it calls back. */
static void answer_name(struct name *name, const struct resolve_answer *answer)
{
    struct resolve *r = name->owner;

    name->answered = true;
    name->answer = answer->records;
    name->until_ns = until_ns(r, answer);
    list_remove(&name->in_list);
    list_append(&r->answers, &name->in_list);
    for (struct list *l = name->waits.next; l != &name->waits; l = l->next) {
        struct resolve_ask *ask = list_item(l, struct wait, in_name)->ask;

        if (list_is_empty(&ask->in_ready))
            list_append(&r->ready, &ask->in_ready);
    }
}

/* For lack of memory: not kept. */
static void answer_nothing(struct name *name)
{
    struct resolve_answer answer = { .records.got = TARGETS_GOT_FAILURE };

    arena_done(&name->memory);
    answer_name(name, &answer);
}

static enum targets_got got_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:      return TARGETS_GOT_RECORDS;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_EBADNAME:
    case ARES_ENOTIMP:      return TARGETS_GOT_NONE;      /* it knows no such type, so nobody has any there */
    case ARES_ETIMEOUT:     return TARGETS_GOT_TIMEOUT;
    default:                return TARGETS_GOT_FAILURE;   /* of SERVFAIL it may say ECONNREFUSED, too */
    }
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *bytes, int length)
{
    struct name *name = arg;
    struct resolve *r = name->owner;
    struct resolve_answer answer = { .records.got = got_of(status), .ttl_s = UINT32_MAX };
    bool readable = answer.records.got <= TARGETS_GOT_NONE && bytes && length > 0;

    (void)timeouts;
    if (r->closing)
        return;
    if (status == ARES_ENOMEM || (readable && resolve_answer_read(slice_of(bytes, (size_t)length),
                                                                  slice_of(name->text, name->length),
                                                                  (enum targets_type)name->type, &name->memory,
                                                                  &answer) < 0)) {
        answer_nothing(name);
        return;
    }
    r->counts.failures += answer.records.got == TARGETS_GOT_FAILURE;
    r->counts.timeouts += answer.records.got == TARGETS_GOT_TIMEOUT;
    answer_name(name, &answer);
}

/* ---- /etc/hosts ---- */

static size_t count_addresses(const struct hostent *host)
{
    size_t count = 0;

    while (host && host->h_addr_list[count] && count < RESOLVE_RECORDS_MAX)
        count++;
    return count;
}

static void answer_from_hosts(struct name *name, const struct hostent *host)
{
    struct resolve_answer answer = { .ttl_s = (uint32_t)(name->owner->settings.hosts_ns / SECOND_NS) };
    size_t count = count_addresses(host);
    struct targets_record *records = arena_zalloc(&name->memory, (count + 1) * sizeof *records);

    if (!records) {
        answer_nothing(name);
        return;
    }
    for (size_t i = 0; i < count; i++)
        records[i].address = name->type == TARGETS_A ? address_v4(host->h_addr_list[i], 0) :
                                                       address_v6(host->h_addr_list[i], 0);
    answer.records = (struct targets_answer){ count ? TARGETS_GOT_RECORDS : TARGETS_GOT_NONE, records, count };
    answer_name(name, &answer);
}

/* A name that stands there with one family has none of the other, as for getaddrinfo: the DNS
 * may know another machine by that name. */
static bool look_in_hosts(struct resolve *r, struct name *name)
{
    int family = name->type == TARGETS_A ? AF_INET : AF_INET6, other = family == AF_INET ? AF_INET6 : AF_INET;
    struct hostent *host = NULL, *host_other = NULL;
    bool found;

    if (ares_gethostbyname_file(r->channel, name->text, family, &host) != ARES_SUCCESS)
        host = NULL;
    else if (host->h_addrtype != family)
        ares_free_hostent(host), host = NULL;
    if (!host && ares_gethostbyname_file(r->channel, name->text, other, &host_other) != ARES_SUCCESS)
        host_other = NULL;
    found = host || host_other;
    if (found) {
        r->counts.hosts++;
        answer_from_hosts(name, host);
    }
    if (host)
        ares_free_hostent(host);
    if (host_other)
        ares_free_hostent(host_other);
    return found;
}

/* ---- asking ---- */

static void send_question(struct resolve *r, struct name *name)
{
    static const int types[] = {
        [TARGETS_NAPTR] = ns_t_naptr, [TARGETS_SRV] = ns_t_srv, [TARGETS_A] = ns_t_a, [TARGETS_AAAA] = ns_t_aaaa,
    };
    bool address = name->type == TARGETS_A || name->type == TARGETS_AAAA;

    if (address && look_in_hosts(r, name))
        return;
    r->counts.sent++;
    ares_query(r->channel, name->text, ns_c_in, types[name->type], on_answer, name);   /* may call back now */
}

/* The name with its answer, or with a query under way. NULL: no room. */
static struct name *name_for(struct resolve *r, const struct targets_question *q)
{
    char text[TARGETS_NAME_MAX];
    struct name *name;
    slice small;

    for (size_t i = 0; i < q->name.len; i++)
        text[i] = ascii_lower(q->name.ptr[i]);
    small = slice_of(text, q->name.len);
    name = find_name(r, q->type, small);
    if (name && name->answered && name->until_ns <= r->now_ns && list_is_empty(&name->waits)) {
        forget_name(r, name);
        name = NULL;
    }
    if (!name) {
        name = add_name(r, q->type, small);
        if (name)
            send_question(r, name);
        else
            r->counts.refused++;
    } else if (name->answered) {
        r->counts.cached++;
        list_remove(&name->in_list);
        list_append(&r->answers, &name->in_list);
    } else {
        r->counts.shared++;
    }
    return name;
}

/* ---- asks ---- */

static void stop_waiting(struct wait *wait)
{
    list_remove(&wait->in_name);
    wait->name = NULL;
}

static void take_answers(struct resolve_ask *ask)
{
    for (uint8_t id = 0; id < TARGETS_QUESTIONS_MAX; id++) {
        struct name *name = ask->waits[id].name;

        if (!name || !name->answered)
            continue;
        stop_waiting(&ask->waits[id]);
        targets_search_answer(&ask->search, id, &name->answer);
    }
}

static void go_on(struct resolve *r, struct resolve_ask *ask)
{
    static const struct targets_answer failed = { .got = TARGETS_GOT_FAILURE };
    struct targets_question q;

    take_answers(ask);
    while (targets_search_ask(&ask->search, &q)) {
        struct name *name = name_for(r, &q);

        if (!name || name->answered) {
            targets_search_answer(&ask->search, q.id, name ? &name->answer : &failed);
            continue;
        }
        ask->waits[q.id].name = name;
        list_append(&name->waits, &ask->waits[q.id].in_name);
    }
}

static void unlink_ask(struct resolve *r, struct resolve_ask *ask)
{
    for (uint8_t id = 0; id < TARGETS_QUESTIONS_MAX; id++)
        stop_waiting(&ask->waits[id]);
    list_remove(&ask->in_ready);
    list_remove(&ask->in_all);
    r->counts.asks_now--;
}

/* Every answer that came is taken; who has all is told. `done` may start and cancel others. */
static void settle(struct resolve *r)
{
    while (!list_is_empty(&r->ready)) {
        struct resolve_ask *ask = list_item(r->ready.next, struct resolve_ask, in_ready);

        list_remove(&ask->in_ready);
        go_on(r, ask);
        if (!targets_search_is_done(&ask->search))
            continue;
        unlink_ask(r, ask);
        ask->done(ask->ctx, &ask->search.found);
        free(ask);
    }
}

static struct resolve_ask *new_ask(struct resolve *r, const struct resolve_wish *wish,
                                   const struct targets_search *search)
{
    struct resolve_ask *ask = malloc(sizeof *ask);

    if (!ask)
        return NULL;
    ask->ctx = wish->ctx;
    ask->done = wish->done;
    ask->search = *search;
    for (uint8_t id = 0; id < TARGETS_QUESTIONS_MAX; id++) {
        ask->waits[id] = (struct wait){ .ask = ask };
        list_init(&ask->waits[id].in_name);
    }
    list_init(&ask->in_ready);
    list_init(&ask->in_all);
    list_append(&r->asks, &ask->in_all);
    r->counts.asks_now++;
    return ask;
}

int resolve_start(struct resolve *r, const struct resolve_wish *wish, int64_t now_ns, struct targets *ret_found,
                  struct resolve_ask **ret_ask)
{
    struct targets_search search;
    struct resolve_ask *ask;

    r->now_ns = now_ns;
    r->counts.asks++;
    targets_search_begin(&search, wish->targets, wish->uri, wish->large, wish->random);
    if (targets_search_is_done(&search)) {                /* no host to ask for: nothing is allocated */
        r->counts.at_once++;
        *ret_found = search.found;
        return 1;
    }
    if (r->counts.asks_now >= r->settings.asks_max) {
        r->counts.refused++;
        return -EBUSY;
    }
    ask = new_ask(r, wish, &search);
    if (!ask)
        return -ENOMEM;
    go_on(r, ask);
    if (!targets_search_is_done(&ask->search)) {
        *ret_ask = ask;
        return 0;
    }
    r->counts.at_once++;
    *ret_found = ask->search.found;
    resolve_cancel(r, ask);
    return 1;
}

void resolve_cancel(struct resolve *r, struct resolve_ask *ask)
{
    unlink_ask(r, ask);
    free(ask);
}

/* ---- the loop's side ---- */

void resolve_ready(struct resolve *r, int fd, bool readable, bool writable, int64_t now_ns)
{
    r->now_ns = now_ns;
    ares_process_fd(r->channel, readable ? fd : ARES_SOCKET_BAD, writable ? fd : ARES_SOCKET_BAD);
    settle(r);
}

void resolve_due(struct resolve *r, int64_t now_ns)
{
    r->now_ns = now_ns;
    ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    settle(r);
}

/* c-ares has a clock of its own and says how long still; a millisecond more, or it would be
 * asked a moment too early and say so over and over. */
int64_t resolve_due_ns(const struct resolve *r, int64_t now_ns)
{
    struct timeval left;

    if (!list_is_empty(&r->ready))                        /* c-ares gave one up while another was sent */
        return now_ns;
    if (!ares_timeout(r->channel, NULL, &left))
        return INT64_MAX;
    return now_ns + left.tv_sec * SECOND_NS + (left.tv_usec + 1000) * INT64_C(1000);
}

static void on_socket(void *ctx, ares_socket_t fd, int readable, int writable)
{
    struct resolve *r = ctx;

    r->settings.watch(r->settings.ctx, fd, readable, writable);
}

/* ---- the beginning and the end ---- */

static void fill_defaults(struct resolve_settings *s)
{
    s->timeout_ms = s->timeout_ms > 0 ? s->timeout_ms : 1000;
    s->tries = s->tries > 0 ? s->tries : 2;
    s->names_max = s->names_max ? s->names_max : 4096;
    s->asks_max = s->asks_max ? s->asks_max : 4096;
    s->ttl_max_ns = s->ttl_max_ns > 0 ? s->ttl_max_ns : 3600 * SECOND_NS;
    s->negative_max_ns = s->negative_max_ns > 0 ? s->negative_max_ns : 300 * SECOND_NS;
    s->failure_ns = s->failure_ns > 0 ? s->failure_ns : 5 * SECOND_NS;
    s->hosts_ns = s->hosts_ns > 0 ? s->hosts_ns : 10 * SECOND_NS;
}

/* No ARES_FLAG_STAYOPEN: a new socket has a new port, which is half of what a forger must guess. */
static int open_channel(struct resolve *r)
{
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_EDNS,
        .ednspsz = PACKET_BYTES,
        .timeout = r->settings.timeout_ms,
        .tries = r->settings.tries,
        .sock_state_cb = on_socket,
        .sock_state_cb_data = r,
    };
    int status = ares_init_options(&r->channel, &options,
                                   ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                       ARES_OPT_SOCK_STATE_CB);

    if (status != ARES_SUCCESS)
        return status == ARES_ENOMEM ? -ENOMEM : -EIO;
    status = r->settings.servers ? ares_set_servers_ports_csv(r->channel, r->settings.servers) : ARES_SUCCESS;
    if (status != ARES_SUCCESS)
        ares_destroy(r->channel);
    return status == ARES_SUCCESS ? 0 : status == ARES_ENOMEM ? -ENOMEM : -EINVAL;
}

struct resolve *resolve_new(const struct resolve_settings *settings, int *ret_error)
{
    struct resolve *r = calloc(1, sizeof *r);
    int error = r ? map_init(&r->names, 64) : -ENOMEM;

    if (!error) {
        list_init(&r->queries);
        list_init(&r->answers);
        list_init(&r->asks);
        list_init(&r->ready);
        r->settings = *settings;
        fill_defaults(&r->settings);
        error = open_channel(r);
        r->settings.servers = NULL;                       /* the caller's */
        if (!error)
            return r;
        map_done(&r->names);
    }
    free(r);
    *ret_error = error;
    return NULL;
}

static void forget_all(struct resolve *r, struct list *names)
{
    while (!list_is_empty(names))
        forget_name(r, list_item(names->next, struct name, in_list));
}

struct resolve *resolve_free(struct resolve *r)
{
    if (!r)
        return NULL;
    r->closing = true;
    while (!list_is_empty(&r->asks))
        resolve_cancel(r, list_item(r->asks.next, struct resolve_ask, in_all));
    ares_destroy(r->channel);
    forget_all(r, &r->queries);
    forget_all(r, &r->answers);
    map_done(&r->names);
    free(r);
    return NULL;
}

struct resolve_counts resolve_counts(const struct resolve *r)
{
    struct resolve_counts counts = r->counts;

    counts.names = r->names.count;
    return counts;
}

/* ---- shown to people ---- */

static void print_name(struct out *out, const struct name *name, int64_t now_ns)
{
    static const slice types[] = {
        [TARGETS_NAPTR] = SLICE_INIT("NAPTR "), [TARGETS_SRV] = SLICE_INIT("SRV "),
        [TARGETS_A] = SLICE_INIT("A "),         [TARGETS_AAAA] = SLICE_INIT("AAAA "),
    };
    static const slice gots[] = {
        [TARGETS_GOT_NONE] = SLICE_INIT("none"),         [TARGETS_GOT_FAILURE] = SLICE_INIT("failed"),
        [TARGETS_GOT_TIMEOUT] = SLICE_INIT("timed out"),
    };
    int64_t left_s = (name->until_ns - now_ns) / SECOND_NS;

    out_text(out, types[name->type]);
    out_text(out, slice_of(name->text, name->length));
    if (!name->answered) {
        out_text(out, SLICE(", asked\n"));
        return;
    }
    out_text(out, SLICE(", "));
    if (name->answer.got == TARGETS_GOT_RECORDS) {
        out_u64(out, name->answer.count);
        out_text(out, name->answer.count == 1 ? SLICE(" record") : SLICE(" records"));
    } else {
        out_text(out, gots[name->answer.got]);
    }
    out_text(out, SLICE(", "));
    out_i64(out, left_s > 0 ? left_s : 0);
    out_text(out, SLICE(" s\n"));
}

void resolve_debug(struct out *out, const struct resolve *r, int64_t now_ns)
{
    for (const struct list *l = r->queries.next; l != &r->queries; l = l->next)
        print_name(out, list_item(l, struct name, in_list), now_ns);
    for (const struct list *l = r->answers.next; l != &r->answers; l = l->next)
        print_name(out, list_item(l, struct name, in_list), now_ns);
}
