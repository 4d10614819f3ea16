/* switch/b2bua_codecs.c - offers with the codecs that are allowed, and no others
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/sdp.h"
#include "switch/b2bua_int.h"

/* 305: the format is known, and not allowed (RFC 3261, 20.43). */
slice codecs_warning(void) { return SLICE("Warning: 305 signalbox \"None of the audio codecs offered is allowed here\"\r\n"); }

/* The SDP may be one of several parts. Without memory, or when it gets too long, it counts as
 * nothing left. */
static bool filter(struct b2bua *b, const struct sdp_codecs *also, struct sip_message *m)
{
    struct out *o = &b->offer;
    slice sdp, body = m->body;

    if ((!b->settings.codecs.count && !also->count) || !sip_sdp_of(m, &sdp))
        return true;
    out_clear(o);
    out_text(o, slice_head(body, (size_t)(sdp.ptr - body.ptr)));
    switch (sdp_codecs_filter(sdp, &b->settings.codecs, also, o)) {
    case SDP_CODECS_SAME:
        return true;
    case SDP_CODECS_NONE:
        return false;
    case SDP_CODECS_CHANGED:
        break;
    }
    out_text(o, slice_skip(body, (size_t)(sdp.ptr + sdp.len - body.ptr)));
    m->body = out_taken(o);
    return !o->error;
}

static struct sdp_codecs codecs_of(struct b2bua *b, bool gateway, uint16_t trunk)
{
    return gateway && b->router.codecs ? b->router.codecs(b->router.ctx, trunk) : (struct sdp_codecs){ 0 };
}

bool codecs_filter(struct b2bua *b, const struct branch *to, struct sip_message *m)
{
    struct sdp_codecs also = codecs_of(b, to && to->gateway, to ? to->trunk : 0);

    return filter(b, &also, m);
}

bool codecs_filter_to(const struct leg *to, struct sip_message *m)
{
    struct b2bua *b = to->call->b2bua;
    struct sdp_codecs also = to->branch ? codecs_of(b, to->branch->gateway, to->branch->trunk)
                                        : codecs_of(b, to->call->by_gateway, to->call->caller_trunk);

    return filter(b, &also, m);
}

bool codecs_are_late(const struct b2bua_call *c, const struct branch *branch, const struct sip_message *m)
{
    return !c->had_offer && c->phase == CALL_SETUP && !c->cancelled && !branch->over && m->status > 100 && m->status < 300 &&
           headers_have_offer(m);
}

void codecs_refuse(struct server_transaction *s)
{
    out_text(server_reply(s, 488, (slice){ 0 }), codecs_warning());
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
}
