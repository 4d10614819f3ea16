/* switch/bindings_record.c - an address-of-record as bytes, for a journal or another worker
 * SPDX-License-Identifier: Apache-2.0
 *
 * Numbers are little-endian. Version 1:
 *   u8 version, text key, u8 count; then for each contact
 *   i64 expires, since, refreshed; u32 cseq, reg_id; u16 q; u8 flags, transport; u16 listener;
 *   address local, remote (u8 family, u16 port, 4 or 16 bytes, none for family 0); six texts
 * In version 2, which never leaves the process, u64 connection stands behind listener.
 * A text is a u16 length and its bytes, in the order of enum binding_text. */
#include "switch/bindings_int.h"

#include <errno.h>

#include "wire/wire.h"

enum { RECORD_VERSION = 1, LIVE_VERSION = 2, Q_MAX = 1000 };

/* ---- writing ---- */

static void put_number(struct out *o, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++)
        out_char(o, (char)(number >> (8 * i)));
}

static void put_text(struct out *o, slice text)
{
    put_number(o, text.len, 2);
    out_text(o, text);
}

static size_t ip_len(uint8_t family) { return family == 4 ? 4 : family == 6 ? 16 : 0; }

static void put_address(struct out *o, const struct address *a)
{
    put_number(o, a->family, 1);
    put_number(o, a->port, 2);
    out_text(o, slice_of(a->ip, ip_len(a->family)));
}

static void put_contact(struct out *o, unsigned version, const struct binding_fields *f)
{
    put_number(o, (uint64_t)f->expires_ns, 8);
    put_number(o, (uint64_t)f->since_ns, 8);
    put_number(o, (uint64_t)f->refreshed_ns, 8);
    put_number(o, f->cseq, 4);
    put_number(o, f->reg_id, 4);
    put_number(o, f->q_thousandth, 2);
    put_number(o, f->flags, 1);
    put_number(o, f->hop.transport, 1);
    put_number(o, f->hop.listener, 2);
    if (version == LIVE_VERSION)
        put_number(o, f->hop.connection, 8);
    put_address(o, &f->hop.local);
    put_address(o, &f->hop.remote);
    put_text(o, f->uri);
    put_text(o, f->path);
    put_text(o, f->call_id);
    put_text(o, f->user_agent);
    put_text(o, f->instance);
    put_text(o, f->params);
}

static void write_record(unsigned version, slice key, const struct bindings_aor *aor, struct out *o)
{
    struct binding_fields f;

    put_number(o, version, 1);
    put_text(o, key);
    put_number(o, aor ? aor->count : 0, 1);
    for (const struct binding *c = aor ? aor->first : NULL; c; c = c->next) {
        binding_read(c, &f);
        put_contact(o, version, &f);
    }
}

void bindings_write(slice key, const struct bindings_aor *aor, struct out *o) { write_record(RECORD_VERSION, key, aor, o); }
void bindings_tell(slice key, const struct bindings_aor *aor, struct out *o) { write_record(LIVE_VERSION, key, aor, o); }

/* ---- reading ---- */

static bool take_number(slice *rest, int bytes, uint64_t *ret)
{
    if (rest->len < (size_t)bytes)
        return false;
    *ret = 0;
    for (int i = 0; i < bytes; i++)
        *ret |= (uint64_t)(uint8_t)rest->ptr[i] << (8 * i);
    *rest = slice_skip(*rest, (size_t)bytes);
    return true;
}

static bool take_u8(slice *rest, unsigned max, uint8_t *ret)
{
    uint64_t number;

    if (!take_number(rest, 1, &number) || number > max)
        return false;
    *ret = (uint8_t)number;
    return true;
}

static bool take_u16(slice *rest, unsigned max, uint16_t *ret)
{
    uint64_t number;

    if (!take_number(rest, 2, &number) || number > max)
        return false;
    *ret = (uint16_t)number;
    return true;
}

static bool take_u32(slice *rest, uint32_t *ret)
{
    uint64_t number;

    if (!take_number(rest, 4, &number))
        return false;
    *ret = (uint32_t)number;
    return true;
}

static bool take_time(slice *rest, int64_t *ret)
{
    uint64_t number;

    if (!take_number(rest, 8, &number) || number > (uint64_t)WIRE_TIME_MAX_NS)
        return false;
    *ret = (int64_t)number;
    return true;
}

/* One line: nothing else was written. */
static bool take_text(slice *rest, slice *ret)
{
    uint16_t len;

    if (!take_u16(rest, UINT16_MAX, &len) || rest->len < len)
        return false;
    *ret = slice_head(*rest, len);
    *rest = slice_skip(*rest, len);
    return slice_find_char(*ret, '\r') < 0 && slice_find_char(*ret, '\n') < 0 && slice_find_char(*ret, '\0') < 0;
}

static bool take_address(slice *rest, struct address *ret)
{
    struct address a = { 0 };

    if (!take_u8(rest, 6, &a.family) || !take_u16(rest, UINT16_MAX, &a.port))
        return false;
    if ((a.family != 0 && !ip_len(a.family)) || rest->len < ip_len(a.family))
        return false;
    if (a.family)
        memcpy(a.ip, rest->ptr, ip_len(a.family));
    *rest = slice_skip(*rest, ip_len(a.family));
    *ret = a;
    return true;
}

static bool take_contact(slice *rest, unsigned version, struct binding_fields *ret)
{
    struct binding_fields f = { 0 };

    if (!take_time(rest, &f.expires_ns) || !take_time(rest, &f.since_ns) || !take_time(rest, &f.refreshed_ns) ||
        !take_u32(rest, &f.cseq) || !take_u32(rest, &f.reg_id) || !take_u16(rest, Q_MAX, &f.q_thousandth) ||
        !take_u8(rest, BINDING_FLAGS_ALL, &f.flags) || !take_u8(rest, WIRE_TRANSPORTS - 1, &f.hop.transport) ||
        !take_u16(rest, UINT16_MAX, &f.hop.listener) ||
        (version == LIVE_VERSION && !take_number(rest, 8, &f.hop.connection)) || !take_address(rest, &f.hop.local) ||
        !take_address(rest, &f.hop.remote))
        return false;
    if (!take_text(rest, &f.uri) || !take_text(rest, &f.path) || !take_text(rest, &f.call_id) ||
        !take_text(rest, &f.user_agent) || !take_text(rest, &f.instance) || !take_text(rest, &f.params))
        return false;
    if (!f.uri.len || f.uri.len + f.path.len + f.call_id.len + f.user_agent.len + f.instance.len + f.params.len >
                          BINDINGS_TEXT_MAX)
        return false;
    *ret = f;
    return true;
}

static bool is_there(const struct binding_fields *fields, size_t count, const struct binding_fields *f)
{
    for (size_t i = 0; i < count; i++)
        if (binding_is_same(&fields[i], f))
            return true;
    return false;
}

/* Connections end with the process. */
static bool is_usable(struct binding_fields *f, bool (*hop)(void *ctx, struct hop *hop), void *ctx, int64_t now_ns)
{
    f->hop.connection = 0;
    if (f->expires_ns <= now_ns || (f->flags & BINDING_BY_HOP && hop_is_reliable(&f->hop)))
        return false;
    return !hop || hop(ctx, &f->hop);
}

struct record {
    slice    key;
    uint8_t  version, count;
    struct binding_fields fields[BINDINGS_AOR_MAX];
};

static bool read_record(slice bytes, unsigned version, struct record *ret)
{
    struct binding_fields f;

    if (!take_u8(&bytes, LIVE_VERSION, &ret->version) || ret->version != version || !take_text(&bytes, &ret->key) ||
        !bindings_key_is_canonical(ret->key) || !take_u8(&bytes, BINDINGS_AOR_MAX, &ret->count))
        return false;
    for (size_t i = 0; i < ret->count; i++) {
        if (!take_contact(&bytes, version, &f) || is_there(ret->fields, i, &f))
            return false;
        ret->fields[i] = f;
    }
    return bytes.len == 0;
}

int bindings_restore(struct bindings *b, slice record, bool (*hop)(void *ctx, struct hop *hop), void *ctx,
                     int64_t now_ns)
{
    struct record r;
    size_t used = 0;

    if (!read_record(record, RECORD_VERSION, &r))
        return -EBADMSG;
    for (size_t i = 0; i < r.count; i++)
        if (is_usable(&r.fields[i], hop, ctx, now_ns))
            r.fields[used++] = r.fields[i];
    return bindings_put_restored(b, r.key, r.fields, used, now_ns);
}

int bindings_follow(struct bindings *b, slice record, slice *ret_key, int64_t now_ns)
{
    struct record r;

    if (!read_record(record, LIVE_VERSION, &r))
        return -EBADMSG;
    *ret_key = r.key;
    return bindings_put_restored(b, r.key, r.fields, r.count, now_ns);
}
