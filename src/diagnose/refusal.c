/* diagnose/refusal.c - what a final code alone says, refined by what stands beside it.
 * SPDX-License-Identifier: Apache-2.0
 *
 * One row a meaning. Of the rows that fit, the one with the highest weight is taken: a row without a
 * condition is the plain meaning of its code, and a word, a Q.850 cause or the course of the call
 * before it makes another more likely (facts: RFC 3261 21, RFC 3398 8.2, RFC 3326, RFC 8606). */
#include "diagnose/rules.h"

enum {                               /* conditions, bits */
    IF_RANG      = 1u << 0,          /* some 18x before */
    IF_NOT_RANG  = 1u << 1,
    IF_USER      = 1u << 2,          /* the Reason's location is the user */
    IF_NETWORK   = 1u << 3,          /* the Reason's location is a network */
    IF_SWITCH    = 1u << 4,          /* a server or switch answered */
    IF_SLOW      = 1u << 5,          /* 4 s and more after the INVITE */
    IF_RETRY     = 1u << 6,          /* Retry-After */
    IF_ANONYMOUS = 1u << 8,
    IF_SENT_PASS = 1u << 9,          /* credentials were sent */
    IF_REPLACES  = 1u << 10,
    IF_DIVERTED  = 1u << 11,         /* five diversions and more */
    IF_NEW_PLACE = 1u << 12,         /* Contact names another address */
    IF_LATE_STOP = 1u << 15,         /* a server stopped the branch that rang */
    IF_BAD       = 1u << 16,         /* the INVITE breaks the grammar */
    IF_BY_21     = 1u << 17,         /* a product that says 603 for any rejection */
    IF_VAGUE     = 1u << 18,         /* a product that says this code when no other fits */
};

static const char *const says_busy_rule[] = { "disturb", "DND", NULL };
static const char *const says_unregistered[] = { "not registered", "unregistered", "not online", "offline",
    "no contact", "no registered", "not logged", "absent", "no bindings", "user not found in location", NULL };
static const char *const says_caller_unregistered[] = { "not registered", "unregistered", "register first",
    "please register", NULL };
static const char *const says_credit[] = { "balance", "credit", "fund", "prepaid", "payment", "money", NULL };
static const char *const says_limit[] = { "limit", "maximum", "exceeded", "concurrent", "simultaneous",
    "too many calls", "max calls", "capacity", "channels", NULL };
static const char *const says_barred[] = { "barred", "blocked", "not allowed", "prohibited", "restricted",
    "not permitted", "denied destination", "blacklist", "no permission", NULL };
static const char *const says_password[] = { "bad auth", "auth fail", "auth error", "authentic", "password",
    "credential", "digest", NULL };
static const char *const says_domain[] = { "domain", "relay", "not served", "not responsible", "not local", NULL };
static const char *const says_route[] = { "route", "no gateway", "destination unknown", "unknown prefix",
    "no dialplan", "no carrier", NULL };
static const char *const says_congestion[] = { "congest", "overload", "busy", "capacity", "too many", "rate",
    "throttl", NULL };
static const char *const says_spam[] = { "analytics", "spam", "robocall", "network blocked", "fraud", NULL };
static const char *const says_merged[] = { "merged", NULL };
static const char *const says_cseq[] = { "cseq", "out of order", "sequence", NULL };
static const char *const says_timeout[] = { "timeout", "time-out", "timed out", "time out", NULL };
static const char *const says_anonymous[] = { "anonym", "caller id", "callerid", "hidden", NULL };
static const char *const says_no_answer[] = { "no answer", "not answer", "no user responding", "no reply", NULL };
static const char *const says_precondition[] = { "precondition", "qos", "bearer", NULL };
static const char *const says_sdp[] = { "sdp", "session description", "media description", NULL };
static const char *const says_changed[] = { "number changed", "number has changed", "new number", NULL };
static const char *const says_loop[] = { "loop", NULL };
static const char *const says_sec[] = { "sec-agree", "security", NULL };

struct refusal {
    uint16_t status;                 /* 0: any */
    uint8_t  q850;                   /* 0: whatever it is */
    uint32_t when;
    const char *const *words;        /* in phrase, Reason text or Warning; NULL: any */
    uint16_t cause;
    uint8_t  certainty, weight;
};

#define SURE VERDICT_SURE
#define LIKELY VERDICT_LIKELY
#define POSSIBLE VERDICT_POSSIBLE

static const struct refusal rows[] = {
    /* What is said in words. */
    { 403, 0, 0, says_credit, CAUSE_PAYMENT_REQUIRED, LIKELY, 40 },
    { 480, 0, 0, says_credit, CAUSE_PAYMENT_REQUIRED, LIKELY, 40 },
    { 503, 0, 0, says_credit, CAUSE_PAYMENT_REQUIRED, LIKELY, 40 },
    { 603, 0, 0, says_credit, CAUSE_PAYMENT_REQUIRED, LIKELY, 40 },
    { 403, 0, 0, says_limit, CAUSE_CALL_LIMIT_REACHED, LIKELY, 40 },
    { 486, 0, 0, says_limit, CAUSE_CALL_LIMIT_REACHED, LIKELY, 40 },
    { 503, 0, 0, says_limit, CAUSE_CALL_LIMIT_REACHED, LIKELY, 40 },
    { 480, 0, 0, says_limit, CAUSE_CALL_LIMIT_REACHED, LIKELY, 40 },
    { 403, 0, 0, says_caller_unregistered, CAUSE_CALLER_NOT_REGISTERED, LIKELY, 45 },
    { 403, 0, IF_SENT_PASS, says_password, CAUSE_AUTH_WRONG_PASSWORD, LIKELY, 46 },
    { 403, 0, 0, says_domain, CAUSE_DOMAIN_UNKNOWN, LIKELY, 40 },
    { 404, 0, 0, says_domain, CAUSE_DOMAIN_UNKNOWN, LIKELY, 40 },
    { 403, 0, 0, says_barred, CAUSE_CALL_BARRED, LIKELY, 40 },
    { 603, 0, 0, says_barred, CAUSE_CALL_BARRED, LIKELY, 36 },
    { 403, 0, IF_ANONYMOUS, says_anonymous, CAUSE_ANONYMOUS_REFUSED, LIKELY, 45 },
    { 603, 0, IF_ANONYMOUS, says_anonymous, CAUSE_ANONYMOUS_REFUSED, LIKELY, 45 },
    { 480, 0, 0, says_unregistered, CAUSE_NOT_REGISTERED, SURE, 42 },
    { 404, 0, 0, says_unregistered, CAUSE_NOT_REGISTERED, SURE, 42 },
    { 480, 0, 0, says_busy_rule, CAUSE_DO_NOT_DISTURB, SURE, 44 },
    { 486, 0, 0, says_busy_rule, CAUSE_DO_NOT_DISTURB, SURE, 44 },
    { 603, 0, 0, says_busy_rule, CAUSE_DO_NOT_DISTURB, SURE, 44 },
    { 480, 0, IF_NOT_RANG, says_no_answer, CAUSE_NO_ANSWER_TIMER, LIKELY, 34 },
    { 404, 0, 0, says_route, CAUSE_NO_ROUTE, LIKELY, 40 },
    { 500, 0, 0, says_route, CAUSE_NO_ROUTE, LIKELY, 40 },
    { 503, 0, 0, says_route, CAUSE_NO_ROUTE, LIKELY, 40 },
    { 480, 0, 0, says_route, CAUSE_NO_ROUTE, LIKELY, 36 },
    { 500, 0, 0, says_congestion, CAUSE_SERVER_OVERLOADED, LIKELY, 36 },
    { 503, 0, 0, says_congestion, CAUSE_SERVER_OVERLOADED, LIKELY, 36 },
    { 603, 0, 0, says_spam, CAUSE_BLOCKED_BY_ANALYTICS, SURE, 44 },
    { 403, 0, 0, says_spam, CAUSE_BLOCKED_BY_ANALYTICS, LIKELY, 40 },
    { 482, 0, 0, says_merged, CAUSE_MERGED_REQUEST, SURE, 40 },
    { 500, 0, 0, says_cseq, CAUSE_CSEQ_OUT_OF_ORDER, LIKELY, 40 },
    { 400, 0, 0, says_cseq, CAUSE_CSEQ_OUT_OF_ORDER, LIKELY, 38 },
    { 500, 0, 0, says_timeout, CAUSE_SERVER_TIMEOUT, LIKELY, 34 },
    { 503, 0, 0, says_timeout, CAUSE_SERVER_TIMEOUT, LIKELY, 34 },
    { 400, 0, 0, says_sdp, CAUSE_SDP_MALFORMED, LIKELY, 44 },
    { 488, 0, 0, says_sdp, CAUSE_SDP_MALFORMED, POSSIBLE, 20 },
    { 410, 0, 0, says_changed, CAUSE_NUMBER_CHANGED, SURE, 40 },
    { 404, 0, 0, says_changed, CAUSE_NUMBER_CHANGED, SURE, 40 },
    { 503, 0, 0, says_precondition, CAUSE_PRECONDITION_FAILED, LIKELY, 40 },
    { 403, 0, 0, says_loop, CAUSE_FORWARD_LOOP, LIKELY, 30 },
    { 421, 0, 0, says_sec, CAUSE_SECURITY_AGREEMENT_FAILED, SURE, 40 },

    /* What the telephone network behind it says (Q.850). */
    { 0, 1, 0, NULL, CAUSE_UNALLOCATED_NUMBER, SURE, 30 },
    { 0, 2, 0, NULL, CAUSE_NO_ROUTE, SURE, 30 },
    { 0, 3, 0, NULL, CAUSE_NO_ROUTE, SURE, 30 },
    { 0, 5, 0, NULL, CAUSE_NUMBER_INCOMPLETE, POSSIBLE, 26 },
    { 0, 17, 0, NULL, CAUSE_BUSY, SURE, 30 },
    { 600, 17, 0, NULL, CAUSE_BUSY_EVERYWHERE, SURE, 32 },
    { 0, 18, IF_NOT_RANG, NULL, CAUSE_TEMPORARILY_UNAVAILABLE, LIKELY, 30 },
    { 0, 18, IF_RANG, NULL, CAUSE_NO_ANSWER_TIMER, LIKELY, 30 },
    { 0, 19, 0, NULL, CAUSE_NO_ANSWER_TIMER, SURE, 32 },
    { 0, 20, 0, NULL, CAUSE_NOT_REGISTERED, LIKELY, 30 },
    { 0, 21, IF_USER, NULL, CAUSE_DECLINED, SURE, 32 },
    { 0, 21, IF_NETWORK, NULL, CAUSE_CALL_BARRED, LIKELY, 34 },
    { 403, 21, 0, NULL, CAUSE_CALL_BARRED, LIKELY, 30 },
    { 603, 21, IF_BY_21 | IF_NOT_RANG, NULL, CAUSE_CALL_BARRED, POSSIBLE, 34 },
    { 0, 22, 0, NULL, CAUSE_NUMBER_CHANGED, LIKELY, 30 },
    { 0, 24, 0, NULL, CAUSE_ANONYMOUS_REFUSED, POSSIBLE, 30 },
    { 0, 24, IF_ANONYMOUS, NULL, CAUSE_ANONYMOUS_REFUSED, SURE, 34 },
    { 0, 25, 0, NULL, CAUSE_NO_ROUTE, LIKELY, 30 },
    { 0, 26, 0, NULL, CAUSE_ANSWERED_ELSEWHERE, LIKELY, 30 },
    { 0, 27, 0, NULL, CAUSE_DESTINATION_OUT_OF_ORDER, SURE, 30 },
    { 0, 28, 0, NULL, CAUSE_NUMBER_INCOMPLETE, SURE, 30 },
    { 0, 34, 0, NULL, CAUSE_CIRCUITS_FULL, SURE, 30 },
    { 0, 38, 0, NULL, CAUSE_FAR_NETWORK_FAILURE, SURE, 30 },
    { 0, 41, 0, NULL, CAUSE_FAR_NETWORK_FAILURE, SURE, 30 },
    { 0, 42, 0, NULL, CAUSE_SERVER_OVERLOADED, LIKELY, 30 },
    { 0, 44, 0, NULL, CAUSE_CIRCUITS_FULL, LIKELY, 28 },
    { 0, 47, 0, NULL, CAUSE_FAR_NETWORK_FAILURE, LIKELY, 30 },
    { 0, 52, 0, NULL, CAUSE_CALL_BARRED, SURE, 30 },
    { 0, 54, 0, NULL, CAUSE_CALL_BARRED, SURE, 30 },
    { 0, 55, 0, NULL, CAUSE_CALL_BARRED, SURE, 30 },
    { 0, 57, 0, NULL, CAUSE_CALL_BARRED, LIKELY, 30 },
    { 0, 58, 0, NULL, CAUSE_FAR_NETWORK_FAILURE, LIKELY, 28 },
    { 0, 102, 0, NULL, CAUSE_SERVER_TIMEOUT, LIKELY, 28 },

    /* What the code says, by the course of the call. */
    { 300, 0, 0, NULL, CAUSE_REDIRECT_NOT_FOLLOWED, LIKELY, 10 },
    { 301, 0, 0, NULL, CAUSE_REDIRECT_NOT_FOLLOWED, LIKELY, 10 },
    { 301, 0, IF_NEW_PLACE, NULL, CAUSE_NUMBER_CHANGED, SURE, 12 },
    { 302, 0, 0, NULL, CAUSE_REDIRECT_NOT_FOLLOWED, LIKELY, 10 },
    { 303, 0, 0, NULL, CAUSE_REDIRECT_NOT_FOLLOWED, POSSIBLE, 10 },
    { 305, 0, 0, NULL, CAUSE_REDIRECT_NOT_FOLLOWED, LIKELY, 10 },
    { 380, 0, 0, NULL, CAUSE_VOLTE_FALLBACK, LIKELY, 12 },
    { 400, 0, 0, NULL, CAUSE_MESSAGE_MALFORMED, POSSIBLE, 10 },
    { 400, 0, IF_BAD, NULL, CAUSE_MESSAGE_MALFORMED, SURE, 20 },
    { 402, 0, 0, NULL, CAUSE_PAYMENT_REQUIRED, SURE, 20 },
    { 403, 0, 0, NULL, CAUSE_CALLER_FORBIDDEN, LIKELY, 10 },
    { 403, 0, IF_SENT_PASS, NULL, CAUSE_AUTH_REJECTED, LIKELY, 20 },
    { 404, 0, 0, NULL, CAUSE_UNALLOCATED_NUMBER, LIKELY, 10 },
    { 405, 0, 0, NULL, CAUSE_METHOD_NOT_ALLOWED, SURE, 20 },
    { 406, 0, 0, NULL, CAUSE_RESPONSE_TYPE_UNACCEPTABLE, LIKELY, 20 },
    { 408, 0, IF_NOT_RANG, NULL, CAUSE_REQUEST_TIMEOUT, LIKELY, 12 },
    { 408, 0, IF_NOT_RANG | IF_SLOW, NULL, CAUSE_REQUEST_TIMEOUT, SURE, 14 },
    { 408, 0, IF_RANG, NULL, CAUSE_NO_ANSWER_TIMER, SURE, 20 },
    { 410, 0, 0, NULL, CAUSE_GONE, SURE, 20 },
    { 410, 0, IF_NEW_PLACE, NULL, CAUSE_NUMBER_CHANGED, SURE, 22 },
    { 413, 0, 0, NULL, CAUSE_REQUEST_TOO_LARGE, SURE, 20 },
    { 414, 0, 0, NULL, CAUSE_REQUEST_TOO_LARGE, SURE, 20 },
    { 415, 0, 0, NULL, CAUSE_MEDIA_TYPE_UNSUPPORTED, SURE, 20 },
    { 416, 0, 0, NULL, CAUSE_SCHEME_UNSUPPORTED, SURE, 20 },
    { 417, 0, 0, NULL, CAUSE_PRIORITY_REFUSED, SURE, 20 },
    { 420, 0, 0, NULL, CAUSE_EXTENSION_UNSUPPORTED, SURE, 20 },
    { 421, 0, 0, NULL, CAUSE_EXTENSION_REQUIRED, SURE, 20 },
    { 422, 0, 0, NULL, CAUSE_SESSION_INTERVAL_TOO_SMALL, SURE, 20 },
    { 424, 0, 0, NULL, CAUSE_LOCATION_BAD, SURE, 20 },
    { 428, 0, 0, NULL, CAUSE_IDENTITY_MISSING, SURE, 20 },
    { 429, 0, 0, NULL, CAUSE_REFERRER_IDENTITY_MISSING, LIKELY, 20 },
    { 430, 0, 0, NULL, CAUSE_REGISTRATION_OUTBOUND_LOST, LIKELY, 20 },
    { 433, 0, 0, NULL, CAUSE_ANONYMOUS_REFUSED, SURE, 20 },
    { 436, 0, 0, NULL, CAUSE_IDENTITY_INVALID, SURE, 20 },
    { 437, 0, 0, NULL, CAUSE_IDENTITY_INVALID, SURE, 20 },
    { 438, 0, 0, NULL, CAUSE_IDENTITY_INVALID, SURE, 20 },
    { 439, 0, 0, NULL, CAUSE_REGISTRATION_OUTBOUND_LOST, LIKELY, 20 },
    { 440, 0, 0, NULL, CAUSE_MAX_BREADTH_REACHED, SURE, 20 },
    { 470, 0, 0, NULL, CAUSE_CONSENT_NEEDED, SURE, 20 },
    { 480, 0, IF_NOT_RANG, NULL, CAUSE_TEMPORARILY_UNAVAILABLE, LIKELY, 12 },
    { 480, 0, IF_NOT_RANG | IF_VAGUE, NULL, CAUSE_TEMPORARILY_UNAVAILABLE, POSSIBLE, 13 },
    { 480, 0, IF_RANG, NULL, CAUSE_NO_ANSWER_PHONE, LIKELY, 12 },
    { 480, 0, IF_RANG | IF_SWITCH, NULL, CAUSE_NO_ANSWER_TIMER, LIKELY, 14 },
    { 480, 0, IF_RANG | IF_LATE_STOP, NULL, CAUSE_NO_ANSWER_TIMER, SURE, 24 },
    { 481, 0, 0, NULL, CAUSE_DIALOG_UNKNOWN, LIKELY, 12 },
    { 481, 0, IF_REPLACES, NULL, CAUSE_REPLACES_FAILED, SURE, 40 },
    { 486, 0, IF_REPLACES, NULL, CAUSE_REPLACES_FAILED, LIKELY, 34 },
    { 603, 0, IF_REPLACES, NULL, CAUSE_REPLACES_FAILED, LIKELY, 34 },
    { 482, 0, 0, NULL, CAUSE_FORWARD_LOOP, LIKELY, 20 },
    { 482, 0, IF_DIVERTED, NULL, CAUSE_DIVERSION_LIMIT, LIKELY, 30 },
    { 483, 0, 0, NULL, CAUSE_MAX_FORWARDS_USED_UP, LIKELY, 20 },
    { 484, 0, 0, NULL, CAUSE_NUMBER_INCOMPLETE, SURE, 20 },
    { 485, 0, 0, NULL, CAUSE_NUMBER_AMBIGUOUS, SURE, 20 },
    { 486, 0, 0, NULL, CAUSE_BUSY, SURE, 12 },
    { 486, 0, IF_DIVERTED, NULL, CAUSE_DIVERSION_LIMIT, LIKELY, 30 },
    { 487, 0, IF_RANG, NULL, CAUSE_NO_ANSWER_TIMER, POSSIBLE, 12 },
    { 488, 0, 0, NULL, CAUSE_NOT_ACCEPTABLE_UNEXPLAINED, SURE, 10 },
    { 491, 0, 0, NULL, CAUSE_GLARE_LOOP, POSSIBLE, 10 },
    { 493, 0, 0, NULL, CAUSE_BODY_UNDECIPHERABLE, SURE, 20 },
    { 494, 0, 0, NULL, CAUSE_SECURITY_AGREEMENT_FAILED, SURE, 20 },
    { 500, 0, 0, NULL, CAUSE_SERVER_ERROR, LIKELY, 10 },
    { 500, 0, IF_RETRY, NULL, CAUSE_SERVER_OVERLOADED, LIKELY, 20 },
    { 501, 0, 0, NULL, CAUSE_METHOD_NOT_ALLOWED, LIKELY, 20 },
    { 502, 0, 0, NULL, CAUSE_BAD_GATEWAY, LIKELY, 20 },
    { 503, 0, 0, NULL, CAUSE_SERVICE_UNAVAILABLE, LIKELY, 12 },
    { 503, 0, IF_VAGUE, NULL, CAUSE_SERVICE_UNAVAILABLE, POSSIBLE, 13 },
    { 503, 0, IF_RETRY, NULL, CAUSE_SERVER_OVERLOADED, SURE, 20 },
    { 504, 0, 0, NULL, CAUSE_SERVER_TIMEOUT, SURE, 20 },
    { 505, 0, 0, NULL, CAUSE_VERSION_UNSUPPORTED, SURE, 20 },
    { 513, 0, 0, NULL, CAUSE_REQUEST_TOO_LARGE, SURE, 20 },
    { 580, 0, 0, NULL, CAUSE_PRECONDITION_FAILED, SURE, 40 },
    { 600, 0, 0, NULL, CAUSE_BUSY_EVERYWHERE, SURE, 20 },
    { 603, 0, 0, NULL, CAUSE_DECLINED, LIKELY, 12 },
    { 603, 0, IF_RANG, NULL, CAUSE_DECLINED, SURE, 14 },
    { 604, 0, 0, NULL, CAUSE_NUMBER_NOWHERE, SURE, 20 },
    { 606, 0, 0, NULL, CAUSE_NOT_ACCEPTABLE_ANYWHERE, SURE, 12 },
    { 607, 0, 0, NULL, CAUSE_UNWANTED, SURE, 20 },
    { 608, 0, 0, NULL, CAUSE_BLOCKED_BY_ANALYTICS, SURE, 20 },
    { 0, 0, 0, NULL, CAUSE_REFUSED_UNEXPLAINED, LIKELY, 1 },
};

static bool has_new_place(const struct casefile *k)
{
    return k->facts->detail.len && (k->call->final < 400 || k->call->redirect_to.len);
}

static bool is_vague(const struct casefile *k)
{
    return (k->call->final == 480 && (k->vendor->traits & VENDOR_480_IS_ANY)) ||
           (k->call->final == 503 && (k->vendor->traits & VENDOR_503_IS_ANY));
}

static uint32_t conditions(const struct casefile *k)
{
    const struct call *c = k->call;
    const struct call_facts *f = k->facts;
    uint32_t when = k->marks & K_RANG ? IF_RANG : IF_NOT_RANG;

    when |= f->location == CALL_LOCATION_USER ? IF_USER : 0;
    when |= f->location == CALL_LOCATION_NETWORK ? IF_NETWORK : 0;
    when |= k->vendor->traits & VENDOR_SWITCH ? IF_SWITCH : 0;
    when |= k->vendor->traits & VENDOR_603_IS_21 ? IF_BY_21 : 0;
    when |= is_vague(k) ? IF_VAGUE : 0;
    when |= case_gap_ns(c->invite_ns, c->ended_ns) >= 4 * SECOND_NS ? IF_SLOW : 0;
    when |= f->retry_after_s ? IF_RETRY : 0;
    when |= f->invite_flags & CALL_INVITE_ANONYMOUS ? IF_ANONYMOUS : 0;
    when |= f->invite_flags & CALL_INVITE_FLAWED ? IF_BAD : 0;
    when |= f->auth_user.len ? IF_SENT_PASS : 0;
    when |= c->replaces.len ? IF_REPLACES : 0;
    when |= c->diversions >= 5 ? IF_DIVERTED : 0;
    when |= has_new_place(k) ? IF_NEW_PLACE : 0;
    when |= k->down_cancel ? IF_LATE_STOP : 0;
    return when;
}

static bool fits(const struct refusal *r, const struct casefile *k, uint32_t when)
{
    if (r->status && r->status != k->call->final)
        return false;
    if (r->q850 && r->q850 != k->call->q850)
        return false;
    return (r->when & ~when) == 0 && (!r->words || case_says(k, r->words));
}

/* What the sentence of some causes wants beside the usual. */
static void more_values(const struct casefile *k, struct candidate *c)
{
    const struct call_facts *f = k->facts;

    switch (c->cause) {
    case CAUSE_NO_ANSWER_TIMER: case CAUSE_NO_ANSWER_PHONE:
        say_seconds(c, "seconds", k->ring_ns);
        break;
    case CAUSE_SERVER_OVERLOADED:
        if (f->retry_after_s)
            say_number(c, "seconds", f->retry_after_s);
        break;
    case CAUSE_REDIRECT_NOT_FOLLOWED: case CAUSE_VOLTE_FALLBACK:
        say_text(c, "value", k->call->redirect_to.len ? k->call->redirect_to : f->detail);
        break;
    case CAUSE_EXTENSION_UNSUPPORTED: case CAUSE_EXTENSION_REQUIRED:
        say_text(c, "value", f->detail);
        break;
    case CAUSE_MEDIA_TYPE_UNSUPPORTED:
        say_text(c, "value", f->content_type);
        break;
    case CAUSE_SCHEME_UNSUPPORTED: case CAUSE_DOMAIN_UNKNOWN:
        say_text(c, "value", k->call->request_uri);
        break;
    case CAUSE_PRIORITY_REFUSED:
        say_text(c, "value", f->priority);
        break;
    case CAUSE_METHOD_NOT_ALLOWED:
        say_text(c, "method", SLICE("INVITE"));
        break;
    case CAUSE_REQUEST_TOO_LARGE:
        say_number(c, "count", k->bytes_max);
        break;
    case CAUSE_FAR_NETWORK_FAILURE:
        say_number(c, "value", k->call->q850);
        break;
    case CAUSE_MAX_FORWARDS_USED_UP:
        if (f->max_forwards != UINT16_MAX)
            say_number(c, "count", f->max_forwards);
        break;
    case CAUSE_FORWARD_LOOP:
        say_number(c, "count", f->vias_max > 1 ? f->vias_max : k->call->diversions + 1);
        break;
    case CAUSE_DIVERSION_LIMIT:
        say_number(c, "count", k->call->diversions);
        break;
    case CAUSE_SESSION_INTERVAL_TOO_SMALL:
        say_number(c, "value", f->min_se_s);
        if (f->asked_session_s)
            say_number(c, "seconds", f->asked_session_s);
        break;
    case CAUSE_AUTH_REJECTED: case CAUSE_AUTH_WRONG_PASSWORD:
        say_text(c, "user", f->auth_user);
        break;
    case CAUSE_CALLER_NOT_REGISTERED:
        say_text(c, "user", k->call->from.user);
        break;
    default:
        break;
    }
}

/* Whether it rang may not have been captured, and a 183 may be an announcement that says why not. */
static bool rests_on_ringing(const struct casefile *k, const struct refusal *r)
{
    return ((r->when & IF_NOT_RANG) && !(k->marks & K_WHOLE)) || ((r->when & IF_RANG) && !k->ringing);
}

bool refusal_find(const struct casefile *k, struct candidate *c)
{
    uint32_t when = conditions(k);
    const struct refusal *best = NULL;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if ((!best || rows[i].weight > best->weight) && fits(&rows[i], k, when))
            best = &rows[i];
    c->cause = best->cause;
    c->certainty = rests_on_ringing(k, best) ? VERDICT_POSSIBLE : best->certainty;
    c->weight = best->weight;
    if (best->cause == CAUSE_NO_ANSWER_TIMER || best->cause == CAUSE_NO_ANSWER_PHONE ||
        best->cause == CAUSE_DECLINED)
        prove(c, k->ringing ? k->ringing : k->progress);
    if (best->cause == CAUSE_NO_ANSWER_TIMER)
        prove(c, k->down_cancel);
    if (k->final)
        prove(c, k->final);
    else
        prove_frame(c, k->call->final_frame, k->call->reason.len ? k->call->reason
                                                                 : call_code_name(k->call->final));
    prove(c, k->invite);
    more_values(k, c);
    return true;
}
