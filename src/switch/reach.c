/* switch/reach.c - see reach.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/reach.h"

#include "sip/fields.h"
#include "sip/message.h"
#include "sip/uri.h"
#include "switch/dialog.h"

enum { SIP_PORT = 5060, SIPS_PORT = 5061 };

static bool parse(slice bytes, struct sip_header *room, struct sip_message *ret)
{
    return sip_message_parse(bytes, SIP_DATAGRAM, room, SIP_HEADERS_MAX, ret) > 0;
}

/* What we connected to we can connect to again, by whatever transport. */
static bool is_ours_to_make(const struct hop *gone, struct hop *ret)
{
    *ret = *gone;
    ret->connection = 0;
    return gone->connection && gone->made;
}

static bool can_be_called(const struct hop *gone)
{
    return gone->connection && (gone->transport == WIRE_TCP || gone->transport == WIRE_TLS);
}

/* A private address means something in the peer's network only, unless that is ours, too. */
static bool is_its_own(const struct address *written, const struct hop *gone)
{
    return address_same_ip(written, &gone->remote) || !address_is_private(written);
}

static slice next_uri(const struct sip_message *m)
{
    const struct sip_header *route = sip_header_find(m, SIP_H_ROUTE);
    slice rest = route ? route->value : (slice){ 0 };
    struct sip_name_addr addr;

    if (!route)
        return m->uri;
    return sip_name_addr_next(&rest, &addr) ? addr.uri : (slice){ 0 };
}

bool reach_for_request(const struct hop *gone, slice request, struct hop *ret)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    struct sip_uri uri;
    struct hop to;
    slice text, flow;

    if (!parse(request, room, &m) || (!m.to.tag.len && m.method != SIP_CANCEL))
        return false;
    if (is_ours_to_make(gone, ret))
        return true;
    text = next_uri(&m);
    if (!can_be_called(gone) || !sip_uri_parse(text, &uri) || sip_param_find(uri.params, SLICE("ob"), &flow) || !hop_of_uri(text, gone, &to))
        return false;
    if (to.transport != gone->transport || to.remote.family != gone->remote.family || !is_its_own(&to.remote, gone))
        return false;
    ret->remote = to.remote;
    return true;
}

bool reach_for_answer(const struct hop *gone, slice answer, struct hop *ret)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    struct address sent_by;

    if (!parse(answer, room, &m) || !m.via_count || m.status <= 100)
        return false;
    if (is_ours_to_make(gone, ret))
        return true;
    if (!can_be_called(gone) || (address_parse_ip(m.via.host, &sent_by) && !is_its_own(&sent_by, gone)))
        return false;
    ret->remote.port = m.via.port ? m.via.port : gone->transport == WIRE_TLS ? SIPS_PORT : SIP_PORT;
    return true;
}
