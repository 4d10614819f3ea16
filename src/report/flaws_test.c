/* report/flaws_test.c - every breach of grammar has its sentence, and the place is the right one
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/flaws.h"

#include "base/utf8.h"
#include "harness/test.h"
#include "report/printer.h"

static bool ends_as_a_sentence(slice text)
{
    return slice_ends(text, SLICE(".")) || slice_ends(text, SLICE("\xe3\x80\x82")) ||     /* Chinese, Japanese */
           slice_ends(text, SLICE("\xe0\xa5\xa4"));        /* Hindi */
}

TEST(every_kind_of_flaw_has_its_own_sentence_in_every_language)
{
    for (size_t i = 0; i < words_count(); i++)
        for (int kind = 0; kind < SIP_FLAW_KINDS; kind++) {
            slice text = flaws_sentence(words_at(i), (enum sip_flaw_kind)kind);
            slice english = flaws_sentence(words_english(), (enum sip_flaw_kind)kind);

            CHECK_ROW(kind, ends_as_a_sentence(text));
            CHECK_ROW(kind, utf8_columns(text) <= 200);
            CHECK_ROW(kind, i == 0 || !slice_eq(text, english));
            for (int other = 0; other < kind; other++)
                CHECK_ROW(kind, !slice_eq(text, flaws_sentence(words_at(i), (enum sip_flaw_kind)other)));
        }
    CHECK_EQ(flaws_sentence(words_english(), SIP_FLAW_KINDS).len, 0);
    CHECK_EQ(flaws_sentence(words_english(), SIP_FLAW_VERSION_UNKNOWN),
             "The first line names a version other than SIP/2.0.");
}

static slice printed(struct out *o, slice bytes, unsigned width)
{
    struct sip_header room[SIP_HEADERS_MAX];
    struct style style = { .width = width };
    struct sip_message m;

    CHECK(sip_message_parse(bytes, SIP_DATAGRAM, room, ARRAY_LEN(room), &m) > 0);
    struct message_row row = { .text = m.all, .flaw_list = m.flaws, .flaw_count = m.flaw_count,
                               .headers = m.headers, .header_count = m.header_count };

    out_init_memory(o, 0);
    flaws_print(o, words_english(), &style, &row);
    return out_taken(o);
}

#define FIRST "OPTIONS sip:b@example.com SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n" \
              "Max-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n"
#define LAST  "Content-Length: 0\r\n\r\n"

TEST(a_flaw_is_told_with_the_line_and_the_header_where_it_is)
{
    static const struct { slice bytes; const char *text; } rows[] = {
        { SLICE_INIT(FIRST "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n" LAST), "" },
        { SLICE_INIT(FIRST "Call-ID: 1\r\nCSeq: 1 BYE\r\n" LAST),
          "  The method in CSeq differs from the method in the first line. See line 7, header CSeq.\n" },
        { SLICE_INIT(FIRST "i: 1 2\r\nCSeq: 1 OPTIONS\r\n" LAST),
          "  Call-ID contains spaces, which are not allowed there. See line 6, header Call-ID.\n" },
        { SLICE_INIT(FIRST "CSeq: 1 OPTIONS\r\n" LAST),
          "  Call-ID is missing, so the message belongs to no call.\n" },
        { SLICE_INIT(FIRST "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nnonsense\r\n" LAST),
          "  A line among the headers has no colon, so it is no header. See line 8.\n" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct out o;

        CHECK_ROW_EQ(i, printed(&o, rows[i].bytes, 100), rows[i].text);
        out_done(&o);
    }
}

TEST(flaws_that_were_not_kept_are_counted)
{
    struct sip_flaw kept[SIP_FLAWS_MAX] = { { .kind = SIP_FLAW_VIA_MISSING, .header = UINT16_MAX } };
    struct message_row row = { .flaw_list = kept, .flaw_count = SIP_FLAWS_MAX + 1 };
    struct style style = { .width = 100 };
    struct out o;

    out_init_memory(&o, 0);
    flaws_print(&o, words_english(), &style, &row);
    CHECK(slice_ends(out_taken(&o), SLICE("  One more flaw is not listed.\n")));
    out_done(&o);
    row.flaw_count = UINT16_MAX;
    out_init_memory(&o, 0);
    flaws_print(&o, words_english(), &style, &row);
    CHECK(slice_ends(out_taken(&o), SLICE("  65519 more flaws are not listed.\n")));
    out_done(&o);
}

TEST(the_notes_of_a_message_begin_its_first_flaw_and_verbose_tells_all_of_it)
{
    struct sip_flaw flaw = { .kind = SIP_FLAW_VIA_MISSING, .header = UINT16_MAX };
    struct message_row row = { .request = true, .method = SLICE("BYE"), .text = SLICE("BYE\r\n"),
                               .flaws = SLICE("via-missing"), .flaw_list = &flaw, .flaw_count = 1 };
    struct style style = { .width = 200 };

    for (int full = 0; full <= 1; full++) {
        struct printer p;
        struct out o;

        out_init_memory(&o, 0);
        printer_begin(&p, PRINTER_TEXT, &o, words_english(), &style);
        p.full_messages = full;
        printer_message(&p, &row);
        slice text = out_taken(&o);

        CHECK_ROW(full, memmem(text.ptr, text.len, "Via is miss", 11) != NULL);
        CHECK_ROW(full, memmem(text.ptr, text.len, "via-missing", 11) == NULL);
        CHECK_ROW_EQ(full, slice_ends(text, SLICE("    BYE\n\n  Via is missing, so nobody can tell where "
                                                  "the answer must go.\n\n")), full);
        printer_done(&p);
        out_done(&o);
    }
}
