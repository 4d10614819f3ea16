/* report/style.c - see style.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/style.h"

#include "base/utf8.h"

static const char *const codes[TONES] = {
    [TONE_GOOD] = "\033[32m", [TONE_BAD] = "\033[31m", [TONE_WARN] = "\033[33m",
    [TONE_DIM] = "\033[2m", [TONE_STRONG] = "\033[1m",
};

void style_begin(struct out *o, const struct style *s, enum style_tone tone)
{
    if (s->colour && codes[tone])
        out_text(o, slice_of_string(codes[tone]));
}

void style_end(struct out *o, const struct style *s, enum style_tone tone)
{
    if (s->colour && codes[tone])
        out_text(o, SLICE("\033[0m"));
}

void style_clean(struct out *o, slice text)
{
    char clean[512];

    while (text.len)
        out_text(o, slice_of(clean, utf8_clean(&text, clean, sizeof clean)));
}
