/* tests/harness/switch_rig.h - a switch between two peers that say whatever they are told to.
 * SPDX-License-Identifier: Apache-2.0
 *
 * No phones: requests and answers are written here from what the switch sent last, right or
 * wrong as asked. Nothing is allocated here, so TORTURE counts only what the switch allocates.
 *
 *     struct rig r;
 *     if (rig_begin(&r, 8)) {
 *         rig_request(&r, RIG_A, "INVITE", &(struct rig_how){ .sdp = true });
 *         rig_answer(&r, RIG_B, 0, 200, &(struct rig_how){ .sdp = true });
 *     }
 *     rig_end(&r);       // lets all timers run; r.left is what should not be there any more */
#ifndef TESTS_HARNESS_SWITCH_RIG_H
#define TESTS_HARNESS_SWITCH_RIG_H

#include <stdio.h>

#include "switch/b2bua.h"

enum rig_side { RIG_A, RIG_B, RIG_SIDES };
enum { RIG_KEPT = 8, RIG_TEXT_MAX = 4096 };
#define RIG_START_NS (1795251000ll * 1000000000)

/* How a message differs from the plain one. */
struct rig_how {
    const char *extra;               /* whole header lines */
    const char *supported;           /* of requests; NULL: 100rel */
    const char *body;                /* SDP; NULL: as `sdp` says */
    const char *contact;             /* NULL: the usual one */
    unsigned    tag;                 /* of B's answers, and of B's requests */
    unsigned    branch;              /* 0: a new one */
    uint32_t    cseq;                /* 0: the next one */
    uint32_t    rseq;                /* 0: not reliable */
    unsigned    nth;                 /* of requests: in B's dialog of so many requests ago; A's Call-ID: 0: a-call, 1: a-call1 */
    bool        sdp, wrong_tag;
};

struct rig {
    struct endpoint *endpoint;
    struct b2bua    *b2bua;
    int64_t          now_ns;
    struct { char text[RIG_TEXT_MAX]; size_t len; } asked[RIG_SIDES][RIG_KEPT];   /* requests of the switch, newest first */
    unsigned         asked_count[RIG_SIDES];
    char             said[RIG_SIDES][RIG_TEXT_MAX];       /* the last answer of the switch, and all its codes to A in order */
    unsigned         codes[16], code_count;
    char             a_to_tag[64];   /* the switch's, of leg a */
    uint32_t         a_rseq, cseq[RIG_SIDES];
    unsigned         branches, sent, last_status[RIG_SIDES], lose, forks, joined, joined_well;
    char             referrer[32];   /* whose rights were asked for last */
    char             joined_names[256];                   /* the last two: Call-ID and tag of each */
    bool             in_order, forwards, gateways, a_trusted, b_trusted, a_hides;
    bool             has_password;   /* for the challenges of gateways */
    unsigned         rooms;          /* that gateways gave and did not get back */
    unsigned         taker_status;   /* what the router says to an INVITE with Replaces */
    int64_t          patience_ns, no_answer_ns;           /* of the gateways; of the phones, 0: 20 s */
    char             routed[64];     /* the last question: what is called, */
    unsigned         routed_flags;   /* by whose rights */
    uint8_t          reliable[RIG_SIDES];                 /* 1 + enum b2bua_reliable of a side that is a gateway; 0: it is none */
    size_t           left;           /* after rig_end */
};

static inline struct address rig_at(enum rig_side side) { return (struct address){ .ip = { 10, 0, 0, side == RIG_A ? 1 : 2 }, .port = 5060, .family = 4 }; }
static inline struct address rig_switch(void) { return (struct address){ .ip = { 10, 0, 0, 9 }, .port = 5060, .family = 4 }; }

static inline int rig_sent(void *ctx, struct hop *to, slice bytes)
{
    struct rig *r = ctx;
    static struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    enum rig_side side = to->remote.ip[3] == 1 ? RIG_A : RIG_B;

    r->sent++;
    if (r->lose && r->lose--)
        return r->lose & 1 ? -111 : 0;
    if (bytes.len >= RIG_TEXT_MAX || sip_message_parse(bytes, SIP_DATAGRAM, room, SIP_HEADERS_MAX, &m) <= 0)
        return 0;
    if (m.is_request) {
        for (unsigned i = RIG_KEPT - 1; i > 0; i--) {
            memcpy(r->asked[side][i].text, r->asked[side][i - 1].text, r->asked[side][i - 1].len + 1);
            r->asked[side][i].len = r->asked[side][i - 1].len;
        }
        memcpy(r->asked[side][0].text, bytes.ptr, bytes.len);
        r->asked[side][0].text[bytes.len] = '\0';
        r->asked[side][0].len = bytes.len;
        r->asked_count[side] += r->asked_count[side] < RIG_KEPT;
        return 0;
    }
    r->last_status[side] = m.status;
    memcpy(r->said[side], bytes.ptr, bytes.len);
    r->said[side][bytes.len] = '\0';
    if (side == RIG_A && r->code_count < 16)
        r->codes[r->code_count++] = m.status;
    const struct sip_header *rseq = sip_header_find(&m, SIP_H_RSEQ);

    if (side == RIG_A && m.method == SIP_INVITE && m.to.tag.len)
        snprintf(r->a_to_tag, sizeof r->a_to_tag, SLICE_FMT, SLICE_ARG(m.to.tag));
    if (side == RIG_A && rseq)
        (void)slice_to_u32(rseq->value, &r->a_rseq);
    return 0;
}

static inline void rig_route(void *ctx, const struct route_question *q, struct route *ret)
{
    struct rig *r = ctx;

    if (q->referrer)
        snprintf(r->referrer, sizeof r->referrer, SLICE_FMT, SLICE_ARG(q->referrer->user));
    snprintf(r->routed, sizeof r->routed, SLICE_FMT, SLICE_ARG(q->uri));
    r->routed_flags = q->forwarder_flags;
    if (strstr(r->routed, "@elsewhere")) {
        ret->status = 404;
        return;
    }
    for (unsigned i = 0; i <= r->forks; i++)
        ret->targets[ret->target_count++] = (struct route_target){ .uri = SLICE("sip:bob@10.0.0.2"), .order = (uint16_t)(r->in_order ? i : 0),
                                                                   .gateway = r->gateways, .trusted = r->b_trusted, .patience_ns = r->patience_ns,
                                                                   .hop = { .local = rig_switch(), .remote = rig_at(RIG_B) } };
    for (unsigned i = 0; r->reliable[RIG_B] && i < ret->target_count; i++) {
        ret->targets[i].gateway = true;
        ret->targets[i].reliable = (uint8_t)(r->reliable[RIG_B] - 1);
    }
    ret->called = strstr(r->routed, "carol") ? SLICE("carol@x") : strstr(r->routed, "dave") ? SLICE("dave@x") : SLICE("bob@x");
    ret->caller = SLICE("alice@x");
    ret->caller_trusted = r->a_trusted;
    ret->caller_hides = r->a_hides;
    ret->flags = USER_TELL_FORWARDED;
    ret->no_answer_ns = r->no_answer_ns ? r->no_answer_ns : 20 * 1000000000ll;
    if (r->forwards)
        ret->forward[USER_FORWARD_BUSY] = ret->forward[USER_FORWARD_NO_ANSWER] = SLICE("sip:carol@10.0.0.9");
}

static inline uint8_t rig_reliable(void *ctx, uint8_t usual)
{
    const struct rig *r = ctx;

    return r->reliable[RIG_A] ? (uint8_t)(r->reliable[RIG_A] - 1) : usual;
}

static inline bool rig_take(void *ctx, const struct route_target *target)
{
    (void)target;
    ((struct rig *)ctx)->rooms++;
    return true;
}

static inline void rig_leave(void *ctx, uint16_t trunk)
{
    (void)trunk;
    ((struct rig *)ctx)->rooms--;
}

static inline void rig_taker(void *ctx, const struct route_question *q, struct route *ret)
{
    (void)q;
    ret->status = ((const struct rig *)ctx)->taker_status;
    ret->caller = SLICE("alice@x");
}

static inline bool rig_credentials(void *ctx, uint16_t trunk, const struct sip_message *challenge, const struct sip_message *request,
                                   struct out *o)
{
    (void)trunk, (void)challenge, (void)request;
    out_text(o, SLICE("Authorization: Digest response=\"x\"\r\n"));
    return ((const struct rig *)ctx)->has_password;
}

#define RIG_B2BUA(ctx) (((struct rig *)(ctx))->b2bua)
static inline void rig_on_request(void *ctx, struct server_transaction *s, const struct sip_message *m, const struct hop *from)
{
    if (m->to.tag.len || m->method == SIP_INVITE)
        b2bua_request(RIG_B2BUA(ctx), s, m, from);
    else
        server_reply_plain(s, 405);
}
static inline void rig_on_cancel(void *ctx, struct server_transaction *s, const struct sip_message *m) { b2bua_cancelled(RIG_B2BUA(ctx), s, m); }
static inline void rig_on_ack(void *ctx, const struct sip_message *m, const struct hop *from) { b2bua_acknowledged(RIG_B2BUA(ctx), m, from); }
static inline void rig_on_response(void *ctx, struct client_transaction *c, const struct sip_message *m, const struct hop *from) { (void)b2bua_response(RIG_B2BUA(ctx), c, m, from); }
static inline void rig_on_failed(void *ctx, struct client_transaction *c, enum endpoint_failure why) { (void)b2bua_failed(RIG_B2BUA(ctx), c, why); }
static inline void rig_on_server_ended(void *ctx, struct server_transaction *s) { b2bua_server_ended(RIG_B2BUA(ctx), s); }
static inline void rig_on_client_ended(void *ctx, struct client_transaction *c) { b2bua_client_ended(RIG_B2BUA(ctx), c); }

static inline void rig_joined(void *ctx, const struct b2bua_leg_name *first, const struct b2bua_leg_name *further)
{
    struct rig *r = ctx;

    r->joined++;
    r->joined_well += first->call_id.len && first->caller_tag.len && further->call_id.len && further->caller_tag.len &&
                      !slice_eq(first->call_id, further->call_id);
    snprintf(r->joined_names, sizeof r->joined_names, SLICE_FMT " " SLICE_FMT " " SLICE_FMT " " SLICE_FMT, SLICE_ARG(first->call_id),
             SLICE_ARG(first->caller_tag), SLICE_ARG(further->call_id), SLICE_ARG(further->caller_tag));
}

/* False: no memory. rig_end all the same. */
static inline bool rig_begin_with(struct rig *r, uint32_t transactions_max, const struct b2bua_settings *settings)
{
    struct transaction_times times = { 500000000ll, 4000000000ll, 5000000000ll, 32000000000ll, 200000000ll };
    struct endpoint_settings es = { .times = times, .seed = { 1, 2 }, .worker = 1, .transactions_max = transactions_max };
    struct b2bua_settings bs = *settings;
    struct endpoint_user user = { r, rig_on_request, rig_on_cancel, rig_on_ack, rig_on_response, rig_on_failed,
                                  rig_on_server_ended, rig_on_client_ended, NULL, NULL };
    struct hop_sender sender = { .ctx = r, .send = rig_sent };
    struct router router = { .ctx = r, .route = rig_route, .reliable = rig_reliable, .taker = rig_taker, .take = rig_take,
                             .leave = rig_leave, .credentials = rig_credentials };

    bs.seed = (struct hash_seed){ 3, 4 };
    bs.calls_max = 4;
    bs.observer = (struct b2bua_observer){ r, rig_joined };
    memset(r, 0, sizeof *r);
    r->now_ns = RIG_START_NS;
    r->endpoint = endpoint_new(&es, &sender, &user, r->now_ns);
    r->b2bua = r->endpoint ? b2bua_new(&bs, r->endpoint, &router, r->now_ns) : NULL;
    return r->b2bua != NULL;
}

static inline bool rig_begin(struct rig *r, uint32_t transactions_max)
{
    return rig_begin_with(r, transactions_max, &(struct b2bua_settings){ .duration_max_ns = 600 * 1000000000ll });
}

static inline bool rig_begin_as(struct rig *r, enum b2bua_transfer transfer)
{
    return rig_begin_with(r, 0, &(struct b2bua_settings){ .duration_max_ns = 600 * 1000000000ll, .transfer = transfer });
}

static inline void rig_receive(struct rig *r, enum rig_side side, slice text)
{
    static struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    struct hop hop = { .local = rig_switch(), .remote = rig_at(side) };

    if (sip_message_parse(text, SIP_DATAGRAM, room, SIP_HEADERS_MAX, &m) <= 0)
        return;
    if (m.is_request && (!m.via_count || !m.from.tag.len || !m.call_id.len || !m.cseq.number))
        return;
    endpoint_receive(r->endpoint, &hop, &m, r->now_ns);
}

/* Lets so much time pass, each timer in its turn. */
static inline void rig_wait(struct rig *r, int64_t ns)
{
    int64_t end_ns = r->now_ns + ns;

    for (;;) {
        int64_t a = endpoint_next_ns(r->endpoint), b = b2bua_next_ns(r->b2bua), next_ns = a < b ? a : b;

        if (next_ns > end_ns)
            break;
        r->now_ns = next_ns > r->now_ns ? next_ns : r->now_ns;
        endpoint_time(r->endpoint, r->now_ns);
        b2bua_time(r->b2bua, r->now_ns);
    }
    r->now_ns = end_ns;
    endpoint_time(r->endpoint, r->now_ns);
    b2bua_time(r->b2bua, r->now_ns);
}

static inline int rig_body(char *text, size_t room, const struct rig_how *how)
{
    if (how->body)
        return snprintf(text, room, "%sContent-Type: application/sdp\r\nContent-Length: %u\r\n\r\n%s", how->extra ? how->extra : "",
                        (unsigned)strlen(how->body), how->body);
    return snprintf(text, room, "%s%s%s%s", how->extra ? how->extra : "", how->sdp ? "Content-Type: application/sdp\r\n" : "",
                    how->sdp ? "Content-Length: 34\r\n\r\n" : "Content-Length: 0\r\n\r\n",
                    how->sdp ? "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\n" : "");
}

/* The answer to the n-th newest request that the switch sent to that side. */
static inline void rig_answer(struct rig *r, enum rig_side side, unsigned nth, unsigned status, const struct rig_how *how)
{
    static struct sip_header room[SIP_HEADERS_MAX];
    static char text[RIG_TEXT_MAX * 2];
    struct sip_message m;
    char tag[32] = "";
    int len;

    if (nth >= r->asked_count[side] ||
        sip_message_parse(slice_of(r->asked[side][nth].text, r->asked[side][nth].len), SIP_DATAGRAM, room, SIP_HEADERS_MAX, &m) <= 0)
        return;
    slice via = sip_header_find(&m, SIP_H_VIA)->value, from = sip_header_find(&m, SIP_H_FROM)->value, to = sip_header_find(&m, SIP_H_TO)->value;

    if (!m.to.tag.len && status > 100)
        snprintf(tag, sizeof tag, ";tag=b%u", how->tag);
    len = snprintf(text, sizeof text,
                   "SIP/2.0 %u x\r\nVia: " SLICE_FMT "\r\nFrom: " SLICE_FMT "\r\nTo: " SLICE_FMT "%s\r\nCall-ID: " SLICE_FMT
                   "\r\nCSeq: %u " SLICE_FMT "\r\nContact: %s\r\n",
                   status, SLICE_ARG(via), SLICE_ARG(from), SLICE_ARG(to), tag, SLICE_ARG(m.call_id), m.cseq.number,
                   SLICE_ARG(m.method_text), how->contact ? how->contact : "<sip:bob@10.0.0.2>");
    if (how->rseq)
        len += snprintf(text + len, sizeof text - (size_t)len, "Require: 100rel\r\nRSeq: %u\r\n", how->rseq);
    len += rig_body(text + len, sizeof text - (size_t)len, how);
    if (len > 0 && (size_t)len < sizeof text)
        rig_receive(r, side, slice_of(text, (size_t)len));
}

/* A request of A's, or of B's within the dialog of the switch's n-th newest request to it. */
static inline void rig_request(struct rig *r, enum rig_side side, const char *method, const struct rig_how *how)
{
    static struct sip_header room[SIP_HEADERS_MAX];
    static char text[RIG_TEXT_MAX * 2];
    struct sip_message m = { 0 };
    bool hop_by_hop = strcmp(method, "CANCEL") == 0, is_ack = strcmp(method, "ACK") == 0;
    uint32_t cseq = how->cseq ? how->cseq : hop_by_hop || is_ack ? 1 : ++r->cseq[side];
    unsigned branch = how->branch ? how->branch : hop_by_hop ? 1 : ++r->branches;
    char from[256] = "<sip:alice@h>;tag=a", to[256] = "<sip:bob@h>", call_id[128] = "a-call";
    int len;

    if (side == RIG_B) {
        if (how->nth >= r->asked_count[RIG_B] ||
            sip_message_parse(slice_of(r->asked[RIG_B][how->nth].text, r->asked[RIG_B][how->nth].len), SIP_DATAGRAM, room,
                              SIP_HEADERS_MAX, &m) <= 0)
            return;
        snprintf(from, sizeof from, "<sip:bob@h>;tag=b%u", how->tag);
        snprintf(to, sizeof to, "<sip:alice@h>;tag=" SLICE_FMT, SLICE_ARG(m.from.tag));
        snprintf(call_id, sizeof call_id, SLICE_FMT, SLICE_ARG(m.call_id));
    } else {
        if (how->nth)
            snprintf(call_id, sizeof call_id, "a-call%u", how->nth);
        if (r->a_to_tag[0] && !hop_by_hop && (cseq > 1 || is_ack))
            snprintf(to, sizeof to, "<sip:bob@h>;tag=%s%s", r->a_to_tag, how->wrong_tag ? "x" : "");
    }
    len = snprintf(text, sizeof text,
                   "%s sip:bob@h SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.%d:5060;rport;branch=z9hG4bK%c%u\r\nMax-Forwards: 70\r\n"
                   "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\nContact: %s\r\nSupported: %s\r\n",
                   method, side + 1, 'a' + side, branch, from, to, call_id, cseq, method,
                   how->contact ? how->contact : side == RIG_A ? "<sip:alice@10.0.0.1>" : "<sip:bob@10.0.0.2>",
                   how->supported ? how->supported : "100rel");
    if (strcmp(method, "PRACK") == 0)
        len += snprintf(text + len, sizeof text - (size_t)len, "RAck: %u 1 INVITE\r\n", how->rseq ? how->rseq : r->a_rseq);
    len += rig_body(text + len, sizeof text - (size_t)len, how);
    if (len > 0 && (size_t)len < sizeof text)
        rig_receive(r, side, slice_of(text, (size_t)len));
}

/* The newest request of that method that the switch sent to that side, and its place; NULL: none. */
static inline const char *rig_asked(const struct rig *r, enum rig_side side, const char *method, unsigned *ret_nth)
{
    size_t len = strlen(method);

    for (unsigned i = 0; i < r->asked_count[side]; i++)
        if (strncmp(r->asked[side][i].text, method, len) == 0 && r->asked[side][i].text[len] == ' ') {
            if (ret_nth)
                *ret_nth = i;
            return r->asked[side][i].text;
        }
    return NULL;
}

/* Answers that one. */
static inline void rig_answer_to(struct rig *r, enum rig_side side, const char *method, unsigned status, const struct rig_how *how)
{
    unsigned nth;

    if (rig_asked(r, side, method, &nth))
        rig_answer(r, side, nth, status, how);
}

static inline bool rig_has(const char *message, const char *line) { return message && strstr(message, line) != NULL; }

static inline void rig_end(struct rig *r)
{
    if (r->b2bua) {
        for (int i = 0; i < 20; i++)
            rig_wait(r, 100 * 1000000000ll);
        r->left = b2bua_counts(r->b2bua)->live + b2bua_memory_bytes(r->b2bua) + endpoint_live(r->endpoint) + endpoint_memory_bytes(r->endpoint);
    }
    r->b2bua = b2bua_free(r->b2bua);
    r->endpoint = endpoint_free(r->endpoint);
}

#endif
