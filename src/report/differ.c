/* report/differ.c - aligns two calls and collects what differs; see differ.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/differ_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "codes/cause.h"
#include "report/verdicts.h"
#include "sip/sdp.h"
#include "sip/values.h"

#define TIME_LEAST_NS 200000000ll    /* a shorter step is noise */
#define LINES_MAX     1024u          /* of an SDP */
#define TOKENS_MAX    128u           /* in the lines of one header */

slice differ_kind_name(enum differ_kind kind)
{
    static const slice names[DIFFER_KINDS] = {
        [DIFFER_RESULT] = SLICE_INIT("result"), [DIFFER_CAUSE] = SLICE_INIT("cause"),
        [DIFFER_ENDED_BY] = SLICE_INIT("ended-by"), [DIFFER_MESSAGE] = SLICE_INIT("message"),
        [DIFFER_REPEATS] = SLICE_INIT("repeats"), [DIFFER_CODECS] = SLICE_INIT("codecs"),
        [DIFFER_MEDIA] = SLICE_INIT("media"), [DIFFER_DIRECTION] = SLICE_INIT("direction"),
        [DIFFER_MEDIA_ADDRESS] = SLICE_INIT("media-address"),
        [DIFFER_TRANSPORT] = SLICE_INIT("transport"), [DIFFER_OPTIONS] = SLICE_INIT("options"),
        [DIFFER_HEADER] = SLICE_INIT("header"), [DIFFER_AGENT] = SLICE_INIT("agent"),
        [DIFFER_TIME] = SLICE_INIT("time"), [DIFFER_LINE] = SLICE_INIT("line"),
    };

    return names[kind];
}

/* ---- collecting ---- */

struct differ *differ_new(void)
{
    struct differ *d = calloc(1, sizeof *d);

    for (int side = 0; d && side < DIFFER_SIDES; side++) {
        d->sides[side].messages = calloc(DIFFER_MESSAGES_MAX, sizeof(struct differ_message));
        if (!d->sides[side].messages)
            return differ_free(d);
    }
    return d;
}

struct differ *differ_free(struct differ *d)
{
    if (!d)
        return NULL;
    for (int side = 0; side < DIFFER_SIDES; side++)
        free(d->sides[side].messages);
    free(d->all);
    arena_done(&d->arena);
    free(d);
    return NULL;
}

static slice label_of(struct differ *d, const struct sip_message *m)
{
    char text[160];
    int n = m->is_request
        ? snprintf(text, sizeof text, SLICE_FMT, SLICE_ARG(slice_head(m->method_text, 60)))
        : snprintf(text, sizeof text, "%u " SLICE_FMT " (" SLICE_FMT ")", m->status,
                   SLICE_ARG(slice_head(m->reason, 60)), SLICE_ARG(slice_head(m->method_text, 60)));

    return arena_slice(&d->arena, slice_of(text, n > 0 ? (size_t)n : 0));
}

/* A repeat counts with the newest message like it. */
static void note_repeat(struct differ_side_of *of, const struct track_sighting *s)
{
    for (size_t i = of->count; i > 0; i--) {
        struct differ_message *m = &of->messages[i - 1];

        if (m->method == s->message->method && m->status == s->message->status &&
            m->from_callee == (s->from_callee == s->message->is_request)) {
            m->repeats++;
            return;
        }
    }
}

void differ_note(struct differ *d, enum differ_side side, const struct track_sighting *s)
{
    struct differ_side_of *of = &d->sides[side];
    const struct sip_message *m = s->message;

    if (s->kind == SEEN_AGAIN)
        note_repeat(of, s);
    if (s->kind != SEEN_NEW)
        return;
    if (of->count == DIFFER_MESSAGES_MAX || d->arena.total_bytes > DIFFER_TEXT_MAX) {
        of->left_out++;
        return;
    }
    if (m->status >= 200 && m->method == SIP_INVITE)
        of->last_final = m->status;
    slice text = arena_slice(&d->arena, m->all);

    if (!text.ptr) {
        d->no_memory = true;
        return;
    }
    of->messages[of->count++] = (struct differ_message){
        .text = text, .frame = s->unit->frame, .at_ns = s->unit->time_ns, .status = m->status,
        .method = (uint8_t)m->method, .transport = (uint8_t)s->unit->transport,
        .confirms = m->is_request && m->method == SIP_ACK ? (uint8_t)(of->last_final / 100) : 0,
        .from_callee = s->from_callee == m->is_request, .label = label_of(d, m),
    };
}

void differ_call(struct differ *d, enum differ_side side, const struct call *c)
{
    d->sides[side].call = c;
}

size_t differ_count(const struct differ *d) { return d->count; }
uint64_t differ_beyond(const struct differ *d) { return d->beyond; }
uint64_t differ_left_out(const struct differ *d) { return d->sides[0].left_out + d->sides[1].left_out; }
const struct difference *differ_at(const struct differ *d, size_t index) { return &d->all[index]; }

static void add(struct differ *d, const struct difference *what)
{
    if (d->count == DIFFER_MAX) {
        d->beyond++;
        return;
    }
    if (d->count == d->room) {
        size_t room = d->room ? d->room * 2 : 64;
        struct difference *grown = realloc(d->all, room * sizeof *grown);

        if (!grown) {
            d->no_memory = true;
            return;
        }
        d->all = grown;
        d->room = room;
    }
    d->all[d->count++] = *what;
}

static slice keep(struct differ *d, slice text)
{
    slice kept = arena_slice(&d->arena, text);

    d->no_memory |= !kept.ptr;
    return kept;
}

/* ---- alignment ---- */

static bool is_alike(const struct differ_message *a, const struct differ_message *b)
{
    return a->method == b->method && a->status == b->status && a->from_callee == b->from_callee &&
           a->confirms == b->confirms && (a->method != SIP_UNKNOWN || slice_eq(a->label, b->label));
}

static bool align(struct differ *d)
{
    struct differ_side_of *a = &d->sides[0], *b = &d->sides[1];
    size_t wide = b->count + 1;
    uint16_t *longest = calloc((a->count + 1) * wide, sizeof *longest);

    if (!longest)
        return false;
    for (size_t i = a->count; i > 0; i--)
        for (size_t j = b->count; j > 0; j--) {
            uint16_t *at = &longest[(i - 1) * wide + j - 1];
            uint16_t down = longest[i * wide + j - 1], right = longest[(i - 1) * wide + j];

            if (is_alike(&a->messages[i - 1], &b->messages[j - 1]))
                *at = (uint16_t)(longest[i * wide + j] + 1);
            else
                *at = down > right ? down : right;
        }
    for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
        if (is_alike(&a->messages[i], &b->messages[j])) {
            a->messages[i].pair = (uint16_t)(j + 1);
            b->messages[j].pair = (uint16_t)(i + 1);
            i++, j++;
        } else if (longest[(i + 1) * wide + j] >= longest[i * wide + j + 1]) {
            i++;
        } else {
            j++;
        }
    }
    free(longest);
    return true;
}

/* ---- the calls as a whole ---- */

static void compare_results(struct differ *d)
{
    struct difference found = { .kind = DIFFER_RESULT };
    struct call_status status[DIFFER_SIDES];

    for (int i = 0; i < DIFFER_SIDES; i++) {
        char text[200];

        status[i] = call_status(d->sides[i].call);
        (void)snprintf(text, sizeof text, "%u " SLICE_FMT, status[i].code, SLICE_ARG(slice_head(status[i].name, 120)));
        found.values[i] = keep(d, slice_of_string(text));
        found.frames[i] = d->sides[i].call->final_frame;
    }
    if (status[0].code != status[1].code || !slice_eq(status[0].family, status[1].family))
        add(d, &found);
}

static void compare_causes(struct differ *d, const struct words *words)
{
    const struct call_verdicts *a = d->sides[0].call->verdicts, *b = d->sides[1].call->verdicts;
    struct difference found = { .kind = DIFFER_CAUSE };

    if ((a ? a->cause.cause : 0) == (b ? b->cause.cause : 0))
        return;
    found.values[0] = verdicts_headline(words, a);
    found.values[1] = verdicts_headline(words, b);
    add(d, &found);
}

static void compare_ends(struct differ *d)
{
    struct difference found = { .kind = DIFFER_ENDED_BY };

    if (d->sides[0].call->ended_by == d->sides[1].call->ended_by)
        return;
    for (int i = 0; i < DIFFER_SIDES; i++) {
        slice name = call_side_name((enum call_side)d->sides[i].call->ended_by);

        found.values[i] = name.len ? name : (slice){0};
    }
    add(d, &found);
}

static void compare_sequence(struct differ *d)
{
    for (int side = 0; side < DIFFER_SIDES; side++)
        for (size_t i = 0; i < d->sides[side].count; i++) {
            const struct differ_message *m = &d->sides[side].messages[i];
            struct difference found = { .kind = DIFFER_MESSAGE, .message = m->label,
                                        .from_callee = m->from_callee };

            if (m->pair)
                continue;
            found.values[side] = m->label;
            found.frames[side] = m->frame;
            add(d, &found);
        }
}

/* ---- two messages that stand for each other ---- */

struct both {
    struct differ         *d;
    struct differ_message *messages[DIFFER_SIDES];
    struct sip_message     parsed[DIFFER_SIDES];
};

static struct difference difference_of(const struct both *b, enum differ_kind kind, slice name)
{
    return (struct difference){
        .kind = kind, .message = b->messages[0]->label, .name = name,
        .frames = { b->messages[0]->frame, b->messages[1]->frame },
        .from_callee = b->messages[0]->from_callee,
    };
}

static void add_values(const struct both *b, enum differ_kind kind, slice name, slice first, slice second)
{
    struct difference found = difference_of(b, kind, name);

    found.values[0] = first;
    found.values[1] = second;
    add(b->d, &found);
}

static void compare_repeats(const struct both *b)
{
    char text[DIFFER_SIDES][16];

    if (!b->messages[0]->repeats == !b->messages[1]->repeats)
        return;
    for (int i = 0; i < DIFFER_SIDES; i++)
        (void)snprintf(text[i], sizeof text[i], "%u", b->messages[i]->repeats);
    add_values(b, DIFFER_REPEATS, (slice){0}, keep(b->d, slice_of_string(text[0])),
               keep(b->d, slice_of_string(text[1])));
}

static void compare_transports(const struct both *b)
{
    if (b->messages[0]->transport != b->messages[1]->transport)
        add_values(b, DIFFER_TRANSPORT, (slice){0},
                   wire_transport_name((enum wire_transport)b->messages[0]->transport),
                   wire_transport_name((enum wire_transport)b->messages[1]->transport));
}

/* ---- headers ---- */

static bool is_set(enum sip_header_id id)
{
    switch (id) {
    case SIP_H_SUPPORTED: case SIP_H_REQUIRE: case SIP_H_PROXY_REQUIRE: case SIP_H_UNSUPPORTED:
    case SIP_H_ALLOW: case SIP_H_ALLOW_EVENTS: case SIP_H_ACCEPT: case SIP_H_ACCEPT_ENCODING:
    case SIP_H_ACCEPT_LANGUAGE: case SIP_H_PRIVACY: case SIP_H_RECV_INFO:
        return true;
    default:
        return false;
    }
}

/* Never a difference, whatever they say and whether they are there. */
static bool is_passed_over(enum sip_header_id id)
{
    switch (id) {
    case SIP_H_CALL_ID: case SIP_H_CSEQ: case SIP_H_DATE: case SIP_H_TIMESTAMP:
    case SIP_H_CONTENT_LENGTH: case SIP_H_RACK: case SIP_H_RSEQ:
        return true;
    default:
        return false;
    }
}

static const struct sip_header *like(const struct sip_message *m, const struct sip_header *h)
{
    return h->id ? sip_header_find(m, (enum sip_header_id)h->id) : sip_header_named(m, h->name);
}

static const struct sip_header *next_like(const struct sip_message *m, const struct sip_header *h)
{
    if (h->id)
        return sip_header_next(m, h);
    for (const struct sip_header *n = h + 1; n < m->headers + m->header_count; n++)
        if (slice_eq_nocase(n->name, h->name))
            return n;
    return NULL;
}

static bool is_first(const struct sip_message *m, const struct sip_header *h) { return like(m, h) == h; }

/* Words that one has and the other lacks, with commas between them. */
static slice words_only_in(const struct both *b, int side, enum sip_header_id id)
{
    struct sip_values values = sip_values_of(&b->parsed[side], id);
    struct out o;
    slice word, kept;

    out_init_memory(&o, 65536);
    for (unsigned n = 0; n < TOKENS_MAX && sip_values_next(&values, &word); n++) {
        slice bare = word;

        bare = slice_trim(slice_take_until(&bare, ';'));
        if (sip_values_have(&b->parsed[!side], id, bare))
            continue;
        out_text(&o, out_taken(&o).len ? SLICE(", ") : SLICE(""));
        out_text(&o, bare);
    }
    kept = out_taken(&o).len ? keep(b->d, out_taken(&o)) : (slice){0};
    out_done(&o);
    return kept;
}

/* All values of a header in canonical form, or as they are, in one text. */
static slice whole_value(const struct both *b, int side, const struct sip_header *h, bool canonical)
{
    struct out o;
    slice kept;
    bool any = false;

    out_init_memory(&o, 65536);
    for (; h; h = next_like(&b->parsed[side], h)) {
        out_text(&o, any ? SLICE(", ") : SLICE(""));
        any = true;
        if (canonical)
            differ_canonical(&o, (enum sip_header_id)h->id, h->value);
        else
            out_text(&o, h->value);
    }
    kept = keep(b->d, out_taken(&o));
    out_done(&o);
    return kept;
}

static slice long_name(const struct sip_header *h)
{
    return h->id ? sip_header_name((enum sip_header_id)h->id) : h->name;
}

static void compare_header(const struct both *b, const struct sip_header *a, const struct sip_header *other)
{
    enum sip_header_id id = (enum sip_header_id)a->id;
    slice name = long_name(a);

    if (is_set(id)) {
        slice first = words_only_in(b, 0, id), second = words_only_in(b, 1, id);

        if (first.len || second.len)
            add_values(b, DIFFER_OPTIONS, name, first, second);
        return;
    }
    if (!slice_eq(whole_value(b, 0, a, true), whole_value(b, 1, other, true)))
        add_values(b, id == SIP_H_USER_AGENT || id == SIP_H_SERVER ? DIFFER_AGENT : DIFFER_LINE, name,
                   whole_value(b, 0, a, false), whole_value(b, 1, other, false));
}

static void compare_headers(const struct both *b)
{
    for (int side = 0; side < DIFFER_SIDES; side++)
        for (size_t i = 0; i < b->parsed[side].header_count; i++) {
            const struct sip_header *h = &b->parsed[side].headers[i], *other;

            if (is_passed_over((enum sip_header_id)h->id) || !is_first(&b->parsed[side], h))
                continue;
            other = like(&b->parsed[!side], h);
            if (other && side == 0)
                compare_header(b, h, other);
            if (other)
                continue;
            slice value = whole_value(b, side, h, false);

            add_values(b, DIFFER_HEADER, long_name(h), side == 0 ? value : (slice){0},
                       side == 1 ? value : (slice){0});
        }
}

static void compare_start_lines(const struct both *b)
{
    struct out o[DIFFER_SIDES];

    if (!b->parsed[0].is_request) {
        if (!slice_eq(b->parsed[0].reason, b->parsed[1].reason))
            add_values(b, DIFFER_LINE, (slice){0}, b->parsed[0].reason, b->parsed[1].reason);
        return;
    }
    for (int i = 0; i < DIFFER_SIDES; i++) {
        struct out bracketed;

        out_init_memory(&o[i], 65536);
        out_init_memory(&bracketed, 65536);
        out_char(&bracketed, '<');
        out_text(&bracketed, b->parsed[i].uri);
        out_char(&bracketed, '>');
        differ_canonical(&o[i], SIP_H_TO, out_taken(&bracketed));
        out_done(&bracketed);
    }
    if (!slice_eq(out_taken(&o[0]), out_taken(&o[1])))
        add_values(b, DIFFER_LINE, (slice){0}, b->parsed[0].uri, b->parsed[1].uri);
    out_done(&o[0]);
    out_done(&o[1]);
}

/* ---- SDP ---- */

static void codec_names(struct out *o, const struct sdp *sdp)
{
    struct sdp_codec codecs[64];

    for (unsigned i = 0; i < sdp->media_count; i++) {
        size_t count = sdp_codecs_of(&sdp->media[i], codecs, ARRAY_LEN(codecs));

        count = count < ARRAY_LEN(codecs) ? count : ARRAY_LEN(codecs);
        for (size_t k = 0; k < count; k++) {
            out_text(o, out_taken(o).len ? SLICE(" ") : SLICE(""));
            if (codecs[k].name.len)
                out_text(o, codecs[k].name);
            else
                out_u64(o, codecs[k].payload_type);
        }
    }
}

static void media_kinds(struct out *o, const struct sdp *sdp)
{
    for (unsigned i = 0; i < sdp->media_count; i++) {
        out_text(o, i ? SLICE(", ") : SLICE(""));
        out_text(o, sdp->media[i].type);
        out_char(o, ' ');
        out_text(o, sdp->media[i].proto);
        if (sdp->media[i].port == 0)
            out_text(o, SLICE(" port 0"));
    }
}

static void media_directions(struct out *o, const struct sdp *sdp)
{
    static const char *const names[] = { "", "sendrecv", "sendonly", "recvonly", "inactive" };

    for (unsigned i = 0; i < sdp->media_count; i++) {
        out_text(o, i ? SLICE(", ") : SLICE(""));
        out_text(o, slice_of_string(names[sdp_media_direction(sdp, i)]));
    }
}

static void media_addresses(struct out *o, const struct sdp *sdp)
{
    for (unsigned i = 0; i < sdp->media_count; i++) {
        struct sdp_connection c = sdp_media_connection(sdp, i);
        struct out line;

        out_init_memory(&line, 512);
        out_text(&line, SLICE("c=IN IP4 "));
        out_text(&line, c.address);
        out_text(o, i ? SLICE(", ") : SLICE(""));
        struct out kind;

        out_init_memory(&kind, 512);
        differ_canonical_sdp(&kind, out_taken(&line));
        out_text(o, slice_skip(out_taken(&kind), 6));      /* behind "c=IP4 " */
        out_done(&kind);
        out_done(&line);
    }
}

static void compare_sdp_part(const struct both *b, const struct sdp *sdp, enum differ_kind kind,
                             void (*write)(struct out *o, const struct sdp *sdp))
{
    struct out o[DIFFER_SIDES];

    for (int i = 0; i < DIFFER_SIDES; i++) {
        out_init_memory(&o[i], 8192);
        write(&o[i], &sdp[i]);
    }
    if (!slice_eq(out_taken(&o[0]), out_taken(&o[1])))
        add_values(b, kind, (slice){0}, keep(b->d, out_taken(&o[0])), keep(b->d, out_taken(&o[1])));
    out_done(&o[0]);
    out_done(&o[1]);
}

static size_t lines_of(slice text, slice lines[LINES_MAX])
{
    size_t count = 0;
    slice line;

    while (count < LINES_MAX && slice_take_line(&text, &line))
        if (line.len)
            lines[count++] = line;
    return count;
}

static slice canonical_line(struct differ *d, slice line)
{
    struct out o;
    slice kept;

    out_init_memory(&o, 65536);
    differ_canonical_sdp(&o, line);
    kept = keep(d, out_taken(&o));
    out_done(&o);
    return kept;
}

/* Lines that the other lacks, each with the line of the same beginning that is left over there:
 * then it is that line which was changed. */
static void compare_sdp_lines(const struct both *b, const slice texts[DIFFER_SIDES])
{
    slice (*lines)[LINES_MAX] = calloc(2 * DIFFER_SIDES, sizeof *lines);
    bool (*taken)[LINES_MAX] = calloc(DIFFER_SIDES, sizeof *taken);
    size_t count[DIFFER_SIDES];

    if (!lines || !taken) {
        b->d->no_memory = true;
        goto out;
    }
    for (int side = 0; side < DIFFER_SIDES; side++) {
        count[side] = lines_of(texts[side], lines[side]);
        for (size_t i = 0; i < count[side]; i++)
            lines[2 + side][i] = canonical_line(b->d, lines[side][i]);
    }
    for (size_t i = 0, from = 0; i < count[0]; i++)
        for (size_t n = 0; n < count[1] && !taken[0][i]; n++) {
            size_t j = (from + n) % count[1];

            if (taken[1][j] || !slice_eq(lines[2][i], lines[3][j]))
                continue;
            taken[0][i] = taken[1][j] = true;
            from = j + 1;
        }
    for (size_t i = 0; i < count[0]; i++) {
        slice left = lines[0][i], key = left, other = {0};

        if (taken[0][i])
            continue;
        key = slice_take_until(&key, left.ptr[0] == 'a' ? ':' : '=');
        for (size_t j = 0; j < count[1] && !other.ptr; j++) {
            slice right = lines[1][j], other_key = right;

            if (taken[1][j] || !slice_eq(key, slice_take_until(&other_key, left.ptr[0] == 'a' ? ':' : '=')))
                continue;
            taken[1][j] = true;
            other = right;
        }
        add_values(b, DIFFER_LINE, SLICE("SDP"), left, other);
    }
    for (size_t j = 0; j < count[1]; j++)
        if (!taken[1][j])
            add_values(b, DIFFER_LINE, SLICE("SDP"), (slice){0}, lines[1][j]);
out:
    free(lines);
    free(taken);
}

static void compare_bodies(const struct both *b)
{
    slice texts[DIFFER_SIDES] = {0};
    bool has[DIFFER_SIDES];
    struct sdp *sdp = calloc(DIFFER_SIDES, sizeof *sdp);

    if (!sdp) {
        b->d->no_memory = true;
        return;
    }
    for (int i = 0; i < DIFFER_SIDES; i++)
        has[i] = sip_sdp_of(&b->parsed[i], &texts[i]) && sdp_parse(texts[i], &sdp[i]);
    if (has[0] && has[1]) {
        compare_sdp_part(b, sdp, DIFFER_CODECS, codec_names);
        compare_sdp_part(b, sdp, DIFFER_MEDIA, media_kinds);
        compare_sdp_part(b, sdp, DIFFER_DIRECTION, media_directions);
        compare_sdp_part(b, sdp, DIFFER_MEDIA_ADDRESS, media_addresses);
        compare_sdp_lines(b, texts);
    } else if (has[0] != has[1]) {
        add_values(b, DIFFER_MEDIA, (slice){0}, has[0] ? SLICE("SDP") : (slice){0},
                   has[1] ? SLICE("SDP") : (slice){0});
    }
    free(sdp);
}

/* ---- times ---- */

/* From the message before in the same call to this one, where both are aligned. */
static void compare_times(struct differ *d)
{
    struct differ_side_of *a = &d->sides[0], *b = &d->sides[1];

    for (size_t i = 1; i < a->count; i++) {
        const struct differ_message *m = &a->messages[i], *other;

        if (!m->pair || a->messages[i - 1].pair + 1 != m->pair || m->pair < 2)
            continue;
        other = &b->messages[m->pair - 1];
        struct difference found = {
            .kind = DIFFER_TIME, .message = m->label, .frames = { m->frame, other->frame },
            .from_callee = m->from_callee,
            .ns = { m->at_ns - a->messages[i - 1].at_ns, other->at_ns - b->messages[m->pair - 2].at_ns },
        };
        int64_t longer = found.ns[0] > found.ns[1] ? found.ns[0] : found.ns[1];
        int64_t shorter = found.ns[0] > found.ns[1] ? found.ns[1] : found.ns[0];

        if (longer - shorter < TIME_LEAST_NS || longer / 2 <= shorter)
            continue;
        add(d, &found);
    }
}

/* ---- all of it ---- */

static void compare_pair(struct differ *d, struct differ_message *first, struct differ_message *second)
{
    struct both b = { .d = d, .messages = { first, second } };

    for (int i = 0; i < DIFFER_SIDES; i++)
        if (sip_message_parse(b.messages[i]->text, SIP_DATAGRAM, d->headers[i], SIP_HEADERS_MAX,
                              &b.parsed[i]) <= 0)
            return;
    compare_repeats(&b);
    compare_transports(&b);
    compare_start_lines(&b);
    compare_headers(&b);
    compare_bodies(&b);
}

/* Stable: those of one kind stay in the order of the call. */
static bool sort(struct differ *d)
{
    struct difference *sorted = calloc(d->count ? d->count : 1, sizeof *sorted);
    size_t n = 0;

    if (!sorted)
        return false;
    for (int kind = 0; kind < DIFFER_KINDS; kind++)
        for (size_t i = 0; i < d->count; i++)
            if ((int)d->all[i].kind == kind)
                sorted[n++] = d->all[i];
    if (n)
        memcpy(d->all, sorted, n * sizeof *sorted);
    free(sorted);
    return true;
}

bool differ_compare(struct differ *d, const struct words *words)
{
    if (!align(d))
        return false;
    compare_results(d);
    compare_causes(d, words);
    compare_ends(d);
    compare_sequence(d);
    for (size_t i = 0; i < d->sides[0].count; i++) {
        struct differ_message *m = &d->sides[0].messages[i];

        if (m->pair)
            compare_pair(d, m, &d->sides[1].messages[m->pair - 1]);
    }
    compare_times(d);
    return sort(d) && !d->no_memory;
}
