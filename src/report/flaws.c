/* report/flaws.c - see flaws.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/flaws.h"

#include <string.h>

#include "report/page.h"
#include "report/table.h"

enum { HEADER_COLUMNS = 40, INDENT = 2 };

slice flaws_sentence(const struct words *w, enum sip_flaw_kind kind)
{
    static const enum text_id sentences[SIP_FLAW_KINDS] = {
#define X(id, slug, code) [SIP_FLAW_##id] = TEXT_FLAW_##id,
#include "sip/flaws.def"
#undef X
    };

    return (unsigned)kind < SIP_FLAW_KINDS ? words_text(w, sentences[kind]) : (slice){ 0 };
}

/* The line that holds the offset, the start line being 1; 0 where the offset says nothing: what
 * is missing is noted at the very beginning. */
static uint64_t line_of(const struct message_row *m, uint32_t offset)
{
    uint64_t line = 1;

    if (offset == 0 || offset > m->text.len)
        return 0;
    for (const char *at = m->text.ptr, *end = at + offset;
         (at = memchr(at, '\n', (size_t)(end - at))); at++)
        line++;
    return line;
}

/* Long where it is a known header, whatever the message writes; else as written, made harmless. */
static void header_name(struct out *o, const struct message_row *m, uint16_t header)
{
    const struct sip_header *h = header < m->header_count ? &m->headers[header] : NULL;

    if (h)
        table_cut(o, h->id != SIP_H_OTHER ? sip_header_name((enum sip_header_id)h->id) : h->name,
                  HEADER_COLUMNS);
}

static void flaw_print(const struct page *page, const struct words *w, const struct message_row *m,
                       const struct sip_flaw *flaw)
{
    slice sentence = flaws_sentence(w, (enum sip_flaw_kind)flaw->kind);
    uint64_t line = line_of(m, flaw->offset);
    struct out name, text;

    out_init_memory(&name, 1024);
    out_init_memory(&text, 1 << 16);
    header_name(&name, m, flaw->header);
    if (line && out_taken(&name).len)
        words_say(&text, w, TEXT_FLAW_PLACE_IN_HEADER, WORDS_TEXT("flaw", sentence),
                  WORDS_NUMBER("line", line), WORDS_TEXT("header", out_taken(&name)));
    else if (line)
        words_say(&text, w, TEXT_FLAW_PLACE_ON_LINE, WORDS_TEXT("flaw", sentence),
                  WORDS_NUMBER("line", line));
    else
        out_text(&text, sentence);
    page_text(page, INDENT, TONE_WARN, out_taken(&text));
    out_done(&text);
    out_done(&name);
}

void flaws_print(struct out *o, const struct words *w, const struct style *style,
                 const struct message_row *m)
{
    const struct page page = { .out = o, .style = *style };
    size_t kept = m->flaw_count < SIP_FLAWS_MAX ? m->flaw_count : SIP_FLAWS_MAX;
    struct out text;

    for (size_t i = 0; i < kept; i++)
        flaw_print(&page, w, m, &m->flaw_list[i]);
    if (m->flaw_count > kept) {
        out_init_memory(&text, 1024);
        words_say_plural(&text, w, TEXT_FLAW_PLACE_MORE, WORDS_NUMBER("count", m->flaw_count - kept));
        page_text(&page, INDENT, TONE_WARN, out_taken(&text));
        out_done(&text);
    }
}
