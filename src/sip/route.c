/* sip/route.c - see route.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/route.h"

#include "sip/sip_int.h"
#include "sip/uri.h"
#include "sip/values.h"

bool sip_replaces_parse(slice value, struct sip_replaces *ret)
{
    slice params, spare;
    struct sip_replaces got = { .call_id = sip_trim(sip_cut_at(value, ';', &params)) };

    if (!got.call_id.len)
        return false;
    sip_param_find(params, SLICE("to-tag"), &got.to_tag);
    sip_param_find(params, SLICE("from-tag"), &got.from_tag);
    if (!got.to_tag.len || !got.from_tag.len)
        return false;                /* RFC 3891, 6.1: exactly one of each */
    got.early_only = sip_param_find(params, SLICE("early-only"), &spare);
    *ret = got;
    return true;
}

bool sip_refer_replaces(slice refer_to, char *buffer, size_t size, struct sip_replaces *ret)
{
    struct sip_name_addr addr;
    struct sip_uri uri;
    slice escaped;

    if (!sip_name_addr_parse(refer_to, &addr) || !sip_uri_parse(addr.uri, &uri) ||
        !sip_uri_header_find(uri.headers, SLICE("Replaces"), &escaped))
        return false;
    if (escaped.len > size)
        return false;
    return sip_replaces_parse(sip_unescape(escaped, buffer, size), ret);
}

/* cause=302 of "SIP%3Bcause%3D302%3Btext%3D...": the first 256 bytes are enough for it. */
static bool cause_in(slice escaped, uint32_t *ret)
{
    char text[256];
    struct sip_reason reason;
    slice rest = sip_unescape(escaped, text, sizeof(text));

    if (!sip_reason_next(&rest, &reason) || !reason.has_cause)
        return false;
    *ret = reason.cause;
    return true;
}

bool sip_history_next(slice *rest, struct sip_history *ret)
{
    struct sip_history got = { 0 };
    struct sip_uri uri;

    if (!sip_name_addr_next(rest, &got.addr))
        return false;
    sip_param_find(got.addr.params, SLICE("index"), &got.index);
    if (sip_uri_parse(got.addr.uri, &uri)) {
        sip_uri_header_find(uri.headers, SLICE("Reason"), &got.reason);
        got.has_cause = sip_param_u32(uri.params, SLICE("cause"), &got.cause) ||
                        (got.reason.len && cause_in(got.reason, &got.cause));
    }
    *ret = got;
    return true;
}

bool sip_diversion_next(slice *rest, struct sip_diversion *ret)
{
    struct sip_diversion got = { 0 };

    if (!sip_name_addr_next(rest, &got.addr))
        return false;
    sip_param_find(got.addr.params, SLICE("reason"), &got.reason);
    sip_param_find(got.addr.params, SLICE("privacy"), &got.privacy);
    sip_param_find(got.addr.params, SLICE("screen"), &got.screen);
    got.has_counter = sip_param_u32(got.addr.params, SLICE("counter"), &got.counter);
    *ret = got;
    return true;
}
