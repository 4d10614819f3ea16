#!/usr/bin/env python3
"""Writes the first inputs of fuzz_capture, fuzz_hep and fuzz_websocket to tests/fuzz/seeds/.

SPDX-License-Identifier: Apache-2.0
"""
import gzip
import struct
import zlib
from pathlib import Path

SEEDS = Path(__file__).parent / "seeds"
INVITE = b"INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1\r\n\r\n"
OK = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1\r\nCSeq: 1 INVITE\r\n\r\n"
START = 1700000000


def save(target, name, data):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def pcap(order, magic=0xA1B2C3D4, frames=4, extra=b""):
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
    for n in range(frames):
        body = bytes(0x80 + n + i & 0xFF for i in range(20 + 7 * n))
        out += struct.pack(order + "IIII", START + n, 5, len(body), len(body) + 4) + extra + body
    return out


def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    total = len(body) + 12
    return struct.pack(order + "II", kind, total) + body + struct.pack(order + "I", total)


def section(order):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order, link=1, options=b""):
    return block(order, 1, struct.pack(order + "HHI", link, 0, 0) + options)


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def packet(order, n, kind=6, ticks=None):
    body = bytes(0x80 + n + i & 0xFF for i in range(20 + 7 * n))
    ticks = (START + n) * 1000000 if ticks is None else ticks
    head = struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(body), len(body))
    return block(order, kind, head + body)


def simple_packet(order):
    return block(order, 3, struct.pack(order + "I", 8) + b"\x80abcdefg")


def pcapng(order):
    return (section(order) + interface(order) + packet(order, 0) + block(order, 5, b"\0" * 12) +
            packet(order, 1) + packet(order, 2, kind=2) + simple_packet(order))


def captures():
    nano = option("<", 9, b"\x09") + option("<", 14, struct.pack("<q", 3600))
    binary = option(">", 9, b"\x8a") + option(">", 0, b"")
    little, both = pcap("<"), pcapng("<") + pcapng(">")
    save("capture", "pcap-little", little)
    save("capture", "pcap-big", pcap(">"))
    save("capture", "pcap-nano", pcap("<", 0xA1B23C4D))
    save("capture", "pcap-modified", pcap(">", 0xA1B2CD34, extra=b"\0" * 8))
    save("capture", "pcap-cut", little[:-5])
    save("capture", "pcap-damaged", little[:60] + b"\xff" * 16 + pcap("<", frames=8)[76:])
    save("capture", "pcapng-sections", both)
    save("capture", "pcapng-damaged", both[:100] + b"\0" * 9 + both[130:])
    save("capture", "pcapng-times", section("<") + interface("<", options=nano) +
         packet("<", 0, ticks=START * 10**9) + section(">") + interface(">", options=binary) +
         packet(">", 1, ticks=START << 10))
    save("capture", "gzip", gzip.compress(both, mtime=0))
    save("capture", "gzip-members", b"".join(gzip.compress(little[i:i + 50], mtime=0)
                                             for i in range(0, len(little), 50)))
    save("capture", "gzip-cut", gzip.compress(little, mtime=0)[:-20])
    save("capture", "text", INVITE)


def chunk(kind, data):
    return struct.pack(">HHH", 0, kind, len(data) + 6) + data


def hep3(*chunks):
    body = b"".join(chunks)
    return b"HEP3" + struct.pack(">H", len(body) + 6) + body


def heps():
    head = [chunk(1, b"\2"), chunk(2, b"\x11"), chunk(3, b"\x0a\0\0\1"), chunk(4, b"\x0a\0\0\2"),
            chunk(7, b"\x13\xc4"), chunk(8, b"\x13\xce"), chunk(9, struct.pack(">I", START)),
            chunk(10, struct.pack(">I", 5)), chunk(11, b"\1"), chunk(12, b"\0\0\7\xd1")]
    usual = hep3(*head, chunk(0x11, b"a84b4c76e66710"), chunk(15, INVITE))
    ports = struct.pack(">HH", 5060, 5070)
    v4, v6 = b"\x0a\0\0\1\x0a\0\0\2", b"\x20\1\x0d\xb8" + b"\0" * 11 + b"\1" + b"\xfe" * 16
    time = struct.pack("<IIH", START, 5, 2001)
    save("hep", "hep3", usual)
    save("hep", "hep3-stream", b"noise" + usual + usual + usual[:40])
    save("hep", "hep3-zlib", hep3(*head, chunk(16, zlib.compress(INVITE))))
    save("hep", "hep3-gzip", hep3(*head, chunk(16, gzip.compress(INVITE, mtime=0))))
    save("hep", "hep3-ipv6", hep3(chunk(1, b"\x0a"), chunk(5, b"\xfe" * 16), chunk(6, b"\xfd" * 16)))
    save("hep", "hep3-bad", hep3(*head, b"\0\0\0\x0f\0\0"))
    save("hep", "hep1", b"\1\x10\2\x11" + ports + v4 + INVITE)
    save("hep", "hep2", b"\2\x10\2\x11" + ports + v4 + time + b"\0\0" + OK)
    save("hep", "hep2-packed", b"\2\x32\x0a\x11" + ports + v6 + time + INVITE)


def frame(first, payload, mask=b""):
    bit = 0x80 if mask else 0
    if len(payload) < 126:
        head = bytes([first, bit | len(payload)])
    else:
        head = bytes([first, bit | 126]) + struct.pack(">H", len(payload))
    if mask:
        payload = bytes(b ^ mask[i & 3] for i, b in enumerate(payload))
    return head + mask + payload


def websockets():
    mask = b"\x37\xfa\x21\x3d"
    pack = zlib.compressobj(wbits=-15)

    def compressed(text):
        return frame(0xC1, (pack.compress(text) + pack.flush(zlib.Z_SYNC_FLUSH))[:-4], mask)

    plain = frame(0x81, INVITE, mask) + frame(0x89, b"x", mask) + frame(0x82, OK)
    parts = frame(1, INVITE[:10], mask) + frame(0x89, b"") + frame(0, INVITE[10:20]) + \
        frame(0x80, INVITE[20:], mask)
    save("websocket", "plain", b"\x10\x14" + plain)
    save("websocket", "fragments", b"\x03\x05" + parts + plain)
    save("websocket", "midstream", b"\x20\x87" + plain[30:] + parts)
    save("websocket", "compressed", b"\x07\x03" + compressed(INVITE) + compressed(OK) +
         compressed(INVITE))
    save("websocket", "long", b"\xff\x40" + frame(0x81, INVITE * 5) + frame(0x88, b"\x03\xe8"))
    save("websocket", "upgrade", b"\xff\0GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n"
         b"Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
    save("websocket", "broken", b"\x09\0" + plain + b"\x83\5hello" + plain)


captures()
heps()
websockets()
