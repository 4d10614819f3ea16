"""Kamailio as the gateway of calls that leave, and as the proxy between phones and our registrar.

SPDX-License-Identifier: Apache-2.0
"""
import os
import signal
import subprocess
import time

from kit import HERE, need
from server import ENV, PASSWORD, free_port
from sip import Peer, Wrong, expect, sdp

DOMAIN = "example.org"
A, B, CALLEE, FULL, TRUNK, EDGE = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.21", "127.0.0.22", "127.0.0.23"


class Kamailio:
    def __init__(self, lab, name, address, port, *defines, **words):
        self.folder = lab.folder / name
        self.folder.mkdir()
        text = (HERE / "kamailio.cfg").read_text()
        for word, value in words.items():
            text = text.replace(word, str(value))
        (self.folder / "kamailio.cfg").write_text(text)
        with open(self.folder / "log", "wb") as out:
            self.process = subprocess.Popen(
                ["kamailio", "-f", str(self.folder / "kamailio.cfg"), "-DD", "-E", "-m", "32", "-M", "4", "-Y", str(self.folder),
                 "-P", str(self.folder / "pid"), "-l", f"udp:{address}:{port}", *[w for d in defines for w in ("-A", d)]],
                cwd=self.folder, env=ENV, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        self.address = (address, port)
        lab.closing(self)
        probe = Peer(self.address, "probe", address=A)
        end = time.monotonic() + 10
        try:
            while True:
                try:
                    probe.send(probe.text("OPTIONS", f"sip:{address}:{port}"))
                    probe.wait(lambda m: m.status == 200, 0.2, "200")
                    return
                except (Wrong, OSError):
                    if time.monotonic() > end or self.process.poll() is not None:
                        raise Wrong(f"{name} does not answer: {(self.folder / 'log').read_text()[-600:]}") from None
        finally:
            probe.close()

    def close(self):
        """Its session is its own, so its workers go with it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


def begin(lab):
    need("kamailio")
    lab.callee = lab.closing(Peer(("127.0.0.1", 9), "callee", address=CALLEE))
    ports = {name: free_port(address) for name, address in (("full", FULL), ("trunk", TRUNK), ("edge", EDGE))}
    lab.main = lab.server(users={"alice": {}, "bob": {}}, ini=f"""
[numbers]
country = 49
[gateway full]
host = {FULL}:{ports["full"]}
allow = +49
priority = 1
rewrite_called = +49 -> 0, + -> 00
ping = 0 s
[gateway trunk]
host = {TRUNK}:{ports["trunk"]}
allow = +49, +43
deny = +49900
priority = 2
rewrite_called = +49 -> 0, + -> 00
ping = 0 s
""")
    words = {"CALLEE_PORT": lab.callee.port, "SERVER_PORT": lab.main.port}
    lab.full = Kamailio(lab, "full", FULL, ports["full"], "GATEWAY", "FULL", **words)
    lab.trunk = Kamailio(lab, "trunk", TRUNK, ports["trunk"], "GATEWAY", **words)
    lab.edge = Kamailio(lab, "edge", EDGE, ports["edge"], **words)
    lab.alice = lab.closing(Peer(lab.main.address, "alice", DOMAIN, address=A))


def dials(lab, number):
    return lab.alice.invite(f"sip:{number}@{DOMAIN}", PASSWORD)


def talk_and_end(lab, caller, request, callee, incoming):
    callee.reply(incoming, 180, "Ringing")
    caller.provisional(request, 180)
    callee.reply(incoming, 200, "OK", body=sdp())
    answer = caller.final(request)
    expect(answer.status == 200, f"{answer.start}")
    dialog = caller.dialog(request, answer)
    dialog.ack()
    callee.incoming("ACK", incoming.call_id)
    dialog.request("BYE")
    callee.reply(callee.incoming("BYE", incoming.call_id), 200, "OK")
    answer = caller.wait(caller.answer_to(dialog.call_id, f"{dialog.cseq} BYE"), 5, "200 to BYE")
    expect(answer.status == 200, f"BYE: {answer.start}")


def test_a_number_goes_to_the_next_gateway_after_503_and_is_rewritten(lab):
    request = dials(lab, "030123456")
    incoming = lab.callee.incoming("INVITE")
    expect("sip:030123456@" in incoming.uri, f"called as {incoming.uri}")
    expect(TRUNK in incoming.get("record-route"), "not by the second gateway")
    talk_and_end(lab, lab.alice, request, lab.callee, incoming)
    lab.record_says(lab.main, request.call_id, final=200, answered=True, flow="basic-call")


def test_a_prefix_of_one_gateway_goes_there_at_once(lab):
    request = dials(lab, "+43 1 234567".replace(" ", ""))
    incoming = lab.callee.incoming("INVITE")
    expect("sip:00431234567@" in incoming.uri, f"called as {incoming.uri}")
    talk_and_end(lab, lab.alice, request, lab.callee, incoming)


def test_a_denied_prefix_reaches_that_gateway_not_and_another_country_none(lab):
    request = dials(lab, "0900123456")                        # only the full one may have it: its 503 is all there is
    answer = lab.alice.final(request)
    expect(answer.status in (500, 503), f"{answer.start}")
    lab.record_says(lab.main, request.call_id, final=answer.status, cause=True)
    request = dials(lab, "+33123456789")
    answer = lab.alice.final(request)
    expect(answer.status in (403, 404), f"{answer.start}")
    lab.record_says(lab.main, request.call_id, final=answer.status, cause=True)


def test_a_refusal_of_the_second_gateway_is_the_callers(lab):
    request = dials(lab, "030999")
    answer = lab.alice.final(request)
    expect((answer.status, answer.reason) == (404, "Unallocated Number"), f"{answer.start}")
    lab.record_says(lab.main, request.call_id, final=404, cause=True)


def test_a_stranger_reaches_no_gateway(lab):
    p = lab.closing(Peer(lab.main.address, "stranger", address=B))
    request = p.invite(f"sip:030123456@{DOMAIN}")
    answer = p.final(request)
    expect(answer.status in (403, 404, 407), f"{answer.start}")


def test_a_phone_behind_a_proxy_registers_with_path_and_is_called_by_it(lab):
    bob = lab.closing(Peer(lab.edge.address, "bob", DOMAIN, address=B))
    _, answer = bob.register(PASSWORD, headers=["Supported: path"])
    expect(answer.status == 200, f"{answer.start}")
    expect(EDGE in answer.get("path"), f"Path: {answer.get('path')!r}")
    caller = lab.closing(Peer(lab.main.address, "caller", address=A))
    request = caller.invite(f"sip:bob@{DOMAIN}")
    incoming = bob.incoming("INVITE")
    expect(str(lab.edge.address[1]) in incoming.get("via"), "not by the proxy")
    expect(EDGE in incoming.get("record-route"), "no Record-Route")
    talk_and_end(lab, caller, request, bob, incoming)
    lab.record_says(lab.main, request.call_id, final=200, answered=True, flow="basic-call")


def test_a_phone_behind_a_proxy_calls_and_is_called_back_in_the_call(lab):
    """Record-Route on the caller's side: the callee's BYE goes back by the proxy."""
    alice = lab.closing(Peer(lab.edge.address, "alice", DOMAIN, address=A))
    bob = lab.closing(Peer(lab.main.address, "bob", DOMAIN, address=B))
    expect(bob.register(PASSWORD)[1].status == 200, "bob")
    request = alice.invite(f"sip:bob@{DOMAIN}", PASSWORD)
    incoming = bob.incoming("INVITE")
    bob.reply(incoming, 200, "OK", body=sdp())
    answer = alice.final(request)
    expect(EDGE in answer.get("record-route"), "no Record-Route in the answer")
    dialog = alice.dialog(request, answer)
    dialog.ack()
    bob.incoming("ACK", incoming.call_id)
    bob.dialog_of(incoming).request("BYE")
    bye = alice.incoming("BYE")
    expect(str(lab.edge.address[1]) in bye.get("via"), "BYE not by the proxy")
    alice.reply(bye, 200, "OK")
    expect(bob.wait(lambda m: m.status and "BYE" in m.cseq, 5, "200 to BYE").status == 200, "BYE")
    lab.record_says(lab.main, request.call_id, final=200, answered=True, ended_by="callee", flow="basic-call")


TESTS = [f for n, f in list(globals().items()) if n.startswith("test_")]
