/* lab/phone_register.c - REGISTER, and credentials for whoever asks (RFC 3261, 10 and 22; RFC 7616)
 * SPDX-License-Identifier: Apache-2.0 */
#include "lab/phone_int.h"
#include "sip/auth.h"
#include "sip/build.h"
#include "sip/digest.h"
#include "sip/uri.h"
#include "sip/values.h"

enum { CHALLENGES_MAX = 3 };

/* ---- credentials ---- */

static void put_quoted(struct out *o, const char *name, slice value)
{
    out_text(o, slice_of_string(name));
    out_text(o, SLICE("=\""));
    sip_build_text(o, value);
    out_char(o, '"');
}

static bool best_challenge(const struct sip_message *m, enum sip_header_id id, struct sip_auth *ret,
                           enum digest_algorithm *ret_algorithm)
{
    bool any = false;

    for (const struct sip_header *h = sip_header_find(m, id); h; h = sip_header_next(m, h)) {
        slice rest = h->value;
        struct sip_auth auth;
        enum digest_algorithm algorithm;

        while (sip_auth_next(&rest, &auth))               /* the first that we can do: their order counts */
            if (!any && slice_eq_nocase(auth.scheme, SLICE("Digest")) &&
                digest_algorithm_find(auth.algorithm, &algorithm)) {
                *ret = auth;
                *ret_algorithm = algorithm;
                any = true;
            }
    }
    return any;
}

slice phone_credentials(struct phone *p, struct arena *arena, const struct sip_message *m, slice method, slice uri)
{
    bool proxy = m->status == 407;
    struct sip_auth auth;
    enum digest_algorithm algorithm = DIGEST_MD5;
    struct digest_text ha1, response;
    slice user = p->settings.auth_name.len ? p->settings.auth_name : p->settings.user;
    char cnonce[ENDPOINT_TOKEN_LEN + 1];
    struct out o;
    slice kept = { 0 };

    if (!p->settings.password.ptr ||
        !best_challenge(m, proxy ? SIP_H_PROXY_AUTHENTICATE : SIP_H_WWW_AUTHENTICATE, &auth, &algorithm))
        return kept;
    endpoint_token(p->endpoint, cnonce);
    struct digest_asked asked = { .method = method, .uri = uri, .nonce = auth.nonce, .cnonce = slice_of_string(cnonce),
                                  .qop = sip_auth_offers(&auth, SLICE("auth")) ? SLICE("auth") : (slice){ 0 }, .nc = 1 };

    digest_ha1(p->digest, algorithm, user, auth.realm, p->settings.password, &ha1);
    digest_response(p->digest, algorithm, &ha1, &asked, &response);
    out_init_memory(&o, 8192);
    out_text(&o, proxy ? SLICE("Proxy-Authorization: Digest ") : SLICE("Authorization: Digest "));
    put_quoted(&o, "username", user);
    put_quoted(&o, ", realm", auth.realm);
    put_quoted(&o, ", nonce", auth.nonce);
    put_quoted(&o, ", uri", uri);
    put_quoted(&o, ", response", slice_of(response.text, response.len));
    out_text(&o, SLICE(", algorithm="));
    out_text(&o, digest_algorithm_name(algorithm));
    if (asked.qop.len) {
        out_text(&o, SLICE(", qop=auth, nc=00000001"));
        put_quoted(&o, ", cnonce", asked.cnonce);
    }
    if (auth.opaque.ptr)
        put_quoted(&o, ", opaque", auth.opaque);
    out_text(&o, SLICE("\r\n"));
    if (!o.error)
        kept = arena_slice(arena, out_taken(&o));
    out_done(&o);
    return kept;
}

/* ---- REGISTER ---- */

static void contact(struct out *o, const struct phone *p)
{
    static const char *const transports[WIRE_TRANSPORTS] = { [WIRE_TCP] = ";transport=tcp", [WIRE_TLS] = ";transport=tls",
                                                             [WIRE_WS] = ";transport=ws", [WIRE_WSS] = ";transport=wss" };
    char text[ADDRESS_TEXT_MAX];
    const struct hop *hop = &p->settings.server;

    out_text(o, SLICE("Contact: <sip:"));
    sip_build_text(o, p->settings.user);
    out_char(o, '@');
    out_text(o, slice_of(text, address_format(&hop->local, text)));
    out_text(o, slice_of_string(transports[hop->transport]));
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
        slice credentials = phone_credentials(p, &p->arena, m, SLICE("REGISTER"), p->registration.target);

        if (credentials.len && send(p, credentials))
            return;
    }
    if (h)
        (void)sip_contact_next(&rest, &granted);
    if (p->owner.registered)
        p->owner.registered(p->owner.ctx, p, m ? m->status : 0, granted.has_expires ? granted.expires_s : 0);
}
