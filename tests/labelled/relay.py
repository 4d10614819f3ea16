#!/usr/bin/env python3
"""A bridge between two interfaces that loses, delays and rewrites packets as it is told.

    relay.py LEFT RIGHT RULES

RULES is a JSON list; every frame is tried against them in order. A rule:

    side    "left" or "right": where the frame comes from; absent: both
    kind    "sip", "rtp", "rtcp", "media" (both), "fragment" (any but the first), "udp", "any"
    text    a regular expression that the SIP message must contain
    do      "drop", "delay" or "edit"
    chance  0..1; absent: always
    burst   [p, r]: lost by a two-state chain, p good to bad, r bad to good
    skip, count   leave the first `skip` matching frames alone, touch at most `count`
    from_s, to_s  only within this time after the first RTP packet
    ms, jitter_ms for "delay": a fixed part and one drawn anew for each packet
    find, put     for "edit": regular expression and what stands there afterwards

The kernel of the machine that recorded these captures has no netem, hence this.
SPDX-License-Identifier: Apache-2.0
"""
import heapq
import json
import random
import re
import select
import socket
import struct
import sys
import time

OUTGOING = 4  # PACKET_OUTGOING: our own frames come back to us


def checksum(data):
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp_of(frame):
    """(offset of the IPv4 header, of UDP, is a later fragment), or None."""
    if len(frame) < 34 or frame[12:14] != b"\x08\x00" or frame[23] != 17:
        return None
    offset = struct.unpack_from(">H", frame, 20)[0] & 0x1FFF
    return 14, 14 + 4 * (frame[14] & 15), bool(offset)


def kinds(frame):
    where = udp_of(frame)
    if not where:
        return {"any"}
    if where[2]:
        return {"any", "fragment"}
    payload = frame[where[1] + 8 :]
    ports = struct.unpack_from(">HH", frame, where[1])
    if any(5060 <= p <= 5069 for p in ports):
        return {"any", "udp", "sip"}
    if len(payload) >= 12 and payload[0] >> 6 == 2 and min(ports) > 1024:
        return {"any", "udp", "media", "rtcp" if 192 <= payload[1] <= 223 else "rtp"}
    return {"any", "udp"}


def rewritten(frame, find, put):
    """The frame with its UDP payload changed: Content-Length, lengths and checksums follow."""
    ip, udp, _ = udp_of(frame)
    size = struct.unpack_from(">H", frame, udp + 4)[0]
    payload = frame[udp + 8 : udp + size]
    changed = re.sub(find.encode(), put.encode(), payload)
    if changed == payload:
        return frame
    head, gap, body = changed.partition(b"\r\n\r\n")
    head = re.sub(rb"(?mi)^Content-Length:.*?$", b"Content-Length: %d\r" % len(body), head)
    changed = head.replace(b"\r\r", b"\r") + gap + body
    ends, ports = frame[ip + 12 : ip + 20], frame[udp : udp + 4]
    head = ports + struct.pack(">H", 8 + len(changed))
    pseudo = ends + struct.pack(">HH", 17, 8 + len(changed))
    total = checksum(pseudo + head + b"\0\0" + changed) or 0xFFFF
    begin = bytearray(frame[ip:udp])
    struct.pack_into(">H", begin, 2, len(begin) + 8 + len(changed))
    struct.pack_into(">H", begin, 10, 0)
    struct.pack_into(">H", begin, 10, checksum(bytes(begin)))
    return frame[:ip] + bytes(begin) + head + struct.pack(">H", total) + changed


class Rule:
    def __init__(self, row):
        self.row, self.seen, self.bad = row, 0, False

    def applies(self, side, frame, now_s):
        row = self.row
        if row.get("side", side) != side or row.get("kind", "any") not in kinds(frame):
            return False
        if "text" in row and not re.search(row["text"].encode(), frame):
            return False
        if "from_s" in row or "to_s" in row:
            if now_s is None or not row.get("from_s", 0) <= now_s < row.get("to_s", 1e9):
                return False
        if "burst" in row:
            p, r = row["burst"]
            self.bad = random.random() >= r if self.bad else random.random() < p
            return self.bad
        if random.random() >= row.get("chance", 1):
            return False
        self.seen += 1
        first = row.get("skip", 0)
        return first < self.seen <= first + row.get("count", 1 << 30)


def main():
    left, right, rules = sys.argv[1], sys.argv[2], [Rule(r) for r in json.loads(sys.argv[3])]
    random.seed(sys.argv[3])
    ends = {}
    for side, name in (("left", left), ("right", right)):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        s.bind((name, 0))
        # Promiscuous: the frames are for the machines behind us.
        index = socket.if_nametoindex(name)
        s.setsockopt(263, 1, struct.pack("iHH8s", index, 1, 0, b""))
        ends[side] = s
    waiting, number, first_rtp = [], 0, None
    print("relay is ready", flush=True)
    while True:
        wait = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        ready = select.select(list(ends.values()), [], [], wait)[0]
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, out, frame = heapq.heappop(waiting)
            out.send(frame)
        for side, s in ends.items():
            if s not in ready:
                continue
            frame, where = s.recvfrom(65536)
            if where[2] == OUTGOING:
                continue
            if first_rtp is None and "rtp" in kinds(frame):
                first_rtp = now
            out = ends["right" if side == "left" else "left"]
            delay_ms = 0
            for rule in rules:
                since = None if first_rtp is None else now - first_rtp
                if not rule.applies(side, frame, since):
                    continue
                if rule.row["do"] == "drop":
                    break
                if rule.row["do"] == "edit":
                    frame = rewritten(frame, rule.row["find"], rule.row["put"])
                else:
                    delay_ms += rule.row.get("ms", 0)
                    delay_ms += random.random() * rule.row.get("jitter_ms", 0)
            else:
                if delay_ms:
                    number += 1
                    heapq.heappush(waiting, (now + delay_ms / 1000, number, out, frame))
                else:
                    out.send(frame)


if __name__ == "__main__":
    main()
