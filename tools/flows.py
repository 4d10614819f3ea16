"""Reads and checks data/flows: the reference call flows, one file each.

A file is named as its flow is, lower-case words with hyphens, and holds

    number    its place in lists; stable       kind     "call" (default) or "registration"
    title, purpose, rfc
    parties   the columns, the server is S     needs, never   by what a call is told (MARKS)
    after     the flow that comes before it in a whole call, with its steps
    then      the one that follows it; then_as = { B = "C" }: who takes a part in it
    repeats   it may come several times in one call

and its steps in order, numbered from 1, each

    line      X>Y WHAT [word ...]; WHAT is METHOD, METHOD|METHOD, CODE or CODE|CODE, a response
              followed by the methods of its request unless that is INVITE; the words are
                *  carries SDP       ?  need not come      +  may come several times
                re           within the dialog: a re-INVITE
                either       from either side; the side that X stands for is only an example
                copy         what came on the other leg, passed on: a capture of both hops that
                             keeps the Call-ID shows it once
                other        belongs to another call; shown, never compared
                instead      may come in place of the steps before it; shown, never compared
                loose        its order against the other leg is free
                hold, resume SDP that lets no media come back, or lets it again
                credentials  with the answer to a challenge
                100rel       reliable: with RSeq
                unmet        only while the resources were not reserved from the start
    block     steps of one name come all or not at all
    state     the code that a monitor shows then, "monitor:2002"       qos    see QOS
    must, should  header fields             note     a sentence or two
    missing, early    what to say when it never comes, or comes too early: {frame} {rseq} {cseq}

SPDX-License-Identifier: Apache-2.0
"""
import re
from dataclasses import dataclass, field

MARKS = ("opened", "answered", "busy", "unanswered", "cancelled", "branch-busy",
         "branch-unanswered", "hold", "changed", "preconditions", "waiting", "ended",
         "redirected", "transferred")
KINDS = ("call", "registration")
QOS = ("none", "wanted", "local", "both")
METHODS = ("INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS", "PRACK", "UPDATE", "INFO",
           "SUBSCRIBE", "NOTIFY", "REFER", "MESSAGE", "PUBLISH")
WORDS = {"*": "SDP", "?": "OPTIONAL", "+": "REPEATS", "re": "RE", "either": "EITHER",
         "copy": "COPY", "other": "OTHER", "hold": "HOLD", "resume": "RESUME",
         "credentials": "CREDENTIALS", "100rel": "RELIABLE", "unmet": "UNMET", "instead": "INSTEAD",
         "loose": "LOOSE"}
KEYS = {"number", "kind", "title", "purpose", "rfc", "parties", "needs", "never", "after", "then",
        "then_as", "repeats", "step"}
STEP_KEYS = {"line", "block", "state", "qos", "must", "should", "note", "missing", "early"}
STEP_TEXTS = ("note", "missing", "early")
SAID = {"frame", "rseq", "cseq"}
STATUSES_MAX = 4
VIEWS_MAX = 8
STEPS_MAX = 60                                     # of a whole call; FLOW_ROWS_MAX in diagnose/flow.c


@dataclass
class Step:
    number: int
    sender: str
    receiver: str
    methods: list
    statuses: list
    words: set
    content: dict
    key: str

    def label(self):
        if not self.statuses:
            return "/".join(self.methods)
        codes = "/".join(map(str, self.statuses))
        return codes if self.methods == ["INVITE"] else f"{codes} ({'/'.join(self.methods)})"


@dataclass
class Flow:
    name: str
    content: dict
    steps: list = field(default_factory=list)


def parse_line(line):
    """(sender, receiver, methods, statuses, words), or a complaint as text."""
    found = re.fullmatch(r"([A-Z])>([A-Z]) (\S+)((?: \S+)*)", line)
    if not found:
        return "is not of the form X>Y WHAT [word ...]"
    sender, receiver, what, rest = found.groups()
    words, methods, statuses = rest.split(), ["INVITE"], []
    if re.fullmatch(r"[1-6][0-9][0-9](\|[1-6][0-9][0-9])*", what):
        statuses = [int(code) for code in what.split("|")]
        if words and words[0].split("|")[0] in METHODS:
            methods = words.pop(0).split("|")
    else:
        methods = what.split("|")
    if not set(methods) <= set(METHODS):
        return f"has an unknown method in {what}"
    if len(statuses) > STATUSES_MAX:
        return f"has more than {STATUSES_MAX} codes"
    if not set(words) <= set(WORDS) or len(set(words)) != len(words):
        return f"has a word that is not known or stands there twice: {' '.join(words)}"
    if sender == receiver:
        return "goes to where it came from"
    return sender, receiver, methods, statuses, set(words)


def read_step(reader, where, flow, number, content):
    where = f"{where} step {number}"
    for key in content:
        if key not in STEP_KEYS:
            reader.error(where, f"{key} is not known here")
    parsed = parse_line(content.get("line", ""))
    if isinstance(parsed, str):
        reader.error(where, parsed)
        return
    step = Step(number, *parsed, content, f"flow.{flow.name}.step.{number}")
    for party in (step.sender, step.receiver):
        if party not in flow.content.get("parties", []):
            reader.error(where, f"{party} is none of the parties")
    state = content.get("state")
    family, _, ident = (state or "sip:100").partition(":")
    if (family, ident) not in reader.cat.codes:
        reader.error(where, f"state {state} does not exist")
    if content.get("qos", "none") not in QOS:
        reader.error(where, f"qos must be one of {', '.join(QOS)}")
    for key in ("must", "should"):
        for name in content.get(key, []):
            if name not in reader.headers:
                reader.error(where, f"{key}: {name} is not a header field known to tools/catalogue.py")
    for key in STEP_TEXTS:
        if key in content and reader.check_text(where, key, content[key], "sentence"):
            reader.add(f"{step.key}.{key}", content[key], flow.content["source"])
            said = set(re.findall(r"\{([a-z0-9_]*)\}", content[key]))
            if not said <= (SAID if key != "note" else set()):
                reader.error(where, f"{key} has a placeholder that is not known: {said}")
    flow.steps.append(step)


def read_flow(reader, path):
    content, source = reader.load(path), reader.name(path)
    flow = Flow(path.stem, content)
    content["source"] = source
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", flow.name):
        reader.error(source, "must be named in lower-case words with hyphens")
    for key in set(content) - KEYS - {"source"}:
        reader.error(source, f"{key} is not known here")
    for key, kind in (("title", "name"), ("purpose", "sentence")):
        if reader.check_text(source, key, content.get(key), kind):
            reader.add(f"flow.{flow.name}.{key}", content[key], source)
    if content.get("kind", "call") not in KINDS:
        reader.error(source, f"kind must be one of {', '.join(KINDS)}")
    for key in ("needs", "never"):
        for mark in content.get(key, []):
            if mark not in MARKS:
                reader.error(source, f"{key}: {mark} is none of {', '.join(MARKS)}")
    if content.get("kind", "call") == "call" and not content.get("needs"):
        reader.error(source, "needs is missing: by what is such a call told?")
    if not content.get("rfc") or not content.get("step") or "S" not in content.get("parties", []):
        reader.error(source, "rfc, a step, or the party S is missing")
    for number, step in enumerate(content.get("step", []), 1):
        read_step(reader, source, flow, number, step)
    return flow


def read(reader):
    """All flows by number; their texts go to the reader."""
    paths = sorted((reader.root / "data" / "flows").glob("*.toml"))
    flows = [read_flow(reader, path) for path in paths]
    numbers = [flow.content.get("number") for flow in flows]
    for flow in flows:
        if not isinstance(flow.content.get("number"), int) or numbers.count(flow.content["number"]) > 1:
            reader.error(flow.content["source"], "number is missing, or two flows have it")
            return []
        for key in ("after", "then"):
            if flow.content.get(key, flow.name) not in [other.name for other in flows]:
                reader.error(flow.content["source"], f"{key}: there is no flow of that name")
    return sorted(flows, key=lambda flow: flow.content["number"])


# ---- what of a flow is seen at one place -------------------------------------------------------

@dataclass
class Row:
    step: Step
    flow: Flow                                     # whose step it is
    from_callee: bool
    skip: int = 0                                  # so many rows may be left out together from here

    def same(self):
        return (self.step.methods, self.step.statuses, self.step.words - {"copy"}, self.from_callee,
                self.skip)


@dataclass
class View:
    flow: Flow
    place: str                                     # "a", "b", "c": legs; "all": every hop
    rows: list
    begin: int                                     # the flow's own rows, between `after` and `then`
    end: int


def whole(flow, by_name):
    """(flow, step, sender, receiver, part) of a whole call."""
    out = []
    for part, key in ((0, "after"), (1, None), (2, "then")):
        other = flow if key is None else by_name.get(flow.content.get(key))
        names = flow.content.get("then_as", {}) if key == "then" else {}
        for step in other.steps if other else []:
            out.append((other, step, names.get(step.sender, step.sender),
                        names.get(step.receiver, step.receiver), part))
    return [row for row in out if not row[1].words & {"other", "instead"}]


def view_of(flow, place, chosen, callers):
    rows = []
    for other, step, sender, receiver, _ in chosen:
        rows.append(Row(step, other, sender != callers[frozenset((sender, receiver))]))
    for at, row in enumerate(rows):
        block = row.step.content.get("block")
        if block and (at == 0 or rows[at - 1].step.content.get("block") != block
                      or rows[at - 1].flow is not row.flow):
            while (at + row.skip < len(rows) and rows[at + row.skip].flow is row.flow
                   and rows[at + row.skip].step.content.get("block") == block):
                row.skip += 1
    parts = [part for *_, part in chosen]
    return View(flow, place, rows, parts.count(0), parts.count(0) + parts.count(1))


def views(flow, by_name):
    """What captures at different places see of the flow, the commonest first."""
    steps = whole(flow, by_name)
    callers, legs = {}, []
    for _, _, sender, receiver, _ in steps:
        pair = frozenset((sender, receiver))
        if pair not in callers:
            callers[pair] = sender
            legs.append(pair)
    found = []
    places = [("a", legs[0]), ("all", None)] + list(zip("bcdefg"[:VIEWS_MAX - 2], legs[1:]))
    for place, pair in places:
        chosen = [row for row in steps
                  if (frozenset(row[2:4]) == pair if pair else "copy" not in row[1].words)]
        view = view_of(flow, place, chosen, callers)
        if any([row.same() for row in view.rows] == [row.same() for row in other.rows]
               for other in found):
            continue
        found.append(view)
    return found
