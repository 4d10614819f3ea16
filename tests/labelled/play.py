"""Calls written as packets: SIP dialogs over any number of proxies, RTP, RTCP.

A Wire collects packets; times are seconds after its beginning. A Call speaks SIP on it: each of its
methods sends one message over all hops of the path and returns the time at which it has arrived.
SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import random
import struct

from packets import tcp_frame, udp_frame, write_capture
from scenarios import MAPS, REASONS

BEGIN_US = 1767603600 * 1000000  # 2026-01-05 09:00:00 UTC
NTP_1970 = 2208988800
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY, MESSAGE"
# A tone in G.711, 20 ms: nothing that could pass for silence.
TONE = bytes((0x9E, 0x8B, 0x84, 0x81, 0x80, 0x81, 0x84, 0x8B, 0x9E, 0xEE, 0x1E, 0x0B, 0x04, 0x01, 0x00, 0x01)) * 10


class Wire:
    def __init__(self, name):
        self.frames, self.random, self.number = [], random.Random(name), 0
        self.name = name

    def put(self, at, frame):
        self.frames.append((BEGIN_US + round(at * 1000000), frame))
        return frame

    def udp(self, at, source, target, payload):
        self.number += 1
        return self.put(at, udp_frame(source, target, payload, self.number))

    def token(self, what=""):
        text = f"{self.name}{what}{self.random.random()}"
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:10]

    def save(self, path):
        write_capture(path, self.frames)


def sdp(address, port, codecs=(8, 0, 101), direction="sendrecv", version=1, more=(), user=4711,
        kind="audio", proto="RTP/AVP", fmtp=(), origin=None, ptime=20):  # fmt: skip
    family = "IP6" if ":" in address else "IP4"
    lines = ["v=0", f"o=- {user} {version} IN {family} {origin or address}", "s=-",
             f"c=IN {family} {address}", "t=0 0", f"m={kind} {port} {proto} {' '.join(map(str, codecs))}"]  # fmt: skip
    lines += [f"a=rtpmap:{c} {MAPS[c]}" for c in codecs if c in MAPS]
    lines += [f"a=fmtp:{f}" for f in fmtp]
    if 101 in codecs:
        lines.append("a=fmtp:101 0-15")
    if kind == "audio":
        lines += [f"a=ptime:{ptime}", f"a={direction}"]
    return "\r\n".join([*lines, *more]) + "\r\n"


class Call:
    """A dialog between path[0], the caller, and path[-1]; proxies in between record themselves."""

    def __init__(self, wire, path, caller="alice", callee="bob", call_id=None, hop_ms=3.0, domain="example.org",
                 transport="UDP", agents=("Phone A/2.1", "Phone B/7.0"), proxy="edge 5.6", contacts=(None, None), uri=None):  # fmt: skip
        self.wire, self.path, self.hop_s = wire, [(p, 5060) if isinstance(p, str) else p for p in path], hop_ms / 1000
        self.users, self.domain, self.transport, self.agents, self.proxy = (caller, callee), domain, transport, agents, proxy
        self.call_id = call_id or f"{wire.token('id')}@{self.path[0][0]}"
        self.tags, self.cseq = [wire.token("a"), wire.token("b")], [wire.random.randint(1, 900), wire.random.randint(1, 900)]
        self.contacts = [c or f"sip:{u}@{where(p)}" for c, u, p in zip(contacts, self.users, (self.path[0], self.path[-1]))]
        self.uri = uri or f"sip:{callee}@{domain}"
        self.froms = [f"<sip:{caller}@{domain}>", f"<sip:{callee}@{domain}>"]
        self.last, self.invite_vias, self.invite_cseq, self.confirmed = {}, None, 0, False
        self.carried = None  # send(at, source, target, payload) of another transport

    def lines(self, side, method, uri, cseq, to_tag, headers, body, hops=70):
        me = self.froms[side] + f";tag={self.tags[side]}"
        you = self.froms[1 - side] + (f";tag={self.tags[1 - side]}" if to_tag else "")
        return [f"{method} {uri} SIP/2.0", "@Via", f"From: {me}", f"To: {you}", f"Call-ID: {self.call_id}",
                f"CSeq: {cseq} {method}", f"Max-Forwards: {hops}", *headers]  # fmt: skip

    def emit(self, at, source, target, payload):
        if self.carried:
            self.carried(at, source, target, payload)
        else:
            self.wire.udp(at, source, target, payload)

    def send(self, at, side, method, uri=None, headers=(), body="", branch=None, cseq=None, to_tag=True, upto=None,
             content="application/sdp", contact=None, repeats=(), skip=0):  # fmt: skip
        """A request over the path; upto: it gets lost after this many hops; skip: hops not seen."""
        if contact is None:
            contact = method in ("INVITE", "UPDATE", "REFER", "SUBSCRIBE", "NOTIFY")
        if cseq is None:
            self.cseq[side] += 1
            cseq = self.cseq[side]
        headers = list(headers)
        if contact:
            headers.append(f"Contact: <{self.contacts[side]}>")
        if method in ("INVITE", "UPDATE"):
            headers.append(f"Allow: {ALLOW}")
        headers.append(f"User-Agent: {self.agents[side]}")
        path = self.path if side == 0 else self.path[::-1]
        vias, branch, arrived = [], branch or self.wire.token("br"), at
        for hop in range(len(path) - 1):
            text = f"SIP/2.0/{self.transport} {where(path[hop])};rport;branch=z9hG4bK{branch}{'-' + str(hop) if hop else ''}"
            vias.insert(0, text)
            lines = self.lines(side, method, uri or self.uri, cseq, to_tag, headers, body, 70 - hop)
            if method == "INVITE" and not to_tag:
                lines += [f"Record-Route: <sip:{where(p)};lr>" for p in path[hop:0:-1]]
            payload = message(lines, vias, body, content)
            if hop >= skip:
                for extra in (0.0, *repeats):
                    self.emit(arrived + extra, path[hop], path[hop + 1], payload)
            arrived += self.hop_s
            if upto is not None and hop + 1 >= upto:
                break
        self.last[method] = (side, cseq, list(vias), to_tag)
        return arrived

    def reply(self, at, code, method="INVITE", headers=(), body="", reason=None, tag=None, hops=None, repeats=(), from_hop=0,
              content="application/sdp", cseq=None):  # fmt: skip
        """An answer over the way back; hops: only over this many (it gets lost); from_hop: the
        proxy this many hops before the far end made it (0: the far end itself)."""
        side, number, vias, _ = self.last[method]
        cseq = cseq or number
        path = self.path if side == 0 else self.path[::-1]
        headers = list(headers)
        if code < 300 and code > 100 and method in ("INVITE", "UPDATE", "SUBSCRIBE"):
            headers.append(f"Contact: <{self.contacts[1 - side]}>")
            if method == "INVITE":
                headers += [f"Record-Route: <sip:{where(p)};lr>" for p in path[-2:0:-1]]
        headers.append(f"Server: {self.agents[1 - side] if not from_hop else self.proxy}")
        me, you = self.froms[side] + f";tag={self.tags[side]}", self.froms[1 - side]
        tag = tag or self.tags[1 - side]
        you += f";tag={tag}" if code > 100 else ""
        start = [f"SIP/2.0 {code} {reason or REASONS[code]}", "@Via", f"From: {me}", f"To: {you}", f"Call-ID: {self.call_id}",
                 f"CSeq: {cseq} {method}", *headers]  # fmt: skip
        arrived, count = at, 0
        for hop in range(len(path) - 1 - from_hop, 0, -1):
            payload = message(start, vias[len(path) - 1 - hop:], body, content)
            for extra in (0.0, *repeats):
                self.emit(arrived + extra, path[hop], path[hop - 1], payload)
            arrived += self.hop_s
            count += 1
            if code == 100 or hops is not None and count >= hops:
                break
        return arrived

    # What every call has

    def invite(self, at, body="", headers=(), **options):
        branch = self.wire.token("inv")
        arrived = self.send(at, 0, "INVITE", None, headers, body, branch, to_tag=False, **options)
        self.invite_branch, self.invite_cseq = branch, self.cseq[0]
        return arrived

    def ack(self, at, body="", failed=False, side=0, **options):
        _, cseq, _, to_tag = self.last["INVITE"]
        if failed:
            options.setdefault("branch", self.invite_branch)
        uri = self.uri if failed else self.contacts[1 - side]
        return self.send(at, side, "ACK", uri, (), body, cseq=cseq, **options)

    def cancel(self, at, headers=()):
        arrived = self.send(at, 0, "CANCEL", self.uri, headers, branch=self.invite_branch, cseq=self.invite_cseq, to_tag=False)
        self.reply(arrived, 200, "CANCEL")
        arrived = self.reply(arrived + 0.001, 487)
        return self.ack(arrived, failed=True)

    def bye(self, at, side=0, headers=(), code=200):
        arrived = self.send(at, side, "BYE", self.contacts[1 - side], headers)
        return self.reply(arrived, code, "BYE") if code else arrived

    def refuse(self, at, code, headers=(), **options):
        arrived = self.reply(at, code, headers=headers, **options)
        return self.ack(arrived, failed=True)

    def answered(self, at, offer, answer, ring_s=3.0, invite_headers=(), ok_headers=(), trying=True):
        """INVITE, 100, 180, 200, ACK; the time of the ACK's arrival."""
        arrived = self.invite(at, offer, invite_headers)
        if trying:
            self.reply(arrived, 100)
        self.reply(arrived + 0.08, 180)
        back = self.reply(arrived + 0.08 + ring_s, 200, headers=ok_headers, body=answer)
        return self.ack(back + 0.002)

    def reinvite(self, at, side, offer, answer, headers=(), ok_headers=(), code=200):
        arrived = self.send(at, side, "INVITE", self.contacts[1 - side], headers, offer)
        branch = self.last["INVITE"][2][-1].split("z9hG4bK")[1]
        back = self.reply(arrived + 0.03, code, headers=ok_headers, body=answer if code == 200 else "")
        return self.ack(back, side=side, **({} if code == 200 else {"branch": branch}))


def where(end):
    return f"[{end[0]}]:{end[1]}" if ":" in end[0] else f"{end[0]}:{end[1]}"


def message(lines, vias, body, content="application/sdp"):
    out = []
    for line in lines:
        out += [f"Via: {v}" for v in vias] if line == "@Via" else [line]
    if body:
        out.append(f"Content-Type: {content}")
    out.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(out) + "\r\n\r\n" + body).encode()


class Stream:
    """One direction of voice: packets and, with a peer, RTCP every five seconds."""

    def __init__(self, wire, source, target, pt=8, clock=8000, ms=20, size=160, ssrc=None):
        self.wire, self.source, self.target, self.pt, self.clock, self.ms, self.size = wire, source, target, pt, clock, ms, size
        self.ssrc = ssrc or wire.random.getrandbits(32)
        self.sequence, self.stamp = wire.random.getrandbits(15), wire.random.getrandbits(31)
        self.sent, self.octets, self.lost, self.lateness = 0, 0, 0, 0.0
        self.begun, self.due = None, []

    def talk(self, begin, end, lost=None, late=None, payload=None, marker=True, pt=None, only=None):
        """Packets from begin to end; lost(n) and late(n) say what the way does to packet n; only(n):
        packet n is sent at all (silence suppression: the time goes on, the numbers do not)."""
        if self.begun is None:
            self.begun, self.base = begin, self.stamp
        count, quiet = round((end - begin) * 1000 / self.ms), marker
        for n in range(count):
            at = begin + n * self.ms / 1000
            stamp = (self.base + round((at - self.begun) * self.clock)) & 0xFFFFFFFF
            if only and not only(n):
                quiet = True
                continue
            head = struct.pack(">BBHII", 0x80, (0x80 if quiet else 0) | (self.pt if pt is None else pt), self.sequence & 0xFFFF,
                               stamp, self.ssrc)  # fmt: skip
            quiet = False
            data = payload(n) if payload else (TONE * 4)[n % 16 :][: self.size]
            self.sequence += 1
            self.sent += 1
            self.octets += len(data)
            if lost and lost(n):
                self.lost += 1
                continue
            delay = late(n) if late else self.wire.random.random() * 0.0008
            self.wire.udp(at + delay, self.source, self.target, head + data)
        return end

    def event(self, at, digit, ms=160, pt=101, ends=3):
        """A key as RFC 4733 events."""
        stamp = (self.base + round((at - self.begun) * self.clock)) & 0xFFFFFFFF
        code = "0123456789*#".index(digit)
        steps = ms // 20
        for n in range(steps + ends):
            end = n >= steps
            length = min(n + 1, steps) * 20 * self.clock // 1000
            body = struct.pack(">BBH", code, (0x80 if end else 0) | 10, length)
            head = struct.pack(">BBHII", 0x80, (0x80 if n == 0 else 0) | pt, self.sequence & 0xFFFF, stamp, self.ssrc)
            self.wire.udp(at + n * 0.02, self.source, self.target, head + body)
            self.sequence += 1
        return at + (steps + ends) * 0.02


def conversation(wire, one, other, begin, end, one_options=None, other_options=None, rtcp=True, **stream_options):
    """Voice both ways between (address, port) one and other, and RTCP that fits it."""
    a, b = Stream(wire, one, other, **stream_options), Stream(wire, other, one, **stream_options)
    a.talk(begin, end, **(one_options or {}))
    b.talk(begin, end, **(other_options or {}))
    if rtcp:
        reports(wire, a, b, begin, end)
    return a, b


def reports(wire, a, b, begin, end, way_s=0.004):
    """Sender reports every five seconds with report blocks; way_s: the time of one way."""
    last = {id(a): None, id(b): None}
    at = begin + 2.5
    while at < end:
        for me, you, offset in ((a, b, 0.0), (b, a, 1.1)):
            now = at + offset
            if now >= end:
                continue
            sent = int((now - begin) * 1000 / me.ms)
            ntp = BEGIN_US / 1000000 + NTP_1970 + now
            high, low = int(ntp), int((ntp % 1) * (1 << 32))
            share = you.lost / max(1, you.sent)
            got = int((now - begin) * 1000 / you.ms)
            lsr, dlsr = 0, 0
            if last[id(you)]:
                lsr = last[id(you)][0]
                dlsr = int((now - last[id(you)][1] - way_s) * 65536)
            first = you.sequence - you.sent
            block = struct.pack(">IIIIII", you.ssrc, int(share * 255) << 24 | int(share * got), (first + got) & 0xFFFFFFFF, 8, lsr, dlsr)
            report = struct.pack(">BBHIIIIII", 0x81, 200, 12, me.ssrc, high, low, (me.base + round((now - me.begun) * me.clock)) & 0xFFFFFFFF,
                                 sent, sent * me.size) + block  # fmt: skip
            name = b"phone@" + me.source[0].encode()
            item = struct.pack(">IBB", me.ssrc, 1, len(name)) + name + b"\0"
            item += b"\0" * (-len(item) % 4)
            packet = report + struct.pack(">BBH", 0x81, 202, len(item) // 4) + item
            source, target = (me.source[0], me.source[1] + 1), (me.target[0], me.target[1] + 1)
            wire.udp(now, source, target, packet)
            last[id(me)] = (((high & 0xFFFF) << 16) | (low >> 16), now)
        at += 5


class Tcp:
    """A TCP connection that carries whole messages; begin() makes it."""

    def __init__(self, wire, client, server):
        self.wire, self.client, self.server = wire, client, server
        self.next = {client: wire.random.getrandbits(30), server: wire.random.getrandbits(30)}

    def segment(self, at, source, flags, payload=b""):
        target = self.server if source == self.client else self.client
        ack = self.next[target] if "A" in flags else 0
        self.wire.put(at, tcp_frame(source, target, self.next[source], ack, flags, payload))
        self.next[source] += len(payload) + ("S" in flags) + ("F" in flags)

    def begin(self, at):
        self.segment(at, self.client, "S")
        self.segment(at + 0.001, self.server, "SA")
        self.segment(at + 0.002, self.client, "A")
        return at + 0.003

    def send(self, at, source, payload):
        for start in range(0, len(payload), 1400):
            self.segment(at, source, "PA", payload[start : start + 1400])
        self.segment(at + 0.0005, self.server if source == self.client else self.client, "A")

    def end(self, at, source):
        other = self.server if source == self.client else self.client
        self.segment(at, source, "FA")
        self.segment(at + 0.001, other, "FA")
        self.segment(at + 0.002, source, "A")
