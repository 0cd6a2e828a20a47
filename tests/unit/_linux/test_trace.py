# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import pty
import threading
import tty

import pytest

from ostrya._linux.trace import trace, trace_to


@pytest.fixture(autouse=True)
def off_again():
    yield
    trace_to("")


def test_off():
    trace("nobody.hears")


def test_a_file_is_appended_to_and_not_waited_for(tmp_path):
    path = tmp_path / "trace"
    path.write_text("before\n")
    trace_to(str(path))
    trace("first.point")
    trace("second.point")
    assert path.read_text() == "before\nostrya-trace: first.point\nostrya-trace: second.point\n"
    trace_to("")
    trace("third.point")
    assert "third" not in path.read_text()


def test_a_file_is_made(tmp_path):
    trace_to(str(tmp_path / "new"))
    trace("a.point")
    assert (tmp_path / "new").read_text() == "ostrya-trace: a.point\n"


def test_a_terminal_is_waited_for():
    host, guest = pty.openpty()
    tty.setraw(guest)
    trace_to(os.ttyname(guest))
    passed = threading.Event()

    def reach() -> None:
        trace("a.point")
        passed.set()

    thread = threading.Thread(target=reach)
    thread.start()
    said = b""
    while not said.endswith(b"\n"):
        said += os.read(host, 100)
    assert said == b"ostrya-trace: a.point\n"
    os.write(host, b"go")
    assert not passed.wait(0.05)
    os.write(host, b" on\n")
    thread.join(10)
    assert passed.is_set()
    for fd in (host, guest):
        os.close(fd)


def test_a_device_that_says_nothing_is_not_waited_for():
    trace_to("/dev/null")
    trace("a.point")


def test_what_cannot_be_opened(tmp_path):
    with pytest.raises(FileNotFoundError):
        trace_to(str(tmp_path / "nowhere/trace"))
