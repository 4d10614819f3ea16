/* tests/causes/other_rows.c - mobiles, captures, products, attackers, registrations, and the network's own reports
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/causes_run.h"

#define REFUSED(code) "A>B INVITE sdp=sendrecv\nB>A 100\n+300 B>A " code "\nA>B ACK\nwait 60000\n"
#define SETUP   "A>B INVITE sdp=sendrecv\nB>A 100\nB>A 180\n+3000 B>A 200 sdp=sendrecv\nA>B ACK\n"
#define LONG_40 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG_400 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40
#define GOOD SETUP "+20000 A>B BYE\nB>A 200 BYE\nwait 60000\n"
#define BYE_WITH(reason) SETUP "+20000 B>A BYE rev | Reason: " reason "\nA>B 200 BYE rev\nwait 60000\n"
#define QOS_NONE "attr=curr:qos_local_none%curr:qos_remote_none%des:qos_mandatory_local_sendrecv%des:qos_none_remote_sendrecv"
#define QOS_MET "attr=curr:qos_local_sendrecv%curr:qos_remote_none%des:qos_mandatory_local_sendrecv%des:qos_none_remote_sendrecv"
#define VOLTE_HEAD "A>B INVITE " QOS_NONE "\nB>A 183 rseq=1 " QOS_NONE "\nA>B PRACK | RAck: 1 1 INVITE\nB>A 200 PRACK\n"
#define VOLTE_UPDATE "A>B UPDATE " QOS_MET "\nB>A 200 UPDATE " QOS_MET "\n"
#define VOLTE_TAIL "+3000 B>A 200\nA>B ACK\n+9000 A>B BYE\nB>A 200 BYE\nwait 60000\n"
#define REGISTER(n, more) "B>S REGISTER cseq=" n " call=r from=r | Contact: <sip:bob@10.0.0.2> | Expires: 60" more "\n"
#define CHALLENGE(n, more) "S>B 401 REGISTER cseq=" n " call=r from=r | WWW-Authenticate: Digest realm=\"r\", nonce=\"n" n "\"" more "\n"
#define PASS(n) " | Authorization: Digest username=\"bob\", realm=\"r\", nonce=\"n" n "\", uri=\"sip:r\", response=\"0\""
#define REGISTERED(n) "S>B 200 REGISTER cseq=" n " call=r from=r | Contact: <sip:bob@10.0.0.2>;expires=600\n"
#define TRY(n) "d>B INVITE call=t" n " from=t" n " uri=sip:" n "0012345678901@b.example aor=sip:" n "0012345678901@b.example | User-Agent: x\nB>d 404 call=t" n " from=t" n " aor=sip:" n "0012345678901@b.example\nd>B ACK call=t" n " from=t" n " aor=sip:" n "0012345678901@b.example\n"
#define DIAL(n) "d>B INVITE call=t" n " from=t" n " uri=sip:" n "@b.example aor=sip:" n "@b.example\nB>d 404 call=t" n " from=t" n " aor=sip:" n "@b.example\nd>B ACK call=t" n " from=t" n " aor=sip:" n "@b.example\n"
#define GUESS(n) "d>S REGISTER call=g" n " from=g" n " cseq=2 | Contact: <sip:x@d> | Authorization: Digest username=\"bob\", realm=\"r\", nonce=\"n\", uri=\"sip:r\", response=\"0\"\n" \
    "S>d 401 REGISTER call=g" n " from=g" n " cseq=2 | WWW-Authenticate: Digest realm=\"r\", nonce=\"n" n "\"\n"
#define TEN(what) what("1") what("2") what("3") what("4") what("5") what("6") what("7") what("8") what("9") what("10") what("11") what("12")
#define BURST(n) "+1 d>B INVITE call=f" n " from=f" n "\n+1 B>d 503 call=f" n " from=f" n "\n+1 d>B ACK call=f" n " from=f" n "\n"
#define BURST10(n) BURST(n "0") BURST(n "1") BURST(n "2") BURST(n "3") BURST(n "4") BURST(n "5") BURST(n "6") BURST(n "7") BURST(n "8") BURST(n "9")

static const struct cause_row rows[] = {
    { "ghost-ring", VOLTE_HEAD "B>A 180\n+500 " VOLTE_UPDATE VOLTE_TAIL, VOLTE_HEAD VOLTE_UPDATE "+500 B>A 180\n" VOLTE_TAIL, NULL },
    { "precondition-failed", REFUSED("580"), REFUSED("500"), NULL },
    { "precondition-failed", VOLTE_HEAD "+3000 A>B CANCEL | Reason: SIP;cause=580;text=\"Precondition Failure\"\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n",
      VOLTE_HEAD "+3000 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n", NULL },
    { "precondition-stuck", VOLTE_HEAD "+20000 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n",
      VOLTE_HEAD VOLTE_UPDATE "B>A 180\n+20000 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n", NULL },
    { "volte-bearer-lost", BYE_WITH("RELEASE_CAUSE;cause=3;text=\"Media bearer loss\""), BYE_WITH("RELEASE_CAUSE;cause=1;text=\"User ends call\""), NULL },
    { "volte-radio-lost", BYE_WITH("SIP;cause=503;text=\"Radio link lost\""), BYE_WITH("RELEASE_CAUSE;cause=1;text=\"User ends call\""), NULL },
    { "volte-radio-lost", BYE_WITH("SIP;cause=503;text=\"UE lost coverage: out of coverage\""), BYE_WITH("RELEASE_CAUSE;cause=5;text=\"SIP response time-out\""), NULL },
    { "volte-handover", BYE_WITH("SIP;cause=200;text=\"SRVCC handover\""), BYE_WITH("SIP;cause=200;text=\"bye\""), "-" },
    { "volte-not-registered", "A>B INVITE | P-Charging-Vector: icid-value=77\nB>A 480 | Reason: Q.850;cause=20\nA>B ACK\nwait 60000\n", REFUSED("480"), NULL },
    { "volte-fallback", REFUSED("380 | Contact: <urn:service:sos>"), REFUSED("302 | Contact: <sip:x@y>"), NULL },
    { "early-media-unauthorised",
      "rtp B>A packets=500 early=400 from=500 to=12000\nA>B INVITE pt=0 | P-Access-Network-Info: 3GPP-E-UTRAN-FDD\nB>A 183 pt=0\n+9000 B>A 404\nA>B ACK\nwait 200000\n",
      "rtp B>A packets=500 early=400 from=500 to=12000\nA>B INVITE pt=0 | P-Access-Network-Info: 3GPP-E-UTRAN-FDD\nB>A 183 pt=0 | P-Early-Media: sendrecv\n+9000 B>A 404\nA>B ACK\nwait 200000\n", "-" },
    { "security-agreement-failed", REFUSED("494"), REFUSED("421 | Require: 100rel"), NULL },

    { "capture-one-direction", "A>B INVITE\n+3000 A>B ACK\n+20000 A>B BYE\nwait 60000\n", GOOD, "-" },
    { "capture-cut", "A>B INVITE cut\nB>A 486\nA>B ACK\nwait 60000\n", REFUSED("486"), "-" },
    { "capture-fragments-missing", "A>B INVITE cut uri=sip:" LONG_400 LONG_400 LONG_400 LONG_400 "@b\nB>A 486\nA>B ACK\nwait 60000\n", REFUSED("486"), "-" },
    { "capture-started-late", "A>B BYE\nB>A 200 BYE\nwait 60000\n", GOOD, "-" },
    { "capture-ended-early", SETUP, GOOD, "-" },
    { "capture-copies", "A>B INVITE id=7\n+1 A>B INVITE id=7\nB>A 180 id=8\n+1 B>A 180 id=8\nB>A 486 id=9\n+1 B>A 486 id=9\nA>B ACK id=10\n+1 A>B ACK id=10\nwait 60000\n",
      "A>B INVITE id=7\n+500 A>B INVITE id=8\n+1000 A>B INVITE id=9\nB>A 486\nA>B ACK\nwait 60000\n", "-" },
    { "capture-clock-jump", "@9000 A>B INVITE\n@1000 B>A 180\n@2000 B>A 486\nA>B ACK\nwait 60000\n", GOOD, "-" },
    { "capture-leg-missing", "A>B INVITE\nB>A 180\n+9000 B>A 480 | Server: Asterisk PBX 20\nA>B ACK\nwait 60000\n", REFUSED("480"), "-" },

    { "vendor-603-not-a-person", REFUSED("603 | Server: FreeSWITCH-mod_sofia/1.10 | Reason: Q.850;cause=21"), REFUSED("603 | Reason: Q.850;cause=21;location=U | Server: FreeSWITCH"), "-" },
    { "vendor-483-not-a-loop", REFUSED("483 | Server: FreeSWITCH | Reason: Q.850;cause=25"), REFUSED("483"), "-" },
    { "vendor-488-not-a-codec", REFUSED("488 | Server: FreeSWITCH | Reason: Q.850;cause=88"), REFUSED("488"), "-" },
    { "vendor-429-identity", REFUSED("429 | Server: FreeSWITCH"), REFUSED("429"), "-" },
    { "vendor-404-misused", REFUSED("404 | Reason: Q.850;cause=38"), REFUSED("404 | Reason: Q.850;cause=1"), "-" },
    { "vendor-503-for-number", REFUSED("503 | Reason: Q.850;cause=1"), REFUSED("503 | Reason: Q.850;cause=38"), "-" },
    { "vendor-code-mapping", REFUSED("404 | Server: FreeSWITCH | Reason: Q.850;cause=17"), REFUSED("486 | Server: FreeSWITCH | Reason: Q.850;cause=17"), "-" },
    { "reason-contradicts-code", REFUSED("486 | Reason: Q.850;cause=28"), REFUSED("486 | Reason: Q.850;cause=17"), "-" },
    { "code-unregistered", REFUSED("499 | Server: x"), REFUSED("486"), "-" },

    { "scanner", "d>B INVITE call=t1 | User-Agent: friendly-scanner\nB>d 404 call=t1\nd>B ACK call=t1\nwait 60000\n", REFUSED("404"), NULL },
    { "scanner", "d>S REGISTER | User-Agent: friendly-scanner | Contact: <sip:x@d>\nS>d 404 REGISTER\nwait 200000\n", REGISTER("1", "") REGISTERED("1"), NULL },
    { "number-guessing", TEN(DIAL) "wait 60000\n", DIAL("7") "wait 60000\n", NULL },
    { "password-guessing", TEN(GUESS) "wait 200000\n", GUESS("7") "wait 200000\n", NULL },
    { "toll-fraud", TRY("0") TRY("9") TRY("1") "wait 60000\n", TRY("0") "wait 60000\n", NULL },
    { "request-flood", BURST10("0") BURST10("1") BURST10("2") BURST10("3") BURST10("4") BURST10("5") BURST10("6") BURST10("7") BURST10("8") BURST10("9") BURST10("10") "wait 60000\n",
      BURST10("0") "wait 60000\n", NULL },
    { "malformed-attack", "A>B INVITE | Max-Forwards: x | Expires: x | Contact: < | Via: x | Content-Length: x | CSeq: x | From: < | To: < | User-Agent: %s%s%s\nB>A 400\nA>B ACK\nwait 60000\n", REFUSED("400"), NULL },
    { "forged-bye", "rtp A>B packets=3000 from=3100 to=63000\nrtp B>A packets=3000 from=3100 to=63000\n" SETUP "+20000 d>B BYE\nB>d 200 BYE\nwait 60000\n",
      "rtp A>B packets=3000 from=3100 to=23000\nrtp B>A packets=3000 from=3100 to=23000\n" GOOD, NULL },

    { "auth-wrong-password", REGISTER("1", "") CHALLENGE("1", "") REGISTER("2", PASS("1")) CHALLENGE("2", "") "wait 200000\n",
      REGISTER("1", "") CHALLENGE("1", "") REGISTER("2", PASS("1")) REGISTERED("2"), NULL },
    { "auth-stale-loop", REGISTER("1", "") CHALLENGE("1", "") REGISTER("2", PASS("1")) CHALLENGE("2", ", stale=true") REGISTER("3", PASS("2")) CHALLENGE("3", ", stale=true") "wait 200000\n",
      REGISTER("1", "") CHALLENGE("1", "") REGISTER("2", PASS("1")) CHALLENGE("2", ", stale=true") REGISTER("3", PASS("2")) REGISTERED("3"), NULL },
    { "auth-no-credentials", REGISTER("1", "") CHALLENGE("1", "") "wait 200000\n", REGISTER("1", "") CHALLENGE("1", ""), NULL },
    { "registration-too-brief", REGISTER("1", "") "S>B 423 REGISTER cseq=1 call=r from=r | Min-Expires: 300\nwait 200000\n", REGISTER("1", "") REGISTERED("1"), "-" },
    { "registration-refused", REGISTER("1", "") "S>B 403 REGISTER cseq=1 call=r from=r\nwait 200000\n", REGISTER("1", "") REGISTERED("1"), NULL },
    { "registration-outbound-lost", REGISTER("1", "") "S>B 439 REGISTER cseq=1 call=r from=r\nwait 200000\n", REGISTER("1", "") REGISTERED("1"), NULL },
    { "registration-unanswered", REGISTER("1", "") "+500 " REGISTER("1", "") "+1000 " REGISTER("1", "") "+2000 " REGISTER("1", "") "wait 200000\n",
      REGISTER("1", "") REGISTERED("1"), NULL },
    { "registration-flapping", REGISTER("1", "") REGISTERED("1") "+3000 " REGISTER("2", "") REGISTERED("2") "+3000 " REGISTER("3", "") REGISTERED("3") "+3000 " REGISTER("4", "") REGISTERED("4")
      "+3000 " REGISTER("5", "") REGISTERED("5") "+3000 " REGISTER("6", "") REGISTERED("6") "+3000 " REGISTER("7", "") REGISTERED("7"),
      REGISTER("1", "") REGISTERED("1") "+300000 " REGISTER("2", "") REGISTERED("2"), NULL },
    { "nat-address-changed", "c>S REGISTER cseq=1 call=r from=r | Contact: <sip:bob@10.0.0.2> | Expires: 60\nS>c 200 REGISTER cseq=1 call=r from=r | Contact: <sip:bob@10.0.0.2>;expires=600\n"
      "+9000 d>S REGISTER cseq=2 call=r from=r | Contact: <sip:bob@10.0.0.2> | Expires: 60\nS>d 200 REGISTER cseq=2 call=r from=r | Contact: <sip:bob@10.0.0.2>;expires=600\n",
      REGISTER("1", "") REGISTERED("1"), "-" },
    { "keepalive-unanswered", "A>B OPTIONS call=o1 from=o cseq=1\nA>B OPTIONS call=o2 from=o cseq=1\nA>B OPTIONS call=o3 from=o cseq=1\nA>B INVITE\n+500 A>B INVITE id=1\n+1000 A>B INVITE id=2\n+2000 A>B INVITE id=3\nwait 60000\n",
      "A>B INVITE\n+500 A>B INVITE id=1\n+1000 A>B INVITE id=2\n+2000 A>B INVITE id=3\nwait 60000\n", "-" },
    { "nat-reply-path", "a>b INVITE sent=192.168.1.9\n+500 a>b INVITE sent=192.168.1.9 id=1\n+1000 a>b INVITE sent=192.168.1.9 id=2\n+500 b>a 404\na>b ACK\nwait 60000\n", REFUSED("404"), "-" },

    { "icmp-unreachable", "A>B INVITE\nincident icmp-unreachable A>B code=1\n+500 A>B INVITE id=1\nincident icmp-unreachable A>B code=1\nwait 60000\n", REFUSED("404"), NULL },
    { "icmp-port-closed", "A>B INVITE\nincident icmp-port-closed A>B code=3\n+500 A>B INVITE id=1\nincident icmp-port-closed A>B code=3\nwait 60000\n", REFUSED("404"), NULL },
    { "invite-fragment-lost", "A>B INVITE\nincident icmp-too-big A>B code=4\n+500 A>B INVITE id=1\n+1000 A>B INVITE id=2\nwait 60000\n", REFUSED("404"), NULL },
    { "tcp-refused", "A>B INVITE tcp\nincident tcp-refused A>B\nwait 60000\n", REFUSED("404"), NULL },
    { "tcp-no-connection", "A>B INVITE tcp\nincident tcp-no-answer A>B\nwait 3000\nincident tcp-no-answer A>B\nwait 60000\n", REFUSED("404"), NULL },
    { "tcp-broken", "A>B INVITE tcp\nB>A 180 tcp\nB>A 200 tcp\nA>B ACK tcp\nwait 500\nincident tcp-broken A>B\nwait 60000\n", GOOD, NULL },
    { "tls-handshake-failed", "A>B INVITE tcp\nincident tls-alert A>B code=40\nwait 60000\n", REFUSED("404"), NULL },
    { "tls-certificate-refused", "A>B INVITE tcp\nincident tls-alert A>B code=48\nwait 60000\n", REFUSED("404"), NULL },
};
const struct cause_rows cause_rows_other = { rows, ARRAY_LEN(rows) };
