"""Calls whose voice goes through Debian's rtpengine: both ways, on hold, after the relay died, and as a name.

The phones are raw peers with an RTP socket each; what they say of their media the server has rewritten.

SPDX-License-Identifier: Apache-2.0
"""
import re
import socket
import struct
import subprocess

from kit import Skip, need
from server import ENV, PASSWORD, free_port
from sip import Peer, Wrong, expect

DOMAIN = "example.org"
A, B = "127.0.0.2", "127.0.0.3"


class Voice:
    """An RTP socket and the SDP that speaks of it."""
    def __init__(self, address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.socket.settimeout(0.1)
        self.address, self.port = self.socket.getsockname()
        self.version = 0

    def sdp(self, direction="sendrecv"):
        self.version += 1
        return (f"v=0\r\no=- 7 {self.version} IN IP4 {self.address}\r\ns=-\r\nc=IN IP4 {self.address}\r\nt=0 0\r\n"
                f"m=audio {self.port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na={direction}\r\n")

    def close(self):
        self.socket.close()

    def reaches(self, to, other, mark, tries=50):
        """Does one of these packets come through?"""
        for n in range(tries):
            self.socket.sendto(struct.pack("!BBHII", 0x80, 0, n, n * 160, mark) + bytes([mark]) * 160, to)
            try:
                while True:
                    if other.socket.recv(2048)[12:] == bytes([mark]) * 160:
                        return True
            except TimeoutError:
                continue
        return False


def place_of(sdp):
    """Where the SDP wants RTP, and its direction."""
    address = re.search(r"^c=IN IP4 (\S+)", sdp, re.M)
    port = re.search(r"^m=audio (\d+) ", sdp, re.M)
    expect(address and port, f"no place for RTP in {sdp!r}")
    found = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)", sdp, re.M)
    return (address.group(1), int(port.group(1))), found.group(1) if found else "sendrecv"


class Relay:
    def __init__(self):
        need("rtpengine")
        self.port = free_port()
        self.process = subprocess.Popen(
            ["rtpengine", "--config-file=none", "--foreground", "--log-stderr", "--table=-1", "--interface=127.0.0.1",
             f"--listen-ng=127.0.0.1:{self.port}", "--port-min=36000", "--port-max=38998", "--num-threads=1",
             "--delete-delay=0"],
            env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait()

    def wait(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ng:
            ng.settimeout(0.2)
            for _ in range(100):
                try:
                    ng.sendto(b"t1 d7:command4:pinge", ("127.0.0.1", self.port))
                    ng.recv(2048)
                    return
                except OSError:
                    if self.process.poll() is not None:
                        raise Skip(f"rtpengine ends with {self.process.returncode}") from None
        raise Wrong("rtpengine does not answer a ping")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Call:
    """alice, a stranger to the server, calls bob. Who got what of whom is kept."""
    def __init__(self, caller, phone, a, b):
        self.caller, self.phone = caller, phone
        self.invite = caller.invite(f"sip:{phone.user}@{DOMAIN}", body=a.sdp())
        offer = phone.incoming("INVITE")
        self.to_b, _ = place_of(offer.body)
        phone.reply(offer, 200, "OK", body=b.sdp())
        answer = caller.final(self.invite)
        expect(answer.status == 200, f"not answered: {answer.start}")
        self.to_a, _ = place_of(answer.body)
        self.a_side = caller.dialog(self.invite, answer)
        self.a_side.ack()
        phone.incoming("ACK", offer.call_id)
        self.b_side = phone.dialog_of(offer)

    def change(self, a, b, direction, answered):
        """A re-INVITE of A; returns what B was offered and A was answered."""
        request = self.a_side.request("INVITE", body=a.sdp(direction))
        offer = self.phone.incoming("INVITE", self.b_side.call_id)
        self.phone.reply(offer, 200, "OK", body=b.sdp(answered))
        answer = self.caller.final(request)
        self.a_side.ack(int(request.cseq.split()[0]))
        self.phone.incoming("ACK", self.b_side.call_id)
        return place_of(offer.body), place_of(answer.body)

    def end(self):
        request = self.a_side.request("BYE")
        self.phone.reply(self.phone.incoming("BYE", self.b_side.call_id), 200, "OK", contact=False)
        expect(self.caller.final(request).status == 200, "the BYE was refused")


def server_with(lab, name, relay, how):
    server = lab.server(name, users={"bob": {}}, ini=f"[media]\nmode = anchor\nrtpengine = {relay}\nrelay = {how}\n")
    phone = lab.closing(Peer(server.address, "bob", DOMAIN, address=B))
    expect(phone.register(PASSWORD)[1].status == 200, "bob was not registered")
    return server, lab.closing(Peer(server.address, "caller", address=A)), phone


def begin(lab):
    lab.relay = lab.closing(Relay())
    lab.main, lab.caller, lab.phone = server_with(lab, "main", f"127.0.0.1:{lab.relay.port}", "require")
    lab.loose, lab.loose_caller, lab.loose_phone = server_with(lab, "loose", f"127.0.0.1:{lab.relay.port}", "prefer")
    lab.a, lab.b = lab.closing(Voice(A)), lab.closing(Voice(B))


def test_voice_goes_both_ways_through_the_relay_and_ends_with_the_call(lab):
    call = Call(lab.caller, lab.phone, lab.a, lab.b)
    expect({call.to_a[0], call.to_b[0]} == {"127.0.0.1"}, f"not the relay: {call.to_a}, {call.to_b}")
    expect(lab.a.reaches(call.to_a, lab.b, 0x11), "B does not hear A")
    expect(lab.b.reaches(call.to_b, lab.a, 0x22), "A does not hear B")
    call.end()
    lab.record_says(lab.main, call.invite.call_id, final=200)
    expect(not lab.a.reaches(call.to_a, lab.b, 0x33, tries=8), "the relay goes on after the BYE")


def test_hold_and_resume_stay_at_the_relay(lab):
    call = Call(lab.caller, lab.phone, lab.a, lab.b)
    for direction, answered in (("sendonly", "recvonly"), ("sendrecv", "sendrecv")):
        (to_b, offered), (to_a, got) = call.change(lab.a, lab.b, direction, answered)
        expect((to_b, to_a) == (call.to_b, call.to_a), f"{direction}: other ports: {to_b}, {to_a}")
        expect((offered, got) == (direction, answered), f"{direction}: became {offered} and {got}")
    expect(lab.a.reaches(call.to_a, lab.b, 0x44) and lab.b.reaches(call.to_b, lab.a, 0x55), "no voice after the hold")
    call.end()


def test_a_relay_that_is_named_is_found(lab):
    _, caller, phone = server_with(lab, "named", f"localhost:{lab.relay.port}", "require")
    call = Call(caller, phone, lab.a, lab.b)
    expect({call.to_a[0], call.to_b[0]} == {"127.0.0.1"}, f"not the relay: {call.to_a}, {call.to_b}")
    expect(lab.a.reaches(call.to_a, lab.b, 0x77), "B does not hear A")
    call.end()


def test_without_the_relay_a_call_is_refused_or_goes_by_it_as_was_asked(lab):
    talking = Call(lab.caller, lab.phone, lab.a, lab.b)
    lab.relay.close()
    refused = lab.caller.final(lab.caller.invite(f"sip:bob@{DOMAIN}", body=lab.a.sdp()), 20)
    expect(refused.status == 503 and refused.get("retry-after"), f"{refused.start}, Retry-After {refused.get('retry-after')!r}")
    talking.end()
    direct = Call(lab.loose_caller, lab.loose_phone, lab.a, lab.b)
    expect((direct.to_a, direct.to_b) == ((B, lab.b.port), (A, lab.a.port)), f"SDP was changed: {direct.to_a}, {direct.to_b}")
    expect(lab.a.reaches(direct.to_a, lab.b, 0x66), "B does not hear A")
    direct.end()


TESTS = [test_voice_goes_both_ways_through_the_relay_and_ends_with_the_call, test_hold_and_resume_stay_at_the_relay,
         test_a_relay_that_is_named_is_found,
         test_without_the_relay_a_call_is_refused_or_goes_by_it_as_was_asked]
