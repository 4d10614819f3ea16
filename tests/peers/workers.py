"""Four workers: whatever comes by whichever socket, a call, a registration and a limit are those of one server.

Every test makes enough calls, each with a Call-ID of its own, that all workers own some of them; the phones are
on UDP and on TCP, so most messages come to a worker that is not theirs.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import re
import resource
import signal
import socket
import subprocess
import time

from server import ENV, PASSWORD
from sip import Message, Peer, Wrong, expect, sdp

DOMAIN = "example.org"
STRANGER = "127.0.0.66"              # not in `allow`
CALLS = 16                           # of each kind: one in 10^9 that a worker of four has none
WAIT_S = 20                          # a sanitizer on a busy machine


class Stream(Peer):
    """The same over one TCP connection."""

    def __init__(self, server, *args, address="127.0.0.1", **more):
        self.stream = socket.create_connection(server, source_address=(address, 0))
        super().__init__(server, *args, address=address, **more)
        self.socket.close()
        self.address, self.port = self.stream.getsockname()

    def _read(self):
        data = b""
        while not self.closed:
            try:
                more = self.stream.recv(65536)
            except OSError:
                return
            if not more:
                return
            data = self.take((data + more).lstrip(b"\r\n"))

    def take(self, data):
        while b"\r\n\r\n" in data:
            head, _, rest = data.partition(b"\r\n\r\n")
            length = int(re.search(rb"(?mi)^(?:content-length|l)\s*:\s*(\d+)", head).group(1))
            if len(rest) < length:
                return data
            m = Message(head + b"\r\n\r\n" + rest[:length], self.server)
            data = rest[length:].lstrip(b"\r\n")
            self.seen.append(m)
            if self.handler and self.handler(self, m):
                continue
            with self.lock:
                self.kept.append(m)
                self.lock.notify_all()
        return data

    def send(self, data, to=None):
        data = data if isinstance(data, bytes) else data.encode()
        self.stream.sendall(data.replace(f"/UDP {self.address}".encode(), f"/TCP {self.address}".encode(), 1))

    @property
    def contact(self):
        return f"{super().contact};transport=tcp"

    def close(self):
        self.closed = True
        try:
            self.stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.stream.close()


def begin(lab):
    lab.trunk = lab.closing(Peer(("127.0.0.1", 9), "trunk", address="127.0.0.9"))
    lab.main = lab.server(users={n: {} for n in ("alice", "bob", "carla", "dave", "erin", "fred", "gina", "hugo")} | {"two": {"calls_max": "2", "call_waiting": "no"}},
                          workers=4,
                          ini=f"[calls]\nuser_calls_max = 1000\nsession_timer = off\n[security]\nrequests = 0/s\nallow = 127.0.0.0/26\n"
                              f"[gateway trunk]\nhost = 127.0.0.9:{lab.trunk.port}\ncalls_max = 3\nping = 0 s\nallow = any\n")
    lab.trunk.server = lab.main.address
    lab.phones, lab.three = {}, []
    for name, kind in (("alice", Peer), ("bob", Stream), ("carla", Peer), ("dave", Stream)):
        phone = lab.phones[name] = lab.closing(kind(lab.main.address, name, DOMAIN))
        expect(phone.register(PASSWORD)[1].status == 200, f"{name} is not registered")


def wait_for(condition, what):
    end = time.monotonic() + WAIT_S
    while not condition():
        expect(time.monotonic() < end, f"no {what} within {WAIT_S} s")
        time.sleep(0.1)


def tag_of(text):
    return re.search(r";tag=([^;>\s]+)", text).group(1)


def call(a, b):
    """The caller's INVITE that was let through, and what came to the callee."""
    asked = a.invite(b.aor, PASSWORD, seconds=WAIT_S)
    invite = b.wait(lambda m: m.method == "INVITE" and m.get("from").startswith(f"<{a.aor}>"), WAIT_S, f"an INVITE to {b.user}")
    return asked, invite


def pairs(lab):
    phones = list(lab.phones.values())
    return [(a, b) for a in phones for b in phones if a is not b]


def answered(a, b):
    asked, invite = call(a, b)
    b.reply(invite, 180, "Ringing")
    a.provisional(asked, 180, WAIT_S)
    b.reply(invite, 200, "OK", body=sdp())
    answer = a.final(asked, WAIT_S)
    expect(answer.status == 200, f"{a.user} calls {b.user}: {answer.start}")
    caller, callee = a.dialog(asked, answer), b.dialog_of(invite)
    caller.ack()
    b.incoming("ACK", invite.call_id, WAIT_S)
    return caller, callee


def hangs_up(one, other):
    """One says BYE, both have their 200."""
    one.request("BYE")
    bye = other.peer.incoming("BYE", other.call_id, WAIT_S)
    other.peer.reply(bye, 200, "OK", contact=False)
    answer = one.peer.wait(one.peer.answer_to(one.call_id, f"{one.cseq} BYE"), WAIT_S, "an answer to BYE")
    expect(answer.status == 200, f"BYE: {answer.start}")


def rings_and_is_cancelled(a, b, asked, invite):
    b.reply(invite, 180, "Ringing")
    a.provisional(asked, 180, WAIT_S)
    a.cancel(asked)
    done = a.wait(a.answer_to(asked.call_id, f"{asked.cseq.split()[0]} CANCEL"), WAIT_S, "an answer to CANCEL")
    expect(done.status == 200, f"CANCEL: {done.start}")
    b.reply(b.incoming("CANCEL", invite.call_id, WAIT_S), 200, "OK", contact=False)
    b.reply(invite, 487, "Request Terminated")
    b.incoming("ACK", invite.call_id, WAIT_S)
    over = a.final(asked, WAIT_S)
    expect(over.status == 487, f"cancelled: {over.start}")


def test_calls_that_either_side_ends(lab):
    for i in range(CALLS // 4 + 1):
        for a, b in pairs(lab):
            caller, callee = answered(a, b)
            hangs_up(*((caller, callee) if i % 2 else (callee, caller)))
            lab.record_says(lab.main, caller.call_id, final=200, answered=True, ended_by="caller" if i % 2 else "callee")


def test_calls_that_are_changed_within(lab):
    for a, b in pairs(lab):
        caller, callee = answered(a, b)
        for one, other in ((caller, callee), (callee, caller)):
            one.request("INFO", body="Signal=5\r\n", type="application/dtmf-relay")
            other.peer.reply(other.peer.incoming("INFO", other.call_id, WAIT_S), 200, "OK", contact=False)
            done = one.peer.wait(one.peer.answer_to(one.call_id, f"{one.cseq} INFO"), WAIT_S, "an answer to INFO")
            expect(done.status == 200, f"INFO: {done.start}")
        hangs_up(caller, callee)


def test_calls_that_are_cancelled(lab):
    for a, b in pairs(lab):
        for _ in range(2):
            asked, invite = call(a, b)
            rings_and_is_cancelled(a, b, asked, invite)
            lab.record_says(lab.main, asked.call_id, final=487)


def test_calls_that_are_refused(lab):
    for a, b in pairs(lab):
        asked, invite = call(a, b)
        b.reply(invite, 486, "Busy Here")
        b.incoming("ACK", invite.call_id, WAIT_S)
        expect(a.final(asked, WAIT_S).status == 486, "not busy")


def test_a_phone_that_registers_by_an_alias_and_one_by_name_are_those_of_one_user(lab):
    """The alias belongs to another worker than the user in three of four cases; half of them are users' names, too."""
    names = [f"a{i}" for i in range(CALLS)]
    users = {n: {"aliases": f"7{i}"} for i, n in enumerate(names)} | {f"7{i}": {} for i in range(0, CALLS, 2)}
    server = lab.server("aliases", live=False, users=users, workers=4,
                        ini="[calls]\nsession_timer = off\n[security]\nrequests = 0/s\nallow = 127.0.0.0/8\n")
    caller = lab.closing(Peer(server.address, names[0], DOMAIN))
    for i, name in enumerate(names):
        phones = [lab.closing(Peer(server.address, name, DOMAIN)) for _ in range(2)]
        expect(phones[0].register(PASSWORD)[1].status == 200, "not registered by name")
        answer = phones[1].register(PASSWORD, alias=f"7{i}")[1]
        contacts = ", ".join(answer.all("contact"))
        expect(answer.status == 200 and contacts.count(f"sip:{name}@127") == 2, f"{answer.start}: not both in {contacts}")
        for to in (f"sip:{name}@{DOMAIN}", f"sip:7{i}@{DOMAIN}")[:1 if f"7{i}" in users else 2]:
            asked = caller.invite(to, PASSWORD, seconds=WAIT_S)
            rings = [p.incoming("INVITE", seconds=WAIT_S) for p in phones]
            for p, ring in zip(phones, rings):
                p.reply(ring, 603, "Decline")
                p.incoming("ACK", ring.call_id, WAIT_S)
                break
            refusal = caller.final(asked, WAIT_S)
            expect(refusal.status == 603, f"{refusal.start}")


def three(lab):
    """For two tests, so that each of these users has one phone."""
    if not lab.three:
        lab.three = [lab.closing(Peer(lab.main.address, n, DOMAIN)) for n in ("fred", "gina", "hugo")]
        for phone in lab.three:
            expect(phone.register(PASSWORD)[1].status == 200, "not registered")
    return lab.three


def name_of(dialog):
    """For Replaces, as the server is told of it."""
    return f"{dialog.call_id};to-tag={tag_of(dialog.remote)};from-tag={tag_of(dialog.local)}"


def goes_along(phone, m):
    """What comes within a call is answered as a phone does that needs nobody."""
    if m.method == "INVITE" and m.tag("to"):
        phone.reply(m, 200, "OK", body=sdp())
    elif m.method in ("BYE", "NOTIFY"):
        phone.reply(m, 200, "OK", contact=False)
    return m.method in ("BYE", "ACK") or (m.method == "INVITE" and bool(m.tag("to")))


def test_a_transfer_with_consultation_joins_calls_of_any_two_workers(lab):
    """Calls of one worker are joined by the server, those of two by the phone that is told to take a place."""
    fred, gina, hugo = three(lab)
    ways = set()
    for _ in range(2 * CALLS):
        for phone in (fred, gina, hugo):
            phone.handler = None
        (fred_x, gina_x), (fred_y, hugo_y) = answered(fred, gina), answered(fred, hugo)
        for phone in (fred, gina, hugo):
            phone.handler, phone.kept[:] = goes_along, []
        replaces = name_of(fred_y)
        escaped = replaces.replace(";", "%3B").replace("=", "%3D")
        fred_x.request("REFER", headers=[f"Refer-To: <{hugo.aor}?Replaces={escaped}>"])
        wait_for(lambda: any(m.method == "REFER" for m in gina.kept) or any("SIP/2.0 200" in m.body for m in fred.kept), "transfer")
        passed = next((m for m in gina.kept if m.method == "REFER"), None)
        ways.add(bool(passed))
        if passed:
            gina.reply(passed, 202, "Accepted")
            asked = gina.invite(hugo.aor, PASSWORD, seconds=WAIT_S, headers=[f"Replaces: {replaces}"])
            answer = gina.final(asked, WAIT_S)
            expect(answer.status == 200, f"the place is not given: {answer.start}")
            joined = gina.dialog(asked, answer)
            joined.ack()
            expect(gina_x.bye(seconds=WAIT_S).status == 200, "the first call has no end")
        else:
            joined = gina_x
            expect(fred_x.bye(seconds=WAIT_S).status == 200, "the referrer cannot leave")
        wait_for(lambda: any(m.method == "BYE" and m.call_id == fred_y.call_id for m in fred.seen), "BYE for the place that was taken")
        expect(joined.bye(seconds=WAIT_S).status == 200, "the joined call has no end")
        wait_for(lambda: any(m.method == "BYE" and m.call_id == hugo_y.call_id for m in hugo.seen), "BYE at the far end")
    expect(ways == {True, False}, "all of them went one way")


def test_a_cancel_finds_an_invite_that_went_where_its_replaces_led(lab):
    """The Call-ID of the CANCEL leads elsewhere in three of four cases."""
    fred, gina, hugo = three(lab)
    for _ in range(CALLS):
        fred.handler = hugo.handler = None
        fred_y, hugo_y = answered(fred, hugo)
        asked = gina.invite(hugo.aor, PASSWORD, seconds=WAIT_S, headers=[f"Replaces: {name_of(fred_y)}"])
        again = hugo.incoming("INVITE", hugo_y.call_id, WAIT_S)           # it is asked for the new end, and waits
        gina.cancel(asked)
        done = gina.wait(gina.answer_to(asked.call_id, f"{asked.cseq.split()[0]} CANCEL"), WAIT_S, "an answer to CANCEL")
        expect(done.status == 200, f"CANCEL: {done.start}")
        over = gina.final(asked, WAIT_S)
        expect(over.status == 487, f"cancelled: {over.start}")
        gina.ack_refusal(asked, over)
        fred.handler = hugo.handler = goes_along
        hugo.reply(again, 200, "OK", body=sdp())
        expect(fred_y.bye(seconds=WAIT_S).status == 200, "the call did not go on")
        wait_for(lambda: any(m.method == "BYE" and m.call_id == hugo_y.call_id for m in hugo.seen), "BYE at the far end")


def refused(phone, asked, count):
    """So many of these calls are refused; what was said of them."""
    said = []
    for _ in range(count):
        m = phone.wait(lambda m: m.status >= 300 and m.cseq.endswith("INVITE"), WAIT_S, "a refusal")
        phone.ack_refusal(next(a for a in asked if a.call_id == m.call_id), m)
        said.append(m.status)
    return said


def test_calls_of_one_user_are_counted_together(lab):
    phone, alice = lab.closing(Peer(lab.main.address, "two", DOMAIN)), lab.phones["alice"]
    expect(phone.register(PASSWORD)[1].status == 200, "not registered")
    for _ in range(4):
        asked = [alice.invite(phone.aor, PASSWORD, seconds=WAIT_S) for _ in range(8)]
        rings = [phone.incoming("INVITE", seconds=WAIT_S) for _ in range(2)]
        expect(refused(alice, asked, 6) == [486] * 6, "not busy")
        expect(not [m for m in phone.kept if m.method == "INVITE"], "a third call rings")
        for ring in rings:
            phone.reply(ring, 603, "Decline")
            phone.incoming("ACK", ring.call_id, WAIT_S)
        expect(refused(alice, asked, 2) == [603] * 2, "not declined")


def test_a_gateway_has_no_more_calls_because_there_are_more_workers(lab):
    alice, trunk = lab.phones["alice"], lab.trunk
    asked = [alice.invite(f"sip:+4930123{i:02}@{DOMAIN}", PASSWORD, seconds=WAIT_S) for i in range(CALLS)]
    rings = [trunk.incoming("INVITE", seconds=WAIT_S) for _ in range(3)]
    refused(alice, asked, CALLS - 3)
    expect(len({m.call_id for m in trunk.seen if m.method == "INVITE"}) == 3, "more calls than calls_max")
    for ring in rings:
        trunk.reply(ring, 404, "Not Found")
        trunk.incoming("ACK", ring.call_id, WAIT_S)
    expect(refused(alice, asked, 3) == [404] * 3, "not refused by the gateway")
    more = alice.invite(f"sip:+4930999@{DOMAIN}", PASSWORD, seconds=WAIT_S)
    ring = trunk.incoming("INVITE", seconds=WAIT_S)       # there is room again
    trunk.reply(ring, 404, "Not Found")
    expect(alice.final(more, WAIT_S).status == 404, "not refused by the gateway")


def test_who_is_banned_is_banned_by_all(lab):
    strangers = [lab.closing(Peer(lab.main.address, "x", address=STRANGER)) for _ in range(CALLS)]
    expect(strangers[0].ask("OPTIONS", f"sip:{DOMAIN}", seconds=WAIT_S).status == 200, "not answered before")
    strangers[0].request("OPTIONS", f"sip:{DOMAIN}", headers=["User-Agent: friendly-scanner"])
    time.sleep(1)
    for s in strangers:
        s.request("OPTIONS", f"sip:{DOMAIN}")
    time.sleep(2)
    expect(not [m for s in strangers[1:] for m in s.seen], "answers who is banned")
    expect(lab.phones["alice"].ask("OPTIONS", f"sip:{DOMAIN}", seconds=WAIT_S).status == 200, "bans others")


def test_a_phone_whose_connection_is_gone_is_gone_for_all(lab):
    erin, alice = Stream(lab.main.address, "erin", DOMAIN), lab.phones["alice"]
    behind_nat = "<sip:erin@192.0.2.77:5060;transport=tcp>"        # reached by its connection only
    expect(erin.register(PASSWORD, contact=behind_nat)[1].status == 200, "not registered")
    for a in (alice, lab.phones["bob"]):
        hangs_up(*answered(a, erin))
    erin.close()
    end = time.monotonic() + WAIT_S
    while alice.final(alice.invite(erin.aor, PASSWORD, seconds=WAIT_S), WAIT_S).status != 480 and time.monotonic() < end:
        time.sleep(0.1)
    for _ in range(CALLS):
        answer = alice.final(alice.invite(erin.aor, PASSWORD, seconds=WAIT_S), WAIT_S)
        expect(answer.status == 480, f"some worker thinks that it is there: {answer.start}")


def test_a_changed_configuration_reaches_all(lab):
    lab.main.config.write_text(lab.main.config.read_text().replace("workers = 4", "workers = 4\nname = Other"))
    caller, callee = answered(lab.phones["alice"], lab.phones["bob"])
    lab.main.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + WAIT_S
    while lab.phones["alice"].ask("OPTIONS", f"sip:{DOMAIN}").get("server") != "Other" and time.monotonic() < end:
        time.sleep(0.1)
    names = {lab.phones["alice"].ask("OPTIONS", f"sip:{DOMAIN}", seconds=WAIT_S).get("server") for _ in range(CALLS)}
    expect(names == {"Other"}, f"after a reload: {names}")
    hangs_up(callee, caller)
    for a, b in pairs(lab):
        hangs_up(*answered(a, b))


def test_a_change_that_one_of_them_cannot_make_is_made_by_none(lab):
    """Worker 0 finds descriptors for its new listeners, the next one runs out of them."""
    server, pid, more = lab.main, lab.main.pid(), 40
    names = lambda: {lab.phones["alice"].ask("OPTIONS", f"sip:{DOMAIN}", seconds=WAIT_S).get("server") for _ in range(CALLS)}
    descriptors = lambda: len(os.listdir(f"/proc/{pid}/fd"))
    said = lambda: (server.folder / "stderr").read_text()
    good, before, count, limits = server.config.read_text(), names(), descriptors(), resource.prlimit(pid, resource.RLIMIT_NOFILE)
    caller, callee = answered(lab.phones["bob"], lab.phones["carla"])
    told = len(said())
    server.config.write_text(re.sub("workers = 4(\nname = .*)?", "workers = 4\nname = Third", good) + "".join(
        f"[listen more{i}]\naddress = 127.0.1.{i + 1}\nport = {server.port}\n" for i in range(more)))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (count + more * 3 // 2, limits[1]))
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "not taken over" in said()[told:], "a refusal of the reload")
    expect("127.0.1." in said()[told:], f"refused for something else: {said()[told:]}")
    expect(names() == before, f"half of a refused configuration holds: {names()}, not {before}")
    expect(descriptors() <= count, f"{descriptors()} descriptors, not {count}: listeners of a refused configuration are open")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    hangs_up(caller, callee)

    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: names() == {"Third"}, "a reload that holds for all")
    expect(descriptors() >= count + more * 4, f"{descriptors()} descriptors: not all of them have the new listeners")
    server.config.write_text(good)
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: descriptors() <= count, "the end of the listeners that are gone")
    for a, b in pairs(lab):
        hangs_up(*answered(a, b))


def test_contacts_are_there_after_a_kill(lab):
    names = [f"k{i}" for i in range(CALLS)]
    server = lab.server("killed", live=False, users={n: {} for n in names}, workers=4,
                        ini="[calls]\nsession_timer = off\n[security]\nrequests = 0/s\nallow = 127.0.0.0/8\n")
    phones = [lab.closing(Peer(server.address, n, DOMAIN)) for n in names]
    for p in phones:
        expect(p.register(PASSWORD)[1].status == 200, "not registered")
    time.sleep(2.5)                                       # a second until it is on disk
    server.process.kill()
    server.process.wait()
    server.start()
    for a, b in zip(phones, phones[1:] + phones[:1]):
        hangs_up(*answered(a, b))


def test_contacts_survive_another_number_of_workers(lab):
    names = [f"u{i}" for i in range(CALLS)]
    server = lab.server("restarted", live=False, users={n: {} for n in names}, workers=4,
                        ini="[calls]\nsession_timer = off\n[security]\nrequests = 0/s\nallow = 127.0.0.0/8\n")
    phones = [lab.closing(Peer(server.address, n, DOMAIN)) for n in names]
    for p in phones:
        expect(p.register(PASSWORD)[1].status == 200, "not registered")
    for before, workers in ((4, 1), (1, 3), (3, 4)):
        server.stop()
        server.config.write_text(server.config.read_text().replace(f"workers = {before}", f"workers = {workers}"))
        server.start()
        for a, b in zip(phones, phones[1:] + phones[:1]):
            hangs_up(*answered(a, b))
        expect(phones[workers].register(PASSWORD)[1].status == 200, f"no REGISTER with {workers} workers")
    phones[0].register(PASSWORD, expires=0)
    server.stop()
    server.start()
    answer = phones[1].final(phones[1].invite(phones[0].aor, PASSWORD, seconds=WAIT_S), WAIT_S)
    expect(answer.status == 480, f"a contact that was taken away is back: {answer.start}")


def test_a_load_of_calls_ends_in_order(lab):
    tool = lambda *args: subprocess.run([str(lab.program), *map(str, args)], capture_output=True, env=ENV, timeout=60, check=False)
    server = lab.server("load", live=False, domain="load.example", workers=4,
                        ini="[calls]\nuser_calls_max = 1000\n[security]\nrequests = 0/s\nallow = 127.0.0.0/8\n")
    users = lab.folder / "load.csv"
    users.write_bytes(tool("load", "--make-users").stdout)
    server.tool("user", "import", "--db", server.state / "users.db", users)
    time.sleep(1.2)                                       # a running server sees other users within a second
    done = tool("load", "--to", f"127.0.0.1:{server.port}", "--rate", 30, "--seconds", 5, "--hold", 1, "--json")
    result = json.loads(done.stdout)
    expect(done.returncode == 0 and result["ended"] == result["begun"] == 150 and not result["failed"], f"{result}")


TESTS = [f for n, f in list(globals().items()) if n.startswith("test_")]
