# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import json
import sys

import pytest

from ostrya.cli import output


def test_text_and_bytes_keep_their_order(capfdbinary):
    output.write("a")
    output.write_bytes(b"\xff")
    output.write_line("b")
    import sys

    sys.stdout.flush()
    assert capfdbinary.readouterr().out == b"a\xffb\n"


def test_json_is_for_people_too(capfd):
    output.write_json({"ü": [1]})
    assert capfd.readouterr().out == '{\n  "ü": [\n    1\n  ]\n}\n'


def test_errors_and_hints(capfd):
    output.write_error("so not", hint="do so")
    assert capfd.readouterr().err == "error: so not\nhint: do so\n"


@pytest.mark.parametrize(
    ("color", "head"), [(True, "\x1b[31m\x1b[1merror:\x1b[22m\x1b[0m"), (False, "error:")]
)
def test_red_on_a_terminal(capfd, monkeypatch, color, head):
    import sys

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    output.write_error("so not", color=color)
    assert capfd.readouterr().err == f"{head} so not\n"


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "ascii"])
@pytest.mark.parametrize(
    "write", [output.write_json, lambda value: output.write_json_list([value])]
)
def test_json_is_utf8_everywhere(monkeypatch, charset, write):
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=charset, errors="surrogateescape")
    monkeypatch.setattr(sys, "stdout", stream)
    value = {"ü\udcff": "\N{SNOWMAN}\udc80\\udc80"}
    write(value)
    stream.flush()
    found = json.loads(written.getvalue().decode("utf-8"))
    assert found in (value, [value])
