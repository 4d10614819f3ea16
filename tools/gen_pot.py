#!/usr/bin/env python3
"""Writes data/po/signalbox.pot, and brings translations up to date with the English.

    tools/gen_pot.py              writes data/po/signalbox.pot
    tools/gen_pot.py --po fr      makes data/po/fr.po, or merges new English into it
    tools/gen_pot.py --all        both, for every language that there is
    tools/gen_pot.py --check      exit 1 when one of the files is out of date

A text whose English changed keeps its translation, marked fuzzy: it is shown in English until
somebody has looked at it. See docs/translating.md.

SPDX-License-Identifier: Apache-2.0
"""
import argparse
import sys

import catalogue
import po

FOLDER = catalogue.ROOT / "data" / "po"

# Number forms as gettext's manual gives them, for languages that somebody may add.
PLURALS = {
    "zh_CN": ("中文", 1, "0"), "zh_TW": ("繁體中文", 1, "0"), "ja": ("日本語", 1, "0"),
    "ko": ("한국어", 1, "0"), "vi": ("Tiếng Việt", 1, "0"), "tr": ("Türkçe", 2, "n != 1"),
    "id": ("Bahasa Indonesia", 1, "0"),
    "fr": ("Français", 2, "n > 1"), "pt_BR": ("Português (Brasil)", 2, "n > 1"),
    "de": ("Deutsch", 2, "n != 1"), "es": ("Español", 2, "n != 1"),
    "it": ("Italiano", 2, "n != 1"), "nl": ("Nederlands", 2, "n != 1"),
    "ru": ("Русский", 3, "n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && "
                         "(n%100<10 || n%100>=20) ? 1 : 2"),
    "uk": ("Українська", 3, "n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && "
                            "(n%100<10 || n%100>=20) ? 1 : 2"),
    "pl": ("Polski", 3, "n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2"),
    "ar": ("العربية", 6, "n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : "
                         "n%100>=11 ? 4 : 5"),
}


def new_file(language):
    name, count, rule = PLURALS.get(language, ("", 2, "n != 1"))
    file = po.File()
    title = "template" if language == "" else f"{name or language}"
    file.head = [f"# Texts of Signalbox, {title}.", "# SPDX-License-Identifier: Apache-2.0"]
    file.header = {
        "Project-Id-Version": "signalbox",
        "PO-Revision-Date": "2026-11-21 00:00+0000",
        "Last-Translator": "the Signalbox authors",
        "Language-Team": language or "none",
        "Language": language,
        "X-Language-Name": name,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": f"nplurals={count}; plural={rule};",
    }
    return file


def merge(file, texts):
    """`file` with one entry for each text, in the order of the texts."""
    old = file.by_key()
    merged = []
    for text in texts:
        entry = po.Entry(text.key, text.english, text.plural, [], source=text.source)
        was = old.get(text.key)
        if was:
            entry.comments, entry.forms = was.comments, was.forms
            entry.fuzzy, entry.before = was.fuzzy, was.before
            if (was.english, was.plural) != (text.english, text.plural):
                if any(was.forms):
                    entry.fuzzy = True
                    entry.before = was.before if was.fuzzy and was.before else was.english
            if not any(entry.forms):
                entry.fuzzy, entry.before = False, None
        merged.append(entry)
    file.entries = merged
    return file


def wanted(path, language, texts):
    file = po.read(path) if path.exists() and language else new_file(language)
    return po.form(merge(file, texts))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--po", action="append", default=[], metavar="LANG")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    texts = catalogue.read_or_exit().texts

    jobs = [(FOLDER / "signalbox.pot", "")]
    languages = list(args.po)
    if args.all or args.check:
        languages += [path.stem for path in sorted(FOLDER.glob("*.po"))]
    jobs += [(FOLDER / f"{language}.po", language) for language in languages]

    FOLDER.mkdir(exist_ok=True)
    late = 0
    for path, language in jobs:
        text = wanted(path, language, texts)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        late += 1
        if args.check:
            print(f"{path.name} is behind the English in data: run tools/gen_pot.py --all.")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{path.relative_to(catalogue.ROOT)} written, {len(texts)} texts")
    return 1 if args.check and late else 0


if __name__ == "__main__":
    sys.exit(main())
