/* tests/harness/net_cert.c - see net_cert.h
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/net_cert.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "harness/test.h"

static void add_extension(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    CHECK(e && X509_add_ext(x, e, -1) == 1);
    X509_EXTENSION_free(e);
}

static FILE *make_file(char path[64])
{
    int fd;

    snprintf(path, 64, "/tmp/signalbox-test-XXXXXX");
    fd = mkstemp(path);
    CHECK(fd >= 0);
    FILE *f = fdopen(fd, "w");

    CHECK(f);
    return f;
}

void net_cert_make(struct net_cert *ret, const struct net_cert *ca, const char *common_name, const char *names)
{
    static long serial;
    X509 *x = X509_new();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509_NAME *subject = X509_get_subject_name(x);
    FILE *f;

    CHECK(x && key && X509_set_version(x, X509_VERSION_3) == 1 && X509_set_pubkey(x, key) == 1);
    CHECK(ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial) == 1);
    CHECK(X509_gmtime_adj(X509_getm_notBefore(x), -86400) && X509_gmtime_adj(X509_getm_notAfter(x), 86400));
    CHECK(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0));
    CHECK(X509_set_issuer_name(x, ca ? X509_get_subject_name(ca->x509) : subject) == 1);
    add_extension(x, NID_basic_constraints, ca ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (names)
        add_extension(x, NID_subject_alt_name, names);
    CHECK(X509_sign(x, ca ? ca->pkey : key, EVP_sha256()) > 0);
    f = make_file(ret->certificate);
    CHECK(PEM_write_X509(f, x) == 1 && fclose(f) == 0);
    f = make_file(ret->key);
    CHECK(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(f) == 0);
    ret->x509 = x;
    ret->pkey = key;
}

void net_cert_done(struct net_cert *c)
{
    (void)unlink(c->certificate);
    (void)unlink(c->key);
    X509_free(c->x509);
    EVP_PKEY_free(c->pkey);
}
