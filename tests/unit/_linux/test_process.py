# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys

import pytest

from ostrya._linux import process
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
