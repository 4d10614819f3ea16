/* lab/phone_session.c - the session timer of a phone's call (RFC 4028)
 * SPDX-License-Identifier: Apache-2.0
 *
 * It refreshes with an UPDATE without SDP when that is its part, and hangs up when the other side
 * had promised to and did not. */
#include "lab/phone_int.h"
#include "sip/build.h"
#include "sip/fields.h"
#include "sip/values.h"

enum { USUAL_S = 1800, FLOOR_S = 90 };
#define SECOND_NS 1000000000ll

static bool wish_of(const struct sip_message *m, struct sip_session_expires *ret)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_SESSION_EXPIRES);

    return h && sip_session_expires_parse(h->value, ret);
}

static void put(struct out *o, uint32_t interval_s, slice refresher)
{
    out_text(o, SLICE("Session-Expires: "));
    out_u64(o, interval_s);
    out_text(o, refresher);
    out_text(o, SLICE("\r\n"));
}

static void start(struct phone_call *c, uint32_t interval_s, bool refreshes)
{
    uint32_t before_s = interval_s / 3 < 32 ? interval_s / 3 : 32;
    int64_t now_ns = endpoint_now_ns(c->phone->endpoint);

    c->session_s = interval_s;
    c->refreshes = refreshes;
    if (interval_s)
        wheel_set(&c->phone->sessions, &c->session_timer,
                  now_ns + (refreshes ? (int64_t)interval_s * SECOND_NS / 2 : (int64_t)(interval_s - before_s) * SECOND_NS));
    else
        wheel_clear(&c->phone->sessions, &c->session_timer);
}

void phone_session_ask(struct out *o, const struct phone_call *c)
{
    const struct phone_settings *s = &c->phone->settings;

    if (!(c->how & PHONE_TIMER))
        return;
    if (c->session_s)
        put(o, c->session_s, c->refreshes ? SLICE(";refresher=uac") : SLICE(";refresher=uas"));
    else
        put(o, s->session_s ? s->session_s : USUAL_S, (slice){ 0 });
}

void phone_session_heard(struct phone_call *c, const struct sip_message *request)
{
    struct sip_session_expires wish;

    if (c->phone->settings.knows_timer && sip_values_have(request, SIP_H_SUPPORTED, SLICE("timer")))
        c->how |= PHONE_TIMER;
    c->session_s = 0;
    if (!(c->how & PHONE_TIMER) || !wish_of(request, &wish))
        return;
    c->session_s = wish.interval_s < FLOOR_S ? FLOOR_S : wish.interval_s;
    c->refreshes = wish.refresher == SIP_REFRESHER_UAS || (wish.refresher == SIP_REFRESHER_NONE && c->phone->settings.refreshes);
}

void phone_session_answer(struct out *o, struct phone_call *c)
{
    if (c->session_s) {
        sip_build_header(o, SIP_H_REQUIRE, SLICE("timer"));
        put(o, c->session_s, c->refreshes ? SLICE(";refresher=uas") : SLICE(";refresher=uac"));
    }
    start(c, c->session_s, c->refreshes);
}

void phone_session_answered(struct phone_call *c, const struct sip_message *answer)
{
    struct sip_session_expires said;

    if (c->phase != PHONE_UP)
        return;
    if (wish_of(answer, &said) && said.interval_s >= FLOOR_S)
        start(c, said.interval_s, said.refresher != SIP_REFRESHER_UAS);
    else
        start(c, 0, false);
}

void phone_session_due(struct phone_call *c)
{
    struct out *o;

    if (c->phase != PHONE_UP)
        return;
    if (!c->refreshes) {
        phone_hang_up(c);
        return;
    }
    o = phone_begin(c, SIP_UPDATE);
    if (o) {
        phone_session_ask(o, c);
        (void)phone_send_begun(c, (slice){ 0 }, (slice){ 0 });
    }
    start(c, c->session_s, true);
}
