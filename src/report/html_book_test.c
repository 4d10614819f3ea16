/* report/html_book_test.c - the page is whole or not there, bounded, and nothing in it acts
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/html_book.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "harness/test.h"
#include "report/html_int.h"
#include "report/ladder_int.h"

#define HOSTILE "<script>alert(1)</script>\"'&<!--" "\x1b[31m" "\0" "\r\n" "\xe2\x80\xae" "x" "\xff"

struct setting {
    char folder[64], path[96];
    struct html_book *book;
    struct intake intake;
    struct wire_counts wire;
    struct track_counts track;
    struct summary summary;
};

static void setting_begin(struct setting *s)
{
    memset(s, 0, sizeof *s);
    strncpy(s->folder, "/tmp/html_book_test.XXXXXX", sizeof s->folder - 1);
    CHECK(mkdtemp(s->folder) != NULL);
    (void)snprintf(s->path, sizeof s->path, "%s/page.html", s->folder);
    s->intake.sip_messages = 1;
    s->summary.intake = &s->intake;
    s->summary.wire = &s->wire;
    s->summary.track = &s->track;
}

static int setting_open(struct setting *s, bool newest)
{
    return html_book_open(&s->book, &(struct html_book_settings){ .path = s->path, .words = words_english(),
                                                                  .version = SLICE("1"), .newest = newest });
}

static size_t files_in(const char *folder)
{
    DIR *d = opendir(folder);
    size_t count = 0;

    for (struct dirent *e; d && (e = readdir(d));)
        count += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return count;
}

static void setting_end(struct setting *s)
{
    s->book = html_book_free(s->book);
    (void)unlink(s->path);
    CHECK_EQ(files_in(s->folder), 0);                     /* nothing is left beside the page */
    CHECK_EQ(rmdir(s->folder), 0);
}

static char *page_of(const struct setting *s, size_t *ret_len)
{
    FILE *f = fopen(s->path, "r");
    struct stat about;
    char *text = NULL;

    if (f && fstat(fileno(f), &about) == 0 && (text = calloc(1, (size_t)about.st_size + 1)))
        *ret_len = fread(text, 1, (size_t)about.st_size, f);
    if (f)
        fclose(f);
    return text;
}

static struct verdict_evidence evidence[] = { { 1, SLICE_INIT("486 <i>Busy") } };

static void call_fill(struct call *c, struct call_verdicts *v, uint64_t index, slice name, bool problem)
{
    *c = (struct call){ .index = index, .session = index, .call_id = name, .state = CALL_REFUSED, .final = 486,
                        .from = { name, name, name, name }, .to = { name, name, name, name }, .user_agent = name,
                        .server = name, .request_uri = name, .invite_ns = 1700000000000000000 + (int64_t)index };
    *v = (struct call_verdicts){0};
    if (problem)
        v->cause = (struct verdict){ .cause = 1, .certainty = VERDICT_LIKELY, .evidence = evidence, .evidence_count = 1 };
    c->verdicts = v;
    list_init(&c->streams);
}

static struct ladder *ladder_of_one(void)
{
    struct ladder *l = ladder_new(words_english());

    CHECK(l && (l->events = calloc(1, sizeof *l->events)));
    l->events[0] = (struct ladder_event){ .time_ns = 1700000000000000001, .frame = 1, .label = SLICE("INVITE"), .to = 1 };
    l->count = l->room = 1;
    l->addresses[0] = address_v4("\x0a\0\0\x01", 5060);
    l->addresses[1] = address_v4("\x0a\0\0\x02", 5060);
    l->address_count = 2;
    return l;
}

static void book_add(struct html_book *b, uint64_t index, slice name, bool problem, const struct ladder *l)
{
    struct call_verdicts v;
    struct call c, *legs[] = { &c };

    call_fill(&c, &v, index, name, problem);
    html_book_session(b, legs, 1, l);
    html_book_call(b, &c);
}

static size_t times(const char *text, const char *what)
{
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, what)); at++)
        count++;
    return count;
}

TEST(a_page_holds_the_calls_and_nothing_that_acts)
{
    struct setting s;
    size_t len = 0;

    setting_begin(&s);
    CHECK_EQ(setting_open(&s, false), 0);
    book_add(s.book, 1, SLICE(HOSTILE), true, NULL);
    struct registration r = { .aor = SLICE(HOSTILE), .contact = SLICE(HOSTILE), .phrase = SLICE(HOSTILE), .final = 499,
                              .state = REGISTRATION_FAILED };
    struct incident i = { .kind = WIRE_TLS_ALERT, .code = 42, .count = 1 };

    html_book_registration(s.book, &r);
    struct call_verdicts scan = { .cause = { .cause = 2, .evidence = evidence, .evidence_count = 1 } };
    struct suspect suspect = { .address = address_v4("\x0a\0\0\x09", 0), .requests = 9, .verdicts = &scan };

    html_book_incident(s.book, &i);
    html_book_suspect(s.book, &suspect);
    CHECK_EQ(html_book_finish(s.book, &s.summary), 0);
    char *page = page_of(&s, &len);

    CHECK(page != NULL);
    CHECK_EQ(strlen(page), len);                          /* no NUL in it */
    CHECK(utf8_is_valid(slice_of(page, len)));
    CHECK(strstr(page, "<!DOCTYPE html>") == page);
    CHECK(strstr(page, "default-src 'none'") != NULL);
    CHECK(strstr(page, "id=c1 ") != NULL);
    CHECK(strstr(page, "&lt;script&gt;") != NULL);
    CHECK(strstr(page, "10.0.0.9") != NULL);
    CHECK_EQ(times(page, "<script"), 0);
    CHECK_EQ(times(page, "style="), 0);
    CHECK_EQ(times(page, "http://") + times(page, "https://"), 0);
    CHECK(strstr(page, "</html>") != NULL);
    free(page);
    setting_end(&s);
}

TEST(what_is_not_finished_leaves_nothing_and_an_old_page_stays)
{
    struct setting s;
    size_t len = 0;

    setting_begin(&s);
    FILE *old = fopen(s.path, "w");

    CHECK(old && fputs("old", old) >= 0 && fclose(old) == 0);
    CHECK_EQ(setting_open(&s, false), 0);
    book_add(s.book, 1, SLICE("alice"), false, NULL);
    s.book = html_book_free(s.book);
    char *page = page_of(&s, &len);

    CHECK(page && strcmp(page, "old") == 0);
    free(page);
    setting_end(&s);
}

TEST(a_link_stays_a_link_and_a_folder_is_refused)
{
    struct setting s;
    struct stat about;
    char link_path[128];

    setting_begin(&s);
    (void)snprintf(link_path, sizeof link_path, "%s/link", s.folder);
    FILE *old = fopen(s.path, "w");

    CHECK(old && fclose(old) == 0);
    CHECK_EQ(symlink(s.path, link_path), 0);
    CHECK_EQ(html_book_open(&s.book, &(struct html_book_settings){ .path = link_path, .words = words_english() }), 0);
    CHECK_EQ(html_book_finish(s.book, &s.summary), 0);
    CHECK(lstat(link_path, &about) == 0 && S_ISLNK(about.st_mode));
    CHECK(stat(s.path, &about) == 0 && about.st_size > 100);
    s.book = html_book_free(s.book);
    CHECK_EQ(html_book_open(&s.book, &(struct html_book_settings){ .path = s.folder, .words = words_english() }), -EISDIR);
    CHECK_EQ(html_book_open(&s.book, &(struct html_book_settings){ .path = "/nowhere/at/all", .words = words_english() }),
             -ENOENT);
    CHECK_EQ(unlink(link_path), 0);
    setting_end(&s);
}

TEST(a_full_disk_is_an_error_and_no_page)
{
    struct html_book *b = NULL;
    struct setting s;

    setting_begin(&s);
    if (access("/dev/full", W_OK) == 0) {
        CHECK_EQ(html_book_open(&b, &(struct html_book_settings){ .path = "/dev/full", .words = words_english() }), 0);
        book_add(b, 1, SLICE("alice"), false, NULL);
        CHECK_EQ(html_book_finish(b, &s.summary), -ENOSPC);
        html_book_free(b);
    }
    setting_end(&s);
}

TEST(calls_with_a_problem_are_told_first_and_the_list_has_all)
{
    struct ladder *l = ladder_of_one();
    struct setting s;
    size_t len = 0;

    setting_begin(&s);
    CHECK_EQ(setting_open(&s, false), 0);
    for (uint64_t i = 1; i <= HTML_SECTIONS_MAX + 20; i++)
        book_add(s.book, i, SLICE("alice"), i > HTML_SECTIONS_MAX, l);
    CHECK_EQ(html_book_finish(s.book, &s.summary), 0);
    char *page = page_of(&s, &len);

    CHECK(page != NULL);
    CHECK_EQ(times(page, "<section class=call "), HTML_SECTIONS_MAX);
    CHECK_EQ(times(page, "<tr id=r"), HTML_SECTIONS_MAX + 20);
    CHECK(strstr(page, "id=c520 ") != NULL);              /* with a problem */
    CHECK(strstr(page, "id=c480 ") != NULL);
    CHECK(strstr(page, "id=c481 ") == NULL);              /* without, and no room is left */
    CHECK(strstr(page, "href=\"#c481\"") == NULL);        /* so nothing leads there */
    CHECK(strstr(page, "Of 520 calls, 500 are told in full") != NULL);
    free(page);
    ladder_free(l);
    setting_end(&s);
}

TEST(a_filter_that_looks_back_keeps_the_newest)
{
    struct setting s;
    size_t len = 0;

    setting_begin(&s);
    CHECK_EQ(setting_open(&s, true), 0);
    for (uint64_t i = 1; i <= HTML_SECTIONS_MAX + 3; i++)
        book_add(s.book, i, SLICE("alice"), true, NULL);
    CHECK_EQ(html_book_finish(s.book, &s.summary), 0);
    char *page = page_of(&s, &len);

    CHECK(page && strstr(page, "id=c3 ") == NULL && strstr(page, "id=c4 ") != NULL &&
          strstr(page, "id=c503 ") != NULL);
    free(page);
    setting_end(&s);
}

TEST(messages_stay_text_and_proofs_lead_to_their_arrows)
{
    struct ladder *l = ladder_of_one();
    struct ladder_event event = { .time_ns = 1700000000000000001, .frame = 1, .label = SLICE("<svg onload=x>"),
                                  .detail = SLICE("audio \"><script>"), .text = SLICE("INVITE <script>\r\nX: </pre>\r\n"),
                                  .text_bytes = 20000, .from = 0, .to = 1 };
    struct setting s;
    size_t len = 0;

    setting_begin(&s);
    l->events[0] = event;
    CHECK_EQ(setting_open(&s, false), 0);
    book_add(s.book, 9, SLICE("alice"), true, l);
    CHECK_EQ(html_book_finish(s.book, &s.summary), 0);
    char *page = page_of(&s, &len);

    CHECK(page != NULL);
    CHECK_EQ(times(page, "<script"), 0);
    CHECK_EQ(times(page, "<svg onload"), 0);
    CHECK_EQ(times(page, "</pre>"), 1);                   /* ours */
    CHECK(strstr(page, "id=c9-f1>") != NULL);
    CHECK(strstr(page, "<a href=\"#c9-f1\">frame 1: 486 &lt;i&gt;Busy</a>") != NULL);
    CHECK(strstr(page, "20000 bytes") != NULL);           /* it was cut, and that is said */
    free(page);
    ladder_free(l);
    setting_end(&s);
}

TEST(a_finding_leads_from_its_message_or_its_stream_to_what_is_said_of_it)
{
    struct verdict_evidence proofs[] = { { 1, SLICE("INVITE") }, { 7, SLICE("RTP PCMU 10.0.0.1:1 > 10.0.0.2:2") } };
    struct verdict findings[] = { { .cause = 3, .evidence = &proofs[0], .evidence_count = 1 },
                                  { .cause = 4, .evidence = &proofs[1], .evidence_count = 1 } };
    struct stream stream = { .first_frame = 7, .src = address_v4("\x0a\0\0\x01", 1), .dst = address_v4("\x0a\0\0\x02", 2) };
    struct ladder *l = ladder_of_one();
    struct call_verdicts v;
    struct call c, *legs[] = { &c };
    struct setting s;
    size_t len = 0;

    setting_begin(&s);
    CHECK_EQ(setting_open(&s, false), 0);
    call_fill(&c, &v, 9, SLICE("alice"), true);
    v.findings = findings;
    v.finding_count = ARRAY_LEN(findings);
    list_append(&c.streams, &stream.in_list);
    ladder_verdicts(l, legs, 1);
    html_book_session(s.book, legs, 1, l);
    list_remove(&stream.in_list);
    html_book_call(s.book, &c);
    CHECK_EQ(html_book_finish(s.book, &s.summary), 0);
    char *page = page_of(&s, &len);

    CHECK(page != NULL);
    CHECK_EQ(times(page, "href=\"#c9-w0\""), 1);
    CHECK_EQ(times(page, "href=\"#c9-v0\""), 1);
    CHECK_EQ(times(page, "href=\"#c9-v1\""), 1);
    CHECK(strstr(page, "href=\"#c9-v1\"") > strstr(page, "<div class=\"m media"));
    free(page);
    ladder_free(l);
    setting_end(&s);
}

static struct stream *stream_make(size_t runs)
{
    struct stream *s = stream_new(runs);

    s->src = address_v4("\x0a\0\0\x01", 4000);
    s->dst = address_v4("\x0a\0\0\x02", 4002);
    s->packets = 500;
    s->first_ns = 1700000000000000000;
    s->last_ns = s->first_ns + (int64_t)runs * 1000000000;
    s->buffers[STREAM_ADAPTIVE].mos_milli = 2100;
    strncpy(s->codec, "<b>", sizeof s->codec - 1);
    strncpy(s->dtmf, "12#<", sizeof s->dtmf - 1);
    s->run_count = (uint32_t)runs;
    for (size_t i = 0; i < runs; i++)
        s->runs[i] = (struct stream_run){ .seconds = 1, .packets = 50, .lost = (uint8_t)(i % 3 * 20), .jitter_ms = 9,
                                          .mos = (uint8_t)(i % 3 ? 40 : 210) };
    return s;
}

TEST(bad_seconds_of_a_stream_are_seen_and_long_ones_stay_small)
{
    static const size_t lengths[] = { 0, 1, 2, 9, 240, 241, 7200 };

    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct stream *stream = stream_make(lengths[i]);
        struct call_verdicts v;
        struct call c, *legs[] = { &c };
        struct setting s;
        size_t len = 0;

        setting_begin(&s);
        CHECK_EQ(setting_open(&s, false), 0);
        call_fill(&c, &v, 1, SLICE("alice"), false);
        list_append(&c.streams, &stream->in_list);
        html_book_session(s.book, legs, 1, NULL);
        html_book_call(s.book, &c);
        CHECK_EQ(html_book_finish(s.book, &s.summary), 0);
        char *page = page_of(&s, &len);

        CHECK_ROW(i, page && strstr(page, "<kbd dir=ltr>12#&lt;</kbd>") != NULL);
        CHECK_ROW(i, (strstr(page, "<rect class=alarm") != NULL) == (lengths[i] > 1));
        CHECK_ROW(i, (strstr(page, "<rect class=lost") != NULL) == (lengths[i] > 1));
        CHECK_ROW(i, len < 120000);
        free(page);
        stream_free(stream);
        setting_end(&s);
    }
}

TEST(a_stream_without_a_score_has_none_in_any_second_and_says_why)
{
    static const struct { uint32_t packets, early; int64_t ms; uint16_t mos; const char *says; } rows[] = {
        { 500, 0, 10000, 4100, NULL },
        { 49, 0, 10000, 0, "too short for a score" },
        { 99, 0, 1999, 0, "too short for a score" },
        { 500, 0, 10000, 0, "no score for this codec" },
        { 500, 500, 10000, 0, "nothing after the answer" },
        { 500, 470, 10000, 0, "too short for a score" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct stream *stream = stream_make(9);
        struct call_verdicts v;
        struct call c, *legs[] = { &c };
        struct setting s;
        size_t len = 0;

        stream->packets = rows[i].packets;
        stream->early_packets = rows[i].early;
        stream->last_ns = stream->first_ns + rows[i].ms * 1000000;
        stream->buffers[STREAM_ADAPTIVE].mos_milli = rows[i].mos;
        setting_begin(&s);
        CHECK_EQ(setting_open(&s, false), 0);
        call_fill(&c, &v, 1, SLICE("alice"), false);
        list_append(&c.streams, &stream->in_list);
        html_book_session(s.book, legs, 1, NULL);
        html_book_call(s.book, &c);
        CHECK_EQ(html_book_finish(s.book, &s.summary), 0);
        char *page = page_of(&s, &len);

        CHECK_ROW(i, page != NULL);
        CHECK_ROW(i, (strstr(page, "<rect class=\"cap ") != NULL) == (rows[i].mos != 0));
        CHECK_ROW(i, (strstr(page, ": MOS above") != NULL) == (rows[i].mos != 0));
        CHECK_ROW(i, strstr(page, "<rect class=lost") != NULL);
        CHECK_ROW(i, !rows[i].says || strstr(page, rows[i].says) != NULL);
        CHECK_ROW(i, rows[i].says || strstr(page, "score") == NULL);
        free(page);
        stream_free(stream);
        setting_end(&s);
    }
}

TEST(a_unit_stays_behind_its_number_from_right_to_left)
{
    static const struct { const char *tag; bool apart; } rows[] = { { "ar", true }, { "en", false } };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct stream *stream = stream_make(0);
        struct out o;
        struct html h;

        out_init_memory(&o, 1 << 16);
        html_init(&h, &o, words_find(slice_of_string(rows[i].tag)));
        stream->jitter_max_us = 3800;
        html_stream_row(&h, stream);
        CHECK_ROW(i, slice_find(out_taken(&o), SLICE("3.8&nbsp;ms")) > 0);
        CHECK_ROW(i, (slice_find(out_taken(&o), SLICE("<bdi dir=ltr>3.8&nbsp;ms</bdi>")) > 0) == rows[i].apart);
        html_done(&h);
        out_done(&o);
        stream_free(stream);
    }
}

TORTURE(without_memory_there_is_no_page_rather_than_half_of_one)
{
    struct setting s;
    struct stat about;

    setting_begin(&s);
    CHECK_OR_GOTO(setting_open(&s, false) == 0, out);
    book_add(s.book, 1, SLICE("alice"), true, NULL);
    if (html_book_finish(s.book, &s.summary) != 0)
        CHECK(stat(s.path, &about) != 0);
out:
    setting_end(&s);
}
