"""The labelled captures that are written by script: real recordings rewritten, and calls generated.

Each function returns the frames of one capture. tests/labelled/make runs them; the outcome is the
same every time. The first half changes what real programs sent (samples/ and tests/labelled/
captures/); the second half plays what no program here can play.
SPDX-License-Identifier: Apache-2.0
"""
import datetime
import pathlib
import re
import struct

import recordings  # noqa: F401  their cases are the bases of many here
from cases import CASES, Truth, case, good
from packets import checksum, icmp_frame, read_capture, udp_of
from play import Call, Stream, Tcp, Wire, conversation, message, sdp

HERE = pathlib.Path(__file__).resolve().parent
SAMPLES = HERE.parent.parent / "samples"
CAPTURES = HERE / "captures"


def base(name):
    """(frames as they are, the Udp of each or None) of a recording."""
    path = SAMPLES / name if (SAMPLES / name).exists() else CAPTURES / name
    link, frames = read_capture(path)
    assert link == 1, name
    return [(micros, frame, udp_of(micros, frame)) for micros, frame in frames]


def changed(name, change):
    """The recording with change(udp) applied to each UDP packet: it may alter the packet in place,
    return None to leave it, False to drop it, or a list of Udp to put in its place."""
    out = []
    for micros, frame, udp in base(name):
        if udp is None:
            if frame[12:14] in (b"\x08\x00",) and frame[23] == 1:
                continue  # ICMP about packets that may be gone
            out.append((micros, frame))
            continue
        result = change(udp)
        if result is False:
            continue
        out += [u.frame() for u in (result if isinstance(result, list) else [udp])]
    return out


def rewriting(file, source, what, *truths, joins=None):
    """A case made of the recording `source` by the decorated change(udp)."""

    def keep(change):
        def build():
            state = change
            return changed(source, state() if getattr(change, "fresh", False) else state)

        programs = CASES[source].programs if source in CASES else "as in samples/INDEX.tsv"
        case(file, *truths, made=f"rewritten from {source}: {what}", programs=programs, joins=joins)(build)
        return change

    return keep


def fresh(maker):
    """The decorated function makes a new change(udp), with state of its own, for each build."""
    maker.fresh = True
    return maker


def generated(file, *truths, joins=None):
    def keep(play):
        def build():
            wire = Wire(file)
            play(wire)
            return wire.frames

        case(file, *truths, made="generated", programs="tests/labelled/made.py", joins=joins)(build)
        return play

    return keep


def from_bob(udp):
    return udp.source[0] == "192.0.2.1" and not udp.sip


# Real recordings, rewritten


@rewriting("nat-private-contact.pcap", "call-ack-lost.pcap",
           "the Contact of the 200 names 10.20.0.5; the caller sends an ACK there after each 200",
           Truth("nat-private-contact", "the ACKs go to the private address of the callee's Contact and never arrive: the 200 is repeated for 32 s, then BYE",
                 also="contact-unreachable ack-lost"))  # fmt: skip
def nat_private_contact(udp):
    if not udp.is_reply(200) and not udp.is_reply(180):
        return None
    udp.replace(r"(?m)^Contact: <sip:bob@[^:>;]*", "Contact: <sip:bob@10.20.0.5")
    udp.replace(r"(?m)^(o=\S+ \S+ \S+ IN IP4) \S+", r"\1 10.20.0.5")
    if not udp.is_reply(200):
        return None
    via = udp.header("Via").replace("branch=z9hG4bK", "branch=z9hG4bKack")
    head = ["ACK sip:bob@10.20.0.5:5060 SIP/2.0", "@Via", f"From: {udp.header('From')}", f"To: {udp.header('To')}",
            f"Call-ID: {udp.header('Call-ID')}", "CSeq: 1 ACK", "Max-Forwards: 70"]  # fmt: skip
    ack = type(udp)(udp.micros + 900, udp.frame()[1])
    ack.source, ack.target, ack.payload = udp.target, ("10.20.0.5", 5060), message(head, [via], "")
    return [udp, ack]


@rewriting("sip-alg-400.pcap", "call-busy-486.pcap",
           "the router has put its address into Via and SDP but not into Contact and o=, and left Content-Length as it was; the server says 400",
           Truth("sip-alg", "half-done rewriting on the way: addresses that belong together differ, Content-Length does not fit, 400",
                 also="message-malformed"))  # fmt: skip
@fresh
def sip_alg_400():
    done = []

    def change(udp):
        if udp.is_request("INVITE") and udp.source[0] == "192.0.2.11":
            length = udp.header("Content-Length")
            udp.source = ("198.51.100.44", 31060)
            text = udp.text.replace("Contact: <sip:alice-", "Contact: <sip:alice@10.0.0.11;x=")
            text = re.sub(r"(?m)^(Contact: <sip:)[^>]*", r"\g<1>alice@10.0.0.11:5060", text)
            text = re.sub(r"(?m)^Via: SIP/2.0/UDP [^;]*", "Via: SIP/2.0/UDP 198.51.100.44:31060", text)
            text = re.sub(r"(?m)^(o=\S+ \S+ \S+ IN IP4) \S+", r"\1 10.0.0.11", text)
            text = re.sub(r"(?m)^c=IN IP4 \S+", "c=IN IP4 198.51.100.44", text)
            text = re.sub(r"(?m)^Content-Length: \d+", f"Content-Length: {length}", text)
            udp.payload = text.encode()
            via, done_at = udp.header("Via"), udp.micros
            done.append(udp)
            to = udp.header("To") + ";tag=9a1"
            head = ["SIP/2.0 400 Content-Length mismatch", "@Via", f"From: {udp.header('From')}", f"To: {to}",
                    f"Call-ID: {udp.header('Call-ID')}", f"CSeq: {udp.header('CSeq')}", "Server: kamailio"]  # fmt: skip
            reply = type(udp)(done_at, udp.frame()[1])
            reply.micros, reply.source, reply.target = done_at + 1900, udp.target, udp.source
            reply.payload = message(head, [via], "")
            ack = type(udp)(done_at, udp.frame()[1])
            ack.micros = done_at + 4100
            ack.payload = message(["ACK sip:bob@example.org SIP/2.0", "@Via", f"From: {udp.header('From')}", f"To: {to}",
                                   f"Call-ID: {udp.header('Call-ID')}", udp_cseq(udp, "ACK"), "Max-Forwards: 70"], [via], "")  # fmt: skip
            return [udp, reply, ack]
        return False

    return change


def udp_cseq(udp, method):
    return f"CSeq: {udp.header('CSeq').split()[0]} {method}"


@rewriting("codec-not-negotiated.pcap.gz", "good-voice.pcap.gz", "bob's packets have payload type 18 (G.729), 20 bytes each; the SDP is as it was",
           Truth("codec-not-negotiated", "bob sends G.729, which nobody offered"))  # fmt: skip
def codec_not_negotiated(udp):
    if from_bob(udp) and udp.rtp:
        udp.payload = udp.payload[:1] + bytes((udp.payload[1] & 0x80 | 18,)) + udp.payload[2:32]


@rewriting("codec-asymmetry.pcap.gz", "good-voice.pcap.gz", "bob's packets have payload type 8 (PCMA)",
           Truth("codec-asymmetry", "alice sends PCMU, bob PCMA; both were offered and accepted"))  # fmt: skip
def codec_asymmetry(udp):
    if from_bob(udp) and udp.rtp:
        udp.payload = udp.payload[:1] + bytes((udp.payload[1] & 0x80 | 8,)) + udp.payload[2:]


@rewriting("silence-sent.pcap.gz", "good-voice.pcap.gz", "the content of bob's packets is the value of silence (0xff, PCMU)",
           Truth("silence-sent", "bob's phone sends nothing but silence: a muted or broken microphone"))  # fmt: skip
def silence_sent(udp):
    if from_bob(udp) and udp.rtp:
        udp.payload = udp.payload[:12] + b"\xff" * (len(udp.payload) - 12)


@rewriting("senders-mixed.pcap.gz", "good-voice.pcap.gz", "from the third second on, each packet of bob comes a second time with another SSRC and other numbers",
           Truth("senders-mixed", "two senders speak to alice at once, to the same port"))  # fmt: skip
@fresh
def senders_mixed():
    first = []

    def change(udp):
        if not (from_bob(udp) and udp.rtp):
            return None
        first.append(udp.micros)
        if udp.micros - first[0] < 2000000:
            return None
        other = type(udp)(udp.micros + 7000, udp.frame()[1])
        number = (struct.unpack_from(">H", udp.payload, 2)[0] + 4711) & 0xFFFF
        stamp = (struct.unpack_from(">I", udp.payload, 4)[0] + 99991) & 0xFFFFFFFF
        other.payload = udp.payload[:2] + struct.pack(">HII", number, stamp, 0x5EC0D001) + udp.payload[12:][::-1]
        return [udp, other]

    return change


@rewriting("forged-bye.pcap.gz", "good-voice.pcap.gz", "at 5 s a BYE with the right tags comes from 203.0.113.66 and is answered; alice's own BYE is gone",
           Truth("forged-bye", "a stranger ended the call while both sides were speaking", also="ended-unexplained"))  # fmt: skip
@fresh
def forged_bye():
    known = {}

    def change(udp):
        if udp.sip:
            if udp.is_reply(200):
                known.update(udp=udp, at=udp.micros, to=udp.header("To"), frm=udp.header("From"), id=udp.header("Call-ID"))
            if udp.is_request("BYE") or udp.is_reply(200, "BYE"):
                return False
            return None
        if known and not known.get("sent") and udp.micros - known["at"] > 5000000:
            known["sent"] = True
            ok = known["udp"]
            contact = f"sip:alice@{ok.target[0]}"
            via = "SIP/2.0/UDP 203.0.113.66:5060;branch=z9hG4bK77deadbe"
            head = [f"BYE {contact} SIP/2.0", "@Via", f"From: {known['to']}", f"To: {known['frm']}", f"Call-ID: {known['id']}",
                    "CSeq: 4000 BYE", "Max-Forwards: 70"]  # fmt: skip
            bye = type(udp)(udp.micros, ok.frame()[1])
            bye.micros, bye.source, bye.target = udp.micros + 300, ("203.0.113.66", 5060), ok.target
            bye.payload = message(head, [via], "")
            reply = type(udp)(udp.micros, ok.frame()[1])
            reply.micros, reply.source, reply.target = udp.micros + 900, ok.target, ("203.0.113.66", 5060)
            reply.payload = message(["SIP/2.0 200 OK", "@Via", *head[2:6]], [via], "")
            return [udp, bye, reply]
        # The two phones do not hear of it and go on for another second.
        if known.get("sent") and udp.micros - known["at"] > 6000000:
            return False
        return None

    return change


@rewriting("hold-not-resumed.pcap.gz", "good-hold-voice.pcap.gz", "the re-INVITE that takes the call back is gone with all that belongs to it, and so is the voice after it",
           Truth("hold-not-resumed", "the call is on hold from the fourth second to its end, ten seconds later"))  # fmt: skip
@fresh
def hold_not_resumed():
    seen = []

    def change(udp):
        if udp.sip and udp.is_request("INVITE"):
            seen.append(udp.header("CSeq"))
        if len(set(seen)) < 3:
            return None
        if udp.sip:
            return False if "INVITE" in udp.header("CSeq") or "ACK" in udp.header("CSeq") else None
        return False

    return change


@rewriting("dtmf-not-agreed.pcap.gz", "good-dtmf.pcap.gz", "bob's answer does not name telephone-event",
           Truth("dtmf-mismatch", "alice sends her digits as events with type 101, bob's answer does not know it",
                 also="dtmf-not-agreed"))  # fmt: skip
def dtmf_not_agreed(udp):
    if udp.sip and udp.is_reply(200):
        udp.replace(r"(?m)^(m=audio .*) 101(?=\r)", r"\1")
        udp.replace(r"a=(rtpmap|fmtp):101 [^\r]*\r\n", "")


@rewriting("clock-skew.pcap.gz", "good-voice.pcap.gz", "bob's 200 has a Date header that is 47 minutes off",
           Truth("clock-skew", "the Date of the answer is 47 minutes behind the capture", where="finding"))  # fmt: skip
def clock_skew(udp):
    if udp.sip and udp.is_reply(200):
        then = datetime.datetime.fromtimestamp(udp.micros / 1e6 - 47 * 60, datetime.timezone.utc)
        udp.replace(r"\r\nContact:", "\r\nDate: " + then.strftime("%a, %d %b %Y %H:%M:%S GMT") + "\r\nContact:", count=1)


@rewriting("ghost-ring-answered.pcap", "call-volte-prack-update.pcapng", "UPDATE and its 200 come half a second after the 180 and its PRACK",
           Truth("ghost-ring", "the phone rings before the UPDATE says that the mandatory preconditions are met; then it is answered"))  # fmt: skip
def ghost_ring_answered(udp):
    if udp.sip and ("UPDATE" in udp.header("CSeq")):
        udp.micros += 600000


@rewriting("session-timer-1800.pcap", "session-timer-no-refresh.pcap", "Session-Expires 1800 for 90, and the BYE at 1768 s",
           Truth("session-timer-no-refresh", "the caller promised to renew every 900 s and never does; the callee's BYE comes 32 s before the end",
                 also="session-timer-expired"))  # fmt: skip
@fresh
def session_timer_1800():
    begin = []

    def change(udp):
        begin.append(udp.micros)
        if udp.sip:
            udp.replace(r"(?m)^Session-Expires: 90", "Session-Expires: 1800")
            if "BYE" in udp.header("CSeq"):
                udp.micros += 1708 * 1000000
        return None

    return change


@rewriting("one-way-by-rewriting.pcap.gz", "call-with-audio.pcapng", "bob's RTP and RTCP are gone",
           Truth("one-way-audio-caller-deaf", "nothing comes from bob, alice speaks", also="firewall-blocks-media"))  # fmt: skip
def one_way_by_rewriting(udp):
    return False if from_bob(udp) else None


@case("media-not-learned.pcap.gz",
      Truth("nat-media-not-learned", "bob sends to 192.0.2.100:41000 as the SDP says, alice's voice comes from another port of the router, which refuses what arrives at 41000",
            also="firewall-blocks-media one-way-audio-caller-deaf"), programs=f"{CASES['nat-private-sdp.pcap.gz'].programs}",
      made="rewritten from nat-private-sdp.pcap.gz: alice's SDP names the router's address and port 41000; the router refuses each tenth of bob's packets (ICMP 3/3)")  # fmt: skip
def media_not_learned():
    refused = []

    def change(udp):
        if udp.sip:
            if udp.is_request("INVITE"):
                udp.replace("10\\.0\\.0\\.11", "192.0.2.100").replace(r"(?m)^m=audio \d+", "m=audio 41000")
        elif udp.target[0] == "10.0.0.11":
            udp.target = ("192.0.2.100", 41000 + (1 if udp.rtcp else 0))
            refused.append(udp.frame())

    frames = changed("nat-private-sdp.pcap.gz", change)
    return frames + [(micros + 400, icmp_frame("192.0.2.100", frame, 3)) for micros, frame in refused[::10]]


@rewriting("good-nat-learned.pcap.gz", "nat-private-sdp.pcap.gz", "bob's side learns: its voice goes to the address from which alice's comes",
           good("a private address in the SDP, but the other side sends to where the voice comes from: heard both ways"))  # fmt: skip
@fresh
def good_nat_latched():
    seen = {}

    def change(udp):
        if udp.sip:
            return None
        kind = "rtcp" if udp.rtcp else "rtp"
        if udp.source[0] == "192.0.2.100":
            seen[kind] = udp.source
        elif udp.target[0] == "10.0.0.11":
            if kind not in seen:
                return False
            udp.target = seen[kind]
        return None

    return change


@rewriting("good-starts-mid-call.pcap.gz", "good-voice.pcap.gz", "the capture begins two seconds after the answer: no INVITE, no SDP",
           good("only voice, BYE and 200 are seen"))  # fmt: skip
@fresh
def good_starts_mid_call():
    answer = []

    def change(udp):
        if udp.sip and udp.is_request("ACK"):
            answer.append(udp.micros)
        return None if answer and udp.micros - answer[0] > 2000000 else False

    return change


@rewriting("good-begins-with-200.pcap.gz", "good-voice.pcap.gz", "the capture begins with the 200",
           good("the INVITE was not captured; 200, ACK, voice and BYE are"))  # fmt: skip
@fresh
def good_begins_with_200():
    answer = []

    def change(udp):
        if udp.sip and udp.is_reply(200):
            answer.append(udp)
        return None if answer else False

    return change


@rewriting("good-signalling-only.pcap", "good-voice.pcap.gz", "the capture filter took port 5060 only",
           good("no voice in the capture at all proves nothing"))  # fmt: skip
def good_signalling_only(udp):
    return None if udp.sip else False


@rewriting("good-reordered.pcap.gz", "good-voice.pcap.gz", "every 50th packet of bob comes 25 ms later, behind its successor",
           good("2 % of the packets change places: a jitter buffer puts that right"))  # fmt: skip
@fresh
def good_reordered():
    count = []

    def change(udp):
        if from_bob(udp) and udp.rtp:
            count.append(1)
            if len(count) % 50 == 0:
                udp.micros += 25000
        return None

    return change


@rewriting("good-copies.pcap.gz", "good-voice-auth-callee-ends.pcap.gz", "a mirror of two switch ports: every packet is in the capture twice, 0.1 ms apart",
           good("copies by the capture are no repetitions and no duplicates"))  # fmt: skip
def good_copies(udp):
    again = type(udp)(udp.micros + 100, udp.frame()[1])
    again.micros = udp.micros + 100
    return [udp, again]


@rewriting("good-private-lan.pcap.gz", "good-voice.pcap.gz", "all addresses are of one private network",
           good("both phones and the server live at 10.1.1.x: a private address is right there"))  # fmt: skip
def good_private_lan(udp):
    if udp.sip:
        udp.replace(r"192\.0\.2\.", "10.1.1.")
    udp.source = (udp.source[0].replace("192.0.2.", "10.1.1."), udp.source[1])
    udp.target = (udp.target[0].replace("192.0.2.", "10.1.1."), udp.target[1])


# Generated: what fails

A, P, B, GW = "198.51.100.11", "198.51.100.1", "198.51.100.21", "203.0.113.7"


@generated("early-media-blocked.pcap.gz",
           Truth("early-media-blocked", "the gateway plays an announcement for 9 s before the answer; the caller's router refuses each packet (ICMP 3/13); after the answer the voice flows",
                 also="firewall-blocks-media"))  # fmt: skip
def early_media_blocked(wire):
    call = Call(wire, [A, GW])
    at = call.invite(0, sdp(A, 16000))
    call.reply(at, 100)
    call.reply(at + 0.4, 183, body=sdp(GW, 18000, (8, 101), user=815), headers=["P-Early-Media: sendrecv"])
    gate = Stream(wire, (GW, 18000), (A, 16000))
    before = len(wire.frames)
    gate.talk(0.5, 9.5)
    for micros, frame in wire.frames[before::25]:
        wire.frames.append((micros + 700, icmp_frame("198.51.100.254", frame, 13)))
    at = call.reply(9.6, 200, body=sdp(GW, 18000, (8, 101), user=815))
    call.ack(at)
    gate.talk(9.62, 16)
    Stream(wire, (A, 16000), (GW, 18000)).talk(9.62, 16)
    call.bye(16)


@generated("false-ringing.pcap",
           Truth("false-ringing", "the proxy tells the caller 180 after 0.3 s; behind it the far side only says 100, for 20 s, until the caller gives up",
                 also="no-progress"))  # fmt: skip
def false_ringing(wire):
    call = Call(wire, [A, P, GW])
    at = call.invite(0, sdp(A, 16000))
    call.reply(0.01, 100, hops=1, from_hop=1)
    call.reply(at + 0.05, 100, hops=1)
    call.reply(0.3, 180, from_hop=1)
    call.cancel(20.3)


@generated("dropped-by-server.pcap.gz",
           Truth("dropped-by-server", "a B2BUA ends both legs after 12 s with a Reason; neither phone hung up"),
           Truth("dropped-by-server", "the same on the second leg", call=2), joins=[[1, 2]])  # fmt: skip
def dropped_by_server(wire):
    one, two = two_legs(wire, end=None)
    conversation(wire, (A, 16000), (P, 30000), 3.2, 16)
    conversation(wire, (P, 30002), (B, 18000), 3.2, 16)
    reason = ['Reason: SIP;cause=500;text="Internal media server restart"']
    one.bye(16, 1, reason)
    two.bye(16.002, 0, reason)


def two_legs(wire, begin=0.0, end=16.0, key=(), ids=(None, None), caller="alice", callee="bob", caller_ip=A, server=P, callee_ip=B,
             media=None, numbers=None, more_one=(), more_two=(), ring_s=3.0, codes=None):  # fmt: skip
    """A call into a B2BUA and the call out of it; key: headers of both legs."""
    one = Call(wire, [caller_ip, server], caller, callee, call_id=ids[0])
    two = Call(wire, [server, callee_ip], *(numbers or (caller, callee)), call_id=ids[1], domain="pbx.example.net")
    one.agents, two.agents = ("Phone A/2.1", "pbx 18.4"), ("pbx 18.4", "Phone B/7.0")
    m = media or {}
    at = one.invite(begin, sdp(caller_ip, m.get("a", 16000)), [*key, *more_one])
    one.reply(at, 100)
    at = two.invite(at + 0.012, sdp(m.get("pbx", server), m.get("p2", 30002), user=99), [*key, *more_two])
    two.reply(at, 100)
    at = two.reply(at + 0.1, 180)
    one.reply(at + 0.002, 180)
    at = two.reply(at + ring_s, 200, body=sdp(callee_ip, m.get("b", 18000), (8, 101), user=815))
    two.ack(at + 0.001)
    at = one.reply(at + 0.002, 200, body=sdp(m.get("pbx", server), m.get("p1", 30000), (8, 101), user=100))
    one.ack(at + 0.001)
    if end is not None:
        one.bye(end)
        two.bye(end + 0.004)
    return one, two


@generated("call-time-limit.pcap",
           Truth("call-time-limit", "the server ends both legs after exactly 3600 s", also="dropped-by-server"),
           Truth("call-time-limit", "the second leg", call=2, also="dropped-by-server"), joins=[[1, 2]])  # fmt: skip
def call_time_limit(wire):
    one, two = two_legs(wire, end=None, key=["Session-ID: 47755a9de7794ba387653f2099600ef2;remote=00000000000000000000000000000000"])
    one.bye(3603.127, 1)
    two.bye(3603.127, 0)


@generated("tls-handshake-failed.pcap",
           Truth("tls-handshake-failed", "the proxy tries TLS to the next hop: ClientHello, alert 40, connection closed; the caller gets 503"))  # fmt: skip
def tls_handshake_failed(wire):
    call = Call(wire, [A, P], uri="sip:bob@far.example.net;transport=tls")
    at = call.invite(0, sdp(A, 16000))
    call.reply(at, 100)
    tls(wire, at + 0.02, (P, 43312), (GW, 5061), 40)
    call.refuse(at + 0.2, 503, reason="Service Unavailable")


def tls(wire, at, client, server, alert, by_client=False):
    link = Tcp(wire, client, server)
    at = link.begin(at)
    suites = bytes.fromhex("130213031301c02cc030009fcca9cca8ccaac02bc02f009e")
    name = b"far.example.net"
    sni = struct.pack(">HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
    versions = bytes.fromhex("002b0003020303")
    extensions = sni + versions
    body = b"\x03\x03" + bytes(range(32)) + b"\0" + struct.pack(">H", len(suites)) + suites + b"\1\0"
    body += struct.pack(">H", len(extensions)) + extensions
    hello = b"\1" + len(body).to_bytes(3, "big") + body
    link.send(at, client, b"\x16\x03\x01" + struct.pack(">H", len(hello)) + hello)
    if by_client:
        body = b"\x03\x03" + bytes(range(64, 96)) + b"\0" + b"\xc0\x2f\0\0\0"
        hello = b"\2" + len(body).to_bytes(3, "big") + body
        der = bytes.fromhex("308201e0") + bytes(480)
        certificate = (len(der) + 3).to_bytes(3, "big") + len(der).to_bytes(3, "big") + der
        certificate = b"\x0b" + len(certificate).to_bytes(3, "big") + certificate
        done = b"\x0e\0\0\0"
        flight = hello + certificate + done
        link.send(at + 0.01, server, b"\x16\x03\x03" + struct.pack(">H", len(flight)) + flight)
    link.send(at + 0.02, client if by_client else server, b"\x15\x03\x03\0\2\2" + bytes((alert,)))
    link.end(at + 0.022, client if by_client else server)


@generated("tls-certificate-refused.pcap",
           Truth("tls-certificate-refused", "the proxy does not trust the certificate of the next hop (alert 48, unknown CA); the caller gets 503",
                 also="tls-handshake-failed"))  # fmt: skip
def tls_certificate_refused(wire):
    call = Call(wire, [A, P], uri="sip:bob@far.example.net;transport=tls")
    at = call.invite(0, sdp(A, 16000))
    call.reply(at, 100)
    tls(wire, at + 0.02, (P, 43313), (GW, 5061), 48, True)
    call.refuse(at + 0.2, 503)


@generated("hidden-503-two-legs.pcap",
           Truth("server-error-hides-503", "the gateway says 503 to the B2BUA (leg 2), the B2BUA says 500 to the caller"),
           Truth("service-unavailable", "the leg to the gateway: 503", call=2, also="server-error-hides-503"), joins=[[1, 2]])  # fmt: skip
def hidden_503_two_legs(wire):
    one = Call(wire, [A, P], "+4930555100", "+4989777200", agents=("Phone A/2.1", "pbx 18.4"))
    two = Call(wire, [P, GW], "+4930555100", "+4989777200", agents=("pbx 18.4", "gw 3"), domain="trunk.example.net")
    at = one.invite(0, sdp(A, 16000))
    one.reply(at, 100)
    at = two.invite(at + 0.01, sdp(P, 30000, user=99))
    two.reply(at, 100)
    at = two.refuse(at + 0.2, 503)
    one.refuse(at + 0.002, 500)


@generated("volte-bearer-lost.pcap",
           Truth("volte-bearer-lost", "the network ends the call on both sides: Reason RELEASE_CAUSE 3, the radio bearer for the voice is lost",
                 also="volte-radio-lost"))  # fmt: skip
def volte_bearer_lost(wire):
    qos = ["a=curr:qos local sendrecv", "a=curr:qos remote sendrecv", "a=des:qos mandatory local sendrecv", "a=des:qos mandatory remote sendrecv"]
    call = Call(wire, [A, P, B], caller="+15550101", callee="+15550102", domain="ims.mnc001.mcc001.3gppnetwork.org")
    info = ["P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=001010001000019b", "Supported: 100rel, precondition, timer"]
    call.answered(0, sdp(A, 49120, (97, 101), more=qos), sdp(B, 49320, (97, 101), more=qos, user=815), invite_headers=info)
    reason = ['Reason: RELEASE_CAUSE;cause=3;text="Media bearer loss"']
    side = Call(wire, [P, B], call_id=call.call_id)
    side.tags, side.froms, side.cseq, side.contacts = call.tags, call.froms, [700, 1], call.contacts
    side.bye(21.0, 0, reason)
    other = Call(wire, [A, P], call_id=call.call_id)
    other.tags, other.froms, other.cseq, other.contacts = call.tags, call.froms, [1, 800], call.contacts
    other.bye(21.0, 1, reason)


@generated("amr-mode-mismatch.pcap.gz",
           Truth("amr-mode-mismatch", "AMR: octet-align=1 is offered, the answer says octet-align=0 under the same payload type; both speak"))  # fmt: skip
def amr_mode_mismatch(wire):
    call = Call(wire, [A, B])
    call.answered(0, sdp(A, 16000, (96, 101), fmtp=["96 octet-align=1"]), sdp(B, 18000, (96, 101), fmtp=["96 octet-align=0"], user=815))
    frame = bytes((0xF0, 0x3C)) + bytes(range(31))
    narrow = bytes((0xF3, 0xC0)) + bytes(range(40, 70))
    a, b = Stream(wire, (A, 16000), (B, 18000), pt=96, size=33), Stream(wire, (B, 18000), (A, 16000), pt=96, size=32)
    a.talk(3.2, 11, payload=lambda n: frame)
    b.talk(3.2, 11, payload=lambda n: narrow)
    call.bye(11)


@generated("session-timer-expired.pcap",
           Truth("session-timer-expired", "Session-Expires 300: the caller renews with UPDATE at 150 s, but no repetition is answered; the callee's BYE comes at 268 s",
                 also="session-refresh-failed"))  # fmt: skip
def session_timer_expired(wire):
    call = Call(wire, [A, B])
    timer = ["Supported: timer", "Session-Expires: 300;refresher=uac"]
    call.answered(0, sdp(A, 16000), sdp(B, 18000, (8, 101), user=815), invite_headers=timer, ok_headers=[*timer, "Require: timer"])
    call.send(153, 0, "UPDATE", call.contacts[1], timer, repeats=(0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5))
    call.bye(271, 1, ['Reason: SIP;cause=408;text="Session expired"'])


@generated("fragment-mtu-lost.pcap",
           Truth("invite-fragment-lost", "the INVITE has 2,100 bytes; of its seven sendings only the first fragment passes a link with a smaller MTU",
                 also="no-reply"))  # fmt: skip
def fragment_mtu_lost(wire):
    more = [f"a=candidate:{n} 1 UDP {2130706431 - n} 198.51.100.11 {20000 + 2 * n} typ host generation 0" for n in range(24)]
    probe = Wire("probe")
    Call(probe, [A, GW], call_id="fragments-1@198.51.100.11").invite(0, sdp(A, 16000, more=more))
    whole = probe.frames[0][1]
    datagram = whole[34:]
    for number, at in enumerate((0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5)):
        head = bytearray(whole[14:34])
        part = datagram[:1480]
        struct.pack_into(">HHH", head, 2, 20 + len(part), 0x4000 + number, 0x2000)
        struct.pack_into(">H", head, 10, 0)
        struct.pack_into(">H", head, 10, checksum(bytes(head)))
        wire.put(at, whole[:14] + bytes(head) + part)


@generated("nat-binding-lost.pcap",
           Truth("nat-binding-lost", "bob's phone registers from behind a router and answers a call 5 s later; a second call 10 minutes later gets no reply at the same address",
                 call=2, also="request-timeout firewall-blocks-call"),
           good("the first call, right after the registration", 1))  # fmt: skip
def nat_binding_lost(wire):
    phone = ("203.0.113.5", 40001)
    register = Call(wire, [phone, P], caller="bob", callee="bob", contacts=("sip:bob@203.0.113.5:40001", None), uri="sip:example.org")
    at = register.send(0, 0, "REGISTER", "sip:example.org", ["Contact: <sip:bob@203.0.113.5:40001>", "Expires: 3600"], to_tag=False)
    register.reply(at, 200, "REGISTER", ["Contact: <sip:bob@203.0.113.5:40001>;expires=3600"])
    first = Call(wire, [A, P, phone], uri="sip:bob@example.org")
    first.answered(5, sdp(A, 16000), sdp("203.0.113.5", 18000, (8, 101), user=815))
    first.bye(14)
    second = Call(wire, [A, P, phone], caller="carol", uri="sip:bob@example.org")
    second.invite(640, sdp(A, 16010), upto=1)
    second.reply(640.01, 100, from_hop=1)
    payload_at = 640.012
    leg = Call(wire, [P, phone], caller="carol", call_id=second.call_id)
    leg.tags, leg.cseq = second.tags, [second.cseq[0] - 1, 0]
    leg.send(payload_at, 0, "INVITE", "sip:bob@203.0.113.5:40001", (), sdp(A, 16010), to_tag=False,
             branch="px1", repeats=(0.5, 1.5, 3.5, 7.5, 15.5, 31.5))  # fmt: skip
    second.last["INVITE"] = (0, second.cseq[0], second.last["INVITE"][2], False)
    vias = second.last["INVITE"][2]
    second.last["INVITE"] = (0, second.cseq[0], ["", *vias] if len(vias) == 1 else vias, False)
    back = second.reply(672.1, 408, from_hop=1)
    second.send(back, 0, "ACK", second.uri, (), "", branch=second.invite_branch, cseq=second.cseq[0], upto=1)


@generated("toll-fraud.pcap",
           Truth("toll-fraud", "an address without any account tries the same foreign number with seven prefixes", call="*",
                 also="number-guessing scanner", where="either"))  # fmt: skip
def toll_fraud(wire):
    thief = "203.0.113.99"
    for n, prefix in enumerate(("00", "900", "9900", "0000", "011", "9011", "+")):
        call = Call(wire, [thief, P], caller="1001", callee=f"{prefix}972595551234", agents=("sipcli/v1.8", "pbx 18.4"), domain=P)
        at = call.invite(n * 2.1, sdp(thief, 25282, (0, 8, 101)))
        call.refuse(at + 0.004, 404)


@generated("capture-one-direction.pcap",
           Truth("capture-one-direction", "the mirror port shows only what goes to the server: three calls, no reply seen to any", call="*", where="either"))  # fmt: skip
def capture_one_direction(wire):
    for n, caller in enumerate(("alice", "carol", "dave")):
        call = Call(wire, [A, P], caller)
        call.answered(n * 20, sdp(A, 16000 + 2 * n), sdp(P, 30000 + 2 * n, (8, 101)))
        Stream(wire, (A, 16000 + 2 * n), (P, 30000 + 2 * n)).talk(n * 20 + 3.2, n * 20 + 6)
        call.bye(n * 20 + 12)
    wire.frames[:] = [(m, f) for m, f in wire.frames if udp_of(m, f).target[0] == P]


@generated("jitter-late-discard.pcap.gz",
           Truth("late-discard", "every sixth packet of bob is 180 to 320 ms late, the rest is on time: no usual buffer waits for it",
                 also="jitter-high quality-poor"))  # fmt: skip
def jitter_late_discard(wire):
    call = Call(wire, [A, B])
    call.answered(0, sdp(A, 16000), sdp(B, 18000, (8, 101), user=815))
    late = lambda n: 0.18 + wire.random.random() * 0.14 if n % 6 == 3 else wire.random.random() * 0.001
    conversation(wire, (A, 16000), (B, 18000), 3.2, 15.2, None, {"late": late})
    call.bye(15.2)


@generated("media-stops-callee-long.pcap.gz",
           Truth("media-stopped-callee", "bob's voice ends 25 s before the call, his RTCP too; alice speaks on and hangs up"))  # fmt: skip
def media_stops_callee_long(wire):
    call = Call(wire, [A, B])
    call.answered(0, sdp(A, 16000), sdp(B, 18000, (8, 101), user=815))
    a, b = Stream(wire, (A, 16000), (B, 18000)), Stream(wire, (B, 18000), (A, 16000))
    a.talk(3.2, 36)
    b.talk(3.2, 11)
    call.bye(36)


# Generated: nothing wrong


@generated("good-comfort-noise.pcap.gz", good("both sides fall silent with comfort noise (RFC 3389) and speak again"))
def good_comfort_noise(wire):
    call = Call(wire, [A, B])
    codecs = (8, 13, 101)
    call.answered(0, sdp(A, 16000, codecs, fmtp=[]), sdp(B, 18000, codecs, user=815))
    for stream, offset in ((Stream(wire, (A, 16000), (B, 18000)), 0), (Stream(wire, (B, 18000), (A, 16000)), 2)):
        at = 3.2
        for turn in range(3):
            at = stream.talk(at, at + 2 + offset / 10)
            stream.talk(at, at + 0.02, pt=13, payload=lambda n: b"\x3c", marker=False)
            at += 2.4 - offset / 10
        stream.talk(at, at + 1)
    call.bye(18)


@generated("good-dtx-amr.pcap.gz", good("AMR with DTX: while nobody speaks, a SID frame every 160 ms; the time goes on, the numbers do not jump"))
def good_dtx_amr(wire):
    call = Call(wire, [A, B])
    fmtp = ["96 octet-align=1"]
    call.answered(0, sdp(A, 16000, (96, 101), fmtp=fmtp), sdp(B, 18000, (96, 101), fmtp=fmtp, user=815))
    speech, sid = bytes((0xF0, 0x3C)) + bytes(range(31)), bytes((0xF0, 0x44)) + bytes(5)
    talks = lambda n, shift: (n + shift) % 200 < 90
    for stream, shift in ((Stream(wire, (A, 16000), (B, 18000), pt=96), 0), (Stream(wire, (B, 18000), (A, 16000), pt=96), 100)):
        stream.talk(3.2, 15.2, payload=lambda n, s=shift: speech if talks(n, s) else sid, only=lambda n, s=shift: talks(n, s) or n % 8 == 0)
    call.bye(15.2)


@generated("good-long-ring.pcap", good("it rings 55 s, then somebody answers"))
def good_long_ring(wire):
    call = Call(wire, [A, P, B])
    call.answered(0, sdp(A, 16000), sdp(B, 18000, (8, 101), user=815), ring_s=55)
    call.bye(71)


@generated("good-early-media.pcap.gz", good("183 with SDP and a ringing tone from the gateway, then the answer and voice both ways"))
def good_early_media(wire):
    call = Call(wire, [A, GW])
    at = call.invite(0, sdp(A, 16000))
    call.reply(at, 100)
    call.reply(at + 0.4, 183, body=sdp(GW, 18000, (8, 101), user=815))
    gate = Stream(wire, (GW, 18000), (A, 16000))
    gate.talk(0.45, 6)
    at = call.reply(6, 200, body=sdp(GW, 18000, (8, 101), user=815))
    call.ack(at)
    a = Stream(wire, (A, 16000), (GW, 18000))
    a.talk(6.02, 13)
    gate.talk(6.0, 13, marker=False)
    call.bye(13)


@generated("good-two-at-once.pcap.gz", good("the first of two calls that have nothing to do with each other"), good("the second", 2), joins=[])
def good_two_at_once(wire):
    for n, (caller, callee, one, other) in enumerate((("alice", "bob", A, B), ("carol", "dave", "198.51.100.31", "198.51.100.41"))):
        call = Call(wire, [one, P, other], caller, callee)
        begin = 0.004 * n
        call.answered(begin, sdp(one, 16000), sdp(other, 18000, (8, 101), user=815), ring_s=2 + n)
        conversation(wire, (one, 16000), (other, 18000), begin + 2.3 + n, begin + 9 + n)
        call.bye(begin + 9 + n, n)


@generated("good-b2bua-two-legs.pcap.gz", good("the leg into the B2BUA"), good("the leg out of it", 2), joins=[[1, 2]])
def good_b2bua(wire):
    two_legs(wire, end=12, key=["Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000"])
    conversation(wire, (A, 16000), (P, 30000), 3.2, 12)
    conversation(wire, (P, 30002), (B, 18000), 3.2, 12)


@generated("good-ipv6-tcp.pcap", good("SIP over TCP and IPv6, answered, ended by the callee"))
def good_ipv6_tcp(wire):
    a, b = "2001:db8::11", "2001:db8::21"
    call = Call(wire, [a, b], transport="TCP")
    link = Tcp(wire, (a, 49877), (b, 5060))
    link.begin(-0.01)
    call.carried = lambda at, source, target, payload: link.send(at, (a, 49877) if source[0] == a else (b, 5060), payload)
    call.answered(0, sdp(a, 16000), sdp(b, 18000, (8, 101), user=815))
    call.bye(12, 1)


@generated("good-stale-once.pcap", good("the nonce had grown old: 407, 407 with stale=true, then answered"))
def good_stale_once(wire):
    call = Call(wire, [A, P])
    nonces = ("5f1a", "60b2")
    for n, nonce in enumerate(nonces):
        proof = [f'Proxy-Authorization: Digest username="alice", realm="example.org", nonce="4e00", uri="{call.uri}", response="0a4f113b"'] if n else []
        at = call.invite(n * 0.05, sdp(A, 16000), proof)
        call.refuse(at, 407, [f'Proxy-Authenticate: Digest realm="example.org", nonce="{nonce}", qop="auth"' + (", stale=true" if n else "")])
    proof = [f'Proxy-Authorization: Digest username="alice", realm="example.org", nonce="60b2", uri="{call.uri}", response="0a4f113c"']
    call.answered(0.2, sdp(A, 16000), sdp(P, 30000, (8, 101)), invite_headers=proof)
    call.bye(11)


@generated("good-rtcp-mux-opus-dtx.pcap.gz", good("Opus at 48 kHz with silence suppression, RTCP on the same port"))
def good_opus_dtx(wire):
    call = Call(wire, [A, B])
    more = ["a=rtcp-mux"]
    call.answered(0, sdp(A, 16000, (111, 101), more=more, fmtp=["111 usedtx=1"]), sdp(B, 18000, (111, 101), more=more, fmtp=["111 usedtx=1"], user=815))
    for stream, shift in ((Stream(wire, (A, 16000), (B, 18000), pt=111, clock=48000), 0), (Stream(wire, (B, 18000), (A, 16000), pt=111, clock=48000), 130)):
        stream.talk(3.2, 13.2, only=lambda n, s=shift: (n + s) % 250 < 120 or n % 20 == 0,
                    payload=lambda n: b"\x78" + bytes((n * 7 + k * 31) % 251 for k in range(60)))  # fmt: skip
    call.bye(13.2)


@generated("good-music-on-hold.pcap.gz", good("bob holds alice with music (sendonly) for 8 s: only his direction flows, then both again"))
def good_music_on_hold(wire):
    call = Call(wire, [A, B])
    call.answered(0, sdp(A, 16000), sdp(B, 18000, (8, 101), user=815))
    a, b = Stream(wire, (A, 16000), (B, 18000)), Stream(wire, (B, 18000), (A, 16000))
    a.talk(3.2, 8)
    b.talk(3.2, 22)
    call.reinvite(8, 1, sdp(B, 18000, (8, 101), "sendonly", 2, user=815), sdp(A, 16000, direction="recvonly", version=2))
    call.reinvite(16, 1, sdp(B, 18000, (8, 101), version=3, user=815), sdp(A, 16000, version=3))
    a.talk(16.1, 22)
    call.bye(22)


@generated("good-codec-change.pcap.gz", good("a re-INVITE changes from G.711 to G.722; both follow"))
def good_codec_change(wire):
    call = Call(wire, [A, B])
    call.answered(0, sdp(A, 16000, (8, 101)), sdp(B, 18000, (8, 101), user=815))
    a, b = Stream(wire, (A, 16000), (B, 18000)), Stream(wire, (B, 18000), (A, 16000))
    a.talk(3.2, 8)
    b.talk(3.2, 8)
    call.reinvite(8, 0, sdp(A, 16000, (9, 101), version=2), sdp(B, 18000, (9, 101), version=2, user=815))
    a.talk(8.06, 14, pt=9)
    b.talk(8.06, 14, pt=9)
    call.bye(14)


@generated("good-short.pcap.gz", good("somebody says one word: 1.3 s from answer to BYE"))
def good_short(wire):
    call = Call(wire, [A, B])
    call.answered(0, sdp(A, 16000), sdp(B, 18000, (8, 101), user=815))
    conversation(wire, (A, 16000), (B, 18000), 3.15, 4.4, rtcp=False)
    call.bye(4.4)


@generated("good-session-refresh-1800.pcap", good("Session-Expires 1800, renewed with UPDATE at 900 s and 1800 s, ended at 2000 s"))
def good_session_refresh(wire):
    call = Call(wire, [A, P, B])
    timer = ["Supported: timer", "Session-Expires: 1800;refresher=uac"]
    call.answered(0, sdp(A, 16000), sdp(B, 18000, (8, 101), user=815), invite_headers=timer, ok_headers=[*timer, "Require: timer"])
    for n in (1, 2):
        at = call.send(900 * n, 0, "UPDATE", call.contacts[1], timer)
        call.reply(at, 200, "UPDATE", [*timer, "Require: timer"])
    call.bye(2000)


@generated("good-failover.pcap", good("the first gateway says 503, the proxy tries the second at once, which answers"))
def good_failover(wire):
    other = "203.0.113.8"
    call = Call(wire, [A, P, other])
    call.invite(0, sdp(A, 16000), upto=1)
    call.reply(0.004, 100, from_hop=1)
    first = Call(wire, [P, GW], call_id=call.call_id)
    first.tags, first.cseq = [call.tags[0], "gw1"], [call.cseq[0] - 1, 0]
    at = first.invite(0.005, sdp(A, 16000))
    first.refuse(at + 0.05, 503)
    at = call.send(0.07, 0, "INVITE", None, (), sdp(A, 16000), call.invite_branch, call.invite_cseq, to_tag=False, skip=1)
    call.reply(at, 100, hops=1)
    at = call.reply(at + 0.2, 180)
    at = call.reply(at + 4, 200, body=sdp(other, 18000, (8, 101), user=815))
    call.ack(at)
    call.bye(15)


@generated("good-video.pcap.gz", good("voice and video, both ways"))
def good_video(wire):
    call = Call(wire, [A, B])
    video = lambda port: [f"m=video {port} RTP/AVP 99", "a=rtpmap:99 H264/90000", "a=fmtp:99 profile-level-id=42801F;packetization-mode=1"]
    call.answered(0, sdp(A, 16000, more=video(16002)), sdp(B, 18000, (8, 101), user=815, more=video(18002)))
    conversation(wire, (A, 16000), (B, 18000), 3.15, 8)
    for source, target in (((A, 16002), (B, 18002)), ((B, 18002), (A, 16002))):
        Stream(wire, source, target, pt=99, clock=90000, ms=40).talk(3.2, 8, payload=lambda n: b"\x41" + bytes((n * 13 + k * 7) % 251 for k in range(400)))
    call.bye(8)


@generated("good-announcement-sendonly.pcap.gz", good("a time announcement: the callee's answer says sendonly, so only its direction flows"))
def good_announcement(wire):
    call = Call(wire, [A, GW], callee="1194")
    call.answered(0, sdp(A, 16000), sdp(GW, 18000, (8,), "sendonly", user=815), ring_s=0.2)
    Stream(wire, (GW, 18000), (A, 16000)).talk(0.35, 12)
    call.bye(12)


@generated("good-30-and-20-ms.pcap.gz", good("one side sends packets of 30 ms, the other of 20 ms: both are allowed"))
def good_30_and_20(wire):
    call = Call(wire, [A, B])
    call.answered(0, sdp(A, 16000, ptime=30), sdp(B, 18000, (8, 101), user=815))
    Stream(wire, (A, 16000), (B, 18000)).talk(3.15, 10)
    Stream(wire, (B, 18000), (A, 16000), ms=30, size=240).talk(3.15, 10)
    call.bye(10)
