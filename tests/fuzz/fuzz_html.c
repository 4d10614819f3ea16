/* tests/fuzz/fuzz_html.c - text on its way into a page: nothing of it becomes markup.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "fuzz/inside.h"
#include "report/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_text(slice text, bool lines, bool elements)
{
    slice rest = text;
    uint32_t point;

    MUST(utf8_is_valid(text));
    while (utf8_take(&rest, &point)) {
        if (elements && point == '<' &&
            (slice_starts(rest, SLICE("bdi>")) || slice_starts(rest, SLICE("bdi dir=ltr>")) || slice_starts(rest, SLICE("/bdi>")))) {
            (void)slice_take_until(&rest, '>');
            rest = slice_skip(rest, 1);
            continue;
        }
        MUST(point != '<' && point != '>' && point != '"' && point != '\'');
        MUST(utf8_is_printable(point) || (lines && point == '\n'));
        MUST(point != '&' || slice_starts(rest, SLICE("amp;")) || slice_starts(rest, SLICE("lt;")) ||
             slice_starts(rest, SLICE("gt;")) || slice_starts(rest, SLICE("quot;")) || slice_starts(rest, SLICE("#39;")));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice text = slice_of(data, size), first = slice_head(text, size / 2), second = slice_skip(text, size / 2);
    struct html h;
    struct out o;

    out_init_memory(&o, 0);
    html_text(&o, text);
    must_be_text(out_taken(&o), false, false);
    out_clear(&o);
    html_lines(&o, text, size);
    must_be_text(out_taken(&o), true, false);
    out_clear(&o);
    html_cut(&o, text, size % 50);
    must_be_text(out_taken(&o), false, false);

    html_init(&h, &o, words_english());
    h.rtl = size % 2;
    out_clear(&o);
    html_say(&h, TEXT_READ_WHY_CALL, WORDS_NUMBER("number", size), WORDS_TEXT("from", first), WORDS_TEXT("to", second));
    must_be_text(out_taken(&o), false, true);
    out_clear(&o);
    html_say_plain(&h, TEXT_READ_WHY_CALL, WORDS_NUMBER("number", size), WORDS_TEXT("from", first),
                   WORDS_TEXT("to", second));
    must_be_text(out_taken(&o), false, false);
    html_done(&h);
    out_done(&o);
    return 0;
}
