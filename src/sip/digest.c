/* sip/digest.c - hashes of OpenSSL put together as RFC 7616, 3.4, says.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "sip/digest.h"

enum { RAW_MAX = 32, NONCE_STAMP_LEN = 24, NONCE_PROOF_LEN = 16 };
static_assert(DIGEST_NONCE_LEN == NONCE_STAMP_LEN + 2 * NONCE_PROOF_LEN, "a nonce is its stamp and its proof");

struct digest {
    EVP_MD     *hash[DIGEST_ALGORITHMS];                  /* fetched once: a fetch costs more than a hash */
    EVP_MD_CTX *work;
};

static const struct { slice name; const char *fetched; size_t raw_len; } algorithms[DIGEST_ALGORITHMS] = {
    [DIGEST_SHA_512_256] = { SLICE_INIT("SHA-512-256"), "SHA512-256", 32 },
    [DIGEST_SHA_256] = { SLICE_INIT("SHA-256"), "SHA256", 32 },
    [DIGEST_MD5] = { SLICE_INIT("MD5"), "MD5", 16 },
};

slice digest_algorithm_name(enum digest_algorithm algorithm)
{
    return algorithms[algorithm].name;
}

size_t digest_algorithm_len(enum digest_algorithm algorithm)
{
    return algorithms[algorithm].raw_len * 2;
}

bool digest_algorithm_find(slice name, enum digest_algorithm *ret)
{
    if (!name.ptr) {
        *ret = DIGEST_MD5;
        return true;
    }
    for (size_t i = 0; i < DIGEST_ALGORITHMS; i++)
        if (slice_eq_nocase(name, algorithms[i].name)) {
            *ret = (enum digest_algorithm)i;
            return true;
        }
    return false;
}

struct digest *digest_new(void)
{
    struct digest *d = calloc(1, sizeof *d);
    bool complete;

    if (!d)
        return NULL;
    d->work = EVP_MD_CTX_new();
    complete = d->work != NULL;
    for (size_t i = 0; i < DIGEST_ALGORITHMS; i++) {
        d->hash[i] = EVP_MD_fetch(NULL, algorithms[i].fetched, NULL);
        complete = complete && d->hash[i];
    }
    if (complete)
        return d;
    digest_free(d);
    return NULL;
}

void digest_free(struct digest *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < DIGEST_ALGORITHMS; i++)
        EVP_MD_free(d->hash[i]);
    EVP_MD_CTX_free(d->work);
    free(d);
}

static size_t write_hex(const uint8_t *raw, size_t raw_len, char *ret)
{
    for (size_t i = 0; i < raw_len; i++) {
        ret[2 * i] = "0123456789abcdef"[raw[i] >> 4];
        ret[2 * i + 1] = "0123456789abcdef"[raw[i] & 15];
    }
    ret[2 * raw_len] = '\0';
    return 2 * raw_len;
}

/* The hash of the parts, with a colon between two of them. The library fails here only without
 * memory; then the text is empty, and an empty text equals no response. */
static void hash_joined(struct digest *d, enum digest_algorithm algorithm, const slice *parts, size_t count,
                        struct digest_text *ret)
{
    uint8_t raw[EVP_MAX_MD_SIZE];
    bool fine = EVP_DigestInit_ex2(d->work, d->hash[algorithm], NULL);

    for (size_t i = 0; i < count && fine; i++)
        fine = (i == 0 || EVP_DigestUpdate(d->work, ":", 1))
               && (parts[i].len == 0 || EVP_DigestUpdate(d->work, parts[i].ptr, parts[i].len));
    fine = fine && EVP_DigestFinal_ex(d->work, raw, NULL);
    *ret = (struct digest_text){ 0 };
    if (fine)
        ret->len = write_hex(raw, algorithms[algorithm].raw_len, ret->text);
    OPENSSL_cleanse(raw, sizeof raw);
}

static slice text_of(const struct digest_text *text)
{
    return slice_of(text->text, text->len);
}

void digest_ha1(struct digest *d, enum digest_algorithm algorithm, slice user, slice realm, slice password,
                struct digest_text *ret)
{
    hash_joined(d, algorithm, (slice[]){ user, realm, password }, 3, ret);
}

void digest_response(struct digest *d, enum digest_algorithm algorithm, const struct digest_text *ha1,
                     const struct digest_asked *asked, struct digest_text *ret)
{
    bool whole = slice_eq_nocase(asked->qop, SLICE("auth-int"));
    uint8_t count[4] = { (uint8_t)(asked->nc >> 24), (uint8_t)(asked->nc >> 16), (uint8_t)(asked->nc >> 8),
                         (uint8_t)asked->nc };
    struct digest_text body, ha2;
    char nc[9];

    *ret = (struct digest_text){ 0 };
    if (whole)
        hash_joined(d, algorithm, &asked->body, 1, &body);
    hash_joined(d, algorithm, (slice[]){ asked->method, asked->uri, whole ? text_of(&body) : SLICE("") },
                whole ? 3 : 2, &ha2);
    if (ha1->len != digest_algorithm_len(algorithm) || ha2.len == 0 || (whole && body.len == 0))
        return;
    if (asked->qop.len == 0) {
        hash_joined(d, algorithm, (slice[]){ text_of(ha1), asked->nonce, text_of(&ha2) }, 3, ret);
        return;
    }
    hash_joined(d, algorithm,
                (slice[]){ text_of(ha1), asked->nonce, slice_of(nc, write_hex(count, sizeof count, nc)),
                           asked->cnonce, asked->qop, text_of(&ha2) },
                6, ret);
}

static bool equal_in_constant_time(slice given, slice wanted)
{
    char lower[DIGEST_TEXT_MAX];

    if (given.len != wanted.len || wanted.len == 0 || given.len > sizeof lower)
        return false;
    for (size_t i = 0; i < given.len; i++)
        lower[i] = ascii_lower(given.ptr[i]);
    return CRYPTO_memcmp(lower, wanted.ptr, wanted.len) == 0;
}

bool digest_response_is(struct digest *d, enum digest_algorithm algorithm, const struct digest_text *ha1,
                        const struct digest_asked *asked, slice response)
{
    struct digest_text wanted;

    digest_response(d, algorithm, ha1, asked, &wanted);
    return equal_in_constant_time(response, text_of(&wanted));
}

/* HMAC-SHA-256 (RFC 2104) over the stamp, its first half: 128 bits that nobody guesses. */
static bool prove(struct digest *d, const struct digest_key *key, slice stamp, char ret[static 2 * NONCE_PROOF_LEN + 1])
{
    enum { BLOCK_LEN = 64 };
    uint8_t inner[BLOCK_LEN], outer[BLOCK_LEN], raw[RAW_MAX];
    const EVP_MD *hash = d->hash[DIGEST_SHA_256];
    bool fine;

    memset(inner, 0x36, sizeof inner);
    memset(outer, 0x5c, sizeof outer);
    for (size_t i = 0; i < DIGEST_KEY_LEN; i++) {
        inner[i] ^= key->bytes[i];
        outer[i] ^= key->bytes[i];
    }
    fine = EVP_DigestInit_ex2(d->work, hash, NULL) && EVP_DigestUpdate(d->work, inner, sizeof inner)
           && EVP_DigestUpdate(d->work, stamp.ptr, stamp.len) && EVP_DigestFinal_ex(d->work, raw, NULL)
           && EVP_DigestInit_ex2(d->work, hash, NULL) && EVP_DigestUpdate(d->work, outer, sizeof outer)
           && EVP_DigestUpdate(d->work, raw, sizeof raw) && EVP_DigestFinal_ex(d->work, raw, NULL);
    ret[0] = '\0';
    if (fine)
        write_hex(raw, NONCE_PROOF_LEN, ret);
    OPENSSL_cleanse(inner, sizeof inner);
    OPENSSL_cleanse(outer, sizeof outer);
    return fine;
}

void digest_nonce_write(struct digest *d, const struct digest_key *key, const struct digest_nonce *nonce,
                        char ret[static DIGEST_NONCE_LEN + 1])
{
    uint8_t stamp[NONCE_STAMP_LEN / 2];

    for (size_t i = 0; i < 8; i++)
        stamp[i] = (uint8_t)((uint64_t)nonce->made_s >> (56 - 8 * i));
    for (size_t i = 0; i < 4; i++)
        stamp[8 + i] = (uint8_t)(nonce->seq >> (24 - 8 * i));
    write_hex(stamp, sizeof stamp, ret);
    prove(d, key, slice_of(ret, NONCE_STAMP_LEN), ret + NONCE_STAMP_LEN);
}

/* Lower-case hexadecimal only, as written: a nonce has one spelling. */
static bool read_hex(slice text, uint64_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (!is_digit(c) && (c < 'a' || c > 'f'))
            return false;
        *ret = *ret << 4 | (unsigned)(is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    return true;
}

bool digest_nonce_read(struct digest *d, const struct digest_key *key, slice text, struct digest_nonce *ret)
{
    slice stamp = slice_head(text, NONCE_STAMP_LEN), proof = slice_skip(text, NONCE_STAMP_LEN);
    char wanted[2 * NONCE_PROOF_LEN + 1];
    uint64_t made, seq;

    if (text.len != DIGEST_NONCE_LEN || !read_hex(slice_head(stamp, 16), &made) || !read_hex(slice_skip(stamp, 16), &seq)
        || made > INT64_MAX)
        return false;
    if (!prove(d, key, stamp, wanted) || CRYPTO_memcmp(proof.ptr, wanted, sizeof wanted - 1) != 0)
        return false;
    *ret = (struct digest_nonce){ .made_s = (int64_t)made, .seq = (uint32_t)seq };
    return true;
}
