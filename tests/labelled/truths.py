"""What is true of the calls in samples/: recorded from real programs by tools/record-samples.

SPDX-License-Identifier: Apache-2.0
"""
from cases import Truth, case, good

PROGRAMS = {"baresip": "baresip 1.0.0, Kamailio 5.6.3", "sipp": "SIPp 3.6.1"}


def sample(file, programs, *truths, joins=None):
    case(f"samples/{file}", *truths, made="samples", programs=PROGRAMS[programs], joins=joins)(None)


def every(count, why):
    return [good(why, n) for n in range(1, count + 1)]


sample("call-busy-486.pcap", "baresip", Truth("busy", "the phone rings, its owner refuses with 486", also="declined"))
sample("call-cancelled-487.pcap", "baresip", Truth("no-answer-caller", "it rings, the caller gives up"))
sample("call-no-answer-408.pcap", "baresip", Truth("no-answer-timer", "it rings 6 s, the proxy's timer cancels and says 408"))
sample("call-codec-488.pcap", "baresip", Truth("codec-mismatch", "G.722 alone against PCMU alone: 488"))
sample("call-unknown-404-and-480.pcap", "baresip",
       Truth("unallocated-number", "the name zoe does not exist: 404", 1, also="not-registered"),
       Truth("not-registered", "carol exists and is not registered: 480 from the proxy at once", 2, also="temporarily-unavailable"))  # fmt: skip
sample("call-nobody-there.pcap", "baresip", Truth("no-reply", "seven INVITEs, nothing comes back"))
sample("call-port-closed-icmp.pcap", "baresip", Truth("icmp-port-closed", "no program listens there: ICMP port unreachable"))
sample("call-unavailable-503.pcap", "sipp", Truth("server-overloaded", "503 with Retry-After", also="service-unavailable"))
sample("call-alternative-380.pcap", "sipp", Truth("volte-fallback", "380 Alternative Service, the caller does nothing more", also="redirect-not-followed"))
sample("call-declined-603.pcap", "sipp", Truth("declined", "603 with Q.850 21", also="caller-forbidden"))
sample("call-announcement-404.pcap", "sipp", Truth("unallocated-number", "announcement with 183, then 404 with Q.850 1"))
sample("call-ack-lost.pcap", "sipp", Truth("ack-missing", "the caller gets the 200 and never sends an ACK; BYE of the callee after 32 s", also="ack-lost"))
sample("demo-office.pcapng", "baresip", good("answered, hold, ended by the callee", 1), Truth("busy", "486 after ringing", 2, also="declined"),
       Truth("no-answer-caller", "cancelled while it rings", 3), Truth("unallocated-number", "404: zoe does not exist", 4, also="not-registered"),
       Truth("codec-mismatch", "G.722 alone is refused with 488", 5),
       Truth("server-error-hides-503", "the provider says 503, the proxy 500", 6, also="server-overloaded"),
       Truth("no-answer-timer", "the proxy's timer ends the ringing: 408", 7), good("answered, ended by the caller", 8), joins=[])  # fmt: skip
sample("call-answered-407.pcapng", "baresip", *every(1, "407 once, answered"))
sample("call-with-audio.pcapng", "baresip", *every(1, "voice both ways"))
sample("call-forked.pcap", "baresip", *every(1, "two phones ring, one answers"))
sample("call-hold-resume.pcap", "baresip", *every(1, "hold and resume"))
sample("call-transfer-blind.pcap", "baresip", good("handed over to carol", 1), good("alice's call to carol", 2))
sample("call-forwarded-busy-181.pcap", "baresip", *every(1, "bob is busy, 181, carol answers"))
sample("call-ipv6.pcapng", "baresip", *every(1, "IPv6"))
sample("call-redirected-302.pcap", "sipp", *every(1, "302, the caller follows, answered"))
sample("call-redirected-by-proxy.pcap", "sipp", *every(1, "302, the proxy follows, answered"))
sample("call-volte-prack-update.pcapng", "sipp", *every(1, "all of a VoLTE call: PRACK, UPDATE, preconditions"))
sample("call-update-session-timer.pcap", "sipp", *every(1, "a session timer is renewed with UPDATE"))
sample("call-info-dtmf.pcap", "sipp", *every(1, "a digit with INFO, accepted"))
sample("call-cancel-too-late.pcap", "sipp", *every(1, "the CANCEL crosses the 200; the call is ended in order"))
sample("call-fragmented-invite.pcap", "sipp", *every(1, "an INVITE in two fragments, answered"))
sample("call-tcp-segments.pcap", "sipp", *every(5, "one of five calls on one TCP connection"), joins=[])
sample("call-websocket.pcap", "baresip", *every(1, "SIP over WebSocket"))
sample("hep3-from-kamailio.pcap", "baresip", *every(1, "the same call as Kamailio reports it with HEP"))
sample("any-interface-duplicates.pcap", "sipp", *every(1, "each packet twice, from two interfaces"))
sample("vlan-tagged.pcap", "sipp", *every(1, "inside two VLAN tags"))
sample("register-wrong-password.pcap", "baresip",
       Truth("auth-wrong-password", "sixteen tries of one phone with a wrong password", "*", also="password-guessing", where="either"))  # fmt: skip
sample("register-refused-403-404.pcap", "baresip",
       Truth("registration-refused", "one phone is forbidden, one unknown", "*", also="auth-rejected", where="either"))  # fmt: skip
sample("register-then-leave.pcap", "baresip", good("401 once, 200, and the registration taken back", "*"))
sample("others-options-message-publish-subscribe.pcap.gz", "sipp", good("no call at all", "*"))
