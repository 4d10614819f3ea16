/* lab/scripts.c - the flows as tables
 * SPDX-License-Identifier: Apache-2.0 */
#include "lab/scripts.h"

#include <stdio.h>

#include "codes/flow.h"

/* Long enough to be watched, short enough for all of them to be played in half a minute. */
enum { BLINK = 150, RING = 400, TALK = 600 };

#define PAUSE(ms)                { 0, SCRIPT_PAUSE, ms, 0, 0 }
#define REGISTER(x, seconds)     { x, SCRIPT_REGISTER, seconds, 0, 0 }
#define REGISTERED(x, status)    { x, SCRIPT_REGISTERED, status, 0, 0 }
#define DIAL(x, whom, how)       { x, SCRIPT_DIAL, whom, how, 0 }
#define CALLED(x, line)          { x, SCRIPT_CALLED, 0, 0, line }
#define ANSWER(x, status, line)  { x, SCRIPT_ANSWER, status, (status) == 200 ? SCRIPT_WITH_SDP : 0, line }
#define HEARS(x, status)         { x, SCRIPT_HEARS, status, 0, 0 }
#define UP(x, line)              { x, SCRIPT_UP, 0, 0, line }
#define HANG_UP(x, line)         { x, SCRIPT_HANG_UP, 0, 0, line }
#define ENDED(x, status, line)   { x, SCRIPT_ENDED, status, 0, line }
#define OFFER(x, method, media)  { x, SCRIPT_OFFER, method, media, 0 }
#define OFFERED(x, method)       { x, SCRIPT_OFFERED, method, 0, 0 }
#define CHANGED(x, status)       { x, SCRIPT_CHANGED, status, 0, 0 }
#define REFER(x, whom, how)      { x, SCRIPT_REFER, whom, how, 0 }
#define ACCEPTED(x, status)      { x, SCRIPT_ACCEPTED, status, 0, 0 }
#define TOLD(x, status)          { x, SCRIPT_TOLD, status, 0, 0 }
#define END                      { 0, SCRIPT_END, 0, 0, 0 }

/* A calls B, it rings, B answers, both talk. */
#define A_AND_B_TALK(how) \
    DIAL('a', 'b', how), CALLED('b', 0), ANSWER('b', 180, 0), HEARS('a', 180), PAUSE(RING), ANSWER('b', 200, 0), UP('a', 0), \
        UP('b', 0), PAUSE(TALK)
#define A_HANGS_UP HANG_UP('a', 0), ENDED('a', 200, 0), ENDED('b', 200, 0), END
/* C rings, answers, and talks with A until A hangs up. */
#define C_TAKES_IT \
    CALLED('c', 0), ANSWER('c', 180, 0), HEARS('a', 180), PAUSE(RING), ANSWER('c', 200, 0), UP('a', 0), UP('c', 0), PAUSE(TALK), \
        HANG_UP('a', 0), ENDED('a', 200, 0), ENDED('c', 200, 0), END

static const struct script_step register_rows[] = { REGISTER('a', 3600), REGISTERED('a', 200), END };

static const struct script_step deregister_rows[] = {
    REGISTER('a', 3600), REGISTERED('a', 200), PAUSE(TALK), REGISTER('a', 0), REGISTERED('a', 200), END,
};

static const struct script_step basic_rows[] = { A_AND_B_TALK(0), A_HANGS_UP };

static const struct script_step late_offer_rows[] = { A_AND_B_TALK(PHONE_LATE_OFFER), A_HANGS_UP };

static const struct script_step change_rows[] = {
    A_AND_B_TALK(0), OFFER('a', SIP_INVITE, PHONE_SENDRECV), CHANGED('a', 200), OFFERED('b', SIP_INVITE), PAUSE(TALK), A_HANGS_UP,
};

static const struct script_step update_rows[] = {
    A_AND_B_TALK(0), OFFER('b', SIP_UPDATE, PHONE_SENDRECV), CHANGED('b', 200), OFFERED('a', SIP_UPDATE), PAUSE(TALK), A_HANGS_UP,
};

/* Whose Call-ID it is not tries again first (RFC 3261, 14.1). */
static const struct script_step crossing_rows[] = {
    A_AND_B_TALK(0), OFFER('a', SIP_INVITE, PHONE_SENDONLY), OFFER('b', SIP_INVITE, PHONE_SENDONLY), CHANGED('a', 491),
    CHANGED('b', 491), PAUSE(RING), OFFER('b', SIP_INVITE, PHONE_SENDONLY), CHANGED('b', 200), OFFERED('a', SIP_INVITE), PAUSE(RING),
    OFFER('b', SIP_INVITE, PHONE_SENDRECV), CHANGED('b', 200), OFFERED('a', SIP_INVITE), PAUSE(RING), A_HANGS_UP,
};

static const struct script_step release_callee_rows[] = {
    A_AND_B_TALK(0), HANG_UP('b', 0), ENDED('b', 200, 0), ENDED('a', 200, 0), END,
};

static const struct script_step busy_rows[] = {
    DIAL('a', 'b', 0), CALLED('b', 0), PAUSE(BLINK), ANSWER('b', 486, 0), ENDED('a', 486, 0), ENDED('b', 486, 0), END,
};

static const struct script_step gives_up_rows[] = {
    DIAL('a', 'b', 0), CALLED('b', 0), ANSWER('b', 180, 0), HEARS('a', 180), PAUSE(TALK), HANG_UP('a', 0), ENDED('a', 487, 0),
    ENDED('b', 487, 0), END,
};

/* B says nothing at all: the CANCEL has to wait for the 100, on either leg. */
static const struct script_step early_rows[] = {
    DIAL('a', 'b', 0), CALLED('b', 0), HANG_UP('a', 0), ENDED('a', 487, 0), ENDED('b', 487, 0), END,
};

static const struct script_step no_answer_rows[] = {
    DIAL('a', 'b', 0), CALLED('b', 0), ANSWER('b', 180, 0), HEARS('a', 180), ENDED('a', 480, 0), ENDED('b', 487, 0), END,
};

static const struct script_step forward_busy_rows[] = {
    DIAL('a', 'b', 0), CALLED('b', 0), PAUSE(BLINK), ANSWER('b', 486, 0), ENDED('b', 486, 0), HEARS('a', 181), C_TAKES_IT,
};

static const struct script_step forward_no_answer_rows[] = {
    DIAL('a', 'b', 0), CALLED('b', 0), ANSWER('b', 180, 0), HEARS('a', 180), ENDED('b', 487, 0), HEARS('a', 181), C_TAKES_IT,
};

static const struct script_step hold_rows[] = {
    A_AND_B_TALK(0), OFFER('a', SIP_INVITE, PHONE_SENDONLY), CHANGED('a', 200), OFFERED('b', SIP_INVITE), PAUSE(TALK),
    OFFER('a', SIP_INVITE, PHONE_SENDRECV), CHANGED('a', 200), OFFERED('b', SIP_INVITE), PAUSE(TALK), A_HANGS_UP,
};

/* B holds A, talks with C, and goes back to A. */
static const struct script_step waiting_rows[] = {
    A_AND_B_TALK(0), DIAL('c', 'b', 0), CALLED('b', 1), ANSWER('b', 180, 1), HEARS('c', 180), PAUSE(RING),
    OFFER('b', SIP_INVITE, PHONE_SENDONLY), CHANGED('b', 200), OFFERED('a', SIP_INVITE), ANSWER('b', 200, 1), UP('c', 0), UP('b', 1),
    PAUSE(TALK), HANG_UP('c', 0), ENDED('c', 200, 0), ENDED('b', 200, 1), PAUSE(BLINK), OFFER('b', SIP_INVITE, PHONE_SENDRECV),
    CHANGED('b', 200), OFFERED('a', SIP_INVITE), PAUSE(RING), A_HANGS_UP,
};

/* B's phone names C, and A's calls there itself. */
static const struct script_step redirect_rows[] = {
    DIAL('a', 'b', PHONE_FOLLOWS), CALLED('b', 0), PAUSE(BLINK), { 'b', SCRIPT_REDIRECT, 'c', 0, 0 }, ENDED('b', 302, 0), C_TAKES_IT,
};

/* A hears nothing of the REFER: the server calls C, and then changes A's call to go there. */
static const struct script_step blind_rows[] = {
    A_AND_B_TALK(0), REFER('b', 'c', 0), ACCEPTED('b', 202), CALLED('c', 0), ANSWER('c', 180, 0), TOLD('b', 180), PAUSE(RING),
    ANSWER('c', 200, 0), OFFERED('a', SIP_INVITE), UP('c', 0), TOLD('b', 200), HANG_UP('b', 0), ENDED('b', 200, 0), PAUSE(TALK),
    HANG_UP('a', 0), ENDED('a', 200, 0), ENDED('c', 200, 0), END,
};

/* Nobody comes to C's phone: B hears so, and talks on with A. */
static const struct script_step refused_rows[] = {
    A_AND_B_TALK(0), REFER('b', 'c', 0), ACCEPTED('b', 202), CALLED('c', 0), PAUSE(BLINK), ANSWER('c', 486, 0), ENDED('c', 486, 0),
    TOLD('b', 486), PAUSE(TALK), A_HANGS_UP,
};

/* B holds A, asks C first, and then leaves the two to each other. */
static const struct script_step attended_rows[] = {
    A_AND_B_TALK(0), OFFER('b', SIP_INVITE, PHONE_SENDONLY), CHANGED('b', 200), OFFERED('a', SIP_INVITE), PAUSE(BLINK),
    DIAL('b', 'c', 0), CALLED('c', 0), ANSWER('c', 180, 0), { 'b', SCRIPT_HEARS, 180, 0, 1 }, PAUSE(RING), ANSWER('c', 200, 0),
    UP('b', 1), UP('c', 0), PAUSE(TALK), REFER('b', 'c', 1 + 1), ACCEPTED('b', 202), OFFERED('c', SIP_INVITE),
    OFFERED('a', SIP_INVITE), TOLD('b', 200), HANG_UP('b', 0), ENDED('b', 200, 0), ENDED('b', 200, 1), PAUSE(TALK), HANG_UP('a', 0),
    ENDED('a', 200, 0), ENDED('c', 200, 0), END,
};

/* The pauses are the radio channels that are being set up. */
static const struct script_step volte_rows[] = {
    DIAL('a', 'b', PHONE_RELIABLE | PHONE_PRECONDITIONS), CALLED('b', 0),
    { 'b', SCRIPT_ANSWER, 183, SCRIPT_RELIABLY | SCRIPT_WITH_SDP, 0 }, HEARS('a', 183), { 'b', SCRIPT_PRACKED, 0, 0, 0 },
    { 'a', SCRIPT_CONFIRMED, 0, 0, 0 }, PAUSE(RING), { 'a', SCRIPT_READY, 0, 0, 0 }, OFFERED('b', SIP_UPDATE), CHANGED('a', 200),
    PAUSE(BLINK), ANSWER('b', 180, 0), HEARS('a', 180), PAUSE(RING), { 'b', SCRIPT_ANSWER, 200, 0, 0 }, UP('a', 0), UP('b', 0),
    PAUSE(TALK), A_HANGS_UP,
};

/* In the order of flows.md: the twelve with their variants, then VoLTE, then the rest. */
static const struct script scripts[] = {
    { .name = "register", .flow = "register", .phones = "a", .is_registration = true, .steps = register_rows },
    { .name = "deregister", .flow = "deregister", .phones = "a", .is_registration = true, .steps = deregister_rows },
    { .name = "basic-call", .flow = "basic-call", .phones = "ab", .steps = basic_rows },
    { .name = "session-change", .flow = "session-change", .phones = "ab", .steps = change_rows },
    { .name = "session-change-update", .flow = "session-change", .has_purpose = true, .purpose = TEXT_LAB_PURPOSE_UPDATE,
      .phones = "ab", .steps = update_rows },
    { .name = "release", .flow = "basic-call", .has_purpose = true, .purpose = TEXT_LAB_PURPOSE_RELEASE, .phones = "ab",
      .steps = release_callee_rows },
    { .name = "callee-busy", .flow = "callee-busy", .phones = "ab", .steps = busy_rows },
    { .name = "no-answer-caller", .flow = "no-answer-caller", .phones = "ab", .steps = gives_up_rows },
    { .name = "no-answer-server", .flow = "no-answer-server", .phones = "ab", .wishes = { .no_answer_s = 2 },
      .steps = no_answer_rows },
    { .name = "forward-busy", .flow = "forward-busy", .phones = "abc", .steps = forward_busy_rows,
      .wishes = { .flags = USER_TELL_FORWARDED, .forward = { [USER_FORWARD_BUSY] = "sip:carol@" LAB_DOMAIN } } },
    { .name = "forward-no-answer", .flow = "forward-no-answer", .phones = "abc", .steps = forward_no_answer_rows,
      .wishes = { .flags = USER_TELL_FORWARDED, .no_answer_s = 2,
                  .forward = { [USER_FORWARD_NO_ANSWER] = "sip:carol@" LAB_DOMAIN } } },
    { .name = "hold", .flow = "hold", .phones = "ab", .steps = hold_rows },
    { .name = "waiting", .flow = "waiting", .phones = "abc", .wishes = { .flags = USER_CALL_WAITING, .calls_max = 1 },
      .steps = waiting_rows },
    { .name = "volte-call", .flow = "volte-call", .phones = "ab", .steps = volte_rows },
    { .name = "redirect", .flow = "redirect", .phones = "abc", .steps = redirect_rows },
    { .name = "transfer-blind", .phones = "abc", .has_purpose = true, .purpose = TEXT_LAB_PURPOSE_BLIND, .steps = blind_rows },
    { .name = "transfer-refused", .phones = "abc", .has_purpose = true, .purpose = TEXT_LAB_PURPOSE_TRANSFER_REFUSED,
      .steps = refused_rows },
    { .name = "transfer-attended", .phones = "abc", .has_purpose = true, .purpose = TEXT_LAB_PURPOSE_ATTENDED, .steps = attended_rows },
    { .name = "early-cancel", .flow = "no-answer-caller", .has_purpose = true, .purpose = TEXT_LAB_PURPOSE_EARLY_CANCEL,
      .phones = "ab", .steps = early_rows },
    { .name = "crossing", .has_purpose = true, .purpose = TEXT_LAB_PURPOSE_CROSSING, .phones = "ab", .steps = crossing_rows },
    { .name = "late-offer", .flow = "basic-call", .has_purpose = true, .purpose = TEXT_LAB_PURPOSE_LATE_OFFER, .phones = "ab",
      .steps = late_offer_rows },
};

size_t script_count(void) { return ARRAY_LEN(scripts); }
const struct script *script_at(size_t i) { return i < ARRAY_LEN(scripts) ? &scripts[i] : NULL; }

const struct script *script_find(slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
        if (slice_eq_nocase(slice_of_string(scripts[i].name), name))
            return &scripts[i];
    return NULL;
}

slice script_purpose(const struct script *s, const struct words *w)
{
    return s->has_purpose ? words_text(w, s->purpose) : flow_text(w, flow_at(flow_find(slice_of_string(s->flow)))->purpose);
}

slice script_label(enum script_what what, unsigned number, bool outgoing, char room[SCRIPT_LABEL_MAX])
{
    static const char *const texts[] = {
        [SCRIPT_REGISTER] = "REGISTER", [SCRIPT_DIAL] = "INVITE",   [SCRIPT_HANG_UP] = "BYE", [SCRIPT_READY] = "UPDATE",
        [SCRIPT_REDIRECT] = "302",     [SCRIPT_REFER] = "REFER",
        [SCRIPT_CALLED] = "INVITE",     [SCRIPT_PRACKED] = "PRACK", [SCRIPT_CONFIRMED] = "200 (PRACK)", [SCRIPT_ENDED] = NULL,
    };
    static const char *const answered[SCRIPT_ENDED + 1] = {
        [SCRIPT_REGISTERED] = "REGISTER", [SCRIPT_ACCEPTED] = "REFER", [SCRIPT_TOLD] = "NOTIFY",
    };
    slice method = sip_method_name((enum sip_method)number);

    if (what == SCRIPT_OFFER || what == SCRIPT_OFFERED)
        snprintf(room, SCRIPT_LABEL_MAX, "%.*s", (int)method.len, method.ptr);
    else if (what == SCRIPT_UP)
        snprintf(room, SCRIPT_LABEL_MAX, "%s", outgoing ? "200" : "ACK");
    else if (what == SCRIPT_ENDED && number == 200)
        snprintf(room, SCRIPT_LABEL_MAX, "BYE");
    else if (texts[what])
        snprintf(room, SCRIPT_LABEL_MAX, "%s", texts[what]);
    else if (answered[what])
        snprintf(room, SCRIPT_LABEL_MAX, "%u (%s)", number, answered[what]);
    else
        snprintf(room, SCRIPT_LABEL_MAX, "%u", number);
    return slice_of_string(room);
}
