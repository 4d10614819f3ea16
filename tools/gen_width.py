#!/usr/bin/env python3
"""Writes src/base/utf8_width.inc: which characters take no column and which take two.

From the Unicode tables that come with Python. Run by hand when a newer Unicode matters; the
result is committed, because it must not differ from one build machine to the next.

SPDX-License-Identifier: Apache-2.0
"""
import pathlib
import sys
import unicodedata


def columns(point):
    char = chr(point)
    category = unicodedata.category(char)
    if 0xD800 <= point <= 0xDFFF or category in ("Cc", "Zl", "Zp"):
        return 1                                  # shown as U+FFFD
    if category in ("Mn", "Me") or (category == "Cf" and point != 0xAD):
        return 0
    if 0x1160 <= point <= 0x11FF:
        return 0                                  # Hangul vowels and finals join the first
    if unicodedata.east_asian_width(char) in "WF":
        return 2
    if point >= 0x20000 and point <= 0x3FFFD:
        return 2                                  # ideographs, assigned or not
    return 1


def ranges(wanted):
    found, start = [], None
    for point in range(0x110001):
        match = point < 0x110000 and columns(point) == wanted
        if match and start is None:
            start = point
        elif not match and start is not None:
            found.append((start, point - 1))
            start = None
    return found


def table(name, rows):
    lines = [f"static const struct utf8_range {name}[] = {{"]
    for at in range(0, len(rows), 4):
        lines.append("    " + " ".join(f"{{ 0x{a:x}, 0x{b:x} }}," for a, b in rows[at:at + 4]))
    return lines + ["};"]


def main():
    out = pathlib.Path(__file__).resolve().parent.parent / "src/base/utf8_width.inc"
    lines = [f"/* Written by tools/gen_width.py from Unicode {unicodedata.unidata_version}.",
             " * SPDX-License-Identifier: Apache-2.0 */"]
    lines += table("utf8_none", ranges(0)) + [""] + table("utf8_double", ranges(2))
    out.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
