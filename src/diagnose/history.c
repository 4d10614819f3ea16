/* diagnose/history.c - see history.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/history.h"

#include <stdlib.h>

#include "sip/uri.h"
#include "sip/values.h"

#define WAYS 8u                      /* places that an entry may take */
#define SECOND_NS 1000000000LL
#define DEFAULT_EXPIRES_S 3600u      /* RFC 3261, 10.2 */
#define LENGTHS 64u

struct called {                      /* this host called that user */
    uint64_t hash;
    int64_t  at_ns;
};

struct length {
    uint64_t seconds;
    uint32_t count;
};

struct diagnose_history {
    struct hash_seed seed;
    size_t host_sets, binding_sets, called_sets, bytes;      /* each a power of two, of WAYS entries */
    struct history_host    *hosts;
    struct history_binding *bindings;
    struct called          *called;
    struct length lengths[LENGTHS];
};

/* ---- memory ------------------------------------------------------------------------------------- */

static size_t sets_for(size_t bytes, size_t one)
{
    size_t sets = 1;

    while (sets * 2 * WAYS * one <= bytes)
        sets *= 2;
    return sets;
}

struct diagnose_history *diagnose_history_new(const struct hash_seed *seed, size_t bytes)
{
    struct diagnose_history *h = calloc(1, sizeof *h);

    if (!h)
        return NULL;
    h->seed = *seed;
    h->host_sets = sets_for(bytes / 2, sizeof *h->hosts);
    h->binding_sets = sets_for(bytes * 3 / 8, sizeof *h->bindings);
    h->called_sets = sets_for(bytes / 8, sizeof *h->called);
    h->hosts = calloc(h->host_sets * WAYS, sizeof *h->hosts);
    h->bindings = calloc(h->binding_sets * WAYS, sizeof *h->bindings);
    h->called = calloc(h->called_sets * WAYS, sizeof *h->called);
    if (!h->hosts || !h->bindings || !h->called)
        return diagnose_history_free(h);
    return h;
}

struct diagnose_history *diagnose_history_free(struct diagnose_history *h)
{
    if (h) {
        free(h->hosts);
        free(h->bindings);
        free(h->called);
        free(h);
    }
    return NULL;
}

size_t diagnose_history_memory_bytes(const struct diagnose_history *h)
{
    return sizeof *h + WAYS * (h->host_sets * sizeof *h->hosts + h->binding_sets * sizeof *h->bindings +
                               h->called_sets * sizeof *h->called);
}

/* ---- hosts ---------------------------------------------------------------------------------------- */

static struct address without_port(const struct address *a)
{
    struct address host = *a;

    host.port = 0;
    return host;
}

static struct history_host *host_set(const struct diagnose_history *h, const struct address *host)
{
    return &h->hosts[(hash_bytes(&h->seed, host, sizeof *host) & (h->host_sets - 1)) * WAYS];
}

const struct history_host *diagnose_history_host(const struct diagnose_history *h, const struct address *address)
{
    struct address host = without_port(address);
    const struct history_host *set = host_set(h, &host);

    for (size_t i = 0; i < WAYS; i++)
        if (address_eq(&set[i].address, &host))
            return set[i].address.family ? &set[i] : NULL;
    return NULL;
}

void diagnose_history_hosts(const struct diagnose_history *h, void (*look)(void *ctx, const struct history_host *host),
                            void *ctx)
{
    for (size_t i = 0; i < h->host_sets * WAYS; i++)
        if (h->hosts[i].address.family)
            look(ctx, &h->hosts[i]);
}

static struct history_host *host_of(struct diagnose_history *h, const struct address *address, int64_t now_ns)
{
    struct address host = without_port(address);
    struct history_host *set = host_set(h, &host), *oldest = set;

    for (size_t i = 0; i < WAYS; i++) {
        if (address_eq(&set[i].address, &host)) {
            set[i].last_ns = now_ns;
            return &set[i];
        }
        if (set[i].last_ns < oldest->last_ns)
            oldest = &set[i];
    }
    *oldest = (struct history_host){ .address = host, .first_ns = now_ns, .last_ns = now_ns };
    return oldest;
}

#define PATIENT_NS (5 * SECOND_NS)   /* phones ask again after 20 seconds and more */

bool diagnose_history_hurries(const struct history_host *host)
{
    int64_t tries = (int64_t)host->challenged_again + host->refused;

    return tries && (host->last_ns - host->first_ns) / tries < PATIENT_NS;
}

/* User-Agent of tools that look for open servers. */
static const slice scanners[] = {
    SLICE_INIT("friendly-scanner"), SLICE_INIT("sipvicious"), SLICE_INIT("sundayddr"), SLICE_INIT("pplsip"),
    SLICE_INIT("sipcli"), SLICE_INIT("sip-scan"), SLICE_INIT("sipsak"), SLICE_INIT("iWar"), SLICE_INIT("sivus"),
    SLICE_INIT("smap"), SLICE_INIT("friendly-request"), SLICE_INIT("VaxSIPUserAgent"), SLICE_INIT("sipptk"),
    SLICE_INIT("eyeBeam release 1011d"), SLICE_INIT("Nmap"), SLICE_INIT("siparmyknife"), SLICE_INIT("Mr.SIP"),
    SLICE_INIT("viproy"), SLICE_INIT("svmap"), SLICE_INIT("svwar"), SLICE_INIT("svcrack"),
};

slice diagnose_scanner_name(unsigned scanner)
{
    return scanner && scanner <= ARRAY_LEN(scanners) ? scanners[scanner - 1] : (slice){0};
}

static uint8_t scanner_of(const struct sip_message *m)
{
    const struct sip_header *agent = sip_header_find(m, SIP_H_USER_AGENT);

    for (size_t i = 0; agent && i < ARRAY_LEN(scanners); i++)
        if (slice_starts_nocase(agent->value, scanners[i]))
            return (uint8_t)(i + 1);
    return 0;
}

static void count_user(struct history_host *host, uint64_t user)
{
    size_t known = host->users < HISTORY_NUMBERS ? host->users : HISTORY_NUMBERS;

    for (size_t i = 0; i < known; i++)
        if (host->user_hashes[i] == user)
            return;
    host->user_hashes[host->users % HISTORY_NUMBERS] = user;
    host->users++;                                        /* beyond the table: those not lately seen */
}

static void count_burst(struct history_host *host, int64_t now_ns)
{
    if (now_ns - host->burst_ns >= SECOND_NS || now_ns < host->burst_ns) {
        host->burst_ns = now_ns;
        host->burst = 0;
    }
    if (++host->burst > host->burst_max)
        host->burst_max = host->burst;
}

/* ---- who called whom -------------------------------------------------------------------------------- */

static uint64_t user_hash(const struct diagnose_history *h, slice uri)
{
    slice user = sip_uri_user(uri);

    return hash_slice(&h->seed, user.len ? user : uri);
}

static uint64_t called_hash(const struct diagnose_history *h, const struct address *from, uint64_t user)
{
    struct { struct address from; uint32_t zero; uint64_t user; } key = { without_port(from), 0, user };

    return hash_bytes(&h->seed, &key, sizeof key) | 1;
}

static void note_called(struct diagnose_history *h, const struct address *from, uint64_t user, int64_t now_ns)
{
    uint64_t hash = called_hash(h, from, user);
    struct called *set = &h->called[(hash >> 8 & (h->called_sets - 1)) * WAYS], *oldest = set;

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].hash == hash) {
            oldest = &set[i];
            break;
        }
        if (set[i].at_ns < oldest->at_ns)
            oldest = &set[i];
    }
    *oldest = (struct called){ hash, now_ns };
}

bool diagnose_history_called(const struct diagnose_history *h, const struct address *from, slice uri, int64_t since_ns)
{
    uint64_t hash = called_hash(h, from, user_hash(h, uri));
    const struct called *set = &h->called[(hash >> 8 & (h->called_sets - 1)) * WAYS];

    for (size_t i = 0; uri.len && i < WAYS; i++)
        if (set[i].hash == hash)
            return set[i].at_ns >= since_ns;
    return false;
}

/* ---- registrations ------------------------------------------------------------------------------------ */

static struct history_binding *binding_set(const struct diagnose_history *h, uint64_t user)
{
    return &h->bindings[(user & (h->binding_sets - 1)) * WAYS];
}

const struct history_binding *diagnose_history_binding(const struct diagnose_history *h, slice uri)
{
    slice user_text = sip_uri_user(uri);
    uint64_t user = hash_slice(&h->seed, user_text), host = hash_slice(&h->seed, sip_uri_host(uri));
    const struct history_binding *set = binding_set(h, user), *other = NULL;

    if (!user_text.len)
        return NULL;
    for (size_t i = 0; i < WAYS; i++) {
        if (!set[i].touched_ns || set[i].user != user)
            continue;
        if (set[i].host == host)
            return &set[i];
        other = other ? other : &set[i];
    }
    return other;
}

static struct history_binding *binding_of(struct diagnose_history *h, slice uri, int64_t now_ns)
{
    uint64_t user = hash_slice(&h->seed, sip_uri_user(uri)), host = hash_slice(&h->seed, sip_uri_host(uri));
    struct history_binding *set = binding_set(h, user), *oldest = set;

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].touched_ns && set[i].user == user && set[i].host == host)
            return &set[i];
        if (set[i].touched_ns < oldest->touched_ns)
            oldest = &set[i];
    }
    *oldest = (struct history_binding){ .user = user, .host = host, .touched_ns = now_ns };
    return oldest;
}

/* Longest life time that a 2xx grants; 0: it lists no contact. */
static uint32_t granted_s(const struct sip_message *m)
{
    const struct sip_header *expires = sip_header_find(m, SIP_H_EXPIRES);
    uint32_t usual = DEFAULT_EXPIRES_S, longest = 0;
    struct sip_contact contact;

    if (expires)
        (void)sip_seconds_parse(expires->value, &usual);
    for (const struct sip_header *line = sip_header_find(m, SIP_H_CONTACT); line; line = sip_header_next(m, line))
        for (slice rest = line->value; sip_contact_next(&rest, &contact);) {
            uint32_t s = contact.has_expires ? contact.expires_s : usual;

            longest = s > longest ? s : longest;
        }
    return longest;
}

static void note_registered(struct diagnose_history *h, const struct wire_unit *u, const struct sip_message *m)
{
    struct history_binding *b = binding_of(h, m->to.uri, u->time_ns);
    struct address client = without_port(&u->dst);
    uint32_t seconds;

    b->touched_ns = u->time_ns;
    if (m->status >= 300) {
        bool asks_again = m->status == 401 || m->status == 407 || m->status == 423 || m->status == 494;

        b->failures += !asks_again;
        b->frame = asks_again || b->registered_ns ? b->frame : u->frame;
        return;
    }
    seconds = granted_s(m);
    b->frame = u->frame;
    b->count++;
    if (seconds == 0) {
        b->removed_ns = u->time_ns;
        b->until_ns = 0;
        return;
    }
    if (b->client.family && !address_eq(&b->client, &client))
        b->client_before = b->client;
    b->client = client;
    b->registered_ns = u->time_ns;
    b->removed_ns = 0;
    b->until_ns = u->time_ns + (int64_t)seconds * SECOND_NS;
}

/* ---- messages -------------------------------------------------------------------------------------------- */

static void note_request(struct diagnose_history *h, const struct wire_unit *u, const struct sip_message *m)
{
    struct history_host *host = host_of(h, &u->src, u->time_ns);
    bool first = m->to.tag.len == 0;

    if (!host->first_frame)
        host->first_frame = u->frame;
    host->requests[m->method]++;
    host->sent_credentials = m->first[SIP_H_AUTHORIZATION] || m->first[SIP_H_PROXY_AUTHORIZATION];
    count_burst(host, u->time_ns);
    if (!host->scanner && host->requests[m->method] < 4)
        host->scanner = scanner_of(m);
    uint64_t user = first ? user_hash(h, m->method == SIP_REGISTER ? m->to.uri : m->uri) : 0;

    if (first)
        count_user(host, user);
    if (first && m->method == SIP_INVITE)
        note_called(h, &u->src, user, u->time_ns);
    if (m->method == SIP_OPTIONS)
        host_of(h, &u->dst, u->time_ns)->options_unanswered++;
}

/* What only a call that was let through ends with. */
static bool is_of_a_person(uint16_t status)
{
    return status == 480 || status == 486 || status == 487 || status == 600 || status == 603;
}

static bool is_refusal_of_number(uint16_t status)
{
    return status == 403 || status == 404 || status == 405 || status == 484 || status == 488 || status == 604;
}

static void note_response(struct diagnose_history *h, const struct wire_unit *u, const struct sip_message *m)
{
    struct history_host *from = host_of(h, &u->src, u->time_ns);

    from->answers++;
    from->answered_over |= (uint8_t)(1u << u->transport);
    if (m->method == SIP_OPTIONS)
        from->options_unanswered = 0;
    if (m->status < 200)
        return;
    struct history_host *to = host_of(h, &u->dst, u->time_ns);

    to->accepted += (m->status < 300 && m->method != SIP_OPTIONS) ||
                    (m->method == SIP_INVITE && to->sent_credentials && is_of_a_person(m->status));
    to->refused += is_refusal_of_number(m->status);
    if (m->status == 401 || m->status == 407) {
        to->challenged++;
        to->challenged_again += to->sent_credentials;
    }
    if (m->method == SIP_REGISTER && m->to.uri.len)
        note_registered(h, u, m);
}

void diagnose_history_message(struct diagnose_history *h, const struct wire_unit *u, const struct sip_message *m)
{
    if (m->method != SIP_INVITE && m->method != SIP_REGISTER && m->method != SIP_OPTIONS)
        return;
    if (m->is_request)
        note_request(h, u, m);
    else if (m->status <= 100 || m->status >= 200)        /* the others tell nothing new of a host */
        note_response(h, u, m);
}

/* ---- lengths of calls -------------------------------------------------------------------------------------- */

/* A hostile clock makes calls of centuries. */
static uint64_t seconds_of(int64_t ns)
{
    return ns > 0 ? (uint64_t)ns / SECOND_NS + (ns % SECOND_NS >= SECOND_NS / 2) : 0;
}

unsigned diagnose_history_lengths(const struct diagnose_history *h, int64_t talk_ns)
{
    uint64_t seconds = seconds_of(talk_ns);
    unsigned count = 0;

    for (uint64_t near = seconds ? seconds - 1 : 0; near <= seconds + 1; near++)
        if (h->lengths[near % LENGTHS].seconds == near)
            count += h->lengths[near % LENGTHS].count;
    return count;
}

void diagnose_history_length(struct diagnose_history *h, int64_t talk_ns)
{
    uint64_t seconds = seconds_of(talk_ns);
    struct length *l = &h->lengths[seconds % LENGTHS];

    if (l->seconds == seconds)
        l->count++;
    else
        *l = (struct length){ seconds, 1 };
}

/* ---- codecs of hosts ------------------------------------------------------------------------------------------ */

slice diagnose_history_codecs(const struct diagnose_history *h, const struct address *host)
{
    const struct history_host *found = diagnose_history_host(h, host);

    return found ? slice_of_string(found->codecs) : (slice){0};
}

void diagnose_history_learn_codecs(struct diagnose_history *h, const struct address *host, slice codecs,
                                   bool offered)
{
    struct history_host *found = (struct history_host *)diagnose_history_host(h, host);

    if (!found || !codecs.len)
        return;
    if (codecs.len >= sizeof found->codecs)
        codecs = SLICE(" ");                              /* half a list would lie */
    memcpy(found->codecs, codecs.ptr, codecs.len);
    found->codecs[codecs.len] = 0;
    found->codecs_offered = offered;
}
