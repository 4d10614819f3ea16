/* switch/config_check.c - what only several settings together can have wrong.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "sip/uri.h"
#include "switch/config_int.h"

struct check {
    struct config        *config;
    const struct opened  *sections;
    struct config_report *report;
    const struct opened  *now;
    int                   error;
};

static const uint16_t usual_ports[CONFIG_TRANSPORTS] = { 5060, 5060, 5061, 80, 443 };

static unsigned line_of(const struct opened *o, const char *key)
{
    for (size_t i = 0; i < o->kind->count; i++)
        if (strcmp(o->kind->settings[i].key, key) == 0 && o->lines[i] && o->line)
            return o->lines[i];
    return o->line;
}

/* What is wrong already says enough of its line. */
static bool is_told(const struct check *c, unsigned line)
{
    for (size_t i = 0; line && i < c->report->count; i++)
        if (c->report->at[i].line == line)
            return true;
    return false;
}

static void tell(struct check *c, enum text_id what, const char *key, slice value, slice near)
{
    if (is_told(c, line_of(c->now, key)))
        return;
    struct config_problem p = { .line = line_of(c->now, key), .what = what, .section = slice_of_string(c->now->kind->name),
                                .key = slice_of_string(key), .value = value, .near = near };

    if (config_tell(c->report, &p) != 0)
        c->error = -ENOMEM;
}

static void needs(struct check *c, const char *key, const char *other)
{
    tell(c, TEXT_CONFIG_KEY_NEEDS, key, (slice){ 0 }, slice_of_string(other));
}

/* ---- one not above the other ---- */

static void check_order(struct check *c, const char *key, int64_t low, const char *other, int64_t high)
{
    char text[CONFIG_VALUE_MAX], than[2 * CONFIG_VALUE_MAX];
    size_t len = strlen(other);

    if (low <= high)
        return;
    memcpy(than, other, len);                             /* "expires_max, 2 h" */
    than[len++] = ',', than[len++] = ' ';
    len += config_format(SETTING_TIME, high, than + len);
    tell(c, TEXT_CONFIG_KEY_ORDER, key, slice_of(text, config_format(SETTING_TIME, low, text)), slice_of(than, len));
}

static void check_registrar(struct check *c)
{
    const struct config_registrar *r = &c->config->registrar;

    check_order(c, "expires_min", r->expires_min_ns, "expires", r->expires_ns);
    check_order(c, "expires", r->expires_ns, "expires_max", r->expires_max_ns);
    if (r->algorithms.count == 0)
        tell(c, TEXT_CONFIG_KEY_MISSING, "algorithms", (slice){ 0 }, (slice){ 0 });
}

static void check_calls(struct check *c)
{
    check_order(c, "session_expires_min", c->config->calls.session_expires_min_ns, "session_expires",
                c->config->calls.session_expires_ns);
}

static void check_overload(struct check *c)
{
    check_order(c, "retry_after_min", c->config->overload.retry_after_min_ns, "retry_after_max",
                c->config->overload.retry_after_max_ns);
}

static void check_timers(struct check *c)
{
    struct config_timers *t = &c->config->timers;
    int64_t b_ns = 64 * t->t1_ns, d_min_ns = 32000000000ll;          /* timer D: at least 32 s, whatever T1 */

    check_order(c, "t1", t->t1_ns, "t2", t->t2_ns);
    check_order(c, "no_answer", t->no_answer_ns, "ring", t->ring_ns);
    t->times = (struct transaction_times){ .t1_ns = t->t1_ns, .t2_ns = t->t2_ns, .t4_ns = t->t4_ns,
                                           .d_ns = b_ns > d_min_ns ? b_ns : d_min_ns, .trying_ns = t->trying_ns };
}

/* ---- listeners ---- */

static bool is_stream(uint8_t transport) { return transport != CONFIG_UDP; }
static bool is_tls(uint8_t transport) { return transport == CONFIG_TLS || transport == CONFIG_WSS; }

/* The same port of the same address, or one of all addresses. TCP and TLS share their ports. */
static bool overlap(const struct config_listen *a, const struct config_listen *b)
{
    if (is_stream(a->transport) != is_stream(b->transport) || a->port != b->port)
        return false;
    if (a->address.family != b->address.family)
        return false;
    return address_same_ip(&a->address, &b->address) || address_is_zero(&a->address) || address_is_zero(&b->address);
}

static slice title_of(const struct opened *o, char text[128])
{
    size_t kind = strlen(o->kind->name), name = o->name.len;

    memcpy(text, o->kind->name, kind);
    text[kind] = ' ';
    memcpy(text + kind + 1, o->name.ptr, name);
    return slice_of(text, kind + 1 + name);
}

static void check_listen(struct check *c)
{
    struct config_listen *l = c->now->values;
    char address[ADDRESS_TEXT_MAX], title[128];

    if (!l->port)
        l->port = usual_ports[l->transport];
    l->address.port = (uint16_t)l->port;
    if (is_tls(l->transport) && !l->certificate.len)
        needs(c, "transport", "certificate");
    if (l->certificate.len && !l->key.len)
        needs(c, "certificate", "key");
    if (l->key.len && !l->certificate.len)
        needs(c, "key", "certificate");
    if (l->client_ca.len && !l->certificate.len)
        needs(c, "client_ca", "certificate");
    for (const struct opened *o = c->sections; o && o != c->now; o = o->next)
        if (o->kind == c->now->kind && overlap(o->values, l)) {
            tell(c, TEXT_CONFIG_SAME_ADDRESS, "port", slice_of(address, address_format(&l->address, address)),
                 title_of(o, title));
            return;
        }
}

/* ---- gateways ---- */

static bool is_said(const struct check *c, const char *key)
{
    for (size_t i = 0; i < c->now->kind->count; i++)
        if (strcmp(c->now->kind->settings[i].key, key) == 0)
            return c->now->lines[i] != 0;
    return false;
}

static void check_gateway(struct check *c)
{
    struct config_gateway *g = c->now->values;
    uint16_t port = g->host.port ? g->host.port : usual_ports[g->transport];
    char title[128];

    if (g->registers && !g->user.len)
        needs(c, "register", "user");
    if (g->user.len && !g->password_file.len)
        needs(c, "user", "password_file");
    if (g->password_file.len && !g->user.len)
        needs(c, "password_file", "user");
    if (!is_said(c, "fail_over"))                         /* its own, else what [calls] says */
        g->fail_over = c->config->calls.fail_over;
    if (!is_said(c, "reliable"))
        g->reliable = c->config->calls.reliable;
    for (const struct opened *o = c->sections; o; o = o->next) {
        const struct config_listen *l = o->values;

        if (o->kind != &config_sections[SECTION_LISTEN] || l->port != port ||
            is_stream(l->transport) != is_stream(g->transport))
            continue;
        if (g->host.address.family && address_same_ip(&g->host.address, &l->address)) {
            tell(c, TEXT_CONFIG_GATEWAY_IS_LISTENER, "host", g->host.host, title_of(o, title));
            return;
        }
    }
}

/* ---- numbers that lead elsewhere ---- */

static void check_entries(struct check *c)
{
    const struct config_entries *entries = c->now->values;

    for (size_t i = 0; i < entries->count; i++)
        for (size_t k = 0; k < entries->at[i].uris.count; k++) {
            slice uri = entries->at[i].uris.at[k], host = sip_uri_host(uri);
            char number[CONFIG_NUMBER_MAX + 1];
            bool ours = host.len == 0;                    /* tel: is the number itself */

            for (size_t d = 0; d < c->config->server.domains.count; d++)
                ours = ours || slice_eq_nocase(host, c->config->server.domains.at[d]);
            if (!ours || !slice_eq(sip_number_of(sip_uri_user(uri), number, sizeof number), entries->at[i].number))
                continue;
            struct config_problem p = { .line = entries->at[i].line, .what = TEXT_CONFIG_TO_ITSELF,
                                        .section = slice_of_string(c->now->kind->name), .key = entries->at[i].number };

            if (config_tell(c->report, &p) != 0)
                c->error = -ENOMEM;
        }
}

/* In this order: gateways are compared with listeners that have their ports. */
static const struct { enum section_id section; void (*check)(struct check *c); } checks[] = {
    { SECTION_TIMERS, check_timers },
    { SECTION_REGISTRAR, check_registrar },
    { SECTION_CALLS, check_calls },
    { SECTION_OVERLOAD, check_overload },
    { SECTION_LISTEN, check_listen },
    { SECTION_GATEWAY, check_gateway },
    { SECTION_MOVED, check_entries },
    { SECTION_REDIRECT, check_entries },
};

int config_check(struct config *config, const struct opened *sections, struct config_report *report)
{
    struct check c = { .config = config, .sections = sections, .report = report };

    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        for (const struct opened *o = sections; o; o = o->next)
            if (o->kind == &config_sections[checks[i].section]) {
                c.now = o;
                checks[i].check(&c);
            }
    return c.error;
}
