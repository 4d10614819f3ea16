/* track/contacts.c - see contacts.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "track/contacts.h"

#include "sip/fields.h"

/* delta-seconds; what is too large for 32 bits is "for ever". */
static uint32_t delta_seconds_of(slice rest, uint32_t otherwise)
{
    uint32_t seconds = otherwise;

    if (rest.len && is_digit(rest.ptr[0]) && !slice_take_u32(&rest, &seconds))
        seconds = UINT32_MAX;
    return seconds;
}

static uint32_t delta_seconds(const struct sip_header *h, uint32_t otherwise)
{
    return delta_seconds_of(h ? h->value : (slice){0}, otherwise);
}

uint32_t contacts_expires_s(const struct sip_message *m)
{
    return delta_seconds(sip_header_find(m, SIP_H_EXPIRES), CONTACTS_EXPIRES_DEFAULT_S);
}

uint32_t contacts_min_expires_s(const struct sip_message *m)
{
    return delta_seconds(sip_header_find(m, SIP_H_MIN_EXPIRES), 0);
}

struct contacts contacts_of(const struct sip_message *m)
{
    const struct sip_header *h = sip_header_find(m, SIP_H_CONTACT);

    return (struct contacts){ m, h, h ? h->value : (slice){0}, contacts_expires_s(m) };
}

static bool contacts_next_value(struct contacts *all, slice *ret)
{
    while (all->header) {
        if (sip_list_next(&all->rest, ret))
            return true;
        all->header = sip_header_next(all->message, all->header);
        all->rest = all->header ? all->header->value : (slice){0};
    }
    return false;
}

bool contacts_next(struct contacts *all, struct contact *ret)
{
    struct sip_name_addr address;
    slice value;

    while (contacts_next_value(all, &value)) {
        if (slice_eq(value, SLICE("*"))) {
            *ret = (struct contact){ value, 0 };
            return true;
        }
        if (!sip_name_addr_parse(value, &address))
            continue;
        ret->uri = address.uri;
        ret->expires_s = all->expires_s;
        if (sip_param_find(address.params, SLICE("expires"), &value))
            ret->expires_s = delta_seconds_of(value, all->expires_s);
        return true;
    }
    return false;
}
