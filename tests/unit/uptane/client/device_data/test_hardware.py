# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.errors import CommandFailed
from ostrya.uptane.client.device_data import hardware as module
from ostrya.uptane.client.device_data.hardware import find_hardware
from ostrya.uptane.errors import ConfigError


@pytest.fixture
def program(tmp_path):
    def make(said: str, status: int = 0) -> str:
        (tmp_path / "said").write_text(said)
        path = tmp_path / "program"
        path.write_text(f'#!/bin/sh\ncat "{tmp_path}/said"\nexit {status}\n')
        path.chmod(0o755)
        return str(path)

    return make


def test_a_command_says_it(program):
    assert find_hardware(program('{"id": "board", "clock": 1.5}')) == {"id": "board", "clock": 1.5}


def test_a_list_of_one_is_that_one(program):
    assert find_hardware(program('[{"id": "board"}]')) == {"id": "board"}
    assert find_hardware(program("[1, 2]")) == [1, 2]


def test_a_command_with_words(tmp_path):
    (tmp_path / "a b").write_text('{"a": 1}')
    assert find_hardware(f"cat '{tmp_path}/a b'") == {"a": 1}


def test_a_file_says_it(tmp_path):
    (tmp_path / "hw.json").write_text('{"id": "given"}')
    assert find_hardware("false", str(tmp_path / "hw.json")) == {"id": "given"}


def test_a_device_without_lshw_says_nothing(monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    assert find_hardware() is None


@pytest.mark.parametrize(
    ("said", "words"), [("", "no JSON"), ("{", "no JSON"), ("3", "no object"), ("[" * 5000, "no")]
)
def test_what_is_no_hardware_is_refused(program, said, words):
    with pytest.raises(ConfigError, match=words):
        find_hardware(program(said))


def test_a_command_that_fails(program):
    with pytest.raises(CommandFailed):
        find_hardware(program("{}", 3))


@pytest.mark.parametrize("command", ["'", " "])
def test_what_is_no_command_is_refused(command):
    with pytest.raises(ConfigError, match="is no command"):
        find_hardware(command)


def test_a_file_that_cannot_be_used(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="cannot be read"):
        find_hardware("", str(tmp_path / "none"))
    monkeypatch.setattr(module, "MAX_BYTES", 10)
    (tmp_path / "long").write_text(json.dumps({"a": "b" * 20}))
    with pytest.raises(ConfigError, match="longer than 10 bytes"):
        find_hardware("", str(tmp_path / "long"))
