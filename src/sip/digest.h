/* sip/digest.h - what a digest response must be, and nonces that need no table
 * (RFC 7616; RFC 8760 for SHA-256 and SHA-512-256 in SIP; RFC 3261, 22.4).
 * SPDX-License-Identifier: Apache-2.0
 *
 * HA1 is kept in place of a password: it is bound to user, realm and algorithm, so a user has
 * one per algorithm. All digests here are text: lower-case hexadecimal with a closing NUL.
 *
 *     struct digest *d = digest_new();                      // one per thread
 *     digest_ha1(d, DIGEST_SHA_256, user, realm, password, &ha1);
 *     if (digest_response_is(d, algorithm, &ha1, &asked, auth.response)) ...
 *     digest_free(d);                                                                    */
#ifndef SIP_DIGEST_H
#define SIP_DIGEST_H

#include "base/slice.h"

/* In the order of strength that a server offers them in (RFC 8760, 2.4). */
enum digest_algorithm { DIGEST_SHA_512_256, DIGEST_SHA_256, DIGEST_MD5, DIGEST_ALGORITHMS };

enum { DIGEST_TEXT_MAX = 64 };                            /* SHA-256 and SHA-512-256 */
struct digest_text {
    char   text[DIGEST_TEXT_MAX + 1];
    size_t len;
};

slice  digest_algorithm_name(enum digest_algorithm algorithm);         /* "SHA-256" */
size_t digest_algorithm_len(enum digest_algorithm algorithm);          /* of its text: 32 or 64 */
/* Case aside; a parameter that is not there means MD5 (RFC 7616, 3.3). False for any other,
 * the "-sess" kinds among them: nobody in SIP offers them. */
bool digest_algorithm_find(slice name, enum digest_algorithm *ret);

struct digest;                                            /* the library's working space */
struct digest *digest_new(void);                          /* NULL: no memory, or MD5 forbidden here */
void digest_free(struct digest *d);

/* Quoted text comes as sip_auth gives it: without the quotes, escapes left alone. */
void digest_ha1(struct digest *d, enum digest_algorithm algorithm, slice user, slice realm, slice password,
                struct digest_text *ret);

/* What a response is computed over. Without qop (RFC 2069 style) nc and cnonce do not count;
 * the body counts for qop=auth-int only. */
struct digest_asked {
    slice    method, uri;                                 /* uri as the credentials give it */
    slice    nonce, cnonce, qop;
    uint32_t nc;
    slice    body;
};
void digest_response(struct digest *d, enum digest_algorithm algorithm, const struct digest_text *ha1,
                     const struct digest_asked *asked, struct digest_text *ret);
/* Case of hexadecimal digits aside, and in a time that tells nothing about where they differ. */
bool digest_response_is(struct digest *d, enum digest_algorithm algorithm, const struct digest_text *ha1,
                        const struct digest_asked *asked, slice response);

/* A nonce says when it was made, which number it has, and proves with the key that it is ours;
 * nothing is kept for it. `seq` must not repeat within a second: it names the nonce's count
 * window. A key lives as long as nonces shall outlive a restart. */
enum { DIGEST_KEY_LEN = 32, DIGEST_NONCE_LEN = 56 };
struct digest_key { uint8_t bytes[DIGEST_KEY_LEN]; };
struct digest_nonce {
    int64_t  made_s;                                      /* Unix time, not before 1970 */
    uint32_t seq;
};
void digest_nonce_write(struct digest *d, const struct digest_key *key, const struct digest_nonce *nonce,
                        char ret[static DIGEST_NONCE_LEN + 1]);
/* False: not ours, cut or changed. How old it may be is the caller's rule (`stale=true`). */
bool digest_nonce_read(struct digest *d, const struct digest_key *key, slice text, struct digest_nonce *ret);

#endif
