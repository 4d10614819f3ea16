"""What can be wrong with one translation; used by po-import and check-translations.

SPDX-License-Identifier: Apache-2.0
"""
import re

import catalogue

ENDS = ".?!。？！؟।"


def sentence_end(text):
    return text.rstrip("\"'’”»)）」』 \u00a0\u202f")[-1:]


def problems(file, language, entry, forms):
    found = []
    count = file.plural_count if entry.plural is not None else 1
    if len(forms) != count:
        return [f"has {len(forms)} number forms where {language} needs {count}"]
    english = [entry.english] if entry.plural is None else [entry.english, entry.plural]
    allowed = set(catalogue.placeholders(english[-1]))
    for form in forms:
        if not isinstance(form, str) or not form.strip():
            found.append("is empty")
            continue
        names = catalogue.placeholders(form)
        if entry.plural is None and sorted(names) != catalogue.placeholders(entry.english):
            found.append(f"its placeholders are {names}, in English they are "
                         f"{catalogue.placeholders(entry.english)}")
        elif entry.plural is not None and not set(names) <= allowed:
            found.append(f"its placeholders {sorted(set(names) - allowed)} are not in English")
        if form != form.strip() and english[-1] == english[-1].strip():
            found.append("begins or ends with a blank")
        if re.search(r"[\n\t\r\x00-\x1f]", form) and not re.search(r"[\n\t]", english[-1]):
            found.append("holds a control character")
        if (" " in english[-1] and sentence_end(english[-1]) in ENDS     # "No." is no sentence
                and sentence_end(form) not in ENDS):
            found.append(f"does not end as a sentence: ...{form[-20:]}")
        if form in english and len(form.split()) > 3 and entry.key.split(".")[0] != "ui":
            found.append("is still English")
        if language.startswith(("zh", "ja")) and len(entry.english.split()) > 3 and not re.search(
                "[\u3040-\u30ff\u4e00-\u9fff]", form):
            found.append("is not written in that language")
    return found
