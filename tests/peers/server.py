"""`signalbox serve` as the tests run it: own folder, own ports, users by `signalbox user`, and what it prints.

SPDX-License-Identifier: Apache-2.0
"""
import csv
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

from sip import Peer, Wrong

PASSWORD = "first-secret"
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC",
       **{k: v for k, v in os.environ.items() if k.startswith(("ASAN_", "UBSAN_", "LSAN_", "TSAN_"))}}


def free_port(address="127.0.0.1"):
    """A port that nothing has now, for UDP and TCP."""
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind((address, 0))
            port = udp.getsockname()[1]
            try:
                tcp.bind((address, port))
                return port
            except OSError:
                continue
    raise Wrong("no free port")


class Server:
    """Started at once; stop() ends it in order and has all its records.

    `users`: name -> dict of the settings of `signalbox user import`; each has PASSWORD. `ini`: further text of
    the configuration, `listen` the address. `wrap` is a command before it (ip netns exec ...). Without `live`
    nothing is printed of calls."""

    def __init__(self, program, folder, users=None, ini="", address="127.0.0.1", port=None, domain="example.org",
                 wrap=(), json_lines=True, wait=True, calls="", server="", live=True, workers=1):
        self.program, self.folder, self.domain = str(program), pathlib.Path(folder), domain
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port(address)
        self.address = (address, self.port)
        self.users = users or {}
        self.wrap, self.live = list(wrap), ["--live", "--json"] if live else ["--json"]
        self.records, self.lock = [], threading.Condition()
        self.state = self.folder / "state"
        self.state.mkdir(mode=0o700, exist_ok=True)
        self.config = self.folder / "signalbox.ini"
        self.config.write_text(
            f"[server]\ndomains = {domain}\nusers = {self.state}/users.db\nstate = {self.state}\nworkers = {workers}\n{server}\n"
            f"[listen udp]\ntransport = udp\naddress = {address}\nport = {self.port}\n"
            f"[listen tcp]\ntransport = tcp\naddress = {address}\nport = {self.port}\n{ini}\n")
        if self.users:
            self.add_users()
        self.start(wait)

    def add_users(self):
        columns = sorted({k for u in self.users.values() for k in u})
        path = self.folder / "users.csv"
        with open(path, "w", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(["name", "password", *columns])
            for name, settings in self.users.items():
                rows.writerow([f"{name}@{self.domain}", PASSWORD, *(settings.get(c, "") for c in columns)])
        self.tool("user", "import", "--db", self.state / "users.db", path)

    def tool(self, *args):
        done = subprocess.run([self.program, *map(str, args)], capture_output=True, env=ENV, timeout=60, check=False)
        if done.returncode:
            raise Wrong(f"signalbox {' '.join(map(str, args))}: exit {done.returncode}: {done.stderr.decode()[:400]}")
        return done.stdout.decode()

    def start(self, wait=True):
        self.errors = open(self.folder / "stderr", "ab")
        self.process = subprocess.Popen(
            [*self.wrap, self.program, "serve", "--config", str(self.config), *self.live], env=ENV,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors)
        self.reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self.reader.start()
        if wait:
            self.wait_ready()

    def _read(self, stream):
        for line in stream:
            try:
                row = json.loads(line)
            except ValueError:
                row = {"type": "not json", "line": line.decode("utf-8", "replace")}
            with self.lock:
                self.records.append(row)
                self.lock.notify_all()

    def wait_ready(self, seconds=15):
        """It is there when it answers OPTIONS."""
        peer = Peer(self.address, "probe")
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                if self.process.poll() is not None:
                    raise Wrong(f"signalbox serve ended with {self.process.returncode}: {self.stderr()}")
                try:
                    peer.send(peer.text("OPTIONS", f"sip:{self.domain}"))
                    return peer.wait(lambda m: m.status == 200, 0.2, "200 to OPTIONS")
                except (Wrong, OSError):
                    continue
            raise Wrong(f"signalbox serve does not answer: {self.stderr()}")
        finally:
            peer.close()

    def stderr(self):
        return (self.folder / "stderr").read_text(errors="replace")[-2000:]

    def rss_kib(self):
        for line in pathlib.Path(f"/proc/{self.pid()}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0

    def pid(self):
        return self.process.pid

    def stop(self, seconds=20):
        """Ends it by SIGTERM; anything but exit 0 is a fault."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds / 2)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGTERM)      # the second ends at once
                try:
                    self.process.wait(seconds / 2)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
        self.reader.join(5)
        self.errors.close()
        if self.process.returncode != 0:
            raise Wrong(f"signalbox serve ended with {self.process.returncode}: {self.stderr()}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    # ---- what it printed ----

    def calls(self, call_id):
        """All that was printed of the call with this Call-ID, as it changed."""
        with self.lock:
            return [r for r in self.records if r.get("type") == "call" and r.get("call_id") == call_id]

    def wait_call(self, call_id, wanted, seconds=10, what="a record"):
        end = time.monotonic() + seconds
        with self.lock:
            while True:
                for r in self.records:
                    if r.get("type") == "call" and r.get("call_id") == call_id and wanted(r):
                        return r
                left = end - time.monotonic()
                if left <= 0:
                    raise Wrong(f"{what} of {call_id} was not printed within {seconds} s")
                self.lock.wait(left)
