/* report/html_book.c - see html_book.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/html_book.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "generated/report/page_style.inc"
#include "report/html_int.h"

#define NAMES_TRIED 100
#define ROWS_EASY   2000u            /* more of them, and a browser is spared what is only comfort */

enum { ROWS_CALLS, ROWS_REGISTRATIONS, ROWS_STREAMS, ROWS_INCIDENTS, ROWS_SUSPECTS, ROWS_KINDS };

struct part {                        /* what was finished and waits */
    uint64_t offset;
    uint32_t bytes;
};
struct section {                     /* of one call, told in full */
    struct map_node node;            /* by session */
    uint64_t session, number;        /* number: index of its first leg */
    struct part part;
    bool problem, listed, chosen;
};
struct row_head {                    /* before each row of the list of calls */
    uint64_t session, number;
    uint32_t bytes;
};
struct html_book {
    struct html_book_settings settings;
    char   *path, *unfinished;       /* where the page goes, and its name until then; NULL: no rename */
    FILE   *sections, *rows[ROWS_KINDS];
    uint64_t row_count[ROWS_KINDS];
    uint64_t sections_bytes;
    struct section *kept[2][HTML_SECTIONS_MAX];      /* [0] nothing wrong, [1] with a problem */
    uint64_t kept_count[2];
    struct map by_session;
    uint64_t undrawn, sessions;
    uint64_t cause_first[CAUSES];    /* number of the first call with it; 0: none */
    struct out  text;                /* the part being written */
    struct html html;
    int    fd, error;
    bool   finished;
};

/* ---- files ------------------------------------------------------------------------------------ */

static char *joined(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    char *text = malloc(la + lb + 1);

    if (text) {
        memcpy(text, a, la);
        memcpy(text + la, b, lb + 1);
    }
    return text;
}

/* Beside the page, because there is room for it there, or nowhere. */
static FILE *spool_open(const char *path)
{
    char folder[4096] = ".";
    const char *slash = path ? strrchr(path, '/') : NULL;
    size_t len = slash ? (size_t)(slash - path) : 0;
    int fd = -1;

    if (!path)
        return tmpfile();
    if (slash && len < sizeof folder) {
        memcpy(folder, path, len ? len : 1);
        folder[len ? len : 1] = '\0';
    }
    fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w+") : tmpfile();

    if (!file && fd >= 0)
        (void)close(fd);
    return file;
}

/* A new file beside the page, with the rights that the user's files have. */
static int unfinished_open(struct html_book *b)
{
    char behind[40];

    for (int i = 0; i < NAMES_TRIED; i++) {
        (void)snprintf(behind, sizeof behind, ".%ld-%d.part", (long)getpid(), i);
        free(b->unfinished);
        if (!(b->unfinished = joined(b->path, behind)))
            return -ENOMEM;
        b->fd = open(b->unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (b->fd >= 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    int error = errno;

    free(b->unfinished);
    b->unfinished = NULL;
    return -error;
}

static int target_open(struct html_book *b)
{
    struct stat about;
    const char *path = b->settings.path;

    if (strcmp(path, "-") == 0) {
        b->fd = dup(STDOUT_FILENO);
        return b->fd < 0 ? -errno : 0;
    }
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return -EISDIR;
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) {
        b->fd = open(path, O_WRONLY | O_CLOEXEC);         /* a device or a pipe stays what it is */
        return b->fd < 0 ? -errno : 0;
    }
    b->path = realpath(path, NULL);                       /* a link stays a link */
    if (!b->path)
        b->path = joined(path, "");
    return b->path ? unfinished_open(b) : -ENOMEM;
}

int html_book_open(struct html_book **ret, const struct html_book_settings *settings)
{
    struct html_book *b = calloc(1, sizeof *b);
    int error;

    if (!b)
        return -ENOMEM;
    b->settings = *settings;
    b->fd = -1;
    out_init_memory(&b->text, HTML_SECTION_BYTES_MAX);
    html_init(&b->html, &b->text, settings->words);
    error = map_init(&b->by_session, 64);
    if (!error)
        error = target_open(b);
    if (!error && !(b->sections = spool_open(b->path)))
        error = -errno;
    for (size_t i = 0; !error && i < ROWS_KINDS; i++)
        if (!(b->rows[i] = spool_open(b->path)))
            error = -errno;
    if (error) {
        html_book_free(b);
        return error;
    }
    *ret = b;
    return 0;
}

struct html_book *html_book_free(struct html_book *b)
{
    if (!b)
        return NULL;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < HTML_SECTIONS_MAX; i++)
            free(b->kept[k][i]);
    map_done(&b->by_session);
    if (b->sections)
        (void)fclose(b->sections);
    for (size_t i = 0; i < ROWS_KINDS; i++)
        if (b->rows[i])
            (void)fclose(b->rows[i]);
    if (b->fd >= 0)
        (void)close(b->fd);
    if (b->unfinished && !b->finished)
        (void)unlink(b->unfinished);
    html_done(&b->html);
    out_done(&b->text);
    free(b->unfinished);
    free(b->path);
    free(b);
    return NULL;
}

static void spool_write(struct html_book *b, FILE *file, const void *bytes, size_t count)
{
    if (!b->error && count && fwrite(bytes, 1, count, file) != count)
        b->error = errno ? errno : EIO;
}

/* ---- parts -------------------------------------------------------------------------------------- */

static uint64_t hash_of(uint64_t session) { return session * 0x9e3779b97f4a7c15u >> 16; }

static struct section *section_find(const struct html_book *b, uint64_t session)
{
    for (struct map_node *n = map_first(&b->by_session, hash_of(session)); n; n = map_next(n)) {
        struct section *s = map_item(n, struct section, node);

        if (s->session == session)
            return s;
    }
    return NULL;
}

/* A place for one more; NULL: there are enough of its kind. */
static struct section *section_place(struct html_book *b, bool problem)
{
    size_t at = (size_t)(b->kept_count[problem] % HTML_SECTIONS_MAX);
    struct section *s = b->kept[problem][at];

    if (s && !b->settings.newest)
        return NULL;
    if (s)
        map_remove(&b->by_session, &s->node);
    else
        s = calloc(1, sizeof *s);
    b->kept[problem][at] = s;
    if (s)
        b->kept_count[problem]++;
    return s;
}

static bool is_problem(struct call *const *legs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (legs[i]->verdicts && legs[i]->verdicts->cause.cause)
            return true;
    return html_has_warning(legs, count);
}

void html_book_session(struct html_book *b, struct call *const *legs, size_t count, const struct ladder *ladder)
{
    bool problem = ladder && is_problem(legs, count);     /* without messages there is little to tell */
    struct section *s;

    b->sessions++;
    if ((b->kept_count[problem] >= HTML_SECTIONS_MAX && !b->settings.newest) || b->error)
        return;
    struct html_session session = html_session_of(legs, count, ladder);

    out_clear(&b->text);
    html_call_section(&b->html, &session);
    if (b->text.error && b->text.room < HTML_SECTION_BYTES_MAX)
        b->error = b->text.error;
    if (b->text.error || !(s = section_place(b, problem)))    /* too long for a page, or no memory */
        return;
    *s = (struct section){ .session = legs[0]->session, .number = session.number, .problem = problem,
                           .part = { b->sections_bytes, (uint32_t)b->text.used } };
    map_add(&b->by_session, &s->node, hash_of(s->session));
    spool_write(b, b->sections, b->text.buffer, b->text.used);
    b->sections_bytes += b->text.used;
}

void html_book_undrawn(struct html_book *b, uint64_t legs) { b->undrawn += legs; }

/* True: the row is to be written into b->text. */
static bool row_begin(struct html_book *b, unsigned kind)
{
    out_clear(&b->text);
    return ++b->row_count[kind] <= HTML_ROWS_MAX;
}

static void row_end(struct html_book *b, unsigned kind)
{
    if (b->text.error)
        b->error = b->text.error;
    spool_write(b, b->rows[kind], b->text.buffer, b->text.used);
}

void html_book_call(struct html_book *b, const struct call *c)
{
    struct section *section = section_find(b, c->session);
    unsigned cause = c->verdicts ? c->verdicts->cause.cause : 0;

    if (section)
        section->listed = true;
    if (cause < CAUSES && (!b->cause_first[cause] || c->index < b->cause_first[cause]))
        b->cause_first[cause] = c->index;
    if (!row_begin(b, ROWS_CALLS))
        return;
    html_call_cells(&b->html, c);
    struct row_head head = { .session = c->session, .number = c->index, .bytes = (uint32_t)b->text.used };

    spool_write(b, b->rows[ROWS_CALLS], &head, sizeof head);
    row_end(b, ROWS_CALLS);
}

void html_book_registration(struct html_book *b, const struct registration *r)
{
    if (!row_begin(b, ROWS_REGISTRATIONS))
        return;
    html_registration_row(&b->html, r);
    row_end(b, ROWS_REGISTRATIONS);
}

void html_book_stream(struct html_book *b, const struct stream *s)
{
    if (!row_begin(b, ROWS_STREAMS))
        return;
    html_stream_row(&b->html, s);
    row_end(b, ROWS_STREAMS);
}

void html_book_incident(struct html_book *b, const struct incident *i)
{
    if (!row_begin(b, ROWS_INCIDENTS))
        return;
    html_incident_row(&b->html, i);
    row_end(b, ROWS_INCIDENTS);
}

void html_book_suspect(struct html_book *b, const struct suspect *s)
{
    if (!s->verdicts || !row_begin(b, ROWS_SUSPECTS))
        return;
    html_suspect(&b->html, s);
    row_end(b, ROWS_SUSPECTS);
}

/* ---- the page ------------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const struct section *x = *(struct section *const *)a, *y = *(struct section *const *)b;

    return x->number < y->number ? -1 : x->number > y->number;
}

/* Those with a problem first, then as many others as there is room for; in the order of their
 * beginning. */
static size_t sections_choose(struct html_book *b, struct section *chosen[HTML_SECTIONS_MAX])
{
    size_t count = 0;

    for (size_t k = 2; k-- > 0;)
        for (size_t i = 0; i < HTML_SECTIONS_MAX && count < HTML_SECTIONS_MAX; i++)
            if (b->kept[k][i] && b->kept[k][i]->listed) {
                b->kept[k][i]->chosen = true;
                chosen[count++] = b->kept[k][i];
            }
    qsort(chosen, count, sizeof chosen[0], by_number);
    return count;
}

static void copy_bytes(struct html_book *b, struct out *o, FILE *file, uint64_t bytes)
{
    char piece[16384];

    while (bytes && !b->error) {
        size_t want = bytes < sizeof piece ? (size_t)bytes : sizeof piece;
        size_t got = fread(piece, 1, want, file);

        if (got == 0)
            b->error = EIO;
        out_text(o, slice_of(piece, got));
        bytes -= got;
    }
}

static void put_title(struct html *h, const struct summary *s)
{
    struct out files;

    out_init_memory(&files, 1 << 16);
    for (size_t i = 0; i < s->file_count && i < 8; i++) {
        const char *slash = strrchr(s->files[i], '/');

        notes_add(&files, h->words, slice_of_string(slash && slash[1] ? slash + 1 : s->files[i]));
    }
    html_say_plain(h, TEXT_HTML_TITLE, WORDS_TEXT("files", out_taken(&files)));
    out_done(&files);
}

static void put_document_head(struct html *h, const struct summary *s, bool calls)
{
    HTML(h, "<!DOCTYPE html>\n<html lang=\"");
    html_text(h->out, h->words->tag);
    html_raw(h, h->rtl ? SLICE("\" dir=rtl>\n") : SLICE("\" dir=ltr>\n"));
    HTML(h, "<head>\n<meta charset=utf-8>\n"
            "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; base-uri 'none'; "
            "form-action 'none'; style-src '" PAGE_STYLE_HASH "'\">\n"
            "<meta name=referrer content=no-referrer>\n"
            "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
            "<meta name=color-scheme content=\"light dark\">\n<title>");
    put_title(h, s);
    HTML(h, "</title>\n<style>");
    html_raw(h, slice_of(page_style, sizeof page_style - 1));
    HTML(h, "</style>\n</head>\n<body>\n");
    if (calls) {
        HTML(h, "<a class=skip href=\"#calls\">");
        html_words(h, TEXT_HTML_SKIP_TO_CALLS);
        HTML(h, "</a>\n");
    }
    HTML(h, "<header class=top><h1>");
    put_title(h, s);
    HTML(h, "</h1></header>\n<main>\n");
}

static void heading(struct html *h, slice id, enum text_id text)
{
    HTML(h, "<h2 id=");
    html_raw(h, id);
    HTML(h, ">");
    html_words(h, text);
    HTML(h, "</h2>\n");
}

static void put_zone(const struct html_book *b, struct html *h, const struct summary *s)
{
    char room[MOMENT_TEXT_MAX];
    slice offset = moment_offset_name(s->first_ns, room), name = b->settings.zone;
    bool named = name.len && !slice_eq_nocase(name, offset) && !slice_eq_nocase(name, SLICE("local"));

    HTML(h, "<p>");
    html_say(h, named ? TEXT_HTML_ZONE_NAMED : TEXT_HTML_ZONE, WORDS_TEXT("zone", offset), WORDS_TEXT("name", name));
    HTML(h, "</p>\n");
}

static void summary_sentence(void *ctx, enum text_id id, const struct words_value *values, size_t count)
{
    struct html *h = ctx;

    if (id == TEXT_READ_SUMMARY_CAUSES)                   /* they have a table of their own */
        return;
    HTML(h, "<p>");
    html_format(h, id, values, count);
    HTML(h, "</p>\n");
}

static void put_summary(const struct html_book *b, struct html *h, const struct summary *s)
{
    HTML(h, "<section class=summary>\n");
    heading(h, SLICE("summary"), TEXT_HTML_SECTION_SUMMARY);
    summary_say(s, &(struct summary_writer){ .words = h->words, .say = summary_sentence, .ctx = h });
    put_zone(b, h, s);
    if (b->settings.filter.len) {
        HTML(h, "<p>");
        html_say(h, TEXT_HTML_FILTER, WORDS_TEXT("filter", b->settings.filter));
        HTML(h, "</p>\n");
    }
    HTML(h, "</section>\n");
}

static unsigned next_cause(const struct summary *s, const bool *told)
{
    unsigned best = CAUSES;

    for (unsigned i = 0; i < CAUSES; i++)
        if (!told[i] && s->causes[i] && (best == CAUSES || s->causes[i] > s->causes[best]))
            best = i;
    return best;
}

static void put_cause(const struct html_book *b, struct html *h, unsigned cause, uint64_t count, uint64_t of)
{
    uint64_t first = b->cause_first[cause];

    HTML(h, "<tr><td class=r>");
    html_number(h, count);
    HTML(h, "<td class=share><svg width=\"100%\" height=10 aria-hidden=true><rect rx=2 height=10 class=");
    html_raw(h, cause ? slice_of_string(cause_severity_name(cause_severity((enum cause_id)cause))) : SLICE("good"));
    HTML(h, " width=\"");
    out_milli(h->out, (int64_t)(count * 100000 / of));
    HTML(h, "%\"/></svg><td>");
    if (cause)
        html_own(h, cause_text(h->words, (enum cause_id)cause, CAUSE_PART_HEADLINE));
    else
        html_words(h, TEXT_HTML_NOTHING_WRONG);
    HTML(h, "<td>");
    if (cause && first) {
        HTML(h, "<a href=\"#r");
        html_number(h, first);
        HTML(h, "\">");
        html_say(h, TEXT_HTML_CAUSE_FIRST, WORDS_NUMBER("number", first));
        HTML(h, "</a>");
    }
    HTML(h, "</tr>\n");
}

static void put_causes(const struct html_book *b, struct html *h, const struct summary *s)
{
    bool told[CAUSES] = {0};
    unsigned cause = next_cause(s, told);
    uint64_t most = cause < CAUSES ? s->causes[cause] : 0;

    if (!most)
        return;
    HTML(h, "<section class=causes>\n");
    heading(h, SLICE("causes"), TEXT_HTML_SECTION_CAUSES);
    HTML(h, "<div class=scroll><table>\n");
    for (; cause < CAUSES; cause = next_cause(s, told)) {
        put_cause(b, h, cause, s->causes[cause], most);
        told[cause] = true;
    }
    HTML(h, "</table></div></section>\n");
}

struct heading { enum text_id text; bool right; };

static void put_headings(struct html *h, const struct heading *headings, size_t count)
{
    HTML(h, "<thead><tr>");
    for (size_t i = 0; i < count; i++) {
        html_raw(h, headings[i].right ? SLICE("<th scope=col class=r>") : SLICE("<th scope=col>"));
        html_words(h, headings[i].text);
    }
    HTML(h, "</tr></thead>\n<tbody>\n");
}

static void put_rest(const struct html_book *b, struct html *h, unsigned kind)
{
    if (b->row_count[kind] <= HTML_ROWS_MAX)
        return;
    HTML(h, "<p class=note>");
    html_say(h, TEXT_HTML_ROWS_LIMITED, WORDS_NUMBER("count", b->row_count[kind] - HTML_ROWS_MAX));
    HTML(h, "</p>\n");
}

/* The number of a call leads to what is told of it, when it is on the page. */
static void put_call_row(struct html_book *b, struct html *h, const struct row_head *head)
{
    const struct section *s = section_find(b, head->session);
    bool leg = s && s->number != head->number;

    HTML(h, "<tr id=r");
    html_number(h, head->number);
    HTML(h, "><td class=\"r no\">");
    if (s && s->chosen) {
        HTML(h, "<a href=\"#");
        html_id(h, s->number);
        HTML(h, "\">");
    }
    html_number(h, head->number);
    html_raw(h, s && s->chosen ? SLICE("</a>") : SLICE(""));
    if (leg) {
        HTML(h, "<small>");
        html_say(h, TEXT_HTML_LEG_OF, WORDS_NUMBER("number", s->number));
        HTML(h, "</small>");
    }
    copy_bytes(b, h->out, b->rows[ROWS_CALLS], head->bytes);
}

static void put_calls(struct html_book *b, struct html *h, uint64_t shown)
{
    static const struct heading headings[] = {
        { TEXT_READ_COLUMN_NUMBER, true }, { TEXT_READ_COLUMN_BEGAN, false },
        { TEXT_READ_COLUMN_FROM, false }, { TEXT_READ_COLUMN_TO, false },
        { TEXT_READ_COLUMN_RESULT, false }, { TEXT_READ_COLUMN_CAUSE, false },
        { TEXT_READ_COLUMN_MOS, true }, { TEXT_READ_COLUMN_TALKED, true },
    };
    struct row_head head;

    if (!b->row_count[ROWS_CALLS])
        return;
    HTML(h, "<section>\n");
    heading(h, SLICE("calls"), TEXT_READ_SECTION_CALLS);
    html_raw(h, b->row_count[ROWS_CALLS] > ROWS_EASY ? SLICE("<table class=\"calls many\">\n")
                                                     : SLICE("<table class=calls>\n"));
    put_headings(h, headings, ARRAY_LEN(headings));
    rewind(b->rows[ROWS_CALLS]);
    while (!b->error && fread(&head, 1, sizeof head, b->rows[ROWS_CALLS]) == sizeof head)
        put_call_row(b, h, &head);
    HTML(h, "</tbody></table>\n");
    put_rest(b, h, ROWS_CALLS);
    if (shown < b->sessions && b->row_count[ROWS_CALLS] > shown) {
        HTML(h, "<p class=note>");
        html_say(h, TEXT_HTML_LIMITED, WORDS_NUMBER("count", b->row_count[ROWS_CALLS]), WORDS_NUMBER("shown", shown));
        HTML(h, "</p>\n");
    }
    if (b->undrawn) {
        HTML(h, "<p class=note>");
        html_say(h, TEXT_HTML_UNDRAWN, WORDS_NUMBER("count", b->undrawn));
        HTML(h, "</p>\n");
    }
    HTML(h, "</section>\n");
}

static void put_suspects(struct html_book *b, struct html *h)
{
    uint64_t bytes = (uint64_t)ftello(b->rows[ROWS_SUSPECTS]);

    if (!bytes)
        return;
    HTML(h, "<section>\n");
    heading(h, SLICE("suspects"), TEXT_HTML_SECTION_SUSPECTS);
    rewind(b->rows[ROWS_SUSPECTS]);
    copy_bytes(b, h->out, b->rows[ROWS_SUSPECTS], bytes);
    put_rest(b, h, ROWS_SUSPECTS);
    HTML(h, "</section>\n");
}

static void put_rows(struct html_book *b, struct html *h, unsigned kind, slice id, enum text_id title,
                     const struct heading *headings, size_t count)
{
    if (!b->row_count[kind])
        return;
    HTML(h, "<section>\n");
    heading(h, id, title);
    HTML(h, "<div class=scroll tabindex=0 role=group aria-labelledby=");
    html_raw(h, id);
    HTML(h, "><table>\n");
    put_headings(h, headings, count);
    uint64_t bytes = (uint64_t)ftello(b->rows[kind]);

    rewind(b->rows[kind]);
    copy_bytes(b, h->out, b->rows[kind], bytes);
    HTML(h, "</tbody></table></div>\n");
    put_rest(b, h, kind);
    HTML(h, "</section>\n");
}

static void put_tables(struct html_book *b, struct html *h)
{
    static const struct heading registrations[] = {
        { TEXT_READ_COLUMN_USER, false }, { TEXT_READ_COLUMN_CONTACT, false },
        { TEXT_READ_COLUMN_STATE, false }, { TEXT_READ_COLUMN_LIFETIME, true },
        { TEXT_READ_COLUMN_REGISTRAR, false }, { TEXT_READ_COLUMN_REQUESTS, true },
        { TEXT_READ_COLUMN_NOTES, false },
    };
    static const struct heading streams[] = {
        { TEXT_READ_COLUMN_SOURCE, false }, { TEXT_READ_COLUMN_DESTINATION, false },
        { TEXT_READ_COLUMN_CODEC, false }, { TEXT_READ_COLUMN_PACKETS, true },
        { TEXT_READ_COLUMN_LOST, true }, { TEXT_READ_COLUMN_JITTER, true },
        { TEXT_READ_COLUMN_MOS, true }, { TEXT_READ_COLUMN_NOTES, false },
    };
    static const struct heading incidents[] = {
        { TEXT_READ_COLUMN_INCIDENT, false }, { TEXT_READ_COLUMN_REQUEST_FROM, false },
        { TEXT_READ_COLUMN_REQUEST_TO, false }, { TEXT_READ_COLUMN_TIMES, true },
        { TEXT_READ_COLUMN_FRAME, true },
    };

    put_rows(b, h, ROWS_REGISTRATIONS, SLICE("registrations"), TEXT_READ_SECTION_REGISTRATIONS, registrations,
             ARRAY_LEN(registrations));
    put_rows(b, h, ROWS_STREAMS, SLICE("media"), TEXT_HTML_SECTION_ORPHANS, streams, ARRAY_LEN(streams));
    put_rows(b, h, ROWS_INCIDENTS, SLICE("incidents"), TEXT_READ_SECTION_INCIDENTS, incidents, ARRAY_LEN(incidents));
    put_suspects(b, h);
}

static void put_sections(struct html_book *b, struct html *h, struct section *const *chosen, size_t count)
{
    if (!count)
        return;
    HTML(h, "<section class=details>\n");
    heading(h, SLICE("details"), TEXT_HTML_SECTION_DETAILS);
    HTML(h, "<p class=note>");
    html_words(h, TEXT_HTML_OPEN_HINT);
    HTML(h, "</p>\n");
    for (size_t i = 0; i < count && !b->error; i++) {
        if (fseeko(b->sections, (off_t)chosen[i]->part.offset, SEEK_SET) != 0)
            b->error = errno;
        copy_bytes(b, h->out, b->sections, chosen[i]->part.bytes);
    }
    HTML(h, "</section>\n");
}

static void put_page(struct html_book *b, struct html *h, const struct summary *s)
{
    struct section *chosen[HTML_SECTIONS_MAX];
    size_t count = sections_choose(b, chosen);

    put_document_head(h, s, b->row_count[ROWS_CALLS] > 0);
    put_summary(b, h, s);
    put_causes(b, h, s);
    put_calls(b, h, count);
    put_tables(b, h);
    put_sections(b, h, chosen, count);
    HTML(h, "</main>\n<footer><p>");
    html_say(h, TEXT_HTML_MADE_BY, WORDS_TEXT("version", b->settings.version));
    HTML(h, "</p></footer>\n</body>\n</html>\n");
}

int html_book_finish(struct html_book *b, const struct summary *s)
{
    struct out page;
    struct html h;
    int error;

    out_init_fd(&page, b->fd);
    html_init(&h, &page, b->settings.words);
    put_page(b, &h, s);
    error = out_flush(&page);
    html_done(&h);
    out_done(&page);
    if (!error && b->error)
        error = -b->error;
    if (!error && b->unfinished && fsync(b->fd) != 0)
        error = -errno;
    if (!error && b->unfinished && rename(b->unfinished, b->path) != 0)
        error = -errno;
    b->finished = !error;
    return error;
}
