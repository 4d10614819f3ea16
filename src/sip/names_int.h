/* sip/names_int.h - header names compared eight bytes at a time; for names.c and message.c.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIP_NAMES_INT_H
#define SIP_NAMES_INT_H

#include <endian.h>

#include "sip/message.h"

#define SIP_NAME_ROOM 32             /* of the longest name, with zeros behind it */

extern const char    sip_header_names[SIP_HEADER_IDS][SIP_NAME_ROOM];
extern const uint8_t sip_header_lengths[SIP_HEADER_IDS];
#define SIP_NO_COMPACT 256           /* a place that no byte leads to */
extern const uint8_t sip_header_compact[SIP_NO_COMPACT + 1];    /* by lower-case letter */
extern const uint8_t sip_header_last[SIP_NAME_ROOM];    /* by length: the last id of it, or 0 */

static inline uint64_t sip_word(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return le64toh(word);
}

/* Which bits of 8 bytes differ, case aside? Only letters have case: bit 0x20 is passed over
 * where the known name has bit 0x40, so a CR is no '-'. */
static inline uint64_t sip_word_differs(uint64_t seen, uint64_t known)
{
    return (seen ^ known) & ~((known & 0x4040404040404040u) >> 1);
}

/* Has a high bit set for the first colon of 8 bytes (and maybe for some behind it). */
static inline uint64_t sip_colon_in(uint64_t word)
{
    uint64_t zero = word ^ 0x3a3a3a3a3a3a3a3au;

    return (zero - 0x0101010101010101u) & ~zero & 0x8080808080808080u;
}

/* Names of 2 to 8 bytes; `word` holds the name and then anything. */
static inline enum sip_header_id sip_find_short(uint64_t word, size_t len)
{
    unsigned id = sip_header_last[len];

    for (unsigned spare = 64 - 8 * (unsigned)len; sip_header_lengths[id] == len; id--)
        if (!(sip_word_differs(word, sip_word(sip_header_names[id])) << spare))
            return id;
    return SIP_H_OTHER;
}

/* Bytes 8 and up of a name whose first 8 are right. The last 8 bytes are compared together
 * with some before them: nothing outside the name counts. */
static inline bool sip_tail_is(const char *name, const char *known, size_t len)
{
    for (size_t at = 8; at + 8 < len; at += 8)
        if (sip_word_differs(sip_word(name + at), sip_word(known + at)))
            return false;
    return !sip_word_differs(sip_word(name + len - 8), sip_word(known + len - 8));
}

/* Names of 9 to SIP_NAME_ROOM - 1 bytes; `word` holds the first 8. */
static inline enum sip_header_id sip_find_long(const char *name, uint64_t word, size_t len)
{
    if (((word & 0xff) | 0x20) == 'x')
        return SIP_H_OTHER;          /* "X-...": the most frequent of the unknown */
    for (unsigned id = sip_header_last[len]; sip_header_lengths[id] == len; id--)
        if (!sip_word_differs(word, sip_word(sip_header_names[id])) &&
            sip_tail_is(name, sip_header_names[id], len))
            return id;
    return SIP_H_OTHER;
}

#endif
