"""Every code of the list: our own ones provoked by a real condition, the callee's passed on as they are.

The callee is an oracle: a phone registered as code-NNN answers NNN.

SPDX-License-Identifier: Apache-2.0
"""
import re
import socket

from kit import Skip
from server import PASSWORD
from sip import Peer, Wrong, challenge, digest, expect, sdp, token

RELAYED = (400, 401, 402, 403, 404, 405, 406, 407, 408, 410, 413, 414, 415, 416, 420, 421, 423, 480, 481, 482, 483, 484,
           485, 486, 487, 488, 491, 493, 500, 501, 502, 503, 504, 505, 513, 600, 603, 604, 606)
REDIRECTS = (300, 301, 302, 305, 380)
PHRASES = {  # as RFC 3261, 21 and the IANA list have them
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout", 410: "Gone",
    413: "Request Entity Too Large", 414: "Request-URI Too Long", 415: "Unsupported Media Type",
    416: "Unsupported URI Scheme", 420: "Bad Extension", 423: "Interval Too Brief", 480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops", 484: "Address Incomplete",
    485: "Ambiguous", 486: "Busy Here", 487: "Request Terminated", 491: "Request Pending", 493: "Undecipherable",
    500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Server Time-out", 505: "Version Not Supported", 513: "Message Too Large", 300: "Multiple Choices",
    301: "Moved Permanently", 302: "Moved Temporarily", 380: "Alternative Service", 100: "Trying", 180: "Ringing",
    181: "Call Is Being Forwarded", 183: "Session Progress", 200: "OK"}
# What a callee puts beside its code and what is worthless when it gets lost on the way.
BESIDE = {300: "Contact: <sip:one@elsewhere.test>, <sip:two@elsewhere.test>", 301: "Contact: <sip:new@elsewhere.test>",
          302: "Contact: <sip:desk@elsewhere.test>;expires=60", 305: "Contact: <sip:proxy.elsewhere.test>",
          405: "Allow: OPTIONS", 413: "Retry-After: 7", 415: "Accept: application/foo", 420: "Unsupported: foo",
          421: "Require: foo", 480: "Retry-After: 8", 485: "Contact: <sip:first@elsewhere.test>",
          486: 'Reason: Q.850;cause=17;text="User busy"', 488: 'Warning: 305 oracle.test "Incompatible media format"',
          503: "Retry-After: 9", 600: "Retry-After: 10", 603: "Retry-After: 11",
          606: 'Warning: 370 oracle.test "Insufficient bandwidth"'}
DOMAIN = "example.org"
A, B, HOLE = "127.0.0.2", "127.0.0.3", "127.0.0.9"   # callers, phones; the server has 127.0.0.1
QUICK = "[timers]\nt1 = 15 ms\nt2 = 60 ms\nt4 = 60 ms\n"       # given up after 960 ms


def oracle(peer, m):
    """Answers by the user that is called: code-NNN, ring, early, slow, good, tagless."""
    if m.method in ("BYE", "CANCEL", "UPDATE", "INFO", "OPTIONS", "REFER"):
        peer.reply(m, *((202, "Accepted") if m.method == "REFER" else (200, "OK")), contact=False)
        if m.method == "CANCEL":
            for invite in [i for i in peer.seen if i.method == "INVITE" and i.call_id == m.call_id][:1]:
                peer.reply(invite, 487, "Request Terminated")
        return True
    if m.method != "INVITE":
        return False
    user = re.sub(r"^sips?:|@.*$", "", m.uri)
    code = re.fullmatch(r"code-(\d+)", user)
    if code and int(code.group(1)) < 200:
        peer.reply(m, int(code.group(1)), f"Oracle {code.group(1)}")
        peer.reply(m, 200, "OK", body=sdp())
    elif code:
        number = int(code.group(1))
        peer.reply(m, number, f"Oracle {number}", headers=[BESIDE[number]] if number in BESIDE else [])
    elif user == "good":
        peer.reply(m, 180, "Ringing")
        peer.reply(m, 200, "OK", body=sdp())
    elif user == "ring":
        peer.reply(m, 180, "Ringing")
    elif user == "reliable":
        peer.reply(m, 183, "Session Progress", headers=["Require: 100rel", "RSeq: 77"], body=sdp())
    elif user == "tagless":
        peer.reply(m, 200, "OK", tag="", body=sdp())
    return user in ("good", "ring", "reliable", "tagless") or bool(code)


def register(lab, server, peer, names):
    for name in names:
        peer.user = name
        _, answer = peer.register(PASSWORD, domain=DOMAIN)
        expect(answer.status == 200, f"{name} was not registered: {answer.start}")


def begin(lab):
    hole = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    hole.bind((HOLE, 0))
    lab.closing(hole)
    names = [f"code-{n}" for n in (181, 182, *RELAYED, *REDIRECTS)]
    special = ["good", "ring", "tagless", "slow"]
    users = {n: {} for n in (*names, *special, "alice", "away", "second")}
    users["one"] = {"calls_max": "1", "call_waiting": "no"}
    users["busy"] = {"forward_busy": f"sip:good@{DOMAIN}"}
    users["round"] = {"forward_always": f"sip:about@{DOMAIN}"}
    users["about"] = {"forward_always": f"sip:round@{DOMAIN}"}
    users["elsewhere"] = {"redirect": "yes"}
    users["blocked"] = {"disabled": "yes"}
    users["still"] = {"do_not_disturb": "yes"}
    lab.main = lab.server("main", users=users, ini=(
        "[calls]\nalias_of_many = refuse\nemergency = redirect\nuser_calls_max = 100\n"
        "[numbers]\ndeny = +900\n"
        "[security]\nuri_max = 2 KiB\nbody_max = 4 KiB\nmessage_max = 8 KiB\n"
        "[gone]\nnumbers = 299\n[moved]\n301 = sip:new@elsewhere.test\n"
        "[redirect]\n300 = sip:one@elsewhere.test, sip:two@elsewhere.test\n302 = sip:desk@elsewhere.test\n"))
    for name in ("alice", "second"):
        lab.main.tool("user", "alias", "add", "--db", lab.main.state / "users.db", f"pair@{DOMAIN}", name)
    lab.quick = lab.server("quick", users={"alice": {}, "reliable": {}, "dark": {}}, ini=(
        f"{QUICK}[gateway hole]\nhost = {HOLE}:{hole.getsockname()[1]}\nallow = any\nping = 0 s\n"))
    lab.full = lab.server("full", users={"good": {}}, ini="[calls]\ncalls_max = 1\n")
    lab.oracle = lab.closing(Peer(lab.main.address, address=B, handler=oracle))
    register(lab, lab.main, lab.oracle, [*names, *special, "one"])
    lab.quick_oracle = lab.closing(Peer(lab.quick.address, address=B, handler=oracle))
    register(lab, lab.quick, lab.quick_oracle, ["reliable"])
    lab.full_oracle = lab.closing(Peer(lab.full.address, address=B, handler=oracle))
    register(lab, lab.full, lab.full_oracle, ["good"])
    lab.caller = lab.closing(Peer(lab.main.address, "caller", address=A))
    lab.quick_caller = lab.closing(Peer(lab.quick.address, "caller", address=A))
    lab.full_caller = lab.closing(Peer(lab.full.address, "caller", address=A))


def is_code(answer, status, phrase=None):
    phrase = PHRASES.get(status) if phrase is None else phrase
    expect(answer.status == status, f"{answer.start!r}, not {status}")
    expect(phrase is True or answer.reason == phrase, f"phrase {answer.reason!r}, not {phrase!r}")
    expect(answer.call_id or status == 400, "no Call-ID in it")
    return answer


def dialled(lab, uri, status, phrase=None, caller=None, server=None, headers=(), **more):
    """Calls it; the answer is this code and the record says so and why."""
    caller, server = caller or lab.caller, server or lab.main
    request = caller.invite(uri, headers=headers, **more)
    answer = is_code(caller.final(request), status, phrase)
    lab.record_says(server, request.call_id, final=status, cause=True)
    return answer


def user(name):
    return f"sip:{name}@{DOMAIN}"


# ---- what the callee says ----

def relayed(lab, codes):
    wrong, kept = [], 0
    for number in codes:
        request = lab.caller.invite(user(f"code-{number}"))
        try:
            answer = lab.caller.final(request)
        except Wrong as why:
            wrong.append(f"{number}: {why}")
            continue
        beside = BESIDE.get(number, "").partition(":")
        if answer.status != number or answer.reason != f"Oracle {number}":
            wrong.append(f"{number}: {answer.start!r}")
        elif beside[0] and answer.get(beside[0]) != beside[2].strip():
            wrong.append(f"{number}: {beside[0]} {answer.get(beside[0])!r}")
        else:
            kept += 1
        lab.record_says(lab.main, request.call_id, final=answer.status, cause=True)
    expect(not wrong, f"{kept} of {len(codes)} kept; {'; '.join(wrong)}")
    print(f"        relayed with number, phrase and header: {kept} of {len(codes)}")


def test_relayed_39_of_39_final_codes_keep_number_and_phrase(lab):
    relayed(lab, RELAYED)
    expect(len(RELAYED) == 39, "not 39")


def test_relayed_redirects_keep_number_phrase_and_contacts(lab):
    relayed(lab, REDIRECTS)


def test_relayed_181_and_182_are_heard_before_the_answer(lab):
    for number in (181, 182):
        request = lab.caller.invite(user(f"code-{number}"))
        answer = lab.caller.provisional(request, number)
        expect(answer.reason == f"Oracle {number}", f"phrase {answer.reason!r}")
        dialog = lab.caller.dialog(request, is_code(lab.caller.final(request), 200))
        dialog.ack()
        is_code(dialog.bye(), 200)


# ---- 1xx and 2xx ----

def test_100_when_nothing_else_is_said_for_200_ms(lab):
    request = lab.caller.invite(user("slow"))
    incoming = lab.oracle.incoming("INVITE")
    answer = is_code(lab.caller.provisional(request, 100), 100)
    expect(not answer.tag("to"), "100 has a To tag")
    lab.oracle.reply(incoming, 486, "Busy Here")
    is_code(lab.caller.final(request), 486)
    lab.record_says(lab.main, request.call_id, final=486, cause=True, flow="callee-busy")


def test_180_and_200_of_a_call_that_is_answered_and_ended(lab):
    request = lab.caller.invite(user("good"))
    ringing = is_code(lab.caller.provisional(request, 180), 180)
    expect(ringing.tag("to"), "180 has no To tag")
    answer = is_code(lab.caller.final(request), 200)
    expect("application/sdp" in answer.get("content-type") and answer.contact, "no SDP or Contact")
    dialog = lab.caller.dialog(request, answer)
    dialog.ack()
    is_code(dialog.bye(), 200)
    lab.record_says(lab.main, request.call_id, final=200, answered=True, ended_by="caller", flow="basic-call")


def test_181_when_a_busy_user_forwards(lab):
    register(lab, lab.main, lab.closing(Peer(lab.main.address, address=B, handler=lambda p, m: m.method == "INVITE" and (
        p.reply(m, 486, "Busy Here") or True))), ["busy"])
    request = lab.caller.invite(user("busy"))
    is_code(lab.caller.provisional(request, 181), 181)
    dialog = lab.caller.dialog(request, is_code(lab.caller.final(request), 200))
    dialog.ack()
    is_code(dialog.bye(), 200)
    lab.record_says(lab.main, request.call_id, final=200, flow="forward-busy")


def test_183_of_the_callee_with_its_sdp(lab):
    request = lab.quick_caller.invite(user("reliable"), headers=["Supported: 100rel"])
    answer = is_code(lab.quick_caller.provisional(request, 183), 183)
    expect("100rel" in answer.get("require") and answer.get("rseq"), "not reliable")
    expect("m=audio" in answer.body, "no SDP")
    lab.quick_caller.cancel(request)
    is_code(lab.quick_caller.final(request), 487)


def test_199_when_one_of_two_early_dialogs_ends(lab):
    s = lab.server("early", users={"two": {}})
    phones = [lab.closing(Peer(s.address, address=B)) for _ in range(2)]
    for phone in phones:
        register(lab, s, phone, ["two"])
    c = lab.closing(Peer(s.address, "caller", address=A))
    request = c.invite(user("two"), headers=["Supported: 199"])
    invites = [phone.incoming("INVITE") for phone in phones]
    tags = []
    for phone, m in zip(phones, invites):
        expect(m.get("max-breadth") == "30", f"Max-Breadth: {m.get('max-breadth')!r}")
        phone.reply(m, 183, "Session Progress", body=sdp())
        tags.append(is_code(c.provisional(request, 183), 183).tag("to"))
    expect(tags[0] and tags[1] and tags[0] != tags[1], f"two phones with the tags {tags}")
    phones[0].reply(invites[0], 486, "Busy Here")
    over = is_code(c.provisional(request, 199), 199, "Early Dialog Terminated")
    expect(over.tag("to") == tags[0], f"199 of {over.tag('to')}, not of {tags[0]}")
    expect("cause=486" in over.get("reason"), f"Reason: {over.get('reason')!r}")
    phones[1].reply(invites[1], 200, "OK", body=sdp())
    answer = is_code(c.final(request), 200)
    expect(answer.tag("to") == tags[1], f"200 of {answer.tag('to')}, not of {tags[1]}")
    dialog = c.dialog(request, answer)
    dialog.ack()
    is_code(dialog.bye(), 200)
    lab.record_says(s, request.call_id, final=200, answered=True)


def test_182_of_our_own_for_a_queue(lab):
    s = lab.server("queue", users={"ring": {"calls_max": "1", "call_waiting": "no"}}, ini="[calls]\nqueue = 30 s\n")
    phone = lab.closing(Peer(s.address, address=B, handler=oracle))
    register(lab, s, phone, ["ring"])
    p = lab.closing(Peer(s.address, "caller", address=A))
    first = p.invite(user("ring"))
    p.provisional(first, 180)
    second = p.invite(user("ring"))
    answer = p.provisional(second, 182)
    expect(answer.reason == "Queued" and answer.contact, f"{answer.start}, Contact {answer.get('contact')!r}")
    p.cancel(first)
    is_code(p.final(first), 487)
    p.provisional(second, 180)
    p.cancel(second)
    is_code(p.final(second), 487)


def test_202_to_refer(lab):
    request = lab.caller.invite(user("good"))
    dialog = lab.caller.dialog(request, lab.caller.final(request))
    dialog.ack()
    refer = dialog.request("REFER", [f"Refer-To: <{user('code-486')}>", f"Referred-By: <{lab.caller.aor}>"])
    is_code(lab.caller.final(refer), 202, "Accepted")         # the server's own: the callee sees no REFER
    is_code(dialog.bye(), 200)


# ---- 3xx ----

def test_300_of_a_number_with_two_addresses(lab):
    answer = dialled(lab, user("300"), 300)
    expect(len(re.findall("sip:", ",".join(answer.all("contact")))) == 2, f"contacts {answer.all('contact')}")


def test_301_of_a_number_that_moved(lab):
    expect(dialled(lab, user("301"), 301).contact == "sip:new@elsewhere.test", "Contact")


def test_302_of_a_number_that_is_elsewhere_and_of_a_user_who_redirects(lab):
    expect(dialled(lab, user("302"), 302).contact == "sip:desk@elsewhere.test", "Contact")
    register(lab, lab.main, lab.oracle, ["elsewhere"])
    expect(str(lab.oracle.port) in dialled(lab, user("elsewhere"), 302).contact, "Contact of the phone")


def test_380_of_an_emergency_call(lab):
    answer = dialled(lab, user("112"), 380)
    expect("application/3gpp-ims+xml" in answer.get("content-type") and "emergency" in answer.body, "no XML")


def test_302_that_the_server_follows_as_far_as_its_user_may_call(lab):
    points = {"to-good": user("good"), "round": user("round"), "to-number": user("0123456789"),
              "may-number": user("0123456789"), "away": "sip:one@elsewhere.test"}

    def redirect(peer, m):
        called = re.sub(r"^sips?:|@.*$", "", m.uri)
        if m.method == "INVITE" and called in points:
            peer.reply(m, 302, "Moved Temporarily", headers=[f"Contact: <{points[called]}>"], contact=False)
            return True
        return False

    users = {n: {} for n in (*points, "good")} | {"to-number": {"no_gateway": "yes"}}
    s = lab.server("follow", users=users, ini=(
        f"[calls]\nredirects = follow\n{QUICK}[gateway any]\nhost = {HOLE}:9\nallow = any\nping = 0 s\n"))
    register(lab, s, lab.closing(Peer(s.address, address=B, handler=redirect)), points)
    register(lab, s, lab.closing(Peer(s.address, address=B, handler=oracle)), ["good"])
    c = lab.closing(Peer(s.address, "caller", address=A))
    request = c.invite(user("to-good"))
    is_code(c.provisional(request, 181), 181)
    dialog = c.dialog(request, is_code(c.final(request), 200))
    dialog.ack()
    is_code(dialog.bye(), 200)
    dialled(lab, user("round"), 482, caller=c, server=s)
    expect("elsewhere.test" in dialled(lab, user("away"), 302, caller=c, server=s).contact, "Contact of the 302")
    dialled(lab, user("to-number"), 302, caller=c, server=s)   # a gateway that this user may not use
    dialled(lab, user("may-number"), 500, caller=c, server=s)  # one that it may, and that is not there


# ---- 4xx ----

def test_400_says_what_is_missing_or_wrong(lab):
    c = lab.caller
    for missing in ("Call-ID", "From", "CSeq"):
        c.send(c.text("OPTIONS", f"sip:{DOMAIN}", leave_out=[missing]))
        answer = c.wait(lambda m: m.status >= 200, 5, f"an answer without {missing}")
        expect(answer.status == 400 and missing in answer.reason, f"without {missing}: {answer.start!r}")
    aor = user("alice")
    first = c.ask("REGISTER", f"sip:{DOMAIN}", to=f"<{aor}>", from_=f"<{aor}>;tag=x", headers=["Contact: *", "Expires: 60"])
    if first.status == 401:                                   # who it is comes first (10.3)
        realm, nonce = challenge(first, "SHA-256")
        value = digest("SHA-256", "alice", PASSWORD, realm, "REGISTER", f"sip:{DOMAIN}", nonce)
        first = c.ask("REGISTER", f"sip:{DOMAIN}", to=f"<{aor}>", from_=f"<{aor}>;tag=x", cseq=2,
                      headers=["Contact: *", "Expires: 60", f"Authorization: {value}"])
    expect(first.status == 400, f"Contact: * with Expires 60: {first.start!r}")


def test_401_with_a_challenge_for_each_algorithm(lab):
    p = lab.closing(Peer(lab.main.address, "alice", DOMAIN, address=A))
    first, second = p.register("wrong password")
    is_code(first, 401)
    expect(challenge(first, "SHA-256") and challenge(first, "MD5"), f"challenges {first.all('www-authenticate')}")
    expect(challenge(first, "SHA-256") and "SHA-256" in first.all("www-authenticate")[0], "the strongest is not first")
    is_code(second, 401)


def test_registered_with_md5_and_with_sha_256(lab):
    for algorithm in ("MD5", "SHA-256"):
        p = lab.closing(Peer(lab.main.address, "second", DOMAIN, address=A))
        _, answer = p.register(PASSWORD, algorithm)
        is_code(answer, 200)
        expect("expires=" in answer.get("contact") and answer.get("date"), f"{algorithm}: {answer.headers}")
        _, gone = p.register(PASSWORD, algorithm, expires=0)
        is_code(gone, 200)


def test_402_of_our_own_for_an_account_without_credit(lab):
    s = lab.server("unpaid", users={"poor": {"no_credit": "yes"}, "good": {}},
                   ini=f"[gateway out]\nhost = {B}\nallow = any\nping = 0 s\n")
    p = lab.closing(Peer(s.address, "poor", DOMAIN, address=A))
    request = p.invite(user("+4930123456"), PASSWORD)
    is_code(p.final(request), 402, "Payment Required")
    lab.record_says(s, request.call_id, final=402, cause=True)
    phone = lab.closing(Peer(s.address, address=B, handler=oracle))
    register(lab, s, phone, ["good"])
    is_code(p.final(p.invite(user("good"), PASSWORD)), 200)


def test_403_for_another_users_number_a_barred_one_and_a_user_who_may_not(lab):
    p = lab.closing(Peer(lab.main.address, "second", DOMAIN, address=A))
    aor, uri = user("alice"), f"sip:{DOMAIN}"
    lines = ["Expires: 600"]
    first = p.ask("REGISTER", uri, to=f"<{aor}>", from_=f"<{aor}>;tag=y", headers=lines)
    realm, nonce = challenge(first, "SHA-256")
    value = digest("SHA-256", "second", PASSWORD, realm, "REGISTER", uri, nonce)
    is_code(p.ask("REGISTER", uri, to=f"<{aor}>", from_=f"<{aor}>;tag=y", cseq=2,
                  headers=[*lines, f"Authorization: {value}"]), 403)
    request = p.invite(user("+900123456"), PASSWORD)
    is_code(p.final(request), 403)
    lab.record_says(lab.main, request.call_id, final=403, cause=True)
    blocked = lab.closing(Peer(lab.main.address, "blocked", DOMAIN, address=A))
    is_code(blocked.register(PASSWORD)[1], 403)


def test_404_for_nobody(lab):
    dialled(lab, user("nobody"), 404)


def test_405_with_allow_for_publish(lab):
    answer = is_code(lab.caller.ask("PUBLISH", user("good"), headers=["Event: presence"]), 405)
    expect("INVITE" in answer.get("allow"), f"Allow: {answer.get('allow')!r}")


def test_406_when_only_text_is_accepted(lab):
    is_code(lab.caller.ask("OPTIONS", f"sip:{DOMAIN}", headers=["Accept: text/plain"]), 406)


def test_407_for_a_call_in_our_domains_name(lab):
    p = lab.closing(Peer(lab.main.address, "alice", DOMAIN, address=A))
    request = p.invite(user("good"))
    answer = is_code(p.final(request), 407)
    expect(challenge(answer, "SHA-256") and challenge(answer, "MD5"), f"{answer.all('proxy-authenticate')}")
    request = p.invite(user("good"), PASSWORD)
    dialog = p.dialog(request, is_code(p.final(request), 200))
    dialog.ack()
    is_code(dialog.bye(), 200)
    lab.record_says(lab.main, request.call_id, final=200, flow="basic-call")


def test_200_of_the_next_gateway_when_the_first_says_nothing(lab):
    deaf = lab.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    deaf.bind((HOLE, 0))
    trunk = lab.closing(Peer(None, address=B))
    s = lab.server("patience", users={"alice": {}}, ini="[gateway deaf]\n"
                   f"host = {HOLE}:{deaf.getsockname()[1]}\nallow = any\nping = 0 s\npriority = 1\npatience = 400 ms\n"
                   f"[gateway good]\nhost = {B}:{trunk.port}\nallow = any\nping = 0 s\npriority = 2\n")
    c = lab.closing(Peer(s.address, "alice", DOMAIN, address=A))
    request = c.invite(user("0123456789"), PASSWORD)
    m = trunk.incoming("INVITE", seconds=3)                # long before 64 times T1
    deaf.settimeout(1)
    expect(deaf.recv(65536).startswith(b"INVITE "), "the first gateway was not even asked")
    trunk.reply(m, 200, "OK", body=sdp())
    dialog = c.dialog(request, is_code(c.final(request), 200))
    dialog.ack()
    is_code(dialog.bye(), 200)


def test_408_when_a_gateway_is_a_black_hole(lab):
    p = lab.closing(Peer(lab.quick.address, "alice", DOMAIN, address=A))
    request = p.invite(user("0123456789"), PASSWORD)
    is_code(p.final(request), 408)
    lab.record_says(lab.quick, request.call_id, final=408, cause=True)


def test_410_of_a_number_given_up(lab):
    dialled(lab, user("299"), 410)


def test_413_414_and_513_for_what_is_too_large(lab):
    is_code(lab.caller.ask("MESSAGE", user("good"), body="x" * 5000, type="text/plain"), 413)
    is_code(lab.caller.ask("OPTIONS", f"sip:{'u' * 3000}@{DOMAIN}"), 414)
    is_code(lab.caller.ask("OPTIONS", f"sip:{DOMAIN}", headers=[f"X-Filler: {'y' * 9000}"]), 513)
    dialled(lab, user("good"), 413, body=sdp() + "a=" + "x" * 5000 + "\r\n")


def test_415_with_accept_for_a_body_that_is_no_sdp(lab):
    answer = dialled(lab, user("good"), 415, body="foo", type="application/foo")
    expect("application/sdp" in answer.get("accept"), f"Accept: {answer.get('accept')!r}")


def test_416_for_an_http_address(lab):
    dialled(lab, "http://example.org/", 416, to="<sip:good@example.org>")


def test_420_with_unsupported_for_require_foo(lab):
    answer = dialled(lab, user("good"), 420, headers=["Require: foo"])
    expect(answer.get("unsupported") == "foo", f"Unsupported: {answer.get('unsupported')!r}")


def strict(lab, ini, handler=oracle, users=("good",)):
    """A server with these [calls], a phone of its users and a caller."""
    s = lab.server(f"strict-{len(ini)}", users={u: {} for u in users}, ini=f"[calls]\n{ini}")
    o = lab.closing(Peer(s.address, address=B, handler=handler))
    register(lab, s, o, users)
    return s, lab.closing(Peer(s.address, "caller", address=A))


def test_420_of_our_own_for_what_is_switched_off(lab):
    s, p = strict(lab, "reliable = off\npreconditions = off\n")
    for tag in ("100rel", "precondition"):
        answer = dialled(lab, user("good"), 420, "Bad Extension", p, s, [f"Require: {tag}"])
        expect(answer.get("unsupported") == tag, f"Unsupported: {answer.get('unsupported')!r}")


def test_421_of_our_own_when_an_extension_is_demanded(lab):
    for setting, tag in (("reliable = demand\n", "100rel"), ("session_timer = demand\n", "timer")):
        s, p = strict(lab, setting)
        answer = dialled(lab, user("good"), 421, "Extension Required", p, s)
        expect(answer.get("require") == tag, f"Require: {answer.get('require')!r}")
        request = p.invite(user("good"), headers=[f"Supported: {tag}"])
        answer = is_code(p.final(request), 200)
        expect(tag != "timer" or "refresher=" in answer.get("session-expires"), "no Session-Expires")
        dialog = p.dialog(request, answer)
        dialog.ack()
        is_code(dialog.bye(), 200)


def test_422_with_min_se_for_a_session_too_short(lab):
    s, p = strict(lab, "session_expires_min = 5 min\n")
    answer = dialled(lab, user("good"), 422, "Session Interval Too Small", p, s, ["Supported: timer", "Session-Expires: 120"])
    expect(answer.get("min-se") == "300", f"Min-SE: {answer.get('min-se')!r}")


QOS = ("a=curr:qos local none\r\na=curr:qos remote none\r\na=des:qos mandatory local sendrecv\r\n"
       "a=des:qos {strength} remote sendrecv\r\n")


def test_580_of_our_own_when_the_callee_has_no_resources(lab):
    def callee(peer, m):
        if m.method == "INVITE":
            peer.reply(m, 183, "Session Progress", headers=["Require: 100rel, precondition", "RSeq: 5"],
                       body=sdp() + QOS.format(strength="mandatory").replace("mandatory local", "failure local"))
            return True
        return oracle(peer, m)

    s, p = strict(lab, "preconditions = act\n", callee)
    dialled(lab, user("good"), 580, "Precondition Failure", p, s, ["Supported: 100rel, precondition"],
            body=sdp() + QOS.format(strength="none"))


def test_423_with_min_expires(lab):
    p = lab.closing(Peer(lab.main.address, "second", DOMAIN, address=A))
    _, answer = p.register(PASSWORD, expires=5)
    is_code(answer, 423)
    expect(answer.get("min-expires") == "60", f"Min-Expires: {answer.get('min-expires')!r}")


def test_440_when_no_breadth_is_left_for_a_branch(lab):
    dialled(lab, user("good"), 440, True, headers=["Max-Breadth: 0"])
    dialled(lab, user("nobody"), 404, headers=["Max-Breadth: 0"])    # nobody is called


def test_480_of_a_user_whose_phone_is_not_there(lab):
    dialled(lab, user("away"), 480)


def test_480_of_a_user_who_does_not_want_to_be_disturbed(lab):
    request = lab.caller.invite(user("still"))
    answer = lab.caller.final(request)
    is_code(answer, 480)
    expect("Q.850;cause=21" in answer.get("reason"), f"Reason: {answer.get('reason')!r}")
    lab.record_says(lab.main, request.call_id, final=480, cause=True)


def test_481_for_what_belongs_to_no_call(lab):
    to = f"<{user('good')}>;tag=unknown"
    is_code(lab.caller.ask("BYE", user("good"), to=to, cseq=7), 481)
    is_code(lab.caller.ask("INFO", user("good")), 481)
    is_code(lab.caller.ask("CANCEL", user("good")), 481)
    is_code(lab.caller.ask("INVITE", user("good"), to=to, body=sdp()), 481)


def test_482_for_a_request_that_came_two_ways(lab):
    more = {"call_id": token("c"), "from_": f"<{lab.caller.aor}>;tag=m1"}
    first = lab.caller.invite(user("ring"), **more)
    lab.caller.provisional(first, 180)
    second = lab.caller.invite(user("ring"), **more)
    is_code(lab.caller.final(second), 482)
    lab.caller.cancel(first)
    is_code(lab.caller.wait(lambda m: m.status == 487 and m.call_id == first.call_id, 5, "the 487"), 487)


def test_482_or_a_final_code_for_forwards_that_go_round(lab):
    request = lab.caller.invite(user("round"))
    answer = lab.caller.final(request)
    expect(answer.status in (480, 482, 483), f"{answer.start!r}")
    lab.record_says(lab.main, request.call_id, final=answer.status, cause=True)


def test_483_when_no_hops_are_left(lab):
    dialled(lab, user("good"), 483, headers=["Max-Forwards: 0"])


def test_484_for_a_number_too_short(lab):
    p = lab.closing(Peer(lab.main.address, "alice", DOMAIN, address=A))
    request = p.invite(user("12"), PASSWORD)
    is_code(p.final(request), 484)
    lab.record_says(lab.main, request.call_id, final=484, cause=True)


def test_485_for_a_name_of_two_users(lab):
    dialled(lab, user("pair"), 485)


def test_486_when_the_user_has_all_the_calls_that_it_may_have(lab):
    p = lab.closing(Peer(lab.main.address, address=B, handler=lambda p, m: m.method in ("INVITE", "BYE") and (
        p.reply(m, 200, "OK", body=sdp() if m.method == "INVITE" else "") or True)))
    register(lab, lab.main, p, ["one"])
    register(lab, lab.main, lab.oracle, [])
    request = lab.caller.invite(user("one"))
    dialog = lab.caller.dialog(request, is_code(lab.caller.final(request), 200))
    dialog.ack()
    dialled(lab, user("one"), 486)
    is_code(dialog.bye(), 200)


def test_487_after_cancel(lab):
    request = lab.caller.invite(user("ring"))
    lab.caller.provisional(request, 180)
    lab.caller.cancel(request)
    is_code(lab.caller.wait(lambda m: m.status >= 200 and m.call_id == request.call_id and "CANCEL" in m.cseq, 5, "200 to CANCEL"), 200)
    is_code(lab.caller.final(request), 487)
    lab.record_says(lab.main, request.call_id, final=487, flow="no-answer-caller")


def test_487_when_the_invite_expires(lab):
    request = lab.caller.invite(user("ring"), headers=["Expires: 1"])
    lab.caller.provisional(request, 180)
    is_code(lab.caller.final(request, 3), 487)
    lab.record_says(lab.main, request.call_id, final=487, cause=True)


def test_488_of_our_own_by_a_codec_policy(lab):
    s = lab.server("codecs", users={"good": {}}, ini="[media]\ncodecs = G729\n")
    o = lab.closing(Peer(s.address, address=B, handler=oracle))
    register(lab, s, o, ["good"])
    p = lab.closing(Peer(s.address, "caller", address=A))
    answer = dialled(lab, user("good"), 488, "Not Acceptable Here", caller=p, server=s)
    expect(answer.get("warning").startswith("305 "), f"Warning: {answer.get('warning')!r}")


def test_491_for_two_changes_at_once(lab):
    p = lab.closing(Peer(lab.main.address, address=B))
    register(lab, lab.main, p, ["slow"])
    request = lab.caller.invite(user("slow"))
    incoming = p.incoming("INVITE")
    p.reply(incoming, 200, "OK", body=sdp())
    dialog = lab.caller.dialog(request, is_code(lab.caller.final(request), 200))
    dialog.ack()
    p.incoming("ACK")
    other = p.dialog_of(incoming)
    change = dialog.request("INVITE", body=sdp(version=2))
    reinvite = p.incoming("INVITE")                           # it waits while the other side asks, too
    theirs = other.request("INVITE", body=sdp(version=2))
    refused = p.final(theirs)
    p.reply(reinvite, 200, "OK", body=sdp(version=2))
    is_code(lab.caller.final(change), 200)
    dialog.ack()
    is_code(refused, 491)
    dialog.request("BYE")
    p.reply(p.incoming("BYE"), 200, "OK")
    is_code(lab.caller.wait(lab.caller.answer_to(dialog.call_id, f"{dialog.cseq} BYE"), 5, "200 to BYE"), 200)
    register(lab, lab.main, lab.oracle, ["slow"])


def test_493_for_an_encrypted_body(lab):
    dialled(lab, user("good"), 493, body="xxxx", type="application/pkcs7-mime;smime-type=enveloped-data")


# ---- 5xx and 6xx ----

def test_500_for_a_lower_cseq_and_for_invite_in_invite(lab):
    request = lab.caller.invite(user("good"), cseq=50)
    dialog = lab.caller.dialog(request, is_code(lab.caller.final(request), 200))
    dialog.ack()
    is_code(lab.caller.final(dialog.request("INFO", cseq=49)), 500)
    dialog.cseq = 50
    is_code(dialog.bye(), 200)


def test_501_with_allow_for_a_method_that_nobody_knows(lab):
    answer = is_code(lab.caller.ask("FOO", user("good")), 501)
    expect("INVITE" in answer.get("allow"), "no Allow")


def test_502_when_the_callee_answers_without_a_tag(lab):
    dialled(lab, user("tagless"), 502)


def test_503_with_retry_after_when_all_calls_are_taken(lab):
    first = lab.full_caller.invite(user("good"))
    dialog = lab.full_caller.dialog(first, is_code(lab.full_caller.final(first), 200))
    dialog.ack()
    second = lab.full_caller.invite(user("good"))
    answer = is_code(lab.full_caller.final(second), 503)
    expect(answer.get("retry-after").isdigit(), f"Retry-After: {answer.get('retry-after')!r}")
    lab.record_says(lab.full, second.call_id, final=503, cause=True)
    is_code(dialog.bye(), 200)                                # what ends is never refused


def test_503_with_retry_after_when_calls_come_too_fast(lab):
    s = lab.server("rate", users={"good": {}}, ini="[calls]\nrate = 1/h\n", workers=1)      # each has its own part
    o = lab.closing(Peer(s.address, address=B, handler=oracle))
    register(lab, s, o, ["good"])
    p = lab.closing(Peer(s.address, "caller", address=A))
    request = p.invite(user("good"))
    dialog = p.dialog(request, is_code(p.final(request), 200))
    dialog.ack()
    answer = dialled(lab, user("good"), 503, caller=p, server=s)
    expect(answer.get("retry-after").isdigit(), f"Retry-After: {answer.get('retry-after')!r}")
    is_code(dialog.bye(), 200)


def test_500_when_the_privacy_that_is_critical_cannot_be_had(lab):
    dialled(lab, user("good"), 500, "Requested Privacy Is Not Possible", headers=["Privacy: session;critical"])


def test_603_of_our_own_for_do_not_disturb_when_the_server_declines(lab):
    s = lab.server("decline", users={"still": {"do_not_disturb": "yes"}}, ini="[calls]\ndo_not_disturb = 603\n")
    p = lab.closing(Peer(s.address, "caller", address=A))
    dialled(lab, user("still"), 603, "Decline", caller=p, server=s)


def test_603_of_our_own_or_403_for_a_caller_whom_the_user_rejects(lab):
    for status, ini in ((603, ""), (403, "[calls]\nrejected = 403\n")):
        s = lab.server(f"reject-{status}", users={"picky": {"rejects": "eve@elsewhere.test caller@outside.test"}}, ini=ini)
        p = lab.closing(Peer(s.address, "caller", address=A))
        dialled(lab, user("picky"), status, caller=p, server=s, phrase=True)


def test_503_with_retry_after_when_a_stranger_has_too_many_calls(lab):
    s = lab.server("crowd", users={"ring": {}}, ini="[security]\nallow =\ncalls_per_source = 1\n")
    phone = lab.closing(Peer(s.address, address=B, handler=oracle))
    register(lab, s, phone, ["ring"])
    p = lab.closing(Peer(s.address, "caller", address=A))
    first = p.invite(user("ring"))
    p.provisional(first, 180)
    refused = dialled(lab, user("ring"), 503, "Service Unavailable", caller=p, server=s)
    expect(refused.get("retry-after").isdigit(), f"Retry-After: {refused.get('retry-after')!r}")
    p.cancel(first)
    is_code(p.final(first), 487)


def test_504_when_no_prack_comes(lab):
    request = lab.quick_caller.invite(user("reliable"), headers=["Supported: 100rel"])
    is_code(lab.quick_caller.final(request), 504)
    lab.record_says(lab.quick, request.call_id, final=504, cause=True)


def test_505_for_sip_7(lab):
    answer = lab.caller.ask("OPTIONS", f"sip:{DOMAIN}", version="SIP/7.0")
    is_code(answer, 505)


def global_server(lab):
    """A server whose refusals are global where they can be, with two phones for each of its users."""
    if not getattr(lab, "world", None):
        names = ("code-486", "code-488")
        lab.world = lab.server("world", users={n: {} for n in names}, ini="[calls]\nglobal_codes = yes\n")
        for _ in range(2):
            register(lab, lab.world, lab.closing(Peer(lab.world.address, address=B, handler=oracle)), names)
        lab.world_caller = lab.closing(Peer(lab.world.address, "caller", address=A))
    return {"caller": lab.world_caller, "server": lab.world}


def test_600_when_every_phone_of_the_user_is_busy(lab):
    dialled(lab, user("code-486"), 600, "Busy Everywhere", **global_server(lab))


def test_604_for_a_name_that_our_domain_does_not_have(lab):
    dialled(lab, user("nobody"), 604, "Does Not Exist Anywhere", **global_server(lab))
    where = global_server(lab)
    dialled(lab, "sip:nobody@elsewhere.test", 404, **where)   # of that domain we know nothing


def test_606_when_no_phone_of_the_user_takes_the_session(lab):
    dialled(lab, user("code-488"), 606, True, **global_server(lab))


TESTS = [f for n, f in list(globals().items()) if n.startswith("test_")]
