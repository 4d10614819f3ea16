/* net/tls.h - TLS of one listener, or of the connections that we make (OpenSSL 3).
 * SPDX-License-Identifier: Apache-2.0
 *
 * TLS 1.2 or later. A peer's certificate is judged by the authorities named, and its name by
 * RFC 5922: the domain that was meant must stand in it, a sip URI before a DNS name, never by a
 * wildcard. Files are read by tls_open and tls_reload; connections that are open keep what they
 * began with.
 *
 *     struct tls *t;
 *     struct net_fault fault;
 *     if (tls_open(&t, TLS_SERVER, &settings, &fault) < 0) ...
 *     SSL *ssl = tls_connection(t, &fd, SLICE(""));
 *     int error = tls_handshake(ssl, &why);              // -EAGAIN: when the socket is ready
 *     n = tls_read(ssl, into, size, &why);                                                  */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <openssl/types.h>
#include <sys/types.h>

#include "base/slice.h"
#include "net/fault.h"

struct tls_settings {
    const char *certificate, *key;   /* PEM files, the chain behind the certificate; NULL: none */
    const char *ca_file, *ca_dir;    /* who is trusted; both NULL: whom the system trusts */
    bool        verify_client;       /* server: a client without a good certificate is refused */
    bool        trust_anybody;       /* client: encrypts, and does not ask to whom */
    bool        alpn;                /* say "sip", and refuse who insists on something else */
};
enum tls_side { TLS_SERVER, TLS_CLIENT };
struct tls;

int         tls_open(struct tls **ret, enum tls_side side, const struct tls_settings *s, struct net_fault *ret_fault);
struct tls *tls_free(struct tls *t);
/* Reads the files again. -errno: nothing has changed. */
int         tls_reload(struct tls *t, struct net_fault *ret_fault);
/* From now on connections begin with what `fresh` has; it is freed. */
void        tls_take(struct tls *t, struct tls *fresh);

/* A connection on a socket, which stays the caller's and in its place. `name`: the domain or address that the
 * server must prove (client only; empty: any that the authorities vouch for). NULL: no memory. */
SSL *tls_connection(struct tls *t, int *fd, slice name);
void tls_connection_free(SSL *ssl);

/* 0 or > 0 (bytes), -EAGAIN, or -errno and why in words that are never freed. Read: 0 is the end. */
int     tls_handshake(SSL *ssl, const char **ret_why);
ssize_t tls_read(SSL *ssl, void *into, size_t len, const char **ret_why);
ssize_t tls_write(SSL *ssl, const void *bytes, size_t len, const char **ret_why);
void    tls_close_notify(SSL *ssl);
bool    tls_wants_to_write(const SSL *ssl);          /* the last call waits for that */

/* Does the certificate speak for this SIP domain (RFC 5922, 7)? An address must stand as one. */
bool tls_certificate_is_for(const X509 *certificate, slice name);

#endif
