/* sip/stream.h - where does a SIP message on a byte stream begin and end (RFC 3261, 18.3 and 7.5).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Looks only at the start line and Content-Length (or l), not at the rest. Agrees with
 * sip_message_parse(..., SIP_STREAM, ...) on where a message ends, whatever its flaws. */
#ifndef SIP_STREAM_H
#define SIP_STREAM_H

#include "base/slice.h"

#define SIP_STREAM_HEADER_MAX 65536u
#define SIP_STREAM_MESSAGE_MAX (1u << 20)

enum sip_stream_find {
    SIP_STREAM_MESSAGE,              /* *ret_skip bytes to pass over, then *ret_len of a message */
    SIP_STREAM_MORE,                 /* as far as seen this can be SIP: give it more bytes */
    SIP_STREAM_NOT_SIP,              /* pass over *ret_skip bytes and try again */
};
/* `bytes` starts where the last message ended, or anywhere (start in mid-stream): keep-alive
 * CRLFs and foreign bytes before a start line are in *ret_skip. A message without
 * Content-Length, or with one that is no number or promises more than
 * SIP_STREAM_MESSAGE_MAX, ends with its header. With SIP_STREAM_MORE *ret_skip bytes may be
 * dropped already, and *ret_len is what the message behind them needs in all (0: not known
 * yet), so that nobody asks again for each segment of a large body. Otherwise *ret_skip +
 * *ret_len is never more than bytes.len, and one of them is above 0. Start lines are looked
 * for at line starts only. */
enum sip_stream_find sip_stream_next(slice bytes, size_t *ret_skip, size_t *ret_len);

#endif
