# SPDX-License-Identifier: Apache-2.0
"""The same questions to GLib, where this machine has its Python bindings."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ostrya.errors import FormatError
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.text import format_variant, parse_variant
from ostrya.formats.gvariant.vardict import glib_dict_order
from ostrya.formats.keyfile import KeyFile
from property import strategies as made

# gi is Debian's, for Debian's Python.
PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("glib_oracle.py")

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def glib() -> Iterator[Ask]:
    """A question to GLib: name and arguments in, answer out."""
    if not os.access(PYTHON, os.X_OK):
        pytest.skip(f"needs {PYTHON}")
    process = subprocess.Popen(
        [PYTHON, str(SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        encoding="utf-8",
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        if not process.stdout.readline():
            pytest.skip(f"needs the Python bindings of GLib for {PYTHON} (python3-gi)")

        def ask(name: str, *arguments: Any) -> Any:
            process.stdin.write(json.dumps([name, arguments]) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


@given(variant=made.typed_values)
def test_what_we_encode_is_normal(glib, variant):
    data = encode_variant(*variant).hex()
    assert glib("normal", variant.type, data)
    assert glib("shown", variant.type, data) == [
        format_variant(*variant, annotate=True),
        format_variant(*variant, annotate=False),
    ]


@given(variant=made.typed_values, draw=st.data())
def test_what_is_normal(glib, variant, draw):
    """GLib and we refuse the same changed bytes."""
    data = bytearray(encode_variant(*variant))
    assume(data)
    for _ in range(draw.draw(st.integers(1, 3))):
        at = draw.draw(st.integers(0, len(data) - 1))
        data[at] = draw.draw(st.integers(0, 255) | st.integers(0, len(data) & 0xFF))
    try:
        decode_variant(variant.type, bytes(data))
        ours = ""
    except FormatError as exc:
        ours = exc.message
    # GLib takes no bytes for a tuple of empty things; nobody writes that.
    assert glib("normal", variant.type, data.hex()) == (not ours) or "of no bytes" in ours


@given(variant=made.typed_values)
def test_what_is_printed_reads_alike(glib, variant):
    text = format_variant(*variant, annotate=True)
    assert_alike(glib, text)


@given(text=st.text(alphabet="[](){}<>,:@ '\"abinujst0123456789x+.e\\", max_size=20))
def test_any_text(glib, text):
    assert_alike(glib, text)


def assert_alike(glib: Ask, text: str) -> None:
    theirs = glib("parsed", text)
    try:
        found = parse_variant(text)
    except FormatError:
        found = None
    if found is None:
        assert "error" in theirs
    elif "error" in theirs:
        # We look at all values of a dictionary, GLib at the first.
        assert "{" in text
    else:
        assert theirs == {"type": found.type, "text": format_variant(*found, annotate=True)}


@given(keys=st.lists(made.texts, max_size=60))
def test_dictionary_order(glib, keys):
    assert glib("dict_order", keys) == glib_dict_order(keys)


def test_dictionary_order_of_many(glib):
    for count in (7, 8, 9, 100, 1000, 5000):
        keys = [f"org.example.key-{n * n}" for n in range(count)]
        assert glib("dict_order", keys) == glib_dict_order(keys)


@given(text=st.text(alphabet='[]=#; \\\nabc\té"', max_size=60))
def test_key_files(glib, text):
    theirs = glib("key_file", text)
    try:
        ours = {"text": KeyFile.parse(text, keep_comments=False).to_text()}
    except FormatError as exc:
        ours = {"error": exc.message}
    assert ours == theirs
