/* tests/harness/track_play.c - see track_play.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/track_play.h"

struct line {
    char     from, to;
    bool     request, in, reversed, tcp, cut;
    uint32_t status, cseq, vias, ip_id, rseq, frag, media_port, ptime, max_forwards;
    bool     has_ip_id, has_cseq;
    slice    types, media_ip, origin_ip, proto, attributes, sent_by;
    slice    method, call_id, from_tag, to_tag, branch, uri, sdp, reason, aor, caller, headers;
};

/* ---- observer ---- */

static void on_message(void *ctx, const struct track_sighting *s)
{
    struct play *p = ctx;

    p->seen[s->kind]++;
    p->of_call += s->call != NULL;
    p->of_registration += s->registration != NULL;
    p->of_transaction += s->transaction != NULL;
    if (p->on_message)
        p->on_message(p, s);
    p->of_nothing += !s->call && !s->registration && !s->transaction;
    if (s->call)
        p->last_state = (enum call_state)s->call->state;
}

static void on_opened(void *ctx, const struct call *c)
{
    (void)c;
    ((struct play *)ctx)->opened++;
}

static void on_changed(void *ctx, const struct call *c)
{
    (void)c;
    ((struct play *)ctx)->changed++;
}

#define KEEP(p, what, record)                                                                      \
    ((p)->what##_count++ < PLAY_KEPT_MAX ? ((p)->what##s[(p)->what##_count - 1] = (record), true)  \
                                         : false)

static bool on_call_closed(void *ctx, struct call *c) { return KEEP((struct play *)ctx, call, c); }

static bool on_registration_closed(void *ctx, struct registration *r)
{
    return KEEP((struct play *)ctx, registration, r);
}

static bool on_transaction_closed(void *ctx, struct transaction *t)
{
    return KEEP((struct play *)ctx, transaction, t);
}

static void on_session(void *ctx, struct call *const *legs, size_t count);

bool play_start(struct play *p, const struct track_settings *settings)
{
    static const struct track_settings defaults;
    struct track_observer observer = {
        .ctx = p, .message = on_message, .call_opened = on_opened, .call_changed = on_changed,
        .session_closing = on_session, .call_closed = on_call_closed, .registration_closed = on_registration_closed,
        .transaction_closed = on_transaction_closed,
    };

    memset(p, 0, sizeof *p);
    p->now_ns = PLAY_START_NS - 10 * PLAY_MS;             /* the first line stands at 0 */
    p->tracker = tracker_new(settings ? settings : &defaults, &observer);
    return p->tracker != NULL;
}

void play_end(struct play *p)
{
    if (p->tracker)
        tracker_finish(p->tracker);
}

void play_done(struct play *p)
{
    for (size_t i = 0; i < p->call_count && i < PLAY_KEPT_MAX; i++)
        call_free(p->calls[i]);
    for (size_t i = 0; i < p->registration_count && i < PLAY_KEPT_MAX; i++)
        registration_free(p->registrations[i]);
    for (size_t i = 0; i < p->transaction_count && i < PLAY_KEPT_MAX; i++)
        transaction_free(p->transactions[i]);
    p->tracker = tracker_free(p->tracker);
    for (size_t i = 0; i < p->stream_count; i++)
        stream_free(p->streams[i]);
    p->stream_count = 0;
}

/* ---- reading a line ---- */

static slice take_word(slice *rest)
{
    slice word;

    *rest = slice_trim(*rest);
    word = slice_take_until(rest, ' ');
    return word;
}

static uint32_t number_of(slice text, slice line)
{
    uint32_t number = 0;

    if (!slice_to_u32(text, &number))
        FAIL("no number: '%.*s' in '%.*s'", SLICE_ARG(text), SLICE_ARG(line));
    return number;
}

static void read_option(struct line *l, slice word, slice line)
{
    const struct { slice name; slice *text; uint32_t *number; bool *set; } options[] = {
        { SLICE("call"), &l->call_id, NULL, NULL },  { SLICE("from"), &l->from_tag, NULL, NULL },
        { SLICE("to"), &l->to_tag, NULL, NULL },     { SLICE("br"), &l->branch, NULL, NULL },
        { SLICE("uri"), &l->uri, NULL, NULL },       { SLICE("sdp"), &l->sdp, NULL, NULL },
        { SLICE("reason"), &l->reason, NULL, NULL }, { SLICE("aor"), &l->aor, NULL, NULL },
        { SLICE("caller"), &l->caller, NULL, NULL },
        { SLICE("cseq"), NULL, &l->cseq, &l->has_cseq }, { SLICE("via"), NULL, &l->vias, NULL },
        { SLICE("id"), NULL, &l->ip_id, &l->has_ip_id }, { SLICE("rseq"), NULL, &l->rseq, NULL },
        { SLICE("frag"), NULL, &l->frag, NULL },
        { SLICE("pt"), &l->types, NULL, NULL },      { SLICE("ip"), &l->media_ip, NULL, NULL },
        { SLICE("origin"), &l->origin_ip, NULL, NULL },
        { SLICE("proto"), &l->proto, NULL, NULL },   { SLICE("attr"), &l->attributes, NULL, NULL },
        { SLICE("port"), NULL, &l->media_port, NULL }, { SLICE("ptime"), NULL, &l->ptime, NULL },
        { SLICE("max"), NULL, &l->max_forwards, NULL }, { SLICE("sent"), &l->sent_by, NULL, NULL },
        { SLICE("in"), NULL, NULL, &l->in },         { SLICE("rev"), NULL, NULL, &l->reversed },
        { SLICE("tcp"), NULL, NULL, &l->tcp },       { SLICE("cut"), NULL, NULL, &l->cut },
    };
    slice value = word, name = slice_take_until(&value, '=');

    (void)slice_take_char(&value, '=');
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (!slice_eq(options[i].name, name))
            continue;
        if (options[i].text)
            *options[i].text = value;
        if (options[i].number)
            *options[i].number = number_of(value, line);
        if (options[i].set)
            *options[i].set = true;
        return;
    }
    FAIL("unknown word '%.*s' in '%.*s'", SLICE_ARG(word), SLICE_ARG(line));
}

static bool is_upper_word(slice word)
{
    return word.len && word.ptr[0] >= 'A' && word.ptr[0] <= 'Z' && slice_find_char(word, '=') < 0;
}

/* Without its time and machines. */
static void read_what(struct line *l, slice rest, slice line)
{
    slice what = take_word(&rest), ahead = rest, next = take_word(&ahead);

    l->request = what.len && !is_digit(what.ptr[0]);
    if (l->request) {
        l->method = what;
    } else {
        l->status = number_of(what, line);
        l->method = is_upper_word(next) ? next : SLICE("INVITE");
        if (is_upper_word(next))
            rest = ahead;
    }
    for (slice word; (word = take_word(&rest)).len;)
        read_option(l, word, line);
}

static bool method_is(const struct line *l, const char *name)
{
    return slice_eq(l->method, slice_of_string(name));
}

/* A method that only a dialog has. */
static bool method_in_dialog(const struct line *l)
{
    static const char *const names[] = { "ACK", "BYE", "PRACK", "UPDATE", "REFER", "NOTIFY", "INFO" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (method_is(l, names[i]))
            return true;
    return l->in;
}

static void fill_defaults(struct line *l)
{
    bool invite = method_is(l, "INVITE") || method_is(l, "ACK") || method_is(l, "CANCEL");

    if (!l->has_cseq)
        l->cseq = invite ? 1 : 10 + (uint32_t)sip_method_find(l->method);
    if (!l->to_tag.ptr && (l->request ? method_in_dialog(l) : l->status > 100))
        l->to_tag = SLICE("b");
}

/* ---- writing the message ---- */

struct text {
    char  *at;
    size_t room;
};

static void __attribute__((format(printf, 2, 3))) put(struct text *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int n = vsnprintf(t->at, t->room, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= t->room)
        FAIL("a message of a script is too long");
    t->at += n;
    t->room -= (size_t)n;
}

static void put_party(struct text *t, const char *name, slice uri, slice tag)
{
    put(t, "%s: <%.*s>", name, SLICE_ARG(uri));
    if (tag.len)
        put(t, ";tag=%.*s", SLICE_ARG(tag));
    put(t, "\r\n");
}

static void put_vias(struct text *t, const struct line *l)
{
    bool of_invite = method_is(l, "CANCEL") || (method_is(l, "ACK") && !l->in);
    slice of = of_invite ? SLICE("INVITE") : l->method;

    put(t, "Via: SIP/2.0/UDP %.*s;branch=", SLICE_ARG(l->sent_by.ptr ? l->sent_by : SLICE("top.example")));
    if (l->branch.ptr)
        put(t, "z9hG4bK-%.*s\r\n", SLICE_ARG(l->branch));
    else
        put(t, "z9hG4bK-%.*s-%u\r\n", SLICE_ARG(of), l->cseq);
    for (uint32_t i = 1; i < l->vias; i++)
        put(t, "Via: SIP/2.0/UDP v%u.example;branch=z9hG4bK-below-%u\r\n", i, i);
}

static void put_types(struct text *t, slice types)
{
    static const struct { uint32_t type; const char *map; } dynamic[] = {
        { 96, "opus/48000/2" }, { 97, "AMR/8000" }, { 98, "AMR-WB/16000" }, { 101, "telephone-event/8000" },
    };
    uint32_t type;

    while (slice_take_u32(&types, &type)) {
        (void)slice_take_char(&types, ',');
        for (size_t i = 0; i < ARRAY_LEN(dynamic); i++)
            if (dynamic[i].type == type)
                put(t, "a=rtpmap:%u %s\r\n", type, dynamic[i].map);
    }
}

static void put_with_blanks(struct text *t, slice text, char blank)
{
    for (size_t i = 0; i < text.len; i++)
        put(t, "%c", text.ptr[i] == blank ? ' ' : text.ptr[i]);
}

static void put_sdp(struct text *t, const struct line *l)
{
    slice types = l->types.ptr ? l->types : SLICE("0"), rest = l->attributes, one;
    slice proto = l->proto.ptr ? l->proto : SLICE("RTP/AVP");
    slice ip = l->media_ip.ptr ? l->media_ip : SLICE("10.0.0.1"), origin = l->origin_ip.ptr ? l->origin_ip : ip;
    const char *family = slice_find_char(ip, ':') < 0 ? "IP4" : "IP6";
    bool zero = slice_eq(l->sdp, SLICE("zero"));
    slice direction = zero || !l->sdp.ptr ? SLICE("sendrecv") : l->sdp;

    put(t, "v=0\r\no=- 1 %u IN %s %.*s\r\ns=-\r\nc=IN %s %.*s\r\nt=0 0\r\nm=audio %u %.*s ", l->cseq,
        family, SLICE_ARG(origin), family, SLICE_ARG(zero ? SLICE("0.0.0.0") : ip),
        l->media_port ? l->media_port : 40000, SLICE_ARG(proto));
    put_with_blanks(t, types, ',');
    put(t, "\r\na=%.*s\r\n", SLICE_ARG(direction));
    put_types(t, types);
    if (l->ptime)
        put(t, "a=ptime:%u\r\n", l->ptime);
    while (rest.len) {
        one = slice_take_until(&rest, '%');
        (void)slice_take_char(&rest, '%');
        put(t, "%s", slice_starts(one, SLICE("m=")) ? "" : "a=");
        put_with_blanks(t, one, '_');
        put(t, "\r\n");
    }
}

static void put_body(struct text *t, const struct line *l)
{
    char body[1024];
    struct text b = { body, sizeof body };

    body[0] = 0;
    if (l->sdp.ptr || l->types.ptr || l->media_ip.ptr || l->proto.ptr || l->attributes.ptr || l->media_port)
        put_sdp(&b, l);
    else if (l->frag)
        put(&b, "SIP/2.0 %u Whatever\r\n", l->frag);
    if (body[0])
        put(t, "Content-Type: %s\r\n", l->frag ? "message/sipfrag;version=2.0" : "application/sdp");
    put(t, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
}

static void put_headers(struct text *t, slice headers)
{
    while (slice_take_char(&headers, '|')) {
        slice one = slice_trim(slice_take_until(&headers, '|'));

        put(t, "%.*s\r\n", SLICE_ARG(one));
    }
}

static void put_reason(struct text *t, const struct line *l)
{
    slice phrase = l->reason.ptr ? l->reason : SLICE("Whatever");

    for (size_t i = 0; i < phrase.len; i++)
        put(t, "%c", phrase.ptr[i] == '_' ? ' ' : phrase.ptr[i]);
}

static slice write_message(struct play *p, const struct line *l)
{
    struct text t = { p->text, sizeof p->text };
    bool registers = method_is(l, "REGISTER");
    slice aor = l->aor.ptr ? l->aor : SLICE("sip:bob@b.example");
    slice caller = registers ? aor : l->caller.ptr ? l->caller : SLICE("sip:alice@a.example"),
          callee = aor;
    slice from_tag = l->from_tag.ptr ? l->from_tag : SLICE("a");

    if (l->request) {
        put(&t, "%.*s %.*s SIP/2.0\r\n", SLICE_ARG(l->method),
            SLICE_ARG(l->uri.ptr ? l->uri : SLICE("sip:bob@b.example")));
    } else {
        put(&t, "SIP/2.0 %u ", l->status);
        put_reason(&t, l);
        put(&t, "\r\n");
    }
    put_vias(&t, l);
    put_party(&t, "From", l->reversed ? callee : caller, l->reversed ? l->to_tag : from_tag);
    put_party(&t, "To", l->reversed ? caller : callee, l->reversed ? from_tag : l->to_tag);
    put(&t, "Call-ID: %.*s\r\n", SLICE_ARG(l->call_id.ptr ? l->call_id : SLICE("c1")));
    put(&t, "CSeq: %u %.*s\r\n", l->cseq, SLICE_ARG(l->method));
    put(&t, "Max-Forwards: %u\r\n", l->max_forwards ? l->max_forwards : 70);
    if (l->rseq)
        put(&t, "Require: 100rel\r\nRSeq: %u\r\n", l->rseq);
    put_headers(&t, l->headers);
    put_body(&t, l);
    return slice_of(p->text, (size_t)(t.at - p->text));
}

/* ---- playing ---- */

static struct address address_of(char letter)
{
    uint8_t private_ip[4] = { 10, 0, 0, (uint8_t)(letter - 'A' + 1) };
    uint8_t public_ip[4] = { 198, 51, 100, (uint8_t)(letter - 'a' + 1) };

    return address_v4(letter >= 'a' ? public_ip : private_ip, 5060);
}

/* ---- voice and incidents ---- */

#define NUMBER(name_, member, type) { SLICE_INIT(name_), offsetof(struct stream, member), sizeof(type) }
static const struct { slice name; size_t offset, size; } numbers[] = {
    NUMBER("packets", packets, uint32_t), NUMBER("lost", lost, uint32_t),
    NUMBER("duplicates", duplicates, uint32_t), NUMBER("reordered", reordered, uint32_t),
    NUMBER("restarts", restarts, uint32_t), NUMBER("early", early_packets, uint32_t),
    NUMBER("jitter_us", jitter_max_us, uint32_t), NUMBER("jitter_mean_us", jitter_mean_us, uint32_t),
    NUMBER("drift_ppm", drift_ppm, int32_t), NUMBER("silent_s", silent_s, uint32_t),
    NUMBER("gap_ms", gap_max_ms, uint32_t), NUMBER("two_way_ms", two_way_ms, uint32_t),
    NUMBER("mos", buffers[STREAM_ADAPTIVE].mos_milli, uint16_t),
    NUMBER("late", buffers[STREAM_ADAPTIVE].discarded, uint32_t),
    NUMBER("worst_mos", worst_mos_milli, uint16_t), NUMBER("bursts", bursts, uint32_t),
    NUMBER("burst_ms", burst_ms, uint32_t), NUMBER("burst_r", burst_r_milli, uint32_t),
    NUMBER("codec_changes", codec_changes, uint32_t), NUMBER("other_type", other_type_packets, uint32_t),
    NUMBER("wrong_type", wrong_type, bool), NUMBER("frame_ms", frame_ms, uint16_t),
    NUMBER("unnamed_source", unnamed_source, bool), NUMBER("unnamed_target", unnamed_target, bool),
    NUMBER("secure", secure, bool), NUMBER("silence", silence_suppressed, bool),
    NUMBER("comfort", comfort_noise, uint32_t),
    NUMBER("events", dtmf_events, uint32_t), NUMBER("unended", dtmf_unended, uint32_t),
    NUMBER("far_lost", rtcp.reported_lost, uint32_t), NUMBER("far_expected", rtcp.reported_expected, uint32_t),
    NUMBER("ssrc", ssrc, uint32_t), NUMBER("hop", hop, uint8_t),
};

static void set_number(struct stream *s, slice name, uint32_t value, slice line)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (slice_eq(numbers[i].name, name)) {
            memcpy((char *)s + numbers[i].offset, &value, numbers[i].size);       /* little endian */
            return;
        }
    FAIL("unknown word '%.*s' in '%.*s'", SLICE_ARG(name), SLICE_ARG(line));
}

static void play_stream(struct play *p, slice rest, slice line)
{
    slice word = take_word(&rest), name;
    struct stream *s = stream_new(0);

    if (!s)
        return;
    s->src = address_of(word.ptr[0]);
    s->dst = address_of(word.ptr[2]);
    s->src.port = s->dst.port = 40000;
    s->hop = 1;
    s->media = 'a';
    snprintf(s->codec, sizeof s->codec, "PCMU");
    while ((word = take_word(&rest)).len) {
        name = slice_take_until(&word, '=');
        (void)slice_take_char(&word, '=');
        if (slice_eq(name, SLICE("codec")))
            snprintf(s->codec, sizeof s->codec, "%.*s", SLICE_ARG(word));
        else if (slice_eq(name, SLICE("dtmf")))
            snprintf(s->dtmf, sizeof s->dtmf, "%.*s", SLICE_ARG(word));
        else if (slice_eq(name, SLICE("call")))
            p->stream_calls[p->stream_count] = word;
        else if (slice_eq(name, SLICE("from")))
            s->first_ns = PLAY_START_NS + number_of(word, line) * PLAY_MS;
        else if (slice_eq(name, SLICE("to")))
            s->last_ns = PLAY_START_NS + number_of(word, line) * PLAY_MS;
        else if (slice_eq(name, SLICE("port")))
            s->src.port = (uint16_t)number_of(word, line);
        else if (slice_eq(name, SLICE("dport")))
            s->dst.port = (uint16_t)number_of(word, line);
        else
            set_number(s, name, number_of(word, line), line);
    }
    s->index = p->stream_count + 1;
    s->first_frame = s->last_frame = ++p->frames;
    p->media_visible = true;
    if (p->stream_count == PLAY_STREAMS_MAX)
        FAIL("too many streams");
    p->streams[p->stream_count++] = s;
}

static void count_way(struct call_media_way *way, const struct stream *s)
{
    way->packets += s->packets;
    way->lost += s->lost;
    way->streams++;
    if (!way->first_ns || s->first_ns < way->first_ns)
        way->first_ns = s->first_ns;
    if (s->last_ns > way->last_ns)
        way->last_ns = s->last_ns;
}

/* What the table of streams does when a call ends. */
static void give_streams(struct play *p, struct call *c)
{
    size_t kept = 0;

    c->media.visible = p->media_visible;
    c->media.described = c->facts && (c->facts->sdp[0].at_ns || c->facts->sdp[1].at_ns);
    for (size_t i = 0; i < p->stream_count; i++) {
        struct stream *s = p->streams[i];

        if (p->stream_calls[i].len && !slice_eq(p->stream_calls[i], c->call_id)) {
            p->stream_calls[kept] = p->stream_calls[i];
            p->streams[kept++] = s;
            continue;
        }
        s->side = address_same_ip(&s->src, &c->caller_addr) || (s->unnamed_source && !address_same_ip(&s->dst, &c->caller_addr))
                      ? STREAM_FROM_CALLER : STREAM_FROM_CALLEE;
        count_way(s->side == STREAM_FROM_CALLER ? &c->media.to_callee : &c->media.to_caller, s);
        if (s->dtmf_events)
            c->media.dtmf |= CALL_DTMF_RTP;
        c->media.described = true;
        call_add_stream(c, s);
    }
    p->stream_count = kept;
}

static void on_session(void *ctx, struct call *const *legs, size_t count)
{
    struct play *p = ctx;

    for (size_t i = 0; i < count; i++)
        give_streams(p, legs[i]);
    if (p->on_session)
        p->on_session(p, legs, count);
}

static void play_incident(struct play *p, slice rest, slice line)
{
    slice name = take_word(&rest), machines = take_word(&rest), word;
    struct wire_incident incident = { .time_ns = p->now_ns, .frame = ++p->frames };

    while (incident.kind < WIRE_INCIDENTS && !slice_eq(wire_incident_name(incident.kind), name))
        incident.kind++;
    if (incident.kind == WIRE_INCIDENTS || machines.len != 3)
        FAIL("no incident: '%.*s'", SLICE_ARG(line));
    incident.src = address_of(machines.ptr[0]);
    incident.dst = address_of(machines.ptr[2]);
    incident.transport = slice_starts(name, SLICE("t")) ? WIRE_TCP : WIRE_UDP;
    while ((word = take_word(&rest)).len) {
        slice key = slice_take_until(&word, '=');

        (void)slice_take_char(&word, '=');
        if (slice_eq(key, SLICE("code")))
            incident.code = (uint8_t)number_of(word, line);
        else
            incident.dst.port = (uint16_t)number_of(word, line);
    }
    if (p->tracker)
        tracker_incident(p->tracker, &incident);
}

static void play_message(struct play *p, struct line *l, slice line)
{
    struct sip_message m;
    slice text;

    fill_defaults(l);
    text = write_message(p, l);
    if (sip_message_parse(text, SIP_DATAGRAM, p->room, ARRAY_LEN(p->room), &m) <= 0)
        FAIL("this is not SIP: '%.*s'", SLICE_ARG(line));
    struct wire_unit unit = {
        .kind = l->tcp ? WIRE_MESSAGE : WIRE_DATAGRAM, .transport = l->tcp ? WIRE_TCP : WIRE_UDP,
        .time_ns = p->now_ns, .frame = ++p->frames, .src = address_of(l->from),
        .dst = address_of(l->to), .payload = text,
        .cut = l->cut, .ip_id = l->has_ip_id ? l->ip_id : 1000 + p->next_ip_id++, .ttl = 64,
    };

    if (p->tracker)
        tracker_message(p->tracker, &unit, &m);
    memset(p->text, '?', text.len);                       /* what was borrowed for longer shows */
}

static void play_line(struct play *p, slice line)
{
    struct line l = { .vias = 1 };
    slice rest = line, word;
    int64_t step_ms = 10;

    l.headers = slice_skip(line, slice_find_char(line, '|') < 0 ? line.len
                                                                 : (size_t)slice_find_char(line, '|'));
    rest = slice_head(line, line.len - l.headers.len);
    word = take_word(&rest);
    if (slice_eq(word, SLICE("wait"))) {
        p->now_ns += number_of(take_word(&rest), line) * PLAY_MS;
        if (p->tracker)
            tracker_time(p->tracker, p->now_ns);
        return;
    }
    if (slice_eq(word, SLICE("rtp"))) {
        play_stream(p, rest, line);
        return;
    }
    if (slice_eq(word, SLICE("incident"))) {
        play_incident(p, rest, line);
        return;
    }
    if (slice_eq(word, SLICE("media"))) {
        p->media_visible = true;
        return;
    }
    if (slice_starts(word, SLICE("@"))) {
        p->now_ns = PLAY_START_NS;
        step_ms = number_of(slice_skip(word, 1), line);
        word = take_word(&rest);
    } else if (slice_starts(word, SLICE("+"))) {
        step_ms = number_of(slice_skip(word, 1), line);
        word = take_word(&rest);
    }
    if (word.len != 3 || word.ptr[1] != '>')
        FAIL("no machines in '%.*s'", SLICE_ARG(line));
    p->now_ns += step_ms * PLAY_MS;
    l.from = word.ptr[0];
    l.to = word.ptr[2];
    read_what(&l, rest, line);
    play_message(p, &l, line);
}

void play(struct play *p, const char *script)
{
    slice rest = slice_of_string(script), line;

    while (slice_take_line(&rest, &line)) {
        line = slice_trim(line);
        if (line.len)
            play_line(p, line);
    }
}

static bool play_whole(struct play *p, const char *script)
{
    if (!play_start(p, NULL)) {
        if (!test_memory_failed())
            FAIL("no tracker");
        return false;
    }
    play(p, script);
    play_end(p);
    return true;
}

#define THE_ONE(p, what)                                                                           \
    do {                                                                                           \
        if (!test_memory_failed() && (p)->what##_count != 1)                                       \
            FAIL("%zu " #what "s in place of one", (p)->what##_count);                             \
        return (p)->what##_count ? (p)->what##s[0] : NULL;                                         \
    } while (0)

const struct call *play_call(struct play *p, const char *script)
{
    if (!play_whole(p, script))
        return NULL;
    THE_ONE(p, call);
}

const struct registration *play_registration(struct play *p, const char *script)
{
    if (!play_whole(p, script))
        return NULL;
    THE_ONE(p, registration);
}

const struct transaction *play_transaction(struct play *p, const char *script)
{
    if (!play_whole(p, script))
        return NULL;
    THE_ONE(p, transaction);
}

const char *play_status(struct play *p, const struct call *c)
{
    struct call_status s = call_status(c);

    snprintf(p->text, sizeof p->text, "%u %.*s", s.code, SLICE_ARG(s.name));
    return p->text;
}

int64_t play_ms(int64_t at_ns) { return at_ns ? (at_ns - PLAY_START_NS) / PLAY_MS : -1; }
