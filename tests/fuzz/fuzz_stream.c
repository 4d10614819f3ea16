/* tests/fuzz/fuzz_stream.c - a byte stream cut into messages: always forward, never beyond the
 * bytes, and of one mind with the message parser.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/inside.h"
#include "sip/message.h"
#include "sip/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same_end(slice message)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct sip_message m;
    ptrdiff_t used = sip_message_parse(message, SIP_STREAM, room, SIP_HEADERS_MAX, &m);

    MUST(used == (ptrdiff_t)message.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice rest = slice_of(data, size);

    for (;;) {
        size_t skip = 0, len = 0;
        enum sip_stream_find found = sip_stream_next(rest, &skip, &len);

        MUST(skip <= rest.len);
        if (found == SIP_STREAM_MORE) {          /* a length is then more than there is */
            MUST(len == 0 || len > rest.len - skip);
            break;
        }
        MUST(len <= rest.len - skip);
        MUST((found == SIP_STREAM_MESSAGE) == (len > 0));
        if (found == SIP_STREAM_MESSAGE)
            check_same_end(slice_of(rest.ptr + skip, len));
        MUST(skip + len > 0);
        rest = slice_skip(rest, skip + len);
    }
    return 0;
}
