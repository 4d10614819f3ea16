"""An attended transfer, message by message (RFC 5589, 7): no program of Debian 12 plays all of it.

bob talks to alice, holds her, asks carol, and connects the two: REFER whose Refer-To carries
Replaces (RFC 3891), so carol's call with bob is replaced by one with alice. tools/record-samples
writes what messages() yields to a capture; nothing here was sent.

SPDX-License-Identifier: Apache-2.0
"""
ADDRESSES = {"alice": "192.0.2.11", "bob": "192.0.2.12", "carol": "192.0.2.13"}
ALLOW = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY, INFO\r\nSupported: replaces\r\n"


class Dialog:
    """One Call-ID between two people; remembers tags, sequence numbers and session versions."""

    def __init__(self, caller, callee, call_id, uri=None):
        self.uri = uri or f"sip:{callee}@example.org"
        self.people, self.call_id = (caller, callee), call_id
        self.tags = {caller: f"{caller}-{call_id[:4]}", callee: f"{callee}-{call_id[:4]}"}
        self.cseq, self.version, self.open = {caller: 0, callee: 0}, {caller: 0, callee: 0}, {}
        self.established = False

    def other(self, person):
        return self.people[person == self.people[0]]

    def sdp(self, person, direction):
        self.version[person] += 1
        address = ADDRESSES[person]
        return (
            "Content-Type: application/sdp\r\n",
            f"v=0\r\no={person} 2890844526 {self.version[person]} IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\n"
            f"t=0 0\r\nm=audio 17000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
            f"a=fmtp:101 0-15\r\na={direction}\r\n",
        )

    def request(self, wait_ms, person, method, extra="", direction="", body=("", "")):
        peer = self.other(person)
        if method != "ACK":
            self.cseq[person] += 1
        kind, text = self.sdp(person, direction) if direction else body
        number = self.cseq[person]
        uri = f"sip:{peer}@{ADDRESSES[peer]}:5060" if self.established else self.uri
        to_tag = f";tag={self.tags[peer]}" if self.established else ""
        head = (
            f"Via: SIP/2.0/UDP {ADDRESSES[person]}:5060;branch=z9hG4bK{self.call_id[:6]}{person[0]}{number}"
            f"{'ack' if method == 'ACK' else ''};rport\r\n"
        )
        parties = (
            f"From: <sip:{person}@example.org>;tag={self.tags[person]}\r\n",
            f"To: <sip:{peer}@example.org>",
            to_tag,
        )
        rest = f"Call-ID: {self.call_id}\r\nCSeq: {number} {method}\r\n"
        if method != "ACK":
            self.open[(person, method)] = (head, parties, rest)
        contact = (
            f"Contact: <sip:{person}@{ADDRESSES[person]}:5060>\r\n"
            if method not in ("ACK", "BYE")
            else ""
        )
        return (
            wait_ms,
            ADDRESSES[person],
            ADDRESSES[peer],
            f"{method} {uri} SIP/2.0\r\n{head}Max-Forwards: 70\r\n{''.join(parties)}\r\n{rest}{contact}{extra}"
            f"User-Agent: example phone\r\n{kind}Content-Length: {len(text)}\r\n\r\n{text}",
        )

    def response(self, wait_ms, person, method, status, extra="", direction=""):
        """person answers the last request of this method that the other one sent."""
        peer = self.other(person)
        head, (sender, target, tag), rest = self.open[(peer, method)]
        kind, text = self.sdp(person, direction) if direction else ("", "")
        tag = tag or f";tag={self.tags[person]}"
        contact = (
            f"Contact: <sip:{person}@{ADDRESSES[person]}:5060>\r\n"
            if method in ("INVITE", "REFER")
            else ""
        )
        if method == "INVITE" and status.startswith("200"):
            self.established = True
        return (
            wait_ms,
            ADDRESSES[person],
            ADDRESSES[peer],
            f"SIP/2.0 {status}\r\n{head.replace(';rport', ';rport=5060')}{sender}{target}{tag}\r\n{rest}{contact}{extra}"
            f"Server: example phone\r\n{kind}Content-Length: {len(text)}\r\n\r\n{text}",
        )

    def begin(self, extra=""):
        caller, callee = self.people
        yield self.request(400, caller, "INVITE", ALLOW + extra, "sendrecv")
        yield self.response(20, callee, "INVITE", "180 Ringing")
        yield self.response(1800, callee, "INVITE", "200 OK", ALLOW, "sendrecv")
        yield self.request(12, caller, "ACK")

    def hold(self, person):
        yield self.request(2500, person, "INVITE", ALLOW, "sendonly")
        yield self.response(30, self.other(person), "INVITE", "200 OK", ALLOW, "recvonly")
        yield self.request(10, person, "ACK")

    def end(self, person):
        yield self.request(60, person, "BYE")
        yield self.response(15, self.other(person), "BYE", "200 OK")


def notify(dialog, status, state):
    yield dialog.request(
        25,
        "alice",
        "NOTIFY",
        f"Event: refer\r\nSubscription-State: {state}\r\n",
        body=("Content-Type: message/sipfrag\r\n", f"SIP/2.0 {status}\r\n"),
    )
    yield dialog.response(12, "bob", "NOTIFY", "200 OK")


def messages():
    """(milliseconds since the message before, source, destination, text)"""
    first, asked = Dialog("alice", "bob", "7f3a-talk@example.org"), Dialog(
        "bob", "carol", "c21b-ask@example.org"
    )
    final = Dialog(
        "alice", "carol", "e90d-joined@example.org", f"sip:carol@{ADDRESSES['carol']}:5060"
    )
    yield from first.begin()
    yield from first.hold("bob")
    yield from asked.begin()
    yield from asked.hold("bob")
    # To-tag and from-tag are those that the receiver of Replaces knows as local and remote.
    tags = (asked.tags["carol"], asked.tags["bob"])
    escaped = asked.call_id.replace("@", "%40") + f"%3Bto-tag%3D{tags[0]}%3Bfrom-tag%3D{tags[1]}"
    yield first.request(
        3000,
        "bob",
        "REFER",
        f"Refer-To: <sip:carol@{ADDRESSES['carol']}:5060?Replaces={escaped}>\r\n"
        "Referred-By: <sip:bob@example.org>\r\n",
    )
    yield first.response(15, "alice", "REFER", "202 Accepted")
    yield from notify(first, "100 Trying", "active;expires=60")
    opening = final.begin(
        f"Replaces: {asked.call_id};to-tag={tags[0]};from-tag={tags[1]}\r\nRequire: replaces\r\n"
        "Referred-By: <sip:bob@example.org>\r\n"
    )
    yield next(opening)
    next(opening)  # a replaced call is answered at once, without ringing
    yield (25, *next(opening)[1:])
    yield from opening
    yield from asked.end("carol")
    yield from notify(first, "200 OK", "terminated;reason=noresource")
    yield from first.end("bob")
    ending = final.end("alice")
    yield (4000, *next(ending)[1:])
    yield from ending
