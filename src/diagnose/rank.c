/* diagnose/rank.c - all rules are asked, then one of the causes that hold is the main one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"

static const struct rule_table *const tables[] = {
    &rules_outcome, &rules_dialog, &rules_auth, &rules_routing, &rules_capability, &rules_nat,
    &rules_media, &rules_volte, &rules_capture, &rules_vendor, &rules_legs, &rules_abuse,
};

static struct candidate *candidate_begin(struct candidates *found)
{
    struct candidate *c;

    if (found->count == CANDIDATES_MAX) {
        found->beyond++;
        return NULL;
    }
    c = &found->all[found->count];
    c->cause = CAUSE_NONE;
    c->code = 0;
    c->certainty = VERDICT_SURE;
    c->weight = 0;
    c->proof_count = c->value_count = 0;
    return c;
}

static void candidate_end(const struct casefile *k, struct candidates *found, struct candidate *c)
{
    if (!c->code && !k->call->answered && k->call->final >= 300)
        c->code = k->call->final;
    if (c->proof_count == 0)                              /* never empty: the call itself */
        prove(c, k->invite ? k->invite : k->last);
    if (c->proof_count == 0)
        prove_frame(c, k->call->first_frame, k->call->partial ? k->call->call_id : SLICE("INVITE"));
    found->count++;
}

static void ask(const struct casefile *k, const struct rule *rule, struct candidates *found)
{
    struct candidate *c = candidate_begin(found);

    if (!c)
        return;
    c->cause = rule->cause;
    c->weight = rule->weight;
    if (rule->holds(k, c))
        candidate_end(k, found, c);
}

/* 487 is what was asked for, by a CANCEL or by a BYE (RFC 3261, 21.4.25): without either it is a refusal
 * only when they would have been captured. Challenges have rules of their own. */
static bool is_refusal(const struct casefile *k)
{
    uint16_t final = k->call->final;
    bool asked_for = final == 487 &&
                     ((k->marks & (K_CANCELLED | K_HUNG_UP)) || (k->marks & K_CALM) != K_CALM);

    return (k->marks & K_REFUSED) && !asked_for && final != 401 && final != 407;
}

void rules_ask(const struct casefile *k, struct candidates *found)
{
    uint64_t absent = ~k->marks;
    struct candidate *c;

    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        const struct rule *rule = tables[t]->rules, *end = rule + tables[t]->count;

        if (tables[t]->any && !(tables[t]->any & k->marks))
            continue;
        for (; rule < end; rule++)
            if ((rule->needs & absent) == 0)
                ask(k, rule, found);
    }
    if (is_refusal(k) && (c = candidate_begin(found)) && refusal_find(k, c))
        candidate_end(k, found, c);
}

/* ---- deciding -------------------------------------------------------------------------------------- */

/* What a cause explains away, whether it is the main one or a finding that stays. */
#define EXPLAINS_MAX 14
static const struct explains { uint16_t cause, away[EXPLAINS_MAX]; } explains[] = {
    { CAUSE_ACK_LOST, { CAUSE_ACK_MISSING, CAUSE_SHORT_CALL, CAUSE_SIGNALLING_LOSS, CAUSE_CALL_TIME_LIMIT,
                        CAUSE_BYE_UNANSWERED, CAUSE_CONTACT_UNREACHABLE, CAUSE_DROPPED_BY_SERVER } },
    { CAUSE_ACK_MISSING, { CAUSE_SHORT_CALL, CAUSE_SIGNALLING_LOSS, CAUSE_CALL_TIME_LIMIT, CAUSE_BYE_UNANSWERED,
                           CAUSE_DROPPED_BY_SERVER, CAUSE_NO_AUDIO } },
    { CAUSE_ANSWER_NOT_RECEIVED, { CAUSE_ACK_LOST, CAUSE_ACK_MISSING, CAUSE_REPLY_NOT_RECEIVED, CAUSE_CANCEL_TOO_LATE,
                                   CAUSE_SIGNALLING_LOSS, CAUSE_BYE_UNANSWERED, CAUSE_SHORT_CALL,
                                   CAUSE_NO_AUDIO, CAUSE_ONE_WAY_AUDIO_CALLEE_DEAF } },
    { CAUSE_NAT_PRIVATE_CONTACT, { CAUSE_ACK_LOST, CAUSE_ACK_MISSING, CAUSE_CONTACT_UNREACHABLE, CAUSE_BYE_UNANSWERED,
                                   CAUSE_REINVITE_UNANSWERED, CAUSE_SIGNALLING_LOSS, CAUSE_SHORT_CALL,
                                   CAUSE_SESSION_TIMER_EXPIRED, CAUSE_CALL_TIME_LIMIT } },
    { CAUSE_CONTACT_UNREACHABLE, { CAUSE_ACK_LOST, CAUSE_ACK_MISSING, CAUSE_BYE_UNANSWERED, CAUSE_SIGNALLING_LOSS,
                                   CAUSE_REINVITE_UNANSWERED, CAUSE_SHORT_CALL } },
    { CAUSE_NAT_PRIVATE_ADDRESS_SDP, { CAUSE_ONE_WAY_AUDIO_CALLER_DEAF, CAUSE_ONE_WAY_AUDIO_CALLEE_DEAF,
                                       CAUSE_NO_AUDIO, CAUSE_MEDIA_TIMEOUT, CAUSE_NAT_MEDIA_NOT_LEARNED, CAUSE_SIP_ALG } },
    { CAUSE_SIP_ALG, { CAUSE_ONE_WAY_AUDIO_CALLER_DEAF, CAUSE_ONE_WAY_AUDIO_CALLEE_DEAF, CAUSE_NO_AUDIO,
                       CAUSE_MESSAGE_MALFORMED, CAUSE_MESSAGE_DAMAGED, CAUSE_SDP_MALFORMED } },
    { CAUSE_ICE_FAILED, { CAUSE_NO_AUDIO, CAUSE_ONE_WAY_AUDIO_CALLER_DEAF, CAUSE_ONE_WAY_AUDIO_CALLEE_DEAF,
                          CAUSE_MEDIA_TIMEOUT } },
    { CAUSE_IP_VERSION_MISMATCH, { CAUSE_NO_AUDIO, CAUSE_ONE_WAY_AUDIO_CALLER_DEAF, CAUSE_ONE_WAY_AUDIO_CALLEE_DEAF,
                                   CAUSE_CODEC_MISMATCH } },
    { CAUSE_ENCRYPTION_ONE_SIDED, { CAUSE_NO_AUDIO, CAUSE_CODEC_ASYMMETRY, CAUSE_CODEC_NOT_NEGOTIATED } },
    { CAUSE_ENCRYPTION_MISMATCH, { CAUSE_CODEC_MISMATCH } },
    { CAUSE_SDP_ANSWER_MISSING, { CAUSE_NO_AUDIO, CAUSE_ONE_WAY_AUDIO_CALLER_DEAF, CAUSE_ONE_WAY_AUDIO_CALLEE_DEAF } },
    { CAUSE_SDP_ANSWER_INVALID, { CAUSE_CODEC_NOT_NEGOTIATED, CAUSE_NO_AUDIO, CAUSE_CODEC_ASYMMETRY } },
    { CAUSE_LATE_OFFER_UNANSWERED, { CAUSE_NO_AUDIO, CAUSE_ONE_WAY_AUDIO_CALLER_DEAF, CAUSE_LATE_OFFER,
                                     CAUSE_ONE_WAY_AUDIO_CALLEE_DEAF, CAUSE_SDP_ANSWER_MISSING } },
    { CAUSE_MEDIA_TIMEOUT, { CAUSE_MEDIA_STOPPED_BOTH, CAUSE_MEDIA_STOPPED_CALLER, CAUSE_MEDIA_STOPPED_CALLEE,
                             CAUSE_DROPPED_BY_SERVER, CAUSE_RELEASE_CAUSE_GIVEN, CAUSE_NO_AUDIO,
                             CAUSE_FAR_NETWORK_FAILURE } },
    { CAUSE_NO_AUDIO, { CAUSE_MEDIA_LATE, CAUSE_CAPTURE_MEDIA_MISSING } },
    { CAUSE_SESSION_TIMER_EXPIRED, { CAUSE_SESSION_TIMER_NO_REFRESH, CAUSE_REINVITE_UNANSWERED, CAUSE_CALL_TIME_LIMIT,
                                     CAUSE_SIGNALLING_LOSS, CAUSE_DROPPED_BY_SERVER } },
    { CAUSE_SESSION_TIMER_NO_REFRESH, { CAUSE_CALL_TIME_LIMIT, CAUSE_DROPPED_BY_SERVER, CAUSE_RELEASE_CAUSE_GIVEN } },
    { CAUSE_SESSION_REFRESH_FAILED, { CAUSE_REINVITE_REFUSED, CAUSE_DIALOG_UNKNOWN, CAUSE_CALL_TIME_LIMIT,
                                      CAUSE_REINVITE_UNANSWERED, CAUSE_BYE_REJECTED, CAUSE_SESSION_TIMER_NO_REFRESH } },
    { CAUSE_DIALOG_UNKNOWN, { CAUSE_BYE_REJECTED, CAUSE_REINVITE_REFUSED, CAUSE_PRACK_REJECTED } },
    { CAUSE_FAX_REFUSED, { CAUSE_REINVITE_REFUSED } },
    { CAUSE_GLARE_LOOP, { CAUSE_GLARE } },
    { CAUSE_PRACK_MISSING, { CAUSE_SERVER_TIMEOUT, CAUSE_SERVER_ERROR, CAUSE_SIGNALLING_LOSS, CAUSE_PRECONDITION_STUCK,
                             CAUSE_NO_FINAL_REPLY, CAUSE_NO_ANSWER_CALLER, CAUSE_CANCELLED_BEFORE_RINGING,
                             CAUSE_GHOST_RING } },
    { CAUSE_PRACK_REJECTED, { CAUSE_PRACK_MISSING, CAUSE_DIALOG_UNKNOWN, CAUSE_NO_ANSWER_CALLER,
                              CAUSE_CANCELLED_BEFORE_RINGING, CAUSE_PRECONDITION_STUCK } },
    { CAUSE_PRECONDITION_STUCK, { CAUSE_CANCELLED_BEFORE_RINGING, CAUSE_NO_ANSWER_CALLER, CAUSE_NO_FINAL_REPLY } },
    { CAUSE_PRECONDITION_FAILED, { CAUSE_PRECONDITION_STUCK } },
    { CAUSE_NO_REPLY, { CAUSE_SIGNALLING_LOSS, CAUSE_INVITE_LARGE, CAUSE_CANCELLED_BEFORE_RINGING, CAUSE_NAT_REPLY_PATH } },
    { CAUSE_INVITE_FRAGMENT_LOST, { CAUSE_NO_REPLY, CAUSE_INVITE_LARGE, CAUSE_SIGNALLING_LOSS, CAUSE_REQUEST_TIMEOUT,
                                    CAUSE_CANCELLED_BEFORE_RINGING, CAUSE_CAPTURE_FRAGMENTS_MISSING } },
    { CAUSE_FIREWALL_BLOCKS_CALL, { CAUSE_NO_REPLY, CAUSE_REQUEST_TIMEOUT, CAUSE_SIGNALLING_LOSS } },
    { CAUSE_NAT_BINDING_LOST, { CAUSE_NO_REPLY, CAUSE_REQUEST_TIMEOUT, CAUSE_SIGNALLING_LOSS, CAUSE_FIREWALL_BLOCKS_CALL,
                                CAUSE_CANCELLED_BEFORE_RINGING } },
    { CAUSE_WRONG_TRANSPORT, { CAUSE_NO_REPLY, CAUSE_SIGNALLING_LOSS, CAUSE_ICMP_PORT_CLOSED, CAUSE_TCP_REFUSED,
                               CAUSE_TCP_NO_CONNECTION } },
    { CAUSE_ICMP_PORT_CLOSED, { CAUSE_NO_REPLY, CAUSE_SIGNALLING_LOSS, CAUSE_CANCELLED_BEFORE_RINGING } },
    { CAUSE_ICMP_UNREACHABLE, { CAUSE_NO_REPLY, CAUSE_SIGNALLING_LOSS, CAUSE_CANCELLED_BEFORE_RINGING } },
    { CAUSE_TCP_REFUSED, { CAUSE_NO_REPLY } },
    { CAUSE_TCP_NO_CONNECTION, { CAUSE_NO_REPLY } },
    { CAUSE_EARLY_MEDIA_BLOCKED, { CAUSE_RINGBACK_MISSING, CAUSE_EARLY_MEDIA_UNAUTHORISED } },
    { CAUSE_FALSE_RINGING, { CAUSE_RINGBACK_MISSING } },
    { CAUSE_FIREWALL_BLOCKS_MEDIA, { CAUSE_ONE_WAY_AUDIO_CALLER_DEAF, CAUSE_ONE_WAY_AUDIO_CALLEE_DEAF, CAUSE_NO_AUDIO } },
    { CAUSE_REPLY_NOT_RECEIVED, { CAUSE_SIGNALLING_LOSS } },
    { CAUSE_AUTH_WRONG_PASSWORD, { CAUSE_AUTH_REJECTED, CAUSE_AUTH_CLOCK_NONCE, CAUSE_AUTH_NO_CREDENTIALS } },
    { CAUSE_AUTH_STALE_LOOP, { CAUSE_AUTH_WRONG_PASSWORD, CAUSE_AUTH_CLOCK_NONCE } },
    { CAUSE_AUTH_REALM_MISMATCH, { CAUSE_AUTH_WRONG_PASSWORD, CAUSE_AUTH_NO_CREDENTIALS } },
    { CAUSE_AUTH_ALGORITHM_UNSUPPORTED, { CAUSE_AUTH_NO_CREDENTIALS, CAUSE_AUTH_WRONG_PASSWORD } },
    { CAUSE_SCANNER, { CAUSE_NUMBER_GUESSING, CAUSE_PASSWORD_GUESSING, CAUSE_NO_REPLY, CAUSE_AUTH_NO_CREDENTIALS,
                       CAUSE_UNALLOCATED_NUMBER, CAUSE_CALLER_FORBIDDEN, CAUSE_SIGNALLING_LOSS, CAUSE_TOLL_FRAUD,
                       CAUSE_ACK_MISSING, CAUSE_ACK_LOST, CAUSE_NAT_REPLY_PATH, CAUSE_NAT_PRIVATE_ADDRESS_SDP,
                       CAUSE_REQUEST_FLOOD, CAUSE_AUTH_WRONG_PASSWORD } },
    { CAUSE_PASSWORD_GUESSING, { CAUSE_AUTH_WRONG_PASSWORD, CAUSE_AUTH_NO_CREDENTIALS, CAUSE_AUTH_REJECTED,
                                 CAUSE_NUMBER_GUESSING } },
    { CAUSE_NUMBER_GUESSING, { CAUSE_UNALLOCATED_NUMBER, CAUSE_NO_REPLY, CAUSE_AUTH_NO_CREDENTIALS } },
    { CAUSE_SERVER_ERROR_HIDES_503, { CAUSE_SERVER_ERROR, CAUSE_SERVICE_UNAVAILABLE, CAUSE_SERVER_OVERLOADED } },
    { CAUSE_FORWARD_LOOP, { CAUSE_MAX_FORWARDS_USED_UP, CAUSE_FORWARDED } },
    { CAUSE_MERGED_REQUEST, { CAUSE_FORWARD_LOOP } },
    { CAUSE_CAPTURE_ONE_DIRECTION, { CAUSE_NO_REPLY, CAUSE_ACK_MISSING, CAUSE_ACK_LOST, CAUSE_BYE_UNANSWERED,
                                     CAUSE_NO_FINAL_REPLY, CAUSE_NO_PROGRESS, CAUSE_REINVITE_UNANSWERED,
                                     CAUSE_END_NOT_SEEN, CAUSE_SIGNALLING_LOSS } },
    { CAUSE_FORWARDED_ON_BUSY, { CAUSE_FORWARDED } },
    { CAUSE_FORWARDED_ON_NO_ANSWER, { CAUSE_FORWARDED } },
    { CAUSE_REGISTRATION_EXPIRED_BEFORE_CALL, { CAUSE_NOT_REGISTERED, CAUSE_TEMPORARILY_UNAVAILABLE,
                                                CAUSE_UNALLOCATED_NUMBER } },
    { CAUSE_ONE_WAY_AUDIO_CALLER_DEAF, { CAUSE_MEDIA_LATE, CAUSE_NO_AUDIO } },
    { CAUSE_ONE_WAY_AUDIO_CALLEE_DEAF, { CAUSE_MEDIA_LATE, CAUSE_NO_AUDIO } },
    { CAUSE_QUALITY_POOR, { CAUSE_QUALITY_DIP } },
    { CAUSE_LOSS_BURSTY, { CAUSE_LOSS_HIGH, CAUSE_QUALITY_POOR, CAUSE_QUALITY_DIP } },
    { CAUSE_LOSS_HIGH, { CAUSE_QUALITY_POOR, CAUSE_QUALITY_DIP } },
    { CAUSE_LATE_DISCARD, { CAUSE_QUALITY_POOR, CAUSE_QUALITY_DIP, CAUSE_JITTER_HIGH } },
    { CAUSE_JITTER_HIGH, { CAUSE_QUALITY_POOR, CAUSE_QUALITY_DIP } },
    { CAUSE_DELAY_HIGH, { CAUSE_QUALITY_POOR } },
    { CAUSE_CODEC_NOT_NEGOTIATED, { CAUSE_CODEC_ASYMMETRY } },
    { CAUSE_HOLD_NOT_RESUMED, { CAUSE_HELD } },
    { CAUSE_MEDIA_STOPPED_BOTH, { CAUSE_MEDIA_STOPPED_CALLER, CAUSE_MEDIA_STOPPED_CALLEE } },
    { CAUSE_VOLTE_BEARER_LOST, { CAUSE_MEDIA_TIMEOUT, CAUSE_RELEASE_CAUSE_GIVEN, CAUSE_MEDIA_STOPPED_BOTH,
                                 CAUSE_MEDIA_STOPPED_CALLER, CAUSE_MEDIA_STOPPED_CALLEE, CAUSE_FAR_NETWORK_FAILURE } },
    { CAUSE_VOLTE_RADIO_LOST, { CAUSE_RELEASE_CAUSE_GIVEN, CAUSE_MEDIA_TIMEOUT, CAUSE_FAR_NETWORK_FAILURE } },
    { CAUSE_FAR_NETWORK_FAILURE, { CAUSE_RELEASE_CAUSE_GIVEN } },
};

static unsigned score_of(const struct candidate *c)
{
    static const uint8_t certainties[] = { [VERDICT_POSSIBLE] = 0, [VERDICT_LIKELY] = 15, [VERDICT_SURE] = 25 };

    return c->weight + certainties[c->certainty];
}

static bool may_be_main(const struct candidate *c)
{
    return c->weight && cause_may_be_main((enum cause_id)c->cause);
}

static int best_of(const struct candidates *found)
{
    int best = -1;

    for (size_t i = 0; i < found->count; i++)
        if (may_be_main(&found->all[i]) && (best < 0 || score_of(&found->all[i]) > score_of(&found->all[best])))
            best = (int)i;
    return best;
}

static void remove_at(struct candidates *found, size_t at, int *main_at)
{
    memmove(&found->all[at], &found->all[at + 1], (found->count - at - 1) * sizeof found->all[0]);
    found->count--;
    if (*main_at > (int)at)
        (*main_at)--;
}

static void remove_cause(struct candidates *found, uint16_t cause, int *main_at)
{
    for (size_t i = found->count; i-- > 0;)
        if (found->all[i].cause == cause && (int)i != *main_at)
            remove_at(found, i, main_at);
}

static void explain_away(struct candidates *found, uint16_t cause, int *main_at)
{
    const struct explains *e = explains, *end = explains + ARRAY_LEN(explains);

    while (e < end && e->cause != cause)
        e++;
    for (size_t j = 0; e < end && j < EXPLAINS_MAX && e->away[j]; j++)
        remove_cause(found, e->away[j], main_at);
}

static bool is_found(const struct candidates *found, uint16_t cause)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->all[i].cause == cause)
            return true;
    return false;
}

/* By what stays. Removing moves the others, and none may be passed over. */
static void explain_all(struct candidates *found, int *main_at)
{
    uint16_t causes[CANDIDATES_MAX];
    size_t count = found->count > 1 ? found->count : 0;

    for (size_t i = 0; i < count; i++)
        causes[i] = found->all[i].cause;
    for (size_t i = 0; i < count; i++)
        if (is_found(found, causes[i]))
            explain_away(found, causes[i], main_at);
}

/* Two rules may see the same: the surer one tells it. */
static void remove_doubles(struct candidates *found)
{
    int none = -1;

    for (size_t i = found->count; i-- > 1;)
        for (size_t j = 0; j < i; j++) {
            if (found->all[j].cause != found->all[i].cause)
                continue;
            if (score_of(&found->all[i]) > score_of(&found->all[j]))
                found->all[j] = found->all[i];
            remove_at(found, i, &none);
            break;
        }
}

/* Beside a failure its own final code is no second failure: other readings of the same refusal go. */
static bool reads_the_same(const struct candidate *c, const struct candidate *main)
{
    return c->weight && c != main && c->code && c->code == main->code && may_be_main(c) &&
           cause_severity((enum cause_id)c->cause) >= CAUSE_SEVERITY_NOTICE;
}

static bool is_before(const struct candidate *a, const struct candidate *b)
{
    enum cause_severity sa = cause_severity((enum cause_id)a->cause), sb = cause_severity((enum cause_id)b->cause);

    return sa != sb ? sa > sb : score_of(a) > score_of(b);
}

static void sort_findings(struct candidates *found)
{
    for (size_t i = 1; i < found->count; i++) {
        struct candidate moved = found->all[i];
        size_t at = i;

        for (; at > 0 && is_before(&moved, &found->all[at - 1]); at--)
            found->all[at] = found->all[at - 1];
        found->all[at] = moved;
    }
}

/* With no main cause the call was good: what is above a notice must then be sure. */
static bool is_doubtful(const struct candidate *c)
{
    return cause_severity((enum cause_id)c->cause) > CAUSE_SEVERITY_NOTICE && c->certainty < VERDICT_SURE;
}

int rank(struct candidates *found)
{
    remove_doubles(found);
    int main_at = best_of(found);
    uint16_t main_cause = main_at < 0 ? CAUSE_NONE : found->all[main_at].cause;

    if (found->count == 0)
        return -1;
    if (main_at >= 0 && found->count > 1) {
        explain_away(found, main_cause, &main_at);
        for (size_t i = found->count; i-- > 0;)
            if (reads_the_same(&found->all[i], &found->all[main_at]))
                remove_at(found, i, &main_at);
    }
    explain_all(found, &main_at);
    for (size_t i = found->count; main_at < 0 && i-- > 0;)
        if (is_doubtful(&found->all[i]))
            remove_at(found, i, &main_at);
    if (found->count > 1)
        sort_findings(found);
    for (size_t i = 0; main_at >= 0 && i < found->count; i++)
        if (found->all[i].cause == main_cause)
            main_at = (int)i;
    return main_at;
}
