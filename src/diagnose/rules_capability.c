/* diagnose/rules_capability.c - what the two session descriptions cannot agree upon.
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/rules.h"

static bool refused_for_media(const struct casefile *k)
{
    return k->call->final == 488 || k->call->final == 606 || k->call->final == 415;
}

static bool is_no_voice(slice codec)
{
    return slice_starts_nocase(codec, SLICE("telephone-event")) || slice_starts_nocase(codec, SLICE("CN/")) ||
           slice_starts_nocase(codec, SLICE("red/"));
}

static slice take_codec(slice *list)
{
    slice one;

    do {
        one = slice_take_until(list, ' ');
        (void)slice_take_char(list, ' ');
    } while (one.len && is_no_voice(one));
    return one;
}

/* Both lists name codecs for voice, and none stands in both. */
static bool are_disjoint(slice a, slice b)
{
    slice left = a, one, other;

    if (!take_codec(&left).len)
        return false;
    left = b;
    if (!take_codec(&left).len)
        return false;
    while ((one = take_codec(&a)).len) {
        slice rest = b;

        while ((other = take_codec(&rest)).len)
            if (slice_eq_nocase(one, other))
                return false;
    }
    return true;
}

/* What the callee can: from its SDP in this call, else from its other calls. An answer there names
 * what it chose of an offer, so it may know more. */
static slice codecs_of_callee(const struct casefile *k, enum verdict_certainty *ret)
{
    slice codecs = case_sdp_pair(k) ? case_codecs(k, true) : (slice){0};

    *ret = VERDICT_SURE;
    if (codecs.len || !k->context->history)
        return codecs;
    const struct history_host *host = diagnose_history_host(k->context->history, case_server(k));

    *ret = host && host->codecs_offered ? VERDICT_LIKELY : VERDICT_POSSIBLE;
    return host ? slice_of_string(host->codecs) : (slice){0};
}

static bool warns_of(const struct casefile *k, unsigned from, unsigned to)
{
    slice warning = k->facts->warning;
    uint32_t code;

    return slice_take_u32(&warning, &code) && code >= from && code <= to;
}

static bool codec_mismatch(const struct casefile *k, struct candidate *c)
{
    enum verdict_certainty certainty;
    bool told = warns_of(k, 304, 305);

    if (!refused_for_media(k))
        return false;
    slice callee = codecs_of_callee(k, &certainty);
    bool disjoint = are_disjoint(case_codecs(k, false), callee);

    if (!disjoint && !told)
        return false;
    prove(c, k->invite);
    prove(c, k->final);
    say_text(c, "codecs_callee", disjoint ? callee : (slice){0});
    c->certainty = disjoint && !(told && certainty == VERDICT_POSSIBLE) ? (uint8_t)certainty : VERDICT_LIKELY;
    return true;
}

static bool encryption_mismatch(const struct casefile *k, struct candidate *c)
{
    static const char *const words[] = { "srtp", "crypto", "encrypt", "secure", "SAVP", NULL };
    uint32_t offer = k->facts->sdp[0].flags, answer = k->facts->sdp[1].flags;
    bool differs = case_sdp_pair(k) && (offer & CALL_SDP_SRTP) != (answer & CALL_SDP_SRTP);
    bool said = refused_for_media(k) && case_says(k, words);

    if (!refused_for_media(k) || (!differs && !said && !(offer & CALL_SDP_SRTP)))
        return false;
    prove(c, k->invite);
    prove(c, k->final);
    sure_if(c, differs || said);
    return true;
}

static bool encryption_one_sided(const struct casefile *k, struct candidate *c)
{
    const struct call_sdp *sdp = k->facts->sdp;
    bool offer = sdp[0].flags & CALL_SDP_SRTP, answer = sdp[1].flags & CALL_SDP_SRTP;

    if (offer == answer || !case_sdp_pair(k) || (sdp[1].flags & (CALL_SDP_REFUSED | CALL_SDP_NO_AUDIO)))
        return false;
    prove_frame(c, sdp[0].frame, SLICE("SDP"));
    prove_frame(c, sdp[1].frame, SLICE("SDP"));
    say_host(c, "address", &sdp[answer].media);
    say_host(c, "address_other", &sdp[offer].media);
    return true;
}

static bool ip_version_mismatch(const struct casefile *k, struct candidate *c)
{
    const struct call_sdp *sdp = k->facts->sdp;
    bool both = sdp[0].media.family && sdp[1].media.family && case_sdp_pair(k);
    bool differ = both && sdp[0].media.family != sdp[1].media.family && !((sdp[0].flags | sdp[1].flags) & CALL_SDP_ICE);

    if (!differ && !(k->call->final == 488 && warns_of(k, 300, 301)))
        return false;
    prove_frame(c, sdp[0].frame, SLICE("SDP"));
    prove_frame(c, sdp[1].frame, SLICE("SDP"));
    prove(c, k->final);
    say_host(c, "address", &sdp[0].media);
    say_host(c, "address_other", differ ? &sdp[1].media : case_server(k));
    sure_if(c, differ);
    return true;
}

static bool answer_missing(const struct casefile *k, struct candidate *c)
{
    if ((k->marks & (K_ANSWER_SDP | K_CUT)) || k->facts->late_offer || !k->answer)
        return false;
    prove(c, k->invite);
    prove(c, k->answer);
    return true;
}

/* Cheap before dear: a payload type of the static table in both lists is a codec in common. */
static bool share_a_type(slice a, slice b)
{
    uint32_t one, other;

    while (slice_take_u32(&a, &one)) {
        slice rest = b;

        while (one < 96 && slice_take_u32(&rest, &other)) {
            if (one == other)
                return true;
            (void)slice_take_blanks(&rest);
        }
        if (!slice_take_blanks(&a))
            break;
    }
    return false;
}

static bool answer_invalid(const struct casefile *k, struct candidate *c)
{
    const struct call_sdp *sdp = k->facts->sdp;

    if (!case_sdp_pair(k) || share_a_type(sdp[0].formats, sdp[1].formats) || !are_disjoint(case_codecs(k, false), case_codecs(k, true)))
        return false;
    slice list = case_codecs(k, true);

    prove_frame(c, sdp[0].frame, SLICE("SDP"));
    prove_frame(c, sdp[1].frame, SLICE("SDP"));
    say_text(c, "codec", take_codec(&list));
    return true;
}

static bool answer_changed(const struct casefile *k, struct candidate *c)
{
    if (!k->facts->answer_before_frame)
        return false;
    prove_frame(c, k->facts->answer_before_frame, SLICE("SDP"));
    prove_frame(c, k->facts->sdp[1].frame, SLICE("SDP"));
    say_address(c, "address", &k->facts->answer_before);
    say_address(c, "address_other", &k->facts->sdp[1].media);
    c->certainty = VERDICT_LIKELY;
    return true;
}

static bool late_offer(const struct casefile *k, struct candidate *c)
{
    if (!k->facts->late_offer || !(k->marks & K_ANSWER_SDP))
        return false;
    prove(c, k->invite);
    return true;
}

static bool late_offer_unanswered(const struct casefile *k, struct candidate *c)
{
    if (!k->facts->late_offer || !k->facts->answer_without_sdp || !(k->marks & K_ANSWER_SDP) || (k->marks & K_OFFER) ||
        !k->ack || (k->marks & K_CUT))
        return false;
    prove(c, k->answer);
    prove(c, k->ack);
    say_host(c, "address", case_side(k, false));
    return true;
}

static bool ptime_mismatch(const struct casefile *k, struct candidate *c)
{
    for (unsigned to_caller = 0; to_caller < 2; to_caller++) {
        const struct stream *s = k->way[to_caller].first;
        unsigned wished = k->facts->sdp[!to_caller].ptime_ms;

        if (!s || !s->frame_ms || !wished || s->frame_ms == wished || s->packets < 50)
            continue;
        prove_stream(c, s);
        prove_frame(c, k->facts->sdp[!to_caller].frame, SLICE("SDP"));
        say_number(c, "milliseconds", s->frame_ms);
        say_number(c, "value", wished);
        c->certainty = VERDICT_LIKELY;
        return true;
    }
    return false;
}

static bool amr_mode_mismatch(const struct casefile *k, struct candidate *c)
{
    uint32_t offer = k->facts->sdp[0].flags, answer = k->facts->sdp[1].flags;

    if (!case_sdp_pair(k) || !(offer & answer & CALL_SDP_AMR) || (offer & answer & (CALL_SDP_AMR_ALIGNED | CALL_SDP_AMR_PACKED)))
        return false;
    prove_frame(c, k->facts->sdp[0].frame, SLICE("SDP"));
    prove_frame(c, k->facts->sdp[1].frame, SLICE("SDP"));
    say_text(c, "codec", SLICE("AMR"));
    say_text(c, "value", SLICE("octet-align"));
    c->certainty = VERDICT_LIKELY;
    return true;
}

static const struct rule rules[] = {
    { CAUSE_CODEC_MISMATCH, 52, K_REFUSED | K_OFFER, codec_mismatch },
    { CAUSE_ENCRYPTION_MISMATCH, 50, K_REFUSED | K_OFFER, encryption_mismatch },
    { CAUSE_ENCRYPTION_ONE_SIDED, 60, K_ANSWERED | K_OFFER | K_ANSWER_SDP, encryption_one_sided },
    { CAUSE_IP_VERSION_MISMATCH, 62, K_OFFER, ip_version_mismatch },
    { CAUSE_SDP_ANSWER_MISSING, 58, K_ANSWERED | K_OFFER | K_WHOLE, answer_missing },
    { CAUSE_SDP_ANSWER_INVALID, 58, K_ANSWERED | K_OFFER | K_ANSWER_SDP, answer_invalid },
    { CAUSE_SDP_ANSWER_CHANGED, 0, K_ANSWER_SDP, answer_changed },
    { CAUSE_LATE_OFFER, 0, K_ANSWERED | K_WHOLE, late_offer },
    { CAUSE_LATE_OFFER_UNANSWERED, 60, K_ANSWERED | K_WHOLE, late_offer_unanswered },
    { CAUSE_PTIME_MISMATCH, 0, K_STREAMS | K_ANSWERED, ptime_mismatch },
    { CAUSE_AMR_MODE_MISMATCH, 40, K_ANSWERED | K_OFFER | K_ANSWER_SDP, amr_mode_mismatch },
};
const struct rule_table rules_capability = { rules, ARRAY_LEN(rules), 0 };
