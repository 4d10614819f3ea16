/* media/table_int.h - what the files of this folder share about calls and their addresses.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MEDIA_TABLE_INT_H
#define MEDIA_TABLE_INT_H

#include "base/map.h"
#include "media/codec.h"
#include "media/table.h"

#define MEDIA_TYPES_MAX 16u          /* payload types kept of one media line */

enum media_endpoint_kind { MEDIA_NAMED, MEDIA_CANDIDATE, MEDIA_LEARNED };

/* An address at which one side of a call said it receives, or was seen to. */
struct media_endpoint {
    struct map_node by_address;
    struct address  address;
    struct media_call     *call;
    struct media_endpoint *next;     /* of the call, newest first */
    int64_t  named_ns;               /* when it was said last */
    uint16_t ptime_ms;
    uint8_t  line;                   /* number of its m= line */
    uint8_t  kind;                   /* enum media_endpoint_kind */
    uint8_t  direction;              /* enum sdp_direction */
    uint8_t  media;                  /* 'a', 'v' or 'o' */
    uint8_t  type_count;
    bool     from_callee, secure;
    struct media_type types[MEDIA_TYPES_MAX];
};

struct media_call {
    struct call  *call;
    struct list   streams;           /* live ones, by in_owner */
    struct media_endpoint *endpoints;
    uint32_t endpoint_count, stream_count;
    int64_t  closed_last_ns;         /* newest packet of streams that are over already */
    bool     sparse, described;
    uint8_t  dtmf;                   /* enum call_media_dtmf */
    uint64_t other_packets;
};

#endif
