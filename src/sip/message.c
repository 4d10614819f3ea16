/* sip/message.c - one pass over the lines of a message (RFC 3261, 7 and 25)
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/fields.h"
#include "sip/sip_int.h"
#include "sip/stream.h"

#define NO_HEADER UINT16_MAX
#define INDEX_MAX (UINT16_MAX - 1)

struct parse {
    struct sip_message *m;
    size_t      room;                /* headers that can be indexed */
    const char *end;                 /* of all bytes given */
    uint16_t    last[SIP_HEADER_IDS];        /* index of the last of an id; set where first[] is */
    bool        bare_lf, too_many;   /* noted once */
};

/* The line being read. */
struct line {
    const char *at;
    slice       value;
    uint16_t    index;               /* into headers, or NO_HEADER */
};

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

static void note_line(struct parse *p, enum sip_flaw_kind kind, const struct line *line)
{
    if (kind != SIP_FLAW_NONE)
        note(p, kind, line->at, line->index);
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
    if (!slice_eq_nocase(start.version, SLICE("SIP/2.0")))
        note(p, SIP_FLAW_VERSION_UNKNOWN, start.version.ptr, NO_HEADER);
    return true;
}

/* ---- values that are decoded at once ---- */

static void read_via(struct parse *p, const struct line *line)
{
    struct sip_message *m = p->m;
    struct sip_via spare;
    slice rest = line->value, value;

    if (slice_find_char(rest, ',') < 0) {        /* nearly always */
        note_line(p, sip_via_read(rest, m->via_count ? &spare : &m->via), line);
        m->via_count += m->via_count < UINT16_MAX;
        return;
    }
    while (sip_list_cut(&rest, &value)) {
        if (value.len == 0) {
            note_line(p, SIP_FLAW_PARAMETER_EMPTY, line);
            continue;
        }
        note_line(p, sip_via_read(value, m->via_count ? &spare : &m->via), line);
        m->via_count += m->via_count < UINT16_MAX;
    }
}

static void read_cseq(struct parse *p, const struct line *line)
{
    struct sip_message *m = p->m;

    note_line(p, sip_cseq_read(line->value, &m->cseq), line);
    if (m->is_request && m->cseq.method.len && !slice_eq(m->cseq.method, m->method_text))
        note_line(p, SIP_FLAW_CSEQ_METHOD_DIFFERS, line);
}

static void read_call_id(struct parse *p, const struct line *line)
{
    p->m->call_id = line->value;
    if (slice_find_char(line->value, ' ') >= 0)
        note_line(p, SIP_FLAW_CALL_ID_SPACES, line);
}

static void read_content_length(struct parse *p, const struct line *line)
{
    uint32_t number;

    if (!slice_to_u32(line->value, &number) || number == UINT32_MAX)
        note_line(p, SIP_FLAW_CONTENT_LENGTH_BAD, line);
    else
        p->m->content_length = number;
}

static void read_content_type(struct parse *p, const struct line *line)
{
    slice parameters;

    p->m->content_type = slice_trim(sip_cut_at(line->value, ';', &parameters));
}

static void read_max_forwards(struct parse *p, const struct line *line)
{
    uint32_t number;

    if (!slice_to_u32(line->value, &number) || number > 255)
        note_line(p, SIP_FLAW_MAX_FORWARDS_BAD, line);
}

/* Without < > a '?' or ',' of the URI would belong to the header (20.10). */
static void read_contact(struct parse *p, const struct line *line)
{
    slice v = line->value;

    if (v.len && v.ptr[0] != '<' && slice_find_char(v, '<') < 0 && slice_find_char(v, '?') >= 0)
        note_line(p, SIP_FLAW_URI_NEEDS_BRACKETS, line);
}

static void read_date(struct parse *p, const struct line *line)
{
    if (!slice_ends(line->value, SLICE("GMT")))
        note_line(p, SIP_FLAW_DATE_BAD, line);
}

static void read_value(struct parse *p, enum sip_header_id id, const struct line *line)
{
    struct sip_message *m = p->m;

    switch (id) {
    case SIP_H_VIA:            read_via(p, line); break;
    case SIP_H_FROM:           note_line(p, sip_name_addr_read(line->value, &m->from), line); break;
    case SIP_H_TO:             note_line(p, sip_name_addr_read(line->value, &m->to), line); break;
    case SIP_H_CALL_ID:        read_call_id(p, line); break;
    case SIP_H_CSEQ:           read_cseq(p, line); break;
    case SIP_H_CONTENT_LENGTH: read_content_length(p, line); break;
    case SIP_H_CONTENT_TYPE:   read_content_type(p, line); break;
    case SIP_H_MAX_FORWARDS:   read_max_forwards(p, line); break;
    case SIP_H_CONTACT:        read_contact(p, line); break;
    case SIP_H_DATE:           read_date(p, line); break;
    default: break;
    }
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

static void read_again(struct parse *p, enum sip_header_id id, const struct line *line)
{
    uint32_t number;

    if (id == SIP_H_CONTENT_LENGTH &&
        !(slice_to_u32(line->value, &number) && number == p->m->content_length))
        note_line(p, SIP_FLAW_CONTENT_LENGTH_DIFFERS, line);
    else
        note_line(p, SIP_FLAW_HEADER_REPEATED, line);
}

/* ---- lines ---- */

static uint16_t index_header(struct parse *p, slice name, slice value, enum sip_header_id id)
{
    struct sip_message *m = p->m;

    if (m->header_count >= p->room)
        return NO_HEADER;
    uint16_t index = m->header_count++;

    m->headers[index] = (struct sip_header){ .name = name, .value = value, .id = (uint16_t)id };
    if (id != SIP_H_OTHER && m->first[id])
        m->headers[p->last[id]].next = index;
    else if (id != SIP_H_OTHER)
        m->first[id] = (uint16_t)(index + 1);
    p->last[id] = index;
    return index;
}

static void header_line(struct parse *p, const char *at, const char *line_end, uint8_t *seen)
{
    const char *colon = memchr(at, ':', (size_t)(line_end - at));

    if (!colon) {
        note(p, SIP_FLAW_LINE_WITHOUT_COLON, at, NO_HEADER);
        return;
    }
    slice name = slice_of(at, (size_t)(colon - at));

    while (name.len && (name.ptr[name.len - 1] == ' ' || name.ptr[name.len - 1] == '\t'))
        name.len--;
    enum sip_header_id id = sip_header_id_find_within(name, p->end);
    struct line line = {
        .at = at,
        .value = slice_trim(slice_of(colon + 1, (size_t)(line_end - colon - 1))),
    };

    line.index = index_header(p, name, line.value, id);
    if (line.index == NO_HEADER && !p->too_many) {
        p->too_many = true;
        note(p, SIP_FLAW_TOO_MANY_HEADERS, at, NO_HEADER);
    }
    if (id == SIP_H_OTHER) {
        if (!name.len || !sip_all_are(name, SIP_C_TOKEN))
            note_line(p, SIP_FLAW_HEADER_NAME_BAD, &line);
    } else if (!seen[id] || !stands_once[id]) {
        seen[id] = 1;
        read_value(p, id, &line);
    } else {
        read_again(p, id, &line);
    }
}

enum header_end { ENDED, WANTS_MORE, OPEN };

/* Reads lines up to the empty one; *at moves behind it. WANTS_MORE: the bytes end before. */
static enum header_end read_lines(struct parse *p, const char **at, enum sip_framing framing)
{
    uint8_t seen[SIP_HEADER_IDS] = { 0 };

    while (*at < p->end) {
        const char *line = *at;
        const char *lf = memchr(line, '\n', (size_t)(p->end - line));

        if (lf == line || (lf == line + 1 && *line == '\r')) {
            if (lf == line && !p->bare_lf)
                note(p, SIP_FLAW_LINE_ENDS_WITHOUT_CR, line, NO_HEADER);
            *at = lf + 1;
            return ENDED;
        }
        while (lf && lf + 1 < p->end && (lf[1] == ' ' || lf[1] == '\t'))      /* 7.3.1 */
            lf = memchr(lf + 1, '\n', (size_t)(p->end - lf - 1));
        if (!lf && framing == SIP_STREAM)
            return WANTS_MORE;
        if (!lf && framing == SIP_CUT)
            break;
        if (lf && lf[-1] != '\r' && !p->bare_lf) {
            p->bare_lf = true;
            note(p, SIP_FLAW_LINE_ENDS_WITHOUT_CR, line, NO_HEADER);
        }
        *at = lf ? lf + 1 : p->end;
        header_line(p, line, lf ? lf : p->end, seen);
    }
    if (framing == SIP_STREAM)
        return WANTS_MORE;
    *at = p->end;
    return OPEN;
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
    else if (!m->via.branch.len)
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

ptrdiff_t sip_message_parse(slice bytes, enum sip_framing framing, struct sip_header *room,
                            size_t room_count, struct sip_message *ret)
{
    struct parse p;
    const char *at = bytes.ptr, *end = bytes.ptr + bytes.len;

    while (at < end && (*at == '\r' || *at == '\n'))
        at++;
    memset(ret, 0, offsetof(struct sip_message, flaws));
    p.m = ret, p.end = end, p.bare_lf = p.too_many = false;
    p.room = room_count < INDEX_MAX ? room_count : INDEX_MAX;
    ret->headers = room;
    ret->content_length = UINT32_MAX;
    ret->all = slice_of(at, (size_t)(end - at));

    slice rest = ret->all, line;
    ptrdiff_t lf = slice_find_char(rest, '\n');

    if (lf < 0 && framing == SIP_STREAM)
        return sip_start_may_begin(rest) ? 0 : -1;
    if ((lf < 0 && framing == SIP_CUT) || !slice_take_line(&rest, &line) || !read_start(&p, line))
        return -1;
    if (lf >= 0 && (lf == 0 || ret->all.ptr[lf - 1] != '\r')) {
        p.bare_lf = true;
        note(&p, SIP_FLAW_LINE_ENDS_WITHOUT_CR, ret->all.ptr, NO_HEADER);
    }

    at = rest.ptr;
    enum header_end header_end = read_lines(&p, &at, framing);

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
