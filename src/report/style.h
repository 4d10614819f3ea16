/* report/style.h - how wide, how colourful, with which marks: what the face was told.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORT_STYLE_H
#define REPORT_STYLE_H

#include "base/out.h"

enum style_tone { TONE_PLAIN, TONE_GOOD, TONE_BAD, TONE_WARN, TONE_DIM, TONE_STRONG, TONES };

struct style {
    unsigned width;                  /* columns of the terminal; 0: no limit */
    bool     colour;
    bool     ascii;                  /* no line-drawing characters */
};

void style_begin(struct out *o, const struct style *s, enum style_tone tone);
void style_end(struct out *o, const struct style *s, enum style_tone tone);
/* Text from the network, cleaned of everything a terminal could act on. */
void style_clean(struct out *o, slice text);

#endif
