/* tests/harness/track_play.h - plays a script of SIP messages to a tracker and keeps what comes out
 * SPDX-License-Identifier: Apache-2.0
 *
 *     struct play p;
 *     const struct call *c = play_call(&p, "A>B INVITE\n"
 *                                          "B>A 180\n"
 *                                          "+2000 B>A 486\n"
 *                                          "A>B ACK\n");
 *     CHECK_EQ(c->final, 486);
 *     play_done(&p);
 *
 * Each line becomes the text of a message, is parsed by sip_message_parse and handed to
 * tracker_message. A line:
 *
 *     [+MS | @MS] X>Y WHAT [word...] [| Header: value]...
 *
 *   +MS, @MS   milliseconds after the line before (10 when neither is given), or since the start
 *   X>Y        machines, a capital letter each: A is 10.0.0.1:5060, B 10.0.0.2:5060 ...
 *   WHAT       METHOD for a request; CODE (to the INVITE) or CODE METHOD for a response
 *
 * and the words, in any order:
 *
 *   in         a request inside the dialog: To has a tag (BYE, ACK, UPDATE ... always have one)
 *   rev        the callee's own request, or the response to it: From and To change places
 *   call=ID    Call-ID (c1)          from=TAG   the caller's tag (a)     to=TAG  the callee's (b)
 *   cseq=N     1 for INVITE, ACK and CANCEL; 10 plus the method's number for others
 *   br=TEXT    topmost branch; from method and CSeq otherwise, of CANCEL that of the INVITE
 *   via=N      how many Vias (1)     id=N       IP identification (another one each time)
 *   rseq=N     RSeq and Require: 100rel         uri=URI  Request-URI      tcp  over TCP
 *   sdp=WORD   a body: sendrecv, sendonly, recvonly, inactive, zero (c=0.0.0.0)
 *   frag=N     a body message/sipfrag "SIP/2.0 N ..."       reason=TEXT  phrase, _ for blanks
 *   caller=URI the caller of a call (sip:alice@a.example)
 *   aor=URI    From and To of a REGISTER (sip:bob@b.example)
 *
 * `wait MS` lets time pass without a message. Empty lines are passed over.
 *
 * Allocates nothing itself, so TORTURE counts only what the tracker allocates. */
#ifndef TESTS_HARNESS_TRACK_PLAY_H
#define TESTS_HARNESS_TRACK_PLAY_H

#include "harness/test.h"
#include "track/tracker.h"

#define PLAY_KEPT_MAX 64
#define PLAY_START_NS 1700000000000000000LL
#define PLAY_MS 1000000LL

/* Lines of a script that are no SIP:
 *
 *     rtp X>Y packets=N from=MS to=MS [codec=PCMU] [port=N] [dport=N] [WORD=N]...
 *
 *   a stream record of the call that ends next (or of call=ID), from machine X to machine Y, in
 *   milliseconds since the start; WORD is a member of struct stream (see numbers[] in the source).
 *   Its call has then call->media as the capture would give it, visible.
 *
 *     media visible                  voice passes here: none seen means there was none
 *     incident NAME X>Y [code=N] [port=N]     NAME as in wire/incident.h; port: of Y, 5060
 *
 * and these words describe an SDP closer: pt=0,8,101 (payload types), ip=ADDRESS, port=N,
 * origin=ADDRESS (of the o= line), proto=RTP/SAVP, attr=LINE (an a= line, _ for blanks; several,
 * by %), ptime=N. A machine in small letters has a public address: a is 198.51.100.1. `max=N` is
 * Max-Forwards, sent=HOST the host in the topmost Via, `cut` a packet whose end was not captured. */
#define PLAY_STREAMS_MAX 16
struct play;
struct play {
    /* Set after play_start; either may be NULL. */
    void (*on_message)(struct play *p, const struct track_sighting *sighting);
    void (*on_session)(struct play *p, struct call *const *legs, size_t count);
    void *ctx;                       /* free for these two */
    struct stream *streams[PLAY_STREAMS_MAX];
    slice    stream_calls[PLAY_STREAMS_MAX];     /* Call-ID, empty: any */
    size_t   stream_count;
    bool     media_visible;
    struct tracker *tracker;
    int64_t  now_ns;
    uint64_t frames;
    uint32_t next_ip_id;
    struct call         *calls[PLAY_KEPT_MAX];            /* closed, in that order */
    struct registration *registrations[PLAY_KEPT_MAX];
    struct transaction  *transactions[PLAY_KEPT_MAX];
    size_t   call_count, registration_count, transaction_count;     /* all that were closed */
    size_t   opened, changed, seen[4], of_call, of_registration, of_transaction, of_nothing;
    enum call_state last_state;      /* of the call of the last message */
    struct sip_header room[SIP_HEADERS_MAX];
    char     text[8192];
};

bool play_start(struct play *p, const struct track_settings *settings);   /* NULL: defaults */
void play(struct play *p, const char *script);
void play_end(struct play *p);                            /* tracker_finish */
void play_done(struct play *p);

/* Start, play, end; the one call, registration or transaction, else the test fails. In a TORTURE
 * run the result may be NULL. */
const struct call         *play_call(struct play *p, const char *script);
const struct registration *play_registration(struct play *p, const char *script);
const struct transaction  *play_transaction(struct play *p, const char *script);

/* "1000 Completed", "486 Busy Here": in memory of the struct play. */
const char *play_status(struct play *p, const struct call *c);
int64_t play_ms(int64_t at_ns);      /* since the start; -1 for 0 */

#endif
