"""Malformed and hostile messages sent to the listening server while calls are up: no call is harmed.

The messages lie beside the tree (RFC 4475 and 5118, parsers' own collections, PROTOS c07-sip); without them
these tests are skipped. Some made here come always.

SPDX-License-Identifier: Apache-2.0
"""
import random
import socket
import tarfile

from kit import Skip
from server import PASSWORD
from sip import Peer, expect, sdp, token

A, B, EVIL = "127.0.0.2", "127.0.0.3", "127.0.0.66"
DOMAIN = "example.org"
CALLS = 20
RSS_GROWTH_KIB = 48 * 1024           # transactions linger 32 s; what is told of calls is kept for a while
MARGIN_S = 5


def phone(peer, m):
    if m.method == "INVITE":
        peer.reply(m, 200, "OK", body=sdp())
    elif m.method in ("BYE", "INFO", "OPTIONS", "CANCEL"):
        peer.reply(m, 200, "OK", contact=False)
    return bool(m.method)


def begin(lab):
    lab.main = lab.server(users={"bob": {"calls_max": "1000"}, "alice": {}}, ini="[calls]\nuser_calls_max = 1000\n")
    lab.phone = lab.closing(Peer(lab.main.address, "bob", DOMAIN, phone, B))
    expect(lab.phone.register(PASSWORD)[1].status == 200, "not registered")
    lab.caller = lab.closing(Peer(lab.main.address, "caller", address=A))
    lab.evil = lab.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    lab.evil.bind((EVIL, 0))
    lab.calls = []
    for _ in range(CALLS):
        request = lab.caller.invite(f"sip:bob@{DOMAIN}")
        answer = lab.caller.final(request)
        expect(answer.status == 200, f"a call was not answered: {answer.start}")
        dialog = lab.caller.dialog(request, answer)
        dialog.ack()
        lab.calls.append(dialog)


def alive(lab, why):
    """OPTIONS is answered, and a request in each of the calls goes through."""
    p = Peer(lab.main.address, "probe", address=A)
    try:
        expect(p.ask("OPTIONS", f"sip:{DOMAIN}", seconds=MARGIN_S).status == 200, f"after {why}: no 200 to OPTIONS")
    finally:
        p.close()
    for dialog in lab.calls:
        request = dialog.request("INFO", body="Signal=5\r\n", type="application/dtmf-relay")
        answer = lab.caller.final(request)
        expect(answer.status == 200, f"after {why}: a call is harmed: {answer.start}")


def send_all(lab, messages, why):
    before = lab.main.rss_kib()
    for n, data in enumerate(messages):
        try:
            lab.evil.sendto(data[:65000], lab.main.address)
        except OSError:
            continue
        if n % 50 == 49:                                      # not to lose them in the socket
            lab.caller.ask("OPTIONS", f"sip:{DOMAIN}", seconds=MARGIN_S)
    expect(lab.main.process.poll() is None, f"the server ended: {lab.main.stderr()}")
    alive(lab, why)
    growth = lab.main.rss_kib() - before
    print(f"        {why}: {len(messages)} messages, memory +{growth} KiB")
    expect(lab.is_sanitized or growth < RSS_GROWTH_KIB, f"memory grew by {growth} KiB with {len(messages)} messages")


def collection(lab, *folders):
    found = [p for f in folders for p in sorted((lab.shared / "torture" / f).glob("*")) if p.is_file()]
    if not found:
        raise Skip(f"{lab.shared / 'torture'} is not there")
    return [p.read_bytes() for p in found]


def protos(lab):
    path = lab.shared / "torture" / "protos-c07-sip-two-thirds.tar.xz"
    if not path.exists():
        raise Skip(f"{path} is not there")
    with tarfile.open(path) as tar:
        return [tar.extractfile(m).read() for m in tar if m.isfile()]


def test_rfc_4475_and_5118_harm_no_call(lab):
    send_all(lab, collection(lab, "rfc4475", "rfc5118"), "RFC 4475 and 5118")


def test_the_collections_of_other_parsers_harm_no_call(lab):
    send_all(lab, collection(lab, "jain-torture", "kamailio-misc", "osip-malformed", "osip-messages", "pjsip-seeds"), "others")


def test_protos_harms_no_call(lab):
    send_all(lab, protos(lab), "PROTOS")


def test_all_of_it_again_does_not_take_more_memory(lab):
    every = collection(lab, "rfc4475", "rfc5118", "jain-torture", "kamailio-misc") + protos(lab)
    every = [m.replace(b"z9hG4bK", b"z9hG4bKagain") for m in every]     # no repeats of the first round
    send_all(lab, every, "a second round")


def test_the_same_over_tcp_closes_that_connection_at_most(lab):
    for data in collection(lab, "rfc4475", "rfc5118", "osip-malformed"):
        with socket.socket() as s:
            s.bind((EVIL, 0))
            s.settimeout(2)
            s.connect(lab.main.address)
            s.sendall(data)
    alive(lab, "the same over TCP")


def test_noise_and_cut_messages_harm_no_call(lab):
    dice = random.Random(4)
    good = lab.caller.text("INVITE", f"sip:bob@{DOMAIN}", body=sdp()).encode()
    noise = [dice.randbytes(dice.randrange(1, 1400)) for _ in range(200)]
    cut = [good[:dice.randrange(1, len(good))] for _ in range(200)]
    flipped = []
    for _ in range(400):
        data = bytearray(lab.caller.text("OPTIONS", f"sip:bob@{DOMAIN}", call_id=token("n")).encode())
        for _ in range(dice.randrange(1, 6)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        flipped.append(bytes(data))
    send_all(lab, noise + cut + flipped, "noise")


def test_strangers_in_a_call_do_not_end_it(lab):
    """BYE and CANCEL with the right Call-ID but wrong tags, from somewhere else."""
    stranger = lab.closing(Peer(lab.main.address, "caller", address=EVIL))
    for dialog in lab.calls[:5]:
        answer = stranger.ask("BYE", dialog.target, call_id=dialog.call_id, from_=dialog.local, to=f"<sip:bob@{DOMAIN}>;tag=guessed", cseq=99)
        expect(answer.status == 481, f"BYE with a guessed tag: {answer.start}")
        answer = stranger.ask("CANCEL", f"sip:bob@{DOMAIN}", call_id=dialog.call_id, from_=dialog.local, cseq=1)
        expect(answer.status == 481, f"CANCEL of a call that is up: {answer.start}")
    alive(lab, "strangers")


def test_every_call_ends_with_200(lab):
    for dialog in lab.calls:
        expect(dialog.bye().status == 200, "BYE was refused")
        lab.record_says(lab.main, dialog.call_id, final=200, answered=True, ended_by="caller")
    lab.calls = []


TESTS = [f for n, f in list(globals().items()) if n.startswith("test_")]
