"""Reads and writes gettext .po files as far as this project needs them.

SPDX-License-Identifier: Apache-2.0
"""
import re
from dataclasses import dataclass, field

ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "r": "\r"}


@dataclass
class Entry:
    key: str = ""                                  # msgctxt
    english: str = ""                              # msgid
    plural: str | None = None
    forms: list = field(default_factory=list)      # one translation, or one for each number form
    fuzzy: bool = False
    before: str | None = None                      # the English that was translated, when fuzzy
    comments: list = field(default_factory=list)   # the translator's own
    source: str = ""
    line: int = 0

    @property
    def translated(self):
        return bool(self.forms) and all(self.forms) and not self.fuzzy


@dataclass
class File:
    head: list = field(default_factory=list)       # comment lines at the top
    header: dict = field(default_factory=dict)
    entries: list = field(default_factory=list)

    def by_key(self):
        return {entry.key: entry for entry in self.entries}

    @property
    def plural_count(self):
        match = re.search(r"nplurals\s*=\s*(\d+)", self.header.get("Plural-Forms", ""))
        return int(match[1]) if match else 2


class SyntaxProblem(Exception):
    pass


def unquote(text, where):
    text = text.strip()
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        raise SyntaxProblem(f"{where}: a text in quotes is expected")
    return re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[1]), text[1:-1])


def quote(text):
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{text}"'


def parse(text, name="po"):
    """A File. Obsolete entries (#~) are dropped."""
    result, entry, field_name = File(), None, None
    pending, fields = Entry(), {}

    def close():
        nonlocal pending, fields
        if "msgid" in fields:
            pending.key = fields.get("msgctxt", "")
            pending.english = fields["msgid"]
            pending.plural = fields.get("msgid_plural")
            forms = [(k, v) for k, v in fields.items() if k.startswith("msgstr")]
            pending.forms = [v for _, v in sorted(forms, key=lambda kv: kv[0])]
            if pending.english == "" and not pending.key:
                result.head = ["# " + c if c else "#" for c in pending.comments]
                for line in "".join(pending.forms).split("\n"):
                    key, colon, value = line.partition(":")
                    if colon:
                        result.header[key.strip()] = value.strip()
            else:
                result.entries.append(pending)
        pending, fields = Entry(), {}

    for number, line in enumerate(text.split("\n"), 1):
        where = f"{name}:{number}"
        line = line.strip()
        if line.startswith("#"):
            if "msgid" in fields:
                close()
            if line.startswith("#~"):
                continue
            if line.startswith("#,"):
                pending.fuzzy = "fuzzy" in line
            elif line.startswith("#:"):
                pending.source = line[2:].strip()
            elif line.startswith("#| msgid "):
                pending.before = unquote(line[9:], where)
            elif line.startswith("# ") or line == "#":
                pending.comments.append(line[2:])
            continue
        if not line:
            close()
            continue
        match = re.match(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d+\])?)\s+(".*)$', line)
        if match:
            if match[1] in fields or (match[1] == "msgctxt" and "msgid" in fields):
                close()
            field_name = match[1]
            if not pending.line:
                pending.line = number
            fields[field_name] = unquote(match[2], where)
        elif line.startswith('"') and field_name in fields:
            fields[field_name] += unquote(line, where)
        else:
            raise SyntaxProblem(f"{where}: not understood: {line[:40]}")
    close()
    return result


def read(path):
    return parse(path.read_text(encoding="utf-8"), path.name)


def form(file):
    """The text of a .po file."""
    out = list(file.head)
    out += ['msgid ""', 'msgstr ""']
    out += [quote(f"{key}: {value}\n") for key, value in file.header.items()]
    for entry in file.entries:
        out.append("")
        out += [f"# {comment}" for comment in entry.comments]
        out.append(f"#: {entry.source}")
        if entry.fuzzy:
            out.append("#, fuzzy")
        if entry.before is not None:
            out.append(f"#| msgid {quote(entry.before)}")
        out.append(f"msgctxt {quote(entry.key)}")
        out.append(f"msgid {quote(entry.english)}")
        if entry.plural is None:
            out.append(f"msgstr {quote(entry.forms[0] if entry.forms else '')}")
        else:
            out.append(f"msgid_plural {quote(entry.plural)}")
            for i in range(file.plural_count):
                text = entry.forms[i] if i < len(entry.forms) else ""
                out.append(f"msgstr[{i}] {quote(text)}")
    return "\n".join(out) + "\n"


def write(path, file):
    new = path.with_suffix(".new")
    new.write_text(form(file), encoding="utf-8")
    new.replace(path)
