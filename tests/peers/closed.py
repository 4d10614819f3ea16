"""Peers that close their TCP connections in the middle of a call, and hear all the same what is said to them.

Two gateways by TCP, each with a listener; what comes by it is taken by the same peer. With one worker and with four:
then the closed connection mostly belongs to another worker than the call.

SPDX-License-Identifier: Apache-2.0
"""
import queue
import re
import socket
import threading
import time

from sip import Message, Wrong, expect, sdp, token

A, B = "127.0.0.2", "127.0.0.3"
CALLER, NUMBER = "<sip:+491@example.org>;tag=a", "<sip:+4930123@example.org>"
WAIT_S, CLOSED_S, CALLS = 15, 0.3, 3


class End:
    """A gateway. wait() gives a message and the connection that it came by."""

    def __init__(self, address):
        self.address, self.heard, self.open, self.server = address, queue.Queue(), [], None
        self.listener = socket.create_server((address, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                self._take(self.listener.accept()[0])
            except OSError:
                return

    def _take(self, connection):
        self.open.append(connection)
        threading.Thread(target=self._read, args=(connection,), daemon=True).start()
        return connection

    def _read(self, connection):
        data = b""
        while True:
            try:
                more = connection.recv(65536)
            except OSError:
                return
            if not more:
                return
            data = (data + more).lstrip(b"\r\n")
            while b"\r\n\r\n" in data:
                end = data.index(b"\r\n\r\n") + 4
                end += int(re.search(rb"(?mi)^content-length\s*:\s*(\d+)", data).group(1))
                if len(data) < end:
                    break
                self._hear(Message(data[:end]), connection)
                data = data[end:].lstrip(b"\r\n")

    def _hear(self, m, connection):
        if m.method == "OPTIONS":                        # are we there?
            self.answer((m, connection), 200)
        else:
            self.heard.put((m, connection))

    def connect(self):
        return self._take(socket.create_connection(self.server, source_address=(self.address, 0)))

    def hang_up(self):
        """All its connections. The server needs a moment to hear of it."""
        for c in self.open:
            try:
                c.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            c.close()
        self.open = []
        time.sleep(CLOSED_S)

    def close(self):
        self.hang_up()
        self.listener.close()

    def wait(self, what):
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            try:
                m, connection = self.heard.get(timeout=0.2)
            except queue.Empty:
                continue
            if what in (m.method, m.status):
                return m, connection
        raise Wrong(f"{self.address} never heard {what}")

    def send(self, connection, start, headers, body=""):
        lines = [start, *headers, f"Contact: <sip:x@{self.address}:{self.port};transport=tcp>",
                 *(["Content-Type: application/sdp"] if body else []), f"Content-Length: {len(body)}", "", body]
        connection.sendall("\r\n".join(lines).encode())

    def ask(self, connection, method, uri, call_id, from_, to, cseq, body=""):
        self.send(connection, f"{method} {uri} SIP/2.0",
                  [f"Via: SIP/2.0/TCP {self.address}:{self.port};branch={token('z9hG4bK')}", "Max-Forwards: 70", f"From: {from_}",
                   f"To: {to}", f"Call-ID: {call_id}", f"CSeq: {cseq} {method}"], body)

    def answer(self, heard, status, tag="", body=""):
        m, connection = heard
        self.send(connection, f"SIP/2.0 {status} X", [*(f"Via: {v}" for v in m.all("via")), f"From: {m.get('from')}",
                                                     f"To: {m.get('to')}{tag}", f"Call-ID: {m.call_id}", f"CSeq: {m.cseq}"], body)


class Call:
    """From A to B, answered."""

    def __init__(self, servers, a, b):
        self.a, self.b, self.id, self.cseq = a, b, token(), 1
        a.server = b.server = servers.address
        self.way = a.connect()
        a.ask(self.way, "INVITE", "sip:+4930123@example.org", self.id, CALLER, NUMBER, 1, sdp())
        heard = b.wait("INVITE")
        self.invite = heard[0]
        b.answer(heard, 200, ";tag=b", sdp())
        answer = a.wait(200)[0]
        self.to, self.target = answer.get("to"), answer.contact
        a.ask(self.way, "ACK", self.target, self.id, CALLER, self.to, 1)
        b.wait("ACK")

    def ask(self, method, body="", cseq=None):
        self.cseq = cseq or self.cseq + 1
        self.a.ask(self.way, method, self.target, self.id, CALLER, self.to, self.cseq, body)

    def bye(self):
        self.ask("BYE")
        self.a.wait(200)
        self.b.answer(self.b.wait("BYE"), 200)


def begin(lab):
    lab.a, lab.b = lab.closing(End(A)), lab.closing(End(B))
    ini = (f"[gateway in]\nhost = {A}:{lab.a.port}\ntransport = tcp\ntransit = yes\n"
           f"[gateway out]\nhost = {B}:{lab.b.port}\ntransport = tcp\nallow = any\n")
    lab.both = [lab.server(f"of-{n}", ini=ini, workers=n) for n in (1, 4)]


def calls(lab):
    for server in lab.both:
        for _ in range(CALLS):
            yield Call(server, lab.a, lab.b)
            lab.a.hang_up()
            lab.b.hang_up()


def test_a_bye_reaches_who_has_closed_its_connection(lab):
    for call in calls(lab):
        lab.a.hang_up()
        lab.b.hang_up()
        lab.b.ask(lab.b.connect(), "BYE", call.invite.contact, call.invite.call_id, call.invite.get("to") + ";tag=b",
                  call.invite.get("from"), 1)
        lab.b.wait(200)
        bye = lab.a.wait("BYE")
        expect(bye[0].call_id == call.id, "a BYE of another call")
        lab.a.answer(bye, 200)


def test_a_re_invite_and_its_ack_reach_who_closes_its_connection_before_each(lab):
    for call in calls(lab):
        lab.b.hang_up()
        call.ask("INVITE")                               # the offer is in the answer, so the ACK has to wait for A's
        lab.b.answer(lab.b.wait("INVITE"), 200, body=sdp())
        lab.a.wait(200)
        lab.b.hang_up()
        call.ask("ACK", sdp(), call.cseq)
        expect("m=audio" in lab.b.wait("ACK")[0].body, "the ACK came without the answer")
        call.bye()


def test_an_answer_reaches_who_has_closed_the_connection_of_its_request(lab):
    for call in calls(lab):
        call.ask("INFO")
        heard = lab.b.wait("INFO")
        lab.a.hang_up()
        lab.b.answer(heard, 200)
        expect(lab.a.wait(200)[0].cseq == f"{call.cseq} INFO", "the answer of another request")
        call.way = lab.a.connect()
        call.bye()


TESTS = [f for n, f in list(globals().items()) if n.startswith("test_")]
