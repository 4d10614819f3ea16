"""What the tests with peers share: how a group of them is run and counted.

A group is a module with begin(lab), TESTS and, if need be, end(lab). A test is a function whose name is a
sentence. It may put off a check until the servers have stopped (lab.later): only then is each call closed
and all that is said of it printed.

SPDX-License-Identifier: Apache-2.0
"""
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from server import Server
from sip import Wrong

HERE = pathlib.Path(__file__).resolve().parent
TEST_SECONDS = 45


class Skip(Exception):
    """It cannot be tried here, or the server cannot do it yet; says why."""


class Lab:
    def __init__(self, program, shared, workers=1):
        self.program, self.shared = pathlib.Path(program).resolve(), pathlib.Path(shared).resolve()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="peers-"))
        self.servers, self.closers, self.put_off, self.now, self.workers = [], [], [], "", workers
        self.is_sanitized = b"__asan_init" in self.program.read_bytes()

    def server(self, name="server", **more):
        s = Server(self.program, self.folder / name, **{"workers": self.workers, **more})
        self.servers.append(s)
        return s

    def closing(self, thing):
        """Something with close(), closed at the end."""
        self.closers.append(thing)
        return thing

    def later(self, check, *args):
        self.put_off.append((self.now, check, args))

    def record_says(self, server, call_id, **wanted):
        """The last record of this call has these values; `flow` and `cause` are names, True is any."""
        self.later(last_record_says, server, call_id, wanted)

    def close(self):
        for thing in reversed(self.closers):
            thing.close()
        for s in self.servers:
            s.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def value_of(record, key):
    found = record.get(key)
    if isinstance(found, dict):
        return found.get("name", found.get("id"))
    return found


def last_record_says(server, call_id, wanted):
    rows = server.calls(call_id)
    if not rows:
        raise Wrong(f"nothing was printed of the call {call_id}")
    row = rows[-1]
    for key, value in wanted.items():
        got = value_of(row, key)
        if (value is True and not got) or (value is not True and got != value):
            raise Wrong(f"printed of the call: {key} {got!r}, not {value!r}; state {row.get('state')}, final "
                        f"{row.get('final')}, cause {value_of(row, 'cause')}, flow {row.get('flow')}")


def need(*commands):
    """Skips when one of these programs is not there."""
    for command in commands:
        if not shutil.which(command, path="/usr/sbin:/usr/bin:/sbin:/bin"):
            raise Skip(f"{command} is not installed")


def namespaces_work():
    done = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    return done.returncode == 0


def alarm(_number, _frame):
    raise Wrong(f"not over within {TEST_SECONDS} s")


def sentence(function):
    return function.__name__.removeprefix("test_").replace("_", " ")


def run_group(lab, module, word):
    """Returns (passed, failed, skipped); prints a line for each test when all is over."""
    results = {}
    chosen = [(sentence(t), t) for t in module.TESTS if word in sentence(t)]

    def attempt(name, function, *args):
        started = time.monotonic()
        signal.signal(signal.SIGALRM, alarm)
        signal.alarm(TEST_SECONDS)
        lab.now = name
        try:
            function(*args)
            result = ("ok", "")
        except Skip as why:
            result = ("skipped", str(why))
        except Wrong as why:
            result = ("FAILED", str(why))
        except Exception as e:  # one test's trouble must not stop the others
            result = ("FAILED", f"{type(e).__name__}: {e}")
        finally:
            signal.alarm(0)
        return (*result, time.monotonic() - started)

    begun = attempt("begin", module.begin, lab)
    for name, function in chosen:
        results[name] = attempt(name, function, lab) if begun[0] == "ok" else (begun[0], f"begin: {' '.join(begun[1].split())}", 0)
    if hasattr(module, "end") and begun[0] == "ok":
        ended = attempt("end", module.end, lab)
        if ended[0] == "FAILED":
            results["ends"] = ended
    for s in lab.servers:
        stopped = attempt("stop", s.stop)
        if stopped[0] == "FAILED":
            results["the server ends in order"] = stopped
    for name, check, args in lab.put_off:
        if results.get(name, ("ok", "", 0))[0] == "ok":
            status, why, _ = attempt(name, check, *args)
            if status != "ok":
                results[name] = (status, why, results[name][2])
    for name, (status, why, seconds) in results.items():
        print(f"{status:8}{name} ({seconds:.1f} s){': ' + why if why else ''}")
        if status == "skipped":
            print(f"# skipped {name}: {why}")
    states = [r[0] for r in results.values()]
    return states.count("ok"), states.count("FAILED"), states.count("skipped")
