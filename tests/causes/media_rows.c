/* tests/causes/media_rows.c - what people heard, and what address translation did to it
 * SPDX-License-Identifier: Apache-2.0 */
#include "harness/causes_run.h"

/* Answered at 3 s, 60 s of talk. */
#define CALL(offer, answer, answer2) "A>B INVITE " offer "\nB>A 100\nB>A 180\n@3000 B>A 200 " answer "\nA>B ACK\n" answer2 \
    "@63000 A>B BYE\nB>A 200 BYE\nwait 60000\n"
#define BASIC CALL("sdp=sendrecv pt=0,8,101 ip=10.0.0.1", "pt=0,101 ip=10.0.0.2", "")
#define TO_CALLEE "rtp A>B packets=3000 from=3100 to=63000\n"
#define TO_CALLER "rtp B>A packets=3000 from=3100 to=63000\n"
#define GOOD TO_CALLEE TO_CALLER BASIC
/* The same with one figure changed in the voice to the caller. */
#define VOICE(figures) TO_CALLEE "rtp B>A packets=3000 from=3100 to=63000 " figures "\n" BASIC
#define HELD_CALL CALL("ip=10.0.0.1", "ip=10.0.0.2", "+1000 A>B INVITE in cseq=2 sdp=sendonly ip=10.0.0.1\nB>A 200 cseq=2 sdp=recvonly ip=10.0.0.2\nA>B ACK cseq=2\n")
#define PUBLIC_CALL(offer_ip, answer_ip) "a>b INVITE ip=" offer_ip "\nb>a 180\n@3000 b>a 200 ip=" answer_ip "\na>b ACK\n@63000 a>b BYE\nb>a 200 BYE\nwait 60000\n"
#define B2BUA(behind, between) \
    "A>S INVITE call=l1 from=f1 ip=10.0.0.1 | Session-ID: ab30317f1a784dc48ff824d0d3715d86\nS>A 100 call=l1 from=f1\n" between \
    "S>B INVITE call=l2 from=f2 ip=10.0.0.1 | Session-ID: ab30317f1a784dc48ff824d0d3715d86\n" behind

static const struct cause_row rows[] = {
    { "one-way-audio-caller-deaf", TO_CALLEE BASIC, GOOD, NULL },
    { "one-way-audio-callee-deaf", TO_CALLER BASIC, GOOD, NULL },
    { "one-way-audio-callee-deaf", TO_CALLER BASIC, TO_CALLER HELD_CALL, NULL },
    { "no-audio", "rtp A>B call=zz packets=300 from=0 to=9000\nrtp A>B packets=0 from=1 to=1\n" BASIC, BASIC, NULL },
    { "media-stopped-caller", "rtp A>B packets=1000 from=3100 to=23000\n" TO_CALLER BASIC, GOOD, NULL },
    { "media-stopped-callee", TO_CALLEE "rtp B>A packets=1000 from=3100 to=23000\n" BASIC,
      TO_CALLEE "rtp B>A packets=1000 from=3100 to=23000 silence=1\n" BASIC, NULL },
    { "media-stopped-both", "rtp A>B packets=1000 from=3100 to=23000\nrtp B>A packets=1000 from=3100 to=23500\n" BASIC, GOOD, NULL },
    { "media-timeout", "rtp A>B packets=1000 from=3100 to=33000\nrtp B>A packets=1000 from=3100 to=33000\n"
      "A>B INVITE ip=10.0.0.1\nB>A 180\n@3000 B>A 200 ip=10.0.0.2\nA>B ACK\n@63000 B>A BYE rev | Reason: Q.850;cause=102;text=\"RTP timeout\"\nA>B 200 BYE rev\nwait 60000\n", GOOD, NULL },
    { "media-late", TO_CALLEE "rtp B>A packets=2800 from=6500 to=63000\n" BASIC, GOOD, "-" },
    { "ringback-missing", TO_CALLEE TO_CALLER "A>B INVITE ip=10.0.0.1\nB>A 183 ip=10.0.0.2\n@13000 B>A 200 ip=10.0.0.2\nA>B ACK\n@63000 A>B BYE\nB>A 200 BYE\nwait 60000\n",
      TO_CALLEE "rtp B>A packets=3000 early=400 from=1000 to=63000\n" "A>B INVITE ip=10.0.0.1\nB>A 183 ip=10.0.0.2\n@13000 B>A 200 ip=10.0.0.2\nA>B ACK\n@63000 A>B BYE\nB>A 200 BYE\nwait 60000\n", "-" },
    { "codec-asymmetry", "rtp A>B packets=3000 from=3100 to=63000 codec=PCMA\n" TO_CALLER BASIC, GOOD, NULL },
    { "codec-not-negotiated", TO_CALLEE "rtp B>A packets=3000 from=3100 to=63000 codec=G729 wrong_type=1\n" BASIC, GOOD, NULL },
    { "codec-changed", TO_CALLEE "rtp B>A packets=1000 from=3100 to=23000 codec=PCMA\nrtp B>A packets=2000 from=23020 to=63000 ssrc=2\n" BASIC, GOOD, "-" },
    { "loss-high", VOICE("lost=200"), VOICE("lost=20"), NULL },
    { "loss-bursty", VOICE("lost=200 bursts=4 burst_ms=900 burst_r=4000"), VOICE("lost=200 bursts=4 burst_ms=900 burst_r=1100"), NULL },
    { "late-discard", VOICE("late=200"), VOICE("late=20"), NULL },
    { "jitter-high", VOICE("jitter_mean_us=55000"), VOICE("jitter_mean_us=9000"), NULL },
    { "delay-high", VOICE("two_way_ms=900"), VOICE("two_way_ms=200"), NULL },
    { "quality-poor", VOICE("mos=2400"), VOICE("mos=4300"), NULL },
    { "quality-dip", VOICE("mos=4000 worst_mos=1500"), VOICE("mos=4300 worst_mos=4100"), "-" },
    { "reordering-high", VOICE("reordered=100"), VOICE("reordered=3"), "-" },
    { "duplicates-high", VOICE("duplicates=300"), VOICE("duplicates=3"), "-" },
    { "loss-beyond-capture", VOICE("far_lost=300 far_expected=3000"), VOICE("far_lost=3 far_expected=3000"), "-" },
    { "clock-drift", VOICE("drift_ppm=900 lost=200"), VOICE("drift_ppm=20 lost=200"), "-" },
    { "silence-sent", VOICE("silent_s=55"), VOICE("silent_s=20"), NULL },
    { "senders-mixed", TO_CALLEE TO_CALLER "rtp B>A packets=2000 from=10000 to=50000 ssrc=7\n" BASIC,
      TO_CALLEE "rtp B>A packets=300 from=3100 to=9000\nrtp B>A packets=2700 from=9020 to=63000 ssrc=7\n" BASIC, NULL },
    { "media-injection", TO_CALLEE TO_CALLER "rtp d>A packets=2000 from=10000 to=50000 ssrc=7 unnamed_source=1 lost=200\n" BASIC, GOOD, "-" },
    { "sequence-jump", VOICE("restarts=2"), GOOD, "-" },
    { "media-unexpected-source", TO_CALLEE "rtp D>A packets=3000 from=3100 to=63000 unnamed_source=1\n" BASIC, GOOD, "-" },
    { "media-old-address", TO_CALLEE "rtp B>A packets=3000 from=3100 to=63000 lost=200\n"
      CALL("ip=10.0.0.1", "ip=10.0.0.2", "@10000 A>B INVITE in cseq=2 ip=10.0.0.9\nB>A 200 cseq=2 ip=10.0.0.2\nA>B ACK cseq=2\n"), GOOD, "-" },
    { "media-after-end", TO_CALLEE "rtp B>A packets=3000 from=3100 to=70000\n" BASIC, GOOD, "-" },
    { "dtmf-mismatch", "rtp A>B packets=3000 from=3100 to=63000 events=4 dtmf=1234\n" TO_CALLER CALL("pt=0,101 ip=10.0.0.1", "pt=0 ip=10.0.0.2", ""),
      "rtp A>B packets=3000 from=3100 to=63000 events=4 dtmf=1234\n" TO_CALLER BASIC, NULL },
    { "dtmf-mismatch", CALL("pt=0,101 ip=10.0.0.1", "pt=0,101 ip=10.0.0.2", "+5000 A>B INFO | Content-Type: application/dtmf-relay\nB>A 415 INFO\n"), BASIC, NULL },
    { "dtmf-not-agreed", CALL("pt=0,101 ip=10.0.0.1", "pt=0 ip=10.0.0.2", "+5000 A>B INFO | Content-Type: application/dtmf-relay\nB>A 200 INFO\n+1000 A>B INFO cseq=40 | Content-Type: application/dtmf-relay\nB>A 415 INFO cseq=40\n"),
      BASIC, "dtmf-mismatch" },
    { "dtmf-doubled", "rtp A>B packets=3000 from=3100 to=63000 events=4 dtmf=1234 lost=200\n" TO_CALLER
      CALL("pt=0,101 ip=10.0.0.1", "pt=0,101 ip=10.0.0.2", "+5000 A>B INFO | Content-Type: application/dtmf-relay\nB>A 200 INFO\n"), GOOD, "-" },
    { "dtmf-cut", VOICE("events=3 unended=1 dtmf=123"), VOICE("events=3 dtmf=123"), "-" },
    { "capture-media-missing", BASIC, GOOD, "-" },
    { "ptime-mismatch", TO_CALLEE "rtp B>A packets=3000 from=3100 to=63000 frame_ms=20 lost=200\n" CALL("ptime=30 ip=10.0.0.1", "ip=10.0.0.2", ""), GOOD, "-" },

    { "codec-mismatch", "A>B INVITE pt=0,8 ip=10.0.0.1\nB>A 488 pt=18 ip=10.0.0.2\nA>B ACK\nwait 60000\n", "A>B INVITE pt=0,8 ip=10.0.0.1\nB>A 488 pt=8 ip=10.0.0.2\nA>B ACK\nwait 60000\n", NULL },
    { "codec-mismatch",      /* from what it answered in another call */
      "C>B INVITE call=o from=o pt=0,18 ip=10.0.0.3\nB>C 200 call=o from=o pt=18 ip=10.0.0.2\nC>B ACK call=o from=o\n+5000 C>B BYE call=o from=o\nB>C 200 BYE call=o from=o\nwait 60000\n"
      "A>B INVITE pt=0,8 ip=10.0.0.1\nB>A 488\nA>B ACK\nwait 60000\n", "A>B INVITE pt=0,8 ip=10.0.0.1\nB>A 488\nA>B ACK\nwait 60000\n", NULL },
    { "codec-mismatch",      /* from what it offered itself */
      "B>C INVITE call=o from=o pt=18 ip=10.0.0.2\nC>B 404 call=o from=o\nB>C ACK call=o from=o\nwait 60000\n"
      "A>B INVITE pt=0,8 ip=10.0.0.1\nB>A 488\nA>B ACK\nwait 60000\n",
      "B>C INVITE call=o from=o pt=18,8 ip=10.0.0.2\nC>B 404 call=o from=o\nB>C ACK call=o from=o\nwait 60000\n"
      "A>B INVITE pt=0,8 ip=10.0.0.1\nB>A 488\nA>B ACK\nwait 60000\n", NULL },
    { "early-media-blocked", "rtp b>D packets=400 early=400 from=500 to=9000\na>b INVITE ip=10.0.0.4\nb>a 183 ip=198.51.100.2\n+9000 b>a 404\na>b ACK\nwait 60000\n",
      "rtp b>a packets=400 early=400 from=500 to=9000\na>b INVITE ip=198.51.100.1\nb>a 183 ip=198.51.100.2\n+9000 b>a 404\na>b ACK\nwait 60000\n", NULL },
    { "false-ringing", "A>S INVITE\nS>A 180 to=s\nS>B INVITE via=2\n+9000 B>S 404 via=2\nS>A 404\nA>S ACK\nwait 60000\n",
      "A>S INVITE\nS>B INVITE via=2\nB>S 180 via=2\nS>A 180\n+9000 B>S 404 via=2\nS>A 404\nA>S ACK\nwait 60000\n", NULL },
    { "encryption-mismatch", "A>B INVITE proto=RTP/SAVP attr=crypto:1_AES_CM_128_HMAC_SHA1_80_inline:abc\nB>A 488\nA>B ACK\nwait 60000\n", "A>B INVITE pt=0\nB>A 488\nA>B ACK\nwait 60000\n", NULL },
    { "encryption-one-sided", CALL("proto=RTP/SAVP ip=10.0.0.1", "ip=10.0.0.2", ""), BASIC, NULL },
    { "ip-version-mismatch", CALL("ip=2001:db8::1", "ip=10.0.0.2", ""), BASIC, NULL },
    { "sdp-answer-missing", "A>B INVITE pt=0\nB>A 180\n@3000 B>A 200\nA>B ACK\n@63000 A>B BYE\nB>A 200 BYE\nwait 60000\n", BASIC, NULL },
    { "sdp-answer-invalid", CALL("pt=0,8 ip=10.0.0.1", "pt=18 ip=10.0.0.2", ""), BASIC, NULL },
    { "sdp-answer-changed", "rtp A>B packets=3000 lost=200 from=3100 to=63000\n" TO_CALLER "A>B INVITE ip=10.0.0.1\nB>A 183 ip=10.0.0.2\n@3000 B>A 200 ip=10.0.0.7\nA>B ACK\n@63000 A>B BYE\nB>A 200 BYE\nwait 60000\n", GOOD, "-" },
    { "late-offer", "A>B INVITE\nB>A 200 ip=10.0.0.2\nA>B ACK ip=10.0.0.1\n+9000 A>B BYE\nB>A 200 BYE\nwait 60000\n", BASIC, "-" },
    { "late-offer-unanswered", "A>B INVITE\nB>A 200 ip=10.0.0.2\nA>B ACK\n+9000 A>B BYE\nB>A 200 BYE\nwait 60000\n",
      "A>B INVITE\nB>A 200 ip=10.0.0.2\nA>B ACK ip=10.0.0.1\n+9000 A>B BYE\nB>A 200 BYE\nwait 60000\n", NULL },
    { "amr-mode-mismatch", CALL("pt=97 attr=fmtp:97_octet-align=1 ip=10.0.0.1", "pt=97 ip=10.0.0.2", ""), CALL("pt=97 ip=10.0.0.1", "pt=97 ip=10.0.0.2", ""), NULL },

    { "nat-private-address-sdp", "rtp a>b packets=3000 from=3100 to=63000\n" PUBLIC_CALL("192.168.1.5", "198.51.100.2"), "rtp a>b packets=3000 from=3100 to=63000\n" PUBLIC_CALL("198.51.100.1", "198.51.100.2"), NULL },
    { "nat-private-contact",
      "a>b INVITE\nb>a 180\n@3000 b>a 200 | Contact: <sip:bob@192.168.1.7:5060>\na>b ACK\n+490 b>a 200 id=1\na>b ACK id=21\n+1000 b>a 200 id=2\na>b ACK id=22\n+2000 b>a 200 id=3\na>b ACK id=23\n"
      "+4000 b>a 200 id=4\n+4000 b>a 200 id=5\n+20000 b>a BYE rev\na>b 200 BYE rev\nwait 60000\n",
      "a>b INVITE\nb>a 180\n@3000 b>a 200 | Contact: <sip:bob@192.168.1.7:5060>\na>b ACK\n+9000 b>a BYE rev\na>b 200 BYE rev\nwait 60000\n", NULL },
    { "sip-alg", "a>b INVITE sent=192.168.1.5 ip=198.51.100.1 | Contact: <sip:alice@198.51.100.1>\nb>a 400\na>b ACK\nwait 60000\n",
      "a>b INVITE ip=198.51.100.1\nb>a 400\na>b ACK\nwait 60000\n", NULL },
    { "nat-binding-lost",
      "b>S REGISTER call=r from=r | Contact: <sip:bob@192.168.1.7> | Expires: 3600\nS>b 200 REGISTER call=r from=r | Contact: <sip:bob@192.168.1.7>;expires=3600\n"
      "+300000 S>b INVITE\n+500 S>b INVITE id=1\n+1000 S>b INVITE id=2\n+2000 S>b INVITE id=3\nwait 60000\n",
      "S>b INVITE\n+500 S>b INVITE id=1\n+1000 S>b INVITE id=2\n+2000 S>b INVITE id=3\nwait 60000\n", NULL },
    { "firewall-blocks-call",
      "b>S REGISTER call=r from=r | Contact: <sip:bob@192.168.1.7> | Expires: 3600\nS>b 200 REGISTER call=r from=r | Contact: <sip:bob@192.168.1.7>;expires=3600\n"
      "+5000 S>b INVITE\n+500 S>b INVITE id=1\n+1000 S>b INVITE id=2\n+2000 S>b INVITE id=3\nwait 60000\n",
      "S>b INVITE\n+500 S>b INVITE id=1\n+1000 S>b INVITE id=2\n+2000 S>b INVITE id=3\nwait 60000\n", NULL },
    { "ice-failed", "rtp A>B call=zz packets=300 from=0 to=9000\n" CALL("ip=10.0.0.1 attr=candidate:1_1_UDP_1_10.0.0.1_40000_typ_host", "ip=10.0.0.2 attr=candidate:1_1_UDP_1_10.0.0.2_40000_typ_host", ""), GOOD, NULL },
    { "nat-media-not-learned", "rtp c>b packets=3000 from=3100 to=63000 unnamed_source=1\nrtp b>A packets=3000 from=3100 to=63000\n"
      "A>b INVITE ip=10.0.0.1\nb>A 180\n@3000 b>A 200 ip=198.51.100.2\nA>b ACK\n@63000 A>b BYE\nb>A 200 BYE\nwait 60000\n", GOOD, NULL },
    { "firewall-blocks-media", TO_CALLER "A>B INVITE ip=10.0.0.1\nB>A 180\n@3000 B>A 200 ip=10.0.0.2\nA>B ACK\nincident icmp-unreachable A>B port=40000 code=13\nincident icmp-unreachable A>B port=40000 code=13\nincident icmp-unreachable A>B port=40000 code=13\n"
      "@63000 A>B BYE\nB>A 200 BYE\nwait 60000\n", GOOD, NULL },

    { "false-ringing",
      B2BUA("S>A 180 call=l1 from=f1\n+6000 B>S 404 call=l2 from=f2\nS>B ACK call=l2 from=f2\nS>A 404 call=l1 from=f1\nA>S ACK call=l1 from=f1\nwait 60000\n", ""),
      B2BUA("B>S 180 call=l2 from=f2\nS>A 180 call=l1 from=f1\n+6000 B>S 486 call=l2 from=f2\nS>B ACK call=l2 from=f2\nS>A 486 call=l1 from=f1\nA>S ACK call=l1 from=f1\nwait 60000\n", ""), NULL },
    { "early-media-blocked",
      "rtp B>S call=l2 packets=500 early=400 from=1000 to=11000\nmedia visible\n"
      B2BUA("B>S 183 call=l2 from=f2 ip=10.0.0.2\nS>A 183 call=l1 from=f1 ip=10.0.0.19\n+9000 B>S 404 call=l2 from=f2\nS>B ACK call=l2 from=f2\nS>A 404 call=l1 from=f1\nA>S ACK call=l1 from=f1\nwait 60000\n", ""),
      GOOD, NULL },
    { "server-error-hides-503",
      B2BUA("B>S 503 call=l2 from=f2\nS>B ACK call=l2 from=f2\nS>A 500 call=l1 from=f1\nA>S ACK call=l1 from=f1\nwait 60000\n", ""), NULL, NULL },
    { "dropped-by-server",
      B2BUA("B>S 180 call=l2 from=f2\nS>A 180 call=l1 from=f1\n+3000 B>S 200 call=l2 from=f2 ip=10.0.0.2\nS>B ACK call=l2 from=f2\nS>A 200 call=l1 from=f1 ip=10.0.0.2\nA>S ACK call=l1 from=f1\n"
            "+44000 S>A BYE rev call=l1 from=f1 | Reason: Q.850;cause=31\nS>B BYE call=l2 from=f2 | Reason: Q.850;cause=31\nA>S 200 BYE rev call=l1 from=f1\nB>S 200 BYE call=l2 from=f2\nwait 60000\n", ""),
      B2BUA("B>S 180 call=l2 from=f2\nS>A 180 call=l1 from=f1\n+3000 B>S 200 call=l2 from=f2 ip=10.0.0.2\nS>B ACK call=l2 from=f2\nS>A 200 call=l1 from=f1 ip=10.0.0.2\nA>S ACK call=l1 from=f1\n"
            "+44000 A>S BYE call=l1 from=f1\nS>A 200 BYE call=l1 from=f1\nS>B BYE call=l2 from=f2\nB>S 200 BYE call=l2 from=f2\nwait 60000\n", ""), NULL },
    { "no-answer-timer",
      B2BUA("B>S 180 call=l2 from=f2\nS>A 180 call=l1 from=f1\n+20000 S>B CANCEL call=l2 from=f2\nB>S 200 CANCEL call=l2 from=f2\nB>S 487 call=l2 from=f2\nS>B ACK call=l2 from=f2\nS>A 480 call=l1 from=f1\nA>S ACK call=l1 from=f1\nwait 60000\n", ""),
      B2BUA("B>S 180 call=l2 from=f2\nS>A 180 call=l1 from=f1\n+20000 A>S CANCEL call=l1 from=f1\nS>A 200 CANCEL call=l1 from=f1\nS>A 487 call=l1 from=f1\nA>S ACK call=l1 from=f1\nS>B CANCEL call=l2 from=f2\nB>S 200 CANCEL call=l2 from=f2\nB>S 487 call=l2 from=f2\nS>B ACK call=l2 from=f2\nwait 60000\n", ""), NULL },
    { "server-slow",
      B2BUA("B>S 486 call=l2 from=f2\nS>B ACK call=l2 from=f2\nS>A 486 call=l1 from=f1\nA>S ACK call=l1 from=f1\nwait 60000\n", "+4000 "), GOOD, "-" },
    { "forwarded-on-busy",
      B2BUA("B>S 486 call=l2 from=f2\nS>B ACK call=l2 from=f2\nS>C INVITE call=l3 from=f3 uri=sip:carol@b.example | Session-ID: ab30317f1a784dc48ff824d0d3715d86\nC>S 180 call=l3 from=f3\nS>A 180 call=l1 from=f1\n"
            "+3000 C>S 200 call=l3 from=f3\nS>C ACK call=l3 from=f3\nS>A 200 call=l1 from=f1 ip=10.0.0.3\nA>S ACK call=l1 from=f1\n+9000 A>S BYE call=l1 from=f1\nS>A 200 BYE call=l1 from=f1\nS>C BYE call=l3 from=f3\nC>S 200 BYE call=l3 from=f3\nwait 60000\n", ""),
      GOOD, "-" },
    { "forwarded-on-no-answer",
      B2BUA("B>S 180 call=l2 from=f2\nS>A 180 call=l1 from=f1\n+20000 S>B CANCEL call=l2 from=f2\nB>S 200 CANCEL call=l2 from=f2\nB>S 487 call=l2 from=f2\nS>B ACK call=l2 from=f2\nS>C INVITE call=l3 from=f3 uri=sip:carol@b.example | Session-ID: ab30317f1a784dc48ff824d0d3715d86\nC>S 180 call=l3 from=f3\n"
            "+3000 C>S 200 call=l3 from=f3\nS>C ACK call=l3 from=f3\nS>A 200 call=l1 from=f1 ip=10.0.0.3\nA>S ACK call=l1 from=f1\n+9000 A>S BYE call=l1 from=f1\nS>A 200 BYE call=l1 from=f1\nS>C BYE call=l3 from=f3\nC>S 200 BYE call=l3 from=f3\nwait 60000\n", ""),
      GOOD, "-" },
    { "route-failover",
      B2BUA("B>S 503 call=l2 from=f2\nS>B ACK call=l2 from=f2\nS>C INVITE call=l3 from=f3 | Session-ID: ab30317f1a784dc48ff824d0d3715d86\nC>S 180 call=l3 from=f3\nS>A 180 call=l1 from=f1\n"
            "+3000 C>S 200 call=l3 from=f3\nS>C ACK call=l3 from=f3\nS>A 200 call=l1 from=f1 ip=10.0.0.3\nA>S ACK call=l1 from=f1\n+9000 A>S BYE call=l1 from=f1\nS>A 200 BYE call=l1 from=f1\nS>C BYE call=l3 from=f3\nC>S 200 BYE call=l3 from=f3\nwait 60000\n", ""),
      GOOD, "-" },
};
const struct cause_rows cause_rows_media = { rows, ARRAY_LEN(rows) };
