/* report/summary.c - see summary.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/summary.h"

#include <stdio.h>

#include "base/utf8.h"
#include "codes/code.h"
#include "report/moment.h"

void summary_session(struct summary *s) { s->sessions++; }

void summary_verdict(struct summary *s, const struct call_verdicts *v)
{
    if (v)
        s->causes[v->cause.cause]++;
}

void summary_call(struct summary *s, const struct call *c)
{
    s->calls++;
    summary_verdict(s, c->verdicts);
    s->answered += c->answered;
    s->refused += !c->answered && (c->state == CALL_REFUSED || c->state == CALL_CANCELLED);
    s->open += !c->answered && c->open_at_end;
    s->lost += !c->answered && c->state == CALL_SILENT;
    s->not_followed += c->state == CALL_NOT_FOLLOWED;
    s->retransmissions += c->retransmissions;
    s->copies += c->copies;
    s->finals[c->final < SUMMARY_CODES ? c->final : 0]++;
}

void summary_registration(struct summary *s, const struct registration *r)
{
    s->registrations++;
    s->bound += r->state == REGISTRATION_REGISTERED || r->state == REGISTRATION_REFRESHING;
    s->failed += r->state == REGISTRATION_FAILED;
    s->gone += r->state == REGISTRATION_UNREGISTERED;
}

void summary_stream(struct summary *s, const struct stream *stream)
{
    s->streams++;
    s->orphans += stream->bound == STREAM_ORPHAN;
}

bool summary_is_foreign(const struct summary *s)
{
    return s->intake->sip_messages == 0 && s->intake->kinds[INTAKE_RTP] == 0 &&
           s->intake->kinds[INTAKE_RTCP] == 0;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void json_requests(const struct intake *in, struct json *j)
{
    json_open_in(j, "requests", '{');
    for (size_t i = 1; i < SIP_METHODS; i++)
        if (in->requests[i]) {
            json_key(j, sip_method_name((enum sip_method)i));
            json_u64(j, NULL, in->requests[i]);
        }
    for (unsigned i = 0; i < in->other_count; i++) {
        json_key(j, in->others[i].name);
        json_u64(j, NULL, in->others[i].count);
    }
    if (in->requests[SIP_UNKNOWN])
        json_u64(j, "other", in->requests[SIP_UNKNOWN]);
    json_close(j, '}');
}

static void json_status_counts(struct json *j, const char *key, const uint64_t *counts, size_t from,
                               size_t to)
{
    char text[8];

    json_open_in(j, key, '{');
    for (size_t i = from; i < to; i++)
        if (counts[i]) {
            int n = snprintf(text, sizeof text, "%zu", i);

            json_key(j, slice_of(text, (size_t)n));
            json_u64(j, NULL, counts[i]);
        }
    json_close(j, '}');
}

static void json_causes(const struct summary *s, struct json *j)
{
    json_open_in(j, "causes", '{');
    for (size_t i = 1; i < CAUSES; i++)
        if (s->causes[i])
            json_u64(j, cause_slug((enum cause_id)i), s->causes[i]);
    json_close(j, '}');
}

static void json_moment(struct json *j, const char *key, int64_t time_ns)
{
    char room[MOMENT_TEXT_MAX];

    if (time_ns)
        json_text(j, key, moment_rfc3339(time_ns, room));
}

static void json_found(const struct summary *s, struct json *j)
{
    const struct intake *in = s->intake;

    json_open_in(j, "datagrams", '{');
    for (size_t i = 0; i < INTAKE_KINDS; i++)
        if (in->kinds[i]) {
            json_key(j, intake_kind_name((enum intake_kind)i));
            json_u64(j, NULL, in->kinds[i]);
        }
    json_close(j, '}');
}

void summary_json(const struct summary *s, struct json *j)
{
    const struct intake *in = s->intake;
    const struct { const char *key; uint64_t number; } counts[] = {
        { "calls", s->calls }, { "sessions", s->sessions }, { "answered", s->answered },
        { "registrations", s->registrations }, { "transactions", s->transactions },
        { "streams", s->streams }, { "rtp_packets", in->kinds[INTAKE_RTP] },
        { "rtcp_packets", in->kinds[INTAKE_RTCP] }, { "hep_packets", s->wire->hep_packets },
        { "retransmissions", s->retransmissions }, { "copies", s->copies },
        { "malformed", s->wire->malformed + in->kinds[INTAKE_MALFORMED] },
        { "flawed", in->flawed }, { "refusable", in->refusable },
        { "not_sip", intake_units(in) - in->kinds[INTAKE_SIP] },
        { "fragments_incomplete", s->wire->fragments_incomplete },
        { "tcp_gaps", s->wire->tcp_gaps }, { "truncated", s->wire->frames_cut },
        { "not_followed", s->track->not_followed }, { "unassigned", s->track->unassigned },
        { "media_not_followed", s->media ? s->media->limited : 0 },
        { "bytes_read", s->bytes_read },
    };

    json_open(j, '{');
    json_text(j, "type", SLICE("summary"));
    json_open_in(j, "files", '[');
    for (size_t i = 0; i < s->file_count; i++)
        json_text(j, NULL, slice_of_string(s->files[i]));
    json_close(j, ']');
    json_u64(j, "packets", s->packets);
    json_moment(j, "first_at", s->first_ns);
    json_moment(j, "last_at", s->last_ns);
    json_u64(j, "sip_messages", in->sip_messages);
    json_requests(in, j);
    json_status_counts(j, "responses", in->responses, 0, INTAKE_STATUS_MAX);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        json_u64(j, counts[i].key, counts[i].number);
    json_status_counts(j, "finals", s->finals, 0, SUMMARY_CODES);
    json_causes(s, j);
    json_found(s, j);
    json_close(j, '}');
    out_char(j->out, '\n');
}

/* ---- text ---------------------------------------------------------------------------------- */

/* One sentence, to whoever writes it. */
static void say(const struct summary_writer *to, enum text_id id, const struct words_value *values, size_t count)
{
    to->say(to->ctx, id, values, count);
}
#define SAY(to, id, ...)                                                                           \
    say((to), (id), (const struct words_value[]){ __VA_ARGS__ },                                   \
        sizeof((const struct words_value[]){ __VA_ARGS__ }) / sizeof(struct words_value))

#define NO_BREAK "\xc2\xa0"          /* a number stays on the line of its name */

/* "INVITE 4, ACK 4": names and numbers, the same in every language. */
static void list_add(struct out *list, const struct words *w, slice name, uint64_t count)
{
    if (count == 0)
        return;
    out_text(list, list->used ? words_text(w, TEXT_CLI_LIST_SEPARATOR) : SLICE(""));
    out_text(list, name);
    out_text(list, SLICE(NO_BREAK));
    out_u64(list, count);
}

static void list_requests(struct out *list, const struct words *w, const struct intake *in)
{
    for (size_t i = 1; i < SIP_METHODS; i++)
        list_add(list, w, sip_method_name((enum sip_method)i), in->requests[i]);
    for (unsigned i = 0; i < in->other_count; i++)
        list_add(list, w, in->others[i].name, in->others[i].count);
}

static void list_statuses(struct out *list, const struct words *w, const uint64_t *counts,
                          bool phrases)
{
    for (unsigned i = 100; i < INTAKE_STATUS_MAX; i++) {
        struct out name;

        if (counts[i] == 0)
            continue;
        out_init_memory(&name, 256);
        out_u64(&name, i);
        if (phrases) {
            out_char(&name, ' ');
            out_text(&name, code_phrase(i));
            out_char(&name, ':');
        } else {
            out_text(&name, SLICE(NO_BREAK "×"));
        }
        list_add(list, w, out_taken(&name), counts[i]);
        out_done(&name);
    }
}

static void list_causes(struct out *list, const struct words *w, const uint64_t *counts)
{
    for (size_t i = 1; i < CAUSES; i++) {
        struct out name;

        if (counts[i] == 0)
            continue;
        out_init_memory(&name, 512);
        out_text(&name, cause_text(w, (enum cause_id)i, CAUSE_PART_HEADLINE));
        out_char(&name, ':');
        list_add(list, w, out_taken(&name), counts[i]);
        out_done(&name);
    }
}

static void say_list(const struct summary_writer *to, enum text_id id, struct out *list)
{
    if (list->used)
        SAY(to, id, WORDS_TEXT("list", out_taken(list)));
    out_clear(list);
}

static void list_files(const struct summary *s, struct out *list)
{
    for (size_t i = 0; i < s->file_count; i++) {
        out_text(list, i ? SLICE(", ") : SLICE(""));
        out_text(list, slice_of_string(s->files[i]));
    }
    if (s->file_count == 1 && s->format) {
        out_text(list, SLICE(" ("));
        out_text(list, slice_of_string(s->format));
        out_char(list, ')');
    }
}

static void say_files(const struct summary *s, const struct summary_writer *to)
{
    char first[MOMENT_TEXT_MAX], last[MOMENT_TEXT_MAX], zone[MOMENT_TEXT_MAX], took[MOMENT_TEXT_MAX];
    struct out files;

    out_init_memory(&files, 1 << 16);
    list_files(s, &files);
    SAY(to, TEXT_READ_SUMMARY_FILES, WORDS_NUMBER("count", s->packets),
        WORDS_TEXT("files", out_taken(&files)));
    out_done(&files);
    if (s->packets)
        SAY(to, TEXT_READ_SUMMARY_SPAN,
            WORDS_TEXT("from", moment_date_time(s->first_ns, first)),
            WORDS_TEXT("to", moment_date_time(s->last_ns, last)),
            WORDS_TEXT("zone", moment_offset_name(s->first_ns, zone)),
            WORDS_TEXT("duration", moment_duration(s->last_ns - s->first_ns, took)));
}

static void say_calls(const struct summary *s, const struct summary_writer *to)
{
    if (s->calls == 0 && s->intake->sip_messages)
        SAY(to, TEXT_READ_SUMMARY_NO_CALLS, WORDS_NUMBER("count", 0));
    if (s->calls)
        SAY(to, TEXT_READ_SUMMARY_CALLS, WORDS_NUMBER("count", s->calls),
            WORDS_NUMBER("answered", s->answered), WORDS_NUMBER("refused", s->refused),
            WORDS_NUMBER("open", s->open), WORDS_NUMBER("lost", s->lost));
    if (s->sessions && s->sessions != s->calls)
        SAY(to, TEXT_READ_SUMMARY_SESSIONS, WORDS_NUMBER("count", s->sessions));
}

/* Sentences that are said when their number is not zero. */
static void say_counts(const struct summary *s, const struct summary_writer *to)
{
    const struct { enum text_id id; uint64_t count; } notes[] = {
        { TEXT_READ_SUMMARY_TRANSACTIONS, s->transactions },
        { TEXT_READ_SUMMARY_REPEATS, s->retransmissions },
        { TEXT_READ_SUMMARY_COPIES, s->copies },
        { TEXT_READ_SUMMARY_MEDIA, s->intake->kinds[INTAKE_RTP] },
        { TEXT_READ_SUMMARY_UNFOLLOWED_MEDIA, s->media ? s->media->limited : 0 },
        { TEXT_READ_SUMMARY_FLAWS, s->intake->refusable },
        { TEXT_READ_SUMMARY_CUT, s->wire->frames_cut },
        { TEXT_READ_SUMMARY_GAPS, s->wire->tcp_gaps },
        { TEXT_READ_SUMMARY_FRAGMENTS, s->wire->fragments_incomplete },
        { TEXT_READ_SUMMARY_MALFORMED, s->wire->malformed },
        { TEXT_READ_SUMMARY_LIMITED, s->track->not_followed },
        { TEXT_READ_SUMMARY_ORDER, s->order_lost },
    };

    for (size_t i = 0; i < ARRAY_LEN(notes); i++)
        if (notes[i].count)
            SAY(to, notes[i].id, WORDS_NUMBER("count", notes[i].count));
}

static void say_foreign(const struct summary *s, const struct summary_writer *to)
{
    const struct words *w = to->words;
    const struct wire_counts *c = s->wire;
    const uint64_t *kinds = s->intake->kinds;
    const struct { enum text_id id; uint64_t count; } found[] = {
        { TEXT_READ_KIND_STUN, kinds[INTAKE_STUN] }, { TEXT_READ_KIND_DTLS, kinds[INTAKE_DTLS] },
        { TEXT_READ_KIND_DNS, kinds[INTAKE_DNS] }, { TEXT_READ_KIND_KEEPALIVE, kinds[INTAKE_KEEPALIVE] },
        { TEXT_READ_KIND_SIGCOMP, kinds[INTAKE_SIGCOMP] },
        { TEXT_READ_KIND_OTHER_UDP, kinds[INTAKE_OTHER] }, { TEXT_READ_KIND_TCP, c->tcp },
        { TEXT_READ_KIND_ICMP, c->icmp }, { TEXT_READ_KIND_SCTP, c->sctp },
        { TEXT_READ_KIND_ESP, c->esp }, { TEXT_READ_KIND_OTHER_IP, c->other_ip },
        { TEXT_READ_KIND_NOT_IP, c->not_ip }, { TEXT_READ_KIND_UNKNOWN_LINK, c->unknown_link },
    };
    struct out files, list;

    out_init_memory(&files, 1 << 16);
    out_init_memory(&list, 1 << 16);
    list_files(s, &files);
    SAY(to, TEXT_READ_NOTHING_FOUND, WORDS_TEXT("files", out_taken(&files)));
    for (size_t i = 0; i < ARRAY_LEN(found); i++)
        if (found[i].count) {
            out_text(&list, list.used ? words_text(w, TEXT_CLI_LIST_SEPARATOR) : SLICE(""));
            out_u64(&list, found[i].count);
            out_char(&list, ' ');
            out_text(&list, words_text(w, found[i].id));
        }
    if (list.used)
        SAY(to, TEXT_READ_NOTHING_INSIDE, WORDS_TEXT("list", out_taken(&list)));
    else
        SAY(to, TEXT_READ_NOTHING_EMPTY, WORDS_NUMBER("count", 0));
    if (c->unknown_link)
        SAY(to, TEXT_READ_NOTHING_HINT_LINK, WORDS_NUMBER("number", c->unknown_link_type));
    if (c->esp)
        SAY(to, TEXT_READ_NOTHING_HINT_ESP, WORDS_NUMBER("count", c->esp));
    out_done(&list);
    out_done(&files);
}

void summary_say(const struct summary *s, const struct summary_writer *to)
{
    const struct words *w = to->words;
    struct out list;

    say_files(s, to);
    if (summary_is_foreign(s)) {
        say_foreign(s, to);
        return;
    }
    out_init_memory(&list, 1 << 16);
    if (s->intake->sip_messages)
        SAY(to, TEXT_READ_SUMMARY_SIP, WORDS_NUMBER("count", s->intake->sip_messages));
    list_requests(&list, w, s->intake);
    say_list(to, TEXT_READ_SUMMARY_REQUESTS, &list);
    list_statuses(&list, w, s->intake->responses, false);
    say_list(to, TEXT_READ_SUMMARY_RESPONSES, &list);
    say_calls(s, to);
    list_statuses(&list, w, s->finals, true);
    say_list(to, TEXT_READ_SUMMARY_CODES, &list);
    list_causes(&list, w, s->causes);
    say_list(to, TEXT_READ_SUMMARY_CAUSES, &list);
    if (s->registrations)
        SAY(to, TEXT_READ_SUMMARY_REGISTRATIONS, WORDS_NUMBER("count", s->registrations),
            WORDS_NUMBER("bound", s->bound), WORDS_NUMBER("failed", s->failed),
            WORDS_NUMBER("gone", s->gone),
            WORDS_NUMBER("waiting", s->registrations - s->bound - s->failed - s->gone));
    if (s->streams)
        SAY(to, TEXT_READ_SUMMARY_STREAMS, WORDS_NUMBER("count", s->streams),
            WORDS_NUMBER("bound", s->streams - s->orphans), WORDS_NUMBER("orphans", s->orphans));
    say_counts(s, to);
    out_done(&list);
}

/* ---- on a terminal -------------------------------------------------------------------------- */

struct terminal {
    struct out         *out;
    const struct words *words;
    const struct style *style;
};

/* One paragraph, wrapped; ends the line. */
static void terminal_say(void *ctx, enum text_id id, const struct words_value *values, size_t count)
{
    const struct terminal *t = ctx;
    size_t width = t->style->width ? t->style->width : 100;
    struct out text;

    out_init_memory(&text, 1 << 20);
    words_format_plural(&text, t->words, id, values, count);
    slice rest = out_taken(&text), line;

    while (utf8_take_line(&rest, width, &line)) {
        style_clean(t->out, line);
        out_char(t->out, '\n');
    }
    out_done(&text);
}

void summary_text(const struct summary *s, struct out *o, const struct words *w, const struct style *style)
{
    struct terminal t = { o, w, style };

    summary_say(s, &(struct summary_writer){ .words = w, .say = terminal_say, .ctx = &t });
}
