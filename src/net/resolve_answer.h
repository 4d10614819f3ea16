/* net/resolve_answer.h - one answer of a DNS server: the records that were asked for.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reads the bytes of a message (RFC 1035, 4.1) whose response code was looked at already.
 * CNAMEs are followed within it, in any order, up to eight; the rest counts as no record, as
 * servers resolve them to the end. Records with a name of odd bytes are left out, and those
 * beyond RESOLVE_RECORDS_MAX. Fields past the end of the message, compression that does not
 * point backwards and CNAMEs in a ring are a failure of the server.
 *
 *     resolve_answer_read(bytes, SLICE("_sip._udp.example.com"), TARGETS_SRV, &memory, &answer); */
#ifndef NET_RESOLVE_ANSWER_H
#define NET_RESOLVE_ANSWER_H

#include "base/arena.h"
#include "switch/targets.h"

#define RESOLVE_RECORDS_MAX 128

struct resolve_answer {
    struct targets_answer records;   /* in `memory` */
    uint32_t ttl_s;                  /* the smallest on the way; of none: RFC 2308, UINT32_MAX: not said */
};

/* 0 or -ENOMEM. */
int resolve_answer_read(slice message, slice name, enum targets_type type, struct arena *memory,
                        struct resolve_answer *ret);

#endif
