# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.cli.commit_message import Message, parse_message, read_message
from ostrya.cli.commit_options import OPTIONS
from ostrya.cli.parser import parse_arguments
from ostrya.errors import FormatError, OstryaError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Subject\n", ("Subject", "")),
        ("\n\n  Subject  \n\n\nBody\n", ("  Subject", "Body")),
        ("Subject\nBody at once\n\nmore  \n\n\n", ("Subject", "Body at once\n\nmore")),
        ("# remark\nSubject\n# remark\nBody\n#x\n", ("Subject", "Body")),
    ],
)
def test_what_was_written(text, message):
    assert parse_message(text) == message


@pytest.mark.parametrize("text", ["", "\n\n", "# only remarks\n", "   \n"])
def test_no_subject(text):
    with pytest.raises(OstryaError, match="empty commit subject"):
        parse_message(text)


def read(*argv, editor=""):
    return read_message(parse_arguments(OPTIONS, argv), editor)


def test_options():
    assert read("-s", "S", "-m", "B") == ("S", "B")
    assert read() == ("", "")


def test_a_file_comes_before_the_option(tmp_path):
    (tmp_path / "body").write_text("from\r\nfile\n")
    assert read("-s", "S", "-m", "B", f"--body-file={tmp_path / 'body'}") == ("S", "from\r\nfile\n")


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "body").write_bytes(b"\xff")
    with pytest.raises(FormatError, match="not UTF-8"):
        read(f"--body-file={tmp_path / 'body'}")


def test_an_editor(tmp_path):
    script = tmp_path / "an editor"
    script.write_text(f'#!/bin/sh\ncp "$1" {tmp_path}/seen\nprintf "New\\n\\nBody\\n" > "$1"\n')
    script.chmod(0o755)
    found = read("-e", "-s", "Old subject", "-b", "branch", editor=f"'{script}'")
    assert found == Message("New", "Body")
    seen = (tmp_path / "seen").read_text()
    assert seen.startswith("Old subject\n")
    assert "# Branch: branch\n" in seen
    # What was shown is a valid message by itself.
    assert parse_message(seen).subject == "Old subject"


def test_an_editor_that_fails():
    with pytest.raises(OstryaError, match="There was a problem with the editor 'false'"):
        read("-e", editor="false")


def test_no_editor():
    with pytest.raises(OstryaError, match="Terminal is dumb, but EDITOR unset"):
        read("-e")
