/* lab/phone_register.c - REGISTER, and credentials for whoever asks (RFC 3261, 10 and 22)
 * SPDX-License-Identifier: Apache-2.0 */
#include "lab/phone_int.h"
#include "sip/build.h"
#include "sip/credentials.h"
#include "sip/values.h"

enum { CHALLENGES_MAX = 3 };

/* ---- credentials ---- */

slice phone_credentials(struct phone *p, struct arena *arena, const struct sip_message *m, slice method, slice uri)
{
    char cnonce[ENDPOINT_TOKEN_LEN + 1] = "";
    struct sip_credentials who = { p->settings.auth_name.len ? p->settings.auth_name : p->settings.user,
                                   p->settings.password, method, uri, (slice){ 0 }, slice_of(cnonce, ENDPOINT_TOKEN_LEN) };
    struct out o;
    slice kept = { 0 };

    if (!p->settings.password.ptr)
        return kept;
    endpoint_token(p->endpoint, cnonce);
    out_init_memory(&o, 16384);
    if (sip_credentials_write(&o, p->digest, m, &who) && !o.error)
        kept = arena_slice(arena, out_taken(&o));
    out_done(&o);
    return kept;
}

/* ---- REGISTER ---- */

static void contact(struct out *o, const struct phone *p)
{
    char text[ADDRESS_TEXT_MAX];
    const struct hop *hop = &p->settings.server;

    out_text(o, SLICE("Contact: <sip:"));
    sip_build_text(o, p->settings.user);
    out_char(o, '@');
    out_text(o, slice_of(text, address_format(&hop->local, text)));
    out_text(o, wire_transport_param((enum wire_transport)hop->transport));
    out_char(o, '>');
    sip_build_text(o, p->settings.contact_params);
    out_text(o, SLICE("\r\n"));
}

static bool send(struct phone *p, slice credentials)
{
    struct dialog *d = &p->registration;
    struct out *o = dialog_request(p->endpoint, d, SIP_REGISTER, (slice){ 0 });

    if (!o)
        return false;
    contact(o, p);
    sip_build_header_u32(o, SIP_H_EXPIRES, p->expires_s);
    sip_build_header(o, SIP_H_SUPPORTED, SLICE("path"));
    sip_build_header(o, SIP_H_USER_AGENT, p->settings.agent.len ? p->settings.agent : SLICE("Signalbox-Lab"));
    out_text(o, credentials);
    return client_request_send(p->endpoint, (slice){ 0 }, (slice){ 0 }, p) != NULL;
}

bool phone_register(struct phone *p, uint32_t expires_s)
{
    p->expires_s = expires_s;
    p->challenges = 0;
    return send(p, (slice){ 0 });
}

void phone_registered(struct phone *p, const struct sip_message *m)
{
    const struct sip_header *h = m ? sip_header_find(m, SIP_H_CONTACT) : NULL;
    slice rest = h ? h->value : (slice){ 0 };
    struct sip_contact granted = { 0 };

    if (m && m->status < 200)
        return;
    if (m && (m->status == 401 || m->status == 407) && p->challenges++ < CHALLENGES_MAX) {
        struct arena arena = { 0 };                       /* a phone may register for years */
        slice credentials = phone_credentials(p, &arena, m, SLICE("REGISTER"), p->registration.target);
        bool sent = credentials.len && send(p, credentials);

        arena_done(&arena);
        if (sent)
            return;
    }
    if (h)
        (void)sip_contact_next(&rest, &granted);
    if (p->owner.registered)
        p->owner.registered(p->owner.ctx, p, m ? m->status : 0, granted.has_expires ? granted.expires_s : 0);
}
