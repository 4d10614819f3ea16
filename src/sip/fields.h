/* sip/fields.h - lists, parameters and addresses: what header values are made of
 * (RFC 3261, 7.3.1, 20 and 25).
 * SPDX-License-Identifier: Apache-2.0
 *
 * Everything borrows from the value it was read from. A value may still be folded: CR and LF
 * count as blanks everywhere. A parser that returns false leaves *ret as it was.
 *
 *     slice rest = header->value;
 *     struct sip_via via;
 *     while (sip_via_next(&rest, &via))
 *         ...                                                                              */
#ifndef SIP_FIELDS_H
#define SIP_FIELDS_H

#include "sip/message.h"

/* ---- lists ---- */

/* Next value of a comma list, trimmed; commas within quotes and within < > do not part.
 * sip_list_next passes over empty values, sip_list_cut returns them. False at the end. */
bool sip_list_next(slice *rest, slice *ret);
bool sip_list_cut(slice *rest, slice *ret);

/* ---- parameters ---- */

struct sip_param {
    slice name;                      /* "" where two semicolons stand together */
    slice value;                     /* without quotes, still escaped; "" when there is none */
    bool  has_value, quoted;
};
/* Next of ";name=value;name"; the first semicolon may be absent. False at the end. */
bool sip_param_next(slice *rest, struct sip_param *ret);
/* First parameter of that name, case aside; with no value *ret is empty. */
bool sip_param_find(slice params, slice name, slice *ret);
/* The same as a decimal number that fits. */
bool sip_param_u32(slice params, slice name, uint32_t *ret);

/* Copies quoted text without its backslashes into a buffer, as far as it fits; returns the
 * slice of the buffer that was filled. */
slice sip_unquote(slice quoted, char *buffer, size_t size);

/* ---- all values of a header, over all its lines ---- */

struct sip_values {
    const struct sip_message *m;
    const struct sip_header *line;
    slice rest;
};
/*     struct sip_values all = sip_values_of(&m, SIP_H_SUPPORTED);
 *     while (sip_values_next(&all, &tag)) ...                                              */
struct sip_values sip_values_of(const struct sip_message *m, enum sip_header_id id);
bool sip_values_next(struct sip_values *values, slice *ret);
/* Is `word` one of the values, case aside and without parameters? For option tags (Require,
 * Supported, Unsupported), Allow and the like. */
bool sip_values_have(const struct sip_message *m, enum sip_header_id id, slice word);

/* ---- values of the headers that every message has ---- */

/* name-addr or addr-spec with parameters, one value. False: no URI in it. */
bool sip_name_addr_parse(slice value, struct sip_name_addr *ret);
/* Next of a list of them: Route, Record-Route, P-Asserted-Identity, ... One without a URI is
 * passed over. */
bool sip_name_addr_next(slice *rest, struct sip_name_addr *ret);
/* Next Via value, top to bottom. False at the end. One that cannot be read is passed over. */
bool sip_via_next(slice *rest, struct sip_via *ret);
/* CSeq = 1*DIGIT LWS Method, below 2^31 (8.1.1.5). */
bool sip_cseq_parse(slice value, struct sip_cseq *ret);

#endif
