# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import sys

import pytest

from ostrya._linux import process
from ostrya._linux.process import PipedProcess
from ostrya.errors import CommandFailed


def test_what_it_wrote_comes_back():
    assert process.run(["cat"], input_data=b"words") == b"words"


def test_failure_tells_the_last_line():
    argv = [sys.executable, "-c", "import sys; print('a\\nb', file=sys.stderr); sys.exit(3)"]
    with pytest.raises(CommandFailed, match="failed with status 3: b") as caught:
        process.run(argv)
    assert caught.value.status == 3
    assert caught.value.argv == tuple(argv)


def test_a_program_that_is_not_there():
    with pytest.raises(CommandFailed, match="no-such-program: command not found") as caught:
        process.run(["no-such-program"])
    assert caught.value.status == 127


def test_one_that_does_not_end():
    with pytest.raises(CommandFailed, match=r"no end after 0\.1 s"):
        process.run(["sleep", "60"], timeout_s=0.1)


@pytest.mark.parametrize("status", [0, 7])
def test_interactive_gives_the_status(status):
    assert process.run_interactive([sys.executable, "-c", f"raise SystemExit({status})"]) == status


def test_a_program_with_pipes():
    running = PipedProcess(["cat"])
    os.write(running.to_fd, b"hello")
    assert os.read(running.from_fd, 10) == b"hello"
    assert running.complaint() == ""
    assert running.end() == 0


def test_what_a_program_complains_about():
    running = PipedProcess(["sh", "-c", "echo trouble >&2; exit 3"])
    assert os.read(running.from_fd, 10) == b""
    assert running.complaint() == "trouble\n"
    assert running.end() == 3


def test_a_program_that_does_not_end():
    running = PipedProcess(["sleep", "60"])
    assert running.end(0.05) == -9


def test_a_program_with_pipes_that_is_not_there():
    with pytest.raises(CommandFailed, match="command not found"):
        PipedProcess(["/nowhere/program"])


def test_variables_come_on_top_of_our_own(monkeypatch):
    monkeypatch.setenv("OURS", "1")
    argv = ["sh", "-c", 'echo "$OURS $THEIRS"']
    assert process.run(argv, variables={"THEIRS": "2"}) == b"1 2\n"
    assert process.run(argv) == b"1 \n"
    argv = ["sh", "-c", 'test "$OURS$THEIRS" = 12']
    assert process.run_interactive(argv, variables={"THEIRS": "2"}) == 0
    assert "THEIRS" not in os.environ


def test_where_it_runs(tmp_path):
    assert process.run(["pwd"], cwd=str(tmp_path)) == f"{tmp_path}\n".encode()


def test_a_program_that_is_asked_to_end_cleans_up():
    running = PipedProcess(["sh", "-c", "trap 'echo tidy >&2; exit 5' TERM; echo; read x"])
    assert os.read(running.from_fd, 10) == b"\n"
    running.ask_to_end()
    assert running.end() == 5
