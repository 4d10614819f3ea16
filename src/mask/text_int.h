/* mask/text_int.h - what the files that mask text share.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Functions take a slice of bytes that belong to who calls mask_message and may be changed:
 * slices of a parsed message are const, and `mask_own` says that these are not. */
#ifndef MASK_TEXT_INT_H
#define MASK_TEXT_INT_H

#include "mask/text.h"

#define MASK_SEEN_SLOTS (1u << 16)   /* words that stood in a known place, the newest stay */
#define MASK_SEEN_TRIES 8u
#define MASK_SEEN_LEAST 4u           /* a shorter word is too common to be looked for */
#define MASK_PARTS_DEEP 8u

struct mask_text {
    struct mask_key   key;
    bool              keep_call_ids;
    unsigned          depth;         /* parts within parts */
    uint64_t          seen[MASK_SEEN_SLOTS];
    struct sip_header room[MASK_HEADERS_MAX];
};

static inline char *mask_own(slice s) { return (char *)(uintptr_t)s.ptr; }

/* How much of a text is looked for. */
enum mask_sweep {
    MASK_SWEEP_ID,                   /* addresses, letters and digits in a row: what comes of an
                                      * identifier depends on nothing else, so it stays one */
    MASK_SWEEP_CALL_ID,              /* the same, and single letters and digits, too */
    MASK_SWEEP_FREE,                 /* and hosts, URIs, numbers, words that were seen */
    MASK_SWEEP_PRODUCT,              /* names and versions of software stay: only what is surely
                                      * none, and addresses that were seen */
};
void mask_sweep(struct mask_text *t, slice s, enum mask_sweep how);
/* In a text of people: an address, or a number in groups of digits, that begins there; its bytes. */
size_t mask_address_or_number_at(struct mask_text *t, slice s, size_t at);
/* The letters and digits that begin there, up to an address within them. */
size_t mask_word_len(slice s, size_t at);

void mask_remember_addresses(struct mask_text *t, slice text);
void mask_remember(struct mask_text *t, slice words);      /* each of MASK_SEEN_LEAST and longer */

/* text.c */
void mask_user(struct mask_text *t, slice s);
void mask_uri(struct mask_text *t, slice s);
void mask_name_addrs(struct mask_text *t, slice s);
void mask_header_value(struct mask_text *t, enum sip_header_id id, slice value);
bool mask_message_within(struct mask_text *t, slice s, enum sip_framing framing);

/* body.c */
void mask_body(struct mask_text *t, slice content_type, slice encoding, slice body);
void mask_all_words(struct mask_text *t, slice s);
void mask_blank(slice s);

#endif
