/* switch/b2bua_codecs.c - offers with the codecs that are allowed, and no others
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/sdp.h"
#include "switch/b2bua_int.h"

/* 305: the format is known, and not allowed (RFC 3261, 20.43). */
slice codecs_warning(void) { return SLICE("Warning: 305 signalbox \"None of the audio codecs offered is allowed here\"\r\n"); }

/* The SDP may be one of several parts. Without memory, or when it gets too long, it counts as
 * nothing left. */
bool codecs_filter(struct b2bua *b, const struct branch *to, struct sip_message *m)
{
    struct sdp_codecs also = to && to->gateway && b->router.codecs ? b->router.codecs(b->router.ctx, to->trunk) : (struct sdp_codecs){ 0 };
    struct out *o = &b->offer;
    slice sdp, body = m->body;

    if ((!b->settings.codecs.count && !also.count) || !sip_sdp_of(m, &sdp))
        return true;
    out_clear(o);
    out_text(o, slice_head(body, (size_t)(sdp.ptr - body.ptr)));
    switch (sdp_codecs_filter(sdp, &b->settings.codecs, &also, o)) {
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

void codecs_refuse(struct server_transaction *s)
{
    out_text(server_reply(s, 488, (slice){ 0 }), codecs_warning());
    server_reply_send(s, (slice){ 0 }, (slice){ 0 });
}
