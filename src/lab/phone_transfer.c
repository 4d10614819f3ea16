/* lab/phone_transfer.c - REFER either way, its NOTIFYs, and an INVITE that replaces a call (RFC 3515, 3891)
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "codes/code.h"
#include "lab/phone_int.h"
#include "sip/build.h"
#include "sip/fields.h"
#include "sip/route.h"
#include "sip/uri.h"
#include "sip/values.h"

enum { REPLACES_MAX = 512 };

/* ---- asking ---- */

/* What would end a header of a URI early (RFC 3261, 19.1.1: hvalue). */
static void put_escaped(struct out *o, slice text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';

        if (plain) {
            out_char(o, (char)c);
        } else {
            out_char(o, '%');
            out_char(o, digits[c >> 4]);
            out_char(o, digits[c & 15]);
        }
    }
}

void phone_put_replaces(struct out *o, const struct phone_call *c)
{
    out_text(o, c->dialog.call_id);
    out_text(o, SLICE(";to-tag="));
    out_text(o, c->dialog.remote_tag);
    out_text(o, SLICE(";from-tag="));
    out_text(o, c->dialog.local_tag);
}

bool phone_refer(struct phone_call *c, slice uri, const struct phone_call *replaced, slice headers)
{
    struct out *o = c->phase == PHONE_UP ? phone_request(c, SIP_REFER) : NULL;

    if (!o)
        return false;
    out_text(o, SLICE("Refer-To: <"));
    sip_build_text(o, uri);
    if (replaced) {
        struct out value;

        out_init_memory(&value, REPLACES_MAX);
        phone_put_replaces(&value, replaced);
        out_text(o, SLICE("?Replaces="));
        put_escaped(o, out_taken(&value));
        out_done(&value);
    }
    out_text(o, SLICE(">\r\n"));
    sip_build_header(o, SIP_H_REFERRED_BY, c->dialog.local);
    out_text(o, headers);
    return phone_request_send(c, (slice){ 0 }, (slice){ 0 });
}

/* ---- being told ---- */

static void got_notify(struct phone_call *c, struct server_transaction *s, const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_EVENT);
    struct sip_event event;
    slice line = m->body;
    uint32_t status;

    server_reply_plain(s, 200);
    if (!h || !sip_event_parse(h->value, &event) || !slice_eq_nocase(event.package, SLICE("refer")) ||
        !slice_starts_nocase(line, SLICE("SIP/2.0 ")))
        return;
    line = slice_skip(line, SLICE("SIP/2.0 ").len);
    if (slice_take_u32(&line, &status) && c->phone->owner.transferred)
        c->phone->owner.transferred(c->phone->owner.ctx, c, status);
}

/* ---- doing it ---- */

/* How the call goes that we were sent to, to who sent us. */
void phone_tell_referrer(struct phone_call *c, unsigned status)
{
    struct phone_call *to = c->referred_by;
    char line[64];
    slice phrase = code_phrase(status);
    int len = snprintf(line, sizeof line, "SIP/2.0 %u %.*s\r\n", status, (int)phrase.len, phrase.ptr);
    struct out *o = to && to->phase == PHONE_UP ? phone_request(to, SIP_NOTIFY) : NULL;

    if (status >= 200 && to) {
        to->refers = NULL;
        c->referred_by = NULL;
    }
    if (!o)
        return;
    out_text(o, SLICE("Event: refer\r\n"));
    out_text(o, status < 200 ? SLICE("Subscription-State: active;expires=180\r\n")
                             : SLICE("Subscription-State: terminated;reason=noresource\r\n"));
    (void)phone_request_send(to, SLICE("message/sipfrag;version=2.0"), slice_of(line, len > 0 ? (size_t)len : 0));
}

void phone_forget_referral(struct phone_call *c)
{
    if (c->refers)
        c->refers->referred_by = NULL;
    if (c->referred_by)
        c->referred_by->refers = NULL;
    c->refers = c->referred_by = NULL;
}

static struct phone_call *dial_there(struct phone_call *c, slice uri, slice replaces)
{
    struct phone_call *new;
    struct out headers;

    out_init_memory(&headers, 4096);
    sip_build_header(&headers, SIP_H_REFERRED_BY, c->dialog.remote);
    if (replaces.len)
        sip_build_header(&headers, SIP_H_REPLACES, replaces);
    new = headers.error ? NULL : phone_dial_with(c->phone, uri, c->how & PHONE_SESSION_ID, out_taken(&headers));
    out_done(&headers);
    return new;
}

static void got_refer(struct phone_call *c, struct server_transaction *s, const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_REFER_TO);
    char room[REPLACES_MAX];
    struct sip_name_addr addr;
    struct sip_uri uri;
    slice escaped = { 0 };

    if (!h || !sip_name_addr_parse(h->value, &addr) || !sip_uri_parse(addr.uri, &uri)) {
        server_reply_plain(s, 400);
        return;
    }
    if (c->refers || c->phase != PHONE_UP) {
        server_reply_plain(s, 491);
        return;
    }
    if (sip_uri_header_find(uri.headers, SLICE("Replaces"), &escaped))
        escaped = sip_unescape(escaped, room, sizeof room);
    if (uri.headers.len)
        addr.uri = slice_head(addr.uri, (size_t)(uri.headers.ptr - addr.uri.ptr) - 1);
    struct phone_call *new = dial_there(c, addr.uri, escaped);

    phone_reply(c, s, new ? 202 : 500);
    if (!new)
        return;
    c->refers = new;
    new->referred_by = c;
    phone_tell_referrer(new, 100);
    if (c->phone->owner.referred)
        c->phone->owner.referred(c->phone->owner.ctx, c, new);
}

bool phone_transfer_request(struct phone_call *c, struct server_transaction *s, const struct sip_message *m)
{
    if (m->method != SIP_REFER && m->method != SIP_NOTIFY)
        return false;
    if (m->method == SIP_REFER)
        got_refer(c, s, m);
    else
        got_notify(c, s, m);
    return true;
}

struct phone_call *phone_replaced_by(struct phone *p, const struct sip_message *m, unsigned *ret_status)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_REPLACES);
    struct sip_replaces name;
    struct phone_call *c;

    *ret_status = 0;
    if (!h)
        return NULL;
    if (!sip_replaces_parse(h->value, &name)) {
        *ret_status = 400;
        return NULL;
    }
    c = phone_find_dialog(p, name.call_id, name.to_tag, name.from_tag);
    *ret_status = !c ? 481 : c->phase == PHONE_OVER ? 603 : c->phase == PHONE_SETUP ? 481 : name.early_only ? 486 : 0;
    return *ret_status ? NULL : c;
}
