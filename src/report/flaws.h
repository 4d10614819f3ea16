/* report/flaws.h - breaches of SIP grammar as sentences in the reader's language.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The sentences are in data/text/flaws.toml, one for each row of sip/flaws.def. */
#ifndef REPORT_FLAWS_H
#define REPORT_FLAWS_H

#include "call/message.h"
#include "codes/words.h"
#include "report/style.h"

/* What is wrong, one sentence; empty for a kind that does not exist. Lives as long as `w`. */
slice flaws_sentence(const struct words *w, enum sip_flaw_kind kind);

/* A paragraph for each flaw of the message: the sentence, the line of the message (from 1)
 * and the name of the header, as far as they are known; then how many were not kept. Writes
 * nothing for a message without flaws. */
void flaws_print(struct out *o, const struct words *w, const struct style *style,
                 const struct message_row *m);

#endif
