/* call/facts.c - see facts.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "call/facts.h"

#include "sip/sdp.h"

#define CODECS_TEXT_MAX 256u
#define CODECS_MAX 32u

static size_t put(char *text, size_t at, slice what)
{
    size_t room = CODECS_TEXT_MAX - at, len = what.len < room ? what.len : room;

    if (len)
        memcpy(text + at, what.ptr, len);
    return at + len;
}

/* "PCMU/8000 G729/8000": names as RFC 4855 registers them, one that is unknown is left out. */
static slice codecs_of(const struct call_sdp *side, char text[CODECS_TEXT_MAX])
{
    struct sdp_media media = { .formats = side->formats, .lines = side->lines };
    struct sdp_codec codecs[CODECS_MAX];
    size_t count = sdp_codecs_of(&media, codecs, CODECS_MAX), at = 0;

    for (size_t i = 0; i < count && at + 40 < CODECS_TEXT_MAX; i++) {
        char digits[12];
        size_t d = sizeof digits;

        if (codecs[i].name.len == 0 || codecs[i].name.len > 24)
            continue;
        for (uint32_t n = codecs[i].clock_hz; d == sizeof digits || n; n /= 10)
            digits[--d] = (char)('0' + n % 10);
        at = put(text, at, at ? SLICE(" ") : SLICE(""));
        at = put(text, at, codecs[i].name);
        at = put(text, at, SLICE("/"));
        at = put(text, at, slice_of(digits + d, sizeof digits - d));
    }
    return slice_of(text, at);
}

slice call_facts_codecs(struct call_facts *f, unsigned side)
{
    struct call_sdp *sdp = &f->sdp[side];
    char text[CODECS_TEXT_MAX];

    if (!sdp->codecs.ptr && sdp->formats.len)
        sdp->codecs = arena_slice(&f->arena, codecs_of(sdp, text));
    return sdp->codecs;
}
