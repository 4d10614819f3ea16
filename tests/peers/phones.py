"""baresip, a real phone, twice or three times in a network namespace of their own, through the server there.

baresip refuses loopback addresses, so the namespace has a veth pair whose one end carries all addresses. The
whole group runs in it: the first thing that is done is to leave the network of the machine.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import ctypes
import json
import math
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time
import urllib.parse
import wave

from kit import HERE, Skip, namespaces_work, need
from server import ENV, PASSWORD
from sip import Wrong, expect

SERVER, ALICE, BOB, CAROL, MALLORY = "192.0.2.1", "192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.14"
DOMAIN = "example.org"
CLONE_NEWNET = 0x40000000
CONFIG = HERE.parent.parent / "samples" / "scenarios" / "baresip.config"
ETH_P_ALL = 3


def leave_the_network():
    """This process, all its threads to come and its children are in a namespace with one veth pair from here on."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        raise Skip(f"no network namespace: {os.strerror(ctypes.get_errno())}")
    for command in ("link set lo up", "link add sb0 type veth peer name sb1", "link set sb0 up", "link set sb1 up",
                    *(f"address add {a}/24 dev sb0" for a in (SERVER, ALICE, BOB, CAROL, MALLORY))):
        done = subprocess.run(["ip", *command.split()], capture_output=True, check=False)
        if done.returncode:
            raise Skip(f"ip {command}: {done.stderr.decode().strip()}")


class Voice:
    """Counts the RTP packets by their two ends, as they pass lo (all addresses are on this machine)."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.socket.bind(("lo", 0))
        self.seen, self.lock = {}, threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with contextlib.suppress(OSError):
            while True:
                data, address = self.socket.recvfrom(2048)
                if address[2] != socket.PACKET_OUTGOING or len(data) < 40 or data[0] != 0x45 or data[9] != 17:
                    continue
                sport, dport, size = struct.unpack(">HHH", data[20:26])
                if data[28] >> 6 != 2 or data[29] & 0x7F not in (0, 8) or sport % 2 or size != 180:
                    continue
                # Each phone has a range of ports; the address is the machine's choice, all are on it.
                ends = tuple(f"192.0.2.{(port - 10000) // 100}" for port in (sport, dport))
                with self.lock:
                    self.seen[ends] = self.seen.get(ends, 0) + 1
                    self.lock.notify_all()

    def wait(self, one, other, count=25, seconds=10):
        """So many more packets each way from now on."""
        with self.lock:
            start = {e: self.seen.get(e, 0) for e in ((one, other), (other, one))}
            both = lambda: all(self.seen.get(e, 0) >= n + count for e, n in start.items())
            if not self.lock.wait_for(both, seconds):
                now = {e: self.seen.get(e, 0) - n for e, n in start.items()}
                raise Wrong(f"voice between {one} and {other} within {seconds} s: {now}")

    def wait_quiet(self, one, other, seconds=8, quiet_s=0.4):
        """One says nothing to the other any more: it was told to be silent."""
        end = time.monotonic() + seconds
        with self.lock:
            while time.monotonic() < end:
                before = self.seen.get((one, other), 0)
                self.lock.wait_for(lambda: self.seen.get((one, other), 0) > before, quiet_s)
                if self.seen.get((one, other), 0) == before:
                    return
        raise Wrong(f"{one} goes on talking to {other}")

    def close(self):
        self.socket.close()


class Phone:
    """A baresip, told what to do through its ctrl_tcp module (netstrings of JSON)."""

    def __init__(self, lab, user, address, password=PASSWORD, answer="manual", home=None, options=()):
        self.user, self.address = user, address
        home = lab.folder / f"phone-{home or user}"
        home.mkdir()
        text = CONFIG.read_text()
        last = int(address.rsplit(".", 1)[1])
        for word, value in (("@ADDRESS@", address), ("@PORT@", "5060"), ("@WAV@", lab.wav),
                            ("@RTP@", f"{10000 + 100 * last}-{10099 + 100 * last}")):
            text = text.replace(word, str(value))
        (home / "config").write_text(text)
        (home / "accounts").write_text(
            f'"{user.title()}" <sip:{user}@{DOMAIN}>;auth_user={user};auth_pass={password};'
            f'outbound="sip:{SERVER}:{lab.main.port};transport=udp";regint=600;answermode={answer}\n')
        (home / "contacts").write_text("")
        self.log = home / "log"
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(["timeout", "--foreground", "120", "baresip", *options, "-f", str(home)], cwd=home, env=ENV,
                                            start_new_session=True,
                                            stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT)
        self.events, self.lock = [], threading.Condition()
        lab.closing(self)
        end = time.monotonic() + 10
        while True:
            try:
                self.socket = socket.create_connection((address, 4444), 1)
                self.socket.settimeout(None)
                break
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise Wrong(f"baresip of {user} did not start: {self.text()[-400:]}") from None
                time.sleep(0.02)
        threading.Thread(target=self._read, daemon=True).start()

    def text(self):
        return self.log.read_text(errors="replace")

    def wait_text(self, *words, seconds=12):
        """Of registering it speaks in its log; the event may be gone before anybody listens."""
        end = time.monotonic() + seconds
        while not any(w in self.text() for w in words):
            if time.monotonic() > end or self.process.poll() is not None:
                raise Wrong(f"baresip of {self.user} never said {words}: {' '.join(self.text()[-300:].split())}")
            time.sleep(0.02)

    def _read(self):
        buffer = b""
        with contextlib.suppress(OSError, ValueError):
            while data := self.socket.recv(65536):
                buffer += data
                while b":" in buffer:
                    size, _, rest = buffer.partition(b":")
                    if len(rest) < int(size) + 1:
                        break
                    row = json.loads(rest[:int(size)])
                    buffer = rest[int(size) + 1:]
                    with self.lock:
                        self.events.append(row)
                        self.lock.notify_all()

    def do(self, command, params=""):
        row = json.dumps({"command": command, "params": params, "token": "t"}).encode()
        self.socket.sendall(b"%d:%s," % (len(row), row))

    def mark(self):
        with self.lock:
            return len(self.events)

    def wait(self, kind, since=0, seconds=12):
        found = lambda: [e for e in self.events[since:] if e.get("type") == kind]
        with self.lock:
            if not self.lock.wait_for(found, seconds):
                kinds = [e.get("type") for e in self.events[since:] if e.get("type")]
                raise Wrong(f"baresip of {self.user}: no {kind} within {seconds} s, only {kinds}: {self.text()[-300:]}")
            return found()[0]

    def close(self):
        with contextlib.suppress(ProcessLookupError):         # its session is its own
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def begin(lab):
    need("baresip", "ip")
    if not namespaces_work():
        raise Skip("no network namespaces here (not root?)")
    leave_the_network()
    lab.wav = lab.folder / "tone.wav"
    with wave.open(str(lab.wav), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(b"".join(struct.pack("<h", int(8000 * math.sin(i / 3))) for i in range(80000)))
    # libre of Debian 12 gives up at a challenge whose algorithm it does not know, also beside one that it does.
    lab.main = lab.server(users={u: {} for u in ("alice", "bob", "carol")}, address=SERVER, port=5060,
                          ini="[registrar]\nalgorithms = MD5\n")
    lab.voice = lab.closing(Voice())
    lab.alice = Phone(lab, "alice", ALICE)
    lab.bob = Phone(lab, "bob", BOB, options=("-s",))         # its log has the messages
    for phone in (lab.alice, lab.bob):
        phone.wait_text("200 OK")


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() // 1000 % 1000000:06}Z"


def call(lab, caller, callee):
    """Dials, rings, is answered; returns the places in both phones' events, and when it was dialled."""
    since, theirs, dialled = caller.mark(), callee.mark(), now()
    caller.do("dial", f"sip:{callee.user}@{DOMAIN}")
    callee.wait("CALL_INCOMING", theirs)
    caller.wait("CALL_RINGING", since)
    callee.do("accept")
    caller.wait("CALL_ESTABLISHED", since)
    callee.wait("CALL_ESTABLISHED", theirs)
    return since, theirs, dialled


def both_closed(lab, since, theirs):
    """So that the next test does not take this call's end for its own."""
    lab.alice.wait("CALL_CLOSED", since)
    lab.bob.wait("CALL_CLOSED", theirs)


def leg_of(lab, dialled, caller):
    """Call-ID of the leg that this phone began since then."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        for r in list(lab.main.records):
            if r.get("type") == "call" and r.get("invite_at", "") > dialled and r.get("caller_addr", "").startswith(f"{caller.address}:"):
                return r["call_id"]
        time.sleep(0.02)
    raise Wrong(f"no call of {caller.user} was printed")


def test_phones_register_with_digest(lab):
    lab.later(registered, lab)


def registered(lab):
    rows = {r["aor"]: r for r in lab.main.records if r.get("type") == "registration" and r["final"] == 200}
    for user in ("alice", "bob"):
        row = rows.get(f"sip:{user}@{DOMAIN}")
        expect(row and row["challenged"], f"{user}: {row}")


def test_a_wrong_password_does_not_register(lab):
    phone = Phone(lab, "carol", MALLORY, password="wrong", home="wrong")
    end = time.monotonic() + 10
    while not any(MALLORY in r.get("client", "") for r in list(lab.main.records)):
        expect(time.monotonic() < end, "its registration was not printed")
        time.sleep(0.02)
    lab.later(refused, lab, phone)                            # it goes on trying, until it is banned


def refused(lab, phone):
    rows = [r for r in lab.main.records if r.get("type") == "registration" and r["client"].startswith(MALLORY)]
    expect(rows and rows[-1]["final"] == 401 and rows[-1]["cause"], f"printed: {rows[-1:]}")
    expect("200 OK" not in phone.text(), "it is registered")


def test_a_call_has_voice_both_ways_and_the_callee_hangs_up(lab):
    since, theirs, dialled = call(lab, lab.alice, lab.bob)
    lab.voice.wait(ALICE, BOB)
    lab.bob.do("hangup")
    both_closed(lab, since, theirs)
    lab.record_says(lab.main, leg_of(lab, dialled, lab.alice), final=200, ended_by="callee", flow="basic-call")


def test_a_call_is_held_and_resumed_and_the_caller_hangs_up(lab):
    since, theirs, dialled = call(lab, lab.alice, lab.bob)
    lab.voice.wait(ALICE, BOB)
    call_id = leg_of(lab, dialled, lab.alice)
    lab.alice.do("hold")
    lab.voice.wait_quiet(BOB, ALICE)
    lab.alice.do("resume")
    lab.voice.wait(ALICE, BOB)
    lab.alice.do("hangup")
    both_closed(lab, since, theirs)
    lab.record_says(lab.main, call_id, final=200, ended_by="caller", flow="hold", held=True)


def test_a_busy_phone_refuses_and_the_caller_is_told(lab):
    since, theirs, dialled = lab.alice.mark(), lab.bob.mark(), now()
    lab.alice.do("dial", f"sip:bob@{DOMAIN}")
    lab.bob.wait("CALL_INCOMING", theirs)
    lab.bob.do("hangup")
    closed = lab.alice.wait("CALL_CLOSED", since)
    both_closed(lab, since, theirs)
    expect("486" in json.dumps(closed) or "603" in json.dumps(closed), f"{closed}")
    lab.record_says(lab.main, leg_of(lab, dialled, lab.alice), final=486, cause=True)


def test_a_caller_gives_up(lab):
    since, theirs, dialled = lab.alice.mark(), lab.bob.mark(), now()
    lab.alice.do("dial", f"sip:bob@{DOMAIN}")
    lab.bob.wait("CALL_INCOMING", theirs)
    lab.alice.wait("CALL_RINGING", since)
    lab.alice.do("hangup")
    both_closed(lab, since, theirs)
    lab.record_says(lab.main, leg_of(lab, dialled, lab.alice), final=487, flow="no-answer-caller")


def carol_of(lab):
    if not hasattr(lab, "carol"):
        lab.carol = Phone(lab, "carol", CAROL)
        lab.carol.wait_text("200 OK")
    return lab.carol


def test_a_blind_transfer(lab):
    """bob sends alice on to carol. The server calls carol and joins the two; alice's phone hears of a re-INVITE only."""
    carol = carol_of(lab)
    since, theirs, dialled = call(lab, lab.alice, lab.bob)
    hers = carol.mark()
    lab.bob.do("transfer", f"sip:carol@{DOMAIN}")
    carol.wait("CALL_INCOMING", hers)
    carol.do("accept")
    carol.wait("CALL_ESTABLISHED", hers)
    lab.voice.wait(ALICE, CAROL)
    lab.bob.wait("CALL_CLOSED", theirs)
    lab.alice.do("hangup")
    carol.wait("CALL_CLOSED", hers)
    both_closed(lab, since, theirs)
    lab.record_says(lab.main, leg_of(lab, dialled, lab.alice), final=200, ended_by="caller")


def test_a_blind_transfer_that_is_refused_is_told_with_the_code(lab):
    """baresip 1.0 hangs up by itself then; the server leaves the call as it is."""
    carol = carol_of(lab)
    since, theirs, dialled = call(lab, lab.alice, lab.bob)
    hers = carol.mark()
    lab.bob.do("transfer", f"sip:carol@{DOMAIN}")
    carol.wait("CALL_INCOMING", hers)
    carol.do("hangup")
    carol.wait("CALL_CLOSED", hers)
    failed = lab.bob.wait("TRANSFER_FAILED", theirs)
    expect(failed["param"].startswith("486"), f"{failed}")
    lab.alice.wait("CALL_CLOSED", since)                      # of its own hanging up bob's phone says nothing
    lab.record_says(lab.main, leg_of(lab, dialled, lab.alice), final=200, ended_by="callee")


def replaces_of(phone):
    """The dialog of the newest call that this phone answered, as a Refer-To names it to the other side."""
    answers = [text for text in phone.text().replace("\r", "").split("\n\n") if "SIP/2.0 200 " in text and " INVITE\n" in text
               and f"Contact: <sip:{phone.user}-" in text]
    expect(answers, f"{phone.user} answered no INVITE")
    call_id, = re.findall(r"\nCall-ID: (\S+)", answers[-1])
    to_tag, = re.findall(r"\nFrom: .*;tag=(\S+)", answers[-1])
    from_tag, = re.findall(r"\nTo: .*;tag=(\S+)", answers[-1])
    return urllib.parse.quote(f"{call_id};to-tag={to_tag};from-tag={from_tag}", safe="")


def test_an_attended_transfer(lab):
    """bob holds alice, asks carol, and has the server join the two: neither of their phones hears of a REFER."""
    carol = carol_of(lab)
    since, theirs, dialled = call(lab, lab.alice, lab.bob)
    replaced = replaces_of(lab.bob)
    lab.bob.do("hold")
    lab.voice.wait_quiet(ALICE, BOB)
    call(lab, lab.bob, carol)
    lab.voice.wait(BOB, CAROL)
    hers, his = carol.mark(), lab.bob.mark()
    lab.bob.do("transfer", f"<sip:alice@{DOMAIN}?Replaces={replaced}>")
    lab.bob.wait("CALL_CLOSED", his)
    lab.voice.wait(ALICE, CAROL)
    kinds = {e.get("type") for e in lab.alice.events[since:] + carol.events[hers:]}
    expect(not kinds & {"TRANSFER", "CALL_CLOSED"} and "CALL_INCOMING" not in {e.get("type") for e in carol.events[hers:]}, f"{kinds}")
    lab.alice.do("hangup")
    carol.wait("CALL_CLOSED", hers)
    both_closed(lab, since, theirs)
    lab.record_says(lab.main, leg_of(lab, dialled, lab.alice), final=200, ended_by="caller")


TESTS = [f for n, f in list(globals().items()) if n.startswith("test_")]
