/* tests/harness/net_cert.h - certificates made for a test, as files.
 * SPDX-License-Identifier: Apache-2.0
 *
 *     struct net_cert ca, server;
 *     net_cert_make(&ca, NULL, "CN=ca", NULL);
 *     net_cert_make(&server, &ca, "CN=x", "DNS:sip.example");
 *     ... server.certificate, server.key ...
 *     net_cert_done(&server);                                     // removes the files        */
#ifndef TESTS_HARNESS_NET_CERT_H
#define TESTS_HARNESS_NET_CERT_H

#include <openssl/types.h>

struct net_cert {
    char      certificate[64], key[64];  /* paths */
    X509     *x509;
    EVP_PKEY *pkey;
};

/* `ca` NULL: signed by itself, and a CA. `names`: a subjectAltName as OpenSSL writes it, or NULL. */
void net_cert_make(struct net_cert *ret, const struct net_cert *ca, const char *common_name, const char *names);
void net_cert_done(struct net_cert *c);

#endif
