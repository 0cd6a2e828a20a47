# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.cli.environment import Environment
from ostrya.cli.external import find_extension, run_extension
from ostrya.errors import CommandFailed


@pytest.fixture
def programs(tmp_path):
    for folder, name in (("a", "ostree-foo"), ("b", "ostree-foo"), ("b", "ostrya-foo")):
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    (tmp_path / "a/ostree-plain").write_text("not executable")
    (tmp_path / "a/ostree-dir").mkdir()
    return Environment(path=f"{tmp_path / 'a'}:{tmp_path / 'b'}"), tmp_path


def test_under_either_name(programs):
    environment, folder = programs
    assert find_extension("foo", environment, drop_in=True) == str(folder / "a/ostree-foo")
    assert find_extension("foo", environment, drop_in=False) == str(folder / "b/ostrya-foo")


@pytest.mark.parametrize("verb", ["nope", "plain", "dir", "", "../a/ostree-foo", "x/y"])
def test_what_is_no_program(programs, verb):
    environment, _ = programs
    assert find_extension(verb, environment, drop_in=True) is None


def test_a_program_that_cannot_be_run(tmp_path):
    path = tmp_path / "ostree-broken"
    path.write_bytes(b"\0")
    path.chmod(0o755)
    with pytest.raises(CommandFailed, match="ostree-broken"):
        run_extension(str(path), [])
