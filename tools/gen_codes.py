#!/usr/bin/env python3
"""Generates the C tables of the catalogue from data/codes, after checking it.

    gen_codes.py OUTPUT

Sentences go into one pool as "key\\4English", the form in which a .mo file is searched; the
tables hold offsets into it, so that a program of many sentences starts without relocating them.

SPDX-License-Identifier: Apache-2.0
"""
import pathlib
import re
import sys

import catalogue

CLASS_SENTENCES = {"who": "sent_by"}               # what classes.toml calls otherwise
COMPARED_MAX = 4


class Pool:
    def __init__(self):
        self.chunks, self.size, self.at = ["\0"], 1, {}

    def add(self, key, english):
        text = f"{key}\4{english}\0"
        if key not in self.at:
            self.at[key] = self.size
            self.chunks.append(text)
            self.size += len(text.encode())
        return self.at[key]

    def c(self):
        lines = ["static const char text_pool[] ="]
        lines += ["    " + catalogue.c_string(chunk) for chunk in self.chunks]
        return "\n".join(lines) + ";\n"


def order(code):
    family, ident = code
    number = int(ident) if ident.isdigit() else 0
    known = {"SIP0": 1, "SIP100": 2, "SIP18X": 3, "SIP200": 4, "SIP9XX": 5}
    return (catalogue.FAMILIES.index(family), known.get(ident, 9 if number else 99), number, ident)


def slug(phrase):
    return "-".join(re.findall(r"[a-z0-9]+", phrase.lower()))


def string_list(values):
    if not values:
        return "no_strings"
    texts = ", ".join(catalogue.c_string(value) for value in values)
    return f"(const char *const[]){{ {texts}, NULL }}"


class Generator:
    def __init__(self, cat):
        self.cat = cat
        self.pool = Pool()
        self.codes = sorted(cat.codes, key=order)
        self.index = {code: at for at, code in enumerate(self.codes)}

    def sentence(self, key, english):
        return f"{{ {self.pool.add(key, english)} }}" if english else "{ 0 }"

    def cause(self, prefix, cause):
        key = f"{prefix}.cause.{cause['id']}"
        fix = cause["fix"]
        roles = [f"[CODE_{role.upper()}] = {self.sentence(f'{key}.fix.{role}', fix[role])}"
                 for role in catalogue.ROLES if role in fix]
        text = self.sentence(f"{key}.text", cause["text"])
        evidence = self.sentence(f"{key}.evidence", cause["evidence"])
        return (f"    {{ {catalogue.c_string(cause['id'])}, {text}, {evidence}, "
                f"{{ {', '.join(roles)} }} }},")

    def code(self, family, ident):
        entry = self.cat.codes[(family, ident)]
        prefix, symbol = f"{family}.{ident}", f"{family}_{ident}".lower()
        phrase = entry.get("phrase") or entry["name"]
        number = int(ident) if ident.isdigit() else 0
        digit = 0
        if family == "class" or (family == "sip" and number):
            digit = int(ident[0])
        if family == "local" and number:
            digit = 9
        related = [self.index[catalogue.split_name(name)] for name in entry.get("related", [])]
        causes = [self.cause(prefix, cause) for cause in entry.get("cause", [])]
        tables = []
        if causes:
            tables.append(f"static const struct code_cause causes_{symbol}[] = {{\n"
                          + "\n".join(causes) + "\n};")
        if related:
            tables.append(f"static const uint16_t related_{symbol}[] = {{ "
                          + ", ".join(map(str, related)) + " };")

        row = [f".family = CODE_{family.upper()}", f".number = {number}", f".digit = {digit}",
               f".id = {catalogue.c_string(ident)}", f".phrase = {catalogue.c_string(phrase)}",
               f".slug = {catalogue.c_string(entry.get('slug') or slug(phrase))}",
               f".registered = {str(entry.get('registered', True)).lower()}",
               f".rfc = {string_list(entry.get('rfc'))}",
               f".must_headers = {string_list(entry.get('must_headers'))}",
               f".may_headers = {string_list(entry.get('may_headers'))}"]
        if entry.get("normal"):
            row.append(f".normal = CODE_NORMAL_{entry['normal'].upper()}")
        if entry.get("outcome"):
            row.append(f".outcome = CODE_{entry['outcome'].upper()}")
        if entry.get("dialog"):
            row.append(f".effect = CODE_EFFECT_{entry['dialog'].upper()}")
        if entry.get("list"):
            row.append(f".list = {catalogue.c_string(entry['list'])}")
        if family == "q850":
            for key in ("rfc3398", "rfc4497", "freeswitch"):
                row.append(f".sip_by_{key} = {catalogue.c_string(entry.get(f'sip_{key}', ''))}")
        for key in catalogue.TEXTS[family]:
            if key in entry:
                field = CLASS_SENTENCES.get(key, key)
                row.append(f".{field} = {self.sentence(f'{prefix}.{key}', entry[key])}")
        if causes:
            row.append(f".causes = causes_{symbol}, .cause_count = {len(causes)}")
        if related:
            row.append(f".related = related_{symbol}, .related_count = {len(related)}")
        return tables, "    { " + ",\n      ".join(row) + " },"

    def comparison(self, pair):
        if len(pair["codes"]) > COMPARED_MAX:
            sys.exit(f"{pair['source']}: {pair['name']} compares more than {COMPARED_MAX} codes; "
                     "raise CODE_COMPARED_MAX in src/codes/code.h and COMPARED_MAX here.")
        texts = [self.sentence(f"compare.{pair['name']}.{key}", pair[key])
                 for key in catalogue.COMPARE_TEXTS]
        codes = ", ".join(str(self.index[code]) for code in pair["codes"])
        return f"    {{ {len(pair['codes'])}, {{ {codes} }}, {', '.join(texts)} }},"

    def c(self):
        tables, rows = [], []
        for family, ident in self.codes:
            before, row = self.code(family, ident)
            tables += before
            rows.append(row)
        comparisons = [self.comparison(pair) for pair in self.cat.pairs]
        differences = [
            f"    {{ {name[0]}, {name[4]}, "
            f"{self.sentence(f'class_pair.{name}.difference', pair['difference'])} }},"
            for name, pair in self.cat.class_pairs.items()]
        starts = [next((i for i, code in enumerate(self.codes)
                        if catalogue.FAMILIES.index(code[0]) >= family), len(self.codes))
                  for family in range(len(catalogue.FAMILIES) + 1)]
        sip = [f"[{ident}] = {self.index[(family, ident)] + 1}" for family, ident in self.codes
               if family == "sip"]
        return "\n".join([
            "/* Generated by tools/gen_codes.py: do not edit. */",
            self.pool.c(),
            "static const char *const no_strings[] = { NULL };",
            "\n".join(tables),
            "static const struct code codes[] = {", *rows, "};",
            f"static const uint16_t family_start[CODE_FAMILIES + 1] = {{ {str(starts)[1:-1]} }};",
            f"static const uint8_t sip_index[700] = {{ {', '.join(sip)} }};",
            "static const struct code_comparison comparisons[] = {", *comparisons, "};",
            "static const struct class_difference class_differences[] = {", *differences, "};",
        ]) + "\n"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    generator = Generator(catalogue.read_or_exit())
    if len([code for code in generator.codes if code[0] == "sip"]) > 255:
        sys.exit("sip_index holds 255 codes: widen it.")
    pathlib.Path(sys.argv[1]).write_text(generator.c(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
