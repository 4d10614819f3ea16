/* switch/steer.c - see steer.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "switch/steer.h"

#include "sip/lines.h"
#include "sip/route.h"
#include "switch/bindings.h"
#include "switch/endpoint.h"

/* ---- a few lines of a message ---- */

struct scan {
    struct sip_lines lines;
    const char *at, *end;            /* what was not looked at yet */
};

/* The next line with those that continue it, without its end. False: the headers are over. */
static bool next_line(struct scan *scan, slice *ret)
{
    const char *lf = sip_lines_next(&scan->lines);

    while (lf && lf + 1 < scan->end && (lf[1] == ' ' || lf[1] == '\t'))
        lf = sip_lines_next(&scan->lines);
    if (!lf)
        lf = scan->end;
    *ret = slice_trim(slice_of(scan->at, (size_t)(lf - scan->at)));
    scan->at = lf < scan->end ? lf + 1 : lf;
    return ret->len != 0;
}

static bool next_header(struct scan *scan, enum sip_header_id *ret_id, slice *ret_value)
{
    slice line;

    if (!next_line(scan, &line))
        return false;
    *ret_id = SIP_H_OTHER;
    switch (ascii_lower(line.ptr[0])) {
    case 'c': case 'i': case 'r': case 't': case 'v':
        *ret_value = line;
        *ret_id = sip_header_id_find(slice_trim(slice_take_until(ret_value, ':')));
        *ret_value = slice_trim(slice_skip(*ret_value, 1));
        break;
    default:
        break;
    }
    return true;
}

/* ---- who ---- */

static unsigned by_hash(const struct steer *s, slice text) { return (unsigned)(hash_slice(&s->seed, text) % s->count); }

static bool by_token(const struct steer *s, slice token, unsigned *ret)
{
    unsigned worker;

    if (!endpoint_token_worker(token, &worker) || worker >= s->count)
        return false;
    *ret = worker;
    return true;
}

static unsigned by_call_id(const struct steer *s, slice call_id)
{
    unsigned worker;

    return by_token(s, call_id, &worker) ? worker : by_hash(s, call_id);
}

unsigned steer_aor(const struct steer *s, slice key)
{
    size_t len = key.len;

    while (len && key.ptr[len - 1] != '@')
        len--;
    return by_hash(s, slice_head(key, len));              /* without the host: an alias of a domain is that domain */
}

unsigned steer_hop(const struct steer *s, const struct hop *hop)
{
    struct { struct address remote; uint8_t transport, zero[3]; } key = { hop->remote, hop->transport, { 0 } };

    return (unsigned)(hash_bytes(&s->seed, &key, sizeof key) % s->count);
}

static unsigned response(const struct steer *s, struct scan *scan, unsigned here)
{
    static const slice cookie = SLICE_INIT("z9hG4bK");
    enum sip_header_id id;
    struct sip_via via;
    unsigned worker;
    slice value;

    while (next_header(scan, &id, &value)) {
        if (id != SIP_H_VIA)
            continue;
        if (sip_via_next(&value, &via) && slice_starts(via.branch, cookie) &&
            by_token(s, slice_skip(via.branch, cookie.len), &worker))
            return worker;
        break;
    }
    return here;
}

struct wanted {
    slice to, call_id, replaces;
};

static void find_wanted(struct scan *scan, bool with_replaces, struct wanted *ret)
{
    enum sip_header_id id;
    slice value;

    *ret = (struct wanted){ 0 };
    while ((with_replaces || !ret->to.len || !ret->call_id.len) && next_header(scan, &id, &value)) {
        slice *place = id == SIP_H_TO ? &ret->to : id == SIP_H_CALL_ID ? &ret->call_id
                     : id == SIP_H_REPLACES ? &ret->replaces : NULL;

        if (place && !place->len)
            *place = value;
    }
}

static unsigned request(const struct steer *s, const struct wanted *w, bool is_register, unsigned here)
{
    struct sip_name_addr to = { 0 };
    struct sip_replaces replaces;
    char room[BINDINGS_KEY_MAX];
    unsigned worker;
    slice key, tag;

    if (!sip_name_addr_parse(w->to, &to))
        to = (struct sip_name_addr){ 0 };
    if (is_register && bindings_key(to.uri, room, &key))
        return steer_aor(s, key);
    if (!is_register && sip_param_find(to.params, SLICE("tag"), &tag) && by_token(s, tag, &worker))
        return worker;
    if (w->replaces.len && sip_replaces_parse(w->replaces, &replaces))
        return by_token(s, replaces.to_tag, &worker) ? worker : by_call_id(s, replaces.call_id);
    return w->call_id.len ? by_call_id(s, w->call_id) : here;
}

struct steered steer_message(const struct steer *s, slice bytes, unsigned here)
{
    static const slice version = SLICE_INIT("SIP/");
    struct scan scan;
    struct wanted w;
    slice line;

    if (s->count < 2)
        return (struct steered){ here, false };
    while (bytes.len && is_blank(*bytes.ptr))             /* 7.5 */
        bytes = slice_skip(bytes, 1);
    scan = (struct scan){ .at = bytes.ptr, .end = bytes.ptr + bytes.len };
    if (!bytes.len)
        return (struct steered){ here, false };
    sip_lines_init(&scan.lines, scan.at, scan.end);
    if (!next_line(&scan, &line))
        return (struct steered){ here, false };
    if (slice_starts(line, version))
        return (struct steered){ response(s, &scan, here), false };
    bool is_register = slice_starts(line, SLICE("REGISTER "));

    find_wanted(&scan, slice_starts(line, SLICE("INVITE ")), &w);
    return (struct steered){ request(s, &w, is_register, here), is_register };
}
