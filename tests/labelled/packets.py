"""Capture files and the packets in them: read, written, taken apart, put together.

Only Ethernet with IPv4 or IPv6 and UDP, which is what the labelled captures hold, is taken apart.
SPDX-License-Identifier: Apache-2.0
"""
import gzip
import ipaddress
import pathlib
import re
import socket
import struct


def read_capture(path):
    """(link type, [(microseconds, frame)]) of a pcap or pcapng file, .gz or not; little-endian."""
    data = pathlib.Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return _pcapng(data) if data[:4] == b"\x0a\x0d\x0d\x0a" else _pcap(data)


def _pcap(data):
    magic, link = struct.unpack_from("<I16xI", data, 0)
    if magic != 0xA1B2C3D4:
        raise ValueError("not a little-endian pcap file with microseconds")
    frames, at = [], 24
    while at + 16 <= len(data):
        seconds, micros, kept, _ = struct.unpack_from("<IIII", data, at)
        frames.append((seconds * 1000000 + micros, data[at + 16 : at + 16 + kept]))
        at += 16 + kept
    return link, frames


def _pcapng(data):
    link, frames, at = None, [], 0
    while at + 12 <= len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 1 and link is None:
            link = struct.unpack_from("<H", data, at + 8)[0]
        if kind == 6:
            _, high, low, kept, _ = struct.unpack_from("<IIIII", data, at + 8)
            frames.append((high << 32 | low, data[at + 28 : at + 28 + kept]))
        at += size
    return link, frames


def write_capture(path, frames, link=1):
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)]
    for micros, frame in sorted(frames, key=lambda f: f[0]):
        out.append(struct.pack("<IIII", micros // 1000000, micros % 1000000, len(frame), len(frame)))
        out.append(frame)
    opener = gzip.GzipFile(path, "wb", mtime=0) if str(path).endswith(".gz") else open(path, "wb")
    with opener as f:
        f.write(b"".join(out))


def checksum(data):
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def mac(address):
    return b"\x02\x00" + ipaddress.ip_address(address).packed[-4:]


def ip_frame(source, target, protocol, payload, number=0):
    """An Ethernet frame; addresses are texts of one family."""
    ends = mac(target) + mac(source)
    if ":" in source:
        head = struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64)
        packed = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
        return ends + b"\x86\xdd" + head + packed + payload
    packed = socket.inet_aton(source) + socket.inet_aton(target)
    begin = struct.pack(">BBHHHBB", 0x45, 0, 20 + len(payload), number & 0xFFFF, 0x4000, 64, protocol)
    return ends + b"\x08\x00" + begin + struct.pack(">H", checksum(begin + b"\0\0" + packed)) + packed + payload


def with_checksum(source, target, protocol, payload, offset):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    packed = socket.inet_pton(family, source) + socket.inet_pton(family, target)
    pseudo = packed + struct.pack(">HH", protocol, len(payload))
    value = checksum(pseudo + payload)
    return payload[:offset] + struct.pack(">H", value or 0xFFFF) + payload[offset + 2 :]


def udp_frame(source, target, payload, number=0):
    """source and target are (address, port)."""
    datagram = struct.pack(">HHHH", source[1], target[1], 8 + len(payload), 0) + payload
    datagram = with_checksum(source[0], target[0], 17, datagram, 6)
    return ip_frame(source[0], target[0], 17, datagram, number)


def tcp_frame(source, target, sequence, acknowledged, flags, payload=b"", number=0):
    bits = sum({"F": 1, "S": 2, "R": 4, "P": 8, "A": 16}[f] for f in flags)
    segment = struct.pack(">HHIIBBHHH", source[1], target[1], sequence & 0xFFFFFFFF,
                          acknowledged & 0xFFFFFFFF, 5 << 4, bits, 64240, 0, 0) + payload  # fmt: skip
    segment = with_checksum(source[0], target[0], 6, segment, 16)
    return ip_frame(source[0], target[0], 6, segment, number)


def icmp_frame(source, quoted, code, kind=3):
    """A destination-unreachable about the frame `quoted`, sent to its sender."""
    inner = quoted[14:][:548]
    body = struct.pack(">BBHI", kind, code, 0, 0) + inner
    body = body[:2] + struct.pack(">H", checksum(body)) + body[4:]
    return ip_frame(source, socket.inet_ntoa(inner[12:16]), 1, body)


class Udp:
    """A UDP frame taken apart: source and target (address, port) and payload may be changed."""

    def __init__(self, micros, frame):
        self.micros = micros
        ip = 14
        if frame[12:14] == b"\x08\x00":
            family, self.ends, udp = socket.AF_INET, (ip + 12, 4), ip + 4 * (frame[ip] & 15)
        else:
            family, self.ends, udp = socket.AF_INET6, (ip + 8, 16), ip + 40
        at, size = self.ends
        ports = struct.unpack_from(">HHH", frame, udp)
        self.source = (socket.inet_ntop(family, frame[at : at + size]), ports[0])
        self.target = (socket.inet_ntop(family, frame[at + size : at + 2 * size]), ports[1])
        self.payload = frame[udp + 8 : udp + ports[2]]

    def frame(self):
        return self.micros, udp_frame(self.source, self.target, self.payload)

    @property
    def sip(self):
        return self.payload[:1].isalpha() and b"SIP/2.0" in self.payload[:400]

    @property
    def text(self):
        return self.payload.decode("utf-8", "replace")

    @property
    def rtp(self):
        return len(self.payload) >= 12 and self.payload[0] >> 6 == 2 and not 192 <= self.payload[1] <= 223

    @property
    def rtcp(self):
        return len(self.payload) >= 8 and self.payload[0] >> 6 == 2 and 192 <= self.payload[1] <= 223

    def replace(self, find, put, count=0):
        """Change the SIP message by a regular expression; Content-Length follows."""
        changed = re.sub(find, put, self.text, count=count)
        head, gap, body = changed.partition("\r\n\r\n")
        head = re.sub(r"(?mi)^(Content-Length|l):[^\r\n]*", f"Content-Length: {len(body)}", head)
        self.payload = (head + gap + body).encode()
        return self

    def is_request(self, method):
        return self.payload.startswith(method.encode() + b" ")

    def is_reply(self, code, method="INVITE"):
        return self.text.startswith(f"SIP/2.0 {code}") and f" {method}\r\n" in self.text

    def header(self, name):
        found = re.search(rf"(?mi)^{name}:[ \t]*([^\r\n]*)", self.text)
        return found.group(1).strip() if found else ""


def udp_of(micros, frame):
    """The Udp of a frame, or None: something else, or a fragment."""
    if len(frame) < 42:
        return None
    if frame[12:14] == b"\x08\x00" and frame[23] == 17:
        return None if struct.unpack_from(">H", frame, 20)[0] & 0x3FFF else Udp(micros, frame)
    if frame[12:14] == b"\x86\xdd" and frame[20] == 17:
        return Udp(micros, frame)
    return None
