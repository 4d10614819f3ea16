/* report/notes.c - see notes.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/notes.h"

#include "media/stream.h"

void notes_add(struct out *notes, const struct words *w, slice text)
{
    out_text(notes, notes->used ? words_text(w, TEXT_CLI_LIST_SEPARATOR) : SLICE(""));
    out_text(notes, text);
}

static void note_counted(struct out *notes, const struct words *w, enum text_id id, uint64_t count)
{
    struct out text;

    if (count == 0)
        return;
    out_init_memory(&text, 1024);
    words_say_plural(&text, w, id, WORDS_NUMBER("count", count));
    notes_add(notes, w, out_taken(&text));
    out_done(&text);
}

void notes_call(struct out *o, const struct words *w, const struct call *c)
{
    const struct { bool yes; enum text_id id; } notes[] = {
        { c->partial, TEXT_READ_NOTE_NO_BEGINNING },
        { c->open_at_end, TEXT_READ_NOTE_OPEN },
        { c->state == CALL_NOT_FOLLOWED, TEXT_READ_NOTE_NOT_FOLLOWED },
        { c->emergency, TEXT_READ_NOTE_EMERGENCY },
        { c->ack == CALL_ACK_LOST, TEXT_READ_NOTE_ACK_LOST },
        { c->ack == CALL_ACK_LATE, TEXT_READ_NOTE_ACK_LATE },
        { c->crossed && c->cancel_ns, TEXT_READ_NOTE_CROSSED },
        { c->forwarded > 0, TEXT_READ_NOTE_FORWARDED },
        { c->transfers > 0, TEXT_READ_NOTE_TRANSFERRED },
        { c->forks > 0, TEXT_READ_NOTE_FORKED },
        { c->early_media, TEXT_READ_NOTE_EARLY_MEDIA },
    };

    for (size_t i = 0; i < ARRAY_LEN(notes); i++)
        if (notes[i].yes)
            notes_add(o, w, words_text(w, notes[i].id));
    note_counted(o, w, TEXT_READ_NOTE_HELD, c->held);
    note_counted(o, w, TEXT_READ_NOTE_REPEATS, c->retransmissions);
}

void notes_registration(struct out *o, const struct words *w, const struct registration *r)
{
    if (r->challenged)
        notes_add(o, w, words_text(w, TEXT_READ_NOTE_CHALLENGED));
    if (r->reason == REGISTRATION_EXPIRED)
        notes_add(o, w, words_text(w, TEXT_READ_NOTE_EXPIRED));
    if (r->reason == REGISTRATION_DISPLACED)
        notes_add(o, w, words_text(w, TEXT_READ_NOTE_DISPLACED));
    note_counted(o, w, TEXT_READ_NOTE_REPEATS, r->retransmissions);
}

void notes_stream(struct out *o, const struct words *w, const struct stream *s)
{
    const struct { bool yes; enum text_id id; } notes[] = {
        { s->bound == STREAM_ORPHAN, TEXT_READ_NOTE_NO_CALL },
        { s->hop > 1, TEXT_READ_NOTE_SEEN_HOP },
        { s->secure, TEXT_READ_NOTE_SECURE },
        { s->estimated && stream_mos_milli(s), TEXT_READ_NOTE_ESTIMATED },
        { s->unnamed_source, TEXT_READ_NOTE_UNNAMED_SOURCE },
        { s->wrong_type, TEXT_READ_NOTE_WRONG_TYPE },
        { s->silence_suppressed, TEXT_READ_NOTE_SILENCE },
        { s->codec_changes > 0, TEXT_READ_NOTE_CODEC_CHANGED },
        { s->restarts > 0, TEXT_READ_NOTE_RESTARTED },
    };

    for (size_t i = 0; i < ARRAY_LEN(notes); i++)
        if (notes[i].yes)
            notes_add(o, w, words_text(w, notes[i].id));
    note_counted(o, w, TEXT_READ_NOTE_DUPLICATES, s->duplicates);
    if (s->dtmf[0]) {
        struct out keys;

        out_init_memory(&keys, 1024);
        words_say(&keys, w, TEXT_READ_NOTE_DTMF, WORDS_TEXT("keys", slice_of_string(s->dtmf)));
        notes_add(o, w, out_taken(&keys));
        out_done(&keys);
    }
}

static const enum text_id incident_words[WIRE_INCIDENTS] = {
    [WIRE_ICMP_UNREACHABLE] = TEXT_READ_INCIDENT_UNREACHABLE,
    [WIRE_ICMP_PORT_CLOSED] = TEXT_READ_INCIDENT_PORT_CLOSED,
    [WIRE_ICMP_TOO_BIG] = TEXT_READ_INCIDENT_TOO_BIG,
    [WIRE_ICMP_EXPIRED] = TEXT_READ_INCIDENT_EXPIRED,
    [WIRE_TCP_REFUSED] = TEXT_READ_INCIDENT_REFUSED,
    [WIRE_TCP_NO_ANSWER] = TEXT_READ_INCIDENT_NO_ANSWER,
    [WIRE_TCP_BROKEN] = TEXT_READ_INCIDENT_BROKEN,
    [WIRE_TLS_ALERT] = TEXT_READ_INCIDENT_TLS_ALERT,
};

/* The part after the answer, which is what is scored; with none of it the whole. */
static bool is_short(const struct stream *s)
{
    uint32_t all = s->packets + s->lost, early = s->early_packets + s->early_lost;
    uint64_t seconds = 0;

    if (s->last_ns - s->first_ns < MEDIA_SCORE_NS || all < MEDIA_SCORE_PACKETS)
        return true;
    for (uint32_t i = 0; i < s->run_count; i++)
        seconds += s->runs[i].flags & STREAM_RUN_EARLY ? 0 : s->runs[i].seconds;
    return early && early < all && (all - early < MEDIA_SCORE_PACKETS || seconds <= MEDIA_SCORE_NS / MEDIA_SECOND_NS);
}

slice notes_unscored(const struct words *w, const struct stream *s)
{
    if (stream_mos_milli(s) || s->secure)
        return (slice){0};
    return words_text(w, is_short(s) ? TEXT_HTML_UNSCORED : TEXT_HTML_UNRATED);
}

void notes_heard(struct out *o, const struct words *w, const struct stream *s)
{
    enum text_id id = stream_mos_milli(s) ? TEXT_HTML_MEDIA : s->secure ? TEXT_HTML_MEDIA_SECURE
                      : is_short(s) ? TEXT_HTML_MEDIA_UNSCORED : TEXT_HTML_MEDIA_UNRATED;
    struct out loss, mos;

    out_init_memory(&loss, 64);
    out_init_memory(&mos, 64);
    notes_milli(&loss, stream_loss_milli(s), 1);
    notes_milli(&mos, stream_mos_milli(s), 2);
    words_say_plural(o, w, id, WORDS_NUMBER("count", s->packets), WORDS_TEXT("loss", out_taken(&loss)),
                     WORDS_TEXT("mos", out_taken(&mos)));
    out_done(&loss);
    out_done(&mos);
}

void notes_incident(struct out *o, const struct words *w, const struct incident *i)
{
    slice alert = wire_tls_alert_name(i->code);

    words_say(o, w, incident_words[i->kind], WORDS_NUMBER("code", i->code),
              WORDS_TEXT("name", alert.len ? alert : SLICE("?")));
}

void notes_code(struct out *o, const struct words *w, enum code_family family, unsigned number, slice otherwise)
{
    const struct code *code = code_find(family, number);
    slice name = code ? code_name(w, code) : otherwise;

    out_u64(o, number);
    out_char(o, ' ');
    out_text(o, name.len ? name : otherwise);
}

void notes_milli(struct out *o, uint64_t thousandths, int decimals)
{
    uint64_t scaled = decimals == 2 ? (thousandths + 5) / 10 : (thousandths + 50) / 100;
    unsigned by = decimals == 2 ? 100 : 10;

    out_u64(o, scaled / by);
    out_char(o, '.');
    out_padded(o, scaled % by, decimals);
}

slice notes_who(const struct call_party *party)
{
    slice user = party->user;

    return user.len ? slice_take_until(&user, ';') : party->uri;
}

slice notes_ended_by(const struct words *w, const struct call *c)
{
    static const enum text_id texts[CALL_SIDES] = {
        [CALL_CALLER] = TEXT_READ_BY_CALLER, [CALL_CALLEE] = TEXT_READ_BY_CALLEE,
        [CALL_SERVER] = TEXT_READ_BY_SERVER, [CALL_NETWORK] = TEXT_READ_BY_NETWORK,
    };

    return c->ended_by ? words_text(w, texts[c->ended_by]) : (slice){0};
}

enum style_tone notes_call_tone(const struct call *c)
{
    static const uint8_t tones[CALL_STATES] = {
        [CALL_CANCELLED] = TONE_WARN, [CALL_REFUSED] = TONE_BAD, [CALL_ACTIVE] = TONE_GOOD,
        [CALL_COMPLETED] = TONE_GOOD, [CALL_SILENT] = TONE_BAD, [CALL_MEDIA_STOPPED] = TONE_BAD, [CALL_NOT_FOLLOWED] = TONE_WARN,
    };

    return (enum style_tone)tones[c->state];
}

enum style_tone notes_registration_tone(const struct registration *r)
{
    return r->state == REGISTRATION_FAILED ? TONE_BAD
         : r->state == REGISTRATION_REGISTERED || r->state == REGISTRATION_REFRESHING ? TONE_GOOD
         : TONE_WARN;
}

enum style_tone notes_mos_tone(uint16_t mos_milli)
{
    return mos_milli == 0 ? TONE_PLAIN : mos_milli >= 4030 ? TONE_GOOD : mos_milli >= 3600 ? TONE_WARN : TONE_BAD;
}
