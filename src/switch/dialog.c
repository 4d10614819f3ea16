/* switch/dialog.c - identity, route set and target of a dialog
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/dialog.h"

#include "sip/build.h"
#include "sip/uri.h"
#include "sip/values.h"

enum { NULS = 8, ROUTES_MAX = 32, SIP_PORT = 5060, SIPS_PORT = 5061 };

/* ---- where it goes ---- */

static bool transport_of(const struct sip_uri *uri, const struct hop *via, uint8_t *ret)
{
    static const struct { slice name; enum wire_transport plain, secure; } rows[] = {
        { SLICE_INIT("udp"), WIRE_UDP, WIRE_TLS }, { SLICE_INIT("tcp"), WIRE_TCP, WIRE_TLS },
        { SLICE_INIT("tls"), WIRE_TLS, WIRE_TLS }, { SLICE_INIT("ws"), WIRE_WS, WIRE_WSS },
        { SLICE_INIT("wss"), WIRE_WSS, WIRE_WSS },
    };
    bool secure = uri->scheme == SIP_SCHEME_SIPS;
    slice name;

    if (!sip_param_find(uri->params, SLICE("transport"), &name)) {
        *ret = secure ? WIRE_TLS : via->transport == WIRE_TLS || hop_is_reliable(via) ? via->transport : WIRE_UDP;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (slice_eq_nocase(rows[i].name, name)) {
            *ret = secure ? rows[i].secure : rows[i].plain;
            return true;
        }
    return false;
}

bool hop_of_uri(slice text, const struct hop *via, struct hop *ret)
{
    struct sip_uri uri;
    struct hop hop = *via;
    slice host;

    if (!sip_uri_parse(text, &uri) || (uri.scheme != SIP_SCHEME_SIP && uri.scheme != SIP_SCHEME_SIPS))
        return false;
    host = uri.host;
    if (sip_param_find(uri.params, SLICE("maddr"), &host) && !host.len)
        host = uri.host;
    if (!transport_of(&uri, via, &hop.transport) || !address_parse_ip(host, &hop.remote))
        return false;
    hop.remote.port = uri.port ? uri.port
                      : hop.transport == WIRE_TLS || hop.transport == WIRE_WSS ? SIPS_PORT : SIP_PORT;
    if (hop.transport == via->transport && address_eq(&hop.remote, &via->remote)) {
        *ret = *via;                                      /* the same connection */
        return true;
    }
    hop.connection = 0;
    if (hop.transport != via->transport || hop.remote.family != via->remote.family) {
        hop.listener = 0;
        hop.local = (struct address){ .family = 0 };      /* another of our ends: to be chosen */
    }
    *ret = hop;
    return true;
}

/* A phone behind a translator writes an address that only it can use; a connection leads back
 * by itself. Whoever else writes another address than it sends from, means it. */
static void choose_hop(struct dialog *d, slice first_route, const struct hop *from)
{
    struct hop hop;

    d->hop = *from;
    if (first_route.len) {
        if (hop_of_uri(first_route, from, &hop))
            d->hop = hop;
        return;
    }
    if (hop_is_reliable(from) || !hop_of_uri(d->target, from, &hop))
        return;
    if (address_same_ip(&hop.remote, &from->remote) || !address_is_private(&hop.remote))
        d->hop = hop;
}

/* ---- route set ---- */

/* The Record-Route values as whole Route lines, the other way round when we asked (12.1). */
static bool take_routes(struct arena *arena, const struct sip_message *m, bool backwards, slice *ret, slice *ret_first)
{
    struct sip_values all = sip_values_of(m, SIP_H_RECORD_ROUTE);
    slice values[ROUTES_MAX], value;
    struct sip_name_addr addr;
    size_t count = 0, len = 0, at = 0;
    char *text;

    *ret = *ret_first = (slice){ 0 };
    while (sip_values_next(&all, &value)) {
        if (count == ROUTES_MAX)
            return false;
        len += value.len + SLICE("Route: \r\n").len;
        values[count++] = value;
    }
    if (!count)
        return true;
    text = arena_alloc(arena, len);
    if (!text)
        return false;
    for (size_t i = 0; i < count; i++) {
        slice v = values[backwards ? count - 1 - i : i];

        memcpy(text + at, "Route: ", 7);
        for (size_t k = 0; k < v.len; k++)
            text[at + 7 + k] = is_blank(v.ptr[k]) || v.ptr[k] == '\0' ? ' ' : v.ptr[k];
        memcpy(text + at + 7 + v.len, "\r\n", 2);
        if (i == 0 && sip_name_addr_parse(slice_of(text + at + 7, v.len), &addr))
            *ret_first = addr.uri;
        at += 9 + v.len;
    }
    *ret = slice_of(text, at);
    return true;
}

/* ---- birth ---- */

/* A From or To value without its tag. */
static slice without_tag(struct arena *arena, slice value)
{
    ptrdiff_t close = (ptrdiff_t)value.len - 1, at;

    while (close >= 0 && value.ptr[close] != '>')         /* in a display name or a URI it is no tag */
        close--;
    slice angle = slice_skip(value, (size_t)(close + 1));

    at = slice_find_nocase(angle, SLICE(";tag="));
    if (at < 0)
        return arena_slice(arena, slice_trim(value));
    slice head = slice_head(value, (size_t)(close + 1 + at));
    slice tail = slice_skip(angle, (size_t)at + 1);

    (void)slice_take_until(&tail, ';');
    if (!tail.len)
        return arena_slice(arena, slice_trim(head));
    char *text = arena_alloc(arena, head.len + tail.len);

    if (!text)
        return (slice){ 0 };
    memcpy(text, head.ptr, head.len);
    memcpy(text + head.len, tail.ptr, tail.len);
    return slice_of(text, head.len + tail.len);
}

static bool contact_of(const struct sip_message *m, slice *ret)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_CONTACT);
    slice rest = h ? h->value : (slice){ 0 };
    struct sip_contact contact;

    if (!h || !sip_contact_next(&rest, &contact) || contact.star)
        return false;
    *ret = contact.addr.uri;
    return true;
}

static slice header_value(const struct sip_message *m, enum sip_header_id id)
{
    const struct sip_header *h = sip_header_find(m, id);

    return h ? h->value : (slice){ 0 };
}

size_t dialog_room(const struct sip_message *m)
{
    struct sip_values routes = sip_values_of(m, SIP_H_RECORD_ROUTE);
    slice value, target = { 0 };
    size_t bytes = ENDPOINT_TOKEN_LEN + 2 * NULS + m->call_id.len + m->from.tag.len + header_value(m, SIP_H_TO).len +
                   header_value(m, SIP_H_FROM).len;

    if (contact_of(m, &target))
        bytes += target.len;

    for (size_t i = 0; i < ROUTES_MAX && sip_values_next(&routes, &value); i++)
        bytes += value.len + SLICE("Route: \r\n").len;
    return bytes;
}

bool dialog_of_request(struct arena *arena, const struct sip_message *m, const struct hop *from, slice local_tag,
                       struct dialog *ret)
{
    struct dialog d = { .remote_cseq = m->cseq.number };
    slice target, first_route;

    if (!contact_of(m, &target) || !take_routes(arena, m, false, &d.routes, &first_route))
        return false;
    d.call_id = arena_slice(arena, m->call_id);
    d.local_tag = arena_slice(arena, local_tag);
    d.remote_tag = arena_slice(arena, m->from.tag);
    d.local = without_tag(arena, header_value(m, SIP_H_TO));
    d.remote = without_tag(arena, header_value(m, SIP_H_FROM));
    d.target = arena_slice(arena, target);
    d.target_room = (uint32_t)target.len;
    choose_hop(&d, first_route, from);
    if (!d.call_id.ptr || !d.local_tag.ptr || !d.remote_tag.ptr || !d.local.ptr || !d.remote.ptr || !d.target.ptr)
        return false;
    *ret = d;
    return true;
}

bool dialog_of_response(struct arena *arena, const struct sip_message *m, const struct hop *from,
                        const struct dialog *asked, struct dialog *ret)
{
    struct dialog d = *asked;
    slice target = asked->target, first_route;

    d.remote_cseq = 0;
    if (!m->to.tag.len || !take_routes(arena, m, true, &d.routes, &first_route))
        return false;
    (void)contact_of(m, &target);                         /* without one in a 1xx: as asked */
    d.remote_tag = arena_slice(arena, m->to.tag);
    d.target = slice_eq(target, asked->target) ? asked->target : arena_slice(arena, target);
    d.target_room = d.target.ptr == asked->target.ptr ? 0 : (uint32_t)target.len;
    d.is_ours = true;
    choose_hop(&d, first_route, from);
    if (!d.remote_tag.ptr || !d.target.ptr)
        return false;
    *ret = d;
    return true;
}

static bool take_target(struct arena *arena, slice target, struct dialog *d)
{
    if (slice_eq(target, d->target))
        return true;
    if (target.len > d->target_room) {                    /* twice as much: a dialog may live for days */
        char *room = arena_alloc(arena, target.len * 2);

        if (!room)
            return false;
        d->target = slice_of(room, 0);
        d->target_room = (uint32_t)target.len * 2;
    }
    memcpy((char *)(uintptr_t)d->target.ptr, target.ptr, target.len);
    d->target.len = target.len;
    return true;
}

/* The same target may be reached by another connection than before, or behind another port. */
void dialog_refresh(struct arena *arena, const struct sip_message *m, const struct hop *from, struct dialog *d)
{
    const struct hop hop = *from;                         /* it may be d's own */
    slice target;

    if (contact_of(m, &target) && take_target(arena, target, d) && !d->routes.len)
        choose_hop(d, (slice){ 0 }, &hop);
}

/* ---- within ---- */

bool dialog_is(const struct dialog *d, slice call_id, slice local_tag, slice remote_tag)
{
    return slice_eq(d->local_tag, local_tag) && slice_eq(d->remote_tag, remote_tag) && slice_eq(d->call_id, call_id);
}

bool dialog_take_cseq(struct dialog *d, const struct sip_message *m)
{
    if (d->remote_cseq && m->cseq.number <= d->remote_cseq)
        return false;
    d->remote_cseq = m->cseq.number;
    return true;
}

static void identity(struct out *o, enum sip_header_id id, slice value, slice tag)
{
    out_text(o, sip_header_name(id));
    out_text(o, SLICE(": "));
    sip_build_text(o, value);
    if (tag.len) {
        out_text(o, SLICE(";tag="));
        sip_build_text(o, tag);
    }
    out_text(o, SLICE("\r\n"));
}

static struct out *begin(struct endpoint *e, const struct dialog *d, enum sip_method method, slice text, uint32_t cseq)
{
    struct out *o = client_request(e, &d->hop, method, text, d->target);

    if (!o)
        return NULL;
    out_text(o, d->routes);
    sip_build_header(o, SIP_H_MAX_FORWARDS, SLICE("70"));
    identity(o, SIP_H_FROM, d->local, d->local_tag);
    identity(o, SIP_H_TO, d->remote, d->remote_tag);
    sip_build_header(o, SIP_H_CALL_ID, d->call_id);
    sip_build_cseq(o, cseq, text.len ? text : sip_method_name(method));
    return o;
}

struct out *dialog_request(struct endpoint *e, struct dialog *d, enum sip_method method, slice method_text)
{
    struct out *o = begin(e, d, method, method_text, d->local_cseq + 1);

    if (!o)
        return NULL;
    d->local_cseq++;
    d->hop = *client_request_hop(e);                      /* by now it has a listener */
    return o;
}

struct out *dialog_ack(struct endpoint *e, const struct dialog *d, uint32_t cseq)
{
    return begin(e, d, SIP_ACK, (slice){ 0 }, cseq);
}
