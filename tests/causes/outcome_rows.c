/* tests/causes/outcome_rows.c - what became of calls where nothing is broken
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/causes_run.h"

#define GOOD "A>B INVITE sdp=sendrecv\nB>A 100\nB>A 180\n+3000 B>A 200 sdp=sendrecv\nA>B ACK\n+20000 A>B BYE\nB>A 200 BYE\nwait 60000\n"
#define REFUSED(code) "A>B INVITE sdp=sendrecv\nB>A 100\n+300 B>A " code "\nA>B ACK\nwait 60000\n"
#define RANG(code) "A>B INVITE sdp=sendrecv\nB>A 100\nB>A 180\n+12345 B>A " code "\nA>B ACK\nwait 60000\n"

static const struct cause_row rows[] = {
    { "busy", REFUSED("486 reason=Busy_Here"), REFUSED("486 reason=Do_Not_Disturb"), NULL },
    { "busy-everywhere", REFUSED("600"), REFUSED("486"), NULL },
    { "no-answer-caller",
      "A>B INVITE\nB>A 180\n+15000 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n",
      "A>B INVITE\nB>A 180\n+15000 A>B CANCEL | Reason: SIP;cause=200;text=\"Call completed elsewhere\"\n"
      "B>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n", NULL },
    { "no-answer-timer", RANG("408"), REFUSED("408"), NULL },
    { "no-answer-timer", RANG("480 | Reason: Q.850;cause=19"), REFUSED("480"), NULL },
    { "no-answer-phone", RANG("480 | User-Agent: Yealink SIP-T46"), REFUSED("480"), NULL },
    { "cancelled-before-ringing",
      "A>B INVITE\nB>A 100\n+2000 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n",
      "A>B INVITE\nB>A 180\n+2000 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n", NULL },
    { "busy",                /* it crossed the CANCEL */
      "A>B INVITE\nB>A 180\n+5000 A>B CANCEL\n+1 B>A 486\nB>A 481 CANCEL\nA>B ACK\nwait 60000\n",
      "A>B INVITE\nB>A 180\n+5000 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n", NULL },
    { "answered-elsewhere",
      "A>B INVITE\nB>A 180\n+5000 A>B CANCEL | Reason: SIP;cause=200;text=\"Call completed elsewhere\"\n"
      "B>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n",
      "A>B INVITE\nB>A 180\n+5000 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n", NULL },
    { "declined", RANG("603"), RANG("603 | Reason: Q.850;cause=21;location=LN"), NULL },
    { "do-not-disturb", REFUSED("480 reason=Do_Not_Disturb"), REFUSED("480"), NULL },
    { "unwanted", RANG("607"), RANG("603"), NULL },
    { "blocked-by-analytics", REFUSED("608"), REFUSED("603"), NULL },
    { "blocked-by-analytics", REFUSED("603 reason=Network_Blocked"), REFUSED("603"), NULL },
    { "anonymous-refused", REFUSED("433"), REFUSED("403"), NULL },
    { "unallocated-number", REFUSED("404 | Reason: Q.850;cause=1"), REFUSED("404 | Reason: Q.850;cause=3"), NULL },
    { "number-nowhere", REFUSED("604"), REFUSED("404"), NULL },
    { "gone", REFUSED("410"), REFUSED("404"), NULL },
    { "number-changed", REFUSED("410 | Reason: Q.850;cause=22"), REFUSED("410"), NULL },
    { "number-changed", REFUSED("301 | Contact: <sip:new@b.example>"),
      REFUSED("302 | Contact: <sip:new@b.example>"), NULL },
    { "number-incomplete", REFUSED("484"), REFUSED("404"), NULL },
    { "number-ambiguous", REFUSED("485"), REFUSED("404"), NULL },
    { "temporarily-unavailable", REFUSED("480"), RANG("480"), NULL },
    { "not-registered", REFUSED("480 reason=User_not_registered"), REFUSED("480"), NULL },
    { "call-barred", REFUSED("403 reason=Destination_barred"), REFUSED("403"), NULL },
    { "redirected",
      "A>B INVITE\nB>A 302 | Contact: <sip:carol@c.example>\nA>B ACK\n"
      "+100 A>C INVITE call=c2 uri=sip:carol@c.example aor=sip:carol@c.example from=z\nC>A 180 call=c2 from=z aor=sip:carol@c.example\n+3000 C>A 200 call=c2 from=z aor=sip:carol@c.example\n"
      "A>C ACK call=c2 from=z aor=sip:carol@c.example\n+9000 A>C BYE call=c2 from=z aor=sip:carol@c.example\nC>A 200 BYE call=c2 from=z aor=sip:carol@c.example\nwait 60000\n",
      REFUSED("302 | Contact: <sip:carol@c.example>"), NULL },
    { "redirect-not-followed", REFUSED("302 | Contact: <sip:carol@c.example>"), GOOD, NULL },
    { "forwarded",
      "A>B INVITE | History-Info: <sip:bob@b.example>;index=1, <sip:carol@c.example>;index=1.1 | Diversion: <sip:bob@b.example>;reason=unconditional\n"
      "B>A 180\n+2000 B>A 200\nA>B ACK\n+9000 A>B BYE\nB>A 200 BYE\nwait 60000\n", GOOD, NULL },
    { "call-waiting",
      "A>B INVITE\nB>A 180 | Alert-Info: <urn:alert:service:call-waiting>\n+2000 B>A 486\nA>B ACK\nwait 60000\n",
      RANG("486"), NULL },
    { "held",
      "A>B INVITE sdp=sendrecv\nB>A 200 sdp=sendrecv\nA>B ACK\n+5000 A>B INVITE in cseq=2 sdp=sendonly\nB>A 200 cseq=2 sdp=recvonly\nA>B ACK cseq=2\n"
      "+5000 A>B INVITE in cseq=3 sdp=sendrecv\nB>A 200 cseq=3 sdp=sendrecv\nA>B ACK cseq=3\n+5000 A>B BYE\nB>A 200 BYE\nwait 60000\n",
      GOOD, NULL },
    { "transferred",
      "A>B INVITE\nB>A 200\nA>B ACK\n+5000 A>B REFER | Refer-To: <sip:carol@c.example>\nB>A 202 REFER\n"
      "B>A NOTIFY rev frag=200\nA>B 200 NOTIFY rev\n+100 A>B BYE\nB>A 200 BYE\nwait 60000\n", GOOD, NULL },
    { "voicemail-answered",
      "A>B INVITE | History-Info: <sip:bob@b.example>;index=1, <sip:voicemail@vm.example>;index=1.1\nB>A 180\n+20000 B>A 200\nA>B ACK\n+9000 A>B BYE\nB>A 200 BYE\nwait 60000\n",
      GOOD, NULL },
    { "short-call", "A>B INVITE\nB>A 180\n+2000 B>A 200\nA>B ACK\n+1200 A>B BYE\nB>A 200 BYE\nwait 60000\n", GOOD, NULL },
    { "pdd-long", "A>B INVITE\nB>A 100\n+14000 B>A 180\n+2000 B>A 200\nA>B ACK\n+9000 A>B BYE\nB>A 200 BYE\nwait 60000\n",
      GOOD, NULL },
    { "payment-required", REFUSED("402"), REFUSED("403"), NULL },
    { "call-limit-reached", REFUSED("403 reason=Call_limit_exceeded"), REFUSED("403"), NULL },
    { "caller-forbidden", REFUSED("403"), REFUSED("403 reason=Destination_barred"), NULL },
    { "identity-missing", REFUSED("428"), REFUSED("403"), NULL },
    { "identity-invalid", REFUSED("438"), REFUSED("403"), NULL },
    { "referrer-identity-missing", REFUSED("429"), REFUSED("403"), NULL },
    { "consent-needed", REFUSED("470"), REFUSED("403"), NULL },
    { "location-bad", REFUSED("424"), REFUSED("400"), NULL },
    { "registration-outbound-lost", REFUSED("430"), REFUSED("480"), NULL },
};
const struct cause_rows cause_rows_outcome = { rows, ARRAY_LEN(rows) };
