/* switch/targets.c - see targets.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/targets.h"

#include <assert.h>

#include "sip/fields.h"
#include "sip/uri.h"

enum { STAGE_NAPTR, STAGE_SRV, STAGE_ADDRESS, STAGE_DONE };

/* RFC 3263, 4.1; RFC 4168 (SCTP); RFC 7118 (WebSocket, for which no SRV is registered). */
static const struct way {
    slice    param, srv, naptr;
    uint16_t port;
    bool     secure;
} ways[WIRE_TRANSPORTS] = {
    [WIRE_UDP]  = { SLICE_INIT("udp"),  SLICE_INIT("_sip._udp."),  SLICE_INIT("SIP+D2U"),  5060, false },
    [WIRE_TCP]  = { SLICE_INIT("tcp"),  SLICE_INIT("_sip._tcp."),  SLICE_INIT("SIP+D2T"),  5060, false },
    [WIRE_TLS]  = { SLICE_INIT("tls"),  SLICE_INIT("_sips._tcp."), SLICE_INIT("SIPS+D2T"), 5061, true },
    [WIRE_WS]   = { SLICE_INIT("ws"),   SLICE_INIT(""),            SLICE_INIT("SIP+D2W"),  80,   false },
    [WIRE_WSS]  = { SLICE_INIT("wss"),  SLICE_INIT(""),            SLICE_INIT("SIPS+D2W"), 443,  true },
    [WIRE_SCTP] = { SLICE_INIT("sctp"), SLICE_INIT("_sip._sctp."), SLICE_INIT("SIP+D2S"),  5060, false },
};

/* The families of a setting, dearest first: 0 is v4, 1 is v6. */
static const struct { uint8_t count, index[2]; } families[] = {
    [TARGETS_V6_FIRST] = { 2, { 1, 0 } },
    [TARGETS_V4_FIRST] = { 2, { 0, 1 } },
    [TARGETS_V6_ONLY]  = { 1, { 1 } },
    [TARGETS_V4_ONLY]  = { 1, { 0 } },
};

/* ---- a list ---- */

bool targets_next(struct targets *t, const struct deadlist *d, int64_t now_ns, struct target *ret)
{
    for (;;) {
        for (uint8_t i = 0; i < t->count; i++) {
            const struct target *one = &t->list[i];

            if (t->tried & 1u << i)
                continue;
            if (d && !t->all_dead && deadlist_until_ns(d, &one->address, one->transport, now_ns))
                continue;
            t->tried |= 1u << i;
            *ret = *one;
            return true;
        }
        if (t->tried || t->all_dead)
            return false;
        t->all_dead = true;
    }
}

slice targets_outcome_name(enum targets_outcome outcome)
{
    static const slice names[TARGETS_OUTCOMES] = {
        [TARGETS_FOUND] = SLICE_INIT("found"),     [TARGETS_BAD_URI] = SLICE_INIT("bad-uri"),
        [TARGETS_NONE] = SLICE_INIT("none"),       [TARGETS_UNSUPPORTED] = SLICE_INIT("unsupported"),
        [TARGETS_FAILED] = SLICE_INIT("failed"),   [TARGETS_TIMED_OUT] = SLICE_INIT("timed-out"),
    };

    return names[outcome];
}

/* ---- names ---- */

static bool is_name_char(char c)
{
    return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '-' || c == '_';
}

static slice without_dot(slice name)
{
    return name.len && name.ptr[name.len - 1] == '.' ? slice_head(name, name.len - 1) : name;
}

bool targets_name_is_good(slice name)
{
    slice rest = without_dot(name), label = { 0 };

    if (!rest.len || rest.len > TARGETS_NAME_MAX)
        return false;
    do {
        label = slice_take_until(&rest, '.');
        if (label.len > 63 || !slice_all(label, is_name_char))
            return false;
    } while (slice_take_char(&rest, '.'));
    for (size_t i = 0; i < label.len; i++)
        if (!is_digit(label.ptr[i]))
            return true;
    return false;                                         /* "10.1", or an address with too many parts */
}

static bool is_root(slice name) { return !without_dot(name).len; }

static slice text_of(const struct targets_search *s, struct targets_name name)
{
    return slice_of(s->text + name.at, name.length);
}

/* Length 0: too long, or no room; then it counts as not said. */
static struct targets_name keep_name(struct targets_search *s, slice prefix, slice name)
{
    size_t length = prefix.len + (name = without_dot(name)).len;
    char *at = s->text + s->text_used;

    if (length > TARGETS_NAME_MAX || length + 1 > sizeof s->text - s->text_used)
        return (struct targets_name){ 0 };
    struct targets_name kept = { .at = s->text_used, .length = (uint8_t)length };

    if (prefix.len)
        memcpy(at, prefix.ptr, prefix.len);
    memcpy(at + prefix.len, name.ptr, name.len);
    at[length] = '\0';
    s->text_used = (uint16_t)(s->text_used + length + 1);
    return kept;
}

/* ---- transports ---- */

/* Its place among ours, or -1. */
static int rank_of(const struct targets_settings *settings, enum wire_transport transport)
{
    for (uint8_t i = 0; i < settings->transport_count; i++)
        if (settings->transports[i] == transport)
            return i;
    return -1;
}

static bool is_usable(const struct targets_search *s, enum wire_transport transport)
{
    return rank_of(&s->settings, transport) >= 0 && (!s->secure || ways[transport].secure);
}

/* UDP, for sips TLS (4.1); without these the first of ours that will do. */
static int usual_transport(const struct targets_search *s)
{
    enum wire_transport usual = s->secure ? WIRE_TLS : WIRE_UDP;

    if (is_usable(s, usual))
        return usual;
    for (uint8_t i = 0; i < s->settings.transport_count; i++)
        if (is_usable(s, s->settings.transports[i]))
            return s->settings.transports[i];
    return -1;
}

/* What ";transport=" means, or -1. sips over TCP is TLS (RFC 3261, 26.2.2), and over WebSocket
 * WSS; over UDP there is none. */
static int transport_named(const struct targets_search *s, slice param)
{
    for (int i = 0; i < WIRE_TRANSPORTS; i++) {
        if (!ways[i].param.len || !slice_eq_nocase(param, ways[i].param))
            continue;
        if (s->secure && i == WIRE_TCP)
            i = WIRE_TLS;
        else if (s->secure && i == WIRE_WS)
            i = WIRE_WSS;
        return is_usable(s, (enum wire_transport)i) ? i : -1;
    }
    return -1;
}

static struct targets_service *add_service(struct targets_search *s, enum wire_transport transport)
{
    struct targets_service *service = &s->services[s->service_count++];

    assert(s->service_count <= TARGETS_SERVICES_MAX);
    service->transport = (uint8_t)transport;
    service->count = 0;
    service->srv = (struct targets_name){ 0 };
    return service;
}

static void add_entry(struct targets_service *service, struct targets_name name, uint16_t port)
{
    if (!name.length || service->count == TARGETS_HOSTS_MAX)
        return;
    service->entries[service->count].name = name;
    service->entries[service->count++].port = port;
}

/* ---- the list is made ---- */

static void finish(struct targets_search *s, enum targets_outcome outcome)
{
    s->stage = STAGE_DONE;
    s->found.outcome = (uint8_t)outcome;
}

static void add_target(struct targets_search *s, enum wire_transport transport, struct address address, uint16_t port)
{
    struct targets *found = &s->found;

    if (transport == WIRE_UDP && s->large && rank_of(&s->settings, WIRE_TCP) >= 0)
        add_target(s, WIRE_TCP, address, port);
    if (found->count == TARGETS_MAX)
        return;
    address.port = port;
    for (uint8_t i = 0; i < found->count; i++)
        if (found->list[i].transport == transport && address_eq(&found->list[i].address, &address))
            return;
    found->list[found->count++] = (struct target){ .address = address, .transport = (uint8_t)transport };
}

static struct targets_host *find_host(struct targets_search *s, slice name)
{
    for (uint8_t i = 0; i < s->host_count; i++)
        if (slice_eq_nocase(text_of(s, s->hosts[i].name), name))
            return &s->hosts[i];
    return NULL;
}

static void add_host_targets(struct targets_search *s, enum wire_transport transport, const struct targets_host *host,
                             uint16_t port)
{
    for (uint8_t turn = 0; turn < TARGETS_ADDRESSES_MAX; turn++)
        for (uint8_t i = 0; i < families[s->settings.family].count; i++) {
            uint8_t family = families[s->settings.family].index[i];

            if (turn < host->count[family])
                add_target(s, transport, host->addresses[family][turn], port);
        }
}

/* Why a stage has brought nothing. */
static enum targets_outcome outcome_of(uint8_t worst)
{
    return worst == TARGETS_GOT_TIMEOUT ? TARGETS_TIMED_OUT :
           worst == TARGETS_GOT_FAILURE ? TARGETS_FAILED : TARGETS_NONE;
}

static void end_addresses(struct targets_search *s)
{
    for (uint8_t i = 0; i < s->service_count; i++) {
        const struct targets_service *service = &s->services[i];

        for (uint8_t j = 0; j < service->count; j++) {
            const struct targets_host *host = find_host(s, text_of(s, service->entries[j].name));

            if (host)
                add_host_targets(s, (enum wire_transport)service->transport, host, service->entries[j].port);
        }
    }
    finish(s, s->found.count ? TARGETS_FOUND : outcome_of(s->worst));
}

/* ---- the stages ---- */

static void begin_stage(struct targets_search *s, uint8_t stage)
{
    s->stage = stage;
    s->worst = TARGETS_GOT_RECORDS;
    s->asked = s->answered = s->question_count = 0;
}

static void add_question(struct targets_search *s, enum targets_type type, uint8_t of)
{
    assert(s->question_count < TARGETS_QUESTIONS_MAX);
    s->questions[s->question_count].type = (uint8_t)type;
    s->questions[s->question_count].waits = false;
    s->questions[s->question_count++].of = of;
}

/* An address in place of a name is against RFC 2782, but it is seen, and clear. */
static void add_host(struct targets_search *s, struct targets_name name)
{
    struct targets_host *host = &s->hosts[s->host_count];
    struct address address;

    if (s->host_count == TARGETS_HOSTS_MAX || find_host(s, text_of(s, name)))
        return;
    host->name = name;
    host->count[0] = host->count[1] = 0;
    if (address_parse_ip(text_of(s, name), &address)) {
        host->addresses[address.family == 6][0] = address;
        host->count[address.family == 6] = 1;
    } else {
        for (uint8_t i = 0; i < families[s->settings.family].count; i++)
            add_question(s, families[s->settings.family].index[i] ? TARGETS_AAAA : TARGETS_A, s->host_count);
    }
    s->host_count++;
}

static void begin_addresses(struct targets_search *s)
{
    begin_stage(s, STAGE_ADDRESS);
    for (uint8_t i = 0; i < s->service_count; i++)
        for (uint8_t j = 0; j < s->services[i].count; j++)
            add_host(s, s->services[i].entries[j].name);
    if (!s->question_count)
        end_addresses(s);
}

/* Services without a server are left out. When there is no SRV at all it is the name itself at
 * the usual port (4.2), but not when an SRV could not be asked, or says "not here" (RFC 2782). */
static void end_srv(struct targets_search *s)
{
    uint8_t kept = 0;

    for (uint8_t i = 0; i < s->service_count; i++)
        if (s->services[i].count)
            s->services[kept++] = s->services[i];
    s->service_count = kept;
    if (!kept && (s->refused || s->worst > TARGETS_GOT_NONE)) {
        finish(s, outcome_of(s->worst));
        return;
    }
    if (!kept)
        add_entry(add_service(s, s->fallback), s->target, ways[s->fallback].port);
    begin_addresses(s);
}

static void begin_srv(struct targets_search *s)
{
    begin_stage(s, STAGE_SRV);
    for (uint8_t i = 0; i < s->service_count; i++)
        if (s->services[i].srv.length)
            add_question(s, TARGETS_SRV, i);
    if (!s->question_count)
        end_srv(s);
}

/* The service of a transport by its usual name: "_sip._udp.example.com". */
static void add_usual_service(struct targets_search *s, enum wire_transport transport)
{
    struct targets_service *service = add_service(s, transport);

    if (ways[transport].srv.len)
        service->srv = keep_name(s, ways[transport].srv, text_of(s, s->target));
}

/* "_sip" is of sip, "_sips" of sips (4.1): without NAPTR nothing leads from sip to TLS. */
static void add_usual_services(struct targets_search *s)
{
    for (uint8_t i = 0; i < s->settings.transport_count && s->service_count < TARGETS_SERVICES_MAX; i++) {
        enum wire_transport transport = s->settings.transports[i];

        if (ways[transport].secure == s->secure && ways[transport].srv.len)
            add_usual_service(s, transport);
    }
}

static void end_naptr(struct targets_search *s)
{
    if (s->service_count)
        s->fallback = s->services[0].transport;
    else
        add_usual_services(s);
    begin_srv(s);
}

/* ---- NAPTR ---- */

static int service_transport(slice service)
{
    for (int i = 0; i < WIRE_TRANSPORTS; i++)
        if (slice_eq_nocase(service, ways[i].naptr))
            return i;
    return -1;
}

static bool has_service(const struct targets_search *s, enum wire_transport transport, slice srv)
{
    for (uint8_t i = 0; i < s->service_count; i++)
        if (s->services[i].transport == transport && slice_eq_nocase(text_of(s, s->services[i].srv), without_dot(srv)))
            return true;
    return false;
}

static bool naptr_will_do(const struct targets_search *s, const struct targets_record *r)
{
    int transport = service_transport(r->service);

    return transport >= 0 && is_usable(s, (enum wire_transport)transport) && slice_eq_nocase(r->flags, SLICE("s")) &&
           targets_name_is_good(r->name) && !has_service(s, (enum wire_transport)transport, r->name);
}

static bool naptr_is_before(const struct targets_search *s, const struct targets_record *a,
                            const struct targets_record *b)
{
    if (a->priority != b->priority)
        return a->priority < b->priority;
    if (a->weight != b->weight)
        return a->weight < b->weight;
    return rank_of(&s->settings, (enum wire_transport)service_transport(a->service)) <
           rank_of(&s->settings, (enum wire_transport)service_transport(b->service));
}

/* A domain that names services of SIP, but none that we can use, is taken at its word: no UDP
 * to one that only wants TLS. RFC 3403 would end at the first order that fits; here the others
 * follow it, as RFC 3263's own example gives each transport an order of its own. */
static void take_naptr(struct targets_search *s, const struct targets_answer *answer)
{
    bool of_sip = false;

    while (s->service_count < TARGETS_SERVICES_MAX) {
        const struct targets_record *best = NULL;

        for (size_t i = 0; i < answer->count; i++) {
            const struct targets_record *r = &answer->records[i];

            of_sip = of_sip || service_transport(r->service) >= 0;
            if (naptr_will_do(s, r) && (!best || naptr_is_before(s, r, best)))
                best = r;
        }
        struct targets_name srv = best ? keep_name(s, (slice){ 0 }, best->name) : (struct targets_name){ 0 };

        if (!srv.length)
            break;
        add_service(s, (enum wire_transport)service_transport(best->service))->srv = srv;
    }
    if (of_sip && !s->service_count)
        finish(s, TARGETS_UNSUPPORTED);
}

/* ---- SRV ---- */

static uint64_t next_random(struct targets_search *s)     /* splitmix64 */
{
    uint64_t z = s->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static bool srv_will_do(const struct targets_search *s, const struct targets_service *service,
                        const struct targets_record *r)
{
    struct address ignored;

    if (!r->port || is_root(r->name) || (!targets_name_is_good(r->name) && !address_parse_ip(r->name, &ignored)))
        return false;
    for (uint8_t i = 0; i < service->count; i++)
        if (service->entries[i].port == r->port &&
            slice_eq_nocase(text_of(s, service->entries[i].name), without_dot(r->name)))
            return false;                                 /* taken already, or said twice */
    return true;
}

/* Those of the lowest priority that will do: how many, and the sum of their weights. */
struct srv_group {
    uint16_t priority;
    size_t   count, without_weight;
    uint64_t weight;
};

static struct srv_group srv_best(const struct targets_search *s, const struct targets_service *service,
                                 const struct targets_answer *answer)
{
    struct srv_group best = { 0 };

    for (size_t i = 0; i < answer->count; i++) {
        const struct targets_record *r = &answer->records[i];

        if ((best.count && r->priority > best.priority) || !srv_will_do(s, service, r))
            continue;
        if (r->priority < best.priority || !best.count)
            best = (struct srv_group){ .priority = r->priority };
        best.count++;
        best.without_weight += !r->weight;
        best.weight += r->weight;
    }
    return best;
}

/* RFC 2782: a number from 0 to the sum of the weights falls on one of them; on 0 fall those
 * without weight. When none has any, each is as good. */
static const struct targets_record *srv_draw(struct targets_search *s, const struct targets_service *service,
                                             const struct targets_answer *answer, const struct srv_group *group)
{
    uint64_t first = group->without_weight ? 0 : 1;
    uint64_t drawn = first + next_random(s) % (group->weight + 1 - first);
    uint64_t place = drawn ? drawn : next_random(s) % group->without_weight;

    for (size_t i = 0; i < answer->count; i++) {
        const struct targets_record *r = &answer->records[i];

        if (r->priority != group->priority || !r->weight != !drawn || !srv_will_do(s, service, r))
            continue;
        if (place <= r->weight)
            return r;
        place -= drawn ? r->weight : 1;
    }
    assert(false);
    return NULL;
}

static void take_srv(struct targets_search *s, struct targets_service *service, const struct targets_answer *answer)
{
    while (service->count < TARGETS_HOSTS_MAX) {
        struct srv_group group = srv_best(s, service, answer);
        const struct targets_record *r = group.count ? srv_draw(s, service, answer, &group) : NULL;
        struct targets_name name = r ? keep_name(s, (slice){ 0 }, r->name) : (struct targets_name){ 0 };

        if (!name.length)
            break;
        add_entry(service, name, r->port);
    }
    for (size_t i = 0; i < answer->count; i++)
        s->refused = s->refused || is_root(answer->records[i].name);
}

/* ---- addresses ---- */

static void take_addresses(struct targets_search *s, struct targets_host *host, int family,
                           const struct targets_answer *answer)
{
    size_t start = s->settings.rotate && answer->count ? next_random(s) % answer->count : 0;

    for (size_t i = 0; i < answer->count && host->count[family] < TARGETS_ADDRESSES_MAX; i++) {
        const struct address *a = &answer->records[(start + i) % answer->count].address;
        bool known = false;

        for (uint8_t j = 0; j < host->count[family]; j++)
            known = known || address_same_ip(&host->addresses[family][j], a);
        if (a->family == (family ? 6 : 4) && !address_is_zero(a) && !known)
            host->addresses[family][host->count[family]++] = *a;
    }
}

/* ---- the search ---- */

static void begin_numeric(struct targets_search *s, const struct address *address, int transport, uint16_t port)
{
    bool ours = false;

    for (uint8_t i = 0; i < families[s->settings.family].count; i++)
        ours = ours || families[s->settings.family].index[i] == (address->family == 6);
    if (transport < 0)
        transport = usual_transport(s);
    if (ours)
        add_target(s, (enum wire_transport)transport, *address, port ? port : ways[transport].port);
    finish(s, ours ? TARGETS_FOUND : TARGETS_UNSUPPORTED);
}

static void begin_name(struct targets_search *s, int transport, uint16_t port)
{
    if (transport >= 0)
        s->fallback = (uint8_t)transport;
    if (port) {
        add_entry(add_service(s, (enum wire_transport)s->fallback), s->target, port);
        begin_addresses(s);
    } else if (transport >= 0) {
        add_usual_service(s, (enum wire_transport)transport);
        begin_srv(s);
    } else {
        begin_stage(s, STAGE_NAPTR);
        add_question(s, TARGETS_NAPTR, 0);
    }
}

void targets_search_begin(struct targets_search *s, const struct targets_settings *settings, slice text, bool large,
                          uint64_t random)
{
    int transport = -1, usual;
    struct address address;
    struct sip_uri uri;
    slice param, host;

    memset(s, 0, offsetof(struct targets_search, services));
    s->text_used = 0;
    s->settings = *settings;
    s->large = large;
    s->random = random;
    if (!sip_uri_parse(text, &uri) || (uri.scheme != SIP_SCHEME_SIP && uri.scheme != SIP_SCHEME_SIPS) ||
        uri.flaw == SIP_FLAW_URI_BAD || uri.host.len > TARGETS_NAME_MAX) {
        finish(s, TARGETS_BAD_URI);
        return;
    }
    s->secure = uri.scheme == SIP_SCHEME_SIPS;
    memcpy(s->found.name, uri.host.ptr, s->found.name_length = (uint8_t)without_dot(uri.host).len);
    host = sip_param_find(uri.params, SLICE("maddr"), &param) && param.len ? param : uri.host;

    usual = usual_transport(s);
    if (sip_param_find(uri.params, SLICE("transport"), &param) && (transport = transport_named(s, param)) < 0)
        usual = -1;
    if (usual < 0) {
        finish(s, TARGETS_UNSUPPORTED);
    } else if (address_parse_ip(host, &address)) {
        begin_numeric(s, &address, transport, uri.port);
    } else if (targets_name_is_good(host)) {
        s->fallback = (uint8_t)usual;
        s->target = keep_name(s, (slice){ 0 }, host);
        begin_name(s, transport, uri.port);
    } else {
        finish(s, TARGETS_BAD_URI);
    }
}

bool targets_search_is_done(const struct targets_search *s) { return s->stage == STAGE_DONE; }

static struct targets_name name_asked(const struct targets_search *s, uint8_t id)
{
    switch (s->questions[id].type) {
    case TARGETS_NAPTR: return s->target;
    case TARGETS_SRV:   return s->services[s->questions[id].of].srv;
    default:            return s->hosts[s->questions[id].of].name;
    }
}

bool targets_search_ask(struct targets_search *s, struct targets_question *ret)
{
    uint8_t id = s->asked;

    if (s->stage == STAGE_DONE || id == s->question_count)
        return false;
    s->questions[id].waits = true;
    s->asked++;
    *ret = (struct targets_question){ .name = text_of(s, name_asked(s, id)), .type = s->questions[id].type, .id = id };
    return true;
}

static void end_stage(struct targets_search *s)
{
    switch (s->stage) {
    case STAGE_NAPTR:   end_naptr(s); break;
    case STAGE_SRV:     end_srv(s); break;
    case STAGE_ADDRESS: end_addresses(s); break;
    default:            break;
    }
}

void targets_search_answer(struct targets_search *s, uint8_t id, const struct targets_answer *answer)
{
    if (s->stage == STAGE_DONE || id >= s->asked || !s->questions[id].waits)
        return;
    uint8_t type = s->questions[id].type, of = s->questions[id].of;

    s->questions[id].waits = false;
    s->answered++;
    if (answer->got != TARGETS_GOT_RECORDS)
        s->worst = answer->got > s->worst ? (uint8_t)answer->got : s->worst;
    else if (type == TARGETS_NAPTR)
        take_naptr(s, answer);
    else if (type == TARGETS_SRV)
        take_srv(s, &s->services[of], answer);
    else
        take_addresses(s, &s->hosts[of], type == TARGETS_AAAA, answer);
    if (s->answered == s->question_count)
        end_stage(s);
}
