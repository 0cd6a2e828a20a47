# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import CommandFailed
from ostrya.uptane.client.device_data import hardware as module
from ostrya.uptane.client.device_data.hardware import find_hardware
from ostrya.uptane.errors import ConfigError


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "hw"

    def write(text: str) -> str:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    return write


def test_a_command(program):
    assert find_hardware(program("""echo '{"id": "'"$1"'"}'""") + " 'a b'") == {"id": "a b"}


def test_lshw(program, monkeypatch):
    monkeypatch.setattr(module, "_LSHW", (program("""echo '[{"id": "x", "size": 1.5}]'"""),))
    assert find_hardware() == {"id": "x", "size": 1.5}
    monkeypatch.setattr(module, "_LSHW", ("no-such-program",))
    assert find_hardware() is None


def test_a_file(tmp_path):
    path = tmp_path / "hw.json"
    path.write_text('{"id": 1}')
    assert find_hardware("ignored", str(path)) == {"id": 1}
    with pytest.raises(ConfigError, match="cannot be read"):
        find_hardware("", str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo none", "is no JSON"), ("echo 5", "is no object"), ("true", "is no JSON"),
        ("head -c 5000000 /dev/zero", "longer than"),
    ],
)  # fmt: skip
def test_commands_that_do_not_say_it(program, text, words):
    with pytest.raises(ConfigError, match=words):
        find_hardware(program(text))


def test_commands_that_are_none(program):
    for command in ("'", " "):
        with pytest.raises(ConfigError, match="is no command"):
            find_hardware(command)
    with pytest.raises(CommandFailed):
        find_hardware(program("exit 3"))
    with pytest.raises(CommandFailed):
        find_hardware("/no/such/program")
