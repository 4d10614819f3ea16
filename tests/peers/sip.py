"""A raw SIP client of the tests: sockets, messages, digest. It checks nothing by itself, so that it can say
what a phone would never say.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import itertools
import os
import re
import socket
import threading
import time

LONG = {"i": "call-id", "m": "contact", "l": "content-length", "c": "content-type", "f": "from", "t": "to", "v": "via"}
numbers = itertools.count(1)


class Wrong(Exception):
    """A test found something that is not as it should be."""


def expect(condition, what):
    if not condition:
        raise Wrong(what)


def token(kind=""):
    return f"{kind}{os.getpid():x}{next(numbers):x}{os.urandom(4).hex()}"


class Message:
    def __init__(self, data, source=None):
        head, _, self.body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
        self.source, self.start, self.headers = source, lines[0], []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.headers.append((LONG.get(name, name), value.strip()))
        words = self.start.split(" ", 2)
        answer = words[0] == "SIP/2.0"
        self.status = int(words[1]) if answer else 0
        self.reason = words[2] if answer and len(words) > 2 else ""
        self.method = "" if answer else words[0]
        self.uri = "" if answer else words[1]

    def get(self, name, default=""):
        return next((v for n, v in self.headers if n == name.lower()), default)

    def all(self, name):
        return [v for n, v in self.headers if n == name.lower()]

    def tag(self, name):
        found = re.search(r";tag=([^;>\s]+)", self.get(name))
        return found.group(1) if found else ""

    @property
    def call_id(self):
        return self.get("call-id")

    @property
    def cseq(self):
        return self.get("cseq")

    @property
    def contact(self):
        found = re.search(r"<([^>]+)>", self.get("contact"))
        return found.group(1) if found else self.get("contact").split(";")[0]


def sdp(port=0, direction="sendrecv", version=1, extra="", address="127.0.0.1", codecs="8 0"):
    """Each has a port of its own, unless one is given: the same one in many calls would join strangers."""
    port = port or 20000 + 2 * next(numbers) % 20000
    return (f"v=0\r\no=- {port} {version} IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP {codecs}\r\na=ptime:20\r\na={direction}\r\n{extra}")


def digest(algorithm, user, password, realm, method, uri, nonce, nc=1, qop="auth", cnonce="0a4f113b"):
    """The value of an Authorization header (RFC 7616)."""
    name = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}[algorithm]
    h = lambda text: hashlib.new(name, text.encode()).hexdigest()
    ha1, ha2 = h(f"{user}:{realm}:{password}"), h(f"{method}:{uri}")
    answer = h(f"{ha1}:{nonce}:{nc:08x}:{cnonce}:{qop}:{ha2}")
    return (f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{answer}", '
            f'algorithm={algorithm}, qop={qop}, cnonce="{cnonce}", nc={nc:08x}')


def challenge(message, algorithm):
    """realm and nonce of the challenge with this algorithm, or None."""
    for value in message.all("www-authenticate") + message.all("proxy-authenticate"):
        if re.search(rf"algorithm=\"?{algorithm}\"?(,|\s|$)", value):
            return re.search(r'realm="([^"]*)"', value).group(1), re.search(r'nonce="([^"]*)"', value).group(1)
    return None


class Dialog:
    """One side's view of a call: enough to write the next request."""

    def __init__(self, peer, call_id, local, remote, target, cseq, routes=()):
        self.peer, self.call_id, self.local, self.remote = peer, call_id, local, remote
        self.target, self.cseq, self.routes = target, cseq, list(routes)

    def request(self, method, headers=(), body="", type="application/sdp", cseq=None, **more):
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        return self.peer.request(method, self.target, call_id=self.call_id, from_=self.local, to=self.remote,
                                 cseq=cseq, headers=[*(f"Route: {r}" for r in self.routes), *headers], body=body,
                                 type=type, **more)

    def ack(self, cseq=None):
        return self.request("ACK", cseq=cseq or self.cseq)

    def bye(self, headers=(), seconds=5):
        self.request("BYE", headers)
        return self.peer.wait(self.peer.answer_to(self.call_id, f"{self.cseq} BYE"), seconds, "an answer to BYE")


class Peer:
    """A UDP socket of ours. What comes is kept until somebody waits for it, unless the handler took it."""

    def __init__(self, server, user="tester", domain="outside.test", handler=None, address="127.0.0.1"):
        self.server, self.user, self.domain, self.handler = server, user, domain, handler
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((address, 0))
        self.address, self.port = self.socket.getsockname()
        self.kept, self.seen, self.lock, self.closed = [], [], threading.Condition(), False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while not self.closed:
            try:
                data, source = self.socket.recvfrom(65536)
            except OSError:
                return
            if not data.strip() or self.closed:
                continue
            try:
                m = Message(data, source)
            except (ValueError, IndexError):
                continue
            self.seen.append(m)
            if self.handler and self.handler(self, m):
                continue
            with self.lock:
                self.kept.append(m)
                self.lock.notify_all()

    def close(self):
        self.closed = True
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    # ---- sending ----

    def send(self, data, to=None):
        self.socket.sendto(data if isinstance(data, bytes) else data.encode(), to or self.server)

    @property
    def aor(self):
        return f"sip:{self.user}@{self.domain}"

    @property
    def contact(self):
        return f"sip:{self.user}@{self.address}:{self.port}"

    def text(self, method, uri, call_id=None, from_=None, to=None, cseq=1, headers=(), body="", type="application/sdp",
             branch=None, leave_out=(), version="SIP/2.0", length=None):
        to = to or f"<{uri}>"
        rows = [("Via", f"{version}/UDP {self.address}:{self.port};branch={branch or token('z9hG4bK')};rport"),
                ("Max-Forwards", "70"), ("From", from_ or f"<{self.aor}>;tag={token('f')}"), ("To", to),
                ("Call-ID", call_id or token("c")), ("CSeq", f"{cseq} {method}"), ("Contact", f"<{self.contact}>")]
        given = {h.partition(":")[0].lower() for h in headers}
        lines = [f"{method} {uri} {version}"]
        lines += [f"{n}: {v}" for n, v in rows if n not in leave_out and n.lower() not in given]
        lines += list(headers)
        if body:
            lines.append(f"Content-Type: {type}")
        lines.append(f"Content-Length: {len(body.encode()) if length is None else length}")
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def request(self, method, uri, **more):
        """Sends it; returns it as a Message, by which its answers are found."""
        text = self.text(method, uri, **more)
        self.send(text)
        return Message(text.encode())

    def reply(self, request, status, reason="", tag=None, headers=(), body="", type="application/sdp", contact=True):
        to = request.get("to")
        if tag is None:
            tag = request.tag("to") or "" if status == 100 else request.tag("to") or f"p{request.call_id[:12]}"
        if tag and ";tag=" not in to:
            to += f";tag={tag}"
        lines = [f"SIP/2.0 {status} {reason}"] + [f"Via: {v}" for v in request.all("via")]
        lines += [f"Record-Route: {v}" for v in request.all("record-route")] if 100 < status < 300 else []
        lines += [f"From: {request.get('from')}", f"To: {to}", f"Call-ID: {request.call_id}", f"CSeq: {request.cseq}"]
        if contact and status < 300 and status != 100:
            lines.append(f"Contact: <{self.contact}>")
        lines += list(headers)
        if body:
            lines.append(f"Content-Type: {type}")
        lines.append(f"Content-Length: {len(body.encode())}")
        self.send("\r\n".join(lines) + "\r\n\r\n" + body, request.source)

    def ack_refusal(self, invite, answer):
        """The ACK of a final answer that is none of 2xx belongs to the INVITE's transaction."""
        branch = re.search(r"branch=([^;,\s]+)", invite.get("via")).group(1)
        self.send(self.text("ACK", invite.uri, call_id=invite.call_id, from_=invite.get("from"), to=answer.get("to"),
                            cseq=int(invite.cseq.split()[0]), branch=branch,
                            headers=[f"Route: {r}" for r in invite.all("route")]))

    def cancel(self, invite):
        branch = re.search(r"branch=([^;,\s]+)", invite.get("via")).group(1)
        self.send(self.text("CANCEL", invite.uri, call_id=invite.call_id, from_=invite.get("from"), to=invite.get("to"),
                            cseq=int(invite.cseq.split()[0]), branch=branch))

    # ---- waiting ----

    def wait(self, wanted, seconds=5, what="a message"):
        """The first message kept that is wanted, taken out."""
        end = time.monotonic() + seconds
        with self.lock:
            while True:
                for i, m in enumerate(self.kept):
                    if wanted(m):
                        return self.kept.pop(i)
                left = end - time.monotonic()
                if left <= 0:
                    raise Wrong(f"{what} did not come within {seconds} s; came: {[m.start for m in self.kept][-8:]}")
                self.lock.wait(left)

    @staticmethod
    def answer_to(call_id, cseq, least=200):
        return lambda m: m.status >= least and m.call_id == call_id and m.cseq == cseq

    def final(self, request, seconds=5):
        """The final answer; acknowledged when it refuses an INVITE."""
        m = self.wait(self.answer_to(request.call_id, request.cseq), seconds, f"the final answer to {request.method}")
        if request.method == "INVITE" and m.status >= 300:
            self.ack_refusal(request, m)
        return m

    def provisional(self, request, status, seconds=5):
        return self.wait(lambda m: m.status == status and m.call_id == request.call_id, seconds, f"the {status}")

    def incoming(self, method, call_id=None, seconds=5):
        return self.wait(lambda m: m.method == method and (call_id is None or m.call_id == call_id), seconds, f"the {method}")

    def ask(self, method, uri, seconds=5, **more):
        return self.final(self.request(method, uri, **more), seconds)

    # ---- what phones do ----

    def dialog(self, request, answer):
        """The caller's view after an answer with a tag."""
        return Dialog(self, request.call_id, request.get("from"), answer.get("to"), answer.contact or request.uri,
                      int(request.cseq.split()[0]), reversed(answer.all("record-route")))

    def dialog_of(self, request, tag=None):
        """The callee's view."""
        tag = tag or f"p{request.call_id[:12]}"
        return Dialog(self, request.call_id, f"{request.get('to')};tag={tag}", request.get("from"), request.contact, 100,
                      request.all("record-route"))

    def register(self, password, algorithm="SHA-256", domain=None, expires=600, contact=None, headers=(), alias=None):
        """Registers as self.user, or under its alias, with a challenge; returns the two answers."""
        domain = domain or self.domain
        uri, aor, call_id, from_tag = f"sip:{domain}", f"sip:{alias or self.user}@{domain}", token("r"), token("f")
        lines = [f"Expires: {expires}", f"Contact: {contact or '<' + self.contact + '>'}", *headers]
        more = {"call_id": call_id, "to": f"<{aor}>", "from_": f"<{aor}>;tag={from_tag}"}
        first = self.ask("REGISTER", uri, cseq=1, headers=lines, **more)
        if first.status != 401:
            return first, first
        asked = challenge(first, algorithm)
        expect(asked, f"no challenge with {algorithm}: {first.all('www-authenticate')}")
        value = digest(algorithm, self.user, password, asked[0], "REGISTER", uri, asked[1])
        second = self.ask("REGISTER", uri, cseq=2, headers=[*lines, f"Authorization: {value}"], **more)
        return first, second

    def invite(self, uri, password=None, algorithm="SHA-256", seconds=5, headers=(), body=None, **more):
        """An INVITE, by a user of the server with its password. Returns it as it was sent at last."""
        body = sdp() if body is None else body
        request = self.request("INVITE", uri, headers=headers, body=body, **more)
        if password is None:
            return request
        first = self.wait(lambda m: m.status == 407 and m.call_id == request.call_id, seconds, "the 407")
        self.ack_refusal(request, first)
        asked = challenge(first, algorithm)
        value = digest(algorithm, self.user, password, asked[0], "INVITE", uri, asked[1])
        more.pop("call_id", None), more.pop("from_", None), more.pop("cseq", None)
        return self.request("INVITE", uri, call_id=request.call_id, from_=request.get("from"),
                            cseq=int(request.cseq.split()[0]) + 1,
                            headers=[*headers, f"Proxy-Authorization: {value}"], body=body, **more)
