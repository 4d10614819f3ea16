/* switch/gateways.c - where gateways are, whether they live, and their calls
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/gateways_int.h"

#include "sip/build.h"
#include "sip/credentials.h"
#include "sip/values.h"

#include <errno.h>
#include <stdlib.h>

enum { SCRATCH_MAX = 16 * 1024, PINGS_FAILED_MAX = 2 };
static const int64_t locate_again_ns = 60 * SECOND_NS, locate_soon_ns = 5 * SECOND_NS, next_hop_ns = SECOND_NS;

int64_t gateways_now(const struct gateways *g) { return endpoint_now_ns(g->endpoint); }

/* For waiting times, nothing secret. */
uint64_t gateways_random(struct gateways *g)
{
    g->random = g->random * 6364136223846793005u + 1442695040888963407u;
    return g->random >> 33;
}

void gateway_set_clock(struct gateways *g, struct gateway *w, enum gateway_task task, int64_t after_ns)
{
    if (!w->gone)
        wheel_set(&g->wheel, &w->clocks[task].timer, gateways_now(g) + after_ns);
}

/* ---- where ---- */

static void put_host(struct out *o, const struct config_gateway *c)
{
    char text[ADDRESS_TEXT_MAX];
    struct address address = c->host.address;

    if (address.family && c->host.port) {
        address.port = c->host.port;
        out_text(o, slice_of(text, address_format(&address, text)));
        return;
    }
    if (address.family == 6)
        out_char(o, '[');
    sip_build_text(o, c->host.host);
    if (address.family == 6)
        out_char(o, ']');
    if (c->host.port) {
        out_char(o, ':');
        out_u64(o, c->host.port);
    }
}

void gateways_put_uri(struct out *o, const struct config_gateway *c, slice user)
{
    out_text(o, SLICE("sip:"));
    if (user.len) {
        sip_build_text(o, user);
        out_char(o, '@');
    }
    put_host(o, c);
    out_text(o, wire_transport_param(config_wire((enum config_transport)c->transport)));
}

void gateways_put_account(struct out *o, const struct config_gateway *c, slice user)
{
    out_text(o, SLICE("sip:"));
    if (user.len) {
        sip_build_text(o, user);
        out_char(o, '@');
    }
    if (c->from_domain.len)
        sip_build_text(o, c->from_domain);
    else
        put_host(o, c);
}

void gateway_put_account(struct out *o, const struct config_gateway *c)
{
    gateways_put_account(o, c, c->user.len ? c->user : SLICE("ping"));
}

static bool is_open(const struct gateways *g, const struct target *t)
{
    return deadlist_until_ns(g->deadlist, &t->address, t->transport, gateways_now(g)) == 0;
}

static size_t choose_hops(const struct gateways *g, const struct gateway *w, bool open, struct hop *ret, size_t room)
{
    size_t count = 0;

    for (size_t i = 0; i < w->found.count && count < room; i++)
        if (is_open(g, &w->found.list[i]) == open)
            ret[count++] = (struct hop){ .remote = w->found.list[i].address, .transport = w->found.list[i].transport };
    return count;
}

size_t gateways_hops(const struct gateways *g, uint16_t index, bool anyhow, struct hop *ret, size_t room)
{
    const struct gateway *w = &g->list[index];
    size_t count = w->dead && !anyhow ? 0 : choose_hops(g, w, true, ret, room);

    return anyhow ? count + choose_hops(g, w, false, ret + count, room - count) : count;
}

bool gateway_hop(const struct gateways *g, const struct gateway *w, struct hop *ret)
{
    return choose_hops(g, w, true, ret, 1) || choose_hops(g, w, false, ret, 1);
}

bool gateway_hop_failed(struct gateways *g, struct gateway *w, const struct hop *hop, int64_t retry_after_ns)
{
    struct hop other;

    deadlist_failed(g->deadlist, &hop->remote, hop->transport, retry_after_ns, gateways_now(g));
    if (choose_hops(g, w, true, &other, 1))
        return true;
    if (!w->config->host.address.family)
        gateway_set_clock(g, w, TASK_LOCATE, next_hop_ns);
    return false;
}

static void locate(struct gateways *g, struct gateway *w)
{
    struct targets numeric = { .count = 1, .outcome = TARGETS_FOUND };

    if (w->config->host.address.family) {
        numeric.list[0] = (struct target){ w->config->host.address, config_wire((enum config_transport)w->config->transport) };
        numeric.list[0].address.port = w->config->host.port ? w->config->host.port
                                       : numeric.list[0].transport == WIRE_TLS ? 5061 : 5060;
        gateways_located(g, w->index, &numeric);
        return;
    }
    if (!g->settings.locate)
        return;
    gateway_set_clock(g, w, TASK_LOCATE, locate_again_ns);
    out_clear(&g->scratch);
    out_text(&g->scratch, SLICE("sip:"));
    put_host(&g->scratch, w->config);
    out_text(&g->scratch, SLICE(";transport="));
    out_text(&g->scratch, wire_transport_name(config_wire((enum config_transport)w->config->transport)));
    g->counts.asks++;
    if (!g->scratch.error)
        g->settings.locate(g->settings.ctx, out_taken(&g->scratch), w->index);
}

/* What was known stays when the DNS fails. */
void gateways_located(struct gateways *g, uint16_t index, const struct targets *found)
{
    struct gateway *w = &g->list[index];
    bool first = w->found.count == 0;

    if (w->gone)
        return;
    if (found->outcome != TARGETS_FOUND || !found->count) {
        g->counts.lost++;
        if (first)
            gateway_set_clock(g, w, TASK_LOCATE, locate_soon_ns);
        return;
    }
    w->found = *found;
    if (!first || g->settings.idle)
        return;
    if (w->config->registers)
        gateway_set_clock(g, w, TASK_REGISTER, 0);
    gateway_ping_from_now(g, w);
}

/* Not all at once. */
void gateway_ping_from_now(struct gateways *g, struct gateway *w)
{
    if (w->config->ping_ns && !g->settings.idle && w->found.count)
        gateway_set_clock(g, w, TASK_PING, (int64_t)(gateways_random(g) % 1000) * (SECOND_NS / 1000));
}

/* ---- asking ---- */

bool gateway_send(struct gateways *g, struct gateway *w, enum gateway_task task, struct out *o)
{
    struct gateway_ask *ask = &w->asks[task];

    if (g->server.len)
        sip_build_header(o, SIP_H_USER_AGENT, g->server);
    ask->hop = *client_request_hop(g->endpoint);
    ask->client = client_request_send(g->endpoint, (slice){ 0 }, (slice){ 0 }, ask);
    return ask->client != NULL;
}

int64_t gateway_retry_after_ns(const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_RETRY_AFTER);
    struct sip_retry_after after;

    return h && sip_retry_after_parse(h->value, &after) ? (int64_t)after.after_s * SECOND_NS : 0;
}

/* ---- pings ---- */

static void ping(struct gateways *g, struct gateway *w)
{
    char token[ENDPOINT_TOKEN_LEN + 1];
    struct hop hop;
    struct out *o;

    gateway_set_clock(g, w, TASK_PING, w->config->ping_ns);
    if (w->asks[TASK_PING].client || !gateway_hop(g, w, &hop))
        return;
    out_clear(&g->scratch);
    gateways_put_uri(&g->scratch, w->config, (slice){ 0 });
    o = client_request(g->endpoint, &hop, SIP_OPTIONS, (slice){ 0 }, out_taken(&g->scratch));
    if (!o)
        return;
    sip_build_header(o, SIP_H_MAX_FORWARDS, SLICE("70"));
    out_text(o, SLICE("From: <"));
    gateway_put_account(o, w->config);
    out_text(o, SLICE(">;tag="));
    endpoint_token(g->endpoint, token);
    out_text(o, slice_of_string(token));
    out_text(o, SLICE("\r\nTo: <"));
    gateways_put_uri(o, w->config, (slice){ 0 });
    out_text(o, SLICE(">\r\n"));
    endpoint_token(g->endpoint, token);
    sip_build_header(o, SIP_H_CALL_ID, slice_of_string(token));
    sip_build_cseq(o, 1, SLICE("OPTIONS"));
    g->counts.pings += gateway_send(g, w, TASK_PING, o);
}

/* Any answer is a sign of life, but the one that says "not now", and those of a proxy on the
 * way that found nobody. */
static bool is_life(const struct sip_message *m)
{
    return m && m->status != 408 && m->status != 503 && m->status != 504;
}

static void revive(struct gateways *g, struct gateway *w, const struct hop *hop)
{
    deadlist_succeeded(g->deadlist, &hop->remote, hop->transport);
    g->counts.revived += w->dead;
    w->answered_ping = true;
    w->dead = false;
    w->pings_failed = 0;
}

void gateways_told(struct gateways *g, slice name, const struct hop *hop, enum gateway_life life, int64_t retry_after_ns)
{
    for (size_t i = 0; i < g->count; i++) {
        struct gateway *w = &g->list[i];

        if (w->gone || !slice_eq(w->config->name, name))
            continue;
        w->dead |= life == GATEWAY_DEAD;
        if (life == GATEWAY_ALIVE)
            revive(g, w, hop);
        else
            (void)gateway_hop_failed(g, w, hop, retry_after_ns);
    }
}

static void tell(const struct gateways *g, const struct gateway *w, const struct hop *hop, enum gateway_life life,
                 int64_t retry_after_ns)
{
    if (g->settings.learned)
        g->settings.learned(g->settings.learned_ctx, w->config->name, hop, life, retry_after_ns);
}

static void pinged(struct gateways *g, struct gateway *w, const struct sip_message *m)
{
    const struct hop *hop = &w->asks[TASK_PING].hop;

    if (is_life(m)) {
        revive(g, w, hop);
        tell(g, w, hop, GATEWAY_ALIVE, 0);
        return;
    }
    g->counts.pings_failed++;
    if (w->pings_failed < UINT8_MAX)
        w->pings_failed++;
    if (!w->answered_ping)                                /* perhaps it just does not answer OPTIONS */
        return;
    if (w->pings_failed >= PINGS_FAILED_MAX && !w->dead) {
        w->dead = true;
        g->counts.died++;
    }
    int64_t retry_after_ns = m ? gateway_retry_after_ns(m) : 0;

    tell(g, w, hop, w->dead ? GATEWAY_DEAD : GATEWAY_UNKNOWN, retry_after_ns);
    if (gateway_hop_failed(g, w, hop, retry_after_ns))
        gateway_set_clock(g, w, TASK_PING, next_hop_ns);
}

/* ---- what comes back ---- */

static struct gateway_ask *ask_of(struct gateways *g, struct client_transaction *c)
{
    struct gateway_ask *ask = client_owner(c);

    return (char *)ask >= (char *)g->list && (char *)ask < (char *)(g->list + g->count) ? ask : NULL;
}

static void over(struct gateways *g, struct gateway_ask *ask, struct client_transaction *c, const struct sip_message *m)
{
    if (ask->task == TASK_REGISTER) {
        gateway_registered(g, ask->gateway, c, m);
        return;
    }
    client_set_owner(c, NULL);
    ask->client = NULL;
    pinged(g, ask->gateway, m);
}

bool gateways_response(struct gateways *g, struct client_transaction *c, const struct sip_message *m)
{
    struct gateway_ask *ask = ask_of(g, c);

    if (ask && m->status >= 200)
        over(g, ask, c, m);
    return ask != NULL;
}

bool gateways_failed(struct gateways *g, struct client_transaction *c)
{
    struct gateway_ask *ask = ask_of(g, c);

    if (ask)
        over(g, ask, c, NULL);
    return ask != NULL;
}

/* ---- time ---- */

void gateways_time(struct gateways *g, int64_t now_ns)
{
    static void (*const tasks[TASKS])(struct gateways *g, struct gateway *w) = {
        [TASK_LOCATE] = locate, [TASK_REGISTER] = gateway_register, [TASK_PING] = ping,
    };
    struct wheel_timer *t;

    while ((t = wheel_due(&g->wheel, now_ns))) {
        struct clock *clock = wheel_item(t, struct clock, timer);

        tasks[clock->task](g, clock->gateway);
    }
}

int64_t gateways_next_ns(const struct gateways *g) { return wheel_next_ns(&g->wheel); }

/* ---- life ---- */

void gateway_begin(struct gateways *g, uint16_t index)
{
    struct gateway *w = &g->list[index];

    w->index = index;
    for (int i = 0; i < TASKS; i++) {
        w->clocks[i].gateway = w->asks[i].gateway = w;
        w->clocks[i].task = w->asks[i].task = (uint8_t)i;
    }
    w->wanted_s = (uint32_t)(w->config->expires_ns / SECOND_NS);
    endpoint_token(g->endpoint, w->call_id);
    endpoint_token(g->endpoint, w->tag);
    if (w->config->host.address.family)
        locate(g, w);                                     /* known at once; who asks the DNS may not be ready */
    else
        gateway_set_clock(g, w, TASK_LOCATE, 0);
}

struct gateways *gateways_new(const struct gateways_settings *settings, struct endpoint *endpoint, int64_t now_ns)
{
    const struct config *config = settings->config;
    struct gateways *g = calloc(1, sizeof *g);
    int error;

    if (!g)
        return NULL;
    g->settings = *settings;
    g->settings.config = NULL;
    g->endpoint = endpoint;
    g->random = settings->seed.k0 ^ settings->seed.k1;
    g->digest = digest_new();
    g->deadlist = deadlist_new(&(struct deadlist_settings){ .seed = settings->seed });
    wheel_init(&g->wheel, now_ns);
    out_init_memory(&g->scratch, SCRATCH_MAX);
    g->calls = settings->calls ? settings->calls : (g->own_calls = tally_new(&settings->seed, NULL));
    error = g->digest && g->deadlist && g->calls ? gateways_take_server(g, config) : -ENOMEM;
    for (size_t i = 0; !error && i < config->gateway_count; i++) {
        error = gateway_configure(&g->list[i], &config->gateways[i]);
        g->numbers[i] = (uint16_t)i;
        g->count = i + 1;
    }
    if (error)
        return gateways_free(g);
    for (size_t i = 0; i < g->count; i++)
        gateway_begin(g, (uint16_t)i);
    return g;
}

void gateway_forget_password(struct gateway *w)
{
    if (w->password)
        explicit_bzero(w->password, w->password_len);
    free(w->password);
    w->password = NULL;
}

struct gateways *gateways_free(struct gateways *g)
{
    if (!g)
        return NULL;
    for (size_t i = 0; i < g->count; i++) {
        gateway_forget_password(&g->list[i]);
        free(g->list[i].config);
        for (int k = 0; k < TASKS; k++)
            if (g->list[i].asks[k].client)
                client_set_owner(g->list[i].asks[k].client, NULL);
    }
    digest_free(g->digest);
    deadlist_free(g->deadlist);
    tally_free(g->own_calls);
    out_done(&g->scratch);
    free((char *)(uintptr_t)g->server.ptr);
    free(g);
    return NULL;
}

int gateways_set_password(struct gateways *g, uint16_t index, slice text)
{
    struct gateway *w = &g->list[index];
    slice rest = text, line = slice_take_until(&rest, '\n');
    char *copy;

    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    copy = malloc(line.len + 1);
    if (!copy)
        return -ENOMEM;
    if (line.len)
        memcpy(copy, line.ptr, line.len);
    gateway_forget_password(w);
    w->password = copy;
    w->password_len = line.len;
    if (w->config->registers && !w->until_ns && w->found.count && !g->settings.idle && !w->leaving) {
        w->failures = 0;
        gateway_set_clock(g, w, TASK_REGISTER, 0);
    }
    return 0;
}

/* ---- calls ---- */

bool gateways_are_full(const struct gateways *g, uint16_t index)
{
    const struct gateway *w = &g->list[index];

    return w->config->calls_max && tally_count(g->calls, w->config->name) >= w->config->calls_max;
}

bool gateways_take(struct gateways *g, uint16_t index, bool anyhow)
{
    struct gateway *w = &g->list[index];
    struct tally_one *one;

    if (w->gone)
        return false;
    one = tally_take(g->calls, w->config->name, anyhow ? 0 : w->config->calls_max);
    if (!one) {
        g->counts.full++;
        return false;
    }
    w->counted = one;                                     /* the same one for all of its calls */
    w->calls++;
    g->counts.calls++;
    return true;
}

void gateways_leave(struct gateways *g, uint16_t index)
{
    struct tally_one *one = g->list[index].counted;

    g->list[index].calls--;
    tally_give_back(g->calls, &one);
}

void gateways_heard(struct gateways *g, uint16_t index, const struct hop *hop, unsigned status, bool local,
                    int64_t retry_after_ns)
{
    struct gateway *w = &g->list[index];

    w->last_status = (uint16_t)status;
    if (local || status == 503) {
        g->counts.calls_failed++;
        if (!w->gone && !deadlist_until_ns(g->deadlist, &hop->remote, hop->transport, gateways_now(g)))
            tell(g, w, hop, GATEWAY_UNKNOWN, retry_after_ns);
        (void)gateway_hop_failed(g, w, hop, retry_after_ns);
        return;
    }
    deadlist_succeeded(g->deadlist, &hop->remote, hop->transport);
}

bool gateways_credentials(struct gateways *g, uint16_t index, const struct sip_message *challenge,
                          const struct sip_message *request, struct out *o)
{
    const struct gateway *w = &g->list[index];
    char cnonce[ENDPOINT_TOKEN_LEN + 1];
    struct sip_credentials who = { w->config->user, slice_of(w->password, w->password_len), request->method_text, request->uri,
                                   request->body, slice_of(cnonce, ENDPOINT_TOKEN_LEN) };

    if (!w->password || !w->config->user.len)
        return false;
    endpoint_token(g->endpoint, cnonce);
    if (!sip_credentials_write(o, g->digest, challenge, &who))
        return false;
    g->counts.challenges++;
    return true;
}

/* ---- what is shown ---- */

size_t gateways_count(const struct gateways *g) { return g->count; }
const struct gateways_counts *gateways_counts(const struct gateways *g) { return &g->counts; }

void gateways_state(const struct gateways *g, uint16_t index, struct gateway_state *ret)
{
    const struct gateway *w = &g->list[index];
    struct hop open;

    *ret = (struct gateway_state){
        .name = w->config->name, .registers = w->config->registers,
        .life = w->dead ? GATEWAY_DEAD : w->answered_ping ? GATEWAY_ALIVE : GATEWAY_UNKNOWN,
        .registered_until_ns = w->until_ns > gateways_now(g) ? w->until_ns : 0,
        .register_status = w->status, .pings_failed = w->pings_failed, .calls = w->calls, .calls_max = w->config->calls_max,
        .last_status = w->last_status, .gone = w->gone,
    };
    (void)gateway_hop(g, w, &ret->hop);
    ret->blocked = w->found.count && !choose_hops(g, w, true, &open, 1);
}

static void say_registration(struct out *out, const struct gateways *g, const struct gateway_state *s)
{
    if (s->registered_until_ns) {
        out_text(out, SLICE(", registered for "));
        out_i64(out, (s->registered_until_ns - gateways_now(g)) / SECOND_NS);
        out_text(out, SLICE(" s"));
    } else if (s->registers) {
        out_text(out, SLICE(", not registered"));
        if (s->register_status) {
            out_text(out, SLICE(" ("));
            out_u64(out, s->register_status);
            out_char(out, ')');
        }
    }
}

void gateways_debug(struct out *out, const struct gateways *g)
{
    static const slice lives[] = { SLICE_INIT(""), SLICE_INIT(", alive"), SLICE_INIT(", dead") };
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < g->count; i++) {
        struct gateway_state s;

        gateways_state(g, (uint16_t)i, &s);
        out_text(out, s.name);
        out_text(out, SLICE(": "));
        if (s.hop.remote.family) {
            out_text(out, slice_of(text, address_format(&s.hop.remote, text)));
            out_char(out, ' ');
            out_text(out, wire_transport_name((enum wire_transport)s.hop.transport));
        } else {
            out_text(out, SLICE("not found"));
        }
        if (s.gone)
            out_text(out, SLICE(", gone from the configuration"));
        say_registration(out, g, &s);
        out_text(out, lives[s.life]);
        out_text(out, s.blocked ? SLICE(", blocked, ") : SLICE(", "));
        out_u64(out, s.calls);
        if (s.calls_max) {
            out_text(out, SLICE(" of "));
            out_u64(out, s.calls_max);
        }
        out_text(out, SLICE(" calls"));
        if (s.last_status) {
            out_text(out, SLICE(", last "));
            out_u64(out, s.last_status);
        }
        out_char(out, '\n');
    }
}
