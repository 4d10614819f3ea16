/* sip/message.c - one pass over the lines of a message (RFC 3261, 7 and 25)
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/fields.h"
#include "sip/lines.h"
#include "sip/names_int.h"
#include "sip/sip_int.h"
#include "sip/stream.h"

#define NO_HEADER UINT16_MAX
#define INDEX_MAX (UINT16_MAX - 1)

struct parse {
    struct sip_message *m;
    const char *end;                 /* of all bytes given */
    uint16_t    room;                /* headers that can be indexed */
    uint16_t    last[SIP_HEADER_IDS];        /* index of the last of an id; set where first[] is */
    bool        bare_lf;             /* noted once */
    bool        beyond;              /* more headers than room */
    bool        unindexed[SIP_HEADER_IDS];   /* seen there; set when beyond is */
};

__attribute__((noinline, cold))
static void note(struct parse *p, enum sip_flaw_kind kind, const char *at, uint16_t header)
{
    struct sip_message *m = p->m;

    if (m->flaw_count < SIP_FLAWS_MAX)
        m->flaws[m->flaw_count] = (struct sip_flaw){
            .offset = (uint32_t)(at - m->all.ptr), .kind = kind, .header = header,
        };
    if (m->flaw_count < UINT16_MAX)
        m->flaw_count++;
    if (sip_flaw_code(kind))
        m->refusable = true;
}

/* A flaw of a header, which its line begins with. */
static inline void note_header(struct parse *p, enum sip_flaw_kind kind, const struct sip_header *h)
{
    if (__builtin_expect(kind != SIP_FLAW_NONE, 0))
        note(p, kind, h->name.ptr, p->beyond ? NO_HEADER : (uint16_t)(h - p->m->headers));
}

/* ---- the start line ---- */

/* The parts of the line and one SP between each two of them fill it exactly, or not. */
static void judge_spaces(struct parse *p, slice line)
{
    const struct sip_message *m = p->m;
    size_t wanted = m->method_text.len + 1 + m->uri.len + 1 + m->version.len;

    if (line.len == wanted)
        return;
    if (line.ptr + line.len != m->version.ptr + m->version.len)
        note(p, SIP_FLAW_START_LINE_TRAILING_SPACE, m->version.ptr + m->version.len, NO_HEADER);
    else
        note(p, SIP_FLAW_START_LINE_SPACES, line.ptr, NO_HEADER);
}

static uint16_t status_number(slice text)
{
    if (text.len != 3 || !is_digit(text.ptr[0]) || !is_digit(text.ptr[1]) ||
        !is_digit(text.ptr[2]))
        return 0;
    uint16_t number = (uint16_t)((text.ptr[0] - '0') * 100 + (text.ptr[1] - '0') * 10 +
                                 (text.ptr[2] - '0'));

    return number >= 100 && number <= 699 ? number : 0;
}

static bool read_start(struct parse *p, slice line)
{
    struct sip_message *m = p->m;
    struct sip_start start;

    if (!sip_start_read(line, &start))
        return false;
    m->is_request = start.is_request;
    m->version = start.version;
    if (start.is_request) {
        m->method_text = start.method;
        m->method = sip_method_find(start.method);
        m->uri = start.uri;
        judge_spaces(p, line);
        enum sip_flaw_kind kind = sip_request_uri_flaw(start.uri);

        if (kind != SIP_FLAW_NONE)
            note(p, kind, start.uri.ptr, NO_HEADER);
    } else {
        m->status_text = start.status_text;
        m->status = status_number(start.status_text);
        m->reason = start.reason;
        if (!m->status)
            note(p, SIP_FLAW_STATUS_OUT_OF_RANGE, start.status_text.ptr, NO_HEADER);
        if (start.status_text.ptr != start.version.ptr + start.version.len + 1)
            note(p, SIP_FLAW_START_LINE_SPACES, line.ptr, NO_HEADER);
    }
    if (!SIP_IS(start.version, "SIP/2.0"))
        note(p, SIP_FLAW_VERSION_UNKNOWN, start.version.ptr, NO_HEADER);
    return true;
}

/* ---- values that are decoded at once ---- */

/* Only the topmost value is decoded; of the others it is asked whether they look right. */
static inline void read_via_value(struct parse *p, const struct sip_header *h, slice value)
{
    struct sip_message *m = p->m;
    struct sip_via spare;

    if (__builtin_expect(m->via_count == 0, 1))
        note_header(p, sip_via_read(value, &m->via), h);
    else if (value.len <= 8 || !sip_are_8(value.ptr, "SIP/2.0/"))
        note_header(p, sip_via_read(value, &spare), h);
    m->via_count += m->via_count < UINT16_MAX;
}

static void read_via(struct parse *p, const struct sip_header *h)
{
    slice rest = h->value, value;

    if (sip_find_char(rest, ',') < 0) {        /* nearly always */
        read_via_value(p, h, rest);
        return;
    }
    while (sip_list_cut(&rest, &value)) {
        if (value.len)
            read_via_value(p, h, value);
        else
            note_header(p, SIP_FLAW_PARAMETER_EMPTY, h);
    }
}

static void read_cseq(struct parse *p, const struct sip_header *h)
{
    struct sip_message *m = p->m;

    note_header(p, sip_cseq_read(h->value, &m->cseq), h);
    if (m->is_request && m->cseq.method.len && !slice_eq(m->cseq.method, m->method_text))
        note_header(p, SIP_FLAW_CSEQ_METHOD_DIFFERS, h);
}

static void read_call_id(struct parse *p, const struct sip_header *h)
{
    p->m->call_id = h->value;
    if (sip_find_char(h->value, ' ') >= 0)
        note_header(p, SIP_FLAW_CALL_ID_SPACES, h);
}

static void read_content_length(struct parse *p, const struct sip_header *h)
{
    uint32_t number;

    if (!sip_to_u32(h->value, &number) || number == UINT32_MAX)
        note_header(p, SIP_FLAW_CONTENT_LENGTH_BAD, h);
    else
        p->m->content_length = number;
}

static void read_content_type(struct parse *p, const struct sip_header *h)
{
    slice parameters;

    p->m->content_type = sip_trim(sip_cut_at(h->value, ';', &parameters));
}

static void read_max_forwards(struct parse *p, const struct sip_header *h)
{
    uint32_t number;

    if (!sip_to_u32(h->value, &number) || number > 255)
        note_header(p, SIP_FLAW_MAX_FORWARDS_BAD, h);
}

/* Without < > a '?' or ',' of the URI would belong to the header (20.10). */
static void read_contact(struct parse *p, const struct sip_header *h)
{
    slice v = h->value;

    if (v.len && v.ptr[0] != '<' && sip_find_char(v, '<') < 0 && sip_find_char(v, '?') >= 0)
        note_header(p, SIP_FLAW_URI_NEEDS_BRACKETS, h);
}

static void read_date(struct parse *p, const struct sip_header *h)
{
    if (!slice_ends(h->value, SLICE("GMT")))
        note_header(p, SIP_FLAW_DATE_BAD, h);
}

static void read_from(struct parse *p, const struct sip_header *h)
{
    note_header(p, sip_name_addr_read(h->value, &p->m->from), h);
}

static void read_to(struct parse *p, const struct sip_header *h)
{
    note_header(p, sip_name_addr_read(h->value, &p->m->to), h);
}

typedef void value_reader(struct parse *p, const struct sip_header *h);
static value_reader *const value_readers[SIP_HEADER_IDS] = {
    [SIP_H_VIA] = read_via, [SIP_H_FROM] = read_from, [SIP_H_TO] = read_to,
    [SIP_H_CALL_ID] = read_call_id, [SIP_H_CSEQ] = read_cseq,
    [SIP_H_CONTENT_LENGTH] = read_content_length, [SIP_H_CONTENT_TYPE] = read_content_type,
    [SIP_H_MAX_FORWARDS] = read_max_forwards, [SIP_H_CONTACT] = read_contact,
    [SIP_H_DATE] = read_date,
};

static inline void read_value(struct parse *p, const struct sip_header *h)
{
    if (value_readers[h->id])
        value_readers[h->id](p, h);
}

/* Headers that may stand once and hold one value (20, table 2). */
static const bool stands_once[SIP_HEADER_IDS] = {
    [SIP_H_FROM] = true, [SIP_H_TO] = true, [SIP_H_CALL_ID] = true, [SIP_H_CSEQ] = true,
    [SIP_H_MAX_FORWARDS] = true, [SIP_H_CONTENT_LENGTH] = true, [SIP_H_CONTENT_TYPE] = true,
    [SIP_H_CONTENT_DISPOSITION] = true, [SIP_H_DATE] = true, [SIP_H_EXPIRES] = true,
    [SIP_H_MIN_EXPIRES] = true, [SIP_H_SESSION_EXPIRES] = true, [SIP_H_MIN_SE] = true,
    [SIP_H_RSEQ] = true, [SIP_H_RACK] = true, [SIP_H_RETRY_AFTER] = true,
    [SIP_H_REFER_TO] = true, [SIP_H_REFERRED_BY] = true, [SIP_H_REPLACES] = true,
    [SIP_H_EVENT] = true, [SIP_H_SUBSCRIPTION_STATE] = true, [SIP_H_TIMESTAMP] = true,
    [SIP_H_MIME_VERSION] = true, [SIP_H_SIP_ETAG] = true, [SIP_H_SIP_IF_MATCH] = true,
};

static void read_again(struct parse *p, const struct sip_header *h)
{
    uint32_t number;

    if (h->id == SIP_H_CONTENT_LENGTH &&
        !(sip_to_u32(h->value, &number) && number == p->m->content_length))
        note_header(p, SIP_FLAW_CONTENT_LENGTH_DIFFERS, h);
    else
        note_header(p, SIP_FLAW_HEADER_REPEATED, h);
}

/* ---- lines ---- */

/* What stands before the colon; len is where the colon is. */
struct name {
    enum sip_header_id id;
    size_t len;
};

/* HCOLON = *( SP / HTAB ) ":": blanks behind a name are none of it; in front of it they would
 * make another line of it (7.3.1). */
static slice trim_behind(slice name)
{
    while (name.len && (name.ptr[name.len - 1] == ' ' || name.ptr[name.len - 1] == '\t'))
        name.len--;
    return name;
}

/* The name of any line; without a colon len is the line's. */
static struct name name_of(const char *line, size_t line_len)
{
    const char *colon = line_len ? memchr(line, ':', line_len) : NULL;
    size_t len = colon ? (size_t)(colon - line) : line_len;

    return (struct name){ .id = sip_header_id_find(trim_behind(slice_of(line, len))), .len = len };
}

/* A known name of 1 to 23 bytes with the colon right behind it, where 24 bytes may be read (16
 * for the shorter ones, and so many are there even behind the last Content-Length). Whatever
 * else is OTHER here. A known name holds no line end, so what is found lies within its line. */
static inline __attribute__((always_inline))
struct name name_usual(const char *line, const char *end)
{
    uint64_t first = sip_word(line), colon = sip_colon_in(first);
    size_t len, from = 8;

    if (__builtin_expect(colon != 0, 1)) {
        len = (size_t)__builtin_ctzll(colon) / 8;
        if (__builtin_expect(len > 1, 1))
            return (struct name){ sip_find_short(first, len), len };
        return (struct name){ len ? sip_header_compact[ascii_lower(line[0]) & 0xff] : 0, len };
    }
    colon = sip_colon_in(sip_word(line + 8));
    if (!colon && end - line >= 24)
        from = 16, colon = sip_colon_in(sip_word(line + 16));
    if (!colon)
        return (struct name){ SIP_H_OTHER, 0 };
    len = from + (size_t)__builtin_ctzll(colon) / 8;
    if (len == 8)
        return (struct name){ sip_find_short(first, 8), len };
    return (struct name){ sip_find_long(line, first, len), len };
}

/* A name that is not in our table: is it one at all? */
__attribute__((noinline))
static void judge_name(struct parse *p, struct sip_header *h)
{
    h->name = trim_behind(h->name);
    const char *end = h->name.ptr + h->name.len;

    if (!h->name.len || sip_span(h->name.ptr, end, SIP_C_TOKEN) != end)
        note_header(p, SIP_FLAW_HEADER_NAME_BAD, h);
}

/* Another header of an id that was there before. */
__attribute__((noinline))
static void chain(struct parse *p, struct sip_header *h, uint16_t index)
{
    p->m->headers[p->last[h->id]].next = index;
    p->last[h->id] = index;
    if (stands_once[h->id])
        read_again(p, h);
    else
        read_value(p, h);
}

/* `h` is the last of the headers, and known. */
static inline void index_header(struct parse *p, struct sip_header *h)
{
    struct sip_message *m = p->m;
    uint16_t count = m->header_count;            /* the index, plus one */

    if (__builtin_expect(m->first[h->id] != 0, 0)) {
        chain(p, h, (uint16_t)(count - 1));
        return;
    }
    m->first[h->id] = count;
    p->last[h->id] = (uint16_t)(count - 1);
    read_value(p, h);
}

/* A header beyond the room: not indexed, but what must be decoded is. */
__attribute__((noinline, cold))
static void line_beyond(struct parse *p, const char *at, struct name name, slice value)
{
    struct sip_header h = {
        .name = { at, name.len }, .value = value, .id = (uint16_t)name.id,
    };

    if (!p->beyond) {
        p->beyond = true;
        memset(p->unindexed, 0, sizeof(p->unindexed));
        note_header(p, SIP_FLAW_TOO_MANY_HEADERS, &h);
    }
    if (h.id == SIP_H_OTHER)
        return;
    if (stands_once[h.id] && (p->unindexed[h.id] || p->m->first[h.id]))
        read_again(p, &h);
    else
        read_value(p, &h);
    p->unindexed[h.id] = true;
}

/* One line without its end, folded ones included. */
__attribute__((noinline))
static void header_line(struct parse *p, const char *at, size_t len)
{
    struct sip_message *m = p->m;
    struct name name = name_of(at, len);

    if (name.len >= len) {
        note(p, SIP_FLAW_LINE_WITHOUT_COLON, at, NO_HEADER);
        return;
    }
    slice value = slice_trim((slice){ at + name.len + 1, len - name.len - 1 });

    if (m->header_count == p->room) {
        if (!p->beyond || name.id != SIP_H_OTHER)
            line_beyond(p, at, name, value);
        return;
    }
    struct sip_header *h = &m->headers[m->header_count++];

    *h = (struct sip_header){
        .name = trim_behind((slice){ at, name.len }), .value = value, .id = (uint16_t)name.id,
    };
    if (name.id == SIP_H_OTHER)
        judge_name(p, h);
    else
        index_header(p, h);
}

/* The same for a line as nearly all are: a known name, the colon, one blank, a value with no
 * blank behind it, CRLF (at `cr`), not folded. False: it is not such a line. */
static inline __attribute__((always_inline))
bool usual_line(struct parse *p, const char *at, const char *cr)
{
    struct sip_message *m = p->m;

    if (__builtin_expect(p->end - at < 16 || m->header_count == p->room, 0))
        return false;
    struct name name = name_usual(at, p->end);
    const char *value = at + name.len + 1;

    if (name.id == SIP_H_OTHER || value[0] != ' ' || (unsigned char)value[1] <= ' ' ||
        (unsigned char)cr[-1] <= ' ')
        return false;
    struct sip_header *h = &m->headers[m->header_count++];

    h->name.ptr = at, h->name.len = name.len;
    h->value.ptr = value + 1, h->value.len = (size_t)(cr - value - 1);
    h->id = (uint16_t)name.id, h->next = 0;
    index_header(p, h);
    return true;
}

enum header_end { ENDED, WANTS_MORE, OPEN };

/* The line end at `lf`, or that of the last line folded behind it; NULL: the bytes end. */
static const char *fold_end(const char *lf, const char *end)
{
    while (lf && lf + 1 < end && (lf[1] == ' ' || lf[1] == '\t'))             /* 7.3.1 */
        lf = memchr(lf + 1, '\n', (size_t)(end - lf - 1));
    return lf;
}

/* Reads lines up to the empty one; *ret_end is behind it. WANTS_MORE: the bytes end before. */
static enum header_end read_lines(struct parse *p, const char *at, enum sip_framing framing,
                                  const char **ret_end)
{
    const char *end = p->end, *last = end - 1;
    struct sip_lines lines;

    sip_lines_init(&lines, at, end);
    while (at < end) {
        const char *lf = sip_lines_next(&lines), *line_end = lf;

        /* A line that ends in CRLF, is not empty and not folded. */
        if (__builtin_expect(lf && lf < last && *at > '\r' && lf[-1] == '\r' && lf[1] != ' ' &&
                             lf[1] != '\t', 1)) {
            if (!usual_line(p, at, lf - 1))
                header_line(p, at, (size_t)(lf - 1 - at));
            at = lf + 1;
            continue;
        }
        if (lf && lf - at <= 1 && (lf == at || *at == '\r')) {
            if (lf == at && !p->bare_lf)
                note(p, SIP_FLAW_LINE_ENDS_WITHOUT_CR, at, NO_HEADER);
            *ret_end = lf + 1;
            return ENDED;
        }
        if (lf && lf < last && (lf[1] == ' ' || lf[1] == '\t')) {
            line_end = lf = fold_end(lf, end);
            if (lf)
                sip_lines_init(&lines, lf + 1, end);
        }
        if (!lf) {
            if (framing != SIP_DATAGRAM)
                break;
            line_end = lf = end;
        } else if (lf[-1] == '\r') {
            line_end--;
        } else if (!p->bare_lf) {
            p->bare_lf = true;
            note(p, SIP_FLAW_LINE_ENDS_WITHOUT_CR, at, NO_HEADER);
        }
        header_line(p, at, (size_t)(line_end - at));
        at = lf < end ? lf + 1 : end;
    }
    *ret_end = end;
    return framing == SIP_STREAM ? WANTS_MORE : OPEN;
}

/* ---- the whole ---- */

static void judge_response(struct parse *p)
{
    struct sip_message *m = p->m;

    if (m->status > 100 && m->to.uri.len && !m->to.tag.len)
        note(p, SIP_FLAW_TO_TAG_MISSING, m->all.ptr, NO_HEADER);
    if (m->status >= 200 && m->status < 300 && m->method == SIP_INVITE && !m->first[SIP_H_CONTACT])
        note(p, SIP_FLAW_CONTACT_MISSING, m->all.ptr, NO_HEADER);
}

static void judge_request(struct parse *p)
{
    struct sip_message *m = p->m;

    if (!m->first[SIP_H_MAX_FORWARDS])
        note(p, SIP_FLAW_MAX_FORWARDS_MISSING, m->all.ptr, NO_HEADER);
    if (m->method == SIP_INVITE && !m->first[SIP_H_CONTACT])
        note(p, SIP_FLAW_CONTACT_MISSING, m->all.ptr, NO_HEADER);
}

/* What is not there; asked only when the header was seen to its end. */
static void judge_missing(struct parse *p)
{
    struct sip_message *m = p->m;

    if (!m->via_count)
        note(p, SIP_FLAW_VIA_MISSING, m->all.ptr, NO_HEADER);
    else if (m->via.host.len && !m->via.branch.len)
        note(p, SIP_FLAW_BRANCH_MISSING, m->via.transport.ptr, NO_HEADER);
    if (!m->from.uri.ptr)
        note(p, SIP_FLAW_FROM_MISSING, m->all.ptr, NO_HEADER);
    else if (!m->from.tag.len)
        note(p, SIP_FLAW_FROM_TAG_MISSING, m->from.uri.ptr, NO_HEADER);
    if (!m->to.uri.ptr)
        note(p, SIP_FLAW_TO_MISSING, m->all.ptr, NO_HEADER);
    if (!m->call_id.len)
        note(p, SIP_FLAW_CALL_ID_MISSING, m->all.ptr, NO_HEADER);
    if (!m->cseq.method.ptr)
        note(p, SIP_FLAW_CSEQ_MISSING, m->all.ptr, NO_HEADER);
    if (m->is_request)
        judge_request(p);
    else
        judge_response(p);
}

/* Where the body ends (18.3). False: a stream must bring more. */
static bool take_body(struct parse *p, const char *at, enum sip_framing framing)
{
    struct sip_message *m = p->m;
    size_t there = (size_t)(p->end - at), promised = m->content_length;

    if (m->content_length == UINT32_MAX) {
        if (framing == SIP_STREAM) {
            note(p, SIP_FLAW_CONTENT_LENGTH_MISSING, m->all.ptr, NO_HEADER);
            promised = 0;
        } else {
            promised = there;
        }
    }
    bool endless = framing == SIP_STREAM && promised > SIP_STREAM_MESSAGE_MAX;

    if (promised > there || endless) {
        if (framing == SIP_STREAM && !endless)
            return false;
        m->body_cut = true;
        if (framing != SIP_CUT)
            note(p, SIP_FLAW_CONTENT_LENGTH_TOO_LARGE, at, NO_HEADER);
        promised = endless ? 0 : there;
    }
    if (promised < there && framing != SIP_STREAM)
        note(p, SIP_FLAW_BYTES_AFTER_BODY, at + promised, NO_HEADER);
    m->body = slice_of(at, promised);
    if (promised && !m->content_type.len)
        note(p, SIP_FLAW_CONTENT_TYPE_MISSING, at, NO_HEADER);
    return true;
}

static void clear(struct sip_message *m)
{
    size_t size = offsetof(struct sip_message, flaws);

    __asm__("" : "+r"(size));        /* the C library does this faster than "rep stos" */
    memset(m, 0, size);
}

ptrdiff_t sip_message_parse(slice bytes, enum sip_framing framing, struct sip_header *room,
                            size_t room_count, struct sip_message *ret)
{
    if (!bytes.len)
        return framing == SIP_STREAM ? 0 : -1;
    struct parse p;
    const char *at = bytes.ptr, *end = bytes.ptr + bytes.len;

    while (at < end && (*at == '\r' || *at == '\n'))
        at++;
    if (at < end && !sip_char_is(*at, SIP_C_TOKEN))
        return -1;                       /* RTP, RTCP, STUN, DTLS and DNS end here */
    clear(ret);
    p.m = ret, p.end = end, p.bare_lf = p.beyond = false;
    p.room = room_count < INDEX_MAX ? (uint16_t)room_count : INDEX_MAX;
    ret->headers = room;
    ret->content_length = UINT32_MAX;
    ret->all = slice_of(at, (size_t)(end - at));

    ptrdiff_t lf = sip_find_char(ret->all, '\n');
    slice line = slice_head(ret->all, lf < 0 ? ret->all.len : (size_t)lf);

    if (lf < 0 && framing == SIP_STREAM)
        return sip_start_may_begin(line) ? 0 : -1;
    if (lf < 0 && framing == SIP_CUT)
        return -1;
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (!read_start(&p, line))
        return -1;
    if (lf > 0 && line.ptr[lf - 1] != '\r') {
        p.bare_lf = true;
        note(&p, SIP_FLAW_LINE_ENDS_WITHOUT_CR, line.ptr, NO_HEADER);
    }
    at = lf < 0 ? end : line.ptr + lf + 1;

    enum header_end header_end = read_lines(&p, at, framing, &at);

    if (header_end == WANTS_MORE)
        return 0;
    if (!ret->is_request) {
        ret->method_text = ret->cseq.method;
        ret->method = ret->cseq.method_id;
    }
    if (header_end == ENDED || framing != SIP_CUT)
        judge_missing(&p);
    if (header_end == OPEN && framing != SIP_CUT)
        note(&p, SIP_FLAW_HEADER_END_MISSING, end, NO_HEADER);
    if (header_end == ENDED && !take_body(&p, at, framing))
        return 0;
    if (header_end == ENDED)
        ret->all.len = (size_t)(ret->body.ptr + ret->body.len - ret->all.ptr);
    return ret->all.ptr + ret->all.len - bytes.ptr;
}

/* ---- asking ---- */

const struct sip_header *sip_header_find(const struct sip_message *m, enum sip_header_id id)
{
    if (id == SIP_H_OTHER || id >= SIP_HEADER_IDS || !m->first[id])
        return NULL;
    return &m->headers[m->first[id] - 1];
}

const struct sip_header *sip_header_next(const struct sip_message *m, const struct sip_header *h)
{
    return h->next ? &m->headers[h->next] : NULL;
}

const struct sip_header *sip_header_named(const struct sip_message *m, slice name)
{
    enum sip_header_id id = sip_header_id_find(name);

    if (id != SIP_H_OTHER)
        return sip_header_find(m, id);
    for (uint16_t i = 0; i < m->header_count; i++)
        if (m->headers[i].id == SIP_H_OTHER && slice_eq_nocase(m->headers[i].name, name))
            return &m->headers[i];
    return NULL;
}

bool sip_message_is_valid(const struct sip_message *m) { return !m->refusable; }
