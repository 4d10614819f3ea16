/* sip/sdp.c - see sdp.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "sip/sdp.h"

#include "sip/lines.h"
#include "sip/multipart.h"
#include "sip/sip_int.h"

static void note(struct sdp *sdp, enum sip_flaw_kind kind, const char *at)
{
    if (sdp->flaw_count < SDP_FLAWS_MAX)
        sdp->flaws[sdp->flaw_count] = (struct sip_flaw){
            .offset = (uint32_t)(at - sdp->text.ptr), .kind = kind, .header = UINT16_MAX,
        };
    if (sdp->flaw_count < UINT16_MAX)
        sdp->flaw_count++;
}

/* A word up to a blank; the cursor stands behind the blanks. Empty at the end. */
static slice take_word(slice *rest)
{
    if (!rest->len)
        return *rest;
    const char *at = rest->ptr, *end = rest->ptr + rest->len;

    while (at < end && (unsigned char)*at > ' ')
        at++;
    slice word = slice_of(rest->ptr, (size_t)(at - rest->ptr));

    while (at < end && (unsigned char)*at <= ' ')
        at++;
    *rest = slice_of(at, (size_t)(end - at));
    return word;
}

static bool to_u16(slice s, uint16_t *ret)
{
    uint32_t number;

    if (!sip_to_u32(s, &number) || number > UINT16_MAX)
        return false;
    *ret = (uint16_t)number;
    return true;
}

/* ---- lines ---- */

/* "IN IP4 10.0.0.1" or "IN IP4 224.2.1.1/127" */
static bool read_connection(slice value, struct sdp_connection *ret)
{
    slice rest = value, ttl;
    uint8_t family = 0;

    if (value.len > 7 && memcmp(value.ptr, "IN IP", 5) == 0 && value.ptr[6] == ' ') {
        family = value.ptr[5] == '4' ? 4 : value.ptr[5] == '6' ? 6 : 0;
        rest = slice_of(value.ptr + 7, value.len - 7);
    } else {
        slice net = take_word(&rest), type = take_word(&rest);

        if (SIP_IS(net, "IN"))
            family = SIP_IS(type, "IP4") ? 4 : SIP_IS(type, "IP6") ? 6 : 0;
    }
    slice address = sip_cut_at(take_word(&rest), '/', &ttl);

    if (!address.len)
        return false;
    ret->address = address;
    ret->family = family;
    return family != 0;
}

/* o=<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address> */
static bool read_origin(slice value, struct sdp_origin *ret)
{
    slice rest = value;

    ret->username = take_word(&rest);
    ret->session_id = take_word(&rest);
    ret->version = take_word(&rest);
    return read_connection(rest, &ret->address);
}

/* m=<media> <port>[/<count>] <proto> <fmt> ... */
static bool read_media(slice value, struct sdp_media *ret)
{
    slice rest = value, slash;

    *ret = (struct sdp_media){ .type = take_word(&rest), .port_count = 1 };
    slice port = sip_cut_at(take_word(&rest), '/', &slash);

    ret->proto = take_word(&rest);
    ret->formats = rest;
    if (!to_u16(port, &ret->port))
        return false;
    if (slash.len && !to_u16(slice_skip(slash, 1), &ret->port_count))
        return false;
    return ret->proto.len && ret->formats.len;
}

/* Where the lines read now belong. */
struct level {
    struct sdp_connection *connection;
    uint32_t          *bandwidth_as_kbps;
    struct sdp_media  *media;                    /* NULL: the session */
};

static void read_bandwidth(slice value, const struct level *level)
{
    if (value.len > 3 && memcmp(value.ptr, "AS:", 3) == 0)
        sip_to_u32(slice_skip(value, 3), level->bandwidth_as_kbps);
}

/* ---- attributes that are decoded at once ---- */

static bool read_direction(struct sdp *sdp, const struct level *level, enum sdp_direction direction)
{
    if (level->media)
        level->media->direction = direction;
    else
        sdp->direction = direction;
    return true;
}

/* a=rtcp:53020 IN IP6 2001:db8::4 */
static bool read_rtcp(struct sdp_media *media, slice value)
{
    slice rest = value;

    return to_u16(take_word(&rest), &media->rtcp_port) &&
           (!rest.len || read_connection(rest, &media->rtcp));
}

/* False: the value is bad. */
static bool read_media_attribute(struct sdp_media *media, slice name, slice value)
{
    switch (name.len) {
    case 3:
        if (SIP_IS(name, "mid"))
            media->mid = value;
        else if (SIP_IS(name, "des"))
            media->precondition_count++;
        return true;
    case 4:
        if (SIP_IS(name, "rtcp"))
            return read_rtcp(media, value);
        if (SIP_IS(name, "curr") || SIP_IS(name, "conf"))
            media->precondition_count++;
        return true;
    case 5:  return SIP_IS(name, "ptime") ? to_u16(value, &media->ptime_ms) : true;
    case 6:  media->crypto_count += SIP_IS(name, "crypto"); return true;
    case 8:
        if (SIP_IS(name, "rtcp-mux"))
            media->rtcp_mux = true;
        else if (SIP_IS(name, "maxptime"))
            return to_u16(value, &media->maxptime_ms);
        return true;
    case 9:  media->candidate_count += SIP_IS(name, "candidate"); return true;
    default: return true;
    }
}

static bool read_attribute(struct sdp *sdp, const struct level *level, slice line)
{
    if (line.len > 7 && (memcmp(line.ptr, "rtpmap:", 7) == 0 || memcmp(line.ptr, "fmtp:", 5) == 0))
        return true;                             /* most lines are these two */
    slice value, name = sip_cut_at(line, ':', &value);

    value = slice_skip(value, 1);
    if (SIP_IS(name, "sendrecv"))
        return read_direction(sdp, level, SDP_SENDRECV);
    if (SIP_IS(name, "sendonly"))
        return read_direction(sdp, level, SDP_SENDONLY);
    if (SIP_IS(name, "recvonly"))
        return read_direction(sdp, level, SDP_RECVONLY);
    if (SIP_IS(name, "inactive"))
        return read_direction(sdp, level, SDP_INACTIVE);
    if (SIP_IS(name, "setup"))
        *(level->media ? &level->media->setup : &sdp->setup) = value;
    else if (SIP_IS(name, "fingerprint"))
        *(level->media ? &level->media->fingerprint : &sdp->fingerprint) = value;
    else if (SIP_IS(name, "ice-lite"))
        sdp->ice_lite = true;
    else if (level->media)
        return read_media_attribute(level->media, name, value);
    return true;
}

/* ---- the whole ---- */

/* m= begins: the level that is left has all its lines. */
static void start_media(struct sdp *sdp, slice value, struct level *level, const char *at)
{
    struct sdp_media *media;

    if (sdp->media_total < UINT16_MAX)
        sdp->media_total++;
    if (sdp->media_count == SDP_MEDIA_MAX) {
        if (sdp->media_total == SDP_MEDIA_MAX + 1)
            note(sdp, SIP_FLAW_SDP_TOO_MANY_MEDIA, at);
        return;
    }
    media = &sdp->media[sdp->media_count++];
    if (!read_media(value, media))
        note(sdp, SIP_FLAW_SDP_MEDIA_BAD, at);
    *level = (struct level){ &media->connection, &media->bandwidth_as_kbps, media };
}

static void read_line(struct sdp *sdp, struct level *level, slice line)
{
    slice value = { line.ptr + 2, line.len - 2 };

    switch (line.ptr[0]) {
    case 'a':
        if (!read_attribute(sdp, level, value))
            note(sdp, SIP_FLAW_SDP_ATTRIBUTE_BAD, line.ptr);
        break;
    case 'b':
        read_bandwidth(value, level);
        break;
    case 'c':
        if (!read_connection(value, level->connection))
            note(sdp, SIP_FLAW_SDP_CONNECTION_BAD, line.ptr);
        break;
    case 'o':
        if (!read_origin(value, &sdp->origin))
            note(sdp, SIP_FLAW_SDP_ORIGIN_BAD, line.ptr);
        break;
    case 's':
        sdp->session_name = value;
        break;
    case 't':
        if (!sdp->timing.ptr)
            sdp->timing = value;
        break;
    case 'v':
        if (value.len != 1 || value.ptr[0] != '0')
            note(sdp, SIP_FLAW_SDP_VERSION_BAD, line.ptr);
        break;
    default:
        break;
    }
}

/* The lines of a level end where the next one begins, or with the text. */
static void end_level(struct sdp *sdp, const struct level *level, const char *start,
                      const char *end)
{
    *(level->media ? &level->media->lines : &sdp->lines) = slice_of(start, (size_t)(end - start));
}

static void judge_connections(struct sdp *sdp)
{
    for (unsigned i = 0; i < sdp->media_count; i++)
        if (!sdp->connection.address.len && !sdp->media[i].connection.address.len &&
            sdp->media[i].port) {
            note(sdp, SIP_FLAW_SDP_CONNECTION_MISSING, sdp->media[i].type.ptr);
            return;
        }
}

/* Line ends of the text, one after the other; the last line may do without. False at the end. */
static bool take_line(struct sip_lines *lines, const char **at, slice *ret)
{
    if (*at >= lines->end)
        return false;
    const char *lf = sip_lines_next(lines), *line_end = lf ? lf : lines->end;

    *ret = slice_of(*at, (size_t)(line_end - *at));
    *at = lf ? lf + 1 : lines->end;
    if (ret->len && line_end[-1] == '\r')
        ret->len--;
    return true;
}

bool sdp_parse(slice text, struct sdp *ret)
{
    struct level level = { &ret->connection, &ret->bandwidth_as_kbps, NULL };
    const char *start = text.ptr, *at = text.ptr;
    bool beyond = false;             /* behind an m= that has no room: passed over */
    struct sip_lines lines;
    slice line;

    if (text.len < 2 || text.ptr[1] != '=')
        return false;
    memset(ret, 0, offsetof(struct sdp, flaws));
    ret->text = text;
    sip_lines_init(&lines, text.ptr, text.ptr + text.len);
    while (take_line(&lines, &at, &line)) {
        if (line.len < 2 || line.ptr[1] != '=') {
            if (line.len)
                note(ret, SIP_FLAW_SDP_LINE_BAD, line.ptr);
            continue;
        }
        if (line.ptr[0] == 'm') {
            if (!beyond)
                end_level(ret, &level, start, line.ptr);
            beyond = ret->media_count == SDP_MEDIA_MAX;
            start_media(ret, slice_skip(line, 2), &level, line.ptr);
            start = at;
        } else if (!beyond) {
            read_line(ret, &level, line);
        }
    }
    if (!beyond)
        end_level(ret, &level, start, text.ptr + text.len);
    judge_connections(ret);
    return true;
}

bool sip_sdp_of(const struct sip_message *m, slice *ret)
{
    if (!m->body.len)
        return false;
    if (m->content_type.len)
        return sip_body_of_type(m, SLICE("application/sdp"), ret);
    if (!slice_starts(m->body, SLICE("v=0")))    /* of no stated type, but what else */
        return false;
    *ret = m->body;
    return true;
}

enum sdp_direction sdp_media_direction(const struct sdp *sdp, unsigned media)
{
    if (sdp->media[media].direction != SDP_DIRECTION_NONE)
        return sdp->media[media].direction;
    return sdp->direction != SDP_DIRECTION_NONE ? sdp->direction : SDP_SENDRECV;
}

struct sdp_connection sdp_media_connection(const struct sdp *sdp, unsigned media)
{
    return sdp->media[media].connection.address.len ? sdp->media[media].connection
                                                    : sdp->connection;
}

bool sdp_is_hold(const struct sdp *sdp, unsigned media)
{
    enum sdp_direction direction = sdp_media_direction(sdp, media);
    slice address = sdp_media_connection(sdp, media).address;

    if (!sdp->media[media].port)
        return false;
    return direction == SDP_SENDONLY || direction == SDP_INACTIVE ||
           slice_eq(address, SLICE("0.0.0.0")) || slice_eq(address, SLICE("::"));
}

/* ---- attributes on request ---- */

bool sdp_attr_next(slice *lines, slice *ret_name, slice *ret_value)
{
    slice line, value;

    while (slice_take_line(lines, &line))
        if (line.len > 2 && line.ptr[0] == 'a' && line.ptr[1] == '=') {
            *ret_name = sip_cut_at(slice_skip(line, 2), ':', &value);
            *ret_value = slice_skip(value, 1);
            return true;
        }
    return false;
}

bool sdp_attr_find(slice lines, slice name, slice *ret_value)
{
    slice found, value;

    while (sdp_attr_next(&lines, &found, &value))
        if (slice_eq_nocase(found, name)) {
            *ret_value = value;
            return true;
        }
    return false;
}

/* rtpmap:<payload type> <encoding name>/<clock rate>[/<channels>] */
bool sdp_rtpmap_parse(slice value, struct sdp_codec *ret)
{
    slice rest = value;
    uint32_t type, clock_hz, channels = 1;
    size_t len = 0;

    if (!slice_take_u32(&rest, &type) || type > 127 || !slice_take_blanks(&rest))
        return false;
    while (len < rest.len && rest.ptr[len] != '/' && (unsigned char)rest.ptr[len] > ' ')
        len++;
    slice name = slice_head(rest, len);

    rest = slice_skip(rest, len);
    if (!name.len || !slice_take_char(&rest, '/') || !slice_take_u32(&rest, &clock_hz))
        return false;
    if (slice_take_char(&rest, '/') && (!slice_take_u32(&rest, &channels) || channels > 255))
        return false;
    if (rest.len && (unsigned char)rest.ptr[0] > ' ')
        return false;                                     /* "8000x" is no clock */
    *ret = (struct sdp_codec){ (uint8_t)type, name, clock_hz, (uint8_t)channels };
    return true;
}

static const struct sdp_codec static_codecs[] = {            /* RFC 3551, tables 4 and 5 */
    { 0, SLICE("PCMU"), 8000, 1 },   { 3, SLICE("GSM"), 8000, 1 },
    { 4, SLICE("G723"), 8000, 1 },   { 5, SLICE("DVI4"), 8000, 1 },
    { 6, SLICE("DVI4"), 16000, 1 },  { 7, SLICE("LPC"), 8000, 1 },
    { 8, SLICE("PCMA"), 8000, 1 },   { 9, SLICE("G722"), 8000, 1 },
    { 10, SLICE("L16"), 44100, 2 },  { 11, SLICE("L16"), 44100, 1 },
    { 12, SLICE("QCELP"), 8000, 1 }, { 13, SLICE("CN"), 8000, 1 },
    { 14, SLICE("MPA"), 90000, 1 },  { 15, SLICE("G728"), 8000, 1 },
    { 16, SLICE("DVI4"), 11025, 1 }, { 17, SLICE("DVI4"), 22050, 1 },
    { 18, SLICE("G729"), 8000, 1 },  { 25, SLICE("CelB"), 90000, 1 },
    { 26, SLICE("JPEG"), 90000, 1 }, { 28, SLICE("nv"), 90000, 1 },
    { 31, SLICE("H261"), 90000, 1 }, { 32, SLICE("MPV"), 90000, 1 },
    { 33, SLICE("MP2T"), 90000, 1 }, { 34, SLICE("H263"), 90000, 1 },
};

/* Value of the next a=rtpmap line; other lines cost a look at their beginning. */
static bool rtpmap_next(slice *lines, slice *ret_value)
{
    static const char name[] = "a=rtpmap:";
    slice line;

    while (slice_take_line(lines, &line))
        if (line.len > sizeof name && memcmp(line.ptr, name, sizeof name - 1) == 0) {
            *ret_value = slice_skip(line, sizeof name - 1);
            return true;
        }
    return false;
}

static bool rtpmap_is_of(slice value, unsigned payload_type)
{
    uint32_t type;

    return slice_take_u32(&value, &type) && type == payload_type;
}

bool sdp_codec_of(const struct sdp_media *media, unsigned payload_type, struct sdp_codec *ret)
{
    slice lines = media->lines, value;

    while (rtpmap_next(&lines, &value))
        if (rtpmap_is_of(value, payload_type) && sdp_rtpmap_parse(value, ret))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(static_codecs); i++)
        if (static_codecs[i].payload_type == payload_type) {
            *ret = static_codecs[i];
            return true;
        }
    return false;
}

static void codec_fill_static(struct sdp_codec *codec)
{
    for (size_t i = 0; i < ARRAY_LEN(static_codecs); i++)
        if (static_codecs[i].payload_type == codec->payload_type) {
            *codec = static_codecs[i];
            return;
        }
}

size_t sdp_codecs_of(const struct sdp_media *media, struct sdp_codec *ret, size_t room)
{
    slice formats = media->formats, lines = media->lines, value;
    struct sdp_codec got;
    unsigned type;
    size_t count = 0;

    while (count < room && sdp_format_next(&formats, &type)) {
        ret[count] = (struct sdp_codec){ .payload_type = (uint8_t)type };
        codec_fill_static(&ret[count++]);
    }
    while (rtpmap_next(&lines, &value))
        if (sdp_rtpmap_parse(value, &got))
            for (size_t i = 0; i < count; i++)
                if (ret[i].payload_type == got.payload_type) {
                    ret[i] = got;
                    break;
                }
    return count;
}

bool sdp_fmtp_of(const struct sdp_media *media, unsigned payload_type, slice *ret)
{
    slice lines = media->lines, name, value;
    uint32_t type;

    while (sdp_attr_next(&lines, &name, &value))
        if (SIP_IS(name, "fmtp") && sip_to_u32(take_word(&value), &type) && type == payload_type) {
            *ret = value;
            return true;
        }
    return false;
}

bool sdp_format_next(slice *formats, unsigned *ret_payload_type)
{
    uint32_t type;

    while (formats->len)
        if (sip_to_u32(take_word(formats), &type) && type <= 127) {
            *ret_payload_type = type;
            return true;
        }
    return false;
}

bool sdp_crypto_parse(slice value, struct sdp_crypto *ret)
{
    slice rest = value;
    struct sdp_crypto got;

    if (!sip_to_u32(take_word(&rest), &got.tag))
        return false;
    got.suite = take_word(&rest);
    got.key_params = take_word(&rest);
    got.session_params = rest;
    if (!got.suite.len || !got.key_params.len)
        return false;
    *ret = got;
    return true;
}

bool sdp_candidate_parse(slice value, struct sdp_candidate *ret)
{
    slice rest = value;
    struct sdp_candidate got = { .foundation = take_word(&rest) };

    if (!sip_to_u32(take_word(&rest), &got.component))
        return false;
    got.transport = take_word(&rest);
    if (!sip_to_u32(take_word(&rest), &got.priority))
        return false;
    got.address = take_word(&rest);
    if (!to_u16(take_word(&rest), &got.port))
        return false;
    if (!slice_eq_nocase(take_word(&rest), SLICE("typ")))
        return false;
    got.type = take_word(&rest);
    if (!got.type.len)
        return false;
    while (rest.len) {                           /* raddr, rport, and extensions: pairs */
        slice name = take_word(&rest), is = take_word(&rest);

        if (slice_eq_nocase(name, SLICE("raddr")))
            got.related_address = is;
        else if (slice_eq_nocase(name, SLICE("rport")) && !to_u16(is, &got.related_port))
            return false;
    }
    *ret = got;
    return true;
}

bool sdp_precondition_parse(slice name, slice value, struct sdp_precondition *ret)
{
    slice rest = value;
    struct sdp_precondition got = { 0 };

    if (SIP_IS(name, "curr"))
        got.kind = SDP_CURRENT;
    else if (SIP_IS(name, "des"))
        got.kind = SDP_DESIRED;
    else if (SIP_IS(name, "conf"))
        got.kind = SDP_CONFIRM;
    else
        return false;
    got.type = take_word(&rest);
    if (got.kind == SDP_DESIRED)
        got.strength = take_word(&rest);
    got.status = take_word(&rest);
    got.direction = take_word(&rest);
    if (!got.direction.len)
        return false;
    *ret = got;
    return true;
}
