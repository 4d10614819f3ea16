/* net/upgrade.h - from HTTP to WebSocket (RFC 6455, 4) with the sub-protocol sip (RFC 7118).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Both sides' reading and writing; pure. Reads no more of HTTP than this needs.
 *
 *     struct upgrade_request r;
 *     switch (upgrade_read_request(bytes, &r)) ...
 *     size_t len = upgrade_write_answer(text, UPGRADE_OK, r.key);      // r.head_len bytes are used */
#ifndef NET_UPGRADE_H
#define NET_UPGRADE_H

#include "base/slice.h"

#define UPGRADE_HEAD_MAX   8192u
#define UPGRADE_KEY_LEN    24u       /* 16 bytes in base64 */
#define UPGRADE_ACCEPT_LEN 28u       /* 20 bytes in base64 */
#define UPGRADE_TEXT_MAX   1024u

enum upgrade {
    UPGRADE_MORE,                    /* the head's end has not come */
    UPGRADE_OK,                      /* 101 */
    UPGRADE_BAD,                     /* 400: not HTTP, no key, without sip, too large */
    UPGRADE_REQUIRED,                /* 426: HTTP that is no WebSocket, or of another version */
};
struct upgrade_request {
    slice  target, origin;           /* "/ws"; empty origin: no browser */
    slice  key;
    size_t head_len;
};
enum upgrade upgrade_read_request(slice bytes, struct upgrade_request *ret);
/* UPGRADE_BAD is whatever is no good 101 for this key; *ret_why says which. */
enum upgrade upgrade_read_answer(slice bytes, slice key, size_t *ret_head_len, const char **ret_why);

/* Their length; 0: does not fit. */
size_t upgrade_write_request(char text[UPGRADE_TEXT_MAX], slice host, slice target, slice key);
size_t upgrade_write_answer(char text[UPGRADE_TEXT_MAX], enum upgrade what, slice key);

void upgrade_make_key(const uint8_t random[16], char ret[UPGRADE_KEY_LEN + 1]);
void upgrade_accept_of(slice key, char ret[UPGRADE_ACCEPT_LEN + 1]);

#endif
