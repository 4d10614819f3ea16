/* sip/build.c - appends the parts of a message to an out.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"

#include "sip/fields.h"

static const slice crlf = SLICE_INIT("\r\n");

void sip_build_text(struct out *o, slice value)
{
    char *at = value.len ? out_space(o, value.len) : NULL;

    if (!at)
        return;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];

        at[i] = c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
    }
    o->used += value.len;
}

void sip_build_quoted(struct out *o, slice text, bool is_escaped)
{
    out_char(o, '"');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_pair = is_escaped && c == '\\' && i + 1 < text.len;

        if (is_pair || c == '"' || c == '\\')
            out_char(o, '\\');
        sip_build_text(o, slice_of(text.ptr + (is_pair ? ++i : i), 1));
    }
    out_char(o, '"');
}

void sip_build_request(struct out *o, slice method, slice uri)
{
    sip_build_text(o, method);
    out_char(o, ' ');
    sip_build_text(o, uri);
    out_text(o, SLICE(" SIP/2.0\r\n"));
}

void sip_build_status(struct out *o, unsigned status, slice phrase)
{
    out_text(o, SLICE("SIP/2.0 "));
    out_u64(o, status);
    out_char(o, ' ');
    sip_build_text(o, phrase);
    out_text(o, crlf);
}

void sip_build_named(struct out *o, slice name, slice value)
{
    sip_build_text(o, name);
    out_text(o, SLICE(": "));
    sip_build_text(o, value);
    out_text(o, crlf);
}

void sip_build_header(struct out *o, enum sip_header_id id, slice value)
{
    sip_build_named(o, sip_header_name(id), value);
}

void sip_build_header_u32(struct out *o, enum sip_header_id id, uint32_t value)
{
    out_text(o, sip_header_name(id));
    out_text(o, SLICE(": "));
    out_u64(o, value);
    out_text(o, crlf);
}

unsigned sip_build_copy(struct out *o, const struct sip_message *m, enum sip_header_id id)
{
    unsigned count = 0;

    for (const struct sip_header *h = sip_header_find(m, id); h; h = sip_header_next(m, h), count++)
        sip_build_header(o, id, h->value);
    return count;
}

void sip_build_cseq(struct out *o, uint32_t number, slice method)
{
    out_text(o, SLICE("CSeq: "));
    out_u64(o, number);
    out_char(o, ' ');
    sip_build_text(o, method);
    out_text(o, crlf);
}

void sip_build_via(struct out *o, slice transport, slice sent_by, slice branch)
{
    out_text(o, SLICE("Via: SIP/2.0/"));
    out_text(o, transport);
    out_char(o, ' ');
    out_text(o, sent_by);
    out_text(o, SLICE(";branch="));
    out_text(o, branch);
    out_text(o, SLICE(";rport\r\n"));
}

static void param_text(struct out *o, const struct sip_param *param)
{
    out_char(o, ';');
    sip_build_text(o, param->name);
    if (!param->has_value)
        return;
    out_text(o, param->quoted ? SLICE("=\"") : SLICE("="));
    sip_build_text(o, param->value);
    if (param->quoted)
        out_char(o, '"');
}

static void params_without_tag(struct out *o, slice params)
{
    struct sip_param param;

    while (sip_param_next(&params, &param))
        if (param.name.len && !slice_eq_nocase(param.name, SLICE("tag")))
            param_text(o, &param);
}

void sip_build_name_addr(struct out *o, enum sip_header_id id, const struct sip_name_addr *addr, slice tag)
{
    out_text(o, sip_header_name(id));
    out_text(o, SLICE(": "));
    if (addr->display.len) {
        sip_build_quoted(o, addr->display, true);
        out_char(o, ' ');
    }
    out_char(o, '<');
    sip_build_text(o, addr->uri);
    out_char(o, '>');
    params_without_tag(o, addr->params);
    if (tag.len) {
        out_text(o, SLICE(";tag="));
        sip_build_text(o, tag);
    }
    out_text(o, crlf);
}

/* The topmost Via with where the request really came from: `received` when the host in it is
 * another one or when rport is asked for, which then gets the port. */
static void top_via(struct out *o, slice value, const struct sip_via *via, const struct address *source)
{
    char ip[ADDRESS_TEXT_MAX];
    slice source_ip = slice_of(ip, address_format_ip(source, ip));
    bool asked = via->rport.ptr && !via->rport.len;
    slice head = value;
    struct sip_param param;

    if (via->params.len)
        head.len = (size_t)(via->params.ptr - value.ptr);
    out_text(o, SLICE("Via: "));
    sip_build_text(o, slice_trim(head));
    for (slice rest = via->params; sip_param_next(&rest, &param);) {
        if (!param.name.len || slice_eq_nocase(param.name, SLICE("received")))
            continue;
        if (asked && slice_eq_nocase(param.name, SLICE("rport"))) {
            out_text(o, SLICE(";rport="));
            out_u64(o, source->port);
        } else {
            param_text(o, &param);
        }
    }
    if (asked || !slice_eq_nocase(via->host, source_ip)) {
        out_text(o, SLICE(";received="));
        out_text(o, source_ip);
    }
    out_text(o, crlf);
}

static void response_vias(struct out *o, const struct sip_message *request, const struct address *source)
{
    const struct sip_header *h = sip_header_find(request, SIP_H_VIA);
    slice rest = h ? h->value : (slice){ 0 }, first;
    struct sip_via via;

    if (!h)
        return;
    if (source && sip_list_next(&rest, &first)) {
        slice one = first;

        if (sip_via_next(&one, &via)) {
            top_via(o, first, &via, source);
            if (slice_trim(rest).len)
                sip_build_header(o, SIP_H_VIA, slice_trim(rest));
            h = sip_header_next(request, h);
        }
    }
    for (; h; h = sip_header_next(request, h))
        sip_build_header(o, SIP_H_VIA, h->value);
}

void sip_build_response(struct out *o, const struct sip_message *request, unsigned status, slice phrase, slice to_tag,
                        const struct address *source)
{
    const struct sip_header *to = sip_header_find(request, SIP_H_TO);

    sip_build_status(o, status, phrase);
    response_vias(o, request, source);
    sip_build_copy(o, request, SIP_H_FROM);
    if (to) {
        out_text(o, SLICE("To: "));
        sip_build_text(o, to->value);
        if (to_tag.len && !request->to.tag.len) {
            out_text(o, SLICE(";tag="));
            sip_build_text(o, to_tag);
        }
        out_text(o, crlf);
    }
    sip_build_copy(o, request, SIP_H_CALL_ID);
    sip_build_copy(o, request, SIP_H_CSEQ);
    if (status == 100)
        sip_build_copy(o, request, SIP_H_TIMESTAMP);
}

void sip_build_body(struct out *o, slice type, slice body)
{
    if (body.len && type.len)
        sip_build_header(o, SIP_H_CONTENT_TYPE, type);
    out_text(o, SLICE("Content-Length: "));
    out_u64(o, body.len);
    out_text(o, SLICE("\r\n\r\n"));
    out_text(o, body);
}
