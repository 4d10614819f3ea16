/* switch/b2bua_history.c - who forwarded the call, as History-Info (RFC 7044, with the causes of
 * RFC 4458) and as Diversion (RFC 5806), one made of the other where only that came (RFC 7544)
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"
#include "sip/fields.h"
#include "sip/uri.h"
#include "switch/b2bua_int.h"
#include "switch/config.h"

enum { INDEX_MAX = 64, SHOWN_MAX = 32 };

static const uint16_t causes[DIVERTED_WHYS] = {
    [USER_FORWARD_ALWAYS] = 302, [USER_FORWARD_BUSY] = 486, [USER_FORWARD_NO_ANSWER] = 408, [USER_FORWARD_UNREACHABLE] = 503,
    [DIVERTED_AT_ONCE] = 480, [DIVERTED_WHILE_RINGING] = 487,
};

/* RFC 7544, 6 and 7: of several causes with one reason the first is what the reason becomes. */
static const struct { uint16_t cause; slice reason; } kinds[] = {
    { 302, SLICE_INIT("unconditional") }, { 486, SLICE_INIT("user-busy") },   { 408, SLICE_INIT("no-answer") },
    { 503, SLICE_INIT("unavailable") },   { 480, SLICE_INIT("deflection") },  { 487, SLICE_INIT("deflection") },
    { 404, SLICE_INIT("unknown") },       { 404, SLICE_INIT("time-of-day") }, { 404, SLICE_INIT("do-not-disturb") },
    { 404, SLICE_INIT("follow-me") },     { 404, SLICE_INIT("out-of-service") }, { 404, SLICE_INIT("away") },
};

static unsigned cause_of(slice reason)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (slice_eq_nocase(kinds[i].reason, reason))
            return kinds[i].cause;
    return 404;
}

static slice reason_of(unsigned cause)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].cause == cause)
            return kinds[i].reason;
    return SLICE("unknown");
}

/* One forward as it is told: who, to whom, why. */
struct shown {
    slice    scheme, who;            /* "sip:" before an address-of-record; empty before a URI */
    slice    target;                 /* URI */
    unsigned cause, count;           /* count: of forwards that only their number is known of, and this one */
    bool     hides;
};

void history_add(struct b2bua_call *c, slice target, unsigned why)
{
    struct call_setup *setup = c->setup;
    struct diversion *d = arena_alloc(&setup->arena, sizeof *d);

    if (!d)
        return;
    *d = (struct diversion){ setup->diverted, arena_slice(&setup->arena, setup->called), arena_slice(&setup->arena, target),
                             (uint8_t)why, (setup->flags & USER_HIDE_NUMBER) != 0 };
    if (d->who.ptr && d->target.ptr)
        setup->diverted = d;
}

/* ---- reading what came ---- */

/* What a URI says of headers would be mixed with ours. */
static slice without_headers(slice uri)
{
    slice rest = uri;

    return slice_take_until(&rest, '?');
}

/* Whose number is to be hidden from who is not trusted (RFC 7044, 10.1.2). */
static const slice nobody = SLICE_INIT("sip:anonymous@anonymous.invalid");

static void hide(struct shown *all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (all[i].hides) {
            all[i].scheme = (slice){ 0 };
            all[i].who = nobody;
        }
}

static bool is_sip(slice uri) { return slice_starts_nocase(uri, SLICE("sip")); }

static bool diversion_hides(const struct sip_name_addr *addr)
{
    slice text;

    return sip_param_find(addr->params, SLICE("privacy"), &text) && !slice_eq_nocase(text, SLICE("off"));
}

/* The Diversions of a request, the oldest first; the newest stands first there. */
static size_t read_diversions(const struct sip_message *request, struct shown ret[SHOWN_MAX])
{
    struct sip_values all = sip_values_of(request, SIP_H_DIVERSION);
    slice value, target = request->uri;
    size_t count = 0;

    while (count < SHOWN_MAX && sip_values_next(&all, &value)) {
        struct sip_name_addr addr;
        slice text = { 0 };
        uint32_t counter = 1;

        if (!sip_name_addr_parse(value, &addr))
            continue;
        (void)sip_param_find(addr.params, SLICE("reason"), &text);
        if (!sip_param_u32(addr.params, SLICE("counter"), &counter) || counter == 0 || counter > SHOWN_MAX)
            counter = 1;
        ret[count] = (struct shown){ .who = addr.uri, .target = target, .cause = cause_of(text), .count = counter,
                                     .hides = diversion_hides(&addr) };
        target = ret[count++].who;
    }
    for (size_t i = 0; i < count / 2; i++) {
        struct shown other = ret[i];

        ret[i] = ret[count - 1 - i];
        ret[count - 1 - i] = other;
    }
    return count;
}

struct entry { slice uri, index, mapped; unsigned cause; bool hides; };

/* The cause is a parameter of the URI (RFC 4458); a Reason there is why it failed. */
static bool read_entry(slice value, struct entry *ret)
{
    struct sip_name_addr addr;
    struct sip_uri uri;
    slice text;
    uint32_t cause = 0;

    if (!sip_name_addr_parse(value, &addr) || !sip_uri_parse(addr.uri, &uri))
        return false;
    *ret = (struct entry){ .uri = addr.uri };
    (void)sip_param_find(addr.params, SLICE("index"), &ret->index);
    if (!sip_param_find(addr.params, SLICE("mp"), &ret->mapped))
        ret->mapped = (slice){ 0 };
    if (sip_param_find(uri.params, SLICE("cause"), &text) && slice_to_u32(text, &cause) && cause < 700)
        ret->cause = cause;
    ret->hides = slice_find_nocase(addr.uri, SLICE("Privacy=")) >= 0 &&
                 slice_find_nocase(addr.uri, SLICE("Privacy=none")) < 0;
    return true;
}

/* The forwards among the entries of History-Info, the oldest first: those with a cause. Who
 * forwarded is what the entry was mapped from, else the one before it. */
static size_t read_history(const struct sip_message *request, struct shown ret[SHOWN_MAX])
{
    struct sip_values all = sip_values_of(request, SIP_H_HISTORY_INFO);
    struct entry entries[SHOWN_MAX];
    size_t entry_count = 0, count = 0;
    slice value;

    while (entry_count < SHOWN_MAX && sip_values_next(&all, &value))
        entry_count += read_entry(value, &entries[entry_count]);
    for (size_t i = 1; i < entry_count; i++) {
        const struct entry *from = &entries[i - 1];

        if (!entries[i].cause)
            continue;
        for (size_t k = 0; k < i && entries[i].mapped.len; k++)
            if (slice_eq(entries[k].index, entries[i].mapped))
                from = &entries[k];
        ret[count++] = (struct shown){ .who = from->uri, .target = entries[i].uri, .cause = entries[i].cause, .count = 1,
                                       .hides = from->hides };
    }
    return count;
}

/* Those of this call, the oldest first; `diverted` is the newest. */
static size_t read_own(const struct b2bua_call *c, struct shown ret[SHOWN_MAX])
{
    size_t count = 0;

    for (const struct diversion *d = c->setup->diverted; d && count < SHOWN_MAX; d = d->before)
        count++;
    size_t at = count;

    for (const struct diversion *d = c->setup->diverted; d && at; d = d->before)
        ret[--at] = (struct shown){ .scheme = SLICE("sip:"), .who = d->who, .target = d->target, .cause = causes[d->why],
                                    .count = 1, .hides = d->hides };
    return count;
}

/* ---- History-Info ---- */

/* The index of the last entry that came with the call: ours go on below it. */
static slice last_index(const struct sip_message *request)
{
    struct sip_values all = sip_values_of(request, SIP_H_HISTORY_INFO);
    slice value, last = { 0 };

    while (sip_values_next(&all, &value)) {
        struct sip_name_addr addr;
        slice index;

        if (sip_name_addr_parse(value, &addr) && sip_param_find(addr.params, SLICE("index"), &index) && index.len &&
            index.len <= INDEX_MAX)
            last = index;
    }
    return last;
}

/* "1.1.1": that of the call as it came, and one more for each time that it was sent on. */
static void put_index(struct out *o, slice base, size_t depth)
{
    if (base.len) {
        sip_build_text(o, base);
        out_char(o, '.');
    }
    out_char(o, '1');
    out_repeat(o, SLICE(".1"), depth);
}

/* A URI of ours gets a cause; one that came with it does not get a second. */
static slice without_cause(slice uri)
{
    ptrdiff_t at = slice_find_nocase(uri, SLICE(";cause="));

    return at < 0 ? uri : slice_head(uri, (size_t)at);
}

/* One entry: why the call was sent to it (0: it came so), and why it went on from there (NULL: it
 * did not), put as a header of the URI, which only sip and sips have (5.1). */
static void put_entry(struct out *o, slice base, size_t depth, slice scheme, slice uri, unsigned cause, const struct shown *next)
{
    bool has_params = scheme.len || is_sip(uri);

    out_text(o, SLICE("History-Info: <"));
    out_text(o, scheme);
    sip_build_text(o, without_cause(without_headers(uri)));
    if (cause && has_params) {
        out_text(o, SLICE(";cause="));
        out_u64(o, cause);
    }
    if (next && has_params) {
        out_text(o, SLICE("?Reason=SIP%3Bcause%3D"));
        out_u64(o, next->cause);
        if (next->hides)
            out_text(o, SLICE("&Privacy=history"));
    }
    out_text(o, SLICE(">;index="));
    put_index(o, base, depth);
    if (cause) {                                          /* another user: mapped from the entry above */
        out_text(o, SLICE(";mp="));
        put_index(o, base, depth - 1);
    }
    out_text(o, SLICE("\r\n"));
}

/* Forwards of which only their number is known stand before the one that told it (RFC 7544). */
static void put_chain(struct out *o, slice base, const struct shown *all, size_t count)
{
    static const struct shown unknown = { .cause = 404 };
    size_t depth = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned cause = i ? all[i - 1].cause : 0;

        for (unsigned k = 1; k < all[i].count && depth < SHOWN_MAX; k++, depth++) {
            put_entry(o, base, depth, (slice){ 0 }, SLICE("sip:unknown@unknown.invalid"), cause, &unknown);
            cause = unknown.cause;
        }
        put_entry(o, base, depth++, all[i].scheme, all[i].who, cause, &all[i]);
    }
    if (count)
        put_entry(o, base, depth, (slice){ 0 }, all[count - 1].target, all[count - 1].cause, NULL);
}

/* One that came, as it came but for whom it names; what cannot be read could be anything. */
static void pass_entry(struct out *o, slice value)
{
    struct sip_name_addr addr;
    struct entry entry;

    if (!sip_name_addr_parse(value, &addr) || !read_entry(value, &entry))
        return;
    if (!entry.hides) {
        sip_build_header(o, SIP_H_HISTORY_INFO, value);
        return;
    }
    out_text(o, SLICE("History-Info: <"));
    out_text(o, nobody);
    if (entry.cause) {
        out_text(o, SLICE(";cause="));
        out_u64(o, entry.cause);
    }
    out_char(o, '>');
    sip_build_text(o, addr.params);
    out_text(o, SLICE("\r\n"));
}

static void pass_diversion(struct out *o, slice value)
{
    struct sip_name_addr addr;

    if (!sip_name_addr_parse(value, &addr))
        return;
    if (!diversion_hides(&addr)) {
        sip_build_header(o, SIP_H_DIVERSION, value);
        return;
    }
    addr.display = (slice){ 0 };
    addr.uri = nobody;
    sip_build_name_addr(o, SIP_H_DIVERSION, &addr, (slice){ 0 });
}

/* The lines that came; false: none. */
static bool pass_on(struct out *o, const struct sip_message *request, enum sip_header_id id, bool trusted,
                    void (*pass)(struct out *o, slice value))
{
    struct sip_values all = sip_values_of(request, id);
    slice value;

    if (trusted)
        return sip_build_copy(o, request, id) != 0;
    while (sip_values_next(&all, &value))
        pass(o, value);
    return sip_header_find(request, id) != NULL;
}

static void put_history(struct out *o, const struct b2bua_call *c, const struct sip_message *request, bool trusted)
{
    struct shown all[2 * SHOWN_MAX];
    slice base = last_index(request);
    size_t count = 0;

    if (!pass_on(o, request, SIP_H_HISTORY_INFO, trusted, pass_entry))
        count = read_diversions(request, all);
    count += read_own(c, all + count);
    if (!trusted)
        hide(all, count);
    put_chain(o, base, all, count);
}

/* ---- Diversion ---- */

static void put_one(struct out *o, const struct shown *d)
{
    out_text(o, SLICE("Diversion: <"));
    out_text(o, d->scheme);
    sip_build_text(o, without_cause(without_headers(d->who)));
    out_text(o, SLICE(">;reason="));
    out_text(o, reason_of(d->cause));
    out_text(o, SLICE(";counter=1"));
    out_text(o, d->hides ? SLICE(";privacy=full\r\n") : SLICE(";privacy=off\r\n"));
}

/* The last one stands first. */
static void put_all(struct out *o, struct shown *all, size_t count, bool trusted)
{
    if (!trusted)
        hide(all, count);
    while (count-- > 0)
        put_one(o, &all[count]);
}

static void put_diversion(struct out *o, const struct b2bua_call *c, const struct sip_message *request, bool trusted)
{
    struct shown all[SHOWN_MAX];

    put_all(o, all, read_own(c, all), trusted);
    if (!pass_on(o, request, SIP_H_DIVERSION, trusted, pass_diversion))
        put_all(o, all, read_history(request, all), trusted);
}

/* What an untrusted caller says itself of forwards, anybody could have made up: whose number the next
 * one sees, and who pays (RFC 5806, 6; RFC 7044, 10). A gateway's counts, whose networks forward calls:
 * without it a call that goes round by two of them would never have been diverted too often. */
static bool is_believed(const struct b2bua_call *c) { return c->caller_trusted || c->by_gateway; }

/* To who is not trusted nothing at all when the caller wants it so (RFC 7044, 10.1.2). */
void history_put(struct out *o, const struct b2bua_call *c, const struct sip_message *request, unsigned forwarding,
                 bool trusted)
{
    struct sip_message without;

    if (!trusted && c->privacy & (PRIVACY_HISTORY | PRIVACY_HEADER))
        return;
    if (!is_believed(c)) {
        without = *request;
        without.first[SIP_H_HISTORY_INFO] = without.first[SIP_H_DIVERSION] = 0;
        request = &without;
    }
    if (forwarding == CONFIG_DIVERTED_HISTORY || forwarding == CONFIG_DIVERTED_BOTH)
        put_history(o, c, request, trusted);
    if (forwarding == CONFIG_DIVERTED_DIVERSION || forwarding == CONFIG_DIVERTED_BOTH)
        put_diversion(o, c, request, trusted);
}
