/* net/tls_name.c - for which SIP domains a certificate speaks (RFC 5922, 7.1 and 7.2)
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/x509v3.h>

#include "base/address.h"
#include "net/tls.h"

static slice text_of(const ASN1_STRING *s)
{
    return slice_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

/* "sip:example.com": a URI with a user speaks for the user, sips is not to be accepted. */
static bool sip_domain(slice uri, slice *ret)
{
    if (!slice_starts_nocase(uri, SLICE("sip:")) || slice_find_char(uri, '@') >= 0)
        return false;
    uri = slice_skip(uri, 4);
    *ret = slice_take_until(&uri, ';');
    *ret = slice_head(*ret, (size_t)(slice_find_char(*ret, '?') < 0 ? (ptrdiff_t)ret->len : slice_find_char(*ret, '?')));
    if (slice_find_char(*ret, '[') < 0)
        *ret = slice_take_until(ret, ':');           /* the port is no part of the domain */
    return ret->len > 0;
}

static bool same_domain(slice a, slice b)
{
    if (b.len && b.ptr[b.len - 1] == '.')
        b.len--;                                     /* the root, written out */
    return a.len > 0 && slice_find_char(a, '*') < 0 && slice_eq_nocase(a, b);
}

/* Is it an address in the certificate? */
static bool names_hold_address(const GENERAL_NAMES *names, const struct address *a)
{
    slice wanted = slice_of(a->ip, a->family == 4 ? 4 : 16);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);

        if (n->type == GEN_IPADD && slice_eq(text_of(n->d.iPAddress), wanted))
            return true;
    }
    return false;
}

/* DNS names count when no sip URI names a domain. */
static bool names_hold_domain(const GENERAL_NAMES *names, slice name)
{
    bool by_uri = false, dns = false;
    slice domain;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);

        if (n->type == GEN_URI && sip_domain(text_of(n->d.uniformResourceIdentifier), &domain)) {
            if (same_domain(domain, name))
                return true;
            by_uri = true;
        } else if (n->type == GEN_DNS) {
            dns = dns || same_domain(text_of(n->d.dNSName), name);
        }
    }
    return dns && !by_uri;
}

/* 7.1: only a certificate without any alternative name may speak by its common name. */
static bool subject_is(const X509 *certificate, slice name)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

    return at >= 0 && same_domain(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))), name);
}

bool tls_certificate_is_for(const X509 *certificate, slice name)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    struct address a;
    bool found;

    if (!names)
        return X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) < 0 && subject_is(certificate, name);
    found = address_parse_ip(name, &a) ? names_hold_address(names, &a) : names_hold_domain(names, name);
    GENERAL_NAMES_free(names);
    return found;
}
