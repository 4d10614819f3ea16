/* tests/simulator/seen.h - what the judge reads of a message, by a scanner of its own.
 * SPDX-License-Identifier: Apache-2.0
 *
 * For messages of our own phones and switch only: header names as they write them, no folding.
 * Independent of sip/: what both sides of a call misread alike would else go unnoticed. */
#ifndef TESTS_SIMULATOR_SEEN_H
#define TESTS_SIMULATOR_SEEN_H

#include "base/slice.h"

struct seen {
    bool     is_request, is_reliable;                     /* reliable: a 1xx with RSeq and 100rel */
    unsigned status;
    slice    method, phrase;         /* method: of CSeq */
    slice    branch, call_id, from_tag, to_tag, body;
    uint32_t cseq, rseq, rack_rseq, rack_cseq;
    int      breadth;                /* Max-Breadth; -1: it does not say */
    uint32_t call;                   /* from "sip:uUSER-CALL@" in From or To; 0: none */
};

bool seen_read(slice text, struct seen *ret);

#endif
