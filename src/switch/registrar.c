/* switch/registrar.c - REGISTER step by step, in the order of RFC 3261, 10.3
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/registrar.h"

#include <stdlib.h>

#include "codes/code.h"
#include "sip/build.h"
#include "sip/uri.h"
#include "sip/values.h"

enum { PATH_MAX_LEN = 1024, PARAMS_ROOM = 4096, PINGS_MAX = 1000, PING_FAILURES_MAX = 3, CONTACTS_MAX = 10,
       NAME_MAX_LEN = 256, RETRY_AFTER_S = 30 };
#define SECOND_NS INT64_C(1000000000)

static const slice option_path = SLICE_INIT("path"), option_outbound = SLICE_INIT("outbound");

/* One keep-alive under way. */
struct ping {
    uint64_t     key_hash, id;
    struct ping *next_free;
    bool         busy;
};

struct registrar {
    struct registrar_settings settings;
    struct registrar_counts   counts;
    struct endpoint      *endpoint;
    struct users          users;
    struct authenticator *authenticator;
    struct bindings      *bindings;
    struct guard         *guard;
    struct ping          *pings, *free_pings;
    unsigned              pings_max;
    uint64_t              spread;    /* what the next jitter comes of */
    char                  ping_from[BINDINGS_KEY_MAX];
};

/* ---- birth and death ---- */

static void default_u32(uint32_t *value, uint32_t otherwise)
{
    if (!*value)
        *value = otherwise;
}

void registrar_set(struct registrar *r, const struct registrar_settings *settings)
{
    struct registrar_settings *s = &r->settings;

    *s = *settings;
    default_u32(&s->expires_default_s, 3600);
    default_u32(&s->expires_min_s, 60);
    default_u32(&s->expires_max_s, 7200);
    default_u32(&s->contacts_max, CONTACTS_MAX);
    default_u32(&s->ping_failures_max, PING_FAILURES_MAX);
    if (s->expires_max_s < s->expires_min_s)
        s->expires_max_s = s->expires_min_s;
    if (s->jitter_percent > 50)
        s->jitter_percent = 50;
    if (!s->ping_from.len && s->domain_count) {
        slice domain = slice_head(s->domains[0].name, sizeof r->ping_from - 9);

        memcpy(r->ping_from, "sip:ping@", 9);
        memcpy(r->ping_from + 9, domain.ptr, domain.len);
        s->ping_from = slice_of(r->ping_from, 9 + domain.len);
    }
}

struct registrar *registrar_new(const struct registrar_settings *settings, struct endpoint *endpoint,
                                const struct users *users, struct authenticator *authenticator,
                                struct bindings *bindings, struct guard *guard)
{
    struct registrar *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->endpoint = endpoint;
    r->users = *users;
    r->authenticator = authenticator;
    r->bindings = bindings;
    r->guard = guard;
    r->pings_max = settings->pings_max ? settings->pings_max : PINGS_MAX;
    r->pings = calloc(r->pings_max, sizeof *r->pings);
    if (!r->pings)
        return registrar_free(r);
    for (size_t i = r->pings_max; i-- > 0;) {
        r->pings[i].next_free = r->free_pings;
        r->free_pings = &r->pings[i];
    }
    registrar_set(r, settings);
    return r;
}

struct registrar *registrar_free(struct registrar *r)
{
    if (!r)
        return NULL;
    free(r->pings);
    free(r);
    return NULL;
}

const struct registrar_counts *registrar_counts(const struct registrar *r) { return &r->counts; }

/* ---- domains ---- */

static bool is_name(slice host, slice name)
{
    if (slice_ends(host, SLICE(".")))
        host.len--;
    return slice_eq_nocase(host, name);
}

const struct registrar_domain *registrar_domain_of(const struct registrar *r, slice host)
{
    for (size_t i = 0; i < r->settings.domain_count; i++) {
        const struct registrar_domain *d = &r->settings.domains[i];

        if (is_name(host, d->name))
            return d;
        for (size_t k = 0; k < d->alias_count; k++)
            if (is_name(host, d->aliases[k]))
                return d;
    }
    return NULL;
}

/* The name may stand in the buffer already. */
static bool make_key(slice name, slice domain, char buffer[BINDINGS_KEY_MAX], slice *ret)
{
    if (name.len + 1 + domain.len >= BINDINGS_KEY_MAX)
        return false;
    memmove(buffer, name.ptr, name.len);
    buffer[name.len] = '@';
    memcpy(buffer + name.len + 1, domain.ptr, domain.len);
    *ret = slice_of(buffer, name.len + 1 + domain.len);
    return true;
}

static size_t user_len_of(slice key)
{
    size_t at = key.len;

    while (at > 0 && key.ptr[at - 1] != '@')
        at--;
    return at ? at - 1 : 0;
}

bool registrar_key(const struct registrar *r, slice uri, char buffer[BINDINGS_KEY_MAX], slice *ret)
{
    const struct registrar_domain *d;
    slice key;

    if (!bindings_key(uri, buffer, &key))
        return false;
    d = registrar_domain_of(r, slice_skip(key, user_len_of(key) + 1));
    return d && make_key(slice_head(key, user_len_of(key)), d->name, buffer, ret);
}

bool registrar_owner(const struct registrar *r, slice to, char buffer[BINDINGS_KEY_MAX], slice *ret)
{
    slice key, name, domain, targets[2];
    struct user user;

    if (!registrar_key(r, to, buffer, &key))
        return false;
    name = slice_head(key, user_len_of(key));
    domain = slice_skip(key, name.len + 1);
    *ret = key;
    if (!r->users.by_alias || r->users.by_name(r->users.ctx, name, domain, &user) != USERS_NONE ||
        r->users.by_alias(r->users.ctx, name, domain, targets, ARRAY_LEN(targets)) != 1)
        return true;
    return make_key(targets[0], registrar_domain_of(r, domain)->name, buffer, ret);
}

/* ---- one REGISTER ---- */

struct asked {
    struct registrar          *r;
    struct server_transaction *s;
    const struct sip_message  *m;
    const struct hop          *from;
    int64_t  now_ns;
    const struct registrar_domain *domain;
    slice    key;
    unsigned contacts_max;
    bool     star, outbound;         /* outbound: a flow of RFC 5626 was asked for, and may be */
    slice    path;
    struct binding_fields contacts[BINDINGS_CHANGES_MAX];
    size_t   count;
    char     key_text[BINDINGS_KEY_MAX], path_text[PATH_MAX_LEN], params_text[PARAMS_ROOM];
    size_t   params_used;
};

/* Each step says 0: go on, or what to answer; DONE: it has answered, or will not. */
enum { GO_ON = 0, DONE = 1 };

static void tell_guard(const struct asked *q, enum guard_event event)
{
    if (q->r->guard)
        guard_note(q->r->guard, &q->from->remote, (slice){ 0 }, event, q->now_ns);
}

static int answer_with(struct asked *q, unsigned status, enum sip_header_id header, slice value)
{
    struct out *o = server_reply(q->s, status, (slice){ 0 });

    sip_build_header(o, header, value);
    server_reply_send(q->s, (slice){ 0 }, (slice){ 0 });
    q->r->counts.refused++;
    return DONE;
}

static int answer_with_u32(struct asked *q, unsigned status, enum sip_header_id header, uint32_t value)
{
    struct out *o = server_reply(q->s, status, (slice){ 0 });

    sip_build_header_u32(o, header, value);
    server_reply_send(q->s, (slice){ 0 }, (slice){ 0 });
    q->r->counts.refused++;
    return DONE;
}

/* 8.2.2.3. */
static int check_require(struct asked *q)
{
    struct sip_values all = sip_values_of(q->m, SIP_H_REQUIRE);
    char unsupported[256];
    size_t used = 0;
    slice tag;

    while (sip_values_next(&all, &tag)) {
        if ((!q->r->settings.no_path && slice_eq_nocase(tag, option_path)) ||
            (!q->r->settings.no_outbound && slice_eq_nocase(tag, option_outbound)))
            continue;
        if (used + tag.len + 2 > sizeof unsupported)
            return 420;                                   /* more than we care to repeat */
        if (used)
            memcpy(unsupported + used, ", ", 2), used += 2;
        memcpy(unsupported + used, tag.ptr, tag.len);
        used += tag.len;
    }
    return used ? answer_with(q, 420, SIP_H_UNSUPPORTED, slice_of(unsupported, used)) : GO_ON;
}

/* Whose binding it is about, as far as that shows before anybody is known. */
static int check_target(struct asked *q)
{
    struct sip_uri uri, to;

    if (!sip_uri_parse(q->m->uri, &uri) || (uri.scheme != SIP_SCHEME_SIP && uri.scheme != SIP_SCHEME_SIPS))
        return 416;
    if (!sip_uri_parse(q->m->to.uri, &to) || !q->m->from.uri.len)
        return 400;
    q->domain = registrar_domain_of(q->r, to.host);
    if (!q->domain)
        tell_guard(q, GUARD_NOT_ALLOWED);
    return q->domain ? GO_ON : 404;
}

/* A challenge says nothing about who is here; whom it went to, the guard may know. */
static void note_sweep(struct asked *q)
{
    char text[BINDINGS_KEY_MAX];
    struct user ignored;
    slice key, name, targets[1];

    if (!q->r->guard || !registrar_key(q->r, q->m->to.uri, text, &key))
        return;
    name = slice_head(key, user_len_of(key));
    if (q->r->users.by_name(q->r->users.ctx, name, q->domain->name, &ignored) == USERS_NONE &&
        (!q->r->users.by_alias || !q->r->users.by_alias(q->r->users.ctx, name, q->domain->name, targets, 1)))
        tell_guard(q, GUARD_UNKNOWN_USER);
}

static int check_who(struct asked *q, struct authenticated *who)
{
    slice realm = q->domain->realm.len ? q->domain->realm : q->domain->name;
    struct out *o;

    switch (authenticate(q->r->authenticator, q->m, &q->from->remote, SIP_H_AUTHORIZATION, realm, q->now_ns, who)) {
    case AUTHENTICATE_OK:
        return GO_ON;
    case AUTHENTICATE_CHALLENGE:
        o = server_reply(q->s, 401, (slice){ 0 });
        authenticate_challenge(q->r->authenticator, o, SIP_H_WWW_AUTHENTICATE, realm, who, q->now_ns);
        server_reply_send(q->s, (slice){ 0 }, (slice){ 0 });
        q->r->counts.challenged++;
        if (who->why == AUTHENTICATE_NO_CREDENTIALS)
            note_sweep(q);
        return DONE;
    case AUTHENTICATE_DROP:
        q->r->counts.dropped++;
        server_drop(q->s);
        return DONE;
    case AUTHENTICATE_REFUSE:
    case AUTHENTICATE_WAIT:
        break;
    }
    return who->status;
}

static bool may_register_others(const struct registrar *r, slice auth_name)
{
    for (size_t i = 0; i < r->settings.third_party_count; i++)
        if (slice_eq(auth_name, r->settings.third_parties[i]))
            return true;
    return false;
}

/* Is `name` in the domain another name of one user alone: `own`? */
static bool is_alias_of(const struct asked *q, slice name, slice own)
{
    slice targets[2];

    return q->r->users.by_alias &&
           q->r->users.by_alias(q->r->users.ctx, name, q->domain->name, targets, ARRAY_LEN(targets)) == 1 &&
           slice_eq(targets[0], own);
}

/* 10.3, 4 and 5. `who` is worth nothing once somebody else was asked for. */
static int check_owner(struct asked *q, const struct authenticated *who)
{
    char own_text[NAME_MAX_LEN], from_text[BINDINGS_KEY_MAX];
    bool others = may_register_others(q->r, who->user.auth_name);
    slice own = slice_of(own_text, who->user.name.len), from = { 0 }, name;
    bool in_domain = slice_eq_nocase(who->user.domain, q->domain->name);
    struct user target;

    if (own.len >= sizeof own_text)
        return 403;
    if (own.len)
        memcpy(own_text, who->user.name.ptr, own.len);
    q->contacts_max = who->user.contacts_max;
    if (!registrar_key(q->r, q->m->to.uri, q->key_text, &q->key))
        return 404;                                       /* no user in it: nobody's */
    if (!others && (!registrar_key(q->r, q->m->from.uri, from_text, &from) || !slice_eq(from, q->key)))
        return 403;                                       /* third party */
    name = slice_head(q->key, user_len_of(q->key));
    if (in_domain && slice_eq(name, own))
        return GO_ON;
    if (in_domain && is_alias_of(q, name, own))
        return make_key(own, q->domain->name, q->key_text, &q->key) ? GO_ON : 403;
    switch (q->r->users.by_name(q->r->users.ctx, name, q->domain->name, &target)) {
    case USERS_NONE:
        tell_guard(q, GUARD_UNKNOWN_USER);
        return 404;
    case USERS_FAILED:
        return 504;
    case USERS_FOUND:
        break;
    }
    q->contacts_max = target.contacts_max;
    if (others)
        return target.flags & USER_DISABLED ? 403 : GO_ON;
    tell_guard(q, GUARD_NOT_ALLOWED);
    return 403;
}

/* ---- its contacts ---- */

static bool is_uri_char(char c) { return (unsigned char)c > ' ' && c != 0x7f && c != '<' && c != '>' && c != '"'; }
static bool is_quotable(char c) { return (unsigned char)c >= ' ' && c != 0x7f && c != '"' && c != '\\'; }

/* Path, all lines of it in order. Its last value is that of the hop next to the client. */
static int read_path(struct asked *q, bool *ret_first_hop_has_outbound)
{
    struct sip_values all = sip_values_of(q->m, SIP_H_PATH);
    size_t used = 0;
    slice one;

    *ret_first_hop_has_outbound = false;
    if (q->r->settings.no_path)
        return GO_ON;
    while (sip_values_next(&all, &one)) {
        struct sip_name_addr addr;
        struct sip_uri uri;
        slice ob;

        if (!sip_name_addr_parse(one, &addr) || !sip_uri_parse(addr.uri, &uri) || !uri.host.len)
            return 400;
        if (used + one.len + 2 > sizeof q->path_text)
            return 403;
        if (used)
            memcpy(q->path_text + used, ", ", 2), used += 2;
        memcpy(q->path_text + used, one.ptr, one.len);
        used += one.len;
        *ret_first_hop_has_outbound = sip_param_find(uri.params, SLICE("ob"), &ob);
    }
    q->path = slice_of(q->path_text, used);
    if (used && q->r->settings.path_needs_support && !sip_values_have(q->m, SIP_H_SUPPORTED, option_path))
        return answer_with(q, 421, SIP_H_REQUIRE, option_path);
    return GO_ON;
}

/* Parameters but for those with a field of their own, one behind the other in a common room;
 * what does not fit there is not kept. */
static slice other_params(struct asked *q, slice params)
{
    static const slice known[] = { SLICE("expires"), SLICE("q"), SLICE("+sip.instance"), SLICE("reg-id") };
    size_t start = q->params_used, at = start;
    struct sip_param p;

    while (sip_param_next(&params, &p)) {
        bool skip = !p.name.len;

        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            skip |= slice_eq_nocase(p.name, known[i]);
        if (skip)
            continue;
        if (at + p.name.len + p.value.len + 4 > sizeof q->params_text)
            return (slice){ 0 };
        q->params_text[at++] = ';';
        memcpy(q->params_text + at, p.name.ptr, p.name.len);
        at += p.name.len;
        if (!p.has_value)
            continue;
        q->params_text[at++] = '=';
        if (p.quoted)
            q->params_text[at++] = '"';
        if (p.value.len)
            memcpy(q->params_text + at, p.value.ptr, p.value.len);
        at += p.value.len;
        if (p.quoted)
            q->params_text[at++] = '"';
    }
    q->params_used = at;
    return slice_of(q->params_text + start, at - start);
}

static uint32_t with_jitter(struct registrar *r, uint32_t expires_s)
{
    uint32_t most = (uint32_t)((uint64_t)expires_s * r->settings.jitter_percent / 100);

    if (!most)
        return expires_s;
    r->spread = r->spread * 6364136223846793005u + 1442695040888963407u;
    expires_s -= (uint32_t)((r->spread >> 33) % (most + 1));
    return expires_s < r->settings.expires_min_s ? r->settings.expires_min_s : expires_s;
}

/* How long; 423 when that is too short (10.3, 7). */
static int grant(struct asked *q, const struct sip_contact *contact, uint32_t *ret_s)
{
    const struct registrar_settings *set = &q->r->settings;
    const struct sip_header *h = sip_header_find(q->m, SIP_H_EXPIRES);
    uint32_t expires_s = set->expires_default_s;

    if (contact->has_expires)
        expires_s = contact->expires_s;
    else if (h)
        (void)sip_seconds_parse(h->value, &expires_s);    /* unreadable: as if there was none */
    if (expires_s && expires_s < set->expires_min_s)
        return answer_with_u32(q, 423, SIP_H_MIN_EXPIRES, set->expires_min_s);
    if (expires_s > set->expires_max_s)
        expires_s = set->expires_max_s;
    *ret_s = expires_s ? with_jitter(q->r, expires_s) : 0;
    return GO_ON;
}

static uint16_t default_port(enum sip_scheme scheme, enum wire_transport transport)
{
    if (transport == WIRE_WS)
        return 80;
    if (transport == WIRE_WSS)
        return 443;
    return scheme == SIP_SCHEME_SIPS || transport == WIRE_TLS ? 5061 : 5060;
}

/* Is the contact where the request came from? By a connection it has a port of its own. */
static bool is_where_it_came_from(const struct sip_uri *uri, const struct hop *from)
{
    uint16_t port = uri->port ? uri->port : default_port(uri->scheme, (enum wire_transport)from->transport);
    struct address a;

    return address_parse_ip(uri->host, &a) && address_same_ip(&a, &from->remote) &&
           (hop_is_reliable(from) || port == from->remote.port);
}

/* Reached by the hop it came by: behind NAT, or a name that we need not look up. Behind a proxy
 * the source is the proxy's, and says nothing. */
static bool is_by_hop(const struct asked *q, const struct sip_uri *uri)
{
    if (q->m->via_count > 1 || q->r->settings.nat == REGISTRAR_NAT_NEVER)
        return false;
    if (q->r->settings.nat == REGISTRAR_NAT_ALWAYS || q->from->transport == WIRE_WS || q->from->transport == WIRE_WSS)
        return true;
    return !is_where_it_came_from(uri, q->from);
}

/* +sip.instance and reg-id (RFC 5626, 6): a flow only if the client says so. */
static int read_flow(struct asked *q, slice params, bool first_hop_has_outbound, struct binding_fields *f)
{
    if (!sip_param_find(params, SLICE("+sip.instance"), &f->instance) || !slice_all(f->instance, is_quotable)) {
        f->instance = (slice){ 0 };
        return GO_ON;                                     /* a reg-id alone means nothing */
    }
    if (!sip_param_u32(params, SLICE("reg-id"), &f->reg_id) || f->reg_id == 0 || q->r->settings.no_outbound ||
        !sip_values_have(q->m, SIP_H_SUPPORTED, option_outbound)) {
        f->reg_id = 0;
        return GO_ON;
    }
    if (q->m->via_count > 1 && !first_hop_has_outbound)
        return 439;
    if (q->outbound && f->expires_ns > q->now_ns)
        return 400;                                       /* one flow at a time */
    q->outbound |= f->expires_ns > q->now_ns;
    f->flags |= BINDING_OUTBOUND;
    if (q->m->via_count == 1)
        f->flags |= BINDING_BY_HOP;
    return GO_ON;
}

/* A name of ours, or the very address that this came to: another port there is somebody else. */
static bool is_ourselves(const struct asked *q, const struct sip_uri *uri)
{
    struct address host;

    if (!address_parse_ip(uri->host, &host))
        return registrar_domain_of(q->r, uri->host) != NULL;
    host.port = uri->port ? uri->port : 5060;
    return address_eq(&host, &q->from->local);
}

static int read_contact(struct asked *q, const struct sip_contact *contact, bool first_hop_has_outbound)
{
    const struct sip_header *user_agent = sip_header_find(q->m, SIP_H_USER_AGENT);
    struct binding_fields *f = &q->contacts[q->count];
    struct sip_uri uri;
    uint32_t expires_s = 0;
    int status;

    if (!slice_all(contact->addr.uri, is_uri_char) || !sip_uri_parse(contact->addr.uri, &uri) || !uri.host.len ||
        (uri.scheme != SIP_SCHEME_SIP && uri.scheme != SIP_SCHEME_SIPS))
        return 400;
    if ((status = grant(q, contact, &expires_s)))
        return status;
    *f = (struct binding_fields){
        .uri = contact->addr.uri,
        .path = q->path,
        .call_id = q->m->call_id,
        .user_agent = user_agent ? user_agent->value : (slice){ 0 },
        .params = other_params(q, contact->addr.params),
        .cseq = q->m->cseq.number,
        .q_thousandth = contact->has_q ? contact->q_thousandth : 1000,
        .flags = is_by_hop(q, &uri) ? BINDING_BY_HOP : 0,
        .expires_ns = expires_s ? q->now_ns + expires_s * SECOND_NS : 0,
        .hop = *q->from,
    };
    if ((status = read_flow(q, contact->addr.params, first_hop_has_outbound, f)))
        return status;
    /* A call to such a contact would come back to us for ever. */
    if (!(f->flags & BINDING_BY_HOP) && !q->path.len && expires_s && is_ourselves(q, &uri))
        return 403;
    q->count++;
    return GO_ON;
}

/* "*" stands alone, with Expires: 0 in the header (10.3, 6). */
static int check_star(const struct asked *q)
{
    const struct sip_header *h = sip_header_find(q->m, SIP_H_EXPIRES);
    uint32_t expires_s;

    return q->count == 0 && h && sip_seconds_parse(h->value, &expires_s) && expires_s == 0 ? GO_ON : 400;
}

static int read_contacts(struct asked *q)
{
    struct sip_values all = sip_values_of(q->m, SIP_H_CONTACT);
    bool first_hop_has_outbound;
    slice one;
    int status;

    if ((status = read_path(q, &first_hop_has_outbound)))
        return status;
    while (sip_values_next(&all, &one)) {
        struct sip_contact contact;

        if (q->star || !sip_contact_next(&one, &contact))
            return 400;
        if (q->count == BINDINGS_CHANGES_MAX)
            return 403;
        if (contact.star)
            q->star = true;
        else if ((status = read_contact(q, &contact, first_hop_has_outbound)))
            return status;
    }
    if (!q->star && q->count == 0 && sip_header_find(q->m, SIP_H_CONTACT))
        return 400;                                       /* something stands there, but no contact */
    return q->star ? check_star(q) : GO_ON;
}

/* ---- its answer ---- */

static void write_two(struct out *o, int64_t number) { out_padded(o, (uint64_t)number, 2); }

/* Sat, 21 Nov 2026 09:39:54 GMT (20.17). Days are counted from 1 March 0000, so that the day of
 * leap is the last of its year. */
static void write_date(struct out *o, int64_t now_s)
{
    static const char days[] = "ThuFriSatSunMonTueWed", months[] = "MarAprMayJunJulAugSepOctNovDecJanFeb";
    int64_t day = now_s / 86400, second = now_s % 86400, era_day = day + 719468, era = era_day / 146097;
    int64_t of_era = era_day % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;

    out_text(o, SLICE("Date: "));
    out_text(o, slice_of(days + day % 7 * 3, 3));
    out_text(o, SLICE(", "));
    write_two(o, of_year - (153 * month + 2) / 5 + 1);
    out_char(o, ' ');
    out_text(o, slice_of(months + month * 3, 3));
    out_char(o, ' ');
    out_i64(o, year + era * 400 + (month >= 10));
    out_char(o, ' ');
    write_two(o, second / 3600);
    out_char(o, ':');
    write_two(o, second / 60 % 60);
    out_char(o, ':');
    write_two(o, second % 60);
    out_text(o, SLICE(" GMT\r\n"));
}

/* What is kept has no line break and, but for the parameters, no quote in it. */
static void write_contact(struct out *o, const struct binding_fields *f, int64_t now_ns)
{
    out_text(o, SLICE("Contact: <"));
    out_text(o, f->uri);
    out_text(o, SLICE(">;expires="));
    out_i64(o, (f->expires_ns - now_ns + SECOND_NS - 1) / SECOND_NS);
    if (f->q_thousandth != 1000) {
        out_text(o, SLICE(";q="));
        out_milli(o, f->q_thousandth);
    }
    if (f->instance.len) {
        out_text(o, SLICE(";+sip.instance=\""));
        out_text(o, f->instance);
        out_char(o, '"');
    }
    if (f->reg_id) {
        out_text(o, SLICE(";reg-id="));
        out_u64(o, f->reg_id);
    }
    out_text(o, SLICE("\r\n"));
}

/* 10.3, 8. */
static void answer_200(struct asked *q)
{
    const struct bindings_aor *aor = bindings_find(q->r->bindings, q->key);
    struct out *o = server_reply(q->s, 200, (slice){ 0 });
    struct binding_fields f;

    for (const struct binding *c = aor ? bindings_aor_next(aor, NULL) : NULL; c; c = bindings_aor_next(aor, c)) {
        binding_read(c, &f);
        if (f.expires_ns > q->now_ns)
            write_contact(o, &f, q->now_ns);
    }
    write_date(o, q->now_ns / SECOND_NS);
    if (q->path.len && sip_values_have(q->m, SIP_H_SUPPORTED, option_path))
        sip_build_header(o, SIP_H_PATH, q->path);
    if (q->r->settings.service_route.len)
        sip_build_header(o, SIP_H_SERVICE_ROUTE, q->r->settings.service_route);
    if (q->outbound) {
        sip_build_header(o, SIP_H_REQUIRE, option_outbound);
        if (q->r->settings.flow_timer_s && q->m->via_count == 1)
            sip_build_header_u32(o, SIP_H_FLOW_TIMER, q->r->settings.flow_timer_s);
    }
    if (!q->r->settings.no_path || !q->r->settings.no_outbound)
        sip_build_header(o, SIP_H_SUPPORTED, q->r->settings.no_path ? option_outbound
                                             : q->r->settings.no_outbound ? option_path : SLICE("path, outbound"));
    server_reply_send(q->s, (slice){ 0 }, (slice){ 0 });
    q->r->counts.accepted++;
    q->r->counts.queries += !q->star && q->count == 0;
}

static int keep_contacts(struct asked *q)
{
    static const uint16_t status[] = {
        [BINDINGS_DONE] = 0,       [BINDINGS_OUT_OF_ORDER] = 500, [BINDINGS_TOO_MANY] = 403,
        [BINDINGS_TOO_LONG] = 403, [BINDINGS_FULL] = 503,         [BINDINGS_NO_MEMORY] = 500,
    };
    unsigned max = q->contacts_max ? q->contacts_max : q->r->settings.contacts_max;
    enum bindings_result result =
        q->star ? bindings_clear(q->r->bindings, q->key, q->m->call_id, q->m->cseq.number, q->now_ns)
                : bindings_update(q->r->bindings, q->key, q->contacts, q->count, max, q->now_ns);

    if (result == BINDINGS_FULL)
        return answer_with_u32(q, 503, SIP_H_RETRY_AFTER, RETRY_AFTER_S);
    return status[result];
}

static int handle(struct asked *q)
{
    struct authenticated who;
    int status;

    if ((status = check_require(q)) || (status = check_target(q)) || (status = check_who(q, &who)) ||
        (status = check_owner(q, &who)) || (status = read_contacts(q)) || (status = keep_contacts(q)))
        return status;
    answer_200(q);
    return DONE;
}

void registrar_request(struct registrar *r, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    struct asked q;
    int status;

    memset(&q, 0, offsetof(struct asked, contacts));
    q.r = r;
    q.s = s;
    q.m = m;
    q.from = from;
    q.now_ns = endpoint_now_ns(r->endpoint);
    q.count = q.params_used = 0;
    r->counts.requests++;
    status = handle(&q);
    if (status == DONE)
        return;
    r->counts.refused++;
    if (status == 400)
        tell_guard(&q, GUARD_MALFORMED);
    server_reply_plain(s, (unsigned)status);
}

/* ---- keep-alives ---- */

static enum wire_transport transport_of(const struct sip_uri *uri)
{
    slice named;

    if (uri->scheme == SIP_SCHEME_SIPS)
        return WIRE_TLS;
    if (sip_param_find(uri->params, SLICE("transport"), &named))
        for (int i = 0; i < WIRE_TRANSPORTS; i++)
            if (slice_eq_nocase(named, wire_transport_name((enum wire_transport)i)))
                return (enum wire_transport)i;
    return WIRE_UDP;
}

bool registrar_hop(const struct binding_fields *c, struct hop *ret)
{
    struct address a;
    struct sip_uri uri;
    enum wire_transport transport;

    /* The first of the Path is who brought the REGISTER; but a port of a connection is no
     * address to open one to. */
    if (c->flags & BINDING_BY_HOP || (c->path.len && (!hop_is_reliable(&c->hop) || c->hop.connection))) {
        *ret = c->hop;
        return true;
    }
    if (c->path.len || !sip_uri_parse(c->uri, &uri) || !address_parse_ip(uri.host, &a))
        return false;
    transport = transport_of(&uri);
    if (transport != c->hop.transport || a.family != c->hop.local.family)
        return false;                                     /* by which of our ends is not known here */
    *ret = c->hop;
    if (!is_where_it_came_from(&uri, &c->hop) || !c->hop.connection) {
        a.port = uri.port ? uri.port : default_port(uri.scheme, transport);
        ret->remote = a;
        ret->connection = 0;
    }
    return true;
}

static void ping_free(struct registrar *r, struct ping *p)
{
    p->busy = false;
    p->next_free = r->free_pings;
    r->free_pings = p;
}

static void write_ping(struct registrar *r, struct out *o, const struct binding_fields *c)
{
    char token[ENDPOINT_TOKEN_LEN + 1];
    struct sip_name_addr from = { .uri = r->settings.ping_from }, to = { .uri = c->uri };

    if (c->path.len)
        sip_build_header(o, SIP_H_ROUTE, c->path);
    sip_build_header(o, SIP_H_MAX_FORWARDS, SLICE("70"));
    endpoint_token(r->endpoint, token);
    sip_build_name_addr(o, SIP_H_FROM, &from, slice_of_string(token));
    sip_build_name_addr(o, SIP_H_TO, &to, (slice){ 0 });
    endpoint_token(r->endpoint, token);
    sip_build_header(o, SIP_H_CALL_ID, slice_of_string(token));
    sip_build_cseq(o, 1, SLICE("OPTIONS"));
}

static bool ping(struct registrar *r, const struct binding *binding)
{
    struct ping *p = r->free_pings;
    struct binding_fields c;
    struct hop hop;
    struct out *o;

    binding_read(binding, &c);
    if (!p || !registrar_hop(&c, &hop))
        return false;
    o = client_request(r->endpoint, &hop, SIP_OPTIONS, (slice){ 0 }, c.uri);
    if (!o)
        return false;
    write_ping(r, o, &c);
    r->free_pings = p->next_free;
    *p = (struct ping){ .key_hash = binding_key_hash(binding), .id = c.id, .busy = true };
    if (client_request_send(r->endpoint, (slice){ 0 }, (slice){ 0 }, p))
        return true;
    ping_free(r, p);
    return false;
}

void registrar_time(struct registrar *r, int64_t now_ns)
{
    const struct binding *c;

    while ((c = bindings_time(r->bindings, now_ns))) {
        if (ping(r, c))
            r->counts.pings++;
        else
            r->counts.pings_left_out++;
    }
}

int64_t registrar_next_ns(const struct registrar *r) { return bindings_next_ns(r->bindings); }

/* Its owner is a place in our array, and such a place belongs to nothing else. */
static struct ping *ping_of(const struct registrar *r, const struct client_transaction *c)
{
    struct ping *p = client_owner(c);

    return p >= r->pings && p < r->pings + r->pings_max && p->busy ? p : NULL;
}

static void ping_over(struct registrar *r, struct ping *p, struct client_transaction *c, bool answered, bool flow_gone)
{
    const struct binding *binding = bindings_by_id(r->bindings, p->key_hash, p->id);
    unsigned failures = bindings_pinged(r->bindings, p->key_hash, p->id, answered);
    uint64_t id = p->id;

    ping_free(r, p);
    client_set_owner(c, NULL);
    if (!answered)
        r->counts.pings_failed++;
    if (binding && !answered && (flow_gone || failures >= r->settings.ping_failures_max))
        bindings_remove_id(r->bindings, binding_key(binding), id, flow_gone ? BINDING_FLOW_LOST : BINDING_UNREACHABLE,
                           endpoint_now_ns(r->endpoint));
}

bool registrar_response(struct registrar *r, struct client_transaction *c, const struct sip_message *m)
{
    struct ping *p = ping_of(r, c);

    if (p && m->status >= 200)
        ping_over(r, p, c, m->status != 408 && m->status != 430, m->status == 430);
    return p != NULL;
}

bool registrar_failed(struct registrar *r, struct client_transaction *c)
{
    struct ping *p = ping_of(r, c);

    if (p)
        ping_over(r, p, c, false, false);
    return p != NULL;
}
