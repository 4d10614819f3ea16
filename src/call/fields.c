/* call/fields.c - the tables; see fields.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "call/fields.h"

#include "codes/cause.h"
#include "codes/flow.h"

/* Where a value stands; SOME_: 0 is none. */
enum storage { IN_GETTER, AS_SLICE, AS_U8, AS_U16, AS_U32, AS_U64, AS_SOME_U16, AS_SOME_U32, AS_NS, AS_BOOL,
               AS_ADDRESS, AS_US, AS_SOME_MS, AS_MS_64, AS_STRING };

/* A member of a record, by type; SPARSE_ ones are worth a word in JSON only when not zero. */
#define PLACED(of, n, t, s, member, is_sparse) \
    { .name = n, .type = t, .storage = s, .sparse = is_sparse, .offset = offsetof(of, member) }
#define TEXT_AT(of, n, member)     PLACED(of, n, FIELD_TEXT, AS_SLICE, member, false)
#define U16_AT(of, n, member)      PLACED(of, n, FIELD_NUMBER, AS_U16, member, false)
#define U32_AT(of, n, member)      PLACED(of, n, FIELD_NUMBER, AS_U32, member, false)
#define U64_AT(of, n, member)      PLACED(of, n, FIELD_NUMBER, AS_U64, member, false)
#define CODE_AT(of, n, member)     PLACED(of, n, FIELD_NUMBER, AS_SOME_U16, member, false)
#define SOME_U32_AT(of, n, member) PLACED(of, n, FIELD_NUMBER, AS_SOME_U32, member, false)
#define TIME_AT(of, n, member)     PLACED(of, n, FIELD_TIME, AS_NS, member, false)
#define BOOL_AT(of, n, member)     PLACED(of, n, FIELD_BOOL, AS_BOOL, member, false)
#define ADDRESS_AT(of, n, member)  PLACED(of, n, FIELD_ADDRESS, AS_ADDRESS, member, false)
#define SPARSE_U16_AT(of, n, member)  PLACED(of, n, FIELD_NUMBER, AS_U16, member, true)
#define SPARSE_U32_AT(of, n, member)  PLACED(of, n, FIELD_NUMBER, AS_U32, member, true)
#define SPARSE_BOOL_AT(of, n, member) PLACED(of, n, FIELD_BOOL, AS_BOOL, member, true)
#define SOME_MILLI_16_AT(of, n, member) PLACED(of, n, FIELD_MILLI, AS_SOME_U16, member, false)
#define SOME_MILLI_32_AT(of, n, member) PLACED(of, n, FIELD_MILLI, AS_SOME_U32, member, false)
#define MILLI_32_AT(of, n, member) PLACED(of, n, FIELD_MILLI, AS_U32, member, false)
#define US_AT(of, n, member)       PLACED(of, n, FIELD_DURATION, AS_US, member, false)
#define SOME_MS_AT(of, n, member)  PLACED(of, n, FIELD_DURATION, AS_SOME_MS, member, false)
#define MS_64_AT(of, n, member)    PLACED(of, n, FIELD_DURATION, AS_MS_64, member, false)
#define STRING_AT(of, n, member)   PLACED(of, n, FIELD_TEXT, AS_STRING, member, false)
#define SPARSE_US_AT(of, n, member) PLACED(of, n, FIELD_DURATION, AS_US, member, true)
#define GETTER(n, t, function)     { .name = n, .type = t, .storage = IN_GETTER, .get = function }
#define COUNTS(n, function)        { .name = n, .type = FIELD_COUNTS, .count_at = function }

static struct field_value word(slice text)
{
    return (struct field_value){ .known = text.len > 0, .text = text };
}

static struct field_value duration(int64_t ns)
{
    return (struct field_value){ .known = ns >= 0, .number = ns };
}

static struct field_value some_number(int64_t n)
{
    return (struct field_value){ .known = n != 0, .number = n };
}

static struct field_value number(int64_t n) { return (struct field_value){ .known = true, .number = n }; }

static struct field_value deviation(const struct call_flow *f)
{
    return (struct field_value){ .known = f->deviation != CALL_FLOW_FOLLOWED, .number = f->step };
}

/* ---- causes ------------------------------------------------------------------------------ */

static const char *severity_of(enum cause_id id) { return cause_severity_name(cause_severity(id)); }
static const char *blame_of(enum cause_id id) { return cause_blame_name(cause_blame(id)); }

/* Something of the main cause; unknown when nothing went wrong. */
static struct field_value cause_word(const struct call_verdicts *v, const char *(*name)(enum cause_id id))
{
    return v && v->cause.cause ? word(slice_of_string(name((enum cause_id)v->cause.cause))) : (struct field_value){0};
}

static struct field_value certainty_word(const struct call_verdicts *v)
{
    return v && v->cause.cause ? word(verdict_certainty_name((enum verdict_certainty)v->cause.certainty))
                               : (struct field_value){0};
}

/* ---- calls ---------------------------------------------------------------------------- */

/* Of the worse direction. */
static uint64_t way_loss_milli(const struct call_media_way *w)
{
    uint64_t expected = w->packets + w->lost;

    return expected ? (w->lost * 100000 + expected / 2) / expected : 0;
}

static struct field_value call_loss(const struct call *c)
{
    uint64_t a = way_loss_milli(&c->media.to_callee), b = way_loss_milli(&c->media.to_caller);

    return (struct field_value){ .known = c->media.to_callee.packets + c->media.to_caller.packets > 0,
                                 .number = (int64_t)(a > b ? a : b) };
}

static struct field_value call_jitter(const struct call *c)
{
    uint32_t a = c->media.to_callee.jitter_max_us, b = c->media.to_caller.jitter_max_us;

    return (struct field_value){ .known = c->media.to_callee.packets + c->media.to_caller.packets > 0,
                                 .number = (int64_t)(a > b ? a : b) * 1000 };
}

/* A getter of one expression over the record, of this type and under this name. */
#define RECORD_GETTER(type, variable, name, expression)                                            \
    static void name(const void *record, struct field_value *ret, char room[FIELD_ROOM])           \
    {                                                                                              \
        const type *variable = record;                                                             \
        (void)room;                                                                                \
        *ret = (expression);                                                                       \
    }

#define CALL_GETTER(name, expression) RECORD_GETTER(struct call, c, name, expression)

CALL_GETTER(get_family, word(call_status(c).family))
CALL_GETTER(get_code, number(call_status(c).code))
CALL_GETTER(get_name, word(call_status(c).name))
CALL_GETTER(get_list, word(call_list_name(call_status(c).list)))
CALL_GETTER(get_detail, c->state != CALL_SILENT ? (struct field_value){0}
                        : word(c->media.absent ? SLICE("media") : SLICE("signalling")))
CALL_GETTER(get_mos, ((struct field_value){ .known = c->media.mos_milli != 0, .number = c->media.mos_milli }))
CALL_GETTER(get_loss, call_loss(c))
CALL_GETTER(get_jitter, call_jitter(c))
CALL_GETTER(get_dtmf, word(c->media.dtmf == 3 ? SLICE("rtp info") : c->media.dtmf == CALL_DTMF_INFO ? SLICE("info")
                           : c->media.dtmf ? SLICE("rtp") : (slice){0}))
CALL_GETTER(get_streams, number(c->media.to_callee.streams + c->media.to_caller.streams))
CALL_GETTER(get_last_response, word(call_last_response(c, room)))
CALL_GETTER(get_transport, word(wire_transport_name((enum wire_transport)c->transport)))
CALL_GETTER(get_ended_by, word(call_side_name((enum call_side)c->ended_by)))
CALL_GETTER(get_ack, word(call_ack_name((enum call_ack)c->ack)))
CALL_GETTER(get_join, word(call_join_name((enum call_join)c->join)))
CALL_GETTER(get_join_score, some_number(c->join_score))
CALL_GETTER(get_cause, cause_word(c->verdicts, cause_slug))
CALL_GETTER(get_severity, cause_word(c->verdicts, severity_of))
CALL_GETTER(get_certainty, certainty_word(c->verdicts))
CALL_GETTER(get_blame, cause_word(c->verdicts, blame_of))
CALL_GETTER(get_pdd, duration(call_pdd_ns(c)))
CALL_GETTER(get_ring, duration(call_ring_ns(c)))
CALL_GETTER(get_talk, duration(call_talk_ns(c)))
CALL_GETTER(get_duration, duration(call_duration_ns(c)))
CALL_GETTER(get_flow, word(slice_of_string(flow_at(c->flow.flow)->name)))
CALL_GETTER(get_deviation, deviation(&c->flow))
CALL_GETTER(get_prack, number(c->methods[SIP_PRACK]))
CALL_GETTER(get_update, number(c->methods[SIP_UPDATE]))

/* Our side is not known to a reader of captures: only who dials or serves can say kill or finish. */
CALL_GETTER(get_release, ((void)c, (struct field_value){0}))

static void get_session(const void *record, struct field_value *ret, char room[FIELD_ROOM])
{
    const struct call *c = record;
    uint64_t n = c->session % 1000000;                    /* the numbers of a file are small */
    size_t at = 8;

    do
        room[--at] = (char)('0' + n % 10);
    while ((n /= 10));
    room[--at] = 's';
    *ret = word(slice_of(room + at, 8 - at));
}

static bool response_at(const void *record, size_t index, slice *ret_name, uint64_t *ret_count,
                        char room[FIELD_ROOM])
{
    const struct call *c = record;

    if (index >= c->code_count)
        return false;
    room[0] = (char)('0' + c->codes[index].code / 100 % 10);
    room[1] = (char)('0' + c->codes[index].code / 10 % 10);
    room[2] = (char)('0' + c->codes[index].code % 10);
    *ret_name = slice_of(room, 3);
    *ret_count = c->codes[index].count;
    return true;
}

static bool method_at(const void *record, size_t index, slice *ret_name, uint64_t *ret_count,
                      char room[FIELD_ROOM])
{
    const struct call *c = record;

    (void)room;
    for (size_t i = 0; i < SIP_METHODS; i++) {
        if (c->methods[i] == 0 || index-- > 0)
            continue;
        *ret_name = i == SIP_UNKNOWN ? SLICE("other") : sip_method_name((enum sip_method)i);
        *ret_count = c->methods[i];
        return true;
    }
    return false;
}

#define C(macro, name, member) macro(struct call, name, member)
static const struct field call_field_list[] = {
    C(U64_AT, "index", index),
    C(TEXT_AT, "call_id", call_id),
    GETTER("session", FIELD_WORD, get_session),
    GETTER("state.family", FIELD_WORD, get_family),
    GETTER("state.code", FIELD_NUMBER, get_code),
    GETTER("state.name", FIELD_WORD, get_name),
    GETTER("state.list", FIELD_WORD, get_list),
    GETTER("state.detail", FIELD_WORD, get_detail),
    C(U16_AT, "final", final),
    C(TEXT_AT, "reason", reason),
    C(CODE_AT, "last_progress", last_progress),
    GETTER("last_response", FIELD_WORD, get_last_response),
    COUNTS("responses", response_at),
    COUNTS("methods", method_at),
    C(U32_AT, "messages", messages),
    C(U32_AT, "retransmissions", retransmissions),
    C(U32_AT, "copies", copies),
    C(TEXT_AT, "from.uri", from.uri),
    C(TEXT_AT, "from.user", from.user),
    C(TEXT_AT, "from.display", from.display),
    C(TEXT_AT, "from.tag", from.tag),
    C(TEXT_AT, "to.uri", to.uri),
    C(TEXT_AT, "to.user", to.user),
    C(TEXT_AT, "to.display", to.display),
    C(TEXT_AT, "to.tag", to.tag),
    C(TEXT_AT, "request_uri", request_uri),
    C(TEXT_AT, "user_agent", user_agent),
    C(TEXT_AT, "server", server),
    C(ADDRESS_AT, "caller_addr", caller_addr),
    C(ADDRESS_AT, "callee_addr", callee_addr),
    GETTER("transport", FIELD_WORD, get_transport),
    C(TIME_AT, "invite_at", invite_ns),
    C(TIME_AT, "first_response_at", first_response_ns),
    C(TIME_AT, "progress_at", progress_ns),
    C(TIME_AT, "ringing_at", ringing_ns),
    C(TIME_AT, "answered_at", answered_ns),
    C(TIME_AT, "cancelled_at", cancel_ns),
    C(TIME_AT, "ended_at", ended_ns),
    C(TIME_AT, "last_at", last_ns),
    GETTER("pdd_ms", FIELD_DURATION, get_pdd),
    GETTER("ring_ms", FIELD_DURATION, get_ring),
    GETTER("talk_ms", FIELD_DURATION, get_talk),
    GETTER("duration_ms", FIELD_DURATION, get_duration),
    GETTER("ended_by", FIELD_WORD, get_ended_by),
    GETTER("release", FIELD_WORD, get_release),
    C(CODE_AT, "q850", q850),
    C(CODE_AT, "reason_sip", reason_sip),
    C(TEXT_AT, "reason_text", reason_text),
    C(BOOL_AT, "answered", answered),
    GETTER("ack", FIELD_WORD, get_ack),
    C(SPARSE_U16_AT, "answer_repeats", replies_after_answer),
    C(BOOL_AT, "early_media", early_media),
    C(SPARSE_BOOL_AT, "reliable", reliable),
    C(U16_AT, "held", held),
    C(SPARSE_BOOL_AT, "on_hold", on_hold),
    C(U16_AT, "forwarded", forwarded),
    C(SPARSE_U16_AT, "transfers", transfers),
    C(TEXT_AT, "refer_to", refer_to),
    C(CODE_AT, "transfer_status", transfer_status),
    C(TEXT_AT, "replaces", replaces),
    C(TEXT_AT, "redirect_to", redirect_to),
    GETTER("prack", FIELD_NUMBER, get_prack),
    GETTER("update", FIELD_NUMBER, get_update),
    C(U16_AT, "reinvites", reinvites),
    C(CODE_AT, "reinvite_final", reinvite_final),
    C(U16_AT, "attempts", attempts),
    C(SPARSE_U16_AT, "forks", forks),
    C(CODE_AT, "challenge", challenge),
    GETTER("cause.id", FIELD_CAUSE, get_cause),
    GETTER("cause.severity", FIELD_CAUSE, get_severity),
    GETTER("cause.certainty", FIELD_CAUSE, get_certainty),
    GETTER("cause.blame", FIELD_CAUSE, get_blame),
    GETTER("flow.name", FIELD_FLOW, get_flow),
    GETTER("flow.deviates_at", FIELD_DEVIATION, get_deviation),
    C(CODE_AT, "bye_final", bye_final),
    C(CODE_AT, "cancel_final", cancel_final),
    C(SOME_U32_AT, "session_expires_s", session_expires_s),
    C(SPARSE_U16_AT, "refreshes", refreshes),
    C(TEXT_AT, "session_id", session_id),
    C(TEXT_AT, "icid", icid),
    GETTER("mos", FIELD_MILLI, get_mos),
    GETTER("loss_pct", FIELD_MILLI, get_loss),
    GETTER("jitter_max_ms", FIELD_DURATION, get_jitter),
    GETTER("streams", FIELD_NUMBER, get_streams),
    GETTER("dtmf", FIELD_WORD, get_dtmf),
    C(SPARSE_BOOL_AT, "srtp", media.secure),
    C(SPARSE_BOOL_AT, "media_visible", media.visible),
    C(U64_AT, "to_callee.packets", media.to_callee.packets),
    C(TIME_AT, "to_callee.first_at", media.to_callee.first_ns),
    C(TIME_AT, "to_callee.last_at", media.to_callee.last_ns),
    C(SOME_MILLI_16_AT, "to_callee.mos", media.to_callee.mos_milli),
    C(U64_AT, "to_caller.packets", media.to_caller.packets),
    C(TIME_AT, "to_caller.first_at", media.to_caller.first_ns),
    C(TIME_AT, "to_caller.last_at", media.to_caller.last_ns),
    C(SOME_MILLI_16_AT, "to_caller.mos", media.to_caller.mos_milli),
    C(SPARSE_BOOL_AT, "crossed", crossed),
    C(SPARSE_BOOL_AT, "emergency", emergency),
    C(SPARSE_BOOL_AT, "partial", partial),
    C(SPARSE_BOOL_AT, "open_at_end", open_at_end),
    C(SPARSE_BOOL_AT, "slow_timers", slow_timers),
    C(SPARSE_U16_AT, "surprises", surprises),
    C(SPARSE_U16_AT, "flaws", flaws),
    C(U64_AT, "first_frame", first_frame),
    C(U64_AT, "last_frame", last_frame),
    GETTER("joined_by", FIELD_WORD, get_join),
    GETTER("join_score", FIELD_NUMBER, get_join_score),
};
const struct field_table call_fields = { "call", call_field_list, ARRAY_LEN(call_field_list) };

/* ---- registrations ---------------------------------------------------------------------- */

#define REGISTRATION_GETTER(name, expression) RECORD_GETTER(struct registration, r, name, expression)

REGISTRATION_GETTER(get_r_family, word(registration_status(r).family))
REGISTRATION_GETTER(get_r_code, number(registration_status(r).code))
REGISTRATION_GETTER(get_r_name, word(registration_status(r).name))
REGISTRATION_GETTER(get_r_list, ((void)r, word(SLICE("registrations"))))
REGISTRATION_GETTER(get_r_reason, word(registration_reason_name((enum registration_reason)r->reason)))
REGISTRATION_GETTER(get_r_cause, cause_word(r->verdicts, cause_slug))
REGISTRATION_GETTER(get_r_severity, cause_word(r->verdicts, severity_of))
REGISTRATION_GETTER(get_r_flow, word(slice_of_string(flow_at(r->flow.flow)->name)))
REGISTRATION_GETTER(get_r_deviation, deviation(&r->flow))
REGISTRATION_GETTER(get_r_transport, word(wire_transport_name((enum wire_transport)r->transport)))

#define R(macro, name, member) macro(struct registration, name, member)
static const struct field registration_field_list[] = {
    R(U64_AT, "index", index),
    R(TEXT_AT, "aor", aor),
    R(TEXT_AT, "contact", contact),
    R(TEXT_AT, "call_id", call_id),
    R(ADDRESS_AT, "client", client),
    R(ADDRESS_AT, "registrar", registrar),
    GETTER("transport", FIELD_WORD, get_r_transport),
    R(TEXT_AT, "user_agent", user_agent),
    GETTER("state.family", FIELD_WORD, get_r_family),
    GETTER("state.code", FIELD_NUMBER, get_r_code),
    GETTER("state.name", FIELD_WORD, get_r_name),
    GETTER("state.list", FIELD_WORD, get_r_list),
    R(U16_AT, "final", final),
    R(TEXT_AT, "phrase", phrase),
    R(SOME_U32_AT, "expires_s", expires_s),
    R(SOME_U32_AT, "min_expires_s", min_expires_s),
    R(U32_AT, "requests", requests),
    R(SPARSE_U32_AT, "refreshes", refreshes),
    R(SPARSE_U32_AT, "failures", failures),
    R(U32_AT, "retransmissions", retransmissions),
    R(U32_AT, "copies", copies),
    R(BOOL_AT, "challenged", challenged),
    R(SPARSE_BOOL_AT, "all_contacts", all_contacts),
    R(TIME_AT, "first_at", first_ns),
    R(TIME_AT, "registered_at", registered_ns),
    R(TIME_AT, "expires_at", expires_ns),
    R(TIME_AT, "removed_at", removed_ns),
    R(TIME_AT, "last_at", last_ns),
    GETTER("reason", FIELD_WORD, get_r_reason),
    GETTER("cause.id", FIELD_CAUSE, get_r_cause),
    GETTER("cause.severity", FIELD_CAUSE, get_r_severity),
    GETTER("flow.name", FIELD_FLOW, get_r_flow),
    GETTER("flow.deviates_at", FIELD_DEVIATION, get_r_deviation),
    R(SPARSE_BOOL_AT, "open_at_end", open_at_end),
    R(SPARSE_U16_AT, "surprises", surprises),
    R(SPARSE_U16_AT, "flaws", flaws),
    R(U64_AT, "first_frame", first_frame),
    R(U64_AT, "last_frame", last_frame),
};
const struct field_table registration_fields = { "registration", registration_field_list,
                                                 ARRAY_LEN(registration_field_list) };

/* ---- transactions ------------------------------------------------------------------------- */

RECORD_GETTER(struct transaction, t, get_t_transport, word(wire_transport_name((enum wire_transport)t->transport)))
RECORD_GETTER(struct transaction, t, get_t_duration,
              duration(t->asked_ns && t->answered_ns >= t->asked_ns ? t->answered_ns - t->asked_ns : -1))

#define T(macro, name, member) macro(struct transaction, name, member)
static const struct field transaction_field_list[] = {
    T(U64_AT, "index", index),
    T(TEXT_AT, "method", method),
    T(TEXT_AT, "call_id", call_id),
    T(U32_AT, "cseq", cseq),
    T(TEXT_AT, "from.uri", from_uri),
    T(TEXT_AT, "from.tag", from_tag),
    T(TEXT_AT, "to.uri", to_uri),
    T(TEXT_AT, "event", event),
    T(ADDRESS_AT, "src", src),
    T(ADDRESS_AT, "dst", dst),
    GETTER("transport", FIELD_WORD, get_t_transport),
    T(U16_AT, "final", final),
    T(TEXT_AT, "reason", phrase),
    T(CODE_AT, "last_progress", last_progress),
    T(BOOL_AT, "challenged", challenged),
    T(SPARSE_BOOL_AT, "partial", partial),
    T(TIME_AT, "asked_at", asked_ns),
    T(TIME_AT, "answered_at", answered_ns),
    GETTER("duration_ms", FIELD_DURATION, get_t_duration),
    T(U32_AT, "retransmissions", retransmissions),
    T(U32_AT, "copies", copies),
    T(U64_AT, "first_frame", first_frame),
    T(U64_AT, "last_frame", last_frame),
};
const struct field_table transaction_fields = { "transaction", transaction_field_list,
                                                ARRAY_LEN(transaction_field_list) };

/* ---- messages ------------------------------------------------------------------------------ */

RECORD_GETTER(struct message_row, m, get_m_transport, word(wire_transport_name((enum wire_transport)m->transport)))

#define M(macro, name, member) macro(struct message_row, name, member)
static const struct field message_field_list[] = {
    M(U64_AT, "frame", frame),
    M(TIME_AT, "at", at_ns),
    M(ADDRESS_AT, "src", src),
    M(ADDRESS_AT, "dst", dst),
    GETTER("transport", FIELD_WORD, get_m_transport),
    M(BOOL_AT, "request", request),
    M(TEXT_AT, "method", method),
    M(CODE_AT, "status", status),
    M(TEXT_AT, "reason", reason),
    M(TEXT_AT, "uri", uri),
    M(TEXT_AT, "call_id", call_id),
    M(U32_AT, "cseq", cseq),
    M(TEXT_AT, "from.uri", from_uri),
    M(TEXT_AT, "from.tag", from_tag),
    M(TEXT_AT, "to.uri", to_uri),
    M(TEXT_AT, "to.tag", to_tag),
    M(TEXT_AT, "branch", branch),
    M(TEXT_AT, "user_agent", user_agent),
    M(TEXT_AT, "content_type", content_type),
    M(U64_AT, "call", call),
    M(TEXT_AT, "seen", seen),
    M(TEXT_AT, "flaws", flaws),
    M(U32_AT, "bytes", bytes),
    M(SPARSE_BOOL_AT, "hep", hep),
    M(SPARSE_BOOL_AT, "cut", cut),
};
const struct field_table message_fields = { "message", message_field_list,
                                            ARRAY_LEN(message_field_list) };

/* ---- streams ------------------------------------------------------------------------------- */

#define STREAM_GETTER(name, expression) RECORD_GETTER(struct stream, s, name, expression)

static struct field_value milli_number(int64_t thousandths)
{
    return (struct field_value){ .known = thousandths > 0, .number = thousandths };
}

static slice direction_name(unsigned direction)
{
    static const char *const names[] = { "", "sendrecv", "sendonly", "recvonly", "inactive" };

    return slice_of_string(direction < ARRAY_LEN(names) ? names[direction] : "");
}

static struct field_value address_known(const struct address *a)
{
    return (struct field_value){ .known = a->family != 0, .address = a };
}

static struct field_value hexadecimal(uint32_t n, char room[FIELD_ROOM])
{
    room[0] = '0', room[1] = 'x';
    for (int i = 0; i < 8; i++)
        room[2 + i] = "0123456789abcdef"[n >> (28 - 4 * i) & 15];
    return word(slice_of(room, 10));
}

static slice media_name(uint8_t media)
{
    return media == 'a' ? SLICE("audio") : media == 'v' ? SLICE("video") : media == 'o' ? SLICE("other") : (slice){0};
}

STREAM_GETTER(get_s_ssrc, hexadecimal(s->ssrc, room))
STREAM_GETTER(get_s_call, ((struct field_value){ .known = s->call != 0, .number = (int64_t)s->call }))
STREAM_GETTER(get_s_side, word(stream_side_name((enum stream_side)s->side)))
STREAM_GETTER(get_s_bound, word(stream_bound_name((enum stream_bound)s->bound)))
STREAM_GETTER(get_s_band, word(stream_band_name((enum stream_band)s->band)))
STREAM_GETTER(get_s_media, word(media_name(s->media)))
STREAM_GETTER(get_s_expected, number((int64_t)s->packets + s->lost))
STREAM_GETTER(get_s_loss, number(stream_loss_milli(s)))
STREAM_GETTER(get_s_duration, duration(s->last_ns - s->first_ns))
STREAM_GETTER(get_s_drift, ((struct field_value){ .known = s->drift_ppm != 0, .number = s->drift_ppm }))
STREAM_GETTER(get_s_r, milli_number(s->buffers[STREAM_ADAPTIVE].r_milli))
STREAM_GETTER(get_s_mos, milli_number(s->buffers[STREAM_ADAPTIVE].mos_milli))
STREAM_GETTER(get_s_worst_at, ((struct field_value){ .known = s->worst_mos_milli != 0, .number = s->worst_ns }))
STREAM_GETTER(get_s_sender, address_known(&s->sender.address))
STREAM_GETTER(get_s_sender_direction, word(direction_name(s->sender.direction)))
STREAM_GETTER(get_s_receiver, address_known(&s->receiver.address))
STREAM_GETTER(get_s_receiver_direction, word(direction_name(s->receiver.direction)))
STREAM_GETTER(get_s_reports, number(s->rtcp.sender_reports + s->rtcp.receiver_reports))
STREAM_GETTER(get_s_xr_lq, milli_number(s->rtcp.xr_mos_lq * 100))
STREAM_GETTER(get_s_xr_cq, milli_number(s->rtcp.xr_mos_cq * 100))

static size_t types_at(const void *record, size_t index, int64_t ret[FIELD_ROW_MAX])
{
    const struct stream *s = record;

    for (unsigned i = 0; i < s->type_count && i < FIELD_ROW_MAX; i++)
        ret[i] = s->types[i];
    return index ? 0 : s->type_count;
}

/* seconds, packets, lost, discarded, jitter in ms, MOS, flags. */
static size_t runs_at(const void *record, size_t index, int64_t ret[FIELD_ROW_MAX])
{
    const struct stream *s = record;

    if (index >= s->run_count)
        return 0;
    const struct stream_run *r = &s->runs[index];
    const int64_t row[] = { r->seconds * 1000, r->packets * 1000, r->lost * 1000, r->discarded * 1000,
                            r->jitter_ms * 1000, stream_run_mos_milli(r), r->flags * 1000 };

    memcpy(ret, row, sizeof row);
    return ARRAY_LEN(row);
}

#define S(macro, name, member) macro(struct stream, name, member)
#define ROWS(n, t, function) { .name = n, .type = t, .storage = IN_GETTER, .row_at = function }
static const struct field stream_field_list[] = {
    S(U64_AT, "index", index),
    GETTER("ssrc", FIELD_WORD, get_s_ssrc),
    S(ADDRESS_AT, "src", src),
    S(ADDRESS_AT, "dst", dst),
    S(TEXT_AT, "call_id", call_id),
    GETTER("call", FIELD_NUMBER, get_s_call),
    GETTER("sent_by", FIELD_WORD, get_s_side),
    GETTER("bound_by", FIELD_WORD, get_s_bound),
    PLACED(struct stream, "hop", FIELD_NUMBER, AS_U8, hop, false),
    GETTER("media", FIELD_WORD, get_s_media),
    ROWS("payload_types", FIELD_NUMBERS, types_at),
    S(STRING_AT, "codec", codec),
    S(SOME_U32_AT, "clock_hz", clock_hz),
    S(SPARSE_BOOL_AT, "clock_guessed", clock_guessed),
    S(CODE_AT, "frame_ms", frame_ms),
    S(U32_AT, "packets", packets),
    GETTER("expected", FIELD_NUMBER, get_s_expected),
    S(U32_AT, "lost", lost),
    GETTER("loss_pct", FIELD_MILLI, get_s_loss),
    S(U32_AT, "duplicates", duplicates),
    S(U32_AT, "reordered", reordered),
    S(U32_AT, "copies", copies),
    S(SPARSE_U32_AT, "restarts", restarts),
    S(SPARSE_U32_AT, "timestamp_jumps", timestamp_jumps),
    S(U64_AT, "bytes", bytes),
    S(US_AT, "jitter_mean_ms", jitter_mean_us),
    S(US_AT, "jitter_max_ms", jitter_max_us),
    GETTER("drift_ppm", FIELD_NUMBER, get_s_drift),
    S(SOME_MS_AT, "gap_max_ms", gap_max_ms),
    S(TIME_AT, "first_at", first_ns),
    S(TIME_AT, "last_at", last_ns),
    GETTER("duration_ms", FIELD_DURATION, get_s_duration),
    GETTER("band", FIELD_WORD, get_s_band),
    GETTER("r_factor", FIELD_MILLI, get_s_r),
    GETTER("mos", FIELD_MILLI, get_s_mos),
    S(SOME_MILLI_32_AT, "r_factor_lq", r_lq_milli),
    S(SOME_MILLI_16_AT, "mos_lq", mos_lq_milli),
    S(SOME_MILLI_16_AT, "mos_f50", buffers[STREAM_FIXED_50].mos_milli),
    S(SOME_MILLI_16_AT, "mos_f200", buffers[STREAM_FIXED_200].mos_milli),
    S(SOME_MILLI_16_AT, "mos_worst", worst_mos_milli),
    GETTER("worst_at", FIELD_TIME, get_s_worst_at),
    S(SPARSE_BOOL_AT, "estimated", estimated),
    S(U32_AT, "discarded", buffers[STREAM_ADAPTIVE].discarded),
    S(U32_AT, "discarded_f50", buffers[STREAM_FIXED_50].discarded),
    S(U32_AT, "discarded_f200", buffers[STREAM_FIXED_200].discarded),
    S(SOME_MS_AT, "buffer_ms", buffers[STREAM_ADAPTIVE].delay_ms),
    S(U32_AT, "bursts.count", bursts),
    S(MILLI_32_AT, "bursts.loss_pct", burst_loss_milli),
    S(SOME_MS_AT, "bursts.mean_ms", burst_ms),
    S(MILLI_32_AT, "gaps.loss_pct", gap_loss_milli),
    S(SOME_MS_AT, "gaps.mean_ms", gap_ms),
    S(SOME_MILLI_32_AT, "burst_r", burst_r_milli),
    S(SPARSE_BOOL_AT, "silence_suppressed", silence_suppressed),
    S(SPARSE_U32_AT, "spurts", spurts),
    S(SPARSE_U32_AT, "silent_s", silent_s),
    S(SPARSE_U32_AT, "comfort_noise", comfort_noise),
    S(SPARSE_U32_AT, "codec_changes", codec_changes),
    S(SPARSE_U32_AT, "early_packets", early_packets),
    S(SPARSE_U32_AT, "early_lost", early_lost),
    S(STRING_AT, "dtmf", dtmf),
    S(SPARSE_U32_AT, "dtmf_events", dtmf_events),
    S(SPARSE_U32_AT, "dtmf_unended", dtmf_unended),
    S(SPARSE_BOOL_AT, "secure", secure),
    S(SPARSE_BOOL_AT, "unnamed_source", unnamed_source),
    S(SPARSE_BOOL_AT, "unnamed_target", unnamed_target),
    S(SPARSE_BOOL_AT, "wrong_type", wrong_type),
    S(MS_64_AT, "late_start_ms", late_start_ms),
    S(MS_64_AT, "early_stop_ms", early_stop_ms),
    GETTER("sender.addr", FIELD_ADDRESS, get_s_sender),
    S(STRING_AT, "sender.codecs", sender.codecs),
    GETTER("sender.direction", FIELD_WORD, get_s_sender_direction),
    S(CODE_AT, "sender.ptime_ms", sender.ptime_ms),
    GETTER("receiver.addr", FIELD_ADDRESS, get_s_receiver),
    S(STRING_AT, "receiver.codecs", receiver.codecs),
    GETTER("receiver.direction", FIELD_WORD, get_s_receiver_direction),
    S(CODE_AT, "receiver.ptime_ms", receiver.ptime_ms),
    S(SOME_MS_AT, "two_way_ms", two_way_ms),
    GETTER("rtcp.reports", FIELD_NUMBER, get_s_reports),
    S(SPARSE_U32_AT, "rtcp.sent_packets", rtcp.sent_packets),
    S(SPARSE_U32_AT, "rtcp.expected", rtcp.reported_expected),
    S(SPARSE_U32_AT, "rtcp.lost", rtcp.reported_lost),
    PLACED(struct stream, "rtcp.loss_max_pct", FIELD_MILLI, AS_U32, rtcp.fraction_max_milli, true),
    S(SPARSE_US_AT, "rtcp.jitter_max_ms", rtcp.jitter_max_us),
    S(SPARSE_U32_AT, "rtcp.suspect", rtcp.suspect),
    S(SPARSE_U32_AT, "rtcp.bye", rtcp.bye),
    GETTER("rtcp.mos_lq", FIELD_MILLI, get_s_xr_lq),
    GETTER("rtcp.mos_cq", FIELD_MILLI, get_s_xr_cq),
    S(CODE_AT, "rtcp.r_factor", rtcp.xr_r),
    S(CODE_AT, "rtcp.two_way_ms", rtcp.xr_delay_ms),
    S(SPARSE_BOOL_AT, "open_at_end", open_at_end),
    S(SPARSE_BOOL_AT, "tables_full", tables_full),
    S(U64_AT, "first_frame", first_frame),
    S(U64_AT, "last_frame", last_frame),
    PLACED(struct stream, "run_step_s", FIELD_NUMBER, AS_SOME_U32, run_step_s, false),
    ROWS("runs", FIELD_ROWS, runs_at),
};
const struct field_table stream_fields = { "stream", stream_field_list, ARRAY_LEN(stream_field_list) };

/* ---- reading ------------------------------------------------------------------------------ */

struct field_value field_get(const struct field *f, const void *record, char room[FIELD_ROOM])
{
    const char *at = (const char *)record + f->offset;
    struct field_value v = {0};

    switch ((enum storage)f->storage) {
    case IN_GETTER:
        if (f->get)
            f->get(record, &v, room);
        return v;
    case AS_SLICE:
        v.text = *(const slice *)(const void *)at;
        v.known = v.text.ptr != NULL;
        return v;
    case AS_U16:
        return number(*(const uint16_t *)(const void *)at);
    case AS_U32:
        return number(*(const uint32_t *)(const void *)at);
    case AS_U64:
        return number((int64_t)*(const uint64_t *)(const void *)at);
    case AS_SOME_U16:
        return some_number(*(const uint16_t *)(const void *)at);
    case AS_SOME_U32:
        return some_number(*(const uint32_t *)(const void *)at);
    case AS_US:
        return duration((int64_t)*(const uint32_t *)(const void *)at * 1000);
    case AS_SOME_MS:
        return some_number((int64_t)*(const uint32_t *)(const void *)at * 1000000);
    case AS_MS_64:
        v.number = *(const int64_t *)(const void *)at;
        return duration(v.number >= 0 ? v.number * 1000000 : -1);
    case AS_U8:
        return number(*(const uint8_t *)(const void *)at);
    case AS_STRING:
        return word(slice_of_string(at));
    case AS_NS:
        return some_number(*(const int64_t *)(const void *)at);
    case AS_BOOL:
        return number(*(const bool *)(const void *)at);
    case AS_ADDRESS:
        v.address = (const struct address *)(const void *)at;
        v.known = v.address->family != 0;
        return v;
    }
    return v;
}

const struct field *field_find(const struct field_table *table, slice name)
{
    for (size_t i = 0; i < table->count; i++)
        if (slice_eq(slice_of_string(table->fields[i].name), name))
            return &table->fields[i];
    return NULL;
}

const struct field *field_nearest(const struct field_table *table, slice name)
{
    const struct field *best = &table->fields[0];
    unsigned least = UINT32_MAX;

    for (size_t i = 0; i < table->count; i++) {
        slice one = slice_of_string(table->fields[i].name);
        bool begins = name.len > 1 && slice_starts_nocase(one, name);      /* talk: talk_ms */
        unsigned distance = begins ? 0 : slice_distance(one, name);

        if (distance < least) {
            least = distance;
            best = &table->fields[i];
        }
    }
    return best;
}

/* ---- incidents -------------------------------------------------------------------------- */

#define INCIDENT_GETTER(name, expression) RECORD_GETTER(struct incident, i, name, expression)

INCIDENT_GETTER(get_incident_kind, word(wire_incident_name((enum wire_incident_kind)i->kind)))
INCIDENT_GETTER(get_incident_code, number(i->code))
INCIDENT_GETTER(get_incident_alert,
                word(i->kind == WIRE_TLS_ALERT ? wire_tls_alert_name(i->code) : SLICE("")))
INCIDENT_GETTER(get_incident_transport, word(wire_transport_name((enum wire_transport)i->transport)))

#define I(macro, name, member) macro(struct incident, name, member)
static const struct field incident_field_list[] = {
    GETTER("kind", FIELD_WORD, get_incident_kind),
    GETTER("code", FIELD_NUMBER, get_incident_code),
    GETTER("alert", FIELD_WORD, get_incident_alert),
    GETTER("transport", FIELD_WORD, get_incident_transport),
    I(BOOL_AT, "media", media),
    I(ADDRESS_AT, "src", src),
    I(ADDRESS_AT, "dst", dst),
    I(U32_AT, "count", count),
    I(TIME_AT, "first_at", first_ns),
    I(TIME_AT, "last_at", last_ns),
    I(U64_AT, "first_frame", first_frame),
    I(U64_AT, "last_frame", last_frame),
};
const struct field_table incident_fields = { "incident", incident_field_list,
                                             ARRAY_LEN(incident_field_list) };
