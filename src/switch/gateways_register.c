/* switch/gateways_register.c - our account at a gateway: REGISTER and its answers (RFC 3261, 10.2)
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/gateways_int.h"

#include "sip/build.h"
#include "sip/credentials.h"
#include "sip/uri.h"
#include "sip/values.h"

enum { CHALLENGES_MAX = 3, EXPIRES_MAX_S = 30 * 24 * 3600, FAILURES_MAX = 16 };
static const int64_t retry_first_ns = 30 * SECOND_NS, retry_longest_ns = 1800 * SECOND_NS, retry_after_max_ns = 3600 * SECOND_NS;

static void put_contact(const struct gateways *g, struct out *o, const struct gateway *w, const struct hop *hop)
{
    char text[ADDRESS_TEXT_MAX];

    out_text(o, SLICE("Contact: <sip:"));
    sip_build_text(o, w->config->user);
    out_char(o, '@');
    out_text(o, endpoint_local(g->endpoint, hop, text));
    out_text(o, wire_transport_param((enum wire_transport)hop->transport));
    out_text(o, SLICE(">\r\n"));
}

static bool send_register(struct gateways *g, struct gateway *w, const struct hop *hop, slice credentials)
{
    struct out *o;

    out_clear(&g->scratch);
    gateways_put_account(&g->scratch, w->config, (slice){ 0 });
    o = client_request(g->endpoint, hop, SIP_REGISTER, (slice){ 0 }, out_taken(&g->scratch));
    if (!o)
        return false;
    sip_build_header(o, SIP_H_MAX_FORWARDS, SLICE("70"));
    out_text(o, SLICE("From: <"));
    gateway_put_account(o, w->config);
    out_text(o, SLICE(">;tag="));
    out_text(o, slice_of_string(w->tag));
    out_text(o, SLICE("\r\nTo: <"));
    gateway_put_account(o, w->config);
    out_text(o, SLICE(">\r\n"));
    sip_build_header(o, SIP_H_CALL_ID, slice_of_string(w->call_id));
    sip_build_cseq(o, ++w->cseq, SLICE("REGISTER"));
    put_contact(g, o, w, client_request_hop(g->endpoint));
    sip_build_header_u32(o, SIP_H_EXPIRES, w->leaving ? 0 : w->wanted_s);
    w->leave_sent = w->leaving;
    out_text(o, credentials);
    g->counts.registers++;
    return gateway_send(g, w, TASK_REGISTER, o);
}

/* Later, and later each time; some of it by chance, so that thousands do not come together. */
static void try_later(struct gateways *g, struct gateway *w, int64_t after_ns)
{
    int64_t wait_ns = retry_first_ns << (w->failures < 7 ? w->failures : 7);

    wait_ns = wait_ns < retry_longest_ns ? wait_ns : retry_longest_ns;
    wait_ns = wait_ns / 2 + (int64_t)(gateways_random(g) % 1000) * (wait_ns / 2000);
    if (after_ns > retry_after_max_ns)
        after_ns = retry_after_max_ns;
    if (w->failures < FAILURES_MAX)
        w->failures++;
    g->counts.register_failures++;
    if (!w->leaving)
        gateway_set_clock(g, w, TASK_REGISTER, after_ns > wait_ns ? after_ns : wait_ns);
}

void gateway_register(struct gateways *g, struct gateway *w)
{
    struct hop hop;

    if (w->asks[TASK_REGISTER].client)
        return;
    w->challenges = 0;
    w->raised = false;
    if (!gateway_hop(g, w, &hop) || !send_register(g, w, &hop, (slice){ 0 }))
        try_later(g, w, 0);
}

/* A REGISTER under way is waited for: when it is granted, got_200 takes that back. */
void gateway_leave(struct gateways *g, struct gateway *w)
{
    for (int task = 0; task < TASKS; task++)
        wheel_clear(&g->wheel, &w->clocks[task].timer);
    w->leaving = true;
    if (w->until_ns > gateways_now(g))
        gateway_register(g, w);
}

void gateways_leave_all(struct gateways *g)
{
    for (size_t i = 0; i < g->count; i++)
        gateway_leave(g, &g->list[i]);
}

/* ---- the answer ---- */

/* That of our Contact; who does not tell has granted what was asked (10.2.1.1). */
static uint32_t granted_s(const struct gateways *g, const struct gateway *w, const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_EXPIRES);
    struct sip_values all = sip_values_of(m, SIP_H_CONTACT);
    uint32_t granted = w->wanted_s, of_header;
    char room[ADDRESS_TEXT_MAX];
    slice ours = endpoint_local(g->endpoint, &w->asks[TASK_REGISTER].hop, room), value;

    if (h && sip_seconds_parse(h->value, &of_header))
        granted = of_header;
    while (sip_values_next(&all, &value)) {
        struct sip_contact contact;
        slice rest = value;

        if (sip_contact_next(&rest, &contact) && !contact.star && contact.has_expires &&
            slice_find(contact.addr.uri, ours) >= 0 && slice_eq(sip_uri_user(contact.addr.uri), w->config->user))
            return contact.expires_s;
    }
    return granted;
}

static void got_200(struct gateways *g, struct gateway *w, const struct sip_message *m)
{
    int64_t granted_ns = (int64_t)granted_s(g, w, m) * SECOND_NS;
    const struct hop *hop = &w->asks[TASK_REGISTER].hop;

    deadlist_succeeded(g->deadlist, &hop->remote, hop->transport);
    if (w->leaving) {
        w->until_ns = 0;
        if (!w->leave_sent)                               /* it was about to register when it had to go */
            gateway_register(g, w);
        return;
    }
    if (granted_ns <= 0) {                                /* 200, and yet not registered */
        w->until_ns = 0;
        try_later(g, w, 0);
        return;
    }
    if (granted_ns > EXPIRES_MAX_S * SECOND_NS)
        granted_ns = EXPIRES_MAX_S * SECOND_NS;
    g->counts.registered++;
    w->failures = 0;
    w->until_ns = gateways_now(g) + granted_ns;
    int64_t refresh_ns = granted_ns / 1000 * (int64_t)(750 + gateways_random(g) % 150);

    gateway_set_clock(g, w, TASK_REGISTER, refresh_ns > SECOND_NS ? refresh_ns : SECOND_NS);
}

/* True: it goes on with this attempt. A second challenge that is not about an old nonce means
 * that user or password is wrong. */
static bool answer_challenge(struct gateways *g, struct gateway *w, struct client_transaction *c, const struct sip_message *m)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message asked;
    struct client_transaction *again = NULL;

    if (w->challenges++ >= CHALLENGES_MAX || (w->challenges > 1 && !sip_challenge_is_stale(m)))
        return false;
    out_clear(&g->scratch);
    if (client_request_of(c, room, ARRAY_LEN(room), &asked) && gateways_credentials(g, w->index, m, &asked, &g->scratch) &&
        !g->scratch.error)
        again = client_request_again(c, w->cseq + 1, out_taken(&g->scratch));
    if (!again)
        return false;
    w->cseq++;
    w->asks[TASK_REGISTER].client = again;
    g->counts.registers++;
    return true;
}

/* 423 says how long it has to be (10.2.8). */
static bool ask_for_longer(struct gateways *g, struct gateway *w, const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_MIN_EXPIRES);
    uint32_t min_s;

    if (w->leaving || w->raised || !h || !sip_seconds_parse(h->value, &min_s) || min_s <= w->wanted_s || min_s > EXPIRES_MAX_S)
        return false;
    w->wanted_s = min_s;
    w->raised = true;
    w->challenges = 0;
    return send_register(g, w, &w->asks[TASK_REGISTER].hop, (slice){ 0 });
}

static bool nobody_there(const struct sip_message *m) { return !m || m->status == 408 || m->status == 503; }

void gateway_registered(struct gateways *g, struct gateway *w, struct client_transaction *c, const struct sip_message *m)
{
    struct gateway_ask *ask = &w->asks[TASK_REGISTER];
    int64_t after_ns = m ? gateway_retry_after_ns(m) : 0;

    w->status = m ? m->status : 0;
    if (m && (m->status == 401 || m->status == 407) && answer_challenge(g, w, c, m))
        return;
    client_set_owner(c, NULL);
    ask->client = NULL;
    if (m && m->status < 300) {
        got_200(g, w, m);
        return;
    }
    if (m && m->status == 423 && ask_for_longer(g, w, m))
        return;
    if (nobody_there(m) && gateway_hop_failed(g, w, &ask->hop, after_ns) && !w->leaving) {
        gateway_set_clock(g, w, TASK_REGISTER, SECOND_NS);                /* at another hop */
        return;
    }
    if (m && m->status != 408 && m->status < 500)         /* it has told us that we are not */
        w->until_ns = 0;
    try_later(g, w, after_ns);
}
