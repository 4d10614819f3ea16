# tests/program/phone.py - a small phone over UDP for tests of the running server
# SPDX-License-Identifier: Apache-2.0
"""Registers with a password, calls, answers and hangs up; one message at a time, no repeats.

    with Phone("alice", "example.org", "secret", ("127.0.0.1", 5070)) as alice:
        status, headers, body = alice.register()
"""
import hashlib
import itertools
import re
import secrets
import socket

SDP = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
       "a=rtpmap:0 PCMU/8000\r\n")
HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


class Message:
    def __init__(self, data):
        head, _, self.body = data.decode().partition("\r\n\r\n")
        self.first, *lines = head.split("\r\n")
        self.headers = [(name.strip().lower(), value.strip()) for name, _, value in (x.partition(":") for x in lines)]
        words = self.first.split(" ")
        self.status = int(words[1]) if words[0] == "SIP/2.0" else 0
        self.method = "" if self.status else words[0]

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def get(self, name):
        return (self.all(name) or [""])[0]

    def parameter(self, name, of):
        found = re.search(rf'\b{of}=("?)([^",;]*)\1', self.get(name))
        return found.group(2) if found else ""


class Phone:
    transport = "UDP"

    def __init__(self, user, domain, password, server, timeout=10):
        self.user, self.domain, self.password, self.server = user, domain, password, server
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(timeout)
        self.where = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.aor, self.contact = f"sip:{user}@{domain}", f"sip:{user}@{self.where}"
        self.cseq = itertools.count(1)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.socket.close()

    def send(self, text):
        self.socket.sendto(text.encode(), self.server)

    def receive(self, *wanted):
        """The next message that is one of these methods or codes; what comes before it is passed over."""
        while True:
            message = Message(self.take())
            if (message.method or message.status) in wanted or (message.status >= 200 and "final" in wanted):
                return message

    def take(self):
        return self.socket.recv(65536)

    # ---- requests ----

    def request(self, method, uri, to, call_id, headers="", body="", cseq=None, branch=None):
        self.branch = branch or "z9hG4bK" + secrets.token_hex(8)
        kind = "Content-Type: application/sdp\r\n" if body else ""
        number = cseq or next(self.cseq)
        self.send(f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{self.transport} {self.where};branch={self.branch};rport\r\nMax-Forwards: 70\r\n"
                  f"From: <{self.aor}>;tag=1\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {number} {method}\r\n"
                  f"{headers}{kind}Content-Length: {len(body)}\r\n\r\n{body}")
        return number

    def credentials(self, challenge, method, uri):
        name = "Authorization" if challenge.status == 401 else "Proxy-Authorization"
        text = challenge.get("WWW-Authenticate" if challenge.status == 401 else "Proxy-Authenticate")
        value = dict(re.findall(r'(\w+)="?([^",]+)"?', text))
        digest = HASHES[value.get("algorithm", "MD5")]

        def h(data):
            return digest(data.encode()).hexdigest()
        ha1 = h(f"{self.user}:{value['realm']}:{self.password}")
        response = h(f"{ha1}:{value['nonce']}:00000001:0a4f113b:auth:" + h(f"{method}:{uri}"))
        return (f'{name}: Digest username="{self.user}", realm="{value["realm"]}", nonce="{value["nonce"]}", uri="{uri}", '
                f'algorithm={value.get("algorithm", "MD5")}, qop=auth, nc=00000001, cnonce="0a4f113b", response="{response}"\r\n')

    def register(self, expires=3600, query=False):
        call_id, uri = secrets.token_hex(8), f"sip:{self.domain}"
        headers = "" if query else f"Contact: <{self.contact}>\r\nExpires: {expires}\r\n"
        self.request("REGISTER", uri, f"<{self.aor}>", call_id, headers)
        answer = self.receive("final")
        if answer.status == 401:
            self.request("REGISTER", uri, f"<{self.aor}>", call_id, headers + self.credentials(answer, "REGISTER", uri))
            answer = self.receive("final")
        return answer

    # ---- calls: invite, then answered, then bye ----

    def acknowledge(self, answer):
        """By the rules of the INVITE's transaction, or with a 2xx by those of the dialog."""
        target = re.search(r"<([^>]+)>", answer.get("Contact")) if answer.status < 300 else None
        self.request("ACK", target.group(1) if target else self.uri, answer.get("To"), answer.get("Call-ID"),
                     cseq=self.number, branch=None if target else self.branch)

    def invite(self, uri, call_id=None):
        """Sends it, with the password when that is asked for; the answer is the caller's to receive."""
        call_id, headers = call_id or secrets.token_hex(8), f"Contact: <{self.contact}>\r\n"
        self.uri = uri
        self.number = self.request("INVITE", uri, f"<{uri}>", call_id, headers, SDP)
        answer = self.receive(100, 407, "final")
        if answer.status == 407:
            self.acknowledge(answer)
            headers += self.credentials(answer, "INVITE", uri)
            self.number = self.request("INVITE", uri, f"<{uri}>", call_id, headers, SDP)

    def answered(self):
        """The final answer, acknowledged."""
        answer = self.receive("final")
        self.acknowledge(answer)
        self.dialog = answer
        return answer

    def send_bye(self):
        target = re.search(r"<([^>]+)>", self.dialog.get("Contact")).group(1)
        self.request("BYE", target, self.dialog.get("To"), self.dialog.get("Call-ID"))

    def bye(self):
        self.send_bye()
        return self.receive("final")

    def reply(self, request, status, phrase, body=""):
        lines = "".join(f"Via: {via}\r\n" for via in request.all("Via"))
        to = request.get("To")
        if ";tag=" not in to:
            to += ";tag=2"
        kind = f"Contact: <{self.contact}>\r\n" + ("Content-Type: application/sdp\r\n" if body else "")
        self.send(f"SIP/2.0 {status} {phrase}\r\n{lines}From: {request.get('From')}\r\nTo: {to}\r\n"
                  f"Call-ID: {request.get('Call-ID')}\r\nCSeq: {request.get('CSeq')}\r\n{kind}"
                  f"Content-Length: {len(body)}\r\n\r\n{body}")


class TcpPhone(Phone):
    """The same over a connection of its own."""
    transport = "TCP"

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        timeout = self.socket.gettimeout()
        self.socket.close()
        self.socket = socket.create_connection(self.server, timeout)
        self.where = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.contact = f"sip:{self.user}@{self.where};transport=tcp"
        self.waiting = b""

    def send(self, text):
        self.socket.sendall(text.encode())

    def take(self):
        """One message, by its Content-Length."""
        while True:
            head, end, rest = self.waiting.partition(b"\r\n\r\n")
            length = re.search(rb"(?im)^Content-Length: *(\d+)", head)
            size = len(head) + 4 + int(length.group(1)) if length else 0
            if end and len(self.waiting) >= size:
                message, self.waiting = self.waiting[:size], self.waiting[size:]
                return message
            data = self.socket.recv(65536)
            if not data:
                raise OSError("the connection has ended")
            self.waiting += data
