/* net/resolve_answer.c - see resolve_answer.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/resolve_answer.h"

#include <errno.h>

#include "wire/bytes.h"

#define CNAMES_MAX 8
#define NAME_MAX_BYTES 255

enum { DNS_A = 1, DNS_CNAME = 5, DNS_SOA = 6, DNS_AAAA = 28, DNS_SRV = 33, DNS_NAPTR = 35 };
enum { CLASS_IN = 1 };

struct dns_name {
    char   text[NAME_MAX_BYTES];
    size_t length;                   /* 0: the root */
    bool   odd;                      /* bytes that no host name has: `text` is not it */
};

struct dns_record {
    struct dns_name name;
    uint16_t type, class;
    uint32_t ttl_s;
    size_t   data, length;           /* where the rest stands in the message */
};

static slice name_of(const struct dns_name *name) { return slice_of(name->text, name->length); }

static bool put_label(struct dns_name *name, slice label)
{
    if (name->length + label.len + 1 > sizeof name->text)
        return false;
    if (name->length)
        name->text[name->length++] = '.';
    for (size_t i = 0; i < label.len; i++)
        name->odd = name->odd || label.ptr[i] == '.' || label.ptr[i] == '\\' || label.ptr[i] <= ' ' ||
                    label.ptr[i] > '~';
    memcpy(name->text + name->length, label.ptr, label.len);
    name->length += label.len;
    return true;
}

/* Each pointer must lead before the place where it was reached from, so it ends (4.1.4). */
static bool take_name(slice message, size_t *at, struct dns_name *ret)
{
    size_t here = *at, before = *at;
    bool jumped = false;

    ret->length = 0;
    ret->odd = false;
    while (wire_has(message, here, 1)) {
        uint8_t length = wire_get_u8(message, here);

        if (length >= 0xc0) {
            size_t to = wire_get_u16(message, here) & 0x3fffu;

            if (!wire_has(message, here, 2) || to >= before)
                return false;
            *at = jumped ? *at : here + 2;
            jumped = true;
            here = before = to;
            continue;
        }
        if (length == 0) {
            *at = jumped ? *at : here + 1;
            return true;
        }
        if (length > 63 || !wire_has(message, here + 1, length) ||
            !put_label(ret, slice_of(message.ptr + here + 1, length)))
            return false;
        here += 1u + length;
    }
    return false;
}

static bool take_record(slice message, size_t *at, struct dns_record *ret)
{
    if (!take_name(message, at, &ret->name) || !wire_has(message, *at, 10))
        return false;
    ret->type = wire_get_u16(message, *at);
    ret->class = wire_get_u16(message, *at + 2);
    ret->ttl_s = wire_get_u32(message, *at + 4);
    ret->length = wire_get_u16(message, *at + 8);
    ret->data = *at += 10;
    if (ret->ttl_s > INT32_MAX)                           /* RFC 2181, 8: as if it were 0 */
        ret->ttl_s = 0;
    if (!wire_has(message, *at, ret->length))
        return false;
    *at += ret->length;
    return true;
}

static bool is_of(const struct dns_record *r, uint16_t type, slice name)
{
    return r->type == type && r->class == CLASS_IN && !r->name.odd && slice_eq_nocase(name_of(&r->name), name);
}

static bool skip_questions(slice message, size_t *at)
{
    struct dns_name name;

    *at = 12;
    for (uint16_t i = 0; i < wire_get_u16(message, 4); i++) {
        if (!take_name(message, at, &name) || !wire_has(message, *at, 4))
            return false;
        *at += 4;
    }
    return message.len >= 12;
}

/* ---- CNAMEs ---- */

/* 1: `name` was an alias and is now what it stands for; 0: it is none; -1: cannot be read. */
static int follow(slice message, size_t at, struct dns_name *name, uint32_t *ttl_s)
{
    struct dns_record r;

    for (uint16_t i = 0; i < wire_get_u16(message, 6); i++) {
        if (!take_record(message, &at, &r))
            return -1;
        if (!is_of(&r, DNS_CNAME, name_of(name)))
            continue;
        *ttl_s = r.ttl_s < *ttl_s ? r.ttl_s : *ttl_s;
        return take_name(message, &r.data, name) && !name->odd ? 1 : -1;
    }
    return 0;
}

static bool follow_all(slice message, size_t at, struct dns_name *name, uint32_t *ttl_s)
{
    int aliases = 0, more;

    while ((more = follow(message, at, name, ttl_s)) > 0)
        if (++aliases > CNAMES_MAX)
            return false;
    return more == 0;
}

/* ---- records ---- */

enum read { READ_OK, READ_ODD, READ_BAD, READ_NO_MEMORY };

static enum read keep_name(const struct dns_name *name, struct arena *memory, slice *ret)
{
    if (name->odd)
        return READ_ODD;
    *ret = arena_slice(memory, name_of(name));
    return ret->ptr ? READ_OK : READ_NO_MEMORY;
}

static enum read read_srv(slice message, const struct dns_record *r, struct arena *memory, struct targets_record *ret)
{
    size_t at = r->data + 6;
    struct dns_name name;

    if (r->length < 7 || !take_name(message, &at, &name))
        return READ_BAD;
    ret->priority = wire_get_u16(message, r->data);
    ret->weight = wire_get_u16(message, r->data + 2);
    ret->port = wire_get_u16(message, r->data + 4);
    return keep_name(&name, memory, &ret->name);
}

static bool take_string(slice message, size_t *at, slice *ret)
{
    uint8_t length = wire_get_u8(message, *at);

    if (!wire_has(message, *at, 1u + length))
        return false;
    *ret = slice_of(message.ptr + *at + 1, length);
    *at += 1u + length;
    return true;
}

static enum read read_naptr(slice message, const struct dns_record *r, struct arena *memory,
                            struct targets_record *ret)
{
    slice flags, service, expression;
    size_t at = r->data + 4;
    struct dns_name name;

    if (r->length < 8 || !take_string(message, &at, &flags) || !take_string(message, &at, &service) ||
        !take_string(message, &at, &expression) || !take_name(message, &at, &name))
        return READ_BAD;
    ret->priority = wire_get_u16(message, r->data);
    ret->weight = wire_get_u16(message, r->data + 2);
    ret->flags = arena_slice(memory, flags);
    ret->service = arena_slice(memory, service);
    if (!ret->flags.ptr || !ret->service.ptr)
        return READ_NO_MEMORY;
    return keep_name(&name, memory, &ret->name);
}

static enum read read_one(slice message, const struct dns_record *r, struct arena *memory,
                          struct targets_record *ret)
{
    *ret = (struct targets_record){ 0 };
    switch (r->type) {
    case DNS_A:
        if (r->length == 4)
            ret->address = address_v4(message.ptr + r->data, 0);
        return r->length == 4 ? READ_OK : READ_BAD;
    case DNS_AAAA:
        if (r->length == 16)
            ret->address = address_v6(message.ptr + r->data, 0);
        return r->length == 16 ? READ_OK : READ_BAD;
    case DNS_SRV:
        return read_srv(message, r, memory, ret);
    default:
        return read_naptr(message, r, memory, ret);
    }
}

static enum read read_records(slice message, size_t *at, uint16_t type, slice name, struct arena *memory,
                              struct resolve_answer *answer)
{
    size_t records = wire_get_u16(message, 6), room = records < RESOLVE_RECORDS_MAX ? records : RESOLVE_RECORDS_MAX;
    struct targets_record *kept = arena_alloc(memory, room * sizeof *kept);
    struct dns_record r;

    if (!kept)
        return READ_NO_MEMORY;
    answer->records.records = kept;
    while (records--) {
        if (!take_record(message, at, &r))
            return READ_BAD;
        if (!is_of(&r, type, name) || answer->records.count == room)
            continue;
        answer->ttl_s = r.ttl_s < answer->ttl_s ? r.ttl_s : answer->ttl_s;
        enum read read = read_one(message, &r, memory, &kept[answer->records.count]);

        if (read == READ_OK)
            answer->records.count++;
        else if (read != READ_ODD)
            return read;
    }
    return READ_OK;
}

/* How long "none" holds: the SOA in the authority section says it (RFC 2308, 5). */
static uint32_t negative_ttl(slice message, size_t at, uint32_t ttl_s)
{
    struct dns_name name;
    struct dns_record r;

    for (uint16_t i = 0; i < wire_get_u16(message, 8) && take_record(message, &at, &r); i++) {
        if (r.type != DNS_SOA || !take_name(message, &r.data, &name) || !take_name(message, &r.data, &name) ||
            !wire_has(message, r.data, 20))
            continue;
        uint32_t minimum = wire_get_u32(message, r.data + 16);

        ttl_s = r.ttl_s < ttl_s ? r.ttl_s : ttl_s;
        return minimum < ttl_s ? minimum : ttl_s;
    }
    return UINT32_MAX;
}

static enum read read_answer(slice message, slice asked, enum targets_type type, struct arena *memory,
                             struct resolve_answer *answer)
{
    static const uint16_t types[] = {
        [TARGETS_NAPTR] = DNS_NAPTR, [TARGETS_SRV] = DNS_SRV, [TARGETS_A] = DNS_A, [TARGETS_AAAA] = DNS_AAAA,
    };
    struct dns_name name = { .length = asked.len };
    enum read read;
    size_t at;

    if (asked.len > sizeof name.text || !skip_questions(message, &at))
        return READ_BAD;
    memcpy(name.text, asked.ptr, asked.len);
    if (!follow_all(message, at, &name, &answer->ttl_s))
        return READ_BAD;
    if (wire_get_u16(message, 6)) {
        read = read_records(message, &at, types[type], name_of(&name), memory, answer);
        if (read != READ_OK)
            return read;
    }
    if (!answer->records.count) {
        answer->records.got = TARGETS_GOT_NONE;
        answer->ttl_s = negative_ttl(message, at, answer->ttl_s);
    }
    return READ_OK;
}

int resolve_answer_read(slice message, slice name, enum targets_type type, struct arena *memory,
                        struct resolve_answer *ret)
{
    struct resolve_answer answer = { .records.got = TARGETS_GOT_RECORDS, .ttl_s = UINT32_MAX };

    switch (read_answer(message, name, type, memory, &answer)) {
    case READ_NO_MEMORY:
        return -ENOMEM;
    case READ_BAD:
        answer = (struct resolve_answer){ .records.got = TARGETS_GOT_FAILURE, .ttl_s = UINT32_MAX };
        break;
    default:
        break;
    }
    *ret = answer;
    return 0;
}
