/* tests/causes/routing_rows.c - the way of the request, passwords, and what an end cannot do
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/causes_run.h"

#define REFUSED(code) "A>B INVITE sdp=sendrecv\nB>A 100\n+300 B>A " code "\nA>B ACK\nwait 60000\n"
#define GOOD "A>B INVITE sdp=sendrecv\nB>A 100\nB>A 180\n+3000 B>A 200 sdp=sendrecv\nA>B ACK\n+20000 A>B BYE\nB>A 200 BYE\nwait 60000\n"
#define REPEATED(invite) invite "\n+500 " invite " id=1\n+1000 " invite " id=2\n+2000 " invite " id=3\n+4000 " invite " id=4\n+8000 " invite " id=5\n+16000 " invite " id=6\n"
#define LONG_40 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG_400 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40 LONG_40
#define CHALLENGE(params) "Proxy-Authenticate: Digest realm=\"r\", nonce=" params
#define ANSWER(params) "Proxy-Authorization: Digest username=\"alice\", realm=\"r\", nonce=" params ", uri=\"sip:b\", response=\"0\""

static const struct cause_row rows[] = {
    { "no-reply", REPEATED("A>B INVITE") "wait 60000\n", GOOD, NULL },
    { "no-reply", REPEATED("A>B INVITE"), "A>B INVITE\n", NULL },
    { "invite-fragment-lost",
      "B>A OPTIONS call=o from=o cseq=1\nA>B OPTIONS call=p from=p cseq=1\nB>A 200 OPTIONS call=p from=p cseq=1\n" REPEATED("A>B INVITE uri=sip:" LONG_400 LONG_400 LONG_400 LONG_400 "@b.example") "wait 60000\n",
      REPEATED("A>B INVITE") "wait 60000\n", NULL },
    { "invite-large",
      "A>B INVITE uri=sip:" LONG_400 LONG_400 LONG_400 "@b.example\n+500 A>B INVITE id=1\n+1000 A>B INVITE id=2\nB>A 100\nB>A 486\nA>B ACK\nwait 60000\n", REFUSED("486"), "-" },
    { "wrong-transport",
      "A>B OPTIONS tcp call=p from=p cseq=1\nB>A 200 OPTIONS tcp call=p from=p cseq=1\n" REPEATED("A>B INVITE") "wait 60000\n",
      REPEATED("A>B INVITE") "wait 60000\n", NULL },
    { "no-progress", "A>B INVITE\nB>A 100\n+45000 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n",
      "A>B INVITE\nB>A 100\n+3000 A>B CANCEL\nB>A 200 CANCEL\nB>A 487\nA>B ACK\nwait 60000\n", NULL },
    { "no-final-reply", "A>B INVITE\nB>A 183\nwait 700000\n", "A>B INVITE\nB>A 183\nwait 20000\n", NULL },
    { "request-timeout", "A>B INVITE\nB>A 100\n+32000 B>A 408\nA>B ACK\nwait 60000\n", "A>B INVITE\nB>A 180\n+32000 B>A 408\nA>B ACK\nwait 60000\n", NULL },
    { "request-timeout", "A>B INVITE\nB>A 100\nB>C INVITE via=2\n+500 B>C INVITE via=2 id=1\n+1000 B>C INVITE via=2 id=2\n+2000 B>A 408\nA>B ACK\nwait 60000\n", NULL, NULL },
    { "server-timeout", REFUSED("504"), REFUSED("503"), NULL },
    { "service-unavailable", REFUSED("503"), REFUSED("503 | Retry-After: 30"), NULL },
    { "server-overloaded", REFUSED("503 | Retry-After: 30"), REFUSED("503"), NULL },
    { "circuits-full", REFUSED("503 | Reason: Q.850;cause=34"), REFUSED("503"), NULL },
    { "server-error", REFUSED("500"), REFUSED("500 | Reason: Q.850;cause=3"), NULL },
    { "server-error-hides-503",
      "A>B INVITE\nB>A 100\nB>C INVITE via=2\nC>B 503 via=2\nB>A 500\nA>B ACK\nwait 60000\n",
      "A>B INVITE\nB>A 100\nB>C INVITE via=2\nC>B 500 via=2\nB>A 500\nA>B ACK\nwait 60000\n", NULL },
    { "bad-gateway", REFUSED("502"), REFUSED("502 | Reason: Q.850;cause=27"), NULL },
    { "destination-out-of-order", REFUSED("502 | Reason: Q.850;cause=27"), REFUSED("502"), NULL },
    { "far-network-failure", REFUSED("503 | Reason: Q.850;cause=38"), REFUSED("503"), NULL },
    { "no-route", REFUSED("404 | Reason: Q.850;cause=3"), REFUSED("404"), NULL },
    { "domain-unknown", REFUSED("404 reason=Domain_not_served_here"), REFUSED("404"), NULL },
    { "forward-loop", REFUSED("482"), REFUSED("404"), NULL },
    { "forward-loop",
      "A>B INVITE\nB>C INVITE via=2\nC>D INVITE via=3\nD>B INVITE via=4\nB>C INVITE via=5 br=x\nB>D 483 via=4\nD>C 483 via=3\nC>B 483 via=2\nB>A 483\nA>B ACK\nwait 60000\n",
      REFUSED("483"), NULL },
    { "merged-request", REFUSED("482 reason=Merged_Request"), REFUSED("482"), NULL },
    { "merged-request", "A>S INVITE\nS>B INVITE via=2\nS>C INVITE via=2 br=x\nC>B INVITE via=3 br=y\nB>C 482 via=3\nC>S 482 via=2\nS>A 482\nA>S ACK\nwait 60000\n", REFUSED("482"), NULL },
    { "wrong-transport",
      "A>B OPTIONS tcp call=p from=p cseq=1\nB>A 200 OPTIONS tcp call=p from=p cseq=1\nA>B INVITE\nincident icmp-port-closed A>B code=3\n+500 A>B INVITE id=1\nincident icmp-port-closed A>B code=3\nwait 60000\n",
      "A>B INVITE\nincident icmp-port-closed A>B code=3\n+500 A>B INVITE id=1\nincident icmp-port-closed A>B code=3\nwait 60000\n", NULL },
    { "max-forwards-used-up", REFUSED("483"), REFUSED("482"), NULL },
    { "max-breadth-reached", REFUSED("440"), REFUSED("483"), NULL },
    { "diversion-limit",
      "A>B INVITE | Diversion: <sip:1@x>, <sip:2@x>, <sip:3@x>, <sip:4@x>, <sip:5@x>\nB>A 486\nA>B ACK\nwait 60000\n",
      "A>B INVITE | Diversion: <sip:1@x>\nB>A 486\nA>B ACK\nwait 60000\n", NULL },
    { "message-malformed", REFUSED("400"), REFUSED("486"), NULL },
    { "header-invalid", "A>B INVITE | Max-Forwards: many\nB>A 400\nA>B ACK\nwait 60000\n", REFUSED("400"), NULL },
    { "sdp-malformed", REFUSED("400 reason=SDP_syntax_error"), REFUSED("400"), NULL },
    { "reply-not-received", REPEATED("A>B INVITE\nB>A 100") "wait 60000\n", "A>B INVITE\nB>A 100\n+3000 B>A 486\nA>B ACK\nwait 60000\n", NULL },
    { "signalling-loss",
      "A>B INVITE\n+500 A>B INVITE id=1\n+1000 A>B INVITE id=2\nB>A 180\n+3000 B>A 200\n+500 B>A 200 id=3\nA>B ACK\n+9000 A>B BYE\n+500 A>B BYE id=4\nB>A 200 BYE\nwait 60000\n", GOOD, "-" },
    { "server-slow", "A>B INVITE\n+500 A>B INVITE id=1\n+1900 B>A 100\n+500 B>A 180\n+100 B>A 486\nA>B ACK\nwait 60000\n", REFUSED("486"), "-" },
    { "clock-skew", "A>B INVITE\nB>A 486 | Date: Tue, 14 Nov 2023 23:13:20 GMT\nA>B ACK\nwait 60000\n",
      "A>B INVITE\nB>A 486 | Date: Tue, 14 Nov 2023 22:13:21 GMT\nA>B ACK\nwait 60000\n", "-" },
    { "refused-unexplained", REFUSED("499"), REFUSED("486"), NULL },

    { "auth-wrong-password",
      "A>B INVITE\nB>A 407 | " CHALLENGE("\"n1\"") "\nA>B ACK\nA>B INVITE cseq=2 | " ANSWER("\"n1\"") "\nB>A 407 cseq=2 | " CHALLENGE("\"n2\"") "\nA>B ACK cseq=2\nwait 60000\n",
      "A>B INVITE\nB>A 407 | " CHALLENGE("\"n1\"") "\nA>B ACK\nA>B INVITE cseq=2 | " ANSWER("\"n1\"") "\nB>A 486 cseq=2\nA>B ACK cseq=2\nwait 60000\n", NULL },
    { "auth-stale-loop",
      "A>B INVITE\nB>A 407 | " CHALLENGE("\"n1\"") "\nA>B ACK\nA>B INVITE cseq=2 | " ANSWER("\"n1\"") "\nB>A 407 cseq=2 | " CHALLENGE("\"n2\", stale=true") "\nA>B ACK cseq=2\n"
      "A>B INVITE cseq=3 | " ANSWER("\"n2\"") "\nB>A 407 cseq=3 | " CHALLENGE("\"n3\", stale=true") "\nA>B ACK cseq=3\nwait 60000\n",
      "A>B INVITE\nB>A 407 | " CHALLENGE("\"n1\"") "\nA>B ACK\nA>B INVITE cseq=2 | " ANSWER("\"n1\"") "\nB>A 407 cseq=2 | " CHALLENGE("\"n2\"") "\nA>B ACK cseq=2\nwait 60000\n", NULL },
    { "auth-clock-nonce",
      "A>B INVITE\nB>A 407 | " CHALLENGE("\"n1\"") "\nA>B ACK\n+30000 A>B INVITE cseq=2 | " ANSWER("\"n1\"") "\nB>A 407 cseq=2 | " CHALLENGE("\"n2\", stale=true") "\nA>B ACK cseq=2\n"
      "A>B INVITE cseq=3 | " ANSWER("\"n2\"") "\nB>A 200 cseq=3\nA>B ACK cseq=3\n+9000 A>B BYE\nB>A 200 BYE\nwait 60000\n", GOOD, "-" },
    { "auth-no-credentials", "A>B INVITE\nB>A 407 | " CHALLENGE("\"n1\"") "\nA>B ACK\nwait 60000\n", GOOD, NULL },
    { "auth-algorithm-unsupported", "A>B INVITE\nB>A 407 | " CHALLENGE("\"n1\", algorithm=SHA-512-256") " | " CHALLENGE("\"n1\", algorithm=SHA-256")
      "\nA>B ACK\nwait 60000\n",
      "A>B INVITE\nB>A 407 | " CHALLENGE("\"n1\", algorithm=SHA-256") " | " CHALLENGE("\"n1\", algorithm=MD5") "\nA>B ACK\nwait 60000\n", NULL },
    { "auth-realm-mismatch",
      "A>B INVITE\nB>A 407 | Proxy-Authenticate: Digest realm=\"other\", nonce=\"n1\"\nA>B ACK\nA>B INVITE cseq=2 | " ANSWER("\"n1\"") "\n"
      "B>A 407 cseq=2 | Proxy-Authenticate: Digest realm=\"other\", nonce=\"n2\"\nA>B ACK cseq=2\nwait 60000\n",
      "A>B INVITE\nB>A 407 | " CHALLENGE("\"n1\"") "\nA>B ACK\nA>B INVITE cseq=2 | " ANSWER("\"n1\"") "\nB>A 407 cseq=2 | " CHALLENGE("\"n2\"") "\nA>B ACK cseq=2\nwait 60000\n", NULL },
    { "auth-rejected",
      "A>B INVITE\nB>A 407 | " CHALLENGE("\"n1\"") "\nA>B ACK\nA>B INVITE cseq=2 | " ANSWER("\"n1\"") "\nB>A 403 cseq=2\nA>B ACK cseq=2\nwait 60000\n", REFUSED("403"), NULL },
    { "caller-not-registered", REFUSED("403 reason=Not_registered"), REFUSED("403"), NULL },
    { "registration-expired-before-call",
      "B>S REGISTER call=r from=r aor=sip:bob@b.example | Contact: <sip:bob@10.0.0.2> | Expires: 60\nS>B 200 REGISTER call=r from=r aor=sip:bob@b.example | Contact: <sip:bob@10.0.0.2>;expires=60\n"
      "+90000 A>S INVITE\nS>A 480\nA>S ACK\nwait 60000\n",
      "B>S REGISTER call=r from=r aor=sip:bob@b.example | Contact: <sip:bob@10.0.0.2> | Expires: 600\nS>B 200 REGISTER call=r from=r aor=sip:bob@b.example | Contact: <sip:bob@10.0.0.2>;expires=600\n"
      "+90000 A>S INVITE\nS>A 480\nA>S ACK\nwait 60000\n", NULL },
    { "not-registered",
      "B>S REGISTER call=r from=r aor=sip:bob@b.example | Contact: <sip:bob@10.0.0.2> | Expires: 60\nS>B 200 REGISTER call=r from=r aor=sip:bob@b.example | Contact: <sip:bob@10.0.0.2>;expires=60\n"
      "+9000 B>S REGISTER cseq=80 call=r from=r aor=sip:bob@b.example | Contact: * | Expires: 0\nS>B 200 REGISTER cseq=80 call=r from=r aor=sip:bob@b.example\n"
      "+9000 A>S INVITE\nS>A 404\nA>S ACK\nwait 60000\n", REFUSED("404"), NULL },

    { "not-acceptable-unexplained", REFUSED("488"), REFUSED("486"), NULL },
    { "not-acceptable-anywhere", REFUSED("606"), REFUSED("488"), NULL },
    { "method-not-allowed", REFUSED("405 | Allow: OPTIONS"), REFUSED("486"), NULL },
    { "media-type-unsupported", REFUSED("415"), REFUSED("488"), NULL },
    { "extension-unsupported", REFUSED("420 | Unsupported: 100rel"), REFUSED("421 | Require: 100rel"), NULL },
    { "extension-required", REFUSED("421 | Require: 100rel"), REFUSED("420 | Unsupported: 100rel"), NULL },
    { "response-type-unacceptable", REFUSED("406"), REFUSED("488"), NULL },
    { "scheme-unsupported", "A>B INVITE uri=tel:+123\nB>A 416\nA>B ACK\nwait 60000\n", REFUSED("404"), NULL },
    { "request-too-large", REFUSED("513"), REFUSED("500"), NULL },
    { "version-unsupported", REFUSED("505"), REFUSED("500"), NULL },
    { "priority-refused", "A>B INVITE | Resource-Priority: ets.0\nB>A 417\nA>B ACK\nwait 60000\n", REFUSED("420 | Unsupported: x"), NULL },
    { "body-undecipherable", REFUSED("493"), REFUSED("415"), NULL },
};
const struct cause_rows cause_rows_routing = { rows, ARRAY_LEN(rows) };
