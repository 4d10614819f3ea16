"""What tools/record-samples needs: network namespaces, peers, recordings, capture files.

A Lab is two network namespaces, "phones" (192.0.2.11, .12, .13 ...) and "server" (192.0.2.1),
joined by a veth pair; IPv6 has 2001:db8::11 and so on. Everything in a Lab is stopped and removed
by close(), also after a failure. Nothing leaves the namespaces: they have no route outside.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import ctypes
import gzip
import json
import os
import pathlib
import selectors
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import wave

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCENARIOS = ROOT / "samples" / "scenarios"
SERVER, ALICE, BOB, CAROL, DAVE = (
    "192.0.2.1",
    "192.0.2.11",
    "192.0.2.12",
    "192.0.2.13",
    "192.0.2.14",
)
PEOPLE = {"alice": ALICE, "bob": BOB, "carol": CAROL, "dave": DAVE}
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def v6(address):
    """The IPv6 address of the machine that has this IPv4 address."""
    return "2001:db8::" + address.rsplit(".", 1)[1]


def sh(*command):
    subprocess.run(
        [str(c) for c in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


@contextlib.contextmanager
def inside(namespace):
    """Run this thread inside a namespace; sockets made there stay there."""
    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{namespace}") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
        try:
            yield
        finally:
            libc.setns(home.fileno(), CLONE_NEWNET)


class Process:
    """A peer: started in a namespace, its output in a file, ended with its Lab."""

    def __init__(self, lab, namespace, command, name, stdin=subprocess.DEVNULL):
        self.log = lab.folder / f"{name}-{len(lab.processes)}.log"
        self.name = name
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", namespace, *map(str, command)],
                cwd=lab.folder,
                stdin=stdin,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        lab.processes.append(self)

    def text(self):
        return self.log.read_text(errors="replace")

    def wait_text(self, words, seconds=15, count=1):
        end = time.monotonic() + seconds
        while self.text().count(words) < count:
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError(f"{self.name}: never said '{words}':\n{self.text()[-700:]}")
            time.sleep(0.02)

    def wait(self, seconds=60):
        """Wait for its own end; anything but exit 0 is a failure."""
        code = self.process.wait(seconds)
        if code:
            raise RuntimeError(f"{self.name}: exit {code}:\n{self.text()[-700:]}")

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Phone(Process):
    """A baresip, told what to do through its ctrl_tcp module.

    account goes to the end of its account line, second is a line of another account; more goes to
    the end of its configuration; sound is the module that its microphone is (aufile plays lab.wav).
    """

    def __init__(
        self,
        lab,
        user,
        address,
        namespace=None,
        account="",
        port=5060,
        proxy=SERVER,
        password="secret",
        regint=0,
        name=None,
        more="",
        second="",
        sound="aufile",
    ):
        home = lab.folder / f"phone-{name or user}"
        home.mkdir()
        literal = f"[{address}]" if ":" in address else address
        literal_proxy = f"[{proxy}]" if ":" in proxy else proxy
        last = int(address.rsplit(":" if ":" in address else ".", 1)[1])
        text = (SCENARIOS / "baresip.config").read_text()
        for word, value in (
            ("@ADDRESS@", literal),
            ("@PORT@", port),
            ("@WAV@", lab.wav),
            ("@RTP@", f"{10000 + 100 * last}-{10099 + 100 * last}"),
        ):
            text = text.replace(word, str(value))
        text = text.replace("aufile,", f"{sound},")
        (home / "config").write_text(text + more)
        transport = "" if "transport=" in account else ";transport=udp"
        outbound = (
            f';outbound="sip:{literal_proxy}{transport}"' if "outbound" not in account else ""
        )
        auth = f";auth_user={user};auth_pass={password}"
        (home / "accounts").write_text(
            f'"{user.title()}" <sip:{user}@example.org>{auth}{outbound};regint={regint}{account}\n{second}\n'
        )
        (home / "contacts").write_text("")
        namespace = namespace or lab.phones
        super().__init__(
            lab,
            namespace,
            ["baresip", "-f", home],
            f"baresip-{name or user}",
            stdin=subprocess.PIPE,
        )
        self.events, self.replies, self.lock = [], [], threading.Condition()
        self.wait_text("baresip is ready")
        with inside(namespace):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.connect((address, 4444))
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        buffer = b""
        with contextlib.suppress(OSError):
            while data := self.socket.recv(65536):
                buffer += data
                while b":" in buffer:
                    size, _, rest = buffer.partition(b":")
                    if len(rest) < int(size) + 1:
                        break
                    row = json.loads(rest[: int(size)])
                    buffer = rest[int(size) + 1 :]
                    with self.lock:
                        (self.events if row.get("event") else self.replies).append(row)
                        self.lock.notify_all()

    def do(self, command, params=""):
        row = json.dumps({"command": command, "params": params, "token": "t"}).encode()
        self.socket.sendall(b"%d:%s," % (len(row), row))

    def wait_event(self, kind, seconds=30, count=1):
        """Wait until `count` events of this kind have come since the start."""
        with self.lock:
            seen = lambda: sum(e.get("type") == kind for e in self.events) >= count
            if not self.lock.wait_for(seen, seconds):
                kinds = [e.get("type") for e in self.events]
                raise RuntimeError(f"{self.name}: no {kind} within {seconds} s, only {kinds}")


class Recording:
    """tcpdump on one interface; stop() leaves a complete file."""

    def __init__(self, lab, path, namespace=None, interface="link0", only=""):
        self.path = path
        self.process = Process(
            lab,
            namespace or lab.server,
            [
                "tcpdump",
                "-i",
                interface,
                "-n",
                "-U",
                "--immediate-mode",
                "-s",
                "0",
                "-Z",
                "root",
                "-w",
                path,
                *only.split(),
            ],
            "tcpdump",
        )
        self.process.wait_text("listening on")

    def stop(self):
        time.sleep(0.3)  # what is on its way still belongs to the sample
        self.process.stop(signal.SIGINT)


class Lab:
    def __init__(self, name):
        self.name = name
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"sample-{name}-"))
        self.recorded = self.folder / "recorded.pcap"
        self.processes, self.namespaces, self.recording = [], [], None
        self.phones, self.server = self.namespace("phones"), self.namespace("server")
        self.connect()
        self.address(self.server, "link0", SERVER)
        for address in PEOPLE.values():
            self.address(self.phones, "link0", address)
        self.wav = self.folder / "tone.wav"
        with wave.open(str(self.wav), "wb") as out:
            out.setparams((1, 2, 8000, 0, "NONE", ""))
            out.writeframes(
                b"".join(struct.pack("<h", 8000 if i % 16 < 8 else -8000) for i in range(240000))
            )

    def connect(self):
        """How the two namespaces reach each other."""
        self.join(self.phones, "link0", self.server, "link0")

    def namespace(self, name):
        full = f"sb-{self.name}-{name}"
        subprocess.run(["ip", "netns", "del", full], stderr=subprocess.DEVNULL, check=False)
        sh("ip", "netns", "add", full)
        sh("ip", "-n", full, "link", "set", "lo", "up")
        for setting in ("all.router_solicitations=0", "default.router_solicitations=0"):
            sh("ip", "netns", "exec", full, "sysctl", "-qw", f"net.ipv6.conf.{setting}")
        self.namespaces.append(full)
        return full

    def join(self, one, one_interface, other, other_interface):
        sh(
            "ip",
            "-n",
            one,
            "link",
            "add",
            one_interface,
            "type",
            "veth",
            "peer",
            "name",
            other_interface,
            "netns",
            other,
        )
        for space, interface in ((one, one_interface), (other, other_interface)):
            # A capture must show what a wire would: checksums filled in, segments cut.
            sh(
                "ip",
                "netns",
                "exec",
                space,
                "ethtool",
                "-K",
                interface,
                "tx",
                "off",
                "rx",
                "off",
                "gso",
                "off",
                "gro",
                "off",
                "tso",
                "off",
            )
            sh("ip", "-n", space, "link", "set", interface, "up")

    def address(self, space, interface, address, prefix=24):
        sh("ip", "-n", space, "address", "add", f"{address}/{prefix}", "dev", interface)
        sh("ip", "-n", space, "address", "add", f"{v6(address)}/64", "dev", interface, "nodad")

    def record(self, **options):
        self.recording = Recording(self, self.recorded, **options)
        return self.recording

    def kamailio(self, *features, address=SERVER, no_answer_ms=30000, no_reply_ms=30000, extra=()):
        literal = f"[{address}]" if ":" in address else address
        listen = ["-l", f"udp:{literal}:5060", "-l", f"tcp:{literal}:5060"]
        if "WS" in features:
            listen += ["-l", f"tcp:{literal}:8080"]
        defines = [f"NO_ANSWER_MS={no_answer_ms}", f"NO_REPLY_MS={no_reply_ms}", *features]
        proxy = Process(
            self,
            self.server,
            [
                "kamailio",
                "-f",
                SCENARIOS / "kamailio.cfg",
                "-DD",
                "-E",
                "-m",
                "32",
                "-M",
                "4",
                "-Y",
                self.folder,
                "-P",
                self.folder / "kamailio.pid",
                *listen,
                *[w for d in defines for w in ("-A", d)],
                *extra,
            ],
            "kamailio",
        )
        self.wait_port(self.server, address, 5060)
        return proxy

    def wait_port(self, namespace, address, port):
        """Wait until something accepts TCP there."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        for _ in range(400):
            with inside(namespace), socket.socket(family, socket.SOCK_STREAM) as s:
                if s.connect_ex((address, port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(
            f"{self.name}: nothing listens on {address}:{port}\n"
            + self.processes[-1].text()[-2000:]
        )

    def phone(self, user, address=None, registered=False, regint=0, **options):
        """A phone; registered=True waits until the registrar has accepted it."""
        phone = Phone(
            self, user, address or PEOPLE[user], regint=3600 if registered else regint, **options
        )
        if registered:
            phone.wait_text("200 OK (kamailio)")
        return phone

    def sipp(
        self,
        scenario,
        address,
        remote=None,
        namespace=None,
        port=5060,
        user="bob",
        proxy=None,
        length_ms=1500,
        calls=1,
        extra=(),
    ):
        command = [
            "sipp",
            "-sf",
            SCENARIOS / f"{scenario}.xml",
            "-i",
            address,
            "-p",
            port,
            "-m",
            calls,
            "-nostdin",
            "-timeout",
            "90s",
            "-timeout_error",
            "-s",
            user,
            "-d",
            length_ms,
            "-cid_str",
            f"{self.name}-%u-%p@%s",
        ]
        if proxy:
            command += ["-rsa", f"{proxy}:5060"]
        command += extra
        if remote:
            command.append(f"[{remote}]" if ":" in remote else remote)
        process = Process(self, namespace or self.phones, command, scenario)
        if not remote:
            self.wait_bound(process, namespace or self.phones, port)
        return process

    def wait_bound(self, process, namespace, port):
        for _ in range(400):
            found = subprocess.run(
                ["ip", "netns", "exec", namespace, "ss", "-Hlnut", f"sport = :{port}"],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            if found.strip():
                return
            if process.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(
            f"{process.name}: port {port} was never opened\n{process.text()[-2000:]}"
        )

    def silent_port(self, namespace, address, port):
        """A UDP socket that never answers: the machine is there, the program is not listening."""
        with inside(namespace):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((address, port))
        return s

    def close(self):
        for process in reversed(self.processes):
            process.stop()
        for namespace in self.namespaces:
            subprocess.run(
                ["ip", "netns", "del", namespace], stderr=subprocess.DEVNULL, check=False
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# Capture files, as far as the samples need to change them.


def read_pcap(path):
    """(link type, [(seconds, fraction, original length, bytes)]) of a little-endian pcap file."""
    data = pathlib.Path(path).read_bytes()
    if data[:4] != b"\xd4\xc3\xb2\xa1":
        raise ValueError(f"{path}: not the kind of file tcpdump writes here")
    (link,) = struct.unpack_from("<I", data, 20)
    packets, at = [], 24
    while at + 16 <= len(data):
        seconds, micros, kept, whole = struct.unpack_from("<IIII", data, at)
        packets.append((seconds, micros, whole, data[at + 16 : at + 16 + kept]))
        at += 16 + kept
    return link, packets


def write_pcap(path, link, packets, order="<", nanoseconds=False):
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)
    for seconds, micros, whole, data in packets:
        out += (
            struct.pack(
                order + "IIII", seconds, micros * (1000 if nanoseconds else 1), len(data), whole
            )
            + data
        )
    opener = gzip.GzipFile(path, "wb", mtime=0) if str(path).endswith(".gz") else open(path, "wb")
    with opener as f:
        f.write(out)


def write_pcapng(path, interfaces, packets):
    """interfaces: [(name, link type)]; packets: [(interface number, packet)] in order of time."""

    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    def option(code, value):
        return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)

    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    for name, link in interfaces:
        out += block(
            1,
            struct.pack("<HHI", link, 0, 262144)
            + option(2, name.encode())
            + option(9, b"\x06")
            + option(0, b""),
        )
    for number, (seconds, micros, whole, data) in packets:
        stamp = seconds * 1000000 + micros
        out += block(
            6,
            struct.pack("<IIIII", number, stamp >> 32, stamp & 0xFFFFFFFF, len(data), whole) + data,
        )
    pathlib.Path(path).write_bytes(out)


def tag_vlan(packets, *tags):
    """Ethernet frames with VLAN tags [(ether type, id)] put in, the outermost first."""
    head = b"".join(struct.pack(">HH", kind, number) for kind, number in tags)
    return [
        (s, u, whole + len(head), data[:12] + head + data[12:]) for s, u, whole, data in packets
    ]


def checksum(data):
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def datagram(number, source, target, text, port=5060):
    """An IPv4 packet with this text as UDP."""
    data, ends = text.encode(), socket.inet_aton(source) + socket.inet_aton(target)
    head = struct.pack(">HHH", port, port, 8 + len(data))
    udp = (
        head
        + struct.pack(
            ">H", checksum(ends + struct.pack(">HH", 17, 8 + len(data)) + head + data) or 0xFFFF
        )
        + data
    )
    begin = struct.pack(">BBHHHBB", 0x45, 0, 20 + len(udp), number, 0x4000, 64, 17)
    return begin + struct.pack(">H", checksum(begin + ends)) + ends + udp
