/* diagnose/builder.c - see builder.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/builder.h"

#include "sip/uri.h"

void prove(struct candidate *c, const struct trace_message *m)
{
    for (size_t i = 0; m && i < c->proof_count; i++)
        if (c->proofs[i].message == m)
            return;
    if (m && c->proof_count < VERDICT_EVIDENCE_MAX)
        c->proofs[c->proof_count++] = (struct proof){ .message = m };
}

void prove_stream(struct candidate *c, const struct stream *s)
{
    if (s && c->proof_count < VERDICT_EVIDENCE_MAX)
        c->proofs[c->proof_count++] = (struct proof){ .stream = s };
}

void prove_frame(struct candidate *c, uint64_t frame, slice what)
{
    if (frame && c->proof_count < VERDICT_EVIDENCE_MAX)
        c->proofs[c->proof_count++] = (struct proof){ .frame = frame, .what = what };
}

static struct value *next_value(struct candidate *c, const char *name, enum value_kind kind)
{
    struct value *v = &c->values[c->value_count < PARAMS_MAX ? c->value_count++ : PARAMS_MAX - 1];

    v->name = name;
    v->kind = kind;
    return v;
}

void say_text(struct candidate *c, const char *name, slice text)
{
    if (text.len)
        next_value(c, name, VALUE_TEXT)->text = text;
}

void say_number(struct candidate *c, const char *name, int64_t number)
{
    next_value(c, name, VALUE_NUMBER)->number = number;
}

void say_seconds(struct candidate *c, const char *name, int64_t ns)
{
    say_number(c, name, case_seconds(ns));
}

void say_tenths(struct candidate *c, const char *name, int64_t tenths)
{
    next_value(c, name, VALUE_TENTHS)->number = tenths;
}

void say_address(struct candidate *c, const char *name, const struct address *address)
{
    if (address->family)
        next_value(c, name, VALUE_ADDRESS)->address = *address;
}

void say_host(struct candidate *c, const char *name, const struct address *address)
{
    struct address host = *address;

    host.port = 0;
    say_address(c, name, &host);
}

/* ---- writing ------------------------------------------------------------------------------------ */

struct line {                        /* text of one value or proof; what does not fit is cut */
    char   text[160];
    size_t len;
};

static void add(struct line *l, slice text)
{
    size_t room = sizeof l->text - l->len, n = text.len < room ? text.len : room;

    if (n)
        memcpy(l->text + l->len, text.ptr, n);
    l->len += n;
}

static void add_number(struct line *l, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    add(l, slice_of(digits + at, sizeof digits - at));
}

static void add_address(struct line *l, const struct address *a)
{
    char text[ADDRESS_TEXT_MAX];

    add(l, slice_of(text, a->port ? address_format(a, text) : address_format_ip(a, text)));
}

static void add_message(struct line *l, const struct trace_message *m, const struct casefile *k)
{
    if (m->status == 0) {
        add(l, sip_method_name((enum sip_method)m->method));
    } else {
        bool final = k && m == k->final && k->call->reason.len;

        add_number(l, m->status);
        add(l, SLICE(" "));
        add(l, final ? k->call->reason : call_code_name(m->status));
        if (m->method != SIP_INVITE) {
            add(l, SLICE(" ("));
            add(l, sip_method_name((enum sip_method)m->method));
            add(l, SLICE(")"));
        }
    }
    if (m->repeats) {
        add(l, SLICE(" \xC3\x97"));                       /* times */
        add_number(l, (uint64_t)m->repeats + 1);
    }
}

static void add_stream(struct line *l, const struct stream *s)
{
    add(l, SLICE("RTP "));
    if (s->codec[0]) {
        add(l, slice_of_string(s->codec));
        add(l, SLICE(" "));
    }
    add_address(l, &s->src);
    add(l, SLICE(" > "));
    add_address(l, &s->dst);
}

static bool write_proof(const struct proof *p, const struct casefile *k, struct arena *a,
                        struct verdict_evidence *ret)
{
    struct line l = { .len = 0 };

    ret->frame = p->message ? p->message->frame : p->stream ? p->stream->first_frame : p->frame;
    if (p->message && k && p->message == k->final && k->call->final_frame)
        ret->frame = k->call->final_frame;                /* where the caller got it */
    if (p->message)
        add_message(&l, p->message, k);
    else if (p->stream)
        add_stream(&l, p->stream);
    else
        add(&l, p->what);
    ret->what = arena_slice(a, slice_of(l.text, l.len));
    return ret->what.ptr != NULL;
}

static void add_value(struct line *l, const struct value *v)
{
    if (v->kind == VALUE_TEXT)
        add(l, v->text);
    else if (v->kind == VALUE_ADDRESS)
        add_address(l, &v->address);
    else if (v->number < 0)
        add(l, SLICE("-"));
    if (v->kind == VALUE_NUMBER)
        add_number(l, (uint64_t)(v->number < 0 ? -v->number : v->number));
    if (v->kind == VALUE_TENTHS) {
        uint64_t n = (uint64_t)(v->number < 0 ? -v->number : v->number);

        add_number(l, n / 10);
        add(l, SLICE("."));
        add_number(l, n % 10);
    }
}

/* What every sentence may ask for without the rule's help. */
static bool default_value(const char *name, const struct candidate *c, const struct casefile *k, struct value *v)
{
    const struct call *call = k->call;
    slice wish = slice_of_string(name);
    bool wants_codecs = slice_starts(wish, SLICE("codecs_"));
    slice user = call->to.user.len ? call->to.user : sip_uri_user(call->request_uri);
    const struct { const char *name; slice text; } texts[] = {
        { "number", user },
        { "user", user },
        { "agent", call->server.len ? call->server : call->user_agent },
        { "codecs_caller", wants_codecs ? case_codecs(k, false) : (slice){0} },
        { "codecs_callee", wants_codecs ? case_codecs(k, true) : (slice){0} },
        { "realm", k->facts->realm },
        { "phrase", c->code == call->final && call->reason.len ? call->reason : call_code_name(c->code) },
    };

    *v = (struct value){ .name = name, .kind = VALUE_TEXT };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (slice_eq(wish, slice_of_string(texts[i].name))) {
            v->text = texts[i].text;
            return v->text.len > 0 && (i < ARRAY_LEN(texts) - 1 || c->code);
        }
    if (slice_eq(wish, SLICE("code")) && c->code) {
        v->kind = VALUE_NUMBER;
        v->number = c->code;
        return true;
    }
    if (slice_eq(wish, SLICE("address"))) {
        v->kind = VALUE_ADDRESS;
        v->address = *case_server(k);
        return v->address.family != 0;
    }
    return false;
}

static bool is_said(const struct candidate *c, const char *name)
{
    for (size_t i = 0; i < c->value_count; i++)
        if (slice_eq(slice_of_string(c->values[i].name), slice_of_string(name)))
            return true;
    return false;
}

/* "PCMA/8000 PCMU/8000 telephone-event/8000" is "PCMA, PCMU" to people: how digits are sent is
 * another matter. */
static void add_codecs(struct line *l, slice list)
{
    slice codec, rest = list;
    bool any = false;

    while ((codec = slice_trim(slice_take_until(&rest, ' '))).len || rest.len) {
        slice clock = codec, name = slice_take_until(&clock, '/');

        slice_take_char(&rest, ' ');
        if (!name.len || slice_eq_nocase(name, SLICE("telephone-event")) || slice_eq_nocase(name, SLICE("CN")))
            continue;
        add(l, any ? SLICE(", ") : SLICE(""));
        add(l, name);
        any = true;
    }
    if (!any)
        add(l, list);
}

static bool write_value(const struct value *v, struct arena *a, struct verdict *ret)
{
    struct line l = { .len = 0 };
    struct verdict_param *p = &ret->params[ret->param_count++];

    if (slice_starts(slice_of_string(v->name), SLICE("codecs_")))
        add_codecs(&l, v->text);
    else
        add_value(&l, v);
    p->name = v->name;
    p->value = arena_slice(a, slice_of(l.text, l.len));
    return p->value.ptr != NULL;
}

static size_t names_count(const char *const *names)
{
    size_t n = 0;

    while (names[n])
        n++;
    return n;
}

bool candidate_write(const struct candidate *c, const struct casefile *k, struct arena *a, struct verdict *ret)
{
    const char *const *wanted = cause_params((enum cause_id)c->cause);
    size_t room = c->value_count + names_count(wanted);
    struct verdict v = { .cause = c->cause, .certainty = c->certainty, .code = c->code };
    struct value missing;

    v.evidence = arena_alloc(a, c->proof_count * sizeof *v.evidence + 1);
    v.params = arena_alloc(a, room * sizeof *v.params + 1);
    if (!v.evidence || !v.params)
        return false;
    for (size_t i = 0; i < c->proof_count; i++)
        if (!write_proof(&c->proofs[i], k, a, &v.evidence[v.evidence_count++]))
            return false;
    for (size_t i = 0; i < c->value_count; i++)
        if (!write_value(&c->values[i], a, &v))
            return false;
    for (size_t i = 0; k && wanted[i]; i++)
        if (!is_said(c, wanted[i]) && default_value(wanted[i], c, k, &missing) && !write_value(&missing, a, &v))
            return false;
    *ret = v;
    return true;
}
