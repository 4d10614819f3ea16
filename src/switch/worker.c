/* switch/worker.c - one worker: who gets what comes
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/worker_int.h"

#include "sip/build.h"
#include "sip/fields.h"
#include "sip/uri.h"
#include "switch/checks.h"

#include <stdlib.h>

/* Emergency calls from sources that send too much: by their number alone nobody floods us. */
enum { HEADERS_MAX = 16 * 1024, TEXTS_MAX = 256 * 1024, EMERGENCIES_PER_S = 100 };
#define SECOND_NS 1000000000ll

static const struct config *config_of(const struct worker *w) { return plan_config(w->settings.plan); }

uint64_t worker_random(struct worker *w)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return w->random >> 32;
}

/* ---- who is it? ---- */

static void refuse(struct worker *w, struct server_transaction *s, unsigned status, slice phrase, slice headers)
{
    struct out *o = server_reply(s, status, phrase);

    out_text(o, headers);
    if (config_of(w)->server.name.len)
        sip_build_header(o, SIP_H_SERVER, config_of(w)->server.name);
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
}

static void challenge(struct worker *w, struct server_transaction *s, slice realm, const struct authenticated *who, int64_t now_ns)
{
    struct out *o = server_reply(s, 407, (slice){ 0 });

    authenticate_challenge(w->authenticator, o, SIP_H_PROXY_AUTHENTICATE, realm, who, now_ns);
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
}

/* A user has to be whom its From names, by any name of the domain. */
static bool is_from(const struct worker *w, const struct sip_message *m, const struct user *user)
{
    char room[BINDINGS_KEY_MAX];
    slice key;

    if (!registrar_key(w->registrar, m->from.uri, room, &key))
        return false;
    return key.len == user->name.len + 1 + user->domain.len && slice_starts(key, user->name) && key.ptr[user->name.len] == '@' &&
           slice_eq_nocase(slice_skip(key, user->name.len + 1), user->domain);
}

/* True: w->caller says who it is. Else it is answered, or left without an answer. */
static bool identify(struct worker *w, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    int64_t now_ns = endpoint_now_ns(w->endpoint);
    const struct registrar_domain *domain;
    struct authenticated who;

    w->caller = (struct worker_caller){ .kind = PLAN_BY_STRANGER };
    if (plan_gateway_of(w->settings.plan, &from->remote, &w->caller.gateway)) {
        w->caller.kind = PLAN_BY_GATEWAY;
        return true;
    }
    domain = registrar_domain_of(w->registrar, sip_uri_host(m->from.uri));
    if (!domain)
        return true;
    slice realm = domain->realm.len ? domain->realm : domain->name;

    switch (authenticate(w->authenticator, m, &from->remote, SIP_H_PROXY_AUTHORIZATION, realm, now_ns, &who)) {
    case AUTHENTICATE_OK:
        break;
    case AUTHENTICATE_CHALLENGE:
        challenge(w, s, realm, &who, now_ns);
        return false;
    case AUTHENTICATE_REFUSE:
        refuse(w, s, who.status, (slice){ 0 }, (slice){ 0 });
        return false;
    case AUTHENTICATE_WAIT:
        refuse(w, s, 504, (slice){ 0 }, (slice){ 0 });
        return false;
    case AUTHENTICATE_DROP:
        server_drop(s);
        return false;
    }
    if (!is_from(w, m, &who.user) && !slice_eq_nocase(sip_uri_user(m->from.uri), SLICE("anonymous"))) {
        refuse(w, s, 403, SLICE("From Is Not Whose Password This Is"), (slice){ 0 });
        return false;
    }
    out_clear(&w->texts);                                 /* who.user is valid only until the next question */
    out_text(&w->texts, who.user.name);
    out_text(&w->texts, who.user.domain);
    out_text(&w->texts, who.user.display);
    if (w->texts.error)
        return false;
    slice all = out_taken(&w->texts);

    w->caller.kind = PLAN_BY_USER;
    w->caller.flags = who.user.flags;
    w->caller.name = slice_head(all, who.user.name.len);
    w->caller.domain = slice_head(slice_skip(all, who.user.name.len), who.user.domain.len);
    w->caller.display = slice_skip(all, who.user.name.len + who.user.domain.len);
    return true;
}

/* ---- requests ---- */

static bool checked(struct worker *w, struct server_transaction *s, const struct sip_message *m)
{
    const struct config_security *security = &config_of(w)->security;
    struct checks_limits limits = { security->uri_bytes_max, security->message_bytes_max, security->body_bytes_max };
    slice phrase;
    unsigned status;

    out_clear(&w->headers);
    status = checks_request(m, &limits, &w->headers, &phrase);
    if (!status)
        return true;
    w->counts.refused_by_checks++;
    refuse(w, s, status, phrase, out_taken(&w->headers));
    return false;
}

/* What a call of that sender could use. */
static void put_supported(const struct worker *w, const struct hop *from, struct out *o)
{
    const struct config *c = config_of(w);
    uint16_t gateway;
    uint8_t reliable = plan_gateway_of(w->settings.plan, &from->remote, &gateway) ? c->gateways[gateway].reliable : c->calls.reliable;
    const struct { slice tag; bool is_on; } tags[] = {
        { SLICE("100rel"), reliable != CONFIG_100REL_OFF },
        { SLICE("timer"), c->calls.session_timer != CONFIG_TIMER_OFF },
        { SLICE("precondition"), c->calls.preconditions != CONFIG_PRECONDITION_OFF },
        { SLICE("replaces"), c->calls.transfer != CONFIG_TRANSFER_OFF },
        { SLICE("histinfo"), true },
        { SLICE("path"), c->registrar.path },
        { SLICE("outbound"), c->registrar.outbound },
    };
    bool any = false;

    for (size_t i = 0; i < ARRAY_LEN(tags); i++)
        if (tags[i].is_on) {
            out_text(o, any ? SLICE(", ") : SLICE("Supported: "));
            out_text(o, tags[i].tag);
            any = true;
        }
    out_text(o, SLICE("\r\n"));                           /* histinfo is always there */
}

static void options(struct worker *w, struct server_transaction *s, const struct hop *from)
{
    struct out *o = server_reply(s, w->drains ? 503 : 200, (slice){ 0 });

    sip_build_header(o, SIP_H_ALLOW, checks_allow());
    sip_build_header(o, SIP_H_ACCEPT, SLICE("application/sdp, multipart/mixed"));
    put_supported(w, from, o);
    if (config_of(w)->server.name.len)
        sip_build_header(o, SIP_H_SERVER, config_of(w)->server.name);
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
}

static void busy(struct worker *w, struct server_transaction *s)
{
    const struct config_overload *overload = &config_of(w)->overload;
    int64_t range_s = (overload->retry_after_max_ns - overload->retry_after_min_ns) / SECOND_NS;
    int64_t after_s = overload->retry_after_min_ns / SECOND_NS + (range_s > 0 ? (int64_t)(worker_random(w) % (uint64_t)range_s) : 0);

    out_clear(&w->headers);
    sip_build_header_u32(&w->headers, SIP_H_RETRY_AFTER, (uint32_t)after_s);
    refuse(w, s, 503, (slice){ 0 }, out_taken(&w->headers));
}

/* No limit holds for it: calls at once, rates, memory, waiting time. */
static bool is_emergency(const struct worker *w, const struct sip_message *m)
{
    return m->method == SIP_INVITE && plan_is_emergency(w->settings.plan, m->uri);
}

/* What begins something is counted against its source; what goes on or ends never is. A To tag of
 * no call of ours makes no difference: its 481 takes room, too. */
static bool passes_guard(struct worker *w, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    const struct sip_header *agent = sip_header_find(m, SIP_H_USER_AGENT);

    if (b2bua_knows(w->b2bua, m))
        return true;
    switch (guard_request(w->guard, &from->remote, agent ? agent->value : (slice){ 0 }, endpoint_now_ns(w->endpoint))) {
    case GUARD_PASS:
        break;
    case GUARD_BUSY:
        if (is_emergency(w, m) && overload_take_call(&w->emergencies, endpoint_now_ns(w->endpoint)))
            break;
        busy(w, s);
        return false;
    case GUARD_DROP:
        w->counts.dropped++;
        server_drop(s);
        return false;
    }
    if (!w->drains || m->method == SIP_OPTIONS || (m->to.tag.len && m->method != SIP_REGISTER))
        return true;
    busy(w, s);
    return false;
}

/* A call of a user comes twice, for its challenge: the rate is asked when it is known who it is. */
static void begin_call(struct worker *w, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    bool overloaded = overload_is_on(&w->overload, worker_memory_bytes(w)) && !is_emergency(w, m);

    if (!overloaded && !identify(w, s, m, from))
        return;
    if (overloaded || (!overload_take_call(&w->overload, endpoint_now_ns(w->endpoint)) && !is_emergency(w, m))) {
        w->counts.overloaded++;
        busy(w, s);
        return;
    }
    b2bua_request(w->b2bua, s, m, from);
}

/* It was steered by the name in To, which may be an alias. Each owner has the order of its own contacts. */
static bool is_passed_on(struct worker *w, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    const struct worker_shared *shared = &w->settings.shared;
    char room[BINDINGS_KEY_MAX];
    unsigned owner;
    slice key;

    if (!shared->steer || !registrar_owner(w->registrar, m->to.uri, room, &key))
        return false;
    owner = steer_aor(shared->steer, key);
    if (owner == w->settings.number || !shared->pass_on(shared->ctx, owner, from, m->all))
        return false;
    server_drop(s);
    return true;
}

static void outside_of_dialogs(struct worker *w, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    switch (m->method) {
    case SIP_INVITE:
        begin_call(w, s, m, from);
        break;
    case SIP_REGISTER:
        w->registers = !is_passed_on(w, s, m, from);
        if (w->registers)
            registrar_request(w->registrar, s, m, from);
        w->registers = false;
        break;
    case SIP_OPTIONS:
        options(w, s, from);
        break;
    case SIP_BYE: case SIP_PRACK: case SIP_UPDATE: case SIP_INFO: case SIP_NOTIFY:
        refuse(w, s, 481, (slice){ 0 }, (slice){ 0 });
        break;
    case SIP_REFER:
        refuse(w, s, 403, SLICE("REFER Outside a Call"), (slice){ 0 });
        break;
    default:
        out_clear(&w->headers);
        checks_allow_but(&w->headers, m->method);
        refuse(w, s, 405, (slice){ 0 }, out_taken(&w->headers));
        break;
    }
}

static void on_request(void *ctx, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    struct worker *w = ctx;

    if (!passes_guard(w, s, m, from) || !checked(w, s, m))
        return;
    if (m->to.tag.len && m->method != SIP_REGISTER)
        b2bua_request(w->b2bua, s, m, from);
    else
        outside_of_dialogs(w, s, m, from);
}

static void on_cancelled(void *ctx, struct server_transaction *s, const struct sip_message *cancel)
{
    b2bua_cancelled(((struct worker *)ctx)->b2bua, s, cancel);
}

static void on_ack(void *ctx, const struct sip_message *ack, const struct hop *from)
{
    b2bua_acknowledged(((struct worker *)ctx)->b2bua, ack, from);
}

static void on_response(void *ctx, struct client_transaction *c, const struct sip_message *m, const struct hop *from)
{
    struct worker *w = ctx;

    if (!registrar_response(w->registrar, c, m) && !gateways_response(w->gateways, c, m))
        (void)b2bua_response(w->b2bua, c, m, from);
}

static void on_failed(void *ctx, struct client_transaction *c, enum endpoint_failure why)
{
    struct worker *w = ctx;

    if (!registrar_failed(w->registrar, c) && !gateways_failed(w->gateways, c))
        (void)b2bua_failed(w->b2bua, c, why);
}

static void on_server_ended(void *ctx, struct server_transaction *s) { b2bua_server_ended(((struct worker *)ctx)->b2bua, s); }
static void on_client_ended(void *ctx, struct client_transaction *c) { b2bua_client_ended(((struct worker *)ctx)->b2bua, c); }

static bool on_astray(void *ctx, const struct sip_message *cancel, const struct hop *from)
{
    const struct worker *w = ctx;
    const struct worker_shared *shared = &w->settings.shared;

    return shared->steer && shared->pass_on(shared->ctx, (w->settings.number + 1u) % shared->steer->count, from, cancel->all);
}

static void on_sent(void *ctx, const struct hop *to, slice bytes)
{
    struct worker *w = ctx;
    const struct worker_observer *observer = &w->settings.observer;

    if (observer->message)
        observer->message(observer->ctx, to, true, bytes, endpoint_now_ns(w->endpoint));
}

/* ---- life ---- */

static bool make_parts(struct worker *w, const struct hop_sender *sender, int64_t now_ns)
{
    const struct config *c = config_of(w);
    struct endpoint_settings es = { .times = c->timers.times, .seed = w->settings.seed, .worker = w->settings.number,
                                    .transactions_max = c->overload.transactions_max };
    struct endpoint_user user = { w,         on_request,      on_cancelled,    on_ack, on_response,
                                  on_failed, on_server_ended, on_client_ended, on_sent,      on_astray };
    struct gateways_settings places = { .config = c, .seed = w->settings.seed, .idle = w->settings.number != 0,
                                        .ctx = w->settings.gateways_ctx, .locate = w->settings.gateways_locate,
                                        .calls = w->settings.shared.trunks, .learned_ctx = w->settings.shared.ctx,
                                        .learned = w->settings.shared.learned };
    struct router router = worker_router(w);

    if (!worker_own_make(c, &w->own) || !worker_make_media(w, c, &w->settings.media, now_ns, &w->media))
        return false;
    es.advertised = w->own.advertised;
    es.advertised_count = c->listen_count;
    overload_set(&w->overload, worker_overload_settings(w, c));
    overload_set(&w->emergencies, (struct overload_settings){ .rate_count = EMERGENCIES_PER_S, .rate_per_ns = SECOND_NS });
    struct guard_settings gs = worker_guard_settings(w, c, &w->own);
    struct authenticate_settings as = worker_authenticate_settings(w, c);
    struct bindings_settings bs = worker_bindings_settings(w, c);
    struct registrar_settings rs = worker_registrar_settings(c, &w->own);
    struct b2bua_settings calls = worker_b2bua_settings(w, c, &w->own);

    w->endpoint = endpoint_new(&es, sender, &user, now_ns);
    w->guard = w->settings.shared.guard;
    if (!w->guard)
        w->guard = w->own_guard = guard_new(&gs);
    w->authenticator = w->guard ? authenticator_new(&as, w->settings.users, w->guard, now_ns) : NULL;
    w->bindings = bindings_new(&bs, now_ns);
    if (!w->endpoint || !w->authenticator || !w->bindings)
        return false;
    w->registrar = registrar_new(&rs, w->endpoint, w->settings.users, w->authenticator, w->bindings, w->guard);
    w->gateways = gateways_new(&places, w->endpoint, now_ns);
    w->b2bua = w->gateways ? b2bua_new(&calls, w->endpoint, &router, now_ns) : NULL;
    return w->registrar && w->b2bua;
}

struct worker *worker_new(const struct worker_settings *settings, const struct hop_sender *sender, int64_t now_ns)
{
    struct worker *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->settings = *settings;
    w->random = settings->seed.k1;
    out_init_memory(&w->headers, HEADERS_MAX);
    out_init_memory(&w->texts, TEXTS_MAX);
    return make_parts(w, sender, now_ns) ? w : worker_free(w);
}

struct worker *worker_free(struct worker *w)
{
    if (!w)
        return NULL;
    b2bua_free(w->b2bua);
    for (size_t i = 0; i < w->relay_count; i++)
        media_relay_free(w->relays[i].media);
    gateways_free(w->gateways);
    registrar_free(w->registrar);
    authenticator_free(w->authenticator);
    bindings_free(w->bindings);
    guard_free(w->own_guard);
    endpoint_free(w->endpoint);
    out_done(&w->headers);
    out_done(&w->texts);
    worker_own_done(&w->own);
    free(w);
    return NULL;
}

/* ---- what comes ---- */

static void not_whole(struct worker *w, const struct hop *from, const struct sip_message *m, slice phrase, int64_t now_ns)
{
    if (!m->is_request)
        return;
    w->counts.refused_by_checks++;
    (void)guard_note(w->guard, &from->remote, (slice){ 0 }, GUARD_MALFORMED, now_ns);
    endpoint_refuse(w->endpoint, m, from, 400, phrase, (slice){ 0 }, now_ns);
}

static void receive(struct worker *w, const struct hop *from, slice bytes, int64_t now_ns, bool is_known)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    slice phrase;

    if (guard_is_banned(w->guard, &from->remote, now_ns)) {
        w->counts.dropped++;
        return;
    }
    if (sip_is_keepalive(bytes))
        return;
    if (sip_message_parse(bytes, from->transport == WIRE_UDP ? SIP_DATAGRAM : SIP_STREAM, room, ARRAY_LEN(room), &m) <= 0) {
        w->counts.not_sip++;
        return;
    }
    if (w->settings.observer.message && !is_known)
        w->settings.observer.message(w->settings.observer.ctx, from, false, bytes, now_ns);
    if (!checks_is_whole(&m, &phrase))
        not_whole(w, from, &m, phrase, now_ns);
    else
        endpoint_receive(w->endpoint, from, &m, now_ns);
}

void worker_receive(struct worker *w, const struct hop *from, slice bytes, int64_t now_ns)
{
    w->counts.received++;
    receive(w, from, bytes, now_ns, false);
}

void worker_receive_passed(struct worker *w, const struct hop *from, slice bytes, int64_t now_ns)
{
    receive(w, from, bytes, now_ns, true);
}

void worker_waited(struct worker *w, int64_t waited_ns) { overload_waited(&w->overload, waited_ns); }

void worker_lost(struct worker *w, const struct hop *hop, int64_t now_ns)
{
    endpoint_hop_lost(w->endpoint, hop, now_ns);
    (void)bindings_hop_lost(w->bindings, hop, now_ns);
}

void worker_time(struct worker *w, int64_t now_ns)
{
    endpoint_time(w->endpoint, now_ns);
    b2bua_time(w->b2bua, now_ns);
    for (size_t i = 0; i < w->relay_count; i++)
        media_relay_time(w->relays[i].media, now_ns);
    registrar_time(w->registrar, now_ns);
    gateways_time(w->gateways, now_ns);
}

int64_t worker_next_ns(const struct worker *w)
{
    int64_t next_ns = endpoint_next_ns(w->endpoint), calls_ns = b2bua_next_ns(w->b2bua), registrar_ns = registrar_next_ns(w->registrar),
            gateways_ns = gateways_next_ns(w->gateways);

    for (size_t i = 0; i < w->relay_count; i++)
        if (media_relay_next_ns(w->relays[i].media) < next_ns)
            next_ns = media_relay_next_ns(w->relays[i].media);
    next_ns = calls_ns < next_ns ? calls_ns : next_ns;
    next_ns = gateways_ns < next_ns ? gateways_ns : next_ns;
    return registrar_ns < next_ns ? registrar_ns : next_ns;
}

/* Whatever follows is of this time, in the calls, too. */
void worker_media(struct worker *w, const void *sender, slice bytes, int64_t now_ns)
{
    struct media_relay *media = worker_relay_of(w, sender);

    endpoint_time(w->endpoint, now_ns);
    if (media)
        media_relay_receive(media, bytes, now_ns);
}

void worker_media_lost(struct worker *w, const void *sender, int64_t now_ns)
{
    struct media_relay *media = worker_relay_of(w, sender);

    if (media)
        media_relay_lost(media, now_ns);
}

void worker_drain(struct worker *w, bool on) { w->drains = on; }
void worker_hang_up_all(struct worker *w, slice reason) { b2bua_hang_up_all(w->b2bua, reason); }

bool worker_registers(const struct worker *w) { return w->registers; }
struct bindings            *worker_bindings(struct worker *w) { return w->bindings; }
const struct media_relay_counts  *worker_media_counts(const struct worker *w) { return w->media ? media_relay_counts(w->media) : NULL; }
struct guard               *worker_guard(struct worker *w) { return w->guard; }
struct gateways            *worker_gateways(struct worker *w) { return w->gateways; }
const struct worker_counts *worker_counts(const struct worker *w) { return &w->counts; }
const struct b2bua_counts  *worker_calls(const struct worker *w) { return b2bua_counts(w->b2bua); }
const struct registrar_counts *worker_registrar_counts(const struct worker *w) { return registrar_counts(w->registrar); }
const struct endpoint_counts  *worker_endpoint_counts(const struct worker *w) { return endpoint_counts(w->endpoint); }
size_t worker_transactions(const struct worker *w) { return endpoint_live(w->endpoint); }
