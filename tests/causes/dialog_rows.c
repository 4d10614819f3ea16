/* tests/causes/dialog_rows.c - what goes wrong within a call
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/causes_run.h"

#define SETUP   "A>B INVITE sdp=sendrecv\nB>A 100\nB>A 180\n+3000 B>A 200 sdp=sendrecv\nA>B ACK\n"
#define TIMED(seconds) "A>B INVITE sdp=sendrecv | Session-Expires: " seconds "\nB>A 180\n+3000 B>A 200 sdp=sendrecv | Session-Expires: " seconds ";refresher=uac\nA>B ACK\n"
#define HANG_UP "+20000 A>B BYE\nB>A 200 BYE\nwait 60000\n"
#define GOOD SETUP HANG_UP
/* The 200 is sent again at 0.5, 1.5, 3.5, 7.5 ... 31.5 s, then BYE at 32 s. */
#define ANSWER_AGAIN "+500 B>A 200 id=1\n+1000 B>A 200 id=2\n+2000 B>A 200 id=3\n+4000 B>A 200 id=4\n+4000 B>A 200 id=5\n" \
    "+4000 B>A 200 id=6\n+4000 B>A 200 id=7\n+4000 B>A 200 id=8\n+4000 B>A 200 id=9\n+4000 B>A 200 id=10\n"
#define BYE_32 "+500 B>A BYE rev\nA>B 200 BYE rev\nwait 60000\n"

static const struct cause_row rows[] = {
    { "ack-lost",
      "A>B INVITE\nB>A 180\n+3000 B>A 200\nA>B ACK\n+490 B>A 200 id=1\nA>B ACK id=21\n+1000 B>A 200 id=2\nA>B ACK id=22\n+2000 B>A 200 id=3\nA>B ACK id=23\n"
      "+4000 B>A 200 id=4\n+4000 B>A 200 id=5\n+4000 B>A 200 id=6\n+4000 B>A 200 id=7\n+4000 B>A 200 id=8\n+4000 B>A 200 id=9\n+4000 B>A 200 id=10\n" BYE_32,
      "A>B INVITE\nB>A 180\n+3000 B>A 200\n+490 B>A 200 id=1\n+1000 B>A 200 id=2\nA>B ACK\n" HANG_UP, NULL },
    { "ack-lost", "A>B INVITE\nB>A 180\n+3000 B>A 200\n" ANSWER_AGAIN BYE_32, GOOD, NULL },
    { "ack-missing", "A>B INVITE\nB>A 180\n+3000 B>A 200\n" ANSWER_AGAIN "+9000 A>B BYE\nB>A 200 BYE\nwait 60000\n", GOOD, NULL },
    { "answer-not-received",
      "A>B INVITE\nB>A 180\n+3000 B>A 200\n+500 B>A 200 id=1\n+1000 B>A 200 id=2\n+2000 B>A 200 id=3\n+4000 A>B CANCEL\nB>A 200 CANCEL\n"
      "+4000 B>A 200 id=4\n+20500 B>A BYE rev\n+500 B>A BYE rev id=5\nwait 60000\n",
      "A>B INVITE\nB>A 180\n+3000 B>A 200\nA>B CANCEL\nB>A 200 CANCEL\nA>B ACK\nA>B BYE\nB>A 200 BYE\nwait 60000\n", NULL },
    { "cancel-too-late",
      "A>B INVITE\nB>A 180\n+3000 A>B CANCEL\n+1 B>A 200\nB>A 200 CANCEL\nA>B ACK\nA>B BYE\nB>A 200 BYE\nwait 60000\n", GOOD, NULL },
    { "cancel-ignored",
      "A>B INVITE\nB>A 180\n+5000 A>B CANCEL\nB>A 200 CANCEL\n+3000 B>A 183\nwait 200000\n",
      "A>B INVITE\nB>A 180\n+5000 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n", NULL },
    { "answered-twice",
      "A>B INVITE\nB>A 180 to=b\nB>A 180 to=c\n+3000 B>A 200 to=b\n+1 B>A 200 to=c\nA>B ACK to=b\nA>B ACK to=c\nA>B BYE to=c\nB>A 200 BYE to=c\n"
      "+9000 A>B BYE to=b cseq=20\nB>A 200 BYE to=b cseq=20\nwait 60000\n", GOOD, "-" },
    { "session-timer-no-refresh", TIMED("1800") "+1767000 B>A BYE rev\nA>B 200 BYE rev\nwait 60000\n",
      TIMED("1800") "+1500000 B>A BYE rev\nA>B 200 BYE rev\nwait 60000\n", NULL },
    { "session-timer-expired",
      TIMED("180") "+90000 A>B UPDATE | Session-Expires: 180\n+500 A>B UPDATE id=1\n+1000 A>B UPDATE id=2\n+2000 A>B UPDATE id=3\n+4000 A>B UPDATE id=4\n"
      "+4000 A>B UPDATE id=5\n+4000 A>B UPDATE id=6\n+42500 B>A BYE rev\nA>B 200 BYE rev\nwait 60000\n",
      TIMED("180") "+90000 A>B UPDATE | Session-Expires: 180\nB>A 200 UPDATE\n+58000 B>A BYE rev\nA>B 200 BYE rev\nwait 60000\n", NULL },
    { "session-refresh-failed",
      TIMED("1800") "+900000 A>B INVITE in cseq=2 sdp=sendrecv | Session-Expires: 1800\nB>A 481 cseq=2\nA>B ACK cseq=2\nA>B BYE\nB>A 481 BYE\nwait 60000\n",
      TIMED("1800") "+900000 A>B INVITE in cseq=2 sdp=sendrecv | Session-Expires: 1800\nB>A 200 cseq=2 sdp=sendrecv\nA>B ACK cseq=2\n+5000 A>B BYE\nB>A 200 BYE\nwait 60000\n", NULL },
    { "session-interval-too-small",
      "A>B INVITE | Session-Expires: 90\nB>A 422 | Min-SE: 1800\nA>B ACK\nA>B INVITE cseq=2\nB>A 200 cseq=2\nA>B ACK cseq=2\n" HANG_UP, GOOD, "-" },
    { "dialog-unknown",
      SETUP "+5000 A>B INFO\nB>A 481 INFO\n+100 A>B BYE\nB>A 481 BYE\nwait 60000\n",
      SETUP "+5000 A>B INFO\nB>A 200 INFO\n+100 A>B BYE\nB>A 200 BYE\nwait 60000\n", NULL },
    { "bye-unanswered",
      SETUP "+9000 A>B BYE\n+500 A>B BYE id=1\n+1000 A>B BYE id=2\n+2000 A>B BYE id=3\n+4000 A>B BYE id=4\n+4000 A>B BYE id=5\n+4000 A>B BYE id=6\nwait 60000\n",
      SETUP "+9000 A>B BYE\n+500 A>B BYE id=1\nB>A 200 BYE\nwait 60000\n", "-" },
    { "bye-rejected", SETUP "+9000 A>B BYE\nB>A 481 BYE\nwait 60000\n", GOOD, "-" },
    { "reinvite-refused",
      SETUP "+5000 A>B INVITE in cseq=2 sdp=sendonly\nB>A 488 cseq=2\nA>B ACK cseq=2\n" HANG_UP,
      SETUP "+5000 A>B INVITE in cseq=2 sdp=sendonly\nB>A 200 cseq=2 sdp=recvonly\nA>B ACK cseq=2\n" HANG_UP, NULL },
    { "reinvite-unanswered",
      SETUP "+5000 A>B INVITE in cseq=2 sdp=sendonly\n+500 A>B INVITE in cseq=2 id=1\n+1000 A>B INVITE in cseq=2 id=2\n+2000 A>B INVITE in cseq=2 id=3\n"
      "+4000 A>B INVITE in cseq=2 id=4\n+8000 A>B INVITE in cseq=2 id=5\n+16000 A>B BYE\nB>A 200 BYE\nwait 60000\n", GOOD, NULL },
    { "fax-refused",
      SETUP "+5000 B>A INVITE rev in cseq=2 attr=m=image_40002_udptl_t38\nA>B 488 rev cseq=2\nB>A ACK rev cseq=2\n" HANG_UP,
      SETUP "+5000 B>A INVITE rev in cseq=2 attr=m=image_40002_udptl_t38\nA>B 200 rev cseq=2 sdp=sendrecv\nB>A ACK rev cseq=2\n" HANG_UP, NULL },
    { "glare",
      SETUP "+5000 A>B INVITE in cseq=2 sdp=sendonly\nB>A 491 cseq=2\nA>B ACK cseq=2\n+3000 A>B INVITE in cseq=3 sdp=sendonly\nB>A 200 cseq=3 sdp=recvonly\nA>B ACK cseq=3\n"
      "+3000 A>B INVITE in cseq=4 sdp=sendrecv\nB>A 200 cseq=4 sdp=sendrecv\nA>B ACK cseq=4\n" HANG_UP, GOOD, "-" },
    { "glare-loop",
      SETUP "+5000 A>B INVITE in cseq=2 sdp=sendonly\nB>A 491 cseq=2\nA>B ACK cseq=2\n+1000 A>B INVITE in cseq=3 sdp=sendonly\nB>A 491 cseq=3\nA>B ACK cseq=3\n"
      "+1000 A>B INVITE in cseq=4 sdp=sendonly\nB>A 491 cseq=4\nA>B ACK cseq=4\n+1000 A>B INVITE in cseq=5 sdp=sendonly\nB>A 491 cseq=5\nA>B ACK cseq=5\n" HANG_UP,
      SETUP "+5000 A>B INVITE in cseq=2 sdp=sendonly\nB>A 491 cseq=2\nA>B ACK cseq=2\n" HANG_UP, NULL },
    { "cseq-out-of-order",
      "A>B INVITE cseq=20\nB>A 200 cseq=20\nA>B ACK cseq=20\n+5000 A>B INFO cseq=15\nB>A 500 INFO cseq=15\n+5000 A>B BYE cseq=21\nB>A 200 BYE cseq=21\nwait 60000\n",
      "A>B INVITE cseq=20\nB>A 200 cseq=20\nA>B ACK cseq=20\n+5000 A>B INFO cseq=21\nB>A 500 INFO cseq=21\n+5000 A>B BYE cseq=22\nB>A 200 BYE cseq=22\nwait 60000\n", NULL },
    { "prack-missing",
      "A>B INVITE\nB>A 183 rseq=1\n+500 B>A 183 rseq=1 id=1\n+1000 B>A 183 rseq=1 id=2\n+2000 B>A 183 rseq=1 id=3\n+4000 B>A 183 rseq=1 id=4\n+8000 B>A 183 rseq=1 id=5\n"
      "+16500 B>A 504\nA>B ACK\nwait 60000\n",
      "A>B INVITE\nB>A 183 rseq=1\nA>B PRACK | RAck: 1 1 INVITE\nB>A 200 PRACK\n+1000 B>A 504\nA>B ACK\nwait 60000\n", NULL },
    { "prack-rejected",
      "A>B INVITE\nB>A 183 rseq=1\nA>B PRACK | RAck: 7 1 INVITE\nB>A 481 PRACK\n+500 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n",
      "A>B INVITE\nB>A 183 rseq=1\nA>B PRACK | RAck: 1 1 INVITE\nB>A 200 PRACK\n+500 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n", NULL },
    { "transfer-failed",
      SETUP "+5000 A>B REFER | Refer-To: <sip:carol@c.example>\nB>A 202 REFER\nB>A NOTIFY rev frag=486\nA>B 200 NOTIFY rev\n" HANG_UP,
      SETUP "+5000 A>B REFER | Refer-To: <sip:carol@c.example>\nB>A 202 REFER\nB>A NOTIFY rev frag=200\nA>B 200 NOTIFY rev\n" HANG_UP, NULL },
    { "replaces-failed",
      "A>B INVITE | Replaces: other@host;to-tag=1;from-tag=2\nB>A 481\nA>B ACK\nwait 60000\n", "A>B INVITE\nB>A 481\nA>B ACK\nwait 60000\n", NULL },
    { "hold-not-resumed",
      SETUP "+5000 A>B INVITE in cseq=2 sdp=sendonly\nB>A 200 cseq=2 sdp=recvonly\nA>B ACK cseq=2\n+60000 B>A BYE rev\nA>B 200 BYE rev\nwait 60000\n",
      SETUP "+5000 A>B INVITE in cseq=2 sdp=sendonly\nB>A 200 cseq=2 sdp=recvonly\nA>B ACK cseq=2\n+30000 A>B INVITE in cseq=3 sdp=sendrecv\nB>A 200 cseq=3 sdp=sendrecv\n"
      "A>B ACK cseq=3\n+20000 B>A BYE rev\nA>B 200 BYE rev\nwait 60000\n", NULL },
    { "call-time-limit", SETUP "+3599990 B>A BYE rev\nA>B 200 BYE rev\nwait 60000\n", SETUP "+3585000 B>A BYE rev\nA>B 200 BYE rev\nwait 60000\n", NULL },
    { "end-not-seen", SETUP "wait 20000000\n", GOOD, "-" },
    { "release-cause-given", SETUP "+9000 B>A BYE rev | Reason: Q.850;cause=31;text=\"Normal, unspecified\"\nA>B 200 BYE rev\nwait 60000\n",
      SETUP "+9000 B>A BYE rev | Reason: Q.850;cause=16\nA>B 200 BYE rev\nwait 60000\n", "-" },
    { "far-network-failure", SETUP "+9000 B>A BYE rev | Reason: Q.850;cause=38\nA>B 200 BYE rev\nwait 60000\n",
      SETUP "+9000 B>A BYE rev | Reason: Q.850;cause=16\nA>B 200 BYE rev\nwait 60000\n", NULL },
    { "contact-unreachable",
      "A>B INVITE\nB>A 180\n+3000 B>A 200 | Contact: <sip:bob@198.51.100.3:5060>\nA>c ACK\n+490 B>A 200 id=1\nA>c ACK id=21\n+1000 B>A 200 id=2\nA>c ACK id=22\n"
      "+2000 B>A 200 id=3\nA>c ACK id=23\n+4000 B>A 200 id=4\n+4000 B>A 200 id=5\n+20000 B>A BYE rev\nA>B 200 BYE rev\nwait 60000\n", GOOD, NULL },
};
const struct cause_rows cause_rows_dialog = { rows, ARRAY_LEN(rows) };
