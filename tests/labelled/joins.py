"""The captures for joining legs into sessions: which Call-IDs are one call, and which are not.

The files are in tests/labelled/joins/. A group lists calls by number, in the order of their first
INVITEs; calls outside a group belong to nobody else. An empty list: not one join is right.
SPDX-License-Identifier: Apache-2.0
"""
from cases import case
from made import two_legs
from play import Call, Wire, conversation, sdp

A, P, B, GW = "198.51.100.11", "198.51.100.1", "198.51.100.21", "203.0.113.7"


def joined(file, groups, why):
    def keep(play):
        def build():
            wire = Wire(file)
            play(wire)
            return wire.frames

        case(file, made="generated", programs="tests/labelled/joins.py", joins=groups, folder="joins", why_joined=why)(build)
        return play

    return keep


@joined("session-id.pcap", [[1, 2]], "the same Session-ID (RFC 7989) on both legs; other numbers, other Call-ID")
def session_id(wire):
    two_legs(wire, key=["Session-ID: 9f3a1c55d0c04b27a1f2a1d52a0be0ff;remote=00000000000000000000000000000000"],
             numbers=("+4930555100", "+4989777200"), caller="100", callee="0089777200")  # fmt: skip


@joined("icid.pcap", [[1, 2]], "the same icid-value in P-Charging-Vector")
def icid(wire):
    two_legs(wire, key=["P-Charging-Vector: icid-value=AyretyU0dm+6O2IrT5tAFrbHLso=023551024;orig-ioi=home1.example.net"],
             numbers=("tel-1", "tel-2"))  # fmt: skip


@joined("x-header.pcap", [[1, 2], [3, 4]], "a header of the B2BUA's own carries the Call-ID of the first leg; two such calls at once")
def x_header(wire):
    for n in (0, 1):
        first = f"{wire.token()}@{A}"
        two_legs(wire, 0.05 * n, 14 + n, ids=(first, None), more_two=[f"X-Orig-Call-ID: {first}"], caller=f"20{n}", callee=f"30{n}",
                 numbers=(f"anonymous{n}", f"user-{n * 7}"), media={"a": 16000 + 10 * n, "b": 18000 + 10 * n, "p1": 30000 + 10 * n, "p2": 30002 + 10 * n})  # fmt: skip


@joined("x-header-same-value.pcap", [[1, 2]], "a header that nobody knows has one value on both legs")
def x_header_same(wire):
    two_legs(wire, key=["X-CID: 5d1e9a30-77aa-4a50-9a3e-2b1f11c0aa77"], numbers=("pool-1", "agent-42"), caller="+15550131", callee="8005550199")


@joined("numbers-and-time.pcap", [[1, 2]], "no header in common: the same caller and callee (with and without country code), 12 ms apart, ringing and answer and end together")
def numbers_and_time(wire):
    two_legs(wire, caller="+493055512345", callee="+498977766554", numbers=("03055512345", "08977766554"))


@joined("numbers-and-time-short.pcap", [[1, 2]], "only an extension calls a long number; the second leg has the same callee with a prefix, the caller replaced by the trunk's number")
def numbers_short(wire):
    two_legs(wire, caller="214", callee="08977766554", numbers=("214", "+498977766554"))


@joined("call-id-suffix.pcap", [[1, 2]], "the second Call-ID is the first one with _b2b-1 (OpenSIPS and others)")
def call_id_suffix(wire):
    two_legs(wire, ids=("7c1f2e9a4b@198.51.100.11", "7c1f2e9a4b@198.51.100.11_b2b-1"), numbers=("anonymous", "sip-trunk-7"))


@joined("sdp-address.pcap.gz", [[1, 2]], "the B2BUA leaves the SDP as it is: both legs name the same media addresses and ports, and the voice goes past it")
def sdp_address(wire):
    one = Call(wire, [A, P], "alice", "9001")
    two = Call(wire, [P, B], "trunk", "+15550177", domain="pbx.example.net")
    offer, answer = sdp(A, 16000), sdp(B, 18000, (8, 101), user=815)
    one.reply(one.invite(0, offer), 100)
    at = two.invite(0.02, offer)
    at = two.reply(at + 0.1, 180)
    one.reply(at + 0.002, 180)
    at = two.reply(3, 200, body=answer)
    two.ack(at)
    one.ack(one.reply(at + 0.002, 200, body=answer))
    conversation(wire, (A, 16000), (B, 18000), 3.1, 7)
    one.bye(7)
    two.bye(7.004)


@joined("refused-through-b2bua.pcap", [[1, 2]], "busy on both legs; the numbers and the moments agree")
def refused(wire):
    one = Call(wire, [A, P], "+15550141", "+15550142")
    two = Call(wire, [P, B], "+15550141", "+15550142", domain="pbx.example.net")
    one.reply(one.invite(0, sdp(A, 16000)), 100)
    at = two.invite(0.018, sdp(P, 30000))
    at = two.refuse(at + 1.2, 486)
    one.refuse(1.23, 486)


@joined("five-legs.pcap", [[1, 2, 3, 4, 5]], "five legs in a row: Session-ID on the first two, icid from the second to the fourth, the numbers at the end")
def five_legs(wire):
    places = [A, P, "198.51.100.2", "198.51.100.3", "203.0.113.4", "203.0.113.5"]
    session = "Session-ID: 11aa22bb33cc44dd55ee66ff77889900;remote=00000000000000000000000000000000"
    charging = "P-Charging-Vector: icid-value=zone7-5f21a9c0d4"
    legs = [([session], "+493055510001", "+493055520002"), ([session, charging], "+493055510001", "+493055520002"),
            ([charging], "+493055510001", "+493055520002"), ([charging], "+493055510001", "+493055520002"),
            ([], "03055510001", "03055520002")]  # fmt: skip
    calls = [Call(wire, [places[n], places[n + 1]], caller, callee, domain=f"net{n}.example.net") for n, (_, caller, callee) in enumerate(legs)]
    at = 0
    for n, call in enumerate(calls):
        at = call.invite(at + 0.01, sdp(places[n], 30000 + 2 * n, user=900 + n), legs[n][0])
        call.reply(at, 100)
    at += 0.3
    for call in reversed(calls):
        at = call.reply(at + 0.002, 180)
    at += 4
    for n, call in reversed(list(enumerate(calls))):
        at = call.reply(at + 0.002, 200, body=sdp(places[n + 1], 40000 + 2 * n, (8, 101), user=700 + n))
        call.ack(at + 0.0005)
    at += 9
    for call in calls:
        at = call.bye(at + 0.003)


@joined("two-chains-at-once.pcap", [[1, 3], [2, 4]], "two B2BUA calls 3 ms apart over the same two hosts: each leg belongs to its own numbers")
def two_chains(wire):
    for n in (0, 1):
        two_legs(wire, 0.003 * n, 12 + n, caller=f"+1555010{n}3", callee=f"+1555020{n}8", ring_s=2.5 + n,
                 media={"a": 16000 + 10 * n, "b": 18000 + 10 * n, "p1": 30000 + 10 * n, "p2": 30002 + 10 * n})  # fmt: skip


# Calls that have nothing to do with each other.


def unrelated(wire, rows):
    """rows: (begin, path, caller, callee, ring s, talk s, headers, media ports); all signalling."""
    for begin, path, caller, callee, ring_s, talk_s, headers, ports in rows:
        call = Call(wire, path, caller, callee)
        call.answered(begin, sdp(path[0], ports[0], user=ports[0]), sdp(path[-1], ports[1], (8, 101), user=ports[1]), ring_s=ring_s, invite_headers=headers)
        call.bye(begin + ring_s + 0.2 + talk_s)


@joined("unrelated-same-provider.pcap", [], "ten callers of one office call ten numbers over the same provider within two seconds")
def same_provider(wire):
    unrelated(wire, [(0.2 * n, [f"198.51.100.{50 + n}", P], f"+4930555{3100 + n}", f"+49897{100000 + 777 * n}", 2 + n * 0.7, 5 + n, [], (16000 + 4 * n, 30000 + 4 * n))
                     for n in range(10)])  # fmt: skip


@joined("unrelated-same-trunk-caller.pcap", [], "one trunk number calls eight different people: incoming and outgoing legs between the same two hosts")
def same_trunk(wire):
    rows = []
    for n in range(8):
        path = [P, GW] if n % 2 else [GW, P]
        rows.append((0.13 * n, path, "+493055500", f"+49171{5550000 + 1013 * n}", 3 + n * 0.4, 6 + n * 1.3, [], (30000 + 4 * n, 40000 + 4 * n)))
    unrelated(wire, rows)


@joined("unrelated-similar-numbers.pcap", [], "neighbours in a block of numbers: caller and callee differ in the last digit only, some end alike in other countries")
def similar_numbers(wire):
    pairs = [("+4930555001", "+4989777001"), ("+4930555002", "+4989777002"), ("+3315555001", "+4489777001"), ("+4930555001", "+4989777003"),
             ("5001", "7001"), ("5002", "7002")]  # fmt: skip
    unrelated(wire, [(0.4 * n, [A, P] if n % 2 else [P, B], *pair, 2 + n, 6 + n, [], (16000 + 4 * n, 18000 + 4 * n)) for n, pair in enumerate(pairs)])


@joined("unrelated-within-milliseconds.pcap", [], "a dialer starts twelve calls within 12 ms, answers and ends fall together by chance")
def within_milliseconds(wire):
    unrelated(wire, [(0.001 * n, [P, GW], "+493055500", f"+49151{2000000 + 31337 * n}", 3.0 + 0.01 * n, 8.0, [], (30000 + 4 * n, 40000 + 4 * n)) for n in range(12)])


@joined("unrelated-twenty-four.pcap", [], "24 calls at once between two hosts, the same User-Agent, the same Via host, headers with constant values")
def twenty_four(wire):
    headers = ["X-Tenant: 4711", "P-Asserted-Identity: <sip:+493055500@example.org>", "Supported: timer", "X-Route: gold-3", "Organization: Example Ltd"]
    unrelated(wire, [(0.05 * n, [A, P], f"+4930555{4000 + n}", f"+1415{5550100 + 37 * n}", 1.5 + (n * 7 % 11) * 0.3, 5 + (n * 5 % 13) * 0.8, headers, (20000 + 4 * n, 30000 + 4 * n))
                     for n in range(24)])  # fmt: skip


@joined("unrelated-conference.pcap", [], "nine people call the same conference number within 3 s: the same callee, other callers")
def conference(wire):
    unrelated(wire, [(0.35 * n, [f"198.51.100.{60 + n}", P], f"+4930555{5000 + 11 * n}", "8000", 0.4, 14 + n, [], (16000, 30000 + 4 * n)) for n in range(9)])


@joined("unrelated-nat-shared-address.pcap", [], "six phones behind one public address with the same private SDP (10.0.0.5:16384): the address and port say nothing")
def nat_shared(wire):
    for n in range(6):
        call = Call(wire, [("203.0.113.80", 40000 + n), P], f"30{n}", f"+4989{7770000 + 131 * n}")
        call.answered(0.3 * n, sdp("10.0.0.5", 16384, user=1000 + n), sdp(P, 30000 + 4 * n, (8, 101), user=2000 + n), ring_s=2 + 0.5 * n)
        call.bye(10 + n)


@joined("unrelated-same-second-crossing.pcap", [], "alice calls bob while bob calls alice: two calls, each busy")
def crossing(wire):
    one, two = Call(wire, [A, P], "alice", "bob"), Call(wire, [B, P], "bob", "alice")
    one.reply(one.invite(0, sdp(A, 16000)), 100)
    two.reply(two.invite(0.08, sdp(B, 18000)), 100)
    one.refuse(0.3, 486)
    two.refuse(0.4, 486)
