/* report/notes.h - short texts about a record, the same in a table of a terminal and on a page.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each function adds to `o`; notes stand one after the other, each whole in itself. What comes from
 * the network is not cleaned here: who writes it for somebody does that. */
#ifndef REPORT_NOTES_H
#define REPORT_NOTES_H

#include "call/call.h"
#include "call/incident.h"
#include "call/registration.h"
#include "codes/code.h"
#include "codes/words.h"
#include "report/style.h"

/* One more note behind those that stand in `notes`. */
void notes_add(struct out *notes, const struct words *w, slice text);

void notes_call(struct out *o, const struct words *w, const struct call *c);
void notes_registration(struct out *o, const struct words *w, const struct registration *r);
void notes_stream(struct out *o, const struct words *w, const struct stream *s);
/* "494 packets, 27.8 % lost, MOS 1.00". */
void notes_heard(struct out *o, const struct words *w, const struct stream *s);
/* Why it has no score; empty where it has one, or is encrypted, which its note says. */
slice notes_unscored(const struct words *w, const struct stream *s);
void notes_incident(struct out *o, const struct words *w, const struct incident *i);

/* "486 Busy Here": the number and its name in the language; `otherwise` where none is known. */
void notes_code(struct out *o, const struct words *w, enum code_family family, unsigned number, slice otherwise);
/* "4.38": thousandths as people read them, with one or two decimals. */
void notes_milli(struct out *o, uint64_t thousandths, int decimals);

/* The number or name alone, without what some networks hang behind it ("0598;phone-context=..."). */
slice notes_who(const struct call_party *party);
/* Who ended it, in the language; empty: nobody did. */
slice notes_ended_by(const struct words *w, const struct call *c);

enum style_tone notes_call_tone(const struct call *c);
enum style_tone notes_registration_tone(const struct registration *r);
/* By the bands of G.109, whatever the scale: R brought to that of narrow band. 0: plain. */
enum style_tone notes_mos_tone(uint16_t mos_milli);

#endif
