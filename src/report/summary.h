/* report/summary.h - what a capture held, in numbers: the last thing that a reading prints.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORT_SUMMARY_H
#define REPORT_SUMMARY_H

#include "base/json.h"
#include "call/registration.h"
#include "codes/cause.h"
#include "codes/words.h"
#include "report/style.h"
#include "track/intake.h"

#define SUMMARY_CODES 700

struct summary {
    const char *const *files;
    size_t   file_count;
    const char *format;              /* of the only file, or NULL */
    uint64_t packets, bytes_read;
    int64_t  first_ns, last_ns;      /* of packets; 0: none */
    const struct intake      *intake;
    const struct wire_counts *wire;
    const struct track_counts *track;
    const struct media_counts *media;        /* NULL: media was only counted */

    uint64_t calls, sessions, answered, refused, open, lost, not_followed;
    uint64_t retransmissions, copies;
    uint64_t causes[CAUSES];         /* calls by their main cause; [0]: nothing went wrong */
    uint64_t finals[SUMMARY_CODES];  /* calls by final code; [0]: none came */
    uint64_t registrations, bound, failed, gone;
    uint64_t transactions;
    uint64_t streams, orphans;       /* of media; of these, without a call */
    bool     order_lost;             /* calls had to be listed before their turn */
};

void summary_session(struct summary *s);                  /* one or more legs, joined */
void summary_verdict(struct summary *s, const struct call_verdicts *v);       /* counts its cause */
void summary_call(struct summary *s, const struct call *c);
void summary_registration(struct summary *s, const struct registration *r);
void summary_stream(struct summary *s, const struct stream *stream);
void summary_json(const struct summary *s, struct json *j);
/* The summary sentence by sentence, for whoever writes them somewhere. */
struct summary_writer {
    const struct words *words;
    void (*say)(void *ctx, enum text_id id, const struct words_value *values, size_t count);
    void *ctx;
};
void summary_say(const struct summary *s, const struct summary_writer *to);
void summary_text(const struct summary *s, struct out *o, const struct words *w,
                  const struct style *style);
/* Neither SIP nor RTP: the text then says what was there instead. */
bool summary_is_foreign(const struct summary *s);

#endif
