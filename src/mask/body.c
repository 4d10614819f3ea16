/* mask/body.c - what a message carries: SDP, XML, parts, fragments of messages, text.
 * SPDX-License-Identifier: Apache-2.0 */
#include "mask/letters.h"
#include "mask/text_int.h"
#include "sip/multipart.h"

/* Text of people: nothing of it stays but its shape. Addresses and numbers get the pseudonym
 * that they have elsewhere. */
void mask_all_words(struct mask_text *t, slice s)
{
    mask_remember(t, s);
    for (size_t i = 0; i < s.len;) {
        size_t used = mask_address_or_number_at(t, s, i);

        if (!used) {
            used = mask_word_len(s, i);
            mask_words(&t->key, mask_own(s) + i, used);
        }
        i += used ? used : 1;
    }
}

/* Line ends stay: whatever it is, it has as many lines. */
void mask_blank(slice s)
{
    char *own = mask_own(s);

    for (size_t i = 0; i < s.len; i++)
        if (own[i] != '\r' && own[i] != '\n')
            own[i] = 'x';
}

/* ---- SDP (RFC 8866) -------------------------------------------------------------------------- */

static slice take_word(slice *rest)
{
    while (rest->len && rest->ptr[0] == ' ')
        *rest = slice_skip(*rest, 1);
    return slice_take_until(rest, ' ');
}

/* "IN IP4 10.0.0.1", or with a host name; "/ttl" may follow. */
static void mask_sdp_address(struct mask_text *t, slice s)
{
    slice address;

    (void)take_word(&s);
    (void)take_word(&s);
    address = take_word(&s);
    address = slice_take_until(&address, '/');
    mask_host(&t->key, mask_own(address), address.len);
    mask_all_words(t, s);                 /* nothing stands there by the grammar */
}

/* "user id version IN IP4 10.0.0.1": the address is what the last three words say, because there
 * are devices that have blanks in the user. */
static void mask_sdp_origin(struct mask_text *t, slice s)
{
    slice rest = s, user = take_word(&rest), address;
    size_t words = 0, at = s.len;

    while (at > user.len && words < 3)
        words += s.ptr[--at] == ' ';
    address = slice_skip(s, at);
    rest = slice_head(rest, s.len - address.len - user.len);
    mask_user(t, user);
    (void)take_word(&rest);
    (void)take_word(&rest);
    mask_all_words(t, rest);
    mask_sdp_address(t, address);
}

/* a=candidate:foundation component transport priority ADDRESS port typ host [raddr ADDRESS ...]
 * A long foundation is the address once more, "Hc0a80105". */
static void mask_sdp_candidate(struct mask_text *t, slice s)
{
    slice word = take_word(&s);

    if (word.len > 4)
        mask_blob(&t->key, mask_own(word), word.len);
    for (int i = 0; i < 3; i++)
        (void)take_word(&s);
    word = take_word(&s);
    mask_host(&t->key, mask_own(word), word.len);
    while ((word = take_word(&s)).len) {
        slice value;

        if (!slice_eq(word, SLICE("raddr")))
            continue;
        value = take_word(&s);
        mask_host(&t->key, mask_own(value), value.len);
    }
}

static void mask_sdp_rtcp(struct mask_text *t, slice s)
{
    (void)take_word(&s);
    mask_sdp_address(t, s);
}

/* a=crypto:1 SUITE inline:KEY|lifetime|MKI:length;inline:KEY... (RFC 4568) */
static void mask_sdp_crypto(struct mask_text *t, slice s)
{
    ptrdiff_t at;

    while ((at = slice_find_nocase(s, SLICE("inline:"))) >= 0) {
        size_t len = 0;

        s = slice_skip(s, (size_t)at + 7);
        while (len < s.len && !memchr("|; ", s.ptr[len], 3))
            len++;
        mask_blob(&t->key, mask_own(s), len);
    }
}

/* a=acap:1 crypto:1 ...: any attribute (RFC 5939) */
static void mask_sdp_acap(struct mask_text *t, slice s)
{
    mask_sweep(t, s, MASK_SWEEP_FREE);
    mask_sdp_crypto(t, s);
}

static void mask_sdp_fingerprint(struct mask_text *t, slice s)
{
    (void)take_word(&s);
    mask_blob(&t->key, mask_own(s), s.len);
}

/* a=ssrc:1234 cname:text */
static void mask_sdp_ssrc(struct mask_text *t, slice s)
{
    (void)take_word(&s);
    ptrdiff_t colon = slice_find_char(s, ':');

    if (colon >= 0) {
        s = slice_skip(s, (size_t)colon + 1);
        mask_blob(&t->key, mask_own(s), s.len);
    }
}

static void mask_sdp_secret(struct mask_text *t, slice s) { mask_blob(&t->key, mask_own(s), s.len); }
static void mask_sdp_words(struct mask_text *t, slice s) { mask_all_words(t, s); }
static void mask_sdp_nothing(struct mask_text *t, slice s) { (void)t, (void)s; }
static void mask_sdp_free(struct mask_text *t, slice s) { mask_sweep(t, s, MASK_SWEEP_FREE); }

static const struct sdp_attribute {
    slice name;
    void (*mask)(struct mask_text *t, slice value);
} attributes[] = {
    { SLICE_INIT("rtpmap"), mask_sdp_nothing }, { SLICE_INIT("fmtp"), mask_sdp_nothing },
    { SLICE_INIT("ptime"), mask_sdp_nothing }, { SLICE_INIT("maxptime"), mask_sdp_nothing },
    { SLICE_INIT("mid"), mask_sdp_nothing }, { SLICE_INIT("group"), mask_sdp_nothing },
    { SLICE_INIT("rtcp-fb"), mask_sdp_nothing }, { SLICE_INIT("extmap"), mask_sdp_nothing },
    { SLICE_INIT("setup"), mask_sdp_nothing }, { SLICE_INIT("curr"), mask_sdp_nothing },
    { SLICE_INIT("des"), mask_sdp_nothing }, { SLICE_INIT("conf"), mask_sdp_nothing },
    { SLICE_INIT("silenceSupp"), mask_sdp_nothing }, { SLICE_INIT("framerate"), mask_sdp_nothing },
    { SLICE_INIT("rtcp-xr"), mask_sdp_nothing }, { SLICE_INIT("content"), mask_sdp_nothing },
    { SLICE_INIT("T38FaxMaxBuffer"), mask_sdp_nothing },
    { SLICE_INIT("T38FaxMaxDatagram"), mask_sdp_nothing },
    { SLICE_INIT("T38MaxBitRate"), mask_sdp_nothing },
    { SLICE_INIT("rtcp"), mask_sdp_rtcp }, { SLICE_INIT("candidate"), mask_sdp_candidate },
    { SLICE_INIT("remote-candidates"), mask_sdp_free }, { SLICE_INIT("crypto"), mask_sdp_crypto },
    { SLICE_INIT("fingerprint"), mask_sdp_fingerprint },
    { SLICE_INIT("zrtp-hash"), mask_sdp_fingerprint }, { SLICE_INIT("key-mgmt"), mask_sdp_fingerprint },
    { SLICE_INIT("ssrc"), mask_sdp_ssrc }, { SLICE_INIT("ice-ufrag"), mask_sdp_secret },
    { SLICE_INIT("ice-pwd"), mask_sdp_secret }, { SLICE_INIT("msid"), mask_sdp_secret },
    { SLICE_INIT("ssrc-group"), mask_sdp_nothing }, { SLICE_INIT("framesize"), mask_sdp_nothing },
    { SLICE_INIT("sctp-port"), mask_sdp_nothing }, { SLICE_INIT("sctpmap"), mask_sdp_nothing },
    { SLICE_INIT("max-message-size"), mask_sdp_nothing }, { SLICE_INIT("acap"), mask_sdp_acap },
    { SLICE_INIT("label"), mask_sdp_words }, { SLICE_INIT("identity"), mask_sdp_secret },
    { SLICE_INIT("path"), mask_sdp_free },
};

static void mask_sdp_attribute(struct mask_text *t, slice s)
{
    slice name = slice_take_until(&s, ':');

    s = slice_skip(s, 1);
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
        if (slice_eq_nocase(name, attributes[i].name)) {
            attributes[i].mask(t, s);
            return;
        }
    mask_sweep(t, s, MASK_SWEEP_FREE);
}

static void mask_sdp(struct mask_text *t, slice s)
{
    slice line;

    while (slice_take_line(&s, &line)) {
        bool typed = line.len >= 2 && line.ptr[1] == '=';
        slice value = typed ? slice_skip(line, 2) : line;

        switch (typed ? line.ptr[0] : 0) {
        case 'v': case 't': case 'r': case 'z': case 'b': case 'm':
            break;
        case 'o':
            mask_sdp_origin(t, value);
            break;
        case 'c':
            mask_sdp_address(t, value);
            break;
        case 'a':
            mask_sdp_attribute(t, value);
            break;
        case 'k':
            mask_blob(&t->key, mask_own(value), value.len);
            break;
        case 'u':
            mask_uri(t, value);
            break;
        default:
            mask_all_words(t, value);
        }
    }
}

/* ---- XML ------------------------------------------------------------------------------------- */

static bool xml_word_stays(slice word)
{
    static const slice staying[] = {
        SLICE_INIT("open"), SLICE_INIT("closed"), SLICE_INIT("active"), SLICE_INIT("init"),
        SLICE_INIT("terminated"), SLICE_INIT("confirmed"), SLICE_INIT("early"),
        SLICE_INIT("trying"), SLICE_INIT("proceeding"), SLICE_INIT("pending"),
        SLICE_INIT("full"), SLICE_INIT("partial"), SLICE_INIT("true"), SLICE_INIT("false"),
        SLICE_INIT("yes"), SLICE_INIT("no"), SLICE_INIT("initiator"), SLICE_INIT("recipient"),
        SLICE_INIT("registered"), SLICE_INIT("created"), SLICE_INIT("refreshed"),
        SLICE_INIT("shortened"), SLICE_INIT("expired"), SLICE_INIT("deactivated"),
        SLICE_INIT("probation"), SLICE_INIT("unregistered"), SLICE_INIT("rejected"),
        SLICE_INIT("connected"), SLICE_INIT("disconnected"), SLICE_INIT("on-hold"),
        SLICE_INIT("dialed"), SLICE_INIT("idle"), SLICE_INIT("utf-8"),
    };

    for (size_t i = 0; i < ARRAY_LEN(staying); i++)
        if (slice_eq_nocase(word, staying[i]))
            return true;
    return false;
}

/* Attributes that name a protocol, not a person: xmlns, version, state and the like. */
static bool xml_attribute_stays(slice name)
{
    static const slice staying[] = {
        SLICE_INIT("version"), SLICE_INIT("state"), SLICE_INIT("encoding"),
        SLICE_INIT("direction"), SLICE_INIT("event"), SLICE_INIT("expires"), SLICE_INIT("cseq"),
        SLICE_INIT("rel"), SLICE_INIT("type"), SLICE_INIT("standalone"), SLICE_INIT("code"),
        SLICE_INIT("schemaLocation"), SLICE_INIT("duration-registered"), SLICE_INIT("q"),
    };

    if (slice_starts_nocase(name, SLICE("xmlns")) || slice_starts_nocase(name, SLICE("xsi:")))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(staying); i++)
        if (slice_eq_nocase(name, staying[i]))
            return true;
    return false;
}

/* Keys that were pressed. */
static void mask_keys(slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (is_alnum(s.ptr[i]) || s.ptr[i] == '*' || s.ptr[i] == '#')
            mask_own(s)[i] = '0';
}

/* A URI keeps its form; every other word is a person's. */
static void mask_xml_text(struct mask_text *t, slice s)
{
    s = slice_trim(s);
    if (s.len == 0 || xml_word_stays(s))
        return;
    if (slice_find_char(s, ':') > 0 && slice_find_char(s, ' ') < 0)
        mask_uri(t, s);
    else
        mask_all_words(t, s);
}

/* Names of elements and attributes stay, but there may be anything: "<sip:bobby@pbx>". */
static void mask_xml_tag(struct mask_text *t, slice s)
{
    while (s.len) {
        slice name = slice_take_until(&s, '='), value;
        char quote;

        mask_sweep(t, name, MASK_SWEEP_PRODUCT);
        while (name.len && slice_find_char(name, ' ') >= 0) {
            (void)slice_take_until(&name, ' ');
            name = slice_skip(name, 1);
        }
        s = slice_skip(s, 1);
        quote = s.len ? s.ptr[0] : 0;
        if (quote != '"' && quote != '\'')
            continue;
        s = slice_skip(s, 1);
        value = slice_take_until(&s, quote);
        s = slice_skip(s, 1);
        if (slice_eq_nocase(slice_trim(name), SLICE("call-id")))
            mask_call_id(t, mask_own(value), value.len);
        else if (slice_ends(slice_trim(name), SLICE("-tag")))
            mask_sweep(t, value, MASK_SWEEP_ID);
        else if (slice_eq_nocase(slice_trim(name), SLICE("digits")))      /* KPML, RFC 4730 */
            mask_keys(value);
        else if (!xml_attribute_stays(slice_trim(name)))
            mask_xml_text(t, value);
    }
}

static void mask_xml(struct mask_text *t, slice s)
{
    while (s.len) {
        slice text = slice_take_until(&s, '<');

        mask_xml_text(t, text);
        s = slice_skip(s, 1);
        if (slice_starts(s, SLICE("!--"))) {
            ptrdiff_t end = slice_find(s, SLICE("-->"));
            slice comment = slice_head(s, end < 0 ? s.len : (size_t)end);

            mask_all_words(t, slice_skip(comment, 3));
            s = slice_skip(s, comment.len + 3);
            continue;
        }
        if (slice_starts(s, SLICE("![CDATA["))) {
            ptrdiff_t end = slice_find(s, SLICE("]]>"));
            slice data = slice_head(s, end < 0 ? s.len : (size_t)end);

            mask_all_words(t, slice_skip(data, 8));
            s = slice_skip(s, data.len + 3);
            continue;
        }
        slice tag = slice_take_until(&s, '>');

        s = slice_skip(s, 1);
        mask_xml_tag(t, tag);
    }
}

/* ---- others ---------------------------------------------------------------------------------- */

/* "Signal=5" and "Duration=160", "d=5", or the digit alone: all but how long stays hidden. */
static void mask_dtmf(slice s)
{
    slice line;

    while (slice_take_line(&s, &line)) {
        size_t len = 0;

        while (len < line.len && line.ptr[len] != '=' && line.ptr[len] != ':')
            len++;
        if (len == line.len)
            mask_keys(line);
        else if (!slice_eq_nocase(slice_trim(slice_head(line, len)), SLICE("Duration")))
            mask_keys(slice_skip(line, len));
    }
}

/* "Name: value" lines: names stay. */
static void mask_lines(struct mask_text *t, slice s)
{
    slice line;

    while (slice_take_line(&s, &line)) {
        slice name = slice_take_until(&line, ':');

        if (!line.len)
            mask_all_words(t, name);
        else
            mask_header_value(t, sip_header_id_find(slice_trim(name)), slice_trim(slice_skip(line, 1)));
    }
}

/* A part of a message: a start line and headers, or headers alone. */
static void mask_fragment(struct mask_text *t, slice s)
{
    slice status;

    if (mask_message_within(t, s, SIP_DATAGRAM))
        return;
    if (slice_starts(s, SLICE("SIP/2.0 ")))
        (void)slice_take_line(&s, &status);
    mask_lines(t, s);
}

static bool is_type(slice type, const char *name) { return slice_eq_nocase(type, slice_of_string(name)); }

static void mask_parts(struct mask_text *t, struct sip_multipart *parts)
{
    struct sip_part part;

    while (sip_multipart_next(parts, &part)) {
        mask_lines(t, part.headers);
        mask_body(t, part.content_type.len ? part.content_type : SLICE("text/plain"), (slice){0},
                  part.body);
    }
}

static bool is_text(slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.ptr[i] < 0x20 && !is_blank(s.ptr[i]))
            return false;
    return true;
}

void mask_body(struct mask_text *t, slice content_type, slice encoding, slice body)
{
    slice type = content_type;
    struct sip_multipart parts;

    type = slice_trim(slice_take_until(&type, ';'));
    t->depth++;
    if ((encoding.len && !slice_eq_nocase(encoding, SLICE("identity"))) || t->depth > MASK_PARTS_DEEP)
        mask_blank(body);
    else if (sip_multipart_of(content_type, body, &parts))
        mask_parts(t, &parts);
    else if (is_type(type, "application/sdp"))
        mask_sdp(t, body);
    else if (is_type(type, "message/sipfrag") || is_type(type, "message/sip"))
        mask_fragment(t, body);
    else if (is_type(type, "application/dtmf-relay") || is_type(type, "application/dtmf") ||
             is_type(type, "application/vnd.nortelnetworks.digits") || is_type(type, "audio/telephone-event"))
        mask_dtmf(body);
    else if (is_type(type, "application/simple-message-summary"))
        mask_lines(t, body);
    else if (slice_ends(type, SLICE("xml")))
        mask_xml(t, body);
    else if (is_text(body))
        mask_all_words(t, body);
    else
        mask_blank(body);
    t->depth--;
}
