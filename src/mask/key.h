/* mask/key.h - pseudonyms: the same input under the same key gives the same output.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Everything is changed in place and keeps its length. Who does not have the key cannot undo
 * it; who has it can try out guesses, so a key is kept as safe as the capture itself.
 *
 *   numbers     every digit becomes another; equal endings stay equal endings, so 030 12345,
 *               0049 30 12345 and +49 30 12345 still end alike. A country code behind + or 00
 *               and one leading 0 stay. Numbers of MASK_NUMBER_SHORT digits and fewer stay as
 *               they are: emergency numbers, service codes and short extensions.
 *   words       vowels become vowels, other letters such, digits digits; case stays.
 *   hosts       label by label; the last of several labels stays if it says nothing of an owner
 *               ("com", "de"), and what says how a network is built ("ims", "3gppnetwork",
 *               "invalid", ...). An address within a name, 203-0-113-7.example.org, gets its
 *               pseudonym.
 *   addresses   octet by octet (IPv6: byte by byte within a group), each behind the same
 *               octets before it becomes the same other one with as many digits: subnets stay
 *               subnets and the text keeps its length. Private, shared, loopback, link-local
 *               and multicast ranges stay what they are; public stays public.
 *   blobs       keys, digests and nonces: hexadecimal stays hexadecimal.
 *
 * No allocation. */
#ifndef MASK_KEY_H
#define MASK_KEY_H

#include "base/address.h"
#include "base/hash.h"

#define MASK_NUMBER_SHORT 3u

#define MASK_CACHE_SLOTS 1024u
struct mask_cache {                  /* addresses lately masked; zero is ready to use */
    struct { uint8_t family, in[16], out[16]; } slots[MASK_CACHE_SLOTS];
};
struct mask_key {
    struct hash_seed   seed;
    struct mask_cache *cache;        /* of who masks many; NULL: none. Of this key alone */
};
/* A text of any length as a key. */
struct mask_key mask_key_of_text(slice text);

/* Digits with anything between them; %XX is passed over, %2B is a plus. */
void mask_number(const struct mask_key *k, char *at, size_t len);
void mask_word(const struct mask_key *k, char *at, size_t len);
/* Each run of letters and digits by itself: mask_number when it is digits alone. */
void mask_words(const struct mask_key *k, char *at, size_t len);
/* Up to MASK_NUMBER_SHORT digits or letters of an identifier: none stays, and different ones stay
 * different. */
void mask_short(const struct mask_key *k, char at[MASK_NUMBER_SHORT], size_t len);
void mask_blob(const struct mask_key *k, char *at, size_t len);
/* A host name, or an address with or without brackets. */
void mask_host(const struct mask_key *k, char *at, size_t len);
/* The bytes of an address; family 4 or 6. */
void mask_ip(const struct mask_key *k, uint8_t *ip, uint8_t family);
/* False, and nothing is changed: these bytes are no address alone. */
bool mask_ip_text(const struct mask_key *k, char *at, size_t len);
/* An IPv4 address at the beginning of a text, with dots or with dashes in their place: bytes used. */
size_t mask_quad(const struct mask_key *k, char *at, size_t len);
struct address mask_address(const struct mask_key *k, const struct address *a);
/* Group and local bits stay, broadcast and zero too. */
void mask_mac(const struct mask_key *k, uint8_t mac[6]);

#endif
