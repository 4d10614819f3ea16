"""A telephone in a browser, as small as can be: SIP over WebSocket (RFC 7118).

    websocket_client.py PROXY CALLEE

Registers alice with the proxy on port 8080 (digest), calls CALLEE, hangs up after a second.
Only for tools/record-samples; the other side is Kamailio's websocket module.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import os
import re
import socket
import struct
import sys
import time

HOST = "alice.invalid"  # RFC 7118, 5: a browser does not know its address
SDP = """v=0\r
o=- 4711 1 IN IP4 192.0.2.11\r
s=-\r
c=IN IP4 192.0.2.11\r
t=0 0\r
m=audio 16000 RTP/AVP 8 0\r
a=rtpmap:8 PCMA/8000\r
a=rtpmap:0 PCMU/8000\r
a=sendrecv\r
"""


class Client:
    def __init__(self, proxy):
        self.proxy, self.buffer = proxy, b""
        self.socket = socket.create_connection((proxy, 8080), 10)
        self.socket.sendall(
            f"GET / HTTP/1.1\r\nHost: {proxy}:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
            "Origin: http://phone.example.org\r\nSec-WebSocket-Protocol: sip\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            sys.exit(f"no WebSocket: {head!r}")

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            sys.exit("the proxy closed the connection")
        self.buffer += data

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        size = len(data)
        head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + struct.pack(">H", size)
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def receive(self):
        """The next SIP message; answers a ping on the way."""
        while True:
            while len(self.buffer) < 4:
                self.more()
            size, at = self.buffer[1] & 127, 2
            if size == 126:
                size, at = struct.unpack(">H", self.buffer[2:4])[0], 4
            while len(self.buffer) < at + size:
                self.more()
            kind, data = self.buffer[0] & 15, self.buffer[at : at + size]
            self.buffer = self.buffer[at + size :]
            if kind in (1, 2) and data.strip():
                return data.decode()

    def request(self, method, uri, cseq, to, call_id, extra="", body=""):
        self.send(
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/WS {HOST};branch=z9hG4bK{os.urandom(6).hex()}\r\n"
            f'From: "Alice" <sip:alice@example.org>;tag={call_id[:6]}\r\nTo: {to}\r\n'
            f"Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:alice@{HOST};transport=ws>\r\n{extra}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def final(self):
        while True:
            text = self.receive()
            code = int(text.split()[1])
            if code >= 200:
                return code, text


def field(text, name):
    return re.search(rf"^{name}:\s*(.*?)\r$", text, re.M | re.I).group(1)


def credentials(challenge, method, uri):
    realm, nonce = (
        re.search(rf'{word}="([^"]*)"', challenge).group(1) for word in ("realm", "nonce")
    )
    md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
    ha1, ha2 = md5(f"alice:{realm}:secret"), md5(f"{method}:{uri}")
    qop = "qop=" in challenge
    middle = f"{nonce}:00000001:c0ffee:auth" if qop else nonce
    rest = ', qop=auth, nc=00000001, cnonce="c0ffee"' if qop else ""
    return (
        f'Authorization: Digest username="alice", realm="{realm}", nonce="{nonce}", uri="{uri}", '
        f'response="{md5(f"{ha1}:{middle}:{ha2}")}", algorithm=MD5{rest}\r\n'
    )


def main():
    proxy, callee = sys.argv[1:3]
    client, me, domain = Client(proxy), "<sip:alice@example.org>", "sip:example.org"
    reg = os.urandom(8).hex()
    client.request("REGISTER", domain, 1, me, reg, "Expires: 300\r\n")
    code, text = client.final()
    if code != 401:
        sys.exit(f"REGISTER without credentials: {code}")
    client.request(
        "REGISTER",
        domain,
        2,
        me,
        reg,
        "Expires: 300\r\n" + credentials(field(text, "WWW-Authenticate"), "REGISTER", domain),
    )
    code, text = client.final()
    if code != 200:
        sys.exit(f"REGISTER: {code}")

    uri, call = f"sip:{callee}@example.org", os.urandom(8).hex()
    client.request("INVITE", uri, 1, f"<{uri}>", call, "Content-Type: application/sdp\r\n", SDP)
    code, text = client.final()
    if code != 200:
        sys.exit(f"INVITE: {code}")
    target = re.search(r"<([^>]*)>", field(text, "Contact")).group(1)
    route = "".join(
        f"Route: {r.strip()}\r\n"
        for r in reversed(",".join(re.findall(r"^Record-Route:\s*(.*?)\r$", text, re.M)).split(","))
    )
    client.request("ACK", target, 1, field(text, "To"), call, route)
    time.sleep(1)
    client.request("BYE", target, 2, field(text, "To"), call, route)
    code, text = client.final()
    if code != 200:
        sys.exit(f"BYE: {code}")
    client.socket.close()


main()
