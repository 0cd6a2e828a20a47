# SPDX-License-Identifier: Apache-2.0
"""Places in TOML documents, against documents whose places are known because they were written here."""

from __future__ import annotations

import json
import tomllib

from hypothesis import given
from hypothesis import strategies as st

from ostrya.formats.toml_lines import toml_lines

KEYS = st.one_of(
    st.text("abc_-XYZ019", min_size=1, max_size=6), st.sampled_from(['a"b', "a.b", "a b", "#", "]"])
)
TEXTS = st.text(
    st.one_of(
        st.sampled_from("ab\"'\\#[]{},=\n "),
        st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")),
    ),
    max_size=12,
)
SCALARS = st.one_of(
    TEXTS, st.integers(-999, 999), st.booleans(), st.floats(-9, 9).map(lambda f: round(f, 3))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
# What a document is made of: sections by header, each with its pairs.
SECTIONS = st.lists(
    st.tuples(st.lists(KEYS, min_size=1, max_size=3), st.booleans(), st.dictionaries(KEYS, VALUES, max_size=4)),
    max_size=5,
)  # fmt: skip


class Writer:
    """Writes a document, and notes on which line each place of it is."""

    def __init__(self, draw):
        self.text, self.lines, self.draw = "", {(): 1}, draw

    @property
    def line(self):
        return self.text.count("\n") + 1

    def note(self, place):
        for size in range(1, len(place) + 1):
            self.lines.setdefault(place[:size], self.line)

    def key(self, key):
        bare = key and all(c.isascii() and (c.isalnum() or c in "_-") for c in key)
        return key if bare else json.dumps(key, ensure_ascii=False)

    def blank(self):
        self.text += self.draw(st.sampled_from(["", " ", "\n", " # [x] = 'y\n", "\n\n  "]))

    def scalar(self, value):
        if not isinstance(value, str):
            return json.dumps(value)
        forms = ["basic", "multi"]
        if not set(value) & {"'", "\n"}:
            forms.append("literal")
        if "'" not in value and "\r" not in value:
            forms.append("multi literal")
        form = self.draw(st.sampled_from(forms))
        if form == "literal":
            return f"'{value}'"
        if form == "multi literal":
            return f"'''\n{value}'''"
        escaped = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")[1:-1]
        return f'"{escaped}"' if form == "basic" else '"""' + escaped.replace("\\n", "\n") + '"""'

    def value(self, value, place):
        if isinstance(value, list):
            self.text += "["
            for at, item in enumerate(value):
                self.blank()
                self.note((*place, at))
                self.value(item, (*place, at))
                self.blank()
                self.text += "," if at < len(value) - 1 or self.draw(st.booleans()) else ""
            self.blank()
            self.text += "]"
        elif isinstance(value, dict):
            self.text += "{ "
            for at, (key, item) in enumerate(value.items()):
                self.text += ", " if at else ""
                self.note((*place, key))
                self.text += f"{self.key(key)} = "
                self.value(item, (*place, key))
            self.text += " }"
        else:
            self.text += self.scalar(value)

    def pairs(self, pairs, place):
        for key, value in pairs.items():
            self.note((*place, key))
            self.text += f"{self.key(key)} = "
            self.value(value, (*place, key))
            self.text += self.draw(st.sampled_from(["\n", "  # end\n", "\n\n"]))


def places(value, place=()):
    """Every place of a parsed document."""
    yield place
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, one in items:
        yield from places(one, (*place, key))


@given(st.data(), st.dictionaries(KEYS, VALUES, max_size=4), SECTIONS)
def test_every_place_is_where_it_was_written(data, top, sections):
    writer = Writer(data.draw)
    writer.pairs(top, ())
    counts = {}
    for wanted, is_list, pairs in sections:
        # Not the names of pairs at the top, so that what is written is mostly right.
        names = ["s" + wanted[0], *wanted[1:]]
        try:
            shown = ".".join(map(writer.key, names))
            header = f"[[{shown}]]" if is_list else f"[{shown}]"
            tomllib.loads(writer.text + header + "\n")
        except tomllib.TOMLDecodeError:
            continue
        full = ()
        for at, name in enumerate(names):
            full = (*full, name)
            if is_list and at == len(names) - 1:
                counts[full] = counts.get(full, 0) + 1
            if full in counts:
                writer.note(full)
                full = (*full, counts[full] - 1)
        writer.note(full)
        writer.text += header + "\n"
        kept = {}
        for key, value in pairs.items():
            try:
                tomllib.loads(f"{writer.text}{writer.key(key)} = 1\n")
            except tomllib.TOMLDecodeError:
                continue
            kept[key] = value
        writer.pairs(kept, full)
    found = toml_lines(writer.text)
    assert set(places(tomllib.loads(writer.text))) <= set(found)
    assert found == writer.lines
