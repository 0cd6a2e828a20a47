# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya._linux.trace import trace, trace_to
from ostrya.cli import dispatch
from ostrya.cli.exit_codes import Terminated
from ostrya.errors import RepoError


@pytest.fixture
def raising(monkeypatch):
    """Let every command line end in an error."""

    def set_error(error):
        def fail(*_args, **_kwargs):
            raise error

        monkeypatch.setattr(dispatch, "run_command_line", fail)

    return set_error


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (RepoError("so not"), 20, "so not"),
        (PermissionError(13, "Permission denied", "/x"), 1, "/x: Permission denied"),
        (PermissionError(13, "Permission denied", b"/\xff"), 1, "/\udcff: Permission denied"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (ZeroDivisionError("division"), 1, "internal error: ZeroDivisionError: division"),
        (KeyboardInterrupt(), 130, "Interrupted"),
        (Terminated(15), 143, "Terminated"),
    ],
)
def test_one_sentence_for_every_error(run, raising, error, status, message):
    raising(error)
    found = run("refs")
    assert (found.status, found.error) == (status, message)
    assert "Traceback" not in found.err


def test_hints_are_ours_alone(run, raising):
    raising(RepoError("so not", hint="do so"))
    assert run("refs").err == "error: so not\nhint: do so\n"
    raising(RepoError("so not", hint="do so"))
    assert run.as_ostree()("refs").err == "error: so not\n"


def test_verbose_shows_where_our_mistake_is(run, sample, monkeypatch):
    from ostrya.cli.commands import refs

    monkeypatch.setattr(refs, "run", lambda *_: 1 // 0)
    assert "Traceback" in run(sample.option, "-v", "refs").err


@pytest.mark.parametrize("name", ["ostree", "/usr/bin/ostree", "./ostree"])
def test_the_name_decides(capfd, name):
    from ostrya.cli.main import main

    assert main([name, "--version"]) == 0
    assert capfd.readouterr().out.startswith("libostree:\n")


def test_a_descriptor_is_no_name(run, raising):
    raising(OSError(28, "No space left on device", 7))
    assert run.fails("refs", status=1) == "No space left on device"


def test_no_memory_is_not_our_mistake(run, raising):
    raising(MemoryError())
    found = run("refs")
    assert found.status == 1
    assert found.error.startswith("Out of memory")
    assert "internal" not in found.err


def test_points_are_told_where_the_environment_says(run, tmp_path, monkeypatch):
    monkeypatch.setattr(dispatch, "run_command_line", lambda *_args, **_kwargs: trace("a.point"))
    monkeypatch.setenv("OSTRYA_TRACE", str(tmp_path / "told"))
    try:
        run("refs")
        assert (tmp_path / "told").read_text() == "ostrya-trace: a.point\n"
    finally:
        trace_to("")


def test_a_trace_that_leads_nowhere(run, tmp_path, monkeypatch):
    monkeypatch.setenv("OSTRYA_TRACE", str(tmp_path / "no/such"))
    found = run("refs")
    assert (found.status, found.error) == (1, f"{tmp_path}/no/such: No such file or directory")
