/* switch/endpoint.c - one endpoint: its tables, its wheel, its tokens, and what leaves it
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/code.h"
#include "sip/build.h"
#include "switch/endpoint_int.h"

#include <errno.h>
#include <stdlib.h>

enum { TRANSACTIONS_MAX = 1000000, MESSAGE_MAX = 256 * 1024, EXPECTED = 1024 };

struct endpoint *endpoint_new(const struct endpoint_settings *settings, const struct hop_sender *sender,
                              const struct endpoint_user *user, int64_t now_ns)
{
    struct endpoint *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    e->settings = *settings;
    endpoint_set(e, &settings->times, settings->transactions_max);
    e->sender = *sender;
    e->user = *user;
    e->now_ns = now_ns;
    wheel_init(&e->server_wheel, now_ns);
    wheel_init(&e->client_wheel, now_ns);
    out_init_memory(&e->out, MESSAGE_MAX);
    if (map_init(&e->servers, EXPECTED) != 0 || map_init(&e->requests, EXPECTED) != 0 ||
        map_init(&e->clients, EXPECTED) != 0 || map_init(&e->hops, EXPECTED) != 0)
        return endpoint_free(e);
    return e;
}

struct endpoint *endpoint_free(struct endpoint *e)
{
    if (!e)
        return NULL;
    for (size_t i = 0; e->servers.buckets && i < e->servers.bucket_count; i++)
        while (e->servers.buckets[i])
            server_free(map_item(e->servers.buckets[i], struct server_transaction, by_key));
    for (size_t i = 0; e->clients.buckets && i < e->clients.bucket_count; i++)
        while (e->clients.buckets[i])
            client_free(map_item(e->clients.buckets[i], struct client_transaction, by_branch));
    map_done(&e->servers);
    map_done(&e->requests);
    map_done(&e->clients);
    map_done(&e->hops);
    out_done(&e->out);
    free(e);
    return NULL;
}

void endpoint_set(struct endpoint *e, const struct transaction_times *times, uint32_t transactions_max)
{
    e->settings.times = *times;
    e->settings.transactions_max = transactions_max ? transactions_max : TRANSACTIONS_MAX;
}

void endpoint_advertise(struct endpoint *e, const struct endpoint_advertised *list, size_t count)
{
    e->settings.advertised = list;
    e->settings.advertised_count = count;
}

int64_t endpoint_now_ns(const struct endpoint *e) { return e->now_ns; }
const struct transaction_times *endpoint_times(const struct endpoint *e) { return &e->settings.times; }
const struct endpoint_counts *endpoint_counts(const struct endpoint *e) { return &e->counts; }
size_t endpoint_live(const struct endpoint *e) { return e->live; }
size_t endpoint_memory_bytes(const struct endpoint *e) { return e->memory_bytes; }

/* ---- kept bytes ---- */

char *endpoint_keep(struct endpoint *e, slice text)
{
    char *copy = malloc(text.len ? text.len : 1);

    if (!copy)
        return NULL;
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    e->memory_bytes += text.len;
    return copy;
}

void endpoint_let_go(struct endpoint *e, char **kept, uint32_t *len)
{
    if (*kept)
        e->memory_bytes -= *len;
    free(*kept);
    *kept = NULL;
    *len = 0;
}

/* ---- tokens ---- */

static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";

/* Each is the hash of how many there were before, under the secret seed: not to be guessed, and
 * not twice in the life of a seed. */
void endpoint_token(struct endpoint *e, char ret[ENDPOINT_TOKEN_LEN + 1])
{
    uint64_t number[2] = { ++e->tokens, 0 };
    uint64_t bits = hash_bytes(&e->settings.seed, number, sizeof number);

    number[1] = bits;
    uint64_t more = hash_bytes(&e->settings.seed, number, sizeof number);

    ret[0] = letters[e->settings.worker & 31];
    for (int i = 1; i < ENDPOINT_TOKEN_LEN; i++) {
        uint64_t *from = i <= 12 ? &bits : &more;

        ret[i] = letters[*from & 31];
        *from >>= 5;
    }
    ret[ENDPOINT_TOKEN_LEN] = '\0';
}

slice endpoint_local(const struct endpoint *e, const struct hop *hop, char room[ADDRESS_TEXT_MAX])
{
    const struct endpoint_settings *s = &e->settings;
    const struct endpoint_advertised *found = NULL;

    for (size_t i = 0; i < s->advertised_count; i++) {
        const struct endpoint_advertised *a = &s->advertised[i];

        if (a->transport != hop->transport || a->local.family != hop->local.family || (a->local.port && a->local.port != hop->local.port))
            continue;
        if (address_same_ip(&a->local, &hop->local)) {
            found = a;
            break;
        }
        if (!found && address_is_zero(&a->local))
            found = a;
    }
    return found && found->text.len ? found->text : slice_of(room, address_format(&hop->local, room));
}

unsigned endpoint_worker(const struct endpoint *e) { return e->settings.worker; }

bool endpoint_token_worker(slice token, unsigned *ret)
{
    static const struct { uint8_t of[256]; } numbers = { {
        ['a'] = 1,  ['b'] = 2,  ['c'] = 3,  ['d'] = 4,  ['e'] = 5,  ['f'] = 6,  ['g'] = 7,  ['h'] = 8,
        ['i'] = 9,  ['j'] = 10, ['k'] = 11, ['m'] = 12, ['n'] = 13, ['p'] = 14, ['q'] = 15, ['r'] = 16,
        ['s'] = 17, ['t'] = 18, ['u'] = 19, ['v'] = 20, ['w'] = 21, ['x'] = 22, ['y'] = 23, ['z'] = 24,
        ['2'] = 25, ['3'] = 26, ['4'] = 27, ['5'] = 28, ['6'] = 29, ['7'] = 30, ['8'] = 31, ['9'] = 32,
    } };                             /* the place among the letters, from 1 on */
    unsigned all = 1;

    for (size_t i = 0; all && i < token.len && i < ENDPOINT_TOKEN_LEN; i++)
        all = numbers.of[(uint8_t)token.ptr[i]];
    if (!all || token.len != ENDPOINT_TOKEN_LEN)
        return false;
    *ret = numbers.of[(uint8_t)token.ptr[0]] - 1u;
    return true;
}

/* ---- room ---- */

/* What ends or continues something always has a quarter more. */
bool endpoint_is_full(const struct endpoint *e, enum sip_method method, bool in_dialog)
{
    size_t max = e->settings.transactions_max;

    if (in_dialog || method == SIP_CANCEL || method == SIP_BYE || method == SIP_PRACK)
        max += max / 4;
    return e->live >= max;
}

/* ---- sending ---- */

void endpoint_transmit(struct endpoint *e, struct hop *to, slice bytes, int *ret_error)
{
    if (e->user.sent)
        e->user.sent(e->user.ctx, to, bytes);
    int error = e->sender.send(e->sender.ctx, to, bytes);

    if (ret_error)
        *ret_error = error;
}

void endpoint_refuse(struct endpoint *e, const struct sip_message *request, const struct hop *from, unsigned status,
                     slice phrase, slice extra, int64_t now_ns)
{
    struct hop to = *from;
    char tag[ENDPOINT_TOKEN_LEN + 1];

    if (now_ns > e->now_ns)
        e->now_ns = now_ns;
    if (!request->is_request || request->method == SIP_ACK || !request->via_count)
        return;
    endpoint_token(e, tag);
    out_clear(&e->out);
    sip_build_response(&e->out, request, status, phrase.len ? phrase : code_phrase(status), slice_of_string(tag),
                       &from->remote);
    out_text(&e->out, extra);
    sip_build_body(&e->out, (slice){ 0 }, (slice){ 0 });
    if (!e->out.error)
        endpoint_transmit(e, &to, out_taken(&e->out), NULL);
}

/* ---- what comes ---- */

void endpoint_receive(struct endpoint *e, const struct hop *from, const struct sip_message *m, int64_t now_ns)
{
    endpoint_time(e, now_ns);
    if (m->is_request) {
        e->counts.requests++;
        server_receive(e, from, m);
    } else {
        e->counts.responses++;
        client_receive(e, from, m);
    }
}

void endpoint_hop_lost(struct endpoint *e, const struct hop *hop, int64_t now_ns)
{
    if (now_ns > e->now_ns)
        e->now_ns = now_ns;
    client_hop_lost(e, hop);
}

void endpoint_time(struct endpoint *e, int64_t now_ns)
{
    struct wheel_timer *t;

    if (now_ns > e->now_ns)
        e->now_ns = now_ns;
    while ((t = wheel_due(&e->server_wheel, e->now_ns)))
        server_due(wheel_item(t, struct server_transaction, timer));
    while ((t = wheel_due(&e->client_wheel, e->now_ns)))
        client_due(wheel_item(t, struct client_transaction, timer));
}

int64_t endpoint_next_ns(const struct endpoint *e)
{
    int64_t server_ns = wheel_next_ns(&e->server_wheel), client_ns = wheel_next_ns(&e->client_wheel);

    return server_ns < client_ns ? server_ns : client_ns;
}
