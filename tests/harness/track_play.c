/* tests/harness/track_play.c - see track_play.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/track_play.h"

struct line {
    char     from, to;
    bool     request, in, reversed, tcp;
    uint32_t status, cseq, vias, ip_id, rseq, frag;
    bool     has_ip_id, has_cseq;
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

bool play_start(struct play *p, const struct track_settings *settings)
{
    static const struct track_settings defaults;
    struct track_observer observer = {
        .ctx = p, .message = on_message, .call_opened = on_opened, .call_changed = on_changed,
        .call_closed = on_call_closed, .registration_closed = on_registration_closed,
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
        { SLICE("in"), NULL, NULL, &l->in },         { SLICE("rev"), NULL, NULL, &l->reversed },
        { SLICE("tcp"), NULL, NULL, &l->tcp },
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

    put(t, "Via: SIP/2.0/UDP top.example;branch=");
    if (l->branch.ptr)
        put(t, "z9hG4bK-%.*s\r\n", SLICE_ARG(l->branch));
    else
        put(t, "z9hG4bK-%.*s-%u\r\n", SLICE_ARG(of), l->cseq);
    for (uint32_t i = 1; i < l->vias; i++)
        put(t, "Via: SIP/2.0/UDP v%u.example;branch=z9hG4bK-below-%u\r\n", i, i);
}

static void put_body(struct text *t, const struct line *l)
{
    char body[512];
    const char *direction = slice_eq(l->sdp, SLICE("zero")) ? "sendrecv" : NULL;
    int n = 0;

    if (l->sdp.ptr)
        n = snprintf(body, sizeof body,
                     "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
                     "m=audio 40000 RTP/AVP 0\r\na=%.*s\r\n",
                     direction ? "0.0.0.0" : "10.0.0.1",
                     direction ? (int)strlen(direction) : (int)l->sdp.len,
                     direction ? direction : l->sdp.ptr);
    else if (l->frag)
        n = snprintf(body, sizeof body, "SIP/2.0 %u Whatever\r\n", l->frag);
    if (n)
        put(t, "Content-Type: %s\r\n", l->frag ? "message/sipfrag;version=2.0" : "application/sdp");
    put(t, "Content-Length: %d\r\n\r\n%.*s", n, n, body);
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
    put(&t, "Max-Forwards: 70\r\n");
    if (l->rseq)
        put(&t, "Require: 100rel\r\nRSeq: %u\r\n", l->rseq);
    put_headers(&t, l->headers);
    put_body(&t, l);
    return slice_of(p->text, (size_t)(t.at - p->text));
}

/* ---- playing ---- */

static struct address address_of(char letter)
{
    uint8_t ip[4] = { 10, 0, 0, (uint8_t)(letter - 'A' + 1) };

    return address_v4(ip, 5060);
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
        .ip_id = l->has_ip_id ? l->ip_id : 1000 + p->next_ip_id++, .ttl = 64,
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
