"""Reads and checks data/codes, data/causes, data/flows and data/text; lists what can be translated.

Used by gen_codes.py, gen_text.py, gen_pot.py and the po-* tools. A text has a key that stays
the same when its English changes, for example sip.486.cause.busy.fix.admin; docs/translating.md
tells how keys are made.

SPDX-License-Identifier: Apache-2.0
"""
import pathlib
import re
import sys
import tomllib
from dataclasses import dataclass, field

import flows

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROLES = ("caller", "callee", "provider", "admin")
OUTCOMES = ("progress", "answered", "redirect", "syntax", "challenge", "account", "number",
            "user", "network", "capability", "routing", "dialog")
NORMAL = ("yes", "first", "no")
DIALOG = ("", "transaction", "usage", "dialog")
LISTS = ("active", "completed", "unmonitored", "registrations")

# Header fields that an entry may name; a misspelt one is caught here.
HEADERS = set("""
Accept Accept-Contact Accept-Encoding Accept-Language Accept-Resource-Priority Alert-Info
AlertMsg-Error Allow Allow-Events Authentication-Info Authorization Call-ID Call-Info Contact
Content-Disposition Content-Encoding Content-Language Content-Length Content-Type CSeq Date
Diversion Error-Info Event Expires Feature-Caps Flow-Timer From Geolocation Geolocation-Error
Geolocation-Routing History-Info Identity In-Reply-To Info-Package Max-Breadth Max-Forwards
MIME-Version Min-Expires Min-SE Organization P-Access-Network-Info P-Answer-State
P-Asserted-Identity P-Associated-URI P-Called-Party-ID P-Charging-Vector P-Early-Media
P-Preferred-Identity P-Preferred-Service Path Permission-Missing Priority Privacy Proxy-Authenticate
Proxy-Authentication-Info Proxy-Authorization Proxy-Require RAck Reason Record-Route Recv-Info
Refer-Sub Refer-To Referred-By Replaces Reply-To Require Resource-Priority Retry-After Route
RSeq Security-Client Security-Server Security-Verify Server Service-Route Session-Expires
Session-ID SIP-ETag SIP-If-Match Subject Subscription-State Supported Target-Dialog Timestamp
To Trigger-Consent Unsupported User-Agent Via Warning WWW-Authenticate
""".split())

SENTENCE, NAME = "sentence", "name"

# What each family's table may hold: translated texts in the order in which they are shown ...
TEXTS = {
    "sip": {"headline": SENTENCE, "means": SENTENCE, "when": SENTENCE, "sent_by": SENTENCE,
            "retry": SENTENCE, "carries": SENTENCE, "note": SENTENCE},
    "monitor": {"name": NAME, "headline": SENTENCE, "means": SENTENCE, "when": SENTENCE,
                "leaves": SENTENCE, "note": SENTENCE},
    "local": {"name": NAME, "headline": SENTENCE, "means": SENTENCE, "when": SENTENCE,
              "leaves": SENTENCE, "retry": SENTENCE, "note": SENTENCE},
    "q850": {"headline": SENTENCE, "means": SENTENCE, "when": SENTENCE,
             "maps": SENTENCE, "note": SENTENCE},
    "class": {"name": NAME, "title": NAME, "headline": SENTENCE, "means": SENTENCE,
              "retry": SENTENCE, "who": SENTENCE, "unknown": SENTENCE},
}
OPTIONAL = {
    "sip": {"note"}, "monitor": {"note"}, "local": {"leaves", "retry", "note"},
    "q850": {"maps", "note"}, "class": {"title", "name"},
}
# ... and what is data for the program.
FACTS = {
    "sip": {"phrase", "registered", "rfc", "normal", "must_headers", "may_headers", "outcome",
            "dialog", "related", "cause"},
    "monitor": {"slug", "list", "normal", "related", "cause"},
    "local": {"slug", "list", "normal", "related", "cause"},
    "q850": {"name", "sip_rfc3398", "sip_rfc4497", "sip_freeswitch", "related", "cause"},
    "class": {"related"},
}
COMPARE_TEXTS = ("gist", "who", "tell", "do", "choose")
FAMILIES = ("sip", "monitor", "local", "q850", "class")

# data/causes: why a call went as it did. The texts of one cause in the order in which they are
# shown, and the values that may stand in them.
CAUSE_AREAS = ("outcome", "capability", "authentication", "routing", "dialog", "media", "nat",
               "volte", "vendor", "abuse", "unknown", "capture")     # files, in this order
CAUSE_TEXTS = ("headline", "text", "text_plain", "proof", "refute")
CAUSE_SEVERITIES = ("info", "notice", "warning", "error")
CAUSE_BLAMES = ("nobody", "caller", "callee", "provider", "admin", "network", "unknown")
CAUSE_FACTS = {"severity", "main", "blame", "codes", "params", "fix"}
CAUSE_PARAMS = tuple("""
code phrase code_other phrase_other seconds milliseconds count total percent address
address_other codecs_caller codecs_callee codec codec_other header value method agent number
realm user mos
""".split())


@dataclass
class Text:
    key: str
    english: str
    source: str
    plural: str | None = None


@dataclass
class Catalogue:
    codes: dict = field(default_factory=dict)      # (family, id) -> table
    pairs: list = field(default_factory=list)      # compare.toml: list of tables
    class_pairs: dict = field(default_factory=dict)
    causes: dict = field(default_factory=dict)     # id -> table, in the order of the files
    flows: list = field(default_factory=list)      # data/flows, by number
    ui: list = field(default_factory=list)         # (table, id, Text)
    texts: list = field(default_factory=list)
    errors: list = field(default_factory=list)


def placeholders(text):
    return sorted(set(re.findall(r"\{([a-z][a-z0-9_]*)\}", text)))


def code_name(family, ident):
    """How related codes and keys write it: 486, monitor:2002."""
    return ident if family == "sip" else f"{family}:{ident}"


def split_name(name):
    family, _, ident = str(name).rpartition(":")
    return (family or "sip", ident)


class Reader:
    headers = HEADERS

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.cat = Catalogue()
        self.keys = {}

    def error(self, where, what):
        self.cat.errors.append(f"{where}: {what}")

    def add(self, key, english, source, plural=None):
        if key in self.keys:
            self.error(source, f"{key} stands there twice")
        text = Text(key, english, source, plural)
        self.keys[key] = text
        self.cat.texts.append(text)
        return text

    def check_text(self, where, key, value, kind):
        if not isinstance(value, str) or not value.strip():
            self.error(where, f"{key} is empty or not text")
            return False
        if value != value.strip() or "  " in value or "\n" in value or "\t" in value:
            self.error(where, f"{key} has stray blanks")
        if kind == SENTENCE and not re.search(r'[.?!]["’)]?$', value):
            self.error(where, f"{key} does not end as a sentence: ...{value[-30:]!r}")
        return True

    def files(self, folder):
        return sorted((self.root / "data" / folder).glob("*.toml"))

    def load(self, path):
        try:
            with open(path, "rb") as file:
                return tomllib.load(file)
        except tomllib.TOMLDecodeError as problem:
            self.error(self.name(path), problem)
            return {}

    def name(self, path):
        return path.relative_to(self.root).as_posix()

    # ---- codes ----

    def read_codes(self):
        for path in self.files("codes"):
            source, tables = self.name(path), self.load(path)
            for table, content in tables.items():
                if table == "pair":
                    for pair in content:
                        self.read_pair(source, pair)
                elif table == "class_pair":
                    for name, pair in content.items():
                        self.read_class_pair(source, name, pair)
                elif table in FAMILIES:
                    for ident, entry in content.items():
                        self.read_code(source, table, ident, entry)
                else:
                    self.error(source, f"[{table}] is no known family")
        self.check_references()

    def read_code(self, source, family, ident, entry):
        where = f"{source} [{family}.{ident}]"
        known = set(TEXTS[family]) | FACTS[family]
        for key in entry:
            if key not in known:
                self.error(where, f"{key} is not known here")
        for key in set(TEXTS[family]) - OPTIONAL[family] - set(entry):
            self.error(where, f"{key} is missing")
        for key, kind in TEXTS[family].items():
            if key in entry and self.check_text(where, key, entry[key], kind):
                self.add(f"{family}.{ident}.{key}", entry[key], source)
        self.check_ident(where, family, ident)
        self.check_facts(where, family, entry)
        seen = set()
        for cause in entry.get("cause", []):
            self.read_cause(source, where, f"{family}.{ident}", cause, seen)
        entry["source"] = source
        if (family, ident) in self.cat.codes:
            self.error(where, "stands there twice")
        self.cat.codes[(family, ident)] = entry

    def check_ident(self, where, family, ident):
        shape = {"sip": r"[1-6][0-9][0-9]", "monitor": r"[0-9]{3,4}", "q850": r"[0-9]{1,3}",
                 "local": r"[A-Za-z0-9]+", "class": r"[1-69]xx"}[family]
        if not re.fullmatch(shape, ident):
            self.error(where, f"is no identifier of this family ({shape})")

    def check_facts(self, where, family, entry):
        def one_of(key, allowed, needed):
            if key not in entry and not needed:
                return
            if entry.get(key) not in allowed:
                self.error(where, f"{key} must be one of {', '.join(map(repr, allowed))}")

        if family == "class":
            return
        one_of("normal", NORMAL, family != "q850")
        if family == "sip":
            one_of("outcome", OUTCOMES, True)
            one_of("dialog", DIALOG, True)
            one_of("registered", (True, False), True)
            if not isinstance(entry.get("phrase"), str):
                self.error(where, "phrase is missing")
            if not entry.get("rfc") and entry.get("registered"):
                self.error(where, "rfc is missing")
        if family in ("monitor", "local"):
            one_of("list", LISTS, False)
            if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.get("slug", "")):
                self.error(where, "slug must be lower-case words with hyphens")
        for key in ("must_headers", "may_headers"):
            for header in entry.get(key, []):
                if header not in HEADERS:
                    self.error(where, f"{key}: {header} is not a header field known to "
                                      "tools/catalogue.py")

    def read_cause(self, source, where, prefix, cause, seen):
        ident = cause.get("id", "")
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", ident):
            self.error(where, f"cause id {ident!r} must be lower-case words with hyphens")
        if ident in seen:
            self.error(where, f"cause {ident} stands there twice")
        seen.add(ident)
        for key in cause:
            if key not in ("id", "text", "evidence", "fix"):
                self.error(where, f"cause {ident}: {key} is not known here")
        for key in ("text", "evidence"):
            if self.check_text(where, f"cause {ident}: {key}", cause.get(key), SENTENCE):
                self.add(f"{prefix}.cause.{ident}.{key}", cause[key], source)
        fix = cause.get("fix", {})
        if not fix:
            self.error(where, f"cause {ident}: nobody is told what to do (fix)")
        for role in fix:
            if role not in ROLES:
                self.error(where, f"cause {ident}: fix.{role} is no role")
        for role in ROLES:
            if role in fix and self.check_text(where, f"cause {ident}: fix.{role}", fix[role],
                                               SENTENCE):
                self.add(f"{prefix}.cause.{ident}.fix.{role}", fix[role], source)

    def read_class_pair(self, source, name, pair):
        where = f"{source} [class_pair.{name}]"
        if not re.fullmatch(r"[1-6]xx-[1-6]xx", name):
            self.error(where, "must be named like 1xx-2xx")
        if self.check_text(where, "difference", pair.get("difference"), SENTENCE):
            self.add(f"class_pair.{name}.difference", pair["difference"], source)
        self.cat.class_pairs[name] = pair

    def read_pair(self, source, pair):
        codes = [split_name(code) for code in pair.get("codes", [])]
        name = "_".join(f"{family}:{ident}" for family, ident in codes)
        where = f"{source} [[pair]] {name}"
        if len(codes) < 2:
            self.error(where, "needs two codes or more")
        if any(set(codes) == set(other["codes"]) for other in self.cat.pairs):
            self.error(where, "these codes are compared twice")
        for key in pair:
            if key not in COMPARE_TEXTS and key != "codes":
                self.error(where, f"{key} is not known here")
        for key in COMPARE_TEXTS:
            if self.check_text(where, key, pair.get(key), SENTENCE):
                self.add(f"compare.{name}.{key}", pair[key], source)
        self.cat.pairs.append({"codes": codes, "name": name, "source": source, **{
            key: pair.get(key) for key in COMPARE_TEXTS}})

    def check_references(self):
        for (family, ident), entry in self.cat.codes.items():
            for name in entry.get("related", []):
                if split_name(name) not in self.cat.codes:
                    self.error(f"{entry['source']} [{family}.{ident}]",
                               f"related {name} does not exist")
                if split_name(name) == (family, ident):
                    self.error(f"{entry['source']} [{family}.{ident}]", "is related to itself")
        for pair in self.cat.pairs:
            for code in pair["codes"]:
                if code not in self.cat.codes:
                    self.error(pair["source"], f"[[pair]] {pair['name']}: {code_name(*code)} "
                                               "does not exist")

    # ---- causes of calls ----

    def read_causes(self):
        def place(path):
            known = path.stem in CAUSE_AREAS
            return (CAUSE_AREAS.index(path.stem) if known else len(CAUSE_AREAS), path.stem)

        for path in sorted(self.files("causes"), key=place):
            source, tables = self.name(path), self.load(path)
            for table, content in tables.items():
                if table != "cause":
                    self.error(source, f"[{table}] is not known here")
                    continue
                for ident, entry in content.items():
                    self.read_call_cause(source, ident, entry)

    def read_call_cause(self, source, ident, entry):
        where = f"{source} [cause.{ident}]"
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", ident):
            self.error(where, "must be lower-case words with hyphens")
        if ident in self.cat.causes:
            self.error(where, "stands there twice")
        for key in entry:
            if key not in CAUSE_TEXTS and key not in CAUSE_FACTS:
                self.error(where, f"{key} is not known here")
        self.check_cause_facts(where, entry)
        for key in CAUSE_TEXTS:
            kind = NAME if key == "headline" else SENTENCE
            if key in entry and self.check_text(where, key, entry[key], kind):
                self.add(f"cause.{ident}.{key}", entry[key], source)
        for role in ROLES:
            fix = entry.get("fix", {}).get(role)
            if fix is not None and self.check_text(where, f"fix.{role}", fix, SENTENCE):
                self.add(f"cause.{ident}.fix.{role}", fix, source)
        self.check_cause_texts(where, entry)
        entry["source"] = source
        self.cat.causes[ident] = entry

    def check_cause_facts(self, where, entry):
        for key, allowed in (("severity", CAUSE_SEVERITIES), ("blame", CAUSE_BLAMES),
                             ("main", (True, False))):
            if entry.get(key) not in allowed:
                self.error(where, f"{key} must be one of {', '.join(map(repr, allowed))}")
        for name in entry.get("codes", []):
            family, number = split_name(name)
            if (family, number) not in self.cat.codes:
                self.error(where, f"code {name} does not exist")
            elif name != f"{family}:{number}":
                self.error(where, f"code {name} must be written with its family")
        for role in entry.get("fix", {}):
            if role not in ROLES:
                self.error(where, f"fix.{role} is no role")

    def check_cause_texts(self, where, entry):
        for key in ("headline", "text", "proof", "refute"):
            if key not in entry:
                self.error(where, f"{key} is missing")
        if not 3 <= len(str(entry.get("headline", "")).split()) <= 8:
            self.error(where, "headline must have three to eight words")
        if str(entry.get("headline", "")).endswith("."):
            self.error(where, "headline must have no full stop")
        nobody = entry.get("blame") == "nobody" and entry.get("severity") == "info"
        if not entry.get("fix") and not nobody:
            self.error(where, "nobody is told what to do (fix)")
        self.check_cause_params(where, entry)

    def check_cause_params(self, where, entry):
        params, used = entry.get("params", []), placeholders(str(entry.get("text", "")))
        for name in params:
            if name not in CAUSE_PARAMS:
                self.error(where, f"{{{name}}} is not in the vocabulary of tools/catalogue.py")
        if sorted(params) != used:
            self.error(where, f"params are {sorted(params)}, but text has {used}")
        if bool(params) != ("text_plain" in entry):
            self.error(where, "text_plain must stand exactly where text has placeholders")
        others = {key: entry.get(key, "") for key in CAUSE_TEXTS if key != "text"}
        others.update({f"fix.{role}": fix for role, fix in entry.get("fix", {}).items()})
        for key, text in others.items():
            if "{" in str(text) or "}" in str(text):
                self.error(where, f"{key} must have no placeholders")

    # ---- texts of the program ----

    def read_text(self):
        for path in self.files("text"):
            source, tables = self.name(path), self.load(path)
            for table, texts in tables.items():
                for ident, value in texts.items():
                    self.read_ui(source, table, ident, value)

    def read_ui(self, source, table, ident, value):
        where = f"{source} [{table}] {ident}"
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", ident) or not re.fullmatch(r"[a-z0-9-]+",
                                                                                  table):
            self.error(where, "must be lower-case words with hyphens")
        forms = value if isinstance(value, dict) else {"other": value}
        if not set(forms) <= {"one", "other"} or "other" not in forms:
            self.error(where, "must be a text or have the forms one and other")
            return
        for form in forms.values():
            if not isinstance(form, str) or not form:
                self.error(where, "is empty or not text")
                return
        key = f"ui.{table}.{ident}"
        if "one" in forms:
            if not set(placeholders(forms["one"])) <= set(placeholders(forms["other"])):
                self.error(where, "its two forms have different placeholders")
            text = self.add(key, forms["one"], source, forms["other"])
        else:
            text = self.add(key, forms["other"], source)
        self.cat.ui.append((table, ident, text))


def read(root=ROOT):
    reader = Reader(root)
    reader.read_codes()
    reader.read_causes()
    reader.cat.flows = flows.read(reader)
    reader.read_text()
    return reader.cat


def read_or_exit(root=ROOT):
    cat = read(root)
    for error in cat.errors:
        print(error, file=sys.stderr)
    if cat.errors:
        sys.exit(f"{len(cat.errors)} mistakes: correct the files in data.")
    return cat


def c_string(text):
    """A C string literal; bytes above ASCII stand as they are (the source is UTF-8)."""
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif ord(char) < 32:
            out.append(f"\\{ord(char):03o}")
        elif char == "?":
            out.append("\\?")                      # no trigraphs
        else:
            out.append(char)
    return '"' + "".join(out) + '"'
