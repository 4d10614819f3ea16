/* switch/b2bua_reason.c - why we refuse, in the words of the telephone network
 * SPDX-License-Identifier: Apache-2.0 */
#include "codes/code.h"
#include "sip/build.h"
#include "switch/b2bua_int.h"

/* RFC 3398, 8.2.6.1, without what it calls interworking (127) or leaves to a Warning. */
static const struct { uint16_t status; uint8_t cause; } causes[] = {
    { 402, 21 }, { 403, 21 }, { 404, 1 },  { 405, 63 }, { 408, 102 }, { 410, 22 }, { 433, 21 }, { 480, 18 }, { 481, 41 },
    { 482, 25 }, { 483, 25 }, { 484, 28 }, { 485, 1 },  { 486, 17 },  { 500, 41 }, { 501, 79 }, { 502, 38 }, { 503, 41 },
    { 504, 102 }, { 600, 17 }, { 603, 21 }, { 604, 1 },
};

void reason_put(struct out *o, unsigned status, unsigned cause)
{
    for (size_t i = 0; !cause && i < ARRAY_LEN(causes); i++)
        if (causes[i].status == status)
            cause = causes[i].cause;
    const struct code *code = cause ? code_find(CODE_Q850, cause) : NULL;

    if (!cause)
        return;
    out_text(o, SLICE("Reason: Q.850;cause="));
    out_u64(o, cause);
    if (code) {
        out_text(o, SLICE(";text=\""));
        out_text(o, slice_of_string(code->phrase));
        out_char(o, '"');
    }
    out_text(o, SLICE("\r\n"));
}
