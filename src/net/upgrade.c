/* net/upgrade.c - see upgrade.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/upgrade.h"

#include <openssl/evp.h>
#include <stdio.h>

static const slice magic = SLICE_INIT("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");

void upgrade_make_key(const uint8_t random[16], char ret[UPGRADE_KEY_LEN + 1])
{
    (void)EVP_EncodeBlock((unsigned char *)ret, random, 16);
}

void upgrade_accept_of(slice key, char ret[UPGRADE_ACCEPT_LEN + 1])
{
    char text[UPGRADE_KEY_LEN + 64];
    unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
    size_t key_len = key.len < UPGRADE_KEY_LEN ? key.len : UPGRADE_KEY_LEN;

    if (key_len)
        memcpy(text, key.ptr, key_len);
    memcpy(text + key_len, magic.ptr, magic.len);
    (void)EVP_Digest(text, key_len + magic.len, digest, NULL, EVP_sha1(), NULL);    /* fails: they differ */
    (void)EVP_EncodeBlock((unsigned char *)ret, digest, 20);
}

/* ---- reading ---- */

/* The head with its empty line; 0: not there. Lines may end in LF alone (RFC 9112, 2.2). */
static size_t head_len(slice bytes)
{
    const char *at = bytes.ptr, *end = at + bytes.len;

    while (at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));

        if (!lf)
            return 0;
        if (lf == at || (lf == at + 1 && *at == '\r'))
            return (size_t)(lf + 1 - bytes.ptr);
        at = lf + 1;
    }
    return 0;
}

static bool list_has(slice list, slice token)
{
    while (list.len) {
        if (slice_eq_nocase(slice_trim(slice_take_until(&list, ',')), token))
            return true;
        list = slice_skip(list, 1);
    }
    return false;
}

static bool is_base64(char c)
{
    return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '+' || c == '/';
}

static bool key_is_good(slice key)
{
    return key.len == UPGRADE_KEY_LEN && slice_all(slice_head(key, 22), is_base64) &&
           slice_eq(slice_skip(key, 22), SLICE("=="));
}

/* What the headers of either side say. */
struct head {
    bool  upgrade, connection, sip, version, malformed;
    bool  again;                     /* a header that stands once stands twice */
    slice key, accept, origin, host, extensions;
};

static void once(struct head *h, slice *field, slice value)
{
    h->again |= field->ptr != NULL;
    *field = value;
}

static void read_headers(slice rest, struct head *ret)
{
    slice line;

    while (slice_take_line(&rest, &line) && line.len) {
        slice value = line, name = slice_take_until(&value, ':');

        if (!value.len || !name.len || is_blank(name.ptr[0]) || is_blank(name.ptr[name.len - 1]))
            ret->malformed = true;               /* no colon, folded, "Name :" (RFC 9112, 5.1) */
        value = slice_trim(slice_skip(value, 1));
        if (slice_eq_nocase(name, SLICE("Upgrade")))
            ret->upgrade |= list_has(value, SLICE("websocket"));
        else if (slice_eq_nocase(name, SLICE("Connection")))
            ret->connection |= list_has(value, SLICE("upgrade"));
        else if (slice_eq_nocase(name, SLICE("Sec-WebSocket-Protocol")))
            ret->sip |= list_has(value, SLICE("sip"));
        else if (slice_eq_nocase(name, SLICE("Sec-WebSocket-Version")))
            ret->version |= list_has(value, SLICE("13"));
        else if (slice_eq_nocase(name, SLICE("Sec-WebSocket-Extensions")))
            ret->extensions = value;
        else if (slice_eq_nocase(name, SLICE("Sec-WebSocket-Key")))
            once(ret, &ret->key, value);
        else if (slice_eq_nocase(name, SLICE("Sec-WebSocket-Accept")))
            once(ret, &ret->accept, value);
        else if (slice_eq_nocase(name, SLICE("Host")))
            once(ret, &ret->host, value);
        else if (slice_eq_nocase(name, SLICE("Origin")))
            once(ret, &ret->origin, value);
    }
}

static bool has_nul(slice s) { return slice_find_char(s, '\0') >= 0; }

/* Bytes without an end: can it still become a head that begins so? */
static enum upgrade wait_for(slice bytes, slice beginning)
{
    if (bytes.len >= UPGRADE_HEAD_MAX || has_nul(bytes))
        return UPGRADE_BAD;
    return slice_eq(slice_head(bytes, beginning.len), slice_head(beginning, bytes.len)) ? UPGRADE_MORE : UPGRADE_BAD;
}

enum upgrade upgrade_read_request(slice bytes, struct upgrade_request *ret)
{
    size_t len = head_len(slice_head(bytes, UPGRADE_HEAD_MAX));
    struct head h = { 0 };
    slice rest = slice_head(bytes, len), line, target, version;

    if (!len)
        return wait_for(bytes, SLICE("GET "));
    if (has_nul(rest) || !slice_take_line(&rest, &line) || !slice_starts(line, SLICE("GET ")))
        return UPGRADE_BAD;
    version = slice_skip(line, 4);
    target = slice_take_until(&version, ' ');
    if (!target.len || !slice_eq(version, SLICE(" HTTP/1.1")))
        return UPGRADE_BAD;
    read_headers(rest, &h);
    if (h.malformed || h.again || !h.host.ptr)
        return UPGRADE_BAD;
    if (!h.upgrade || !h.connection || !h.version)
        return UPGRADE_REQUIRED;
    if (!key_is_good(h.key) || !h.sip)
        return UPGRADE_BAD;
    *ret = (struct upgrade_request){ target, h.origin, h.key, len };
    return UPGRADE_OK;
}

enum upgrade upgrade_read_answer(slice bytes, slice key, size_t *ret_head_len, const char **ret_why)
{
    size_t len = head_len(slice_head(bytes, UPGRADE_HEAD_MAX));
    char wanted[UPGRADE_ACCEPT_LEN + 1];
    struct head h = { 0 };
    slice rest = slice_head(bytes, len), line;

    *ret_why = "the answer is not HTTP/1.1";
    if (!len)
        return wait_for(bytes, SLICE("HTTP/1.1 "));
    if (has_nul(rest) || !slice_take_line(&rest, &line) || !slice_starts(line, SLICE("HTTP/1.1 ")))
        return UPGRADE_BAD;
    *ret_why = "the upgrade to WebSocket was refused";
    if (!slice_eq(slice_head(slice_skip(line, 9), 3), SLICE("101")))
        return UPGRADE_BAD;
    read_headers(rest, &h);
    upgrade_accept_of(key, wanted);
    *ret_why = "the answer to the upgrade breaks RFC 6455";
    if (h.malformed || h.again || !h.upgrade || !h.connection || h.extensions.len ||
        !slice_eq(h.accept, slice_of_string(wanted)))
        return UPGRADE_BAD;
    *ret_why = "the server does not speak SIP over WebSocket";
    if (!h.sip)
        return UPGRADE_BAD;
    *ret_head_len = len;
    return UPGRADE_OK;
}

/* ---- writing ---- */

static size_t fits(int len) { return len > 0 && (size_t)len < UPGRADE_TEXT_MAX ? (size_t)len : 0; }

size_t upgrade_write_request(char text[UPGRADE_TEXT_MAX], slice host, slice target, slice key)
{
    return fits(snprintf(text, UPGRADE_TEXT_MAX,
                         "GET " SLICE_FMT " HTTP/1.1\r\nHost: " SLICE_FMT "\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Key: " SLICE_FMT "\r\n"
                         "Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n",
                         SLICE_ARG(target), SLICE_ARG(host), SLICE_ARG(key)));
}

size_t upgrade_write_answer(char text[UPGRADE_TEXT_MAX], enum upgrade what, slice key)
{
    char accept[UPGRADE_ACCEPT_LEN + 1];

    if (what == UPGRADE_REQUIRED)
        return fits(snprintf(text, UPGRADE_TEXT_MAX,
                             "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\n"
                             "Sec-WebSocket-Version: 13\r\nConnection: Upgrade, close\r\nContent-Length: 0\r\n\r\n"));
    if (what != UPGRADE_OK)
        return fits(snprintf(text, UPGRADE_TEXT_MAX,
                             "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
    upgrade_accept_of(key, accept);
    return fits(snprintf(text, UPGRADE_TEXT_MAX,
                         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: sip\r\n\r\n", accept));
}
